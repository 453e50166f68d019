"""Check the translations: the .pot is what Odoo exports, pl.po has every term of it translated and nothing fuzzy.

Installs the addon in a copy of the template database and lets Odoo's own exporter write the terms. Needs the set-up's
variables (dev/lint gives them). Usage: translations.py [--update]; --update writes the .pot and merges it into pl.po
(new terms come untranslated, terms that are gone go), so that only the translating is left.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import environment as dev

LANGUAGE = "pl"
PLACEHOLDER = re.compile(r"%\(\w+\)[#0\- +]*\d*(?:\.\d+)?[a-zA-Z]|%[sdrif]|\{\w*\}")


def export(folder):
    """Let Odoo write the addon's terms; returns the path of the .pot."""
    database = f"ksef_lint_{os.getpid()}"
    target = folder / f"{dev.ADDON}.pot"
    conf = dev.HOME / "conf" / f"{database}.conf"
    try:
        dev.drop_leftovers()
        dev.copy_database(dev.TEMPLATE, database)
        dev.write_conf(database, conf)
        for arguments in (
            ["-i", dev.ADDON, "--stop-after-init", "--no-http", "--log-level=error"],
            ["i18n", "export", "-l", "pot", "-o", str(target), dev.ADDON],
        ):
            command, env = dev.odoo_command(conf, *arguments)
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(done.stdout + done.stderr + "translations: Odoo could not export the terms")
    finally:
        dev.drop_database(database)
        conf.unlink(missing_ok=True)
    return target


def terms(catalogue):
    """{(context, term): places it is used at} of a catalogue, without what is obsolete."""
    return {
        (entry.msgctxt, entry.msgid): sorted(place for place, _line in entry.occurrences)
        for entry in catalogue if not entry.obsolete
    }


def compare(exported, template):
    """What the committed .pot lacks, has too much, or places elsewhere."""
    now, kept = terms(exported), terms(template)
    for key in now.keys() - kept.keys():
        yield f"the .pot lacks {key[1]!r} ({', '.join(now[key])})"
    for key in kept.keys() - now.keys():
        yield f"the .pot has {key[1]!r}, which is used no more"
    for key in now.keys() & kept.keys():
        if now[key] != kept[key]:
            yield f"the .pot names other places for {key[1]!r}: {', '.join(now[key])}"


def review(exported, translated):
    """What is missing or wrong in a language's catalogue."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in translated if not entry.obsolete}
    for key, places in terms(exported).items():
        entry = known.get(key)
        if entry is None or not entry.msgstr:
            yield f"no translation of {key[1]!r} ({', '.join(places)})"
        elif entry.fuzzy:
            yield f"the translation of {key[1]!r} is fuzzy"
        elif sorted(PLACEHOLDER.findall(key[1])) != sorted(PLACEHOLDER.findall(entry.msgstr)):
            yield f"the translation of {key[1]!r} has other placeholders: {entry.msgstr!r}"
    for key in known.keys() - terms(exported).keys():
        yield f"the translation of {key[1]!r} is used no more"


def update(exported, template_path, language_path):
    """Write the .pot anew and merge it into the language's catalogue."""
    template_path.parent.mkdir(exist_ok=True)
    kept = polib.pofile(str(language_path)) if language_path.exists() else polib.POFile()
    kept.metadata = {**exported.metadata, **kept.metadata, "Language": LANGUAGE}
    kept.merge(exported)
    for entry in kept.obsolete_entries():
        kept.remove(entry)
    exported.save(str(template_path))
    kept.save(str(language_path))


def main(arguments):
    """Check or update; returns the exit code."""
    with tempfile.TemporaryDirectory(dir=dev.HOME / "run") as folder:
        exported = polib.pofile(str(export(Path(folder))))
    template_path = dev.ROOT / "i18n" / f"{dev.ADDON}.pot"
    language_path = dev.ROOT / "i18n" / f"{LANGUAGE}.po"
    if not len(exported):
        sys.exit("translations: Odoo exported no term at all")
    if "--update" in arguments:
        update(exported, template_path, language_path)
    problems = [f"{p.relative_to(dev.ROOT)} does not exist" for p in (template_path, language_path) if not p.exists()]
    if not problems:
        problems += compare(exported, polib.pofile(str(template_path)))
        problems += review(exported, polib.pofile(str(language_path)))
    print("\n".join(problems) or f"{len(exported)} terms, all of them in the .pot and in {LANGUAGE}.po")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
