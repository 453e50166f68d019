"""What the client returns about permissions (uprawnienia): one's own, and those of others in the context."""

from dataclasses import dataclass, field
from datetime import date, datetime

from .types_base import Context, Identifier


@dataclass(frozen=True)
class PersonalPermission:
    """One permission of the one who is logged in: ``scope`` such as InvoiceWrite, ``state`` Active or Inactive.

    :ivar id: what it is revoked by, the same as in the list of all permissions
    """

    scope: str
    state: str
    context: Context | None = None
    can_delegate: bool = False
    description: str = ""
    id: str = ""
    started_at: datetime | None = None


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
class PersonGrant:
    """A permission that a person or an entity has in this context.

    :ivar id: what it is revoked by
    :ivar authorized: who has it; ``author`` who gave it
    :ivar name: name of the person or entity, where KSeF knows it
    :ivar target: whom it is for, when it was passed on by an entity (indirect permission)
    :ivar is_entity: whether KSeF describes who has it as an entity, not a person
    """

    id: str
    scope: str
    state: str
    authorized: Identifier | None = None
    author: Identifier | None = None
    name: str = field(default="", repr=False)
    description: str = ""
    started_at: datetime | None = None
    can_delegate: bool = False
    context: Context | None = None
    target: Identifier | None = None
    is_entity: bool = False


@dataclass(frozen=True)
class FingerprintOwner:
    """Who holds a certificate without NIP and PESEL: named by ``identifier`` (Nip or Pesel), else by birth and document.

    :ivar document: (kind, number, country as ISO 3166-1 alpha-2) of an identity document
    """

    identifier: Identifier | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    document: tuple[str, str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class EntityGrant:
    """A permission that another taxpayer (``context``) gave to the one who is logged in."""

    id: str
    scope: str
    context: Context | None = None
    description: str = ""
    started_at: datetime | None = None
    can_delegate: bool = False


@dataclass(frozen=True)
class AuthorizationGrant:
    """An authorisation between entities: ``scope`` SelfInvoicing, RRInvoicing, TaxRepresentative or PefInvoicing."""

    id: str
    scope: str
    authorizing: Identifier | None = None
    authorized: Identifier | None = None
    author: Identifier | None = None
    name: str = ""
    description: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True)
class EntityRole:
    """A role of the taxpayer, such as LocalGovernmentUnit (JST) or VatGroupUnit; ``parent`` of a subordinate one."""

    role: str
    parent: Identifier | None = None
    description: str = ""
    started_at: datetime | None = None
