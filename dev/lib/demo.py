"""The demo: Odoo with demo data beside the sandbox, both in the background. Called by dev/demo after the set-up.

Usage: demo.py start [--port N] | check | stop | reset
"""

import argparse
import fcntl
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import demo_check
import demo_connect
import environment as dev
import rpc
from service import Service

DATABASE = "ksef_demo"
ODOO_PORT, SANDBOX_PORT = 8069, 8200
START_SECONDS = 120
FOLDER = dev.HOME / "demo"
PORTS = FOLDER / "ports.json"


class DemoError(Exception):
    """What is wrong and what to do about it; shown as one line."""


def say(text):
    print(f"setup: {text}", file=sys.stderr, flush=True)


def port_is_free(port):
    """Whether 127.0.0.1:port can be bound now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(service, url):
    """Wait until ``url`` answers with JSON; tell from the log when the program has ended instead."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return rpc.call_json(url, timeout=10)
        except (OSError, ValueError) as error:
            if not service.pid():
                raise DemoError(f"{service.name} ended at once, see {service.log}:\n{service.tail()}") from error
            if time.monotonic() > until:
                raise DemoError(f"{service.name} does not answer at {url}, see {service.log}") from error
            time.sleep(0.3)


def ports(wanted):
    """The ports to use: ``wanted`` for Odoo, else those of the last start; the sandbox takes another when it must."""
    known = json.loads(PORTS.read_text()) if PORTS.exists() else {}
    odoo, sandbox = wanted or known.get("odoo", ODOO_PORT), known.get("sandbox", SANDBOX_PORT)
    if not port_is_free(odoo):
        raise DemoError(f"port {odoo} is taken by another program: choose another with dev/demo --port N")
    if not port_is_free(sandbox):
        sandbox = dev.free_port()
    PORTS.write_text(json.dumps({"odoo": odoo, "sandbox": sandbox}))
    return odoo, sandbox


def run_logged(command, env):
    """Run a program of Odoo to its end; its warnings are kept in a log.

    :raise DemoError: it failed, or Odoo logged an error and went on
    """
    log = FOLDER / "install.log"
    with log.open("wb") as output:
        code = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False).returncode
    text = log.read_text(errors="replace")
    failures = re.findall(r"^\S+ \S+ \d+ (?:ERROR|CRITICAL) .*", text, re.MULTILINE)
    if code or failures:
        lines = [*failures[:2], *text.strip().splitlines()[-1:]]
        raise DemoError(f"the demo database could not be made, see {log}:\n" + "\n".join(lines))


def prepare_database():
    """Make the demo database, or update it when the addon has changed."""
    stamp_file, stamp = FOLDER / "stamp", dev.source_stamp()
    if dev.database_names(f"^{DATABASE}$"):
        if not stamp_file.exists() or stamp_file.read_text() != stamp:
            say("demo: the addon has changed, updating the demo database")
            run_logged(*dev.odoo_command(
                dev.write_conf(DATABASE, FOLDER / "install.conf"), "-u", dev.ADDON, "--stop-after-init", "--no-http", "--log-level=warn"))
            stamp_file.write_text(stamp)
        return
    say("demo: new database with Polish demo data (about 40 s)")
    new = f"{DATABASE}_new"
    dev.drop_database(new)
    _python, env = dev.odoo_command(conf := dev.write_conf(new, FOLDER / "install.conf"))
    run_logged([sys.executable, str(Path(__file__).with_name("demo_database.py")), str(conf), new], env)
    dev.rename_database(new, DATABASE)
    stamp_file.write_text(stamp)


class Demo:
    """The two programs and their addresses."""

    def __init__(self):
        FOLDER.mkdir(exist_ok=True)
        self.odoo = Service("odoo", FOLDER)
        self.sandbox = Service("sandbox", FOLDER)

    def urls(self):
        """(Odoo's address, the sandbox's address) of the last start."""
        known = json.loads(PORTS.read_text())
        return f"http://127.0.0.1:{known['odoo']}", f"http://127.0.0.1:{known['sandbox']}"

    def start(self, port=None):
        """Have both running, connected with each other, and say where."""
        fresh = not (self.odoo.pid() and self.sandbox.pid())
        if fresh:
            self.stop()
            self._start_both(*ports(port))
        elif port and self.urls()[0] != f"http://127.0.0.1:{port}":
            raise DemoError(f"the demo runs at {self.urls()[0]} already: stop it first with dev/demo --stop")
        odoo_url, sandbox_url = self.urls()
        wait_for(self.sandbox, f"{sandbox_url}/admin/health")
        wait_for(self.odoo, f"{odoo_url}/web/health")
        admin = rpc.Odoo(odoo_url, DATABASE, "admin", "admin")
        demo_connect.connect(admin, sandbox_url, verify=fresh)
        say("demo: Odoo and the sandbox are running and connected")

    def _start_both(self, odoo_port, sandbox_port):
        self._start_sandbox(sandbox_port)
        try:
            prepare_database()
            self._start_odoo(odoo_port)
        except BaseException:
            self.stop()
            raise

    def _start_sandbox(self, port):
        say(f"demo: starting the sandbox on port {port}")
        command = [sys.executable, "-m", "sandbox", "--port", str(port), "--state", str(FOLDER / "sandbox.state")]
        self.sandbox.start(command, dev.plain_env())

    def _start_odoo(self, port):
        say(f"demo: starting Odoo on port {port}")
        # one port for pages and live updates: without a proxy in front only the threaded server has that
        conf = dev.write_conf(
            DATABASE, FOLDER / "odoo.conf", http_port=port, workers=0, max_cron_threads=2,
            log_handler=":INFO,odoo.addons.rpc.controllers.jsonrpc:ERROR")
        command, env = dev.odoo_command(conf)
        self.odoo.start(command, env)

    def stop(self):
        """End both programs; returns whether one ran."""
        return any([self.odoo.stop(), self.sandbox.stop()])

    def reset(self):
        """Stop, and forget database and sandbox."""
        self.stop()
        dev.drop_database(DATABASE)
        shutil.rmtree(FOLDER)
        FOLDER.mkdir()

    def describe(self):
        """Where it is and who can log in."""
        odoo_url, sandbox_url = self.urls()
        return (
            f"Odoo:     {odoo_url}/odoo\n"
            "          login ksiegowa, password ksiegowa (accounting); login admin, password admin (everything)\n"
            f"Sandbox:  {sandbox_url} (a local KSeF 2.0; nothing leaves this machine)\n"
            "Next:     dev/demo --check sends an invoice without a browser; dev/demo --stop ends both"
        )


def main():
    """Parse the command line and act; returns the exit code."""
    parser = argparse.ArgumentParser(prog="dev/demo")
    parser.add_argument("verb", choices=["start", "check", "stop", "reset"])
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    demo = Demo()
    with (dev.HOME / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if options.verb == "stop":
            say("demo: stopped" if demo.stop() else "demo: was not running")
            return 0
        if options.verb == "reset":
            demo.reset()
        demo.start(options.port)
    if options.verb == "check":
        odoo_url, sandbox_url = demo.urls()
        demo_check.check(odoo_url, DATABASE, sandbox_url)
    else:
        print(demo.describe())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoError, demo_check.CheckFailed, rpc.RpcError, urllib.error.URLError) as error:
        sys.exit(f"setup: error: {error}")
