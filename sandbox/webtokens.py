"""JSON Web Tokens (HS256) of three kinds, and who stands behind an access token."""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, ip_address

from .errors import forbidden, unauthorized
from .operations import ACCESS, LOGIN, REFRESH

LIFETIMES = {LOGIN: 45 * 60, ACCESS: 15 * 60, REFRESH: 7 * 24 * 3600}


@dataclass(frozen=True)
class Principal:
    """The authenticated caller: a subject at work in a context, with permissions fixed when the token was issued."""

    kind: str
    login: str
    context_type: str
    context_value: str
    subject_type: str
    subject_value: str
    method: str
    permissions: frozenset
    token_reference: str | None = None
    policy: dict = field(default_factory=dict)

    @property
    def context(self):
        """Text key of the context."""
        return f"{self.context_type}:{self.context_value}"

    @property
    def subject(self):
        """Text key of the subject."""
        return f"{self.subject_type}:{self.subject_value}"

    @property
    def nip(self):
        """The NIP of the context (of the first part of a composite context), or None."""
        return None if self.context_type == "PeppolId" else self.context_value[:10]


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text):
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


_HEADER = _encode(b'{"alg":"HS256","typ":"JWT"}')


class WebTokens:
    """Issues and reads the tokens. They are stateless: a valid access token works until it expires."""

    def __init__(self, clock, secret, issuer="ksef-api-sandbox"):
        self._clock = clock
        self._secret = secret
        self._issuer = issuer

    def _signature(self, text):
        return _encode(hmac.digest(self._secret, text.encode(), hashlib.sha256))

    def issue(self, kind, principal, until=None):
        """A new token of a kind for a principal: (token, end of its validity as an aware datetime)."""
        now = self._clock.now()
        expires = until or datetime.fromtimestamp(int(now.timestamp()) + LIFETIMES[kind], UTC)
        claims = {
            "typ": kind, "cit": principal.context_type, "civ": principal.context_value, "aum": principal.method,
            "arn": principal.login, "sty": principal.subject_type, "sva": principal.subject_value,
            "per": json.dumps(sorted(principal.permissions)), "ipp": json.dumps(principal.policy or {}),
            "trn": principal.token_reference, "iat": int(now.timestamp()), "exp": int(expires.timestamp()),
            "iss": self._issuer, "aud": self._issuer,
        }
        text = f"{_HEADER}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{text}.{self._signature(text)}", expires

    def read(self, authorization, kinds, client_ip):
        """The principal of an Authorization header. Raises 401, or 403 for an address outside the IP policy."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized("Brak tokena dostępu.")
        text, _, signature = token.strip().rpartition(".")
        if not text.isascii() or not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            raise unauthorized("Nieprawidłowy token.")
        try:
            claims = json.loads(_decode(text.partition(".")[2]))
        except (binascii.Error, ValueError) as error:
            raise unauthorized("Nieprawidłowy token.") from error
        if claims["exp"] <= self._clock.now().timestamp():
            raise unauthorized("Token wygasł.")
        if claims["typ"] not in kinds:
            raise unauthorized("Token nie jest właściwy dla tej operacji.")
        principal = self._principal(claims)
        if not address_allowed(principal.policy, client_ip):
            raise forbidden("ip-not-allowed", "Żądanie pochodzi z adresu IP innego niż wskazany podczas "
                            "uwierzytelnienia.", clientIp=client_ip)
        return principal

    @staticmethod
    def _principal(claims):
        return Principal(
            kind=claims["typ"], login=claims["arn"], context_type=claims["cit"], context_value=claims["civ"],
            subject_type=claims["sty"], subject_value=claims["sva"], method=claims["aum"],
            permissions=frozenset(json.loads(claims["per"])), token_reference=claims["trn"],
            policy=json.loads(claims["ipp"]),
        )


def address_allowed(policy, client_ip):
    """True when an address fits a policy ``{ip4Addresses, ip4Ranges, ip4Masks}``; an empty policy allows all."""
    addresses = policy.get("ip4Addresses") or []
    ranges = policy.get("ip4Ranges") or []
    masks = policy.get("ip4Masks") or []
    if not (addresses or ranges or masks):
        return True
    address = ip_address(client_ip)
    if not isinstance(address, IPv4Address):
        return False
    bounds = [tuple(map(IPv4Address, item.split("-"))) for item in ranges]
    return (client_ip in addresses or any(low <= address <= high for low, high in bounds)
            or any(address in IPv4Network(mask, strict=False) for mask in masks))
