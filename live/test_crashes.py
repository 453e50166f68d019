"""Workers that die, sessions that end, locks that break: what KSeF has accepted is never lost and never sent twice."""

from urllib.parse import quote

import pytest

from live.harness import outsider
from live.harness.sandbox import LIST, SEND
from live.harness.waiting import wait_for


@pytest.fixture(scope="module")
def connection(world):
    """The connection of the first company."""
    [number] = world.connect(world.first)
    return number


def accepted_at_ksef(world, document):
    """The submission of the document that KSeF has numbered; waits for it."""
    xml_hash = world.document(document)["xml_hash"]
    return wait_for(lambda: world.sandbox.accepted(invoiceHash=xml_hash), "KSeF has accepted the invoice", 30)[0]


def send_and_hang(world, seconds=30):
    """Have an invoice sent to a KSeF that takes it and does not answer; return its document."""
    world.sandbox.fault(SEND, "hang_after", seconds=seconds)
    _invoice, document = world.send_one()
    accepted_at_ksef(world, document)
    return document


def test_killed_while_ksef_answers(world, connection):
    """KSeF has the invoice, the worker dies before it hears that: the next run finds it by its hash."""
    document = send_and_hang(world)
    assert world.document(document)["state"] == "sending"
    world.kill_calling_worker()
    assert world.document(document)["state"] == "sending"
    world.sandbox.heal()
    world.settle([document])
    world.assert_sent_once(document)
    assert world.document(document)["attempts"] == 1


def test_killed_between_answer_and_commit(world, connection):
    """The answer has arrived and is being written when the worker dies: nothing of it is in the database."""
    world.sandbox.fault(SEND, "hang_after", seconds=1.5)
    _invoice, document = world.send_one()
    world.wait_for_state([document], "sending")
    with world.database.transaction() as person:
        person.execute("SELECT pg_backend_pid() FROM ksef_document WHERE id = %s FOR UPDATE", [document])
        [backend] = person.fetchone()
        wait_for(lambda: world.database.waiting_for(backend), "the answer waits to be written", 20)
        assert accepted_at_ksef(world, document)
        world.kill_calling_worker()
    wait_for(lambda: not world.database.lock_backends(), "the dead worker's transactions are over", 20)
    assert world.document(document)["state"] == "sending"
    assert not world.document(document)["reference_number"]
    world.settle([document])
    world.assert_sent_once(document)
    assert world.document(document)["attempts"] == 1


def test_killed_and_session_gone(world, connection):
    """Its session has ended and KSeF no longer lists it: sent again, refused as a duplicate, adopted because the hash is ours."""
    document = send_and_hang(world)
    world.kill_calling_worker()
    world.sandbox.heal()
    session = accepted_at_ksef(world, document)["sessionReferenceNumber"]
    world.sandbox.admin("POST", f"/sessions/{quote(session)}/expire")
    world.sandbox.fault(LIST, "http_error", status=400, code=21173, body="problem", times=-1)
    world.wait_for(lambda: len(world.sandbox.invoices(invoiceHash=world.document(document)["xml_hash"])) > 1, "sent again", hurry=True)
    world.sandbox.heal()
    world.settle([document], hurry=True)
    world.assert_sent_once(document, submissions=2)
    row = world.document(document)
    assert row["attempts"] >= 2
    assert row["original_ksef_number"] == row["ksef_number"]


def test_number_taken_by_another_document(world, connection):
    """Another program has used the number for other contents: rejected, and that document is named."""
    world.database.execute(
        "UPDATE ksef_connection SET send_paused_until = now() AT TIME ZONE 'UTC' + interval '1 hour' WHERE id = %s", connection)
    invoice, document = world.send_one()
    xml = world.document(document)["xml"]
    other = xml.replace(b"Nabywca S.A.", b"Inna firma")
    assert other != xml
    number = outsider.send(world.sandbox, world.first.nip, other)
    world.database.hurry()
    world.wait_for_state([document], "rejected")
    row = world.document(document)
    assert (row["status_code"], row["original_ksef_number"], row["ksef_number"]) == (440, number, None)
    assert number in row["status_details"]
    world.wait_for(lambda: world.document(document)["shown"] == "rejected", "the invoice shows it")
    [move] = world.accountant.read("account.move", [invoice], "ksef_is_locked", "ksef_number")
    assert (move["ksef_is_locked"], move["ksef_number"]) == (False, False)


def test_lock_lost_in_mid_run(world, connection):
    """The database ends the connection that holds the lock while KSeF is asked: no second send, the document settles."""
    document = send_and_hang(world, seconds=3)
    world.database.terminate(world.database.lock_backends()[connection])
    world.settle([document])
    world.assert_sent_once(document)
    assert world.document(document)["attempts"] == 1
    # Another worker may have settled the document while the one without its lock still waited for the answer.
    world.wait_for(lambda: world.server.log_lines("lock of (KSeF )?connection"), "the loss was noticed")


def test_lock_lost_and_answer_lost(world, connection):
    """The same with the answer lost too, and with another worker that takes over while the first one still waits."""
    document = send_and_hang(world, seconds=30)
    world.database.terminate(world.database.lock_backends()[connection])
    world.settle([document], hurry=True)
    world.assert_sent_once(document)
    assert world.document(document)["attempts"] == 1


def test_killed_again_and_again(world, connection):
    """Three workers in a row are killed: Odoo does not switch the scheduled actions off, and the next run does the work."""
    [invoice] = world.first.make_invoices()
    world.sandbox.fault("*", "delay", seconds=20, times=-1)
    [document] = world.pick([invoice])
    for _kill in range(3):
        world.kill_calling_worker()
        world.server.wait_for_cron_workers()
    world.sandbox.heal()
    world.settle([document], hurry=True)
    world.assert_sent_once(document)
    pool = world.database.rows("""
        SELECT c.active, c.failure_count FROM ir_cron c JOIN ir_act_server s ON s.id = c.ir_actions_server_id
          JOIN ir_model m ON m.id = s.model_id WHERE m.model = 'ksef.worker'""")
    assert len(pool) == 2
    assert all(row["active"] and not row["failure_count"] for row in pool), pool


# What the server of the database says when it cannot write any more (SQLSTATE 53100), raised at the commit.
DISK_FULL = """
    CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE CONSTRAINT TRIGGER no_space AFTER UPDATE ON ksef_document DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (OLD.state IN ('sending', 'unconfirmed') AND NEW.state IN ('sent', 'accepted')) EXECUTE FUNCTION no_space()"""


@pytest.mark.parametrize("count", [1, 4])
def test_disk_full_at_commit(world, connection, count):
    """KSeF has taken the invoices, alone or as a batch, and the commit of its answer fails for want of space, again and again:
    once there is space, they are found by their hashes."""
    world.parameters(batch_from=4)
    failures = len(world.server.log_lines("database trouble"))
    world.database.execute(DISK_FULL)
    try:
        documents = world.pick(world.first.make_invoices(count))
        world.wait_for(
            lambda: len(world.server.log_lines("database trouble")) >= failures + 3, "three commits failed", 60, hurry=True)
        assert all(accepted_at_ksef(world, document) for document in documents)
        assert not {row["state"] for row in world.documents(documents)} & {"sent", "accepted", "queued"}
    finally:
        world.database.execute("DROP FUNCTION no_space CASCADE")
    world.settle(documents, hurry=True)
    for document in documents:
        world.assert_sent_once(document)
    assert {row["attempts"] for row in world.documents(documents)} == {1}
    world.parameters(batch_from=0)


def test_restored_database(world, connection):
    """The database is that of an hour ago: what was sent since then, alone and in batches, is found by its hash, and KSeF has all
    of it once. What KSeF was asked about when the copy was made is asked about again."""
    world.parameters(batch_from=4)
    world.connect(world.second)
    stuck = world.sandbox.fault(SEND, "stuck")
    _invoice, waiting = world.send_one(world.second)
    world.wait_for_state([waiting], "sent")
    world.database.execute("UPDATE ksef_connection SET send_paused_until = now() AT TIME ZONE 'UTC' + interval '1 hour'")
    alone, together = (world.pick(company.make_invoices(count)) for company, count in ((world.second, 2), (world.first, 5)))
    with world.stopped() as copy:
        copy.back_up()
    world.sandbox.admin("DELETE", f"/faults/{stuck}")
    documents = [waiting, *alone, *together]
    world.settle(documents, 90, hurry=True)
    numbers = [row["ksef_number"] for row in world.documents(documents)]
    with world.stopped() as copy:
        copy.restore()
    assert {row["state"] for row in world.documents(alone + together)} == {"queued"}
    world.settle(documents, 90, hurry=True)
    assert [row["ksef_number"] for row in world.documents(documents)] == numbers
    world.assert_sent_once(waiting)
    for document in alone + together:
        world.assert_sent_once(document, submissions=2)
        assert world.document(document)["original_ksef_number"], "KSeF's own word, that it has it already"
