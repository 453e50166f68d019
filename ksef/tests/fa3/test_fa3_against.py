"""Corrections against the invoice that they correct, settlements against their advances."""

from dataclasses import replace
from datetime import date

import pytest
from fa3_invoices import D, invoice
from fa3_kinds import (
    REDUCED,
    STANDARD,
    advance,
    advance_correction,
    correction,
    difference_correction,
    line,
    settlement,
    settlement_correction,
    total,
)

from ksef.fa3 import rules
from ksef.fa3.codes import TaxRate
from ksef.fa3.model import AdvanceInvoice, NoTaxId

seller, buyer = invoice().seller, invoice().buyer

def codes(findings) -> list[str]:
    """Codes of findings."""
    return [finding.code for finding in findings]


ORIGINAL = invoice(number="FV/2026/0", issue_date=date(2026, 11, 1), lines=(line(1, '100.00'),), total=D(123),
                   group_totals=(total(STANDARD, '100.00', '23.00'),))


@pytest.mark.parametrize(('subject', 'original', 'found'), [
    (correction(), ORIGINAL, []),
    (difference_correction(), ORIGINAL, []),
    (correction(), replace(ORIGINAL, currency='EUR'), ['original-currency']),
    (correction(), replace(ORIGINAL, number="FV/1"), ['original-number']),
    (correction(), replace(ORIGINAL, seller=replace(seller, nip='5261040828')), ['original-seller']),
    (correction(), replace(ORIGINAL, buyer=replace(buyer, identifier=NoTaxId())), ['original-buyer']),
    (correction(), replace(ORIGINAL, lines=(line(1, '99.00'),)), ['original-line']),
    (correction(), replace(ORIGINAL, lines=(line(1, '100.00', TaxRate.VAT_8),)), ['original-line']),
    (correction(), replace(ORIGINAL, lines=(line(2, '100.00'),)), ['original-line-unknown']),
    # The invoice that is corrected may be a correction itself: what counts is what it left.
    (correction(), replace(ORIGINAL, lines=(line(1, '120.00', before_correction=True), line(1, '100.00'))), []),
])
def test_a_correction_against_the_invoice_that_it_corrects(subject, original, found):
    assert codes(rules.check_against_original(subject, original)) == found


def corrected(subject):
    """The advance or settlement with the number that its correction names."""
    return replace(subject, number="FV/2026/0")


CHEAPER = replace(ORIGINAL.lines[0], net=D('90.00'), unit_price=D('90.00'))


@pytest.mark.parametrize(('subject', 'original', 'found'), [
    (advance_correction(), corrected(advance()), []),
    (advance_correction(), corrected(advance(total=D(240))), ['original-amount']),
    (advance_correction(), replace(corrected(advance()), order=replace(
        advance().order, lines=(replace(advance().order.lines[0], net=D(900)),))), ['original-line']),
    (settlement_correction(), corrected(settlement()), []),
    (settlement_correction(), corrected(settlement(total=D(1))), ['original-amount']),
])
def test_amounts_and_orders_before(subject, original, found):
    assert codes(rules.check_against_original(subject, original)) == found


def test_corrections_lead_from_one_state_to_the_next():
    first = correction(lines=(replace(ORIGINAL.lines[0], before_correction=True), CHEAPER, line(2, '5.00')), total=D(-6))
    state = rules.after_corrections(ORIGINAL, [first])
    assert state.lines == (CHEAPER, line(2, '5.00'))
    assert state.total == D(117)
    second = correction(lines=(replace(ORIGINAL.lines[0], before_correction=True), CHEAPER))
    assert codes(rules.check_against_original(second, state)) == ['original-line']
    advances = rules.after_corrections(advance(), [advance_correction()])
    assert [each.rate for each in advances.order.lines] == [TaxRate.VAT_8]


NAMED = settlement().advance_invoices[0]


@pytest.mark.parametrize(('subject', 'advances', 'found'), [
    (settlement(), [(NAMED, advance())], []),
    (settlement(), [], ['advance-foreign', 'settlement-remainder']),
    (settlement(), [(NAMED, advance()), (AdvanceInvoice(number="2"), advance())], ['advance-unnamed', 'settlement-remainder']),
    (settlement(), [(NAMED, advance(group_totals=(total(STANDARD, '200.04', '46.01'),)))], ['settlement-remainder']),
    (settlement(), [(NAMED, advance(group_totals=(total(REDUCED, '200.00', '16.00'),)))], ['settlement-remainder'] * 2),
    # Half of the order, and not the whole advance taken off: another settlement may take the rest.
    (settlement(lines=(line(1, '500.00'),), group_totals=(total(STANDARD, '400.00', '92.00'),)), [(NAMED, advance())],
     ['settlement-part']),
    (settlement(lines=(line(1, '500.00'),), group_totals=(total(STANDARD, '200.00', '46.00'),)), [(NAMED, advance())],
     ['settlement-remainder']),
])
def test_a_settlement_against_its_advances(subject, advances, found):
    assert codes(rules.check_against_advances(subject, advances)) == found
