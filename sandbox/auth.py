"""Logging in: challenge, KSeF token, asynchronous status, redeeming and refreshing."""

import json
import re
from dataclasses import replace
from datetime import timedelta

from . import clock, ids
from .crypto import Undecipherable
from .errors import ApiError, Problem
from .keys import TOKEN_KEY
from .models import NIP_PATTERN, VAT_UE
from .operations import ACCESS, LOGIN, REFRESH
from .store import packed, unpacked
from .web import Response
from .webtokens import Principal

CHALLENGE_MINUTES = 10
STATUS_DAYS = 7

DESCRIPTIONS = {
    100: "Uwierzytelnianie w toku",
    200: "Uwierzytelnianie zakończone sukcesem",
    415: "Uwierzytelnianie zakończone niepowodzeniem",
    425: "Uwierzytelnienie unieważnione",
    450: "Uwierzytelnianie zakończone niepowodzeniem z powodu błędnego tokenu",
    460: "Uwierzytelnianie zakończone niepowodzeniem z powodu błędu certyfikatu",
    470: "Uwierzytelnianie zakończone niepowodzeniem",
    480: "Uwierzytelnienie zablokowane",
    500: "Nieznany błąd",
    550: "Operacja została anulowana przez system",
}
DETAILS = {
    415: "Brak przypisanych uprawnień",
    425: "Uwierzytelnienie i powiązane refresh tokeny zostały unieważnione przez użytkownika",
    470: "Próba wykorzystania metod autoryzacyjnych osoby zmarłej",
    480: "Podejrzenie incydentu bezpieczeństwa. Skontaktuj się z Ministerstwem Finansów przez formularz zgłoszeniowy.",
    550: "Przetwarzanie zostało przerwane z przyczyn wewnętrznych systemu. Spróbuj ponownie",
}

# method code -> (authenticationMethod, category, displayName)
METHODS = {
    "token.ksef": ("Token", "Token", "Token KSeF"),
    "xades.qualified-signature": ("QualifiedSignature", "XadesSignature", "Podpis kwalifikowany"),
    "xades.qualified-seal": ("QualifiedSeal", "XadesSignature", "Pieczęć kwalifikowana"),
    "xades.ksef-certificate": ("InternalCertificate", "XadesSignature", "Certyfikat KSeF"),
    "xades.peppol": ("PeppolSignature", "XadesSignature", "Certyfikat dostawcy usług Peppol"),
}
CONTEXT_PATTERNS = {
    "Nip": NIP_PATTERN, "InternalId": NIP_PATTERN + r"-\d{5}", "NipVatUe": f"{NIP_PATTERN}-{VAT_UE}",
    "PeppolId": r"P[A-Z]{2}[0-9]{6}",
}


class Auth:
    """The room of logins."""

    def __init__(self, app):
        self._app = app

    # --- starting ----------------------------------------------------------------------------------------------

    def challenge(self, request):
        """POST /auth/challenge."""
        now = self._app.clock.now()
        milliseconds = int(now.timestamp() * 1000)
        challenge = self._app.numbers.reference(ids.CHALLENGE)
        self._app.store.insert("challenges", challenge=challenge, timestamp_ms=milliseconds,
                               valid_until=clock.text(now + timedelta(minutes=CHALLENGE_MINUTES)))
        return {"challenge": challenge, "timestamp": clock.text(now), "timestampMs": milliseconds,
                "clientIp": request.client_ip}

    def use_challenge(self, challenge):
        """Use a challenge up and return its timestamp in milliseconds; raises 21111."""
        with self._app.store.transaction() as store:
            row = store.one("SELECT * FROM challenges WHERE challenge = ?", challenge)
            if row is None or row["used"] or row["valid_until"] <= clock.text(self._app.clock.now()):
                raise ApiError(21111)
            store.update("challenges", "challenge", challenge, used=1)
            return row["timestamp_ms"]

    def start_token(self, request):
        """POST /auth/ksef-token."""
        data = request.data
        context = data["contextIdentifier"]
        check_context(context["type"], context["value"])
        try:
            plain = self._app.keys.decrypt(data["encryptedToken"], TOKEN_KEY, data.get("publicKeyId"))
        except Undecipherable:
            plain = None
        milliseconds = self.use_challenge(data["challenge"])
        row, trouble = self._read_token(plain, milliseconds, context)
        code, details = (450, trouble) if trouble else self._verdict_for_token(row, context)
        subject = (row["author_type"], row["author_value"]) if row else (context["type"], context["value"])
        policy = (data.get("authorizationPolicy") or {}).get("allowedIps") or {}
        return self.begin(context, subject, "token.ksef", code, details, policy=policy,
                          token_reference=row["reference"] if row else None)

    def _read_token(self, plain, milliseconds, context):
        """(row of the token, None) or (row or None, what is wrong with it)."""
        if plain is None:
            return None, "Nieprawidłowe szyfrowanie tokena"
        try:
            token, separator, moment = plain.decode("utf-8").rpartition("|")
        except UnicodeDecodeError:
            return None, "Nieprawidłowe kodowanie tokena"
        if not separator:
            return None, "Nieprawidłowe kodowanie tokena"
        if moment != str(milliseconds):
            return None, "Nieprawidłowy czas tokena"
        row = self._app.tokens.by_secret(token)
        if row is None:
            return None, "Nieprawidłowy token"
        status = self._app.tokens.status_of(row)
        if status in ("Revoked", "Revoking"):
            return row, "Token unieważniony"
        if status != "Active":
            return row, "Token nieaktywny"
        if (row["context_type"], row["context_value"]) != (context["type"], context["value"]):
            return row, f"Token nie może być użyty w kontekście {context['type']}: {context['value']}"
        return row, None

    def _verdict_for_token(self, row, context):
        subject = row["author_type"], row["author_value"]
        code, details = self.verdict(*subject, context["type"], context["value"])
        if code == 200 and not self.token_permissions(row):
            return 415, DETAILS[415]
        return code, details

    def token_permissions(self, row):
        """What a KSeF token allows now: its own permissions, as far as its author still has them."""
        author = self._app.rights.of(row["author_type"], row["author_value"], row["context_type"],
                                     row["context_value"])
        return author.intersection(unpacked(row["permissions"], []))

    def verdict(self, subject_type, subject_value, context_type, context_value):
        """(code, details) of a login whose credentials are in order."""
        rights = self._app.rights
        if rights.is_blocked(context_type, context_value):
            return 480, DETAILS[480]
        if rights.is_deceased(subject_type, subject_value):
            return 470, DETAILS[470]
        if not rights.of(subject_type, subject_value, context_type, context_value):
            return 415, DETAILS[415]
        return 200, None

    def begin(self, context, who, method_code, code, details, **columns):
        """Store a login whose outcome is known but told later; answers with the authentication token."""
        forced = self._app.faults.take("login_status", "POST /auth/ksef-token" if method_code == "token.ksef"
                                       else "POST /auth/xades-signature", context["value"][:10])
        if forced:
            code, details = forced["code"], forced.get("details") or DETAILS.get(forced["code"])
        if isinstance(details, str):
            details = [details]
        reference = self._app.numbers.reference(ids.AUTH)
        method, _category, _name = METHODS[method_code]
        policy = {key: value for key, value in (columns.pop("policy", None) or {}).items() if value}
        self._app.store.insert(
            "logins", reference=reference, started=clock.text(self._app.clock.now()), method=method,
            method_code=method_code, context_type=context["type"], context_value=context["value"],
            subject_type=who[0], subject_value=who[1], policy=policy, code=code, details=packed(details),
            ready=self._app.clock.real() + self._app.settings.processing_seconds, **columns)
        principal = self._principal(self._row(reference), LOGIN, frozenset())
        token, until = self._app.web_tokens.issue(LOGIN, replace(principal, policy={}))
        return {"referenceNumber": reference,
                "authenticationToken": {"token": token, "validUntil": clock.text(until)}}

    # --- status and tokens -------------------------------------------------------------------------------------

    def _row(self, reference):
        return self._app.store.one("SELECT * FROM logins WHERE reference = ?", reference)

    def _required_row(self, reference):
        row = self._row(reference)
        if row is None:
            raise ApiError(21304, f"Operacja uwierzytelniania o numerze referencyjnym {reference} nie została "
                                  "znaleziona.")
        return row

    def code_of(self, row):
        """The status that a login shows now."""
        return row["code"] if self._app.clock.real() >= row["ready"] else 100

    def status(self, request):
        """GET /auth/{referenceNumber}."""
        reference = request.values["referenceNumber"]
        row = self._row(reference)
        if row is None or reference != request.principal.login:
            raise ApiError(21304, f"Operacja uwierzytelniania o numerze referencyjnym {reference} nie została "
                                  "znaleziona.")
        if clock.parse(row["started"]) + timedelta(days=STATUS_DAYS) <= self._app.clock.now():
            raise Problem(410, "Status operacji uwierzytelniania nie jest już dostępny.")
        return self.describe(row)

    def describe(self, row):
        """A login as its status and the list of login sessions show it."""
        code = self.code_of(row)
        method, category, name = METHODS[row["method_code"]]
        status = {"code": code, "description": DESCRIPTIONS.get(code, f"Nieznany błąd ({code})")}
        if code != 100 and row["details"]:
            status["details"] = json.loads(row["details"])
        result = {
            "startDate": row["started"], "authenticationMethod": method, "status": status,
            "authenticationMethodInfo": {"category": category, "code": row["method_code"], "displayName": name},
            "isTokenRedeemed": bool(row["redeemed"]),
        }
        for column, field in (("refreshed", "lastTokenRefreshDate"), ("refresh_valid_until", "refreshTokenValidUntil")):
            if row[column]:
                result[field] = row[column]
        return result

    def _principal(self, row, kind, permissions):
        return Principal(
            kind=kind, login=row["reference"], context_type=row["context_type"], context_value=row["context_value"],
            subject_type=row["subject_type"], subject_value=row["subject_value"], method=row["method"],
            permissions=frozenset(permissions), token_reference=row["token_reference"],
            policy=unpacked(row["policy"], {}))

    def _permissions(self, row):
        """The permissions that an access token gets when it is issued now; raises 21301 for a revoked KSeF token."""
        if row["token_reference"]:
            token = self._app.tokens.row(row["token_reference"])
            if token is None or self._app.tokens.status_of(token) != "Active":
                raise ApiError(21301, "Token KSeF został unieważniony.")
            return self.token_permissions(token)
        return self._app.rights.of(row["subject_type"], row["subject_value"], row["context_type"],
                                   row["context_value"])

    def redeem(self, request):
        """POST /auth/token/redeem: once only."""
        now = self._app.clock.now()
        with self._app.store.transaction() as store:
            row = self._required_row(request.principal.login)
            code = self.code_of(row)
            if code == 470:
                raise ApiError(21308)
            if code != 200:
                raise ApiError(21301, f"Status uwierzytelniania ({code}) nie pozwala na pobranie tokenów.")
            if row["redeemed"]:
                raise ApiError(21301, f"Tokeny dla operacji uwierzytelniania {row['reference']} zostały już pobrane.")
            permissions = self._permissions(row)
            refresh, until = self._app.web_tokens.issue(REFRESH, self._principal(row, REFRESH, ()))
            store.update("logins", "reference", row["reference"], redeemed=1, refresh_valid_until=clock.text(until))
            if row["token_reference"]:
                store.update("tokens", "reference", row["token_reference"], last_use=clock.text(now))
            if row["certificate_serial"]:
                store.update("certificates", "serial", row["certificate_serial"], last_use=clock.text(now))
        return {"accessToken": self._access(row, permissions),
                "refreshToken": {"token": refresh, "validUntil": clock.text(until)}}

    def _access(self, row, permissions):
        token, until = self._app.web_tokens.issue(ACCESS, self._principal(row, ACCESS, permissions))
        return {"token": token, "validUntil": clock.text(until)}

    def refresh(self, request):
        """POST /auth/token/refresh: a new access token with the permissions of now."""
        with self._app.store.transaction() as store:
            row = self._required_row(request.principal.login)
            if row["code"] == 200 and self._app.rights.is_deceased(row["subject_type"], row["subject_value"]):
                raise ApiError(21308)
            if row["code"] != 200:
                raise ApiError(21301, f"Status uwierzytelniania ({row['code']}) nie pozwala na odświeżenie tokenu "
                                      "dostępowego.")
            permissions = self._permissions(row)
            store.update("logins", "reference", row["reference"], refreshed=clock.text(self._app.clock.now()))
        return Response.json({"accessToken": self._access(row, permissions)})

    def proof(self, login):
        """What a UPO says about the login: the KSeF token's reference, or the hash of the signed document."""
        row = self._row(login)
        if row is None or (not row["token_reference"] and not row["document_hash"]):
            return {}
        return {"token": row["token_reference"], "document": row["document_hash"]}


def check_context(kind, value):
    """Raise 21405 when a context's value does not fit its type."""
    if not re.fullmatch(CONTEXT_PATTERNS[kind], value, re.ASCII):
        raise ApiError(21405, f"$.contextIdentifier.value: nieprawidłowy format identyfikatora {kind}.")
