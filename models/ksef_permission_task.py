import re

from odoo import api, fields, models
from odoo.exceptions import UserError

HIDDEN = '***'
PESEL = re.compile(r'(?<![0-9])[0-9]{7}(?=[0-9]{4}(?![0-9]))', re.ASCII)


def mask_personal(text):
    """The text of an answer without PESEL numbers: of each number of 11 digits the last four stay."""
    return PESEL.sub('*******', str(text))


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
        self._permission_settled(message, parameters=self._parameters_without_person())

    def _parameters_without_person(self, names=('identifier', 'person')):
        return self.parameters | dict.fromkeys(names, HIDDEN)

    def _set_failed(self, message):
        """A person's number and document don't stay in the database because KSeF refused; an office's NIP does, for “Ask again”."""
        if self.kind == 'grant_permission':
            message = self._hide_person(message)
            if self.parameters.get('holder') == 'person':  # pylint: disable=access-member-before-definition
                self.parameters = self._parameters_without_person()
        return super()._set_failed(mask_personal(message))

    def _hide_person(self, message):
        """KSeF's words about a person without the numbers that were sent."""
        person = self.parameters.get('person')
        if not isinstance(person, dict):
            return message
        for value in (*person.get('document', [])[1:2], *person.get('identifier', [])[1:2], person.get('birth_date')):
            message = message.replace(value, HIDDEN) if value else message
        return message

    def action_retry(self):
        """Give rights to a person again: who it is has to be entered anew."""
        if self.sudo().filtered(lambda task: task.state == 'failed' and (task.parameters or {}).get('identifier') == HIDDEN):
            self.env['ksef.connection']._check_manager()
            self.check_access('read')
            raise UserError(self.env._(
                "The numbers of the person were removed after KSeF refused. Enter them anew: click “Give a person rights…”."))
        return super().action_retry()

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
