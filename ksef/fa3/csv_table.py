"""A table of an attachment from comma-separated values, as spreadsheets save them."""

import codecs
import csv
import io
import re

from .codes import ColumnType
from .model import Column, Row, Table
from .text import collapse

DELIMITERS = ';\t,'
ENCODINGS = ('utf-8-sig', 'cp1250')  # what Polish spreadsheets write

_INTEGER = re.compile(r'-?\d+')
_DECIMAL = re.compile(r'-?\d+([.,]\d+)?')
_DATE = re.compile(r'\d{4}-\d\d-\d\d')
_TIME = re.compile(r'\d\d:\d\d(:\d\d)?')
_MOMENT = re.compile(r'\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?')
_FORMS = (
    (_INTEGER, ColumnType.INTEGER), (_DECIMAL, ColumnType.DECIMAL), (_DATE, ColumnType.DATE), (_TIME, ColumnType.TIME),
    (_MOMENT, ColumnType.MOMENT),
)


def decode(content: bytes) -> str:
    """Return the text of a file in one of the usual encodings.

    :raise UnicodeDecodeError: it is in another one
    """
    text = _decode(content)
    if '\0' in text:  # no text has it, and no database takes it; UTF-16 without its mark is full of it
        raise UnicodeDecodeError(ENCODINGS[0], content, (place := content.index(b'\0')), place + 1, "NUL")
    return text


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode('utf-16')
    try:
        return content.decode(ENCODINGS[0])
    except UnicodeDecodeError:
        return content.decode(ENCODINGS[1])


def read_table(text: str, description: str | None = None, with_sums: bool = False) -> Table | None:
    """Return the table: the first line names the columns, the last one has the sums when ``with_sums``.

    Rows without any value are left out. The type of a column is that of all its values; ``None`` without rows.

    :raise ValueError: the text is no table (a quotation mark that isn't closed)
    """
    try:
        rows = [[collapse(cell) for cell in row] for row in csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)]
    except csv.Error as problem:
        raise ValueError(str(problem)) from problem
    rows = [row for row in rows if any(row)]
    if len(rows) < (3 if with_sums else 2):
        return None
    header, *body = rows
    sums = tuple(body.pop()) if with_sums else ()
    columns = tuple(
        Column(type=_type_of([row[position] for row in body if position < len(row)]), name=name) for position, name in enumerate(header))
    return Table(columns=columns, rows=tuple(Row(cells=tuple(row)) for row in body), description=description, sums=sums)


def _delimiter(text: str) -> str:
    """Return the delimiter that the first line has most of."""
    first = text.lstrip().partition('\n')[0]
    return max(DELIMITERS, key=first.count)


def _type_of(cells: list[str]) -> ColumnType:
    values = [cell for cell in cells if cell]
    for form, kind in _FORMS:
        if values and all(form.fullmatch(value) for value in values):
            return kind
    return ColumnType.TEXT
