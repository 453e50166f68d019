from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..ksef.coach import Where
from .ksef_document import LETTERS


class KsefDocument(models.Model):
    """What the screens of a document show beyond its columns, and where their buttons lead."""
    _inherit = 'ksef.document'

    letter = fields.Selection(
        [('W', "W: being sent"), ('O', "O: registered"), ('A', "A: accepted")], compute='_compute_letter',
        help="W: on its way, O: KSeF has registered the transfer, A: accepted and archived in KSeF.")
    findings_display = fields.Json(compute='_compute_findings_display')
    partner_id = fields.Many2one(related='move_id.partner_id', string="Buyer")

    @api.depends('state')
    def _compute_letter(self):
        for document in self:
            document.letter = LETTERS.get(document.state, False)

    @api.depends('findings')
    @api.depends_context('lang')
    def _compute_findings_display(self):
        """The findings as Odoo's widget ``actionable_errors`` shows them, each with a way to the record to mend."""
        for document in self:
            document.findings_display = {
                f"{number:03d}_{finding['code']}": self._finding_display(finding)
                for number, finding in enumerate(document.findings or [])
            } or False

    @api.model
    def _finding_display(self, finding):
        message = finding['message']
        if finding.get('field'):
            message = f"{finding['field']}: {message}"
        display = {'level': 'danger' if finding['severity'] == 'error' else 'warning', 'message': message}
        record = self._finding_record(finding)
        if record:
            display |= {
                'action_text': self.env._("Open: %(record)s", record=self.env['ir.model']._get(record._name).name),
                'action': {
                    'type': 'ir.actions.act_window',
                    'res_model': record._name,
                    'res_id': record.id,
                    'view_mode': 'form',
                },
            }
        return display

    @api.model
    def _finding_record(self, finding):
        """The record to mend: what the finding names, or the invoice when that is one of its lines; empty when gone."""
        if finding.get('res_model') not in self.env or not finding.get('res_id'):
            return self.browse()
        record = self.env[finding['res_model']].browse(finding['res_id']).sudo().exists().sudo(False)
        return record.sudo().move_id.sudo(False) if record._name == 'account.move.line' else record

    def _get_advice(self):
        """What KSeF's answer about the document means and what to do, with its own words in full (S0-01, S0-02)."""
        self.ensure_one()
        if not self.status_code and not self.status_description:
            return ''
        place = Where.INVOICE if self.reference_number else Where.SEND
        advice = self.env['ksef.advice']
        return advice._advice_as_text(advice._explain_stored(
            place, self.status_code or None, self.status_description or '', (self.status_details or '').splitlines(),
            self.connection_id._get_environment()))

    def action_open_move(self):
        """Open the invoice of this document."""
        self.ensure_one()
        self.check_access('read')
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'account.move',
            'res_id': self.move_id.id,
            'views': [(False, 'form')],
        }

    def action_check_again(self):
        """Ask KSeF again about what is not settled ("Get KSeF status")."""
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_send'):
            raise AccessError(self.env._(
                "Only users with the right “KSeF: send” may ask KSeF about the status of invoices. Ask your "
                "administrator."))
        self.check_access('read')
        self._check_again()
