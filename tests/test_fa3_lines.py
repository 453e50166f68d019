"""Lines: names, units, precision, discounts, rounding, sections and notes."""
import random
from decimal import Decimal

from odoo.tests import tagged

from .test_fa3_common import NS, Fa3Common

D = Decimal


@tagged('post_install', '-at_install')
class TestLines(Fa3Common):

    def rows(self, root):
        """The lines of the XML: [{element: text}]."""
        return [
            {child.tag.rpartition('}')[2]: child.text for child in row}
            for row in root.findall('fa:Fa/fa:FaWiersz', NS)
        ]

    def row(self, **line):
        """The only line of an invoice with this line."""
        [row] = self.rows(self.render(self.new_invoice(line)))
        return row

    def test_plain_line(self):
        row = self.row(name="Towar", quantity=3, price_unit=12.5)
        uid = row.pop('UU_ID')
        self.assertEqual(len(uid), 36)
        self.assertEqual(row, {
            'NrWierszaFa': '1', 'P_7': "Towar", 'P_8B': '3', 'P_9A': '12.50', 'P_11': '37.50',
            'P_12': '23'})

    def test_identifiers_are_unique_and_stable(self):
        move = self.new_invoice({}, {}, {})
        first, second = (self.all(self.render(move), 'Fa/FaWiersz/UU_ID') for _time in range(2))
        self.assertEqual(first, second)
        self.assertEqual(len(set(first)), 3)

    def test_unit_and_goods_code(self):
        kilogram = self.env.ref('uom.product_uom_kgm')
        product = self.env['product.product'].create(
            {'name': "Miedź", 'uom_id': kilogram.id, 'l10n_pl_vat_gtu': 'GTU_08'})
        row = self.row(product_id=product.id, name="Miedź", price_unit=5)
        self.assertEqual((row['P_8A'], row['GTU']), (kilogram.name, 'GTU_08'))

    def test_units_are_polish_whatever_the_user_speaks(self):
        self.env['res.lang']._activate_lang('pl_PL')
        kilogram = self.env.ref('uom.product_uom_kgm')
        kilogram.with_context(lang='pl_PL').name = "kilogram"
        move = self.new_invoice({'product_uom_id': kilogram.id})
        for language in ('en_US', 'pl_PL'):
            root = self.render(move.with_context(lang=language))
            self.assertEqual(self.one(root, 'Fa/FaWiersz/P_8A'), "kilogram")

    def test_same_bytes_for_every_user_and_language(self):
        self.env['res.lang']._activate_lang('pl_PL')
        move = self.new_invoice({'name': "Zażółć"}, {'tax': self.chart_tax('vs_kraj_8')})
        moment = self.env.cr.now()
        self.env.user.tz = 'Pacific/Auckland'
        rendered = {
            move.with_context(lang=lang, tz=tz)._ksef_render(moment).xml
            for lang in ('en_US', 'pl_PL') for tz in ('UTC', 'Pacific/Auckland')}
        self.assertEqual(len(rendered), 1)

    def test_names_are_put_on_one_line(self):
        row = self.row(name="  Zestaw\n\n- stół\t(dąb)\x0b\r\n- 4   krzesła ")
        self.assertEqual(row['P_7'], "Zestaw - stół (dąb) - 4 krzesła")

    def test_names_with_markup_and_emoji(self):
        name = "A & B <b>x</b> ]]> \"q\" 😀 Zażółć"
        self.assertEqual(self.row(name=name)['P_7'], name)

    def test_characters_that_ksef_refuses(self):
        for character in ('\x01', '\x1b', '\x7f', '\x86', '\ufdd0', '\ufffe', '\U0001fffe'):
            with self.subTest(ascii(character)):
                finding = self.refused(self.new_invoice({'name': f"ab{character}c"}), 'character-forbidden')
                self.assertIn(f"U+{ord(character):04X}", finding['message'])
                self.assertIn("position 3", finding['message'])
                self.assertEqual(finding['res_model'], 'account.move.line')

    def test_long_name_is_shortened_and_kept_in_full(self):
        words = " ".join(f"słowo{number}" for number in range(120))
        root = self.render(self.new_invoice({'name': "krótko"}, {'name': words}))
        name = self.all(root, 'Fa/FaWiersz/P_7')[1]
        self.assertLessEqual(len(name), 512)
        self.assertTrue(name.endswith('…'))
        self.assertTrue(words.startswith(name.removesuffix('…') + " "), "cut at a word")
        self.assertEqual(" ".join(self.all(root, 'Fa/DodatkowyOpis/Wartosc')), words)
        self.assertEqual(set(self.all(root, 'Fa/DodatkowyOpis/Klucz')), {"Pełna nazwa"})
        self.assertEqual(set(self.all(root, 'Fa/DodatkowyOpis/NrWiersza')), {'2'})

    def test_name_of_exactly_512_characters(self):
        root = self.render(self.new_invoice({'name': 'x' * 512}))
        self.assertEqual(self.one(root, 'Fa/FaWiersz/P_7'), 'x' * 512)
        self.assertEqual(self.all(root, 'Fa/DodatkowyOpis/Wartosc'), [])

    def test_a_line_without_a_name_is_refused(self):
        self.refused(self.new_invoice({'name': False}), 'line-name-missing')
        self.refused(self.new_invoice({'name': " \n "}), 'line-name-missing')

    def test_sections_and_notes_do_not_vanish(self):
        root = self.render(self.new_invoice(
            {'display_type': 'line_note', 'name': "na wstępie"},
            {'display_type': 'line_section', 'name': "Część I"},
            {'name': "A"}, {'display_type': 'line_note', 'name': "gwarancja\n24 miesiące"},
            {'display_type': 'line_subsection', 'name': "Część I.1"}, {'name': "B"},
            {'display_type': 'line_section', 'name': "Koniec"}))
        self.assertEqual(self.all(root, 'Fa/FaWiersz/P_7'), ["A", "B"])
        remarks = [
            (self.one(remark, 'NrWiersza'), self.one(remark, 'Klucz'), self.one(remark, 'Wartosc'))
            for remark in root.findall('fa:Fa/fa:DodatkowyOpis', NS)]
        self.assertEqual(remarks, [
            (None, "Uwaga", "na wstępie"), ('1', "Sekcja", "Część I"), ('1', "Uwaga", "gwarancja 24 miesiące"),
            ('2', "Podsekcja", "Część I.1"), (None, "Sekcja", "Koniec")])

    def test_long_note_goes_into_several_remarks(self):
        text = " ".join(["klauzula"] * 100)
        root = self.render(self.new_invoice({}, {'display_type': 'line_note', 'name': text}))
        values = self.all(root, 'Fa/DodatkowyOpis/Wartosc')
        self.assertEqual((" ".join(values), max(map(len, values)) <= 256), (text, True))

    def test_fault_in_a_note_names_the_note(self):
        move = self.new_invoice({}, {'display_type': 'line_note', 'name': "x\x02"})
        finding = self.refused(move, 'character-forbidden')
        note = move.invoice_line_ids.filtered(lambda line: line.display_type == 'line_note')
        self.assertEqual(finding['res_id'], note.id)

    def test_order_of_lines_is_the_printed_one(self):
        move = self.new_invoice({'name': "C", 'sequence': 30}, {'name': "A", 'sequence': 10}, {'name': "B", 'sequence': 20})
        self.assertEqual(self.all(self.render(move), 'Fa/FaWiersz/P_7'), ["A", "B", "C"])

    def test_zero_lines_are_kept(self):
        root = self.render(self.new_invoice({}, {'name': "gratis", 'price_unit': 0}))
        rows = self.rows(root)
        self.assertEqual([row['P_7'] for row in rows], ["Towar", "gratis"])
        self.assertEqual((rows[1]['P_9A'], rows[1]['P_11'], rows[1]['P_12']), ('0.00', '0.00', '23'))

    def test_zero_line_without_tax_is_refused(self):
        move = self.new_invoice({}, {'name': "gratis", 'price_unit': 0, 'tax_ids': False})
        finding = self.refused(move, 'line-without-tax')
        self.assertIn("Line 2 (gratis)", finding['field'])

    def test_discount(self):
        row = self.row(quantity=3, price_unit=33.33, discount=10)
        self.assertEqual((row['P_8B'], row['P_9A'], row['P_10'], row['P_11']), ('3', '33.33', '10.00', '89.99'))

    def test_full_discount(self):
        root = self.render(self.new_invoice({}, {'price_unit': 12.34, 'quantity': 2, 'discount': 100}))
        row = self.rows(root)[1]
        self.assertEqual((row['P_9A'], row['P_10'], row['P_11']), ('12.34', '24.68', '0.00'))

    def test_discounts_that_are_none(self):
        for percent in (-10, 110):
            self.refused(self.new_invoice({}, {'discount': percent, 'price_unit': 1}), 'line-discount')

    def test_negative_line_is_a_discount_of_the_sale(self):
        move = self.new_invoice({'price_unit': 100}, {'name': "rabat", 'quantity': -1, 'price_unit': 30})
        self.assertIn("Line 2 (rabat)", self.warned(move, 'line-negative')['field'])
        row = self.rows(self.render(move))[1]
        self.assertEqual((row['P_8B'], row['P_9A'], row['P_11']), ('-1', '30.00', '-30.00'))
        self.assertEqual(self.sums(self.render(move)), {'P_13_1': D('70.00'), 'P_14_1': D('16.10')})

    def test_a_rate_that_takes_back_more_than_it_charges_is_a_correction(self):
        move = self.new_invoice(
            {'price_unit': 100}, {'name': "zwrot", 'price_unit': -30, 'tax': self.chart_tax('vs_kraj_8')})
        self.refused(move, 'sum-negative')

    def test_prices_with_many_digits(self):
        cases = {0.12345678: '0.12345678', 1.1: '1.10', 0.1 + 0.2: '0.30', 12345678.12: '12345678.12', 100.0: '100.00'}
        for price, text in cases.items():
            with self.subTest(price):
                self.assertEqual(self.row(price_unit=price, quantity=7)['P_9A'], text)

    def test_price_that_was_calculated_is_rounded_to_8_digits(self):
        """A third, or a net price from a gross one, has no end: it was never a decimal number."""
        self.assertEqual(self.row(price_unit=100 / 1.23, quantity=1)['P_9A'], '81.30081301')
        self.assertEqual(self.row(price_unit=1 / 3, quantity=3)['P_9A'], '0.33333333')

    def test_price_with_nine_digits_is_refused(self):
        finding = self.refused(self.new_invoice({'price_unit': 0.123456789}), 'number-decimals')
        self.assertIn("Unit Price", finding['field'])
        self.assertEqual(finding['value'], '0.123456789')

    def test_quantities(self):
        self.env.ref('uom.decimal_product_uom').digits = 8
        self.assertEqual(self.row(quantity=1.234567, price_unit=10)['P_8B'], '1.234567')
        self.assertIn("Quantity", self.refused(
            self.new_invoice({'quantity': 1.23456789, 'price_unit': 10}), 'number-decimals')['field'])

    def test_value_that_does_not_follow_from_the_price(self):
        move = self.new_invoice({})
        self.env.cr.execute(
            "UPDATE account_move_line SET price_unit = 101 WHERE id = %s", [move.invoice_line_ids.id])
        self.env.invalidate_all()
        finding = self.refused(move, 'line-arithmetic')
        self.assertIn("101.00", finding['message'])

    def test_value_that_does_not_follow_from_the_discount(self):
        move = self.new_invoice({'quantity': 2, 'price_unit': 50, 'discount': 10})
        self.env.cr.execute(
            "UPDATE account_move_line SET discount = 11 WHERE id = %s", [move.invoice_line_ids.id])
        self.env.invalidate_all()
        finding = self.refused(move, 'line-arithmetic')
        self.assertIn("89.00", finding['message'])
        self.assertEqual((finding['res_id'], finding['value']), (move.invoice_line_ids.id, '90.00'))


@tagged('post_install', '-at_install')
class TestRounding(Fa3Common):
    """Independent arithmetic: everything is counted again from the journal items and from the XML alone."""

    TAXES = ('vs_kraj_23', 'vs_kraj_8', 'vs_kraj_5', 'vs_kraj_0')
    PERCENT = {'23': 23, '8': 8, '5': 5, '0 KR': 0}
    ELEMENTS = {'23': ('P_13_1', 'P_14_1'), '8': ('P_13_2', 'P_14_2'), '5': ('P_13_3', 'P_14_3'), '0 KR': ('P_13_6_1', None)}

    def check_against_journal(self, move):
        root = self.render(move)
        sums = self.sums(root)
        expected = {}
        for item in move.line_ids:
            tax = item.tax_ids if item.display_type == 'product' else item.tax_line_id
            if tax and item.display_type in ('product', 'tax'):
                code = {23: '23', 8: '8', 5: '5', 0: '0 KR'}[tax.amount]
                element = self.ELEMENTS[code][item.display_type == 'tax']
                expected[element] = expected.get(element, D(0)) - D(f'{item.balance:.2f}')
        for base, tax in self.ELEMENTS.values():
            if tax and base in expected:
                expected.setdefault(tax, D(0))
        self.assertEqual(sums, expected)
        total = D(self.one(root, 'Fa/P_15'))
        self.assertEqual(total, D(f'{move.amount_total:.2f}'))
        self.assertEqual(total, sum(sums.values()))
        receivable = sum(move.line_ids.filtered(lambda item: item.display_type == 'payment_term').mapped('balance'))
        self.assertEqual(total, D(f'{receivable:.2f}'))
        self.check_lines(root, sums)

    def check_lines(self, root, sums):
        rows = root.findall('fa:Fa/fa:FaWiersz', NS)
        nets = {}
        for row in rows:
            quantity, price, net = (D(self.one(row, name)) for name in ('P_8B', 'P_9A', 'P_11'))
            discount = D(self.one(row, 'P_10') or 0)
            self.assertLessEqual(abs(quantity * price - discount - net), D('0.0051'))
            nets.setdefault(self.one(row, 'P_12'), []).append(net)
        for code, values in nets.items():
            base, tax = self.ELEMENTS[code]
            self.assertLessEqual(abs(sum(values) - sums[base]), D('0.005') * (len(rows) + 2))
            if tax:
                self.assertLessEqual(
                    abs(sums[base] * self.PERCENT[code] / 100 - sums[tax]), D('0.005') * (len(rows) + 2))

    def random_lines(self, source):
        return [
            {
                'tax': self.chart_tax(source.choice(self.TAXES)),
                'quantity': source.choice([1, 2, 3, 0.5, 12.12, 7.25, 100]),
                'price_unit': source.choice([0.01, 0.005, 0.335, 12.12, 19.99, 0.12345678, 1234.5, 33.333]),
                'discount': source.choice([0, 0, 0, 5, 12.5, 33.33, 100]),
            } for _line in range(source.randint(1, 12))
        ]

    def test_random_invoices_agree_with_the_journal(self):
        source = random.Random(20261121)
        for method in ('round_per_line', 'round_globally'):
            self.company.tax_calculation_rounding_method = method
            for number in range(10):
                with self.subTest(f"{method} {number}"):
                    self.check_against_journal(self.new_invoice(*self.random_lines(source)))

    def test_half_groszy(self):
        """Three times 0.005: 0.01 on each line, 0.02 in all when rounded once."""
        expected = {'round_per_line': D('0.03'), 'round_globally': D('0.02')}
        for method, base in expected.items():
            self.company.tax_calculation_rounding_method = method
            move = self.new_invoice(*[{'price_unit': 0.005}] * 3)
            self.check_against_journal(move)
            root = self.render(move)
            self.assertEqual(self.all(root, 'Fa/FaWiersz/P_11'), ['0.01'] * 3)
            self.assertEqual(self.sums(root)['P_13_1'], base, method)

    def test_tax_of_many_small_lines(self):
        expected = {'round_per_line': D('0.00'), 'round_globally': D('0.28')}
        for method, tax in expected.items():
            self.company.tax_calculation_rounding_method = method
            move = self.new_invoice(*[{'price_unit': 0.02}] * 60)
            self.check_against_journal(move)
            self.assertEqual(self.sums(self.render(move))['P_14_1'], tax)

    def test_tax_that_does_not_follow_from_the_rate(self):
        move = self.new_invoice({'price_unit': 1000})
        tax_item = move.line_ids.filtered('tax_line_id')
        terms = move.line_ids.filtered(lambda item: item.display_type == 'payment_term')
        self.env.cr.execute("UPDATE account_move_line SET balance = balance - 1 WHERE id = %s", [tax_item.id])
        self.env.cr.execute("UPDATE account_move_line SET balance = balance + 1 WHERE id = %s", [terms.id])
        self.env.cr.execute("UPDATE account_move SET amount_total = amount_total + 1 WHERE id = %s", [move.id])
        self.env.invalidate_all()
        finding = self.refused(move, 'tax-sum')
        self.assertIn("230.00", finding['message'])
        self.assertIn("231.00", finding['message'])

    def test_sums_that_do_not_follow_from_the_lines(self):
        move = self.new_invoice({'price_unit': 1000})
        item = move.invoice_line_ids
        self.env.cr.execute("UPDATE account_move_line SET balance = balance - 5 WHERE id = %s", [item.id])
        self.env.cr.execute("UPDATE account_move SET amount_total = amount_total + 5 WHERE id = %s", [move.id])
        self.env.invalidate_all()
        self.assertIn("1005.00", self.refused(move, 'net-sum')['message'])

    def test_total_that_is_not_the_sum(self):
        move = self.new_invoice({'price_unit': 1000})
        self.env.cr.execute("UPDATE account_move SET amount_total = amount_total + 0.01 WHERE id = %s", [move.id])
        self.env.invalidate_all()
        self.assertIn("1230.01", self.refused(move, 'total-sum')['message'])
