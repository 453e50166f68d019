"""Reading of the UPO (Urzędowe Poświadczenie Odbioru), KSeF's signed receipt, versions 4-2 and 4-3.

The document is only read here; it is stored byte by byte as received, because its signature covers its bytes.
Source: schema ``upo-v4-3.xsd`` (element names in the code are its own).
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import date, datetime

from lxml import etree

from . import safe_xml
from .errors import KsefUnreadableError
from .reading import as_date, as_timestamp, clean

_NAMESPACES = tuple(f"http://upo.schematy.mf.gov.pl/KSeF/v4-{version}" for version in (2, 3))
_SHA256_BYTES = 32


@dataclass(frozen=True)
class UpoDocument:
    """One invoice confirmed by a UPO.

    :ivar ksef_number: KSeF number
    :ivar invoice_number: the seller's number of the invoice
    :ivar seller_nip: NIP of the seller
    :ivar issue_date: date of issue
    :ivar sent_at: taken for processing, in UTC
    :ivar numbered_at: KSeF number given, in UTC
    :ivar document_hash: SHA-256 of the invoice file, standard Base64
    :ivar mode: ``Online`` or ``Offline``; None where the version has no such element
    :ivar session_reference: reference number of the session it was sent in
    """

    ksef_number: str
    invoice_number: str
    seller_nip: str
    issue_date: date
    sent_at: datetime
    numbered_at: datetime
    document_hash: str
    mode: str | None
    session_reference: str


def read_upo(content):
    """Return the :class:`UpoDocument` of each invoice that a UPO (bytes) confirms, as a list.

    The signature is not verified here.

    :raise KsefUnreadableError: not a UPO, or one with a field missing or of the wrong form
    """
    try:
        root = safe_xml.parse(content)
    except ValueError as error:
        raise _unreadable(error) from None
    namespace = etree.QName(root).namespace
    if etree.QName(root).localname != "Potwierdzenie" or namespace not in _NAMESPACES:
        raise _unreadable("it is no UPO of a known version")
    session = _text(root, namespace, "NumerReferencyjnySesji")
    documents = root.findall(f"{{{namespace}}}Dokument")
    if not documents:
        raise _unreadable("it confirms no invoice")
    return [_read_document(document, namespace, session) for document in documents]


def _read_document(element, namespace, session):
    return UpoDocument(
        ksef_number=_text(element, namespace, "NumerKSeFDokumentu"),
        invoice_number=_text(element, namespace, "NumerFaktury"),
        seller_nip=_text(element, namespace, "NipSprzedawcy"),
        issue_date=_need(as_date, element, namespace, "DataWystawieniaFaktury"),
        sent_at=_need(as_timestamp, element, namespace, "DataPrzeslaniaDokumentu"),
        numbered_at=_need(as_timestamp, element, namespace, "DataNadaniaNumeruKSeF"),
        document_hash=_need(_as_hash, element, namespace, "SkrotDokumentu"),
        mode=element.findtext(f"{{{namespace}}}TrybWysylki"),
        session_reference=session,
    )


def _text(element, namespace, name):
    text = clean(element.findtext(f"{{{namespace}}}{name}") or "").strip()
    if not text:
        raise _unreadable(f"{name} is missing")
    return text


def _need(convert, element, namespace, name):
    value = convert(_text(element, namespace, name))
    if value is None:
        raise _unreadable(f"{name} has the wrong form")
    return value


def _as_hash(text):
    """Return a SHA-256 in Base64 as KSeF writes it everywhere else, or None."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return base64.b64encode(digest).decode() if len(digest) == _SHA256_BYTES else None


def _unreadable(what):
    return KsefUnreadableError(f"The UPO cannot be read: {what}.")
