"""Fixtures of the live tests: one prepared database for the run, one world for each module."""

import pytest

pytest.register_assert_rewrite("live.harness.world")

from live.harness.world import World, prepare  # noqa: E402

LOG_LINES = 150


@pytest.fixture(scope="session")
def prepared():
    """Name of the database with companies, buyers and users, which each module gets a copy of."""
    database = prepare()
    yield database.name
    database.drop()


@pytest.fixture(scope="module")
def world(request, prepared):
    """A world of the module's own; options for it stand in the module's WORLD."""
    kind = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    options = getattr(request.module, "WORLD", {})
    world = World(kind, prepared, **options)
    try:
        request.module.world_in_use = world
        yield world
    finally:
        world.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Add the logs of Odoo and the sandbox to the report of a test that failed."""
    report = yield
    world = getattr(item.module, "world_in_use", None)
    if report.failed and world is not None:
        report.sections.append(("state of the documents", _describe(world)))
        for program in (world.server.program, world.sandbox.program):
            report.sections.append((f"log of {program.name}", program.tail(LOG_LINES)))
    return report


def _describe(world):
    try:
        return world.describe()
    except Exception as error:  # noqa: BLE001  nothing here may hide why the test failed
        return f"(cannot be read: {error})"


@pytest.fixture(autouse=True)
def _healthy(request):
    """Each test begins and ends without faults in the sandbox."""
    yield
    if "world" in request.fixturenames:
        request.getfixturevalue("world").sandbox.heal()
