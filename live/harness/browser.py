"""A real browser without a window, driven over its debugging port."""

import base64
import json
import shutil
import tempfile
import time
from pathlib import Path

import requests
import websocket

from . import surroundings
from .company import ACCOUNTANT
from .programs import Program
from .waiting import wait_for

_OPTIONS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
    "--disable-default-apps", "--disable-breakpad", "--disable-background-timer-throttling", "--mute-audio",
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--remote-debugging-port=0",
    "--remote-allow-origins=*", "--window-size=1400,1000",
]
# Of the element that a CSS selector means, its first match that can be seen.
_FIND = """(() => [...document.querySelectorAll(%s)].find(e => e.offsetParent !== null && !e.disabled))()"""


class BrowserError(AssertionError):
    """The page did not do what was expected."""


class Browser:
    """One tab. Scripts that fail and errors on the console are kept in ``errors``."""

    def __init__(self, folder):
        self._profile = Path(tempfile.mkdtemp(prefix="ksef-live-browser-"))
        self.downloads = folder / "downloads"
        shutil.rmtree(self.downloads, ignore_errors=True)
        self.downloads.mkdir(parents=True)
        self.errors = []
        self.url = None
        self.program = Program("browser", [surroundings.browser(), *_OPTIONS, f"--user-data-dir={self._profile}", "about:blank"], folder)
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self):
        port_file = self._profile / "DevToolsActivePort"
        self.program.wait_until(lambda: port_file.exists() and port_file.read_text().count("\n") > 0, "the browser has started")
        port = port_file.read_text().splitlines()[0]
        session = requests.Session()
        session.trust_env = False

        def find_page():
            pages = session.get(f"http://127.0.0.1:{port}/json", timeout=10).json()
            return next((page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"), None)

        address = self.program.wait_until(find_page, "the browser has a tab")
        self._socket = websocket.create_connection(address, timeout=60, suppress_origin=True)
        self._number = 0
        for command in ("Page.enable", "Runtime.enable", "Log.enable"):
            self.command(command)
        self.command("Emulation.setFocusEmulationEnabled", enabled=True)
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))

    def close(self):
        """End the browser and remove its profile."""
        self.program.kill()
        shutil.rmtree(self._profile, ignore_errors=True)

    # -- the debugging protocol ----------------------------------------------------------------------------------

    def command(self, method, **parameters):
        """Give a command of the debugging protocol and return its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                break
            self._note(message)
        if "error" in message:
            raise BrowserError(f"{method}: {message['error']}")
        return message["result"]

    def _note(self, event):
        """Keep what went wrong in the page."""
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description") or details.get("text"))
        elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] == "error":
            self.errors.append(" ".join(str(part.get("value") or part.get("description")) for part in parameters["args"]))

    def evaluate(self, expression):
        """The value of a JavaScript expression; a promise is awaited."""
        result = self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    # -- what a person does --------------------------------------------------------------------------------------

    def open(self, url):
        """Go to an address."""
        self.command("Page.navigate", url=url)
        self.wait(f"document.readyState === 'complete' && location.href.startsWith({json.dumps(url.split('?')[0])}.slice(0, 20))")

    def log_in(self, url, database):
        """Log in as the accountant by the login page; ``url`` is the server's."""
        self.url = url
        self.open(f"{url}/web/login?db={database}")
        self.type("input[name=login]", ACCOUNTANT[0])
        self.type("input[name=password]", ACCOUNTANT[1])
        self.click("button[type=submit]")
        self.wait_for(".o_main_navbar", 180)  # the first page has Odoo build its scripts and styles

    def open_invoice(self, invoice):
        """Open the form of an invoice."""
        self.open(f"{self.url}/odoo/customer-invoices/{invoice}")
        self.wait_for(".o_form_view .o_statusbar_status")

    def wait(self, expression, seconds=60, pause=0.03):
        """Wait until an expression is true; return its value."""
        def check():
            return self.evaluate(expression)

        try:
            return wait_for(check, expression, seconds, pause)
        except AssertionError as error:
            raise BrowserError(f"{error}\nerrors: {self.errors}\npage: {self.text('body')[:3000]}") from None

    def wait_for(self, selector, seconds=60):
        """Wait until a matching element can be seen."""
        self.wait(f"Boolean({_FIND % json.dumps(selector)})", seconds)

    def click(self, selector):
        """Click on the first matching element that can be seen, with the mouse."""
        self.wait_for(selector)
        where = self.evaluate(
            f"(() => {{ const e = {_FIND % json.dumps(selector)}; e.scrollIntoView({{block: 'center'}});"
            "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    def type(self, selector, text):
        """Write into a field."""
        self.click(selector)
        self.command("Input.insertText", text=text)

    def text(self, selector):
        """The text of the first matching element that can be seen, or ''."""
        return self.evaluate(f"({_FIND % json.dumps(selector)})?.innerText || ''")

    def downloaded(self, seconds=60):
        """Wait for the one file that is being downloaded; return its path."""
        def finished():
            files = list(self.downloads.iterdir())
            return next((file for file in files if not file.name.endswith(".crdownload")), None)

        file = wait_for(finished, lambda: f"a file is downloaded; errors: {self.errors}", seconds, pause=0.1)
        time.sleep(0.1)
        return file

    def screenshot(self, path):
        """Keep a picture of the page."""
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"]))
