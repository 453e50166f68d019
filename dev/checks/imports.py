"""Check that imports run one way: models, wizards, report -> ksef -> libraries; sandbox on its own.

ksef/ is a library that must work without Odoo, and the sandbox must not repeat a mistake of the client, so neither may
import the other or Odoo. Inside both only relative imports work, because they are imported under two names.

Usage: imports.py [ROOT]; prints a line for each offence, exits 1 when there is one.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

ADDON = "l10n_pl_ksef"
SKIPPED = {".git", ".odoo", "__pycache__", "node_modules"}


@dataclass(frozen=True)
class Room:
    """What the files of one top folder may import, beside the standard library.

    ``libraries``: top names of third-party packages, None for any. ``rooms``: further top folders of the addon.
    """

    libraries: frozenset | None
    rooms: frozenset
    relative_only: bool = False


def _names(text):
    return frozenset(text.split())


CLIENT_LIBRARIES = _names("cryptography signxml lxml requests urllib3 certifi qrcode stdnum")
SANDBOX_LIBRARIES = _names("cryptography signxml lxml werkzeug")
TEST_LIBRARIES = _names("pytest hypothesis jsonschema requests werkzeug freezegun PIL websocket")
ROOMS = {
    "ksef": Room(CLIENT_LIBRARIES, _names("ksef"), relative_only=True),
    "ksef/tests": Room(CLIENT_LIBRARIES | TEST_LIBRARIES, _names("ksef")),
    "sandbox": Room(SANDBOX_LIBRARIES, _names("sandbox"), relative_only=True),
    "sandbox/tests": Room(SANDBOX_LIBRARIES | TEST_LIBRARIES, _names("sandbox")),
    "models": Room(None, _names("models ksef")),
    "wizards": Room(None, _names("wizards models ksef")),
    "report": Room(None, _names("report models ksef")),
    "controllers": Room(None, _names("controllers models ksef")),
    "tests": Room(None, _names("tests models wizards report controllers ksef hooks")),
    "": Room(None, _names("models wizards report controllers ksef hooks")),
}
FREE = {"dev", "live", "docs"}      # programs around the addon


def imported(tree):
    """Yield (line, level, dotted name) of every import in a parsed file, dynamic ones with a literal name too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, 0, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, node.level, ".".join(filter(None, [node.module, alias.name]))
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                name = node.args[0].value
                yield node.lineno, len(name) - len(name.lstrip(".")), name.lstrip(".")


def room_of(path):
    """The key of ROOMS for a path below the root (as parts), or None when nothing is checked there."""
    for key in ("/".join(path[:2]), path[0] if len(path) > 1 else ""):
        if key in ROOMS and (key or len(path) == 1):
            return key
    return None


def complaint(parts, key, level, name, siblings=()):
    """What is wrong with one import in the file ``parts`` (tuple below the root), or None.

    ``siblings``: names of the modules beside the file, which tests without a package import plainly.
    """
    room = ROOMS[key]
    top = name.split(".")[0]
    if level:
        inside = [*parts[:-1]][: len(parts) - level] if level <= len(parts) else None
        if inside is None:
            return "a relative import leaves the addon"
        target = [*inside, *name.split(".")][0]
        return _room_complaint(room, key, target)
    if name == f"odoo.addons.{ADDON}" or name.startswith(f"odoo.addons.{ADDON}."):
        if room.relative_only:
            return "absolute import inside a package with two names: write it relative"
        rest = name.split(".")[3:]
        return _room_complaint(room, key, rest[0]) if rest else None
    if key.endswith("/tests") and top in {*room.rooms, *siblings}:
        return None             # these tests run outside Odoo, where the package has one name
    if top in {"ksef", "sandbox", "dev", "live"}:
        return f"imports the top package {top}: inside the addon it is relative, outside it is out of bounds"
    if room.libraries is None or top in sys.stdlib_module_names or top in room.libraries:
        return None
    return f"imports {top}, which is none of its libraries ({', '.join(sorted(room.libraries))})"


def _room_complaint(room, key, target):
    if target in room.rooms:
        return None
    return f"{key or 'the root'} must not import {target}"


def check(root):
    """All offences below ``root`` as lines "path:line: what"."""
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if SKIPPED & set(parts) or parts[0] in FREE:
            continue
        key = room_of(parts)
        if key is None:
            found.append(f"{path.relative_to(root)}:1: the folder {parts[0]} has no rule in dev/checks/imports.py")
            continue
        siblings = {file.stem for file in path.parent.glob("*.py")}
        for line, level, name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            problem = complaint(parts, key, level, name, siblings)
            if problem:
                found.append(f"{path.relative_to(root)}:{line}: {problem}")
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    offences = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(offences) or "imports run one way")
    sys.exit(1 if offences else 0)
