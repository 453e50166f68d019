"""The client's operations on KSeF certificates, and on the limits that KSeF sets."""

import re

from . import api, parsing_access
from .errors import KsefConfigError
from .parsing_access import SERIAL

_PAGE = 50
_MOST_RETRIEVED = 10
_NAME = re.compile(r"[a-zA-Z0-9_\- ąćęłńóśźżĄĆĘŁŃÓŚŹŻ]{5,100}")


class CertificatesMixin:
    """Operations of :class:`~.client.Client` on certificates; they need a login with a certificate, not with a token."""

    def certificate_limits(self, access):
        """Return :class:`~.types.CertificateLimits` (GET /certificates/limits): read it before anything is asked for."""
        return parsing_access.certificate_limits(self._fields(api.CERTIFICATE_LIMITS, access))

    def enrollment_data(self, access):
        """Return :class:`~.types.CertificateEnrollmentData` for :func:`~.certificates.new_csr`.

        :raise KsefRefusedError: 25001 not with this kind of login
        """
        return parsing_access.enrollment_data(self._fields(api.ENROLLMENT_DATA, access))

    def enroll_certificate(self, access, name, kind, csr, valid_from=None):
        """Ask for a certificate (POST /certificates/enrollments) and return an :class:`~.types.Enrollment`.

        Keep the private key before. After KsefUnconfirmedError look for the name in :meth:`certificates`: an
        unanswered request may have used up one of the few that are allowed.

        :param name: 5 to 100 letters, digits, blanks, ``-`` and ``_``
        :param kind: Authentication or Offline
        :param csr: PKCS#10 in Base64, see :func:`~.certificates.new_csr`
        :param valid_from: aware datetime; without it the certificate is valid at once
        """
        if not _NAME.fullmatch(name):
            raise KsefConfigError(
                "The name of a certificate has 5 to 100 letters, digits, blanks, dashes and underscores.",
                operation=api.ENROLL.name)
        body = {"certificateName": name, "certificateType": str(kind), "csr": csr}
        if valid_from:
            body["validFrom"] = valid_from.isoformat()
        return parsing_access.enrollment(self._fields(api.ENROLL, access, json=body))

    def enrollment_status(self, access, reference):
        """Return the :class:`~.types.EnrollmentReport` (GET /certificates/enrollments/{referenceNumber}).

        :raise KsefGoneError: KSeF keeps it for 30 days
        """
        return parsing_access.enrollment_report(
            self._fields(api.ENROLLMENT_STATUS, access, referenceNumber=reference))

    def retrieve_certificates(self, access, serials):
        """Return the :class:`~.types.IssuedCertificate` of each serial number (POST /certificates/retrieve), at most 10.

        Those that KSeF does not know, or that belong to somebody else, are left out.
        """
        if not 0 < len(serials) <= _MOST_RETRIEVED or not all(SERIAL.fullmatch(serial) for serial in serials):
            raise KsefConfigError(
                "One to ten serial numbers of 16 hexadecimal digits are needed.", operation=api.RETRIEVE_CERTIFICATES.name)
        fields = self._fields(
            api.RETRIEVE_CERTIFICATES, access, json={"certificateSerialNumbers": list(serials)})
        return [parsing_access.issued_certificate(item) for item in fields.need_children("certificates")]

    def certificates(self, access, *, name=None, kind=None, status=None, page_size=_PAGE):
        """Yield the :class:`~.types.CertificateItem` of one's certificates (POST /certificates/query), newest first.

        :param name: only those whose name contains this text
        :param kind: Authentication or Offline
        :param status: Active, Blocked, Revoked or Expired
        :param page_size: 10 to 50
        """
        wanted = {"name": name, "type": kind, "status": status}
        body = {key: str(value) for key, value in wanted.items() if value}
        for page in self._numbered_pages(api.CERTIFICATES, access, json=body, page_size=page_size):
            for item in page.need_children("certificates"):
                yield parsing_access.certificate_item(item)

    def revoke_certificate(self, access, serial, reason="Unspecified"):
        """Revoke a certificate for good (POST /certificates/{certificateSerialNumber}/revoke).

        :param reason: Unspecified, Superseded or KeyCompromise
        """
        if not SERIAL.fullmatch(serial):
            raise KsefConfigError(
                "A serial number has 16 hexadecimal digits.", operation=api.REVOKE_CERTIFICATE.name)
        self._call(
            api.REVOKE_CERTIFICATE, access, json={"revocationReason": reason}, certificateSerialNumber=serial).nothing()

    # -- limits ------------------------------------------------------------------------------------------------------

    def context_limits(self, access):
        """Return the :class:`~.types.ContextLimits` of sessions (GET /limits/context)."""
        return parsing_access.context_limits(self._fields(api.CONTEXT_LIMITS, access))

    def subject_limits(self, access):
        """Return the :class:`~.types.SubjectLimits` of certificates (GET /limits/subject)."""
        return parsing_access.subject_limits(self._fields(api.SUBJECT_LIMITS, access))

    def rate_limits(self, access):
        """Return {group of operations: :class:`~.types.RateLimit`} (GET /rate-limits), groups as KSeF names them."""
        return parsing_access.rate_limits(self._fields(api.RATE_LIMITS, access))
