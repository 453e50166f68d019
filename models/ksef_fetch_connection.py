import time
from datetime import timedelta

from odoo import fields, models

MINUTE, HOUR = 60, 3600
# Kind of call -> where it is counted and what it pauses. KSeF counts both kinds by themselves.
CALLS = {
    'fetch': ('fetch_calls', 'fetch_paused_until'),
    'download': ('download_calls', 'download_paused_until'),
}


class KsefConnection(models.Model):
    """How much a connection may still ask of KSeF: lists and packages share 20 calls an hour, single invoices have 64."""
    _inherit = 'ksef.connection'

    fetch_paused_until = fields.Datetime(readonly=True, copy=False)
    download_paused_until = fields.Datetime(readonly=True, copy=False)
    fetch_calls = fields.Json(readonly=True, copy=False, groups=fields.NO_ACCESS)
    download_calls = fields.Json(readonly=True, copy=False, groups=fields.NO_ACCESS)
    fetch_calls_left = fields.Integer(
        string="Fetches left this hour", compute='_compute_calls_left', compute_sudo=True,
        help="KSeF allows so many lists and packages of invoices an hour.")
    download_calls_left = fields.Integer(
        string="Single invoices left this hour", compute='_compute_calls_left', compute_sudo=True)
    fetch_calls_allowed = fields.Integer(compute='_compute_calls_left', compute_sudo=True)
    fetch_ids = fields.One2many('ksef.fetch', 'connection_id', readonly=True)

    def _compute_calls_left(self):
        settings = self.env['ksef.worker']._get_settings()
        for connection in self:
            connection.fetch_calls_allowed = int(settings['fetch_calls_per_hour'])
            for kind, name in (('fetch', 'fetch_calls_left'), ('download', 'download_calls_left')):
                connection[name] = max(0, int(settings[f'{kind}_calls_per_hour']) - len(connection._recent_calls(kind, HOUR)))

    def _recent_calls(self, kind, seconds):
        """When calls of this kind were made in the last ``seconds`` (Unix time)."""
        since = time.time() - seconds
        return [moment for moment in self[CALLS[kind][0]] or [] if moment > since]

    def _take_call(self, kind, settings):
        """Count a call that is about to be made; where KSeF would refuse it, pause instead and return False."""
        self.ensure_one()
        counter, pause = CALLS[kind]
        calls = self._recent_calls(kind, HOUR)
        for seconds, limit in ((MINUTE, settings[f'{kind}_calls_per_minute']), (HOUR, settings[f'{kind}_calls_per_hour'])):
            recent = [moment for moment in calls if moment > time.time() - seconds]
            if len(recent) >= max(1, int(limit)):
                free_at = sorted(recent)[-max(1, int(limit))] + seconds
                self[pause] = fields.Datetime.now() + timedelta(seconds=max(1, free_at - time.time() + 1))
                return False
        self[counter] = [*calls, time.time()]
        return True

    def _forget_secrets(self):
        """Exports whose keys go can't be read any more: they are asked for anew by the next connection."""
        super()._forget_secrets()
        fetches = self.sudo().fetch_ids
        fetches.write(fetches._no_export())
