"""From a posted Odoo invoice to the bytes of FA(3), with everything that is wrong with it said in Odoo's words."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime

from odoo import fields, models

from ..ksef.fa3.codes import InvoiceKind, TaxRate
from ..ksef.fa3.finding import ERROR
from ..ksef.fa3.model import Annotations, Invoice
from ..ksef.fa3.schema import SchemaError
from ..ksef.fa3.text import collapse
from . import (  # noqa: F401  (they extend the same models: whoever has the builder needs them)
    ksef_invoice_lines,
    ksef_invoice_party,
    ksef_invoice_proof,
    ksef_invoice_refusals,
    ksef_invoice_schema,
    ksef_invoice_tax,
)
from .ksef_invoice_findings import Origin

SYSTEM = 'Odoo l10n_pl_ksef'
POLISH = 'pl_PL'
# What is read of the journal items: all of it at once for a whole batch.
ITEM_FIELDS = (
    'display_type', 'sequence', 'name', 'quantity', 'price_unit', 'discount', 'price_subtotal', 'balance',
    'product_id', 'product_uom_id', 'tax_ids', 'tax_line_id', 'tax_tag_ids', 'date_maturity', 'move_id',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedInvoice:
    """What became of one invoice.

    * ``xml``: the bytes to send (UTF-8, no BOM), ``None`` as soon as one finding is an error;
    * ``findings``: JSON-able dicts with ``severity`` ('error' or 'warning'), ``code``, ``field`` (its label),
      ``message`` (what is wrong and what to do), ``value``, ``res_model`` and ``res_id`` (the record to mend),
      ``remedy`` (``None`` or 'set_today');
    * ``invoice_number``, ``issue_date``, ``seller_nip`` ('' when unknown), ``invoice_kind`` ('VAT').
    """

    xml: bytes | None
    findings: list
    invoice_number: str
    issue_date: date | None
    seller_nip: str
    invoice_kind: str


class RenderContext:
    """What the invoices of one batch share: moment, day, schema, and what is known of taxes and units."""

    def __init__(self, model, created_at: datetime | None):
        self.created_at = (created_at or fields.Datetime.now()).replace(tzinfo=UTC)
        self.today = model._ksef_today()
        self.namespace = uuid.uuid5(
            uuid.NAMESPACE_URL, model.env['ir.config_parameter'].sudo().get_param('database.uuid') or '')
        languages = dict(model.env['res.lang'].get_installed())
        self._language = POLISH if POLISH in languages else 'en_US'
        self._units, self._rates, self._grids = {}, {}, {}
        self.schema, self.schema_problem = None, None
        try:
            self.schema = model._ksef_schema()
        except SchemaError as error:
            self.schema_problem = str(error)

    def rate(self, tax) -> tuple[TaxRate | None, str | None]:
        """Return the rate of a tax, or the code of why it has none; neither without a tax."""
        if not tax:
            return None, None
        if tax.id not in self._rates:
            self._rates[tax.id] = tax._ksef_rate()
        return self._rates[tax.id]

    def grids(self, tax) -> frozenset:
        """Return the tax grids of the base of a tax."""
        if tax.id not in self._grids:
            self._grids[tax.id] = tax._ksef_base_grids()
        return self._grids[tax.id]

    def unit_name(self, unit) -> str | None:
        """Return the Polish name of a unit of measure, whatever language the user has."""
        if unit.id not in self._units:
            self._units[unit.id] = unit.with_context(lang=self._language).name
        return self._units[unit.id]


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
        context = self._ksef_render_context(created_at)
        self.line_ids.fetch(ITEM_FIELDS)
        return {move: move._ksef_render_one(context) for move in self}

    def _ksef_render_context(self, created_at: datetime | None = None) -> RenderContext:
        return RenderContext(self, created_at)

    def _ksef_render_one(self, context: RenderContext) -> RenderedInvoice:
        issues = self._ksef_find_refusals(context)
        xml, seller_nip = None, ''
        if self.move_type == 'out_invoice' and self.state == 'posted':
            refused = any(issue.severity == ERROR for issue in issues)
            invoice, origin = self._ksef_build(context, refused)
            seller_nip = invoice.seller.nip or ''
            issues += self._ksef_date_issues(context)
            xml, findings = self._ksef_prove(context, invoice, refused)
            issues += [self._ksef_issue_of(finding, origin) for finding in findings]
        if any(issue.severity == ERROR for issue in issues):
            xml = None
        return RenderedInvoice(
            xml=xml,
            findings=[self._ksef_issue_dict(issue) for issue in issues],
            invoice_number=collapse(self.name),
            issue_date=self.invoice_date or None,
            seller_nip=seller_nip,
            invoice_kind=InvoiceKind.VAT.value,
        )

    def _ksef_build(self, context: RenderContext, refused: bool) -> tuple[Invoice, Origin]:
        """Return the invoice and where its parts come from; of a refused one only what can be told anyway."""
        lines, items = ([], []) if refused else self._ksef_lines(context)
        remarks, remark_items = ([], []) if refused else self._ksef_remarks()
        rates = {line.rate for line in lines}
        buyer = self._ksef_buyer()
        supply_date, supply_field = self._ksef_supply_date()
        invoice = Invoice(
            created_at=context.created_at,
            system=SYSTEM,
            seller=self._ksef_seller(rates),
            buyer=buyer,
            number=self.name,
            issue_date=self.invoice_date,
            supply_date=supply_date,
            total=self._ksef_total(),
            group_totals=() if refused else tuple(self._ksef_group_totals(context)),
            annotations=Annotations(reverse_charge=self._ksef_reverse_charge(rates, buyer)),
            related_parties=self.commercial_partner_id.l10n_pl_links_with_customer,
            remarks=tuple(remarks),
            lines=tuple(lines),
            payment=self._ksef_payment(),
        )
        return invoice, Origin(items, remark_items, supply_field)
