"""What goes wrong while a company is connected, and that it ends in a sentence and a way on: no loops, no lost keys, no dead ends."""
from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import BUYER_NIP, SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate
from .test_connect_signed import KsefSignedCommon

CHALLENGE = 'POST /auth/challenge'
SIGNED_LOGIN = 'POST /auth/xades-signature'


@tagged('post_install', '-at_install')
class TestCertificateFaults(KsefCertificateCommon):

    def connected(self, **values):
        connection = self.connect_by_certificate(Certificate(SELLER_NIP, **values))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        return connection

    def run_task(self, connection):
        task = connection.sudo().task_ids[0]
        for _round in range(4):
            if task.due_at:
                task.due_at = fields.Datetime.now()
                self.run_workers()
        return task

    def test_refused_successor(self):
        """A new certificate that KSeF does not take gives its place back: invoices go on with the former one."""
        connection = self.connected()
        former = connection.credential_ids
        self.sandbox.fault(SIGNED_LOGIN, 'http_error', status=400, code=21115)
        self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers(3)
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertTrue(former.is_default)
        refused = connection.credential_ids - former
        self.assertEqual((refused.state, refused.is_default, refused.refused_code), ('refused', False, '21115'))
        self.assertEqual(self.send().state, 'accepted')

    def test_successor_without_rights(self):
        """A token that lacks a right stands aside, and the certificate beside it goes on."""
        connection = self.connected()
        self.connect_by_wizard(self.sandbox.token(permissions=['InvoiceRead']))
        self.run_workers(3)
        self.assertEqual(connection.state, 'connected', connection.status_message)
        token = connection.credential_ids.filtered(lambda one: one.kind == 'token')
        self.assertEqual(token.refused_code, 'permissions')
        self.assertEqual(self.send().state, 'accepted')

    def test_unlisted_certificate_is_not_called_revoked(self):
        """KSeF revokes only what it issued: the key of another one stays, and the task says so."""
        connection = self.connected()
        connection.credential_ids.action_revoke()
        task = self.run_task(connection)
        self.assertEqual(task.state, 'failed')
        self.assertIn("not revoked", task.message)
        self.assertTrue(connection.credential_ids.sudo().secret)
        self.assertEqual(self.send().state, 'accepted')

    def test_certificates_need_more_than_a_token(self):
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        connection.action_get_certificate()
        task = self.run_task(connection)
        self.assertEqual(task.state, 'failed')
        self.assertIn("not with a token", task.message)

    def test_accepted_request_keeps_its_key(self):
        """KSeF has taken the request; a refusal while it is asked about costs nothing, and the key stays for the certificate."""
        connection = self.connected()
        self.sandbox.fault('GET /certificates/enrollments/{referenceNumber}', 'http_error', status=403)
        connection.action_get_certificate()
        task = self.run_task(connection)
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(len([
            call for call in self.sandbox.requests(path='/v2/certificates/enrollments') if call['method'] == 'POST']), 1)

    def test_one_request_at_a_time(self):
        connection = self.connected()
        self.sandbox.fault('GET /certificates/enrollments/{referenceNumber}', 'http_error', status=503, times=2)
        connection.action_get_certificate()
        self.run_workers()
        self.assertEqual(connection.sudo().task_ids.state, 'waiting')
        connection.action_get_certificate()
        self.assertEqual(len(connection.sudo().task_ids), 1)

    def test_disconnecting_ends_tasks(self):
        connection = self.connected()
        connection.action_get_certificate()
        connection.action_disconnect()
        task = connection.sudo().task_ids
        self.assertEqual((task.state, task.due_at, task.secret), ('failed', False, False))

    def test_copies_stay_silent(self):
        """No button but the one that says so makes a copied database send."""
        connection = self.connected()
        first = connection.credential_ids
        self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.env['ir.config_parameter'].sudo().set_param('database.uuid', 'of-the-copy')
        self.env.invalidate_all()
        for button in (first.action_make_default, connection.action_new_request, connection.action_use):
            with self.assertRaisesRegex(UserError, "copy"):
                button()
        self.assertTrue(connection.is_copied_database)


@tagged('post_install', '-at_install')
class TestSignedFaults(KsefSignedCommon):

    def test_no_challenge_now(self):
        """KSeF is down while the file is prepared: asked again after a while, not in a loop."""
        self.sandbox.fault(CHALLENGE, 'http_error', status=503, times=2)
        connection = self.start()
        self.run_workers()
        self.assertEqual((connection.state, connection.signing_step), ('signing', 'preparing'))
        self.assertGreater(connection.paused_until, fields.Datetime.now())
        self.assertEqual(len(self.sandbox.requests(path='/v2/auth/challenge')), 1)
        self.run_workers(2)
        self.env.invalidate_all()
        self.assertEqual(connection.signing_step, 'ready', connection.status_message)

    def test_no_challenge_for_us(self):
        """KSeF refuses: said at once, and what works meanwhile goes on."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        self.sandbox.fault(CHALLENGE, 'http_error', status=403, reasonCode='ip-not-allowed')
        connection.action_new_request()
        self.run_workers(2)
        self.env.invalidate_all()
        self.assertEqual((connection.state, connection.signing_step), ('connected', False))
        self.assertIn("internet address", connection.status_message)
        self.assertEqual(self.send().state, 'accepted')

    def test_another_signer(self):
        """Who signed first has no rights; the file of who has them is used, not the first one's login."""
        connection = self.begin()
        self.upload(connection, self.sign(self.request(connection), Certificate(BUYER_NIP)))
        self.run_workers()
        self.assertEqual(connection.state, 'attention')
        connection.action_new_request()
        self.run_workers()
        self.env.invalidate_all()
        self.upload(connection, self.sign(self.request(connection)))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_too_many_calls_now(self):
        """429 is certainly not taken: the same file goes again."""
        connection = self.begin()
        self.sandbox.fault(SIGNED_LOGIN, 'http_error', status=429, retryAfter=1)
        self.upload(connection, self.sign(self.request(connection)))
        self.run_workers(3)
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_from_token_to_certificate(self):
        """The way out before tokens end: sign once, and the program gets a certificate and uses it."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        self.start()
        self.run_workers()
        self.env.invalidate_all()
        self.upload(connection, self.sign(self.request(connection)))
        for _round in range(6):
            self.run_workers()
            connection.sudo().task_ids.filtered('due_at').due_at = fields.Datetime.now()
        task = connection.sudo().task_ids
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(self.env['ksef.credential']._next_login(connection).kind, 'certificate')
        self.assertEqual(self.send().state, 'accepted')

    def test_signing_given_up_in_trouble(self):
        """What worked before works again when the signing is given up."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        connection.sudo()._set_attention("trouble")
        connection.action_new_request()
        self.assertEqual(connection.state, 'signing')
        connection.action_cancel_signing()
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
