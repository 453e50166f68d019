import base64
import contextlib

import psycopg2
from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

# Up to this many bills are made in the person's request, more by the workers.
IN_REQUEST = 20


class KsefReceived(models.Model):
    """Vendor bills from received invoices."""
    _inherit = 'ksef.received'

    candidate_id = fields.Many2one(
        'account.move', string="May be this bill", readonly=True, ondelete='set null',
        help="A bill that was entered before and may be the same invoice.")
    corrects = fields.Text(readonly=True, index='trigram', help="KSeF numbers of the invoices that this one corrects.")
    bill_wanted = fields.Boolean(readonly=True, help="A person wants a bill; a worker makes it.")
    candidate_state = fields.Selection(related='candidate_id.state', string="State of that bill")
    is_purchase = fields.Boolean(compute='_compute_is_purchase')

    @api.depends('roles', 'role')
    def _compute_is_purchase(self):
        for received in self:
            received.is_purchase = received._is_purchase()

    # ------------------------------------------------------------------ buttons

    def action_make_bill(self):
        """Make bills of the invoices; those that can't be booked say why, and stop nothing.

        :raise UserError: none of them is a purchase whose XML has come
        """
        self._check_bookkeeper()
        self.check_access('read')
        ready = self.filtered(lambda one: one.is_purchase and one.xml_size and one.state in ('stored', 'failed'))
        if not ready:
            raise UserError(self.env._(
                "Bills are made only from invoices on which the company is the buyer, whose XML has come, and that have no bill yet."))
        if len(ready) > IN_REQUEST:
            ready.sudo().write({'bill_wanted': True, 'due_at': fields.Datetime.now()})
            self.env['ksef.worker']._trigger_workers()
            return {'type': 'ir.actions.client', 'tag': 'display_notification', 'params': {
                'message': self.env._("%(count)s bills are being made in the background.", count=len(ready)), 'type': 'info'}}
        for received in ready:
            received._make_bill()
        return ready._show_bills()

    def action_link_candidate(self):
        """The bill that was found is this invoice: link it instead of making another one."""
        self.ensure_one()
        self._check_bookkeeper()
        if not self.candidate_id:
            raise UserError(self.env._("There is no bill to link."))
        self._link(self.candidate_id)

    def action_make_bill_anyway(self):
        """The bill that was found is another one: make the bill."""
        self.ensure_one()
        self._check_bookkeeper()
        self.check_access('read')
        self.filtered('is_own_sale')._check_importer()
        self._make_bill(is_different=True)
        return self._show_bills()

    def action_replace_draft(self):
        """The draft that was found is this invoice: its lines, dates and amounts become those of the invoice.

        Notes, attachments and what was written in the chatter stay.

        :raise UserError: the bill is no draft any more, or cannot hold the invoice
        """
        self.ensure_one()
        self._check_bookkeeper()
        self.check_access('read')
        draft = self.candidate_id.with_user(self.env.user)
        draft.check_access('write')
        if not draft or draft.state != 'draft':
            raise UserError(self.env._("Only a draft can be replaced. Link the bill, or reset it to draft first."))
        self.sudo()._lock()
        invoice = self._fill_draft(draft)
        self.sudo()._attach(draft, invoice, 'imported')
        return self.action_open_bill()

    def _fill_draft(self, draft):
        """Give a draft bill the lines, dates and amounts of the invoice; return that (``ksef.fa3.model.Invoice``).

        :raise UserError: the draft cannot hold it
        """
        received = self.sudo()
        bills = self.env['ksef.bill'].with_company(received.company_id)
        invoice = bills._read(received._get_xml())
        try:
            values, notes = bills._values(received.company_id, invoice, received.ksef_number, received._received_on())
        except ArithmeticError as error:
            raise UserError(self.env._("The amounts on the invoice are too large to be booked.")) from error
        if values.pop('move_type') != draft.move_type:
            raise UserError(self.env._("The draft is a bill and the invoice a refund, or the other way round: it cannot be replaced."))
        del values['company_id']
        draft.invoice_line_ids.unlink()
        draft.write(values)
        bills._finish(draft, invoice, notes)
        return invoice

    def _show_bills(self):
        moves = self.move_id
        if len(moves) == 1 and len(self) == 1:
            return self.action_open_bill()
        if not moves:
            return None
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Bills from KSeF"), 'res_model': 'account.move',
            'view_mode': 'list,form', 'domain': [('id', 'in', moves.ids)]}

    # ------------------------------------------------------------------ the work

    def _make_bill(self, is_different=False):
        """Make one bill, or keep the reason why there is none; return the bill or nothing.

        The bill and the state of the invoice are one savepoint: there is never half a bill.
        """
        self.ensure_one()
        received = self.sudo()
        received._lock()
        if received.state not in ('stored', 'failed'):
            return received.move_id
        try:
            with self.env.cr.savepoint():
                return self._try_bill(received, is_different)
        except (UserError, ValidationError, psycopg2.DataError, psycopg2.IntegrityError, ArithmeticError) as error:
            too_large = isinstance(error, ArithmeticError)
            reason = self.env._("The amounts on the invoice are too large to be booked.") if too_large else str(error)
            received.invalidate_recordset()
            received.write({'state': 'failed', 'problem': reason, 'bill_wanted': False, 'due_at': False} | (
                {'candidate_id': False} if is_different else {}))
            return self.env['account.move']

    def _try_bill(self, received, is_different):
        company = received.company_id
        bills = self.env['ksef.bill'].with_company(company)
        if not received._is_purchase():
            raise UserError(self.env._("No bill is made: the company is not the buyer of this invoice."))
        try:
            invoice = bills._read(received._get_xml())
        except UserError as error:
            if is_different:
                raise
            return received._offer_entered(error)
        if bills._is_data_only(invoice):
            return received._book_data_only(bills, invoice)
        duplicates = bills._find_duplicates(received, invoice) if not is_different else self.env['account.move']
        if duplicates:
            return received._offer_bill(duplicates[0])
        expenses = bills._find_expenses(company, invoice) if not is_different else None
        if expenses:
            received._offer_expense(expenses[0])
            return self.env['account.move']
        values, notes = bills._values(company, invoice, received.ksef_number, received._received_on())
        move = bills._create(values, invoice, notes)
        received._attach(move, invoice, 'imported')
        return move

    def _offer_bill(self, move):
        """Ask whether a bill that was entered before is this invoice; no other one is made meanwhile."""
        self.write({'state': 'failed', 'candidate_id': move.id, 'bill_wanted': False, 'due_at': False, 'problem': self.env._(
            "The bill %(bill)s may be this invoice already. Link it, or say that it is another one.", bill=move.display_name)})
        return self.env['account.move']

    def _offer_entered(self, error):
        """The document cannot be read here (PEF, FA_RR …): offer the bill that somebody has entered by hand.

        :raise UserError: nobody has; the sentence says what to do
        """
        entered = self.env['ksef.bill']._find_duplicates(self)
        if not entered:
            raise UserError(self.env._("%(reason)s Once it is entered, “Try again” finds and links it.", reason=error)) from error
        return self._offer_bill(entered[0])

    def _attach(self, move, invoice, state):
        """Tie the bill to its KSeF invoice."""
        self._transition(
            state, move_id=move.id, candidate_id=False, expense=False, bill_wanted=False, decided_by=self.env.uid,
            decided_at=fields.Datetime.now())
        self.env['ksef.bill']._link_original(move, invoice, self.company_id)
        move.sudo()._message_log(body=Markup("%s<br/>%s") % (
            self.env._("From KSeF invoice %(number)s.", number=self.ksef_number), move.ksef_bill_notes or ''))
        self._attach_xml(move)

    def _attach_xml(self, move):
        """The XML, readable from the bill itself."""
        self.env['ir.attachment'].sudo().create({
            'name': self.xml_name, 'res_model': 'account.move', 'res_id': move.id, 'mimetype': 'application/xml',
            'raw': base64.b64decode(self.with_context(bin_size=False).xml)})

    def _link(self, move):
        """A bill entered before is this invoice.

        :raise UserError: their amounts differ
        """
        received = self.sudo()
        received._lock()
        self.check_access('read')
        if move.currency_id != received.currency_id or not move.currency_id.is_zero(move.amount_total - abs(received.gross_amount)):
            raise UserError(self.env._(
                "The bill comes to %(bill)s, the invoice to %(invoice)s: they are not the same. Correct the bill, or reset it to draft and "
                "click “Replace this draft”.", bill=f"{move.amount_total:.2f} {move.currency_id.name}",
                invoice=f"{abs(received.gross_amount):.2f} {received.currency_code or ''}"))
        received._transition(
            'linked', move_id=move.id, candidate_id=False, decided_by=self.env.uid, decided_at=fields.Datetime.now())
        move.sudo().message_post(body=self.env._("Linked to KSeF invoice %(number)s.", number=received.ksef_number))
        bills = self.env['ksef.bill'].with_company(received.company_id)
        # A document that cannot be read ties nothing.
        with contextlib.suppress(UserError):
            bills._link_original(move.sudo(), bills._read(received._get_xml()), received.company_id)

    def _book_data_only(self, bills, invoice):
        """A correction of data alone: a note on the original's bill; nothing to book."""
        original = bills._find_original(invoice, self.company_id)
        reason = invoice.correction.reason or self.env._("Correction of data, without amounts")
        if original:
            original.sudo().message_post(body=self.env._(
                "Correction %(number)s of data, without amounts (KSeF %(ksef)s): %(reason)s",
                number=invoice.number, ksef=self.ksef_number, reason=reason))
        self.sudo()._transition('ignored', reason=self.env._("Nothing to book: %(reason)s", reason=reason), bill_wanted=False)
        return self.env['account.move']
