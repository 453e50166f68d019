"""An invoice as people read it: sections with rows and tables of Polish words and formatted values.

Neutral data, made from the model by the same table as the XML, so that nothing of an invoice is left out (what it states
as "no" aside). :mod:`.view_html` makes a page of it; a template can do the same.
"""

from dataclasses import dataclass
from functools import cache

from . import model
from .codes import InvoiceKind
from .labels import label
from .meanings import meaning
from .nodes import Attribute, Branch, Choice, Constant, Inline, Leaf, Marked, Record, Statement, Totals, Variant, Wrap
from .structure import INVOICE
from .view_values import amount, is_number, text

# The sections of the page, in the order in which KSeF's own visualisation has them; others follow.
_ORDER = (
    'seller', 'buyer', 'third_parties', 'authorized_party', 'correction', 'lines', 'group_totals', 'annotations',
    'partial_advances', 'advance_invoices', 'remarks', 'settlement', 'payment', 'transaction', 'order', 'footer', 'attachment',
)
_SINGLE_ROWS = (model.Address, model.Period, model.TermDescription)  # objects that are shown as rows of the one above
# What the total is, by kind (schema, P_15).
_TOTALS = {
    InvoiceKind.ADVANCE: "Otrzymana kwota zapłaty",
    InvoiceKind.SETTLEMENT: "Kwota pozostała do zapłaty",
    InvoiceKind.CORRECTION: "Kwota należności ogółem (różnica)",
    InvoiceKind.ADVANCE_CORRECTION: "Otrzymana kwota zapłaty (różnica)",
    InvoiceKind.SETTLEMENT_CORRECTION: "Kwota pozostała do zapłaty (różnica)",
}
# Long, and of use to programs only: it stands behind what people read.
_LAST_COLUMNS = ('UU_ID', 'UU_IDZ')
_TECHNICAL = frozenset({'created_at', 'system', 'schema_location'})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A word and its value; ``is_number`` values stand to the right."""

    label: str
    value: str
    is_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table: names of the columns, which of them hold numbers, rows of as many cells; ``sums`` is a last row or ()."""

    title: str
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page: rows, and then tables and further sections in order. ``name`` is the model's attribute."""

    title: str
    rows: tuple[Row, ...] = ()
    parts: tuple['Grid | Section', ...] = ()
    name: str = ''


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole invoice: ``title`` (kind), ``number``, and sections."""

    title: str
    number: str
    sections: tuple[Section, ...]


def view(invoice: model.Invoice) -> Page:
    """Return the page of an invoice, of ours or of one that was read."""
    details, technical, sections = [], [], {}
    for node in _plain(INVOICE):
        attribute = getattr(node, 'attribute', '')
        rows, parts = _show(node, invoice)
        if isinstance(node, Branch | Inline | Totals) and attribute != 'period':
            sections[attribute] = _section(node, attribute, rows, parts)
        else:
            (technical if attribute in _TECHNICAL else details).extend(rows)
    if 'group_totals' in sections:
        total = [row for row in details if row.label == label('P_15')]
        details = [row for row in details if row not in total]
        words = _TOTALS.get(invoice.kind, label('P_15'))
        total = [Row(label=words, value=f'{row.value} {invoice.currency}', is_number=True) for row in total]
        sections['group_totals'] = _totals_section(sections['group_totals'], total)
    ordered = [sections.pop(name) for name in _ORDER if name in sections] + list(sections.values())
    found = (
        Section(title="Dane faktury", rows=tuple(details), name='details'), *ordered,
        Section(title="Dane techniczne", rows=tuple(technical), name='technical'),
    )
    return Page(
        title=meaning(invoice.kind) if isinstance(invoice.kind, InvoiceKind) else '', number=invoice.number or '',
        sections=tuple(section for section in found if section.rows or section.parts))


def _plain(children: tuple):
    """Yield the nodes of the invoice itself, without wrapping elements and choices."""
    for node in children:
        if isinstance(node, Wrap):
            yield from _plain(node.children)
        elif isinstance(node, Choice):
            yield from _plain(node.options)
        else:
            yield node


def _section(node, attribute: str, rows: list, parts: list) -> Section:
    title = {'correction': label('Korekta'), 'group_totals': label('Podsumowanie')}.get(attribute) or label(node.tag)
    if len(parts) == 1 and not rows and isinstance(parts[0], Section):
        return Section(title=parts[0].title, rows=parts[0].rows, parts=parts[0].parts, name=attribute)
    return Section(title=title, rows=tuple(rows), parts=tuple(parts), name=attribute)


def _totals_section(section: Section, total: list) -> Section:
    return Section(title=section.title, parts=(*section.parts, Section(title='', rows=tuple(total))), name=section.name)


def _show(node, source) -> tuple[list, list]:
    """Return the rows and parts that a node makes of an object."""
    shown = _SHOW.get(type(node))
    return shown(node, source) if shown else ([], [])


def _show_record(record: Record, source) -> tuple[list, list]:
    rows, parts = [], []
    for node in record.children:
        more_rows, more_parts = _show(node, source)
        rows += more_rows
        parts += more_parts
    return rows, parts


def _row(tag: str, value: str, number: bool = False) -> list:
    return [Row(label=label(tag), value=value, is_number=number)] if value else []


def _show_leaf(node: Leaf | Attribute, source) -> tuple[list, list]:
    value = getattr(source, node.attribute)
    values = value if getattr(node, 'limit', None) else () if value is None else (value,)
    shown = [text(node.type, each) for each in values]
    separator = '\n' if any(len(each) > 40 for each in shown) else ', '
    return _row(node.tag, separator.join(each for each in shown if each), is_number(node.type)), []


def _show_constant(node: Constant, source) -> tuple[list, list]:
    return (_row(node.tag, "tak") if node.tag == 'BrakID' else []), []


def _show_marked(node: Marked, source) -> tuple[list, list]:
    if node.otherwise and getattr(source, node.attribute) is None:
        return _row(node.otherwise, "tak"), []
    return _show_leaf(node.leaf, source)


def _show_wrap(node: Wrap, source) -> tuple[list, list]:
    return _show_record(Record(type(source), node.children), source)


def _show_choice(node: Choice, source) -> tuple[list, list]:
    return _show_record(Record(type(source), node.options), source)


def _show_inline(node: Inline, source) -> tuple[list, list]:
    value = getattr(source, node.attribute)
    return ([], []) if value is None else _show_record(node.record, value)


def _show_variant(node: Variant, source) -> tuple[list, list]:
    value = getattr(source, node.attribute)
    record = next((record for record in node.records if isinstance(value, record.model)), None)
    return _show_record(record, value) if record else ([], [])


def _show_statement(node: Statement, source) -> tuple[list, list]:
    value = getattr(source, node.attribute)
    if value is None:
        return [], []
    if not isinstance(node.content, Record):
        return _row(node.tag, meaning(value)), []
    rows, parts = _show_record(node.content, value)
    return ([] if node.attribute == 'exemption' else _row(node.tag, "tak")) + rows, parts


def _show_branch(node: Branch, source) -> tuple[list, list]:
    value = getattr(source, node.attribute)
    objects = value if node.limit else () if value is None else (value,)
    if not objects:
        return [], []
    if node.record.model is model.Address:
        return _row(node.tag, '\n'.join(_address(each) for each in objects)), []
    if node.record.model is model.Period:
        return _row(node.tag, ' – '.join(row.value for row in _show_record(node.record, value)[0])), []
    if node.record.model is model.TermDescription:
        return _show_record(node.record, value)
    if node.record.model is model.Table:
        return [], [_attached_table(each) for each in objects]
    if not node.limit:
        rows, parts = _show_record(node.record, value)
        return [], [Section(title=label(node.tag), rows=tuple(rows), parts=tuple(parts))]
    return [], [_grid(node, objects)] if _is_flat(node.record) else _sections(node, objects)


def _address(address: model.Address) -> str:
    code = address.location_number and f"GLN {address.location_number}"
    return ', '.join(part for part in (address.line_1, address.line_2, address.country, code) if part)


def _sections(node: Branch, objects: tuple) -> list:
    found = []
    for number, each in enumerate(objects, 1):
        rows, parts = _show_record(node.record, each)
        title = label(node.tag) + (f" {number}" if len(objects) > 1 else "")
        found.append(Section(title=title, rows=tuple(rows), parts=tuple(parts)))
    return found


@cache
def _is_flat(record: Record) -> bool:
    """Tell whether objects of this record fit into rows of one table: all that they hold is rows."""
    return all(node.record.model in _SINGLE_ROWS for node in _below(record.children) if isinstance(node, Branch))


def _below(children: tuple):
    for node in children:
        yield node
        if isinstance(node, Wrap | Choice):
            yield from _below(getattr(node, 'children', ()) or getattr(node, 'options', ()))
        elif isinstance(node, Inline):
            yield from _below(node.record.children)


def _grid(node: Branch, objects: tuple) -> Grid:
    """A table whose columns are what any of the objects has, in the order of the schema, identifiers last."""
    rows = [{row.label: row for row in _show_record(node.record, each)[0]} for each in objects]
    order = {name: position for position, name in enumerate(_labels(node.record))}
    order |= dict.fromkeys(map(label, _LAST_COLUMNS), len(order))
    names = sorted({name for row in rows for name in row}, key=lambda name: order.get(name, len(order)))
    cells = tuple(tuple(row[name].value if name in row else '' for name in names) for row in rows)
    numeric = tuple(any(row[name].is_number for row in rows if name in row) for name in names)
    return Grid(title=label(node.tag), columns=tuple(names), numeric=numeric, rows=cells)


@cache
def _labels(record: Record) -> tuple[str, ...]:
    """Return the words of all columns that a table of these objects can have."""
    found = []
    for node in record.children:
        if isinstance(node, Wrap | Choice):
            found += _labels(Record(record.model, getattr(node, 'children', ()) or getattr(node, 'options', ())))
        elif isinstance(node, Variant):
            found += [name for each in node.records for name in _labels(each)]
        elif isinstance(node, Marked):
            found += [label(tag) for tag in (node.leaf.tag, node.otherwise) if tag]
        elif isinstance(node, Branch) and node.record.model is not model.Address:
            found += _labels(node.record)
        elif isinstance(node, Branch | Leaf | Constant):
            found.append(label(node.tag))
    return tuple(dict.fromkeys(found))


def _show_totals(node: Totals, source) -> tuple[list, list]:
    totals = getattr(source, node.attribute)
    if not totals:
        return [], []
    in_pln = any(total.tax_in_pln is not None for total in totals)
    columns = [label(tag) for tag in ('P_12_Suma', 'P_13', 'P_14')] + ([label('P_14W')] if in_pln else [])
    rows = []
    for total in totals:
        amounts = [total.net, total.tax, *((total.tax_in_pln,) if in_pln else ())]
        rows.append((meaning(total.group), *('' if each is None else amount(each) for each in amounts)))
    numeric = (False, *(True for _ in columns[1:]))
    return [], [Grid(title='', columns=tuple(columns), numeric=numeric, rows=tuple(rows))]


def _attached_table(table: model.Table) -> Section:
    """A table of the attachment; rows that are shorter (headings) are filled up."""
    width = max(len(cells) for cells in (table.columns, *(row.cells for row in table.rows), table.sums))
    numeric = tuple(column.type.value in ('dec', 'int') for column in table.columns)

    def fill(cells: tuple, empty) -> tuple:
        return (*cells, *(empty,) * (width - len(cells)))

    grid = Grid(title='', columns=fill(tuple(column.name for column in table.columns), ''), numeric=fill(numeric, False),
                rows=tuple(fill(row.cells, '') for row in table.rows), sums=fill(table.sums, '') if table.sums else ())
    metadata = tuple(Row(label=each.key, value=each.value) for each in table.metadata)
    return Section(title=table.description or label('Tabela'), rows=metadata, parts=(grid,))


_SHOW = {
    Leaf: _show_leaf, Attribute: _show_leaf, Constant: _show_constant, Marked: _show_marked, Wrap: _show_wrap,
    Choice: _show_choice, Inline: _show_inline, Variant: _show_variant, Statement: _show_statement, Branch: _show_branch,
    Totals: _show_totals,
}
