"""The parts of which the table of FA(3) in :mod:`.structure` is made."""

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import Any

from .codes import TaxGroup

NAMESPACE = 'http://crd.gov.pl/wzor/2025/06/25/13775/'
SCHEMA_INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'


def qualified(tag: str) -> str:
    """Return the name of an FA(3) element as lxml takes it."""
    return f'{{{NAMESPACE}}}{tag}'


class Node:
    """A part of the table; most have the ``tag`` of an element."""

    tag: str

    @cached_property
    def name(self) -> str:
        """Return the name of the element as lxml takes it."""
        return qualified(self.tag)


@dataclass(frozen=True, eq=False)
class Record:
    """A class of the model and the nodes that its attributes become."""

    model: type
    children: tuple


@dataclass(frozen=True, eq=False)
class Leaf(Node):
    """An element with text: the value of one attribute, written by its simple type.

    ``None`` is left out (a finding, when ``required``); with ``limit`` the attribute is a tuple, written as that
    many elements at most (at least one, when ``required``).
    """

    attribute: str
    tag: str
    type: Any
    required: bool = False
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Attribute(Node):
    """An attribute of the XML element of the object; ``tag`` is its name as lxml takes it."""

    attribute: str
    tag: str
    type: Any
    required: bool = True


@dataclass(frozen=True, eq=False)
class Constant(Node):
    """An element that is always the same."""

    tag: str
    text: str
    attributes: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Wrap(Node):
    """An element around other nodes of the same object; when ``optional``, only around at least one value."""

    tag: str
    children: tuple
    optional: bool = False


@dataclass(frozen=True, eq=False)
class Branch(Node):
    """An element for an attribute that is an object of its own (or a tuple of them, with ``limit``)."""

    attribute: str
    tag: str
    record: Record
    required: bool = False
    limit: int | None = None

    @property
    def children(self) -> tuple:
        """Return the nodes inside the element."""
        return self.record.children


@dataclass(frozen=True, eq=False)
class Inline(Node):
    """An optional object whose elements stand among those of the object above, without an element around."""

    attribute: str
    record: Record
    required: bool = False


@dataclass(frozen=True, eq=False)
class Marked(Node):
    """A mark (an element with 1) and after it the value; another mark, or nothing, when there is no value."""

    mark: str
    leaf: Leaf
    otherwise: str | None = None
    required: bool = False

    @property
    def attribute(self) -> str:
        """Return the attribute of the value."""
        return self.leaf.attribute

    @cached_property
    def parts(self) -> tuple:
        """Return the nodes behind the mark."""
        return (self.leaf,)


@dataclass(frozen=True, eq=False)
class Choice(Node):
    """Attributes of which at most one has a value (exactly one, when ``required``)."""

    options: tuple
    required: bool = False


@dataclass(frozen=True, eq=False)
class Variant(Node):
    """A choice: the class of the attribute's value decides which nodes are written, without an element around."""

    attribute: str
    records: tuple[Record, ...]

    @cached_property
    def cases(self) -> dict[type, tuple]:
        """Return the nodes by class."""
        return {record.model: record.children for record in self.records}


@dataclass(frozen=True, eq=False)
class Statement(Node):
    """An element that says no (with the mark ``no``) or yes (with the mark ``yes``, and then what is stated).

    ``content`` is the record of the attribute, or an enumeration whose values are marks themselves.
    """

    attribute: str
    tag: str
    yes: str
    no: str
    content: Record | type[Enum]


@dataclass(frozen=True, eq=False)
class Totals(Node):
    """The sums per group of rates (``P_13_x``, ``P_14_x``, ``P_14_xW``), in the order of ``TaxGroup``."""

    attribute: str
    limit: int = len(TaxGroup)


_plans: dict[int, tuple] = {}


def with_values(children: tuple, source):
    """Yield the nodes that an object has something for, each with its value; most of what FA(3) offers is left out.

    Nodes without an attribute of their own, and those that say something of what is missing, are always among them.

    :param children: nodes of the table, which lives as long as the program
    """
    plan = _plans.get(id(children))
    if plan is None:
        names = [getattr(node, 'attribute', '__class__') for node in children]
        optional = [_is_silent(node) for node in children]
        # two at least, so that the getter gives a tuple; zip() leaves out the one too many
        plan = _plans[id(children)] = (children, optional, attrgetter(*names, '__class__'))
    nodes, optional, values = plan
    for node, may_lack, value in zip(nodes, optional, values(source), strict=False):
        if not may_lack or (value is not None and value is not _NOTHING):
            yield node, value


_NOTHING = ()


def _is_silent(node) -> bool:
    """Tell whether a node without a value is neither written nor found to be wrong."""
    optional = isinstance(node, Leaf | Attribute | Branch | Inline | Marked) and not node.required
    return optional and not getattr(node, 'otherwise', None)
