"""The pool of workers: what is due, in which order, and what one connection's trouble means for the others."""
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import RUN_LOGGERS, SEND, KsefSandboxCommon

OTHER_NIP = '5265877635'


@tagged('post_install', '-at_install')
class TestWorker(KsefSandboxCommon):

    def other_company(self):
        company = self.env['res.company'].create({
            'name': "Druga firma sp. z o.o.", 'vat': f'PL{OTHER_NIP}', 'country_id': self.env.ref('base.pl').id,
            'street': "ul. Inna 2", 'zip': "00-001", 'city': "Warszawa"})
        self.env.user.company_ids |= company
        self.env['account.chart.template'].try_loading('pl', company, install_demo=False)
        return company

    def company_tax(self, company):
        return self.env['account.tax'].search([
            ('company_id', '=', company.id), ('type_tax_use', '=', 'sale'), ('amount', '=', 23)], limit=1)

    def test_pool_size(self):
        worker = self.env['ksef.worker']
        for wanted in (3, 1, 2):
            self.env['ir.config_parameter'].set_param('l10n_pl_ksef.worker_count', str(wanted))
            pool = worker._get_pool()
            self.assertEqual(len(pool), wanted)
            self.assertEqual(set(pool.mapped('code')), {'model._cron_ksef_worker()'})
            self.assertTrue(all(pool.mapped('active')))

    def test_nonsense_parameters(self):
        for nonsense in ('', 'abc', '-3', '0', 'inf', 'nan'):
            self.env['ir.config_parameter'].set_param('l10n_pl_ksef.worker_count', nonsense)
            self.assertEqual(self.env['ksef.worker']._get_number('worker_count'), 2)

    def test_idle_makes_no_call(self):
        self.connect()
        self.sandbox.admin('DELETE', '/requests')
        self.run_workers(3)
        self.assertFalse(self.sandbox.requests(path='/v2'))

    def test_nothing_due_is_one_query(self):
        """An idle run costs the question what is due, nothing that grows with the data."""
        self.connect()
        worker = self.env['ksef.worker']
        self.env.flush_all()
        with self.assertQueryCount(2):
            self.env.execute_query(worker._due_query(self.env))

    def test_one_company_limited_another_goes_on(self):
        """429 for one company is nothing to the other."""
        other = self.other_company()
        self.connect()
        self.connect(other, OTHER_NIP)
        limited = self.make_invoice()
        free = self.make_invoice([("Usługa", 1, 10, self.company_tax(other))], company=other)
        self.sandbox.fault(SEND, 'http_error', status=429, body='problem', retryAfter=600, nip='5795955811', times=-1)
        (limited | free).with_env(free.env)._ksef_pick()
        self.run_workers()
        self.assertEqual((limited.ksef_state, free.ksef_state), ('queued', 'accepted'))
        self.assertEqual(len(self.sandbox.accepted(OTHER_NIP)), 1)

    def test_one_company_broken_another_goes_on(self):
        other = self.other_company()
        broken = self.connect()
        self.connect(other, OTHER_NIP)
        broken.sudo().local_url = 'http://127.0.0.1:9/v2'
        waiting = self.make_invoice()
        free = self.make_invoice([("Usługa", 1, 10, self.company_tax(other))], company=other)
        with mute_logger(*RUN_LOGGERS):
            (waiting | free).with_env(free.env)._ksef_pick()
            self.run_workers()
        self.assertEqual((waiting.ksef_state, free.ksef_state), ('queued', 'accepted'))

    def test_copied_database(self):
        """In a copy of the database nothing is sent until an administrator confirms."""
        connection = self.connect()
        move = self.make_invoice()
        move._ksef_pick()
        self.env['ir.config_parameter'].set_param('database.uuid', 'another-database')
        connection.invalidate_recordset()
        self.assertTrue(connection.is_copied_database)
        self.sandbox.admin('DELETE', '/requests')
        self.run_workers(2)
        self.assertEqual(move.ksef_state, 'queued')
        self.assertFalse(self.sandbox.requests(path='/v2'))
        connection.action_confirm_database()
        self.run_workers(2)
        self.assertEqual(move.ksef_state, 'accepted')

    def test_backoff_grows(self):
        document = self.env['ksef.document']
        waits = [(document._backoff(count) - fields.Datetime.now()) for count in (1, 2, 3, 50)]
        self.assertEqual(waits, sorted(waits))
        self.assertLessEqual(waits[-1], timedelta(minutes=16))

    def test_poison(self):
        """An invoice whose rendering fails in the program stops neither the others nor the worker."""
        self.connect()
        moves = self.env['account.move'].union(*(self.make_invoice() for _i in range(22)))
        documents = moves._ksef_pick().sudo()
        poison = moves[3]

        def fail(move, context):
            if move == poison:
                raise KeyError("made for this test")
            return original(move, context)

        original = type(moves)._ksef_render_one
        log = self.assertLogs('odoo.addons.l10n_pl_ksef.models.ksef_worker', 'ERROR')
        with patch.object(type(moves), '_ksef_render_one', fail), log:
            self.run_workers(2)
        self.assertEqual(poison.ksef_state, 'invalid')
        self.assertIn("program", documents[3].findings[0]['message'])
        self.assertEqual(set((moves - poison).mapped('ksef_state')), {'accepted'})

    def test_rendering_closes_at_once(self):
        """What a worker freezes is closed in the same transaction, not only when it is shown."""
        self.connect()
        moves = self.env['account.move'].union(*(self.make_invoice() for _i in range(21)))
        document = moves._ksef_pick().sudo()[0]
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            worker = self.env(cr=cr)['ksef.worker']
            worker._render_one(worker.env(su=True), document.id)
        self.env.invalidate_all()
        self.assertEqual(document.state, 'queued')
        self.assertTrue(document.move_id.ksef_is_locked)

    def test_reset_invoice_is_not_sent(self):
        """Belt and braces: a document whose invoice is no longer confirmed is withdrawn, not sent."""
        self.connect()
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        self.env.cr.execute("UPDATE account_move SET state = 'draft' WHERE id = %s", [move.id])
        self.env.invalidate_all()
        self.run_workers()
        self.assertEqual(document.state, 'cancelled')
        self.assertFalse(self.sandbox.invoices())

    def test_session_without_key(self):
        """A session whose key cannot be read is passed over."""
        connection = self.connect()
        self.send()
        connection.session_ids.sudo().write({'secret_key': False})
        document = self.send()
        self.assertEqual(document.state, 'accepted')
        self.assertEqual(len(connection.session_ids), 2)

    def test_session_closed_when_idle(self):
        connection = self.connect()
        self.send()
        session = connection.session_ids
        self.assertEqual(session.state, 'open')
        self.run_workers()
        self.assertEqual(session.state, 'done')
        self.assertFalse(session.due_at)
        self.assertEqual(len(self.sandbox.requests('POST', '/close')), 1)

    def test_session_closed_by_hand(self):
        """S1-10: an open session is closed at once; one that is over is not."""
        connection = self.connect()
        self.send()
        session = connection.session_ids
        self.assertGreater(session.due_at, fields.Datetime.now())
        session.action_close()
        self.assertLessEqual(session.due_at, fields.Datetime.now())
        self.run_workers()
        self.assertEqual(session.state, 'done')
        with self.assertRaises(UserError):
            session.action_close()


@tagged('post_install', '-at_install')
class TestLogin(KsefSandboxCommon):
    """Verification of a connection, and keeping its login alive."""

    def test_verified(self):
        connection = self.connect()
        self.assertEqual(connection.permissions, "InvoiceRead, InvoiceWrite")
        self.assertTrue(connection.verified_at)
        self.assertEqual(self.company.ksef_connection_id, connection)

    def test_missing_permission(self):
        connection = self.connect(verify=False, permissions=['InvoiceRead'])
        self.run_workers()
        self.assertEqual(connection.state, 'attention')
        self.assertIn("wystawianie faktur", connection.status_message)
        self.assertNotIn("dostęp do faktur)", connection.status_message)

    def test_unknown_token(self):
        token = "20260101-EC-0000000000-0000000000-00|nip-5795955811|" + "ab" * 32
        connection = self.env['ksef.connection']._connect_with_token(self.company, 'local', token, self.sandbox.url)
        self.run_workers()
        self.assertEqual((connection.state, connection.error_code), ('attention', '450'))
        self.assertIn("450", connection.status_message)
        self.assertNotIn("abab", connection.status_message)

    def test_verification_waits_for_ksef(self):
        """KSeF is down: the verification goes on by itself later, and the person sees why it takes so long."""
        connection = self.connect(verify=False)
        self.sandbox.fault('POST /auth/challenge', 'http_error', status=503, body='html')
        self.run_workers()
        self.assertEqual(connection.state, 'verifying')
        self.assertTrue(connection.status_message)
        self.run_workers()
        self.assertEqual(connection.state, 'connected')
        self.assertFalse(connection.status_message)

    def test_lost_redeem(self):
        """The tokens are handed out once: a lost answer means a new login, never a second question."""
        connection = self.connect(verify=False)
        self.sandbox.fault('POST /auth/token/redeem', 'drop_after')
        self.run_workers()
        self.assertEqual(connection.state, 'verifying')
        self.run_workers()
        self.assertEqual(connection.state, 'connected')
        self.assertEqual(len(self.sandbox.requests('POST', '/auth/ksef-token')), 2)

    def test_refresh(self):
        """An access token that ended is renewed from the refresh token; a refused refresh token means a new login."""
        connection = self.connect()
        credential = connection.sudo().credential_ids
        credential._forget_access()
        self.send()
        self.assertEqual(len(self.sandbox.requests('POST', '/auth/token/refresh')), 1)
        self.assertEqual(len(self.sandbox.requests('POST', '/auth/ksef-token')), 1)
        credential._forget_access()
        self.sandbox.fault('POST /auth/token/refresh', 'http_error', status=401, body='problem')
        document = self.send()
        self.assertEqual(document.state, 'accepted')
        self.assertEqual(len(self.sandbox.requests('POST', '/auth/ksef-token')), 2)

    def test_token_revoked(self):
        connection = self.connect()
        reference = connection.sudo().credential_ids.token_reference
        self.sandbox.admin('DELETE', f'/tokens/{reference}')
        connection.sudo().credential_ids._forget_login()
        move = self.make_invoice()
        move._ksef_pick()
        self.run_workers()
        self.assertEqual((connection.state, move.ksef_state), ('attention', 'queued'))
        self.connect()
        self.run_workers()
        self.assertEqual(move.ksef_state, 'accepted')
