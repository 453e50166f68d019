from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

# States that wait for KSeF after something has left, or may have.
WAITING_STATES = ('sending', 'unconfirmed', 'sent')
LATE_HOURS = 2


class KsefDocument(models.Model):
    """Documents without an answer for long (S1-09): a person is told once, with what to check."""
    _inherit = 'ksef.document'

    escalation_id = fields.Many2one('mail.activity', readonly=True, ondelete='set null', index='btree_not_null')
    escalated_at = fields.Datetime(readonly=True)

    @api.model
    def _late_hours(self):
        """Hours after which a missing answer is unusual (system parameter l10n_pl_ksef.late_hours)."""
        text = self.env['ir.config_parameter'].sudo().get_param('l10n_pl_ksef.late_hours') or ''
        return int(text) if text.isdecimal() and int(text) else LATE_HOURS

    @api.model
    def _late_domain(self):
        """Documents that KSeF has, or may have, and says nothing about."""
        since = fields.Datetime.now() - timedelta(hours=self._late_hours())
        return Domain('state', 'in', WAITING_STATES) & (
            Domain('sent_at', '<', since) | (Domain('sent_at', '=', False) & Domain('claimed_at', '<', since)))

    @api.model
    def _cron_ksef_escalate(self):
        """Tell who picked them of documents that wait for too long; what was settled meanwhile is settled there too."""
        settled = self.sudo().search([('escalation_id', '!=', False), ('state', 'not in', WAITING_STATES)])
        for document in settled:
            user = document.escalation_id.user_id or self.env.user
            document.escalation_id.with_context(lang=user.lang).action_feedback(
                feedback=document.with_context(lang=user.lang).env._("KSeF has answered."))
        for document in self.sudo().search(self._late_domain() & Domain('escalated_at', '=', False), limit=200):
            document._escalate()

    def _escalate(self):
        """An activity on the invoice for who picked it, else for who is responsible for the connection."""
        self.ensure_one()
        user = self.user_id if self.user_id.active and not self.user_id.share else self.connection_id.responsible_id
        self.escalated_at = fields.Datetime.now()
        if not self.move_id or not user:
            return
        texts = self.with_context(lang=user.lang)
        self.escalation_id = self.move_id.with_context(lang=user.lang).activity_schedule(
            'mail.mail_activity_data_warning', user_id=user.id,
            summary=texts.env._("KSeF has not answered for long"), note=texts._escalation_text())

    def _escalation_text(self):
        """What to check, in the order in which it helps."""
        connection = self.connection_id
        _level, service = connection._describe_service()
        reasons = [
            service,
            connection.wait_message,
            False if connection._is_sending() else connection.status_message or self.env._("The connection is not in use now."),
            self.state == 'unconfirmed' and self.env._(
                "The answer to the sending got lost; the program looks for the invoice by its content and never sends it twice."),
        ]
        known = " ".join(reason for reason in reasons if reason) or self.env._("The program knows of no trouble.")
        return self.env._(
            "%(invoice)s was sent more than %(hours)s hours ago and KSeF has not said what became of it. Don't issue it again. "
            "%(known)s Check: 1. KSeF → Overview, whether KSeF works; 2. the invoice's button “Get KSeF status”; 3. the invoice in the "
            "taxpayer application, by its number; 4. with your administrator, whether the workers run.",
            invoice=self.invoice_number or '', hours=self._late_hours(), known=known)
