"""What accountants decide once: rules for lines, the day of receipt, drafts entered before, disputes."""
# pylint: disable=context-overridden
import re
from datetime import date
from unittest.mock import patch

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
        self.assertEqual(rule.use_count, 1)
        learned = self.env['ksef.product.map'].search([('partner_id', '=', partner.id), ('is_for_all', '=', False)])
        self.assertEqual(learned.product_id, known, "what the general rule gave is not learned again, line by line")
        with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint(), mute_logger('odoo.sql_db'):
            self.rule(partner, is_for_all=True)
            self.env.flush_all()
        with self.assertRaises(ValidationError):
            rule.tax_ids = self.tax_sale_a

    def test_learning_from_many_lines(self):
        """How many lines a bill has makes no difference to how often the rules are looked for."""
        xml = self.fetch('goods')._get_xml()
        line = re.search(rb'<FaWiersz>.*?</FaWiersz>', xml, re.DOTALL)[0]
        more = b''.join(line.replace(b'Papier', b'Papier %d' % number) for number in range(30))
        for content in (xml, xml.replace(line, line + more, 1)):
            move = self.bill(self.receive(content, invoice_number="x"))
            lines = move.invoice_line_ids
            lines.product_id = self.env['product.product'].create({'name': "Papier"})
            rules = type(self.env['ksef.product.map'])
            with patch.object(rules, '_of_supplier', autospec=True, side_effect=rules._of_supplier) as looked:
                self.env['ksef.product.map']._learn(lines)
            self.assertEqual(looked.call_count, 1, len(lines))

    def test_merge(self):
        """All chosen lines are booked alike; every text and index goes on being recognised, units stay with their rule."""
        partner = self.env['res.partner'].create({'name': "Hurtownia"})
        product = self.env['product.product'].create({'name': "Papier"})
        often = self.rule(partner, line_name="Papier A4", use_count=5, product_id=product.id)
        seldom = self.rule(partner, line_name="Papier biały", use_count=2, seller_index="P-1", uom_id=product.uom_id.id, uom_factor=12)
        same = self.rule(partner, line_name="papier a4", use_count=1)
        general = self.rule(partner, line_name="Reszta", is_for_all=True)
        for wrong in (often, often | general, often | self.rule(self.buyer)):
            with self.assertRaises(UserError):
                wrong.action_merge()
        (often | seldom | same).action_merge()
        self.assertFalse(same.exists())
        self.assertEqual((often.use_count, often.uom_factor), (6, 1))
        self.assertEqual((seldom.product_id, seldom.seller_index, seldom.uom_factor), (product, "P-1", 12))
        index, _general = often._of_supplier(self.company, partner)
        self.assertEqual(index.pick({'name': "Papier biały"})[0], seldom)

    def test_a_correction_teaches_no_unit(self):
        """A bill of 20, then a correction to 18: the refund of 2 says nothing about units."""
        original = self.fetch('goods')
        move = self.bill(original)
        move.invoice_line_ids.write({'product_id': self.env['product.product'].create({'name': "Papier"}).id})
        move.action_post()
        refund = self.bill(self.fetch('correction'))
        refund.invoice_line_ids.write({'product_id': move.invoice_line_ids[0].product_id.id})
        refund.action_post()
        self.assertEqual(set(self.env['ksef.product.map'].search([('partner_id', '=', move.partner_id.id)]).mapped('uom_factor')), {1})
        again = self.bill(self.again(original))
        self.assertEqual(again.invoice_line_ids.mapped('quantity'), [20, 2])

    def test_fractions_teach_no_unit(self):
        """A quantity that doesn't fit the digits here is booked as one; confirming that changes nothing for the next bill."""
        original = self.fetch('goods')
        xml = re.sub(rb'<P_8B>20<', b'<P_8B>0.125<', re.sub(rb'<P_9A>17.90?<', b'<P_9A>2864<', original._get_xml()))
        move = self.bill(self.receive(xml, seller_nip=original.seller_nip))
        self.assertEqual(move.invoice_line_ids[0].quantity, 1)
        move.invoice_line_ids.write({'product_id': self.env['product.product'].create({'name': "Papier"}).id})
        move.action_post()
        self.assertEqual(self.bill(original).invoice_line_ids[0].quantity, 20)

    def test_open_drafts_keep_their_total(self):
        """A rule that is learned meanwhile, with a factor that doesn't come out even, changes no total."""
        first, second = self.fetch('goods'), self.fetch('goods')
        draft, move = self.bill(second), self.bill(first)
        product = self.env['product.product'].create({'name': "Papier"})
        line = move.invoice_line_ids[0]
        line.write({'product_id': product.id, 'quantity': 0.01, 'price_unit': 35800})
        move.action_post()
        rule = self.env['ksef.product.map'].search([('product_id', '=', product.id)])
        self.assertTrue(rule.uom_factor < 1)
        self.assertEqual((draft.invoice_line_ids[0].product_id, draft.amount_total), (product, 1052.88))
        rule.uom_factor = 0.0003
        draft.invoice_line_ids[0].write({'product_id': False, 'quantity': 20, 'price_unit': 17.9})
        draft.invoice_line_ids._ksef_apply_rules(rule)
        self.assertEqual((draft.invoice_line_ids[0].quantity, draft.amount_total, draft.ksef_bill_problem), (20, 1052.88, False))
        rule.uom_factor = 1
        rule.tax_ids = self.env['ksef.bill']._tax_by_amount(self.company, 8)
        draft.invoice_line_ids[0].product_id = False
        draft.invoice_line_ids._ksef_apply_rules(rule)
        self.assertEqual(draft.amount_total, 1052.88, "a tax that charges something else is not taken")

    def test_correct_factor_can_be_unlearned(self):
        received = self.fetch('goods')
        partner = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip})
        product = self.env['product.product'].create({'name': "Papier"})
        rule = self.rule(partner, line_name="Papier biurowy A4, 80 g", product_id=product.id, uom_id=product.uom_id.id, uom_factor=5)
        move = self.bill(received)
        self.assertEqual(move.invoice_line_ids[0].quantity, 100)
        move.invoice_line_ids[0].write({'quantity': 20, 'price_unit': 17.9})
        move.action_post()
        self.assertEqual(rule.uom_factor, 1)

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
        accountant = self.env['res.users'].create({
            'name': "Ula", 'login': 'ula', 'email': 'ula@example.com', 'company_id': self.company.id,
            'company_ids': [(6, 0, self.company.ids)], 'group_ids': [(6, 0, self.env.ref('account.group_account_invoice').ids)]})
        composer = self.env['mail.compose.message'].with_user(accountant).with_context(context).create({})
        self.assertEqual(composer.partner_ids, partner)
        self.assertIn(received.ksef_number, composer.body)
        self.assertIn("&lt;b&gt;tego", composer.body)
        self.assertFalse(received.message_ids.filtered(lambda message: message.message_type == 'comment'))
        self.assertIn(received.invoice_number, composer.subject)
        composer.action_send_mail()
        self.assertEqual(received.message_ids.filtered(lambda message: message.message_type == 'comment').author_id, accountant.partner_id)
