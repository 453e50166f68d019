"""Corrections and settlements are held against the documents that KSeF has got."""
from decimal import Decimal

from odoo import Command
from odoo.tests import tagged

from ..ksef.number import crc8
from .common import SELLER_NIP
from .test_fa3_advances import AdvanceCommon

D = Decimal


class OriginalCommon(AdvanceCommon):
    """A connected company whose documents go through all states without any KSeF."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sudo().ksef_connection_id = cls.env['ksef.connection'].sudo().create({
            'company_id': cls.company.id, 'environment': 'test', 'nip': SELLER_NIP, 'state': 'connected',
            'database_uuid': cls.env['ir.config_parameter'].sudo().get_param('database.uuid')})

    def accepted(self, move):
        """The invoice after KSeF has taken its document."""
        document = move._ksef_pick().sudo()
        self.assertEqual(document.state, 'queued', document.findings)
        stem = f'{SELLER_NIP}-20261121-{move.id:012X}'
        document._transition('sending')
        document._transition('sent', reference_number=f'20261121-EE-{move.id:010X}-0000000000-00')
        document._transition('accepted', ksef_number=f'{stem}-{crc8(stem)}', acquisition_date='2026-11-21 10:00:00')
        document._sync_moves()
        return move

    def errors(self, move):
        return {finding['code'] for finding in move._ksef_render().findings if finding['severity'] == 'error'}


@tagged('post_install', '-at_install')
class TestCorrectionsAgainstOriginals(OriginalCommon):

    def test_corrections_that_follow_from_the_documents_have_no_findings(self):
        move = self.accepted(self.new_invoice({'quantity': 10, 'price_unit': 10}, {'name': "B", 'tax': self.tax_8}))
        first = self.credit(move, {'quantity': 3}, None)
        self.assertEqual(self.codes(first), [])
        self.accepted(first)
        second = self.credit(move, {'quantity': 2, 'price_unit': 5}, {})
        self.assertEqual(self.codes(second), [])
        self.accepted(second)
        self.assertEqual(self.codes(self.credit(move, {'quantity': 1}, None)), [])

    def test_before_that_differs_from_the_original(self):
        move = self.accepted(self.new_invoice({'quantity': 10, 'price_unit': 10}))
        refund = self.credit(move, {'quantity': 3})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET price_unit = 9, price_subtotal = 90, price_total = 110.70 WHERE id = %s",
            [move.invoice_line_ids.id])
        self.env.invalidate_all()
        finding = self.refused(refund, 'original-line')
        self.assertIn('100.00', finding['message'])
        self.assertEqual(finding['res_model'], 'account.move.line')

    def test_buyer_that_is_another_by_now(self):
        move = self.accepted(self.new_invoice())
        refund = self.credit(move)
        self.buyer.vat = 'PL7740001454'
        self.refused(refund, 'original-buyer')

    def test_original_that_is_not_here(self):
        move = self.original()
        self.assertIn(move.name, self.warned(self.credit(move), 'original-unseen')['message'])
        outside = self.new_invoice()
        self.assertIn(outside.name, self.warned(self.credit(outside, ksef_is_outside=True), 'original-unseen')['message'])
        refund = self.new_invoice(move_type='out_refund', post=False)
        refund.ksef_reference_ids = [
            Command.create({'number': f"FV/{number}/2025", 'date': '2025-12-30'}) for number in range(1, 8)]
        refund.action_post()
        message = self.warned(refund, 'original-unseen')['message']
        self.assertIn("FV/5/2025 …", message)
        self.assertNotIn("FV/6/2025", message)


@tagged('post_install', '-at_install')
class TestAdvancesAgainstDocuments(OriginalCommon):

    def advance(self, price=2000, ordered=2500):
        return self.accepted(self.new_invoice({'name': "Zaliczka", 'price_unit': price}, ksef_special_kind='advance', ksef_order_line_ids=[
            Command.create({'name': "Meble", 'quantity': 4, 'price_unit': ordered, 'tax_id': self.tax_23.id})]))

    def settlement(self, *advances, quantity=4, deducted=None):
        deductions = deducted or [advance.amount_untaxed for advance in advances]
        return self.new_invoice(
            {'name': "Meble", 'quantity': quantity, 'price_unit': 2500},
            *[{'name': "Zaliczka", 'quantity': -1, 'price_unit': price} for price in deductions],
            ksef_special_kind='settlement', ksef_advance_ids=[Command.set([advance.id for advance in advances])])

    def test_settlement_that_follows_from_its_advances(self):
        self.assertEqual(self.codes(self.settlement(self.advance(), self.advance(1000))), [])

    def test_advances_that_do_not_sum(self):
        advance = self.advance()
        for deducted in (1999, 2001):
            finding = self.refused(self.settlement(advance, deducted=[deducted]), 'settlement-remainder')
            self.assertIn('8000.00', finding['message'])

    def test_part_of_the_order(self):
        advance = self.advance()
        self.warned(self.settlement(advance, quantity=2, deducted=[1000]), 'settlement-part')
        self.refused(self.settlement(advance, quantity=2, deducted=[2001]), 'settlement-remainder')

    def test_corrected_advance_is_named_and_counted(self):
        advance = self.advance()
        refund = self.credit(advance, {'price_unit': 500})
        self.assertEqual(self.codes(refund), [])
        move = self.settlement(advance, deducted=[1500])
        self.assertIn(refund.name, self.refused(move, 'advance-unsent')['message'])
        self.accepted(refund)
        root = self.render(move)
        self.assertEqual(self.codes(move), [])
        self.assertEqual(self.all(root, 'Fa/FakturaZaliczkowa/NrKSeFFaZaliczkowej'), [advance.ksef_number, refund.ksef_number])
        self.assertEqual(self.errors(self.settlement(advance)), {'settlement-remainder'})

    def test_advances_that_are_not_here(self):
        advance = self.new_invoice({'name': "Zaliczka", 'price_unit': 500})
        advance.ksef_is_outside = True
        self.assertIn(advance.name, self.warned(self.settlement(advance), 'advances-unseen')['message'])

    def test_order_that_changed(self):
        """A correction of an advance says what the order was and what it is now."""
        advance = self.advance()
        refund = self.credit(advance, {'price_unit': 500}, post=False)
        self.assertEqual(refund.ksef_order_line_ids.mapped('name'), ["Meble"])
        refund.ksef_order_line_ids = [
            Command.update(refund.ksef_order_line_ids.id, {'quantity': 3}),
            Command.create({'name': "Montaż", 'price_unit': 100, 'tax_id': self.tax_8.id, 'sequence': 20})]
        refund.action_post()
        root = self.render(refund)
        self.assertEqual(self.codes(refund), [])
        self.assertEqual(
            [(row['NrWierszaZam'], row['P_8BZ'], row['P_11NettoZ'], row.get('StanPrzedZ')) for row in self.order_rows(root)],
            [('1', '4', '10000.00', '1'), ('1', '3', '7500.00', None), ('2', '1', '100.00', None)])
        self.assertEqual(self.one(root, 'Fa/Zamowienie/WartoscZamowienia'), '9333.00')
        uids = [row['UU_IDZ'] for row in self.order_rows(root)]
        self.assertEqual(uids[0], uids[1])
        self.accepted(refund)
        again = self.credit(advance, {'price_unit': 100}, post=False)
        again.ksef_order_line_ids[1].unlink()
        again.action_post()
        self.assertEqual(
            [(row['P_8BZ'], row.get('StanPrzedZ')) for row in self.order_rows(self.render(again))],
            [('3', '1'), ('3', None), ('1', '1'), ('0', None)])
        self.assertEqual(self.codes(again), [])
