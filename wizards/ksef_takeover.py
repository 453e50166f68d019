from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.ksef_connection import ENVIRONMENTS

# So many invoices that stay behind are named on the screen; the others are counted.
MOST_NAMES = 20


class KsefTakeoverWizard(models.TransientModel):
    """Shows what Odoo's own KSeF module has, then takes over its certificate and what it has sent, in one step."""
    _name = 'ksef.takeover.wizard'
    _description = "Take over from Odoo's own KSeF module"

    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company, readonly=True)
    step = fields.Selection([('preview', "Preview"), ('done', "Done")], default='preview', required=True, readonly=True)
    has_other_module = fields.Boolean(compute='_compute_preview')
    environment = fields.Selection(ENVIRONMENTS, compute='_compute_preview', help="Środowisko KSeF")
    connection_id = fields.Many2one('ksef.connection', compute='_compute_preview')
    connection_in_use_id = fields.Many2one('ksef.connection', compute='_compute_preview')
    has_certificate = fields.Boolean(compute='_compute_certificate')
    is_certificate_known = fields.Boolean(compute='_compute_certificate')
    certificate_owner = fields.Char(string="Issued to", compute='_compute_certificate')
    certificate_validity = fields.Char(string="Valid", compute='_compute_certificate')
    certificate_problem = fields.Char(compute='_compute_certificate')
    takes_certificate = fields.Boolean(
        string="Connect with this certificate", compute='_compute_takes_certificate', store=True, readonly=False,
        help="The same certificate serves both programs; the other module keeps its own.")
    take_count = fields.Integer(compute='_compute_preview')
    counts = fields.Html(compute='_compute_preview', sanitize=False)
    left_out = fields.Html(compute='_compute_preview', sanitize=False)
    result = fields.Text(readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        self.env['ksef.connection']._check_manager()
        wizards = super().create(vals_list)
        wizards.company_id.check_access('read')
        return wizards

    # ------------------------------------------------------------------ what the person sees

    @api.depends('company_id', 'step')
    @api.depends_context('lang', 'uid')
    def _compute_preview(self):
        takeover = self.env['ksef.takeover']
        for wizard in self:
            wizard.has_other_module = takeover._has_other_module()
            wizard.environment = takeover._other_environment()
            wizard.connection_in_use_id = wizard.company_id.sudo().ksef_connection_id
            wizard.connection_id = wizard.counts = wizard.left_out = False
            wizard.take_count = 0
            if not wizard.has_other_module or not wizard.company_id or not takeover._is_allowed(wizard.company_id):
                continue
            wizard.connection_id = connection = takeover._find_connection(wizard.company_id, wizard.environment)
            rows = takeover._sort_other_moves(wizard.company_id, connection)
            wizard.take_count = sum(row['verdict'] in ('accepted', 'pending') for row in rows)
            wizard.counts = wizard._show_counts(rows)
            wizard.left_out = wizard._show_left_out(rows)

    def _show_counts(self, rows):
        """The numbers of the preview as a small table."""
        def count(*verdicts):
            return sum(row['verdict'] in verdicts for row in rows)

        known = self.env['ksef.document'].sudo().search_count(
            [('connection_id', '=', self.connection_id.id), ('origin', '=', 'l10n_pl_edi')]) if self.connection_id else 0
        lines = [
            (self.env._("Accepted by KSeF: taken over with their numbers"), count('accepted')),
            (self.env._("Sent, no answer yet: this program asks KSeF about them from now on"), count('pending')),
            (self.env._("Taken over earlier"), known),
            (self.env._("Cannot be taken over"), len(rows) - count('accepted', 'pending')),
        ]
        return Markup('<table class="table table-sm mb-0">{}</table>').format(Markup().join(
            Markup('<tr><td class="text-end fw-bold" style="width: 5rem">{}</td><td>{}</td></tr>').format(number, label)
            for label, number in lines))

    def _show_left_out(self, rows):
        """What stays behind and why, or False."""
        left = [row for row in rows if row['verdict'] not in ('accepted', 'pending')]
        if not left:
            return False
        takeover = self.env['ksef.takeover']
        items = [Markup("<li><b>{}</b>: {}</li>").format(
            row['name'] or '/', takeover._describe_other_verdict(row['verdict'])) for row in left[:MOST_NAMES]]
        if len(left) > MOST_NAMES:
            items.append(Markup("<li>{}</li>").format(self.env._("and %(count)s more", count=len(left) - MOST_NAMES)))
        return Markup('<ul class="mb-0">{}</ul>').format(Markup().join(items))

    @api.depends('company_id')
    @api.depends_context('lang', 'uid')
    def _compute_certificate(self):
        takeover = self.env['ksef.takeover']
        for wizard in self:
            wizard.has_certificate = wizard.is_certificate_known = False
            wizard.certificate_owner = wizard.certificate_validity = wizard.certificate_problem = False
            if not takeover._has_other_module() or not wizard.company_id or not takeover._is_allowed(wizard.company_id):
                continue
            pair, info, problem = takeover._read_other_certificate(wizard.company_id)
            wizard.has_certificate = bool(pair)
            wizard.certificate_problem = problem
            if info:
                wizard.certificate_owner = info.name
                wizard.certificate_validity = (
                    f'{format_date(self.env, info.valid_from.date())} – {format_date(self.env, info.valid_to.date())}')
                connection = takeover._find_connection(wizard.company_id, takeover._other_environment())
                wizard.is_certificate_known = bool(connection and takeover._find_credential(connection, info))

    @api.depends('company_id')
    def _compute_takes_certificate(self):
        """Proposed where the company is not connected yet."""
        for wizard in self:
            wizard.takes_certificate = (
                wizard.has_certificate and not wizard.is_certificate_known and not wizard.company_id._ksef_connection())

    # ------------------------------------------------------------------ "Take over"

    def action_take_over(self):
        """Take over certificate and invoices, and show what was done."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        self.check_access('write')
        takeover = self.env['ksef.takeover']
        if not takeover._has_other_module():
            raise UserError(self.env._("Odoo's own KSeF module is not installed. Import a register of KSeF numbers instead."))
        environment = takeover._other_environment()
        connection = takeover._get_connection(self.company_id, environment)
        lines = [self._take_certificate(connection)] if self.takes_certificate else []
        counts = takeover._take_other_moves(self.company_id, connection)
        lines += [
            self.env._("%(count)s invoices taken over with their KSeF numbers.", count=counts['accepted']),
            self.env._("%(count)s invoices without an answer: KSeF is asked about them.", count=counts['pending']),
        ]
        if counts['later']:
            lines.append(self.env._("%(count)s invoices are left for next time: take over again.", count=counts['later']))
        left = sum(counts.values()) - counts['accepted'] - counts['pending'] - counts['later']
        if left:
            lines.append(self.env._("%(count)s invoices were left where they are; the list is below.", count=left))
        self.write({'step': 'done', 'result': "\n".join(lines)})
        connection.message_post(body="\n".join(lines))
        return self._get_action()

    def _take_certificate(self, connection):
        """Connect with the other module's certificate, once; return what was done as a sentence."""
        takeover = self.env['ksef.takeover']
        pair, _info, problem = takeover._read_other_certificate(self.company_id)
        if not pair:
            raise UserError(problem or self.env._("Odoo's own KSeF module has no certificate for this company."))
        if takeover._find_credential(connection, pair.info):
            return self.env._("The certificate was taken over before.")
        self.env['ksef.connection']._connect_with_certificate(
            connection.company_id.sudo(False), connection.environment, pair, connection.local_url)
        return self.env._("The certificate was taken over; KSeF is asked what it allows.")

    def action_import_numbers(self):
        """Open the import of a register, for what has no number here."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        return self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_import_numbers')

    def action_open_connection(self):
        """Open the connection that the documents belong to."""
        self.ensure_one()
        self.env['ksef.connection']._check_manager()
        return self.connection_id._get_form_action()

    def _get_action(self):
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Take over from Odoo's own KSeF module"),
            'res_model': self._name,
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'new',
        }
