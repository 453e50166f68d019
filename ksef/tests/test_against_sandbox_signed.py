"""Logging in with a certificate, against the sandbox."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from ksef_test_identity import log_in_with, person, seal, self_signed, start_login
from ksef_test_sandbox import BUYER, SELLER, Sending, make_xml, wait

from ksef.certificates import KeyPair
from ksef.errors import ApiCode, AuthStatus, KsefForbiddenError, KsefLoginError, KsefRefusedError
from ksef.types import AllowedIps, Context
from ksef.xades import BY_FINGERPRINT, auth_token_request, sign

PESEL = "44051401359"


def grant(sandbox, kind, value, *permissions, nip=SELLER):
    """Give permissions as the form ZAW-FA does."""
    sandbox.call("POST", "/testdata/permissions", {
        "contextIdentifier": {"type": "Nip", "value": nip}, "authorizedIdentifier": {"type": kind, "value": value},
        "permissions": [{"permissionType": name, "description": "uprawnienie"} for name in permissions]})


class TestSignedLogin:
    @pytest.mark.parametrize("kind", ["rsa", "p256", "p384", "p521"])
    def test_seal(self, ksef, rsa_key, kind):
        curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
        key = rsa_key if kind == "rsa" else ec.generate_private_key(curves[kind])
        pair = log_in_with(ksef, seal(key=key))
        permissions = ksef.personal_permissions(pair.access)
        assert {"InvoiceWrite", "InvoiceRead", "CredentialsManage"} <= permissions.active_scopes
        sending = Sending(ksef, pair.access)
        assert sending.result(make_xml()).ksef_number

    def test_report_names_the_method(self, ksef):
        operation = start_login(ksef, seal())
        report = wait(lambda: (found := ksef.login_status(operation)).is_complete and found)
        assert report.method_category == "XadesSignature"

    def test_person_with_rights(self, ksef, sandbox):
        grant(sandbox, "Pesel", PESEL, "InvoiceRead")
        access = log_in_with(ksef, person(f"PNOPL-{PESEL}")).access
        assert ksef.personal_permissions(access).active_scopes == {"InvoiceRead"}

    def test_person_without_rights(self, ksef):
        with pytest.raises(KsefLoginError) as caught:
            log_in_with(ksef, person(f"PNOPL-{PESEL}"))
        assert caught.value.status == AuthStatus.NO_PERMISSIONS
        assert caught.value.details

    def test_same_pair_for_another_company(self, ksef, sandbox):
        """S0-16: one certificate serves every company whose rights its holder has."""
        pair = person(f"PNOPL-{PESEL}")
        for nip in (SELLER, BUYER):
            grant(sandbox, "Pesel", PESEL, "InvoiceWrite", nip=nip)
        for nip in (SELLER, BUYER):
            [permission] = ksef.personal_permissions(log_in_with(ksef, pair, nip).access).grants
            assert permission.context == Context(nip)

    def test_fingerprint(self, ksef, sandbox):
        pair = self_signed({"C": "DE", "CN": "Hans"})
        grant(sandbox, "Fingerprint", pair.info.fingerprint, "InvoiceWrite")
        access = log_in_with(ksef, pair, subject_type=BY_FINGERPRINT).access
        assert ksef.personal_permissions(access).active_scopes == {"InvoiceWrite"}

    def test_certificate_that_the_sandbox_issues(self, ksef, sandbox):
        made = sandbox.admin("POST", "/certificates", nip=SELLER)
        pair = KeyPair.from_pem(made["privateKey"], made["certificate"])
        operation = ksef.start_signed_login(
            sign(auth_token_request(ksef.challenge(), Context(SELLER)), pair), verify_chain=True)
        assert wait(lambda: ksef.login_status(operation).is_complete)

    def test_chain_is_checked_when_asked_for(self, ksef):
        operation = ksef.start_signed_login(
            sign(auth_token_request(ksef.challenge(), Context(SELLER)), seal()), verify_chain=True)
        with pytest.raises(KsefLoginError) as caught:
            wait(lambda: ksef.login_status(operation).is_complete)
        assert caught.value.status == AuthStatus.BAD_CERTIFICATE

    def test_expired_certificate(self, ksef):
        pair = seal(valid=(-30, -2))
        request = auth_token_request(ksef.challenge(), Context(SELLER))
        operation = ksef.start_signed_login(sign(request, pair, now=datetime.now(UTC) - timedelta(days=3)))
        with pytest.raises(KsefLoginError) as caught:
            wait(lambda: ksef.login_status(operation).is_complete)
        assert caught.value.status == AuthStatus.BAD_CERTIFICATE

    def test_certificate_of_another_environment(self, ksef, sandbox):
        """S0-13."""
        sandbox.admin("POST", "/settings", environment="production")
        with pytest.raises(KsefRefusedError) as caught:
            start_login(ksef, seal())
        assert caught.value.code == ApiCode.BAD_CERTIFICATE

    def test_challenge_serves_once(self, ksef):
        """S0-11."""
        signed = sign(auth_token_request(ksef.challenge(), Context(SELLER)), seal())
        ksef.start_signed_login(signed)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.start_signed_login(signed)
        assert caught.value.code == ApiCode.BAD_CHALLENGE

    def test_unsigned(self, ksef):
        """S0-10."""
        with pytest.raises(KsefRefusedError) as caught:
            ksef.start_signed_login(auth_token_request(ksef.challenge(), Context(SELLER)))
        assert caught.value.code == ApiCode.SIGNATURE_MISSING

    def test_signed_twice(self, ksef):
        """S0-12."""
        signed = sign(auth_token_request(ksef.challenge(), Context(SELLER)), seal())
        with pytest.raises(KsefRefusedError) as caught:
            ksef.start_signed_login(sign(signed, seal()))
        assert caught.value.code == ApiCode.TOO_MANY_SIGNATURES

    def test_allowed_addresses(self, ksef):
        policy = AllowedIps(addresses=("203.0.113.7",), ranges=("10.0.0.1-10.0.0.9",), masks=("192.168.0.0/16",))
        access = log_in_with(ksef, seal(), policy=policy).access
        with pytest.raises(KsefForbiddenError) as caught:
            ksef.personal_permissions(access)
        assert caught.value.reason_code == "ip-not-allowed"
