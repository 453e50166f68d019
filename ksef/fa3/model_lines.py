"""Lines of an FA(3) invoice and of an order, and the sums of their rates.

Conventions: see :mod:`.model`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .codes import GoodsCode, Procedure, TaxGroup, TaxRate


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTotal:
    """``P_13_x``, ``P_14_x``, ``P_14_xW``: sums of one group of rates, in the invoice's currency (and tax in PLN)."""

    group: TaxGroup
    net: Decimal
    tax: Decimal | None = None
    tax_in_pln: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """``DodatkowyOpis``: a key and a value (1-256 characters each), of one line or of the whole invoice."""

    key: str
    value: str
    line_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``FaWiersz``: one line.

    ``discount`` is the amount taken off the whole line (not per unit): quantity * unit_price - discount = net; with a
    price that includes tax quantity * gross_unit_price - discount = gross. ``before_correction`` marks what a
    corrected line was; what it has become is another line with the same number and ``uid``.
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
class OrderLine:
    """``ZamowienieWiersz``: one line of the order that an advance is paid for.

    The value of the line is ``net`` + ``tax``; ``procedure`` can't be one of the two customs procedures.
    """

    number: int
    uid: str | None = None
    name: str | None = None
    index: str | None = None
    gtin: str | None = None
    pkwiu: str | None = None
    cn: str | None = None
    pkob: str | None = None
    unit: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    net: Decimal | None = None
    tax: Decimal | None = None
    rate: TaxRate | None = None
    one_stop_shop_rate: Decimal | None = None
    annex_15: bool = False
    goods_code: GoodsCode | None = None
    procedure: Procedure | None = None
    excise: Decimal | None = None
    before_correction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """``Zamowienie``: the order or contract of an advance invoice; ``total`` includes the tax."""

    total: Decimal
    lines: tuple[OrderLine, ...]
