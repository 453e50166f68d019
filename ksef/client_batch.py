"""The client's operations of batch sessions (sesja wsadowa): open, upload, close, and the session's list page by page."""

from . import api, batch, parsing
from .client_base import ask_for
from .crypto import encrypt_session_key, select_public_key
from .errors import KsefIntegrityError
from .types import FA3, KeyUsage

_LIST_PAGE = 1000
_LARGEST_UPO = 10_000_000  # bytes


class BatchMixin:
    """Operations of :class:`~.client.Client` about batch sessions and what many invoices have in common."""

    def open_batch_session(self, access, package, encryption, offline=False, form_code=FA3):
        """Open a batch session for a package (POST /sessions/batch) and return an :class:`~.batch.OpenedBatch`.

        KSeF processes nothing before the session is closed: one whose opening was not answered can be left alone.

        :param package: :class:`~.batch.Package`, every part encrypted with the key of ``encryption``
        :param offline: declare that all invoices of the package were issued in an offline mode
        """
        body = {
            **ask_for(form_code, encryption),
            "batchFile": batch.batch_file(package),
            "offlineMode": bool(offline),
        }
        return batch.opened_batch(self._fields(api.OPEN_BATCH, access, json=body), package)

    def open_batch_session_with_fresh_key(self, access, package, secret, offline=False, keys=None, now=None):
        """Open a batch session; when KSeF no longer knows the public key, fetch the keys anew, once.

        :param secret: :class:`~.crypto.SessionSecret` that the package was encrypted with
        """
        def start(known):
            key = select_public_key(known, KeyUsage.SESSION, now)
            return self.open_batch_session(access, package, encrypt_session_key(secret, key), offline)

        return self._with_fresh_keys(start, keys)

    def upload_part(self, upload, part, source):
        """Upload one part by its pre-signed link, without any token. It may be repeated: the same bytes replace themselves.

        :param upload: :class:`~.batch.PartUpload`
        :param part: its :class:`~.batch.PackagePart`
        :param source: seekable binary file that the package was written to
        :raise KsefForbiddenError: the link has expired, or the session no longer takes parts
        """
        self._transport.upload(
            "PUT batch part", upload.method, upload.url.reveal(), upload.headers, batch.PartReader(source, part))

    def close_batch_session(self, access, reference):
        """Have KSeF process the package (POST /sessions/batch/{ref}/close).

        After KsefUnconfirmedError ask for the session's status before anything else.
        """
        self._call(api.CLOSE_BATCH, access, referenceNumber=reference).nothing()

    def session_invoice_page(self, access, reference, continuation=None, page_size=_LIST_PAGE):
        """Return one :class:`~.batch.InvoicePage` of a session's invoices (GET /sessions/{ref}/invoices).

        :param continuation: from the page before; None: the first page
        """
        headers = {"x-continuation-token": continuation} if continuation else None
        fields = self._fields(
            api.SESSION_INVOICES, access, params={"pageSize": page_size}, headers=headers, referenceNumber=reference)
        reports = tuple(parsing.invoice_report(item) for item in fields.need_children("invoices"))
        return batch.InvoicePage(reports, fields.optional_text("continuationToken") or None)

    def upo_by_link(self, url):
        """Return a UPO by the pre-signed link of an invoice's report: no token, and no limit of calls.

        :raise KsefIntegrityError: what the link leads to is too large to be a UPO
        """
        content = bytearray()

        def take(chunk):
            content.extend(chunk)
            if len(content) > _LARGEST_UPO:
                raise KsefIntegrityError("The UPO is larger than it can be.", operation="GET UPO")

        self._transport.download("GET UPO", url, take)
        return bytes(content)
