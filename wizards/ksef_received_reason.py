from odoo import fields, models


class KsefReceivedReason(models.TransientModel):
    """Why received invoices are set aside."""
    _name = 'ksef.received.reason'
    _description = "Set KSeF invoices aside"

    received_ids = fields.Many2many('ksef.received', string="Invoices", required=True)
    state = fields.Selection(
        [
            ('ignored', "Ignore: nothing to book"),
            ('disputed', "Not ours / disputed: neither pay nor deduct"),
        ],
        string="What with them", required=True, default='ignored')
    reason = fields.Char(required=True)

    def action_apply(self):
        """Set the invoices aside; a disputed one stays out of payment and VAT until it is restored."""
        self.ensure_one()
        self.received_ids._set_aside(self.state, self.reason)
        return {'type': 'ir.actions.act_window_close'}
