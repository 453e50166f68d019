import logging
import math
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models

from ..ksef import api as api_operations
from ..ksef.crypto import encrypt_invoice, new_session_secret
from ..ksef.errors import (
    ApiCode,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
)
from .ksef_call_budget import SHORT_WAIT
from .ksef_worker_choice import SINGLE_DOMAIN

_logger = logging.getLogger(__name__)

WARSAW = ZoneInfo('Europe/Warsaw')
# KSeF refuses a call with these codes because of the session, not because of the invoice.
SESSION_OVER = {ApiCode.SESSION_INVOICE_LIMIT, ApiCode.SESSION_NOT_FOUND, ApiCode.SESSION_STATUS_FORBIDS}
# It refuses what our own program computed: sending the same again cannot help.
OUR_FAULT = {ApiCode.BAD_FILE_SIZE, ApiCode.BAD_FILE_HASH, ApiCode.INPUT_INVALID, ApiCode.UNREADABLE_CONTENT}


class KsefWorker(models.AbstractModel):
    """Sending: claim → commit → HTTP → write the answer → commit, one document at a time."""
    _inherit = 'ksef.worker'

    @api.model
    def _send_queued(self, run):
        """Send what is queued and due; stops when the connection is in trouble or the slice is over."""
        if self._is_paused(run, 'send_paused_until') or not self._send_batches(run):
            return
        for document_id in self._due_ids(run, ['queued'], extra=SINGLE_DOMAIN):
            if run.time_left() <= 0 or not self._may_send(run, api_operations.SEND_INVOICE):
                return
            if not self._send_one(run, document_id):
                return

    @api.model
    def _may_send(self, run, operation):
        """Whether something may be sent now: not in the last minutes of the day, and not beyond KSeF's limits."""
        until = self._end_of_day(run)
        wait = 0 if until else run.budget.seconds_until(operation)
        if wait > SHORT_WAIT:
            until = fields.Datetime.now() + timedelta(seconds=math.ceil(wait))
        if until:
            self._pause_until(run, 'send_paused_until', until)
        return not until

    @api.model
    def _end_of_day(self, run):
        """The end of the day in Warsaw (UTC) when it is so near that what is sent now may get tomorrow's date, else None.

        An invoice of today that KSeF takes tomorrow is marked as issued offline; so nothing starts in these minutes, and
        what is left is held on the next day until a person decides (see :meth:`_check_date`).
        """
        now = datetime.now(WARSAW)
        end = datetime.combine(now.date() + timedelta(days=1), time(), WARSAW)
        near = end - now < timedelta(minutes=run.settings['day_end_guard_minutes'])
        return end.astimezone(UTC).replace(tzinfo=None) if near else None

    @api.model
    def _send_one(self, run, document_id):
        """Send one document; return whether the next one may follow."""
        try:
            session_id = self._get_session(run)
        except KsefError as error:
            return self._opening_failed(run, document_id, error)
        payload = self._claim(run, document_id, session_id)
        if payload is None:
            return True
        reference, invoice, options = payload
        try:
            number = run.client.send_invoice(run.access_token, reference, invoice, **options)
        except KsefError as error:
            return self._sending_failed(run, document_id, session_id, error)
        self._apply(
            run, document_id, 'sending', 'sent', reference_number=number, sent_at=fields.Datetime.now(), polls=0,
            due_at=self._poll_due(run, 0), status_code=0, status_description=False, status_details=False)
        self._resume_connection(run)
        return True

    @api.model
    def _send_options(self, document):
        """What is said about an invoice beside its bytes, as options of ``Client.send_invoice``; read with the claim."""
        return {}

    # ------------------------------------------------------------------ the claim

    @api.model
    def _claim(self, run, document_id, session_id):
        """Take the document for sending and commit that; return (session reference, encrypted invoice, options), or None.

        Everything that could still stop it is checked here again, on the locked row.
        """
        def claim(env):
            document = env['ksef.document'].browse(document_id)
            document._lock()
            if document.state != 'queued' or not self._check_invoice(document) or not self._check_date(document):
                return None
            session = env['ksef.session'].browse(session_id)
            document._transition(
                'sending', session_id=session_id, claimed_at=fields.Datetime.now(), attempts=document.attempts + 1,
                # Should this run die now, the next one finds the row here.
                due_at=fields.Datetime.now(), sync_pending=document.sync_pending)
            session.write({'last_used': fields.Datetime.now(), 'due_at': self._session_due(run)})
            return session.reference_number, encrypt_invoice(document._get_xml(), session._get_secret()), self._send_options(document)

        payload = run.commit(claim)
        if payload is None:
            self._sync(run, document_id)
        return payload

    @api.model
    def _check_invoice(self, document):
        """Whatever route it took: an invoice that is no longer confirmed is not sent."""
        if document.move_id.state == 'posted':
            return True
        document._transition('cancelled')
        return False

    @api.model
    def _check_date(self, document):
        """Hold a document whose issue date is no longer (or not yet) the day of sending, unless that was confirmed."""
        today = datetime.now(WARSAW).date()
        if document.issue_date > today:
            document.write({'due_at': fields.Datetime.now() + timedelta(minutes=30)})
            return False
        if document.issue_date < today and not document.late_confirmed:
            document._transition('invalid', findings=[document._late_finding()])
            return False
        return True

    # ------------------------------------------------------------------ what went wrong

    @api.model
    def _opening_failed(self, run, document_id, error):
        """No session, so nothing was sent: the document stays queued; the connection waits or asks a person."""
        _logger.info("KSeF connection %s: no session: %s", run.connection_id, error)
        if isinstance(error, (KsefForbiddenError, KsefGoneError)) and not self._is_free_operation(error):
            self._stop_connection(run, self._describe_forbidden(run, error), str(error.reason_code or error.http_status))
        elif isinstance(error, KsefUnauthorizedError):
            self._write_credential(run, lambda credential: credential._forget_access())
            self._pause_connection(run, error)
        elif isinstance(error, KsefRateLimitError):
            self._pause(run, 'send_paused_until', error)
        else:
            self._pause_connection(run, error)
        return False

    @api.model
    def _sending_failed(self, run, document_id, session_id, error):
        """Sort a failed sending by the one question that counts: may KSeF have taken the invoice?"""
        _logger.info("KSeF document %s: %s", document_id, error)
        status = self._status_values(error)
        match error:
            case KsefUnconfirmedError():
                soon = fields.Datetime.now() + timedelta(seconds=2)
                self._apply(run, document_id, 'sending', 'unconfirmed', due_at=soon, **status)
                self._pause_connection(run, error)
            case KsefRateLimitError():
                self._pause(run, 'send_paused_until', error)
                self._requeue(run, document_id, **status)
            case KsefUnauthorizedError():
                self._requeue(run, document_id, **status)
                self._pause_connection(run, error)
                self._write_credential(run, lambda credential: credential._forget_access())
            case KsefConnectError():
                self._pause_connection(run, error)
                self._requeue(run, document_id, **status)
            case KsefForbiddenError() | KsefGoneError():
                self._apply(run, document_id, 'sending', 'blocked', **status)
                self._stop_connection(run, self._describe_forbidden(run, error), str(error.reason_code or error.http_status))
            case KsefRefusedError() if error.code in SESSION_OVER:
                self._drop_session(run, session_id, error)
                self._requeue(run, document_id, **status)
                return True
            case KsefRefusedError() if error.code == ApiCode.SESSION_UNAVAILABLE:
                self._pause_connection(run, error)
                self._requeue(run, document_id, **status)
            case KsefRefusedError() if error.code in OUR_FAULT:
                self._refuse_call(run, document_id, error, status)
                return True
            case _:
                # KSeF refused the call, so it has no invoice of ours; but why, a person must look at.
                self._apply(run, document_id, 'sending', 'help', **status)
                return True
        return False

    @api.model
    def _requeue(self, run, document_id, **values):
        """Certainly not accepted: the same bytes go again, a little later each time."""
        self._settle(run, document_id, 'sending', lambda document: document._transition(
            'queued', due_at=document._backoff(document.attempts), **values))

    @api.model
    def _refuse_call(self, run, document_id, error, status):
        """KSeF refuses what the program computed: nothing a user did, so the finding says whom to call.

        What was issued offline stays closed, as the buyer has it: the same bytes go again when a person says so.
        """
        self._settle(run, document_id, 'sending', lambda document: document._transition(
            'help' if document._is_offline() else 'invalid', findings=[document._program_finding(error)], **status))

    @api.model
    def _status_values(self, error):
        """What KSeF said about the failed call, as values of the document."""
        return {
            'status_code': error.code or error.http_status or 0,
            'status_description': (error.description or str(error))[:500],
            'status_details': "\n".join(error.details or ()) or False,
        }

    @api.model
    def _pause(self, run, field_name, error):
        """Obey Retry-After for one kind of call; the other kinds go on."""
        until = fields.Datetime.now() + timedelta(seconds=(error.retry_after or 60) + 1)
        self._pause_until(run, field_name, until)

    @api.model
    def _pause_until(self, run, field_name, until):
        def pause(env):
            connection = env['ksef.connection'].browse(run.connection_id)
            connection.write(connection._pause_values(until, field_name))
        run.commit(pause)

    @api.model
    def _describe_forbidden(self, run, error):
        with run.transaction() as env:
            return env._(
                "KSeF does not allow this credential to send invoices for this NIP (%(code)s %(description)s). Whoever grants "
                "rights in KSeF must give it the right “wystawianie faktur” (taxpayer application → Uprawnienia); wait some "
                "minutes after that and click “Check again”.",
                code=error.http_status, description=error.description or error.reason_code or str(error))

    # ------------------------------------------------------------------ sessions

    @api.model
    def _get_session(self, run):
        """Id of an open interactive session, opened when there is none."""
        with run.transaction() as env:
            for session in env['ksef.session'].search([
                ('connection_id', '=', run.connection_id), ('kind', '=', 'online'), ('state', '=', 'open'),
            ], order='id desc', limit=5):
                if session._takes_invoices():
                    return session.id
        return self._open_session(run)

    @api.model
    def _open_session(self, run):
        """Open an interactive session; its key is committed before KSeF is asked.

        An opening that is never answered leaves an empty session at KSeF, which cancels it by itself; it is marked as
        lost and another one is opened, since nothing was sent into it.
        """
        secret = new_session_secret()

        def intend(env):
            env['ksef.session'].search(
                [('connection_id', '=', run.connection_id), ('state', '=', 'opening')]).write({'state': 'lost'})
            session = env['ksef.session'].create({'connection_id': run.connection_id, 'kind': 'online'})
            session._store_secret(secret)
            return session.id

        session_id = run.commit(intend)
        opened = run.client.open_online_session_with_fresh_key(run.access_token, secret)

        def opened_now(env):
            session = env['ksef.session'].browse(session_id)
            session.write({
                'state': 'open',
                'reference_number': opened.reference_number,
                'valid_until': self._utc(opened.valid_until),
                'last_used': fields.Datetime.now(),
            })
            session.due_at = self._session_due(run)

        run.commit(opened_now)
        self._resume_connection(run)
        return session_id

    @api.model
    def _session_due(self, run):
        """When an idle session is closed, so that KSeF makes its collective UPO."""
        return fields.Datetime.now() + timedelta(minutes=run.settings['session_idle_minutes'])

    @api.model
    def _drop_session(self, run, session_id, error):
        """The session takes no more invoices."""
        run.commit(lambda env: env['ksef.session'].browse(session_id).write({
            'state': 'failed', 'due_at': False, 'status_code': error.code or 0, 'status_description': error.description}))

    @api.model
    def _close_sessions(self, run):
        """Close sessions that have been idle for a while; a refusal means that KSeF has closed them already."""
        with run.transaction() as env:
            sessions = env['ksef.session'].search([
                ('connection_id', '=', run.connection_id), ('kind', '=', 'online'), ('state', 'in', ('open', 'closing')),
                ('due_at', '<=', fields.Datetime.now())])
            waiting = env['ksef.document'].search([
                ('session_id', 'in', sessions.ids), ('state', 'in', ('sending', 'unconfirmed'))]).session_id
            todo = [(session.id, session.reference_number) for session in sessions - waiting]
            waiting.due_at = fields.Datetime.now() + timedelta(minutes=5)
        for session_id, reference in todo:
            if run.time_left() <= 0:
                return
            self._close_session(run, session_id, reference)

    @api.model
    def _close_session(self, run, session_id, reference):
        def mark(values):
            run.commit(lambda env: env['ksef.session'].browse(session_id).write(values))
        mark({'state': 'closing'})
        try:
            run.client.close_online_session(run.access_token, reference)
        except KsefRefusedError as error:
            mark({'state': 'done', 'due_at': False, 'status_code': error.code or 0, 'status_description': error.description})
        except KsefError as error:
            _logger.info("KSeF session %s: closing failed, tried again later: %s", reference, error)
            mark({'due_at': fields.Datetime.now() + timedelta(minutes=15)})
        else:
            mark({'state': 'done', 'due_at': False})
