"""Every kind of answer that is not a success, and which error it becomes, over a real connection."""

import gzip
import logging
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from ksef_test_server import TOKEN, failure, http, post, problem

from ksef.errors import (
    KsefConnectError,
    KsefForbiddenError,
    KsefGoneError,
    KsefProtocolError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefServerError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
    KsefUnreadableError,
)

PAGE = b"<!DOCTYPE html><html><body>Request unsuccessful. Incident ID: 443-0001</body></html>"


def old_format(code=21405, description="Błąd walidacji danych wejściowych.", details=("Zły numer.",), **more):
    error = {"exceptionCode": code, "exceptionDescription": description, "details": list(details)}
    return {"exception": {"exceptionDetailList": [error], "serviceCode": "00-c02cc3747020c605-01-00", **more}}


class TestRefusals:
    def test_problem_details(self, connect, answer_with):
        server = answer_with(problem(
            400, detail="Żądanie jest nieprawidłowe.", traceId="673843e023c432286660bc0501a3af44",
            errors=[
                {"code": 21405, "description": "Błąd walidacji danych wejściowych.", "details": ["Jeden.", "Dwa."]},
                {"code": 21157, "description": "Nieprawidłowy rozmiar części pakietu.", "details": ["Trzeci."]},
            ]))
        error = failure(connect(server), KsefRefusedError)
        assert server.requests[0].headers["x-error-format"] == "problem-details"
        assert (error.http_status, error.code, error.codes) == (400, 21405, (21405, 21157))
        assert error.description == "Błąd walidacji danych wejściowych."
        assert error.details == ("Jeden.", "Dwa.", "21157 Nieprawidłowy rozmiar części pakietu.", "Trzeci.")
        assert error.trace_id == "673843e023c432286660bc0501a3af44"
        assert str(error) == "POST /sessions/online, HTTP 400: 21405 Błąd walidacji danych wejściowych."

    def test_old_format(self, connect, answer_with):
        error = failure(connect(answer_with(http(400, old_format()))), KsefRefusedError)
        assert (error.code, error.codes) == (21405, (21405,))
        assert error.description == "Błąd walidacji danych wejściowych."
        assert error.details == ("Zły numer.",)
        assert error.trace_id == "00-c02cc3747020c605-01-00"

    @pytest.mark.parametrize(("body", "code", "description", "details"), [
        ({"exception": {"exceptionDetailList": [{"exceptionCode": 21173}]}}, 21173, "", ()),
        ({"exception": {"exceptionDetailList": [{"exceptionCode": "21173", "details": None}]}}, 21173, "", ()),
        ({"exception": {"exceptionDetailList": [{"exceptionCode": 1, "details": "Jeden."}]}}, 1, "", ("Jeden.",)),
        ({"exception": {"exceptionDetailList": [None, 5, {"exceptionDescription": "A", "exceptionCode": None}]}},
         None, "A", ()),
        ({"errors": [{"code": 21173, "description": None, "details": None}]}, 21173, "", ()),
        ({"errors": [{"code": 99999, "description": "Nowy kod", "details": ["a", None, 7, {}], "new": 1}]},
         99999, "Nowy kod", ("a", "7")),
        ({"errors": None, "detail": "Żądanie jest nieprawidłowe."}, None, "Żądanie jest nieprawidłowe.", ()),
        ({"errors": {}, "title": "Bad Request", "detail": None}, None, "Bad Request", ()),
    ])
    def test_incomplete_bodies_are_read_as_far_as_they_go(
            self, connect, answer_with, body, code, description, details):
        error = failure(connect(answer_with(http(400, body))), KsefRefusedError)
        assert (error.code, error.description, error.details) == (code, description, details)

    @pytest.mark.parametrize("response", [
        http(400, PAGE, "text/html"),
        http(400, PAGE),
        http(400, b""),
        http(400, {}),
        http(400, []),
        http(400, "text"),
        http(400, {"exception": None}),
        http(400, {"exception": {"exceptionDetailList": []}}),
        http(400, {"something": "else"}),
        http(400, old_format(), "text/plain"),
        http(403, PAGE, "text/html"),
        http(404, PAGE, "text/html"),
        http(410, b""),
        http(413, PAGE, "text/html"),
    ])
    def test_a_refusal_that_is_not_in_ksefs_words(self, connect, answer_with, response):
        """A firewall may have said it; what KSeF did is not known."""
        error = failure(connect(answer_with(response)), KsefUnreadableError)
        assert error.http_status in (400, 403, 404, 410, 413)

    @pytest.mark.parametrize("response", [
        problem(401, detail="Wymagane jest uwierzytelnienie.", traceId="abc"),
        http(401, PAGE, "text/html"),
        http(401, b""),
        http(401, old_format()),
    ])
    def test_unauthorized(self, connect, answer_with, response):
        error = failure(connect(answer_with(response)), KsefUnauthorizedError)
        assert error.http_status == 401
        assert error.description

    def test_forbidden(self, connect, answer_with):
        server = answer_with(problem(
            403, detail="Brak wymaganych uprawnień.", reasonCode="missing-permissions", timestamp=None,
            security={"requiredAnyOfPermissions": ["InvoiceRead", "InvoiceWrite"], "presentPermissions": [],
                      "clientIp": "203.0.113.7", "nothing": None}))
        error = failure(connect(server), KsefForbiddenError)
        assert error.reason_code == "missing-permissions"
        assert error.security == {
            "requiredAnyOfPermissions": ("InvoiceRead", "InvoiceWrite"), "presentPermissions": (),
            "clientIp": "203.0.113.7", "nothing": None}
        assert "missing-permissions Brak wymaganych uprawnień." in str(error)

    @pytest.mark.parametrize("reason", [
        "ip-not-allowed", "insufficient-resource-access", "auth-method-not-allowed", "security-service-blocked",
        "context-type-not-allowed", "a-reason-of-tomorrow"])
    def test_reasons_of_forbidden(self, connect, answer_with, reason):
        error = failure(connect(answer_with(problem(403, detail="Nie.", reasonCode=reason))), KsefForbiddenError)
        assert error.reason_code == reason

    @pytest.mark.parametrize(("status", "kind"), [
        (410, KsefGoneError), (404, KsefProtocolError), (405, KsefProtocolError), (409, KsefProtocolError),
        (415, KsefProtocolError), (418, KsefProtocolError)])
    def test_other_refusals(self, connect, answer_with, status, kind):
        error = failure(connect(answer_with(problem(status, detail="Minęło 7 dni."))), kind)
        assert (error.http_status, error.description) == (status, "Minęło 7 dni.")


class TestRateLimit:
    OLD = {"status": {"code": 429, "description": "Too Many Requests", "details": ["Przekroczono limit 20 żądań."]}}

    def test_problem_details(self, connect, answer_with):
        server = answer_with(problem(429, detail="Przekroczono limit.", traceId="t").replace(
            b"\r\n\r\n", b"\r\nRetry-After: 30\r\n\r\n", 1))
        error = failure(connect(server), KsefRateLimitError)
        assert (error.retry_after, error.description, error.trace_id) == (30.0, "Przekroczono limit.", "t")
        assert len(server.requests) == 1, "Retry-After must not make the client repeat the call by itself"

    def test_old_format(self, connect, answer_with):
        error = failure(connect(answer_with(http(429, self.OLD, Retry_After="7"))), KsefRateLimitError)
        assert (error.retry_after, error.description) == (7.0, "Too Many Requests")
        assert error.details == ("Przekroczono limit 20 żądań.",)

    @pytest.mark.parametrize(("value", "seconds"), [
        ("0", 0.0), ("1.5", 1.5), ("99999999", 86400.0), ("-3", None), ("nan", None), ("1e9", None), ("soon", None),
        ("", None), ("٣", None)])
    def test_seconds(self, connect, answer_with, value, seconds):
        response = http(429, PAGE, "text/html").replace(
            b"\r\n\r\n", f"\r\nRetry-After: {value}\r\n\r\n".encode(), 1)
        assert failure(connect(answer_with(response)), KsefRateLimitError).retry_after == seconds

    def test_date_is_measured_from_the_answers_own_date(self, connect, answer_with):
        now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
        for seconds in (90, -90):
            server = answer_with(http(
                429, self.OLD, Date=format_datetime(now, usegmt=True),
                Retry_After=format_datetime(now + timedelta(seconds=seconds), usegmt=True)))
            assert failure(connect(server), KsefRateLimitError).retry_after == max(seconds, 0)

    def test_date_without_a_date_of_the_answer(self, connect, answer_with):
        moment = datetime.now(UTC) + timedelta(seconds=60)
        server = answer_with(http(429, self.OLD, Retry_After=format_datetime(moment, usegmt=True)))
        assert 50 < failure(connect(server), KsefRateLimitError).retry_after <= 60


class TestServerErrors:
    @pytest.mark.parametrize("response", [
        http(500, PAGE, "text/html"), http(502, b""), http(503, PAGE, "text/html"), http(504, b"gateway", "text/plain"),
        http(599, {"a": 1}), http(500, b"{broken")])
    def test_any_body(self, connect, answer_with, response):
        server = answer_with(response)
        error = failure(connect(server), KsefServerError)
        assert error.http_status >= 500
        assert "Incident" not in str(error)
        assert len(server.requests) == 1

    def test_what_ksef_says_is_kept(self, connect, answer_with):
        server = answer_with(http(503, {"title": "x", "detail": "Prace serwisowe."}, Retry_After="120"))
        error = failure(connect(server), KsefServerError)
        assert (error.description, error.retry_after) == ("Prace serwisowe.", 120.0)


class TestUnreadable:
    @pytest.mark.parametrize("response", [
        http(200, PAGE, "text/html"),
        http(200, b'{"referenceNumber": "x"}', "text/html"),
        http(200, PAGE),
        http(202, b'{"referenceNumber": "20250626-EE-'),
        http(202, b""),
        http(204, content_type=None),
        http(200, b"\xff\xfe\x00"),
        http(200, b"[" * 200_000),
        http(200, b'{"a":' * 100_000),
        http(200, b"1" * 10_000),
        http(200, b"1e999999999999999999999"),
        http(200, b"NaN"),
        http(200, b'{"a": Infinity}'),
    ])
    def test_success_that_cannot_be_read(self, connect, answer_with, response):
        error = failure(connect(answer_with(response)), KsefUnreadableError, read=True)
        assert error.http_status in (200, 202, 204)

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
    @pytest.mark.parametrize("location", ["/v2/elsewhere", "http://127.0.0.1:9/x", "http://[", "//\x80", ""])
    def test_redirect_is_not_followed(self, connect, answer_with, status, location):
        server = answer_with(http(status, b"moved", "text/plain", Location=location))
        error = failure(connect(server), KsefUnreadableError)
        assert error.http_status == status
        assert [request.target for request in server.requests] == ["/v2/sessions/online"]

    def test_too_large(self, connect, answer_with):
        server = answer_with(http(200, b'"' + b"x" * 300_000 + b'"', length=False, Connection="close"))
        failure(connect(server, max_bytes=100_000), KsefUnreadableError)

    def test_too_large_by_its_own_account(self, connect, serve):
        def script(peer):
            peer.read_request()
            peer.send(http(200, b"{", length=False, Content_Length=10**12))

        failure(connect(serve(script)), KsefUnreadableError)

    def test_endless(self, connect, serve):
        def script(peer):
            peer.read_request()
            peer.send(http(200, b"", length=False))
            while True:
                peer.send(b"x" * 65536)

        failure(connect(serve(script), max_bytes=1_000_000), KsefUnreadableError)


class TestCompression:
    BODY = b'{"a": "' + b"b" * 1000 + b'"}'

    def test_gzip(self, connect, answer_with):
        server = answer_with(http(200, gzip.compress(self.BODY), Content_Encoding="gzip"))
        assert post(connect(server)).content == self.BODY
        assert server.requests[0].headers["accept-encoding"] == "gzip"

    def test_gzip_of_several_members(self, connect, answer_with):
        packed = gzip.compress(self.BODY[:500]) + gzip.compress(self.BODY[500:])
        server = answer_with(http(200, packed, Content_Encoding="GZIP"))
        assert post(connect(server)).content == self.BODY

    @pytest.mark.parametrize("packed", [
        gzip.compress(BODY)[:-1], gzip.compress(BODY)[:20], gzip.compress(BODY)[:-6] + b"\0\0\0\0\0\0",
        BODY, gzip.compress(BODY) + b"more", gzip.compress(b"") * 101])
    def test_broken_gzip(self, connect, answer_with, packed):
        failure(connect(answer_with(http(200, packed, Content_Encoding="gzip"))), KsefUnreadableError)

    def test_gzip_bomb(self, connect, answer_with):
        compressor = zlib.compressobj(9, wbits=31)
        packed = b"".join(compressor.compress(bytes(1_000_000)) for _part in range(200)) + compressor.flush()
        assert len(packed) < 1_000_000
        transport = connect(answer_with(http(200, packed, Content_Encoding="gzip")), max_bytes=1_000_000)
        tracemalloc.start()
        error = failure(transport, KsefUnreadableError)
        _now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "large" in str(error)
        assert peak < 10_000_000, "the whole bomb must never be in memory"

    @pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "nonsense"])
    def test_not_asked_for(self, connect, answer_with, encoding):
        failure(connect(answer_with(http(200, self.BODY, Content_Encoding=encoding))), KsefUnreadableError)


class TestWhatIsSentAndLogged:
    def test_headers(self, connect, answer_with):
        server = answer_with(http(body={}))
        post(connect(server, user_agent="somebody/1.0"), params={"pageSize": 10, "statuses": ["A", "B"]})
        request = server.requests[0]
        assert request.target == "/v2/sessions/online?pageSize=10&statuses=A&statuses=B"
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["user-agent"] == "somebody/1.0"
        assert request.body == b'{"a":1}'

    def test_no_cookie_is_kept(self, connect, answer_with):
        server = answer_with(http(body={}, Set_Cookie="visid=1; Path=/"))
        transport = connect(server)
        post(transport)
        post(transport)
        assert all("cookie" not in request.headers for request in server.requests)

    def test_no_password_from_netrc(self, connect, answer_with, tmp_path, monkeypatch):
        """Without care the requests library would send a password of ~/.netrc in place of the token."""
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login somebody password hidden\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        server = answer_with(http(body={}))
        transport = connect(server)
        transport._session.trust_env = True  # as for the Ministry's environments
        post(transport)
        post(transport, token=None)
        assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert "authorization" not in server.requests[1].headers

    def test_no_proxy_on_loopback(self, connect, answer_with, monkeypatch):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        server = answer_with(http(body={}))
        post(connect(server))
        assert len(server.requests) == 1

    def test_logs_hold_no_secret(self, connect, answer_with, caplog):
        caplog.set_level(logging.DEBUG)
        server = answer_with(
            http(body={"token": "the-answers-secret"}),
            problem(400, errors=[{"code": 1, "description": f"bad {TOKEN} Bearer abc",
                                  "details": [f"20250625-EC-2FDC223000-C2BFC98A9C-4E|nip-5265877635|{'a1' * 32}"]}]),
            http(500, f"Authorization: Bearer {TOKEN}".encode(), "text/plain"))
        transport = connect(server)
        post(transport, json={"xml": "the-callers-secret"})
        error = failure(transport, KsefRefusedError)
        assert (error.description, error.details) == ("bad *** ***", ("***",))
        failure(transport, KsefServerError)
        server.close()
        failure(transport, KsefConnectError, KsefUnconfirmedError)
        text = "\n".join(record.getMessage() + str(record.exc_info) for record in caplog.records)
        assert OPERATION_LOGGED in text
        assert not [secret for secret in (TOKEN, "secret", "Bearer", "a1a1a1") if secret in text]

    def test_system_warning_is_logged_once_in_one_line(self, connect, answer_with, caplog):
        warning = "[sig-001]: Podpis niezgodny \t | [x]: \x1b[31m" + "long " * 1000
        server = answer_with(http(body={}, X_System_Warning=warning))
        transport = connect(server)
        post(transport)
        post(transport)
        [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
        message = record.getMessage()
        assert "[sig-001]: Podpis niezgodny | [x]:" in message
        assert len(message) < 1200
        assert "\x1b" not in message


OPERATION_LOGGED = "KSeF POST /sessions/online"
