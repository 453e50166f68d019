import base64
import re
from io import BytesIO

from lxml import html
from odoo.addons.l10n_pl_ksef.ksef.qr import qr_png
from odoo.tests import tagged
from odoo.tools.image import image_data_uri
from PIL import Image

from .test_invoice_common import InvoiceCommon

REPORTS = ('account.report_invoice_with_payments', 'account.report_invoice')
NUMBER = '5795955811-20261121-0100001AF629-AF'


@tagged('post_install', '-at_install')
class TestPrint(InvoiceCommon):
    """The printed invoice: QR code I and the KSeF number once there is one (S2-06)."""

    def printed(self, move, report=REPORTS[0], **data):
        """The report as a tree; its words are read from the body, where they are printed on every page layout."""
        content, _kind = self.env['ir.actions.report'].with_user(self.accountant)._render_qweb_html(report, move.ids, data=data or None)
        return html.fromstring(content)

    def text(self, tree):
        return re.sub(r'\s+', ' ', tree.text_content())

    def test_accepted(self):
        move = self.accepted(number=NUMBER)
        link = move.ksef_document_id.verification_url
        self.assertRegex(link, r'^https://qr-test\.ksef\.mf\.gov\.pl/invoice/5795955811/\d\d-\d\d-\d{4}/[\w-]{43}$')
        for report in REPORTS:
            tree = self.printed(move, report)
            with self.subTest(report=report):
                block = tree.find(".//div[@name='ksef_qr_code']")
                self.assertIn(NUMBER, block.text_content())
                self.assertEqual(block.find(".//a").get('href'), link)
                self.assertEqual(block.find(".//img").get('src'), image_data_uri(base64.b64encode(qr_png(link))))
                self.assertTrue([parent for parent in block.iterancestors() if 'page' in (parent.get('class') or '').split()],
                                "in the body of the page, not in header or footer")
                self.assertIn("without legal effect", block.text_content())

    def test_qr_code_is_an_image_that_can_be_scanned(self):
        move = self.accepted(number=NUMBER)
        source = move._ksef_print_values()['codes'][0]['qr']
        image = Image.open(BytesIO(base64.b64decode(source.split(',', 1)[1])))
        self.assertEqual(image.format, 'PNG')
        self.assertGreater(image.width, 300)

    def test_production_has_no_remark(self):
        self.new_connection(self.company, self.connection.nip, environment='production')
        move = self.accepted(number=NUMBER)
        block = self.printed(move).find(".//div[@name='ksef_qr_code']")
        self.assertTrue(block.find(".//a").get('href').startswith('https://qr.ksef.mf.gov.pl/'))
        self.assertNotIn("legal effect", block.text_content())

    def test_awaited(self):
        ways = {'queued': (), 'unconfirmed': ('sending', 'unconfirmed'), 'sent': ('sending', 'sent'), 'blocked': ('sending', 'blocked'),
                'help': ('sending', 'help')}
        for state, way in ways.items():
            move = self.queued()
            if way:
                self.advance(move, *way)
            tree = self.printed(move)
            with self.subTest(state=state):
                self.assertIsNotNone(tree.find(".//div[@name='ksef_awaits']"))
                self.assertIsNone(tree.find(".//div[@name='ksef_qr_code']"))

    def test_nothing_for_others(self):
        bill = self.init_invoice('in_invoice', partner=self.buyer, amounts=[100], taxes=[], post=True)
        invalid = self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        invalid._ksef_pick()
        for name, move in {
            'never sent': self.make_invoice(), 'draft': self.make_invoice(post=False), 'rejected': self.rejected(), 'bill': bill,
            'invalid': invalid,
        }.items():
            with self.subTest(name):
                self.assertNotIn("KSeF", self.text(self.printed(move)))

    def test_language_of_the_buyer(self):
        """The report is rendered in the buyer's language; our words are translated with it."""
        self.env['res.lang']._activate_lang('pl_PL')
        self.env['ir.module.module']._load_module_terms(['l10n_pl_ksef'], ['pl_PL'])
        view = self.env.ref('l10n_pl_ksef.report_invoice_document')
        source = "Check this invoice in KSeF"
        if view.with_context(lang='pl_PL').arch_db == view.with_context(lang='en_US').arch_db:
            view.update_field_translations('arch_db', {'pl_PL': {source: "Sprawdź tę fakturę w KSeF"}})
        move = self.accepted(number=NUMBER)
        self.buyer.lang = 'pl_PL'
        self.assertNotIn(source, self.text(self.printed(move)))
        self.buyer.lang = 'en_US'
        self.assertIn(source, self.text(self.printed(move)))

    # ------------------------------------------------------------------ the stored document

    def store_print(self, move):
        return self.env['ir.attachment'].create({
            'name': 'FV.pdf', 'raw': b'%PDF before', 'mimetype': 'application/pdf', 'res_model': 'account.move', 'res_id': move.id,
            'res_field': 'invoice_pdf_report_file'})

    def test_earlier_print_is_detached_on_acceptance(self):
        move = self.make_invoice()
        earlier = self.store_print(move)
        other = self.store_print(self.make_invoice())
        self.assertEqual(move.invoice_pdf_report_id, earlier)
        self.sent(move)
        self.assertEqual(earlier.res_field, 'invoice_pdf_report_file')
        self.advance(move, 'accepted', ksef_number=NUMBER)
        self.assertFalse(move.invoice_pdf_report_id)
        self.assertFalse(earlier.res_field)
        self.assertEqual((earlier.res_model, earlier.res_id, earlier.raw), ('account.move', move.id, b'%PDF before'))
        self.assertNotEqual(earlier.name, 'FV.pdf')
        self.assertTrue(earlier.name.endswith('.pdf'))
        self.assertEqual(other.res_field, 'invoice_pdf_report_file')

    def test_not_a_proforma(self):
        """Portal and download hand out a “proforma” where no PDF is stored; what KSeF has accepted is not one."""
        move = self.accepted(number=NUMBER)
        report = self.registry['ir.actions.report']
        calls = []

        def render(report_self, report_ref, res_ids=None, data=None):
            calls.append(data)
            return {move.id: b'%PDF'}, 'pdf'
        self.patch(report, '_pre_render_qweb_pdf', render)
        self.patch(report, '_get_splitted_report', lambda report_self, ref, content, kind: content)
        document = move._get_invoice_legal_documents('pdf', allow_fallback=True)
        self.assertFalse((calls[-1] or {}).get('proforma'))
        self.assertNotIn('proforma', document['filename'])
        self.make_invoice()
        move = self.queued()
        self.assertIn('proforma', move._get_invoice_legal_documents('pdf', allow_fallback=True)['filename'])
        self.assertTrue(calls[-1]['proforma'])
