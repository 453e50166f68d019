"""The database of a live test, seen from beside Odoo."""

import subprocess
from contextlib import contextmanager

import psycopg2
import psycopg2.extras

from . import surroundings

LOCK_CLASS = 0x4B536546  # "KSeF": first key of the advisory locks that workers hold on connections
# What a worker looks at later -> its table. Times are naive UTC, as Odoo stores them.
_SCHEDULES = {
    "ksef_document": ["due_at"],
    "ksef_connection": [
        "due_at", "paused_until", "send_paused_until", "read_paused_until", "fetch_paused_until", "download_paused_until",
        "batch_paused_until"],
    "ksef_fetch": ["due_at"],
    "ksef_received": ["due_at"],
    "ksef_delivery": ["due_at"],
}


class Database:
    """A copy of ``source`` under the name ``name``; :meth:`drop` ends it."""

    def __init__(self, name, source):
        self.name = name
        self._backup = None
        self._connections = []
        self._copy(source, name)
        self.reconnect()

    def _copy(self, source, target):
        subprocess.run([*surroundings.copy_command(), source, target], check=True)

    def reconnect(self):
        """Connect anew after :meth:`release`."""
        self._connections.clear()
        self._reader = self.connect()
        self._postgres = psycopg2.connect(dbname="postgres")
        self._postgres.autocommit = True
        self._connections.append(self._postgres)

    def connect(self):
        """Another connection of ours, in autocommit mode."""
        connection = psycopg2.connect(dbname=self.name, application_name="ksef-live-test")
        connection.autocommit = True
        self._connections.append(connection)
        return connection

    def release(self):
        """Close all our connections, so that the database can be copied."""
        for connection in self._connections:
            connection.close()

    def drop(self):
        """Remove the database."""
        self.release()
        for name in filter(None, (self.name, self._backup)):
            subprocess.run([*surroundings.drop_command(), name], check=True)

    def back_up(self):
        """Keep the database as it is now; nobody may be connected."""
        self._backup = surroundings.database_name("backup")
        self._copy(self.name, self._backup)

    def restore(self):
        """Have the database as it was at :meth:`back_up`, with its files; nobody may be connected."""
        self._copy(self._backup, self.name)

    # -- asking --------------------------------------------------------------------------------------------------

    def rows(self, query, *values):
        """The rows of a query as dicts."""
        with self._reader.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(query, values or None)
            return [dict(row) for row in cursor.fetchall()]

    def value(self, query, *values):
        """The first column of the first row, or None."""
        rows = self.rows(query, *values)
        return next(iter(rows[0].values())) if rows else None

    def execute(self, query, *values):
        """Do something at once; returns the number of rows."""
        with self._reader.cursor() as cursor:
            cursor.execute(query, values or None)
            return cursor.rowcount

    @contextmanager
    def transaction(self):
        """A transaction of another person: yields a cursor, commits at the end of the block."""
        connection = self.connect()
        connection.autocommit = False
        try:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
        finally:
            connection.close()

    # -- time ----------------------------------------------------------------------------------------------------

    def wake(self):
        """Have the cron workers look for jobs that are due, as they do by themselves about once a minute."""
        with self._postgres.cursor() as cursor:
            cursor.execute("SELECT pg_notify('cron_trigger', %s)", [self.name])

    def hurry(self):
        """Let time pass: what waits for a later moment is due now. Rows that are being written are left alone."""
        for table, columns in _SCHEDULES.items():
            for column in columns:
                self.execute(
                    f"""UPDATE {table} SET {column} = now() AT TIME ZONE 'UTC' - interval '1 second' WHERE id IN (
                        SELECT id FROM {table} WHERE {column} > now() AT TIME ZONE 'UTC' FOR UPDATE SKIP LOCKED)""")
        # Batch sessions only: an interactive one that is due is closed.
        self.execute(
            """UPDATE ksef_session SET due_at = now() AT TIME ZONE 'UTC' - interval '1 second' WHERE id IN (
                SELECT id FROM ksef_session WHERE kind = 'batch' AND due_at > now() AT TIME ZONE 'UTC' FOR UPDATE SKIP LOCKED)""")
        self.execute("UPDATE ir_cron_trigger SET call_at = now() AT TIME ZONE 'UTC' WHERE call_at > now() AT TIME ZONE 'UTC'")
        self.wake()

    # -- who does what -------------------------------------------------------------------------------------------

    def lock_backends(self):
        """Which backend of the database holds the lock of which connection: {connection: backend}."""
        rows = self.rows(
            """SELECT l.pid AS backend, l.objid::int AS connection FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'advisory' AND l.classid = %s AND l.granted AND a.datname = %s""", LOCK_CLASS, self.name)
        return {row["connection"]: row["backend"] for row in rows}

    def waiting_for(self, backend):
        """The backends that wait for a lock of this one."""
        return [row["pid"] for row in self.rows(
            "SELECT pid FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid)) AND datname = %s", backend, self.name)]

    def waiting_in_line(self, backend):
        """The backends that wait for a lock of this one, and those that wait behind them."""
        line, found = [backend], set()
        while line:
            more = set(self.waiting_for(line.pop())) - found
            found |= more
            line.extend(more)
        return found

    def terminate(self, backend):
        """End a backend, as an administrator or a broken network would."""
        self.execute("SELECT pg_terminate_backend(%s)", backend)
