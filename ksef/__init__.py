"""A client for KSeF 2.0 (Krajowy System e-Faktur), Poland's e-invoice system. It needs no framework.

    environment = get_environment("test")
    with Transport(environment) as transport:
        client = Client(transport)
        login = client.start_token_login_with_fresh_key(Context("5265877635"), "the KSeF token")
        while not client.login_status(login).is_complete:  # raises KsefLoginError when the login fails
            time.sleep(1)
        tokens = client.redeem(login)
        secret = new_session_secret()
        session = client.open_online_session_with_fresh_key(tokens.access, secret)
        reference = client.send_invoice(tokens.access, session.reference_number, encrypt_invoice(xml, secret))
        report = client.invoice(tokens.access, session.reference_number, reference)

A login with a certificate differs in its first step only:

        pair = read_credentials([certificate_file, key_file], password)
        challenge = client.challenge()
        request = auth_token_request(challenge, Context("5265877635"))
        login = client.start_signed_login(sign(request, pair, challenge.moment))

What an error means for a person, and what to do, says :func:`~.coach.find_advice`.

Everything raised is a :class:`KsefError`. The one distinction that matters most: after :class:`KsefConnectError` and
:class:`KsefRefusedError` KSeF certainly did not take the call, after :class:`KsefUnconfirmedError` it may have.
"""

from .certificates import KeyPair, read_credentials
from .client import Client
from .crypto import encrypt_invoice, new_session_secret
from .environment import Environment, get_environment
from .errors import (
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
)
from .transport import Transport
from .types import Context, Secret
from .xades import auth_token_request, sign

__all__ = [
    "Client",
    "Context",
    "Environment",
    "KeyPair",
    "KsefConfigError",
    "KsefConnectError",
    "KsefError",
    "KsefForbiddenError",
    "KsefGoneError",
    "KsefIntegrityError",
    "KsefLoginError",
    "KsefProtocolError",
    "KsefRateLimitError",
    "KsefRefusedError",
    "KsefServerError",
    "KsefUnauthorizedError",
    "KsefUnconfirmedError",
    "KsefUnreadableError",
    "Secret",
    "Transport",
    "auth_token_request",
    "encrypt_invoice",
    "get_environment",
    "new_session_secret",
    "read_credentials",
    "sign",
]
