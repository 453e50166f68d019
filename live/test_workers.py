"""Two real workers at once: nothing twice, nobody in another's way, and silence when there is nothing to do."""

import time

import pytest

from live.harness.company import PARAMETERS
from live.harness.rpc import RemoteError
from live.harness.sandbox import SEND
from live.harness.waiting import wait_for

IDLE_SECONDS = 20


@pytest.fixture(scope="module")
def connections(world):
    """The connections of both companies."""
    return world.connect(world.first, world.second)


def test_many_documents_two_workers(world, connections):
    """Everything that is due is sent exactly once, however many workers look for it at once."""
    world.sandbox.set(latencyMs=15)
    # The first ones are rendered by a worker, too.
    documents = world.pick(world.first.make_invoices(21)) + world.pick(world.second.make_invoices(6))
    world.settle(documents, seconds=120, hurry=True)
    world.sandbox.set(latencyMs=0)
    for document in documents:
        world.assert_sent_once(document)
    assert {row["attempts"] for row in world.documents(documents)} == {1}
    workers = {line.split()[2] for line in world.server.log_lines(r"Job 'KSeF: worker \d+' \(\d+\) (fully|partially) done")}
    assert len(workers) >= 2, "both cron workers took part"


def test_two_connections_in_parallel(world, connections):
    """While KSeF keeps one company waiting, the other one's invoices get their numbers."""
    slow = world.sandbox.fault(SEND, "hang_after", seconds=3, nip=world.first.nip)
    _invoice, waiting = world.send_one(world.first)
    world.wait_for(lambda: world.sandbox.hits(slow), "KSeF keeps the first company waiting")
    world.server.wait_for_cron_workers()
    started = time.monotonic()
    _invoice, quick = world.send_one(world.second)
    world.wait_for_state([quick], "accepted")
    if time.monotonic() - started < 2.5:
        assert world.document(waiting)["state"] == "sending"
    world.settle([waiting, quick])
    sent = {row["path"]: row["at"] for row in world.sandbox.requests("POST", "/invoices")[-2:]}
    assert len(sent) == 2, "two sessions"
    first, second = (world.database.value(
        "SELECT s.reference_number FROM ksef_document d JOIN ksef_session s ON s.id = d.session_id WHERE d.id = %s", number)
        for number in (waiting, quick))
    ended = {path.split("/")[4]: at for path, at in sent.items()}
    assert ended[second] < ended[first], "the second company was answered while the first one waited"


def test_one_worker_for_a_connection(world, connections):
    """While one worker waits for KSeF's answer, no other one sends for the same company or doubts what the first one does."""
    slow = world.sandbox.fault(SEND, "hang_after", seconds=3)
    _invoice, first = world.send_one()
    world.wait_for(lambda: world.sandbox.hits(slow), "KSeF keeps the first worker waiting")
    _invoice, second = world.send_one()
    while world.document(first)["state"] == "sending":
        assert world.document(second)["state"] == "queued"
        world.database.wake()
        time.sleep(0.1)
    assert world.document(first)["state"] in ("sent", "accepted"), "its answer came to the worker that had asked"
    world.settle([first, second])
    for document in (first, second):
        world.assert_sent_once(document)


def test_one_company_limited(world, connections):
    """429 for one company: it waits as long as KSeF says, the other goes on."""
    limited = world.sandbox.fault(SEND, "http_error", status=429, body="problem", retryAfter=4, nip=world.first.nip)
    _invoice, waiting = world.send_one(world.first)
    world.wait_for(lambda: world.sandbox.hits(limited), "KSeF has answered 429")
    [refused] = [row for row in world.sandbox.requests("POST", "/invoices") if row["status"] == 429]
    _invoice, free = world.send_one(world.second)
    world.wait_for_state([free], "accepted")
    assert world.document(waiting)["state"] == "queued"
    world.settle([waiting, free])
    for document in (waiting, free):
        world.assert_sent_once(document)
    again = [row for row in world.sandbox.requests("POST", "/invoices") if row["path"] == refused["path"]][-1]
    assert again["at"] - refused["at"] >= 4, "not earlier than KSeF allowed"


def switch(world, crons, active):
    """Switch scheduled actions on or off; Odoo refuses that while one of them runs."""
    def done():
        try:
            return world.admin.call("ir.cron", "write", crons, {"active": active})
        except RemoteError as error:
            if "being executed" not in str(error):
                raise
        return False

    wait_for(done, "no scheduled action runs", 30)


@pytest.fixture
def one_worker(world):
    """Only one scheduled action is left, and its time slices are short."""
    [_first, *others] = (row["id"] for row in world.admin.find("ir.cron", [("model_id.model", "=", "ksef.worker")], "id", order="id"))
    switch(world, others, False)
    world.parameters(slice_seconds=3)
    yield
    switch(world, others, True)
    world.parameters(slice_seconds=PARAMETERS["slice_seconds"])
    world.sandbox.set(latencyMs=0)


def test_long_queue_is_fair(world, connections, one_worker):
    """A company with a long queue does not keep another one waiting until it is through."""
    world.sandbox.set(latencyMs=400)
    long_queue = world.pick(world.first.make_invoices(12))
    world.wait_for_state(long_queue[:1], "sending", "sent", "accepted")
    [short_queue] = world.pick(world.second.make_invoices())
    world.settle([*long_queue, short_queue], seconds=120)
    taken = {row["invoiceHash"]: row["invoicingDate"] for row in world.sandbox.accepted()}
    times = [taken[row["xml_hash"]] for row in world.documents(long_queue)]
    assert taken[world.document(short_queue)["xml_hash"]] < max(times), "it had to wait for the last one of the long queue"


def test_idle(world, connections):
    """Nothing to do: no call to KSeF, no run of a worker."""
    world.wait_for(lambda: not world.calling_worker(), "the workers are done")
    time.sleep(1)
    world.sandbox.forget_requests()
    runs = len(world.server.log_lines("Job 'KSeF: worker"))
    end = time.monotonic() + IDLE_SECONDS
    while time.monotonic() < end:
        world.database.wake()
        time.sleep(1)
    assert world.sandbox.requests() == []
    assert len(world.server.log_lines("Job 'KSeF: worker")) == runs, "a worker ran although nothing was due"
