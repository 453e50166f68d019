from odoo import api, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    def write(self, vals):
        """Documents belong to a connection: with another one in use, the invoices show other documents, or none."""
        result = super().write(vals)
        if 'ksef_connection_id' in vals:
            documents = self.env['ksef.document'].sudo().search([('company_id', 'in', self.ids)])
            documents.move_id._ksef_sync()
        return result

    @api.constrains('ksef_connection_id')
    def _check_ksef_connection(self):
        """Invoices of one company must never leave through the connection of another one."""
        for company in self.sudo():
            connection = company.ksef_connection_id
            if connection and connection.company_id != company:
                raise ValidationError(self.env._(
                    "The connection %(connection)s belongs to another company. %(company)s needs a connection of its own.",
                    connection=connection.name, company=company.name))
