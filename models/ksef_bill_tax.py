from odoo import api, models
from odoo.exceptions import UserError

from ..ksef.fa3.codes import TaxGroup

# Taxes of the Polish chart by the group of the line; percentages are found by their amount.
TEMPLATES = {
    TaxGroup.ZERO_DOMESTIC: 'vz_kraj_0',
    TaxGroup.ZERO_INTRA_EU: 'vz_kraj_0',
    TaxGroup.ZERO_EXPORT: 'vz_kraj_0',
    TaxGroup.EXEMPT: 'vz_kraj_zw',
    TaxGroup.REVERSE_CHARGE: 'vz_stal',
}
# Nothing that could be deducted: no tax on the line; the amount that is booked includes what tax there is.
UNTAXED = {TaxGroup.MARGIN, TaxGroup.ONE_STOP_SHOP, TaxGroup.OUTSIDE_POLAND, TaxGroup.SERVICES_ART_100}
GOODS, SERVICES = {23: 'vz_kraj_23', 8: 'vz_kraj_8', 5: 'vz_kraj_5'}, {23: 'vz_kraj_usl_23'}


class KsefBill(models.AbstractModel):
    """Purchase taxes by the rate of a line."""
    _inherit = 'ksef.bill'

    @api.model
    def _find_taxes(self, company, group, percent, product=None, rule=None):
        """The taxes of a line: of the rule or the product where they fit the rate, else those of the chart.

        :raise UserError: the company has no purchase tax of this rate
        """
        none = self.env['account.tax']
        if group is None or group in UNTAXED:
            return none
        chosen = rule.tax_ids if rule else none
        if product and not chosen:
            chosen = product.supplier_taxes_id.filtered(lambda tax: tax.company_id == company)
        if chosen and self._taxes_fit(chosen, group, percent):
            return chosen
        tax = self._template_tax(company, group, percent, bool(product) and product.type == 'service')
        if not tax and group is TaxGroup.REVERSE_CHARGE:
            raise UserError(self.env._(
                "The invoice is under domestic reverse charge: the buyer accounts for the VAT. Create a purchase tax that is owed and "
                "deducted, give the supplier a rule with it, then try again."))
        tax = tax or self._tax_by_amount(company, percent)
        if not tax:
            raise UserError(self.env._(
                "There is no purchase tax of %(percent)s %% in %(company)s. Create it, then try again.",
                percent=percent, company=company.display_name))
        return tax

    @api.model
    def _taxes_fit(self, taxes, group, percent):
        """Whether taxes someone chose charge what the invoice charges."""
        if any(tax.amount_type != 'percent' or tax.price_include for tax in taxes):
            return False
        charged = sum(self._charged(tax) for tax in taxes)
        if group is TaxGroup.REVERSE_CHARGE:
            # The buyer owes the tax and deducts it: one of 0 % would owe nothing.
            return charged == 0 and any(tax.amount for tax in taxes)
        return charged == float(percent)

    @api.model
    def _charged(self, tax):
        """The percentage that a tax adds to what is paid: nothing where the buyer accounts for it himself."""
        parts = tax.invoice_repartition_line_ids.filtered(lambda line: line.repartition_type == 'tax')
        return tax.amount * sum(parts.mapped('factor_percent')) / 100

    @api.model
    def _template_tax(self, company, group, percent, is_service):
        name = TEMPLATES.get(group) or (SERVICES.get(int(percent)) if is_service else None) or GOODS.get(int(percent))
        tax = name and self.env['account.chart.template'].with_company(company).ref(name, raise_if_not_found=False)
        # The chart archives the tax for reverse charge; on the few bills that need it, it is right all the same.
        usable = tax and (tax.active or group is TaxGroup.REVERSE_CHARGE) and tax.type_tax_use == 'purchase' and not tax.price_include
        return tax if usable and self._taxes_fit(tax, group, percent) else self.env['account.tax']

    @api.model
    def _tax_by_amount(self, company, percent):
        """A tax of the company by its percentage alone, one that charges it in full."""
        taxes = self.env['account.tax'].search([
            ('company_id', '=', company.id), ('type_tax_use', '=', 'purchase'), ('amount_type', '=', 'percent'),
            ('amount', '=', float(percent)), ('price_include_override', '!=', 'tax_included')], order='sequence, id')
        return taxes.filtered(lambda tax: self._charged(tax) == float(percent))[:1]
