"""The availability service: what its answers may look like, and what becomes of those that are none."""

from datetime import UTC, datetime

import pytest
from ksef_test_server import http

from ksef.environment import get_environment
from ksef.errors import KsefConnectError, KsefServerError, KsefUnreadableError
from ksef.latarnia import Availability, Latarnia

MESSAGE = {
    "id": "1-1", "eventId": 1, "category": "FAILURE", "type": "FAILURE_START", "title": "Awaria", "text": "Opis",
    "start": "2026-11-22T10:00:00Z", "end": None, "version": 1, "published": "2026-11-22T10:00:05+01:00"}
LATER = MESSAGE | {"id": "2-1", "eventId": 2, "end": "2026-11-22T14:00:00Z"}
EARLIER = MESSAGE | {"id": "3-1", "eventId": 3, "end": "2026-11-22T12:00:00Z"}


@pytest.fixture
def ask(answer_with):
    """Return a function that asks a Latarnia which gives these answers, and returns (Latarnia, server)."""
    opened = []

    def make(*bodies):
        server = answer_with(*[body if isinstance(body, bytes) else http(body=body) for body in bodies])
        opened.append(Latarnia(get_environment("local", server.url), connect_timeout=2.0, read_timeout=2.0))
        return opened[-1], server

    yield make
    for latarnia in opened:
        latarnia.close()


def test_status(ask):
    latarnia, server = ask({"status": "FAILURE", "messages": [LATER, EARLIER]})
    status = latarnia.status()
    assert (status.status, status.is_available) == (Availability.FAILURE, False)
    assert status.ends_at == datetime(2026, 11, 22, 14, tzinfo=UTC)
    assert status.messages[0].published == datetime(2026, 11, 22, 9, 0, 5, tzinfo=UTC)
    [request] = server.requests
    assert (request.method, request.target) == ("GET", "/latarnia/status")
    assert "authorization" not in request.headers


def test_available(ask):
    status = ask({"status": "AVAILABLE"})[0].status()
    assert (status.is_available, status.messages, status.ends_at) == (True, (), None)


def test_one_without_an_end_has_none(ask):
    assert ask({"status": "FAILURE", "messages": [LATER, MESSAGE]})[0].status().ends_at is None


def test_new_words_are_kept(ask):
    """A state that nobody knows yet is not taken for being available."""
    status = ask({"status": "NEW_STATE", "messages": [{"id": 7, "category": "NEW"}]})[0].status()
    assert (status.status, status.is_available) == ("NEW_STATE", False)
    assert (status.messages[0].id, status.messages[0].start) == ("7", None)


def test_messages(ask):
    found = ask([MESSAGE, LATER])[0].messages()
    assert [(message.event_id, message.kind, message.version) for message in found] == [
        (1, "FAILURE_START", 1), (2, "FAILURE_START", 1)]


@pytest.mark.parametrize(("body", "error"), [
    ({}, KsefUnreadableError), ([], KsefUnreadableError), ({"status": None}, KsefUnreadableError),
    ({"status": "FAILURE", "messages": ["x"]}, KsefUnreadableError),
    (http(200, b"<html/>", "text/html"), KsefUnreadableError), (http(503, b"", None), KsefServerError)])
def test_what_is_no_status(ask, body, error):
    with pytest.raises(error):
        ask(body)[0].status()


@pytest.mark.parametrize("body", [{}, {"messages": []}, ["x"]])
def test_what_are_no_messages(ask, body):
    with pytest.raises(KsefUnreadableError):
        ask(body)[0].messages()


def test_not_there():
    with Latarnia(get_environment("local", "http://127.0.0.1:9"), connect_timeout=1.0) as latarnia, pytest.raises(KsefConnectError):
        latarnia.status()
