from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.ksef_document import LIVE_STATES
from ..models.res_company_mode import GENERAL_DUTY, MODES


class KsefModeChange(models.TransientModel):
    """The confirmation of another mode: what will be different from now on, and what stays as it is."""
    _name = 'ksef.mode.change'
    _description = "Change what is sent to KSeF"

    company_id = fields.Many2one(
        'res.company', required=True, default=lambda self: self.env.company._ksef_mode_company().sudo(False))
    present_mode = fields.Selection(related='company_id.ksef_mode', string="Now")
    mode = fields.Selection(MODES, required=True)
    auto_from = fields.Date(string="Automatic from", help="Invoices confirmed and dated on or after this day are sent by themselves.")
    duty_from = fields.Date(
        string="Duty to use KSeF from",
        help="From this day of issue on, e-mailing an invoice for a business that is not in KSeF asks first.")
    changes = fields.Text(compute='_compute_changes', string="What changes")
    keeps = fields.Text(compute='_compute_changes', string="What stays")
    asks_production = fields.Boolean(compute='_compute_asks_production')
    production_confirmed = fields.Boolean(
        string="I know that invoices sent to production have legal effect and cannot be taken back, only corrected.")

    @api.model
    def default_get(self, fields):
        """What holds now; where nothing was ever set, the first day is today and the duty the general one."""
        self._check_manager()
        values = super().default_get(fields)
        company = self.env['res.company'].browse(values.get('company_id')) or self.env.company
        present = {'mode': company.ksef_mode, 'auto_from': company.ksef_auto_from or self.env['account.move']._ksef_today(),
                   'duty_from': company.ksef_duty_from or GENERAL_DUTY}
        return {name: value for name, value in present.items() if name in fields} | values

    @api.model
    def _check_manager(self):
        self.env['res.company']._ksef_check_mode_rights({'ksef_mode': True})

    @api.depends('mode', 'company_id')
    def _compute_asks_production(self):
        for wizard in self:
            wizard.asks_production = wizard.mode == 'automatic' and bool(wizard.company_id._ksef_connection()._asks_production())

    @api.depends('mode', 'company_id', 'auto_from')
    @api.depends_context('lang')
    def _compute_changes(self):
        for wizard in self:
            wizard.changes = wizard._describe_changes()
            wizard.keeps = wizard._describe_rest()

    def _describe_changes(self):
        if self.mode == 'off':
            return self.env._(
                "Nothing can be sent to KSeF from this company any more; the buttons disappear. Invoices are edited and e-mailed as "
                "before.")
        if self.mode == 'automatic':
            return self.env._(
                "Customer invoices and credit notes are picked for KSeF when they are confirmed, and closed for changes from then on, "
                "except imported ones and those that a rule leaves out. A message to the customer waits for the KSeF number. What the "
                "checks or KSeF refuse comes back with an activity.")
        return self.env._(
            "An invoice goes to KSeF only when somebody picks it: on the form, in the list or in the window Send. All others stay "
            "editable and are e-mailed as before.")

    def _describe_rest(self):
        """What was sent or is on its way, with its numbers."""
        documents = self.env['ksef.document'].sudo()
        domain = [('connection_id', '=', self.company_id.sudo().ksef_connection_id.id)]
        accepted = documents.search_count([*domain, ('state', '=', 'accepted')])
        on_way = documents.search_count([*domain, ('state', 'in', LIVE_STATES), ('state', '!=', 'accepted')])
        return self.env._(
            "In KSeF: %(accepted)s invoices; they keep their numbers and UPO and stay closed.\nOn their way: %(on_way)s; they go on. What "
            "has not left yet can be withdrawn on the invoice.\nInvoices confirmed before the change are never picked by it. Fetching "
            "invoices from KSeF has settings of its own.", accepted=accepted, on_way=on_way)

    def action_apply(self):
        """Change the mode of the company.

        :raise UserError: automatic sending to production that nobody has confirmed, or what the company itself refuses
        """
        self.ensure_one()
        self._check_manager()
        self.check_access('write')
        company = self.company_id
        if company not in self.env.companies:
            raise UserError(self.env._("Choose %(company)s at the top right first.", company=company.display_name))
        if self.asks_production and not self.production_confirmed:
            raise UserError(self.env._("Tick the sentence about production first."))
        company._ksef_set_mode(self.mode, self.auto_from, self.duty_from)
        if self.mode == 'automatic':
            company._ksef_connection().with_env(self.env)._confirm_production()
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
