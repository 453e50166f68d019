"""What accountants decide once: rules for lines, the day of receipt, drafts entered before, disputes."""
import re
from datetime import date

import psycopg2
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .test_received_bill import BillCommon


@tagged('post_install', '-at_install')
class TestReceivedRules(BillCommon):

    def rule(self, partner, **values):
        return self.env['ksef.product.map'].create({
            'company_id': self.company.id, 'partner_id': partner.id, 'line_name': "x"} | values)

    def again(self, received):
        """The same invoice under another number, a month later."""
        return self.receive(received._get_xml(), seller_nip=received.seller_nip, invoice_number=received.invoice_number)

    def test_a_product_changes_nothing_else(self):
        """Price, taxes and text of the invoice stay when an accountant chooses a product, in the form and in the list of lines."""
        lower = self.env['ksef.bill']._tax_by_amount(self.company, 8)
        product = self.env['product.product'].create({
            'name': "Papier", 'standard_price': 99, 'supplier_taxes_id': [(6, 0, lower.ids)]})
        move = self.bill(self.fetch('goods'))
        before = [(line.name, line.price_unit, line.tax_ids) for line in move.invoice_line_ids]
        with Form(move) as form, form.invoice_line_ids.edit(0) as line:
            line.product_id = product
        waiting = self.env['account.move.line'].search(
            [('ksef_source', '!=', False), ('product_id', '=', False), ('move_id', '=', move.id)])
        self.assertEqual(waiting, move.invoice_line_ids[1])
        waiting.product_id = product
        self.assertEqual([(line.name, line.price_unit, line.tax_ids) for line in move.invoice_line_ids], before)
        self.assertEqual((move.invoice_line_ids.product_id, move.amount_total), (product, 1052.88))

    def test_other_units(self):
        """A box of five reams, booked in reams: learned from the bill, used for the next one, not for another unit."""
        received = self.fetch('goods')
        move = self.bill(received)
        line = move.invoice_line_ids[0]
        source = line.ksef_source
        self.assertEqual((source['quantity'], line.quantity, line.price_unit), ('20', 20, 17.9))
        product = self.env['product.product'].create({'name': "Papier"})
        line.write({'product_id': product.id, 'quantity': 100, 'price_unit': 3.58})
        self.assertEqual(move.amount_total, 1052.88)
        move.action_post()
        rule = self.env['ksef.product.map'].search([('product_id', '=', product.id)])
        self.assertEqual((rule.uom_factor, rule.uom_id, rule.unit_name), (5, product.uom_id, source['unit']))
        move.button_draft()
        move.button_cancel()
        second = self.bill(self.again(received))
        self.assertEqual((second.invoice_line_ids[0].quantity, second.invoice_line_ids[0].price_unit), (100, 3.58))
        self.assertEqual((second.amount_total, second.ksef_bill_problem), (1052.88, False))
        second.button_cancel()
        rule.unit_name = "paleta"
        third = self.bill(self.again(received))
        self.assertEqual(third.invoice_line_ids[0].quantity, 20)

    def test_all_other_lines(self):
        """All fuel of a station to one account with the half-deductible tax; what is recognised by itself is not touched."""
        received = self.fetch('goods')
        partner = self.env['res.partner'].create({'name': "Stacja", 'vat': received.seller_nip})
        full = self.env['ksef.bill']._tax_by_amount(self.company, 23)
        parts = [(5, 0), (0, 0, {'repartition_type': 'base'}), (0, 0, {'repartition_type': 'tax', 'factor_percent': 50}), (0, 0, {
            'repartition_type': 'tax', 'factor_percent': 50, 'account_id': self.company_data['default_account_tax_purchase'].id})]
        half = full.copy({
            'name': "23% 50/50", 'invoice_repartition_line_ids': parts, 'refund_repartition_line_ids': parts})
        account = self.company_data['default_account_expense'].copy({'code': '402998'})
        rule = self.rule(partner, line_name="Paliwo", is_for_all=True, account_id=account.id, tax_ids=[(6, 0, half.ids)])
        known = self.env['product.product'].create({'name': "Papier biurowy A4, 80 g"})
        move = self.bill(received)
        self.assertEqual(move.invoice_line_ids[0].product_id, known)
        self.assertNotEqual(move.invoice_line_ids[0].account_id, account)
        self.assertEqual((move.invoice_line_ids[1].account_id, move.invoice_line_ids[1].tax_ids), (account, half))
        self.assertIn("other lines", move.invoice_line_ids[1].ksef_match)
        self.assertEqual((move.amount_total, move.ksef_bill_problem), (1052.88, False))
        cost = move.line_ids.filtered(lambda line: line.account_id == account)
        self.assertAlmostEqual(sum(cost.mapped('balance')), 498 + 57.27, 2, "half of the tax is a cost")
        move.action_post()
        self.assertFalse(rule.use_count, "confirmed lines make rules of their own")
        with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint(), mute_logger('odoo.sql_db'):
            self.rule(partner, is_for_all=True)
            self.env.flush_all()
        with self.assertRaises(ValidationError):
            rule.tax_ids = self.tax_sale_a

    def test_merge(self):
        partner = self.env['res.partner'].create({'name': "Hurtownia"})
        product = self.env['product.product'].create({'name': "Papier"})
        often = self.rule(partner, line_name="Papier A4", use_count=5)
        seldom = self.rule(partner, line_name="Papier A4 ryza", use_count=2, seller_index="P-1", product_id=product.id)
        other = self.rule(partner, line_name="Toner", seller_index="T-1")
        with self.assertRaises(UserError):
            (seldom | other).action_merge()
        with self.assertRaises(UserError):
            often.action_merge()
        (often | seldom).action_merge()
        self.assertFalse(seldom.exists())
        self.assertEqual((often.seller_index, often.product_id, often.use_count), ("P-1", product, 7))

    def test_export_and_import(self):
        """Rules leave one database as a table and come into another."""
        partner = self.env['res.partner'].create({'name': "Hurtownia XYZ"})
        product = self.env['product.product'].create({'name': "Papier", 'default_code': "PAP"})
        columns = ['partner_id', 'line_name', 'seller_index', 'product_id', 'uom_factor']
        self.rule(partner, line_name="Papier A4", seller_index="P-1", product_id=product.id, uom_factor=5)
        table = self.env['ksef.product.map'].search([('partner_id', '=', partner.id)]).export_data(columns)['datas']
        self.env['ksef.product.map'].search([('partner_id', '=', partner.id)]).unlink()
        result = self.env['ksef.product.map'].load(columns, [[str(value) for value in row] for row in table])
        rule = self.env['ksef.product.map'].browse(result['ids'])
        self.assertEqual((rule.partner_id, rule.product_id, rule.seller_index, rule.uom_factor), (partner, product, "P-1", 5))

    def draft(self, received, **values):
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip})
        return self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': supplier.id, 'ref': received.invoice_number, 'invoice_date': received.issue_date,
            'invoice_line_ids': [(0, 0, {'name': "OCR", 'price_unit': 1, 'tax_ids': []})]} | values)

    def test_replace_a_draft(self):
        """A draft that a mail or OCR made before takes the lines of the invoice; attachments and notes stay."""
        received = self.fetch('goods')
        draft = self.draft(received)
        draft.message_post(body="From the mailbox")
        attachment = self.env['ir.attachment'].create({'name': 'scan.pdf', 'raw': b'%PDF', 'res_model': 'account.move', 'res_id': draft.id})
        received.action_make_bill()
        self.assertEqual((received.candidate_id, received.candidate_state), (draft, 'draft'))
        received.action_replace_draft()
        self.assertEqual((received.state, received.move_id, received.candidate_id.id), ('imported', draft, False))
        self.assertEqual((draft.amount_total, draft.ksef_bill_problem, len(draft.invoice_line_ids)), (1052.88, False, 2))
        self.assertTrue(attachment.exists())
        self.assertTrue(draft.message_ids.filtered(lambda message: "From the mailbox" in message.body))
        self.assertEqual(draft.ksef_received_number, received.ksef_number)

    def test_not_a_draft_any_more(self):
        received = self.fetch('goods')
        draft = self.draft(received)
        received.action_make_bill()
        draft.action_post()
        with self.assertRaises(UserError):
            received.action_replace_draft()
        self.assertEqual((received.state, draft.invoice_line_ids.name), ('failed', "OCR"))

    def test_day_of_receipt(self):
        """An invoice issued offline may have been handed over before its number: deduction begins on that day."""
        xml = self.fetch('goods')._get_xml()
        for element in (b'P_1', b'P_6'):
            xml = re.sub(b'<%s>[^<]*<' % element, b'<%s>2026-01-30<' % element, xml)
        received = self.receive(xml, invoicing_mode='Offline', issue_date='2026-01-30', acquisition_date='2026-02-03 10:00:00')
        move = self.bill(received)
        self.assertEqual(move.date, date(2026, 2, 3))
        self.wizard(received, '2026-01-31').action_apply()
        self.assertEqual((received.handed_over_on, received.handed_over_reason, move.date), (
            date(2026, 1, 31), "Mailem", date(2026, 1, 31)))
        for day in ('2026-01-29', '2026-02-04'):
            with self.assertRaises(UserError):
                self.wizard(received, day).action_apply()
        move.action_post()
        with self.assertRaises(UserError):
            self.wizard(received, '2026-01-31').action_apply()

    def wizard(self, received, day):
        action = received.action_change_receipt()
        return self.env['ksef.received.receipt'].with_context(action['context']).create({'day': day, 'reason': "Mailem"})

    def test_online_invoices_are_received_with_their_number(self):
        received = self.fetch('goods')
        with self.assertRaises(UserError):
            self.wizard(received, received.issue_date).action_apply()

    def test_dispute_by_mail(self):
        """The mail is a draft in the seller's language; nothing is sent by itself, and what the seller wrote is text."""
        received = self.fetch('goods')
        partner = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip, 'email': "h@example.com"})
        received._set_aside('disputed', "Nie zamawialiśmy <b>tego</b>")
        context = received.action_write_to_seller()['context']
        composer = self.env['mail.compose.message'].with_context(context).create({})
        self.assertEqual(composer.partner_ids, partner)
        self.assertIn(received.ksef_number, composer.body)
        self.assertIn("&lt;b&gt;tego", composer.body)
        self.assertFalse(received.message_ids.filtered(lambda message: message.message_type == 'comment'))
        self.assertIn(received.invoice_number, composer.subject)
