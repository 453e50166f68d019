"""The checks of dev/checks can fail: each rule with an import that breaks it, and one that keeps it."""

import importlib.util
from pathlib import Path

import pytest


def load(name):
    """A check as a module; they are programs, not a package."""
    path = Path(__file__).resolve().parents[1] / "checks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


imports = load("imports")
sizes = load("sizes")


def offences(tmp_path, file, line):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line + "\n")
    return imports.check(tmp_path)


@pytest.mark.parametrize(("file", "line"), [
    ("ksef/client.py", "import odoo"),
    ("ksef/client.py", "from odoo.tools import config"),
    ("ksef/client.py", "from odoo.addons.l10n_pl_ksef.ksef import errors"),
    ("ksef/client.py", "from ksef import errors"),
    ("ksef/client.py", "from ..models import account_move"),
    ("ksef/client.py", "from .. import models"),
    ("ksef/client.py", "from ..sandbox import ids"),
    ("ksef/client.py", "def late():\n    import odoo"),
    ("ksef/client.py", "import importlib\nimportlib.import_module('odoo')"),
    ("ksef/client.py", "import werkzeug"),
    ("ksef/fa3/writer.py", "from ...models import ksef_dates"),
    ("ksef/fa3/writer.py", "from .... import main"),
    ("ksef/tests/test_it.py", "import sandbox"),
    ("sandbox/app.py", "import ksef"),
    ("sandbox/app.py", "from ..ksef import number"),
    ("sandbox/app.py", "import requests"),
    ("sandbox/tests/test_it.py", "from ksef import number"),
    ("models/ksef_document.py", "from ..sandbox import app"),
    ("models/ksef_document.py", "from ..wizards import ksef_connect"),
    ("models/ksef_document.py", "from odoo.addons.l10n_pl_ksef.sandbox import app"),
    ("tests/test_it.py", "from ..sandbox import app"),
    ("__init__.py", "from . import sandbox"),
    ("elsewhere/it.py", "import os"),
])
def test_offence_is_found(tmp_path, file, line):
    assert len(offences(tmp_path, file, line)) == 1


@pytest.mark.parametrize(("file", "line"), [
    ("ksef/client.py", "import json\nimport requests\nfrom . import errors\nfrom .fa3 import writer"),
    ("ksef/fa3/writer.py", "from .. import number\nfrom ..number import crc8\nfrom lxml import etree"),
    ("ksef/tests/test_it.py", "import pytest\nimport ksef\nfrom ksef.errors import ApiCode"),
    ("sandbox/app.py", "from werkzeug import Request\nfrom . import ids"),
    ("models/ksef_document.py", "import odoo\nfrom ..ksef.errors import ApiCode\nfrom . import ksef_session"),
    ("models/ksef_document.py", "from odoo.addons.l10n_pl_ksef.ksef import errors"),
    ("__init__.py", "from . import models, wizards\nfrom .hooks import post_init_hook"),
    ("dev/tool.py", "import sandbox, ksef"),
])
def test_allowed_import_passes(tmp_path, file, line):
    assert offences(tmp_path, file, line) == []


def test_sizes(tmp_path):
    (tmp_path / "small.py").write_text("def f():\n" + "    pass\n" * 49)
    assert sizes.check(tmp_path) == []
    (tmp_path / "long.py").write_text("\n" * 401)
    (tmp_path / "tall.py").write_text("def f():\n" + "    pass\n" * 50)
    assert [line.split(":")[0] for line in sizes.check(tmp_path)] == ["long.py", "tall.py"]
