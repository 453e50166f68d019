"""The verification pages behind the QR codes on printed invoices: code I (invoice) and code II (certificate)."""

import html
import re
from base64 import b64encode, urlsafe_b64decode

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from . import clock
from .web import Response

_PAGE = """<!DOCTYPE html><html lang="pl"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><dl>{rows}</dl></body></html>"""
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


def page(title, rows=(), status=200):
    """A plain page with a heading and pairs of term and value."""
    items = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(str(value))}</dd>" for term, value in rows)
    return Response(status, _PAGE.format(title=html.escape(title), rows=items).encode(), "text/html; charset=utf-8",
                    [("Content-Security-Policy", "default-src 'none'")])


def digest_of(text):
    """Standard Base64 of a SHA-256 written as Base64URL without padding, or None."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text, re.ASCII):
        return None
    return b64encode(urlsafe_b64decode(text + "=")).decode()


class Verification:
    """Handlers of the two kinds of links."""

    def __init__(self, app):
        self._app = app

    def invoice(self, request):
        """GET /invoice/{nip}/{DD-MM-YYYY}/{hash}: is there such an invoice? A corrected one leads to its successor."""
        values = request.values
        match = re.fullmatch(r"(\d\d)-(\d\d)-(\d{4})", values["date"], re.ASCII)
        digest = digest_of(values["hash"])
        if not match or not digest:
            return page("Nieprawidłowy odnośnik", status=400)
        issued = f"{match.group(3)}-{match.group(2)}-{match.group(1)}"
        row = self._app.store.one(
            "SELECT * FROM archive WHERE (hash = ? OR corrected_hash = ?) AND seller_nip = ? AND issued = ? "
            "ORDER BY stored DESC", digest, digest, values["nip"], issued)
        if row is None:
            return page("Nie znaleziono faktury w KSeF", status=404)
        return page("Faktura znajduje się w KSeF", [
            ("Numer KSeF", row["ksef_number"]), ("Numer faktury", row["number"]), ("NIP sprzedawcy", row["seller_nip"]),
            ("Data wystawienia", row["issued"]), ("Kwota należności ogółem", f"{row['gross']:.2f} {row['currency']}"),
            ("Tryb", row["mode"])])

    def certificate(self, request):
        """GET /certificate/{kind}/{context}/{nip}/{serial}/{hash}/{signature}: did the issuer's certificate sign it?"""
        values = request.values
        if not digest_of(values["hash"]) or not re.fullmatch(r"[A-Za-z0-9_-]{40,700}", values["signature"], re.ASCII):
            return page("Nieprawidłowy odnośnik", status=400)
        trouble = self._trouble(request, values)
        rows = [("Wystawca", f"{values['kind']} {values['context']}"), ("NIP sprzedawcy", values["nip"]),
                ("Certyfikat", values["serial"])]
        if trouble:
            return page("Weryfikacja certyfikatu nie powiodła się", [*rows, ("Powód", trouble)], 404)
        return page("Certyfikat wystawcy jest prawidłowy", rows)

    def _trouble(self, request, values):
        """What is wrong with a certificate link, or None."""
        row = self._app.store.one("SELECT * FROM certificates WHERE serial = ?", values["serial"])
        if row is None:
            return "Nie ma takiego certyfikatu."
        if row["type"] != "Offline":
            return "Certyfikat nie jest typu Offline."
        if row["revoked"] or row["valid_to"] <= clock.text(self._app.clock.now()):
            return "Certyfikat jest nieważny."
        host = request.origin.partition("://")[2]
        signed = f"{host}{request.path.rpartition('/')[0]}".encode()
        key = x509.load_der_x509_certificate(row["content"]).public_key()
        if not signature_fits(key, urlsafe_b64decode(values["signature"] + "=" * (-len(values["signature"]) % 4)), signed):
            return "Podpis jest nieprawidłowy."
        rights = self._app.rights
        if "InvoiceWrite" not in rights.of(row["subject_type"], row["subject_value"], values["kind"], values["context"]):
            return "Wystawca nie ma uprawnienia do wystawiania faktur w tym kontekście."
        if values["nip"] != values["context"][:10] and not self._app.store.one(
                "SELECT 1 FROM grants WHERE kind = 'authorization' AND context_value = ? AND subject_value = ?",
                values["nip"], values["context"]):
            return "Kontekst nie jest uprawniony do wystawiania faktur tego sprzedawcy."
        return None


def signature_fits(key, signature, data):
    """RSASSA-PSS (SHA-256, salt 32) or ECDSA P-256, the latter as R||S or DER."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, _PSS, hashes.SHA256())
        else:
            if len(signature) == 64:
                signature = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
