"""A database with the addon freshly installed, and the copies of it that tests and benchmarks work on."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import environment as dev

# Odoo's modules that the addon knows but does not need: sales orders, delivery notes, purchase orders, debit notes, expenses.
NEIGHBOURS = ("sale_stock", "purchase", "account_debit_note", "hr_expense")


class Databases:
    """The databases of one run; their names end in our process number, so that runs never meet.

    :param kind: test, bench, chaos or lint
    """

    def __init__(self, kind="test"):
        number = os.getpid()
        self.base, self.live, self.neighbours, self.prepared, *self.odoo = (
            f"ksef_{kind}_{use}_{number}" for use in ("base", "live", "neighbours", "prepared", "odoo", "odoo2", "odoo3"))
        self.log = dev.HOME / "log" / f"install-{number}.log"
        self.conf = dev.HOME / "conf" / f"{self.base}.conf"
        self.process = None
        self.preparing = threading.Lock()

    def start(self):
        """Begin to install the addon on a copy of the template, in the background."""
        dev.drop_leftovers()
        dev.copy_database(dev.TEMPLATE, self.base)
        dev.write_conf(self.base, self.conf)
        install = ("-i", dev.ADDON, "--stop-after-init", "--no-http", "--log-level=warn")
        command, env = dev.odoo_command(self.conf, *install)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def finish(self):
        """Wait for the installation; returns what went wrong, or None."""
        code = self.process.wait()
        text = self.log.read_text()
        if code or re.search(r"^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ", text, re.MULTILINE):
            sys.stderr.write(text)
            return f"odoo: installing {dev.ADDON} (see above)"
        return None

    def _prepare(self):
        """Make the database that Odoo tests start from once: with the company that each of their classes needs."""
        with self.preparing:
            if dev.database_names(f"^{self.prepared}$"):
                return
            dev.copy_database(self.base, self.prepared)
            conf = dev.write_conf(self.prepared, dev.HOME / "conf" / f"{self.prepared}.conf")
            script = Path(__file__).with_name("test_company.py")
            subprocess.run([sys.executable, script, conf, self.prepared], env=dev.odoo_command(conf)[1],
                           stdin=subprocess.DEVNULL, check=True)

    def env(self, family, lane=0):
        """A fresh copy of the installed database for a family: the variables to run it with.

        :param lane: runs at the same time have a database each
        :raise subprocess.CalledProcessError: the modules beside the addon, or the tests' company, could not be made; the log says why
        """
        database = {"odoo": self.odoo[lane], "neighbours": self.neighbours}.get(family, self.live)
        if family == "odoo":
            self._prepare()
        dev.copy_database(self.prepared if family == "odoo" else self.base, database)
        conf = dev.write_conf(database, dev.HOME / "conf" / f"{database}.conf", http_port=dev.free_port())
        if family == "neighbours":
            command, env = dev.odoo_command(conf, "-i", ",".join(NEIGHBOURS), "--stop-after-init", "--no-http", "--log-level=warn")
            subprocess.run(command, env=env, stdin=subprocess.DEVNULL, check=True)
        env = dev.live_env(database, self.base, conf)
        return env if family == "live" else env | {"PYTHONPATH": dev.ODOO_LIB, "ODOO_RC": str(conf)}

    def drop(self):
        """Everything away again."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        for name in (*self.odoo, self.prepared, self.neighbours, self.live, self.base):
            dev.drop_database(name)
            (dev.HOME / "conf" / f"{name}.conf").unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
