"""The sandbox in a process of its own, invoices for it, and the steps that its tests have in common."""

import itertools
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import requests
from ksef_test_contract import find_contract

from ksef.crypto import encrypt_invoice, new_session_secret
from ksef.errors import InvoiceStatus
from ksef.types import Context, Secret

ROOT = Path(__file__).resolve().parents[2]
SELLER, BUYER = "5265877635", "1111111111"
NUMBERS = itertools.count(1)
XML = """<?xml version="1.0" encoding="UTF-8"?>
<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/"><Naglowek><KodFormularza kodSystemowy="FA (3)"
 wersjaSchemy="1-0E">FA</KodFormularza><WariantFormularza>3</WariantFormularza>
 <DataWytworzeniaFa>2026-01-01T12:00:00Z</DataWytworzeniaFa></Naglowek>
<Podmiot1><DaneIdentyfikacyjne><NIP>{seller}</NIP><Nazwa>Sprzedawca „Żółw”</Nazwa></DaneIdentyfikacyjne>
<Adres><KodKraju>PL</KodKraju><AdresL1>ul. Prosta 1, 00-838 Warszawa</AdresL1></Adres></Podmiot1>
<Podmiot2><DaneIdentyfikacyjne><NIP>{buyer}</NIP><Nazwa>Nabywca</Nazwa></DaneIdentyfikacyjne><JST>2</JST><GV>2</GV>
</Podmiot2>
<Fa><KodWaluty>PLN</KodWaluty><P_1>{date}</P_1><P_2>{number}</P_2><P_13_1>100.00</P_13_1><P_14_1>23.00</P_14_1>
<P_15>{gross}</P_15><Adnotacje><P_16>2</P_16><P_17>2</P_17><P_18>2</P_18><P_18A>2</P_18A><Zwolnienie><P_19N>1</P_19N>
</Zwolnienie><NoweSrodkiTransportu><P_22N>1</P_22N></NoweSrodkiTransportu><P_23>2</P_23><PMarzy><P_PMarzyN>1</P_PMarzyN>
</PMarzy></Adnotacje><RodzajFaktury>VAT</RodzajFaktury><FaWiersz><NrWierszaFa>1</NrWierszaFa><P_7>Usługa</P_7>
<P_8A>szt.</P_8A><P_8B>1</P_8B><P_9A>100.00</P_9A><P_11>100.00</P_11><P_12>23</P_12></FaWiersz></Fa></Faktura>"""


def make_xml(*, number=None, seller=SELLER, gross="123.00"):
    """Return the bytes of an invoice of today; a new number unless one is given."""
    date = datetime.now(ZoneInfo("Europe/Warsaw")).date().isoformat()
    number = number or f"FA/{next(NUMBERS)}/2026"
    return XML.format(seller=seller, buyer=BUYER, date=date, number=number, gross=gross).encode()


class Sandbox:
    """The sandbox in a process of its own."""

    def __init__(self):
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--processing-seconds", "0.05", "--seed", "1"]
        contract = find_contract()
        if not os.environ.get("ODOO_HOME") and contract:
            command += ["--schema", str(next((contract.parents[1] / "xsd/fa3").glob("schemat_FA(3)*.xsd")))]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("sandbox: "):
            pytest.fail(f"the sandbox does not start (ODOO_HOME must hold an FA(3) schema): {self.process.stderr.read()}")
        self.url = line.removeprefix("sandbox: ").strip()
        self._session = requests.Session()
        self._session.trust_env = False

    def admin(self, method, path, **json):
        answer = self._session.request(
            method, self.url.removesuffix("/v2") + "/admin" + path, json=json or None, timeout=10)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def call(self, method, path, json=None, token=None):
        """Call the interface itself, with an access token or without."""
        headers = {"Authorization": f"Bearer {token.value.reveal()}"} if token else None
        answer = self._session.request(method, self.url + path, json=json, headers=headers, timeout=10)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def token(self, *permissions, nip=SELLER):
        return self.admin("POST", "/tokens", nip=nip, permissions=list(permissions or ["InvoiceRead", "InvoiceWrite"]))["token"]

    def fault(self, operation, action, **parameters):
        self.admin("POST", "/faults", operation=operation, action=action, **parameters)

    def invoices(self):
        return self.admin("GET", f"/invoices?nip={SELLER}")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()


def log_in(ksef, token, nip=SELLER):
    """Log in with a KSeF token and return the TokenPair."""
    operation = ksef.start_token_login_with_fresh_key(Context(nip), Secret(token))
    wait(lambda: ksef.login_status(operation).is_complete)
    return ksef.redeem(operation)


def wait(condition, seconds=10):
    """Return what ``condition`` returns as soon as that is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


class Sending:
    """An open session."""

    def __init__(self, ksef, access):
        self.ksef, self.access = ksef, access
        self.secret = new_session_secret()
        self.reference = ksef.open_online_session_with_fresh_key(access, self.secret).reference_number

    def send(self, xml, **options):
        return self.ksef.send_invoice(self.access, self.reference, encrypt_invoice(xml, self.secret), **options)

    def final(self, reference):
        def report():
            found = self.ksef.invoice(self.access, self.reference, reference)
            return found if InvoiceStatus.is_final(found.status.code) else None

        return wait(report)

    def result(self, xml, **options):
        return self.final(self.send(xml, **options))

    def reports(self, **options):
        return list(self.ksef.session_invoices(self.access, self.reference, **options))
