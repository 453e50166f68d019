"""What KSeF can answer and what can go wrong: every numeric code, and the exceptions of this library.

Numbers such as 440 stand in this file only. Each member carries ``polish``, KSeF's own wording, so that a person who
reads a code in the taxpayer application recognises it here. Codes that are not listed are no error: KSeF adds codes
without notice, so every reader takes plain integers and treats an unknown one as unknown, never as a verdict.

Source: OpenAPI 2.9.0 of KSeF 2.0 (response descriptions of each operation).
"""

from enum import Enum, IntEnum


class Code(IntEnum):
    """An integer code with KSeF's Polish wording in ``polish``."""

    polish: str

    def __new__(cls, value, polish=""):
        member = int.__new__(cls, value)
        member._value_ = value
        member.polish = polish
        return member

    @classmethod
    def find(cls, value):
        """Return the member for ``value``, or None when KSeF sent a code that is not documented here."""
        try:
            return cls(value)
        except ValueError:
            return None


class ApiCode(Code):
    """Codes of a refused call (HTTP 400), in ``KsefError.code``."""

    INVALID_DOCUMENT = 9101, "Nieprawidłowy dokument."  # signed login request is no readable document
    SIGNATURE_MISSING = 9102, "Brak podpisu."
    TOO_MANY_SIGNATURES = 9103, "Przekroczona liczba dozwolonych podpisów."
    INVALID_SIGNATURE = 9105, "Nieprawidłowy podpis."
    UNREADABLE_CONTENT = 21001, "Nieczytelna treść."
    BAD_CHALLENGE = 21111, "Nieprawidłowe wyzwanie autoryzacyjne."  # unknown, older than 10 minutes, or used before
    BAD_CERTIFICATE = 21115, "Nieprawidłowy certyfikat."  # often: from another environment
    BAD_SUBJECT_FOR_CONTEXT = 21117, "Nieprawidłowy identyfikator podmiotu dla wskazanego typu kontekstu."
    SESSION_INVOICE_LIMIT = 21155, "Przekroczono dozwoloną liczbę faktur w sesji."
    BAD_PART_SIZE = 21157, "Nieprawidłowy rozmiar części pakietu."
    TOO_MANY_PARTS = 21161, "Przekroczono dozwoloną liczbę części pakietu."
    INVOICE_NOT_FOUND = 21164, "Faktura o podanym identyfikatorze nie istnieje."  # also: no right to see it
    INVOICE_NOT_YET_AVAILABLE = 21165, "Faktura o podanym numerze KSeF nie jest jeszcze dostępna."
    TECHNICAL_CORRECTION_EXISTS = 21166, "Korekta techniczna niedostępna."
    TECHNICAL_CORRECTION_NOT_ALLOWED = 21167, "Status faktury nie pozwala na korektę techniczną."
    SESSION_NOT_FOUND = 21173, "Brak sesji o wskazanym numerze referencyjnym."
    EXPORT_NOT_FOUND = 21175, "Wynik zapytania o podanym identyfikatorze nie istnieje."
    UPO_NOT_FOUND = 21178, "Nie znaleziono UPO dla podanych kryteriów."
    SESSION_STATUS_FORBIDS = 21180, "Status sesji nie pozwala na wykonanie operacji."
    BAD_EXPORT_REQUEST = 21181, "Nieprawidłowe żądanie eksportu faktur."
    TOO_MANY_EXPORTS = 21182, "Osiągnięto limit trwających eksportów."
    RANGE_BEYOND_DATA = 21183, "Zakres filtrowania wykracza poza dostępny zakres danych."
    SESSION_UNAVAILABLE = 21184, "Sesja tymczasowo niedostępna."  # maintenance: later, or another session
    PACKAGE_EMPTY = 21205, "Pakiet nie może być pusty."
    UPLOAD_TIME_EXCEEDED = 21208, "Czas oczekiwania na requesty upload lub finish został przekroczony."
    BAD_CHARACTER_ENCODING = 21217, "Nieprawidłowe kodowanie znaków."
    NOT_AUTHORISED = 21301, "Brak autoryzacji."  # tokens fetched already, or KSeF token revoked
    NO_LOGIN = 21304, "Brak uwierzytelnienia."  # no login operation with this reference number
    PERSON_DECEASED = 21308, "Próba wykorzystania metod autoryzacyjnych osoby zmarłej."
    NOT_SCHEMA_VALID = 21401, "Dokument nie jest zgodny ze schemą (xsd)."
    BAD_FILE_SIZE = 21402, "Nieprawidłowy rozmiar pliku."
    BAD_FILE_HASH = 21403, "Nieprawidłowy skrót pliku."
    INPUT_INVALID = 21405, "Błąd walidacji danych wejściowych."
    SIGNATURE_CONFLICT = 21406, "Konflikt podpisu i typu uwierzytelnienia."
    BAD_CONTINUATION_TOKEN = 21418, "Przekazany token kontynuacji ma nieprawidłowy format."
    PUBLIC_KEY_UNKNOWN = 21470, "Przesłany identyfikator klucza jest nieznany lub wskazuje na wycofany klucz."
    NO_CSR_DATA = 25001, "Brak możliwości pobrania danych do CSR dla wykorzystanego sposobu uwierzytelnienia."
    CANNOT_ENROLL = 25002, "Brak możliwości złożenia wniosku certyfikacyjnego."
    CSR_MISMATCH = 25003, "Dane w CSR nie zgadzają się z danymi w użytym wektorze uwierzytelniającym."
    BAD_CSR = 25004, "Niepoprawny format CSR lub niepoprawny podpis CSR."
    ENROLLMENT_NOT_FOUND = 25005, "Wniosek certyfikacyjny o podanym numerze referencyjnym nie istnieje."
    ENROLLMENT_LIMIT = 25006, "Osiągnięto limit możliwych do złożenia wniosków certyfikacyjnych."
    CERTIFICATE_LIMIT = 25007, "Osiągnięto limit dopuszczalnej liczby posiadanych certyfikatów."
    CERTIFICATE_NOT_FOUND = 25008, "Certyfikat o podanym numerze seryjnym nie istnieje."
    CERTIFICATE_NOT_REVOCABLE = 25009, "Nie można odwołać wskazanego certyfikatu."
    BAD_KEY_TYPE = 25010, "Nieprawidłowy typ lub długość klucza."
    BAD_CSR_ALGORITHM = 25011, "Nieprawidłowy algorytm podpisu CSR."
    TOKEN_PERMISSIONS_EXCEEDED = 26001, "Nie można nadać tokenowi uprawnień których nie posiadasz."
    TOKEN_CONTEXT_FORBIDDEN = 26002, "Nie można wygenerować tokena dla obecnego typu kontekstu."
    COLLECTIVE_INVOICE_NOT_FOUND = 71001, "Faktura o podanym identyfikatorze nie istnieje."
    COLLECTIVE_LIMIT = 71002, "Faktura jest już przypisana do maksymalnej liczby Identyfikatorów Zbiorczych."
    COLLECTIVE_DIFFERENT_SELLERS = 71004, "Faktury mają różnych sprzedawców."
    COLLECTIVE_REPEATED_NUMBER = 71005, "Powtórzony numer KSeF w żądaniu."


class AuthStatus(Code):
    """Status of a login operation (GET /auth/{referenceNumber})."""

    IN_PROGRESS = 100, "Uwierzytelnianie w toku"
    SUCCESS = 200, "Uwierzytelnianie zakończone sukcesem"
    NO_PERMISSIONS = 415, "Uwierzytelnianie zakończone niepowodzeniem"  # no permission in this context
    REVOKED = 425, "Uwierzytelnienie unieważnione"
    BAD_TOKEN = 450, "Uwierzytelnianie zakończone niepowodzeniem z powodu błędnego tokenu"
    BAD_CERTIFICATE = 460, "Uwierzytelnianie zakończone niepowodzeniem z powodu błędu certyfikatu"
    PERSON_DECEASED = 470, "Uwierzytelnianie zakończone niepowodzeniem"  # credentials of a deceased person
    BLOCKED = 480, "Uwierzytelnianie zablokowane"  # suspected security incident: only the Ministry can help
    UNKNOWN_ERROR = 500, "Nieznany błąd"
    CANCELLED = 550, "Operacja została anulowana przez system"  # try again

    @classmethod
    def is_final(cls, code):
        """Whether a login with this status will not change any more."""
        return code == cls.SUCCESS or code >= FIRST_FAILURE


class SessionStatus(Code):
    """Status of a session (GET /sessions/{referenceNumber}), interactive and batch."""

    OPEN = 100, "Sesja otwarta"
    PROCESSING = 150, "Trwa przetwarzanie"
    CLOSED = 170, "Sesja interaktywna zamknięta"  # closed, invoices or the collective UPO still being processed
    PROCESSED = 200, "Sesja przetworzona pomyślnie"  # says nothing about each single invoice
    BAD_PACKAGE = 405, "Błąd weryfikacji poprawności dostarczonych elementów paczki"
    BAD_KEY = 415, "Błąd odszyfrowania dostarczonego klucza"
    INVOICE_LIMIT = 420, "Przekroczony limit faktur w sesji"
    BAD_ARCHIVE = 430, "Błąd dekompresji pierwotnego archiwum"
    BAD_PART = 435, "Błąd odszyfrowania zaszyfrowanych części archiwum"
    CANCELLED = 440, "Sesja anulowana"  # nothing was sent, or not in time
    NO_VALID_INVOICE = 445, "Błąd weryfikacji, brak poprawnych faktur"
    UNKNOWN_ERROR = 500, "Nieznany błąd"

    @classmethod
    def is_final(cls, code):
        """Whether a session with this status will not change any more."""
        return code == cls.PROCESSED or code >= FIRST_FAILURE


class EnrollmentStatus(Code):
    """Status of a request for a certificate (GET /certificates/enrollments/{referenceNumber})."""

    ACCEPTED = 100, "Wniosek przyjęty do realizacji"
    ISSUED = 200, "Wniosek obsłużony (certyfikat wygenerowany)"
    REJECTED = 400, "Wniosek odrzucony"  # the key is certified for somebody else, or the limit is reached: see details
    UNKNOWN_ERROR = 500, "Nieznany błąd"
    CANCELLED = 550, "Operacja została anulowana przez system"


class PermissionStatus(Code):
    """Status of granting or revoking a permission (GET /permissions/operations/{referenceNumber})."""

    IN_PROGRESS = 100, "Operacja przyjęta do realizacji"
    DONE = 200, "Operacja zakończona sukcesem"
    FAILED = 400, "Operacja zakończona niepowodzeniem"
    IDENTIFIERS_CONFLICT = 410, "Podane identyfikatory są niezgodne lub pozostają w niewłaściwej relacji"
    NO_RIGHT = 420, "Użyte poświadczenia nie mają uprawnień do wykonania tej operacji"
    WRONG_CONTEXT_ROLE = 430, "Kontekst identyfikatora nie odpowiada wymaganej roli lub uprawnieniom"
    RELATION_FORBIDDEN = 440, "Operacja niedozwolona dla wskazanych powiązań identyfikatorów"
    IDENTIFIER_FORBIDDEN = 450, "Operacja niedozwolona dla wskazanego identyfikatora lub jego typu"
    UNKNOWN_ERROR = 500, "Nieznany błąd"
    CANCELLED = 550, "Operacja została anulowana przez system"


class ExportStatus(Code):
    """Status of an export of invoices (GET /invoices/exports/{referenceNumber})."""

    IN_PROGRESS = 100, "Eksport faktur w toku"
    DONE = 200, "Eksport faktur zakończony sukcesem"
    EXPIRED = 210, "Eksport faktur wygasł i nie jest już dostępny do pobrania"
    BAD_KEY = 415, "Błąd odszyfrowania dostarczonego klucza"
    RANGE_BEYOND_DATA = 420, "Zakres filtrowania wykracza poza dostępny zakres danych"
    UNKNOWN_ERROR = 500, "Nieznany błąd"
    CANCELLED = 550, "Operacja została anulowana przez system"


class InvoiceStatus(Code):
    """Status of one invoice (GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber})."""

    RECEIVED = 100, "Faktura przyjęta do dalszego przetwarzania"
    PROCESSING = 150, "Trwa przetwarzanie"
    ACCEPTED = 200, "Sukces"
    SESSION_ERROR = 405, "Przetwarzanie anulowane z powodu błędu sesji"
    WRONG_PERMISSIONS = 410, "Nieprawidłowy zakres uprawnień"
    ATTACHMENT_NOT_ALLOWED = 415, "Brak możliwości wysyłania faktury z załącznikiem"
    BAD_FILE = 430, "Błąd weryfikacji pliku faktury"
    BAD_ENCRYPTION = 435, "Błąd odszyfrowania pliku"
    DUPLICATE = 440, "Duplikat faktury"
    INVALID = 450, "Błąd weryfikacji semantyki dokumentu faktury"
    UNKNOWN_ERROR = 500, "Nieznany błąd"
    CANCELLED = 550, "Operacja została anulowana przez system"

    @classmethod
    def is_final(cls, code):
        """Whether an invoice with this status will not change any more (200, and everything from 400 on)."""
        return code == cls.ACCEPTED or code >= FIRST_FAILURE


FIRST_FAILURE = 400  # every status from here on is final; below it only 200 is


class Verdict(Enum):
    """What an invoice's status means for the one who sent it."""

    PENDING = "pending"  # ask again later
    ACCEPTED = "accepted"  # it has a KSeF number
    DUPLICATE = "duplicate"  # KSeF holds an invoice of this seller, kind and number: the same bytes, or others
    SESSION_FAULT = "session_fault"  # the session's or the system's fault: send the same bytes in another session
    REJECTED = "rejected"  # final: this invoice must be changed or a permission be given
    UNKNOWN = "unknown"  # final, but not to be taken for an answer about the invoice


_VERDICTS = {
    InvoiceStatus.ACCEPTED: Verdict.ACCEPTED,
    InvoiceStatus.DUPLICATE: Verdict.DUPLICATE,
    InvoiceStatus.SESSION_ERROR: Verdict.SESSION_FAULT,
    InvoiceStatus.BAD_FILE: Verdict.SESSION_FAULT,
    InvoiceStatus.BAD_ENCRYPTION: Verdict.SESSION_FAULT,
    InvoiceStatus.CANCELLED: Verdict.SESSION_FAULT,
    InvoiceStatus.WRONG_PERMISSIONS: Verdict.REJECTED,
    InvoiceStatus.ATTACHMENT_NOT_ALLOWED: Verdict.REJECTED,
    InvoiceStatus.INVALID: Verdict.REJECTED,
}


def classify_invoice_status(code):
    """Return the :class:`Verdict` for an invoice's status code; undocumented codes are pending or unknown."""
    return _VERDICTS.get(code) or (Verdict.UNKNOWN if code >= FIRST_FAILURE else Verdict.PENDING)


class KsefError(Exception):
    """Base of everything this library raises. ``str()`` is safe to log and to show: it holds no secret.

    :ivar operation: the call in OpenAPI form, such as ``POST /auth/challenge``, or ``''`` before any call
    :ivar http_status: HTTP status of the answer, or None when there was none
    :ivar code: first code that KSeF gave (see :class:`ApiCode`), or None
    :ivar codes: all codes that KSeF gave
    :ivar description: what happened; KSeF's own Polish words where it said something
    :ivar details: KSeF's further sentences
    :ivar reason_code: reason of a 403, such as ``missing-permissions``
    :ivar security: what a 403 adds to its reason, such as ``{'presentPermissions': ('InvoiceRead',)}``
    :ivar retry_after: seconds after which KSeF allows another attempt, or None
    :ivar trace_id: KSeF's identifier of this very answer, for a report to the Ministry
    """

    def __init__(
        self, description="", *, operation="", http_status=None, codes=(), details=(), reason_code=None,
        security=None, retry_after=None, trace_id=None,
    ):
        super().__init__(description)
        self.description = description
        self.operation = operation
        self.http_status = http_status
        self.codes = tuple(codes)
        self.details = tuple(details)
        self.reason_code = reason_code
        self.security = dict(security or {})
        self.retry_after = retry_after
        self.trace_id = trace_id

    @property
    def code(self):
        """First code that KSeF gave, or None."""
        return self.codes[0] if self.codes else None

    def __str__(self):
        where = [part for part in (self.operation, self.http_status and f"HTTP {self.http_status}") if part]
        what = " ".join(str(part) for part in (self.code, self.reason_code, self.description) if part)
        return ": ".join(part for part in (", ".join(where), what) if part) or type(self).__name__


class KsefConnectError(KsefError):
    """The call certainly never reached KSeF: name not found, refused, no answer to connecting, TLS, proxy."""


class KsefUnconfirmedError(KsefError):
    """The call may have been processed: no answer in time, connection broken after sending, unreadable answer."""


class KsefServerError(KsefUnconfirmedError):
    """HTTP 5xx, whatever its body."""


class KsefUnreadableError(KsefUnconfirmedError):
    """There is an answer, but not one of KSeF's: HTML, cut short, redirected, or with a needed field missing."""


class KsefRefusedError(KsefError):
    """HTTP 400: KSeF read the call and refused it. See ``code``."""


class KsefUnauthorizedError(KsefError):
    """HTTP 401: the token is not, or no longer, valid."""


class KsefForbiddenError(KsefError):
    """HTTP 403: not allowed. See ``reason_code`` and ``security``."""


class KsefGoneError(KsefError):
    """HTTP 410: KSeF no longer keeps the state of this operation."""


class KsefRateLimitError(KsefError):
    """HTTP 429: too many calls from this company and address. See ``retry_after``."""


class KsefProtocolError(KsefError):
    """Any other 4xx in one of KSeF's own formats: this library and KSeF do not agree about the protocol."""


class KsefLoginError(KsefError):
    """The login ended without success; ``status`` is its :class:`AuthStatus` code."""

    def __init__(self, description="", *, status=None, **attributes):
        super().__init__(description, **attributes)
        self.status = status

    @property
    def code(self):
        """The login's status code."""
        return self.status


class KsefConfigError(KsefError):
    """Bad input of our own side, found before anything was sent: environment, key, token, reference number."""


class KsefIntegrityError(KsefError):
    """Something that KSeF delivered does not have the hash or size that KSeF says it has."""
