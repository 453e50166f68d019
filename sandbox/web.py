"""The HTTP/1.1 server: threads, keep-alive, bounded bodies, and answers that can be spoiled on purpose.

It is built on ``http.server`` rather than on a WSGI server because the faults (drop, truncate, drip) need the socket.
Each answer leaves in one ``send``, so that no delayed acknowledgement slows a keep-alive connection.
"""

import json
import re
import socket
import socketserver
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote

from .errors import Problem

IDLE_SECONDS = 75
MAX_CONNECTIONS = 256
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:\d{1,5})?\Z|\[[0-9A-Fa-f:]+\](:\d{1,5})?\Z", re.ASCII)


@dataclass
class Request:
    """One HTTP request; header names are lower-case, ``query`` holds lists, ``body`` is read already."""

    method: str
    target: str
    path: str
    query: dict
    headers: dict
    client_ip: str
    origin: str
    body: bytes = b""
    reader: object = None
    length: int = 0
    principal: object = None
    values: dict = field(default_factory=dict)

    def header(self, name, default=""):
        """The value of a header (name in lower case)."""
        return self.headers.get(name, default)


@dataclass
class Response:
    """An answer. ``spoil`` may hold drop (with reset), truncate or bytes_per_second."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: list = field(default_factory=list)
    spoil: dict = field(default_factory=dict)

    @classmethod
    def json(cls, value, status=200, headers=(), content_type="application/json; charset=utf-8"):
        """An answer with a JSON body."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, content_type, list(headers))


class BadMessage(Exception):
    """The request cannot be read as HTTP; the connection is closed after the answer."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on one address and hands each request to ``app.serve(request) -> Response``."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address, app):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.app = app
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, Handler)

    @property
    def origin(self):
        """``http://host:port`` of the listening socket."""
        host, port = self.server_address[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def process_request(self, request, client_address):
        """Start a thread for a connection, or close it when there are too many."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request, client_address):
        """Serve a connection and give its slot back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request, client_address):
        """A client that went away is no error of the sandbox; anything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def handle_one_request(self):
        """Read a request, have it answered, send the answer."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if len(self.raw_requestline) > 65536:
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
                return
            if self.parse_request():
                self._answer()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _answer(self):
        started = time.perf_counter()
        request = None
        try:
            request = self._read_head()
            response = self.server.app.serve(request)
            self._drain(request)
        except BadMessage as error:
            response = self._plain_problem(error.status, error.detail)
        self._send(response)
        if request is not None:
            elapsed = (time.perf_counter() - started) * 1000
            self.server.app.served(request, 0 if response.spoil.get("drop") else response.status, elapsed)

    def _read_head(self):
        headers = {}
        for name, value in self.headers.items():
            headers[name.lower()] = value
        path, _, query = self.path.partition("?")
        if not path.startswith("/"):
            raise BadMessage(400, "The request target must be a path.")
        request = Request(
            method=self.command, target=self.path, path=unquote(path), headers=headers,
            query=self._query(query), client_ip=self._client_ip(), origin=self._origin(headers.get("host", "")),
        )
        request.length = self._body_length(headers)
        request.reader = self._read_body
        return request

    @staticmethod
    def _query(text):
        try:
            return parse_qs(text, keep_blank_values=True, max_num_fields=200)
        except ValueError as error:
            raise BadMessage(400, "Too many query parameters.") from error

    def _client_ip(self):
        address = ip_address(self.client_address[0].split("%")[0])
        return str(getattr(address, "ipv4_mapped", None) or address)

    def _origin(self, host):
        return f"http://{host}" if _HOST.match(host) else self.server.origin

    def _body_length(self, headers):
        """Content-Length, or -1 for a chunked body."""
        length = headers.get("content-length")
        if "transfer-encoding" in headers:
            if length is not None or headers["transfer-encoding"].strip().lower() != "chunked":
                raise BadMessage(400, "Unsupported Transfer-Encoding.")
            return -1
        if length is None:
            return 0
        if not length.isascii() or not length.isdigit() or len(length) > 15:
            raise BadMessage(400, "Invalid Content-Length.")
        return int(length)

    def _read_body(self, request, limit, sink=None):
        """Read the body into ``request.body`` or ``sink.write``; False when it is longer than ``limit`` bytes."""
        pieces = []
        write = sink.write if sink else pieces.append
        reader, request.reader = request.reader, None
        if reader is None:
            return True
        if request.length > limit:
            self.close_connection = True
            return False
        complete = self._read_chunks(write, limit) if request.length < 0 else self._read_exactly(write, request.length)
        request.body = b"".join(pieces)
        return complete

    def _read_exactly(self, write, length):
        while length:
            piece = self.rfile.read(min(length, 1 << 16))
            if not piece:
                raise ConnectionAbortedError("the body ended early")
            write(piece)
            length -= len(piece)
        return True

    def _read_chunks(self, write, limit):
        total = 0
        while True:
            size = self.rfile.readline(64).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", size):
                raise BadMessage(400, "Invalid chunk.")
            size = int(size, 16)
            total += size
            if total > limit:
                self.close_connection = True
                return False
            self._read_exactly(write, size)
            trailer = self.rfile.readline(8192)
            while size == 0 and trailer not in (b"\r\n", b"\n", b""):
                trailer = self.rfile.readline(8192)
            if size == 0:
                return True

    def _drain(self, request):
        """A body that nobody read must not be taken for the next request."""
        if request.reader is None or not request.length:
            return
        if request.length > 1 << 20 or not self._read_body(request, 1 << 20):
            self.close_connection = True

    def _send(self, response):
        if response.spoil.get("drop"):
            self._drop(response.spoil)
            return
        lines = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}",
                 f"Date: {self.date_time_string()}"]
        if response.content_type:
            lines.append(f"Content-Type: {response.content_type}")
        if response.status != 204 and response.status >= 200:
            lines.append(f"Content-Length: {len(response.body)}")
        lines.extend(f"{name}: {value}" for name, value in response.headers)
        if self.close_connection:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        body = b"" if self.command == "HEAD" or response.status == 204 else response.body
        self._write(head, body, response.spoil)

    def _write(self, head, body, spoil):
        if "truncate" in spoil:
            self.wfile.write(head + body[:spoil["truncate"]])
            self.close_connection = True
            return
        rate = spoil.get("bytes_per_second")
        if not rate:
            self.wfile.write(head + body)
            return
        for start in range(0, len(head + body), max(1, int(rate / 10))):
            self.wfile.write((head + body)[start:start + max(1, int(rate / 10))])
            time.sleep(max(1, int(rate / 10)) / rate)

    def _drop(self, spoil):
        self.close_connection = True
        if spoil.get("reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    def _plain_problem(self, status, detail):
        self.close_connection = True
        return self.server.app.problem(Problem(status, detail))

    def send_error(self, code, message=None, explain=None):
        """The base class refuses unreadable requests through this; answer them as problem+json."""
        self.close_connection = True
        self.command = getattr(self, "command", None) or ""
        known = self.responses.get(code, ("", ""))
        response = self.server.app.problem(Problem(int(code), message or known[1] or str(code)))
        self._send(response)

    def log_message(self, *args):
        """Silence: requests are listed by the administration API instead."""
