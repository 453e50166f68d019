"""Whose certificate it is, how long and for what it serves; and what can be wrong with the files of one.

Source: reference of KSeF 2.0, "Accepted certificates"; X.509 (RFC 5280); ETSI EN 319 412-1 for the identifiers.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from .crypto import CERTIFICATE_ERRORS
from .errors import KsefConfigError

ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")
UNIQUE_IDENTIFIER = x509.ObjectIdentifier("2.5.4.45")
_QC_STATEMENTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3")  # ETSI EN 319 412-5: in every qualified certificate

# The attributes of a subject that KSeF names, in its own words and order (CertificateEnrollmentDataResponse).
SUBJECT_ATTRIBUTES = {
    "commonName": NameOID.COMMON_NAME,
    "countryName": NameOID.COUNTRY_NAME,
    "givenName": NameOID.GIVEN_NAME,
    "surname": NameOID.SURNAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "uniqueIdentifier": UNIQUE_IDENTIFIER,
    "organizationName": NameOID.ORGANIZATION_NAME,
    "organizationIdentifier": ORGANIZATION_IDENTIFIER,
}

SMALLEST_RSA_BITS = 2048
SMALLEST_EC_BITS = 256

# KSeF searches these patterns in the subject (XAdES rules of the reference).
_SEAL_NIP = re.compile(r"VATPL.*?(\d{10})", re.ASCII)
_PERSON_NIP = re.compile(r"(?:TINPL|NIP).*?(\d{10})", re.ASCII)
_PERSON_PESEL = re.compile(r"(?:PNOPL|PESEL).*?(\d{11})", re.ASCII)


class CertificateFault(StrEnum):
    """What is wrong with the files of a certificate: one value for each thing a person must do about it."""

    TOO_LARGE = "too_large"
    EMPTY = "empty"
    NOT_A_CERTIFICATE = "not_a_certificate"  # a PDF, a picture, some text
    DAMAGED = "damaged"  # begins like a certificate or a key, but cannot be read
    SIGNING_REQUEST = "signing_request"  # a CSR: what a certificate is asked for with
    PUBLIC_KEY = "public_key"  # the public half of a key
    NO_CERTIFICATE = "no_certificate"
    NO_KEY = "no_key"
    SEVERAL_CERTIFICATES = "several_certificates"
    SEVERAL_KEYS = "several_keys"
    PASSWORD_MISSING = "password_missing"  # noqa: S105 - a name, no password
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - a name, no password
    UNSUPPORTED_ENCRYPTION = "unsupported_encryption"
    UNSUPPORTED_KEY = "unsupported_key"  # neither RSA nor EC
    WEAK_KEY = "weak_key"
    KEY_MISMATCH = "key_mismatch"  # the key of another certificate
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"


class CertificateProblem(KsefConfigError):
    """The files of a certificate cannot be used; ``fault`` is a :class:`CertificateFault`.

    :ivar info: :class:`CertificateInfo` where the certificate could be read, so that a screen can show which one it is
    """

    def __init__(self, fault, description, info=None):
        super().__init__(description)
        self.fault = fault
        self.info = info


class CertificateKind(StrEnum):
    """What a certificate is for, by its key usage (as KSeF sets it).

    OTHER: not KSeF's own, as far as one can see: qualified, or with both usages, or with none stated.
    """

    AUTHENTICATION = "Authentication"
    OFFLINE = "Offline"  # for QR codes of invoices issued offline; KSeF refuses it for logging in
    OTHER = "other"


@dataclass(frozen=True)
class CertificateInfo:
    """What a certificate says.

    :ivar name: common name of the subject (person or company)
    :ivar nip: NIP that KSeF reads from it, or None
    :ivar pesel: PESEL that KSeF reads from it, or None; show :attr:`identifier_masked` instead
    :ivar serial: serial number as KSeF writes it: at least 16 hexadecimal digits, upper case
    :ivar issuer: common name (else organisation) of the issuer
    :ivar valid_from: aware datetime in UTC, as ``valid_to``
    :ivar kind: :class:`CertificateKind`
    :ivar key_kind: ``RSA``, ``EC`` or ``other``; ``key_bits`` its length
    :ivar fingerprint: SHA-256 of the certificate, 64 hexadecimal digits, upper case
    """

    name: str
    organization: str
    nip: str | None
    pesel: str | None = field(repr=False)
    serial: str
    issuer: str
    valid_from: datetime
    valid_to: datetime
    kind: CertificateKind
    key_kind: str
    key_bits: int
    fingerprint: str
    is_seal: bool = False
    is_authority: bool = False
    is_self_signed: bool = False

    @property
    def identifier_masked(self):
        """``NIP 5265877635``, ``PESEL *******3597``, or ``''`` when the subject names neither."""
        if self.pesel:
            return f"PESEL *******{self.pesel[-4:]}"
        return f"NIP {self.nip}" if self.nip else ""

    def check_now(self, now=None):
        """Raise :class:`CertificateProblem` unless the certificate is valid ``now``."""
        now = now or datetime.now(UTC)
        if now > self.valid_to:
            raise CertificateProblem(
                CertificateFault.EXPIRED, f"The certificate expired on {self.valid_to:%Y-%m-%d}.", self)
        if now < self.valid_from:
            raise CertificateProblem(
                CertificateFault.NOT_YET_VALID, f"The certificate is valid only from {self.valid_from:%Y-%m-%d}.", self)


def read_info(certificate):
    """Return the :class:`CertificateInfo` of a certificate of ``cryptography``.

    :raise CertificateProblem: it is damaged; some versions of the library notice that only here
    """
    try:
        return _read_info(certificate)
    except CERTIFICATE_ERRORS:
        raise CertificateProblem(CertificateFault.DAMAGED, "The certificate is damaged.") from None


def _read_info(certificate):
    subject = certificate.subject
    organization_id = _first(subject, ORGANIZATION_IDENTIFIER)
    serial_number = _first(subject, NameOID.SERIAL_NUMBER)
    # KSeF takes it for a seal when there is an organisation's identifier and no person's name
    is_person = any(_first(subject, oid) for oid in (NameOID.GIVEN_NAME, NameOID.SURNAME)) or not organization_id
    key_kind, key_bits = describe_key(public_key(certificate))
    return CertificateInfo(
        name=_first(subject, NameOID.COMMON_NAME) or _first(subject, NameOID.ORGANIZATION_NAME),
        organization=_first(subject, NameOID.ORGANIZATION_NAME),
        nip=_find(_PERSON_NIP, serial_number) if is_person else _find(_SEAL_NIP, organization_id),
        pesel=_find(_PERSON_PESEL, serial_number) if is_person else None,
        serial=f"{certificate.serial_number:016X}",
        issuer=_first(certificate.issuer, NameOID.COMMON_NAME) or _first(certificate.issuer, NameOID.ORGANIZATION_NAME),
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        kind=_kind(certificate),
        key_kind=key_kind,
        key_bits=key_bits,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex().upper(),
        is_seal=not is_person,
        is_authority=_is_authority(certificate),
        is_self_signed=certificate.issuer == certificate.subject,
    )


def public_key(certificate):
    """Return the public key of a certificate, or None when its kind is not known."""
    try:
        return certificate.public_key()
    except CERTIFICATE_ERRORS:
        return None


def describe_key(key):
    """Return (``RSA``, ``EC`` or ``other``, bits) of a public or private key."""
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
        return "EC", key.curve.key_size
    return "other", 0


def is_strong(key):
    """Whether KSeF takes a key of this length: RSA from 2048 bits, EC from 256 bits."""
    kind, bits = describe_key(key)
    return bits >= {"RSA": SMALLEST_RSA_BITS, "EC": SMALLEST_EC_BITS}.get(kind, bits + 1)


def _first(name, oid):
    """Return the value of an attribute of a name as text, ``''`` when there is none."""
    values = [attribute.value for attribute in name.get_attributes_for_oid(oid)]
    return next((value for value in values if isinstance(value, str)), "").strip()


def _find(pattern, text):
    match = pattern.search(text)
    return match and match[1]


def _extension(certificate, kind):
    """Return the content of an extension, or None when there is none or it cannot be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return None


def _kind(certificate):
    usage = _extension(certificate, x509.KeyUsage)
    # a qualified signature or seal may have the usage of KSeF's offline certificates, but logs in
    if usage is None or usage.digital_signature == usage.content_commitment or _is_qualified(certificate):
        return CertificateKind.OTHER
    return CertificateKind.AUTHENTICATION if usage.digital_signature else CertificateKind.OFFLINE


def _is_qualified(certificate):
    try:
        return any(extension.oid == _QC_STATEMENTS for extension in certificate.extensions)
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return False


def _is_authority(certificate):
    constraints = _extension(certificate, x509.BasicConstraints)
    return bool(constraints and constraints.ca)
