"""Where the live tests run: what dev/test and dev/bench say in the variables KSEF_LIVE_* (dev/README.md explains them)."""

import os
import shlex
import socket
import sys
from pathlib import Path


def _variable(name):
    value = os.environ.get(f"KSEF_LIVE_{name}")
    if not value:
        sys.exit(f"KSEF_LIVE_{name} is not set: live tests are run by dev/test, benchmarks by dev/bench")
    return value


def odoo_command(exits=None):
    """The command (list) that runs Odoo; ``exits`` is the folder of the orders of exits.py.

    A prefork server starts its websocket process by running its own first argument again, and cannot do that with
    ``python -m odoo``: a file that does the same takes its place.
    """
    command = shlex.split(_variable("ODOO"))
    if command[-2:] == ["-m", "odoo"]:
        program = home() / ("odoo-bin-exits" if exits else "odoo-bin")
        # Not run where it stands: its folder would come first among those that Odoo imports from.
        program.write_text(Path(__file__).with_name("exits.py").read_text() if exits else "import odoo.cli\n\nodoo.cli.main()\n")
        command[-2:] = [str(program)]
    return ["env", f"KSEF_LIVE_EXITS={exits}", *command] if exits else command


def sandbox_command():
    """The command (list) that runs the sandbox."""
    return shlex.split(_variable("SANDBOX"))


def copy_command():
    """The command (list) that copies a database; takes the names of source and copy."""
    return shlex.split(_variable("COPY_DATABASE"))


def drop_command():
    """The command (list) that drops a database; takes its name."""
    return shlex.split(_variable("DROP_DATABASE"))


def template():
    """The database with the addon installed, which all others are copied from."""
    return _variable("TEMPLATE")


def browser():
    """The browser's path; its absence is a failure, never a reason to skip."""
    return _variable("BROWSER")


def home():
    """The folder for files of this run."""
    return Path(_variable("HOME"))


def database_name(kind):
    """A name for a database of this process, which the next run removes should this one be killed."""
    return f"ksef_live_{kind}_{os.getpid()}"


def free_port():
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
