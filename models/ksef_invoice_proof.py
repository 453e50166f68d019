"""The proof of an invoice: rules, file and official schema, one after another; and what its dates mean."""

from datetime import date
from decimal import Decimal

from odoo import models

from ..ksef.fa3 import rules, writer
from ..ksef.fa3.finding import WARNING, Finding, has_errors
from ..ksef.fa3.model import Invoice
from ..ksef.fa3.text import collapse
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import amount

# What can be told of an invoice that is refused for other reasons.
PARTIES = ('seller', 'buyer', 'payment')


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_prove(self, context, invoice: Invoice, refused: bool) -> tuple[bytes | None, list[Finding]]:
        """Return the bytes of an invoice (none with an error) and everything found in them."""
        findings = rules.check(invoice, context.today)
        if refused:
            return None, [finding for finding in findings if finding.path.startswith(PARTIES)]
        if has_errors(findings):
            return None, findings
        findings += self._ksef_check_others(invoice)
        if has_errors(findings):
            return None, findings
        xml = writer.write(invoice)
        findings += [*rules.check_file(xml), *self._ksef_check_schema(context, xml)]
        return None if has_errors(findings) else xml, findings

    def _ksef_check_schema(self, context, xml: bytes) -> list[Finding]:
        """Hold the bytes against the official schema, or say that there is none."""
        if context.schema:
            return context.schema.validate(xml)
        code = 'schema-broken' if context.schema_problem else 'schema-missing'
        return [Finding(WARNING, code, '', {'reason': context.schema_problem or ''}, code)]

    def _ksef_supply_date(self) -> tuple[date | None, str]:
        """Return the date of supply as far as it differs from the date of issue (P_6), and its field.

        The taxable supply date is what an accountant enters; the delivery date comes from the warehouse.
        """
        if self.ksef_period_start and self.ksef_period_end:
            return None, 'ksef_period_end'
        field = 'taxable_supply_date' if self.taxable_supply_date or not self.delivery_date else 'delivery_date'
        day = self[field] or None
        return (None if day == self.invoice_date else day), field

    def _ksef_date_issues(self, context) -> list[Issue]:
        """Return what is worth knowing about the dates (KSeF marks an invoice of an earlier day as offline)."""
        issues = []
        if self.invoice_date < context.today:
            issues.append(Issue.warning('issue-date-past', self, 'invoice_date', today=context.today.isoformat()))
        return issues + self._ksef_supply_date_issues() + self._ksef_recipient_issues()

    def _ksef_supply_date_issues(self) -> list[Issue]:
        """Return what a person should know about the date of supply that will be stated, or not."""
        taxable, delivery, issued = self.taxable_supply_date, self.delivery_date, self.invoice_date
        if taxable and delivery and taxable != delivery:
            code = 'supply-date-conflict-same' if taxable == issued else 'supply-date-conflict'
            return [Issue.warning(code, self, 'taxable_supply_date', value=taxable.isoformat())]
        if delivery and not taxable and delivery != issued:
            # Odoo fills it from the order's first delivery, which needn't be the one that is invoiced.
            return [Issue.warning('supply-date-delivery', self, 'delivery_date', value=delivery.isoformat())]
        return []

    def _ksef_recipient_issues(self) -> list[Issue]:
        """Return that the addressee is not named: the document names the business, and no unit of it (JST, GV)."""
        recipient, buyer = self.partner_id, self.commercial_partner_id
        named = recipient != buyer and recipient.type in ('invoice', 'delivery', 'other') and recipient.name
        stated = recipient.ksef_role or recipient in self.ksef_third_party_ids.partner_id
        if not named or stated or collapse(recipient.name) == collapse(buyer.name):
            return []
        return [Issue.warning('buyer-recipient', self, 'partner_id', value=collapse(recipient.name))]

    def _ksef_total(self, entry) -> Decimal:
        """Return the amount of the sale, tax included (P_15); of a credit note what it takes back.

        Cash rounding changes what is paid, not the sale.
        """
        return self._ksef_sign() * amount(self.amount_total) - self._ksef_rounding(entry) + 0
