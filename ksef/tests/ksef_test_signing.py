"""Signed login requests made by hand, so that every variant and every forgery can be made."""

import base64
import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
SHA256, SHA512 = "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmlenc#sha512"
SHA1 = DS + "sha1"
ENVELOPED = f'<Transform Algorithm="{DS}enveloped-signature"/>'
XPATH = ('<Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><XPath '
         f'xmlns:ds="{DS}"> not(ancestor-or-self::ds:Signature) </XPath></Transform>')
FILTER = ('<Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"><f:XPath '
          f'xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" xmlns:d="{DS}" Filter="subtract">'
          "/descendant::d:Signature</f:XPath></Transform>")
_HASHES = {SHA256: "sha256", SHA512: "sha512", SHA1: "sha1"}
_XADES = "http://uri.etsi.org/01903/v1.3.2#"


def b64(data):
    return base64.b64encode(data).decode()


def canonical(node, algorithm=EXCLUSIVE):
    """Return the canonical form of an element as a document of its own."""
    node = etree.fromstring(etree.tostring(node, with_tail=False))
    return etree.tostring(node, method="c14n", exclusive=algorithm.startswith(EXCLUSIVE), with_comments=False)


def rs(key, data, algorithm=None):
    """Return an ECDSA signature as R and S."""
    size = (key.curve.key_size + 7) // 8
    numbers = decode_dss_signature(key.sign(data, ec.ECDSA(algorithm or hashes.SHA256())))
    return b"".join(number.to_bytes(size, "big") for number in numbers)


def pss(key, data):
    """Return an RSA-PSS signature with SHA-256."""
    return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


class Signing:
    """How a document is signed; every attribute can be given."""

    method = MORE + "ecdsa-sha256"
    c14n = EXCLUSIVE
    digest = SHA256
    filtering = ENVELOPED
    uri = ""
    mark = "SigningCertificate"  # None: no XAdES mark of the certificate
    mark_digest = SHA256
    certificate = None  # another one than the signer's
    value = staticmethod(rs)  # (key, data) -> bytes
    signs_properties = True
    is_enveloping = False
    is_encoded = False

    def __init__(self, **options):
        for name, value in options.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def sign(self, xml, pair):
        """Return the signed bytes of a request (bytes)."""
        request = etree.fromstring(xml)
        plain = etree.tostring(request).decode()
        signature = self._signature(pair, plain)
        if self.is_enveloping:
            document = etree.fromstring(signature)
            element = document
        else:
            end = f"</{etree.QName(request).localname}>"
            document = etree.fromstring(plain.removesuffix(end) + signature + end)
            element = document[-1]
        info = element.find(f"{{{DS}}}SignedInfo")
        for reference in info.findall(f"{{{DS}}}Reference"):
            data = self._content(reference, element, request)
            algorithm = reference.find(f"{{{DS}}}DigestMethod").get("Algorithm")
            reference.find(f"{{{DS}}}DigestValue").text = b64(hashlib.new(_HASHES[algorithm], data).digest())
        value = self.value(pair.private_key, canonical(info, self.c14n))
        element.find(f"{{{DS}}}SignatureValue").text = b64(value)
        return etree.tostring(document)

    def _content(self, reference, signature, request):
        uri = reference.get("URI")
        if not uri.startswith("#"):
            return canonical(request, self.c14n)
        [target] = signature.xpath(".//*[@Id=$id]", id=uri[1:])
        return base64.b64decode(target.text) if target.get("Encoding") else canonical(target, self.c14n)

    def _reference(self, uri, transforms, kind=""):
        return (f'<Reference URI="{uri}"{kind}><Transforms>{transforms}</Transforms><DigestMethod '
                f'Algorithm="{self.digest}"/><DigestValue/></Reference>')

    def _signature(self, pair, plain):
        der = (self.certificate or pair).certificate_der
        c14n = f'<Transform Algorithm="{self.c14n}"/>'
        content = c14n
        if self.is_encoded:
            content = f'<Transform Algorithm="{DS}base64"/>'
        references = self._reference(
            "#Content" if self.is_enveloping else self.uri, ("" if self.is_enveloping else self.filtering) + content)
        if self.signs_properties:
            references += self._reference("#Properties", c14n, ' Type="http://uri.etsi.org/01903#SignedProperties"')
        mark = self.mark and (
            f'<x:{self.mark}><x:Cert><x:CertDigest><DigestMethod Algorithm="{self.mark_digest}"/><DigestValue>'
            f"{b64(hashlib.new(_HASHES[self.mark_digest], der).digest())}</DigestValue></x:CertDigest></x:Cert></x:{self.mark}>")
        inside = f'<Object Id="Content">{plain}</Object>'
        if self.is_encoded:
            inside = f'<Object Id="Content" Encoding="{DS}base64">{b64(plain.encode())}</Object>'
        return (
            f'<Signature xmlns="{DS}" Id="Signature"><SignedInfo><CanonicalizationMethod Algorithm="{self.c14n}"/>'
            f'<SignatureMethod Algorithm="{self.method}"/>{references}</SignedInfo><SignatureValue/><KeyInfo><X509Data>'
            f"<X509Certificate>{base64.encodebytes(der).decode()}</X509Certificate></X509Data></KeyInfo><Object>"
            f'<x:QualifyingProperties xmlns:x="{_XADES}" Target="#Signature"><x:SignedProperties Id="Properties">'
            f"<x:SignedSignatureProperties><x:SigningTime>{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}</x:SigningTime>{mark or ''}"
            "</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties></Object>"
            f"{inside if self.is_enveloping else ''}</Signature>")
