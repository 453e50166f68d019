"""The things the client takes and returns: frozen dataclasses, dates as aware datetimes in UTC.

Fields that KSeF may leave out are None. Enum-like values stay strings: KSeF adds values without notice.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from .errors import AuthStatus
from .types_access import (
    AttachmentPermission,
    CertificateEnrollmentData,
    CertificateItem,
    CertificateLimits,
    CollectiveIdentifier,
    CollectiveInvoice,
    ContextLimits,
    Enrollment,
    EnrollmentReport,
    GeneratedToken,
    IssuedCertificate,
    LoginSession,
    RateLimit,
    Remaining,
    SessionLimits,
    SubjectLimits,
    TokenReport,
)
from .types_base import AllowedIps, Context, Identifier, Permission, Secret, StatusInfo, Token
from .types_permissions import (
    AuthorizationGrant,
    EntityGrant,
    EntityRole,
    FingerprintOwner,
    PersonalPermission,
    PersonalPermissions,
    PersonGrant,
)

__all__ = [
    "FA3",
    "AllowedIps",
    "AttachmentPermission",
    "AuthOperation",
    "AuthReport",
    "AuthorizationGrant",
    "CertificateEnrollmentData",
    "CertificateItem",
    "CertificateLimits",
    "Challenge",
    "CollectiveIdentifier",
    "CollectiveInvoice",
    "Context",
    "ContextLimits",
    "Enrollment",
    "EnrollmentReport",
    "EntityGrant",
    "EntityRole",
    "FingerprintOwner",
    "FormCode",
    "GeneratedToken",
    "Identifier",
    "InvoiceMetadata",
    "InvoiceReport",
    "IssuedCertificate",
    "KeyUsage",
    "LoginSession",
    "MetadataPage",
    "OpenedSession",
    "Permission",
    "PersonGrant",
    "PersonalPermission",
    "PersonalPermissions",
    "PublicKey",
    "RateLimit",
    "Remaining",
    "Secret",
    "SessionLimits",
    "SessionReport",
    "StatusInfo",
    "SubjectLimits",
    "Token",
    "TokenPair",
    "TokenReport",
    "UpoPage",
]


class KeyUsage(StrEnum):
    """What one of KSeF's public keys is for."""

    LOGIN = "KsefTokenEncryption"  # encrypts a KSeF token in a login
    SESSION = "SymmetricKeyEncryption"  # encrypts the key of a session or an export


@dataclass(frozen=True)
class FormCode:
    """Which document structure a session takes (kod formularza). The space in ``system_code`` is significant."""

    system_code: str
    schema_version: str
    value: str


FA3 = FormCode("FA (3)", "1-0E", "FA")


@dataclass(frozen=True)
class TokenPair:
    """What a login yields: ``access`` (about 15 minutes) and ``refresh`` (about 7 days)."""

    access: Token
    refresh: Token


@dataclass(frozen=True)
class Challenge:
    """Challenge (wyzwanie) of a login: serves once, for 10 minutes.

    ``timestamp_ms`` is Unix time in milliseconds; ``client_ip`` is our address as KSeF sees it.
    """

    challenge: str
    timestamp_ms: int
    client_ip: str | None = None

    @property
    def moment(self):
        """When KSeF gave it out, by KSeF's clock; an aware datetime."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)


@dataclass(frozen=True)
class AuthOperation:
    """A login that was started; ``token`` serves only to ask for its status and to fetch the tokens once."""

    reference_number: str
    token: Token


@dataclass(frozen=True)
class AuthReport:
    """State of a login: ``status`` (see AuthStatus) and how the login was made."""

    status: StatusInfo
    started_at: datetime | None = None
    method_category: str = ""
    method_name: str = ""
    is_redeemed: bool | None = None
    refresh_valid_until: datetime | None = None

    @property
    def is_complete(self):
        """Whether the tokens can be fetched now."""
        return self.status.code == AuthStatus.SUCCESS


@dataclass(frozen=True)
class PublicKey:
    """A public key of the Ministry: certificate in DER, its id for ``publicKeyId``, validity and usages."""

    certificate_der: bytes
    public_key_id: str
    valid_from: datetime
    valid_to: datetime
    usages: frozenset[str]


@dataclass(frozen=True)
class OpenedSession:
    """An interactive session (sesja interaktywna) just opened; KSeF closes it by itself at ``valid_until``."""

    reference_number: str
    valid_until: datetime


@dataclass(frozen=True)
class UpoPage:
    """A page of a session's collective UPO; ``download_url`` needs no token and expires."""

    reference_number: str
    download_url: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class SessionReport:
    """State of a session. Counts are None as long as KSeF does not give them."""

    status: StatusInfo
    valid_until: datetime | None = None
    upo_pages: tuple[UpoPage, ...] = ()
    invoice_count: int | None = None
    successful: int | None = None
    failed: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class InvoiceReport:
    """State of one invoice in a session.

    ``invoice_hash`` is the SHA-256 of the invoice file in standard Base64. ``invoicing_date``: taken for processing;
    ``acquisition_date``: KSeF number given, which is the date of receipt; ``permanent_storage_date``: stored for good.
    ``invoicing_mode`` is Online or Offline. ``upo_url`` needs no token and expires.
    """

    reference_number: str
    invoice_hash: str
    status: StatusInfo
    invoice_number: str | None = None
    ksef_number: str | None = None
    invoicing_date: datetime | None = None
    acquisition_date: datetime | None = None
    permanent_storage_date: datetime | None = None
    upo_url: str | None = None
    upo_url_expires_at: datetime | None = None
    invoicing_mode: str | None = None
    ordinal_number: int | None = None
    file_name: str | None = None


@dataclass(frozen=True)
class InvoiceMetadata:
    """One invoice of a metadata query. Amounts are in the invoice's currency, ``vat_amount`` is in PLN.

    ``raw`` is the whole object as KSeF sent it (numbers as int or Decimal).
    """

    ksef_number: str
    invoice_hash: str
    invoice_number: str | None = None
    issue_date: date | None = None
    invoicing_date: datetime | None = None
    acquisition_date: datetime | None = None
    permanent_storage_date: datetime | None = None
    seller_nip: str | None = None
    seller_name: str | None = None
    buyer_identifier_type: str | None = None
    buyer_identifier: str | None = None
    buyer_name: str | None = None
    net_amount: Decimal | None = None
    vat_amount: Decimal | None = None
    gross_amount: Decimal | None = None
    currency: str | None = None
    invoicing_mode: str | None = None
    invoice_type: str | None = None
    hash_of_corrected: str | None = None
    raw: dict = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class MetadataPage:
    """A page of a metadata query. ``hwm_date``: everything stored up to then is complete and final (HWM)."""

    invoices: tuple[InvoiceMetadata, ...]
    has_more: bool
    is_truncated: bool
    hwm_date: datetime | None = None
