"""The writer: what it writes is what the model holds, valid or refused; never something in between."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fa3_any import full_invoices, spoiled_invoices
from fa3_invoices import ADDRESS, D, invoice, schema, schema_file, with_buyer, with_line
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from ksef.fa3 import model, nodes, reader, rules, writer
from ksef.fa3.codes import GoodsCode, InvoiceKind, TaxGroup, TaxRate
from ksef.fa3.finding import has_errors
from ksef.fa3.model import (
    Buyer,
    Contact,
    EuVatId,
    GroupTotal,
    Invoice,
    Line,
    NoTaxId,
    OtherTaxId,
    Period,
    PolishTaxId,
    Remark,
)
from ksef.fa3.nodes import NAMESPACE, Choice, Leaf, Record, Wrap
from ksef.fa3.rules_values import check_values
from ksef.fa3.structure import INVOICE

# Explaining a failure takes minutes for subjects as large as an invoice.
PHASES = set(Phase) - {Phase.explain}
UNIONS = (model.BuyerIdentifier, model.ThirdPartyIdentifier)

@pytest.mark.parametrize('subject', full_invoices(), ids=lambda subject: subject.kind.value)
def test_everything_that_the_schema_has_is_valid(subject):
    """Also by the rules about single values, which see the same as the schema."""
    xml = writer.write(subject)
    assert schema().validate(xml) == []
    assert list(check_values(subject)) == []


def test_every_element_of_the_schema_is_written():
    """The schema itself says which elements there are."""
    written = {element.tag.rpartition('}')[2] for subject in full_invoices()
               for element in etree.fromstring(writer.write(subject)).iter('*')}
    names = {element.get('name') for element in etree.parse(schema_file()).iter('{*}element')}
    assert names == written


def records(children):
    """The records of the table below these nodes."""
    for node in children:
        inner = getattr(node, 'record', None) or getattr(node, 'content', None)
        for record in (*((inner,) if isinstance(inner, Record) else ()), *getattr(node, 'records', ())):
            yield record
            yield from records(record.children)
        yield from records(getattr(node, 'options', ()) or (node.children if isinstance(node, Wrap) else ()))


def attributes(children):
    """The attributes of one object that these nodes write."""
    for node in children:
        if isinstance(node, Wrap | Choice):
            yield from attributes(getattr(node, 'options', None) or node.children)
        elif hasattr(node, 'attribute'):
            yield node.attribute


def test_every_attribute_of_the_model_is_in_the_table():
    """Nothing that the model holds can be forgotten by the writer."""
    found = {record.model: record for record in records(INVOICE)} | {Invoice: Record(Invoice, INVOICE)}
    for model_class, record in found.items():
        assert sorted(attributes(record.children)) == sorted(model_class.__dataclass_fields__), model_class
    classes = {getattr(model, name) for name in model.__all__} - {model.GroupTotal, *UNIONS}
    assert classes == set(found)


def test_only_one_of_a_choice_is_accepted():
    subject = invoice(supply_date=date(2026, 11, 20), period=Period(first=date(2026, 10, 1), last=date(2026, 10, 31)))
    assert [finding.code for finding in rules.check(subject)] == ['choice-several']
    assert schema().validate(writer.write(subject)) != []


@pytest.mark.parametrize(('identifier', 'elements'), [
    (PolishTaxId(nip='5261040828'), {'NIP': '5261040828'}),
    (EuVatId(prefix='EL', number='123456783'), {'KodUE': 'EL', 'NrVatUE': '123456783'}),
    (OtherTaxId(country='US', number='12-3456789'), {'KodKraju': 'US', 'NrID': '12-3456789'}),
    (OtherTaxId(country=None, number='1'), {'NrID': '1'}),
    (NoTaxId(), {'BrakID': '1'}),
])
def test_identifiers_of_buyers(identifier, elements):
    xml = writer.write(with_buyer(identifier=identifier))
    assert schema().validate(xml) == []
    identity = etree.fromstring(xml).find(f'{{{NAMESPACE}}}Podmiot2/{{{NAMESPACE}}}DaneIdentyfikacyjne')
    written = {etree.QName(child).localname: child.text for child in identity}
    assert written == {**elements, 'Nazwa': "Nabywca"}


def test_period_instead_of_a_date():
    xml = writer.write(invoice(period=Period(first=date(2026, 10, 1), last=date(2026, 10, 31))))
    assert schema().validate(xml) == []
    assert b'<OkresFa><P_6_Od>2026-10-01</P_6_Od><P_6_Do>2026-10-31</P_6_Do></OkresFa>' in xml


@pytest.mark.parametrize('kind', InvoiceKind)
def test_kinds(kind):
    assert f'<RodzajFaktury>{kind.value}</RodzajFaktury>'.encode() in writer.write(invoice(kind=kind))


@pytest.mark.parametrize('rate', TaxRate)
def test_rates(rate):
    xml = writer.write(with_line({'rate': rate}))
    assert f'<P_12>{rate.code}</P_12>'.encode() in xml
    assert schema().validate(xml) == []


def test_file_form():
    xml = writer.write(invoice())
    assert xml.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert rules.check_file(xml) == []
    assert xml == writer.write(invoice()), "the same bytes every time"


def test_text_comes_back_as_it_went_in():
    name = "A & B <i> ]]> \"q\" 'p' 😀 zażółć \u00a0 \x85"
    root = etree.fromstring(writer.write(with_line({'name': name})))
    assert root.find('.//{*}P_7').text == name


def test_missing_values_are_refused():
    for broken in (invoice(number=None), with_buyer(identifier=PolishTaxId(nip=None)), invoice(seller=None),
                   with_buyer(address=replace(ADDRESS, country=None))):
        with pytest.raises(writer.UnwritableError):
            writer.write(broken)
    assert writer.write(with_buyer(address=None)), "the buyer's address may be left out"


def test_sums_that_a_group_has_not_are_refused():
    with pytest.raises(writer.UnwritableError):
        writer.write(invoice(group_totals=(GroupTotal(group=TaxGroup.EXEMPT, net=D(1), tax=D(1)),)))


def test_characters_outside_xml_are_refused():
    for character in ('\x00', '\x01', '\x0b', '\ud800', '\ufffe'):
        with pytest.raises(writer.UnwritableError):
            writer.write(with_line({'name': f"a{character}"}))


# Whatever stands in a text or a number: the checks find it, or the file is valid and says the same.
texts = st.text(max_size=600) | st.text(st.characters(max_codepoint=0xA0), max_size=30)
numbers = st.decimals(allow_nan=True, allow_infinity=True, min_value=None) | st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-10**9, max_value=10**9)
days = st.dates(date(1990, 1, 1), date(2060, 1, 1))


def lines():
    """Strategy: lines with anything in them."""
    return st.builds(
        Line, number=st.integers(-1, 3), uid=st.none() | texts, supply_date=st.none() | days, name=st.none() | texts,
        index=st.none() | texts, unit=st.none() | texts, quantity=st.none() | numbers, unit_price=st.none() | numbers,
        discount=st.none() | numbers, net=st.none() | numbers, rate=st.none() | st.sampled_from(TaxRate),
        one_stop_shop_rate=st.none() | numbers, annex_15=st.booleans(), goods_code=st.none() | st.sampled_from(GoodsCode))


def invoices():
    """Strategy: invoices with anything in them."""
    base = invoice()
    identifiers = st.one_of(
        st.builds(PolishTaxId, nip=texts), st.builds(EuVatId, prefix=texts, number=texts),
        st.builds(OtherTaxId, country=st.none() | texts, number=texts), st.just(NoTaxId()))
    buyers = st.builds(
        Buyer, identifier=identifiers, name=st.none() | texts, address=st.none() | st.just(ADDRESS),
        contacts=st.lists(st.builds(Contact, email=st.none() | texts, phone=st.none() | texts), max_size=4).map(tuple))
    totals = st.lists(st.builds(
        GroupTotal, group=st.sampled_from(TaxGroup), net=numbers, tax=st.none() | numbers, tax_in_pln=st.none() | numbers),
        max_size=3, unique_by=lambda total: total.group).map(tuple)
    remarks = st.lists(st.builds(Remark, key=texts, value=texts, line_number=st.none() | st.integers(-1, 3)), max_size=2)
    return st.builds(
        Invoice, created_at=st.datetimes(
            datetime.fromisoformat('2020-01-01'), datetime.fromisoformat('2060-01-01'), timezones=st.just(UTC)),
        seller=st.builds(replace, st.just(base.seller), name=texts, nip=texts | st.just('5795955811')), buyer=buyers,
        number=texts, issue_date=days, total=numbers, supply_date=st.none() | days, group_totals=totals,
        remarks=remarks.map(tuple), lines=st.lists(lines(), max_size=3).map(tuple), payment=st.just(base.payment))


def one_thing_changed():
    """Strategy: the valid invoice with one value replaced by anything (so that some come out valid)."""
    names = st.sampled_from(['name', 'unit', 'uid', 'index', 'gtin', 'pkwiu', 'cn'])
    return st.one_of(
        st.builds(lambda name, value: with_line({name: value}), names, texts),
        st.builds(lambda name, value: with_line({name: value}), st.sampled_from(['excise', 'exchange_rate']), numbers),
        st.builds(lambda value: invoice(number=value), texts), st.builds(lambda value: with_buyer(name=value), texts),
        st.builds(lambda value: invoice(remarks=(Remark(key="k", value=value),)), texts),
        st.builds(lambda value: with_buyer(contacts=(Contact(email=value, phone=value[:16]),)), texts),
        st.builds(lambda value: with_line({'supply_date': value}), days))


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(one_thing_changed() | invoices())
def test_anything_is_valid_or_found(subject):
    if has_errors(rules.check(subject)):
        return
    xml = writer.write(subject)
    assert rules.check_file(xml) == []
    assert schema().validate(xml) == []
    said = {element.text for element in etree.fromstring(xml).iter('*') if element.text}
    for line in subject.lines:
        assert {line.name, line.unit} - {None} <= said
    assert subject.number in said


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(spoiled_invoices())
def test_whatever_stands_in_any_one_place_is_valid_or_found(subject):
    """Of every element of the schema: what the checks of values let through, the schema lets through too."""
    if list(check_values(subject)):
        return
    xml = writer.write(subject)
    assert schema().validate(xml) == []
    assert reader.read(xml) == subject


def test_the_property_above_meets_both_kinds():
    """The strategy makes invoices that come through and invoices that don't."""
    verdicts = set()

    @settings(max_examples=100, database=None, suppress_health_check=list(HealthCheck))
    @given(one_thing_changed())
    def collect(subject):
        verdicts.add(has_errors(rules.check(subject)))

    collect()  # pylint: disable=no-value-for-parameter
    assert verdicts == {True, False}


def test_leaves_have_types_that_write_and_check():
    leaves = [node for record in records(INVOICE) for node in record.children if isinstance(node, Leaf)]
    assert len(leaves) > 100
    for node in leaves:
        assert callable(node.type.to_text)
        assert callable(node.type.from_text)
        assert callable(node.type.problem)
    assert Decimal(writer.AMOUNT.to_text(D(1))) == 1


def test_plans_are_made_once():
    """What is remembered of the table doesn't grow with the documents that are written and checked."""
    def work():
        for full in full_invoices():
            list(check_values(full))
            writer.write(full)
        return len(nodes._plans)
    assert work() == work()
