"""Receiving: one invoice by its KSeF number, and queries over the metadata of invoices."""
# ruff: noqa: S608  statements are put together from names that stand in this file; values are always bound

from datetime import timedelta

from . import clock
from .crypto import sha256
from .errors import ApiError
from .processing import unpack
from .web import Response

DAYS = 100
_COLUMNS = {"PermanentStorage": "stored", "Invoicing": "invoiced", "Issue": "issued"}
_AMOUNTS = {"Brutto": "gross", "Netto": "net", "Vat": "vat"}


class Query:
    """A query in SQL: over ``parties`` (p) by role, identity and date, then ``archive`` (a) for the other filters.

    ``by_party`` and ``by_invoice`` are lists of (condition, values).
    """

    def __init__(self, column, hwm):
        self.column = column
        self.hwm = hwm
        self.by_party = []
        self.by_invoice = []
        self.selective = False

    def run(self, store, columns, *, order="ASC", limit, offset=0):
        """The rows of a page; ``columns`` of ``a``, and p.moment (the date that sorts)."""
        sort = f"p.moment {order}, p.invoice {order}"
        party = f"SELECT invoice, {self.column} AS moment FROM parties WHERE {_all(self.by_party)}"
        values = [*_values(self.by_party)]
        if not self.by_invoice:
            # without further filters the page is cut out of the index, and only its rows are looked up
            party += f" ORDER BY {self.column} {order}, invoice {order} LIMIT ? OFFSET ?"
            return store.all(f"SELECT {columns} FROM ({party}) p JOIN archive a ON a.id = p.invoice ORDER BY {sort}",
                             *values, limit, offset)
        tables = f"archive a CROSS JOIN ({party}) p" if self.selective else f"({party}) p CROSS JOIN archive a"
        return store.all(f"SELECT {columns} FROM {tables} WHERE a.id = p.invoice AND {_all(self.by_invoice)} "
                         f"ORDER BY {sort} LIMIT ? OFFSET ?", *values, *_values(self.by_invoice), limit, offset)


def _all(conditions):
    return " AND ".join(condition for condition, _values in conditions)


def _values(conditions):
    return [value for _condition, values in conditions for value in values]


class OutOfRange(Exception):
    """``from`` lies after the high water mark although the query is restricted to it."""


class Invoices:
    """The room of the archive."""

    def __init__(self, app):
        self._app = app

    def hwm(self):
        """The high water mark: what was stored until then is complete and will not change."""
        return self._app.clock.now() - timedelta(seconds=self._app.settings.hwm_lag_seconds)

    # --- by number ---------------------------------------------------------------------------------------------

    def visible(self, principal, number):
        """The archived invoice if the caller's context is a party of it, or None."""
        row = self._app.store.one("SELECT * FROM archive WHERE ksef_number = ?", number)
        if row is None:
            return None
        marks = identities(principal)
        if not marks or not self._app.store.one(
                f"SELECT 1 FROM parties WHERE invoice = ? AND value IN ({', '.join('?' * len(marks))})",
                row["id"], *marks):
            return None
        return row

    def content(self, row):
        """The exact bytes of an archived invoice."""
        return unpack(self._app.store.value("SELECT xml FROM files WHERE reference = ?", row["reference"]))

    def download(self, request):
        """GET /invoices/ksef/{ksefNumber}."""
        number = request.values["ksefNumber"]
        row = self.visible(request.principal, number)
        if row is None:
            raise ApiError(21164, f"Faktura o numerze KSeF {number} nie została znaleziona.")
        if row["stored"] > clock.text(self._app.clock.now()):
            raise ApiError(21165, f"Faktura o numerze KSeF {number} została przetworzona, ale nie jest jeszcze "
                                  "dostępna do pobrania. Spróbuj ponownie później.")
        content = self.content(row)
        return Response(200, content, "application/xml; charset=utf-8", [("x-ms-meta-hash", sha256(content))])

    # --- queries -----------------------------------------------------------------------------------------------

    def query(self, request):
        """POST /invoices/query/metadata."""
        values = request.values
        size = values.get("pageSize", 10)
        start = values.get("pageOffset", 0) * size
        cap = max(1, int(self._app.settings.most_results))
        if start >= cap:
            raise ApiError(21405, f"pageOffset: dostępne jest najwyżej {cap} pierwszych wyników zapytania.")
        try:
            found = self.build(request.principal, request.data)
        except OutOfRange as error:
            raise ApiError(21183, "Parametr dateRange.from jest późniejszy niż PermanentStorageHwmDate przy włączonym "
                                  "restrictToPermanentStorageHwmDate.") from error
        order = "DESC" if values.get("sortOrder") == "Desc" else "ASC"
        rows = found.run(self._app.store, "a.metadata", order=order, limit=size + 1, offset=start)
        shown = min(size, cap - start)
        more = len(rows) > shown
        truncated = more and start + shown >= cap
        hwm = f'"{clock.text(found.hwm)}"' if found.hwm else "null"
        body = (f'{{"hasMore":{str(more).lower()},"isTruncated":{str(truncated).lower()},'
                f'"permanentStorageHwmDate":{hwm},"invoices":[{",".join(row[0] for row in rows[:shown])}]}}')
        return Response(200, body.encode(), "application/json; charset=utf-8")

    def build(self, principal, filters):
        """The ``Query`` of InvoiceQueryFilters; raises 21405 and OutOfRange."""
        column, start, end, hwm = self._range(filters["dateRange"])
        marks = identities(principal)
        query = Query(column, hwm)
        query.by_party = [
            ("role = ?", [filters["subjectType"]]), (f"value IN ({', '.join('?' * len(marks))})", marks),
            (f"{column} >= ?", [start]), (f"{column} <= ?", [end]),
            ("stored <= ?", [clock.text(self._app.clock.now())])]
        query.by_invoice = list(further(filters))
        query.selective = filters.get("ksefNumber") is not None or filters.get("invoiceNumber") is not None
        return query

    def _range(self, given):
        """(column, from, to, HWM or None) of a date range, the bounds as the column stores them."""
        now = self._app.clock.now()
        start = clock.parse(given["from"])
        end = clock.parse(given["to"]) if given.get("to") else now
        if end < start:
            if given.get("to"):
                raise ApiError(21405, "$.dateRange: data początkowa jest późniejsza niż końcowa.")
            end = start
        if end - start > timedelta(days=DAYS):
            raise ApiError(21405, f"$.dateRange: maksymalny dozwolony okres wynosi {DAYS} dni.")
        column, hwm = _COLUMNS[given["dateType"]], None
        if column == "stored":
            hwm = self.hwm()
            if given.get("restrictToPermanentStorageHwmDate"):
                if start > hwm:
                    raise OutOfRange
                end = min(end, hwm)
            hwm = min(end, hwm)
        if column == "issued":
            return column, clock.warsaw(start).date().isoformat(), clock.warsaw(end).date().isoformat(), None
        return column, clock.text(start), clock.text(end), hwm


def identities(principal):
    """The identifiers under which a context appears on invoices."""
    if principal.context_type == "NipVatUe":
        return [principal.context_value[11:]]
    return [principal.context_value] if principal.context_type in ("Nip", "InternalId") else []


def further(filters):
    """The optional filters as conditions on ``archive``: pairs of SQL and values."""
    equal = {"ksefNumber": "a.ksef_number", "invoiceNumber": "a.number", "sellerNip": "a.seller_nip",
             "invoicingMode": "a.mode", "formType": "a.form", "isSelfInvoicing": "a.self_invoicing",
             "hasAttachment": "a.attachment"}
    for name, column in equal.items():
        if filters.get(name) is not None:
            yield f"{column} = ?", [filters[name]]
    for name, column in (("currencyCodes", "a.currency"), ("invoiceTypes", "a.type")):
        if filters.get(name):
            yield f"{column} IN ({', '.join('?' * len(filters[name]))})", filters[name]
    buyer = filters.get("buyerIdentifier")
    if buyer:
        yield "a.buyer_type = ?", [buyer["type"]]
        if buyer["type"] != "None" and buyer.get("value") is not None:
            yield "a.buyer_value = ?", [buyer["value"]]
    amount = filters.get("amount")
    if amount:
        for bound, sign in (("from", ">="), ("to", "<=")):
            if amount.get(bound) is not None:
                yield f"a.{_AMOUNTS[amount['type']]} {sign} ?", [float(amount[bound])]
