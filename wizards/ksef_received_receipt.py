from odoo import fields, models


class KsefReceivedReceipt(models.TransientModel):
    """On which day an invoice issued offline came to the company."""
    _name = 'ksef.received.receipt'
    _description = "Day of receipt of a KSeF invoice"

    received_id = fields.Many2one('ksef.received', string="Invoice", required=True, readonly=True, ondelete='cascade')
    day = fields.Date(string="Day of receipt", required=True, help="Data otrzymania faktury")
    reason = fields.Char(string="How it came", required=True)

    def action_apply(self):
        """Keep day and reason; the accounting date of a draft bill follows."""
        self.ensure_one()
        self.received_id._hand_over(self.day, self.reason)
        return {'type': 'ir.actions.act_window_close'}
