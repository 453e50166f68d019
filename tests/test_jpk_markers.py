"""Markers of JPK_V7(3): the KSeF number, OFF, BFK or DI, and what must be corrected after a month was closed."""
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .test_invoice_common import InvoiceCommon

NUMBER = '5265877635-20250826-0100001AF629-AF'
BILL_NUMBER = '5261040828-20261121-0100001AF629-C9'


@tagged('post_install', '-at_install')
class TestJpkMarkers(InvoiceCommon):

    def bill(self, **values):
        bill = self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': self.buyer.id, 'invoice_date': self.env['account.move']._ksef_today(),
            'invoice_line_ids': [Command.create({'name': "Towar", 'price_unit': 100.0, 'tax_ids': [Command.clear()]})]} | values)
        bill.action_post()
        return bill

    def offline(self, move=None):
        move = self.queued(move)
        move.ksef_document_id.sudo().write({'mode': 'offline24', 'issued_offline_at': fields.Datetime.now()})
        move._ksef_sync()
        return move

    def entry(self, tax=True):
        account = self.company_data['default_account_revenue']
        other = self.company_data['default_account_expense']
        move = self.env['account.move'].create({'move_type': 'entry', 'line_ids': [
            Command.create({'name': "a", 'account_id': account.id, 'credit': 100.0,
                            'tax_ids': [Command.set(self.tax_23.ids if tax else [])]}),
            Command.create({'name': "b", 'account_id': other.id, 'debit': 123.0 if tax else 100.0})]})
        move.action_post()
        return move

    def all_kinds(self):
        """[(what it is, document, marker, value)]."""
        received = self.bill()
        self.env['ksef.received'].sudo().create({
            'company_id': self.company.id, 'connection_id': self.connection.id, 'ksef_number': BILL_NUMBER, 'move_id': received.id,
            'environment': 'test', 'role': 'buyer',
        })
        receipt = self.make_invoice(move_type='out_receipt')
        outside = self.make_invoice(ksef_outside_number=NUMBER)
        return [
            ("accepted", self.accepted(number=NUMBER), 'number', NUMBER),
            ("sent with another program", outside, 'number', NUMBER),
            ("on its way", self.queued(), False, False),
            ("offline", self.offline(), 'OFF', 'OFF'),
            ("never sent", self.make_invoice(), 'BFK', 'BFK'),
            ("rejected", self.rejected(), 'BFK', 'BFK'),
            ("draft", self.make_invoice(post=False), False, False),
            ("bill on paper", self.bill(), 'BFK', 'BFK'),
            ("bill issued offline", self.bill(ksef_jpk_choice='OFF'), 'OFF', 'OFF'),
            ("bill from KSeF", received, 'number', BILL_NUMBER),
            ("receipt", receipt, 'DI', 'DI'),
            ("entry with VAT", self.entry(), 'DI', 'DI'),
            ("entry", self.entry(tax=False), False, False),
        ]

    def test_markers(self):
        """Form, filter and export agree about every kind of document."""
        kinds = self.all_kinds()
        moves = self.env['account.move'].union(*(move for _name, move, _marker, _value in kinds))
        for name, move, marker, value in kinds:
            with self.subTest(name):
                self.assertEqual((move.ksef_jpk_marker, move.ksef_jpk_value), (marker, value))
                found = self.env['account.move'].search([('id', 'in', moves.ids), ('ksef_jpk_marker', '=', marker)])
                self.assertIn(move, found)
        exported = moves.export_data(['name', 'ksef_jpk_value'])['datas']
        self.assertEqual([row[1] for row in exported], [value or '' for _n, _m, _marker, value in kinds])
        self.assertFalse(self.env['account.move'].search([('id', 'in', moves.ids), ('ksef_jpk_to_correct', '=', True)]))
        self.assertEqual(self.env['account.move'].search_count(
            [('id', 'in', moves.ids), ('ksef_jpk_marker', '!=', 'number')]), len(kinds) - 3)

    def test_rejected_offline_is_still_owed(self):
        move = self.offline()
        self.advance(move, 'sending', 'sent', 'rejected', status_code=450)
        self.assertEqual(move.ksef_jpk_marker, 'OFF')

    def test_other_countries_have_none(self):
        move = self.make_invoice()
        self.company.account_fiscal_country_id = self.env.ref('base.de')
        move.invalidate_recordset()
        self.assertFalse(move.ksef_jpk_marker)

    def test_number_after_the_month_was_closed(self):
        """Only what got its number later is listed; one click settles it."""
        late, waiting, paper, early = self.offline(), self.queued(), self.make_invoice(), self.accepted(number=NUMBER)
        moves = late | waiting | paper | early
        self.company.tax_lock_date = self.env['account.move']._ksef_today()
        self.assertEqual(moves.mapped('ksef_jpk_declared'), ['OFF', '-', 'BFK', NUMBER], "a number of a trial environment can still change")
        self.assertFalse(any(moves.mapped('ksef_jpk_to_correct')))
        self.advance(late, 'sending', 'sent', 'accepted', ksef_number='5795955811-20261121-0100001AF630-AA')
        self.advance(waiting, 'sending', 'sent', 'accepted', ksef_number='5795955811-20261121-0100001AF631-AA')
        listed = self.env['account.move'].search([('ksef_jpk_to_correct', '=', True)])
        self.assertEqual(listed, late | waiting)
        self.assertTrue(late.ksef_jpk_to_correct)
        self.company.hard_lock_date = self.env['account.move']._ksef_today()
        self.assertEqual(late.ksef_jpk_declared, 'OFF', "a second lock changes nothing")
        with self.assertRaises(AccessError):
            late.with_user(self.reader).action_ksef_jpk_corrected()
        listed.with_user(self.accountant).action_ksef_jpk_corrected()
        self.assertFalse(self.env['account.move'].search([('ksef_jpk_to_correct', '=', True)]))
        self.assertIn("OFF → 5795955811-20261121-0100001AF630-AA", late.message_ids[0].body)

    def test_numbers_of_a_trial_environment(self):
        """They stand for nothing once the company is connected to production: a closed month with them must be corrected."""
        sale, bill = self.accepted(number=NUMBER), self.bill()
        self.env['ksef.received'].sudo().create({
            'company_id': self.company.id, 'connection_id': self.connection.id, 'ksef_number': BILL_NUMBER, 'move_id': bill.id,
            'environment': 'test', 'role': 'buyer'})
        self.company.tax_lock_date = self.env['account.move']._ksef_today()
        self.assertEqual((sale.ksef_jpk_value, bill.ksef_jpk_value), (NUMBER, BILL_NUMBER))
        self.assertFalse(sale.ksef_jpk_to_correct or bill.ksef_jpk_to_correct)
        self.company.ksef_connection_id = self.new_connection(self.company, self.connection.nip, 'production')
        moves = sale | bill
        moves.invalidate_recordset()
        self.assertEqual(moves.mapped('ksef_jpk_marker'), ['BFK', 'BFK'])
        self.assertEqual(self.env['account.move'].search([('ksef_jpk_to_correct', '=', True)]), moves)

    def test_open_months_are_not_declared(self):
        move = self.make_invoice()
        self.company.tax_lock_date = self.env['account.move']._ksef_today() - timedelta(days=1)
        self.assertFalse(move.ksef_jpk_declared)

    def test_number_of_a_bill_for_other_reports(self):
        """Odoo's own reports read the field of its own module."""
        if 'l10n_pl_edi_number' not in self.env['account.move']:
            self.skipTest("l10n_pl_edi is not installed")
        bill, other = self.bill(), self.bill()
        received = self.env['ksef.received'].sudo().create({
            'company_id': self.company.id, 'connection_id': self.connection.id, 'environment': 'test', 'role': 'buyer',
            'ksef_number': BILL_NUMBER,
            'move_id': bill.id})
        self.assertEqual(bill.l10n_pl_edi_number, BILL_NUMBER)
        received.move_id = other
        self.assertEqual((bill.l10n_pl_edi_number, other.l10n_pl_edi_number), (False, BILL_NUMBER))
