"""An FA(3) invoice as immutable data, in English.

Every class mirrors one group of elements of the schema (version 1-0E); ``structure.py`` says which attribute is
which element, and is the only place with that knowledge: writer, checks and later the reader follow it. An
attribute that exists here is always written; what the product does not support has no attribute.

Conventions: money, quantities and rates are :class:`decimal.Decimal`; dates are :class:`datetime.date`;
moments are aware :class:`datetime.datetime`; ``None`` means that the element is absent; groups that repeat are
tuples. Texts are stored as they are written: trimmed, runs of white space collapsed, never empty.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .codes import GoodsCode, InvoiceKind, PaymentForm, Procedure, TaxGroup, TaxpayerStatus, TaxRate


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
    """``BrakID``: the buyer has no tax number, or it is not on the invoice (private persons)."""


BuyerIdentifier = PolishTaxId | EuVatId | OtherTaxId | NoTaxId


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """``Podmiot2``: the buyer.

    ``local_government_unit`` (JST) and ``vat_group_member`` (GV) say that the invoice concerns a subordinate
    unit of local government, or a member of a VAT group.
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
class GroupTotal:
    """``P_13_x``, ``P_14_x``, ``P_14_xW``: sums of one group of rates, in the invoice's currency (and tax in PLN)."""

    group: TaxGroup
    net: Decimal
    tax: Decimal | None = None
    tax_in_pln: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """``OkresFa``: the period which the invoice is for (both days included)."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """``Adnotacje``: statements that the law demands.

    Exemption, new means of transport and margin have no attribute yet: their "no" elements are written.
    """

    cash_method: bool = False  # P_16, metoda kasowa
    self_billing: bool = False  # P_17, samofakturowanie
    reverse_charge: bool = False  # P_18, odwrotne obciążenie
    split_payment: bool = False  # P_18A, mechanizm podzielonej płatności
    triangular_second_taxpayer: bool = False  # P_23, procedura uproszczona


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """``DodatkowyOpis``: a key and a value (1-256 characters each), of one line or of the whole invoice."""

    key: str
    value: str
    line_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``FaWiersz``: one line.

    ``discount`` is the amount taken off the whole line (not per unit): quantity * unit_price - discount = net.
    """

    number: int
    uid: str | None = None
    supply_date: date | None = None
    name: str | None = None
    index: str | None = None
    gtin: str | None = None
    pkwiu: str | None = None
    cn: str | None = None
    pkob: str | None = None
    unit: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    gross_unit_price: Decimal | None = None
    discount: Decimal | None = None
    net: Decimal | None = None
    gross: Decimal | None = None
    tax: Decimal | None = None
    rate: TaxRate | None = None
    one_stop_shop_rate: Decimal | None = None
    annex_15: bool = False
    excise: Decimal | None = None
    goods_code: GoodsCode | None = None
    procedure: Procedure | None = None
    exchange_rate: Decimal | None = None
    before_correction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """``RachunekBankowy``: an account without spaces (10-34 characters), SWIFT code, bank's name, description."""

    number: str
    swift: str | None = None
    bank_name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerm:
    """``TerminPlatnosci``: a day on which (a part of) the amount is due, 2016-07-01 or later."""

    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """``Platnosc``: terms, form of payment, accounts to pay to."""

    terms: tuple[PaymentTerm, ...] = ()
    form: PaymentForm | None = None
    accounts: tuple[BankAccount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """``Faktura``: one invoice.

    ``created_at`` is the moment at which the XML is made (``DataWytworzeniaFa``), so that writing the same
    invoice again gives the same bytes. ``total`` (``P_15``) is the amount due, tax included.
    """

    created_at: datetime
    seller: Seller
    buyer: Buyer
    number: str
    issue_date: date
    total: Decimal
    kind: InvoiceKind = InvoiceKind.VAT
    currency: str = 'PLN'
    system: str | None = None
    issue_place: str | None = None
    warehouse_documents: tuple[str, ...] = ()
    supply_date: date | None = None
    period: Period | None = None
    group_totals: tuple[GroupTotal, ...] = ()
    annotations: Annotations = Annotations()
    receipt_invoice: bool = False  # FP, art. 109 ust. 3d
    related_parties: bool = False  # TP, powiązania między nabywcą a dostawcą
    remarks: tuple[Remark, ...] = ()
    lines: tuple[Line, ...] = ()
    payment: Payment | None = None
