"""A worker that dies while it mails: the customer gets the invoice at most once, and what is not certain is shown."""

import pytest

from live.harness.mail import Sink, choose
from live.harness.waiting import wait_for


@pytest.fixture(scope="module")
def sink(world):
    """The mail server of the world."""
    world.connect(world.first)
    server = Sink()
    server.serve(world)
    yield server
    server.close()


def delivery(world, invoice):
    """The delivery's row."""
    return world.database.rows("SELECT * FROM ksef_delivery WHERE move_id = %s", invoice)[0]


def wait_for_state(world, invoice, state):
    """Wait until the delivery is there; it fails at once with its remark where it has ended elsewhere."""

    def reached():
        row = delivery(world, invoice)
        assert row["state"] in (state, "waiting", "ready", "claimed", "sent", "unsure"), f"{row['state']}: {row['message']}"
        return row["state"] == state

    world.wait_for(reached, f"the delivery is {state}", 90, hurry=True)


def test_mailed_with_the_number(world, sink):
    """It waits for KSeF, then goes once, after the number is known."""
    invoice = choose(world)
    wait_for_state(world, invoice, "sent")
    [message] = sink.to_buyer()
    number = world.database.value("SELECT ksef_number FROM account_move WHERE id = %s", invoice)
    assert number
    assert b"application/pdf" in message
    sink.messages.clear()


def test_killed_between_mailing_and_commit(world, sink):
    """The mail server has the message, the worker dies before that is written down: unsure, and never sent by itself again."""
    sink.may_answer.clear()
    invoice = choose(world)
    world.wait_for(sink.to_buyer, "the mail server has the message", 90, hurry=True)
    assert delivery(world, invoice)["state"] == "claimed"
    [worker] = wait_for(lambda: world.server.cron_workers_connected_to(sink.port), "the worker waits for the mail server", 20)
    world.server.kill_worker(worker)
    sink.may_answer.set()
    world.server.wait_for_cron_workers()
    wait_for_state(world, invoice, "unsure")
    mails = world.database.rows(
        """SELECT m.state FROM mail_mail m JOIN ksef_delivery d ON d.mail_message_id = m.mail_message_id WHERE d.move_id = %s""", invoice)
    assert [mail["state"] for mail in mails] == ["exception"], "Odoo's queue takes what is outgoing"
    # another invoice goes its way meanwhile, so the workers have run
    other = choose(world)
    wait_for_state(world, other, "sent")
    assert delivery(world, invoice)["state"] == "unsure"
    assert len(sink.to_buyer()) == 2, "one for each invoice"
    row = delivery(world, invoice)["id"]
    world.accountant.call("ksef.delivery", "action_resend", [row])
    wait_for_state(world, invoice, "sent")
    assert len(sink.to_buyer()) == 3


def test_disk_full_after_mailing(world, sink):
    """The mail server has the message, and what became of it cannot be committed: unsure, and never sent by itself again."""
    before = len(sink.to_buyer())
    world.database.execute("""
        CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
        CREATE CONSTRAINT TRIGGER no_space AFTER UPDATE ON ksef_delivery DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.state = 'sent') EXECUTE FUNCTION no_space()""")
    try:
        invoice = choose(world)
        wait_for_state(world, invoice, "unsure")
    finally:
        world.database.execute("DROP FUNCTION no_space CASCADE")
    wait_for_state(world, choose(world), "sent")
    assert delivery(world, invoice)["state"] == "unsure"
    assert len(sink.to_buyer()) == before + 2, "one for each invoice"
