"""Where the fetching of invoices stands, and how it moves on without missing one.

KSeF tells with every answer how far its archive is final (``permanentStorageHwmDate``, the high water mark, HWM). A
window that was not cut short is done up to there and no further; one that was cut short is done up to its last
invoice. Neighbouring windows share their edge, so an invoice may come twice; its KSeF number says that it is the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from .errors import KsefIntegrityError

LONGEST_WINDOW = timedelta(days=99)  # KSeF takes 100 days; the change to summer time must not cost the last hour
SETTLED = timedelta(days=1)  # what was stored so long ago is final, whether the answer says so or not


class Role(StrEnum):
    """As what the company stands on the invoices (KSeF's subjectType)."""

    SELLER = "Subject1"
    BUYER = "Subject2"
    THIRD_PARTY = "Subject3"
    AUTHORISED = "SubjectAuthorized"


class DateType(StrEnum):
    """Which date a range is about. Only permanent storage can be followed without missing anything."""

    STORAGE = "PermanentStorage"
    ISSUE = "Issue"


@dataclass(frozen=True)
class Window:
    """A range of KSeF's archive to ask for; aware datetimes. ``end`` None means: as far as it is final."""

    role: str
    start: datetime
    end: datetime | None = None
    date_type: str = DateType.STORAGE
    final_only: bool = True

    def filters(self):
        """InvoiceQueryFilters of the contract. Other filters are left out, not false: false would hide invoices."""
        dates = {"dateType": str(self.date_type), "from": self.start.astimezone(UTC).isoformat()}
        if self.end is not None:
            dates["to"] = self.end.astimezone(UTC).isoformat()
        if self.date_type == DateType.STORAGE and self.final_only:
            dates["restrictToPermanentStorageHwmDate"] = True
        return {"subjectType": str(self.role), "dateRange": dates}


def next_window(role, position, now, until=None, date_type=DateType.STORAGE):
    """Return the :class:`Window` to ask for next.

    :param position: up to where everything is here already
    :param until: end of a range that was asked for, or None to follow the archive as it grows
    """
    furthest = position + LONGEST_WINDOW
    if until is None:
        return Window(role, position, furthest if furthest < now else None, date_type)
    return Window(role, position, min(furthest, max(until, position)), date_type, final_only=False)


def advance(window, now, *, is_truncated=False, last=None, hwm=None):
    """Return the position after everything that KSeF gave for ``window`` has been stored.

    :param is_truncated: KSeF gave only the first part
    :param last: date (of the window's kind) of the last invoice given; matters when truncated
    :param hwm: high water mark of the answer
    :raise KsefIntegrityError: the answer allows no step forward: more invoices at one moment than KSeF gives at once
    """
    if is_truncated:
        if last is None or last <= window.start:
            raise KsefIntegrityError(
                "KSeF cut the list short at the moment at which it begins: there is no way to ask for the rest.")
        return last
    end = window.end if window.end is not None else now
    if window.date_type != DateType.STORAGE or not window.final_only:
        return end
    if hwm is None:
        return end if end <= now - SETTLED else window.start
    return max(window.start, min(end, hwm))
