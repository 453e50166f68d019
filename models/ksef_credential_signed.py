import base64
from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef import signed_request, xades
from .ksef_run import NoCredential

# KSeF takes a challenge (wyzwanie) for so long (POST /auth/challenge).
CHALLENGE_LIFE = timedelta(minutes=10)


class KsefCredential(models.Model):
    """A login that a person signs in another program: trusted profile, qualified signature or seal.

    The program prepares the request (AuthTokenRequest), the person signs it and brings it back, KSeF takes it once. What
    remains is a login that lives for days, no lasting credential.
    """
    _inherit = 'ksef.credential'

    wants_certificate = fields.Boolean(
        readonly=True, copy=False, help="As soon as KSeF has let the program in, it gets a certificate of its own.")
    request_wanted = fields.Boolean(readonly=True, copy=False, help="A worker is to prepare the request.")
    request_xml = fields.Binary(attachment=False, readonly=True, copy=False, help="The request to be signed (AuthTokenRequest).")
    request_challenge = fields.Char(readonly=True, copy=False)
    request_valid_until = fields.Datetime(readonly=True, copy=False, help="KSeF takes the signed request until then.")
    signed_secret = fields.Char(groups=fields.NO_ACCESS, copy=False)
    signed_sent = fields.Boolean(groups=fields.NO_ACCESS, copy=False)

    @api.model
    def _add_signed(self, connection):
        """A login that waits for its request to be prepared and signed."""
        credential = self.sudo().search([
            ('connection_id', '=', connection.id), ('kind', '=', 'signed'), ('is_default', '=', True)])
        credential = credential or self._add_default(connection, 'signed', {'name': self.env._("Signed login")})
        credential._ask_for_request()
        return credential

    def _ask_for_request(self):
        """Forget the former request, for a worker to prepare a new one; a login that lives goes on until it is replaced."""
        self.sudo().write(self._no_request_values() | {
            'request_wanted': True, 'signed_secret': False, 'signed_sent': False, 'refused_code': False, 'refusal': False})

    @api.model
    def _no_request_values(self):
        return dict.fromkeys(('request_wanted', 'request_xml', 'request_challenge', 'request_valid_until'), False)

    def _store_request(self, challenge):
        """Keep the request with KSeF's ``challenge`` (``ksef.types.Challenge``) for the person to sign."""
        # KSeF has given it out in this very moment; by the clock here, however far it is from KSeF's.
        valid_until = fields.Datetime.now() + CHALLENGE_LIFE
        request = xades.auth_token_request(challenge, self.connection_id._get_context())
        self.sudo().write({
            'request_wanted': False, 'request_xml': base64.b64encode(request), 'request_challenge': challenge.challenge,
            'request_valid_until': valid_until,
        })

    def _take_signed(self, content):
        """Check the signed file (bytes) and keep it for a worker to send.

        :raise UserError: KSeF would refuse it; the sentence says what to do
        """
        self.ensure_one()
        credential = self.sudo()
        if not credential.request_challenge:
            raise UserError(self.env._("There is no request to be signed yet. Click “Prepare a new file” and sign that one."))
        try:
            signed = signed_request.check(
                content, credential.request_challenge, credential.connection_id._get_context(), datetime.now(UTC),
                credential.request_valid_until.replace(tzinfo=UTC))
        except signed_request.RequestProblem as problem:
            raise UserError(self.env['ksef.advice']._explain_signed_request(problem)) from None
        credential.write({
            'signed_secret': self.env['ksef.secret.box']._encrypt(base64.b64encode(content).decode()),
            'signed_sent': False, 'is_unverified': True, 'refused_code': False, 'refusal': False,
            'certificate_owner': signed.signer.name, 'certificate_identifier': signed.signer.identifier_masked,
            'name': self.env._("Signed by %(name)s", name=signed.signer.name),
        } | self._no_request_values())
        credential._forget_login()

    def _is_spent(self):
        if self.kind != 'signed':
            return super()._is_spent()
        return not self.request_wanted and not self.request_challenge and not self._can_log_in()

    def _can_log_in(self):
        if self.kind != 'signed':
            return super()._can_log_in()
        credential = self.sudo()
        waiting = credential.signed_secret and not credential.signed_sent
        begun = credential.login_reference and not credential.login_redeeming and credential.login_valid_until > fields.Datetime.now()
        return bool(waiting or begun or credential._get_access_token() or credential._get_refresh_token())

    def _get_login_call(self):
        if self.kind != 'signed':
            return super()._get_login_call()
        credential = self.sudo()
        if not credential.signed_secret or credential.signed_sent:
            raise NoCredential(self.env._(
                "The login made with a signature has ended. Sign a new request, or let the program get certificates of its own, "
                "which last for years."))
        signed = base64.b64decode(credential._reveal('signed_secret'))
        # KSeF takes a request once: whether an unanswered one arrived can't be found out, so it is never sent twice.
        credential.signed_sent = True
        return lambda client: client.start_signed_login(signed)

    def _login_not_sent(self):
        """The call certainly did not reach KSeF: the signed file serves again."""
        self.filtered(lambda credential: credential.kind == 'signed').sudo().write({'signed_sent': False})

    def _store_login_started(self, operation):
        super()._store_login_started(operation)
        self.filtered(lambda credential: credential.kind == 'signed').sudo().signed_secret = False
