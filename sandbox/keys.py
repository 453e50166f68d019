"""Public keys for encryption, with rotation (GET /security/public-key-certificates); seal and authorities too."""

import base64
import os
import threading

from . import clock
from .crypto import (
    Undecipherable,
    certificate_der,
    issue,
    load_private,
    new_ec_key,
    new_rsa_key,
    oaep_decrypt,
    private_der,
    public_der,
    sha256,
    unbase64,
    validity,
)
from .errors import ApiError
from .settings import ENVIRONMENTS
from .web import Response

TOKEN_KEY, SYMMETRIC_KEY = "KsefTokenEncryption", "SymmetricKeyEncryption"
_TWO_YEARS = 730


def authority_usage(environment):
    """The usage under which an environment's certificate authority is kept; each environment has its own."""
    return f"authority-{environment}"


class Keys:
    """The room of key pairs. Private keys are cached, for RSA keys load slowly."""

    def __init__(self, app):
        self._app = app
        self._cache = {}
        self._lock = threading.Lock()

    def prepare(self):
        """Make what is missing: one key per usage, the seal, the certificate authority, the JWT secret."""
        with self._app.store.transaction():
            for usage in (TOKEN_KEY, SYMMETRIC_KEY):
                if not self._app.store.one("SELECT id FROM keys WHERE usage = ? AND revoked = 0", usage):
                    self._add(usage, new_rsa_key())
            for environment in ENVIRONMENTS:
                if not self._app.store.one("SELECT id FROM keys WHERE usage = ?", authority_usage(environment)):
                    self._add(authority_usage(environment), new_ec_key())
            if not self._app.store.one("SELECT id FROM keys WHERE usage = 'seal'"):
                self._add("seal", new_rsa_key())

    def secret(self):
        """32 random bytes that sign JWTs and links; made once for a state."""
        with self._app.store.transaction() as store:
            if store.get("secret") is None:
                store.put("secret", os.urandom(32).hex())
            return bytes.fromhex(store.get("secret"))

    def _add(self, usage, key):
        now = self._app.clock.now()
        start, end = validity(now, _TWO_YEARS * (5 if usage.startswith("authority") else 1))
        certificate = issue(f"KSeF piaskownica - {usage}", key, key, None, start, end)
        self._app.store.insert(
            "keys", id=sha256(public_der(key.public_key())), usage=usage, private=private_der(key),
            certificate=certificate_der(certificate), valid_from=clock.text(now), valid_to=clock.text(end))

    def rotate(self, mode="emergency", usages=(TOKEN_KEY, SYMMETRIC_KEY)):
        """New keys. 'emergency' revokes the old ones at once, 'planned' lets both work, 'retire' ends the older."""
        store = self._app.store
        fresh = {usage: new_rsa_key() for usage in usages} if mode != "retire" else {}
        with store.transaction():
            for usage in usages:
                if mode == "emergency":
                    store.run("UPDATE keys SET revoked = 1 WHERE usage = ?", usage)
                if mode == "retire":
                    newest = store.value("SELECT max(valid_from) FROM keys WHERE usage = ? AND revoked = 0", usage)
                    store.run("UPDATE keys SET revoked = 1 WHERE usage = ? AND valid_from < ?", usage, newest)
                else:
                    self._add(usage, fresh[usage])

    def list(self, request):
        """GET /security/public-key-certificates."""
        rows = self._app.store.all(
            "SELECT * FROM keys WHERE revoked = 0 AND usage IN (?, ?) ORDER BY usage, valid_from",
            TOKEN_KEY, SYMMETRIC_KEY)
        return Response.json([{
            "certificate": base64.b64encode(row["certificate"]).decode(),
            "certificateId": sha256(row["certificate"]), "publicKeyId": row["id"],
            "validFrom": row["valid_from"], "validTo": row["valid_to"], "usage": [row["usage"]],
        } for row in rows])

    def pair(self, usage):
        """(private key, certificate DER) of the newest key for a usage."""
        row = self._app.store.one("SELECT * FROM keys WHERE usage = ? AND revoked = 0 ORDER BY valid_from DESC", usage)
        return self._private(row), row["certificate"]

    def _private(self, row):
        with self._lock:
            if row["id"] not in self._cache:
                self._cache[row["id"]] = load_private(row["private"])
            return self._cache[row["id"]]

    def decrypt(self, encrypted, usage, key_id=None):
        """Decrypt Base64 of RSA-OAEP with the key named, else with any valid key for the usage.

        Raises ApiError 21470 for an unknown or revoked id and Undecipherable when no key fits.
        """
        rows = self._app.store.all("SELECT * FROM keys WHERE usage = ? AND revoked = 0", usage)
        if key_id is not None:
            rows = [row for row in rows if row["id"] == key_id]
            if not rows:
                raise ApiError(21470, f"Klucz o identyfikatorze {key_id} nie jest wspierany.")
        for row in rows:
            try:
                return oaep_decrypt(self._private(row), unbase64(encrypted))
            except Undecipherable:
                continue
        raise Undecipherable("no key fits")
