"""Rules about advances and their settlement (art. 106b sec. 1 pt 4, art. 106f).

What the advances were is known only to who has them: :func:`check_against_advances` holds a settlement against them.
"""

from collections.abc import Iterable, Iterator

from .amounts import HALF, ZERO, group_of, lines_of, net_sum, percent_of, rounding_tolerance, tax_sum
from .codes import InvoiceKind
from .finding import Finding, error, warning
from .model import AdvanceInvoice, Invoice
from .rules_correction import check_ksef_number


def _check_order(invoice: Invoice) -> Iterator[Finding]:
    """An advance describes the order that it is paid for (art. 106f sec. 1 pt 4); its value is that of the lines."""
    if invoice.kind is InvoiceKind.ADVANCE and invoice.order is None:
        yield error('order-missing', 'order', "an advance describes the order that it is paid for")
    if invoice.order is None:
        return
    if not invoice.kind.is_advance:
        yield warning('order-unexpected', 'order', "only advances describe an order")
    for position, line in enumerate(invoice.order.lines):
        if line.net is None or group_of(line, invoice) is None:
            path = f'order.lines[{position}]'
            code, attribute = ('line-net-missing', 'net') if line.net is None else ('line-rate-missing', 'rate')
            yield error(code, f'{path}.{attribute}', f"the line has no {attribute}", line=line.number)


def _check_order_sum(invoice: Invoice) -> Iterator[Finding]:
    """The value of the order includes the tax; on a correction it is the value afterwards."""
    order = invoice.order
    if order is None:
        return
    # An unchanged line of a correction may be left out; then the lines tell only a part of the order.
    states = [{line.number for line in order.lines if line.before_correction is before} for before in (False, True)]
    partial = invoice.kind.is_correction and states[0] != states[1]
    after = [line for line in order.lines if not line.before_correction]
    expected = sum(((line.net or ZERO) + _tax(line) for line in after), ZERO)
    if not partial and abs(expected - order.total) > HALF * (2 * len(after) + 2):
        sentence = f"the order is {order.total}, its lines make {expected:.2f}"
        yield error('order-sum', 'order.total', sentence, value=str(order.total), expected=f'{expected:.2f}')
    if invoice.kind is InvoiceKind.ADVANCE and invoice.total > order.total:
        sentence = f"an advance of {invoice.total} for an order of {order.total}"
        yield error('advance-exceeds-order', 'total', sentence, value=str(invoice.total), expected=str(order.total))


def _tax(line):
    return line.tax if line.tax is not None else (line.net or ZERO) * percent_of(line) / 100


def _check_payments(invoice: Invoice) -> Iterator[Finding]:
    """Several payments that an advance documents add up to it; a settlement may document some beside."""
    payments = invoice.partial_advances
    if not payments:
        return
    paid = sum((payment.amount for payment in payments), ZERO)
    exact = invoice.kind.is_advance
    if (exact and paid != invoice.total) or (invoice.kind is InvoiceKind.SETTLEMENT and paid > invoice.total):
        sentence = f"the payments make {paid}, the total is {invoice.total}"
        yield error('partial-advances-sum', 'partial_advances', sentence, value=str(paid), expected=str(invoice.total))
    if not (exact or invoice.kind.is_settlement):
        yield warning('partial-advances-unexpected', 'partial_advances', "only advances and settlements document payments")


def _check_advances(invoice: Invoice) -> Iterator[Finding]:
    """A settlement names the advances that it takes off (art. 106f sec. 3), each once."""
    advances = invoice.advance_invoices
    if invoice.kind.is_settlement and not advances:
        yield error('advances-missing', 'advance_invoices', "a settlement names the advances that it takes off")
    if len(set(advances)) != len(advances):
        yield error('advance-twice', 'advance_invoices', "an advance is named twice")
    if advances and not (invoice.kind.is_settlement or invoice.kind.is_advance):
        yield warning('advances-unexpected', 'advance_invoices', "only settlements and last advances name advances")
    for position, advance in enumerate(advances):
        yield from check_ksef_number(invoice, advance.ksef_number, f'advance_invoices[{position}].ksef_number')


def check_against_advances(invoice: Invoice, advances: Iterable[tuple[AdvanceInvoice, Invoice]]) -> list[Finding]:
    """Return what is wrong with a settlement: per group of rates it is the order less the advances.

    :param advances: every advance that was issued for the order, as the settlement should name it, and its invoice;
        corrections of advances are named beside them, with their differences.
    """
    advances = list(advances)
    findings = list(_named_findings(invoice, [name for name, _ in advances]))
    remaining = {total.group: total for total in invoice.group_totals}
    paid = {}
    for _, advance in advances:
        for total in advance.group_totals:
            net, tax = paid.get(total.group, (ZERO, ZERO))
            paid[total.group] = (net + total.net, tax + (total.tax or ZERO))
    on_lines = {group_of(line, invoice) for line in invoice.lines} - {None}
    for group in sorted(on_lines | set(paid), key=lambda group: group.name):
        findings += _remainder_findings(
            invoice, group, remaining.get(group), paid.get(group, (ZERO, ZERO)), _settles_a_part(invoice, advances))
    return findings


def _settles_a_part(invoice: Invoice, advances) -> bool:
    """Tell whether the settlement is for less than the order that was paid for: others may take off the rest."""
    ordered = max((advance.order.total for _, advance in advances if advance.order), default=ZERO)
    gross = net_sum(invoice.lines, invoice) + tax_sum(invoice.lines, invoice)
    return gross < ordered - rounding_tolerance(invoice)


def _named_findings(invoice: Invoice, names: list[AdvanceInvoice]) -> Iterator[Finding]:
    for name in names:
        if name not in invoice.advance_invoices:
            value = name.ksef_number or name.number
            yield error('advance-unnamed', 'advance_invoices', f"the advance {value} isn't named", value=value)
    for position, name in enumerate(invoice.advance_invoices):
        if name not in names:
            value = name.ksef_number or name.number
            sentence = f"{value} is no advance of this order"
            yield error('advance-foreign', f'advance_invoices[{position}]', sentence, value=value)


def _remainder_findings(invoice: Invoice, group, total, paid, part: bool) -> Iterator[Finding]:
    net = net_sum(lines_of(group, invoice), invoice) - paid[0]
    stated = total.net if total else ZERO
    if abs(net - stated) <= rounding_tolerance(invoice):
        return
    sentence = f"{group.name}: {stated} remain by the invoice, {net:.2f} by order and advances"
    values = {'group': group.name, 'value': str(stated), 'expected': f'{net:.2f}'}
    if part and stated > net:
        yield warning('settlement-part', 'group_totals', sentence, **values)
    else:
        yield error('settlement-remainder', 'group_totals', sentence, **values)


RULES = (_check_order, _check_advances)
ARITHMETIC = (_check_order_sum, _check_payments)
