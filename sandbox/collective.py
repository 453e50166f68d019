"""Collective identifiers (identyfikatory zbiorcze): one payment title for many invoices."""

from datetime import timedelta

from . import clock
from .errors import ApiError
from .paging import Pager

MAX_PER_INVOICE = 132
DAYS = 100


class Collective:
    """The room of collective identifiers."""

    def __init__(self, app):
        self._app = app

    def generate(self, request):
        """POST /collective-identifiers."""
        principal, items = request.principal, request.data["invoices"]
        limit = self._app.limits.of_context(principal.context)["collectiveIdentifier"]["maxInvoices"]
        if len(items) > limit:
            raise ApiError(21405, f"$.invoices: dozwolone najwyżej {limit} elementów.")
        now = self._app.clock.now()
        with self._app.store.transaction() as store:
            seller = self._check(principal, items)
            number = self._app.numbers.collective(seller, now)
            while store.one("SELECT 1 FROM collectives WHERE number = ?", number):
                number = self._app.numbers.collective(seller, now)
            store.insert("collectives", number=number, context_type=principal.context_type,
                         context_value=principal.context_value, seller_nip=seller, created=clock.text(now),
                         invoices=len(items))
            for item in items:
                payment = item.get("payment") or {}
                store.insert("collective_invoices", number=number, ksef_number=item["ksefNumber"],
                             amount=payment.get("amount"), currency=payment.get("currency"),
                             description=item.get("description"))
        return {"collectiveIdentifierNumber": number}

    def _check(self, principal, items):
        """The common seller of the invoices; raises 71001, 71002, 71004, 71005."""
        seller, seen = None, set()
        for item in items:
            number = item["ksefNumber"]
            if number in seen:
                raise ApiError(71005, f"Powtórzony numer KSeF {number}.")
            seen.add(number)
            row = self._app.invoices.visible(principal, number)
            if row is None:
                raise ApiError(71001, f"Faktura o numerze KSeF {number} nie została znaleziona.")
            if seller not in (None, row["seller_nip"]):
                raise ApiError(71004, f"Faktura o numerze KSeF {number} ma innego sprzedawcę.")
            seller = row["seller_nip"]
            used = self._app.store.value(
                "SELECT count(*) FROM collective_invoices JOIN collectives USING (number) WHERE ksef_number = ? AND "
                "context_type = ? AND context_value = ?", number, principal.context_type, principal.context_value)
            if used >= MAX_PER_INVOICE:
                raise ApiError(71002, f"Faktura o numerze KSeF {number} jest już przypisana do maksymalnej liczby "
                                      "Identyfikatorów Zbiorczych.")
        return seller

    @staticmethod
    def _created_here(principal, row):
        return (row["context_type"], row["context_value"]) == (principal.context_type, principal.context_value)

    def _accessible(self, principal, row):
        """Made in this context, or about invoices that this NIP sold."""
        return self._created_here(principal, row) or (
            principal.context_type == "Nip" and row["seller_nip"] == principal.context_value)

    def query(self, request):
        """POST /collective-identifiers/query: newest first."""
        data, principal = request.data, request.principal
        start, end = clock.parse(data["dateCreatedFrom"]), clock.parse(data["dateCreatedTo"])
        if end < start:
            raise ApiError(21405, "$.dateCreatedTo: data końcowa jest wcześniejsza niż początkowa.")
        if end - start > timedelta(days=DAYS):
            raise ApiError(21405, f"$.dateCreatedFrom: maksymalny przedział czasu to {DAYS} dni.")
        pager = Pager(request, "collectives", 10)
        rows = self._app.store.all(
            "SELECT * FROM collectives WHERE (context_value = ? OR seller_nip = ?) AND created >= ? AND created <= ? "
            "ORDER BY created DESC, number DESC", principal.context_value, principal.context_value,
            clock.text(start), clock.text(end))
        chosen = [row for row in rows if self._accessible(principal, row) and self._wanted(principal, row, data)]
        page, token = pager.slice(chosen)
        return {"continuationToken": token, "collectiveIdentifiers": [{
            "collectiveIdentifierNumber": row["number"], "dateCreated": row["created"],
            "invoiceCount": row["invoices"], "createdInCurrentContext": self._created_here(principal, row),
        } for row in page]}

    def _wanted(self, principal, row, data):
        low, high, here = data.get("invoiceCountFrom"), data.get("invoiceCountTo"), data.get("createdInCurrentContext")
        return (data.get("collectiveIdentifierNumber") in (None, row["number"])
                and (low is None or row["invoices"] >= low) and (high is None or row["invoices"] <= high)
                and here in (None, self._created_here(principal, row)))

    def invoices(self, request):
        """POST /collective-identifiers/invoices: payments are shown to their author and to the invoice's parties."""
        principal = request.principal
        pager = Pager(request, "collective-invoices", 10)
        rows = []
        for number in dict.fromkeys(request.data["collectiveIdentifierNumbers"]):
            rows += self._app.store.all(
                "SELECT collective_invoices.*, context_type, context_value FROM collective_invoices JOIN collectives "
                "USING (number) WHERE number = ?", number)
        rows.sort(key=lambda row: row["ksef_number"], reverse=True)
        page, token = pager.slice(rows)
        return {"continuationToken": token, "invoices": [self._item(principal, row) for row in page]}

    def _item(self, principal, row):
        result = {"ksefNumber": row["ksef_number"], "collectiveIdentifierNumber": row["number"],
                  "detailsHidden": False}
        given = row["amount"] is not None or row["description"] is not None
        if given and not (self._created_here(principal, row)
                          or self._app.invoices.visible(principal, row["ksef_number"])):
            result["detailsHidden"] = True
            return result
        if row["amount"] is not None:
            result["payment"] = {"amount": row["amount"], "currency": row["currency"]}
        if row["description"] is not None:
            result["description"] = row["description"]
        return result

    def by_invoice(self, request):
        """GET /collective-identifiers/ksef/{ksefNumber}: newest first."""
        principal = request.principal
        pager = Pager(request, "collective-by-invoice", 10)
        rows = self._app.store.all(
            "SELECT collectives.* FROM collectives JOIN collective_invoices USING (number) WHERE ksef_number = ? "
            "ORDER BY created DESC, number DESC", request.values["ksefNumber"])
        visible = self._app.invoices.visible(principal, request.values["ksefNumber"]) is not None
        chosen = [row for row in rows if visible or self._accessible(principal, row)]
        page, token = pager.slice(chosen)
        return {"continuationToken": token, "collectiveIdentifiers": [{
            "collectiveIdentifierNumber": row["number"], "dateCreated": row["created"],
            "createdInCurrentContext": self._created_here(principal, row)} for row in page]}
