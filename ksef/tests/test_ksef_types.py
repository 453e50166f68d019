"""Secrets, codes and errors."""

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksef import errors
from ksef.errors import (
    ApiCode,
    AuthStatus,
    InvoiceStatus,
    KsefError,
    KsefLoginError,
    SessionStatus,
    Verdict,
    classify_invoice_status,
)
from ksef.types import AuthOperation, PersonalPermission, PersonalPermissions, Secret, StatusInfo, Token, TokenPair

TEXT = "eyJ-the-secret-text"


class TestSecret:
    def test_no_ordinary_way_shows_it(self, caplog):
        secret = Secret(TEXT)
        token = Token(secret, datetime.now(UTC))
        shown = [
            repr(secret), str(secret), f"{secret}", f"{secret!r:>30}", f"{secret:>30}", "%s %r" % (secret, secret),  # noqa: UP031
            repr(token), str(token), repr(TokenPair(token, token)), repr(AuthOperation("x", token)), repr([secret]),
            str({"a": secret}), repr(dataclasses.asdict(token)), repr(dataclasses.astuple(token)), repr(dir(secret)),
            repr(copy.deepcopy(token)), str(getattr(secret, "__dict__", "")),
        ]
        logging.getLogger("test").warning("%s %r", secret, token)
        try:
            raise ValueError(secret, token)
        except ValueError:
            shown.append(traceback.format_exc())
        assert not [text for text in [*shown, caplog.text] if TEXT in text]
        assert secret.reveal() == TEXT

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_is_not_pickled(self, protocol):
        for thing in (Secret(TEXT), Token(Secret(TEXT), datetime.now(UTC))):
            with pytest.raises(TypeError) as caught:
                pickle.dumps(thing, protocol)
            assert TEXT not in str(caught.value)
        with pytest.raises(TypeError):
            json.dumps(Secret(TEXT))
        with pytest.raises(TypeError):
            Secret(TEXT).__getstate__()

    def test_is_a_value(self):
        assert Secret("a") == Secret("a") == Secret(Secret("a"))
        assert Secret("a") != Secret("b")
        assert Secret("a") != "a"
        assert len({Secret("a"), Secret("a"), Secret("ż")}) == 2
        assert Secret("ż\ud800") == Secret("ż\ud800")
        assert not Secret("")
        assert Secret("a")
        assert copy.copy(Secret("a")) == copy.deepcopy(Secret("a")) == Secret("a")

    def test_does_not_change(self):
        with pytest.raises(AttributeError):
            Secret("a").text = "b"
        with pytest.raises(AttributeError):
            Secret("a")._Secret__text = "b"

    @pytest.mark.parametrize("value", [None, b"x", 5])
    def test_holds_text_only(self, value):
        with pytest.raises(TypeError):
            Secret(value)


class TestCodes:
    @pytest.mark.parametrize("enum", [ApiCode, AuthStatus, SessionStatus, InvoiceStatus])
    def test_every_code_has_its_polish_words(self, enum):
        assert all(member.polish and member.polish[0].isupper() for member in enum)
        assert len({member.value for member in enum}) == len(enum.__members__), "no code stands twice"
        member = next(iter(enum))
        assert enum.find(member.value) is member
        assert enum.find(12345) is None
        assert member == int(member) == member.value

    @pytest.mark.parametrize(("code", "verdict"), [
        (100, Verdict.PENDING), (150, Verdict.PENDING), (200, Verdict.ACCEPTED), (405, Verdict.SESSION_FAULT),
        (410, Verdict.REJECTED), (415, Verdict.REJECTED), (430, Verdict.SESSION_FAULT), (435, Verdict.SESSION_FAULT),
        (440, Verdict.DUPLICATE), (450, Verdict.REJECTED), (500, Verdict.UNKNOWN), (550, Verdict.SESSION_FAULT),
        (0, Verdict.PENDING), (201, Verdict.PENDING), (399, Verdict.PENDING), (400, Verdict.UNKNOWN),
        (441, Verdict.UNKNOWN), (999, Verdict.UNKNOWN)])
    def test_verdicts(self, code, verdict):
        assert classify_invoice_status(code) is verdict

    @given(st.integers())
    def test_unknown_codes_never_become_a_verdict(self, code):
        if InvoiceStatus.find(code) is None:
            assert classify_invoice_status(code) in (Verdict.PENDING, Verdict.UNKNOWN)
        assert InvoiceStatus.is_final(code) == (classify_invoice_status(code) is not Verdict.PENDING)

    def test_every_documented_status_has_a_verdict(self):
        unknown = {status for status in InvoiceStatus if classify_invoice_status(status) is Verdict.UNKNOWN}
        assert unknown == {InvoiceStatus.UNKNOWN_ERROR}

    @pytest.mark.parametrize(("enum", "final"), [
        (AuthStatus, {200, 415, 425, 450, 460, 470, 480, 500, 550}),
        (SessionStatus, {200, 405, 415, 420, 430, 435, 440, 445, 500})])
    def test_final_statuses(self, enum, final):
        assert {status.value for status in enum if enum.is_final(status)} == final


class TestErrors:
    ALL = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, KsefError)]

    @pytest.mark.parametrize("kind", ALL)
    def test_every_error_can_be_made_copied_and_shown(self, kind):
        error = kind(
            "Opis", operation="GET /x", http_status=400, codes=[21405, 1], details=["a"], reason_code="r",
            security={"s": ("t",)}, retry_after=1.5, trace_id="id")
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert "Opis" in str(again)
        assert "GET /x" in str(again)
        assert str(kind()) == kind.__name__

    def test_which_errors_leave_a_doubt(self):
        doubtful = {kind.__name__ for kind in self.ALL if issubclass(kind, errors.KsefUnconfirmedError)}
        assert doubtful == {"KsefUnconfirmedError", "KsefServerError", "KsefUnreadableError"}

    def test_login_error(self):
        error = KsefLoginError("Zły token", status=450, details=["Token unieważniony"], operation="GET /auth/{ref}")
        assert (error.status, error.code) == (450, 450)
        assert str(error) == "GET /auth/{ref}: 450 Zły token"


def test_extensions_of_a_duplicate():
    status = StatusInfo(440, extensions={"originalKsefNumber": "n", "originalSessionReferenceNumber": "s"})
    assert (status.original_ksef_number, status.original_session_reference) == ("n", "s")
    assert StatusInfo(440).original_ksef_number is None
    assert StatusInfo(440, extensions={"originalKsefNumber": ""}).original_ksef_number is None


def test_scopes_in_force():
    grants = PersonalPermission("InvoiceRead", "Active"), PersonalPermission("InvoiceWrite", "Inactive")
    permissions = PersonalPermissions(grants, ("CredentialsRead",))
    assert permissions.active_scopes == {"InvoiceRead", "CredentialsRead"}
