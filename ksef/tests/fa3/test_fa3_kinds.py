"""Kinds of invoices: valid ones stay without findings; each rule has an invoice that breaks it alone."""

import ast
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fa3_invoices import ADDRESS, D, invoice, schema
from fa3_kinds import (
    GERMAN,
    KSEF_NUMBER,
    LINE,
    ORDER,
    REDUCED,
    STANDARD,
    VALID,
    advance,
    advance_correction,
    attached,
    block,
    collective_correction,
    correction,
    data_correction,
    difference_correction,
    exempt,
    foreign,
    foreign_advance,
    intra_eu,
    line,
    margin,
    new_car,
    one_stop_shop,
    paid_in_parts,
    rate_correction,
    settled_items,
    settlement,
    settlement_correction,
    simplified,
    single,
    table,
    third,
    total,
    triangle,
    two_rates_of_exchange,
    unit,
    with_footer,
    with_tax_in_prices,
)
from test_fa3_rules import BROKEN, FILES

from ksef.fa3 import reader, rules, writer
from ksef.fa3.codes import AuthorizedRole, InstalmentsExtent, InvoiceKind, Procedure, TaxGroup, TaxRate, ThirdPartyRole
from ksef.fa3.model import (
    AdvanceInvoice,
    AgreedRate,
    Annotations,
    AuthorizedParty,
    Carrier,
    CorrectedBuyer,
    CorrectedSeller,
    EuVatId,
    Exemption,
    InternalId,
    Line,
    NoTaxId,
    OrderLine,
    Payment,
    PaymentTerm,
    Period,
    PolishTaxId,
    PreviousAmount,
    TermDescription,
    Transaction,
    Transport,
)

TODAY = date(2026, 11, 22)
CODE = re.compile('[a-z]+(-[a-z0-9]+)+')
# Codes whose invoices stand in other tests, one by one.
ELSEWHERE = (
    'eu-vat-doubtful', 'line-negative', 'net-sum-rounding', 'reverse-charge-doubt', 'number-invalid', 'number-too-large',
    'original-amount', 'original-buyer', 'original-currency', 'original-line', 'original-line-unknown',
    'original-number', 'original-seller',
    'advance-foreign', 'advance-unnamed', 'settlement-part', 'settlement-remainder',
)
WRONG_NUMBER = '5795955811-20261101-0100001AF629-00'
WRONG_NIP = PolishTaxId(nip='5261040829')
seller, buyer = invoice().seller, invoice().buyer


def check(subject) -> list:
    """Severity, code and path of everything found."""
    return [(finding.severity, finding.code, finding.path) for finding in rules.check(subject, TODAY)]


@pytest.mark.parametrize('name', VALID)
def test_valid_kinds(name):
    """By every rule, by the schema, and back from the file."""
    assert check(VALID[name]) == []
    xml = writer.write(VALID[name])
    assert schema().validate(xml) == []
    assert check(reader.read(xml)) == []


def lines_of(subject, **changes):
    """The invoice with its first line changed."""
    return replace(subject, lines=(replace(subject.lines[0], **changes), *subject.lines[1:]))


def order_of(subject=None, position=0, **changes):
    """The advance with a line of its order changed."""
    subject = subject or advance()
    lines = list(subject.order.lines)
    lines[position] = replace(lines[position], **changes)
    return replace(subject, order=replace(subject.order, lines=tuple(lines)))


def party(**values):
    """The invoice with a third party."""
    return invoice(third_parties=(replace(third(ThirdPartyRole.PAYER), **values),))


def carried(identifier):
    """The invoice with a carrier."""
    transport = Transport(other_kind="rower", other_cargo="torba", carrier=Carrier(
        identifier=identifier, name="Kurier", address=ADDRESS))
    return invoice(transaction=Transaction(transports=(transport,)))


def large(**values):
    """Over 15,000 PLN, with goods of annex 15."""
    return single(line(1, '20000.00', annex_15=True), total(STANDARD, '20000.00', '4600.00'), '24600.00', **values)


def euro_large(rate):
    """4,920 EUR with goods of annex 15."""
    tax = str(D(920) * D(rate))
    return single(line(1, '4000.00', annex_15=True, exchange_rate=D(rate)), total(STANDARD, '4000.00', '920.00', tax),
                  '4920.00', currency='EUR')


old_seller = CorrectedSeller(nip=seller.nip, name="Dawny", address=ADDRESS)
old_buyer = CorrectedBuyer(identifier=buyer.identifier, name="Dawny", address=ADDRESS)
corrected = block().invoices[0]
pair = correction().lines

ERRORS = [
    # correction
    ('correction-missing', 'correction', correction(correction=None)),
    ('correction-unexpected', 'correction', invoice(correction=block())),
    ('value-missing', 'correction.invoices', correction(correction=block(invoices=()))),
    ('previous-amount-missing', 'correction.previous', advance_correction(correction=block())),
    ('previous-amount-missing', 'correction.previous', settlement_correction(correction=block())),
    ('previous-amount-unexpected', 'correction.previous', correction(
        correction=block(previous=PreviousAmount(amount=D(1))))),
    ('corrected-twice', 'correction.invoices', correction(correction=block(invoices=(corrected, corrected)))),
    ('corrected-later', 'correction.invoices[0].issue_date', correction(
        correction=block(invoices=(replace(corrected, issue_date=date(2026, 11, 22)),)))),
    ('ksef-number-checksum', 'correction.invoices[0].ksef_number', correction(
        correction=block(invoices=(replace(corrected, ksef_number=WRONG_NUMBER),)))),
    ('ksef-number-format', 'correction.invoices[0].ksef_number', correction(
        correction=block(invoices=(replace(corrected, ksef_number=KSEF_NUMBER[:-1]),)))),
    ('corrected-nip', 'correction.seller.nip', correction(
        correction=block(seller=replace(old_seller, nip='5261040828')))),
    ('corrected-nip', 'correction.buyers[0].identifier', correction(
        correction=block(buyers=(replace(old_buyer, identifier=PolishTaxId(nip='5795955811')),)))),
    ('corrected-buyer-key', 'correction.buyers[1].key', correction(
        buyer=replace(buyer, key='1'), correction=block(buyers=(replace(old_buyer, key='1'), old_buyer)))),
    ('line-before-unexpected', 'lines[0].before_correction', lines_of(invoice(), before_correction=True)),
    ('correction-pair-missing', 'lines[0].before_correction', correction(
        lines=pair[:1], total=D(-123), group_totals=(total(STANDARD, '-100.00', '-23.00'),))),
    ('correction-pair-uid', 'lines[0].uid', lines_of(correction(), uid='other')),
    ('correction-pair-uid', 'order.lines[0].uid', order_of(advance_correction(), uid='other')),
    ('line-numbers', 'lines', correction(lines=(pair[0], replace(pair[1], uid=None), pair[1]), total=D('73.80'), group_totals=(
        total(STANDARD, '60.00', '13.80'),))),
    ('net-sum', 'group_totals[0].net', correction(
        group_totals=(total(STANDARD, '80.00', '18.40'),), total=D('98.40'))),
    ('tax-sum', 'group_totals[0].tax', correction(
        group_totals=(total(STANDARD, '-20.00', '-4.57'),), total=D('-24.57'))),
    ('group-mismatch', 'group_totals', replace(
        rate_correction(), group_totals=rate_correction().group_totals[:1], total=D(-123))),
    ('tax-sum', 'group_totals[0].tax', replace(
        collective_correction(), group_totals=(total(STANDARD, '-20.00', '-5.00'),), total=D(-25))),
    ('total-sum', 'total', correction(total=D('-24.61'))),
    ('total-sum', 'total', replace(data_correction(), total=D(1))),
    ('line-arithmetic', 'lines[0].net', lines_of(difference_correction(), unit_price=D(-21))),
    # advances and settlements
    ('order-missing', 'order', advance(order=None)),
    ('order-sum', 'order.total', advance(order=replace(ORDER, total=D('1230.03')))),
    ('order-sum', 'order.total', advance_correction(order=replace(advance_correction().order, total=D(1230)))),
    ('advance-exceeds-order', 'total', advance(
        total=D(2460), partial_advances=(), group_totals=(total(STANDARD, '2000.00', '460.00'),))),
    ('line-net-missing', 'order.lines[1].net', order_of(
        advance(order=replace(ORDER, total=D(1230), lines=(*ORDER.lines, OrderLine(number=2, name="B", rate=TaxRate.VAT_8)))),
        position=1)),
    ('line-rate-missing', 'order.lines[1].rate', advance(order=replace(ORDER, total=D(1240), lines=(
        *ORDER.lines, OrderLine(number=2, name="B", net=D(10)))))),
    ('line-name-missing', 'order.lines[0].name', order_of(name=None)),
    ('line-arithmetic', 'order.lines[0].net', order_of(unit_price=D(999))),
    ('line-tax', 'order.lines[0].tax', advance(order=replace(ORDER, total=D('1230.02'), lines=(
        replace(ORDER.lines[0], tax=D('230.02')),)))),
    ('line-numbers', 'order.lines', order_of(number=2)),
    ('code-excluded', 'order.lines[0].procedure', order_of(procedure=Procedure.CUSTOMS_42)),
    ('partial-advances-sum', 'partial_advances', advance(partial_advances=advance().partial_advances[:1])),
    ('tax-sum', 'group_totals[0].tax', advance(
        group_totals=(total(STANDARD, '190.00', '56.00'),))),
    ('group-mismatch', 'group_totals', advance(group_totals=(total(REDUCED, '227.78', '18.22'),))),
    ('sum-negative', 'group_totals[0].net', advance(
        group_totals=(total(STANDARD, '-200.00', '-46.00'),), total=D(-246), partial_advances=())),
    ('advances-missing', 'advance_invoices', settlement(advance_invoices=())),
    ('advance-twice', 'advance_invoices', settlement(advance_invoices=settlement().advance_invoices * 2)),
    ('choice-missing', 'advance_invoices[0].number', settlement(advance_invoices=(AdvanceInvoice(),))),
    ('choice-several', 'advance_invoices[0].number', settlement(
        advance_invoices=(AdvanceInvoice(number="1", ksef_number=KSEF_NUMBER),))),
    ('ksef-number-checksum', 'advance_invoices[0].ksef_number', settlement(
        advance_invoices=(AdvanceInvoice(ksef_number=WRONG_NUMBER),))),
    ('settlement-sum', 'group_totals[0].net', settlement(
        group_totals=(total(STANDARD, '1000.03', '230.01'),), total=D('1230.04'))),
    ('lines-missing', 'lines', settlement(lines=())),
    ('partial-advances-sum', 'partial_advances', settlement(partial_advances=(
        replace(advance().partial_advances[0], amount=D(985)),))),
    # simplified
    ('simplified-limit', 'total', simplified(total=D('450.01'))),
    ('simplified-limit', 'total', simplified(total=D('100.01'), currency='EUR')),
    ('simplified-buyer', 'buyer.identifier', simplified(buyer=replace(buyer, identifier=NoTaxId()))),
    ('simplified-tax', 'group_totals', simplified(lines=(Line(number=1, name="Wiertarka"),))),
    ('net-sum', 'group_totals[0].net', simplified(
        lines=(line(1, '100.00'),), group_totals=(total(STANDARD, '110.00', '25.30'),), total=D('135.30'))),
    # lines
    ('line-arithmetic', 'lines[0].gross', lines_of(with_tax_in_prices(), gross_unit_price=D('41.00'))),
    ('line-tax', 'lines[0].tax', lines_of(invoice(), tax=D('20.72'))),
    ('line-gross', 'lines[0].gross', replace(invoice(), lines=(
        replace(LINE, gross=D('110.72')), invoice().lines[1]))),
    ('line-gross', 'lines[0].gross', replace(invoice(), lines=(
        replace(LINE, gross=D('110.72'), tax=D('20.70')), invoice().lines[1]))),
    ('vehicle-line', 'annotations.new_transport.vehicles[0].line_number', new_car(annotations=Annotations(
        new_transport=replace(new_car().annotations.new_transport, vehicles=(
            replace(new_car().annotations.new_transport.vehicles[0], line_number=2),))))),
    ('tax-sum', 'group_totals[0].tax', one_stop_shop(
        group_totals=(total(TaxGroup.ONE_STOP_SHOP, '100.00', '20.00'),), total=D(120))),
    ('total-sum', 'total', one_stop_shop(group_totals=(total(TaxGroup.ONE_STOP_SHOP, '100.00'),), total=D(120))),
    # annotations
    ('exemption-missing', 'annotations.exemption', exempt(annotations=Annotations())),
    ('exemption-unfounded', 'annotations.exemption', invoice(annotations=exempt().annotations)),
    ('choice-missing', 'annotations.exemption.polish_act', exempt(annotations=Annotations(exemption=Exemption()))),
    ('choice-several', 'annotations.exemption.polish_act', exempt(
        annotations=Annotations(exemption=Exemption(polish_act="a", other_basis="b")))),
    ('margin-missing', 'annotations.margin', margin(
        annotations=Annotations(), kind=InvoiceKind.SIMPLIFIED, total=D(100), lines=(Line(number=1, name="a"),),
        group_totals=(total(TaxGroup.MARGIN, '100.00'),))),
    ('margin-unfounded', 'annotations.margin', invoice(annotations=margin().annotations)),
    ('new-transport-unfounded', 'annotations.new_transport', invoice(annotations=new_car().annotations)),
    ('triangular-buyer', 'annotations.triangular_second_taxpayer', invoice(
        seller=replace(seller, eu_prefix='PL'), annotations=Annotations(triangular_second_taxpayer=True))),
    ('seller-prefix-missing', 'seller.eu_prefix', triangle(seller=seller)),
    ('self-billing-buyer', 'annotations.self_billing', invoice(
        annotations=Annotations(self_billing=True), buyer=replace(buyer, identifier=NoTaxId()))),
    ('split-payment-missing', 'annotations.split_payment', large()),
    ('split-payment-missing', 'annotations.split_payment', euro_large('4.25')),
    ('split-payment-unfounded', 'annotations.split_payment', intra_eu(annotations=Annotations(split_payment=True))),
    # days
    ('period-order', 'period', invoice(period=Period(first=date(2026, 10, 31), last=date(2026, 10, 1)))),
    ('transport-order', 'transaction.transports[0].ended_at', invoice(transaction=Transaction(transports=(Transport(
        other_kind="rower", other_cargo="torba", started_at=datetime(2026, 11, 2, tzinfo=UTC),
        ended_at=datetime(2026, 11, 1, tzinfo=UTC)),)))),
    # currencies
    ('currency-unknown', 'currency', foreign(currency='ZZZ')),
    ('tax-in-pln-missing', 'group_totals[0].tax_in_pln', foreign(group_totals=(total(STANDARD, '100.00', '23.00'),))),
    ('tax-in-pln', 'group_totals[0].tax_in_pln', foreign(group_totals=(total(STANDARD, '100.00', '23.00', '98.00'),))),
    ('tax-in-pln', 'group_totals[0].tax_in_pln', foreign(group_totals=(total(STANDARD, '100.00', '23.00', '-97.84'),))),
    ('tax-in-pln', 'group_totals[0].tax_in_pln', replace(
        two_rates_of_exchange(), group_totals=(total(STANDARD, '200.00', '46.00', '195.70'),))),
    ('tax-in-pln', 'group_totals[0].tax_in_pln', foreign_advance(exchange_rate=D('4.40'))),
    ('exchange-rate-invalid', 'lines[0].exchange_rate', lines_of(foreign(
        group_totals=(total(STANDARD, '100.00', '23.00', '0.00'),)), exchange_rate=D(0))),
    ('agreed-rate-unexpected', 'transaction.agreed_rate', foreign(
        transaction=Transaction(agreed_rate=AgreedRate(rate=D(4), currency='EUR')))),
    ('value-missing', 'transaction.agreed_rate.currency', invoice(
        transaction=Transaction(agreed_rate=AgreedRate(rate=D(4), currency=None)))),
    # values
    ('number-range', 'lines[0].one_stop_shop_rate', lines_of(invoice(), one_stop_shop_rate=D('100.5'))),
    ('number-range', 'payment.terms[0].description.count', invoice(payment=Payment(terms=(PaymentTerm(
        description=TermDescription(count=10**14, unit="dni", event="dostawa")),)))),
    ('payment-id-format', 'payment.ksef_payment_id', invoice(payment=Payment(ksef_payment_id='12abcdefghijk'))),
    ('seller-prefix', 'seller.eu_prefix', invoice(seller=replace(seller, eu_prefix='DE'))),
    # parties
    ('nip-checksum', 'third_parties[0].identifier.nip', party(identifier=WRONG_NIP)),
    ('nip-checksum', 'third_parties[0].identifier.number', party(identifier=InternalId(number='5261040829-12345'))),
    ('internal-id-format', 'third_parties[0].identifier.number', party(identifier=InternalId(number='5261040828-1'))),
    ('eu-number-polish', 'third_parties[0].identifier.prefix', party(identifier=EuVatId(prefix='PL', number='5261040828'))),
    ('nip-checksum', 'authorized_party.nip', invoice(authorized_party=AuthorizedParty(
        nip='5261040829', name="Komornik", address=ADDRESS, role=AuthorizedRole.BAILIFF))),
    ('nip-checksum', 'transaction.transports[0].carrier.identifier.nip', carried(WRONG_NIP)),
    ('choice-missing', 'third_parties[0].role', party(role=None)),
    ('choice-several', 'third_parties[0].role', party(role_description="inna")),
    ('buyer-unit', 'buyer.local_government_unit', replace(unit(), third_parties=unit().third_parties[1:])),
    ('buyer-unit', 'buyer.vat_group_member', invoice(
        buyer=replace(buyer, vat_group_member=True),
        third_parties=(third(ThirdPartyRole.VAT_GROUP_RECIPIENT, identifier=NoTaxId()),))),
    ('buyer-unit-unmarked', 'buyer.vat_group_member', invoice(
        third_parties=(third(ThirdPartyRole.VAT_GROUP_RECIPIENT),))),
    ('share-unexpected', 'third_parties[0].share', party(share=D(10))),
    ('shares-sum', 'third_parties', invoice(
        third_parties=(third(ThirdPartyRole.ADDITIONAL_BUYER, share=D(60)), third(ThirdPartyRole.ADDITIONAL_BUYER, share=D(40))))),
    ('regon-checksum', 'footer.registers[0].regon', with_footer(regon='123456786')),
    ('regon-format', 'footer.registers[0].regon', with_footer(regon='1234567')),
    ('krs-format', 'footer.registers[0].krs', with_footer(krs='99999')),
    ('account-checksum', 'payment.factor_accounts[0].number', replace(unit(), payment=Payment(
        factor_accounts=(replace(invoice().payment.accounts[0], number='PL61109010140000071219812875'),)))),
    # payment
    ('settlement-items', 'settlement.charges_total', invoice(settlement=settled_items(charges_total=D(6)))),
    ('settlement-items', 'settlement.deductions_total', invoice(settlement=settled_items(deductions_total=D(9)))),
    ('settlement-due', 'settlement.to_pay', invoice(settlement=settled_items(to_pay=D('164.70')))),
    ('settlement-due', 'settlement.to_settle', invoice(settlement=settled_items(to_pay=None, to_settle=D(1)))),
    ('choice-several', 'settlement.to_pay', invoice(settlement=settled_items(
        deductions=(replace(settled_items().deductions[0], amount=D('169.70')),), deductions_total=D('169.70'),
        to_pay=D(0), to_settle=D(0)))),
    ('instalments-whole', 'payment.instalments', invoice(payment=paid_in_parts(
        instalments=replace(paid_in_parts().instalments, extent=InstalmentsExtent.WHOLE)))),
    ('instalments-part', 'payment.instalments', invoice(payment=paid_in_parts(instalments=replace(
        paid_in_parts().instalments, payments=(replace(paid_in_parts().instalments.payments[0], amount=D('164.70')),))))),
    ('choice-several', 'payment.paid_on', invoice(payment=paid_in_parts(paid_on=date(2026, 11, 10)))),
    ('choice-several', 'payment.form', invoice(payment=replace(invoice().payment, other_form="barter"))),
    ('payment-link-format', 'payment.link', invoice(payment=Payment(link="https://example.com/pay"))),
    ('payment-link-id', 'payment.link', invoice(payment=Payment(
        link="https://example.com/pay?IPKSeF=123abcdefghij", ksef_payment_id='123abcdefghik'))),
    # attachment
    ('table-cells', 'attachment.blocks[0].tables[0].rows[1]', attached(table(
        rows=(table().rows[0], replace(table().rows[1], cells=("a", "1", "2")))))),
    ('table-cells', 'attachment.blocks[0].tables[0].sums', attached(table(sums=("", "1", "2")))),
    ('value-missing', 'attachment.blocks[0].tables[0].rows', attached(table(rows=()))),
    ('value-missing', 'attachment.blocks[0].tables[0].columns[0].type', attached(table(
        columns=(replace(table().columns[0], type=None), table().columns[1])))),
]

WARNINGS = [
    ('correction-empty', 'correction', replace(data_correction(), correction=block())),
    ('correction-empty', 'correction', correction(
        lines=(pair[0], replace(pair[0], before_correction=False)), group_totals=(), total=D(0))),
    ('ksef-number-checksum', 'correction.invoices[0].ksef_number', correction(correction=block(
        invoices=(replace(corrected, issue_date=date(2025, 11, 1), ksef_number='5795955811-20251101-0100001AF629-00'),)))),
    ('ksef-number-seller', 'correction.invoices[0].ksef_number', correction(
        seller=replace(seller, nip='5261040828'))),
    ('order-unexpected', 'order', invoice(order=ORDER)),
    ('partial-advances-unexpected', 'partial_advances', invoice(partial_advances=advance().partial_advances)),
    ('advances-unexpected', 'advance_invoices', invoice(advance_invoices=settlement().advance_invoices)),
    ('exchange-rate-missing', 'group_totals[0].tax_in_pln', lines_of(foreign(), exchange_rate=None)),
    ('exchange-rate-unexpected', 'lines[0].exchange_rate', lines_of(invoice(), exchange_rate=D(4))),
    ('advance-rate-unexpected', 'exchange_rate', foreign(exchange_rate=D('4.2537'))),
    ('procedure-triangular', 'lines[0].procedure', lines_of(intra_eu(), procedure=Procedure.TRIANGULAR)),
    ('procedure-customs', 'lines[0].procedure', lines_of(invoice(), procedure=Procedure.CUSTOMS_42)),
    ('eu-vat-doubtful', 'third_parties[0].identifier.number', party(identifier=replace(GERMAN, number='123456789'))),
    ('eori-format', 'buyer.eori', invoice(buyer=replace(buyer, eori="5261040828"))),
    ('bdo-format', 'footer.registers[0].bdo', with_footer(bdo='99999')),
    ('gtin-checksum', 'lines[0].gtin', lines_of(invoice(), gtin='5901234123458')),
    ('factor-missing', 'payment.factor_accounts', replace(unit(), third_parties=unit().third_parties[:1])),
    ('paid-later', 'payment.paid_on', invoice(payment=Payment(paid_on=TODAY))),
    ('table-number', 'attachment.blocks[0].tables[0].rows[1]', attached(table(
        rows=(table().rows[0], replace(table().rows[1], cells=("A1", "dużo")))))),
]


def coded() -> set[str]:
    """The codes of all findings that the rules can make, from their source."""
    found = set()
    for path in (*Path(rules.__file__).parent.glob('rules*.py'), Path(rules.__file__).parent / 'lexical.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and getattr(node.func, 'id', '').endswith(('error', 'warning', 'Finding', 'Text', 'Member')):
                found |= {each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)}
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and isinstance(node.value.elts[0], ast.Constant):
                found.add(node.value.elts[0].value)
    return {code for code in found if CODE.fullmatch(code)}


def test_each_code_has_a_case():
    """A rule without an invoice that breaks it could as well not be there."""
    tested = {code for code, _, _ in (*ERRORS, *WARNINGS, *BROKEN)} | {code for code, _ in FILES} | set(ELSEWHERE)
    assert len(coded()) > 100
    assert coded() - tested == set()
    assert tested - coded() == set()


def names(cases) -> list[str]:
    """Names of the cases."""
    return [f'{code} {path}' for code, path, _ in cases]


@pytest.mark.parametrize(('code', 'path', 'subject'), ERRORS, ids=names(ERRORS))
def test_a_rule_that_is_broken_alone(code, path, subject):
    assert check(subject) == [('error', code, path)]


@pytest.mark.parametrize(('code', 'path', 'subject'), WARNINGS, ids=names(WARNINGS))
def test_a_doubt_alone(code, path, subject):
    assert check(subject) == [('warning', code, path)]
