from odoo import Command, api, fields, models


class KsefMoveSelection(models.AbstractModel):
    """What windows share that act on selected invoices: who may open them, and on which invoices.

    The windows compute what they show past the record rules, so these are applied to what was selected.
    """
    _name = 'ksef.move.selection'
    _description = "Selected invoices"

    move_ids = fields.Many2many('account.move', string="Selected invoices", readonly=True)

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if 'move_ids' in fields and self.env.context.get('active_model') == 'account.move':
            values['move_ids'] = [Command.set(self.env.context.get('active_ids') or [])]
        return values

    @api.model_create_multi
    def create(self, vals_list):
        self.env['account.move']._ksef_check_sender()
        windows = super().create(vals_list)
        windows._check_moves_access()
        return windows

    def write(self, vals):
        result = super().write(vals)
        if 'move_ids' in vals:
            self._check_moves_access()
        return result

    def _check_moves_access(self):
        self.sudo().move_ids.sudo(False).check_access('read')

    def _get_moves(self):
        """The selected invoices, as far as the user may read them."""
        return self.env['account.move'].browse(self.sudo().move_ids.ids)._filtered_access('read')
