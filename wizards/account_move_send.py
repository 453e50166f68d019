from odoo import api, fields, models

from ..models.account_move_send import EDI_KEY


class AccountMoveSendWizard(models.TransientModel):
    _inherit = 'account.move.send.wizard'

    @api.depends('move_id')
    def _compute_extra_edi_checkboxes(self):
        """Offer KSeF where the invoice can be picked, not ticked."""
        super()._compute_extra_edi_checkboxes()
        edi = self._get_all_extra_edis()[EDI_KEY]
        for wizard in self:
            if edi['is_applicable'](wizard.move_id):
                wizard.extra_edi_checkboxes = (wizard.extra_edi_checkboxes or {}) | {
                    EDI_KEY: {'checked': False, 'label': edi['label'], 'help': edi['help']}}


class AccountMoveSendBatchWizard(models.TransientModel):
    _inherit = 'account.move.send.batch.wizard'

    ksef_count = fields.Integer(compute='_compute_ksef_count')
    ksef_pick = fields.Boolean(string="Send them to KSeF too", help="They can then no longer be edited, only corrected.")

    @api.depends('move_ids')
    def _compute_ksef_count(self):
        for wizard in self:
            wizard.ksef_count = len(wizard.move_ids._origin.filtered('ksef_can_send'))

    @api.depends('ksef_pick')
    def _compute_alerts(self):
        super()._compute_alerts()
        for wizard in self.filtered('ksef_pick'):
            moves = wizard.move_ids._origin
            settings = {move: self._get_default_sending_settings(move) for move in moves}
            for move in moves.filtered('ksef_can_send'):
                settings[move]['extra_edis'] = {*settings[move]['extra_edis'], EDI_KEY}
            wizard.alerts = self._get_alerts(moves, settings)

    def action_send_and_print(self, force_synchronous=False, allow_fallback_pdf=False):
        """Pick at once, with the rights of the person who clicks; Odoo's scheduled action prints and mails later."""
        if self.ksef_pick and (moves := self.move_ids.filtered('ksef_can_send')):
            moves._ksef_pick()
        return super().action_send_and_print(force_synchronous=force_synchronous, allow_fallback_pdf=allow_fallback_pdf)
