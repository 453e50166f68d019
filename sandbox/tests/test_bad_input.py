"""Hostile and broken requests: the status that the contract names, never a 5xx, never a hang."""

import json
import socket
import threading
import time
from contextlib import suppress

import pytest
import requests

from .caller import FORM, b64
from .documents import invoice


def raw(caller, data, seconds=5.0, half_close=True):
    """Send bytes as they are and read until the server closes or falls silent."""
    host, port = caller.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(TimeoutError):
            while piece := connection.recv(65536):
                answer += piece
        return answer


def status(answer):
    """The status of the first answer in raw bytes."""
    return int(answer.split(b" ", 2)[1])


def alive(caller):
    """The sandbox still answers."""
    return caller.call("POST", "/auth/challenge", token=None).status_code == 200


@pytest.mark.parametrize(("data", "expected"), [
    (b"GET /v2/limits/context HTTP/1.1\r\nHost: x\r\n\r\n", 401),
    (b"GET / HTTP/9.9\r\n\r\n", 505),
    (b"rubbish\r\n\r\n", 400),
    (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET /v2/x HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    (b"GET http://evil/v2/x HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"POST /v2/auth/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
    (b"POST /v2/auth/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    (b"POST /v2/auth/challenge HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST /v2/auth/challenge HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
    (b"POST /v2/auth/challenge HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"POST /v2/auth/ksef-token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n",
     400),
    (b"BREW /v2/auth/challenge HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"GET /v2/auth/challenge HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"GET /v2/nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET /v2/auth/%2e%2e/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET /v2/limits/context HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe.a.b\r\n\r\n", 401),
    (b"GET /v2/limits/context HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eA==\r\n\r\n", 401),
])
def test_broken_http(caller, data, expected):
    answer = raw(caller, data)
    assert status(answer) == expected, answer[:300]
    if expected not in (505,):
        assert b"application/problem+json" in answer or b"application/json" in answer
    assert alive(caller)


def test_chunked_bodies_and_pipelining(caller):
    body = b'{"nip":"9999999999"}'
    chunks = b"%x\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(body), body)
    head = (b"POST /v2/testdata/attachment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
    answer = raw(caller, (head + chunks) * 2)
    assert answer.count(b"HTTP/1.1 200") == 2
    oversize = raw(caller, head + b"f000000\r\n" + b"x" * 1000)
    assert status(oversize) == 400 and b"Connection: close" in oversize


def test_expectation_of_a_continue(caller):
    body = b'{"nip":"9999999999"}'
    head = (b"POST /v2/testdata/attachment HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    answer = raw(caller, head + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_odd_administration(sandbox):
    caller = sandbox.caller()
    odd = ([], "x", 1, None, {}, {"nip": []}, {"nip": "9999999999", "permissions": {"a": 1}},
           {"nip": "9999999999", "days": "x"}, {"nip": "9999999999", "days": 1e99}, {"nip": "9999999999", "kind": []},
           {"category": []}, {"category": "FAILURE", "eventId": "x"}, {"category": "FAILURE", "start": 5},
           {"sample": []}, {"sample": "goods", "seller": []}, {"mode": []}, {"environment": []}, {"status": []},
           {"processingSeconds": "1"}, {"action": []}, {"latencyMs": 1e400})
    for path in ("tokens", "certificates", "settings", "latarnia", "companies", "companies/9999999999/issue", "faults",
                 "keys/rotate", "tokens/x/status", "companies/x/issue"):
        for body in odd:
            answer = requests.post(f"{caller.origin}/admin/{path}", data=json.dumps(body), timeout=30)
            assert answer.status_code in (200, 400, 404), (path, body, answer.text)
    for path in ("invoices?limit=x", "invoices?limit=-1", "requests?limit=x", "invoices/x/xml", "companies/x/invoices"):
        assert requests.get(f"{caller.origin}/admin/{path}", timeout=5).status_code in (200, 400, 404), path
    assert requests.delete(f"{caller.origin}/admin/faults/x", timeout=5).status_code == 400


def test_unread_bodies_do_not_become_requests(caller):
    evil = b"GET /admin/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"POST /v2/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(evil)
    answer = raw(caller, head + evil)
    assert status(answer) == 404 and answer.count(b"HTTP/1.1") == 1


def test_slow_and_silent_clients_do_not_stop_others(caller):
    host, port = caller.origin.removeprefix("http://").split(":")
    lazy = [socket.create_connection((host, int(port)), timeout=5) for _ in range(30)]
    try:
        for one in lazy:
            one.sendall(b"POST /v2/auth/challenge HTTP/1.1\r\nContent-Length: 50\r\n\r\nab")
        started = time.monotonic()
        assert alive(caller) and time.monotonic() - started < 2
    finally:
        for one in lazy:
            one.close()


@pytest.mark.parametrize(("body", "code"), [
    (b"", 21001), (b"{", 21001), (b"[]", 21001), (b"null", 21001), (b"1", 21001), (b'"x"', 21001), (b"\xff", 21001),
    (b"[" * 100_000, 21001), (b'{"a":' * 50_000, 21001), (b"1" * 10_000, 21001), (b"{}", 21405),
    (b'{"formCode": NaN}', 21001), (b'{"formCode": 1e999}', 21001),
    (b'{"formCode": {"systemCode": "\\ud800", "schemaVersion": "", "value": ""}, "encryption": {}}', 21001),
    (b'{"formCode": [], "encryption": {}}', 21001), (b'{"formCode": null, "encryption": null}', 21405),
    (b'{"formCode": {"systemCode": "\\u0000", "schemaVersion": "x", "value": "y"}, "encryption": '
     b'{"encryptedSymmetricKey": "eA==", "initializationVector": "AAAAAAAAAAAAAAAAAAAAAA=="}}', 21405),
])
def test_broken_json(user, body, code):
    answer = user.call("POST", "/sessions/online", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == code, answer.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/jsonx", "a" * 500])
def test_wrong_content_type(user, content_type):
    answer = user.call("POST", "/sessions/online", data=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 415 and answer.headers["Content-Type"].startswith("application/problem+json")


def test_oversize_body_is_refused_unread(user):
    answer = user.call("POST", "/sessions/online", data=b" " * 2_100_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == 21405
    assert alive(user)


@pytest.mark.parametrize("path", [
    "/sessions/{}", "/sessions/{}/invoices", "/sessions/{}/invoices/failed", "/sessions/x/invoices/{}",
    "/sessions/{}/upo/x", "/tokens/{}", "/certificates/enrollments/{}", "/invoices/exports/{}",
    "/permissions/operations/{}", "/invoices/ksef/{}", "/collective-identifiers/ksef/{}",
])
@pytest.mark.parametrize("mark", ["x", "20261121-SO-0123456789-0123456789-AB", "%00" * 36, "ż" * 36, "' OR 1=1 --" * 4,
                                  "A" * 5000])
def test_odd_identifiers(user, path, mark):
    assert user.call("GET", path.format(mark)).status_code in (400, 403, 404)


@pytest.mark.parametrize("query", ["pageSize=-1", "pageSize=1e9", "pageSize=99999999999999999999999", "pageSize=",
                                   "pageSize=10&pageSize=20", "pageSize=%00", "status=Odd", "description=a",
                                   "authorIdentifierType=X", "a=b&" * 500], ids=range(10))
def test_odd_queries(user, query):
    assert user.call("GET", f"/tokens?{query}").status_code == 400


def test_odd_continuation_tokens(user):
    for token in ("a", "AAAA", b64(b"[]"), b64(b'["tokens", 1]'), b64(b"{}"), b64(b"[" * 90_000)[:60_000], b64(b"\xff"),
                  b64(json.dumps(["tokens:/v2/tokens:x", True]).encode())):
        answer = user.call("GET", "/tokens", headers={"x-continuation-token": token})
        assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == 21418, token[:50]
    other = user.open()
    for number in range(11):
        user.send(other, invoice("9999999999", str(number)))
    token = user.get(f"/sessions/{other.reference}/invoices")["continuationToken"]
    assert user.call("GET", "/tokens", headers={"x-continuation-token": token}).status_code == 400


def test_odd_headers(user):
    for headers in ({"X-Error-Format": "x" * 5000}, {"X-Test-System-Warning": "a\tb" + "ą".encode().decode("latin-1")},
                    {"X-KSeF-Feature": ",,,;" * 100}, {"Host": "a b"}, {"Host": "evil.example:99999999"}):
        assert user.call("GET", "/limits/context", headers=headers).status_code == 200, headers
    links = user.sent(invoice(user.admin("GET", "/invoices?limit=1")[0]["contextNip"], "HH/1"))
    assert links["status"]["code"] in (200, 410)


def test_signature_bombs(caller):
    bombs = [
        b"<a>" * 200_000,
        b'<!DOCTYPE a [<!ENTITY b "' + b"b" * 1000 + b'"><!ENTITY c "' + b"&b;" * 1000 + b'">]><a>' + b"&c;" * 1000 + b"</a>",
        b"<a " + b" ".join(b'a%d="x"' % number for number in range(50_000)) + b"/>",
        b"<!--" + b"-" * 1_000_000, b"<?" + b"x" * 1_000_000, b"<![CDATA[" + b"]" * 1_000_000,
    ]
    for bomb in bombs:
        started = time.monotonic()
        answer = caller.call("POST", "/auth/xades-signature", token=None, data=bomb,
                             headers={"Content-Type": "application/xml"})
        assert answer.status_code == 400 and time.monotonic() - started < 10, bomb[:40]


def test_many_callers_at_once(sandbox, own_nip):
    """Twenty threads send to one session: every invoice gets its own ordinal, none is lost, none is doubled."""
    user = sandbox.caller().login(own_nip)
    session = user.open()
    sent, lock = [], threading.Lock()

    def work(number):
        one = sandbox.caller()
        one.access = user.access
        for index in range(5):
            reference = one.send(session, invoice(own_nip, f"{number % 10}/{index}"))
            with lock:
                sent.append(reference)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = user.close(session)
    assert (final["successfulInvoiceCount"], final["failedInvoiceCount"]) == (50, 50)
    listed = user.get(f"/sessions/{session.reference}/invoices?pageSize=1000")["invoices"]
    assert sorted(item["ordinalNumber"] for item in listed) == list(range(1, 101))
    assert sorted(item["referenceNumber"] for item in listed) == sorted(sent)
    numbers = [item["ksefNumber"] for item in listed if "ksefNumber" in item]
    assert len(set(numbers)) == 50


def test_storage_links_cannot_wander(caller):
    for path in ("/storage/", "/storage/../admin/health", "/storage/upo/x", "/storage/%2e%2e/%2e%2e/etc/passwd?se=1&sig=x",
                 "/storage/parts/x/1?se=9999999999&sig=" + "A" * 43):
        host, port = caller.origin.removeprefix("http://").split(":")
        answer = raw(caller, f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert status(answer) in (403, 404), path
        assert requests.put(f"{caller.origin}/storage/parts/x/1", data=b"x", timeout=5).status_code == 403


def test_form_code_is_not_a_path(user):
    encryption, _key, _vector = user.encryption()
    for value in ("../../etc/passwd", "FA (3)\0", "FA (3) "):
        answer = user.call("POST", "/sessions/online", {"formCode": {**FORM, "systemCode": value},
                                                        "encryption": encryption})
        assert answer.status_code == 400
