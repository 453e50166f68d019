"""Every single value of an invoice against the simple type of its element, by the table of ``structure``."""

from collections.abc import Iterator

from .codes import TaxGroup
from .finding import Finding, error
from .lexical import AMOUNT
from .model import Invoice
from .nodes import Attribute, Branch, Choice, Constant, Inline, Leaf, Marked, Record, Statement, Totals, Variant, Wrap, with_values
from .structure import INVOICE


def check_values(invoice: Invoice) -> Iterator[Finding]:
    """Yield what the schema's types, mandatory elements, choices and numbers of elements forbid."""
    yield from _check(INVOICE, invoice, '')


def _check(children: tuple, source, path: str) -> Iterator[Finding]:
    for node, value in with_values(children, source):
        kind = type(node)
        if kind is Leaf:
            if value is None:
                if node.required:
                    yield _missing(path + node.attribute)
            elif node.limit:
                yield from _check_many(node, value, path + node.attribute)
            elif problem := node.type.problem(value):
                yield _finding(problem, path + node.attribute, value)
        elif kind is not Constant:
            yield from _CHECKS[kind](node, source, path)


def _check_many(node: Leaf, value: tuple, path: str) -> Iterator[Finding]:
    yield from _check_number(node, value, path)
    for position, item in enumerate(value):
        if problem := node.type.problem(item):
            yield _finding(problem, f'{path}[{position}]', item)


def _check_attribute(node: Attribute, source, path: str) -> Iterator[Finding]:
    value = getattr(source, node.attribute)
    if value is None and node.required:
        yield _missing(path + node.attribute)
    problem = value is not None and node.type.problem(value)
    if problem:
        yield _finding(problem, path + node.attribute, value)


def _check_wrap(node: Wrap, source, path: str) -> Iterator[Finding]:
    return _check(node.children, source, path)


def _check_branch(node: Branch, source, path: str) -> Iterator[Finding]:
    value = getattr(source, node.attribute)
    path += node.attribute
    if node.limit:
        yield from _check_number(node, value, path)
        for position, item in enumerate(value):
            yield from _check(node.record.children, item, f'{path}[{position}].')
    elif value is not None:
        yield from _check(node.record.children, value, f'{path}.')
    elif node.required:
        yield _missing(path)


def _check_inline(node: Inline, source, path: str) -> Iterator[Finding]:
    value = getattr(source, node.attribute)
    if value is not None:
        yield from _check(node.record.children, value, f'{path}{node.attribute}.')


def _check_marked(node: Marked, source, path: str) -> Iterator[Finding]:
    return _check(node.parts, source, path)


def _check_choice(node: Choice, source, path: str) -> Iterator[Finding]:
    """Of the options one at most has a value, and exactly one when the choice has to be made."""
    attributes = [option.attribute for option in node.options]
    given = [attribute for attribute in attributes if getattr(source, attribute) is not None]
    if len(given) > 1:
        sentence = f"only one of {', '.join(given)} can be stated"
        yield error('choice-several', path + given[0], sentence, attributes=', '.join(given))
    if node.required and not given:
        sentence = f"one of {', '.join(attributes)} is needed"
        yield error('choice-missing', path + attributes[0], sentence, attributes=', '.join(attributes))
    yield from _check(node.options, source, path)


def _check_variant(node: Variant, source, path: str) -> Iterator[Finding]:
    value = getattr(source, node.attribute)
    if type(value) not in node.cases:
        return iter((_missing(path + node.attribute),))
    return _check(node.cases[type(value)], value, f'{path}{node.attribute}.')


def _check_statement(node: Statement, source, path: str) -> Iterator[Finding]:
    value = getattr(source, node.attribute)
    if value is not None and isinstance(node.content, Record):
        yield from _check(node.content.children, value, f'{path}{node.attribute}.')


def _check_totals(node: Totals, source, path: str) -> Iterator[Finding]:
    for position, total in enumerate(getattr(source, node.attribute)):
        inner = f'{path}{node.attribute}[{position}]'
        for attribute in ('net', 'tax', 'tax_in_pln'):
            value = getattr(total, attribute)
            problem = value is not None and AMOUNT.problem(value)
            if problem:
                yield _finding(problem, f'{inner}.{attribute}', value)
        yield from _check_total_form(total.group, total, inner)


def _check_total_form(group: TaxGroup, total, path: str) -> Iterator[Finding]:
    """A group with tax has both sums; only the one-stop shop may leave the tax out; a group without tax has none."""
    if total.net is None:
        yield _missing(f'{path}.net')
    if group.tax_element is None and total.tax is not None:
        yield error('total-tax-unexpected', f'{path}.tax', "this group of rates has no tax", group=group.name)
    if group.tax_element and total.tax is None and group is not TaxGroup.ONE_STOP_SHOP:
        yield error('total-tax-missing', f'{path}.tax', "this group of rates needs its tax", group=group.name)
    if group.tax_in_pln_element is None and total.tax_in_pln is not None:
        yield error('total-tax-unexpected', f'{path}.tax_in_pln', "no tax in PLN in this group", group=group.name)


def _check_number(node: Leaf | Branch, value: tuple, path: str) -> Iterator[Finding]:
    if len(value) > node.limit:
        sentence = f"{len(value)} given, at most {node.limit} fit"
        yield error('too-many', path, sentence, count=len(value), limit=node.limit)
    if node.required and not value:
        yield _missing(path)


def _missing(path: str) -> Finding:
    return error('value-missing', path, f"{path} is missing")


def _finding(problem: tuple, path: str, value) -> Finding:
    code, values, sentence = problem
    return error(code, path, f"{path}: {sentence}", value=str(value)[:80], **values)


_CHECKS = {
    Attribute: _check_attribute, Branch: _check_branch, Choice: _check_choice, Inline: _check_inline, Marked: _check_marked,
    Statement: _check_statement, Totals: _check_totals, Variant: _check_variant, Wrap: _check_wrap,
}
