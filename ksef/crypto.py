"""Hashes and encryption as KSeF prescribes them: SHA-256, AES-256-CBC with PKCS#7, RSA-OAEP with SHA-256."""

import base64
import hashlib
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .errors import KsefConfigError

# what reading a certificate can end with, at once or when a part of it is looked at
CERTIFICATE_ERRORS = (ValueError, TypeError, LookupError, UnsupportedAlgorithm, x509.InvalidVersion)

KEY_BYTES = 32
IV_BYTES = 16
_BLOCK_BITS = 128
_SMALLEST_RSA_BITS = 2048
# How far the clock here may be from KSeF's before a public key is taken for one of another time.
CLOCK_SKEW = timedelta(minutes=15)


@dataclass(frozen=True)
class SessionSecret:
    """Key and initialization vector of one session; both encrypt every invoice of it. Not shown, not pickled."""

    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)

    def __post_init__(self):
        if len(self.key) != KEY_BYTES or len(self.iv) != IV_BYTES:
            raise KsefConfigError("A session's key has 32 bytes and its initialization vector has 16.")

    def __reduce_ex__(self, protocol):
        raise TypeError("a SessionSecret is not pickled")


@dataclass(frozen=True)
class Encryption:
    """A session's key, encrypted for KSeF: what opening a session needs."""

    encrypted_key_b64: str
    iv_b64: str
    public_key_id: str | None = None


@dataclass(frozen=True)
class EncryptedInvoice:
    """An encrypted invoice file: hashes in standard Base64, sizes in bytes, of the file and of its ciphertext."""

    hash: str
    size: int
    encrypted_hash: str
    encrypted_size: int
    content_b64: str = field(repr=False)


def sha256_b64(data):
    """Return the SHA-256 of ``data`` (bytes) in standard Base64: 44 characters, as everywhere in KSeF's JSON."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def sha256_b64url(data):
    """Return the SHA-256 of ``data`` (bytes) in Base64URL without padding: 43 characters, as in QR codes."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def new_session_secret():
    """Return a fresh :class:`SessionSecret` from the system's random source."""
    return SessionSecret(key=os.urandom(KEY_BYTES), iv=os.urandom(IV_BYTES))


def encrypt_invoice(xml, secret):
    """Encrypt the bytes of an invoice file with a session's secret and return an :class:`EncryptedInvoice`."""
    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(secret.key), modes.CBC(secret.iv)).encryptor()
    content = encryptor.update(padder.update(xml) + padder.finalize()) + encryptor.finalize()
    return EncryptedInvoice(
        hash=sha256_b64(xml),
        size=len(xml),
        encrypted_hash=sha256_b64(content),
        encrypted_size=len(content),
        content_b64=base64.b64encode(content).decode(),
    )


def encrypt_session_key(secret, public_key):
    """Encrypt a session's key for KSeF with its public key of usage SymmetricKeyEncryption."""
    return Encryption(
        encrypted_key_b64=_encrypt_for(public_key, secret.key),
        iv_b64=base64.b64encode(secret.iv).decode(),
        public_key_id=public_key.public_key_id,
    )


def encrypt_token(token, timestamp_ms, public_key):
    """Encrypt a KSeF token for a login with the public key of usage KsefTokenEncryption; return Base64.

    :param timestamp_ms: the challenge's time in Unix milliseconds
    """
    if not token:
        raise KsefConfigError("There is no KSeF token to log in with.")
    return _encrypt_for(public_key, f"{token}|{timestamp_ms}".encode())


def select_public_key(keys, usage, now=None):
    """Return the :class:`~.types.PublicKey` to use: for ``usage``, valid ``now``, latest start of validity.

    During a rotation KSeF lists two keys of one usage. Only RSA keys can be used: KSeF documents no other kind. Where none is
    valid by the clock here, one that is within :data:`CLOCK_SKEW` will do: KSeF's clock decides, and refuses what it doesn't know.

    :raise KsefConfigError: there is no such key
    """
    now = now or datetime.now(UTC)
    known = [key for key in keys if usage in key.usages]
    valid = [key for key in known if key.valid_from <= now <= key.valid_to] or [
        key for key in known if key.valid_from - CLOCK_SKEW <= now <= key.valid_to + CLOCK_SKEW]
    if not valid:
        raise KsefConfigError(
            f"KSeF offers no public key for {usage} that is valid now. Check the clock of this machine."
        )
    usable = [key for key in valid if _find_rsa_key(key)]
    if not usable:
        raise KsefConfigError(f"KSeF offers only public keys for {usage} of a kind that is not supported (not RSA).")
    return max(usable, key=lambda key: key.valid_from)


def public_key_id(certificate_der):
    """Return the ``publicKeyId`` of a certificate: SHA-256 of its SubjectPublicKeyInfo in Base64.

    :raise ValueError: not a certificate
    """
    try:
        key = x509.load_der_x509_certificate(certificate_der).public_key()
    except CERTIFICATE_ERRORS as error:
        raise ValueError("a certificate that cannot be read, or with an unknown kind of key") from error
    return sha256_b64(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _find_rsa_key(public_key):
    """Return the RSA key of a certificate if it is one of sufficient length, else None."""
    try:
        key = x509.load_der_x509_certificate(public_key.certificate_der).public_key()
    except CERTIFICATE_ERRORS:
        return None
    return key if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _SMALLEST_RSA_BITS else None


def _encrypt_for(public_key, plaintext):
    key = _find_rsa_key(public_key)
    if key is None:
        raise KsefConfigError("The public key of KSeF is not an RSA key of at least 2048 bits; it cannot be used.")
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    try:
        return base64.b64encode(key.encrypt(plaintext, oaep)).decode()
    except ValueError:  # "Encryption failed": longer than the key can take
        raise KsefConfigError("This is too long to be encrypted for KSeF; is it really a KSeF token?") from None
