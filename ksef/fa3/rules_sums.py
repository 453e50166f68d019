"""The arithmetic of an invoice, and the annotations that follow from its lines.

Rounding: a line's value is rounded to the grosz, and Odoo (as every other program) may round the tax and the sums
per line or once per document. Half a grosz for every line is the most that honest rounding explains.
"""

from collections.abc import Iterator
from decimal import Decimal

from .codes import InvoiceKind, TaxRate
from .finding import Finding, error, warning
from .model import GroupTotal, Invoice, Line, NoTaxId

HALF = Decimal('0.005')
PRICE_HALF = Decimal('0.000000005')  # half of the last digit of a unit price
SPLIT_PAYMENT_LIMIT = Decimal(15000)


def rounding_tolerance(invoice: Invoice) -> Decimal:
    """Return how far sums of lines may lie from sums of the header, in PLN."""
    return HALF * (len(invoice.lines) + 2)


def _check_line_values(invoice: Invoice) -> Iterator[Finding]:
    """Quantity times unit price less discount is the net value, to half a grosz."""
    for position, line in enumerate(invoice.lines):
        if line.quantity is None or line.unit_price is None or line.net is None:
            continue
        expected = line.quantity * line.unit_price - (line.discount or 0)
        if abs(expected - line.net) > HALF + abs(line.quantity) * PRICE_HALF:
            sentence = f"line {line.number}: {line.quantity} x {line.unit_price} - {line.discount or 0} != {line.net}"
            values = {'line': line.number, 'expected': f'{expected:.2f}', 'value': str(line.net)}
            yield error('line-arithmetic', f'lines[{position}].net', sentence, **values)


def _check_rates(invoice: Invoice) -> Iterator[Finding]:
    """Every line has a rate, and a net value to sum up."""
    for position, line in enumerate(invoice.lines):
        if line.rate is None:
            yield error('line-rate-missing', f'lines[{position}].rate', "the line has no rate", line=line.number)
        if line.net is None:
            yield error('line-net-missing', f'lines[{position}].net', "the line has no value", line=line.number)


def _check_groups(invoice: Invoice) -> Iterator[Finding]:
    """Every group of rates on the lines has its sums once, and no sums stand there without lines."""
    groups = [total.group for total in invoice.group_totals]
    if len(set(groups)) != len(groups):
        yield error('group-twice', 'group_totals', "a group of rates has its sums twice")
    on_lines = {line.rate.group for line in invoice.lines if line.rate}
    for group in on_lines.symmetric_difference(groups):
        where = "lines without sums" if group in on_lines else "sums without lines"
        yield error('group-mismatch', 'group_totals', f"{group.name}: {where}", group=group.name)


def _check_group_sums(invoice: Invoice) -> Iterator[Finding]:
    """The lines of a group add up to its net sum, and their rates to its tax, within rounding."""
    tolerance = rounding_tolerance(invoice)
    for position, total in enumerate(invoice.group_totals):
        lines = [line for line in invoice.lines if line.rate and line.rate.group is total.group]
        path = f'group_totals[{position}]'
        net = sum((line.net for line in lines if line.net is not None), Decimal(0))
        if abs(net - total.net) > tolerance:
            yield _sum_error('net-sum', f'{path}.net', total, total.net, net)
        elif net != total.net:
            yield warning(
                'net-sum-rounding', f'{path}.net', f"{total.group.name}: {total.net} in the header, {net} by the lines",
                group=total.group.name, value=str(total.net), expected=f'{net:.2f}')
        tax = _expected_tax(total, lines, net)
        if total.tax is not None and abs(tax - total.tax) > tolerance:
            yield _sum_error('tax-sum', f'{path}.tax', total, total.tax, tax)


def _expected_tax(total: GroupTotal, lines: list[Line], net: Decimal) -> Decimal:
    """Return the tax on the group's own net sum (what is missing in the lines taxed like the rest)."""
    tax = sum((line.net * line.rate.percent / 100 for line in lines if line.net is not None), Decimal(0))
    return tax + (total.net - net) * (lines[0].rate.percent / 100 if lines else 0)


def _sum_error(code: str, path: str, total: GroupTotal, value: Decimal, expected: Decimal) -> Finding:
    sentence = f"{total.group.name}: {value} in the header, {expected:.2f} by the lines"
    return error(code, path, sentence, group=total.group.name, value=str(value), expected=f'{expected:.2f}')


def _check_total(invoice: Invoice) -> Iterator[Finding]:
    """The total is the sum of all net sums and all tax, to the grosz."""
    expected = sum((total.net + (total.tax or 0) for total in invoice.group_totals), Decimal(0))
    if expected != invoice.total:
        values = {'value': str(invoice.total), 'expected': f'{expected:.2f}'}
        yield error('total-sum', 'total', f"total {invoice.total}, but the sums make {expected}", **values)


def _check_signs(invoice: Invoice) -> Iterator[Finding]:
    """An ordinary invoice can't take back more than it charges: that is what a correction is for (art. 106j)."""
    if invoice.kind is not InvoiceKind.VAT:
        return
    for position, total in enumerate(invoice.group_totals):
        if total.net < 0 or (total.tax or 0) < 0:
            sentence = f"{total.group.name}: negative sums need a correcting invoice"
            yield error('sum-negative', f'group_totals[{position}].net', sentence, group=total.group.name)
    for position, line in enumerate(invoice.lines):
        if line.net is not None and line.net < 0:
            yield warning('line-negative', f'lines[{position}].net', "the line takes off", line=line.number)


def _check_annotations(invoice: Invoice) -> Iterator[Finding]:
    """Reverse charge is stated when the buyer accounts for the tax (art. 106e sec. 1 pt 18), and only then."""
    rates = {line.rate for line in invoice.lines}
    buyer_accounts = bool(rates & {TaxRate.REVERSE_CHARGE, TaxRate.SERVICES_ART_100})
    outside = TaxRate.OUTSIDE_POLAND in rates  # there it depends on the law of the other country
    if buyer_accounts and not invoice.annotations.reverse_charge:
        yield error('reverse-charge-missing', 'annotations.reverse_charge', "reverse charge must be stated")
    if invoice.annotations.reverse_charge and not (buyer_accounts or outside):
        yield error('reverse-charge-unfounded', 'annotations.reverse_charge', "no line under reverse charge")
    if outside and not buyer_accounts and invoice.annotations.reverse_charge:
        yield warning('reverse-charge-doubt', 'annotations.reverse_charge', "the buyer must be liable for the tax abroad")


def _check_split_payment(invoice: Invoice) -> Iterator[Finding]:
    """Split payment is stated on more than 15,000 PLN with goods of annex 15 (art. 106e sec. 1 pt 18a)."""
    taxable_buyer = not isinstance(invoice.buyer.identifier, NoTaxId)
    over_limit = invoice.total > SPLIT_PAYMENT_LIMIT
    annex = any(line.annex_15 for line in invoice.lines)
    if taxable_buyer and over_limit and annex and not invoice.annotations.split_payment:
        yield error('split-payment-missing', 'annotations.split_payment', "split payment must be stated")


RULES = (
    _check_line_values,
    _check_rates,
    _check_groups,
    _check_group_sums,
    _check_total,
    _check_signs,
    _check_annotations,
    _check_split_payment,
)
