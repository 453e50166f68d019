"""Programs that run beside the tests and end with them, whatever happens."""

import contextlib
import ctypes
import os
import signal
import subprocess

from .waiting import wait_for

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _end_with_parent():
    """In the child: be killed when the tests are. Linux only, as are prefork servers."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A program in a process group of its own, its output in a file ``name``.log in ``folder``."""

    def __init__(self, name, command, folder, **options):
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=_end_with_parent, **options)  # noqa: PLW1509  (no threads are running here)

    @property
    def pid(self):
        """The number of its process, which is that of its group."""
        return self.process.pid

    def is_running(self):
        """Whether its first process lives."""
        return self.process.poll() is None

    def wait_until(self, condition, what, seconds=30):
        """Wait for ``condition()``; the program's end ends the waiting."""
        def check():
            if not self.is_running():
                raise AssertionError(f"{self.name} ended with code {self.process.returncode}:\n{self.tail()}")
            return condition()

        return wait_for(check, lambda: f"{what}\n{self.tail()}", seconds)

    def output(self):
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def tail(self, lines=60):
        """The last lines that it printed."""
        return "\n".join(self.output().splitlines()[-lines:])

    def kill(self):
        """End the whole group at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(20)
