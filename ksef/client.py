"""The client: one method for one operation of KSeF 2.0. It keeps no state and no secret, and it never retries.

A token may be given as :class:`~.types.Token`, :class:`~.types.Secret` or text. Waiting between two questions for a
status is the caller's. Every method raises subclasses of :class:`~.errors.KsefError`.
"""

from . import api, parsing
from .client_base import ClientBase, ask_for, reveal
from .client_batch import BatchMixin
from .client_certificates import CertificatesMixin
from .client_collective import CollectiveMixin
from .client_permissions import PermissionsMixin
from .client_receiving import ReceivingMixin
from .client_tokens import TokensMixin
from .crypto import encrypt_session_key, encrypt_token, select_public_key
from .errors import AuthStatus, KsefLoginError
from .reading import Fields, scrub
from .types import FA3, KeyUsage

_LIST_PAGE = 1000  # the largest page of a session's invoices that KSeF gives


class Client(
        TokensMixin, CertificatesMixin, PermissionsMixin, ReceivingMixin, BatchMixin, CollectiveMixin, ClientBase):
    """KSeF's operations over one :class:`~.transport.Transport`."""

    # -- login -------------------------------------------------------------------------------------------------------

    def challenge(self):
        """Ask for a :class:`~.types.Challenge` for one login (POST /auth/challenge)."""
        return parsing.challenge(self._fields(api.CHALLENGE))

    def public_keys(self):
        """Return KSeF's present public keys (GET /security/public-key-certificates)."""
        answer = self._call(api.PUBLIC_KEYS)
        items = answer.json()
        if not isinstance(items, list):
            raise answer.unreadable("the answer is not a list")
        return [parsing.public_key(Fields(item, answer, f"[{index}]")) for index, item in enumerate(items)]

    @staticmethod
    def select_public_key(keys, usage, now=None):
        """Return the key to use now; see :func:`~.crypto.select_public_key`."""
        return select_public_key(keys, usage, now)

    def start_token_login(self, context, ksef_token, challenge, public_key):
        """Start a login with a KSeF token (POST /auth/ksef-token) and return an :class:`~.types.AuthOperation`.

        :param context: :class:`~.types.Context` to log in to; usually the seller's NIP
        :param ksef_token: the token's text (or Secret)
        :param public_key: key of usage KsefTokenEncryption
        """
        body = {
            "challenge": challenge.challenge,
            "contextIdentifier": {"type": context.type, "value": context.value},
            "encryptedToken": encrypt_token(reveal(ksef_token), challenge.timestamp_ms, public_key),
            "publicKeyId": public_key.public_key_id,
        }
        return parsing.auth_operation(self._fields(api.TOKEN_LOGIN, json=body))

    def start_token_login_with_fresh_key(self, context, ksef_token, keys=None, now=None):
        """Ask for a challenge and start a login; when KSeF no longer knows the key, fetch the keys anew, once.

        :param keys: public keys known already; without them they are fetched
        """
        def start(known):
            key = select_public_key(known, KeyUsage.LOGIN, now)
            return self.start_token_login(context, ksef_token, self.challenge(), key)

        return self._with_fresh_keys(start, keys)

    def start_signed_login(self, signed_xml, verify_chain=None):
        """Start a login with a signed AuthTokenRequest (POST /auth/xades-signature).

        Returns an :class:`~.types.AuthOperation`.

        :param signed_xml: bytes as :func:`~.xades.sign` or another program signed them, unchanged
        :param verify_chain: on the TEST environment: whether KSeF checks who issued the certificate; elsewhere it does
        """
        params = None if verify_chain is None else {"verifyCertificateChain": "true" if verify_chain else "false"}
        return parsing.auth_operation(self._fields(
            api.SIGNED_LOGIN, data=signed_xml, headers={"Content-Type": "application/xml"}, params=params))

    def login_status(self, operation):
        """Return the :class:`~.types.AuthReport` of a login under way or done (GET /auth/{referenceNumber}).

        :raise KsefLoginError: the login has failed; its ``status`` and ``details`` say why
        """
        fields = self._fields(api.LOGIN_STATUS, operation.token, referenceNumber=operation.reference_number)
        report = parsing.auth_report(fields)
        status = report.status
        if AuthStatus.is_final(status.code) and not report.is_complete:
            raise KsefLoginError(
                scrub(status.description), status=status.code, operation=api.LOGIN_STATUS.name,
                details=[scrub(detail) for detail in status.details])
        return report

    def redeem(self, operation):
        """Fetch the tokens of a completed login (POST /auth/token/redeem): works once. When in doubt, log in anew."""
        return parsing.token_pair(self._fields(api.REDEEM, operation.token))

    def refresh(self, refresh_token):
        """Return a new access token (POST /auth/token/refresh); the refresh token keeps its own end."""
        return parsing.token(self._fields(api.REFRESH, refresh_token).child("accessToken"))

    def end_login(self, token):
        """Void the refresh token of this login (DELETE /auth/sessions/current); the access token runs out by itself."""
        self._call(api.END_LOGIN, token).nothing()

    # -- interactive session -----------------------------------------------------------------------------------------

    def open_online_session(self, access, encryption, form_code=FA3):
        """Open an interactive session (POST /sessions/online) and return an :class:`~.types.OpenedSession`.

        :param encryption: the session's key, encrypted with :func:`~.crypto.encrypt_session_key`. KSeF decrypts it
            later: a wrong one shows as session status BAD_KEY.
        """
        return parsing.opened_session(self._fields(api.OPEN_ONLINE, access, json=ask_for(form_code, encryption)))

    def open_online_session_with_fresh_key(self, access, secret, keys=None, now=None):
        """Open a session for ``secret``; when KSeF no longer knows the public key, fetch the keys anew, once.

        :param secret: :class:`~.crypto.SessionSecret`
        :param keys: public keys known already; without them they are fetched
        """
        def start(known):
            key = select_public_key(known, KeyUsage.SESSION, now)
            return self.open_online_session(access, encrypt_session_key(secret, key))

        return self._with_fresh_keys(start, keys)

    def send_invoice(self, access, session_reference, invoice, offline=False, hash_of_corrected=None):
        """Send an :class:`~.crypto.EncryptedInvoice` and return its reference number.

        The call is POST /sessions/online/{referenceNumber}/invoices.

        After KsefUnconfirmedError look for the invoice's hash in :meth:`session_invoices` before sending it again.

        :param offline: declare that the invoice was issued in an offline mode
        :param hash_of_corrected: for a technical correction: hash of the rejected offline invoice, Base64
        """
        body = {
            "invoiceHash": invoice.hash,
            "invoiceSize": invoice.size,
            "encryptedInvoiceHash": invoice.encrypted_hash,
            "encryptedInvoiceSize": invoice.encrypted_size,
            "encryptedInvoiceContent": invoice.content_b64,
            "offlineMode": bool(offline),
        }
        if hash_of_corrected:
            body["hashOfCorrectedInvoice"] = hash_of_corrected
        fields = self._fields(api.SEND_INVOICE, access, json=body, referenceNumber=session_reference)
        return parsing.reference(fields)

    def close_online_session(self, access, reference):
        """Close a session (POST /sessions/online/{ref}/close); KSeF then makes the collective UPO."""
        self._call(api.CLOSE_ONLINE, access, referenceNumber=reference).nothing()

    # -- statuses ----------------------------------------------------------------------------------------------------

    def session(self, access, reference):
        """Return the :class:`~.types.SessionReport` (GET /sessions/{ref})."""
        return parsing.session_report(self._fields(api.SESSION, access, referenceNumber=reference))

    def invoice(self, access, session_reference, invoice_reference):
        """Return the :class:`~.types.InvoiceReport` of one invoice (GET /sessions/{ref}/invoices/{invoiceRef})."""
        fields = self._fields(
            api.INVOICE, access, referenceNumber=session_reference, invoiceReferenceNumber=invoice_reference)
        return parsing.invoice_report(fields)

    def session_invoices(self, access, reference, failed=False, page_size=_LIST_PAGE):
        """Yield the :class:`~.types.InvoiceReport` of each invoice of a session, page after page.

        Only an iteration that ends without an exception has seen the whole list.

        :param failed: only those that were refused (GET /sessions/{ref}/invoices/failed)
        :param page_size: 10 to 1000
        """
        operation = api.FAILED_INVOICES if failed else api.SESSION_INVOICES
        for page in self._continued_pages(operation, access, params={"pageSize": page_size}, referenceNumber=reference):
            for item in page.need_children("invoices"):
                yield parsing.invoice_report(item)

    # -- documents ---------------------------------------------------------------------------------------------------

    def upo_by_reference(self, access, session_reference, invoice_reference):
        """Return the UPO (official receipt) of one invoice, byte by byte as KSeF made it."""
        return self._download(
            api.UPO_BY_REFERENCE, access,
            referenceNumber=session_reference, invoiceReferenceNumber=invoice_reference)

    def upo_by_number(self, access, session_reference, ksef_number):
        """Return the UPO of the invoice with a KSeF number, from the session it was sent in."""
        return self._download(
            api.UPO_BY_NUMBER, access, referenceNumber=session_reference, ksefNumber=ksef_number)

    def session_upo(self, access, session_reference, upo_reference):
        """Return a page of a session's collective UPO; it lists every customer's invoice of the session."""
        return self._download(
            api.SESSION_UPO, access, referenceNumber=session_reference, upoReferenceNumber=upo_reference)

    def invoice_by_number(self, access, ksef_number):
        """Return the file of the invoice with this KSeF number, byte by byte (GET /invoices/ksef/{ksefNumber})."""
        return self._download(api.INVOICE_BY_NUMBER, access, ksefNumber=ksef_number)

    def query_metadata(self, access, filters, *, page_offset=0, page_size=250, descending=False):
        """Return a :class:`~.types.MetadataPage` (POST /invoices/query/metadata).

        :param filters: InvoiceQueryFilters of the contract, with subjectType and dateRange
        :param page_offset: index of the page, not of the row
        """
        params = {
            "sortOrder": "Desc" if descending else "Asc",
            "pageOffset": page_offset,
            "pageSize": page_size,
        }
        return parsing.metadata_page(self._fields(api.QUERY_METADATA, access, json=filters, params=params))
