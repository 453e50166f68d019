"""A passing trouble of one credential is nobody else's: what is refused for good, what is tried again, who is told and no longer told."""
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common import SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate

PUBLIC_KEYS = 'GET /security/public-key-certificates'
TOKEN_LOGIN = 'POST /auth/ksef-token'
SIGNED_LOGIN = 'POST /auth/xades-signature'


@tagged('post_install', '-at_install')
class TestNewcomers(KsefCertificateCommon):

    def connected(self, **values):
        connection = self.connect_by_certificate(Certificate(SELLER_NIP, **values))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        return connection

    # ------------------------------------------------------------------ what says nothing about the credential

    def test_forbidden_public_keys(self):
        """A firewall that forbids what everybody may read is a passing trouble: the token is not refused."""
        self.sandbox.fault(PUBLIC_KEYS, 'http_error', status=403)
        connection = self.connect(verify=False)
        self.run_workers()
        credential = connection.credential_ids
        self.assertEqual((connection.state, credential.refusal), ('verifying', False))
        self.run_workers(2)
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_forbidden_challenge(self):
        self.sandbox.fault('POST /auth/challenge', 'http_error', status=403)
        connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.assertEqual((connection.state, connection.credential_ids.refusal), ('verifying', False))
        self.run_workers(2)
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_forbidden_public_keys_while_sending(self):
        """Opening a session needs the keys, too: the document waits, the connection is not stopped."""
        connection = self.connected()
        self.sandbox.fault(PUBLIC_KEYS, 'http_error', status=403)
        document = self.send()
        self.assertEqual((document.state, connection.state), ('queued', 'connected'))
        self.make_due()
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted')

    def test_forbidden_login_is_final(self):
        """What the credential itself is forbidden stays a refusal."""
        self.sandbox.fault(SIGNED_LOGIN, 'http_error', status=403, times=5)
        connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.assertEqual((connection.state, connection.credential_ids.state), ('attention', 'refused'))

    # ------------------------------------------------------------------ a newcomer that keeps failing

    def test_failing_newcomer_pauses_nobody(self):
        """A new token that KSeF can't look at now is tried again by itself; the certificate beside it goes on sending."""
        connection = self.connected()
        self.sandbox.fault(TOKEN_LOGIN, 'http_error', status=500, times=4)
        self.connect(verify=False)
        self.run_workers(3)
        token = connection.credential_ids.filtered(lambda one: one.kind == 'token')
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertFalse(connection.paused_until)
        self.assertTrue(token.retry_at and token.is_unverified and not token.refusal)
        self.assertEqual(connection.due_at, token.retry_at, "a worker comes back for it")
        self.assertEqual(self.send().state, 'accepted')
        self.assertTrue(any("cannot log in now" in (body or '') for body in connection.message_ids.mapped('body')))
        for _round in range(6):
            if token.retry_at:
                token.sudo().retry_at = fields.Datetime.now() - timedelta(seconds=1)
            self.run_workers()
        self.assertFalse(token.is_unverified, "in the end it was looked at")
        self.assertFalse(token.retry_at)
        self.assertEqual(connection.state, 'connected')

    def test_failing_successor(self):
        """The same with a successor of the same kind: the former certificate stands in until the new one works."""
        connection = self.connected()
        former = connection.credential_ids
        self.sandbox.fault(SIGNED_LOGIN, 'http_error', status=500, times=1)
        self.connect_by_certificate(Certificate(SELLER_NIP))
        successor = connection.credential_ids - former
        former.sudo()._forget_access()
        self.run_workers(3)
        self.assertEqual((connection.state, successor.is_default, former.is_default), ('connected', True, False))
        self.assertTrue(successor.retry_at)
        self.assertEqual(self.env['ksef.credential']._next_login(connection), former)
        self.assertEqual(self.send().state, 'accepted')
        former.action_archive()
        self.assertEqual(self.env['ksef.credential']._next_login(connection), successor, "nothing else is left")
        former.sudo().active = True
        successor.sudo().retry_at = fields.Datetime.now() - timedelta(seconds=1)
        self.run_workers(2)
        self.assertFalse(successor.is_unverified)
        self.assertEqual(self.env['ksef.credential']._next_login(connection), successor)

    def test_only_credential_waits(self):
        """Where there is nothing else, the connection itself waits, as before."""
        self.sandbox.fault(TOKEN_LOGIN, 'http_error', status=500, times=1)
        connection = self.connect(verify=False)
        self.run_workers()
        self.assertEqual(connection.state, 'verifying')
        self.assertTrue(connection.paused_until)
        self.assertFalse(connection.credential_ids.retry_at)

    # ------------------------------------------------------------------ who is told, and no longer

    def test_activity_is_closed_by_a_successor(self):
        connection = self.connected(days=(-1, 5))
        connection._cron_ksef_watch()
        activity = connection.activity_ids
        self.assertEqual(len(activity), 1)
        self.connected()
        self.assertFalse(connection.activity_ids)
        self.assertIn("Settled", "".join(body or '' for body in connection.message_ids.mapped('body')))

    def test_activity_is_closed_when_put_away_or_disconnected(self):
        connection = self.connected(days=(-1, 5))
        connection._cron_ksef_watch()
        self.assertTrue(connection.activity_ids)
        connection.credential_ids.action_archive()
        self.assertFalse(connection.activity_ids)
        other = self.connected(days=(-1, 5))
        other._cron_ksef_watch()
        self.assertTrue(other.activity_ids)
        other.action_disconnect()
        self.assertFalse(other.activity_ids)

    def test_one_activity_at_a_time(self):
        """The next warning takes the place of the former one."""
        connection = self.connected(days=(-1, 5))
        connection._cron_ksef_watch()
        connection.sudo().credential_ids.valid_until = fields.Datetime.now() + timedelta(hours=20)
        connection._cron_ksef_watch()
        self.assertEqual(len(connection.activity_ids), 1)

    def test_responsible(self):
        """Managers choose who is told; open warnings move along. Nobody else, and nobody from outside the company."""
        connection = self.connected(days=(-1, 5))
        connection._cron_ksef_watch()
        colleague = new_test_user(
            self.env(su=True), 'kolega', 'account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        action = connection.action_change_responsible()
        with Form(self.env['ksef.connection.responsible'].with_context(**action['context'])) as form:
            self.assertEqual(form.user_id, connection.responsible_id)
            form.user_id = colleague
        form.record.action_apply()
        self.assertEqual((connection.responsible_id, connection.sudo().activity_ids.user_id), (colleague, colleague))
        with self.assertRaises(AccessError):
            connection.with_user(colleague).action_change_responsible()
        other = self._create_company(name="Inna sp. z o.o.", country_id=self.env.ref('base.pl').id)
        stranger = new_test_user(
            self.env(su=True), 'obcy', 'account.group_account_manager', company_id=other.id, company_ids=[Command.set(other.ids)])
        wizard = self.env['ksef.connection.responsible'].create({'connection_id': connection.id, 'user_id': stranger.id})
        with self.assertRaisesRegex(UserError, "works in"):
            wizard.action_apply()
