"""The verification pages behind the QR codes on printed invoices: code I (invoice) and code II (certificate)."""

import html
import re
from base64 import urlsafe_b64decode

from .crypto import sha256  # noqa: F401  (kept for the certificate page)
from .http import Response

_PAGE = """<!DOCTYPE html><html lang="pl"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><dl>{rows}</dl></body></html>"""


def page(title, rows=(), status=200):
    """A plain page with a heading and pairs of term and value."""
    items = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(str(value))}</dd>" for term, value in rows)
    return Response(status, _PAGE.format(title=html.escape(title), rows=items).encode(), "text/html; charset=utf-8",
                    [("Content-Security-Policy", "default-src 'none'")])


class Verification:
    """Handlers of the two kinds of links."""

    def __init__(self, app):
        self._app = app

    def invoice(self, request):
        """GET /invoice/{nip}/{DD-MM-YYYY}/{hash}: is there such an invoice? A corrected one leads to its successor."""
        values = request.values
        match = re.fullmatch(r"(\d\d)-(\d\d)-(\d{4})", values["date"], re.ASCII)
        digest = hash_of(values["hash"])
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
        """GET /certificate/...: see issue of certificates."""
        return page("Weryfikacja certyfikatu nie jest jeszcze dostępna", status=501)


def hash_of(text):
    """Standard Base64 of a SHA-256 written as Base64URL without padding, or None."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text, re.ASCII):
        return None
    from base64 import b64encode
    return b64encode(urlsafe_b64decode(text + "=")).decode()
