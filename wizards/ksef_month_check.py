from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..models.ksef_month import KINDS


class KsefMonthCheck(models.TransientModel):
    """What a month still lacks before it is closed or its JPK is made, and closing it."""
    _name = 'ksef.month.check'
    _description = "Month check"

    company_id = fields.Many2one('res.company', required=True, readonly=True)
    first_day = fields.Date(required=True, readonly=True)
    name = fields.Char(string="Month", compute='_compute_name')
    line_ids = fields.One2many('ksef.month.check.line', 'check_id', readonly=True)
    blocking_count = fields.Integer(compute='_compute_blocking_count')
    is_connected = fields.Boolean(compute='_compute_is_connected')
    is_trial = fields.Boolean(compute='_compute_is_connected')
    is_over = fields.Boolean(compute='_compute_name')
    tax_lock_date = fields.Date(related='company_id.tax_lock_date', string="Closed for VAT up to")
    is_closed = fields.Boolean(compute='_compute_name')
    closes_anyway = fields.Boolean(
        string="I close it although something is missing", help="Who closed it and what was missing is noted at the company.")

    @api.depends('first_day', 'company_id.tax_lock_date')
    def _compute_name(self):
        today = self.env['account.move']._ksef_today()
        for check in self:
            check.name = format_date(self.env, check.first_day, date_format='LLLL y')
            check.is_over = check._last_day() < today
            locked = check.company_id.sudo().tax_lock_date
            check.is_closed = bool(locked) and locked >= check._last_day()

    @api.depends('line_ids.is_blocking')
    def _compute_blocking_count(self):
        for check in self:
            check.blocking_count = len(check.line_ids.filtered('is_blocking'))

    @api.depends('company_id')
    def _compute_is_connected(self):
        for check in self:
            connection = check.company_id.sudo().ksef_connection_id
            check.is_connected, check.is_trial = bool(connection), bool(connection) and connection.environment != 'production'

    def _last_day(self):
        return self.first_day + relativedelta(months=1, days=-1)

    # ------------------------------------------------------------------ looking

    def action_begin(self):
        """Open the check of the month before this one."""
        self._check_reader()
        first = self.env['account.move']._ksef_today().replace(day=1) - relativedelta(months=1)
        check = self.create({'company_id': self.env.company.id, 'first_day': first})
        return check.action_look()

    def action_look(self):
        """Count anew."""
        self._check_reader()
        self.ensure_one()
        found = self.env['ksef.month'].with_company(self.company_id)._check(self.company_id, self.first_day)
        self.line_ids.sudo().unlink()
        self.env['ksef.month.check.line'].sudo().create([
            {'check_id': self.id, 'sequence': number, 'kind': kind, 'count': count, 'amount': amount or 0, 'has_amount': amount is not None}
            for number, (kind, (count, amount)) in enumerate(found.items())])
        self.closes_anyway = False
        return {
            'type': 'ir.actions.act_window', 'name': self.env._("Month check"), 'res_model': self._name, 'res_id': self.id,
            'views': [(False, 'form')], 'target': 'current'}

    def action_previous(self):
        """The month before."""
        return self._step(-1)

    def action_next(self):
        """The month after."""
        return self._step(1)

    def _step(self, months):
        self._check_reader()
        self.ensure_one()
        self.first_day += relativedelta(months=months)
        return self.action_look()

    def _check_reader(self):
        if not self.env.user.has_group('l10n_pl_ksef.group_ksef_read'):
            raise AccessError(self.env._("Only users with the right “KSeF: read” can check a month."))

    # ------------------------------------------------------------------ closing

    def action_close(self):
        """Close the month for VAT: Odoo's tax lock date becomes its last day."""
        if not self.env.user.has_group('account.group_account_manager'):
            raise AccessError(self.env._("Only accounting administrators can close a month."))
        self.ensure_one()
        is_confirmed = self.closes_anyway
        self.action_look()
        if not self.is_over:
            raise UserError(self.env._("%(month)s is not over yet.", month=self.name))
        if self.is_closed:
            raise UserError(self.env._("%(month)s is closed already.", month=self.name))
        if self.blocking_count and not is_confirmed:
            raise UserError(self.env._(
                "Something is missing in %(month)s. Mend it, or tick that you close the month all the same.", month=self.name))
        company = self.company_id.sudo()
        company.tax_lock_date = self._last_day()
        missing = ", ".join(f"{line.name}: {line.count}" for line in self.line_ids.filtered('is_blocking'))
        company.message_post(author_id=self.env.user.partner_id.id, body=self.env._(
            "%(user)s has closed %(month)s for VAT although this was missing for KSeF: %(missing)s",
            user=self.env.user.name, month=self.name, missing=missing) if missing else self.env._(
            "%(user)s has closed %(month)s for VAT; nothing was missing for KSeF.", user=self.env.user.name, month=self.name))
        return self.action_look()


class KsefMonthCheckLine(models.TransientModel):
    """One thing that the month lacks."""
    _name = 'ksef.month.check.line'
    _description = "Line of a month check"
    _order = 'sequence, id'

    check_id = fields.Many2one('ksef.month.check', required=True, ondelete='cascade', readonly=True)
    sequence = fields.Integer(readonly=True)
    kind = fields.Char(required=True, readonly=True)
    count = fields.Integer(string="How many", readonly=True)
    amount = fields.Monetary(string="Gross", readonly=True)
    has_amount = fields.Boolean(readonly=True)
    currency_id = fields.Many2one(related='check_id.company_id.currency_id')
    name = fields.Char(string="What", compute='_compute_texts')
    advice = fields.Char(string="What to do", compute='_compute_texts')
    is_blocking = fields.Boolean(compute='_compute_texts', help="The month should not be closed with it.")

    @api.depends('kind')
    @api.depends_context('lang')
    def _compute_texts(self):
        for line in self:
            name, advice, line.is_blocking = KINDS[line.kind]
            line.name, line.advice = name._translate(self.env.lang), advice._translate(self.env.lang)

    def action_open(self):
        """Show what is behind the figure."""
        self.ensure_one()
        self.check_id._check_reader()
        check = self.check_id
        return self.env['ksef.month'].with_company(check.company_id)._open(self.kind, check.company_id, check.first_day)
