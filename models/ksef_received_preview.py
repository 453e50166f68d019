import base64
from urllib.parse import quote

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.image import image_data_uri

from ..ksef.fa3.document import ReadProblem
from ..ksef.fa3.reader import read
from ..ksef.fa3.view_html import to_html
from ..ksef.qr import qr_png

MARGINS = {'data-report-margin-top': 12, 'data-report-margin-bottom': 12, 'data-report-header-spacing': 0}


class KsefReceived(models.Model):
    """The invoice as a person reads it, made from its XML; every value is escaped by the one who makes it."""
    _inherit = 'ksef.received'

    preview = fields.Text(compute='_compute_preview', help="The invoice as a page (HTML), made from the XML alone.")
    html = fields.Binary(compute='_compute_html', attachment=False)
    pdf = fields.Binary(compute='_compute_pdf', attachment=False)
    has_pdf = fields.Boolean(compute='_compute_has_pdf')

    @api.depends('xml', 'xml_size')
    @api.depends_context('bin_size')
    def _compute_preview(self):
        for received in self:
            received.preview = received._make_page()

    @api.depends('xml')
    def _compute_html(self):
        for received in self:
            page = received._make_page()
            received.html = base64.b64encode(page.encode()) if page else False

    @api.depends('xml')
    def _compute_pdf(self):
        report = self.env['ir.actions.report'].sudo()
        for received in self:
            page = received.has_pdf and received._make_page()
            received.pdf = base64.b64encode(report._run_wkhtmltopdf([page], specific_paperformat_args=MARGINS)) if page else False

    def _compute_has_pdf(self):
        self.has_pdf = self.env['ir.actions.report'].get_wkhtmltopdf_state() == 'ok'

    def _make_page(self):
        """The whole page with number and QR code I (HTML), or False for what is no FA(3) invoice."""
        self.ensure_one()
        content, link = self._get_xml(), self.verification_url
        try:
            invoice = read(content) if content else None
        except ReadProblem:
            return False
        codes = ((image_data_uri(base64.b64encode(qr_png(link))), link),) if link else ()
        return bool(invoice) and to_html(invoice, ksef_number=self.ksef_number, codes=codes)

    def action_download_html(self):
        """The invoice as a page, named by its KSeF number (S4-07)."""
        return self._download_page('html')

    def action_download_pdf(self):
        """The invoice as PDF; where this server makes none, as a page that prints on A4 (S4-07)."""
        return self._download_page('pdf' if self.has_pdf else 'html')

    def _download_page(self, name):
        self.ensure_one()
        self.check_access('read')
        if not self.preview:
            raise UserError(self.env._("Only FA(3) invoices can be shown; the XML can be downloaded."))
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/ksef.received/{self.id}/{name}/{quote(self.ksef_number)}.{name}?download=true',
            'target': 'download',
        }
