"""Faults on demand: what may go wrong between an accounting program and KSeF, one switch for each."""

import json
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from .errors import DESCRIPTIONS, ApiError, Problem, TooManyRequests
from .web import Response

# action -> {parameter: (type, required)}
ACTIONS = {
    "delay": {"seconds": (float, True)},
    "drop_before": {"reset": (bool, False)},
    "drop_after": {"reset": (bool, False)},
    "hang_after": {"seconds": (float, True)},
    "http_error": {"status": (int, True), "body": (str, False), "code": (int, False), "retryAfter": (int, False),
                   "reasonCode": (str, False), "detail": (str, False), "process": (bool, False)},
    "garble": {},
    "truncate": {"bytes": (int, False)},
    "slow_drip": {"bytesPerSecond": (float, True)},
    "rotate_keys": {"mode": (str, False)},
    "invoice_status": {"code": (int, True), "description": (str, False), "details": (list, False),
                       "extensions": (dict, False)},
    "stuck": {"code": (int, False), "seconds": (float, False)},
    "session_status": {"code": (int, True), "description": (str, False), "details": (list, False)},
    "login_status": {"code": (int, True), "description": (str, False), "details": (list, False)},
    "token_status": {"status": (str, True)},
    "operation_status": {"code": (int, True)},
    "expired_links": {},
    "wrong_export_hash": {},
    "export_status": {"code": (int, True)},
}
TOKEN_STATUSES = ("Active", "Pending", "Revoked", "Failed")
_SPOILERS = ("drop_after", "hang_after", "garble", "truncate", "slow_drip", "rotate_keys")
_COMMON = {"operation": (str, False), "action": (str, True), "times": (int, False), "skip": (int, False),
           "nip": (str, False), "probability": (float, False)}
_HTML = ("<!DOCTYPE html>\n<html><head><title>{status} {title}</title></head>"
         "<body><h1>{title}</h1><p>Service unavailable.</p></body></html>")


def normal(operation):
    """An operation's name with all parameters alike: ``GET /a/{ref}`` and ``GET /a/{referenceNumber}`` are one."""
    method, _, path = operation.strip().partition(" ")
    path = path.removeprefix("/v2")
    segments = ["{}" if segment.startswith("{") else segment for segment in path.split("/")]
    return f"{method.upper()} {'/'.join(segments)}"


@dataclass
class Fault:
    """A switch that is on: what to do, for which operation, how often."""

    id: int
    definition: dict
    left: int
    skip: int
    hits: int = 0
    parameters: dict = field(default_factory=dict)

    @property
    def action(self):
        """One of ACTIONS."""
        return self.definition["action"]

    def fits(self, name, nip):
        """Does it concern this operation and this context?"""
        wanted = self.definition.get("operation", "*")
        if wanted != "*" and normal(wanted) != name:
            return False
        return self.definition.get("nip") in (None, nip)

    def as_dict(self):
        """As the administration API lists it; ``left`` -1 means for ever."""
        return {"id": self.id, **self.definition, "left": self.left, "skipLeft": self.skip, "hits": self.hits}


class Faults:
    """All switches. They live in memory: a restarted sandbox is a healthy one."""

    def __init__(self, app):
        self._app = app
        self._lock = threading.Lock()
        self._faults = []
        self._next = 1

    def add(self, definition):
        """Switch a fault on; returns its id. Raises ValueError with a sentence for a wrong definition."""
        check_definition(definition)
        with self._lock:
            fault = Fault(self._next, dict(definition), definition.get("times", 1), definition.get("skip", 0))
            self._next += 1
            self._faults.append(fault)
            return fault.id

    def list(self):
        """All faults that are still on or were used up."""
        with self._lock:
            return [fault.as_dict() for fault in self._faults]

    def remove(self, identifier=None):
        """Switch one fault off, or all; returns how many there were."""
        with self._lock:
            gone = [fault for fault in self._faults if identifier in (None, fault.id)]
            self._faults = [fault for fault in self._faults if fault not in gone]
        if any(fault.action == "stuck" for fault in gone):
            self._app.processing.release([fault.id for fault in gone])
        return len(gone)

    def forget(self):
        """Switch all off without consequences."""
        with self._lock:
            self._faults.clear()

    def _use(self, fault):
        """Count a fitting call; True when the fault strikes. The lock is held."""
        if not fault.left:
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if self._app.numbers.fraction() >= fault.definition.get("probability", 1.0):
            return False
        if fault.left > 0:
            fault.left -= 1
        fault.hits += 1
        return True

    def take(self, action, name, nip):
        """The parameters of a fault of one action that strikes now (with its id), or None."""
        with self._lock:
            for fault in self._faults:
                if fault.action == action and fault.fits(normal(name), nip) and self._use(fault):
                    return {**fault.definition, "id": fault.id}
        return None

    def plan(self, operation, request):
        """What shall happen to this call on its way in and out."""
        if not self._faults:
            return Plan(self._app, [])
        nip = request.principal.nip if request.principal else _nip_of_body(request)
        name = normal(operation.name)
        http = ("delay", "drop_before", "http_error", *_SPOILERS)
        with self._lock:
            struck = [fault.definition for fault in self._faults
                      if fault.action in http and fault.fits(name, nip) and self._use(fault)]
        return Plan(self._app, struck)


class Plan:
    """The faults that strike one call."""

    def __init__(self, app, definitions):
        self._app = app
        self._definitions = definitions

    def before(self):
        """Wait, or give the answer that replaces the processing (None: go on)."""
        for definition in self._definitions:
            action = definition["action"]
            if action == "delay":
                time.sleep(definition["seconds"])
            elif action == "drop_before":
                return Response(503, spoil={"drop": True, "reset": definition.get("reset", False)})
            elif action == "http_error" and not definition.get("process"):
                return self._error(definition)
        if self._app.settings.latency_ms:
            time.sleep(self._app.settings.latency_ms / 1000)
        return None

    def after(self, response):
        """Spoil the answer as the faults say."""
        for definition in self._definitions:
            action = definition["action"]
            if action == "http_error" and definition.get("process"):
                response = self._error(definition)
            elif action == "drop_after":
                response.spoil.update(drop=True, reset=definition.get("reset", False))
            elif action == "hang_after":
                time.sleep(definition["seconds"])
            elif action == "garble":
                response.body = bytes(byte ^ 0x5A for byte in response.body) or b"\x00\xff"
            elif action == "truncate":
                response.spoil["truncate"] = definition.get("bytes", len(response.body) // 2)
            elif action == "slow_drip":
                response.spoil["bytes_per_second"] = definition["bytesPerSecond"]
            elif action == "rotate_keys":
                self._app.keys.rotate(definition.get("mode", "emergency"))
        return response

    def _error(self, definition):
        """The answer of ``http_error``."""
        status = definition["status"]
        body = definition.get("body", "html" if status >= 500 else "exception")
        headers = [("Retry-After", str(definition["retryAfter"]))] if "retryAfter" in definition else []
        if body == "empty":
            return Response(status, b"", None, headers)
        if body == "html":
            title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
            return Response(status, _HTML.format(status=status, title=title).encode(), "text/html; charset=utf-8",
                            headers)
        response = self._app.refuse(_Wants(body == "problem"), self._refusal(definition))
        response.status = status
        response.headers = [*headers, *(item for item in response.headers if item[0] != "Retry-After" or not headers)]
        return response

    @staticmethod
    def _refusal(definition):
        status, detail = definition["status"], definition.get("detail", "Błąd wywołany przełącznikiem piaskownicy.")
        if status == 429:
            return TooManyRequests(30, "minutę", definition.get("retryAfter", 30))
        if status == 400 and definition.get("code") in DESCRIPTIONS:
            return ApiError(definition["code"], detail)
        if status == 403:
            return Problem(403, detail, reasonCode=definition.get("reasonCode", "missing-permissions"), security={})
        return Problem(status, detail)


class _Wants:
    """Stands for a request that asked for one of the error formats."""

    path = "/"

    def __init__(self, problem_details):
        self._value = "problem-details" if problem_details else ""

    def header(self, name):
        """The only header that matters here."""
        return self._value if name == "x-error-format" else ""


def _nip_of_body(request):
    """The NIP of the context that a login call names, if any."""
    try:
        value = json.loads(request.body)["contextIdentifier"]["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return value[:10] if isinstance(value, str) else None


def check_definition(definition):
    """Raise ValueError with a sentence when a fault's definition is wrong."""
    if not isinstance(definition, dict):
        raise ValueError("a fault is a JSON object")
    action = definition.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        raise ValueError(f"action must be one of {', '.join(ACTIONS)}")
    known = {**_COMMON, **ACTIONS[action]}
    for name, value in definition.items():
        if name not in known:
            raise ValueError(f"{action} has no parameter {name}")
        kind = known[name][0]
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or isinstance(value, bool) != (kind is bool):
            raise ValueError(f"{name} must be of type {kind.__name__}")
    for name, (_kind, required) in known.items():
        if required and name not in definition:
            raise ValueError(f"{action} needs {name}")
    _check_ranges(definition)


def _check_ranges(definition):
    if not 0 <= definition.get("seconds", 0) <= 3600:
        raise ValueError("seconds must be between 0 and 3600")
    if definition["action"] == "http_error" and not 200 <= definition["status"] <= 599:
        raise ValueError("status must be an HTTP status")
    if definition.get("body", "html") not in ("html", "problem", "exception", "empty"):
        raise ValueError("body must be html, problem, exception or empty")
    if definition["action"] == "token_status" and definition["status"] not in TOKEN_STATUSES:
        raise ValueError(f"status must be one of {', '.join(TOKEN_STATUSES)}")
    if definition.get("bytesPerSecond", 1) <= 0:
        raise ValueError("bytesPerSecond must be positive")
    operation = definition.get("operation", "*")
    if operation != "*" and " /" not in operation:
        raise ValueError('operation must be "*" or look like "POST /sessions/online"')

