from odoo import api, fields, models
from odoo.exceptions import UserError

MANAGES = 'CredentialsManage'


class KsefConnection(models.Model):
    """“Who may do what”: the list on the connection, and the buttons that ask KSeF for changes."""
    _inherit = 'ksef.connection'

    permission_ids = fields.One2many('ksef.permission', 'connection_id', groups='l10n_pl_ksef.group_ksef_manage')
    permissions_at = fields.Datetime(string="As of", readonly=True, copy=False, help="When KSeF was asked who may do what.")
    permissions_partial = fields.Boolean(
        readonly=True, copy=False, help="KSeF showed only the rights of this program, because it may not see those of others.")
    permission_count = fields.Integer(compute='_compute_permission_count', compute_sudo=True)

    @api.depends('permission_ids')
    def _compute_permission_count(self):
        counts = dict(self.env['ksef.permission']._read_group(
            [('connection_id', 'in', self.ids)], ['connection_id'], ['__count']))
        for connection in self:
            connection.permission_count = counts.get(connection, 0)

    def action_list_permissions(self):
        """Ask KSeF who may do what now."""
        return self._ask_ksef('list_permissions')

    def action_open_permissions(self):
        """Show who may do what, to be searched and grouped."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_permission')
        action['domain'] = [('connection_id', '=', self.id)]
        return action

    def action_give_office(self):
        """Let an accounting office work for this NIP: open the wizard."""
        return self._open_permission_grant('office')

    def action_give_person(self):
        """Give a person rights for this NIP: open the wizard."""
        return self._open_permission_grant('person')

    def _open_permission_grant(self, holder):
        self.ensure_one()
        self._check_may_manage_rights()
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_permission_grant')
        action['context'] = {'default_connection_id': self.id, 'default_holder': holder}
        return action

    def _check_may_manage_rights(self):
        """:raise UserError: what the program logs in with may not give or take rights, as far as is known."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        if self._is_sending() and MANAGES not in (self.permissions or '').split(', '):
            raise UserError(self.env._(
                "What this program logs in with may not manage rights in KSeF. Do it in the taxpayer application (Uprawnienia → Nadawanie "
                "uprawnień), or connect with a certificate or signature of the owner or of somebody with the right “zarządzanie "
                "uprawnieniami”. Where that right was given just now, click “Check again” first."))
        if not self._is_sending():
            raise UserError(self.env._(
                "The company is not connected to KSeF now. Connect it first, or manage the rights in the taxpayer application."))

    @api.model
    def _permission_label(self, name):
        labels = {
            'CredentialsManage': self.env._("managing rights (zarządzanie uprawnieniami)"),
            'CredentialsRead': self.env._("seeing rights (przeglądanie uprawnień)"),
            'Introspection': self.env._("seeing the history of sessions (przeglądanie historii sesji)"),
            'SubunitManage': self.env._("managing subordinate units (zarządzanie podmiotami podrzędnymi)"),
            'EnforcementOperations': self.env._("enforcement (operacje egzekucyjne)"),
            'CollectiveIdentifierManage': self.env._("collective identifiers (identyfikatory zbiorcze)"),
            'VatUeManage': self.env._("managing rights of an EU entity (zarządzanie uprawnieniami podmiotu unijnego)"),
            'SelfInvoicing': self.env._("self-billing (samofakturowanie)"),
            'RRInvoicing': self.env._("invoices for flat-rate farmers (faktury VAT RR)"),
            'TaxRepresentative': self.env._("tax representative (przedstawiciel podatkowy)"),
            'PefInvoicing': self.env._("invoices of public procurement (faktury PEF)"),
        }
        return labels.get(name) or super()._permission_label(name)
