"""Signed login documents put together by hand, so that every variant and every forgery can be made."""

import base64
import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from lxml import etree

from .caller import b64

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
DIGESTS = {SHA256: "sha256", DS + "sha1": "sha1", "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
           "http://www.w3.org/2007/05/xmldsig-more#sha3-256": "sha3_256"}
_SIGNATURE = """<Signature xmlns="http://www.w3.org/2000/09/xmldsig#" Id="Signature"><SignedInfo>\
<CanonicalizationMethod Algorithm="{c14n}"/><SignatureMethod Algorithm="{method}"/>{references}</SignedInfo>\
<SignatureValue/><KeyInfo Id="KeyInfo"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo>\
<Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#Signature">\
<xades:SignedProperties Id="SignedProperties"><xades:SignedSignatureProperties>\
<xades:SigningTime>{time}</xades:SigningTime>{signing_certificate}</xades:SignedSignatureProperties>\
</xades:SignedProperties></xades:QualifyingProperties></Object>{inner}</Signature>"""
_CERTIFICATE = """<xades:{name}><xades:Cert><xades:CertDigest><DigestMethod Algorithm="{digest}"/>\
<DigestValue>{value}</DigestValue></xades:CertDigest></xades:Cert></xades:{name}>"""
ENVELOPED = f'<Transform Algorithm="{DS}enveloped-signature"/>'
XPATH = ('<Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><XPath '
         f'xmlns:ds="{DS}">not(ancestor-or-self::ds:Signature)</XPath></Transform>')
FILTER2 = ('<Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"><XPath '
           f'xmlns="http://www.w3.org/2002/06/xmldsig-filter2" xmlns:dsig="{DS}" Filter="subtract">'
           "/descendant::dsig:Signature</XPath></Transform>")


def transform(algorithm):
    """A Transform without parameters."""
    return f'<Transform Algorithm="{algorithm}"/>'


def reference(uri, transforms, digest, kind=""):
    """A Reference whose digest is filled in later."""
    return (f'<Reference URI="{uri}"{kind}><Transforms>{transforms}</Transforms><DigestMethod Algorithm="{digest}"/>'
            "<DigestValue/></Reference>")


def canonical(node, algorithm=EXCLUSIVE):
    """Canonical bytes; of a parsed copy, because lxml is wrong about elements inside another default namespace."""
    node = etree.fromstring(etree.tostring(node, with_tail=False))
    return etree.tostring(node, method="c14n", exclusive=algorithm.startswith(EXCLUSIVE), with_comments=False)


def rs(key, data, hash_):
    """An ECDSA signature as R||S."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hash_)))
    size = (key.curve.key_size + 7) // 8
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def signer(identity, hash_=None, scheme="pkcs1"):
    """bytes -> signature value."""
    hash_ = hash_ or hashes.SHA256()
    if isinstance(identity.key, ec.EllipticCurvePrivateKey):
        return lambda data: rs(identity.key, data, hash_)
    if scheme == "pss":
        return lambda data: identity.key.sign(data, padding.PSS(padding.MGF1(hash_), hash_.digest_size), hash_)
    return lambda data: identity.key.sign(data, padding.PKCS1v15(), hash_)


def build(root, identity, *, method=MORE + "ecdsa-sha256", sign=None, c14n=EXCLUSIVE, digest=SHA256, time=None,
          filtering=ENVELOPED, version="SigningCertificate", third=False, enveloping=False, certificate_digest=None,
          encoded=False):
    """Bytes of a signed document; see the parameters' uses below. ``encoded`` envelops the request as Base64."""
    der = identity.certificate.public_bytes(serialization.Encoding.DER)
    kind = ' Type="http://uri.etsi.org/01903#SignedProperties"'
    content = reference("#Content" if enveloping else "", ("" if enveloping else filtering) + transform(
        DS + "base64" if encoded else c14n), digest)
    references = content + reference("#SignedProperties", transform(c14n), digest, kind)
    references += reference("#KeyInfo", transform(c14n), digest) if third else ""
    value = certificate_digest or hashlib.new(DIGESTS[digest], der).digest()
    mark = _CERTIFICATE.format(name=version, digest=digest, value=b64(value)) if version else ""
    time = time or identity.certificate.not_valid_before_utc.replace(microsecond=0).isoformat()
    inner = etree.tostring(root).decode()
    mark_of_encoding = f' Encoding="{DS}base64"' if encoded else ""
    inner = f'<Object Id="Content"{mark_of_encoding}>{b64(inner.encode()) if encoded else inner}</Object>'
    inner = inner if enveloping else ""
    signature = _SIGNATURE.format(
        c14n=c14n, method=method, references=references, certificate=base64.encodebytes(der).decode(), time=time,
        signing_certificate=mark, inner=inner)
    return _finish(root, signature, sign or signer(identity), c14n, DIGESTS[digest], enveloping)


def _finish(root, signature, sign, c14n, digest, enveloping):
    """Put the texts together (lxml would drop namespace declarations when moving nodes) and fill the digests in."""
    plain = canonical(root, c14n)
    end = f"</{root.tag.rpartition('}')[2]}>"
    text = signature if enveloping else etree.tostring(root).decode().removesuffix(end) + signature + end
    document = etree.fromstring(text)
    signature = document if enveloping else document[-1]
    info = signature.find(f"{{{DS}}}SignedInfo")
    for node in info.findall(f"{{{DS}}}Reference"):
        uri = node.get("URI")
        target = signature.xpath(f".//*[@Id='{uri[1:]}']")[0] if uri else None
        data = plain if target is None else canonical(target, c14n)
        if target is not None and target.get("Encoding"):
            data = base64.b64decode(target.text)
        node.find(f"{{{DS}}}DigestValue").text = b64(hashlib.new(digest, data).digest())
    signature.find(f"{{{DS}}}SignatureValue").text = b64(sign(canonical(info, c14n)))
    return etree.tostring(document)
