"""Lines, remarks and sums of an invoice, from its posted journal entry."""

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from odoo import models

from ..ksef.fa3.codes import GoodsCode, Procedure, TaxGroup
from ..ksef.fa3.lexical import PRICE, QUANTITY, TEXT_256, TEXT_512
from ..ksef.fa3.model import GroupTotal, Line, Remark
from ..ksef.fa3.text import collapse, find_forbidden, shorten, split
from .ksef_invoice_tax import TaxKind
from .ksef_render_memo import once

CENT = Decimal('0.01')
# Polish, because an invoice in KSeF is: words of the document, not of the user interface.
REMARK_KEYS = {'line_section': 'Sekcja', 'line_subsection': 'Podsekcja', 'line_note': 'Uwaga'}
FULL_NAME_KEY = 'Pełna nazwa'
# People write prices and quantities of up to 12 digits; of the results of calculations, one in 10,000 has so few.
WRITTEN_DIGITS = 12
# Wide enough for any quantity times any price that Odoo stores; what is too large for FA(3) is found later.
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)
# Groups of goods (GTU) that are defined by annex 15 to the VAT act: waste, electronics, metals.
ANNEX_15_GOODS = {'GTU_05', 'GTU_06', 'GTU_08'}
TAXED_GROUPS = {TaxGroup.STANDARD, TaxGroup.REDUCED_FIRST, TaxGroup.REDUCED_SECOND}
VOUCHERS = {
    'l10n_pl_vat_b_spv': Procedure.VOUCHER_SINGLE,
    'l10n_pl_vat_b_spv_dostawa': Procedure.VOUCHER_SINGLE_DELIVERY,
    'l10n_pl_vat_b_mpv_prowizja': Procedure.VOUCHER_MULTI_COMMISSION,
}


def amount(value: float) -> Decimal:
    """Return a monetary value of Odoo, to the grosz or cent (which is how it is stored)."""
    return Decimal(f'{value:.2f}') + 0  # no negative zero


def decimal_number(value: float, places: int) -> Decimal:
    """Return a price or quantity of Odoo as a decimal number.

    A float of at most 12 digits is the number that somebody wrote: it is returned exactly, even when it has more
    than ``places`` digits after the point (then it can't be expressed, and the checks say so). One with more digits
    is the result of a calculation (a gross price divided by 1.23) and was never a decimal: it is rounded to
    ``places``, and the value of the line must come out all the same.
    """
    written = f'{value:.{WRITTEN_DIGITS}g}'
    if float(written) == value:
        return Decimal(written) + 0
    return Decimal(value).quantize(Decimal(1).scaleb(-places), context=_WIDE)


def full_value(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """Return quantity times price, to the grosz."""
    return _WIDE.multiply(quantity, unit_price).quantize(CENT, context=_WIDE)


def _fitting_code(text: str | None, limit: int = 50) -> str | None:
    """Return a code of a product, if FA(3) can hold it: codes of one's own are a courtesy and stay out otherwise."""
    code = collapse(text)
    return code if 0 < len(code) <= limit and not find_forbidden(code) else None


@dataclass(frozen=True, slots=True)
class LineState:
    """A line at one moment: as it was invoiced, or before and after a correction.

    ``item`` is the journal item that it is named after; ``quantity`` and ``unit_price`` are signed; ``net`` and
    ``gross`` its values in the invoice's currency; ``percent`` the discount that Odoo shows. ``unit_price`` is gross
    when ``is_gross``.
    """

    item: Any
    quantity: Decimal
    unit_price: Decimal
    percent: float
    net: Decimal
    gross: Decimal
    is_gross: bool
    has_discount: bool

    @property
    def discount(self) -> Decimal | None:
        """Return what is taken off the full value of the line (P_10), if anything."""
        value = self.gross if self.is_gross else self.net
        return (full_value(self.quantity, self.unit_price) - value or None) if self.has_discount else None


def state_of(context, item) -> LineState:
    """Return a line as it is booked."""
    if item.id not in context.states:
        context.states[item.id] = _booked_state(context, item)
    return context.states[item.id]


def _booked_state(context, item) -> LineState:
    kind, booked = context.line_kind(item), context.booked(item)
    state = LineState(
        item=item,
        quantity=decimal_number(booked.quantity, QUANTITY.places),
        unit_price=decimal_number(booked.price_unit, PRICE.places),
        percent=booked.discount,
        net=amount(booked.net),
        gross=amount(booked.gross),
        is_gross=bool(booked.price_include or (kind and kind.margin)),
        has_discount=bool(booked.discount),
    )
    # Odoo makes a gross value of net value and tax, each rounded; what the buyer sees is quantity times price.
    return rounded(state) if state.is_gross else state


def rounded(state: LineState) -> LineState:
    """Return a line with the value that follows from quantity and price, where it lies within rounding.

    A value that was counted from others (net and tax, invoice and credit note) may be a grosz beside it.
    """
    part = 1 - Decimal(f'{state.percent:.6f}') / 100
    value = full_value(state.quantity, state.unit_price * part)
    if abs(value - (state.gross if state.is_gross else state.net)) > CENT:
        return state
    return replace(state, gross=value) if state.is_gross else replace(state, net=value)


class ProductProduct(models.Model):
    _inherit = 'product.product'

    @once
    def _ksef_codes(self) -> dict:
        """Return the codes of a product that a line states."""
        goods_code = self.l10n_pl_vat_gtu
        return {
            'index': _fitting_code(self.default_code),
            'gtin': _fitting_code(self.barcode, 20),
            'pkwiu': _fitting_code(self.ksef_pkwiu),
            'cn': _fitting_code(self.ksef_cn),
            'pkob': _fitting_code(self.ksef_pkob),
            'goods_code': GoodsCode(goods_code) if goods_code else None,
        }

    @once
    def _ksef_is_annex_15(self) -> bool:
        """Tell whether annex 15 (split payment) names the product, by its own mark or its group (GTU)."""
        return bool(self.ksef_annex_15 or self.l10n_pl_vat_gtu in ANNEX_15_GOODS)


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    def _ksef_is_annex_15(self) -> bool:
        """Tell whether annex 15 (split payment) names what is sold, by the line's own group (GTU) or by its product."""
        own = self.ksef_goods_code
        return self.product_id.ksef_annex_15 or own in ANNEX_15_GOODS if own else self.product_id._ksef_is_annex_15()


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_rows(self, context, entry) -> list[tuple[Any, Line]]:
        """Return the lines of the invoice in their order, each with the journal item that it came from."""
        return [
            (item, self._ksef_line(context, number, state_of(context, item)))
            for number, item in enumerate(entry.lines, 1)
        ]

    def _ksef_line(self, context, number: int, state: LineState, uid: str | None = None, before=False) -> Line:
        """Return one line in one state.

        :param uid: identifier, when it isn't the one of the journal item; :param before: the state before a correction.
        """
        item = state.item
        kind = context.line_kind(item)
        tax_free = not kind or kind.margin
        return Line(
            number=number,
            uid=uid or context.uid(item),
            name=shorten(collapse(item.name or item.product_id.display_name), TEXT_512.maximum) or None,
            unit=collapse(context.unit_name(item.product_uom_id)) or None,
            quantity=state.quantity,
            unit_price=None if state.is_gross else state.unit_price,
            gross_unit_price=state.unit_price if state.is_gross else None,
            discount=state.discount,
            net=None if state.is_gross else state.net,
            gross=state.gross if state.is_gross else None,
            tax=state.gross - state.net if state.is_gross and not tax_free else None,
            rate=kind.rate if kind else None,
            one_stop_shop_rate=kind.percent if kind and kind.is_oss else None,
            # Only tax is converted on the invoice: lines without it have no rate, as in the Ministry's own examples.
            exchange_rate=self._ksef_exchange_rate() if kind and kind.group.tax_in_pln_element else None,
            before_correction=before,
            **self._ksef_line_marks(item, kind),
        )

    def _ksef_line_marks(self, item, kind: TaxKind | None) -> dict:
        """Return codes and procedure of a line."""
        product, own = item.product_id, item.ksef_procedure
        codes = product._ksef_codes()
        if goods_code := item.ksef_goods_code:
            codes = {**codes, 'goods_code': GoodsCode(goods_code)}
        return {
            **codes,
            'annex_15': bool(kind and kind.group in TAXED_GROUPS and item._ksef_is_annex_15()),
            'supply_date': item.ksef_supply_date or None,
            'procedure': Procedure(own) if own else (kind and kind.procedure) or self._ksef_voucher(),
        }

    @once
    def _ksef_voucher(self) -> Procedure | None:
        """Return the procedure of vouchers that the invoice is marked with."""
        return next((procedure for field, procedure in VOUCHERS.items() if self[field]), None)

    def _ksef_remarks(self, entry, numbers: dict) -> tuple[list[Remark], list]:
        """Return sections, notes and names that are too long for their line, and the journal item of each.

        A section belongs to the product that follows it, a note to the one before it. Texts that are longer than one
        remark go into several, in their order.

        :param numbers: the number of each product line; one that isn't stated has none
        """
        remarks, items = [], []
        following = self._ksef_following_numbers(entry, numbers)
        number = None
        for item in entry.shown:
            is_product = item.display_type == 'product'
            number = numbers.get(item) if is_product else number
            text = collapse(item.name)
            if not text or (is_product and len(text) <= TEXT_512.maximum):
                continue
            key = FULL_NAME_KEY if is_product else REMARK_KEYS[item.display_type]
            about = number if is_product or item.display_type == 'line_note' else following[item]
            parts = [Remark(key=key, value=value, line_number=about) for value in split(text, TEXT_256.maximum)]
            remarks += parts
            items += [item] * len(parts)
        return remarks, items

    def _ksef_following_numbers(self, entry, numbers: dict) -> dict:
        """Return, for every shown item, the number of the product line that comes next after it."""
        following, number = {}, None
        for item in reversed(entry.shown):
            following[item] = number
            if item.display_type == 'product':
                number = numbers.get(item)
        return following

    def _ksef_group_totals(self, context, entry) -> list[GroupTotal]:
        """Return the sums per group of rates, from the base and tax items of the journal entry (P_13_x, P_14_x)."""
        net, tax, tax_in_pln, side = defaultdict(Decimal), defaultdict(Decimal), defaultdict(Decimal), self._ksef_side()
        foreign = self.currency_id.name != 'PLN'
        booked = 'amount_currency' if foreign else 'balance'
        for item in entry.products:
            kind, value = context.line_kind(item), item.amount_currency if foreign else context.booked(item).balance
            net[kind.group if kind else None] += side * amount(value)
        for item in entry.taxes:
            group = self._ksef_group(context, item.tax_line_id)
            tax[group] += side * amount(item[booked])
            tax_in_pln[group] += side * amount(item.balance)
        totals = []
        for group in net.keys() | tax.keys():
            has_tax = group and group.tax_element is not None
            # A tax item where none belongs stays visible to the checks.
            tax_amount = tax[group] if has_tax or tax.get(group) else None
            has_pln = foreign and group and group.tax_in_pln_element is not None
            totals.append(GroupTotal(
                group=group, net=net[group] + 0, tax=tax_amount, tax_in_pln=tax_in_pln[group] + 0 if has_pln else None))
        return totals

    def _ksef_side(self) -> int:
        """Return the sign that turns the balance of a line into its amount: what is sold stands on the credit side."""
        return -1

    def _ksef_group(self, context, tax):
        kind = context.kind(tax)[0]
        return kind.group if kind else None

    @once
    def _ksef_exchange_rate(self) -> Decimal | None:
        """Return the PLN that one unit of the invoice's currency is worth (KursWaluty), ``None`` on invoices in PLN."""
        if self.currency_id.name == 'PLN' or not self.invoice_currency_rate:
            return None
        return (1 / Decimal(self.invoice_currency_rate)).quantize(Decimal('1e-6'), context=_WIDE).normalize() + 0
