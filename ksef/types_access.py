"""What the client returns about logins, KSeF tokens, certificates and limits."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from .types_base import Context, Identifier, Secret, StatusInfo


@dataclass(frozen=True)
class LoginSession:
    """An open login (sesja uwierzytelnienia): of this program or of another one in the same context.

    ``method`` is KSeF's name of how it was made; ``refresh_valid_until`` is when it ends by itself.
    """

    reference_number: str
    is_current: bool
    status: StatusInfo
    started_at: datetime | None = None
    method_category: str = ""
    method: str = ""
    is_redeemed: bool | None = None
    refreshed_at: datetime | None = None
    refresh_valid_until: datetime | None = None


@dataclass(frozen=True)
class GeneratedToken:
    """A KSeF token just made. ``token`` is shown this once; it serves as soon as its status is Active."""

    reference_number: str
    token: Secret


@dataclass(frozen=True)
class TokenReport:
    """State of a KSeF token: ``status`` is Pending, Active, Revoking, Revoked or Failed."""

    reference_number: str
    status: str
    requested_permissions: tuple[str, ...]
    description: str = ""
    context: Context | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    status_details: tuple[str, ...] = ()
    author: Identifier | None = None


@dataclass(frozen=True)
class Remaining:
    """How many of ``limit`` are left."""

    remaining: int
    limit: int


@dataclass(frozen=True)
class CertificateLimits:
    """Whether a certificate may be asked for, and how many requests and active certificates are left."""

    can_request: bool
    enrollment: Remaining
    certificate: Remaining


@dataclass(frozen=True)
class CertificateEnrollmentData:
    """The attributes that the subject of a certificate request must have, exactly: KSeF's names and values."""

    attributes: dict[str, str] = field(repr=False)  # a serial number holds a PESEL

    @property
    def name(self):
        """Common name of the subject."""
        return self.attributes.get("commonName", "")


@dataclass(frozen=True)
class Enrollment:
    """A request for a certificate that KSeF took; its reference serves for 30 days."""

    reference_number: str
    requested_at: datetime | None = None


@dataclass(frozen=True)
class EnrollmentReport:
    """State of a request for a certificate (see EnrollmentStatus); ``serial`` once it is issued."""

    status: StatusInfo
    serial: str | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate as KSeF delivers it: ``kind`` is Authentication or Offline."""

    serial: str
    name: str
    kind: str
    certificate_der: bytes = field(repr=False)


@dataclass(frozen=True)
class CertificateItem:
    """A certificate in KSeF's list: ``kind`` Authentication or Offline, ``status`` Active, Blocked, Revoked or Expired."""

    serial: str
    name: str
    kind: str
    status: str
    common_name: str = ""
    subject: Identifier | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    last_used_at: datetime | None = None
    requested_at: datetime | None = None


@dataclass(frozen=True)
class SessionLimits:
    """Limits of one kind of session; sizes in bytes (KSeF's megabyte has 1,000,000). None: not told."""

    invoice_bytes: int | None = None
    invoice_with_attachment_bytes: int | None = None
    invoices: int | None = None


@dataclass(frozen=True)
class ContextLimits:
    """Limits of the context: interactive and batch sessions, invoices in one collective identifier."""

    online: SessionLimits
    batch: SessionLimits
    collective_invoices: int | None = None


@dataclass(frozen=True)
class SubjectLimits:
    """Limits of the one who is logged in: requests for certificates, active certificates. None: not told."""

    enrollments: int | None = None
    certificates: int | None = None


@dataclass(frozen=True)
class RateLimit:
    """Calls allowed per second, minute and hour; None: no limit."""

    per_second: int | None = None
    per_minute: int | None = None
    per_hour: int | None = None


@dataclass(frozen=True)
class CollectiveIdentifier:
    """A collective identifier (identyfikator zbiorczy). ``is_own``: made in the context that asks.

    ``invoices``: how many there are in it; None: not told.
    """

    number: str
    created_at: datetime
    is_own: bool
    invoices: int | None = None


@dataclass(frozen=True)
class CollectiveInvoice:
    """An invoice in a collective identifier, with what is paid for it where that was given.

    ``is_hidden``: amount, currency or description were given, and only those concerned may see them.
    """

    ksef_number: str
    amount: Decimal | None = None
    currency: str | None = None
    description: str | None = None
    collective_number: str | None = None
    is_hidden: bool = False


@dataclass(frozen=True)
class AttachmentPermission:
    """Whether invoices with attachments may be sent, and when that ended or ends."""

    is_allowed: bool
    revoked_at: datetime | None = None
