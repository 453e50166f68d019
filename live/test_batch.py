"""Batches with real workers: killed at random moments while KSeF fails at random."""

import pytest

from live.harness.chaos import BATCH_FAULTS, Chaos

INVOICES, KILLS, SEED, TOGETHER = 40, 8, 20261122, 10


@pytest.mark.timeout(600)
def test_chaos(world):
    """40 invoices in packages of ten, 8 workers killed: every invoice is accepted once, and its number known."""
    world.connect(world.first)
    world.parameters(batch_from=4)
    chaos = Chaos(world, SEED, print, BATCH_FAULTS, TOGETHER)
    chaos.run(INVOICES, KILLS)
    chaos.check()
    assert chaos.deeds["killed"] == KILLS
    assert chaos.deeds["calls that failed"]
    # What has failed as a whole goes alone after a while, so this counts sessions and not what they brought in the end.
    sessions = world.database.value("SELECT count(*) FROM ksef_session WHERE kind = 'batch' AND reference_number IS NOT NULL")
    assert sessions >= INVOICES // TOGETHER, sessions
