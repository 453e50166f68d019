"""Everything goes wrong at once: workers are killed at random moments while KSeF fails at random, and a firm goes on working.

It sends invoices one by one and in batches, mails some of them, and fetches what suppliers issue to it.
"""

import random
import time
from collections import Counter

from .chaos_faults import SOME
from .chaos_work import Fetching, Mailing, Sending
from .waiting import wait_for

# Which part of the addon a worker was in when it died at a commit: beginning of the file's name -> what is told.
PLACES = {
    "ksef_worker_send": "sending", "ksef_worker_choice": "sending", "ksef_worker_batch": "batch", "ksef_worker_recover": "recovery",
    "ksef_worker_poll": "polling and UPO", "ksef_worker_login": "login", "ksef_worker_delivery": "mail", "ksef_worker_fetch": "fetching",
}
BACKLOG = 150  # documents on their way at a time where nobody is killed
REST = 0.1  # part of the invoices that is left when KSeF recovers
SECONDS_PER_KILL, SECONDS_PER_INVOICE, LEAST_SECONDS = 12, 2, 240
# How many commits later a worker dies that is told to; whoever has less to do is not hit.
MOST_COMMITS = 60
KILL_SECONDS = 5  # how long a kill at a commit is waited for


class Chaos:
    """One run on a world whose companies are connected; ``seed`` makes its decisions repeatable, not its timing.

    :param faults: what KSeF does to calls, see chaos_faults.py
    :param report: called with a line of text now and then
    """

    def __init__(self, world, seed, report=lambda text: None, faults=SOME):
        self.world = world
        self.random = random.Random(seed)
        self.seed = seed
        self.report = report
        self.faults = faults
        self.deeds = Counter()
        self.places = Counter()
        self.work = []
        self._began = time.monotonic()

    @property
    def seconds(self):
        """How long it has been going on."""
        return time.monotonic() - self._began

    # -- the run -------------------------------------------------------------------------------------------------

    def run(self, invoices, kills, mails=0, received=0, sink=None):
        """Do the work and kill ``kills`` workers meanwhile; afterwards let KSeF recover and wait until all is settled.

        :param mails: how many of the invoices go to their buyer by e-mail, too, through ``sink``
        :param received: how many invoices a supplier issues
        """
        end = time.monotonic() + max(LEAST_SECONDS, SECONDS_PER_KILL * kills, SECONDS_PER_INVOICE * invoices)
        self.sending = Sending(self.world, self.random)
        self.mailing = Mailing(self.world, sink, self.sending)
        self.fetching = Fetching(self.world)
        self.work = [self.sending, self.mailing, self.fetching]
        orders = self.sending.plan(invoices - mails) + self.mailing.plan(mails) + self.fetching.plan(received)
        self.random.shuffle(orders)
        self._switch_faults_on()
        self._give_orders(orders, kills, end)
        # Faults go on until most of the work is done in spite of them.
        while self._open() > invoices * REST and time.monotonic() < end:
            time.sleep(0.3)
            self._act()
        self.deeds["calls that failed"] = sum(fault["hits"] for fault in self.world.sandbox.admin("GET", "/faults"))
        self.world.sandbox.heal()
        self.world.server.wait_for_cron_workers()
        self._settle(end)

    def _switch_faults_on(self):
        """For our companies alone, so that the supplier's calls succeed."""
        for company in (self.world.first, self.world.second):
            for operation, action, probability, parameters in self.faults:
                self.world.sandbox.fault(operation, action, times=-1, probability=probability, nip=company.nip, **parameters)

    def _give_orders(self, orders, kills, end):
        """Orders spread over the kills, so that there is work to be interrupted until the last one."""
        given = 0
        while given < len(orders) or self.deeds["killed"] < kills:
            if time.monotonic() > end:
                raise AssertionError(f"killed only {self.deeds['killed']} workers in time\n{self.world.describe()}")
            if given < len(orders) and (
                    self.deeds["killed"] * len(orders) >= given * kills if kills else self._open() < BACKLOG):
                orders[given]()
                given += 1
            if self.deeds["killed"] < kills:
                self._do_harm()
            elif not kills:
                time.sleep(0.3)
            self._act()

    def _act(self):
        """Time passes, and people do what the program asks them to."""
        self.sending.act()
        self.world.database.hurry()

    def _open(self):
        return sum(work.open() for work in self.work)

    def _settle(self, end):
        end = max(end, time.monotonic() + LEAST_SECONDS)
        while self._open():
            if time.monotonic() > end:
                raise AssertionError(f"not settled: {self.summary()}\n{self.world.describe()}")
            time.sleep(0.5)
            self._act()

    # -- harm ----------------------------------------------------------------------------------------------------

    def _do_harm(self):
        """Kill a worker: half of them at a commit, the others from outside at any moment."""
        if self.random.random() < 0.1:
            self._end_session()
        before = self.deeds["killed"]
        if self.mailing.ready() and self.random.random() < 0.3:
            self._kill_while_mailing()
        elif self.random.random() < 0.5:
            self._kill_at_commit(self.random.randint(1, MOST_COMMITS), self.random.choice(("before", "after")))
        else:
            self._kill_from_outside()
        killed = self.deeds["killed"]
        if killed > before and killed % 50 == 0:
            self.report(f"{killed} killed, {self._open()} open")

    def _kill_at_commit(self, number, moment):
        """The worker that comes to this commit first ends itself there."""
        server = self.world.server
        server.order_exit(number, moment)
        try:
            done = wait_for(server.exit_done, "a worker came to that commit", KILL_SECONDS, 0.02, self.world.database.hurry)
        except AssertionError:
            done = server.take_back_exit()
        if done:
            _pid, _moment, file, _function = done.split()
            self.places[next((text for name, text in PLACES.items() if file.startswith(name)), "planning and showing")] += 1
            self.deeds["killed"] += 1
            self.deeds["killed at a commit"] += 1
            self.deeds["killed at work"] += 1

    def _busy_workers(self):
        """Those that talk to KSeF or to the mail server."""
        server = self.world.server
        busy = server.cron_workers_connected_to(self.world.sandbox.port)
        if self.mailing.sink:
            busy += server.cron_workers_connected_to(self.mailing.sink.port)
        return busy

    def _kill_while_mailing(self):
        """Kill a worker that talks to the mail server, which has the message or is about to get it."""
        try:
            [pid, *_others] = wait_for(
                lambda: self.world.server.cron_workers_connected_to(self.mailing.sink.port), "a worker mails", KILL_SECONDS, 0.01,
                self.world.database.hurry)
        except AssertionError:
            return
        if pid in self.world.server.cron_workers():
            self.world.server.kill_worker(pid)
            for deed in ("killed", "killed at work", "killed while mailing"):
                self.deeds[deed] += 1

    def _kill_from_outside(self):
        """Let a worker begin, and kill it at an arbitrary moment of what it does; now and then one that does nothing."""
        server, end = self.world.server, time.monotonic() + 3
        while not (busy := self._busy_workers()) and time.monotonic() < end:
            time.sleep(0.02)
        workers = server.cron_workers()
        is_busy = bool(busy) and self.random.random() >= 0.1
        chosen = busy if is_busy else workers
        pid = self.random.choice(chosen) if chosen else None
        time.sleep(self.random.uniform(0, 1.6) ** 2)
        if pid in server.cron_workers():
            server.kill_worker(pid)
            self.deeds["killed"] += 1
            self.deeds["killed at work"] += is_busy

    def _end_session(self):
        """KSeF ends one of the open sessions."""
        sessions = [row for row in self.world.sandbox.admin("GET", "/sessions") if row["status"] == 100]
        if sessions:
            self.world.sandbox.admin("POST", f"/sessions/{self.random.choice(sessions)['referenceNumber']}/expire")
            self.deeds["sessions ended"] += 1

    # -- what came of it -----------------------------------------------------------------------------------------

    def summary(self):
        """What was done and what it led to, in one line."""
        figures = dict(self.deeds) | {f"at a commit of {name}": count for name, count in sorted(self.places.items())}
        for work in self.work:
            figures |= work.figures()
        return f"seed {self.seed}: " + ", ".join(f"{name}: {count}" for name, count in figures.items())

    def problems(self):
        """What is not as it must be, as sentences; nothing of it may be there."""
        found = [problem for work in self.work for problem in work.problems()]
        return found + [f"the program failed: {line}" for line in self.world.server.log_lines(r" ERROR \S+ odoo\.addons\.l10n_pl_ksef")]

    def check(self):
        """Fail with everything that is not as it must be."""
        self.report(self.summary())
        problems = self.problems()
        assert not problems, "\n".join(problems[:20])
