from datetime import UTC, timedelta

from odoo import api, fields, models

from ..ksef import xades
from ..ksef.certificates import CertificateKind, KeyPair

# From this many days before its end a certificate is shown as ending.
ENDING_DAYS = 30


class KsefCredential(models.Model):
    """Certificates (certyfikaty KSeF) with their private keys: for logging in, and for the codes of offline invoices."""
    _inherit = 'ksef.credential'

    # No secret, but it may hold a PESEL, which the screens mask.
    certificate = fields.Text(groups=fields.NO_ACCESS, copy=False)
    certificate_serial = fields.Char(
        string="Serial number", readonly=True, copy=False, index='btree_not_null', help="Numer seryjny certyfikatu")
    certificate_owner = fields.Char(string="Issued to", readonly=True, copy=False)
    certificate_identifier = fields.Char(
        string="Identifier of the owner", readonly=True, copy=False, help="NIP or PESEL in the certificate")
    certificate_issuer = fields.Char(string="Issued by", readonly=True, copy=False)
    certificate_key = fields.Char(string="Kind of key", readonly=True, copy=False)
    valid_from = fields.Datetime(readonly=True, copy=False)
    valid_until = fields.Datetime(readonly=True, copy=False)
    origin = fields.Selection(
        [('uploaded', "Uploaded"), ('enrolled', "Got by the program")], readonly=True, copy=False)
    state = fields.Selection(
        [
            ('usable', "Usable"),
            ('ending', "Ends soon"),
            ('future', "Not valid yet"),
            ('ended', "Ended"),
            ('refused', "Refused by KSeF"),
        ],
        compute='_compute_state')

    @api.depends('refusal', 'valid_from', 'valid_until')
    def _compute_state(self):
        now = fields.Datetime.now()
        for credential in self:
            if credential.refusal:
                credential.state = 'refused'
            elif (credential.valid_until and credential.valid_until <= now) or credential._is_spent():
                credential.state = 'ended'
            elif credential.valid_from and credential.valid_from > now:
                credential.state = 'future'
            elif credential.valid_until and credential.valid_until <= now + timedelta(days=ENDING_DAYS):
                credential.state = 'ending'
            else:
                credential.state = 'usable'

    def _is_spent(self):
        """Whether it served once and does no more. Other kinds add theirs."""
        return False

    @api.model
    def _add_certificate(self, connection, pair, origin='uploaded'):
        """Store a ``ksef.certificates.KeyPair`` as the default of its kind and return the record."""
        return self._add_default(connection, self._certificate_kind(pair.info), self._certificate_values(pair) | {'origin': origin})

    @api.model
    def _certificate_kind(self, info):
        return 'offline' if info.kind is CertificateKind.OFFLINE else 'certificate'

    @api.model
    def _certificate_values(self, pair):
        """What is kept of a pair; the key only encrypted."""
        info = pair.info
        return {
            'name': info.name or info.serial,
            'certificate': pair.certificate_pem,
            'certificate_serial': info.serial,
            'certificate_owner': info.name,
            'certificate_identifier': info.identifier_masked,
            'certificate_issuer': info.issuer,
            'certificate_key': f'{info.key_kind} {info.key_bits}',
            'valid_from': info.valid_from.astimezone(UTC).replace(tzinfo=None),
            'valid_until': info.valid_to.astimezone(UTC).replace(tzinfo=None),
            'secret': self.env['ksef.secret.box']._encrypt(pair.key_pem.reveal()),
        }

    def _get_pair(self):
        """The certificate with its private key (``ksef.certificates.KeyPair``)."""
        self.ensure_one()
        return KeyPair.from_pem(self._reveal('secret'), self.sudo().certificate)

    def _can_log_in(self):
        if self.kind == 'certificate':
            return bool(self.sudo().secret) and self.state in ('usable', 'ending')
        return super()._can_log_in()

    def _get_login_call(self):
        if self.kind != 'certificate':
            return super()._get_login_call()
        context, pair = self.connection_id._get_context(), self._get_pair()

        def login(client):
            challenge = client.challenge()
            request = xades.auth_token_request(challenge, context)
            # By KSeF's own clock: a signature from its future would be refused.
            return client.start_signed_login(xades.sign(request, pair, challenge.moment))
        return login
