import base64
import os

from odoo import models
from odoo.tools.image import image_data_uri

from ..ksef.qr import CERTIFICATE_LABEL, OFFLINE_LABEL, qr_png
from .ksef_document import LIVE_STATES

PRINT_FIELD = 'invoice_pdf_report_file'


class AccountMove(models.Model):
    """The printed invoice: QR code and KSeF number once KSeF has accepted it; before that, a line that it is awaited."""
    _inherit = 'account.move'

    def _ksef_is_live(self):
        """Whether the invoice is on its way to KSeF or in it."""
        self.ensure_one()
        return self.ksef_state in LIVE_STATES

    def _ksef_awaits_number(self):
        """Whether the invoice is on its way and has no number yet (invoices issued offline don't wait for one)."""
        self.ensure_one()
        return self._ksef_is_live() and self.ksef_state != 'accepted' and self.sudo().ksef_document_id.mode == 'online'

    def _ksef_print_values(self):
        """What the invoice report shows: {}, {total_failure} or {awaits}, or what stands with the codes.

        With the codes: ``number`` (False while there is none), ``link``, ``codes`` [{label, qr (data URI), link}], ``environment``
        ('' in production). Code I bears the KSeF number, or OFFLINE until there is one; what was issued offline has code II, too.
        """
        self.ensure_one()
        if self.ksef_is_total_failure:
            return {'total_failure': True}
        if self._ksef_awaits_number():
            return {'awaits': True}
        document = self.sudo().ksef_document_id
        is_offline = document._is_offline() and self._ksef_is_live()
        if not document.verification_url or not (document.state == 'accepted' or is_offline):
            return {}
        number = document.state == 'accepted' and document.ksef_number
        codes = [(number or OFFLINE_LABEL, document.verification_url)]
        if is_offline:
            codes.append((CERTIFICATE_LABEL, document.certificate_url))
        labels = dict(document._fields['environment']._description_selection(self.env))
        return {
            'number': number,
            'link': document.verification_url,
            'codes': [
                {'label': label, 'link': link, 'qr': image_data_uri(base64.b64encode(qr_png(link)))} for label, link in codes],
            'environment': '' if document.environment == 'production' else labels[document.environment],
        }

    def _ksef_detach_print(self):
        """Keep PDFs made before the number was known as ordinary attachments, so that the next print carries it."""
        attachments = self.env['ir.attachment'].sudo().search([
            ('res_model', '=', self._name), ('res_id', 'in', self.ids), ('res_field', '=', PRINT_FIELD)])
        for attachment in attachments:
            name, extension = os.path.splitext(attachment.name)
            attachment.write({
                'res_field': False,
                'name': self.env._("%(name)s (without KSeF number)%(extension)s", name=name, extension=extension),
            })
        self.invalidate_recordset(['invoice_pdf_report_id', PRINT_FIELD])

    def _get_invoice_pdf_proforma(self):
        """Without a stored PDF Odoo hands out a “proforma”: what KSeF has accepted is an invoice, and called that."""
        if self.ksef_state != 'accepted' and not self._ksef_is_issued_offline():
            return super()._get_invoice_pdf_proforma()
        report = self.env['ir.actions.report']
        content, report_type = report._pre_render_qweb_pdf('account.account_invoices', self.ids)
        return {
            'filename': self._get_invoice_report_filename(),
            'filetype': 'pdf',
            'content': report._get_splitted_report('account.account_invoices', content, report_type)[self.id],
        }
