"""Taking in one encrypted invoice of an interactive session, with every check that is made at once."""

from .crypto import sha256, unbase64
from .errors import ApiError
from .sessions import ONLINE

OPERATION = "POST /sessions/online/{}/invoices"


class Sending:
    """The room at whose door invoices arrive."""

    def __init__(self, app):
        self._app = app

    def send(self, request):
        """POST /sessions/online/{referenceNumber}/invoices."""
        data, reference = request.data, request.values["referenceNumber"]
        content = unbase64(data["encryptedInvoiceContent"])
        self._require_open(self._app.sessions.required(request.principal, reference, ONLINE))
        if len(content) != data["encryptedInvoiceSize"]:
            raise ApiError(21402, "Długość treści nie zgadza się z rozmiarem pliku.")
        if sha256(content) != data["encryptedInvoiceHash"]:
            raise ApiError(21403, "Skrót treści nie zgadza się ze skrótem pliku.")
        corrected = data.get("hashOfCorrectedInvoice")
        offline = data.get("offlineMode", False)
        with self._app.store.transaction():
            session = self._require_open(self._app.sessions.required(request.principal, reference, ONLINE))
            limit = self._app.limits.of_context(request.principal.context)["onlineSession"]["maxInvoices"]
            if session["total"] >= limit:
                raise ApiError(21155, f"Sesja o numerze referencyjnym {reference} osiągnęła dozwolony limit liczby "
                                      f"faktur {limit}.")
            if corrected:
                self._check_correction(request.principal, corrected, offline)
            accepted = self._app.processing.accept(
                session, data["invoiceHash"], data["invoiceSize"], content, offline=offline, corrected=corrected,
                operation=OPERATION)
        self._app.sessions.apply_fault(OPERATION, reference, request.principal.nip)
        return {"referenceNumber": accepted}

    @staticmethod
    def _require_open(session):
        if session["code"] != 100:
            raise ApiError(21180, f"Status sesji {session['code']} uniemożliwia wysyłkę faktur.")
        return session

    def _check_correction(self, principal, corrected, offline):
        """A technical correction replaces an offline invoice that was refused for technical reasons, once."""
        if not offline:
            raise ApiError(21405, "$.offlineMode: korekta techniczna wymaga trybu offline.")
        store = self._app.store
        if store.one("SELECT 1 FROM archive WHERE corrected_hash = ?", corrected):
            raise ApiError(21166, "Faktura posiada już przetworzoną prawidłowo korektę techniczną.")
        originals = store.all(
            "SELECT invoices.code FROM invoices JOIN sessions ON sessions.reference = invoices.session "
            "WHERE invoices.hash = ? AND sessions.context_type = ? AND sessions.context_value = ?",
            corrected, principal.context_type, principal.context_value)
        if not originals:
            raise ApiError(21405, "$.hashOfCorrectedInvoice: nie znaleziono faktury o podanym skrócie.")
        if any(row["code"] < 400 or row["code"] == 410 for row in originals):
            raise ApiError(21167, "Nie można wysłać korekty technicznej do prawidłowo przetworzonej faktury.")
