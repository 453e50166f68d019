"""How an FA(3) invoice is settled and paid.

Conventions: see :mod:`.model`.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .codes import BankOwnAccount, InstalmentsExtent, PaymentForm


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementItem:
    """``Obciazenia`` or ``Odliczenia``: an amount added to, or taken off, the total, and why."""

    amount: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """``Rozliczenie``: what is added to and taken off the total without an effect on the tax.

    ``to_pay`` (DoZaplaty) = total + charges - deductions, or else ``to_settle`` (DoRozliczenia): what was overpaid.
    """

    charges: tuple[SettlementItem, ...] = ()
    charges_total: Decimal | None = None
    deductions: tuple[SettlementItem, ...] = ()
    deductions_total: Decimal | None = None
    to_pay: Decimal | None = None
    to_settle: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """``ZaplataCzesciowa``: a payment made before the invoice was issued; form of the list, or in words."""

    amount: Decimal
    paid_on: date
    form: PaymentForm | None = None
    other_form: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalments:
    """``ZnacznikZaplatyCzesciowej`` and its payments: paid in part, or in whole but in parts."""

    extent: InstalmentsExtent
    payments: tuple[Instalment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermDescription:
    """``TerminOpis``: a term in words: 14, "dni", "otrzymanie faktury"."""

    count: int
    unit: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerm:
    """``TerminPlatnosci``: a day on which (a part of) the amount is due (2016-07-01 or later), or a term in words."""

    due: date | None = None
    description: TermDescription | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """``RachunekBankowy``: an account without spaces (10-34 characters), SWIFT code, bank's name, description."""

    number: str
    swift: str | None = None
    own_account: BankOwnAccount | None = None
    bank_name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyDiscount:
    """``Skonto``: discount for early payment: conditions and size, in words."""

    conditions: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """``Platnosc``: what is paid, terms, form of payment (of the list, or in words), accounts to pay to.

    At most one of ``paid_on`` (paid in whole, at once) and ``instalments``. ``link`` is an address with the
    parameter IPKSeF; ``ksef_payment_id`` (IPKSeF) is three digits and ten characters.
    """

    paid_on: date | None = None
    instalments: Instalments | None = None
    terms: tuple[PaymentTerm, ...] = ()
    form: PaymentForm | None = None
    other_form: str | None = None
    accounts: tuple[BankAccount, ...] = ()
    factor_accounts: tuple[BankAccount, ...] = ()
    early_discount: EarlyDiscount | None = None
    link: str | None = None
    ksef_payment_id: str | None = None
