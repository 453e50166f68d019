"""What happens at the socket: whether a call was certainly not sent, and how long it may take in all.

The classes of exceptions don't tell whether the first byte of a request left this machine (a TLS error, for one, can
come before and after it), and a read timeout bounds only the gap between two bytes. So the connections note when they
begin to send, and read against a deadline.
"""

import http.client
import io
import threading
import time
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_running = threading.local()


class Exchange:
    """One call as its connection sees it; a context manager, current in its thread while entered.

    :param connect_timeout: seconds for connecting, including TLS and a proxy's consent
    :param read_timeout: seconds without a byte
    :param total_timeout: seconds from the first byte sent to the last one received
    :ivar is_tracked: whether ``is_sent`` can be believed; not so over a SOCKS proxy, which brings its own connections
    :ivar is_sent: whether a byte of the request may have left
    """

    def __init__(self, connect_timeout, read_timeout, total_timeout):
        self.is_tracked = True
        self.is_sent = False
        self._read_timeout = read_timeout
        self._total_timeout = total_timeout
        self._deadline = time.monotonic() + connect_timeout + read_timeout

    def __enter__(self):
        _running.exchange = self
        return self

    def __exit__(self, *exception):
        _running.exchange = None

    @classmethod
    def current(cls):
        """Return the exchange of this thread."""
        return _running.exchange

    def begin_sending(self):
        """Note that from now on KSeF may receive something."""
        if not self.is_sent:
            self.is_sent = True
            self._deadline = time.monotonic() + self._total_timeout

    def allowance(self):
        """Return the seconds that the next operation on the socket may wait.

        :raise TimeoutError: the time for the whole call is over
        """
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the whole call took too long")
        return min(self._read_timeout, remaining)


class _DeadlineReader(io.RawIOBase):
    """Reads a socket, each time with the seconds that the exchange still allows."""

    def __init__(self, raw, sock, exchange):
        self._raw = raw
        self._sock = sock
        self._exchange = exchange

    def readable(self):
        return True

    def readinto(self, buffer):
        self._sock.settimeout(self._exchange.allowance())
        return self._raw.readinto(buffer)

    def close(self):
        try:
            self._raw.close()
        finally:
            super().close()


class _Response(http.client.HTTPResponse):
    """A response that is read (status line, headers, body) against the exchange's deadline."""

    def __init__(self, sock, *args, **kwargs):
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, Exchange.current()))


class _Tracked:
    """Mixin of connections: notes when a request begins to leave."""

    response_class = _Response
    _is_connecting = False

    def connect(self):
        self._is_connecting = True
        try:
            super().connect()
        finally:
            self._is_connecting = False

    def send(self, data):
        if not self._is_connecting:  # else it is the CONNECT for a proxy, which KSeF never sees
            if self.sock is None and self.auto_open:
                self.connect()
            exchange = Exchange.current()
            exchange.begin_sending()
            if self.sock is not None:
                self.sock.settimeout(exchange.allowance())
        super().send(data)


class _HTTPConnection(_Tracked, HTTPConnection):
    pass


class _HTTPSConnection(_Tracked, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class _Adapter(HTTPAdapter):
    """An adapter with our connections, which never retries."""

    def __init__(self):
        super().__init__(pool_connections=2, pool_maxsize=2, max_retries=0)

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy, **kwargs):
        manager = super().proxy_manager_for(proxy, **kwargs)
        if proxy.lower().startswith("socks"):
            Exchange.current().is_tracked = False
        else:
            manager.pool_classes_by_scheme = _POOLS
        return manager


class Session(requests.Session):
    """A requests session that follows no redirect, keeps no cookie, retries nothing and tracks its connections."""

    def __init__(self):
        super().__init__()
        self.headers.clear()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def get_redirect_target(self, resp):
        return None
