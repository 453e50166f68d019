"""Random invoices and corrections of them, as Odoo posts them: proven and equal to the journal entry, or refused by name.

``KSEF_EXAMPLES`` is the number of examples of each property (a few dozen by default, a search by hand takes thousands).
"""
# pylint: disable=no-value-for-parameter
import os
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from odoo import Command
from odoo.tests import tagged

from ..ksef.fa3 import reader, rules, writer
from ..ksef.fa3.finding import has_errors
from ..ksef.number import crc8
from .common import SELLER_NIP
from .test_fa3_common import NS
from .test_fa3_currency import CurrencyCommon

D = Decimal
EXAMPLES = int(os.environ.get('KSEF_EXAMPLES', '20'))
OPTIONS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize='KSEF_EXAMPLES' not in os.environ, database=None,
    suppress_health_check=list(HealthCheck), phases=(Phase.generate,))  # an example is small enough, and dear enough to make
TEMPLATES = ('vs_kraj_23', 'vs_kraj_8', 'vs_kraj_5', 'vs_kraj_0', 'vs_kraj_zw')
GROSS = ('vs_kraj_23', 'vs_kraj_8', 'vs_kraj_5')
SUMS = {  # tax of the chart: elements of its net sum and its tax, written down here once more
    'vs_kraj_23': ('P_13_1', 'P_14_1'), 'vs_kraj_8': ('P_13_2', 'P_14_2'), 'vs_kraj_5': ('P_13_3', 'P_14_3'),
    'vs_kraj_0': ('P_13_6_1', None), 'vs_kraj_zw': ('P_13_7', None),
}
# What an honest invoice may be refused for, and why that is right.
INVOICE_REFUSALS = {'sum-negative'}  # it takes back more than it charges: that is a correction
CORRECTION_REFUSALS = {
    'correction-exceeds',  # more is taken back than there was
    # Rounding once per document, prices with tax: Odoo books a grosz of the difference on a line that is worth less than half of one.
    'line-arithmetic',
}


def numbers(low, high, places):
    return st.integers(int(low * 10**places), int(high * 10**places)).map(lambda value: value / 10**places)


QUANTITIES = st.one_of(st.integers(1, 12).map(float), numbers(0.0001, 50, 4), numbers(0.01, 5000, 2))
PRICES = st.one_of(numbers(0, 300, 2), numbers(0, 20, 4), numbers(0, 90000, 2), st.sampled_from([0.005, 0.015, 1.005, 0.0049, 33.3333]))
DISCOUNTS = st.one_of(st.just(0.0), st.just(0.0), numbers(0, 100, 2))


@st.composite
def line_values(draw, is_gross):
    """A line: tax, quantity, price, discount; now and then it takes off, as a discount given with the sale does."""
    tax = draw(st.sampled_from(GROSS if is_gross else TEMPLATES))
    sign = -1 if draw(st.integers(0, 15)) == 0 else 1
    return {
        'template': tax, 'quantity': draw(QUANTITIES), 'price_unit': sign * draw(PRICES), 'discount': draw(DISCOUNTS),
    }


@st.composite
def invoice_values(draw):
    """An invoice: its lines, how its tax is rounded, whether prices have tax in them, and its currency."""
    is_gross = draw(st.integers(0, 3)) == 0
    return {
        'method': draw(st.sampled_from(('round_per_line', 'round_globally'))),
        'is_gross': is_gross,
        'currency': draw(st.sampled_from(('PLN', 'PLN', 'EUR'))),
        'lines': draw(st.lists(line_values(is_gross), min_size=1, max_size=5)),
    }


CHANGES = st.one_of(
    st.just({}), st.just(None), st.builds(lambda share: {'quantity': share}, numbers(0.01, 1, 2)),
    st.builds(lambda share: {'price_unit': share}, numbers(0.01, 1, 2)), st.builds(lambda share: {'discount': share}, numbers(0, 100, 2)),
    st.builds(lambda quantity, price: {'quantity': quantity, 'price_unit': price}, numbers(0.1, 1, 1), numbers(0.1, 1, 1)),
)


@tagged('post_install', '-at_install')
class TestProperties(CurrencyCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        precisions = cls.env['decimal.precision'].search([('name', 'in', ('Product Unit', 'Product Price'))])
        precisions.digits = 4
        cls.taxes = {template: cls.chart_tax(template) for template in TEMPLATES}
        cls.taxes['vs_kraj_zw'].ksef_exemption_basis = "art. 43 ust. 1 pkt 19 ustawy o VAT"
        cls.gross_taxes = {
            template: cls.taxes[template].copy({'name': f"{template} brutto", 'price_include_override': 'tax_included'})
            for template in GROSS}
        connection = cls.env['ksef.connection'].sudo().create({
            'company_id': cls.company.id, 'environment': 'test', 'nip': SELLER_NIP, 'state': 'connected',
            'database_uuid': cls.env['ir.config_parameter'].sudo().get_param('database.uuid')})
        cls.company.sudo().ksef_connection_id = connection
        cls.found = Counter()

    @classmethod
    def tearDownClass(cls):
        if 'KSEF_EXAMPLES' in os.environ:
            sys.stderr.write(f"{dict(cls.found.most_common())}\n")
        super().tearDownClass()

    @contextmanager
    def rolled_back(self):
        """One example, of which nothing stays in the database."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()

    # ------------------------------------------------------------------ making

    def make(self, values):
        """A posted invoice, or none where Odoo itself lets nobody post it (a total below zero)."""
        self.company.tax_calculation_rounding_method = values['method']
        taxes = self.gross_taxes if values['is_gross'] else self.taxes
        move = self.new_invoice(
            *({'name': f"Towar {number}", 'tax': taxes[line['template']], **{
                key: line[key] for key in ('quantity', 'price_unit', 'discount')}} for number, line in enumerate(values['lines'])),
            currency_id=self.env.ref(f"base.{values['currency']}").id, post=False)
        if move.amount_total < 0:
            return None
        move.action_post()
        return move

    def accept(self, move, number):
        """The invoice after KSeF has taken it, with the bytes that were proven."""
        document = move._ksef_pick(late_confirmed=True).sudo()
        self.assertEqual(document.state, 'queued', document.findings)
        stem = f'{SELLER_NIP}-{self.today:%Y%m%d}-{number:06X}ABCDEF'
        document._transition('sending')
        document._transition('sent', reference_number=f'{self.today:%Y%m%d}-EE-{number:010X}-0000000000-00')
        document._transition('accepted', ksef_number=f'{stem}-{crc8(stem)}', acquisition_date=f'{self.today} 10:00:00')
        document._sync_moves()
        return move

    def change(self, refund, changes):
        """Change the lines of a draft credit note: shares of what they are, None takes one off."""
        commands = []
        lines = refund.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        for line, change in zip(lines, changes, strict=False):
            if change is None:
                commands.append(Command.delete(line.id))
            elif change:
                commands.append(Command.update(line.id, {
                    key: value if key == 'discount' else round(line[key] * value, 4) for key, value in change.items()}))
        refund.write({'invoice_line_ids': commands})

    # ------------------------------------------------------------------ judging

    def judge(self, move, refusals):
        """Proven and equal to the journal entry, or refused with sentences; returns the XML, parsed, or ``None``."""
        rendered = move._ksef_render()
        errors = [finding for finding in rendered.findings if finding['severity'] == 'error']
        self.found.update(finding['code'] for finding in rendered.findings)
        if not rendered.xml:
            self.assertTrue(errors)
            for finding in errors:
                self.assertTrue(finding['message'] and finding['field'], finding)
                self.assertNotIn('%(', finding['message'])
            self.assertLessEqual({finding['code'] for finding in errors}, refusals, self.describe(move, errors))
            return None
        self.assertFalse(errors)
        self.check_proven(rendered.xml)
        root = etree.fromstring(rendered.xml)
        self.check_sums(move, root)
        return root

    def describe(self, move, errors):
        items = [(item.quantity, item.price_unit, item.discount, item.price_subtotal, item.price_total, item.tax_ids.name)
                 for item in move.invoice_line_ids]
        return f"{move.move_type} {move.currency_id.name} {move.company_id.tax_calculation_rounding_method} {items}: {errors}"

    def check_proven(self, xml):
        """The official schema and the rules take the file, and reading it loses nothing."""
        self.assertEqual(self.env['account.move']._ksef_schema().validate(xml), [])
        self.assertFalse(has_errors(rules.check_file(xml)))
        invoice = reader.read(xml)
        self.assertFalse(has_errors(rules.check(invoice, self.today)))
        self.assertEqual(writer.write(invoice), xml)

    def check_sums(self, move, root):
        """P_13, P_14 and P_15, recounted from the journal items alone."""
        field = 'balance' if move.currency_id.name == 'PLN' else 'amount_currency'
        booked = defaultdict(D)
        for item in move.line_ids:
            tax = item.tax_line_id or item.tax_ids
            if tax:
                template = next(key for key, each in [*self.taxes.items(), *self.gross_taxes.items()] if each == tax)
                net, vat = SUMS[template]
                name = vat if item.tax_line_id else net
                booked[name] -= D(f'{item[field]:.2f}')
                if vat and move.currency_id.name != 'PLN':
                    booked[f'{vat}W'] -= D(f'{item.balance:.2f}') if item.tax_line_id else 0
                if vat and not item.tax_line_id:
                    booked[vat] += 0
        stated = self.sums(root)
        for name in booked.keys() | stated.keys():
            self.assertEqual(stated.get(name, 0), booked.get(name, 0), f"{name}: {self.describe(move, stated)}")
        receivable = sum(
            D(f'{item[field]:.2f}') for item in move.line_ids if item.display_type == 'payment_term')
        self.assertEqual(D(self.one(root, 'Fa/P_15')), receivable)

    def check_states(self, root):
        """Lines after less lines before are what the header says, within rounding; both states have one identifier."""
        rows = self.rows(root)
        before = {row['NrWierszaFa']: row for row in rows if 'StanPrzed' in row}
        after = {row['NrWierszaFa']: row for row in rows if 'StanPrzed' not in row}
        self.assertLessEqual(set(before), set(after))
        for number, row in before.items():
            self.assertEqual(row['UU_ID'], after[number]['UU_ID'])
        total, element = D(0), 'P_15' if any('P_11A' in row for row in rows) else 'P_13'
        for row in rows:
            total += D(row.get('P_11A') or row['P_11']) * (-1 if 'StanPrzed' in row else 1)
        header = sum((value for name, value in self.sums(root).items() if name.startswith(element)), D(0))
        if element == 'P_15':
            header = D(root.findtext('fa:Fa/fa:P_15', namespaces=NS))
        self.assertLessEqual(abs(total - header), D('0.01') * (len(rows) + 2), (total, header))

    # ------------------------------------------------------------------ the properties

    def test_invoices(self):
        @OPTIONS
        @given(invoice_values())
        def check(values):
            with self.rolled_back():
                move = self.make(values)
                if move:
                    self.judge(move, INVOICE_REFUSALS)
        check()

    def test_corrections(self):
        """A reversal with changed lines, and perhaps a second one of what is left."""
        @settings(OPTIONS, max_examples=max(EXAMPLES // 2, 1))
        @given(invoice_values(), st.lists(st.lists(CHANGES, min_size=5, max_size=5), min_size=1, max_size=2))
        def check(values, steps):
            with self.rolled_back():
                move = self.make(values)
                if not move or not move._ksef_render().xml:
                    return
                self.accept(move, 1)
                for number, changes in enumerate(steps, 2):
                    refund = self.credit(move, post=False)
                    self.change(refund, changes)
                    if not refund.invoice_line_ids:
                        return
                    refund.action_post()
                    root = self.judge(refund, CORRECTION_REFUSALS)
                    if root is None:
                        return
                    self.check_states(root)
                    self.accept(refund, number)
        check()
