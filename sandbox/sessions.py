"""Sending sessions: opening and closing interactive ones, and the course of every session to its end."""
# ruff: noqa: S608  statements are put together from names that stand in this file; values are always bound

import json
from datetime import timedelta

from . import clock, ids
from .crypto import Undecipherable, unbase64
from .errors import ApiError
from .keys import SYMMETRIC_KEY
from .store import packed

ONLINE, BATCH = "Online", "Batch"
LIFE = timedelta(hours=12)
UPO_PAGE = 10_000

DESCRIPTIONS = {
    (ONLINE, 100): "Sesja interaktywna otwarta", (BATCH, 100): "Sesja wsadowa rozpoczęta",
    (ONLINE, 170): "Sesja interaktywna zamknięta",
    (ONLINE, 200): "Sesja interaktywna przetworzona pomyślnie",
    (BATCH, 200): "Sesja wsadowa przetworzona pomyślnie",
    150: "Trwa przetwarzanie",
    405: "Błąd weryfikacji poprawności dostarczonych elementów paczki",
    415: "Błąd odszyfrowania dostarczonego klucza",
    420: "Przekroczony limit faktur w sesji",
    430: "Błąd dekompresji pierwotnego archiwum",
    435: "Błąd odszyfrowania zaszyfrowanych części archiwum",
    440: "Sesja anulowana",
    445: "Błąd weryfikacji, brak poprawnych faktur",
}


def description(kind, code):
    """KSeF's words for a session status."""
    return DESCRIPTIONS.get((kind, code)) or DESCRIPTIONS.get(code) or f"Nieznany błąd ({code})"


class Sessions:
    """The room of sessions."""

    def __init__(self, app):
        self._app = app

    def row(self, reference):
        """A session by its reference number, or None."""
        return self._app.store.one("SELECT * FROM sessions WHERE reference = ?", reference)

    def required(self, principal, reference, kind=None, lost="odnaleziona"):
        """A session of the caller's context; raises 21173."""
        row = self.row(reference)
        if (row is None or (row["context_type"], row["context_value"]) !=
                (principal.context_type, principal.context_value) or kind not in (None, row["kind"])):
            raise ApiError(21173, f"Sesja o numerze referencyjnym {reference} nie została {lost}.")
        return row

    # --- opening -----------------------------------------------------------------------------------------------

    def form(self, form_code, batch):
        """The namespace of the documents that a session takes; raises 21405 for an unsupported form code."""
        found = self._app.fa3.namespace_of(form_code)
        if found is None or (batch and not found[1]):
            raise ApiError(21405, f"$.formCode: nieobsługiwany schemat {form_code['systemCode']} "
                                  f"{form_code['schemaVersion']} {form_code['value']}.")
        return found[0]

    def unwrap_key(self, encryption):
        """The AES key, or None when it cannot be decrypted (that is told later); raises 21470."""
        try:
            key = self._app.keys.decrypt(encryption["encryptedSymmetricKey"], SYMMETRIC_KEY,
                                         encryption.get("publicKeyId"))
        except Undecipherable:
            return None
        return key if len(key) == 32 else None

    def create(self, request, kind, reference, offline=False, batch=None, life=LIFE):
        """Insert a session and return its row's values that the answer needs."""
        principal, data = request.principal, request.data
        now = self._app.clock.now()
        key = self.unwrap_key(data["encryption"])
        until = now + life
        features = [item.strip() for item in request.header("x-ksef-feature").split(",") if item.strip()]
        self._app.store.insert(
            "sessions", reference=reference, kind=kind, context_type=principal.context_type,
            context_value=principal.context_value, login=packed(self._app.auth.proof(principal.login)),
            form=packed(data["formCode"]), aes_key=key, aes_iv=unbase64(data["encryption"]["initializationVector"]),
            code=100, created=clock.text(now), updated=clock.text(now), valid_until=clock.text(until),
            offline=int(offline), features=features, batch=packed(batch))
        if key is None:
            self._app.jobs.quick.at(self._app.processing.due(), self.fail, reference, 415)
        self.apply_fault(f"POST /sessions/{kind.lower()}", reference, principal.nip)
        return until

    def open_online(self, request):
        """POST /sessions/online."""
        self.form(request.data["formCode"], batch=False)
        reference = self._app.numbers.reference(ids.ONLINE)
        until = self.create(request, ONLINE, reference)
        return {"referenceNumber": reference, "validUntil": clock.text(until)}

    def apply_fault(self, operation, reference, nip):
        """The switch ``session_status``: the session has that status as soon as the call is over."""
        forced = self._app.faults.take("session_status", operation, nip)
        if forced:
            self.fail(reference, forced["code"], forced.get("details"), forced.get("description"))

    # --- closing and finishing ---------------------------------------------------------------------------------

    def close_online(self, request):
        """POST /sessions/online/{referenceNumber}/close."""
        reference = request.values["referenceNumber"]
        with self._app.store.transaction():
            row = self.required(request.principal, reference, ONLINE)
            if row["code"] != 100:
                raise ApiError(21180, f"Status sesji {row['code']} uniemożliwia jej zamknięcie.")
            self.close(reference)
        self.apply_fault("POST /sessions/online/{}/close", reference, request.principal.nip)

    def close(self, reference):
        """Close an open interactive session; what was sent is still processed."""
        now = clock.text(self._app.clock.now())
        with self._app.store.transaction() as store:
            store.update("sessions", "reference", reference, code=170, closed=now, updated=now)
        self._app.jobs.quick.at(self._app.processing.due(), self.finish, reference)

    def finish(self, reference):
        """Give a closed session its final status once each of its invoices has one."""
        with self._app.store.transaction() as store:
            row = self.row(reference)
            if row is None or row["code"] not in (150, 170) or row["accepted"] + row["failed"] < row["total"]:
                return
            details = None
            if not row["total"]:
                code, details = 440, ["Nie przesłano faktur"]
            elif not row["accepted"]:
                code = 445
            else:
                code = 200
                self._make_upo_pages(row)
            store.update("sessions", "reference", reference, code=code, details=packed(details),
                         updated=clock.text(self._app.clock.now()))

    def _make_upo_pages(self, row):
        for page in range(-(-row["accepted"] // UPO_PAGE)):
            self._app.store.insert("upo_pages", reference=self._app.numbers.reference(ids.UPO),
                                   session=row["reference"], page=page + 1)

    def fail(self, reference, code, details=None, words=None):
        """End a session with an error; its unfinished invoices are cancelled (405, or 435 for a bad key)."""
        now = clock.text(self._app.clock.now())
        with self._app.store.transaction() as store:
            row = self.row(reference)
            if row is None or row["code"] >= 200:
                return
            store.update("sessions", "reference", reference, code=code, description=words, updated=now,
                         details=packed(details), closed=row["closed"] or now)
            for invoice in store.all("SELECT reference FROM invoices WHERE session = ? AND code < 200", reference):
                self._app.processing.reject(invoice["reference"], 435 if code == 415 else 405)

    def counted(self, reference, accepted):
        """Note that an invoice of a session has got its final status."""
        column = "accepted" if accepted else "failed"
        with self._app.store.transaction() as store:
            [row] = store.all(f"UPDATE sessions SET {column} = {column} + 1, updated = ? WHERE reference = ? "
                              "RETURNING code, total, accepted, failed", clock.text(self._app.clock.now()), reference)
            if row["code"] in (150, 170) and row["accepted"] + row["failed"] >= row["total"]:
                self.finish(reference)

    def housekeeping(self):
        """Close sessions whose time is over; forget challenges that nobody can use."""
        now = clock.text(self._app.clock.now())
        store = self._app.store
        for row in store.all("SELECT reference, kind FROM sessions WHERE code = 100 AND valid_until <= ?", now):
            self.expire(row["reference"])
        store.run("DELETE FROM challenges WHERE valid_until <= ?", now)

    def expire(self, reference):
        """End a session's time: an interactive one is closed, a batch is cancelled. True when it was open."""
        now = clock.text(self._app.clock.now())
        row = self.row(reference)
        if row is None or row["code"] != 100:
            return False
        self._app.store.update("sessions", "reference", reference, valid_until=now)
        if row["kind"] == ONLINE:
            self.close(reference)
        else:
            self.fail(reference, 440, ["Przekroczono czas wysyłki"])
        return True

    def resume(self):
        """After a restart: take up sessions that wait for their end."""
        for row in self._app.store.all("SELECT * FROM sessions WHERE code < 200"):
            if row["code"] in (150, 170) and row["kind"] == ONLINE:
                self._app.jobs.quick.at(0, self.finish, row["reference"])
            if row["aes_key"] is None:
                self._app.jobs.quick.at(0, self.fail, row["reference"], 415)

    def status_of(self, row):
        """StatusInfo of a session."""
        status = {"code": row["code"], "description": row["description"] or description(row["kind"], row["code"])}
        if row["details"]:
            status["details"] = json.loads(row["details"])
        return status
