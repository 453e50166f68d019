"""Advance invoices and the settlement invoices that deduct them, by hand; neighbours/test_with_sale.py has those from sales orders."""
from decimal import Decimal

from lxml import etree
from odoo import Command
from odoo.tests import tagged

from .test_fa3_common import NS
from .test_fa3_corrections import NUMBER, CorrectionCommon

D = Decimal
SECOND = '5795955811-20261121-0200001AF629-F0'


class AdvanceCommon(CorrectionCommon):

    def order_rows(self, root):
        return [
            {etree.QName(child).localname: child.text for child in row}
            for row in root.findall('fa:Fa/fa:Zamowienie/fa:ZamowienieWiersz', NS)]

    def accept(self, move, number=NUMBER):
        move.sudo().write({'ksef_number': number, 'ksef_is_locked': True})


@tagged('post_install', '-at_install')
class TestAdvancesByHand(AdvanceCommon):

    def advance(self, price=2000, **values):
        return self.new_invoice({'name': "Zaliczka", 'price_unit': price}, ksef_special_kind='advance', ksef_order_line_ids=[
            Command.create({
                'name': "Meble", 'quantity': 4, 'price_unit': 2500, 'tax_id': self.tax_23.id,
                'uom_id': self.env.ref('uom.product_uom_unit').id}),
            Command.create({'name': "Montaż", 'quantity': 1, 'price_unit': 500, 'tax_id': self.tax_8.id}),
        ], **values)

    def settlement(self, *advances, **values):
        return self.new_invoice(
            {'name': "Meble", 'quantity': 4, 'price_unit': 2500}, {'name': "Montaż", 'price_unit': 500, 'tax': self.tax_8},
            *[{'name': "Zaliczka", 'quantity': -1, 'price_unit': advance.amount_untaxed} for advance in advances],
            ksef_special_kind='settlement', ksef_advance_ids=[Command.set([advance.id for advance in advances])], **values)

    def test_advance(self):
        root = self.render(self.advance())
        self.assertEqual((self.one(root, 'Fa/RodzajFaktury'), self.rows(root)), ('ZAL', []))
        self.assertEqual(self.sums(root), {'P_13_1': D('2000.00'), 'P_14_1': D('460.00')})
        self.assertEqual(self.one(root, 'Fa/P_15'), '2460.00')
        self.assertEqual(self.one(root, 'Fa/Zamowienie/WartoscZamowienia'), '12840.00')
        self.assertEqual(
            [(row['P_7Z'], row['P_8BZ'], row['P_9AZ'], row['P_11NettoZ'], row['P_11VatZ'], row['P_12Z']) for row in self.order_rows(root)],
            [("Meble", '4', '2500.00', '10000.00', '2300.00', '23'), ("Montaż", '1', '500.00', '500.00', '40.00', '8')])

    def test_advance_without_its_order(self):
        move = self.new_invoice(ksef_special_kind='advance')
        self.assertEqual(self.refused(move, 'advance-without-order')['res_id'], move.id)

    def test_settlement_states_the_whole_order_and_what_remains(self):
        first, second = self.advance(), self.advance(1000)
        move = self.settlement(first, second)
        for finding in [finding for finding in move._ksef_render().findings if finding['severity'] == 'error']:
            self.assertEqual(finding['code'], 'advance-unsent')
        self.accept(first)
        self.accept(second, SECOND)
        root = self.render(move)
        self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), 'ROZ')
        self.assertEqual(self.all(root, 'Fa/FakturaZaliczkowa/NrKSeFFaZaliczkowej'), [NUMBER, SECOND])
        self.assertEqual([(row['P_7'], row['P_11']) for row in self.rows(root)], [("Meble", '10000.00'), ("Montaż", '500.00')])
        self.assertEqual(self.sums(root), {
            'P_13_1': D('7000.00'), 'P_14_1': D('1610.00'), 'P_13_2': D('500.00'), 'P_14_2': D('40.00')})
        self.assertEqual(D(self.one(root, 'Fa/P_15')), D(f'{move.amount_total:.2f}'))

    def test_settlement_of_everything(self):
        advance = self.advance(10000)
        self.accept(advance)
        move = self.new_invoice(
            {'name': "Meble", 'quantity': 4, 'price_unit': 2500}, {'name': "Zaliczka", 'quantity': -1, 'price_unit': 10000},
            ksef_special_kind='settlement', ksef_advance_ids=[Command.set(advance.ids)])
        root = self.render(move)
        self.assertEqual((self.one(root, 'Fa/P_15'), self.sums(root)), ('0.00', {'P_13_1': D('0.00'), 'P_14_1': D('0.00')}))
        self.assertEqual(len(self.rows(root)), 1)

    def test_advance_outside_ksef_or_of_another_system(self):
        advance = self.advance()
        advance.ksef_is_outside = True
        move = self.settlement(advance)
        move.ksef_reference_ids = [Command.create({'kind': 'advance', 'number': "ZAL/9", 'ksef_number': SECOND})]
        root = self.render(move)
        self.assertEqual(self.all(root, 'Fa/FakturaZaliczkowa/NrFaZaliczkowej'), [advance.name])
        self.assertEqual(self.all(root, 'Fa/FakturaZaliczkowa/NrKSeFFaZaliczkowej'), [SECOND])

    def test_settlement_of_nothing(self):
        self.refused(self.new_invoice({'price_unit': 500}, {'quantity': -1}, ksef_special_kind='settlement'), 'advance-unknown')

    def test_corrected_advance(self):
        advance = self.advance()
        self.accept(advance)
        refund = self.credit(advance, {'price_unit': 500})
        root = self.render(refund)
        self.assertEqual((self.one(root, 'Fa/RodzajFaktury'), self.one(root, 'Fa/P_15ZK')), ('KOR_ZAL', '2460.00'))
        self.assertEqual(self.sums(root), {'P_13_1': D('-500.00'), 'P_14_1': D('-115.00')})
        self.assertEqual([row.get('StanPrzedZ') for row in self.order_rows(root)], ['1', None, '1', None])

    def test_corrected_settlement(self):
        advance = self.advance()
        self.accept(advance)
        move = self.settlement(advance)
        self.accept(move, SECOND)
        refund = self.credit(move, {'quantity': 1}, None, None)
        root = self.render(refund)
        self.assertEqual((self.one(root, 'Fa/RodzajFaktury'), D(self.one(root, 'Fa/P_15ZK'))), ('KOR_ROZ', D(f'{move.amount_total:.2f}')))
        self.assertEqual([row['P_8B'] for row in self.rows(root)], ['4', '3'])
        self.assertEqual(self.sums(root), {'P_13_1': D('-2500.00'), 'P_14_1': D('-575.00')})
