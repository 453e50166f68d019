"""The things the client takes and returns: frozen dataclasses, dates as aware datetimes in UTC.

Fields that KSeF may leave out are None. Enum-like values stay strings: KSeF adds values without notice.
"""

import hmac
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from .errors import AuthStatus, KsefConfigError


class Secret:
    """Text that must not appear anywhere by accident: every ordinary way to print, copy out or store it shows ``***``.

    Only :meth:`reveal` gives the text. Pickling is refused.
    """

    __slots__ = ("__text",)

    def __init__(self, text):
        if isinstance(text, Secret):
            text = text.reveal()
        if not isinstance(text, str):
            raise TypeError("a Secret holds text")
        object.__setattr__(self, "_Secret__text", text)

    def reveal(self):
        """Return the text itself."""
        return self.__text

    def __setattr__(self, name, value):
        raise AttributeError("a Secret does not change")

    def __repr__(self):
        return "Secret(***)"

    def __str__(self):
        return "***"

    def __format__(self, specification):
        return format("***", specification)

    def __bool__(self):
        return bool(self.__text)

    def __eq__(self, other):
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__text.encode("utf-8", "surrogatepass"),
                                   other.reveal().encode("utf-8", "surrogatepass"))

    def __hash__(self):
        return hash((Secret, self.__text))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError("a Secret is not pickled")

    def __getstate__(self):
        raise TypeError("a Secret is not pickled")


class KeyUsage(StrEnum):
    """What one of KSeF's public keys is for."""

    LOGIN = "KsefTokenEncryption"  # encrypts a KSeF token in a login
    SESSION = "SymmetricKeyEncryption"  # encrypts the key of a session or an export


class Permission(StrEnum):
    """Permissions (uprawnienia) that a KSeF token can carry; KSeF may know more."""

    INVOICE_READ = "InvoiceRead"  # przeglądanie faktur
    INVOICE_WRITE = "InvoiceWrite"  # wystawianie faktur
    CREDENTIALS_READ = "CredentialsRead"  # przeglądanie uprawnień
    CREDENTIALS_MANAGE = "CredentialsManage"  # zarządzanie uprawnieniami
    SUBUNIT_MANAGE = "SubunitManage"  # zarządzanie podmiotami podrzędnymi
    ENFORCEMENT_OPERATIONS = "EnforcementOperations"  # operacje egzekucyjne
    INTROSPECTION = "Introspection"  # przeglądanie historii sesji
    COLLECTIVE_IDENTIFIER_MANAGE = "CollectiveIdentifierManage"  # identyfikatory zbiorcze


@dataclass(frozen=True)
class Context:
    """Whom the login is for (kontekst logowania): ``type`` is Nip, InternalId, NipVatUe or PeppolId."""

    value: str
    type: str = "Nip"


@dataclass(frozen=True)
class AllowedIps:
    """The addresses from which alone an access token may be used (IPv4): ``a.b.c.d``, ``a.b.c.d-a.b.c.d``, ``a.b.c.d/n``.

    At most ten of each.
    """

    addresses: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()

    def __post_init__(self):
        try:
            for part in (self.addresses, self.ranges, self.masks):
                if len(part) > 10:
                    raise ValueError
            for address in [*self.addresses, *(end for pair in self.ranges for end in _split_range(pair))]:
                IPv4Address(address)
            for mask in self.masks:
                address, bits = mask.split("/")
                IPv4Network((address, int(bits)), strict=False)
        except ValueError:
            raise KsefConfigError("At most ten IPv4 addresses, ranges and masks each can be allowed.") from None


def _split_range(text):
    """Return both ends of ``a.b.c.d-a.b.c.d``; raise ValueError when there are not two."""
    start, end = text.split("-")
    return start, end


@dataclass(frozen=True)
class FormCode:
    """Which document structure a session takes (kod formularza). The space in ``system_code`` is significant."""

    system_code: str
    schema_version: str
    value: str


FA3 = FormCode("FA (3)", "1-0E", "FA")


@dataclass(frozen=True)
class Token:
    """A JWT, opaque; only ``valid_until`` says how long it serves."""

    value: Secret
    valid_until: datetime


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


@dataclass(frozen=True)
class AuthOperation:
    """A login that was started; ``token`` serves only to ask for its status and to fetch the tokens once."""

    reference_number: str
    token: Token


@dataclass(frozen=True)
class StatusInfo:
    """A status as KSeF gives it. ``extensions`` holds further named texts, e.g. the original of a duplicate."""

    code: int
    description: str = ""
    details: tuple[str, ...] = ()
    extensions: dict[str, str] = field(default_factory=dict)

    @property
    def original_ksef_number(self):
        """KSeF number of the invoice that this one duplicates, or None."""
        return self.extensions.get("originalKsefNumber") or None

    @property
    def original_session_reference(self):
        """Reference number of the session in which the duplicated invoice was sent, or None."""
        return self.extensions.get("originalSessionReferenceNumber") or None


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


@dataclass(frozen=True)
class PersonalPermission:
    """One permission of the one who is logged in: ``scope`` such as InvoiceWrite, ``state`` Active or Inactive."""

    scope: str
    state: str
    context: Context | None = None
    can_delegate: bool = False
    description: str = ""


@dataclass(frozen=True)
class PersonalPermissions:
    """All permissions of the one who is logged in: those granted, and those an owner has anyway."""

    grants: tuple[PersonalPermission, ...] = ()
    owner: tuple[str, ...] = ()

    @property
    def active_scopes(self):
        """Names of all permissions in force, as a frozenset."""
        return frozenset(self.owner) | {grant.scope for grant in self.grants if grant.state == "Active"}


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
