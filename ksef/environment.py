"""The environments of KSeF 2.0 and their addresses."""

import ipaddress
import re
from dataclasses import dataclass

from .errors import KsefConfigError


@dataclass(frozen=True)
class Environment:
    """Addresses of one KSeF, each without a slash at its end.

    :ivar code: ``production``, ``demo``, ``test`` or ``local``
    :ivar api_url: base of every API path, ends in ``/v2``
    :ivar qr_url: base of the verification links in QR codes
    :ivar taxpayer_app_url: the Ministry's web application (Aplikacja Podatnika KSeF) for people
    :ivar latarnia_url: the availability service (Latarnia)
    """

    code: str
    api_url: str
    qr_url: str
    taxpayer_app_url: str
    latarnia_url: str

    @property
    def is_local(self):
        """Whether this is a KSeF on this very machine, without any legal meaning."""
        return self.code == "local"


def _ministry(code, suffix, latarnia):
    """Return an environment of the Ministry of Finance; its hosts differ by a suffix only."""
    return Environment(
        code=code,
        api_url=f"https://api{suffix}.ksef.mf.gov.pl/v2",
        qr_url=f"https://qr{suffix}.ksef.mf.gov.pl",
        taxpayer_app_url=f"https://ap{suffix}.ksef.mf.gov.pl/web",
        latarnia_url=f"https://{latarnia}.ksef.mf.gov.pl",
    )


ENVIRONMENTS = {
    "production": _ministry("production", "", "api-latarnia"),
    "demo": _ministry("demo", "-demo", "api-latarnia-test"),  # DEMO has no Latarnia of its own
    "test": _ministry("test", "-test", "api-latarnia-test"),
}

# Deliberately narrow: what this does not match (user names, escapes, queries, other hosts) is refused, so that no
# difference between two URL parsers can lead a token to another machine.
_LOCAL_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::(?P<port>\d{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)/*",
    re.ASCII | re.IGNORECASE,
)


def get_environment(code, local_url=None):
    """Return the environment ``code``; ``local_url`` counts only for ``local``, where it must be on loopback.

    :raise KsefConfigError: unknown code, or a local address that is not http(s) on 127.0.0.0/8, ::1 or localhost
    """
    if code == "local":
        return _local(local_url)
    try:
        return ENVIRONMENTS[code]
    except (KeyError, TypeError):
        raise KsefConfigError(f"There is no KSeF environment called {code!r}.") from None


def _local(url):
    match = _LOCAL_URL.fullmatch((url or "").strip())
    if not match or not _is_valid_host(match["host"]) or not 0 < int(match["port"] or 80) < 65536:
        raise KsefConfigError(
            "The address of a local KSeF must be http:// or https:// on this machine (127.0.0.1, ::1 or localhost), "
            "such as http://127.0.0.1:8000/v2, without a user name or a query."
        )
    port = f":{match['port']}" if match["port"] else ""
    origin = f"{match['scheme'].lower()}://{match['host'].lower()}{port}"
    path = match["path"]
    return Environment(
        code="local",
        api_url=origin + (path if path.endswith("/v2") else path + "/v2"),
        qr_url=origin,
        taxpayer_app_url=origin,
        latarnia_url=origin + "/latarnia",
    )


def _is_valid_host(host):
    """Whether a host that looks like loopback is one (127.0.0.999 and 127.0.0.010 are not addresses)."""
    if host.lower() in ("localhost", "[::1]"):
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False
