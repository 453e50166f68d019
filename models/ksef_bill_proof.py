from decimal import Decimal

from odoo import api, fields, models

from ..ksef.fa3.codes import TaxGroup
from .ksef_bill_lines import ROUNDING_PER_LINE, cents
from .ksef_bill_tax import UNTAXED

# A tax that is off by no more than this for each line is a matter of rounding.
LEAST = Decimal('0.05')


class KsefBill(models.AbstractModel):
    """Proof that a bill is what the invoice says, to the grosz."""
    _inherit = 'ksef.bill'

    @api.model
    def _prove(self, move, invoice):
        """Bring the taxes of a draft to those of the invoice within rounding; return what still differs, as text or ''."""
        sign = -1 if move.move_type in ('in_refund', 'out_refund') else 1
        self._fit_taxes(move, invoice, sign)
        problems = []
        stated = Decimal(str(invoice.total)) * sign
        expected = cents(stated)
        booked = cents(str(move.amount_total))
        if booked != expected:
            problems.append(self.env._(
                "Total: the invoice says %(invoice)s, the bill %(bill)s.", invoice=expected, bill=booked))
        net = sum((self._booked(total) for total in invoice.group_totals), self._rounding(invoice)) * sign
        if invoice.group_totals and cents(str(move.amount_untaxed)) != net:
            problems.append(self.env._(
                "Net: the invoice says %(invoice)s, the bill %(bill)s.", invoice=net, bill=cents(str(move.amount_untaxed))))
        return " ".join(problems)

    @api.model
    def _fit_taxes(self, move, invoice, sign):
        """Odoo computes the tax of each rate itself; where that differs from the invoice by rounding, the invoice counts."""
        limit = max(LEAST, ROUNDING_PER_LINE * max(len(invoice.lines), len(move.invoice_line_ids)))
        commands = []
        for line, missing in self._tax_differences(move, invoice, sign):
            if missing and abs(missing) <= limit:
                amount = Decimal(str(line.amount_currency)) + missing
                commands.append((1, line.id, {'amount_currency': float(cents(amount))}))
        if commands:
            move.write({'line_ids': commands})

    @api.model
    def _tax_differences(self, move, invoice, sign):
        """[(tax line of the bill, what the invoice has more)], for each rate that is charged."""
        found = []
        direction = move.direction_sign
        for total in invoice.group_totals:
            if total.group in UNTAXED or total.group is TaxGroup.REVERSE_CHARGE or not total.tax:
                continue
            lines = move.line_ids.filtered(
                lambda line, t=total: line.tax_line_id and self._is_of_group(move, line, t))
            if not lines:
                continue
            booked = sum((Decimal(str(line.amount_currency)) for line in lines), Decimal(0))
            wanted = Decimal(total.tax) * sign * direction
            found.append((lines.sorted(lambda line: -abs(line.amount_currency))[:1], cents(wanted - booked)))
        if not invoice.group_totals:
            found += self._difference_of_total(move, invoice, sign)
        return found

    @api.model
    def _difference_of_total(self, move, invoice, sign):
        """An invoice that states no sums: the total decides."""
        line = move.line_ids.filtered('tax_line_id')[:1]
        missing = Decimal(str(invoice.total)) * sign - Decimal(str(move.amount_total))
        return [(line, cents(missing * move.direction_sign))] if line else []

    @api.model
    def _is_of_group(self, move, line, total):
        """Whether a tax line belongs to a group of rates: by the percentages that the group has."""
        tax = line.tax_line_id
        percents = {
            TaxGroup.STANDARD: (23, 22), TaxGroup.REDUCED_FIRST: (8, 7), TaxGroup.REDUCED_SECOND: (5,),
            TaxGroup.TAXI_LUMP_SUM: (4, 3),
        }.get(total.group, ())
        return tax.amount in percents and self._charged(tax) == tax.amount


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_bill_problem = fields.Char(
        string="KSeF invoice and bill differ", copy=False, readonly=True,
        help="Sums of the bill that are not those of the KSeF invoice.")
    ksef_bill_notes = fields.Text(string="To check", copy=False, readonly=True)
    ksef_received_ids = fields.One2many(
        'ksef.received', 'move_id', string="KSeF invoice", readonly=True, groups='l10n_pl_ksef.group_ksef_read')
    ksef_received_number = fields.Char(
        string="KSeF number of the supplier's invoice", compute='_compute_ksef_received_number', compute_sudo=True,
        search='_search_ksef_received_number')

    @api.depends('ksef_received_ids')
    def _compute_ksef_received_number(self):
        for move in self:
            move.ksef_received_number = move.ksef_received_ids[:1].ksef_number

    @api.model
    def _search_ksef_received_number(self, operator, value):
        return [('ksef_received_ids.ksef_number', operator, value)]
