"""Whatever an answer holds, over a real connection: a result or a KsefError, nothing else, and no secret in it."""

import copy
import string
from contextlib import suppress

import ksef_test_answers as answers
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ksef_test_access import access_calls
from ksef_test_keys import public_key
from ksef_test_server import ScriptedServer, http

from ksef import crypto
from ksef.batch import Package, PackagePart
from ksef.client import Client
from ksef.environment import get_environment
from ksef.errors import KsefError
from ksef.transport import Transport
from ksef.types import AuthOperation, Challenge, Context, Secret, Token

ACCESS = answers.ACCESS
OPERATION = AuthOperation(answers.LOGIN, Token(Secret(ACCESS), None))
INVOICE = crypto.encrypt_invoice(b"<a/>", crypto.new_session_secret())
ENCRYPTION = crypto.Encryption("key", "iv", "id")
PACKAGE = Package(1, "x" * 44, "TarGz", (PackagePart(1, 0, 16, "x" * 44),))
EXAMPLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from([answers.MOMENT, answers.INVOICE, ACCESS, "0", 440, "", [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6)

# Each method with a whole answer; the tests damage it.
CALLS = {
    "challenge": (lambda ksef: ksef.challenge(), answers.CHALLENGE),
    "login_status": (lambda ksef: ksef.login_status(OPERATION), answers.LOGIN_STATUS),
    "redeem": (lambda ksef: ksef.redeem(OPERATION), answers.TOKENS),
    "refresh": (lambda ksef: ksef.refresh(answers.REFRESH), answers.REFRESHED),
    "end_login": (lambda ksef: ksef.end_login(answers.REFRESH), {}),
    "public_keys": (lambda ksef: ksef.public_keys(), [
        {"certificate": "MAA=", "publicKeyId": "x" * 44, "validFrom": answers.MOMENT, "validTo": answers.MOMENT,
         "usage": ["SymmetricKeyEncryption"]}]),
    "token_status": (lambda ksef: ksef.token_status(ACCESS, answers.KSEF_TOKEN), answers.TOKEN_STATUS),
    "personal_permissions": (lambda ksef: ksef.personal_permissions(ACCESS), answers.PERMISSIONS),
    "open_online_session": (lambda ksef: ksef.open_online_session(ACCESS, ENCRYPTION), answers.OPENED),
    "send_invoice": (lambda ksef: ksef.send_invoice(ACCESS, answers.SESSION, INVOICE), answers.SENT),
    "close_online_session": (lambda ksef: ksef.close_online_session(ACCESS, answers.SESSION), {}),
    "session": (lambda ksef: ksef.session(ACCESS, answers.SESSION), answers.SESSION_STATUS),
    "invoice": (lambda ksef: ksef.invoice(ACCESS, answers.SESSION, answers.INVOICE), answers.INVOICE_STATUS),
    "session_invoices": (lambda ksef: list(ksef.session_invoices(ACCESS, answers.SESSION)), answers.INVOICES),
    "query_metadata": (lambda ksef: ksef.query_metadata(ACCESS, {}), answers.METADATA_PAGE),
    "upo_by_reference": (lambda ksef: ksef.upo_by_reference(ACCESS, answers.SESSION, answers.INVOICE), {}),
    "upo_by_number": (lambda ksef: ksef.upo_by_number(ACCESS, answers.SESSION, answers.KSEF_NUMBER), {}),
    "session_upo": (lambda ksef: ksef.session_upo(ACCESS, answers.SESSION, answers.UPO_PAGE), {}),
    "open_batch_session": (lambda ksef: ksef.open_batch_session(ACCESS, PACKAGE, ENCRYPTION), {
        "referenceNumber": answers.SESSION, "partUploadRequests": [
            {"ordinalNumber": 1, "method": "PUT", "url": "http://127.0.0.1/part", "headers": {"x-ms-blob-type": "BlockBlob"}}]}),
    "close_batch_session": (lambda ksef: ksef.close_batch_session(ACCESS, answers.SESSION), {}),
    "session_invoice_page": (lambda ksef: ksef.session_invoice_page(ACCESS, answers.SESSION), answers.INVOICES),
    "invoice_by_number": (lambda ksef: ksef.invoice_by_number(ACCESS, answers.KSEF_NUMBER), {}),
}
CALLS |= {
    "start_export": (lambda ksef: ksef.start_export(ACCESS, {}, ENCRYPTION), answers.SENT),
    "export_status": (lambda ksef: ksef.export_status(ACCESS, answers.SESSION), {
        "status": {"code": 100, "description": "w toku"}}),
} | {
    name: (call, {} if isinstance(answer, bytes) else answer)
    for name, (_operation, answer, call) in access_calls(ACCESS).items()}
every_call = pytest.mark.parametrize("name", CALLS)


@pytest.fixture(scope="module")
def played():
    """A client and a server that answers with whatever ``played.response`` is."""
    class Played:
        response = b""

        def try_call(self, name):
            """Make a call; a KsefError is fine if it can be shown and holds no token."""
            try:
                return CALLS[name][0](self.client)
            except KsefError as error:
                text = f"{error} {error!r} {vars(error)}"
                assert text.encode()
                assert "\x00" not in text
                assert not [secret for secret in (ACCESS, answers.REFRESH) if secret in text]
                return error

    played = Played()

    def script(peer):
        while peer.read_request():
            peer.send(played.response)

    server = ScriptedServer(script)
    with Transport(get_environment("local", server.url), read_timeout=2) as transport:
        played.client = Client(transport)
        yield played
    server.close()


def test_no_method_is_left_out():
    methods = {name for name in dir(Client) if callable(getattr(Client, name)) and not name.startswith("_")}
    helpers = {"own_token", "select_public_key", "start_token_login", "start_token_login_with_fresh_key",
               "open_online_session_with_fresh_key", "open_batch_session_with_fresh_key",
               "start_export_with_fresh_key",  # made of the others, or tested below
               "download_part", "upload_part", "upo_by_link"}  # bytes behind links, tested with exports and batches
    assert methods - helpers == set(CALLS)


@every_call
def test_whole_answers_are_read(played, name):
    """The ground under the tests of damage: what is damaged there is good."""
    xml = name.startswith(("upo", "session_upo", "invoice_by"))
    played.response = http(200, b"<a/>", "application/xml") if xml else http(200, CALLS[name][1])
    assert not isinstance(played.try_call(name), KsefError)


@every_call
@EXAMPLES
@given(body=JSON, status=st.sampled_from([200, 200, 201, 400, 401, 403, 410, 418, 429, 500]))
def test_random_json(played, name, body, status):
    played.response = http(status, body)
    played.try_call(name)


def paths(value, path=()):
    """Return the path of each place in an answer."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in paths(item, (*path, key)))]


def replace(value, path, new):
    """Return a copy of an answer with something else in one place."""
    if not path:
        return new
    changed = inner = copy.deepcopy(value)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed


@every_call
@EXAMPLES
@given(data=st.data())
def test_answer_with_something_else_in_one_place(played, name, data):
    body = CALLS[name][1]
    path = data.draw(st.sampled_from(paths(body)))
    played.response = http(200, replace(body, path, data.draw(JSON)))
    played.try_call(name)


PROBLEMS = [
    {"title": "t", "status": 400, "detail": "d", "traceId": "i", "timestamp": answers.MOMENT,
     "errors": [{"code": 21405, "description": "d", "details": ["x"]}]},
    {"title": "t", "status": 403, "detail": "d", "reasonCode": "missing-permissions",
     "security": {"requiredAnyOfPermissions": ["InvoiceRead"], "presentPermissions": []}},
    {"status": {"code": 429, "description": "Too Many Requests", "details": ["x"]}},
    {"exception": {"serviceCode": "s", "referenceNumber": "r", "exceptionDetailList": [
        {"exceptionCode": 1, "exceptionDescription": "d", "details": ["x"]}]}},
]


@EXAMPLES
@given(data=st.data())
def test_refusal_with_something_else_in_one_place(played, data):
    body = data.draw(st.sampled_from(PROBLEMS))
    path = data.draw(st.sampled_from(paths(body)))
    played.response = http(
        data.draw(st.sampled_from([400, 401, 403, 404, 410, 429, 500])), replace(body, path, data.draw(JSON)),
        data.draw(st.sampled_from(["application/json", "application/problem+json", None])))
    assert isinstance(played.try_call("send_invoice"), KsefError)


@EXAMPLES
@given(body=st.binary(max_size=300), status=st.sampled_from([200, 204, 302, 400, 429, 503]),
       media_type=st.sampled_from([
           "application/json", "application/xml", "text/html", None, "application/problem+json", ";", "a/b; charset=x"]),
       name=st.sampled_from(sorted(CALLS)))
def test_random_bytes(played, body, status, media_type, name):
    played.response = http(status, b"" if status == 204 else body, media_type)
    played.try_call(name)


HEADER_TEXT = st.text(string.printable.replace("\r", "").replace("\n", "").replace("\x0b", "").replace("\x0c", ""))


@EXAMPLES
@given(name=st.sampled_from([
    "Retry-After", "Date", "Content-Encoding", "X-System-Warning", "x-ms-meta-hash", "Location", "Set-Cookie", "ETag"]),
    value=HEADER_TEXT, status=st.sampled_from([200, 302, 429]))
def test_random_headers(played, name, value, status):
    head, _blank, body = http(status, answers.SENT).partition(b"\r\n\r\n")
    played.response = head + f"\r\n{name}: {value}\r\n\r\n".encode() + body
    played.try_call("send_invoice")
    played.try_call("upo_by_number")


@EXAMPLES
@given(noise=st.binary(min_size=1, max_size=40), cut=st.integers(0, 300))
def test_random_http(played, noise, cut):
    """Noise in the middle of a response, which then ends: never a hang, never another exception."""
    whole = http(202, answers.SENT, Connection="close")
    server = ScriptedServer(lambda peer: (peer.read_request(), peer.send(whole[:cut] + noise + whole[cut:])))
    try:
        with Transport(get_environment("local", server.url), read_timeout=2) as transport, suppress(KsefError):
            Client(transport).send_invoice(ACCESS, answers.SESSION, INVOICE)
        assert len(server.requests) == 1
    finally:
        server.close()


@EXAMPLES
@given(token=st.text(max_size=200), moment=st.integers(), value=st.text(max_size=20))
def test_random_input_of_a_login(played, rsa_public_key, token, moment, value):
    played.response = http(202, answers.LOGIN_STARTED)
    with suppress(KsefError):
        played.client.start_token_login(Context(value), token, Challenge(value, moment), rsa_public_key)


@pytest.fixture(scope="module")
def rsa_public_key(rsa_key):
    return public_key(rsa_key)

