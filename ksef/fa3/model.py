"""An FA(3) invoice as immutable data, in English: the whole schema, version 1-0E.

Every class mirrors one group of elements; ``structure.py`` says which attribute is which element, and is the only
place with that knowledge: writer, reader and checks follow it. The classes live in ``model_*.py`` by subject; import
them from here.

Conventions: money, quantities and rates are :class:`decimal.Decimal`; dates are :class:`datetime.date`;
moments are aware :class:`datetime.datetime`; ``None`` means that the element is absent; groups that repeat are
tuples. Texts are stored as they are written: trimmed, runs of white space collapsed, never empty.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from .codes import CorrectionEffect, InvoiceKind
from .model_annotations import Aircraft, Annotations, Exemption, LandVehicle, NewTransport, NewVehicle, Vessel
from .model_lines import GroupTotal, Line, Order, OrderLine, Remark
from .model_party import (
    Address,
    AuthorizedParty,
    Buyer,
    BuyerIdentifier,
    Carrier,
    Contact,
    CorrectedBuyer,
    CorrectedSeller,
    EuVatId,
    InternalId,
    NoTaxId,
    OtherTaxId,
    PolishTaxId,
    Seller,
    ThirdParty,
    ThirdPartyIdentifier,
)
from .model_payment import (
    BankAccount,
    EarlyDiscount,
    Instalment,
    Instalments,
    Payment,
    PaymentTerm,
    Settlement,
    SettlementItem,
    TermDescription,
)
from .model_transaction import (
    AgreedRate,
    Attachment,
    AttachmentBlock,
    Column,
    Footer,
    FooterNote,
    KeyValue,
    Reference,
    Register,
    Row,
    Table,
    Transaction,
    Transport,
)

__all__ = [
    'Address', 'AdvanceInvoice', 'AgreedRate', 'Aircraft', 'Annotations', 'Attachment', 'AttachmentBlock',
    'AuthorizedParty', 'BankAccount', 'Buyer', 'BuyerIdentifier', 'Carrier', 'Column', 'Contact', 'CorrectedBuyer',
    'CorrectedInvoice', 'CorrectedSeller', 'Correction', 'EarlyDiscount', 'EuVatId', 'Exemption', 'Footer', 'FooterNote',
    'GroupTotal', 'Instalment', 'Instalments', 'InternalId', 'Invoice', 'KeyValue', 'LandVehicle', 'Line', 'NewTransport',
    'NewVehicle', 'NoTaxId', 'Order', 'OrderLine', 'OtherTaxId', 'PartialAdvance', 'Payment', 'PaymentTerm', 'Period',
    'PolishTaxId', 'PreviousAmount', 'Reference', 'Register', 'Remark', 'Row', 'Seller', 'Settlement', 'SettlementItem',
    'Table', 'TermDescription', 'ThirdParty', 'ThirdPartyIdentifier', 'Transaction', 'Transport', 'Vessel',
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """``OkresFa``: the period which the invoice is for (both days included)."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedInvoice:
    """``DaneFaKorygowanej``: a corrected invoice; without ``ksef_number`` it is marked as issued outside KSeF."""

    issue_date: date
    number: str
    ksef_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousAmount:
    """``P_15ZK``, ``KursWalutyZK``: of a corrected advance what was paid, of a settlement what remained to pay."""

    amount: Decimal
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a correcting invoice corrects, and why.

    * ``effect`` (TypKorekty): the period in which the correction counts;
    * ``period`` (OkresFaKorygowanej): of a collective discount without lines (art. 106j sec. 3), in words;
    * ``right_number`` (NrFaKorygowany): when the corrected invoice's number was wrong;
    * ``seller``, ``buyers``: the old data of parties (the new data stand in their usual places);
    * ``previous``: needed when an advance or a settlement is corrected.
    """

    invoices: tuple[CorrectedInvoice, ...]
    reason: str | None = None
    effect: CorrectionEffect | None = None
    period: str | None = None
    right_number: str | None = None
    seller: CorrectedSeller | None = None
    buyers: tuple[CorrectedBuyer, ...] = ()
    previous: PreviousAmount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialAdvance:
    """``ZaliczkaCzesciowa``: one of several payments that an advance invoice documents."""

    received_on: date
    amount: Decimal
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceInvoice:
    """``FakturaZaliczkowa``: an advance that is settled: its KSeF number, or its number when it is outside KSeF."""

    ksef_number: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """``Faktura``: one invoice.

    ``created_at`` is the moment at which the XML is made (``DataWytworzeniaFa``), so that writing the same
    invoice again gives the same bytes. ``total`` (``P_15``) is the amount due, tax included; of an advance what was
    received, of a settlement what remains, of a correction the difference. ``exchange_rate`` (KursWalutyZ) is the
    rate of an advance; other invoices have theirs on the lines. At most one of ``supply_date`` and ``period``.
    ``schema_location`` is a hint of other programs' files, kept so that they can be written as they were.
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
    third_parties: tuple[ThirdParty, ...] = ()
    authorized_party: AuthorizedParty | None = None
    issue_place: str | None = None
    warehouse_documents: tuple[str, ...] = ()
    supply_date: date | None = None
    period: Period | None = None
    group_totals: tuple[GroupTotal, ...] = ()
    exchange_rate: Decimal | None = None
    annotations: Annotations = field(default_factory=Annotations)
    correction: Correction | None = None
    partial_advances: tuple[PartialAdvance, ...] = ()
    receipt_invoice: bool = False  # FP, art. 109 ust. 3d
    related_parties: bool = False  # TP, powiązania między nabywcą a dostawcą
    remarks: tuple[Remark, ...] = ()
    advance_invoices: tuple[AdvanceInvoice, ...] = ()
    excise_refund: bool = False  # ZwrotAkcyzy, dla rolników
    lines: tuple[Line, ...] = ()
    settlement: Settlement | None = None
    payment: Payment | None = None
    transaction: Transaction | None = None
    order: Order | None = None
    footer: Footer | None = None
    attachment: Attachment | None = None
    schema_location: str | None = None
