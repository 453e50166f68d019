"""Cryptography of the protocol, on the receiving side: RSA-OAEP, AES-256-CBC, hashes, key pairs, certificates."""

import base64
import binascii
import hashlib
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

_OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class Undecipherable(ValueError):
    """The content was not encrypted with the right key, or not in the right way."""


def sha256(data):
    """SHA-256 of bytes as standard Base64 (44 characters)."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def unbase64(text):
    """Bytes of standard Base64; raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error


def new_rsa_key():
    """A new RSA key pair of 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_ec_key():
    """A new key pair on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def private_der(key):
    """A private key as the state keeps it: PKCS#8 DER, unencrypted (nothing here is worth protecting)."""
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def load_private(data):
    """Read back ``private_der``."""
    return serialization.load_der_private_key(data, None)


def public_der(key):
    """SubjectPublicKeyInfo of a public key."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate_der(certificate):
    """DER of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def issue(common_name, key, issuer_key, issuer_name, start, end, serial=None):
    """A plain certificate of the ministry's own keys: O=Ministerstwo Finansów (piaskownica)."""
    name = x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "PL"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ministerstwo Finansów (piaskownica)"),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ])
    builder = (x509.CertificateBuilder().subject_name(name).issuer_name(issuer_name or name)
               .public_key(key.public_key()).serial_number(serial or x509.random_serial_number())
               .not_valid_before(start).not_valid_after(end)
               .add_extension(x509.BasicConstraints(ca=issuer_name is None, path_length=None), critical=True))
    return builder.sign(issuer_key, hashes.SHA256())


def validity(now, days):
    """(start, end) of a certificate issued now: from an hour ago, whole seconds."""
    start = now.replace(microsecond=0) - timedelta(hours=1)
    return start, start + timedelta(days=days)


def oaep_decrypt(key, data):
    """RSAES-OAEP with SHA-256 and MGF1-SHA-256; raises Undecipherable."""
    try:
        return key.decrypt(data, _OAEP)
    except ValueError as error:
        raise Undecipherable("RSA-OAEP") from error


def aes_decrypt(key, vector, data):
    """AES-256-CBC with PKCS#7; raises Undecipherable."""
    if not data or len(data) % 16:
        raise Undecipherable("AES: length")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    try:
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise Undecipherable("AES: padding") from error


def aes_encrypt(key, vector, data):
    """AES-256-CBC with PKCS#7."""
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
