from odoo import api, fields, models
from odoo.exceptions import UserError


class KsefPermissionRevoke(models.TransientModel):
    """Says what is about to be taken away and from whom; what the program itself lives on is asked about twice."""
    _name = 'ksef.permission.revoke'
    _description = "Take rights in KSeF away"

    connection_id = fields.Many2one('ksef.connection', required=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id')
    permission_ids = fields.Many2many('ksef.permission', required=True)
    has_own = fields.Boolean(compute='_compute_has_own')
    knows_consequences = fields.Boolean(string="I know that this program may then no longer work for the company")

    @api.depends('permission_ids')
    def _compute_has_own(self):
        for wizard in self:
            wizard.has_own = any(wizard.permission_ids.mapped('is_own'))

    def action_revoke(self):
        """Have a worker ask KSeF, right by right, and show the connection."""
        self.ensure_one()
        self.check_access('write')
        connection = self.connection_id
        connection._check_may_manage_rights()
        permissions = self.permission_ids
        permissions.check_access('read')
        if permissions.connection_id != connection or not all(permissions.mapped('can_revoke')):
            raise UserError(self.env._("The list has changed meanwhile. Open it again and choose anew."))
        if self.has_own and not self.knows_consequences:
            raise UserError(self.env._(
                "Some of these rights are those that this program works with. Confirm that you know what follows, or take them out."))
        for permission in permissions.sorted(lambda permission: (permission.is_own, permission.id)):
            self._ask(connection, permission)
        return connection._get_form_action()

    @api.model
    def _ask(self, connection, permission):
        if permission.kind == 'token':
            credential = connection.sudo().credential_ids.filtered(
                lambda credential: credential.token_reference == permission.ksef_id)[:1]
            connection._ask_ksef('revoke_token', credential_id=credential.id, parameters={'reference': permission.ksef_id})
            return
        connection._ask_ksef('revoke_permission', parameters={
            'id': permission.ksef_id, 'is_authorization': permission.kind == 'authorization', 'is_own': permission.is_own,
            'scope': permission.scopes, 'subject': self._describe_holder(permission),
        })

    @api.model
    def _describe_holder(self, permission):
        if permission.holder_identifier and permission.holder_identifier != permission.holder:
            return f"{permission.holder} ({permission.holder_identifier})"
        return permission.holder
