from odoo import fields, models


class KsefConnection(models.Model):
    """Production asks once more before the first invoice: from then on what is sent has legal effect."""
    _inherit = 'ksef.connection'

    production_confirmed_by = fields.Many2one(
        'res.users', string="Production confirmed by", readonly=True, copy=False,
        help="Who has confirmed, before the first invoice, that invoices sent to production have legal effect.")
    production_confirmed_at = fields.Datetime(string="Production confirmed on", readonly=True, copy=False)

    def _asks_production(self):
        """Those of the connections that nobody has confirmed yet for invoices with legal effect."""
        return self.sudo().filtered(lambda connection: connection.environment == 'production' and not connection.production_confirmed_at)

    def _confirm_production(self):
        """Record that the user knows what production means; only what asks for it is written."""
        for connection in self._asks_production():
            connection.write({'production_confirmed_by': self.env.uid, 'production_confirmed_at': fields.Datetime.now()})
            connection.message_post(
                author_id=self.env.user.partner_id.id,
                body=self.env._("%(user)s has confirmed that invoices sent to production have legal effect.", user=self.env.user.name))
