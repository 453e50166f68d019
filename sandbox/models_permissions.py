"""Bodies of requests about permissions, named as the contract names them."""

from .models import VAT_UE, Description
from .shapes import Boolean, Day, Many, Text, choice, record

PERSON_SCOPES = ("CredentialsManage", "CredentialsRead", "InvoiceWrite", "InvoiceRead", "Introspection",
                 "SubunitManage", "EnforcementOperations", "CollectiveIdentifierManage")
ENTITY_SCOPES = ("InvoiceWrite", "InvoiceRead", "CollectiveIdentifierManage")
AUTHORIZATION_SCOPES = ("SelfInvoicing", "RRInvoicing", "TaxRepresentative", "PefInvoicing")
EU_SCOPES = ("VatUeManage", "InvoiceWrite", "InvoiceRead", "Introspection")


def identifier(*types, minimum=10, maximum=64):
    """An identifier: a type out of a list and a value."""
    return record({"type": choice(*types), "value": Text(minimum, maximum)})


_PERSON = identifier("Nip", "Pesel", "Fingerprint")
_NIP = identifier("Nip", maximum=10)
_FINGERPRINT = identifier("Fingerprint", minimum=64)
_TARGET = record({"type": choice("Nip", "AllPartners", "InternalId")}, {"value": Text(10, 16)})
_CONTEXT = identifier("Nip", "InternalId", maximum=16)
_STATE = choice("Active", "Inactive")

IdDocument = record({"type": Text(0, 20), "number": Text(0, 20), "country": Text(2, 2)})
PersonIdentifier = record({"type": choice("Pesel", "Nip"), "value": Text(10, 11)})
_NAMES = {"firstName": Text(2, 30), "lastName": Text(2, 81)}
PersonDetails = record(_NAMES)
PersonByFingerprintWithIdentifierDetails = record({**_NAMES, "identifier": PersonIdentifier})
PersonByFingerprintWithoutIdentifierDetails = record({**_NAMES, "birthDate": Day(), "idDocument": IdDocument})
PersonPermissionSubjectDetails = record(
    {"subjectDetailsType": choice("PersonByIdentifier", "PersonByFingerprintWithIdentifier",
                                  "PersonByFingerprintWithoutIdentifier")},
    {"personById": PersonDetails, "personByFpWithId": PersonByFingerprintWithIdentifierDetails,
     "personByFpNoId": PersonByFingerprintWithoutIdentifierDetails},
)
EntityDetails = record({"fullName": Text(5, 90)})
EntityByFingerprintDetails = record({"fullName": Text(0, 100), "address": Text(0, 512)})
EuEntityDetails = EntityByFingerprintDetails
EuEntityPermissionSubjectDetails = record(
    {"subjectDetailsType": choice("PersonByFingerprintWithIdentifier", "PersonByFingerprintWithoutIdentifier",
                                  "EntityByFingerprint")},
    {"personByFpWithId": PersonByFingerprintWithIdentifierDetails,
     "personByFpNoId": PersonByFingerprintWithoutIdentifierDetails, "entityByFp": EntityByFingerprintDetails},
)

# Which detail object belongs to which subjectDetailsType.
DETAIL_OBJECTS = {
    "PersonByIdentifier": "personById", "PersonByFingerprintWithIdentifier": "personByFpWithId",
    "PersonByFingerprintWithoutIdentifier": "personByFpNoId", "EntityByFingerprint": "entityByFp",
}

PersonPermissionsGrantRequest = record({
    "subjectIdentifier": _PERSON, "permissions": Many(choice(*PERSON_SCOPES), 1), "description": Description,
    "subjectDetails": PersonPermissionSubjectDetails,
})
EntityPermission = record({"type": choice(*ENTITY_SCOPES)}, {"canDelegate": Boolean()}, ())
EntityPermissionsGrantRequest = record({
    "subjectIdentifier": _NIP, "permissions": Many(EntityPermission, 1), "description": Description,
    "subjectDetails": EntityDetails,
})
EntityAuthorizationPermissionsGrantRequest = record({
    "subjectIdentifier": identifier("Nip", "PeppolId", minimum=9, maximum=10),
    "permission": choice(*AUTHORIZATION_SCOPES), "description": Description, "subjectDetails": EntityDetails,
})
IndirectPermissionsGrantRequest = record(
    {"subjectIdentifier": _PERSON, "permissions": Many(choice(*ENTITY_SCOPES), 1), "description": Description,
     "subjectDetails": PersonPermissionSubjectDetails},
    {"targetIdentifier": _TARGET},
)
SubunitPermissionsGrantRequest = record(
    {"subjectIdentifier": _PERSON, "contextIdentifier": _CONTEXT, "description": Description,
     "subjectDetails": PersonPermissionSubjectDetails},
    {"subunitName": Text(5, 256)},
)
EuEntityAdministrationPermissionsGrantRequest = record({
    "subjectIdentifier": _FINGERPRINT, "contextIdentifier": identifier("NipVatUe", minimum=15, maximum=25),
    "description": Description, "euEntityName": Text(5, 256), "subjectDetails": EuEntityPermissionSubjectDetails,
    "euEntityDetails": EuEntityDetails,
})
EuEntityPermissionsGrantRequest = record({
    "subjectIdentifier": _FINGERPRINT, "permissions": Many(choice("InvoiceWrite", "InvoiceRead"), 1),
    "description": Description, "subjectDetails": EuEntityPermissionSubjectDetails,
})

PersonalPermissionsQueryRequest = record(optional={
    "contextIdentifier": _CONTEXT, "targetIdentifier": _TARGET,
    "permissionTypes": Many(choice(*PERSON_SCOPES, "VatUeManage")), "permissionState": _STATE,
})
PersonPermissionsQueryRequest = record(
    {"queryType": choice("PermissionsInCurrentContext", "PermissionsGrantedInCurrentContext")},
    {"authorIdentifier": record({"type": choice("Nip", "Pesel", "Fingerprint", "System")}, {"value": Text(10, 64)}),
     "authorizedIdentifier": _PERSON, "contextIdentifier": _CONTEXT, "targetIdentifier": _TARGET,
     "permissionTypes": Many(choice(*PERSON_SCOPES)), "permissionState": _STATE},
)
SubunitPermissionsQueryRequest = record(optional={"subunitIdentifier": _CONTEXT})
EntityPermissionsQueryRequest = record(optional={"contextIdentifier": _CONTEXT})
SubordinateEntityRolesQueryRequest = record(optional={"subordinateEntityIdentifier": _NIP})
EntityAuthorizationPermissionsQueryRequest = record(
    {"queryType": choice("Granted", "Received")},
    {"authorizingIdentifier": _NIP, "authorizedIdentifier": identifier("Nip", "PeppolId", minimum=9, maximum=10),
     "permissionTypes": Many(choice(*AUTHORIZATION_SCOPES))},
)
EuEntityPermissionsQueryRequest = record(optional={
    "vatUeIdentifier": Text(pattern=VAT_UE), "authorizedFingerprintIdentifier": Text(),
    "permissionTypes": Many(choice(*EU_SCOPES)),
})
