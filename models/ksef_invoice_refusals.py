"""What can't be sent to KSeF yet, or ever: found before an invoice is rendered.

Whatever this addon can't express is refused by name, so that nothing is left out or sent wrong.
"""

from decimal import Decimal

from odoo import models

from ..ksef.fa3.finding import ERROR
from .ksef_invoice_context import Entry, RenderContext
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import amount

# Journal items that an ordinary invoice may have. 'discount' items move discounts between accounts and cancel out;
# 'cogs' book the cost of goods: neither is part of the invoice.
ORDINARY_ITEMS = {
    'product', 'tax', 'payment_term', 'line_section', 'line_subsection', 'line_note', 'discount', 'cogs', 'rounding',
}
ITEM_PROBLEMS = {'epd': 'early-discount'}
HALF_CENT = Decimal('0.005')
FLOAT_ERROR = Decimal('1e-12')  # what Odoo's own arithmetic in floats may be off, relatively


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
        """Return what makes this move something that can't be stated in FA(3)."""
        self.ensure_one()
        if kind := self._ksef_kind_refusal():
            return [kind]
        issues = [
            *self._ksef_header_refusals(),
            *self._ksef_origin_refusals(context),
            *self._ksef_entry_refusals(context, entry),
            *(issue for item in entry.products for issue in self._ksef_line_refusals(context, item)),
            *self._ksef_statement_issues(context, entry),
        ]
        # What compares states of lines needs lines that can be stated at all.
        refused = any(issue.severity == ERROR for issue in issues)
        return issues + ([] if refused else self._ksef_correction_refusals(context, entry))

    def _ksef_kind_refusal(self) -> Issue | None:
        """Return why this move isn't a posted invoice of ours at all."""
        if not self._ksef_is_issued():
            return Issue.error('kind-receipt' if self.move_type == 'out_receipt' else 'kind-other', self, 'move_type')
        if self.state != 'posted':
            return Issue.error('not-posted', self, 'state')
        if self.ksef_is_outside or self.ksef_outside_number:
            return Issue.error('issued-outside', self, 'ksef_is_outside')
        return None

    def _ksef_header_refusals(self) -> list[Issue]:
        """Country, currency, terms: what stands on the invoice as a whole."""
        company = self._ksef_seller_company()
        checks = (
            ('company-country', company, 'account_fiscal_country_id', company.account_fiscal_country_id.code != 'PL'),
            ('company-currency', company, 'currency_id', company.currency_id.name != 'PLN'),
            ('currency-rate', self, 'invoice_currency_rate', self.invoice_currency_rate <= 0),
            ('foreign-vat', self, 'fiscal_position_id', bool(self.fiscal_position_id.foreign_vat)),
        )
        issues = [Issue.error(code, record, field) for code, record, field, found in checks if found]
        return issues or self._ksef_currency_issues()

    def _ksef_origin_refusals(self, context) -> list[Issue]:
        """What other documents an invoice belongs to, as told by the modules that are installed."""
        issues = []
        if 'pos_order_ids' in self._fields and self.pos_order_ids and not self.ksef_receipt_invoice:
            issues.append(Issue.warning('receipt', self, 'pos_order_ids'))
        return issues + self._ksef_trade_issues() + self._ksef_advance_refusals(context)

    def _ksef_entry_refusals(self, context, entry) -> list[Issue]:
        """Journal items that have no place on an ordinary invoice."""
        issues = []
        for item in entry.items:
            if item.display_type not in ORDINARY_ITEMS:
                issues.append(Issue.error(ITEM_PROBLEMS.get(item.display_type, 'journal-item'), item, 'name'))
            elif item.display_type == 'rounding' and item.tax_line_id:
                issues.append(Issue.error('cash-rounding', self, 'invoice_cash_rounding_id'))
            elif item.tax_line_id and not context.kind(item.tax_line_id)[0]:
                issues.append(Issue.error('journal-tax', item, 'tax_line_id', value=item.tax_line_id.display_name))
        return issues

    def _ksef_line_refusals(self, context, item) -> list[Issue]:
        """One tax, with a place in FA(3), booked in the grids of that tax; a discount that takes off."""
        taxes = item.tax_ids
        if len(taxes) != 1:
            names = ', '.join(taxes.mapped('display_name'))
            return [Issue.error('line-taxes' if taxes else 'line-without-tax', item, 'tax_ids', value=names)]
        _kind, problem = context.kind(taxes)
        if problem:
            return [Issue.error(problem, taxes, 'name', line=item, value=taxes.display_name)]
        issues = []
        found, own = context.booked_grids(item), context.grids(taxes, self._ksef_sign() < 0)
        # A tax that is due on payment is booked in its grids when it is paid.
        if found != own and taxes.tax_exigibility != 'on_payment':
            grids, expected = (', '.join(sorted(names)) or '-' for names in (found, own))
            issues.append(Issue.error('line-grids', item, 'tax_tag_ids', value=grids, expected=expected))
        booked = context.booked(item)
        if not 0 <= booked.discount <= 100:
            issues.append(Issue.error('line-discount', item, 'discount', value=f'{booked.discount:g}'))
        return issues or self._ksef_line_arithmetic(item, booked)

    def _ksef_line_arithmetic(self, item, booked) -> list[Issue]:
        """The amount of a line follows from quantity, price and discount.

        Checked here, with Odoo's own numbers, because the discount in PLN (P_10) is what lies between them.
        """
        value = Decimal(booked.quantity) * Decimal(booked.price_unit)
        if booked.discount:
            value *= 1 - Decimal(booked.discount) / 100
        gross = booked.price_include  # then the value is made of two that are rounded
        shown = booked.gross if gross else booked.net
        if abs(value - amount(shown)) <= HALF_CENT * (3 if gross else 1) + abs(value) * FLOAT_ERROR:
            return []
        values = {'value': f'{shown:.2f}', 'expected': f'{value:.2f}'}
        return [Issue.error('line-arithmetic', item, 'price_subtotal', **values)]
