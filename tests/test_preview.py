"""The preview of an invoice before it is sent, and of what was sent; who may look, and that looking changes nothing."""
import base64

from lxml import etree
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ksef.fa3.reader import read
from ..ksef.fa3.view_html import to_html
from .common import KsefConnectedCommon

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> ]]> javascript:alert(3)"


@tagged('post_install', '-at_install')
class TestPreview(KsefConnectedCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reader = new_test_user(
            cls.env, 'ksef_reader', groups='account.group_account_readonly,l10n_pl_ksef.group_ksef_read',
            company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)])

    def look(self, move, user=None):
        """The window that the button of the invoice opens."""
        action = move.with_user(user or self.env.user).action_ksef_preview()
        self.assertEqual((action['res_model'], action['target']), ('ksef.preview', 'new'))
        return self.env['ksef.preview'].with_user(user or self.env.user).browse(action['res_id'])

    def state(self, move):
        """Everything stored of an invoice and of KSeF's queue, for comparison."""
        self.env.flush_all()
        self.env.cr.execute("SELECT to_jsonb(m) FROM account_move m WHERE id = %s", [move.id])
        row = self.env.cr.fetchone()[0]
        self.env.cr.execute("SELECT to_jsonb(l) FROM account_move_line l WHERE move_id = %s ORDER BY id", [move.id])
        lines = self.env.cr.fetchall()
        return row, lines, self.env['ksef.document'].search_count([]), len(move.message_ids)

    def test_before_sending(self):
        """A reader sees the page, the XML and the findings; nothing is stored, queued or sent by looking."""
        move = self.make_invoice([("Papier biurowy", 2, 100, self.tax_23)])
        before = self.state(move)
        preview = self.look(move, self.reader)
        self.assertEqual(preview.status, 'fresh')
        self.assertIn("Papier biurowy", preview.page)
        self.assertIn(move.name, preview.page)
        self.assertIn("nie została jeszcze wysłana", preview.page)
        self.assertFalse(preview.error_count)
        xml = base64.b64decode(preview.xml)
        self.assertEqual(read(xml).number, move.name)
        self.assertIn("\n  <Fa>", preview.xml_text)
        self.assertEqual(  # the text for reading says the same as the bytes
            etree.tostring(etree.fromstring(preview.xml_text), method='c14n', with_comments=False).split(),
            etree.tostring(self.indented(xml), method='c14n').split())
        self.assertIn('/xml/', preview.action_download_xml()['url'])
        self.assertIn('/pdf/' if preview.has_pdf else '/html/', preview.action_download_pdf()['url'])
        self.assertEqual(self.state(move), before)
        self.assertFalse(self.sandbox.invoices())

    @staticmethod
    def indented(xml):
        root = etree.fromstring(xml)
        etree.indent(root)
        return root

    def test_pdf(self):
        preview = self.look(self.make_invoice())
        if not preview.has_pdf:
            self.skipTest("no wkhtmltopdf here")
        self.assertTrue(base64.b64decode(preview.pdf).startswith(b'%PDF'))

    def test_draft(self):
        """A draft has neither number nor date for good, and is as much a draft afterwards."""
        move = self.make_invoice([("Papier", 2, 100, self.tax_23)], post=False)
        move.invoice_date = False
        before = self.state(move)
        preview = self.look(move, self.reader)
        self.assertEqual(preview.status, 'draft')
        self.assertIn("nie są ostateczne", preview.page)
        self.assertIn("246,00", preview.page)
        self.assertEqual((move.state, move.invoice_date), ('draft', False))
        self.assertEqual(self.state(move), before)

    def test_draft_credit_note_without_date(self):
        move = self.send(rounds=2).move_id
        refund = move._reverse_moves([{'invoice_date': False, 'ksef_correction_reason': "zwrot"}])
        refund.invoice_date = False
        preview = self.look(refund)
        self.assertEqual((preview.status, preview.error_count), ('draft', 0), preview.findings)
        self.assertEqual(read(base64.b64decode(preview.xml)).kind.value, 'KOR')
        self.assertFalse(refund.invoice_date)

    def test_with_errors(self):
        """Errors stand on top; what can be shown is shown all the same, what has no form isn't."""
        nameless = self.buyer.copy({'vat': False, 'name': "Bez numeru sp. z o.o."})
        preview = self.look(self.make_invoice(partner=nameless))
        self.assertTrue(preview.error_count)
        self.assertIn("Usługa doradcza", preview.page)
        levels = [finding['level'] for finding in preview.findings.values()]
        self.assertEqual(levels, sorted(levels), "errors (danger) before warnings")

        move = self.make_invoice(post=False)
        move.invoice_line_ids.tax_ids = False
        move.action_post()
        preview = self.look(move)
        self.assertTrue(preview.error_count)
        self.assertFalse(preview.page)
        with self.assertRaises(UserError):
            preview.action_download_xml()

    def test_hostile_texts(self):
        """What others wrote is text on the page, never markup; the page loads nothing and links nowhere."""
        evil = self.buyer.copy({'name': EVIL, 'street': EVIL})
        preview = self.look(self.make_invoice([(EVIL, 1, 10, self.tax_23)], partner=evil))
        root = etree.HTML(preview.page)
        for tag in ('script', 'img', 'a', 'iframe', 'link', 'object', 'form', 'base'):
            self.assertFalse(root.findall(f'.//{tag}'), tag)
        self.assertFalse([name for element in root.iter(etree.Element) for name in element.attrib if name.startswith('on')])
        self.assertIn("default-src 'none'", root.find('.//meta[@http-equiv]').get('content'))
        self.assertIn("&lt;script&gt;alert(1)", preview.page)
        self.assertNotIn('http', preview.page.split('</head>')[1])

    def test_after_sending(self):
        """Once it is closed, the stored bytes are shown, whatever an invoice would be rendered to now."""
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        self.assertEqual(self.look(move).status, 'frozen')
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted')
        self.buyer.name = "Zmieniona S.A."
        preview = self.look(move, self.reader)
        self.assertEqual(preview.status, 'accepted')
        self.assertEqual(base64.b64decode(preview.xml), document._get_xml())
        self.assertIn(document.ksef_number, preview.page)
        self.assertIn("Nabywca S.A.", preview.page)
        self.assertNotIn("Zmieniona", preview.page)
        self.assertIn('data:image/png', preview.page)
        self.assertIn(document.ksef_number, preview.action_download_xml()['url'])
        action = document.with_user(self.reader).action_preview()
        again = self.env['ksef.preview'].with_user(self.reader).browse(action['res_id'])
        self.assertEqual(again.page, preview.page)

    def test_rejected(self):
        """The invoice is open again, so it shows what would be sent now; its old document keeps what was sent then."""
        self.sandbox.fault('POST /sessions/online/{referenceNumber}/invoices', 'invoice_status', code=450, details=["Błąd."])
        document = self.send(rounds=2)
        self.assertEqual(document.state, 'rejected')
        self.assertEqual(self.look(document.move_id).status, 'fresh')
        preview = self.env['ksef.preview'].browse(document.action_preview()['res_id'])
        self.assertEqual(preview.status, 'history')
        self.assertEqual(base64.b64decode(preview.xml), document._get_xml())

    def test_from_the_confirmation(self):
        """One invoice after the other, and back to the confirmation."""
        moves = self.make_invoice() | self.make_invoice([("Drugi towar", 1, 5, self.tax_8)])
        wizard = self.env['ksef.send'].browse(moves.action_ksef_send()['res_id'])
        preview = self.env['ksef.preview'].browse(wizard.action_preview()['res_id'])
        self.assertEqual((preview.name, preview.of_count), (moves[0].name, "1 / 2"))
        preview.action_next()
        self.assertIn("Drugi towar", preview.page)
        preview.action_next()
        preview.action_previous()
        self.assertEqual((preview.name, preview.of_count), (moves[1].name, "2 / 2"))
        back = preview.action_back()
        self.assertEqual((back['res_model'], back['res_id']), ('ksef.send', wizard.id))

    def test_rights(self):
        """Readers of invoices without the right for KSeF see nothing, nor do those of other companies."""
        move = self.make_invoice()
        outsider = new_test_user(
            self.env, 'ksef_outsider', groups='base.group_user', company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            move.with_user(outsider).action_ksef_preview()
        other = self.env['res.company'].create({'name': "Inna sp. z o.o."})
        stranger = new_test_user(
            self.env, 'ksef_stranger_look', groups='account.group_account_readonly,l10n_pl_ksef.group_ksef_read',
            company_id=other.id, company_ids=[(6, 0, other.ids)])
        with self.assertRaises(AccessError):
            move.with_user(stranger).action_ksef_preview()
        with self.assertRaises(AccessError):
            self.env['ksef.preview'].with_user(stranger).create({'move_ids': [(6, 0, move.ids)]})
        mine = self.look(move)
        with self.assertRaises(AccessError):
            mine.with_user(self.reader).read(['page'])
        bill = self.make_invoice(post=False)
        bill.button_cancel()
        with self.assertRaises(UserError):
            bill.action_ksef_preview()

    def test_unsaved_window(self):
        """An onchange shows nothing that the user may not read (values that nobody has checked)."""
        move = self.make_invoice()
        other = self.env['res.company'].create({'name': "Inna sp. z o.o."})
        stranger = new_test_user(
            self.env, 'ksef_stranger_look', groups='account.group_account_readonly,l10n_pl_ksef.group_ksef_read',
            company_id=other.id, company_ids=[(6, 0, other.ids)])
        empty = self.env['ksef.preview'].with_user(stranger).new({'move_ids': [(6, 0, move.ids)]})
        self.assertFalse(empty.page)

    def test_pages_are_equal(self):
        """The page is made of the bytes alone: read again, they make the same page."""
        document = self.send(rounds=2)
        preview = self.look(document.move_id)
        def body(page):
            return page.split('</header>')[1].split('<figure')[0].split('</body>')[0]
        self.assertEqual(body(to_html(read(document._get_xml()))), body(preview.page))
