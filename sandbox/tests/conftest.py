"""Fixtures: a sandbox in a thread, reached over real HTTP, and callers of it."""

import itertools
import threading

import pytest

from sandbox.app import App, make_server
from sandbox.fa3 import find_schema
from sandbox.settings import Settings

from . import contract
from .caller import Caller, nip

_NUMBERS = itertools.count(1)


def schema():
    """An FA(3) schema: of the Odoo in ODOO_HOME, else of the official documents."""
    found = find_schema()
    if found is None and contract.folder():
        found = next((contract.folder() / "xsd/fa3").glob("schemat_FA(3)*.xsd"), None)
    return found


class Running:
    """A sandbox and its server."""

    def __init__(self, **options):
        settings = options.pop("settings", None) or Settings(processing_seconds=0.05)
        path = schema()
        if path is None:
            pytest.fail("no FA(3) schema: set ODOO_HOME, or KSEF_SHARED to the official documents")
        self.app = App(schemas=[path], settings=settings, **options)
        self.server = make_server(self.app)
        self.origin = self.server.origin
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def caller(self, **options):
        """A new caller; the contract, where it is present, judges each of its exchanges."""
        caller = Caller(self.origin, **options)
        if contract.load():
            caller.observer = contract.load().check
        return caller

    def stop(self):
        """End it."""
        self.server.shutdown()
        self.server.server_close()
        self.app.close()


@pytest.fixture(scope="session")
def running():
    """One sandbox for many tests; they keep apart by using different NIPs."""
    sandbox = Running(seed=7)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox():
    """A sandbox of the test's own."""
    one = Running(seed=11)
    yield one
    one.stop()


@pytest.fixture
def make_sandbox():
    """Make sandboxes with options; all are stopped at the end."""
    made = []

    def make(**options):
        made.append(Running(**options))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def own_nip():
    """A NIP that no other test uses."""
    return nip(next(_NUMBERS))


@pytest.fixture
def caller(running):
    """An anonymous caller of the shared sandbox."""
    return running.caller()


@pytest.fixture
def user(running, own_nip):
    """A caller that is logged in with the rights to read and to send."""
    return running.caller().login(own_nip)
