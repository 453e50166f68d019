"""Lines of an invoice before and after corrections.

Odoo books a credit note as an invoice of its own: a line of it says what is taken back. FA(3) wants to know how the
corrected line stood before and how it stands now. So every credit or debit line that points at a line leads from one
state of it to the next.
"""

from dataclasses import replace
from decimal import Decimal

from .ksef_invoice_lines import LineState, full_value, rounded


def as_difference(state: LineState, sign: int) -> LineState:
    """Return a line by itself, as what it takes off (``sign`` -1) or adds."""
    return replace(state, quantity=sign * state.quantity, net=sign * state.net, gross=sign * state.gross)


def corrected(before: LineState, change: LineState, sign: int) -> tuple[LineState, LineState | None]:
    """Return a line after a credit (``sign`` -1) or debit (+1), and a line that splits off it, if one does.

    Same price: another quantity. Same quantity: another price, or another discount of the same price. A part of the
    quantity at another price becomes a line of its own, because one line has one price.
    """
    values = {'net': before.net + sign * change.net, 'gross': before.gross + sign * change.gross}
    same_discount = change.percent == before.percent
    if change.unit_price == before.unit_price and same_discount:
        return rounded(replace(before, quantity=before.quantity + sign * change.quantity, **values)), None
    if change.quantity == before.quantity and same_discount:
        return rounded(replace(before, unit_price=before.unit_price + sign * change.unit_price, **values)), None
    if change.quantity == before.quantity:
        return replace(before, has_discount=True, **values), None
    return _split(before, change, sign)


def _split(before: LineState, change: LineState, sign: int) -> tuple[LineState, LineState]:
    """Part the quantity that gets another price from the line, with its share of the value."""
    share = change.quantity / before.quantity if before.quantity else Decimal(0)
    net, gross = (full_value(value, share) for value in (before.net, before.gross))
    rest = replace(before, quantity=before.quantity - change.quantity, net=before.net - net, gross=before.gross - gross)
    same_discount = change.percent == before.percent
    part = replace(
        before, item=change.item, quantity=change.quantity, net=net + sign * change.net, gross=gross + sign * change.gross,
        unit_price=before.unit_price + sign * change.unit_price if same_discount else before.unit_price,
        has_discount=before.has_discount or not same_discount,
    )
    return rest, part
