"""Debit notes: in Poland a price that rises is a correcting invoice (art. 106j), upwards."""
from odoo import Command
from odoo.tests import tagged

from ..test_fa3_originals import OriginalCommon
from .common import needs


@tagged('post_install', '-at_install')
class TestDebitNotes(OriginalCommon):

    def setUp(self):
        super().setUp()
        needs(self, 'account.debit.note', 'account_debit_note')

    def debit(self, move, *changes, copy_lines=True, reason="podwyżka ceny"):
        """A debit note made with the wizard; changes are dicts for its lines in their order, or new lines."""
        wizard = self.env['account.debit.note'].with_context(active_model='account.move', active_ids=move.ids).create({
            'date': self.env['account.move']._ksef_today(), 'reason': reason, 'copy_lines': copy_lines})
        note = self.env['account.move'].browse(wizard.create_debit()['res_id'])
        if copy_lines:
            commands = [Command.update(line.id, change) for line, change in zip(note.invoice_line_ids, changes, strict=True)]
        else:
            commands = [Command.create(change) for change in changes]
        note.invoice_line_ids = commands
        note.action_post()
        return note

    def test_higher_price(self):
        payer = self.new_partner(name="Gmina", vat='PL7740001454')
        move = self.accepted(self.new_invoice({'quantity': 10, 'price_unit': 10}, ksef_third_party_ids=[
            Command.create({'partner_id': payer.id, 'role': '8'})]))
        note = self.debit(move, {'price_unit': 2})
        root = self.render(note)
        self.assertEqual(self.codes(note), [])
        self.assertEqual(self.one(root, 'Fa/RodzajFaktury'), 'KOR')
        self.assertEqual((self.one(root, 'Fa/PrzyczynaKorekty'), self.one(root, 'Fa/TypKorekty')), ("podwyżka ceny", '2'))
        self.assertEqual(self.one(root, 'Fa/DaneFaKorygowanej/NrKSeFFaKorygowanej'), move.ksef_number)
        self.assertEqual([(row['P_8B'], row['P_9A'], row['P_11']) for row in self.rows(root)], [
            ('10', '10.00', '100.00'), ('10', '12.00', '120.00')])
        self.assertEqual((self.one(root, 'Fa/P_15'), self.one(root, 'Podmiot3/Rola')), ('24.60', '8'))
        self.check_journal(note, root)

    def test_line_of_its_own(self):
        move = self.accepted(self.new_invoice())
        note = self.debit(move, {'name': "Dopłata", 'price_unit': 50, 'tax_ids': [Command.set(self.tax_23.ids)]}, copy_lines=False)
        [row] = self.rows(self.render(note))
        self.assertEqual((row['NrWierszaFa'], row['P_7'], row['P_11'], row.get('StanPrzed')), ('2', "Dopłata", '50.00', None))
        self.assertEqual(self.codes(note), [])

    def test_it_waits_for_the_original(self):
        note = self.debit(self.new_invoice(), {'price_unit': 1})
        self.refused(note, 'correction-original-unsent')

    def test_debit_note_and_credit_note_of_one_invoice(self):
        move = self.accepted(self.new_invoice({'quantity': 10, 'price_unit': 10}))
        self.accepted(self.debit(move, {'price_unit': 2}))
        root = self.render(self.credit(move, {'quantity': 4, 'price_unit': 12}))
        self.assertEqual([(row['P_8B'], row['P_9A'], row['P_11']) for row in self.rows(root)], [
            ('10', '12.00', '120.00'), ('6', '12.00', '72.00')])

    def test_quantity_and_price_as_before(self):
        """Ten more pieces, or ten more zlotys on each: it is named, and the increase in two parts says the latter."""
        move = self.accepted(self.new_invoice({'quantity': 10, 'price_unit': 10}))
        note = self.debit(move, {})
        message = self.warned(note, 'debit-unclear')['message']
        self.assertIn("(20 at 10)", message)
        self.assertEqual([(row['P_8B'], row['P_9A']) for row in self.rows(self.render(note))], [('10', '10.00'), ('20', '10.00')])
        other = self.accepted(self.new_invoice({'quantity': 10, 'price_unit': 10}))
        line = other.invoice_line_ids
        note = self.debit(other, *[
            {'name': line.name, 'quantity': 10, 'price_unit': 5, 'tax_ids': [Command.set(line.tax_ids.ids)],
             'ksef_corrected_line_id': line.id}
            for _part in range(2)], copy_lines=False)
        self.assertEqual(self.codes(note), [])
        self.assertEqual([(row['P_8B'], row['P_9A']) for row in self.rows(self.render(note))], [('10', '10.00'), ('10', '20.00')])
