"""Everything a live test needs, started together and ended together."""

import base64
from contextlib import contextmanager

from . import surroundings
from .company import ACCOUNTANT, ADMIN, FIRST_NIP, PARAMETERS, SECOND_NIP, Company, connect, pick, set_parameters, set_up
from .database import Database
from .rpc import User
from .sandbox import Sandbox
from .server import Server
from .waiting import wait_for

# What :meth:`World.describe` says of a connection, beside all its pauses.
_SHOWN = ("id", "state", "status_message", "failures", "due_at")


def prepare():
    """Make the database that the worlds are copied from, with the addon; return it, released."""
    database = make_companies(surroundings.database_name("prepared"), surroundings.template())
    database.release()
    return database


def make_companies(name, source, also=None):
    """Copy the database ``source`` and make companies and users there, then call ``also(server)``; return it."""
    database = Database(name, source)
    try:
        server = Server(database, _folder("prepared"), cron=0)
        try:
            set_up(server)
            if also:
                also(server)
        finally:
            server.stop()
    except BaseException:
        database.drop()
        raise
    return database


def _folder(kind):
    folder = surroundings.home() / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class World:
    """A database of its own, KSeF's sandbox, an Odoo server, and the users who work there.

    :param source: name of the database to copy
    :param options: for :class:`~.server.Server`
    """

    def __init__(self, kind, source, **options):
        self.folder = _folder(kind)
        self._closing = []
        try:
            self.database = Database(surroundings.database_name(kind), source)
            self._closing.append(self.database.drop)
            self.sandbox = Sandbox(self.folder)
            self._closing.append(self.sandbox.stop)
            self._options = options
            self._start_server()
        except BaseException:
            self.close()
            raise

    def close(self):
        """End everything, whatever state it is in."""
        while self._closing:
            self._closing.pop()()

    def _start_server(self):
        self.server = Server(self.database, self.folder, **self._options)
        self._closing.append(self.server.stop)
        self._log_in()

    @contextmanager
    def stopped(self):
        """Odoo is not running during the block; yields the database, to which nobody is connected."""
        self.server.stop()
        self.database.release()
        try:
            yield self.database
        finally:
            self.database.reconnect()
        self._start_server()

    def _log_in(self):
        companies = [row["id"] for row in self.database.rows("SELECT id FROM res_company ORDER BY id")]
        self.admin = User(self.server.url, self.database.name, *ADMIN, companies=companies)
        self.accountant = User(self.server.url, self.database.name, *ACCOUNTANT, companies=companies)
        self.first, self.second = (
            Company(self.accountant, company, nip) for company, nip in zip(companies, (FIRST_NIP, SECOND_NIP), strict=True))

    # -- the connection to KSeF ----------------------------------------------------------------------------------

    def connect(self, *companies):
        """Connect the companies and wait until KSeF has confirmed it; return the ids of the connections."""
        ids = [connect(self.admin, company, self.sandbox) for company in companies]
        self.wait_for(lambda: all(self.connection(number)["state"] == "connected" for number in ids), "connections are verified")
        return ids

    def connection(self, number):
        """A connection's row."""
        return self.database.rows("SELECT * FROM ksef_connection WHERE id = %s", number)[0]

    def parameters(self, **values):
        """Set the addon's system parameters."""
        set_parameters(self.admin, **values)

    def reset_parameters(self):
        """Have the addon's system parameters as they are in production."""
        set_parameters(self.admin, **dict.fromkeys(PARAMETERS, False))

    # -- documents -----------------------------------------------------------------------------------------------

    def pick(self, ids):
        """Have the accountant send the invoices; return the ids of their documents, in the same order."""
        pick(self.accountant, ids)
        return [self.document_of(number) for number in ids]

    def send_one(self, company=None):
        """Make an invoice and have it sent; return (invoice, document)."""
        [invoice] = (company or self.first).make_invoices()
        return invoice, self.pick([invoice])[0]

    def document(self, number):
        """A document's row; ``xml`` and ``upo`` as bytes, what its invoice shows as ``shown`` and ``shown_number``."""
        [row] = self.database.rows(
            """SELECT d.*, m.ksef_state AS shown, m.ksef_number AS shown_number, m.name AS move_name
                 FROM ksef_document d JOIN account_move m ON m.id = d.move_id WHERE d.id = %s""", number)
        for name in ("xml", "upo"):  # Odoo keeps files in base64
            row[name] = base64.b64decode(bytes(row[name] or b""))
        return row

    def document_of(self, invoice):
        """Id of the newest document of an invoice, or None."""
        return self.database.value("SELECT max(id) FROM ksef_document WHERE move_id = %s", invoice)

    def documents(self, numbers):
        """The rows of several documents, as :meth:`document`."""
        return [self.document(number) for number in numbers]

    # -- waiting -------------------------------------------------------------------------------------------------

    def wait_for(self, condition, what, seconds=60, hurry=False):
        """Wait for ``condition()``, waking the cron workers now and then; with ``hurry``, no pause is waited out."""
        meanwhile = self.database.hurry if hurry else self.database.wake
        return wait_for(condition, lambda: f"{what}\n{self.describe()}", seconds, meanwhile=meanwhile)

    def wait_for_state(self, numbers, *states, seconds=60, hurry=False):
        """Wait until the documents have one of the states."""
        def reached():
            rows = self.database.rows("SELECT state FROM ksef_document WHERE id IN %s", tuple(numbers))
            return all(row["state"] in states for row in rows)

        self.wait_for(reached, f"documents are {' or '.join(states)}", seconds, hurry)

    def settle(self, numbers, seconds=60, hurry=False):
        """Wait until the documents are accepted, have their UPO, and their invoices show it."""
        def settled():
            return not self.database.value(
                """SELECT count(*) FROM ksef_document d JOIN account_move m ON m.id = d.move_id
                    WHERE d.id IN %s AND (d.state = 'accepted' AND d.has_upo AND NOT d.sync_pending
                      AND m.ksef_state = 'accepted' AND m.ksef_number = d.ksef_number) IS NOT TRUE""", tuple(numbers))

        self.wait_for(settled, "documents are accepted and shown", seconds, hurry)

    def describe(self):
        """What the database says about documents and connections, for messages."""
        documents = self.database.rows(
            """SELECT d.id, d.connection_id, d.state, m.ksef_state AS shown, d.attempts, d.due_at, d.sync_pending, d.has_upo,
                      d.status_code, d.status_description
                 FROM ksef_document d JOIN account_move m ON m.id = d.move_id
                WHERE (d.state = 'accepted' AND d.has_upo AND NOT d.sync_pending AND m.ksef_state = 'accepted') IS NOT TRUE
                  AND d.state != 'cancelled' ORDER BY d.id LIMIT 12""")
        connections = [
            {name: value for name, value in row.items() if name in _SHOWN or name.endswith("_until")}
            for row in self.database.rows("SELECT * FROM ksef_connection")]
        now = self.database.value("SELECT now() AT TIME ZONE 'UTC'")
        return "\n".join(
            [f"now {now}"]
            + [f"{kind} {', '.join(f'{name}={value}' for name, value in row.items() if value not in (None, False, ''))}"
               for kind, rows in (("document", documents), ("connection", connections)) for row in rows])

    def calling_worker(self):
        """Process number of a cron worker that talks to KSeF at this moment, or None."""
        return next(iter(self.server.cron_workers_connected_to(self.sandbox.port)), None)

    def kill_calling_worker(self):
        """Kill the cron worker that talks to KSeF; waits for one."""
        pid = self.wait_for(self.calling_worker, "a worker talks to KSeF", 30)
        self.server.kill_worker(pid)
        return pid

    # -- what must be true in the end ----------------------------------------------------------------------------

    def assert_sent_once(self, number, submissions=1):
        """KSeF has the document's bytes accepted exactly once, and Odoo knows that number."""
        document = self.document(number)
        sent = self.sandbox.invoices(invoiceHash=document["xml_hash"])
        accepted = [row for row in sent if row["ksefNumber"]]
        assert len(accepted) == 1, f"{document['invoice_number']}: accepted {len(accepted)} times: {sent}"
        assert len(sent) == submissions, f"{document['invoice_number']}: {len(sent)} submissions: {sent}"
        same_number = self.sandbox.accepted(invoiceNumber=document["invoice_number"], sellerNip=document["seller_nip"])
        assert len(same_number) == 1, same_number
        assert document["state"] == "accepted"
        assert document["ksef_number"] == accepted[0]["ksefNumber"]
        assert document["shown_number"] == accepted[0]["ksefNumber"]
        assert self.sandbox.xml(document["ksef_number"]) == document["xml"]
        assert document["ksef_number"].encode() in document["upo"]
