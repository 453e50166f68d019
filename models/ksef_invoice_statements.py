"""The statements of an invoice (Adnotacje): reverse charge, split payment, exemption, margin and so on."""

from odoo import models

from ..ksef.fa3.codes import TaxRate
from ..ksef.fa3.model import Annotations, Buyer, EuVatId, Exemption, NoTaxId, OtherTaxId
from ..ksef.fa3.text import collapse
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import TAXED_GROUPS

SPLIT_PAYMENT_LIMIT = 15000  # PLN, tax included
EXEMPTION_ATTRIBUTES = {'act': 'polish_act', 'directive': 'directive', 'other': 'other_basis'}


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_annotations(self, context, entry, buyer: Buyer) -> Annotations:
        """Return what an invoice states beside its amounts."""
        kinds = context.line_kinds(entry)
        return Annotations(
            cash_method=self.ksef_cash_method or any(tax.tax_exigibility == 'on_payment' for tax in entry.line_taxes),
            reverse_charge=self._ksef_reverse_charge({kind.rate for kind in kinds}, buyer),
            split_payment=self._ksef_split_payment(context, entry, buyer),
            exemption=self._ksef_exemption(context, entry),
            new_transport=self._ksef_new_transport(),
            triangular_second_taxpayer=any(kind.triangular for kind in kinds),
            margin=next((kind.margin for kind in kinds if kind.margin), None),
        )

    def _ksef_reverse_charge(self, rates: set, buyer: Buyer) -> bool:
        """Tell whether the buyer accounts for the tax, which the invoice has to state (P_18).

        That is so under domestic reverse charge, for services of art. 100 sec. 1 pt 4, and for other supplies in
        another EU country: there an invoice is issued only because the buyer is liable (art. 106a pt 2 a). A business
        outside the EU is taken to be liable for a tax of the same kind; a warning asks to make sure.
        """
        foreign_business = isinstance(buyer.identifier, (EuVatId, OtherTaxId))
        return bool(
            rates & {TaxRate.REVERSE_CHARGE, TaxRate.SERVICES_ART_100}
            or (TaxRate.OUTSIDE_POLAND in rates and foreign_business)
        )

    # ------------------------------------------------------------------ split payment

    def _ksef_split_payment(self, context, entry, buyer: Buyer) -> bool:
        """Tell whether split payment is stated (P_18A): as chosen, else where the law demands it."""
        if self.ksef_split_payment:
            return self.ksef_split_payment == 'yes'
        return bool(self._ksef_split_payment_due(context, entry, buyer) and self._ksef_annex_items(context, entry))

    def _ksef_split_payment_due(self, context, entry, buyer: Buyer) -> bool:
        """Tell whether the invoice is one on which annex 15 counts: a taxpayer buys for more than 15,000 PLN."""
        gross = abs(sum(context.booked(item).balance for item in entry.products) + sum(item.balance for item in entry.taxes))
        return gross > SPLIT_PAYMENT_LIMIT and not isinstance(buyer.identifier, NoTaxId)

    def _ksef_taxed_items(self, context, entry) -> list:
        kinds = ((item, context.line_kind(item)) for item in entry.products)
        return [item for item, kind in kinds if kind and kind.group in TAXED_GROUPS]

    def _ksef_annex_items(self, context, entry) -> list:
        """Return the taxed lines of goods and services of annex 15, as far as product or group (GTU) tells."""
        return [
            item for item in self._ksef_taxed_items(context, entry)
            if item._ksef_is_annex_15()]

    # ------------------------------------------------------------------ exemption

    def _ksef_exemption(self, context, entry) -> Exemption | None:
        """Return the legal basis of the exemption, of the invoice or of its taxes."""
        taxes = self._ksef_exempt_taxes(context, entry)
        if not taxes:
            return None
        law, basis = self.ksef_exemption_law, collapse(self.ksef_exemption_basis)
        if not basis:
            law = taxes[0].ksef_exemption_law
            basis = '; '.join(dict.fromkeys(filter(None, (collapse(tax.ksef_exemption_basis) for tax in taxes))))
        return Exemption(**{EXEMPTION_ATTRIBUTES[law or 'act']: basis}) if basis else None

    def _ksef_exempt_taxes(self, context, entry) -> list:
        return [tax for tax in entry.line_taxes if context.rate(tax)[0] is TaxRate.EXEMPT]

    # ------------------------------------------------------------------ what stands against them

    def _ksef_statement_issues(self, context, entry) -> list[Issue]:
        """Return what is missing for the statements, and what only a person can know."""
        return [
            *self._ksef_split_payment_issues(context, entry),
            *self._ksef_exemption_issues(context, entry),
            *self._ksef_margin_issues(context, entry),
        ]

    def _ksef_split_payment_issues(self, context, entry) -> list[Issue]:
        """The law asks for split payment where annex 15 does, which nobody but the seller knows for sure."""
        buyer = self._ksef_buyer()
        if not self._ksef_split_payment_due(context, entry, buyer):
            return []
        annex = self._ksef_annex_items(context, entry)
        if self.ksef_split_payment == 'no' and annex and self._ksef_sign() > 0:
            return [Issue.error('split-payment', self, 'ksef_split_payment', value=annex[0].name or annex[0].product_id.name)]
        if self.ksef_split_payment or annex or not self._ksef_taxed_items(context, entry) or self._ksef_is_correction():
            return []
        return [Issue.warning('split-payment-doubt', self, 'ksef_split_payment')]

    def _ksef_exemption_issues(self, context, entry) -> list[Issue]:
        taxes = self._ksef_exempt_taxes(context, entry)
        if not taxes or collapse(self.ksef_exemption_basis):
            return []
        missing = next((tax for tax in taxes if not collapse(tax.ksef_exemption_basis)), None)
        if missing is not None:
            return [Issue.error('exemption-basis', missing, 'ksef_exemption_basis', value=missing.display_name)]
        if len({tax.ksef_exemption_law for tax in taxes}) > 1:
            return [Issue.error('exemption-laws', self, 'ksef_exemption_basis')]
        return []

    def _ksef_margin_issues(self, context, entry) -> list[Issue]:
        """One invoice states one kind of margin, and no tax beside it (art. 120: the buyer must not see it)."""
        margins = {kind.margin for kind in context.line_kinds(entry) if kind.margin}
        return [Issue.error('margin-kinds', self, 'invoice_line_ids')] if len(margins) > 1 else []
