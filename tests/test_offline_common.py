"""What the tests of issuing offline stand on."""
import base64
from datetime import timedelta
from io import BytesIO
from unittest.mock import patch

import requests
import zxingcpp
from lxml import html
from odoo import fields
from odoo.addons.l10n_pl_ksef.ksef.certificates import KeyPair
from odoo.tests import common
from PIL import Image

from .common import SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate


class OfflineTools:
    """Verbs of the tests about issuing offline; the test's connection is ``self.connection``."""

    def get_certificate(self):
        """Give the connection a certificate of type Offline; KSeF is not asked about it."""
        return self.upload_offline()

    def issue(self, move=None, mode='offline24', user=None):
        """Issue an invoice offline by the wizard; return its document."""
        move = move or self.make_invoice()
        wizard = self.env['ksef.go.offline'].with_user(user or self.env.user).create({'move_ids': [(6, 0, move.ids)], 'mode': mode})
        self.answer = wizard.action_issue()
        self.env.flush_all()
        return move.sudo().ksef_document_id

    def announce(self, category, start, end=None, event=None):
        values = {'category': category, 'start': self.stamp(start)} | ({'end': self.stamp(end)} if end else {})
        self.sandbox.admin('POST', '/latarnia', **values, **({'eventId': event} if event else {}))
        self.env.cr.execute("UPDATE ksef_service_state SET due_at = NULL")
        self.run_workers()

    def stamp(self, moment):
        return moment.strftime('%Y-%m-%dT%H:%M:%SZ')

    def open_link(self, link):
        return common._super_send(requests.Session(), requests.Request('GET', link).prepare(), timeout=10)

    def today(self):
        return self.env['account.move']._ksef_today()

    def printed(self, move):
        content, _kind = self.env['ir.actions.report']._render_qweb_html('account.report_invoice_with_payments', move.ids)
        return html.fromstring(content)

    def scanned(self, tree):
        """What a phone reads from the codes of the print, one after the other."""
        texts = []
        for image in tree.findall(".//div[@name='ksef_qr_code']//img"):
            picture = Image.open(BytesIO(base64.b64decode(image.get('src').split(',', 1)[1])))
            self.assertGreater(picture.width, 300)
            texts += [code.text for code in zxingcpp.read_barcodes(picture)]
        return texts

    def utc(self, **delta):
        return fields.Datetime.now() + timedelta(**delta)

    def upload_offline(self, **options):
        """A certificate with a serial number such as KSeF gives."""
        with patch('cryptography.x509.random_serial_number', return_value=0x01F20A5D352AE590):
            made = Certificate(SELLER_NIP, usage='content_commitment', **options)
        credential = self.env['ksef.credential']._add_certificate(self.connection, KeyPair(made.certificate, made.key))
        credential.kind = 'offline'
        return credential


class OfflineCommon(OfflineTools, KsefCertificateCommon):
    """A connected company with a certificate of type Offline, on demand."""

    def setUp(self):
        super().setUp()
        self.connection = self.connect()

    def enroll_certificate(self):
        """Have the program get its certificate of type Offline from KSeF."""
        self.connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.connection.action_get_offline_certificate()
        task = self.connection.sudo().task_ids[0]
        for _round in range(6):
            if task.state in ('done', 'failed'):
                break
            task.due_at = fields.Datetime.now()
            self.run_workers()
        self.assertEqual(task.state, 'done', task.message)
        return task.credential_id
