"""People who work at the same moment as the workers: nothing of what either does is lost."""

import random
import threading
import time

import pytest

from live.harness.company import ACCOUNTANT, pick, withdraw
from live.harness.rpc import RemoteError, User
from live.harness.sandbox import SEND
from live.harness.waiting import wait_for

EDITS, WITHDRAWALS = 6, 6


@pytest.fixture(scope="module")
def connection(world):
    """The connection of the first company."""
    [number] = world.connect(world.first)
    return number


class Colleague(threading.Thread):
    """Another person: calls a function in a thread of its own; :meth:`answer` gives its result or raises its error."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._work = lambda: function(*arguments)
        self._result = self._error = None
        self.start()

    def run(self):
        """Do the work and keep what comes of it."""
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001  raised again for whoever asks
            self._error = error

    def answer(self, seconds=60):
        """The result, once it is there."""
        self.join(seconds)
        assert not self.is_alive(), "no answer"
        if self._error:
            raise self._error
        return self._result


def another_accountant(world):
    """A second session of the accountant, to be used in another thread."""
    return User(world.server.url, world.database.name, *ACCOUNTANT, companies=world.accountant.context["allowed_company_ids"])


def hold_sending(world, connection):
    """Nothing is sent until :meth:`Database.hurry` or :func:`release_sending`."""
    world.database.execute(
        "UPDATE ksef_connection SET send_paused_until = now() AT TIME ZONE 'UTC' + interval '1 hour' WHERE id = %s", connection)


def messages(world, invoice):
    """The texts of the invoice's chatter."""
    return " ".join(row["body"] for row in world.accountant.find(
        "mail.message", [("model", "=", "account.move"), ("res_id", "=", invoice)], "body"))


# ---------------------------------------------------------------------- edits while the answer arrives


def test_edits_while_the_answer_arrives(world, connection):
    """Somebody is just changing the invoice, the buyer and the chatter when KSeF's answer comes: all of it is there in the end."""
    world.sandbox.fault(SEND, "hang_after", seconds=1)
    invoice, document = world.send_one()
    with world.database.transaction() as person:
        person.execute("UPDATE account_move SET ref = 'Zamówienie 17' WHERE id = %s", [invoice])
        world.accountant.call("res.partner", "write", [world.first.buyer], {"phone": "+48 12 345 67 89"})
        world.accountant.call("account.move", "message_post", [invoice], body="Klient pyta o termin")
        world.wait_for_state([document], "accepted")
        row = world.document(document)
        assert row["ksef_number"], "KSeF's answer does not wait for the invoice"
        assert row["shown"] != "accepted"
        assert row["sync_pending"], "the invoice shows it later"
    world.settle([document])
    world.assert_sent_once(document)
    assert world.document(document)["attempts"] == 1
    [move] = world.accountant.read("account.move", [invoice], "ref", "ksef_number", "ksef_letter")
    assert (move["ref"], move["ksef_letter"]) == ("Zamówienie 17", "A")
    [buyer] = world.accountant.read("res.partner", [world.first.buyer], "phone")
    assert buyer["phone"] == "+48 12 345 67 89"
    assert "Klient pyta o termin" in messages(world, invoice)
    assert move["ksef_number"] in messages(world, invoice)


def test_busy_people(world, connection):
    """People who write all the time to the invoices being sent: every word stays, every number arrives."""
    invoices = world.first.make_invoices(6)
    documents = world.pick(invoices)
    user = another_accountant(world)

    def write():
        for turn in range(12):
            invoice = invoices[turn % len(invoices)]
            user.call("account.move", "message_post", [invoice], body=f"Uwaga {turn}.")
            user.call("account.move", "write", [invoice], {"ref": f"Zapis {turn}"})
            user.call("res.partner", "write", [world.first.buyer], {"name": f"Nabywca {turn} S.A."})

    Colleague(write).answer()
    world.settle(documents)
    for number, (invoice, document) in enumerate(zip(invoices, documents, strict=True)):
        world.assert_sent_once(document)
        [move] = world.accountant.read("account.move", [invoice], "ref")
        assert move["ref"] == f"Zapis {number + 6}"
        text = messages(world, invoice)
        assert f"Uwaga {number}." in text
        assert f"Uwaga {number + 6}." in text
        assert world.document(document)["ksef_number"] in text


# ---------------------------------------------------------------------- picking


def test_pick_is_replayed(world, connection):
    """The invoice changes while it is picked: Odoo replays the request, and what is sent is the changed invoice, once."""
    [invoice] = world.first.make_invoices()
    context = {"active_model": "account.move", "active_ids": [invoice]}
    wizard = world.accountant.call("ksef.send", "create", [{}], context=context)
    user = another_accountant(world)
    replays = len(world.server.log_lines("SERIALIZATION_FAILURE, 4 tries left"))
    with world.database.transaction() as barrier:
        # Whoever picks has begun its transaction and stops here.
        barrier.execute("LOCK TABLE ksef_document IN ACCESS EXCLUSIVE MODE")
        barrier.execute("SELECT pg_backend_pid()")
        [backend] = barrier.fetchone()
        request = Colleague(user.call, "ksef.send", "action_confirm", wizard)
        wait_for(lambda: world.database.waiting_for(backend), "the request has begun", 20)
        world.database.execute(
            "UPDATE account_move_line SET name = 'Usługa po zmianie' WHERE move_id = %s AND name = 'Usługa doradcza'", invoice)
    request.answer()
    assert len(world.server.log_lines("SERIALIZATION_FAILURE, 4 tries left")) > replays, "Odoo has replayed the request"
    [row] = world.database.rows("SELECT id FROM ksef_document WHERE move_id = %s", invoice)
    world.settle([row["id"]])
    world.assert_sent_once(row["id"])
    assert "Usługa po zmianie".encode() in world.document(row["id"])["xml"]


def test_edit_races_with_pick(world, connection):
    """Edits and picks of the same invoices at the same moment: what KSeF has is what Odoo shows."""
    hold_sending(world, connection)
    user = another_accountant(world)
    documents = []
    outcomes = set()
    for turn in range(EDITS):
        [invoice] = world.first.make_invoices()
        [line] = user.find("account.move.line", [("move_id", "=", invoice), ("name", "=", "Książka")], "id")
        picking = Colleague(pick, world.accountant, [invoice])
        if turn < EDITS - 1:
            time.sleep(turn * 0.06)
        else:
            picking.answer()
        try:
            user.call("account.move.line", "write", [line["id"]], {"name": f"Książka {turn}"})
            outcomes.add("edited")
        except RemoteError as error:
            assert error.kind == "UserError", error
            outcomes.add("refused")
        picking.answer()
        documents.append(world.database.value("SELECT id FROM ksef_document WHERE move_id = %s", invoice))
    for document in documents:
        row = world.document(document)
        [name] = world.database.rows(
            "SELECT name FROM account_move_line WHERE move_id = %s AND name LIKE 'Książka%%'", row["move_id"])
        assert f">{name['name']}<".encode() in row["xml"]
    world.database.hurry()
    world.settle(documents, hurry=True)
    assert outcomes == {"edited", "refused"}, "both orders were met"


def test_double_click(world, connection):
    """Two requests pick the same invoice at once: one document, one submission, and a sentence for the second."""
    [invoice] = world.first.make_invoices()
    clicks = [Colleague(pick, user, [invoice]) for user in (world.accountant, another_accountant(world))]
    errors = []
    for click in clicks:
        try:
            click.answer()
        except RemoteError as error:
            errors.append(error)
    assert len(errors) == 1
    assert errors[0].kind in ("UserError", "ValidationError"), errors[0]
    [row] = world.database.rows("SELECT id FROM ksef_document WHERE move_id = %s", invoice)
    world.settle([row["id"]])
    world.assert_sent_once(row["id"])


# ---------------------------------------------------------------------- withdrawing


def assert_withdrawn_or_sent(world, document, error):
    """Either it was taken back and never sent, or that was refused and it was sent."""
    row = world.document(document)
    if error is None:
        assert row["state"] == "cancelled"
        assert not world.sandbox.invoices(invoiceHash=row["xml_hash"]), "withdrawn, but sent"
        assert row["shown"] is None
        return "withdrawn"
    assert error.kind == "UserError", error
    world.settle([document])
    world.assert_sent_once(document)
    return "sent"


def race(world, connection, first):
    """Worker and person wait for the same row, in this order; return the document and the error of the withdrawal, or None."""
    hold_sending(world, connection)
    invoice, document = world.send_one()
    user = another_accountant(world)
    steps = {"worker": world.database.hurry, "person": lambda: Colleague(withdraw, user, invoice)}
    started = {}
    with world.database.transaction() as barrier:
        barrier.execute("SELECT pg_backend_pid() FROM ksef_document WHERE id = %s FOR UPDATE", [document])
        [backend] = barrier.fetchone()
        # Now, because a change of the connection between the two steps would have Odoo replay the withdrawal.
        world.database.execute("UPDATE ksef_connection SET send_paused_until = NULL WHERE id = %s", connection)
        for number, who in enumerate([first, *(steps.keys() - {first})], 1):
            started[who] = steps[who]()
            wait_for(lambda count=number: len(world.database.waiting_in_line(backend)) >= count, f"{who} waits for the row", 20)
    try:
        started["person"].answer()
    except RemoteError as error:
        return document, error
    return document, None


@pytest.mark.parametrize(("first", "outcome"), [("worker", "sent"), ("person", "withdrawn")])
def test_withdraw_meets_claim(world, connection, first, outcome):
    """Worker and person want the same document at the same moment: whoever is first decides."""
    document, error = race(world, connection, first)
    assert assert_withdrawn_or_sent(world, document, error) == outcome
    world.database.hurry()


def test_withdraw_at_any_moment(world, connection):
    """Withdrawing at arbitrary moments of a sending."""
    choice = random.Random(20261121)
    user = another_accountant(world)
    for _turn in range(WITHDRAWALS):
        invoice, document = world.send_one()
        time.sleep(choice.random() * 0.4)
        error = None
        try:
            withdraw(user, invoice)
        except RemoteError as refusal:
            error = refusal
        assert_withdrawn_or_sent(world, document, error)
