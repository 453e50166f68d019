"""HTTP to one KSeF environment: one call, one answer or one exact error. No retries, no redirects, no cookies."""

import contextlib
import http.client
import json as json_format
import logging
import re
import time
import zlib
from urllib.parse import urlsplit

import requests
import urllib3

from .answers import Answer, refusal
from .errors import KsefConfigError, KsefConnectError, KsefError, KsefForbiddenError, KsefUnconfirmedError
from .reading import scrub
from .wire import Exchange, Session

_logger = logging.getLogger(__name__)

USER_AGENT = "l10n_pl_ksef"
MAX_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024
_MOST_GZIP_MEMBERS = 100
_LINK_SECONDS = 600.0  # for a whole file by a link; a part of an export may have 100 MB
_IDLE_SECONDS = 15.0  # an older connection may be half closed: a call over it could end without an answer
_ACCEPT = "application/json, application/problem+json"
_SYSTEM_WARNING = "X-System-Warning"
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", re.ASCII)
_HEADER_NAME = re.compile(r"(?!(?i:authorization|host|content-length|transfer-encoding)$)[A-Za-z0-9-]{1,100}", re.ASCII)
_LINK = re.compile(r"https?://[\x21-\x7e]{1,4000}", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+", re.ASCII)
_NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
_BAD_REQUESTS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
_SURELY_UNSENT = (requests.exceptions.ConnectTimeout, urllib3.exceptions.NewConnectionError)


def is_header_value(text):
    """Whether ``text`` can be sent as the value of a header: printable ASCII only."""
    return bool(_HEADER_VALUE.fullmatch(text))


class Transport:
    """Calls to one :class:`~.environment.Environment`. Not for several threads at once; a context manager.

    :param connect_timeout: seconds to connect (to each address of the host), including TLS
    :param read_timeout: longest silence in seconds, of either side
    :param total_timeout: seconds for a whole call after connecting; without it ``read_timeout``
    :param max_bytes: largest body taken, compressed and decompressed
    :param user_agent: value of the User-Agent header
    :ivar before_request: called without arguments immediately before each HTTP call; what it raises ends the call,
        which then was certainly not sent
    """

    def __init__(
        self, environment, *, connect_timeout=5.0, read_timeout=30.0, total_timeout=None, max_bytes=MAX_BYTES,
        user_agent=USER_AGENT, before_request=None,
    ):
        self.environment = environment
        self.before_request = before_request
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._total_timeout = total_timeout or read_timeout
        self._max_bytes = max_bytes
        self._user_agent = user_agent
        self._last_use = None
        self._warnings = set()
        self._session = Session()
        self._session.trust_env = not environment.is_local

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Close all connections."""
        self._session.close()

    def request(
        self, operation, method, path, *, token=None, json=None, data=None, headers=None, params=None,
    ):
        """Send one call and return its :class:`~.answers.Answer` (2xx); everything else is raised.

        :param operation: ``METHOD /path`` of the contract, for logs and errors
        :param path: path below the API's base, with its parameters filled in
        :param token: JWT as text
        :param json: body, sent as JSON
        :param data: body as bytes; give its Content-Type in ``headers``
        :param headers: further headers
        :param params: query parameters; a list repeats its parameter
        :raise KsefError: see :mod:`.errors`
        """
        if not _PATH.fullmatch(path):
            raise KsefConfigError("This is no path of the API.", operation=operation)
        headers = self._headers(operation, token, json, headers)
        body = data if json is None else json_format.dumps(json, separators=(",", ":"), allow_nan=False).encode()
        self._drop_idle_connections()
        if self.before_request:
            self.before_request()
        started = time.monotonic()
        outcome = self._exchange(operation, method, self.environment.api_url + path, body, headers, params)
        if isinstance(outcome, Answer):
            self._log_system_warning(outcome)
            outcome = outcome if 200 <= outcome.status < 300 else refusal(outcome)
        self._log(operation, outcome, time.monotonic() - started)
        if isinstance(outcome, KsefError):
            raise outcome
        return outcome

    def download(self, operation, url, take):
        """Get a file by one of KSeF's pre-signed links, without any token; ``take`` gets its bytes as they come.

        :param operation: what logs and errors call it; the link itself is a secret
        :raise KsefConfigError: the link does not lead to where KSeF keeps files
        :raise KsefIntegrityError: from ``take``
        """
        if not self._is_link(url):
            raise KsefConfigError("KSeF gave a link that is not one of its own.", operation=operation)
        self._drop_idle_connections()
        if self.before_request:
            self.before_request()
        started = time.monotonic()
        outcome = self._follow(operation, url, take)
        self._log(operation, outcome, time.monotonic() - started)
        if isinstance(outcome, KsefError):
            raise outcome

    def upload(self, operation, method, url, headers, content):
        """Send a file to one of KSeF's pre-signed links, with exactly the headers that belong to it and without any token.

        :param content: file with ``read()`` and ``len()``
        :raise KsefConfigError: the link does not lead to where KSeF keeps files, or is to be used in an odd way
        """
        names_fit = all(_HEADER_NAME.fullmatch(name) and is_header_value(value) for name, value in headers.items())
        if method not in ("PUT", "POST") or not names_fit or not self._is_link(url):
            raise KsefConfigError("KSeF gave a link that is not one of its own.", operation=operation)
        self._drop_idle_connections()
        if self.before_request:
            self.before_request()
        started = time.monotonic()
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": self._user_agent, **headers}
        outcome = self._exchange(operation, method, url, content, headers, total_timeout=_LINK_SECONDS)
        if isinstance(outcome, Answer) and not 200 <= outcome.status < 300:
            outcome = _storage_refusal(outcome)
        self._log(operation, outcome, time.monotonic() - started)
        if isinstance(outcome, KsefError):
            raise outcome

    def _is_link(self, url):
        """Whether a link is fit to be followed: HTTPS, or the very address of a local KSeF; no user name, no blanks."""
        try:
            link, own = urlsplit(url), urlsplit(self.environment.api_url)
            if not _LINK.fullmatch(url) or link.username is not None or not link.hostname:
                return False
            return link.netloc.lower() == own.netloc.lower() if self.environment.is_local else link.scheme == "https"
        except ValueError:
            return False

    def _follow(self, operation, url, take):
        """Get a link and return the Answer (without its body), or the error; see :meth:`_exchange`."""
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": self._user_agent}
        with Exchange(self._connect_timeout, self._read_timeout, _LINK_SECONDS) as exchange:
            try:
                response = self._session.request(
                    "GET", url, headers=headers, stream=True, timeout=(self._connect_timeout, self._read_timeout),
                    allow_redirects=False, auth=_keep_headers)
                with contextlib.closing(response):
                    if response.status_code != 200:
                        answer = self._read(operation, response)
                        return refusal(answer) if answer.status >= 300 else answer.unreadable("it is not the file")
                    while chunk := response.raw.read(_CHUNK, decode_content=False):
                        take(chunk)
                    return Answer(operation, response.status_code, response.headers, b"")
            except KsefError as error:
                return error
            except _NETWORK_ERRORS as error:
                return _failure(operation, error, exchange)
            finally:
                self._last_use = time.monotonic()

    def _headers(self, operation, token, json, more):
        """Return all headers of a call, checked."""
        headers = {
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip",
            "User-Agent": self._user_agent,
            "X-Error-Format": "problem-details",
        }
        if json is not None:
            headers["Content-Type"] = "application/json"
        headers.update(more or {})
        if not all(is_header_value(value) for value in headers.values()):
            raise KsefConfigError("A header has characters that cannot be sent.", operation=operation)
        if token is not None:
            if not _TOKEN.fullmatch(token):
                raise KsefConfigError("The access token has characters that cannot be sent.", operation=operation)
            headers["Authorization"] = f"Bearer {token}"
        return headers

    def _exchange(self, operation, method, url, body, headers, params=None, total_timeout=None):
        """Return the Answer, or the error that stands for there being none.

        The error is returned, not raised: raised here it would carry the library's own one, and with that the request
        and its token, as its context.
        """
        with Exchange(self._connect_timeout, self._read_timeout, total_timeout or self._total_timeout) as exchange:
            try:
                response = self._session.request(
                    method, url, data=body, params=params, headers=headers, stream=True,
                    timeout=(self._connect_timeout, self._read_timeout), allow_redirects=False, auth=_keep_headers)
                with contextlib.closing(response):
                    return self._read(operation, response)
            except KsefError as error:
                return error
            except _NETWORK_ERRORS as error:
                return _failure(operation, error, exchange)
            finally:
                self._last_use = time.monotonic()

    def _read(self, operation, response):
        """Read a response to its end and return the Answer."""
        answer = Answer(operation, response.status_code, response.headers, b"")
        raw, stated = bytearray(), _content_length(response.headers)
        if stated is not None and stated > self._max_bytes:
            raise answer.unreadable("it is too large")
        while chunk := response.raw.read(_CHUNK, decode_content=False):
            raw += chunk
            if len(raw) > self._max_bytes:
                raise answer.unreadable("it is too large")
        if stated is not None and len(raw) < stated and answer.status not in (204, 304):
            raise answer.unreadable("it was cut short")
        content = _decompress(answer, bytes(raw), self._max_bytes)
        return Answer(operation, response.status_code, response.headers, content)

    def _drop_idle_connections(self):
        """Forget connections that were idle for long; a new one can't have been closed by the other side unseen."""
        if self._last_use is not None and time.monotonic() - self._last_use > _IDLE_SECONDS:
            self._session.close()

    def _log_system_warning(self, answer):
        """Log what KSeF warns of (``[code]: message | …``), each text once."""
        warning = scrub(answer.headers.get(_SYSTEM_WARNING) or "")
        if warning and warning not in self._warnings and len(self._warnings) < 100:
            self._warnings.add(warning)
            _logger.warning("KSeF (%s) warns at %s: %s", self.environment.code, answer.operation, warning)

    def _log(self, operation, outcome, seconds):
        """Log one call. Never its body, its headers, or the values in its path."""
        milliseconds = round(seconds * 1000)
        if isinstance(outcome, Answer):
            _logger.debug("KSeF %s: HTTP %s, %s ms", operation, outcome.status, milliseconds)
        else:
            _logger.info("KSeF %s, %s ms, trace %s", outcome, milliseconds, outcome.trace_id)


def _keep_headers(request):
    """Authentication for requests that leaves the headers alone: without one it would take a password from ~/.netrc."""
    return request


def _storage_refusal(answer):
    """Return the error of an upload; the storage's own words for a 4xx are not in KSeF's format, and a refusal all the same."""
    error = refusal(answer)
    if 400 <= answer.status < 500 and isinstance(error, KsefUnconfirmedError):
        return KsefForbiddenError(
            f"The part was not taken (HTTP {answer.status}).", operation=answer.operation, http_status=answer.status)
    return error


def _failure(operation, error, exchange):
    """Return the KsefError for a call without an answer: certainly not sent, or perhaps processed."""
    if isinstance(error, _BAD_REQUESTS) and not exchange.is_sent:
        return KsefConfigError(f"The call could not be made ({type(error).__name__}).", operation=operation)
    reasons = _chain(error)
    why = _describe(reasons[-1])
    if exchange.is_tracked:
        is_unsent = not exchange.is_sent
    else:
        is_unsent = any(isinstance(reason, _SURELY_UNSENT) for reason in reasons)
    if is_unsent:
        return KsefConnectError(f"There is no connection to KSeF ({why}).", operation=operation)
    return KsefUnconfirmedError(f"KSeF did not answer; it may have processed the call ({why}).", operation=operation)


def _chain(error):
    """Return an exception of the network and the ones inside it, outermost first."""
    chain = []
    while error is not None and error not in chain:
        chain.append(error)
        inner = [getattr(error, "reason", None), *reversed(error.args), error.__cause__, error.__context__]
        error = next((item for item in inner if isinstance(item, _NETWORK_ERRORS)), None)
    return chain


def _describe(error):
    """Return the class and the words of an exception, without anything it may quote from the request."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}: {scrub(words, 200)}" if words else type(error).__name__


def _content_length(headers):
    """Return the stated length of a body in bytes, or None when there is none or it does not count."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and "Transfer-Encoding" not in headers else None


def _decompress(answer, raw, limit):
    """Return a body without its Content-Encoding, at most ``limit`` bytes."""
    encoding = (answer.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding == "identity" or not raw:
        return raw
    if encoding not in ("gzip", "x-gzip"):
        raise answer.unreadable("it is compressed in an unknown way")
    content = bytearray()
    for _member in range(_MOST_GZIP_MEMBERS):
        decompressor = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        part = None
        with contextlib.suppress(zlib.error):
            part = decompressor.decompress(raw, limit + 1 - len(content))
        if part is None:
            raise answer.unreadable("it is not properly compressed")
        content += part
        if len(content) > limit:
            raise answer.unreadable("it is too large")
        if not decompressor.eof:
            raise answer.unreadable("it was cut short")
        raw = decompressor.unused_data
        if not raw:
            return bytes(content)
    raise answer.unreadable("it is not properly compressed")
