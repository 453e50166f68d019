"""What is done with received invoices beside booking them: seen, downloaded, set aside, controlled; and by whom."""
import base64
import html
import io
import re
import zipfile
from unittest import mock

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_received_bill import BillCommon


@tagged('post_install', '-at_install')
class TestReceivedDecisions(BillCommon):

    def test_monthly_control(self):
        """What KSeF holds against what is booked; each difference is shown by itself."""
        self.fetch('goods')
        rows = self.fetch('correction', 'services')
        booked, changed, waiting = self.received()
        refund = self.bill(booked) and self.bill(changed)
        control = self.env['ksef.received.control'].search([('company_id', '=', self.company.id)])
        self.assertEqual((control.role, control.ksef_count, control.odoo_count, control.open_count), ('buyer', 3, 2, 1))
        self.assertAlmostEqual(control.ksef_gross, sum(self.received().mapped('gross_amount')), 2)
        self.assertAlmostEqual(control.odoo_gross, booked.gross_amount + changed.gross_amount, 2)
        self.assertEqual((control.difference_count, len(rows)), (0, 2))
        self.assertEqual(self.env['ksef.received'].search(control.action_open_differences()['domain']), waiting)
        refund.invoice_line_ids[0].price_unit += 1
        self.env.flush_all()
        control.invalidate_recordset()
        self.assertEqual(control.difference_count, 1)
        self.assertEqual(set(self.env['ksef.received'].search(control.action_open_differences()['domain'])), {changed, waiting})

    def test_mended(self):
        """Each difference of a month is mended by its button, or says why a person must decide."""
        booked, waiting = self.fetch('goods'), self.fetch('services')
        draft = self.bill(booked)
        draft.invoice_line_ids[0].price_unit += 1
        self.assertEqual((booked.difference, booked.booked_amount), ("Another amount", draft.amount_total))
        control = self.env['ksef.received.control'].search([('company_id', '=', self.company.id)])
        control.action_mend()
        self.env.invalidate_all()
        self.assertEqual((draft.amount_total, booked.difference, booked.move_id), (booked.gross_amount, False, draft))
        self.assertEqual((waiting.state, waiting.booked_amount), ('imported', waiting.gross_amount))
        self.assertEqual((control.difference_count, control.open_count), (0, 0))
        self.assertFalse(self.env['ksef.received'].search(control.action_open_differences()['domain']))
        posted = waiting.move_id
        posted.invoice_line_ids.price_unit += 1
        posted.action_post()
        with self.assertRaisesRegex(UserError, re.escape(posted.name)):
            waiting.action_mend()
        draft.button_cancel()
        booked.action_mend()
        self.assertEqual((booked.state, booked.move_id.state, booked.booked_amount), ('imported', 'draft', booked.gross_amount))
        self.assertNotEqual(booked.move_id, draft)

    def test_disputed_draft(self):
        """The draft of a disputed invoice is confirmed by nobody; restored, it is that bill again and no second one."""
        received = self.fetch('goods')
        move = self.bill(received)
        received._set_aside('disputed', "nie nasze")
        with self.assertRaisesRegex(UserError, re.escape(received.invoice_number)):
            move.action_post()
        self.assertEqual(move.state, 'draft')
        received.action_restore()
        self.assertEqual((received.state, received.move_id), ('imported', move))
        move.action_post()
        self.assertEqual(move.state, 'posted')

    def test_supplier_data(self):
        """Data of the supplier that have changed are offered, and written only when a person says so."""
        received = self.fetch('goods')
        supplier = self.env['res.partner'].create({
            'name': received.seller_name, 'vat': f'PL{received.seller_nip}', 'street': "ul. Stara 1", 'zip': "00-950", 'city': "Łódź"})
        move = self.bill(received)
        self.assertIn("00-950", move.ksef_bill_notes)
        self.assertIn("02-001", received.supplier_changes)
        self.assertNotIn(received.seller_name, received.supplier_changes)
        self.assertEqual(supplier.zip, "00-950")
        received.action_take_supplier_data()
        self.assertEqual((supplier.street, supplier.zip, supplier.city), ("ul. Magazynowa 7", "02-001", "Warszawa"))
        received.invalidate_recordset()
        self.assertFalse(received.supplier_changes)
        with self.assertRaises(UserError):
            received.action_take_supplier_data()

    def test_registers(self):
        """A new supplier gets its numbers in other registers."""
        xml = self.fetch('goods')._get_xml().replace(b'</Fa>', (
            b'</Fa><Stopka><Rejestry><KRS>0000012345</KRS><REGON>123456785</REGON><BDO>000012345</BDO></Rejestry></Stopka>'))
        supplier = self.bill(self.receive(xml)).partner_id
        self.assertEqual(supplier.company_registry, '0000012345')
        self.assertIn('REGON: 123456785', supplier.comment)
        self.assertIn('BDO: 000012345', supplier.comment)

    def test_files(self):
        """S4-07: the page has QR code I; the PDF, where this server makes one, is named by the KSeF number."""
        received = self.fetch('goods')
        self.assertIn('data:image/png', received.preview)
        self.assertIn(html.escape(received.verification_url), received.preview)
        url = received.action_download_pdf()['url']
        self.assertIn(f"/{received.ksef_number}.{'pdf' if received.has_pdf else 'html'}", url)
        state = type(self.env['ir.actions.report'])
        with mock.patch.object(state, 'get_wkhtmltopdf_state', lambda report: 'ok'), mock.patch.object(
                state, '_run_wkhtmltopdf', lambda report, bodies, **options: b'%PDF' + bodies[0].encode()):
            received.invalidate_recordset()
            self.assertIn(f'/pdf/{received.ksef_number}.pdf', received.action_download_pdf()['url'])
            self.assertIn(received.invoice_number.encode(), base64.b64decode(received.pdf))

    def test_preview(self):
        """S4-07: the invoice is shown as a page named by its KSeF number; what is no FA(3) is not, and can be downloaded."""
        received = self.fetch('goods')
        self.assertIn("Papier biurowy A4", received.preview)
        self.assertIn(received.ksef_number, received.preview)
        self.assertIn(received.ksef_number, received.action_download_html()['url'])
        self.assertIn(b"<html", base64.b64decode(received.html))
        self.assertIn(received.ksef_number, received.action_download_xml()['url'])
        evil = self.receive(received._get_xml().replace(b"Papier biurowy", b"&lt;script&gt;alert(1)&lt;/script&gt;"))
        self.assertNotIn("<script", evil.preview)
        other = self.receive(b'<a/>')
        self.assertFalse(other.preview)
        with self.assertRaises(UserError):
            other.action_download_html()

    def test_download_of_many(self):
        """S4-07: one file with the XML and the page of each, named by KSeF number, and an index."""
        rows = self.fetch('goods', 'services') | self.receive(b'<a/>', seller_name='=1+1')
        url = rows.action_download_zip()['url']
        archive = self.env['ksef.received.archive'].browse(int(url.split('/')[4]))
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(archive.content))) as content:
            names = set(content.namelist())
            self.assertEqual(names, {'index.csv', *(f'{row.ksef_number}.xml' for row in rows), *(
                f'{row.ksef_number}.html' for row in rows[:2])})
            self.assertEqual(content.read(f'{rows[0].ksef_number}.xml'), rows[0]._get_xml())
            index = content.read('index.csv').decode('utf-8-sig').splitlines()
        self.assertEqual(len(index), 4)
        self.assertIn(";'=1+1;", index[3])
        with self.assertRaises(UserError):
            self.env['ksef.received'].action_download_zip()

    def test_set_aside(self):
        received = self.fetch('goods')
        self.env['ksef.received.reason'].create({
            'received_ids': [(6, 0, received.ids)], 'state': 'disputed', 'reason': "nie zamawialiśmy"}).action_apply()
        self.assertEqual((received.state, received.reason, received.decided_by), ('disputed', "nie zamawialiśmy", self.env.user))
        with self.assertRaises(UserError):
            received.action_make_bill()
        received.action_restore()
        self.assertEqual((received.state, received.reason), ('stored', False))
        move = self.bill(received)
        move.action_post()
        with self.assertRaises(UserError):
            received._set_aside('disputed', "za późno")

    def test_rights(self):
        received = self.fetch('goods')
        reader = self.env['res.users'].create({
            'name': "Czytelnik", 'login': 'ksef_reader', 'company_id': self.company.id, 'company_ids': [(6, 0, self.company.ids)],
            'group_ids': [(6, 0, [self.env.ref('account.group_account_readonly').id])]})
        seen = received.with_user(reader)
        self.assertTrue(seen.invoice_number)
        for method in ('action_make_bill', 'action_restore', 'action_try_again', 'action_set_aside', 'action_make_bill_anyway'):
            with self.assertRaises(AccessError, msg=method):
                getattr(seen, method)()
        with self.assertRaises(AccessError):
            seen.write({'state': 'ignored'})

    def test_other_company_does_not_see_it(self):
        received = self.fetch('goods')
        stranger = self.env['res.company'].create({'name': "Obca"})
        user = self.env['res.users'].create({
            'name': "Obcy", 'login': 'ksef_stranger', 'company_id': stranger.id, 'company_ids': [(6, 0, stranger.ids)],
            'group_ids': [(6, 0, [self.env.ref('account.group_account_manager').id])]})
        self.assertFalse(self.env['ksef.received'].with_user(user).search([('id', '=', received.id)]))
        with self.assertRaises(AccessError):
            received.with_user(user).action_make_bill()
