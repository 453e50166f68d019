"""Dates as KSeF sees them: always in Europe/Warsaw, whatever the zone of the user or of a scheduled action."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from odoo import api, fields, models

WARSAW = ZoneInfo('Europe/Warsaw')


def warsaw_date(moment: datetime) -> date:
    """Return the day in Poland of a naive UTC moment (Odoo's way of storing moments)."""
    return moment.replace(tzinfo=ZoneInfo('UTC')).astimezone(WARSAW).date()


class AccountMove(models.Model):
    _inherit = 'account.move'

    @api.model
    def _ksef_today(self) -> date:
        """Return today's date in Poland."""
        return warsaw_date(fields.Datetime.now())
