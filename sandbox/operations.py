"""All 83 operations of the contract, as data: path, rights, limits, shapes and the method that does the work."""

from . import models as m
from . import models_permissions as mp
from .routing import Operation
from .shapes import Boolean, Instant, Integer, Many, Text, choice

LOGIN, ACCESS, REFRESH = "AuthenticationToken", "ContextToken", "RefreshToken"

_SEND = ("InvoiceWrite", "PefInvoiceWrite", "EnforcementOperations")
_BATCH = ("InvoiceWrite", "EnforcementOperations")
_SESSION = ("InvoiceWrite", "Introspection", "PefInvoiceWrite", "EnforcementOperations")
_READ = ("InvoiceRead",)
_MANAGE = ("CredentialsManage",)
_CREDENTIALS = ("CredentialsManage", "CredentialsRead")
_SUBUNITS = (*_CREDENTIALS, "SubunitManage")
_COLLECTIVE = ("InvoiceRead", "InvoiceWrite", "CollectiveIdentifierManage")
_PAGED = {"pageOffset": Integer(0), "pageSize": Integer(10, 100)}
_INSTANT = Instant()


def _size(maximum):
    return {"pageSize": Integer(10, maximum)}


def _op(method, path, handler, success=200, **options):
    return Operation(method, path, handler, success, **options)


def _anonymous(method, path, handler, success=200, **options):
    return Operation(method, path, handler, success, auth=None, group=options.pop("group", "anonymous"), **options)


AUTHENTICATION = [
    _op("GET", "/auth/sessions", "auth_sessions.list", query=_size(100)),
    _op("DELETE", "/auth/sessions/current", "auth_sessions.revoke_current", 204, auth=(ACCESS, REFRESH)),
    _op("DELETE", "/auth/sessions/{referenceNumber}", "auth_sessions.revoke", 204),
    _anonymous("POST", "/auth/challenge", "auth.challenge"),
    _anonymous("POST", "/auth/xades-signature", "auth_xades.start", 202, content="xml",
               query={"verifyCertificateChain": Boolean()}),
    _anonymous("POST", "/auth/ksef-token", "auth.start_token", 202, body=m.InitTokenAuthenticationRequest),
    _op("GET", "/auth/{referenceNumber}", "auth.status", auth=(LOGIN,), group="anonymous"),
    _op("POST", "/auth/token/redeem", "auth.redeem", auth=(LOGIN,), group="anonymous"),
    _op("POST", "/auth/token/refresh", "auth.refresh", auth=(REFRESH,), group="anonymous"),
    _anonymous("GET", "/security/public-key-certificates", "keys.list"),
    _anonymous("GET", "/peppol/query", "testdata.peppol", query=_PAGED),
]

TOKENS = [
    _op("POST", "/tokens", "tokens.generate", 202, body=m.GenerateTokenRequest),
    _op("GET", "/tokens", "tokens.list", query={
        **_size(100), "status": Many(choice("Pending", "Active", "Revoking", "Revoked", "Failed")),
        "description": Text(3), "authorIdentifier": Text(3),
        "authorIdentifierType": choice("Nip", "Pesel", "Fingerprint")}),
    _op("GET", "/tokens/{referenceNumber}", "tokens.get"),
    _op("DELETE", "/tokens/{referenceNumber}", "tokens.revoke", 204),
]

SESSIONS = [
    _op("POST", "/sessions/online", "sessions.open_online", 201, permissions=_SEND, group="onlineSession",
        body=m.OpenOnlineSessionRequest),
    _op("POST", "/sessions/online/{referenceNumber}/invoices", "sending.send", 202, permissions=_SEND,
        group="invoiceSend", body=m.SendInvoiceRequest, limit=20_000_000),
    _op("POST", "/sessions/online/{referenceNumber}/close", "sessions.close_online", 204, permissions=_SEND,
        group="onlineSessionClose"),
    _op("POST", "/sessions/batch", "batch.open", 201, permissions=_BATCH, group="batchSession",
        body=m.OpenBatchSessionRequest),
    _op("POST", "/sessions/batch/{referenceNumber}/close", "batch.close", 204, permissions=_BATCH,
        group="batchSessionClose"),
    _op("GET", "/sessions", "session_queries.list", permissions=("InvoiceWrite", "Introspection",
        "EnforcementOperations"), group="sessionList", query={
            **_size(1000), "sessionType": choice("Online", "Batch"), "referenceNumber": m.ReferenceNumber,
            "dateCreatedFrom": _INSTANT, "dateCreatedTo": _INSTANT, "dateClosedFrom": _INSTANT,
            "dateClosedTo": _INSTANT, "dateModifiedFrom": _INSTANT, "dateModifiedTo": _INSTANT,
            "statuses": Many(choice("InProgress", "Succeeded", "Failed", "Cancelled"))}),
    _op("GET", "/sessions/{referenceNumber}", "session_queries.status", permissions=_SESSION, group="sessionMisc"),
    _op("GET", "/sessions/{referenceNumber}/invoices", "session_queries.invoices", permissions=_SESSION,
        group="sessionInvoiceList", query=_size(1000)),
    _op("GET", "/sessions/{referenceNumber}/invoices/failed", "session_queries.failed", permissions=_SESSION,
        group="sessionInvoiceList", query=_size(1000)),
    _op("GET", "/sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}", "session_queries.invoice",
        permissions=_SESSION, group="invoiceStatus"),
    _op("GET", "/sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo", "session_queries.upo_of_invoice",
        permissions=_SESSION, group="sessionMisc"),
    _op("GET", "/sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo", "session_queries.upo_of_number",
        permissions=_SESSION, group="sessionMisc"),
    _op("GET", "/sessions/{referenceNumber}/upo/{upoReferenceNumber}", "session_queries.upo_page",
        permissions=_SESSION, group="sessionMisc"),
]

INVOICES = [
    _op("GET", "/invoices/ksef/{ksefNumber}", "invoices.download", permissions=_READ, group="invoiceDownload"),
    _op("POST", "/invoices/query/metadata", "invoices.query", permissions=_READ, group="invoiceMetadata",
        body=m.InvoiceQueryFilters, query={"sortOrder": choice("Asc", "Desc"), "pageOffset": Integer(0),
                                           "pageSize": Integer(10, 250)}),
    _op("POST", "/invoices/exports", "exports.start", 201, permissions=_READ, group="invoiceExport",
        body=m.InvoiceExportRequest),
    _op("GET", "/invoices/exports/{referenceNumber}", "exports.status", permissions=_READ,
        group="invoiceExportStatus"),
    _op("POST", "/collective-identifiers", "collective.generate", 201, permissions=_COLLECTIVE,
        group="collectiveIdentifier", body=m.GenerateCollectiveIdentifierRequest),
    _op("POST", "/collective-identifiers/query", "collective.query", permissions=_COLLECTIVE,
        group="collectiveIdentifier", body=m.CollectiveIdentifiersQueryRequest, query=_size(200)),
    _op("POST", "/collective-identifiers/invoices", "collective.invoices", permissions=_COLLECTIVE,
        group="collectiveIdentifier", body=m.CollectiveIdentifierInvoicesQueryRequest, query=_size(500)),
    _op("GET", "/collective-identifiers/ksef/{ksefNumber}", "collective.by_invoice", permissions=_COLLECTIVE,
        group="collectiveIdentifier", query=_size(200)),
]

CERTIFICATES = [
    _op("GET", "/certificates/limits", "certificates.limits"),
    _op("GET", "/certificates/enrollments/data", "enrollment.data"),
    _op("POST", "/certificates/enrollments", "enrollment.enroll", 202, body=m.EnrollCertificateRequest),
    _op("GET", "/certificates/enrollments/{referenceNumber}", "enrollment.status"),
    _op("POST", "/certificates/retrieve", "certificates.retrieve", body=m.RetrieveCertificatesRequest),
    _op("POST", "/certificates/{certificateSerialNumber}/revoke", "certificates.revoke", 204,
        body=m.RevokeCertificateRequest),
    _op("POST", "/certificates/query", "certificates.query", body=m.QueryCertificatesRequest,
        query={"pageSize": Integer(10, 50), "pageOffset": Integer(0)}),
]

LIMITS = [
    _op("GET", "/limits/context", "limits.context"),
    _op("GET", "/limits/subject", "limits.subject"),
    _op("GET", "/rate-limits", "limits.rates"),
]

TESTDATA = [
    _op("PUT", "/testdata/certificates/{serialNumber}", "certificates.shorten", test_only=True,
        body=m.TestDataUpdateCertificateRequest),
    _anonymous("POST", "/testdata/subject", "testdata.create_subject", test_only=True, body=m.SubjectCreateRequest),
    _anonymous("POST", "/testdata/subject/remove", "testdata.remove_subject", test_only=True,
               body=m.SubjectRemoveRequest),
    _anonymous("POST", "/testdata/person", "testdata.create_person", test_only=True, body=m.PersonCreateRequest),
    _anonymous("POST", "/testdata/person/remove", "testdata.remove_person", test_only=True,
               body=m.PersonRemoveRequest),
    _anonymous("POST", "/testdata/permissions", "testdata.grant", test_only=True,
               body=m.TestDataPermissionsGrantRequest),
    _anonymous("POST", "/testdata/permissions/revoke", "testdata.revoke", test_only=True,
               body=m.TestDataPermissionsRevokeRequest),
    _anonymous("POST", "/testdata/attachment", "testdata.allow_attachments", test_only=True,
               body=m.AttachmentPermissionGrantRequest),
    _anonymous("POST", "/testdata/attachment/revoke", "testdata.forbid_attachments", test_only=True,
               body=m.AttachmentPermissionRevokeRequest),
    _anonymous("POST", "/testdata/context/block", "testdata.block", test_only=True, group="other",
               body=m.BlockContextAuthenticationRequest),
    _anonymous("POST", "/testdata/context/unblock", "testdata.unblock", test_only=True, group="other",
               body=m.UnblockContextAuthenticationRequest),
    _op("POST", "/testdata/limits/context/session", "limits.set_context", test_only=True,
        body=m.SetSessionLimitsRequest),
    _op("DELETE", "/testdata/limits/context/session", "limits.reset_context", test_only=True),
    _op("POST", "/testdata/limits/subject/certificate", "limits.set_subject", test_only=True,
        body=m.SetSubjectLimitsRequest),
    _op("DELETE", "/testdata/limits/subject/certificate", "limits.reset_subject", test_only=True),
    _op("POST", "/testdata/rate-limits", "limits.set_rates", test_only=True, body=m.SetRateLimitsRequest),
    _op("DELETE", "/testdata/rate-limits", "limits.reset_rates", test_only=True),
    _op("POST", "/testdata/rate-limits/production", "limits.production_rates", test_only=True),
]


def _grant(path, handler, body, permissions=_MANAGE):
    return _op("POST", f"/permissions/{path}/grants", f"grants.{handler}", 202, permissions=permissions, body=body)


def _query(path, handler, body, permissions):
    return _op("POST", f"/permissions/query/{path}", f"grant_queries.{handler}", permissions=permissions, body=body,
               query=_PAGED)


PERMISSIONS = [
    _grant("persons", "to_person", mp.PersonPermissionsGrantRequest),
    _grant("entities", "to_entity", mp.EntityPermissionsGrantRequest),
    _grant("authorizations", "authorization", mp.EntityAuthorizationPermissionsGrantRequest),
    _grant("indirect", "indirect", mp.IndirectPermissionsGrantRequest),
    _grant("subunits", "subunit", mp.SubunitPermissionsGrantRequest, ("SubunitManage",)),
    _grant("eu-entities/administration", "eu_administration", mp.EuEntityAdministrationPermissionsGrantRequest),
    _grant("eu-entities", "eu_entity", mp.EuEntityPermissionsGrantRequest, ("VatUeManage",)),
    _op("DELETE", "/permissions/common/grants/{permissionId}", "grants.revoke_common", 202,
        permissions=("CredentialsManage", "VatUeManage", "SubunitManage")),
    _op("DELETE", "/permissions/authorizations/grants/{permissionId}", "grants.revoke_authorization", 202,
        permissions=_MANAGE),
    _op("GET", "/permissions/operations/{referenceNumber}", "grants.operation"),
    _op("GET", "/permissions/attachments/status", "testdata.attachment_status", permissions=_CREDENTIALS),
    _query("personal/grants", "personal", mp.PersonalPermissionsQueryRequest, ()),
    _query("persons/grants", "persons", mp.PersonPermissionsQueryRequest, _SUBUNITS),
    _query("subunits/grants", "subunits", mp.SubunitPermissionsQueryRequest, _SUBUNITS),
    _query("entities/grants", "entities", mp.EntityPermissionsQueryRequest, _CREDENTIALS),
    _op("GET", "/permissions/query/entities/roles", "grant_queries.roles", permissions=_CREDENTIALS, query=_PAGED),
    _query("subordinate-entities/roles", "subordinates", mp.SubordinateEntityRolesQueryRequest, _SUBUNITS),
    _query("authorizations/grants", "authorizations", mp.EntityAuthorizationPermissionsQueryRequest,
           (*_CREDENTIALS, "PefInvoiceWrite")),
    _query("eu-entities/grants", "eu_entities", mp.EuEntityPermissionsQueryRequest, (*_CREDENTIALS, "VatUeManage")),
]

OPERATIONS = [*AUTHENTICATION, *TOKENS, *SESSIONS, *INVOICES, *CERTIFICATES, *LIMITS, *TESTDATA, *PERMISSIONS]

PATH_SHAPES = {
    "referenceNumber": m.ReferenceNumber, "invoiceReferenceNumber": m.ReferenceNumber,
    "upoReferenceNumber": m.ReferenceNumber, "ksefNumber": m.KsefNumber, "permissionId": m.PermissionId,
    "certificateSerialNumber": m.SerialNumber, "serialNumber": m.SerialNumber,
}
