"""What identifies an invoice file, read without reading the rest: it may come from another program, with its own faults."""

from dataclasses import dataclass
from datetime import date

from lxml import etree

from .. import safe_xml


@dataclass(frozen=True)
class Headline:
    """The three things that the QR code stands on, and the number; what the file lacks or spoils is empty or None.

    :ivar invoice_number: the seller's number (P_2)
    :ivar issue_date: date of issue (P_1)
    :ivar kind: kind of invoice (RodzajFaktury): VAT, KOR …
    :ivar seller_nip: ten digits
    """

    invoice_number: str
    issue_date: date | None
    kind: str
    seller_nip: str


def read_headline(content):
    """Return the :class:`Headline` of an invoice file (bytes) of any version of FA.

    :raise ValueError: it is not well-formed, has a document type, or is no invoice
    """
    root = safe_xml.parse(content)
    if etree.QName(root).localname != "Faktura":
        raise ValueError("it is not an invoice")
    return Headline(
        invoice_number=_text(root, "Fa", "P_2"),
        issue_date=_date(_text(root, "Fa", "P_1")),
        kind=_text(root, "Fa", "RodzajFaktury"),
        seller_nip=_text(root, "Podmiot1", "DaneIdentyfikacyjne", "NIP"),
    )


def _text(element, *path):
    """The text of the first element on this path of local names, or ''."""
    for name in path:
        element = next(element.iterchildren(f"{{*}}{name}"), None)
        if element is None:
            return ""
    return (element.text or "").strip()


def _date(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
