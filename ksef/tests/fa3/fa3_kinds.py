"""A valid invoice of every kind that the rules tell apart; each is what the law asks for, with whole arithmetic."""

from dataclasses import replace
from datetime import date

from fa3_invoices import ADDRESS, D, invoice

from ksef.fa3.codes import (
    ColumnType,
    CorrectionEffect,
    InstalmentsExtent,
    InvoiceKind,
    MarginKind,
    PaymentForm,
    Procedure,
    TaxGroup,
    TaxRate,
    ThirdPartyRole,
)
from ksef.fa3.model import (
    AdvanceInvoice,
    Annotations,
    Attachment,
    AttachmentBlock,
    BankAccount,
    Column,
    CorrectedBuyer,
    CorrectedInvoice,
    Correction,
    EuVatId,
    Exemption,
    Footer,
    FooterNote,
    GroupTotal,
    Instalment,
    Instalments,
    InternalId,
    Invoice,
    KeyValue,
    LandVehicle,
    Line,
    NewTransport,
    NewVehicle,
    NoTaxId,
    Order,
    OrderLine,
    PartialAdvance,
    Payment,
    PreviousAmount,
    Register,
    Row,
    Settlement,
    SettlementItem,
    Table,
    ThirdParty,
    Transaction,
)

STANDARD, REDUCED = TaxGroup.STANDARD, TaxGroup.REDUCED_FIRST
KSEF_NUMBER = '5795955811-20261101-0100001AF629-BC'
GERMAN = EuVatId(prefix='DE', number='123456788')
LINE = invoice().lines[0]
ONE = D(1)


def line(number: int, net: str, rate: TaxRate | None = TaxRate.VAT_23, **values) -> Line:
    """A line of one piece."""
    plain = {'number': number, 'uid': f'u{number}', 'name': f"Towar {number}", 'unit': "szt.", 'quantity': ONE,
             'unit_price': D(net), 'net': D(net), 'rate': rate}
    return Line(**(plain | values))


def gross_line(number: int, gross: str, rate: TaxRate | None, **values) -> Line:
    """A line of one piece with a price that includes the tax."""
    plain = line(number, '0', rate, gross_unit_price=D(gross), gross=D(gross), **values)
    return replace(plain, unit_price=None, net=None)


def total(group: TaxGroup, net: str, tax: str | None = None, tax_in_pln: str | None = None) -> GroupTotal:
    """Sums of a group."""
    return GroupTotal(group=group, net=D(net), tax=None if tax is None else D(tax),
                      tax_in_pln=None if tax_in_pln is None else D(tax_in_pln))


def single(the_line: Line, sums: GroupTotal, whole: str, **values) -> Invoice:
    """An invoice of one line."""
    return invoice(**({'lines': (the_line,), 'group_totals': (sums,), 'total': D(whole)} | values))


def block(**values) -> Correction:
    """What a correction corrects: one invoice in KSeF."""
    original = CorrectedInvoice(issue_date=date(2026, 11, 1), number="FV/2026/0", ksef_number=KSEF_NUMBER)
    return Correction(**({'invoices': (original,), 'reason': "zmiana ceny", 'effect': CorrectionEffect.CORRECTION_DATE} | values))


def correction(**values) -> Invoice:
    """The first line's price falls from 100 to 80."""
    before = line(1, '100.00', before_correction=True)
    plain = {'kind': InvoiceKind.CORRECTION, 'correction': block(), 'number': "KOR/1", 'payment': None,
             'lines': (before, line(1, '80.00')), 'group_totals': (total(STANDARD, '-20.00', '-4.60'),),
             'total': D('-24.60')}
    return invoice(**(plain | values))


def rate_correction() -> Invoice:
    """A line goes from 23 to 8 percent; another takes part unchanged."""
    lines = (line(1, '100.00', before_correction=True), line(1, '100.00', TaxRate.VAT_8),
             line(5, '10.00', before_correction=True), line(5, '10.00'))
    return correction(lines=lines, total=D('-15.00'), group_totals=(
        total(STANDARD, '-100.00', '-23.00'), total(REDUCED, '100.00', '8.00')))


def difference_correction() -> Invoice:
    """The lines are the differences themselves."""
    return correction(lines=(line(1, '-20.00'),))


def data_correction() -> Invoice:
    """The buyer's name was wrong."""
    old = CorrectedBuyer(identifier=invoice().buyer.identifier, name="Dawna nazwa", address=ADDRESS)
    return correction(lines=(), group_totals=(), total=D(0), correction=block(buyers=(old,)))


def collective_correction() -> Invoice:
    """A discount on the sales of a period, without lines."""
    return correction(lines=(), correction=block(period="pierwsze półrocze 2026"))


def named_discount() -> Invoice:
    """A discount on some goods of a period: lines without values."""
    return correction(lines=(Line(number=1, name="Towar", quantity=D(5)),), correction=block(period="I kwartał"))


ORDER = Order(total=D('1230.00'), lines=(
    OrderLine(number=1, uid='z1', name="Maszyna", unit="szt.", quantity=ONE, unit_price=D(1000), net=D(1000), tax=D(230),
              rate=TaxRate.VAT_23),))


def advance(**values) -> Invoice:
    """Two payments, together 246 of an order of 1,230."""
    payments = (PartialAdvance(received_on=date(2026, 11, 3), amount=D(123)),
                PartialAdvance(received_on=date(2026, 11, 20), amount=D(123)))
    plain = {'kind': InvoiceKind.ADVANCE, 'lines': (), 'group_totals': (total(STANDARD, '200.00', '46.00'),),
             'total': D('246.00'), 'order': ORDER, 'partial_advances': payments}
    return invoice(**(plain | values))


def settlement(**values) -> Invoice:
    """The rest of the order of 1,230 after an advance of 246."""
    plain = {'kind': InvoiceKind.SETTLEMENT, 'lines': (line(1, '1000.00'),), 'total': D('984.00'),
             'group_totals': (total(STANDARD, '800.00', '184.00'),),
             'advance_invoices': (AdvanceInvoice(ksef_number=KSEF_NUMBER),)}
    return invoice(**(plain | values))


def settled() -> Invoice:
    """Nothing remains."""
    return settlement(total=D(0), group_totals=(total(STANDARD, '0.00', '0.00'),), advance_invoices=(
        AdvanceInvoice(ksef_number=KSEF_NUMBER), AdvanceInvoice(number="ZAL/2")))


def advance_correction(**values) -> Invoice:
    """The advance was of goods at 8 percent."""
    order = Order(total=D('1080.00'), lines=(
        replace(ORDER.lines[0], before_correction=True), replace(ORDER.lines[0], rate=TaxRate.VAT_8, tax=D(80))))
    plain = {'kind': InvoiceKind.ADVANCE_CORRECTION, 'order': order, 'partial_advances': (), 'total': D('0.00'),
             'correction': block(previous=PreviousAmount(amount=D(246))), 'number': "KZ/1", 'group_totals': (
                 total(STANDARD, '-200.00', '-46.00'), total(REDUCED, '227.78', '18.22'))}
    return advance(**(plain | values))


def settlement_correction(**values) -> Invoice:
    """The order of the settlement became cheaper by 100."""
    plain = {'kind': InvoiceKind.SETTLEMENT_CORRECTION, 'number': "KR/1",
             'lines': (line(1, '1000.00', before_correction=True), line(1, '900.00')),
             'correction': block(previous=PreviousAmount(amount=D(984))), 'total': D('-123.00'),
             'group_totals': (total(STANDARD, '-100.00', '-23.00'),)}
    return settlement(**(plain | values))


def simplified(**values) -> Invoice:
    """Total and rate only."""
    plain = {'kind': InvoiceKind.SIMPLIFIED, 'lines': (Line(number=1, name="Wiertarka", rate=TaxRate.VAT_23),),
             'group_totals': (), 'total': D(450), 'payment': None,
             'buyer': replace(invoice().buyer, name=None, address=None)}
    return invoice(**(plain | values))


def simplified_without_rates() -> Invoice:
    """Sums, and lines with prices but no rates."""
    return simplified(lines=(gross_line(1, '123.00', None),), group_totals=(total(STANDARD, '100.00', '23.00'),), total=D(123))


def foreign(**values) -> Invoice:
    """In EUR, with tax in PLN at 4.2537."""
    the_line = line(1, '100.00', exchange_rate=D('4.2537'))
    plain = {'currency': 'EUR'}
    return single(the_line, total(STANDARD, '100.00', '23.00', '97.84'), '123.00', **(plain | values))


def two_rates_of_exchange() -> Invoice:
    """Lines of two days."""
    lines = (line(1, '100.00', exchange_rate=D('4.20')), line(2, '100.00', exchange_rate=D('4.30')))
    return invoice(currency='EUR', lines=lines, group_totals=(total(STANDARD, '200.00', '46.00', '195.50'),), total=D(246))


def foreign_advance(**values) -> Invoice:
    """An advance in EUR."""
    plain = {'currency': 'EUR', 'exchange_rate': D('4.30'),
             'group_totals': (total(STANDARD, '200.00', '46.00', '197.80'),)}
    return advance(**(plain | values))


def exempt(**values) -> Invoice:
    """A service exempt by the act."""
    plain = {'annotations': Annotations(exemption=Exemption(polish_act="art. 43 ust. 1 pkt 19 ustawy"))}
    return single(line(1, '100.00', TaxRate.EXEMPT), total(TaxGroup.EXEMPT, '100.00'), '100.00', **(plain | values))


def margin(**values) -> Invoice:
    """A second-hand car."""
    plain = {'annotations': Annotations(margin=MarginKind.SECOND_HAND)}
    return single(gross_line(1, '15000.00', None), total(TaxGroup.MARGIN, '15000.00'), '15000.00', **(plain | values))


def with_tax_in_prices() -> Invoice:
    """Three pieces at 40.99 with tax, less 10."""
    the_line = replace(gross_line(1, '40.99', TaxRate.VAT_23), quantity=D(3), discount=D(10), gross=D('112.97'), tax=D('21.12'))
    return single(the_line, total(STANDARD, '91.85', '21.12'), '112.97')


def one_stop_shop(**values) -> Invoice:
    """Sold to a person in Germany, with the tax of that country."""
    plain = {'buyer': replace(invoice().buyer, identifier=NoTaxId())}
    the_line = line(1, '100.00', None, one_stop_shop_rate=D(19), procedure=Procedure.DISTANCE_SALE)
    return single(the_line, total(TaxGroup.ONE_STOP_SHOP, '100.00', '19.00'), '119.00', **(plain | values))


def intra_eu(rate=TaxRate.ZERO_INTRA_EU, **values) -> Invoice:
    """Goods for a company in Germany."""
    plain = {'buyer': replace(invoice().buyer, identifier=GERMAN), 'seller': replace(invoice().seller, eu_prefix='PL')}
    return single(line(1, '100.00', rate), total(rate.group, '100.00'), '100.00', **(plain | values))


def new_car(**values) -> Invoice:
    """A new car for a person in Germany."""
    vehicle = NewVehicle(admitted=date(2026, 10, 1), line_number=1, details=LandVehicle(mileage="15", vin="W1"))
    plain = {'annotations': Annotations(new_transport=NewTransport(vehicles=(vehicle,), declaration_duty=True)),
             'buyer': replace(invoice().buyer, identifier=NoTaxId())}
    return intra_eu(**(plain | values))


def triangle(**values) -> Invoice:
    """The second taxpayer of three sells to the third."""
    plain = {'annotations': Annotations(triangular_second_taxpayer=True, reverse_charge=True)}
    return intra_eu(TaxRate.SERVICES_ART_100, **(plain | values))


def third(role: ThirdPartyRole, **values) -> ThirdParty:
    """A third party with a unit's number."""
    return ThirdParty(**({'identifier': InternalId(number='5261040828-12345'), 'name': "Inny", 'role': role} | values))


def unit() -> Invoice:
    """A school of a commune buys; a factor collects."""
    buyer = replace(invoice().buyer, local_government_unit=True)
    payment = Payment(factor_accounts=invoice().payment.accounts, form=PaymentForm.TRANSFER)
    return invoice(buyer=buyer, payment=payment, third_parties=(
        third(ThirdPartyRole.LOCAL_GOVERNMENT_RECIPIENT), third(ThirdPartyRole.FACTOR),
        third(ThirdPartyRole.ADDITIONAL_BUYER, share=D(40))))


def paid_in_parts(**values) -> Payment:
    """A hundred of 164.70, paid before."""
    part = Instalment(amount=D(100), paid_on=date(2026, 11, 10), form=PaymentForm.CASH)
    return Payment(**({'instalments': Instalments(extent=InstalmentsExtent.PART, payments=(part,)),
                       'accounts': (BankAccount(number='61109010140000071219812874'),)} | values))


def settled_items(**values) -> Settlement:
    """A deposit is added, a voucher taken off: 159.70 remain."""
    plain = {'charges': (SettlementItem(amount=D(5), reason="kaucja"),), 'charges_total': D(5),
             'deductions': (SettlementItem(amount=D(10), reason="bon"),), 'deductions_total': D(10), 'to_pay': D('159.70')}
    return Settlement(**(plain | values))


def table(**values) -> Table:
    """Two columns, a heading among the rows, sums."""
    plain = {'columns': (Column(type=ColumnType.TEXT, name="Licznik"), Column(type=ColumnType.DECIMAL, name="kWh")),
             'rows': (Row(cells=("Hala",)), Row(cells=("A1", "12,5")), Row(cells=("A2", "-"))), 'sums': ("", "12,5")}
    return Table(**(plain | values))


def attached(the_table: Table) -> Invoice:
    """An invoice with a table attached."""
    part = AttachmentBlock(metadata=(KeyValue(key="PPE", value="1"),), tables=(the_table,))
    return invoice(attachment=Attachment(blocks=(part,)))


def with_footer(**register) -> Invoice:
    """An invoice with numbers of registers."""
    return invoice(footer=Footer(notes=(FooterNote(text="Dziękujemy\nZapraszamy"),), registers=(
        Register(**({'krs': '0000099999', 'regon': '123456785', 'bdo': '000099999'} | register)),)))


VALID = {
    'VAT': invoice(), 'correction': correction(), 'rate correction': rate_correction(),
    'difference': difference_correction(), 'data': data_correction(), 'collective': collective_correction(),
    'named discount': named_discount(), 'advance': advance(), 'settlement': settlement(), 'settled': settled(),
    'advance correction': advance_correction(), 'settlement correction': settlement_correction(),
    'simplified': simplified(), 'simplified without rates': simplified_without_rates(), 'foreign': foreign(),
    'two rates of exchange': two_rates_of_exchange(),
    'foreign advance': foreign_advance(), 'exempt': exempt(), 'margin': margin(), 'tax in prices': with_tax_in_prices(),
    'one-stop shop': one_stop_shop(), 'intra-EU': intra_eu(), 'new car': new_car(), 'triangle': triangle(), 'unit': unit(),
    'paid in parts': invoice(payment=paid_in_parts()), 'settled items': invoice(settlement=settled_items()),
    'attachment': attached(table()), 'footer': with_footer(), 'transaction': invoice(transaction=Transaction()),
}
