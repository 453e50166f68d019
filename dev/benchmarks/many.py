"""10,000 invoices: picked and withdrawn in one request each, sent in the time of ten times 1,000, without more memory.

The invoices are copies of a thousand, made by SQL: Odoo would need an hour to confirm them, and that is not what is measured.
"""

import sys
import time

from _invoices import invoices_of, with_addon
from figures import Figure
from pick import pick as pick_measured
from receive import Memory
from send import LATENCY_MS, MEMORY_MB, PROCESSING_SECONDS, pick, until

NEEDS_ODOO = True
FEW, TIMES = 1000, 10
LIMIT_MS = 2000
# By this much an invoice of many may take longer than one of few.
LINEAR = 1.2
# What belongs to a line of an invoice and names it in a column of this name.
LINE_LINKS, LINE_COLUMN = ("account_move_line_account_tax_rel", "account_account_tag_account_move_line_rel"), "account_move_line_id"


def run():
    """A thousand, then ten thousand, on the same servers."""
    from live.harness.world import World

    with with_addon() as source:
        world = World("many", source)
        try:
            world.sandbox.set(latencyMs=LATENCY_MS, processingSeconds=PROCESSING_SECONDS)
            [connection] = world.connect(world.first)
            few = invoices_of(world.database)[-FEW:]
            many = copies(world.database, few, TIMES)
            yield from _requests(world, connection, many)
            world.reset_parameters()
            seconds = _send(world, few, 0)
            memory = Memory(world.server)
            memory.start()
            longer = _send(world, many, FEW)
            print(f"bench: {len(few)} in {seconds:.1f} s, {len(many)} in {longer:.1f} s", file=sys.stderr)
            yield Figure("many-linear", longer / len(many) / (seconds / len(few)), "x an invoice of few", LINEAR)
            yield Figure("many-memory", memory.end(), "MB", MEMORY_MB)
        finally:
            world.close()


def _requests(world, connection, ids):
    """Picking and withdrawing, while the workers may not send."""
    world.database.execute("UPDATE ksef_connection SET paused_until = '2099-01-01' WHERE id = %s", connection)
    yield Figure("pick-10000", pick_measured(world, ids, "picked"), "ms", LIMIT_MS)
    before = len(world.server.request_seconds())
    world.accountant.call("account.move", "action_ksef_withdraw_unsent", ids)
    [(_path, seconds)] = world.wait_for(lambda: world.server.request_seconds()[before:], "Odoo has logged the request", 10)
    withdrawn = world.database.value("SELECT count(*) FROM ksef_document WHERE state = 'cancelled'")
    if withdrawn != len(ids):
        raise SystemExit(f"bench: only {withdrawn} of {len(ids)} were withdrawn")
    yield Figure("withdraw-10000", seconds * 1000, "ms", LIMIT_MS)
    world.database.execute("UPDATE ksef_connection SET paused_until = NULL WHERE id = %s", connection)


def _send(world, ids, sent):
    """Seconds from picking to the last KSeF number; ``sent``: how many are accepted already."""
    started = time.monotonic()
    pick(world, ids)
    seconds = until(world, "state = 'accepted'", sent + len(ids), started)
    if len({row["ksefNumber"] for row in world.sandbox.accepted()}) != sent + len(ids):
        raise SystemExit("bench: KSeF does not have each invoice once")
    return seconds


def copies(database, ids, times):
    """Ids of ``times`` copies of confirmed invoices, each with a number of its own."""
    with database.transaction() as cursor:
        cursor.execute(
            """CREATE TEMP TABLE copied_move ON COMMIT DROP AS
               SELECT m.id AS old, nextval('account_move_id_seq')::int AS new, k FROM account_move m, generate_series(1, %s) k
                WHERE m.id = ANY(%s) ORDER BY k, m.id""", [times, ids])
        cursor.execute(
            """CREATE TEMP TABLE copied_line ON COMMIT DROP AS
               SELECT l.id AS old, nextval('account_move_line_id_seq')::int AS new, c.new AS move
                 FROM account_move_line l JOIN copied_move c ON c.old = l.move_id""")
        _copy(cursor, "account_move", "copied_move", {"name": "'K' || c.k || '/' || t.name"})
        _copy(cursor, "account_move_line", "copied_line", {"move_id": "c.move", "move_name": "NULL"})
        for table in LINE_LINKS:
            _copy(cursor, table, "copied_line", {}, LINE_COLUMN)
        cursor.execute("SELECT new FROM copied_move ORDER BY new")
        copied = [row[0] for row in cursor.fetchall()]
    database.execute("ANALYZE account_move, account_move_line")
    return copied


def _copy(cursor, table, mapping, changed, key="id"):
    """Copy the rows whose ``key`` is an old id of ``mapping``, with its new id instead and with ``changed`` expressions."""
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY 1", [table])
    values = {name: f't."{name}"' for [name] in cursor.fetchall()} | {key: "c.new"} | changed
    names = ", ".join(f'"{name}"' for name in values)
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM {table} t JOIN {mapping} c ON c.old = t.{key}")
