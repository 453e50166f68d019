"""What is done with received invoices beside booking them: seen, downloaded, set aside, controlled; and by whom."""
import base64
import io
import zipfile

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
