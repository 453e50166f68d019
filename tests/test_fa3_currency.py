"""Invoices in foreign currency: tax in PLN, the rate on the lines, and which day's rate the law prescribes."""
import random
from datetime import date
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.account_move_fa3_currency import working_day_before
from .test_fa3_corrections import CorrectionCommon

D = Decimal


class CurrencyCommon(CorrectionCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.euro = cls.env.ref('base.EUR')
        cls.euro.active = True
        cls.today = cls.env['account.move']._ksef_today()
        cls.lawful_day = working_day_before(cls.today)
        cls.env['res.currency.rate'].search([('currency_id', '=', cls.euro.id)]).unlink()
        cls.set_rate('2026-01-01', 4.2)
        cls.set_rate(cls.lawful_day, 4.2567)

    @classmethod
    def set_rate(cls, day, rate):
        cls.env['res.currency.rate'].create({
            'currency_id': cls.euro.id, 'name': day, 'inverse_company_rate': rate, 'company_id': cls.company.id})

    def check_pln(self, move, root):
        """Tax in PLN is what the journal entry has, and the rate of the lines explains it."""
        for element, percent in (('1', 23), ('2', 8), ('3', 5)):
            items = move.line_ids.filtered(lambda item, amount=percent: item.tax_line_id.amount == amount)
            sums = self.sums(root)
            self.assertEqual(f'P_14_{element}W' in sums, f'P_14_{element}' in sums)
            if items:
                self.assertEqual(sums[f'P_14_{element}W'], -sum(D(f'{item.balance:.2f}') for item in items))
                self.assertEqual(sums[f'P_14_{element}'], -sum(D(f'{item.amount_currency:.2f}') for item in items))
                rate = {D(text) for text in self.all(root, 'Fa/FaWiersz/KursWaluty')}.pop()
                self.assertLessEqual(abs(sums[f'P_14_{element}'] * rate - sums[f'P_14_{element}W']), rate * D('0.005') + D('0.01'))


@tagged('post_install', '-at_install')
class TestCurrency(CurrencyCommon):

    def test_working_days(self):
        cases = {
            '2026-11-23': '2026-11-20', '2026-11-12': '2026-11-10', '2026-04-07': '2026-04-03', '2026-06-05': '2026-06-03',
            '2026-12-28': '2026-12-23', '2024-12-25': '2024-12-24', '2027-01-07': '2027-01-05', '2026-05-04': '2026-04-30',
        }
        for day, before in cases.items():
            self.assertEqual(working_day_before(date.fromisoformat(day)).isoformat(), before)

    def test_invoice_in_euro(self):
        move = self.new_invoice({'price_unit': 1000, 'quantity': 3}, {'price_unit': 10, 'tax': self.tax_8}, currency_id=self.euro.id)
        root = self.render(move)
        self.assertEqual(self.one(root, 'Fa/KodWaluty'), 'EUR')
        self.assertEqual(self.all(root, 'Fa/FaWiersz/KursWaluty'), ['4.2567'] * 2)
        self.assertEqual(self.sums(root), {
            'P_13_1': D('3000.00'), 'P_14_1': D('690.00'), 'P_14_1W': D('2937.12'),
            'P_13_2': D('10.00'), 'P_14_2': D('0.80'), 'P_14_2W': D('3.41')})
        self.assertEqual(self.one(root, 'Fa/P_15'), '3700.80')
        self.assertNotIn('currency-rate-date', self.codes(move))
        self.check_pln(move, root)

    def test_lines_without_tax_have_no_rate(self):
        german = self.new_partner(name="EFG GmbH", country='de', vat='DE123456788', city="Berlin", zip="10999")
        root = self.render(self.new_invoice(
            {'tax': self.chart_tax('vs_unia')}, currency_id=self.euro.id, partner_id=german.id))
        self.assertEqual((self.all(root, 'Fa/FaWiersz/KursWaluty'), self.sums(root)), ([], {'P_13_6_2': D('100.00')}))

    def test_rate_of_another_day_is_named_and_corrected(self):
        self.set_rate(self.today, 4.3)
        move = self.new_invoice({}, currency_id=self.euro.id)
        self.assertEqual(self.sums(self.render(move))['P_14_1W'], D('98.90'))
        finding = self.warned(move, 'currency-rate-date')
        self.assertIn(self.lawful_day.isoformat(), finding['message'])
        number = move.name
        move.action_ksef_apply_lawful_rate()
        self.assertEqual((move.state, move.name, move.ksef_rate_date), ('posted', number, self.lawful_day))
        self.assertEqual(self.sums(self.render(move))['P_14_1W'], D('97.90'))
        self.assertEqual(self.codes(move), [])

    def test_rate_that_odoo_does_not_have(self):
        self.env['res.currency.rate'].search([('currency_id', '=', self.euro.id), ('name', '=', self.lawful_day)]).unlink()
        self.set_rate(self.today, 4.3)
        move = self.new_invoice({}, currency_id=self.euro.id)
        with self.assertRaisesRegex(UserError, self.lawful_day.isoformat()):
            move.action_ksef_apply_lawful_rate()
        move.ksef_rate_date = self.lawful_day  # somebody has typed the rate of that day
        self.assertEqual(self.codes(move), [])

    def test_day_of_the_rate_follows_the_earlier_date(self):
        move = self.new_invoice({}, currency_id=self.euro.id, taxable_supply_date='2026-11-12', invoice_date='2026-11-16')
        self.assertEqual(move.ksef_lawful_rate_date, date(2026, 11, 10))
        move = self.new_invoice({}, currency_id=self.euro.id, taxable_supply_date='2026-11-16', invoice_date='2026-11-12')
        self.assertEqual(move.ksef_lawful_rate_date, date(2026, 11, 10))

    def test_correction_keeps_the_rate_of_the_original(self):
        move = self.original({'price_unit': 1000}, currency_id=self.euro.id)
        self.set_rate(self.today, 4.4)
        refund = self.credit(move, {'price_unit': 100})
        root = self.render(refund)
        self.assertEqual(set(self.all(root, 'Fa/FaWiersz/KursWaluty')), {'4.2567'})
        self.assertEqual(self.sums(root), {'P_13_1': D('-100.00'), 'P_14_1': D('-23.00'), 'P_14_1W': D('-97.90')})
        self.assertEqual(self.codes(refund), ['original-unseen'], "another program has sent the original")

    def test_correction_with_another_rate_than_the_original(self):
        move = self.original({'price_unit': 1000}, currency_id=self.euro.id)
        self.set_rate(self.today, 4.4)
        refund = move._reverse_moves([{'invoice_date': self.today}])
        refund.action_post()
        self.assertIn("4.2567", self.warned(refund, 'currency-rate-original')['message'])
        refund.action_ksef_apply_lawful_rate()
        self.assertEqual((self.codes(refund), self.sums(self.render(refund))['P_14_1W']), (['original-unseen'], D('-979.04')))

    def test_correction_in_another_currency(self):
        move = self.original()
        refund = self.credit(move, post=False)
        refund.currency_id = self.euro
        refund.action_post()
        self.refused(refund, 'correction-currency')

    def test_currencies_that_ksef_cannot_hold(self):
        dinar = self.env['res.currency'].search([('name', '=', 'KWD'), ('active', 'in', [True, False])])
        dinar.write({'active': True, 'rounding': 0.001})
        self.refused(self.new_invoice({'price_unit': 1.234}, currency_id=dinar.id), 'currency-decimals')

    def test_random_invoices_in_euro(self):
        source = random.Random(4)
        taxes = [self.tax_23, self.tax_8, self.tax_5]
        for method in ('round_per_line', 'round_globally'):
            self.company.tax_calculation_rounding_method = method
            for number in range(6):
                lines = [{
                    'tax': source.choice(taxes), 'quantity': source.choice([1, 3, 12.5]),
                    'price_unit': source.choice([0.335, 19.99, 33.333, 1234.5]), 'discount': source.choice([0, 0, 12.5]),
                } for _line in range(source.randint(1, 8))]
                with self.subTest(f"{method} {number}"):
                    move = self.new_invoice(*lines, currency_id=self.euro.id)
                    root = self.render(move)
                    self.check_pln(move, root)
                    total = sum(value for name, value in self.sums(root).items() if not name.endswith('W'))
                    self.assertEqual(D(self.one(root, 'Fa/P_15')), total)
                    self.assertEqual(total, D(f'{move.amount_total:.2f}'))
