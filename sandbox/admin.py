"""The administration API: tokens, invoices as they arrived, settings, fault switches, reset."""

import re

from cryptography.hazmat.primitives import serialization

from .crypto import new_ec_key
from .errors import Problem
from .faults import TOKEN_STATUSES
from .ids import INTERNAL_ID, NIP
from .models import TOKEN_PERMISSIONS
from .processing import unpack
from .shapes import Unreadable
from .store import unpacked
from .strict_json import load_json
from .web import Response


class Admin:
    """Handlers below /admin; wrong input is a ValueError (400)."""

    def __init__(self, app):
        self._app = app

    @staticmethod
    def _body(request):
        if not request.body:
            return {}
        try:
            data = load_json(request.body)
        except Unreadable as error:
            raise ValueError("the body is not JSON") from error
        if not isinstance(data, dict):
            raise ValueError("the body must be a JSON object")
        return data

    def health(self, request):
        """GET /admin/health."""
        store = self._app.store
        return {"status": "ok", "environment": self._app.settings.environment,
                "invoices": store.value("SELECT count(*) FROM invoices"),
                "pending": store.value("SELECT count(*) FROM invoices WHERE code < 200"),
                "faults": len(self._app.faults.list()), "api": f"{request.origin}/v2"}

    # --- tokens ------------------------------------------------------------------------------------------------

    def create_token(self, request):
        """POST /admin/tokens {nip, permissions, description?, internalId?} -> {token, referenceNumber}."""
        data = self._body(request)
        nip, internal = data.get("nip"), data.get("internalId")
        if not isinstance(nip, str) or not NIP.fullmatch(nip):
            raise ValueError("nip must be a NIP of ten digits")
        if internal is not None and (not isinstance(internal, str) or not INTERNAL_ID.fullmatch(internal)):
            raise ValueError("internalId must look like 1234567890-12345")
        permissions = data.get("permissions", ["InvoiceRead", "InvoiceWrite"])
        if not isinstance(permissions, list) or not permissions or not set(map(str, permissions)) <= set(
                TOKEN_PERMISSIONS):
            raise ValueError(f"permissions must be a list out of {', '.join(TOKEN_PERMISSIONS)}")
        context = ("InternalId", internal) if internal else ("Nip", nip)
        reference, token = self._app.tokens.create(context, ("Nip", nip), permissions,
                                                   str(data.get("description") or "Token piaskownicy")[:256])
        return {"token": token, "referenceNumber": reference}

    def revoke_token(self, request):
        """DELETE /admin/tokens/{reference}."""
        if not self._app.tokens.end(request.values["reference"]):
            raise Problem(404, "No such token.")

    def token_status(self, request):
        """POST /admin/tokens/{reference}/status {status}: Active, Pending, Revoked, Failed."""
        status = self._body(request).get("status")
        if status not in TOKEN_STATUSES:
            raise ValueError(f"status must be one of {', '.join(TOKEN_STATUSES)}")
        if not self._app.store.update("tokens", "reference", request.values["reference"], status=status, ready=0.0):
            raise Problem(404, "No such token.")

    def create_certificate(self, request):
        """POST /admin/certificates {nip | pesel, kind?: seal|person, name?, days?} -> {certificate, privateKey} (PEM).

        A certificate as a trust service issues it, trusted in the environment that the sandbox behaves as.
        """
        data = self._body(request)
        names = certificate_names(data)
        key = new_ec_key()
        days = data.get("days", 365)
        if isinstance(days, bool) or not isinstance(days, int | float) or not 0 < days <= 36_500:
            raise ValueError("days must be a number between 0 and 36500")
        certificate = self._app.certificates.qualified(names, key, days)
        return {"certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
                "privateKey": key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                serialization.NoEncryption()).decode()}

    # --- what arrived ------------------------------------------------------------------------------------------

    def invoices(self, request):
        """GET /admin/invoices?nip=&limit=: every submission, accepted or not, oldest first."""
        nip = request.query.get("nip", [None])[0]
        limit = int(request.query.get("limit", ["100000"])[0])
        rows = self._app.store.all(
            "SELECT invoices.*, sessions.context_value FROM invoices JOIN sessions ON sessions.reference = session "
            "WHERE ? IS NULL OR seller_nip = ? OR context_value = ? ORDER BY invoices.rowid LIMIT ?",
            nip, nip, nip, max(0, limit))
        return Response.json([{
            "ksefNumber": row["ksef_number"], "invoiceNumber": row["invoice_number"], "invoiceHash": row["hash"],
            "sellerNip": row["seller_nip"], "contextNip": row["context_value"][:10],
            "status": self._app.session_queries.shown_code(row), "details": unpacked(row["details"], []),
            "sessionReferenceNumber": row["session"], "referenceNumber": row["reference"], "mode": row["mode"],
            "hashOfCorrectedInvoice": row["corrected_hash"], "invoicingDate": row["invoiced"],
        } for row in rows])

    def invoice_xml(self, request):
        """GET /admin/invoices/{reference or KSeF number}/xml: the bytes as they arrived."""
        mark = request.values["reference"]
        content = self._app.store.value(
            "SELECT xml FROM files JOIN invoices USING (reference) WHERE reference = ? OR ksef_number = ?", mark, mark)
        if content is None:
            raise Problem(404, "No such invoice, or it could not be decrypted.")
        return Response(200, unpack(content), "application/xml; charset=utf-8")

    def sessions(self, request):
        """GET /admin/sessions?nip=."""
        nip = request.query.get("nip", [None])[0]
        rows = self._app.store.all("SELECT * FROM sessions WHERE ? IS NULL OR context_value = ? ORDER BY created",
                                   nip, nip)
        return Response.json([{
            "referenceNumber": row["reference"], "kind": row["kind"], "contextNip": row["context_value"],
            "status": row["code"], "total": row["total"], "accepted": row["accepted"], "failed": row["failed"],
            "validUntil": row["valid_until"]} for row in rows])

    def expire(self, request):
        """POST /admin/sessions/{reference}/expire: its twelve hours are over."""
        if not self._app.sessions.expire(request.values["reference"]):
            raise Problem(404, "No such open session.")

    def list_requests(self, request):
        """GET /admin/requests?limit=: the newest ``limit`` requests, oldest of them first."""
        limit = int(request.query.get("limit", ["1000"])[0])
        return Response.json(list(self._app.requests)[-max(1, limit):])

    def clear_requests(self, request):
        """DELETE /admin/requests."""
        self._app.requests.clear()

    # --- switches ----------------------------------------------------------------------------------------------

    def settings(self, request):
        """GET /admin/settings."""
        return self._app.settings.as_dict()

    def change_settings(self, request):
        """POST /admin/settings."""
        data = self._body(request)
        self._app.settings.change(data)
        if "clockOffsetSeconds" in data:
            self._app.clock.set_offset(self._app.settings.clock_offset_seconds)
        return self._app.settings.as_dict()

    def rotate_keys(self, request):
        """POST /admin/keys/rotate {mode?: emergency|planned|retire}."""
        mode = self._body(request).get("mode", "emergency")
        if not isinstance(mode, str) or mode not in ("emergency", "planned", "retire"):
            raise ValueError("mode must be emergency, planned or retire")
        self._app.keys.rotate(mode)

    def reset(self, request):
        """POST /admin/reset: all state and all faults away; keys and settings stay."""
        self._app.reset()

    def faults(self, request):
        """GET /admin/faults."""
        return Response.json(self._app.faults.list())

    def add_fault(self, request):
        """POST /admin/faults -> {id}."""
        return {"id": self._app.faults.add(self._body(request))}

    def remove_faults(self, request):
        """DELETE /admin/faults."""
        return {"removed": self._app.faults.remove()}

    def remove_fault(self, request):
        """DELETE /admin/faults/{id}."""
        if not self._app.faults.remove(int(request.values["id"])):
            raise Problem(404, "No such fault.")


def certificate_names(data):
    """Subject attributes of a seal of a NIP, or of a person with a NIP or a PESEL; raises ValueError."""
    nip, pesel = data.get("nip"), data.get("pesel")
    for value, pattern in ((nip, NIP.pattern), (pesel, r"\d{11}")):
        if value is not None and (not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII)):
            raise ValueError("nip must be a NIP of ten digits, pesel eleven digits")
    kind = data.get("kind", "person" if pesel else "seal")
    name = str(data.get("name") or f"Firma {nip or pesel}")[:64]
    if kind == "seal" and nip:
        return {"countryName": "PL", "organizationName": name, "organizationIdentifier": f"VATPL-{nip}",
                "commonName": name}
    if kind == "person" and (nip or pesel):
        return {"countryName": "PL", "givenName": "Jan", "surname": "Kowalski", "commonName": "Jan Kowalski",
                "serialNumber": f"PNOPL-{pesel}" if pesel else f"TINPL-{nip}"}
    raise ValueError("give nip (kind seal or person) or pesel (kind person)")
