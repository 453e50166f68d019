"""Interactive sessions: what is checked at once, what is checked later, and what comes out of it."""

import base64
import datetime
import re

import pytest
import requests

from .caller import FORM, b64, sha, today, wait_for
from .documents import invoice, third

KSEF = re.compile(r"[1-9]\d{9}-\d{8}-[0-9A-F]{12}-[0-9A-F]{2}")


def crc8(text):
    """CRC-8, polynomial 7, bit by bit over the whole text."""
    register = 0
    for bit in "".join(f"{byte:08b}" for byte in text.encode()) + "00000000":
        register = (register << 1) | int(bit)
        if register & 0x100:
            register ^= 0x107
    return f"{register:02X}"


def codes(answer):
    """Error codes of a problem-details answer."""
    return [error["code"] for error in answer.json()["errors"]]


def test_crc_of_the_test_is_right():
    assert crc8("5265877635-20250826-0100001AF629") == "AF" and crc8("8980017188-20260324-381F0C000000") == "A2"


def test_an_invoice_is_accepted(user, own_nip):
    xml = invoice(own_nip, "FV/2026/1")
    session = user.open()
    reference = user.send(session, xml)
    result = user.result(session, reference)
    assert result["status"] == {"code": 200, "description": "Sukces"}
    number = result["ksefNumber"]
    assert KSEF.fullmatch(number) and number.startswith(own_nip) and crc8(number[:32]) == number[-2:]
    assert result["invoiceHash"] == sha(xml) and result["invoiceNumber"] == "FV/2026/1"
    assert result["invoicingMode"] == "Online" and result["ordinalNumber"] == 1
    stored = wait_for(lambda: user.get(f"/sessions/{session.reference}/invoices/{reference}"),
                      lambda answer: "permanentStorageDate" in answer)
    assert stored["invoicingDate"] < stored["acquisitionDate"] < stored["permanentStorageDate"]
    fetched = wait_for(lambda: user.call("GET", f"/invoices/ksef/{number}"), lambda answer: answer.status_code == 200)
    assert fetched.content == xml and fetched.headers["x-ms-meta-hash"] == sha(xml)


def test_statuses_pass_through_100_and_150(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    user.admin("POST", "/settings", {"processingSeconds": 0.6})
    session = user.open()
    reference = user.send(session, invoice(own_nip, "FV/1"))
    seen = []

    def ask():
        answer = user.get(f"/sessions/{session.reference}/invoices/{reference}")
        seen.append(answer["status"]["code"])
        return answer
    wait_for(ask, lambda answer: answer["status"]["code"] >= 200)
    assert sorted(set(seen)) == [100, 150, 200] and seen == sorted(seen)


def test_session_status_counts_and_closing(user, own_nip):
    session = user.open()
    user.sent(invoice(own_nip, "A/1"), session)
    user.sent(b"<not-an-invoice/>", session)
    status = user.get(f"/sessions/{session.reference}")
    assert (status["status"]["code"], status["invoiceCount"], status["successfulInvoiceCount"],
            status["failedInvoiceCount"]) == (100, 2, 1, 1)
    assert "upo" not in status
    failed = user.get(f"/sessions/{session.reference}/invoices/failed")["invoices"]
    assert [item["ordinalNumber"] for item in failed] == [2]
    assert user.close(session)["status"]["code"] == 200
    assert codes(user.send(session, invoice(own_nip, "A/2"), expect=400)) == [21180]
    assert codes(user.call("POST", f"/sessions/online/{session.reference}/close", expect=400)) == [21180]


def test_empty_and_hopeless_sessions(user, own_nip):
    assert user.close(user.open())["status"] == {
        "code": 440, "description": "Sesja anulowana", "details": ["Nie przesłano faktur"]}
    session = user.open()
    user.sent(b"<x/>", session)
    assert user.close(session)["status"]["code"] == 445


def test_expired_session_closes_itself(user, own_nip):
    session = user.open()
    user.sent(invoice(own_nip, "E/1"), session)
    user.admin("POST", f"/sessions/{session.reference}/expire")
    assert codes(user.send(session, invoice(own_nip, "E/2"), expect=400)) == [21180]
    final = wait_for(lambda: user.get(f"/sessions/{session.reference}"), lambda a: a["status"]["code"] >= 200)
    assert final["status"]["code"] == 200 and final["upo"]["pages"]


def test_twelve_hours(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    session = user.open()
    user.sent(invoice(own_nip, "E/1"), session)
    user.admin("POST", "/settings", {"clockOffsetSeconds": 12 * 3600 + 5})
    user.login(own_nip)
    final = wait_for(lambda: user.get(f"/sessions/{session.reference}"), lambda a: a["status"]["code"] >= 200)
    assert final["status"]["code"] == 200


@pytest.mark.parametrize(("changes", "code"), [
    ({"encryptedInvoiceSize": 5}, 21402),
    ({"encryptedInvoiceHash": sha(b"other")}, 21403),
    ({"encryptedInvoiceHash": "abc"}, 21405),
    ({"encryptedInvoiceHash": b64(b"short")}, 21405),
    ({"invoiceSize": 0}, 21405),
    ({"invoiceSize": "12"}, 21001),
    ({"encryptedInvoiceContent": "nie-base64!"}, 21405),
    ({"encryptedInvoiceContent": None}, 21405),
    ({"hashOfCorrectedInvoice": sha(b"unknown"), "offlineMode": True}, 21405),
    ({"offlineMode": None}, 21001),
])
def test_what_is_refused_at_once(user, own_nip, changes, code):
    session = user.open()
    answer = user.call("POST", f"/sessions/online/{session.reference}/invoices",
                       user.body(session, invoice(own_nip, "B/1"), **changes), expect=400)
    assert codes(answer) == [code]
    assert user.get(f"/sessions/{session.reference}")["invoiceCount"] == 0


def test_unknown_session_and_foreign_session(user, running, own_nip):
    session = user.open()
    stranger = running.caller().login("9999999999")
    for path in (f"/sessions/{session.reference}", f"/sessions/{session.reference}/invoices",
                 f"/sessions/{session.reference}/invoices/failed"):
        assert codes(stranger.call("GET", path, expect=400)) == [21173]
    assert codes(stranger.send(session, invoice(own_nip, "C/1"), expect=400)) == [21173]
    assert codes(user.call("GET", "/sessions/zly-numer", expect=400)) == [21405]
    assert codes(user.call("GET", f"/sessions/{session.reference}/invoices/{session.reference}", expect=400)) == [21405]


@pytest.mark.parametrize(("spoil", "code", "detail"), [
    (lambda body: {**body, "invoiceHash": sha(b"x")}, 430, "Skrót"),
    (lambda body: {**body, "invoiceSize": body["invoiceSize"] + 1}, 430, "Rozmiar"),
])
def test_plaintext_is_checked_later(user, own_nip, spoil, code, detail):
    session = user.open()
    sent = user.call("POST", f"/sessions/online/{session.reference}/invoices",
                     spoil(user.body(session, invoice(own_nip, "D/1"))), expect=202).json()
    status = user.result(session, sent["referenceNumber"])["status"]
    assert status["code"] == code and detail in status["details"][0]


def test_undecipherable_content(user, own_nip):
    session = user.open()
    xml = invoice(own_nip, "D/2")
    body = user.body(session, xml)
    # Without its last block it ends in text, which is no padding; random bytes are one time in 256.
    junk = session.encrypt(xml)[:-16]
    body.update(encryptedInvoiceContent=b64(junk), encryptedInvoiceHash=sha(junk), encryptedInvoiceSize=len(junk))
    sent = user.call("POST", f"/sessions/online/{session.reference}/invoices", body, expect=202).json()
    assert user.result(session, sent["referenceNumber"])["status"]["code"] == 435


def test_wrong_key_is_told_later(user, own_nip):
    encryption, _key, _vector = user.encryption(encryptedSymmetricKey=b64(b"y" * 256))
    opened = user.call("POST", "/sessions/online", {"formCode": FORM, "encryption": encryption}, expect=201).json()
    final = wait_for(lambda: user.get(f"/sessions/{opened['referenceNumber']}"),
                     lambda answer: answer["status"]["code"] != 100)
    assert final["status"] == {"code": 415, "description": "Błąd odszyfrowania dostarczonego klucza"}


def test_unknown_key_id(user):
    encryption, _key, _vector = user.encryption(publicKeyId=b64(b"k" * 32))
    answer = user.call("POST", "/sessions/online", {"formCode": FORM, "encryption": encryption}, expect=400)
    assert codes(answer) == [21470]


@pytest.mark.parametrize(("form", "code"), [
    ({**FORM, "systemCode": "FA(3)"}, 21405), ({**FORM, "schemaVersion": "1-0"}, 21405), ({**FORM, "value": "fa"}, 21405),
])
def test_form_code_must_be_exact(user, form, code):
    encryption, _key, _vector = user.encryption()
    assert codes(user.call("POST", "/sessions/online", {"formCode": form, "encryption": encryption},
                           expect=400)) == [code]


def test_duplicate_names_the_original(user, own_nip):
    session = user.open()
    first = user.sent(invoice(own_nip, "DUP/1", net="1.00"), session)
    again = user.sent(invoice(own_nip, "DUP/1", net="2.00"))
    assert again["status"]["code"] == 440 and again["invoiceNumber"] == "DUP/1" and "ksefNumber" not in again
    assert again["status"]["extensions"] == {"originalSessionReferenceNumber": session.reference,
                                             "originalKsefNumber": first["ksefNumber"]}
    correction = user.sent(invoice(own_nip, "DUP/1", kind="KOR"))
    assert correction["status"]["code"] == 200, "another kind with the same number is no duplicate"
    upo = user.call("GET", f"/sessions/{session.reference}/invoices/ksef/{first['ksefNumber']}/upo", expect=200)
    assert first["ksefNumber"] in upo.text


def test_duplicates_are_remembered_for_ten_years(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    oldest = int(today()[:4]) - 10
    assert user.sent(invoice(own_nip, "OLD/1", issued=f"{oldest}-01-02"))["status"]["code"] == 200
    assert user.sent(invoice(own_nip, "OLD/1", issued=f"{oldest}-03-02"))["status"]["code"] == 440
    assert user.sent(invoice(own_nip, "OLD/2", issued=f"{oldest - 1}-12-31"))["status"]["code"] == 200
    assert user.sent(invoice(own_nip, "OLD/2", issued=f"{oldest - 1}-12-31"))["status"]["code"] == 200


@pytest.mark.parametrize(("spoil", "detail"), [
    (lambda xml: xml.replace(b"<JST>2</JST>", b""), "JST"),
    (lambda xml: xml.replace(b"<P_12>23</P_12>", b"<P_12>24</P_12>"), "P_12"),
    (lambda xml: xml.replace(b"encoding=\"UTF-8\"", b"encoding=\"ISO-8859-2\""), "kodowanie"),
    (lambda xml: b"\xef\xbb\xbf" + xml, "BOM"),
    (lambda xml: xml + b"<?php ?>", "instrukcje"),
    (lambda xml: xml.replace(b"<Faktura", b"<!DOCTYPE Faktura><Faktura"), "DOCTYPE"),
    (lambda xml: xml.replace("usługa".encode(), "us\u0082ługa".encode()), "U+0082"),
    (lambda xml: xml.replace(b"2025/06/25/13775", b"2023/06/29/12648"), "Przestrzeń nazw"),
    (lambda xml: xml[:-5], "Nieprawidłowy XML"),
    (lambda xml: b"<a>" * 10_000, "Nieprawidłowy XML"),
    (lambda xml: b"<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", "DOCTYPE"),
])
def test_semantic_refusals(user, own_nip, spoil, detail):
    status = user.sent(spoil(invoice(own_nip, "S/1")))["status"]
    assert status["code"] == 450 and detail in " ".join(status["details"])
    assert status["description"] == "Błąd weryfikacji semantyki dokumentu faktury"


def test_number_is_shown_on_errors_too(user, own_nip):
    result = user.sent(invoice(own_nip, "NR/7").replace(b"<JST>2</JST>", b""))
    assert result["status"]["code"] == 450 and result["invoiceNumber"] == "NR/7"


def test_dates(user, own_nip):
    tomorrow = (datetime.date.fromisoformat(today()) + datetime.timedelta(days=2)).isoformat()
    yesterday = (datetime.date.fromisoformat(today()) - datetime.timedelta(days=1)).isoformat()
    status = user.sent(invoice(own_nip, "T/1", issued=tomorrow))["status"]
    assert status["code"] == 450 and "P_1" in status["details"][0]
    assert user.sent(invoice(own_nip, "T/2", issued=yesterday))["invoicingMode"] == "Offline"
    assert user.sent(invoice(own_nip, "T/3"), offlineMode=True)["invoicingMode"] == "Offline"


def test_only_the_own_seller(user, own_nip):
    status = user.sent(invoice("9999999999", "O/1"))["status"]
    assert status["code"] == 410 and status["description"] == "Nieprawidłowy zakres uprawnień"


def test_check_digits_on_request_only(user, own_nip):
    wrong = "1234567890"
    assert user.sent(invoice(own_nip, "K/1", buyer=wrong))["status"]["code"] == 200
    strict = user.open({"X-KSeF-Feature": "subject-identifier-validation"})
    status = user.sent(invoice(own_nip, "K/2", buyer=wrong), strict)["status"]
    assert status["code"] == 450 and wrong in status["details"][0]
    assert user.sent(invoice(own_nip, "K/3", third_party=third(wrong)), strict)["status"]["code"] == 450


def test_sizes(user, own_nip):
    status = user.sent(invoice(own_nip, "L/1", padding=1_000_000))["status"]
    assert status["code"] == 430
    assert user.sent(invoice(own_nip, "L/2", padding=900_000))["status"]["code"] == 200


def test_attachments_need_a_batch(user, own_nip):
    assert user.sent(invoice(own_nip, "Z/1", attachment=True))["status"]["code"] == 415


def test_invoice_list_is_paged(user, own_nip):
    session = user.open()
    sent = [user.send(session, invoice(own_nip, f"P/{number}")) for number in range(23)]
    path, listed, token = f"/sessions/{session.reference}/invoices?pageSize=10", [], None
    pages = 0
    while True:
        page = user.get(path, headers={"x-continuation-token": token} if token else {})
        listed += [item["referenceNumber"] for item in page["invoices"]]
        token, pages = page["continuationToken"], pages + 1
        if not token:
            break
    assert listed == sent and pages == 3
    assert codes(user.call("GET", path, headers={"x-continuation-token": "!"}, expect=400)) == [21418]
    assert codes(user.call("GET", f"/sessions/{session.reference}/invoices?pageSize=5", expect=400)) == [21405]
    assert codes(user.call("GET", f"/sessions/{session.reference}/invoices?pageSize=x", expect=400)) == [21405]


def test_session_limit(user, own_nip):
    limits = user.get("/limits/context")
    limits["onlineSession"]["maxInvoices"] = 1
    user.call("POST", "/testdata/limits/context/session", limits, expect=200)
    session = user.open()
    user.send(session, invoice(own_nip, "M/1"))
    assert codes(user.send(session, invoice(own_nip, "M/2"), expect=400)) == [21155]
    user.call("DELETE", "/testdata/limits/context/session", expect=200)
    assert user.get("/limits/context")["onlineSession"]["maxInvoices"] == 10_000


def test_sessions_are_listed(user, own_nip):
    first, second = user.open(), user.open()
    user.sent(invoice(own_nip, "LS/1"), second)
    user.close(second)
    listed = user.get("/sessions?sessionType=Online")["sessions"]
    assert [item["referenceNumber"] for item in listed] == [second.reference, first.reference]
    done = user.get("/sessions?sessionType=Online&statuses=Succeeded&statuses=Failed")["sessions"]
    assert [item["referenceNumber"] for item in done] == [second.reference]
    assert done[0]["totalInvoiceCount"] == done[0]["successfulInvoiceCount"] == 1
    assert not user.get("/sessions?sessionType=Batch")["sessions"]
    assert not user.get("/sessions?sessionType=Online&dateCreatedTo=2020-01-01T00:00:00Z")["sessions"]
    assert codes(user.call("GET", "/sessions", expect=400)) == [21405]


def test_technical_correction(user, own_nip):
    broken = invoice(own_nip, "KT/1").replace(b"<JST>2</JST>", b"")
    assert user.sent(broken, offlineMode=True)["status"]["code"] == 450
    session, right = user.open(), invoice(own_nip, "KT/1")
    assert codes(user.send(session, right, expect=400, hashOfCorrectedInvoice=sha(broken))) == [21405]
    corrected = user.sent(right, session, offlineMode=True, hashOfCorrectedInvoice=sha(broken))
    assert corrected["status"]["code"] == 200 and corrected["invoicingMode"] == "Offline"
    again = user.send(session, right, expect=400, offlineMode=True, hashOfCorrectedInvoice=sha(broken))
    assert codes(again) == [21166]
    accepted = user.send(session, right, expect=400, offlineMode=True, hashOfCorrectedInvoice=sha(right))
    assert codes(accepted) == [21167]


def test_old_error_format_is_the_default(running, own_nip):
    plain = running.caller(problem_details=False).login(own_nip)
    answer = plain.call("GET", "/sessions/zly", expect=400)
    assert answer.headers["Content-Type"].startswith("application/json")
    exception = answer.json()["exception"]
    assert exception["exceptionDetailList"][0]["exceptionCode"] == 21405


def test_system_warning_is_echoed(user):
    answer = user.call("GET", "/limits/context", headers={"X-Test-System-Warning": "[sig-001]: Prosz\xf3"})
    assert answer.headers["X-System-Warning"] == "[sig-001]: Proszo"
    assert "X-System-Warning" not in user.call("GET", "/limits/context").headers


def test_links_need_no_token_and_expire(user, own_nip):
    result = user.sent(invoice(own_nip, "U/1"))
    fetched = requests.get(result["upoDownloadUrl"], timeout=10)
    assert fetched.status_code == 200 and fetched.headers["x-ms-meta-hash"] == sha(fetched.content)
    assert requests.get(result["upoDownloadUrl"].replace("se=1", "se=2"), timeout=10).status_code == 403
    user.fault("expired_links", "GET /sessions/{ref}/invoices", nip=own_nip)
    session = result["upoDownloadUrl"]
    listed = user.admin("GET", f"/sessions?nip={own_nip}")[-1]["referenceNumber"]
    expired = user.get(f"/sessions/{listed}/invoices")["invoices"][0]["upoDownloadUrl"]
    assert session != expired and requests.get(expired, timeout=10).status_code == 403


def test_base64_of_hash_is_standard(user, own_nip):
    result = user.sent(invoice(own_nip, "H/1"))
    assert len(base64.b64decode(result["invoiceHash"], validate=True)) == 32
