"""The client's operations on permissions (uprawnienia)."""

from . import api, parsing, parsing_access
from .errors import KsefConfigError
from .types import PersonalPermissions

_PAGE = 100
_DESCRIPTION = (5, 256)
_ENTITY_NAME = (5, 90)
_FIRST_NAME, _LAST_NAME = (2, 30), (2, 81)
_PERSON_TYPES = ("Nip", "Pesel")


class PermissionsMixin:
    """Operations of :class:`~.client.Client` on permissions.

    Giving and taking are asynchronous: the reference that they return leads to :meth:`permission_operation`.
    """

    def personal_permissions(self, access):
        """Return all :class:`~.types.PersonalPermissions` of who is logged in; follows the pages."""
        grants, owner = [], set()
        for page in self._numbered_pages(api.PERSONAL_PERMISSIONS, access, json={}, page_size=_PAGE):
            part = parsing_access.personal_permissions(page)
            grants.extend(part.grants)
            owner.update(part.owner)
        return PersonalPermissions(tuple(grants), tuple(sorted(owner)))

    def person_permissions(self, access, *, granted_here=False):
        """Yield the :class:`~.types.PersonGrant` of each permission that persons and entities have in the context.

        The call is POST /permissions/query/persons/grants; it needs CredentialsRead or CredentialsManage.

        :param granted_here: those that were given by who is logged in, instead of those that work in the context
        """
        kind = "PermissionsGrantedInCurrentContext" if granted_here else "PermissionsInCurrentContext"
        for page in self._numbered_pages(api.PERSON_PERMISSIONS, access, json={"queryType": kind}, page_size=_PAGE):
            for item in page.need_children("permissions"):
                yield parsing_access.person_grant(item)

    def entity_permissions(self, access):
        """Yield the :class:`~.types.EntityGrant` of each permission that other taxpayers gave to this context."""
        for page in self._numbered_pages(api.ENTITY_PERMISSIONS, access, json={}, page_size=_PAGE):
            for item in page.need_children("permissions"):
                yield parsing_access.entity_grant(item)

    def authorizations(self, access, *, received=False):
        """Yield the :class:`~.types.AuthorizationGrant` of each authorisation that this taxpayer gave.

        :param received: those that it was given
        """
        kind = "Received" if received else "Granted"
        for page in self._numbered_pages(api.AUTHORIZATIONS, access, json={"queryType": kind}, page_size=_PAGE):
            for item in page.need_children("authorizationGrants"):
                yield parsing_access.authorization_grant(item)

    def entity_roles(self, access):
        """Yield the :class:`~.types.EntityRole` of the taxpayer (GET /permissions/query/entities/roles)."""
        for page in self._numbered_pages(api.ENTITY_ROLES, access, page_size=_PAGE):
            for item in page.need_children("roles"):
                yield parsing_access.entity_role(item)

    def attachment_permission(self, access):
        """Return the :class:`~.types.AttachmentPermission` (GET /permissions/attachments/status)."""
        return parsing_access.attachment_permission(self._fields(api.ATTACHMENT_PERMISSION, access))

    def grant_person(self, access, subject, permissions, first_name, last_name, description, owner=None):
        """Give permissions to a person (POST /permissions/persons/grants) and return the operation's reference.

        :param subject: :class:`~.types.Identifier` of type Nip, Pesel or Fingerprint (of a certificate that names neither)
        :param permissions: names such as InvoiceWrite (see Permission)
        :param description: 5 to 256 characters
        :param owner: :class:`~.types.FingerprintOwner`; with a fingerprint only
        """
        operation = api.GRANT_PERSON
        if (subject.type == "Fingerprint") != (owner is not None) or subject.type not in (*_PERSON_TYPES, "Fingerprint"):
            raise KsefConfigError(
                "A person is named by PESEL or NIP, or by a certificate's fingerprint and who holds it.", operation=operation.name)
        _check_length(operation, "first name", first_name, _FIRST_NAME)
        _check_length(operation, "last name", last_name, _LAST_NAME)
        body = {
            **_grant_body(operation, subject, permissions, description),
            "permissions": [str(permission) for permission in permissions],
            "subjectDetails": _person_details({"firstName": first_name, "lastName": last_name}, owner),
        }
        return parsing.reference(self._fields(operation, access, json=body))

    def grant_entity(self, access, subject, permissions, name, description, *, can_delegate=False):
        """Give permissions to an entity such as an accounting office (POST /permissions/entities/grants).

        Returns the operation's reference.

        :param subject: :class:`~.types.Identifier` of type Nip
        :param permissions: InvoiceRead, InvoiceWrite, CollectiveIdentifierManage
        :param name: full name of the entity, 5 to 90 characters
        :param can_delegate: whether the entity may pass them on to its own staff
        """
        operation = api.GRANT_ENTITY
        if subject.type != "Nip":
            raise KsefConfigError("An entity is named by its NIP.", operation=operation.name)
        _check_length(operation, "name", name, _ENTITY_NAME)
        body = {
            **_grant_body(operation, subject, permissions, description),
            "permissions": [{"type": str(permission), "canDelegate": can_delegate} for permission in permissions],
            "subjectDetails": {"fullName": name},
        }
        return parsing.reference(self._fields(operation, access, json=body))

    def revoke_permission(self, access, permission_id):
        """Take a permission of a person or entity away; returns the operation's reference."""
        return parsing.reference(self._fields(api.REVOKE_PERMISSION, access, permissionId=permission_id))

    def revoke_authorization(self, access, permission_id):
        """Take an authorisation between entities away; returns the operation's reference."""
        return parsing.reference(self._fields(api.REVOKE_AUTHORIZATION, access, permissionId=permission_id))

    def permission_operation(self, access, reference):
        """Return the :class:`~.types.StatusInfo` of giving or taking a permission (see PermissionStatus).

        :raise KsefGoneError: KSeF keeps it for 30 days
        """
        fields = self._fields(api.PERMISSION_OPERATION, access, referenceNumber=reference)
        return parsing.status(fields.child("status"))


def _grant_body(operation, subject, permissions, description):
    """Return what giving to a person and to an entity have in common."""
    if not permissions:
        raise KsefConfigError("At least one permission is needed.", operation=operation.name)
    _check_length(operation, "description", description, _DESCRIPTION)
    return {"subjectIdentifier": {"type": subject.type, "value": subject.value}, "description": description}


def _person_details(names, owner):
    """Return a PersonPermissionSubjectDetails."""
    if owner is None:
        return {"subjectDetailsType": "PersonByIdentifier", "personById": names}
    if owner.identifier:
        identifier = {"type": owner.identifier.type, "value": owner.identifier.value}
        return {"subjectDetailsType": "PersonByFingerprintWithIdentifier", "personByFpWithId": {**names, "identifier": identifier}}
    if not owner.birth_date or not owner.document:
        raise KsefConfigError("Who has neither NIP nor PESEL is named by date of birth and document.", operation=api.GRANT_PERSON.name)
    document = dict(zip(("type", "number", "country"), owner.document, strict=True))
    return {
        "subjectDetailsType": "PersonByFingerprintWithoutIdentifier",
        "personByFpNoId": {**names, "birthDate": owner.birth_date.isoformat(), "idDocument": document},
    }


def _check_length(operation, what, text, bounds):
    shortest, longest = bounds
    if not shortest <= len(text) <= longest:
        raise KsefConfigError(f"The {what} must have {shortest} to {longest} characters.", operation=operation.name)
