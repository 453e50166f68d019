"""Rules about correcting invoices: what they correct, and that they correct anything.

What the corrected invoice said is known only to who has it: :func:`check_against_original` holds a correction against it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from .. import number as numbers
from .amounts import net_of
from .finding import ERROR, WARNING, Finding, error, warning
from .lexical import KSEF_NUMBER
from .model import Invoice, Line, OrderLine, PolishTaxId
from .text import collapse

FIRST_DAY = '20260201'  # KSeF 2.0


def _check_block(invoice: Invoice) -> Iterator[Finding]:
    """A correction says what it corrects (art. 106j sec. 2), and nothing else does."""
    correction = invoice.correction
    if invoice.kind.is_correction and correction is None:
        yield error('correction-missing', 'correction', "the correction doesn't say which invoice it corrects")
    if correction is None:
        return
    if not invoice.kind.is_correction:
        yield error('correction-unexpected', 'correction', f"an invoice of kind {invoice.kind.value} corrects nothing")
        return
    needed = invoice.kind.is_advance or invoice.kind.is_settlement
    if needed and correction.previous is None:
        sentence = "the amount before the correction is missing"
        yield error('previous-amount-missing', 'correction.previous', sentence)
    if correction.previous is not None and not needed:
        sentence = "the amount before is stated for advances and settlements only"
        yield error('previous-amount-unexpected', 'correction.previous', sentence)


def _check_corrected(invoice: Invoice) -> Iterator[Finding]:
    """The corrected invoices came before, are named once, and have KSeF numbers that can be right."""
    corrected = invoice.correction.invoices if invoice.correction else ()
    if len({(each.number, each.ksef_number) for each in corrected}) != len(corrected):
        yield error('corrected-twice', 'correction.invoices', "an invoice is named twice")
    for position, each in enumerate(corrected):
        path = f'correction.invoices[{position}]'
        if each.issue_date and invoice.issue_date and each.issue_date > invoice.issue_date:
            yield error('corrected-later', f'{path}.issue_date', "the corrected invoice is later than the correction",
                        value=each.issue_date.isoformat())
        yield from check_ksef_number(invoice, each.ksef_number, f'{path}.ksef_number')


def check_ksef_number(invoice: Invoice, number: str | None, path: str) -> Iterator[Finding]:
    """KSeF doesn't check numbers of other invoices: their check sum, and whose they are, can be known here."""
    if not number or KSEF_NUMBER.problem(number):
        return
    if not numbers.is_valid_ksef_number(number):
        # Numbers of KSeF 1.0 may have followed another rule.
        severity = WARNING if number.split('-')[1] < FIRST_DAY else ERROR
        sentence = f"{number} is no KSeF number: its check sum is wrong"
        yield Finding(severity, 'ksef-number-checksum', path, {'value': number}, sentence)
    elif not number.startswith(invoice.seller.nip or '') and not invoice.annotations.self_billing:
        yield warning('ksef-number-seller', path, f"{number} begins with another NIP than the seller's", value=number)


def _check_effect(invoice: Invoice) -> Iterator[Finding]:
    """A correction changes something: lines, sums, parties, or the number."""
    correction = invoice.correction
    if correction is None or not invoice.kind.is_correction:
        return
    data = correction.seller or correction.buyers or correction.right_number or correction.period
    order = invoice.order.lines if invoice.order else ()
    changed = invoice.total or any(total.net or total.tax for total in invoice.group_totals)
    if not (data or changed or _differs(invoice.lines) or _differs(order)):
        yield warning('correction-empty', 'correction', "the correction changes no amount, line or party")


def _differs(lines: tuple) -> bool:
    """Tell whether any line has no equal state before, or none after."""
    states = {}
    for line in lines:
        state = tuple(getattr(line, name) for name in type(line).__dataclass_fields__ if name != 'before_correction')
        states.setdefault(line.number, []).append(state)
    return any(len(pair) != 2 or pair[0] != pair[1] for pair in states.values())


def _check_parties(invoice: Invoice) -> Iterator[Finding]:
    """A wrong NIP can't be corrected: the invoice is corrected to zero and a new one issued (XSD: Podmiot1K, 2K)."""
    correction = invoice.correction
    if correction is None:
        return
    if correction.seller and correction.seller.nip != invoice.seller.nip:
        sentence = "the seller's NIP can't be changed by a correction"
        yield error('corrected-nip', 'correction.seller.nip', sentence, value=correction.seller.nip)
    today = {party.key: party.identifier for party in (*invoice.third_parties, invoice.buyer)}
    keyed = len(correction.buyers) > 1
    for position, old in enumerate(correction.buyers):
        path = f'correction.buyers[{position}]'
        new = today.get(old.key) if keyed else today.get(old.key, invoice.buyer.identifier)
        if new is None or (keyed and old.key is None):
            yield error('corrected-buyer-key', f'{path}.key', "the key doesn't tell which party of the invoice it is")
        elif isinstance(old.identifier, PolishTaxId) and old.identifier != new:
            sentence = "the buyer's NIP can't be changed by a correction"
            yield error('corrected-nip', f'{path}.identifier', sentence, value=old.identifier.nip)


def check_against_original(invoice: Invoice, original: Invoice) -> list[Finding]:
    """Return what is wrong with a correction of one invoice, as it stood after earlier corrections.

    :param original: the corrected invoice as it stands by now, see :func:`after_corrections`, with the line numbers that
        the correction uses; for one made by another program see :func:`check_header_against_original`.
    """
    return [
        *_original_findings(invoice, original),
        *_state_findings(invoice.lines, original.lines, 'lines'),
        *_state_findings(_order_lines(invoice), _order_lines(original), 'order.lines'),
        *_previous_findings(invoice, original),
    ]


def check_header_against_original(invoice: Invoice, original: Invoice) -> list[Finding]:
    """Return what is wrong with a correction of an invoice that another program made: currency, parties, number.

    That program may name a foreign buyer in another way, so of the buyers only two NIPs are compared.
    """
    return [
        finding for finding in _original_findings(invoice, original) if finding.code != 'original-buyer' or (
            isinstance(original.buyer.identifier, PolishTaxId) and isinstance(invoice.buyer.identifier, PolishTaxId))]


def agrees_with_foreign(invoice: Invoice, original: Invoice) -> bool:
    """Tell whether what a correction says of the state before is found on an invoice that another program made.

    Its lines are numbered in another way and may state other rates: a line is known by its identifier, else by text and
    value, and each stands for one line only. ``False`` says nothing against the correction.
    """
    for lines, originals in ((invoice.lines, original.lines), (_order_lines(invoice), _order_lines(original))):
        free = [line for line in originals if not line.before_correction]
        for line in lines:
            if line.before_correction:
                found = next((old for old in free if _is_same(line, old)), None)
                if found is None:
                    return False
                free.remove(found)
    return not any(_previous_findings(invoice, original))


def _is_same(line: Line | OrderLine, old: Line | OrderLine) -> bool:
    known = (line.uid and line.uid == old.uid) or collapse(line.name) == collapse(old.name)
    return known and _worth(line)[0] is not None and _worth(line)[0] == _worth(old)[0]


def after_corrections(original: Invoice, corrections: Iterable[Invoice]) -> Invoice:
    """Return an invoice as its corrections, in their order of issue, have left it.

    Lines that a correction states have become what it says; its new lines are lines of the invoice from then on. The
    total is what the corrections left of it.
    """
    lines, ordered, total = _by_number(original.lines), _by_number(_order_lines(original)), original.total
    for correction in corrections:
        lines |= _by_number(correction.lines)
        ordered |= _by_number(_order_lines(correction))
        total += correction.total
    order = original.order and replace(original.order, lines=tuple(ordered.values()))
    return replace(original, lines=tuple(lines.values()), order=order, total=total)


def _by_number(lines: tuple) -> dict:
    return {line.number: line for line in lines if not line.before_correction}


def _order_lines(invoice: Invoice) -> tuple:
    return invoice.order.lines if invoice.order else ()


def _original_findings(invoice: Invoice, original: Invoice) -> Iterator[Finding]:
    if original.currency != invoice.currency:
        sentence = f"the corrected invoice is in {original.currency}"
        yield error('original-currency', 'currency', sentence, value=original.currency)
    if original.seller.nip != invoice.seller.nip:
        yield error('original-seller', 'seller.nip', "another seller issued the corrected invoice")
    if original.buyer.identifier != invoice.buyer.identifier:
        yield error('original-buyer', 'buyer.identifier', "the corrected invoice names another buyer")
    named = [each.number for each in invoice.correction.invoices] if invoice.correction else []
    if original.number not in named:
        yield error('original-number', 'correction.invoices', f"{original.number} isn't named", value=original.number)


def _state_findings(lines: tuple, originals: tuple, path: str) -> Iterator[Finding]:
    """What a line was before is what it is on the corrected invoice, or in its order."""
    known = _by_number(originals)
    for position, line in enumerate(lines):
        if not line.before_correction:
            continue
        old = known.get(line.number)
        worth = None if old is None else _worth(old)[0]
        if worth is None:
            sentence = f"line {line.number} isn't on the corrected invoice"
            yield error('original-line-unknown', f'{path}[{position}].net', sentence, line=line.number)
        elif _worth(old) != _worth(line):
            sentence = f"line {line.number} doesn't say what the corrected invoice says"
            yield error('original-line', f'{path}[{position}].net', sentence, line=line.number, expected=f'{worth}')


def _previous_findings(invoice: Invoice, original: Invoice) -> Iterator[Finding]:
    """Of a corrected advance or settlement the amount before (P_15ZK) is what its corrections have left of it."""
    previous = invoice.correction.previous if invoice.correction else None
    if previous and previous.amount != original.total:
        sentence = f"{previous.amount} before the correction, {original.total} by the corrected invoice"
        values = {'value': str(previous.amount), 'expected': str(original.total)}
        yield error('original-amount', 'correction.previous', sentence, **values)


def _worth(line: Line | OrderLine) -> tuple[Decimal | None, object]:
    return net_of(line) if isinstance(line, Line) else line.net, line.rate


RULES = (_check_block, _check_corrected, _check_parties)
ARITHMETIC = (_check_effect,)
