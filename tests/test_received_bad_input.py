"""Bad input: kept, shown, never a traceback, never half a bill. Packages (wrong hash, bombs, names) are in ksef/tests and test_fetch."""
import re
from decimal import Decimal
from unittest import mock

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import ksef_bill_lines
from .common import SELLER_NIP
from .test_received_bill import BillCommon

BOMB = b'<!DOCTYPE Faktura [<!ENTITY a "ha">' + b''.join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % (98 + number, *([97 + number] * 8)) for number in range(12)) + b']>'
OTHER_NIP = '7740001454'


@tagged('post_install', '-at_install')
class TestReceivedBadInput(BillCommon):

    def setUp(self):
        super().setUp()
        self.good = self.fetch('goods')._get_xml()

    def refuse(self, content, *words, **values):
        """Try a bill of these bytes: refused with these words, kept as it is, and nothing is made."""
        count = self.env['account.move'].search_count([]), self.env['res.partner'].search_count([])
        received = self.receive(content, **values)
        received.action_make_bill()
        self.assertEqual((received.state, received.move_id.ids), ('failed', []), received.problem)
        for word in words:
            self.assertIn(word, received.problem)
        self.assertEqual(received._get_xml(), content)
        self.assertTrue(received.action_download_xml()['url'])
        self.assertEqual(count, (self.env['account.move'].search_count([]), self.env['res.partner'].search_count([])))
        return received

    def book(self, content, **values):
        """The bill of these bytes, with a number of its own."""
        self._numbers = getattr(self, '_numbers', 0) + 1
        return self.bill(self.receive(re.sub(b'GOO/', b'N%d/' % self._numbers, content), **values))

    def test_other_documents(self):
        """Documents of other kinds say what they are, and that the bill is entered by hand."""
        for content, word in (
            (b'<Faktura xmlns="http://crd.gov.pl/wzor/2023/06/29/12648/"/>', "FA(2)"),
            (b'<Faktura xmlns="http://crd.gov.pl/wzor/2026/03/06/14189/"/>', "FA_RR"),
            (b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>', "PEF"),
            (b'<CreditNote xmlns="urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"/>', "PEF"),
            (b'<a/>', "FA(3)"), (self.good.replace(b'<Podmiot2>', b'<Podmiot2><Obcy/>'), "FA(3)"),
            (b'%PDF-1.7 \x00\x01', "XML"), (b'{"invoice": 1}', "XML"),
        ):
            with self.subTest(word):
                self.assertFalse(self.refuse(content, word).preview)

    def test_broken_encoding(self):
        """Bytes that are not what the file says, or that end in the middle."""
        for content in (
            self.good.replace('Hurtownia Przykładowa'.encode(), 'Hurtownia Przykładowa'.encode('cp1250')),
            self.good.replace(b'UTF-8', b'UTF-16'), self.good[:len(self.good) // 2], b'\xff\xfe' + self.good,
            self.good.replace(b'<Fa>', b'<Fa>\x00'),
        ):
            self.assertNotEqual(content, self.good)
            self.refuse(content, "XML")

    def test_document_types(self):
        """A DOCTYPE is never read: no entity is expanded and no file is opened."""
        head, rest = self.good.split(b'?>', 1)
        start = head + b'?>'
        for content in (
            start + BOMB + rest.replace(b'Papier biurowy', b'&m;'),
            start + b'<!DOCTYPE Faktura [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + rest.replace(b'Papier biurowy', b'&x;'),
            start + b'<!DOCTYPE Faktura SYSTEM "http://127.0.0.1:9/x.dtd">' + rest,
            start + b'<!DOCTYPE Faktura>' + rest,
        ):
            self.assertFalse(self.refuse(content, "document type").preview)

    def test_currency(self):
        """A currency that nobody knows: said by its name."""
        self.refuse(self.good.replace(b'<KodWaluty>PLN', b'<KodWaluty>XAU'), 'XAU')

    def test_unit(self):
        """An unknown unit changes nothing: quantity and price stay the invoice's, the unit is Odoo's own."""
        move = self.book(self.good.replace(b'<P_8A>ryza', b'<P_8A>zgrzewka po 24'))
        line = move.invoice_line_ids[0]
        self.assertEqual((line.quantity, line.price_unit, line.ksef_source['unit']), (20, 17.9, "zgrzewka po 24"))
        self.assertEqual(move.amount_total, 1052.88)

    def test_own_invoice(self):
        """Supplier = own company."""
        content = self.good.replace(re.search(rb'<NIP>(\d+)</NIP>', self.good)[0], b'<NIP>%s</NIP>' % SELLER_NIP.encode(), 1)
        self.refuse(content, self.company.name)

    def test_another_buyer(self):
        """S1-14: the buyer is another company, one of this database too."""
        content = self.good.replace(SELLER_NIP.encode(), OTHER_NIP.encode())
        self.refuse(content, SELLER_NIP)
        other = self.env['res.company'].create({'name': "Druga firma", 'vat': f'PL{OTHER_NIP}', 'country_id': self.env.ref('base.pl').id})
        self.refuse(content, SELLER_NIP)
        self.assertFalse(self.env['account.move'].search_count([('company_id', '=', other.id)]))

    def test_zero(self):
        """Nothing to pay: a bill of zero, with its line."""
        content = re.sub(rb'<P_9A>[^<]*<', b'<P_9A>0<', re.sub(rb'<P_11>[^<]*<', b'<P_11>0.00<', self.good))
        content = re.sub(rb'<(P_1[345][_1]*)>[^<]*<', rb'<\1>0.00<', content)
        move = self.book(content)
        self.assertEqual((move.move_type, move.amount_total, len(move.invoice_line_ids)), ('in_invoice', 0, 2))
        move.action_post()

    def test_negative(self):
        """A sum below zero is a refund, line by line."""
        content = re.sub(rb'<P_8B>', b'<P_8B>-', self.good)
        content = re.sub(rb'<(P_11|P_13_1|P_14_1|P_15)>', rb'<\1>-', content)
        move = self.book(content)
        self.assertEqual((move.move_type, move.amount_total, move.amount_tax), ('in_refund', 1052.88, 196.88))
        self.assertEqual(move.invoice_line_ids.mapped('quantity'), [20, 2])
        self.assertFalse(move.ksef_bill_problem)

    def many_lines(self, count):
        """An invoice of so many lines of 1.00, every tenth at 8 %, its tax the sum of the lines' taxes."""
        start, end = self.good.index(b'<FaWiersz>'), self.good.rindex(b'</FaWiersz>') + len(b'</FaWiersz>')
        lines = b''.join(
            b'<FaWiersz><NrWierszaFa>%d</NrWierszaFa><P_7>Pozycja %d</P_7><Indeks>%s</Indeks><P_8B>1</P_8B><P_9A>1.07</P_9A>'
            b'<P_11>1.07</P_11><P_12>%d</P_12></FaWiersz>' % (number, number, b'P-%d' % (number % 2), 23 if number % 10 else 8)
            for number in range(1, count + 1))
        lower = count // 10
        nets = [Decimal('1.07') * number for number in (count - lower, lower)]
        taxes = [Decimal('0.25') * (count - lower), Decimal('0.09') * lower]
        sums = b'<P_13_1>%s</P_13_1><P_14_1>%s</P_14_1><P_13_2>%s</P_13_2><P_14_2>%s</P_14_2><P_15>%s</P_15>' % tuple(
            str(amount).encode() for amount in (nets[0], taxes[0], nets[1], taxes[1], sum(nets) + sum(taxes)))
        content = self.good[:start] + lines + self.good[end:]
        return re.sub(rb'<P_13_1>.*</P_15>', sums, content, flags=re.DOTALL), sum(nets), sum(taxes)

    def test_ten_thousand_lines(self):
        """As many lines as KSeF takes are a bill in seconds: a line for each tax and product, its sums those of the invoice."""
        content, net, tax = self.many_lines(10_000)
        received = self.receive(content, gross_amount=float(net + tax))
        supplier = self.env['res.partner'].create({
            'name': "Hurtownia", 'vat': re.search(rb'<NIP>(\d+)<', content)[1].decode(), 'supplier_rank': 1})
        product = self.env['product.product'].create({'name': "Pozycje"})
        self.env['product.supplierinfo'].create({
            'partner_id': supplier.id, 'product_code': 'P-1', 'product_tmpl_id': product.product_tmpl_id.id})
        move = self.bill(received)
        self.assertEqual((Decimal(str(move.amount_untaxed)), Decimal(str(move.amount_tax))), (net, tax))
        self.assertFalse(move.ksef_bill_problem)
        self.assertEqual({(line.product_id.id, line.tax_ids.amount): round(line.price_subtotal, 2) for line in move.invoice_line_ids}, {
            (product.id, 23): 5350.0, (False, 23): 4280.0, (False, 8): 1070.0})
        self.assertIn("10000", move.ksef_bill_remarks)
        move.action_post()
        self.assertFalse(self.env['ksef.product.map'].search_count([('partner_id', '=', supplier.id)]))

    def test_thousands_of_products(self):
        """More products than a bill holds lines: a line for each tax and account, those of the products among them; and what nobody has
        recognised among the lines is not hidden by what was."""
        content, net, tax = self.many_lines(40)
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': re.search(rb'<NIP>(\d+)<', content)[1].decode()})
        account = self.company_data['default_account_expense'].copy()
        product = self.env['product.product'].create({'name': "Pozycje", 'property_account_expense_id': account.id})
        self.env['product.supplierinfo'].create({
            'partner_id': supplier.id, 'product_code': 'P-0', 'product_tmpl_id': product.product_tmpl_id.id})
        self.env['ksef.product.map'].create({'partner_id': supplier.id, 'line_name': "Pozycja 1"})
        with mock.patch.object(ksef_bill_lines, 'MOST_LINES', 2):
            move = self.book(content)
        self.assertEqual((Decimal(str(move.amount_untaxed)), Decimal(str(move.amount_tax)), move.ksef_bill_problem), (net, tax, False))
        self.assertFalse(move.invoice_line_ids.product_id)
        self.assertEqual(
            {(line.account_id == account, line.tax_ids.amount): round(line.price_subtotal, 2) for line in move.invoice_line_ids},
            {(True, 23): 17.12, (False, 23): 21.4, (True, 8): 4.28})
        self.assertIn("too many products", move.ksef_bill_remarks)
        with mock.patch.object(ksef_bill_lines, 'MOST_LINES', 3):
            move = self.book(content)
        self.assertEqual(len(move.invoice_line_ids), 3)
        unknown = move.invoice_line_ids.filtered(lambda line: not line.product_id)
        self.assertEqual((unknown.ksef_match, unknown.price_subtotal), ('', 21.4))

    def test_hundreds_of_lines(self):
        """What Odoo can hold in a bill stands there line by line."""
        content, net, _tax = self.many_lines(200)
        move = self.book(content)
        self.assertEqual((len(move.invoice_line_ids), Decimal(str(move.amount_untaxed))), (200, net))
        self.assertFalse(move.ksef_bill_problem)

    def test_a_mistake_of_the_program(self):
        """An error nobody thought of, in one of many: it stays with a sentence, and the others get their bills."""
        self.issue(21)
        self.follow('export')
        self.run_workers(2)
        rows = self.received().filtered(lambda one: one.state == 'stored')
        spoilt, make = rows[5], type(rows)._try_bill

        def fail(this, received, is_different):
            if received == spoilt:
                raise KeyError('x')
            return make(this, received, is_different)
        rows.action_make_bill()
        with mock.patch.object(type(rows), '_try_bill', fail), self.assertLogs('odoo.addons.l10n_pl_ksef', 'ERROR'):
            self.run_workers(3)
        self.assertEqual((spoilt.state, bool(spoilt.problem)), ('failed', True))
        self.assertEqual(set((rows - spoilt).mapped('state')), {'imported'})

    def test_dropped(self):
        """The same by hand: a file that is no invoice leaves an empty draft with the reason."""
        content = self.good.replace(b'<KodWaluty>PLN', b'<KodWaluty>XAU')
        attachment = self.env['ir.attachment'].create({'name': 'f.xml', 'raw': content, 'mimetype': 'application/xml'})
        move = self.company_data['default_journal_purchase'].with_context(
            default_move_type='in_invoice')._create_document_from_attachment(attachment.ids)
        self.assertFalse(move.invoice_line_ids)
        self.assertTrue(any('XAU' in (body or '') for body in move.message_ids.mapped('body')))
        with self.assertRaises(UserError):
            move.action_post()
