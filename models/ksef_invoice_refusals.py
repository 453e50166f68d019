"""What can't be sent to KSeF yet, or ever: found before an invoice is rendered.

Whatever this addon can't express is refused by name, so that nothing is left out or sent wrong.
"""

from decimal import Decimal

from odoo import models

from ..ksef.fa3.codes import TaxGroup
from ..ksef.fa3.finding import ERROR
from ..ksef.fa3.model import NoTaxId
from .ksef_invoice_context import Entry, RenderContext
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import amount

# Journal items that an ordinary invoice may have. 'discount' items move discounts between accounts and cancel out;
# 'cogs' book the cost of goods: neither is part of the invoice.
ORDINARY_ITEMS = {
    'product', 'tax', 'payment_term', 'line_section', 'line_subsection', 'line_note', 'discount', 'cogs',
}
ITEM_PROBLEMS = {'rounding': 'cash-rounding', 'epd': 'early-discount'}
KIND_PROBLEMS = {'out_refund': 'kind-refund', 'out_receipt': 'kind-receipt'}
VOUCHER_FIELDS = ('l10n_pl_vat_b_spv', 'l10n_pl_vat_b_spv_dostawa', 'l10n_pl_vat_b_mpv_prowizja')
# Groups of goods (GTU) that are defined by annex 15 to the VAT act: waste, electronics, metals.
ANNEX_15_GOODS = {'GTU_05', 'GTU_06', 'GTU_08'}
SPLIT_PAYMENT_LIMIT = 15000
HALF_CENT = Decimal('0.005')
FLOAT_ERROR = Decimal('1e-12')  # what Odoo's own arithmetic in floats may be off, relatively
TAXED_GROUPS = {TaxGroup.STANDARD, TaxGroup.REDUCED_FIRST, TaxGroup.REDUCED_SECOND}


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_refusals(self) -> list:
        """Return, as dicts, the errors that are known without rendering, of all invoices in ``self``."""
        context = RenderContext(self, None)
        self._ksef_read_ahead()
        findings = []
        for move in self:
            entry = Entry(move)
            issues = move._ksef_find_refusals(context, entry)
            findings += [move._ksef_issue_dict(issue, entry) for issue in issues if issue.severity == ERROR]
        return findings

    def _ksef_find_refusals(self, context, entry) -> list[Issue]:
        """Return what makes this move something else than an ordinary sales invoice in PLN."""
        self.ensure_one()
        if kind := self._ksef_kind_refusal():
            return [kind]
        return [
            *self._ksef_header_refusals(),
            *self._ksef_origin_refusals(entry),
            *self._ksef_entry_refusals(context, entry),
            *(issue for item in entry.products for issue in self._ksef_line_refusals(context, item)),
            *self._ksef_split_payment(context, entry),
        ]

    def _ksef_kind_refusal(self) -> Issue | None:
        """Return why this move isn't a posted customer invoice at all."""
        if self.move_type != 'out_invoice':
            return Issue.error(KIND_PROBLEMS.get(self.move_type, 'kind-other'), self, 'move_type')
        if self.state != 'posted':
            return Issue.error('not-posted', self, 'state')
        return None

    def _ksef_header_refusals(self) -> list[Issue]:
        """Country, currency, terms: what stands on the invoice as a whole."""
        company = self.company_id
        checks = (
            ('company-country', company, 'account_fiscal_country_id', company.account_fiscal_country_id.code != 'PL'),
            ('company-currency', company, 'currency_id', company.currency_id.name != 'PLN'),
            ('currency', self, 'currency_id', self.currency_id.name != 'PLN'),
            ('foreign-vat', self, 'fiscal_position_id', bool(self.fiscal_position_id.foreign_vat)),
            ('early-discount', self, 'invoice_payment_term_id', self.invoice_payment_term_id.early_discount),
        )
        issues = [Issue.error(code, record, field) for code, record, field, found in checks if found]
        vouchers = [field for field in VOUCHER_FIELDS if self[field]]
        return issues + [Issue.error('voucher', self, field) for field in vouchers]

    def _ksef_origin_refusals(self, entry) -> list[Issue]:
        """Invoices that change or replace another document, as told by the modules that are installed."""
        origins = ('reversed_entry_id', 'reversal'), ('debit_origin_id', 'debit-note'), ('pos_order_ids', 'receipt')
        issues = [Issue.error(code, self, field) for field, code in origins if field in self._fields and self[field]]
        if self._is_downpayment() or any(self._ksef_is_down_payment(item) for item in entry.products):
            issues.append(Issue.error('down-payment', self, 'invoice_line_ids'))
        return issues

    def _ksef_is_down_payment(self, item) -> bool:
        """Tell whether a line charges or deducts a down payment of a sales order (with ``sale`` installed)."""
        return 'sale_line_ids' in item._fields and any(item.sale_line_ids.mapped('is_downpayment'))

    def _ksef_entry_refusals(self, context, entry) -> list[Issue]:
        """Journal items that have no place on an ordinary invoice."""
        issues = []
        for item in entry.items:
            if item.display_type not in ORDINARY_ITEMS:
                issues.append(Issue.error(ITEM_PROBLEMS.get(item.display_type, 'journal-item'), item, 'name'))
            elif item.tax_line_id and not context.rate(item.tax_line_id)[0]:
                issues.append(Issue.error('journal-tax', item, 'tax_line_id', value=item.tax_line_id.display_name))
        return issues

    def _ksef_line_refusals(self, context, item) -> list[Issue]:
        """One tax, with a rate in FA(3), booked in the grids of that tax; a discount that takes off."""
        taxes = item.tax_ids
        if len(taxes) != 1:
            names = ', '.join(taxes.mapped('display_name'))
            return [Issue.error('line-taxes' if taxes else 'line-without-tax', item, 'tax_ids', value=names)]
        _rate, problem = context.rate(taxes)
        if problem:
            return [Issue.error(problem, taxes, 'name', line=item, value=taxes.display_name)]
        issues = []
        booked, own = context.booked_grids(item), context.grids(taxes)
        if booked != own:
            grids, expected = (', '.join(sorted(names)) or '-' for names in (booked, own))
            issues.append(Issue.error('line-grids', item, 'tax_tag_ids', value=grids, expected=expected))
        if not 0 <= item.discount <= 100:
            issues.append(Issue.error('line-discount', item, 'discount', value=f'{item.discount:g}'))
        return issues or self._ksef_line_arithmetic(item)

    def _ksef_line_arithmetic(self, item) -> list[Issue]:
        """The amount of a line follows from quantity, price and discount.

        Checked here, with Odoo's own numbers, because the discount in PLN (P_10) is what lies between them.
        """
        value = Decimal(item.quantity) * Decimal(item.price_unit) * (1 - Decimal(item.discount) / 100)
        if abs(value - amount(item.price_subtotal)) <= HALF_CENT + abs(value) * FLOAT_ERROR:
            return []
        values = {'value': f'{item.price_subtotal:.2f}', 'expected': f'{value:.2f}'}
        return [Issue.error('line-arithmetic', item, 'price_subtotal', **values)]

    def _ksef_split_payment(self, context, entry) -> list[Issue]:
        """Split payment (P_18A) is duty on more than 15,000 PLN with annex-15 goods, which Odoo doesn't know.

        Groups of goods that the annex itself defines are refused; else the seller is asked.
        """
        if self.amount_total <= SPLIT_PAYMENT_LIMIT or isinstance(self._ksef_buyer().identifier, NoTaxId):
            return []
        rates = [(item, context.rate(item.tax_ids[:1])[0]) for item in entry.products]
        taxed = [item for item, rate in rates if rate and rate.group in TAXED_GROUPS]
        annex = [item for item in taxed if item.product_id.l10n_pl_vat_gtu in ANNEX_15_GOODS]
        if annex:
            return [Issue.error('split-payment', item, 'product_id', value=item.product_id.l10n_pl_vat_gtu)
                    for item in annex]
        return [Issue.warning('split-payment-doubt', self, 'amount_total')] if taxed else []
