import contextlib

from odoo import api, fields, models
from odoo.exceptions import UserError

from .ksef_received_bill import IN_REQUEST


class KsefReceived(models.Model):
    """Mending what the monthly control shows: one button that does what the difference asks for."""
    _inherit = 'ksef.received'

    booked_amount = fields.Monetary(
        string="Gross in Odoo", compute='_compute_booked_amount', compute_sudo=True, help="What the bill comes to; a refund below zero.")
    difference = fields.Char(string="What differs", compute='_compute_booked_amount', compute_sudo=True)

    @api.depends('move_id.amount_total', 'move_id.move_type', 'move_id.state', 'gross_amount', 'state')
    @api.depends_context('lang')
    def _compute_booked_amount(self):
        labels = dict(self._fields['state']._description_selection(self.env))
        for received in self:
            move = received.move_id
            received.booked_amount = -move.amount_total if move.move_type in ('in_refund', 'out_refund') else move.amount_total
            if not move:
                received.difference = labels[received.state]
            elif move.state == 'cancel':
                received.difference = self.env._("The bill is cancelled")
            elif move.currency_id.compare_amounts(received.booked_amount, received.gross_amount):
                received.difference = self.env._("Another amount")
            else:
                received.difference = False

    def action_mend(self):
        """Do what the difference of each asks for: get the XML, make the bill, or give a draft the invoice's lines.

        :raise UserError: a single one that a person has to decide about
        """
        self._check_bookkeeper()
        self.check_access('read')
        self.filtered('is_own_sale')._check_importer()
        if len(self) == 1:
            self._mend()
            if self.problem:
                raise UserError(self.problem)
        else:
            self._mend_many()
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}

    def _mend_many(self):
        """Mend what can be; the others stay in the list with their reason. More than a few are left to the workers."""
        if len(self) > IN_REQUEST:
            bills = self.filtered(lambda one: one.state in ('stored', 'failed') and one.xml_size and not one.move_id)
            bills.sudo().write({'bill_wanted': True, 'bill_auto': False, 'due_at': fields.Datetime.now()})
            self.env['ksef.worker']._trigger_workers()
            return
        for received in self:
            with contextlib.suppress(UserError), self.env.cr.savepoint():
                received._mend()

    def _mend(self):
        self.ensure_one()
        move = self.sudo().move_id
        if self.state == 'listed':
            return self.action_try_again()
        if self.state in ('stored', 'failed') and not move:
            return self._make_bill()
        if move.state == 'cancel':
            received = self.sudo()
            received._lock()
            received._transition('stored', move_id=False)
            return self._make_bill()
        if not self.difference:
            return None
        if move.state == 'posted':
            raise UserError(self.env._(
                "%(bill)s is confirmed and comes to %(booked)s, the invoice to %(invoice)s. Reset it to draft, then mend it.",
                bill=move.name, booked=self.booked_amount, invoice=self.gross_amount))
        return self._fill_draft(move.with_user(self.env.user))

    def _without_disputed(self):
        """
        :raise UserError: one of them is disputed, so it is neither paid nor deducted
        """
        if self:
            raise UserError(self.env._(
                "%(invoices)s: not ours or disputed, so it is kept out of payment and VAT. Restore the KSeF invoice first.",
                invoices=", ".join(received.invoice_number or received.ksef_number for received in self)))


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _post(self, soft=True):
        """A disputed invoice is kept out of payment and VAT: its draft isn't confirmed, by nobody and by no rule."""
        bills = self.filtered(lambda move: move.is_purchase_document())
        if bills:
            self.env['ksef.received'].sudo().search([('move_id', 'in', bills.ids), ('state', '=', 'disputed')])._without_disputed()
        return super()._post(soft)


class KsefReceivedControl(models.Model):
    _inherit = 'ksef.received.control'

    def action_mend(self):
        """Mend all differences of the month that the program can; those left are shown one by one."""
        self.ensure_one()
        self.env['ksef.received']._check_bookkeeper()
        self.check_access('read')
        differing = self.env['ksef.received'].browse(self._difference_ids())
        differing.filtered('is_own_sale')._check_importer()
        differing._mend_many()
        self.env.flush_all()
        return self.action_open_differences()
