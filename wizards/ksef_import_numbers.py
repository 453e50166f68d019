import base64
import binascii
from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from psycopg2.extras import Json

from ..ksef.number_register import HEADINGS, MAX_BYTES, MAX_LINES, Fault, RegisterFault, read_register, write_register
from ..models.ksef_connection import ENVIRONMENTS
from ..models.ksef_takeover_register import HARMLESS, REGISTER_VERDICTS

# Base64 of the largest file that is read; what is longer is not even decoded.
LARGEST = MAX_BYTES * 4 // 3 + 4


class KsefImportNumbers(models.TransientModel):
    """Imports a register of KSeF numbers from another program: shows first what becomes of each line, then takes it over."""
    _name = 'ksef.import.numbers'
    _description = "Import KSeF numbers"

    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company, readonly=True)
    environment = fields.Selection(
        ENVIRONMENTS, required=True, default=lambda self: self._default_environment(),
        help="Środowisko KSeF: where the invoices were sent. The numbers don't show it.")
    step = fields.Selection(
        [('file', "File"), ('preview', "Preview"), ('done', "Done")], default='file', required=True, readonly=True)
    file = fields.Binary(string="CSV file", attachment=False)
    filename = fields.Char()
    line_ids = fields.One2many('ksef.import.numbers.line', 'wizard_id', string="Lines", readonly=True)
    is_production_meant = fields.Boolean(string="These invoices were sent to the production environment of KSeF")
    take_count = fields.Integer(readonly=True)
    bad_count = fields.Integer(readonly=True)
    known_count = fields.Integer(readonly=True)
    bad_lines = fields.Binary(compute='_compute_bad_lines')
    export = fields.Binary(compute='_compute_export')

    @api.model
    def _default_environment(self):
        return self.env.company._ksef_connection().environment or 'production'

    @api.model_create_multi
    def create(self, vals_list):
        self.env['ksef.connection']._check_manager()
        wizards = super().create(vals_list)
        wizards.company_id.check_access('read')
        return wizards

    # ------------------------------------------------------------------ file → preview

    def action_check(self):
        """Read the file and show what becomes of each line; nothing is taken over yet."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        self.check_access('write')
        lines = self._read_file()
        takeover = self.env['ksef.takeover']
        connection = takeover._find_connection(self.company_id, self.environment)
        self._show(takeover._sort_register(self.company_id, connection, lines))
        self.step = 'preview'
        return self._get_action()

    def _read_file(self):
        content = self.with_context(bin_size=False).file or b''
        if not content:
            raise UserError(self.env._("Choose the CSV file first."))
        if len(content) > LARGEST:
            raise UserError(self._describe_fault(Fault.TOO_LARGE, ''))
        try:
            return read_register(base64.b64decode(content))
        except RegisterFault as fault:
            raise UserError(self._describe_fault(fault.fault, str(fault))) from None
        except (ValueError, binascii.Error):
            raise UserError(self.env._("The file did not arrive whole. Choose it again.")) from None

    @api.model
    def _describe_fault(self, fault, reason):
        """What is wrong with the whole file, and what to do."""
        return {
            Fault.EMPTY: self.env._("The file has no lines."),
            Fault.TOO_LARGE: self.env._("The file is larger than 5 MB. Split it into several files."),
            Fault.TOO_MANY_LINES: self.env._("The file has more than %(count)s lines. Split it into several files.", count=MAX_LINES),
            Fault.SPREADSHEET: self.env._("This is a spreadsheet. Open it and save it as CSV (UTF-8), then choose that file."),
            Fault.NOT_TEXT: self.env._("This is not a CSV file. Save the register as CSV (UTF-8), then choose that file."),
            Fault.NO_COLUMNS: self.env._(
                "The first line of the file must name the columns, at least “Numer faktury” and “Numer KSeF” (invoice number and KSeF "
                "number)."),
            Fault.TWICE: self.env._("Two columns of the file have the same meaning. Rename or remove one. (%(reason)s)", reason=reason),
            Fault.BROKEN: self.env._("The file cannot be read as CSV: %(reason)s", reason=reason),
        }[fault]

    def _show(self, rows):
        """Keep the lines with their verdicts; one statement, since a register may have thousands of lines."""
        self.line_ids.unlink()
        self.env['ksef.import.numbers.line'].flush_model()
        now = fields.Datetime.now()
        for start in range(0, len(rows), 1000):
            values = SQL(", ").join(
                SQL("%s", (self.id, line.line, line.number or None, line.ksef_number or None, line.issue_date,
                           None if line.gross is None else f"{line.gross:.2f}", Json(line.cells), verdict, move_id or None,
                           detail or None, self.env.uid, now, self.env.uid, now))
                for line, verdict, move_id, detail in rows[start:start + 1000])
            self.env.cr.execute(SQL(
                """INSERT INTO ksef_import_numbers_line (
                       wizard_id, line, number, ksef_number, issue_date, gross, cells, verdict, move_id, detail,
                       create_uid, create_date, write_uid, write_date) VALUES %s""", values))
        self.invalidate_recordset(['line_ids'])
        counts = Counter(row[1] for row in rows)
        self.write({
            'take_count': counts['take'], 'known_count': counts['known'] + counts['repeated'],
            'bad_count': sum(count for verdict, count in counts.items() if verdict not in HARMLESS),
        })

    # ------------------------------------------------------------------ preview → done

    def action_take_over(self):
        """Take over the lines that can be; the others stay as they are shown."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        self.check_access('write')
        takeover = self.env['ksef.takeover']
        if self.step != 'preview' or not self.take_count:
            raise UserError(self.env._("There is nothing to take over. Choose a file and check it first."))
        if self.environment == 'production' and not self.is_production_meant:
            raise UserError(self.env._("Confirm first that these invoices were sent to the production environment of KSeF."))
        lines = self._read_file()
        connection = takeover._get_connection(self.company_id, self.environment)
        rows = takeover._take_register(self.company_id, connection, lines)
        self._show(rows)
        self.write({'step': 'done', 'file': False})
        connection.message_post(body=self.env._(
            "%(count)s KSeF numbers taken over from a register.", count=self.take_count))
        return self._get_action()

    def action_back(self):
        """Choose another file."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        self.check_access('write')
        self.line_ids.unlink()
        self.write({'step': 'file', 'file': False, 'is_production_meant': False, 'take_count': 0, 'bad_count': 0, 'known_count': 0})
        return self._get_action()

    # ------------------------------------------------------------------ downloads

    @api.depends('line_ids')
    def _compute_bad_lines(self):
        labels = dict(self.env['ksef.import.numbers.line']._fields['verdict']._description_selection(self.env))
        for wizard in self:
            bad = wizard.line_ids.filtered(lambda line: line.verdict not in HARMLESS)
            rows = [(*line.cells, line.line, labels[line.verdict], line.detail or None) for line in bad]
            heading = (*HEADINGS, self.env._("Line"), self.env._("Verdict"), self.env._("Details"))
            wizard.bad_lines = base64.b64encode(write_register([heading, *rows]))

    @api.depends('company_id', 'environment')
    def _compute_export(self):
        takeover = self.env['ksef.takeover']
        for wizard in self:
            is_allowed = takeover._is_allowed(wizard.company_id)
            connection = is_allowed and takeover._find_connection(wizard.company_id, wizard.environment)
            rows = takeover._register_rows(wizard.company_id, connection) if connection else ()
            wizard.export = base64.b64encode(write_register([HEADINGS, *rows]))

    def action_download_bad_lines(self):
        """The lines that were not taken over, with the reason, to be mended and imported again."""
        return self._download('bad_lines', f"ksef_{self.company_id.id}_do_poprawy.csv")

    def action_export(self):
        """The company's KSeF numbers as a register of the same form."""
        return self._download('export', f"ksef_{self.environment}_{fields.Date.context_today(self)}.csv")

    def _download(self, field_name, filename):
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/{self._name}/{self.id}/{field_name}?download=true&filename={filename}',
            'target': 'download',
        }

    def _get_action(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Import KSeF numbers"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'dialog_size': 'extra-large'},
        }


class KsefImportNumbersLine(models.TransientModel):
    _name = 'ksef.import.numbers.line'
    _description = "Line of a register of KSeF numbers"
    _order = 'line, id'

    wizard_id = fields.Many2one('ksef.import.numbers', required=True, index=True, ondelete='cascade')
    line = fields.Integer(readonly=True, aggregator=False)
    number = fields.Char(string="Invoice number", readonly=True)
    ksef_number = fields.Char(string="KSeF number", readonly=True)
    issue_date = fields.Date(readonly=True)
    gross = fields.Char(readonly=True)
    cells = fields.Json(readonly=True, help="The cells as they stand in the file.")
    verdict = fields.Selection(REGISTER_VERDICTS, readonly=True)
    move_id = fields.Many2one('account.move', string="Invoice", readonly=True)
    detail = fields.Char(string="Found", readonly=True)
