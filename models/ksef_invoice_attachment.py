"""The attachment of an invoice (Zalacznik): blocks of keys and values, text and a table."""

import base64

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..ksef.fa3 import csv_table
from ..ksef.fa3.model import Attachment, AttachmentBlock, KeyValue
from ..ksef.fa3.text import collapse
from .ksef_invoice_findings import Issue

MAX_FILE = 3_000_000  # bytes, as KSeF's limit for the whole document


class KsefInvoiceBlock(models.Model):
    """A block of the attachment. KSeF takes structured data only, no files."""
    _name = 'ksef.invoice.block'
    _inherit = 'ksef.invoice.part'
    _description = "Block of an invoice's attachment"
    _rec_name = 'heading'

    heading = fields.Char(size=512, help="Nagłówek bloku danych.")
    keys = fields.Text(
        string="Keys and values", required=True, help="Dane opisowe: one a line, key and value with a colon between them. At least one.")
    text = fields.Text(help="Część tekstowa: at most ten paragraphs of 512 characters, one a line.")
    table_description = fields.Char(string="Description of the table", size=512, help="Opis tabeli.")
    table = fields.Text(
        help="Tabela: one row a line, cells with semicolons between them, the names of the columns first. Paste it from a spreadsheet, or "
             "upload a file. At most 20 columns and 1,000 rows.")
    has_sums = fields.Boolean(string="Last row has the sums", help="Podsumowanie tabeli.")
    table_file = fields.Binary(string="CSV file", attachment=False, store=False)

    @api.onchange('table_file')
    def _onchange_table_file(self):
        """Take the text of the file over; the file itself isn't kept."""
        for block in self.filtered('table_file'):
            content = base64.b64decode(block.table_file)
            if len(content) > MAX_FILE:
                raise ValidationError(self.env._("The file is larger than KSeF takes (3 MB)."))
            try:
                block.table = csv_table.decode(content)
            except UnicodeDecodeError as error:
                raise ValidationError(self.env._("The file is no text. Save the table as CSV (UTF-8).")) from error

    @api.constrains('keys')
    def _check_keys(self):
        for block in self:
            lines = list(filter(None, map(collapse, (block.keys or '').splitlines())))
            if not lines:
                raise ValidationError(self.env._("A block of the attachment needs at least one key with its value."))
            for line in lines:
                key, _colon, value = line.partition(':')
                if not key.strip() or not value.strip():
                    raise ValidationError(self.env._("“%(line)s” has no key and value with a colon between them.", line=line))

    @api.constrains('table', 'has_sums')
    def _check_table(self):
        for block in self.filtered('table'):
            try:
                table = block._ksef_table()
            except ValueError as error:
                raise ValidationError(self.env._("The table can't be read: %(reason)s.", reason=error)) from error
            if not table:
                raise ValidationError(self.env._("The table needs a line with the names of the columns and at least one row."))

    def _ksef_table(self):
        return csv_table.read_table(self.table, collapse(self.table_description) or None, self.has_sums) if self.table else None

    def _ksef_part(self) -> AttachmentBlock:
        pairs = (line.partition(':') for line in filter(None, map(collapse, (self.keys or '').splitlines())))
        table = self._ksef_table()
        return AttachmentBlock(
            heading=collapse(self.heading) or None,
            metadata=tuple(KeyValue(key=key.strip(), value=value.strip()) for key, _colon, value in pairs),
            paragraphs=tuple(filter(None, map(collapse, (self.text or '').splitlines()))),
            tables=(table,) if table else ())


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_block_ids = fields.One2many(
        'ksef.invoice.block', 'move_id', string="KSeF attachment", copy=False,
        help="Załącznik do faktury: structured data such as readings of meters. KSeF takes it only in batches, from companies that have "
             "announced attachments in e-Urząd Skarbowy.")

    @api.model
    def _ksef_locked_fields(self):
        return super()._ksef_locked_fields() | {'ksef_block_ids'}

    def _ksef_attachment(self) -> Attachment | None:
        """Return the attached blocks."""
        blocks = self.ksef_block_ids
        return Attachment(blocks=tuple(block._ksef_part() for block in blocks)) if blocks else None

    def _ksef_sending_issues(self) -> list[Issue]:
        """Return what stands against sending a document that is right: attachments need the company's consent.

        They go in batches only; the workers see to that. Whether KSeF takes them from this company is known when it was asked;
        where it doesn't tell, a person confirms.
        """
        if not self.ksef_block_ids:
            return []
        connection = self.company_id._ksef_connection()
        if connection and connection._refuses_attachments():
            return [Issue.error('attachment-consent', self, 'ksef_block_ids', value='')]
        if connection.attachments != 'allowed':
            return [Issue.warning('attachment-unknown', self, 'ksef_block_ids', value='')]
        return []
