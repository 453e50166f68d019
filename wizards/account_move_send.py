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


    ksef_asks_duty = fields.Boolean(compute='_compute_ksef_asks_duty')
    ksef_duty_confirmed = fields.Boolean(
        string="E-mail it all the same",
        help="The invoice has to be in KSeF first. That you decided otherwise is written into its chatter.")

    @api.depends('sending_methods', 'extra_edis', 'move_id')
    def _compute_ksef_asks_duty(self):
        for wizard in self:
            move = wizard.move_id
            chosen = {'sending_methods': wizard.sending_methods, 'extra_edis': wizard.extra_edis}
            wizard.ksef_asks_duty = bool(move and self._ksef_asks_duty(move, {move: chosen}))

    @api.depends('ksef_asks_duty', 'ksef_duty_confirmed')
    def _compute_alerts(self):
        super()._compute_alerts()
        for wizard in self.filtered(lambda wizard: wizard.ksef_asks_duty and not wizard.ksef_duty_confirmed):
            wizard.alerts = (wizard.alerts or {}) | {'ksef_duty': {
                'level': 'danger', 'message': " ".join([wizard.move_id._ksef_duty_text(), self.env._(
                    "Tick KSeF, or confirm below that it is e-mailed all the same.")])}}

    def _get_sending_settings(self):
        return super()._get_sending_settings() | {'ksef_duty_confirmed': self.ksef_duty_confirmed}


class AccountMoveSendBatchWizard(models.TransientModel):
    _inherit = 'account.move.send.batch.wizard'

    ksef_count = fields.Integer(compute='_compute_ksef_count')
    ksef_pick = fields.Boolean(string="Send them to KSeF too", help="They can then no longer be edited, only corrected.")

    ksef_duty_count = fields.Integer(compute='_compute_ksef_duty_count')
    ksef_duty_confirmed = fields.Boolean(
        string="E-mail them all the same", help="These have to be in KSeF first. That you decided otherwise is written into their chatter.")

    @api.depends('move_ids', 'ksef_pick')
    def _compute_ksef_duty_count(self):
        for wizard in self:
            wizard.ksef_duty_count = len(wizard._ksef_duty_moves())

    def _ksef_duty_moves(self):
        """The selected invoices that would be e-mailed although they have to be in KSeF first."""
        moves = self.move_ids._origin
        settings = {move: {
            'sending_methods': self._get_default_sending_methods(move),
            'extra_edis': {EDI_KEY} if self.ksef_pick and move.ksef_can_send else set()} for move in moves}
        return self._ksef_asks_duty(moves, settings)

    @api.depends('move_ids')
    def _compute_ksef_count(self):
        for wizard in self:
            wizard.ksef_count = len(wizard.move_ids._origin.filtered('ksef_can_send'))

    @api.depends('ksef_pick', 'ksef_duty_confirmed')
    def _compute_alerts(self):
        super()._compute_alerts()
        for wizard in self.filtered('ksef_pick'):
            moves = wizard.move_ids._origin
            settings = {move: self._get_default_sending_settings(move) for move in moves}
            for move in moves.filtered('ksef_can_send'):
                settings[move]['extra_edis'] = {*settings[move]['extra_edis'], EDI_KEY}
            wizard.alerts = self._get_alerts(moves, settings)
        for wizard in self.filtered(lambda wizard: not wizard.ksef_duty_confirmed and wizard.ksef_duty_count):
            wizard.alerts = (wizard.alerts or {}) | {'ksef_duty': {
                'level': 'danger', 'message': " ".join([wizard._ksef_duty_moves()._ksef_duty_text(), self.env._(
                    "Send them to KSeF too, or confirm below that they are e-mailed all the same.")])}}

    def action_send_and_print(self, force_synchronous=False, allow_fallback_pdf=False):
        """Pick at once, with the rights of the person who clicks; Odoo's scheduled action prints and mails later."""
        if self.alerts:
            self._raise_danger_alerts(self.alerts)
        if self.ksef_pick and (moves := self.move_ids.filtered('ksef_can_send')):
            moves._ksef_pick()
        confirmed = self.with_context(ksef_duty_confirmed=self.ksef_duty_confirmed)
        action = super(AccountMoveSendBatchWizard, confirmed).action_send_and_print(
            force_synchronous=force_synchronous, allow_fallback_pdf=allow_fallback_pdf)
        if self.ksef_duty_confirmed:
            for move in self.move_ids.filtered('sending_data'):
                move.sending_data = move.sending_data | {'ksef_duty_confirmed': True}
        return action
