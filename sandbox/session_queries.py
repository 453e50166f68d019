"""Reading the status of sessions and their invoices, and fetching receipts (UPO)."""
# ruff: noqa: S608  statements are put together from names that stand in this file; values are always bound

import json

from . import clock
from .crypto import sha256
from .errors import ApiError
from .paging import Pager
from .processing import DESCRIPTIONS
from .web import Response

_COMMON_STATUS = {"InProgress": "code < 200", "Succeeded": "code = 200", "Cancelled": "code = 440",
                  "Failed": "code > 200 AND code <> 440"}
_BOUNDS = {"dateCreatedFrom": "created >= ?", "dateCreatedTo": "created <= ?", "dateClosedFrom": "closed >= ?",
           "dateClosedTo": "closed <= ?", "dateModifiedFrom": "updated >= ?", "dateModifiedTo": "updated <= ?"}


class SessionQueries:
    """The room of enquiries about sessions."""

    def __init__(self, app):
        self._app = app

    # --- sessions ----------------------------------------------------------------------------------------------

    def list(self, request):
        """GET /sessions: newest first."""
        values, principal = request.values, request.principal
        if "sessionType" not in values:
            raise ApiError(21405, "sessionType: parametr jest wymagany.")
        where = ["context_type = ?", "context_value = ?", "kind = ?"]
        bound = [principal.context_type, principal.context_value, values["sessionType"]]
        if "referenceNumber" in values:
            where.append("reference = ?")
            bound.append(values["referenceNumber"])
        for name, condition in _BOUNDS.items():
            if name in values:
                where.append(condition)
                bound.append(clock.text(clock.parse(values[name])))
        if values.get("statuses"):
            where.append("(" + " OR ".join(_COMMON_STATUS[status] for status in values["statuses"]) + ")")
        pager = Pager(request, "sessions", 10)
        rows = self._app.store.all(
            f"SELECT * FROM sessions WHERE {' AND '.join(where)} ORDER BY created DESC, reference LIMIT ? OFFSET ?",
            *bound, pager.size + 1, pager.start)
        more = pager.token(pager.start + pager.size) if len(rows) > pager.size else None
        return {"continuationToken": more, "sessions": [self._item(row) for row in rows[:pager.size]]}

    def _item(self, row):
        return {"referenceNumber": row["reference"], "status": self._app.sessions.status_of(row),
                "dateCreated": row["created"], "dateUpdated": row["updated"], "validUntil": row["valid_until"],
                "totalInvoiceCount": row["total"], "successfulInvoiceCount": row["accepted"],
                "failedInvoiceCount": row["failed"]}

    def _session(self, request):
        return self._app.sessions.required(request.principal, request.values["referenceNumber"], lost="znaleziona")

    def status(self, request):
        """GET /sessions/{referenceNumber}."""
        row = self._session(request)
        result = {"status": self._app.sessions.status_of(row), "dateCreated": row["created"],
                  "dateUpdated": row["updated"], "validUntil": row["valid_until"], "invoiceCount": row["total"],
                  "successfulInvoiceCount": row["accepted"], "failedInvoiceCount": row["failed"]}
        pages = self._app.store.all("SELECT reference FROM upo_pages WHERE session = ? ORDER BY page",
                                    row["reference"])
        if pages:
            result["upo"] = {"pages": [self._page(request, page["reference"]) for page in pages]}
        return result

    def _page(self, request, reference):
        url, until = self._app.storage.link(request, f"upo-pages/{reference}", "GET /sessions/{}")
        return {"referenceNumber": reference, "downloadUrl": url, "downloadUrlExpirationDate": until}

    # --- invoices ----------------------------------------------------------------------------------------------

    def invoices(self, request):
        """GET /sessions/{referenceNumber}/invoices: in the order of arrival."""
        return self._invoices(request, "1 = 1", "invoices")

    def failed(self, request):
        """GET /sessions/{referenceNumber}/invoices/failed."""
        return self._invoices(request, "code >= 400", "failed")

    def _invoices(self, request, condition, scope):
        session = self._session(request)
        pager = Pager(request, scope, 10)
        rows = self._app.store.all(
            f"SELECT * FROM invoices WHERE session = ? AND ordinal > ? AND {condition} ORDER BY ordinal LIMIT ?",
            session["reference"], pager.start, pager.size + 1)
        page = rows[:pager.size]
        more = pager.token(page[-1]["ordinal"]) if len(rows) > pager.size else None
        return {"continuationToken": more, "invoices": [self.describe(request, row) for row in page]}

    def _invoice(self, request):
        session = self._session(request)
        reference = request.values["invoiceReferenceNumber"]
        row = self._app.store.one("SELECT * FROM invoices WHERE reference = ? AND session = ?", reference,
                                  session["reference"])
        if row is None:
            raise ApiError(21405, f"Faktura o numerze referencyjnym {reference} nie została znaleziona w sesji "
                                  f"{session['reference']}.")
        return row

    def invoice(self, request):
        """GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}."""
        return self.describe(request, self._invoice(request))

    def shown_code(self, row):
        """The status shown now: an unfinished invoice is taken in first, then being worked on."""
        if row["code"] >= 200:
            return row["code"]
        if row["plan"]:
            plan = json.loads(row["plan"])
            if plan.get("until", 0) > self._app.clock.real():
                return plan["stuck"]
        return 150 if self._app.clock.real() >= row["due"] - self._app.settings.processing_seconds / 2 else 100

    def describe(self, request, row):
        """SessionInvoiceStatusResponse."""
        code = self.shown_code(row)
        status = {"code": code, "description": (row["description"] if code == row["code"] else None)
                  or DESCRIPTIONS.get(code) or f"Nieznany błąd ({code})"}
        for name in ("details", "extensions"):
            if row[name] and code == row["code"]:
                status[name] = json.loads(row[name])
        result = {"ordinalNumber": row["ordinal"], "referenceNumber": row["reference"], "invoiceHash": row["hash"],
                  "invoicingDate": row["invoiced"], "status": status}
        for column, name in (("invoice_number", "invoiceNumber"), ("ksef_number", "ksefNumber"),
                             ("file_name", "invoiceFileName"), ("acquired", "acquisitionDate"),
                             ("mode", "invoicingMode")):
            if row[column]:
                result[name] = row[column]
        if row["stored"] and row["stored"] <= clock.text(self._app.clock.now()):
            result["permanentStorageDate"] = row["stored"]
        if row["code"] == 200:
            url, until = self._app.storage.link(request, f"upo/{row['reference']}", "GET /sessions/{}/invoices")
            result.update(upoDownloadUrl=url, upoDownloadUrlExpirationDate=until)
        return result

    # --- receipts ----------------------------------------------------------------------------------------------

    @staticmethod
    def xml(content):
        """A signed XML document with its hash in the header."""
        return Response(200, content, "application/xml; charset=utf-8", [("x-ms-meta-hash", sha256(content))])

    def upo_of_invoice(self, request):
        """GET .../invoices/{invoiceReferenceNumber}/upo."""
        row = self._invoice(request)
        if row["code"] != 200:
            raise ApiError(21405, f"UPO faktury o numerze referencyjnym {row['reference']} nie jest dostępne.")
        return self.xml(self._app.upo.of_invoice(row))

    def upo_of_number(self, request):
        """GET .../invoices/ksef/{ksefNumber}/upo."""
        session, number = self._session_for_upo(request), request.values["ksefNumber"]
        row = self._app.store.one("SELECT * FROM invoices WHERE ksef_number = ? AND session = ?", number,
                                  session["reference"]) if session else None
        if row is None:
            raise ApiError(21178, f"UPO o numerze KSeF {number} i numerze referencyjnym sesji "
                                  f"{request.values['referenceNumber']} nie zostało znalezione.")
        return self.xml(self._app.upo.of_invoice(row))

    def _session_for_upo(self, request):
        """The session, or None: this operation knows no 'session not found'."""
        try:
            return self._session(request)
        except ApiError:
            return None

    def upo_page(self, request):
        """GET /sessions/{referenceNumber}/upo/{upoReferenceNumber}."""
        session, reference = self._session(request), request.values["upoReferenceNumber"]
        page = self._app.store.one("SELECT * FROM upo_pages WHERE reference = ? AND session = ?", reference,
                                   session["reference"])
        if page is None:
            raise ApiError(21178, f"UPO o numerze referencyjnym {reference} dla sesji {session['reference']} nie "
                                  "zostało znalezione.")
        return self.xml(self._app.upo.of_page(page))
