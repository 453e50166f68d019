"""Rules about invoices in other currencies: the tax in PLN, and the rate it was calculated by (art. 106e sec. 11)."""

from collections.abc import Iterator
from decimal import Decimal

from .amounts import HALF, ZERO, lines_of, net_of, percent_of, sign_of
from .finding import Finding, error, warning
from .model import GroupTotal, Invoice

PLN = 'PLN'


def _check_presence(invoice: Invoice) -> Iterator[Finding]:
    """The tax stands in PLN beside the tax in another currency, and only there."""
    for position, total in enumerate(invoice.group_totals):
        path = f'group_totals[{position}].tax_in_pln'
        foreign = invoice.currency != PLN and total.group.tax_in_pln_element
        if foreign and total.tax and total.tax_in_pln is None:
            yield error('tax-in-pln-missing', path, f"{total.group.name}: the tax in PLN is missing", group=total.group.name)
        if invoice.currency == PLN and total.tax_in_pln is not None:
            sentence = f"{total.group.name}: the invoice is in PLN, its tax stands there once"
            yield error('tax-in-pln-unexpected', path, sentence, group=total.group.name)


def _check_rates(invoice: Invoice) -> Iterator[Finding]:
    """Rates are positive, and stand on invoices in other currencies only."""
    rates = [(f'lines[{position}].exchange_rate', line.exchange_rate) for position, line in enumerate(invoice.lines)]
    rates.append(('exchange_rate', invoice.exchange_rate))
    rates += [(f'partial_advances[{position}].exchange_rate', payment.exchange_rate)
              for position, payment in enumerate(invoice.partial_advances)]
    for path, rate in rates:
        if rate is not None and rate <= 0:
            yield error('exchange-rate-invalid', path, f"{rate} is no rate of exchange", value=str(rate))
        elif rate is not None and invoice.currency == PLN:
            yield warning('exchange-rate-unexpected', path, "a rate of exchange on an invoice in PLN", value=str(rate))
    if invoice.exchange_rate is not None and not invoice.kind.is_advance:
        sentence = "this rate is of advances; other invoices have theirs on the lines"
        yield warning('advance-rate-unexpected', 'exchange_rate', sentence, value=str(invoice.exchange_rate))


def _check_agreed(invoice: Invoice) -> Iterator[Finding]:
    """An agreed rate tells how amounts in PLN came about (XSD: KursUmowny)."""
    agreed = invoice.transaction.agreed_rate if invoice.transaction else None
    if agreed and invoice.currency != PLN:
        sentence = "an agreed rate stands on invoices in PLN only"
        yield error('agreed-rate-unexpected', 'transaction.agreed_rate', sentence)


def _check_tax_in_pln(invoice: Invoice) -> Iterator[Finding]:
    """The tax in PLN is the tax at the rate, as far as rounding goes."""
    if invoice.currency == PLN:
        return
    for position, total in enumerate(invoice.group_totals):
        if total.tax_in_pln is None or total.tax is None:
            continue
        path = f'group_totals[{position}].tax_in_pln'
        if total.tax * total.tax_in_pln < 0:
            yield _error(path, total, total.tax)
            continue
        bounds = _expected(invoice, total)
        if bounds is None:
            if not invoice.kind.is_correction:
                yield warning('exchange-rate-missing', path, f"{total.group.name}: no rate tells how the tax came about",
                              group=total.group.name)
        elif not bounds[0] <= total.tax_in_pln <= bounds[1]:
            yield _error(path, total, (bounds[0] + bounds[1]) / 2)


def _error(path: str, total: GroupTotal, expected: Decimal) -> Finding:
    sentence = f"{total.group.name}: {total.tax_in_pln} PLN of tax, {expected:.2f} by the rate"
    values = {'group': total.group.name, 'value': str(total.tax_in_pln), 'expected': f'{expected:.2f}'}
    return error('tax-in-pln', path, sentence, **values)


def _expected(invoice: Invoice, total: GroupTotal) -> tuple[Decimal, Decimal] | None:
    """Return the least and the most that the tax in PLN can be, ``None`` when no rate tells."""
    if invoice.kind.is_advance:
        if invoice.correction and invoice.correction.previous and invoice.correction.previous.exchange_rate:
            return None  # two rates, and nothing says how much of the tax is at which
        payments = [payment.exchange_rate for payment in invoice.partial_advances if payment.exchange_rate]
        return _bounds(total.tax, payments or ([invoice.exchange_rate] if invoice.exchange_rate else []), 1)
    lines = lines_of(total.group, invoice)
    rates = {line.exchange_rate for line in lines}
    if not lines or None in rates:
        return None
    if len(rates) == 1 or invoice.kind.is_settlement:
        return _bounds(total.tax, sorted(rates), len(lines))
    tax = [sign_of(line, invoice) * (net_of(line) or ZERO) * percent_of(line) / 100 for line in lines]
    expected = sum((amount * line.exchange_rate for amount, line in zip(tax, lines, strict=True)), ZERO)
    margin = _margin(len(lines), max(rates))
    return expected - margin, expected + margin


def _bounds(tax: Decimal, rates: list[Decimal], count: int) -> tuple[Decimal, Decimal] | None:
    if not rates:
        return None
    amounts = [tax * rate for rate in rates]
    margin = _margin(count, max(rates))
    return min(amounts) - margin, max(amounts) + margin


def _margin(count: int, rate: Decimal) -> Decimal:
    """Rounding of the tax in the other currency weighs as much as the rate, that of the tax in PLN once."""
    return HALF * (count + 2) * (1 + rate)


RULES = (_check_presence, _check_agreed)
ARITHMETIC = (_check_rates, _check_tax_in_pln)
