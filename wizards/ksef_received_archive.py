import base64
import csv
import io
import re
import zipfile

from odoo import api, fields, models
from odoo.exceptions import UserError

# Of one download; more would hold the server's memory.
MOST_INVOICES = 1000
COLUMNS = (
    'ksef_number', 'invoice_number', 'issue_date', 'acquisition_date', 'seller_nip', 'seller_name', 'net_amount', 'gross_amount',
    'currency_code', 'state',
)


class KsefReceivedArchive(models.TransientModel):
    """Many received invoices as one Zip: XML and page of each, named by KSeF number, and an index (S4-07)."""
    _name = 'ksef.received.archive'
    _description = "Download of KSeF invoices"

    name = fields.Char(required=True)
    content = fields.Binary(required=True, attachment=True)

    @api.model
    def _pack(self, received):
        """Make the archive of these invoices.

        :raise UserError: there are too many, or none of them has its XML yet
        """
        ready = received.filtered('xml_size')
        if not ready:
            raise UserError(self.env._("The XML of these invoices has not come from KSeF yet."))
        if len(ready) > MOST_INVOICES:
            raise UserError(self.env._("Choose at most %(count)s invoices for one download.", count=MOST_INVOICES))
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as archive:
            for one in ready:
                name = self._entry_name(one.ksef_number, one.id)
                archive.writestr(f'{name}.xml', one._get_xml())
                if one.html:  # a PDF of each would take seconds
                    archive.writestr(f'{name}.html', base64.b64decode(one.html))
            archive.writestr('index.csv', self._index(ready))
        return self.create({'name': 'ksef.zip', 'content': base64.b64encode(stream.getvalue())})

    @api.model
    def _index(self, received):
        """The list of what is inside, as spreadsheets open it in Poland: UTF-8 with a mark, semicolons."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=';')
        writer.writerow([received._fields[name]._description_string(self.env) for name in COLUMNS])
        for one in received:
            writer.writerow([self._plain(one[name]) for name in COLUMNS])
        return '\ufeff' + text.getvalue()

    @api.model
    def _entry_name(self, number, record_id):
        """A KSeF number as the name of a file; one that has other signs loses them and is told apart by the id."""
        name = re.sub(r'[^0-9A-Za-z-]', '_', number or '')
        return name if name and name == number else f'{name}_{record_id}'

    @api.model
    def _plain(self, value):
        """A cell that no spreadsheet takes for a formula; an amount below zero is none."""
        text = '' if value is False or value is None else str(value)
        risky = ('=', '+', '@', '\t', '\r', *(('-',) if isinstance(value, str) else ()))
        return f"'{text}" if text.startswith(risky) else text


class KsefReceived(models.Model):
    _inherit = 'ksef.received'

    def action_download_zip(self):
        """All chosen invoices in one file."""
        self.check_access('read')
        archive = self.env['ksef.received.archive']._pack(self)
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/ksef.received.archive/{archive.id}/content/{archive.name}?download=true',
            'target': 'download',
        }
