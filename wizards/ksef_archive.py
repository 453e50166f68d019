import base64
import csv
import re
import tempfile
import zipfile

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# So many rows are read at once: with XML and UPO some 10 MB at most in ordinary cases.
BATCH = 100
# Of one archive: a month of a large firm. More is asked for in parts.
MOST_DOCUMENTS = 20000
# KSeF gives no UPO of what was found in it, or taken over from a register: none is on its way.
MISSING_UPO = SQL("AND d.has_upo IS NOT TRUE AND COALESCE(d.origin, '') NOT IN ('ksef', 'register')")
COLUMNS = {
    'issued': (
        'ksef_number', 'invoice_number', 'issue_date', 'kind', 'seller_nip', 'buyer', 'buyer_nip', 'net', 'tax', 'gross', 'currency',
        'mode', 'acquisition_date', 'sha256', 'xml_file', 'upo_file'),
    'received': (
        'ksef_number', 'invoice_number', 'issue_date', 'kind', 'seller_nip', 'seller', 'net', 'tax_pln', 'gross', 'currency',
        'acquisition_date', 'sha256', 'xml_file'),
}


class KsefArchive(models.TransientModel):
    """XML, UPO and register of a period as one Zip with an index, written to the disk row by row."""
    _name = 'ksef.archive'
    _description = "KSeF archive of a period"

    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company)
    date_from = fields.Date(
        string="From", required=True, default=lambda self: self.env['account.move']._ksef_today().replace(day=1),
        help="First day of issue (data wystawienia).")
    date_to = fields.Date(
        string="To", required=True, default=lambda self: self.env['account.move']._ksef_today(), help="Last day of issue.")
    with_issued = fields.Boolean(string="Issued, with UPO", default=True)
    with_received = fields.Boolean(string="Received from KSeF", default=True)
    issued_count = fields.Integer(string="Issued invoices", compute='_compute_counts')
    received_count = fields.Integer(string="Received invoices", compute='_compute_counts')
    missing_upo_count = fields.Integer(compute='_compute_counts')

    @api.model
    def _check_reader(self):
        self.env['ksef.overview']._check_reader()

    @api.depends('company_id', 'date_from', 'date_to', 'with_issued', 'with_received')
    def _compute_counts(self):
        for archive in self:
            allowed = archive.company_id in self.env.companies
            archive.issued_count = archive._count('issued') if allowed and archive.with_issued else 0
            archive.received_count = archive._count('received') if allowed and archive.with_received else 0
            archive.missing_upo_count = archive._count('issued', MISSING_UPO) if archive.issued_count else 0

    def _count(self, part, extra=None):
        [(count,)] = self.env.execute_query(SQL("SELECT COUNT(*) %s %s", self._source(part), extra or SQL()))
        return count

    def _source(self, part):
        """FROM and WHERE of the rows: what KSeF accepted from the connection in use, or received invoices with their XML."""
        company = self.company_id.sudo()
        values = {'company': company.id, 'start': self.date_from, 'end': self.date_to, 'connection': company.ksef_connection_id.id or 0}
        if part == 'issued':
            self.env['ksef.document'].flush_model()
            return SQL(
                """FROM ksef_document d
              LEFT JOIN account_move m ON m.id = d.move_id
              LEFT JOIN res_currency c ON c.id = m.currency_id
              LEFT JOIN res_partner p ON p.id = m.commercial_partner_id
             CROSS JOIN LATERAL (SELECT CASE WHEN m.move_type IN ('out_refund', 'in_refund') THEN -1 ELSE 1 END AS sign) s
                  WHERE d.company_id = %(company)s AND d.connection_id = %(connection)s AND d.state = 'accepted'
                    AND d.xml IS NOT NULL AND d.issue_date BETWEEN %(start)s AND %(end)s""", **values)
        self.env['ksef.received'].flush_model()
        return SQL(
            """FROM ksef_received d WHERE d.company_id = %(company)s AND d.connection_id = %(connection)s AND d.role != 'seller'
                AND COALESCE(d.xml_size, 0) > 0 AND d.issue_date BETWEEN %(start)s AND %(end)s""", **values)

    def action_download(self):
        """Get the archive ("Download").

        :raise UserError: nothing is in it, or too much
        """
        self.ensure_one()
        self._check_whole()
        return {'type': 'ir.actions.act_url', 'url': f'/l10n_pl_ksef/archive/{self.id}', 'target': 'download'}

    def _check_whole(self):
        self._check_reader()
        self.check_access('read')
        if self.company_id not in self.env.companies:
            raise AccessError(self.env._("Choose the company at the top right first."))
        if self.date_from > self.date_to:
            raise UserError(self.env._("The period ends before it begins."))
        count = self.issued_count + self.received_count
        if not count:
            raise UserError(self.env._("KSeF has no invoices of this period here. Choose another one."))
        if count > MOST_DOCUMENTS:
            raise UserError(self.env._(
                "These are %(count)s invoices; one archive holds %(most)s at most. Choose a shorter period.",
                count=count, most=MOST_DOCUMENTS))

    def _file_name(self):
        self.ensure_one()
        company = re.sub(r'\W+', '-', self.company_id.sudo().name).strip('-')
        return f'KSeF {company} {self.date_from} {self.date_to}.zip'

    # ------------------------------------------------------------------ writing it

    def _write_archive(self):
        """Return an open temporary file with the Zip; the caller closes it."""
        self.ensure_one()
        self._check_whole()
        stream = tempfile.TemporaryFile()  # noqa: SIM115  it outlives this method
        try:
            with zipfile.ZipFile(stream, 'w', zipfile.ZIP_DEFLATED) as archive:
                for part, wanted in (('issued', self.with_issued), ('received', self.with_received)):
                    if wanted:
                        self._write_part(archive, part)
        except BaseException:
            stream.close()
            raise
        return stream

    def _write_part(self, archive, part):
        """Files of one part, then its register, which is kept in a file on the disk meanwhile."""
        with tempfile.TemporaryFile('w+', encoding='utf-8-sig', newline='') as register:
            writer = csv.writer(register, delimiter=';')
            labels = self._labels()
            writer.writerow([labels[name] for name in COLUMNS[part]])
            last = 0
            while rows := self._read_rows(part, last):
                for row in rows:
                    writer.writerow(self._write_files(archive, part, row))
                last = rows[-1]['id']
            register.seek(0)
            with archive.open(f'{part}/register.csv', 'w') as target:
                register.buffer.seek(0)
                while block := register.buffer.read(1 << 16):
                    target.write(block)

    def _read_rows(self, part, after):
        columns = {
            'issued': SQL(
                """d.id, d.ksef_number, d.invoice_number, d.issue_date, d.invoice_kind AS kind, d.seller_nip, d.mode, d.acquisition_date,
                   d.xml_hash AS sha256, d.xml, d.upo, p.name AS buyer, p.vat AS buyer_nip, c.name AS currency,
                   s.sign * m.amount_untaxed AS net, s.sign * m.amount_tax AS tax, s.sign * m.amount_total AS gross"""),
            'received': SQL(
                """d.id, d.ksef_number, d.invoice_number, d.issue_date, d.invoice_kind AS kind, d.seller_nip, d.seller_name AS seller,
                   d.net_amount AS net, d.vat_amount_pln AS tax_pln, d.gross_amount AS gross, d.currency_code AS currency,
                   d.acquisition_date, d.xml_hash AS sha256, d.xml"""),
        }
        self.env.cr.execute(SQL(
            "SELECT %s %s AND d.id > %s ORDER BY d.id LIMIT %s", columns[part], self._source(part), after, BATCH))
        return self.env.cr.dictfetchall()

    def _write_files(self, archive, part, row):
        """Put the files of one invoice into the Zip; return its line of the register."""
        name = self.env['ksef.received.archive']._entry_name(row['ksef_number'], row['id'])
        row['xml_file'] = f'{part}/xml/{name}.xml'
        # A binary column that isn't an attachment holds base64.
        archive.writestr(row['xml_file'], base64.b64decode(bytes(row['xml'])))
        if part == 'issued':
            row['upo_file'] = ''
            if row['upo']:
                row['upo_file'] = f'{part}/upo/UPO_{name}.xml'
                archive.writestr(row['upo_file'], base64.b64decode(bytes(row['upo'])))
        # A hash is as KSeF shows it: its letters make no formula.
        return [row[column] if column == 'sha256' else self._cell(row[column]) for column in COLUMNS[part]]

    @api.model
    def _cell(self, value):
        """A cell as spreadsheets open it in Poland, and that none takes for a formula."""
        if isinstance(value, float) or hasattr(value, 'quantize'):
            return f'{value:.2f}'.replace('.', ',')
        return self.env['ksef.received.archive']._plain(value)

    def _labels(self):
        return {
            'ksef_number': self.env._("KSeF number"), 'invoice_number': self.env._("Number"), 'issue_date': self.env._("Issue date"),
            'kind': self.env._("Kind"), 'seller_nip': self.env._("Seller's NIP"), 'seller': self.env._("Seller"),
            'buyer': self.env._("Buyer"), 'buyer_nip': self.env._("Buyer's number"), 'net': self.env._("Net"), 'tax': self.env._("Tax"),
            'tax_pln': self.env._("Tax (PLN)"), 'gross': self.env._("Gross"), 'currency': self.env._("Currency"),
            'mode': self.env._("Mode"), 'acquisition_date': self.env._("KSeF number given on (UTC)"), 'sha256': self.env._("SHA-256"),
            'xml_file': self.env._("XML file"), 'upo_file': self.env._("UPO file"),
        }
