"""What the connect wizard keeps of an attempt that failed, and that it can be taken back."""
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import PASSWORD, Certificate, b64


@tagged('post_install', '-at_install')
class TestKept(KsefCertificateCommon):

    def test_wrong_key_is_taken_back(self):
        """A key that is no longer needed would stand in the way of a file that holds both."""
        made, other = Certificate(SELLER_NIP), Certificate(SELLER_NIP)
        wizard = self.new_certificate_wizard(made, key_file=b64(other.key_file()), certificate_filename='a.crt', key_filename='obcy.key')
        self.assertEqual(wizard.kept_files, "certificate (a.crt), private key (obcy.key), password")
        with self.assertRaisesRegex(UserError, "another certificate"):
            wizard.action_connect()
        action = wizard.action_remove_files()
        self.assertEqual((action['res_id'], action['target']), (wizard.id, 'new'))
        self.assertFalse(wizard.kept_files)
        self.assertFalse(wizard.sudo().files_secret)
        self.assertEqual((wizard.environment, wizard.local_url), ('local', self.sandbox.url), "the rest stays")
        wizard.write({'certificate_file': b64(made.p12()), 'password': PASSWORD, 'certificate_filename': 'b.p12'})
        self.assertEqual(wizard.kept_files, "certificate (b.p12), password")
        self.assertEqual(wizard.action_connect()['res_model'], 'ksef.connection')

    def test_replaced(self):
        made, other = Certificate(SELLER_NIP), Certificate(SELLER_NIP)
        wizard = self.new_certificate_wizard(made, key_file=b64(other.key_file()))
        wizard.key_file = b64(made.key_file())
        self.assertEqual(wizard.action_connect()['res_model'], 'ksef.connection')

    def test_rights(self):
        user = new_test_user(self.env, 'ksef_kept', 'base.group_user,account.group_account_invoice')
        wizard = self.new_certificate_wizard(Certificate(SELLER_NIP))
        with self.assertRaises(AccessError):
            wizard.with_user(user).action_remove_files()

    def test_offline_certificate_leaves_the_login_alone(self):
        """What serves only for codes is added to a connection that works without asking KSeF anything."""
        connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        verified, asked = connection.verified_at, len(self.sandbox.requests())
        self.connect_by_certificate(Certificate(SELLER_NIP, usage='content_commitment'))
        self.assertEqual(connection.state, 'connected')
        self.run_workers()
        self.assertEqual((connection.verified_at, len(self.sandbox.requests())), (verified, asked))
        self.assertEqual(set(connection.credential_ids.filtered('is_default').mapped('kind')), {'certificate', 'offline'})
