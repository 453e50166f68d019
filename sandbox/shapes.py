"""Shapes of request data: a small validator whose vocabulary is that of the contract's JSON schemas.

``check(value, path, findings)`` appends sentences to ``findings``; an empty list means that the value fits.
Unknown properties are ignored, as the API does.
"""

import base64
import binascii
import math
import re
from dataclasses import dataclass, field
from datetime import date

from . import clock


class Unreadable(ValueError):
    """The value has another JSON type than the contract says."""


@dataclass(frozen=True)
class Text:
    """A string. ``pattern`` must match the whole value; lengths count characters."""

    minimum: int = 0
    maximum: int | None = None
    pattern: str | None = None
    choices: tuple | None = None

    def check(self, value, path, findings):
        """See the module."""
        if not isinstance(value, str):
            raise Unreadable(f"{path}: oczekiwano tekstu.")
        if self.choices is not None and value not in self.choices:
            findings.append(f"{path}: wartość spoza listy dozwolonych wartości.")
        elif len(value) < self.minimum:
            findings.append(f"{path}: wymagane co najmniej {self.minimum} znaków.")
        elif self.maximum is not None and len(value) > self.maximum:
            findings.append(f"{path}: dozwolone najwyżej {self.maximum} znaków.")
        elif self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
            findings.append(f"{path}: nieprawidłowy format.")


@dataclass(frozen=True)
class Base64:
    """A string of standard Base64, with padding. ``size`` is the exact number of bytes it must hold."""

    minimum: int = 0
    maximum: int | None = None
    size: int | None = None

    def check(self, value, path, findings):
        """See the module."""
        Text(self.minimum, self.maximum).check(value, path, findings)
        try:
            content = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            findings.append(f"{path}: nieprawidłowe kodowanie Base64.")
            return
        if self.size is not None and len(content) != self.size:
            findings.append(f"{path}: oczekiwano {self.size} bajtów.")
        elif not content:
            findings.append(f"{path}: wartość jest pusta.")


@dataclass(frozen=True)
class Integer:
    """A whole number of 32 or 64 bits."""

    minimum: int | None = None
    maximum: int | None = None
    bits: int = 32

    def check(self, value, path, findings):
        """See the module."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        bound = 1 << (self.bits - 1)
        if isinstance(value, bool) or not isinstance(value, int) or not -bound <= value < bound:
            raise Unreadable(f"{path}: oczekiwano liczby całkowitej.")
        if self.minimum is not None and value < self.minimum:
            findings.append(f"{path}: wartość mniejsza niż {self.minimum}.")
        elif self.maximum is not None and value > self.maximum:
            findings.append(f"{path}: wartość większa niż {self.maximum}.")


@dataclass(frozen=True)
class Number:
    """A finite number."""

    def check(self, value, path, findings):
        """See the module."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unreadable(f"{path}: oczekiwano liczby.")
        if (isinstance(value, float) and not math.isfinite(value)) or abs(value) >= 1e28:
            findings.append(f"{path}: liczba spoza zakresu.")


@dataclass(frozen=True)
class Boolean:
    """true or false."""

    def check(self, value, path, findings):
        """See the module."""
        if not isinstance(value, bool):
            raise Unreadable(f"{path}: oczekiwano wartości logicznej.")


@dataclass(frozen=True)
class Instant:
    """A date and time; ISO 8601."""

    def check(self, value, path, findings):
        """See the module."""
        if not isinstance(value, str):
            raise Unreadable(f"{path}: oczekiwano daty i czasu.")
        try:
            clock.parse(value)
        except ValueError:
            findings.append(f"{path}: nieprawidłowa data i czas.")


@dataclass(frozen=True)
class Day:
    """A calendar date."""

    def check(self, value, path, findings):
        """See the module."""
        if not isinstance(value, str):
            raise Unreadable(f"{path}: oczekiwano daty.")
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
                raise ValueError
            date.fromisoformat(value)
        except ValueError:
            findings.append(f"{path}: nieprawidłowa data.")


@dataclass(frozen=True)
class Many:
    """An array."""

    item: object
    minimum: int = 0
    maximum: int | None = None

    def check(self, value, path, findings):
        """See the module."""
        if not isinstance(value, list):
            raise Unreadable(f"{path}: oczekiwano listy.")
        if len(value) < self.minimum:
            findings.append(f"{path}: wymagane co najmniej {self.minimum} elementów.")
        elif self.maximum is not None and len(value) > self.maximum:
            findings.append(f"{path}: dozwolone najwyżej {self.maximum} elementów.")
        else:
            for index, element in enumerate(value):
                self.item.check(element, f"{path}[{index}]", findings)


@dataclass(frozen=True)
class Record:
    """An object. ``required`` must be there and not null; ``optional`` may be null only when listed in ``nullable``."""

    required: dict = field(default_factory=dict)
    optional: dict = field(default_factory=dict)
    nullable: frozenset = frozenset()

    def check(self, value, path, findings):
        """See the module."""
        if not isinstance(value, dict):
            raise Unreadable(f"{path}: oczekiwano obiektu.")
        for name, shape in self.required.items():
            if value.get(name) is None:
                findings.append(f"{path}.{name}: pole jest wymagane.")
            else:
                shape.check(value[name], f"{path}.{name}", findings)
        for name, shape in self.optional.items():
            if value.get(name) is not None:
                shape.check(value[name], f"{path}.{name}", findings)
            elif name in value and name not in self.nullable:
                raise Unreadable(f"{path}.{name}: wartość null jest niedozwolona.")


def record(required=None, optional=None, nullable=None):
    """A ``Record``; by default every optional property may be null."""
    nullable = (optional or ()) if nullable is None else nullable
    return Record(required or {}, optional or {}, frozenset(nullable))


def choice(*values):
    """A string out of a list."""
    return Text(choices=values)


def query_value(shape, values, path, findings):
    """Read a query parameter (a list of texts) as its shape says; returns the value or None."""
    if isinstance(shape, Many):
        shape.check(values, path, findings)
        return values
    text = values[0]
    if len(values) > 1:
        findings.append(f"{path}: parametr podano więcej niż raz.")
    if isinstance(shape, Integer):
        if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
            findings.append(f"{path}: oczekiwano liczby całkowitej.")
            return None
        value = int(text)
    elif isinstance(shape, Boolean):
        if text.lower() not in ("true", "false"):
            findings.append(f"{path}: oczekiwano true albo false.")
            return None
        value = text.lower() == "true"
    else:
        value = text
    try:
        shape.check(value, path, findings)
    except Unreadable as error:
        findings.append(str(error))
    return value
