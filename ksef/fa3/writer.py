"""Writes the XML of an invoice: a pure function of the model, the same bytes every time."""

from lxml import etree

from .codes import TaxGroup
from .lexical import AMOUNT, MARK
from .literal import LITERALS
from .model import Invoice
from .nodes import (
    NAMESPACE,
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
    with_values,
)
from .structure import INVOICE

_GROUP_ORDER = {group: position for position, group in enumerate(TaxGroup)}


class UnwritableError(ValueError):
    """The invoice has no XML form: a required value is missing or a text can't stand in XML.

    Never raised for an invoice in which :func:`.rules.check` found no error.
    """


def write(invoice: Invoice) -> bytes:
    """Return the FA(3) document of an invoice: UTF-8 without BOM, with an XML declaration, not indented.

    Values that were read are written as they stood in their document, others in one form: amounts with two digits
    after the point, moments in UTC.
    """
    hints = {'xsi': SCHEMA_INSTANCE} if invoice.schema_location else {}
    root = etree.Element(qualified('Faktura'), nsmap={None: NAMESPACE, **hints})
    _write_children(root, INVOICE, invoice)
    return etree.tostring(root, encoding='UTF-8', xml_declaration=True)


def _write_children(parent, children: tuple, source):
    for node, value in with_values(children, source):
        if type(node) is Leaf and node.limit is None:  # by far the most frequent case
            _write_value(parent, node, value)
        else:
            _WRITERS[type(node)](parent, node, source)


def _write_value(parent, node: Leaf, value):
    if value is None:
        raise UnwritableError(f"{node.tag}: no value for {node.attribute}")
    if value is not False or node.type is not MARK:
        _add_text(parent, node.name, _text(node.type, value))


def _text(lexical_type, value) -> str:
    return (type(value) in LITERALS and value.literal) or lexical_type.to_text(value)


def _add_text(parent, name: str, text: str):
    try:
        etree.SubElement(parent, name).text = text
    except ValueError as error:  # lxml's answer to characters that XML forbids
        raise UnwritableError(f"{name}: the text can't stand in XML") from error


def _write_many(parent, node: Leaf, source):
    for value in getattr(source, node.attribute):
        _write_value(parent, node, value)


def _write_attribute(parent, node: Attribute, source):
    value = getattr(source, node.attribute)
    if value is not None:
        parent.set(node.tag, _text(node.type, value))
    elif node.required:
        raise UnwritableError(f"{node.tag}: no value for {node.attribute}")


def _write_constant(parent, node: Constant, source):
    etree.SubElement(parent, node.name, node.attributes).text = node.text


def _write_wrap(parent, node: Wrap, source):
    element = etree.SubElement(parent, node.name)
    _write_children(element, node.children, source)
    if node.optional and not len(element):
        parent.remove(element)


def _write_branch(parent, node: Branch, source):
    value = getattr(source, node.attribute)
    if value is None and node.required:
        raise UnwritableError(f"{node.tag}: no value for {node.attribute}")
    for item in value if node.limit else (value,) * (value is not None):
        _write_children(etree.SubElement(parent, node.name), node.record.children, item)


def _write_inline(parent, node: Inline, source):
    value = getattr(source, node.attribute)
    if value is not None:
        _write_children(parent, node.record.children, value)


def _write_marked(parent, node: Marked, source):
    value = getattr(source, node.attribute)
    if value is not None:
        _add_text(parent, qualified(node.mark), '1')
        _write_value(parent, node.leaf, value)
    elif node.otherwise:
        _add_text(parent, qualified(node.otherwise), '1')


def _write_choice(parent, node: Choice, source):
    _write_children(parent, node.options, source)


def _write_variant(parent, node: Variant, source):
    value = getattr(source, node.attribute)
    if type(value) not in node.cases:
        raise UnwritableError(f"no value for {node.attribute}")
    _write_children(parent, node.cases[type(value)], value)


def _write_statement(parent, node: Statement, source):
    value = getattr(source, node.attribute)
    element = etree.SubElement(parent, node.name)
    _add_text(element, qualified(node.no if value is None else node.yes), '1')
    if value is None:
        return
    if isinstance(node.content, Record):
        _write_children(element, node.content.children, value)
    else:
        _add_text(element, qualified(value.value), '1')


def _write_totals(parent, node: Totals, source):
    for total in sorted(getattr(source, node.attribute), key=lambda total: _GROUP_ORDER[total.group]):
        amounts = zip(total.group.value, (total.net, total.tax, total.tax_in_pln), strict=True)
        for tag, amount in amounts:
            if amount is not None and tag is None:
                raise UnwritableError(f"{total.group.name}: this group has no such amount")
            if amount is not None:
                _add_text(parent, qualified(tag), _text(AMOUNT, amount))


_WRITERS = {
    Leaf: _write_many,
    Attribute: _write_attribute,
    Constant: _write_constant,
    Wrap: _write_wrap,
    Branch: _write_branch,
    Inline: _write_inline,
    Marked: _write_marked,
    Choice: _write_choice,
    Variant: _write_variant,
    Statement: _write_statement,
    Totals: _write_totals,
}
