"""Odoo whose cron workers die when they are told to: at a commit of the addon's, just before it or just after it.

Servers with ``exits`` run this text in the place of ``odoo-bin``. KSEF_LIVE_EXITS names a folder; its file ``order`` holds
"MARK NUMBER before|after". The first cron worker that comes to the NUMBERth commit since it saw the order takes the file
away, writes the place to ``done`` and ends at once (os._exit): nothing of the process is tidied up.
"""

import contextlib
import os
import sys
from pathlib import Path

import odoo.cli

EXITS = Path(os.environ["KSEF_LIVE_EXITS"])
CODE = 70  # none that Odoo's server understands


class Exits:
    """The order that this process has seen, and how many commits ago."""

    def __init__(self):
        self.is_cron = False
        self.order = None
        self.count = 0

    def is_now(self, moment):
        """Whether this commit is the one; whoever takes the order away is the one that dies."""
        try:
            order = (EXITS / "order").read_text().split()
        except OSError:
            return False
        if order != self.order:
            self.order, self.count = order, 0
        self.count += moment == "before"
        if len(order) != 3 or self.count < int(order[1]) or order[2] != moment:
            return False
        try:
            os.rename(EXITS / "order", EXITS / "taken")
        except OSError:
            return False
        return True


def place():
    """Where the addon commits, as "file function": the innermost step of a worker. None: not the addon."""
    frame, found = sys._getframe(2), None
    while frame:
        path = Path(frame.f_code.co_filename)
        if path.parent.name == "models" and path.name.startswith("ksef_"):
            found = f"{path.stem} {frame.f_code.co_name}"
            if path.stem.startswith("ksef_worker_"):
                return found
        frame = frame.f_back
    return found


def install():
    """Have each commit look for an order."""
    from odoo.service.server import WorkerCron
    from odoo.sql_db import Cursor

    exits = Exits()
    start, commit = WorkerCron.start, Cursor.commit

    def start_as_cron(worker):
        exits.is_cron = True
        return start(worker)

    def end(where, moment):
        with contextlib.suppress(OSError):
            (EXITS / "writing").write_text(f"{os.getpid()} {moment} {where}")
            os.rename(EXITS / "writing", EXITS / "done")
        os._exit(CODE)

    def commit_or_die(cursor):
        where = exits.is_cron and place()
        if where and exits.is_now("before"):
            end(where, "before")
        answer = commit(cursor)
        if where and exits.is_now("after"):
            end(where, "after")
        return answer

    WorkerCron.start, Cursor.commit = start_as_cron, commit_or_die


if "gevent" not in sys.argv:
    install()
odoo.cli.main()
