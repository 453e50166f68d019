from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

# So many days an expense may be dated before or after the invoice.
DAYS = 14


class KsefBill(models.AbstractModel):
    """Expenses that employees have paid and claimed (module hr_expense), which are the same purchase as an invoice."""
    _inherit = 'ksef.bill'

    @api.model
    def _find_expenses(self, company, invoice):
        """Expenses that may be this invoice: the same amount and currency, about the same day, no other vendor."""
        if 'hr.expense' not in self.env:
            return None
        day, total = self._day(invoice.issue_date), float(invoice.total)
        suppliers = self._partners_of(company, str(invoice.seller.nip))
        expenses = self.env['hr.expense'].sudo().search([
            ('company_id', '=', company.id), ('state', '!=', 'refused'), ('payment_mode', '=', 'own_account'),
            ('currency_id.name', '=', str(invoice.currency)), ('date', '>=', day - timedelta(days=DAYS)),
            ('date', '<=', day + timedelta(days=DAYS)), ('total_amount_currency', '>', total - 0.005),
            ('total_amount_currency', '<', total + 0.005)])
        taken = self.env['ksef.received'].sudo().search([('expense', 'in', [f'hr.expense,{id_}' for id_ in expenses.ids])])
        return expenses.filtered(lambda expense: (
            (not expense.vendor_id or expense.vendor_id.commercial_partner_id in suppliers)
            and expense not in [received.expense for received in taken]))


class KsefReceived(models.Model):
    """An invoice that an employee has paid is tied to the expense instead of being booked twice."""
    _inherit = 'ksef.received'

    expense = fields.Reference(
        selection='_selection_expense', readonly=True, copy=False, help="The expense of an employee that is this purchase, or may be.")

    @api.model
    def _selection_expense(self):
        return [('hr.expense', self.env._("Expense"))] if 'hr.expense' in self.env else []

    def _offer_expense(self, expense):
        """Ask a person whether an expense is this invoice."""
        self.write({
            'state': 'failed', 'bill_wanted': False, 'due_at': False, 'expense': f'{expense._name},{expense.id}',
            'problem': self.env._(
                "The expense “%(expense)s” of %(employee)s may be this invoice already. Link it, or say that it is another one.",
                expense=expense.name, employee=expense.employee_id.name)})

    def action_link_expense(self):
        """The expense that was found is this invoice: no bill is made.

        :raise UserError: there is none
        """
        self.ensure_one()
        self._check_bookkeeper()
        self.check_access('read')
        received = self.sudo()
        received._lock()
        expense = received.expense and received.expense.exists()
        if not expense:
            raise UserError(self.env._("There is no expense to link."))
        received._transition('linked', decided_by=self.env.uid, decided_at=fields.Datetime.now())
        expense.message_post(body=self.env._(
            "Linked to KSeF invoice %(number)s (%(ksef)s).", number=received.invoice_number, ksef=received.ksef_number))
