"""Granting and revoking permissions: asynchronous operations with a status of their own."""

import re
from datetime import timedelta

from . import clock, ids
from .errors import ApiError, Problem, forbidden
from .models import NIP_PATTERN, VAT_UE
from .models_permissions import DETAIL_OBJECTS, EU_SCOPES

STATUS_DAYS = 30
DESCRIPTIONS = {
    100: "Operacja przyjęta do realizacji",
    200: "Operacja zakończona sukcesem",
    400: "Operacja zakończona niepowodzeniem",
    410: "Podane identyfikatory są niezgodne lub pozostają w niewłaściwej relacji",
    420: "Użyte poświadczenia nie mają uprawnień do wykonania tej operacji",
    430: "Kontekst identyfikatora nie odpowiada wymaganej roli lub uprawnieniom",
    440: "Operacja niedozwolona dla wskazanych powiązań identyfikatorów",
    450: "Operacja niedozwolona dla wskazanego identyfikatora lub jego typu",
    500: "Nieznany błąd",
    550: "Operacja została anulowana przez system",
}
_VALUES = {"Nip": NIP_PATTERN, "Pesel": r"\d{11}", "Fingerprint": r"[0-9A-Fa-f]{64}",
           "PeppolId": r"P[A-Z]{2}[0-9]{6}", "InternalId": NIP_PATTERN + r"-\d{5}",
           "NipVatUe": f"{NIP_PATTERN}-{VAT_UE}"}
_PERSON_FIELDS = ("firstName", "lastName", "birthDate", "idDocument")


def pair(identifier, path):
    """(type, value) of an identifier; raises 21405 when the value does not fit the type."""
    kind, value = identifier["type"], identifier.get("value")
    if not re.fullmatch(_VALUES[kind], value or "", re.ASCII):
        raise ApiError(21405, f"$.{path}.value: nieprawidłowy format identyfikatora {kind}.")
    return kind, value.upper() if kind == "Fingerprint" else value


def subject_details(data, subject_type):
    """The subject's details as queries show them; raises 21405 when they do not fit their type."""
    details = data["subjectDetails"]
    kind = details["subjectDetailsType"]
    given = details.get(DETAIL_OBJECTS[kind])
    if given is None:
        raise ApiError(21405, f"$.subjectDetails.{DETAIL_OBJECTS[kind]}: pole jest wymagane.")
    if (kind == "PersonByIdentifier") == (subject_type == "Fingerprint"):
        raise ApiError(21405, "$.subjectDetails.subjectDetailsType: typ danych nie odpowiada identyfikatorowi.")
    if kind == "EntityByFingerprint":
        return {"subjectEntityDetails": {"subjectDetailsType": kind, **pick(given, ("fullName", "address"))}}
    person = {"subjectDetailsType": kind, **pick(given, _PERSON_FIELDS)}
    if given.get("identifier"):
        person["personIdentifier"] = pick(given["identifier"], ("type", "value"))
    return {"subjectPersonDetails": person}


def pick(source, names):
    """The named properties that are there."""
    return {name: source[name] for name in names if source.get(name) is not None}


class Failed(Exception):
    """The operation ends with this status."""

    def __init__(self, code):
        super().__init__(str(code))
        self.code = code


class Grants:
    """The room of grants."""

    def __init__(self, app):
        self._app = app

    # --- the operation -----------------------------------------------------------------------------------------

    def _operate(self, principal, work):
        """Do the work now, tell its outcome later."""
        forced = self._app.faults.take("operation_status", "POST /permissions", principal.nip)
        code = forced["code"] if forced else 200
        with self._app.store.transaction() as store:
            try:
                if code < 400:
                    work()
            except Failed as failed:
                code = failed.code
            reference = self._app.numbers.reference(ids.OPERATION)
            store.insert("operations", reference=reference, owner=principal.context, code=code,
                         created=clock.text(self._app.clock.now()), ready=self._app.processing.due())
        return {"referenceNumber": reference}

    def operation(self, request):
        """GET /permissions/operations/{referenceNumber}."""
        reference = request.values["referenceNumber"]
        row = self._app.store.one("SELECT * FROM operations WHERE reference = ? AND owner = ?", reference,
                                  request.principal.context)
        if row is None:
            raise ApiError(21405, f"Operacja o numerze referencyjnym {reference} nie została znaleziona.")
        if clock.parse(row["created"]) + timedelta(days=STATUS_DAYS) <= self._app.clock.now():
            raise Problem(410, "Status operacji nie jest już dostępny.")
        code = row["code"] if self._app.clock.real() >= row["ready"] else 100
        return {"status": {"code": code, "description": DESCRIPTIONS.get(code, "Status piaskownicy")}}

    @staticmethod
    def _require_context(principal, *types):
        if principal.context_type not in types:
            raise forbidden("context-type-not-allowed",
                            "Operacja nie jest dostępna dla uwierzytelnionego typu kontekstu.",
                            contextIdentifierType=principal.context_type)

    def _add(self, principal, kind, scope, subject, description, context=None, **options):
        self._app.grants_store.add(
            kind, scope, context or (principal.context_type, principal.context_value), subject,
            (principal.subject_type, principal.subject_value), description, **options)

    # --- granting ----------------------------------------------------------------------------------------------

    def to_person(self, request):
        """POST /permissions/persons/grants."""
        principal, data = request.principal, request.data
        self._require_context(principal, "Nip", "InternalId")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")
        details = subject_details(data, subject[0])
        unique(data["permissions"])

        def work():
            enforces = "EnforcementOperations" in self._app.rights.owner_scopes(
                "Nip", principal.context_value, principal.context_type, principal.context_value)
            if "EnforcementOperations" in data["permissions"] and not enforces:
                raise Failed(430)
            for scope in data["permissions"]:
                self._add(principal, "person", scope, subject, data["description"], details=details)
        return self._operate(principal, work)

    def to_entity(self, request):
        """POST /permissions/entities/grants."""
        principal, data = request.principal, request.data
        self._require_context(principal, "Nip", "InternalId")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")
        details = entity_details(data)
        unique([item["type"] for item in data["permissions"]])

        def work():
            if subject == (principal.context_type, principal.context_value):
                raise Failed(440)
            for item in data["permissions"]:
                self._add(principal, "entity", item["type"], subject, data["description"], details=details,
                          delegate=item.get("canDelegate", False))
        return self._operate(principal, work)

    def authorization(self, request):
        """POST /permissions/authorizations/grants."""
        principal, data = request.principal, request.data
        self._require_context(principal, "Nip")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")

        def work():
            if (data["permission"] == "PefInvoicing") != (subject[0] == "PeppolId"):
                raise Failed(450)
            if subject[1] == principal.context_value:
                raise Failed(440)
            self._add(principal, "authorization", data["permission"], subject, data["description"],
                      details=entity_details(data))
        return self._operate(principal, work)

    def indirect(self, request):
        """POST /permissions/indirect/grants: pass on what clients let this context pass on."""
        principal, data = request.principal, request.data
        self._require_context(principal, "Nip")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")
        details = subject_details(data, subject[0])
        unique(data["permissions"])
        target = data.get("targetIdentifier") or {"type": "AllPartners"}
        client = ("AllPartners", "") if target["type"] == "AllPartners" else pair(target, "targetIdentifier")

        def work():
            if client[1] and not self._app.store.one(
                    "SELECT 1 FROM grants WHERE kind = 'entity' AND delegate = 1 AND context_value = ? AND "
                    "subject_value = ?", client[1][:10], principal.context_value):
                raise Failed(410)
            for scope in data["permissions"]:
                self._add(principal, "indirect", scope, subject, data["description"], details=details, target=client)
        return self._operate(principal, work)

    def subunit(self, request):
        """POST /permissions/subunits/grants: an administrator of a subunit."""
        principal, data = request.principal, request.data
        self._require_context(principal, "Nip")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")
        unit = pair(data["contextIdentifier"], "contextIdentifier")
        details = subject_details(data, subject[0])
        if unit[0] == "InternalId":
            if not data.get("subunitName"):
                raise ApiError(21405, "$.subunitName: pole jest wymagane dla identyfikatora wewnętrznego.")
            if not ids.internal_id_checksum_ok(unit[1]):
                raise ApiError(21405, "$.contextIdentifier.value: nieprawidłowa suma kontrolna identyfikatora.")
        if data.get("subunitName"):
            details["subunitName"] = data["subunitName"]

        def work():
            own = unit[1][:10] == principal.context_value if unit[0] == "InternalId" else self._app.store.one(
                "SELECT 1 FROM subjects WHERE nip = ? AND parent = ?", unit[1], principal.context_value)
            if not own:
                raise Failed(410)
            self._add(principal, "subunit", "CredentialsManage", subject, data["description"], context=unit,
                      details=details, target=("Parent", principal.context_value))
        return self._operate(principal, work)

    def eu_administration(self, request):
        """POST /permissions/eu-entities/administration/grants: all four permissions at once."""
        principal, data = request.principal, request.data
        self._require_context(principal, "Nip")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")
        context = pair(data["contextIdentifier"], "contextIdentifier")
        details = {**subject_details(data, subject[0]), "euEntityName": data["euEntityName"],
                   "euEntityDetails": pick(data["euEntityDetails"], ("fullName", "address"))}

        def work():
            if context[1][:10] != principal.context_value:
                raise Failed(410)
            for scope in EU_SCOPES:
                self._add(principal, "eu", scope, subject, data["description"], context=context, details=details,
                          target=("Parent", principal.context_value))
        return self._operate(principal, work)

    def eu_entity(self, request):
        """POST /permissions/eu-entities/grants: a representative of an EU entity."""
        principal, data = request.principal, request.data
        self._require_context(principal, "NipVatUe")
        subject = pair(data["subjectIdentifier"], "subjectIdentifier")
        details = subject_details(data, subject[0])
        unique(data["permissions"])

        def work():
            for scope in data["permissions"]:
                self._add(principal, "eu", scope, subject, data["description"], details=details,
                          target=("Parent", principal.nip))
        return self._operate(principal, work)

    # --- revoking ----------------------------------------------------------------------------------------------

    def revoke_common(self, request):
        """DELETE /permissions/common/grants/{permissionId}."""
        return self._revoke(request, "kind <> 'authorization'")

    def revoke_authorization(self, request):
        """DELETE /permissions/authorizations/grants/{permissionId}."""
        return self._revoke(request, "kind = 'authorization'")

    def _revoke(self, request, condition):
        principal, identifier = request.principal, request.values["permissionId"]
        mine = (principal.context_type, principal.context_value)

        def work():
            row = self._app.store.one("SELECT * FROM grants WHERE id = ? AND " + condition, identifier)  # noqa: S608
            if row is None:
                raise Failed(400)
            if mine not in ((row["context_type"], row["context_value"]), ("Nip", row["target_value"])):
                raise Failed(420)
            self._app.store.run("DELETE FROM grants WHERE id = ?", identifier)
        return self._operate(principal, work)


def entity_details(data):
    """The details of a company as queries show them."""
    return {"subjectEntityDetails": {"subjectDetailsType": "EntityByIdentifier",
                                     "fullName": data["subjectDetails"]["fullName"]}}


def unique(scopes):
    """Each permission may be named once; raises 21405."""
    if len(set(scopes)) != len(scopes):
        raise ApiError(21405, "$.permissions: każda wartość może wystąpić tylko raz.")
