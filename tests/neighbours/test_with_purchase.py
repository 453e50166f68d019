"""Bills from KSeF that belong to purchase orders."""
import re
from unittest import mock

from odoo import Command
from odoo.tests import tagged

from ...models import ksef_bill_lines
from ..test_received_bill import BillCommon
from .common import needs


@tagged('post_install', '-at_install')
class TestBillsOfPurchaseOrders(BillCommon):

    def setUp(self):
        super().setUp()
        needs(self, 'purchase.order', 'purchase')
        self.env.user.group_ids += self.env.ref('purchase.group_purchase_manager')

    def order(self, received, *lines):
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip})
        order = self.env['purchase.order'].create({
            'partner_id': supplier.id, 'company_id': self.company.id, 'order_line': [Command.create({
                'product_id': self.env['product.product'].create({
                    'name': name, 'type': 'service', 'purchase_method': 'purchase', 'seller_ids': [
                        Command.create({'partner_id': supplier.id, 'product_code': code})]}).id,
                'product_qty': quantity, 'price_unit': price,
                'tax_ids': [Command.set(self.env['ksef.bill']._tax_by_amount(self.company, 23).ids)],
            }) for name, code, quantity, price in lines]})
        order.button_confirm()
        return order

    def with_order(self, received, order):
        """The same invoice, naming the order (NrZamowienia)."""
        xml = re.sub(rb'<WarunkiTransakcji>.*</WarunkiTransakcji>', b'', received._get_xml(), flags=re.DOTALL)
        terms = f'<WarunkiTransakcji><Zamowienia><NrZamowienia>{order.name}</NrZamowienia></Zamowienia></WarunkiTransakcji>'
        xml = xml.replace(b'</Fa>', terms.encode() + b'</Fa>')
        return self.receive(xml, seller_nip=received.seller_nip, invoice_number=received.invoice_number)

    def test_as_ordered(self):
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 80 g", 'P1', 20, 17.9), ("Toner do drukarki XR-200", 'T1', 2, 249))
        move = self.bill(self.with_order(sample, order))
        self.assertEqual((move.amount_total, move.ksef_bill_problem), (1052.88, False))
        self.assertEqual(move.invoice_line_ids.purchase_line_id, order.order_line)
        self.assertNotIn(order.name, move.ksef_bill_notes or '')

    def test_dearer_and_more_than_ordered(self):
        """The bill is what the invoice says; the differences from the order are named."""
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 80 g", 'P1', 15, 16), ("Toner do drukarki XR-200", 'T1', 2, 249))
        move = self.bill(self.with_order(sample, order))
        self.assertEqual(move.amount_total, 1052.88, "never what the order says instead of the invoice")
        self.assertEqual(move.invoice_line_ids.purchase_line_id, order.order_line)
        paper, toner = move.invoice_line_ids
        self.assertEqual((paper.quantity, paper.price_unit, toner.quantity), (20, 17.9, 2))
        self.assertIn("the price is 17.9 PLN, on order P", move.ksef_bill_notes)
        self.assertIn(f"20.0 are billed, order {order.name} leaves 15.0 to bill", move.ksef_bill_notes)
        self.assertNotIn("Toner:", move.ksef_bill_notes)

    def test_one_line_for_many(self):
        """The one line that stands for many isn't tied to an order, named or not: it would count one unit as billed."""
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 80 g", 'P1', 20, 17.9))
        self.env['ksef.product.map'].create({
            'partner_id': order.partner_id.id, 'line_name': "Reszta", 'is_for_all': True, 'product_id': order.order_line.product_id.id})
        with mock.patch.object(ksef_bill_lines, 'MOST_LINES', 1):
            move = self.bill(self.with_order(sample, order))
        self.assertEqual((move.invoice_line_ids.product_id, move.invoice_line_ids.quantity), (order.order_line.product_id, 1))
        self.assertFalse(move.invoice_line_ids.purchase_line_id)
        self.assertFalse(order.order_line.qty_invoiced)

    def test_another_size_is_another_product(self):
        """M8x20 is no M8x30, whatever the rules of lines make of numbers."""
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 90 g", 'P9', 20, 17.9))
        move = self.bill(self.with_order(sample, order))
        self.assertFalse(move.invoice_line_ids.purchase_line_id)

    def test_other_units(self):
        """An order of 4 boxes of 5 reams, billed as 20 reams: the same quantity and price."""
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 80 g", 'P1', 4, 89.5))
        unit = order.order_line.product_id.uom_id
        box = self.env['uom.uom'].create({'name': "Karton 5", 'relative_factor': 5, 'relative_uom_id': unit.id})
        order.order_line.write({'product_uom_id': box.id, 'product_qty': 4, 'price_unit': 89.5})
        move = self.bill(self.with_order(sample, order))
        self.assertEqual(move.invoice_line_ids.purchase_line_id, order.order_line)
        self.assertNotIn("price", move.ksef_bill_notes or '')
        self.assertNotIn("billed", move.ksef_bill_notes or '')

    def test_without_its_number(self):
        """Supplier, product, quantity and price tell the order; where two would fit, none is chosen."""
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 80 g", 'P1', 20, 17.9), ("Inny", 'X', 2, 249))
        move = self.bill(sample)
        self.assertEqual(move.invoice_line_ids[0].purchase_line_id, order.order_line[0])
        self.assertFalse(move.invoice_line_ids[1].purchase_line_id)
        self.assertEqual(move.invoice_line_ids[0].product_id, order.order_line[0].product_id)
        second = order.copy()
        second.button_confirm()
        second.copy().button_confirm()
        other = self.bill(self.receive(sample._get_xml(), seller_nip=sample.seller_nip))
        self.assertFalse(other.invoice_line_ids.purchase_line_id)

    def test_dropped_file(self):
        """Odoo's own matching doesn't put the order's lines in the place of the invoice's."""
        sample = self.fetch('goods')
        order = self.order(sample, ("Papier biurowy A4, 80 g", 'P1', 15, 16), ("Toner do drukarki XR-200", 'T1', 2, 249))
        received = self.with_order(sample, order)
        attachment = self.env['ir.attachment'].create({'name': 'f.xml', 'raw': received._get_xml(), 'mimetype': 'application/xml'})
        move = self.company_data['default_journal_purchase'].with_context(
            default_move_type='in_invoice')._create_document_from_attachment(attachment.ids)
        self.assertEqual((move.amount_total, len(move.invoice_line_ids)), (1052.88, 2))
        self.assertEqual(move.invoice_line_ids.purchase_line_id, order.order_line)
