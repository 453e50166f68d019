"""Every rate of the Polish chart, alone and together; sums against the journal entry, counted anew."""
from decimal import Decimal

from odoo.tests import tagged

from .test_fa3_common import Fa3Common

D = Decimal
# template of the chart: (P_12, base element, tax element, tax on 200.00)
CHART = {
    'vs_kraj_23': ('23', 'P_13_1', 'P_14_1', '46.00'),
    'vs_kraj_usl_23': ('23', 'P_13_1', 'P_14_1', '46.00'),
    'vs_kraj_8': ('8', 'P_13_2', 'P_14_2', '16.00'),
    'vs_kraj_5': ('5', 'P_13_3', 'P_14_3', '10.00'),
    'vs_kraj_0': ('0 KR', 'P_13_6_1', None, None),
    'vs_unia': ('0 WDT', 'P_13_6_2', None, None),
    'vs_eksp_tow': ('0 EX', 'P_13_6_3', None, None),
    'vs_ekspu': ('np I', 'P_13_8', None, None),
    'vs_dostu': ('np II', 'P_13_9', None, None),
    'vs_stal': ('oo', 'P_13_10', None, None),
    'vs_kraj_zw': ('zw', 'P_13_7', None, None),
    'vs_kraj_zw_gold': ('zw', 'P_13_7', None, None),
    'vs_unia_i42': ('0 WDT', 'P_13_6_2', None, None),
    'vs_unia_i63': ('0 WDT', 'P_13_6_2', None, None),
    'vs_unia_triangular': ('np I', 'P_13_8', None, None),
}
IN_EU = {'vs_unia', 'vs_dostu', 'vs_unia_i42', 'vs_unia_i63', 'vs_unia_triangular'}
EXEMPT = ('vs_kraj_zw', 'vs_kraj_zw_gold')
REFUSED = {'vs_zwrot_podróżnych_0': 'tax-tourist'}


@tagged('post_install', '-at_install')
class TestRates(Fa3Common):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.german = cls.new_partner(name="EFG GmbH", country='de', vat='DE123456788', city="Berlin", zip="10999")

    def test_every_rate_of_the_chart(self):
        for template in EXEMPT:
            self.chart_tax(template).ksef_exemption_basis = "art. 43 ust. 1 ustawy o VAT"
        for template, (code, base, tax, amount) in CHART.items():
            with self.subTest(template):
                buyer = self.german if template in IN_EU else self.buyer
                root = self.render(self.new_invoice(
                    {'tax': self.chart_tax(template), 'quantity': 2, 'name': template}, partner_id=buyer.id))
                self.assertEqual(self.one(root, 'Fa/FaWiersz/P_12'), code)
                expected = {base: D('200.00'), **({tax: D(amount)} if tax else {})}
                self.assertEqual(self.sums(root), expected)
                self.assertEqual(D(self.one(root, 'Fa/P_15')), D('200.00') + D(amount or 0))

    def test_the_whole_chart_is_known(self):
        """No sales tax of the chart is left to chance: each is sent as one rate, or refused by name."""
        templates = self.env['account.chart.template']._get_chart_template_data('pl')['account.tax']
        sales = {name for name, values in templates.items() if values['type_tax_use'] == 'sale'}
        self.assertEqual(sales, CHART.keys() | REFUSED.keys())
        for template, code in REFUSED.items():
            with self.subTest(template):
                finding = self.refused(self.new_invoice({'tax': self.chart_tax(template)}), code)
                self.assertEqual((finding['res_model'], finding['res_id']), ('account.tax', self.chart_tax(template).id))
                self.assertIn("Line 1 (Towar)", finding['field'])

    def test_five_percent_is_five_percent(self):
        """Odoo's own module sends 5 % as 8 % or as exempt."""
        root = self.render(self.new_invoice({'tax': self.chart_tax('vs_kraj_5')}))
        self.assertEqual(self.all(root, 'Fa/FaWiersz/P_12'), ['5'])
        self.assertEqual(self.sums(root), {'P_13_3': D('100.00'), 'P_14_3': D('5.00')})
        self.assertIsNone(self.one(root, 'Fa/P_13_7'))

    def test_several_rates_on_one_invoice(self):
        move = self.new_invoice(
            {'price_unit': 10.01}, {'tax': self.chart_tax('vs_kraj_8'), 'price_unit': 20.02},
            {'tax': self.chart_tax('vs_kraj_5'), 'price_unit': 30.03}, {'tax': self.chart_tax('vs_kraj_0'), 'price_unit': 40.04},
            {'price_unit': 50.05}, {'tax': self.chart_tax('vs_stal'), 'price_unit': 60.06})
        root = self.render(move)
        self.assertEqual(self.all(root, 'Fa/FaWiersz/P_12'), ['23', '8', '5', '0 KR', '23', 'oo'])
        self.assertEqual(self.all(root, 'Fa/FaWiersz/NrWierszaFa'), ['1', '2', '3', '4', '5', '6'])
        self.assertEqual(self.sums(root), {
            'P_13_1': D('60.06'), 'P_14_1': D('13.81'), 'P_13_2': D('20.02'), 'P_14_2': D('1.60'),
            'P_13_3': D('30.03'), 'P_14_3': D('1.50'), 'P_13_6_1': D('40.04'), 'P_13_10': D('60.06')})
        self.assertEqual(D(self.one(root, 'Fa/P_15')), D(str(move.amount_total)))
        self.assertEqual(self.one(root, 'Fa/Adnotacje/P_18'), '1', "reverse charge is on the invoice")

    def test_older_rates_share_grids_and_are_told_by_percentage(self):
        for template, percent, code in (('vs_kraj_23', 22, '22'), ('vs_kraj_8', 7, '7')):
            tax = self.chart_tax(template).copy({'name': f"own {percent}", 'amount': percent})
            root = self.render(self.new_invoice({'tax': tax}))
            self.assertEqual(self.one(root, 'Fa/FaWiersz/P_12'), code)

    def test_a_copied_tax_is_told_by_its_grids_not_its_name(self):
        tax = self.chart_tax('vs_kraj_5').copy({'name': "23% książki"})
        root = self.render(self.new_invoice({'tax': tax}))
        self.assertEqual(self.one(root, 'Fa/FaWiersz/P_12'), '5')

    def test_percentage_that_does_not_fit_the_grids(self):
        tax = self.chart_tax('vs_kraj_23').copy({'name': "24%", 'amount': 24})
        self.assertIn("24%", self.refused(self.new_invoice({'tax': tax}), 'tax-percent')['value'])

    def test_tax_without_grids(self):
        tax = self.chart_tax('vs_kraj_23').copy({'name': "own"})
        tax.repartition_line_ids.tag_ids = False
        self.refused(self.new_invoice({'tax': tax}), 'tax-unmapped')

    def test_taxes_that_have_no_rate_in_ksef(self):
        base = self.chart_tax('vs_kraj_23')
        group = self.env['account.tax'].create({
            'name': "both", 'amount_type': 'group', 'children_tax_ids': [(6, 0, base.ids)], 'type_tax_use': 'sale',
            'country_id': self.env.ref('base.pl').id, 'company_id': self.company.id})
        variants = {
            'tax-group': group,
            'tax-computation': base.copy({'name': "fixed", 'amount_type': 'fixed', 'amount': 2}),
        }
        for code, tax in variants.items():
            with self.subTest(code):
                self.refused(self.new_invoice({'tax': tax}), code)

    def test_tax_booked_in_part(self):
        tax = self.chart_tax('vs_kraj_23').copy({'name': "half"})
        for document in ('invoice', 'refund'):
            tax.repartition_line_ids.filtered(
                lambda line, kind=document: line.document_type == kind and line.repartition_type == 'tax'
            ).factor_percent = 50
        self.refused(self.new_invoice({'tax': tax}), 'tax-distribution')

    def test_foreign_tax(self):
        tax = self.chart_tax('vs_kraj_23').copy({'name': "OSS 19%", 'amount': 19})
        germany = self.env.ref('base.de').id
        group = self.env['account.tax.group'].create(
            {'name': "DE", 'country_id': germany, 'company_id': self.company.id})
        tax.write({'country_id': germany, 'tax_group_id': group.id})
        move = self.new_invoice(post=False)
        move.invoice_line_ids.tax_ids = tax
        move.action_post()
        self.refused(move, 'tax-country')

    def test_grids_changed_by_hand(self):
        move = self.new_invoice({'tax': self.chart_tax('vs_kraj_8')})
        move.invoice_line_ids.tax_tag_ids = self.chart_tax('vs_kraj_5').invoice_repartition_line_ids[0].tag_ids
        finding = self.refused(move, 'line-grids')
        self.assertIn('K_15', finding['message'])
        self.assertIn('K_17', finding['message'])

    def test_rates_that_need_a_certain_buyer(self):
        for template in IN_EU - {'vs_unia_triangular'}:
            finding = self.refused(self.new_invoice({'tax': self.chart_tax(template)}), 'rate-needs-eu-buyer')
            self.assertEqual((finding['res_model'], finding['res_id']), ('res.partner', self.buyer.id))
        self.refused(
            self.new_invoice({'tax': self.chart_tax('vs_stal')}, partner_id=self.german.id), 'rate-needs-polish-buyer')

    def test_reverse_charge_is_stated_where_the_buyer_accounts_for_the_tax(self):
        american = self.new_partner(name="US Inc.", country='us', vat='12-3456789')
        cases = (
            ('vs_dostu', self.german, '1'), ('vs_stal', self.buyer, '1'), ('vs_ekspu', self.german, '1'),
            ('vs_ekspu', american, '1'), ('vs_unia', self.german, '2'), ('vs_eksp_tow', american, '2'),
            ('vs_kraj_23', self.german, '2'),
        )
        for template, buyer, stated in cases:
            with self.subTest(template):
                root = self.render(self.new_invoice({'tax': self.chart_tax(template)}, partner_id=buyer.id))
                self.assertEqual(self.one(root, 'Fa/Adnotacje/P_18'), stated)

    def test_price_from_a_calculation(self):
        """A net price computed from a gross one has no end of digits: eight are stated, and the value comes out."""
        for gross in (13.99, 14.99, 19.99, 18.99):
            with self.subTest(gross):
                root = self.render(self.new_invoice({'price_unit': gross / 1.23}))
                self.assertEqual(self.one(root, 'Fa/FaWiersz/P_9A'), f'{gross / 1.23:.8f}'.rstrip('0'))

    def test_prefix_of_the_seller_inside_the_union(self):
        for template, prefix in (('vs_unia', 'PL'), ('vs_dostu', 'PL'), ('vs_kraj_23', None)):
            root = self.render(self.new_invoice({'tax': self.chart_tax(template)}, partner_id=self.german.id))
            self.assertEqual(self.one(root, 'Podmiot1/PrefiksPodatnika'), prefix)
