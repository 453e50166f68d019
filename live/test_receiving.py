"""Workers that die while they fetch: no invoice is missed and none is here twice."""

import base64
import hashlib

import pytest

from live.harness.waiting import wait_for
from sandbox.tests.caller import Caller, nip, today
from sandbox.tests.documents import invoice
from sandbox.tests.packages import Package, zipped

METADATA = "POST /invoices/query/metadata"
SUPPLIER = nip(77)
PAGE = 250  # invoices that the worker asks for at once


@pytest.fixture(scope="module", autouse=True)
def connections(world):
    """Both companies connected, and as many calls as they need."""
    world.sandbox.set(hwmLagSeconds=0, storageLagSeconds=0)
    world.parameters(fetch_calls_per_minute=1000, fetch_calls_per_hour=1000, download_calls_per_minute=1, download_calls_per_hour=1)
    return world.connect(world.first, world.second)


def issue(world, buyer, count, prefix):
    """Invoices of a supplier for ``buyer``, sent as one batch; return their numbers."""
    numbers = [f"{prefix}/{number}" for number in range(count)]
    package = Package(Caller(world.sandbox.url.removesuffix("/v2")).login(SUPPLIER), zipped({
        f"{place}.xml": invoice(SUPPLIER, number, buyer=buyer) for place, number in enumerate(numbers)}))
    assert package.done()["successfulInvoiceCount"] == count
    return numbers


def follow(world, company, mode):
    """Switch fetching of purchases on."""
    world.admin.call("res.company", "write", [company.id], {
        "ksef_fetch_active": True, "ksef_fetch_buyer": True, "ksef_fetch_mode": mode, "ksef_fetch_start_date": today()})


def received(world, company):
    """The company's received invoices, oldest first."""
    return world.database.rows("SELECT * FROM ksef_received WHERE company_id = %s ORDER BY id", company.id)


def position(world, company):
    """Up to where the checkpoint says that everything is here (text, UTC)."""
    return world.database.value(
        "SELECT position FROM ksef_fetch WHERE company_id = %s AND is_sync AND role = 'buyer'", company.id)


def assert_complete(world, company, numbers):
    """Every invoice is here once, and the checkpoint is no further than KSeF's high water mark was."""
    rows = received(world, company)
    assert sorted(row["invoice_number"] for row in rows) == sorted(numbers)
    assert len({row["ksef_number"] for row in rows}) == len(rows)
    stored = max(row["permanent_storage_date"] for row in rows).isoformat()
    now = world.database.value("SELECT now() AT TIME ZONE 'UTC'").isoformat()
    assert stored <= position(world, company)[:len(stored)] <= now


def test_killed_after_the_first_page(world):
    """Page one of three is committed when the worker dies: the next one goes on behind it."""
    numbers = issue(world, world.first.nip, 2 * PAGE + 40, "P")
    fault = world.sandbox.fault(METADATA, "delay", seconds=3, skip=1, nip=world.first.nip)
    follow(world, world.first, "single")
    world.wait_for(lambda: world.sandbox.hits(fault), "the second page is asked for")
    world.kill_calling_worker()
    rows = received(world, world.first)
    assert [row["invoice_number"] for row in rows] == numbers[:PAGE]
    world.sandbox.heal()
    world.wait_for(lambda: len(received(world, world.first)) >= len(numbers), "the rest is listed", hurry=True)
    world.wait_for(lambda: not world.calling_worker(), "the worker is done", hurry=True)
    assert_complete(world, world.first, numbers)


def test_truncated_exports_and_killed_between_parts(world):
    """KSeF cuts each package short, in several parts, and a worker dies between two of these."""
    numbers = issue(world, world.second.nip, 250, "E")
    world.sandbox.set(mostResults=100, partBytes=20_000, linkDelaySeconds=1.5)
    follow(world, world.second, "export")

    def parts():
        return [row for row in world.sandbox.admin("GET", "/requests?limit=5000") if row["path"].startswith("/storage/exports")]

    world.wait_for(lambda: len(parts()) == 1, "the first part is here")
    world.kill_calling_worker()
    assert not received(world, world.second)
    [fetch] = world.database.rows("SELECT * FROM ksef_fetch WHERE company_id = %s AND is_sync", world.second.id)
    assert fetch["export_state"] == "waiting", "the package is not asked for again"
    world.sandbox.set(linkDelaySeconds=0)
    world.wait_for(lambda: len(received(world, world.second)) >= len(numbers), "everything is stored", 120, hurry=True)
    rows = received(world, world.second)
    assert {row["state"] for row in rows} == {"stored"}
    for row in rows:
        digest = hashlib.sha256(base64.b64decode(bytes(row["xml"]))).digest()
        assert base64.b64encode(digest).decode() == row["xml_hash"]
    asked = [row for row in world.sandbox.requests("POST", "/invoices/exports") if row["status"] < 300]
    assert len(asked) == 3, "three packages of a hundred, none of them twice"
    later = issue(world, world.second.nip, 5, "L")
    wait_for(lambda: len(received(world, world.second)) >= len(numbers + later), world.describe, 60, meanwhile=world.database.hurry)
    assert_complete(world, world.second, numbers + later)
    world.sandbox.set(mostResults=10_000, partBytes=50_000_000)
