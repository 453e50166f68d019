"""Another program of the same company: it sends to KSeF on its own, past Odoo."""

from ksef.client import Client
from ksef.crypto import encrypt_invoice, new_session_secret
from ksef.environment import get_environment
from ksef.transport import Transport
from ksef.types import Context

from .waiting import wait_for

FINAL = 200  # invoice statuses from here on do not change any more


def send(sandbox, nip, xml):
    """Send these bytes as the company and return the KSeF number that they get."""
    with Transport(get_environment("local", sandbox.url)) as transport:
        client = Client(transport)
        operation = client.start_token_login_with_fresh_key(Context(nip), sandbox.token(nip))
        wait_for(lambda: client.login_status(operation).is_complete, "login", 10, pause=0.2)
        access = client.redeem(operation).access
        secret = new_session_secret()
        session = client.open_online_session_with_fresh_key(access, secret)
        reference = client.send_invoice(access, session.reference_number, encrypt_invoice(xml, secret))
        report = wait_for(
            lambda: (answer := client.invoice(access, session.reference_number, reference)).status.code >= FINAL and answer,
            "KSeF has decided", 20, pause=0.1)
        if not report.ksef_number:
            raise AssertionError(f"refused: {report.status}")
        return report.ksef_number
