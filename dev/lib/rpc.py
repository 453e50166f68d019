"""A small client of Odoo's external API (JSON-RPC) and of the sandbox's admin API. Standard library only."""

import json
import urllib.error
import urllib.request


class RpcError(Exception):
    """The server answered with an error; the text is its message."""


def call_json(url, payload=None, method=None, timeout=60):
    """Send ``payload`` as JSON (GET without one) to a server on this machine; returns the JSON answer.

    :raise OSError: no answer
    """
    data = None if payload is None else json.dumps(payload).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=timeout) as answer:
        return json.loads(answer.read() or b"null")


class Odoo:
    """A user of an Odoo server: ``Odoo(url, database, login, password).call(model, method, *arguments, **keywords)``."""

    def __init__(self, url, database, login, password):
        self.url, self.database, self.login, self.password = url, database, login, password
        self.uid = self._service("common", "login", database, login, password)
        if not self.uid:
            raise RpcError(f"{login} cannot log in to {database}")

    def _service(self, service, method, *arguments):
        payload = {
            "jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {"service": service, "method": method, "args": arguments},
        }
        answer = call_json(f"{self.url}/jsonrpc", payload)
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise RpcError(f"{data.get('name', 'error')}: {data.get('message') or answer['error'].get('message')}")
        return answer.get("result")         # there is none when the method returned None

    def call(self, model, method, *arguments, **keywords):
        """Call a public method of a model, as this user."""
        return self._service(
            "object", "execute_kw", self.database, self.uid, self.password, model, method, arguments, keywords)

    def read(self, model, ids, *names):
        """The named fields of records: a list of dicts in the order of ``ids``; one dict when ``ids`` is a number."""
        rows = self.call(model, "read", ids if isinstance(ids, list) else [ids], list(names))
        return rows if isinstance(ids, list) else rows[0]
