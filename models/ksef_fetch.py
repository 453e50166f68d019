import base64
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef import checkpoint
from ..ksef.crypto import SessionSecret
from .ksef_received import KSEF_ROLES, ROLES

WARSAW = ZoneInfo('Europe/Warsaw')
STATES = [
    ('running', "Running"),
    ('done', "Done"),
    ('cancelled', "Stopped"),
    ('failed', "Failed"),
]
MODES = [
    ('auto', "As fits: single invoices or packages"),
    ('single', "Single invoices"),
    ('export', "Packages (export)"),
]
DATE_TYPES = [
    ('storage', "Receipt in KSeF"),
    ('issue', "Issue date"),
]
KSEF_DATE_TYPES = {'storage': checkpoint.DateType.STORAGE, 'issue': checkpoint.DateType.ISSUE}


class KsefFetch(models.Model):
    """A stretch of KSeF's archive that is being brought here, for one connection in one role.

    ``sync`` rows never end: they follow the archive, and their position is the checkpoint (KSeF's high water mark);
    there is one for each connection and role. The others go from a date to a date and end. The position moves only
    after every invoice before it is committed, so whatever stops a run, the next one begins where nothing is missing.

    The export under way (its reference number and its key) stands in the row, because KSeF has no list of exports.
    """
    _name = 'ksef.fetch'
    _description = "Fetching from KSeF"
    _order = 'is_sync desc, id desc'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    role = fields.Selection(ROLES, required=True, readonly=True)
    is_sync = fields.Boolean(string="Follows KSeF", readonly=True)
    state = fields.Selection(STATES, required=True, default='running', readonly=True)
    mode = fields.Selection(MODES, required=True, default='auto', readonly=True)
    date_type = fields.Selection(DATE_TYPES, required=True, default='storage', readonly=True)
    user_id = fields.Many2one('res.users', string="Asked for by", readonly=True)
    # Positions are moments of KSeF to the microsecond (ISO 8601 in UTC), which a Datetime would cut.
    started_from = fields.Char(readonly=True)
    position = fields.Char(readonly=True)
    until = fields.Char(readonly=True)
    position_date = fields.Datetime(
        string="Complete up to", compute='_compute_position_date', help="Up to here every invoice that KSeF has is here.")
    progress = fields.Float(compute='_compute_progress', help="Share of the period that is done, in percent.")
    due_at = fields.Datetime(readonly=True)
    last_run = fields.Datetime(readonly=True)
    failures = fields.Integer(readonly=True)
    message = fields.Char(string="What to know", readonly=True)
    seen_count = fields.Integer(string="Invoices in KSeF", readonly=True)
    new_count = fields.Integer(string="New here", readonly=True)

    # The export under way, if any.
    export_state = fields.Selection(
        [('asked', "Asked for"), ('waiting', "Being prepared")], readonly=True)
    export_reference = fields.Char(readonly=True, help="Numer referencyjny eksportu")
    export_from = fields.Char(readonly=True)
    export_until = fields.Char(readonly=True)
    export_polls = fields.Integer(readonly=True)
    secret_key = fields.Char(groups=fields.NO_ACCESS, copy=False)
    secret_iv = fields.Char(groups=fields.NO_ACCESS, copy=False)

    _one_sync = models.UniqueIndex('(connection_id, role) WHERE is_sync', "One checkpoint for each connection and role.")
    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')

    @api.depends('role', 'is_sync')
    def _compute_display_name(self):
        labels = dict(self._fields['role']._description_selection(self.env))
        for fetch in self:
            fetch.display_name = labels.get(fetch.role)

    @api.depends('position')
    def _compute_position_date(self):
        for fetch in self:
            fetch.position_date = fetch.position and fetch._moment(fetch.position).replace(tzinfo=None, microsecond=0)

    @api.depends('position', 'until', 'started_from', 'state')
    def _compute_progress(self):
        for fetch in self:
            fetch.progress = 100 if fetch.state == 'done' else 0
            if fetch.state != 'done' and fetch.until and fetch.until > fetch.started_from:
                start, position, end = map(fetch._moment, (fetch.started_from, fetch.position, fetch.until))
                fetch.progress = 100 * (position - start) / (end - start)

    @api.model
    def _moment(self, text):
        return datetime.fromisoformat(text)

    @api.model
    def _text(self, moment):
        return moment.astimezone(UTC).isoformat()

    # ------------------------------------------------------------------ beginning and ending

    @api.model
    def _begin(self, connection, role, start, end=None, **values):
        """Have a stretch fetched; ``start`` and ``end`` are dates (both included, in Warsaw) or aware datetimes."""
        begin, until = self._as_moment(start), end and self._as_moment(end, is_end=True)
        if until and until <= begin:
            raise UserError(self.env._("The last day to fetch lies before the first one."))
        return self.sudo().create({
            'connection_id': connection.id, 'role': role, 'is_sync': not end, 'user_id': self.env.uid,
            'started_from': self._text(begin), 'position': self._text(begin), 'until': until and self._text(until),
            'due_at': fields.Datetime.now(),
        } | values)

    @api.model
    def _as_moment(self, value, is_end=False):
        if isinstance(value, datetime):
            return value
        moment = datetime.combine(value + timedelta(days=is_end), datetime.min.time(), WARSAW)
        # A range by issue date names days: its last one is included by its own midnight.
        return moment - timedelta(microseconds=1) if is_end else moment

    def action_cancel(self):
        """Stop fetching; what has come stays. A stopped range can be asked for again."""
        self.env['ksef.received']._check_bookkeeper()
        self.check_access('read')
        if any(fetch.is_sync for fetch in self):
            raise UserError(self.env._(
                "Only a period that was asked for can be stopped. Regular fetching is switched in the settings of the company."))
        self.sudo().filtered(lambda fetch: fetch.state == 'running')._end('cancelled')

    def _end(self, state, message=False):
        self.write({'state': state, 'due_at': False, 'message': message} | self._no_export())

    # ------------------------------------------------------------------ windows and the export under way

    def _window(self, now):
        """The ``ksef.checkpoint.Window`` to ask for next."""
        self.ensure_one()
        return checkpoint.next_window(
            KSEF_ROLES[self.role], self._moment(self.position), now, self._moment(self.until) if self.until else None,
            KSEF_DATE_TYPES[self.date_type])

    def _export_window(self):
        """The window that the export under way was asked for with."""
        self.ensure_one()
        return checkpoint.Window(
            KSEF_ROLES[self.role], self._moment(self.export_from), self._moment(self.export_until) if self.export_until else None,
            KSEF_DATE_TYPES[self.date_type], final_only=not self.until)

    def _store_export_intent(self, window, secret):
        """Keep the key of an export that is about to be asked for, encrypted."""
        box = self.env['ksef.secret.box']
        self.sudo().write({
            'export_state': 'asked', 'export_reference': False, 'export_polls': 0,
            'export_from': self._text(window.start), 'export_until': window.end and self._text(window.end),
            'secret_key': box._encrypt(base64.b64encode(secret.key).decode()),
            'secret_iv': box._encrypt(base64.b64encode(secret.iv).decode()),
        })

    def _get_secret(self):
        """The key of the export under way."""
        self.ensure_one()
        box, fetch = self.env['ksef.secret.box'], self.sudo()
        return SessionSecret(
            key=base64.b64decode(box._decrypt(fetch.secret_key)), iv=base64.b64decode(box._decrypt(fetch.secret_iv)))

    @api.model
    def _no_export(self):
        return {
            'export_state': False, 'export_reference': False, 'export_from': False, 'export_until': False, 'export_polls': 0,
            'secret_key': False, 'secret_iv': False,
        }

    def _advance(self, position, now):
        """Everything before ``position`` is committed: move on, and end or wait for the next turn."""
        self.ensure_one()
        text = self._text(position)
        values = self._no_export() | {
            'position': max(text, self.position, key=self._moment), 'failures': 0, 'message': False,
            'last_run': fields.Datetime.now()}
        if self.until:
            is_done = self._moment(values['position']) >= self._moment(self.until)
            values |= {'state': 'done', 'due_at': False} if is_done else {'due_at': fields.Datetime.now()}
        else:
            # Far behind (a first synchronisation, a long pause): the next window follows at once.
            is_behind = now - position > checkpoint.LONGEST_WINDOW
            wait = timedelta() if is_behind else self.company_id._ksef_fetch_wait()
            values['due_at'] = fields.Datetime.now() + wait
        self.write(values)
