"""Check that files and functions stay small: no Python file over 400 lines, no function over 50.

Usage: sizes.py [ROOT]; prints a line for each offence, exits 1 when there is one.
"""

import ast
import sys
from pathlib import Path

FILE_LINES, FUNCTION_LINES = 400, 50
SKIPPED = {".git", ".odoo", "__pycache__", "node_modules"}


def check(root):
    """All offences below ``root`` as lines "path:line: what"."""
    found = []
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if SKIPPED & set(name.parts):
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > FILE_LINES:
            found.append(f"{name}:1: {lines} lines, the limit is {FILE_LINES}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{name}:{node.lineno}: {node.name} has {length} lines, the limit is {FUNCTION_LINES}")
    return found


if __name__ == "__main__":
    offences = check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    print("\n".join(offences) or "all files and functions are small")
    sys.exit(1 if offences else 0)
