"""Latarnia, the Ministry's availability service: is KSeF at work, under maintenance, or failing? No login is needed.

Source: the Ministry's own client (the service has no published contract): GET /status and GET /messages.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from .api import Bearer, Operation
from .reading import Fields
from .transport import Transport

STATUS = Operation("GET", "/status", Bearer.NONE, True)
MESSAGES = Operation("GET", "/messages", Bearer.NONE, True)


class Availability(StrEnum):
    """State of KSeF; the service may know more. Each but the first has its own rules for issuing offline."""

    AVAILABLE = "AVAILABLE"
    MAINTENANCE = "MAINTENANCE"  # niedostępność (planned)
    FAILURE = "FAILURE"  # awaria
    TOTAL_FAILURE = "TOTAL_FAILURE"  # awaria całkowita


@dataclass(frozen=True)
class LatarniaMessage:
    """A message: ``category`` FAILURE, TOTAL_FAILURE or MAINTENANCE; ``kind`` FAILURE_START, FAILURE_END or
    MAINTENANCE_ANNOUNCEMENT. Messages of one ``event_id`` tell of one event; the highest ``version`` counts.
    """

    id: str
    event_id: int | None
    category: str
    kind: str
    title: str = ""
    text: str = ""
    start: datetime | None = None
    end: datetime | None = None
    version: int | None = None
    published: datetime | None = None


@dataclass(frozen=True)
class LatarniaStatus:
    """State of KSeF now (see Availability) and the messages about it."""

    status: str
    messages: tuple[LatarniaMessage, ...] = ()

    @property
    def is_available(self):
        """Whether KSeF is at work as usual."""
        return self.status == Availability.AVAILABLE

    @property
    def ends_at(self):
        """When the latest of what goes on now is announced to end, or None when nobody has said."""
        ends = [message.end for message in self.messages]
        return max(ends) if ends and all(ends) else None


class Latarnia:
    """The availability service of an environment; a context manager.

    :param options: of :class:`~.transport.Transport`
    """

    def __init__(self, environment, **options):
        self._transport = Transport(replace(environment, api_url=environment.latarnia_url), **options)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Close all connections."""
        self._transport.close()

    def status(self):
        """Return the :class:`LatarniaStatus` (GET /status)."""
        answer = self._get(STATUS)
        fields = Fields(answer.json(), answer)
        return LatarniaStatus(fields.need("text", "status"), tuple(map(_message, fields.children("messages"))))

    def messages(self):
        """Return all published :class:`LatarniaMessage` (GET /messages), past and to come."""
        answer = self._get(MESSAGES)
        items = answer.json()
        if not isinstance(items, list):
            raise answer.unreadable("the answer is not a list")
        return [_message(Fields(item, answer, f"[{index}]")) for index, item in enumerate(items)]

    def _get(self, operation):
        return self._transport.request(operation.name, operation.method, operation.path)


def _message(fields):
    return LatarniaMessage(
        id=fields.text("id") or "",
        event_id=fields.integer("eventId"),
        category=fields.text("category") or "",
        kind=fields.text("type") or "",
        title=fields.text("title") or "",
        text=fields.text("text") or "",
        start=fields.timestamp("start"),
        end=fields.timestamp("end"),
        version=fields.integer("version"),
        published=fields.timestamp("published"),
    )
