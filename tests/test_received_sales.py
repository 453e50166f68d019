"""Own sales issued by another program: matched with Odoo's invoices, or imported as accepted and closed ones."""
import re
from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import format_date

from ..ksef.crypto import sha256_b64
from ..models.ksef_received_bill import IN_REQUEST
from .common import BUYER_NIP, SELLER_NIP
from .test_received_bill import BillCommon


@tagged('post_install', '-at_install')
class TestReceivedSales(BillCommon):

    def sell(self, sample='goods', **values):
        """Have another program issue a sale of the company and fetch it; return the row."""
        known = self.received()
        self.sandbox.admin('POST', f'/companies/{BUYER_NIP}/issue', sample=sample, seller=SELLER_NIP, **values)
        self.follow('export', roles=('seller',))
        self.run_workers(2)
        self.make_due()
        self.run_workers()
        rows = self.received() - known
        self.assertEqual(set(rows.mapped('role')), {'seller'})
        return rows

    def submissions(self):
        return len(self.sandbox.requests('POST', '/v2/sessions'))

    def assert_closed(self, received, state):
        """Its invoice is KSeF's: accepted, with its number and bytes, locked, and nothing was sent."""
        move, document = received.move_id, received.move_id.ksef_document_id
        self.assertEqual((received.state, received.problem), (state, False))
        self.assertEqual((move.state, move.name), ('posted', received.invoice_number))
        self.assertEqual((move.ksef_state, move.ksef_number, move.ksef_is_locked), ('accepted', received.ksef_number, True))
        self.assertEqual((document.origin, document.ksef_number), ('ksef', received.ksef_number))
        self.assertEqual(sha256_b64(document._get_xml()), received.xml_hash)
        self.assertEqual(document.acquisition_date, received.acquisition_date)
        with self.assertRaises(UserError):
            move.button_draft()
        self.make_due()
        self.run_workers()
        self.assertEqual(self.submissions(), 0)
        self.assertEqual(document.state, 'accepted')

    def test_imported(self):
        """The invoice is KSeF's, to the grosz; Odoo's own numbers go on as they were."""
        own = self.make_invoice()
        received = self.sell('rates')
        self.assertEqual(received.state, 'stored')
        clerk = new_test_user(self.env, 'ksef_clerk', 'account.group_account_invoice', company_id=self.company.id,
                              company_ids=[(6, 0, self.company.ids)])
        received.with_user(clerk).action_import_sale()
        self.assertFalse(received.problem)
        move = received.move_id
        self.assertEqual((move.move_type, move.invoice_date), ('out_invoice', received.issue_date))
        self.assertEqual(move.amount_total, received.gross_amount)
        self.assertEqual(move.amount_untaxed, received.net_amount)
        self.assertEqual(move.commercial_partner_id.vat, f'PL{BUYER_NIP}')
        rates = {line.name: line.tax_ids._ksef_kind()[0].rate.name for line in move.invoice_line_ids}
        self.assertEqual(sorted(rates.values()), ['VAT_23', 'VAT_5', 'VAT_8', 'ZERO_DOMESTIC'])
        self.assert_closed(received, 'imported')
        following = self.make_invoice()
        self.assertEqual(following.sequence_number, own.sequence_number + 1)
        self.assertEqual(following.sequence_prefix, own.sequence_prefix)

    def test_automatic_sending(self):
        """Where everything that is confirmed goes to KSeF by itself, an imported sale does not."""
        today = self.env['account.move']._ksef_today()
        self.company.sudo().write({'ksef_mode': 'automatic', 'ksef_auto_from': today - timedelta(days=30)})
        received = self.sell('services')
        received.action_import_sale()
        self.env.cr.precommit.run()
        self.assertEqual(received.move_id.ksef_document_ids.mapped('origin'), ['ksef'])
        self.assert_closed(received, 'imported')

    def test_any_number(self):
        """A number that means another month to Odoo is kept, and nothing of the kind is made twice."""
        received = self.sell(number="FV/1/01/2019") + self.sell(number="7/A")
        received.action_import_sale()
        self.assertEqual(received.mapped('state'), ['imported', 'imported'], received.mapped('problem'))
        self.assertEqual(received.move_id.mapped('name'), ["FV/1/01/2019", "7/A"])
        self.assertEqual(len(received.move_id.journal_id), 1)
        with self.assertRaises(UserError):
            received.action_import_sale()

    def test_correction(self):
        """A correction waits for its original, and is tied to it."""
        original = self.sell('goods')
        received = self.sell('correction')
        received.action_import_sale()
        self.assertEqual(received.state, 'failed')
        self.assertIn(original.invoice_number, received.problem)
        self.assertFalse(received.move_id)
        (received + original).action_import_sale()
        self.assertFalse(received.problem)
        self.assertEqual((received.move_id.move_type, received.move_id.reversed_entry_id), ('out_refund', original.move_id))
        self.assertEqual(received.move_id.amount_total, -received.gross_amount)
        self.assert_closed(received, 'imported')

    def invoice_of(self, received, **values):
        """Odoo's own invoice with the number, the buyer and the amount of a sale in KSeF."""
        move = self.make_invoice(
            lines=[("Towary", 1, received.net_amount, self.find_tax('v_kraj_23'))], post=False,
            **({'date': received.issue_date} | values))
        move.name = received.invoice_number
        move.action_post()
        self.assertEqual((move.name, move.amount_total), (received.invoice_number, received.gross_amount))
        return move

    def test_matched(self):
        """The invoice that Odoo has of it is tied to it, and no other is made."""
        received = self.sell(number="FV/2026/00100")
        move = self.invoice_of(received)
        received.action_import_sale()
        self.assertEqual(received.move_id, move)
        self.assert_closed(received, 'linked')

    def test_matched_by_itself(self):
        """An invoice that is here when its KSeF invoice comes is tied to it without anybody's doing."""
        pattern = self.sell(number="FV/2026/00200")
        pattern.sudo().invoice_number = "FV/2026/00201"
        move = self.invoice_of(pattern)
        received = self.sell(number="FV/2026/00201")
        self.assertEqual(received.move_id, move, received.problem)
        self.assert_closed(received, 'linked')

    def test_not_told(self):
        """The same number with another buyer or amount: nothing is tied or made, and a sentence says why."""
        stranger = self.env['res.partner'].create({
            'name': "Ktoś inny", 'vat': 'PL7740001454', 'country_id': self.env.ref('base.pl').id, 'street': "ul. Inna 1", 'city': "Płock"})
        received = self.sell(number="FV/2026/00300")
        move = self.invoice_of(received, partner=stranger)
        received.action_import_sale()
        self.assertEqual((received.state, received.move_id), ('failed', self.env['account.move']))
        self.assertIn('7740001454', received.problem)
        other = self.sell(number="FV/2026/00301")
        cheap = self.make_invoice(post=False)
        cheap.name = other.invoice_number
        cheap.action_post()
        other.action_import_sale()
        self.assertEqual((other.state, other.move_id), ('failed', self.env['account.move']))
        self.assertFalse((move + cheap).ksef_document_id)

    def test_of_another_day(self):
        """Programs count anew each year: the same number, buyer and amount on another day is another invoice."""
        pattern = self.sell(number="7/B")
        pattern.sudo().invoice_number = "8/B"
        day = pattern.issue_date - timedelta(days=365)
        move = self.invoice_of(pattern, date=day)
        received = self.sell(number="8/B")
        self.assertEqual((received.move_id, received.bill_wanted), (self.env['account.move'], False))
        self.assertIn(format_date(self.env, day), received.problem)
        received.action_import_sale()
        self.assertEqual((received.state, received.move_id), ('failed', self.env['account.move']))
        self.assertFalse(move.ksef_document_id)

    def test_needs_the_right_to_invoice(self):
        """Who may only send neither imports a sale nor leaves it to the workers, by no button; KSeF's rights make no invoices."""
        received = self.sell()
        sender = new_test_user(self.env, 'ksef_sender', 'base.group_user,l10n_pl_ksef.group_ksef_send', company_id=self.company.id,
                               company_ids=[(6, 0, self.company.ids)])
        month = self.env['ksef.received.control'].search([('company_id', '=', self.company.id), ('role', '=', 'seller')])
        self.assertEqual(month.open_count, 1)
        many = received.with_user(sender).concat(*[self.receive(
            b'<a/>', role='seller', roles='seller', invoice_number=f'W/{number}').with_user(sender) for number in range(IN_REQUEST)])
        before = self.env['account.move'].search_count([])
        for call in (
            many.action_import_sale, many[0].action_import_sale, many.action_mend, many[0].action_mend, many[0].action_make_bill_anyway,
            month.with_user(sender).action_mend,
        ):
            with self.assertRaisesRegex(AccessError, "confirmed customer invoices"):
                call()
        self.assertEqual(set(many.sudo().mapped('bill_wanted')), {False})
        self.assertEqual(set(many.mapped('state')), {'stored'})
        self.assertEqual(self.env['account.move'].search_count([]), before)

    def test_on_its_way(self):
        """An invoice that this program is sending is not taken for one of another program."""
        received = self.sell(number="FV/2026/00400")
        move = self.invoice_of(received)
        move._ksef_pick()
        document = move.ksef_document_id
        self.assertTrue(document)
        received.action_import_sale()
        self.assertEqual((received.state, document.origin), ('failed', False))

    def test_sent_by_ourselves(self):
        """What this program has sent comes back as a sale and is tied by its KSeF number, even when that was known later."""
        move = self.make_invoice()
        document = self.send(move)
        self.follow('export', roles=('seller',))
        self.run_workers(2)
        received = self.received()
        self.assertEqual((received.state, received.move_id), ('linked', move))
        self.env.cr.execute("UPDATE ksef_received SET state = 'stored', move_id = NULL")
        self.env.invalidate_all()
        self.make_due()
        self.run_workers()
        self.assertEqual((received.state, received.move_id, document.state), ('linked', move, 'accepted'))

    def test_refused(self):
        """A margin scheme doesn't tell its tax: said, and nothing is half made."""
        received = self.sell()
        xml = received._get_xml().decode()
        margin = xml.replace('<P_PMarzyN>1</P_PMarzyN>', '<P_PMarzy>1</P_PMarzy><P_PMarzy_3_1>1</P_PMarzy_3_1>')
        self.assertNotEqual(margin, xml)
        start, end = xml.index('<P_13_1>'), xml.index('</P_14_1>') + len('</P_14_1>')
        gross = f'{received.gross_amount:.2f}'
        margin = margin.replace(xml[start:end], f'<P_13_11>{gross}</P_13_11>').replace('<P_12>23</P_12>', '')
        one = self.receive(margin.encode(), role='seller', roles='seller', invoice_number='M/1')
        before = self.env['account.move'].search_count([])
        one.action_import_sale()
        self.assertEqual(one.state, 'failed')
        self.assertIn("margin", one.problem)
        self.assertEqual(self.env['account.move'].search_count([]), before)

    def test_foreign_buyer(self):
        """A supply to another EU country: the buyer by its EU number, 0 % as it stands on the invoice; the next one finds him again."""
        xml = self.sell()._get_xml().decode()
        start, end = xml.index('<P_13_1>'), xml.index('</P_15>')
        foreign = xml[:start] + '<P_13_6_2>856.00</P_13_6_2><P_15>856.00' + xml[end:]
        foreign = foreign.replace('<P_12>23</P_12>', '<P_12>0 WDT</P_12>').replace(
            f'<NIP>{BUYER_NIP}</NIP>', '<KodUE>DE</KodUE><NrVatUE>123456788</NrVatUE>').replace(f'Nabywca {BUYER_NIP}', 'Käufer GmbH')
        moves = self.env['account.move']
        for number in ('EU/1', 'EU/2'):
            row = self.receive(foreign.replace('GOO/', f'{number}/').encode(), role='seller', roles='seller', gross_amount=856.0,
                               currency_code='PLN', buyer_identifier_type='VatUe', buyer_identifier='DE123456788')
            row.invoice_number = re.search(r'<P_2>([^<]*)', foreign.replace('GOO/', f'{number}/'))[1]
            row.action_import_sale()
            self.assertEqual((row.state, row.problem), ('imported', False))
            moves += row.move_id
        self.assertEqual(len(moves.partner_id), 1)
        self.assertEqual((moves.partner_id.vat, moves.partner_id.name), ('DE123456788', 'Käufer GmbH'))
        self.assertEqual({tax._ksef_kind()[0].rate.name for tax in moves.invoice_line_ids.tax_ids}, {'ZERO_INTRA_EU'})
        self.assertEqual(moves.mapped('amount_total'), [856.0, 856.0])

    def test_private_buyer(self):
        """A buyer without a number is found by name, and nobody is guessed among two."""
        xml = self.sell()._get_xml().decode().replace(f'<NIP>{BUYER_NIP}</NIP>', '<BrakID>1</BrakID>').replace(
            f'Nabywca {BUYER_NIP}', 'Jan Kowalski')
        first = self.receive(xml.replace('GOO', 'P1').encode(), role='seller', roles='seller', gross_amount=1052.88)
        first.action_import_sale()
        buyer = first.move_id.partner_id
        self.assertEqual((first.state, buyer.name, buyer.is_company), ('imported', 'Jan Kowalski', False))
        self.env['res.partner'].create({'name': 'Jan Kowalski'})
        second = self.receive(xml.replace('GOO', 'P2').encode(), role='seller', roles='seller', gross_amount=1052.88)
        second.action_import_sale()
        self.assertEqual((second.state, second.move_id.ids), ('failed', []))
        self.assertIn('Jan Kowalski', second.problem)

    def test_not_a_purchase(self):
        """S1-14: a sale is never booked as a bill, and a purchase never imported as a sale."""
        received = self.sell()
        with self.assertRaises(UserError):
            received.action_make_bill()
        with self.assertRaises(UserError):
            self.fetch('services').action_import_sale()
