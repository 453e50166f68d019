"""The client's operations on KSeF tokens and on open logins."""

from . import api, parsing_access
from .errors import KsefConfigError

_PAGE = 100
_SHORTEST_DESCRIPTION, _LONGEST_DESCRIPTION = 5, 256


class TokensMixin:
    """Operations of :class:`~.client.Client` on tokens and logins."""

    def generate_token(self, access, permissions, description):
        """Make a KSeF token (POST /tokens) and return a :class:`~.types.GeneratedToken`.

        KSeF shows its text this once. After KsefUnconfirmedError look for the description in :meth:`tokens` and revoke
        what is found there. A token serves when :meth:`token_status` says Active.

        :param permissions: names such as InvoiceRead (see Permission); only what the one who is logged in has
        :param description: 5 to 256 characters, best one that is found again
        :raise KsefRefusedError: 26001 permissions that one does not have, 26002 not in this kind of context
        """
        if not _SHORTEST_DESCRIPTION <= len(description) <= _LONGEST_DESCRIPTION:
            raise KsefConfigError(
                "The description of a token has 5 to 256 characters.", operation=api.GENERATE_TOKEN.name)
        if not permissions:
            raise KsefConfigError("A token needs at least one permission.", operation=api.GENERATE_TOKEN.name)
        body = {"permissions": [str(permission) for permission in permissions], "description": description}
        return parsing_access.generated_token(self._fields(api.GENERATE_TOKEN, access, json=body))

    def tokens(self, access, *, statuses=(), description=None, page_size=_PAGE):
        """Yield the :class:`~.types.TokenReport` of each token of the context that one may see (GET /tokens).

        :param statuses: only these: Pending, Active, Revoking, Revoked, Failed
        :param description: only those whose description contains this text, of at least three characters
        :param page_size: 10 to 100
        """
        params = {"pageSize": page_size}
        if statuses:
            params["status"] = list(statuses)
        if description:
            params["description"] = description
        for page in self._continued_pages(api.TOKENS, access, params=params):
            for item in page.need_children("tokens"):
                yield parsing_access.token_report(item)

    def token_status(self, access, reference):
        """Return the :class:`~.types.TokenReport` of a KSeF token (GET /tokens/{referenceNumber})."""
        return parsing_access.token_report(self._fields(api.TOKEN_STATUS, access, referenceNumber=reference))

    own_token = token_status

    def revoke_token(self, access, reference):
        """Revoke a KSeF token for good (DELETE /tokens/{referenceNumber}); a token may revoke itself."""
        self._call(api.REVOKE_TOKEN, access, referenceNumber=reference).nothing()

    def logins(self, access, *, page_size=_PAGE):
        """Yield the :class:`~.types.LoginSession` of each open login in the context (GET /auth/sessions), newest first.

        :param page_size: 10 to 100
        """
        for page in self._continued_pages(api.LOGINS, access, params={"pageSize": page_size}):
            for item in page.need_children("items"):
                yield parsing_access.login_session(item)

    def terminate_login(self, access, reference):
        """Void the refresh token of a login (DELETE /auth/sessions/{referenceNumber}); its access token runs out."""
        self._call(api.TERMINATE_LOGIN, access, referenceNumber=reference).nothing()
