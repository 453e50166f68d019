"""Certificates with their private keys: reading what people have, keeping it as PEM, asking KSeF for new ones.

    pair = read_credentials([certificate_file, key_file], password)
    pair.info.check_now()
    key_pem, certificate_pem = pair.key_pem, pair.certificate_pem  # to be stored; the first one encrypted
    pair = KeyPair.from_pem(key_pem, certificate_pem)
"""

import base64
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from .certificate_files import MAX_BYTES, read_parts
from .certificate_info import (
    SUBJECT_ATTRIBUTES,
    CertificateFault,
    CertificateInfo,
    CertificateKind,
    CertificateProblem,
    describe_key,
    is_strong,
    public_key,
    read_info,
)
from .crypto import CERTIFICATE_ERRORS
from .errors import KsefConfigError
from .types import Secret

__all__ = [
    "MAX_BYTES",
    "CertificateFault",
    "CertificateInfo",
    "CertificateKind",
    "CertificateProblem",
    "KeyPair",
    "SigningRequest",
    "certificate_from_der",
    "key_from_pem",
    "new_csr",
    "read_certificate",
    "read_credentials",
]


@dataclass(frozen=True)
class KeyPair:
    """A certificate and the private key that belongs to it (objects of ``cryptography``). Not shown, not pickled."""

    certificate: x509.Certificate = field(repr=False)
    private_key: object = field(repr=False)

    def __post_init__(self):
        info = self.info
        if describe_key(self.private_key)[0] == "other" or info.key_kind == "other":
            raise CertificateProblem(
                CertificateFault.UNSUPPORTED_KEY, "The key is neither RSA nor EC; KSeF takes no other kind.", info)
        if not is_strong(self.private_key):
            raise CertificateProblem(
                CertificateFault.WEAK_KEY, f"The key is too short for KSeF ({info.key_kind}, {info.key_bits} bits).", info)
        if public_key(self.certificate) != self.private_key.public_key():
            raise CertificateProblem(
                CertificateFault.KEY_MISMATCH, "The private key does not belong to this certificate.", info)

    def __reduce_ex__(self, protocol):
        raise TypeError("a KeyPair is not pickled")

    @classmethod
    def from_pem(cls, key_pem, certificate_pem):
        """Return the pair kept as two texts; ``key_pem`` may be a Secret.

        :raise CertificateProblem: they cannot be read, or do not belong together
        """
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        except CERTIFICATE_ERRORS:
            raise CertificateProblem(CertificateFault.DAMAGED, "The stored certificate cannot be read.") from None
        return cls(certificate, key_from_pem(key_pem))

    @classmethod
    def from_der(cls, key_pem, certificate_der):
        """Return the pair of a kept key and the certificate that KSeF issued for it (IssuedCertificate).

        :raise CertificateProblem: they cannot be read, or do not belong together
        """
        return cls(certificate_from_der(certificate_der), key_from_pem(key_pem))

    @property
    def info(self):
        """The :class:`CertificateInfo` of the certificate."""
        return read_info(self.certificate)

    @property
    def certificate_pem(self):
        """The certificate as PEM text."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def certificate_der(self):
        """The certificate as DER bytes."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self):
        """The private key as PEM text (PKCS#8, not encrypted) in a Secret."""
        return _key_pem(self.private_key)


def read_credentials(files, password=None):
    """Return the :class:`KeyPair` in the files that the taxpayer application, or a certificate's issuer, gives.

    Taken are PEM, DER and bare Base64 of a certificate, a private key (PKCS#8, encrypted or not, PKCS#1, SEC1), and
    PKCS#12. Certificates of authorities beside the person's own do no harm. Whether it is valid today is not checked
    here: see :meth:`CertificateInfo.check_now`.

    :param files: contents (bytes), in any order
    :param password: text or None
    :raise CertificateProblem: its ``fault`` says what must be done
    """
    parts = read_parts(files, password)
    certificate = _choose(parts)
    if not parts.keys:
        raise _missing_key(parts, certificate)
    if len(parts.keys) > 1:
        raise CertificateProblem(
            CertificateFault.SEVERAL_KEYS, "There are several private keys; choose the one of this certificate.",
            read_info(certificate))
    return KeyPair(certificate, parts.keys[0])


def read_certificate(files):
    """Return the :class:`CertificateInfo` of the certificate in some files without a key (bytes each).

    :raise CertificateProblem: there is none, or not exactly one
    """
    return read_info(_choose(read_parts(files, None)))


def key_from_pem(key_pem):
    """Return the private key (an object of ``cryptography``) kept as PEM text or Secret.

    :raise CertificateProblem: it cannot be read
    """
    text = key_pem.reveal() if isinstance(key_pem, Secret) else key_pem
    try:
        return load_pem_private_key(text.encode(), None)
    except CERTIFICATE_ERRORS:
        raise CertificateProblem(CertificateFault.DAMAGED, "The stored private key cannot be read.") from None


def certificate_from_der(content):
    """Return the certificate (an object of ``cryptography``) in DER bytes.

    :raise CertificateProblem: it is none
    """
    try:
        return x509.load_der_x509_certificate(content)
    except CERTIFICATE_ERRORS:
        raise CertificateProblem(CertificateFault.DAMAGED, "The certificate cannot be read.") from None


def _choose(parts):
    """Return the one certificate that is meant."""
    found = parts.certificates
    if not found:
        raise _missing_certificate(parts)
    if len(found) > 1 and len(parts.keys) == 1:
        found = [item for item in found if public_key(item) == parts.keys[0].public_key()] or found
    if len(found) > 1:
        found = [item for item in found if not read_info(item).is_authority] or found
    if len(found) > 1:
        raise CertificateProblem(
            CertificateFault.SEVERAL_CERTIFICATES, "There are several certificates; choose one.")
    return found[0]


def _missing_certificate(parts):
    if parts.has_request:
        return CertificateProblem(
            CertificateFault.SIGNING_REQUEST,
            "This is a certificate signing request (CSR), not the certificate that was issued for it.")
    return CertificateProblem(CertificateFault.NO_CERTIFICATE, "There is no certificate in the files.")


def _missing_key(parts, certificate):
    info = read_info(certificate)
    if parts.has_public_key:
        return CertificateProblem(
            CertificateFault.PUBLIC_KEY, "This is the public half of the key; the private key is needed.", info)
    return CertificateProblem(CertificateFault.NO_KEY, "There is no private key in the files.", info)


@dataclass(frozen=True)
class SigningRequest:
    """A new key and the request to certify it: ``key_pem`` a Secret (PKCS#8 PEM), ``csr`` PKCS#10 DER in Base64."""

    key_pem: Secret
    csr: str = field(repr=False)  # holds a PESEL


def new_csr(data, private_key=None):
    """Return a :class:`SigningRequest` with a new EC P-256 key (unless one is given) for a certificate of KSeF.

    Store the key (encrypted) before the request is sent: KSeF never returns it.

    :param data: what KSeF says of the one who is logged in: CertificateEnrollmentData or a mapping of the same names
        as in the contract (``commonName`` …). The subject of the request is made of exactly these.
    :raise KsefConfigError: a value cannot stand in a certificate
    """
    values = getattr(data, "attributes", data)
    private_key = private_key or ec.generate_private_key(ec.SECP256R1())
    try:
        subject = x509.Name([
            x509.NameAttribute(oid, values[name]) for name, oid in SUBJECT_ATTRIBUTES.items() if values.get(name)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(private_key, hashes.SHA256())
    except (ValueError, TypeError):
        raise KsefConfigError("The data that KSeF gives for the certificate cannot stand in a request.") from None
    csr = base64.b64encode(request.public_bytes(Encoding.DER)).decode()
    return SigningRequest(_key_pem(private_key), csr)


def _key_pem(private_key):
    return Secret(private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
