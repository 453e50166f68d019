"""The client's sessions, statuses and documents: what it sends, what it makes of the answer."""

from datetime import UTC, datetime
from decimal import Decimal

import ksef_test_answers as answers
import pytest
from ksef_test_answers import without
from ksef_test_keys import key_info
from ksef_test_server import http, problem

from ksef import crypto
from ksef.errors import (
    ApiCode,
    KsefConfigError,
    KsefIntegrityError,
    KsefRefusedError,
    KsefServerError,
    KsefUnreadableError,
)
from ksef.types import (
    OpenedSession,
    PublicKey,
    StatusInfo,
    UpoPage,
)

MOMENT = datetime(2025, 7, 11, 12, 23, 56, 15430, UTC)
UNKNOWN_KEY = problem(400, errors=[{"code": 21470, "description": "Nieznany klucz.", "details": ["Klucz abc."]}])
XML = b'<?xml version="1.0" encoding="utf-8"?>\r\n<Faktura>\xc5\xbc</Faktura>\r\n'


class TestSession:
    def test_open(self, client, rsa_key):
        [key] = client([key_info(rsa_key)]).public_keys()
        ksef = client(http(201, answers.OPENED))
        encryption = crypto.encrypt_session_key(crypto.new_session_secret(), key)
        assert ksef.open_online_session(answers.ACCESS, encryption) == OpenedSession(answers.SESSION, MOMENT)
        assert ksef.server.requests[0].json() == {
            "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"},
            "encryption": {
                "encryptedSymmetricKey": encryption.encrypted_key_b64, "initializationVector": encryption.iv_b64,
                "publicKeyId": key.public_key_id}}

    def open(self, ksef, known):
        return ksef.open_online_session_with_fresh_key(answers.ACCESS, crypto.new_session_secret(), known)

    def test_open_with_a_key_that_ksef_forgot(self, client, rsa_key, other_rsa_key):
        known = client([key_info(rsa_key)]).public_keys()
        new = [key_info(other_rsa_key)]
        ksef = client(UNKNOWN_KEY, new, http(201, answers.OPENED))
        assert self.open(ksef, known).reference_number == answers.SESSION
        assert ksef.server.requests[2].json()["encryption"]["publicKeyId"] == new[0]["publicKeyId"]

    def test_open_with_keys_that_ran_out(self, client, rsa_key):
        key = client([key_info(rsa_key)]).public_keys()[0]
        old = PublicKey(key.certificate_der, key.public_key_id, MOMENT, MOMENT, key.usages)
        ksef = client([key_info(rsa_key)], http(201, answers.OPENED))
        assert self.open(ksef, [old]).reference_number == answers.SESSION

    def test_keys_are_fetched_anew_once_only(self, client, rsa_key):
        known = client([key_info(rsa_key)]).public_keys()
        ksef = client(UNKNOWN_KEY, [key_info(rsa_key)], UNKNOWN_KEY, http(201, answers.OPENED))
        with pytest.raises(KsefRefusedError) as caught:
            self.open(ksef, known)
        assert caught.value.code == ApiCode.PUBLIC_KEY_UNKNOWN
        assert len(ksef.server.requests) == 3

    def test_other_refusals_are_not_repeated(self, client, rsa_key):
        known = client([key_info(rsa_key)]).public_keys()
        ksef = client(problem(400, errors=[{"code": 21405, "description": "x"}]))
        with pytest.raises(KsefRefusedError):
            self.open(ksef, known)
        assert len(ksef.server.requests) == 1

    @pytest.mark.parametrize(("arguments", "more"), [
        ({}, {"offlineMode": False}), ({"offline": True}, {"offlineMode": True}),
        ({"offline": True, "hash_of_corrected": "h"}, {"offlineMode": True, "hashOfCorrectedInvoice": "h"})])
    def test_send(self, client, arguments, more):
        ksef = client(http(202, answers.SENT))
        invoice = crypto.encrypt_invoice(XML, crypto.new_session_secret())
        assert ksef.send_invoice(answers.ACCESS, answers.SESSION, invoice, **arguments) == answers.INVOICE
        request = ksef.server.requests[0]
        assert (request.method, request.target) == ("POST", f"/v2/sessions/online/{answers.SESSION}/invoices")
        assert request.json() == {
            "invoiceHash": invoice.hash, "invoiceSize": len(XML), "encryptedInvoiceHash": invoice.encrypted_hash,
            "encryptedInvoiceSize": invoice.encrypted_size, "encryptedInvoiceContent": invoice.content_b64} | more

    @pytest.mark.parametrize("body", [{}, {"referenceNumber": None}, {"referenceNumber": ""}, {"referenceNumber": "../x"}])
    def test_sent_without_a_reference_number(self, client, body):
        """KSeF may have the invoice: that is no success, but no refusal either."""
        invoice = crypto.encrypt_invoice(XML, crypto.new_session_secret())
        with pytest.raises(KsefUnreadableError):
            client(http(202, body)).send_invoice(answers.ACCESS, answers.SESSION, invoice)

    @pytest.mark.parametrize("reference", ["", "..", "a/b", "a?x=1", None, "a b"])
    def test_reference_that_would_change_the_path(self, client, reference):
        ksef = client(answers.SENT)
        for call in (ksef.session, ksef.close_online_session, ksef.invoice_by_number):
            with pytest.raises(KsefConfigError):
                call(answers.ACCESS, reference)
        assert not ksef.server.requests

    def test_close(self, client):
        ksef = client(http(204, content_type=None))
        ksef.close_online_session(answers.ACCESS, answers.SESSION)
        request = ksef.server.requests[0]
        assert (request.method, request.target) == ("POST", f"/v2/sessions/online/{answers.SESSION}/close")

    def test_close_answered_by_something_else(self, client):
        with pytest.raises(KsefUnreadableError):
            client(http(200, b"<html>Login</html>", "text/html")).close_online_session(answers.ACCESS, answers.SESSION)


class TestStatuses:
    def test_session(self, client):
        report = client(answers.SESSION_STATUS).session(answers.ACCESS, answers.SESSION)
        assert report.status == StatusInfo(200, "Sesja interaktywna przetworzona pomyślnie")
        assert (report.invoice_count, report.successful, report.failed) == (10, 8, 2)
        assert report.upo_pages == (UpoPage(answers.UPO_PAGE, "https://example/upo", MOMENT),)
        assert report.valid_until is None

    def test_session_in_its_shortest_form(self, client):
        report = client({"status": {"code": 170}}).session(answers.ACCESS, answers.SESSION)
        assert (report.status.code, report.upo_pages, report.invoice_count) == (170, (), None)

    def test_invoice(self, client):
        ksef = client(answers.INVOICE_STATUS)
        report = ksef.invoice(answers.ACCESS, answers.SESSION, answers.INVOICE)
        assert ksef.server.requests[0].target == f"/v2/sessions/{answers.SESSION}/invoices/{answers.INVOICE}"
        assert (report.reference_number, report.ksef_number) == (answers.INVOICE, answers.KSEF_NUMBER)
        assert (report.invoice_hash, report.invoice_number) == (answers.HASH, "FA/1/2025")
        assert report.invoicing_date == MOMENT
        assert report.acquisition_date == datetime(2025, 7, 11, 12, 24, 16, 100000, UTC)
        assert report.permanent_storage_date == datetime(2025, 7, 11, 12, 24, 17, tzinfo=UTC)
        assert (report.invoicing_mode, report.ordinal_number) == ("Online", 1)

    def test_duplicate(self, client):
        report = client(answers.DUPLICATE_STATUS).invoice(answers.ACCESS, answers.SESSION, answers.INVOICE)
        assert report.status.code == 440
        assert report.status.original_ksef_number == answers.KSEF_NUMBER
        assert report.status.original_session_reference == answers.SESSION
        assert report.ksef_number is None

    def test_unknown_values_and_fields_are_tolerated(self, client):
        body = answers.INVOICE_STATUS | {
            "invoicingMode": "SomethingNew", "new": {"field": []}, "acquisitionDate": "soon", "ordinalNumber": None,
            "status": {"code": 777, "description": None, "details": "Jeden", "extensions": {"a": None, "b": 5, "c": []}}}
        report = client(body).invoice(answers.ACCESS, answers.SESSION, answers.INVOICE)
        assert (report.invoicing_mode, report.acquisition_date, report.ordinal_number) == ("SomethingNew", None, None)
        assert report.status == StatusInfo(777, "", ("Jeden",), {"b": "5"})

    @pytest.mark.parametrize("path", [("referenceNumber",), ("invoiceHash",), ("status",), ("status", "code")])
    def test_what_must_not_be_missing(self, client, path):
        with pytest.raises(KsefUnreadableError, match=path[-1] if len(path) == 1 and path[0] != "status" else "code"):
            client(without(answers.INVOICE_STATUS, *path)).invoice(answers.ACCESS, answers.SESSION, answers.INVOICE)


class TestPaging:
    def pages(self, *tokens):
        return [{"continuationToken": token, "invoices": [answers.INVOICE_STATUS | {"ordinalNumber": index}]}
                for index, token in enumerate(tokens)]

    def read(self, ksef, **arguments):
        return [report.ordinal_number for report in ksef.session_invoices(answers.ACCESS, answers.SESSION, **arguments)]

    @pytest.mark.parametrize("end", [None, ""])
    def test_all_pages(self, client, end):
        ksef = client(*self.pages("eyJhIjoxfQ==", "two", end))
        assert self.read(ksef) == [0, 1, 2]
        assert [request.headers.get("x-continuation-token") for request in ksef.server.requests] == [
            None, "eyJhIjoxfQ==", "two"]
        assert {request.target for request in ksef.server.requests} == {
            f"/v2/sessions/{answers.SESSION}/invoices?pageSize=1000"}

    def test_token_is_missing(self, client):
        assert self.read(client({"invoices": [answers.INVOICE_STATUS]})) == [1]

    def test_failed_invoices(self, client):
        ksef = client({"invoices": []})
        assert self.read(ksef, failed=True, page_size=10) == []
        assert ksef.server.requests[0].target == f"/v2/sessions/{answers.SESSION}/invoices/failed?pageSize=10"

    @pytest.mark.parametrize("tokens", [["a"], ["a", "b", "a"]])
    def test_circle(self, client, tokens):
        ksef = client(*self.pages(*tokens))
        with pytest.raises(KsefUnreadableError, match="circle"):
            self.read(ksef)
        assert len(ksef.server.requests) <= 4

    def test_no_end(self, client, monkeypatch):
        monkeypatch.setattr("ksef.client_base._MOST_PAGES", 3)
        with pytest.raises(KsefUnreadableError, match="circle"):
            self.read(client(*self.pages("a", "b", "c", "d", "e", None)))

    @pytest.mark.parametrize("token", ["a\r\nX: y", "ż", 5, ["a"], {"a": 1}, True])
    def test_token_that_cannot_be_sent_back(self, client, token):
        """Taking it for the end would make a part of the list look like the whole list."""
        with pytest.raises(KsefUnreadableError):
            self.read(client(*self.pages(token)))

    @pytest.mark.parametrize("body", [
        {}, {"invoices": None}, {"invoices": {}}, {"invoices": [None]}, {"invoices": [{}]}, [], None,
        {"invoices": [answers.INVOICE_STATUS, without(answers.INVOICE_STATUS, "invoiceHash")]}])
    def test_list_that_may_not_be_whole(self, client, body):
        with pytest.raises(KsefUnreadableError):
            self.read(client(body))

    def test_failure_in_the_middle(self, client):
        ksef = client(self.pages("a")[0], http(500))
        reports = ksef.session_invoices(answers.ACCESS, answers.SESSION)
        assert next(reports)
        with pytest.raises(KsefServerError):
            list(reports)


class TestDocuments:
    HASH = crypto.sha256_b64(XML)

    def calls(self, ksef):
        return [
            (lambda: ksef.upo_by_reference(answers.ACCESS, answers.SESSION, answers.INVOICE),
             f"/v2/sessions/{answers.SESSION}/invoices/{answers.INVOICE}/upo"),
            (lambda: ksef.upo_by_number(answers.ACCESS, answers.SESSION, answers.KSEF_NUMBER),
             f"/v2/sessions/{answers.SESSION}/invoices/ksef/{answers.KSEF_NUMBER}/upo"),
            (lambda: ksef.session_upo(answers.ACCESS, answers.SESSION, answers.UPO_PAGE),
             f"/v2/sessions/{answers.SESSION}/upo/{answers.UPO_PAGE}"),
            (lambda: ksef.invoice_by_number(answers.ACCESS, answers.KSEF_NUMBER),
             f"/v2/invoices/ksef/{answers.KSEF_NUMBER}"),
        ]

    @pytest.mark.parametrize("headers", [{}, {"x_ms_meta_hash": HASH}, {"X_MS_Meta_Hash": f" {HASH} "}])
    @pytest.mark.parametrize("media_type", ["application/xml", "application/xml; charset=utf-8", "text/xml", None])
    def test_bytes_are_those_of_ksef(self, client, headers, media_type):
        ksef = client(http(200, XML, media_type, **headers))
        for index, (call, target) in enumerate(self.calls(ksef)):
            assert call() == XML
            assert ksef.server.requests[index].target == target
            assert ksef.server.requests[index].headers["accept"].startswith("application/xml")

    @pytest.mark.parametrize("stated", [crypto.sha256_b64(XML + b" "), "x", crypto.sha256_b64url(XML), "ż"])
    def test_wrong_hash(self, client, stated):
        ksef = client(http(200, XML, "application/xml", x_ms_meta_hash=stated))
        for call, _target in self.calls(ksef):
            with pytest.raises(KsefIntegrityError):
                call()

    @pytest.mark.parametrize("response", [
        http(200, b"<!DOCTYPE html><html/>", "text/html"),
        http(200, b"<html><body>Login</body></html>", "application/xml"),
        http(200, {"a": 1}),
        http(200, b'{"a": 1}', "application/xml"),
        http(200, b"", "application/xml"),
        http(200, XML[:-5], "application/xml"),
        http(204, content_type=None),
    ])
    def test_no_document(self, client, response):
        ksef = client(response)
        for call, _target in self.calls(ksef):
            with pytest.raises(KsefUnreadableError):
                call()

    def test_document_with_a_stated_hash_is_not_judged(self, client):
        """What KSeF stored is delivered as it is, whatever it is, if its hash is right."""
        content = b"<odd>"
        ksef = client(http(200, content, "application/xml", x_ms_meta_hash=crypto.sha256_b64(content)))
        assert ksef.invoice_by_number(answers.ACCESS, answers.KSEF_NUMBER) == content


class TestMetadata:
    def test_page(self, client):
        ksef = client(answers.METADATA_PAGE)
        filters = {"subjectType": "Subject2", "dateRange": {"dateType": "PermanentStorage", "from": "2026-11-01T00:00:00Z"}}
        page = ksef.query_metadata(answers.ACCESS, filters, page_offset=3, page_size=10, descending=True)
        assert (page.has_more, page.is_truncated, page.hwm_date) == (False, False, MOMENT)
        [invoice] = page.invoices
        assert (invoice.ksef_number, invoice.invoice_hash) == (answers.KSEF_NUMBER, answers.HASH)
        assert (invoice.net_amount, invoice.vat_amount, invoice.gross_amount) == (
            Decimal("35260.63"), Decimal("8109.94"), Decimal("43370.57")), "exact, not by way of a float"
        assert (invoice.buyer_identifier_type, invoice.buyer_identifier) == ("Nip", "1111111111")
        assert invoice.raw["formCode"]["systemCode"] == "FA (3)"
        request = ksef.server.requests[0]
        assert request.target == "/v2/invoices/query/metadata?sortOrder=Desc&pageOffset=3&pageSize=10"
        assert request.json() == filters

    @pytest.mark.parametrize("path", [("invoices",), ("hasMore",), ("isTruncated",), ("invoices", 0, "ksefNumber")])
    def test_what_must_not_be_missing(self, client, path):
        with pytest.raises(KsefUnreadableError):
            client(without(answers.METADATA_PAGE, *path)).query_metadata(answers.ACCESS, {})
