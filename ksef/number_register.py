"""Registers of KSeF numbers: which invoice has which number, as a CSV file from any program.

The first line names the columns, in Polish or English, in any order; others than those known are left alone. Required are
the invoice's number and its KSeF number; issue date, seller's NIP, gross amount and hash make the match surer.
"""

import base64
import binascii
import csv
import io
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from .number import parse

MAX_BYTES = 5_000_000
MAX_LINES = 20_000
_LONGEST_CELL = 1_000
_DELIMITERS = ";\t,|"
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%Y", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d")
_SHA256_BYTES = 32
# Names of columns as programs write them, without signs and diacritics; the first of each is what an export writes.
_NAMES = {
    "number": (
        "numer faktury", "nr faktury", "faktura", "numer dokumentu", "nr dokumentu", "dokument", "numer", "nr", "numer obcy",
        "invoice number", "invoice no", "invoice nr", "invoice", "document number", "number",
    ),
    "ksef_number": (
        "numer ksef", "nr ksef", "ksef", "identyfikator ksef", "id ksef", "numer ksef faktury", "nr ksef faktury",
        "numer faktury w ksef", "numer identyfikujacy ksef", "ksef number", "ksef no", "ksef nr", "ksef id", "ksef identifier",
    ),
    "issue_date": ("data wystawienia", "data faktury", "data dokumentu", "data", "issue date", "invoice date", "date"),
    "seller_nip": (
        "nip sprzedawcy", "nip wystawcy", "sprzedawca nip", "seller nip", "seller tax id", "seller vat", "issuer nip"),
    "gross": (
        "kwota brutto", "wartosc brutto", "brutto", "razem brutto", "naleznosc ogolem", "kwota naleznosci", "gross amount",
        "gross", "total", "amount",
    ),
    "hash": (
        "skrot sha 256", "skrot sha256", "skrot", "skrot dokumentu", "sha256", "sha 256", "hash", "invoice hash",
        "document hash",
    ),
}
# Names that many programs give to other things too (an ordinal, a yes or no): they yield to any other name of the same meaning.
# A bare "NIP" is not here: in a register of sales it is the buyer's.
_VAGUE = {"nr", "numer", "number", "ksef", "data", "date", "amount", "total"}
_YEARS = range(2000, 2101)
_FIELDS = {name: column for column, names in _NAMES.items() for name in names}
HEADINGS = ("Numer faktury", "Numer KSeF", "Data wystawienia", "NIP sprzedawcy", "Kwota brutto", "Skrót SHA-256")


class Fault(StrEnum):
    """Why a file is no register."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    TOO_MANY_LINES = "too_many_lines"
    SPREADSHEET = "spreadsheet"  # Excel, LibreOffice: must be saved as CSV first
    NOT_TEXT = "not_text"
    NO_COLUMNS = "no_columns"
    TWICE = "twice"  # two columns with the same meaning
    BROKEN = "broken"  # the quotation marks do not close, a cell is endless


class CellProblem(StrEnum):
    """What is wrong with a line on its own."""

    NO_NUMBER = "no_number"
    KSEF_NUMBER = "ksef_number"
    ISSUE_DATE = "issue_date"
    GROSS = "gross"
    HASH = "hash"


class RegisterFault(ValueError):
    """The file as a whole cannot be taken; ``fault`` says why."""

    def __init__(self, fault, message):
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True)
class RegisterLine:
    """One line of a register.

    :ivar line: its number in the file, counted from 1 (the headings are line 1)
    :ivar number: the invoice's own number
    :ivar ksef_number: KSeF number; checked when ``problem`` is None
    :ivar issue_date: date or None
    :ivar seller_nip: digits, or ''
    :ivar gross: Decimal or None
    :ivar hash: SHA-256 of the invoice's file, standard Base64, or ''
    :ivar problem: :class:`CellProblem` or None
    :ivar cells: the texts as they stand in the file, in the order of HEADINGS
    """

    line: int
    number: str
    ksef_number: str
    issue_date: date | None = None
    seller_nip: str = ""
    gross: Decimal | None = None
    hash: str = ""
    problem: CellProblem | None = None
    cells: tuple[str, ...] = field(default=(), compare=False)


def read_register(content):
    """Return the :class:`RegisterLine` of each line of a CSV file (bytes), empty ones left out.

    :raise RegisterFault: it is no register, or larger than MAX_BYTES or MAX_LINES
    """
    if len(content) > MAX_BYTES:
        raise RegisterFault(Fault.TOO_LARGE, f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    text = _decode(content)
    hint = re.match(r"sep=.\r?\n", text)  # Excel's own first line, which names the delimiter
    text = text[hint.end():] if hint else text
    delimiter, headings = _headings(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = []
    try:
        next(reader)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append(_line(reader.line_num + bool(hint), headings, cells))
            if len(lines) > MAX_LINES:
                raise RegisterFault(Fault.TOO_MANY_LINES, f"The file has more than {MAX_LINES} lines.")
    except csv.Error as error:
        raise RegisterFault(Fault.BROKEN, f"Line {reader.line_num + bool(hint)} cannot be read: {error}.") from None
    if not lines:
        raise RegisterFault(Fault.EMPTY, "The file has no lines.")
    return lines


def write_register(rows):
    """Return a register (bytes, UTF-8 with a byte order mark, semicolons) that :func:`read_register` reads.

    :param rows: cells in the order of HEADINGS, further ones at the end; None for an empty cell
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def normalized_number(number):
    """The number of an invoice without what people write differently: case, blanks, and which sign separates its parts."""
    return re.sub(r"[\s/\\._\-–—:|]+", "/", number.strip().casefold()).strip("/")


def _decode(content):
    if content[:4] == b"PK\x03\x04" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise RegisterFault(Fault.SPREADSHEET, "This is a spreadsheet; save it as CSV first.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ("utf-16",)
    elif b"\0" in content:
        encodings = ()
    else:
        encodings = ("utf-8-sig", "cp1250")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip():
            raise RegisterFault(Fault.EMPTY, "The file is empty.")
        return text
    if not content:
        raise RegisterFault(Fault.EMPTY, "The file is empty.")
    raise RegisterFault(Fault.NOT_TEXT, "This is not a text file.")


def _headings(text):
    """The delimiter and {name in _NAMES: index of its column}: the delimiter is the one that makes sense of the first line."""
    best, most = None, {}
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except (csv.Error, StopIteration):
            continue
        found = _columns(cells)
        if len(found) > len(most):
            best, most = delimiter, found
    if not {"number", "ksef_number"} <= most.keys():
        raise RegisterFault(Fault.NO_COLUMNS, "The first line must name the columns with invoice number and KSeF number.")
    return best, most


def _columns(cells):
    """{name in _NAMES: index of its column} of the headings' cells."""
    found = {}
    names = [_plain(cell) for cell in cells]
    for column in _NAMES:
        places = [index for index, name in enumerate(names) if _FIELDS.get(name) == column]
        places = [index for index in places if names[index] not in _VAGUE] or places
        if len(places) > 1 and column in ("number", "ksef_number"):
            raise RegisterFault(
                Fault.TWICE, f"Two columns have the same meaning: {cells[places[1]]!r} and {cells[places[0]]!r}.")
        if places:
            found[column] = places[0]
    return found


def _plain(text):
    text = unicodedata.normalize("NFKD", text.strip().casefold().replace("ł", "l"))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", "".join(char for char in text if not unicodedata.combining(char))).split())


def _line(place, headings, cells):
    def cell(column):
        index = headings.get(column)
        value = cells[index] if index is not None and index < len(cells) else ""
        if len(value) > _LONGEST_CELL:
            raise RegisterFault(Fault.BROKEN, f"Line {place} has a cell of {len(value)} characters.")
        return value.replace("\0", "").strip().removeprefix("'").strip()  # spreadsheets mark text with an apostrophe

    problems = []

    def convert(column, function, empty=None):
        text = cell(column)
        if not text:
            return empty
        try:
            return function(text)
        except (ValueError, InvalidOperation):
            problems.append(CellProblem(column))
            return empty

    number, ksef_number = cell("number"), re.sub(r"\s+", "", cell("ksef_number")).upper()
    if not number:
        problems.append(CellProblem.NO_NUMBER)
    try:
        parse(ksef_number)
    except ValueError:
        problems.append(CellProblem.KSEF_NUMBER)
    values = {
        "issue_date": convert("issue_date", _date), "gross": convert("gross", _amount), "hash": convert("hash", _hash, ""),
        "seller_nip": re.sub(r"\D", "", cell("seller_nip")),
    }
    return RegisterLine(
        place, number, ksef_number, problem=problems[0] if problems else None, cells=tuple(map(cell, _NAMES)), **values)


def _date(text):
    text = re.split(r"[ T]", text, maxsplit=1)[0]
    for shape in _DATES:
        try:
            moment = datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
        if moment.year in _YEARS:
            return moment.date()
    raise ValueError(text)


def _amount(text):
    """A Decimal of “1 234,56 zł”, “1.234,56”, “1,234.56”: the last sign that is a comma or a dot begins the decimals."""
    text = re.sub(r"(?i)(?:zł|pln|eur|usd|[\s'€$])+", "", text).replace("−", "-")
    if not re.fullmatch(r"[+-]?\d[\d.,]*", text):
        raise ValueError(text)
    whole, sign, decimals = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", text).groups()
    return Decimal(re.sub(r"[.,]", "", whole) + (f".{decimals}" if sign else ""))


def _hash(text):
    """Standard Base64 of a SHA-256 that is written in Base64 (either alphabet) or in hex."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return base64.b64encode(bytes.fromhex(text)).decode()
    try:
        content = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise ValueError(text) from None
    if len(content) != _SHA256_BYTES:
        raise ValueError(text)
    return base64.b64encode(content).decode()


def _cell(value):
    """The text of a cell; one that a spreadsheet would take for a formula is marked as text."""
    text = "" if value is None else str(value)
    is_number = re.fullmatch(r"-?\d+(?:[.,]\d+)?", text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not is_number else text
