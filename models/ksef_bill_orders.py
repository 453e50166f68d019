from collections import defaultdict

from odoo import api, models
from odoo.tools import float_compare


def full_text(text):
    """A text as it is compared with an order's: every digit counts (M8x20 is no M8x30)."""
    return ' '.join((text or '').casefold().split())


class KsefBill(models.AbstractModel):
    """Which lines of purchase orders a bill belongs to, where the module purchase is installed.

    Odoo's own matching puts the order's lines in the place of the bill's. A KSeF invoice is what it is: here its lines stay,
    are tied to those of the order, and what differs is named.
    """
    _inherit = 'ksef.bill'

    @api.model
    def _link_orders(self, move):
        """Tie the lines of a draft bill to lines of purchase orders, each to one at most; return what differs: [sentences]."""
        if 'purchase.order' not in self.env or move.move_type != 'in_invoice':
            return []
        # The one line that stands for many tells no quantity.
        lines = move.invoice_line_ids.filtered(
            lambda line: line.ksef_source and 'lines' not in line.ksef_source and not line.purchase_line_id)
        named, open_lines = self._open_order_lines(move)
        index = self._index_orders(move, open_lines)
        taken = open_lines.browse()
        for line in lines:
            fitting = self._fitting(index, line) - taken
            if not named:
                fitting = fitting.filtered(lambda ordered, one=line: self._has_left(ordered, one) and self._has_price(ordered, one))
            elif len(fitting) > 1:
                fitting = fitting.filtered(lambda ordered, one=line: self._has_left(ordered, one))
            if len(fitting) != 1:
                continue
            taken |= fitting
            line.purchase_line_id = fitting.id
            if not line.product_id:
                line.write({'product_id': fitting.product_id.id, 'ksef_match': self.env._("Purchase order")})
        return self._differences_from_orders(move)

    @api.model
    def _open_order_lines(self, move):
        """(whether the invoice names orders that exist, the lines of these, or else of all open orders of the supplier)."""
        orders = self.env['purchase.order'].sudo()
        domain = [
            ('company_id', '=', move.company_id.id), ('state', '=', 'purchase'),
            ('partner_id', 'child_of', move.commercial_partner_id.id)]
        numbers = [number.strip() for number in (move.invoice_origin or '').split(',') if number.strip()]
        named = numbers and orders.search([*domain, '|', ('name', 'in', numbers), ('partner_ref', 'in', numbers)])
        found = named or orders.search([*domain, ('invoice_status', '!=', 'invoiced')], limit=100)
        return bool(named), found.order_line.filtered(lambda line: line.product_id and not line.display_type)

    @api.model
    def _index_orders(self, move, open_lines):
        """{what identifies a line of an order: the lines}: its product, the supplier's code of that, and the texts."""
        index = defaultdict(open_lines.browse)
        for ordered in open_lines:
            product = ordered.product_id
            codes = product.seller_ids.filtered(
                lambda info: info.partner_id.commercial_partner_id == move.commercial_partner_id).mapped('product_code')
            texts = {full_text(ordered.name), full_text(product.name)}
            for key in {('product', product.id), *(('code', code) for code in codes), *(('text', text) for text in texts)}:
                index[key] |= ordered
        return index

    @api.model
    def _fitting(self, index, line):
        """The order's lines of the same product; of a line without one, those of the supplier's code or of the same text."""
        if line.product_id:
            keys = [('product', line.product_id.id)]
        else:
            keys = [('code', line.ksef_source.get('index')), ('text', full_text(line.ksef_source.get('name')))]
        found = self.env['purchase.order.line']
        for key in keys:
            found |= index.get(key, found) if key[1] else found
        return found

    @api.model
    def _has_left(self, ordered, line):
        """Whether just as much of the order may still be billed as the line bills."""
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        return not float_compare(self._left_to_bill(ordered), self._ordered_quantity(ordered, line), precision_digits=digits)

    @api.model
    def _has_price(self, ordered, line):
        """Whether the line's price is the order's, reckoned in the order's unit."""
        if line.currency_id != ordered.currency_id:
            return False
        quantity = self._ordered_quantity(ordered, line)
        price = line.price_unit * line.quantity / quantity if quantity else line.price_unit
        return not line.currency_id.compare_amounts(price, ordered.price_unit_discounted)

    @api.model
    def _ordered_quantity(self, ordered, line):
        """The line's quantity in the unit of the order."""
        own = line.product_uom_id or ordered.product_uom_id
        return own._compute_quantity(line.quantity, ordered.product_uom_id, round=False)

    @api.model
    def _left_to_bill(self, ordered):
        """How much of an order's line may still be billed, bills in draft counted as billed."""
        basis = ordered.qty_received if ordered.product_id.purchase_method == 'receive' else ordered.product_qty
        return basis - ordered.qty_invoiced

    @api.model
    def _differences_from_orders(self, move):
        """Where prices and quantities are not those of the order: [sentences]."""
        notes = []
        for line in move.invoice_line_ids.filtered('purchase_line_id'):
            ordered = line.purchase_line_id.sudo()
            values = {'line': line.name, 'order': ordered.order_id.name}
            if not self._has_price(ordered, line):
                notes.append(self.env._(
                    "%(line)s: the price is %(price)s %(currency)s, on order %(order)s it was %(ordered)s.",
                    price=line.price_unit, currency=line.currency_id.name,
                    ordered=f"{ordered.price_unit_discounted} {ordered.currency_id.name}", **values))
            left = self._left_to_bill(ordered)
            if left < 0:
                billed = self._ordered_quantity(ordered, line)
                notes.append(self.env._(
                    "%(line)s: %(quantity)s are billed, order %(order)s leaves %(left)s to bill.",
                    quantity=billed, left=max(left + billed, 0), **values))
        return notes


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _link_bill_origin_to_purchase_orders(self, timeout=10):
        """Odoo's matching would replace the lines of a bill read from FA(3), after they were proven."""
        others = self.filtered(lambda move: not any(line.ksef_source for line in move.invoice_line_ids))
        super(AccountMove, others)._link_bill_origin_to_purchase_orders(timeout=timeout)
        return self
