"""Batch sessions: a package declared, uploaded in encrypted parts, closed, unpacked and processed."""

import base64
import hashlib
import json
from datetime import timedelta

from . import clock, ids
from .archives import BadArchive, TooManyFiles, entries
from .crypto import Undecipherable, aes_decrypt, sha256
from .errors import ApiError
from .sessions import BATCH
from .store import packed, unpacked

MAX_PARTS = 50
MAX_PART = 100_000_000 + 16
PART_MINUTES = 20
UPLOAD_HEADERS = {"x-ms-blob-type": "BlockBlob"}
OPERATION = "POST /sessions/batch"
_CHUNK = 100


class Failed(Exception):
    """The whole session ends with this status."""

    def __init__(self, code, *details):
        super().__init__(str(code))
        self.code = code
        self.details = list(details) or None


class Batch:
    """The room of batch sessions."""

    def __init__(self, app):
        self._app = app

    # --- opening and closing -----------------------------------------------------------------------------------

    def open(self, request):
        """POST /sessions/batch."""
        data = request.data
        self._app.sessions.form(data["formCode"], batch=True)
        parts = sorted(data["batchFile"]["fileParts"], key=lambda part: part["ordinalNumber"])
        self._check_parts(parts)
        reference = self._app.numbers.reference(ids.BATCH)
        minutes = PART_MINUTES * len(parts)
        self._app.sessions.create(request, BATCH, reference, offline=data.get("offlineMode", False),
                                  batch=data["batchFile"], life=timedelta(minutes=minutes))
        uploads = []
        for part in parts:
            number = part["ordinalNumber"]
            url, _until = self._app.storage.link(request, f"parts/{reference}/{number}", OPERATION, minutes * 60)
            uploads.append({"ordinalNumber": number, "method": "PUT", "url": url, "headers": UPLOAD_HEADERS})
        return {"referenceNumber": reference, "partUploadRequests": uploads}

    @staticmethod
    def _check_parts(parts):
        if len(parts) > MAX_PARTS:
            raise ApiError(21161, f"Dozwolone jest najwyżej {MAX_PARTS} części.")
        if [part["ordinalNumber"] for part in parts] != list(range(1, len(parts) + 1)):
            raise ApiError(21405, "$.batchFile.fileParts: numery części muszą być kolejne od 1.")
        for part in parts:
            if part["fileSize"] > MAX_PART:
                raise ApiError(21157, f"Rozmiar części '{part['ordinalNumber']}' przekracza 100 MB.")

    def close(self, request):
        """POST /sessions/batch/{referenceNumber}/close: processing starts now."""
        reference = request.values["referenceNumber"]
        row = self._app.sessions.required(request.principal, reference, BATCH, lost="znaleziona")
        if row["code"] != 100:
            raise ApiError(21180, f"Status sesji {row['code']} uniemożliwia jej zamknięcie.")
        if row["valid_until"] <= clock.text(self._app.clock.now()):
            self._app.sessions.expire(reference)
            raise ApiError(21208, "Sesja anulowana, przekroczony czas wysyłki.")
        for part in json.loads(row["batch"])["fileParts"]:
            size = self._app.depot.size(reference, part["ordinalNumber"])
            if not size:
                raise ApiError(21205, f"Nie przesłano zadeklarowanej '{part['ordinalNumber']}' części pliku.")
            if size != part["fileSize"]:
                raise ApiError(21157, f"Zadeklarowany rozmiar części '{part['ordinalNumber']}' nie zgadza się z "
                                      "rzeczywistym.")
        now = clock.text(self._app.clock.now())
        with self._app.store.transaction() as store:
            if self._app.sessions.row(reference)["code"] != 100:
                raise ApiError(21180, "Sesja jest już zamknięta.")
            store.update("sessions", "reference", reference, code=150, closed=now, updated=now)
        self._app.jobs.long.at(self._app.processing.due(), self.process, reference)
        self._app.sessions.apply_fault("POST /sessions/batch/{}/close", reference, request.principal.nip)

    def part_of(self, reference, number):
        """The declaration of a part that may be uploaded now, or None."""
        row = self._app.sessions.row(reference)
        if row is None or row["code"] != 100 or row["kind"] != BATCH:
            return None
        parts = json.loads(row["batch"])["fileParts"]
        return next((part for part in parts if part["ordinalNumber"] == number), None)

    # --- processing --------------------------------------------------------------------------------------------

    def resume(self):
        """After a restart: take up packages that were being processed."""
        for row in self._app.store.all("SELECT reference FROM sessions WHERE code = 150 AND kind = 'Batch'"):
            self._app.jobs.long.at(0, self.process, row["reference"])

    def process(self, reference):
        """Unpack a closed package and process each of its invoices."""
        session = self._app.sessions.row(reference)
        if session is None or session["code"] != 150:
            return
        try:
            if not unpacked(session["flags"], {}).get("registered"):
                self._register(session)
        except Failed as failed:
            self._app.sessions.fail(reference, failed.code, failed.details)
        else:
            for row in self._app.store.all("SELECT reference FROM invoices WHERE session = ? AND code < 200 "
                                           "ORDER BY ordinal", reference):
                self._app.processing.process(row["reference"])
            self._app.sessions.finish(reference)
        self._app.depot.drop(reference)

    def _register(self, session):
        """Decrypt, unpack, and enter every file of the package as an invoice."""
        reference, declared = session["reference"], json.loads(session["batch"])
        with self._app.store.transaction() as store:
            store.run("DELETE FROM files WHERE reference IN (SELECT reference FROM invoices WHERE session = ?)",
                      reference)
            store.run("DELETE FROM invoices WHERE session = ?", reference)
            store.update("sessions", "reference", reference, total=0)
        if session["aes_key"] is None:
            raise Failed(415)
        limits = self._app.limits.of_context(f"{session['context_type']}:{session['context_value']}")["batchSession"]
        with self._app.depot.scratch() as archive:
            self._assemble(session, declared, archive)
            biggest = limits["maxInvoiceWithAttachmentSizeInMB"] * 1_000_000
            found = entries(archive.name, declared.get("compressionType") or "Zip", limits["maxInvoices"], biggest)
            try:
                self._enter(session, found)
            except TooManyFiles as error:
                raise Failed(420) from error
            except BadArchive as error:
                raise Failed(430, str(error)) from error
        self._app.store.update("sessions", "reference", reference, flags=packed({"registered": True}))

    def _assemble(self, session, declared, archive):
        """Decrypt the parts into one file and compare it with what was declared."""
        for part in sorted(declared["fileParts"], key=lambda item: item["ordinalNumber"]):
            data = self._app.depot.path(session["reference"], part["ordinalNumber"]).read_bytes()
            if sha256(data) != part["fileHash"]:
                raise Failed(405, f"Skrót części '{part['ordinalNumber']}' nie zgadza się z zadeklarowanym.")
            try:
                archive.write(aes_decrypt(session["aes_key"], session["aes_iv"], data))
            except Undecipherable as error:
                raise Failed(435) from error
        archive.flush()
        size, digest = hash_file(archive.name)
        if size != declared["fileSize"] or digest != declared["fileHash"]:
            raise Failed(405, "Rozmiar lub skrót paczki nie zgadza się z zadeklarowanym.")

    def _enter(self, session, found):
        """Insert the invoices in small transactions, so that other callers are not kept waiting."""
        chunk = []
        for name, data in found:
            chunk.append((name, data))
            if len(chunk) == _CHUNK:
                self._insert(session, chunk)
                chunk = []
        self._insert(session, chunk)

    def _insert(self, session, chunk):
        with self._app.store.transaction():
            for name, data in chunk:
                self._app.processing.accept(
                    session, sha256(data), len(data), None, plain=data, offline=bool(session["offline"]),
                    operation=OPERATION, file_name=name, invoiced=session["created"])


def hash_file(path):
    """(size, SHA-256 as Base64) of a file."""
    size, digest = 0, hashlib.sha256()
    with open(path, "rb") as stream:
        while piece := stream.read(1 << 20):
            size += len(piece)
            digest.update(piece)
    return size, base64.b64encode(digest.digest()).decode()
