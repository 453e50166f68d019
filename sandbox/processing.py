"""What happens to an invoice after it was taken in: decrypting, checking, numbering, archiving."""

import json
import zlib
from datetime import timedelta

from . import clock, fa3_reader, ids
from .crypto import Undecipherable, aes_decrypt, sha256
from .fa3 import Unacceptable
from .store import packed, unpacked

DESCRIPTIONS = {
    100: "Faktura przyjęta do dalszego przetwarzania",
    150: "Trwa przetwarzanie",
    200: "Sukces",
    405: "Przetwarzanie anulowane z powodu błędu sesji",
    410: "Nieprawidłowy zakres uprawnień",
    415: "Brak możliwości wysyłania faktury z załącznikiem",
    430: "Błąd weryfikacji pliku faktury",
    435: "Błąd odszyfrowania pliku",
    440: "Duplikat faktury",
    450: "Błąd weryfikacji semantyki dokumentu faktury",
    550: "Operacja została anulowana przez system",
}
CANCELLED = "Przetwarzanie zostało przerwane z przyczyn wewnętrznych systemu. Spróbuj ponownie"
DUPLICATE_YEARS = 10
FEATURE_CHECKSUMS = "subject-identifier-validation"


def pack(data):
    """Invoice bytes as the state keeps them."""
    return zlib.compress(data, 1)


def unpack(data):
    """Read back ``pack``."""
    return zlib.decompress(data)


class Rejected(Exception):
    """The invoice gets a final status other than 200."""

    def __init__(self, code, *details, extensions=None):
        super().__init__(str(code))
        self.code = code
        self.details = list(details)
        self.extensions = extensions


class Processing:
    """The room where invoices are worked on."""

    def __init__(self, app):
        self._app = app

    def due(self):
        """When something started now will be done (real clock)."""
        return self._app.clock.real() + self._app.settings.processing_seconds

    # --- taking in ---------------------------------------------------------------------------------------------

    def accept(self, session, declared_hash, size, encrypted, *, offline, corrected=None, operation,
               file_name=None, invoiced=None, plain=None):
        """Store an invoice for processing and return its reference number. Call inside a transaction.

        Either ``encrypted`` (interactive) or ``plain`` bytes (batch) are given; ``invoiced`` is an instant's text.
        """
        store, nip = self._app.store, session["context_value"][:10]
        reference = self._app.numbers.reference(ids.INVOICE)
        now = clock.text(self._app.clock.now())
        [[ordinal]] = store.all("UPDATE sessions SET total = total + 1, updated = ? WHERE reference = ? RETURNING total",
                                now, session["reference"])
        due = self.due()
        store.insert("invoices", reference=reference, session=session["reference"], ordinal=ordinal, code=100,
                     hash=declared_hash, size=size, file_name=file_name, invoiced=invoiced or now,
                     offline=int(offline), corrected_hash=corrected, due=due, plan=self._plan(operation, nip))
        store.insert("files", reference=reference, encrypted=encrypted, xml=pack(plain) if plain is not None else None)
        if plain is None:
            self._app.jobs.quick.at(due, self.process, reference)
        return reference

    def take_plain(self, session, content, operation, at_once=False):
        """Take in an invoice that was never encrypted (a sample); returns its reference number.

        ``at_once``: the caller works on it himself.
        """
        reference = self.accept(session, sha256(content), len(content), None, plain=content, offline=False,
                                operation=operation)
        if not at_once:
            self._app.jobs.quick.at(self.due(), self.process, reference)
        return reference

    def _plan(self, operation, nip):
        """What the fault switches want to become of the invoice, as JSON, or None."""
        plan = {}
        forced = self._app.faults.take("invoice_status", operation, nip)
        if forced:
            plan.update(code=forced["code"], description=forced.get("description"), details=forced.get("details"),
                        extensions=forced.get("extensions"))
        stuck = self._app.faults.take("stuck", operation, nip)
        if stuck:
            plan.update(stuck=stuck.get("code", 150), fault=stuck["id"],
                        until=self._app.clock.real() + stuck.get("seconds", 10 ** 9))
        return packed(plan) if plan else None

    def release(self, fault_ids):
        """Let go of invoices that the named ``stuck`` faults hold."""
        for row in self._app.store.all("SELECT reference, plan FROM invoices WHERE code < 200 AND plan IS NOT NULL"):
            plan = json.loads(row["plan"])
            if plan.get("fault") in fault_ids:
                plan["until"] = 0
                self._app.store.update("invoices", "reference", row["reference"], plan=packed(plan))
                self._app.jobs.quick.at(0, self.process, row["reference"])

    def resume(self):
        """After a restart: take up what is not finished."""
        for row in self._app.store.all(
                "SELECT invoices.reference, due FROM invoices JOIN sessions ON sessions.reference = session "
                "WHERE invoices.code < 200 AND sessions.kind = 'Online' ORDER BY due, ordinal"):
            self._app.jobs.quick.at(row["due"], self.process, row["reference"])

    # --- working -----------------------------------------------------------------------------------------------

    def process(self, reference):
        """Bring an invoice to its final status."""
        row = self._app.store.one("SELECT * FROM invoices WHERE reference = ?", reference)
        if row is None or row["code"] >= 200:
            return
        plan = unpacked(row["plan"], {})
        if plan.get("until", 0) > self._app.clock.real():
            self._app.jobs.quick.at(plan["until"], self.process, reference)
            return
        session = self._app.sessions.row(row["session"])
        found = {}
        try:
            invoice = self._read(self._decrypt(row, session, found), row, session, found)
            if plan.get("code"):
                raise Rejected(plan["code"])
            self._archive(row, session, invoice, found.get("data"))
        except Rejected as rejected:
            self.reject(reference, plan.get("code") or rejected.code, rejected, found, plan)

    def archive(self, reference, invoice):
        """Accept a document unread: ``invoice`` is all that there is to know of it."""
        row = self._app.store.one("SELECT * FROM invoices WHERE reference = ?", reference)
        self._archive(row, self._app.sessions.row(row["session"]), invoice, None)

    def _decrypt(self, row, session, found):
        """The plain bytes (noted in ``found`` whatever comes next), checked against the declared hash and size."""
        if session["code"] >= 400:
            raise Rejected(435 if session["code"] == 415 else 405)
        files = self._app.store.one("SELECT * FROM files WHERE reference = ?", row["reference"])
        if files["xml"] is not None:
            data = unpack(files["xml"])
        elif session["aes_key"] is None:
            raise Rejected(435)
        else:
            try:
                data = aes_decrypt(session["aes_key"], session["aes_iv"], files["encrypted"])
            except Undecipherable as error:
                raise Rejected(435) from error
        found["data"] = data
        if len(data) != row["size"]:
            raise Rejected(430, f"Rozmiar pliku ({len(data)}) nie zgadza się z zadeklarowanym ({row['size']}).")
        if sha256(data) != row["hash"]:
            raise Rejected(430, "Skrót pliku nie zgadza się z zadeklarowanym.")
        return data

    def _read(self, data, row, session, found):
        """The invoice inside the bytes, past all checks that need no look at other invoices."""
        limits = self._app.limits.of_context(f"{session['context_type']}:{session['context_value']}")
        limits = limits["onlineSession" if session["kind"] == "Online" else "batchSession"]
        if len(data) > limits["maxInvoiceWithAttachmentSizeInMB"] * 1_000_000:
            raise Rejected(430, "Przekroczono dozwolony rozmiar faktury.")
        namespace, _batch = self._app.fa3.namespace_of(json.loads(session["form"])) or (None, None)
        try:
            root = self._app.fa3.parse(data, namespace)
        except Unacceptable as error:
            if getattr(error, "root", None) is not None:
                found["seller_nip"], found["invoice_number"] = fa3_reader.peek(error.root)
            raise Rejected(450, *error.details) from error
        invoice = fa3_reader.read(root)
        found.update(seller_nip=invoice.seller_nip, invoice_number=invoice.number)
        if not invoice.attachment and len(data) > limits["maxInvoiceSizeInMB"] * 1_000_000:
            raise Rejected(430, "Przekroczono dozwolony rozmiar faktury.")
        self._check_attachment(invoice, row, session)
        self._check_dates(invoice, row)
        if FEATURE_CHECKSUMS in unpacked(session["features"], []) or self._app.settings.environment == "production":
            check_identifiers(invoice)
        if not self._app.rights.may_issue_for(session["context_type"], session["context_value"], invoice):
            raise Rejected(410, f"Podmiot w kontekście {session['context_value']} nie jest uprawniony do wystawienia "
                                f"faktury za sprzedawcę {invoice.seller_nip}.")
        return invoice

    def _check_attachment(self, invoice, row, session):
        if not invoice.attachment:
            return
        if session["kind"] == "Online" and not row["corrected_hash"]:
            raise Rejected(415, "Faktury z załącznikiem można przesyłać wyłącznie w sesji wsadowej.")
        if not self._app.testdata.attachments_allowed(invoice.seller_nip):
            raise Rejected(415, f"Podmiot {invoice.seller_nip} nie zgłosił zamiaru wystawiania faktur z załącznikiem.")

    @staticmethod
    def _check_dates(invoice, row):
        if invoice.issued > clock.warsaw(clock.parse(row["invoiced"])).date().isoformat():
            raise Rejected(450, f"Data wystawienia faktury (P_1: {invoice.issued}) jest późniejsza niż data przyjęcia "
                                "faktury w systemie KSeF.")

    def _archive(self, row, session, invoice, data):
        """Refuse a duplicate, or give the invoice its number and keep it for ever (``data``: bytes not kept yet)."""
        with self._app.store.transaction() as store:
            if self._app.store.value("SELECT code FROM invoices WHERE reference = ?", row["reference"]) >= 200:
                return
            self._check_duplicate(invoice)
            now = self._app.clock.now()
            invoiced = clock.parse(row["invoiced"])
            number = self._app.numbers.ksef_number(invoice.seller_nip, invoiced)
            lag = 0.001 + self._app.numbers.fraction() * self._app.settings.storage_lag_seconds
            dates = {"invoiced": row["invoiced"], "acquired": clock.text(now),
                     "stored": clock.text(now + timedelta(seconds=lag))}
            today = clock.warsaw(invoiced).date().isoformat()
            mode = "Offline" if row["offline"] or invoice.issued < today else "Online"
            self._insert(row, session, invoice, number, mode, dates)
            store.update("invoices", "reference", row["reference"], code=200, ksef_number=number, mode=mode,
                         acquired=dates["acquired"], stored=dates["stored"], invoice_number=invoice.number,
                         seller_nip=invoice.seller_nip)
            if data is not None:
                store.update("files", "reference", row["reference"], encrypted=None, xml=pack(data))
            self._app.sessions.counted(row["session"], accepted=True)

    def _check_duplicate(self, invoice):
        year = clock.warsaw(self._app.clock.now()).year
        earlier = self._app.store.one(
            "SELECT * FROM archive WHERE seller_nip = ? AND kind = ? AND number = ? AND issued >= ? ORDER BY stored",
            invoice.seller_nip, invoice.kind, invoice.number, f"{year - DUPLICATE_YEARS:04d}-01-01")
        if earlier:
            raise Rejected(
                440, f"Duplikat faktury. Faktura o numerze KSeF: {earlier['ksef_number']} została już prawidłowo "
                     f"przesłana do systemu w sesji: {earlier['session']}",
                extensions={"originalSessionReferenceNumber": earlier["session"],
                            "originalKsefNumber": earlier["ksef_number"]})

    def _insert(self, row, session, invoice, number, mode, dates):
        digest = row["hash"]  # compared with the content when it was decrypted
        known = {"ksefNumber": number, "invoicingDate": dates["invoiced"], "acquisitionDate": dates["acquired"],
                 "permanentStorageDate": dates["stored"], "invoicingMode": mode, "invoiceHash": digest,
                 "formCode": json.loads(session["form"])}
        if row["corrected_hash"]:
            known["hashOfCorrectedInvoice"] = row["corrected_hash"]
        store = self._app.store
        invoice_id = store.insert(
            "archive", ksef_number=number, reference=row["reference"], session=row["session"],
            seller_nip=invoice.seller_nip, kind=invoice.kind, number=invoice.number, issued=invoice.issued,
            invoiced=dates["invoiced"], stored=dates["stored"], hash=digest, corrected_hash=row["corrected_hash"],
            buyer_type=invoice.buyer.type, buyer_value=invoice.buyer.value, currency=invoice.currency,
            net=float(invoice.net), gross=float(invoice.gross), vat=float(invoice.vat), mode=mode, form=invoice.form,
            type=invoice.type, self_invoicing=int(invoice.self_invoicing), attachment=int(invoice.attachment),
            metadata=fa3_reader.metadata(invoice, **known))
        store.many("INSERT INTO parties (role, value, invoice, stored, invoiced, issued) VALUES (?, ?, ?, ?, ?, ?)",
                   [(role, value, invoice_id, dates["stored"], dates["invoiced"], invoice.issued)
                    for role, value in sorted(invoice.roles())])

    def reject(self, reference, code, rejected=None, found=None, plan=None):
        """Give an invoice a final status other than 200."""
        plan, found = plan or {}, found or {}
        data = found.pop("data", None)
        rejected = rejected or Rejected(code)
        details = plan.get("details") or rejected.details or ([CANCELLED] if code == 550 else None)
        with self._app.store.transaction() as store:
            row = store.one("SELECT session, code FROM invoices WHERE reference = ?", reference)
            if row is None or row["code"] >= 200:
                return
            store.update("invoices", "reference", reference, code=code, description=plan.get("description"),
                         details=packed(details), extensions=packed(plan.get("extensions") or rejected.extensions),
                         **found)
            store.run("UPDATE files SET encrypted = NULL, xml = coalesce(?, xml) WHERE reference = ?",
                      None if data is None else pack(data), reference)
            self._app.sessions.counted(row["session"], accepted=False)


def check_identifiers(invoice):
    """The check digits of the parties' NIPs and internal identifiers; raises Rejected 450."""
    for party in (invoice.seller, invoice.buyer, *invoice.third, invoice.authorized):
        if party is None:
            continue
        if party.type == "Nip" and not ids.nip_checksum_ok(party.value):
            raise Rejected(450, f"Nieprawidłowa suma kontrolna numeru NIP {party.value}.")
        if party.type == "InternalId" and not ids.nip_checksum_ok(party.value[:10]):
            raise Rejected(450, f"Nieprawidłowa suma kontrolna numeru NIP w identyfikatorze {party.value}.")
