"""Everything goes wrong at once: workers are killed at random moments while KSeF fails at random, and invoices are sent."""

import random
import time
from collections import Counter

from .company import pick
from .sandbox import CLOSE_BATCH, LIST, OPEN, OPEN_BATCH, SEND, SESSION, STATUS, UPO

# (operation, action, probability, parameters): what KSeF and the network do to a call.
FAULTS = [
    (SEND, "drop_after", 0.10, {}),
    (SEND, "drop_before", 0.05, {}),
    (SEND, "http_error", 0.06, {"status": 502, "body": "html"}),
    (SEND, "http_error", 0.06, {"status": 502, "body": "html", "process": True}),
    (SEND, "garble", 0.06, {}),
    (SEND, "truncate", 0.04, {}),
    (SEND, "http_error", 0.06, {"status": 429, "body": "problem", "retryAfter": 1}),
    (SEND, "http_error", 0.03, {"status": 401, "body": "problem"}),
    (SEND, "invoice_status", 0.04, {"code": 550}),
    (OPEN, "drop_after", 0.10, {}),
    (OPEN, "http_error", 0.05, {"status": 503, "body": "html"}),
    (STATUS, "http_error", 0.08, {"status": 500, "body": "html"}),
    (STATUS, "garble", 0.04, {}),
    (LIST, "http_error", 0.10, {"status": 500, "body": "html"}),
    (LIST, "truncate", 0.05, {}),
    (UPO, "drop_after", 0.10, {}),
]
# What is done to batches; a session that fails as a whole is KSeF's doing, too.
BATCH_FAULTS = [
    *((operation, *fault) for operation in (OPEN_BATCH, CLOSE_BATCH, SESSION, LIST) for fault in (
        ("drop_after", 0.10, {}), ("drop_before", 0.05, {}), ("garble", 0.05, {}),
        ("http_error", 0.05, {"status": 502, "body": "html", "process": True}))),
    (OPEN_BATCH, "http_error", 0.05, {"status": 429, "body": "problem", "retryAfter": 1}),
    (OPEN_BATCH, "expired_links", 0.08, {}),
    (OPEN_BATCH, "invoice_status", 0.10, {"code": 550}),
    (CLOSE_BATCH, "session_status", 0.08, {"code": 430}),
]
BATCH = 5
MOST_SECONDS = 240


class Chaos:
    """One run on a world whose first company is connected; ``seed`` makes its decisions repeatable, not its timing."""

    def __init__(self, world, seed, report=lambda text: None, faults=FAULTS, batch=BATCH):
        self.world = world
        self.random = random.Random(seed)
        self.seed = seed
        self.report = report
        self.faults = faults
        self.batch = batch
        self.documents = []
        self.deeds = Counter()

    def run(self, invoices, kills):
        """Send ``invoices`` invoices and kill ``kills`` workers; afterwards let KSeF recover and wait until all is settled."""
        ids = self.world.first.make_invoices(invoices)
        batches = [ids[start:start + self.batch] for start in range(0, len(ids), self.batch)]
        for operation, action, probability, parameters in self.faults:
            self.world.sandbox.fault(operation, action, times=-1, probability=probability, **parameters)
        end = time.monotonic() + MOST_SECONDS
        picked = 0
        while picked < len(batches) or self.deeds["killed"] < kills:
            assert time.monotonic() < end, f"killed only {self.deeds['killed']} workers in time"
            # Spread over the kills, so that there is work to be interrupted until the last one.
            if picked < len(batches) and self.deeds["killed"] * len(batches) >= picked * kills:
                pick(self.world.accountant, batches[picked])
                self.documents += [self.world.document_of(invoice) for invoice in batches[picked]]
                picked += 1
            if self.deeds["killed"] < kills:
                self._do_harm()
            self.world.database.hurry()
        self.deeds["calls that failed"] = sum(fault["hits"] for fault in self.world.sandbox.admin("GET", "/faults"))
        self.world.sandbox.heal()
        self.world.server.wait_for_cron_workers()
        self.world.settle(self.documents, seconds=120, hurry=True)
        self.report(f"seed {self.seed}: {len(self.documents)} invoices, {self.summary()}")

    def _do_harm(self):
        """Let a worker begin, and kill it at an arbitrary moment of what it does; now and then one that does nothing."""
        if self.random.random() < 0.1:
            self._end_session()
        end = time.monotonic() + 3
        while not (pid := self.world.calling_worker()) and time.monotonic() < end:
            time.sleep(0.02)
        is_calling = bool(pid)
        workers = self.world.server.cron_workers()
        if not is_calling or self.random.random() < 0.1:
            pid = self.random.choice(workers) if workers else None
        time.sleep(self.random.uniform(0, 1.2) ** 2)
        if pid in self.world.server.cron_workers():
            self.world.server.kill_worker(pid)
            self.deeds["killed"] += 1
            self.deeds["killed at work"] += is_calling

    def _end_session(self):
        """KSeF ends one of the open sessions."""
        sessions = [row for row in self.world.sandbox.admin("GET", "/sessions") if row["status"] == 100]
        if sessions:
            self.world.sandbox.admin("POST", f"/sessions/{self.random.choice(sessions)['referenceNumber']}/expire")
            self.deeds["sessions ended"] += 1

    def summary(self):
        """What was done and what it led to, as text."""
        rows = self.world.documents(self.documents)
        counts = dict(self.deeds) | {
            "attempts": sum(row["attempts"] for row in rows),
            "adopted duplicates": sum(bool(row["original_ksef_number"]) for row in rows),
            "session restarts": sum(row["session_restarts"] or 0 for row in rows),
        }
        return ", ".join(f"{name}: {count}" for name, count in counts.items())

    def check(self):
        """KSeF has every invoice accepted exactly once, and Odoo knows each number."""
        submissions = {}
        for row in self.world.sandbox.invoices():
            submissions.setdefault(row["invoiceHash"], []).append(row)
        for number in self.documents:
            row = self.world.document(number)
            self.world.assert_sent_once(number, submissions=len(submissions[row["xml_hash"]]))
        assert len(self.world.sandbox.accepted()) == len(self.documents)
