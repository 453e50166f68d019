"""Permissions: grants with their asynchronous status, revoking, and the queries that show them."""

import datetime

import pytest

from .caller import nip, wait_for
from .documents import invoice
from .signing import person, seal, self_signed
from .test_signed_login import build, challenge, enter, final, post, request

PERSON = {"subjectDetailsType": "PersonByIdentifier", "personById": {"firstName": "Anna", "lastName": "Nowak"}}
PESEL = {"type": "Pesel", "value": "44051401359"}


@pytest.fixture
def owner(running, own_nip):
    """The owner of a context, logged in with a seal."""
    return enter(running.caller(), own_nip)


def outcome(caller, path, body, method="POST"):
    """The final status code of a permission operation."""
    started = caller.call(method, f"/permissions/{path}", body, expect=202).json()
    ask = f"/permissions/operations/{started['referenceNumber']}"
    return wait_for(lambda: caller.get(ask), lambda answer: answer["status"]["code"] != 100)["status"]["code"]


def query(caller, path, body=None, **options):
    """A permission query's answer."""
    return caller.call("POST", f"/permissions/query/{path}", body or {}, expect=200, **options).json()


def grant(subject, permissions, **more):
    """Body of a grant to a person."""
    return {"subjectIdentifier": subject, "permissions": permissions, "description": "opis nadania",
            "subjectDetails": PERSON, **more}


def test_person_is_granted_and_revoked(running, owner, own_nip):
    assert outcome(owner, "persons/grants", grant(PESEL, ["InvoiceRead", "InvoiceWrite"])) == 200
    listed = query(owner, "persons/grants", {"queryType": "PermissionsInCurrentContext"})["permissions"]
    assert {item["permissionScope"] for item in listed} == {"InvoiceRead", "InvoiceWrite"}
    assert listed[0]["subjectPersonDetails"]["firstName"] == "Anna" and listed[0]["authorizedIdentifier"] == PESEL
    assert listed[0]["authorIdentifier"] == {"type": "Nip", "value": own_nip}
    anna = running.caller()
    answer = post(anna, build(request(challenge(anna), ("Nip", own_nip)), person("PNOPL-44051401359")))
    assert final(anna, answer)[0] == 200
    anna.redeem(answer.json())
    assert anna.sent(invoice(own_nip, "A/1"))["status"]["code"] == 200
    assert anna.call("POST", "/permissions/persons/grants", grant(PESEL, ["InvoiceRead"])).status_code == 403
    for item in listed:
        assert outcome(owner, f"common/grants/{item['id']}", None, "DELETE") == 200
    answer = post(anna, build(request(challenge(anna), ("Nip", own_nip)), person("PNOPL-44051401359")))
    assert final(anna, answer)[0] == 415
    assert outcome(owner, f"common/grants/{listed[0]['id']}", None, "DELETE") == 400


def test_operation_is_told_later_and_kept_thirty_days(sandbox, own_nip):
    owner = enter(sandbox.caller(), own_nip)
    owner.admin("POST", "/settings", {"processingSeconds": 0.5})
    started = owner.call("POST", "/permissions/persons/grants", grant(PESEL, ["InvoiceRead"]), expect=202).json()
    path = f"/permissions/operations/{started['referenceNumber']}"
    assert owner.get(path)["status"]["code"] == 100
    assert wait_for(lambda: owner.get(path), lambda a: a["status"]["code"] == 200)["status"]["code"] == 200
    owner.admin("POST", "/settings", {"clockOffsetSeconds": 31 * 24 * 3600, "processingSeconds": 0})
    start = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)
    enter(owner, own_nip, seal(own_nip, start=start))
    assert owner.call("GET", path).status_code == 410


def test_entity_may_send_and_pass_on(running, owner, own_nip):
    bureau, client = nip(6100), own_nip
    body = {"subjectIdentifier": {"type": "Nip", "value": bureau}, "description": "biuro rachunkowe",
            "subjectDetails": {"fullName": "Biuro sp. z o.o."},
            "permissions": [{"type": "InvoiceRead", "canDelegate": True}, {"type": "InvoiceWrite"}]}
    assert outcome(owner, "entities/grants", body) == 200
    office = enter(running.caller(), bureau)
    received = query(office, "entities/grants")["permissions"]
    assert {(item["permissionScope"], item["canDelegate"]) for item in received} == {
        ("InvoiceRead", True), ("InvoiceWrite", False)}
    assert len(query(office, "personal/grants")["permissions"]) == 2
    assert outcome(office, "indirect/grants", grant(PESEL, ["InvoiceRead"], targetIdentifier={
        "type": "Nip", "value": nip(6200)})) == 410
    assert outcome(office, "indirect/grants", grant(PESEL, ["InvoiceRead", "InvoiceWrite"], targetIdentifier={
        "type": "Nip", "value": client})) == 200
    states = {item["permissionScope"]: item["permissionState"] for item in query(
        office, "persons/grants", {"queryType": "PermissionsGrantedInCurrentContext"})["permissions"]}
    assert states == {"InvoiceRead": "Active", "InvoiceWrite": "Inactive"}
    clerk = running.caller()
    answer = post(clerk, build(request(challenge(clerk), ("Nip", client)), person("PNOPL-44051401359")))
    assert final(clerk, answer)[0] == 200
    clerk.redeem(answer.json())
    mine = query(clerk, "personal/grants")["permissions"]
    assert [item["permissionScope"] for item in mine] == ["InvoiceRead"]
    assert mine[0]["targetIdentifier"] == {"type": "Nip", "value": client}


def test_self_billing(running, owner, own_nip):
    buyer = nip(6300)
    customer = enter(running.caller(), buyer)
    document = invoice(own_nip, "SB/1", buyer=buyer, self_invoicing=True)
    assert customer.sent(document)["status"]["code"] == 410
    body = {"subjectIdentifier": {"type": "Nip", "value": buyer}, "permission": "SelfInvoicing",
            "description": "samofakturowanie", "subjectDetails": {"fullName": "Nabywca S.A."}}
    assert outcome(owner, "authorizations/grants", body) == 200
    assert customer.sent(document)["status"]["code"] == 200
    granted = query(owner, "authorizations/grants", {"queryType": "Granted"})["authorizationGrants"]
    received = query(customer, "authorizations/grants", {"queryType": "Received"})["authorizationGrants"]
    assert granted == received and granted[0]["authorizationScope"] == "SelfInvoicing"
    assert outcome(owner, f"authorizations/grants/{granted[0]['id']}", None, "DELETE") == 200
    assert outcome(owner, "authorizations/grants", {**body, "permission": "PefInvoicing"}) == 450


def test_subunits_and_roles(running, owner, own_nip):
    unit = nip(6400)
    owner.call("POST", "/testdata/subject", {
        "subjectNip": own_nip, "subjectType": "JST", "description": "gmina testowa",
        "subunits": [{"subjectNip": unit, "description": "szkoła testowa"}]}, token=None, expect=200)
    assert [role["role"] for role in owner.get("/permissions/query/entities/roles")["roles"]] == ["LocalGovernmentUnit"]
    below = query(owner, "subordinate-entities/roles")["roles"]
    assert below[0]["subordinateEntityIdentifier"] == {"type": "Nip", "value": unit}
    digits = f"{own_nip}0001"
    check = sum(int(digit) * (1 if index % 2 == 0 else 3) for index, digit in enumerate(digits)) % 10
    internal = f"{own_nip}-0001{check}"
    body = {"subjectIdentifier": PESEL, "contextIdentifier": {"type": "InternalId", "value": internal},
            "description": "administrator", "subunitName": "Oddział 1", "subjectDetails": PERSON}
    assert outcome(owner, "subunits/grants", body) == 200
    wrong = {**body, "contextIdentifier": {"type": "InternalId", "value": f"{own_nip}-0001{(check + 1) % 10}"}}
    assert owner.call("POST", "/permissions/subunits/grants", wrong).status_code == 400
    assert outcome(owner, "subunits/grants", {**body, "contextIdentifier": {"type": "Nip", "value": unit}}) == 200
    assert outcome(owner, "subunits/grants", {**body, "contextIdentifier": {"type": "Nip", "value": nip(6500)}}) == 410
    listed = query(owner, "subunits/grants", {"subunitIdentifier": {"type": "InternalId", "value": internal}})
    assert listed["permissions"][0]["subunitName"] == "Oddział 1"
    admin = running.caller()
    answer = post(admin, build(request(challenge(admin), ("InternalId", internal)), person("PNOPL-44051401359")))
    assert final(admin, answer)[0] == 200


def test_eu_entities(running, owner, own_nip):
    who = self_signed({"C": "DE", "CN": "Hans"})
    subject = {"type": "Fingerprint", "value": who.fingerprint}
    details = {"subjectDetailsType": "EntityByFingerprint", "entityByFp": {"fullName": "GmbH", "address": "Berlin"}}
    context = f"{own_nip}-DE123456789"
    body = {"subjectIdentifier": subject, "contextIdentifier": {"type": "NipVatUe", "value": context},
            "description": "administrator UE", "euEntityName": "GmbH, Berlin", "subjectDetails": details,
            "euEntityDetails": {"fullName": "GmbH", "address": "Berlin"}}
    assert outcome(owner, "eu-entities/administration/grants", body) == 200
    assert len(query(owner, "eu-entities/grants", {"vatUeIdentifier": "DE123456789"})["permissions"]) == 4
    hans = running.caller()
    answer = post(hans, build(request(challenge(hans), ("NipVatUe", context), subject="certificateFingerprint"), who))
    assert final(hans, answer)[0] == 200
    hans.redeem(answer.json())
    other = {**subject, "value": "A" * 64}
    assert outcome(hans, "eu-entities/grants", {"subjectIdentifier": other, "permissions": ["InvoiceRead"],
                                                "description": "przedstawiciel", "subjectDetails": details}) == 200
    fifth = [item for item in query(hans, "eu-entities/grants")["permissions"]
             if item["authorizedFingerprintIdentifier"] == "A" * 64]
    assert fifth[0]["euEntityName"] == "GmbH, Berlin"
    assert hans.call("POST", "/tokens", {"permissions": ["InvoiceRead"], "description": "token UE"}).json()["errors"][0][
        "code"] == 26002


def test_wrong_details_are_refused(owner):
    for wrong in ({"subjectDetails": {"subjectDetailsType": "PersonByIdentifier"}},
                  {"subjectIdentifier": {"type": "Fingerprint", "value": "A" * 64}},
                  {"subjectIdentifier": {"type": "Pesel", "value": "1234567890"}},
                  {"permissions": ["InvoiceRead", "InvoiceRead"]}, {"permissions": []}, {"permissions": ["Alles"]},
                  {"description": "abc"}):
        answer = owner.call("POST", "/permissions/persons/grants", {**grant(PESEL, ["InvoiceRead"]), **wrong})
        assert answer.status_code == 400, wrong
    assert outcome(owner, "persons/grants", grant(PESEL, ["EnforcementOperations"])) == 430


def test_bailiff(caller, own_nip):
    caller.call("POST", "/testdata/person", {"nip": own_nip, "pesel": "65120113391", "isBailiff": True,
                                             "description": "komornik testowy"}, token=None, expect=200)
    bailiff = enter(caller, own_nip)
    assert "EnforcementOperations" in query(bailiff, "personal/grants")["ownerPermissions"]
    assert bailiff.get("/permissions/query/entities/roles")["roles"][0]["role"] == "CourtBailiff"
    assert outcome(bailiff, "persons/grants", grant(PESEL, ["EnforcementOperations"])) == 200
    again = caller.call("POST", "/testdata/person", {"nip": own_nip, "pesel": "65120113391", "isBailiff": True,
                                                     "description": "jeszcze raz"}, token=None, expect=400)
    assert again.json()["errors"][0]["code"] == 30001
    caller.call("POST", "/testdata/person/remove", {"nip": own_nip}, token=None, expect=200)


def test_attachment_consent(owner, own_nip):
    assert owner.get("/permissions/attachments/status") == {"isAttachmentAllowed": False}
    owner.call("POST", "/testdata/attachment", {"nip": own_nip}, token=None, expect=200)
    assert owner.get("/permissions/attachments/status") == {"isAttachmentAllowed": True}
    owner.call("POST", "/testdata/attachment/revoke", {"nip": own_nip}, token=None, expect=200)
    status = owner.get("/permissions/attachments/status")
    assert status["isAttachmentAllowed"] is False and status["revokedDate"]


def test_pages_of_permissions(owner):
    for number in range(4):
        subject = {"type": "Pesel", "value": f"9001010{number:04d}"}
        assert outcome(owner, "persons/grants", grant(subject, ["InvoiceRead", "InvoiceWrite", "Introspection"])) == 200
    body = {"queryType": "PermissionsInCurrentContext"}
    first = query(owner, "persons/grants?pageSize=10", body)
    second = query(owner, "persons/grants?pageSize=10&pageOffset=1", body)
    assert len(first["permissions"]) == 10 and first["hasMore"] and len(second["permissions"]) == 2
    assert not second["hasMore"]
    assert {item["id"] for item in first["permissions"]}.isdisjoint(item["id"] for item in second["permissions"])
