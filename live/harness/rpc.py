"""A user of Odoo over HTTP: the calls that the web client makes, with its session and its rights."""

import requests


class RemoteError(Exception):
    """The server refused a call. ``kind`` is the class of the exception there, ``debug`` its traceback."""

    def __init__(self, error):
        data = error.get("data") or {}
        self.kind = data.get("name", "").rpartition(".")[2]
        self.message = data.get("message") or error.get("message")
        self.debug = data.get("debug")
        super().__init__(f"{self.kind}: {self.message}")


class User:
    """A logged-in user."""

    def __init__(self, url, database, login, password, companies=()):
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False
        info = self.json("/web/session/authenticate", db=database, login=login, password=password)
        self.uid = info["uid"]
        self.context = dict(info["user_context"])
        if companies:
            self.context["allowed_company_ids"] = list(companies)

    def json(self, path, timeout=120, **params):
        """Call a JSON route and return its result."""
        answer = self._http.post(self.url + path, json={"jsonrpc": "2.0", "method": "call", "params": params}, timeout=timeout)
        answer.raise_for_status()
        body = answer.json()
        if "error" in body:
            raise RemoteError(body["error"])
        return body.get("result")

    def call(self, model, method, *arguments, context=None, **options):
        """Call a method of a model as the web client does."""
        options["context"] = self.context | (context or {})
        return self.json(f"/web/dataset/call_kw/{model}/{method}", model=model, method=method, args=list(arguments), kwargs=options)

    def read(self, model, ids, *names):
        """Records as dicts, in the order of ``ids``."""
        return self.call(model, "read", list(ids), list(names))

    def find(self, model, domain, *names, **options):
        """Records as dicts."""
        return self.call(model, "search_read", domain, list(names), **options)

    def create(self, model, **values):
        """Create a record and return its id."""
        return self.call(model, "create", [values])[0]

    def get(self, path, **options):
        """GET a page or file; returns the response."""
        answer = self._http.get(self.url + path, timeout=120, **options)
        answer.raise_for_status()
        return answer

    def session_id(self):
        """The cookie that a browser needs to be this user."""
        return self._http.cookies["session_id"]
