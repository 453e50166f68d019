"""The connect wizard in a real browser: the result of the verification appears on the open form by itself."""
import threading
from unittest.mock import patch
from urllib.parse import urlencode

from odoo.tests import HttpCase, tagged

from .common import KsefSandboxCommon


@tagged('post_install', '-at_install')
class TestConnectBrowser(KsefSandboxCommon, HttpCase):

    def test_connect(self):
        user = self.env.user
        user.sudo().write({'password': user.login * 2})
        query = urlencode({'sandbox': self.sandbox.url, 'token': self.sandbox.token()})
        opened = threading.Event()
        web_read = self.registry['ksef.connection'].web_read

        def watched_web_read(connections, specification):
            values = web_read(connections, specification)
            if any(row.get('state') == 'verifying' for row in values):
                opened.set()
            return values

        self.make_bundles()
        worker = threading.Thread(target=self.work_when_opened, args=(opened,))
        with patch.object(self.registry['ksef.connection'], 'web_read', watched_web_read):
            worker.start()
            self.start_tour(
                f'/odoo/ksef-connections?{query}', 'ksef_connect_tour', login=user.login,
                cookies={'cids': str(self.company.id)})
            worker.join()
        self.env.invalidate_all()
        self.assertEqual(self.company.ksef_connection_id.state, 'connected')

    def make_bundles(self):
        """Build the web client beforehand: on a busy machine it takes longer than requests wait for a test's cursor."""
        for name in ('web.assets_web', 'web.assets_web_print', 'web.assets_tests'):
            bundle = self.env['ir.qweb']._get_asset_bundle(name)
            bundle.js()
            bundle.css()

    def work_when_opened(self, opened):
        """What the scheduled action does in a server, late enough for the form to show that it waits.

        A cursor of the test waits until the request that has one is over.
        """
        if opened.wait(60):
            with self.registry.cursor() as cr:
                self.env(cr=cr)['ksef.worker']._cron_ksef_worker()
