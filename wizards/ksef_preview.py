import base64
from urllib.parse import quote

from lxml import etree
from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.image import image_data_uri

from ..ksef import safe_xml
from ..ksef.fa3.document import ReadProblem
from ..ksef.fa3.reader import read
from ..ksef.fa3.view_html import to_html
from ..ksef.qr import qr_png
from ..models.account_move_preview import Look
from ..models.ksef_connection import ENVIRONMENTS

# Characters of XML that a browser still shows without effort; the file itself can always be downloaded.
SHOWN_XML = 300_000
# Millimetres; Odoo's own paper leaves room for a letterhead, which this page has not.
MARGINS = {'data-report-margin-top': 12, 'data-report-margin-bottom': 12, 'data-report-header-spacing': 0}


class KsefPreview(models.TransientModel):
    """The window that shows an invoice as KSeF will show it, and its XML.

    The row names what is looked at, and nothing else: page, XML and findings are made when they are shown. Nothing here
    talks to KSeF.
    """
    _name = 'ksef.preview'
    _description = "KSeF preview"

    move_ids = fields.Many2many('account.move', string="Invoices", readonly=True)
    position = fields.Integer(readonly=True, help="Which of the invoices is shown, from 0.")
    document_id = fields.Many2one(
        'ksef.document', readonly=True, help="Given when this very document is shown, whatever has become of its invoice.")
    send_id = fields.Many2one('ksef.send', readonly=True, help="The confirmation that one comes from.")
    name = fields.Char(compute='_compute_subject')
    of_count = fields.Char(compute='_compute_subject')
    environment = fields.Selection(ENVIRONMENTS, compute='_compute_subject')
    status = fields.Selection(
        [
            ('draft', "Draft: neither number nor date is final"),
            ('fresh', "Not sent yet: this is what KSeF would get"),
            ('frozen', "These very bytes are sent to KSeF"),
            ('accepted', "Accepted: these are the bytes that KSeF has"),
            ('history', "An earlier attempt: KSeF did not accept these bytes"),
            ('elsewhere', "Sent with another program: its file isn't here"),
            ('outside', "Issued outside KSeF"),
        ], compute='_compute_look')
    absence = fields.Char(compute='_compute_look', help="Why there is nothing to show of an invoice that was not sent from here.")
    page = fields.Text(compute='_compute_look', help="The invoice as a page, made from the XML alone.")
    xml_text = fields.Text(compute='_compute_look', help="The XML with line breaks, for reading.")
    is_cut = fields.Boolean(compute='_compute_look')
    findings = fields.Json(compute='_compute_look')
    error_count = fields.Integer(compute='_compute_look')
    xml = fields.Binary(compute='_compute_files', help="The bytes themselves, without the line breaks for reading.")
    html = fields.Binary(compute='_compute_files')
    pdf = fields.Binary(compute='_compute_pdf')
    has_pdf = fields.Boolean(compute='_compute_has_pdf')

    # ------------------------------------------------------------------ opening

    @api.model_create_multi
    def create(self, vals_list):
        self.env['account.move']._ksef_check_reader()
        previews = super().create(vals_list)
        previews._check_subject_access()
        return previews

    def write(self, vals):
        result = super().write(vals)
        self._check_subject_access()
        return result

    def _check_subject_access(self):
        """What is shown is rendered past the record rules, so the rules are applied to what was asked for."""
        for preview in self.sudo():
            preview.move_ids.sudo(False).check_access('read')
            for record in filter(None, (preview.document_id, preview.send_id)):
                record.sudo(False).check_access('read')

    @api.model
    def _open(self, moves=None, document=None, send=None):
        """The action that shows invoices one by one, or one document."""
        return self.create({
            'move_ids': [Command.set(moves.ids if moves else document.sudo().move_id.ids)],
            'document_id': document.id if document else False,
            'send_id': send.id if send else False,
        })._get_action()

    def _get_action(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("KSeF preview"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'dialog_size': 'extra-large'},
        }

    def action_next(self):
        """Show the next of the invoices; after the last one the first."""
        return self._turn(1)

    def action_previous(self):
        """Show the one before; before the first one the last."""
        return self._turn(-1)

    def _turn(self, step):
        self.ensure_one()
        self.env['account.move']._ksef_check_reader()
        self.check_access('write')
        self.position = (self.position + step) % max(len(self.sudo().move_ids), 1)
        return self._get_action()

    def action_back(self):
        """Go back to the confirmation that one came from."""
        self.ensure_one()
        self.env['account.move']._ksef_check_sender()
        self.check_access('read')
        return self.send_id._get_action()

    # ------------------------------------------------------------------ what is shown

    def _get_move(self):
        """The invoice that is shown now, as far as the user may read it."""
        self.ensure_one()
        self.env['account.move']._ksef_check_reader()
        moves = self.env['account.move'].browse(self.sudo().move_ids.ids)._filtered_access('read')
        return moves[self.position % len(moves)] if moves else moves

    def _get_document(self):
        """The document whose bytes are shown, if it isn't a fresh rendering."""
        move = self._get_move().sudo()
        document = self.sudo().document_id
        return document or (move.ksef_document_id if move.ksef_is_locked else document)

    def _look(self) -> Look:
        self.ensure_one()
        document = self.document_id
        if document:
            document.check_access('read')
            return Look(document._get_xml() or None, document.findings or [], is_frozen=True)
        move = self._get_move()
        return move._ksef_look(self.create_date or None) if move else Look(None, [])

    @api.depends('move_ids', 'position', 'document_id')
    @api.depends_context('lang', 'uid')
    def _compute_subject(self):
        for preview in self:
            move, document = preview._get_move(), preview._get_document()
            count = len(preview.sudo().move_ids)
            preview.name = document.invoice_number or move.display_name
            preview.of_count = count > 1 and f"{preview.position % count + 1} / {count}"
            preview.environment = document.environment or move.company_id._ksef_connection().environment

    @api.depends('move_ids', 'position', 'document_id')
    @api.depends_context('lang', 'uid')
    def _compute_look(self):
        for preview in self:
            look = preview._look()
            preview.status = preview._get_status(look)
            preview.absence = preview._describe_absence(look)
            preview.page = preview._make_page(look)
            preview.xml_text, preview.is_cut = preview._indent(look.xml)
            errors = [finding for finding in look.findings if finding['severity'] == 'error']
            preview.error_count = len(errors)
            preview.findings = {
                f'{number:03d}': self.env['ksef.document']._finding_display(finding)
                for number, finding in enumerate(sorted(look.findings, key=lambda finding: finding['severity']))
            } or False

    def _get_status(self, look):
        document = self._get_document()
        if look.absence:
            return look.absence
        if look.is_frozen:
            states = {'accepted': 'accepted', 'rejected': 'history', 'cancelled': 'history', 'invalid': 'history'}
            return states.get(document.state, 'frozen')
        return 'draft' if self._get_move().state == 'draft' else 'fresh'

    def _describe_absence(self, look):
        if not look.absence:
            return False
        if look.absence == 'outside':
            return self.env._("The invoice was issued outside KSeF: KSeF has no file of it and gets none.")
        number = self._get_move().sudo()._ksef_known_number()
        if not number:
            return self.env._("Another program has sent the invoice, and its file isn't here.")
        return self.env._(
            "KSeF has the invoice under the number %(number)s, but the file that was sent isn't here. The taxpayer application shows it.",
            number=number)

    def _make_page(self, look):
        """The page as a whole HTML document, made of the bytes; False for what has no form in FA(3)."""
        if not look.xml and not look.sketch:
            return False
        document = self._get_document() if look.is_frozen else self.env['ksef.document']
        link = document.verification_url if document.state == 'accepted' else False
        codes = ((image_data_uri(base64.b64encode(qr_png(link))), link),) if link else ()
        try:
            invoice = read(look.xml) if look.xml else look.sketch
            return to_html(invoice, ksef_number=document.ksef_number or '', notices=self._get_notices(look), codes=codes)
        except ReadProblem:
            return False

    def _get_notices(self, look) -> tuple[str, ...]:
        """What must be known of a page that somebody prints and gives to somebody else; Polish, as the page is."""
        if look.is_frozen:
            return ()
        if not look.xml:
            return ("Faktura z błędami: w tej postaci nie może zostać wysłana do KSeF. To nie jest faktura.",)
        if self._get_move().state == 'draft':
            return ("Wersja robocza: numer i data wystawienia nie są ostateczne. To nie jest faktura.",)
        return ("Podgląd: faktura nie została jeszcze wysłana do KSeF.",)

    @api.model
    def _indent(self, xml):
        """The XML with line breaks and indents, and whether it was cut."""
        if not xml:
            return False, False
        root = safe_xml.parse(xml)
        etree.indent(root)
        text = etree.tostring(root, encoding='unicode')
        return text[:SHOWN_XML], len(text) > SHOWN_XML

    # ------------------------------------------------------------------ files

    @api.depends('move_ids', 'position', 'document_id')
    @api.depends_context('uid')
    def _compute_files(self):
        for preview in self:
            look = preview._look()
            page = preview._make_page(look)
            preview.xml = base64.b64encode(look.xml) if look.xml else False
            preview.html = base64.b64encode(page.encode()) if page else False

    @api.depends('move_ids', 'position', 'document_id')
    @api.depends_context('uid')
    def _compute_pdf(self):
        report = self.env['ir.actions.report'].sudo()
        for preview in self:
            page = preview.has_pdf and preview._make_page(preview._look())
            preview.pdf = base64.b64encode(report._run_wkhtmltopdf([page], specific_paperformat_args=MARGINS)) if page else False

    def _compute_has_pdf(self):
        self.has_pdf = self.env['ir.actions.report'].get_wkhtmltopdf_state() == 'ok'

    def action_download_xml(self):
        """The XML as it is, or would be, sent."""
        return self._download('xml', 'xml')

    def action_download_pdf(self):
        """The page as PDF; where this server makes none, as HTML that prints on A4."""
        self.ensure_one()
        return self._download('pdf', 'pdf') if self.has_pdf else self._download('html', 'html')

    def _download(self, field, extension):
        self.ensure_one()
        self.env['account.move']._ksef_check_reader()
        self.check_access('read')
        if not (self.xml_text if field == 'xml' else self.page):
            raise UserError(self.env._("There is nothing to download: mend what is listed above first."))
        document = self._get_document()
        name = document.ksef_number or self.name or self.env._("Draft")
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/{self._name}/{self.id}/{field}/{quote(name.replace("/", "_"))}.{extension}?download=true',
            'target': 'download',
        }


class KsefSend(models.TransientModel):
    _inherit = 'ksef.send'

    def action_preview(self):
        """Show what would be sent, before it is."""
        self.ensure_one()
        moves = self._get_ready_moves()
        if not moves:
            raise UserError(self.env._("None of the selected invoices can be sent to KSeF now."))
        return self.env['ksef.preview']._open(moves, send=self)


class KsefDocument(models.Model):
    _inherit = 'ksef.document'

    def action_preview(self):
        """Show the invoice as it was, or will be, sent: the stored bytes."""
        self.ensure_one()
        self.env['account.move']._ksef_check_reader()
        self.check_access('read')
        if not self.xml_size:
            raise UserError(self.env._("The XML of this invoice has not been made yet."))
        return self.env['ksef.preview']._open(document=self)
