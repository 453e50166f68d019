"""Everything outside the API: administration, pre-signed files, availability service, verification pages."""

from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from .admin import Admin
from .companies import Companies
from .errors import Problem
from .latarnia import Latarnia
from .qr import Verification
from .routing import Operation, Router
from .shapes import Unreadable
from .web import Response

ADMIN_BODY = 20_000_000
PAGES = "default-src 'self'; frame-ancestors 'none'"

# (method, path, handler); administration answers loopback callers only.
ROUTES = [
    ("GET", "/admin/health", "admin.health"), ("POST", "/admin/tokens", "admin.create_token"),
    ("DELETE", "/admin/tokens/{reference}", "admin.revoke_token"),
    ("POST", "/admin/tokens/{reference}/status", "admin.token_status"),
    ("POST", "/admin/certificates", "admin.create_certificate"),
    ("GET", "/admin/invoices", "admin.invoices"), ("GET", "/admin/invoices/{reference}/xml", "admin.invoice_xml"),
    ("GET", "/admin/sessions", "admin.sessions"), ("POST", "/admin/sessions/{reference}/expire", "admin.expire"),
    ("GET", "/admin/requests", "admin.list_requests"), ("DELETE", "/admin/requests", "admin.clear_requests"),
    ("GET", "/admin/settings", "admin.settings"), ("POST", "/admin/settings", "admin.change_settings"),
    ("POST", "/admin/keys/rotate", "admin.rotate_keys"), ("POST", "/admin/reset", "admin.reset"),
    ("GET", "/admin/faults", "admin.faults"), ("POST", "/admin/faults", "admin.add_fault"),
    ("DELETE", "/admin/faults", "admin.remove_faults"), ("DELETE", "/admin/faults/{id}", "admin.remove_fault"),
    ("GET", "/admin/invoices/{reference}/view", "companies.view"),
    ("GET", "/admin/companies", "companies.list"), ("POST", "/admin/companies", "companies.add"),
    ("GET", "/admin/companies/{nip}/invoices", "companies.invoices"),
    ("POST", "/admin/companies/{nip}/issue", "companies.issue"), ("GET", "/admin/samples", "companies.kinds"),
    ("POST", "/admin/companies/{nip}/month", "companies.month"),
    ("GET", "/admin/latarnia", "latarnia.listing"), ("POST", "/admin/latarnia", "latarnia.announce"),
    ("DELETE", "/admin/latarnia", "latarnia.clear"),
    ("GET", "/status", "latarnia.status"), ("GET", "/messages", "latarnia.messages"),
    ("GET", "/latarnia/status", "latarnia.status"), ("GET", "/latarnia/messages", "latarnia.messages"),
    ("GET", "/invoice/{nip}/{date}/{hash}", "verification.invoice"),
    ("GET", "/certificate/{kind}/{context}/{nip}/{serial}/{hash}/{signature}", "verification.certificate"),
    ("GET", "/favicon.ico", "icon"), ("GET", "/", "asset"), ("GET", "/page/{name}", "asset"),
]
ASSETS = {"page.html": "text/html; charset=utf-8", "page.js": "text/javascript; charset=utf-8",
          "page.css": "text/css; charset=utf-8", "page.svg": "image/svg+xml"}


class Site:
    """Routes of the site. Storage links are handled apart, because their bodies may be large."""

    def __init__(self, app):
        self._app = app
        self.admin = Admin(app)
        self.companies = Companies(app)
        self.latarnia = Latarnia(app)
        self.verification = Verification(app)
        self._router = Router([Operation(method, path, handler) for method, path, handler in ROUTES])

    def serve(self, request):
        """Answer a request outside /v2."""
        if request.path.startswith("/storage/"):
            return self._storage(request)
        operation, values = self._router.find(request.method, request.path)
        if operation.path.startswith("/admin"):
            self._require_local(request)
        if not request.reader(request, ADMIN_BODY):
            raise Problem(400, "The body is too long.")
        request.values = values
        room, _, method = operation.handler.partition(".")
        handler = getattr(getattr(self, room), method) if method else getattr(self, room)
        try:
            result = handler(request)
        except (ValueError, Unreadable) as error:
            raise Problem(400, str(error)) from error
        return result if isinstance(result, Response) else Response.json({} if result is None else result)

    def _storage(self, request):
        path = request.path.removeprefix("/storage/")
        if request.method == "GET":
            return self._app.storage.get(request, path)
        if request.method == "PUT":
            return self._app.storage.put(request, path)
        raise Problem(405, "Metoda niedozwolona.", headers=[("Allow", "GET, PUT")])

    @staticmethod
    def _require_local(request):
        """Administration is for this machine, and not for other web sites that its browser shows."""
        host = urlsplit(f"//{request.header('host')}").hostname or ""
        local = host == "localhost" or host.endswith(".localhost")
        with suppress(ValueError):
            local = local or ip_address(host).is_loopback
        origin = request.header("origin")
        if not ip_address(request.client_ip).is_loopback or not local or origin not in ("", request.origin):
            raise Problem(403, "The administration is open to this machine only.")

    def icon(self, request):
        """GET /favicon.ico: browsers ask for it."""
        request.values["name"] = "page.svg"
        return self.asset(request)

    def asset(self, request):
        """GET / and GET /page/{name}: the page, its script and its style."""
        self._require_local(request)
        name = request.values.get("name", "page.html")
        if name not in ASSETS:
            raise Problem(404, "Nie znaleziono zasobu.")
        content = (Path(__file__).parent / "static" / name).read_bytes()
        return Response(200, content, ASSETS[name], [("Content-Security-Policy", PAGES), ("Cache-Control", "no-cache")])
