"""The sandbox put together: rooms, routing, and the course of one request."""

import sys
import threading
import time
import traceback
import unicodedata
from collections import deque
from importlib import import_module

from . import errors
from .clock import Clock
from .depot import Depot
from .errors import ApiError, Problem, Refusal
from .faults import Faults
from .ids import Numbers
from .jobs import Jobs
from .operations import OPERATIONS, PATH_SHAPES
from .routing import Router
from .settings import Settings
from .shapes import Unreadable, query_value
from .sites import Site
from .store import Store
from .strict_json import load_json
from .web import BadMessage, Request, Response, Server
from .webtokens import WebTokens

PREFIX = "/v2"

# Room name in the table of operations -> (module, class).
ROOMS = {
    "keys": ("keys", "Keys"), "auth": ("auth", "Auth"), "auth_xades": ("auth_xades", "AuthXades"),
    "auth_sessions": ("auth_sessions", "AuthSessions"), "tokens": ("tokens", "Tokens"),
    "certificates": ("certificates", "Certificates"), "enrollment": ("enrollment", "Enrollment"),
    "sessions": ("sessions", "Sessions"), "sending": ("sending", "Sending"), "batch": ("batch", "Batch"),
    "processing": ("processing", "Processing"), "session_queries": ("session_queries", "SessionQueries"),
    "invoices": ("invoices", "Invoices"), "exports": ("exports", "Exports"), "collective": ("collective", "Collective"),
    "limits": ("limits", "Limits"), "storage": ("storage", "Storage"),
    "rights": ("rights", "Rights"), "grants": ("grants", "Grants"),
    "grant_queries": ("grant_queries", "GrantQueries"),
    "testdata": ("testdata", "TestData"), "grants_store": ("grants_store", "GrantsStore"),
    "upo": ("upo", "Upo"), "fa3": ("fa3", "Fa3"),
}


class App:
    """One sandbox with its state. ``schemas`` are paths of XSD files of invoice structures."""

    def __init__(self, *, state=None, schemas=(), seed=None, settings=None, faults=()):
        self.settings = settings or Settings()
        self.clock = Clock()
        self.clock.set_offset(self.settings.clock_offset_seconds)
        self.store = Store(state)
        self.numbers = Numbers(self.clock, None if seed is None else f"{seed}:{self._starts()}")
        self.schemas = list(schemas)
        self.jobs = Jobs()
        self.depot = Depot(state)
        self.faults = Faults(self)
        self.requests = deque(maxlen=10_000)
        self._log_lock = threading.Lock()
        for name, (module, kind) in ROOMS.items():
            setattr(self, name, getattr(import_module(f".{module}", __package__), kind)(self))
        self.router = Router(OPERATIONS, PREFIX)
        self.site = Site(self)
        self.start(faults)

    def _starts(self):
        """How often this state was started before: a seeded run must not repeat the numbers of the run before it."""
        with self.store.transaction():
            starts = self.store.get("starts", 0)
            self.store.put("starts", starts + 1)
        return starts

    def start(self, faults=()):
        """Make the keys, set the faults of the command line, take up what an earlier run left unfinished."""
        self.keys.prepare()
        self.web_tokens = WebTokens(self.clock, self.keys.secret())
        for fault in faults:
            self.faults.add(fault)
        for room in ROOMS:
            resume = getattr(getattr(self, room), "resume", None)
            if resume:
                resume()
        self.jobs.every(1.0, self.sessions.housekeeping)

    def reset(self):
        """Forget every state and fault; keys and settings stay."""
        self.jobs.clear()
        with self.store.transaction():
            self.store.clear(keep=("keys", "memory"))
            self.store.run("DELETE FROM memory WHERE name NOT IN ('secret', 'starts')")
        self.depot.clear()
        self.faults.forget()
        self.limits.forget()
        self.requests.clear()

    def close(self):
        """Stop working and close the state."""
        self.jobs.stop()
        self.store.close()
        self.depot.close()

    # --- one request -------------------------------------------------------------------------------------------

    def serve(self, request):
        """Answer a request; never raises, whatever the request holds."""
        try:
            try:
                if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
                    return self._serve_api(request)
                return self.site.serve(request)
            except Refusal as refusal:
                return self.refuse(request, refusal)
        except (ConnectionError, TimeoutError, BadMessage):
            raise  # the body ended early or is no HTTP: the server's own affair
        # the outermost guard: a fault of the sandbox must not look like a lost connection
        except Exception:  # noqa: BLE001  pylint: disable=broad-exception-caught
            traceback.print_exc(file=sys.stderr)
            return self.refuse(request, Problem(500, "Błąd piaskownicy; szczegóły na jej standardowym wyjściu błędów."))

    def _serve_api(self, request):
        operation, values = self.router.find(request.method, request.path)
        if operation.test_only and not self.settings.is_test:
            raise Problem(404, "Operacja jest dostępna wyłącznie na środowisku testowym.")
        self._authenticate(operation, request)
        if not request.reader(request, operation.limit):
            return self.refuse(request, ApiError(21405, f"Treść żądania przekracza {operation.limit} bajtów."))
        plan = self.faults.plan(operation, request)
        answer = plan.before()
        if answer is None:
            answer = self._perform(operation, request, values)
        return plan.after(answer)

    def _authenticate(self, operation, request):
        """Read the bearer token if the operation asks for one; a refusal is kept for its turn."""
        request.refusal = None
        if operation.auth is None:
            return
        try:
            request.principal = self.web_tokens.read(request.header("authorization"), operation.auth,
                                                     request.client_ip)
        except Problem as problem:
            request.refusal = problem

    def _perform(self, operation, request, values):
        try:
            if request.refusal:
                raise request.refusal
            if operation.permissions and not request.principal.permissions.intersection(operation.permissions):
                raise errors.missing_permissions(operation.permissions, request.principal.permissions)
            self.limits.count(operation, request)
            self._read_input(operation, request, values)
            result = self._handler(operation)(request)
        except Refusal as refusal:
            return self.refuse(request, refusal)
        return self._finish(operation, request, result)

    def _handler(self, operation):
        room, _, method = operation.handler.partition(".")
        handler = getattr(getattr(self, room, None), method, None)
        if handler is None:
            raise Problem(501, f"Operacja {operation.name} nie jest dostępna w piaskownicy.")
        return handler

    def _read_input(self, operation, request, values):
        """Check path, query and body against their shapes; the results are request.values and request.data."""
        findings = []
        for name, value in values.items():
            PATH_SHAPES[name].check(value, name, findings)
        for name, shape in operation.query.items():
            if name in request.query:
                values[name] = query_value(shape, request.query[name], name, findings)
        if operation.body is not None:
            request.data = self._read_json(operation, request, findings)
        elif operation.content == "xml":
            self._expect_type(request, "application/xml", "text/xml")
        if findings:
            raise ApiError(21405, *findings[:20])
        request.values = values

    @staticmethod
    def _expect_type(request, *accepted):
        given = request.header("content-type").partition(";")[0].strip().lower()
        if given and given not in accepted:
            raise Problem(415, f"Oczekiwano treści typu {accepted[0]}.")

    def _read_json(self, operation, request, findings):
        self._expect_type(request, "application/json", "text/json", "application/*+json")
        try:
            data = load_json(request.body)
            operation.body.check(data, "$", findings)
        except Unreadable as error:
            code = 21405 if operation.test_only else 21001
            raise ApiError(code, str(error)) from error
        return data

    def _finish(self, operation, request, result):
        if not isinstance(result, Response):
            result = Response(operation.success) if result is None else Response.json(result, operation.success)
        warning = request.header("x-test-system-warning")
        if warning and result.status < 300 and self.settings.is_test:
            result.headers.append(("X-System-Warning", ascii_folded(warning)))
        return result

    # --- answers -----------------------------------------------------------------------------------------------

    def refuse(self, request, refusal):
        """The answer to a refusal in the format that the caller asked for."""
        wanted = request.header("x-error-format").strip().lower() == "problem-details"
        status, content_type, body, headers = errors.render(
            refusal, problem_details=wanted, now=self.clock.now(), instance=request.path[:500],
            trace=self.numbers.trace())
        return Response.json(body, status, headers, content_type)

    def problem(self, problem):
        """An answer to something that could not even be read as a request."""
        return self.refuse(Request("", "", "/", {}, {}, "", ""), problem)

    def served(self, request, status, milliseconds):
        """Note a request for GET /admin/requests (not the administration's own)."""
        if not request.path.startswith(("/admin", "/page")):
            with self._log_lock:
                self.requests.append({"at": time.time(), "method": request.method, "path": request.path[:300],
                                      "status": status, "ms": round(milliseconds, 2)})


def ascii_folded(text):
    """Text as the header X-System-Warning carries it: without diacritics, printable ASCII only."""
    folded = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(character for character in folded if " " <= character <= "~")[:1000]


def make_server(app, host="127.0.0.1", port=0):
    """A server for an app, bound but not yet serving; ``port`` 0 takes a free one."""
    return Server((host, port), app)
