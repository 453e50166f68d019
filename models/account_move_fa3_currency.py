from datetime import date, timedelta
from functools import lru_cache

from dateutil.easter import easter
from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import float_compare

from .ksef_invoice_findings import Issue

FIXED_HOLIDAYS = {(1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)}
CHRISTMAS_EVE_FREE_SINCE = 2025
RATE_DIGITS = 6


@lru_cache(maxsize=64)
def _moving_holidays(year: int) -> frozenset:
    """Easter Monday and Corpus Christi; Easter itself and Pentecost are Sundays."""
    return frozenset({easter(year) + timedelta(days=1), easter(year) + timedelta(days=60)})


def is_working_day(day: date) -> bool:
    """Tell whether the National Bank publishes rates on a day: Monday to Friday, except public holidays in Poland."""
    if day.weekday() >= 5 or (day.month, day.day) in FIXED_HOLIDAYS or day in _moving_holidays(day.year):
        return False
    return (day.month, day.day) != (12, 24) or day.year < CHRISTMAS_EVE_FREE_SINCE


def working_day_before(day: date) -> date:
    """Return the last working day before a day."""
    day -= timedelta(days=1)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day


class AccountMove(models.Model):
    """The rate of exchange that the VAT act prescribes (art. 31a, for corrections art. 31b)."""
    _inherit = 'account.move'

    ksef_lawful_rate_date = fields.Date(
        string="Day of the prescribed rate", compute='_compute_ksef_lawful_rate_date',
        help="Art. 31a ustawy o VAT: the last working day before the tax point, or before the day of issue when that is earlier. A "
             "correction has the rate of the invoice it corrects (art. 31b).")
    ksef_rate_date = fields.Date(
        string="Day of the rate", copy=False,
        help="Dzień kursu: the day whose rate the invoice has. Enter it when the rate was typed in by hand.")
    ksef_rate_table = fields.Char(string="Table of the rate", copy=False, help="Numer tabeli kursów NBP, such as 224/A/NBP/2026.")
    ksef_rate_is_off = fields.Boolean(
        compute='_compute_ksef_rate_is_off', help="The rate isn't known to be the one that the VAT act prescribes.")

    @api.depends('currency_id', 'company_currency_id', 'invoice_date', 'taxable_supply_date', 'delivery_date', 'ksef_period_end')
    def _compute_ksef_lawful_rate_date(self):
        for move in self:
            foreign = move._ksef_is_issued() and move.currency_id != move.company_currency_id and move.invoice_date
            supplied = move.ksef_period_end or move.taxable_supply_date or move.delivery_date
            days = [day for day in (move.invoice_date, supplied) if day]
            move.ksef_lawful_rate_date = working_day_before(min(days)) if foreign else False

    @api.depends('ksef_lawful_rate_date', 'invoice_currency_rate', 'ksef_rate_date', 'reversed_entry_id')
    def _compute_ksef_rate_is_off(self):
        for move in self:
            move.ksef_rate_is_off = bool(move.ksef_lawful_rate_date) and not move._ksef_rate_is_lawful()

    def _ksef_rate_is_lawful(self) -> bool:
        """Tell whether the rate is that of the prescribed day (as Odoo knows it, or as somebody has entered)."""
        root = self._ksef_root()
        if root != self:
            return self._ksef_same_rate(root.invoice_currency_rate)
        if self.ksef_rate_date == self.ksef_lawful_rate_date:
            return True
        return self._ksef_same_rate(self._get_expected_currency_rate_at(self.ksef_lawful_rate_date))

    def _ksef_same_rate(self, rate: float) -> bool:
        """Compare rates as they are published: PLN for a unit, not a unit for PLN."""
        mine = self.invoice_currency_rate
        return bool(mine and rate) and float_compare(1 / mine, 1 / rate, precision_digits=RATE_DIGITS) == 0

    def _ksef_currency_issues(self) -> list[Issue]:
        """Return what is wrong, or doubtful, about currency and rate."""
        if self.currency_id == self.company_currency_id:
            return []
        if self.currency_id.decimal_places > 2:
            return [Issue.error('currency-decimals', self, 'currency_id', value=self.currency_id.name)]
        if not self.ksef_rate_is_off:
            return []
        used = f'{1 / self.invoice_currency_rate:.4f}'
        root = self._ksef_root()
        if root != self:
            expected = f'{1 / root.invoice_currency_rate:.4f}'
            return [Issue.warning('currency-rate-original', self, 'invoice_currency_rate', value=used, expected=expected)]
        day = self.ksef_lawful_rate_date.isoformat()
        return [Issue.warning('currency-rate-date', self, 'invoice_currency_rate', value=used, today=day)]

    def action_ksef_apply_lawful_rate(self):
        """Give the invoices the rate that the VAT act prescribes; a confirmed one is reset and confirmed again.

        :raise UserError: an invoice is closed, or Odoo has no rate of that day
        """
        self.check_access('write')
        if not self.env.su and not self.env.user.has_group('account.group_account_invoice'):
            raise AccessError(self.env._("Only users who may confirm invoices can change their exchange rate."))
        for move in self.filtered('ksef_rate_is_off'):
            move._ksef_check_open(self.env._("the exchange rate"))
            move._ksef_apply_rate(*move._ksef_lawful_rate())

    def _ksef_lawful_rate(self) -> tuple[float, date]:
        """Return the prescribed rate and its day; only a rate that was published on that very day counts."""
        root = self._ksef_root()
        if root != self:
            return root.invoice_currency_rate, root.ksef_rate_date or root.ksef_lawful_rate_date
        day = self.ksef_lawful_rate_date
        companies = [*self.company_id.root_id.ids, False]
        if not self.env['res.currency.rate'].search_count(
                [('currency_id', '=', self.currency_id.id), ('name', '=', day), ('company_id', 'in', companies)], limit=1):
            raise UserError(self.env._(
                "Odoo has no rate of %(currency)s of %(date)s. Enter it in Accounting → Configuration → Currencies, or type the rate on "
                "the invoice and its day on the page “KSeF data”.", currency=self.currency_id.name, date=day))
        return self._get_expected_currency_rate_at(day), day

    def _ksef_apply_rate(self, rate: float, day: date):
        number, was_posted = self.name, self.state == 'posted'
        if was_posted:
            self.button_draft()
        self.write({'invoice_currency_rate': rate, 'ksef_rate_date': day})
        if was_posted:
            self.action_post()
            if self.name != number:
                raise UserError(self.env._("%(number)s would become %(new)s with the other rate.", number=number, new=self.name))
