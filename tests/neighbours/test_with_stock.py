"""Delivery notes, lots and orders that Odoo knows are stated without being entered."""
from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from ...models import ksef_invoice_trade
from ..test_fa3_trade import TradeCommon
from .common import needs


@tagged('post_install', '-at_install')
class TestDeliveries(TradeCommon):

    def setUp(self):
        super().setUp()
        needs(self, 'stock.picking', 'sale_stock')
        self.env.user.group_ids += self.env.ref('sales_team.group_sale_manager') + self.env.ref('stock.group_stock_manager')
        self.product = self.env['product.product'].create({
            'name': "Farba", 'is_storable': True, 'tracking': 'lot', 'invoice_policy': 'delivery', 'taxes_id': False})
        self.warehouse = self.env['stock.warehouse'].search([('company_id', '=', self.company.id)], limit=1)
        self.order = self.env['sale.order'].with_company(self.company).create({
            'partner_id': self.buyer.id, 'company_id': self.company.id, 'client_order_ref': "PO/15", 'warehouse_id': self.warehouse.id,
            'order_line': [Command.create({
                'product_id': self.product.id, 'product_uom_qty': 10, 'price_unit': 50, 'tax_ids': [Command.set(self.tax_23.ids)]})]})
        self.order.action_confirm()

    def deliver(self, quantity, lot_name):
        """A delivery of a part of the order, from one lot."""
        lot = self.env['stock.lot'].create({'name': lot_name, 'product_id': self.product.id, 'company_id': self.company.id})
        self.env['stock.quant']._update_available_quantity(self.product, self.warehouse.lot_stock_id, quantity, lot_id=lot)
        picking = self.order.picking_ids.filtered(lambda picking: picking.state not in ('done', 'cancel'))
        picking.move_ids.move_line_ids.unlink()
        self.env['stock.move.line'].create({
            'move_id': picking.move_ids.id, 'picking_id': picking.id, 'product_id': self.product.id, 'lot_id': lot.id, 'quantity': quantity,
            'location_id': self.warehouse.lot_stock_id.id, 'location_dest_id': picking.location_dest_id.id})
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True, picking_ids_not_to_backorder=False).button_validate()
        self.assertEqual(picking.state, 'done')
        return picking

    def bill(self):
        move = self.order._create_invoices()
        move.invoice_date = self.env['account.move']._ksef_today()
        move.action_post()
        return move

    def test_each_invoice_states_its_own_deliveries(self):
        first = self.deliver(4, "LOT-A")
        invoice = self.bill()
        document = self.read(invoice)
        self.assertEqual((document.warehouse_documents, document.transaction.batches), ((first.name,), ("LOT-A",)))
        self.assertEqual(document.transaction.orders[0].number, "PO/15")
        self.assertEqual(document.transaction.orders[0].day, self.order.date_order.date())
        # Later in real life; here all happens in one transaction, and so at one moment.
        self.env.flush_all()
        self.env.cr.execute("UPDATE stock_move SET date = date - interval '1 day' WHERE picking_id = %s", [first.id])
        self.env.cr.execute("UPDATE account_move SET create_date = create_date - interval '1 hour' WHERE id = %s", [invoice.id])
        self.env.invalidate_all()
        second = self.deliver(6, "LOT-B")
        document = self.read(self.bill())
        self.assertEqual((document.warehouse_documents, document.transaction.batches), ((second.name,), ("LOT-B",)))

    def test_what_is_entered_comes_first(self):
        self.deliver(10, "LOT-A")
        invoice = self.bill()
        invoice.write({'ksef_warehouse_documents': "WZ/7", 'ksef_batches': "P1", 'ksef_order_number': "Z/9"})
        document = self.read(invoice)
        self.assertEqual((document.warehouse_documents, document.transaction.batches), (("WZ/7",), ("P1",)))
        self.assertEqual([order.number for order in document.transaction.orders], ["Z/9"])

    def test_accountant_without_stock(self):
        """Who may send invoices needn't be allowed to see the warehouse."""
        picking = self.deliver(10, "LOT-A")
        invoice = self.bill()
        user = self.env['res.users'].create({
            'name': "Księgowa", 'login': "ksiegowa", 'company_id': self.company.id, 'company_ids': [self.company.id],
            'group_ids': [Command.set([self.env.ref('account.group_account_invoice').id])]})
        self.env.invalidate_all()
        rendered = invoice.with_user(user)._ksef_render()
        self.assertIn(picking.name, rendered.xml.decode())
        self.assertIn("<NrZamowienia>PO/15<", rendered.xml.decode())

    def moved(self, picking, days):
        """The delivery as made so many days later."""
        picking.move_ids.date += timedelta(days=days)
        self.env.flush_all()

    def test_deliveries_after_the_day_of_issue(self):
        first = self.deliver(6, "LOT-A")
        invoice = self.bill()
        self.moved(self.deliver(4, "LOT-B"), 1)
        document = self.read(invoice)
        self.assertEqual((document.warehouse_documents, document.transaction.batches), ((first.name,), ("LOT-A",)))

    def test_reversed_invoice_stated_nothing(self):
        picking = self.deliver(10, "LOT-A")
        wrong = self.bill()
        self.env.cr.execute("UPDATE stock_move SET date = date - interval '1 hour' WHERE picking_id = %s", [picking.id])
        self.env.invalidate_all()
        wizard = self.env['account.move.reversal'].with_context(active_model='account.move', active_ids=wrong.ids).create({
            'journal_id': wrong.journal_id.id, 'date': wrong.invoice_date})
        again = self.env['account.move'].browse(wizard.modify_moves()['res_id'])
        again.action_post()
        self.assertEqual(wrong.payment_state, 'reversed')
        self.assertIn(again, self.order.invoice_ids)
        self.assertEqual(self.read(again).warehouse_documents, (picking.name,))

    def test_supplier_delivers(self):
        """What goes from a supplier straight to the customer leaves no warehouse of the seller."""
        picking = self.deliver(10, "LOT-A")
        invoice = self.bill()
        self.assertEqual(self.read(invoice).warehouse_documents, (picking.name,))
        self.env.flush_all()
        self.env.cr.execute("UPDATE stock_move SET location_id = %s WHERE picking_id = %s", [
            self.env.ref('stock.stock_location_suppliers').id, picking.id])
        self.env.invalidate_all()
        self.assertEqual(self.read(invoice).warehouse_documents, ())

    def test_more_lots_than_the_schema_takes(self):
        picking, other = self.deliver(4, "LOT-A"), self.deliver(6, "LOT-B")
        invoice = self.bill()
        document = self.read(invoice)
        self.assertEqual((document.warehouse_documents, document.transaction.batches), ((picking.name, other.name), ("LOT-A", "LOT-B")))
        self.assertNotIn('numbers-many', self.codes(invoice))
        self.startPatcher(patch.object(ksef_invoice_trade, 'MOST_NUMBERS', 1))
        findings = [finding for finding in invoice._ksef_render().findings if finding['code'] == 'numbers-many']
        self.assertEqual([(finding['severity'], finding['value']) for finding in findings], [('warning', '2'), ('warning', '2')])
        document = self.read(invoice)
        self.assertEqual((document.warehouse_documents, document.transaction.batches), ((), ()))
        invoice.ksef_warehouse_documents = "WZ/1"
        invoice.ksef_batches = "P1"
        self.assertNotIn('numbers-many', self.codes(invoice))
        self.assertEqual(self.read(invoice).transaction.batches, ("P1",))
