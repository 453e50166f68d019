"""Enrolling for a KSeF certificate: subject data, the request (CSR) and its checks, the status."""

import json
from datetime import UTC, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from . import clock, ids
from .certificates import key_hash
from .crypto import certificate_der, public_der, unbase64
from .errors import ApiError, Problem
from .identity import NAMES, attributes
from .store import packed

YEARS = 2
STATUS_DAYS = 30
_HASHES = {"sha1", "sha256", "sha384", "sha512"}
DESCRIPTIONS = {
    100: "Wniosek przyjęty do realizacji", 200: "Wniosek obsłużony (certyfikat wygenerowany)", 400: "Wniosek odrzucony",
    500: "Nieznany błąd", 550: "Operacja została anulowana przez system",
}
_FOREIGN_KEY = "Klucz publiczny został już certyfikowany przez inny podmiot."


class Enrollment:
    """The room of certificate requests."""

    def __init__(self, app):
        self._app = app

    def require_certificate_login(self, principal, code=None):
        """Only a caller who signed may go on; raises 403 (or the code given)."""
        if principal.token_reference:
            if code:
                raise ApiError(code)
            raise Problem(403, "Ta operacja nie jest dostępna dla użytej metody uwierzytelnienia.",
                          reasonCode="auth-method-not-allowed", security={"authenticationMethodCategory": "Token"})

    def _names(self, principal):
        """The attributes that the CSR's subject must have, taken from the certificate of the login."""
        text = self._app.store.value("SELECT subject FROM logins WHERE reference = ?", principal.login)
        found = json.loads(text) if text else {}
        return {name: found[name] for name in NAMES if found.get(name)}

    def data(self, request):
        """GET /certificates/enrollments/data."""
        self.require_certificate_login(request.principal, 25001)
        names = self._names(request.principal)
        if not names.get("commonName") or not names.get("countryName"):
            raise ApiError(25001)
        return names

    # --- the request -------------------------------------------------------------------------------------------

    def enroll(self, request):
        """POST /certificates/enrollments."""
        principal, data = request.principal, request.data
        self.require_certificate_login(principal, 25002)
        now = self._app.clock.now()
        start = clock.parse(data["validFrom"]) if data.get("validFrom") else now
        if start > now + timedelta(days=365 * YEARS):
            raise ApiError(21405, "$.validFrom: data zbyt odległa.")
        csr = self._read(data["csr"])
        self._check_subject(csr, self._names(principal))
        with self._app.store.transaction():
            enrollments, certificates = self._app.certificates.remaining(principal)
            if not enrollments[0]:
                raise ApiError(25006)
            if not certificates[0]:
                raise ApiError(25007)
            reference = self._app.numbers.reference(ids.OPERATION)
            self._issue(reference, principal, data, csr, max(start, now))
        return {"referenceNumber": reference, "timestamp": clock.text(now)}

    def _read(self, text):
        """The CSR, if its key and its signature are of an allowed kind; raises 25004, 25010, 25011."""
        try:
            csr = x509.load_der_x509_csr(unbase64(text))
            key = csr.public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ApiError(25004, "Nie można odczytać wniosku PKCS#10.") from error
        allowed = (isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048) or (
            isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1))
        if not allowed:
            raise ApiError(25010, "Dozwolone klucze: RSA 2048 bitów, EC P-256.")
        try:
            hash_ = csr.signature_hash_algorithm
            valid = csr.is_signature_valid
        except (UnsupportedAlgorithm, ValueError, InvalidSignature) as error:
            raise ApiError(25011) from error
        if hash_ is None or hash_.name not in _HASHES:
            raise ApiError(25011, "Dozwolone funkcje skrótu: SHA1, SHA256, SHA384, SHA512.")
        if not valid:
            raise ApiError(25004, "Podpis wniosku jest nieprawidłowy.")
        return csr

    @staticmethod
    def _check_subject(csr, names):
        try:
            given = attributes(csr.subject)
            count = len(list(csr.subject))
        except ValueError as error:
            raise ApiError(25004) from error
        if given != names or count != len(names):
            wrong = sorted(name for name in {*given, *names} if given.get(name) != names.get(name))
            raise ApiError(25003, f"Niezgodne atrybuty: {', '.join(wrong) or 'nieznane atrybuty'}.")

    def _issue(self, reference, principal, data, csr, start):
        now = clock.text(self._app.clock.now())
        ready = self._app.processing.due()
        mark = key_hash(public_der(csr.public_key()))
        owner = {"subject_type": principal.subject_type, "subject_value": principal.subject_value}
        foreign = self._app.store.one(
            "SELECT 1 FROM certificates WHERE key_hash = ? AND NOT (subject_type = ? AND subject_value = ?)",
            mark, *owner.values())
        serial = None
        if not foreign:
            serial = self._app.numbers.serial()
            begin = start.astimezone(UTC).replace(microsecond=0)
            end = begin + timedelta(days=365 * YEARS)
            usage = "digital_signature" if data["certificateType"] == "Authentication" else "content_commitment"
            certificate = self._app.certificates.sign(csr.subject, csr.public_key(), begin, end, serial, usage)
            self._app.store.insert(
                "certificates", serial=serial, **owner, name=data["certificateName"], type=data["certificateType"],
                common_name=attributes(csr.subject).get("commonName", ""), content=certificate_der(certificate),
                key_hash=mark, valid_from=clock.text(begin), valid_to=clock.text(end), requested=now, ready=ready)
        self._app.store.insert("enrollments", reference=reference, **owner, requested=now, ready=ready,
                               code=400 if foreign else 200, serial=serial,
                               details=packed([_FOREIGN_KEY]) if foreign else None)

    def status(self, request):
        """GET /certificates/enrollments/{referenceNumber}."""
        principal = request.principal
        row = self._app.store.one("SELECT * FROM enrollments WHERE reference = ?", request.values["referenceNumber"])
        if row is None or (row["subject_type"], row["subject_value"]) not in self._app.rights.identifiers(
                principal.subject_type, principal.subject_value):
            raise ApiError(25005)
        if clock.parse(row["requested"]) + timedelta(days=STATUS_DAYS) <= self._app.clock.now():
            raise Problem(410, "Status wniosku certyfikacyjnego nie jest już dostępny.")
        code = row["code"] if self._app.clock.real() >= row["ready"] else 100
        status = {"code": code, "description": DESCRIPTIONS[code]}
        if code == row["code"] and row["details"]:
            status["details"] = json.loads(row["details"])
        result = {"requestDate": row["requested"], "status": status}
        if code == 200:
            result["certificateSerialNumber"] = row["serial"]
        return result
