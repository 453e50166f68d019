"""The development environment as seen from Python: paths, databases, ports, ways to run Odoo and the sandbox.

Imported by the programs beside it, which dev/test, dev/demo and dev/bench start after the set-up; the
variables KSEF_DEV_* come from export_context in setup.sh.
"""

import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ADDON = "l10n_pl_ksef"
ROOT = Path(os.environ["KSEF_DEV_ROOT"])
HOME = Path(os.environ["KSEF_DEV_HOME"])
TEMPLATE = os.environ["KSEF_DEV_TEMPLATE"]
ODOO_LIB = os.environ["KSEF_DEV_ODOO_LIB"]
ADDONS_PATH = os.environ["KSEF_DEV_ADDONS"]
SOURCES = {".py", ".xml", ".csv", ".js", ".scss", ".po", ".sql"}


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_conf(database, path, **options):
    """Write an odoo.conf for ``database``; ``options`` add to or replace the defaults. Returns the path."""
    values = {
        "db_host": os.environ["PGHOST"],
        "db_port": os.environ.get("PGPORT"),
        "db_user": os.environ.get("PGUSER"),
        "db_name": database,
        "dbfilter": f"^{re.escape(database)}$",
        "addons_path": ADDONS_PATH,
        "data_dir": HOME / "data",
        "bin_path": HOME / "bin",
        "http_interface": "127.0.0.1",
        "max_cron_threads": 0,
        "list_db": False,
    } | options
    path.write_text("[options]\n" + "".join(f"{k} = {v}\n" for k, v in values.items() if v is not None))
    return path


def odoo_command(conf, *arguments):
    """The command line (list) and the environment (dict) that run Odoo with ``conf``."""
    env = os.environ | {"PYTHONPATH": ODOO_LIB, "ODOO_RC": str(conf)}
    return [sys.executable, "-m", "odoo", *arguments], env


def plain_env():
    """The environment in which ``import ksef`` and ``python -m sandbox`` work without Odoo."""
    return os.environ | {"PYTHONPATH": str(HOME / "lib")}


def live_env(database, template, conf):
    """The variables that live tests and benchmarks find their surroundings by; dev/README.md explains each."""
    odoo, odoo_env = odoo_command(conf)
    run = HOME / "run" / database
    run.mkdir(parents=True, exist_ok=True)
    copy = [sys.executable, str(Path(__file__).resolve().with_name("environment.py"))]
    return plain_env() | {
        "KSEF_LIVE_DATABASE": database,
        "KSEF_LIVE_TEMPLATE": template,
        "KSEF_LIVE_CONF": str(conf),
        "KSEF_LIVE_ODOO": shlex.join(["env", f"PYTHONPATH={odoo_env['PYTHONPATH']}", f"ODOO_RC={conf}", *odoo]),
        "KSEF_LIVE_SANDBOX": shlex.join(["env", f"PYTHONPATH={HOME / 'lib'}", sys.executable, "-m", "sandbox"]),
        "KSEF_LIVE_COPY_DATABASE": shlex.join([*copy, "copy"]),
        "KSEF_LIVE_DROP_DATABASE": shlex.join([*copy, "drop"]),
        "KSEF_LIVE_HTTP_PORT": str(free_port()),
        "KSEF_LIVE_GEVENT_PORT": str(free_port()),
        "KSEF_LIVE_SANDBOX_PORT": str(free_port()),
        "KSEF_LIVE_BROWSER": browser() or "",
        "KSEF_LIVE_HOME": str(run),
    }


def browser():
    """The path of the browser that the set-up found, or None."""
    path = HOME / "bin" / "google-chrome"
    return str(path) if path.exists() and not os.environ.get("KSEF_DEV_BROWSER_PROBLEM") else None


def source_stamp():
    """Text that changes with the addon's files: then databases with the addon must be updated."""
    digest = hashlib.sha256()
    for folder in ("", "models", "wizards", "views", "data", "security", "report", "static", "i18n", "demo", "ksef"):
        files = (ROOT / folder).rglob("*") if folder else ROOT.glob("*.py")
        for path in sorted(path for path in files if path.suffix in SOURCES):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def database_names(pattern):
    """The databases whose name matches a regular expression of PostgreSQL."""
    query = f"select datname from pg_database where datname ~ '{pattern}' order by 1"
    done = subprocess.run(["psql", "-d", "postgres", "-Atc", query], check=True, capture_output=True, text=True)
    return done.stdout.split()


def rename_database(name, new):
    """Give a database and its files another name."""
    store = HOME / "data" / "filestore"
    shutil.rmtree(store / new, ignore_errors=True)
    if (store / name).exists():
        (store / name).rename(store / new)
    subprocess.run(["psql", "-d", "postgres", "-qc", f'alter database "{name}" rename to "{new}"'], check=True)


def drop_database(name):
    """Drop the database ``name``, with the connections to it, and its filestore. Fine when there is none."""
    subprocess.run(["dropdb", "--if-exists", "--force", name], check=True, capture_output=True)
    shutil.rmtree(HOME / "data" / "filestore" / name, ignore_errors=True)
    shutil.rmtree(HOME / "run" / name, ignore_errors=True)


def copy_database(source, target):
    """Make ``target`` a copy of ``source`` (0.1 s). The filestore's files are linked: Odoo never changes one."""
    drop_database(target)
    subprocess.run(["createdb", "-T", source, target], check=True)
    store = HOME / "data" / "filestore"
    if (store / source).exists():
        shutil.copytree(store / source, store / target, copy_function=os.link)


def drop_leftovers():
    """Drop the databases of runs that were killed: their names end in the number of a process that is no more."""
    for name in database_names(r"^ksef_(test|live|bench|chaos|lint)_.*\d+$"):
        if not Path(f"/proc/{re.search(r'[0-9]+$', name)[0]}").exists():
            drop_database(name)


if __name__ == "__main__":
    verb, *names = sys.argv[1:]
    {"copy": copy_database, "drop": drop_database}[verb](*names)
