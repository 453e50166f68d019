"""Reads the XML of an invoice into the model, by the same table as the writer.

Nothing is left out silently: ``write(read(xml))`` is the same document in canonical form (but for comments, unused
namespaces and the spelling of marks and codes), and what the model has no place for is refused with its path.
"""

from functools import cache

from lxml import etree

from .codes import TaxGroup
from .document import ReadProblem, parse_invoice
from .lexical import AMOUNT, MARK, YES_NO
from .model import GroupTotal, Invoice
from .nodes import (
    SCHEMA_INSTANCE,
    Attribute,
    Branch,
    Choice,
    Constant,
    Inline,
    Leaf,
    Marked,
    Record,
    Statement,
    Totals,
    Variant,
    Wrap,
    qualified,
)
from .structure import INVOICE

_ROOT = Record(Invoice, INVOICE)
_MISSING = object()


def read(xml: bytes) -> Invoice:
    """Return the invoice that stands in an FA(3) document.

    :raises ReadProblem: it is no FA(3) invoice (see the subclasses in :mod:`.document`), or holds something that the
        schema doesn't know, lacks something that it demands, or has it in another order.
    """
    root = parse_invoice(xml)
    etree.strip_tags(root, etree.Comment, etree.PI)
    return _read_record(_ROOT, root)


class _Cursor:
    """The children of an element, taken one after another in the order of the table."""

    def __init__(self, element):
        self.element = element
        self.children = list(element)
        self.position = 0
        self.attributes = set(element.keys())
        if (element.text or '').strip() or any((child.tail or '').strip() for child in self.children):
            raise _problem('text-unexpected', element, "there is text between the elements")

    @property
    def next_name(self) -> str | None:
        """Name of the next element, ``None`` at the end."""
        return self.children[self.position].tag if self.position < len(self.children) else None

    def take(self, name: str):
        """Return the next element and go on, if it has this name."""
        if self.position < len(self.children) and self.children[self.position].tag == name:
            self.position += 1
            return self.children[self.position - 1]
        return None

    def demand(self, name: str):
        """Return the next element, which must have this name."""
        child = self.take(name)
        if child is None:
            raise self.missing(name)
        return child

    def missing(self, name: str) -> ReadProblem:
        """Return that an element is missing here, or that another one stands before it."""
        following = self.children[self.position:]
        if any(child.tag == name for child in following):
            return _problem('element-unexpected', following[0], "this element is unknown, repeated, or in the wrong place")
        tag = name.rpartition('}')[2]
        return _problem('element-missing', self.element, f"{tag} is missing", name=tag)

    def finish(self):
        """Make sure that nothing is left."""
        if self.position < len(self.children):
            child = self.children[self.position]
            raise _problem('element-unexpected', child, "this element is unknown, repeated, or in the wrong place")
        _refuse_attributes(self.element, self.attributes)


def _refuse_attributes(element, names):
    """Attributes of XML Schema itself (hints about types) say nothing about the invoice; others are unknown."""
    unknown = [name for name in names if not name.startswith(f'{{{SCHEMA_INSTANCE}}}')]
    if unknown:
        raise _problem('attribute-unexpected', element, f"the attribute {unknown[0]} is unknown", attribute=unknown[0])


def _problem(code: str, element, message: str, **values) -> ReadProblem:
    path = element.getroottree().getelementpath(element)
    names = [part.rpartition('}')[2] for part in _split_path(path)]
    return ReadProblem(code, message, '/'.join(names), element.sourceline or 0, **values)


def _split_path(path: str) -> list[str]:
    """Cut a path of lxml at the slashes outside of namespaces."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(path):
        depth += (character == '{') - (character == '}')
        if character == '/' and not depth:
            parts.append(path[start:position])
            start = position + 1
    return [*parts, path[start:]]


def _read_record(record: Record, element):
    cursor = _Cursor(element)
    values = {}
    _read_children(record.children, cursor, values)
    cursor.finish()
    return record.model(**values)


def _read_children(children: tuple, cursor: _Cursor, values: dict):
    for node in children:
        if type(node) is Leaf and node.limit is None:  # by far the most frequent case
            child = cursor.take(node.name)
            if child is not None:
                values[node.attribute] = _value(node.type, child)
            elif node.required or node.type is YES_NO:
                raise cursor.missing(node.name)
            else:
                values[node.attribute] = False if node.type is MARK else None
        else:
            _READERS[type(node)](node, cursor, values)


def _value(lexical_type, element):
    if len(element):
        raise _problem('element-unexpected', element[0], "an element where there should be text")
    if element.attrib:
        _refuse_attributes(element, element.keys())
    return _convert(lexical_type, element.text or '', element)


def _convert(lexical_type, text: str, element):
    try:
        return lexical_type.from_text(text)
    except (ValueError, OverflowError) as error:
        raise _problem('value-invalid', element, f"{text[:80]!r}: {error}", value=text[:80]) from error


def _read_many(node: Leaf, cursor: _Cursor, values: dict):
    found = []
    while (child := cursor.take(node.name)) is not None:
        found.append(_value(node.type, child))
    if node.required and not found:
        raise cursor.missing(node.name)
    values[node.attribute] = tuple(found)


def _read_attribute(node: Attribute, cursor: _Cursor, values: dict):
    text = cursor.element.get(node.tag)
    if text is None and node.required:
        sentence = f"the attribute {node.tag} is missing"
        raise _problem('attribute-missing', cursor.element, sentence, attribute=node.tag)
    cursor.attributes.discard(node.tag)
    values[node.attribute] = None if text is None else _convert(node.type, text, cursor.element)


def _read_constant(node: Constant, cursor: _Cursor, values: dict):
    element = cursor.demand(node.name)
    same = (element.text or '').strip() == node.text and all(
        element.get(name) == value for name, value in node.attributes.items())
    if not same or len(element):
        raise _problem('value-invalid', element, f"not {node.text}", value=(element.text or '')[:80])
    _refuse_attributes(element, set(element.keys()) - set(node.attributes))


def _read_mark(name: str, cursor: _Cursor):
    _value(MARK, cursor.demand(name))


def _read_wrap(node: Wrap, cursor: _Cursor, values: dict):
    if node.optional and cursor.next_name != node.name:
        values.update((leaf.attribute, ()) for leaf in node.children)
        return
    inner = _Cursor(cursor.demand(node.name))
    _read_children(node.children, inner, values)
    inner.finish()


def _read_branch(node: Branch, cursor: _Cursor, values: dict):
    found = []
    while (child := cursor.take(node.name)) is not None:
        found.append(_read_record(node.record, child))
        if not node.limit:
            break
    if node.required and not found:
        raise cursor.missing(node.name)
    values[node.attribute] = tuple(found) if node.limit else next(iter(found), None)


def _read_inline(node: Inline, cursor: _Cursor, values: dict):
    values[node.attribute] = None
    if cursor.next_name in _names(node.record):
        inner = {}
        _read_children(node.record.children, cursor, inner)
        values[node.attribute] = node.record.model(**inner)


def _read_marked(node: Marked, cursor: _Cursor, values: dict):
    values[node.attribute] = None
    if cursor.next_name == qualified(node.mark):
        _read_mark(qualified(node.mark), cursor)
        values[node.attribute] = _value(node.leaf.type, cursor.demand(node.leaf.name))
    elif node.otherwise:
        _read_mark(qualified(node.otherwise), cursor)


def _read_choice(node: Choice, cursor: _Cursor, values: dict):
    _read_children(node.options, cursor, values)


def _read_variant(node: Variant, cursor: _Cursor, values: dict):
    record = next((record for record in node.records if cursor.next_name in _names(record)), None)
    if record is None:
        raise cursor.missing(node.records[0].children[0].name)
    inner = {}
    _read_children(record.children, cursor, inner)
    values[node.attribute] = record.model(**inner)


def _read_statement(node: Statement, cursor: _Cursor, values: dict):
    inner = _Cursor(cursor.demand(node.name))
    values[node.attribute] = None
    if inner.next_name == qualified(node.no):
        _read_mark(qualified(node.no), inner)
    else:
        _read_mark(qualified(node.yes), inner)
        values[node.attribute] = _read_stated(node.content, inner)
    inner.finish()


def _read_stated(content, cursor: _Cursor):
    if isinstance(content, Record):
        values = {}
        _read_children(content.children, cursor, values)
        return content.model(**values)
    for member in content:
        if cursor.next_name == qualified(member.value):
            _read_mark(qualified(member.value), cursor)
            return member
    raise cursor.missing(next(iter(content)).value)


def _read_totals(node: Totals, cursor: _Cursor, values: dict):
    found = []
    for group in TaxGroup:
        net, *others = (_read_amount(tag, cursor) for tag in group.value)
        if net is not None:
            found.append(GroupTotal(group=group, net=net, tax=others[0], tax_in_pln=others[1]))
        elif others != [None, None]:
            raise cursor.missing(qualified(group.net_element))
    values[node.attribute] = tuple(found)


def _read_amount(tag: str | None, cursor: _Cursor):
    child = cursor.take(qualified(tag)) if tag else None
    return None if child is None else _value(AMOUNT, child)


@cache
def _names(record: Record) -> frozenset:
    """Return the names of all elements with which the nodes of a record can begin or go on."""
    return frozenset(_all_names(record.children))


def _all_names(children: tuple):
    for node in children:
        if isinstance(node, Marked):
            yield from (qualified(tag) for tag in (node.mark, node.otherwise) if tag)
            yield node.leaf.name
        elif isinstance(node, Choice):
            yield from _all_names(node.options)
        elif isinstance(node, Inline):
            yield from _names(node.record)
        else:
            yield node.name


_READERS = {
    Leaf: _read_many,
    Attribute: _read_attribute,
    Constant: _read_constant,
    Wrap: _read_wrap,
    Branch: _read_branch,
    Inline: _read_inline,
    Marked: _read_marked,
    Choice: _read_choice,
    Variant: _read_variant,
    Statement: _read_statement,
    Totals: _read_totals,
}
