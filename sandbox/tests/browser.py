"""A real browser for the tests, driven over its debugging protocol through a pair of pipes (no library needed)."""

import json
import os
import select
import shutil
import subprocess
import sys
import time

import pytest

NAMES = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--disable-sync", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage")
# The browser reads commands from descriptor 3 and writes answers to descriptor 4.
_LAUNCH = """
import fcntl, os, sys
pair = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 20) for number in sys.argv[1:3]]
os.dup2(pair[0], 3)
os.dup2(pair[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """Headless Chromium with one tab."""

    def __init__(self, folder):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            pytest.skip("no browser: chromium is not on the PATH")
        its_input, self._output = os.pipe()
        self._input, its_output = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, str(its_input), str(its_output), program, *OPTIONS,
             f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(its_input, its_output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(its_input)
        os.close(its_output)
        self._number, self._session, self._buffer = 0, None, b""
        self.problems = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def _receive(self, seconds=60):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._input], [], [], seconds)
            piece = os.read(self._input, 1 << 16) if ready else b""
            assert piece, "the browser does not answer"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def send(self, method, **parameters):
        """A command and its result; console errors and exceptions are noted on the way."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._output, json.dumps(message).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(message["params"]["exceptionDetails"].get("exception", {}).get("description"))
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.problems.append(message["params"]["entry"]["text"])

    def open(self, url):
        """Load a page."""
        self.send("Page.navigate", url=url)
        self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def run(self, script):
        """The value of a script (promises are awaited)."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, script, seconds=20):
        """Wait until a script gives something true, and return that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {script}\n{self.run('document.body.innerText')[:2000]}")

    def close(self):
        """End the browser."""
        os.close(self._output)
        os.close(self._input)
        self._process.terminate()
        self._process.wait(timeout=30)
