"""A month of purchases of all kinds: everything is accepted, on its day, and seen by the company in its role."""

import pytest
import requests

from .caller import nip, wait_for


@pytest.fixture
def month(running):
    """(caller of a company that got a month, {key: what was issued})."""
    company = nip(8300)
    issued = running.caller().admin("POST", f"/companies/{company}/month")
    return running.caller().login(company), company, {one["key"]: one for one in issued}


def test_month(month):
    caller, company, issued = month
    assert {one["status"] for one in issued.values()} == {200}, [one for one in issued.values() if one["status"] != 200]
    days = [one["issueDate"] for one in issued.values()]
    assert days == sorted(days)
    found = {}
    for role in ("Subject1", "Subject2", "Subject3"):
        filters = {"subjectType": role, "dateRange": {
            "dateType": "PermanentStorage", "from": f"{days[0]}T00:00:00Z"}}
        answer = wait_for(lambda filters=filters: caller.call(
            "POST", "/invoices/query/metadata?pageSize=100", filters), lambda got: got.status_code == 200).json()
        found |= {item["ksefNumber"]: (role, item) for item in answer["invoices"]}
    assert set(found) == {one["ksefNumber"] for one in issued.values()}
    roles = {key: found[one["ksefNumber"]][0] for key, one in issued.items()}
    assert {key for key, role in roles.items() if role != "Subject2"} == {"own-known", "own-unknown", "third"}
    kinds = {key: found[one["ksefNumber"]][1]["invoiceType"] for key, one in issued.items()}
    assert {kinds[key] for key in ("peppol", "farmer", "advance", "settlement", "correction", "simplified")} == {
        "VatPef", "VatRr", "Zal", "Roz", "Kor", "Upr"}
    for key, one in issued.items():
        # The number has the day on which it was given.
        assert one["ksefNumber"].split("-")[1] == one["issueDate"].replace("-", ""), key
    again = requests.post(f"{caller.origin}/admin/companies/{company}/month", timeout=5)
    assert again.status_code == 400 and "already" in again.text
