"""What one worker holds while it serves one connection: the lock, the client and the way to the database."""
import contextlib
import logging
import time
from collections import Counter
from contextlib import contextmanager

import psycopg2
import psycopg2.errors
from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError

from ..ksef.client import Client
from ..ksef.transport import Transport
from .ksef_call_budget import CallBudget

_logger = logging.getLogger(__name__)

# First key of the advisory locks: "KSeF" in ASCII.
LOCK_CLASS = 0x4B536546
COMMIT_ATTEMPTS = 8
# The transaction lost a race and may be done again; its input is in memory.
RETRIED = (
    psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable,
)


class LockLost(Exception):
    """The cursor that holds the connection's lock is gone: another worker may be serving it, so nothing more is sent."""


class CredentialReplaced(Exception):
    """Somebody has connected the company anew: what this run began with the old credential is nobody's business now."""


class NoCredential(UserError):
    """The connection has nothing to log in with."""


class KsefRun:
    """One time slice of one connection.

    Every step is a transaction of its own on a cursor of its own (:meth:`transaction`), so that no transaction is open
    while KSeF is asked, and nothing that was read before an answer is believed after it.
    """

    def __init__(self, registry, connection_id, deadline, settings):
        self.registry = registry
        self.connection_id = connection_id
        self.deadline = deadline
        # The system parameters, read beforehand: while the lock is held, no other cursor than this run's own is used.
        self.settings = settings
        self.access_token = None
        self.credential_id = None
        # Lists of sessions read in this run: {session's reference: {KSeF number: InvoiceReport}}.
        self.session_lists = {}
        self.answered = False
        # How much of each kind of work (ksef.chore) was settled although it was not due when this slice began.
        self.done = Counter()
        self._lock_cr = None
        self._transport = None
        self._client = None
        self._context = None
        self._budget = None

    @contextmanager
    def hold(self):
        """Hold the connection's lock; yield whether it was free.

        The lock lives as long as its transaction (pg_try_advisory_xact_lock on a cursor that does nothing else), so it
        ends with the process, whatever happens to it.
        """
        cr = self.registry.cursor()
        try:
            cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, self.connection_id])
            [locked] = cr.fetchone()
            self._lock_cr = cr
            yield locked
        finally:
            self._lock_cr = None
            if self._transport:
                self._transport.close()
            self._transport = self._client = None
            self._release(cr)

    def _release(self, cr):
        """End the lock's transaction. Nothing was written in it; in Odoo's test mode a rollback would undo the work
        of the cursors that were opened above it."""
        try:
            cr.commit()  # pylint: disable=invalid-commit
        except psycopg2.Error:
            _logger.warning("KSeF: the lock of connection %s was lost, the database has ended it", self.connection_id)
        finally:
            with contextlib.suppress(psycopg2.Error):
                cr.close()

    def check_lock(self, *_args):
        """Called before every HTTP call."""
        try:
            self._lock_cr.execute("SELECT 1", log_exceptions=False)
        except (psycopg2.Error, AttributeError) as error:
            raise LockLost(f"the lock of KSeF connection {self.connection_id} is gone") from error

    def time_left(self):
        """Seconds until this slice has to end."""
        return self.deadline - time.monotonic()

    @contextmanager
    def transaction(self):
        """A transaction of its own as the system user; yields the environment and commits at the end."""
        with self.registry.cursor() as cr:
            yield self._environment(cr)

    def _environment(self, cr):
        """The system user in the company of the connection and its branches; what he writes there is read by who connected it."""
        if self._context is None:
            self._context = self._read_context(api.Environment(cr, SUPERUSER_ID, {}))
        return api.Environment(cr, SUPERUSER_ID, self._context)

    def _read_context(self, env):
        """Read once in a run: a run has dozens of transactions, and this takes longer than what most of them do."""
        connection = env['ksef.connection'].browse(self.connection_id)
        company = connection.company_id
        branches = env['res.company'].search([('id', 'child_of', company.ids)]) - company
        return {
            'allowed_company_ids': [*company.ids, *branches.ids],
            'lang': connection.create_uid.lang or company.partner_id.lang,
            'tz': 'Europe/Warsaw',
        }

    def commit(self, function, retried=RETRIED):
        """Run ``function(env)`` in a transaction, again when it loses a race with another one; return its result.

        The function must only write what is in memory already, so that doing it again repeats no call to KSeF.
        """
        for attempt in range(1, COMMIT_ATTEMPTS + 1):
            try:
                with self.transaction() as env:
                    return function(env)
            except retried:
                if attempt == COMMIT_ATTEMPTS:
                    raise
                time.sleep(min(0.05 * 2 ** attempt, 2))
        raise AssertionError("unreachable")

    @property
    def budget(self):
        """What KSeF's limits still allow this connection."""
        if self._budget is None:
            self._budget = CallBudget(self)
        return self._budget

    @property
    def client(self):
        """The KSeF client of this connection."""
        if self._client is None:
            with self.transaction() as env:
                connection = env['ksef.connection'].browse(self.connection_id)
                self._transport = Transport(
                    connection._get_environment(),
                    connect_timeout=self.settings['connect_timeout'],
                    read_timeout=self.settings['read_timeout'],
                )
            self._transport.before_request = self.check_lock
            self._client = Client(self._transport)
            self._client.before_call = self.budget.spend
        return self._client
