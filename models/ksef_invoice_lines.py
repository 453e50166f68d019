"""Lines, remarks and sums of an invoice, from its posted journal entry."""

import uuid
from collections import defaultdict
from decimal import ROUND_HALF_UP, Context, Decimal

from odoo import models

from ..ksef.fa3.codes import GoodsCode, TaxRate
from ..ksef.fa3.lexical import PRICE, QUANTITY, TEXT_256, TEXT_512
from ..ksef.fa3.model import GroupTotal, Line, Remark
from ..ksef.fa3.text import collapse, shorten, split

CENT = Decimal('0.01')
# Polish, because an invoice in KSeF is: words of the document, not of the user interface.
REMARK_KEYS = {'line_section': 'Sekcja', 'line_subsection': 'Podsekcja', 'line_note': 'Uwaga'}
FULL_NAME_KEY = 'Pełna nazwa'
# People write prices and quantities of up to 12 digits; of the results of calculations, one in 10,000 has so few.
WRITTEN_DIGITS = 12
# Wide enough for any quantity times any price that Odoo stores; what is too large for FA(3) is found later.
_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)


def amount(value: float) -> Decimal:
    """Return a monetary value of Odoo in PLN, to the grosz (which is how it is stored)."""
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


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_lines(self, context, entry) -> list[Line]:
        """Return the lines of the products, in their order."""
        return [self._ksef_line(context, number, item) for number, item in enumerate(entry.products, 1)]

    def _ksef_line(self, context, number: int, item) -> Line:
        quantity = decimal_number(item.quantity, QUANTITY.places)
        unit_price = decimal_number(item.price_unit, PRICE.places)
        net = amount(item.price_subtotal)
        goods_code = item.product_id.l10n_pl_vat_gtu
        return Line(
            number=number,
            uid=str(uuid.uuid5(context.namespace, f'account.move.line/{item.id}')),
            name=shorten(collapse(item.name or item.product_id.display_name), TEXT_512.maximum) or None,
            unit=collapse(context.unit_name(item.product_uom_id)) or None,
            quantity=quantity,
            unit_price=unit_price,
            discount=self._ksef_discount(item.discount, _WIDE.multiply(quantity, unit_price), net),
            net=net,
            rate=context.rate(item.tax_ids)[0],
            goods_code=GoodsCode(goods_code) if goods_code else None,
        )

    def _ksef_discount(self, percent: float, full_value: Decimal, net: Decimal) -> Decimal | None:
        """Return what the discount takes off the line, in PLN (P_10): full value, to the grosz, less net value."""
        discount = full_value.quantize(CENT, context=_WIDE) - net if percent else Decimal(0)
        return discount or None

    def _ksef_remarks(self, entry) -> tuple[list[Remark], list]:
        """Return sections, notes and names that are too long for their line, and the journal item of each.

        A section belongs to the product that follows it, a note to the one before it. Texts that are longer than one
        remark go into several, in their order.
        """
        remarks, items = [], []
        number, count = 0, len(entry.products)
        for item in entry.shown:
            is_product = item.display_type == 'product'
            number += is_product
            text = collapse(item.name)
            if not text or (is_product and len(text) <= TEXT_512.maximum):
                continue
            key = FULL_NAME_KEY if is_product else REMARK_KEYS[item.display_type]
            about = number if is_product or item.display_type == 'line_note' else number + 1
            about = about if 0 < about <= count else None
            parts = [Remark(key=key, value=value, line_number=about) for value in split(text, TEXT_256.maximum)]
            remarks += parts
            items += [item] * len(parts)
        return remarks, items

    def _ksef_group_totals(self, context, entry) -> list[GroupTotal]:
        """Return the sums per group of rates, from the base and tax items of the journal entry (P_13_x, P_14_x)."""
        net, tax = defaultdict(Decimal), defaultdict(Decimal)
        for item in entry.products:
            net[self._ksef_group(context, item.tax_ids)] -= amount(item.balance)
        for item in entry.taxes:
            tax[self._ksef_group(context, item.tax_line_id)] -= amount(item.balance)
        totals = []
        for group in net.keys() | tax.keys():
            has_tax = group and group.tax_element is not None
            # A tax item where none belongs stays visible to the checks.
            tax_amount = tax[group] if has_tax or tax.get(group) else None
            totals.append(GroupTotal(group=group, net=net[group] + 0, tax=tax_amount))
        return totals

    def _ksef_group(self, context, tax):
        rate: TaxRate | None = context.rate(tax)[0]
        return rate.group if rate else None
