"""Purchases that an employee has paid and claimed."""
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..test_received_bill import BillCommon
from .common import needs


@tagged('post_install', '-at_install')
class TestExpensesOfEmployees(BillCommon):

    def setUp(self):
        super().setUp()
        needs(self, 'hr.expense', 'hr_expense')
        self.employee = self.env['hr.employee'].sudo().create({'name': "Jan Kowalski", 'company_id': self.company.id})
        self.product = self.env['product.product'].create({'name': "Materiały", 'can_be_expensed': True, 'standard_price': 0})

    def expense(self, received, total=1052.88, **values):
        return self.env['hr.expense'].sudo().create({
            'name': "Papier i toner", 'employee_id': self.employee.id, 'product_id': self.product.id, 'company_id': self.company.id,
            'total_amount_currency': total, 'date': received.issue_date, 'payment_mode': 'own_account'} | values)

    def test_not_booked_twice(self):
        """The expense is found before a bill is made; a person links it, and it can't be taken for a second invoice."""
        received = self.fetch('goods')
        expense = self.expense(received)
        received.action_make_bill()
        self.assertEqual((received.state, received.expense, received.move_id.ids), ('failed', expense, []))
        self.assertIn("Jan Kowalski", received.problem)
        received.action_link_expense()
        self.assertEqual((received.state, received.move_id.ids), ('linked', []))
        self.assertIn(received.ksef_number, expense.message_ids[0].body)
        self.bill(self.receive(received._get_xml(), seller_nip=received.seller_nip))

    def test_another_purchase(self):
        """Another amount, another vendor, paid by the company, refused: no expense is offered."""
        received = self.fetch('goods')
        vendor = self.env['res.partner'].create({'name': "Inny"})
        self.expense(received, total=1052)
        self.expense(received, vendor_id=vendor.id)
        self.expense(received, payment_mode='company_account')
        self.bill(received)
        with self.assertRaises(UserError):
            received.action_link_expense()

    def test_set_aside_and_restored(self):
        """An invoice with an expense keeps both ways out; an expense that was deleted is none."""
        received = self.fetch('goods')
        expense = self.expense(received)
        received.action_make_bill()
        received._set_aside('ignored', "Później")
        received.action_restore()
        self.assertEqual((received.state, received.expense), ('stored', expense))
        expense.unlink()
        with self.assertRaises(UserError):
            received.action_link_expense()
        received.action_make_bill_anyway()
        self.assertEqual(received.state, 'imported')

    def test_said_to_be_another(self):
        received = self.fetch('goods')
        self.expense(received)
        received.action_make_bill()
        received.action_make_bill_anyway()
        self.assertEqual((received.state, received.move_id.amount_total), ('imported', 1052.88))
        self.assertFalse(received.expense)
