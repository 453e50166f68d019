from datetime import UTC, datetime

from odoo import api, fields, models

from ..ksef.latarnia import Availability
from ..ksef.offline import Event
from .ksef_dates import warsaw_date


class KsefOutage(models.Model):
    """An event that the Ministry has announced, kept for good: legal deadlines are counted from its end.

    It belongs to no company: everybody may know it. Only the answers of the availability service are written here.
    """
    _name = 'ksef.outage'
    _description = "Announced event of KSeF"
    _order = 'start desc, id desc'
    _rec_name = 'title'

    latarnia_url = fields.Char(required=True, readonly=True)
    event_key = fields.Char(required=True, readonly=True, help="What the service calls the event; its messages are versions of it.")
    category = fields.Selection(
        [('MAINTENANCE', "Planned break"), ('FAILURE', "Failure"), ('TOTAL_FAILURE', "Total failure")], required=True, readonly=True,
        help="Niedostępność, awaria, awaria całkowita")
    title = fields.Char(readonly=True)
    start = fields.Datetime(required=True, readonly=True)
    end = fields.Datetime(readonly=True, help="Empty: it goes on, or nobody has said until when.")

    _one_per_event = models.Constraint('UNIQUE (latarnia_url, event_key)', "The event is known already.")

    @api.model
    def _keep(self, latarnia_url, messages):
        """Keep the newest version of each event in ``messages`` (``ksef.latarnia.LatarniaMessage``); return whether one has changed."""
        newest = {}
        for message in sorted(messages, key=lambda one: (one.version or 0, one.published or datetime.min.replace(tzinfo=UTC))):
            newest[str(message.event_id or message.id)] = message
        known = {outage.event_key: outage for outage in self.sudo().search([('latarnia_url', '=', latarnia_url)])}
        changed = False
        for key, message in newest.items():
            values = self._message_values(message)
            if not values:
                continue
            outage = known.get(key)
            if not outage:
                self.sudo().create(values | {'latarnia_url': latarnia_url, 'event_key': key})
                changed = True
            elif any(outage[name] != value for name, value in values.items()):
                outage.write(values)
                changed = True
        return changed

    @api.model
    def _message_values(self, message):
        """The values of a message, {} for what is none of the known events."""
        start = message.start or message.published
        if message.category not in set(Availability) - {Availability.AVAILABLE} or not start:
            return {}
        end = message.end or (message.published if message.kind == 'FAILURE_END' else None)
        return {
            'category': message.category, 'title': message.title or message.category, 'start': self._naive(start),
            'end': self._naive(end) if end else False}

    @api.model
    def _naive(self, moment):
        return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)

    @api.model
    def _of(self, environment):
        """The events of an ``Environment``."""
        return self.sudo().search([('latarnia_url', '=', environment.latarnia_url)])

    def _as_events(self, since=None):
        """What ``ksef.offline`` counts with: events that were not over at the moment ``since`` (naive UTC)."""
        return [
            Event(outage.category, warsaw_date(outage.start), warsaw_date(outage.end) if outage.end else None)
            for outage in self if not since or not outage.end or outage.end >= since]

    def _running(self, category=None):
        """Those that go on now."""
        now = fields.Datetime.now()
        return self.filtered(lambda outage: outage.start <= now and (not outage.end or now < outage.end)
                             and category in (None, outage.category))


class KsefServiceState(models.Model):
    _inherit = 'ksef.service.state'

    @api.model
    def _store(self, latarnia_url, status, messages):
        """Announcements count for the deadlines of what was issued offline."""
        super()._store(latarnia_url, status, messages)
        if self.env['ksef.outage']._keep(latarnia_url, messages):
            self.env['ksef.document']._recount_deadlines(latarnia_url)
