"""Which rate of FA(3) a tax of the Polish chart is: told by its tax grids (K_19 ...), never by its name.

The grids are those of the Polish VAT return (JPK_V7), which ``l10n_pl`` puts on every tax. A tax that an accountant
has copied or made keeps working as long as it has the grids of its kind.
"""

from odoo import models

from ..ksef.fa3.codes import TaxRate

# Grids of the base of a sale -> rates that are booked there; the percentage of the tax picks one.
RATES = {
    frozenset({'K_19'}): (TaxRate.VAT_23, TaxRate.VAT_22),
    frozenset({'K_17'}): (TaxRate.VAT_8, TaxRate.VAT_7),
    frozenset({'K_15'}): (TaxRate.VAT_5,),
    frozenset({'K_13'}): (TaxRate.ZERO_DOMESTIC,),
    frozenset({'K_21'}): (TaxRate.ZERO_INTRA_EU,),
    frozenset({'K_22'}): (TaxRate.ZERO_EXPORT,),
    frozenset({'K_11'}): (TaxRate.OUTSIDE_POLAND,),
    frozenset({'K_11', 'K_12'}): (TaxRate.SERVICES_ART_100,),
    frozenset({'K_31'}): (TaxRate.REVERSE_CHARGE,),
}
# Grids of sales that exist in Poland, but not (yet) here: the code says why.
UNSUPPORTED = {
    'K_10': 'tax-exempt',
    'K_14': 'tax-tourist',
    'Triangular Sale': 'tax-triangular',
    'I_42': 'tax-customs',
    'I_63': 'tax-customs',
    'OSS': 'tax-oss',
}
KNOWN_GRIDS = frozenset().union(UNSUPPORTED, *RATES)


def known_grids(tags) -> frozenset:
    """Return the names of the grids of sales among tax tags (``account.account.tag``)."""
    names = {(tag.name or '').lstrip('+-') for tag in tags.with_context(lang='en_US')}
    return frozenset(names & KNOWN_GRIDS)


class AccountTax(models.Model):
    _inherit = 'account.tax'

    def _ksef_rate(self) -> tuple[TaxRate | None, str | None]:
        """Return the rate of a sales tax, or ``None`` and the code of the reason why it has none."""
        self.ensure_one()
        if problem := self._ksef_kind_problem():
            return None, problem
        grids = self._ksef_base_grids()
        unsupported = next((UNSUPPORTED[grid] for grid in sorted(grids) if grid in UNSUPPORTED), None)
        if unsupported or grids not in RATES:
            return None, unsupported or 'tax-unmapped'
        rate = next((rate for rate in RATES[grids] if rate.percent == self.amount), None)
        return (rate, None) if rate else (None, 'tax-percent')

    def _ksef_base_grids(self) -> frozenset:
        """Return the grids in which the base of an invoice with this tax is booked."""
        lines = self.invoice_repartition_line_ids
        return known_grids(lines.filtered(lambda line: line.repartition_type == 'base').tag_ids)

    def _ksef_kind_problem(self) -> str | None:
        """Return the code of what makes this tax one that can't be sent, whatever its rate."""
        parts = self.invoice_repartition_line_ids.filtered(lambda line: line.repartition_type == 'tax')
        factors = parts.mapped('factor_percent')
        problems = {
            'tax-country': self.country_id.code != 'PL',
            'tax-group': self.amount_type == 'group',
            'tax-computation': self.amount_type not in ('percent', 'group'),
            'tax-included': self.price_include,
            'tax-cash-basis': self.tax_exigibility == 'on_payment',
            'tax-distribution': sum(factors) != 100 or any(factor < 0 for factor in factors),
        }
        return next((code for code, found in problems.items() if found), None)
