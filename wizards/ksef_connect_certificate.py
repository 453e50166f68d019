import base64
import binascii
import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ksef.certificates import MAX_BYTES, CertificateFault, CertificateKind, CertificateProblem, read_credentials

FILES = ('certificate_file', 'key_file')
# Base64 of the largest file that is read; what is longer is not even decoded.
LARGEST = MAX_BYTES * 4 // 3 + 4


class KsefConnect(models.TransientModel):
    """The certificate way in: files and password are treated like the token, never in the open."""
    _inherit = 'ksef.connect'

    certificate_file = fields.Binary(
        string="Certificate", store=False, compute='_compute_files', inverse='_inverse_certificate_file',
        help="Certyfikat KSeF: .crt, .pem, .cer, or a file with the key in it: .p12, .pfx")
    certificate_filename = fields.Char()
    key_file = fields.Binary(
        string="Private key", store=False, compute='_compute_files', inverse='_inverse_key_file',
        help="Klucz prywatny: the file .key that was saved when the certificate was ordered")
    key_filename = fields.Char()
    password = fields.Char(
        string="Password of the key", store=False, compute='_compute_files', inverse='_inverse_password',
        help="The password that was chosen when the certificate was ordered.")
    files_secret = fields.Char(groups=fields.NO_ACCESS)
    has_certificate = fields.Boolean(compute='_compute_certificate')
    certificate_problem = fields.Char(compute='_compute_certificate')
    certificate_warning = fields.Char(compute='_compute_certificate')
    certificate_owner = fields.Char(string="Issued to", compute='_compute_certificate')
    certificate_identifier = fields.Char(string="Identifier", compute='_compute_certificate')
    certificate_use = fields.Char(string="Serves for", compute='_compute_certificate')
    certificate_validity = fields.Char(string="Valid", compute='_compute_certificate')
    other_company_ids = fields.Many2many(
        'res.company', string="Also for", domain="[('id', 'in', allowed_company_ids), ('id', '!=', company_id)]",
        help="The same certificate serves further companies in which its owner has rights. It may also be used in another program.")

    # ------------------------------------------------------------------ keeping what was entered

    def _compute_files(self):
        self.certificate_file = self.key_file = self.password = False

    def _inverse_certificate_file(self):
        self._keep('certificate_file')

    def _inverse_key_file(self):
        self._keep('key_file')

    def _inverse_password(self):
        self._keep('password')

    def _keep(self, name):
        """Keep one of the three encrypted; an empty one leaves what was there."""
        box = self.env['ksef.secret.box']
        for wizard in self:
            if wizard[name]:
                value = wizard[name]
                text = value.decode() if isinstance(value, bytes) else value
                if len(text) > LARGEST:
                    raise UserError(self.env._("The file is far too large for a certificate or a key."))
                wizard.sudo().files_secret = box._encrypt(json.dumps(wizard._kept() | {name: text}))

    def _kept(self):
        """{field: text} of what was entered earlier."""
        secret = self.sudo().files_secret
        return json.loads(self.env['ksef.secret.box']._decrypt(secret)) if secret else {}

    @api.model
    def _no_secret_values(self):
        return super()._no_secret_values() | {'files_secret': False}

    # ------------------------------------------------------------------ what the person sees before saving

    @api.depends('certificate_file', 'key_file', 'password', 'company_id', 'environment')
    def _compute_certificate(self):
        for wizard in self:
            wizard.certificate_problem = wizard.certificate_warning = wizard.certificate_use = False
            wizard.certificate_owner = wizard.certificate_identifier = wizard.certificate_validity = False
            info = wizard._look_at_certificate()
            wizard.has_certificate = bool(info)
            if not info:
                continue
            wizard.certificate_owner = info.name
            wizard.certificate_identifier = info.identifier_masked
            wizard.certificate_validity = f'{format_date(self.env, info.valid_from.date())} – {format_date(self.env, info.valid_to.date())}'
            wizard.certificate_use = wizard._describe_use(info)
            wizard.certificate_warning = wizard._warn_of_owner(info)

    def _look_at_certificate(self):
        """What the files say (``CertificateInfo``), or None; sets ``certificate_problem``. The key may still be missing."""
        entered = self._entered()
        if not entered.get('certificate_file') and not entered.get('key_file'):
            return None
        try:
            pair = self._read_pair(entered)
            pair.info.check_now()
        except CertificateProblem as problem:
            self.certificate_problem = self.env['ksef.advice']._explain_certificate(problem)
            return problem.info
        return pair.info

    def _describe_use(self, info):
        if info.kind is CertificateKind.OFFLINE:
            return self.env._("codes of invoices issued offline (it cannot log in)")
        return self.env._("logging in to KSeF")

    def _warn_of_owner(self, info):
        """A seal of another company is most likely a mistake; a person's certificate says nothing about companies."""
        if info.is_seal and info.nip and self.nip and info.nip != self.nip:
            return self.env._(
                "This certificate belongs to the NIP %(found)s, the company has the NIP %(nip)s. KSeF takes it only when that one "
                "was given rights in this company.", found=info.nip, nip=self.nip)
        return False

    def _entered(self):
        """{field: text} of files and password: what is on the screen, else what was kept."""
        shown = {name: self[name] for name in (*FILES, 'password') if self[name]}
        return self._kept() | {
            name: value.decode() if isinstance(value, bytes) else value for name, value in shown.items()}

    @api.model
    def _read_pair(self, entered):
        """The ``ksef.certificates.KeyPair`` in what was entered.

        :raise CertificateProblem: it cannot be used; its ``fault`` says why
        """
        files = []
        for name in FILES:
            if entered.get(name):
                if len(entered[name]) > LARGEST:
                    raise CertificateProblem(CertificateFault.TOO_LARGE, "The file is too large.")
                try:
                    files.append(base64.b64decode(entered[name]))
                except (ValueError, binascii.Error):
                    files.append(b'')
        return read_credentials(files, entered.get('password') or None)

    # ------------------------------------------------------------------ "Connect"

    def _connect_by_certificate(self):
        connections = self.env['ksef.connection']
        pair = self._take_pair()
        connection = connections._connect_with_certificate(
            self.company_id, self.environment, pair, self._get_local_url(), self._get_internal_id())
        for company in self.other_company_ids:
            connections._connect_with_certificate(company, self.environment, pair, self._get_local_url())
        return connection

    def _take_pair(self):
        """The certificate with its key that the person has entered.

        :raise UserError: there is none, or it cannot be used
        """
        entered = self._entered()
        if not entered.get('certificate_file'):
            raise UserError(self.env._("Choose the file of the certificate in the field “Certificate”."))
        try:
            pair = self._read_pair(entered)
            pair.info.check_now()
        except CertificateProblem as problem:
            raise UserError(self.env['ksef.advice']._explain_certificate(problem)) from None
        if pair.info.kind is CertificateKind.OFFLINE and not self._has_other_way():
            raise UserError(self.env._(
                "This certificate serves only for the codes of invoices issued offline; KSeF refuses it for logging in. Choose a "
                "certificate of the type “Uwierzytelnienie w systemie KSeF” first."))
        return pair

    def _has_other_way(self):
        """Whether the company can log in to this environment already."""
        connection = self.env['ksef.connection'].sudo().search([
            ('company_id', '=', self.company_id.id), ('environment', '=', self.environment)], limit=1)
        return bool(self.env['ksef.credential']._next_login(connection))
