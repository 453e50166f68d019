"""Test data: subjects, persons, permissions, attachments, blocked contexts (the TEST environment's /testdata)."""
# ruff: noqa: S608  statements are put together from names that stand in this file; values are always bound

from . import clock
from .errors import ApiError
from .paging import numbered

SUBUNIT_TYPES = {"VatGroup": "VatGroupSubUnit", "JST": "LocalGovernmentSubUnit"}


class TestData:
    """The room of test data."""

    __test__ = False  # the name is no invitation to a test runner

    def __init__(self, app):
        self._app = app

    def _created(self, data, table, key, value):
        """The moment of creation; a repeated one must be later than the one before. Raises 30001 and 21405."""
        created = clock.text(clock.parse(data["createdDate"]) if data.get("createdDate") else self._app.clock.now())
        earlier = self._app.store.one(f"SELECT created FROM {table} WHERE {key} = ?", value)
        if earlier is not None:
            raise ApiError(30001)
        last = self._app.store.get(f"{table}:{value}")
        if last and data.get("createdDate") and created <= last:
            raise ApiError(21405, "$.createdDate: data musi być późniejsza niż poprzednia.")
        self._app.store.put(f"{table}:{value}", created)
        return created

    def create_subject(self, request):
        """POST /testdata/subject."""
        data = request.data
        subunits = data.get("subunits") or []
        if subunits and data["subjectType"] not in SUBUNIT_TYPES:
            raise ApiError(21405, "$.subunits: dozwolone tylko dla grupy VAT i JST.")
        with self._app.store.transaction() as store:
            created = self._created(data, "subjects", "nip", data["subjectNip"])
            store.insert("subjects", nip=data["subjectNip"], type=data["subjectType"],
                         description=data["description"], created=created)
            for unit in subunits:
                if store.one("SELECT 1 FROM subjects WHERE nip = ?", unit["subjectNip"]):
                    raise ApiError(30001)
                store.insert("subjects", nip=unit["subjectNip"], type=SUBUNIT_TYPES[data["subjectType"]],
                             parent=data["subjectNip"], description=unit["description"], created=created)

    def remove_subject(self, request):
        """POST /testdata/subject/remove: with its subunits and its permissions."""
        nip = request.data["subjectNip"]
        with self._app.store.transaction() as store:
            units = [row["nip"] for row in store.all("SELECT nip FROM subjects WHERE nip = ? OR parent = ?", nip, nip)]
            for unit in units:
                store.run("DELETE FROM grants WHERE context_value = ? OR subject_value = ?", unit, unit)
            store.run("DELETE FROM subjects WHERE nip = ? OR parent = ?", nip, nip)

    def create_person(self, request):
        """POST /testdata/person: the owner of a NIP (and a bailiff's right)."""
        data = request.data
        with self._app.store.transaction() as store:
            created = self._created(data, "persons", "nip", data["nip"])
            store.insert("persons", nip=data["nip"], pesel=data["pesel"], bailiff=int(data["isBailiff"]),
                         deceased=int(data.get("isDeceased", False)), description=data["description"], created=created)

    def remove_person(self, request):
        """POST /testdata/person/remove: with all permissions."""
        with self._app.store.transaction() as store:
            row = store.one("SELECT * FROM persons WHERE nip = ?", request.data["nip"])
            if row:
                store.run("DELETE FROM grants WHERE subject_value IN (?, ?)", row["nip"], row["pesel"])
                store.run("DELETE FROM persons WHERE nip = ?", row["nip"])

    def grant(self, request):
        """POST /testdata/permissions: as if ZAW-FA had been filed."""
        data, store = request.data, self._app.store
        context, subject = data["contextIdentifier"], data["authorizedIdentifier"]
        with store.transaction():
            for item in data["permissions"]:
                self._app.grants_store.add(
                    "person", item["permissionType"], (context["type"], context["value"]),
                    (subject["type"], subject["value"]), ("System", None), item["description"])

    def revoke(self, request):
        """POST /testdata/permissions/revoke."""
        context, subject = request.data["contextIdentifier"], request.data["authorizedIdentifier"]
        self._app.store.run(
            "DELETE FROM grants WHERE kind = 'person' AND context_type = ? AND context_value = ? AND subject_type = ? "
            "AND subject_value = ?", context["type"], context["value"], subject["type"], subject["value"])

    # --- attachments -------------------------------------------------------------------------------------------

    def allow_attachments(self, request):
        """POST /testdata/attachment."""
        self._app.store.run("INSERT OR REPLACE INTO attachments (nip, granted) VALUES (?, ?)", request.data["nip"],
                            clock.text(self._app.clock.now()))

    def forbid_attachments(self, request):
        """POST /testdata/attachment/revoke: at once, or at the end of a day to come."""
        day = request.data.get("expectedEndDate")
        end = f"{day}T00:00:00.0000000+00:00" if day else clock.text(self._app.clock.now())
        self._app.store.update("attachments", "nip", request.data["nip"], revoked=end)

    def attachments_allowed(self, nip):
        """May invoices of this seller carry attachments now?"""
        return bool(self._app.store.one("SELECT 1 FROM attachments WHERE nip = ? AND (revoked IS NULL OR revoked > ?)",
                                        nip, clock.text(self._app.clock.now())))

    def attachment_status(self, request):
        """GET /permissions/attachments/status."""
        nip = request.principal.nip
        result = {"isAttachmentAllowed": self.attachments_allowed(nip)}
        revoked = self._app.store.value("SELECT revoked FROM attachments WHERE nip = ?", nip)
        if revoked:
            result["revokedDate"] = revoked
        return result

    # --- contexts and Peppol -----------------------------------------------------------------------------------

    def block(self, request):
        """POST /testdata/context/block: logins in the context end with status 480."""
        context = request.data.get("contextIdentifier")
        if context:
            self._app.store.run("INSERT OR IGNORE INTO blocked VALUES (?, ?)", context["type"], context["value"])

    def unblock(self, request):
        """POST /testdata/context/unblock."""
        context = request.data.get("contextIdentifier")
        if context:
            self._app.store.run("DELETE FROM blocked WHERE context_type = ? AND context_value = ?", context["type"],
                                context["value"])

    def peppol(self, request):
        """GET /peppol/query: providers that have logged in with their certificate."""
        rows = self._app.store.all("SELECT * FROM peppol ORDER BY created DESC, id")
        page, more = numbered(request, rows)
        return {"peppolProviders": [{"id": row["id"], "name": row["name"], "dateCreated": row["created"]}
                                    for row in page], "hasMore": more}
