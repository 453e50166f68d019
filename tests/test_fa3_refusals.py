"""What can't be sent is refused by name, never sent wrong; and what the answers look like."""
import json

from odoo.tests import tagged

from .test_fa3_common import Fa3Common


@tagged('post_install', '-at_install')
class TestRefusals(Fa3Common):

    def refused_here(self, move, code):
        """A refusal that is already known without rendering."""
        finding = self.refused(move, code)
        self.assertIn(code, [finding['code'] for finding in move._ksef_refusals()])
        return finding

    def test_ordinary_invoice_is_not_refused(self):
        move = self.new_invoice()
        self.assertEqual(move._ksef_refusals(), [])
        self.assertEqual(move._ksef_render().findings, [])

    def test_other_kinds_of_moves(self):
        self.refused_here(self.new_invoice(move_type='out_receipt'), 'kind-receipt')
        self.refused_here(self.new_invoice(move_type='in_invoice', post=False), 'kind-other')

    def test_draft_and_cancelled(self):
        move = self.new_invoice(post=False)
        self.refused_here(move, 'not-posted')
        move.button_cancel()
        self.refused_here(move, 'not-posted')

    def test_company_elsewhere(self):
        move = self.new_invoice()
        self.company.account_fiscal_country_id = self.env.ref('base.de')
        self.refused_here(move, 'company-country')

    def test_line_without_tax(self):
        finding = self.refused_here(self.new_invoice({}, {'name': "bez", 'tax_ids': False}), 'line-without-tax')
        self.assertIn("Line 2 (bez)", finding['field'])
        self.assertIn("Taxes", finding['field'])

    def test_several_taxes_on_a_line(self):
        taxes = self.chart_tax('vs_kraj_23') | self.chart_tax('vs_kraj_8')
        finding = self.refused_here(self.new_invoice({'tax': taxes}), 'line-taxes')
        self.assertIn(taxes[0].name, finding['value'])

    def test_cash_rounding_without_effect(self):
        rounding = self.env['account.cash.rounding'].create({
            'name': "0.05", 'rounding': 0.05, 'strategy': 'add_invoice_line',
            'profit_account_id': self.company_data['default_account_revenue'].id,
            'loss_account_id': self.company_data['default_account_expense'].id})
        self.render(self.new_invoice({'price_unit': 100}, invoice_cash_rounding_id=rounding.id))

    def test_tax_registration_abroad(self):
        position = self.env['account.fiscal.position'].create({'name': "DE", 'company_id': self.company.id})
        move = self.new_invoice(fiscal_position_id=position.id)
        self.env.cr.execute(
            "UPDATE account_fiscal_position SET foreign_vat = 'DE123456788' WHERE id = %s", [position.id])
        self.env.invalidate_all()
        self.refused_here(move, 'foreign-vat')

    def test_items_added_to_the_journal_entry(self):
        move = self.new_invoice()
        item = move.line_ids.filtered('tax_line_id')
        self.env.cr.execute("UPDATE account_move_line SET tax_line_id = %s WHERE id = %s", [
            self.chart_tax('vs_zwrot_podróżnych_0').id, item.id])
        self.env.invalidate_all()
        self.refused_here(move, 'journal-tax')

    def test_unknown_journal_items(self):
        move = self.new_invoice()
        item = move.line_ids.filtered('tax_line_id')
        self.env.cr.execute(
            "UPDATE account_move_line SET display_type = 'non_deductible_tax' WHERE id = %s", [item.id])
        self.env.invalidate_all()
        self.refused_here(move, 'journal-item')

    def test_all_faults_are_told_at_once(self):
        partner = self.new_partner(vat='5261040828')
        move = self.new_invoice(
            {'tax_ids': False}, {'tax': self.chart_tax('vs_zwrot_podróżnych_0')}, partner_id=partner.id,
            partner_bank_id=self.bank_account.id)
        self.bank_account.acc_number = '61109010140000071219812875'
        self.env.cr.execute("UPDATE res_partner SET vat = '5261040829', city = NULL, street = NULL WHERE id = %s", [
            partner.id])
        self.env.invalidate_all()
        self.assertEqual(set(self.codes(move)), {
            'line-without-tax', 'tax-tourist', 'nip-checksum', 'buyer-address-missing', 'account-checksum'})

    def test_shape_of_findings(self):
        move = self.new_invoice({'tax_ids': False})
        for finding in [*move._ksef_render().findings, *move._ksef_refusals()]:
            self.assertEqual(finding.keys(), {
                'severity', 'code', 'field', 'message', 'value', 'res_model', 'res_id', 'remedy'})
            self.assertEqual(json.loads(json.dumps(finding)), finding)
            self.assertNotIn('%(', finding['message'])

    def test_refusals_of_many_invoices_name_their_records(self):
        good, bad, refund = self.new_invoice(), self.new_invoice({'tax_ids': False}), self.new_invoice(move_type='out_refund')
        findings = (good | bad | refund)._ksef_refusals()
        self.assertEqual({(finding['code'], finding['res_model'], finding['res_id']) for finding in findings}, {
            ('line-without-tax', 'account.move.line', bad.invoice_line_ids.id),
            ('correction-without-original', 'account.move', refund.id)})
