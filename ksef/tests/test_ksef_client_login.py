"""The client's login and permissions: what it sends, what it makes of the answer."""

import copy
from datetime import UTC, datetime

import ksef_test_answers as answers
import pytest
from ksef_test_answers import without
from ksef_test_keys import key_info
from ksef_test_server import http, problem

from ksef.errors import (
    KsefConfigError,
    KsefLoginError,
    KsefUnreadableError,
)
from ksef.types import (
    AuthOperation,
    Challenge,
    Context,
    KeyUsage,
    PublicKey,
    Secret,
    Token,
)

MOMENT = datetime(2025, 7, 11, 12, 23, 56, 15430, UTC)
UNKNOWN_KEY = problem(400, errors=[{"code": 21470, "description": "Nieznany klucz.", "details": ["Klucz abc."]}])
OPERATION = AuthOperation(answers.LOGIN, Token(Secret(answers.ACCESS), MOMENT))


class TestLogin:
    def test_challenge(self, client):
        ksef = client(answers.CHALLENGE)
        assert ksef.challenge() == Challenge("20250625-CR-2FDC223000-C2BFC98A9C-4E", 1752236636015, "203.0.113.7")
        request = ksef.server.requests[0]
        assert (request.method, request.target, request.body) == ("POST", "/v2/auth/challenge", b"")
        assert "authorization" not in request.headers

    def test_challenge_of_an_old_api(self, client):
        challenge = client(without(without(answers.CHALLENGE, "timestampMs"), "clientIp")).challenge()
        assert challenge == Challenge("20250625-CR-2FDC223000-C2BFC98A9C-4E", 1752236636015, None)

    def test_public_keys(self, client, rsa_key, ec_key):
        infos = [key_info(rsa_key), key_info(ec_key, usage=["SomethingNew"])]
        first, second = client(infos).public_keys()
        assert isinstance(first, PublicKey)
        assert first.public_key_id == infos[0]["publicKeyId"]
        assert first.usages == {KeyUsage.LOGIN, KeyUsage.SESSION}
        assert second.usages == {"SomethingNew"}

    def test_public_key_without_its_id(self, client, rsa_key):
        info = key_info(rsa_key)
        [key] = client([without(info, "publicKeyId")]).public_keys()
        assert key.public_key_id == info["publicKeyId"]

    @pytest.mark.parametrize("body", [{}, [None], [{}], [{"certificate": "?"}], "text", None])
    def test_no_public_keys(self, client, body):
        with pytest.raises(KsefUnreadableError):
            client(body).public_keys()

    def test_token_login(self, client, rsa_key):
        [key] = client([key_info(rsa_key)]).public_keys()
        ksef = client(answers.LOGIN_STARTED)
        challenge = Challenge("20250625-CR-2FDC223000-C2BFC98A9C-4E", 1752236636015)
        operation = ksef.start_token_login(Context("5265877635"), Secret("the token"), challenge, key)
        assert operation == OPERATION
        request = ksef.server.requests[0]
        assert (request.method, request.target) == ("POST", "/v2/auth/ksef-token")
        body = request.json()
        assert body.pop("encryptedToken")
        assert body == {
            "challenge": challenge.challenge, "contextIdentifier": {"type": "Nip", "value": "5265877635"},
            "publicKeyId": key.public_key_id}

    def test_token_login_with_a_key_that_ksef_forgot(self, client, rsa_key, other_rsa_key):
        """Keys known from before, a refusal with 21470, new keys, a new challenge, the login."""
        old, new = ([key_info(key)] for key in (rsa_key, other_rsa_key))
        known = client(old).public_keys()
        ksef = client(answers.CHALLENGE, UNKNOWN_KEY, new, answers.CHALLENGE, answers.LOGIN_STARTED)
        assert ksef.start_token_login_with_fresh_key(Context("5265877635"), "the token", known) == OPERATION
        assert [request.target for request in ksef.server.requests] == [
            "/v2/auth/challenge", "/v2/auth/ksef-token", "/v2/security/public-key-certificates", "/v2/auth/challenge",
            "/v2/auth/ksef-token"]
        used = [request.json()["publicKeyId"] for request in ksef.server.requests if request.target.endswith("token")]
        assert used == [old[0]["publicKeyId"], new[0]["publicKeyId"]]

    def test_login_status(self, client):
        ksef = client(answers.LOGIN_STATUS)
        report = ksef.login_status(OPERATION)
        assert report.is_complete
        assert (report.method_category, report.method_name, report.is_redeemed) == ("Token", "Token KSeF", False)
        assert report.started_at == report.refresh_valid_until == MOMENT
        request = ksef.server.requests[0]
        assert (request.method, request.target) == ("GET", f"/v2/auth/{answers.LOGIN}")
        assert request.headers["authorization"] == f"Bearer {answers.ACCESS}"

    @pytest.mark.parametrize("code", [100, 150, 399])
    def test_login_in_progress(self, client, code):
        assert not client({"status": {"code": code}}).login_status(OPERATION).is_complete

    @pytest.mark.parametrize("code", [400, 415, 425, 450, 460, 470, 480, 500, 550, 999])
    def test_login_failed(self, client, code):
        status = {"code": code, "description": "Zły token", "details": ["Token unieważniony"]}
        with pytest.raises(KsefLoginError) as caught:
            client({"status": status}).login_status(OPERATION)
        assert caught.value.status == code
        assert caught.value.details == ("Token unieważniony",)
        assert f"{code} Zły token" in str(caught.value)

    def test_redeem(self, client):
        ksef = client(answers.TOKENS)
        pair = ksef.redeem(OPERATION)
        assert (pair.access.value.reveal(), pair.refresh.value.reveal()) == (answers.ACCESS, answers.REFRESH)
        assert pair.access.valid_until == MOMENT
        request = ksef.server.requests[0]
        assert (request.method, request.target, request.body) == ("POST", "/v2/auth/token/redeem", b"")

    @pytest.mark.parametrize("form", [str, Secret, lambda text: Token(Secret(text), MOMENT)])
    def test_refresh(self, client, form):
        ksef = client(answers.REFRESHED)
        assert ksef.refresh(form(answers.REFRESH)) == Token(Secret(answers.ACCESS), MOMENT)
        assert ksef.server.requests[0].headers["authorization"] == f"Bearer {answers.REFRESH}"

    @pytest.mark.parametrize("token", ["", None, Secret("")])
    def test_call_without_its_token(self, client, token):
        ksef = client(answers.REFRESHED)
        with pytest.raises(KsefConfigError):
            ksef.refresh(token)
        assert not ksef.server.requests

    def test_end_of_a_login(self, client):
        ksef = client(http(204, content_type=None))
        ksef.end_login(answers.REFRESH)
        assert (ksef.server.requests[0].method, ksef.server.requests[0].target) == ("DELETE", "/v2/auth/sessions/current")

    @pytest.mark.parametrize(("body", "path"), [
        (answers.TOKENS, ("refreshToken",)), (answers.TOKENS, ("accessToken", "token")),
        (answers.TOKENS, ("accessToken", "validUntil"))])
    def test_tokens_with_something_missing(self, client, body, path):
        with pytest.raises(KsefUnreadableError, match=path[-1] if len(path) > 1 else "refreshToken"):
            client(without(body, *path)).redeem(OPERATION)

    def test_token_that_could_not_be_sent_back(self, client):
        tokens = copy.deepcopy(answers.TOKENS)
        tokens["accessToken"]["token"] = "a\r\nX-Evil: b"
        with pytest.raises(KsefUnreadableError) as caught:
            client(tokens).redeem(OPERATION)
        assert "Evil" not in str(caught.value)


class TestPermissions:
    def test_own_token(self, client):
        ksef = client(answers.TOKEN_STATUS)
        report = ksef.own_token(answers.ACCESS, answers.KSEF_TOKEN)
        assert report.requested_permissions == ("InvoiceRead", "InvoiceWrite")
        assert (report.status, report.context, report.description) == ("Active", Context("5265877635"), "Odoo, księgowość")
        assert ksef.server.requests[0].target == f"/v2/tokens/{answers.KSEF_TOKEN}"

    def test_personal_permissions_of_two_pages(self, client):
        second = copy.deepcopy(answers.PERMISSIONS)
        second["permissions"][0] |= {"permissionScope": "InvoiceRead", "permissionState": "Inactive"}
        del second["ownerPermissions"]
        ksef = client(answers.PERMISSIONS | {"hasMore": True}, second)
        permissions = ksef.personal_permissions(answers.ACCESS)
        assert permissions.active_scopes == {"InvoiceWrite", "CredentialsManage"}
        assert [grant.scope for grant in permissions.grants] == ["InvoiceWrite", "InvoiceRead"]
        assert permissions.grants[0].can_delegate
        assert [request.target.partition("?")[2] for request in ksef.server.requests] == [
            "pageOffset=0&pageSize=100", "pageOffset=1&pageSize=100"]

    def test_personal_permissions_that_never_end(self, client, monkeypatch):
        monkeypatch.setattr("ksef.client_base._MOST_PAGES", 5)
        ksef = client(answers.PERMISSIONS | {"hasMore": True})
        with pytest.raises(KsefUnreadableError):
            ksef.personal_permissions(answers.ACCESS)
        assert len(ksef.server.requests) == 5
