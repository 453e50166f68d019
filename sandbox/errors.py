"""What can be refused, in KSeF's words, and the two formats of a refusal."""

from .clock import text

PROBLEM = "application/problem+json; charset=utf-8"

DESCRIPTIONS = {
    9101: "Nieprawidłowy dokument.",
    9102: "Brak podpisu.",
    9103: "Przekroczona liczba dozwolonych podpisów.",
    9105: "Nieprawidłowy podpis.",
    21001: "Nieczytelna treść.",
    21111: "Nieprawidłowe wyzwanie autoryzacyjne.",
    21115: "Nieprawidłowy certyfikat.",
    21117: "Nieprawidłowy identyfikator podmiotu dla wskazanego typu kontekstu.",
    21155: "Przekroczono dozwoloną liczbę faktur w sesji.",
    21157: "Nieprawidłowy rozmiar części pakietu.",
    21161: "Przekroczono dozwoloną liczbę części pakietu.",
    21164: "Faktura o podanym identyfikatorze nie istnieje.",
    21165: "Faktura o podanym numerze KSeF nie jest jeszcze dostępna.",
    21166: "Korekta techniczna niedostępna.",
    21167: "Status faktury nie pozwala na korektę techniczną.",
    21173: "Brak sesji o wskazanym numerze referencyjnym.",
    21175: "Wynik zapytania o podanym identyfikatorze nie istnieje.",
    21178: "Nie znaleziono UPO dla podanych kryteriów.",
    21180: "Status sesji nie pozwala na wykonanie operacji.",
    21181: "Nieprawidłowe żądanie eksportu faktur.",
    21182: "Osiągnięto limit trwających eksportów.",
    21183: "Zakres filtrowania wykracza poza dostępny zakres danych.",
    21184: "Sesja tymczasowo niedostępna.",
    21205: "Pakiet nie może być pusty.",
    21208: "Czas oczekiwania na requesty upload lub finish został przekroczony.",
    21217: "Nieprawidłowe kodowanie znaków.",
    21301: "Brak autoryzacji.",
    21304: "Brak uwierzytelnienia.",
    21308: "Próba wykorzystania metod autoryzacyjnych osoby zmarłej.",
    21401: "Dokument nie jest zgodny ze schemą (xsd).",
    21402: "Nieprawidłowy rozmiar pliku.",
    21403: "Nieprawidłowy skrót pliku.",
    21405: "Błąd walidacji danych wejściowych.",
    21406: "Konflikt podpisu i typu uwierzytelnienia.",
    21418: "Przekazany token kontynuacji ma nieprawidłowy format.",
    21470: "Przesłany identyfikator klucza jest nieznany lub wskazuje na wycofany klucz.",
    25001: "Brak możliwości pobrania danych do CSR dla wykorzystanego sposobu uwierzytelnienia.",
    25002: "Brak możliwości złożenia wniosku certyfikacyjnego dla wykorzystanego sposobu uwierzytelnienia.",
    25003: "Dane w CSR nie zgadzają się z danymi w użytym wektorze uwierzytelniającym.",
    25004: "Niepoprawny format CSR lub niepoprawny podpis CSR.",
    25005: "Wniosek certyfikacyjny o podanym numerze referencyjnym nie istnieje.",
    25006: "Osiągnięto limit możliwych do złożenia wniosków certyfikacyjnych.",
    25007: "Osiągnięto limit dopuszczalnej liczby posiadanych certyfikatów.",
    25008: "Certyfikat o podanym numerze seryjnym nie istnieje.",
    25009: "Nie można odwołać wskazanego certyfikatu, ponieważ jest już odwołany, zablokowany lub nieważny.",
    25010: "Nieprawidłowy typ lub długość klucza.",
    25011: "Nieprawidłowy algorytm podpisu CSR.",
    26001: "Nie można nadać tokenowi uprawnień których nie posiadasz.",
    26002: "Nie można wygenerować tokena dla obecnego typu kontekstu.",
    30001: "Podmiot lub uprawnienie już istnieje.",
    71001: "Faktura o podanym identyfikatorze nie istnieje.",
    71002: "Faktura jest już przypisana do maksymalnej liczby Identyfikatorów Zbiorczych.",
    71004: "Faktury mają różnych sprzedawców.",
    71005: "Powtórzony numer KSeF w żądaniu.",
}

TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    410: "Gone", 411: "Length Required", 415: "Unsupported Media Type", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
    503: "Service Unavailable",
}


class Refusal(Exception):
    """A call that is answered with a status of 4xx or 5xx instead of a result."""

    status = 400


class ApiError(Refusal):
    """HTTP 400 with one KSeF code; ``details`` are sentences for a person."""

    def __init__(self, code, *details):
        super().__init__(f"{code} {DESCRIPTIONS[code]}")
        self.code = code
        self.details = [str(detail)[:1000] for detail in details]


class Problem(Refusal):
    """An answer that is always application/problem+json (401, 403, 404, 405, 410, 415, 5xx)."""

    def __init__(self, status, detail, *, headers=(), **extra):
        super().__init__(f"{status} {detail}")
        self.status = status
        self.detail = detail
        self.headers = list(headers)
        self.extra = extra


class TooManyRequests(Refusal):
    """HTTP 429: a limit of calls was passed; ``retry_after`` in whole seconds."""

    status = 429

    def __init__(self, limit, window, retry_after):
        super().__init__("429")
        self.retry_after = retry_after
        self.detail = (f"Przekroczono limit {limit} żądań na {window}. "
                       f"Spróbuj ponownie po {retry_after} sekundach.")


def unauthorized(detail):
    """401: the bearer token is missing, malformed, expired or of the wrong kind."""
    return Problem(401, detail, headers=[("WWW-Authenticate", "Bearer")])


def forbidden(reason, detail, **security):
    """403 with its reason code and the data that belongs to the reason."""
    return Problem(403, detail, reasonCode=reason, security=security)


def missing_permissions(required, present):
    """403: none of the permissions that the operation asks for."""
    return forbidden("missing-permissions", "Brak wymaganych uprawnień do wykonania operacji w bieżącym kontekście.",
                     requiredAnyOfPermissions=list(required), presentPermissions=sorted(present))


def render(refusal, *, problem_details, now, instance, trace):
    """The answer to a refusal: (status, content type, JSON-able body, extra headers)."""
    common = {"timestamp": text(now), "traceId": trace, "instance": instance}
    if isinstance(refusal, Problem):
        body = {"title": TITLES.get(refusal.status, "Error"), "status": refusal.status, "detail": refusal.detail}
        if refusal.status == 400:
            body["errors"] = [{"code": 21001, "description": DESCRIPTIONS[21001], "details": [refusal.detail]}]
        return refusal.status, PROBLEM, {**body, **common, **refusal.extra}, refusal.headers
    if isinstance(refusal, TooManyRequests):
        return _render_too_many(refusal, problem_details, common)
    if problem_details:
        error = {"code": refusal.code, "description": DESCRIPTIONS[refusal.code], "details": refusal.details}
        body = {"title": TITLES[400], "status": 400, "detail": DESCRIPTIONS[refusal.code], "errors": [error]}
        return 400, PROBLEM, {**body, **common}, []
    detail = {"exceptionCode": refusal.code, "exceptionDescription": DESCRIPTIONS[refusal.code],
              "details": refusal.details}
    body = {"exception": {"exceptionDetailList": [detail], "serviceCode": trace, "serviceCtx": "srvSANDBOX",
                          "serviceName": "Undefined", "timestamp": text(now)}}
    return 400, "application/json", body, []


def _render_too_many(refusal, problem_details, common):
    headers = [("Retry-After", str(refusal.retry_after))]
    if problem_details:
        body = {"title": TITLES[429], "status": 429, "detail": refusal.detail, **common}
        return 429, PROBLEM, body, headers
    body = {"status": {"code": 429, "description": TITLES[429], "details": [refusal.detail]}}
    return 429, "application/json", body, headers
