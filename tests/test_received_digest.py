"""The daily digest: who is told what, in whose language, and when nobody is."""
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .test_received_bill import BillCommon


@tagged('post_install', '-at_install')
class TestDigest(BillCommon):

    def told(self, user):
        return self.env['mail.message'].sudo().search([
            ('partner_ids', 'in', user.partner_id.ids), ('message_type', '=', 'user_notification'), ('subject', 'like', "KSeF"),
        ])

    def digest(self):
        self.env.flush_all()
        with self.enter_registry_test_mode():
            self.env.ref('l10n_pl_ksef.ir_cron_ksef_digest').method_direct_trigger()
        self.env.invalidate_all()

    def test_what_came_and_what_waits(self):
        self.env['res.lang']._activate_lang('pl_PL')
        elsewhere = self.env['res.company'].create({'name': "Inna"})
        polish, outsider, other = (self.env['res.users'].create({
            'name': name, 'login': name, 'email': f'{name}@example.com', 'lang': lang, 'company_id': company.id,
            'company_ids': [(6, 0, company.ids)], 'group_ids': [(6, 0, self.env.ref('account.group_account_invoice').ids)],
        }) for name, lang, company in (
            ('ala', 'pl_PL', self.company), ('ola', 'en_US', elsewhere), ('ula', 'en_US', self.company)))
        self.digest()
        self.assertFalse(self.told(polish), "nobody was chosen")
        self.company.ksef_digest_user_ids = polish | outsider | other
        self.company._ksef_send_digest()
        self.assertFalse(self.told(polish), "nothing came, nothing waits")
        self.fetch('goods', 'services')
        self.company.ksef_digest_at = fields.Datetime.now() - timedelta(hours=1)
        self.digest()
        self.assertFalse(self.told(outsider), "he does not work in the company")
        [message] = self.told(other)
        self.assertIn("<b>2</b>", message.body)
        self.assertIn("new invoices received", message.body)
        self.assertIn("/odoo/ksef-invoices", message.body)
        self.assertNotIn("failed", message.body)
        self.assertEqual(len(self.told(polish)), 1)
        self.received().action_make_bill()
        self.company.ksef_digest_at += timedelta(seconds=2)  # what came in this second was told
        self.digest()
        self.assertEqual(len(self.told(other)), 1, "what was told once and is done is not told again")
