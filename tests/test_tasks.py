"""What a person asks KSeF for beside invoices: certificates, tokens, logins; and that nothing is asked for twice."""
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate

ENROLL = 'POST /certificates/enrollments'
TOKENS = 'POST /tokens'


@tagged('post_install', '-at_install')
class TestTasks(KsefCertificateCommon):

    def setUp(self):
        super().setUp()
        self.connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected', self.connection.status_message)

    def run_task(self, rounds=4):
        """Let the workers go on until the newest task has an end; return it."""
        task = self.connection.sudo().task_ids[0]
        for _round in range(rounds):
            if task.state in ('done', 'failed'):
                break
            task.due_at = fields.Datetime.now()
            self.make_due()
            self.run_workers()
        return task

    def enrollments(self):
        return [call for call in self.sandbox.requests(path='/v2/certificates/enrollments') if call['method'] == 'POST']

    # ------------------------------------------------------------------ certificates

    def test_own_certificate(self):
        """The program makes a key, gets a certificate for it and logs in with that one (S0-15)."""
        self.connection.action_get_certificate()
        self.assertFalse(self.enrollments(), "nothing is asked in the user's request")
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertFalse(task.secret)
        credential = task.credential_id
        self.assertEqual((credential.kind, credential.origin, credential.is_default), ('certificate', 'enrolled', True))
        self.assertEqual(credential.certificate_key, 'EC 256')
        self.run_workers()
        self.assertFalse(credential.is_unverified, "the worker has logged in with it")
        self.assertEqual(self.connection.state, 'connected', self.connection.status_message)
        self.assertFalse(self.connection.due_at)
        self.assertEqual(self.send().state, 'accepted')

    def test_offline_certificate(self):
        self.connection.action_get_offline_certificate()
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(task.credential_id.kind, 'offline')
        self.assertEqual(self.send().state, 'accepted')

    def test_unanswered_request_is_not_repeated(self):
        """KSeF made the certificate but its answer was lost: it is found by its name and joined with its key."""
        self.sandbox.fault(ENROLL, 'drop_after')
        self.connection.action_get_certificate()
        task = self.run_task(1)
        self.assertEqual(task.state, 'calling')
        self.assertTrue(task.secret, "the key was kept before the call")
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(len(self.enrollments()), 1)

    def test_lost_request_is_repeated_after_the_grace(self):
        """The call never arrived: after a while in which KSeF doesn't show it, it is made again with the same key."""
        self.sandbox.fault(ENROLL, 'drop_before')
        self.connection.action_get_certificate()
        task = self.run_task(2)
        self.assertEqual(task.state, 'calling')
        task.called_at = fields.Datetime.now() - timedelta(hours=1)
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(task.attempts, 2)

    def test_limit_reached(self):
        """No more certificates: both ways out in words (S0-14)."""
        self.sandbox.fault('GET /certificates/limits', 'http_error', status=400, code=25006, times=1)
        self.connection.action_get_certificate()
        task = self.run_task()
        self.assertEqual(task.state, 'failed')
        self.assertIn("25006", task.message)
        task.action_retry()
        self.assertEqual(self.run_task().state, 'done')

    def test_asked_for_once(self):
        self.connection.action_get_certificate()
        self.connection.action_get_certificate()
        self.assertEqual(len(self.connection.sudo().task_ids), 1)

    # ------------------------------------------------------------------ tokens

    def test_token(self):
        """A token made by the program has the rights that it needs and stands beside the certificate."""
        self.connection.action_generate_token()
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual((task.credential_id.kind, task.credential_id.is_default), ('token', True))
        self.run_workers()
        self.assertFalse(task.credential_id.is_unverified)
        self.assertEqual(self.env['ksef.credential']._next_login(self.connection).kind, 'certificate')

    def test_unanswered_token_is_revoked(self):
        """KSeF shows a token once: the one whose text was lost is revoked before another one is made."""
        self.sandbox.fault(TOKENS, 'drop_after')
        self.connection.action_generate_token()
        task = self.run_task(1)
        self.assertEqual(task.state, 'calling')
        task.called_at = fields.Datetime.now() - timedelta(hours=1)
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        revoked = [call for call in self.sandbox.requests(path='/v2/tokens/') if call['method'] == 'DELETE']
        self.assertEqual(len(revoked), 1)

    def test_revoke(self):
        """A revoked token's secret goes, and the certificate logs in."""
        self.connection.action_generate_token()
        token = self.run_task().credential_id
        token.with_user(self.env.user).action_revoke()
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertFalse(token.secret)
        self.assertFalse(token.active)
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected', self.connection.status_message)

    # ------------------------------------------------------------------ public keys and logins

    def test_public_keys(self):
        """Which public keys KSeF offers now (S1-03, S1-10)."""
        self.connection.action_fetch_public_keys()
        task = self.run_task()
        self.assertEqual(task.state, 'done', task.message)
        self.assertIn("SymmetricKeyEncryption", task.message)
        self.assertIn("KsefTokenEncryption", task.message)

    def test_logins(self):
        """The open logins as KSeF lists them; one of them is logged out."""
        self.connection.action_list_logins()
        self.assertEqual(self.run_task().state, 'done')
        logins = self.connection.login_ids
        self.assertEqual(logins.mapped('is_current').count(True), 1)
        other = self.sandbox_login()
        self.connection.action_list_logins()
        self.run_task()
        [login] = self.connection.login_ids.filtered(lambda one: one.reference_number == other)
        login.action_end()
        self.assertEqual(self.run_task().state, 'done')
        self.assertNotIn(other, self.connection.login_ids.mapped('reference_number'))

    def sandbox_login(self):
        """Log in as another program does; return the reference of that login."""
        before = set(self.connection.login_ids.mapped('reference_number'))
        credential = self.env['ksef.credential']._next_login(self.connection)
        credential._forget_login()
        self.send()
        self.connection.action_list_logins()
        self.run_task()
        return next(iter(before))

    # ------------------------------------------------------------------ several credentials

    def test_another_default(self):
        """Several certificates, of which one is made the default again (S1-02)."""
        first = self.connection.credential_ids
        self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.assertFalse(first.is_default)
        first.action_make_default()
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected', self.connection.status_message)
        self.assertEqual(self.env['ksef.credential']._next_login(self.connection), first)
        (self.connection.credential_ids - first).action_archive()
        self.assertEqual(self.connection.credential_ids, first)

    def test_rights(self):
        """None of it without the right to manage KSeF."""
        accountant = new_test_user(
            self.env(su=True), 'ksiegowa3', 'account.group_account_invoice,l10n_pl_ksef.group_ksef_send',
            company_id=self.company.id, company_ids=self.company.ids)
        connection = self.connection.with_user(accountant)
        for verb in (
            'action_get_certificate', 'action_get_offline_certificate', 'action_generate_token', 'action_list_logins',
            'action_fetch_public_keys',
        ):
            with self.subTest(verb=verb), self.assertRaises(AccessError):
                getattr(connection, verb)()
        for verb in ('action_make_default', 'action_archive', 'action_revoke'):
            with self.subTest(verb=verb), self.assertRaises(AccessError):
                getattr(self.connection.credential_ids.with_user(accountant), verb)()

    def test_only_when_connected(self):
        self.connection.action_disconnect()
        with self.assertRaisesRegex(UserError, "not connected"):
            self.connection.action_get_certificate()
