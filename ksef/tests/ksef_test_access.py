"""Answers about certificates, tokens, logins, permissions and limits, and a call for each: the shapes of OpenAPI 2.9.0."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import ksef_test_answers as answers
from ksef_test_server import http

from ksef import api
from ksef.types import CollectiveInvoice, Identifier

SERIAL = "0321C82DA41B4362"
PERMISSION = "0c9a3d4e-1111-2222-3333-444455556666"
OPERATION = "20250626-EG-333C814000-C529F710D8-D2"
NIP = {"type": "Nip", "value": "5265877635"}
PESEL = {"type": "Pesel", "value": "44051401359"}

LOGINS = {"continuationToken": None, "items": [{
    "referenceNumber": answers.LOGIN, "isCurrent": True, "startDate": answers.MOMENT, "authenticationMethod": "QualifiedSeal",
    "authenticationMethodInfo": {
        "category": "XadesSignature", "code": "xades.qualified-seal", "displayName": "Pieczęć kwalifikowana"},
    "status": {"code": 200, "description": "Uwierzytelnianie zakończone sukcesem"}, "isTokenRedeemed": True,
    "lastTokenRefreshDate": answers.MOMENT, "refreshTokenValidUntil": answers.MOMENT}]}
GENERATED = {
    "referenceNumber": answers.KSEF_TOKEN,
    "token": f"{answers.KSEF_TOKEN}|nip-5265877635|" + "0123456789abcdef" * 4}
TOKENS = {"continuationToken": None, "tokens": [answers.TOKEN_STATUS]}
LIMITS = {"canRequest": True, "enrollment": {"remaining": 99, "limit": 300}, "certificate": {"remaining": 5, "limit": 100}}
ENROLLMENT_DATA = {
    "commonName": "Jan Żółw", "countryName": "PL", "givenName": "Jan", "surname": "Żółw",
    "serialNumber": "PNOPL-44051401359", "uniqueIdentifier": None, "organizationName": None, "organizationIdentifier": None}
ENROLLED = {"referenceNumber": OPERATION, "timestamp": answers.MOMENT}
ENROLLMENT = {
    "requestDate": answers.MOMENT, "status": {"code": 200, "description": "Wniosek obsłużony (certyfikat wygenerowany)"},
    "certificateSerialNumber": SERIAL}
RETRIEVED = {"certificates": [{
    "certificate": "MAA=", "certificateName": "ERP", "certificateSerialNumber": SERIAL,
    "certificateType": "Authentication"}]}
CERTIFICATES = {"hasMore": False, "certificates": [{
    "certificateSerialNumber": SERIAL, "name": "ERP", "type": "Offline", "commonName": "Jan Żółw", "status": "Active",
    "subjectIdentifier": PESEL, "validFrom": answers.MOMENT, "validTo": answers.MOMENT, "lastUseDate": None,
    "requestDate": answers.MOMENT}]}
PERSON_PERMISSIONS = {"hasMore": False, "permissions": [{
    "id": PERMISSION, "authorizedIdentifier": PESEL, "contextIdentifier": None, "targetIdentifier": None,
    "authorIdentifier": {"type": "System", "value": None}, "permissionScope": "InvoiceWrite", "description": "Wystawianie",
    "subjectPersonDetails": {
        "subjectDetailsType": "PersonByIdentifier", "firstName": "Jan", "lastName": "Żółw", "personIdentifier": None,
        "birthDate": None, "idDocument": None},
    "subjectEntityDetails": None, "permissionState": "Active", "startDate": answers.MOMENT, "canDelegate": False}]}
ENTITY_PERMISSIONS = {"hasMore": False, "permissions": [{
    "id": PERMISSION, "contextIdentifier": NIP, "permissionScope": "InvoiceRead", "description": "Biuro",
    "startDate": answers.MOMENT, "canDelegate": True}]}
AUTHORIZATIONS = {"hasMore": False, "authorizationGrants": [{
    "id": PERMISSION, "authorIdentifier": NIP, "authorizedEntityIdentifier": NIP, "authorizingEntityIdentifier": NIP,
    "authorizationScope": "SelfInvoicing", "description": "Samofakturowanie",
    "subjectEntityDetails": {"subjectDetailsType": "EntityByIdentifier", "fullName": "Nabywca"},
    "startDate": answers.MOMENT}]}
ROLES = {"hasMore": False, "roles": [{
    "parentEntityIdentifier": NIP, "role": "VatGroupUnit", "description": "Grupa VAT", "startDate": answers.MOMENT}]}
STARTED = {"referenceNumber": OPERATION}
OPERATION_STATUS = {"status": {"code": 200, "description": "Operacja zakończona sukcesem", "details": None}}
ATTACHMENTS = {"isAttachmentAllowed": True, "revokedDate": None}
SESSION_LIMITS = {"maxInvoiceSizeInMB": 1, "maxInvoiceWithAttachmentSizeInMB": 3, "maxInvoices": 10000}
CONTEXT_LIMITS = {
    "onlineSession": SESSION_LIMITS, "batchSession": SESSION_LIMITS, "collectiveIdentifier": {"maxInvoices": 500}}
SUBJECT_LIMITS = {"enrollment": {"maxEnrollments": 300}, "certificate": {"maxCertificates": 100}}
RATE_LIMITS = {name: {"perSecond": 10, "perMinute": 30, "perHour": -1 if name == "anonymous" else 120} for name in (
    "onlineSession", "onlineSessionClose", "batchSession", "batchSessionClose", "invoiceSend", "invoiceStatus",
    "sessionList", "sessionInvoiceList", "sessionMisc", "invoiceMetadata", "invoiceExport", "invoiceExportStatus",
    "invoiceDownload", "collectiveIdentifier", "other", "anonymous", "global")}

COLLECTIVE = "1111111111-IZ202607-65ED02180000-E7"
COLLECTIVES = {"continuationToken": None, "collectiveIdentifiers": [{
    "collectiveIdentifierNumber": COLLECTIVE, "dateCreated": answers.MOMENT, "invoiceCount": 2, "createdInCurrentContext": True}]}
COLLECTIVES_OF = {"continuationToken": None, "collectiveIdentifiers": [{
    "collectiveIdentifierNumber": COLLECTIVE, "dateCreated": answers.MOMENT, "createdInCurrentContext": False}]}
COLLECTIVE_INVOICES = {"continuationToken": None, "invoices": [
    {"ksefNumber": answers.KSEF_NUMBER, "collectiveIdentifierNumber": COLLECTIVE, "detailsHidden": False, "description": "rata",
     "payment": {"amount": 10.5, "currency": "PLN"}}]}
MADE = {"collectiveIdentifierNumber": COLLECTIVE}

SCHEMAS = [
    ("GenerateCollectiveIdentifierResponse", MADE), ("CollectiveIdentifiersQueryResponse", COLLECTIVES),
    ("CollectiveIdentifiersByKsefNumberQueryResponse", COLLECTIVES_OF),
    ("CollectiveIdentifierInvoicesQueryResponse", COLLECTIVE_INVOICES),
    ("AuthenticationListResponse", LOGINS), ("GenerateTokenResponse", GENERATED), ("QueryTokensResponse", TOKENS),
    ("CertificateLimitsResponse", LIMITS), ("CertificateEnrollmentDataResponse", ENROLLMENT_DATA),
    ("EnrollCertificateResponse", ENROLLED), ("CertificateEnrollmentStatusResponse", ENROLLMENT),
    ("RetrieveCertificatesResponse", RETRIEVED), ("QueryCertificatesResponse", CERTIFICATES),
    ("QueryPersonPermissionsResponse", PERSON_PERMISSIONS), ("QueryEntityPermissionsResponse", ENTITY_PERMISSIONS),
    ("QueryEntityAuthorizationPermissionsResponse", AUTHORIZATIONS), ("QueryEntityRolesResponse", ROLES),
    ("PermissionsOperationResponse", STARTED), ("PermissionsOperationStatusResponse", OPERATION_STATUS),
    ("CheckAttachmentPermissionStatusResponse", ATTACHMENTS), ("EffectiveContextLimits", CONTEXT_LIMITS),
    ("EffectiveSubjectLimits", SUBJECT_LIMITS), ("EffectiveApiRateLimits", RATE_LIMITS)]


def access_calls(token):
    """Return {method of the client: (operation, answer, function that makes the call with a client)}."""
    nothing = http(204, content_type=None)
    now, paid = datetime.now(UTC), (Decimal("10.50"), "PLN", "rata")
    somebody, company = Identifier("Pesel", "44051401359"), Identifier("Nip", "5265877635")
    return {
        "start_signed_login": (api.SIGNED_LOGIN, answers.LOGIN_STARTED, lambda ksef: ksef.start_signed_login(b"<a/>", verify_chain=True)),
        "logins": (api.LOGINS, LOGINS, lambda ksef: list(ksef.logins(token))),
        "terminate_login": (api.TERMINATE_LOGIN, nothing, lambda ksef: ksef.terminate_login(token, answers.LOGIN)),
        "generate_token": (api.GENERATE_TOKEN, GENERATED, lambda ksef: ksef.generate_token(token, ["InvoiceRead"], "Odoo 1")),
        "tokens": (api.TOKENS, TOKENS, lambda ksef: list(ksef.tokens(token, statuses=["Active"], description="Odoo"))),
        "revoke_token": (api.REVOKE_TOKEN, nothing, lambda ksef: ksef.revoke_token(token, answers.KSEF_TOKEN)),
        "certificate_limits": (api.CERTIFICATE_LIMITS, LIMITS, lambda ksef: ksef.certificate_limits(token)),
        "enrollment_data": (api.ENROLLMENT_DATA, ENROLLMENT_DATA, lambda ksef: ksef.enrollment_data(token)),
        "enroll_certificate": (api.ENROLL, ENROLLED, lambda ksef: ksef.enroll_certificate(token, "ERP 2026", "Authentication", "MAA=")),
        "enrollment_status": (api.ENROLLMENT_STATUS, ENROLLMENT, lambda ksef: ksef.enrollment_status(token, OPERATION)),
        "retrieve_certificates": (api.RETRIEVE_CERTIFICATES, RETRIEVED, lambda ksef: ksef.retrieve_certificates(token, [SERIAL])),
        "certificates": (api.CERTIFICATES, CERTIFICATES, lambda ksef: list(ksef.certificates(
            token, name="ERP", kind="Offline", status="Active"))),
        "revoke_certificate": (api.REVOKE_CERTIFICATE, nothing, lambda ksef: ksef.revoke_certificate(token, SERIAL, "Superseded")),
        "person_permissions": (api.PERSON_PERMISSIONS, PERSON_PERMISSIONS, lambda ksef: list(ksef.person_permissions(token))),
        "entity_permissions": (api.ENTITY_PERMISSIONS, ENTITY_PERMISSIONS, lambda ksef: list(ksef.entity_permissions(token))),
        "authorizations": (api.AUTHORIZATIONS, AUTHORIZATIONS, lambda ksef: list(ksef.authorizations(token))),
        "entity_roles": (api.ENTITY_ROLES, ROLES, lambda ksef: list(ksef.entity_roles(token))),
        "grant_person": (api.GRANT_PERSON, STARTED, lambda ksef: ksef.grant_person(
            token, somebody, ["InvoiceWrite"], "Jan", "Żółw", "Księgowa")),
        "grant_entity": (api.GRANT_ENTITY, STARTED, lambda ksef: ksef.grant_entity(
            token, company, ["InvoiceRead", "InvoiceWrite"], "Biuro rachunkowe", "Księgowość", can_delegate=True)),
        "revoke_permission": (api.REVOKE_PERMISSION, STARTED, lambda ksef: ksef.revoke_permission(token, PERMISSION)),
        "revoke_authorization": (api.REVOKE_AUTHORIZATION, STARTED, lambda ksef: ksef.revoke_authorization(token, PERMISSION)),
        "permission_operation": (api.PERMISSION_OPERATION, OPERATION_STATUS, lambda ksef: ksef.permission_operation(token, OPERATION)),
        "attachment_permission": (api.ATTACHMENT_PERMISSION, ATTACHMENTS, lambda ksef: ksef.attachment_permission(token)),
        "context_limits": (api.CONTEXT_LIMITS, CONTEXT_LIMITS, lambda ksef: ksef.context_limits(token)),
        "subject_limits": (api.SUBJECT_LIMITS, SUBJECT_LIMITS, lambda ksef: ksef.subject_limits(token)),
        "generate_collective": (api.GENERATE_COLLECTIVE, MADE, lambda ksef: ksef.generate_collective(
            token, [CollectiveInvoice(answers.KSEF_NUMBER, *paid), CollectiveInvoice(answers.KSEF_NUMBER)])),
        "collectives": (api.COLLECTIVES, COLLECTIVES, lambda ksef: list(ksef.collectives(
            token, now - timedelta(days=9), now, number=COLLECTIVE, least=2, most=9, own=True))),
        "collective_invoices": (api.COLLECTIVE_INVOICES, COLLECTIVE_INVOICES, lambda ksef: list(
            ksef.collective_invoices(token, [COLLECTIVE]))),
        "collectives_of": (api.COLLECTIVES_OF, COLLECTIVES_OF, lambda ksef: list(ksef.collectives_of(token, answers.KSEF_NUMBER))),
        "rate_limits": (api.RATE_LIMITS, RATE_LIMITS, lambda ksef: ksef.rate_limits(token)),
    }
