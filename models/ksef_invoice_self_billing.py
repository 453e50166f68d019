"""Self-billing (samofakturowanie): vendor bills that the buyer issues in the supplier's name (art. 106d of the VAT act).

The supplier is the seller (Podmiot1), the company the buyer (Podmiot2), P_17 says who issued it. It goes through the
company's own connection, and KSeF takes it only when the supplier gave the company the right SelfInvoicing.
"""

from dataclasses import replace

from odoo import models
from stdnum.pl import nip as polish_nip

from ..ksef.fa3.model import Annotations, Buyer, PolishTaxId, Seller
from ..ksef.fa3.text import collapse
from .ksef_invoice_findings import Issue
from .ksef_invoice_party import address_of, contacts_of, correspondence_of, polish_number
from .ksef_render_memo import once

SELF_BILLED_TYPES = ('in_invoice', 'in_refund')
RIGHT = 'SelfInvoicing'
# Base grids of ordinary purchases in Poland. The rate follows from the percentage, but for 0 %, which may be anything.
PURCHASE_GRIDS = ({'K_40'}, {'K_42'})
PURCHASE_KINDS = {23: 'VAT_23', 22: 'VAT_22', 8: 'VAT_8', 7: 'VAT_7', 5: 'VAT_5'}


class AccountTax(models.Model):
    _inherit = 'account.tax'

    def _ksef_default_kind(self) -> tuple[str | None, str | None]:
        """A tax of purchase tells the seller's rate only where it is an ordinary one of more than zero percent."""
        if self.type_tax_use != 'purchase':
            return super()._ksef_default_kind()
        base = self.invoice_repartition_line_ids.filtered(lambda line: line.repartition_type == 'base')
        grids = {(tag.name or '').lstrip('+-') for tag in base.tag_ids.with_context(lang='en_US')}
        if grids not in PURCHASE_GRIDS:
            return None, 'tax-purchase'
        key = PURCHASE_KINDS.get(self.amount)
        return (key, None) if key else (None, 'tax-purchase-zero' if not self.amount else 'tax-percent')


class ResCompany(models.Model):
    _inherit = 'res.company'

    @once
    def _ksef_self_billing_nips(self) -> tuple[frozenset, bool]:
        """Return the NIPs that let this company issue in their name, and whether KSeF's list is known in full."""
        connection = self.sudo()._ksef_connection()
        is_known = bool(connection.permissions_at and not connection.permissions_partial)
        rows = self.env['ksef.permission'].sudo().search([
            ('connection_id', '=', connection.id), ('kind', '=', 'received'), ('scopes', '=', RIGHT), ('state', '=', 'active')])
        return frozenset((row.holder_identifier or '').removeprefix('NIP ') for row in rows), is_known


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_is_self_billed(self) -> bool:
        """Tell whether this is a vendor bill that the company issues itself, in the supplier's name."""
        self.ensure_one()
        return self.move_type in SELF_BILLED_TYPES and self.journal_id.is_self_billing

    def _ksef_is_issued(self):
        return super()._ksef_is_issued() or self._ksef_is_self_billed()

    def _ksef_side(self) -> int:
        """What is bought stands on the debit side."""
        return -super()._ksef_side() if self._ksef_is_self_billed() else super()._ksef_side()

    # ------------------------------------------------------------------ parties

    def _ksef_seller(self, context, entry) -> Seller:
        """The supplier issues it by law, so it is the seller."""
        if not self._ksef_is_self_billed():
            return super()._ksef_seller(context, entry)
        partner = self.commercial_partner_id
        return Seller(
            nip=polish_number(partner.vat),
            name=collapse(partner.name),
            address=address_of(partner),
            contacts=contacts_of(partner),
            eori=collapse(partner.ksef_eori) or None,
            correspondence_address=correspondence_of(partner),
        )

    def _ksef_buyer(self) -> Buyer:
        """The company (of a branch its taxpayer) is the buyer."""
        if not self._ksef_is_self_billed():
            return super()._ksef_buyer()
        company = self._ksef_seller_company()
        return Buyer(
            identifier=PolishTaxId(nip=polish_number(company.vat)),
            name=collapse(company.name) or None,
            address=address_of(company.partner_id),
            contacts=contacts_of(company.partner_id),
            eori=collapse(company.partner_id.ksef_eori) or None,
            correspondence_address=correspondence_of(company.partner_id),
            **self._ksef_unit_marks(),
        )

    def _ksef_entered_parties(self) -> list:
        """Roles of addressees are those of customers: of a supplier's contacts they say nothing."""
        if not self._ksef_is_self_billed():
            return super()._ksef_entered_parties()
        return [
            self._ksef_third_party(row.partner_id, row.role, row.role_description, row.share) for row in self.ksef_third_party_ids]

    def _ksef_footer(self):
        """The company's footer and registers are not those of the supplier."""
        return None if self._ksef_is_self_billed() else super()._ksef_footer()

    def _ksef_annotations(self, context, entry, buyer: Buyer) -> Annotations:
        annotations = super()._ksef_annotations(context, entry, buyer)
        return replace(annotations, self_billing=True) if self._ksef_is_self_billed() else annotations

    def _ksef_all_rows(self, context, entry) -> list:
        """The company's own code of a product isn't the supplier's (Indeks)."""
        rows = super()._ksef_all_rows(context, entry)
        return [(item, replace(line, index=None)) for item, line in rows] if self._ksef_is_self_billed() else rows

    # ------------------------------------------------------------------ findings

    def _ksef_recipient_issues(self) -> list[Issue]:
        return [] if self._ksef_is_self_billed() else super()._ksef_recipient_issues()

    def _ksef_header_refusals(self) -> list[Issue]:
        issues = super()._ksef_header_refusals()
        return issues + self._ksef_self_billing_issues() if self._ksef_is_self_billed() else issues

    def _ksef_self_billing_issues(self) -> list[Issue]:
        """A Polish supplier who gave us the right, an invoice or a correction of amounts, and no more than that."""
        partner, company = self.commercial_partner_id, self.company_id
        number = polish_number(partner.vat)
        if not polish_nip.is_valid(number or ''):
            return [Issue.error('self-billing-seller', partner, 'vat', value=partner.display_name)]
        if number == polish_number(self._ksef_seller_company().vat):
            return [Issue.error('self-billing-own', self, 'partner_id')]
        if self.ksef_special_kind or (self.ksef_correction_kind in ('buyer', 'seller') and self._ksef_is_correction()):
            field = 'ksef_special_kind' if self.ksef_special_kind else 'ksef_correction_kind'
            return [Issue.error('self-billing-kind', self, field)]
        if company.sudo()._ksef_connection().internal_id:
            return [Issue.error('self-billing-unit', self, 'company_id')]
        nips, is_known = company._ksef_self_billing_nips()
        if number in nips:
            return []
        severity, code = (Issue.error, 'self-billing-right') if is_known else (Issue.warning, 'self-billing-unknown')
        return [severity(code, self, 'partner_id', value=partner.display_name)]

    def _ksef_entry_refusals(self, context, entry) -> list[Issue]:
        """The taxes of sales belong on sales, those of purchases on vendor bills."""
        is_bill, issues = self._ksef_is_self_billed(), []
        for tax in entry.line_taxes:
            if tax and (tax.type_tax_use == 'purchase') != is_bill:
                item = next(item for item in entry.products if item.tax_ids[:1] == tax)
                issues.append(Issue.error('tax-side', tax, 'type_tax_use', line=item, value=tax.display_name))
        return issues + super()._ksef_entry_refusals(context, entry)

    def _ksef_origin_of(self, path, origin):
        """What is wrong with the seller is mended at the supplier, what is wrong with the buyer at the company."""
        record, field_name = super()._ksef_origin_of(path, origin)
        if not self._ksef_is_self_billed():
            return record, field_name
        company = self._ksef_seller_company().sudo(False)
        if path.startswith('seller'):
            return self.commercial_partner_id, field_name
        if path.startswith('buyer'):
            return company.partner_id, field_name
        return record, field_name
