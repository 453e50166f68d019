from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.ksef_invoice_correction import DATA_KINDS


class AccountMoveReversal(models.TransientModel):
    """Making a credit note also asks what KSeF wants to know of a correcting invoice (faktura korygująca)."""
    _inherit = 'account.move.reversal'

    ksef_is_offered = fields.Boolean(compute='_compute_ksef_is_offered')
    ksef_correction_kind = fields.Selection(
        selection=lambda self: self.env['account.move']._fields['ksef_correction_kind']._description_selection(self.env),
        string="What is corrected", default='lines', required=True,
        help="Lines: the credit note begins with all lines of the invoice; keep what is taken back. Buyer's data only: the credit note has "
             "no amounts.")
    ksef_correction_type = fields.Selection(
        selection=lambda self: self.env['account.move']._fields['ksef_correction_type']._description_selection(self.env),
        string="Effect of the correction", default='2',
        help="Typ skutku korekty w ewidencji VAT (TypKorekty): in which period the correction counts for VAT.")
    ksef_corrected_period = fields.Char(
        string="Corrected period", size=256, help="Okres, którego dotyczy korekta: the period whose supplies the discount is given for.")
    ksef_right_number = fields.Char(
        string="Right invoice number", size=256, help="Poprawny numer faktury korygowanej.")
    ksef_is_outside = fields.Boolean(
        string="The original was issued outside KSeF",
        help="Faktura pierwotna wystawiona poza KSeF: before the duty began, or exempt from it.")

    @api.depends('move_ids')
    def _compute_ksef_is_offered(self):
        for wizard in self:
            moves = wizard.move_ids._origin
            wizard.ksef_is_offered = bool(moves) and all(
                move._ksef_is_issued() and move.country_code == 'PL' for move in moves)

    @api.onchange('ksef_correction_kind')
    def _onchange_ksef_correction_kind(self):
        self.ksef_correction_type = '1' if self.ksef_correction_kind in DATA_KINDS else '2'

    def _prepare_default_reversal(self, move):
        values = super()._prepare_default_reversal(move)
        if not self.ksef_is_offered:
            return values
        values.update(
            ksef_correction_kind=self.ksef_correction_kind,
            ksef_correction_type=self.ksef_correction_type,
            ksef_correction_reason=self.reason,
            ksef_corrected_period=self.ksef_corrected_period if self.ksef_correction_kind == 'collective' else False,
            ksef_right_number=self.ksef_right_number if self.ksef_correction_kind == 'number' else False,
            **move._ksef_carried(),
        )
        if move.currency_id != move.company_currency_id:
            values['invoice_currency_rate'] = move.invoice_currency_rate  # art. 31b: the rate of the original
        if self.ksef_correction_kind == 'lines':
            root = move._ksef_root()
            values['ksef_order_line_ids'] = (root | root._ksef_family())._ksef_order_copies()
        if self.ksef_correction_kind in DATA_KINDS:
            values['line_ids'] = [Command.create(self._ksef_empty_line(move))]
        return values

    @api.model
    def _ksef_empty_line(self, move):
        """The only line of a correction of data: Odoo confirms no invoice without one."""
        line = move.invoice_line_ids.filtered(lambda line: line.display_type == 'product')[:1]
        return {
            'name': self.env._("Correction of data"),
            'quantity': 0, 'price_unit': 0, 'account_id': line.account_id.id, 'tax_ids': [Command.set(line.tax_ids.ids)],
        }

    def reverse_moves(self, is_modify=False):
        if self.ksef_is_offered:
            if is_modify and self.ksef_correction_kind != 'lines':
                raise UserError(self.env._("A new invoice is made only when all lines are taken back. Choose “Lines”, or click “Reverse”."))
            if self.ksef_is_outside:
                self.move_ids.filtered(lambda move: not move.ksef_is_locked).ksef_is_outside = True
        return super().reverse_moves(is_modify)
