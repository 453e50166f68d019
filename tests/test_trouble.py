"""What changes in the middle of work: clocks, keys, rights, the end of sessions. Nothing is lost, nothing is sent twice."""
import base64
import os
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from cryptography.fernet import Fernet
from odoo import fields
from odoo.addons.l10n_pl_ksef.models.ksef_secret_box import KEY_ENVIRONMENT, KEY_ID_PARAMETER
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..ksef import xades
from ..ksef.certificates import KeyPair
from .common import OPEN, RUN_LOGGERS, SELLER_NIP, SEND
from .test_batch_common import LOGGERS, OPEN_BATCH, BatchCommon
from .test_connect_common import PASSWORD, Certificate, b64
from .test_received_common import EXPORT, FETCH_LOGGERS, KsefReceivingCommon

PUBLIC_KEYS = 'GET /security/public-key-certificates'
MINUTES = 60


@tagged('post_install', '-at_install')
class TestTrouble(KsefReceivingCommon, BatchCommon):

    def setUp(self):
        self.addCleanup(self.sandbox.admin, 'POST', '/settings', clockOffsetSeconds=0)
        super().setUp()
        muted = mute_logger(*{*RUN_LOGGERS, *LOGGERS, *FETCH_LOGGERS})
        muted.__enter__()
        self.addCleanup(muted.__exit__, None, None, None)

    def set_ksef_clock(self, seconds):
        """KSeF's clock is so far ahead of ours."""
        self.sandbox.admin('POST', '/settings', clockOffsetSeconds=seconds)

    def refusals(self, status, code=None):
        return [row for row in self.sandbox.requests() if row['status'] == status and row['path'].startswith('/v2')]

    # ------------------------------------------------------------------ clocks

    def test_clock_off(self):
        """Our clock is ten minutes ahead of KSeF's, or behind it: logging in, sending, fetching go as ever."""
        for offset in (-10 * MINUTES, 10 * MINUTES):
            with self.subTest(offset=offset):
                self.sandbox.reset()
                self.set_ksef_clock(offset)
                self.connection = self.connect()
                self.follow('single')
                numbers = self.issue(1)
                single, batch = self.pick(1), self.pick(3)
                self.settle(single | batch)
                self.assert_all_accepted(single | batch)
                self.run_workers()
                numbers += self.issue(1)
                self.run_workers(2)
                self.assertEqual(sorted(self.received().mapped('invoice_number')), sorted(numbers))
                self.assertFalse(self.refusals(401))
                self.assertEqual(len(self.sandbox.requests('POST', '/auth/ksef-token')), 1, "one login")
                self.received().sudo().unlink()

    def test_clock_behind_until_access_ends(self):
        """KSeF ends an access that lives on by our clock: one call refused, no second login, nothing twice."""
        self.set_ksef_clock(10 * MINUTES)
        self.connection = self.connect()
        first = self.send()
        self.set_ksef_clock(26 * MINUTES)
        second = self.pick(1)
        self.settle(second)
        self.assertEqual(second.attempts, 2, "the call that was refused is an attempt")
        self.assert_all_accepted(first | second)
        self.assertEqual(len(self.refusals(401)), 1)
        self.assertEqual(len(self.sandbox.requests('POST', '/auth/token/refresh')), 1)

    def test_clock_ahead_signs_by_ksef_s_clock(self):
        """Our clock is ahead: a login signed here is not from KSeF's future, and a request that a person signs has its ten minutes."""
        certificate = Certificate(SELLER_NIP)
        for offset in (-10 * MINUTES, 10 * MINUTES):
            self.set_ksef_clock(offset)
            wizard = self.env['ksef.connect'].create({
                'company_id': self.company.id, 'environment': 'local', 'local_url': self.sandbox.url, 'method': 'certificate',
                'certificate_file': b64(certificate.pem), 'key_file': b64(certificate.key_file()), 'password': PASSWORD})
            connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
            self.run_workers()
            self.assertEqual(connection.state, 'connected', connection.status_message)
            wizard = self.env['ksef.connect'].create({
                'company_id': self.company.id, 'environment': 'local', 'local_url': self.sandbox.url, 'method': 'signature'})
            connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
            self.run_workers()
            self.assertEqual(connection.signing_step, 'ready')
            credential = connection.signed_credential_id.sudo()
            self.assertGreater(credential.request_valid_until, fields.Datetime.now() + timedelta(minutes=9))
            credential._take_signed(xades.sign(
                base64.b64decode(credential.request_xml), KeyPair(certificate.certificate, certificate.key),
                datetime.now(UTC) + timedelta(seconds=offset)))
            connection._start_verification()
            self.run_workers()
            self.assertEqual(connection.state, 'connected', connection.status_message)

    # ------------------------------------------------------------------ sessions

    def test_twelve_hours_are_over(self):
        """KSeF has ended the session that is open here: another one is opened, the invoice goes there."""
        first = self.send()
        self.set_ksef_clock(12 * 60 * MINUTES + 5 * MINUTES)
        second = self.pick(1)
        self.settle(second)
        self.assert_all_accepted(first | second)
        self.assertEqual(sorted(self.sessions('online').mapped('state')), ['failed', 'open'])
        self.assertEqual(second.session_restarts, 0, "no fault of the invoice")

    def test_twelve_hours_are_over_before_the_answer(self):
        """The answer got lost, then the session ended: found in its list all the same."""
        self.sandbox.fault(SEND, 'drop_after')
        document = self.pick(1)
        self.run_workers()
        self.assertEqual(document.state, 'unconfirmed')
        self.set_ksef_clock(12 * 60 * MINUTES + 5 * MINUTES)
        self.settle(document)
        self.assert_all_accepted(document)
        self.assertEqual(document.attempts, 1)

    # ------------------------------------------------------------------ keys and rights

    def test_ksef_changes_its_keys(self):
        """KSeF changes its public keys just after they were fetched: for a login, a session, a batch, an export; and our clock is
        behind, so that the new keys are not valid yet."""
        self.set_ksef_clock(10 * MINUTES)
        for operation in (OPEN, OPEN_BATCH, EXPORT):
            with self.subTest(operation=operation):
                self.sandbox.admin('DELETE', '/requests')
                self.sandbox.fault(PUBLIC_KEYS, 'rotate_keys', mode='emergency')
                if operation == EXPORT:
                    numbers = self.issue(1)
                    self.follow('export')
                    self.run_workers(3)
                    self.assertEqual(self.received().mapped('invoice_number'), numbers)
                else:
                    documents = self.pick(1 if operation == OPEN else 3)
                    self.settle(documents)
                    self.assertEqual(set(documents.mapped('state')), {'accepted'})
                self.assertEqual(len(self.refusals(400)), 1, "the old key was refused once")
        self.assert_all_accepted(self.env['ksef.document'].sudo().search([('connection_id', '=', self.connection.id)]))
        self.sandbox.fault(PUBLIC_KEYS, 'rotate_keys', mode='emergency')
        self.connection.sudo().credential_ids._forget_login()
        self.assertEqual(self.send().state, 'accepted')

    def test_token_is_revoked(self):
        """Between two invoices: what is on its way waits, and goes on with another token; nothing goes twice."""
        self.set_parameters(batch_from=0)
        documents = self.pick(3)
        self.sandbox.fault(SEND, 'http_error', status=401, body='problem', skip=1)
        self.sandbox.fault('POST /auth/token/refresh', 'http_error', status=401, body='problem', times=-1)
        self.sandbox.admin('DELETE', f'/tokens/{self.connection.sudo().credential_ids.token_reference}')
        self.run_workers(2)
        self.assertEqual(self.connection.state, 'attention')
        self.assertEqual(sorted(documents.mapped('state')), ['accepted', 'queued', 'queued'])
        self.connect()
        self.settle(documents)
        self.assert_all_accepted(documents)

    def test_our_key_is_rotated(self):
        """The key of our secrets is replaced while a session is open; then the old one is missing for a while."""
        old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
        with patch.dict(os.environ, {KEY_ENVIRONMENT: old}):
            self.env['ir.config_parameter'].set_param(KEY_ID_PARAMETER, False)
            self.env['ksef.credential'].sudo().search([]).unlink()
            self.env['ksef.session'].sudo().search([]).write({'secret_key': False})
            self.connection = self.connect()
            first = self.send()
            os.environ[KEY_ENVIRONMENT] = f'{new},{old}'
            second = self.send()
            self.assertEqual(len(self.sessions('online')), 1, "the session goes on")
            batch = self.pick(3)
            with self.killed_before('_upload_batch'):
                pass
            os.environ[KEY_ENVIRONMENT] = new
            third = self.pick(1)
            self.run_workers()
            self.assertEqual((self.connection.state, self.connection.error_code), ('attention', 'secret-key'))
            self.assertEqual(third.state, 'queued')
            with self.assertRaisesRegex(UserError, "not on this server"):
                self.connection.sudo().credential_ids._reveal('secret')
            os.environ[KEY_ENVIRONMENT] = f'{new},{old}'
            self.connection.action_verify()
            documents = first | second | third | batch
            self.settle(documents)
            self.assert_all_accepted(documents)
