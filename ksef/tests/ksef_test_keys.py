"""Certificates for the tests."""

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ksef import crypto
from ksef.types import KeyUsage, PublicKey


def make_certificate(key, *, valid=(-1, 365), names=("localhost",)):
    """Return a self-signed x509 certificate; ``valid`` is from and to in days from now."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    return (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=valid[0])).not_valid_after(now + timedelta(days=valid[1]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(item) for item in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def public_key(key, *, usages=(KeyUsage.SESSION,), start=-10, end=10):
    """Return a PublicKey valid from ``start`` to ``end`` in days from now."""
    now = datetime.now(UTC)
    certificate = make_certificate(key).public_bytes(Encoding.DER)
    return PublicKey(
        certificate, crypto.public_key_id(certificate), now + timedelta(start), now + timedelta(end),
        frozenset(map(str, usages)))


def key_info(key, *, usage=("KsefTokenEncryption", "SymmetricKeyEncryption"), start=-10):
    """Return a PublicKeyCertificate of the contract."""
    now = datetime.now(UTC)
    certificate = make_certificate(key).public_bytes(Encoding.DER)
    return {
        "certificate": base64.b64encode(certificate).decode(), "certificateId": "x" * 44,
        "publicKeyId": crypto.public_key_id(certificate), "usage": list(usage),
        "validFrom": (now + timedelta(start)).isoformat(), "validTo": (now + timedelta(10)).isoformat()}
