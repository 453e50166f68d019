"""What the screens of a connection tell: the checklist, what ends, what support needs, why there is no button."""
from datetime import timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate


@tagged('post_install', '-at_install')
class TestConnectionScreens(KsefCertificateCommon):

    def connected(self, **values):
        connection = self.connect_by_certificate(Certificate(SELLER_NIP, **values))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        return connection

    def unmet(self, connection):
        return [what for what, good, *_rest in connection._get_checks() if not good]

    def set_workers_ran(self, when):
        self.env.cr.execute(f"UPDATE ir_cron SET lastcall = {when} WHERE id IN %s", [tuple(self.env['ksef.worker']._get_pool().ids)])
        self.env.invalidate_all()

    # ------------------------------------------------------------------ checklist (S1-01)

    def test_checklist(self):
        """Everything is in place; what is taken away is named, with what to do."""
        connection = self.connected()
        self.set_workers_ran("now() AT TIME ZONE 'UTC'")
        self.assertEqual(self.unmet(connection), [])
        self.assertIn('fa-check', connection.checklist)
        self.assertNotIn('fa-times', connection.checklist)
        self.company.with_context(no_vat_validation=True).vat = False
        self.env['ksef.worker']._get_pool().active = False
        connection.sudo().permissions = 'InvoiceWrite'
        self.assertEqual(self.unmet(connection), [
            "The NIP of the company is right", "The right to fetch invoices", "The workers are running"])
        connection.invalidate_recordset()
        self.assertIn("Tax ID", connection.checklist)
        connection.action_disconnect()
        self.assertIn("A default certificate or token serves", self.unmet(connection))

    def test_each_row_leads_somewhere(self):
        """KSeF's public keys are among the rows, and each row has a link that opens where it is looked after."""
        connection = self.connected()
        checks = connection._get_checks()
        self.assertIn("KSeF's public keys are known and valid", [what for what, *_rest in checks])
        self.assertGreater(connection.public_keys_until, fields.Datetime.now())
        for what, _good, _hint, link in checks:
            with self.subTest(what=what):
                self.assertIn(f'href="{link}"', connection.checklist)
                if link.startswith('/odoo/action-'):
                    self.env.ref(link.removeprefix('/odoo/action-').partition('/')[0])
        connection.sudo().public_keys_until = fields.Datetime.now() - timedelta(days=1)
        self.assertIn("KSeF's public keys are known and valid", self.unmet(connection))

    def test_silent_workers(self):
        connection = self.connected()
        self.set_workers_ran("now() AT TIME ZONE 'UTC' - interval '1 day'")
        self.assertEqual(self.unmet(connection), ["The workers are running"])

    # ------------------------------------------------------------------ for support (S0-07)

    def test_support_text(self):
        """Versions, company, NIP, states; never a secret."""
        certificate = Certificate(SELLER_NIP)
        connection = self.connect_by_certificate(certificate)
        self.run_workers()
        document = self.send()
        text = connection.support_text
        for part in (SELLER_NIP, 'l10n_pl_ksef', 'connected', document.reference_number, connection.credential_ids.certificate_serial):
            self.assertIn(part, text)
        secret = connection.credential_ids.sudo().access_secret
        for hidden in (certificate.secret, secret, connection.credential_ids._reveal('access_secret')):
            self.assertNotIn(hidden, text)

    # ------------------------------------------------------------------ what ends

    def test_warned_once_for_each_threshold(self):
        connection = self.connected(days=(-1, 20))
        self.assertIn("days left: 20", connection.ending_message)
        for _day in range(2):
            connection._cron_ksef_watch()
        self.assertEqual(len(connection.activity_ids), 1)
        self.assertEqual(connection.activity_ids.user_id, self.env.user)
        connection.credential_ids.sudo().valid_until = fields.Datetime.now() + timedelta(days=6, hours=1)
        first = connection.activity_ids
        connection._cron_ksef_watch()
        self.assertEqual(len(connection.activity_ids), 1, "the next warning takes the place of the former one")
        self.assertNotEqual(connection.activity_ids, first)

    def test_nothing_to_warn_of(self):
        connection = self.connected()
        self.assertFalse(connection.ending_message)
        connection._cron_ksef_watch()
        self.assertFalse(connection.activity_ids)

    def test_tokens_end_by_law(self):
        """A token is told of before its legal end, which a parameter moves; a certificate beside it makes it no matter."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        end = self.env['account.move']._ksef_today() + timedelta(days=10)
        self.env['ir.config_parameter'].sudo().set_param('l10n_pl_ksef.token_end', end.isoformat())
        connection.invalidate_recordset(['ending_message'])
        self.assertIn("days left: 10", connection.ending_message)
        self.assertTrue(connection.has_ending_token)
        action = connection.action_move_to_certificates()
        wizard = self.env[action['res_model']].with_context(**action['context']).new()
        self.assertEqual((wizard.method, wizard.company_id, wizard.environment), ('certificate', self.company, 'local'))
        self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        connection.invalidate_recordset(['ending_message'])
        self.assertFalse(connection.ending_message)

    def test_public_keys_end(self):
        """KSeF's public keys end: looked at again each day, told of at each threshold once, settled by later ones."""
        connection = self.connected().sudo()
        connection._cron_ksef_watch()
        self.assertFalse(connection.activity_ids)
        connection.public_keys_until = fields.Datetime.now() + timedelta(days=13, hours=1)
        for _day in range(2):
            connection._cron_ksef_watch()
        self.assertIn("days left: 13", connection.activity_ids.note)
        self.assertEqual(connection.task_ids.mapped('kind'), ['fetch_public_keys'])
        connection.public_keys_until = fields.Datetime.now() + timedelta(hours=5)
        connection._cron_ksef_watch()
        self.assertIn("days left: 0", connection.activity_ids.note)
        connection.task_ids.due_at = fields.Datetime.now()
        self.run_workers()
        self.assertGreater(connection.public_keys_until, fields.Datetime.now() + timedelta(days=30))
        self.assertFalse(connection.activity_ids)

    def test_renewed_by_itself(self):
        """A certificate that the program got is renewed 30 days ahead, once; one that was uploaded is only told of."""
        connection = self.connected(days=(-1, 20))
        connection._cron_ksef_watch()
        self.assertFalse(connection.sudo().task_ids)
        connection.credential_ids.sudo().origin = 'enrolled'
        for _day in range(2):
            connection._cron_ksef_watch()
        self.assertEqual(connection.sudo().task_ids.mapped('kind'), ['enroll_authentication'])
        for _round in range(3):
            connection.sudo().task_ids.due_at = fields.Datetime.now()
            self.run_workers()
        task = connection.sudo().task_ids
        self.assertEqual(task.state, 'done', task.message)
        connection.invalidate_recordset(['ending_message'])
        self.assertFalse(connection.ending_message)

    # ------------------------------------------------------------------ why is there no button (S1-05)

    def test_why_no_button(self):
        move = self.make_invoice(post=False)
        self.assertIn("not connected", self.why(move))
        self.connected()
        self.assertIn("not confirmed", self.why(move))
        move.action_post()
        self.assertIn("can be sent", self.why(move))
        reader = new_test_user(
            self.env(su=True), 'czytelnik', 'account.group_account_readonly', company_id=self.company.id, company_ids=self.company.ids)
        self.assertIn("KSeF: send", self.why(move.with_user(reader)))
        self.send(move)
        self.assertIn("only once", self.why(move))
        bill = self.env['account.move'].create({'move_type': 'in_invoice', 'partner_id': self.buyer.id})
        self.assertIn("Only customer invoices", self.why(bill))

    def why(self, move):
        return move.action_ksef_explain()['params']['message']
