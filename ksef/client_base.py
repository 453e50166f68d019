"""What the client's operations are made of: one call, its answer, and lists that come in pages."""

import hmac

from . import api, safe_xml
from .crypto import sha256_b64
from .errors import ApiCode, KsefConfigError, KsefIntegrityError, KsefRefusedError
from .reading import Fields
from .transport import is_header_value
from .types import Secret, Token

_MOST_PAGES = 1000
_HASH_HEADER = "x-ms-meta-hash"
_ACCEPT_XML = "application/xml, application/problem+json;q=0.9, application/json;q=0.8"


class ClientBase:
    """Calls over one :class:`~.transport.Transport`.

    :ivar before_call: called with the :class:`~.api.Operation` before each call of one; what it raises ends the call, which
        then was certainly not sent
    """

    def __init__(self, transport):
        self._transport = transport
        self.before_call = None

    def _call(self, operation, token=None, *, json=None, data=None, params=None, headers=None, **path):
        """Perform ``operation`` and return its Answer."""
        if operation.bearer is not api.Bearer.NONE and not token:
            raise KsefConfigError("This call needs a token.", operation=operation.name)
        if self.before_call:
            self.before_call(operation)
        return self._transport.request(
            operation.name, operation.method, operation.url_path(**path),
            token=reveal(token), json=json, data=data, params=params, headers=headers)

    def _fields(self, operation, token=None, **arguments):
        """Perform ``operation`` and return the JSON object of its answer."""
        answer = self._call(operation, token, **arguments)
        return Fields(answer.json(), answer)

    def _download(self, operation, token, **path):
        """Perform ``operation`` and return the bytes of an XML document, checked against KSeF's hash of them.

        Without a stated hash the document must at least be whole, which well-formed XML is.
        """
        answer = self._call(operation, token, headers={"Accept": _ACCEPT_XML}, **path)
        content = answer.xml()
        stated = answer.headers.get(_HASH_HEADER)
        if not stated:
            try:
                safe_xml.parse(content)
            except ValueError as error:
                raise answer.unreadable(error) from None
        elif not hmac.compare_digest(stated.strip().encode(), sha256_b64(content).encode()):
            raise KsefIntegrityError(
                "The downloaded document does not have the hash that KSeF states.",
                operation=operation.name, http_status=answer.status)
        return content

    def _with_fresh_keys(self, start, keys):
        """Return ``start(keys)``; if KSeF does not know the key, or none of ``keys`` serves, once more with new keys.

        Repeating is safe: KSeF has certainly refused, or was not asked.
        """
        try:
            return start(keys or self.public_keys())
        except KsefRefusedError as error:
            if ApiCode.PUBLIC_KEY_UNKNOWN not in error.codes:
                raise
        except KsefConfigError:
            if not keys:
                raise
        return start(self.public_keys())

    def _numbered_pages(self, operation, token, *, page_size, json=None):
        """Yield the Fields of each page of a list that says ``hasMore``."""
        for page in range(_MOST_PAGES):
            params = {"pageOffset": page, "pageSize": page_size}
            fields = self._fields(operation, token, json=json, params=params)
            yield fields
            if not fields.flag("hasMore"):
                return
        raise fields.fault("hasMore", "never ends")

    def _continued_pages(self, operation, token, *, params, json=None, **path):
        """Yield the Fields of each page of a list that goes on with a continuation token."""
        seen, headers = set(), None
        while True:
            fields = self._fields(operation, token, json=json, params=params, headers=headers, **path)
            yield fields
            continuation = fields.optional_text("continuationToken")
            if not continuation:
                return
            if not is_header_value(continuation):
                raise fields.fault("continuationToken", "cannot be sent back")
            if continuation in seen or len(seen) >= _MOST_PAGES:
                raise fields.fault("continuationToken", "leads in a circle")
            seen.add(continuation)
            headers = {"x-continuation-token": continuation}


def ask_for(form_code, encryption):
    """Return what opening any session states: which documents it takes, and its key, encrypted."""
    form = {
        "systemCode": form_code.system_code,
        "schemaVersion": form_code.schema_version,
        "value": form_code.value,
    }
    return {"formCode": form, "encryption": encrypted_key(encryption)}


def encrypted_key(encryption):
    """Return the EncryptionInfo of an :class:`~.crypto.Encryption`."""
    encrypted = {
        "encryptedSymmetricKey": encryption.encrypted_key_b64,
        "initializationVector": encryption.iv_b64,
    }
    if encryption.public_key_id:
        encrypted["publicKeyId"] = encryption.public_key_id
    return encrypted


def reveal(token):
    """Return the text of a token given as Token, Secret or text."""
    if isinstance(token, Token):
        token = token.value
    return token.reveal() if isinstance(token, Secret) else token
