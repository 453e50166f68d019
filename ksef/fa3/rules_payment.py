"""Rules about how an invoice is settled and paid, and about its attachment."""

from collections.abc import Iterator

from .amounts import ZERO
from .codes import ColumnType, InstalmentsExtent, ThirdPartyRole
from .finding import Finding, error, warning
from .model import Invoice, SettlementItem, Table


def _check_settlement(invoice: Invoice) -> Iterator[Finding]:
    """Charges and deductions add up, and to the total they make what is to pay or to settle (XSD: DoZaplaty)."""
    settlement = invoice.settlement
    if settlement is None:
        return
    charges = _sum(settlement.charges, settlement.charges_total)
    deductions = _sum(settlement.deductions, settlement.deductions_total)
    for name, items, total in (('charges', settlement.charges, settlement.charges_total),
                               ('deductions', settlement.deductions, settlement.deductions_total)):
        expected = _sum(items, None)
        if items and total is not None and expected != total:
            yield _error('settlement-items', f'settlement.{name}_total', total, expected)
    due = invoice.total + charges - deductions
    if settlement.to_pay is not None and settlement.to_pay != due:
        yield _error('settlement-due', 'settlement.to_pay', settlement.to_pay, due)
    if settlement.to_settle is not None and settlement.to_settle != -due:
        yield _error('settlement-due', 'settlement.to_settle', settlement.to_settle, -due)


def _sum(items: tuple[SettlementItem, ...], total):
    return sum((item.amount for item in items), ZERO) if items else total or ZERO


def _error(code: str, path: str, value, expected) -> Finding:
    return error(code, path, f"{value} instead of {expected}", value=str(value), expected=str(expected))


def _check_instalments(invoice: Invoice) -> Iterator[Finding]:
    """Parts that were paid are less than what is due, or all of it."""
    instalments = invoice.payment.instalments if invoice.payment else None
    if instalments is None or invoice.kind.is_correction:
        return
    paid = sum((payment.amount for payment in instalments.payments), ZERO)
    settlement = invoice.settlement
    due = settlement.to_pay or ZERO if settlement else invoice.total
    # Where deductions outweigh the invoice nothing is due, and whatever was paid was all of it.
    is_wrong = paid != due and not (settlement and settlement.to_settle is not None)
    if instalments.extent is InstalmentsExtent.WHOLE and is_wrong:
        yield _error('instalments-whole', 'payment.instalments', paid, due)
    if instalments.extent is InstalmentsExtent.PART and paid >= due:
        sentence = f"{paid} paid of {due}: that is no part"
        yield error('instalments-part', 'payment.instalments', sentence, value=str(paid), expected=str(due))


def _check_dates(invoice: Invoice) -> Iterator[Finding]:
    """What is paid was paid before the invoice was issued (XSD: DataZaplaty)."""
    payment = invoice.payment
    if payment is None or invoice.issue_date is None:
        return
    days = [('payment.paid_on', payment.paid_on)]
    days += [(f'payment.instalments.payments[{position}].paid_on', each.paid_on)
             for position, each in enumerate(payment.instalments.payments if payment.instalments else ())]
    for path, day in days:
        if day is not None and day > invoice.issue_date:
            yield warning('paid-later', path, "paid after the invoice was issued", value=day.isoformat())


def _check_link(invoice: Invoice) -> Iterator[Finding]:
    """A link to pay carries the same identifier as the invoice."""
    payment = invoice.payment
    if payment and payment.link and payment.ksef_payment_id and f'IPKSeF={payment.ksef_payment_id}' not in payment.link:
        yield error('payment-link-id', 'payment.link', "the link is of another payment identifier")


def _check_factor(invoice: Invoice) -> Iterator[Finding]:
    """Who is paid instead of the seller is named (Podmiot3, role 1)."""
    factor = any(party.role is ThirdPartyRole.FACTOR for party in invoice.third_parties)
    if invoice.payment and invoice.payment.factor_accounts and not factor:
        yield warning('factor-missing', 'payment.factor_accounts', "an account of a factor, but no factor")


def _check_attachment(invoice: Invoice) -> Iterator[Finding]:
    """Rows of a table have no more cells than there are columns (a heading between rows may have one alone)."""
    for number, block in enumerate(invoice.attachment.blocks if invoice.attachment else ()):
        for position, table in enumerate(block.tables):
            yield from _check_table(table, f'attachment.blocks[{number}].tables[{position}]')


def _check_table(table: Table, path: str) -> Iterator[Finding]:
    width = len(table.columns)
    for position, row in enumerate(table.rows):
        if len(row.cells) > width:
            sentence = f"{len(row.cells)} cells, {width} columns"
            yield error('table-cells', f'{path}.rows[{position}]', sentence, count=len(row.cells), limit=width)
    if len(table.sums) > width:
        sentence = f"{len(table.sums)} sums, {width} columns"
        yield error('table-cells', f'{path}.sums', sentence, count=len(table.sums), limit=width)
    for column, kind in enumerate(column.type for column in table.columns):
        if kind in (ColumnType.DECIMAL, ColumnType.INTEGER):
            yield from _check_numbers(table, column, path)


def _check_numbers(table: Table, column: int, path: str) -> Iterator[Finding]:
    for position, row in enumerate(table.rows):
        cell = row.cells[column] if len(row.cells) == len(table.columns) else ''
        digits = cell.replace(',', '.', 1).replace('.', '', 1).replace(' ', '').replace('\u00a0', '').lstrip('+-')
        if cell not in ('', '-') and not digits.isdigit():
            sentence = f"{cell[:80]!r} in a column of numbers"
            yield warning('table-number', f'{path}.rows[{position}]', sentence, value=cell[:80])


RULES = (_check_dates, _check_link, _check_factor, _check_attachment)
ARITHMETIC = (_check_settlement, _check_instalments)
