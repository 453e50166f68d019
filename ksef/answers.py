"""Answers of KSeF, and the errors they mean, in both of KSeF's formats.

KSeF's newer format is ``application/problem+json`` (asked for with a header), the older one ``ExceptionResponse``; for
429 the older one is ``TooManyRequestsResponse``. A firewall or a proxy before KSeF may answer with anything else.
"""

import contextlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

from .errors import (
    KsefForbiddenError,
    KsefGoneError,
    KsefProtocolError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefServerError,
    KsefUnauthorizedError,
    KsefUnreadableError,
)
from .reading import as_integer, as_text, as_texts, scrub

_LONGEST_RETRY_AFTER = 86400.0
_MOST_DETAILS = 50
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,6})?", re.ASCII)

# 401 and 429 mean the same whoever says it. Any other refusal counts only in KSeF's own words: a firewall's page does
# not prove that KSeF did not process the call.
_BY_STATUS_ALONE = {401: KsefUnauthorizedError, 429: KsefRateLimitError}
_BY_STATUS = {400: KsefRefusedError, 403: KsefForbiddenError, 410: KsefGoneError}


@dataclass(frozen=True)
class Answer:
    """What came back for ``operation``: HTTP ``status``, ``headers`` (any case), ``content`` bytes, decompressed."""

    operation: str
    status: int
    headers: dict = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def media_type(self):
        """Media type in lower case without parameters, ``''`` when it is not stated."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self):
        """Return the body as JSON, fractions as Decimal.

        :raise KsefUnreadableError: it is not JSON, or does not say to be
        """
        if not self._says_json():
            raise self.unreadable(f"JSON was expected, not {scrub(self.media_type, 60) or 'this'}")
        # not JSON; 1e9999999999; nested too deeply
        with contextlib.suppress(ValueError, ArithmeticError, RecursionError):
            return json.loads(self.content, parse_float=Decimal, parse_constant=_refuse_constant)
        raise self.unreadable("the body is not JSON")

    def xml(self):
        """Return the body of an XML document, untouched; it is not parsed here.

        :raise KsefUnreadableError: it does not say, or look, to be XML (an HTML page is not)
        """
        start = self.content[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
        is_page = self.media_type.endswith("html") or b"<html" in start or start.startswith(b"<!doctype html")
        if is_page or (self.media_type and self._says_json()) or not start.startswith(b"<"):
            raise self.unreadable(f"an XML document was expected, not {scrub(self.media_type, 60) or 'this'}")
        return self.content

    def nothing(self):
        """Accept an answer whose body does not matter.

        :raise KsefUnreadableError: it has a body that KSeF would not send
        """
        if self.content.strip() and not self._says_json():
            raise self.unreadable(f"no body was expected, not {scrub(self.media_type, 60) or 'this'}")

    def unreadable(self, what):
        """Return the error (not raised) that says ``what`` is wrong with this answer."""
        return KsefUnreadableError(
            f"The answer of KSeF cannot be read: {what}.", operation=self.operation, http_status=self.status,
            retry_after=retry_after(self.headers))

    def _says_json(self):
        return self.media_type in ("", "application/json", "text/json") or self.media_type.endswith("+json")


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def refusal(answer):
    """Return the :class:`~.errors.KsefError` that an answer with a status outside 2xx means."""
    problem = _read_problem(answer)
    status = answer.status
    if status >= 500:
        kind = KsefServerError
    elif status in _BY_STATUS_ALONE:
        kind = _BY_STATUS_ALONE[status]
    elif problem and status >= 400:
        kind = _BY_STATUS.get(status, KsefProtocolError)
    else:
        return answer.unreadable(f"HTTP {status} without an explanation from KSeF")
    known = problem or _Problem(f"HTTP {status} without an explanation from KSeF.")
    return kind(
        known.description, operation=answer.operation, http_status=status, codes=known.codes, details=known.details,
        reason_code=known.reason_code, security=known.security, trace_id=known.trace_id,
        retry_after=retry_after(answer.headers))


@dataclass(frozen=True)
class _Problem:
    """What an error body says, whichever its format."""

    description: str
    codes: tuple = ()
    details: tuple = ()
    reason_code: str | None = None
    security: dict = field(default_factory=dict)
    trace_id: str | None = None


def _read_problem(answer):
    """Return the :class:`_Problem` in a body, or None when the body is none of KSeF's error formats."""
    try:
        body = answer.json()
    except KsefUnreadableError:
        return None
    if not isinstance(body, dict):
        return None
    if isinstance(body.get("exception"), dict):
        return _read_exception(body["exception"])
    if isinstance(body.get("status"), dict):
        return _read_too_many_requests(body["status"])
    return _read_problem_details(body)


def _read_exception(body):
    """Read an ExceptionInfo (the old format of 400)."""
    errors = _read_errors(body.get("exceptionDetailList"), "exceptionCode", "exceptionDescription")
    if not errors:
        return None
    return _combine(errors, trace_id=_line(body.get("serviceCode")) or _line(body.get("referenceNumber")))


def _read_too_many_requests(body):
    """Read the status of a TooManyRequestsResponse (the old format of 429)."""
    description, details = _line(body.get("description")), _lines(body.get("details"))
    return _Problem(description or "", details=details) if description or details else None


def _read_problem_details(body):
    """Read any of the problem details (RFC 9457): BadRequest, Unauthorized, Forbidden, Gone, TooManyRequests."""
    errors = _read_errors(body.get("errors"), "code", "description")
    description = _line(body.get("detail")) or _line(body.get("title"))
    reason = _line(body.get("reasonCode"))
    if not errors and not description and not reason:
        return None
    security = body.get("security")
    common = {
        "reason_code": reason,
        "security": _read_security(security) if isinstance(security, dict) else {},
        "trace_id": _line(body.get("traceId")),
    }
    return _combine(errors, **common) if errors else _Problem(description or "", **common)


def _read_security(security):
    """Return what a 403 says beside its reason: lists become tuples of text."""
    pairs = [(_line(name), value) for name, value in list(security.items())[:_MOST_DETAILS]]
    return {name: _lines(value) if isinstance(value, list) else _line(value) for name, value in pairs if name}


def _read_errors(items, code_name, description_name):
    """Return (code, description, details) of each error in a list; those that say nothing are left out."""
    errors = []
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            error = as_integer(item.get(code_name)), _line(item.get(description_name)), _lines(item.get("details"))
            if any(error):
                errors.append(error)
    return errors[:_MOST_DETAILS]


def _combine(errors, **common):
    """Return one problem of several errors: the first describes it, the others follow in its details."""
    details = list(errors[0][2])
    for code, description, more in errors[1:]:
        details.append(" ".join(str(part) for part in (code, description) if part))
        details.extend(more)
    return _Problem(
        description=errors[0][1] or "",
        codes=tuple(code for code, _description, _details in errors if code is not None),
        details=tuple(details[:_MOST_DETAILS]),
        **common,
    )


def _line(value):
    """Return a text of KSeF fit for an exception, or None."""
    return scrub(as_text(value) or "") or None


def _lines(value):
    return tuple(scrub(text) for text in as_texts(value)[:_MOST_DETAILS])


def retry_after(headers):
    """Return the seconds of a Retry-After header (a number or an HTTP date), at most a day, or None.

    A date is measured from the answer's own Date, so that a wrong clock here does no harm.
    """
    value = (headers.get("Retry-After") or "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _LONGEST_RETRY_AFTER)
    moment = _http_date(value)
    if moment is None:
        return None
    now = _http_date(headers.get("Date") or "") or datetime.now(UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_RETRY_AFTER)


def _http_date(text):
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
