"""The error coach on answers that the sandbox really gives: its words are written apart from the coach's tables."""

import socket
from datetime import UTC, datetime, timedelta

import pytest
from ksef_test_identity import log_in_with, person, seal, start_login
from ksef_test_sandbox import BUYER, SELLER, Sending, log_in, make_xml, wait
from ksef_test_signing import SHA1, Signing

from ksef.certificates import KeyPair, key_from_pem, new_csr
from ksef.client import Client
from ksef.coach import Where, find_advice, find_stored_advice
from ksef.environment import get_environment
from ksef.errors import KsefError, PermissionStatus, SessionStatus
from ksef.number import token_reference
from ksef.transport import Transport
from ksef.types import Context, Identifier
from ksef.xades import auth_token_request, sign

STRANGER = "7740001454"


def error_of(function, *arguments, **options):
    """Return the KsefError that a call ends with."""
    with pytest.raises(KsefError) as caught:
        function(*arguments, **options)
    return caught.value


def key(where, error):
    """Return the key of the advice; what is kept of the error leads to the same one."""
    advice = find_advice(where, error)
    if advice.original.code:
        stored = find_stored_advice(where, advice.original.code, advice.original.description, advice.original.details)
        assert stored.key == advice.key
    assert advice.original.description
    return advice.key


def signed_login(ksef, signed):
    operation = ksef.start_signed_login(signed)
    return wait(lambda: ksef.login_status(operation).is_complete)


class TestSignedLogin:
    """S0-09…S0-13: what people meet when they sign a file."""

    @pytest.fixture
    def request_xml(self, ksef):
        return auth_token_request(ksef.challenge(), Context(SELLER))

    @pytest.mark.parametrize(("make", "expected"), [
        (lambda xml: xml, "signature_missing"),
        (lambda xml: sign(sign(xml, seal()), seal()), "signatures_several"),
        (lambda xml: sign(xml, seal()).replace(SELLER.encode(), BUYER.encode(), 1), "signature_bad"),
        (lambda xml: Signing(mark=None).sign(xml, seal()), "signature_profile"),
        (lambda xml: Signing(method="http://www.w3.org/2000/09/xmldsig#dsa-sha256").sign(xml, seal()), "signature_algorithm"),
        (lambda xml: b"to nie jest XML", "signed_file_unreadable"),
        (lambda xml: sign(xml, seal()).replace(b"UTF-8", b"ISO-8859-2"), "signed_file_unreadable"),
        (lambda xml: sign(auth_token_request("20250625-CR-2FDC223000-C2BFC98A9C-4E", Context(SELLER)), seal()), "challenge_used"),
        (lambda xml: sign(xml, person("12")), "signer_refused"),
        (lambda xml: sign(xml, person("PNOPL-44051401359")), "login_no_permissions"),
        (lambda xml: sign(xml, seal(valid=(-30, -2)), now=datetime.now(UTC) - timedelta(days=3)), "certificate_expired")])
    def test_each(self, ksef, request_xml, make, expected):
        assert key(Where.LOGIN_SIGNED, error_of(signed_login, ksef, make(request_xml))) == expected

    def test_used_twice(self, ksef, request_xml):
        signed = sign(request_xml, seal())
        ksef.start_signed_login(signed)
        assert key(Where.LOGIN_SIGNED, error_of(ksef.start_signed_login, signed)) == "challenge_used"

    def test_of_another_environment(self, ksef, sandbox):
        sandbox.admin("POST", "/settings", environment="production")
        refused = error_of(start_login, ksef, seal())
        weak = error_of(ksef.start_signed_login, Signing(digest=SHA1).sign(
            auth_token_request(ksef.challenge(), Context(SELLER)), seal()))
        assert key(Where.LOGIN_SIGNED, refused) == "signer_refused"
        assert key(Where.LOGIN_CERTIFICATE, refused) == "certificate_refused"
        assert key(Where.LOGIN_SIGNED, weak) == "signature_algorithm"

    @pytest.mark.parametrize(("pair", "expected"), [(seal(), "certificate_untrusted")])
    def test_chain(self, ksef, request_xml, pair, expected):
        operation = ksef.start_signed_login(sign(request_xml, pair), verify_chain=True)
        error = error_of(wait, lambda: ksef.login_status(operation).is_complete)
        assert key(Where.LOGIN_CERTIFICATE, error) == expected

    def test_blocked_and_deceased(self, ksef, sandbox):
        sandbox.call("POST", "/testdata/context/block", {"contextIdentifier": {"type": "Nip", "value": SELLER}})
        assert key(Where.LOGIN_CERTIFICATE, error_of(log_in_with, ksef, seal())) == "login_blocked"
        sandbox.call("POST", "/testdata/person", {
            "nip": STRANGER, "pesel": "55030101193", "isBailiff": False, "isDeceased": True, "description": "osoba testowa"})
        error = error_of(log_in_with, ksef, person("PNOPL-55030101193"), STRANGER)
        assert key(Where.LOGIN_SIGNED, error) == "deceased"


class TestTokenLogin:
    def test_each(self, ksef, sandbox):
        token = sandbox.token()
        assert key(Where.LOGIN_TOKEN, error_of(log_in, ksef, token[:-1] + "x")) == "token_wrong"
        assert key(Where.LOGIN_TOKEN, error_of(log_in, ksef, token, BUYER)) == "token_other_company"
        pair = log_in(ksef, token)
        sandbox.admin("DELETE", f"/tokens/{token_reference(token)}")
        assert key(Where.LOGIN_TOKEN, error_of(log_in, ksef, token)) == "token_revoked"
        assert key(Where.OTHER, error_of(ksef.refresh, pair.refresh)) == "token_revoked"

    def test_twice_redeemed_and_ended(self, ksef, sandbox):
        operation = ksef.start_token_login_with_fresh_key(Context(SELLER), sandbox.token())
        wait(lambda: ksef.login_status(operation).is_complete)
        pair = ksef.redeem(operation)
        assert key(Where.LOGIN_TOKEN, error_of(ksef.redeem, operation)) == "not_authorised"
        ksef.end_login(pair.refresh)
        assert key(Where.OTHER, error_of(ksef.refresh, pair.refresh)) == "not_authorised"
        assert key(Where.SEND, error_of(ksef.context_limits, "eyJhbGciOiJIUzI1NiJ9.e30.c2ln")) == "unauthorized"

    @pytest.mark.parametrize(("code", "expected"), [
        (425, "login_revoked"), (450, "token_refused"), (480, "login_blocked"), (500, "ksef_internal"), (550, "cancelled"),
        (499, "unknown_failure")])
    def test_statuses(self, ksef, sandbox, code, expected):
        sandbox.fault("POST /auth/ksef-token", "login_status", code=code, details=["Coś nowego"])
        assert key(Where.LOGIN_TOKEN, error_of(log_in, ksef, sandbox.token())) == expected


class TestSending:
    def test_invoices(self, ksef, sandbox, access, sending):
        tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
        today = make_xml()
        future = today.replace(today.partition(b"<P_1>")[2][:10], tomorrow.encode())
        broken = make_xml().replace(b"<JST>2</JST>", b"")
        for xml, expected in ((future, "invoice_future"), (broken, "invoice_invalid"), (make_xml(seller=BUYER), "invoice_permissions")):
            assert key(Where.INVOICE, sending.result(xml).status) == expected
        twice = make_xml()
        sending.result(twice)
        assert key(Where.INVOICE, sending.result(twice).status) == "invoice_duplicate"

    def test_check_digits(self, ksef, sandbox, sending):
        sandbox.admin("POST", "/settings", environment="production")
        report = sending.result(make_xml().replace(BUYER.encode(), b"1111111112"))
        assert key(Where.INVOICE, report.status) == "invoice_bad_nip"

    @pytest.mark.parametrize(("code", "expected"), [
        (405, "invoice_session_error"), (415, "invoice_attachment"), (430, "invoice_file"), (435, "invoice_encryption"),
        (500, "ksef_internal"), (550, "cancelled"), (499, "unknown_failure")])
    def test_statuses(self, ksef, sandbox, sending, code, expected):
        sandbox.fault("POST /sessions/online/{referenceNumber}/invoices", "invoice_status", code=code, description="opis")
        assert key(Where.INVOICE, sending.result(make_xml()).status) == expected

    def test_sessions(self, ksef, sandbox, access, sending):
        assert key(Where.SESSION, ksef.session(access, sending.reference).status) == "in_progress"
        ksef.close_online_session(access, sending.reference)
        report = wait(lambda: (found := ksef.session(access, sending.reference)).status.code == SessionStatus.CANCELLED and found)
        assert key(Where.SESSION, report.status) == "session_empty"
        assert key(Where.SEND, error_of(sending.send, make_xml())) == "session_status"
        unknown = error_of(ksef.session, access, "20250626-SO-2F14610000-242991F8C9-B4")
        assert key(Where.SESSION, unknown) == "session_not_found"

    def test_rights(self, ksef, sandbox):
        reader = log_in(ksef, sandbox.token("InvoiceRead")).access
        writer = log_in(ksef, sandbox.token("InvoiceWrite")).access
        assert key(Where.SESSION, error_of(Sending, ksef, reader)) == "forbidden_send"
        unseen = error_of(ksef.invoice_by_number, writer, "5265877635-20250626-010080DD2B5E-26")
        assert key(Where.RECEIVE, unseen) == "forbidden_receive"
        assert key(Where.PERMISSION, error_of(list, ksef.person_permissions(writer))) == "forbidden_manage"
        assert key(Where.CERTIFICATE, error_of(ksef.revoke_certificate, writer, "0321C82DA41B4362")) == "forbidden_method"
        missing = error_of(ksef.invoice_by_number, reader, "5265877635-20250626-010080DD2B5E-26")
        assert key(Where.RECEIVE, missing) == "invoice_not_found"

    def test_limit(self, ksef, sandbox, access):
        sandbox.admin("POST", "/settings", rateLimits=True)
        advice = find_advice(Where.OTHER, error_of(lambda: [ksef.context_limits(access) for _call in range(200)]))
        assert advice.key == "rate_limit"
        assert datetime.now(UTC) - timedelta(seconds=2) < advice.until < datetime.now(UTC) + timedelta(hours=2)

    @pytest.mark.parametrize(("action", "options", "expected"), [
        ("http_error", {"status": 503}, "service_down"), ("drop_after", {}, "no_answer"), ("garble", {}, "unreadable_answer"),
        ("http_error", {"status": 403, "reasonCode": "security-service-blocked", "detail": "x"}, "forbidden_blocked"),
        ("http_error", {"status": 403, "reasonCode": "nowy-powod", "detail": "x"}, "forbidden"),
        ("http_error", {"status": 400, "code": 21184}, "session_unavailable")])
    def test_trouble(self, ksef, sandbox, access, action, options, expected):
        sandbox.fault("POST /sessions/online", action, **options)
        assert find_advice(Where.SESSION, error_of(Sending, ksef, access)).key == expected

    def test_no_connection(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{free.getsockname()[1]}/v2"
        with Transport(get_environment("local", address), connect_timeout=1) as transport:
            assert key(Where.OTHER, error_of(Client(transport).challenge)) == "no_connection"


class TestAccess:
    @pytest.fixture
    def owner(self, ksef):
        return log_in_with(ksef, seal()).access

    def test_certificates(self, ksef, sandbox, owner, access):
        data = ksef.enrollment_data(owner)
        csr = new_csr(data).csr
        other = new_csr(data.attributes | {"commonName": "Inny"}).csr

        def enroll(request):
            return ksef.enroll_certificate(owner, "ERP 2026", "Authentication", request)

        assert key(Where.CERTIFICATE, error_of(ksef.enrollment_data, access)) == "certificate_login_needed"
        assert key(Where.CERTIFICATE, error_of(enroll, other)) == "csr_mismatch"
        assert key(Where.CERTIFICATE, error_of(enroll, "MAA=")) == "csr_refused"
        sandbox.call("POST", "/testdata/limits/subject/certificate", {
            "subjectIdentifierType": "Nip", "certificate": {"maxCertificates": 0}}, token=owner)
        assert key(Where.CERTIFICATE, error_of(enroll, csr)) == "certificate_limit"
        sandbox.call("POST", "/testdata/limits/subject/certificate", {
            "subjectIdentifierType": "Nip", "enrollment": {"maxEnrollments": 0}}, token=owner)
        assert key(Where.CERTIFICATE, error_of(enroll, csr)) == "enrollment_limit"

    def test_certificate_that_was_revoked(self, ksef, owner):
        request = new_csr(ksef.enrollment_data(owner))
        reference = ksef.enroll_certificate(owner, "ERP 2026", "Authentication", request.csr).reference_number
        report = wait(lambda: (found := ksef.enrollment_status(owner, reference)).serial and found)
        [issued] = ksef.retrieve_certificates(owner, [report.serial])
        ksef.revoke_certificate(owner, report.serial)
        error = error_of(log_in_with, ksef, KeyPair.from_der(request.key_pem, issued.certificate_der))
        assert key(Where.LOGIN_CERTIFICATE, error) == "certificate_revoked"
        again = error_of(ksef.revoke_certificate, owner, report.serial)
        assert key(Where.CERTIFICATE, again) == "certificate_not_revocable"

    def test_key_of_somebody_else(self, ksef, owner):
        request = new_csr(ksef.enrollment_data(owner))
        ksef.enroll_certificate(owner, "ERP 2026", "Authentication", request.csr)
        other = log_in_with(ksef, seal(BUYER), BUYER).access
        from_other = new_csr(ksef.enrollment_data(other), key_from_pem(request.key_pem))
        reference = ksef.enroll_certificate(other, "ERP 2026", "Authentication", from_other.csr).reference_number
        report = wait(lambda: (found := ksef.enrollment_status(other, reference)).status.code >= 200 and found)
        assert key(Where.CERTIFICATE, report.status) == "enrollment_foreign_key"

    def test_tokens_and_permissions(self, ksef, sandbox, owner):
        manager = log_in(ksef, sandbox.token("CredentialsManage")).access
        error = error_of(ksef.generate_token, manager, ["InvoiceWrite"], "Odoo 2026")
        assert key(Where.TOKEN, error) == "token_exceeds"
        reference = ksef.revoke_permission(owner, "0c9a3d4e-1111-2222-3333-444455556666")
        status = wait(lambda: (
            found := ksef.permission_operation(owner, reference)).code != PermissionStatus.IN_PROGRESS and found)
        assert key(Where.PERMISSION, status).startswith("permission_")
        granted = ksef.grant_person(owner, Identifier("Pesel", "44051401359"), ["InvoiceRead"], "Jan", "Żółw", "Księgowy")
        assert wait(lambda: key(Where.PERMISSION, ksef.permission_operation(owner, granted)) == "done")
