"""From a posted Odoo invoice to the bytes of FA(3), with everything that is wrong with it said in Odoo's words."""

from dataclasses import dataclass
from datetime import date, datetime

from odoo import models

from ..ksef.fa3.finding import ERROR
from ..ksef.fa3.model import Invoice, Period
from ..ksef.fa3.text import collapse
from .ksef_invoice_context import Entry, RenderContext
from .ksef_invoice_findings import Origin
from .ksef_render_memo import remembering, uncollected

SYSTEM = 'Odoo l10n_pl_ksef'
# What is read of the journal items and partners: all of it at once for a whole batch.
ITEM_FIELDS = (
    'display_type', 'sequence', 'name', 'quantity', 'price_unit', 'discount', 'price_subtotal', 'price_total', 'balance',
    'amount_currency', 'product_id', 'product_uom_id', 'tax_ids', 'tax_line_id', 'tax_tag_ids', 'date_maturity', 'move_id',
    'ksef_corrected_line_id', 'ksef_procedure', 'ksef_supply_date', 'ksef_goods_code',
)
PARTNER_FIELDS = (
    'name', 'vat', 'is_company', 'street', 'street2', 'zip', 'city', 'state_id', 'country_id', 'email', 'phone',
    'l10n_pl_links_with_customer', 'commercial_partner_id', 'ksef_role', 'ksef_internal_id', 'ksef_eori', 'ksef_customer_number',
    'ksef_correspondence_id',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedInvoice:
    """What became of one invoice.

    * ``xml``: the bytes to send (UTF-8, no BOM), ``None`` as soon as one finding is an error;
    * ``findings``: JSON-able dicts with ``severity`` ('error' or 'warning'), ``code``, ``field`` (its label),
      ``message`` (what is wrong and what to do), ``value``, ``res_model`` and ``res_id`` (the record to mend),
      ``remedy`` (``None`` or 'set_today');
    * ``invoice_number``, ``issue_date``, ``seller_nip`` ('' when unknown), ``invoice_kind`` ('VAT', 'KOR' …).
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
        """Return the FA(3) document of one posted customer invoice or credit note; reads only.

        :param created_at: moment written as ``DataWytworzeniaFa`` (naive UTC); now, when not given.
        """
        self.ensure_one()
        return self._ksef_render_batch(created_at)[self]

    def _ksef_render_batch(self, created_at: datetime | None = None) -> dict:
        """Return ``{move: RenderedInvoice}`` for many posted customer invoices, reading their data in bulk."""
        context = RenderContext(self, created_at)
        self._ksef_read_ahead()
        with remembering(), uncollected():
            return {move: move._ksef_render_one(context) for move in self}

    def _ksef_read_ahead(self):
        """Read what rendering needs of all invoices at once, so that the number of queries doesn't grow."""
        items = self.line_ids
        items.fetch(ITEM_FIELDS)
        items.product_id.mapped('l10n_pl_vat_gtu')
        partners = self.partner_id | self.commercial_partner_id | self.company_id.partner_id
        partners.fetch(PARTNER_FIELDS)
        self.partner_bank_id.bank_id.mapped('bic')

    def _ksef_render_one(self, context: RenderContext) -> RenderedInvoice:
        entry = Entry(self)
        issues = self._ksef_find_refusals(context, entry)
        xml, seller_nip = None, ''
        if self._ksef_is_issued() and self.state == 'posted':
            refused = any(issue.severity == ERROR for issue in issues)
            invoice, origin = self._ksef_build(context, entry, refused)
            seller_nip = invoice.seller.nip or ''
            issues += self._ksef_date_issues(context)
            xml, findings = self._ksef_prove(context, invoice, refused)
            issues += [self._ksef_issue_of(finding, origin) for finding in findings]
            issues += self._ksef_sending_issues()
        return RenderedInvoice(
            xml=None if any(issue.severity == ERROR for issue in issues) else xml,
            findings=[self._ksef_issue_dict(issue, entry) for issue in issues],
            invoice_number=collapse(self.name),
            issue_date=self.invoice_date or None,
            seller_nip=seller_nip,
            invoice_kind=self._ksef_invoice_kind().value,
        )

    def _ksef_build(self, context: RenderContext, entry: Entry, refused: bool) -> tuple[Invoice, Origin]:
        """Return the invoice and where its parts come from; of a refused one only what can be told anyway."""
        rows = [] if refused else self._ksef_all_rows(context, entry)
        numbers = {item: line.number for item, line in rows}
        remarks, remark_items = ([], []) if refused else self._ksef_remarks(entry, numbers)
        buyer = self._ksef_buyer()
        supply_date, supply_field = self._ksef_supply_date()
        is_advance = self._ksef_special_kind() == 'advance'
        no_amounts = refused or self._ksef_is_data_correction()
        invoice = Invoice(
            created_at=context.created_at,
            system=SYSTEM,
            seller=self._ksef_seller(context, entry),
            buyer=buyer,
            third_parties=self._ksef_third_parties(),
            authorized_party=self._ksef_authorized_party(),
            kind=self._ksef_invoice_kind(),
            number=self.name,
            currency=self.currency_id.name,
            issue_date=self.invoice_date,
            issue_place=collapse(self.company_id.ksef_issue_place) or None,
            warehouse_documents=self._ksef_warehouse_documents(),
            supply_date=supply_date,
            period=self._ksef_period(),
            total=self._ksef_total(entry),
            group_totals=() if no_amounts else tuple(self._ksef_group_totals(context, entry)),
            exchange_rate=self._ksef_exchange_rate() if is_advance else None,
            annotations=self._ksef_annotations(context, entry, buyer),
            correction=None if refused else self._ksef_correction(),
            partial_advances=self._ksef_partial_advances(),
            receipt_invoice=self.ksef_receipt_invoice,
            related_parties=self.commercial_partner_id.l10n_pl_links_with_customer,
            remarks=(*remarks, *self._ksef_own_remarks()),
            advance_invoices=self._ksef_advance_invoices(),
            excise_refund=self.ksef_excise_refund,
            lines=tuple(line for _item, line in rows),
            settlement=None if refused else self._ksef_settlement(entry),
            payment=self._ksef_payment(entry),
            transaction=self._ksef_transaction(),
            order=None if refused else self._ksef_order(context),
            footer=self._ksef_footer(),
            attachment=self._ksef_attachment(),
        )
        return invoice, Origin([item for item, _line in rows], [*remark_items, *self.ksef_remark_ids], supply_field)

    def _ksef_all_rows(self, context, entry) -> list:
        """Return the lines of any kind of invoice; an advance has its order instead."""
        if self._ksef_root()._ksef_special_kind() == 'advance':
            return []
        if self._ksef_is_correction():
            return self._ksef_correction_rows(context, entry)
        return self._ksef_rows(context, entry)

    def _ksef_period(self) -> Period | None:
        """Return the period which the invoice is for, instead of one day of supply (OkresFa)."""
        if not (self.ksef_period_start and self.ksef_period_end):
            return None
        return Period(first=self.ksef_period_start, last=self.ksef_period_end)
