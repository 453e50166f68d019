"""The client's operations on collective identifiers (identyfikatory zbiorcze): one title of a transfer for many invoices."""

from datetime import UTC

from . import api, parsing_access
from .errors import KsefConfigError

_PAGE = 200
_INVOICE_PAGE = 500
LEAST_INVOICES = 2
# Identifiers in one question about their invoices.
MOST_ASKED = 10
_LONGEST_DESCRIPTION = 512


class CollectiveMixin:
    """Operations of :class:`~.client.Client` on collective identifiers; they need one of the permissions InvoiceRead,
    InvoiceWrite and CollectiveIdentifierManage."""

    def generate_collective(self, access, invoices):
        """Make an identifier for invoices of one seller (POST /collective-identifiers) and return its number (text).

        Each call makes another one, and one invoice may be in 132 at most. After KsefUnconfirmedError look for one with
        exactly these invoices (:meth:`collectives_of`, :meth:`collective_invoices`) before asking again.

        :param invoices: at least two :class:`~.types.CollectiveInvoice`; how many at most is told by :meth:`context_limits`
        :raise KsefRefusedError: 71001 an invoice that is not found, 71002 one that is in 132 identifiers, 71004 another
            seller, 71005 a number given twice
        """
        items = list(invoices)
        if len(items) < LEAST_INVOICES:
            raise KsefConfigError("A collective identifier takes at least two invoices.", operation=api.GENERATE_COLLECTIVE.name)
        fields = self._fields(api.GENERATE_COLLECTIVE, access, json={"invoices": [_item(invoice) for invoice in items]})
        return parsing_access.collective_number(fields)

    def collectives(self, access, created_from, created_to, *, number=None, least=None, most=None, own=None):
        """Yield the :class:`~.types.CollectiveIdentifier` of each identifier that the context made or whose seller it is.

        The call is POST /collective-identifiers/query; the newest come first.

        :param created_from: aware datetime, at most 100 days before ``created_to``
        :param least: at least so many invoices; ``most``: at most
        :param own: only those that this context made (True), or only those of others (False)
        """
        body = {"dateCreatedFrom": _moment(created_from), "dateCreatedTo": _moment(created_to)}
        wanted = {
            "collectiveIdentifierNumber": number, "invoiceCountFrom": least, "invoiceCountTo": most, "createdInCurrentContext": own}
        body |= {name: value for name, value in wanted.items() if value is not None}
        for page in self._continued_pages(api.COLLECTIVES, access, params={"pageSize": _PAGE}, json=body):
            for item in page.need_children("collectiveIdentifiers"):
                yield parsing_access.collective_identifier(item)

    def collective_invoices(self, access, numbers):
        """Yield the :class:`~.types.CollectiveInvoice` of each invoice in these identifiers.

        The call is POST /collective-identifiers/invoices. Only an iteration that ends without an exception has seen all.

        :param numbers: one to ten numbers of identifiers
        """
        asked = list(numbers)
        if not 1 <= len(asked) <= MOST_ASKED:
            raise KsefConfigError("One to ten identifiers can be asked about at once.", operation=api.COLLECTIVE_INVOICES.name)
        body = {"collectiveIdentifierNumbers": asked}
        for page in self._continued_pages(api.COLLECTIVE_INVOICES, access, params={"pageSize": _INVOICE_PAGE}, json=body):
            for item in page.need_children("invoices"):
                yield parsing_access.collective_invoice(item)

    def collectives_of(self, access, ksef_number):
        """Yield the :class:`~.types.CollectiveIdentifier` of each identifier with this invoice, the newest first.

        The call is GET /collective-identifiers/ksef/{ksefNumber}; it doesn't tell how many invoices they have.
        """
        for page in self._continued_pages(api.COLLECTIVES_OF, access, params={"pageSize": _PAGE}, ksefNumber=ksef_number):
            for item in page.need_children("collectiveIdentifiers"):
                yield parsing_access.collective_identifier(item)


def _item(invoice):
    """Return a CollectiveIdentifierInvoice."""
    item = {"ksefNumber": invoice.ksef_number}
    if (invoice.amount is None) != (invoice.currency is None):
        raise KsefConfigError("A payment has an amount and a currency.", operation=api.GENERATE_COLLECTIVE.name)
    if invoice.amount is not None:
        item["payment"] = {"amount": float(invoice.amount), "currency": invoice.currency}
    if invoice.description:
        if len(invoice.description) > _LONGEST_DESCRIPTION:
            raise KsefConfigError("A description has at most 512 characters.", operation=api.GENERATE_COLLECTIVE.name)
        item["description"] = invoice.description
    return item


def _moment(value):
    """Return an aware datetime as the contract writes moments."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
