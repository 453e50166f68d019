"""The switches: each does what it says, to the call it names, as often as it says."""

import time

import pytest
import requests

from .caller import Caller, wait_for
from .documents import invoice

SEND = "POST /sessions/online/{ref}/invoices"


@pytest.fixture
def broken(sandbox, own_nip):
    """A logged-in caller of a sandbox of its own; afterwards the switches are off."""
    return sandbox.caller().login(own_nip)


def post(caller, session, xml):
    """A send that may fail as HTTP does."""
    return caller.http.post(f"{caller.origin}/v2/sessions/online/{session.reference}/invoices",
                            json=caller.body(session, xml), timeout=5,
                            headers={"Authorization": f"Bearer {caller.access}"})


def test_kill_point_accepts_and_never_answers(broken, own_nip):
    session = broken.open()
    broken.fault("drop_after", SEND)
    with pytest.raises(requests.ConnectionError):
        post(broken, session, invoice(own_nip, "KP/1"))
    listed = wait_for(lambda: broken.get(f"/sessions/{session.reference}/invoices")["invoices"],
                      lambda items: items and items[0]["status"]["code"] == 200)
    assert len(listed) == 1 and listed[0]["ksefNumber"]
    assert [item["status"] for item in broken.admin("GET", "/invoices")] == [200]


def test_drop_before_does_nothing(broken, own_nip):
    session = broken.open()
    broken.fault("drop_before", SEND, reset=True)
    with pytest.raises(requests.ConnectionError):
        post(broken, session, invoice(own_nip, "KP/2"))
    assert not broken.get(f"/sessions/{session.reference}/invoices")["invoices"]
    assert post(broken, session, invoice(own_nip, "KP/2")).status_code == 202


def test_times_and_skip_count_fitting_calls(broken):
    broken.fault("http_error", "GET /limits/context", status=503, times=2, skip=1)
    seen = [broken.call("GET", "/limits/context").status_code for _ in range(5)]
    assert seen == [200, 503, 503, 200, 200]
    assert broken.admin("GET", "/faults")[0]["hits"] == 2


def test_a_fault_may_concern_one_context(broken, sandbox):
    other = sandbox.caller().login("9999999999")
    fault = broken.fault("http_error", status=502, times=-1, nip="9999999999")
    assert other.call("GET", "/limits/context").status_code == 502
    assert broken.call("GET", "/limits/context").status_code == 200
    broken.admin("DELETE", f"/faults/{fault}")
    assert other.call("GET", "/limits/context").status_code == 200


def test_html_from_a_gateway(broken):
    broken.fault("http_error", status=502)
    answer = broken.call("GET", "/limits/context")
    assert answer.status_code == 502 and answer.headers["Content-Type"].startswith("text/html")
    assert b"<html>" in answer.content


def test_rate_limit_storm_in_both_formats(broken):
    broken.fault("http_error", status=429, body="problem", retryAfter=7)
    answer = broken.call("GET", "/limits/context")
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "7" and answer.json()["status"] == 429
    broken.fault("http_error", status=429, body="exception", retryAfter=3)
    old = broken.call("GET", "/limits/context")
    assert old.headers["Retry-After"] == "3" and old.json()["status"]["code"] == 429


def test_documented_errors_on_demand(broken, own_nip):
    session = broken.open()
    broken.fault("http_error", SEND, status=400, code=21184, body="problem")
    assert post(broken, session, invoice(own_nip, "HE/1")).json()["errors"][0]["code"] == 21184
    broken.fault("http_error", status=403, body="problem", reasonCode="security-service-blocked")
    assert broken.call("GET", "/limits/context").json()["reasonCode"] == "security-service-blocked"
    broken.fault("http_error", SEND, status=500, process=True)
    assert post(broken, session, invoice(own_nip, "HE/2")).status_code == 500
    assert len(broken.get(f"/sessions/{session.reference}/invoices")["invoices"]) == 1


def test_garbled_truncated_and_slow(broken):
    broken.observer = None
    good = broken.call("GET", "/limits/context").content
    broken.fault("garble")
    assert broken.call("GET", "/limits/context").content not in (good, b"")
    broken.fault("truncate", bytes=10)
    with pytest.raises(requests.exceptions.RequestException):
        broken.call("GET", "/limits/context")
    broken.fault("slow_drip", bytesPerSecond=1500)
    started = time.monotonic()
    assert broken.call("GET", "/limits/context").content == good
    assert time.monotonic() - started > 0.1


def test_delay_and_hang(broken):
    broken.fault("delay", seconds=0.3)
    started = time.monotonic()
    broken.call("GET", "/limits/context", expect=200)
    assert time.monotonic() - started >= 0.3
    broken.fault("hang_after", "GET /limits/context", seconds=1.5)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{broken.origin}/v2/limits/context", timeout=0.4,
                     headers={"Authorization": f"Bearer {broken.access}"})


def test_forced_invoice_statuses(broken, own_nip):
    broken.fault("invoice_status", SEND, code=550)
    broken.fault("invoice_status", SEND, code=599, description="Coś nowego", details=["nieznane"],
                 extensions={"klucz": "wartość"})
    first = broken.sent(invoice(own_nip, "IS/1"))
    assert first["status"]["code"] == 550 and first["invoiceNumber"] == "IS/1"
    assert broken.sent(invoice(own_nip, "IS/1"))["status"] == {
        "code": 599, "description": "Coś nowego", "details": ["nieznane"], "extensions": {"klucz": "wartość"}}
    assert broken.sent(invoice(own_nip, "IS/1"))["status"]["code"] == 200


def test_stuck_until_released(broken, own_nip):
    fault = broken.fault("stuck", SEND)
    session = broken.open()
    reference = broken.send(session, invoice(own_nip, "ST/1"))
    time.sleep(0.3)
    path = f"/sessions/{session.reference}/invoices/{reference}"
    assert broken.get(path)["status"]["code"] == 150
    broken.admin("DELETE", f"/faults/{fault}")
    assert broken.result(session, reference)["status"]["code"] == 200


def test_session_status_on_demand(broken, own_nip):
    session = broken.open()
    broken.fault("session_status", SEND, code=415)
    broken.send(session, invoice(own_nip, "SS/1"))
    assert broken.get(f"/sessions/{session.reference}")["status"]["code"] == 415
    refused = broken.send(session, invoice(own_nip, "SS/2"), expect=400)
    assert refused.json()["errors"][0]["code"] == 21180
    assert broken.get(f"/sessions/{session.reference}/invoices")["invoices"][0]["status"]["code"] == 435


def test_keys_change_in_mid_session(broken, own_nip):
    session = broken.open()
    old = broken.encryption()[0]
    broken.fault("rotate_keys", SEND)
    broken.send(session, invoice(own_nip, "RK/1"))
    assert broken.sent(invoice(own_nip, "RK/2"), session)["status"]["code"] == 200
    answer = broken.call("POST", "/sessions/online", {
        "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}, "encryption": old}, expect=400)
    assert answer.json()["errors"][0]["code"] == 21470


def test_wrong_switches_are_refused(broken):
    for wrong in ({}, {"action": "explode"}, {"action": "delay"}, {"action": "delay", "seconds": "1"},
                  {"action": "delay", "seconds": -1}, {"action": "garble", "bytes": 3},
                  {"action": "http_error", "status": 99}, {"action": "garble", "operation": "sessions"}, []):
        answer = broken.http.post(f"{broken.origin}/admin/faults", json=wrong, timeout=5)
        assert answer.status_code == 400, wrong


def test_probability_is_repeatable_with_a_seed(make_sandbox):
    def run():
        caller = Caller(make_sandbox(seed=5).origin)
        caller.fault("http_error", "GET /security/public-key-certificates", status=503, times=-1, probability=0.5)
        return [caller.call("GET", "/security/public-key-certificates", token=None).status_code for _ in range(20)]
    first = run()
    assert first == run() and set(first) == {200, 503}
