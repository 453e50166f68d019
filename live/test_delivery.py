"""A worker that dies while it mails: the customer gets the invoice at most once, and what is not certain is shown."""

import socketserver
import threading

import pytest

from live.harness.company import ACCOUNTANT
from live.harness.waiting import wait_for


class _Talk(socketserver.StreamRequestHandler):
    """One SMTP session: takes a message, and keeps its answer back while the sink is told to."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 sink")
        for line in self.rfile:
            verb = line.strip().upper()
            if verb.startswith(b"DATA"):
                self.say("354 go on")
                self.take()
            elif verb.startswith(b"QUIT"):
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line)
        self.server.messages.append(b"".join(lines))
        self.server.may_answer.wait(60)
        self.say("250 taken")


class Sink(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets in ``messages``; it answers only while ``may_answer`` is set."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Talk)
        self.messages = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]


@pytest.fixture(scope="module")
def sink(world):
    """The mail server of the world."""
    world.connect(world.first)
    server = Sink()
    world.admin.create("ir.mail_server", name="sink", smtp_host="127.0.0.1", smtp_port=server.port, smtp_encryption="none")
    world.admin.call("res.partner", "write", [world.first.buyer], {"email": "nabywca@example.com"})
    [user] = world.admin.find("res.users", [("login", "=", ACCOUNTANT[0])], "id")
    world.admin.call("res.users", "write", [user["id"]], {"email": "ksiegowa@example.com"})
    yield server
    server.may_answer.set()
    server.shutdown()
    server.server_close()


def choose(world):
    """Tick KSeF and e-mail in the window Send, as the accountant does; return the delivery that waits."""
    [invoice] = world.first.make_invoices()
    context = {"active_model": "account.move", "active_ids": [invoice], "allowed_company_ids": [world.first.id]}
    wizard = world.accountant.call("account.move.send.wizard", "create", [{"move_id": invoice}], context=context)[0]
    world.accountant.call("account.move.send.wizard", "write", [wizard], {
        "extra_edi_checkboxes": {"ksef": {"checked": True, "label": "KSeF"}},
        "sending_method_checkboxes": {"email": {"checked": True, "label": "by Email"}}}, context=context)
    world.accountant.call("account.move.send.wizard", "action_send_and_print", [wizard], context=context)
    return invoice


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


def to_buyer(sink):
    return [message for message in sink.messages if b"nabywca@example.com" in message]


def test_mailed_with_the_number(world, sink):
    """It waits for KSeF, then goes once, after the number is known."""
    invoice = choose(world)
    wait_for_state(world, invoice, "sent")
    [message] = to_buyer(sink)
    number = world.database.value("SELECT ksef_number FROM account_move WHERE id = %s", invoice)
    assert number
    assert b"application/pdf" in message
    sink.messages.clear()


def test_killed_between_mailing_and_commit(world, sink):
    """The mail server has the message, the worker dies before that is written down: unsure, and never sent by itself again."""
    sink.may_answer.clear()
    invoice = choose(world)
    world.wait_for(lambda: to_buyer(sink), "the mail server has the message", 90, hurry=True)
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
    assert len(to_buyer(sink)) == 2, "one for each invoice"
    row = delivery(world, invoice)["id"]
    world.accountant.call("ksef.delivery", "action_resend", [row])
    wait_for_state(world, invoice, "sent")
    assert len(to_buyer(sink)) == 3
