"""What a file is before it is read: the kinds of documents that KSeF hands out, and why one can't be read."""

import re
from enum import Enum

from .. import safe_xml
from .nodes import NAMESPACE

MAX_SIZE = 3_000_000  # bytes; KSeF takes no larger invoice, with its attachment

_DOCTYPE = re.compile(rb'<\x00?!\x00?D\x00?O\x00?C\x00?T\x00?Y\x00?P\x00?E')  # in UTF-8 or UTF-16


class DocumentKind(Enum):
    """Kinds of documents, by namespace and name of the root element."""

    FA3 = 'FA(3)'
    FA2 = 'FA(2)'  # until 2026-01
    FA1 = 'FA(1)'
    FA_RR = 'FA_RR'  # faktura VAT RR, od rolnika ryczałtowego
    PEF = 'PEF'  # Peppol, faktura
    PEF_CORRECTION = 'PEF_KOR'  # Peppol, korekta
    OTHER_XML = 'XML'
    UNSAFE = 'unsafe'  # with a document type or entities: never touched
    NOT_XML = 'not XML'


_ROOTS = {
    f'{{{NAMESPACE}}}Faktura': DocumentKind.FA3,
    '{http://crd.gov.pl/wzor/2023/06/29/12648/}Faktura': DocumentKind.FA2,
    '{http://crd.gov.pl/wzor/2021/11/29/11089/}Faktura': DocumentKind.FA1,
    '{http://crd.gov.pl/wzor/2026/03/06/14189/}Faktura': DocumentKind.FA_RR,
    '{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice': DocumentKind.PEF,
    '{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote': DocumentKind.PEF_CORRECTION,
}


class ReadProblem(ValueError):
    """A document can't be read without losing something of it.

    * ``code``: stable slug, never shown to users; * ``path``: names of the elements down to the place;
    * ``line``: in the file, 0 when unknown; * ``values``: what is needed to say it in words.
    """

    def __init__(self, code: str, message: str, path: str = '', line: int = 0, **values):
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.path = path
        self.line = line
        self.values = values


class NotXml(ReadProblem):
    """The file is no well-formed XML, or larger than any invoice."""


class UnsafeXml(ReadProblem):
    """The file has a document type declaration or entities, which KSeF never lets through."""


class OtherDocument(ReadProblem):
    """The file is XML, but no FA(3) invoice; ``kind`` says what it is."""

    kind = DocumentKind.OTHER_XML


class OldInvoice(OtherDocument):
    """An invoice of an earlier structure, FA(1) or FA(2)."""

    kind = DocumentKind.FA2


class FarmerInvoice(OtherDocument):
    """An invoice VAT RR of a flat-rate farmer."""

    kind = DocumentKind.FA_RR


class PeppolInvoice(OtherDocument):
    """An invoice or credit note of the Peppol network (UBL)."""

    kind = DocumentKind.PEF


_PROBLEMS = {
    DocumentKind.FA2: OldInvoice, DocumentKind.FA1: OldInvoice, DocumentKind.FA_RR: FarmerInvoice,
    DocumentKind.PEF: PeppolInvoice, DocumentKind.PEF_CORRECTION: PeppolInvoice, DocumentKind.OTHER_XML: OtherDocument,
}


def detect(xml: bytes) -> DocumentKind:
    """Return what kind of document a file is; never raises."""
    try:
        return _kind(_parse(xml))
    except UnsafeXml:
        return DocumentKind.UNSAFE
    except NotXml:
        return DocumentKind.NOT_XML


def parse_invoice(xml: bytes):
    """Return the root element of an FA(3) invoice.

    :raises ReadProblem: it is something else; the class says what.
    """
    root = _parse(xml)
    kind = _kind(root)
    if kind is not DocumentKind.FA3:
        problem = _PROBLEMS[kind]('document-kind', f"a document {kind.value}, not FA(3)", kind=kind.value)
        problem.kind = kind
        raise problem
    return root


def _kind(root) -> DocumentKind:
    return _ROOTS.get(root.tag, DocumentKind.OTHER_XML)


def _parse(xml: bytes):
    if len(xml) > MAX_SIZE:
        raise NotXml('document-size', f"{len(xml)} bytes, at most {MAX_SIZE} are read", size=len(xml), limit=MAX_SIZE)
    try:
        return safe_xml.parse(xml)
    except ValueError as error:
        if _DOCTYPE.search(xml):
            raise UnsafeXml('document-unsafe', "the file has a document type declaration") from error
        raise NotXml('document-not-xml', "the file is not well-formed XML") from error
