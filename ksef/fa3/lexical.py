"""Simple types of the FA(3) schema: how a Python value is written, and what can be wrong with it.

Each type has two methods: ``to_text(value)`` (a value without problems as it stands in XML) and
``problem(value)``, which returns ``None`` or ``(code, values, sentence)``: the parts of a
:class:`~.finding.Finding`.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

from . import text as texts
from .codes import COUNTRIES

Problem = tuple[str, dict, str]


class Text:
    """``xsd:token`` with a length and perhaps a pattern (Python syntax, matched against the whole text)."""

    def __init__(self, maximum: int, minimum: int = 1, pattern: str | None = None, pattern_code: str = 'text-format'):
        self.maximum = maximum
        self.minimum = minimum
        self.pattern = re.compile(pattern) if pattern else None
        self.pattern_code = pattern_code

    def to_text(self, value: str) -> str:
        return value

    def problem(self, value: str) -> Problem | None:
        if not value:
            return 'text-empty', {}, "the text is empty"
        if found := texts.find_forbidden(value):
            position, character = found
            sentence = f"KSeF refuses the character {character} at position {position + 1}"
            return 'character-forbidden', {'character': character, 'position': position + 1}, sentence
        if not texts.is_collapsed(value):
            return 'text-spaces', {}, "the text has spaces at its ends, several in a row, or line breaks"
        if self.pattern and not self.pattern.fullmatch(value):
            return self.pattern_code, {}, "the text does not have the required form"
        if len(value) > self.maximum:
            sizes = {'length': len(value), 'limit': self.maximum}
            return 'text-too-long', sizes, f"{len(value)} characters, at most {self.maximum} fit"
        if len(value) < self.minimum:
            return 'text-too-short', {'limit': self.minimum}, f"at least {self.minimum} characters are needed"
        return None


class Country(Text):
    """``TKodKraju``: a code of the Ministry's list of countries."""

    def __init__(self):
        super().__init__(2, 2)

    def problem(self, value: str) -> Problem | None:
        if value not in COUNTRIES:
            return 'country-unknown', {}, "the code is not on the list of countries of the schema"
        return None


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


class Ordinal:
    """``TNaturalny``: a number from 1 on, at most 14 digits."""

    def to_text(self, value: int) -> str:
        return str(value)

    def problem(self, value: int) -> Problem | None:
        if not 0 < value < 10**14:
            return 'number-range', {'minimum': 1, 'maximum': 10**14 - 1}, "not a line number"
        return None


class Day:
    """A date without a time zone, from ``first`` to 2050-01-01."""

    LAST = date(2050, 1, 1)

    def __init__(self, first: date):
        self.first = first

    def to_text(self, value: date) -> str:
        return value.isoformat()

    def problem(self, value: date) -> Problem | None:
        if not self.first <= value <= self.LAST:
            limits = {'minimum': self.first.isoformat(), 'maximum': self.LAST.isoformat()}
            return 'date-range', limits, f"not between {self.first} and {self.LAST}"
        return None


class Moment:
    """An aware moment, written in UTC to the second."""

    def __init__(self, first: datetime):
        self.first = first

    def to_text(self, value: datetime) -> str:
        return value.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')

    def problem(self, value: datetime) -> Problem | None:
        if not self.first <= value <= datetime(2050, 1, 1, 23, 59, 59, tzinfo=UTC):
            return 'date-range', {'minimum': self.first.isoformat(), 'maximum': '2050-01-01'}, "moment out of range"
        return None


class Code:
    """A member of an enumeration; ``attribute`` holds what is written."""

    def __init__(self, attribute: str = 'value'):
        self.attribute = attribute

    def to_text(self, value: Enum) -> str:
        return getattr(value, self.attribute)

    def problem(self, value: Enum) -> Problem | None:
        return None


class YesNo:
    """``TWybor1_2``: 1 yes, 2 no; always written."""

    def to_text(self, value: bool) -> str:
        return '1' if value else '2'

    def problem(self, value: bool) -> Problem | None:
        return None


class Mark(YesNo):
    """``TWybor1``: 1 yes; a ``False`` is left out."""


NIP_PATTERN = r'[1-9]([0-9][1-9]|[1-9][0-9])[0-9]{7}'

AMOUNT = Number(16, 2, padded=2)  # TKwotowy
PRICE = Number(14, 8, padded=2)  # TKwotowy2
QUANTITY = Number(16, 6)  # TIlosci
PERCENTAGE = Percentage()
ORDINAL = Ordinal()
TEXT_256 = Text(256)  # TZnakowy
TEXT_512 = Text(512)
TEXT_50 = Text(50)
TEXT_32 = Text(32)
TEXT_20 = Text(20)
TEXT_13 = Text(13)  # TGLN
NIP = Text(10, 10, NIP_PATTERN, 'nip-format')
EU_PREFIX = Text(2, 2, r'[A-Z]{2}')
EU_VAT_NUMBER = Text(12, 1, r'[0-9A-Z+*]{1,12}', 'eu-vat-format')
COUNTRY = Country()
CURRENCY = Text(3, 3, r'[A-Z]{3}')
EMAIL = Text(255, 3, r'.+@.+', 'email-format')
PHONE = Text(16)
# The schema takes any 10 to 34 characters; an account number has digits and capital letters only.
ACCOUNT = Text(34, 10, r'[0-9A-Z]{10,34}', 'account-format')
SWIFT = Text(11, 8, r'[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?', 'swift-format')
DAY = Day(date(2006, 1, 1))  # TDataT
PAYMENT_DAY = Day(date(2016, 7, 1))  # TData
CREATION = Moment(datetime(2025, 9, 1, tzinfo=UTC))
CODE = Code()
RATE = Code('code')
YES_NO = YesNo()
MARK = Mark()
