"""Vendor bills from received invoices: sums, taxes, dates, suppliers, products, duplicates, and what can't be booked."""
import base64
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..ksef.crypto import sha256_b64
from ..ksef.fa3.reader import read
from .common import SELLER_NIP
from .test_received_common import KsefReceivingCommon


class BillCommon(KsefReceivingCommon):

    def receive(self, xml, **values):
        """A received invoice with these bytes, as fetching stores it."""
        self._count = getattr(self, '_count', 0) + 1
        return self.env['ksef.received'].sudo().create({
            'connection_id': self.connection.id, 'company_id': self.company.id, 'environment': 'local', 'state': 'stored',
            'role': 'buyer', 'roles': 'buyer', 'ksef_number': f'5265877635-20260105-{self._count:012X}-AF',
            'acquisition_date': '2026-01-06 10:00:00', 'xml': base64.b64encode(xml), 'xml_size': len(xml),
            'xml_hash': sha256_b64(xml), 'currency_id': self.company.currency_id.id,
        } | values)

    def fetch(self, *samples, **options):
        """Have samples issued and fetched; return the rows."""
        known = self.received()
        for sample in samples:
            self.issue(1, sample, **options)
        self.follow('export')
        self.run_workers(2)
        return self.received() - known

    def bill(self, received):
        received.action_make_bill()
        self.assertFalse(received.problem)
        self.assertEqual(received.state, 'imported')
        return received.move_id


@tagged('post_install', '-at_install')
class TestReceivedBill(BillCommon):

    def test_goods(self):
        """S1-14, S1-16: supplier, dates, amounts, lines, taxes, bank account; the KSeF number is on the bill."""
        move = self.bill(self.fetch('goods'))
        received = self.received()
        self.assertEqual((move.move_type, move.state, move.company_id), ('in_invoice', 'draft', self.company))
        self.assertEqual((move.ref, move.ksef_received_number), (received.invoice_number, received.ksef_number))
        self.assertEqual((move.partner_id.vat, move.partner_id.name), (f'PL{received.seller_nip}', received.seller_name))
        self.assertEqual((move.partner_id.street, move.partner_id.zip, move.partner_id.city), ("ul. Magazynowa 7", '02-001', "Warszawa"))
        self.assertEqual((move.amount_untaxed, move.amount_tax, move.amount_total), (856.0, 196.88, 1052.88))
        self.assertEqual(move.invoice_line_ids.mapped('quantity'), [20, 2])
        self.assertEqual(move.invoice_line_ids.mapped('price_unit'), [17.9, 249.0])
        self.assertEqual(move.invoice_line_ids[0].name, "Papier biurowy A4, 80 g")
        self.assertEqual(set(move.invoice_line_ids.tax_ids.mapped('amount')), {23})
        self.assertEqual(set(move.invoice_line_ids.tax_ids.mapped('type_tax_use')), {'purchase'})
        self.assertEqual((move.invoice_date, move.taxable_supply_date), (received.issue_date, received.issue_date))
        self.assertEqual((move.invoice_date_due - move.invoice_date).days, 14)
        self.assertIn('61109010140000071219812874', move.partner_bank_id.sanitized_acc_number)
        self.assertIn(received.ksef_number, move.payment_reference)
        self.assertFalse(move.ksef_bill_problem)
        self.assertIn("new", move.ksef_bill_notes)
        attachment = self.env['ir.attachment'].search([
            ('res_model', '=', 'account.move'), ('res_id', '=', move.id), ('res_field', '=', False)])
        self.assertEqual(attachment.raw, received._get_xml())
        move.action_post()
        self.assertEqual(move.state, 'posted')

    def test_samples(self):
        """Services, several rates, a foreign currency, an advance: the bill is the invoice, to the grosz."""
        self.env.ref('base.EUR').active = True
        for sample in ('services', 'rates', 'currency', 'advance'):
            received = self.fetch(sample)
            move = self.bill(received)
            self.assertFalse(move.ksef_bill_problem, sample)
            self.assertEqual(Decimal(str(move.amount_total)), Decimal(str(received.gross_amount)), sample)
            self.assertEqual(move.currency_id.name, received.currency_code)
            move.action_post()
        self.assertEqual(move.invoice_line_ids.name, "Zaliczka: Linia pakująca LP-3" if 'Zaliczka' in move.invoice_line_ids.name else
                         "Advance payment: Linia pakująca LP-3")

    def test_currency(self):
        self.env.ref('base.EUR').active = False
        received = self.fetch('currency')
        received.action_make_bill()
        self.assertEqual(received.state, 'failed')
        self.assertIn('EUR', received.problem)
        self.env.ref('base.EUR').active = True
        received.action_try_again()
        self.assertEqual(received.state, 'imported')
        self.assertAlmostEqual(1 / received.move_id.invoice_currency_rate, 4.2512, 6)

    def test_correction(self):
        """A correction in minus is a refund of the difference, tied to its original; the period is that of receipt."""
        original = self.bill(self.fetch('goods'))
        original.action_post()
        received = self.fetch('correction')
        refund = self.bill(received)
        self.assertEqual((refund.move_type, refund.amount_untaxed, refund.amount_tax), ('in_refund', 35.8, 8.23))
        self.assertEqual(refund.reversed_entry_id, original)
        self.assertEqual(refund.invoice_line_ids.mapped('quantity'), [20])
        self.assertFalse(refund.ksef_bill_problem)
        refund.action_post()

    def test_correction_of_a_bill_entered_by_hand(self):
        """The original never came from KSeF, and its number was typed in another way."""
        received = self.fetch('goods')
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip})
        manual = self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': supplier.id, 'ref': received.invoice_number.lower().replace('/', '-'),
            'invoice_date': received.issue_date})
        correction = self.fetch('correction')
        received._set_aside('ignored', "wpisana wcześniej")
        self.assertEqual(self.bill(correction).reversed_entry_id, manual)

    def test_correction_before_its_original(self):
        original = self.fetch('goods')
        refund = self.bill(self.fetch('correction'))
        self.assertFalse(refund.reversed_entry_id)
        move = self.bill(original)
        self.assertEqual(refund.reversed_entry_id, move)

    def test_dates(self):
        """Booked on the later of tax point and receipt; never in a closed period."""
        xml = self.fetch('goods')._get_xml()
        today = self.env['account.move']._ksef_today()
        late = self.bill(self.receive(xml.replace(b'GOO', b'LATE'), acquisition_date=today + timedelta(days=40)))
        self.assertEqual((late.invoice_date, late.taxable_supply_date, late.date), (today, today, today + timedelta(days=40)))
        late.action_post()
        self.assertEqual(late.date, today + timedelta(days=40))
        early = self.bill(self.receive(xml.replace(b'GOO', b'EARLY'), acquisition_date=today - timedelta(days=3)))
        self.assertEqual(early.date, today)
        self.company.fiscalyear_lock_date = today
        closed = self.bill(self.receive(xml.replace(b'GOO', b'CLOSED'), acquisition_date=today))
        self.assertGreater(closed.date, today)

    def test_many_lines(self):
        """The number of queries does not grow with the lines."""
        xml = self.fetch('goods')._get_xml().decode()
        start, end = xml.index('<FaWiersz>'), xml.rindex('</FaWiersz>') + len('</FaWiersz>')
        rows = xml[start:end]
        bills = self.env['ksef.bill'].with_company(self.company)

        def count(times):
            body = ''.join(rows.replace('<P_7>', f'<P_7>{number} ') for number in range(times))
            invoice = bills._read((xml[:start] + body + xml[end:]).encode())
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            bills._values(self.company, invoice)
            return self.env.cr.sql_log_count - before

        count(1)
        self.assertLessEqual(count(200), count(2) + 3)

    def test_official_samples(self):
        """Every official sample that can be booked becomes a bill whose sums are those of the XML."""
        from ..ksef.tests.ksef_test_contract import find_contract
        contract = find_contract()
        if not contract:
            self.skipTest("the official samples are not here (see KSEF_SHARED)")
        for code in ('EUR', 'USD', 'GBP'):
            self.env['res.currency'].with_context(active_test=False).search([('name', '=', code)]).active = True
        for path in sorted((contract.parents[1] / 'samples/fa3').glob('*.xml')):
            with self.subTest(path.name):
                self.check_sample(path)

    def check_sample(self, path: Path):
        xml = path.read_bytes()
        invoice = read(xml)
        received = self.receive(xml, gross_amount=float(invoice.total))
        buyer = getattr(invoice.buyer.identifier, 'nip', None)
        self.company.vat = f'PL{buyer}' if buyer else self.company.vat
        received.action_make_bill()
        if not buyer:
            self.assertEqual(received.state, 'failed')
            return
        if self.env['ksef.bill']._is_data_only(invoice):
            self.assertEqual(received.state, 'ignored')
            return
        self.assertEqual(received.state, 'imported', received.problem)
        move = received.move_id
        self.assertFalse(move.ksef_bill_problem, move.ksef_bill_problem)
        sign = -1 if move.move_type == 'in_refund' else 1
        self.assertEqual(Decimal(str(move.amount_total)) * sign, Decimal(str(invoice.total)).quantize(Decimal('0.01')))
        tax = sum((total.tax or 0) for total in invoice.group_totals if total.group.name != 'ONE_STOP_SHOP')
        if invoice.group_totals:
            self.assertEqual(Decimal(str(move.amount_tax)) * sign, Decimal(tax).quantize(Decimal('0.01')))
        move.unlink()
        self.assertEqual(received.state, 'stored')

    def test_only_the_buyer(self):
        """S1-14: no bill where the company is not the buyer, whatever the list says."""
        xml = self.fetch('goods')._get_xml()
        foreign = self.receive(xml.replace(SELLER_NIP.encode(), b'5261040828'))
        foreign.action_make_bill()
        self.assertEqual((foreign.state, len(foreign.move_id)), ('failed', 0))
        self.assertIn(SELLER_NIP, foreign.problem)
        seller = self.receive(xml, role='seller', roles='seller')
        with self.assertRaises(UserError):
            seller.action_make_bill()

    def test_bad_documents(self):
        """Each is kept with its reason, and none leaves half a bill."""
        bills = self.env['account.move'].search_count([])
        for content in (
            b'', b'<a/>', b'not xml', b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b'\xff\xfe\x00',
            b'<Faktura xmlns="http://crd.gov.pl/wzor/2023/06/29/12648/"/>', b'<Faktura xmlns="http://crd.gov.pl/wzor/2025/06/25/13775/"/>',
            b'<Faktura xmlns="http://crd.gov.pl/wzor/2026/03/06/14189/"/>',
            b'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>',
        ):
            received = self.receive(content or b' ')
            received.action_make_bill()
            self.assertEqual((received.state, bool(received.problem)), ('failed', True), content)
        self.assertEqual(self.env['account.move'].search_count([]), bills)

    def test_known_supplier(self):
        received = self.fetch('goods')
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip, 'supplier_rank': 3, 'is_company': True})
        bank = self.env['res.partner.bank'].create({'acc_number': '12 3456 7890 1234 5678 9012 3456', 'partner_id': supplier.id})
        move = self.bill(received)
        self.assertEqual(move.partner_id, supplier)
        self.assertEqual(supplier.name, "Hurtownia")
        self.assertNotEqual(move.partner_bank_id, bank)
        self.assertFalse(move.partner_bank_id)
        self.assertIn('61109010140000071219812874', move.ksef_bill_notes)
        self.assertIn("Hurtownia", move.ksef_bill_notes)

    def test_supplier_with_dashes(self):
        received = self.fetch('goods')
        nip = received.seller_nip
        supplier = self.env['res.partner'].with_context(no_vat_validation=True).create(
            {'name': received.seller_name, 'vat': f'{nip[:3]}-{nip[3:6]}-{nip[6:8]}-{nip[8:]}', 'is_company': True})
        self.assertEqual(self.bill(received).partner_id, supplier)

    def test_lines_without_rates(self):
        """Lines whose rate the invoice leaves open: its sums are booked, rate by rate."""
        xml = re.sub(rb'<P_12>[^<]*</P_12>', b'', self.fetch('rates')._get_xml())
        move = self.bill(self.receive(xml))
        self.assertFalse(move.ksef_bill_problem)
        self.assertEqual(len(move.invoice_line_ids), 4)
        self.assertIn("Kawa ziarnista", move.invoice_line_ids[0].name)

    def test_absurd_amounts(self):
        """Amounts beyond what can be computed are a reason, never a traceback."""
        xml = self.fetch('goods')._get_xml()
        for spoilt in (
            re.sub(rb'<P_8B>[^<]*<', b'<P_8B>9999999999999999<', re.sub(
                rb'<P_11>[^<]*</P_11>', b'', re.sub(rb'<P_9A>[^<]*<', b'<P_9A>9999999999999999<', xml))),
            re.sub(rb'<P_15>[^<]*<', b'<P_15>9999999999999999<', xml),
            re.sub(rb'<P_8B>[^<]*<', b'<P_8B>0<', xml), re.sub(rb'<P_15>[^<]*<', b'<P_15>0<', xml),
        ):
            received = self.receive(spoilt.replace(b'GOO', b'X%d' % len(spoilt)))
            received.action_make_bill()
            self.assertTrue(received.problem or received.move_id.ksef_bill_problem or received.move_id.amount_total == 1052.88)
            self.assertIn(received.state, ('failed', 'imported'))

    def test_suppliers_not_created(self):
        self.company.ksef_create_suppliers = False
        received = self.fetch('goods')
        received.action_make_bill()
        self.assertIn(received.seller_nip, received.problem)
        self.assertFalse(received.move_id)

    def test_learning(self):
        """Three months of one supplier: what is set on the first bill is known on the next ones, and on open drafts."""
        first, draft = self.fetch('services'), self.fetch('services')
        product = self.env['product.product'].create({'name': "Doradztwo", 'type': 'service'})
        open_move = self.bill(draft)
        move = self.bill(first)
        self.assertFalse(move.invoice_line_ids.product_id)
        account = self.company_data['default_account_expense'].copy({'code': '402999'})
        text, total = move.invoice_line_ids.name, move.amount_total
        taxes = move.invoice_line_ids.tax_ids
        move.invoice_line_ids.write({
            'product_id': product.id, 'name': text, 'price_unit': 180.0, 'account_id': account.id, 'tax_ids': [(6, 0, taxes.ids)]})
        move.action_post()
        rule = self.env['ksef.product.map'].search([('product_id', '=', product.id)])
        self.assertEqual((rule.partner_id, rule.account_id), (move.partner_id, account))
        self.assertEqual((open_move.invoice_line_ids.product_id, open_move.invoice_line_ids.account_id), (product, account))
        self.assertEqual((open_move.invoice_line_ids.name, open_move.amount_total), (text, total))
        third = self.bill(self.fetch('services'))
        self.assertEqual((third.invoice_line_ids.product_id, third.invoice_line_ids.account_id), (product, account))
        self.assertEqual((third.amount_total, third.invoice_line_ids.name), (total, text))
        self.assertIn("Rule", third.invoice_line_ids.ksef_match)
        self.assertFalse(third.ksef_bill_problem)

    def test_duplicate(self):
        """A bill entered by hand is found before another one is made: link it, or say that it is another one."""
        received = self.fetch('goods')
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip})
        manual = self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': supplier.id, 'ref': received.invoice_number.lower().replace('/', ' '),
            'invoice_date': received.issue_date, 'invoice_line_ids': [(0, 0, {'name': "x", 'price_unit': 856, 'tax_ids': [
                (6, 0, self.env['ksef.bill']._tax_by_amount(self.company, 23).ids)]})]})
        received.action_make_bill()
        self.assertEqual((received.state, received.candidate_id, received.move_id.ids), ('failed', manual, []))
        received.action_link_candidate()
        self.assertEqual((received.state, received.move_id), ('linked', manual))
        other = self.receive(received._get_xml())
        other.action_make_bill()
        self.assertEqual(other.state, 'imported', "the linked bill belongs to another invoice")

    def test_another_one(self):
        received = self.fetch('goods')
        supplier = self.env['res.partner'].create({'name': "Hurtownia", 'vat': received.seller_nip})
        self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': supplier.id, 'ref': received.invoice_number, 'invoice_date': received.issue_date})
        received.action_make_bill()
        self.assertTrue(received.candidate_id)
        with self.assertRaisesRegex(UserError, "Replace this draft"):
            received.action_link_candidate()
        received.action_make_bill_anyway()
        self.assertEqual((received.state, received.move_id.amount_total), ('imported', 1052.88))

    def test_twice(self):
        received = self.fetch('goods')
        move = self.bill(received)
        with self.assertRaises(UserError):
            received.action_make_bill()
        self.assertEqual(received._make_bill(), move)

    def test_many_in_the_background(self):
        self.issue(22)
        self.follow('export')
        self.run_workers(2)
        self.received().action_make_bill()
        self.assertFalse(self.received().move_id)
        self.run_workers(2)
        self.assertEqual(set(self.received().mapped('state')), {'imported'})
        self.assertEqual(len(self.received().move_id), 22)

    def test_dropped_file(self):
        """A file dropped on the list of bills takes the same way, and is tied to the invoice that came from KSeF."""
        received = self.fetch('rates')
        attachment = self.env['ir.attachment'].create({'name': 'faktura.xml', 'raw': received._get_xml(), 'mimetype': 'application/xml'})
        journal = self.company_data['default_journal_purchase']
        move = journal.with_context(default_move_type='in_invoice')._create_document_from_attachment(attachment.ids)
        self.assertEqual(Decimal(str(move.amount_total)), Decimal(str(received.gross_amount)))
        self.assertFalse(move.ksef_bill_problem)
        self.assertEqual((received.state, received.move_id), ('imported', move))

    def test_dropped_foreign_file(self):
        xml = self.fetch('goods')._get_xml().replace(SELLER_NIP.encode(), b'5261040828')
        attachment = self.env['ir.attachment'].create({'name': 'faktura.xml', 'raw': xml, 'mimetype': 'application/xml'})
        journal = self.company_data['default_journal_purchase']
        move = journal.with_context(default_move_type='in_invoice')._create_document_from_attachment(attachment.ids)
        self.assertFalse(move.invoice_line_ids)
        self.assertTrue(any(SELLER_NIP in (body or '') for body in move.message_ids.mapped('body')))
