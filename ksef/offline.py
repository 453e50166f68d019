"""Issuing offline: the modes that the law knows, and until when what was issued must be in KSeF.

Every day here is a day in Poland. Working days are those of the Polish law on days off (ustawa z 18 stycznia 1951 r. o dniach wolnych
od pracy; 24 December since 2025), Saturdays and Sundays excluded.

    deadline = deadline_of(OfflineMode.OFFLINE24, date(2026, 12, 23), events)
    if deadline.is_owed and deadline.day is None:
        ...  # a failure goes on: nobody knows yet
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from .latarnia import Availability

# Working days after the end of a failure (art. 106nf), and after the day of issue or the end of an unavailability.
FAILURE_DAYS = 7
NEXT_DAY = 1
_FIXED_DAYS = ((1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26))
# Days after Easter Sunday: itself, Monday, Pentecost (a Sunday), Corpus Christi (Boże Ciało).
_EASTER_DAYS = (0, 1, 49, 60)
_CHRISTMAS_EVE_SINCE = 2025


class OfflineMode(StrEnum):
    """How an invoice is issued that is not sent at once."""

    OFFLINE24 = "offline24"  # the seller's own choice or failure (art. 106nda)
    UNAVAILABILITY = "offline"  # announced unavailability (art. 106nh)
    EMERGENCY = "emergency"  # announced failure, tryb awaryjny (art. 106nf)
    TOTAL_FAILURE = "total_failure"  # awaria całkowita: never sent


# What is sent later, all in the same way (``offlineMode``), and printed with two codes.
SENT_LATER = (OfflineMode.OFFLINE24, OfflineMode.UNAVAILABILITY, OfflineMode.EMERGENCY)


@dataclass(frozen=True)
class Event:
    """An announced event: ``category`` as in :class:`~.latarnia.Availability`, first and last day in Poland (None: it goes on)."""

    category: str
    start: date
    end: date | None = None

    def covers(self, day):
        """Whether it was on, for a part of the day at least."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True)
class Deadline:
    """Until when an invoice must be in KSeF.

    :ivar day: the last day, None while that cannot be told (an event goes on) or nothing is owed
    :ivar is_owed: False when a total failure has ended the duty to send it
    :ivar failure: the announced failure from whose end it is counted, None when it is not
    """

    day: date | None
    is_owed: bool = True
    failure: Event | None = None


def holidays(year):
    """Return the days off in Poland of a year (a frozenset of dates), Sundays only where they are feasts."""
    days = {date(year, month, day) for month, day in _FIXED_DAYS}
    days |= {easter(year) + timedelta(days=offset) for offset in _EASTER_DAYS}
    if year >= _CHRISTMAS_EVE_SINCE:
        days.add(date(year, 12, 24))
    return frozenset(days)


def easter(year):
    """Return Easter Sunday of a year in the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    skipped = (8 * century + 13) // 25
    epact = (19 * golden + century - century // 4 - skipped + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def is_working_day(day):
    """Whether people work in Poland on this day."""
    return day.weekday() < 5 and day not in holidays(day.year)


def add_working_days(day, count):
    """Return the ``count``-th working day after ``day``, which itself does not count.

    :raise ValueError: ``count`` is not positive
    """
    if count < 1:
        raise ValueError("at least one working day")
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def deadline_of(mode, issued, events=()):
    """Return the :class:`Deadline` of an invoice issued in ``mode`` with the date of issue ``issued`` (P_1).

    A failure announced while a deadline runs moves it to the seventh working day after its end, as often as that happens; a
    total failure announced while it runs ends the duty.

    :param events: announced :class:`Event` of the environment, in any order
    """
    mode = OfflineMode(mode)
    if mode is OfflineMode.TOTAL_FAILURE:
        return Deadline(None, is_owed=False)
    deadline = _first_deadline(mode, issued, events)
    for event in sorted(events, key=lambda event: event.start):
        if (event.end and event.end < issued) or (deadline.day and event.start > deadline.day):
            continue
        if event.category == Availability.TOTAL_FAILURE:
            return Deadline(None, is_owed=False)
        if event.category == Availability.FAILURE:
            deadline = _later(deadline, event)
    return deadline


def _first_deadline(mode, issued, events):
    """Count from the date of issue, or from the end of the event that the mode needs."""
    if mode is OfflineMode.OFFLINE24:
        return Deadline(add_working_days(issued, NEXT_DAY))
    category, count = (
        (Availability.MAINTENANCE, NEXT_DAY) if mode is OfflineMode.UNAVAILABILITY else (Availability.FAILURE, FAILURE_DAYS))
    covering = [event for event in events if event.category == category and event.covers(issued)]
    if not covering:  # the announcement is not known here: the shortest term is the safe one
        return Deadline(add_working_days(issued, NEXT_DAY))
    if any(event.end is None for event in covering):
        return Deadline(None)
    return Deadline(add_working_days(max(event.end for event in covering), count))


def _later(deadline, failure):
    """Count again from the end of a failure; while it goes on, and where a later one counts already, leave that standing."""
    if failure.end is None:
        return Deadline(None, failure=failure)
    day = add_working_days(failure.end, FAILURE_DAYS)
    if deadline.failure and (deadline.day is None or deadline.day >= day):
        return deadline
    return Deadline(day, failure=failure)


def suggested_mode(day, events, status=None):
    """Return the :class:`OfflineMode` to propose on a day: what is announced decides, else the seller's own offline24.

    :param status: what the availability service says now (Availability), which counts before events of the same day
    """
    order = (
        (Availability.TOTAL_FAILURE, OfflineMode.TOTAL_FAILURE),
        (Availability.FAILURE, OfflineMode.EMERGENCY),
        (Availability.MAINTENANCE, OfflineMode.UNAVAILABILITY),
    )
    announced = {status} | {event.category for event in events if event.covers(day)}
    return next((mode for category, mode in order if category in announced), OfflineMode.OFFLINE24)
