"""Payments, charges, transport, new vehicles, authorised party, correspondence address, attachment, corrections of data."""
# pylint: disable=method-required-super
import base64
from datetime import UTC, datetime
from decimal import Decimal

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ..ksef.fa3 import reader
from ..ksef.fa3.model import Aircraft, Vessel
from ..models.ksef_invoice_context import Entry, RenderContext
from .test_fa3_originals import OriginalCommon

D = Decimal


class TradeCommon(OriginalCommon):

    def read(self, move):
        """The document as data; findings that are errors are none."""
        self.render(move)
        return reader.read(move._ksef_render().xml)


@tagged('post_install', '-at_install')
class TestPayments(TradeCommon):

    def test_paid_in_part_and_in_whole(self):
        rows = [Command.create({'date': '2026-11-19', 'amount': 23, 'form': '1'}),
                Command.create({'date': '2026-11-20', 'amount': 40, 'form': 'other', 'other_form': "kompensata"})]
        payment = self.read(self.new_invoice(ksef_payment_ids=rows)).payment
        self.assertEqual(payment.instalments.extent.name, 'PART')
        self.assertEqual([(each.paid_on.isoformat(), each.amount, each.other_form) for each in payment.instalments.payments], [
            ('2026-11-19', D('23.00'), None), ('2026-11-20', D('40.00'), "kompensata")])
        self.assertTrue(payment.terms)
        payment = self.read(self.new_invoice(ksef_payment_ids=[*rows, Command.create({'date': '2026-11-21', 'amount': 60})])).payment
        self.assertEqual((payment.instalments.extent.name, payment.terms), ('WHOLE', ()))
        self.refused(self.new_invoice(ksef_payment_ids=[*rows, Command.create({'date': '2026-11-21', 'amount': 61})]), 'instalments-whole')

    def test_payments_and_one_payment_exclude_each_other(self):
        with self.assertRaises(ValidationError):
            self.new_invoice(ksef_paid_on='2026-11-20', ksef_payment_ids=[Command.create({'date': '2026-11-19', 'amount': 23})])
        with self.assertRaises(ValidationError):
            self.new_invoice(ksef_payment_ids=[Command.create({'date': '2026-11-19', 'amount': 23, 'form': 'other'})])

    def test_payments_of_an_advance(self):
        order = [Command.create({'name': "Meble", 'quantity': 1, 'price_unit': 1000, 'tax_id': self.tax_23.id})]
        rows = [Command.create({'date': '2026-11-10', 'amount': 100}), Command.create({'date': '2026-11-12', 'amount': 23})]
        move = self.new_invoice(ksef_special_kind='advance', ksef_order_line_ids=order, ksef_payment_ids=rows)
        invoice = self.read(move)
        self.assertEqual([(each.received_on.isoformat(), each.amount) for each in invoice.partial_advances], [
            ('2026-11-10', D('100.00')), ('2026-11-12', D('23.00'))])
        self.assertIsNone(invoice.payment.instalments)
        move = self.new_invoice(ksef_special_kind='advance', ksef_order_line_ids=order, ksef_payment_ids=rows[:1])
        self.assertEqual(self.refused(move, 'partial-advances-sum')['field'], "Payments before the issue")

    def test_payments_of_odoo_are_taken(self):
        move = self.new_invoice()
        with self.assertRaises(UserError):
            move.action_ksef_take_payments()
        wizard = self.env['account.payment.register'].with_context(active_model='account.move', active_ids=move.ids).create({
            'amount': 50, 'payment_date': move.invoice_date})
        wizard.action_create_payments()
        move.action_ksef_take_payments()
        self.assertEqual(move.ksef_payment_ids.mapped(lambda row: (row.date, row.amount)), [(move.invoice_date, 50.0)])
        self.assertEqual(self.read(move).payment.instalments.payments[0].amount, D('50.00'))
        reader_user = new_test_user(
            self.env, 'reader_only', groups='base.group_user,account.group_account_readonly', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        with self.assertRaises(AccessError):
            move.with_user(reader_user).action_ksef_take_payments()

    def test_charges_and_deductions(self):
        rounding = self.env['account.cash.rounding'].create({
            'name': "1.00", 'rounding': 1.0, 'strategy': 'add_invoice_line',
            'profit_account_id': self.company_data['default_account_revenue'].id,
            'loss_account_id': self.company_data['default_account_expense'].id})
        rows = [Command.create({'kind': 'charge', 'amount': 12.5, 'reason': "Kaucja za palety"}),
                Command.create({'kind': 'deduction', 'amount': 5, 'reason': "Zwrot kaucji"})]
        settlement = self.read(self.new_invoice(ksef_charge_ids=rows)).settlement
        self.assertEqual((settlement.charges_total, settlement.deductions_total, settlement.to_pay, settlement.to_settle), (
            D('12.50'), D('5.00'), D('130.50'), None))
        move = self.new_invoice({'price_unit': 100.5}, ksef_charge_ids=rows[:1], invoice_cash_rounding_id=rounding.id)
        settlement = self.read(move).settlement
        self.assertEqual([item.reason for item in (*settlement.charges, *settlement.deductions)], ["Kaucja za palety", "Zaokrąglenie"])
        self.assertEqual(settlement.to_pay, D(f'{move.amount_total:.2f}') + D('12.50'))
        settlement = self.read(self.new_invoice(ksef_charge_ids=[
            Command.create({'kind': 'deduction', 'amount': 200, 'reason': "Nadpłata"})])).settlement
        self.assertEqual((settlement.to_pay, settlement.to_settle), (None, D('77.00')))
        with self.assertRaises(ValidationError):
            self.new_invoice(ksef_charge_ids=[Command.create({'amount': -1, 'reason': "x"})])

    def test_other_form_and_link(self):
        link = "https://plac.example.pl/?IPKSeF=012A1b2C3d4E5"
        payment = self.read(self.new_invoice(
            ksef_payment_form='other', ksef_payment_form_other="barter", ksef_payment_id='012A1b2C3d4E5', ksef_payment_link=link)).payment
        self.assertEqual((payment.form, payment.other_form, payment.link, payment.ksef_payment_id), (None, "barter", link, '012A1b2C3d4E5'))
        self.refused(self.new_invoice(ksef_payment_link="https://plac.example.pl/"), 'payment-link-format')
        self.refused(self.new_invoice(ksef_payment_id='12'), 'payment-id-format')
        self.refused(self.new_invoice(ksef_payment_link=link, ksef_payment_id='012A1b2C3d4E6'), 'payment-link-id')


@tagged('post_install', '-at_install')
class TestTransactions(TradeCommon):

    def test_transport(self):
        carrier = self.new_partner(name="Przewoźnik", vat='PL7740001454')
        move = self.new_invoice(ksef_transport_ids=[Command.create({
            'carrier_id': carrier.id, 'order_number': "ZT/1", 'packaging': "paleta EUR", 'started_at': '2026-11-20 06:00:00',
            'ended_at': '2026-11-20 12:00:00', 'origin_id': self.company.partner_id.id, 'stop_ids': [Command.set(carrier.ids)],
            'destination_id': self.buyer.id,
        }), Command.create({'kind': 'other', 'other_kind': "rower", 'cargo': 'other', 'other_cargo': "mieszany"})])
        first, second = self.read(move).transaction.transports
        self.assertEqual((first.kind.name, first.cargo.name, first.carrier.name, first.carrier.identifier.nip), (
            'ROAD', 'PALLET', "Przewoźnik", '7740001454'))
        self.assertEqual((first.order_number, first.packaging), ("ZT/1", "paleta EUR"))
        self.assertEqual((first.started_at, first.ended_at), (
            datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)))
        self.assertEqual([each.line_1 for each in (first.origin, *first.stops, first.destination)], [
            "ul. Prosta 1", "ul. Krótka 3", "ul. Długa 7"])
        self.assertEqual((second.kind, second.other_kind, second.other_cargo), (None, "rower", "mieszany"))

    def test_faults_of_transport(self):
        nowhere = self.env['res.partner'].create({'name': "Nigdzie"})
        move = self.new_invoice(ksef_transport_ids=[Command.create({'carrier_id': nowhere.id, 'stop_ids': [Command.set(nowhere.ids)]})])
        finding = self.refused(move, 'transport-address')
        self.assertEqual((finding['res_model'], finding['res_id']), ('res.partner', nowhere.id))
        self.refused(self.new_invoice(ksef_transport_ids=[Command.create({
            'started_at': '2026-11-20 06:00:00', 'ended_at': '2026-11-19 12:00:00'})]), 'transport-order')
        for values in ({'kind': 'other'}, {'cargo': 'other'}):
            with self.assertRaises(ValidationError):
                self.new_invoice(ksef_transport_ids=[Command.create(values)])

    def test_terms_of_the_transaction(self):
        move = self.new_invoice(
            ksef_batches="P1\nP2\nP1", ksef_is_intermediary=True, ksef_agreed_rate=4.1234,
            ksef_agreed_currency_id=self.env.ref('base.EUR').id, ksef_excise_refund=True,
            invoice_incoterm_id=self.env.ref('account.incoterm_DAP').id, incoterm_location="Berlin")
        self.company.ksef_issue_place = "Warszawa"
        invoice = self.read(move)
        transaction = invoice.transaction
        self.assertEqual((transaction.batches, transaction.delivery_terms, transaction.intermediary), (("P1", "P2"), "DAP Berlin", True))
        self.assertEqual((transaction.agreed_rate.rate, transaction.agreed_rate.currency), (D('4.1234'), 'EUR'))
        self.assertEqual((invoice.excise_refund, invoice.issue_place), (True, "Warszawa"))
        with self.assertRaises(ValidationError):
            move.ksef_agreed_currency_id = False

    def test_goods_code_of_a_line(self):
        product = self.env['product.product'].create({'name': "Stal", 'l10n_pl_vat_gtu': 'GTU_08'})
        lines = [{'product_id': product.id, 'price_unit': 20000, 'ksef_goods_code': code} for code in (False, 'GTU_01')]
        for line, goods_code, annex in zip(lines, ('GTU_08', 'GTU_01'), (True, False), strict=True):
            [stated] = self.read(self.new_invoice(line)).lines
            self.assertEqual((stated.goods_code.value, stated.annex_15), (goods_code, annex))
        move = self.new_invoice({'price_unit': 20000, 'ksef_goods_code': 'GTU_06'})
        self.assertTrue(self.read(move).annotations.split_payment)

    def test_addresses_for_letters(self):
        box = self.new_partner(name="Skrytka", street="skr. poczt. 7")
        self.buyer.ksef_correspondence_id = self.company.partner_id.ksef_correspondence_id = box
        payer = self.new_partner(name="Płatnik", vat='PL7740001454', ksef_correspondence_id=box.id)
        self.company.ksef_taxpayer_status = '2'
        invoice = self.read(self.new_invoice(ksef_third_party_ids=[Command.create({'partner_id': payer.id, 'role': '6'})]))
        for party in (invoice.seller, invoice.buyer, invoice.third_parties[0]):
            self.assertEqual(party.correspondence_address.line_1, "skr. poczt. 7")
        self.assertEqual(invoice.seller.status.name, 'RESTRUCTURING')

    def test_number_of_a_place(self):
        if 'global_location_number' not in self.buyer._fields:
            self.skipTest("the module account_add_gln is not installed")
        self.buyer.global_location_number = '5901234000009'
        self.assertEqual(self.read(self.new_invoice()).buyer.address.location_number, '5901234000009')

    def test_authorised_party(self):
        bailiff = self.new_partner(name="Komornik Sądowy", vat='PL7740001454')
        party = self.read(self.new_invoice(ksef_authorized_partner_id=bailiff.id, ksef_authorized_role='2')).authorized_party
        self.assertEqual((party.nip, party.name, party.role.name), ('7740001454', "Komornik Sądowy", 'BAILIFF'))
        bailiff.write({'vat': False, 'street': False, 'city': False, 'zip': False})
        move = self.new_invoice(ksef_authorized_partner_id=bailiff.id, ksef_authorized_role='2')
        self.refused(move, 'authorized-nip')
        self.refused(move, 'transport-address')
        with self.assertRaises(ValidationError):
            self.new_invoice(ksef_authorized_partner_id=bailiff.id)


@tagged('post_install', '-at_install')
class TestNewVehicles(TradeCommon):

    def invoice_of(self, *vehicles, tax='vs_unia', **values):
        person = self.new_partner(name="Hans Muster", country='de', is_company=False, city="Berlin")
        move = self.new_invoice(
            *({'name': f"Pojazd {number}", 'tax': self.chart_tax(tax)} for number in range(len(vehicles))), partner_id=person.id, **values)
        for vehicle, line in zip(vehicles, move.invoice_line_ids, strict=True):
            self.env['ksef.new.vehicle'].create({'move_id': move.id, 'line_id': line.id, 'admitted_on': '2026-10-01', **vehicle})
        return move

    def test_kinds(self):
        move = self.invoice_of(
            {'usage': "1500 km", 'number': "WVWZZZ1JZXW000001", 'make': "Skoda", 'model_name': "Fabia", 'colour': "czerwony",
             'registration': "WA 12345", 'year': '2026', 'type_name': "osobowy"},
            {'kind': 'water', 'usage': "20", 'number': "H-1"}, {'kind': 'air', 'usage': "10", 'number': "F-1"}, ksef_vehicle_duty=True)
        transport = self.read(move).annotations.new_transport
        car, boat, plane = transport.vehicles
        self.assertTrue(transport.declaration_duty)
        self.assertEqual([vehicle.line_number for vehicle in transport.vehicles], [1, 2, 3])
        self.assertEqual((car.make, car.model, car.colour, car.registration, car.year), ("Skoda", "Fabia", "czerwony", "WA 12345", '2026'))
        self.assertEqual((car.details.mileage, car.details.vin, car.details.kind), ("1500 km", "WVWZZZ1JZXW000001", "osobowy"))
        self.assertEqual((boat.details, plane.details), (Vessel(hours="20", hull_number="H-1"), Aircraft(hours="10", factory_number="F-1")))

    def test_only_on_supplies_into_the_union(self):
        finding = self.refused(self.invoice_of({'usage': "1"}, tax='vs_kraj_23'), 'new-transport-unfounded')
        self.assertEqual(finding['field'], "New means of transport")

    def test_line_of_another_invoice(self):
        move = self.invoice_of({'usage': "1"})
        with self.assertRaises(ValidationError):
            move.ksef_vehicle_ids.line_id = self.new_invoice().invoice_line_ids


@tagged('post_install', '-at_install')
class TestAttachments(TradeCommon):
    TABLE = "Data;Zużycie kWh;Cena;Uwagi\n2026-10-01;120;0,82;\n2026-10-31;80;0.5;korekta odczytu\nRazem;200;;\n"

    def test_block(self):
        move = self.new_invoice(ksef_block_ids=[Command.create({
            'heading': "Odczyty", 'keys': "Punkt poboru: 590243123456789012\n\nTaryfa: G11", 'text': "Akapit 1\nAkapit 2",
            'table': self.TABLE, 'table_description': "Zużycie", 'has_sums': True})])
        rendered = move._ksef_render()
        self.assertIn(b'Zalacznik', rendered.xml)
        self.assertEqual([(finding['severity'], finding['code']) for finding in rendered.findings], [('warning', 'attachment-unknown')])
        context = RenderContext(move, None)
        invoice, _origin = move._ksef_build(context, Entry(move), refused=False)
        xml, findings = move._ksef_prove(context, invoice, refused=False)
        self.assertEqual(findings, [])
        [block] = reader.read(xml).attachment.blocks
        self.assertEqual([(pair.key, pair.value) for pair in block.metadata], [("Punkt poboru", '590243123456789012'), ("Taryfa", "G11")])
        self.assertEqual((block.heading, block.paragraphs), ("Odczyty", ("Akapit 1", "Akapit 2")))
        [table] = block.tables
        self.assertEqual([(column.name, column.type.value) for column in table.columns], [
            ("Data", 'date'), ("Zużycie kWh", 'int'), ("Cena", 'dec'), ("Uwagi", 'txt')])
        self.assertEqual([row.cells for row in table.rows], [
            ('2026-10-01', '120', '0,82', ''), ('2026-10-31', '80', '0.5', "korekta odczytu")])
        self.assertEqual((table.sums, table.description), (("Razem", '200', '', ''), "Zużycie"))

    def test_faults(self):
        tables = ({'table': "Tylko nagłówek"}, {'table': 'a;b\n"nie zamknięte'})
        for values in ({'keys': "bez dwukropka"}, *({'keys': "a: b", **table} for table in tables)):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.new_invoice(ksef_block_ids=[Command.create(values)])
        row = ";".join("x" * 21)
        move = self.new_invoice(ksef_block_ids=[Command.create({'keys': "a: b", 'table': f"{row}\n{row}"})])
        self.assertIn(('too-many', "KSeF attachment"), [(each['code'], each['field']) for each in move._ksef_render().findings])
        move = self.new_invoice(ksef_block_ids=[Command.create({'keys': "a: b", 'table': "a;b\n1;2;3"})])
        self.refused(move, 'table-cells')

    def test_file(self):
        block = self.env['ksef.invoice.block'].new({'keys': "a: b", 'table_file': base64.b64encode("Ćma;Żaba\n1;2".encode('cp1250'))})
        block._onchange_table_file()
        self.assertEqual(block.table, "Ćma;Żaba\n1;2")
        block.table_file = base64.b64encode(b'\x81\x83\x88' * 3)
        with self.assertRaises(ValidationError):
            block._onchange_table_file()
        block.table_file = base64.b64encode(b'x' * 3_000_001)
        with self.assertRaises(ValidationError):
            block._onchange_table_file()


@tagged('post_install', '-at_install')
class TestCorrectionsOfData(TradeCommon):

    def test_name_of_the_seller(self):
        old = self.company.name
        move = self.accepted(self.new_invoice())
        self.company.name = "Sprzedawca po przekształceniu S.A."
        refund = self.credit(move, ksef_correction_kind='seller', ksef_correction_type='1')
        invoice = self.read(refund)
        self.assertEqual(self.codes(refund), [])
        self.assertEqual((invoice.correction.seller.name, invoice.seller.name), (old, "Sprzedawca po przekształceniu S.A."))
        self.assertEqual((invoice.total, invoice.group_totals, invoice.lines, invoice.correction.buyers), (0, (), (), ()))

    def test_number_of_the_seller_is_no_data(self):
        move = self.accepted(self.new_invoice())
        refund = self.credit(move, ksef_correction_kind='seller')
        self.company.vat = 'PL7740001454'
        self.refused(refund, 'correction-seller-number')
        self.refused(self.credit(self.original(), ksef_correction_kind='seller'), 'correction-seller-unknown')

    def test_number_of_the_invoice(self):
        move = self.accepted(self.new_invoice())
        refund = self.credit(move, ksef_correction_kind='number', ksef_right_number="FV/7/2026")
        correction = self.read(refund).correction
        self.assertEqual((correction.right_number, correction.invoices[0].number), ("FV/7/2026", move.name))
        self.refused(self.credit(move, ksef_correction_kind='number'), 'correction-number-missing')

    def test_amounts_are_no_data(self):
        move = self.accepted(self.new_invoice())
        refund = self.credit(move, {'quantity': 1, 'price_unit': 5}, ksef_correction_kind='buyer')
        self.refused(refund, 'correction-data-amount')

    def test_name_of_an_additional_buyer(self):
        other = self.new_partner(name="Współnabywca", vat='PL7740001454')
        payer = self.new_partner(name="Płatnik", vat='PL5252344078')
        move = self.accepted(self.new_invoice(ksef_third_party_ids=[
            Command.create({'partner_id': payer.id, 'role': '6'}), Command.create({'partner_id': other.id, 'role': '4', 'share': 40})]))
        other.name = payer.name = "Nowa nazwa"
        refund = self.credit(move, ksef_correction_kind='buyer', ksef_correction_type='1')
        invoice = self.read(refund)
        self.assertEqual([party.key for party in invoice.third_parties], [None, '2'])
        self.assertEqual([(old.name, old.key) for old in invoice.correction.buyers], [("Współnabywca", '2')])
        self.buyer.name = "Nabywca Nowy S.A."
        invoice = self.read(refund)
        self.assertEqual([(old.name, old.key) for old in invoice.correction.buyers], [("Nabywca S.A.", '1'), ("Współnabywca", '2')])

    def test_corrections_carry_what_the_original_says(self):
        payer = self.new_partner(name="Gmina", vat='PL7740001454')
        move = self.accepted(self.new_invoice(
            ksef_contract_number="U/1", ksef_period_start='2026-10-01', ksef_period_end='2026-10-31', ksef_receipt_invoice=True,
            ksef_third_party_ids=[Command.create({'partner_id': payer.id, 'role': '8'})]))
        invoice = self.read(self.credit(move))
        self.assertEqual(invoice.third_parties[0].name, "Gmina")
        self.assertTrue(invoice.buyer.local_government_unit and invoice.receipt_invoice)
        self.assertEqual((invoice.transaction.contracts[0].number, invoice.period.first.isoformat()), ("U/1", '2026-10-01'))


@tagged('post_install', '-at_install')
class TestLocks(TradeCommon):

    def test_parts_are_closed_with_the_invoice(self):
        move = self.accepted(self.new_invoice(
            ksef_payment_ids=[Command.create({'date': '2026-11-19', 'amount': 23})],
            ksef_charge_ids=[Command.create({'amount': 1, 'reason': "Kaucja"})], ksef_transport_ids=[Command.create({})]))
        self.env.flush_all()
        for values in ({'ksef_batches': "x"}, {'ksef_payment_id': '012A1b2C3d4E5'}, {'ksef_payment_ids': [Command.clear()]},
                       {'incoterm_location': "x"}, {'ksef_right_number': "1"}):
            with self.subTest(values), self.assertRaises(UserError):
                move.write(values)
        parts = (
            (move.ksef_payment_ids, {'amount': 1}), (move.ksef_charge_ids, {'reason': "x"}), (move.ksef_transport_ids, {'kind': '1'}))
        for part, values in parts:
            with self.subTest(part), self.assertRaises(UserError):
                part.write(values)
            with self.subTest(part), self.assertRaises(UserError):
                part.unlink()
        with self.assertRaises(UserError):
            move.invoice_line_ids.ksef_goods_code = 'GTU_01'
        with self.assertRaises(UserError):
            move.action_ksef_take_payments()
