"""The transaction behind an FA(3) invoice, and what follows after it: orders, transport, footer, attachment.

Conventions: see :mod:`.model`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .codes import Cargo, ColumnType, TransportKind
from .model_party import Address, Carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """``Umowy`` or ``Zamowienia``: a contract or a purchase order, by date (1990 or later) and number."""

    day: date | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedRate:
    """``KursUmowny`` and ``WalutaUmowna``: the rate at which amounts were agreed, on invoices in PLN only."""

    rate: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """``Transport``: exactly one of ``kind`` and ``other_kind``, exactly one of ``cargo`` and ``other_cargo``."""

    kind: TransportKind | None = None
    other_kind: str | None = None
    carrier: Carrier | None = None
    order_number: str | None = None
    cargo: Cargo | None = None
    other_cargo: str | None = None
    packaging: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    origin: Address | None = None
    stops: tuple[Address, ...] = ()
    destination: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """``WarunkiTransakcji``: contracts, orders, batches, terms of delivery (Incoterms), transport.

    ``intermediary`` (PodmiotPosredniczacy): supply by the middle one of a chain (art. 22 sec. 2d).
    """

    contracts: tuple[Reference, ...] = ()
    orders: tuple[Reference, ...] = ()
    batches: tuple[str, ...] = ()
    delivery_terms: str | None = None
    agreed_rate: AgreedRate | None = None
    transports: tuple[Transport, ...] = ()
    intermediary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FooterNote:
    """``Informacje``: text of the footer, at most 3,500 characters, line breaks allowed."""

    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """``Rejestry``: numbers in other registers: KRS (10 digits), REGON (9 or 14 digits), BDO (at most 9)."""

    full_name: str | None = None
    krs: str | None = None
    regon: str | None = None
    bdo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """``Stopka``: at most three notes, at most a hundred registers."""

    notes: tuple[FooterNote, ...] = ()
    registers: tuple[Register, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValue:
    """``MetaDane`` or ``TMetaDane``: a key and a value, 1-256 characters each."""

    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``Kol``: type and name (may be empty) of a column of a table."""

    type: ColumnType
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``Wiersz``: 1-20 cells of a table, each at most 256 characters, empty ones allowed."""

    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``Tabela``: a table of at most 20 columns and 1,000 rows; ``sums`` may be empty (no row of sums)."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    description: str | None = None
    metadata: tuple[KeyValue, ...] = ()
    sums: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentBlock:
    """``BlokDanych``: heading, at least one key and value, paragraphs (at most ten of 512 characters), tables."""

    metadata: tuple[KeyValue, ...]
    heading: str | None = None
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """``Zalacznik``: structured data beside the invoice; needs consent, is sent in a batch only."""

    blocks: tuple[AttachmentBlock, ...]
