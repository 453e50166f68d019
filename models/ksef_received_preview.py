import base64
from urllib.parse import quote

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.fa3.document import ReadProblem
from ..ksef.fa3.reader import read
from ..ksef.fa3.view_html import to_html


class KsefReceived(models.Model):
    """The invoice as a person reads it, made from its XML; every value is escaped by the one who makes it."""
    _inherit = 'ksef.received'

    preview = fields.Text(compute='_compute_preview', help="The invoice as a page (HTML), made from the XML alone.")
    html = fields.Binary(compute='_compute_html', attachment=False)

    @api.depends('xml', 'xml_size')
    @api.depends_context('bin_size')
    def _compute_preview(self):
        for received in self:
            received.preview = received._show(lambda invoice, r=received: to_html(invoice, ksef_number=r.ksef_number))

    @api.depends('xml')
    def _compute_html(self):
        for received in self:
            page = received._show(lambda invoice, r=received: to_html(invoice, ksef_number=r.ksef_number))
            received.html = base64.b64encode(page.encode()) if page else False

    def _show(self, function):
        """``function(invoice)``, or False for what is no FA(3) invoice."""
        content = self._get_xml()
        try:
            return function(read(content)) if content else False
        except ReadProblem:
            return False

    def action_download_html(self):
        """The invoice as a page, named by its KSeF number (S4-07)."""
        self.ensure_one()
        self.check_access('read')
        if not self.html:
            raise UserError(self.env._("Only FA(3) invoices can be shown; the XML can be downloaded."))
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/ksef.received/{self.id}/html/{quote(self.ksef_number)}.html?download=true',
            'target': 'download',
        }
