"""Picking invoices for KSeF: the server's time for the requests of the dialog, as Odoo logs it."""

import statistics

from _invoices import invoices_of, with_addon
from figures import Figure

NEEDS_ODOO = True
FEW, TURNS, MANY = 20, 3, 1000
DIALOG = ("content", "findings", "left_out", "ready_count", "late_count", "error_count", "environment")
LIMIT_MS_EACH, LIMIT_MS_MANY = 50, 2000


def run():
    """Pick 20 invoices, three times, then 1,000: opening the dialog and confirming it."""
    from live.harness.world import World

    with with_addon() as source:
        world = World("pick", source)
        try:
            [connection] = world.connect(world.first)
            # Nothing is sent: the workers' share of the processors is not what is measured.
            world.database.execute("UPDATE ksef_connection SET paused_until = '2099-01-01' WHERE id = %s", connection)
            yield from _measure(world)
        finally:
            world.close()


def _measure(world):
    ids = invoices_of(world.database)
    few = [pick(world, ids[start:start + FEW], "queued") for start in range(0, FEW * TURNS, FEW)]
    yield Figure("pick-20", statistics.median(few) / FEW, "ms/invoice", LIMIT_MS_EACH)
    many = ids[FEW * TURNS:][:MANY]
    yield Figure("pick-1000", pick(world, many, "picked"), "ms", LIMIT_MS_MANY)


def pick(world, ids, state):
    """Pick invoices as the list does; return the server's milliseconds of all its requests."""
    user = world.accountant
    before = len(world.server.request_seconds())
    wizard = user.call("account.move", "action_ksef_send", ids)["res_id"]
    [shown] = user.call("ksef.send", "web_read", [wizard], specification={name: {} for name in DIALOG})
    user.call("ksef.send", "action_confirm_late" if shown["late_count"] else "action_confirm", [wizard])
    logged = world.wait_for(lambda: world.server.request_seconds()[before + 2:] and world.server.request_seconds()[before:],
                            "Odoo has logged the three requests", 10)
    rows = world.database.rows("SELECT state, count(*) FROM ksef_document WHERE move_id IN %s GROUP BY state", tuple(ids))
    picked = {row["state"]: row["count"] for row in rows}
    if sum(picked.values()) != len(ids) or set(picked) - {state, "queued"}:
        raise AssertionError(f"not all were picked: {picked}")
    return sum(seconds for _path, seconds in logged) * 1000
