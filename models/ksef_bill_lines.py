from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from odoo import api, models
from odoo.exceptions import UserError

from ..ksef.fa3.codes import InvoiceKind, TaxGroup, TaxRate
from .ksef_bill_notes import Remark
from .ksef_bill_products import Matcher

CENT = Decimal('0.01')
# What the lines of a group may differ from its sum by rounding: so much for each line, and at least that.
ROUNDING_PER_LINE, LEAST_ROUNDING = Decimal('0.01'), Decimal('0.02')
# What the total of an invoice may differ from its own sums by rounding.
MOST_ROUNDING = Decimal('0.05')
# An invoice with more lines (KSeF takes 10,000) is booked by tax and product: Odoo needs seconds for a bill of hundreds, and for one
# of thousands more than a server lets a request or a worker take.
MOST_LINES = 300


def cents(value):
    """Rounded to the grosz, halves away from zero, as the law has it."""
    return Decimal(value).quantize(CENT, ROUND_HALF_UP)


@dataclass
class Row:
    """A line of the bill to be: amounts net (gross where no tax is booked), in the invoice's currency and sign."""

    name: str
    net: Decimal
    group: TaxGroup | None  # None: not a matter of VAT
    percent: Decimal
    quantity: Decimal = Decimal(1)
    source: object = None
    extra: dict = field(default_factory=dict)


class KsefBill(models.AbstractModel):
    """The lines of a bill, so that their sums are those of the invoice, rate by rate."""
    _inherit = 'ksef.bill'

    @api.model
    def _line_values(self, company, invoice, partner, is_refund, notes):
        """Values of the bill's lines.

        :raise UserError: the document's lines and sums cannot be told apart by rate
        """
        rows = self._rows(invoice, notes)
        if not rows:
            raise UserError(self.env._("The invoice has neither lines nor sums that could be booked."))
        sign = -1 if is_refund else 1
        matcher = self._make_matcher(company, partner, [source for row in rows if (source := self._source_of(row.source))])
        taxes = {}
        lines = [self._one_line(company, matcher, taxes, row, sign) for row in rows]
        return lines if len(lines) <= MOST_LINES else self._merge_lines(company, rows, lines, sign, notes)

    @api.model
    def _merge_lines(self, company, rows, lines, sign, notes):
        """One line for each tax, product and account, with the same sums to the grosz; thousands of products are left out."""
        groups = self._group_lines(rows, lines)
        text = self.env._(
            "The invoice has %(count)s lines; the bill has one for each tax, product and account. All lines are in the preview.",
            count=len(lines))
        if len(groups) > MOST_LINES:
            groups = self._group_lines(rows, self._without_products(company, lines))
            text = self.env._(
                "The invoice has %(count)s lines of too many products for one bill; it has one line for each tax and account, without the "
                "products. All lines are in the preview.", count=len(lines))
        notes.append(Remark(text))
        return [self._merged_line(group, sign) for group in groups]

    @api.model
    def _group_lines(self, rows, lines):
        """[[(Row, values) that are booked alike]]."""
        groups = defaultdict(list)
        for row, line in zip(rows, lines, strict=True):
            key = (
                tuple(line['tax_ids'][0][2]), line.get('product_id'), line.get('account_id'), repr(line.get('analytic_distribution')),
                row.source is None)
            groups[key].append((row, line))
        return list(groups.values())

    @api.model
    def _without_products(self, company, lines):
        """The same lines, booked to the accounts of their products."""
        products = self.env['product.product'].with_company(company).browse(sorted({line.get('product_id') for line in lines} - {None}))
        accounts = {product.id: self._account_of_product(product).id for product in products}
        return [
            {name: value for name, value in line.items() if name not in ('product_id', 'product_uom_id')} | (
                {'account_id': account} if (account := line.get('account_id') or accounts.get(line.get('product_id'))) else {})
            for line in lines]

    @api.model
    def _account_of_product(self, product):
        """Where Odoo books the product on a bill; empty where it has no account of its own."""
        return product.product_tmpl_id.get_product_accounts()['expense']

    @api.model
    def _merged_line(self, group, sign):
        """Values of the one line for several: [(Row, values)]."""
        [(_row, values), *others] = group
        if not others:
            return values
        names = ", ".join(row.name for row, _values in group[:3])
        matches = {line['ksef_match'] for _row, line in group}
        net = sum((row.net for row, _values in group), Decimal(0)) * sign
        return {name: value for name, value in values.items() if name != 'product_uom_id'} | {
            'name': self.env._("%(count)s lines: %(names)s …", count=len(group), names=names)[:512],
            'quantity': 1.0, 'price_unit': float(net), 'ksef_source': {'lines': len(group)},
            # One line that nobody has recognised is enough for a person to look at all.
            'ksef_match': ", ".join(sorted(matches)) if all(matches) else ''}

    @api.model
    def _make_matcher(self, company, partner, sources):
        """What recognises the lines; ``sources``: what the invoice says of each."""
        return Matcher(self, company, partner, sources)

    @api.model
    def _rows(self, invoice, notes):
        """All rows of a bill, their sums per rate equal to those of the invoice header."""
        totals = {total.group: total for total in invoice.group_totals}
        rows = self._rows_of_lines(invoice, totals)
        if invoice.kind.is_advance or not rows:
            # An advance is a sum of money: its lines, if any, describe the order.
            return self._rows_of_totals(invoice, totals) + self._rounding_rows(invoice, totals) or rows
        if not totals:
            return self._fit_total(invoice, rows)
        by_group = defaultdict(list)
        for row in rows:
            by_group[row.group].append(row)
        for group, total in totals.items():
            self._fit_group(invoice, by_group[group], total, rows, notes)
        return rows + self._rounding_rows(invoice, totals)

    # ------------------------------------------------------------------ rows from lines

    @api.model
    def _rows_of_lines(self, invoice, totals):
        """One row for each line; a correction's before and after become their difference. Empty when a rate is open."""
        if any(self._group_of(line, totals) is None for line in invoice.lines):
            return []
        if invoice.kind.is_correction and any(line.before_correction for line in invoice.lines):
            return self._difference_rows(invoice, totals)
        # A simplified invoice may give its total and the rate alone; the total is shared out afterwards.
        is_open = invoice.kind is InvoiceKind.SIMPLIFIED and not totals
        return [self._row_of(line, totals) for line in invoice.lines if is_open or self._amount(line) is not None]

    @api.model
    def _difference_rows(self, invoice, totals):
        before = defaultdict(list)
        for line in invoice.lines:
            if line.before_correction:
                before[line.uid or line.number].append(line)
        rows = []
        for line in invoice.lines:
            if line.before_correction:
                continue
            former = before[line.uid or line.number]
            rows += self._difference(former.pop(0), line, totals) if former else [self._row_of(line, totals)]
        left = [line for lines in before.values() for line in lines]
        rows += [self._negated(self._row_of(line, totals)) for line in left]
        return [row for row in rows if row.net]

    @api.model
    def _difference(self, old, new, totals):
        """What changed from one state of a line to the other."""
        before, after = self._row_of(old, totals), self._row_of(new, totals)
        if (before.group, before.percent) != (after.group, after.percent):
            return [self._negated(before), after]
        after.net -= before.net
        quantity = after.quantity - before.quantity
        # The same price and another quantity: the quantity changed; else the price did, for the quantity there is.
        if quantity and (old.unit_price, old.gross_unit_price) == (new.unit_price, new.gross_unit_price):
            after.quantity = quantity
        return [after]

    @api.model
    def _negated(self, row):
        row.net = -row.net
        return row

    @api.model
    def _amount(self, line):
        """The value of a line as it stands there, net or gross, or None when it has none."""
        if line.net is not None:
            return line.net
        if line.gross is not None:
            return line.gross
        price = line.unit_price if line.unit_price is not None else line.gross_unit_price
        if price is None:
            return None
        return cents(price * (line.quantity if line.quantity is not None else 1) - (line.discount or 0))

    @api.model
    def _row_of(self, line, totals):
        rate = line.rate
        group = self._group_of(line, totals)
        percent = rate.percent if isinstance(rate, TaxRate) else Decimal(0)
        amount = self._amount(line) or Decimal(0)
        is_gross = line.net is None and (line.gross is not None or (line.unit_price is None and line.gross_unit_price is not None))
        if group is TaxGroup.ONE_STOP_SHOP:
            # Tax of another country is not deductible: it is part of the cost.
            net = amount if is_gross else cents(amount * (1 + (line.one_stop_shop_rate or 0) / Decimal(100)))
        else:
            net = cents(amount / (1 + percent / Decimal(100))) if is_gross else amount
        quantity = line.quantity if line.quantity is not None else Decimal(1)
        return Row(str(line.name or line.index or '/'), Decimal(net), group, percent, Decimal(quantity), line)

    @api.model
    def _group_of(self, line, totals):
        """The group of sums that a line belongs to, or None when it has no rate and the sums leave it open."""
        if isinstance(line.rate, TaxRate):
            return line.rate.group
        if line.one_stop_shop_rate is not None:
            return TaxGroup.ONE_STOP_SHOP
        if TaxGroup.MARGIN in totals:
            return TaxGroup.MARGIN
        return next(iter(totals)) if len(totals) == 1 else None

    # ------------------------------------------------------------------ rows from sums

    @api.model
    def _rows_of_totals(self, invoice, totals):
        """One row for each sum of the header: advances, collective discounts, simplified invoices."""
        return [
            Row(self._describe_total(invoice), self._booked(total), group, self._percent_of(invoice, group, total))
            for group, total in totals.items() if self._booked(total)]

    @api.model
    def _booked(self, total):
        """The amount of a group that lines must sum up to."""
        return Decimal(total.net + (total.tax or 0) if total.group is TaxGroup.ONE_STOP_SHOP else total.net)

    @api.model
    def _describe_total(self, invoice):
        if invoice.kind.is_advance:
            order = ", ".join(str(line.name) for line in (invoice.order.lines if invoice.order else ()) if line.name)
            return self.env._("Advance payment: %(order)s", order=order)[:512] if order else self.env._("Advance payment")
        if invoice.kind.is_correction:
            reason = invoice.correction.reason if invoice.correction else None
            return str(reason or self.env._("Correction of %(numbers)s", numbers=", ".join(
                str(item.number) for item in invoice.correction.invoices)))
        names = ", ".join(str(line.name) for line in invoice.lines if line.name and not line.before_correction)
        return names[:512] or str(invoice.number)

    @api.model
    def _percent_of(self, invoice, group, total):
        """The percentage of a group: of its lines where they agree, else the one its tax comes to."""
        rates = {rate.percent for rate in TaxRate if rate.group is group}
        named = {line.rate.percent for line in (*invoice.lines, *(invoice.order.lines if invoice.order else ()))
                 if isinstance(line.rate, TaxRate) and line.rate.group is group}
        if len(named) == 1:
            return named.pop()
        if not rates or not total.net or not total.tax:
            return max(rates, default=Decimal(0))
        return min(rates, key=lambda rate: abs(total.net * rate / 100 - total.tax))

    # ------------------------------------------------------------------ making the sums fit

    @api.model
    def _fit_group(self, invoice, group_rows, total, rows, notes):
        """Bring the rows of one rate to the sum that the header states."""
        missing = self._booked(total) - sum((row.net for row in group_rows), Decimal(0))
        if not missing:
            return
        limit = max(LEAST_ROUNDING, ROUNDING_PER_LINE * len(group_rows))
        if group_rows and abs(missing) <= limit:
            max(group_rows, key=lambda row: abs(row.net)).net += missing
            return
        if invoice.kind.is_settlement:
            # The lines are the whole order; what the advances have settled is taken off, rate by rate.
            numbers = ", ".join(str(advance.ksef_number or advance.number) for advance in invoice.advance_invoices)
            name = self.env._("Advance payments settled: %(numbers)s", numbers=numbers)
        elif not group_rows:
            name = self._describe_total(invoice)
        else:
            name = self.env._("Difference between the lines and the sum of the invoice")
            notes.append(self.env._(
                "The lines of one tax rate sum up to %(lines)s, the invoice states %(total)s: check the difference.",
                lines=self._booked(total) - missing, total=self._booked(total)))
        rows.append(Row(name, missing, total.group, self._percent_of(invoice, total.group, total)))

    @api.model
    def _rounding_rows(self, invoice, totals):
        """What the total (P_15) differs from its own sums by rounding, as a row without tax."""
        missing = self._rounding(invoice)
        return [Row(self.env._("Rounding"), missing, None, Decimal(0))] if totals and missing else []

    @api.model
    def _rounding(self, invoice):
        """The total less the sums of the header when that is a matter of rounding, else 0."""
        sums = sum((total.net + (total.tax or 0) for total in invoice.group_totals), Decimal(0))
        missing = Decimal(invoice.total - sums)
        return missing if invoice.group_totals and abs(missing) <= MOST_ROUNDING else Decimal(0)

    @api.model
    def _fit_total(self, invoice, rows):
        """An invoice without sums per rate (UPR): its lines make up P_15."""
        if invoice.kind is InvoiceKind.SIMPLIFIED and len({row.percent for row in rows}) == 1:
            percent = rows[0].percent
            net = cents(invoice.total / (1 + percent / Decimal(100)))
            largest = max(rows, key=lambda row: abs(row.net))
            largest.net += net - sum((row.net for row in rows), Decimal(0))
        return rows

    # ------------------------------------------------------------------ values

    @api.model
    def _one_line(self, company, matcher, known, row, sign):
        """Values of account.move.line; quantity times price is exactly the net value. ``known`` collects taxes found."""
        source = self._source_of(row.source)
        unit = source.get('unit') if source else None
        match = matcher.match(source)
        product, rule = match.product, match.rule
        key = (row.group, row.percent, product, rule)
        if key not in known:
            known[key] = self._find_taxes(company, row.group, row.percent, product, rule)
        taxes = known[key]
        factor = rule._factor_of(unit)
        if factor != 1 and row.quantity * factor != self._in_our_digits(row.quantity * factor):
            factor, unit = Decimal(1), False
        quantity, price = self._quantity_and_price(row, sign, factor)
        if source:
            # What was stated and what was booked: an accountant who changes the latter teaches a unit.
            source |= {'quantity': str(abs(row.quantity)), 'booked': str(quantity)}
        values = {
            'name': row.name, 'quantity': float(quantity), 'price_unit': float(price), 'discount': 0.0,
            'is_imported': True,
            'tax_ids': [(6, 0, taxes.ids)], 'ksef_source': source, 'ksef_match': match.why,
        }
        if product:
            values['product_id'] = product.id
        return values | self._rule_values(rule, unit)

    @api.model
    def _quantity_and_price(self, row, sign, factor):
        """Quantity (never negative beside a negative price) and price, whose product rounds to the net value.

        :param factor: our units in one of the supplier's (Decimal)
        """
        net, quantity = row.net * sign, row.quantity * factor
        if quantity < 0:
            quantity = -quantity
        if not quantity:
            return Decimal(1), net
        rounded = self._in_our_digits(quantity)
        line = row.source
        listed = line.unit_price if line is not None and not line.discount and factor == 1 else None
        if rounded == quantity and listed is not None and cents(abs(listed) * quantity) == abs(net):
            return quantity, abs(listed).copy_sign(net)
        return (quantity, net / quantity) if rounded == quantity else (Decimal(1), net)

    @api.model
    def _in_our_digits(self, quantity):
        """A quantity (Decimal) with as many digits as quantities have here."""
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        return quantity.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
