from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.certificates import CertificateKind
from .ksef_connection import REQUIRED_PERMISSIONS
from .ksef_task import OPEN_STATES


class KsefConnection(models.Model):
    """Connecting a company: by certificate, by token, or by a request that a person signs."""
    _inherit = 'ksef.connection'

    signed_credential_id = fields.Many2one(
        'ksef.credential', compute='_compute_signing', compute_sudo=True, groups='l10n_pl_ksef.group_ksef_manage')
    signing_step = fields.Selection(
        [
            ('preparing', "Being prepared"),
            ('ready', "Ready to be signed"),
            ('expired', "Time is over"),
        ],
        compute='_compute_signing', compute_sudo=True)
    signing_valid_until = fields.Datetime(compute='_compute_signing', compute_sudo=True)

    @api.depends('credential_ids.request_valid_until', 'credential_ids.request_wanted', 'credential_ids.is_default')
    def _compute_signing(self):
        now = fields.Datetime.now()
        for connection in self:
            credential = connection.credential_ids.filtered(
                lambda credential: credential.kind == 'signed' and credential.is_default)[:1]
            connection.signed_credential_id = credential
            connection.signing_valid_until = valid_until = credential.request_valid_until
            if credential.request_wanted:
                connection.signing_step = 'preparing'
            elif valid_until:
                connection.signing_step = 'ready' if valid_until > now else 'expired'
            else:
                connection.signing_step = False

    task_ids = fields.One2many('ksef.task', 'connection_id', groups='l10n_pl_ksef.group_ksef_manage')
    login_ids = fields.One2many('ksef.login', 'connection_id', groups='l10n_pl_ksef.group_ksef_manage')
    has_open_tasks = fields.Boolean(compute='_compute_has_open_tasks', compute_sudo=True)

    @api.depends('task_ids.state')
    def _compute_has_open_tasks(self):
        for connection in self:
            connection.has_open_tasks = any(task.state in OPEN_STATES for task in connection.task_ids)

    # ------------------------------------------------------------------ the three ways in

    @api.model
    def _connect(self, company, environment, local_url=False, internal_id=False):
        """The company's connection to the environment, created when there is none, and in use from now on.

        :param internal_id: the unit to log in to instead of the NIP
        :raise UserError: a branch without NIP works through its parent's connection, unless it is such a unit
        """
        self._check_manager()
        company.check_access('read')
        if not internal_id and not company._ksef_is_taxpayer():
            raise UserError(self._branch_text(company))
        nip = self._company_nip(company)
        connections = self.sudo().with_context(active_test=False)
        connection = connections.search(
            [('company_id', '=', company.id), ('environment', '=', environment), ('nip', '=', nip),
             ('internal_id', '=', internal_id or False)])
        values = {'active': True, 'local_url': local_url or False, 'database_uuid': self._get_database_uuid()}
        if connection:
            connection.write(values)
        else:
            connection = connections.create(
                values | {'company_id': company.id, 'environment': environment, 'nip': nip, 'internal_id': internal_id})
        company.sudo().ksef_connection_id = connection
        return connection.sudo(self.env.su)

    @api.model
    def _branch_text(self, company):
        return self.env._(
            "%(company)s has no NIP of its own, so its invoices go through the connection of %(parent)s. Connect that company. "
            "%(company)s gets a connection of its own only as a unit with an internal identifier (identyfikator wewnętrzny).",
            company=company.display_name, parent=company._ksef_taxpayer().name)

    @api.model
    def _connect_with_token(self, company, environment, token, local_url=False, internal_id=False):
        """Connect with a KSeF token and have a worker verify it; return the connection."""
        connection = self._connect(company, environment, local_url, internal_id)
        self.env['ksef.credential']._add_token(connection, token.strip())
        connection._start_verification()
        return connection

    @api.model
    def _connect_with_certificate(self, company, environment, pair, local_url=False, internal_id=False):
        """Connect with a certificate and its key (``ksef.certificates.KeyPair``) and have a worker verify it."""
        connection = self._connect(company, environment, local_url, internal_id)
        self.env['ksef.credential']._add_certificate(connection, pair)
        # A certificate for codes alone changes nothing about a login that works.
        if pair.info.kind is not CertificateKind.OFFLINE or not connection._is_sending():
            connection._start_verification()
        return connection

    @api.model
    def _connect_with_signature(self, company, environment, local_url=False, wants_certificate=False, internal_id=False):
        """Have a worker prepare the request that a person signs; return the connection, which waits for the signed file.

        :param wants_certificate: have the program get a certificate of its own after the login
        """
        connection = self._connect(company, environment, local_url, internal_id)
        self.env['ksef.credential']._add_signed(connection).wants_certificate = wants_certificate
        connection._set_signing()
        return connection

    def _set_signing(self):
        """Have the request prepared. What works meanwhile by another way goes on."""
        for connection in self.sudo():
            if connection.state in ('connected', 'verifying'):
                connection.due_at = fields.Datetime.now()
            else:
                connection.write(connection._restart_values() | {'state': 'signing'})
        self.env['ksef.worker']._trigger_workers()

    def _is_awaited(self):
        """Whether a person waits for a worker to look at the connection itself."""
        return self.state in ('signing', 'verifying') or any(self.credential_ids.mapped('request_wanted'))

    def _start_verification(self):
        """Have a worker log in and look at the permissions."""
        for connection in self.sudo():
            connection.write(connection._restart_values() | {'state': 'verifying'})
        self.sudo().credential_ids._restart()
        self.env['ksef.worker']._trigger_workers()

    def _restart_values(self):
        return self._pause_values(False, 'send_paused_until', 'read_paused_until') | {
            'status_message': False,
            'error_code': False,
            'failures': 0,
            'paused_until': False,
            'failed_until': False,
            'due_at': fields.Datetime.now(),
        }

    @api.model
    def _get_database_uuid(self):
        return self.env['ir.config_parameter'].sudo().get_param('database.uuid')

    # ------------------------------------------------------------------ buttons

    def action_verify(self):
        """Log in again and look at the permissions ("Check again")."""
        self._check_manager()
        self.check_access('read')
        for connection in self:
            if connection.is_copied_database or not connection.sudo().credential_ids:
                raise UserError(self.env._(
                    "%(connection)s cannot be checked: connect the company to KSeF first, or confirm that this copy of the "
                    "database is the one that sends.", connection=connection.name))
        self._start_verification()

    def action_confirm_database(self):
        """The administrator says that this copy of the database is the one that sends."""
        self._check_manager()
        self.check_access('read')
        self.sudo().database_uuid = self._get_database_uuid()
        self._start_verification()

    def action_get_certificate(self):
        """Have the program get a certificate of its own for logging in (S0-15)."""
        return self._ask_ksef('enroll_authentication')

    def action_get_offline_certificate(self):
        """Have the program get a certificate for the codes of invoices issued offline."""
        return self._ask_ksef('enroll_offline')

    def action_generate_token(self):
        """Have the program make a token that may issue and fetch invoices."""
        return self._ask_ksef('generate_token', parameters={'permissions': list(REQUIRED_PERMISSIONS)})

    def action_fetch_public_keys(self):
        """Look which public keys KSeF offers now (S1-03)."""
        return self._ask_ksef('fetch_public_keys')

    def action_list_logins(self):
        """Ask KSeF which logins are open for the company."""
        return self._ask_ksef('list_logins')

    def action_use(self):
        """Send the company's invoices through this connection from now on."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        self._check_original()
        self.company_id.sudo().ksef_connection_id = self

    def _check_original(self):
        """:raise UserError: this database was copied or neutralised, and nobody has said that it is the one that sends."""
        if self.state == 'neutralised' or self.is_copied_database:
            raise UserError(self.env._("This database is a copy: connect the company to KSeF first."))

    def _ask_ksef(self, kind, **values):
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        if not self._is_sending():
            raise UserError(self.env._(
                "The company is not connected to KSeF now. Connect it first; certificates and tokens can also be revoked in the "
                "taxpayer application."))
        self.env['ksef.task']._ask(self, kind, **values)
        return self._get_form_action()

    def action_new_request(self):
        """Have another request prepared: the former was not signed in time, or was signed wrongly (S0-10, S0-11)."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        self._check_original()
        self.env['ksef.credential']._add_signed(self)
        self._set_signing()

    def action_cancel_signing(self):
        """Give up the request that was not signed."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        connection = self.sudo()
        connection.signed_credential_id.write(self.env['ksef.credential']._no_request_values())
        if connection.state == 'signing' and self.env['ksef.credential']._next_login(connection):
            connection._start_verification()
        elif connection.state == 'signing':
            connection.write({'state': 'draft', 'due_at': False})

    def action_download_request(self):
        """Download the request that is to be signed."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        if self.signing_step != 'ready':
            raise UserError(self.env._("There is no request to be signed now. Click “Prepare a new file”."))
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/ksef.credential/{self.signed_credential_id.id}/request_xml'
                   f'?download=true&filename=KSeF_{self.nip}_AuthTokenRequest.xml',
            'target': 'download',
        }

    def action_upload_signed(self):
        """Bring back the signed request."""
        self.ensure_one()
        self._check_manager()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_upload_signed')
        action['context'] = {'default_connection_id': self.id}
        return action
