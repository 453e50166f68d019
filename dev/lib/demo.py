"""The demo: Odoo with demo data beside the sandbox and a mail server, in the background. Called by dev/demo after the set-up.

Usage: demo.py VERB [--port N], see VERBS
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
import demo_mail
import demo_week
import environment as dev
import rpc
from service import Service

DATABASE = "ksef_demo"
ODOO_PORT, SANDBOX_PORT = 8069, 8200
START_SECONDS = 120
FOLDER = dev.HOME / "demo"
PORTS = FOLDER / "ports.json"
MAILS = FOLDER / "mails"
# That last week has been laid out in this database.
WEEK = FOLDER / "week"
VERBS = ("start", "check", "week", "outage-on", "outage-off", "reject-next", "mails", "stop", "reset")


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
    """The ports to use: ``wanted`` for Odoo, else those of the last start; sandbox and mail server take others when they must."""
    known = json.loads(PORTS.read_text()) if PORTS.exists() else {}
    odoo, sandbox = wanted or known.get("odoo", ODOO_PORT), known.get("sandbox", SANDBOX_PORT)
    if not port_is_free(odoo):
        raise DemoError(f"port {odoo} is taken by another program: choose another with dev/demo --port N")
    if not port_is_free(sandbox):
        sandbox = dev.free_port()
    mail = known.get("mail")
    if not mail or not port_is_free(mail):
        mail = dev.free_port()
    PORTS.write_text(json.dumps({"odoo": odoo, "sandbox": sandbox, "mail": mail}))
    return odoo, sandbox, mail


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
    """The programs and their addresses."""

    def __init__(self):
        FOLDER.mkdir(exist_ok=True)
        self.odoo = Service("odoo", FOLDER)
        self.sandbox = Service("sandbox", FOLDER)
        self.mail = Service("mail", FOLDER)

    def urls(self):
        """(Odoo's address, the sandbox's address) of the last start."""
        known = json.loads(PORTS.read_text())
        return f"http://127.0.0.1:{known['odoo']}", f"http://127.0.0.1:{known['sandbox']}"

    def start(self, port=None):
        """Have them running, connected with each other, and say where."""
        fresh = not all(service.pid() for service in self.services())
        if fresh:
            self.stop()
            self._start_all(*ports(port))
        elif port and self.urls()[0] != f"http://127.0.0.1:{port}":
            raise DemoError(f"the demo runs at {self.urls()[0]} already: stop it first with dev/demo --stop")
        odoo_url, sandbox_url = self.urls()
        wait_for(self.sandbox, f"{sandbox_url}/admin/health")
        wait_for(self.odoo, f"{odoo_url}/web/health")
        admin = rpc.Odoo(odoo_url, DATABASE, "admin", "admin")
        demo_connect.connect(admin, sandbox_url, verify=fresh)
        demo_connect.use_mail_server(admin, json.loads(PORTS.read_text())["mail"])
        say("demo: Odoo and the sandbox are running and connected")

    def services(self):
        """All programs."""
        return self.odoo, self.sandbox, self.mail

    def _start_all(self, odoo_port, sandbox_port, mail_port):
        self._start_sandbox(sandbox_port)
        self.mail.start([sys.executable, str(Path(demo_mail.__file__)), str(mail_port), str(MAILS)], dev.plain_env())
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
        """End all programs; returns whether one ran."""
        stopped = [service.stop() for service in self.services()]
        return any(stopped)

    def week(self):
        """Have last week happen, once: Odoo's server makes room for the program that has its clock set back."""
        if WEEK.exists():
            return
        odoo_url, sandbox_url = self.urls()
        say("demo: going back to last week (about 30 s)")
        self.odoo.stop()
        try:
            conf = dev.write_conf(DATABASE, FOLDER / "install.conf")
            demo_week.prepare(lambda script, *values: self._run_past(conf, script, *values), sandbox_url)
            WEEK.touch()
        finally:
            self._start_odoo(json.loads(PORTS.read_text())["odoo"])
            wait_for(self.odoo, f"{odoo_url}/web/health")

    def _run_past(self, conf, script, *values):
        _python, env = dev.odoo_command(conf)
        run_logged([sys.executable, script, str(conf), DATABASE, *values], env)

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
            "Next:     dev/demo --check sends an invoice without a browser; dev/demo --week leads through a week of a firm;\n"
            "          dev/demo --stop ends everything"
        )


def main():
    """Parse the command line and act; returns the exit code."""
    parser = argparse.ArgumentParser(prog="dev/demo")
    parser.add_argument("verb", choices=VERBS)
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
        if options.verb == "week":
            demo.week()
    show(demo, options.verb)
    return 0


def show(demo, verb):
    """Do what a verb asks of the running demo, and print what came of it."""
    odoo_url, sandbox_url = demo.urls()
    match verb:
        case "check":
            demo_check.check(odoo_url, DATABASE, sandbox_url)
        case "week":
            print(f"{demo.describe()}\n\n{demo_week.GUIDE}")
        case "outage-on" | "outage-off":
            print(demo_week.outage(sandbox_url, verb == "outage-on"))
        case "reject-next":
            print(demo_week.reject_next(sandbox_url))
        case "mails":
            print("\n".join(demo_mail.describe(MAILS)) or "No e-mail has gone out yet.")
        case _:
            print(demo.describe())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DemoError, demo_check.CheckFailed, rpc.RpcError, urllib.error.URLError) as error:
        sys.exit(f"setup: error: {error}")
