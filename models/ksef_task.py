import uuid
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

# How long after an unanswered call its effect is looked for before the call is repeated.
GRACE = timedelta(seconds=120)
KINDS = [
    ('enroll_authentication', "Get a certificate for logging in"),
    ('enroll_offline', "Get a certificate for offline invoices"),
    ('generate_token', "Generate a token"),
    ('revoke_certificate', "Revoke a certificate"),
    ('revoke_token', "Revoke a token"),
    ('fetch_public_keys', "Fetch KSeF's public keys"),
    ('list_logins', "List the open logins"),
    ('end_login', "Log one out"),
]
OPEN_STATES = ('asked', 'calling', 'waiting')
# Of these one at a time is enough, whatever they carry by then.
SINGLE_KINDS = ('enroll_authentication', 'enroll_offline', 'generate_token')
# KSeF keeps the answer to a request for a certificate for so long.
ANSWER_KEPT = timedelta(days=30)


class KsefTask(models.Model):
    """Something that a person asked KSeF for through a connection, apart from invoices; a worker does it.

    Calls that are not repeatable are committed as ``calling`` before they are made, with the private key that belongs to
    them. One that is found so by a later run was not answered: what became of it is looked up by its name.
    """
    _name = 'ksef.task'
    _description = "KSeF task"
    _order = 'id desc'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    name = fields.Char(
        required=True, readonly=True, default=lambda self: self._new_name(),
        help="KSeF shows it beside the certificate or token; it is how an unanswered request is found again.")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    state = fields.Selection(
        [
            ('asked', "Waiting"),
            ('calling', "Being asked for"),
            ('waiting', "Awaiting KSeF"),
            ('done', "Done"),
            ('failed', "Failed"),
        ],
        required=True, default='asked', readonly=True)
    message = fields.Text(string="Result", readonly=True)
    credential_id = fields.Many2one('ksef.credential', readonly=True, ondelete='set null')
    parameters = fields.Json(groups=fields.NO_ACCESS, default=dict)
    reference_number = fields.Char(readonly=True, help="Numer referencyjny")
    called_at = fields.Datetime(readonly=True)
    attempts = fields.Integer(readonly=True)
    failures = fields.Integer(readonly=True, help="Calls in a row that did not reach KSeF.")
    due_at = fields.Datetime(readonly=True, default=fields.Datetime.now)

    secret = fields.Char(groups=fields.NO_ACCESS, copy=False)

    _one_at_a_time = models.UniqueIndex(
        "(connection_id, kind) WHERE state IN ('asked', 'calling', 'waiting') AND kind IN ('enroll_authentication', 'enroll_offline', "
        "'generate_token')",
        "KSeF was asked for this already; wait until it has answered.")
    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')

    @api.model
    def _new_name(self):
        """A name that nobody else's certificate or token has; KSeF allows letters, digits, blanks, dashes and underscores."""
        return f"Odoo {fields.Date.context_today(self)} {uuid.uuid4().hex[:8]}"

    @api.model
    def _ask(self, connection, kind, **values):
        """Have a worker do something for the connection; one that waits already is not asked for twice."""
        tasks = self.sudo()
        same = tasks.search([
            ('connection_id', '=', connection.id), ('kind', '=', kind), ('state', 'in', OPEN_STATES),
            ('credential_id', '=', values.get('credential_id', False))])
        if kind not in SINGLE_KINDS:
            same = same.filtered(lambda task: (task.parameters or {}) == (values.get('parameters') or {}))
        task = same[:1] or tasks.create({'connection_id': connection.id, 'kind': kind} | values)
        self.env['ksef.worker']._trigger_workers()
        return task

    # ------------------------------------------------------------------ what the worker says

    def _set_calling(self, **values):
        """The call is made next: from here on nobody knows what KSeF did until it says so."""
        self.write(values | {'state': 'calling', 'called_at': fields.Datetime.now(), 'attempts': self.attempts + 1})

    def _set_waiting(self, **values):
        self.write(values | {'state': 'waiting', 'due_at': fields.Datetime.now(), 'failures': 0})

    def _set_done(self, message, **values):
        self.write(values | {'state': 'done', 'message': message, 'due_at': False, 'secret': False, 'failures': 0})

    def _set_failed(self, message):
        """It cannot be done, and nothing at KSeF belongs to it."""
        self.write({'state': 'failed', 'message': message, 'due_at': False, 'secret': False})
        self.connection_id.message_post(body=self.env._("%(task)s: %(result)s", task=self._kind_label(), result=message))

    def _kind_label(self):
        return dict(self._fields['kind']._description_selection(self.env))[self.kind]

    def _postpone(self, seconds, **values):
        self.write(values | {'due_at': fields.Datetime.now() + timedelta(seconds=seconds)})

    def _is_answer_kept(self):
        """Whether KSeF still keeps what became of the call."""
        return bool(self.called_at) and self.called_at + ANSWER_KEPT > fields.Datetime.now()

    def _is_in_grace(self):
        """Whether the unanswered call may still show its effect."""
        return self.called_at + GRACE > fields.Datetime.now()

    # ------------------------------------------------------------------ buttons

    def action_retry(self):
        """Ask again for what failed."""
        self.env['ksef.connection']._check_manager()
        self.check_access('read')
        for task in self.sudo():
            if task.state != 'failed':
                raise UserError(self.env._("Only what failed can be asked for again."))
            parameters = {} if task.kind in SINGLE_KINDS else task.parameters
            task.connection_id.sudo(False)._ask_ksef(task.kind, credential_id=task.credential_id.id, parameters=parameters)
