"""Signed login documents for the tests, made with signxml (an implementation that the sandbox does not use)."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.xades import XAdESSigner

REQUEST = "http://ksef.mf.gov.pl/auth/token/2.1"
OIDS = {
    "C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME,
    "OI": x509.ObjectIdentifier("2.5.4.97"), "GN": NameOID.GIVEN_NAME, "SN": NameOID.SURNAME,
    "serial": NameOID.SERIAL_NUMBER,
}


class Identity:
    """A key and a certificate."""

    def __init__(self, key, certificate):
        self.key = key
        self.certificate = certificate

    @classmethod
    def of_pem(cls, answer):
        """From the administration's PEM texts."""
        return cls(serialization.load_pem_private_key(answer["privateKey"].encode(), None),
                   x509.load_pem_x509_certificate(answer["certificate"].encode()))

    @property
    def pem(self):
        """The certificate as PEM text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def fingerprint(self):
        """SHA-256 of the certificate, upper-case hex."""
        return self.certificate.fingerprint(hashes.SHA256()).hex().upper()


def self_signed(names, key=None, days=365, start=None):
    """A self-signed certificate; ``names`` maps short names to values, in order."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(OIDS[short], value) for short, value in names.items()])
    begin = start or datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=61)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(begin)
                   .not_valid_after(begin + datetime.timedelta(days=days)).sign(key, hashes.SHA256()))
    return Identity(key, certificate)


def seal(nip, key=None, **options):
    """The seal of a company."""
    return self_signed({"C": "PL", "O": "Firma", "OI": f"VATPL-{nip}", "CN": "Firma"}, key, **options)


def person(identifier, key=None, **options):
    """A person; ``identifier`` such as PNOPL-44051401359 or TINPL-5265877635."""
    return self_signed({"GN": "Jan", "SN": "Kowalski", "serial": identifier, "CN": "Jan Kowalski", "C": "PL"}, key,
                       **options)


def rsa_key(size=2048):
    """An RSA key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def request(challenge, context, subject="certificateSubject", policy="", namespace=REQUEST, extra=""):
    """An AuthTokenRequest; ``context`` is (element name, value)."""
    kind, value = context
    return etree.fromstring(
        f'<AuthTokenRequest xmlns="{namespace}"{extra}><Challenge>{challenge}</Challenge><ContextIdentifier>'
        f"<{kind}>{value}</{kind}></ContextIdentifier><SubjectIdentifierType>{subject}</SubjectIdentifierType>{policy}"
        "</AuthTokenRequest>")


def sign(root, identity, method=None, digest=DigestAlgorithm.SHA256,
         c14n=CanonicalizationMethod.CANONICAL_XML_1_1,
         packaging=SignatureConstructionMethod.enveloped, **options):
    """Signed bytes."""
    if method is None:
        method = (SignatureMethod.ECDSA_SHA256 if isinstance(identity.key, ec.EllipticCurvePrivateKey)
                  else SignatureMethod.RSA_SHA256)
    signer = XAdESSigner(method=packaging, signature_algorithm=method, digest_algorithm=digest, c14n_algorithm=c14n)
    signed = signer.sign(root, key=identity.key, cert=identity.pem, **options)
    return etree.tostring(signed)
