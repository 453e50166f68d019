import functools
import threading
from contextlib import contextmanager
from unittest.mock import patch

from odoo.addons.mail.tests.common import MockEmail
from odoo.tests import HttpCase, new_test_user, tagged

from .common import OTHER_BUYER_NIP, KsefSandboxCommon
from .test_offline_common import OfflineTools

ASSETS = (('web.assets_web', True, True), ('web.assets_tests', True, False), ('web.assets_web_print', False, True))


@tagged('post_install', '-at_install')
class TestTour(OfflineTools, KsefSandboxCommon, MockEmail, HttpCase):
    """The main job in a browser, as an accountant: confirm → send → number on the form → print.

    In a test no scheduled action runs by itself: the worker runs between the tours, or beside one of them, as soon as the
    browser has shown the state before.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = new_test_user(
            cls.env, 'ksef_tour', groups='base.group_user,account.group_account_invoice', company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)], password='ksef_tour')
        cls.chief = new_test_user(
            cls.env, 'ksef_chief', groups='base.group_user,account.group_account_manager', company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)], password='ksef_chief', email='ksef_chief@example.com')
        # Made beforehand: while a request builds them, the others wait for the tests' one connection and give up.
        for name, js, css in ASSETS:
            bundle = cls.env['ir.qweb']._get_asset_bundle(name, js=js, css=css)
            if js:
                bundle.js()
            if css:
                bundle.css()

    def tour(self, name, move=None, user=None):
        place = f'/{move.id}' if move else ''
        self.start_tour(
            f'/odoo/action-account.action_move_out_invoice_type{place}', name, login=(user or self.accountant).login, timeout=180)
        self.env.invalidate_all()

    @contextmanager
    def worker_after(self, model, method, is_time):
        """Run the workers beside the tour, once ``is_time(result)`` holds for a call of ``model.method`` by the browser."""
        time = threading.Event()
        original = getattr(self.registry[model], method)

        @functools.wraps(original)
        def watched(records, *args, **kwargs):
            result = original(records, *args, **kwargs)
            if is_time(result):
                time.set()
            return result

        def work():
            if time.wait(120):
                for _round in range(2):
                    with self.registry.cursor() as cr:
                        cr.execute("UPDATE ksef_connection SET paused_until = NULL")
                        self.env(cr=cr)['ksef.worker']._cron_ksef_worker()

        worker = threading.Thread(target=work)
        with patch.object(self.registry[model], method, watched):
            worker.start()
            try:
                yield
            finally:
                time.set()
                worker.join()

    def test_main_job(self):
        self.connect()
        move = self.make_invoice([("Usługa", 2, 100, self.tax_23), ("Roślina", 1, 50, self.tax_8)], post=False)
        self.tour('ksef_send_tour', move)
        self.assertEqual(move.ksef_state, 'queued')
        self.assertEqual(move.ksef_document_id.user_id, self.accountant)
        self.assertFalse(self.sandbox.invoices(), "the request itself sends nothing")

        self.run_workers(2)
        self.assertEqual(move.ksef_state, 'accepted')
        [known] = self.sandbox.accepted()
        self.assertEqual(known['ksefNumber'], move.ksef_number)

        printed = []
        values = self.registry['account.move']._ksef_print_values

        def watched(invoice):
            result = values(invoice)
            printed.append((invoice.id, result.get('number'), result.get('link')))
            return result
        with patch.object(self.registry['account.move'], '_ksef_print_values', watched):
            self.tour('ksef_accepted_tour', move)
        self.assertEqual(set(printed), {(move.id, move.ksef_number, move.ksef_document_id.verification_url)})

    def test_number_appears_on_the_open_form(self):
        self.connect()
        move = self.make_invoice()
        with self.worker_after('account.move', 'web_read', lambda rows: any(row.get('ksef_state') == 'queued' for row in rows)):
            self.tour('ksef_live_tour', move)
        self.assertEqual(move.ksef_state, 'accepted')

    def test_unsaved_work_is_left_alone(self):
        self.connect()
        move = self.make_invoice()
        move.with_user(self.accountant)._ksef_pick()
        with self.worker_after('account.move', 'message_post', lambda message: "may answer" in (message.body or '')):
            self.tour('ksef_live_dirty_tour', move)
        self.assertEqual(move.ref, "Zamówienie 7")

    def test_list(self):
        self.connect()
        accepted = self.make_invoice()
        self.send(accepted, 2)
        self.assertEqual(accepted.ksef_state, 'accepted')
        others = self.make_invoice() + self.make_invoice()

        def shows_queued(answer):
            return sum(row.get('ksef_letter') == 'W' for row in answer['records']) == 2
        with self.worker_after('account.move', 'web_search_read', shows_queued):
            self.tour('ksef_list_tour')
        self.assertEqual(others.mapped('ksef_state'), ['accepted', 'accepted'])
        self.assertEqual(len(self.sandbox.accepted()), 3)

    def test_modes(self):
        """Hybrid, automatic and offline, as a chief accountant without rights to the system (S0-18, S0-19, S1-17, S2-14)."""
        self.assertFalse(self.chief.has_group('base.group_system'))
        self.connection = self.connect()
        self.buyer.email = 'nabywca@example.com'
        self.go_hybrid()
        self.go_automatic()
        self.go_offline()

    def go_hybrid(self):
        other = self.make_invoice(partner=self.buyer.copy({'name': "Drugi Nabywca", 'vat': f'PL{OTHER_BUYER_NIP}'}))
        move = self.make_invoice(post=False)
        with self.worker_after('account.move', 'web_read', lambda rows: any(row.get('ksef_state') == 'queued' for row in rows)):
            self.tour('ksef_hybrid_tour', move, self.chief)
        self.assertEqual((move.ksef_state, other.ksef_state), ('accepted', False))

    def go_automatic(self):
        move = self.make_invoice([("Abonament", 1, 300, self.tax_23)], post=False)
        report = self.registry['ir.actions.report']
        with (
            patch.object(
                report, '_pre_render_qweb_pdf', lambda self, ref, res_ids=None, data=None: (dict.fromkeys(res_ids, b'%PDF'), 'pdf')),
            patch.object(report, '_get_splitted_report', lambda self, ref, content, kind: content),
            self.mock_mail_gateway(),
            self.worker_after('ksef.delivery', '_keep', bool),
        ):
            self.tour('ksef_automatic_tour', move, self.chief)
        self.assertEqual((self.company.ksef_mode, move.ksef_state), ('automatic', 'accepted'))
        self.assertEqual((move.ksef_delivery_ids.state, len(self._mails)), ('sent', 1))

    def go_offline(self):
        self.company.sudo().ksef_mode = 'hybrid'
        self.upload_offline()
        self.sandbox.fault('*', 'http_error', status=503, times=-1)
        self.connection.sudo().credential_ids._forget_login()
        self.make_invoice()._ksef_pick()
        self.run_workers()
        self.assertTrue(self.connection._is_out_of_reach())
        move, printed = self.make_invoice([("Serwis", 1, 700, self.tax_23)], post=False), []

        def is_printed(values):
            printed.append(values)
            self.sandbox.admin('DELETE', '/faults')
            return True
        with self.worker_after('account.move', '_ksef_print_values', is_printed):
            self.tour('ksef_offline_tour', move, self.chief)
        self.assertEqual((move.ksef_state, move.ksef_mode), ('accepted', 'offline24'))
        document = move.ksef_document_id
        self.assertEqual(
            [(code['label'], code['link']) for code in printed[0]['codes']],
            [('OFFLINE', document.verification_url), ('CERTYFIKAT', document.certificate_url)])

    def test_not_connected(self):
        """Buttons need right, connection and company (S1-05); the web client learns at login which companies are connected."""
        self.make_invoice()
        self.assertEqual(self.session_info(), {'company_ids': [], 'action_ids': self.action_ids()})
        self.tour('ksef_not_connected_tour')

    def test_session_info(self):
        self.connect()
        self.assertEqual(self.session_info(), {'company_ids': self.company.ids, 'action_ids': self.action_ids()})
        stranger = new_test_user(self.env, 'ksef_stranger', password='ksef_stranger')
        self.assertIsNone(self.session_info(stranger))

    def action_ids(self):
        return [self.env.ref(f'l10n_pl_ksef.action_{name}').id for name in (
            'move_ksef_send', 'move_ksef_refresh_status', 'move_ksef_go_offline', 'move_ksef_withdraw_unsent', 'ksef_collective_ask')]

    def session_info(self, user=None):
        login = (user or self.accountant).login
        self.authenticate(login, login)
        return self.make_jsonrpc_request('/web/session/get_session_info').get('l10n_pl_ksef')
