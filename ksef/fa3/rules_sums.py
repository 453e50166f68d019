"""The arithmetic of an invoice's sums.

Rounding: a line's value is rounded to the grosz, and Odoo (as every other program) may round the tax and the sums
per line or once per document. Half a grosz for every line is the most that honest rounding explains.

What the sums are depends on the kind: of an ordinary invoice the lines, of a correction after minus before, of an
advance the part of the payment, of a settlement what the advances left of the lines.
"""

from collections.abc import Iterator
from decimal import Decimal

from .amounts import (
    HALF,
    PERCENTS,
    ZERO,
    group_of,
    has_values,
    lines_of,
    net_of,
    net_sum,
    percent_of,
    rounding_tolerance,
    tax_sum,
)
from .codes import InvoiceKind, TaxGroup
from .finding import Finding, error, warning
from .model import GroupTotal, Invoice, Line


def _adds_up(invoice: Invoice) -> bool:
    """Tell whether the lines are meant to add up to the sums."""
    if invoice.kind is InvoiceKind.SIMPLIFIED:  # may state the sums without values or rates on the lines
        complete = all(group_of(line, invoice) and net_of(line) is not None for line in invoice.lines)
        return complete and bool(invoice.group_totals)
    return invoice.kind is InvoiceKind.VAT or (invoice.kind is InvoiceKind.CORRECTION and has_values(invoice))


def _check_groups(invoice: Invoice) -> Iterator[Finding]:
    """Every group of rates on the lines has its sums once, and no sums stand there without lines."""
    groups = [total.group for total in invoice.group_totals]
    if len(set(groups)) != len(groups):
        yield error('group-twice', 'group_totals', "a group of rates has its sums twice")
    on_lines = _groups_of_lines(invoice)
    if on_lines is None:
        return
    missing = {group for group in on_lines.difference(groups) if _adds_up(invoice) and _has_sum(group, invoice)}
    for group in missing | set(groups).difference(on_lines):
        where = "lines without sums" if group in missing else "sums without lines"
        yield error('group-mismatch', 'group_totals', f"{group.name}: {where}", group=group.name)


def _groups_of_lines(invoice: Invoice) -> set[TaxGroup] | None:
    """Return the groups that sums can belong to, ``None`` when neither lines nor order tell."""
    lines = invoice.lines if not invoice.kind.is_advance else invoice.order.lines if invoice.order else ()
    groups = {group_of(line, invoice) for line in lines} - {None}
    tells = groups or (_adds_up(invoice) and not invoice.kind.is_correction)
    return groups if tells else None


def _has_sum(group: TaxGroup, invoice: Invoice) -> bool:
    """A correction leaves out what doesn't change."""
    return not invoice.kind.is_correction or net_sum(lines_of(group, invoice), invoice) != 0


def _check_group_sums(invoice: Invoice) -> Iterator[Finding]:
    """The lines of a group add up to its net sum, and their rates to its tax, within rounding."""
    for position, total in enumerate(invoice.group_totals):
        path = f'group_totals[{position}]'
        if _adds_up(invoice):
            yield from _check_exact_sums(invoice, total, path)
        else:
            yield from _check_settled(invoice, total, path)
            yield from _check_tax_range(invoice, total, path)


def _check_exact_sums(invoice: Invoice, total: GroupTotal, path: str) -> Iterator[Finding]:
    tolerance = rounding_tolerance(invoice)
    lines = lines_of(total.group, invoice)
    net = net_sum(lines, invoice)
    if abs(net - total.net) > tolerance:
        yield _sum_error('net-sum', f'{path}.net', total, total.net, net)
    elif round(net, 2) != total.net:
        yield warning(
            'net-sum-rounding', f'{path}.net', f"{total.group.name}: {total.net} in the header, {net:.2f} by the lines",
            group=total.group.name, value=str(total.net), expected=f'{net:.2f}')
    tax = _expected_tax(invoice, total, lines, net)
    if total.tax is not None and abs(tax - total.tax) > tolerance:
        yield _sum_error('tax-sum', f'{path}.tax', total, total.tax, tax)


def _expected_tax(invoice: Invoice, total: GroupTotal, lines: list[Line], net: Decimal) -> Decimal:
    """Return the tax on the group's own net sum (what is missing in the lines taxed like the first of them)."""
    return tax_sum(lines, invoice) + (total.net - net) * (percent_of(lines[0]) / 100 if lines else 0)


def _check_settled(invoice: Invoice, total: GroupTotal, path: str) -> Iterator[Finding]:
    """What remains of an order is not more than the order."""
    if invoice.kind is not InvoiceKind.SETTLEMENT or not invoice.lines:
        return
    net = net_sum(lines_of(total.group, invoice), invoice)
    if total.net > net + rounding_tolerance(invoice):
        yield _sum_error('settlement-sum', f'{path}.net', total, total.net, net)


def _check_tax_range(invoice: Invoice, total: GroupTotal, path: str) -> Iterator[Finding]:
    """Where the lines don't make the sums, the tax at least belongs to a rate of the group."""
    order = invoice.order.lines if invoice.order else ()
    lines = [line for line in (*invoice.lines, *order) if group_of(line, invoice) is total.group]
    percents = {percent_of(line) for line in lines} or PERCENTS[total.group]
    if total.tax is None or not percents or (invoice.kind.is_correction and len(percents) > 1 and lines):
        return  # a rate that is corrected within its group: the tax changes without the value
    corrected = len(invoice.correction.invoices) if invoice.correction else 0
    tolerance = HALF * (len(lines) + corrected + 2)
    candidates = sorted(total.net * percent / 100 for percent in percents)
    if not candidates[0] - tolerance <= total.tax <= candidates[-1] + tolerance:
        nearest = min(candidates, key=lambda candidate: abs(candidate - total.tax))
        yield _sum_error('tax-sum', f'{path}.tax', total, total.tax, nearest)


def _sum_error(code: str, path: str, total: GroupTotal, value: Decimal, expected: Decimal) -> Finding:
    sentence = f"{total.group.name}: {value} in the header, {expected:.2f} by the lines"
    return error(code, path, sentence, group=total.group.name, value=str(value), expected=f'{expected:.2f}')


def _check_total(invoice: Invoice) -> Iterator[Finding]:
    """The total is the sum of all net sums and all tax, to the grosz."""
    if invoice.kind is InvoiceKind.SIMPLIFIED and not invoice.group_totals:
        return
    expected = sum((total.net + (total.tax or 0) for total in invoice.group_totals), ZERO)
    tolerance = ZERO
    for total in invoice.group_totals:
        if total.group is TaxGroup.ONE_STOP_SHOP and total.tax is None:  # its tax needn't be summed up
            lines = lines_of(total.group, invoice)
            expected += tax_sum(lines, invoice)
            tolerance = rounding_tolerance(invoice)
    if abs(expected - invoice.total) > tolerance:
        values = {'value': str(invoice.total), 'expected': f'{expected:.2f}'}
        yield error('total-sum', 'total', f"total {invoice.total}, but the sums make {expected:.2f}", **values)


ARITHMETIC = (_check_groups, _check_group_sums, _check_total)
