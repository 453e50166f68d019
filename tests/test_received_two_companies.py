"""Two companies of one database that trade with each other: one issues, the other books, neither sees the other's side."""
from odoo.tests import tagged

from .common import BUYER_NIP
from .test_received_bill import BillCommon


@tagged('post_install', '-at_install')
class TestTwoCompanies(BillCommon):

    def test_they_trade_with_each_other(self):
        other = self.setup_other_company(name="Kupujący sp. z o.o.", vat=f'PL{BUYER_NIP}', country_id=self.env.ref('base.pl').id)['company']
        other.partner_id.write({'street': "ul. Długa 7", 'zip': "31-147", 'city': "Kraków"})
        self.env.user.company_ids |= other
        self.connect(other, BUYER_NIP)
        invoice = self.make_invoice(partner=other.partner_id)
        document = self.send(invoice, rounds=2)
        self.assert_accepted(document)
        for company, role in ((self.company, 'seller'), (other, 'buyer')):
            company.write({
                'ksef_fetch_active': True, 'ksef_fetch_mode': 'single', 'ksef_fetch_buyer': role == 'buyer',
                'ksef_fetch_seller': role == 'seller'})
        self.run_workers(3)
        sold, bought = (
            self.env['ksef.received'].search([('company_id', '=', company.id)]) for company in (self.company, other))
        self.assertEqual((sold.ksef_number, bought.ksef_number), (document.ksef_number, document.ksef_number))
        self.assertEqual((sold.role, sold.state, sold.move_id), ('seller', 'linked', invoice))
        bought = bought.with_context(allowed_company_ids=other.ids)
        bought.action_make_bill()
        bill = bought.move_id
        self.assertFalse(bought.problem)
        self.assertEqual((bill.company_id, bill.move_type, bill.partner_id.vat), (other, 'in_invoice', self.company.vat))
        self.assertEqual((bill.amount_total, bill.ksef_bill_problem), (invoice.amount_total, False))
        bill.action_post()
        self.assertEqual((invoice.state, invoice.ksef_number), ('posted', document.ksef_number))
        self.assertEqual(bill.ksef_received_number, document.ksef_number)
