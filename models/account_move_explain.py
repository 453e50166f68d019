from odoo import models

from .account_move_actions import SENDABLE_STATES


class AccountMove(models.Model):
    _inherit = 'account.move'

    def action_ksef_explain(self):
        """Say why the invoice shows the KSeF buttons or doesn't (S1-05, S1-15): the first condition that does not hold."""
        self.ensure_one()
        self.check_access('read')
        reason = self._ksef_missing_button_reason()
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'title': self.env._("KSeF"),
                'message': reason or self.env._("The invoice can be sent: click “Send to KSeF”."),
                'type': 'info' if reason else 'success',
                'sticky': True,
            },
        }

    def _ksef_missing_button_reason(self):
        """Why “Send to KSeF” is not there, as a sentence, or False."""
        self.ensure_one()
        connection = self.company_id.sudo().ksef_connection_id
        states = dict(self.env['ksef.document']._fields['state']._description_selection(self.env))
        checks = (
            (not self._ksef_is_issued(), self.env._("Only customer invoices and credit notes are sent to KSeF.")),
            (not self.env.user.has_group('l10n_pl_ksef.group_ksef_send'), self.env._(
                "You don't have the right “KSeF: send”. Ask your administrator for it.")),
            (self.company_id not in self.env.companies, self.env._(
                "The invoice belongs to %(company)s. Choose that company at the top right.", company=self.company_id.display_name)),
            (not connection, self.company_id._ksef_unconnected_text()),
            (connection and connection.state == 'draft', self.env._(
                "The connection of %(company)s to KSeF was disconnected. An administrator connects it again.",
                company=connection.company_id.display_name)),
            (self.state != 'posted', self.env._("The invoice is not confirmed yet. Confirm it first.")),
            (self.ksef_state not in SENDABLE_STATES, self.env._(
                "The invoice is at KSeF or on its way (%(state)s); it is sent only once.", state=states.get(self.ksef_state, ''))),
        )
        return next((reason for holds, reason in checks if holds), not self.ksef_can_send and self.env._(
            "The invoice is handled by another program or module that sends to KSeF."))
