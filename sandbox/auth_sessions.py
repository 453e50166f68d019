"""The caller's login sessions: list and revoke. A revoked one lets no more access tokens out."""

from datetime import timedelta

from . import clock
from .auth import DETAILS
from .errors import ApiError
from .paging import Pager
from .webtokens import LIFETIMES, REFRESH


class AuthSessions:
    """The room of login sessions."""

    def __init__(self, app):
        self._app = app

    def _mine(self, principal):
        oldest = clock.text(self._app.clock.now() - timedelta(seconds=LIFETIMES[REFRESH]))
        return self._app.store.all(
            "SELECT * FROM logins WHERE subject_type = ? AND subject_value = ? AND context_type = ? AND "
            "context_value = ? AND started >= ? AND code = 200 ORDER BY started DESC, reference",
            principal.subject_type, principal.subject_value, principal.context_type, principal.context_value, oldest)

    def list(self, request):
        """GET /auth/sessions: newest first."""
        pager = Pager(request, "logins", 10)
        page, token = pager.slice(self._mine(request.principal))
        items = [{**self._app.auth.describe(row), "referenceNumber": row["reference"],
                  "isCurrent": row["reference"] == request.principal.login} for row in page]
        return {"continuationToken": token, "items": items}

    def revoke_current(self, request):
        """DELETE /auth/sessions/current."""
        self._end(request.principal.login)

    def revoke(self, request):
        """DELETE /auth/sessions/{referenceNumber}."""
        reference = request.values["referenceNumber"]
        if reference not in {row["reference"] for row in self._mine(request.principal)}:
            raise ApiError(21405, f"Sesja uwierzytelnienia {reference} nie została znaleziona.")
        self._end(reference)

    def _end(self, reference):
        self._app.store.update("logins", "reference", reference, code=425, details=[DETAILS[425]])
