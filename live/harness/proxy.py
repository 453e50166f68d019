"""The proxy that stands before a prefork server, as nginx does in production: websockets to one port, the rest to another."""

import contextlib
import socket
import threading

_HEAD_BYTES = 65536


class Proxy:
    """Listens on a port of its own; ``url`` is what a browser opens."""

    def __init__(self, server):
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self):
        """Take no further connections; those that are open end with their peers."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        """Send a connection where its first request belongs; a browser never mixes both kinds on one connection."""
        with contextlib.suppress(OSError), client:
            head = client.recv(_HEAD_BYTES)
            if not head:
                return
            is_websocket = head.split(b" ", 2)[1:2] and head.split(b" ", 2)[1].startswith(b"/websocket")
            port = self._server.gevent_port if is_websocket else self._server.http_port
            with socket.create_connection(("127.0.0.1", port)) as upstream:
                upstream.sendall(head)
                back = threading.Thread(target=_pump, args=(upstream, client), daemon=True)
                back.start()
                _pump(client, upstream)
                back.join()


def _pump(source, target):
    """Hand on what comes until the source ends, then tell the target."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
