"""Everything the sandbox remembers: one SQLite database, in memory or in a file, shared by all threads.

One lock guards it: a transaction is short, and computing (decryption, schema checks) happens outside.
The rooms keep their tables' SQL to themselves; the table definitions stand together in ``tables.py``.
"""
# ruff: noqa: S608  statements are put together from names that stand in this file; values are always bound

import json
import sqlite3
import threading
from contextlib import contextmanager

from .tables import TABLES, VERSION


class StateError(Exception):
    """The state file cannot be used."""


class Store:
    """A thread-safe SQLite database. ``path`` None keeps it in memory."""

    def __init__(self, path=None):
        self._lock = threading.RLock()
        self._depth = 0
        try:
            self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None,
                                       cached_statements=512)
            self._db.row_factory = sqlite3.Row
            self._prepare(path)
        except sqlite3.DatabaseError as error:
            raise StateError(f"{path}: {error}") from error

    def _prepare(self, path):
        if path:
            # A killed process loses nothing (the pages are the kernel's); only a power cut could.
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=OFF")
        known = self._db.execute("PRAGMA user_version").fetchone()[0]
        if known not in (0, VERSION):
            raise StateError(f"{path} is of version {known}, this sandbox writes version {VERSION}: delete it to start anew")
        with self.transaction():
            for statement in TABLES:
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={VERSION}")

    @contextmanager
    def transaction(self):
        """All or nothing; nested uses join the outer one. Other threads wait."""
        with self._lock:
            if self._depth:
                yield self
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield self
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            else:
                self._db.execute("COMMIT")
            finally:
                self._depth = 0

    def run(self, sql, *values):
        """Execute a statement; returns the number of rows it changed."""
        with self._lock:
            return self._db.execute(sql, values).rowcount

    def many(self, sql, rows):
        """Execute a statement once for each row."""
        with self._lock:
            self._db.executemany(sql, rows)

    def one(self, sql, *values):
        """The first row of a query, or None."""
        with self._lock:
            return self._db.execute(sql, values).fetchone()

    def all(self, sql, *values):
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def value(self, sql, *values):
        """The first column of the first row, or None."""
        row = self.one(sql, *values)
        return row[0] if row else None

    def insert(self, table, **columns):
        """Insert a row; dicts and lists are stored as JSON. Returns the row's number."""
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        with self._lock:
            return self._db.execute(statement, tuple(map(packed, columns.values()))).lastrowid

    def update(self, table, key, key_value, **columns):
        """Update the rows whose column ``key`` has a value; returns how many there were."""
        names = ", ".join(f"{name} = ?" for name in columns)
        return self.run(f"UPDATE {table} SET {names} WHERE {key} = ?", *map(packed, columns.values()), key_value)

    def get(self, name, default=None):
        """A remembered setting (any JSON value)."""
        found = self.value("SELECT value FROM memory WHERE name = ?", name)
        return default if found is None else json.loads(found)

    def put(self, name, value):
        """Remember a setting."""
        self.run("INSERT OR REPLACE INTO memory (name, value) VALUES (?, ?)", name, json.dumps(value))

    def clear(self, keep=()):
        """Forget everything but the tables named."""
        with self.transaction():
            for row in self.all("SELECT name FROM sqlite_master WHERE type = 'table'"):
                if row["name"] not in keep and not row["name"].startswith("sqlite_"):
                    self.run(f"DELETE FROM {row['name']}")

    def close(self):
        """Close the database; nothing can be asked afterwards."""
        with self._lock:
            self._db.close()


def packed(value):
    """A value as SQLite keeps it: containers become JSON text."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return value


def unpacked(value, default=None):
    """Read back what ``packed`` made of a container."""
    return default if value is None else json.loads(value)
