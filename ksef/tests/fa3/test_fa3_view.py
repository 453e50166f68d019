"""The page of an invoice: everything that stands in the XML stands there, in Polish, and nothing of it runs."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from html.parser import HTMLParser

import pytest
from fa3_any import any_invoices, full_invoices
from fa3_invoices import ADDRESS, D, invoice, samples, with_buyer, with_line
from fa3_kinds import VALID, advance_correction, attached, correction, exempt, foreign, margin, settled_items, table
from hypothesis import HealthCheck, Phase, given, settings
from lxml import etree

from ksef.fa3 import codes, reader, writer
from ksef.fa3.codes import TaxGroup, TaxRate
from ksef.fa3.labels import LABELS, label
from ksef.fa3.meanings import MEANINGS, meaning
from ksef.fa3.model import AdvanceInvoice, EuVatId, Footer, FooterNote, NoTaxId
from ksef.fa3.structure import PATHS
from ksef.fa3.view import Grid, view
from ksef.fa3.view_html import body_html, to_html
from ksef.fa3.view_values import amount, number

PHASES = set(Phase) - {Phase.explain}
# Elements around others, and marks whose meaning stands in the words of what they mark.
SILENT = {
    'Kol', 'NKom', 'WKom', 'SKom', 'AdresL1', 'AdresL2', 'GLN', 'Wiersz', 'Tekst', 'TNaglowek', 'Suma',
    'DaneIdentyfikacyjne', 'Naglowek', 'Fa', 'Zwolnienie', 'TerminOpis',
}


def texts(part) -> list[str]:
    """All words and values of a page or a part of it."""
    if isinstance(part, Grid):
        return [part.title, *part.columns, *(cell for row in part.rows for cell in row), *part.sums]
    inner = getattr(part, 'sections', None) or getattr(part, 'parts', ())
    rows = [text for row in getattr(part, 'rows', ()) for text in (row.label, row.value)]
    return [part.title, *rows, *(text for each in inner for text in texts(each))]


def section(page, name: str):
    """The section of an attribute."""
    return next(each for each in page.sections if each.name == name)


def rows_of(page, name: str) -> dict:
    """Words and values of a section."""
    return {row.label: row.value for row in section(page, name).rows}


class _Reader(HTMLParser):
    """Collects texts and names of elements of a page."""

    def __init__(self):
        super().__init__()
        self.said, self.elements, self.attributes = [], set(), set()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.said.append(data)


def parsed(html: str) -> _Reader:
    """What a browser finds in a page."""
    found = _Reader()
    found.feed(html)
    return found


def test_every_element_has_a_word():
    tags = {names[-1] for names in PATHS}
    missing = {tag for tag in tags if label(tag) == tag and tag not in LABELS}
    marks = {tag for tag in missing if tag.startswith(('P_13', 'P_14', 'P_19', 'P_22', 'P_PMarzy', 'NrKSeF'))}
    others = {'Zaplacono', 'PlatnoscInna', 'RolaInna', 'TransportInny', 'LadunekInny'}
    assert missing - marks - others - SILENT == set()


def test_every_code_has_a_meaning_in_polish():
    speaking = {codes.GoodsCode, codes.Procedure, codes.ColumnType}
    for kind in (each for each in vars(codes).values() if isinstance(each, type) and issubclass(each, Enum) and each is not Enum):
        for member in kind:
            percentage = isinstance(member, TaxRate) and member.percent
            assert member in MEANINGS or kind in speaking or percentage, member
    assert meaning(TaxRate.VAT_23) == "23%"
    assert meaning(codes.GoodsCode.GTU_07) == "GTU_07"


@pytest.mark.parametrize('subject', full_invoices(), ids=lambda subject: subject.kind.value)
def test_every_value_of_the_file_stands_on_the_page(subject):
    """Texts as they are; of numbers and dates the digits; codes and marks by their words (see above)."""
    marked = replace(subject, footer=Footer(notes=(FooterNote(text="Ostatnie słowo"),)))
    page = '\n'.join(texts(view(marked)))
    for element in etree.fromstring(writer.write(marked)).iter('*'):
        text = element.text or ''
        if not len(element) and len(text) > 2 and not text.startswith(('GTU', 'FA', 'WSTO', '2026')):
            spoken = text if not text.replace('.', '').isdigit() else text.replace('.', ',')
            words = any(getattr(member, 'code', member.value) == text for member in MEANINGS)
            assert spoken in page or words, (element.tag, text)


def test_each_kind_of_row_is_seen():
    """Distinct values at every place of the model: none of them is missing on the page."""
    numbered = iter(range(10**6))

    def mark(element):
        for child in element.iter('*'):
            if not len(child) and child.text == "Żółć&<gęślą>":
                child.text = f"w{next(numbered)}w"

    root = etree.fromstring(writer.write(full_invoices()[0]))
    mark(root)
    page = '\n'.join(texts(view(reader.read(etree.tostring(root)))))
    count = next(numbered)
    assert count > 150
    missing = [number for number in range(count) if f"w{number}w" not in page]
    assert missing == []


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(any_invoices())
def test_any_invoice_has_a_page(subject):
    html = to_html(subject)
    found = parsed(html)
    assert subject.number in found.said
    assert not found.elements & {'script', 'iframe', 'object', 'link', 'form', 'a'}


@pytest.mark.parametrize('path', samples(), ids=lambda path: path.stem)
def test_samples_of_the_ministry(path):
    subject = reader.read(path.read_bytes())
    said = parsed(to_html(subject)).said
    assert subject.number in said
    assert subject.seller.name in said
    for line in subject.lines:
        assert line.name in said


@pytest.mark.parametrize('name', VALID)
def test_kinds(name):
    page = view(VALID[name])
    assert page.title == MEANINGS[VALID[name].kind]
    assert all(each.rows or each.parts for each in page.sections), "no empty section"
    assert body_html(page) in to_html(VALID[name])


def test_what_others_wrote_does_not_run():
    evil = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&'
    subject = replace(with_line({'name': evil}, with_buyer(name=evil, address=replace(ADDRESS, line_1=evil))), number=evil,
                      footer=Footer(notes=(FooterNote(text=evil),)))
    html = to_html(subject, ksef_number=evil, notices=(evil,), codes=(('data:image/png;base64,AA"onload="x', evil),))
    found = parsed(html)
    assert not found.elements & {'script', 'iframe'}
    assert not found.attributes & {'onerror', 'onload', 'onclick'}
    assert found.said.count(evil) >= 6
    assert "default-src &#x27;none&#x27;" in html
    with pytest.raises(ValueError, match="image"):
        to_html(subject, codes=(('https://example.com/a.png', ''),))


def test_numbers_dates_and_words():
    assert amount(D('1234567.5')) == "1\u00a0234\u00a0567,50"
    assert amount(D('-0.005')) == "-0,005"
    assert number(D('3.000')) == "3"
    assert number(D('1E+3')) == "1\u00a0000"
    page = view(foreign(created_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC)))
    assert rows_of(page, 'technical')["Data i czas wytworzenia"] == "02.07.2026 00:30:00", "Polish time"
    assert rows_of(page, 'details')["Data wystawienia"] == "21.11.2026"
    grid = section(page, 'lines').parts[0]
    assert dict(zip(grid.columns, grid.rows[0], strict=True)) == {
        "Lp.": "1", "Unikalny numer wiersza": "u1", "Nazwa towaru lub usługi": "Towar 1", "Miara": "szt.", "Ilość": "1",
        "Cena jedn. netto": "100,00", "Wartość netto": "100,00", "Stawka": "23%", "Kurs waluty": "4,2537"}
    totals = section(page, 'group_totals')
    assert totals.parts[0].rows == ((MEANINGS[TaxGroup.STANDARD], "100,00", "23,00", "97,84"),)
    assert totals.parts[1].rows[0].value == "123,00 EUR"


def test_statements():
    assert rows_of(view(exempt()), 'annotations') == {
        "Zwolnienie od podatku – przepis ustawy lub aktu wydanego na jej podstawie": "art. 43 ust. 1 pkt 19 ustawy"}
    assert rows_of(view(margin()), 'annotations') == {"Procedura marży": "procedura marży – towary używane"}
    assert [each for each in view(invoice()).sections if each.name == 'annotations'] == [], "nothing but no"
    assert rows_of(view(with_buyer(identifier=NoTaxId())), 'buyer')["Brak identyfikatora podatkowego"] == "tak"
    assert rows_of(view(with_buyer(identifier=EuVatId(prefix='DE', number='123456788'))), 'buyer')["Numer VAT UE"] == '123456788'


def test_corrections():
    page = view(correction())
    grid = section(page, 'lines').parts[0]
    assert [row[grid.columns.index("Stan przed korektą")] for row in grid.rows] == ["tak", ""]
    assert [each.title for each in section(page, 'correction').parts] == ["Faktury korygowane"]
    outside = correction(correction=replace(correction().correction, invoices=(
        replace(correction().correction.invoices[0], ksef_number=None),)))
    grid = section(view(outside), 'correction').parts[0]
    assert grid.columns[-1] == "Wystawiona poza KSeF"
    assert grid.rows[0][-1] == "tak"
    assert rows_of(view(advance_correction()), 'correction')["Kwota przed korektą"] == "246,00"
    total = section(page, 'group_totals').parts[1].rows[0]
    assert (total.label, total.value) == ("Kwota należności ogółem (różnica)", "-24,60 PLN")


def test_settlement_and_attachment():
    page = view(invoice(settlement=settled_items(), advance_invoices=(AdvanceInvoice(number="ZAL/1"),)))
    assert rows_of(page, 'settlement')["Do zapłaty"] == "159,70"
    assert [part.title for part in section(page, 'settlement').parts] == ["Obciążenia", "Odliczenia"]
    assert section(page, 'advance_invoices').parts[0].rows == (("ZAL/1",),)
    block = section(view(attached(table())), 'attachment')
    grid = block.parts[-1].parts[-1].parts[0]
    assert grid.columns == ("Licznik", "kWh")
    assert grid.rows == (("Hala", ""), ("A1", "12,5"), ("A2", "-"))
    assert grid.sums == ("", "12,5")
    assert grid.numeric == (False, True)
