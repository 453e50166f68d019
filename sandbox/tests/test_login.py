"""Login with a KSeF token: the whole way, and everything that can be wrong with it."""

import base64
import json
import time

import pytest

from .caller import OAEP, b64, nip, wait_for


def details(caller, started):
    """(code, details) of a login's final status."""
    status = caller.login_result(started)["status"]
    return status["code"], status.get("details")


def raw_login(caller, own_nip, make_text, challenge=None, **changes):
    """Start a login with a token text made by ``make_text(timestampMs)``."""
    challenge = challenge or caller.call("POST", "/auth/challenge", token=None, expect=200).json()
    key, identifier = caller.public_key("KsefTokenEncryption")
    text = make_text(challenge["timestampMs"])
    body = {"challenge": challenge["challenge"], "contextIdentifier": {"type": "Nip", "value": own_nip},
            "encryptedToken": b64(key.encrypt(text if isinstance(text, bytes) else text.encode(), OAEP)),
            "publicKeyId": identifier, **changes}
    return caller.call("POST", "/auth/ksef-token", body, token=None)


def ksef_token(caller, own_nip, *permissions):
    """A KSeF token made by the administration: (token, reference)."""
    made = caller.admin("POST", "/tokens", {"nip": own_nip, "permissions": list(permissions or ["InvoiceRead"])})
    return made["token"], made["referenceNumber"]


def test_challenge_names_the_caller_and_the_time(caller):
    challenge = caller.call("POST", "/auth/challenge", token=None, expect=200).json()
    assert challenge["clientIp"] == "127.0.0.1"
    assert abs(challenge["timestampMs"] / 1000 - time.time()) < 5
    assert len(challenge["challenge"]) == 36 and challenge["challenge"][8:12] == "-CR-"


def test_login_is_told_later_and_redeemed_once(caller, own_nip):
    caller.admin("POST", "/settings", {"processingSeconds": 0.3})
    try:
        token, _reference = ksef_token(caller, own_nip)
        started = caller.start_login(own_nip, token).json()
        jwt = started["authenticationToken"]["token"]
        early = caller.call("POST", "/auth/token/redeem", token=jwt, expect=400).json()
        assert early["errors"][0]["code"] == 21301
        assert caller.get(f"/auth/{started['referenceNumber']}", token=jwt)["status"]["code"] == 100
        assert details(caller, started) == (200, None)
    finally:
        caller.admin("POST", "/settings", {"processingSeconds": 0.05})
    caller.redeem(started)
    again = caller.call("POST", "/auth/token/redeem", token=jwt, expect=400).json()
    assert again["errors"][0]["code"] == 21301 and "już pobrane" in again["errors"][0]["details"][0]


def test_tokens_have_their_lives(user, own_nip):
    def lives(jwt):
        claims = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
        return claims["exp"] - claims["iat"], claims
    assert lives(user.access)[0] == 900 and lives(user.refresh)[0] == 7 * 24 * 3600
    assert json.loads(lives(user.access)[1]["per"]) == ["InvoiceRead", "InvoiceWrite"]
    fresh = user.call("POST", "/auth/token/refresh", token=user.refresh, expect=200).json()
    assert user.call("GET", "/limits/context", token=fresh["accessToken"]["token"], expect=200)


def test_tokens_work_only_where_they_belong(user):
    assert user.call("GET", "/limits/context", token=user.refresh).status_code == 401
    assert user.call("POST", "/auth/token/refresh", token=user.access).status_code == 401
    assert user.call("GET", "/limits/context", token=None).status_code == 401
    tampered = user.access[:-3] + ("AAA" if user.access[-3:] != "AAA" else "BBB")
    refused = user.call("GET", "/limits/context", token=tampered)
    assert refused.status_code == 401 and refused.headers["Content-Type"].startswith("application/problem+json")


def test_access_token_expires(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    user.admin("POST", "/settings", {"clockOffsetSeconds": 901})
    assert user.call("GET", "/limits/context").status_code == 401
    fresh = user.call("POST", "/auth/token/refresh", token=user.refresh, expect=200).json()
    assert user.call("GET", "/limits/context", token=fresh["accessToken"]["token"], expect=200)
    user.admin("POST", "/settings", {"clockOffsetSeconds": 8 * 24 * 3600})
    assert user.call("POST", "/auth/token/refresh", token=user.refresh).status_code == 401


@pytest.mark.parametrize(("make", "detail"), [
    (lambda token, ms: f"{token}|{ms + 1}", "Nieprawidłowy czas tokena"),
    (lambda token, ms: f"{token}|{ms // 1000}", "Nieprawidłowy czas tokena"),
    (lambda token, ms: f"{token[:-1]}x|{ms}", "Nieprawidłowy token"),
    (lambda token, ms: b"\xff\xfe", "Nieprawidłowe kodowanie tokena"),
    (lambda token, ms: "abc", "Nieprawidłowe kodowanie tokena"),
])
def test_wrong_token_text(caller, own_nip, make, detail):
    token, _reference = ksef_token(caller, own_nip)
    started = raw_login(caller, own_nip, lambda ms: make(token, ms)).json()
    assert details(caller, started) == (450, [detail])


def test_wrong_encryption(caller, own_nip):
    challenge = caller.call("POST", "/auth/challenge", token=None, expect=200).json()
    body = {"challenge": challenge["challenge"], "contextIdentifier": {"type": "Nip", "value": own_nip},
            "encryptedToken": b64(b"x" * 256)}
    started = caller.call("POST", "/auth/ksef-token", body, token=None, expect=202).json()
    assert details(caller, started) == (450, ["Nieprawidłowe szyfrowanie tokena"])


def test_wrong_context_and_revoked_token(caller, own_nip):
    token, reference = ksef_token(caller, own_nip)
    other = nip(9000)
    started = caller.start_login(other, token).json()
    assert details(caller, started) == (450, [f"Token nie może być użyty w kontekście Nip: {other}"])
    caller.admin("DELETE", f"/tokens/{reference}")
    assert details(caller, caller.start_login(own_nip, token).json()) == (450, ["Token unieważniony"])


def test_inactive_token(caller, own_nip):
    token, reference = ksef_token(caller, own_nip)
    caller.admin("POST", f"/tokens/{reference}/status", {"status": "Pending"})
    assert details(caller, caller.start_login(own_nip, token).json()) == (450, ["Token nieaktywny"])


def test_challenge_serves_once_and_ten_minutes(sandbox, own_nip):
    caller = sandbox.caller()
    token, _reference = ksef_token(caller, own_nip)
    challenge = caller.call("POST", "/auth/challenge", token=None, expect=200).json()
    assert raw_login(caller, own_nip, lambda ms: f"{token}|{ms}", challenge).status_code == 202
    used = raw_login(caller, own_nip, lambda ms: f"{token}|{ms}", challenge)
    assert used.status_code == 400 and used.json()["errors"][0]["code"] == 21111
    late = caller.call("POST", "/auth/challenge", token=None, expect=200).json()
    caller.admin("POST", "/settings", {"clockOffsetSeconds": 601})
    assert raw_login(caller, own_nip, lambda ms: f"{token}|{ms}", late).json()["errors"][0]["code"] == 21111


def test_unknown_and_rotated_key(sandbox, own_nip):
    caller = sandbox.caller()
    token, _reference = ksef_token(caller, own_nip)
    unknown = raw_login(caller, own_nip, lambda ms: f"{token}|{ms}", publicKeyId=b64(b"k" * 32))
    assert unknown.status_code == 400 and unknown.json()["errors"][0]["code"] == 21470
    _key, old = caller.public_key("KsefTokenEncryption")
    caller.admin("POST", "/keys/rotate", {"mode": "planned"})
    keys = caller.get("/security/public-key-certificates", token=None)
    assert len(keys) == 4 and {item["publicKeyId"] for item in keys} >= {old}
    assert caller.public_key("KsefTokenEncryption")[1] != old
    caller.admin("POST", "/keys/rotate", {"mode": "retire"})
    assert old not in {item["publicKeyId"] for item in caller.get("/security/public-key-certificates", token=None)}
    assert caller.login_with_token(own_nip, token)


def test_ip_policy(caller, own_nip):
    token, _reference = ksef_token(caller, own_nip)
    policy = {"allowedIps": {"ip4Addresses": ["203.0.113.7"], "ip4Masks": ["10.0.0.0/8"]}}
    started = caller.start_login(own_nip, token, authorizationPolicy=policy).json()
    caller.login_result(started)
    caller.redeem(started)
    refused = caller.call("GET", "/limits/context", expect=403).json()
    assert refused["reasonCode"] == "ip-not-allowed" and refused["security"] == {"clientIp": "127.0.0.1"}
    started = caller.start_login(own_nip, token, authorizationPolicy={
        "allowedIps": {"ip4Ranges": ["127.0.0.0-127.0.0.9"]}}).json()
    caller.login_result(started)
    caller.redeem(started).call("GET", "/limits/context", expect=200)


def test_blocked_context(caller, own_nip):
    token, _reference = ksef_token(caller, own_nip)
    context = {"contextIdentifier": {"type": "Nip", "value": own_nip}}
    caller.call("POST", "/testdata/context/block", context, token=None, expect=200)
    assert details(caller, caller.start_login(own_nip, token).json())[0] == 480
    caller.call("POST", "/testdata/context/unblock", context, token=None, expect=200)
    assert details(caller, caller.start_login(own_nip, token).json())[0] == 200


def test_status_is_kept_seven_days(sandbox, own_nip):
    caller = sandbox.caller()
    token, _reference = ksef_token(caller, own_nip)
    started = caller.start_login(own_nip, token).json()
    jwt = started["authenticationToken"]["token"]
    assert caller.call("GET", f"/auth/20261121-AU-{'0' * 10}-{'0' * 10}-00", token=jwt).json()["errors"][0][
        "code"] == 21304
    caller.login_result(started)
    caller.admin("POST", "/settings", {"clockOffsetSeconds": -3 * 24 * 3600})
    assert caller.call("GET", f"/auth/{started['referenceNumber']}", token=jwt).status_code == 200


def test_missing_permission_is_a_403_with_its_reason(caller, own_nip):
    caller.login(own_nip, ["InvoiceRead"])
    encryption, _key, _vector = caller.encryption()
    refused = caller.call("POST", "/sessions/online", {
        "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}, "encryption": encryption},
        expect=403).json()
    assert refused["reasonCode"] == "missing-permissions"
    assert refused["security"]["presentPermissions"] == ["InvoiceRead"]
    assert "InvoiceWrite" in refused["security"]["requiredAnyOfPermissions"]


def test_personal_grants_and_own_token(caller, own_nip):
    token, reference = ksef_token(caller, own_nip, "InvoiceRead", "InvoiceWrite")
    caller.login_with_token(own_nip, token)
    grants = caller.call("POST", "/permissions/query/personal/grants", {}, expect=200).json()
    assert sorted(grants["ownerPermissions"]) == ["InvoiceRead", "InvoiceWrite"]
    mine = caller.get(f"/tokens/{reference}")
    assert mine["status"] == "Active" and mine["requestedPermissions"] == ["InvoiceRead", "InvoiceWrite"]
    assert mine["authorIdentifier"] == {"type": "Nip", "value": own_nip} and mine["lastUseDate"]


def test_tokens_generated_listed_and_revoked(caller, own_nip):
    caller.login(own_nip, ["InvoiceRead", "CredentialsManage"])
    refused = caller.call("POST", "/tokens", {"permissions": ["InvoiceWrite"], "description": "za szeroki"},
                          expect=400).json()
    assert refused["errors"][0]["code"] == 26001 and "InvoiceWrite" in refused["errors"][0]["details"][0]
    made = [caller.call("POST", "/tokens", {"permissions": ["InvoiceRead"], "description": f"Token {number}"},
                        expect=202).json() for number in range(12)]
    first = wait_for(lambda: caller.get(f"/tokens/{made[0]['referenceNumber']}"),
                     lambda answer: answer["status"] == "Active")
    assert first["status"] == "Active" and made[0]["token"].split("|")[1] == f"nip-{own_nip}"
    page = caller.get("/tokens?pageSize=10")
    rest = caller.get("/tokens?pageSize=10", headers={"x-continuation-token": page["continuationToken"]})
    assert len(page["tokens"]) == 10 and len(rest["tokens"]) == 3 and not rest["continuationToken"]
    assert len(caller.get("/tokens?description=TOKEN%201&pageSize=100")["tokens"]) == 3
    caller.call("DELETE", f"/tokens/{made[0]['referenceNumber']}", expect=204)
    assert wait_for(lambda: caller.get(f"/tokens/{made[0]['referenceNumber']}"),
                    lambda answer: answer["status"] == "Revoked")["status"] == "Revoked"
    assert caller.get("/tokens?status=Revoked&status=Failed")["tokens"][0]["description"] == "Token 0"
    assert caller.call("GET", "/tokens", headers={"x-continuation-token": "nope"}, expect=400).json()["errors"][0][
        "code"] == 21418


def test_narrow_token_sees_and_revokes_only_itself(caller, own_nip):
    _other, other_reference = ksef_token(caller, own_nip)
    token, reference = ksef_token(caller, own_nip)
    caller.login_with_token(own_nip, token)
    assert [item["referenceNumber"] for item in caller.get("/tokens")["tokens"]] == [reference]
    assert caller.call("DELETE", f"/tokens/{other_reference}").status_code == 400
    caller.call("DELETE", f"/tokens/{reference}", expect=204)
    refused = caller.call("POST", "/auth/token/refresh", token=caller.refresh, expect=400).json()
    assert refused["errors"][0]["code"] == 21301


def test_forced_login_status(caller, own_nip):
    caller.fault("login_status", "POST /auth/ksef-token", code=550, nip=own_nip)
    token, _reference = ksef_token(caller, own_nip)
    assert details(caller, caller.start_login(own_nip, token).json())[0] == 550
    assert details(caller, caller.start_login(own_nip, token).json())[0] == 200
