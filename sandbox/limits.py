"""Limits of contexts and subjects, and the rates of calls: three sliding windows per context, address and group."""

import math
import threading
import time
from collections import deque

from .errors import TooManyRequests
from .store import unpacked

SESSION_LIMITS = {
    "onlineSession": {"maxInvoiceSizeInMB": 1, "maxInvoiceWithAttachmentSizeInMB": 3, "maxInvoices": 10_000},
    "batchSession": {"maxInvoiceSizeInMB": 1, "maxInvoiceWithAttachmentSizeInMB": 3, "maxInvoices": 10_000},
    "collectiveIdentifier": {"maxInvoices": 500},
}
SUBJECT_LIMITS = {"Nip": (300, 100), "Pesel": (12, 6), "Fingerprint": (12, 6)}  # enrolments, active certificates
RATES = {
    "onlineSession": (10, 30, 120), "onlineSessionClose": (20, 60, 240), "batchSession": (10, 20, 60),
    "batchSessionClose": (20, 40, 120), "invoiceSend": (10, 30, 180), "invoiceStatus": (30, 120, 1200),
    "sessionList": (5, 10, 60), "sessionInvoiceList": (10, 20, 200), "sessionMisc": (10, 120, 1200),
    "invoiceMetadata": (8, 16, 20), "invoiceExport": (8, 16, 20), "invoiceExportStatus": (10, 60, 600),
    "invoiceDownload": (8, 16, 64), "collectiveIdentifier": (20, 120, 240), "other": (10, 30, 120),
    "anonymous": (60, -1, -1), "global": (-1, -1, -1),
}
_NAMES = ("perSecond", "perMinute", "perHour")
_WINDOWS = ((1, "sekundę"), (60, "minutę"), (3600, "godzinę"))


class Limits:
    """The room of limits. Counters live in memory; what was set with the test data is kept."""

    def __init__(self, app):
        self._app = app
        self._lock = threading.Lock()
        self._calls = {}
        self._offences = {}
        self._overrides = None

    def _override(self, kind, owner):
        """What the test data set for an owner, or None; all of it is remembered, for it is asked at every call."""
        known = self._overrides
        if known is None:
            rows = self._app.store.all("SELECT * FROM overrides")
            known = self._overrides = {(row["kind"], row["owner"]): unpacked(row["value"]) for row in rows}
        return known.get((kind, owner))

    def _set(self, kind, owner, value):
        with self._app.store.transaction() as store:
            store.run("DELETE FROM overrides WHERE kind = ? AND owner = ?", kind, owner)
            if value is not None:
                store.insert("overrides", kind=kind, owner=owner, value=value)
        self._overrides = None

    def forget(self):
        """Start counting anew."""
        with self._lock:
            self._calls.clear()
            self._offences.clear()
            self._overrides = None

    # --- limits of a context and of a subject ------------------------------------------------------------------

    def of_context(self, context):
        """Limits of sessions and collective identifiers for a context key such as ``Nip:1234567890``."""
        return self._override("context", context) or SESSION_LIMITS

    def context(self, request):
        """GET /limits/context."""
        return self.of_context(request.principal.context)

    def set_context(self, request):
        """POST /testdata/limits/context/session."""
        self._set("context", request.principal.context, request.data)

    def reset_context(self, request):
        """DELETE /testdata/limits/context/session."""
        self._set("context", request.principal.context, None)

    def of_subject(self, subject_type, subject_value):
        """(enrolments, active certificates) that a subject may have."""
        enrollments, certificates = SUBJECT_LIMITS[subject_type if subject_type in SUBJECT_LIMITS else "Fingerprint"]
        override = self._override("subject", f"{subject_type}:{subject_value}") or {}
        chosen = override.get("enrollments"), override.get("certificates")
        return (enrollments if chosen[0] is None else chosen[0], certificates if chosen[1] is None else chosen[1])

    def subject(self, request):
        """GET /limits/subject."""
        enrollments, certificates = self.of_subject(request.principal.subject_type, request.principal.subject_value)
        return {"enrollment": {"maxEnrollments": enrollments}, "certificate": {"maxCertificates": certificates}}

    def set_subject(self, request):
        """POST /testdata/limits/subject/certificate."""
        data = request.data
        value = {"enrollments": (data.get("enrollment") or {}).get("maxEnrollments"),
                 "certificates": (data.get("certificate") or {}).get("maxCertificates")}
        kind = data.get("subjectIdentifierType", request.principal.subject_type)
        self._set("subject", f"{kind}:{request.principal.subject_value}", value)

    def reset_subject(self, request):
        """DELETE /testdata/limits/subject/certificate."""
        self._set("subject", request.principal.subject, None)

    # --- rates -------------------------------------------------------------------------------------------------

    def _rates_of(self, context):
        override = self._override("rates", context)
        return {**RATES, **{name: tuple(values) for name, values in (override or {}).items()}}

    def rates(self, request):
        """GET /rate-limits."""
        return {name: dict(zip(_NAMES, values, strict=True))
                for name, values in self._rates_of(request.principal.context).items()}

    def set_rates(self, request):
        """POST /testdata/rate-limits."""
        given = request.data["rateLimits"]
        self._set("rates", request.principal.context,
                  {name: [given[name][part] for part in _NAMES] for name in given if name in RATES})

    def production_rates(self, request):
        """POST /testdata/rate-limits/production: the production values, and they are enforced."""
        self._set("rates", request.principal.context, {name: list(values) for name, values in RATES.items()})

    def reset_rates(self, request):
        """DELETE /testdata/rate-limits."""
        self._set("rates", request.principal.context, None)
        self.forget()

    def _enforced(self, context):
        """Rates are enforced when switched on for all, or when the test data set them for this context."""
        return self._app.settings.rate_limits or self._override("rates", context) is not None

    def count(self, operation, request):
        """Count a call; raises TooManyRequests when a window is full."""
        anonymous = operation.group == "anonymous" or request.principal is None
        context = None if anonymous else request.principal.context
        if operation.path.startswith("/testdata/rate-limits") or not self._enforced(context):
            return
        rates = RATES if anonymous else self._rates_of(context)
        group = operation.name if operation.group == "other" else operation.group
        self._count((context, request.client_ip, group), rates[operation.group])

    def _count(self, key, rates):
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault(key, deque())
            while calls and calls[0] <= now - 3600:
                calls.popleft()
            for limit, (seconds, window) in zip(rates, _WINDOWS, strict=True):
                if limit >= 0:
                    self._check(key, calls, now, limit, seconds, window)
            self._offences.pop(key, None)
            calls.append(now)

    def _check(self, key, calls, now, limit, seconds, window):
        """Raise when the last ``limit`` calls all lie inside the window."""
        if len(calls) < limit or (limit and calls[-limit] <= now - seconds):
            return
        wait = seconds if not limit else calls[-limit] + seconds - now
        self._offences[key] = offences = self._offences.get(key, 0) + 1
        raise TooManyRequests(limit, window, max(1, math.ceil(wait)) + min(offences - 1, 30))
