"""The availability service (Latarnia): status and messages, set through the administration API."""

from . import clock
from .strict_json import load_json
from .web import Response

# category -> (status while it lasts, type of the opening message)
CATEGORIES = {
    "MAINTENANCE": ("MAINTENANCE", "MAINTENANCE_ANNOUNCEMENT"),
    "FAILURE": ("FAILURE", "FAILURE_START"),
    "TOTAL_FAILURE": ("TOTAL_FAILURE", "FAILURE_START"),
}
_KEY = "latarnia"


class Latarnia:
    """Messages are kept in the state; the status follows from those in force now."""

    def __init__(self, app):
        self._app = app

    def _messages(self):
        return self._app.store.get(_KEY, [])

    def status(self, request):
        """GET /status."""
        now = clock.text(self._app.clock.now())
        current = [message for message in self._messages()
                   if message["start"] <= now and (not message.get("end") or now < message["end"])
                   and message["type"] != "FAILURE_END"]
        order = ["TOTAL_FAILURE", "FAILURE", "MAINTENANCE"]
        statuses = [name for name in order if any(CATEGORIES[item["category"]][0] == name for item in current)]
        result = {"status": statuses[0] if statuses else "AVAILABLE"}
        if current:
            result["messages"] = current
        return result

    def messages(self, request):
        """GET /messages."""
        return Response.json(self._messages())

    def listing(self, request):
        """GET /admin/latarnia."""
        return self.messages(request)

    def announce(self, request):
        """POST /admin/latarnia {category, start?, end?, title?, text?, eventId?}; an end closes a running event."""
        data = load_json(request.body)
        category = data.get("category") if isinstance(data, dict) else None
        if not isinstance(category, str) or category not in CATEGORIES:
            raise ValueError(f"category must be one of {', '.join(CATEGORIES)}")
        if not all(isinstance(data.get(name, ""), str) for name in ("start", "end")):
            raise ValueError("start and end must be dates and times")
        if not isinstance(data.get("eventId", 1), int):
            raise ValueError("eventId must be a number")
        now = self._app.clock.now()
        with self._app.store.transaction() as store:
            messages = self._messages()
            event = data.get("eventId") or 1 + max((item["eventId"] for item in messages), default=0)
            earlier = [item for item in messages if item["eventId"] == event]
            ending = bool(earlier) and data.get("end")
            message = {
                "id": f"{event}-{len(earlier) + 1}", "eventId": event, "category": category,
                "type": "FAILURE_END" if ending and category != "MAINTENANCE" else CATEGORIES[category][1],
                "title": str(data.get("title") or category), "text": str(data.get("text") or ""),
                "start": clock.text(clock.parse(data["start"])) if data.get("start") else (
                    earlier[0]["start"] if earlier else clock.text(now)),
                "version": len(earlier) + 1, "published": clock.text(now),
            }
            if data.get("end"):
                message["end"] = clock.text(clock.parse(data["end"]))
                for item in earlier:
                    item["end"] = message["end"]
            store.put(_KEY, [*messages, message])
        return message

    def clear(self, request):
        """DELETE /admin/latarnia: all is well again."""
        self._app.store.put(_KEY, [])
