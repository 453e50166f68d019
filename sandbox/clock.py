"""Time as the sandbox tells it: UTC instants, Polish calendar days, and a skew that tests can set."""

import re
import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone

_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d:?\d\d)?\Z", re.ASCII
)


class Clock:
    """The wall clock plus ``offset`` seconds. ``now()`` never repeats or goes back while the offset stays."""

    def __init__(self):
        self.offset = 0.0
        self._last = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self):
        """The current instant (aware, UTC, microseconds), strictly later than the one told before."""
        with self._lock:
            moment = datetime.now(UTC) + timedelta(seconds=self.offset)
            if moment <= self._last < moment + timedelta(seconds=1):
                moment = self._last + timedelta(microseconds=1)
            self._last = moment
            return moment

    def set_offset(self, seconds):
        """Move the clock; the time told may go back once, because that is what the caller asks for."""
        with self._lock:
            self.offset = float(seconds)
            self._last = datetime.min.replace(tzinfo=UTC)

    @staticmethod
    def real():
        """Seconds of the real clock, for waits and due times that the skew must not touch."""
        return time.time()


def text(moment):
    """An instant as KSeF writes it: seven fractional digits and an offset. Sorts as text."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0+00:00"


def parse(value):
    """Read an ISO 8601 instant with up to nine fractional digits; without an offset it is Polish local time.

    Returns an aware UTC datetime; raises ValueError for anything else.
    """
    match = _INSTANT.match(value)
    if not match:
        raise ValueError("not an ISO 8601 date and time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
                      int((fraction or "0").ljust(6, "0")[:6]), UTC)
    try:
        if zone is None:
            return moment.replace(tzinfo=_polish_zone(moment)).astimezone(UTC)
        if zone in "Zz":
            return moment
        sign = -1 if zone[0] == "-" else 1
        offset = sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        return moment.replace(tzinfo=timezone(offset)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("date out of range") from error


def _change_day(year, month):
    """The last Sunday of a month: the day of the switch between winter and summer time in the EU."""
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def warsaw(moment):
    """The same instant with the offset of Europe/Warsaw (EU rule, in force since 1996; changes at 01:00 UTC)."""
    utc = moment.astimezone(UTC)
    start = datetime.combine(_change_day(utc.year, 3), datetime.min.time(), UTC) + timedelta(hours=1)
    end = datetime.combine(_change_day(utc.year, 10), datetime.min.time(), UTC) + timedelta(hours=1)
    return utc.astimezone(timezone(timedelta(hours=2 if start <= utc < end else 1)))


def _polish_zone(local):
    """The offset that a Polish wall-clock time has."""
    guess = warsaw(local.replace(tzinfo=timezone(timedelta(hours=1))))
    return guess.tzinfo


def warsaw_text(moment):
    """An instant with milliseconds and the Polish offset, as a UPO shows it."""
    local = warsaw(moment)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"[:-2] + ":" + f"{local:%z}"[-2:]
