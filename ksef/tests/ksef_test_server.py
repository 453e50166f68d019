"""A server that does with its sockets exactly what a test says, and a caller that checks how a call ends."""

import json
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass

import pytest

from ksef.errors import KsefError

OPERATION = "POST /sessions/online"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl"


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Peer:
    """The server's side of one connection."""

    def __init__(self, server, sock):
        self._server = server
        self._file = sock.makefile("rb")
        self.sock = sock

    def read_request(self):
        """Read one whole request and note it; None when the client has closed."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            if not line:
                return None
            head += line
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
        method, target, _version = first.split(" ", 2)
        body = self._file.read(int(headers.get("content-length", 0)))
        request = Request(method, target, headers, body)
        self._server.requests.append(request)
        return request

    def send(self, data):
        self.sock.sendall(data)

    def reset(self):
        """End the connection with RST: what the client reads next is "connection reset"."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self._file.close()
        self.sock.close()

    def serve(self, *responses):
        """Answer the requests of this connection in turn, the last response again and again."""
        for index in range(10_000):
            if self.read_request() is None:
                return
            self.send(responses[min(index, len(responses) - 1)])


class ScriptedServer:
    """Runs ``script(peer)`` in a thread for each connection; ``requests`` holds what came."""

    def __init__(self, script, tls=None):
        self.requests = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open = []
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}/v2"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                sock, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            threading.Thread(target=self._run, args=(sock,), daemon=True).start()

    def _run(self, sock):
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            peer = Peer(self, sock)
            self._script(peer)
            peer.close()
        except (OSError, ValueError):  # the client went away, or the script closed the connection
            pass

    def close(self):
        if self._socket.fileno() < 0:
            return
        # Closing alone would not wake the thread that waits in accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for sock in self._open:
            with suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)


def http(status=200, body=b"", content_type="application/json", *, length=True, **headers):
    """Return the bytes of an HTTP response; ``body`` may be bytes or something for JSON. X_Y becomes header X-Y."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    if length:
        lines.append(f"Content-Length: {len(content)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def problem(status, **fields):
    """Return the bytes of a response with problem details."""
    return http(status, {"title": "Title", "status": status, **fields}, "application/problem+json")


def post(transport, **arguments):
    """Make an ordinary call."""
    arguments = {"token": TOKEN, "json": {"a": 1}} | arguments
    return transport.request(OPERATION, "POST", "/sessions/online", **arguments)


def failure(transport, *kinds, read=False, **arguments):
    """Make a call that must end with an error of exactly one of ``kinds``, and return it.

    :param read: whether the body must be read as JSON for that
    """
    def call():
        answer = post(transport, **arguments)
        if read:
            answer.json()

    with pytest.raises(KsefError) as caught:
        call()
    error = caught.value
    assert type(error) in kinds, repr(error)
    assert error.operation == OPERATION
    # Nothing hangs on the error that holds the request: neither its headers nor its body.
    assert error.__cause__ is None
    assert error.__context__ is None
    assert TOKEN not in f"{error} {error!r} {vars(error)}"
    return error
