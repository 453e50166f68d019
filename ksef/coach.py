"""The error coach: what KSeF's answer means for a person, who must act, and which one click comes next.

    advice = find_advice(Where.LOGIN_SIGNED, error)      # a KsefError
    advice = find_advice(Where.INVOICE, report.status)   # a StatusInfo
    advice = find_stored_advice(Where.SEND, 21405, description, details)

The same number means different things in different places: 415 on a login is a missing right, 415 on an invoice an
attachment. So every question names where the answer came from. Texts are not here: they belong to the program's
languages and are found by :attr:`Advice.key`.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from .coach_table import (
    FORBIDDEN,
    HTTP,
    LOGINS,
    MISSING_RIGHTS,
    MISSING_RIGHTS_BY_PLACE,
    REFUSALS,
    REFUSALS_BY_PLACE,
    REMEDIES,
    STATUSES,
    Action,
    Link,
    Where,
    Who,
)
from .errors import (
    ApiCode,
    KsefConfigError,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefIntegrityError,
    KsefLoginError,
    KsefProtocolError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefServerError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
    KsefUnreadableError,
)

__all__ = [
    "MINISTRY_FORM",
    "STATUS_PAGES",
    "Action",
    "Advice",
    "Link",
    "Original",
    "Scope",
    "Where",
    "Who",
    "find_advice",
    "find_stored_advice",
    "link_url",
]

MINISTRY_FORM = "https://ksef.podatki.gov.pl/formularz/"
TAX_OFFICE = "https://urzadskarbowy.gov.pl"
STATUS_PAGES = ("https://ksef.systems", "https://ealerty.pl")

_FIRST_API_CODE = min(ApiCode)
# from the special to the general: the first that fits counts
_KINDS = (
    (KsefConnectError, "no_connection"),
    (KsefServerError, "service_down"),
    (KsefUnreadableError, "unreadable_answer"),
    (KsefUnconfirmedError, "no_answer"),
    (KsefRateLimitError, "rate_limit"),
    (KsefGoneError, "gone"),
    (KsefProtocolError, "protocol"),
    (KsefIntegrityError, "damaged_download"),
    (KsefConfigError, "own_input"),
)


class Scope(StrEnum):
    """Whether a person can do it alone, or must turn to somebody (S0-02)."""

    SELF = "self"
    CONTACT = "contact"


@dataclass(frozen=True)
class Original:
    """What KSeF itself said, to be shown beside every advice, in full."""

    code: int | None = None
    description: str = ""
    details: tuple[str, ...] = ()
    http_status: int | None = None
    reason_code: str | None = None
    trace_id: str | None = None
    operation: str = ""

    @property
    def lines(self):
        """Code and words, one thing in a line."""
        number = self.code or self.reason_code or self.http_status
        first = " ".join(str(part) for part in (number, self.description) if part)
        return [line for line in (first, *self.details) if line]


@dataclass(frozen=True)
class Advice:
    """What to do about one answer.

    :ivar key: name of the texts (what happened, why, steps); stays the same from version to version
    :ivar who: :class:`Who` has to act
    :ivar action: the one :class:`Action` that helps
    :ivar link: the :class:`Link` to open, or None; see :func:`link_url`
    :ivar until: aware datetime before which there is no use in trying, or None
    :ivar missing: names of the permissions of which one is needed, such as ``InvoiceWrite``
    :ivar original: :class:`Original`
    """

    key: str
    who: Who
    action: Action
    link: Link | None = None
    until: datetime | None = None
    missing: tuple[str, ...] = ()
    original: Original = field(default_factory=Original)

    @property
    def scope(self):
        """Whether the person who reads it can mend it alone (:class:`Scope`)."""
        return Scope.SELF if self.who in (Who.YOU, Who.NOBODY) else Scope.CONTACT


def find_advice(where, error, now=None):
    """Return the :class:`Advice` for what went wrong, or is still going on.

    :param where: :class:`Where` it came from
    :param error: a :class:`~.errors.KsefError`, or the :class:`~.types.StatusInfo` of a login, session, invoice,
        export, certificate request or change of rights
    :param now: aware datetime, to tell until when a limit lasts
    """
    if not isinstance(error, KsefError):
        original = Original(error.code, error.description, tuple(error.details))
        return _advice(_status_key(where, original), original)
    original = Original(
        error.code, error.description, error.details, error.http_status, error.reason_code, error.trace_id, error.operation)
    until = None
    if error.retry_after is not None:
        until = (now or datetime.now(UTC)) + timedelta(seconds=error.retry_after)
    required = error.security.get("requiredAnyOfPermissions") or ()
    missing = (required,) if isinstance(required, str) else tuple(required)
    return _advice(_error_key(where, error, original, missing), original, until, missing)


def find_stored_advice(where, code, description="", details=()):
    """Return the :class:`Advice` for an answer of which only KSeF's code and words were kept.

    :param code: a code of a refused call, else a status of ``where``, else an HTTP status
    """
    original = Original(code, description, tuple(details))
    if code is None:
        return _advice("unknown_failure", original)
    if code >= _FIRST_API_CODE:
        return _advice(_refusal_key(where, original), original)
    key = _status_key(where, original)
    if key == "unknown_failure":
        key = HTTP.get(code, "service_down" if code >= 500 else key)
    return _advice(_place_key(where, key, ()), original)


def link_url(link, environment):
    """Return the address behind a :class:`Link` in an :class:`~.environment.Environment`, or None."""
    if link is None:
        return None
    addresses = {Link.MINISTRY: MINISTRY_FORM, Link.TAX_OFFICE: TAX_OFFICE, Link.STATUS: STATUS_PAGES[0]}
    return addresses.get(link, environment.taxpayer_app_url)


def _advice(key, original, until=None, missing=()):
    who, action, link = REMEDIES[key]
    return Advice(key, who, action, link, until, missing, original)


def _error_key(where, error, original, missing):
    """Return the key for an exception."""
    if isinstance(error, KsefLoginError):
        return _status_key(where if where in LOGINS else Where.LOGIN_TOKEN, original)
    if isinstance(error, KsefRefusedError):
        return _refusal_key(where, original)
    if isinstance(error, KsefUnauthorizedError):
        return _place_key(where, "unauthorized", missing)
    if isinstance(error, KsefForbiddenError):
        return _place_key(where, FORBIDDEN.get(error.reason_code, "forbidden"), missing)
    return next((key for kind, key in _KINDS if isinstance(error, kind)), "unknown_refusal")


def _place_key(where, key, missing):
    """Return the key that a 401 or 403 has in this place."""
    if key == "unauthorized" and where in LOGINS:
        return "unauthorized_login"
    if key == "forbidden_missing":
        by_right = next((found for right, found in MISSING_RIGHTS if right in missing), None)
        return by_right or (not missing and MISSING_RIGHTS_BY_PLACE.get(where)) or key
    return key


def _refusal_key(where, original):
    """Return the key for a code of a refused call (HTTP 400)."""
    found = REFUSALS_BY_PLACE.get(where, {}).get(original.code) or REFUSALS.get(original.code)
    return _by_words(found, original) if found else "unknown_refusal"


def _status_key(where, original):
    """Return the key for a status."""
    found = STATUSES.get(where, {}).get(original.code)
    if found:
        return _by_words(found, original)
    is_going_on = original.code is not None and 100 <= original.code < 400
    return "in_progress" if is_going_on and where in STATUSES else "unknown_failure"


def _by_words(found, original):
    """Return the key out of what the table has: one key, or (words, key) pairs and a last key without words."""
    if isinstance(found, str):
        return found
    said = " ".join((original.description, *original.details)).casefold()
    return next(key for words, key in found if words in said)
