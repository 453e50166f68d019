"""The act of delivering: print anew, write the message, hand it to the mail server."""
from odoo import fields, models
from odoo.exceptions import UserError

# A message that the mail server never got: these say so for certain (mail.notification.failure_type).
CERTAINLY_NOT_SENT = {
    'mail_smtp', 'mail_email_invalid', 'mail_email_missing', 'mail_from_invalid', 'mail_from_missing', 'mail_spam', 'mail_bl', 'mail_dup',
    'mail_optout',
}
MOST_ATTEMPTS = 6


class KsefDelivery(models.Model):
    _inherit = 'ksef.delivery'

    def _claim(self):
        """Write the message with a fresh print, held back from Odoo's own queue, and claim the row; return whether to go on.

        All of this is one transaction that leaves nothing behind when it fails.
        """
        self.ensure_one()
        self._lock()
        move = self.move_id
        if self.state != 'ready' or move.ksef_state != 'accepted':
            return False
        if move.commercial_partner_id.ksef_mail_upo and not move.ksef_document_id.has_upo and not move.ksef_document_id.origin:
            self.write({
                'attempts': self.attempts + 1, 'message': self._speaking().env._("It waits for the UPO."),
                'due_at': move.ksef_document_id._backoff(self.attempts + 1, first=15)})
            return False
        if not self.mail_message_id:
            self.mail_message_id = self._write_message()
        if not self.mail_message_id:
            self._transition('failed', message=self._speaking().env._("The customer has no e-mail address."))
            return False
        self._hold_mails(self._mails())
        self._transition('claimed', due_at=fields.Datetime.now(), attempts=self.attempts + 1, message=False)
        return True

    def _speaking(self):
        """The same row, speaking the language of the person who chose the delivery."""
        return self.with_context(lang=self.user_id.lang or self.company_id.partner_id.lang)

    def _write_message(self):
        """Have Odoo print the invoice and post its message, without sending it; return the message."""
        move, messages = self.move_id, self.env['mail.message']
        domain = [('model', '=', 'account.move'), ('res_id', '=', move.id), ('message_type', '=', 'comment')]
        last = messages.search(domain, order='id desc', limit=1).id or 0
        waiting_for_odoo = move.sending_data
        # On the invoice, because the message is posted with its context: nothing is mailed when this transaction ends.
        held = move.with_context(mail_notify_force_send=False)
        self.env['account.move.send'].with_company(self.company_id)._generate_and_send_invoices(held, **self._unpack())
        if waiting_for_odoo:
            move.sending_data = waiting_for_odoo
        return messages.search([*domain, ('id', '>', last)], order='id desc', limit=1)

    def _mails(self):
        return self.env['mail.mail'].search([('mail_message_id', '=', self.mail_message_id.id)])

    def _hold_mails(self, mails):
        """Keep Odoo's mail queue from sending them: whether they went, this row says."""
        mails.write({'state': 'exception', 'failure_reason': self._speaking().env._(
            "Sent by the delivery after KSeF; if this stays, it is not certain whether the e-mail went out.")})

    def _mail(self):
        """Hand the claimed message to the mail server and note what came of it, in one transaction that is never repeated."""
        self.ensure_one()
        self._lock()
        if self.state != 'claimed':
            return
        mails = self._mails()
        mails.write({'state': 'outgoing', 'failure_reason': False})
        mails.flush_recordset()
        mails.send()
        self.env.flush_all()
        self._note_result(mails.exists())

    def _note_result(self, mails):
        """From what Odoo's mail system says of each recipient to the state of the delivery."""
        failed = self.mail_message_id.sudo().notification_ids.filtered(
            lambda notification: notification.notification_type == 'email' and notification.notification_status in ('exception', 'bounce'))
        broken = mails.filtered(lambda mail: mail.state == 'exception')
        if not failed and not broken:
            self._transition('sent', sent_at=fields.Datetime.now(), message=False)
            self.move_id.is_move_sent = True
            return
        kinds = set(failed.mapped('failure_type')) | set((broken if not failed else broken.browse()).mapped('failure_type'))
        reason = "\n".join(filter(None, {*failed.mapped('failure_reason'), *broken.mapped('failure_reason')}))
        if kinds == {'mail_smtp'} and self.attempts < MOST_ATTEMPTS:
            self._hold_mails(broken)
            self._transition('ready', message=reason, due_at=self.move_id.ksef_document_id._backoff(self.attempts, first=60))
        elif kinds <= CERTAINLY_NOT_SENT:
            self._end('failed', self._speaking().env._("The e-mail was not sent: %(reason)s", reason=reason))
        else:
            self._end('unsure', self._speaking().env._(
                "It is not certain whether the e-mail went out: %(reason)s", reason=reason))

    def _doubt(self):
        """Nobody knows whether the message went: say so, and leave it to a person."""
        self._lock()
        for delivery in self.filtered(lambda row: row.state == 'claimed'):
            delivery._hold_mails(delivery._mails())
            delivery._end('unsure', delivery._speaking().env._(
                "The program was interrupted while it sent the e-mail: the customer may have got it or not. It is not sent again by "
                "itself. Ask the customer, or click “Send again”."))

    def _end(self, state, message):
        """A person has to look at it: said on the row, in the chatter, and by an activity."""
        self._transition(state, message=message)
        self.move_id._message_log(body=message)
        user = self.user_id
        if user.active and user._is_internal() and self.company_id in user.company_ids:
            self.move_id.with_context(lang=user.lang, mail_notify_force_send=False).activity_schedule(
                'mail.mail_activity_data_warning', user_id=user.id, note=message,
                summary=self._speaking().env._("The customer's e-mail: see whether it went out"))

    def _give_up(self, error):
        """Printing or writing the message failed: nothing was sent."""
        self._lock()
        if self.state == 'ready':
            text = str(error) if isinstance(error, UserError) else self._speaking().env._("The print failed; see the server's log.")
            self._end('failed', self._speaking().env._("The e-mail was not sent: %(reason)s", reason=text))
