"""Other parties, payment, references, remarks of one's own, footer, cash rounding and codes of products."""
from decimal import Decimal

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .test_fa3_corrections import CorrectionCommon

D = Decimal


@tagged('post_install', '-at_install')
class TestParties(CorrectionCommon):

    def third(self, root, *names):
        return [self.one(root, f'Podmiot3/{name}') for name in names]

    def test_unit_of_local_government(self):
        school = self.env['res.partner'].create({
            'name': "Szkoła Podstawowa nr 5", 'parent_id': self.buyer.id, 'type': 'invoice', 'street': "ul. Szkolna 1",
            'zip': "30-002", 'city': "Kraków", 'ksef_role': '8', 'ksef_internal_id': '5261040828-00001',
            'country_id': self.env.ref('base.pl').id})
        move = self.new_invoice(partner_id=school.id)
        root = self.render(move)
        self.assertEqual((self.one(root, 'Podmiot2/JST'), self.one(root, 'Podmiot2/GV')), ('1', '2'))
        self.assertEqual(self.one(root, 'Podmiot2/DaneIdentyfikacyjne/NIP'), '5261040828')
        self.assertEqual(
            self.third(root, 'Rola', 'DaneIdentyfikacyjne/IDWew', 'DaneIdentyfikacyjne/Nazwa', 'Adres/AdresL1'),
            ['8', '5261040828-00001', "Szkoła Podstawowa nr 5", "ul. Szkolna 1"])
        self.assertNotIn('buyer-recipient', self.codes(move))

    def test_member_of_a_vat_group(self):
        member = self.new_partner(name="Spółka z grupy", vat='PL7740001454')
        move = self.new_invoice(ksef_third_party_ids=[Command.create({'partner_id': member.id, 'role': '10'})])
        root = self.render(move)
        self.assertEqual((self.one(root, 'Podmiot2/JST'), self.one(root, 'Podmiot2/GV')), ('2', '1'))
        self.assertEqual(self.third(root, 'Rola', 'DaneIdentyfikacyjne/NIP'), ['10', '7740001454'])

    def test_parties_on_the_invoice(self):
        payer = self.new_partner(name="Płatnik", vat='PL7740001454')
        german = self.new_partner(name="EFG GmbH", country='de', vat='DE123456788', city="Berlin")
        move = self.new_invoice(ksef_third_party_ids=[
            Command.create({'partner_id': payer.id, 'role': '6'}),
            Command.create({'partner_id': german.id, 'role': '4', 'share': 25}),
            Command.create({'partner_id': payer.id, 'role': 'other', 'role_description': "Agent"})])
        root = self.render(move)
        self.assertEqual(self.all(root, 'Podmiot3/Rola'), ['6', '4'])
        self.assertEqual((self.one(root, 'Podmiot3/Udzial'), self.one(root, 'Podmiot3/OpisRoli')), ('25', "Agent"))
        self.assertEqual(self.one(root, 'Podmiot3/DaneIdentyfikacyjne/NrVatUE'), '123456788')
        with self.assertRaises(ValidationError):
            self.env['ksef.third.party'].create({'move_id': move.id, 'partner_id': payer.id, 'role': 'other'})

    def test_numbers_of_the_buyer(self):
        self.buyer.write({'ksef_eori': 'PL526104082800000', 'ksef_customer_number': 'K-77'})
        root = self.render(self.new_invoice())
        self.assertEqual((self.one(root, 'Podmiot2/NrEORI'), self.one(root, 'Podmiot2/NrKlienta')), ('PL526104082800000', 'K-77'))

    def test_footer_and_registers(self):
        self.company.write({
            'ksef_krs': '0000099999', 'ksef_regon': '123456785', 'ksef_bdo': '000099999', 'ksef_footer': "Kapitał zakładowy 5 000 000 zł"})
        root = self.render(self.new_invoice())
        self.assertEqual(
            [self.one(root, f'Stopka/{name}') for name in ('Informacje/StopkaFaktury', 'Rejestry/KRS', 'Rejestry/REGON', 'Rejestry/BDO')],
            ["Kapitał zakładowy 5 000 000 zł", '0000099999', '123456785', '000099999'])
        with self.assertRaises(ValidationError):
            self.company.ksef_regon = '123456784'


@tagged('post_install', '-at_install')
class TestPaymentAndReferences(CorrectionCommon):

    def test_paid_in_cash(self):
        root = self.render(self.new_invoice(ksef_paid_on='2026-11-20', ksef_payment_form='1'))
        self.assertEqual(
            [self.one(root, f'Fa/Platnosc/{name}') for name in ('Zaplacono', 'DataZaplaty', 'FormaPlatnosci', 'TerminPlatnosci/Termin')],
            ['1', '2026-11-20', '1', None])

    def test_several_dates(self):
        term = self.env['account.payment.term'].create({'name': "30/60", 'line_ids': [
            Command.create({'value': 'percent', 'value_amount': 40, 'nb_days': 30}),
            Command.create({'value': 'percent', 'value_amount': 60, 'nb_days': 60})]})
        root = self.render(self.new_invoice(invoice_payment_term_id=term.id))
        self.assertEqual(len(self.all(root, 'Fa/Platnosc/TerminPlatnosci/Termin')), 2)

    def test_discount_for_early_payment(self):
        for computation in ('included', 'excluded', 'mixed'):
            term = self.env['account.payment.term'].create({
                'name': "2/10", 'early_discount': True, 'discount_percentage': 2, 'discount_days': 10,
                'early_pay_discount_computation': computation,
                'line_ids': [Command.create({'value': 'percent', 'value_amount': 100, 'nb_days': 30})]})
            move = self.new_invoice(invoice_payment_term_id=term.id)
            if computation == 'mixed':
                self.assertIn('early-discount', self.codes(move))
                self.assertIsNone(move._ksef_render().xml)
                continue
            root = self.render(move)
            self.assertEqual(self.one(root, 'Fa/Platnosc/Skonto/WysokoscSkonta'), '2%')
            self.assertIn("10 dni", self.one(root, 'Fa/Platnosc/Skonto/WarunkiSkonta'))

    def test_account_of_the_factor(self):
        self.bank_account.ksef_is_factor = True
        root = self.render(self.new_invoice(partner_bank_id=self.bank_account.id))
        self.assertEqual(self.one(root, 'Fa/Platnosc/RachunekBankowyFaktora/NrRB'), 'PL61109010140000071219812874')
        self.assertIsNone(self.one(root, 'Fa/Platnosc/RachunekBankowy/NrRB'))

    def rounding(self, strategy):
        return self.env['account.cash.rounding'].create({
            'name': "0.05", 'rounding': 0.05, 'strategy': strategy,
            'profit_account_id': self.company_data['default_account_revenue'].id,
            'loss_account_id': self.company_data['default_account_expense'].id})

    def test_cash_rounding_is_no_part_of_the_sale(self):
        rounding = self.rounding('add_invoice_line')
        for price, item, total, to_pay in ((100.01, 'Odliczenia', '123.01', '123.00'), (100.03, 'Obciazenia', '123.04', '123.05')):
            move = self.new_invoice({'price_unit': price}, invoice_cash_rounding_id=rounding.id)
            root = self.render(move)
            self.assertEqual((self.one(root, 'Fa/P_15'), self.one(root, 'Fa/Rozliczenie/DoZaplaty')), (total, to_pay))
            self.assertEqual(self.one(root, f'Fa/Rozliczenie/{item}/Kwota'), '0.01')
            self.assertEqual(D(to_pay), D(f'{move.amount_total:.2f}'))

    def test_cash_rounding_that_changes_the_tax(self):
        move = self.new_invoice({'price_unit': 100.01}, invoice_cash_rounding_id=self.rounding('biggest_tax').id)
        self.refused(move, 'cash-rounding')

    def test_references_and_remarks(self):
        move = self.new_invoice(
            ksef_contract_number="U/7", ksef_contract_date='2026-01-02', ksef_order_number="PO-15", ksef_order_date='2026-10-01',
            ksef_warehouse_documents="WZ/1\n WZ/2 \n\nWZ/1",
            ksef_remark_ids=[Command.create({'key': "Projekt", 'value': "Alfa"})])
        root = self.render(move)
        self.assertEqual(self.all(root, 'Fa/WZ'), ["WZ/1", "WZ/2"])
        self.assertEqual(
            [self.one(root, f'Fa/WarunkiTransakcji/{name}') for name in (
                'Umowy/DataUmowy', 'Umowy/NrUmowy', 'Zamowienia/DataZamowienia', 'Zamowienia/NrZamowienia')],
            ['2026-01-02', "U/7", '2026-10-01', "PO-15"])
        self.assertEqual((self.one(root, 'Fa/DodatkowyOpis/Klucz'), self.one(root, 'Fa/DodatkowyOpis/Wartosc')), ("Projekt", "Alfa"))

    def test_several_contracts_and_orders(self):
        """S0-10: further ones follow the first, none of them makes the invoice a correction, and a credit note repeats them."""
        rows = (('contract', "U/8", '2026-02-03'), ('order', "PO-2", False), ('contract', "U/9", False), ('order', "PO-3", '2026-05-06'))
        move = self.new_invoice(
            ksef_contract_number="U/7", ksef_order_number="PO-1",
            ksef_reference_ids=[Command.create({'kind': kind, 'number': number, 'date': date}) for kind, number, date in rows])
        roots = {'VAT': self.render(move)}
        move.ksef_is_outside = True  # then its correction can be stated without its number
        wizard = self.env['account.move.reversal'].with_context(active_model='account.move', active_ids=move.ids).create({
            'journal_id': move.journal_id.id, 'reason': "Zwrot"})
        refund = self.env['account.move'].browse(wizard.reverse_moves()['res_id'])
        refund.action_post()
        roots['KOR'] = self.render(refund)
        for kind, root in roots.items():
            self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), kind)
            self.assertEqual(self.all(root, 'Fa/WarunkiTransakcji/Umowy/NrUmowy'), ["U/7", "U/8", "U/9"])
            self.assertEqual(self.all(root, 'Fa/WarunkiTransakcji/Umowy/DataUmowy'), ['2026-02-03'])
            self.assertEqual(self.all(root, 'Fa/WarunkiTransakcji/Zamowienia/NrZamowienia'), ["PO-1", "PO-2", "PO-3"])

    def test_codes_of_the_product(self):
        product = self.env['product.product'].create({
            'name': "Stal", 'default_code': "ST-1", 'barcode': '5901234123457', 'ksef_pkwiu': '24.10.31.0', 'ksef_cn': '7208'})
        root = self.render(self.new_invoice({'product_id': product.id, 'ksef_supply_date': '2026-11-10'}))
        self.assertEqual(
            [self.one(root, f'Fa/FaWiersz/{name}') for name in ('Indeks', 'GTIN', 'PKWiU', 'CN', 'P_6A')],
            ['ST-1', '5901234123457', '24.10.31.0', '7208', '2026-11-10'])
