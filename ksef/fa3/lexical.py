"""Simple types of the FA(3) schema: how a Python value is written, read, and what can be wrong with it.

Each type has three methods: ``to_text(value)`` (a value without problems as it stands in XML), ``from_text(text)`` (the
value that stands in XML; raises ``ValueError`` when there is none) and ``problem(value)``, which returns ``None`` or
``(code, values, sentence)``: the parts of a :class:`~.finding.Finding`.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

from . import text as texts
from .codes import COUNTRIES, CURRENCIES, EU_VAT_PREFIXES
from .literal import keep_moment, keep_number, keep_text

Problem = tuple[str, dict, str]

_XML_SPACE = re.compile('[\t\n\r ]+')
_NUMBER = re.compile(r'[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)')
_DAY = re.compile(r'[0-9]{4}-[0-9]{2}-[0-9]{2}')
_INTEGER = re.compile(r'[+-]?[0-9]+')


def _trim(text: str) -> str:
    """Return text as ``whiteSpace="collapse"`` reads it."""
    return _XML_SPACE.sub(' ', text).strip(' ')


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("not an integer")
    return int(text)


class Text:
    """``xsd:token`` with a length and perhaps a pattern (Python syntax, matched against the whole text)."""

    def __init__(self, maximum: int, minimum: int = 1, pattern: str | None = None, pattern_code: str = 'text-format'):
        self.maximum = maximum
        self.minimum = minimum
        self.pattern = re.compile(pattern) if pattern else None
        self.pattern_code = pattern_code

    def to_text(self, value: str) -> str:
        return value

    def from_text(self, text: str) -> str:
        return text if texts.is_collapsed(text) else keep_text(_trim(text), text)

    def problem(self, value: str) -> Problem | None:
        if not value and self.minimum:
            return 'text-empty', {}, "the text is empty"
        if found := texts.find_forbidden(value):
            position, character = found
            sentence = f"KSeF refuses the character {character} at position {position + 1}"
            return 'character-forbidden', {'character': character, 'position': position + 1}, sentence
        return self._white_space_problem(value) or self._form_problem(value)

    def _white_space_problem(self, value: str) -> Problem | None:
        if texts.is_collapsed(value):
            return None
        return 'text-spaces', {}, "the text has spaces at its ends, several in a row, or line breaks"

    def _form_problem(self, value: str) -> Problem | None:
        if self.pattern and not self.pattern.fullmatch(value):
            return self.pattern_code, {}, "the text does not have the required form"
        if len(value) > self.maximum:
            sizes = {'length': len(value), 'limit': self.maximum}
            return 'text-too-long', sizes, f"{len(value)} characters, at most {self.maximum} fit"
        return None


class Paragraphs(Text):
    """``xsd:string``: white space and line breaks count; of line breaks only the line feed is taken."""

    def from_text(self, text: str) -> str:
        return text

    def _white_space_problem(self, value: str) -> Problem | None:
        if '\r' in value:
            return 'text-spaces', {}, "the text has carriage returns"
        return None


class Member(Text):
    """A text of a closed list."""

    def __init__(self, members: frozenset, code: str, sentence: str):
        super().__init__(max(map(len, members)))
        self.members = members
        self.code = code
        self.sentence = sentence

    def problem(self, value: str) -> Problem | None:
        return None if value in self.members else (self.code, {}, self.sentence)


class Number:
    """A decimal number: digits before the point, digits after it; never rounded here.

    :param places: most digits after the point; :param padded: fewest digits written after it.
    """

    def __init__(self, whole: int, places: int, padded: int = 0):
        self.whole = whole
        self.places = places
        self.padded = padded

    def to_text(self, value: Decimal) -> str:
        whole, _, fraction = f'{value:f}'.partition('.')
        fraction = fraction.rstrip('0').ljust(self.padded, '0')
        if not value:
            whole = '0'  # no "-0"
        return f'{whole}.{fraction}' if fraction else whole

    def from_text(self, text: str) -> Decimal:
        trimmed = _trim(text)
        if not _NUMBER.fullmatch(trimmed):
            raise ValueError("not a number")
        value = Decimal(trimmed)
        return value if self.to_text(value) == text else keep_number(value, text)

    def problem(self, value: Decimal) -> Problem | None:
        if not value.is_finite():
            return 'number-invalid', {}, "not a number"
        whole, _, fraction = f'{abs(value):f}'.partition('.')
        if len(fraction.rstrip('0')) > self.places:
            return 'number-decimals', {'limit': self.places}, f"more than {self.places} digits after the point"
        if len(whole.lstrip('0')) > self.whole:
            return 'number-too-large', {'limit': self.whole}, f"more than {self.whole} digits before the point"
        return None


class Percentage(Number):
    """``TProcentowy``: 0 to 100, at most 6 digits after the point."""

    def __init__(self):
        super().__init__(3, 6)

    def problem(self, value: Decimal) -> Problem | None:
        if value.is_finite() and not 0 <= value <= 100:
            return 'number-range', {'minimum': 0, 'maximum': 100}, "not between 0 and 100"
        return super().problem(value)


class Integer:
    """``xsd:integer`` from ``minimum`` on, at most 14 digits here."""

    MAXIMUM = 10**14 - 1

    def __init__(self, minimum: int):
        self.minimum = minimum

    def to_text(self, value: int) -> str:
        return str(value)

    def from_text(self, text: str) -> int:
        return _integer(_trim(text))

    def problem(self, value: int) -> Problem | None:
        if not self.minimum <= value <= self.MAXIMUM:
            limits = {'minimum': self.minimum, 'maximum': self.MAXIMUM}
            return 'number-range', limits, f"not between {self.minimum} and {self.MAXIMUM}"
        return None


class Day:
    """A date without a time zone, from ``first`` to 2050-01-01."""

    LAST = date(2050, 1, 1)

    def __init__(self, first: date):
        self.first = first

    def to_text(self, value: date) -> str:
        return value.isoformat()

    def from_text(self, text: str) -> date:
        trimmed = _trim(text)
        if not _DAY.fullmatch(trimmed):
            raise ValueError("not a date")
        return date.fromisoformat(trimmed)

    def problem(self, value: date) -> Problem | None:
        if not self.first <= value <= self.LAST:
            limits = {'minimum': self.first.isoformat(), 'maximum': self.LAST.isoformat()}
            return 'date-range', limits, f"not between {self.first} and {self.LAST}"
        return None


class Moment:
    """An aware moment, written in UTC; one that was written without an offset is Polish time."""

    POLAND = ZoneInfo('Europe/Warsaw')
    MIDNIGHT = re.compile(r'T24:00:00(\.0+)?')

    def __init__(self, first: datetime):
        self.first = first

    def to_text(self, value: datetime) -> str:
        fraction = f'.{value.microsecond:06}'.rstrip('0') if value.microsecond else ''
        return value.astimezone(UTC).strftime(f'%Y-%m-%dT%H:%M:%S{fraction}Z')

    def from_text(self, text: str) -> datetime:
        trimmed, midnights = self.MIDNIGHT.subn('T00:00:00', _trim(text))
        if 'T' not in trimmed:
            raise ValueError("not a moment")
        value = datetime.fromisoformat(trimmed) + timedelta(days=midnights)
        if value.tzinfo is None:
            value = value.replace(tzinfo=self.POLAND)
        return value if self.to_text(value) == text else keep_moment(value, text)

    def problem(self, value: datetime) -> Problem | None:
        if not self.first <= value <= datetime(2050, 1, 1, 23, 59, 59, tzinfo=UTC):
            return 'date-range', {'minimum': self.first.isoformat(), 'maximum': '2050-01-01'}, "moment out of range"
        return None


class Code:
    """A member of an enumeration; ``attribute`` holds what is written; ``excluded`` can't stand in this element."""

    def __init__(self, members: type[Enum], attribute: str = 'value', excluded: tuple[Enum, ...] = ()):
        self.attribute = attribute
        self.members = {getattr(member, attribute): member for member in members if member not in excluded}
        self.excluded = frozenset(excluded)

    def to_text(self, value: Enum) -> str:
        return getattr(value, self.attribute)

    def from_text(self, text: str) -> Enum:
        trimmed = _trim(text)
        if trimmed not in self.members and _INTEGER.fullmatch(trimmed):
            trimmed = str(int(trimmed))  # "06" is 6
        if trimmed not in self.members:
            raise ValueError("not on the list")
        return self.members[trimmed]

    def problem(self, value: Enum) -> Problem | None:
        if value in self.excluded:
            return 'code-excluded', {}, f"{self.to_text(value)} can't be used here"
        return None


class YesNo:
    """``TWybor1_2``: 1 yes, 2 no; always written."""

    MEANINGS = {1: True, 2: False}

    def to_text(self, value: bool) -> str:
        return '1' if value else '2'

    def from_text(self, text: str) -> bool:
        number = _integer(_trim(text))
        if number not in self.MEANINGS:
            raise ValueError("neither yes nor no")
        return self.MEANINGS[number]

    def problem(self, value: bool) -> Problem | None:
        return None


class Mark(YesNo):
    """``TWybor1``: 1 yes; a ``False`` is left out."""

    MEANINGS = {1: True}


NIP_PATTERN = r'[1-9]([0-9][1-9]|[1-9][0-9])[0-9]{7}'
KSEF_NUMBER_PATTERN = (
    rf'({NIP_PATTERN}|M[0-9]{{9}}|[A-Z]{{3}}[0-9]{{7}})-(20[2-9][0-9]|2[1-9][0-9]{{2}}|[3-9][0-9]{{3}})'
    r'(0[1-9]|1[0-2])(0[1-9]|[1-2][0-9]|3[0-1])-[0-9A-F]{6}-?[0-9A-F]{6}-[0-9A-F]{2}'
)
PAYMENT_LINK_PATTERN = (
    r'https?://([a-zA-Z0-9][a-zA-Z0-9-]*\.)+[a-zA-Z]{2,}(:[0-9]{1,5})?(/[^\s?#]*)?'
    r'\?([^#\s]*&)?IPKSeF=[0-9]{3}[a-zA-Z0-9]{10}(&[^#\s]*)?(#[^\n\r]*)?'
)

AMOUNT = Number(16, 2, padded=2)  # TKwotowy
PRICE = Number(14, 8, padded=2)  # TKwotowy2
QUANTITY = Number(16, 6)  # TIlosci, also rates of exchange
PERCENTAGE = Percentage()
ORDINAL = Integer(1)  # TNaturalny
COUNT = Integer(1 - 10**14)
TEXT_256 = Text(256)  # TZnakowy
TEXT_512 = Text(512)
TEXT_50 = Text(50)
TEXT_32 = Text(32)
TEXT_20 = Text(20)
TEXT_13 = Text(13)  # TGLN
TEXT_9 = Text(9)
CELL = Text(256, 0)  # TZnakowy2
HINT = Text(10**4)
FOOTER = Paragraphs(3500)  # TTekstowy
NIP = Text(10, 10, NIP_PATTERN, 'nip-format')
INTERNAL_ID = Text(16, 16, NIP_PATTERN + '-[0-9]{5}', 'internal-id-format')
KSEF_NUMBER = Text(36, 35, KSEF_NUMBER_PATTERN, 'ksef-number-format')
EU_PREFIX = Member(EU_VAT_PREFIXES, 'eu-prefix-unknown', "not a prefix of EU VAT numbers")
SELLER_PREFIX = Member(frozenset({'PL'}), 'seller-prefix', "the prefix of a Polish seller is PL")
EU_VAT_NUMBER = Text(12, 1, r'[0-9A-Z+*]{1,12}', 'eu-vat-format')
COUNTRY = Member(COUNTRIES, 'country-unknown', "the code is not on the list of countries of the schema")
CURRENCY = Member(CURRENCIES, 'currency-unknown', "the code is not on the list of currencies of the schema")
EMAIL = Text(255, 3, r'.+@.+', 'email-format')
PHONE = Text(16)
# The schema takes any 10 to 34 characters; an account number has digits and capital letters only.
ACCOUNT = Text(34, 10, r'[0-9A-Z]{10,34}', 'account-format')
SWIFT = Text(11, 8, r'[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?', 'swift-format')
PAYMENT_LINK = Text(512, 1, PAYMENT_LINK_PATTERN, 'payment-link-format')
PAYMENT_ID = Text(13, 13, r'[0-9]{3}[a-zA-Z0-9]{10}', 'payment-id-format')
KRS = Text(10, 10, r'[0-9]{10}', 'krs-format')
REGON = Text(14, 9, r'[0-9]{9}|[0-9]{14}', 'regon-format')
DAY = Day(date(2006, 1, 1))  # TDataT
PAYMENT_DAY = Day(date(2016, 7, 1))  # TData
AGREEMENT_DAY = Day(date(1990, 1, 1))  # TDataU
CREATION = Moment(datetime(2025, 9, 1, tzinfo=UTC))
MOMENT = Moment(datetime(2021, 10, 1, tzinfo=UTC))  # TDataCzas
YES_NO = YesNo()
MARK = Mark()
