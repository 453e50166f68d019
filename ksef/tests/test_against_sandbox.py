"""The client against the sandbox: another program, written apart from it, that behaves as KSeF does."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ksef_test_sandbox import BUYER, NUMBERS, SELLER, Sending, log_in, make_xml, wait

from ksef.crypto import encrypt_invoice, encrypt_session_key, new_session_secret, select_public_key, sha256_b64
from ksef.errors import (
    ApiCode,
    AuthStatus,
    InvoiceStatus,
    KsefForbiddenError,
    KsefLoginError,
    KsefRefusedError,
    KsefUnauthorizedError,
    SessionStatus,
    Verdict,
    classify_invoice_status,
)
from ksef.number import is_valid_ksef_number, token_reference
from ksef.types import Context, KeyUsage
from ksef.upo import read_upo


class TestLogin:
    def test_login(self, ksef, sandbox):
        before = datetime.now(UTC)
        operation = ksef.start_token_login_with_fresh_key(Context(SELLER), sandbox.token())
        report = wait(lambda: (found := ksef.login_status(operation)).is_complete and found)
        assert report.method_category == "Token"
        pair = ksef.redeem(operation)
        assert timedelta(minutes=14) < pair.access.valid_until - before < timedelta(minutes=16)
        assert timedelta(days=6.9) < pair.refresh.valid_until - before < timedelta(days=7.1)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.redeem(operation)
        assert caught.value.code == ApiCode.NOT_AUTHORISED
        assert ksef.login_status(operation).is_redeemed

    def test_refresh(self, ksef, sandbox):
        pair = log_in(ksef, sandbox.token())
        access = ksef.refresh(pair.refresh)
        assert ksef.personal_permissions(access)

    def test_permissions_of_the_token(self, ksef, sandbox):
        token = sandbox.token("InvoiceRead")
        access = log_in(ksef, token).access
        report = ksef.own_token(access, token_reference(token))
        assert (report.status, report.requested_permissions) == ("Active", ("InvoiceRead",))
        assert report.context == Context(SELLER)

    @pytest.mark.parametrize("spoil", ["text", "other nip", "revoked"])
    def test_bad_token(self, ksef, sandbox, spoil):
        token = sandbox.token()
        if spoil == "revoked":
            sandbox.admin("DELETE", f"/tokens/{token_reference(token)}")
        with pytest.raises(KsefLoginError) as caught:
            log_in(ksef, token[:-1] + "x" if spoil == "text" else token, nip=BUYER if spoil == "other nip" else SELLER)
        assert caught.value.status == AuthStatus.BAD_TOKEN
        assert caught.value.details
        assert token not in str(caught.value)

    @pytest.mark.parametrize("code", [415, 425, 460, 470, 480, 500, 550, 499])
    def test_every_failure(self, ksef, sandbox, code):
        sandbox.fault("POST /auth/ksef-token", "login_status", code=code)
        with pytest.raises(KsefLoginError) as caught:
            log_in(ksef, sandbox.token())
        assert caught.value.status == code

    def test_challenge_serves_once(self, ksef, sandbox):
        challenge = ksef.challenge()
        key = select_public_key(ksef.public_keys(), KeyUsage.LOGIN)
        ksef.start_token_login(Context(SELLER), sandbox.token(), challenge, key)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.start_token_login(Context(SELLER), sandbox.token(), challenge, key)
        assert caught.value.code == ApiCode.BAD_CHALLENGE

    def test_no_token_of_ksef(self, ksef):
        with pytest.raises(KsefUnauthorizedError) as caught:
            ksef.session("eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "20250626-SO-2F14610000-242991F8C9-B4")
        assert caught.value.description

    def test_missing_permission(self, ksef, sandbox):
        access = log_in(ksef, sandbox.token("InvoiceRead")).access
        with pytest.raises(KsefForbiddenError) as caught:
            Sending(ksef, access)
        assert caught.value.reason_code == "missing-permissions"
        assert "InvoiceWrite" in caught.value.security["requiredAnyOfPermissions"]
        assert caught.value.security["presentPermissions"] == ("InvoiceRead",)


def wait_for_questions(sandbox, expected):
    """Count the lists that were asked for; the sandbox writes a request down after it has answered it."""
    for _attempt in range(40):
        asked = [made for made in sandbox.admin("GET", "/requests") if made["method"] == "GET" and "/invoices" in made["path"]]
        if len(asked) >= expected:
            break
        time.sleep(0.05)
    return len(asked)


class TestSending:
    def test_from_the_invoice_to_its_upo(self, ksef, access, sending):
        xml = make_xml()
        started = datetime.now(UTC)
        reference = sending.send(xml)
        report = sending.final(reference)
        assert classify_invoice_status(report.status.code) is Verdict.ACCEPTED
        assert report.reference_number == reference
        assert is_valid_ksef_number(report.ksef_number)
        assert report.invoice_hash == sha256_b64(xml)
        assert abs(report.invoicing_date - started) < timedelta(seconds=10)
        assert report.invoicing_date <= report.acquisition_date
        assert (report.invoicing_mode, report.ordinal_number) == ("Online", 1)

        upo = ksef.upo_by_reference(access, sending.reference, reference)
        [confirmed] = read_upo(upo)
        assert (confirmed.ksef_number, confirmed.document_hash) == (report.ksef_number, sha256_b64(xml))
        assert (confirmed.seller_nip, confirmed.mode) == (SELLER, "Online")
        assert confirmed.session_reference == sending.reference
        by_number = ksef.upo_by_number(access, sending.reference, report.ksef_number)
        assert read_upo(by_number) == [confirmed]

        ksef.close_online_session(access, sending.reference)
        done = wait(lambda: (found := ksef.session(access, sending.reference)).upo_pages and found)
        assert (done.status.code, done.invoice_count, done.successful) == (SessionStatus.PROCESSED, 1, 1)
        pages = ksef.session_upo(access, sending.reference, done.upo_pages[0].reference_number)
        assert [document.ksef_number for document in read_upo(pages)] == [report.ksef_number]

        assert wait(lambda: self.stored(ksef, access, report.ksef_number)) == xml, "byte by byte"

    @staticmethod
    def stored(ksef, access, number):
        """The invoice from KSeF's store; just accepted, it may not be there yet."""
        try:
            return ksef.invoice_by_number(access, number)
        except KsefRefusedError as error:
            assert error.code == ApiCode.INVOICE_NOT_YET_AVAILABLE
            return None

    def test_unknown_number(self, ksef, access):
        with pytest.raises(KsefRefusedError) as caught:
            ksef.invoice_by_number(access, "5265877635-20250626-010080DD2B5E-26")
        assert caught.value.code == ApiCode.INVOICE_NOT_FOUND

    def test_metadata(self, ksef, access, sending):
        report = sending.result(make_xml())
        filters = {"subjectType": "Subject1", "dateRange": {
            "dateType": "Invoicing", "from": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}}
        page = wait(lambda: (found := ksef.query_metadata(access, filters)).invoices and found)
        [invoice] = page.invoices
        assert (invoice.ksef_number, invoice.invoice_hash) == (report.ksef_number, report.invoice_hash)
        assert str(invoice.gross_amount) in ("123", "123.0", "123.00")
        assert (page.has_more, page.is_truncated) == (False, False)

    def test_duplicate_leads_to_the_original(self, ksef, access, sending):
        xml = make_xml()
        first = sending.result(xml)
        other = Sending(ksef, access)
        second = other.result(xml)
        assert classify_invoice_status(second.status.code) is Verdict.DUPLICATE
        assert second.ksef_number is None
        assert second.status.original_ksef_number == first.ksef_number
        assert second.status.original_session_reference == sending.reference
        [original] = read_upo(ksef.upo_by_number(
            access, second.status.original_session_reference, second.status.original_ksef_number))
        assert original.document_hash == second.invoice_hash

    def test_duplicate_with_other_content(self, sending):
        number = f"FA/{next(NUMBERS)}/X"
        first = sending.result(make_xml(number=number))
        second = sending.result(make_xml(number=number, gross="124.00"))
        assert second.status.code == InvoiceStatus.DUPLICATE
        assert second.status.original_ksef_number == first.ksef_number
        assert second.invoice_hash != first.invoice_hash

    @pytest.mark.parametrize(("change", "code"), [
        ({"encrypted_hash": sha256_b64(b"other")}, ApiCode.BAD_FILE_HASH), ({"encrypted_size": 5}, ApiCode.BAD_FILE_SIZE),
        ({"hash": "x"}, ApiCode.INPUT_INVALID)])
    def test_call_that_ksef_refuses(self, ksef, access, sending, change, code):
        invoice = replace(encrypt_invoice(make_xml(), sending.secret), **change)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.send_invoice(access, sending.reference, invoice)
        assert caught.value.code == code
        assert caught.value.description

    def test_invalid_invoice(self, sending):
        report = sending.result(make_xml().replace(b"<JST>2</JST>", b""))
        assert classify_invoice_status(report.status.code) is Verdict.REJECTED
        assert any("GV" in detail or "JST" in detail for detail in report.status.details)
        assert [failed.reference_number for failed in sending.reports(failed=True)] == [report.reference_number]

    def test_invoice_of_another_seller(self, sending):
        report = sending.result(make_xml(seller=BUYER))
        assert report.status.code == InvoiceStatus.WRONG_PERMISSIONS

    def test_hash_of_other_content(self, ksef, access, sending):
        """The file's own hash is checked later than the ciphertext's."""
        invoice = replace(encrypt_invoice(make_xml(), sending.secret), hash=sha256_b64(b"other"))
        report = sending.final(ksef.send_invoice(access, sending.reference, invoice))
        assert classify_invoice_status(report.status.code) is Verdict.SESSION_FAULT

    def test_wrong_session_key(self, ksef, access, sending):
        report = sending.final(ksef.send_invoice(
            access, sending.reference, encrypt_invoice(make_xml(), new_session_secret())))
        assert classify_invoice_status(report.status.code) is Verdict.SESSION_FAULT

    def test_session_that_is_over(self, ksef, sandbox, sending):
        sandbox.admin("POST", f"/sessions/{sending.reference}/expire")
        with pytest.raises(KsefRefusedError) as caught:
            sending.send(make_xml())
        assert caught.value.code == ApiCode.SESSION_STATUS_FORBIDS

    def test_no_such_session(self, ksef, access):
        with pytest.raises(KsefRefusedError) as caught:
            ksef.session(access, "20250626-SO-2F14610000-242991F8C9-B4")
        assert caught.value.code == ApiCode.SESSION_NOT_FOUND

    def test_list_of_many_pages(self, ksef, access, sandbox, sending):
        references = [sending.send(make_xml()) for _index in range(25)]
        sandbox.admin("DELETE", "/requests")
        reports = sending.reports(page_size=10)
        assert sorted(report.reference_number for report in reports) == sorted(references)
        assert len({report.invoice_hash for report in reports}) == 25
        assert wait_for_questions(sandbox, 3) == 3


class TestKeyRotation:
    def test_old_key_is_refused(self, ksef, access, sandbox):
        keys = ksef.public_keys()
        sandbox.admin("POST", "/keys/rotate")
        secret = new_session_secret()
        encryption = encrypt_session_key(secret, select_public_key(keys, KeyUsage.SESSION))
        with pytest.raises(KsefRefusedError) as caught:
            ksef.open_online_session(access, encryption)
        assert caught.value.code == ApiCode.PUBLIC_KEY_UNKNOWN

    def test_helpers_fetch_the_new_key(self, ksef, sandbox):
        keys = ksef.public_keys()
        sandbox.admin("POST", "/keys/rotate")
        operation = ksef.start_token_login_with_fresh_key(Context(SELLER), sandbox.token(), keys)
        wait(lambda: ksef.login_status(operation).is_complete)
        access = ksef.redeem(operation).access
        secret = new_session_secret()
        session = ksef.open_online_session_with_fresh_key(access, secret, keys).reference_number
        reference = ksef.send_invoice(access, session, encrypt_invoice(make_xml(), secret))
        assert wait(lambda: ksef.invoice(access, session, reference).ksef_number), "KSeF could decrypt it"

    def test_planned_rotation_prefers_the_new_key(self, ksef, sandbox):
        old = select_public_key(ksef.public_keys(), KeyUsage.SESSION)
        sandbox.admin("POST", "/keys/rotate", mode="planned")
        keys = [key for key in ksef.public_keys() if KeyUsage.SESSION in key.usages]
        assert len(keys) == 2
        assert select_public_key(keys, KeyUsage.SESSION).public_key_id != old.public_key_id
