"""Calls that end without an answer, produced on a real socket: was it certainly not sent, or perhaps processed?"""

import socket
import threading
import time

import pytest
from ksef_test_server import failure, http, post

from ksef.environment import Environment
from ksef.errors import (
    KsefConfigError,
    KsefConnectError,
    KsefError,
    KsefUnconfirmedError,
    KsefUnreadableError,
)
from ksef.transport import Transport

IN_DOUBT = (KsefUnconfirmedError, KsefUnreadableError)


class TestCertainlyNotSent:
    def test_refused(self, connect, answer_with):
        server = answer_with(http())
        server.close()
        error = failure(connect(server), KsefConnectError)
        assert error.http_status is None
        assert "refused" in str(error)

    def test_name_not_found(self):
        environment = Environment("test", "http://no-such-host.invalid/v2", "", "", "")
        with Transport(environment, connect_timeout=1) as transport:
            failure(transport, KsefConnectError)

    def test_connecting_takes_too_long(self):
        """A queue of waiting connections that is full: the next one gets no answer at all."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            waiting = [socket.socket() for _index in range(4)]
            for sock in waiting:
                sock.setblocking(False)
                sock.connect_ex(listener.getsockname())
            environment = Environment("local", f"http://127.0.0.1:{listener.getsockname()[1]}/v2", "", "", "")
            started = time.monotonic()
            with Transport(environment, connect_timeout=0.3) as transport:
                failure(transport, KsefConnectError)
            assert time.monotonic() - started < 2
            for sock in waiting:
                sock.close()

    def test_what_the_hook_raises_ends_the_call(self, connect, answer_with):
        server = answer_with(http(body={}))
        transport = connect(server)
        calls = []
        transport.before_request = lambda: calls.append(len(server.requests))
        post(transport)
        post(transport)
        assert calls == [0, 1], "asked before each call, not after"

        def lost():
            raise LookupError("the lock is gone")

        transport.before_request = lost
        with pytest.raises(LookupError):
            post(transport)
        assert len(server.requests) == 2

    @pytest.mark.parametrize("path", ["", "x", "//host/x", "/a/../b", "/a?b=c", "/a#b", "/ą", "/a\r\nb", "/a//b"])
    def test_no_path_of_the_api(self, connect, answer_with, path):
        server = answer_with(http(body={}))
        with pytest.raises(KsefConfigError):
            connect(server).request("GET /x", "GET", path)
        assert server.connections == 0

    @pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "zażółć", "a\x00"])
    def test_no_token(self, connect, answer_with, token):
        server = answer_with(http(body={}))
        error = failure(connect(server), KsefConfigError, token=token)
        assert server.connections == 0
        assert not token or token not in str(error)

    @pytest.mark.parametrize("value", ["a\r\nX: y", "zażółć", "", " a"])
    def test_no_header(self, connect, answer_with, value):
        server = answer_with(http(body={}))
        failure(connect(server), KsefConfigError, headers={"x-continuation-token": value})
        assert server.connections == 0


class TestPerhapsProcessed:
    """The request has left; nobody can say what became of it. It must not be repeated by itself."""

    @pytest.mark.parametrize("end", ["close", "reset"])
    @pytest.mark.parametrize("start", [
        b"",
        b"HTTP/1.1 202 Acc",
        b"HTTP/1.1 202 Accepted\r\nContent-Ty",
        http(202, {"referenceNumber": "x" * 36})[:-5],
        b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1e\r\n{\"refer",
    ], ids=["nothing", "status line", "headers", "body", "chunk"])
    def test_the_connection_ends_after_the_request(self, connect, serve, start, end):
        def script(peer):
            peer.read_request()
            peer.send(start)
            getattr(peer, end)()

        server = serve(script)
        failure(connect(server), *IN_DOUBT, read=True)
        assert len(server.requests) == 1
        assert server.connections == 1

    def test_the_connection_ends_before_the_request_is_whole(self, connect, serve):
        """The server looks at the first bytes only; it might have read them all."""
        def script(peer):
            peer.sock.recv(10)
            peer.reset()

        server = serve(script)
        failure(connect(server), *IN_DOUBT, json={"content": "x" * 5_000_000})
        assert server.connections == 1

    def test_no_answer_in_time(self, connect, serve):
        answered = threading.Event()

        def script(peer):
            peer.read_request()
            answered.wait(10)

        server = serve(script)
        started = time.monotonic()
        error = failure(connect(server, read_timeout=0.3), KsefUnconfirmedError)
        answered.set()
        assert time.monotonic() - started < 2
        assert "Timeout" in str(error)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("start", [
        b"",
        b"HTTP/1.1 202 Accepted\r\nX-Slow: ",
        b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ], ids=["status line", "headers", "body", "chunk"])
    def test_slow_drip(self, connect, serve, start):
        """A byte now and then, each within the read timeout, but the whole within no time: the call must end."""
        def script(peer):
            peer.read_request()
            peer.send(start)
            while True:
                peer.send(b"H")
                time.sleep(0.05)

        server = serve(script)
        started = time.monotonic()
        error = failure(connect(server, read_timeout=0.4), KsefUnconfirmedError)
        assert 0.3 < time.monotonic() - started < 1.5
        assert error.http_status is None
        assert server.connections == 1

    def test_longer_total_time(self, connect, serve):
        """The same drip is no fault where the whole call may take longer."""
        body = b'{"a":"bcd"}'

        def script(peer):
            peer.read_request()
            peer.send(http(200, body)[:-len(body)])
            for byte in body:
                time.sleep(0.08)
                peer.send(bytes([byte]))

        server = serve(script)
        answer = post(connect(server, read_timeout=0.4, total_timeout=5))
        assert answer.json() == {"a": "bcd"}

    def test_the_server_takes_nothing(self, connect, serve):
        """A large request that the other side does not read: sending, too, must end."""
        done = threading.Event()
        server = serve(lambda peer: done.wait(10))
        started = time.monotonic()
        failure(connect(server, read_timeout=0.5), KsefUnconfirmedError, json={"content": "x" * 30_000_000})
        done.set()
        assert time.monotonic() - started < 3

    @pytest.mark.parametrize("noise", [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc Accepted\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 202 Accepted\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: -5\r\n\r\n",
    ], ids=["binary", "ssh", "status", "many headers", "long header", "chunk", "length"])
    def test_no_http(self, connect, serve, noise):
        def script(peer):
            peer.read_request()
            peer.send(noise)

        server = serve(script)
        failure(connect(server), *IN_DOUBT, read=True)
        assert server.connections == 1

    def test_a_used_connection_that_ends_without_an_answer(self, connect, serve):
        """The second call goes over the first one's connection, which the server then closes: it may have read it."""
        def script(peer):
            peer.read_request()
            peer.send(http(body={}))
            peer.read_request()
            peer.close()

        server = serve(script)
        transport = connect(server)
        post(transport)
        failure(transport, *IN_DOUBT)
        assert server.connections == 1
        assert len(server.requests) == 2


class TestConnections:
    def test_connection_is_used_again(self, connect, answer_with):
        server = answer_with(http(body={"a": 1}), http(204, content_type=None), http(body={"a": 3}))
        transport = connect(server)
        assert [post(transport).status for _call in range(4)] == [200, 204, 200, 200]
        assert server.connections == 1

    def test_connection_that_was_closed_meanwhile_is_not_used(self, connect, serve):
        """The server closes an idle connection: the next call takes a new one and is no doubtful case."""
        def script(peer):
            peer.read_request()
            peer.send(http(body={}))
            peer.close()

        server = serve(script)
        transport = connect(server)
        for _call in range(3):
            post(transport)
            time.sleep(0.05)
        assert server.connections == 3
        assert len(server.requests) == 3

    def test_connection_that_was_idle_for_long_is_not_used(self, connect, answer_with, monkeypatch):
        server = answer_with(http(body={}))
        transport = connect(server)
        post(transport)
        monkeypatch.setattr("ksef.transport._IDLE_SECONDS", 0.01)
        time.sleep(0.05)
        post(transport)
        assert server.connections == 2

    def test_connection_of_a_failed_call_is_not_used(self, connect, serve):
        answers = iter([http(200, b"{", length=False, Content_Length=100), http(body={})])

        def script(peer):
            peer.read_request()
            peer.send(next(answers))
            time.sleep(0.5)

        server = serve(script)
        transport = connect(server, read_timeout=0.2)
        failure(transport, *IN_DOUBT)
        assert post(transport).json() == {}
        assert server.connections == 2

    def test_several_threads_each_with_its_own_transport(self, connect, answer_with):
        """Nothing is shared between transports: the time of one call is not that of another."""
        server = answer_with(http(body={}))
        errors = []

        def work():
            try:
                with Transport(connect(server).environment) as transport:
                    for _call in range(20):
                        post(transport)
            except KsefError as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors
        assert len(server.requests) == 80
