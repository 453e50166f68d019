"""A real Odoo server: prefork, with cron workers of their own."""

import contextlib
import os
import re
import signal
from pathlib import Path

import requests

from . import surroundings
from .programs import Program
from .waiting import wait_for

_ESTABLISHED = "01"


def _open_files(pid):
    """What the file descriptors of a process lead to."""
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(os.readlink(descriptor))
    return found


class Server:
    """Odoo on a database. ``cron`` is the number of cron workers; with ``exits`` they can be told to die at a commit."""

    def __init__(self, database, folder, workers=2, cron=2, exits=False):
        self.database = database
        self.http_port, self.gevent_port = surroundings.free_port(), surroundings.free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.cron = cron
        self.exits = folder / "exits"
        self.exits.mkdir(exist_ok=True)
        self._orders = 0
        command = [
            *surroundings.odoo_command(self.exits if exits else None), "-d", database.name, f"--db-filter=^{re.escape(database.name)}$",
            f"--workers={workers}", f"--max-cron-threads={cron}", "--http-interface=127.0.0.1",
            f"--http-port={self.http_port}", f"--gevent-port={self.gevent_port}", "--log-level=info",
            "--log-handler=odoo.addons.l10n_pl_ksef:DEBUG",
        ]
        self.program = Program("odoo", command, folder)
        self.program.wait_until(self._is_ready, "Odoo answers and its cron workers are up", 90)

    def _is_ready(self):
        with contextlib.suppress(requests.RequestException):
            if len(self._alive("WorkerCron")) >= self.cron:
                return requests.get(self.url + "/web/health", timeout=5).ok
        return False

    def _alive(self, kind):
        """Process numbers of the workers of a kind that have ever been up."""
        return [int(pid) for pid in re.findall(rf"Worker {kind} \((\d+)\) alive", self.program.output())]

    def stop(self):
        """End all its processes at once."""
        self.program.kill()

    # -- killing workers -----------------------------------------------------------------------------------------

    def cron_workers(self):
        """Process numbers of the cron workers that live now."""
        return [pid for pid in self._alive("WorkerCron") if self._is_ours(pid)]

    def _is_ours(self, pid):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            return f"\nPPid:\t{self.program.pid}\n" in status and "\nState:\tZ" not in status
        return False

    def cron_workers_connected_to(self, port):
        """Process numbers of the cron workers that have a connection to this port of 127.0.0.1.

        The database cannot tell: workers inherit the name under which their parent is known there.
        """
        remote = f":{port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        sockets = {f"socket:[{row[9]}]" for row in rows if row[2].endswith(remote) and row[3] == _ESTABLISHED}
        return [pid for pid in self.cron_workers() if sockets & _open_files(pid)]

    def kill_worker(self, pid):
        """Kill a worker of this server as the system would when memory is short: at once, without a word."""
        if not self._is_ours(pid):
            raise AssertionError(f"process {pid} is no worker of this server")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self._is_ours(pid), f"worker {pid} is dead", 10)

    def order_exit(self, number, moment):
        """Tell the cron workers that whoever comes to its ``number``th commit from now on dies, ``moment``: before or after it."""
        for name in ("taken", "done"):
            (self.exits / name).unlink(missing_ok=True)
        self._orders += 1
        (self.exits / "new").write_text(f"{self._orders} {number} {moment}")
        (self.exits / "new").rename(self.exits / "order")

    def exit_done(self):
        """What came of the order: "PID MOMENT FILE FUNCTION" of the worker that has died, else None."""
        done = self.exits / "done"
        return done.read_text() if done.exists() else None

    def take_back_exit(self):
        """Take the order back; where somebody has it already, wait for what comes of it, and return that."""
        try:
            (self.exits / "order").unlink()
        except FileNotFoundError:
            return wait_for(self.exit_done, "the worker that took the order is dead", 10)
        return None

    def wait_for_cron_workers(self):
        """Until killed workers were replaced."""
        self.program.wait_until(lambda: len(self.cron_workers()) >= self.cron, "killed cron workers were replaced")

    def log_lines(self, pattern):
        """Lines of the log that match."""
        return [line for line in self.program.output().splitlines() if re.search(pattern, line)]

    def request_queries(self):
        """How many queries Odoo has logged of each of its requests."""
        return [int(count) for count in re.findall(r'"(?:GET|POST) \S+ HTTP/1\.1" \d+ - (\d+) [\d.]+ [\d.]+', self.program.output())]

    def request_seconds(self):
        """What Odoo has logged of its requests: [(path, seconds that the server took)]."""
        found = re.findall(r'"(?:GET|POST) (\S+) HTTP/1\.1" \d+ - \d+ ([\d.]+) ([\d.]+)', self.program.output())
        return [(path, float(queries) + float(rest)) for path, queries, rest in found]
