"""The official contract: the table of operations, the shapes of bodies, and every operation exercised once."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox import models, models_permissions, shapes
from sandbox.operations import OPERATIONS, PATH_SHAPES

from . import contract
from .caller import nip, wait_for
from .documents import invoice
from .packages import Export, Package, zipped
from .signing import self_signed
from .test_certificates import issued
from .test_permissions import PERSON, PESEL, grant, outcome, query
from .test_rates import limits
from .test_receiving import start, stored
from .test_signed_login import build, challenge, enter, final, post, request

pytestmark = pytest.mark.skipif(contract.folder() is None, reason="the folder of official documents is absent")


# --- the table ------------------------------------------------------------------------------------------------


def test_table_of_operations_is_the_contracts():
    judge = contract.load()
    ours = {(item.method, item.path): item for item in OPERATIONS}
    assert set(ours) == judge.operations() and len(ours) == 83
    for (method, path), item in ours.items():
        theirs = judge.paths[path][method.lower()]
        assert bool(theirs.get("security")) == bool(item.auth), item.name
        assert set(theirs.get("x-required-permissions", ())) == set(item.permissions), item.name
        assert item.success in {int(code) for code in theirs["responses"]}, item.name
        group = theirs["responses"]["429"]["description"].split("|")[-1].strip()
        assert group in (item.group, "-") and (group != "-" or item.group == "anonymous"), item.name
        parameters = theirs.get("parameters", [])
        assert {one["name"] for one in parameters if one["in"] == "query"} == set(item.query), item.name
        assert {one["name"] for one in parameters if one["in"] == "path"} <= set(PATH_SHAPES), item.name


def test_readme_lists_every_operation_and_each_has_a_handler(running):
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\| `([A-Z]+ /[^`]*)` \| done \|", text) == [item.name for item in OPERATIONS]
    for item in OPERATIONS:
        room, _, method = item.handler.partition(".")
        assert callable(getattr(getattr(running.app, room), method)), item.name


# --- the shapes -----------------------------------------------------------------------------------------------


def flat(schema, components):
    """A schema with its references put in."""
    while "$ref" in schema or "allOf" in schema:
        parts = [schema, *schema.get("allOf", [])] if "allOf" in schema else [
            schema, components[schema["$ref"].rpartition("/")[2]]]
        merged = {}
        for part in parts:
            merged.update({key: value for key, value in part.items() if key not in ("$ref", "allOf")})
            merged.update({key: part[key] for key in ("$ref", "allOf") if part is not schema and key in part})
        schema = merged
    return schema


def compare(shape, schema, components, path):
    """Assert that a shape of ours is as narrow and as wide as the contract's schema."""
    schema = flat(schema, components)
    kind = schema.get("type")
    if isinstance(shape, shapes.Record):
        compare_objects(shape, schema, components, path)
    elif isinstance(shape, shapes.Many):
        assert kind == "array", path
        # arrays without a declared minimum may still be refused when empty, where emptiness makes no sense
        assert shape.minimum == schema.get("minItems", schema.get("minimum", shape.minimum)), path
        assert shape.maximum in (schema.get("maxItems", schema.get("maximum")), 10, None), path
        compare(shape.item, schema["items"], components, f"{path}[]")
    elif isinstance(shape, shapes.Integer):
        assert kind == "integer" and (shape.minimum, shape.maximum) == (
            schema.get("minimum"), schema.get("maximum")), path
        assert schema.get("format") == f"int{shape.bits}", path
    elif isinstance(shape, shapes.Text):
        compare_texts(shape, schema, path)
    else:
        wanted = {shapes.Base64: ("string", "byte"), shapes.Boolean: ("boolean", None), shapes.Number: ("number", "double"),
                  shapes.Instant: ("string", "date-time"), shapes.Day: ("string", "date")}[type(shape)]
        assert (kind, schema.get("format")) == wanted, path


def compare_objects(shape, schema, components, path):
    """Properties: the same names, the same ones required, the same ones nullable."""
    properties = schema["properties"]
    assert set(shape.required) | set(shape.optional) == set(properties), path
    assert set(shape.required) == set(schema.get("required", ())), path
    nullable = {name for name, value in properties.items() if value.get("nullable")}
    assert {name for name in shape.nullable if name in properties} == nullable, path
    for name, value in properties.items():
        compare({**shape.required, **shape.optional}[name], value, components, f"{path}.{name}")


def compare_texts(shape, schema, path):
    """Lengths, patterns, lists of values."""
    assert schema.get("type") == "string", path
    if shape.choices is not None or "enum" in schema:
        assert set(shape.choices) == set(schema["enum"]), path
        return
    assert shape.minimum == schema.get("minLength", 0) and shape.maximum == schema.get("maxLength"), path
    pattern = schema.get("pattern")
    assert (shape.pattern is None) == (pattern is None), path
    if pattern:
        assert re.sub(r"\(\?:", "(", pattern).strip("^$") == re.sub(r"\(\?:", "(", shape.pattern), path


@pytest.mark.parametrize("operation", [item for item in OPERATIONS if item.body], ids=lambda item: item.name)
def test_body_shapes(operation):
    judge = contract.load()
    body = judge.paths[operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
    raw = contract.raw_schemas()
    reference = body["schema"].get("$ref") or body["schema"]["allOf"][0]["$ref"]
    name = reference.rpartition("/")[2]
    assert getattr(models, name, None) is operation.body or getattr(models_permissions, name, None) is operation.body
    compare(operation.body, raw[name], raw, name)


# --- every operation, once ------------------------------------------------------------------------------------


def test_every_operation_is_exercised(sandbox, own_nip):
    judge = contract.Contract(contract.folder() / "openapi/ksef-openapi-2.9.0.json")
    anonymous = sandbox.caller()
    anonymous.observer = judge.check
    owner = sandbox.caller()
    owner.observer = judge.check
    enter(owner, own_nip)
    for walk in (walk_test_data, walk_sending, walk_tokens, walk_certificates, walk_limits, walk_permissions):
        walk(owner, anonymous, own_nip)
    walk_login(owner, own_nip)
    assert judge.exercised == judge.operations()


def walk_test_data(owner, anonymous, own_nip):
    context = {"contextIdentifier": {"type": "Nip", "value": nip(8001)}}
    permissions = {"contextIdentifier": {"type": "Nip", "value": own_nip}, "authorizedIdentifier": PESEL}
    for path, body in (
            ("subject", {"subjectNip": nip(8002), "subjectType": "VatGroup", "description": "grupa VAT"}),
            ("subject/remove", {"subjectNip": nip(8002)}),
            ("person", {"nip": nip(8003), "pesel": PESEL["value"], "isBailiff": False, "description": "osoba"}),
            ("person/remove", {"nip": nip(8003)}),
            ("permissions", {**permissions, "permissions": [
                {"permissionType": "InvoiceRead", "description": "czytanie"}]}),
            ("permissions/revoke", permissions), ("attachment", {"nip": own_nip}),
            ("attachment/revoke", {"nip": own_nip}), ("context/block", context), ("context/unblock", context)):
        anonymous.call("POST", f"/testdata/{path}", body, token=None, expect=200)
    anonymous.get("/peppol/query", token=None)
    owner.get("/permissions/attachments/status")


def walk_sending(owner, anonymous, own_nip):
    session = owner.open()
    results = [owner.sent(invoice(own_nip, f"C/{number}"), session) for number in range(2)]
    path = f"/sessions/{session.reference}"
    page = owner.close(session)["upo"]["pages"][0]
    for more in ("", "/invoices", "/invoices/failed", f"/invoices/{results[0]['referenceNumber']}"):
        owner.get(path + more)
    for more in (f"/invoices/{results[0]['referenceNumber']}/upo", f"/invoices/ksef/{results[0]['ksefNumber']}/upo",
                 f"/upo/{page['referenceNumber']}"):
        owner.call("GET", path + more, expect=200)
    assert Package(owner, zipped({"a.xml": invoice(own_nip, "C/9")})).done()["status"]["code"] == 200
    owner.get("/sessions?sessionType=Batch")
    [third] = stored(owner, invoice(own_nip, "C/10"))
    filters = {"subjectType": "Subject1", "dateRange": {"dateType": "PermanentStorage", "from": start()}}
    owner.call("GET", f"/invoices/ksef/{third['ksefNumber']}", expect=200)
    owner.call("POST", "/invoices/query/metadata", filters, expect=200)
    assert Export(owner, filters).files()
    marks = [{"ksefNumber": item["ksefNumber"]} for item in results]
    made = owner.call("POST", "/collective-identifiers", {"invoices": marks}, expect=201).json()
    owner.call("POST", "/collective-identifiers/query", {"dateCreatedFrom": start(), "dateCreatedTo": start(-1)},
               expect=200)
    owner.call("POST", "/collective-identifiers/invoices",
               {"collectiveIdentifierNumbers": [made["collectiveIdentifierNumber"]]}, expect=200)
    owner.get(f"/collective-identifiers/ksef/{results[0]['ksefNumber']}")


def walk_tokens(owner, anonymous, own_nip):
    made = owner.call("POST", "/tokens", {"permissions": ["InvoiceRead"], "description": "token próbny"},
                      expect=202).json()
    wait_for(lambda: owner.get(f"/tokens/{made['referenceNumber']}"), lambda answer: answer["status"] == "Active")
    owner.get("/tokens")
    anonymous.login_with_token(own_nip, made["token"])
    owner.call("DELETE", f"/tokens/{made['referenceNumber']}", expect=204)


def walk_certificates(owner, anonymous, own_nip):
    owner.get("/certificates/limits")
    _who, serial = issued(owner, ec.generate_private_key(ec.SECP256R1()))
    owner.call("POST", "/certificates/query", {}, expect=200)
    soon = start(-10)
    owner.call("PUT", f"/testdata/certificates/{serial}", {"validTo": soon}, expect=200)
    owner.call("POST", f"/certificates/{serial}/revoke", {}, expect=204)


def walk_limits(owner, anonymous, own_nip):
    context = owner.get("/limits/context")
    owner.get("/limits/subject")
    owner.get("/rate-limits")
    owner.call("POST", "/testdata/limits/context/session", context, expect=200)
    owner.call("DELETE", "/testdata/limits/context/session", expect=200)
    owner.call("POST", "/testdata/limits/subject/certificate", {"enrollment": {"maxEnrollments": 9}}, expect=200)
    owner.call("DELETE", "/testdata/limits/subject/certificate", expect=200)
    owner.call("POST", "/testdata/rate-limits", limits(), expect=200)
    owner.call("POST", "/testdata/rate-limits/production", expect=200)
    owner.call("DELETE", "/testdata/rate-limits", expect=200)


def walk_permissions(owner, anonymous, own_nip):
    entity = {"subjectIdentifier": {"type": "Nip", "value": nip(8004)}, "description": "opis nadania",
              "subjectDetails": {"fullName": "Firma S.A."}}
    assert outcome(owner, "persons/grants", grant(PESEL, ["InvoiceRead"])) == 200
    assert outcome(owner, "entities/grants", {**entity, "permissions": [{"type": "InvoiceRead"}]}) == 200
    assert outcome(owner, "authorizations/grants", {**entity, "permission": "SelfInvoicing"}) == 200
    assert outcome(owner, "indirect/grants", grant(PESEL, ["InvoiceRead"])) == 200
    unit = {"subjectIdentifier": PESEL, "contextIdentifier": {"type": "Nip", "value": nip(8005)},
            "description": "administrator", "subjectDetails": PERSON}
    assert outcome(owner, "subunits/grants", unit) == 410
    for path, body in (("personal/grants", {}), ("subunits/grants", {}), ("entities/grants", {}),
                       ("persons/grants", {"queryType": "PermissionsInCurrentContext"}),
                       ("authorizations/grants", {"queryType": "Granted"}), ("eu-entities/grants", {}),
                       ("subordinate-entities/roles", {})):
        answer = query(owner, path, body)
        if path == "persons/grants":
            owner.call("DELETE", f"/permissions/common/grants/{answer['permissions'][0]['id']}", expect=202)
        if path == "authorizations/grants":
            mark = answer["authorizationGrants"][0]["id"]
            owner.call("DELETE", f"/permissions/authorizations/grants/{mark}", expect=202)
    owner.get("/permissions/query/entities/roles")
    walk_eu_entity(owner, anonymous, own_nip)


def walk_eu_entity(owner, anonymous, own_nip):
    who = self_signed({"C": "DE", "CN": "Hans"})
    details = {"subjectDetailsType": "EntityByFingerprint", "entityByFp": {"fullName": "GmbH", "address": "Berlin"}}
    context = f"{own_nip}-DE123456789"
    assert outcome(owner, "eu-entities/administration/grants", {
        "subjectIdentifier": {"type": "Fingerprint", "value": who.fingerprint}, "description": "administrator UE",
        "contextIdentifier": {"type": "NipVatUe", "value": context}, "euEntityName": "GmbH, Berlin",
        "subjectDetails": details, "euEntityDetails": {"fullName": "GmbH", "address": "Berlin"}}) == 200
    answer = post(anonymous, build(request(challenge(anonymous), ("NipVatUe", context),
                                           subject="certificateFingerprint"), who))
    assert final(anonymous, answer)[0] == 200
    anonymous.redeem(answer.json())
    assert outcome(anonymous, "eu-entities/grants", {
        "subjectIdentifier": {"type": "Fingerprint", "value": "B" * 64}, "permissions": ["InvoiceRead"],
        "description": "przedstawiciel", "subjectDetails": details}) == 200


def walk_login(owner, own_nip):
    owner.call("POST", "/auth/token/refresh", token=owner.refresh, expect=200)
    other = enter(owner, own_nip)
    items = other.get("/auth/sessions")["items"]
    other.call("DELETE", f"/auth/sessions/{items[1]['referenceNumber']}", expect=204)
    other.call("DELETE", "/auth/sessions/current", expect=204)
