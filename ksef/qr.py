"""Verification links of KSeF and their QR codes (ISO/IEC 18004)."""

import base64
import binascii
import io
import re

from .errors import KsefConfigError

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
