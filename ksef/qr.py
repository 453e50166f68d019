"""Verification links of KSeF and their QR codes (ISO/IEC 18004)."""

import base64
import binascii
import io
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .errors import KsefConfigError

# Under code I as long as there is no KSeF number, and under code II.
OFFLINE_LABEL = "OFFLINE"
CERTIFICATE_LABEL = "CERTYFIKAT"
_SERIAL = re.compile(r"[0-9A-F]{16}", re.ASCII)
_CONTEXT = re.compile(r"[A-Za-z0-9-]{1,40}", re.ASCII)
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
_P256_BYTES = 32
_NIP = re.compile(r"\d{10}", re.ASCII)


def invoice_link(environment, seller_nip, issue_date, sha256_b64):
    """Return the link of code I (KOD I), under which anybody can check an invoice.

    :param environment: :class:`~.environment.Environment` that holds the invoice
    :param seller_nip: NIP of the seller, ten digits
    :param issue_date: date of issue that stands in the invoice
    :param sha256_b64: SHA-256 of the invoice file as sent, in standard Base64
    :raise KsefConfigError: the NIP or the hash is not one
    """
    if not isinstance(seller_nip, str) or not _NIP.fullmatch(seller_nip):
        raise KsefConfigError("The seller's NIP must have ten digits to make a verification link.")
    return f"{environment.qr_url}/invoice/{seller_nip}/{issue_date:%d-%m-%Y}/{_base64url(sha256_b64)}"


def certificate_link(environment, context, seller_nip, sha256_b64, pair):
    """Return the link of code II (KOD II): that the issuer's certificate stands behind an invoice issued offline.

    What is signed is the link without ``https://`` and without a slash at its end; an ECDSA signature differs each time, so
    a link that was printed is kept.

    :param context: :class:`~.types.Context` of the login
    :param pair: :class:`~.certificates.KeyPair` of a KSeF certificate of type Offline
    :raise KsefConfigError: one of the parts is not what it should be
    """
    kind, value = context.type, context.value
    if not isinstance(seller_nip, str) or not _NIP.fullmatch(seller_nip):
        raise KsefConfigError("The seller's NIP must have ten digits to make a verification link.")
    if not _CONTEXT.fullmatch(kind) or not _CONTEXT.fullmatch(value):
        raise KsefConfigError("The context of the login cannot stand in a verification link.")
    if not _SERIAL.fullmatch(pair.info.serial):
        raise KsefConfigError("The certificate has no serial number of KSeF (16 hexadecimal digits).")
    host = environment.qr_url.partition("://")[2]
    path = f"{host}/certificate/{kind}/{value}/{seller_nip}/{pair.info.serial}/{_base64url(sha256_b64)}"
    signature = base64.urlsafe_b64encode(_sign(pair.private_key, path.encode())).rstrip(b"=").decode()
    return f"{environment.qr_url}/certificate/{path.partition('/certificate/')[2]}/{signature}"


def _sign(key, data):
    """RSASSA-PSS (SHA-256, salt of 32 bytes) or ECDSA P-256 as R||S."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, _PSS, hashes.SHA256())
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KsefConfigError("The codes of offline invoices are signed with an RSA key or an EC key on P-256.")
    numbers = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return b"".join(number.to_bytes(_P256_BYTES) for number in numbers)


def _base64url(sha256_b64):
    try:
        digest = base64.b64decode(sha256_b64, validate=True)
    except (binascii.Error, TypeError, ValueError):
        digest = b""
    if len(digest) != 32:
        raise KsefConfigError("The hash of an invoice must be a SHA-256 in Base64.")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def qr_png(link, *, pixels_per_module=8, quiet_zone=4):
    """Return a PNG image (bytes) of the QR code of ``link``, black on white, error correction level M.

    :param pixels_per_module: edge of one small square in pixels
    :param quiet_zone: white margin in modules; the standard asks for at least four
    """
    import qrcode  # here: only who draws needs the imaging libraries
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.image.pil import PilImage

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=pixels_per_module, border=quiet_zone)
    code.add_data(link)
    code.make(fit=True)
    stream = io.BytesIO()
    code.make_image(image_factory=PilImage).save(stream, format="PNG")
    return stream.getvalue()
