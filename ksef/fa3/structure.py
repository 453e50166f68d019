"""Which attribute of the model is which element of FA(3): one table, in the order of the schema.

The table is made of the nodes of :mod:`.nodes`. The writer turns a model into XML by walking them, the reader turns XML
into a model, ``rules`` checks every value by them, ``schema`` finds the attribute that an element came from. Element
names stand here and in ``structure_*.py`` (and in ``codes``, for sums and margins).
"""

from enum import Enum

from . import lexical, model
from .codes import CorrectionEffect, InvoiceKind, TaxGroup
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
)
from .structure_lines import ANNOTATIONS, LINE, ORDER, REMARK
from .structure_party import AUTHORIZED_PARTY, BUYER, CORRECTED_BUYER, CORRECTED_SELLER, SELLER, THIRD_PARTY
from .structure_payment import PAYMENT, SETTLEMENT
from .structure_transaction import ATTACHMENT, FOOTER, TRANSACTION

__all__ = ['INVOICE', 'NAMESPACE', 'PATHS', 'Branch', 'Constant', 'Leaf', 'Totals', 'Variant', 'Wrap']

_HEADER = (
    Constant('KodFormularza', 'FA', {'kodSystemowy': 'FA (3)', 'wersjaSchemy': '1-0E'}),
    Constant('WariantFormularza', '3'),
    Leaf('created_at', 'DataWytworzeniaFa', lexical.CREATION, required=True),
    Leaf('system', 'SystemInfo', lexical.TEXT_256),
)
_PERIOD = Record(model.Period, (
    Leaf('first', 'P_6_Od', lexical.DAY, required=True),
    Leaf('last', 'P_6_Do', lexical.DAY, required=True),
))
_CORRECTION = Record(model.Correction, (
    Leaf('reason', 'PrzyczynaKorekty', lexical.TEXT_256),
    Leaf('effect', 'TypKorekty', lexical.Code(CorrectionEffect)),
    Branch('invoices', 'DaneFaKorygowanej', Record(model.CorrectedInvoice, (
        Leaf('issue_date', 'DataWystFaKorygowanej', lexical.DAY, required=True),
        Leaf('number', 'NrFaKorygowanej', lexical.TEXT_256, required=True),
        Marked('NrKSeF', Leaf('ksef_number', 'NrKSeFFaKorygowanej', lexical.KSEF_NUMBER), otherwise='NrKSeFN'),
    )), required=True, limit=50000),
    Leaf('period', 'OkresFaKorygowanej', lexical.TEXT_256),
    Leaf('right_number', 'NrFaKorygowany', lexical.TEXT_256),
    Branch('seller', 'Podmiot1K', CORRECTED_SELLER),
    Branch('buyers', 'Podmiot2K', CORRECTED_BUYER, limit=101),
    Inline('previous', Record(model.PreviousAmount, (
        Leaf('amount', 'P_15ZK', lexical.AMOUNT, required=True),
        Leaf('exchange_rate', 'KursWalutyZK', lexical.QUANTITY),
    ))),
))
_PARTIAL_ADVANCE = Record(model.PartialAdvance, (
    Leaf('received_on', 'P_6Z', lexical.DAY, required=True),
    Leaf('amount', 'P_15Z', lexical.AMOUNT, required=True),
    Leaf('exchange_rate', 'KursWalutyZW', lexical.QUANTITY),
))
_ADVANCE_INVOICE = Record(model.AdvanceInvoice, (
    Choice((
        Marked('NrKSeFZN', Leaf('number', 'NrFaZaliczkowej', lexical.TEXT_256)),
        Leaf('ksef_number', 'NrKSeFFaZaliczkowej', lexical.KSEF_NUMBER),
    ), required=True),
))
_BODY = (
    Leaf('currency', 'KodWaluty', lexical.CURRENCY, required=True),
    Leaf('issue_date', 'P_1', lexical.DAY, required=True),
    Leaf('issue_place', 'P_1M', lexical.TEXT_256),
    Leaf('number', 'P_2', lexical.TEXT_256, required=True),
    Leaf('warehouse_documents', 'WZ', lexical.TEXT_256, limit=1000),
    Choice((
        Leaf('supply_date', 'P_6', lexical.DAY),
        Branch('period', 'OkresFa', _PERIOD),
    )),
    Totals('group_totals'),
    Leaf('total', 'P_15', lexical.AMOUNT, required=True),
    Leaf('exchange_rate', 'KursWalutyZ', lexical.QUANTITY),
    Branch('annotations', 'Adnotacje', ANNOTATIONS, required=True),
    Leaf('kind', 'RodzajFaktury', lexical.Code(InvoiceKind), required=True),
    Inline('correction', _CORRECTION),
    Branch('partial_advances', 'ZaliczkaCzesciowa', _PARTIAL_ADVANCE, limit=31),
    Leaf('receipt_invoice', 'FP', lexical.MARK),
    Leaf('related_parties', 'TP', lexical.MARK),
    Branch('remarks', 'DodatkowyOpis', REMARK, limit=10000),
    Branch('advance_invoices', 'FakturaZaliczkowa', _ADVANCE_INVOICE, limit=100),
    Leaf('excise_refund', 'ZwrotAkcyzy', lexical.MARK),
    Branch('lines', 'FaWiersz', LINE, limit=10000),
    Branch('settlement', 'Rozliczenie', SETTLEMENT),
    Branch('payment', 'Platnosc', PAYMENT),
    Branch('transaction', 'WarunkiTransakcji', TRANSACTION),
    Branch('order', 'Zamowienie', ORDER),
)
INVOICE = (
    Attribute('schema_location', f'{{{SCHEMA_INSTANCE}}}schemaLocation', lexical.HINT, required=False),
    Wrap('Naglowek', _HEADER),
    Branch('seller', 'Podmiot1', SELLER, required=True),
    Branch('buyer', 'Podmiot2', BUYER, required=True),
    Branch('third_parties', 'Podmiot3', THIRD_PARTY, limit=100),
    Branch('authorized_party', 'PodmiotUpowazniony', AUTHORIZED_PARTY),
    Wrap('Fa', _BODY),
    Branch('footer', 'Stopka', FOOTER),
    Branch('attachment', 'Zalacznik', ATTACHMENT),
)


def _add_paths(paths: dict, children: tuple, above: tuple, path: str):
    for node in children:
        if type(node) in _ADD:  # constants and attributes of elements have no path of their own
            _ADD[type(node)](paths, node, above, path)


def _add_leaf(paths, node: Leaf, above, path):
    paths[(*above, node.tag)] = f'{path}{node.attribute}{"[{}]" if node.limit else ""}'


def _add_marked(paths, node: Marked, above, path):
    for tag in (node.mark, node.otherwise, node.leaf.tag):
        if tag:
            paths[(*above, tag)] = path + node.attribute


def _add_wrap(paths, node: Wrap, above, path):
    _add_paths(paths, node.children, (*above, node.tag), path)


def _add_branch(paths, node: Branch, above, path):
    inner = f'{path}{node.attribute}{"[{}]" if node.limit else ""}'
    paths[(*above, node.tag)] = inner
    _add_paths(paths, node.children, (*above, node.tag), f'{inner}.')


def _add_inline(paths, node: Inline, above, path):
    _add_paths(paths, node.record.children, above, f'{path}{node.attribute}.')


def _add_choice(paths, node: Choice, above, path):
    _add_paths(paths, node.options, above, path)


def _add_variant(paths, node: Variant, above, path):
    for record in node.records:
        _add_paths(paths, record.children, above, f'{path}{node.attribute}.')


def _add_statement(paths, node: Statement, above, path):
    inside = (*above, node.tag)
    marks = (node.yes, node.no)
    if isinstance(node.content, Record):
        _add_paths(paths, node.content.children, inside, f'{path}{node.attribute}.')
    elif issubclass(node.content, Enum):
        marks += tuple(member.value for member in node.content)
    paths[inside] = path + node.attribute
    paths.update({(*inside, mark): path + node.attribute for mark in marks})


def _add_totals(paths, node: Totals, above, path):
    for tag in (tag for group in TaxGroup for tag in group.value if tag):
        paths[(*above, tag)] = path + node.attribute


_ADD = {
    Leaf: _add_leaf, Marked: _add_marked, Wrap: _add_wrap, Branch: _add_branch, Inline: _add_inline, Choice: _add_choice,
    Variant: _add_variant, Statement: _add_statement, Totals: _add_totals,
}


def _paths() -> dict[tuple[str, ...], str]:
    paths = {}
    _add_paths(paths, INVOICE, (), '')
    return paths


# Names of the elements from below the root down to one -> path of the attribute; each '[{}]' takes an index.
PATHS = _paths()
