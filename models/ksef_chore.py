"""What the workers do for each connection, visible in one place: last run, result, next due; run now, pause, go on."""
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .ksef_document_offline import OFFLINE_MODES

KINDS = [
    ('offline', "Send invoices issued offline"),
    ('send', "Send invoices"),
    ('status', "Ask for statuses"),
    ('upo', "Fetch UPO"),
    ('delivery', "E-mail customers"),
    ('fetch', "Look for received invoices"),
    ('download', "Download received invoices"),
    ('bills', "Make vendor bills"),
    ('task', "Logins, certificates, rights"),
]
# What can be paused -> the moment of the connection until which workers leave it alone. Asking serves statuses and UPO; all that
# is sent goes through the same queue.
PAUSES = {
    'offline': 'send_paused_until', 'send': 'send_paused_until', 'status': 'read_paused_until', 'upo': 'read_paused_until',
    'delivery': 'delivery_paused_until', 'fetch': 'fetch_paused_until', 'download': 'download_paused_until',
}
# A pause by hand has no end; KSeF's own pauses last for minutes.
FOREVER = datetime(9000, 1, 1)  # noqa: DTZ001  as Odoo's fields: naive, UTC


class KsefChore(models.Model):
    """One kind of work for one connection. Workers note what they did; what is due is read from where they read it."""
    _name = 'ksef.chore'
    _description = "Work for KSeF"
    _order = 'connection_id, sequence, id'
    _rec_name = 'kind'

    connection_id = fields.Many2one('ksef.connection', required=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    kind = fields.Selection(KINDS, string="Work", required=True, readonly=True)
    sequence = fields.Integer(readonly=True)
    last_run_at = fields.Datetime(string="Last run", readonly=True)
    last_done = fields.Integer(string="Done", readonly=True, help="How much of what was due the last run settled.")
    last_left = fields.Integer(string="Left", readonly=True, help="What the last run left to the next one.")
    last_result = fields.Text(compute='_compute_last_result')
    waiting = fields.Integer(compute='_compute_due', help="Documents or jobs that this work is for.")
    next_due_at = fields.Datetime(string="Next due", compute='_compute_due')
    state = fields.Selection(
        [
            ('idle', "Nothing to do"),
            ('waiting', "Waiting"),
            ('held', "Asked to wait"),
            ('paused', "Paused by hand"),
            ('off', "Connection not in use"),
        ], compute='_compute_due')
    can_pause = fields.Boolean(compute='_compute_due')

    _one_per_kind = models.UniqueIndex('(connection_id, kind)')

    @api.depends('last_run_at', 'last_done', 'last_left')
    @api.depends_context('lang')
    def _compute_last_result(self):
        for chore in self:
            text = self.env._("%(done)s done, %(left)s left", done=chore.last_done, left=chore.last_left)
            failed_until = chore.connection_id.sudo().failed_until
            if failed_until and failed_until > fields.Datetime.now():
                text = self.env._("Stopped by a fault of the program; see the server's log")
            parts = [bool(chore.last_run_at) and text, chore.kind == 'delivery' and chore._count_unsettled()]
            chore.last_result = ". ".join(filter(None, parts)) or False

    def _count_unsettled(self):
        """The e-mails that wait for a person, in a sentence; False where there are none."""
        groups = dict(self.env['ksef.delivery'].sudo()._read_group(
            [('connection_id', '=', self.connection_id.id), ('state', 'in', ('unsure', 'failed'))], ['state'], ['__count']))
        return bool(groups) and self.env._(
            "Unsure: %(unsure)s, not sent: %(failed)s (KSeF → E-mails to customers)",
            unsure=groups.get('unsure', 0), failed=groups.get('failed', 0))

    def _compute_due(self):
        found = self._read_due(self.connection_id)
        now = fields.Datetime.now()
        for chore in self:
            connection = chore.connection_id.sudo()
            chore.waiting, due = found.get((connection.id, chore.kind), (0, False))
            held = chore._held_until()
            is_paused = chore._is_paused()
            chore.can_pause = chore.kind in PAUSES and not is_paused
            if is_paused:
                chore.state, due = 'paused', False
            elif not chore._is_served():
                chore.state, due = ('off' if connection.state != 'verifying' else 'waiting'), False
            elif held and held > now and chore.waiting:
                chore.state, due = 'held', max(due or held, held)
            else:
                chore.state = 'waiting' if chore.waiting else 'idle'
            chore.next_due_at = due

    def _held_until(self):
        """Until when the connection waits with this work, or None; KSeF has no say in e-mails."""
        connection = self.connection_id.sudo()
        general = connection.paused_until if self.kind != 'delivery' else False
        return max(filter(None, (general, connection[PAUSES[self.kind]] if self.kind in PAUSES else False)), default=None)

    def _is_served(self):
        """Whether workers do it as the connection is now; e-mails need no working login."""
        connection = self.connection_id.sudo()
        if self.kind == 'delivery':
            return connection.active and connection.state not in ('draft', 'neutralised') and not connection.is_copied_database
        return connection._is_sending()

    def _is_paused(self):
        """Whether a person has paused it."""
        self.ensure_one()
        until = self.connection_id.sudo()[PAUSES[self.kind]] if self.kind in PAUSES else False
        return bool(until) and until >= FOREVER

    @api.model
    def _read_due(self, connections, due_only=False):
        """{(connection id, kind): (count, when the first is due)} of what waits; by one query.

        :param due_only: only what is due now
        """
        for model in ('ksef.document', 'ksef.delivery', 'ksef.fetch', 'ksef.received', 'ksef.task', 'ksef.connection'):
            self.env[model].flush_model()
        return {(connection_id, kind): (count, due) for connection_id, kind, count, due in self.env.execute_query(SQL(
            """
            WITH rows AS (
                SELECT connection_id, due_at, CASE
                       WHEN state IN ('picked', 'queued', 'sending') THEN CASE WHEN mode IN %s THEN 'offline' ELSE 'send' END
                       WHEN state = 'accepted' THEN 'upo' ELSE 'status' END AS kind
                  FROM ksef_document
                 WHERE due_at IS NOT NULL AND (
                       state IN ('picked', 'queued', 'sending', 'unconfirmed', 'sent') OR state = 'accepted' AND has_upo IS NOT TRUE)
                UNION ALL SELECT connection_id, due_at, 'delivery' FROM ksef_delivery WHERE state IN ('waiting', 'ready', 'claimed')
                UNION ALL SELECT connection_id, due_at, 'fetch' FROM ksef_fetch WHERE due_at IS NOT NULL AND state = 'running'
                UNION ALL SELECT connection_id, due_at, 'download' FROM ksef_received WHERE due_at IS NOT NULL AND state = 'listed'
                UNION ALL SELECT connection_id, due_at, 'bills' FROM ksef_received WHERE due_at IS NOT NULL AND bill_wanted
                UNION ALL SELECT connection_id, due_at, 'task' FROM ksef_task WHERE due_at IS NOT NULL
                UNION ALL SELECT id, due_at, 'task' FROM ksef_connection WHERE due_at IS NOT NULL
            )
            SELECT connection_id, kind, COUNT(*), MIN(due_at) FROM rows
             WHERE connection_id IN %s AND (%s OR due_at <= %s) GROUP BY connection_id, kind
            """, OFFLINE_MODES, tuple(connections.ids) or (0,), not due_only, fields.Datetime.now()))}

    # ------------------------------------------------------------------ for the screen

    @api.model
    def _add_missing(self, connections):
        """Rows of connections that have none yet."""
        known = {(chore.connection_id, chore.kind) for chore in self.sudo().search([('connection_id', 'in', connections.ids)])}
        self.sudo().create([
            {'connection_id': connection.id, 'kind': kind, 'sequence': number}
            for connection in connections for number, (kind, _label) in enumerate(KINDS) if (connection, kind) not in known])

    def action_open(self):
        """The list of all work for the companies that are chosen."""
        self.env['ksef.connection']._check_manager()
        self._add_missing(self.env['ksef.connection'].search([('company_id', 'in', self.env.companies.ids), ('state', '!=', 'draft')]))
        return self.env['ir.actions.act_window']._for_xml_id('l10n_pl_ksef.action_ksef_chore')

    def action_run_now(self):
        """Have the workers do it now, as far as KSeF's limits let them; a pause by hand stays."""
        self._check_manage()
        paused = self.filtered(lambda chore: chore._is_paused())
        if paused:
            raise UserError(self.env._("Let the work go on first; it is paused."))
        now, tables = fields.Datetime.now(), {
            'offline': ('ksef.document', [('state', 'in', ('picked', 'queued')), ('mode', 'in', OFFLINE_MODES)]),
            'send': ('ksef.document', [('state', 'in', ('picked', 'queued')), ('mode', 'not in', OFFLINE_MODES)]),
            'status': ('ksef.document', [('state', 'in', ('unconfirmed', 'sent'))]),
            'upo': ('ksef.document', [('state', '=', 'accepted'), ('has_upo', '=', False)]),
            'delivery': ('ksef.delivery', [('state', '=', 'ready')]),
            'fetch': ('ksef.fetch', [('state', '=', 'running')]),
            'download': ('ksef.received', [('state', '=', 'listed')]),
            'bills': ('ksef.received', [('bill_wanted', '=', True)]),
            'task': ('ksef.task', [('due_at', '!=', False)]),
        }
        for chore in self.sudo():
            model, domain = tables[chore.kind]
            rows = self.env[model].sudo().search([('connection_id', '=', chore.connection_id.id), *domain])
            rows.write({'due_at': now})
            if chore.kind == 'send':
                rows._wait_for_their_day()
        self.env['ksef.worker']._trigger_workers()

    def action_pause(self):
        """Leave this work alone until a person lets it go on; statuses and UPO are paused together, and all that is sent."""
        self._check_manage()
        for chore in self.filtered(lambda chore: chore.kind in PAUSES):
            chore.connection_id.sudo()[PAUSES[chore.kind]] = FOREVER
            chore._log(self.env._("Work for KSeF paused: %(work)s.", work=chore._label()))

    def action_resume(self):
        """Let it go on."""
        self._check_manage()
        for chore in self.filtered(lambda chore: chore._is_paused()):
            chore.connection_id.sudo()[PAUSES[chore.kind]] = False
            chore._log(self.env._("Work for KSeF goes on: %(work)s.", work=chore._label()))
        self.env['ksef.worker']._trigger_workers()

    def _check_manage(self):
        self.env['ksef.connection']._check_manager()
        self.check_access('read')

    def _label(self):
        return dict(self._fields['kind']._description_selection(self.env))[self.kind]

    def _log(self, body):
        """In the connection's chatter, with the name of who did it."""
        self.connection_id.sudo()._message_log(body=body, author_id=self.env.user.partner_id.id)


class KsefConnection(models.Model):
    _inherit = 'ksef.connection'

    delivery_paused_until = fields.Datetime(readonly=True, copy=False)

    def _pause_values(self, until, *names):
        """Values that leave kinds of calls alone until then (False: no longer); a pause by hand stays until a person ends it."""
        self.ensure_one()
        return {name: until for name in names if not self[name] or self[name] < FOREVER}

    @api.depends(*dict.fromkeys(PAUSES.values()))
    def _compute_wait_message(self):
        """A pause by hand is no wish of KSeF's, and has no time."""
        texts = {
            'delivery_paused_until': self.env._("E-mailing customers was paused by hand (KSeF → Background work)."),
            'send_paused_until': self.env._("Sending was paused by hand (KSeF → Background work)."),
            'read_paused_until': self.env._("Asking for statuses and UPO was paused by hand (KSeF → Background work)."),
            'fetch_paused_until': self.env._("Looking for received invoices was paused by hand (KSeF → Background work)."),
            'download_paused_until': self.env._("Downloading was paused by hand (KSeF → Background work)."),
        }
        super()._compute_wait_message()
        states = self.env['ksef.service.state']
        for connection in self:
            paused = [name for name in texts if connection[name] and connection[name] >= FOREVER]
            if paused:
                moment = states._show_moment(FOREVER)
                kept = [line for line in (connection.wait_message or '').splitlines() if moment not in line]
                connection.wait_message = "\n".join([*kept, *(texts[name] for name in paused)])


class KsefWorker(models.AbstractModel):
    _inherit = 'ksef.worker'

    @api.model
    def _trigger_workers(self, at=None):
        """Nobody has to be woken for what is paused by hand."""
        if at is None or at.year < FOREVER.year:
            return super()._trigger_workers(at)
        return None

    @api.model
    def _serve_locked(self, run):
        """Note what was due and what became of it, in one commit at the end."""
        with run.transaction() as env:
            before = env['ksef.chore']._read_due(env['ksef.connection'].browse(run.connection_id), due_only=True)
        super()._serve_locked(run)
        if before or run.done:
            run.commit(lambda env: self._note_chores(env, run.connection_id, before, run.done))

    @api.model
    def _note_chores(self, env, connection_id, before, done):
        """What was due and is no longer, or was settled in the very turn in which it arose."""
        after = env['ksef.chore']._read_due(env['ksef.connection'].browse(connection_id), due_only=True)
        now = fields.Datetime.now()
        order = [kind for kind, _label in KINDS]
        for kind in sorted({*done, *(kind for _connection_id, kind in before)}):
            count, _due = before.get((connection_id, kind), (0, None))
            left = after.get((connection_id, kind), (0, None))[0]
            company = env['ksef.connection'].browse(connection_id).company_id
            env.cr.execute(
                """INSERT INTO ksef_chore (connection_id, company_id, kind, sequence, last_run_at, last_done, last_left)
                   VALUES (%s, %s, %s, %s, %s, %s, %s)
                   ON CONFLICT (connection_id, kind) DO UPDATE SET last_run_at = EXCLUDED.last_run_at, last_done = EXCLUDED.last_done,
                       last_left = EXCLUDED.last_left, sequence = EXCLUDED.sequence""",
                [connection_id, company.id, kind, order.index(kind), now, max(count - left, done[kind]), left])


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_connection_alerts(self, document):
        """What a person has paused is no wish of KSeF's."""
        alerts = super()._ksef_connection_alerts(document)
        connection = document.connection_id
        until = connection.send_paused_until if self.ksef_state in ('queued', 'blocked') else connection.read_paused_until
        if until and until >= FOREVER and 'wait' in alerts:
            alerts['wait']['message'] = connection.wait_message
        return alerts

    def _ksef_alerts(self):
        """An e-mail that could go now waits for the person who has paused them."""
        alerts = super()._ksef_alerts()
        held = self.sudo().ksef_delivery_ids.filtered(
            lambda delivery: delivery.state == 'ready' and delivery.connection_id.delivery_paused_until)
        if held and 'delivery' in alerts:
            alerts['delivery']['message'] = self.env._(
                "The e-mail to the customer waits: e-mailing customers was paused by hand (KSeF → Background work).")
        return alerts
