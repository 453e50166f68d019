"""From a method and a path to an operation, by a tree built from the table of operations."""

from dataclasses import dataclass, field

from .errors import Problem


@dataclass(frozen=True)
class Operation:
    """One row of the routing table.

    ``auth``: None (anonymous), or the kinds of JWT accepted (claim typ).
    ``permissions``: one of these is needed; empty means any valid token.
    ``group``: the group of the rate limits. ``body``: the shape of the JSON body. ``query``: shapes of parameters.
    """

    method: str
    path: str
    handler: str
    success: int = 200
    auth: tuple | None = ("ContextToken",)
    permissions: tuple = ()
    group: str = "other"
    body: object = None
    query: dict = field(default_factory=dict)
    content: str = "json"
    limit: int = 2_000_000
    test_only: bool = False

    @property
    def name(self):
        """``METHOD /path`` as the contract writes it."""
        return f"{self.method} {self.path}"


class Node:
    """One segment of the tree."""

    def __init__(self):
        self.children = {}
        self.wild = None
        self.name = None
        self.operations = {}


class Router:
    """Finds the operation of a request; literal segments go before parameters."""

    def __init__(self, operations, prefix=""):
        self.root = Node()
        for operation in operations:
            self._add(operation, prefix)

    def _add(self, operation, prefix):
        node = self.root
        for segment in (prefix + operation.path).strip("/").split("/"):
            if segment.startswith("{"):
                node.wild = node.wild or Node()
                node.wild.name = segment[1:-1]
                node = node.wild
            else:
                node = node.children.setdefault(segment, Node())
        if operation.method in node.operations:
            raise ValueError(f"two handlers for {operation.name}")
        node.operations[operation.method] = operation

    def find(self, method, path):
        """(operation, {parameter: value}); raises 404 or 405 (with Allow)."""
        segments = path.strip("/").split("/")
        values = []
        node = self._walk(self.root, segments, 0, values)
        if node is None:
            raise Problem(404, "Nie znaleziono zasobu.")
        operation = node.operations.get(method)
        if operation is None:
            raise Problem(405, "Metoda niedozwolona.", headers=[("Allow", ", ".join(sorted(node.operations)))])
        return operation, dict(values)

    def _walk(self, node, segments, index, values):
        if index == len(segments):
            return node if node.operations else None
        child = node.children.get(segments[index])
        if child is not None:
            found = self._walk(child, segments, index + 1, values)
            if found is not None:
                return found
        if node.wild is not None and segments[index]:
            values.append((node.wild.name, segments[index]))
            found = self._walk(node.wild, segments, index + 1, values)
            if found is not None:
                return found
            values.pop()
        return None
