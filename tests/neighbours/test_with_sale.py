"""Advance invoices and settlement invoices made from sales orders."""
from decimal import Decimal

from odoo import Command
from odoo.tests import tagged

from ..test_fa3_advances import SECOND, AdvanceCommon
from ..test_fa3_corrections import NUMBER
from .common import needs

D = Decimal


@tagged('post_install', '-at_install')
class TestAdvancesOfSalesOrders(AdvanceCommon):

    def setUp(self):
        super().setUp()
        needs(self, 'sale.order', 'sale')
        self.env.user.group_ids += self.env.ref('sales_team.group_sale_manager')
        self.order = self.env['sale.order'].with_company(self.company).create({
            'partner_id': self.buyer.id, 'company_id': self.company.id, 'order_line': [Command.create({
                'product_id': self.env['product.product'].create({'name': name, 'invoice_policy': 'order'}).id,
                'name': name, 'product_uom_qty': quantity, 'price_unit': price, 'tax_ids': [Command.set(tax.ids)],
            }) for name, quantity, price, tax in (("Meble", 4, 2500, self.tax_23), ("Montaż", 1, 500, self.tax_8))]})
        self.order.action_confirm()

    def invoice(self, method, amount=0):
        wizard = self.env['sale.advance.payment.inv'].with_context(active_model='sale.order', active_ids=self.order.ids).create({
            'advance_payment_method': method, **({'amount': amount} if method == 'percentage' else {'fixed_amount': amount})})
        move = wizard._create_invoices(self.order)
        move.action_post()
        return move

    def test_advances_and_settlement(self):
        first, second = self.invoice('percentage', 20), self.invoice('fixed', 1000)
        root = self.render(first)
        self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), 'ZAL')
        self.assertEqual(self.one(root, 'Fa/Zamowienie/WartoscZamowienia'), '12840.00')
        self.assertEqual([row['P_7Z'] for row in self.order_rows(root)], ["Meble", "Montaż"])
        self.assertEqual(D(self.one(root, 'Fa/P_15')), D(f'{first.amount_total:.2f}'))
        final = self.invoice('delivered')
        self.accept(first)
        self.accept(second, SECOND)
        root = self.render(final)
        self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), 'ROZ')
        self.assertEqual(self.all(root, 'Fa/FakturaZaliczkowa/NrKSeFFaZaliczkowej'), [NUMBER, SECOND])
        self.assertEqual([(row['P_7'], row['P_11']) for row in self.rows(root)], [("Meble", '10000.00'), ("Montaż", '500.00')])
        self.assertEqual(D(self.one(root, 'Fa/P_15')), D(f'{final.amount_total:.2f}'))
        self.assertEqual(sum(self.sums(root).values()), D(f'{final.amount_total:.2f}'))
