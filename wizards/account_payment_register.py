from odoo import api, fields, models

from ..models.account_move_collective import TITLE_LENGTH


class AccountPaymentRegister(models.TransientModel):
    """“Pay” on vendor bills: KSeF numbers in the title of the transfer, or one collective identifier for several bills.

    KSeF is never asked in this window: what it has given already is taken, the rest comes into the memo of the payment.
    """
    _inherit = 'account.payment.register'

    ksef_use_collective = fields.Boolean(
        string="KSeF collective identifier", compute='_compute_ksef_use_collective', store=True, readonly=False,
        help="Identyfikator zbiorczy (IZ): the memo is one identifier for all these bills of one seller, instead of their KSeF numbers. "
             "KSeF gives it in the background.")
    ksef_offers_collective = fields.Boolean(compute='_compute_ksef_collective')
    ksef_collective_number = fields.Char(compute='_compute_ksef_collective')
    ksef_collective_problem = fields.Char(compute='_compute_ksef_collective')
    ksef_is_title_too_long = fields.Boolean(compute='_compute_ksef_is_title_too_long')

    def _ksef_bill_groups(self):
        """The bills of each payment that one identifier can be the title of: at least two of them have KSeF numbers."""
        self.ensure_one()
        if not self.group_payment or not self.env.user.has_group('l10n_pl_ksef.group_ksef_send'):
            return []
        groups = [
            batch['lines'].move_id for batch in self.batches or () if batch['payment_values']['payment_type'] == 'outbound']
        return [moves for moves in groups if sum(bool(move._ksef_number_to_pay()) for move in moves) > 1]

    @api.depends('line_ids', 'group_payment')
    def _compute_ksef_use_collective(self):
        """Taken by itself where it is there, or was asked for, for each payment that can have one."""
        for wizard in self:
            groups = wizard._ksef_bill_groups()
            wizard.ksef_use_collective = bool(groups) and all(moves._ksef_find_collective() for moves in groups)

    @api.depends('line_ids', 'group_payment')
    def _compute_ksef_collective(self):
        for wizard in self:
            groups = wizard._ksef_bill_groups()
            wizard.ksef_offers_collective = bool(groups)
            numbers = [moves._ksef_find_collective().number for moves in groups]
            wizard.ksef_collective_problem = next(filter(None, (
                moves._ksef_collective_refusal() for moves, number in zip(groups, numbers, strict=True) if not number)), False)
            wizard.ksef_collective_number = bool(numbers) and all(numbers) and ", ".join(numbers)

    @api.depends('communication', 'ksef_use_collective', 'ksef_offers_collective')
    def _compute_ksef_is_title_too_long(self):
        for wizard in self:
            wizard.ksef_is_title_too_long = (
                wizard.ksef_offers_collective and not wizard.ksef_use_collective and len(wizard.communication or '') > TITLE_LENGTH)

    @api.depends('ksef_use_collective')
    def _compute_communication(self):
        super()._compute_communication()

    @api.model
    def _get_communication(self, lines):
        """With the KSeF number of each bill; instead of them the identifier of all, where it is wanted and there."""
        moves = lines.move_id
        bills = moves.filtered(lambda move: move._ksef_number_to_pay())
        label = super()._get_communication(lines)
        if not bills:
            return label
        if len(moves) == 1:
            return moves._ksef_transfer_title(label)
        if self.ksef_use_collective and (number := moves._ksef_find_collective().number):
            return number
        if not any(move.is_outbound() for move in moves):
            return label
        titles = {self._get_communication(own) for own in lines.grouped('move_id').values()}
        return ', '.join(sorted(filter(None, titles)))

    def _init_payments(self, to_process, edit_mode=False):
        if self.ksef_use_collective and self.group_payment:
            groups = self._ksef_bill_groups()
            for item in to_process:
                if item['to_reconcile'].move_id in groups:
                    item['create_vals'] |= self._ksef_collective_values(item['to_reconcile'].move_id, item['create_vals']['memo'])
        return super()._init_payments(to_process, edit_mode=edit_mode)

    def _ksef_collective_values(self, moves, memo):
        """Values of a payment whose title is the identifier of its bills: now, or as soon as KSeF has given it.

        :raise UserError: KSeF gives none for these bills
        """
        collective = moves._ksef_ask_collective()
        number = collective.sudo().number
        return {'ksef_collective_id': collective.id} | ({'memo': number} if number else {'ksef_memo_before': memo})
