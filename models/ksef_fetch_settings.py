from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .ksef_fetch import MODES

SHORTEST_INTERVAL = 15  # minutes; KSeF's own advice
SETTINGS = (
    'ksef_fetch_active', 'ksef_fetch_interval', 'ksef_fetch_buyer', 'ksef_fetch_seller', 'ksef_fetch_third',
    'ksef_fetch_authorised', 'ksef_fetch_start_date', 'ksef_fetch_days_back', 'ksef_fetch_mode',
)


class ResCompany(models.Model):
    """What a company fetches from KSeF by itself."""
    _inherit = 'res.company'

    ksef_fetch_active = fields.Boolean(string="Fetch invoices from KSeF")
    ksef_fetch_interval = fields.Integer(string="Minutes between fetches", default=30)
    ksef_fetch_buyer = fields.Boolean(string="Purchases", default=True)
    ksef_fetch_seller = fields.Boolean(string="Own sales")
    ksef_fetch_third = fields.Boolean(string="As third party")
    ksef_fetch_authorised = fields.Boolean(string="As authorised entity")
    ksef_fetch_start_date = fields.Date(
        string="Fetch from", help="Invoices stored in KSeF since this day are fetched; an earlier day brings the older ones too.")
    ksef_fetch_days_back = fields.Integer(
        string="Days back", default=30, help="How far back the first fetching goes where no day is set.")
    ksef_fetch_mode = fields.Selection(MODES, string="Read mode", default='auto', required=True)

    @api.constrains('ksef_fetch_interval', 'ksef_fetch_days_back')
    def _check_ksef_fetch(self):
        for company in self:
            if company.ksef_fetch_interval < SHORTEST_INTERVAL:
                raise ValidationError(self.env._(
                    "KSeF must not be asked for new invoices more often than every %(minutes)s minutes.", minutes=SHORTEST_INTERVAL))
            if company.ksef_fetch_days_back < 0:
                raise ValidationError(self.env._("The number of days back cannot be negative."))

    def _ksef_fetch_wait(self):
        """The time between two fetches of one role."""
        self.ensure_one()
        return timedelta(minutes=max(self.ksef_fetch_interval, SHORTEST_INTERVAL))

    def write(self, vals):
        result = super().write(vals)
        if 'ksef_connection_id' in vals or not set(SETTINGS).isdisjoint(vals):
            self._ksef_update_syncs()
        return result

    def _ksef_update_syncs(self):
        """Have exactly the roles followed that the settings name, on the connection in use; checkpoints are kept."""
        fetches = self.env['ksef.fetch'].sudo()
        for company in self.sudo():
            connection = company._ksef_fetch_connection()
            wanted = set(company._ksef_fetch_roles()) if company.ksef_fetch_active and connection else set()
            syncs = fetches.search([('company_id', '=', company.id), ('is_sync', '=', True)])
            kept = syncs.filtered(lambda sync, c=connection, w=wanted: sync.connection_id == c and sync.role in w)
            (syncs - kept).filtered(lambda sync: sync.state == 'running')._end('cancelled')
            kept.filtered(lambda sync: sync.state != 'running').write(
                {'state': 'running', 'due_at': fields.Datetime.now(), 'failures': 0, 'message': False})
            kept.write({'mode': company.ksef_fetch_mode})
            start = company._ksef_fetch_start()
            for role in sorted(wanted - set(kept.mapped('role'))):
                fetches._begin(connection, role, start, mode=company.ksef_fetch_mode)
            kept._fetch_earlier(start)
        if self:
            self.env['ksef.worker']._trigger_workers()

    def _ksef_fetch_connection(self):
        """The connection that this company itself fetches through; what a branch receives comes with its parent's."""
        connection = self.sudo().ksef_connection_id
        return connection if connection.company_id == self else connection.browse()

    def _ksef_fetch_roles(self):
        self.ensure_one()
        if self._ksef_fetch_connection().internal_id:
            # KSeF shows a unit only the invoices that name it as a third party.
            return ['third']
        return [role for role in ('buyer', 'seller', 'third', 'authorised') if self[f'ksef_fetch_{role}']]

    def _ksef_fetch_start(self):
        """The first day to fetch."""
        self.ensure_one()
        return self.ksef_fetch_start_date or self.env['account.move']._ksef_today() - timedelta(days=self.ksef_fetch_days_back)


class KsefFetch(models.Model):
    _inherit = 'ksef.fetch'

    def _fetch_earlier(self, start):
        """Where the company now wants an earlier start than a checkpoint began with, bring that stretch too."""
        for sync in self:
            began = sync._moment(sync.started_from)
            if sync.company_id.ksef_fetch_start_date and self._as_moment(start) < began:
                self._begin(sync.connection_id, sync.role, self._as_moment(start), began, mode=sync.mode)
                sync.started_from = self._text(self._as_moment(start))


class ResConfigSettings(models.TransientModel):
    """Fetching, per company."""
    _inherit = 'res.config.settings'

    ksef_fetch_active = fields.Boolean(related='company_id.ksef_fetch_active', readonly=False)
    ksef_fetch_interval = fields.Integer(related='company_id.ksef_fetch_interval', readonly=False)
    ksef_fetch_buyer = fields.Boolean(related='company_id.ksef_fetch_buyer', readonly=False)
    ksef_fetch_seller = fields.Boolean(related='company_id.ksef_fetch_seller', readonly=False)
    ksef_fetch_third = fields.Boolean(related='company_id.ksef_fetch_third', readonly=False)
    ksef_fetch_authorised = fields.Boolean(related='company_id.ksef_fetch_authorised', readonly=False)
    ksef_fetch_start_date = fields.Date(related='company_id.ksef_fetch_start_date', readonly=False)
    ksef_fetch_days_back = fields.Integer(related='company_id.ksef_fetch_days_back', readonly=False)
    ksef_fetch_mode = fields.Selection(related='company_id.ksef_fetch_mode', readonly=False, required=True)
