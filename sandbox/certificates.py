"""KSeF certificates that exist: limits, list, retrieval, revocation; and the sandbox's certificate authorities."""

import base64
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from . import clock
from .crypto import sha256
from .errors import ApiError
from .identity import NAMES, issued_by
from .keys import authority_usage
from .paging import numbered

ENROLLMENT_WINDOW = timedelta(days=365)


class Certificates:
    """The room of KSeF certificates."""

    def __init__(self, app):
        self._app = app

    # --- the authority -----------------------------------------------------------------------------------------

    def authority(self):
        """(private key, certificate) of the authority of the environment that the sandbox behaves as."""
        key, der = self._app.keys.pair(authority_usage(self._app.settings.environment))
        return key, x509.load_der_x509_certificate(der)

    def is_trusted(self, certificate):
        """Did this environment's authority issue the certificate?"""
        return issued_by(certificate, self.authority()[1])

    def sign(self, subject, public_key, start, end, serial, *usages):
        """A certificate for a subject; ``usages`` are 'digital_signature', 'content_commitment' or both."""
        key, authority = self.authority()
        flags = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                                "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
        flags |= dict.fromkeys(usages, True)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(authority.subject)
                   .public_key(public_key).serial_number(int(serial, 16)).not_valid_before(start).not_valid_after(end)
                   .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                   .add_extension(x509.KeyUsage(**flags), critical=True))
        return builder.sign(key, hashes.SHA256())

    def qualified(self, names, key, days=365):
        """A certificate as a trust service would issue it (for the administration API): its DER."""
        subject = x509.Name([x509.NameAttribute(NAMES[name], value) for name, value in names.items()])
        now = self._app.clock.now().replace(microsecond=0)
        return self.sign(subject, key.public_key(), now - timedelta(hours=1), now + timedelta(days=days),
                         self._app.numbers.serial(), "digital_signature", "content_commitment")

    # --- rows --------------------------------------------------------------------------------------------------

    def by_certificate(self, certificate, der):
        """The row of a certificate that the sandbox itself issued by enrolment, or None."""
        row = self._app.store.one("SELECT * FROM certificates WHERE serial = ?", f"{certificate.serial_number:016X}")
        return row if row is not None and row["content"] == der else None

    def status_of(self, row):
        """Active, Blocked, Revoked or Expired."""
        if row["revoked"]:
            return "Revoked"
        return "Expired" if row["valid_to"] <= clock.text(self._app.clock.now()) else "Active"

    def _owners(self, principal):
        return self._app.rights.identifiers(principal.subject_type, principal.subject_value)

    def _mine(self, principal):
        rows = []
        for kind, value in self._owners(principal):
            rows += self._app.store.all("SELECT * FROM certificates WHERE subject_type = ? AND subject_value = ? AND "
                                        "ready <= ?", kind, value, self._app.clock.real())
        return sorted(rows, key=lambda row: row["requested"], reverse=True)

    def _required(self, principal, serial):
        for row in self._mine(principal):
            if row["serial"] == serial:
                return row
        raise ApiError(25008)

    # --- operations --------------------------------------------------------------------------------------------

    def remaining(self, principal):
        """((remaining, limit) of enrolments, (remaining, limit) of active certificates)."""
        enrollments, active = self._app.limits.of_subject(principal.subject_type, principal.subject_value)
        since = clock.text(self._app.clock.now() - ENROLLMENT_WINDOW)
        used = self._app.store.value(
            "SELECT count(*) FROM enrollments WHERE subject_type = ? AND subject_value = ? AND requested >= ?",
            principal.subject_type, principal.subject_value, since)
        held = sum(self.status_of(row) == "Active" for row in self._mine(principal))
        return (max(0, enrollments - used), enrollments), (max(0, active - held), active)

    def limits(self, request):
        """GET /certificates/limits."""
        enrollment, certificate = self.remaining(request.principal)
        allowed = not request.principal.token_reference and enrollment[0] > 0 and certificate[0] > 0
        return {"canRequest": allowed,
                "enrollment": {"remaining": enrollment[0], "limit": enrollment[1]},
                "certificate": {"remaining": certificate[0], "limit": certificate[1]}}

    def retrieve(self, request):
        """POST /certificates/retrieve."""
        mine = {row["serial"]: row for row in self._mine(request.principal)}
        chosen = [mine[serial] for serial in dict.fromkeys(request.data["certificateSerialNumbers"]) if serial in mine]
        return {"certificates": [{
            "certificate": base64.b64encode(row["content"]).decode(), "certificateName": row["name"],
            "certificateSerialNumber": row["serial"], "certificateType": row["type"]} for row in chosen]}

    def query(self, request):
        """POST /certificates/query: newest request first."""
        rows = [row for row in self._mine(request.principal) if self._wanted(row, request.data)]
        page, more = numbered(request, rows)
        return {"certificates": [self._item(row) for row in page], "hasMore": more}

    def _wanted(self, row, data):
        after = data.get("expiresAfter")
        return (data.get("certificateSerialNumber") in (None, row["serial"])
                and (data.get("name") or "").lower() in row["name"].lower()
                and data.get("type") in (None, row["type"])
                and data.get("status") in (None, self.status_of(row))
                and (after is None or row["valid_to"] > clock.text(clock.parse(after))))

    def _item(self, row):
        result = {"certificateSerialNumber": row["serial"], "name": row["name"], "type": row["type"],
                  "commonName": row["common_name"], "status": self.status_of(row),
                  "subjectIdentifier": {"type": row["subject_type"], "value": row["subject_value"]},
                  "validFrom": row["valid_from"], "validTo": row["valid_to"], "requestDate": row["requested"]}
        if row["last_use"]:
            result["lastUseDate"] = row["last_use"]
        return result

    def revoke(self, request):
        """POST /certificates/{certificateSerialNumber}/revoke."""
        self._app.enrollment.require_certificate_login(request.principal)
        row = self._required(request.principal, request.values["certificateSerialNumber"])
        if self.status_of(row) != "Active":
            raise ApiError(25009)
        self._app.store.update("certificates", "serial", row["serial"], revoked=clock.text(self._app.clock.now()),
                               reason=request.data.get("revocationReason") or "Unspecified")

    def shorten(self, request):
        """PUT /testdata/certificates/{serialNumber}: the end of validity may only come nearer."""
        row = self._required(request.principal, request.values["serialNumber"])
        end = clock.text(clock.parse(request.data["validTo"]))
        if end > row["valid_to"]:
            raise ApiError(21405, "$.validTo: data nie może być późniejsza niż obecna.")
        self._app.store.update("certificates", "serial", row["serial"], valid_to=end)



def key_hash(public_key_der):
    """The mark by which a key is found again."""
    return sha256(public_key_der)
