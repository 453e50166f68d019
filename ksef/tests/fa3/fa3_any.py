"""Invoices made from the table itself: every element of FA(3), so that nothing in it goes untested."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from ksef.fa3 import lexical
from ksef.fa3.codes import TaxGroup
from ksef.fa3.model import GroupTotal, Invoice
from ksef.fa3.nodes import (
    Attribute,
    Choice,
    Constant,
    Leaf,
    Marked,
    Record,
    Statement,
    Totals,
    Variant,
    Wrap,
)
from ksef.fa3.structure import INVOICE

# Texts with a form of their own.
FORMED = {
    lexical.NIP: '5261040828', lexical.INTERNAL_ID: '5261040828-12345', lexical.EU_VAT_NUMBER: '123456783',
    lexical.KSEF_NUMBER: '5795955811-20261121-0100001AF629-AF', lexical.EMAIL: 'a@example.com',
    lexical.ACCOUNT: 'PL61109010140000071219812874', lexical.SWIFT: 'WBKPPLPP', lexical.KRS: '0000099999',
    lexical.PAYMENT_LINK: 'https://pay.example.com/x?a=1&IPKSeF=123abcdefghij', lexical.PAYMENT_ID: '123abcdefghij',
    lexical.REGON: '123456785', lexical.EU_PREFIX: 'DE', lexical.SELLER_PREFIX: 'PL', lexical.COUNTRY: 'PL',
    lexical.CURRENCY: 'EUR',
}
EXEMPLARS = (
    (lexical.Code, lambda kind: next(iter(kind.members.values()))),
    (lexical.Text, lambda kind: "Żółć&<gęślą>"[:kind.maximum]),
    (lexical.Number, lambda kind: Decimal('12.25')),
    (lexical.Integer, lambda kind: 1),
    (lexical.Day, lambda kind: date(2026, 11, 21)),
    (lexical.Moment, lambda kind: datetime(2026, 11, 21, 10, 11, 12, tzinfo=UTC)),
    (lexical.YesNo, lambda kind: True),
)


def exemplar(kind):
    """A valid value of a simple type."""
    return FORMED.get(kind) or next(make(kind) for base, make in EXEMPLARS if isinstance(kind, base))


class Full:
    """Objects in which every attribute has a value; ``turn`` decides which option of a choice is taken."""

    def __init__(self, turn: int):
        self.turn = turn

    def make(self, record: Record):
        """An object of the record's class."""
        return record.model(**self.values(record.children))

    def values(self, children: tuple) -> dict:
        """The values of the attributes of these nodes."""
        values = {}
        for node in children:
            values.update(self.value(node))
        return values

    def value(self, node) -> dict:  # pylint: disable=too-many-return-statements
        """The values of the attributes of one node."""
        if isinstance(node, Constant):
            return {}
        if isinstance(node, Wrap):
            return self.values(node.children)
        if isinstance(node, Choice):
            return self.value(node.options[self.turn % len(node.options)])
        if isinstance(node, Marked):
            return {} if node.otherwise and self.turn % 2 else self.value(node.leaf)
        if isinstance(node, Totals):
            return {node.attribute: tuple(total(group) for group in TaxGroup)}
        if isinstance(node, Statement):
            return {node.attribute: self.statement(node)}
        if isinstance(node, Variant):
            return {node.attribute: self.make(node.records[self.turn % len(node.records)])}
        if isinstance(node, Leaf | Attribute):
            value = exemplar(node.type)
        else:
            value = self.make(node.record)
        return {node.attribute: (value, value) if getattr(node, 'limit', None) else value}

    def statement(self, node: Statement):
        """What is stated, or nothing (at the last turn)."""
        if self.turn == TURNS - 1:
            return None
        if isinstance(node.content, Record):
            return self.make(node.content)
        return list(node.content)[self.turn % len(node.content)]


TURNS = 13  # 12 = 3 kinds of vehicles x 4 kinds of their numbers


def total(group: TaxGroup) -> GroupTotal:
    """Sums of a group with every amount that it has."""
    return GroupTotal(group=group, net=Decimal(1), tax=Decimal(1) if group.tax_element else None,
                      tax_in_pln=Decimal(1) if group.tax_in_pln_element else None)


def full_invoices() -> list[Invoice]:
    """Invoices in which together every element and every option of a choice stands; valid by the schema."""
    return [Invoice(**Full(turn).values(INVOICE)) for turn in range(TURNS)]


# Strategies: valid invoices with anything optional left out or filled.
CHARACTERS = st.characters(exclude_categories=('Cs', 'Cc', 'Cn', 'Zs'), exclude_characters=' ', max_codepoint=0xFFFD) | st.just('😀')


def words(kind: lexical.Text):
    """Strategy: texts of a type without a form of its own."""
    text = st.text(CHARACTERS, min_size=kind.minimum, max_size=min(kind.maximum, 12))
    return text.filter(lambda value: kind.problem(value) is None)


def numbers(kind: lexical.Number):
    """Strategy: numbers of a type."""
    limit = 100 if isinstance(kind, lexical.Percentage) else 10**9
    return st.decimals(0 if limit == 100 else -limit, limit, places=kind.places)


def scalars(kind):
    """Strategy: valid values of a simple type."""
    if kind in FORMED:
        return st.just(FORMED[kind])
    if isinstance(kind, lexical.Code):
        return st.sampled_from(list(kind.members.values()))
    if isinstance(kind, lexical.Text):
        return words(kind)
    if isinstance(kind, lexical.Number):
        return numbers(kind)
    if isinstance(kind, lexical.Integer):
        return st.integers(max(kind.minimum, -99), 10**6)
    if isinstance(kind, lexical.Day):
        return st.dates(kind.first, kind.LAST)
    if isinstance(kind, lexical.Moment):
        return st.integers(0, 10**8).map(lambda seconds: kind.first + timedelta(seconds=seconds))
    return st.booleans()


def optional(strategy, required: bool):
    """Strategy: the value or none."""
    return strategy if required else st.none() | strategy


def many(strategy, node):
    """Strategy: tuples of at most two."""
    return st.lists(strategy, min_size=1 if node.required else 0, max_size=min(node.limit, 2)).map(tuple)


def objects(record: Record):
    """Strategy: objects of a record's class."""
    fields = {}
    choices = []
    for node in nodes(record.children):
        if isinstance(node, Choice):
            choices.append(node)
            fields.update({option.attribute: st.just(() if getattr(option, 'limit', None) else None)
                           for option in node.options})
        else:
            fields[node.attribute] = attribute(node)
    plain = st.fixed_dictionaries(fields)
    for node in choices:
        plain = st.builds(lambda values, chosen: values | chosen, plain, chosen_of(node))
    return plain.map(lambda values: record.model(**values))


def chosen_of(node: Choice):
    """Strategy: the value of at most one option of a choice."""
    options = [st.fixed_dictionaries({option.attribute: attribute(option, required=True)}) for option in node.options]
    return st.one_of(*options, *(() if node.required else (st.just({}),)))


def nodes(children: tuple):
    """The nodes with attributes of one object."""
    for node in children:
        if isinstance(node, Wrap):
            yield from nodes(node.children)
        elif not isinstance(node, Constant):
            yield node


def attribute(node, required: bool = False):
    """Strategy: values of the attribute of a node."""
    if isinstance(node, Marked):
        return optional(scalars(node.leaf.type), required)
    if isinstance(node, Totals):
        groups = st.lists(st.sampled_from(TaxGroup), unique=True, max_size=3)
        return groups.map(lambda found: tuple(total(group) for group in sorted(found, key=list(TaxGroup).index)))
    if isinstance(node, Variant):
        return st.one_of(*(st.deferred(lambda record=record: objects(record)) for record in node.records))
    if isinstance(node, Statement):
        stated = objects(node.content) if isinstance(node.content, Record) else st.sampled_from(node.content)
        return st.none() | stated
    if isinstance(node, Leaf | Attribute):
        inner, always = scalars(node.type), isinstance(node, Attribute) or isinstance(node.type, lexical.YesNo)
    else:
        inner, always = st.deferred(lambda: objects(node.record)), False
    if getattr(node, 'limit', None):
        return many(inner, node)
    return optional(inner, required or always or node.required)


def any_invoices():
    """Strategy: invoices with any content of FA(3), valid by the schema."""
    return objects(Record(Invoice, INVOICE))


# Strategies: the same, with anything at all in one place.
NASTY = {
    str: st.text(max_size=600) | st.text(st.characters(max_codepoint=0xA0), max_size=30) | st.sampled_from(
        ['', ' ', 'PL', '5261040828', 'a@b', '1' * 14, 'x' * 257]),
    Decimal: st.decimals(allow_nan=True, allow_infinity=True) | st.decimals(
        allow_nan=False, allow_infinity=False, places=7, min_value=-10**9, max_value=10**9),
    int: st.integers(-10**15, 10**15), date: st.dates(date(1980, 1, 1), date(2060, 1, 1)),
    datetime: st.datetimes(datetime.fromisoformat('2015-01-01'), datetime.fromisoformat('2060-01-01'), timezones=st.just(UTC)),
}


def places(source, path: tuple = ()):
    """Yield the paths of all values in an object and its parts."""
    for name in getattr(type(source), '__dataclass_fields__', ()):
        value = getattr(source, name)
        for position, each in enumerate(value) if isinstance(value, tuple) else ((None, value),):
            here = (*path, (name, position))
            if type(each) in NASTY:
                yield here, type(each)
            yield from places(each, here)


def put(source, path: tuple, value):
    """The object with another value at a path."""
    (name, position), *rest = path
    old = getattr(source, name)
    each = old if position is None else old[position]
    new = put(each, rest, value) if rest else value
    return replace(source, **{name: new if position is None else (*old[:position], new, *old[position + 1:])})


@st.composite
def spoiled_invoices(draw):
    """Strategy: an invoice with every element, in one place of which stands anything."""
    subject = draw(st.sampled_from(FULL))
    path, kind = draw(st.sampled_from(PLACES[FULL.index(subject)]))
    return put(subject, path, draw(NASTY[kind]))


FULL = full_invoices()
PLACES = [list(places(subject)) for subject in FULL]
