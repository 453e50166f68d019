"""What several of the types consist of: secrets, identifiers, contexts, statuses."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from .errors import KsefConfigError


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
class Identifier:
    """Who or what somebody is to KSeF: ``type`` such as Nip, Pesel, Fingerprint, InternalId, AllPartners, System.

    ``value`` is None for those that need none. Show :attr:`masked`: a PESEL is nobody else's business.
    """

    type: str
    value: str | None = field(default=None, repr=False)

    @property
    def masked(self):
        """The value fit for a screen."""
        if self.type == "Pesel" and self.value:
            return f"*******{self.value[-4:]}"
        return self.value or ""


@dataclass(frozen=True)
class Token:
    """A JWT, opaque; only ``valid_until`` says how long it serves."""

    value: Secret
    valid_until: datetime


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
