"""The client and the answers of these tests against KSeF's own OpenAPI file, where that is at hand."""

import json
import re

import jsonschema
import ksef_test_answers as answers
import pytest
from ksef_test_access import SCHEMAS, access_calls
from ksef_test_contract import find_contract
from ksef_test_keys import key_info
from ksef_test_server import http

from ksef import api, crypto
from ksef.batch import TAR_GZ, Package, PackagePart
from ksef.errors import ApiCode, AuthStatus, EnrollmentStatus, InvoiceStatus, PermissionStatus, SessionStatus
from ksef.types import AuthOperation, Context, KeyUsage, Permission, Secret, Token

DESIGN_SAYS_NEVER_REPEAT = {
    "POST /auth/ksef-token", "POST /auth/xades-signature", "POST /auth/token/redeem",
    "POST /sessions/online", "POST /sessions/online/{referenceNumber}/close",
    "POST /sessions/batch", "POST /sessions/batch/{referenceNumber}/close",
    "POST /sessions/online/{referenceNumber}/invoices", "POST /invoices/exports", "POST /tokens",
    "POST /certificates/enrollments", "POST /collective-identifiers", "POST /permissions/persons/grants",
    "POST /permissions/entities/grants"}

CONTRACT = find_contract()
pytestmark = pytest.mark.skipif(not CONTRACT, reason="KSeF's OpenAPI file is not here (see KSEF_SHARED)")


def nullable(schema):
    """Return a schema of OpenAPI 3.0 as plain JSON schema: ``nullable`` becomes a choice."""
    if isinstance(schema, list):
        return [nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: nullable(value) for name, value in schema.items() if name not in ("nullable", "example")}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@pytest.fixture(scope="module")
def contract():
    return nullable(json.loads(CONTRACT.read_text("utf-8")))


def check(contract, schema, value):
    jsonschema.Draft4Validator({**schema, "components": contract["components"]}).validate(value)


def operation_of(contract, operation):
    return contract["paths"][operation.path][operation.method.lower()]


@pytest.mark.parametrize("operation", api.OPERATIONS, ids=lambda operation: operation.name)
def test_operation(contract, operation):
    described = operation_of(contract, operation)
    assert bool(described.get("security")) == (operation.bearer is not api.Bearer.NONE)
    success = next(response for status, response in described["responses"].items() if status.startswith("2"))
    kinds = {"application/json": api.Yields.JSON, "application/xml": api.Yields.XML}
    assert {kinds[kind] for kind in success.get("content", {})} or {api.Yields.NOTHING} == {operation.yields}
    named = {parameter["name"] for parameter in described.get("parameters", []) if parameter["in"] == "path"}
    assert set(re.findall(r"{(\w+)}", operation.path)) == named
    assert operation.repeatable == (operation.name not in DESIGN_SAYS_NEVER_REPEAT)


def test_every_code_of_a_refusal(contract):
    text = " ".join(json.dumps(contract, ensure_ascii=False).replace("\\n", " ").split())
    documented = {}
    for code, description in re.findall(r"\| (\d{4,5}) \| ([^|]+?) ?\|", text):
        documented.setdefault(int(code), set()).add(description)
    documented = {code: words for code, words in documented.items() if code > 9000 and code != 30001}  # not test data
    assert len(documented) > 40
    assert {code.value for code in ApiCode} == set(documented)
    wrong = {code: (ApiCode(code).polish, words) for code, words in documented.items()
             if not any(said.startswith(ApiCode(code).polish.rstrip(".")) for said in words)}
    assert not wrong


@pytest.mark.parametrize(("schema", "enum"), [
    ("AuthenticationOperationStatusResponse", AuthStatus), ("CertificateEnrollmentStatusResponse", EnrollmentStatus),
    ("PermissionsOperationStatusResponse", PermissionStatus), ("SessionStatusResponse", SessionStatus),
    ("SessionInvoiceStatusResponse", InvoiceStatus)])
def test_every_code_of_a_status(contract, schema, enum):
    description = contract["components"]["schemas"][schema]["properties"]["status"]["description"]
    documented = {int(code) for code in re.findall(r"\| (\d{3}) \|", description)}
    assert len(documented) >= 5
    assert {status.value for status in enum} == documented | ({500} if enum is SessionStatus else set())


@pytest.mark.parametrize(("schema", "enum"), [
    ("TokenPermissionType", Permission), ("PublicKeyCertificateUsage", KeyUsage)])
def test_values(contract, schema, enum):
    assert {item.value for item in enum} == set(contract["components"]["schemas"][schema]["enum"])


@pytest.mark.parametrize(("schema", "answer"), [
    ("AuthenticationChallengeResponse", answers.CHALLENGE), ("AuthenticationInitResponse", answers.LOGIN_STARTED),
    ("AuthenticationOperationStatusResponse", answers.LOGIN_STATUS), ("AuthenticationTokensResponse", answers.TOKENS),
    ("AuthenticationTokenRefreshResponse", answers.REFRESHED), ("TokenStatusResponse", answers.TOKEN_STATUS),
    ("QueryPersonalPermissionsResponse", answers.PERMISSIONS), ("OpenOnlineSessionResponse", answers.OPENED),
    ("OpenBatchSessionResponse", answers.OPENED_BATCH),
    ("SendInvoiceResponse", answers.SENT), ("SessionStatusResponse", answers.SESSION_STATUS),
    ("SessionInvoiceStatusResponse", answers.INVOICE_STATUS),
    ("SessionInvoiceStatusResponse", answers.DUPLICATE_STATUS), ("SessionInvoicesResponse", answers.INVOICES),
    ("QueryInvoicesMetadataResponse", answers.METADATA_PAGE), *SCHEMAS])
def test_answers_of_these_tests_are_ksefs(contract, schema, answer):
    check(contract, {"$ref": f"#/components/schemas/{schema}"}, answer)


class TestRequests:
    """What the client sends, judged by the contract: path, query, headers and body."""

    def judge(self, contract, operation, request):
        described = operation_of(contract, operation)
        path, _mark, query = request.target.removeprefix("/v2").partition("?")
        assert request.method == operation.method
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", operation.path)
        values = {"path": re.fullmatch(pattern, path).groupdict(), "header": request.headers,
                  "query": dict(pair.split("=") for pair in query.split("&") if pair)}
        known = {"path": set(), "query": set(), "header": set()}
        for parameter in described.get("parameters", []):
            place, name = parameter["in"], parameter["name"]
            known[place].add(name)
            if name in values[place]:
                self.check_parameter(contract, parameter["schema"], values[place][name])
            else:
                assert not parameter.get("required")
        assert set(values["path"]) == known["path"]
        assert set(values["query"]) <= known["query"]
        assert ("authorization" in request.headers) == (operation.bearer is not api.Bearer.NONE)
        body = described.get("requestBody")
        if body:
            assert request.headers["content-type"] in body["content"]
            described_json = body["content"].get("application/json")
            if described_json:
                check(contract, described_json["schema"], request.json())
            else:
                assert request.body.startswith(b"<"), "a signed document goes as it is"
        else:
            assert not request.body

    @staticmethod
    def check_parameter(contract, schema, text):
        resolved = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        readers = {"integer": int, "boolean": {"true": True, "false": False}.get, "array": lambda value: [value]}
        read = readers.get(resolved.get("type"), str)
        check(contract, schema, read(text))

    def test_each(self, contract, client, rsa_key):
        token = Token(Secret(answers.ACCESS), None)
        login = AuthOperation(answers.LOGIN, token)
        keys = client([key_info(rsa_key)]).public_keys()
        secret = crypto.new_session_secret()
        invoice = crypto.encrypt_invoice(b"<Faktura/>", secret)
        package = Package(120, answers.HASH, TAR_GZ, (PackagePart(1, 0, 128, answers.HASH),))
        nothing, document = http(204, content_type=None), http(200, b"<a/>", "application/xml")
        filters = {"subjectType": "Subject2", "dateRange": {
            "dateType": "PermanentStorage", "from": "2026-11-01T00:00:00+01:00"}}
        of_invoice, of_number = (answers.SESSION, answers.INVOICE), (answers.SESSION, answers.KSEF_NUMBER)
        calls = [
            (api.PUBLIC_KEYS, [key_info(rsa_key)], lambda ksef: ksef.public_keys()),
            (api.CHALLENGE, answers.CHALLENGE, lambda ksef: ksef.challenge()),
            (api.TOKEN_LOGIN, answers.LOGIN_STARTED, lambda ksef: ksef.start_token_login(
                Context("5265877635"), answers.KSEF_TOKEN, client(answers.CHALLENGE).challenge(), keys[0])),
            (api.LOGIN_STATUS, answers.LOGIN_STATUS, lambda ksef: ksef.login_status(login)),
            (api.REDEEM, answers.TOKENS, lambda ksef: ksef.redeem(login)),
            (api.REFRESH, answers.REFRESHED, lambda ksef: ksef.refresh(token)),
            (api.END_LOGIN, nothing, lambda ksef: ksef.end_login(token)),
            (api.TOKEN_STATUS, answers.TOKEN_STATUS, lambda ksef: ksef.token_status(token, answers.KSEF_TOKEN)),
            (api.PERSONAL_PERMISSIONS, answers.PERMISSIONS, lambda ksef: ksef.personal_permissions(token)),
            (api.OPEN_ONLINE, answers.OPENED, lambda ksef: ksef.open_online_session_with_fresh_key(token, secret, keys)),
            (api.SEND_INVOICE, answers.SENT, lambda ksef: ksef.send_invoice(
                token, answers.SESSION, invoice, offline=True, hash_of_corrected=answers.HASH)),
            (api.CLOSE_ONLINE, nothing, lambda ksef: ksef.close_online_session(token, answers.SESSION)),
            (api.OPEN_BATCH, answers.OPENED_BATCH,
             lambda ksef: ksef.open_batch_session_with_fresh_key(token, package, secret, keys=keys)),
            (api.CLOSE_BATCH, nothing, lambda ksef: ksef.close_batch_session(token, answers.SESSION)),
            (api.SESSION, answers.SESSION_STATUS, lambda ksef: ksef.session(token, answers.SESSION)),
            (api.INVOICE, answers.INVOICE_STATUS, lambda ksef: ksef.invoice(token, *of_invoice)),
            (api.SESSION_INVOICES, answers.INVOICES, lambda ksef: list(ksef.session_invoices(token, answers.SESSION))),
            (api.FAILED_INVOICES, answers.INVOICES,
             lambda ksef: list(ksef.session_invoices(token, answers.SESSION, failed=True))),
            (api.UPO_BY_REFERENCE, document, lambda ksef: ksef.upo_by_reference(token, *of_invoice)),
            (api.UPO_BY_NUMBER, document, lambda ksef: ksef.upo_by_number(token, *of_number)),
            (api.SESSION_UPO, document, lambda ksef: ksef.session_upo(token, answers.SESSION, answers.UPO_PAGE)),
            (api.INVOICE_BY_NUMBER, document, lambda ksef: ksef.invoice_by_number(token, answers.KSEF_NUMBER)),
            (api.QUERY_METADATA, answers.METADATA_PAGE, lambda ksef: ksef.query_metadata(token, filters)),
            (api.START_EXPORT, answers.SENT, lambda ksef: ksef.start_export_with_fresh_key(token, filters, secret, keys)),
            (api.EXPORT_STATUS, {"status": {"code": 100, "description": "w toku"}},
             lambda ksef: ksef.export_status(token, answers.SESSION)),
        ]
        calls += access_calls(token).values()
        assert {operation for operation, _answer, _call in calls} == set(api.OPERATIONS)
        for operation, answer, call in calls:
            ksef = client(answer)
            call(ksef)
            [request] = ksef.server.requests
            self.judge(contract, operation, request)
