"""Reading of KSeF's answers: strict where a mistake would lose something, tolerant everywhere else.

Unknown fields are ignored, optional fields may be missing, null or of another type. A *required* field that is missing
makes the whole answer unreadable: guessing would be worse than asking again.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

_LARGEST = 2**53  # beyond this, JSON numbers are not exact in every language
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,15}", re.ASCII)
# Not storable in PostgreSQL or not encodable in UTF-8; KSeF has no use for them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"  # JWT
    r"|\d{8}-[A-Z]{2}-[0-9A-Fa-f-]{20,30}\|[^|\s]{1,80}\|\w+"  # KSeF token
    r"|(?i:bearer)\s+\S+",
    re.ASCII,
)


def clean(text):
    """Return ``text`` without characters that can't be stored."""
    return _FORBIDDEN.sub("", text)


def scrub(text, limit=1000):
    """Return ``text`` fit for logs and exceptions: one line, at most ``limit`` characters, secrets masked."""
    line = " ".join(_SECRETS.sub("***", clean(text[: 4 * limit])).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def as_text(value):
    """Return ``value`` as text if it is text or a number, else None."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return str(value)
    return None


def as_texts(value):
    """Return a tuple of texts from a list, a single text, or anything else (then it is empty)."""
    items = value if isinstance(value, list) else [value]
    return tuple(text for text in map(as_text, items) if text)


def as_integer(value):
    """Return ``value`` as an int if it is a whole number of at most 15 digits (a text with one too), else None."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    return None


def as_decimal(value):
    """Return ``value`` as a finite Decimal of ordinary size, else None."""
    if isinstance(value, Decimal) and value.is_finite() and -20 < value.adjusted() < 20:
        return value
    integer = as_integer(value)
    return None if integer is None else Decimal(integer)


def as_timestamp(value):
    """Return an aware datetime in UTC from ISO 8601, else None. Without a zone it is UTC; digits beyond µs are cut."""
    match = _TIMESTAMP.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")), _zone(zone))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February, hour 25; the year 1 with an offset
        return None


def _zone(text):
    if not text or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def as_date(value):
    """Return a date from ``YYYY-MM-DD``, with or without a time after it (which is ignored), else None."""
    match = _DATE.match(value.strip()) if isinstance(value, str) else None
    try:
        return match and date(*map(int, match.groups()))
    except ValueError:
        return None


class Fields:
    """One JSON object of an answer, read field by field.

    :param answer: the :class:`~.answers.Answer` it is from, which makes the errors
    :param path: where in the answer the object stands, for the errors
    """

    def __init__(self, value, answer, path=""):
        self._answer = answer
        self._path = path
        if not isinstance(value, dict):
            raise answer.unreadable(f"{path or 'the answer'} is not a JSON object")
        self.raw = value

    def text(self, name):
        """Return a text, or None."""
        return as_text(self.raw.get(name))

    def texts(self, name):
        """Return a tuple of texts, perhaps empty."""
        return as_texts(self.raw.get(name))

    def integer(self, name):
        """Return an int, or None."""
        return as_integer(self.raw.get(name))

    def decimal(self, name):
        """Return a Decimal, or None."""
        return as_decimal(self.raw.get(name))

    def timestamp(self, name):
        """Return an aware datetime in UTC, or None."""
        return as_timestamp(self.raw.get(name))

    def date(self, name):
        """Return a date, or None."""
        return as_date(self.raw.get(name))

    def flag(self, name):
        """Return True or False, or None."""
        value = self.raw.get(name)
        return value if isinstance(value, bool) else None

    def need(self, kind, name):
        """Return the field read by the method called ``kind``; raise KsefUnreadableError when there is none."""
        value = getattr(self, kind)(name)
        if value is None or value == "":
            raise self._answer.unreadable(f"{self._at(name)} is missing or not of the right type")
        return value

    def child(self, name):
        """Return the object in a field as Fields, empty when there is none."""
        value = self.raw.get(name)
        return Fields(value if isinstance(value, dict) else {}, self._answer, self._at(name))

    def children(self, name):
        """Return the objects of a list as Fields, none when there is no list."""
        value = self.raw.get(name)
        items = value if isinstance(value, list) else []
        return [Fields(item, self._answer, f"{self._at(name)}[{index}]") for index, item in enumerate(items)]

    def need_children(self, name):
        """Return the objects of a list as Fields; raise KsefUnreadableError when there is no list."""
        if not isinstance(self.raw.get(name), list):
            raise self._answer.unreadable(f"{self._at(name)} is missing or not a list")
        return self.children(name)

    def optional_text(self, name):
        """Return a text or None; raise KsefUnreadableError when there is something that is neither."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, str):
            raise self._answer.unreadable(f"{self._at(name)} is not a text")
        return self.text(name)

    def fault(self, name, what):
        """Return (not raise) the KsefUnreadableError for a field whose content is ``what``."""
        return self._answer.unreadable(f"{self._at(name)} {what}")

    def _at(self, name):
        return f"{self._path}.{name}" if self._path else name
