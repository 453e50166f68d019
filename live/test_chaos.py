"""A short run of everything going wrong at once; ``dev/chaos`` makes long ones."""

import contextlib

import pytest

from live.harness.chaos import Chaos
from live.harness.mail import Sink

WORLD = {"exits": True}
INVOICES, MAILS, RECEIVED, KILLS, SEED = 40, 4, 40, 16, 20261121


@pytest.mark.timeout(600)
def test_chaos(world):
    """40 invoices alone and in batches, 4 of them mailed, 40 received; 16 workers killed, KSeF failing at random: every
    invoice is accepted once and its number known, every e-mail went at most once, every received invoice is here once."""
    world.connect(world.first, world.second)
    chaos = Chaos(world, SEED, print)
    with contextlib.closing(Sink()) as sink:
        sink.serve(world)
        sink.pause = 0.3  # long enough to be killed in
        chaos.run(INVOICES, KILLS, MAILS, RECEIVED, sink)
    chaos.check()
    assert chaos.deeds["killed"] == KILLS
    assert chaos.deeds["killed at work"] >= KILLS // 2
    assert chaos.deeds["killed at a commit"]
    assert chaos.deeds["calls that failed"]
    sessions = world.database.value("SELECT count(*) FROM ksef_session WHERE kind = 'batch' AND reference_number IS NOT NULL")
    assert sessions, "no batch was opened"
