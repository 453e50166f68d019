"""KSeF's sandbox in a process of its own, and its administration."""

import re

import requests

from . import surroundings
from .programs import Program

SEND = "POST /sessions/online/{ref}/invoices"
OPEN = "POST /sessions/online"
STATUS = "GET /sessions/{ref}/invoices/{ref}"
LIST = "GET /sessions/{ref}/invoices"
UPO = "GET /sessions/{ref}/invoices/{ref}/upo"
OPEN_BATCH = "POST /sessions/batch"
CLOSE_BATCH = "POST /sessions/batch/{ref}/close"
SESSION = "GET /sessions/{ref}"
CHALLENGE = "POST /auth/challenge"
LOGIN = "POST /auth/ksef-token"
REDEEM = "POST /auth/token/redeem"
METADATA = "POST /invoices/query/metadata"
EXPORT = "POST /invoices/exports"
EXPORT_STATUS = "GET /invoices/exports/{referenceNumber}"


class Sandbox:
    """A running sandbox."""

    def __init__(self, folder, *arguments):
        command = [*surroundings.sandbox_command(), "--port", "0", "--host", "127.0.0.1", "--processing-seconds", "0.2", *arguments]
        self.program = Program("sandbox", command, folder)
        self.url = self.program.wait_until(self._read_url, "the sandbox is ready")
        self._http = requests.Session()
        self._http.trust_env = False

    def _read_url(self):
        found = re.search(r"^sandbox: (\S+)$", self.program.output(), re.MULTILINE)
        return found and found[1]

    @property
    def port(self):
        """The port that it listens on."""
        return int(self.url.removesuffix("/v2").rpartition(":")[2])

    def stop(self):
        """End it; what it remembers is gone."""
        self.program.kill()

    def admin(self, method, path, **json):
        """Call the administration and return its answer."""
        url = self.url.removesuffix("/v2") + "/admin" + path
        answer = self._http.request(method, url, json=json or None, timeout=60)
        if answer.status_code >= 300:
            raise AssertionError(f"sandbox: {method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def token(self, nip, permissions=("InvoiceRead", "InvoiceWrite")):
        """A new KSeF token of the company with this NIP."""
        return self.admin("POST", "/tokens", nip=nip, permissions=list(permissions))["token"]

    def set(self, **settings):
        """Change settings, for example processingSeconds."""
        self.admin("POST", "/settings", **settings)

    def fault(self, operation, action, **parameters):
        """Switch a fault on; returns its id."""
        return self.admin("POST", "/faults", operation=operation, action=action, **parameters)["id"]

    def heal(self):
        """Switch all faults off."""
        self.admin("DELETE", "/faults")

    def hits(self, fault):
        """How often a fault has struck."""
        return next(item["hits"] for item in self.admin("GET", "/faults") if item["id"] == fault)

    def invoices(self, **having):
        """Every submission, accepted or not, whose properties are these."""
        rows = self.admin("GET", "/invoices")
        return [row for row in rows if all(row[name] == value for name, value in having.items())]

    def accepted(self, **having):
        """The submissions that got a KSeF number."""
        return [row for row in self.invoices(**having) if row.get("ksefNumber")]

    def xml(self, reference):
        """The bytes that KSeF has under a reference or KSeF number."""
        url = f"{self.url.removesuffix('/v2')}/admin/invoices/{reference}/xml"
        answer = self._http.get(url, timeout=60)
        answer.raise_for_status()
        return answer.content

    def requests(self, method=None, path=None, limit=5000):
        """What was asked of KSeF, oldest first: [{at, method, path, status, ms}]."""
        rows = self.admin("GET", f"/requests?limit={limit}")
        rows = [row for row in rows if row["path"].startswith("/v2")]
        return [row for row in rows if (not method or row["method"] == method) and (not path or row["path"].endswith(path))]

    def forget_requests(self):
        """Empty the list of requests."""
        self.admin("DELETE", "/requests")
