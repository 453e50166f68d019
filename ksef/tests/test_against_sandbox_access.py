"""Tokens, logins, certificates, permissions, limits and the availability service, against the sandbox."""

from datetime import UTC, date, datetime, timedelta

import pytest
from ksef_test_identity import log_in_with, person, seal, start_login
from ksef_test_sandbox import BUYER, SELLER, Sending, log_in, make_xml, wait

from ksef.certificates import CertificateKind, KeyPair, key_from_pem, new_csr
from ksef.environment import get_environment
from ksef.errors import (
    ApiCode,
    AuthStatus,
    EnrollmentStatus,
    KsefConfigError,
    KsefForbiddenError,
    KsefLoginError,
    KsefRefusedError,
    PermissionStatus,
)
from ksef.latarnia import Availability, Latarnia
from ksef.types import Context, FingerprintOwner, Identifier
from ksef.xades import auth_token_request, sign

PESEL = Identifier("Pesel", "44051401359")
OFFICE = Identifier("Nip", BUYER)


@pytest.fixture
def owner(ksef):
    """An access token of the owner of the context, logged in with a seal."""
    return log_in_with(ksef, seal()).access


def finish(ksef, access, reference):
    """Return the final status of a permission operation."""
    return wait(lambda: (found := ksef.permission_operation(access, reference)).code != PermissionStatus.IN_PROGRESS and found)


def enroll(ksef, access, name="ERP 2026", kind="Authentication", request=None):
    """Return the KeyPair of a certificate that was asked for, waited for and fetched."""
    request = request or new_csr(ksef.enrollment_data(access))
    reference = ksef.enroll_certificate(access, name, kind, request.csr).reference_number
    report = wait(lambda: (found := ksef.enrollment_status(access, reference)).status.code != 100 and found)
    assert report.status.code == EnrollmentStatus.ISSUED
    [issued] = ksef.retrieve_certificates(access, [report.serial])
    assert (issued.serial, issued.name, issued.kind) == (report.serial, name, kind)
    pair = KeyPair.from_der(request.key_pem, issued.certificate_der)
    assert pair.info.serial == report.serial
    return pair


class TestCertificates:
    def test_own_certificate_logs_in_and_sends(self, ksef, owner):
        """S0-15: the program gets its own certificate and works with it."""
        limits = ksef.certificate_limits(owner)
        assert limits.can_request
        pair = enroll(ksef, owner)
        assert pair.info.kind == CertificateKind.AUTHENTICATION
        assert pair.info.nip == SELLER
        after = ksef.certificate_limits(owner)
        assert (after.enrollment.remaining, after.certificate.remaining) == (
            limits.enrollment.remaining - 1, limits.certificate.remaining - 1)
        access = log_in_with(ksef, pair).access
        assert Sending(ksef, access).result(make_xml()).ksef_number

    def test_offline_certificate_does_not_log_in(self, ksef, owner):
        pair = enroll(ksef, owner, kind="Offline")
        assert pair.info.kind == CertificateKind.OFFLINE
        with pytest.raises(KsefRefusedError) as caught:
            start_login(ksef, pair)
        assert caught.value.code == ApiCode.BAD_CERTIFICATE

    def test_list_and_revocation(self, ksef, owner):
        first, second = enroll(ksef, owner, "ERP pierwszy"), enroll(ksef, owner, "ERP drugi", "Offline")
        listed = list(ksef.certificates(owner))
        assert {item.serial for item in listed} == {first.info.serial, second.info.serial}
        [found] = ksef.certificates(owner, name="DRUGI", kind="Offline", status="Active")
        assert (found.serial, found.name, found.kind, found.status) == (
            second.info.serial, "ERP drugi", "Offline", "Active")
        assert (found.subject.type, found.subject.value) == ("Nip", SELLER)
        assert (found.valid_from, found.valid_to) == (second.info.valid_from, second.info.valid_to)
        ksef.revoke_certificate(owner, first.info.serial, "Superseded")
        assert [item.serial for item in ksef.certificates(owner, status="Revoked")] == [first.info.serial]
        with pytest.raises(KsefRefusedError) as caught:
            ksef.revoke_certificate(owner, first.info.serial)
        assert caught.value.code == ApiCode.CERTIFICATE_NOT_REVOCABLE
        with pytest.raises(KsefLoginError) as failed:
            log_in_with(ksef, first)
        assert (failed.value.status, failed.value.details) == (AuthStatus.BAD_CERTIFICATE, ("Certyfikat odwołany",))

    def test_many_pages(self, ksef, owner):
        request = new_csr(ksef.enrollment_data(owner))
        for index in range(12):
            ksef.enroll_certificate(owner, f"ERP {index:02}", "Offline", request.csr)
        wait(lambda: len(list(ksef.certificates(owner, page_size=10))) == 12)

    def test_not_with_a_token(self, ksef, access):
        with pytest.raises(KsefRefusedError) as caught:
            ksef.enrollment_data(access)
        assert caught.value.code == ApiCode.NO_CSR_DATA
        with pytest.raises(KsefForbiddenError) as forbidden:
            ksef.revoke_certificate(access, "0321C82DA41B4362")
        assert forbidden.value.reason_code == "auth-method-not-allowed"

    def test_request_with_other_data(self, ksef, owner):
        data = ksef.enrollment_data(owner).attributes | {"commonName": "Ktoś inny"}
        with pytest.raises(KsefRefusedError) as caught:
            ksef.enroll_certificate(owner, "ERP 2026", "Authentication", new_csr(data).csr)
        assert caught.value.code == ApiCode.CSR_MISMATCH

    def test_no_request_at_all(self, ksef, owner):
        with pytest.raises(KsefRefusedError) as caught:
            ksef.enroll_certificate(owner, "ERP 2026", "Authentication", "MAA=")
        assert caught.value.code == ApiCode.BAD_CSR

    def test_key_of_somebody_else(self, ksef, owner, sandbox):
        request = new_csr(ksef.enrollment_data(owner))
        enroll(ksef, owner, request=request)
        other = log_in_with(ksef, seal(BUYER), BUYER).access
        key = key_from_pem(request.key_pem)
        again = new_csr(ksef.enrollment_data(other), key)
        reference = ksef.enroll_certificate(other, "ERP 2026", "Authentication", again.csr).reference_number
        report = wait(lambda: (found := ksef.enrollment_status(other, reference)).status.code != 100 and found)
        assert report.status.code == EnrollmentStatus.REJECTED
        assert report.status.details
        assert report.serial is None

    @pytest.mark.parametrize(("limits", "code"), [
        ({"enrollment": {"maxEnrollments": 0}}, ApiCode.ENROLLMENT_LIMIT),
        ({"certificate": {"maxCertificates": 0}}, ApiCode.CERTIFICATE_LIMIT)])
    def test_limits(self, ksef, owner, sandbox, limits, code):
        """S0-14."""
        sandbox.call("POST", "/testdata/limits/subject/certificate", {"subjectIdentifierType": "Nip", **limits}, token=owner)
        found = ksef.certificate_limits(owner)
        assert not found.can_request
        assert 0 in (found.enrollment.remaining, found.certificate.remaining)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.enroll_certificate(owner, "ERP 2026", "Offline", new_csr(ksef.enrollment_data(owner)).csr)
        assert caught.value.code == code

    def test_unknown_ones(self, ksef, owner):
        with pytest.raises(KsefRefusedError) as caught:
            ksef.enrollment_status(owner, "20250626-EG-333C814000-C529F710D8-D2")
        assert caught.value.code == ApiCode.ENROLLMENT_NOT_FOUND
        assert ksef.retrieve_certificates(owner, ["0321C82DA41B4362"]) == []
        with pytest.raises(KsefRefusedError) as refused:
            ksef.revoke_certificate(owner, "0321C82DA41B4362")
        assert refused.value.code == ApiCode.CERTIFICATE_NOT_FOUND

    @pytest.mark.parametrize("call", [
        lambda ksef: ksef.enroll_certificate("x", "a/b/c/d", "Offline", "MAA="),
        lambda ksef: ksef.enroll_certificate("x", "abc", "Offline", "MAA="),
        lambda ksef: ksef.retrieve_certificates("x", []), lambda ksef: ksef.retrieve_certificates("x", ["../x"]),
        lambda ksef: ksef.revoke_certificate("x", "0321c82da41b4362"),
        lambda ksef: ksef.generate_token("x", ["InvoiceRead"], "abc"), lambda ksef: ksef.generate_token("x", [], "abcde"),
        lambda ksef: ksef.grant_person("x", Identifier("Fingerprint", "A" * 64), ["InvoiceRead"], "Jan", "Żółw", "opis 1"),
        lambda ksef: ksef.grant_person("x", PESEL, ["InvoiceRead"], "J", "Żółw", "opis 1"),
        lambda ksef: ksef.grant_person("x", PESEL, [], "Jan", "Żółw", "opis 1"),
        lambda ksef: ksef.grant_entity("x", PESEL, ["InvoiceRead"], "Biuro", "opis 1"),
        lambda ksef: ksef.grant_entity("x", OFFICE, ["InvoiceRead"], "Biuro", "x"),
        lambda ksef: ksef.revoke_permission("x", "../../tokens")])
    def test_bad_input_is_not_sent(self, ksef, call):
        with pytest.raises(KsefConfigError):
            call(ksef)


class TestTokens:
    def test_a_token_of_the_program(self, ksef, owner):
        made = ksef.generate_token(owner, ["InvoiceRead", "InvoiceWrite"], "Odoo, produkcja 1")
        wait(lambda: ksef.token_status(owner, made.reference_number).status == "Active")
        assert made.token.reveal() not in repr(made)
        access = log_in(ksef, made.token.reveal()).access
        assert ksef.personal_permissions(access).active_scopes == {"InvoiceRead", "InvoiceWrite"}
        [found] = ksef.tokens(owner, description="PRODUKCJA", statuses=["Active", "Pending"])
        assert (found.reference_number, found.author.value) == (made.reference_number, SELLER)
        assert found.last_used_at
        ksef.revoke_token(owner, made.reference_number)
        wait(lambda: ksef.token_status(owner, made.reference_number).status == "Revoked")
        with pytest.raises(KsefLoginError) as caught:
            log_in(ksef, made.token.reveal())
        assert caught.value.details == ("Token unieważniony",)

    def test_token_revokes_itself(self, ksef, owner):
        made = ksef.generate_token(owner, ["InvoiceRead"], "Odoo, na chwilę")
        wait(lambda: ksef.token_status(owner, made.reference_number).status == "Active")
        access = log_in(ksef, made.token.reveal()).access
        ksef.revoke_token(access, made.reference_number)
        wait(lambda: ksef.token_status(owner, made.reference_number).status == "Revoked")

    def test_no_more_than_one_has(self, ksef, sandbox):
        access = log_in(ksef, sandbox.token("CredentialsManage")).access
        with pytest.raises(KsefRefusedError) as caught:
            ksef.generate_token(access, ["InvoiceWrite"], "Odoo 2026")
        assert caught.value.code == ApiCode.TOKEN_PERMISSIONS_EXCEEDED

    def test_many_pages(self, ksef, owner):
        for index in range(12):
            ksef.generate_token(owner, ["InvoiceRead"], f"Odoo {index}")
        assert len({found.reference_number for found in ksef.tokens(owner, page_size=10)}) == 12


class TestLogins:
    def test_list_and_end(self, ksef):
        """S1-11, issue 4: open logins are listed, another one can be ended."""
        mine, other = log_in_with(ksef, seal()), log_in_with(ksef, seal())
        logins = list(ksef.logins(mine.access))
        assert [found.is_current for found in logins].count(True) == 1
        [foreign] = [found for found in logins if not found.is_current]
        assert (foreign.method_category, foreign.is_redeemed) == ("XadesSignature", True)
        assert foreign.refresh_valid_until - datetime.now(UTC) > timedelta(days=6)
        ksef.terminate_login(mine.access, foreign.reference_number)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.refresh(other.refresh)
        assert caught.value.code == ApiCode.NOT_AUTHORISED
        assert len(list(ksef.logins(mine.access))) == 1
        assert ksef.refresh(mine.refresh)


class TestPermissions:
    def test_person(self, ksef, owner):
        reference = ksef.grant_person(owner, PESEL, ["InvoiceRead", "InvoiceWrite"], "Jan", "Żółw", "Księgowy firmy")
        assert finish(ksef, owner, reference).code == PermissionStatus.DONE
        grants = list(ksef.person_permissions(owner))
        assert {grant.scope for grant in grants} == {"InvoiceRead", "InvoiceWrite"}
        grant = grants[0]
        assert (grant.authorized, grant.name, grant.state) == (PESEL, "Jan Żółw", "Active")
        assert (grant.author.type, grant.description) == ("Nip", "Księgowy firmy")
        assert "44051401359" not in repr(grant)
        assert grant.authorized.masked == "*******1359"
        assert {found.id for found in ksef.person_permissions(owner, granted_here=True)} == {found.id for found in grants}
        person_access = log_in_with(ksef, person("PNOPL-44051401359")).access
        assert {found.id for found in ksef.personal_permissions(person_access).grants} == {found.id for found in grants}
        assert ksef.personal_permissions(person_access).active_scopes == {"InvoiceRead", "InvoiceWrite"}
        for found in grants:
            assert finish(ksef, owner, ksef.revoke_permission(owner, found.id)).code == PermissionStatus.DONE
        assert list(ksef.person_permissions(owner)) == []
        with pytest.raises(KsefLoginError):
            log_in_with(ksef, person("PNOPL-44051401359"))

    @pytest.mark.parametrize("holder", [
        FingerprintOwner(identifier=Identifier("Pesel", "44051401359")),
        FingerprintOwner(birth_date=date(1980, 2, 29), document=("Passport", "AB1234567", "DE"))])
    def test_person_by_fingerprint(self, ksef, owner, holder):
        subject = Identifier("Fingerprint", "A1" * 32)
        reference = ksef.grant_person(owner, subject, ["InvoiceRead"], "Erika", "Muster", "Księgowa firmy", holder)
        assert finish(ksef, owner, reference).code == PermissionStatus.DONE
        [grant] = ksef.person_permissions(owner)
        assert (grant.authorized, grant.name, grant.is_entity) == (subject, "Erika Muster", False)
        assert "44051401359" not in repr(holder)
        assert "AB1234567" not in repr(holder)
        with pytest.raises(KsefConfigError):
            ksef.grant_person(owner, subject, ["InvoiceRead"], "Erika", "Muster", "Księgowa firmy", FingerprintOwner())
        with pytest.raises(KsefConfigError):
            ksef.grant_person(owner, PESEL, ["InvoiceRead"], "Erika", "Muster", "Księgowa firmy", holder)

    def test_accounting_office(self, ksef, owner):
        reference = ksef.grant_entity(
            owner, OFFICE, ["InvoiceRead", "InvoiceWrite"], "Biuro rachunkowe", "Księgowość firmy", can_delegate=True)
        assert finish(ksef, owner, reference).code == PermissionStatus.DONE
        office = log_in_with(ksef, seal(BUYER), BUYER).access
        received = list(ksef.entity_permissions(office))
        assert {(grant.scope, grant.context.value, grant.can_delegate) for grant in received} == {
            ("InvoiceRead", SELLER, True), ("InvoiceWrite", SELLER, True)}
        [first, _second] = [grant for grant in ksef.person_permissions(owner) if grant.authorized == OFFICE]
        assert (first.name, first.is_entity) == ("Biuro rachunkowe", True)
        in_context = log_in_with(ksef, seal(BUYER), SELLER).access
        assert Sending(ksef, in_context).result(make_xml()).ksef_number
        assert finish(ksef, owner, ksef.revoke_permission(owner, first.id)).code == PermissionStatus.DONE
        assert len(list(ksef.entity_permissions(office))) == 1

    def test_authorizations(self, ksef, owner, sandbox):
        sandbox.call("POST", "/permissions/authorizations/grants", {
            "subjectIdentifier": {"type": "Nip", "value": BUYER}, "permission": "SelfInvoicing",
            "description": "Samofakturowanie", "subjectDetails": {"fullName": "Nabywca Sp. z o.o."}}, token=owner)
        [given] = wait(lambda: list(ksef.authorizations(owner)))
        assert (given.scope, given.authorized, given.authorizing.value) == ("SelfInvoicing", OFFICE, SELLER)
        buyer = log_in_with(ksef, seal(BUYER), BUYER).access
        assert [found.id for found in ksef.authorizations(buyer, received=True)] == [given.id]
        assert finish(ksef, owner, ksef.revoke_authorization(owner, given.id)).code == PermissionStatus.DONE
        assert list(ksef.authorizations(owner)) == []

    def test_roles(self, ksef, owner, sandbox):
        sandbox.call("POST", "/testdata/subject", {
            "subjectNip": SELLER, "subjectType": "JST", "description": "Gmina testowa"})
        [role] = ksef.entity_roles(owner)
        assert (role.role, role.description) == ("LocalGovernmentUnit", "Gmina testowa")

    def test_attachments(self, ksef, owner, sandbox):
        assert not ksef.attachment_permission(owner).is_allowed
        sandbox.call("POST", "/testdata/attachment", {"nip": SELLER})
        assert ksef.attachment_permission(owner).is_allowed

    def test_operation_that_fails(self, ksef, owner):
        reference = ksef.revoke_permission(owner, "0c9a3d4e-1111-2222-3333-444455556666")
        assert finish(ksef, owner, reference).code >= 400

    def test_no_right_to_see(self, ksef, access):
        with pytest.raises(KsefForbiddenError) as caught:
            list(ksef.person_permissions(access))
        assert caught.value.reason_code == "missing-permissions"


class TestLimits:
    def test_limits(self, ksef, owner):
        limits = ksef.context_limits(owner)
        assert (limits.online.invoice_bytes, limits.online.invoices) == (1_000_000, 10_000)
        assert limits.batch.invoice_with_attachment_bytes == 3_000_000
        assert ksef.subject_limits(owner).certificates == 100
        rates = ksef.rate_limits(owner)
        assert (rates["invoiceSend"].per_minute, rates["invoiceSend"].per_hour) == (30, 180)
        assert rates["global"].per_second is None


class TestLatarnia:
    def test_state_and_messages(self, sandbox):
        """S0-19."""
        with Latarnia(get_environment("local", sandbox.url)) as latarnia:
            status = latarnia.status()
            assert (status.status, status.is_available, status.messages) == (Availability.AVAILABLE, True, ())
            end = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
            sandbox.admin("POST", "/latarnia", category="FAILURE", title="Awaria", text="Trwa awaria KSeF")
            status = latarnia.status()
            assert (status.status, status.is_available, status.ends_at) == (Availability.FAILURE, False, None)
            [message] = latarnia.messages()
            assert (message.category, message.kind, message.title, message.text) == (
                "FAILURE", "FAILURE_START", "Awaria", "Trwa awaria KSeF")
            sandbox.admin("POST", "/latarnia", category="FAILURE", eventId=message.event_id, end=end.isoformat())
            assert latarnia.status().ends_at == end
            assert [found.kind for found in latarnia.messages()] == ["FAILURE_START", "FAILURE_END"]


def test_signed_login_with_a_certificate_of_ksef_needs_no_chain(ksef, owner):
    """A certificate that KSeF itself issued is verified by KSeF, whatever is asked."""
    pair = enroll(ksef, owner)
    operation = ksef.start_signed_login(
        sign(auth_token_request(ksef.challenge(), Context(SELLER)), pair), verify_chain=True)
    assert wait(lambda: ksef.login_status(operation).is_complete)
