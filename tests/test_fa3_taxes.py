"""What a tax is in FA(3), prices with tax included, and the statements that follow from taxes."""
import random
from decimal import Decimal

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_fa3_corrections import CorrectionCommon

D = Decimal


class TaxCommon(CorrectionCommon):

    @classmethod
    def own_tax(cls, name, template='vs_kraj_23', grids=True, **values):
        """A tax that an accountant has made from one of the chart."""
        tax = cls.chart_tax(template).copy({'name': name})
        if not grids:
            tax.repartition_line_ids.tag_ids = False
        tax.write(values)
        return tax

    @classmethod
    def gross_tax(cls, template='vs_kraj_23'):
        return cls.own_tax(f"{template} gross", template, price_include_override='tax_included')


@tagged('post_install', '-at_install')
class TestTaxField(TaxCommon):

    def test_chart_shows_its_rates(self):
        expected = {'vs_kraj_23': 'VAT_23', 'vs_kraj_8': 'VAT_8', 'vs_kraj_zw': 'EXEMPT', 'vs_unia': 'ZERO_INTRA_EU'}
        for template, rate in expected.items():
            self.assertEqual(self.chart_tax(template).ksef_rate, rate)
        self.assertEqual(self.chart_tax('vz_kraj_23').ksef_rate, 'VAT_23', "bills that the company issues itself state it")
        for template in ('vz_kraj_0', 'vz_unia', 'vz_impu'):
            self.assertFalse(self.chart_tax(template).ksef_rate, "the seller's rate doesn't follow from these")

    def test_tax_without_grids_can_be_told(self):
        for rate, percent, code in (('VAT_23', 23, '23'), ('TAXI_4', 4, '4'), ('TAXI_3', 3, '3'), ('VAT_22', 22, '22'), ('VAT_7', 7, '7')):
            tax = self.own_tax(f"own {percent}", grids=False, amount=percent)
            self.assertFalse(tax.ksef_rate)
            tax.ksef_rate = rate
            root = self.render(self.new_invoice({'tax': tax}))
            self.assertEqual(self.one(root, 'Fa/FaWiersz/P_12'), code)
            self.assertEqual(sum(self.sums(root).values()), 100 + percent)

    def test_percentage_must_fit(self):
        tax = self.own_tax("own", amount=19)
        tax.ksef_rate = 'VAT_23'
        self.refused(self.new_invoice({'tax': tax}), 'tax-percent')


@tagged('post_install', '-at_install')
class TestStatements(TaxCommon):

    def statement(self, root, name):
        return self.one(root, f'Fa/Adnotacje/{name}')

    def test_exemption_needs_its_basis(self):
        tax = self.chart_tax('vs_kraj_zw')
        move = self.new_invoice({'tax': tax}, {})
        finding = self.refused(move, 'exemption-basis')
        self.assertEqual((finding['res_model'], finding['res_id']), ('account.tax', tax.id))
        for law, element in (('act', 'P_19A'), ('directive', 'P_19B'), ('other', 'P_19C')):
            tax.write({'ksef_exemption_law': law, 'ksef_exemption_basis': f"podstawa {law}"})
            root = self.render(move)
            self.assertEqual(self.statement(root, 'Zwolnienie/P_19'), '1')
            self.assertEqual(self.statement(root, f'Zwolnienie/{element}'), f"podstawa {law}")
            self.assertEqual(self.sums(root), {'P_13_1': D('100.00'), 'P_14_1': D('23.00'), 'P_13_7': D('100.00')})
        move.write({'ksef_exemption_law': 'act', 'ksef_exemption_basis': "art. 113 ust. 1"})
        self.assertEqual(self.statement(self.render(move), 'Zwolnienie/P_19A'), "art. 113 ust. 1")

    def test_invoice_without_exemption_says_so(self):
        self.assertEqual(self.statement(self.render(self.new_invoice()), 'Zwolnienie/P_19N'), '1')

    def test_exemptions_by_different_laws(self):
        first, second = self.chart_tax('vs_kraj_zw'), self.chart_tax('vs_kraj_zw_gold')
        first.write({'ksef_exemption_law': 'act', 'ksef_exemption_basis': "art. 43 ust. 1 pkt 37"})
        second.write({'ksef_exemption_law': 'act', 'ksef_exemption_basis': "art. 122"})
        move = self.new_invoice({'tax': first}, {'tax': second})
        self.assertEqual(self.statement(self.render(move), 'Zwolnienie/P_19A'), "art. 43 ust. 1 pkt 37; art. 122")
        second.ksef_exemption_law = 'directive'
        self.refused(move, 'exemption-laws')

    def test_split_payment_of_annex_15(self):
        product = self.env['product.product'].create({'name': "Laptopy", 'l10n_pl_vat_gtu': 'GTU_06'})
        line = {'product_id': product.id, 'price_unit': 12195.13}
        move = self.new_invoice(line)
        self.assertEqual(self.statement(self.render(move), 'P_18A'), '1')
        self.assertEqual(self.one(self.render(move), 'Fa/FaWiersz/P_12_Zal_15'), '1')
        move.ksef_split_payment = 'no'
        self.assertIn("Towar", self.refused(move, 'split-payment')['message'])
        below = self.new_invoice({**line, 'price_unit': 12195.12})  # 15,000.00 gross
        self.assertEqual(self.statement(self.render(below), 'P_18A'), '2')
        private = self.new_partner(is_company=False)
        self.assertEqual(self.statement(self.render(self.new_invoice(line, partner_id=private.id)), 'P_18A'), '2')

    def test_split_payment_can_be_chosen(self):
        move = self.new_invoice({'price_unit': 20000})
        self.warned(move, 'split-payment-doubt')
        for choice, stated in (('yes', '1'), ('no', '2')):
            move.ksef_split_payment = choice
            self.assertEqual(self.statement(self.render(move), 'P_18A'), stated)
            self.assertNotIn('split-payment-doubt', self.codes(move))

    def test_split_payment_by_the_mark_of_the_product(self):
        product = self.env['product.product'].create({'name': "Usługi budowlane", 'ksef_annex_15': True})
        root = self.render(self.new_invoice({'product_id': product.id, 'price_unit': 20000}))
        self.assertEqual(self.statement(root, 'P_18A'), '1')

    def test_margin(self):
        kinds = {'TOURISM': 'P_PMarzy_2', 'SECOND_HAND': 'P_PMarzy_3_1', 'ART': 'P_PMarzy_3_2', 'COLLECTIBLES': 'P_PMarzy_3_3'}
        for kind, element in kinds.items():
            tax = self.own_tax(f"marża {kind}", 'vs_kraj_0', grids=False)
            tax.ksef_rate = f'MARGIN_{kind}'
            root = self.render(self.new_invoice({'tax': tax, 'price_unit': 1000, 'quantity': 2}))
            self.assertEqual((self.statement(root, 'PMarzy/P_PMarzy'), self.statement(root, f'PMarzy/{element}')), ('1', '1'))
            [row] = self.rows(root)
            self.assertEqual((row['P_9B'], row['P_11A'], row.get('P_12'), row.get('P_9A')), ('1000.00', '2000.00', None, None))
            self.assertEqual(self.sums(root), {'P_13_11': D('2000.00')})

    def test_cash_method(self):
        self.company.tax_exigibility = True
        account = self.company_data['default_account_tax_sale'].copy({'reconcile': True})
        tax = self.own_tax("kasowa", tax_exigibility='on_payment', cash_basis_transition_account_id=account.id)
        root = self.render(self.new_invoice({'tax': tax}))
        self.assertEqual((self.statement(root, 'P_16'), self.sums(root)), ('1', {'P_13_1': D('100.00'), 'P_14_1': D('23.00')}))
        self.assertEqual(self.statement(self.render(self.new_invoice(ksef_cash_method=True)), 'P_16'), '1')
        self.assertEqual(self.statement(self.render(self.new_invoice()), 'P_16'), '2')

    def test_one_stop_shop(self):
        tax = self.own_tax("OSS 19", grids=False, amount=19)
        oss = self.env['account.account.tag'].create({'name': 'OSS', 'applicability': 'taxes'})
        tax.repartition_line_ids.filtered(lambda line: line.repartition_type == 'base').tag_ids = oss
        self.assertEqual(tax.ksef_rate, 'ONE_STOP_SHOP')
        private = self.new_partner(name="Hans Muster", country='de', is_company=False, city="Berlin")
        root = self.render(self.new_invoice({'tax': tax}, partner_id=private.id))
        self.assertEqual((self.one(root, 'Fa/FaWiersz/P_12_XII'), self.one(root, 'Fa/FaWiersz/P_12')), ('19', None))
        self.assertEqual(self.sums(root), {'P_13_5': D('100.00'), 'P_14_5': D('19.00')})

    def test_procedures(self):
        german = self.new_partner(name="EFG GmbH", country='de', vat='DE123456788', city="Berlin", zip="10999")
        for template, procedure in (('vs_unia_i42', 'I_42'), ('vs_unia_i63', 'I_63')):
            root = self.render(self.new_invoice({'tax': self.chart_tax(template)}, partner_id=german.id))
            self.assertEqual(self.one(root, 'Fa/FaWiersz/Procedura'), procedure)
        for procedure in ('B_SPV', 'B_SPV_DOSTAWA', 'B_MPV_PROWIZJA'):
            root = self.render(self.new_invoice(**{f'l10n_pl_vat_{procedure.lower()}': True}))
            self.assertEqual(self.one(root, 'Fa/FaWiersz/Procedura'), procedure)

    def test_triangular_transaction(self):
        german = self.new_partner(name="EFG GmbH", country='de', vat='DE123456788', city="Berlin", zip="10999")
        root = self.render(self.new_invoice({'tax': self.chart_tax('vs_unia_triangular')}, partner_id=german.id))
        self.assertEqual((self.statement(root, 'P_23'), self.statement(root, 'P_18')), ('1', '1'))
        self.assertEqual((self.one(root, 'Fa/FaWiersz/P_12'), self.one(root, 'Fa/FaWiersz/Procedura')), ('np I', 'TT_D'))

    def test_invoice_for_a_receipt_and_period(self):
        move = self.new_invoice(ksef_receipt_invoice=True, ksef_period_start='2026-10-01', ksef_period_end='2026-10-31')
        root = self.render(move)
        self.assertEqual(self.one(root, 'Fa/FP'), '1')
        self.assertEqual((self.one(root, 'Fa/OkresFa/P_6_Od'), self.one(root, 'Fa/OkresFa/P_6_Do')), ('2026-10-01', '2026-10-31'))
        self.assertIsNone(self.one(root, 'Fa/P_6'))
        with self.assertRaises(UserError):
            move.ksef_period_end = '2026-09-01'

    def test_simplified_invoice(self):
        move = self.new_invoice(ksef_special_kind='simplified')
        self.assertEqual(self.one(self.render(move), 'Fa/RodzajFaktury'), 'UPR')
        self.refused(self.new_invoice({'price_unit': 400}, ksef_special_kind='simplified'), 'simplified-limit')


@tagged('post_install', '-at_install')
class TestGrossPrices(TaxCommon):

    def check(self, move):
        root = self.render(move)
        total = sum(self.sums(root).values())
        self.assertEqual(total, D(f'{move.amount_total:.2f}'))
        for row in self.rows(root):
            value = D(row['P_8B']) * D(row['P_9B']) - D(row.get('P_10', 0))
            self.assertLessEqual(abs(value - D(row['P_11A'])), D('0.0051'))
            self.assertNotIn('P_9A', row)
        return root

    def test_price_with_tax(self):
        root = self.check(self.new_invoice({'tax': self.gross_tax(), 'price_unit': 123, 'quantity': 3}))
        [row] = self.rows(root)
        self.assertEqual((row['P_9B'], row['P_11A'], row['P_11Vat'], row['P_12']), ('123.00', '369.00', '69.00', '23'))
        self.assertEqual(self.sums(root), {'P_13_1': D('300.00'), 'P_14_1': D('69.00')})

    def test_both_ways_on_one_invoice(self):
        root = self.render(self.new_invoice({'tax': self.gross_tax(), 'price_unit': 12.3}, {'price_unit': 10}))
        self.assertEqual(self.sums(root), {'P_13_1': D('20.00'), 'P_14_1': D('4.60')})

    def test_correction_of_gross_prices(self):
        move = self.original({'tax': self.gross_tax(), 'price_unit': 123, 'quantity': 3, 'discount': 10})
        refund = self.credit(move, {'quantity': 1})
        rows = self.rows(self.render(refund))
        self.assertEqual([(row['P_8B'], row['P_9B'], row['P_10'], row['P_11A']) for row in rows], [
            ('3', '123.00', '36.90', '332.10'), ('2', '123.00', '24.60', '221.40')])

    def test_random_gross_invoices(self):
        source = random.Random(9)
        taxes = [self.gross_tax(template) for template in ('vs_kraj_23', 'vs_kraj_8', 'vs_kraj_5')]
        for method in ('round_per_line', 'round_globally'):
            self.company.tax_calculation_rounding_method = method
            for number in range(8):
                lines = [{
                    'tax': source.choice(taxes), 'quantity': source.choice([1, 3, 0.5, 12.5]),
                    'price_unit': source.choice([0.99, 19.99, 33.33, 1234.5]), 'discount': source.choice([0, 0, 5, 12.5]),
                } for _line in range(source.randint(1, 8))]
                with self.subTest(f"{method} {number}", lines=lines):
                    self.check(self.new_invoice(*lines))
