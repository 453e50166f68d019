"""The operations of KSeF 2.0 that the client uses, as data (source: OpenAPI 2.9.0)."""

from dataclasses import dataclass
from enum import Enum

from .errors import KsefConfigError
from .number import is_reference


class Bearer(Enum):
    """Which of KSeF's three tokens an operation takes."""

    NONE = "none"
    AUTHENTICATION = "authentication"  # from the start of a login
    ACCESS = "access"
    REFRESH = "refresh"


class Yields(Enum):
    """What the body of a successful answer is."""

    JSON = "json"
    XML = "xml"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Operation:
    """One operation of the contract.

    :ivar repeatable: whether it may be sent again when its answer was lost. Where this is False, look up what
        happened (by hash, reference or status) before sending it again.
    """

    method: str
    path: str
    bearer: Bearer
    repeatable: bool
    yields: Yields = Yields.JSON

    @property
    def name(self):
        """``METHOD /path`` as in the contract: what logs and errors show."""
        return f"{self.method} {self.path}"

    def url_path(self, **parameters):
        """Return the path with its parameters filled in.

        :raise KsefConfigError: a parameter could change the path's meaning, or is empty
        """
        for name, value in parameters.items():
            if not is_reference(value):
                raise KsefConfigError(f"This is no usable value for {name}.", operation=self.name)
        return self.path.format_map(parameters)


CHALLENGE = Operation("POST", "/auth/challenge", Bearer.NONE, True)
TOKEN_LOGIN = Operation("POST", "/auth/ksef-token", Bearer.NONE, False)
SIGNED_LOGIN = Operation("POST", "/auth/xades-signature", Bearer.NONE, False)  # a challenge serves once
LOGIN_STATUS = Operation("GET", "/auth/{referenceNumber}", Bearer.AUTHENTICATION, True)
REDEEM = Operation("POST", "/auth/token/redeem", Bearer.AUTHENTICATION, False)  # serves exactly once
REFRESH = Operation("POST", "/auth/token/refresh", Bearer.REFRESH, True)
END_LOGIN = Operation("DELETE", "/auth/sessions/current", Bearer.REFRESH, True, Yields.NOTHING)

PUBLIC_KEYS = Operation("GET", "/security/public-key-certificates", Bearer.NONE, True)

LOGINS = Operation("GET", "/auth/sessions", Bearer.ACCESS, True)
TERMINATE_LOGIN = Operation("DELETE", "/auth/sessions/{referenceNumber}", Bearer.ACCESS, True, Yields.NOTHING)

GENERATE_TOKEN = Operation("POST", "/tokens", Bearer.ACCESS, False)  # found again by its description, but without its text
TOKENS = Operation("GET", "/tokens", Bearer.ACCESS, True)
TOKEN_STATUS = Operation("GET", "/tokens/{referenceNumber}", Bearer.ACCESS, True)
REVOKE_TOKEN = Operation("DELETE", "/tokens/{referenceNumber}", Bearer.ACCESS, True, Yields.NOTHING)

CERTIFICATE_LIMITS = Operation("GET", "/certificates/limits", Bearer.ACCESS, True)
ENROLLMENT_DATA = Operation("GET", "/certificates/enrollments/data", Bearer.ACCESS, True)
ENROLL = Operation("POST", "/certificates/enrollments", Bearer.ACCESS, False)  # each request counts against the limit
ENROLLMENT_STATUS = Operation("GET", "/certificates/enrollments/{referenceNumber}", Bearer.ACCESS, True)
RETRIEVE_CERTIFICATES = Operation("POST", "/certificates/retrieve", Bearer.ACCESS, True)
CERTIFICATES = Operation("POST", "/certificates/query", Bearer.ACCESS, True)
REVOKE_CERTIFICATE = Operation(
    "POST", "/certificates/{certificateSerialNumber}/revoke", Bearer.ACCESS, True, Yields.NOTHING)

PERSONAL_PERMISSIONS = Operation("POST", "/permissions/query/personal/grants", Bearer.ACCESS, True)
PERSON_PERMISSIONS = Operation("POST", "/permissions/query/persons/grants", Bearer.ACCESS, True)
ENTITY_PERMISSIONS = Operation("POST", "/permissions/query/entities/grants", Bearer.ACCESS, True)
AUTHORIZATIONS = Operation("POST", "/permissions/query/authorizations/grants", Bearer.ACCESS, True)
ENTITY_ROLES = Operation("GET", "/permissions/query/entities/roles", Bearer.ACCESS, True)
GRANT_PERSON = Operation("POST", "/permissions/persons/grants", Bearer.ACCESS, False)
GRANT_ENTITY = Operation("POST", "/permissions/entities/grants", Bearer.ACCESS, False)
REVOKE_PERMISSION = Operation("DELETE", "/permissions/common/grants/{permissionId}", Bearer.ACCESS, True)
REVOKE_AUTHORIZATION = Operation("DELETE", "/permissions/authorizations/grants/{permissionId}", Bearer.ACCESS, True)
PERMISSION_OPERATION = Operation("GET", "/permissions/operations/{referenceNumber}", Bearer.ACCESS, True)
ATTACHMENT_PERMISSION = Operation("GET", "/permissions/attachments/status", Bearer.ACCESS, True)

CONTEXT_LIMITS = Operation("GET", "/limits/context", Bearer.ACCESS, True)
SUBJECT_LIMITS = Operation("GET", "/limits/subject", Bearer.ACCESS, True)
RATE_LIMITS = Operation("GET", "/rate-limits", Bearer.ACCESS, True)

# Each call makes another identifier; an unanswered one is found by its invoices.
GENERATE_COLLECTIVE = Operation("POST", "/collective-identifiers", Bearer.ACCESS, False)
COLLECTIVES = Operation("POST", "/collective-identifiers/query", Bearer.ACCESS, True)
COLLECTIVE_INVOICES = Operation("POST", "/collective-identifiers/invoices", Bearer.ACCESS, True)
COLLECTIVES_OF = Operation("GET", "/collective-identifiers/ksef/{ksefNumber}", Bearer.ACCESS, True)

OPEN_ONLINE = Operation("POST", "/sessions/online", Bearer.ACCESS, False)
SEND_INVOICE = Operation("POST", "/sessions/online/{referenceNumber}/invoices", Bearer.ACCESS, False)
CLOSE_ONLINE = Operation("POST", "/sessions/online/{referenceNumber}/close", Bearer.ACCESS, False, Yields.NOTHING)

OPEN_BATCH = Operation("POST", "/sessions/batch", Bearer.ACCESS, False)
CLOSE_BATCH = Operation("POST", "/sessions/batch/{referenceNumber}/close", Bearer.ACCESS, False, Yields.NOTHING)

SESSION = Operation("GET", "/sessions/{referenceNumber}", Bearer.ACCESS, True)
SESSION_INVOICES = Operation("GET", "/sessions/{referenceNumber}/invoices", Bearer.ACCESS, True)
FAILED_INVOICES = Operation("GET", "/sessions/{referenceNumber}/invoices/failed", Bearer.ACCESS, True)
INVOICE = Operation(
    "GET", "/sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}", Bearer.ACCESS, True)
UPO_BY_REFERENCE = Operation(
    "GET", "/sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo", Bearer.ACCESS, True, Yields.XML)
UPO_BY_NUMBER = Operation(
    "GET", "/sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo", Bearer.ACCESS, True, Yields.XML)
SESSION_UPO = Operation(
    "GET", "/sessions/{referenceNumber}/upo/{upoReferenceNumber}", Bearer.ACCESS, True, Yields.XML)

INVOICE_BY_NUMBER = Operation("GET", "/invoices/ksef/{ksefNumber}", Bearer.ACCESS, True, Yields.XML)
QUERY_METADATA = Operation("POST", "/invoices/query/metadata", Bearer.ACCESS, True)
START_EXPORT = Operation("POST", "/invoices/exports", Bearer.ACCESS, False)
EXPORT_STATUS = Operation("GET", "/invoices/exports/{referenceNumber}", Bearer.ACCESS, True)

OPERATIONS = tuple(value for value in vars().values() if isinstance(value, Operation))
