from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.tools.misc import format_datetime

from ..ksef.latarnia import Availability

# So long a state that was heard is worth showing.
LIFE = timedelta(hours=24)
# Planned breaks are announced on screens so long ahead.
AHEAD = timedelta(days=7)
# How often the Ministry is asked: while all is well, while it is not, and after an answer that never came.
CALM_SECONDS, TROUBLE_SECONDS, UNANSWERED_SECONDS = 6 * 3600, 600, 1800
# After trouble with KSeF itself the service is asked at once, but not more often than that.
AT_ONCE_SECONDS = 300


class KsefServiceState(models.Model):
    """What the Ministry's availability service (Latarnia) says about one environment of KSeF; workers keep it up to date.

    It belongs to no company: everybody may know it, and environments with the same service share a row.
    """
    _name = 'ksef.service.state'
    _description = "State of KSeF"
    _rec_name = 'latarnia_url'

    latarnia_url = fields.Char(required=True, readonly=True)
    status = fields.Char(readonly=True, help="AVAILABLE, MAINTENANCE, FAILURE, TOTAL_FAILURE, or what the service may say later.")
    events = fields.Json(readonly=True, help="What goes on and what is announced: [{category, title, start, end}], moments in UTC.")
    checked_at = fields.Datetime(readonly=True)
    due_at = fields.Datetime(readonly=True)
    failures = fields.Integer(readonly=True, help="Questions in a row that were not answered.")

    _one_per_service = models.Constraint('UNIQUE (latarnia_url)', "There is a row for this service already.")

    # ------------------------------------------------------------------ for the workers

    @api.model
    def _claim_due(self, environments):
        """The first ``ksef.environment.Environment`` whose service is to be asked now, claimed by this worker; None when none is.

        :param environments: those that are in use
        :raise psycopg2.errors.SerializationFailure: another worker claimed one after this transaction began
        """
        by_url = {environment.latarnia_url: environment for environment in environments}
        now = fields.Datetime.now()
        for url, environment in by_url.items():
            self.env.cr.execute(
                """INSERT INTO ksef_service_state (latarnia_url, due_at, failures, create_date, write_date) VALUES (%s, %s, 0, %s, %s)
                   ON CONFLICT (latarnia_url) DO NOTHING""", [url, now, now, now], log_exceptions=False)
            self.env.cr.execute(
                """UPDATE ksef_service_state SET due_at = %s WHERE id = (
                       SELECT id FROM ksef_service_state WHERE latarnia_url = %s AND (due_at IS NULL OR due_at <= %s)
                          FOR UPDATE SKIP LOCKED)
                RETURNING id""", [now + timedelta(seconds=UNANSWERED_SECONDS), url, now], log_exceptions=False)
            if self.env.cr.fetchone():
                self.invalidate_model()
                return environment
        return None

    @api.model
    def _store(self, latarnia_url, status, messages):
        """Keep what the service said (status and all ``ksef.latarnia.LatarniaMessage``)."""
        state = self.sudo().search([('latarnia_url', '=', latarnia_url)])
        seconds = CALM_SECONDS if status == Availability.AVAILABLE else TROUBLE_SECONDS
        now = fields.Datetime.now()
        state.write({
            'status': status, 'events': self._current_events(messages), 'checked_at': now, 'failures': 0,
            'due_at': now + timedelta(seconds=seconds)})

    @api.model
    def _store_unanswered(self, latarnia_url):
        """The service did not answer: what it said before stays until it is too old."""
        state = self.sudo().search([('latarnia_url', '=', latarnia_url)])
        state.failures += 1

    @api.model
    def _current_events(self, messages):
        """What is not over yet, the newest version of each event."""
        newest = {}
        for message in sorted(messages, key=lambda message: (message.version or 0, message.published or datetime.min.replace(tzinfo=UTC))):
            newest[message.event_id or message.id] = message
        now = datetime.now(UTC)
        return [
            {'category': message.category, 'title': message.title, 'start': self._moment(message.start), 'end': self._moment(message.end)}
            for message in newest.values()
            if message.kind != 'FAILURE_END' and (message.end is None or message.end > now)]

    @api.model
    def _moment(self, value):
        return value and fields.Datetime.to_string(value.astimezone(UTC).replace(tzinfo=None, microsecond=0))

    @api.model
    def _ask_soon(self, latarnia_url):
        """Something went wrong with KSeF: have the next run ask what the Ministry says about it."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            """UPDATE ksef_service_state SET due_at = %s
                WHERE latarnia_url = %s AND due_at > %s AND (checked_at IS NULL OR checked_at < %s)""",
            [now, latarnia_url, now, now - timedelta(seconds=AT_ONCE_SECONDS)])
        self.invalidate_model(['due_at'])

    # ------------------------------------------------------------------ for the screens

    @api.model
    def _describe(self, environment):
        """(level, sentence) about an ``Environment`` for a screen; (False, False) while all is well or nothing is known."""
        state = self.sudo().search([('latarnia_url', '=', environment.latarnia_url)], limit=1)
        now = fields.Datetime.now()
        if not state.checked_at or state.checked_at < now - LIFE:
            return False, False
        events = [
            event | {'start': fields.Datetime.to_datetime(event['start']), 'end': fields.Datetime.to_datetime(event['end'])}
            for event in state.events or []]
        if state.status and state.status != Availability.AVAILABLE:
            return 'danger', self._describe_trouble(state, [event for event in events if not event['start'] or event['start'] <= now])
        ahead = sorted(
            (event for event in events
             if event['category'] == Availability.MAINTENANCE and event['start'] and now < event['start'] < now + AHEAD),
            key=lambda event: event['start'])
        if ahead:
            return 'info', self.env._(
                "Planned break of KSeF: %(period)s. What is to be sent then waits and goes by itself afterwards.",
                period="; ".join(map(self._describe_period, ahead)))
        return False, False

    @api.model
    def _describe_trouble(self, state, events):
        event = next((event for event in events if event['category'] == state.status), None)
        period = self._describe_period(event) if event else ''
        texts = {
            Availability.FAILURE: self.env._("The Ministry reports a failure of KSeF (awaria)"),
            Availability.TOTAL_FAILURE: self.env._("The Ministry reports a total failure of KSeF (awaria całkowita)"),
            Availability.MAINTENANCE: self.env._("KSeF is under planned maintenance (niedostępność)"),
        }
        sentence = texts.get(state.status) or self.env._("KSeF is not available as usual (%(status)s)", status=state.status)
        parts = [f"{sentence}: {period}." if period else f"{sentence}."]
        if event and event['title'] and event['title'] != event['category']:
            parts.append(f"“{event['title']}”.")
        parts.append(self.env._(
            "Nothing is lost: what waits is sent by itself. (As of %(time)s)", time=self._show_moment(state.checked_at)))
        return " ".join(parts)

    @api.model
    def _describe_period(self, event):
        """“from … to …” in the user's time zone."""
        if event['end']:
            return self.env._(
                "from %(start)s to %(end)s", start=self._show_moment(event['start']), end=self._show_moment(event['end']))
        return self.env._("since %(start)s", start=self._show_moment(event['start']))

    @api.model
    def _show_moment(self, moment):
        """A moment (naive, UTC) for a person: the time alone when it is today, in the user's time zone."""
        if not moment:
            return ''
        here = self.with_context(tz=self.env.user.tz or 'Europe/Warsaw')
        is_today = fields.Datetime.context_timestamp(here, moment).date() == fields.Date.context_today(here)
        return format_datetime(self.env, moment, tz=here.env.context['tz'], dt_format='HH:mm' if is_today else 'short')
