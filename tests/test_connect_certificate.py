"""Connecting with a certificate: what is shown before saving, what is refused, and that the key is nowhere in the open."""
import json

from cryptography.hazmat.primitives.serialization import Encoding
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import BUYER_NIP, SELLER_NIP
from .test_connect import KsefConnectCommon
from .test_connect_common import PASSWORD, Certificate, b64


class KsefCertificateCommon(KsefConnectCommon):

    def new_certificate_wizard(self, certificate=None, **values):
        if certificate:
            values = {
                'certificate_file': b64(certificate.pem), 'key_file': b64(certificate.key_file()), 'password': PASSWORD,
            } | values
        return self.wizards.create({
            'company_id': self.company.id, 'method': 'certificate', 'environment': 'local', 'local_url': self.sandbox.url,
        } | values)

    def connect_by_certificate(self, certificate, **values):
        action = self.new_certificate_wizard(certificate, **values).action_connect()
        return self.env['ksef.connection'].browse(action['res_id'])


@tagged('post_install', '-at_install')
class TestConnectCertificate(KsefCertificateCommon):

    def test_connect_and_send(self):
        """Files and password in, a worker logs in with them, an invoice goes (S0-15, S0-22)."""
        for curve, person in ((True, False), (False, False), (True, True)):
            with self.subTest(curve=curve, person=person):
                connection = self.connect_by_certificate(Certificate(SELLER_NIP, curve=curve, person=person))
                self.assertEqual(connection.state, 'verifying')
                self.assertFalse(self.sandbox.requests(path='/v2/auth'), "nothing is asked in the user's request")
                self.run_workers()
                self.assertEqual(connection.state, 'connected', connection.status_message)
                self.assertIn("wystawianie faktur", connection.permission_names)
                credential = connection.credential_ids.filtered('is_default')
                self.assertEqual((credential.kind, credential.state, credential.origin), ('certificate', 'usable', 'uploaded'))
                self.assertEqual(self.send().state, 'accepted')
                self.sandbox.admin('DELETE', '/requests')

    def test_forms_of_the_files(self):
        """DER, PKCS#12, the key in either file, CRLF and BOM: all are what people have."""
        made = Certificate(SELLER_NIP)
        for values in (
            {'certificate_file': b64(made.der), 'key_file': b64(made.key_file(encoding=Encoding.DER)), 'password': PASSWORD},
            {'certificate_file': b64(made.p12()), 'password': PASSWORD},
            {'certificate_file': b64(made.pem + made.key_file(None))},
            {'certificate_file': b64(b'\xef\xbb\xbf' + made.pem.replace(b'\n', b'\r\n')), 'key_file': b64(made.key_file()),
             'password': PASSWORD},
        ):
            with self.subTest(values=list(values)):
                wizard = self.new_certificate_wizard(**values)
                self.assertFalse(wizard.certificate_problem)
                connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
                self.run_workers()
                self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_shown_before_saving(self):
        """Whose it is, what it serves for and how long, while the person still chooses files."""
        made = Certificate(SELLER_NIP)
        with Form(self.wizards) as form:
            self.assertEqual(form.method, 'certificate')
            form.certificate_file = b64(made.pem)
            self.assertIn(".key", form.certificate_problem)
            self.assertEqual(form.certificate_owner, "Pieczęć firmy")
            form.key_file = b64(made.key_file())
            self.assertIn("password", form.certificate_problem)
            form.password = 'wrong'
            self.assertIn("does not open", form.certificate_problem)
            form.password = PASSWORD
            self.assertFalse(form.certificate_problem)
            self.assertEqual(form.certificate_identifier, f'NIP {SELLER_NIP}')
            self.assertIn("logging in", form.certificate_use)
            form.certificate_file = b64(Certificate(BUYER_NIP).pem)
            self.assertIn("another certificate", form.certificate_problem)

    def test_refused_files(self):
        """Each mistake has its sentence, stores nothing and leaves the wizard usable."""
        made, other = Certificate(SELLER_NIP), Certificate(SELLER_NIP)
        key = {'key_file': b64(made.key_file()), 'password': PASSWORD}
        for values, words in (
            ({}, "Choose the file"),
            ({'certificate_file': b64(made.pem)}, "no private key"),
            ({'certificate_file': b64(made.pem), 'key_file': b64(made.key_file())}, "protected by a password"),
            ({'certificate_file': b64(made.pem)} | key | {'password': 'x'}, "does not open"),
            ({'certificate_file': b64(other.pem)} | key, "another certificate"),
            ({'certificate_file': b64(b'%PDF-1.7 faktura')} | key, "neither a certificate nor a key"),
            ({'certificate_file': b64(made.pem[:200])} | key, "cannot be read"),
            ({'certificate_file': b64(Certificate(SELLER_NIP, days=(-9, -1)).pem)} | key, "another certificate"),
            ({'certificate_file': b64(b'x' * 5_000_000)} | key, "far too large"),
        ):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                self.new_certificate_wizard(**values).action_connect()
        for days, words in (((-9, -1), "ended on"), ((1, 9), "valid only from")):
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words):
                self.new_certificate_wizard(Certificate(SELLER_NIP, days=days)).action_connect()
        with self.assertRaisesRegex(UserError, "issued offline"):
            self.new_certificate_wizard(Certificate(SELLER_NIP, usage='content_commitment')).action_connect()
        self.assert_nothing_connected()
        wizard = self.new_certificate_wizard(made, password='x')
        with self.assertRaises(UserError):
            wizard.action_connect()
        wizard.password = PASSWORD
        self.assertEqual(wizard.action_connect()['res_model'], 'ksef.connection')

    def test_offline_certificate_beside(self):
        """An Offline certificate is added to a company that can log in, and never used for that."""
        connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.connect_by_certificate(Certificate(SELLER_NIP, usage='content_commitment'))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertEqual(set(connection.credential_ids.filtered('is_default').mapped('kind')), {'certificate', 'offline'})

    def test_several_companies(self):
        """One certificate for further NIPs; the right in each is looked at by KSeF (S0-16, S0-17)."""
        other = self.env['res.company'].create({'name': "Druga sp. z o.o.", 'vat': f'PL{BUYER_NIP}'})
        self.env.user.company_ids += other
        wizards = self.wizards.with_context(allowed_company_ids=(self.company + other).ids)
        wizard = wizards.browse(self.new_certificate_wizard(Certificate(SELLER_NIP)).id)
        wizard.other_company_ids = other
        wizard.action_connect()
        self.run_workers()
        self.assertEqual(self.company.ksef_connection_id.state, 'connected')
        connection = other.ksef_connection_id
        self.assertEqual((connection.nip, connection.state), (BUYER_NIP, 'attention'))
        self.assertTrue(connection.error_code)

    def test_certificate_before_token(self):
        """The certificate logs in, the token when KSeF no longer takes the certificate; who is refused is left alone."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.run_workers()
        self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        next_login = self.env['ksef.credential']._next_login
        self.assertEqual(next_login(connection).kind, 'certificate')
        certificate = connection.credential_ids.filtered(lambda one: one.kind == 'certificate')
        certificate._forget_login()
        self.sandbox.fault('POST /auth/xades-signature', 'http_error', status=400, code=21115)
        self.assertEqual(self.send().state, 'accepted')
        self.assertEqual(certificate.refused_code, '21115')
        self.assertEqual(certificate.state, 'refused')
        self.assertEqual(next_login(connection).kind, 'token')
        connection.action_verify()
        self.run_workers()
        self.assertEqual(certificate.state, 'usable')

    def test_key_is_nowhere_in_the_open(self):
        """Not in any table, not in an answer, not in the chatter, not in a log; neither is the password."""
        made = Certificate(SELLER_NIP)
        messages = self.record_everything()
        wizard = self.new_certificate_wizard(made)
        secrets = (made.secret, made.key_file().decode().split('\n')[3], PASSWORD)
        self.env.flush_all()
        tables = [str(self.rows('ksef_connect', wizard.id))]
        self.env.invalidate_all()
        answers = [str(wizard.read()), str(wizard.export_data(['certificate_file', 'key_file', 'password']))]
        connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
        self.run_workers()
        self.env.flush_all()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        for table, ids in (
            ('ksef_connect', wizard.ids), ('ksef_connection', connection.ids), ('ksef_credential', connection.credential_ids.ids),
        ):
            tables += [str(self.rows(table, row_id)) for row_id in ids]
        answers += [str(connection.credential_ids.read()), str(connection.message_ids.mapped('body'))]
        for secret in secrets:
            self.assertNotIn(secret, json.dumps(tables + answers, ensure_ascii=False))
            self.assertFalse([text for text in messages.texts if secret in text])
        self.assertIsNone(self.rows('ksef_connect', wizard.id)[0]['files_secret'])
