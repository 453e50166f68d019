import logging
import math
import time
from datetime import datetime, timedelta

import psycopg2
import psycopg2.errors
from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from .ksef_document import TransitionRefused
from .ksef_run import CredentialReplaced, KsefRun, LockLost

_logger = logging.getLogger(__name__)

# System parameters l10n_pl_ksef.<name> and their defaults; times are seconds unless the name says otherwise.
PARAMETERS = {
    'worker_count': 2,
    'slice_seconds': 50,
    'grace_seconds': 120,
    'connect_timeout': 5,
    'read_timeout': 30,
    'day_end_guard_minutes': 5,
    'session_idle_minutes': 20,
    'resend_limit': 3,
    # From so many waiting invoices on a batch is sent instead of single ones (0: never), of at most so many.
    'batch_from': 30,
    'batch_most': 10000,
    # Whether KSeF's limits of calls are kept here: 0 never, 1 outside the local sandbox, 2 always.
    'count_calls': 1,
    # The longest nap of a run that waits for an answer which is due soon.
    'nap_seconds': 9,
    # What KSeF allows of lists and packages of received invoices together, and of single ones.
    'fetch_calls_per_minute': 16,
    'fetch_calls_per_hour': 20,
    'download_calls_per_minute': 16,
    'download_calls_per_hour': 64,
}
# What a number must be at least; a time-out of zero would be none that the libraries take.
MINIMA = {'worker_count': 1, 'batch_most': 1, 'connect_timeout': 1, 'read_timeout': 1}
POLL_WAITS = '1,2,3,5,8'
# One connection is served for so long at a time; then it is the turn of the one that has waited longest.
TURN_SECONDS = 10
# States that are shown on their invoices in one transaction.
SYNC_CHUNK = 50
# How long a state that could not be shown waits after it was written.
SYNC_WAIT = SQL("LEAST(5 * 2 ^ LEAST(COALESCE(sync_failures, 0), 8), 900) * interval '1 second'")


class KsefWorker(models.AbstractModel):
    """The workers that talk to KSeF: a pool of identical scheduled actions.

    A run takes the most urgent connection that is due and not held by another worker, does everything that is due for
    it, and goes on with the next, until nothing is due or its time is over. What is due stands in one column
    (``due_at``) of documents, sessions and connections.
    """
    _name = 'ksef.worker'
    _description = "KSeF worker"

    # ------------------------------------------------------------------ the pool

    @api.model
    def _get_number(self, name):
        """A system parameter as a number; nonsense counts as the default."""
        text = self.env['ir.config_parameter'].sudo().get_param(f'l10n_pl_ksef.{name}')
        try:
            value = float(text) if text else -1
        except ValueError:
            value = -1
        return value if math.isfinite(value) and value >= MINIMA.get(name, 0) else PARAMETERS[name]

    @api.model
    def _get_settings(self):
        """All system parameters of the workers: {name: number}, and ``poll_waits``: [seconds]."""
        return {name: self._get_number(name) for name in PARAMETERS} | {'poll_waits': self._get_poll_waits()}

    @api.model
    def _get_poll_waits(self):
        """Seconds between the questions that follow a sending."""
        text = self.env['ir.config_parameter'].sudo().get_param('l10n_pl_ksef.poll_waits') or POLL_WAITS
        try:
            return [float(part) for part in text.split(',')]
        except ValueError:
            return [float(part) for part in POLL_WAITS.split(',')]

    @api.model
    def _get_pool(self):
        return self.env['ir.cron'].sudo().with_context(active_test=False).search(
            [('model_id.model', '=', 'ksef.worker')], order='id')

    @api.model
    def _adjust_pool(self):
        """Make the pool as large as the system parameter ``l10n_pl_ksef.worker_count`` says."""
        wanted = max(1, int(self._get_number('worker_count')))
        pool = self._get_pool()
        self.env['ir.cron'].sudo().create([{
            'name': self.env._("KSeF: worker %(number)s", number=number),
            'model_id': self.env['ir.model']._get_id(self._name),
            'state': 'code',
            'code': 'model._cron_ksef_worker()',
            'user_id': self.env.ref('base.user_root').id,
            'interval_number': 10,
            'interval_type': 'minutes',
            'priority': 3,
        } for number in range(len(pool) + 1, wanted + 1)])
        pool[wanted:].unlink()

    @api.model
    def _trigger_workers(self, at=None):
        """Wake the workers when this transaction is committed, or at a time (UTC, precise to the minute)."""
        for cron in self._get_pool():
            cron._trigger(at)

    # ------------------------------------------------------------------ a run

    @api.model
    def _cron_ksef_worker(self):
        """What each scheduled action of the pool runs."""
        end = time.monotonic() + self._get_number('slice_seconds')
        nap = self._get_number('nap_seconds')
        busy = set()
        while time.monotonic() < end:
            connection_id, wait = self._next_connection(busy)
            if connection_id is None:
                if wait is None or wait > nap or time.monotonic() + wait > end:
                    break
                time.sleep(max(wait, 0.05))
                busy.clear()
                continue
            # Told first: a run that is killed now has made progress, so that Odoo doesn't switch the action off.
            self.env['ir.cron']._commit_progress(processed=1, remaining=1)
            if not self._serve(connection_id, end):
                busy.add(connection_id)
        self._plan_next_run(busy)

    @api.model
    def _plan_next_run(self, busy):
        """Have the workers woken when the next thing is due; who holds a busy connection plans for it himself."""
        _connection_id, wait = self._next_connection(busy)
        self.env['ir.cron']._commit_progress(remaining=0)
        if wait is not None:
            self._trigger_workers(fields.Datetime.now() + timedelta(seconds=max(wait, 0)))

    @api.model
    def _next_connection(self, busy):
        """The most urgent due connection outside ``busy`` and 0, or None and the seconds until one is due (or None)."""
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            rows = env.execute_query(self._due_query(env))
        now = fields.Datetime.now()
        rows = [(connection_id, due) for connection_id, due in rows if connection_id not in busy]
        if not rows:
            return None, None
        connection_id, due = rows[0]
        if due <= now:
            return connection_id, 0
        return None, (due - now).total_seconds()

    @api.model
    def _due_query(self, env):
        """Connection and the moment when something is due for it: first those due now, the longest unserved of them first.

        What needs KSeF counts only where the connection may be used: connected, and in the database it was made in.
        """
        uuid = env['ir.config_parameter'].sudo().get_param('database.uuid')
        return SQL(
            """
            WITH usable AS (
                SELECT id, paused_until AS paused, send_paused_until AS send_paused, read_paused_until AS read_paused,
                       fetch_paused_until AS fetch_paused, download_paused_until AS download_paused
                  FROM ksef_connection
                 WHERE active AND state = 'connected' AND database_uuid = %(uuid)s
            ), due AS (
                SELECT d.connection_id, GREATEST(d.due_at, u.paused, CASE
                           WHEN d.state IN ('queued', 'sending') THEN u.send_paused ELSE u.read_paused END) AS due_at
                  FROM ksef_document d JOIN usable u ON u.id = d.connection_id
                 WHERE d.due_at IS NOT NULL AND (
                       d.state IN ('queued', 'sending', 'unconfirmed', 'sent') OR d.state = 'accepted' AND d.has_upo IS NOT TRUE)
                UNION ALL
                SELECT connection_id, due_at FROM ksef_document WHERE due_at IS NOT NULL AND state = 'picked'
                UNION ALL
                SELECT connection_id, write_date + %(sync_wait)s
                  FROM ksef_document WHERE sync_pending
                UNION ALL
                SELECT s.connection_id, GREATEST(s.due_at, u.paused)
                  FROM ksef_session s JOIN usable u ON u.id = s.connection_id
                 WHERE s.due_at IS NOT NULL
                UNION ALL
                %(received)s
                UNION ALL
                SELECT t.connection_id, GREATEST(t.due_at, u.paused)
                  FROM ksef_task t JOIN usable u ON u.id = t.connection_id
                 WHERE t.due_at IS NOT NULL
                UNION ALL
                SELECT id, GREATEST(due_at, paused_until) FROM ksef_connection
                 WHERE active AND due_at IS NOT NULL AND state IN ('signing', 'verifying', 'connected') AND database_uuid = %(uuid)s
            )
            SELECT d.connection_id, GREATEST(MIN(d.due_at), MAX(c.failed_until)) AS first_due
              FROM due d JOIN ksef_connection c ON c.id = d.connection_id
          GROUP BY d.connection_id, c.served_at
          ORDER BY GREATEST(MIN(d.due_at), MAX(c.failed_until)) > %(now)s,
                   CASE WHEN GREATEST(MIN(d.due_at), MAX(c.failed_until)) <= %(now)s THEN c.served_at END NULLS FIRST, first_due
            """,
            uuid=uuid, now=fields.Datetime.now(), received=self._due_received_query(), sync_wait=SYNC_WAIT,
        )

    @api.model
    def _serve(self, connection_id, end):
        """Do everything that is due for the connection; return whether its lock was free.

        One connection's trouble never stops the others: what goes wrong with KSeF is dealt with where it happens, what
        goes wrong with the database ends this slice, and the rows are reconciled by a later one.
        """
        end = min(end, time.monotonic() + TURN_SECONDS)
        run = KsefRun(self.env.registry, connection_id, end, self._get_settings())
        try:
            with run.hold() as locked:
                if locked:
                    run.commit(self._note_turn(connection_id))
                    self._serve_locked(run)
                return locked
        except CredentialReplaced:
            _logger.info("KSeF connection %s: another credential is in use now", connection_id)
            return True
        except LockLost as error:
            # Nobody may hold it now: the loop asks again, and this or another worker reconciles what was on its way.
            _logger.warning("KSeF: %s", error)
            return True
        except psycopg2.OperationalError as error:
            _logger.warning("KSeF connection %s: database trouble, left to a later run: %s", connection_id, error)
        except Exception:  # pylint: disable=broad-exception-caught
            # A mistake of the program stops one connection for a while, and never the others.
            _logger.exception("KSeF connection %s: the run failed", connection_id)
            run.commit(lambda env: env['ksef.connection'].browse(connection_id).write(
                {'failed_until': fields.Datetime.now() + timedelta(minutes=5)}))
        self._trigger_workers(fields.Datetime.now() + timedelta(minutes=1))
        return False

    @api.model
    def _note_turn(self, connection_id):
        """A function that writes when the connection had its turn, to the microsecond, so that turns have an order."""
        return lambda env: env.cr.execute(
            "UPDATE ksef_connection SET served_at = clock_timestamp() AT TIME ZONE 'UTC' WHERE id = %s", [connection_id])

    @api.model
    def _is_paused(self, run, field_name):
        """Whether KSeF has asked to leave this kind of call alone for a while."""
        with run.transaction() as env:
            until = env['ksef.connection'].browse(run.connection_id)[field_name]
            return bool(until) and until > fields.Datetime.now()

    @api.model
    def _serve_locked(self, run):
        """The order of work for one connection; other features add theirs around."""
        self._sync_pending(run)
        self._render_picked(run)
        self._make_bills(run)
        if self._ensure_login(run):
            self._mark_interrupted(run)
            self._recover_unconfirmed(run)
            self._serve_batches(run)
            self._send_queued(run)
            self._poll_sent(run)
            self._fetch_upos(run)
            self._close_sessions(run)
            self._do_tasks(run)
            self._fetch_due(run)
            self._download_listed(run)

    # ------------------------------------------------------------------ small steps that need no KSeF

    @api.model
    def _due_ids(self, run, states, limit=None, extra=()):
        """Ids of the connection's documents in ``states`` that are due, oldest first."""
        with run.transaction() as env:
            return env['ksef.document'].search([
                ('connection_id', '=', run.connection_id), ('state', 'in', states), ('due_at', '<=', fields.Datetime.now()),
                *extra,
            ], order='due_at, id', limit=limit).ids

    @api.model
    def _sync_pending(self, run):
        """Show states that an earlier run could not show on their invoices; what has failed waits as :meth:`_due_query` says."""
        with run.transaction() as env:
            ids = [row[0] for row in env.execute_query(SQL(
                """
                SELECT id FROM ksef_document
                 WHERE connection_id = %s AND sync_pending AND (COALESCE(sync_failures, 0) = 0 OR write_date + %s <= %s)
              ORDER BY id
                """, run.connection_id, SYNC_WAIT, fields.Datetime.now()))]
        for start in range(0, len(ids), SYNC_CHUNK):
            if run.time_left() <= 0:
                return
            self._sync(run, ids[start:start + SYNC_CHUNK])

    @api.model
    def _sync(self, run, document_ids):
        """The second transaction of an answer: invoice, chatter, live message. It may fail; then it is done again later, and
        of several one by one, so that one of them doesn't hold up the others."""
        ids = [document_ids] if isinstance(document_ids, int) else document_ids

        def sync(env):
            # A person's request may hold the invoice for long; the other documents don't wait for it.
            env.cr.execute("SET LOCAL lock_timeout = '300ms'")
            env['ksef.document'].browse(ids)._sync_moves()

        try:
            run.commit(sync, retried=(psycopg2.errors.SerializationFailure,))
        except psycopg2.OperationalError as error:
            _logger.info("KSeF document %s: its invoice is busy, shown later: %s", ids, error)
            self._sync_apart(run, ids)
        except Exception:  # pylint: disable=broad-exception-caught
            # What a program adds to chatter or print must not keep KSeF's answers from anyone.
            _logger.exception("KSeF document %s: cannot be shown on its invoice", ids)
            self._sync_apart(run, ids)

    @api.model
    def _sync_apart(self, run, ids):
        """Show several one by one; the one that fails by itself waits."""
        if len(ids) == 1:
            self._sync_later(run, ids)
            return
        for document_id in ids:
            if run.time_left() <= 0:
                # The mark stays: a later turn shows them.
                return
            self._sync(run, document_id)

    @api.model
    def _sync_later(self, run, ids):
        """Try again later, after longer waits each time; they count from the row's write_date."""
        def postpone(env):
            for document in env['ksef.document'].browse(ids):
                document.write({'sync_failures': document.sync_failures + 1})
        run.commit(postpone)

    @api.model
    def _render_picked(self, run):
        """Render and prove what a mass pick left to the workers, row by row."""
        for document_id in self._due_ids(run, ['picked']):
            if run.time_left() <= 0:
                return
            try:
                run.commit(lambda env, document_id=document_id: self._render_one(env, document_id))
            except psycopg2.OperationalError as error:
                _logger.info("KSeF document %s: its invoice is busy, rendered later: %s", document_id, error)
                run.commit(lambda env, document_id=document_id: env['ksef.document'].browse(document_id)._postpone('picked', 10))
                continue
            except Exception:  # pylint: disable=broad-exception-caught
                # A mistake of the program, or of one that extends it, in one invoice: a person is told, the others go on.
                _logger.exception("KSeF document %s: rendering failed", document_id)
                run.commit(lambda env, document_id=document_id: env['ksef.document'].browse(document_id)._fail_rendering())
            self._sync(run, document_id)

    @api.model
    def _render_one(self, env, document_id):
        document = env['ksef.document'].browse(document_id)
        document._lock()
        if document.state != 'picked':
            return
        if document.move_id.state != 'posted':
            document._transition('cancelled')
            return
        document.move_id._ksef_rows_lock()
        document._queue()
        # The bytes and the lock that keeps the invoice as it stands in them are committed together.
        document.move_id._ksef_sync()

    @api.model
    def _apply(self, run, document_id, expected, state, **values):
        """Write an answer of KSeF to the document's row, whatever it takes, then show it on the invoice."""
        self._settle(run, document_id, expected, lambda document: document._transition(state, **values))

    @api.model
    def _settle(self, run, document_id, expected, function):
        """Run ``function(document)`` in a transaction of its own, then show the result on the invoice.

        The conclusion holds for a document in the state ``expected`` and for no other: where the row has gone on meanwhile
        (this worker had lost its lock, and another one has found the document by its hash), what it says stands.
        """
        def settle(env):
            document = env['ksef.document'].browse(document_id)
            document._expect(expected)
            function(document)

        try:
            run.commit(settle)
        except TransitionRefused as error:
            _logger.warning("KSeF document %s: settled by another worker: %s", document_id, error)
        self._sync(run, document_id)

    @api.model
    def _utc(self, moment):
        """An aware datetime as Odoo stores it, or False."""
        return moment.replace(tzinfo=None, microsecond=0) if isinstance(moment, datetime) else False
