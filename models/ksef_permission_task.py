from odoo import api, fields, models

HIDDEN = '***'


class KsefTask(models.Model):
    """Giving and taking rights: operations of KSeF that are asked for once and followed to their end."""
    _inherit = 'ksef.task'

    kind = fields.Selection(
        selection_add=[
            ('list_permissions', "List who may do what"),
            ('grant_permission', "Give rights"),
            ('revoke_permission', "Take a right away"),
        ],
        ondelete={'list_permissions': 'cascade', 'grant_permission': 'cascade', 'revoke_permission': 'cascade'})
    subject = fields.Char(string="About", compute='_compute_subject', compute_sudo=True, help="Whose rights the task is about.")

    @api.depends('parameters')
    def _compute_subject(self):
        for task in self:
            task.subject = (task.parameters or {}).get('subject', False)

    def _permissions_listed(self, snapshot):
        """Replace the mirror by what KSeF has listed (:class:`~.ksef_worker_permission.Snapshot`)."""
        self.env['ksef.permission']._store(self.connection_id, snapshot)
        self._set_done(self.env._("Rights listed: %(count)s", count=self.connection_id.permission_count))

    def _permission_given(self, message):
        """The rights are there; who they were given to is kept without the identifier that nobody else needs."""
        parameters = self.parameters | dict.fromkeys(('identifier', 'person'), HIDDEN)
        self._permission_settled(message, parameters=parameters)

    def _permission_taken(self, message):
        connection, is_own = self.connection_id, self.parameters.get('is_own')
        self._permission_settled(message)
        if is_own and connection.state == 'connected':
            # What the program may do has changed: that is looked at before the next invoice is tried.
            connection._start_verification()

    def _credential_revoked(self):
        super()._credential_revoked()
        if self.connection_id.permissions_at:
            self._ask(self.connection_id, 'list_permissions')

    def _permission_settled(self, message, **values):
        self._set_done(message, **values)
        self.connection_id.message_post(body=message, author_id=self.create_uid.partner_id.id)
        self._ask(self.connection_id, 'list_permissions')
