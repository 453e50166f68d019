"""Certificates, keys and signed requests for the tests, made with `cryptography` as another program would make them."""
import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

PASSWORD = 'Zażółć-1'
ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier('2.5.4.97')


class Certificate:
    """A self-signed certificate, which KSeF's TEST environment and the sandbox take: a seal of ``nip``, or of a person."""

    def __init__(self, nip, person=False, usage=None, curve=True, days=(-1, 365)):
        self.key = ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)
        if person:
            subject = [(NameOID.GIVEN_NAME, "Jan"), (NameOID.SURNAME, "Kowalski"), (NameOID.SERIAL_NUMBER, f'TINPL-{nip}'),
                       (NameOID.COMMON_NAME, "Jan Kowalski"), (NameOID.COUNTRY_NAME, 'PL')]
        else:
            subject = [(NameOID.ORGANIZATION_NAME, "Sprzedawca"), (ORGANIZATION_IDENTIFIER, f'VATPL-{nip}'),
                       (NameOID.COMMON_NAME, "Pieczęć firmy"), (NameOID.COUNTRY_NAME, 'PL')]
        name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0])).not_valid_after(now + timedelta(days=days[1])))
        if usage:
            flags = dict.fromkeys(
                ('digital_signature', 'content_commitment', 'key_encipherment', 'data_encipherment', 'key_agreement',
                 'key_cert_sign', 'crl_sign', 'encipher_only', 'decipher_only'), False)
            builder = builder.add_extension(x509.KeyUsage(**flags | {usage: True}), critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self):
        return self.certificate.public_bytes(Encoding.DER)

    def key_file(self, password=PASSWORD, encoding=Encoding.PEM):
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return self.key.private_bytes(encoding, PrivateFormat.PKCS8, encryption)

    def p12(self, password=PASSWORD):
        return pkcs12.serialize_key_and_certificates(
            b'ksef', self.key, self.certificate, None, BestAvailableEncryption(password.encode()))

    @property
    def secret(self):
        """Text that stands in the key and must stand nowhere else."""
        return base64.b64encode(self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()[40:100]


def b64(content):
    return base64.b64encode(content).decode()
