"""A month of mixed purchases from KSeF to the books: right without a hand on it, or shown to the person who decides."""
from datetime import timedelta
from decimal import Decimal

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..ksef.fa3.codes import TaxGroup
from .common import BUYER_NIP, SELLER_NIP
from .test_received_bill import BillCommon

# What nobody needs to touch, and what a person decides: (state, kind of move, state of the move, net, tax, total, what is said).
POSTED, DRAFT, REFUND = ('imported', 'in_invoice', 'posted'), ('imported', 'in_invoice', 'draft'), ('imported', 'in_refund', 'draft')
EXPECTED = {
    'known': (*POSTED, '358.00', '82.34', '440.34', ()),
    'known-again': (*POSTED, '358.00', '82.34', '440.34', ()),
    'early-correction': (*REFUND, '180.00', '41.40', '221.40', ("correction",)),
    'rates': (*DRAFT, '800.30', '58.68', '858.98', ("not recognised",)),
    'advance': (*DRAFT, '10000.00', '2300.00', '12300.00', ("not recognised",)),
    'correction': (*REFUND, '35.80', '8.23', '44.03', ("correction",)),
    'euro': (*DRAFT, '315.00', '72.45', '387.45', ("not recognised",)),
    'exempt': (*DRAFT, '1000.00', '0.00', '1000.00', ("not recognised",)),
    'outside': (*DRAFT, '500.00', '0.00', '500.00', ("not recognised",)),
    'reverse': (*DRAFT, '2000.00', '0.00', '2000.00', ("not recognised",)),
    'margin': (*DRAFT, '15000.00', '0.00', '15000.00', ("not recognised",)),
    'discount': (*DRAFT, '45.00', '10.35', '55.35', ("not recognised",)),
    'paid': (*DRAFT, '100.00', '23.00', '123.00', ("it was paid on",)),
    'part-paid': (*DRAFT, '200.00', '46.00', '246.00', ("a part of it has been paid", "due in parts")),
    'split': (*DRAFT, '20000.00', '4600.00', '24600.00', ("Split payment",)),
    'simplified': (*DRAFT, '365.85', '84.15', '450.00', ("not recognised",)),
    'settlement': (*DRAFT, '38000.00', '8740.00', '46740.00', ("not recognised",)),
    'unknown': (*DRAFT, '700.00', '161.00', '861.00', ("not recognised",)),
    'new': (*DRAFT, '200.00', '46.00', '246.00', ("is new",)),
    'misnamed': (*DRAFT, '358.00', '82.34', '440.34', ("Zupełnie Inna Firma",)),
    'rounding': (*DRAFT, '30.30', '6.96', '37.26', ("not recognised",)),
    'entered-correction': (*REFUND, '100.00', '23.00', '123.00', ("correction",)),
    'dearer': (*DRAFT, '10.00', '2.30', '12.30', ("not recognised",)),
    'before': (*DRAFT, '1800.00', '414.00', '2214.00', ("not recognised",)),
}


@tagged('post_install', '-at_install')
class TestReceivedMonth(BillCommon):

    def prepare(self):
        """A company that books what is proven by itself, and knows one supplier and one of its products."""
        self.env.ref('base.EUR').active = True
        self.accountant = self.env['res.users'].create({
            'name': "Ula", 'login': 'ula', 'company_id': self.company.id, 'company_ids': [(6, 0, self.company.ids)],
            'group_ids': [(6, 0, self.env.ref('account.group_account_invoice').ids)]})
        # The address that the sandbox gives to every buyer.
        self.company.write({'street': "ul. Przykładowa 1", 'zip': "00-001"})
        self.company.write({
            'ksef_auto_bill': 'post', 'ksef_auto_user_id': self.accountant.id, 'ksef_auto_after': 3, 'ksef_alert_buyer': True})
        # As people write it.
        self.house = self.env['res.partner'].with_context(no_vat_validation=True).create({
            'name': "Hurtownia Przykładowa sp. z o.o.", 'vat': '526-000-12-46', 'is_company': True, 'supplier_rank': 1})
        tax = self.env['ksef.bill']._tax_by_amount(self.company, 23)
        self.product = self.env['product.product'].create({'name': "Papier", 'supplier_taxes_id': [(6, 0, tax.ids)]})
        self.account = self.company_data['default_account_expense'].copy({'code': '402997'})
        self.env['ksef.product.map'].create({
            'company_id': self.company.id, 'partner_id': self.house.id, 'line_name': "Papier biurowy A4, 80 g", 'seller_index': 'P-1',
            'product_id': self.product.id, 'account_id': self.account.id, 'tax_ids': [(6, 0, tax.ids)]})
        self.today = self.env['account.move']._ksef_today()
        for number in range(3):
            self.enter(f'2025/{number}', self.today - timedelta(days=60 + number), 358, tax).action_post()
        # The same invoice as one that comes from KSeF, without its number.
        self.entered = self.enter(False, self.today - timedelta(days=14), 500, tax)
        sale = self.make_invoice([("Usługa", 1, 300.0, self.tax_23)], post=False, date=self.today - timedelta(days=13))
        sale.name = 'SPRZ/1'
        sale.action_post()
        self.sale = sale

    def enter(self, number, day, net, tax):
        return self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': self.house.id, 'ref': number, 'invoice_date': day, 'company_id': self.company.id,
            'invoice_line_ids': [Command.create({'name': "x", 'price_unit': net, 'tax_ids': [Command.set(tax.ids)]})]})

    def fetch_month(self):
        """Have the month issued and fetched by the worker; return {key: received invoice}."""
        self.sandbox.admin('POST', '/companies', nip=SELLER_NIP, name=self.company.name)
        issued = self.sandbox.admin('POST', f'/companies/{SELLER_NIP}/month')
        self.assertEqual({one['status'] for one in issued}, {200}, issued)
        keys = {one['ksefNumber']: one['key'] for one in issued}
        self.follow('export', roles=('buyer', 'seller', 'third'), ksef_fetch_start_date=self.today - timedelta(days=29))
        self.run_workers(4)
        self.assertEqual({'before'}, set(keys.values()) - {keys[row.ksef_number] for row in self.received()})
        # What lies before the first day is fetched on demand; its correction is here already.
        self.env['ksef.fetch']._begin(self.connection, 'buyer', self.today - timedelta(days=31), self.today - timedelta(days=29))
        self.run_workers(3)
        rows = {keys[row.ksef_number]: row for row in self.received()}
        self.assertEqual((set(rows), len(self.received())), (set(keys.values()), len(keys)))
        return rows

    def test_month(self):
        """Nothing missed, sums and taxes those of the invoices, links made; what a person must decide says so."""
        self.prepare()
        self.rows = self.fetch_month()
        self.check_bills()
        self.check_taxes()
        self.check_links()
        self.check_dates()
        self.check_decisions()
        self.check_month()

    def said(self, move):
        """What is shown to whoever opens the bill, or is in the responsible's activities."""
        activities = move.activity_ids.filtered(lambda activity: activity.user_id == self.accountant)
        return " ".join([move.ksef_bill_notes or '', move.ksef_bill_problem or '', *(str(activity.note or '') for activity in activities)])

    def check_bills(self):
        for key, (state, kind, move_state, net, tax, total, said) in EXPECTED.items():
            with self.subTest(key):
                received = self.rows[key]
                move = received.move_id
                self.assertEqual((received.state, move.move_type, move.state), (state, kind, move_state), received.problem)
                self.assertEqual(
                    (f'{move.amount_untaxed:.2f}', f'{move.amount_tax:.2f}', f'{move.amount_total:.2f}'), (net, tax, total))
                self.assertEqual(move.ref, received.invoice_number)
                self.assertFalse(move.ksef_bill_problem)
                self.assertEqual(move.ksef_auto_posted, move_state == 'posted')
                for word in said:
                    self.assertIn(word, self.said(move))
                if move_state == 'posted':
                    self.assertFalse(self.said(move).strip())
                else:
                    move.action_post()

    def check_taxes(self):
        """Each rate with the tax of the chart, the buyer's own tax on both sides, none where none can be deducted."""
        move = {key: row.move_id for key, row in self.rows.items()}
        lines = move['rates'].invoice_line_ids
        self.assertEqual([line.tax_ids.amount for line in lines], [23, 8, 5, 0])
        self.assertEqual(set(lines.tax_ids.mapped('type_tax_use')), {'purchase'})
        booked = {line.tax_line_id.amount: line.balance for line in move['rates'].line_ids if line.tax_line_id}
        self.assertEqual(booked, {23: 44.51, 8: 10.22, 5: 3.95})
        own = move['reverse'].line_ids.filtered('tax_line_id').mapped('balance')
        self.assertEqual(sorted(own), [-460.0, 460.0], "owed and deducted, though the chart's tax for it is archived")
        for key in ('outside', 'margin'):
            self.assertFalse(move[key].line_ids.tax_ids, key)
        self.assertTrue(move['exempt'].invoice_line_ids.tax_ids)
        self.assertEqual(move['known'].invoice_line_ids.product_id, self.product)
        self.assertEqual(move['known'].invoice_line_ids.account_id, self.account)
        line = move['discount'].invoice_line_ids
        self.assertEqual((line.quantity, line.price_subtotal), (10, 45))
        self.assertEqual((move['euro'].currency_id.name, round(1 / move['euro'].invoice_currency_rate, 4)), ('EUR', 4.2512))
        self.assertEqual(sum(line.balance for line in move['euro'].line_ids if line.tax_line_id), 308.0)
        self.assertEqual(sorted(move['settlement'].invoice_line_ids.mapped('price_subtotal')), [-10000, 48000])
        self.assertIn(self.rows['advance'].ksef_number, " ".join(move['settlement'].invoice_line_ids.mapped('name')))

    def check_links(self):
        """Corrections to their originals, whichever came first; suppliers once each."""
        move = {key: row.move_id for key, row in self.rows.items()}
        self.assertEqual(move['correction'].reversed_entry_id, move['known'])
        self.assertEqual(move['early-correction'].reversed_entry_id, move['before'], "the original came after its correction")
        self.assertIn("HP/2", " ".join(move['dearer'].message_ids.mapped('body')))
        self.assertEqual((self.rows['data'].state, self.rows['data'].move_id.ids), ('ignored', []))
        self.assertIn("Zmiana adresu nabywcy", self.rows['data'].reason)
        self.assertIn("Zmiana adresu nabywcy", " ".join(move['rates'].message_ids.mapped('body')))
        for key in ('known', 'rates', 'unknown'):
            self.assertEqual(move[key].partner_id, self.house)
        newcomer = move['new'].partner_id
        self.assertEqual((newcomer.name, newcomer.zip, newcomer.company_registry), (
            "Nowy Dostawca sp. z o.o.", "02-003", '0000012345'))
        nips = self.received().filtered(lambda row: row.move_id and row.is_purchase).mapped('seller_nip')
        for nip in set(nips):
            self.assertEqual(len(self.env['ksef.bill']._partners_of(self.company, nip)), 1, nip)
        for row in self.received().filtered('move_id'):
            self.assertEqual(row.move_id.ksef_received_ids, row)

    def check_dates(self):
        """Issued, received and booked on its day; the sale of a month is never in the next one."""
        for key in ('known', 'rates', 'euro'):
            received, move = self.rows[key], self.rows[key].move_id
            self.assertEqual((move.invoice_date, move.taxable_supply_date), (received.issue_date, received.issue_date))
            self.assertEqual(move.date, received.issue_date)
            self.assertEqual(received._received_on(), received.issue_date)
            self.assertEqual(move.invoice_date_due, move.invoice_date + timedelta(days=14))
            self.assertIn(received.ksef_number, move.payment_reference)
        parts = self.rows['part-paid'].move_id
        self.assertEqual(parts.invoice_date_due, parts.invoice_date + timedelta(days=14))
        self.assertIn("2%, zapłata w 7 dni", parts.ksef_bill_remarks)
        self.assertEqual(self.rows['correction'].move_id.date, self.rows['correction'].issue_date)

    def check_decisions(self):
        """What no rule can decide is shown with its reason, and goes on at a click."""
        entered = self.rows['entered']
        self.assertEqual((entered.state, entered.candidate_id, entered.move_id.ids), ('failed', self.entered, []))
        self.assertIn("may be this invoice already", entered.problem)
        entered.with_user(self.accountant).action_link_candidate()
        self.assertEqual((entered.state, entered.move_id), ('linked', self.entered))
        self.assertEqual(self.rows['entered-correction'].move_id.reversed_entry_id, self.entered, "tied when its original was linked")
        for key, words in (('peppol', "Peppol"), ('farmer', "flat-rate farmer")):
            self.assertEqual((self.rows[key].state, self.rows[key].move_id.ids), ('failed', []))
            self.assertIn(words, self.rows[key].problem)
        peppol = self.rows['peppol']
        peppol.action_try_again()
        self.assertEqual((peppol.state, peppol.candidate_id.ids), ('failed', []))
        by_hand = self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': self.env['res.partner'].create({'name': "Peppol", 'vat': f'PL{peppol.seller_nip}'}).id,
            'ref': 'PEF 1', 'invoice_date': peppol.issue_date, 'company_id': self.company.id,
            'invoice_line_ids': [Command.create({'name': "x", 'price_unit': 984, 'tax_ids': []})]})
        peppol.action_try_again()
        self.assertEqual((peppol.state, peppol.candidate_id), ('failed', by_hand))
        peppol.with_user(self.accountant).action_link_candidate()
        self.assertEqual((peppol.state, peppol.move_id), ('linked', by_hand))
        third = self.rows['third']
        self.assertEqual((third.role, third.state, third.is_purchase, third.move_id.ids), ('third', 'stored', False, []))
        known, unknown = self.rows['own-known'], self.rows['own-unknown']
        self.assertEqual((known.state, known.move_id), ('linked', self.sale))
        self.assertEqual((self.sale.ksef_number, self.sale.ksef_state), (known.ksef_number, 'accepted'))
        self.assertEqual((unknown.state, unknown.is_own_sale, unknown.move_id.ids), ('stored', True, []))
        unknown.with_user(self.accountant).action_import_sale()
        self.assertEqual((unknown.state, unknown.move_id.name, unknown.move_id.state, unknown.move_id.amount_total), (
            'imported', 'SPRZ/2', 'posted', 492.0), unknown.problem)
        self.assertEqual(unknown.move_id.commercial_partner_id.vat, f'PL{BUYER_NIP}')

    def check_month(self):
        """The monthly control has nothing left but what is entered by hand, and KSeF's sums are Odoo's."""
        self.env.flush_all()
        left = self.env['ksef.received']
        for control in self.env['ksef.received.control'].search([('company_id', '=', self.company.id)]):
            self.assertFalse(control.difference_count)
            left |= left.search(control.action_open_differences()['domain'])
        self.assertEqual(self.rows['farmer'], left)
        booked = self.received().filtered('move_id')
        self.assertEqual(
            sum(Decimal(str(row.booked_amount)) for row in booked), sum(Decimal(str(row.gross_amount)) for row in booked))

    def test_reverse_charge_without_its_tax(self):
        """No tax of 0 % is taken where the buyer owes the VAT: what is missing is said."""
        bills, group = self.env['ksef.bill'].with_company(self.company), TaxGroup.REVERSE_CHARGE
        steel = self.env['account.chart.template'].with_company(self.company).ref('vz_stal')
        nothing = bills._tax_by_amount(self.company, 0)
        product = self.env['product.product'].create({'name': "Złom", 'supplier_taxes_id': [(6, 0, nothing.ids)]})
        self.assertEqual(bills._find_taxes(self.company, group, Decimal(0), product), steel)
        self.env['ir.model.data'].search([('model', '=', 'account.tax'), ('res_id', '=', steel.id)]).unlink()
        with self.assertRaisesRegex(UserError, "reverse charge"):
            bills._find_taxes(self.company, group, Decimal(0), product)
