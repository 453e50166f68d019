"""Certificates for logging in, and the requests that are signed with them."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ksef_test_sandbox import SELLER, wait

from ksef.certificates import KeyPair
from ksef.types import Context
from ksef.xades import auth_token_request, sign

OIDS = {
    "C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME,
    "OI": x509.ObjectIdentifier("2.5.4.97"), "GN": NameOID.GIVEN_NAME, "SN": NameOID.SURNAME,
    "serial": NameOID.SERIAL_NUMBER,
}


def self_signed(names, key=None, *, valid=(-1, 365), usage=(), authority=False, qualified=False):
    """Return a KeyPair of a self-signed certificate.

    :param names: short names of attributes and their values
    :param valid: from and to in days from now
    :param usage: key usages in cryptography's words, such as ``digital_signature``
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(OIDS[short], value) for short, value in names.items()])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(valid[0])).not_valid_after(now + timedelta(valid[1])))
    if usage:
        usages = dict.fromkeys((
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
        builder = builder.add_extension(x509.KeyUsage(**(usages | dict.fromkeys(usage, True))), critical=True)
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if qualified:  # QCStatements: id-etsi-qcs-QcCompliance
        statements = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3"), bytes.fromhex("300a3008060604008e460101"))
        builder = builder.add_extension(statements, critical=False)
    return KeyPair(builder.sign(key, hashes.SHA256()), key)


def seal(nip=SELLER, key=None, **options):
    """Return the KeyPair of a company's seal."""
    return self_signed({"C": "PL", "O": "Firma", "OI": f"VATPL-{nip}", "CN": "Firma"}, key, **options)


def person(identifier, key=None, **options):
    """Return the KeyPair of a person; ``identifier`` such as PNOPL-44051401359."""
    return self_signed(
        {"GN": "Jan", "SN": "Kowalski", "serial": identifier, "CN": "Jan Kowalski", "C": "PL"}, key, **options)


def start_login(ksef, pair, nip=SELLER, **options):
    """Start a login with a certificate and return its AuthOperation."""
    return ksef.start_signed_login(sign(auth_token_request(ksef.challenge(), Context(nip), **options), pair))


def log_in_with(ksef, pair, nip=SELLER, **options):
    """Log in with a certificate and return the TokenPair."""
    operation = start_login(ksef, pair, nip, **options)
    wait(lambda: ksef.login_status(operation).is_complete)
    return ksef.redeem(operation)
