"""Queries about permissions that a program shows to its user."""

from .paging import numbered
from .store import unpacked


class GrantQueries:
    """The room of enquiries about permissions."""

    def __init__(self, app):
        self._app = app

    def personal(self, request):
        """POST /permissions/query/personal/grants: the caller's own permissions in this context."""
        principal, data = request.principal, request.data
        who = (principal.subject_type, principal.subject_value, principal.context_type, principal.context_value)
        rights = self._app.rights
        rows = [row for row in [*rights.direct(*who), *rights.indirect(*who)] if self._allowed(principal, row)]
        owner = [scope for scope in rights.owner_scopes(*who) if self._in_token(principal, scope)]
        rows = [row for row in rows if self._wanted(row, data)]
        rows.sort(key=lambda row: row["id"])
        rows.sort(key=lambda row: row["started"], reverse=True)
        page, more = numbered(request, rows)
        return {"permissions": [personal_permission(row) for row in page], "ownerPermissions": owner, "hasMore": more}

    @staticmethod
    def _in_token(principal, scope):
        return not principal.token_reference or scope in principal.permissions

    def _allowed(self, principal, row):
        return self._in_token(principal, row["scope"])

    @staticmethod
    def _wanted(row, data):
        context, target = data.get("contextIdentifier"), data.get("targetIdentifier")
        if context and (row["context_type"], row["context_value"]) != (context["type"], context["value"]):
            return False
        if target and (row["target_type"] or "AllPartners", row["target_value"] or None) != (
                target["type"], target.get("value") or None):
            return False
        if data.get("permissionTypes") and row["scope"] not in data["permissionTypes"]:
            return False
        return data.get("permissionState") in (None, "Active")


def personal_permission(row):
    """PersonalPermission of the contract."""
    result = {"id": row["id"], "contextIdentifier": {"type": row["context_type"], "value": row["context_value"]},
              "permissionScope": row["scope"], "description": row["description"], "permissionState": "Active",
              "startDate": row["started"], "canDelegate": bool(row["delegate"])}
    if row["context_type"] not in ("Nip", "InternalId"):
        del result["contextIdentifier"]
    if row["kind"] == "indirect":
        result["targetIdentifier"] = target_identifier(row)
    result.update(unpacked(row["details"], {}))
    return result


def target_identifier(row):
    """The target of an indirect grant; no target means all partners."""
    if row["target_type"] in ("", None, "AllPartners"):
        return {"type": "AllPartners"}
    return {"type": row["target_type"], "value": row["target_value"]}
