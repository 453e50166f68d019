"""Who may do what: the permissions of a subject in a context, from ownership and from grants."""
# ruff: noqa: S608  statements are put together from names that stand in this file; values are always bound

from .models_permissions import PERSON_SCOPES

OWNER_SCOPES = tuple(scope for scope in PERSON_SCOPES if scope != "EnforcementOperations")


class Rights:
    """Permissions as they stand now."""

    def __init__(self, app):
        self._app = app

    def of(self, subject_type, subject_value, context_type, context_value):
        """The set of permissions that a subject has in a context; empty means that it may not log in there."""
        scopes = set(self.owner_scopes(subject_type, subject_value, context_type, context_value))
        scopes.update(row["scope"] for row in self.direct(subject_type, subject_value, context_type, context_value))
        scopes.update(self._through_subunit_owner(subject_type, subject_value, context_type, context_value))
        scopes.update(row["scope"] for row in self.indirect(subject_type, subject_value, context_type, context_value))
        if context_type == "Nip":
            scopes.update(self._as_entity(subject_type, subject_value, context_value))
        return scopes

    def identifiers(self, subject_type, subject_value):
        """The subject's identifiers: a NIP and a PESEL that belong to one person are the same subject."""
        found = [(subject_type, subject_value)]
        store = self._app.store
        if subject_type == "Pesel":
            found += [("Nip", row["nip"])
                      for row in store.all("SELECT nip FROM persons WHERE pesel = ?", subject_value)]
        elif subject_type == "Nip":
            found += [("Pesel", row["pesel"])
                      for row in store.all("SELECT pesel FROM persons WHERE nip = ?", subject_value)]
        return found

    def owner_scopes(self, subject_type, subject_value, context_type, context_value):
        """Everything, when the subject is the owner of the context (its NIP, or the person behind that NIP)."""
        if context_type == "PeppolId" and (subject_type, subject_value) == ("PeppolId", context_value):
            return ("PefInvoiceWrite", "InvoiceWrite", "InvoiceRead", "Introspection", "CredentialsRead")
        if context_type != "Nip" or ("Nip", context_value) not in self.identifiers(subject_type, subject_value):
            return ()
        return (*OWNER_SCOPES, "EnforcementOperations") if self._enforces(context_value) else OWNER_SCOPES

    def _enforces(self, nip):
        """Bailiffs and enforcement authorities have one right more."""
        store = self._app.store
        return bool(store.one("SELECT 1 FROM persons WHERE nip = ? AND bailiff = 1", nip)
                    or store.one("SELECT 1 FROM subjects WHERE nip = ? AND type = 'EnforcementAuthority'", nip))

    def direct(self, subject_type, subject_value, context_type, context_value):
        """Grants to the subject in the context itself."""
        rows = []
        for kind, value in self.identifiers(subject_type, subject_value):
            rows += self._app.store.all(
                "SELECT * FROM grants WHERE kind IN ('person', 'entity', 'subunit', 'eu') AND context_type = ? "
                "AND context_value = ? AND subject_type = ? AND subject_value = ?",
                context_type, context_value, kind, value)
        return rows

    def indirect(self, subject_type, subject_value, context_type, context_value):
        """Grants passed on by an intermediary that itself may pass them on."""
        if context_type not in ("Nip", "InternalId"):
            return []
        rows = []
        for kind, value in self.identifiers(subject_type, subject_value):
            for row in self._app.store.all(
                    "SELECT * FROM grants WHERE kind = 'indirect' AND subject_type = ? AND subject_value = ? "
                    "AND (target_type IN ('', 'AllPartners') OR (target_type = ? AND target_value = ?))",
                    kind, value, context_type, context_value):
                if self.passed_on(row, context_value):
                    rows.append(row)
        return rows

    def passed_on(self, row, client):
        """Does the client let the intermediary pass this permission on?"""
        return bool(self._app.store.one(
            "SELECT 1 FROM grants WHERE kind = 'entity' AND delegate = 1 AND scope = ? AND context_value = ? "
            "AND subject_type = 'Nip' AND subject_value = ?", row["scope"], client[:10], row["context_value"]))

    def _through_subunit_owner(self, subject_type, subject_value, context_type, context_value):
        """The owner of a NIP may read what concerns its internal identifiers' tokens and permissions."""
        owner = ("Nip", context_value[:10])
        if context_type == "InternalId" and owner in self.identifiers(subject_type, subject_value):
            return {"CredentialsManage", "CredentialsRead", "InvoiceRead", "InvoiceWrite", "Introspection"}
        return set()

    def _as_entity(self, subject_type, subject_value, context_value):
        """A company that was authorised for self-billing or as a representative may send in its own context only."""
        rows = self._app.store.all(
            "SELECT scope FROM grants WHERE kind = 'authorization' AND context_value = ? AND subject_type = ? "
            "AND subject_value = ? AND scope = 'PefInvoicing'", context_value, subject_type, subject_value)
        return {"PefInvoiceWrite"} if rows else set()

    def may_issue_for(self, context_type, context_value, invoice):
        """May an invoice of this seller be sent from this context? (Wrong scope gives invoice status 410.)

        ``invoice`` is the ``fa3_reader.Invoice``. Own invoices always; others need an authorisation from the seller.
        """
        seller = invoice.seller_nip
        if context_type == "InternalId":
            return seller == context_value[:10]
        if context_type == "Nip" and (seller == context_value or self._parent_of(context_value, seller)):
            return True
        scopes = {row["scope"] for row in self._app.store.all(
            "SELECT scope FROM grants WHERE kind = 'authorization' AND context_value = ? AND subject_value = ?",
            seller, context_value[:10] if context_type == "NipVatUe" else context_value)}
        if invoice.form == "FA_RR":
            return "RRInvoicing" in scopes
        if context_type == "NipVatUe":
            return context_value[:10] == seller and invoice.self_invoicing
        if invoice.authorized_role in (1, 2):
            return invoice.authorized_nip == context_value and self._enforces(context_value)
        if "SelfInvoicing" in scopes and invoice.self_invoicing and invoice.buyer_nip == context_value:
            return True
        return "TaxRepresentative" in scopes and invoice.authorized_nip == context_value

    def _parent_of(self, context_value, seller):
        return bool(self._app.store.one("SELECT 1 FROM subjects WHERE nip = ? AND parent = ?", seller, context_value))

    def is_deceased(self, subject_type, subject_value):
        """Was the person reported dead through the test data?"""
        column = "pesel" if subject_type == "Pesel" else "nip"
        return bool(self._app.store.one(f"SELECT 1 FROM persons WHERE {column} = ? AND deceased = 1", subject_value))

    def is_blocked(self, context_type, context_value):
        """Was the context blocked through the test data?"""
        return bool(self._app.store.one("SELECT 1 FROM blocked WHERE context_type = ? AND context_value = ?",
                                        context_type, context_value))

