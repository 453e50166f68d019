"""Kinds of invoices with payments, transport, further parties and attachments; see samples_kinds."""

from odoo import Command
from samples_kinds import _advance, kind


@kind('zaplacono-czesciowo')
def _paid_in_part(w):
    return w.invoice(ksef_payment_ids=[
        Command.create({'date': w.today, 'amount': 23, 'form': '1'}), Command.create({'date': w.today, 'amount': 40, 'form': '6'})])


@kind('zaplacono-w-ratach')
def _paid_in_parts(w):
    return w.invoice(ksef_payment_ids=[
        Command.create({'date': w.today, 'amount': 100}),
        Command.create({'date': w.today, 'amount': 23, 'form': 'other', 'other_form': "kompensata"})])


@kind('zaliczki-czesciowe')
def _partial_advances(w):
    return _advance(w, ksef_payment_ids=[
        Command.create({'date': w.today.replace(day=1), 'amount': 2000}), Command.create({'date': w.today, 'amount': 460})])


@kind('kaucja-i-odliczenie')
def _deposit(w):
    return w.invoice(ksef_charge_ids=[
        Command.create({'kind': 'charge', 'amount': 12.5, 'reason': "Kaucja za palety"}),
        Command.create({'kind': 'deduction', 'amount': 5, 'reason': "Zwrot kaucji"})])


@kind('do-rozliczenia')
def _overpaid(w):
    return w.invoice(ksef_charge_ids=[Command.create({'kind': 'deduction', 'amount': 200, 'reason': "Nadpłata z poprzedniego okresu"})])


@kind('link-do-platnosci')
def _payment_link(w):
    return w.invoice(ksef_payment_id='012A1b2C3d4E5', ksef_payment_link="https://placenie.example.pl/?IPKSeF=012A1b2C3d4E5")


@kind('transport-incoterms-partie')
def _transport(w):
    carrier = w.partner("Przewoźnik sp. z o.o.", vat='PL7740001454')
    return w.invoice(
        ksef_batches="P-2026-11-A\nP-2026-11-B", invoice_incoterm_id=w.env.ref('account.incoterm_DAP').id, incoterm_location="Berlin",
        ksef_transport_ids=[Command.create({
            'carrier_id': carrier.id, 'order_number': "ZT/1", 'packaging': "paleta EUR", 'origin_id': w.company.partner_id.id,
            'stop_ids': [Command.set(carrier.ids)], 'destination_id': w.buyer.id, 'started_at': f'{w.today} 06:00:00',
            'ended_at': f'{w.today} 12:00:00'})])


@kind('dostawa-lancuchowa')
def _chain(w):
    return w.invoice(w.line(tax='vs_unia'), partner_id=w.german.id, ksef_is_intermediary=True)


@kind('kurs-umowny')
def _agreed_rate(w):
    return w.invoice(ksef_agreed_rate=4.1234, ksef_agreed_currency_id=w.euro.id)


@kind('nowy-srodek-transportu')
def _new_vehicle(w):
    person = w.partner("Hans Muster", country='de', is_company=False, city="Berlin")
    move = w.invoice(w.line("Samochód osobowy", tax='vs_unia', price_unit=80000), partner_id=person.id, ksef_vehicle_duty=True)
    w.env['ksef.new.vehicle'].create({
        'move_id': move.id, 'line_id': move.invoice_line_ids.id, 'admitted_on': w.today, 'usage': "1500 km", 'make': "Skoda",
        'model_name': "Fabia", 'number': "WVWZZZ1JZXW000001", 'year': str(w.today.year)})
    return move


@kind('komornik')
def _bailiff(w):
    return w.invoice(ksef_authorized_partner_id=w.partner("Komornik Sądowy", vat='PL7740001454').id, ksef_authorized_role='2')


@kind('adresy-korespondencyjne')
def _letters(w):
    box = w.partner("Skrytka pocztowa 7")
    return w.invoice(partner_id=w.partner("Odbiorca", vat='PL7740001454', ksef_correspondence_id=box.id).id)


@kind('sprzedawca-w-restrukturyzacji')
def _restructuring(w):
    w.company.write({'ksef_taxpayer_status': '2', 'ksef_issue_place': "Warszawa"})
    return w.invoice()


@kind('zwrot-akcyzy')
def _excise_refund(w):
    return w.invoice(w.line("Olej napędowy", quantity=500, price_unit=5.2, ksef_goods_code='GTU_02'), ksef_excise_refund=True)


@kind('zalacznik')
def _attachment(w):
    return w.invoice(ksef_block_ids=[Command.create({
        'heading': "Odczyty liczników", 'keys': "Punkt poboru: 590243123456789012\nTaryfa: G11", 'text': "Rozliczenie za październik.",
        'table_description': "Zużycie energii", 'table': "Data;Zużycie kWh;Cena\n2026-10-01;120;0,82\n2026-10-31;80;0,85\nRazem;200;",
        'has_sums': True})])


@kind('korekta-danych-sprzedawcy')
def _corrected_seller(w):
    move = w.accepted(w.invoice())
    w.company.name = "Sprzedawca po przekształceniu S.A."
    return w.credit(move, ksef_correction_kind='seller', ksef_correction_type='1', reason="zmiana firmy sprzedawcy")


@kind('korekta-danych-dodatkowego-nabywcy')
def _corrected_additional_buyer(w):
    other = w.partner("Współnabywca", vat='PL7740001454')
    move = w.accepted(w.invoice(ksef_third_party_ids=[Command.create({'partner_id': other.id, 'role': '4', 'share': 40})]))
    other.name = "Współnabywca sp. k."
    return w.credit(move, ksef_correction_kind='buyer', ksef_correction_type='1', reason="błędna nazwa dodatkowego nabywcy")


@kind('korekta-numeru-faktury')
def _corrected_number(w):
    return w.credit(
        w.accepted(w.invoice()), ksef_correction_kind='number', ksef_right_number="FV/7/2026", ksef_correction_type='1',
        reason="błędny numer faktury")


@kind('korekta-zamowienia-zaliczki')
def _corrected_order(w):
    refund = w.credit(w.accepted(_advance(w)), {'price_unit': 500})
    refund.button_draft()
    refund.ksef_order_line_ids.quantity = 3
    refund.action_post()
    return refund


@kind('rozliczenie-po-korekcie-zaliczki')
def _settled_after_correction(w):
    advance = w.accepted(_advance(w))
    w.accepted(w.credit(advance, {'price_unit': 500}))
    return w.invoice(
        w.line("Meble", quantity=4, price_unit=2500), w.line("Zaliczka", quantity=-1, price_unit=1500),
        ksef_special_kind='settlement', ksef_advance_ids=[Command.set(advance.ids)])
