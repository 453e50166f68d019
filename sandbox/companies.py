"""What the page at ``/`` works with: companies, the invoices each of them sees, samples issued to them."""

import json
import os

from . import clock, ids, samples
from .errors import Problem
from .fa3 import FA3_NAMESPACE
from .month import Month
from .processing import unpack
from .sessions import LIFE, ONLINE
from .strict_json import load_json
from .view import render
from .web import Response

_KEY = "companies"
_FORM = {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}
OPERATION = "POST /sessions/online/{}/invoices"


class Companies:
    """Handlers of the page; wrong input is a ValueError (400)."""

    def __init__(self, app):
        self._app = app

    @staticmethod
    def _nip(value):
        if not isinstance(value, str) or not ids.NIP.fullmatch(value):
            raise ValueError("nip must be a NIP of ten digits")
        return value

    def _known(self):
        """{nip: name}: what was entered, and whoever has a token or has sent something."""
        store = self._app.store
        found = {row["context_value"][:10]: "" for table in ("tokens", "sessions") for row in store.all(
            f"SELECT DISTINCT context_value FROM {table} WHERE context_type <> 'PeppolId'")}  # noqa: S608
        own = {party.nip: party.name for party in samples.SUPPLIERS.values()}
        return {**{nip: own.get(nip, name) for nip, name in found.items()}, **store.get(_KEY, {})}

    def list(self, request):
        """GET /admin/companies."""
        store, result = self._app.store, []
        for nip, name in sorted(self._known().items()):
            counts = {row["role"]: row[1] for row in store.all(
                "SELECT role, count(*) FROM parties WHERE value = ? GROUP BY role", nip)}
            result.append({"nip": nip, "name": name, "issued": counts.get("Subject1", 0),
                           "received": counts.get("Subject2", 0)})
        return Response.json(result)

    def add(self, request):
        """POST /admin/companies {nip, name?}."""
        data = load_json(request.body)
        if not isinstance(data, dict):
            raise ValueError("the body must be a JSON object")
        nip = self._nip(data.get("nip"))
        with self._app.store.transaction() as store:
            store.put(_KEY, {**store.get(_KEY, {}), nip: str(data.get("name") or "")[:100]})
        return {"nip": nip}

    def invoices(self, request):
        """GET /admin/companies/{nip}/invoices: accepted ones in every role, refused ones that it sent; newest first."""
        nip = self._nip(request.values["nip"])
        store = self._app.store
        seen = [{
            "role": row["role"], "ksefNumber": row["ksef_number"], "invoiceNumber": row["number"],
            "issueDate": row["issued"], "seller": row["seller_nip"], "buyer": row["buyer_value"],
            "gross": row["gross"], "currency": row["currency"], "type": row["type"], "mode": row["mode"], "status": 200,
            "mark": row["ksef_number"], "at": row["stored"],
        } for row in store.all("SELECT p.role, a.* FROM parties p JOIN archive a ON a.id = p.invoice WHERE p.value = ? "
                               "ORDER BY p.stored DESC LIMIT 300", nip)]
        refused = [{
            "role": "Subject1", "ksefNumber": None, "invoiceNumber": row["invoice_number"], "issueDate": None,
            "seller": row["seller_nip"], "buyer": None, "gross": None, "currency": None, "type": None, "mode": None,
            "status": self._app.session_queries.shown_code(row), "mark": row["reference"], "at": row["invoiced"],
            "details": json.loads(row["details"]) if row["details"] else [],
        } for row in store.all("SELECT i.* FROM invoices i JOIN sessions s ON s.reference = i.session WHERE "
                               "s.context_value = ? AND i.code <> 200 ORDER BY i.rowid DESC LIMIT 100", nip)]
        return Response.json(sorted([*seen, *refused], key=lambda item: item["at"], reverse=True))

    def view(self, request):
        """GET /admin/invoices/{reference or KSeF number}/view."""
        mark = request.values["reference"]
        row = self._app.store.one("SELECT xml, ksef_number FROM files JOIN invoices USING (reference) "
                                  "WHERE reference = ? OR ksef_number = ?", mark, mark)
        if row is None or row["xml"] is None:
            raise Problem(404, "No such invoice, or it could not be decrypted.")
        return Response(200, render(unpack(row["xml"]), row["ksef_number"]), "text/html; charset=utf-8")

    # --- samples -----------------------------------------------------------------------------------------------

    def kinds(self, request):
        """GET /admin/samples: {name: label}."""
        return Response.json(samples.SAMPLES)

    def issue(self, request):
        """POST /admin/companies/{nip}/issue {sample, seller?, number?}: a supplier sends a sample invoice to the company."""
        data = load_json(request.body)
        sample = data.get("sample") if isinstance(data, dict) else None
        if not isinstance(sample, str) or sample not in samples.SAMPLES:
            raise ValueError(f"sample must be one of {', '.join(samples.SAMPLES)}")
        if self._app.fa3.namespace_of(_FORM) != (FA3_NAMESPACE, True):
            raise ValueError("the FA(3) schema is not loaded")
        nip = self._nip(request.values["nip"])
        seller = samples.supplier_of(sample)
        if data.get("seller"):
            seller = samples.Party(self._nip(data["seller"]), self._known().get(data["seller"]) or "Sprzedawca")
        buyer = samples.Party(nip, self._known().get(nip) or f"Nabywca {nip}")
        now = self._app.clock.now()
        day = clock.warsaw(now).date()
        number = str(data.get("number") or f"{sample[:3].upper()}/{day:%Y/%m}/{self._app.numbers.reference('EE')[12:22]}")
        content = samples.make(sample, seller, buyer, number, day, corrected=self._correctable(seller, nip),
                               created=f"{now:%Y-%m-%dT%H:%M:%SZ}")
        return {"referenceNumber": self._send(seller.nip, content), "invoiceNumber": number, "seller": seller.nip}

    def _correctable(self, seller, nip):
        """The newest plain invoice of this supplier to this company, or None."""
        row = self._app.store.one(
            "SELECT number, issued, ksef_number FROM archive WHERE seller_nip = ? AND buyer_value = ? AND kind = 'VAT' "
            "ORDER BY stored DESC", seller.nip, nip)
        return dict(row) if row else None

    def month(self, request):
        """POST /admin/companies/{nip}/month: a month of purchases of all kinds; see ``month.Month.issue``."""
        if self._app.fa3.namespace_of(_FORM) != (FA3_NAMESPACE, True):
            raise ValueError("the FA(3) schema is not loaded")
        nip = self._nip(request.values["nip"])
        return Response.json(Month(self._app, nip, self._known().get(nip) or f"Nabywca {nip}").issue())

    def send_now(self, nip, content, form=None, invoice=None):
        """Send an invoice as its seller would and work on it at once; returns its reference number.

        ``form`` and ``invoice`` (an ``fa3_reader.Invoice``) are given for a document that the sandbox cannot read: it is
        archived with what ``invoice`` says.
        """
        reference = self._send(nip, content, form=dict(zip(_FORM, form, strict=True)) if form else None, at_once=True)
        if invoice:
            self._app.processing.archive(reference, invoice)
        else:
            self._app.processing.process(reference)
        return reference

    def _send(self, nip, content, form=None, at_once=False):
        """Send an invoice as its seller would, in a session of its own."""
        app, now = self._app, self._app.clock.now()
        session = app.numbers.reference(ids.ONLINE)
        with app.store.transaction() as store:
            store.insert("sessions", reference=session, kind=ONLINE, context_type="Nip", context_value=nip, login="{}",
                         form=form or _FORM, aes_key=os.urandom(32), aes_iv=os.urandom(16), code=100, created=clock.text(now),
                         updated=clock.text(now), valid_until=clock.text(now + LIFE))
            reference = app.processing.take_plain(app.sessions.row(session), content, OPERATION, at_once)
            app.sessions.close(session)
        return reference
