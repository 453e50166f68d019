"""1,000 confirmed invoices to KSeF numbers, beside Odoo's own l10n_pl_edi on the same sandbox (50 ms latency).

Theirs are sent and asked about one by one, so that a sample tells the time of all; KSEF_BENCH_THEIRS says how many.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import environment as dev
from _invoices import invoices_of, kept, with_addon
from figures import Figure
from receive import Memory

NEEDS_ODOO = True
COUNT = 1000
THEIRS = int(os.environ.get("KSEF_BENCH_THEIRS") or 200)
LATENCY_MS, PROCESSING_SECONDS = 50, 1
CALLS, TIMES_FASTER, MEMORY_MB = 20, 10, 500
DEADLINE = 600


def run():
    """Send with theirs first, then with ours."""
    from live.harness.world import World

    with with_addon() as source:
        world = World("send", source)
        try:
            world.sandbox.set(latencyMs=LATENCY_MS, processingSeconds=PROCESSING_SECONDS)
            theirs = _theirs(world)
            world.sandbox.admin("POST", "/reset")
            world.connect(world.first)
            world.reset_parameters()
            yield from _ours(world, theirs)
        finally:
            world.close()


def _theirs(world):
    """Seconds that l10n_pl_edi takes for one invoice: {sent, status, upo}; in a copy of the database without this addon."""
    from live.harness.company import FIRST_NIP

    name = f"ksef_bench_theirs_{os.getpid()}"
    dev.copy_database(kept(), name)
    conf = dev.write_conf(name, dev.HOME / "conf" / f"{name}.conf")
    try:
        pair = world.sandbox.admin("POST", "/certificates", nip=FIRST_NIP)
        task = {"url": world.sandbox.url, "count": THEIRS, "upos": min(50, THEIRS), "processing": PROCESSING_SECONDS + 2,
                "certificate": pair["certificate"], "key": pair["privateKey"]}
        shell, env = dev.odoo_command(conf, "shell", "--no-http", "--log-level=error")
        program = Path(__file__).resolve().parents[1] / "lib" / "bench_send.py"
        with program.open() as source:
            answer = subprocess.run(shell, env=env | {"KSEF_BENCH_SEND": json.dumps(task)}, stdin=source,
                                    capture_output=True, text=True, check=False)
    finally:
        dev.drop_database(name)
        conf.unlink(missing_ok=True)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"bench: l10n_pl_edi failed: {answer.stdout[-500:]}{answer.stderr[-2000:]}")
    result = json.loads(lines[0].removeprefix("RESULT "))
    if result["accepted"] != THEIRS:
        raise SystemExit(f"bench: of theirs, {result['accepted']} of {THEIRS} were accepted")
    print(f"bench: l10n_pl_edi, {THEIRS} invoices: sent in {result['sent']:.1f} s, status in {result['status']:.1f} s, "
          f"UPO {result['upo'] / task['upos'] * 1000:.0f} ms each", file=sys.stderr)
    return {"invoice": (result["sent"] + result["status"]) / THEIRS, "upo": result["upo"] / task["upos"]}


def _ours(world, theirs):
    ids = invoices_of(world.database)[-COUNT:]
    memory = Memory(world.server)
    memory.start()
    world.sandbox.forget_requests()
    started = time.monotonic()
    pick(world, ids)
    picked = time.monotonic() - started
    numbers = until(world, "state = 'accepted'", COUNT, started)
    calls = [row for row in world.sandbox.requests(limit=20_000) if not row["path"].endswith("/upo")]
    upo = until(world, "has_upo AND NOT sync_pending", COUNT, started) - numbers
    print(f"bench: picked in {picked:.1f} s, all numbers after {numbers:.1f} s, all UPO {upo:.1f} s later", file=sys.stderr)
    wrong = world.database.value(
        """SELECT count(*) FROM ksef_document d JOIN account_move m ON m.id = d.move_id
            WHERE (d.state = 'accepted' AND m.ksef_number = d.ksef_number) IS NOT TRUE""")
    sent = world.sandbox.accepted()
    if wrong or len(sent) != COUNT or len({row["ksefNumber"] for row in sent}) != COUNT:
        raise SystemExit(f"bench: {wrong} documents are not accepted or not shown; KSeF has {len(sent)}")
    yield Figure("send-1000", numbers, "s", COUNT * theirs["invoice"] / TIMES_FASTER)
    yield Figure("send-faster", COUNT * theirs["invoice"] / numbers, "x l10n_pl_edi", TIMES_FASTER, at_least=True)
    yield Figure("send-calls", len(calls), "calls", CALLS)
    yield Figure("send-upo", upo, "s", COUNT * theirs["upo"])
    yield Figure("send-memory", memory.end(), "MB", MEMORY_MB)


def pick(world, ids):
    """Pick the invoices as the list does."""
    user = world.accountant
    wizard = user.call("account.move", "action_ksef_send", ids)["res_id"]
    [shown] = user.call("ksef.send", "web_read", [wizard], specification={"late_count": {}})
    user.call("ksef.send", "action_confirm_late" if shown["late_count"] else "action_confirm", [wizard])


def until(world, condition, wanted, started):
    """Wait until the condition holds for so many documents; return the seconds since ``started``."""
    while (count := world.database.value(f"SELECT count(*) FROM ksef_document WHERE {condition}")) != wanted:
        if time.monotonic() - started > DEADLINE:
            raise SystemExit(f"bench: only {count} of {wanted} ({condition})\n{world.describe()}")
        world.database.wake()
        time.sleep(0.1)
    return time.monotonic() - started
