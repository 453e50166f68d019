"""Who appears on an FA(3) invoice: seller, buyer, third parties, and those whose data a correction replaces.

Conventions: see :mod:`.model`.
"""

from dataclasses import dataclass
from decimal import Decimal

from .codes import AuthorizedRole, TaxpayerStatus, ThirdPartyRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """``TAdres``: a postal address; ``country`` is a code of the Ministry's list (Greece is GR here)."""

    country: str
    line_1: str
    line_2: str | None = None
    location_number: str | None = None  # GLN


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """``DaneKontaktowe``: e-mail (3-255 characters) and telephone (at most 16 characters)."""

    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """``Podmiot1``: the taxpayer who sells.

    ``eu_prefix`` is ``'PL'`` on intra-EU supplies and services of art. 100 (VAT act, art. 97 sec. 10).
    """

    nip: str
    name: str
    address: Address
    eu_prefix: str | None = None
    eori: str | None = None
    correspondence_address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    status: TaxpayerStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolishTaxId:
    """``NIP``: identifies everyone who has one; KSeF delivers the invoice by it."""

    nip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalId:
    """``IDWew``: a NIP, a hyphen and five digits: a unit inside a taxpayer (third parties only)."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EuVatId:
    """``KodUE`` and ``NrVatUE``: EU VAT number; ``prefix`` is EL for Greece and XI for Northern Ireland."""

    prefix: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTaxId:
    """``KodKraju`` and ``NrID``: a tax number of another country, at most 50 characters."""

    country: str | None
    number: str


@dataclass(frozen=True, slots=True)
class NoTaxId:
    """``BrakID``: the party has no tax number, or it is not on the invoice (private persons)."""


BuyerIdentifier = PolishTaxId | EuVatId | OtherTaxId | NoTaxId
ThirdPartyIdentifier = PolishTaxId | InternalId | EuVatId | OtherTaxId | NoTaxId


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """``Podmiot2``: the buyer.

    ``local_government_unit`` (JST) and ``vat_group_member`` (GV) say that the invoice concerns a subordinate
    unit of local government, or a member of a VAT group; ``key`` (IDNabywcy) links to the old data on a correction.
    """

    identifier: BuyerIdentifier
    name: str | None = None
    address: Address | None = None
    eori: str | None = None
    correspondence_address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    customer_number: str | None = None
    key: str | None = None
    local_government_unit: bool = False
    vat_group_member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParty:
    """``Podmiot3``: another party of the invoice, with a role of the list or a role in words (exactly one of both).

    ``share`` (Udzial) is the percentage of an additional buyer.
    """

    identifier: ThirdPartyIdentifier
    name: str | None = None
    role: ThirdPartyRole | None = None
    role_description: str | None = None
    address: Address | None = None
    correspondence_address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    eori: str | None = None
    key: str | None = None
    share: Decimal | None = None
    customer_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedParty:
    """``PodmiotUpowazniony``: an enforcement authority, bailiff or tax representative."""

    nip: str
    name: str
    address: Address
    role: AuthorizedRole
    eori: str | None = None
    correspondence_address: Address | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedSeller:
    """``Podmiot1K``: the seller as the corrected invoice names them (a wrong NIP can't be corrected this way)."""

    nip: str
    name: str
    address: Address
    eu_prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedBuyer:
    """``Podmiot2K``: the buyer, or an additional buyer, as the corrected invoice names them."""

    identifier: BuyerIdentifier
    name: str | None = None
    address: Address | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """``Przewoznik``: who carries the goods."""

    identifier: BuyerIdentifier
    address: Address
    name: str | None = None
