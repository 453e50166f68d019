from odoo.tests import HttpCase, new_test_user, tagged

from .test_received_bill import BillCommon
from .test_tour import ASSETS


@tagged('post_install', '-at_install')
class TestReceivedTour(BillCommon, HttpCase):
    """From KSeF to the books in a browser, in Polish, as an accountant without rights of the system."""

    def test_fetch_preview_bill_learn(self):
        """S1-12, S4-07: fetch → preview → bill → learn → the next bill is matched."""
        self.env['res.lang']._activate_lang('pl_PL')
        accountant = new_test_user(
            self.env, 'ksef_received_tour', groups='base.group_user,account.group_account_invoice', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)], password='ksef_received_tour', lang='pl_PL')
        self.assertFalse(accountant.has_group('base.group_system'))
        for name, js, css in ASSETS:
            bundle = self.env['ir.qweb']._get_asset_bundle(name, js=js, css=css)
            if js:
                bundle.js()
            if css:
                bundle.css()
        product = self.env['product.product'].create({'name': "Abonament doradczy", 'type': 'service', 'purchase_ok': True})
        numbers = self.issue(2, 'services')
        self.start_tour('/odoo/ksef-invoices', 'ksef_fetch_tour', login=accountant.login, timeout=120)
        self.env.invalidate_all()
        self.run_workers(2)
        self.assert_complete(numbers)
        self.start_tour('/odoo/ksef-invoices', 'ksef_bill_tour', login=accountant.login, timeout=180)
        self.env.invalidate_all()
        moves = self.received().move_id
        self.assertEqual(sorted(moves.mapped('state')), ['draft', 'posted'])
        self.assertEqual(moves.invoice_line_ids.product_id, product)
        self.assertEqual(moves.mapped('amount_total'), [2767.5, 2767.5])
        self.assertEqual(moves.create_uid, accountant)
        draft = moves.filtered(lambda move: move.state == 'draft')
        self.assertTrue(draft.invoice_line_ids.ksef_match)
