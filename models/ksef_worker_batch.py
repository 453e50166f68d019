import contextlib
import logging
import tempfile
from datetime import timedelta

from odoo import api, fields, models

from ..ksef.batch import PackageWriter
from ..ksef.crypto import new_session_secret
from ..ksef.errors import (
    ApiCode,
    KsefConfigError,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
    SessionStatus,
)
from .ksef_session import BATCH_AT_WORK

_logger = logging.getLogger(__name__)

# Bytes of this many documents are in memory at a time while a package is made.
READ_CHUNK = 200
FIRST_RETRY, LAST_RETRY = 5, 300  # seconds
# After KSeF has refused to open a batch, or has not answered clearly, invoices go one by one for so long.
REFUSED_PAUSE, LOST_PAUSE = timedelta(hours=1), timedelta(minutes=10)
# When a session can't be opened for these reasons, no other can.
GENERAL_TROUBLE = (KsefConnectError, KsefUnauthorizedError, KsefForbiddenError, KsefGoneError, KsefRateLimitError)
# The package on KSeF's side is not what was declared: it can't be closed any more, and nothing of it is processed.
INCOMPLETE = {ApiCode.PACKAGE_EMPTY, ApiCode.BAD_PART_SIZE, ApiCode.UPLOAD_TIME_EXCEEDED}


class KsefWorker(models.AbstractModel):
    """Batch sessions, step by step: claimed → opened → uploaded part by part → closed; each step is committed.

    KSeF processes nothing before a session is closed. So whatever happens before the closing is asked for, the documents
    may go into another session; from then on only what KSeF says of the session counts (see ksef_worker_batch_result.py).
    """
    _inherit = 'ksef.worker'

    @api.model
    def _serve_batches(self, run):
        """Go on with the batch sessions that are due."""
        run.commit(lambda env: self._adopt_orphans(env, run))
        with run.transaction() as env:
            sessions = env['ksef.session'].search([
                ('connection_id', '=', run.connection_id), ('kind', '=', 'batch'), ('due_at', '<=', fields.Datetime.now()),
                ('state', 'in', BATCH_AT_WORK),
            ], order='due_at, id')
            todo = [(session.id, session.state) for session in sessions]
        for session_id, state in todo:
            if run.time_left() <= 0:
                return
            self._guard_batch(run, session_id, getattr(self, f'_batch_{state}'))

    @api.model
    def _adopt_orphans(self, env, run):
        """What no step leaves behind, but a neutralised or restored database may: sessions that nobody looks at, and documents
        whose session is over. The latter are looked up by their hash, or go again when nothing can have been uploaded."""
        env['ksef.session'].search([
            ('connection_id', '=', run.connection_id), ('kind', '=', 'batch'), ('due_at', '=', False),
            ('state', 'in', BATCH_AT_WORK),
        ]).write({'due_at': fields.Datetime.now()})
        batched = [('connection_id', '=', run.connection_id), ('state', '=', 'sending'), ('session_id.kind', '=', 'batch')]
        # A time of their own would have the connection served again and again.
        env['ksef.document'].search([
            *batched, ('session_id.state', 'in', BATCH_AT_WORK), ('due_at', '!=', False)]).write({'due_at': False})
        orphans = env['ksef.document'].search([*batched, ('session_id.state', 'in', ('done', 'failed', 'lost'))])
        for is_known, group in orphans.grouped(lambda document: bool(document.session_id.reference_number)).items():
            group._transition('unconfirmed' if is_known else 'queued', due_at=fields.Datetime.now())

    @api.model
    def _guard_batch(self, run, session_id, step):
        """Do one step; whatever KSeF's trouble, the session is looked at again. Return whether the step was done."""
        try:
            step(run, session_id)
        except KsefError as error:
            self._batch_trouble(run, session_id, error)
            return False
        self._resume_connection(run)
        return True

    @api.model
    def _batch_trouble(self, run, session_id, error):
        """A call went wrong: nothing is concluded about the invoices. Pause what the error is about, and come back."""
        _logger.info("KSeF batch session %s: %s", session_id, error)
        if isinstance(error, KsefRateLimitError):
            self._pause(run, 'read_paused_until' if error.operation.startswith('GET') else 'send_paused_until', error)
        elif isinstance(error, KsefUnauthorizedError):
            self._write_credential(run, lambda credential: credential._forget_access())
            self._pause_connection(run, error)
        elif isinstance(error, KsefConnectError):
            self._pause_connection(run, error)
        elif isinstance(error, KsefForbiddenError | KsefGoneError):
            self._stop_connection(run, self._describe_forbidden(run, error), str(error.reason_code or error.http_status))

        def later(env):
            session = env['ksef.session'].browse(session_id)
            failures = session.failures + 1
            due_at = env['ksef.document']._backoff(failures, first=FIRST_RETRY, most=LAST_RETRY)
            if isinstance(error, KsefRateLimitError) and error.retry_after:
                due_at = max(due_at, fields.Datetime.now() + timedelta(seconds=error.retry_after + 1))
            session.write({'failures': failures, 'due_at': due_at})
        run.commit(later)

    # ------------------------------------------------------------------ claimed

    @api.model
    def _start_batch(self, run, document_ids, offline=False):
        """Claim the documents for a new batch session and send it; return whether the next may follow."""
        secret = new_session_secret()
        session_id, dropped = run.commit(lambda env: self._claim_batch(env, run, document_ids, secret, offline))
        for document_id in dropped:
            self._sync(run, document_id)
        if not session_id:
            return True
        packed = self._make_package(run, session_id)
        if not packed:
            return True
        package, sink = packed
        with sink:
            is_open, may_follow = self._open_batch(run, session_id, package, secret, offline)
            if not is_open:
                return may_follow
            return self._guard_batch(run, session_id, lambda run, session_id: self._upload_batch(run, session_id, sink))

    @api.model
    def _make_package(self, run, session_id):
        """Pack the session's documents.

        :return: (``ksef.batch.Package``, open temporary file), or None when that can't be done here: the documents are free
            again, and none go in batches for a while
        """
        sink = None
        try:
            # Closed by who uploads it.
            sink = tempfile.TemporaryFile()  # noqa: SIM115
            package = self._pack_batch(run, session_id, sink)
            sink.flush()
        except (KsefConfigError, OSError) as error:
            _logger.warning("KSeF batch session %s cannot be packed: %s", session_id, error)
            with contextlib.suppress(OSError):
                if sink:
                    sink.close()
            self._batch_off(run)
            self._abandon_batch(run, session_id, 'failed', str(error))
            return None
        return package, sink

    @api.model
    def _claim_batch(self, env, run, document_ids, secret, offline):
        """Take the documents for a session that is still to be opened.

        :return: (id of the session or None, ids of documents that do not go after all)
        """
        documents = env['ksef.document'].browse(document_ids)
        documents._lock()
        documents = documents.filtered(lambda document: document.state == 'queued')
        ready = documents.filtered(lambda document: self._check_invoice(document) and self._check_date(document))
        dropped = (documents - ready).ids
        if not ready:
            return None, dropped
        session = env['ksef.session'].create({
            'connection_id': run.connection_id, 'kind': 'batch', 'offline': offline, 'invoice_count': len(ready),
            # Should this run die now, the next one finds the session here.
            'due_at': fields.Datetime.now()})
        session._store_secret(secret)
        for (attempts, pending), group in ready.grouped(lambda document: (document.attempts, document.sync_pending)).items():
            # No time is set: the session is what a worker looks at.
            group._transition(
                'sending', session_id=session.id, claimed_at=fields.Datetime.now(), attempts=attempts + 1, sync_pending=pending)
        return session.id, dropped

    @api.model
    def _pack_batch(self, run, session_id, sink):
        """Write the encrypted package to ``sink`` and return its ``ksef.batch.Package``; the same bytes each time."""
        with run.transaction() as env:
            secret = env['ksef.session'].browse(session_id)._get_secret()
            env.cr.execute(
                "SELECT id FROM ksef_document WHERE session_id = %s AND state = 'sending' ORDER BY id", [session_id])
            ids = [row[0] for row in env.cr.fetchall()]
        writer = PackageWriter(sink, secret)
        for start in range(0, len(ids), READ_CHUNK):
            with run.transaction() as env:
                rows = env['ksef.document']._read_xml(ids[start:start + READ_CHUNK])
            for document_id, content in rows:
                writer.add(f'{document_id:012d}.xml', content)
        return writer.finish()

    # ------------------------------------------------------------------ opened

    @api.model
    def _open_batch(self, run, session_id, package, secret, offline):
        """Declare the package to KSeF.

        What is the connection's trouble stops all sending. Anything else concerns batches only: they are left alone for a
        while, and single invoices go on. An answer that is lost or makes no sense says nothing against the documents; a
        refusal counts, so that what can go in no other way ends with a person.

        :return: (whether the session is open, whether other sendings may follow)
        """
        run.commit(lambda env: env['ksef.session'].browse(session_id)._store_package(package))
        try:
            opened = run.client.open_batch_session_with_fresh_key(run.access_token, package, secret, offline=offline)
        except KsefError as error:
            is_general, is_lost = isinstance(error, GENERAL_TROUBLE), isinstance(error, KsefUnconfirmedError)
            if not is_general:
                self._batch_off(run, LOST_PAUSE if is_lost else REFUSED_PAUSE)
            self._abandon_batch(
                run, session_id, 'lost' if is_lost else 'failed', str(error), counts=not is_general and not is_lost)
            return False, not is_general or self._opening_failed(run, None, error)
        run.commit(lambda env: env['ksef.session'].browse(session_id)._store_opened(opened))
        return True, True

    @api.model
    def _batch_off(self, run, pause=REFUSED_PAUSE):
        """Our batches get nowhere: invoices go one by one for a while, and the limits are asked for anew."""
        run.commit(lambda env: env['ksef.connection'].browse(run.connection_id).write(
            {'batch_paused_until': fields.Datetime.now() + pause, 'limits_at': False}))

    @api.model
    def _batch_opening(self, run, session_id):
        """Found by a later run: whether KSeF opened it or not, nothing was uploaded, and it can never be closed."""
        self._abandon_batch(run, session_id, 'lost', counts=False)

    # ------------------------------------------------------------------ uploading

    @api.model
    def _batch_uploading(self, run, session_id):
        """Go on with an upload that an earlier run began: the package is made again from the stored bytes and the stored key."""
        with run.transaction() as env:
            session = env['ksef.session'].browse(session_id)
            is_usable = session._has_secrets() and session.valid_until > fields.Datetime.now()
            declared = is_usable and session._get_package()
        if not is_usable:
            self._abandon_batch(run, session_id, 'failed')
            return
        packed = self._make_package(run, session_id)
        if not packed:
            return
        package, sink = packed
        with sink:
            if package != declared:
                # Another version of zlib, for instance. Nothing was closed, so nothing of it is processed.
                _logger.warning("KSeF batch session %s: the package is not the one declared; another session is opened", session_id)
                self._abandon_batch(run, session_id, 'failed', counts=False)
                return
            self._upload_batch(run, session_id, sink)

    @api.model
    def _upload_batch(self, run, session_id, sink):
        """Upload the parts that are missing, then close."""
        with run.transaction() as env:
            session = env['ksef.session'].browse(session_id)
            package, uploads, done = session._get_package(), session._get_uploads(), session.uploaded_parts
        for upload, part in list(zip(uploads, package.parts, strict=True))[done:]:
            try:
                run.client.upload_part(upload, part, sink)
            except (KsefForbiddenError, KsefRefusedError, KsefConfigError) as error:
                _logger.warning("KSeF batch session %s: part %s was not taken: %s", session_id, part.ordinal, error)
                self._abandon_batch(run, session_id, 'failed', str(error))
                return
            run.commit(lambda env, number=part.ordinal: env['ksef.session'].browse(session_id).write(
                {'uploaded_parts': number, 'failures': 0, 'due_at': fields.Datetime.now()}))
        self._close_batch(run, session_id)

    # ------------------------------------------------------------------ closing

    @api.model
    def _close_batch(self, run, session_id):
        """Have KSeF process the package. That it is asked for is committed first: from here on only KSeF's word counts."""
        reference = run.commit(lambda env: self._intend_closing(env['ksef.session'].browse(session_id)))
        try:
            run.client.close_batch_session(run.access_token, reference)
        except KsefRefusedError as error:
            if error.code in INCOMPLETE:
                self._settle_incomplete(run, session_id, reference, error)
                return
            if error.code not in (ApiCode.SESSION_STATUS_FORBIDS, ApiCode.SESSION_NOT_FOUND):
                raise
        self._batch_closed(run, session_id)

    @api.model
    def _intend_closing(self, session):
        session.write({'state': 'closing', 'due_at': fields.Datetime.now()})
        return session.reference_number

    @api.model
    def _batch_closed(self, run, session_id):
        run.commit(lambda env: env['ksef.session'].browse(session_id).write({
            'state': 'processing', 'polls': 0, 'failures': 0, 'due_at': self._poll_due(run, 0), 'last_used': fields.Datetime.now()}))

    @api.model
    def _batch_closing(self, run, session_id):
        """The answer to the closing is lost: KSeF is asked what became of it, and closed again only if it is still open."""
        reference = self._session_reference(run, session_id)
        if run.client.session(run.access_token, reference).status.code == SessionStatus.OPEN:
            self._close_batch(run, session_id)
        else:
            self._batch_closed(run, session_id)

    @api.model
    def _settle_incomplete(self, run, session_id, reference, error):
        """KSeF refuses to close: a part is missing there, or the time is over. When it says itself that nothing is processed,
        the documents go into another session."""
        if run.client.session(run.access_token, reference).status.code in (SessionStatus.OPEN, SessionStatus.CANCELLED):
            self._abandon_batch(run, session_id, 'failed', str(error))
        else:
            self._batch_closed(run, session_id)

    # ------------------------------------------------------------------ given up

    @api.model
    def _abandon_batch(self, run, session_id, state, description=False, counts=True):
        """Give a session up of which certainly nothing is processed: its documents wait for another one.

        :param counts: whether it counts as a fault of the session; after some of them a person is asked
        """
        self._release_batch(run, session_id, state, {'status_description': description}, counts)

    @api.model
    def _release_batch(self, run, session_id, state, ending, counts=True, **values):
        """End the session, and send what it still holds in another one, the same bytes; after too many of them a person must
        look. Both in one transaction: a document whose session is over would be nobody's.

        :param ending: values of the session
        :param values: values of the documents
        """
        limit = run.settings['resend_limit']

        def release(env):
            env['ksef.session'].browse(session_id)._end(state, **ending)
            documents = env['ksef.document'].search([('session_id', '=', session_id), ('state', '=', 'sending')])
            documents._lock()
            documents = documents.filtered(lambda document: document.state == 'sending')
            helpless = documents.filtered(lambda document: counts and document.session_restarts >= limit)
            helpless._transition('help', **values)
            for restarts, group in (documents - helpless).grouped('session_restarts').items():
                due_at = env['ksef.document']._backoff(restarts + 1) if counts else fields.Datetime.now()
                group._transition('queued', session_restarts=restarts + counts, due_at=due_at, **values)
            return helpless.ids
        self._sync(run, run.commit(release))
