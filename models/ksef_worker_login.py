import logging
import time
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.coach import Where
from ..ksef.errors import (
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefLoginError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
)
from ..ksef.types import AuthOperation, Secret, Token
from .ksef_run import CredentialReplaced, NoCredential

_logger = logging.getLogger(__name__)

# How long a run waits for KSeF to decide about a login before it leaves the rest to a later run.
LOGIN_WAITS = (0.3, 0.5, 1, 2, 3, 5)
LATER_SECONDS = 10


class KsefWorker(models.AbstractModel):
    """Logging in, and keeping the login alive: access token → refresh token → new login, in this order."""
    _inherit = 'ksef.worker'

    @api.model
    def _ensure_login(self, run):
        """Have an access token in ``run.access_token``; return whether KSeF may be asked now.

        Everything that can go wrong ends in the state of the connection, where a person reads it.
        """
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            usable = connection.active and not connection.is_copied_database and connection.state in ('signing', 'connected', 'verifying')
            paused = connection.paused_until and connection.paused_until > fields.Datetime.now()
            wanted = connection.credential_ids.filtered('request_wanted').ids
            state = connection.state
        if not usable or paused:
            return False
        if not all(self._prepare_request(run, credential_id) for credential_id in wanted):
            return False
        try:
            if state == 'signing' or not self._login(run):
                return False
            if state == 'verifying' or self._is_unverified(run):
                self._verify(run)
            return self._is_connected(run)
        except NoCredential as error:
            self._out_of_credentials(run, str(error))
        except UserError as error:
            # The key of the secrets is not on this host.
            self._stop_connection(run, str(error), 'secret-key')
        except KsefError as error:
            self._login_failed(run, error)
        return False

    @api.model
    def _prepare_request(self, run, credential_id):
        """Ask KSeF for a challenge and make the request that a person is to sign; return whether KSeF may be asked more."""
        try:
            challenge = run.client.challenge()
        except KsefError as error:
            self._preparing_failed(run, credential_id, error)
            return False

        def store(env):
            credential = env['ksef.credential'].browse(credential_id)
            if credential.exists() and credential.request_wanted:
                credential._store_request(challenge)
                connection = credential.connection_id
                connection.write({'failures': 0, 'paused_until': False, 'status_message': False})
                if connection.state != 'verifying':
                    connection.due_at = False
        run.commit(store)
        return True

    @api.model
    def _preparing_failed(self, run, credential_id, error):
        """No challenge: wait and ask again, or tell the person why there is none."""
        if isinstance(error, (KsefConnectError, KsefUnconfirmedError, KsefRateLimitError)):
            self._pause_connection(run, error)
            return

        def give_up(env):
            credential = env['ksef.credential'].browse(credential_id).exists()
            connection = env['ksef.connection'].browse(run.connection_id)
            message = env['ksef.advice']._explain_in_text(Where.LOGIN_SIGNED, error, connection)
            credential.request_wanted = False
            if connection.state == 'signing':
                connection._set_attention(message, str(error.code or error.http_status or ''))
            else:
                connection.write({'due_at': False, 'status_message': message})
        run.commit(give_up)

    @api.model
    def _is_unverified(self, run):
        with run.transaction() as env:
            return self._get_default_credential(env, run).is_unverified

    @api.model
    def _is_connected(self, run):
        """Whether the connection may be used; what was due for itself has been done."""
        def settle(env):
            connection = env['ksef.connection'].browse(run.connection_id)
            if connection.state != 'connected':
                return False
            # A credential that comes before this one, new or better, is the next run's; one that was postponed comes back by itself.
            is_first = env['ksef.credential']._next_login(connection).id == run.credential_id
            postponed = connection.credential_ids.filtered(lambda one: one.is_unverified and one.is_default and not one.refusal)
            due_at = min(filter(None, postponed.mapped('retry_at')), default=False) if is_first else fields.Datetime.now()
            if connection.due_at != due_at:
                connection.due_at = due_at
            return is_first
        return run.commit(settle)

    @api.model
    def _login(self, run):
        """Get an access token by the shortest way; return False when KSeF hasn't decided yet."""
        with run.transaction() as env:
            credential = self._get_default_credential(env, run)
            run.access_token = credential._get_access_token()
            refresh_token = not run.access_token and credential._get_refresh_token()
        if run.access_token:
            return True
        if refresh_token and self._refresh(run, refresh_token):
            return True
        return self._new_login(run)

    @api.model
    def _get_default_credential(self, env, run):
        """The credential that this run logs in with; chosen once, so that what it began is written where it belongs."""
        if run.credential_id is not None:
            credential = env['ksef.credential'].browse(run.credential_id)
            if not self._is_current(env, run):
                raise CredentialReplaced
            return credential
        credential = env['ksef.credential']._next_login(env['ksef.connection'].browse(run.connection_id))
        if not credential:
            raise NoCredential(env._(
                "There is nothing left to log in with: no certificate that is valid, no token, no login that was signed. "
                "Connect the company again."))
        run.credential_id = credential.id
        return credential

    @api.model
    def _is_current(self, env, run):
        """Whether the credential that this run speaks for is still the one in use."""
        credential = env['ksef.credential'].browse(run.credential_id)
        return not run.credential_id or bool(
            credential.exists() and credential.active and (credential.is_default or credential._stands_in()))

    @api.model
    def _write_credential(self, run, function):
        """Run ``function(credential)`` in a transaction of its own."""
        run.commit(lambda env: function(self._get_default_credential(env, run)))

    @api.model
    def _refresh(self, run, refresh_token):
        """Renew the access token; return False when KSeF no longer takes the refresh token."""
        try:
            access = run.client.refresh(refresh_token)
        except (KsefRefusedError, KsefUnauthorizedError, KsefForbiddenError):
            self._write_credential(run, lambda credential: credential._forget_login())
            return False
        self._write_credential(run, lambda credential: credential._store_tokens(access))
        run.access_token = access.value.reveal()
        return True

    @api.model
    def _new_login(self, run):
        """Log in with the default credential, or go on with a login that an earlier run began."""
        operation = self._resume_login(run) or self._start_login(run)
        if not self._wait_for_login(run, operation):
            self._wait_with_connection(run, LATER_SECONDS)
            return False
        # KSeF hands the tokens out once: an answer that got lost means a new login, never a second question.
        self._write_credential(run, lambda credential: credential.write({'login_redeeming': True}))
        pair = run.client.redeem(operation)
        self._write_credential(run, lambda credential: credential._store_tokens(pair.access, pair.refresh))
        run.access_token = pair.access.value.reveal()
        return True

    @api.model
    def _wait_with_connection(self, run, seconds):
        """Leave the connection alone for a while. Its documents wait for that by themselves; a verification has nothing
        else that would bring it back."""
        def wait(env):
            connection = env['ksef.connection'].browse(run.connection_id)
            until = fields.Datetime.now() + timedelta(seconds=seconds)
            connection.write({'paused_until': until, 'due_at': until if connection._is_awaited() else False})
        run.commit(wait)

    @api.model
    def _wait_for_login(self, run, operation):
        """Ask what became of the login; return whether it is complete, False when KSeF hasn't decided yet."""
        for wait in (0, *LOGIN_WAITS):
            if run.time_left() <= wait:
                break
            time.sleep(wait)
            try:
                if run.client.login_status(operation).is_complete:
                    return True
            except (KsefLoginError, KsefUnauthorizedError, KsefGoneError, KsefRefusedError):
                # This login leads nowhere any more: the next one starts anew.
                self._write_credential(run, lambda credential: credential._forget_login())
                raise
        return False

    @api.model
    def _resume_login(self, run):
        """The login that an earlier run began and whose tokens were not yet asked for, or None."""
        with run.transaction() as env:
            credential = self._get_default_credential(env, run)
            if (
                not credential.login_reference or credential.login_redeeming
                or credential.login_valid_until <= fields.Datetime.now()
            ):
                return None
            return AuthOperation(credential.login_reference, Token(
                Secret(credential._reveal('login_secret')),
                credential.login_valid_until.replace(tzinfo=UTC),
            ))

    @api.model
    def _start_login(self, run):
        """Begin a login with the credential of this run."""
        with run.transaction() as env:
            login = self._get_default_credential(env, run)._get_login_call()
        try:
            operation = login(run.client)
        except (KsefConnectError, KsefRateLimitError):
            self._write_credential(run, lambda credential: credential._login_not_sent())
            raise
        self._write_credential(run, lambda credential: credential._store_login_started(operation))
        return operation

    @api.model
    def _verify(self, run):
        """Look what the credential may do, and say so on the connection."""
        with run.transaction() as env:
            reference = self._get_default_credential(env, run).token_reference
        if reference:
            permissions = set(run.client.token_status(run.access_token, reference).requested_permissions)
        else:
            permissions = set(run.client.personal_permissions(run.access_token).active_scopes)

        def settle(env):
            credential = self._get_default_credential(env, run)
            credential.write({'is_unverified': False, 'retry_at': False, 'login_failures': 0})
            connection = env['ksef.connection'].browse(run.connection_id)
            lacking = connection._describe_lacking(permissions)
            if lacking and credential._get_substitutes():
                # Another one may have the right: it is looked at next.
                credential._refuse('permissions', lacking)
                connection.due_at = fields.Datetime.now()
                connection.message_post(body=lacking)
                return
            connection._set_connected(permissions)
            if credential.kind == 'signed' and credential.wants_certificate and not lacking:
                credential.wants_certificate = False
                env['ksef.task']._ask(connection, 'enroll_authentication')
        run.commit(settle)
