"""An independent client of KSeF 2.0 for the tests: requests and cryptography, none of the sandbox's own code."""

import base64
import datetime
import hashlib
import os
import time
import zoneinfo

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

FORM = {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}
OAEP = rsa_padding.OAEP(rsa_padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def b64(data):
    """Standard Base64 as text."""
    return base64.b64encode(data).decode()


def sha(data):
    """SHA-256 as Base64."""
    return b64(hashlib.sha256(data).digest())


def today():
    """Today in Poland."""
    return datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Warsaw")).date().isoformat()


def nip(number):
    """A NIP with a right check digit, made from a small number."""
    while True:
        digits = f"{521000000 + number:09d}"
        total = sum(int(d) * w for d, w in zip(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7), strict=True)) % 11
        if total != 10:
            return digits + str(total)
        number += 1000


def wait_for(ask, good, seconds=15.0):
    """Ask again and again until ``good(answer)``; the last answer is returned even when time runs out."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if good(answer) or time.monotonic() > end:
            return answer
        time.sleep(0.02)


class Session:
    """An open interactive session and its key."""

    def __init__(self, reference, key, vector):
        self.reference = reference
        self.key = key
        self.vector = vector

    def encrypt(self, data):
        """AES-256-CBC, PKCS#7."""
        padder = padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.vector)).encryptor()
        return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()

    def decrypt(self, data):
        """The way back."""
        decryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.vector)).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()


class Caller:
    """One user of the API at ``origin``; ``seen`` collects every exchange for the contract test."""

    def __init__(self, origin, problem_details=True):
        self.origin = origin
        self.http = requests.Session()
        self.http.trust_env = False
        if problem_details:
            self.http.headers["X-Error-Format"] = "problem-details"
        self.access = self.refresh = None
        self.observer = None

    def call(self, method, path, body=None, *, token="access", expect=None, **options):
        """One call below /v2; ``token`` is 'access', a JWT, or None."""
        headers = dict(options.pop("headers", {}))
        token = self.access if token == "access" else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            options["json"] = body
        answer = self.http.request(method, f"{self.origin}/v2{path}", headers=headers, timeout=60, **options)
        if self.observer:
            self.observer(method, path, body, answer)
        if expect is not None:
            assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer

    def get(self, path, **options):
        """GET that must succeed; the JSON answer."""
        return self.call("GET", path, expect=200, **options).json()

    def admin(self, method, path, body=None):
        """A call of the administration API; the JSON answer."""
        answer = self.http.request(method, f"{self.origin}/admin{path}", json=body, timeout=60)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def fault(self, action, operation="*", **parameters):
        """Switch a fault on."""
        return self.admin("POST", "/faults", {"action": action, "operation": operation, **parameters})["id"]

    # --- login -------------------------------------------------------------------------------------------------

    def public_key(self, usage):
        """(key, id) of the newest public key for a usage."""
        keys = [item for item in self.get("/security/public-key-certificates", token=None) if usage in item["usage"]]
        newest = max(keys, key=lambda item: item["validFrom"])
        certificate = x509.load_der_x509_certificate(base64.b64decode(newest["certificate"]))
        return certificate.public_key(), newest["publicKeyId"]

    def encrypted_token(self, ksef_token, milliseconds):
        """(Base64 of the encrypted token, key id)."""
        key, identifier = self.public_key("KsefTokenEncryption")
        return b64(key.encrypt(f"{ksef_token}|{milliseconds}".encode(), OAEP)), identifier

    def start_login(self, nip_, ksef_token, **changes):
        """POST /auth/ksef-token; the answer object."""
        challenge = self.call("POST", "/auth/challenge", token=None, expect=200).json()
        encrypted, identifier = self.encrypted_token(ksef_token, challenge["timestampMs"])
        body = {"challenge": challenge["challenge"], "contextIdentifier": {"type": "Nip", "value": nip_},
                "encryptedToken": encrypted, "publicKeyId": identifier, **changes}
        return self.call("POST", "/auth/ksef-token", body, token=None)

    def login_result(self, started):
        """The final status of a login that was started."""
        token = started["authenticationToken"]["token"]
        return wait_for(lambda: self.get(f"/auth/{started['referenceNumber']}", token=token),
                        lambda answer: answer["status"]["code"] != 100)

    def redeem(self, started):
        """Fetch the tokens of a finished login and keep them."""
        tokens = self.call("POST", "/auth/token/redeem", token=started["authenticationToken"]["token"],
                           expect=200).json()
        self.access, self.refresh = tokens["accessToken"]["token"], tokens["refreshToken"]["token"]
        return self

    def login(self, nip_, permissions=("InvoiceRead", "InvoiceWrite")):
        """Make a KSeF token through the administration and log in with it."""
        token = self.admin("POST", "/tokens", {"nip": nip_, "permissions": list(permissions)})["token"]
        return self.login_with_token(nip_, token)

    def login_with_token(self, nip_, token):
        """Log in with a KSeF token."""
        started = self.start_login(nip_, token).json()
        assert self.login_result(started)["status"]["code"] == 200
        return self.redeem(started)

    # --- sending -----------------------------------------------------------------------------------------------

    def encryption(self, **changes):
        """(encryption object, key, vector)."""
        key, vector = os.urandom(32), os.urandom(16)
        public, identifier = self.public_key("SymmetricKeyEncryption")
        return {"encryptedSymmetricKey": b64(public.encrypt(key, OAEP)), "initializationVector": b64(vector),
                "publicKeyId": identifier, **changes}, key, vector

    def open(self, headers=None):
        """Open an interactive session."""
        encryption, key, vector = self.encryption()
        opened = self.call("POST", "/sessions/online", {"formCode": FORM, "encryption": encryption}, expect=201,
                           headers=headers or {}).json()
        return Session(opened["referenceNumber"], key, vector)

    @staticmethod
    def body(session, xml, **changes):
        """SendInvoiceRequest."""
        encrypted = session.encrypt(xml)
        return {"invoiceHash": sha(xml), "invoiceSize": len(xml), "encryptedInvoiceHash": sha(encrypted),
                "encryptedInvoiceSize": len(encrypted), "encryptedInvoiceContent": b64(encrypted), **changes}

    def send(self, session, xml, expect=202, **changes):
        """Send an invoice; its reference number (or the refused answer)."""
        answer = self.call("POST", f"/sessions/online/{session.reference}/invoices", self.body(session, xml, **changes),
                           expect=expect)
        return answer.json()["referenceNumber"] if expect == 202 else answer

    def result(self, session, reference, seconds=15.0):
        """The final status of an invoice."""
        return wait_for(lambda: self.get(f"/sessions/{session.reference}/invoices/{reference}"),
                        lambda answer: answer["status"]["code"] >= 200, seconds)

    def sent(self, xml, session=None, **changes):
        """Send an invoice in a new session and wait for its final status."""
        session = session or self.open()
        return self.result(session, self.send(session, xml, **changes))

    def close(self, session):
        """Close a session and wait for its final status."""
        self.call("POST", f"/sessions/online/{session.reference}/close", expect=204)
        return wait_for(lambda: self.get(f"/sessions/{session.reference}"),
                        lambda answer: answer["status"]["code"] >= 200)
