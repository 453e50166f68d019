"""Faults between the client and the sandbox: the answer is lost or spoiled, and the truth is found all the same."""

import time
from contextlib import suppress

import pytest
from ksef_test_sandbox import make_xml

from ksef.client import Client
from ksef.crypto import encrypt_invoice, sha256_b64
from ksef.environment import get_environment
from ksef.errors import (
    KsefForbiddenError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefServerError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
    KsefUnreadableError,
    Verdict,
    classify_invoice_status,
)
from ksef.transport import Transport

SEND = "POST /sessions/online/{referenceNumber}/invoices"


class TestTrouble:
    def found(self, sandbox, xml):
        return [invoice for invoice in sandbox.invoices() if invoice["invoiceHash"] == sha256_b64(xml)]

    @pytest.mark.parametrize(("action", "parameters", "is_there"), [
        ("drop_after", {}, True), ("drop_after", {"reset": True}, True), ("hang_after", {"seconds": 3}, True),
        ("garble", {}, True), ("truncate", {}, True), ("slow_drip", {"bytesPerSecond": 5}, True),
        ("drop_before", {}, False), ("http_error", {"status": 502, "body": "html"}, False),
        ("http_error", {"status": 500, "body": "empty"}, False), ("http_error", {"status": 400, "body": "html"}, False),
        ("http_error", {"status": 504, "body": "html", "process": True}, True)])
    def test_lost_answer(self, sandbox, access, sending, action, parameters, is_there):
        """In doubt, whichever it is; the session's list then tells what became of it."""
        xml = make_xml()
        sandbox.fault(SEND, action, **parameters)
        with Transport(get_environment("local", sandbox.url), read_timeout=0.7) as transport, pytest.raises(
                KsefUnconfirmedError):
            Client(transport).send_invoice(access, sending.reference, encrypt_invoice(xml, sending.secret))
        assert len(self.found(sandbox, xml)) == is_there
        assert [report.invoice_hash for report in sending.reports()] == [sha256_b64(xml)] * is_there

    @pytest.mark.parametrize(("parameters", "kind"), [
        ({"status": 400, "body": "exception", "code": 21184}, KsefRefusedError),
        ({"status": 400, "body": "problem", "code": 21184}, KsefRefusedError),
        ({"status": 401, "body": "problem"}, KsefUnauthorizedError),
        ({"status": 403, "body": "problem", "reasonCode": "ip-not-allowed"}, KsefForbiddenError),
        ({"status": 429, "body": "problem", "retryAfter": 9}, KsefRateLimitError),
        ({"status": 429, "body": "exception", "retryAfter": 9}, KsefRateLimitError)])
    def test_refusal(self, sandbox, sending, parameters, kind):
        xml = make_xml()
        sandbox.fault(SEND, "http_error", **parameters)
        with pytest.raises(kind) as caught:
            sending.send(xml)
        error = caught.value
        assert error.retry_after == parameters.get("retryAfter")
        assert error.reason_code == parameters.get("reasonCode")
        assert parameters.get("code") in (None, error.code)
        assert error.description
        assert not self.found(sandbox, xml)
        assert sending.result(xml).ksef_number, "the fault is over"

    @pytest.mark.parametrize(("code", "verdict"), [
        (405, Verdict.SESSION_FAULT), (410, Verdict.REJECTED), (415, Verdict.REJECTED), (430, Verdict.SESSION_FAULT),
        (435, Verdict.SESSION_FAULT), (450, Verdict.REJECTED), (500, Verdict.UNKNOWN), (550, Verdict.SESSION_FAULT),
        (477, Verdict.UNKNOWN)])
    def test_statuses(self, sandbox, sending, code, verdict):
        sandbox.fault("*", "invoice_status", code=code, details=["Jeden", "Dwa"])
        report = sending.result(make_xml())
        assert (report.status.code, report.status.details) == (code, ("Jeden", "Dwa"))
        assert classify_invoice_status(report.status.code) is verdict

    def test_status_that_stays(self, ksef, access, sandbox, sending):
        sandbox.fault("*", "stuck", code=150)
        reference = sending.send(make_xml())
        time.sleep(0.3)
        report = ksef.invoice(access, sending.reference, reference)
        assert classify_invoice_status(report.status.code) is Verdict.PENDING

    def test_list_that_is_cut_short_is_no_list(self, sandbox, sending):
        sending.send(make_xml())
        sandbox.fault("GET /sessions/{referenceNumber}/invoices", "truncate")
        with pytest.raises(KsefUnconfirmedError):
            sending.reports()

    def test_upo_that_is_spoiled(self, ksef, access, sandbox, sending):
        report = sending.result(make_xml())
        for action in ("garble", "truncate"):
            sandbox.fault("GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo", action)
            with pytest.raises((KsefUnreadableError, KsefUnconfirmedError)):
                ksef.upo_by_reference(access, sending.reference, report.reference_number)

    def test_rate_limit_of_the_sandbox(self, ksef, access, sandbox, sending):
        """The real limit of GET /sessions/{ref}: 10 in a second."""
        sandbox.admin("POST", "/settings", rateLimits=True)
        with pytest.raises(KsefRateLimitError) as caught, suppress(KsefServerError):
            for _call in range(200):
                ksef.session(access, sending.reference)
        assert caught.value.retry_after > 0
        assert caught.value.description
