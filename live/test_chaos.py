"""A short run of everything going wrong at once."""

import pytest

from live.harness.chaos import Chaos

INVOICES, KILLS, SEED = 40, 20, 20261121


@pytest.mark.timeout(600)
def test_chaos(world):
    """40 invoices, 20 workers killed, KSeF failing at random: every invoice is accepted once, and its number known."""
    world.connect(world.first)
    chaos = Chaos(world, SEED, print)
    chaos.run(INVOICES, KILLS)
    chaos.check()
    assert chaos.deeds["killed"] == KILLS
    assert chaos.deeds["killed at work"] >= KILLS // 2
    assert chaos.deeds["calls that failed"]
