"""Values of an invoice as a Polish reader writes them: 1 234,50; 21.11.2026; words for codes."""

from datetime import datetime
from decimal import Decimal

from . import lexical
from .meanings import meaning

SPACE = '\u00a0'


def amount(value: Decimal) -> str:
    """Return money with at least two digits after the point, and every digit that it has."""
    return number(value, 2)


def number(value: Decimal, places: int = 0) -> str:
    """Return a number in Polish form, not rounded."""
    whole, _, fraction = f'{abs(value):f}'.partition('.')
    fraction = fraction.rstrip('0').ljust(places, '0')
    groups = f'{int(whole):,}'.replace(',', SPACE)
    sign = '-' if value < 0 else ''
    return f'{sign}{groups},{fraction}' if fraction else sign + groups


def is_number(kind) -> bool:
    """Tell whether values of a simple type stand to the right."""
    return isinstance(kind, lexical.Number)


def text(kind, value) -> str:
    """Return a value of a simple type in words; what is stated as "no" is nothing."""
    if isinstance(kind, lexical.Percentage):
        return f'{number(value)}%'
    if isinstance(kind, lexical.Number):
        return number(value, kind.padded)
    if isinstance(kind, lexical.YesNo):
        return "tak" if value else ''
    if isinstance(kind, lexical.Code):
        return meaning(value)
    if isinstance(kind, lexical.Day):
        return value.strftime('%d.%m.%Y')
    if isinstance(kind, lexical.Moment):
        return _moment(value)
    return str(value)


def _moment(value: datetime) -> str:
    return value.astimezone(lexical.Moment.POLAND).strftime('%d.%m.%Y %H:%M:%S')
