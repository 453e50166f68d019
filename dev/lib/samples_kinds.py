"""The kinds of invoices that dev/samples makes: name of the file -> how it is made."""

from odoo import Command

KINDS = {}
RATES = {
    'vat-23': 'vs_kraj_23', 'vat-23-uslugi': 'vs_kraj_usl_23', 'vat-8': 'vs_kraj_8', 'vat-5': 'vs_kraj_5', 'vat-0-krajowe': 'vs_kraj_0',
    'odwrotne-obciazenie': 'vs_stal',
}
OWN_RATES = {
    'vat-22': ('VAT_22', 22), 'vat-7': ('VAT_7', 7), 'taxi-4': ('TAXI_4', 4), 'taxi-3': ('TAXI_3', 3), 'oss-19': ('ONE_STOP_SHOP', 19),
    'marza-turystyka': ('MARGIN_TOURISM', 0), 'marza-towary-uzywane': ('MARGIN_SECOND_HAND', 0), 'marza-dziela-sztuki': ('MARGIN_ART', 0),
    'marza-antyki': ('MARGIN_COLLECTIBLES', 0),
}
IN_EU = {
    'wdt': 'vs_unia', 'wdt-procedura-42': 'vs_unia_i42', 'wdt-procedura-63': 'vs_unia_i63', 'uslugi-art-100': 'vs_dostu',
    'trojstronna': 'vs_unia_triangular',
}
EXEMPTIONS = {
    'zwolnienie-ustawa': ('act', "art. 43 ust. 1 pkt 37 ustawy o VAT"), 'zwolnienie-dyrektywa': ('directive', "art. 135 ust. 1 lit. a"),
    'zwolnienie-inne': ('other', "umowa międzynarodowa"),
}
ROLES = {'platnik': '6', 'faktor': '1', 'odbiorca': '2', 'wystawca': '5', 'jst': '8', 'grupa-vat': '10', 'pracownik': '11'}


def kind(name):
    def keep(make):
        KINDS[name] = make
        return make
    return keep


def _add(table, make):
    for name, value in table.items():
        KINDS[name] = lambda world, value=value: make(world, value)


_add(RATES, lambda w, tax: w.invoice(w.line(tax=tax, quantity=3, price_unit=33.33)))
_add(OWN_RATES, lambda w, own: w.invoice(
    w.line(tax=w.tax('vs_kraj_23', ksef_rate=own[0], amount=own[1])), partner_id=(w.person if own[0] == 'ONE_STOP_SHOP' else w.buyer).id))
_add(IN_EU, lambda w, tax: w.invoice(w.line(tax=tax), partner_id=w.german.id))
_add(EXEMPTIONS, lambda w, law: w.invoice(
    w.line(tax='vs_kraj_zw'), w.line("Dostawa"), ksef_exemption_law=law[0], ksef_exemption_basis=law[1]))
_add({f'podmiot3-{name}': role for name, role in ROLES.items()}, lambda w, role: w.invoice(ksef_third_party_ids=[
    Command.create({'partner_id': w.partner("Podmiot trzeci", vat='PL7740001454').id, 'role': role})]))


@kind('kilka-stawek')
def _several_rates(w):
    return w.invoice(*[w.line(tax, tax=tax, price_unit=10.01) for tax in ('vs_kraj_23', 'vs_kraj_8', 'vs_kraj_5', 'vs_kraj_0', 'vs_stal')])


@kind('eksport-towarow')
def _export(w):
    return w.invoice(w.line(tax='vs_eksp_tow'), partner_id=w.american.id)


@kind('uslugi-poza-krajem')
def _services_abroad(w):
    return w.invoice(w.line(tax='vs_ekspu'), partner_id=w.american.id)


@kind('metoda-kasowa')
def _cash_method(w):
    return w.invoice(ksef_cash_method=True)


@kind('podzielona-platnosc')
def _split_payment(w):
    product = w.product("Laptopy", l10n_pl_vat_gtu='GTU_06')
    return w.invoice(w.line(product_id=product.id, price_unit=20000))


@kind('ceny-brutto')
def _gross(w):
    tax = w.tax('vs_kraj_23', price_include_override='tax_included')
    return w.invoice(w.line(tax=tax, price_unit=19.99, quantity=3), w.line("Rabat", tax=tax, price_unit=123, discount=10))


@kind('rabat-na-pozycji')
def _discount(w):
    return w.invoice(w.line(quantity=3, price_unit=33.33, discount=12.5))


@kind('rabat-jako-pozycja')
def _negative_line(w):
    return w.invoice(w.line(), w.line("Rabat", quantity=-1, price_unit=15))


@kind('pozycja-gratis')
def _free_line(w):
    return w.invoice(w.line(), w.line("Gratis", price_unit=0))


@kind('sekcje-i-uwagi')
def _sections(w):
    return w.invoice(
        {'display_type': 'line_section', 'name': "Część I"}, w.line(), {'display_type': 'line_note', 'name': "Uwaga do pozycji"},
        {'display_type': 'line_section', 'name': "Część II"}, w.line("Usługa"))


@kind('dluga-nazwa')
def _long_name(w):
    return w.invoice(w.line("Usługa " + "bardzo szczegółowo opisana " * 30))


@kind('osoba-prywatna')
def _person(w):
    return w.invoice(partner_id=w.person.id)


@kind('nabywca-z-unii')
def _eu_buyer(w):
    return w.invoice(partner_id=w.german.id)


@kind('nabywca-z-kraju-trzeciego')
def _third_country(w):
    return w.invoice(partner_id=w.american.id)


@kind('powiazania-tp')
def _related(w):
    return w.invoice(partner_id=w.partner("Spółka zależna", vat='PL7740001454', l10n_pl_links_with_customer=True).id)


@kind('euro')
def _euro(w):
    return w.invoice(w.line(price_unit=1234.5), w.line("B", tax='vs_kraj_8'), currency_id=w.euro.id)


@kind('euro-wdt')
def _euro_wdt(w):
    return w.invoice(w.line(tax='vs_unia'), currency_id=w.euro.id, partner_id=w.german.id)


@kind('okres')
def _period(w):
    return w.invoice(ksef_period_start=w.today.replace(day=1), ksef_period_end=w.today)


@kind('inna-data-dostawy')
def _supply_date(w):
    return w.invoice(taxable_supply_date=w.today.replace(day=1))


@kind('daty-pozycji')
def _line_dates(w):
    return w.invoice(w.line(ksef_supply_date=w.today.replace(day=1)), w.line("B", ksef_supply_date=w.today))


@kind('faktura-do-paragonu')
def _receipt(w):
    return w.invoice(ksef_receipt_invoice=True)


@kind('kody-towaru')
def _codes(w):
    product = w.product(
        "Stal", default_code='ST-1', barcode='5901234123457', ksef_pkwiu='24.10.31.0', ksef_cn='7208', l10n_pl_vat_gtu='GTU_08')
    return w.invoice(w.line(product_id=product.id))


@kind('bon-jednego-przeznaczenia')
def _voucher(w):
    return w.invoice(l10n_pl_vat_b_spv=True)


@kind('sprzedaz-na-odleglosc')
def _distance_sale(w):
    return w.invoice(w.line(ksef_procedure='WSTO_EE'), partner_id=w.person.id)


def _term(w, *parts, **values):
    return w.env['account.payment.term'].create({'name': "termin", 'line_ids': [
        Command.create({'value': 'percent', 'value_amount': part, 'nb_days': days}) for part, days in parts], **values})


@kind('kilka-terminow')
def _terms(w):
    return w.invoice(invoice_payment_term_id=_term(w, (40, 30), (60, 60)).id)


@kind('skonto')
def _early_discount(w):
    term = _term(
        w, (100, 30), early_discount=True, discount_percentage=2, discount_days=10, early_pay_discount_computation='excluded')
    return w.invoice(invoice_payment_term_id=term.id)


@kind('zaplacono-gotowka')
def _paid(w):
    return w.invoice(ksef_paid_on=w.today, ksef_payment_form='1')


@kind('rachunek-faktora')
def _factor(w):
    bank = w.bank.copy({'acc_number': 'PL27114020040000300201355387', 'ksef_is_factor': True})
    return w.invoice(partner_bank_id=bank.id)


@kind('zaokraglenie-kasowe')
def _rounding(w):
    account = w.env['account.account'].search([('account_type', '=', 'income'), ('company_ids', 'in', w.company.ids)], limit=1)
    rounding = w.env['account.cash.rounding'].create({
        'name': "0.05", 'rounding': 0.05, 'strategy': 'add_invoice_line', 'profit_account_id': account.id, 'loss_account_id': account.id})
    return w.invoice(w.line(price_unit=100.03), invoice_cash_rounding_id=rounding.id)


@kind('umowa-zamowienie-wz')
def _references(w):
    return w.invoice(
        ksef_contract_number="U/7", ksef_contract_date=w.today, ksef_order_number="PO-15", ksef_warehouse_documents="WZ/1\nWZ/2",
        ksef_remark_ids=[Command.create({'key': "Projekt", 'value': "Alfa"})])


@kind('dodatkowy-nabywca')
def _additional_buyer(w):
    return w.invoice(ksef_third_party_ids=[Command.create({'partner_id': w.german.id, 'role': '4', 'share': 25})])


@kind('stopka-i-rejestry')
def _footer(w):
    w.company.write({
        'ksef_krs': '0000099999', 'ksef_regon': '123456785', 'ksef_bdo': '000099999', 'ksef_footer': "Kapitał zakładowy 5 000 zł"})
    return w.invoice()


@kind('uproszczona')
def _simplified(w):
    return w.invoice(ksef_special_kind='simplified')


@kind('wiele-pozycji')
def _many(w):
    return w.invoice(*[w.line(f"Towar {number}", price_unit=0.01 * number, quantity=number % 7 + 1) for number in range(1, 501)])


# ---------------------------------------------------------------------- advances and settlements

def _advance(w, price=2000, **values):
    return w.invoice(w.line("Zaliczka", price_unit=price), ksef_special_kind='advance', ksef_order_line_ids=[Command.create({
        'name': "Meble", 'quantity': 4, 'price_unit': 2500, 'tax_id': w.tax('vs_kraj_23').id,
        'uom_id': w.env.ref('uom.product_uom_unit').id,
    })], **values)


def _settlement(w, *advances):
    return w.invoice(
        w.line("Meble", quantity=4, price_unit=2500),
        *[w.line("Zaliczka", quantity=-1, price_unit=advance.amount_untaxed) for advance in advances],
        ksef_special_kind='settlement', ksef_advance_ids=[Command.set([advance.id for advance in advances])])


_add({'zaliczka': {}, 'zaliczka-euro': {'currency': True}}, lambda w, options: _advance(
    w, **({'currency_id': w.euro.id} if options else {})))


@kind('rozliczenie-zaliczek')
def _settled(w):
    return _settlement(w, w.accepted(_advance(w)), w.accepted(_advance(w, 1000)))


@kind('rozliczenie-do-zera')
def _settled_whole(w):
    return _settlement(w, w.accepted(_advance(w, 10000)))


@kind('korekta-zaliczki')
def _corrected_advance(w):
    return w.credit(w.accepted(_advance(w)), {'price_unit': 500})


@kind('korekta-rozliczenia')
def _corrected_settlement(w):
    return w.credit(w.accepted(_settlement(w, w.accepted(_advance(w)))), {'quantity': 1}, None)


# ---------------------------------------------------------------------- corrections

def _original(w, **values):
    return w.accepted(w.invoice(w.line("A", quantity=10, price_unit=9.99), w.line("B", tax='vs_kraj_8'), **values))


CORRECTIONS = {
    'korekta-do-zera': [{}, {}], 'korekta-ilosci': [{'quantity': 4}, None], 'korekta-ceny': [{'price_unit': 1.5}, None],
    'korekta-ceny-czesci': [{'quantity': 2, 'price_unit': 3}, None], 'korekta-rabatu': [{'discount': 90}, {'discount': 95}],
}
_add(CORRECTIONS, lambda w, changes: w.credit(_original(w), *changes))


@kind('korekta-stawki')
def _corrected_rate(w):
    move = _original(w)
    line = move.invoice_line_ids[0]
    return w.credit(move, {}, None, reason="błędna stawka VAT", ksef_correction_type='1', more=[w.line(
        "A", tax='vs_kraj_8', quantity=-10, price_unit=9.99, ksef_corrected_line_id=line.id)])


@kind('korekta-korekty')
def _corrected_correction(w):
    move = _original(w)
    w.accepted(w.credit(move, {'quantity': 3}, None))
    return w.credit(move, {'quantity': 2}, None)


@kind('korekta-in-plus')
def _corrected_upwards(w):
    return w.credit(w.accepted(w.credit(_original(w), {'quantity': 3}, None)), reason="pomyłka w poprzedniej korekcie")


@kind('korekta-poza-ksef')
def _outside(w):
    return w.credit(w.invoice(), ksef_is_outside=True)


@kind('korekta-danych-nabywcy')
def _corrected_buyer(w):
    buyer = w.partner("Stara Nazwa S.A.", vat='PL7740001454')
    move = w.accepted(w.invoice(partner_id=buyer.id))
    buyer.name = "Nowa Nazwa S.A."
    return w.credit(move, ksef_correction_kind='buyer', ksef_correction_type='1', reason="błędna nazwa nabywcy")


@kind('korekta-zbiorcza')
def _collective(w):
    references = [
        Command.create({'number': f"FV/{number}/2026", 'date': w.today.replace(month=1, day=number)}) for number in (5, 6)]
    return w.invoice(
        w.line("Rabat roczny", price_unit=500), move_type='out_refund', ksef_correction_kind='collective',
        ksef_corrected_period="2026", ksef_reference_ids=references)


@kind('korekta-z-innego-systemu')
def _other_system(w):
    return w.invoice(w.line(quantity=2), move_type='out_refund', ksef_correction_reason="zwrot", ksef_reference_ids=[
        Command.create({'number': "FV/1/2025", 'date': '2025-12-30'})])


@kind('korekta-euro')
def _corrected_euro(w):
    return w.credit(_original(w, currency_id=w.euro.id), {'price_unit': 1}, None)


@kind('korekta-cen-brutto')
def _corrected_gross(w):
    tax = w.tax('vs_kraj_23', price_include_override='tax_included')
    return w.credit(w.accepted(w.invoice(w.line(tax=tax, price_unit=123, quantity=3, discount=10))), {'quantity': 1})
