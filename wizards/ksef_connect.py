import re

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..ksef.environment import get_environment
from ..ksef.errors import KsefConfigError
from ..models.ksef_connection import ENVIRONMENTS

# What a KSeF token looks like (OpenAPI GenerateTokenResponse.token): reference number | context | 64 hex digits.
TOKEN_LENGTH = 160
TOKEN_REFERENCE = re.compile(r'\d{8}-[A-Z]{2}-[0-9A-F]{10}-[0-9A-F]{10}-[0-9A-F]{2}', re.ASCII)
TOKEN_CONTEXT = re.compile(r'(?:nip|internalId|nipVatUe|peppolId)-(?P<value>\S+)', re.ASCII | re.IGNORECASE)
TOKEN_SECRET = re.compile(r'[0-9A-F]{64}', re.ASCII | re.IGNORECASE)


class KsefConnect(models.TransientModel):
    """Collects what a connection needs, checks what can be checked here, and hands it over.

    The token never stands in the table as plain text: the field ``token`` is not stored, writing it keeps the encrypted
    form until "Connect" has passed it on, and reading it gives nothing back.
    """
    _name = 'ksef.connect'
    _description = "Connect to KSeF"

    company_id = fields.Many2one(
        'res.company', required=True, default=lambda self: self.env.company,
        domain=lambda self: [('id', 'in', self.env.companies.ids)])
    method = fields.Selection(
        [
            ('certificate', "KSeF certificate"),
            ('token', "KSeF token"),
            ('signature', "Signature"),
        ],
        required=True, default='certificate', help="How the program logs in to KSeF.")
    gets_certificate = fields.Boolean(
        string="Get a certificate for the program", default=True,
        help="As soon as KSeF has let the program in, it makes a key and gets a KSeF certificate, which lasts for two years and is renewed "
             "by itself. Without it somebody has to sign again after a few days.")
    environment = fields.Selection(ENVIRONMENTS, required=True, default='production', help="Środowisko KSeF")
    local_url = fields.Char(
        string="Sandbox address", help="Address of a sandbox on this machine, e.g. http://127.0.0.1:8200/v2")
    nip = fields.Char(
        string="NIP", compute='_compute_nip',
        help="The seller's NIP, not the buyer's: taken from the field “Tax ID” of the company.")
    nip_problem = fields.Char(compute='_compute_nip')
    is_unit = fields.Boolean(
        string="Connect as a unit", compute='_compute_is_unit', store=True, readonly=False,
        help="Jednostka z identyfikatorem wewnętrznym: a unit of the taxpayer that KSeF knows by an identifier of its own.")
    internal_id = fields.Char(
        string="Internal identifier", help="Identyfikator wewnętrzny: the NIP, a dash and 5 digits, as the taxpayer application shows it")
    taxpayer_app_url = fields.Char(string="Taxpayer application", compute='_compute_taxpayer_app_url')
    token = fields.Char(
        string="KSeF token", store=False, compute='_compute_token', inverse='_inverse_token', help="Token KSeF")
    token_problem = fields.Char(compute='_compute_token_problem')
    token_secret = fields.Char(groups=fields.NO_ACCESS)

    # ------------------------------------------------------------------ what the person sees

    @api.depends('company_id')
    def _compute_is_unit(self):
        for wizard in self:
            wizard.is_unit = bool(wizard.internal_id)

    @api.depends('company_id', 'is_unit', 'internal_id')
    def _compute_nip(self):
        connections = self.env['ksef.connection']
        for wizard in self:
            wizard.nip = wizard.nip_problem = False
            if not wizard.company_id:
                continue
            try:
                wizard.nip = connections._company_nip(wizard.company_id)
            except UserError as error:
                wizard.nip_problem = str(error)
                continue
            if wizard.is_unit:
                wizard.nip_problem = bool(wizard.internal_id) and connections._internal_id_problem(wizard._get_internal_id(), wizard.nip)
            elif not wizard.company_id._ksef_is_taxpayer():
                wizard.nip_problem = connections._branch_text(wizard.company_id)

    def _get_internal_id(self):
        """The unit to log in to, or False; blanks around it are no mistake."""
        return self.is_unit and (self.internal_id or '').strip()

    def _check_unit(self):
        """:raise UserError: a unit is wanted, but its identifier is missing or wrong"""
        if self.is_unit:
            problem = self.env['ksef.connection']._internal_id_problem(
                self._get_internal_id(), self.env['ksef.connection']._company_nip(self.company_id))
            if problem:
                raise UserError(problem)

    @api.depends('environment', 'local_url')
    def _compute_taxpayer_app_url(self):
        for wizard in self:
            try:
                wizard.taxpayer_app_url = get_environment(wizard.environment, wizard.local_url).taxpayer_app_url
            except KsefConfigError:
                wizard.taxpayer_app_url = False

    def _compute_token(self):
        self.token = False

    def _inverse_token(self):
        box = self.env['ksef.secret.box']
        for wizard in self:
            if wizard.token:
                wizard.sudo().token_secret = box._encrypt(wizard.token.strip())

    @api.depends('token', 'nip', 'is_unit', 'internal_id')
    def _compute_token_problem(self):
        for wizard in self:
            wizard.token_problem = bool(wizard.token) and self._token_problem(
                wizard.token.strip(), wizard.nip, wizard._get_internal_id())

    @api.model
    def _token_problem(self, token, nip, internal_id=False):
        """What is wrong with the shape of a token, as a sentence, or False. The sentence never repeats the token."""
        reference, _bar, rest = token.partition('|')
        context, _bar, secret = rest.partition('|')
        if TOKEN_REFERENCE.fullmatch(token):
            return self.env._(
                "This is the reference number of a token, not the token itself. KSeF shows the token only once, right "
                "after it was generated; if it was not copied then, generate another one.")
        if (
            len(token) > TOKEN_LENGTH or not TOKEN_REFERENCE.fullmatch(reference)
            or not TOKEN_CONTEXT.fullmatch(context) or not TOKEN_SECRET.fullmatch(secret)
        ):
            return self.env._(
                "This is not a whole KSeF token. A token has three parts with “|” between them: its reference number, "
                "“nip-” with the NIP, and 64 letters and digits. Copy it again with the button in the taxpayer "
                "application.")
        if internal_id and context.casefold() != f'internalid-{internal_id}':
            return self.env._(
                "This token was generated for “%(context)s”, not for the unit %(internal_id)s. Log in to the taxpayer application in the "
                "context of the unit and generate the token there.", context=context, internal_id=internal_id)
        if nip and not internal_id and context.casefold() != f'nip-{nip}':
            return self.env._(
                "This token was generated for “%(context)s”, but the NIP of the company is %(nip)s. Log in to the "
                "taxpayer application in the context of the NIP %(nip)s and generate the token there.",
                context=context, nip=nip)
        return False

    # ------------------------------------------------------------------ "Connect"

    def action_connect(self):
        """Hand over what was entered, have it verified in the background, and show the connection."""
        self.ensure_one()
        connections = self.env['ksef.connection']
        connections._check_manager()
        self.check_access('write')
        self._check_unit()
        connection = getattr(self, f'_connect_by_{self.method}')()
        self.sudo().write(self._no_secret_values())
        return connection._get_form_action()

    @api.model
    def _no_secret_values(self):
        """What empties every secret that the wizard holds."""
        return {'token_secret': False}

    def _connect_by_token(self):
        return self.env['ksef.connection']._connect_with_token(
            self.company_id, self.environment, self._take_token(), self._get_local_url(), self._get_internal_id())

    def _connect_by_signature(self):
        return self.env['ksef.connection']._connect_with_signature(
            self.company_id, self.environment, self._get_local_url(), wants_certificate=self.gets_certificate,
            internal_id=self._get_internal_id())

    def _take_token(self):
        """The token that the person has entered.

        :raise UserError: there is none, or it cannot be one.
        """
        token = self.env['ksef.secret.box']._decrypt(self.sudo().token_secret)
        if not token:
            raise UserError(self.env._("Paste the KSeF token into the field “KSeF token”."))
        problem = self._token_problem(token, self.env['ksef.connection']._company_nip(self.company_id), self._get_internal_id())
        if problem:
            raise UserError(problem)
        return token

    def _get_local_url(self):
        """The address of the sandbox, or False where the environment has addresses of its own."""
        if self.environment != 'local':
            return False
        try:
            get_environment('local', self.local_url)
        except KsefConfigError:
            raise ValidationError(self.env._(
                "Enter the address of the sandbox on this machine, for example http://127.0.0.1:8200/v2. Addresses of "
                "other machines are refused, because the token would be sent to them.")) from None
        return self.local_url
