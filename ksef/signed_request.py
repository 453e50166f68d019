"""Checking a login request that a person signed in another program, before it goes to KSeF.

KSeF's challenge serves once: a file that KSeF must refuse would cost the person the whole way again. Refused here is
only what KSeF refuses for certain; where this program cannot tell, ``is_verified`` is False and KSeF decides.
"""

from dataclasses import dataclass
from enum import StrEnum

from lxml import etree

from . import safe_xml, xml_signature
from .certificate_info import CertificateFault, CertificateInfo, CertificateProblem, is_strong, public_key, read_info
from .certificates import certificate_from_der
from .errors import KsefConfigError
from .types import Context
from .xades import NAMESPACES
from .xml_signature import ds, only, unbase64

MAX_BYTES = 2 * 1024 * 1024
_XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
_UTF8 = ("UTF-8", "UTF8", "ASCII", "US-ASCII")
_OTHER_FORMATS = {b"%PDF": "PDF (PAdES)", b"PK\x03\x04": "ASiC", b"0\x82": "CAdES", b"0\x80": "CAdES"}
_MOST_CERTIFICATES = 20


class RequestFault(StrEnum):
    """What is wrong with a signed request: one value for each thing a person must do about it."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    NOT_XML = "not_xml"
    OTHER_FORMAT = "other_format"  # PAdES, CAdES or ASiC: XAdES was to be chosen
    DOCTYPE = "doctype"
    BAD_ENCODING = "bad_encoding"  # not UTF-8
    NOT_A_REQUEST = "not_a_request"
    NO_SIGNATURE = "no_signature"
    SEVERAL_SIGNATURES = "several_signatures"
    DETACHED = "detached"
    NOT_COVERED = "not_covered"  # the signature is about something else in the file (signature wrapping)
    NOT_XADES = "not_xades"
    CONTENT_CHANGED = "content_changed"  # edited or re-indented after signing
    SIGNATURE_WRONG = "signature_wrong"
    SIGNATURE_BROKEN = "signature_broken"
    WEAK_ALGORITHM = "weak_algorithm"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    DER_SIGNATURE = "der_signature"
    NO_CERTIFICATE = "no_certificate"
    WEAK_KEY = "weak_key"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    OTHER_CHALLENGE = "other_challenge"
    EXPIRED_CHALLENGE = "expired_challenge"
    OTHER_CONTEXT = "other_context"


class RequestProblem(KsefConfigError):
    """The signed request cannot be sent; ``fault`` is a :class:`RequestFault`.

    :ivar found: what stands in the file where something else was expected (the other NIP), or ``''``
    :ivar signer: :class:`~.certificates.CertificateInfo` where the certificate could be read
    """

    def __init__(self, fault, description, found="", signer=None):
        super().__init__(description)
        self.fault = fault
        self.found = found
        self.signer = signer


@dataclass(frozen=True)
class SignedRequestInfo:
    """A signed request that may be sent.

    :ivar signer: who signed; show ``signer.name`` and ``signer.identifier_masked``
    :ivar is_enveloping: whether the request stands inside the signature
    :ivar is_verified: whether the signature was computed here; else it holds something that only KSeF can judge
    """

    challenge: str
    context: Context
    subject_type: str
    signer: CertificateInfo
    is_enveloping: bool = False
    is_verified: bool = True


_WRONG = {
    xml_signature.BrokenError: (RequestFault.SIGNATURE_BROKEN, "The signature is incomplete or damaged."),
    xml_signature.ChangedError: (RequestFault.CONTENT_CHANGED, "The file was changed after it was signed."),
    xml_signature.ValueWrongError: (
        RequestFault.SIGNATURE_WRONG, "The signature does not fit the certificate that it names."),
    xml_signature.DerError: (
        RequestFault.DER_SIGNATURE, "The ECDSA signature is written as DER; XML signatures hold R and S side by side."),
    xml_signature.WeakError: (RequestFault.WEAK_ALGORITHM, "The signature uses SHA-1, which KSeF no longer takes."),
    xml_signature.UnsupportedError: (
        RequestFault.UNSUPPORTED_ALGORITHM, "The signature uses an algorithm that KSeF does not take."),
    xml_signature.DetachedError: (
        RequestFault.DETACHED, "The signature is separate from what it signs (detached); KSeF does not take that."),
    xml_signature.AmbiguousError: (
        RequestFault.NOT_COVERED, "The signature does not say clearly which part of the file it is about."),
}


def check(signed, expected_challenge, expected_context, now, valid_until):
    """Return the :class:`SignedRequestInfo` of a signed AuthTokenRequest (bytes) that may be sent.

    :param expected_challenge: text of the challenge that was given out
    :param expected_context: :class:`~.types.Context` that was asked for
    :param now: aware datetime
    :param valid_until: when the challenge ends, aware
    :raise RequestProblem: its ``fault`` says what must be done
    """
    root = _parse(signed)
    signature, request, covering = _locate(root)
    signer, is_verified = _verify(signature, covering)
    found = _read(request)
    _check_certificate(signer, now)
    if found.challenge != getattr(expected_challenge, "challenge", expected_challenge):
        raise RequestProblem(
            RequestFault.OTHER_CHALLENGE, "This is a file of another login: its challenge is not the one given out now.",
            signer=signer)
    if found.context != expected_context:
        raise RequestProblem(
            RequestFault.OTHER_CONTEXT, "The file is for another company.", found=found.context.value, signer=signer)
    if now > valid_until:
        raise RequestProblem(
            RequestFault.EXPIRED_CHALLENGE, "The ten minutes for signing are over.", signer=signer)
    return SignedRequestInfo(
        found.challenge, found.context, found.subject_type, signer, is_enveloping=signature is root,
        is_verified=is_verified)


def _parse(signed):
    """Return the root element of the file."""
    if len(signed) > MAX_BYTES:
        raise RequestProblem(
            RequestFault.TOO_LARGE, f"The file is larger than {MAX_BYTES // 1024 // 1024} MB; it is no signed request.")
    if not signed.strip():
        raise RequestProblem(RequestFault.EMPTY, "The file is empty.")
    for start, name in _OTHER_FORMATS.items():
        if signed.startswith(start):
            raise RequestProblem(
                RequestFault.OTHER_FORMAT, f"The file is signed in another format: {name}. KSeF takes XAdES.", found=name)
    try:
        root = safe_xml.parse(signed)
    except safe_xml.DoctypeError:
        raise RequestProblem(
            RequestFault.DOCTYPE, "The file has a document type declaration (DOCTYPE), which is not allowed.") from None
    except ValueError:
        raise RequestProblem(RequestFault.NOT_XML, "The file is not XML.") from None
    if (root.getroottree().docinfo.encoding or "UTF-8").upper() not in _UTF8:
        raise RequestProblem(RequestFault.BAD_ENCODING, "The file is not in UTF-8.")
    return root


def _locate(root):
    """Return (signature, request, elements whose signing covers the request)."""
    signatures = [
        item for item in root.iter(ds("Signature"))
        if item.getparent() is None or item.getparent().tag != f"{_XADES}CounterSignature"]
    if len(signatures) > 1:
        raise RequestProblem(
            RequestFault.SEVERAL_SIGNATURES, f"The file has {len(signatures)} signatures; KSeF takes exactly one.")
    if signatures and signatures[0] is root:
        return root, *_locate_enveloped(root)
    if not _is_request(root):
        raise RequestProblem(RequestFault.NOT_A_REQUEST, "This is not the file that was to be signed.")
    if not signatures:
        raise RequestProblem(RequestFault.NO_SIGNATURE, "The file is not signed.")
    if signatures[0].getparent() is not root:
        raise RequestProblem(RequestFault.NOT_COVERED, "The signature in the file is not about this request.")
    return signatures[0], root, (root,)


def _locate_enveloped(signature):
    """Return (request, covering elements) of a signature that is the root and holds the request in an Object."""
    for element in signature.findall(ds("Object")):
        if (element.get("Encoding") or "").endswith("base64") or not len(element):  # some programs don't name the encoding
            try:
                inner = safe_xml.parse(unbase64(element.xpath("string()")))
            except ValueError:
                continue
            if _is_request(inner):
                return inner, (element,)
        for child in element.iterchildren(etree.Element):
            if _is_request(child):
                return child, (element, child)
    raise RequestProblem(*_WRONG[xml_signature.DetachedError])


def _is_request(element):
    return element.tag in [f"{{{namespace}}}AuthTokenRequest" for namespace in NAMESPACES]


def _verify(signature, covering):
    """Return (CertificateInfo of the signer, whether everything could be computed)."""
    try:
        properties = _signed_properties(signature)
        certificate = _signing_certificate(signature, properties)
        signer = read_info(certificate)
    except xml_signature.SignatureError as error:
        raise RequestProblem(*_WRONG[type(error)]) from None
    except CertificateProblem:
        raise RequestProblem(RequestFault.NO_CERTIFICATE, "The signer's certificate cannot be read.") from None
    if not is_strong(public_key(certificate)):
        raise RequestProblem(
            RequestFault.WEAK_KEY, f"The key of the certificate ({signer.key_kind}, {signer.key_bits} bits) is too weak "
            "for KSeF.", signer=signer)
    try:
        covered = xml_signature.verify_references(signature)
        xml_signature.verify_value(signature, public_key(certificate))
    except xml_signature.UndecidedError:
        return signer, False
    except xml_signature.SignatureError as error:
        raise RequestProblem(*_WRONG[type(error)], signer=signer) from None
    if not any(item is part for item in covered for part in covering):
        raise RequestProblem(
            RequestFault.NOT_COVERED, "The signature in the file is not about this request.", signer=signer)
    if not any(item is properties for item in covered):
        raise _not_xades()
    return signer, True


def _signed_properties(signature):
    """Return the XAdES properties that this very signature signs."""
    found = signature.findall(f"{ds('Object')}/{_XADES}QualifyingProperties/{_XADES}SignedProperties")
    if len(found) != 1:
        raise _not_xades()
    return found[0]


def _signing_certificate(signature, properties):
    """Return the certificate in the signature that its properties name."""
    marks = [
        mark for name in ("SigningCertificate", "SigningCertificateV2")
        for mark in properties.findall(f"{_XADES}SignedSignatureProperties/{_XADES}{name}/{_XADES}Cert/{_XADES}CertDigest")]
    if not marks:
        raise _not_xades()
    shown = signature.findall(f"{ds('KeyInfo')}/{ds('X509Data')}/{ds('X509Certificate')}")[:_MOST_CERTIFICATES]
    if not shown:
        raise RequestProblem(RequestFault.NO_CERTIFICATE, "The signature does not hold the signer's certificate.")
    for content in [unbase64(item.text) for item in shown]:
        for mark in marks:
            method, stated = only(mark, "DigestMethod").get("Algorithm"), unbase64(only(mark, "DigestValue").text)
            if xml_signature.digest(method, content, takes_sha1=True) == stated:
                return certificate_from_der(content)
    raise RequestProblem(*_WRONG[xml_signature.ValueWrongError])


def _not_xades():
    return RequestProblem(
        RequestFault.NOT_XADES, "This is an XML signature, but not one of the kind XAdES, which KSeF asks for.")


def _check_certificate(signer, now):
    try:
        signer.check_now(now)
    except CertificateProblem as error:
        faults = {
            CertificateFault.EXPIRED: RequestFault.CERTIFICATE_EXPIRED,
            CertificateFault.NOT_YET_VALID: RequestFault.CERTIFICATE_NOT_YET_VALID}
        raise RequestProblem(faults[error.fault], error.description, signer=signer) from None


@dataclass(frozen=True)
class _Content:
    challenge: str
    context: Context
    subject_type: str


def _read(request):
    """Return what the request says, read as the signature sees it: without comments."""
    namespace = etree.QName(request).namespace

    def text(element):
        return "" if element is None else element.xpath("string()").strip()

    identifiers = [
        item for parent in request.findall(f"{{{namespace}}}ContextIdentifier") for item in parent.iterchildren(etree.Element)]
    challenges = request.findall(f"{{{namespace}}}Challenge")
    if len(identifiers) != 1 or len(challenges) != 1:
        raise RequestProblem(RequestFault.NOT_A_REQUEST, "This is not the file that was to be signed.")
    return _Content(
        text(challenges[0]), Context(text(identifiers[0]), etree.QName(identifiers[0]).localname),
        text(request.find(f"{{{namespace}}}SubjectIdentifierType")))
