"""Single values of KSeF's answers, and the UPO: what is read, and that nothing at all can break the reader."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ksef import reading, safe_xml
from ksef.errors import KsefUnreadableError
from ksef.upo import read_upo

HASH = "jli86Kp2Kw7jppX59P8VmjWRcwLTvsPK3DcPEB87mNk="


@pytest.mark.parametrize(("text", "moment"), [
    ("2025-07-11T12:23:56.0154302+00:00", datetime(2025, 7, 11, 12, 23, 56, 15430, UTC)),
    ("2025-07-11T12:23:56.9999999Z", datetime(2025, 7, 11, 12, 23, 56, 999999, UTC)),
    ("2025-07-11T12:23:56.5", datetime(2025, 7, 11, 12, 23, 56, 500000, UTC)),
    ("2025-10-11T12:23:56.0154302", datetime(2025, 10, 11, 12, 23, 56, 15430, UTC)),
    ("2025-09-16T11:05:40.841+02:00", datetime(2025, 9, 16, 9, 5, 40, 841000, UTC)),
    ("2025-09-16T00:30:00-0130", datetime(2025, 9, 16, 2, 0, 0, 0, UTC)),
    (" 2025-09-16 11:05z ", datetime(2025, 9, 16, 11, 5, tzinfo=UTC)),
])
def test_timestamps(text, moment):
    assert reading.as_timestamp(text) == moment
    assert reading.as_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize("value", [
    None, 5, "", "2025-07-11", "2025-02-30T00:00:00Z", "2025-07-11T25:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z", "2025-07-11T12:23:56+99:00", "2025-W01-1T00:00:00Z",
    "٢٠٢٥-07-11T12:23:56Z", [], {}, True])
def test_no_timestamps(value):
    assert reading.as_timestamp(value) is None


@pytest.mark.parametrize(("value", "result"), [
    ("2025-09-16", date(2025, 9, 16)), ("2025-09-16T23:59:59Z", date(2025, 9, 16)), ("2025-02-30", None), ("", None),
    (None, None), (20250916, None), ("16.09.2025", None)])
def test_dates(value, result):
    assert reading.as_date(value) == result


@pytest.mark.parametrize(("value", "result"), [
    (440, 440), ("440", 440), (-1, -1), ("0100", 100), (True, None), (440.0, None), (Decimal(440), None), ("4.4", None),
    (10**30, None), ("9" * 16, None), ("٤", None), (None, None), ([], None), ("", None)])
def test_integers(value, result):
    assert reading.as_integer(value) == result


@pytest.mark.parametrize(("value", "result"), [
    (Decimal("1.10"), Decimal("1.10")), (5, Decimal(5)), ("7", Decimal(7)), (Decimal("1e999999999"), None),
    (Decimal("nan"), None), (Decimal("inf"), None), (Decimal("1e-999"), None), (True, None), (None, None)])
def test_decimals(value, result):
    assert reading.as_decimal(value) == result


@pytest.mark.parametrize(("value", "result"), [
    ("a", "a"), (5, "5"), ("a\x00b\ud800\x1bc\nd\u00a0", "abc\nd\u00a0"), (None, None), (True, None), ([], None),
    ({}, None), (Decimal("1.5"), None)])
def test_texts(value, result):
    assert reading.as_text(value) == result


def test_lists_of_texts():
    assert reading.as_texts(["a", None, "", 5, [], "b"]) == ("a", "5", "b")
    assert reading.as_texts("a") == ("a",)
    assert reading.as_texts(None) == reading.as_texts({}) == reading.as_texts([]) == ()


def test_scrubbing():
    assert reading.scrub("a\n\tb\x00\x1b[31m  c") == "a b[31m c"
    assert reading.scrub("x" * 50, 10) == "x" * 9 + "…"
    assert reading.scrub("before eyJhbGci.eyJzdWI.c2ln after") == "before *** after"
    assert reading.scrub("Authorization: Bearer abc.def") == "Authorization: ***"
    assert "0a0a" not in reading.scrub("20250625-EC-2FDC223000-C2BFC98A9C-4E|nip-5265877635|" + "0a" * 32)


@given(st.text(), st.integers(1, 50))
def test_scrubbed_text_can_be_stored_and_logged(text, limit):
    result = reading.scrub(text, limit)
    assert len(result) <= limit
    assert "\n" not in result
    assert "\x00" not in result
    assert result.encode().decode() == result


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5)


@given(ANYTHING)
def test_anything_is_read_or_left_out(value):
    for read in (reading.as_text, reading.as_texts, reading.as_integer, reading.as_decimal, reading.as_timestamp,
                 reading.as_date):
        read(value)


@given(st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?", fullmatch=True))
def test_whatever_looks_like_a_timestamp(text):
    moment = reading.as_timestamp(text)
    assert moment is None or moment.tzinfo is UTC


def upo(documents=None, *, version="4-3", root="Potwierdzenie", head="", session="20250916-SO-1"):
    """Return a UPO with the given Dokument elements."""
    document = f"""<Dokument><NipSprzedawcy>5265877635</NipSprzedawcy>
        <NumerKSeFDokumentu>5265877635-20250916-010040741B3E-46</NumerKSeFDokumentu>
        <NumerFaktury>FA/1/2025</NumerFaktury><DataWystawieniaFaktury>2025-09-16</DataWystawieniaFaktury>
        <DataPrzeslaniaDokumentu>2025-09-16T11:02:41.584+02:00</DataPrzeslaniaDokumentu>
        <DataNadaniaNumeruKSeF>2025-09-16T11:02:42.084+02:00</DataNadaniaNumeruKSeF>
        <SkrotDokumentu>{HASH}</SkrotDokumentu><TrybWysylki>Online</TrybWysylki></Dokument>"""
    return f"""<?xml version="1.0" encoding="utf-8"?>{head}
        <{root} xmlns="http://upo.schematy.mf.gov.pl/KSeF/v{version}">
        <NazwaPodmiotuPrzyjmujacego>Ministerstwo Finansów - środowisko testowe (TE)</NazwaPodmiotuPrzyjmujacego>
        <NumerReferencyjnySesji>{session}</NumerReferencyjnySesji>
        {document if documents is None else documents}
        <Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></{root}>""".encode()


class TestUpo:
    def test_document(self):
        [document] = read_upo(upo())
        assert document.ksef_number == "5265877635-20250916-010040741B3E-46"
        assert document.invoice_number == "FA/1/2025"
        assert document.seller_nip == "5265877635"
        assert document.issue_date == date(2025, 9, 16)
        assert document.sent_at == datetime(2025, 9, 16, 9, 2, 41, 584000, UTC)
        assert document.numbered_at == datetime(2025, 9, 16, 9, 2, 42, 84000, UTC)
        assert document.document_hash == HASH
        assert document.mode == "Online"
        assert document.session_reference == "20250916-SO-1"

    def test_older_version_without_a_mode(self):
        content = upo(version="4-2").replace(b"<TrybWysylki>Online</TrybWysylki>", b"")
        assert read_upo(content)[0].mode is None

    def test_several_documents(self):
        one = upo().decode().partition("<Dokument>")[2].rpartition("</Dokument>")[0]
        content = upo("".join(f"<Dokument>{one.replace('FA/1/', f'FA/{index}/')}</Dokument>" for index in range(3)))
        assert [document.invoice_number for document in read_upo(content)] == ["FA/0/2025", "FA/1/2025", "FA/2/2025"]

    @pytest.mark.parametrize("content", [
        b"", b"<", b"text", b"<a/>", b"<!DOCTYPE html><html/>", upo(root="Faktura"), upo(version="9-9"), upo(""),
        upo(session=""), upo()[:-3],
        upo().replace(HASH.encode(), b"abcd"), upo().replace(HASH.encode(), b"?"),
        upo().replace(b"2025-09-16T11:02:41", b"2025-13-16T11:02:41"), upo().replace(b">2025-09-16<", b">16.09.2025<"),
        upo().replace(b">FA/1/2025<", b"> <"), upo().replace(b"NumerFaktury", b"Numer"),
        upo(head='<!DOCTYPE a [<!ENTITY x "y">]>', session="&x;"),
        upo(head='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', session="&x;"),
        upo(head='<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">'),
    ])
    def test_no_upo(self, content):
        with pytest.raises(KsefUnreadableError):
            read_upo(content)

    @given(st.binary(max_size=50), st.integers(0, 1500), st.integers(0, 60))
    @example(b"\x00", 500, 1)
    def test_damaged(self, noise, position, length):
        content = upo()
        damaged = content[:position] + noise + content[position + length:]
        try:
            documents = read_upo(damaged)
        except KsefUnreadableError:
            return
        assert len(documents) == 1


class TestSafeXml:
    def test_entities_are_not_expanded(self):
        laughs = "".join(f'<!ENTITY l{index} "{f"&l{index - 1};" * 10}">' for index in range(1, 12))
        content = f'<!DOCTYPE a [<!ENTITY l0 "lol">{laughs}]><a>&l11;</a>'.encode()
        with pytest.raises(ValueError, match=r"document type|well-formed"):
            safe_xml.parse(content)

    def test_deep_nesting(self):
        with pytest.raises(ValueError, match="well-formed"):
            safe_xml.parse(b"<a>" * 100_000 + b"</a>" * 100_000)

    def test_ordinary(self):
        assert safe_xml.parse(b'<?xml version="1.0"?><a><b/></a>').tag == "a"
