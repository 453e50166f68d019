"""Limits of calls: three windows, one counter for each context, address and group; both formats of 429."""

import time

from .caller import nip
from .documents import invoice

GROUPS = ("onlineSession", "batchSession", "invoiceSend", "invoiceStatus", "sessionList", "sessionInvoiceList",
          "sessionMisc", "invoiceMetadata", "invoiceExport", "invoiceExportStatus", "invoiceDownload",
          "collectiveIdentifier", "other")


def limits(**changes):
    """A body for POST /testdata/rate-limits: generous but for the groups named."""
    generous = {"perSecond": 1000, "perMinute": 1000, "perHour": 1000}
    return {"rateLimits": {name: {**generous, **changes.get(name, {})} for name in GROUPS}}


def test_published_values(user):
    rates = user.get("/rate-limits")
    assert rates["invoiceSend"] == {"perSecond": 10, "perMinute": 30, "perHour": 180}
    assert rates["anonymous"]["perSecond"] == 60 and rates["global"]["perSecond"] == -1 and len(rates) == 17


def test_off_unless_wanted(user):
    assert {user.call("GET", "/sessions?sessionType=Online").status_code for _ in range(12)} == {200}


def test_a_context_meets_its_limit_and_others_do_not(running, user):
    user.call("POST", "/testdata/rate-limits", limits(sessionList={"perMinute": 3}), expect=200)
    path = "/sessions?sessionType=Online"
    assert [user.call("GET", path).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = user.call("GET", path)
    assert 1 <= int(refused.headers["Retry-After"]) <= 90 and refused.json()["status"] == 429
    assert "3 żądań na minutę" in refused.json()["detail"]
    old = user.call("GET", path, headers={"X-Error-Format": ""})
    assert old.json()["status"]["code"] == 429 and int(old.headers["Retry-After"]) > int(refused.headers["Retry-After"])
    assert user.call("GET", "/limits/context").status_code == 200, "another group has its own counter"
    other = running.caller().login(nip(7300))
    assert other.call("GET", path).status_code == 200
    user.call("DELETE", "/testdata/rate-limits", expect=200)
    assert user.call("GET", path).status_code == 200


def test_windows_slide(user):
    user.call("POST", "/testdata/rate-limits", limits(other={"perSecond": 2}), expect=200)
    codes = [user.call("GET", "/limits/context").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    time.sleep(1.05)
    assert user.call("GET", "/limits/context").status_code == 200
    assert user.call("GET", "/limits/subject").status_code == 200, "each endpoint of 'other' counts for itself"


def test_production_values_are_enforced(user, own_nip):
    session = user.open()
    user.call("POST", "/testdata/rate-limits/production", expect=200)
    codes = [user.call("POST", f"/sessions/online/{session.reference}/invoices",
                       user.body(session, invoice(own_nip, f"RL/{number}"))).status_code for number in range(11)]
    assert codes.count(202) == 10 and codes[-1] == 429


def test_on_for_all(sandbox):
    caller = sandbox.caller()
    caller.admin("POST", "/settings", {"rateLimits": True})
    codes = []
    while 429 not in codes and len(codes) < 1000:
        codes.append(caller.call("POST", "/auth/challenge", token=None).status_code)
    assert len(codes) > 60 and codes[-1] == 429 and set(codes[:-1]) == {200}


def test_zero_forbids(user):
    user.call("POST", "/testdata/rate-limits", limits(invoiceDownload={"perHour": 0}), expect=200)
    refused = user.call("GET", "/invoices/ksef/5265877635-20250826-0100001AF629-AF")
    assert refused.status_code == 429
