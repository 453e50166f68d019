from odoo.tests import HttpCase, new_test_user, tagged

from .common import KsefSandboxCommon
from .test_tour import ASSETS


@tagged('post_install', '-at_install')
class TestPreviewTour(KsefSandboxCommon, HttpCase):
    """The preview in a browser, in Polish, as an accountant without rights of the system."""

    def test_preview(self):
        self.connect()
        self.env['res.lang']._activate_lang('pl_PL')
        accountant = new_test_user(
            self.env, 'ksef_preview_tour', groups='base.group_user,account.group_account_invoice', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)], password='ksef_preview_tour', lang='pl_PL')
        self.assertFalse(accountant.has_group('base.group_system'))
        for name, js, css in ASSETS:
            bundle = self.env['ir.qweb']._get_asset_bundle(name, js=js, css=css)
            if js:
                bundle.js()
            if css:
                bundle.css()
        buyer = self.buyer.copy({'name': "<script>top.ksefHacked = true</script> S.A."})
        move = self.make_invoice([("Usługa", 2, 100, self.tax_23), ("Roślina", 1, 50, self.tax_8)], post=False, partner=buyer)
        self.start_tour(
            f'/odoo/action-account.action_move_out_invoice_type/{move.id}', 'ksef_preview_tour', login=accountant.login, timeout=180)
        self.env.invalidate_all()
        self.assertEqual(move.state, 'posted')
        self.assertFalse(move.ksef_document_ids)
        self.assertFalse(self.sandbox.invoices())
