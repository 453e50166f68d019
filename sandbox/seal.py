"""An enveloped XAdES-BES signature by the sandbox's seal, written by hand on lxml's canonicalisation."""

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_ENVELOPED = DS + "enveloped-signature"
_SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"

_TEMPLATE = """<ds:Signature xmlns:ds="{ds}" Id="Signature"><ds:SignedInfo>\
<ds:CanonicalizationMethod Algorithm="{c14n}"/><ds:SignatureMethod Algorithm="{rsa}"/>\
<ds:Reference Id="Reference-Document" URI=""><ds:Transforms><ds:Transform Algorithm="{enveloped}"/>\
<ds:Transform Algorithm="{c14n}"/></ds:Transforms><ds:DigestMethod Algorithm="{sha}"/><ds:DigestValue/></ds:Reference>\
<ds:Reference Type="{type}" URI="#SignedProperties"><ds:Transforms><ds:Transform Algorithm="{c14n}"/></ds:Transforms>\
<ds:DigestMethod Algorithm="{sha}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
<ds:Object><xades:QualifyingProperties xmlns:xades="{xades}" Target="#Signature">\
<xades:SignedProperties Id="SignedProperties"><xades:SignedSignatureProperties>\
<xades:SigningTime>{time}</xades:SigningTime><xades:SigningCertificate><xades:Cert><xades:CertDigest>\
<ds:DigestMethod Algorithm="{sha}"/><ds:DigestValue>{certificate_digest}</ds:DigestValue></xades:CertDigest>\
<xades:IssuerSerial><ds:X509IssuerName>{issuer}</ds:X509IssuerName><ds:X509SerialNumber>{serial}</ds:X509SerialNumber>\
</xades:IssuerSerial></xades:Cert></xades:SigningCertificate></xades:SignedSignatureProperties>\
<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#Reference-Document">\
<xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>\
</xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature>"""


def _b64(data):
    return base64.b64encode(data).decode()


def _canonical(node):
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)


def seal(root, key, certificate, moment):
    """Sign a document: append the signature to ``root`` and return the document's bytes.

    ``key`` is an RSA private key, ``certificate`` its DER, ``moment`` the signing time (aware).
    """
    parsed = x509.load_der_x509_certificate(certificate)
    issuer = parsed.issuer.rfc4514_string().replace("&", "&amp;").replace("<", "&lt;")
    signature = etree.fromstring(_TEMPLATE.format(
        ds=DS, xades=XADES, c14n=_EXCLUSIVE, rsa=_RSA_SHA256, enveloped=_ENVELOPED, sha=_SHA256,
        type=_SIGNED_PROPERTIES, certificate=_b64(certificate), issuer=issuer, serial=parsed.serial_number,
        time=f"{moment:%Y-%m-%dT%H:%M:%SZ}", certificate_digest=_b64(hashlib.sha256(certificate).digest())))
    document_digest = hashlib.sha256(_canonical(root)).digest()
    root.append(signature)
    properties = signature.find(f".//{{{XADES}}}SignedProperties")
    values = signature.findall(f"{{{DS}}}SignedInfo/{{{DS}}}Reference/{{{DS}}}DigestValue")
    values[0].text = _b64(document_digest)
    values[1].text = _b64(hashlib.sha256(_canonical(properties)).digest())
    signed = key.sign(_canonical(signature.find(f"{{{DS}}}SignedInfo")), padding.PKCS1v15(), hashes.SHA256())
    signature.find(f"{{{DS}}}SignatureValue").text = _b64(signed)
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)
