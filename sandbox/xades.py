"""A signed AuthTokenRequest: where the request is, whether the signature is an accepted XAdES and covers it."""

from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509
from lxml import etree

from . import clock
from .errors import ApiError
from .xmlsig import BadSignature, Signature, decode, digest, tag

XADES = "http://uri.etsi.org/01903/v1.3.2#"
REQUESTS = ("http://ksef.mf.gov.pl/auth/token/2.0", "http://ksef.mf.gov.pl/auth/token/2.1")
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
PROFILE = "Format podpisu niezgodny z akceptowanymi profilami XAdES."
CLOCK_SKEW = timedelta(minutes=5)


@dataclass
class SignedRequest:
    """What a verified document says."""

    challenge: str
    context: dict
    subject_type: str
    policy: dict
    certificate: x509.Certificate
    certificate_der: bytes = field(repr=False, default=b"")


def _xades(name):
    return f"{{{XADES}}}{name}"


def parse(data):
    """Root element of a document; raises 21001, 21217 or 9101."""
    if not data.strip():
        raise ApiError(21001, "Dokument jest pusty.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError(21217, "Dokument musi być w kodowaniu UTF-8.") from error
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ApiError(9101, f"Nieprawidłowy XML: {str(error)[:200]}") from error
    info = root.getroottree().docinfo
    if info.doctype or "<!DOCTYPE" in text[:2000]:
        raise ApiError(9101, "Deklaracja DOCTYPE jest niedozwolona.")
    if (info.encoding or "UTF-8").upper() not in ("UTF-8", "ASCII", "US-ASCII"):
        raise ApiError(21217, "Dokument musi być w kodowaniu UTF-8.")
    return root


def find(root):
    """(signature element, request element, element whose signing covers the request)."""
    signatures = [node for node in root.iter(tag("Signature")) if node.getparent() is None
                  or node.getparent().tag != _xades("CounterSignature")]
    if not signatures:
        raise ApiError(9102)
    if len(signatures) > 1:
        raise ApiError(9103)
    signature = signatures[0]
    if signature is root:
        return signature, *_enveloped_by(signature)
    if etree.QName(root).localname != "AuthTokenRequest" or etree.QName(root).namespace not in REQUESTS:
        raise ApiError(9101, "Element główny nie jest dokumentem AuthTokenRequest.")
    if signature.getparent() is not root:
        raise ApiError(9105, "Podpis nie jest bezpośrednim elementem podpisanego dokumentu.")
    return signature, root, None


def _enveloped_by(signature):
    """(request, covered element) inside an enveloping signature; the request may be Base64 of a document."""
    for element in signature.findall(tag("Object")):
        if (element.get("Encoding") or "").endswith("base64"):
            try:
                inner = parse(decode("".join(element.itertext()), "Object"))
            except BadSignature as error:
                raise ApiError(9105, str(error)) from error
            if etree.QName(inner).localname == "AuthTokenRequest":
                return inner, element
        for child in element.iterchildren(etree.Element):
            if etree.QName(child).localname == "AuthTokenRequest" and etree.QName(child).namespace in REQUESTS:
                return child, element
    raise ApiError(9101, "Podpis nie obejmuje dokumentu AuthTokenRequest.")


def verify(root, now, allow_sha1):
    """(request element, certificate, its DER) of a document whose signature is valid; raises ApiError."""
    node, request, covered = find(root)
    try:
        signature = Signature(node, allow_sha1)
        properties = _signed_properties(node)
        der, certificate = _signing_certificate(signature, properties)
        _verify_references(signature, root, request, covered, properties)
        try:
            key = certificate.public_key()
        except ValueError as error:
            raise ApiError(21115, "Nieobsługiwany klucz publiczny certyfikatu.") from error
        signature.verify_value(key)
        _check_time(properties, certificate, now)
    except BadSignature as error:
        raise ApiError(9105, str(error)) from error
    return request, certificate, der


def _signed_properties(node):
    """SignedProperties of this very signature."""
    found = node.findall(f"{tag('Object')}/{_xades('QualifyingProperties')}/{_xades('SignedProperties')}")
    if len(found) != 1:
        raise BadSignature(PROFILE)
    target = found[0].getparent().get("Target")
    if target and target != f"#{node.get('Id')}":
        raise BadSignature(PROFILE)
    return found[0]


def _signing_certificate(signature, properties):
    """(DER, certificate): the one in KeyInfo that SigningCertificate names by its digest."""
    signed = properties.find(_xades("SignedSignatureProperties"))
    marks = [] if signed is None else [
        mark for name in ("SigningCertificate", "SigningCertificateV2")
        for mark in signed.findall(f"{_xades(name)}/{_xades('Cert')}/{_xades('CertDigest')}")]
    if not marks:
        raise BadSignature(PROFILE)
    certificates = signature.certificates()
    if not certificates:
        raise ApiError(21115, "Podpis nie zawiera certyfikatu.")
    method = marks[0].find(tag("DigestMethod"))
    value = decode(marks[0].findtext(tag("DigestValue")), "CertDigest")
    algorithm = method.get("Algorithm") if method is not None else None
    for der in certificates:
        if digest(algorithm, der) == value:
            try:
                return der, x509.load_der_x509_certificate(der)
            except (ValueError, TypeError) as error:
                raise ApiError(21115, "Nie można odczytać certyfikatu.") from error
    raise BadSignature("Skrót certyfikatu w SignedProperties nie odpowiada certyfikatowi podpisu.")


def _verify_references(signature, root, request, covered, properties):
    """All digests fit, one reference covers the request and one the signed properties."""
    whole = properties_signed = False
    for reference in signature.references():
        element = signature.verify_reference(reference)
        if element is properties:
            properties_signed = reference.get("Type") in (None, SIGNED_PROPERTIES)
        elif covered is None:
            whole = whole or element is None or element is root
        else:
            whole = whole or element is covered or element is request
    if not properties_signed:
        raise BadSignature(PROFILE)
    if not whole:
        raise BadSignature("Podpis nie obejmuje całego dokumentu AuthTokenRequest.")


def _check_time(properties, certificate, now):
    text = properties.findtext(f"{_xades('SignedSignatureProperties')}/{_xades('SigningTime')}")
    if text is None:
        return
    try:
        moment = clock.parse(text.strip())
    except ValueError as error:
        raise BadSignature("Nieprawidłowy czas podpisu (SigningTime).") from error
    if moment > now + CLOCK_SKEW:
        raise BadSignature("Czas podpisu (SigningTime) jest z przyszłości.")
    if not certificate.not_valid_before_utc - CLOCK_SKEW <= moment <= certificate.not_valid_after_utc:
        raise BadSignature("Czas podpisu (SigningTime) jest poza okresem ważności certyfikatu.")
