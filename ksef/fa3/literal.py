"""Values that remember how they were written.

``2051``, ``2051.0`` and ``2051.00`` are the same amount, and a moment can be written with any offset. What is read from
a document must come out as it went in, so the reader keeps the original spelling beside the value when it isn't the one
that the writer would choose. Such a value equals, and counts as, the plain one; what is calculated or copied from it has no
spelling of its own (``literal`` is empty).
"""

from datetime import datetime
from decimal import Decimal


class LiteralText(str):
    """A text with the white space that XML Schema collapses."""

    literal = ''


class LiteralNumber(Decimal):
    """A number with other zeros than the writer's."""

    literal = ''


class LiteralMoment(datetime):
    """A moment with an offset or a fraction of a second."""

    literal = ''


LITERALS = frozenset((LiteralText, LiteralNumber, LiteralMoment))


def keep_text(value: str, literal: str) -> str:
    """Return the text, with its original spelling when that differs."""
    if value == literal:
        return value
    kept = LiteralText(value)
    kept.literal = literal
    return kept


def keep_number(value: Decimal, literal: str) -> Decimal:
    """Return the number with its original spelling."""
    kept = LiteralNumber(value)
    kept.literal = literal
    return kept


def keep_moment(value: datetime, literal: str) -> datetime:
    """Return the moment with its original spelling."""
    kept = LiteralMoment.combine(value.date(), value.timetz())
    kept.literal = literal
    return kept
