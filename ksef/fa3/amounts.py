"""What the lines of an invoice are worth, whatever of their prices is stated: shared by the rules about sums."""

from collections.abc import Iterable
from decimal import Decimal

from .codes import TaxGroup, TaxRate
from .model import Invoice, Line, OrderLine

HALF = Decimal('0.005')
PRICE_HALF = Decimal('0.000000005')  # half of the last digit of a unit price
ZERO = Decimal(0)
PERCENTS = {
    group: frozenset(rate.percent for rate in TaxRate if rate.group is group) for group in TaxGroup
}


def rounding_tolerance(invoice: Invoice) -> Decimal:
    """Return how far sums of lines may lie from sums of the header, in the currency of the invoice."""
    return HALF * (len(invoice.lines) + 2)


def group_of(line: Line | OrderLine, invoice: Invoice) -> TaxGroup | None:
    """Return the group of sums that a line belongs to, ``None`` when the line doesn't say."""
    if line.rate is not None:
        return line.rate.group
    if line.one_stop_shop_rate is not None:
        return TaxGroup.ONE_STOP_SHOP
    if invoice.annotations.margin and getattr(line, 'gross', None) is not None:
        return TaxGroup.MARGIN
    return None


def percent_of(line: Line | OrderLine) -> Decimal:
    """Return the percentage of tax on a line; nothing is told of a line under the margin scheme."""
    if line.rate is not None:
        return line.rate.percent
    return line.one_stop_shop_rate or ZERO


def net_of(line: Line) -> Decimal | None:
    """Return the value of a line without tax, calculated from the one with tax where only that is stated."""
    if line.net is not None or line.gross is None:
        return line.net
    if line.tax is not None:
        return line.gross - line.tax
    return line.gross * 100 / (100 + percent_of(line))


def sign_of(line: Line | OrderLine, invoice: Invoice) -> int:
    """Return -1 for what a corrected line was before: a correction's sums are after minus before."""
    return -1 if line.before_correction and invoice.kind.is_correction else 1


def has_values(invoice: Invoice) -> bool:
    """Tell whether lines make the sums; a collective discount may have lines without values, or none."""
    return any(net_of(line) is not None for line in invoice.lines)


def net_sum(lines: Iterable[Line], invoice: Invoice) -> Decimal:
    """Return the sum of values without tax, before a correction negative."""
    return sum((sign_of(line, invoice) * (net_of(line) or 0) for line in lines), ZERO)


def tax_sum(lines: Iterable[Line], invoice: Invoice) -> Decimal:
    """Return the tax on the values of lines, not rounded."""
    return sum((sign_of(line, invoice) * (net_of(line) or 0) * percent_of(line) / 100 for line in lines), ZERO)


def lines_of(group: TaxGroup, invoice: Invoice) -> list[Line]:
    """Return the lines that belong to a group of sums."""
    return [line for line in invoice.lines if group_of(line, invoice) is group]


def groups_of(invoice: Invoice) -> set[TaxGroup]:
    """Return the groups that the invoice speaks of: in its sums, on its lines, in its order."""
    lines = (*invoice.lines, *(invoice.order.lines if invoice.order else ()))
    groups = {group_of(line, invoice) for line in lines} | {total.group for total in invoice.group_totals}
    return groups - {None}
