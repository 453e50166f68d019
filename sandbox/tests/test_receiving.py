"""Receiving: by number, metadata with every filter, exports, and who sees what."""

import datetime

import pytest
import requests

from .caller import b64, nip, sha, today, wait_for
from .documents import invoice, third
from .packages import Export
from .test_signed_login import enter


def start(days=5):
    """An instant some days ago."""
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)).isoformat()


def query(caller, subject="Subject1", kind="PermanentStorage", page="", expect=200, **filters):
    """Metadata of the last days."""
    given = filters.pop("dateRange", {})
    body = {"subjectType": subject, "dateRange": {"dateType": kind, "from": start(), **given}, **filters}
    return caller.call("POST", f"/invoices/query/metadata{page}", body, expect=expect).json()


def numbers(answer):
    """Invoice numbers of an answer."""
    return [item["invoiceNumber"] for item in answer["invoices"]]


def stored(caller, *documents):
    """Send invoices and wait until all of them are stored."""
    session = caller.open()
    sent = [caller.send(session, document) for document in documents]
    results = [caller.result(session, reference) for reference in sent]
    assert {item["status"]["code"] for item in results} == {200}, results
    path = f"/sessions/{session.reference}/invoices?pageSize=1000"
    wait_for(lambda: caller.get(path), lambda a: all("permanentStorageDate" in item for item in a["invoices"]))
    return results


def test_four_roles_and_no_stranger(running, user, own_nip):
    buyer, third_one, deputy, stranger = (nip(number) for number in (6601, 6602, 6603, 6604))
    authorized = (f"<PodmiotUpowazniony><DaneIdentyfikacyjne><NIP>{deputy}</NIP><Nazwa>Pełnomocnik</Nazwa></DaneIdentyfikacyjne>"
                  "<Adres><KodKraju>PL</KodKraju><AdresL1>x</AdresL1></Adres><RolaPU>3</RolaPU></PodmiotUpowazniony>")
    xml = invoice(own_nip, "R/1", buyer=buyer, third_party=third(third_one) + authorized)
    [result] = stored(user, xml)
    assert numbers(query(user)) == ["R/1"] and not numbers(query(user, "Subject2"))
    for who, role in ((buyer, "Subject2"), (third_one, "Subject3"), (deputy, "SubjectAuthorized")):
        other = running.caller().login(who)
        found = query(other, role)
        assert "R/1" in numbers(found), role
        assert other.call("GET", f"/invoices/ksef/{result['ksefNumber']}", expect=200).content == xml
    metadata = found["invoices"][0]
    assert metadata["thirdSubjects"][0]["role"] == 4 and metadata["authorizedSubject"]["role"] == 3
    outside = running.caller().login(stranger)
    for role in ("Subject1", "Subject2", "Subject3", "SubjectAuthorized"):
        assert not numbers(query(outside, role))
    refused = outside.call("GET", f"/invoices/ksef/{result['ksefNumber']}", expect=400).json()
    assert refused["errors"][0]["code"] == 21164


def test_not_yet_available(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    user.admin("POST", "/settings", {"storageLagSeconds": 60})
    session = user.open()
    result = user.sent(invoice(own_nip, "Y/1"), session)
    refused = user.call("GET", f"/invoices/ksef/{result['ksefNumber']}", expect=400).json()
    assert refused["errors"][0]["code"] in (21165,)
    assert not numbers(query(user)) and "permanentStorageDate" not in user.get(
        f"/sessions/{session.reference}/invoices")["invoices"][0]


def test_every_filter(user, own_nip):
    other = nip(6700)
    german = "<KodUE>DE</KodUE><NrVatUE>123456789</NrVatUE>"
    results = stored(
        user, invoice(own_nip, "F/1", buyer=other, net="10.00", gross="12.30"),
        invoice(own_nip, "F/2", kind="KOR"), invoice(own_nip, "F/3", currency="EUR", buyer=german),
        invoice(own_nip, "F/4", issued=start()[:10]), invoice(own_nip, "F/5", buyer="<BrakID>1</BrakID>"))
    assert len(numbers(query(user))) == 5
    cases = [
        ({"ksefNumber": results[1]["ksefNumber"]}, ["F/2"]), ({"invoiceNumber": "F/3"}, ["F/3"]),
        ({"sellerNip": own_nip, "invoiceNumber": "F/1"}, ["F/1"]), ({"sellerNip": other}, []),
        ({"buyerIdentifier": {"type": "Nip", "value": other}}, ["F/1"]),
        ({"buyerIdentifier": {"type": "VatUe", "value": "DE123456789"}}, ["F/3"]),
        ({"buyerIdentifier": {"type": "None"}}, ["F/5"]),
        ({"currencyCodes": ["EUR", "USD"]}, ["F/3"]), ({"invoiceTypes": ["Kor"]}, ["F/2"]),
        ({"invoicingMode": "Offline"}, ["F/4"]), ({"formType": "PEF"}, []), ({"hasAttachment": True}, []),
        ({"isSelfInvoicing": True}, []), ({"isSelfInvoicing": None, "invoiceTypes": ["Vat"], "currencyCodes": ["PLN"]},
                                          ["F/1", "F/4", "F/5"]),
        ({"amount": {"type": "Brutto", "from": 12.3, "to": 12.3}}, ["F/1"]),
        ({"amount": {"type": "Netto", "to": 50}}, ["F/1"]), ({"amount": {"type": "Vat", "from": 99}}, ["F/3"]),
    ]
    for filters, expected in cases:
        assert sorted(numbers(query(user, **filters))) == expected, filters


def test_sorting_paging_and_date_types(user, own_nip):
    stored(user, *(invoice(own_nip, f"S/{number:02d}") for number in range(25)))
    first, second = query(user, page="?pageSize=10"), query(user, page="?pageSize=10&pageOffset=1")
    third_page = query(user, page="?pageSize=10&pageOffset=2")
    assert [len(page["invoices"]) for page in (first, second, third_page)] == [10, 10, 5]
    assert [page["hasMore"] for page in (first, second, third_page)] == [True, True, False]
    assert not first["isTruncated"] and first["permanentStorageHwmDate"]
    ordered = numbers(first) + numbers(second) + numbers(third_page)
    assert len(set(ordered)) == 25
    assert numbers(query(user, page="?pageSize=100&sortOrder=Desc")) == ordered[::-1]
    by_issue = query(user, kind="Issue", page="?pageSize=100")
    assert len(by_issue["invoices"]) == 25 and by_issue["permanentStorageHwmDate"] is None
    day = {"from": f"{today()}T12:00:00+01:00", "to": f"{today()}T12:00:00+01:00"}
    assert len(query(user, kind="Issue", page="?pageSize=100", dateRange=day)["invoices"]) == 25
    moments = [item["invoicingDate"] for item in query(user, kind="Invoicing", page="?pageSize=100")["invoices"]]
    assert moments == sorted(moments)


@pytest.mark.parametrize(("given", "code"), [
    ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, 21405),
    ({"from": "2025-01-01T00:00:00Z"}, 21405),
    ({"from": "2026-11-10T00:00:00Z", "to": "2026-11-01T00:00:00Z"}, 21405),
    ({"from": "wczoraj"}, 21405),
    ({"dateType": "Whenever"}, 21405),
    ({"from": "2026-11-01T00:00:00Z", "dateType": None}, 21405),
    ({"from": "2099-01-01T00:00:00Z", "to": "2099-01-02T00:00:00Z", "restrictToPermanentStorageHwmDate": True}, 21183),
])
def test_refused_ranges(user, given, code):
    assert query(user, expect=400, dateRange=given)["errors"][0]["code"] == code


def test_hundred_days_exactly(user):
    end = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    begin = end - datetime.timedelta(days=100)
    assert query(user, dateRange={"from": begin.isoformat(), "to": end.isoformat()})["hasMore"] is False
    before = begin - datetime.timedelta(seconds=1)
    query(user, expect=400, dateRange={"from": before.isoformat(), "to": end.isoformat()})


def test_high_water_mark_lags_and_restricts(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    user.admin("POST", "/settings", {"hwmLagSeconds": 30})
    stored(user, invoice(own_nip, "H/1"))
    restricted = {"restrictToPermanentStorageHwmDate": True}
    assert numbers(query(user)) == ["H/1"] and not numbers(query(user, dateRange=restricted))
    user.admin("POST", "/settings", {"clockOffsetSeconds": 40})
    assert numbers(query(user, dateRange=restricted)) == ["H/1"]


def test_cap_of_ten_thousand(sandbox, own_nip):
    """10 000 results are the most a query gives; the archive is filled behind the API's back."""
    user = sandbox.caller().login(own_nip)
    [result] = stored(user, invoice(own_nip, "C/1"))
    store = sandbox.app.store
    row = dict(store.one("SELECT * FROM archive WHERE ksef_number = ?", result["ksefNumber"]))
    del row["id"]
    with store.transaction():
        for number in range(10_003):
            invoice_id = store.insert("archive", **{**row, "ksef_number": f"{own_nip}-20261121-{number:012X}-00"})
            store.insert("parties", role="Subject1", value=own_nip, invoice=invoice_id, stored=row["stored"],
                         invoiced=row["invoiced"], issued=row["issued"])
    last = query(user, page="?pageSize=250&pageOffset=39")
    assert len(last["invoices"]) == 250 and last["hasMore"] and last["isTruncated"]
    assert not query(user, page="?pageSize=250&pageOffset=38")["isTruncated"]
    assert query(user, page="?pageSize=250&pageOffset=40", expect=400)["errors"][0]["code"] == 21405


# --- exports --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "Zip", "TarGz"])
def test_export(user, own_nip, compression):
    documents = [invoice(own_nip, f"X/{number}") for number in range(3)]
    results = stored(user, *documents)
    options = {"compressionType": compression} if compression else {}
    export = Export(user, {"subjectType": "Subject1", "dateRange": {"dateType": "PermanentStorage", "from": start()}},
                    **options)
    status = export.result()
    assert status["status"]["code"] == 200 and status["package"]["invoiceCount"] == 3
    assert not status["package"]["isTruncated"] and status["package"]["permanentStorageHwmDate"]
    assert status["package"]["parts"][0]["partName"].startswith(f"{export.reference}-001.")
    found = export.files()
    assert {name: found[name] for name in found if name != "_metadata.json"} == {
        f"{item['ksefNumber']}.xml": document for item, document in zip(results, documents, strict=True)}
    assert sorted(item["invoiceHash"] for item in export.metadata()) == sorted(map(sha, documents))


def test_export_of_metadata_only_and_of_nothing(user, own_nip):
    stored(user, invoice(own_nip, "XM/1"))
    filters = {"subjectType": "Subject1", "dateRange": {"dateType": "Invoicing", "from": start()}}
    assert set(Export(user, filters, onlyMetadata=True).files()) == {"_metadata.json"}
    empty = Export(user, {**filters, "subjectType": "Subject3"}).result()
    assert empty["status"]["code"] == 200 and empty["package"]["invoiceCount"] == 0 and not empty["package"]["parts"]


def test_export_refusals(user, running):
    late = {"dateType": "PermanentStorage", "from": "2099-01-01T00:00:00Z", "to": "2099-01-02T00:00:00Z",
            "restrictToPermanentStorageHwmDate": True}
    assert Export(user, {"subjectType": "Subject1", "dateRange": late}).result()["status"]["code"] == 420
    good = {"subjectType": "Subject1", "dateRange": {"dateType": "PermanentStorage", "from": start()}}
    assert Export(user, good, encryption={"encryptedSymmetricKey": b64(b"y" * 256)}).result()["status"]["code"] == 415
    unknown = Export(user, good, encryption={"publicKeyId": b64(b"k" * 32)}, expect=400).started.json()
    assert unknown["errors"][0]["code"] == 21470
    stranger = running.caller().login(nip(6800))
    done = Export(user, good)
    assert stranger.call("GET", f"/invoices/exports/{done.reference}", expect=400).json()["errors"][0]["code"] == 21175


def test_ten_exports_at_once_and_their_end(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    stored(user, invoice(own_nip, "XE/1"))
    good = {"subjectType": "Subject1", "dateRange": {"dateType": "PermanentStorage", "from": start()}}
    done = Export(user, good)
    url = done.result()["package"]["parts"][0]["url"]
    user.admin("POST", "/settings", {"processingSeconds": 3600})
    for _ in range(10):
        Export(user, good)
    assert Export(user, good, expect=400).started.json()["errors"][0]["code"] == 21182
    user.admin("POST", "/settings", {"clockOffsetSeconds": 3700, "processingSeconds": 0})
    assert requests.get(url, timeout=5).status_code == 403
    user.admin("POST", "/settings", {"clockOffsetSeconds": 4 * 24 * 3600})
    user.login(own_nip)
    expired = user.get(f"/invoices/exports/{done.reference}")
    assert expired["status"]["code"] == 210 and "package" not in expired
    user.admin("POST", "/settings", {"clockOffsetSeconds": 8 * 24 * 3600})
    user.login(own_nip)
    assert user.call("GET", f"/invoices/exports/{done.reference}").status_code == 410


def test_export_faults(user, own_nip):
    stored(user, invoice(own_nip, "XF/1"))
    good = {"subjectType": "Subject1", "dateRange": {"dateType": "PermanentStorage", "from": start()}}
    user.fault("wrong_export_hash", "POST /invoices/exports", nip=own_nip)
    with pytest.raises(AssertionError):
        Export(user, good).files()
    user.fault("export_status", "POST /invoices/exports", code=550, nip=own_nip)
    assert Export(user, good).result()["status"]["code"] == 550
    user.fault("expired_links", "GET /invoices/exports/{ref}", nip=own_nip, skip=0)
    export = Export(user, good)
    wait_for(export.result, lambda answer: answer["status"]["code"] == 200)
    assert "XF/1" in [item["invoiceNumber"] for item in export.metadata()]


# --- collective identifiers -----------------------------------------------------------------------------------


def test_collective_identifiers(running, user, own_nip):
    buyer = nip(6900)
    results = stored(user, *(invoice(own_nip, f"IZ/{number}", buyer=buyer) for number in range(3)))
    marks = [item["ksefNumber"] for item in results]
    items = [{"ksefNumber": marks[0], "payment": {"amount": 10.5, "currency": "PLN"}, "description": "rata"},
             {"ksefNumber": marks[1]}]
    made = user.call("POST", "/collective-identifiers", {"invoices": items}, expect=201).json()
    number = made["collectiveIdentifierNumber"]
    assert len(number) == 35 and number.startswith(f"{own_nip}-IZ{today()[:4]}")
    span = {"dateCreatedFrom": start(), "dateCreatedTo": start(-1)}
    [found] = user.call("POST", "/collective-identifiers/query", span, expect=200).json()["collectiveIdentifiers"]
    assert found["invoiceCount"] == 2 and found["createdInCurrentContext"]
    assert not user.call("POST", "/collective-identifiers/query", {**span, "invoiceCountFrom": 3},
                         expect=200).json()["collectiveIdentifiers"]
    inside = {"collectiveIdentifierNumbers": [number]}
    own = user.call("POST", "/collective-identifiers/invoices", inside, expect=200).json()["invoices"]
    assert sorted(item["ksefNumber"] for item in own) == sorted(marks[:2])
    paid = next(item for item in own if item["ksefNumber"] == marks[0])
    assert paid["payment"] == {"amount": 10.5, "currency": "PLN"} and not paid["detailsHidden"]
    stranger = running.caller().login(nip(6950))
    hidden = stranger.call("POST", "/collective-identifiers/invoices", inside, expect=200).json()["invoices"]
    assert {item["detailsHidden"] for item in hidden} == {True, False} and all("payment" not in item for item in hidden)
    customer = running.caller().login(buyer)
    by_invoice = customer.get(f"/collective-identifiers/ksef/{marks[0]}")["collectiveIdentifiers"]
    assert by_invoice[0]["collectiveIdentifierNumber"] == number and not by_invoice[0]["createdInCurrentContext"]
    assert not stranger.get(f"/collective-identifiers/ksef/{marks[0]}")["collectiveIdentifiers"]


def test_collective_refusals(user, running, own_nip):
    other = nip(6960)
    [mine] = stored(user, invoice(own_nip, "IR/1"))
    [theirs] = stored(enter(running.caller(), other), invoice(other, "IR/2", buyer=own_nip))

    def code(*marks):
        body = {"invoices": [{"ksefNumber": mark} for mark in marks]}
        return user.call("POST", "/collective-identifiers", body, expect=400).json()["errors"][0]["code"]
    absent = "5265877635-20250826-0100001AF629-AF"
    assert code(mine["ksefNumber"], absent) == 71001
    assert code(mine["ksefNumber"], theirs["ksefNumber"]) == 71004
    assert code(mine["ksefNumber"], mine["ksefNumber"]) == 71005
    assert code(mine["ksefNumber"]) == 21405
