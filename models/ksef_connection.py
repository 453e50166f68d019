from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from stdnum.pl import nip as nip_module

from ..ksef.environment import get_environment
from ..ksef.errors import KsefConfigError
from ..ksef.internal_id import internal_id_problem
from ..ksef.types import Context
from .ksef_document import LIVE_STATES

ENVIRONMENTS = [
    ('production', "Production"),
    ('demo', "DEMO"),
    ('test', "TEST"),
    ('local', "Local sandbox"),
]
# What a connected token must allow: KSeF's name of the right -> what the person reads.
REQUIRED_PERMISSIONS = ('InvoiceWrite', 'InvoiceRead')


class KsefConnection(models.Model):
    """The way of one company (its NIP) to one KSeF environment.

    A company may have one connection for each environment, of which one is in use (res.company.ksef_connection_id);
    documents belong to a connection, so that numbers of DEMO and production never mix.
    """
    _name = 'ksef.connection'
    _description = "KSeF connection"
    _order = 'company_id, id'
    _inherit = ['mail.thread']

    name = fields.Char(compute='_compute_name', store=True, readonly=False, required=True, precompute=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, default=lambda self: self.env.company, ondelete='restrict')
    environment = fields.Selection(
        ENVIRONMENTS, required=True, default='production', help="Środowisko KSeF")
    local_url = fields.Char(string="Sandbox address", help="Address of a sandbox on this machine, e.g. http://127.0.0.1:8200/v2")
    nip = fields.Char(
        string="NIP", required=True, help="The seller's NIP, not the buyer's: the company that issues the invoices.")
    internal_id = fields.Char(
        string="Internal identifier", readonly=True, copy=False,
        help="Identyfikator wewnętrzny (NIP-00000) of a unit of the taxpayer: what the program logs in to instead of the NIP.")
    state = fields.Selection(
        [
            ('draft', "Not connected"),
            ('signing', "Awaiting the signature"),
            ('verifying', "Being verified"),
            ('connected', "Connected"),
            ('attention', "Needs attention"),
            ('neutralised', "Neutralised"),
        ],
        required=True, default='draft', readonly=True, tracking=True, copy=False)
    status_message = fields.Text(string="What to know", readonly=True, copy=False)
    error_code = fields.Char(string="KSeF code", readonly=True, copy=False)
    permissions = fields.Char(readonly=True, copy=False, help="Uprawnienia: what the credential may do in KSeF.")
    verified_at = fields.Datetime(readonly=True, copy=False)
    database_uuid = fields.Char(readonly=True, copy=False, help="The database that this connection was made in.")
    is_copied_database = fields.Boolean(compute='_compute_is_copied_database')

    credential_ids = fields.One2many('ksef.credential', 'connection_id', groups='l10n_pl_ksef.group_ksef_manage')
    session_ids = fields.One2many('ksef.session', 'connection_id')
    document_count = fields.Integer(compute='_compute_document_count')

    # Until when the worker leaves something alone: everything, sending, or reading.
    paused_until = fields.Datetime(readonly=True, copy=False)
    send_paused_until = fields.Datetime(readonly=True, copy=False)
    read_paused_until = fields.Datetime(readonly=True, copy=False)
    failed_until = fields.Datetime(readonly=True, copy=False, help="After a fault of the program, nothing is tried before.")
    served_at = fields.Datetime(readonly=True, copy=False, help="When a worker last took the connection.")
    failures = fields.Integer(readonly=True, copy=False, help="Calls in a row that did not reach KSeF.")
    due_at = fields.Datetime(readonly=True, copy=False, help="When a worker must look at the connection itself.")

    _one_per_environment = models.UniqueIndex(
        "(company_id, environment, nip, COALESCE(internal_id, ''))", "The company has a connection to this environment already.")

    @api.depends('company_id', 'environment')
    def _compute_name(self):
        labels = dict(self._fields['environment']._description_selection(self.env))
        for connection in self:
            connection.name = f"{connection.company_id.name or ''} ({labels.get(connection.environment, '')})"

    @api.depends('database_uuid')
    def _compute_is_copied_database(self):
        uuid = self.env['ir.config_parameter'].sudo().get_param('database.uuid')
        for connection in self:
            connection.is_copied_database = bool(connection.database_uuid) and connection.database_uuid != uuid

    def _compute_document_count(self):
        counts = dict(self.env['ksef.document']._read_group(
            [('connection_id', 'in', self.ids)], ['connection_id'], ['__count']))
        for connection in self:
            connection.document_count = counts.get(connection, 0)

    @api.constrains('environment', 'local_url')
    def _check_environment(self):
        for connection in self:
            connection._get_environment()

    @api.constrains('nip')
    def _check_nip(self):
        for connection in self:
            if not nip_module.is_valid(connection.nip or '') or nip_module.compact(connection.nip) != connection.nip:
                raise ValidationError(self.env._(
                    "“%(nip)s” is not a valid NIP. Enter the 10 digits of the company's own NIP in the field “Tax ID” of the "
                    "company: the seller's, not the buyer's.",
                    nip=connection.nip or '',
                ))

    @api.constrains('nip', 'internal_id')
    def _check_internal_id(self):
        for connection in self.filtered('internal_id'):
            problem = self._internal_id_problem(connection.internal_id, connection.nip)
            if problem:
                raise ValidationError(problem)

    @api.model
    def _internal_id_problem(self, internal_id, nip):
        """What is wrong with an internal identifier of the NIP, as a sentence, or False."""
        texts = {
            'shape': self.env._(
                "An internal identifier is the NIP, a dash and 5 digits, for example 6824515772-12343. KSeF shows it where the unit was "
                "made: taxpayer application, Uprawnienia → Jednostki podrzędne."),
            'nip': self.env._("This internal identifier belongs to another NIP than the company's, %(nip)s.", nip=nip),
            'check_digit': self.env._(
                "The last digit of the internal identifier does not fit the others. Compare it with the taxpayer application."),
        }
        return texts.get(internal_id_problem(internal_id, nip), False)

    # ------------------------------------------------------------------ what the rest of the program asks

    def _get_context(self):
        """What the program logs in to (``ksef.types.Context``): the NIP, or a unit of it."""
        self.ensure_one()
        return Context(self.internal_id, 'InternalId') if self.internal_id else Context(self.nip)

    def _get_environment(self):
        """The ``ksef.environment.Environment`` of this connection.

        :raise ValidationError: the address of the sandbox is missing or not on this machine.
        """
        self.ensure_one()
        try:
            return get_environment(self.environment, self.local_url)
        except KsefConfigError as error:
            raise ValidationError(self.env._(
                "The field “Sandbox address” must hold an address on this machine, for example http://127.0.0.1:8200/v2 "
                "(%(reason)s).", reason=str(error),
            )) from None

    @api.model
    def _company_nip(self, company):
        """The 10 digits of the company's NIP; of a branch, its taxpayer's.

        :raise UserError: none is set, or its checksum is wrong.
        """
        company = company._ksef_taxpayer()
        vat = (company.vat or '').strip().upper().removeprefix('PL')
        if not nip_module.is_valid(vat):
            raise UserError(self.env._(
                "The NIP of %(company)s (“%(vat)s”) is missing or wrong. Correct the field “Tax ID” of the company.",
                company=company.display_name, vat=company.vat or '',
            ))
        return nip_module.compact(vat)

    def _is_sending(self):
        """Whether this database may talk to KSeF through this connection now."""
        self.ensure_one()
        return self.active and self.state == 'connected' and not self.is_copied_database

    # ------------------------------------------------------------------ verbs

    @api.model
    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_manage'):
            raise AccessError(self.env._(
                "Only users with the right “KSeF: manage” may change the connection to KSeF. Ask your administrator."))

    def action_disconnect(self):
        """Stop using the connection: its secrets are deleted, its documents stay."""
        self._check_manager()
        self.check_access('read')
        connections = self.sudo()
        waiting = self.env['ksef.document'].sudo().search([
            ('connection_id', 'in', self.ids), ('state', 'in', LIVE_STATES), ('state', '!=', 'accepted')])
        waiting._lock()
        waiting = waiting.filtered(lambda document: document.state in LIVE_STATES and document.state != 'accepted')
        if waiting:
            raise UserError(self.env._(
                "%(count)s invoices are on their way to KSeF through this connection. Withdraw those that have not left yet, wait "
                "for the answer about the others, then disconnect.", count=len(waiting)))
        connections._forget_secrets()
        connections.write({'state': 'draft', 'permissions': False, 'status_message': False, 'due_at': False})

    def _forget_secrets(self):
        """Delete the credentials and the keys of the sessions; a session without its key takes no more invoices."""
        self.with_context(active_test=False).credential_ids.unlink()
        self.task_ids.filtered('due_at').write({'state': 'failed', 'due_at': False})
        self.task_ids.write({'secret': False})
        self.login_ids.unlink()
        self.session_ids.write({'secret_key': False, 'secret_iv': False, 'secret_uploads': False})
        # A batch is ended by the worker, which also frees its documents.
        online = self.session_ids.filtered(lambda session: session.kind == 'online')
        online.filtered(lambda session: session.state in ('opening', 'open')).write({'state': 'lost', 'due_at': False})

    def action_forget_lost_secrets(self):
        """The key of the secrets is lost for good: delete what it alone could open, in all companies, to connect them anew."""
        self._check_manager()
        if not self.env.user.has_group('base.group_system'):
            raise AccessError(self.env._("Only the administrator of the database can give up its secrets."))
        if self.env['ksef.secret.box']._can_decrypt():
            raise UserError(self.env._("The key is on this server: nothing is lost."))
        connections = self.sudo().with_context(active_test=False).search([('id', '>', 0)])
        connections._forget_secrets()
        connections.filtered(lambda connection: connection.state != 'neutralised').write(
            {'state': 'draft', 'status_message': False, 'error_code': False, 'due_at': False})

    def action_open_documents(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'ksef.document',
            'domain': [('connection_id', '=', self.id)],
            'view_mode': 'list,form',
            'name': self.env._("KSeF documents"),
        }

    # ------------------------------------------------------------------ what the worker says

    def _set_connected(self, permissions, **values):
        """The credential works; ``permissions`` are KSeF's names of what it may do."""
        if self.state != 'verifying':  # disconnected, or connected anew meanwhile
            return
        lacking = self._describe_lacking(permissions)
        if lacking:
            self._set_attention(lacking, error_code='permissions')
            self.permissions = ", ".join(sorted(permissions))
            return
        self.write({
            'state': 'connected',
            'status_message': False,
            'error_code': False,
            'permissions': ", ".join(sorted(permissions)),
            'verified_at': fields.Datetime.now(),
            'failures': 0,
            'paused_until': False,
            'due_at': False,
        } | values)
        self.env['ksef.document']._release_blocked(self)

    @api.model
    def _describe_lacking(self, permissions):
        """What to do about the rights that the program needs and the credential lacks, or False."""
        missing = [name for name in REQUIRED_PERMISSIONS if name not in permissions]
        return bool(missing) and self.env._(
            "The credential works, but it lacks the right: %(rights)s. A certificate or signature gets its rights from the person in "
            "the taxpayer application (Aplikacja Podatnika): Uprawnienia → Nadawanie uprawnień. A token keeps the rights it was made "
            "with: generate one with the roles “wystawianie faktur” and “dostęp do faktur” and connect again.",
            rights=", ".join(self._permission_label(name) for name in missing))

    @api.model
    def _permission_label(self, name):
        labels = {
            'InvoiceWrite': self.env._("issuing invoices (wystawianie faktur)"),
            'InvoiceRead': self.env._("access to invoices (dostęp do faktur)"),
        }
        return labels.get(name, name)

    def _set_attention(self, message, error_code=False):
        """The connection cannot be used until a person acts; ``message`` says who and how."""
        if self.state not in ('signing', 'verifying', 'connected', 'attention'):
            return
        self.write({
            'state': 'attention',
            'status_message': message,
            'error_code': error_code,
            'due_at': False,
        })
