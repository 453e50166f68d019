"""The error coach: every documented answer has its advice, in each place where it can occur."""

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ksef_test_contract import find_contract

from ksef import api, coach, coach_table
from ksef.coach import Action, Link, Scope, Where, Who, find_advice, find_stored_advice, link_url
from ksef.environment import get_environment
from ksef.errors import (
    ApiCode,
    AuthStatus,
    EnrollmentStatus,
    ExportStatus,
    InvoiceStatus,
    KsefConfigError,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefIntegrityError,
    KsefLoginError,
    KsefProtocolError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefServerError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
    KsefUnreadableError,
    PermissionStatus,
    SessionStatus,
)
from ksef.types import StatusInfo

CONTRACT = find_contract()
MODELS = Path(__file__).resolve().parents[2] / "models"
DEFAULTS = {"unknown_refusal", "unknown_failure"}
STATUSES = {
    Where.LOGIN_TOKEN: AuthStatus, Where.LOGIN_CERTIFICATE: AuthStatus, Where.LOGIN_SIGNED: AuthStatus,
    Where.SESSION: SessionStatus, Where.SEND: InvoiceStatus, Where.INVOICE: InvoiceStatus, Where.RECEIVE: ExportStatus,
    Where.CERTIFICATE: EnrollmentStatus, Where.PERMISSION: PermissionStatus}
KINDS = [
    KsefConfigError, KsefConnectError, KsefForbiddenError, KsefGoneError, KsefIntegrityError, KsefLoginError,
    KsefProtocolError, KsefRateLimitError, KsefRefusedError, KsefServerError, KsefUnauthorizedError, KsefUnconfirmedError,
    KsefUnreadableError, KsefError]


def refused(code, *details, **more):
    return KsefRefusedError("opis", codes=[code], details=details, http_status=400, **more)


def keys_of(value):
    return [value] if isinstance(value, str) else [key for _words, key in value]


class TestCompleteness:
    @pytest.mark.parametrize("where", Where)
    @pytest.mark.parametrize("code", ApiCode)
    def test_every_code_everywhere(self, where, code):
        advice = find_advice(where, refused(code))
        assert advice.key not in DEFAULTS
        assert find_stored_advice(where, code).key == advice.key

    @pytest.mark.parametrize(("where", "code"), [(where, code) for where, codes in STATUSES.items() for code in codes])
    def test_every_status(self, where, code):
        advice = find_advice(where, StatusInfo(code, code.polish))
        assert advice.key not in DEFAULTS
        assert (advice.key == "done") == (code == 200)
        assert (advice.key in ("in_progress", "login_in_progress")) == (code < 200)

    @pytest.mark.parametrize("where", Where)
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_error(self, where, kind):
        advice = find_advice(where, kind("opis"))
        assert advice.key in coach_table.REMEDIES
        assert advice.original.description == "opis"

    def test_no_key_without_use_and_none_without_remedy(self):
        tables = [coach_table.REFUSALS, *coach_table.REFUSALS_BY_PLACE.values(), *coach_table.STATUSES.values()]
        used = {key for table in tables for value in table.values() for key in keys_of(value)}
        used |= {*coach_table.FORBIDDEN.values(), *dict(coach_table.MISSING_RIGHTS).values(), *coach_table.HTTP.values()}
        used |= {*coach_table.MISSING_RIGHTS_BY_PLACE.values(), "unauthorized_login", "forbidden", *DEFAULTS}
        used |= {key for _kind, key in coach._KINDS}
        assert used == set(coach_table.REMEDIES)

    def test_words_are_in_lower_case_and_end_with_a_default(self):
        tables = [coach_table.REFUSALS, *coach_table.REFUSALS_BY_PLACE.values(), *coach_table.STATUSES.values()]
        for value in (value for table in tables for value in table.values() if not isinstance(value, str)):
            assert [words == "" for words, _key in value] == [False] * (len(value) - 1) + [True]
            assert all(words == words.casefold() for words, _key in value)

    def test_texts(self):
        """Each advice has its words: what happened, and steps wherever somebody has to act."""
        texts = {}
        for path in MODELS.glob("ksef_advice_texts_*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            [table] = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "TEXTS"]
            found = {ast.literal_eval(key): value for key, value in zip(table.keys, table.values, strict=True)}
            assert not set(found) & set(texts)
            texts |= found
        assert set(texts) == set(coach_table.REMEDIES)
        for key, value in texts.items():
            what, _why, steps = value.elts
            assert len(what.args[0].value) > 10, key
            who, _action, _link = coach_table.REMEDIES[key]
            assert steps.elts or who == Who.NOBODY, key

    @pytest.mark.skipif(not CONTRACT, reason="KSeF's OpenAPI file is not here (see KSEF_SHARED)")
    def test_every_documented_code_of_our_operations(self):
        """What the contract lists for an operation that the client uses is known in the place it belongs to."""
        contract = json.loads(CONTRACT.read_text("utf-8"))
        places = (
            ("/auth/ksef-token", Where.LOGIN_TOKEN), ("/auth/xades", Where.LOGIN_SIGNED), ("/auth", Where.LOGIN_CERTIFICATE),
            ("/certificates", Where.CERTIFICATE), ("/tokens", Where.TOKEN), ("/permissions", Where.PERMISSION),
            ("/sessions/online/{referenceNumber}/invoices", Where.SEND), ("/sessions", Where.SESSION),
            ("/invoices", Where.RECEIVE), ("", Where.OTHER))
        seen = 0
        for operation in api.OPERATIONS:
            responses = contract["paths"][operation.path][operation.method.lower()]["responses"]
            where = next(place for prefix, place in places if operation.path.startswith(prefix))
            described = " ".join(json.dumps(responses.get("400", {})).replace("\\n", " ").split())
            for code in re.findall(r"\| (\d{4,5}) \|", described):
                assert find_advice(where, refused(int(code))).key not in DEFAULTS, (operation.name, code)
                seen += 1
        assert seen > 100

    @pytest.mark.skipif(not CONTRACT, reason="KSeF's OpenAPI file is not here (see KSEF_SHARED)")
    def test_every_documented_reason_of_403(self):
        text = CONTRACT.read_text("utf-8")
        documented = set(re.findall(r"\b[a-z]+(?:-[a-z]+)+(?=\W)", text)) & {
            "missing-permissions", "ip-not-allowed", "insufficient-resource-access", "auth-method-not-allowed",
            "security-service-blocked", "context-type-not-allowed"}
        assert documented == set(coach_table.FORBIDDEN)


class TestDistinctions:
    def test_415_is_not_415(self):
        """On a login a missing right (S0-09), on an invoice an attachment, on a session the key."""
        found = {where: find_advice(where, StatusInfo(415)).key for where in (
            Where.LOGIN_SIGNED, Where.LOGIN_TOKEN, Where.INVOICE, Where.SESSION)}
        assert found == {
            Where.LOGIN_SIGNED: "login_no_permissions", Where.LOGIN_TOKEN: "login_token_no_permissions",
            Where.INVOICE: "invoice_attachment", Where.SESSION: "session_key"}
        assert find_advice(Where.OTHER, KsefProtocolError("x", http_status=415)).key == "protocol"

    @pytest.mark.parametrize(("detail", "key"), [
        ("Nieprawidłowe wyzwanie autoryzacyjne", "challenge_again"), ("Nieprawidłowy token", "token_wrong"),
        ("Nieprawidłowy czas tokena", "token_clock"), ("Token unieważniony", "token_revoked"),
        ("Token nieaktywny", "token_inactive"), ("Nieprawidłowe szyfrowanie tokena", "token_encryption"),
        ("Nieprawidłowe kodowanie tokena", "token_encryption"),
        ("Token nie może być użyty w kontekście Nip 1111111111", "token_other_company"), ("Coś nowego", "token_refused")])
    def test_tokens(self, detail, key):
        """S0-06, S1-04, S2-15: KSeF tells these apart by their words alone."""
        error = KsefLoginError(AuthStatus.BAD_TOKEN.polish, status=450, details=[detail])
        assert find_advice(Where.LOGIN_TOKEN, error).key == key
        assert find_stored_advice(Where.LOGIN_TOKEN, 450, AuthStatus.BAD_TOKEN.polish, [detail]).key == key

    @pytest.mark.parametrize(("detail", "key"), [
        ("Nieważny certyfikat", "certificate_expired"), ("Błąd weryfikacji łańcucha certyfikatów", "certificate_chain"),
        ("Niezaufany łańcuch certyfikatów", "certificate_untrusted"), ("Certyfikat odwołany", "certificate_revoked"),
        ("Certyfikat zawieszony", "certificate_suspended"), ("Niepoprawny certyfikat", "certificate_bad")])
    def test_certificates(self, detail, key):
        error = KsefLoginError(AuthStatus.BAD_CERTIFICATE.polish, status=460, details=[detail])
        assert find_advice(Where.LOGIN_CERTIFICATE, error).key == key

    @pytest.mark.parametrize(("where", "error", "key"), [
        (Where.LOGIN_SIGNED, refused(21111), "challenge_used"), (Where.LOGIN_TOKEN, refused(21111), "challenge_again"),
        (Where.LOGIN_SIGNED, refused(9105), "signature_bad"),
        (Where.LOGIN_SIGNED, refused(9105, "Format podpisu niezgodny z akceptowanymi profilami XAdES."), "signature_profile"),
        (Where.LOGIN_SIGNED, refused(9105, "Niewspierany algorytm skrótu"), "signature_algorithm"),
        (Where.LOGIN_CERTIFICATE, refused(9105), "own_signature"),
        (Where.LOGIN_SIGNED, refused(21115), "signer_refused"),
        (Where.LOGIN_CERTIFICATE, refused(21115), "certificate_refused"),
        (Where.OTHER, refused(21301), "not_authorised"),
        (Where.OTHER, refused(21301, "Token KSeF został unieważniony."), "token_revoked"),
        (Where.CERTIFICATE, StatusInfo(400, "Wniosek odrzucony", ("Osiągnięto dopuszczalny limit posiadanych certyfikatów.",)),
         "certificate_limit"),
        (Where.CERTIFICATE, StatusInfo(400, "Wniosek odrzucony", ("Klucz publiczny został już certyfikowany przez inny podmiot.",)),
         "enrollment_foreign_key"),
        (Where.SESSION, StatusInfo(440, "Sesja anulowana", ("Przekroczono czas wysyłki",)), "session_late"),
        (Where.SESSION, StatusInfo(440, "Sesja anulowana", ("Nie przesłano faktur",)), "session_empty"),
        (Where.INVOICE, StatusInfo(450, "Błąd", ("Nieprawidłowa suma kontrolna numeru NIP 123.",)), "invoice_bad_nip"),
        (Where.SEND, KsefUnauthorizedError("x"), "unauthorized"),
        (Where.LOGIN_TOKEN, KsefUnauthorizedError("x"), "unauthorized_login")])
    def test_same_number_other_advice(self, where, error, key):
        assert find_advice(where, error).key == key

    @pytest.mark.parametrize(("where", "required", "key"), [
        (Where.SEND, ("InvoiceWrite", "PefInvoiceWrite"), "forbidden_send"),
        (Where.SEND, (), "forbidden_send"), (Where.RECEIVE, (), "forbidden_receive"),
        (Where.OTHER, ("InvoiceRead",), "forbidden_receive"),
        (Where.PERMISSION, ("CredentialsManage", "CredentialsRead"), "forbidden_manage"),
        (Where.SEND, ("SubunitManage",), "forbidden_missing"), (Where.OTHER, (), "forbidden_missing")])
    def test_missing_right(self, where, required, key):
        """S0-08."""
        error = KsefForbiddenError(
            "x", reason_code="missing-permissions", security={"requiredAnyOfPermissions": required})
        advice = find_advice(where, error)
        assert (advice.key, advice.missing) == (key, required)
        assert advice.who == Who.GRANTOR

    @pytest.mark.parametrize("reason", coach_table.FORBIDDEN)
    def test_every_reason(self, reason):
        error = KsefForbiddenError("x", reason_code=reason, http_status=403)
        assert find_advice(Where.OTHER, error).key == coach_table.FORBIDDEN[reason]

    def test_new_reason(self):
        advice = find_advice(Where.SEND, KsefForbiddenError("x", reason_code="new-reason", http_status=403))
        assert (advice.key, advice.original.lines) == ("forbidden", ["new-reason x"])


class TestRequirements:
    """What people read in other programs and search for (S0, S2), and where it leads here."""

    @pytest.mark.parametrize(("code", "where", "error", "key"), [
        ("S0-03", Where.LOGIN_CERTIFICATE, KsefUnauthorizedError("x", http_status=401), "unauthorized_login"),
        ("S0-04", Where.LOGIN_SIGNED, StatusInfo(100, "Uwierzytelnianie w toku"), "login_in_progress"),
        ("S0-05", Where.SEND, refused(12345, "AppStore and InConnector must be active"), "unknown_refusal"),
        ("S0-06", Where.LOGIN_TOKEN, StatusInfo(450, "", ("Nieprawidłowy token",)), "token_wrong"),
        ("S0-09", Where.LOGIN_SIGNED, StatusInfo(415, "", ("Brak przypisanych uprawnień",)), "login_no_permissions"),
        ("S0-10", Where.LOGIN_SIGNED, refused(9102), "signature_missing"),
        ("S0-11", Where.LOGIN_SIGNED, refused(21111), "challenge_used"),
        ("S0-12", Where.LOGIN_SIGNED, refused(9103), "signatures_several"),
        ("S0-13", Where.LOGIN_CERTIFICATE, refused(21115), "certificate_refused"),
        ("S0-14", Where.CERTIFICATE, refused(25007), "certificate_limit"),
        ("S1-03", Where.SESSION, StatusInfo(415, ""), "session_key"),
        ("S1-10", Where.SEND, refused(21180), "session_status"),
        ("S2-10", Where.OTHER, refused(21301), "not_authorised"),
        ("S2-11", Where.SESSION, refused(21173), "session_not_found"),
        ("S2-12", Where.OTHER, refused(21304), "no_login"),
        ("S2-13", Where.SEND, KsefRateLimitError("x", retry_after=5), "rate_limit"),
        ("S2-14", Where.SEND, KsefServerError("x", http_status=503), "service_down"),
        ("S2-15", Where.LOGIN_TOKEN, StatusInfo(450, "", ("Token unieważniony",)), "token_revoked"),
        ("S2-16", Where.SEND, refused(21405), "input_invalid"),
        ("S2-17", Where.OTHER, KsefConnectError("x"), "no_connection")])
    def test_message(self, code, where, error, key):
        assert find_advice(where, error).key == key, code


class TestAdvice:
    def test_limit_says_until_when(self):
        """S2-13."""
        now = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
        advice = find_advice(Where.SEND, KsefRateLimitError("x", retry_after=120), now)
        assert (advice.key, advice.action, advice.until) == ("rate_limit", Action.WAIT_UNTIL, now + timedelta(minutes=2))

    @pytest.mark.parametrize(("error", "key"), [
        (refused(99999), "unknown_refusal"), (StatusInfo(499, "Nowość"), "unknown_failure"),
        (StatusInfo(199, "Nowość"), "in_progress"), (KsefError("x"), "unknown_refusal")])
    def test_unknown_codes(self, error, key):
        advice = find_advice(Where.INVOICE, error)
        assert advice.key == key
        assert advice.original.description in ("opis", "Nowość", "x")

    def test_original_is_whole(self):
        """S0-01."""
        error = refused(21405, "szczegół 1", "szczegół 2", trace_id="abc", operation="POST /tokens")
        original = find_advice(Where.TOKEN, error).original
        assert original.lines == ["21405 opis", "szczegół 1", "szczegół 2"]
        assert (original.trace_id, original.operation, original.http_status) == ("abc", "POST /tokens", 400)

    @pytest.mark.parametrize(("where", "code", "key"), [
        (Where.OTHER, 401, "unauthorized"), (Where.LOGIN_TOKEN, 401, "unauthorized_login"), (Where.OTHER, 429, "rate_limit"),
        (Where.OTHER, 503, "service_down"), (Where.TOKEN, 500, "service_down"), (Where.INVOICE, 440, "invoice_duplicate"),
        (Where.OTHER, 418, "unknown_failure"), (Where.OTHER, None, "unknown_failure"), (Where.OTHER, 31111, "unknown_refusal")])
    def test_stored(self, where, code, key):
        assert find_stored_advice(where, code).key == key

    def test_who_can_do_it_alone(self):
        """S0-02, S0-03."""
        assert find_advice(Where.LOGIN_SIGNED, refused(9102)).scope == Scope.SELF
        assert find_advice(Where.SEND, refused(21402)).scope == Scope.CONTACT
        assert find_advice(Where.LOGIN_TOKEN, KsefUnauthorizedError("x")).scope == Scope.CONTACT

    def test_links(self):
        """S0-19, S0-23, S4-03: each environment has its own taxpayer application."""
        demo = get_environment("demo")
        assert link_url(Link.TOKENS, demo) == "https://ap-demo.ksef.mf.gov.pl/web"
        assert link_url(Link.MINISTRY, demo) == coach.MINISTRY_FORM
        assert link_url(Link.STATUS, demo) in coach.STATUS_PAGES
        assert link_url(Link.TAX_OFFICE, demo).startswith("https://urzadskarbowy.gov.pl")
        assert link_url(None, demo) is None
        for who, action, link in coach_table.REMEDIES.values():
            assert isinstance(who, Who)
            assert isinstance(action, Action)
            assert (action != Action.OPEN_LINK) or link
