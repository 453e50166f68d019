"""Rules about single lines, of the invoice and of the order: numbers, pairs of a correction, names, arithmetic."""

from collections.abc import Iterator
from decimal import Decimal

from .amounts import HALF, PRICE_HALF, group_of, has_values, percent_of
from .codes import InvoiceKind
from .finding import Finding, error, warning
from .model import Invoice, Line, OrderLine

GROSZ = Decimal('0.01')


def _check_presence(invoice: Invoice) -> Iterator[Finding]:
    """Advances describe an order instead, and a correction may concern no line (XSD: FaWiersz)."""
    if not (invoice.lines or invoice.kind.is_correction or invoice.kind.is_advance):
        yield error('lines-missing', 'lines', "the invoice has no lines")


def _check_numbers(invoice: Invoice) -> Iterator[Finding]:
    """Lines are numbered 1, 2, 3 …; a correction states only lines that change, each number once in each state."""
    lists = [('lines', invoice.lines)] + ([('order.lines', invoice.order.lines)] if invoice.order else [])
    for path, lines in lists:
        numbers = [(line.number, line.before_correction) for line in lines]
        if len(set(numbers)) != len(numbers):
            yield error('line-numbers', path, "a number stands on two lines")
        elif not invoice.kind.is_correction and [number for number, _ in numbers] != list(range(1, len(lines) + 1)):
            yield error('line-numbers', path, "the lines are not numbered 1, 2, 3 …")
        uids = [(line.uid, line.before_correction) for line in lines if line.uid]
        if len(set(uids)) != len(uids):
            yield error('line-uids', path, "two lines have the same identifier")


def _check_states(invoice: Invoice) -> Iterator[Finding]:
    """What a line was stands beside what it has become, under one number and one identifier."""
    lists = [('lines', invoice.lines)] + ([('order.lines', invoice.order.lines)] if invoice.order else [])
    for path, lines in lists:
        after = {line.number: line for line in lines if not line.before_correction}
        for position, line in enumerate(lines):
            if line.before_correction:
                yield from _check_pair(invoice, line, after.get(line.number), f'{path}[{position}]')


def _check_pair(invoice: Invoice, line: Line | OrderLine, after: Line | OrderLine | None, path: str) -> Iterator[Finding]:
    if not invoice.kind.is_correction:
        sentence = "only a correction has lines as they were before"
        yield error('line-before-unexpected', f'{path}.before_correction', sentence, line=line.number)
    elif after is None:
        sentence = f"line {line.number}: what it was stands there, but not what it has become"
        yield error('correction-pair-missing', f'{path}.before_correction', sentence, line=line.number)
    elif line.uid != after.uid:
        sentence = f"line {line.number}: its two states have different identifiers"
        yield error('correction-pair-uid', f'{path}.uid', sentence, line=line.number)


def _check_names(invoice: Invoice) -> Iterator[Finding]:
    """Only collective discounts may leave the name out (art. 106j sec. 3 pt 2)."""
    for position, line in enumerate(invoice.lines):
        if not line.name and not (invoice.kind.is_correction and not has_values(invoice)):
            yield error('line-name-missing', f'lines[{position}].name', "the line has no name", line=line.number)
    for position, line in enumerate(invoice.order.lines if invoice.order else ()):
        if not line.name:
            yield error('line-name-missing', f'order.lines[{position}].name', "the line has no name", line=line.number)


def _check_remarks(invoice: Invoice) -> Iterator[Finding]:
    """A remark about a line names one that is there, on the invoice or in the order."""
    numbers = {line.number for line in (*invoice.lines, *(invoice.order.lines if invoice.order else ()))}
    for position, remark in enumerate(invoice.remarks):
        if remark.line_number is not None and remark.line_number not in numbers:
            yield error('remark-line', f'remarks[{position}].line_number', "the remark names a line that isn't there")
    transport = invoice.annotations.new_transport
    on_lines = {line.number for line in invoice.lines}
    for position, vehicle in enumerate(transport.vehicles if transport else ()):
        if vehicle.line_number not in on_lines:
            path = f'annotations.new_transport.vehicles[{position}].line_number'
            yield error('vehicle-line', path, "the vehicle names a line that isn't there")


def _check_rates(invoice: Invoice) -> Iterator[Finding]:
    """Every line has a rate and a value to sum up, where the law doesn't let them be left out.

    Margin: no rate (art. 106e sec. 2, 3); simplified invoices and collective discounts: either may be missing.
    """
    if invoice.kind is InvoiceKind.SIMPLIFIED or (invoice.kind.is_correction and not has_values(invoice)):
        return
    for position, line in enumerate(invoice.lines):
        if group_of(line, invoice) is None:
            yield error('line-rate-missing', f'lines[{position}].rate', "the line has no rate", line=line.number)
        if line.net is None and line.gross is None:
            yield error('line-net-missing', f'lines[{position}].net', "the line has no value", line=line.number)


def _check_values(invoice: Invoice) -> Iterator[Finding]:
    """Quantity times price less discount is the value, to half a grosz; with tax or without."""
    for position, line in enumerate(invoice.lines):
        yield from _check_value(line, 'net', line.unit_price, line.net, f'lines[{position}]')
        # With both prices stated, the discount is the one without tax.
        if line.unit_price is None or not line.discount:
            yield from _check_value(line, 'gross', line.gross_unit_price, line.gross, f'lines[{position}]')
        yield from _check_line_tax(line, f'lines[{position}]')
    for position, line in enumerate(invoice.order.lines if invoice.order else ()):
        yield from _check_value(line, 'net', line.unit_price, line.net, f'order.lines[{position}]')
        yield from _check_order_tax(line, f'order.lines[{position}]')


def _check_value(line: Line | OrderLine, attribute: str, price, value, path: str) -> Iterator[Finding]:
    if line.quantity is None or price is None or value is None:
        return
    discount = getattr(line, 'discount', None) or 0
    expected = line.quantity * price - discount
    if abs(expected - value) > HALF + abs(line.quantity) * PRICE_HALF:
        sentence = f"line {line.number}: {line.quantity} x {price} - {discount} != {value}"
        values = {'line': line.number, 'expected': f'{expected:.2f}', 'value': str(value)}
        yield error('line-arithmetic', f'{path}.{attribute}', sentence, **values)


def _check_line_tax(line: Line, path: str) -> Iterator[Finding]:
    """The tax of a line (P_11Vat), where it is stated, follows from its value and rate; the sum is the gross value."""
    percent = percent_of(line)
    if line.tax is not None:
        expected = _tax_by_value(line, percent)
        if expected is not None and abs(expected - line.tax) > GROSZ:
            yield _line_error('line-tax', f'{path}.tax', line, line.tax, expected)
    if line.net is not None and line.gross is not None:
        expected = line.net * (100 + percent) / 100 if line.tax is None else line.net + line.tax
        if abs(expected - line.gross) > GROSZ:
            yield _line_error('line-gross', f'{path}.gross', line, line.gross, expected)


def _tax_by_value(line: Line, percent: Decimal) -> Decimal | None:
    if line.net is not None:
        return line.net * percent / 100
    return None if line.gross is None else line.gross * percent / (100 + percent)


def _check_order_tax(line: OrderLine, path: str) -> Iterator[Finding]:
    if line.net is None or line.tax is None:
        return
    expected = line.net * percent_of(line) / 100
    if abs(expected - line.tax) > GROSZ:
        yield _line_error('line-tax', f'{path}.tax', line, line.tax, expected)


def _line_error(code: str, path: str, line: Line | OrderLine, value: Decimal, expected: Decimal) -> Finding:
    sentence = f"line {line.number}: {value} instead of {expected:.2f}"
    return error(code, path, sentence, line=line.number, value=str(value), expected=f'{expected:.2f}')


def _check_signs(invoice: Invoice) -> Iterator[Finding]:
    """An ordinary invoice can't take back more than it charges: that is what a correction is for (art. 106j)."""
    if invoice.kind.is_correction:
        return
    for position, total in enumerate(invoice.group_totals):
        if total.net < 0 or (total.tax or 0) < 0:
            sentence = f"{total.group.name}: negative sums need a correcting invoice"
            yield error('sum-negative', f'group_totals[{position}].net', sentence, group=total.group.name)
    for position, line in enumerate(invoice.lines):
        if (line.net if line.net is not None else line.gross or 0) < 0:
            yield warning('line-negative', f'lines[{position}].net', "the line takes off", line=line.number)


RULES = (_check_presence, _check_numbers, _check_states, _check_names, _check_remarks)
ARITHMETIC = (_check_values, _check_rates, _check_signs)
