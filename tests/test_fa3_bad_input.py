"""Bad input: an answer for each, never a traceback, never a silently different invoice; and a test for every refusal."""
# pylint: disable=possibly-used-before-assignment
import ast
import re
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from odoo import Command
from odoo.tests import tagged

from ..ksef.fa3 import reader
from ..models.ksef_invoice_texts import TEXTS
from .test_fa3_corrections import NUMBER, CorrectionCommon

D = Decimal
ADDON = Path(__file__).resolve().parents[1]
CODE = re.compile('[a-z]+(-[a-z0-9]+)+')
MANY = 10_000


@tagged('post_install', '-at_install')
class TestTexts(CorrectionCommon):
    """Whatever people paste: what XML can hold stands there as it is, anything else is named."""

    ODD = "A & B <b>x</b> ]]> \"q\" '😀👩‍👩‍👧' &amp; <!-- --> <?pi?> {{x}} %(y)s \u202eTŁUM"
    CONTROL = "a\x01b"

    def fields_of(self, move):
        """Everything with free text that an invoice can have: record, field, and where it stands in the document."""
        return (
            (move.commercial_partner_id, 'name', 'Podmiot2/DaneIdentyfikacyjne/Nazwa'),
            (move.commercial_partner_id, 'street', 'Podmiot2/Adres/AdresL1'),
            (move.company_id, 'name', 'Podmiot1/DaneIdentyfikacyjne/Nazwa'),
            (move.company_id, 'ksef_footer', 'Stopka/Informacje/StopkaFaktury'),
            (move, 'ksef_contract_number', 'Fa/WarunkiTransakcji/Umowy/NrUmowy'),
            (move, 'ksef_warehouse_documents', 'Fa/WZ'),
            (move, 'ksef_payment_form_other', 'Fa/Platnosc/OpisPlatnosci'),
            (move.invoice_line_ids, 'name', 'Fa/FaWiersz/P_7'),
            (move.ksef_remark_ids, 'value', 'Fa/DodatkowyOpis/Wartosc'),
        )

    def invoice(self):
        return self.new_invoice(ksef_payment_form='other', ksef_payment_form_other="x", ksef_remark_ids=[
            Command.create({'key': "Projekt", 'value': "Alfa"})])

    def test_markup_and_emoji_stand_as_they_are(self):
        move = self.invoice()
        for record, field, path in self.fields_of(move):
            with self.subTest(f'{record._name}.{field}'):
                record[field] = self.ODD
                self.assertEqual(self.one(self.render(move), path), self.ODD)

    def test_control_characters_are_named(self):
        for number in range(9):
            move = self.invoice()
            record, field, _path = self.fields_of(move)[number]
            with self.subTest(f'{record._name}.{field}'), self.env.cr.savepoint() as savepoint:
                record[field] = self.CONTROL
                findings = [found for found in move._ksef_render().findings if found['code'] == 'character-forbidden']
                self.assertEqual(len(findings), 1)
                self.assertIn("U+0001", findings[0]['message'])
                self.assertIn(findings[0]['res_model'], (record._name, 'res.company', 'account.move'))
                savepoint.rollback()
            self.env.invalidate_all()

    def test_corrections_with_odd_reasons(self):
        move = self.original()
        root = self.render(self.credit(move, reason=self.ODD))
        self.assertEqual(self.one(root, 'Fa/PrzyczynaKorekty'), self.ODD)
        self.refused(self.credit(self.original(), reason="x" * 257), 'text-too-long')


@tagged('post_install', '-at_install')
class TestSizes(CorrectionCommon):

    def multiplied(self, count):
        """An invoice with so many more lines of zero: written behind Odoo's back, which would take minutes."""
        move = self.new_invoice({'name': "Towar"}, {'name': "Gratis", 'price_unit': 0})
        line = move.invoice_line_ids.sorted('id')[1]
        self.env.flush_all()
        columns = ', '.join(
            f'"{name}"' for name, field in self.env['account.move.line']._fields.items()
            if field.store and field.column_type and name != 'id')
        for table, key, value in (('account_move_line_account_tax_rel', 'account_move_line_id', 'account_tax_id'),
                                  ('account_account_tag_account_move_line_rel', 'account_move_line_id', 'account_account_tag_id')):
            self.env.cr.execute(f'SELECT {value} FROM {table} WHERE {key} = %s', [line.id])
            linked = [row[0] for row in self.env.cr.fetchall()]
            if table.startswith('account_move_line_account_tax'):
                self.env.cr.execute(
                    f'INSERT INTO account_move_line ({columns}) SELECT {columns} FROM account_move_line, generate_series(1, %s) '
                    f'WHERE id = %s RETURNING id', [count - 2, line.id])
                copies = [row[0] for row in self.env.cr.fetchall()]
            for linked_id in linked:
                self.env.cr.execute(f'INSERT INTO {table} ({key}, {value}) SELECT unnest(%s), %s', [copies, linked_id])
        self.env.invalidate_all()
        return move

    def test_ten_thousand_lines(self):
        """As many as the schema takes; the limit of the file is reached before, and one line more is too many."""
        move = self.multiplied(MANY)
        began = time.process_time()
        finding = self.refused(move, 'file-size')
        self.assertLess(time.process_time() - began, 60)
        self.assertIn("1000000", finding['message'])
        self.assertEqual([found['code'] for found in move._ksef_render().findings], ['file-size'])
        finding = self.refused(self.multiplied(MANY + 1), 'too-many')
        self.assertIn("10000", finding['message'])

    def test_two_thousand_lines(self):
        root = self.render(self.multiplied(2000))
        self.assertEqual(len(self.rows(root)), 2000)
        self.assertEqual(self.sums(root), {'P_13_1': D('100.00'), 'P_14_1': D('23.00')})


@tagged('post_install', '-at_install')
class TestNumbers(CorrectionCommon):

    def test_groszy_and_digits(self):
        """Halves are rounded as Odoo booked them; what has too many digits is named, never rounded away."""
        self.env.ref('uom.decimal_product_uom').digits = 8
        self.env.ref('product.decimal_price').digits = 8
        for price, quantity in ((0.005, 1), (0.015, 3), (1.005, 1), (2.675, 1), (0.335, 0.5), (10.125, 4)):
            with self.subTest(price, quantity=quantity):
                move = self.new_invoice({'price_unit': price, 'quantity': quantity})
                root = self.render(move)
                self.assertEqual(sum(self.sums(root).values()), D(f'{move.amount_total:.2f}'))
                self.assertEqual(self.sums(root)['P_13_1'], D(f'{move.amount_untaxed:.2f}'))
        finding = self.refused(self.new_invoice({'quantity': 0.12345678}), 'number-decimals')
        self.assertIn("0.12345678", finding['message'])
        self.assertIn("Line 1", finding['field'])

    def test_numbers_that_are_too_large(self):
        move = self.new_invoice({'price_unit': 1e12})
        self.render(move)
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_move_line SET price_unit = 1e17 WHERE id = %s", [move.invoice_line_ids.id])
        self.env.invalidate_all()
        self.assertIn('line-arithmetic', self.codes(move))

    def test_currency_of_a_refund(self):
        euro = self.env.ref('base.EUR')
        euro.active = True
        self.env['res.currency.rate'].create({
            'currency_id': euro.id, 'name': '2026-01-01', 'inverse_company_rate': 4.25, 'company_id': self.company.id})
        refund = self.credit(self.original(), post=False)
        refund.currency_id = euro
        refund.action_post()
        self.refused(refund, 'correction-currency')

    def test_missing_addresses(self):
        buyer = self.env['res.partner'].create({'name': "Nigdzie sp. z o.o.", 'is_company': True, 'vat': 'PL7740001454'})
        finding = self.refused(self.new_invoice(partner_id=buyer.id), 'buyer-address-missing')
        self.assertEqual((finding['res_model'], finding['res_id']), ('res.partner', buyer.id))


@tagged('post_install', '-at_install')
class TestRefusalsOneByOne(CorrectionCommon):
    """Refusals and warnings that have no other test."""

    def test_company_in_another_currency(self):
        move = self.new_invoice()
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_company SET currency_id = %s WHERE id = %s", [self.env.ref('base.EUR').id, self.company.id])
        self.env.invalidate_all()
        self.refused(move, 'company-currency')

    def test_no_rate_of_exchange(self):
        move = self.new_invoice()
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_move SET invoice_currency_rate = 0 WHERE id = %s", [move.id])
        self.env.invalidate_all()
        self.refused(move, 'currency-rate')

    def test_several_kinds_of_margin(self):
        taxes = [self.chart_tax('vs_kraj_23').copy({'name': kind, 'amount': 0}) for kind in ('MARGIN_ART', 'MARGIN_TOURISM')]
        for tax in taxes:
            tax.repartition_line_ids.tag_ids = False
            tax.ksef_rate = tax.name
        self.refused(self.new_invoice({'tax': taxes[0]}, {'tax': taxes[1]}), 'margin-kinds')

    def test_refund_of_a_receipt(self):
        receipt = self.new_invoice(move_type='out_receipt')
        self.env.flush_all()
        refund = self.new_invoice(move_type='out_refund', post=False)
        refund.reversed_entry_id = receipt
        refund.action_post()
        self.assertIn('correction-receipt', self.codes(refund))

    def test_buyer_that_is_not_known_here(self):
        self.refused(self.credit(self.original(), ksef_correction_kind='buyer'), 'correction-buyer-unknown')

    def test_order_line_without_tax(self):
        move = self.new_invoice(ksef_special_kind='advance', ksef_order_line_ids=[Command.create({'name': "Meble", 'price_unit': 500})])
        finding = self.refused(move, 'order-line-taxes')
        self.assertEqual(finding['res_model'], 'ksef.order.line')

    def test_days_of_delivery(self):
        today = self.env['account.move']._ksef_today()
        earlier = today - timedelta(days=3)
        self.warned(self.new_invoice(taxable_supply_date=False, delivery_date=earlier), 'supply-date-delivery')
        self.warned(self.new_invoice(taxable_supply_date=today, delivery_date=earlier), 'supply-date-conflict-same')

    def test_every_refusal_has_a_text_and_a_test(self):
        """A refusal that nothing breaks could as well not be there."""
        sources = [*(ADDON / 'models').glob('ksef_invoice_*.py'), *(ADDON / 'models').glob('account_move_fa3*.py')]
        codes = set()
        for path in sources:
            if path.name.startswith(('ksef_invoice_texts', 'ksef_invoice_findings')):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                    codes.add(node.value)
        self.assertGreater(len(codes), 50)
        self.assertEqual(codes - TEXTS.keys(), set())
        tests = '\n'.join(path.read_text(encoding='utf-8') for path in Path(__file__).parent.glob('**/test_*.py'))
        self.assertEqual({code for code in codes if f"'{code}'" not in tests}, set())


@tagged('post_install', '-at_install')
class TestNothingChangesSilently(CorrectionCommon):

    def test_what_is_read_back_is_what_was_entered(self):
        move = self.new_invoice(
            {'name': "A ]]> 😀", 'quantity': 1.5, 'price_unit': 33.33, 'discount': 12.5},
            {'name': "B", 'tax': self.tax_8, 'price_unit': 0.015}, {'name': "C", 'price_unit': 0})
        invoice = reader.read(move._ksef_render().xml)
        items = move.invoice_line_ids.sorted(lambda line: (line.sequence, line.id))
        self.assertEqual(
            [(line.name, line.quantity, line.unit_price, line.net) for line in invoice.lines],
            [(item.name, D(f'{item.quantity:.6f}'), D(f'{item.price_unit:.8f}'), D(f'{item.price_subtotal:.2f}')) for item in items])
        self.assertEqual(invoice.total, D(f'{move.amount_total:.2f}'))
        self.assertEqual(invoice.number, move.name)
        self.assertIsNone(invoice.correction)
        self.assertNotIn(NUMBER, move._ksef_render().xml.decode())
