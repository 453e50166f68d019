"""What a tax is in FA(3): told by its tax grids (K_19 ...) unless an accountant says otherwise, never by its name.

The grids are those of the Polish VAT return (JPK_V7), which ``l10n_pl`` puts on every tax. A tax that an accountant
has copied or made keeps working as long as it has the grids of its kind; for any other there is a field.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from odoo import api, fields, models

from ..ksef.fa3.codes import MarginKind, Procedure, TaxGroup, TaxRate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxKind:
    """What a tax means on an invoice: group of sums, rate of the lines (P_12, none under OSS and margin) and marks."""

    group: TaxGroup
    rate: TaxRate | None = None
    percent: Decimal | None = None
    margin: MarginKind | None = None
    procedure: Procedure | None = None
    triangular: bool = False

    @property
    def is_oss(self) -> bool:
        """Tell whether the rate is that of another country (P_12_XII)."""
        return self.group is TaxGroup.ONE_STOP_SHOP


def _of_rate(rate: TaxRate, **marks) -> TaxKind:
    return TaxKind(group=rate.group, rate=rate, percent=rate.percent, **marks)


def _of_margin(margin: MarginKind) -> TaxKind:
    return TaxKind(group=TaxGroup.MARGIN, percent=Decimal(0), margin=margin)


KINDS = {
    **{rate.name: _of_rate(rate) for rate in TaxRate},
    'INTRA_EU_42': _of_rate(TaxRate.ZERO_INTRA_EU, procedure=Procedure.CUSTOMS_42),
    'INTRA_EU_63': _of_rate(TaxRate.ZERO_INTRA_EU, procedure=Procedure.CUSTOMS_63),
    'TRIANGULAR': _of_rate(TaxRate.OUTSIDE_POLAND, procedure=Procedure.TRIANGULAR, triangular=True),
    'ONE_STOP_SHOP': TaxKind(group=TaxGroup.ONE_STOP_SHOP),
    **{f'MARGIN_{margin.name}': _of_margin(margin) for margin in MarginKind},
}
# Grids of the base of a sale -> what is booked there; where there are several, the percentage of the tax picks one.
GRIDS = {
    frozenset({'K_19'}): ('VAT_23', 'VAT_22'),
    frozenset({'K_17'}): ('VAT_8', 'VAT_7'),
    frozenset({'K_15'}): ('VAT_5',),
    frozenset({'K_13'}): ('ZERO_DOMESTIC',),
    frozenset({'K_21'}): ('ZERO_INTRA_EU',),
    frozenset({'K_21', 'I_42'}): ('INTRA_EU_42',),
    frozenset({'K_21', 'I_63'}): ('INTRA_EU_63',),
    # The goods never come to Poland, so the middle one's supply is taxed elsewhere (art. 136, TT_D).
    frozenset({'K_21', 'Triangular Sale'}): ('TRIANGULAR',),
    frozenset({'K_22'}): ('ZERO_EXPORT',),
    frozenset({'K_10'}): ('EXEMPT',),
    frozenset({'K_11'}): ('OUTSIDE_POLAND',),
    frozenset({'K_11', 'K_12'}): ('SERVICES_ART_100',),
    frozenset({'K_31'}): ('REVERSE_CHARGE',),
    frozenset({'OSS'}): ('ONE_STOP_SHOP',),
}
# Grids of sales that are not stated on an invoice of their own: the code says why.
UNSUPPORTED = {'K_14': 'tax-tourist'}
KNOWN_GRIDS = frozenset().union(UNSUPPORTED, *GRIDS)


def known_grids(tags) -> frozenset:
    """Return the names of the grids of sales among tax tags (``account.account.tag``)."""
    names = {(tag.name or '').lstrip('+-') for tag in tags.with_context(lang='en_US')}
    return frozenset(names & KNOWN_GRIDS)


class AccountTax(models.Model):
    _inherit = 'account.tax'

    ksef_rate = fields.Selection(
        [
            ('VAT_23', "23"), ('VAT_22', "22"), ('VAT_8', "8"), ('VAT_7', "7"), ('VAT_5', "5"),
            ('TAXI_4', "4 (taxi lump sum)"), ('TAXI_3', "3 (taxi lump sum)"),
            ('ZERO_DOMESTIC', "0 KR (domestic)"), ('ZERO_INTRA_EU', "0 WDT (intra-EU supply)"),
            ('INTRA_EU_42', "0 WDT, customs procedure 42"), ('INTRA_EU_63', "0 WDT, customs procedure 63"),
            ('ZERO_EXPORT', "0 EX (export)"), ('EXEMPT', "zw (exempt)"), ('REVERSE_CHARGE', "oo (domestic reverse charge)"),
            ('OUTSIDE_POLAND', "np I (outside Poland)"), ('SERVICES_ART_100', "np II (services, art. 100)"),
            ('TRIANGULAR', "np I, second taxpayer of a triangular transaction"), ('ONE_STOP_SHOP', "OSS (rate of another country)"),
            ('MARGIN_TOURISM', "Margin: tourism"), ('MARGIN_SECOND_HAND', "Margin: second-hand goods"),
            ('MARGIN_ART', "Margin: works of art"), ('MARGIN_COLLECTIBLES', "Margin: collectibles and antiques"),
        ], string="Rate in KSeF", compute='_compute_ksef_rate', store=True, readonly=False, copy=False,
        help="Stawka podatku in the invoices for KSeF (P_12). It follows from the tax grids; choose it for a tax of your own without "
             "them.")
    ksef_exemption_law = fields.Selection(
        [
            ('act', "Polish act or regulation"), ('directive', "Directive 2006/112/EC"), ('other', "Other legal basis"),
        ], string="Kind of legal basis", default='act',
        help="Podstawa zwolnienia: przepis ustawy (P_19A), przepis dyrektywy (P_19B) or another legal basis (P_19C).")
    ksef_exemption_basis = fields.Char(
        string="Legal basis of the exemption", size=256,
        help="Podstawa prawna zwolnienia, as it is printed on the invoice: for example “art. 43 ust. 1 pkt 37 ustawy o VAT”.")

    @api.depends('amount', 'type_tax_use', 'country_id', 'invoice_repartition_line_ids.tag_ids')
    def _compute_ksef_rate(self):
        for tax in self:
            is_polish = tax.type_tax_use in ('sale', 'purchase') and tax.country_id.code == 'PL'
            tax.ksef_rate = tax._ksef_default_kind()[0] if is_polish else False

    def _ksef_default_kind(self) -> tuple[str | None, str | None]:
        """Return the key of the kind that the tax grids tell, or ``None`` and the code of why they tell none."""
        grids = self._ksef_base_grids()
        unsupported = next((UNSUPPORTED[grid] for grid in sorted(grids) if grid in UNSUPPORTED), None)
        if unsupported or grids not in GRIDS:
            return None, unsupported or 'tax-unmapped'
        key = next((key for key in GRIDS[grids] if KINDS[key].percent in (None, self.amount)), None)
        return (key, None) if key else (None, 'tax-percent')

    def _ksef_kind(self) -> tuple[TaxKind | None, str | None]:
        """Return what a sales tax is in FA(3), or ``None`` and the code of the reason why it has no place there."""
        self.ensure_one()
        if problem := self._ksef_kind_problem():
            return None, problem
        if not self.ksef_rate:
            return None, self._ksef_default_kind()[1] or 'tax-unmapped'
        kind = KINDS[self.ksef_rate]
        if kind.percent not in (None, self.amount):
            return None, 'tax-percent'
        return replace(kind, percent=Decimal(f'{self.amount:.6f}').normalize() + 0), None

    def _ksef_rate(self) -> tuple[TaxRate | None, str | None]:
        """Return the rate (P_12) of a sales tax, or ``None`` and the code of the reason why it has none."""
        kind, problem = self._ksef_kind()
        return (kind.rate if kind else None), problem

    def _ksef_base_grids(self, refund=False) -> frozenset:
        """Return the grids in which the base of an invoice (or of a credit note) with this tax is booked."""
        lines = self.refund_repartition_line_ids if refund else self.invoice_repartition_line_ids
        return known_grids(lines.filtered(lambda line: line.repartition_type == 'base').tag_ids)

    def _ksef_kind_problem(self) -> str | None:
        """Return the code of what makes this tax one that can't be sent, whatever its rate."""
        parts = self.invoice_repartition_line_ids.filtered(lambda line: line.repartition_type == 'tax')
        factors = parts.mapped('factor_percent')
        problems = {
            'tax-country': self.country_id.code != 'PL',
            'tax-group': self.amount_type == 'group',
            'tax-computation': self.amount_type not in ('percent', 'group'),
            'tax-distribution': sum(factors) != 100 or any(factor < 0 for factor in factors),
        }
        return next((code for code, found in problems.items() if found), None)
