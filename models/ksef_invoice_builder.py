"""From a posted Odoo invoice to the bytes of FA(3), with everything that is wrong with it said in Odoo's words."""

from dataclasses import dataclass
from datetime import date, datetime

from odoo import models


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedInvoice:
    """What became of one invoice.

    * ``xml``: the bytes to send (UTF-8, no BOM), ``None`` as soon as one finding is an error;
    * ``findings``: JSON-able dicts with ``severity`` ('error' or 'warning'), ``code``, ``field`` (its label),
      ``message`` (what is wrong and what to do), ``value``, ``res_model`` and ``res_id`` (the record to mend),
      ``remedy`` (``None``, 'set_today' or 'confirm_late');
    * ``invoice_number``, ``issue_date``, ``seller_nip`` ('' when unknown), ``invoice_kind`` ('VAT').
    """

    xml: bytes | None
    findings: list
    invoice_number: str
    issue_date: date | None
    seller_nip: str
    invoice_kind: str


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_render(self, created_at: datetime | None = None) -> RenderedInvoice:
        """Return the FA(3) document of one posted customer invoice; reads only.

        :param created_at: moment written as ``DataWytworzeniaFa`` (naive UTC); now, when not given.
        """
        self.ensure_one()
        return self._ksef_render_batch(created_at)[self]

    def _ksef_render_batch(self, created_at: datetime | None = None) -> dict:
        """Return ``{move: RenderedInvoice}`` for many posted customer invoices, reading their data in bulk."""
        raise NotImplementedError

    def _ksef_refusals(self) -> list:
        """Return the error findings of the cheap checks made before rendering, for all invoices in ``self``."""
        raise NotImplementedError
