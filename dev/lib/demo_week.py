"""A week of a firm in the demo: what happened before it, the switches of the sandbox, and what to click."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import rpc

SEND = "POST /sessions/online/{referenceNumber}/invoices"
DAYS_BACK = 7
TITLE = "Awaria KSeF (demo)"
REASON = "Błąd weryfikacji semantyki dokumentu faktury: nieprawidłowy numer NIP nabywcy."
GUIDE = """\
A week of a firm (docs/week-in-the-demo.md tells it at length):
 before  last week an invoice was issued offline, KSeF rejected it, nobody looked: it is overdue (KSeF → Przegląd)
 Mon     hybrid: KSeF → Nie ma w KSeF, choose invoices, Wyślij do KSeF; the others stay editable
 Tue     automatic: as admin, KSeF → Tryb wysyłania; then confirm invoices as ksiegowa
         dev/demo --mails          what the customers have got
 Wed     outage:  dev/demo --outage on   confirm an invoice, Wystaw offline, print it;  dev/demo --outage off
 Thu     overdue: open last week's invoice, mend the text that KSeF names, Korekta techniczna
 Fri     rejected: dev/demo --reject-next   confirm an invoice; reset it to draft, mend it, confirm it again"""


def prepare(run, sandbox):
    """Have the week before happen; Odoo's server must not run meanwhile.

    :param run: runs a script of this folder, in Odoo's surroundings, with further arguments
    """
    now = datetime.now(UTC)
    moment = (now - timedelta(days=DAYS_BACK)).replace(hour=9, minute=0, second=0, microsecond=0)
    rpc.call_json(f"{sandbox}/admin/settings", {"clockOffsetSeconds": (moment - now).total_seconds()})
    try:
        # The keys that the sandbox was born with are not valid yet.
        rpc.call_json(f"{sandbox}/admin/keys/rotate", {"mode": "planned"})
        run(str(Path(__file__).with_name("demo_past.py")), sandbox, moment.isoformat())
    finally:
        rpc.call_json(f"{sandbox}/admin/settings", {"clockOffsetSeconds": 0})


def outage(sandbox, is_on):
    """KSeF answers nothing but errors, and the Ministry announces a failure; or both are over. Returns what to say."""
    faults = f"{sandbox}/admin/faults"
    running = [fault["id"] for fault in rpc.call_json(faults) if fault["action"] == "http_error"]
    events = [one for one in rpc.call_json(f"{sandbox}/admin/latarnia") if one["title"] == TITLE and not one.get("end")]
    if is_on and not running:
        rpc.call_json(faults, {"operation": "*", "action": "http_error", "status": 503, "times": -1})
    if is_on and not events:
        rpc.call_json(f"{sandbox}/admin/latarnia", {"category": "FAILURE", "title": TITLE})
    if is_on:
        return "KSeF is down, and the Ministry has announced a failure. Odoo learns that when it next sends, or within five minutes."
    for number in running:
        rpc.call_json(f"{faults}/{number}", method="DELETE")
    for event in {one["eventId"] for one in events}:
        end = datetime.now(UTC).isoformat()
        rpc.call_json(f"{sandbox}/admin/latarnia", {"category": "FAILURE", "title": TITLE, "eventId": event, "end": end})
    return (
        "KSeF works again. What waits goes by itself, after some minutes when the outage was long; "
        "as admin, KSeF → Połączenia → Sprawdź ponownie has it go at once.")


def reject_next(sandbox):
    """KSeF rejects the next invoice that comes; returns what to say."""
    rpc.call_json(f"{sandbox}/admin/faults", {"operation": SEND, "action": "invoice_status", "code": 450, "details": [REASON]})
    return "KSeF will reject the next invoice that it gets."

