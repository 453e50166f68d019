"""From :class:`~.reading.Fields` to the types of logins, tokens, certificates, permissions and limits."""

import base64
import binascii
import re

from .certificate_info import SUBJECT_ATTRIBUTES
from .parsing import context, reference, status
from .types import (
    AttachmentPermission,
    AuthorizationGrant,
    CertificateEnrollmentData,
    CertificateItem,
    CertificateLimits,
    CollectiveIdentifier,
    CollectiveInvoice,
    ContextLimits,
    Enrollment,
    EnrollmentReport,
    EntityGrant,
    EntityRole,
    GeneratedToken,
    Identifier,
    IssuedCertificate,
    LoginSession,
    PersonalPermission,
    PersonalPermissions,
    PersonGrant,
    RateLimit,
    Remaining,
    Secret,
    SessionLimits,
    SubjectLimits,
    TokenReport,
)

SERIAL = re.compile(r"[0-9A-F]{16}", re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]{1,400}", re.ASCII)
_MEGABYTE = 1_000_000
_PERMISSION_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


def identifier(fields):
    """Read who somebody is, or None when not even the type is there."""
    kind = fields.text("type")
    return Identifier(kind, fields.text("value")) if kind else None


def serial(fields, name="certificateSerialNumber"):
    """Read a certificate's serial number; one that can't stand in a path is refused."""
    value = fields.need("text", name)
    if not SERIAL.fullmatch(value):
        raise fields.fault(name, "is not a serial number")
    return value


# -- logins and tokens ---------------------------------------------------------------------------------------------------


def login_session(fields):
    """Read an AuthenticationListItem."""
    method = fields.child("authenticationMethodInfo")
    return LoginSession(
        reference_number=reference(fields),
        is_current=bool(fields.flag("isCurrent")),
        status=status(fields.child("status")),
        started_at=fields.timestamp("startDate"),
        method_category=method.text("category") or "",
        method=method.text("displayName") or fields.text("authenticationMethod") or "",
        is_redeemed=fields.flag("isTokenRedeemed"),
        refreshed_at=fields.timestamp("lastTokenRefreshDate"),
        refresh_valid_until=fields.timestamp("refreshTokenValidUntil"),
    )


def generated_token(fields):
    """Read a GenerateTokenResponse."""
    value = fields.need("text", "token")
    if not _TOKEN.fullmatch(value):
        raise fields.fault("token", "is not a token")
    return GeneratedToken(reference(fields), Secret(value))


def token_report(fields):
    """Read a TokenStatusResponse or QueryTokensResponseItem."""
    return TokenReport(
        reference_number=reference(fields),
        status=fields.need("text", "status"),
        requested_permissions=fields.texts("requestedPermissions"),
        description=fields.text("description") or "",
        context=context(fields.child("contextIdentifier")),
        created_at=fields.timestamp("dateCreated"),
        last_used_at=fields.timestamp("lastUseDate"),
        status_details=fields.texts("statusDetails"),
        author=identifier(fields.child("authorIdentifier")),
    )


# -- certificates --------------------------------------------------------------------------------------------------------


def certificate_limits(fields):
    """Read a CertificateLimitsResponse."""
    can_request = fields.flag("canRequest")
    if can_request is None:
        raise fields.fault("canRequest", "is missing")
    return CertificateLimits(
        can_request, _remaining(fields.child("enrollment")), _remaining(fields.child("certificate")))


def _remaining(fields):
    return Remaining(fields.need("integer", "remaining"), fields.need("integer", "limit"))


def enrollment_data(fields):
    """Read a CertificateEnrollmentDataResponse."""
    fields.need("text", "commonName")
    fields.need("text", "countryName")
    values = {name: fields.text(name) for name in SUBJECT_ATTRIBUTES}
    return CertificateEnrollmentData({name: value for name, value in values.items() if value})


def enrollment(fields):
    """Read an EnrollCertificateResponse."""
    return Enrollment(reference(fields), fields.timestamp("timestamp"))


def enrollment_report(fields):
    """Read a CertificateEnrollmentStatusResponse."""
    return EnrollmentReport(
        status=status(fields.child("status")),
        serial=serial(fields) if fields.text("certificateSerialNumber") else None,
        requested_at=fields.timestamp("requestDate"),
    )


def issued_certificate(fields):
    """Read a RetrieveCertificatesListItem."""
    try:
        content = base64.b64decode(fields.need("text", "certificate"), validate=True)
    except (binascii.Error, ValueError):
        raise fields.fault("certificate", "is not a certificate") from None
    return IssuedCertificate(
        serial=serial(fields), name=fields.text("certificateName") or "",
        kind=fields.text("certificateType") or "", certificate_der=content)


def certificate_item(fields):
    """Read a CertificateListItem."""
    return CertificateItem(
        serial=serial(fields),
        name=fields.text("name") or "",
        kind=fields.text("type") or "",
        status=fields.need("text", "status"),
        common_name=fields.text("commonName") or "",
        subject=identifier(fields.child("subjectIdentifier")),
        valid_from=fields.timestamp("validFrom"),
        valid_to=fields.timestamp("validTo"),
        last_used_at=fields.timestamp("lastUseDate"),
        requested_at=fields.timestamp("requestDate"),
    )


# -- permissions ---------------------------------------------------------------------------------------------------------


def personal_permissions(fields):
    """Read a QueryPersonalPermissionsResponse."""
    return PersonalPermissions(
        grants=tuple(
            PersonalPermission(
                scope=grant.need("text", "permissionScope"),
                state=grant.text("permissionState") or "",
                context=context(grant.child("contextIdentifier")),
                can_delegate=bool(grant.flag("canDelegate")),
                description=grant.text("description") or "",
                id=grant.text("id") or "",
                started_at=grant.timestamp("startDate"),
            )
            for grant in fields.need_children("permissions")
        ),
        owner=fields.texts("ownerPermissions"),
    )


def _permission_id(fields):
    """Read what a permission is revoked by; one that can't stand in a path is refused."""
    value = fields.need("text", "id")
    if not _PERMISSION_ID.fullmatch(value):
        raise fields.fault("id", "is not an identifier")
    return value


def person_grant(fields):
    """Read a PersonPermission."""
    person, entity = fields.child("subjectPersonDetails"), fields.child("subjectEntityDetails")
    names = (person.text("firstName"), person.text("lastName"), entity.text("fullName"))
    return PersonGrant(
        id=_permission_id(fields),
        scope=fields.need("text", "permissionScope"),
        state=fields.text("permissionState") or "",
        authorized=identifier(fields.child("authorizedIdentifier")),
        author=identifier(fields.child("authorIdentifier")),
        name=" ".join(name for name in names if name),
        description=fields.text("description") or "",
        started_at=fields.timestamp("startDate"),
        can_delegate=bool(fields.flag("canDelegate")),
        context=context(fields.child("contextIdentifier")),
        target=identifier(fields.child("targetIdentifier")),
        is_entity=bool(entity.raw),
    )


def entity_grant(fields):
    """Read an EntityPermissionItem."""
    return EntityGrant(
        id=_permission_id(fields),
        scope=fields.need("text", "permissionScope"),
        context=context(fields.child("contextIdentifier")),
        description=fields.text("description") or "",
        started_at=fields.timestamp("startDate"),
        can_delegate=bool(fields.flag("canDelegate")),
    )


def authorization_grant(fields):
    """Read an EntityAuthorizationGrant."""
    return AuthorizationGrant(
        id=_permission_id(fields),
        scope=fields.need("text", "authorizationScope"),
        authorizing=identifier(fields.child("authorizingEntityIdentifier")),
        authorized=identifier(fields.child("authorizedEntityIdentifier")),
        author=identifier(fields.child("authorIdentifier")),
        name=fields.child("subjectEntityDetails").text("fullName") or "",
        description=fields.text("description") or "",
        started_at=fields.timestamp("startDate"),
    )


def entity_role(fields):
    """Read an EntityRole."""
    return EntityRole(
        role=fields.need("text", "role"),
        parent=identifier(fields.child("parentEntityIdentifier")),
        description=fields.text("description") or "",
        started_at=fields.timestamp("startDate"),
    )


def attachment_permission(fields):
    """Read a CheckAttachmentPermissionStatusResponse; what is not allowed in so many words is not allowed."""
    return AttachmentPermission(bool(fields.flag("isAttachmentAllowed")), fields.timestamp("revokedDate"))


# -- collective identifiers ----------------------------------------------------------------------------------------------


def collective_number(fields):
    """Read the number of a collective identifier; its check sum is KSeF's business."""
    return reference(fields, "collectiveIdentifierNumber")


def collective_identifier(fields):
    """Read an item of a CollectiveIdentifiersQueryResponse or CollectiveIdentifiersByKsefNumberQueryResponse."""
    return CollectiveIdentifier(
        number=collective_number(fields),
        created_at=fields.need("timestamp", "dateCreated"),
        is_own=fields.need("flag", "createdInCurrentContext"),
        invoices=fields.integer("invoiceCount"),
    )


def collective_invoice(fields):
    """Read an item of a CollectiveIdentifierInvoicesQueryResponse."""
    payment = fields.child("payment")
    return CollectiveInvoice(
        ksef_number=fields.need("text", "ksefNumber"),
        amount=payment.decimal("amount"),
        currency=payment.text("currency"),
        description=fields.text("description") or None,
        collective_number=collective_number(fields),
        is_hidden=fields.need("flag", "detailsHidden"),
    )


# -- limits --------------------------------------------------------------------------------------------------------------


def context_limits(fields):
    """Read an EffectiveContextLimits."""
    return ContextLimits(
        online=_session_limits(fields.child("onlineSession")),
        batch=_session_limits(fields.child("batchSession")),
        collective_invoices=fields.child("collectiveIdentifier").integer("maxInvoices"),
    )


def _session_limits(fields):
    return SessionLimits(
        invoice_bytes=_bytes(fields.integer("maxInvoiceSizeInMB")),
        invoice_with_attachment_bytes=_bytes(fields.integer("maxInvoiceWithAttachmentSizeInMB")),
        invoices=fields.integer("maxInvoices"),
    )


def _bytes(megabytes):
    return None if megabytes is None else megabytes * _MEGABYTE


def subject_limits(fields):
    """Read an EffectiveSubjectLimits."""
    return SubjectLimits(
        enrollments=fields.child("enrollment").integer("maxEnrollments"),
        certificates=fields.child("certificate").integer("maxCertificates"),
    )


def rate_limits(fields):
    """Read an EffectiveApiRateLimits: {group: RateLimit}, groups as KSeF names them."""
    groups = {name: fields.child(name) for name in fields.raw}
    return {name: _rate_limit(group) for name, group in groups.items() if group.raw}


def _rate_limit(fields):
    """Read an EffectiveApiRateLimitValues; -1 says that there is no limit."""
    values = [fields.integer(name) for name in ("perSecond", "perMinute", "perHour")]
    return RateLimit(*[value if value is not None and value >= 0 else None for value in values])
