"""The tables of the error coach: which answer, from which place, means which advice, and who acts.

A value is the key of an advice, or pairs of words that KSeF's text holds (in lower case) and a key; the last pair has
no words. Source: OpenAPI 2.9.0 (codes, statuses and their details), reference §3, §5 to §8 and §12.
"""

from enum import StrEnum

from .errors import (
    ApiCode,
    AuthStatus,
    EnrollmentStatus,
    ExportStatus,
    InvoiceStatus,
    PermissionStatus,
    SessionStatus,
)


class Where(StrEnum):
    """Where an answer came from."""

    LOGIN_TOKEN = "login_token"  # noqa: S105 - a place, no password
    LOGIN_CERTIFICATE = "login_certificate"  # the program signs
    LOGIN_SIGNED = "login_signed"  # a person signed a file
    SESSION = "session"
    SEND = "send"  # the call that sends an invoice
    INVOICE = "invoice"  # the status of an invoice
    RECEIVE = "receive"
    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105 - a place, no password
    PERMISSION = "permission"
    OTHER = "other"


class Who(StrEnum):
    """Who has to act."""

    NOBODY = "nobody"  # it mends itself
    YOU = "you"
    ADMINISTRATOR = "administrator"  # who runs this server
    GRANTOR = "grantor"  # who gives rights in KSeF for this company
    MINISTRY = "ministry"
    US = "us"  # whoever supports this program


class Action(StrEnum):
    """The one thing to click."""

    NONE = "none"
    RETRY = "retry"
    RECONNECT = "reconnect"
    NEW_XML = "new_xml"  # a new file to sign
    OPEN_LINK = "open_link"
    WAIT_UNTIL = "wait_until"


class Link(StrEnum):
    """A page of somebody else that helps."""

    PERMISSIONS = "permissions"  # these three: the taxpayer application of the environment
    TOKENS = "tokens"
    CERTIFICATES = "certificates"
    MINISTRY = "ministry"  # contact form
    TAX_OFFICE = "tax_office"  # e-Urząd Skarbowy
    STATUS = "status"  # is KSeF at work


LOGINS = (Where.LOGIN_TOKEN, Where.LOGIN_CERTIFICATE, Where.LOGIN_SIGNED)

# key -> (who, action, link)
REMEDIES = {
    # whatever was asked
    "done": (Who.NOBODY, Action.NONE, None),
    "in_progress": (Who.NOBODY, Action.NONE, None),
    "no_connection": (Who.ADMINISTRATOR, Action.RETRY, Link.STATUS),
    "no_answer": (Who.NOBODY, Action.RETRY, Link.STATUS),
    "service_down": (Who.MINISTRY, Action.RETRY, Link.STATUS),
    "unreadable_answer": (Who.ADMINISTRATOR, Action.RETRY, Link.STATUS),
    "damaged_download": (Who.US, Action.RETRY, None),
    "rate_limit": (Who.NOBODY, Action.WAIT_UNTIL, None),
    "unauthorized": (Who.NOBODY, Action.RETRY, None),
    "unauthorized_login": (Who.US, Action.RECONNECT, None),
    "gone": (Who.NOBODY, Action.RETRY, None),
    "protocol": (Who.US, Action.NONE, None),
    "unreadable_content": (Who.US, Action.NONE, None),
    "input_invalid": (Who.US, Action.NONE, None),
    "list_changed": (Who.NOBODY, Action.RETRY, None),
    "own_input": (Who.YOU, Action.NONE, None),
    "key_unknown": (Who.NOBODY, Action.RETRY, None),
    "ksef_internal": (Who.MINISTRY, Action.RETRY, Link.STATUS),
    "cancelled": (Who.NOBODY, Action.RETRY, None),
    "unknown_refusal": (Who.US, Action.NONE, None),
    "unknown_failure": (Who.US, Action.NONE, None),
    "forbidden_send": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "forbidden_receive": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "forbidden_manage": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "forbidden_missing": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "forbidden_ip": (Who.ADMINISTRATOR, Action.RECONNECT, None),
    "forbidden_resource": (Who.YOU, Action.NONE, None),
    "forbidden_method": (Who.YOU, Action.RECONNECT, None),
    "forbidden_blocked": (Who.MINISTRY, Action.OPEN_LINK, Link.MINISTRY),
    "forbidden_context": (Who.YOU, Action.RECONNECT, None),
    "forbidden": (Who.GRANTOR, Action.NONE, None),
    # logging in
    "login_in_progress": (Who.NOBODY, Action.NONE, None),
    "login_no_permissions": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "login_token_no_permissions": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "login_revoked": (Who.YOU, Action.RECONNECT, None),
    "token_wrong": (Who.YOU, Action.RECONNECT, Link.TOKENS),
    "token_revoked": (Who.YOU, Action.RECONNECT, Link.TOKENS),
    "token_inactive": (Who.YOU, Action.RETRY, Link.TOKENS),
    "token_other_company": (Who.YOU, Action.RECONNECT, Link.TOKENS),
    "token_clock": (Who.ADMINISTRATOR, Action.RETRY, None),
    "token_encryption": (Who.NOBODY, Action.RETRY, None),
    "token_refused": (Who.YOU, Action.RECONNECT, Link.TOKENS),
    "challenge_again": (Who.NOBODY, Action.RETRY, None),
    "challenge_used": (Who.YOU, Action.NEW_XML, None),
    "signature_missing": (Who.YOU, Action.NEW_XML, None),
    "signatures_several": (Who.YOU, Action.NEW_XML, None),
    "signature_bad": (Who.YOU, Action.NEW_XML, None),
    "signature_profile": (Who.YOU, Action.NEW_XML, None),
    "signature_algorithm": (Who.YOU, Action.NEW_XML, None),
    "signed_file_unreadable": (Who.YOU, Action.NEW_XML, None),
    "signature_conflict": (Who.YOU, Action.NEW_XML, None),
    "own_signature": (Who.US, Action.NONE, None),
    "certificate_refused": (Who.YOU, Action.RECONNECT, Link.CERTIFICATES),
    "signer_refused": (Who.YOU, Action.NEW_XML, None),
    "subject_context": (Who.YOU, Action.RECONNECT, None),
    "certificate_expired": (Who.YOU, Action.RECONNECT, Link.CERTIFICATES),
    "certificate_revoked": (Who.YOU, Action.RECONNECT, Link.CERTIFICATES),
    "certificate_suspended": (Who.YOU, Action.RECONNECT, Link.CERTIFICATES),
    "certificate_untrusted": (Who.YOU, Action.RECONNECT, Link.CERTIFICATES),
    "certificate_chain": (Who.YOU, Action.RETRY, Link.CERTIFICATES),
    "certificate_bad": (Who.YOU, Action.RECONNECT, Link.CERTIFICATES),
    "deceased": (Who.GRANTOR, Action.NONE, None),
    "login_blocked": (Who.MINISTRY, Action.OPEN_LINK, Link.MINISTRY),
    "not_authorised": (Who.YOU, Action.RECONNECT, None),
    "no_login": (Who.NOBODY, Action.RETRY, None),
    # sessions, invoices, receiving
    "session_not_found": (Who.NOBODY, Action.RETRY, None),
    "session_status": (Who.NOBODY, Action.RETRY, None),
    "session_full": (Who.NOBODY, Action.RETRY, None),
    "session_unavailable": (Who.NOBODY, Action.RETRY, Link.STATUS),
    "session_key": (Who.NOBODY, Action.RETRY, None),
    "session_no_valid": (Who.YOU, Action.NONE, None),
    "session_empty": (Who.NOBODY, Action.NONE, None),
    "session_late": (Who.NOBODY, Action.RETRY, None),
    "session_limit": (Who.NOBODY, Action.RETRY, None),
    "batch_damaged": (Who.US, Action.RETRY, None),
    "batch_parts": (Who.US, Action.NONE, None),
    "file_differs": (Who.US, Action.NONE, None),
    "correction_exists": (Who.YOU, Action.NONE, None),
    "correction_not_allowed": (Who.YOU, Action.NONE, None),
    "invoice_session_error": (Who.NOBODY, Action.RETRY, None),
    "invoice_permissions": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "invoice_attachment": (Who.YOU, Action.OPEN_LINK, Link.TAX_OFFICE),
    "invoice_file": (Who.NOBODY, Action.RETRY, None),
    "invoice_encryption": (Who.NOBODY, Action.RETRY, None),
    "invoice_duplicate": (Who.YOU, Action.NONE, None),
    "invoice_invalid": (Who.YOU, Action.NONE, None),
    "invoice_future": (Who.YOU, Action.NONE, None),
    "invoice_bad_nip": (Who.YOU, Action.NONE, None),
    "invoice_not_found": (Who.YOU, Action.NONE, None),
    "invoice_not_yet": (Who.NOBODY, Action.RETRY, None),
    "upo_not_found": (Who.NOBODY, Action.RETRY, None),
    "export_not_found": (Who.NOBODY, Action.RETRY, None),
    "export_refused": (Who.YOU, Action.NONE, None),
    "exports_many": (Who.NOBODY, Action.NONE, None),
    "export_expired": (Who.NOBODY, Action.RETRY, None),
    "range_beyond": (Who.NOBODY, Action.RETRY, None),
    "collective_not_found": (Who.YOU, Action.NONE, None),
    "collective_limit": (Who.YOU, Action.NONE, None),
    "collective_sellers": (Who.YOU, Action.NONE, None),
    "collective_repeated": (Who.YOU, Action.NONE, None),
    # certificates, tokens, permissions
    "certificate_login_needed": (Who.YOU, Action.RECONNECT, None),
    "csr_mismatch": (Who.NOBODY, Action.RETRY, None),
    "csr_refused": (Who.US, Action.NONE, None),
    "enrollment_not_found": (Who.NOBODY, Action.RETRY, None),
    "enrollment_limit": (Who.ADMINISTRATOR, Action.NONE, Link.CERTIFICATES),
    "certificate_limit": (Who.ADMINISTRATOR, Action.NONE, Link.CERTIFICATES),
    "enrollment_foreign_key": (Who.NOBODY, Action.RETRY, None),
    "enrollment_rejected": (Who.YOU, Action.RETRY, Link.CERTIFICATES),
    "certificate_not_found": (Who.YOU, Action.NONE, Link.CERTIFICATES),
    "certificate_not_revocable": (Who.NOBODY, Action.NONE, None),
    "token_exceeds": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "token_context": (Who.YOU, Action.NONE, None),
    "permission_failed": (Who.YOU, Action.NONE, None),
    "permission_identifiers": (Who.YOU, Action.NONE, None),
    "permission_no_right": (Who.GRANTOR, Action.OPEN_LINK, Link.PERMISSIONS),
    "permission_role": (Who.YOU, Action.NONE, None),
    "permission_relation": (Who.YOU, Action.NONE, None),
    "permission_identifier": (Who.YOU, Action.NONE, None),
}

# HTTP 400, everywhere
REFUSALS = {
    ApiCode.INVALID_DOCUMENT: "signed_file_unreadable",
    ApiCode.SIGNATURE_MISSING: "signature_missing",
    ApiCode.TOO_MANY_SIGNATURES: "signatures_several",
    ApiCode.INVALID_SIGNATURE: (
        ("profil", "signature_profile"), ("algorytm", "signature_algorithm"), ("klucz rsa", "signature_algorithm"),
        ("klucz ec", "signature_algorithm"), ("", "signature_bad")),
    ApiCode.UNREADABLE_CONTENT: "unreadable_content",
    ApiCode.BAD_CHALLENGE: "challenge_again",
    ApiCode.BAD_CERTIFICATE: "certificate_refused",
    ApiCode.BAD_SUBJECT_FOR_CONTEXT: "subject_context",
    ApiCode.SESSION_INVOICE_LIMIT: "session_full",
    ApiCode.BAD_PART_SIZE: "batch_parts",
    ApiCode.TOO_MANY_PARTS: "batch_parts",
    ApiCode.INVOICE_NOT_FOUND: "invoice_not_found",
    ApiCode.INVOICE_NOT_YET_AVAILABLE: "invoice_not_yet",
    ApiCode.TECHNICAL_CORRECTION_EXISTS: "correction_exists",
    ApiCode.TECHNICAL_CORRECTION_NOT_ALLOWED: "correction_not_allowed",
    ApiCode.SESSION_NOT_FOUND: "session_not_found",
    ApiCode.EXPORT_NOT_FOUND: "export_not_found",
    ApiCode.UPO_NOT_FOUND: "upo_not_found",
    ApiCode.SESSION_STATUS_FORBIDS: "session_status",
    ApiCode.BAD_EXPORT_REQUEST: "export_refused",
    ApiCode.TOO_MANY_EXPORTS: "exports_many",
    ApiCode.RANGE_BEYOND_DATA: "range_beyond",
    ApiCode.SESSION_UNAVAILABLE: "session_unavailable",
    ApiCode.PACKAGE_EMPTY: "batch_damaged",
    ApiCode.UPLOAD_TIME_EXCEEDED: "session_late",
    ApiCode.BAD_CHARACTER_ENCODING: "signed_file_unreadable",
    ApiCode.NOT_AUTHORISED: (("token ksef", "token_revoked"), ("", "not_authorised")),
    ApiCode.NO_LOGIN: "no_login",
    ApiCode.PERSON_DECEASED: "deceased",
    ApiCode.NOT_SCHEMA_VALID: "signed_file_unreadable",
    ApiCode.BAD_FILE_SIZE: "file_differs",
    ApiCode.BAD_FILE_HASH: "file_differs",
    ApiCode.INPUT_INVALID: "input_invalid",
    ApiCode.SIGNATURE_CONFLICT: "signature_conflict",
    ApiCode.BAD_CONTINUATION_TOKEN: "list_changed",
    ApiCode.PUBLIC_KEY_UNKNOWN: "key_unknown",
    ApiCode.NO_CSR_DATA: "certificate_login_needed",
    ApiCode.CANNOT_ENROLL: "certificate_login_needed",
    ApiCode.CSR_MISMATCH: "csr_mismatch",
    ApiCode.BAD_CSR: "csr_refused",
    ApiCode.ENROLLMENT_NOT_FOUND: "enrollment_not_found",
    ApiCode.ENROLLMENT_LIMIT: "enrollment_limit",
    ApiCode.CERTIFICATE_LIMIT: "certificate_limit",
    ApiCode.CERTIFICATE_NOT_FOUND: "certificate_not_found",
    ApiCode.CERTIFICATE_NOT_REVOCABLE: "certificate_not_revocable",
    ApiCode.BAD_KEY_TYPE: "csr_refused",
    ApiCode.BAD_CSR_ALGORITHM: "csr_refused",
    ApiCode.TOKEN_PERMISSIONS_EXCEEDED: "token_exceeds",
    ApiCode.TOKEN_CONTEXT_FORBIDDEN: "token_context",
    ApiCode.COLLECTIVE_INVOICE_NOT_FOUND: "collective_not_found",
    ApiCode.COLLECTIVE_LIMIT: "collective_limit",
    ApiCode.COLLECTIVE_DIFFERENT_SELLERS: "collective_sellers",
    ApiCode.COLLECTIVE_REPEATED_NUMBER: "collective_repeated",
}

# HTTP 400, where the same code means something else
REFUSALS_BY_PLACE = {
    Where.LOGIN_SIGNED: {
        ApiCode.BAD_CHALLENGE: "challenge_used",
        ApiCode.BAD_CERTIFICATE: "signer_refused",
        ApiCode.UNREADABLE_CONTENT: "signed_file_unreadable",
    },
    # what the program itself signed
    Where.LOGIN_CERTIFICATE: dict.fromkeys((
        ApiCode.INVALID_DOCUMENT, ApiCode.SIGNATURE_MISSING, ApiCode.TOO_MANY_SIGNATURES, ApiCode.INVALID_SIGNATURE,
        ApiCode.BAD_CHARACTER_ENCODING, ApiCode.NOT_SCHEMA_VALID, ApiCode.SIGNATURE_CONFLICT), "own_signature"),
}

_LOGIN_STATUSES = {
    AuthStatus.IN_PROGRESS: "login_in_progress",
    AuthStatus.SUCCESS: "done",
    AuthStatus.NO_PERMISSIONS: "login_no_permissions",
    AuthStatus.REVOKED: "login_revoked",
    AuthStatus.BAD_TOKEN: (
        ("wyzwanie", "challenge_again"), ("czas tokena", "token_clock"), ("unieważniony", "token_revoked"),
        ("nieaktywny", "token_inactive"), ("szyfrowanie", "token_encryption"), ("kodowanie", "token_encryption"),
        ("kontekście", "token_other_company"), ("nieprawidłowy token", "token_wrong"), ("", "token_refused")),
    AuthStatus.BAD_CERTIFICATE: (
        ("nieważny", "certificate_expired"), ("niezaufany", "certificate_untrusted"), ("łańcucha", "certificate_chain"),
        ("odwołany", "certificate_revoked"), ("zawieszony", "certificate_suspended"), ("", "certificate_bad")),
    AuthStatus.PERSON_DECEASED: "deceased",
    AuthStatus.BLOCKED: "login_blocked",
    AuthStatus.UNKNOWN_ERROR: "ksef_internal",
    AuthStatus.CANCELLED: "cancelled",
}

_INVOICE_STATUSES = {
    InvoiceStatus.RECEIVED: "in_progress",
    InvoiceStatus.PROCESSING: "in_progress",
    InvoiceStatus.ACCEPTED: "done",
    InvoiceStatus.SESSION_ERROR: "invoice_session_error",
    InvoiceStatus.WRONG_PERMISSIONS: "invoice_permissions",
    InvoiceStatus.ATTACHMENT_NOT_ALLOWED: "invoice_attachment",
    InvoiceStatus.BAD_FILE: "invoice_file",
    InvoiceStatus.BAD_ENCRYPTION: "invoice_encryption",
    InvoiceStatus.DUPLICATE: "invoice_duplicate",
    InvoiceStatus.INVALID: (
        ("z przyszłości", "invoice_future"), ("w przyszłości", "invoice_future"), ("późniejsza niż data przyjęcia", "invoice_future"),
        ("suma kontrolna numeru nip", "invoice_bad_nip"), ("nieprawidłowy nip", "invoice_bad_nip"), ("", "invoice_invalid")),
    InvoiceStatus.UNKNOWN_ERROR: "ksef_internal",
    InvoiceStatus.CANCELLED: "cancelled",
}

# the statuses of each place: {status: key}
STATUSES = {
    Where.LOGIN_TOKEN: _LOGIN_STATUSES | {AuthStatus.NO_PERMISSIONS: "login_token_no_permissions"},
    Where.LOGIN_CERTIFICATE: _LOGIN_STATUSES,
    Where.LOGIN_SIGNED: _LOGIN_STATUSES,
    Where.SESSION: {
        SessionStatus.OPEN: "in_progress",
        SessionStatus.PROCESSING: "in_progress",
        SessionStatus.CLOSED: "in_progress",
        SessionStatus.PROCESSED: "done",
        SessionStatus.BAD_PACKAGE: "batch_damaged",
        SessionStatus.BAD_KEY: "session_key",
        SessionStatus.INVOICE_LIMIT: "session_limit",
        SessionStatus.BAD_ARCHIVE: "batch_damaged",
        SessionStatus.BAD_PART: "batch_damaged",
        SessionStatus.CANCELLED: (("czas", "session_late"), ("", "session_empty")),
        SessionStatus.NO_VALID_INVOICE: "session_no_valid",
        SessionStatus.UNKNOWN_ERROR: "ksef_internal",
    },
    Where.SEND: _INVOICE_STATUSES,
    Where.INVOICE: _INVOICE_STATUSES,
    Where.RECEIVE: {
        ExportStatus.IN_PROGRESS: "in_progress",
        ExportStatus.DONE: "done",
        ExportStatus.EXPIRED: "export_expired",
        ExportStatus.BAD_KEY: "session_key",
        ExportStatus.RANGE_BEYOND_DATA: "range_beyond",
        ExportStatus.UNKNOWN_ERROR: "ksef_internal",
        ExportStatus.CANCELLED: "cancelled",
    },
    Where.CERTIFICATE: {
        EnrollmentStatus.ACCEPTED: "in_progress",
        EnrollmentStatus.ISSUED: "done",
        EnrollmentStatus.REJECTED: (
            ("inny podmiot", "enrollment_foreign_key"), ("limit", "certificate_limit"), ("", "enrollment_rejected")),
        EnrollmentStatus.UNKNOWN_ERROR: "ksef_internal",
        EnrollmentStatus.CANCELLED: "cancelled",
    },
    Where.PERMISSION: {
        PermissionStatus.IN_PROGRESS: "in_progress",
        PermissionStatus.DONE: "done",
        PermissionStatus.FAILED: "permission_failed",
        PermissionStatus.IDENTIFIERS_CONFLICT: "permission_identifiers",
        PermissionStatus.NO_RIGHT: "permission_no_right",
        PermissionStatus.WRONG_CONTEXT_ROLE: "permission_role",
        PermissionStatus.RELATION_FORBIDDEN: "permission_relation",
        PermissionStatus.IDENTIFIER_FORBIDDEN: "permission_identifier",
        PermissionStatus.UNKNOWN_ERROR: "ksef_internal",
        PermissionStatus.CANCELLED: "cancelled",
    },
}

# reasonCode of HTTP 403
FORBIDDEN = {
    "missing-permissions": "forbidden_missing",
    "ip-not-allowed": "forbidden_ip",
    "insufficient-resource-access": "forbidden_resource",
    "auth-method-not-allowed": "forbidden_method",
    "security-service-blocked": "forbidden_blocked",
    "context-type-not-allowed": "forbidden_context",
}
# one of the permissions that would do, in this order
MISSING_RIGHTS = (
    ("InvoiceWrite", "forbidden_send"), ("InvoiceRead", "forbidden_receive"), ("CredentialsManage", "forbidden_manage"),
    ("CredentialsRead", "forbidden_manage"))
# when KSeF does not say which
MISSING_RIGHTS_BY_PLACE = {
    Where.SESSION: "forbidden_send", Where.SEND: "forbidden_send", Where.INVOICE: "forbidden_send",
    Where.RECEIVE: "forbidden_receive", Where.TOKEN: "forbidden_manage", Where.PERMISSION: "forbidden_manage",
}

# an HTTP status of which nothing else was kept
HTTP = {401: "unauthorized", 403: "forbidden", 404: "protocol", 410: "gone", 415: "protocol", 429: "rate_limit"}
