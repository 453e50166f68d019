"""Exports: a query's invoices as an encrypted package, in parts that are fetched by pre-signed links."""

import base64
import json
from contextlib import suppress
from datetime import timedelta

from . import clock, ids
from .archives import Writer
from .crypto import aes_encrypt, sha256, unbase64
from .errors import ApiError, Problem
from .invoices import OutOfRange
from .store import packed, unpacked
from .web import Response

CONCURRENT = 10
MAX_PACKAGE = 1_000_000_000
PACKAGE_LIFE = timedelta(days=3)
STATUS_DAYS = 7
LINK_SECONDS = 3600
OPERATION = "POST /invoices/exports"
STATUS_OPERATION = "GET /invoices/exports/{}"

DESCRIPTIONS = {
    100: "Eksport faktur w toku", 200: "Eksport faktur zakończony sukcesem",
    210: "Eksport faktur wygasł i nie jest już dostępny do pobrania",
    415: "Błąd odszyfrowania dostarczonego klucza", 420: "Zakres filtrowania wykracza poza dostępny zakres danych",
    550: "Operacja została anulowana przez system",
}
_DETAILS = {
    420: ["Parametr dateRange.from jest późniejszy niż PermanentStorageHwmDate przy włączonym "
          "restrictToPermanentStorageHwmDate."],
    550: ["Przetwarzanie zostało przerwane z przyczyn wewnętrznych systemu. Spróbuj ponownie"],
}
_LAST = {"stored": "lastPermanentStorageDate", "invoiced": "lastInvoicingDate", "issued": "lastIssueDate"}


class Exports:
    """The room of exports."""

    def __init__(self, app):
        self._app = app

    def start(self, request):
        """POST /invoices/exports."""
        principal, data = request.principal, request.data
        kind = data["filters"]["subjectType"]
        if principal.context_type == "PeppolId" or (principal.context_type == "InternalId" and kind != "Subject3"):
            raise ApiError(21181, f"Nie można wyeksportować paczki faktur dla wybranego podmiotu ({kind}) i zalogowanego "
                                  f"identyfikatora kontekstu ({principal.context_type}).")
        with suppress(OutOfRange):  # that is told later, as status 420
            self._app.invoices.build(principal, data["filters"])
        key = self._app.sessions.unwrap_key(data["encryption"])
        reference = self._app.numbers.reference(ids.EXPORT)
        due = self._app.processing.due()
        with self._app.store.transaction() as store:
            owner = f"{principal.subject}@{principal.context}"
            if store.value("SELECT count(*) FROM exports WHERE owner = ? AND code = 100", owner) >= CONCURRENT:
                raise ApiError(21182, f"Dla uwierzytelnionego podmiotu w bieżącym kontekście osiągnięto maksymalny limit "
                                      f"{CONCURRENT} równoczesnych eksportów faktur. Spróbuj ponownie później.")
            store.insert("exports", reference=reference, owner=owner, context_type=principal.context_type,
                         context_value=principal.context_value, created=clock.text(self._app.clock.now()),
                         request=data, aes_key=key, aes_iv=unbase64(data["encryption"]["initializationVector"]),
                         code=100, due=due, plan=self._plan(principal.nip))
        self._app.jobs.long.at(due, self.work, reference)
        return {"referenceNumber": reference}

    def _plan(self, nip):
        """What the fault switches want to become of the export, as JSON, or None."""
        plan = {}
        forced = self._app.faults.take("export_status", OPERATION, nip)
        if forced:
            plan["code"] = forced["code"]
        if self._app.faults.take("wrong_export_hash", OPERATION, nip):
            plan["wrong_hash"] = True
        return packed(plan) if plan else None

    def resume(self):
        """After a restart: take up exports that were being made."""
        for row in self._app.store.all("SELECT reference, due FROM exports WHERE code = 100"):
            self._app.jobs.long.at(row["due"], self.work, row["reference"])

    # --- making the package ------------------------------------------------------------------------------------

    def work(self, reference):
        """Make the package and tell how it went."""
        row = self._app.store.one("SELECT * FROM exports WHERE reference = ?", reference)
        if row is None or row["code"] != 100:
            return
        plan = unpacked(row["plan"], {})
        package, code = None, plan.get("code", 200)
        if row["aes_key"] is None:
            code = 415
        elif code == 200:
            try:
                package = self._package(row)
            except OutOfRange:
                code = 420
        if package and plan.get("wrong_hash"):
            for part in package["parts"]:
                part["partHash"] = part["encryptedPartHash"] = sha256(b"wrong")
        now = self._app.clock.now()
        self._app.store.update("exports", "reference", reference, code=code, completed=clock.text(now),
                               expires=clock.text(now + PACKAGE_LIFE), package=packed(package))

    def _package(self, row):
        """Query, pack, split, encrypt; returns InvoicePackage without its links."""
        request = json.loads(row["request"])
        query = self._app.invoices.build(_Context(row), request["filters"])
        cap = max(1, int(self._app.settings.most_results))
        rows = query.run(self._app.store, "a.metadata, a.reference, a.ksef_number, p.moment", limit=cap + 1)
        compression = request.get("compressionType") or "Zip"
        package = {"invoiceCount": 0, "size": 0, "parts": [], "isTruncated": False, "compressionType": compression}
        if query.hwm:
            package["permanentStorageHwmDate"] = clock.text(query.hwm)
        if rows:
            with self._app.depot.scratch() as stream:
                taken = self._pack(stream, rows[:cap], compression, request.get("onlyMetadata", False))
                self._split(row, stream, package, compression)
            package.update(invoiceCount=taken, isTruncated=taken < len(rows))
            if package["isTruncated"]:
                package[_LAST[query.column]] = rows[taken - 1]["moment"]
        return package

    def _pack(self, stream, rows, compression, only_metadata):
        """Write the archive; returns the number of invoices that went in before a limit was reached."""
        writer = Writer(stream, compression)
        taken = 0
        for row in rows:
            if writer.size >= MAX_PACKAGE:
                break
            if not only_metadata:
                writer.add(f"{row['ksef_number']}.xml", self._app.invoices.content(row))
            taken += 1
        metadata = ",".join(row["metadata"] for row in rows[:taken])
        writer.add("_metadata.json", f'{{"invoices":[{metadata}]}}'.encode())
        writer.close()
        return taken

    def _split(self, row, stream, package, compression):
        """Cut the archive into parts, encrypt each and put it away."""
        stream.flush()
        package["size"] = stream.tell()
        stream.seek(0)
        ending = "zip" if compression == "Zip" else "tar.gz"
        while piece := stream.read(max(1, int(self._app.settings.part_bytes))):
            number = len(package["parts"]) + 1
            encrypted = aes_encrypt(row["aes_key"], row["aes_iv"], piece)
            with self._app.depot.writing(row["reference"], number) as sink:
                sink.write(encrypted)
            package["parts"].append({
                "ordinalNumber": number, "partName": f"{row['reference']}-{number:03d}.{ending}.aes", "method": "GET",
                "partSize": len(piece), "partHash": sha256(piece), "encryptedPartSize": len(encrypted),
                "encryptedPartHash": base64.b64encode(sink.digest).decode()})

    # --- telling -----------------------------------------------------------------------------------------------

    def status(self, request):
        """GET /invoices/exports/{referenceNumber}."""
        reference = request.values["referenceNumber"]
        row = self._app.store.one("SELECT * FROM exports WHERE reference = ? AND context_type = ? AND "
                                  "context_value = ?", reference, request.principal.context_type,
                                  request.principal.context_value)
        if row is None:
            raise ApiError(21175)
        now = self._app.clock.now()
        if clock.parse(row["created"]) + timedelta(days=STATUS_DAYS) <= now:
            raise Problem(410, "Status eksportu nie jest już dostępny.")
        code = 210 if row["code"] == 200 and row["expires"] <= clock.text(now) else row["code"]
        status = {"code": code, "description": DESCRIPTIONS.get(code, f"Nieznany błąd ({code})")}
        if code in _DETAILS:
            status["details"] = _DETAILS[code]
        result = {"status": status}
        if row["completed"]:
            result["completedDate"] = row["completed"]
        if row["package"]:
            result["packageExpirationDate"] = row["expires"]
            if code == 200:
                result["package"] = self._with_links(request, row)
        return result

    def _with_links(self, request, row):
        package = json.loads(row["package"])
        for part in package["parts"]:
            path = f"exports/{row['reference']}/{part['ordinalNumber']}"
            part["url"], part["expirationDate"] = self._app.storage.link(request, path, STATUS_OPERATION, LINK_SECONDS)
        return package

    def part(self, reference, number):
        """The encrypted bytes of a part for a pre-signed link."""
        path = self._app.depot.path(reference, number)
        if not path.is_file():
            raise Problem(404, "Nie znaleziono pliku.")
        content = path.read_bytes()
        return Response(200, content, "application/octet-stream", [("x-ms-meta-hash", sha256(content))])


class _Context:
    """The context of an export as a query wants to know it."""

    def __init__(self, row):
        self.context_type = row["context_type"]
        self.context_value = row["context_value"]
