"""The reader: what stands in a document stands in the model, and comes out again as it was; or it is refused."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from fa3_any import any_invoices, full_invoices
from fa3_invoices import invoice, official_schema, samples, schema
from hypothesis import HealthCheck, Phase, given, settings
from lxml import etree

from ksef.fa3 import document, reader, rules, writer
from ksef.fa3.codes import PaymentForm, TaxGroup
from ksef.fa3.document import DocumentKind
from ksef.fa3.nodes import NAMESPACE

PHASES = set(Phase) - {Phase.explain}
TYPES = 'http://crd.gov.pl/xml/schematy/dziedzinowe/mf/2022/01/05/eD/DefinicjeTypy/'


def canonical(xml: bytes) -> str:
    """A document in canonical form: neither indentation nor comments nor prefixes count; every text does."""
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True)
    root = etree.fromstring(xml, parser)
    for element in root.iter('*'):
        if len(element):  # white space between elements, also where a comment stood
            assert not (element.text or '').strip()
            element.text = None
        element.tail = None
    return etree.canonicalize(etree.tostring(root, encoding='unicode'), rewrite_prefixes=True)


@pytest.mark.parametrize('path', samples(), ids=lambda path: path.stem)
def test_samples_of_the_ministry_come_out_as_they_went_in(path):
    xml = path.read_bytes()
    subject = reader.read(xml)
    again = writer.write(subject)
    assert canonical(again) == canonical(xml)
    assert official_schema().validate(again) == []
    assert reader.read(again) == subject
    assert isinstance(rules.check(subject), list)


@pytest.mark.parametrize('position', range(len(full_invoices())))
def test_everything_comes_back(position):
    subject = full_invoices()[position]
    assert reader.read(writer.write(subject)) == subject


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(any_invoices())
def test_anything_comes_back(subject):
    """Also: what is made from the table is valid by the schema, and no rule stumbles over it."""
    xml = writer.write(subject)
    assert schema().validate(xml) == []
    again = reader.read(xml)
    assert again == subject
    assert writer.write(again) == xml
    assert isinstance(rules.check(again, date(2026, 11, 21)), list)


def in_order(subject):
    """The invoice with its sums in the order of the schema, in which they are written."""
    return replace(subject, group_totals=tuple(sorted(
        subject.group_totals, key=lambda total: list(TaxGroup).index(total.group))))


def plain(*changes: tuple[str, str]) -> bytes:
    """The valid invoice's file with pieces replaced."""
    text = writer.write(invoice()).decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


@pytest.mark.parametrize(('old', 'new'), [
    ('<P_15>164.70</P_15>', '<P_15>164.7</P_15>'),
    ('<P_8B>3</P_8B>', '<P_8B>3.000000</P_8B>'),
    ('<P_9A>33.33</P_9A>', '<P_9A>33.33000000</P_9A>'),
    ('2026-11-21T10:11:12Z', '2026-11-21T11:11:12.123+01:00'),
    ('2026-11-21T10:11:12Z', '2026-11-21T11:11:12'),
    ('<P_7>Towar</P_7>', '<P_7>  Towar\n </P_7>'),
    ('<P_7>Towar</P_7>', '<P_7><![CDATA[a & <b>]]></P_7>'),
    ('<DaneKontaktowe><Email>a@example.com</Email><Telefon>+48 22 123 45 67</Telefon></DaneKontaktowe>', '<DaneKontaktowe/>'),
    ('</Fa>', '</Fa><Stopka/>'),
    ('</Fa>', '</Fa><Stopka><Informacje/></Stopka>'),
    ('</Fa>', '</Fa><Stopka><Informacje><StopkaFaktury>a\n  b </StopkaFaktury></Informacje></Stopka>'),
    ('<Termin>2026-12-05</Termin>', ''),
    ("<Faktura ", "<Faktura xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b' "),
    ("<Faktura ", f"<Faktura xmlns:etd='{TYPES}' "),
    ('<Podmiot2>', '<!-- buyer --><Podmiot2>\n\t'),
    ('<P_7>Towar</P_7>', '<P_7>To<!-- in the middle -->war</P_7>'),
], ids=str)
def test_spellings_are_kept(old, new):
    xml = plain((old, new))
    assert schema().validate(xml) == []
    assert canonical(writer.write(reader.read(xml))) == canonical(xml)


def test_a_prefix_changes_nothing():
    xml = plain((f'xmlns="{NAMESPACE}"', f'xmlns:fa="{NAMESPACE}"')).replace(b'</', b'</fa:')
    xml = xml.replace(b'<', b'<fa:')
    xml = xml.replace(b'<fa:?', b'<?').replace(b'<fa:/fa:', b'</fa:')
    assert etree.fromstring(xml).prefix == 'fa'
    assert reader.read(xml) == in_order(invoice())
    assert canonical(writer.write(reader.read(xml))) == canonical(xml)


def test_values_are_what_they_mean_however_they_are_spelled():
    subject = reader.read(plain(
        ('<P_15>164.70</P_15>', '<P_15> 164.7 </P_15>'), ('2026-11-21T10:11:12Z', '2026-11-21T11:11:12'),
        ('<P_7>Towar</P_7>', '<P_7>  To\nwar </P_7>'), ('<FormaPlatnosci>6<', '<FormaPlatnosci>06<')))
    assert subject.total == Decimal('164.70')
    assert subject.total + 1 == Decimal('165.70')
    assert subject.created_at == datetime(2026, 11, 21, 10, 11, 12, tzinfo=UTC), "without an offset it is Polish time"
    assert subject.lines[0].name == "To war"
    assert subject.payment.form is PaymentForm.TRANSFER
    midnight = reader.read(plain(('2026-11-21T10:11:12Z', '2026-11-21T24:00:00Z')))
    assert midnight.created_at == datetime(2026, 11, 22, tzinfo=UTC)


def test_a_changed_value_is_written_anew():
    subject = reader.read(plain(('<P_15>164.70</P_15>', '<P_15>164.7</P_15>')))
    assert b'<P_15>164.7</P_15>' in writer.write(replace(subject, number="FV/2"))
    assert b'<P_15>164.70</P_15>' in writer.write(replace(subject, total=subject.total + 0))
    assert writer.write(deepcopy(subject)) == writer.write(subject)
    moment = reader.read(plain(('2026-11-21T10:11:12Z', '2026-11-21T11:11:12.5+01:00'))).created_at
    later = writer.write(replace(subject, created_at=moment + timedelta(minutes=1)))
    assert b'<DataWytworzeniaFa>2026-11-21T10:12:12.5Z</DataWytworzeniaFa>' in later


@pytest.mark.parametrize(('old', 'new', 'code', 'path'), [
    ('<P_15>', '<Nowe>1</Nowe><P_15>', 'element-unexpected', 'Fa/Nowe'),
    ('<P_7>Książka</P_7>', '<P_7>Książka</P_7><P_7>b</P_7>', 'element-unexpected', 'Fa/FaWiersz[2]/P_7[2]'),
    ('<P_8A>szt.</P_8A><P_8B>3</P_8B>', '<P_8B>3</P_8B><P_8A>szt.</P_8A>', 'element-unexpected', 'Fa/FaWiersz[1]/P_8A'),
    ('</Fa>', '</Fa><Fa/>', 'element-unexpected', 'Fa[2]'),
    ('<P_15>164.70</P_15>', '', 'element-missing', 'Fa'),
    ('<P_16>2</P_16>', '', 'element-missing', 'Fa/Adnotacje'),
    ('<JST>2</JST>', '', 'element-missing', 'Podmiot2'),
    ('<NIP>5261040828</NIP>', '', 'element-missing', 'Podmiot2/DaneIdentyfikacyjne'),
    ('<P_19N>1</P_19N>', '', 'element-missing', 'Fa/Adnotacje/Zwolnienie'),
    ('<P_PMarzyN>1</P_PMarzyN>', '<P_PMarzy>1</P_PMarzy>', 'element-missing', 'Fa/Adnotacje/PMarzy'),
    ('<P_13_1>90.00</P_13_1>', '', 'element-missing', 'Fa'),
    ('<P_12>23</P_12>', '<P_12>np</P_12>', 'value-invalid', 'Fa/FaWiersz[1]/P_12'),
    ('<P_12>23</P_12>', '<P_12>23<b/></P_12>', 'element-unexpected', 'Fa/FaWiersz[1]/P_12/b'),
    ('<P_8B>3</P_8B>', '<P_8B>1e3</P_8B>', 'value-invalid', 'Fa/FaWiersz[1]/P_8B'),
    ('<P_8B>3</P_8B>', '<P_8B/>', 'value-invalid', 'Fa/FaWiersz[1]/P_8B'),
    ('<P_1>2026-11-21</P_1>', '<P_1>2026-02-30</P_1>', 'value-invalid', 'Fa/P_1'),
    ('<P_1>2026-11-21</P_1>', '<P_1>2026-11-21Z</P_1>', 'value-invalid', 'Fa/P_1'),
    ('2026-11-21T10:11:12Z', '2026-11-21', 'value-invalid', 'Naglowek/DataWytworzeniaFa'),
    ('<NrWierszaFa>1<', '<NrWierszaFa>one<', 'value-invalid', 'Fa/FaWiersz[1]/NrWierszaFa'),
    ('<P_16>2<', '<P_16>3<', 'value-invalid', 'Fa/Adnotacje/P_16'),
    ('<P_19N>1<', '<P_19N>2<', 'value-invalid', 'Fa/Adnotacje/Zwolnienie/P_19N'),
    ('wersjaSchemy="1-0E"', 'wersjaSchemy="1-1E"', 'value-invalid', 'Naglowek/KodFormularza'),
    ('wersjaSchemy="1-0E"', 'wersjaSchemy="1-0E" x="1"', 'attribute-unexpected', 'Naglowek/KodFormularza'),
    ('<P_15>', '<P_15 waluta="EUR">', 'attribute-unexpected', 'Fa/P_15'),
    ('<FaWiersz>', '<FaWiersz id="1">', 'attribute-unexpected', 'Fa/FaWiersz[1]'),
    ('<FaWiersz>', '<FaWiersz>Uwaga!', 'text-unexpected', 'Fa/FaWiersz[1]'),
    ('</FaWiersz>', '</FaWiersz>Uwaga!', 'text-unexpected', 'Fa'),
    ('<P_15>', '<P_15 xmlns="urn:other">', 'element-missing', 'Fa'),
], ids=str)
def test_what_has_no_place_is_refused_with_its_path(old, new, code, path):
    xml = plain((old, new))
    assert schema().validate(xml) != [], "the schema doesn't let it through either"
    with pytest.raises(document.ReadProblem) as caught:
        reader.read(xml)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert caught.value.line > 0


BOMB = (b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>')


@pytest.mark.parametrize(('xml', 'kind', 'problem'), [
    (b'', DocumentKind.NOT_XML, document.NotXml),
    (b'%PDF-1.7', DocumentKind.NOT_XML, document.NotXml),
    (b'{"a": 1}', DocumentKind.NOT_XML, document.NotXml),
    (b'<Faktura', DocumentKind.NOT_XML, document.NotXml),
    (b'<a>' * 5000, DocumentKind.NOT_XML, document.NotXml),
    (b'<Faktura>&x;</Faktura>', DocumentKind.NOT_XML, document.NotXml),
    (b' ' * 3_000_001, DocumentKind.NOT_XML, document.NotXml),
    (BOMB + b'<x>&c;</x>', DocumentKind.UNSAFE, document.UnsafeXml),
    (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', DocumentKind.UNSAFE, document.UnsafeXml),
    ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'.encode('utf-16'), DocumentKind.UNSAFE, document.UnsafeXml),
    (b'<Faktura/>', DocumentKind.OTHER_XML, document.OtherDocument),
    (b'<Faktura xmlns="http://crd.gov.pl/wzor/2023/06/29/12648/"/>', DocumentKind.FA2, document.OldInvoice),
    (b'<Faktura xmlns="http://crd.gov.pl/wzor/2021/11/29/11089/"/>', DocumentKind.FA1, document.OldInvoice),
    (b'<Faktura xmlns="http://crd.gov.pl/wzor/2026/03/06/14189/"/>', DocumentKind.FA_RR, document.FarmerInvoice),
    (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>', DocumentKind.PEF, document.PeppolInvoice),
    (b'<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"/>', DocumentKind.PEF_CORRECTION,
     document.PeppolInvoice),
], ids=lambda value: getattr(value, 'value', None))
def test_other_documents_are_told_apart(xml, kind, problem):
    assert document.detect(xml) is kind
    with pytest.raises(problem) as caught:
        reader.read(xml)
    assert type(caught.value) is problem
    if isinstance(caught.value, document.OtherDocument):
        assert caught.value.kind is kind


def test_an_invoice_is_detected_also_with_a_word_about_doctypes_in_it():
    xml = plain(('<P_7>Towar</P_7>', '<P_7><![CDATA[<!DOCTYPE html>]]></P_7>'))
    assert document.detect(xml) is DocumentKind.FA3
    assert reader.read(xml).lines[0].name == '<!DOCTYPE html>'


def test_large_invoices_are_read():
    lines = tuple(replace(invoice().lines[0], number=number, uid=str(number)) for number in range(1, 5001))
    subject = invoice(lines=lines)
    xml = writer.write(subject)
    assert len(xml) > 900_000
    assert reader.read(xml) == in_order(subject)
