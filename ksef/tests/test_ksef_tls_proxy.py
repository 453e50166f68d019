"""TLS and proxies: the same questions where a secure channel or another machine stands between."""

import socket
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ksef_test_keys import make_certificate
from ksef_test_server import TOKEN, failure, http, post

from ksef.environment import Environment
from ksef.errors import KsefConfigError, KsefConnectError, KsefUnconfirmedError, KsefUnreadableError
from ksef.transport import Transport


class TestTls:
    def trusting(self, connect, server, certificate, **options):
        transport = connect(server, **options)
        transport._session.verify = certificate
        return transport

    def test_works(self, connect, serve, tls):
        server = serve(lambda peer: peer.serve(http(body={"a": 1})), tls[0])
        transport = self.trusting(connect, server, tls[1])
        assert [post(transport).json() for _call in range(3)] == [{"a": 1}] * 3
        assert server.connections == 1

    def test_unknown_issuer(self, connect, serve, tls):
        server = serve(lambda peer: peer.serve(http(body={})), tls[0])
        error = failure(connect(server), KsefConnectError)
        assert "certificate verify failed" in str(error)
        assert not server.requests

    def test_certificate_of_another_host(self, connect, serve, tls, ec_key, tmp_path):
        certificate = tmp_path / "other.pem"
        certificate.write_bytes(make_certificate(ec_key, names=("ksef.example",)).public_bytes(Encoding.PEM))
        key = tmp_path / "key.pem"
        key.write_bytes(ec_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        context = type(tls[0])(tls[0].protocol)
        context.load_cert_chain(certificate, key)
        server = serve(lambda peer: peer.serve(http(body={})), context)
        failure(self.trusting(connect, server, str(certificate)), KsefConnectError)
        assert not server.requests

    def test_server_that_speaks_no_tls(self, connect, answer_with):
        server = answer_with(http(body={}))
        server.url = server.url.replace("http:", "https:")
        failure(connect(server), KsefConnectError)

    def test_server_that_never_finishes_the_handshake(self, connect, serve):
        done = threading.Event()
        server = serve(lambda peer: done.wait(10))
        server.url = server.url.replace("http:", "https:")
        failure(connect(server, connect_timeout=0.3), KsefConnectError)
        done.set()

    def test_bundle_of_issuers_that_is_not_there(self, connect, serve, tls):
        server = serve(lambda peer: peer.serve(http(body={})), tls[0])
        failure(self.trusting(connect, server, "/nowhere/bundle.pem"), KsefConnectError)
        assert not server.requests

    @pytest.mark.parametrize("end", ["noise", "reset", "close"])
    def test_channel_that_breaks_after_the_request(self, connect, serve, tls, end):
        """The class of the exception is that of a failed handshake, but the request has left."""
        def script(peer):
            peer.read_request()
            if end == "noise":
                raw = socket.socket(fileno=peer.sock.detach())
                raw.sendall(b"HTTP/1.1 200 OK\r\n\r\nthis is not TLS any more")
                raw.close()
            else:
                getattr(peer, end)()

        server = serve(script, tls[0])
        failure(self.trusting(connect, server, tls[1]), KsefUnconfirmedError)
        assert len(server.requests) == 1

    def test_slow_drip(self, connect, serve, tls):
        def script(peer):
            peer.read_request()
            peer.send(http(200, b"", length=False, Content_Length=1000))
            done.wait(0.2)
            while not done.wait(0.05):
                peer.send(b" ")

        done = threading.Event()
        server = serve(script, tls[0])
        failure(self.trusting(connect, server, tls[1], read_timeout=0.4), KsefUnconfirmedError)
        done.set()


class TestProxy:
    """Only for KSeF's own environments: a proxy of the machine's surroundings."""

    @pytest.fixture
    def through(self, monkeypatch, tls):
        """Return a function that opens a transport to ``https://localhost:port`` through a proxy."""
        transports = []

        def open_transport(proxy_url, port=443, **options):
            for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
                monkeypatch.delenv(name.upper(), raising=False)
            monkeypatch.setenv("https_proxy", proxy_url)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", tls[1])
            # Not "localhost": names of loopback never go through a proxy.
            environment = Environment("test", f"https://localhost.:{port}/v2", "", "", "")
            transport = Transport(environment, connect_timeout=1, read_timeout=1, **options)
            transports.append(transport)
            return transport

        yield open_transport
        for transport in transports:
            transport.close()

    @staticmethod
    def tunnel(peer):
        """Serve a CONNECT: pass everything between both sides."""
        target = peer.read_request().target
        far = socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])))
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                far.close()

        threading.Thread(target=pump, args=(far, peer.sock), daemon=True).start()
        pump(peer.sock, far)

    @pytest.fixture
    def far_server(self, serve, tls):
        """Return a function that starts the server behind the proxy."""
        return lambda script: serve(script, tls[0])

    def test_works(self, through, serve, far_server):
        far = far_server(lambda peer: peer.serve(http(body={"a": 1})))
        proxy = serve(self.tunnel)
        transport = through(f"http://127.0.0.1:{proxy.port}", far.port)
        assert post(transport).json() == {"a": 1}
        assert proxy.requests[0].method == "CONNECT"
        assert "authorization" not in proxy.requests[0].headers
        assert far.requests[0].headers["authorization"] == f"Bearer {TOKEN}"

    def test_proxy_is_not_there(self, through):
        failure(through("http://127.0.0.1:9"), KsefConnectError)

    @pytest.mark.parametrize("response", [
        http(407, b"who are you", "text/plain"), http(502, b"no", "text/plain"), http(403, b"no", "text/plain"), b"",
        b"nonsense\r\n\r\n"])
    def test_proxy_refuses(self, through, serve, response):
        """The proxy has got its CONNECT, but KSeF nothing."""
        def script(peer):
            peer.read_request()
            peer.send(response)

        failure(through(f"http://127.0.0.1:{serve(script).port}"), KsefConnectError)

    def test_proxy_is_silent(self, through, serve):
        done = threading.Event()
        proxy = serve(lambda peer: done.wait(10))
        failure(through(f"http://127.0.0.1:{proxy.port}"), KsefConnectError)
        done.set()

    def test_tunnel_breaks_after_the_request(self, through, serve, far_server):
        def script(peer):
            peer.read_request()
            peer.reset()

        far = far_server(script)
        transport = through(f"http://127.0.0.1:{serve(self.tunnel).port}", far.port)
        failure(transport, KsefUnconfirmedError, KsefUnreadableError)
        assert len(far.requests) == 1

    @pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:99999", "http://[::", "nonsense://127.0.0.1:9"])
    def test_proxy_address_is_nonsense(self, through, url):
        failure(through(url), KsefConfigError, KsefConnectError)
