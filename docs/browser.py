"""A small headless browser for making the pictures of the documentation: Chromium by its DevTools protocol."""

import base64
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket  # websocket-client, which Odoo's own browser tests use too

NAMES = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")


class Browser:
    """One headless Chromium with one page; use it in a ``with`` statement."""

    def __init__(self, width=1366, height=900):
        binary = next(filter(None, map(shutil.which, NAMES)), None)
        if not binary:
            raise SystemExit("no chromium on the PATH: install the package chromium")
        self.profile = tempfile.mkdtemp(prefix="ksef-browser-")
        self.process = subprocess.Popen(  # noqa: S603  the browser of this machine
            [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
             "--remote-allow-origins=*", "--no-first-run", "--disable-component-update", "--disable-sync",
             "--disable-background-networking", f"--window-size={width},{height}", f"--user-data-dir={self.profile}",
             "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.numbers = itertools.count(1)
        self.socket = websocket.create_connection(self._page_address(), timeout=60)
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Emulation.setTimezoneOverride", timezoneId="Europe/Warsaw")
        self.resize(width, height)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _page_address(self):
        for line in self.process.stderr:
            if match := re.search(r"ws://([^/]+)/", line):
                break
        else:
            raise SystemExit("chromium did not start")
        with urllib.request.urlopen(f"http://{match[1]}/json/list", timeout=30) as answer:
            pages = json.load(answer)
        return next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")

    def call(self, method, **parameters):
        """Call a method of the DevTools protocol and return its result; events in between are dropped."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def resize(self, width, height):
        """Set the size of the page in pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, script):
        """Run JavaScript (an expression, promises are awaited) and return its value."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait(self, condition, seconds=30):
        """Wait until the JavaScript expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.run(f"Boolean({condition})"):
                    return
            except RuntimeError:
                pass  # the page is changing under us
            time.sleep(0.1)
        raise TimeoutError(condition)

    def see(self, selector, seconds=30):
        """Wait until an element is there."""
        self.wait(f"document.querySelector({json.dumps(selector)})", seconds)

    def click(self, selector):
        """Click the first element that matches."""
        self.see(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector, text):
        """Put text into an input as a person would, so that the web client notices."""
        self.see(selector)
        self.run(f"(() => {{ const i = document.querySelector({json.dumps(selector)}); i.focus(); i.select && i.select(); }})()")
        self.call("Input.insertText", text=text)
        self.run(f"document.querySelector({json.dumps(selector)}).dispatchEvent(new Event('change', {{bubbles: true}}))")

    def open(self, address):
        """Open a page and wait for its document."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'", 180)

    def picture(self, path, selector=None):
        """Store a PNG of the page, or of the first element that matches."""
        options = {}
        if selector:
            box = self.run(
                f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
                " return {x: r.x, y: r.y, width: r.width, height: r.height}; })()")
            options["clip"] = box | {"scale": 1}
        data = self.call("Page.captureScreenshot", format="png", **options)["data"]
        Path(path).write_bytes(base64.b64decode(data))
