"""A mail server for tests: it keeps what it is given."""

import email
import email.policy
import socketserver
import threading
import time

from .company import ACCOUNTANT

BUYER_ADDRESS = "nabywca@example.com"


class _Talk(socketserver.StreamRequestHandler):
    """One SMTP session: takes a message, and keeps its answer back while the sink is told to."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        try:
            self.talk()
        except OSError:
            return  # the worker was killed

    def talk(self):
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
                self.server.messages.append(b"".join(lines))
                break
            lines.append(line)
        self.server.may_answer.wait(60)
        time.sleep(self.server.pause)
        self.say("250 taken")


class Sink(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it gets in ``messages``; it answers only while ``may_answer`` is set, after ``pause`` seconds."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Talk)
        self.messages = []
        self.pause = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        """The port that it listens on."""
        return self.server_address[1]

    def serve(self, world):
        """Have the world's Odoo mail through this server, from the accountant to the buyer."""
        world.admin.create("ir.mail_server", name="sink", smtp_host="127.0.0.1", smtp_port=self.port, smtp_encryption="none")
        world.admin.call("res.partner", "write", [world.first.buyer], {"email": BUYER_ADDRESS})
        [user] = world.admin.find("res.users", [("login", "=", ACCOUNTANT[0])], "id")
        world.admin.call("res.users", "write", [user["id"]], {"email": "ksiegowa@example.com"})

    def to_buyer(self):
        """The messages that the buyer got."""
        return [message for message in self.messages if BUYER_ADDRESS.encode() in message]

    def subjects(self):
        """The subjects of the messages that the buyer got."""
        return [email.message_from_bytes(message, policy=email.policy.default)["subject"] for message in self.to_buyer()]

    def close(self):
        """End it."""
        self.may_answer.set()
        self.shutdown()
        self.server_close()


def choose(world, invoice=None):
    """Tick KSeF and e-mail in the window Send, as the accountant does; return the invoice whose delivery waits."""
    [invoice] = [invoice] if invoice else world.first.make_invoices()
    context = {"active_model": "account.move", "active_ids": [invoice], "allowed_company_ids": [world.first.id]}
    wizard = world.accountant.call("account.move.send.wizard", "create", [{"move_id": invoice}], context=context)[0]
    world.accountant.call("account.move.send.wizard", "write", [wizard], {
        "extra_edi_checkboxes": {"ksef": {"checked": True, "label": "KSeF"}},
        "sending_method_checkboxes": {"email": {"checked": True, "label": "by Email"}}}, context=context)
    world.accountant.call("account.move.send.wizard", "action_send_and_print", [wizard], context=context)
    return invoice
