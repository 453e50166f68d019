"""20 companies with 50 waiting documents each, sent one by one to a sandbox of 100 ms: two cron workers beside one.

The invoices of one company stand behind all documents, whose bytes name the seller of each connection: what is measured is
sending and asking, not rendering.
"""

import base64
import hashlib
import sys
import time

import environment as dev
from _invoices import invoices_of, with_addon
from figures import Figure

sys.path.insert(0, str(dev.HOME / "lib"))
from sandbox.tests.caller import nip, today  # an independent client
from sandbox.tests.documents import invoice

NEEDS_ODOO = True
CONNECTIONS, DOCUMENTS = 20, 50
LATENCY_MS, TIMES = 100, 1.6
DEADLINE = 900


def run():
    """The same work with one cron worker, and with two."""
    with with_addon() as source:
        seconds = {workers: _measure(source, workers) for workers in (1, 2)}
    print(f"bench: {CONNECTIONS * DOCUMENTS} single sendings: {seconds[1]:.1f} s with one worker, {seconds[2]:.1f} s with two",
          file=sys.stderr)
    yield Figure("scale", seconds[1] / seconds[2], "x one worker", TIMES, at_least=True)


def _measure(source, workers):
    """Seconds from the first moment that anything may be sent to the last KSeF number."""
    from live.harness.world import World

    world = World(f"scale{workers}", source, cron=workers)
    try:
        world.sandbox.set(processingSeconds=0)
        world.parameters(worker_count=workers, batch_from=0, poll_waits="0.3,0.5,1,1,1,1,1,1")
        connections = [_connect(world, nip(200 + number)) for number in range(CONNECTIONS)]
        world.wait_for(lambda: all(world.connection(number)["state"] == "connected" for number in connections),
                       "connections are verified", 180)
        _queue(world, connections)
        world.sandbox.set(latencyMs=LATENCY_MS)
        started = time.monotonic()
        world.database.hurry()      # the pauses are over, and the workers know it
        while (count := world.database.value("SELECT count(*) FROM ksef_document WHERE state = 'accepted'")) < len(connections) * DOCUMENTS:
            if time.monotonic() - started > DEADLINE:
                raise SystemExit(f"bench: only {count} documents are accepted\n{world.describe()}")
            world.database.wake()
            time.sleep(0.2)
        seconds = time.monotonic() - started
        if len(world.sandbox.accepted()) != CONNECTIONS * DOCUMENTS:
            raise SystemExit("bench: KSeF does not have each invoice once")
        return seconds
    finally:
        world.close()


def _connect(world, number):
    """A company with this NIP, connected; the id of its connection."""
    from live.harness.company import Company, connect, xml_id

    company = world.admin.create("res.company", name=f"Firma {number}", vat=f"PL{number}", country_id=xml_id(world.admin, "base.pl"))
    world.admin.context["allowed_company_ids"].append(company)
    holder = Company.__new__(Company)
    holder.id, holder.nip = company, number
    return connect(world.admin, holder, world.sandbox)


def _queue(world, connections):
    """Documents of all connections, queued, while nothing is sent yet."""
    world.database.execute("UPDATE ksef_connection SET paused_until = '2099-01-01'")
    moves = iter(invoices_of(world.database))
    for connection in connections:
        row = world.connection(connection)
        for number in range(DOCUMENTS):
            content = invoice(row["nip"], f"S/{number}")
            world.database.execute(
                """INSERT INTO ksef_document (move_id, company_id, connection_id, environment, state, mode, xml, xml_hash, xml_size,
                       invoice_number, invoice_kind, seller_nip, issue_date, attempts, polls, session_restarts, sync_failures,
                       sync_pending, has_upo, late_confirmed, due_at, create_date, write_date)
                   VALUES (%s, %s, %s, 'local', 'queued', 'online', %s, %s, %s, %s, 'VAT', %s, %s, 0, 0, 0, 0, FALSE, FALSE, TRUE,
                       now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')""",
                next(moves), row["company_id"], connection, base64.b64encode(content),
                base64.b64encode(hashlib.sha256(content).digest()).decode(), len(content), f"S/{number}", row["nip"], today())
