"""The client's operations of receiving: exports of many invoices."""

from . import api, exports, parsing
from .client_base import encrypted_key
from .crypto import encrypt_session_key, select_public_key
from .types import KeyUsage


class ReceivingMixin:
    """Operations of :class:`~.client.Client` about exports; single invoices and metadata stand in the client itself."""

    def start_export(self, access, filters, encryption):
        """Ask for a package of invoices (POST /invoices/exports) and return its reference number.

        KSeF has no list of exports: keep the reference and the key before anything else. After KsefUnconfirmedError the
        export can't be found any more; another one may be asked for, nothing is changed by either.

        :param filters: InvoiceQueryFilters of the contract, see :meth:`.checkpoint.Window.filters`
        :param encryption: the package's key, encrypted with :func:`~.crypto.encrypt_session_key`
        """
        body = {
            "encryption": encrypted_key(encryption), "filters": filters, "onlyMetadata": False, "compressionType": exports.ZIP}
        return parsing.reference(self._fields(api.START_EXPORT, access, json=body))

    def start_export_with_fresh_key(self, access, filters, secret, keys=None, now=None):
        """Ask for a package encrypted with ``secret``; when KSeF no longer knows the public key, fetch the keys, once.

        :param secret: :class:`~.crypto.SessionSecret`, committed before this is called
        """
        def start(known):
            key = select_public_key(known, KeyUsage.SESSION, now)
            return self.start_export(access, filters, encrypt_session_key(secret, key))

        return self._with_fresh_keys(start, keys)

    def export_status(self, access, reference):
        """Return the :class:`~.exports.ExportReport` (GET /invoices/exports/{referenceNumber}); links are new each time."""
        return exports.export_report(self._fields(api.EXPORT_STATUS, access, referenceNumber=reference))

    def download_part(self, part, secret, sink):
        """Append the plain bytes of one :class:`~.exports.ExportPart` to ``sink``, checked.

        :raise KsefIntegrityError: sizes or hashes differ; then what was written is worth nothing
        """
        reader = exports.PartReader(part, secret, sink)
        self._transport.download("GET export part", part.url, reader.take)
        reader.finish()
