import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ksef.certificates import CertificateKind, CertificateProblem, KeyPair, new_csr
from ..ksef.coach import Where
from ..ksef.crypto import select_public_key
from ..ksef.errors import (
    EnrollmentStatus,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefRateLimitError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
)
from ..ksef.types import KeyUsage
from .ksef_permission_task import mask_personal

_logger = logging.getLogger(__name__)

POLL_SECONDS = 2
MOST_ATTEMPTS = 3
TOKEN_PERMISSIONS = ('InvoiceRead', 'InvoiceWrite')
WHERE = {
    'enroll_authentication': Where.CERTIFICATE, 'enroll_offline': Where.CERTIFICATE, 'revoke_certificate': Where.CERTIFICATE,
    'generate_token': Where.TOKEN, 'revoke_token': Where.TOKEN,
    'list_permissions': Where.PERMISSION, 'grant_permission': Where.PERMISSION, 'revoke_permission': Where.PERMISSION,
}
# Nothing of these is lost when KSeF no longer lets the program ask how they ended: its list of rights tells that.
PERMISSION_KINDS = ('grant_permission', 'revoke_permission')
PASSING = (KsefConnectError, KsefUnconfirmedError, KsefRateLimitError, KsefUnauthorizedError)


class TaskRun:
    """One task while a worker does it: what was read of it, and the way to write it."""

    def __init__(self, run, task):
        self.run = run
        self.id = task.id
        self.name = task.name
        self.kind = task.kind
        self.state = task.state
        self.reference = task.reference_number
        self.attempts = task.attempts
        self.parameters = task.parameters or {}
        self.is_in_grace = task.state == 'calling' and task._is_in_grace()

    def apply(self, function):
        """Run ``function(task)`` in a transaction of its own and return its result."""
        return self.run.commit(lambda env: function(env['ksef.task'].browse(self.id)))


class KsefWorker(models.AbstractModel):
    """Certificates, tokens and logins that a person asked for."""
    _inherit = 'ksef.worker'

    @api.model
    def _do_tasks(self, run):
        """Do what is due, each task as far as it goes now."""
        with run.transaction() as env:
            ids = env['ksef.task'].search(
                [('connection_id', '=', run.connection_id), ('due_at', '<=', fields.Datetime.now())], order='due_at, id').ids
        for task_id in ids:
            if run.time_left() <= 0:
                return
            with run.transaction() as env:
                work = TaskRun(run, env['ksef.task'].browse(task_id))
            try:
                getattr(self, f'_task_{work.kind}')(work)
            except KsefError as error:
                if not self._task_trouble(work, error):
                    return
            except UserError as error:
                # The key of the secrets is not on this host, or no longer the one that this task was begun with.
                message = str(error)
                work.apply(lambda task, message=message: task._set_failed(message))

    @api.model
    def _task_trouble(self, work, error):
        """Wait and try again, or tell the person what KSeF said; return whether the other tasks may go on."""
        # What KSeF has taken is not given up: its certificate could be used by nobody else.
        is_over = isinstance(error, KsefGoneError) or (isinstance(error, KsefForbiddenError) and work.kind in PERMISSION_KINDS)
        is_taken = work.reference and not is_over and work.apply(lambda task: task._is_answer_kept())
        if isinstance(error, PASSING) or is_taken:
            if isinstance(error, KsefUnauthorizedError):
                self._write_credential(work.run, lambda credential: credential._forget_access())

            def postpone(task):
                failures = task.failures + 1
                seconds = error.retry_after or min(5 * 2 ** failures, 900)
                task._postpone(seconds, failures=failures)
            work.apply(postpone)
            return not isinstance(error, PASSING)
        _logger.info("KSeF task %s: %s", work.id, mask_personal(error))
        work.apply(lambda task: task._set_failed(task.env['ksef.advice']._explain_in_text(
            WHERE.get(work.kind, Where.OTHER), error, task.connection_id)))
        return True

    # ------------------------------------------------------------------ certificates

    @api.model
    def _task_enroll_authentication(self, work):
        self._enroll(work, CertificateKind.AUTHENTICATION)

    @api.model
    def _task_enroll_offline(self, work):
        self._enroll(work, CertificateKind.OFFLINE)

    @api.model
    def _enroll(self, work, kind):
        """Ask for a certificate, wait for it, take it into use; goes on where an earlier run had to stop."""
        if work.state == 'asked' and not self._prepare_enrollment(work):
            return
        if work.state == 'calling' and not self._call_enrollment(work, kind):
            return
        serial = work.parameters.get('serial') or self._wait_for_enrollment(work)
        if serial:
            self._take_certificate(work, serial)

    @api.model
    def _prepare_enrollment(self, work):
        """Look whether one more is allowed, make the key and keep it; return whether the call may be made."""
        client, access = work.run.client, work.run.access_token
        if work.apply(lambda task: task.env['ksef.credential'].browse(work.run.credential_id).kind == 'token'):
            work.apply(lambda task: task._set_failed(task.env._(
                "KSeF gives certificates only to who logs in with a certificate or a signature, not with a token. Connect in another "
                "way first: with a signature, the program then gets its certificate by itself.")))
            return False
        if not client.certificate_limits(access).can_request:
            work.apply(lambda task: task._set_failed(task.env._(
                "KSeF gives no more certificates now: the limit of active ones is reached. There are two ways out: upload a "
                "certificate that you already have (Connect… → KSeF certificate), or revoke one that is no longer needed in the "
                "taxpayer application (Certyfikaty → Lista certyfikatów) and ask again.")))
            return False
        request = new_csr(client.enrollment_data(access))

        def prepare(task):
            box = task.env['ksef.secret.box']
            task._set_calling(secret=box._encrypt(request.key_pem.reveal()), parameters={'csr': request.csr})
        work.apply(prepare)
        work.parameters, work.state, work.is_in_grace = {'csr': request.csr}, 'calling', None
        return True

    @api.model
    def _call_enrollment(self, work, kind):
        """Make the call, or find out what became of an unanswered one; return whether there is something to wait for."""
        client, access = work.run.client, work.run.access_token
        if work.is_in_grace is not None:
            found = next((item for item in client.certificates(access, name=work.name) if item.name == work.name), None)
            if found:
                work.parameters |= {'serial': found.serial}
                return True
            if work.is_in_grace:
                work.apply(lambda task: task._postpone(POLL_SECONDS * 5))
                return False
            if work.attempts >= MOST_ATTEMPTS:
                work.apply(lambda task: task._set_failed(task.env._(
                    "KSeF did not answer %(count)s times, and it has no certificate of this name. Try again later.", count=work.attempts)))
                return False
            work.apply(lambda task: task._set_calling())
        enrollment = client.enroll_certificate(access, work.name, kind, work.parameters['csr'])
        work.reference = enrollment.reference_number
        work.apply(lambda task: task._set_waiting(reference_number=enrollment.reference_number))
        return True

    @api.model
    def _wait_for_enrollment(self, work):
        """The serial number when the certificate is issued, else False."""
        report = work.run.client.enrollment_status(work.run.access_token, work.reference)
        if report.status.code == EnrollmentStatus.ISSUED and report.serial:
            return report.serial
        if report.status.code >= EnrollmentStatus.REJECTED:
            work.apply(lambda task: task._set_failed(task.env['ksef.advice']._explain_in_text(
                Where.CERTIFICATE, report.status, task.connection_id)))
        else:
            work.apply(lambda task: task._postpone(POLL_SECONDS))
        return False

    @api.model
    def _take_certificate(self, work, serial):
        """Fetch the certificate, join it with its key, and use it from now on."""
        issued = next(iter(work.run.client.retrieve_certificates(work.run.access_token, [serial])), None)
        if not issued:
            work.apply(lambda task: task._postpone(POLL_SECONDS))
            return

        def take(task):
            key = task.env['ksef.secret.box']._decrypt(task.secret)
            try:
                pair = KeyPair.from_der(key, issued.certificate_der)
            except CertificateProblem as problem:
                task._set_failed(task.env['ksef.advice']._explain_certificate(problem))
                return
            credential = task.env['ksef.credential']._add_certificate(task.connection_id, pair, origin='enrolled')
            task._set_done(task.env._("The certificate %(serial)s is in use.", serial=serial), credential_id=credential.id)
            task.connection_id.due_at = fields.Datetime.now()
        work.apply(take)

    @api.model
    def _task_revoke_certificate(self, work):
        client, access = work.run.client, work.run.access_token
        serial = work.parameters['serial']
        known = next((item for item in client.certificates(access) if item.serial == serial), None)
        if not known:
            work.apply(lambda task: task._set_failed(task.env._(
                "KSeF does not list this certificate for who is logged in, so it was not revoked. Revoke it in the taxpayer "
                "application, or at whoever issued it.")))
            return
        if known.status not in ('Revoked', 'Expired'):
            client.revoke_certificate(access, serial)
        work.apply(lambda task: task._credential_revoked())

    # ------------------------------------------------------------------ tokens

    @api.model
    def _task_generate_token(self, work):
        """Make a token, wait until it serves, take it into use. KSeF shows it once: an unanswered one is revoked."""
        client, access = work.run.client, work.run.access_token
        if work.state == 'calling':
            for token in client.tokens(access, statuses=('Pending', 'Active'), description=work.name):
                client.revoke_token(access, token.reference_number)
            if work.is_in_grace:
                work.apply(lambda task: task._postpone(POLL_SECONDS * 5))
                return
            if work.attempts >= MOST_ATTEMPTS:
                work.apply(lambda task: task._set_failed(task.env._(
                    "KSeF did not answer %(count)s times. Try again later.", count=work.attempts)))
                return
        if work.state in ('asked', 'calling'):
            work.apply(lambda task: task._set_calling())
            made = client.generate_token(access, work.parameters.get('permissions') or TOKEN_PERMISSIONS, work.name)
            work.reference = made.reference_number
            work.apply(lambda task: task._set_waiting(
                reference_number=made.reference_number, secret=task.env['ksef.secret.box']._encrypt(made.token.reveal())))
        status = client.token_status(access, work.reference).status
        if status == 'Pending':
            work.apply(lambda task: task._postpone(POLL_SECONDS))
        elif status == 'Active':
            work.apply(self._take_token)
        else:
            work.apply(lambda task: task._set_failed(task.env._("KSeF could not make the token (%(status)s).", status=status)))

    @api.model
    def _take_token(self, task):
        token = task.env['ksef.secret.box']._decrypt(task.secret)
        credential = task.env['ksef.credential']._add_token(task.connection_id, token)
        task._set_done(task.env._("The token %(reference)s is in use.", reference=task.reference_number), credential_id=credential.id)
        task.connection_id.due_at = fields.Datetime.now()

    @api.model
    def _task_revoke_token(self, work):
        client, access = work.run.client, work.run.access_token
        reference = work.parameters['reference']
        if client.token_status(access, reference).status not in ('Revoked', 'Revoking'):
            client.revoke_token(access, reference)
        work.apply(lambda task: task._credential_revoked())

    # ------------------------------------------------------------------ public keys and logins

    @api.model
    def _task_fetch_public_keys(self, work):
        """Look which public keys KSeF offers now (S1-03). Only their end is kept: each login and each session fetches them anew."""
        keys = work.run.client.public_keys()
        for usage in KeyUsage:
            select_public_key(keys, usage)

        def tell(task):
            lines = [task.env._(
                "%(usage)s: valid until %(date)s", usage=", ".join(sorted(key.usages)),
                date=format_date(task.env, key.valid_to.date())) for key in keys]
            task.connection_id._keep_public_keys(keys)
            task._set_done("\n".join(lines))
        work.apply(tell)

    @api.model
    def _task_list_logins(self, work):
        logins = list(work.run.client.logins(work.run.access_token))

        def store(task):
            task.env['ksef.login']._store(task.connection_id, logins)
            task._set_done(task.env._("Open logins: %(count)s", count=len(logins)))
        work.apply(store)

    @api.model
    def _task_end_login(self, work):
        work.run.client.terminate_login(work.run.access_token, work.parameters['reference'])
        work.apply(lambda task: task._set_done(task.env._("Logged out. What that login began may go on for up to 15 minutes.")))
        self._task_list_logins(work)
