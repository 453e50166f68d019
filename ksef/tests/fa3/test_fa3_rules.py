"""Each rule has an invoice that breaks it alone: exactly one finding, with its code, path and severity."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from fa3_invoices import ADDRESS, D, invoice, with_account, with_buyer, with_line, with_seller

from ksef.fa3 import rules, writer
from ksef.fa3.codes import InvoiceKind, TaxGroup, TaxRate
from ksef.fa3.finding import Finding, has_errors
from ksef.fa3.model import (
    Annotations,
    Contact,
    CorrectedInvoice,
    Correction,
    EuVatId,
    GroupTotal,
    NoTaxId,
    OtherTaxId,
    Payment,
    Remark,
)

ZERO_WDT = {'rate': TaxRate.ZERO_INTRA_EU}
GERMAN = EuVatId(prefix='DE', number='123456788')
STANDARD, REDUCED = TaxGroup.STANDARD, TaxGroup.REDUCED_FIRST


def totals(**changes):
    """The sums of the valid invoice, with changes to the standard group."""
    base = {total.group: total for total in invoice().group_totals}
    return (base[REDUCED], replace(base[STANDARD], **changes))


def single(rate, **values):
    """An invoice of one line of 90.00 with a rate that has no tax."""
    line = replace(invoice().lines[0], rate=rate)
    totals = (GroupTotal(group=rate.group, net=D('90.00')),)
    return invoice(lines=(line,), total=D('90.00'), group_totals=totals, **values)


def large(**line):
    """An invoice over 15,000 PLN."""
    first = replace(invoice().lines[0], quantity=D(1), unit_price=D(20000), discount=None, net=D(20000), **line)
    return invoice(lines=(first,), total=D(24600), group_totals=(GroupTotal(group=STANDARD, net=D(20000), tax=D(4600)),))


seller = invoice().seller
BROKEN = [
    # values
    ('text-too-long', 'lines[0].name', with_line({'name': 'x' * 513})),
    ('text-spaces', 'number', invoice(number="FV  1")),
    ('text-too-long', 'number', invoice(number="F" * 257)),
    ('character-forbidden', 'lines[0].name', with_line({'name': "a\x07"})),
    ('number-decimals', 'lines[0].quantity', with_line({'quantity': D('3.0000001')})),
    ('number-decimals', 'lines[0].unit_price', with_line({'unit_price': D('33.330000001')})),
    ('date-range', 'lines[0].supply_date', with_line({'supply_date': date(2005, 1, 1)})),
    ('value-missing', 'seller.nip', with_seller(nip=None)),
    ('value-missing', 'seller.address', with_seller(address=None)),
    ('value-missing', 'buyer.address.country', with_buyer(address=replace(ADDRESS, country=None))),
    ('value-missing', 'created_at', invoice(created_at=None)),
    ('country-unknown', 'seller.address.country', with_seller(address=replace(ADDRESS, country='UK'))),
    ('email-format', 'seller.contacts[0].email', with_seller(contacts=(Contact(email="nothing"),))),
    ('text-too-long', 'buyer.contacts[1].phone', with_buyer(contacts=(Contact(phone="1"), Contact(phone="1" * 17)))),
    ('too-many', 'buyer.contacts', with_buyer(contacts=(Contact(phone="1"),) * 4)),
    ('too-many', 'remarks', invoice(remarks=(Remark(key="k", value="v"),) * 10001)),
    ('text-empty', 'remarks[0].value', invoice(remarks=(Remark(key="k", value=""),))),
    ('text-too-long', 'warehouse_documents[1]', invoice(warehouse_documents=("WZ", "W" * 257))),
    ('tax-in-pln-unexpected', 'group_totals[1].tax_in_pln', invoice(group_totals=totals(tax_in_pln=D('20.70')))),
    ('total-tax-missing', 'group_totals[1].tax', invoice(group_totals=totals(tax=None), total=D('144.00'))),
    ('total-tax-unexpected', 'group_totals[0].tax', replace(
        single(TaxRate.ZERO_DOMESTIC), group_totals=(
            GroupTotal(group=TaxGroup.ZERO_DOMESTIC, net=D('90.00'), tax=D('0.00')),))),
    # parties
    ('nip-format', 'seller.nip', with_seller(nip='PL5795955811')),
    ('nip-checksum', 'seller.nip', with_seller(nip='5795955812')),
    ('nip-checksum', 'buyer.identifier.nip', with_buyer(identifier=replace(invoice().buyer.identifier, nip='5261040829'))),
    ('eu-prefix-unknown', 'buyer.identifier.prefix', with_buyer(identifier=EuVatId(prefix='US', number='1'))),
    ('eu-number-polish', 'buyer.identifier.prefix', with_buyer(identifier=EuVatId(prefix='PL', number='5261040828'))),
    ('eu-vat-format', 'buyer.identifier.number', with_buyer(identifier=EuVatId(prefix='XI', number='1' * 13))),
    ('buyer-name-missing', 'buyer.name', with_buyer(name=None)),
    ('buyer-address-missing', 'buyer.address', with_buyer(address=None)),
    ('buyer-unit', 'buyer.local_government_unit', with_buyer(local_government_unit=True)),
    ('buyer-unit', 'buyer.vat_group_member', with_buyer(vat_group_member=True)),
    ('rate-needs-eu-buyer', 'buyer.identifier', single(
        TaxRate.ZERO_INTRA_EU, seller=replace(seller, eu_prefix='PL'))),
    ('rate-needs-eu-buyer', 'buyer.identifier', single(
        TaxRate.SERVICES_ART_100, seller=replace(seller, eu_prefix='PL'), annotations=Annotations(reverse_charge=True))),
    ('seller-prefix-missing', 'seller.eu_prefix', single(
        TaxRate.ZERO_INTRA_EU, buyer=replace(invoice().buyer, identifier=GERMAN))),
    ('rate-needs-polish-buyer', 'buyer.identifier', single(
        TaxRate.REVERSE_CHARGE, annotations=Annotations(reverse_charge=True),
        buyer=replace(invoice().buyer, identifier=OtherTaxId(country='US', number='1')))),
    ('account-format', 'payment.accounts[0].number', with_account(number='12345')),
    ('account-checksum', 'payment.accounts[0].number', with_account(number='61109010140000071219812875')),
    ('account-checksum', 'payment.accounts[0].number', with_account(number='DE89370400440532013001')),
    ('account-checksum', 'payment.accounts[0].number', with_account(number='PL6110901014000007121981287')),
    ('swift-format', 'payment.accounts[0].swift', with_account(swift='WBKPPL')),
    # dates
    ('supply-date-same', 'supply_date', invoice(supply_date=invoice().issue_date)),
    ('supply-date-far', 'supply_date', invoice(supply_date=date(2027, 1, 21))),
    ('issue-date-future', 'issue_date', invoice(issue_date=date(2026, 11, 23))),
    # lines
    ('lines-missing', 'lines', invoice(lines=(), group_totals=(), total=D(0))),
    ('line-name-missing', 'lines[0].name', with_line({'name': None})),
    ('line-numbers', 'lines', with_line({'number': 3})),
    ('line-uids', 'lines', with_line({'uid': 'b'})),
    ('remark-line', 'remarks[0].line_number', invoice(remarks=(Remark(key="k", value="v", line_number=3),))),
    ('line-arithmetic', 'lines[0].net', with_line({'discount': D('9.98')})),
    ('line-arithmetic', 'lines[0].net', with_line({'unit_price': D('33.34')})),
    ('line-rate-missing', 'lines[0].rate', with_line({'rate': None}, invoice(
        total=D('54'), group_totals=totals()[:1]))),
    ('line-net-missing', 'lines[0].net', with_line({'net': None}, invoice(
        group_totals=totals(net=D('0.00'), tax=D('0.00')), total=D(54)))),
    # sums
    ('group-twice', 'group_totals', invoice(group_totals=(*totals(), GroupTotal(
        group=STANDARD, net=D('90.00'), tax=D('20.70'))), total=D('275.40'))),
    ('group-mismatch', 'group_totals', invoice(
        group_totals=(*totals(), GroupTotal(group=TaxGroup.ZERO_DOMESTIC, net=D('0.00'))))),
    ('net-sum', 'group_totals[1].net', invoice(group_totals=totals(net=D('90.03'), tax=D('20.71')), total=D('164.74'))),
    ('tax-sum', 'group_totals[1].tax', invoice(group_totals=totals(tax=D('20.73')), total=D('164.73'))),
    ('total-sum', 'total', invoice(total=D('164.71'))),
    ('reverse-charge-missing', 'annotations.reverse_charge', single(TaxRate.REVERSE_CHARGE)),
    ('reverse-charge-unfounded', 'annotations.reverse_charge', invoice(annotations=Annotations(reverse_charge=True))),
    ('split-payment-missing', 'annotations.split_payment', large(annex_15=True)),
]


@pytest.mark.parametrize(('code', 'path', 'subject'), BROKEN, ids=[f'{code} {path}' for code, path, _ in BROKEN])
def test_a_rule_that_is_broken_alone(code, path, subject):
    findings = rules.check(subject, date(2026, 11, 22))
    assert [(finding.severity, finding.code, finding.path) for finding in findings] == [('error', code, path)]
    assert findings[0].message


def test_valid_invoices():
    valid = (
        invoice(), single(TaxRate.ZERO_DOMESTIC), large(), invoice(supply_date=date(2026, 11, 1)),
        invoice(supply_date=date(2027, 1, 20)), with_buyer(identifier=NoTaxId()), invoice(payment=None),
        invoice(payment=Payment()), with_account(number='61109010140000071219812874'),
        with_account(number='00123456789'), single(
            TaxRate.ZERO_INTRA_EU, buyer=replace(invoice().buyer, identifier=GERMAN), seller=replace(seller, eu_prefix='PL')),
        single(TaxRate.OUTSIDE_POLAND),
        with_buyer(identifier=EuVatId(prefix='XI', number='123456782')),
        # within rounding: half a grosz for each line, and a grosz for the document
        invoice(group_totals=totals(tax=D('20.72')), total=D('164.72')),
        with_line({'unit_price': D('33.33166667')}), with_line({'quantity': D('-1'), 'unit_price': D('-99.99')}),
    )
    for subject in valid:
        assert rules.check(subject, date(2026, 11, 21)) == []


def test_reverse_charge_abroad_is_asked_about():
    subject = single(TaxRate.OUTSIDE_POLAND, annotations=Annotations(reverse_charge=True))
    assert [found.code for found in rules.check(subject, date(2026, 11, 21))] == ['reverse-charge-doubt']


def test_net_sum_that_differs_by_rounding_is_named():
    subject = invoice(group_totals=totals(net=D('90.02'), tax=D('20.70')), total=D('164.72'))
    assert [found.code for found in rules.check(subject, date(2026, 11, 21))] == ['net-sum-rounding']


def test_warnings():
    doubtful = with_buyer(identifier=EuVatId(prefix='DE', number='123456789'))
    lines = (*invoice().lines, replace(
        invoice().lines[0], number=3, uid='c', quantity=D(-1), unit_price=D(10), discount=None, net=D(-10)))
    negative = invoice(lines=lines, group_totals=totals(net=D(80), tax=D('18.40')), total=D('152.40'))
    for subject, code, path in (
            (doubtful, 'eu-vat-doubtful', 'buyer.identifier.number'), (negative, 'line-negative', 'lines[2].net')):
        assert [(finding.severity, finding.code, finding.path) for finding in rules.check(subject)] == [
            ('warning', code, path)]


def test_sums_below_zero():
    line = replace(invoice().lines[0], quantity=D(-1), unit_price=D(100), discount=None, net=D(-100))
    subject = invoice(lines=(line, invoice().lines[1]), group_totals=totals(net=D(-100), tax=D(-23)), total=D(-69))
    assert ('error', 'sum-negative') in [(finding.severity, finding.code) for finding in rules.check(subject)]
    correction = Correction(invoices=(CorrectedInvoice(issue_date=date(2026, 11, 1), number="FV/1"),))
    corrected = replace(subject, kind=InvoiceKind.CORRECTION, correction=correction)
    assert not has_errors(rules.check(corrected)), "that is what a correction is"


@pytest.mark.parametrize('name', ['seller', 'buyer', 'annotations', 'issue_date', 'total', 'kind', 'currency', 'number'])
def test_an_invoice_without_something_necessary_is_judged_all_the_same(name):
    findings = rules.check(invoice(**{name: None}), date(2026, 11, 22))
    assert ('value-missing', name) in [(finding.code, finding.path) for finding in findings]


def test_without_a_day_dates_of_issue_are_not_judged():
    assert rules.check(invoice(issue_date=date(2040, 1, 1))) == []


def test_calculated_prices_pass_the_arithmetic():
    """A price rounded to 8 digits times a large quantity may be off by more than half a grosz."""
    quantity, exact = D(1_000_000), D(1) / D(3)
    net = (quantity * exact).quantize(D('0.01'))
    line = {'quantity': quantity, 'unit_price': exact.quantize(D('0.00000001')), 'discount': None, 'net': net}
    subject = with_line(line, invoice(
        group_totals=totals(net=net, tax=(net * D('0.23')).quantize(D('0.01'))), total=D('410053.99') + D('0.00')))
    assert [finding.code for finding in rules.check(subject) if finding.code == 'line-arithmetic'] == []


FILES = [
    ('file-size', b'<a>' + b' ' * 1_000_000 + b'</a>'),
    ('file-byte-order-mark', b'\xef\xbb\xbf<a/>'),
    ('file-encoding', b'<?xml version="1.0" encoding="iso-8859-2"?><a/>'),
    ('file-encoding', b"<?xml version='1.0' encoding='utf-16'?><a/>"),
    ('character-forbidden', '<a>\x80</a>'.encode()),
    ('character-forbidden', '<a>\ufdd0</a>'.encode()),
    ('character-forbidden', '<a>\U0001ffff</a>'.encode()),
    ('file-doctype', b'<!DOCTYPE a><a/>'),
    ('file-instruction', b'<?xml-stylesheet href="x.xsl"?><a/>'),
    ('file-instruction', b'<a><b><?x y?></b></a>'),
    ('file-instruction', b'<a/><?x y?>'),
    ('file-not-xml', b'<a>'),
]


@pytest.mark.parametrize(('code', 'content'), FILES)
def test_files(code, content):
    codes = [finding.code for finding in rules.check_file(content)]
    # Text in another encoding, or a document cut off by it, may be no XML either.
    assert code in codes
    assert set(codes) <= {code, 'file-not-xml'}


def test_files_that_are_fine():
    for content in (writer.write(invoice()), b'<a/>', b'<?xml version="1.0"?>\n<a><!-- x --></a>',
                    b"<?xml version='1.0' encoding='utf-8'?><a/>", '<a>\x85\u2028😀</a>'.encode()):
        assert rules.check_file(content) == []
    assert rules.check_file(b'<a>' + b' ' * 999_993 + b'</a>') == [], "a million bytes"


def test_files_with_an_attachment_may_be_larger():
    content = b'<a>' + b' ' * 1_500_000 + b'<f:Zalacznik xmlns:f="f">%s</f:Zalacznik></a>'
    assert rules.check_file(content % b'') == []
    assert [finding.code for finding in rules.check_file(content % (b' ' * 1_500_000))] == ['file-size']


def test_files_that_are_not_utf8():
    codes = [finding.code for finding in rules.check_file(b'<a>\xb1</a>')]
    assert 'file-encoding' in codes


def test_entities_are_not_expanded(tmp_path):
    secret = tmp_path / 'secret'
    secret.write_text("hidden")
    content = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]><a>&x;</a>'.encode()
    findings = rules.check_file(content)
    assert 'file-doctype' in [finding.code for finding in findings]
    assert all("hidden" not in str(finding) for finding in findings)


def test_severity_of_findings_is_one_of_two():
    with pytest.raises(ValueError, match="severity"):
        Finding('fatal', 'x', '')
    assert Decimal(0) == D(0)
