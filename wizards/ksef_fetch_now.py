from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.ksef_fetch import DATE_TYPES
from ..models.ksef_received import ROLES


class KsefFetchNow(models.TransientModel):
    """"Fetch now": a period, a perspective and companies; workers do the rest (S1-12)."""
    _name = 'ksef.fetch.now'
    _description = "Fetch invoices from KSeF"

    company_ids = fields.Many2many(
        'res.company', string="Companies", required=True, default=lambda self: self._default_companies(),
        domain="[('ksef_connection_id', '!=', False)]")
    role = fields.Selection(
        ROLES, string="Perspective", required=True, default='buyer',
        help="Faktury zakupu: perspektywa nabywcy; faktury sprzedaży: perspektywa sprzedawcy.")
    date_from = fields.Date(required=True, default=lambda self: self.env['account.move']._ksef_today() - timedelta(days=30))
    date_to = fields.Date(required=True, default=lambda self: self.env['account.move']._ksef_today())
    date_type = fields.Selection(DATE_TYPES, string="Dates of", required=True, default='storage')
    calls_allowed = fields.Integer(compute='_compute_calls_left')
    calls_left = fields.Integer(string="Fetches left this hour", compute='_compute_calls_left')

    @api.model
    def _default_companies(self):
        return self.env.companies.filtered(lambda company: company._ksef_fetch_connection() and company._ksef_connection())

    @api.depends('company_ids')
    def _compute_calls_left(self):
        for wizard in self:
            connections = [company._ksef_connection() for company in wizard.company_ids]
            wizard.calls_allowed = max((connection.fetch_calls_allowed for connection in connections if connection), default=0)
            wizard.calls_left = min((connection.fetch_calls_left for connection in connections if connection), default=0)

    def action_fetch(self):
        """Have the workers fetch, and show how that goes."""
        self.ensure_one()
        self.env['ksef.received']._check_bookkeeper()
        if self.company_ids - self.env.user.company_ids:
            raise UserError(self.env._("You can fetch only for companies that you work in."))
        today = self.env['account.move']._ksef_today()
        if self.date_from > self.date_to:
            raise UserError(self.env._("The last day to fetch lies before the first one."))
        if self.date_from > today:
            raise UserError(self.env._("The period lies in the future."))
        fetches = self.env['ksef.fetch']
        for company in self.company_ids:
            fetches |= self._begin(company, today)
        self.env['ksef.worker']._trigger_workers()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Fetching from KSeF"),
            'res_model': 'ksef.fetch',
            'view_mode': 'list,form',
            'domain': [('id', 'in', fetches.ids)],
        }

    def _begin(self, company, today):
        """The fetch of one company.

        :raise UserError: the company is not connected
        """
        connection = company._ksef_connection()
        parent = company._ksef_works_through()
        if parent:
            raise UserError(self.env._(
                "What %(company)s receives comes with the invoices of %(parent)s: fetch for that company.", company=company.display_name,
                parent=parent.name))
        if connection.internal_id and self.role != 'third':
            raise UserError(self.env._(
                "%(company)s is connected as a unit with an internal identifier: KSeF shows it only invoices that name it as a third "
                "party. Choose that perspective.", company=company.display_name))
        if not connection or connection.state != 'connected':
            raise UserError(self.env._(
                "%(company)s is not logged in to KSeF: connect it first (KSeF → Connections).", company=company.display_name))
        is_recent = self.date_type == 'storage' and self.date_to >= today
        # KSeF's own present time ends a period that reaches into today.
        end = datetime.now(UTC) if is_recent else self.date_to
        return self.env['ksef.fetch']._begin(connection, self.role, self.date_from, end, date_type=self.date_type)
