"""Pre-signed links: files that are fetched (or sent) without a token, for a limited time."""

import base64
import hashlib
import hmac
import re
import time
from datetime import UTC, datetime
from urllib.parse import quote

from . import clock, ids
from .errors import Problem
from .session_queries import SessionQueries
from .web import Response

MAX_UPLOAD = 100_000_016
LINK = re.compile(r"(upo|upo-pages|exports|parts)/([0-9A-Z-]{36})(?:/(\d{1,4}))?", re.ASCII)


class Storage:
    """The room of links."""

    def __init__(self, app):
        self._app = app

    def _signature(self, path, expires):
        text = f"{path}?{expires}".encode()
        digest = hmac.digest(self._app.keys.secret(), text, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def link(self, request, path, operation, seconds=None):
        """(URL, end of its validity as text) for a path below /storage; new each time it is asked for."""
        seconds = self._app.settings.link_seconds if seconds is None else seconds
        if self._app.faults.take("expired_links", operation, request.principal.nip):
            seconds = -60
        expires = int(self._app.clock.now().timestamp() + seconds)
        url = f"{request.origin}/storage/{path}?se={expires}&sp=r&sig={quote(self._signature(path, expires))}"
        return url, clock.text(datetime.fromtimestamp(expires, UTC))

    def verify(self, request, path):
        """(kind, reference, number) of a link; raises 403 when it is forged or has expired."""
        expires = request.query.get("se", [""])[0]
        given = request.query.get("sig", [""])[0]
        if not re.fullmatch(r"\d{1,12}", expires, re.ASCII) or not given.isascii() or not hmac.compare_digest(
                given, self._signature(path, int(expires))):
            raise Problem(403, "Nieprawidłowy podpis odnośnika.", reasonCode="insufficient-resource-access",
                          security={})
        if int(expires) < self._app.clock.now().timestamp():
            raise Problem(403, "Odnośnik wygasł.", reasonCode="insufficient-resource-access", security={})
        match = LINK.fullmatch(path)
        if match is None or not ids.REFERENCE.fullmatch(match.group(2)):
            raise Problem(404, "Nie znaleziono pliku.")
        return match.group(1), match.group(2), int(match.group(3) or 0)

    def put(self, request, path):
        """PUT of a part of a batch: raw bytes, the header that the API named, and no bearer token."""
        kind, reference, number = self.verify(request, path)
        part = self._app.batch.part_of(reference, number) if kind == "parts" else None
        if part is None:
            raise Problem(403, "Część nie może zostać zapisana.", reasonCode="insufficient-resource-access",
                          security={})
        if request.header("authorization"):
            raise Problem(401, "Do wysyłki części nie należy dołączać tokena dostępu.")
        if request.header("x-ms-blob-type") != "BlockBlob":
            raise Problem(400, "Brak nagłówka x-ms-blob-type: BlockBlob.")
        with self._app.depot.writing(reference, number) as sink:
            if not request.reader(request, MAX_UPLOAD, sink):
                raise Problem(400, "Część jest zbyt duża.")
        return Response(201)

    def get(self, request, path):
        """GET of a link."""
        kind, reference, number = self.verify(request, path)
        time.sleep(self._app.settings.link_delay_seconds)
        if kind == "upo":
            row = self._app.store.one("SELECT * FROM invoices WHERE reference = ? AND code = 200", reference)
            if row:
                return SessionQueries.xml(self._app.upo.of_invoice(row))
        elif kind == "upo-pages":
            row = self._app.store.one("SELECT * FROM upo_pages WHERE reference = ?", reference)
            if row:
                return SessionQueries.xml(self._app.upo.of_page(row))
        elif kind == "exports":
            return self._app.exports.part(reference, number)
        raise Problem(404, "Nie znaleziono pliku.")
