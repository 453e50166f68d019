"""Grants as they are kept, whatever operation made them."""

from . import clock


class GrantsStore:
    """Adds grants; a grant that exists already is not doubled."""

    def __init__(self, app):
        self._app = app

    def add(self, kind, scope, context, subject, author, description, *, target=("", ""), delegate=False,
            details=None):
        """Add a grant and return its id. ``context``, ``subject``, ``author`` and ``target`` are (type, value)."""
        store = self._app.store
        with store.transaction():
            known = store.one(
                "SELECT id FROM grants WHERE kind = ? AND scope = ? AND context_type = ? AND context_value = ? AND "
                "subject_type = ? AND subject_value = ? AND target_type = ? AND target_value = ?",
                kind, scope, *context, *subject, *target)
            if known:
                store.update("grants", "id", known["id"], delegate=int(delegate), description=description,
                             details=details)
                return known["id"]
            identifier = self._app.numbers.uuid()
            store.insert("grants", id=identifier, kind=kind, scope=scope, context_type=context[0],
                         context_value=context[1], subject_type=subject[0], subject_value=subject[1],
                         target_type=target[0], target_value=target[1], delegate=int(delegate), author_type=author[0],
                         author_value=author[1], description=description, started=clock.text(self._app.clock.now()),
                         details=details)
            return identifier
