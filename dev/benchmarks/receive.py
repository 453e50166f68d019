"""Receiving: the first synchronisation of 20,000 purchases, bills from some of them, and an inbox of 100,000 rows."""

import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import environment as dev
from figures import Figure

sys.path.insert(0, str(dev.HOME / "lib"))
from sandbox.tests.caller import Caller, nip, today  # an independent client
from sandbox.tests.documents import invoice
from sandbox.tests.packages import Package, zipped

NEEDS_ODOO = True
COUNT, BATCH, ROWS, BILLS = 20_000, 10_000, 100_000, 100
STORED_PER_SECOND, MEMORY_MB, TIMES_CREATE, LIST_MS = 600, 400, 1.5, 300
FIELDS = ("acquisition_date", "issue_date", "invoice_number", "seller_name", "seller_nip", "invoice_kind", "net_amount",
          "gross_amount", "currency_id", "state", "move_id")


def run():
    """Load a sandbox as suppliers would, connect a company to it, and have everything fetched."""
    from live.harness.company import FIRST_NIP
    from live.harness.world import World, prepare

    prepared = prepare()
    try:
        world = World("receive", prepared.name)
        try:
            world.sandbox.set(hwmLagSeconds=0, storageLagSeconds=0)
            _issue(world.sandbox, FIRST_NIP)
            world.connect(world.first)
            yield from _first_synchronisation(world)
            yield _bills(world)
            yield from _inbox(world)
        finally:
            world.close()
    finally:
        prepared.drop()


def _issue(sandbox, buyer):
    """20,000 invoices of one supplier for ``buyer``, in two batches."""
    user = Caller(sandbox.url.removesuffix("/v2")).login(nip(77))
    for start in range(0, COUNT, BATCH):
        package = Package(user, zipped({
            f"{number}.xml": invoice(nip(77), f"Z/{number}", buyer=buyer) for number in range(start, start + BATCH)}))
        package.upload()
        package.close()
        status = package.result(600)
        if status["successfulInvoiceCount"] != BATCH:
            raise SystemExit(f"bench: the batch ended with {status}")


class Memory(threading.Thread):
    """Watches how much memory the cron workers take (MB)."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.peak, self._server, self._ended = 0, server, threading.Event()

    def run(self):
        while not self._ended.wait(0.5):
            for pid in self._server.cron_workers():
                status = Path(f"/proc/{pid}/status")
                lines = status.read_text().splitlines() if status.exists() else []
                self.peak = max([self.peak, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))])

    def end(self):
        self._ended.set()
        self.join()
        return self.peak


def _first_synchronisation(world):
    stored = "SELECT count(*) FROM ksef_received WHERE state = 'stored'"
    world.sandbox.forget_requests()
    memory = Memory(world.server)
    memory.start()
    started = time.monotonic()
    world.admin.call("res.company", "write", [world.first.id], {
        "ksef_fetch_active": True, "ksef_fetch_buyer": True, "ksef_fetch_mode": "export", "ksef_fetch_start_date": today()})
    begun = None
    while (count := world.database.value(stored)) < COUNT:
        begun = begun or (count and time.monotonic())
        if time.monotonic() - started > 900:
            raise SystemExit(f"bench: only {count} invoices were stored\n{world.describe()}")
        world.database.wake()
        time.sleep(0.2)
    ended = time.monotonic()
    yield Figure("receive-stored", COUNT / (ended - started), "invoices/s", STORED_PER_SECOND, at_least=True)
    print(f"bench: from the first stored to the last {ended - begun:.1f} s, whole {ended - started:.1f} s", file=sys.stderr)
    yield Figure("receive-memory", memory.end(), "MB", MEMORY_MB)
    calls = [row["path"].partition("?")[0] for row in world.sandbox.requests() if "/invoices/" in row["path"]]
    polls = sum(1 for path in calls if "/invoices/exports/" in path)
    print(f"bench: {len(calls) - polls} calls and {polls} polls", file=sys.stderr)
    yield Figure("receive-calls", len(calls) - polls, "calls", COUNT // BATCH + 1)


def _bills(world):
    """How much longer bills take than ``account.move.create`` of the same values."""
    program = Path(__file__).resolve().parents[1] / "lib" / "bench_receive.py"
    conf = dev.write_conf(world.database.name, dev.HOME / "conf" / f"{world.database.name}.conf")
    try:
        shell, env = dev.odoo_command(conf, "shell", "--no-http", "--log-level=error")
        with program.open() as source:
            answer = subprocess.run(
                shell, env=env | {"KSEF_BENCH_BILLS": str(BILLS)}, stdin=source, capture_output=True, text=True, check=False)
    finally:
        conf.unlink(missing_ok=True)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"bench: the bills failed: {answer.stdout[-500:]}{answer.stderr[-2000:]}")
    result = json.loads(lines[0].removeprefix("RESULT "))
    print(f"bench: a bill {result['bill'] * 1000:.0f} ms, create alone {result['create'] * 1000:.0f} ms", file=sys.stderr)
    return Figure("receive-bills", result["bill"] / result["create"], "x create", TIMES_CREATE)


def _inbox(world):
    """The server's time for the list, a search and groups, with 100,000 rows; their queries are those of 20,000."""
    few = {name: min(_ask(world, request)[1] for _turn in range(2)) for name, request in _requests().items()}
    columns = [row["column_name"] for row in world.database.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'ksef_received'")]
    taken = {"id": "nextval('ksef_received_id_seq')", "ksef_number": "ksef_number || '-' || n",
             "invoice_number": "invoice_number || '/' || n", "move_id": "NULL", "xml": "NULL",
             "acquisition_date": "acquisition_date - n * interval '20 days'"}
    values = ", ".join(taken.get(name, f'"{name}"') for name in columns)
    world.database.execute("UPDATE ksef_connection SET paused_until = '2099-01-01'")
    world.database.execute(
        f"""INSERT INTO ksef_received ({', '.join(f'"{name}"' for name in columns)})
            SELECT {values} FROM ksef_received, generate_series(1, %s) n""", ROWS // COUNT - 1)
    world.database.execute("ANALYZE ksef_received")
    queries = {}
    for name, request in _requests().items():
        answers = [_ask(world, request) for _turn in range(5)]
        queries[name] = min(count for _ms, count in answers)
        yield Figure(f"receive-inbox-{name}", statistics.median(ms for ms, _count in answers), "ms", LIST_MS)
    print(f"bench: queries {few} with {COUNT} rows, {queries} with {ROWS}", file=sys.stderr)
    yield Figure("receive-inbox-queries", max(queries[name] - few[name] for name in queries), "queries more", 0)


def _requests():
    """What a person does with the inbox: {name: (method, arguments, options)}."""
    specification = {name: {} for name in FIELDS}
    to_do = [("state", "in", ("listed", "stored", "failed"))]
    return {
        "list": ("web_search_read", [to_do, specification], {"limit": 80, "order": "acquisition_date desc, id desc"}),
        "search": ("web_search_read", [["|", ("invoice_number", "ilike", "Z/1234"), ("ksef_number", "ilike", "Z/1234")],
                                       specification], {"limit": 80}),
        "group": ("web_read_group", [to_do, ["seller_name"], ["gross_amount:sum"]], {}),
    }


def _ask(world, request):
    """(milliseconds, queries) of one request, as Odoo has logged them."""
    method, arguments, options = request
    before = len(world.server.request_seconds())
    world.accountant.call("ksef.received", method, *arguments, **options)
    logged = world.wait_for(lambda: world.server.request_seconds()[before:], "Odoo has logged the request", 10)
    return sum(seconds for _path, seconds in logged) * 1000, sum(world.server.request_queries()[before:])
