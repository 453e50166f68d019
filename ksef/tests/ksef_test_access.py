"""Answers about certificates, tokens, logins, permissions and limits, and a call for each: the shapes of OpenAPI 2.9.0."""

import ksef_test_answers as answers

from ksef import api


def access_calls(token):
    """Return (operation, answer, function that makes the call with a client) for each of these operations."""
    return [
        (api.SIGNED_LOGIN, answers.LOGIN_STARTED, lambda ksef: ksef.start_signed_login(b"<a/>", verify_chain=True)),
    ]
