"""Connecting in a real browser, as an administrator in Polish: with a certificate after mistakes, and with a signed file."""
import threading
from unittest.mock import patch
from urllib.parse import urlencode

from odoo.tests import HttpCase, tagged

from .common import SELLER_NIP
from .test_connect_common import Certificate
from .test_connect_signed import KsefSignedCommon


@tagged('post_install', '-at_install')
class TestToursConnect(KsefSignedCommon, HttpCase):
    """In a test no scheduled action runs by itself: a worker runs beside the tour, whenever the form shows that it waits."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env['res.lang']._activate_lang('pl_PL')
        cls.env['ir.module.module'].search([('name', '=', 'l10n_pl_ksef')])._update_translations(['pl_PL'])
        cls.user = cls.env.user
        cls.user.sudo().write({'password': cls.user.login * 2, 'lang': 'pl_PL'})
        # Made beforehand: on a busy machine it takes longer than requests wait for a test's cursor.
        for name in ('web.assets_web', 'web.assets_web_print', 'web.assets_tests'):
            bundle = cls.env['ir.qweb']._get_asset_bundle(name)
            bundle.js()
            bundle.css()

    def tour(self, name, **given):
        """Run the tour with the workers beside it, one run each time that the form has shown a state that waits."""
        waiting, over = threading.Event(), threading.Event()
        web_read = self.registry['ksef.connection'].web_read

        def watched_web_read(connections, specification):
            values = web_read(connections, specification)
            if any(row.get('state') == 'verifying' or row.get('signing_step') == 'preparing' for row in values):
                waiting.set()
            return values

        def work():
            while not over.is_set():
                if waiting.wait(0.2):
                    waiting.clear()
                    with self.registry.cursor() as cr:
                        self.env(cr=cr)['ksef.worker']._cron_ksef_worker()

        worker = threading.Thread(target=work)
        with patch.object(self.registry['ksef.connection'], 'web_read', watched_web_read):
            worker.start()
            try:
                self.start_tour(
                    f'/odoo/ksef-connections?{urlencode({"sandbox": self.sandbox.url} | given)}', name, login=self.user.login,
                    cookies={'cids': str(self.company.id)}, timeout=120)
            finally:
                over.set()
                worker.join()
        self.env.invalidate_all()

    def test_certificate(self):
        """A key of another certificate is taken back, a wrong password mended (S0-15)."""
        made, other = Certificate(SELLER_NIP), Certificate(SELLER_NIP)
        self.tour(
            'ksef_connect_certificate_tour', certificate=made.pem.decode(), key=made.key_file().decode(),
            other=other.key_file().decode())
        connection = self.company.ksef_connection_id
        self.assertEqual(connection.state, 'connected')
        self.assertEqual(connection.credential_ids.kind, 'certificate')

    def test_signed_file(self):
        """The request is downloaded, signed in another program, brought back; a changed one is refused here (S0-10, S0-22)."""
        self.tour('ksef_connect_signature_tour')
        connection = self.company.ksef_connection_id
        self.assertEqual(connection.signing_step, 'ready')
        signed = self.sign(self.request(connection))
        changed = signed.replace(SELLER_NIP.encode(), b'5261040828', 1)
        self.assertNotEqual(changed, signed)
        self.tour('ksef_connect_signed_tour', signed=signed.decode(), changed=changed.decode())
        self.assertEqual(connection.state, 'connected')
        self.assertEqual({row['status'] for row in self.sandbox.requests(path='/v2/auth/xades')}, {202}, "KSeF did not see the changed one")
