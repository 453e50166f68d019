"""Self-billing: vendor bills that the company issues in the supplier's name, from the posted bill to KSeF."""
from decimal import Decimal

import requests
from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import common, tagged

from ..ksef import Client, Context, Transport, get_environment
from .common import BUYER_NIP, OTHER_BUYER_NIP, SELLER_NIP, KsefConnectedCommon
from .test_fa3_common import Fa3Common

SUPPLIER_NIP = OTHER_BUYER_NIP


@tagged('post_install', '-at_install')
class TestSelfBilling(Fa3Common, KsefConnectedCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.supplier = cls.new_partner(name="Dostawca sp. j.", vat=f'PL{SUPPLIER_NIP}', phone="+48 22 555 01 01")
        cls.supplier_account = cls.env['res.partner.bank'].create({
            'acc_number': 'PL10 1050 0099 7603 1234 5678 9123', 'partner_id': cls.supplier.id})
        cls.journal = cls.env['account.journal'].with_company(cls.company).search([('type', '=', 'purchase')], limit=1).copy(
            {'name': "Samofakturowanie", 'code': 'SAMO', 'is_self_billing': True})
        cls.purchase_23, cls.purchase_8 = cls.chart_tax('vz_kraj_23'), cls.chart_tax('vz_kraj_8')

    def new_bill(self, *lines, **values):
        account = self.company_data['default_account_expense']
        rows = [{'tax': self.purchase_23, 'account_id': account.id} | dict(line) for line in lines or [{}]]
        return self.new_invoice(*rows, **{
            'move_type': 'in_invoice', 'partner_id': self.supplier.id, 'journal_id': self.journal.id,
            'partner_bank_id': self.supplier_account.id} | values)

    def let_supplier_grant(self):
        """The supplier gives our NIP the right to issue in its name (KSeF: SelfInvoicing), with its own login."""
        token = self.sandbox.token(SUPPLIER_NIP, permissions=('CredentialsManage',))
        with Transport(get_environment('local', self.sandbox.url)) as transport:
            client = Client(transport)
            operation = client.start_token_login_with_fresh_key(Context(SUPPLIER_NIP, 'Nip'), token)
            self.assertTrue(client.login_status(operation).is_complete)
            access = client.redeem(operation).access
        body = {
            'subjectIdentifier': {'type': 'Nip', 'value': SELLER_NIP}, 'permission': 'SelfInvoicing', 'description': "Samofakturowanie",
            'subjectDetails': {'fullName': "Sprzedawca sp. z o.o."},
        }
        answer = common._super_send(requests.Session(), requests.Request(
            'POST', f'{self.sandbox.url}/permissions/authorizations/grants', json=body,
            headers={'Authorization': f'Bearer {access.value.reveal()}'}).prepare(), timeout=30)
        self.assertEqual(answer.status_code, 202, answer.text)

    def know_rights(self, *nips, partial=False):
        """The mirror of KSeF's list, as a worker stores it."""
        self.connection.sudo().write({'permissions_at': fields.Datetime.now(), 'permissions_partial': partial})
        self.env['ksef.permission'].sudo().create([{
            'connection_id': self.connection.id, 'kind': 'received', 'holder': f'NIP {nip}', 'holder_identifier': f'NIP {nip}',
            'scopes': 'SelfInvoicing', 'state': 'active'} for nip in nips])

    # ------------------------------------------------------------------ the document

    def test_parties_statement_and_sums(self):
        """S0-10: the supplier is Podmiot1, the company Podmiot2, P_17 = 1; rates follow from the taxes of purchase."""
        self.company.write({'ksef_krs': '0000123456', 'ksef_footer': "Kapitał zakładowy 5000 zł"})
        product = self.env['product.product'].create({'name': "Drewno", 'default_code': 'NASZ-1', 'barcode': '5901234123457'})
        bill = self.new_bill(
            {'price_unit': 100.0, 'quantity': 3, 'product_id': product.id, 'name': "Drewno"}, {'price_unit': 50.0, 'tax': self.purchase_8},
            ksef_remark_ids=[Command.create({'key': "Umowa", 'value': "ramowa"})])
        root = self.render(bill)
        self.assertEqual(self.one(root, 'Podmiot1/DaneIdentyfikacyjne/NIP'), SUPPLIER_NIP)
        self.assertEqual(self.one(root, 'Podmiot1/DaneIdentyfikacyjne/Nazwa'), "Dostawca sp. j.")
        self.assertEqual(self.one(root, 'Podmiot2/DaneIdentyfikacyjne/NIP'), SELLER_NIP)
        self.assertEqual(self.one(root, 'Podmiot2/DaneIdentyfikacyjne/Nazwa'), "Sprzedawca sp. z o.o.")
        self.assertEqual(self.one(root, 'Fa/Adnotacje/P_17'), '1')
        self.assertEqual(self.one(root, 'Fa/P_2'), bill.name)
        self.assertEqual(self.one(root, 'Fa/P_1'), bill.invoice_date.isoformat())
        self.assertEqual(self.sums(root), {
            'P_13_1': Decimal('300.00'), 'P_14_1': Decimal('69.00'), 'P_13_2': Decimal('50.00'), 'P_14_2': Decimal('4.00')})
        self.assertEqual(self.one(root, 'Fa/P_15'), '423.00')
        self.assertEqual(self.all(root, 'Fa/FaWiersz/P_12'), ['23', '8'])
        self.assertEqual(self.one(root, 'Fa/Platnosc/RachunekBankowy/NrRB'), self.supplier_account.sanitized_acc_number)
        self.assertEqual(self.all(root, 'Fa/FaWiersz/GTIN'), ['5901234123457'])
        self.assertFalse(self.all(root, 'Fa/FaWiersz/Indeks') + self.all(root, 'Stopka/Rejestry/KRS'))

    def test_foreign_currency(self):
        """P_14_1W is the tax in PLN as booked, positive as on a sale."""
        euro = self.env.ref('base.EUR')
        euro.active = True
        bill = self.new_bill({'price_unit': 100.0}, currency_id=euro.id, invoice_currency_rate=0.25)
        sums = self.sums(self.render(bill))
        self.assertEqual(sums, {'P_13_1': Decimal('100.00'), 'P_14_1': Decimal('23.00'), 'P_14_1W': Decimal('92.00')})

    def test_refusals(self):
        """What can't be told, or may not be done, is refused by name."""
        wrong_side = self.new_bill({'tax': self.tax_23})
        self.refused(wrong_side, 'tax-side')
        self.refused(self.new_invoice({'tax': self.purchase_23}), 'tax-side')
        for template, code in (('vz_kraj_0', 'tax-purchase-zero'), ('vz_unia', 'tax-distribution')):
            with self.subTest(template=template):
                self.refused(self.new_bill({'tax': self.chart_tax(template)}), code)
        untold = self.purchase_23.copy({'name': "23% bez oznaczeń"})
        untold.repartition_line_ids.tag_ids = False
        self.refused(self.new_bill({'tax': untold}), 'tax-purchase')
        self.refused(self.new_bill(partner_id=self.new_partner(vat='DE136695976', country='de').id), 'self-billing-seller')
        self.refused(self.new_bill(partner_id=self.company.partner_id.id), 'self-billing-own')
        self.refused(self.new_bill(ksef_special_kind='simplified'), 'self-billing-kind')
        ordinary = self.new_bill(journal_id=self.env['account.journal'].with_company(self.company).search(
            [('type', '=', 'purchase'), ('is_self_billing', '=', False)], limit=1).id)
        self.refused(ordinary, 'kind-other')
        self.assertFalse(ordinary.ksef_is_offered or ordinary.ksef_can_send)
        with self.assertRaisesRegex(UserError, "Only customer invoices"):
            ordinary._ksef_pick()
        self.connection.sudo().internal_id = f'{SELLER_NIP}-00010'
        self.refused(self.new_bill(), 'self-billing-unit')

    def test_rate_set_by_hand(self):
        """An accountant says what a purchase tax of 0 % stands for."""
        tax = self.chart_tax('vz_kraj_0')
        self.assertFalse(tax.ksef_rate)
        tax.ksef_rate = 'ZERO_DOMESTIC'
        root = self.render(self.new_bill({'tax': tax}))
        self.assertEqual(self.all(root, 'Fa/FaWiersz/P_12'), ['0 KR'])

    def test_right_of_the_supplier(self):
        """A list that is known in full decides; one that isn't leaves a warning."""
        bill = self.new_bill()
        self.warned(bill, 'self-billing-unknown')
        self.know_rights(BUYER_NIP, partial=True)
        self.warned(bill, 'self-billing-unknown')
        self.know_rights()
        self.refused(bill, 'self-billing-right')
        self.know_rights(SUPPLIER_NIP)
        self.assertFalse({'self-billing-right', 'self-billing-unknown'} & set(self.codes(bill)))

    def test_correction(self):
        """A credit note made from the bill states the line before and after, and the original's number."""
        bill = self.new_bill({'quantity': 3})
        bill.ksef_is_outside = True
        wizard = self.env['account.move.reversal'].with_context(active_model='account.move', active_ids=bill.ids).create({
            'journal_id': bill.journal_id.id, 'reason': "Zwrot"})
        self.assertTrue(wizard.ksef_is_offered)
        refund = self.env['account.move'].browse(wizard.reverse_moves()['res_id'])
        refund.invoice_line_ids.quantity = 1
        refund.action_post()
        root = self.render(refund)
        self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), 'KOR')
        self.assertEqual(self.one(root, 'Fa/DaneFaKorygowanej/NrFaKorygowanej'), bill.name)
        self.assertEqual(self.all(root, 'Fa/FaWiersz/P_8B'), ['3', '2'])
        self.assertEqual(self.sums(root), {'P_13_1': Decimal('-100.00'), 'P_14_1': Decimal('-23.00')})
        self.assertEqual(self.one(root, 'Fa/P_15'), '-123.00')
        self.assertEqual(self.one(root, 'Fa/Adnotacje/P_17'), '1')

    # ------------------------------------------------------------------ on the way

    def test_sent_through_our_own_connection(self):
        """With the supplier's right KSeF takes it; the bill closes, shows the number and its code, and isn't booked twice."""
        self.let_supplier_grant()
        bill = self.new_bill()
        self.assertTrue(bill.ksef_can_send and bill.ksef_is_offered)
        wizard = self.env['ksef.send'].create({'move_ids': bill.ids})
        [row] = wizard._read_summary()
        self.assertEqual((row['reason'], row['net'], row['tax'], row['gross']), (None, Decimal(100), Decimal(23), Decimal(123)))
        self.assertEqual([total['rate'] for total in bill._ksef_rate_totals()], ["23%"])
        self.assertIn("123", bill._ksef_rate_totals()[0]['gross'])
        document = self.send(bill, 2)
        self.assertEqual(document.state, 'accepted', f"{document.status_code} {document.status_description} {document.findings}")
        [accepted] = self.sandbox.accepted(SUPPLIER_NIP)
        self.assertEqual((bill.ksef_number, accepted['ksefNumber'][:10]), (document.ksef_number, SUPPLIER_NIP))
        self.assertIn(f'/{SUPPLIER_NIP}/', document.verification_url)
        self.assertEqual(bill._ksef_print_values()['number'], document.ksef_number)
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            bill.invoice_date = fields.Date.subtract(bill.invoice_date, days=1)
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            bill.invoice_line_ids.price_unit = 1.0
        received = self.env['ksef.received'].sudo().create({
            'connection_id': self.connection.id, 'company_id': self.company.id, 'environment': 'local', 'role': 'buyer',
            'roles': 'buyer', 'state': 'stored', 'ksef_number': document.ksef_number})
        received._after_stored(received.ids)
        self.assertEqual((received.state, received.move_id), ('linked', bill))

    def test_refused_by_ksef_without_the_right(self):
        """Without it KSeF rejects it (410); the bill stays open and says so."""
        document = self.send(self.new_bill(), 2)
        self.assertEqual((document.state, document.status_code), ('rejected', 410))
        self.assertFalse(document.move_id.ksef_is_locked)
