from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    """The company's connection, shown in the settings of Invoicing; saving them never talks to KSeF."""
    _inherit = 'res.config.settings'

    ksef_connection_id = fields.Many2one(
        related='company_id.ksef_connection_id', readonly=True, groups='l10n_pl_ksef.group_ksef_read')
    ksef_connection_state = fields.Selection(
        related='company_id.ksef_connection_id.state', string="State of the KSeF connection",
        groups='l10n_pl_ksef.group_ksef_read')
    ksef_environment = fields.Selection(
        related='company_id.ksef_connection_id.environment', string="KSeF environment",
        groups='l10n_pl_ksef.group_ksef_read')

    ksef_works_through = fields.Char(
        compute='_compute_ksef_works_through', compute_sudo=True, groups='l10n_pl_ksef.group_ksef_read',
        help="The company whose connection this branch uses")

    ksef_mode = fields.Selection(related='company_id.ksef_mode', string="Sending to KSeF", groups='l10n_pl_ksef.group_ksef_read')
    ksef_auto_from = fields.Date(related='company_id.ksef_auto_from', groups='l10n_pl_ksef.group_ksef_read')
    ksef_duty_from = fields.Date(related='company_id.ksef_duty_from', groups='l10n_pl_ksef.group_ksef_read')

    @api.depends('company_id')
    def _compute_ksef_works_through(self):
        for settings in self:
            settings.ksef_works_through = settings.company_id._ksef_works_through().name

    def action_ksef_open_connection(self):
        """Open the company's connection."""
        self.ensure_one()
        return self.ksef_connection_id._get_form_action()
