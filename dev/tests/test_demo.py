"""The switches of dev/demo act on a real sandbox, and its mail server keeps every message once."""

import json
import smtplib
import subprocess
import sys
import threading
from email.message import EmailMessage
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
import demo_mail
import demo_week
import rpc

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sandbox():
    """The origin of a sandbox in a process of its own."""
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().removeprefix("sandbox: ").strip().removesuffix("/v2")
        finally:
            process.terminate()


def status(sandbox):
    """What the availability service says, and how many switches are on."""
    faults = [fault for fault in rpc.call_json(f"{sandbox}/admin/faults") if fault["left"]]
    return rpc.call_json(f"{sandbox}/status")["status"], len(faults)


def test_outage(sandbox):
    """On, twice, is one outage; off ends it and is announced, and leaves other switches alone."""
    demo_week.reject_next(sandbox)
    demo_week.outage(sandbox, True)
    demo_week.outage(sandbox, True)
    assert status(sandbox) == ("FAILURE", 2)
    with pytest.raises(OSError, match="503"):
        rpc.call_json(f"{sandbox}/v2/auth/challenge", {})
    demo_week.outage(sandbox, False)
    assert status(sandbox) == ("AVAILABLE", 1)
    assert rpc.call_json(f"{sandbox}/v2/auth/challenge", {})["challenge"]
    kinds = [message["type"] for message in rpc.call_json(f"{sandbox}/messages")]
    assert kinds == ["FAILURE_START", "FAILURE_END"]
    demo_week.outage(sandbox, True)
    assert status(sandbox) == ("FAILURE", 2)
    demo_week.outage(sandbox, False)


def test_last_week(sandbox):
    """The sandbox lives in last week while that is made, and is back afterwards, whatever happens."""
    def run(script, origin, moment):
        assert Path(script).exists()
        assert origin == sandbox
        published = rpc.call_json(f"{sandbox}/admin/latarnia", {"category": "MAINTENANCE"})["published"]
        assert published[:13] == moment[:13]
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        demo_week.prepare(run, sandbox)
    assert rpc.call_json(f"{sandbox}/admin/settings")["clockOffsetSeconds"] == 0


def test_mails(tmp_path):
    """Each message is a file of its own, byte for byte, and listed with recipient, subject and attachments."""
    with demo_mail.Sink(0, tmp_path / "mails") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with smtplib.SMTP("127.0.0.1", server.server_address[1], timeout=10) as client:
            for number in (1, 2):
                message = EmailMessage()
                message["From"], message["To"], message["Subject"] = "a@example.com", f"k{number}@example.com", "Faktura źdźbło"
                message.set_content(".kropka na początku\n")
                message.add_attachment(json.dumps({"n": number}).encode(), maintype="application", subtype="json", filename="f.json")
                client.send_message(message)
        server.shutdown()
    files = sorted((tmp_path / "mails").glob("*.eml"))
    assert [file.name for file in files] == ["0001.eml", "0002.eml"]
    assert b"\r\n.kropka" in files[0].read_bytes() or b"\n.kropka" in files[0].read_bytes()
    lines = demo_mail.describe(tmp_path / "mails")
    assert lines[1] == f"{files[1]}: k2@example.com: Faktura źdźbło [f.json]"
