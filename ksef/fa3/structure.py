"""Which attribute of the model is which element of FA(3): one table, in the order of the schema.

The table is made of the nodes below. The writer turns a model into XML by walking them, ``rules`` checks every
value by them, ``schema`` finds the attribute that an element came from. Element names stand here only (and in
``codes.TaxGroup``, for the sums).
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import lexical, model
from .codes import TaxGroup

NAMESPACE = 'http://crd.gov.pl/wzor/2025/06/25/13775/'


class Node:
    """A part of the table; most have the ``tag`` of an element."""

    tag: str

    @cached_property
    def name(self) -> str:
        """Return the name of the element as lxml takes it."""
        return f'{{{NAMESPACE}}}{self.tag}'


@dataclass(frozen=True, eq=False)
class Leaf(Node):
    """An element with text: the value of one attribute, written by its simple type.

    ``None`` is left out (a finding, when ``required``); with ``limit`` the attribute is a tuple, written as that
    many elements at most.
    """

    attribute: str
    tag: str
    type: Any
    required: bool = False
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Constant(Node):
    """An element that is always the same."""

    tag: str
    text: str
    attributes: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Wrap(Node):
    """An element around other nodes of the same object."""

    tag: str
    children: tuple


@dataclass(frozen=True, eq=False)
class Branch(Node):
    """An element for an attribute that is an object of its own (or a tuple of them, with ``limit``)."""

    attribute: str
    tag: str
    children: tuple
    required: bool = False
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Variant(Node):
    """A choice: the class of the attribute's value decides which nodes are written, without an element around."""

    attribute: str
    cases: dict


@dataclass(frozen=True, eq=False)
class Totals(Node):
    """The sums per group of rates (``P_13_x``, ``P_14_x``, ``P_14_xW``), in the order of ``TaxGroup``."""

    attribute: str
    limit: int = len(TaxGroup)


_ADDRESS = (
    Leaf('country', 'KodKraju', lexical.COUNTRY, required=True),
    Leaf('line_1', 'AdresL1', lexical.TEXT_512, required=True),
    Leaf('line_2', 'AdresL2', lexical.TEXT_512),
    Leaf('location_number', 'GLN', lexical.TEXT_13),
)
_CONTACT = (
    Leaf('email', 'Email', lexical.EMAIL),
    Leaf('phone', 'Telefon', lexical.PHONE),
)
_HEADER = (
    Constant('KodFormularza', 'FA', {'kodSystemowy': 'FA (3)', 'wersjaSchemy': '1-0E'}),
    Constant('WariantFormularza', '3'),
    Leaf('created_at', 'DataWytworzeniaFa', lexical.CREATION, required=True),
    Leaf('system', 'SystemInfo', lexical.TEXT_256),
)
_SELLER = (
    Leaf('eu_prefix', 'PrefiksPodatnika', lexical.EU_PREFIX),
    Leaf('eori', 'NrEORI', lexical.TEXT_256),
    Wrap('DaneIdentyfikacyjne', (
        Leaf('nip', 'NIP', lexical.NIP, required=True),
        Leaf('name', 'Nazwa', lexical.TEXT_512, required=True),
    )),
    Branch('address', 'Adres', _ADDRESS, required=True),
    Branch('correspondence_address', 'AdresKoresp', _ADDRESS),
    Branch('contacts', 'DaneKontaktowe', _CONTACT, limit=3),
    Leaf('status', 'StatusInfoPodatnika', lexical.CODE),
)
_BUYER_IDENTIFIER = Variant('identifier', {
    model.PolishTaxId: (Leaf('nip', 'NIP', lexical.NIP, required=True),),
    model.EuVatId: (
        Leaf('prefix', 'KodUE', lexical.EU_PREFIX, required=True),
        Leaf('number', 'NrVatUE', lexical.EU_VAT_NUMBER, required=True),
    ),
    model.OtherTaxId: (
        Leaf('country', 'KodKraju', lexical.COUNTRY),
        Leaf('number', 'NrID', lexical.TEXT_50, required=True),
    ),
    model.NoTaxId: (Constant('BrakID', '1'),),
})
_BUYER = (
    Leaf('eori', 'NrEORI', lexical.TEXT_256),
    Wrap('DaneIdentyfikacyjne', (_BUYER_IDENTIFIER, Leaf('name', 'Nazwa', lexical.TEXT_512))),
    Branch('address', 'Adres', _ADDRESS),
    Branch('correspondence_address', 'AdresKoresp', _ADDRESS),
    Branch('contacts', 'DaneKontaktowe', _CONTACT, limit=3),
    Leaf('customer_number', 'NrKlienta', lexical.TEXT_256),
    Leaf('key', 'IDNabywcy', lexical.TEXT_32),
    Leaf('local_government_unit', 'JST', lexical.YES_NO),
    Leaf('vat_group_member', 'GV', lexical.YES_NO),
)
_ANNOTATIONS = (
    Leaf('cash_method', 'P_16', lexical.YES_NO),
    Leaf('self_billing', 'P_17', lexical.YES_NO),
    Leaf('reverse_charge', 'P_18', lexical.YES_NO),
    Leaf('split_payment', 'P_18A', lexical.YES_NO),
    Wrap('Zwolnienie', (Constant('P_19N', '1'),)),
    Wrap('NoweSrodkiTransportu', (Constant('P_22N', '1'),)),
    Leaf('triangular_second_taxpayer', 'P_23', lexical.YES_NO),
    Wrap('PMarzy', (Constant('P_PMarzyN', '1'),)),
)
_REMARK = (
    Leaf('line_number', 'NrWiersza', lexical.ORDINAL),
    Leaf('key', 'Klucz', lexical.TEXT_256, required=True),
    Leaf('value', 'Wartosc', lexical.TEXT_256, required=True),
)
_LINE = (
    Leaf('number', 'NrWierszaFa', lexical.ORDINAL, required=True),
    Leaf('uid', 'UU_ID', lexical.TEXT_50),
    Leaf('supply_date', 'P_6A', lexical.DAY),
    Leaf('name', 'P_7', lexical.TEXT_512),
    Leaf('index', 'Indeks', lexical.TEXT_50),
    Leaf('gtin', 'GTIN', lexical.TEXT_20),
    Leaf('pkwiu', 'PKWiU', lexical.TEXT_50),
    Leaf('cn', 'CN', lexical.TEXT_50),
    Leaf('pkob', 'PKOB', lexical.TEXT_50),
    Leaf('unit', 'P_8A', lexical.TEXT_256),
    Leaf('quantity', 'P_8B', lexical.QUANTITY),
    Leaf('unit_price', 'P_9A', lexical.PRICE),
    Leaf('gross_unit_price', 'P_9B', lexical.PRICE),
    Leaf('discount', 'P_10', lexical.PRICE),
    Leaf('net', 'P_11', lexical.AMOUNT),
    Leaf('gross', 'P_11A', lexical.AMOUNT),
    Leaf('tax', 'P_11Vat', lexical.AMOUNT),
    Leaf('rate', 'P_12', lexical.RATE),
    Leaf('one_stop_shop_rate', 'P_12_XII', lexical.PERCENTAGE),
    Leaf('annex_15', 'P_12_Zal_15', lexical.MARK),
    Leaf('excise', 'KwotaAkcyzy', lexical.AMOUNT),
    Leaf('goods_code', 'GTU', lexical.CODE),
    Leaf('procedure', 'Procedura', lexical.CODE),
    Leaf('exchange_rate', 'KursWaluty', lexical.QUANTITY),
    Leaf('before_correction', 'StanPrzed', lexical.MARK),
)
_PERIOD = (
    Leaf('first', 'P_6_Od', lexical.DAY, required=True),
    Leaf('last', 'P_6_Do', lexical.DAY, required=True),
)
_ACCOUNT = (
    Leaf('number', 'NrRB', lexical.ACCOUNT, required=True),
    Leaf('swift', 'SWIFT', lexical.SWIFT),
    Leaf('bank_name', 'NazwaBanku', lexical.TEXT_256),
    Leaf('description', 'OpisRachunku', lexical.TEXT_256),
)
_PAYMENT = (
    Branch('terms', 'TerminPlatnosci', (Leaf('due', 'Termin', lexical.PAYMENT_DAY, required=True),), limit=100),
    Leaf('form', 'FormaPlatnosci', lexical.CODE),
    Branch('accounts', 'RachunekBankowy', _ACCOUNT, limit=100),
)
_BODY = (
    Leaf('currency', 'KodWaluty', lexical.CURRENCY, required=True),
    Leaf('issue_date', 'P_1', lexical.DAY, required=True),
    Leaf('issue_place', 'P_1M', lexical.TEXT_256),
    Leaf('number', 'P_2', lexical.TEXT_256, required=True),
    Leaf('warehouse_documents', 'WZ', lexical.TEXT_256, limit=1000),
    Leaf('supply_date', 'P_6', lexical.DAY),
    Branch('period', 'OkresFa', _PERIOD),
    Totals('group_totals'),
    Leaf('total', 'P_15', lexical.AMOUNT, required=True),
    Branch('annotations', 'Adnotacje', _ANNOTATIONS, required=True),
    Leaf('kind', 'RodzajFaktury', lexical.CODE, required=True),
    Leaf('receipt_invoice', 'FP', lexical.MARK),
    Leaf('related_parties', 'TP', lexical.MARK),
    Branch('remarks', 'DodatkowyOpis', _REMARK, limit=10000),
    Branch('lines', 'FaWiersz', _LINE, limit=10000),
    Branch('payment', 'Platnosc', _PAYMENT),
)
INVOICE = (
    Wrap('Naglowek', _HEADER),
    Branch('seller', 'Podmiot1', _SELLER, required=True),
    Branch('buyer', 'Podmiot2', _BUYER, required=True),
    Wrap('Fa', _BODY),
)


def _add_paths(paths: dict, children: tuple, above: tuple, path: str):
    for node in children:
        if isinstance(node, Leaf):
            paths[(*above, node.tag)] = path + node.attribute
        elif isinstance(node, Wrap):
            _add_paths(paths, node.children, (*above, node.tag), path)
        elif isinstance(node, Branch):
            inner = f'{path}{node.attribute}{"[{}]" if node.limit else ""}'
            paths[(*above, node.tag)] = inner
            _add_paths(paths, node.children, (*above, node.tag), f'{inner}.')
        elif isinstance(node, Variant):
            for case in node.cases.values():
                _add_paths(paths, case, above, f'{path}{node.attribute}.')
        elif isinstance(node, Totals):
            for tag in (tag for group in TaxGroup for tag in group.value if tag):
                paths[(*above, tag)] = path + node.attribute


def _paths() -> dict[tuple[str, ...], str]:
    paths = {}
    _add_paths(paths, INVOICE, (), '')
    return paths


# Names of the elements from below the root down to one -> path of the attribute; '[{}]' takes the index.
PATHS = _paths()
