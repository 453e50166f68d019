"""The schema: the Ministry's samples, our base types against the official ones, files that are no schema."""

import threading

import pytest
from fa3_any import full_invoices
from fa3_invoices import invoice, official_schema, samples, schema, schema_file, shared, with_line
from lxml import etree

from ksef.fa3 import base_types, writer
from ksef.fa3.codes import (
    COUNTRIES,
    CURRENCIES,
    EU_VAT_PREFIXES,
    AuthorizedRole,
    BankOwnAccount,
    Cargo,
    CorrectionEffect,
    GoodsCode,
    InvoiceKind,
    PaymentForm,
    Procedure,
    TaxpayerStatus,
    TaxRate,
    ThirdPartyRole,
    TransportKind,
)
from ksef.fa3.schema import Schema, SchemaError, attribute_path

ETD = base_types.NAMESPACE
XSD = '{http://www.w3.org/2001/XMLSchema}'


def test_official_samples_are_valid():
    files = samples()
    assert len(files) >= 10
    for file in files:
        assert schema().validate(file.read_bytes()) == [], file.name
        assert official_schema().validate(file.read_bytes()) == [], file.name


def test_samples_that_are_spoilt_are_not():
    """Every element of a sample is taken out in turn: both schemas say the same of what is left."""
    content = samples()[0].read_bytes()
    refused = 0
    for number in range(len(list(etree.fromstring(content).iter('*'))))[1:]:
        root = etree.fromstring(content)
        element = list(root.iter('*'))[number]
        element.getparent().remove(element)
        xml = etree.tostring(root)
        ours, official = schema().validate(xml), official_schema().validate(xml)
        assert bool(ours) == bool(official), element.tag
        refused += bool(ours)
    assert refused > 30


# Values of the base types: (type, values that may or may not be of it).
VALUES = {
    'TAdresEmail': ('a@b', '@b', 'a@', 'a@b@c', 'ab', ' a@b ', 'a' * 251 + '@bc', 'a' * 253 + '@bc', 'a @ b', ''),
    'TData': ('2026-11-21', '2026-02-29', '1900-01-01', '1899-12-31', '2050-12-31', '2051-01-01', '2026-11-21Z',
              '2026-11-21+01:00', ' 2026-11-21 ', '26-11-21', '2026-1-1', ''),
    'TDataCzas': ('2026-11-21T10:00:00Z', '2026-11-21T10:00:00', '2026-11-21T10:00:00.1234567+01:00', '2026-11-21',
                  '2026-11-21T25:00:00Z', ' 2026-11-21T10:00:00Z ', ''),
    'TKodKraju': ('PL', 'GR', 'EL', 'XI', 'XK', 'XC', 'UK', 'GB', 'pl', ' PL', 'P', 'ZZ', 'SU', ''),
    'TNaturalny': ('0', '1', '-1', '+1', '01', '1.0', '99999999999999', '999999999999999', ' 1 ', ''),
    'TNrIdentyfikacjiPodatkowej': ('1', 'x' * 50, 'x' * 51, ' x ', 'a\nb', '12-34', ''),
    'TNrKRS': ('0000099999', '000009999', '00000999999', '000009999a', ' 0000099999', ''),
    'TNrNIP': ('5795955811', '0795955811', '5005955811', '5095955811', '579595581', '57959558111', '579-595-58-11',
               'PL5795955811', ' 5795955811', '٥٧٩٥٩٥٥٨١١', ''),
    'TNrREGON': ('123456789', '12345678901234', '1234567890', '12345678', '12345678901234a', ''),
    'TTekstowy': ('x', 'x' * 3500, 'x' * 3501, '  two\nlines ', ''),
    'TWybor1': ('1', '2', '0', '01', '+1', ' 1 ', 'x', ''),
    'TWybor1_2': ('1', '2', '3', '0', ' 2 ', '12', ''),
}


def one_element_schema(type_name: str, base_files: dict | None = None) -> etree.XMLSchema:
    """A schema with one element of a base type, over our types or over the official files."""
    content = f'''<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:etd="{ETD}">
        <xsd:import namespace="{ETD}" schemaLocation="{ETD}StrukturyDanych_v10-0E.xsd"/>
        <xsd:element name="x" type="etd:{type_name}"/></xsd:schema>'''
    return Schema.compile(content.encode(), base_files)._compiled


@pytest.mark.parametrize('type_name', sorted(VALUES))
def test_base_types_are_the_official_ones(type_name):
    folder = shared('xsd', 'bazowe')
    official = one_element_schema(type_name, {file.name: file.read_bytes() for file in folder.glob('*.xsd')})
    ours = one_element_schema(type_name)
    verdicts = set()
    for value in VALUES[type_name]:
        element = etree.Element('x')
        element.text = value
        assert ours.validate(element) == official.validate(element), value
        verdicts.add(official.validate(element))
    assert verdicts == {True, False}, "the values tell the types apart"


def test_lists_of_codes_are_the_official_ones():
    countries = etree.parse(shared('xsd', 'bazowe', 'KodyKrajow_v10-0E.xsd'))
    assert {node.get('value') for node in countries.iter(f'{XSD}enumeration')} == COUNTRIES
    main = etree.parse(schema_file())
    prefixes = next(node for node in main.iter(f'{XSD}simpleType') if node.get('name') == 'TKodyKrajowUE')
    assert {node.get('value') for node in prefixes.iter(f'{XSD}enumeration')} == EU_VAT_PREFIXES


def test_every_base_type_that_the_schema_uses_is_there():
    used = {name for name in VALUES if f'etd:{name}"' in schema_file().read_text()}
    assert used == set(VALUES) == set(base_types._TYPES)


def test_nothing_is_asked_of_the_network(monkeypatch):
    import socket
    monkeypatch.setattr(socket, 'socket', None)
    monkeypatch.setattr(socket, 'create_connection', None)
    assert Schema.load(schema_file()).validate(writer.write(invoice())) == []


@pytest.mark.parametrize('content', [
    b'', b'nonsense', b'<x/>', b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
    b'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:import namespace="urn:x" '
    b'schemaLocation="http://example.com/other.xsd"/><xsd:element name="x" type="y:z" xmlns:y="urn:x"/></xsd:schema>',
])
def test_what_is_no_schema(content):
    with pytest.raises(SchemaError):
        Schema.compile(content)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(SchemaError):
        Schema.load(tmp_path / 'absent.xsd')
    with pytest.raises(SchemaError):
        Schema.load(schema_file(), (tmp_path / 'absent.xsd',))


def test_findings_name_attribute_and_element():
    broken = with_line({'name': "x" * 513})
    [finding] = schema().validate(writer.write(broken))
    assert (finding.severity, finding.code, finding.path) == ('error', 'schema', 'lines[0].name')
    assert finding.values['element'] == 'P_7'
    assert '513' in finding.message
    assert '{' not in finding.message


def test_what_is_not_xml():
    for content in (b'', b'<Faktura>', b'\x00', b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', b'<a>&undefined;</a>'):
        findings = schema().validate(content)
        assert findings, content
        assert {finding.code for finding in findings} == {'schema'}


def test_findings_are_limited():
    lines = [with_line({'name': 'x' * 600, 'number': number}).lines[0] for number in range(1, 41)]
    assert len(schema().validate(writer.write(invoice(lines=tuple(lines))))) == 20


def test_paths_of_elements():
    root = etree.fromstring(writer.write(invoice()))
    expected = {
        'Podmiot1/DaneIdentyfikacyjne/NIP': 'seller.nip', 'Podmiot2/DaneIdentyfikacyjne/NIP': 'buyer.identifier.nip',
        'Podmiot1/DaneKontaktowe/Email': 'seller.contacts[0].email', 'Fa/P_2': 'number', 'Fa/P_13_2': 'group_totals',
        'Fa/FaWiersz/P_11': 'lines[0].net', 'Fa/Platnosc/RachunekBankowy/NrRB': 'payment.accounts[0].number',
        'Fa/Platnosc/TerminPlatnosci/Termin': 'payment.terms[0].due', 'Naglowek/SystemInfo': 'system',
        'Fa/Adnotacje/P_18A': 'annotations.split_payment', 'Naglowek/KodFormularza': '',
    }
    for steps, path in expected.items():
        element = root.find('/'.join(f'{{*}}{step}' for step in steps.split('/')))
        assert attribute_path(element) == path
    second = root.findall('{*}Fa/{*}FaWiersz')[1]
    assert attribute_path(second) == 'lines[1]'
    assert attribute_path(root) == ''


def test_many_threads_validate_at_once():
    good, bad = writer.write(invoice()), writer.write(with_line({'name': "x" * 600}))
    wrong = []

    def work(content, expected):
        for _round in range(50):
            if len(schema().validate(content)) != expected:
                wrong.append(expected)

    threads = [threading.Thread(target=work, args=case) for case in ((good, 0), (bad, 1)) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(('xpath', 'path'), [
    ('{*}Zalacznik/{*}BlokDanych[2]/{*}Tabela[2]/{*}Wiersz[1]/{*}WKom[2]', 'attachment.blocks[1].tables[1].rows[0].cells[1]'),
    ('{*}Zalacznik/{*}BlokDanych[1]/{*}Tekst/{*}Akapit[2]', 'attachment.blocks[0].paragraphs[1]'),
    ('{*}Podmiot3[2]/{*}DaneKontaktowe[1]/{*}Email', 'third_parties[1].contacts[0].email'),
    ('{*}Podmiot3[2]/{*}DaneIdentyfikacyjne/{*}NIP', 'third_parties[1].identifier.nip'),
    ('{*}Fa/{*}DaneFaKorygowanej[2]/{*}NrKSeF', 'correction.invoices[1].ksef_number'),
    ('{*}Fa/{*}P_15ZK', 'correction.previous.amount'),
    ('{*}Fa/{*}WZ[2]', 'warehouse_documents[1]'),
    ('{*}Fa/{*}P_14_1W', 'group_totals'),
    ('{*}Fa/{*}Adnotacje/{*}Zwolnienie/{*}P_19A', 'annotations.exemption.polish_act'),
    ('{*}Fa/{*}Adnotacje/{*}PMarzy/{*}P_PMarzy_2', 'annotations.margin'),
    ('{*}Fa/{*}Platnosc/{*}Zaplacono', 'payment.paid_on'),
    ('{*}Fa', ''),
])
def test_elements_are_traced_back_to_attributes_however_deep(xpath, path):
    root = etree.fromstring(writer.write(full_invoices()[0]))
    assert attribute_path(root.find(xpath)) == path


def test_closed_lists_are_those_of_the_schema():
    root = etree.parse(schema_file()).getroot()
    kinds = {kind.get('name'): {each.get('value') for each in kind.iter(f'{XSD}enumeration')}
             for kind in root.iter(f'{XSD}simpleType')}
    assert kinds['TKodWaluty'] == CURRENCIES
    for name, members in (
            ('TRolaPodmiotu3', ThirdPartyRole), ('TRolaPodmiotuUpowaznionego', AuthorizedRole), ('TLadunek', Cargo),
            ('TRodzajTransportu', TransportKind), ('TTypKorekty', CorrectionEffect), ('TRodzajFaktury', InvoiceKind),
            ('TFormaPlatnosci', PaymentForm), ('TRachunekWlasnyBanku', BankOwnAccount), ('TGTU', GoodsCode),
            ('TOznaczenieProcedury', Procedure), ('TStatusInfoPodatnika', TaxpayerStatus)):
        assert {member.value for member in members} == kinds[name], name
    assert {rate.code for rate in TaxRate} == kinds['TStawkaPodatku']
