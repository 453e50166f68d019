"""Correcting invoices: what they name, their lines before and after, and the sums that Odoo booked."""
import base64
import random
from decimal import Decimal

from lxml import etree
from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..ksef.fa3 import reader
from .common import OTHER_BUYER_NIP, KsefConnectedCommon
from .test_fa3_common import NS, Fa3Common

D = Decimal
NUMBER = '5795955811-20261121-0100001AF629-D1'


class CorrectionCommon(Fa3Common):

    def original(self, *lines, number=NUMBER, **values):
        """An invoice that KSeF has accepted."""
        move = self.new_invoice(*lines, **values)
        move.sudo().write({'ksef_number': number, 'ksef_is_locked': True})
        return move

    def credit(self, move, *changes, post=True, **values):
        """A credit note made with the wizard; changes are dicts for its lines in their order, None takes a line off."""
        wizard = self.env['account.move.reversal'].with_context(active_model='account.move', active_ids=move.ids).create({
            'journal_id': move.journal_id.id, 'date': self.env['account.move']._ksef_today(), 'reason': "zwrot", **values})
        refund = self.env['account.move'].browse(wizard.refund_moves()['res_id'])
        lines = refund.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        refund.write({'invoice_line_ids': [
            Command.delete(line.id) if change is None else Command.update(line.id, change)
            for line, change in zip(lines, changes, strict=False) if change != {}]})
        if post:
            refund.action_post()
        return refund

    def rows(self, root):
        return [
            {etree.QName(child).localname: child.text for child in row} for row in root.findall('fa:Fa/fa:FaWiersz', NS)
        ]

    def check_pairs(self, root):
        """After less before is what the header says, within rounding; pairs have one number and one identifier."""
        rows = self.rows(root)
        before = {row['NrWierszaFa']: row for row in rows if 'StanPrzed' in row}
        after = {row['NrWierszaFa']: row for row in rows if 'StanPrzed' not in row}
        self.assertEqual(len(before) + len(after), len(rows))
        self.assertLessEqual(set(before), set(after))
        for number, row in before.items():
            self.assertEqual(row['UU_ID'], after[number]['UU_ID'])
        difference = sum(D(row['P_11']) * (-1 if 'StanPrzed' in row else 1) for row in rows)
        bases = sum(value for name, value in self.sums(root).items() if name.startswith('P_13'))
        self.assertLessEqual(abs(difference - bases), D('0.005') * (len(rows) + 2))

    def check_journal(self, move, root):
        """The sums are those of the journal entry, to the grosz."""
        booked = {}
        for item in move.line_ids.filtered(lambda item: item.tax_ids or item.tax_line_id):
            element = {23: '1', 8: '2', 5: '3'}[(item.tax_line_id or item.tax_ids).amount]
            name = f'P_14_{element}' if item.tax_line_id else f'P_13_{element}'
            booked[name] = booked.get(name, D(0)) - D(f'{item.balance:.2f}')
        self.assertEqual(self.sums(root), booked)
        receivable = sum(move.line_ids.filtered(lambda item: item.display_type == 'payment_term').mapped('balance'))
        self.assertEqual(D(self.one(root, 'Fa/P_15')), D(f'{receivable:.2f}'))


@tagged('post_install', '-at_install')
class TestCorrections(CorrectionCommon):

    def test_whole_invoice_is_taken_back(self):
        move = self.original({'quantity': 3, 'price_unit': 10}, {'price_unit': 5, 'name': "B", 'tax': self.tax_8})
        refund = self.credit(move)
        root = self.render(refund)
        self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), 'KOR')
        self.assertEqual(self.sums(root), {
            'P_13_1': D('-30.00'), 'P_14_1': D('-6.90'), 'P_13_2': D('-5.00'), 'P_14_2': D('-0.40')})
        self.assertEqual(self.one(root, 'Fa/P_15'), '-42.30')
        self.assertEqual(
            [(row['NrWierszaFa'], row['P_8B'], row['P_9A'], row['P_11'], row.get('StanPrzed')) for row in self.rows(root)],
            [('1', '3', '10.00', '30.00', '1'), ('1', '0', '10.00', '0.00', None),
             ('2', '1', '5.00', '5.00', '1'), ('2', '0', '5.00', '0.00', None)])
        self.check_pairs(root)
        self.check_journal(refund, root)

    def test_identifiers_are_those_of_the_original(self):
        move = self.original({}, {'name': "B"})
        uids = [row['UU_ID'] for row in self.rows(etree.fromstring(self.xml_of(move)))]
        rows = self.rows(self.render(self.credit(move)))
        self.assertEqual([row['UU_ID'] for row in rows], [uids[0], uids[0], uids[1], uids[1]])

    def xml_of(self, move):
        move.sudo().ksef_is_locked = False
        return move._ksef_render().xml

    def test_original_is_named_by_its_ksef_number(self):
        move = self.original()
        root = self.render(self.credit(move, ksef_correction_type='1'))
        self.assertEqual(
            [self.one(root, f'Fa/DaneFaKorygowanej/{name}') for name in (
                'DataWystFaKorygowanej', 'NrFaKorygowanej', 'NrKSeF', 'NrKSeFFaKorygowanej', 'NrKSeFN')],
            [move.invoice_date.isoformat(), move.name, '1', NUMBER, None])
        self.assertEqual((self.one(root, 'Fa/PrzyczynaKorekty'), self.one(root, 'Fa/TypKorekty')), ("zwrot", '1'))

    def test_original_outside_ksef(self):
        move = self.new_invoice()
        refund = self.credit(move, ksef_is_outside=True)
        root = self.render(refund)
        self.assertEqual(self.one(root, 'Fa/DaneFaKorygowanej/NrKSeFN'), '1')
        self.assertIsNone(self.one(root, 'Fa/DaneFaKorygowanej/NrKSeFFaKorygowanej'))
        self.refused(move, 'issued-outside')

    def test_original_sent_with_another_program(self):
        move = self.new_invoice()
        move.ksef_outside_number = NUMBER
        root = self.render(self.credit(move))
        self.assertEqual(self.one(root, 'Fa/DaneFaKorygowanej/NrKSeFFaKorygowanej'), NUMBER)
        self.refused(move, 'issued-outside')
        with self.assertRaises(UserError):
            move.ksef_outside_number = '5795955811-20261121-0100001AF629-00'

    def test_correction_waits_for_the_number_of_the_original(self):
        move = self.new_invoice()
        refund = self.credit(move)
        self.assertIn(move.name, self.refused(refund, 'correction-original-unsent')['message'])
        move.sudo().write({'ksef_number': NUMBER, 'ksef_is_locked': True})
        self.render(refund)

    def test_part_of_the_quantity(self):
        move = self.original({'quantity': 10, 'price_unit': 9.99}, {'name': "B"})
        refund = self.credit(move, {'quantity': 4}, None)
        root = self.render(refund)
        self.assertEqual(
            [(row['NrWierszaFa'], row['P_8B'], row['P_9A'], row['P_11']) for row in self.rows(root)],
            [('1', '10', '9.99', '99.90'), ('1', '6', '9.99', '59.94')])
        self.check_pairs(root)
        self.check_journal(refund, root)

    def test_lower_price(self):
        move = self.original({'quantity': 10, 'price_unit': 100})
        refund = self.credit(move, {'price_unit': 15.5})
        root = self.render(refund)
        self.assertEqual(
            [(row['P_8B'], row['P_9A'], row['P_11']) for row in self.rows(root)],
            [('10', '100.00', '1000.00'), ('10', '84.50', '845.00')])
        self.check_journal(refund, root)

    def test_lower_price_for_a_part_is_a_line_of_its_own(self):
        move = self.original({'quantity': 10, 'price_unit': 100, 'name': "A"}, {'name': "B"})
        refund = self.credit(move, {'quantity': 2, 'price_unit': 30}, None)
        root = self.render(refund)
        self.assertEqual(
            [(row['NrWierszaFa'], row['P_8B'], row['P_9A'], row['P_11'], row.get('StanPrzed')) for row in self.rows(root)],
            [('1', '10', '100.00', '1000.00', '1'), ('1', '8', '100.00', '800.00', None), ('3', '2', '70.00', '140.00', None)])
        self.check_pairs(root)
        self.check_journal(refund, root)

    def test_discount_given_afterwards(self):
        move = self.original({'quantity': 2, 'price_unit': 100})
        refund = self.credit(move, {'discount': 90})  # 10 % are taken back
        root = self.render(refund)
        self.assertEqual(
            [(row['P_8B'], row['P_9A'], row.get('P_10'), row['P_11']) for row in self.rows(root)],
            [('2', '100.00', None, '200.00'), ('2', '100.00', '20.00', '180.00')])
        self.check_journal(refund, root)

    def test_line_with_discount_is_taken_back(self):
        move = self.original({'quantity': 3, 'price_unit': 33.33, 'discount': 10})
        root = self.render(self.credit(move, {'quantity': 1}))
        self.assertEqual(
            [(row['P_8B'], row['P_10'], row['P_11']) for row in self.rows(root)],
            [('3', '10.00', '89.99'), ('2', '6.67', '59.99')])

    def test_wrong_rate(self):
        move = self.original({'price_unit': 100})
        refund = self.credit(move, post=False)
        refund.invoice_line_ids = [Command.create({
            'name': "Towar", 'quantity': -1, 'price_unit': 100, 'tax_ids': [Command.set(self.tax_8.ids)],
            'ksef_corrected_line_id': move.invoice_line_ids.id})]
        refund.action_post()
        root = self.render(refund)
        self.assertEqual(
            [(row['NrWierszaFa'], row['P_8B'], row['P_11'], row['P_12'], row.get('StanPrzed')) for row in self.rows(root)],
            [('1', '1', '100.00', '23', '1'), ('1', '1', '100.00', '8', None)])
        self.assertEqual(self.sums(root), {
            'P_13_1': D('-100.00'), 'P_14_1': D('-23.00'), 'P_13_2': D('100.00'), 'P_14_2': D('8.00')})
        self.assertEqual(self.one(root, 'Fa/P_15'), '-15.00')

    def test_correction_of_a_correction_begins_where_the_first_ended(self):
        move = self.original({'quantity': 10, 'price_unit': 10})
        first = self.credit(move, {'quantity': 3})
        second = self.credit(move, {'quantity': 2})
        self.assertIn(first.name, self.refused(second, 'correction-earlier-unsent')['message'])
        first.sudo().write({'ksef_number': NUMBER, 'ksef_is_locked': True})
        root = self.render(second)
        self.assertEqual([row['P_8B'] for row in self.rows(root)], ['7', '5'])
        self.check_journal(second, root)

    def test_correction_that_is_taken_back(self):
        """Reversing a credit note makes an invoice in Odoo; in KSeF it corrects the original upwards."""
        move = self.original({'quantity': 10, 'price_unit': 10})
        first = self.credit(move, {'quantity': 3})
        first.sudo().write({'ksef_number': NUMBER, 'ksef_is_locked': True})
        again = self.credit(first)
        self.assertEqual(again.move_type, 'out_invoice')
        root = self.render(again)
        self.assertEqual([row['P_8B'] for row in self.rows(root)], ['7', '10'])
        self.assertEqual((self.one(root, 'Fa/P_15'), self.one(root, 'Fa/DaneFaKorygowanej/NrFaKorygowanej')), ('36.90', move.name))
        self.check_journal(again, root)

    def test_more_than_there_was(self):
        move = self.original({'quantity': 2, 'price_unit': 10})
        self.assertIn("20.00", self.refused(self.credit(move, {'quantity': 3}), 'correction-exceeds')['message'])

    def test_without_original(self):
        self.refused(self.new_invoice(move_type='out_refund'), 'correction-without-original')

    def test_original_of_another_system(self):
        refund = self.new_invoice({'quantity': 2, 'price_unit': 50}, move_type='out_refund', post=False)
        refund.ksef_reference_ids = [
            Command.create({'number': "FV/1/2025", 'date': '2025-12-30'}),
            Command.create({'number': "FV/2/2026", 'date': '2026-02-03', 'ksef_number': NUMBER})]
        refund.action_post()
        root = self.render(refund)
        self.assertEqual(self.all(root, 'Fa/DaneFaKorygowanej/NrFaKorygowanej'), ["FV/1/2025", "FV/2/2026"])
        self.assertEqual(self.all(root, 'Fa/DaneFaKorygowanej/NrKSeFFaKorygowanej'), [NUMBER])
        [row] = self.rows(root)
        self.assertEqual((row['P_8B'], row['P_9A'], row['P_11']), ('-2', '50.00', '-100.00'))
        self.check_journal(refund, root)

    def test_collective_discount(self):
        refund = self.new_invoice(
            {'price_unit': 500}, move_type='out_refund', post=False, ksef_correction_kind='collective')
        refund.ksef_reference_ids = [Command.create({'number': "FV/1/2026", 'date': '2026-02-01', 'ksef_number': NUMBER})]
        refund.action_post()
        self.refused(refund, 'correction-period-missing')
        refund.ksef_corrected_period = "luty 2026"
        root = self.render(refund)
        self.assertEqual((self.one(root, 'Fa/OkresFaKorygowanej'), self.rows(root)), ("luty 2026", []))
        self.assertEqual(self.sums(root), {'P_13_1': D('-500.00'), 'P_14_1': D('-115.00')})

    def test_other_buyer_or_currency(self):
        move = self.original()
        refund = self.credit(move, post=False)
        refund.partner_id = self.new_partner(vat='PL7740001454')
        refund.action_post()
        self.refused(refund, 'correction-other-buyer')

    def test_inputs_are_closed_with_the_invoice(self):
        move = self.original()
        refund = self.credit(move)
        refund.ksef_reference_ids = [Command.create({'number': "X", 'date': '2026-02-01'})]
        refund.company_id.sudo().ksef_connection_id = self.env['ksef.connection'].sudo().create({
            'company_id': refund.company_id.id, 'environment': 'test', 'nip': '5795955811', 'state': 'connected'})
        refund.sudo().ksef_is_locked = True
        self.env.flush_all()
        for values in ({'ksef_correction_type': '1'}, {'ksef_correction_reason': "inny"}, {'ksef_correction_kind': 'buyer'},
                       {'ksef_reference_ids': [Command.clear()]}):
            with self.assertRaises(UserError):
                refund.write(values)
        with self.assertRaises(UserError):
            refund.ksef_reference_ids.number = "Y"
        with self.assertRaises(UserError):
            refund.ksef_reference_ids.unlink()
        with self.assertRaises(UserError):
            self.env['ksef.invoice.reference'].create({'move_id': refund.id, 'number': "Z", 'date': '2026-02-01'})
        with self.assertRaises(UserError):
            refund.invoice_line_ids.ksef_corrected_line_id = False

    def test_random_corrections_agree_with_the_journal(self):
        source = random.Random(20261122)
        for number in range(12):
            lines = [{
                'tax': source.choice([self.tax_23, self.tax_8, self.tax_5]), 'name': f"L{index}",
                'quantity': source.choice([1, 3, 7, 12.5, 0.5]), 'price_unit': source.choice([0.335, 12.12, 19.99, 33.333, 100]),
                'discount': source.choice([0, 0, 5, 12.5]),
            } for index in range(source.randint(1, 5))]
            changes = []
            for line in lines:
                kind = source.choice(['all', 'quantity', 'price', 'keep', 'discount'])
                changes.append({
                    'all': {}, 'keep': None, 'quantity': {'quantity': line['quantity'] / 2},
                    'price': {'price_unit': round(line['price_unit'] / 3, 2) or 0.1}, 'discount': {'discount': 90},
                }[kind])
            if all(change is None for change in changes):
                changes[0] = {}
            with self.subTest(number, lines=lines, changes=changes):
                move = self.original(*lines)
                refund = self.credit(move, *changes)
                root = self.render(refund)
                self.check_pairs(root)
                self.check_journal(refund, root)


@tagged('post_install', '-at_install')
class TestCorrectionsInKsef(KsefConnectedCommon):
    """The whole way: the original gets its number, then its correction names it."""

    def credit(self, move, **values):
        wizard = self.env['account.move.reversal'].with_context(active_model='account.move', active_ids=move.ids).create({
            'journal_id': move.journal_id.id, 'date': move.invoice_date, 'reason': "pomyłka", **values})
        refund = self.env['account.move'].browse(wizard.refund_moves()['res_id'])
        refund.action_post()
        return refund

    def test_correction_of_an_accepted_invoice(self):
        move = self.make_invoice()
        refund = self.credit(move)
        document = self.send(refund)
        self.assertEqual(document.state, 'invalid', "the original has no number yet")
        number = self.send(move).ksef_number
        document = self.send(refund)
        self.assertEqual(document.state, 'accepted', document.status_description)
        self.assertEqual(document.invoice_kind, 'KOR')
        self.assertIn(f"<NrKSeFFaKorygowanej>{number}<", base64.b64decode(document.xml).decode())

    def test_correction_of_the_buyers_name(self):
        move = self.make_invoice()
        self.send(move)
        old = self.buyer.name
        self.buyer.write({'name': "Nabywca Nowy S.A.", 'street': "ul. Nowa 1"})
        document = self.send(self.credit(move, ksef_correction_kind='buyer', ksef_correction_type='1'))
        self.assertEqual(document.state, 'accepted', f"{document.findings} {document.status_description}")
        invoice = reader.read(base64.b64decode(document.xml))
        self.assertEqual((invoice.total, invoice.lines, invoice.group_totals), (0, (), ()))
        [before] = invoice.correction.buyers
        self.assertEqual((before.name, before.address.line_1), (old, "ul. Długa 7"))
        self.assertEqual((invoice.buyer.name, invoice.buyer.key), ("Nabywca Nowy S.A.", before.key))

    def test_wrong_number_of_the_buyer_is_no_correction_of_data(self):
        move = self.make_invoice()
        self.send(move)
        self.buyer.vat = f'PL{OTHER_BUYER_NIP}'
        document = self.send(self.credit(move, ksef_correction_kind='buyer'))
        self.assertEqual([finding['code'] for finding in document.findings], ['correction-buyer-number'])
