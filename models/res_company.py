from odoo import fields, models


class ResCompany(models.Model):
    _inherit = 'res.company'

    ksef_connection_id = fields.Many2one(
        'ksef.connection', string="KSeF connection", copy=False, check_company=False,
        groups='l10n_pl_ksef.group_ksef_read', help="The connection that this company's invoices are sent through.")

    def _ksef_connection(self):
        """The connection in use, whoever asks; empty when the company has none."""
        self.ensure_one()
        connection = self.sudo().ksef_connection_id
        return connection if connection.active and connection.state not in ('draft',) else connection.browse()
