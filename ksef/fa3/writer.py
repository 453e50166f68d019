"""Writes the XML of an invoice: a pure function of the model, the same bytes every time."""

from lxml import etree

from .codes import TaxGroup
from .lexical import AMOUNT, MARK
from .model import Invoice
from .structure import INVOICE, NAMESPACE, Branch, Constant, Leaf, Totals, Variant, Wrap

_GROUP_ORDER = {group: position for position, group in enumerate(TaxGroup)}


class UnwritableError(ValueError):
    """The invoice has no XML form: a required value is missing or a text can't stand in XML.

    Never raised for an invoice in which :func:`.rules.check` found no error.
    """


def write(invoice: Invoice) -> bytes:
    """Return the FA(3) document of an invoice: UTF-8 without BOM, with an XML declaration, not indented."""
    root = etree.Element(f'{{{NAMESPACE}}}Faktura', nsmap={None: NAMESPACE})
    _write_children(root, INVOICE, invoice)
    return etree.tostring(root, encoding='UTF-8', xml_declaration=True)


def _write_children(parent, children: tuple, source):
    for node in children:
        if type(node) is Leaf and node.limit is None:  # by far the most frequent case
            value = getattr(source, node.attribute)
            if value is not None or node.required:
                _write_value(parent, node, value)
        else:
            _WRITERS[type(node)](parent, node, source)


def _write_value(parent, node: Leaf, value):
    if value is None:
        raise UnwritableError(f"{node.tag}: no value for {node.attribute}")
    if value is not False or node.type is not MARK:
        _add_text(parent, node.name, node.type.to_text(value))


def _add_text(parent, name: str, text: str):
    try:
        etree.SubElement(parent, name).text = text
    except ValueError as error:  # lxml's answer to characters that XML forbids
        raise UnwritableError(f"{name}: the text can't stand in XML") from error


def _write_many(parent, node: Leaf, source):
    for value in getattr(source, node.attribute):
        _write_value(parent, node, value)


def _write_constant(parent, node: Constant, source):
    etree.SubElement(parent, node.name, node.attributes).text = node.text


def _write_wrap(parent, node: Wrap, source):
    _write_children(etree.SubElement(parent, node.name), node.children, source)


def _write_branch(parent, node: Branch, source):
    value = getattr(source, node.attribute)
    if value is None and node.required:
        raise UnwritableError(f"{node.tag}: no value for {node.attribute}")
    for item in value if node.limit else (value,) * (value is not None):
        _write_children(etree.SubElement(parent, node.name), node.children, item)


def _write_variant(parent, node: Variant, source):
    value = getattr(source, node.attribute)
    _write_children(parent, node.cases[type(value)], value)


def _write_totals(parent, node: Totals, source):
    for total in sorted(getattr(source, node.attribute), key=lambda total: _GROUP_ORDER[total.group]):
        amounts = zip(total.group.value, (total.net, total.tax, total.tax_in_pln), strict=True)
        for tag, amount in amounts:
            if amount is not None and tag is None:
                raise UnwritableError(f"{total.group.name}: this group has no such amount")
            if amount is not None:
                _add_text(parent, f'{{{NAMESPACE}}}{tag}', AMOUNT.to_text(amount))


_WRITERS = {
    Leaf: _write_many,
    Constant: _write_constant,
    Wrap: _write_wrap,
    Branch: _write_branch,
    Variant: _write_variant,
    Totals: _write_totals,
}
