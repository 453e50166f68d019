from odoo import fields, models
from odoo.exceptions import UserError, ValidationError


class AccountPayment(models.Model):
    """A payment whose memo, the title of the transfer, is a collective identifier: there at once, or as soon as KSeF has given it."""
    _inherit = 'account.payment'

    ksef_collective_id = fields.Many2one(
        'ksef.collective', string="KSeF identifier", readonly=True, copy=False, index='btree_not_null', ondelete='set null',
        groups='l10n_pl_ksef.group_ksef_read', help="Identyfikator zbiorczy: the title of the transfer for these bills together.")
    ksef_collective_state = fields.Selection(related='ksef_collective_id.state', string="State of the KSeF identifier", compute_sudo=True)
    ksef_collective_problem = fields.Text(related='ksef_collective_id.problem', string="Why there is no KSeF identifier", compute_sudo=True)
    # What the memo was when the identifier was asked for: another one was written by a person, and stays.
    ksef_memo_before = fields.Char(readonly=True, copy=False)

    def _ksef_take_identifier(self):
        """Write the identifier into the memo; where that comes too late, tell who waits for it."""
        for payment in self:
            number = payment.ksef_collective_id.number
            if number in (payment.memo or ''):
                continue
            reason = payment._ksef_memo_stays() or payment._ksef_write_memo(number)
            if reason:
                payment._ksef_tell_number(number, reason)

    def _ksef_memo_stays(self):
        """Why the memo isn't replaced any more, as a sentence, or False."""
        self.ensure_one()
        if self.state in ('canceled', 'rejected'):
            return self.env._("The payment was cancelled.")
        if self._ksef_is_made():
            return self.env._("The transfer was made already.")
        if (self.memo or '') != (self.ksef_memo_before or ''):
            return self.env._("The memo was changed by hand.")
        return False

    def _ksef_is_made(self):
        """Whether the transfer was made, as far as the books know: sent, on a statement, or booked."""
        # Odoo calls each payment matched that is booked to the account of the bank itself.
        is_direct = self.outstanding_account_id and self.outstanding_account_id == self.journal_id.default_account_id
        return self.is_sent or bool(self.reconciled_statement_line_ids) or (self.is_matched and not is_direct)

    def _ksef_write_memo(self, number):
        """Replace the memo; return why Odoo refuses, or False."""
        try:
            with self.env.cr.savepoint():
                self.write({'memo': number, 'ksef_memo_before': False})
        except (UserError, ValidationError) as error:
            return str(error)
        return False

    def _ksef_tell_number(self, number, reason):
        """The identifier as a note, and as an activity for who asked where the transfer may still need it."""
        self.ensure_one()
        text = self.env._(
            "KSeF has given the collective identifier %(number)s, and the memo was left as it is. %(reason)s", number=number, reason=reason)
        self.message_post(body=text)
        user = self.ksef_collective_id.create_uid
        is_open = self.state not in ('canceled', 'rejected') and not self._ksef_is_made()
        if is_open and user.active and self.with_user(user).has_access('read'):
            self.activity_schedule(
                'mail.mail_activity_data_todo', user_id=user.id, note=text, summary=self.env._("Title of the transfer: KSeF identifier"))
