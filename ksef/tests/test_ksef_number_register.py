"""Registers of KSeF numbers as programs write them."""

from datetime import date
from decimal import Decimal

import pytest

from ksef.number import crc8
from ksef.number_register import (
    HEADINGS,
    MAX_BYTES,
    MAX_LINES,
    CellProblem,
    Fault,
    RegisterFault,
    RegisterLine,
    normalized_number,
    read_register,
    write_register,
)

START = "5795955811-20261120-0100001AF629"
NUMBER = f"{START}-{crc8(START)}"
HASH = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def csv_file(*lines, encoding="utf-8", end="\n"):
    return end.join(lines).encode(encoding)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1250", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiters_and_encodings(delimiter, encoding, end):
    content = csv_file(
        delimiter.join(["Skrót", "Numer KSeF", "Kontrahent", "Nr faktury"]), delimiter.join(["", NUMBER, "Żółw", "FV/Łódź/1"]),
        encoding=encoding, end=end)
    assert read_register(content) == [RegisterLine(2, "FV/Łódź/1", NUMBER)]


@pytest.mark.parametrize("headings", [
    "Numer faktury;Numer KSeF;Data wystawienia;NIP sprzedawcy;Kwota brutto;Skrót SHA-256",
    "NR FAKTURY;NR KSeF;Data faktury;NIP sprzedawcy;Brutto;SHA256",
    "Invoice number;KSeF number;Issue date;Seller NIP;Gross amount;Hash",
])
def test_all_columns(headings):
    content = csv_file(headings, f"FV/1;{NUMBER.lower()};20.11.2026;PL 579-595-58-11;1 234,50;{HASH}")
    expected = RegisterLine(2, "FV/1", NUMBER, date(2026, 11, 20), "5795955811", Decimal("1234.50"), HASH)
    assert read_register(content) == [expected]


@pytest.mark.parametrize(("text", "amount"), [
    ("1234.5", "1234.5"), ("1\xa0234,56 zł", "1234.56"), ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("-12", "-12"),
    ("1 234 567", "1234567"), ("0,01", "0.01"), ("1.234.567,00 PLN", "1234567.00"),
])
def test_amounts(text, amount):
    [line] = read_register(csv_file("numer;ksef;brutto", f"1;{NUMBER};{text}"))
    assert line.gross == Decimal(amount)


@pytest.mark.parametrize("text", ["2026-11-20", "2026-11-20 10:15:00", "20.11.2026", "20-11-2026", "20/11/2026", "20261120"])
def test_dates(text):
    [line] = read_register(csv_file("numer;ksef;data", f"1;{NUMBER};{text}"))
    assert line.issue_date == date(2026, 11, 20)


@pytest.mark.parametrize("text", [HASH, HEX, HEX.upper(), HASH.replace("+", "-").replace("/", "_").rstrip("=")])
def test_hashes(text):
    [line] = read_register(csv_file("numer;ksef;hash", f"1;{NUMBER};{text}"))
    assert line.hash == HASH


@pytest.mark.parametrize(("cells", "problem"), [
    (f";{NUMBER};;;", CellProblem.NO_NUMBER),
    ("1;;;;", CellProblem.KSEF_NUMBER),
    (f"1;{NUMBER[:-2]}00;;;", CellProblem.KSEF_NUMBER),
    (f"1;{NUMBER.replace('20261120', '20261131')};;;", CellProblem.KSEF_NUMBER),
    (f"1;{NUMBER};2026-02-30;;", CellProblem.ISSUE_DATE),
    (f"1;{NUMBER};;dużo;", CellProblem.GROSS),
    (f"1;{NUMBER};;;skrót", CellProblem.HASH),
    ("1", CellProblem.KSEF_NUMBER),
])
def test_bad_cells(cells, problem):
    [line] = read_register(csv_file("numer;ksef;data;brutto;skrót", cells))
    assert line.problem is problem


@pytest.mark.parametrize(("content", "fault"), [
    (b"", Fault.EMPTY),
    (b"\xef\xbb\xbf \n", Fault.EMPTY),
    (b"numer;ksef\n\n;\n", Fault.EMPTY),
    (b"PK\x03\x04...", Fault.SPREADSHEET),
    (b"\xd0\xcf\x11\xe0...", Fault.SPREADSHEET),
    (b"numer;ksef\n\0", Fault.NOT_TEXT),
    (b"a;b\n1;2\n", Fault.NO_COLUMNS),
    (f"1;{NUMBER}\n".encode(), Fault.NO_COLUMNS),
    (b"numer dokumentu;nr faktury;ksef\n", Fault.TWICE),
    (b"nr;numer;ksef\n", Fault.TWICE),
    (b'numer;ksef\n"1;2\n', Fault.BROKEN),
    (b"numer;ksef\n" + b"x" * 2000 + b";1\n", Fault.BROKEN),
    (b"x" * (MAX_BYTES + 1), Fault.TOO_LARGE),
    (b"numer;ksef\n" + b"1;2\n" * (MAX_LINES + 1), Fault.TOO_MANY_LINES),
])
def test_no_register(content, fault):
    with pytest.raises(RegisterFault) as caught:
        read_register(content)
    assert caught.value.fault is fault


def test_what_is_written_is_read():
    rows = [("=1+1", NUMBER, "2026-11-20", "5795955811", "-12.30", HASH), ('a;"b"\nc', NUMBER, None, None, None, None)]
    content = write_register([HEADINGS, *rows])
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"'=1+1" in content and b"'-12" not in content
    first, second = read_register(content)
    assert (first.number, first.gross, first.hash, first.issue_date) == ("=1+1", Decimal("-12.30"), HASH, date(2026, 11, 20))
    assert second.number == 'a;"b"\nc'


def test_numbers_that_people_write_differently():
    assert normalized_number(" fv/2026/11/0001") == normalized_number("FV-2026 11_0001 ")
    assert normalized_number("FV/1/11") != normalized_number("FV/11/1") != normalized_number("FV/111")


def test_the_buyers_nip():
    """A bare “NIP” in a register of sales is the buyer's: nothing is told of the seller by it."""
    [line] = read_register(csv_file("Numer;Numer KSeF;NIP", f"FV/1;{NUMBER};1111111111"))
    assert not line.seller_nip


@pytest.mark.parametrize("headings", ["Nr;Numer faktury;KSeF;Numer KSeF", "Numer;Nr faktury;ksef;Nr KSeF"])
@pytest.mark.parametrize("turned", [False, True])
def test_vague_headings_yield(headings, turned):
    """An ordinal or a yes beside the real column, before or after it."""
    rows = [headings.split(";"), ["7", "FV/1", "tak", NUMBER]]
    [line] = read_register(csv_file(*(";".join(row[::-1] if turned else row) for row in rows)))
    assert (line.number, line.ksef_number) == ("FV/1", NUMBER)


def test_two_exact_headings():
    with pytest.raises(RegisterFault) as caught:
        read_register(csv_file("Numer;Numer faktury;Nr dokumentu;Numer KSeF", f"1;FV/1;FV/2;{NUMBER}"))
    assert caught.value.fault is Fault.TWICE


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [";", ","])
def test_excels_first_line(delimiter, end):
    content = csv_file(f"sep={delimiter}", f"Numer{delimiter}Numer KSeF", f"FV/1{delimiter}{NUMBER}", end=end, encoding="utf-8-sig")
    assert read_register(content) == [RegisterLine(3, "FV/1", NUMBER)]


@pytest.mark.parametrize("text", ["01.01.0001", "9999-12-31", "1999-12-31", "2101-01-01"])
def test_years_that_cannot_be(text):
    [line] = read_register(csv_file("numer;ksef;data", f"1;{NUMBER};{text}"))
    assert (line.issue_date, line.problem) == (None, CellProblem.ISSUE_DATE)
