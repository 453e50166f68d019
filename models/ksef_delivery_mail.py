"""The act of delivering: print anew, write the message, hand it to the mail server."""
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

# A message that the mail server never got: these say so for certain (mail.notification.failure_type).
CERTAINLY_NOT_SENT = {
    'mail_smtp', 'mail_email_invalid', 'mail_email_missing', 'mail_from_invalid', 'mail_from_missing', 'mail_spam', 'mail_bl', 'mail_dup',
    'mail_optout',
}
# Odoo's own words for these speak of the server's configuration file.
NO_SENDER = {'mail_from_invalid', 'mail_from_missing'}
MOST_ATTEMPTS = 6
# How a delivery ends, until a person wants it sent again.
ENDED = ('sent', 'unsure', 'failed')
# A message waits so long for the UPO that is to go with it; then it goes without.
UPO_PATIENCE = timedelta(hours=24)


class KsefDelivery(models.Model):
    _inherit = 'ksef.delivery'

    def _claim(self):
        """Write the message with a fresh print, held back from Odoo's own queue, and claim the row; return whether to go on.

        All of this is one transaction that leaves nothing behind when it fails.
        """
        self.ensure_one()
        self._lock()
        move = self.move_id
        if self.state != 'ready':
            return False
        if move.ksef_state != 'accepted':
            # KSeF's answer is not shown on the invoice yet.
            self._put_off(10)
            return False
        if not self.mail_message_id and self._wait_for_upo():
            return False
        if not self.mail_message_id:
            self.write({'mail_message_id': self._write_message().id})
        if not self.mail_message_id:
            self._transition('failed', message=self._speaking().env._("The customer has no e-mail address."))
            return False
        self._hold_mails(self._mails())
        self._transition('claimed', due_at=fields.Datetime.now(), attempts=self.attempts + 1, message=False)
        return True

    def _wait_for_upo(self):
        """Whether the message has to wait for the UPO; ``upo_since`` stays on what goes without the one that was wanted."""
        document, now = self.move_id.ksef_document_id, fields.Datetime.now()
        if not self.move_id.commercial_partner_id.ksef_mail_upo or document.has_upo or document.origin:
            self.upo_since = False
            return False
        self.upo_since = self.upo_since or now
        waited = now - self.upo_since
        if waited >= UPO_PATIENCE:
            return False
        self.write({
            'message': self._speaking().env._("It waits for the UPO."),
            'due_at': now + min(max(waited, timedelta(seconds=15)), timedelta(minutes=15))})
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
        """What is still to be handed to the mail server."""
        return self.env['mail.mail'].search([('mail_message_id', '=', self.mail_message_id.id), ('state', '!=', 'sent')])

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
        """From what Odoo's mail system says of each recipient to the state of the delivery. Only rows of the message are
        written: nothing that happens to the invoice meanwhile may undo what is known of an e-mail that has gone."""
        told = self.mail_message_id.sudo().notification_ids.filtered(lambda notification: notification.notification_type == 'email')
        failed = told.filtered(lambda notification: notification.notification_status in ('exception', 'bounce'))
        broken = mails.filtered(lambda mail: mail.state == 'exception')
        if not failed and not broken:
            self._note_sent()
            return
        kinds = set(failed.mapped('failure_type')) | set((broken if not failed else broken.browse()).mapped('failure_type'))
        reason = "\n".join(filter(None, {*failed.mapped('failure_reason'), *broken.mapped('failure_reason')}))
        if kinds and kinds <= NO_SENDER:
            reason = self._speaking().env._(
                "The sender has no valid e-mail address. Enter one for the salesperson or the company, then click “Send again”.")
        if kinds == {'mail_smtp'} and self.attempts < MOST_ATTEMPTS:
            self._hold_mails(broken)
            self._transition('ready', message=reason, due_at=self.move_id.ksef_document_id._backoff(self.attempts, first=60))
        elif self._reached_somebody(told):
            self._note_sent(failed, kinds <= CERTAINLY_NOT_SENT, reason)
        elif kinds <= CERTAINLY_NOT_SENT:
            self._end('failed', self._speaking().env._("The e-mail was not sent: %(reason)s", reason=reason))
        else:
            self._end('unsure', self._speaking().env._(
                "It is not certain whether the e-mail went out: %(reason)s", reason=reason))

    def _reached_somebody(self, told):
        """Whether the message has gone to one of those it was meant for; followers of the invoice, who get it too, don't count."""
        meant = told.filtered(lambda notification: notification.res_partner_id in self.mail_message_id.partner_ids) or told
        return 'sent' in meant.mapped('notification_status')

    def _note_sent(self, failed=(), certain=True, reason=""):
        """It went out, to some recipients at least: sending all of it again would bring them a second one."""
        env, remarks = self._speaking().env, []
        if failed:
            names = ", ".join(
                notification.mail_email_address or notification.res_partner_id.email_formatted or notification.res_partner_id.display_name
                for notification in failed)
            remarks.append(env._(
                "The e-mail went out, but not to %(recipients)s: %(reason)s", recipients=names, reason=reason) if certain else env._(
                "The e-mail went out; it is not certain whether %(recipients)s got it: %(reason)s", recipients=names, reason=reason))
        if self.upo_since:
            remarks.append(env._("The e-mail went out without the UPO: KSeF had not issued it within 24 hours."))
        self._end('sent', "\n".join(remarks) or False, sent_at=fields.Datetime.now())

    def _doubt(self):
        """Nobody knows whether the message went: say so, and leave it to a person."""
        self._lock()
        for delivery in self.filtered(lambda row: row.state == 'claimed'):
            delivery._hold_mails(delivery._mails())
            delivery._end('unsure', delivery._speaking().env._(
                "The program was interrupted while it sent the e-mail: the customer may have got it or not. It is not sent again by "
                "itself. Ask the customer, or click “Send again”."))

    def _end(self, state, message, **values):
        """Note how it ended, on this row alone; a worker shows it on the invoice (:meth:`_show`)."""
        self._transition(state, message=message, due_at=fields.Datetime.now(), **values)

    def _show(self):
        """Show on the invoice how it ended; what a person has to look at, in the chatter and by an activity too."""
        self.ensure_one()
        self._lock()
        if self.state not in ENDED or not self.due_at:
            return
        self.write({'due_at': False})
        if self.state == 'sent' and not self.move_id.is_move_sent:
            self.move_id.is_move_sent = True
        if not self.message:
            return
        self.move_id._message_log(body=self.message)
        user = self.user_id
        if user.active and user._is_internal() and self.company_id in user.company_ids:
            self.move_id.with_context(lang=user.lang, mail_notify_force_send=False).activity_schedule(
                'mail.mail_activity_data_warning', user_id=user.id, note=self.message,
                summary=self._speaking().env._("The customer's e-mail: see whether it went out"))

    def _show_never(self):
        """It cannot be shown on the invoice; it stands in the list of e-mails."""
        self._lock()
        self.filtered(lambda row: row.state in ENDED).due_at = False

    def _give_up(self, error):
        """Printing or writing the message failed: nothing was sent."""
        self._lock()
        if self.state == 'ready':
            text = str(error) if isinstance(error, UserError) else self._speaking().env._("The print failed; see the server's log.")
            self._end('failed', self._speaking().env._("The e-mail was not sent: %(reason)s", reason=text))
