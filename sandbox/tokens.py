"""KSeF tokens: generating, listing, status, revoking. Only the hash of a token is kept."""

import hashlib

from . import clock, ids
from .errors import ApiError
from .paging import Pager
from .store import unpacked

ACTIVATION_SECONDS = 0.3


def _hash(token):
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Tokens:
    """The room of KSeF tokens."""

    def __init__(self, app):
        self._app = app

    def row(self, reference):
        """A token by its reference number, or None."""
        return self._app.store.one("SELECT * FROM tokens WHERE reference = ?", reference)

    def by_secret(self, token):
        """A token by its text, or None."""
        return self._app.store.one("SELECT * FROM tokens WHERE secret_hash = ?", _hash(token))

    def status_of(self, row):
        """The status shown now; activating and revoking take a moment."""
        done = self._app.clock.real() >= row["ready"]
        if row["status"] == "Active":
            return "Active" if done else "Pending"
        if row["status"] == "Revoked":
            return "Revoked" if done else "Revoking"
        return row["status"]

    def create(self, context, author, permissions, description, delay=0.0):
        """Make a token; returns (reference, token). ``context`` and ``author`` are (type, value)."""
        reference = self._app.numbers.reference(ids.TOKEN)
        prefix = {"Nip": "nip", "InternalId": "internalId"}[context[0]]
        token = f"{reference}|{prefix}-{context[1]}|{self._app.numbers.secret()}"
        forced = self._app.faults.take("token_status", "POST /tokens", context[1][:10])
        self._app.store.insert(
            "tokens", reference=reference, secret_hash=_hash(token), context_type=context[0],
            context_value=context[1], author_type=author[0], author_value=author[1], description=description,
            permissions=sorted(set(permissions)), created=clock.text(self._app.clock.now()),
            status=forced["status"] if forced else "Active", ready=self._app.clock.real() + delay)
        return reference, token

    def generate(self, request):
        """POST /tokens."""
        principal, data = request.principal, request.data
        if principal.context_type not in ("Nip", "InternalId"):
            raise ApiError(26002, f"Aktualny kontekst: {principal.context_type}. Dozwolone: Nip, InternalId.")
        missing = sorted(set(data["permissions"]) - principal.permissions)
        if missing:
            raise ApiError(26001, f"Brakujące uprawnienia: {', '.join(missing)}.")
        delay = min(ACTIVATION_SECONDS, self._app.settings.processing_seconds)
        reference, token = self.create(
            (principal.context_type, principal.context_value), (principal.subject_type, principal.subject_value),
            data["permissions"], data["description"], delay)
        return {"referenceNumber": reference, "token": token}

    def _visible(self, principal, row, manage_only=False):
        """May the caller see (or with ``manage_only``: revoke) this token?"""
        if row is None or (row["context_type"], row["context_value"]) != (principal.context_type,
                                                                          principal.context_value):
            return False
        wanted = {"CredentialsManage"} if manage_only else {"CredentialsManage", "CredentialsRead"}
        if principal.permissions & wanted:
            return True
        if principal.token_reference:
            return principal.token_reference == row["reference"]
        return (row["author_type"], row["author_value"]) in self._app.rights.identifiers(
            principal.subject_type, principal.subject_value)

    def _required(self, request, manage_only=False):
        reference = request.values["referenceNumber"]
        row = self.row(reference)
        if not self._visible(request.principal, row, manage_only):
            raise ApiError(21405, f"Token o numerze referencyjnym {reference} nie został znaleziony.")
        return row

    def describe(self, row):
        """A token's metadata as the API shows them."""
        result = {
            "referenceNumber": row["reference"],
            "authorIdentifier": {"type": row["author_type"], "value": row["author_value"]},
            "contextIdentifier": {"type": row["context_type"], "value": row["context_value"]},
            "description": row["description"], "requestedPermissions": unpacked(row["permissions"]),
            "dateCreated": row["created"], "status": self.status_of(row), "statusDetails": [],
        }
        if row["last_use"]:
            result["lastUseDate"] = row["last_use"]
        return result

    def get(self, request):
        """GET /tokens/{referenceNumber}."""
        return self.describe(self._required(request))

    def list(self, request):
        """GET /tokens: newest first."""
        values, principal = request.values, request.principal
        pager = Pager(request, "tokens", 10)
        rows = self._app.store.all("SELECT * FROM tokens WHERE context_type = ? AND context_value = ? "
                                   "ORDER BY created DESC, reference", principal.context_type, principal.context_value)
        chosen = [row for row in rows if self._visible(principal, row) and self._wanted(row, values)]
        page, token = pager.slice(chosen)
        return {"continuationToken": token, "tokens": [self.describe(row) for row in page]}

    def _wanted(self, row, values):
        author = values.get("authorIdentifier")
        return ((not values.get("status") or self.status_of(row) in values["status"])
                and values.get("description", "").lower() in row["description"].lower()
                and (author is None or author.lower() in row["author_value"].lower())
                and values.get("authorIdentifierType") in (None, row["author_type"]))

    def revoke(self, request):
        """DELETE /tokens/{referenceNumber}."""
        row = self._required(request, manage_only=True)
        if self.status_of(row) in ("Revoked", "Revoking"):
            raise ApiError(21405, f"Token o numerze referencyjnym {row['reference']} jest już unieważniony.")
        self.end(row["reference"], min(ACTIVATION_SECONDS, self._app.settings.processing_seconds))

    def end(self, reference, delay=0.0):
        """Revoke a token; True when there was one."""
        return bool(self._app.store.update("tokens", "reference", reference, status="Revoked",
                                           ready=self._app.clock.real() + delay))
