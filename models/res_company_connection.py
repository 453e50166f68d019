from odoo import api, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = 'res.company'

    def write(self, vals):
        """Documents belong to a connection: with another one in use, the invoices show other documents, or none."""
        result = super().write(vals)
        if {'ksef_connection_id', 'vat', 'partner_id'} & set(vals):
            self._ksef_sync_documents()
        return result

    def _ksef_sync_documents(self):
        """Have the invoices of these companies, and of the branches that follow them, show the documents of the connection in use."""
        companies = self.sudo().search([('id', 'child_of', self.ids)])
        companies.flush_recordset(['ksef_connection_id'])
        documents = self.env['ksef.document'].sudo().search([('company_id', 'in', companies.ids)])
        documents.move_id._ksef_sync()

    @api.constrains('ksef_connection_id')
    def _check_ksef_connection(self):
        """Invoices of one taxpayer must never leave through the connection of another one; branches are no taxpayers."""
        for company in self.sudo():
            connection = company.ksef_connection_id
            is_parents = connection.company_id in company.parent_ids and connection.company_id._ksef_taxpayer() == company._ksef_taxpayer()
            if connection and connection.company_id != company and not is_parents:
                raise ValidationError(self.env._(
                    "The connection %(connection)s belongs to another company. %(company)s needs a connection of its own.",
                    connection=connection.name, company=company.name))


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def write(self, vals):
        """The NIP of a company, entered at its contact, decides whose connection it works through."""
        result = super().write(vals)
        if 'vat' in vals:
            companies = self.env['res.company'].sudo().search([('partner_id', 'in', self.ids)])
            if companies:
                companies._ksef_sync_documents()
        return result
