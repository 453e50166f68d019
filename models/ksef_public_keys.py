import contextlib
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.tools import format_date

from ..ksef.errors import KsefError
from ..ksef.types import KeyUsage
from .ksef_connection_expiry import WARNED_DAYS

# What is known of the keys is looked at again after so long: KSeF may offer others before the old ones end.
KNOWN_FOR = timedelta(days=7)


class KsefConnection(models.Model):
    """How long KSeF's public keys last. They themselves are fetched anew for each login and session; here only their end is kept."""
    _inherit = 'ksef.connection'

    public_keys_until = fields.Datetime(
        string="Public keys valid until", readonly=True, copy=False, help="Klucze publiczne KSeF: when the last one of some usage ends")
    public_keys_at = fields.Datetime(string="Public keys looked at", readonly=True, copy=False)
    public_keys_warned = fields.Integer(readonly=True, copy=False, help="The last warning told of so many days; 0: none yet.")
    public_keys_activity_id = fields.Many2one('mail.activity', readonly=True, copy=False, ondelete='set null', index='btree_not_null')

    def _keep_public_keys(self, keys):
        """Remember how long the keys that KSeF offers now (``ksef.types.PublicKey``) serve for everything that they are needed for."""
        self.ensure_one()
        ends = [max((key.valid_to for key in keys if usage in key.usages), default=None) for usage in KeyUsage]
        if None in ends:
            return
        until = min(ends).astimezone(UTC).replace(tzinfo=None, microsecond=0)
        self.write({'public_keys_until': until, 'public_keys_at': fields.Datetime.now()})
        if (until - fields.Datetime.now()).days > WARNED_DAYS[0]:
            self.public_keys_warned = 0
            self._close_activities(self.public_keys_activity_id)

    def _has_public_keys(self):
        return bool(self.public_keys_until) and self.public_keys_until > fields.Datetime.now()

    @api.model
    def _cron_ksef_watch(self):
        """Public keys end, too: KSeF offers the next ones in time, and if it doesn't, somebody has to know before nothing can be sent."""
        super()._cron_ksef_watch()
        for connection in self.sudo().search([('state', '=', 'connected')]):
            if not connection.is_copied_database:
                connection._watch_public_keys()

    def _watch_public_keys(self):
        now = fields.Datetime.now()
        days = (self.public_keys_until - now).days if self.public_keys_until else None
        is_ending = days is not None and days <= WARNED_DAYS[0]
        if days is None or is_ending or self.public_keys_at < now - KNOWN_FOR:
            self.env['ksef.task']._ask(self, 'fetch_public_keys')
        threshold = is_ending and min(limit for limit in WARNED_DAYS if max(days, 0) <= limit)
        if not is_ending or (self.public_keys_warned and self.public_keys_warned <= threshold):
            return
        self.public_keys_warned = threshold
        self._close_activities(self.public_keys_activity_id)
        user = self.responsible_id or self.create_uid
        told = self.with_context(lang=user.lang)
        self.public_keys_activity_id = told.activity_schedule(
            'mail.mail_activity_data_warning', user_id=user.id,
            summary=told.env._("KSeF: the public keys of KSeF end"),
            note=told.env._(
                "KSeF's public keys end on %(date)s (days left: %(days)s), and KSeF offers no later ones yet. Usually it does in time and "
                "the program takes them by itself. If this warning stays, look for announcements of the Ministry of Finance.",
                date=format_date(told.env, self.public_keys_until.date()), days=max(days, 0)))


class KsefWorker(models.AbstractModel):
    _inherit = 'ksef.worker'

    @api.model
    def _verify(self, run):
        """A company that was just connected knows its public keys, too; without them the rest is as it was."""
        super()._verify(run)
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            if connection.state != 'connected' or connection._has_public_keys():
                return
        with contextlib.suppress(KsefError):
            keys = run.client.public_keys()
            run.commit(lambda env: env['ksef.connection'].browse(run.connection_id)._keep_public_keys(keys))
