"""Logging in with a request that is signed in another program: the whole way, and each way it can go wrong."""
import base64
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ksef import xades
from ..ksef.certificates import KeyPair
from ..ksef.types import Context
from .common import BUYER_NIP, SELLER_NIP
from .test_connect import KsefConnectCommon
from .test_connect_common import Certificate, b64

SIGNED_LOGIN = 'POST /auth/xades-signature'


class KsefSignedCommon(KsefConnectCommon):
    """The way of a request: prepared, downloaded, signed elsewhere, uploaded."""

    def start(self):
        """Choose the signature in the wizard."""
        action = self.wizards.create({
            'company_id': self.company.id, 'method': 'signature', 'environment': 'local', 'local_url': self.sandbox.url,
        }).action_connect()
        return self.env['ksef.connection'].browse(action['res_id'])

    def begin(self):
        """Choose the signature and let a worker prepare the request."""
        connection = self.start()
        self.assertEqual((connection.state, connection.signing_step), ('signing', 'preparing'))
        self.run_workers()
        self.env.invalidate_all()
        self.assertEqual(connection.signing_step, 'ready', connection.status_message)
        return connection

    def request(self, connection):
        """The file as the person downloads it."""
        self.assertIn('/request_xml', connection.action_download_request()['url'])
        return base64.b64decode(connection.signed_credential_id.with_user(self.env.user).request_xml)

    def sign(self, request, certificate=None):
        certificate = certificate or Certificate(SELLER_NIP)
        return xades.sign(request, KeyPair(certificate.certificate, certificate.key))

    def upload(self, connection, content):
        wizard = self.env['ksef.upload.signed'].with_context(**connection.action_upload_signed()['context']).create(
            {'signed_file': b64(content), 'signed_filename': 'podpisany.xml'})
        return wizard.action_send()


@tagged('post_install', '-at_install')
class TestConnectSigned(KsefSignedCommon):

    def test_connect_and_send(self):
        """Prepare, sign, bring back, connected; “in progress” is a state of its own (S0-04, S0-22)."""
        connection = self.begin()
        signed = self.sign(self.request(connection))
        self.assertFalse(self.sandbox.requests(path='/v2/auth/xades'))
        self.upload(connection, signed)
        self.assertEqual((connection.state, connection.signing_step), ('verifying', False))
        self.assertFalse(self.sandbox.requests(path='/v2/auth/xades'), "nothing is sent in the user's request")
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        credential = connection.credential_ids.filtered(lambda one: one.kind == 'signed')
        self.assertEqual((credential.kind, credential.certificate_owner), ('signed', "Pieczęć firmy"))
        self.assertFalse(credential.sudo().signed_secret, "the signed file is kept no longer than needed")
        self.assertEqual(self.send().state, 'accepted')

    def test_gets_its_own_certificate(self):
        """After a login that may, the program gets a certificate of its own and uses it from then on (S0-15)."""
        connection = self.begin()
        self.upload(connection, self.sign(self.request(connection)))
        for _round in range(5):
            self.run_workers()
            connection.sudo().task_ids.filtered('due_at').due_at = fields.Datetime.now()
        self.assertEqual(connection.sudo().task_ids.state, 'done', connection.sudo().task_ids.message)
        self.assertEqual(self.env['ksef.credential']._next_login(connection).kind, 'certificate')
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_checked_before_the_network(self):
        """Each mistake has its sentence; nothing reaches KSeF, so that the challenge still serves (S0-10…S0-12, S0-20)."""
        connection = self.begin()
        request = self.request(connection)
        signed = self.sign(request)
        other = self.sign(xades.auth_token_request(
            connection.signed_credential_id.request_challenge, Context(BUYER_NIP)), Certificate(BUYER_NIP))
        stale = self.sign(xades.auth_token_request('20261120-CR-0123456789-ABCDEF0123-45', Context(SELLER_NIP)))
        for content, words in (
            (request, "not signed"),
            (b'%PDF-1.7', "PDF"),
            (b'nonsense', "not an XML file"),
            (signed.replace(b'</', b' </', 1), "changed after it was signed"),
            (signed.replace(b'?>', b'?><!DOCTYPE x [<!ENTITY y "z">]>', 1), "document type"),
            (other, f"another company \\(NIP {BUYER_NIP}\\)"),
            (stale, "earlier attempt"),
            (self.sign(request, Certificate(SELLER_NIP, days=(-9, -1))), "has expired"),
            (b'<a>' * 20000 + b'</a>' * 20000, "not an XML file|not the login request"),
            (b' ' * 3_000_000, "too large"),
            (b'', "Choose the signed file"),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                self.upload(connection, content)
        self.assertFalse(self.sandbox.requests(path='/v2/auth/xades'))
        self.assertEqual(connection.signing_step, 'ready')
        self.upload(connection, signed)
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_too_late(self):
        """After ten minutes the file is refused here, and one click brings another (S0-11)."""
        connection = self.begin()
        signed = self.sign(self.request(connection))
        connection.sudo().signed_credential_id.request_valid_until = fields.Datetime.now() - timedelta(seconds=1)
        self.assertEqual(connection.signing_step, 'expired')
        with self.assertRaisesRegex(UserError, "ten minutes"):
            self.upload(connection, signed)
        with self.assertRaisesRegex(UserError, "Prepare a new file"):
            connection.action_download_request()
        connection.action_new_request()
        self.run_workers()
        self.env.invalidate_all()
        self.assertEqual(connection.signing_step, 'ready')
        self.upload(connection, self.sign(self.request(connection)))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_never_sent_twice(self):
        """KSeF took the file but its answer was lost: the file serves only once, so a person signs another one."""
        connection = self.begin()
        self.sandbox.fault(SIGNED_LOGIN, 'drop_after')
        self.upload(connection, self.sign(self.request(connection)))
        for _run in range(3):
            self.make_due()
            self.run_workers()
        self.assertEqual(len(self.sandbox.requests(path='/v2/auth/xades')), 1)
        self.assertEqual(connection.state, 'attention')
        self.assertIn("sign that one", connection.status_message)

    def test_not_sent_serves_again(self):
        """The call certainly did not reach KSeF: the same file goes when KSeF can be reached."""
        connection = self.begin()
        self.upload(connection, self.sign(self.request(connection)))
        url = connection.local_url
        connection.sudo().local_url = 'http://127.0.0.1:9/v2'
        self.run_workers()
        self.assertEqual(connection.state, 'verifying')
        connection.sudo().write({'local_url': url})
        self.make_due()
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_without_rights(self):
        """The person has no rights for this company: KSeF's answer in full, and what to do (S0-09)."""
        connection = self.begin()
        self.upload(connection, self.sign(self.request(connection), Certificate(BUYER_NIP)))
        self.run_workers()
        self.assertEqual((connection.state, connection.error_code), ('attention', '415'))
        self.assertIn("415", connection.status_message)

    def test_beside_a_working_connection(self):
        """While a request waits to be signed, invoices go on by the token."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        connection.action_new_request()
        self.run_workers()
        self.env.invalidate_all()
        self.assertEqual((connection.state, connection.signing_step), ('connected', 'ready'))
        self.assertEqual(self.send().state, 'accepted')
        connection.action_cancel_signing()
        self.assertEqual((connection.state, connection.signing_step), ('connected', False))

    def test_given_up(self):
        connection = self.begin()
        connection.action_cancel_signing()
        self.assertEqual((connection.state, connection.signing_step), ('draft', False))

    def test_rights(self):
        """Only who manages KSeF prepares, downloads and uploads."""
        connection = self.begin()
        accountant = new_test_user(
            self.env(su=True), 'ksiegowa2', 'account.group_account_invoice,l10n_pl_ksef.group_ksef_send',
            company_id=self.company.id, company_ids=self.company.ids)
        for verb in ('action_new_request', 'action_cancel_signing', 'action_download_request', 'action_upload_signed'):
            with self.subTest(verb=verb), self.assertRaises(AccessError):
                getattr(connection.with_user(accountant), verb)()
        with self.assertRaises(AccessError):
            self.env['ksef.upload.signed'].with_user(accountant).create({'connection_id': connection.id, 'signed_file': b64(b'x')})
