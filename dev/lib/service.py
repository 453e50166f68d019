"""A program in the background: started away from the terminal, found again by its pid file, stopped by its number."""

import os
import signal
import subprocess
import time
from pathlib import Path

STOP_SECONDS = 20


class Service:
    """One background program. ``folder`` keeps NAME.pid (number and start time) and NAME.log."""

    def __init__(self, name, folder):
        self.name = name
        self.pid_file = folder / f"{name}.pid"
        self.log = folder / f"{name}.log"

    def pid(self):
        """The process number while the program runs, else None. A number that was given to another program is none."""
        try:
            number, started = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(number) if _start_time(number) == started else None

    def start(self, command, env):
        """Start ``command`` detached, with its output in the log; returns the process number."""
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid_file.write_text(f"{process.pid} {_start_time(process.pid)}\n")
        return process.pid

    def stop(self):
        """End the program: TERM, then KILL. Returns whether it ran."""
        number = self.pid()
        if number:
            os.kill(number, signal.SIGTERM)
            until = time.monotonic() + STOP_SECONDS
            while self.pid() and time.monotonic() < until:
                time.sleep(0.1)
            if self.pid():
                os.kill(number, signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)
        return bool(number)

    def tail(self, lines=15):
        """The last lines of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def _start_time(number):
    """The start time of a process in ticks since boot, as text; None when there is no such (living) process."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
