"""Fixtures: servers, transports to them, keys and certificates."""

import ssl
from contextlib import ExitStack

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ksef_test_keys import make_certificate
from ksef_test_sandbox import Sandbox, Sending, log_in
from ksef_test_server import ScriptedServer, http

from ksef.client import Client
from ksef.environment import get_environment
from ksef.transport import Transport


def pytest_make_parametrize_id(val, argname):
    """Name bytes by their argument: the bytes themselves make a bad name."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def serve():
    """Return a function that starts a ScriptedServer; all are stopped after the test."""
    with ExitStack() as stack:
        def start(script, tls=None):
            server = ScriptedServer(script, tls)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def answer_with(serve):
    """Return a function that starts a server which answers with the given raw responses in turn."""
    return lambda *responses: serve(lambda peer: peer.serve(*responses))


@pytest.fixture
def connect():
    """Return a function that opens a Transport to a server, with short timeouts; all are closed after the test."""
    with ExitStack() as stack:
        def open_transport(server, **options):
            options = {"connect_timeout": 2.0, "read_timeout": 2.0} | options
            return stack.enter_context(Transport(get_environment("local", server.url), **options))

        yield open_transport


@pytest.fixture
def client(connect, answer_with):
    """Return a function that makes a Client whose server gives the given answers; ``server`` is an attribute of it."""
    def make(*bodies):
        responses = [body if isinstance(body, bytes) else http(body=body) for body in bodies]
        server = answer_with(*responses)
        made = Client(connect(server))
        made.server = server
        return made

    return make


@pytest.fixture(scope="session")
def rsa_key():
    """An RSA private key of KSeF's size."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_rsa_key():
    """Another RSA private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def ec_key():
    """An EC private key."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def tls(tmp_path_factory, ec_key):
    """A server's TLS context for ``localhost`` and the file of the certificate that a client must trust for it."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(make_certificate(ec_key, names=("localhost", "localhost.")).public_bytes(Encoding.PEM))
    key.write_bytes(ec_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, str(certificate)


@pytest.fixture(scope="session")
def running():
    """The sandbox, started once."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running):
    """The sandbox, empty, a TEST environment without limits of calls."""
    running.admin("POST", "/reset")
    running.admin("POST", "/settings", environment="test", rateLimits=False)
    return running


@pytest.fixture
def ksef(sandbox):
    """A client of the sandbox."""
    with Transport(get_environment("local", sandbox.url), connect_timeout=5, read_timeout=5) as transport:
        yield Client(transport)


@pytest.fixture
def access(ksef, sandbox):
    """An access token of the seller."""
    return log_in(ksef, sandbox.token()).access


@pytest.fixture
def sending(ksef, access):
    """An open session of the seller."""
    return Sending(ksef, access)
