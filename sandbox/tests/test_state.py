"""The sandbox as a process: its one line, a state that survives being killed, its administration."""

import os
import re
import signal
import sqlite3
import subprocess
import sys

import pytest
import requests

from .caller import Caller, wait_for
from .conftest import schema
from .documents import invoice


class Process:
    """``python -m sandbox`` with arguments."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "sandbox", "--schema", str(schema()), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
        line = self.process.stdout.readline()
        match = re.fullmatch(r"sandbox: (http://127\.0\.0\.1:\d+)/v2\n", line)
        assert match, line + self.process.stderr.read()
        self.caller = Caller(match.group(1))

    def kill(self):
        """As a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def stop(self):
        """As a user does; returns the exit code."""
        self.process.terminate()
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def start():
    """Start processes; all are ended."""
    started = []

    def run(*arguments):
        started.append(Process(*arguments))
        return started[-1]
    yield run
    for one in started:
        if one.process.poll() is None:
            one.kill()


def test_state_survives_a_crash(start, tmp_path, own_nip):
    state = str(tmp_path / "state.db")
    first = start("--state", state, "--processing-seconds", "0.1")
    user = first.caller
    token = user.admin("POST", "/tokens", {"nip": own_nip, "permissions": ["InvoiceRead", "InvoiceWrite"]})["token"]
    user.login_with_token(own_nip, token)
    session = user.open()
    done = user.sent(invoice(own_nip, "ST/1"), session)
    user.admin("POST", "/settings", {"processingSeconds": 3})
    waiting = user.send(session, invoice(own_nip, "ST/2"))
    first.kill()

    second = start("--state", state, "--processing-seconds", "0.1")
    again = second.caller
    again.access, again.refresh = user.access, user.refresh
    assert again.get(f"/sessions/{session.reference}/invoices/{done['referenceNumber']}")["ksefNumber"] == done[
        "ksefNumber"]
    assert again.result(session, waiting)["status"]["code"] == 200
    assert again.sent(invoice(own_nip, "ST/1"), session)["status"]["code"] == 440
    assert again.close(session)["status"]["code"] == 200
    again.login_with_token(own_nip, token)
    assert second.stop() == 0


def test_without_a_state_nothing_is_kept(start, own_nip):
    user = start().caller.login(own_nip)
    user.sent(invoice(own_nip, "X/1"))
    user.admin("POST", "/reset")
    assert user.admin("GET", "/invoices") == [] and user.admin("GET", "/health")["invoices"] == 0
    user.login(own_nip)
    assert user.sent(invoice(own_nip, "X/1"))["status"]["code"] == 200


def test_a_wrong_start_says_why(tmp_path):
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"not a database, but long enough to be taken for one" * 40)
    environment = {key: value for key, value in os.environ.items() if key != "ODOO_HOME"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as database:
        database.execute("PRAGMA user_version=1")
    for arguments, words in ((["--schema", str(tmp_path / "absent.xsd")], "absent.xsd"), ([], "ODOO_HOME"),
                             (["--schema", str(schema()), "--state", str(broken)], "not a database"),
                             (["--schema", str(schema()), "--state", str(old)], "delete it to start anew"),
                             (["--schema", str(schema()), "--fault", "{}"], "action must be")):
        done = subprocess.run([sys.executable, "-m", "sandbox", *arguments], capture_output=True, text=True, timeout=60,
                              env=environment, check=False)
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr


def test_seed_repeats_the_numbers(make_sandbox):
    def references(seed):
        caller = Caller(make_sandbox(seed=seed).origin)
        return [caller.admin("POST", "/tokens", {"nip": "9999999999"})["referenceNumber"][8:] for _ in range(3)]
    assert references(3) == references(3) != references(4)


def test_a_seeded_state_goes_on_with_new_numbers(start, tmp_path, own_nip):
    state = str(tmp_path / "state.db")
    first = start("--state", state, "--seed", "5")
    first.caller.login(own_nip)
    assert first.caller.sent(invoice(own_nip, "SEED/1"))["status"]["code"] == 200
    assert first.stop() == 0
    second = start("--state", state, "--seed", "5").caller.login(own_nip)
    assert second.sent(invoice(own_nip, "SEED/2"))["status"]["code"] == 200


def test_requests_are_listed(user, own_nip):
    user.admin("DELETE", "/requests")
    user.call("GET", "/limits/context", expect=200)
    user.call("GET", "/limits/nothing")
    mine = user.admin("GET", "/requests?limit=10")
    assert [(item["method"], item["path"], item["status"]) for item in mine[-2:]] == [
        ("GET", "/v2/limits/context", 200), ("GET", "/v2/limits/nothing", 404)]


def test_invoices_as_they_arrived(user, own_nip):
    xml = invoice(own_nip, "ADM/1")
    result = user.sent(xml)
    [row] = user.admin("GET", f"/invoices?nip={own_nip}")
    assert row["ksefNumber"] == result["ksefNumber"] and row["status"] == 200 and row["invoiceNumber"] == "ADM/1"
    for mark in (result["ksefNumber"], result["referenceNumber"]):
        answer = user.http.get(f"{user.origin}/admin/invoices/{mark}/xml", timeout=5)
        assert answer.content == xml


def test_administration_is_for_this_machine(caller):
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        answer = requests.get(f"{caller.origin}/admin/health", headers=headers, timeout=5)
        assert answer.status_code == 403, headers
    for path, body in (("/settings", {"processingSeconds": -1}), ("/settings", {"nonsense": 1}),
                       ("/settings", {"environment": "mars"}), ("/tokens", {"nip": "123"}),
                       ("/tokens", {"nip": "9999999999", "permissions": ["All"]}), ("/keys/rotate", {"mode": "x"})):
        answer = requests.post(f"{caller.origin}/admin{path}", json=body, timeout=5)
        assert answer.status_code == 400, (path, body)
    assert requests.post(f"{caller.origin}/admin/settings", data="{", timeout=5).status_code == 400


def test_availability_service(sandbox):
    caller = sandbox.caller()

    def status():
        return requests.get(f"{caller.origin}/status", timeout=5).json()
    assert status() == {"status": "AVAILABLE"}
    started = caller.admin("POST", "/latarnia", {"category": "FAILURE", "title": "Awaria"})
    assert status()["status"] == "FAILURE" and status()["messages"][0]["title"] == "Awaria"
    ended = caller.admin("POST", "/latarnia", {"category": "FAILURE", "eventId": started["eventId"],
                                               "end": started["start"]})
    assert ended["type"] == "FAILURE_END" and status()["status"] == "AVAILABLE"
    assert len(requests.get(f"{caller.origin}/messages", timeout=5).json()) == 2
    caller.admin("DELETE", "/latarnia")
    assert wait_for(status, lambda answer: answer == {"status": "AVAILABLE"}) == {"status": "AVAILABLE"}
