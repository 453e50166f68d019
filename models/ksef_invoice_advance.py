"""Advance invoices (ZAL) and settlement invoices (ROZ), from the down payments of sales orders or made by hand."""

from decimal import Decimal
from typing import Any, NamedTuple

from odoo import Command, models

from ..ksef.fa3.codes import InvoiceKind
from ..ksef.fa3.lexical import PRICE, QUANTITY, TEXT_512
from ..ksef.fa3.model import AdvanceInvoice, Order, OrderLine
from ..ksef.fa3.text import collapse, shorten
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import amount, decimal_number
from .ksef_render_memo import once

KINDS = {'advance': InvoiceKind.ADVANCE, 'settlement': InvoiceKind.SETTLEMENT, 'simplified': InvoiceKind.SIMPLIFIED}
CORRECTED_KINDS = {'advance': InvoiceKind.ADVANCE_CORRECTION, 'settlement': InvoiceKind.SETTLEMENT_CORRECTION}


class Ordered(NamedTuple):
    """A line of an order, whichever record it comes from."""

    record: Any
    name: str
    unit: Any
    quantity: float
    price_unit: float
    taxes: Any
    net: float
    tax: float


class AccountMove(models.Model):
    _inherit = 'account.move'

    @once
    def _ksef_invoice_kind(self) -> InvoiceKind:
        """Return what kind of document this is (RodzajFaktury)."""
        if self._ksef_is_correction():
            return CORRECTED_KINDS.get(self._ksef_root()._ksef_special_kind(), InvoiceKind.CORRECTION)
        return KINDS.get(self._ksef_special_kind(), InvoiceKind.VAT)

    @once
    def _ksef_special_kind(self) -> str | None:
        """Return 'advance', 'settlement' or 'simplified', as chosen or as the sales order tells."""
        if self.ksef_special_kind:
            return self.ksef_special_kind
        if self._is_downpayment():
            return 'advance'
        return 'settlement' if self._ksef_own_deductions() else None

    @once
    def _ksef_own_deductions(self):
        """Return the lines of this invoice that take off an advance which has its own invoice."""
        return self._ksef_deductions([item for item in self.line_ids if item.display_type == 'product'])

    def _ksef_deductions(self, items):
        """Return those of the product lines that take off an advance which has its own invoice."""
        negative = [item for item in items if item.price_subtotal < 0]
        if not negative or self._is_downpayment():
            return self.env['account.move.line']
        by_hand = self._ksef_root().ksef_special_kind == 'settlement'
        return self.env['account.move.line'].concat(
            *(item for item in negative if by_hand or self._ksef_is_down_payment(item)))

    def _ksef_is_down_payment(self, item) -> bool:
        """Tell whether a line charges or deducts a down payment of a sales order (with ``sale`` installed)."""
        return 'sale_line_ids' in item._fields and any(item.sale_line_ids.mapped('is_downpayment'))

    def _ksef_settled_advances(self):
        """Return the advance invoices in Odoo that this settlement invoice settles."""
        moves = self.ksef_advance_ids
        for item in self._ksef_deductions(self.line_ids.filtered(lambda item: item.display_type == 'product')):
            if self._ksef_is_down_payment(item):
                moves |= item.sale_line_ids.invoice_lines.move_id
        return moves.filtered(
            lambda move: move != self and move.state == 'posted' and move.move_type == 'out_invoice'
            and (move in self.ksef_advance_ids or move._ksef_special_kind() == 'advance')).sorted('id')

    def _ksef_advance_invoices(self) -> tuple[AdvanceInvoice, ...]:
        """Return how the settled advance invoices and their corrections are named."""
        root = self._ksef_root()
        if root._ksef_special_kind() != 'settlement':
            return ()
        rows = root.ksef_reference_ids.filtered(lambda row: row.kind == 'advance')
        return (
            *(move._ksef_advance_name() for move in root._ksef_settled_documents()),
            *(AdvanceInvoice(ksef_number=row.ksef_number) if row.ksef_number else AdvanceInvoice(number=collapse(row.number))
              for row in rows))

    # ------------------------------------------------------------------ refusals

    def _ksef_advance_refusals(self, context) -> list[Issue]:
        """Return why an advance or a settlement can't be stated, or has to wait."""
        kind = self._ksef_special_kind()
        if kind == 'settlement' and not self._ksef_is_correction():
            return self._ksef_settlement_refusals()
        root = self._ksef_root()
        return self._ksef_order_refusals(context) if root._ksef_special_kind() == 'advance' else []

    def _ksef_order_refusals(self, context) -> list[Issue]:
        """An advance invoice describes the order (art. 106f sec. 1 pt 4), each line with one tax."""
        source = self._ksef_order_owner()._ksef_order_source()
        if not source:
            return [Issue.error('advance-without-order', self, 'ksef_order_line_ids')]
        issues = []
        for line in source:
            if len(line.taxes) != 1:
                code = 'order-line-taxes'
            elif not (code := context.kind(line.taxes)[1]):
                continue
            issues.append(Issue.error(code, line.record, 'name', value=line.taxes[:1].display_name or line.name))
        return issues

    def _ksef_settlement_refusals(self) -> list[Issue]:
        advances = self._ksef_settled_advances()
        if not advances and not self.ksef_reference_ids.filtered(lambda row: row.kind == 'advance'):
            return [Issue.error('advance-unknown', self, 'ksef_advance_ids')]
        return [
            Issue.error('advance-unsent', self, 'ksef_advance_ids', value=move.name)
            for move in self._ksef_settled_documents() if not (move.ksef_is_outside or move._ksef_known_number())]

    # ------------------------------------------------------------------ the order

    def _ksef_order_owner(self):
        """Return the invoice that tells the order as it is now: the newest correction with lines of its own, or the advance."""
        newest_first = (self, *reversed(self._ksef_earlier_corrections()), self._ksef_root())
        return next((move for move in newest_first if move.ksef_order_line_ids), newest_first[-1])

    def _ksef_order_source(self) -> list[Ordered]:
        """Return the lines of the order that this advance is paid for."""
        if self.ksef_order_line_ids:
            return [
                Ordered(
                    line.origin_id or line, line.name, line.uom_id, line.quantity, line.price_unit, line.tax_id, line.amount_net,
                    line.amount_tax)
                for line in self.ksef_order_line_ids]
        if 'sale_line_ids' not in self.line_ids._fields:
            return []
        lines = self.line_ids.sale_line_ids.order_id.order_line.filtered(
            lambda line: not line.display_type and not line.is_downpayment)
        return [
            Ordered(line, line.name, line.product_uom_id, line.product_uom_qty, line.price_unit * (1 - line.discount / 100),
                    line.tax_ids, line.price_subtotal, line.price_tax) for line in lines]

    def _ksef_order_copies(self) -> list:
        """Return commands that give a new correction the order as the newest of these invoices tells it."""
        source = next((move.ksef_order_line_ids for move in reversed(self) if move.ksef_order_line_ids), [])  # pylint: disable=bad-reversed-sequence
        return [
            Command.create({**values, 'move_id': False, 'origin_id': (line.origin_id or line).id})
            for line in source for values in line.copy_data()]

    def _ksef_order(self, context) -> Order | None:
        """Return the order behind an advance; a corrected advance states it before and after."""
        root = self._ksef_root()
        if root._ksef_special_kind() != 'advance':
            return None
        source = self._ksef_order_owner()._ksef_order_source()
        total = sum((amount(line.net) + amount(line.tax) for line in source), Decimal(0))
        lines = [self._ksef_order_line(context, number, line) for number, line in enumerate(source, 1)]
        return Order(total=total, lines=self._ksef_order_states(lines) if self._ksef_is_correction() else tuple(lines))

    def _ksef_order_line(self, context, number: int, line: Ordered) -> OrderLine:
        kind = context.kind(line.taxes)[0]
        return OrderLine(
            number=number,
            uid=context.uid(line.record),
            name=shorten(collapse(line.name), TEXT_512.maximum) or None,
            unit=collapse(context.unit_name(line.unit)) or None,
            quantity=decimal_number(line.quantity, QUANTITY.places),
            unit_price=None if line.taxes.price_include else decimal_number(line.price_unit, PRICE.places),
            net=amount(line.net),
            tax=amount(line.tax) if kind and kind.group.tax_element else None,
            rate=kind.rate if kind else None,
            one_stop_shop_rate=kind.percent if kind and kind.is_oss else None,
        )
