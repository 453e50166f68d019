"""The connect wizard: what it shows, what it refuses, and that a token never stands anywhere in the open."""
import logging

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL

from .common import BUYER_NIP, SELLER_NIP, KsefSandboxCommon

REFERENCE = '20261121-EC-B97382798D-071FB39615-52'
SECRET = '0123456789abcdef' * 4
GOOD_SHAPE = f'{REFERENCE}|nip-{SELLER_NIP}|{SECRET}'


class Messages(logging.Handler):
    """Keeps whatever anybody logs, arguments and tracebacks included."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []

    def emit(self, record):
        self.texts.append(self.format(record))


class KsefConnectCommon(KsefSandboxCommon):

    def setUp(self):
        super().setUp()
        self.wizards = self.env['ksef.connect']

    def new_wizard(self, token, **values):
        return self.wizards.create({
            'company_id': self.company.id, 'method': 'token', 'environment': 'local', 'local_url': self.sandbox.url, 'token': token,
        } | values)

    def connect_by_wizard(self, token, **values):
        """Click “Connect” and return the connection whose form is opened."""
        action = self.new_wizard(token, **values).action_connect()
        self.assertEqual((action['res_model'], action['views']), ('ksef.connection', [(False, 'form')]))
        return self.env['ksef.connection'].browse(action['res_id'])

    def assert_nothing_connected(self):
        self.assertFalse(self.env['ksef.connection'].search([('company_id', '=', self.company.id)]))
        self.assertFalse(self.company.ksef_connection_id)
        self.assertFalse(self.sandbox.requests())

    def record_everything(self):
        """Record all messages of all loggers, debugging ones included, until the test ends."""
        messages = Messages()
        loggers = [logging.getLogger(), *(
            logging.getLogger(name) for name in list(logging.root.manager.loggerDict)
            if name.partition('.')[0] in ('odoo', 'urllib3', 'requests', 'werkzeug'))]
        for logger in loggers:
            self.addCleanup(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        logging.getLogger().addHandler(messages)
        self.addCleanup(logging.getLogger().removeHandler, messages)
        return messages

    def rows(self, table, row_id):
        self.env.cr.execute(SQL("SELECT * FROM %s WHERE id = %s", SQL.identifier(table), row_id))
        return self.env.cr.dictfetchall()


@tagged('post_install', '-at_install')
class TestConnect(KsefConnectCommon):

    def test_connect(self):
        """One click: being verified, a worker later connected, with what the token may do (S3-02, S3-08)."""
        connection = self.connect_by_wizard(self.sandbox.token())
        self.assertEqual((connection.state, connection.nip), ('verifying', SELLER_NIP))
        self.assertEqual(self.company.ksef_connection_id, connection)
        self.assertFalse(self.sandbox.requests(path='/v2/'), "nothing is asked in the user's request")
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertTrue(connection.verified_at)
        self.assertTrue(connection.is_in_use)
        self.assertIn("wystawianie faktur", connection.permission_names)
        self.assertIn("dostęp do faktur", connection.permission_names)

    def test_white_space_around_the_token(self):
        connection = self.connect_by_wizard(f"  {self.sandbox.token()}\n")
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def test_another_token(self):
        """A token with too few rights is named, a better one replaces it (S3-06)."""
        connection = self.connect_by_wizard(self.sandbox.token(permissions=['InvoiceWrite']))
        self.run_workers()
        self.assertEqual(connection.state, 'attention')
        self.assertIn("dostęp do faktur", connection.status_message)
        self.assertNotIn("issuing invoices", connection.status_message.split('.')[0])
        wizard_action = connection.action_connect_again()
        wizard = self.wizards.with_context(**wizard_action['context']).create({'method': 'token', 'token': self.sandbox.token()})
        self.assertEqual(
            (wizard.company_id, wizard.environment, wizard.local_url), (self.company, 'local', self.sandbox.url))
        self.assertEqual(wizard.action_connect()['res_id'], connection.id)
        self.assertFalse(connection.status_message)
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertEqual(connection.credential_ids.mapped('is_default'), [True, False])

    def test_refused_by_ksef(self):
        """A token that KSeF no longer takes: its full answer stands on the connection (S0-01)."""
        token = self.sandbox.token()
        self.sandbox.admin('DELETE', f"/tokens/{token.split('|')[0]}")
        connection = self.connect_by_wizard(token)
        self.run_workers()
        self.assertEqual(connection.state, 'attention')
        self.assertEqual(connection.error_code, '450')
        self.assertIn('450', connection.status_message)
        self.assertIn("Token unieważniony", connection.status_message)

    # ------------------------------------------------------------------ the secret

    def test_token_is_nowhere_in_the_open(self):
        """Not in any table, not in an answer to the browser, not in the chatter, not in a log."""
        token = self.sandbox.token()
        secret = token.rsplit('|', 1)[1]
        messages = self.record_everything()
        saved = self.wizards.browse().web_save({
            'company_id': self.company.id, 'environment': 'local', 'local_url': self.sandbox.url, 'method': 'token',
            'token': token,
        }, {'token': {}, 'company_id': {}})
        self.env.flush_all()
        wizard = self.wizards.browse(saved[0]['id'])
        self.assertNotIn(secret, str(self.rows('ksef_connect', wizard.id)))
        self.env.invalidate_all()
        self.assertFalse(wizard.token)
        connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
        self.run_workers()
        self.assertTrue(messages.texts, "the recorder itself works")
        self.env.flush_all()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        [row] = self.rows('ksef_connect', wizard.id)
        self.assertIsNone(row['token_secret'], "the wizard keeps nothing, not even encrypted")
        for table, ids in (('ksef_connection', connection.ids), ('ksef_credential', connection.credential_ids.ids)):
            self.assertNotIn(secret, str([self.rows(table, row_id) for row_id in ids]))
        self.assertNotIn(secret, str(connection.message_ids.mapped('body')))
        self.assertFalse([text for text in messages.texts if secret in text])

    def test_wizard_secret_is_read_by_nobody(self):
        wizard = self.new_wizard(GOOD_SHAPE)
        with self.assertRaises(AccessError):
            wizard.read(['token_secret'])
        self.assertFalse(wizard.read(['token'])[0]['token'])
        self.assertNotIn(SECRET, str(wizard.export_data(['token', 'company_id'])))

    # ------------------------------------------------------------------ what is refused, and how it is said

    def test_token_shapes(self):
        """Each way of copying a token wrongly has its sentence, none of which repeats the token."""
        for token, words in (
            (REFERENCE, "reference number of a token"),
            (SECRET, "not a whole KSeF token"),
            (GOOD_SHAPE[:-1], "not a whole KSeF token"),
            (GOOD_SHAPE + 'a', "not a whole KSeF token"),
            (GOOD_SHAPE[1:], "not a whole KSeF token"),
            (GOOD_SHAPE.replace('|', ' '), "not a whole KSeF token"),
            (f'{REFERENCE}|{SECRET}', "not a whole KSeF token"),
            (f'{GOOD_SHAPE}|{SECRET}', "not a whole KSeF token"),
            (GOOD_SHAPE.replace('abc', 'xyz'), "not a whole KSeF token"),
            (GOOD_SHAPE.replace('0', '٠'), "not a whole KSeF token"),
            (f'{REFERENCE}|nip-{BUYER_NIP}|{SECRET}', BUYER_NIP),
            (f'{REFERENCE}|internalId-{SELLER_NIP}-00001|{SECRET}', "internalId"),
        ):
            with self.subTest(token=token):
                wizard = self.new_wizard(token)
                with self.assertRaises(UserError) as caught:
                    wizard.action_connect()
                self.assertIn(words, str(caught.exception))
                self.assertNotIn(SECRET[:40], str(caught.exception))
        self.assertFalse(self.wizards._token_problem(GOOD_SHAPE, SELLER_NIP))
        self.assertFalse(self.wizards._token_problem(GOOD_SHAPE.upper(), SELLER_NIP))
        self.assert_nothing_connected()

    def test_said_while_typing(self):
        with Form(self.wizards) as form:
            form.method = 'token'
            form.token = REFERENCE
            self.assertIn("reference number of a token", form.token_problem)
            form.token = GOOD_SHAPE
            self.assertFalse(form.token_problem)

    def test_no_token(self):
        with self.assertRaisesRegex(UserError, "Paste the KSeF token"):
            self.new_wizard(False).action_connect()
        self.assert_nothing_connected()

    def test_nip_of_the_company(self):
        """The NIP is the company's own; a missing or wrong one is said before anything is tried (S3-10)."""
        self.assertEqual(self.new_wizard(False).nip, SELLER_NIP)
        for vat in (False, 'PL5795955812', 'DE312000026'):
            with self.subTest(vat=vat):
                self.company.with_context(no_vat_validation=True).vat = vat
                wizard = self.new_wizard(GOOD_SHAPE)
                self.assertFalse(wizard.nip)
                self.assertIn("Tax ID", wizard.nip_problem)
                with self.assertRaisesRegex(UserError, "Tax ID"):
                    wizard.action_connect()
        self.assert_nothing_connected()

    def test_sandbox_only_on_this_machine(self):
        """The token is sent to no other machine by way of “Local sandbox”."""
        for url in (
            False, 'ksef', 'https://api.ksef.mf.gov.pl/v2', 'http://example.com/v2', 'http://127.0.0.1@example.com/v2',
            'http://127.0.0.1.example.com/v2', 'http://192.168.0.10/v2', 'file:///etc/passwd', 'http://[::2]/v2',
        ):
            with self.subTest(url=url), self.assertRaises(ValidationError):
                self.new_wizard(GOOD_SHAPE, local_url=url).action_connect()
        self.assert_nothing_connected()

    def test_another_company(self):
        """Neither by the list nor by a call can somebody connect a company that is not his."""
        other = self.env(user=SUPERUSER_ID)['res.company'].create({'name': "Obca sp. z o.o.", 'vat': f'PL{BUYER_NIP}'})
        self.assertNotIn(other, self.env['res.company'].search(
            self.wizards._fields['company_id'].get_comodel_domain(self.wizards)))
        with self.assertRaises(AccessError):
            self.new_wizard(f'{REFERENCE}|nip-{BUYER_NIP}|{SECRET}', company_id=other.id).action_connect()
        self.assertFalse(other.sudo().ksef_connection_id)

    def test_somebody_elses_wizard(self):
        """Who may connect cannot press the button of another person's wizard."""
        colleague = new_test_user(
            self.env(su=True), 'kolega', 'account.group_account_manager', company_id=self.company.id,
            company_ids=self.company.ids)
        wizard = self.new_wizard(GOOD_SHAPE)
        with self.assertRaises(AccessError):
            wizard.with_user(colleague).action_connect()
        self.assert_nothing_connected()

    def test_addresses(self):
        """Each environment leads to its own taxpayer application (S3-05, S4-03)."""
        form = Form(self.wizards)
        for environment, url in (
            ('production', 'https://ap.ksef.mf.gov.pl/web'), ('demo', 'https://ap-demo.ksef.mf.gov.pl/web'),
            ('test', 'https://ap-test.ksef.mf.gov.pl/web'), ('local', False),
        ):
            form.environment = environment
            self.assertEqual(form.taxpayer_app_url, url)
        form.local_url = self.sandbox.url
        self.assertEqual(form.taxpayer_app_url, self.sandbox.url.removesuffix('/v2'))


@tagged('post_install', '-at_install')
class TestConnectionScreen(KsefConnectCommon):

    def test_disconnect(self):
        """The secrets go, the documents stay, and the connection can be made again."""
        connection = self.connect()
        document = self.send()
        self.assertEqual(document.state, 'accepted')
        connection.action_disconnect()
        self.assertEqual(connection.state, 'draft')
        self.assertFalse(self.env['ksef.credential'].sudo().search([('connection_id', '=', connection.id)]))
        self.assertEqual(connection.document_count, 1)
        with self.assertRaisesRegex(UserError, "not connected to KSeF"):
            self.make_invoice()._ksef_pick()
        self.assertEqual(self.connect_by_wizard(self.sandbox.token()), connection)

    def test_no_disconnecting_in_mid_air(self):
        connection = self.connect()
        document = self.make_invoice()._ksef_pick()
        document.sudo()._transition('sending')
        with self.assertRaisesRegex(UserError, "on their way"):
            connection.action_disconnect()
        self.assertEqual(connection.state, 'connected')
        self.assertTrue(connection.credential_ids)

    def test_copied_database(self):
        """A copy says so, sends nothing, and an administrator's word makes it the one that sends."""
        connection = self.connect()
        self.env['ir.config_parameter'].sudo().set_param('database.uuid', 'of-the-copy')
        self.env.invalidate_all()
        self.assertTrue(connection.is_copied_database)
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.assertFalse(self.sandbox.invoices())
        connection.action_confirm_database()
        self.assertFalse(connection.is_copied_database)
        self.run_workers(2)
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertEqual(document.state, 'accepted')

    def test_workers_switched_off(self):
        connection = self.connect()
        self.assertTrue(connection.has_workers)
        self.env['ksef.worker']._get_pool().active = False
        connection.invalidate_recordset(['has_workers'])
        self.assertFalse(connection.has_workers)

    def test_in_use(self):
        """Which of two connections the company sends through, also as a filter."""
        local = self.connect()
        demo = self.env['ksef.connection']._connect_with_token(self.company, 'demo', GOOD_SHAPE)
        own = [('company_id', '=', self.company.id)]
        connections = self.env['ksef.connection']
        self.assertEqual((demo.is_in_use, local.is_in_use), (True, False))
        self.assertEqual(connections.search([*own, ('is_in_use', '=', True)]), demo)
        self.assertEqual(connections.search([*own, ('is_in_use', '=', False)]), local)
        self.assertEqual(connections.search([*own, ('is_in_use', '!=', True)]), local)

    def test_settings(self):
        """The settings show the connection, and saving them asks KSeF nothing."""
        connection = self.connect()
        admin = self.env.ref('base.user_admin')
        admin.sudo().company_ids += self.company
        settings = self.env['res.config.settings'].with_user(admin).with_company(self.company)
        asked = len(self.sandbox.requests())
        form = Form(settings)
        self.assertEqual(form.ksef_connection_id, connection)
        self.assertEqual((form.ksef_connection_state, form.ksef_environment), ('connected', 'local'))
        saved = form.save()
        self.assertEqual(saved.action_ksef_open_connection()['res_id'], connection.id)
        saved.execute()
        self.run_workers()
        self.assertEqual(len(self.sandbox.requests()), asked)
        self.assertEqual(connection.state, 'connected')
