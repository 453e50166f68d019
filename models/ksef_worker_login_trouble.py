"""When a login fails: what is tried again and when, what is refused for good, and who reads about it."""

import logging
from datetime import timedelta

from odoo import api, fields, models

from ..ksef import api as operations
from ..ksef.certificates import CertificateProblem
from ..ksef.coach import Where
from ..ksef.errors import (
    ApiCode,
    AuthStatus,
    KsefConnectError,
    KsefForbiddenError,
    KsefLoginError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
)

_logger = logging.getLogger(__name__)

# Login statuses that no waiting mends: a person has to act.
FINAL_LOGIN_STATUSES = {
    AuthStatus.NO_PERMISSIONS, AuthStatus.BAD_TOKEN, AuthStatus.BAD_CERTIFICATE, AuthStatus.PERSON_DECEASED,
    AuthStatus.BLOCKED,
}
LOGIN_PLACES = {'certificate': Where.LOGIN_CERTIFICATE, 'token': Where.LOGIN_TOKEN, 'signed': Where.LOGIN_SIGNED}
# Refusals that a new login mends: the challenge ran out, the keys were changed, the tokens were asked for already.
PASSING_REFUSALS = {
    ApiCode.BAD_CHALLENGE, ApiCode.PUBLIC_KEY_UNKNOWN, ApiCode.NOT_AUTHORISED, ApiCode.NO_LOGIN,
}
# Calls that everybody may make: where they are forbidden (a firewall, an overloaded service), that says nothing about the credential.
FREE_OPERATIONS = {operations.PUBLIC_KEYS.name, operations.CHALLENGE.name}


class KsefWorker(models.AbstractModel):
    """What follows from a login that failed."""
    _inherit = 'ksef.worker'

    @api.model
    def _login_failed(self, run, error):
        """A login that failed: wait and try again, or ask a person."""
        _logger.info("KSeF connection %s: login failed: %s", run.connection_id, error)
        if isinstance(error, KsefUnauthorizedError):
            self._write_credential(run, lambda credential: credential._forget_login())
        if self._is_final(run, error):
            self._credential_refused(run, self._describe(run, error), str(error.code or error.http_status or ''))
        elif not self._postpone_newcomer(run, error):
            self._pause_connection(run, error)

    @api.model
    def _is_final(self, run, error):
        """Whether no waiting mends it: this credential has to be replaced, or somebody has to act in KSeF."""
        if isinstance(error, KsefForbiddenError):
            return not self._is_free_operation(error)
        return (
            isinstance(error, CertificateProblem) or self._is_spent(run, error)
            or (isinstance(error, KsefLoginError) and error.status in FINAL_LOGIN_STATUSES)
            or (isinstance(error, KsefRefusedError) and error.code not in PASSING_REFUSALS)
        )

    @api.model
    def _is_free_operation(self, error):
        return error.operation in FREE_OPERATIONS

    @api.model
    def _postpone_newcomer(self, run, error):
        """Leave a new credential alone for a while where another one works: the company goes on with that one meanwhile.

        :return: whether that was done
        """
        def postpone(env):
            credential = env['ksef.credential'].browse(run.credential_id or 0).exists()
            proven = credential.is_unverified and credential._get_substitutes().filtered(lambda other: not other.is_unverified)
            if not proven or not self._is_current(env, run):
                return False
            failures = credential.login_failures + 1
            until = env['ksef.document']._backoff(failures)
            if error.retry_after:
                until = max(until, fields.Datetime.now() + timedelta(seconds=error.retry_after + 1))
            credential.write({'login_failures': failures, 'retry_at': until})
            connection = credential.connection_id
            connection.due_at = fields.Datetime.now()
            if failures == 1:
                connection.message_post(body=env._(
                    "The new credential “%(name)s” cannot log in now; the program goes on with the former one and tries again. %(error)s",
                    name=credential.name, error=str(error)))
            return True
        return run.commit(postpone)

    @api.model
    def _is_spent(self, run, error):
        """Whether a file that somebody signed has served, in vain: KSeF takes it only once, so no waiting mends that."""
        if isinstance(error, (KsefConnectError, KsefRateLimitError)) or not run.credential_id:
            return False
        with run.transaction() as env:
            credential = env['ksef.credential'].browse(run.credential_id).exists()
            return credential.kind == 'signed' and credential._is_spent()

    @api.model
    def _out_of_credentials(self, run, message):
        """The credential of this run serves no more: the next one logs in, or a person has to act."""
        def settle(env):
            connection = env['ksef.connection'].browse(run.connection_id)
            if env['ksef.credential']._next_login(connection).id not in (False, run.credential_id):
                connection.due_at = fields.Datetime.now()
            else:
                connection._set_attention(message, 'no-credential')
        run.commit(settle)

    @api.model
    def _credential_refused(self, run, message, code):
        """KSeF does not take this credential: go on with the next one, or ask a person when there is none."""
        def refuse(env):
            if not self._is_current(env, run):
                return
            if run.credential_id:
                env['ksef.credential'].browse(run.credential_id)._refuse(code, message)
            connection = env['ksef.connection'].browse(run.connection_id)
            if env['ksef.credential']._next_login(connection):
                # The next run logs in with it; who added the refused one reads it on the credential and in the chatter.
                connection.due_at = fields.Datetime.now()
                connection.message_post(body=message)
            else:
                connection._set_attention(message, code)
        run.commit(refuse)

    @api.model
    def _describe(self, run, error):
        """What happened, what to do, and KSeF's own words in full (S0-01)."""
        is_lost = isinstance(error, KsefUnconfirmedError) and self._is_spent(run, error)
        with run.transaction() as env:
            if is_lost:
                return env._(
                    "KSeF's answer to the signed file was lost, and KSeF takes a file only once. Click “Prepare a new file”, sign that one "
                    "and upload it. (%(error)s)", error=str(error))
            kind = env['ksef.credential'].browse(run.credential_id or 0).exists().kind
            return env['ksef.advice']._explain_in_text(
                LOGIN_PLACES.get(kind, Where.LOGIN_TOKEN), error, env['ksef.connection'].browse(run.connection_id))

    @api.model
    def _stop_connection(self, run, message, code=False):
        """The connection needs a person; what waits in its queue stays there."""
        run.commit(lambda env: self._is_current(env, run) and env['ksef.connection'].browse(
            run.connection_id)._set_attention(message, code))

    @api.model
    def _pause_connection(self, run, error):
        """KSeF or the network is in trouble: leave the connection alone for a while, longer each time."""
        def pause(env):
            connection = env['ksef.connection'].browse(run.connection_id)
            if not self._is_current(env, run) or connection.state not in ('signing', 'verifying', 'connected'):
                return
            failures = connection.failures + 1
            until = env['ksef.document']._backoff(failures)
            if isinstance(error, KsefRateLimitError) and error.retry_after:
                until = fields.Datetime.now() + timedelta(seconds=error.retry_after + 1)
            connection.write({
                'failures': failures,
                'paused_until': until,
                'status_message': env._(
                    "KSeF cannot be reached or does not answer now; the program tries again. %(error)s", error=str(error)),
                # Documents wait for paused_until by themselves; a verification and a request that is to be prepared have nothing
                # else that would bring them back.
                'due_at': until if connection._is_awaited() else False,
            })
        run.commit(pause)

    @api.model
    def _resume_connection(self, run):
        """KSeF answered a call: forget the failures in a row."""
        if run.answered:
            return
        run.answered = True

        def resume(env):
            connection = env['ksef.connection'].browse(run.connection_id)
            if connection.failures or connection.paused_until:
                connection.write({'failures': 0, 'paused_until': False, 'status_message': False})
        run.commit(resume)
