"""Queries about permissions that a program shows to its user. All lists: newest first, then by id."""

from .paging import numbered
from .store import unpacked

ROLES = {"EnforcementAuthority": "EnforcementAuthority", "JST": "LocalGovernmentUnit", "VatGroup": "VatGroupUnit",
         "LocalGovernmentSubUnit": "LocalGovernmentSubUnit", "VatGroupSubUnit": "VatGroupSubUnit"}


def identifier(kind, value):
    """An identifier; one without a value has its type only."""
    return {"type": kind, "value": value} if value else {"type": kind}


def same(wanted, kind, value):
    """Does an identifier filter (or its absence) fit?"""
    return not wanted or (wanted["type"], wanted.get("value") or "") == (kind, value or "")


def base(row):
    """What all kinds of grants show."""
    return {"id": row["id"], "description": row["description"], "startDate": row["started"]}


def details(row, *names):
    """The named parts of a grant's details."""
    known = unpacked(row["details"], {})
    return {name: known[name] for name in names if name in known}


class GrantQueries:
    """The room of enquiries about permissions."""

    def __init__(self, app):
        self._app = app

    def _answer(self, request, rows, show, name="permissions", **more):
        rows = sorted(rows, key=lambda row: row["id"])
        rows.sort(key=lambda row: row["started"], reverse=True)
        page, has_more = numbered(request, rows)
        return {name: [show(row) for row in page], **more, "hasMore": has_more}

    def _state(self, row):
        """An indirect grant for one client works only while the client lets it be passed on."""
        if row["kind"] != "indirect" or row["target_type"] == "AllPartners":
            return "Active"
        return "Active" if self._app.rights.passed_on(row, row["target_value"]) else "Inactive"

    # --- own permissions ---------------------------------------------------------------------------------------

    def personal(self, request):
        """POST /permissions/query/personal/grants: the caller's own permissions in this context."""
        principal, data = request.principal, request.data
        who = (principal.subject_type, principal.subject_value, principal.context_type, principal.context_value)
        rights = self._app.rights
        owner = rights.owner_scopes(*who)
        rows = {row["id"]: row for row in [*rights.direct(*who), *rights.indirect(*who)]}
        if owner:
            received = self._app.store.all("SELECT * FROM grants WHERE kind = 'entity' AND subject_type = 'Nip' AND "
                                           "subject_value = ?", principal.context_value)
            rows.update((row["id"], row) for row in received)

        def in_token(scope):
            return not principal.token_reference or scope in principal.permissions
        chosen = [row for row in rows.values() if in_token(row["scope"]) and self._wanted(row, data)]
        return self._answer(request, chosen, lambda row: self._personal(row, principal),
                            ownerPermissions=[scope for scope in owner if in_token(scope)])

    def _wanted(self, row, data):
        target = ("", "") if row["target_type"] == "Parent" else (row["target_type"], row["target_value"])
        return (same(data.get("contextIdentifier"), row["context_type"], row["context_value"])
                and same(data.get("targetIdentifier"), *target)
                and (not data.get("permissionTypes") or row["scope"] in data["permissionTypes"])
                and data.get("permissionState") in (None, self._state(row)))

    def _personal(self, row, principal):
        result = {**base(row), "permissionScope": row["scope"], "permissionState": self._state(row),
                  "canDelegate": bool(row["delegate"]),
                  **details(row, "subjectPersonDetails", "subjectEntityDetails")}
        if row["context_type"] in ("Nip", "InternalId"):
            result["contextIdentifier"] = identifier(row["context_type"], row["context_value"])
        if (row["subject_type"], row["subject_value"]) != (principal.subject_type, principal.subject_value):
            result["authorizedIdentifier"] = identifier(row["subject_type"], row["subject_value"])
        if row["kind"] == "indirect":
            result["targetIdentifier"] = identifier(row["target_type"], row["target_value"])
        return result

    # --- permissions of others ---------------------------------------------------------------------------------

    def persons(self, request):
        """POST /permissions/query/persons/grants."""
        principal, data = request.principal, request.data
        mine = (principal.context_type, principal.context_value)
        if data["queryType"] == "PermissionsInCurrentContext":
            rows = self._app.store.all("SELECT * FROM grants WHERE kind IN ('person', 'entity', 'subunit', 'indirect') "
                                       "AND context_type = ? AND context_value = ?", *mine)
        else:
            rows = self._app.store.all(
                "SELECT * FROM grants WHERE author_type = ? AND author_value = ? AND ((kind IN ('person', 'indirect') "
                "AND context_type = ? AND context_value = ?) OR (kind = 'subunit' AND target_value = ?))",
                principal.subject_type, principal.subject_value, *mine, principal.context_value)
        chosen = [row for row in rows if self._wanted(row, data)
                  and same(data.get("authorIdentifier"), row["author_type"], row["author_value"])
                  and same(data.get("authorizedIdentifier"), row["subject_type"], row["subject_value"])]
        return self._answer(request, chosen, self._person)

    def _person(self, row):
        result = {**base(row), "permissionScope": row["scope"], "permissionState": self._state(row),
                  "canDelegate": bool(row["delegate"]),
                  "authorizedIdentifier": identifier(row["subject_type"], row["subject_value"]),
                  "authorIdentifier": identifier(row["author_type"], row["author_value"]),
                  **details(row, "subjectPersonDetails", "subjectEntityDetails")}
        if row["kind"] == "subunit":
            result["contextIdentifier"] = identifier(row["context_type"], row["context_value"])
        if row["kind"] == "indirect":
            result["targetIdentifier"] = identifier(row["target_type"], row["target_value"])
        return result

    def subunits(self, request):
        """POST /permissions/query/subunits/grants."""
        wanted = request.data.get("subunitIdentifier")
        rows = self._app.store.all("SELECT * FROM grants WHERE kind = 'subunit' AND target_value = ?",
                                   request.principal.context_value)
        return self._answer(
            request, [row for row in rows if same(wanted, row["context_type"], row["context_value"])],
            lambda row: {**base(row), "permissionScope": row["scope"],
                         "authorizedIdentifier": identifier(row["subject_type"], row["subject_value"]),
                         "subunitIdentifier": identifier(row["context_type"], row["context_value"]),
                         "authorIdentifier": identifier(row["author_type"], row["author_value"]),
                         **details(row, "subjectPersonDetails", "subunitName")})

    def entities(self, request):
        """POST /permissions/query/entities/grants: what others let this context do for them."""
        wanted = request.data.get("contextIdentifier")
        rows = self._app.store.all("SELECT * FROM grants WHERE kind = 'entity' AND subject_type = 'Nip' AND "
                                   "subject_value = ?", request.principal.context_value)
        return self._answer(
            request, [row for row in rows if same(wanted, row["context_type"], row["context_value"])],
            lambda row: {**base(row), "permissionScope": row["scope"], "canDelegate": bool(row["delegate"]),
                         "contextIdentifier": identifier(row["context_type"], row["context_value"])})

    def authorizations(self, request):
        """POST /permissions/query/authorizations/grants: granted or received."""
        data, value = request.data, request.principal.context_value
        column = "context_value" if data["queryType"] == "Granted" else "subject_value"
        rows = self._app.store.all(f"SELECT * FROM grants WHERE kind = 'authorization' AND {column} = ?",  # noqa: S608
                                   value)
        chosen = [row for row in rows
                  if same(data.get("authorizingIdentifier"), row["context_type"], row["context_value"])
                  and same(data.get("authorizedIdentifier"), row["subject_type"], row["subject_value"])
                  and (not data.get("permissionTypes") or row["scope"] in data["permissionTypes"])]
        return self._answer(
            request, chosen, lambda row: {
                **base(row), "authorizationScope": row["scope"],
                "authorIdentifier": identifier(row["author_type"], row["author_value"]),
                "authorizedEntityIdentifier": identifier(row["subject_type"], row["subject_value"]),
                "authorizingEntityIdentifier": identifier(row["context_type"], row["context_value"]),
                **details(row, "subjectEntityDetails")}, "authorizationGrants")

    def eu_entities(self, request):
        """POST /permissions/query/eu-entities/grants."""
        principal, data = request.principal, request.data
        column = "context_value" if principal.context_type == "NipVatUe" else "target_value"
        rows = self._app.store.all(f"SELECT * FROM grants WHERE kind = 'eu' AND {column} = ?",  # noqa: S608
                                   principal.context_value)
        chosen = [row for row in rows if data.get("vatUeIdentifier") in (None, row["context_value"][11:])
                  and (data.get("authorizedFingerprintIdentifier") or "").upper() in row["subject_value"]
                  and (not data.get("permissionTypes") or row["scope"] in data["permissionTypes"])]
        return self._answer(request, chosen, self._eu_entity)

    def _eu_entity(self, row):
        """A representative's grant takes the entity's name from its administrator's."""
        named = row if details(row, "euEntityName") else self._app.store.one(
            "SELECT * FROM grants WHERE kind = 'eu' AND context_value = ? AND details LIKE '%euEntityName%'",
            row["context_value"]) or row
        return {**base(row), "permissionScope": row["scope"], "vatUeIdentifier": row["context_value"][11:],
                "euEntityName": details(named, "euEntityName").get("euEntityName", row["context_value"]),
                "authorizedFingerprintIdentifier": row["subject_value"],
                "authorIdentifier": identifier(row["author_type"], row["author_value"]),
                **details(row, "subjectPersonDetails", "subjectEntityDetails"), **details(named, "euEntityDetails")}

    # --- roles -------------------------------------------------------------------------------------------------

    def roles(self, request):
        """GET /permissions/query/entities/roles."""
        nip, found = request.principal.nip, []
        for row in self._app.store.all("SELECT * FROM subjects WHERE nip = ?", nip):
            role = {"role": ROLES[row["type"]], "description": row["description"], "startDate": row["created"]}
            if row["parent"]:
                role["parentEntityIdentifier"] = identifier("Nip", row["parent"])
            found.append(role)
        found += [{"role": "CourtBailiff", "description": row["description"], "startDate": row["created"]}
                  for row in self._app.store.all("SELECT * FROM persons WHERE nip = ? AND bailiff = 1", nip)]
        page, more = numbered(request, sorted(found, key=lambda role: role["startDate"], reverse=True))
        return {"roles": page, "hasMore": more}

    def subordinates(self, request):
        """POST /permissions/query/subordinate-entities/roles."""
        wanted = request.data.get("subordinateEntityIdentifier")
        rows = self._app.store.all("SELECT * FROM subjects WHERE parent = ? ORDER BY created DESC, nip",
                                   request.principal.nip)
        page, more = numbered(request, [row for row in rows if same(wanted, "Nip", row["nip"])])
        return {"roles": [{"subordinateEntityIdentifier": identifier("Nip", row["nip"]), "role": ROLES[row["type"]],
                           "description": row["description"], "startDate": row["created"]} for row in page],
                "hasMore": more}
