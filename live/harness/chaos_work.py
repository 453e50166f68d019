"""What a firm does while everything goes wrong, and what must be true of it in the end.

Each kind of work has ``plan(count)``: functions that each give one order; ``open()``: how much is not settled yet;
``problems()``: what is wrong in the end, as sentences; ``figures()``: {name: number} for the report.
"""

import base64
import hashlib
import re
import time
from collections import Counter
from functools import partial

from sandbox.tests.caller import Caller, nip, today
from sandbox.tests.documents import invoice
from sandbox.tests.packages import Package, zipped

from .company import pick
from .mail import choose
from .rpc import RemoteError

SUPPLIER = nip(77)
# Invoices that are picked together, and from how many on they go as a batch.
TOGETHER, BATCH_FROM = (1, 4, 5, 12), 4
AT_ONCE = 100  # invoices that are made in one call
ACT_SECONDS = 3
LIVE = ("picked", "queued", "sending", "sent", "unconfirmed", "accepted", "help", "blocked")


def sha256(content):
    """SHA-256 as KSeF writes it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class Sending:
    """Invoices go to KSeF: one by one or in batches."""

    def __init__(self, world, random):
        self.world = world
        self.random = random
        self.picked = set()
        self.acts = Counter()
        self._acted = time.monotonic()
        self._alone = 0

    def plan(self, count):
        """Make the invoices; they are picked in groups of different sizes, and go one by one at first, later in batches."""
        ids = [one for start in range(0, count, AT_ONCE) for one in self.world.first.make_invoices(min(AT_ONCE, count - start))]
        orders = []
        while ids:
            group, ids = ids[:(size := self.random.choice(TOGETHER))], ids[size:]
            orders.append(partial(self._pick, group))
        self.world.parameters(batch_from=0)
        self._alone = len(orders) // 2
        return orders

    def _pick(self, ids):
        if not self._alone:
            self.world.parameters(batch_from=BATCH_FROM)
        self._alone -= 1
        pick(self.world.accountant, ids)
        self.picked.update(ids)

    def _rows(self):
        """All documents of the picked invoices."""
        return self.world.database.rows(
            """SELECT d.*, m.ksef_state AS shown, m.ksef_number AS shown_number, m.name
                 FROM ksef_document d JOIN account_move m ON m.id = d.move_id WHERE d.move_id = ANY(%s)""", list(self.picked))

    def open(self):
        """Invoices that are not accepted, shown, and with their UPO."""
        done = self.world.database.value(
            """SELECT count(DISTINCT m.id) FROM account_move m JOIN ksef_document d ON d.move_id = m.id
                WHERE m.id = ANY(%s) AND d.state = 'accepted' AND d.has_upo AND d.sync_pending IS NOT TRUE
                  AND m.ksef_state = 'accepted' AND m.ksef_number = d.ksef_number""", list(self.picked))
        return len(self.picked) - done

    def act(self):
        """What the people do that the program asks: check a connection, ask KSeF again, send what was rejected."""
        if time.monotonic() - self._acted < ACT_SECONDS:
            return
        self._acted = time.monotonic()
        stopped = self.world.database.rows("SELECT id FROM ksef_connection WHERE active AND state = 'attention'")
        for row in stopped:
            self._do("connections checked", 1, self.world.admin.call, "ksef.connection", "action_verify", [row["id"]])
        asked = self.world.database.rows("SELECT id FROM ksef_document WHERE state = 'help'")
        if asked:
            ids = [row["id"] for row in asked]
            self._do("asked again", len(ids), self.world.accountant.call, "ksef.document", "action_check_again", ids)
        refused = self.world.database.rows(
            "SELECT id FROM account_move WHERE id = ANY(%s) AND ksef_state IN ('rejected', 'invalid')", list(self.picked))
        if refused:
            self._do("sent anew after a refusal", len(refused), pick, self.world.accountant, [row["id"] for row in refused])

    def _do(self, what, count, function, *arguments):
        """Have somebody do it; what has changed since it was looked at is refused, and looked at again."""
        try:
            function(*arguments)
        except RemoteError as error:
            if error.kind not in ("UserError", "ValidationError"):
                raise
            self.acts["came too late"] += 1
        else:
            self.acts[what] += count

    def figures(self):
        """Documents, and by which ways they came to their numbers."""
        rows = self._rows()
        return {
            "invoices": len(self.picked), "documents": len(rows),
            "numbers": len({row["ksef_number"] for row in rows if row["ksef_number"]}),
            "not settled": self.open(),
            "attempts": sum(row["attempts"] for row in rows),
            "adopted duplicates": sum(row["state"] == "accepted" and bool(row["original_ksef_number"]) for row in rows),
            "session restarts": sum(row["session_restarts"] or 0 for row in rows),
            "batch sessions": self.world.database.value(
                "SELECT count(*) FROM ksef_session WHERE kind = 'batch' AND reference_number IS NOT NULL"),
        } | dict(self.acts)

    def problems(self):
        """KSeF has every invoice accepted exactly once, and Odoo knows each number."""
        accepted = [row for row in self.world.sandbox.accepted() if row["sellerNip"] == self.world.first.nip]
        at_ksef = {}
        for row in accepted:
            at_ksef.setdefault(row["invoiceNumber"], []).append(row)
        documents = {}
        for row in self._rows():
            documents.setdefault(row["move_id"], []).append(row)
        if len(accepted) != len(self.picked):
            yield f"KSeF has {len(accepted)} invoices accepted, {len(self.picked)} were sent"
        for move in self.picked:
            rows = documents.get(move, [])
            live = [row for row in rows if row["state"] in LIVE]
            if len(live) != 1:
                yield f"invoice {move} has {len(live)} documents: {[row['state'] for row in rows]}"
                continue
            yield from self._document_problems(live[0], at_ksef.get(live[0]["invoice_number"], []))

    def _document_problems(self, row, accepted):
        name = row["invoice_number"]
        if len(accepted) != 1:
            yield f"{name}: accepted {len(accepted)} times by KSeF"
            return
        number = accepted[0]["ksefNumber"]
        xml, upo = (base64.b64decode(bytes(row[part] or b"")) for part in ("xml", "upo"))
        if not (row["state"] == row["shown"] == "accepted" and row["ksef_number"] == row["shown_number"] == number):
            yield f"{name}: {row['state']} {row['ksef_number']}, shown as {row['shown']} {row['shown_number']}; KSeF's number is {number}"
        if not sha256(xml) == row["xml_hash"] == accepted[0]["invoiceHash"]:
            yield f"{name}: KSeF has other bytes"
        if number.encode() not in upo:
            yield f"{name}: its UPO is not here"


class Mailing:
    """Invoices that go to the buyer by e-mail as soon as they have their number."""

    def __init__(self, world, sink, sending):
        self.world = world
        self.sink = sink
        self.sending = sending
        self.invoices = []

    def plan(self, count):
        """Make the invoices; the window Send is filled in for each of them."""
        ids = self.world.first.make_invoices(count) if count else []
        return [partial(self._send, one) for one in ids]

    def _send(self, one):
        choose(self.world, one)
        self.invoices.append(one)
        self.sending.picked.add(one)

    def _rows(self):
        return self.world.database.rows(
            "SELECT y.*, m.name FROM ksef_delivery y JOIN account_move m ON m.id = y.move_id WHERE y.move_id = ANY(%s)", self.invoices)

    def ready(self):
        """E-mails that a worker may be sending now or soon."""
        return sum(row["state"] in ("ready", "claimed") for row in self._rows())

    def open(self):
        """E-mails that have not ended, or whose end is not shown yet."""
        return sum(row["state"] in ("waiting", "ready", "claimed") or bool(row["due_at"]) for row in self._rows())

    def figures(self):
        """How the e-mails ended."""
        if not self.invoices:
            return {}
        ends = Counter(row["state"] for row in self._rows())
        return {f"e-mails {state}": count for state, count in sorted(ends.items())} | {"e-mails at the server": len(self.sink.to_buyer())}

    def problems(self):
        """Every e-mail went at most once; where that is not certain it is listed, and not repeated."""
        if not self.invoices:
            return
        rows, subjects = self._rows(), self.sink.subjects()
        listed = {row["id"] for row in self.world.accountant.find("ksef.delivery", [("state", "=", "unsure")], "id")}
        if len(rows) != len(self.invoices):
            yield f"{len(rows)} deliveries for {len(self.invoices)} invoices"
        for row in rows:
            name = row["name"]
            sent = sum(bool(re.search(rf"(?<!\w){re.escape(name)}(?!\d)", subject)) for subject in subjects)
            if row["state"] not in ("sent", "unsure"):
                yield f"{name}: its e-mail is {row['state']}: {row['message']}"
            elif sent > 1 or (row["state"] == "sent" and not sent):
                yield f"{name}: its e-mail is {row['state']} and went {sent} times"
            elif row["state"] == "unsure" and (row["id"] not in listed or not row["message"]):
                yield f"{name}: its e-mail is unsure and nobody is told"
        # What tells the accountant of an unsure one may well wait there.
        waiting = self.world.database.value(
            "SELECT count(*) FROM mail_mail m JOIN ksef_delivery y ON y.mail_message_id = m.mail_message_id WHERE m.state = 'outgoing'")
        if waiting:
            yield f"{waiting} e-mails are left to Odoo's own queue"


class Fetching:
    """What a supplier issues to both companies: the first one fetches by lists, the second one by packages."""

    def __init__(self, world):
        self.world = world
        self.issued = {}

    def plan(self, count):
        """Switch fetching on; the supplier issues the invoices in groups."""
        if not count:
            return []
        self.world.sandbox.set(hwmLagSeconds=0, storageLagSeconds=0)
        self.world.parameters(
            fetch_calls_per_minute=1000, fetch_calls_per_hour=100_000, download_calls_per_minute=1000, download_calls_per_hour=100_000)
        for company, mode in ((self.world.first, "single"), (self.world.second, "export")):
            self.issued[company] = []
            self.world.admin.call("res.company", "write", [company.id], {
                "ksef_fetch_active": True, "ksef_fetch_buyer": True, "ksef_fetch_mode": mode, "ksef_fetch_start_date": today()})
        orders = []
        for company, left, size in ((self.world.first, count // 2, 4), (self.world.second, count - count // 2, 25)):
            for start in range(0, left, size):
                orders.append(partial(self._issue, company, min(size, left - start)))
        return orders

    def _issue(self, company, count):
        first = len(self.issued[company])
        numbers = [f"D/{company.id}/{first + number}" for number in range(count)]
        package = Package(self._supplier(), zipped({
            f"{place}.xml": invoice(SUPPLIER, number, buyer=company.nip) for place, number in enumerate(numbers)}))
        assert package.done()["successfulInvoiceCount"] == count
        self.issued[company] += numbers

    def _supplier(self):
        """The supplier, logged in; KSeF may change its keys between two calls of the login."""
        for _attempt in range(4):
            try:
                return Caller(self.world.sandbox.url.removesuffix("/v2")).login(SUPPLIER)
            except AssertionError:
                continue
        return Caller(self.world.sandbox.url.removesuffix("/v2")).login(SUPPLIER)

    def _rows(self, company):
        return self.world.database.rows("SELECT * FROM ksef_received WHERE company_id = %s", company.id)

    def open(self):
        """Invoices that are not stored yet."""
        return sum(
            max(0, len(numbers) - self.world.database.value(
                "SELECT count(*) FROM ksef_received WHERE company_id = %s AND state != 'listed'", company.id))
            for company, numbers in self.issued.items())

    def figures(self):
        """How many there are."""
        return {"received": sum(len(self._rows(company)) for company in self.issued)} if self.issued else {}

    def problems(self):
        """Every invoice is here once, with its bytes."""
        for company, numbers in self.issued.items():
            rows = self._rows(company)
            found = Counter(row["invoice_number"] for row in rows)
            missing, twice = set(numbers) - set(found), [number for number, count in found.items() if count > 1]
            strange = set(found) - set(numbers)
            if missing or twice or strange:
                yield f"company {company.id}: not received {sorted(missing)}, twice {twice}, never issued {sorted(strange)}"
            for row in rows:
                if row["state"] != "stored" or sha256(base64.b64decode(bytes(row["xml"] or b""))) != row["xml_hash"]:
                    yield f"{row['invoice_number']}: {row['state']}, its bytes are not those that KSeF has"
