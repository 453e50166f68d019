"""Files of other programs, equal persons, invoices without a file, odd tables, what is due: what once went wrong."""
import base64
import re
from datetime import timedelta
from decimal import Decimal

from odoo import Command
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..models.ksef_invoice_context import Entry
from .test_fa3_trade import TradeCommon

D = Decimal


class ForeignCommon(TradeCommon):

    def foreign(self, move, change=None, origin='l10n_pl_edi'):
        """The accepted invoice as one that another program has sent; ``change`` makes its file of ours, None takes it away."""
        document = move.sudo().ksef_document_id
        content = change(document._get_xml().decode()).encode() if change else b''
        self.env.flush_all()
        self.env.cr.execute("UPDATE ksef_document SET origin = %s, xml = %s, xml_size = %s WHERE id = %s", [
            origin, base64.b64encode(content) or None, len(content), document.id])
        self.env.invalidate_all()
        return move

    def renumbered(self, xml):
        """As Odoo's own module writes lines: sections are counted too, and there are no identifiers."""
        xml = re.sub(r'<NrWierszaFa>(\d+)<', lambda found: f'<NrWierszaFa>{int(found[1]) + 1}<', xml)
        return re.sub(r'<UU_ID>[^<]*</UU_ID>', '', xml)


@tagged('post_install', '-at_install')
class TestForeignOriginals(ForeignCommon):

    def two_lines(self):
        return self.accepted(self.new_invoice({'name': "Stół", 'quantity': 10, 'price_unit': 10}, {'name': "Krzesło", 'price_unit': 70}))

    def test_lines_with_other_numbers(self):
        move = self.foreign(self.two_lines(), self.renumbered)
        self.assertEqual(self.codes(self.credit(move, {'quantity': 3}, {})), [])

    def test_lines_at_other_rates_and_without_any_likeness(self):
        move = self.foreign(self.two_lines(), lambda xml: self.renumbered(xml).replace('<P_12>23<', '<P_12>22<'))
        self.assertEqual(self.codes(self.credit(move)), [])
        move = self.foreign(self.two_lines(), lambda xml: self.renumbered(xml).replace("Stół", "Mebel"))
        self.assertIn(move.name, self.warned(self.credit(move), 'original-unseen')['message'])
        move = self.foreign(self.two_lines(), lambda xml: self.renumbered(xml).replace('<P_11>70.00<', '<P_11>71.00<'))
        self.warned(self.credit(move), 'original-unseen')

    def test_correction_without_states_before(self):
        """The other module's corrections state differences, so what they left of the lines isn't known."""
        move = self.foreign(self.two_lines(), self.renumbered)
        first = self.accepted(self.credit(move, {'quantity': 3}, None))
        self.foreign(first, lambda xml: re.sub(r'<FaWiersz>(?:(?!</FaWiersz>).)*<StanPrzed>1</StanPrzed></FaWiersz>', '', xml))
        self.assertNotIn('StanPrzed', first.sudo().ksef_document_id._get_xml().decode())
        self.warned(self.credit(move, {'quantity': 2}, None), 'original-unseen')

    def test_another_buyer_stays_an_error(self):
        move = self.foreign(self.two_lines(), self.renumbered)
        refund = self.credit(move)
        self.buyer.vat = 'PL7740001454'
        self.refused(refund, 'original-buyer')

    def test_foreign_numbers_of_foreign_buyers(self):
        """Another program may name a German buyer by another element."""
        buyer = self.new_partner(name="EFG GmbH", country='de', vat='DE123456788', city="Berlin")
        move = self.accepted(self.new_invoice(partner_id=buyer.id))
        self.foreign(move, lambda xml: self.renumbered(xml).replace(
            '<KodUE>DE</KodUE><NrVatUE>123456788</NrVatUE>', '<KodKraju>DE</KodKraju><NrID>DE123456788</NrID>'))
        self.assertIn('<NrID>', move.sudo().ksef_document_id._get_xml().decode())
        self.assertEqual(self.errors(self.credit(move)), set())

    def test_own_line_that_is_not_on_the_original(self):
        """Our own numbers must agree, and the sentence says so without empty brackets."""
        move = self.two_lines()
        self.foreign(move, self.renumbered, origin=None)
        finding = next(each for each in self.credit(move)._ksef_render().findings if each['code'] == 'original-line-unknown')
        self.assertEqual(finding['severity'], 'error')
        self.assertNotIn('()', finding['message'])

    def test_files_that_cannot_be_read(self):
        good, old, broken = self.two_lines(), self.two_lines(), self.two_lines()
        self.foreign(old, lambda xml: xml.replace('http://crd.gov.pl/wzor/2025/06/25/13775/', 'http://crd.gov.pl/wzor/2023/06/29/12648/')
                     .replace('kodSystemowy="FA (3)"', 'kodSystemowy="FA (2)"'))
        self.foreign(broken, lambda xml: xml[:200], origin='register')
        refunds = [self.credit(move) for move in (good, old, broken)]
        rendered = (refunds[0] | refunds[1] | refunds[2])._ksef_render_batch()
        self.assertEqual([[finding['code'] for finding in rendered[refund].findings] for refund in refunds], [
            [], ['original-unseen'], ['original-unseen']])


@tagged('post_install', '-at_install')
class TestEqualBuyers(TradeCommon):

    def setUp(self):
        super().setUp()
        self.anna, self.bartek = (
            self.env['res.partner'].create({'name': name, 'city': "Kraków", 'country_id': self.env.ref('base.pl').id})
            for name in ("Anna Nowak", "Bartek Lis"))
        self.move = self.accepted(self.new_invoice(ksef_third_party_ids=[
            Command.create({'partner_id': partner.id, 'role': '4', 'share': 20}) for partner in (self.anna, self.bartek)]))

    def before(self):
        invoice = self.read(self.credit(self.move, ksef_correction_kind='buyer', ksef_correction_type='1'))
        return [(party.name, party.key) for party in invoice.third_parties], [(old.name, old.key) for old in invoice.correction.buyers]

    def test_only_the_buyer_changed(self):
        self.buyer.name = "Nabywca Nowy S.A."
        self.assertEqual(self.before(), ([("Anna Nowak", None), ("Bartek Lis", None)], [("Nabywca S.A.", '1')]))

    def test_one_of_them_changed(self):
        self.anna.name = "Anna Lis"
        self.assertEqual(self.before(), ([("Anna Lis", '2'), ("Bartek Lis", None)], [("Anna Nowak", '2')]))

    def test_both_changed(self):
        self.anna.name, self.bartek.street = "Anna Lis", "ul. Nowa 1"
        self.assertEqual(self.before(), ([("Anna Lis", '2'), ("Bartek Lis", '3')], [("Anna Nowak", '2'), ("Bartek Lis", '3')]))


@tagged('post_install', '-at_install')
class TestPreviewWithoutFile(ForeignCommon):

    def look(self, move):
        return self.env['ksef.preview'].browse(move.action_ksef_preview()['res_id'])

    def check_nothing(self, preview, status, text):
        self.assertEqual(preview.status, status)
        self.assertIn(text, preview.absence)
        self.assertEqual((preview.page, preview.xml_text, preview.xml, preview.html, preview.findings), (False,) * 5)

    def test_register_and_other_programs(self):
        move = self.foreign(self.accepted(self.new_invoice()), origin='register')
        self.check_nothing(self.look(move), 'elsewhere', move.ksef_number)
        with_file = self.accepted(self.new_invoice())
        self.assertEqual(self.look(with_file).status, 'accepted')
        self.assertFalse(self.look(with_file).absence)
        other = self.new_invoice()
        other.ksef_outside_number = move.ksef_number
        self.check_nothing(self.look(other), 'elsewhere', move.ksef_number)

    def test_outside_ksef(self):
        self.check_nothing(self.look(self.new_invoice(ksef_is_outside=True)), 'outside', "outside KSeF")


@tagged('post_install', '-at_install')
class TestTables(TradeCommon):

    def upload(self, content):
        block = self.env['ksef.invoice.block'].new({'keys': "a: b", 'table_file': base64.b64encode(content)})
        block._onchange_table_file()
        return block

    def test_encodings(self):
        text = "Data;Zużycie\n2026-11-01;5"
        for encoding in ('utf-8', 'utf-8-sig', 'cp1250', 'utf-16'):
            with self.subTest(encoding):
                self.assertEqual(self.upload(text.encode(encoding)).table, text)
        self.assertEqual(self.upload(b'\xfe\xff' + text.encode('utf-16-be')).table, text)
        for content in (text.encode('utf-16-le'), b'a;b\n1;\0', '\ufeffa;b\n1;\0'.encode('utf-16-le'), b'\xff\xfea'):
            with self.subTest(content), self.assertRaisesRegex(ValidationError, "no text"):
                self.upload(content)

    def test_keys_taken_away(self):
        block = self.new_invoice(ksef_block_ids=[Command.create({'keys': "a: b"})]).ksef_block_ids
        with self.assertRaisesRegex(ValidationError, "at least one key"):
            block.write({'keys': False})

    def test_notice_at_the_top(self):
        arch = self.env['account.move'].get_view(self.env.ref('account.view_move_form').id, 'form')['arch']
        page = arch[arch.index('name="ksef_attachment"'):]
        self.assertLess(page.index('not ksef_block_ids'), page.index('<field name="ksef_block_ids"'))


@tagged('post_install', '-at_install')
class TestPaid(TradeCommon):

    def test_nothing_is_due(self):
        """A deduction larger than the invoice: any payment was the whole of what is due."""
        move = self.new_invoice(
            ksef_charge_ids=[Command.create({'kind': 'deduction', 'amount': 150, 'reason': "Kaucja"})],
            ksef_payment_ids=[Command.create({'date': '2026-11-19', 'amount': 50})])
        payment = move._ksef_payment(Entry(move))
        self.assertEqual((payment.instalments.extent.name, payment.terms), ('WHOLE', ()))
        self.assertEqual(self.codes(move), [])

    def test_typed_payments_stay(self):
        move = self.new_invoice()
        day = move.invoice_date
        for amount in (50, 50, 10):
            self.env['account.payment.register'].with_context(active_model='account.move', active_ids=move.ids).create({
                'amount': amount, 'payment_date': day}).action_create_payments()
        move.ksef_payment_ids = [
            Command.create({'date': day, 'amount': 50, 'form': '1'}), Command.create({'date': day - timedelta(days=3), 'amount': 7})]
        typed = move.ksef_payment_ids
        for _again in range(2):
            move.action_ksef_take_payments()
            self.assertLessEqual(typed, move.ksef_payment_ids)
            self.assertEqual(sorted(move.ksef_payment_ids.mapped('amount')), [7, 10, 50, 50])
        self.assertEqual(typed[0].form, '1')
