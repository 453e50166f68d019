from odoo import api, fields, models

from ..ksef.environment import get_environment
from ..ksef.errors import KsefConfigError


class KsefConnection(models.Model):
    """What the screens of a connection show beyond its columns, and where their buttons lead."""
    _inherit = 'ksef.connection'

    is_in_use = fields.Boolean(
        string="In use", compute='_compute_is_in_use', search='_search_is_in_use',
        help="The company's invoices are sent through this connection.")
    permission_names = fields.Char(
        string="Rights in KSeF", compute='_compute_permission_names',
        help="Uprawnienia: what the credential may do in KSeF.")
    taxpayer_app_url = fields.Char(string="Taxpayer application", compute='_compute_taxpayer_app_url')
    has_workers = fields.Boolean(
        compute='_compute_has_workers', help="At least one of the scheduled actions that talk to KSeF is switched on.")

    @api.depends('company_id.name', 'environment')
    @api.depends_context('lang')
    def _compute_display_name(self):
        """The stored name is in the language of whoever made the connection; readers see their own."""
        labels = dict(self._fields['environment']._description_selection(self.env))
        for connection in self:
            connection.display_name = f"{connection.company_id.name or ''} ({labels.get(connection.environment, '')})"

    @api.depends('company_id')
    def _compute_is_in_use(self):
        for connection in self:
            connection.is_in_use = connection == connection.company_id.sudo().ksef_connection_id

    @api.model
    def _search_is_in_use(self, operator, value):
        if operator not in ('in', 'not in'):
            return NotImplemented
        in_use = self.env['res.company'].sudo().search([('ksef_connection_id', '!=', False)]).ksef_connection_id
        return [('id', 'in' if (operator == 'in') == (True in value) else 'not in', in_use.ids)]

    @api.depends('permissions')
    @api.depends_context('lang')
    def _compute_permission_names(self):
        for connection in self:
            names = (connection.permissions or '').split(', ')
            connection.permission_names = ", ".join(self._permission_label(name) for name in names if name)

    @api.depends('environment', 'local_url')
    def _compute_taxpayer_app_url(self):
        for connection in self:
            try:
                environment = get_environment(connection.environment, connection.local_url)
            except KsefConfigError:
                connection.taxpayer_app_url = False
            else:
                connection.taxpayer_app_url = environment.taxpayer_app_url

    def _compute_has_workers(self):
        self.has_workers = any(self.env['ksef.worker']._get_pool().mapped('active'))

    def _get_form_action(self):
        """Open the form of this connection."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("KSeF connection"),
            'res_model': 'ksef.connection',
            'res_id': self.id,
            'views': [(False, 'form')],
            'target': 'current',
        }

    def action_connect_again(self):
        """Connect with another token: the wizard, filled in with what is known."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_connect')
        action['context'] = {
            'default_company_id': self.company_id.id,
            'default_environment': self.environment,
            'default_local_url': self.local_url,
            'default_is_unit': bool(self.internal_id),
            'default_internal_id': self.internal_id,
        }
        return action
