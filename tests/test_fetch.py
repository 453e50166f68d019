"""Fetching: what KSeF holds comes here, each invoice once, whatever happens on the way."""
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..ksef.types import InvoiceMetadata
from .common import SELLER_NIP
from .test_received_common import DOWNLOAD, EXPORT, EXPORT_STATUS, FETCH_LOGGERS, METADATA, KsefReceivingCommon


@tagged('post_install', '-at_install')
class TestFetch(KsefReceivingCommon):

    def test_nothing_is_fetched_unasked(self):
        self.issue()
        self.sandbox.admin('DELETE', '/requests')
        self.run_workers(2)
        self.assertFalse(self.sandbox.requests(path='/invoices'))

    def test_handful_by_list(self):
        """S3-14: a few new invoices come by list and one by one; the next fetch sees nothing new."""
        sync = self.follow(ksef_fetch_days_back=0)
        self.run_workers()
        numbers = self.issue(3)
        self.run_workers(2)
        self.assert_complete(numbers)
        self.assertEqual(sync.new_count, 3)
        self.assertGreater(sync.due_at, fields.Datetime.now() + timedelta(minutes=14))
        row = self.received()[0]
        self.assertEqual((row.role, row.environment, row.buyer_identifier, row.currency_code), ('buyer', 'local', SELLER_NIP, 'PLN'))
        self.assertEqual((row.net_amount, row.gross_amount), (856.0, 1052.88))
        self.assertTrue(row.acquisition_date and row.seller_name and row.verification_url and row.form_code)

    def test_many_by_export(self):
        numbers = self.issue(12)
        sync = self.follow()
        self.run_workers(2)
        self.assert_complete(numbers)
        self.assertEqual(self.calls(DOWNLOAD), 0)
        self.assertEqual((sync.new_count, sync.seen_count, sync.export_state), (12, 12, False))
        self.assertFalse(sync.sudo().secret_key)

    def test_more_than_ksef_gives_at_once(self):
        """KSeF cuts lists and packages short (at 10,000; at 10 here): the rest follows at once, nothing is missed or doubled."""
        self.sandbox.admin('POST', '/settings', mostResults=10)
        self.addCleanup(self.sandbox.admin, 'POST', '/settings', mostResults=10_000)
        numbers = self.issue(22)
        sync = self.follow('single')
        with patch('odoo.addons.l10n_pl_ksef.models.ksef_worker_fetch.PAGE', 10):
            self.run_workers()
        self.assertEqual((len(self.received()), sync.new_count, self.calls(EXPORT)), (22, 22, 0))
        self.run_workers(2)
        self.assert_complete(numbers)
        numbers += self.issue(22)
        self.follow('export')
        self.run_workers(5)
        self.assert_complete(numbers)
        self.assertEqual(sync.new_count, 44)

    def test_short_window_with_many_turns_to_an_export(self):
        self.follow(ksef_fetch_days_back=0)
        self.run_workers()
        numbers = self.issue(11)
        self.run_workers(2)
        self.assert_complete(numbers)
        self.assertEqual(self.calls(DOWNLOAD), 0)

    def test_modes(self):
        numbers = self.issue(2)
        self.follow('single')
        self.run_workers(2)
        self.assert_complete(numbers)
        self.assertEqual((self.calls(EXPORT), self.calls(DOWNLOAD)), (0, 2))
        self.company.ksef_fetch_mode = 'export'
        numbers += self.issue(1)
        self.run_workers(2)
        self.assert_complete(numbers)
        self.assertEqual(self.calls(DOWNLOAD), 2)

    def test_nothing_new(self):
        for mode in ('single', 'export'):
            sync = self.follow(mode)
            self.run_workers(3)
            self.assertFalse(sync.failures, sync.message)
            self.assertEqual(sync.state, 'running')
        self.assert_complete([])

    def test_several_roles(self):
        """One invoice in which the company stands twice is one row, with both roles."""
        move = self.make_invoice()
        self.send(move)
        numbers = self.issue(2)
        self.follow(roles=('buyer', 'seller', 'third', 'authorised'))
        self.run_workers(3)
        own = self.received(role='seller')
        self.assertEqual((own.invoice_number, own.state, own.move_id), (move.name, 'linked', move), "an own sale finds its invoice")
        self.assertEqual(sorted(self.received(role='buyer').mapped('invoice_number')), sorted(numbers))

    def test_role_is_added(self):
        self.issue(1, seller=SELLER_NIP)
        self.follow(roles=('seller',))
        self.run_workers(2)
        self.assertEqual(self.received().role, 'seller')
        self.follow(roles=('seller', 'buyer'))
        self.run_workers(2)
        self.assertEqual(len(self.received()), 1)
        self.assertEqual((self.received().role, self.received().roles), ('buyer', 'buyer,seller'))

    def test_settings(self):
        with self.assertRaises(ValidationError):
            self.company.ksef_fetch_interval = 14
        with self.assertRaises(ValidationError):
            self.company.ksef_fetch_days_back = -1
        [sync] = self.follow()
        self.run_workers()
        position = sync.position
        self.company.ksef_fetch_active = False
        self.assertEqual((sync.state, sync.due_at), ('cancelled', False))
        self.sandbox.admin('DELETE', '/requests')
        self.run_workers()
        self.assertFalse(self.sandbox.requests(path='/invoices'))
        self.company.ksef_fetch_active = True
        self.assertEqual((sync.state, sync.position), ('running', position))

    def test_earlier_start(self):
        self.follow()
        today = self.env['account.move']._ksef_today()
        self.company.ksef_fetch_start_date = today - timedelta(days=250)
        earlier = self.env['ksef.fetch'].search([('company_id', '=', self.company.id), ('is_sync', '=', False)])
        self.assertEqual(len(earlier), 1)
        self.run_workers(4)
        self.assertEqual((earlier.state, earlier.progress), ('done', 100))
        self.company.ksef_fetch_start_date = today - timedelta(days=250)
        self.assertEqual(self.env['ksef.fetch'].search_count([('company_id', '=', self.company.id)]), 2)

    def test_two_years_in_windows(self):
        """Windows of at most 100 days: KSeF refuses longer ones."""
        numbers = self.issue(2)
        today = self.env['account.move']._ksef_today()
        fetch = self.env['ksef.fetch']._begin(self.connection, 'buyer', today - timedelta(days=730), today)
        self.run_workers(10)
        self.assertEqual((fetch.state, fetch.failures), ('done', 0))
        self.assertGreaterEqual(self.calls(EXPORT), 8)
        self.assert_complete(numbers)

    def test_by_issue_date(self):
        numbers = self.issue(2)
        today = self.env['account.move']._ksef_today()
        fetches = self.env['ksef.fetch']
        empty = fetches._begin(self.connection, 'buyer', today - timedelta(days=3), today - timedelta(days=1), date_type='issue')
        self.run_workers(2)
        self.assertEqual((empty.state, empty.seen_count), ('done', 0))
        day = fetches._begin(self.connection, 'buyer', today, today, date_type='issue')
        self.run_workers(2)
        self.assertEqual((day.state, day.seen_count), ('done', 2))
        self.assert_complete(numbers)
        with self.assertRaises(UserError):
            fetches._begin(self.connection, 'buyer', today, today - timedelta(days=1))

    def test_cancel(self):
        today = self.env['account.move']._ksef_today()
        fetch = self.env['ksef.fetch']._begin(self.connection, 'buyer', today - timedelta(days=500), today)
        self.limits(fetch=2)
        self.run_workers()
        self.assertTrue(0 < fetch.progress < 100)
        self.limits(fetch=1000)
        fetch.action_cancel()
        self.sandbox.admin('DELETE', '/requests')
        self.run_workers()
        self.assertEqual(fetch.state, 'cancelled')
        self.assertFalse(self.sandbox.requests(path='/invoices'))
        with self.assertRaises(UserError):
            self.follow().action_cancel()

    def test_limits_are_obeyed(self):
        """20 fetches an hour, shared by all; what is left is shown."""
        self.limits(fetch=3)
        today = self.env['account.move']._ksef_today()
        fetch = self.env['ksef.fetch']._begin(self.connection, 'buyer', today - timedelta(days=600), today)
        for _round in range(4):
            self.run_workers()
        self.assertEqual(self.calls(EXPORT), 3)
        self.assertEqual((fetch.state, self.connection.fetch_calls_left), ('running', 0))
        self.limits(fetch=1000)
        self.run_workers(6)
        self.assertEqual(fetch.state, 'done')

    def test_pause_until_the_limit_allows(self):
        self.limits(download=1)
        self.issue(3)
        self.follow('single')
        self.run_workers()
        self.assertEqual(sorted(self.received().mapped('state')), ['listed', 'listed', 'stored'])
        self.assertGreater(self.connection.download_paused_until, fields.Datetime.now())
        self.assertFalse(self.connection.fetch_paused_until)


@tagged('post_install', '-at_install')
class TestFetchTrouble(KsefReceivingCommon):

    def run_workers(self, rounds=1):
        with mute_logger(*FETCH_LOGGERS):
            super().run_workers(rounds)

    def test_crash_after_page_1_of_3(self):
        """The run dies between two pages: nothing is missed and nothing doubled."""
        numbers = self.issue(6)
        sync = self.follow('single')
        with patch('odoo.addons.l10n_pl_ksef.models.ksef_worker_fetch.PAGE', 10):
            numbers += self.issue(18)
            self.sandbox.fault(METADATA, 'drop_before', skip=1, times=1)
            self.run_workers()
            self.assertEqual(len(self.received()), 10)
            self.assertTrue(sync.failures)
            self.run_workers(3)
        self.assert_complete(numbers)
        self.assertFalse(sync.failures)

    def test_crash_in_the_middle_of_an_export(self):
        numbers = self.issue(9)
        sync = self.follow('export')
        worker = type(self.env['ksef.worker'])
        store = worker._store_batch
        calls = []

        def die(model, run, fetch_id, archive, items):
            calls.append(items)
            if len(calls) == 2:
                raise KeyError("made for this test")
            store(model, run, fetch_id, archive, items)

        with patch('odoo.addons.l10n_pl_ksef.models.ksef_worker_fetch_export.BATCH', 3):
            with patch.object(worker, '_store_batch', die):
                self.run_workers()
            self.assertEqual(len(self.received()), 3)
            self.assertTrue(sync.export_reference)
            self.env.cr.execute("UPDATE ksef_connection SET failed_until = NULL")
            self.run_workers()
        self.assert_complete(numbers)
        self.assertEqual(len([row for row in self.sandbox.requests('POST') if row['path'].endswith('/invoices/exports')]), 1)

    def test_unanswered_export(self):
        """The answer to the request gets lost: another export is asked for, nothing is doubled."""
        numbers = self.issue(3)
        sync = self.follow('export')
        self.sandbox.fault(EXPORT, 'drop_after')
        self.run_workers()
        self.assertEqual((sync.failures, sync.export_state), (1, False))
        self.run_workers(2)
        self.assert_complete(numbers)

    def test_status_unanswered_keeps_the_export(self):
        numbers = self.issue(3)
        sync = self.follow('export')
        self.sandbox.fault(EXPORT_STATUS, 'http_error', status=503, body='html', times=2)
        self.run_workers(2)
        self.assertEqual((sync.failures, sync.export_state), (2, 'waiting'))
        self.run_workers()
        self.assert_complete(numbers)
        self.assertEqual(len([row for row in self.sandbox.requests('POST') if row['path'].endswith('/invoices/exports')]), 1)

    def test_failed_exports(self):
        numbers = self.issue(2)
        self.follow('export')
        for code in (415, 500, 550, 999):
            self.sandbox.fault(EXPORT, 'export_status', code=code)
            self.run_workers()
        self.assertFalse(self.received())
        self.run_workers(2)
        self.assert_complete(numbers)

    def test_wrong_hash_of_a_package(self):
        numbers = self.issue(2)
        sync = self.follow('export')
        self.sandbox.fault(EXPORT, 'wrong_export_hash')
        self.run_workers()
        self.assertFalse(self.received())
        self.assertIn("KSeF describes", sync.message)
        self.run_workers(2)
        self.assert_complete(numbers)

    def test_expired_links(self):
        numbers = self.issue(2)
        sync = self.follow('export')
        self.sandbox.fault(EXPORT_STATUS, 'expired_links')
        self.run_workers()
        self.assertEqual(sync.export_state, 'waiting')
        self.run_workers()
        self.assert_complete(numbers)
        self.assertEqual(len([row for row in self.sandbox.requests('POST') if row['path'].endswith('/invoices/exports')]), 1)

    def test_rate_limit(self):
        """S2-13: a limit on fetching pauses fetching, not sending."""
        numbers = self.issue(2)
        self.follow('single')
        self.sandbox.fault(METADATA, 'http_error', status=429, body='problem', retryAfter=600)
        self.run_workers()
        self.assertFalse(self.received())
        self.assertGreater(self.connection.fetch_paused_until, fields.Datetime.now() + timedelta(minutes=9))
        self.assertFalse(self.connection.paused_until)
        self.run_workers(2)
        self.assert_complete(numbers)

    def test_no_right_to_read(self):
        """403 on reading stops neither the connection nor sending; it says what is missing."""
        sync = self.follow('single')
        self.sandbox.fault(METADATA, 'http_error', status=403, body='problem', reasonCode='missing-permissions')
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected')
        self.assertIn("dostęp do faktur", sync.message)

    def test_one_bad_invoice(self):
        """One that cannot be got stays with its reason; the others come."""
        self.issue(3)
        self.follow('single')
        self.sandbox.fault(DOWNLOAD, 'http_error', status=400, body='problem', code=21164)
        self.run_workers()
        self.assertEqual(sorted(self.received().mapped('state')), ['listed', 'stored', 'stored'])
        self.assertIn('21164', self.received(state='listed').problem)
        self.run_workers()
        self.assertEqual(set(self.received().mapped('state')), {'stored'})
        self.assertFalse(any(self.received().mapped('problem')))

    def test_never_to_be_got(self):
        self.issue(2)
        self.follow('single')
        self.run_workers(2)
        [number] = self.issue(1)
        self.sandbox.fault(DOWNLOAD, 'http_error', status=400, body='problem', code=21164, times=-1)
        self.run_workers(7)
        bad = self.received(invoice_number=number)
        self.assertEqual(bad.state, 'failed')
        self.assertIn('21164', bad.problem)
        self.assertEqual(self.calls(DOWNLOAD), 2 + 5)

    def test_odd_number(self):
        """A number of another shape is kept like any other; what can't be asked for is shown, not lost."""
        received = self.env['ksef.received'].sudo()
        items = [InvoiceMetadata(number, 'x' * 44, invoice_number=number) for number in ('../../x', '1' * 36, 'ABC-1')]
        received._store(self.connection.sudo(), 'buyer', [(item, None) for item in items])
        self.run_workers(6)
        self.assertEqual(set(self.received().mapped('state')), {'failed'})
        self.assertEqual(len(self.received()), 3)

    def test_spoilt_bytes(self):
        numbers = self.issue(1)
        self.follow('single')
        self.sandbox.fault(DOWNLOAD, 'garble')
        self.run_workers()
        self.assertEqual(self.received().state, 'listed')
        self.run_workers()
        self.assert_complete(numbers)

    def test_the_checkpoint_never_passes_what_is_not_final(self):
        """What KSeF may still add to stays ahead of the checkpoint."""
        sync = self.follow('single', ksef_fetch_days_back=0)
        self.run_workers()
        self.sandbox.admin('POST', '/settings', hwmLagSeconds=30)
        numbers = self.issue(1)
        self.run_workers()
        self.assertFalse(self.received())
        self.sandbox.admin('POST', '/settings', hwmLagSeconds=0)
        self.run_workers(2)
        self.assert_complete(numbers)
        self.assertFalse(sync.failures)
