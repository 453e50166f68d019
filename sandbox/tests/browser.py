"""A real browser for the tests, driven over its debugging protocol."""

import json
import shutil
import subprocess
import time

import pytest
import requests
from websocket import create_connection

NAMES = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")


class Browser:
    """Headless Chromium with one tab."""

    def __init__(self, folder):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            pytest.skip("no browser: chromium is not on the PATH")
        self._process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
             "--disable-dev-shm-usage", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._number = 0
        self.problems = []
        self._socket = create_connection(self._tab(folder / "DevToolsActivePort"), timeout=60, suppress_origin=True)
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    @staticmethod
    def _tab(port_file):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if port_file.exists() and len(port_file.read_text().splitlines()) == 2:
                port = port_file.read_text().splitlines()[0]
                tabs = requests.get(f"http://127.0.0.1:{port}/json", timeout=10).json()
                pages = [tab for tab in tabs if tab["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            time.sleep(0.1)
        raise AssertionError("the browser did not start")

    def send(self, method, **parameters):
        """A command and its result; console errors and exceptions are noted on the way."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
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
        self.until("document.readyState === 'complete'")

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
        self._socket.close()
        self._process.terminate()
        self._process.wait(timeout=30)
