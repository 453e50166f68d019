"""What a person does with received invoices: fetching on demand, empty results explained, bills made by themselves."""
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from .common import SELLER_NIP
from .test_received_bill import BillCommon
from .test_received_common import METADATA


@tagged('post_install', '-at_install')
class TestFetchNow(BillCommon):

    def now(self, **values):
        """Press "Fetch now"; return what is being fetched."""
        action = self.env['ksef.fetch.now'].create({'company_ids': [(6, 0, self.company.ids)]} | values).action_fetch()
        return self.env['ksef.fetch'].search(action['domain'])

    def test_fetch_now(self):
        """S1-12: dates, perspective, companies."""
        numbers = self.issue(2)
        with Form(self.env['ksef.fetch.now'].with_company(self.company)) as form:
            self.assertEqual(form.role, 'buyer')
            self.assertEqual(form.calls_left, 1000)
        fetch = self.now()
        self.assertEqual((fetch.role, fetch.user_id, fetch.is_sync), ('buyer', self.env.user, False))
        self.run_workers(2)
        self.assertEqual((fetch.state, fetch.seen_count, fetch.explanation), ('done', 2, False))
        self.assert_complete(numbers)
        self.assertEqual(self.env['ksef.received'].search(fetch.action_open_received()['domain']), self.received())

    def test_empty_results(self):
        """S1-13: an empty result says which check explains it."""
        today = self.env['account.move']._ksef_today()
        self.issue(1)
        seller = self.now(role='seller')
        past = self.now(date_from=today - timedelta(days=20), date_to=today - timedelta(days=10))
        self.run_workers(3)
        self.assertEqual((seller.seen_count, past.seen_count), (0, 0))
        lines = {fetch: fetch.explanation.splitlines() for fetch in (seller, past)}
        self.assertTrue(all(len(rows) == 4 for rows in lines.values()))
        self.assertTrue(lines[seller][0].startswith('✓'))
        self.assertTrue(lines[seller][2].startswith('✗'))
        self.assertTrue(lines[past][2].startswith('✓'))
        self.assertTrue(lines[past][3].startswith('✗'))
        self.assertIn(str(today - timedelta(days=20)), lines[past][3])

    def test_not_logged_in(self):
        """S1-12: the company must be logged in."""
        fetch = self.now()
        self.connection.sudo().state = 'attention'
        self.assertTrue(fetch.explanation.startswith('✗'))
        with self.assertRaises(UserError):
            self.now()

    def test_refused(self):
        today = self.env['account.move']._ksef_today()
        for values in (
            {'date_from': today, 'date_to': today - timedelta(days=1)},
            {'date_from': today + timedelta(days=1), 'date_to': today + timedelta(days=2)},
        ):
            with self.assertRaises(UserError):
                self.now(**values)
        stranger = self.env['res.company'].create({'name': "Obca"})
        user = new_test_user(self.env, 'ksef_now', 'account.group_account_invoice', company_id=self.company.id,
                             company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(UserError):
            self.env['ksef.fetch.now'].with_user(user).sudo().create(
                {'company_ids': [(6, 0, stranger.ids)]}).sudo(False).action_fetch()

    def test_no_call_in_the_request(self):
        self.sandbox.admin('DELETE', '/requests')
        self.now()
        self.assertFalse(self.sandbox.requests(path='/v2'))
        self.assertEqual(self.calls(METADATA), 0)

    def test_views(self):
        """Every view opens, and a list of many rows asks no more than one of a few."""
        self.fetch('goods')
        received = self.received()
        for view in ('list', 'form', 'kanban', 'search'):
            self.env['ksef.received'].get_view(view_type=view)
        fields = ['acquisition_date', 'issue_date', 'invoice_number', 'seller_name', 'gross_amount', 'state', 'move_id']
        domain = [('state', 'in', ('listed', 'stored', 'failed')), ('role', '=', 'buyer')]
        web_read = {name: {} for name in fields}
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env['ksef.received'].web_search_read(domain, web_read, limit=80)
        few = self.env.cr.sql_log_count - before
        for _copy in range(30):
            self.receive(received._get_xml())
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env['ksef.received'].web_search_read(domain, web_read, limit=80)
        self.assertLessEqual(self.env.cr.sql_log_count - before, few)


@tagged('post_install', '-at_install')
class TestAutomaticBills(BillCommon):

    def setUp(self):
        super().setUp()
        self.accountant = new_test_user(
            self.env, 'ksef_accountant', 'account.group_account_invoice', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        self.company.write({'ksef_auto_bill': 'draft', 'ksef_auto_user_id': self.accountant.id})

    def fetch(self, *samples, **options):
        rows = super().fetch(*samples, **options)
        self.run_workers()
        return rows

    def test_drafts(self):
        """A draft, and an activity for the responsible with what is to check."""
        received = self.fetch('services')
        move = received.move_id
        self.assertEqual((received.state, move.state), ('imported', 'draft'))
        self.assertEqual(move.activity_ids.user_id, self.accountant)
        self.assertIn("recognised", move.activity_ids.note)

    def test_off(self):
        self.company.ksef_auto_bill = 'no'
        self.assertEqual(self.fetch('services').state, 'stored')

    def test_rule_of_the_supplier(self):
        nip = self.fetch('services').seller_nip
        supplier = self.env['ksef.bill']._partners_of(self.company, nip)
        supplier.with_company(self.company).ksef_auto_bill = 'no'
        self.assertEqual(self.fetch('services').state, 'stored')
        self.company.ksef_auto_bill = 'no'
        supplier.with_company(self.company).ksef_auto_bill = 'draft'
        self.assertEqual(self.fetch('services').state, 'imported')

    def test_confirmed_when_proven(self):
        """Only after so many bills were confirmed by hand, and with nothing left to check."""
        self.company.write({'ksef_auto_bill': 'post', 'ksef_auto_after': 2})
        product = self.env['product.product'].create({'name': "Doradztwo", 'type': 'service'})
        for number in range(2):
            move = self.fetch('services').move_id
            self.assertEqual(move.state, 'draft', number)
            if not number:
                line = move.invoice_line_ids
                line.write({'product_id': product.id, 'name': line.name, 'price_unit': 180.0, 'tax_ids': [(6, 0, line.tax_ids.ids)]})
            move.action_post()
        third = self.fetch('services').move_id
        self.assertEqual((third.state, third.ksef_auto_posted), ('posted', True), third._ksef_doubts())
        self.assertEqual(third.invoice_line_ids.product_id, product)
        self.assertFalse(third.activity_ids)

    def test_never_confirmed_with_a_doubt(self):
        self.company.write({'ksef_auto_bill': 'post', 'ksef_auto_after': 0})
        received = self.fetch('goods')
        self.assertEqual(received.move_id.state, 'draft')

    def alerts(self, move):
        """What the responsible is told about the bill at once."""
        return "".join(move.activity_ids.filtered(lambda activity: "Alert" in (activity.summary or '')).mapped('note'))

    def by_hand(self, xml, **values):
        """A bill made by a person."""
        self.company.ksef_auto_bill = 'no'
        return self.bill(self.receive(xml, **values))

    def test_alerts_of_supplier_and_bank(self):
        """A new supplier, later another account: told to the responsible, unless the company has switched that off."""
        xml = self.fetch('goods')._get_xml()
        first = self.received().move_id
        self.assertIn("new", first.activity_ids.note)
        first.action_post()
        other = xml.replace(b'GOO', b'TWO').replace(b'61109010140000071219812874', b'27114020040000300201355387')
        move = self.by_hand(other)
        self.assertIn('27114020040000300201355387', self.alerts(move))
        self.assertFalse(move.partner_bank_id)
        self.company.ksef_alert_bank = False
        quiet = self.by_hand(other.replace(b'TWO', b'THREE'))
        self.assertFalse(self.alerts(quiet))
        self.assertFalse(quiet.partner_bank_id)
        self.assertIn('27114020040000300201355387', quiet.ksef_bill_remarks)
        self.assertNotIn('27114020040000300201355387', quiet.ksef_bill_notes or '')

    def test_alert_of_amount(self):
        """S1-16: far from what the supplier charges: held, until the rule is switched off."""
        self.company.write({'ksef_auto_bill': 'post', 'ksef_auto_after': 3})
        for _month in range(3):
            self.fetch('services').move_id.action_post()
        xml = self.received()[0]._get_xml()
        large = xml.replace(b'SER', b'BIG').replace(b'<P_8B>12.5<', b'<P_8B>125<').replace(b'2250.00', b'22500.00').replace(
            b'517.50', b'5175.00').replace(b'2767.50', b'27675.00')
        move = self.by_hand(large)
        self.assertEqual((move.amount_total, move.ksef_bill_problem), (27675.0, False))
        self.assertIn('2767.5', self.alerts(move))
        self.assertIn("far from", "".join(move._ksef_doubts()))
        self.company.ksef_alert_amount = False
        quiet = self.by_hand(large.replace(b'BIG', b'HUGE'))
        self.assertFalse(self.alerts(quiet))
        self.assertNotIn("far from", "".join(quiet._ksef_doubts()))
        self.assertIn("far from", quiet.ksef_bill_remarks)

    def test_alert_of_closed_period(self):
        """A correction of a month that is booked already."""
        received = self.fetch('goods')
        original = received.move_id
        original.action_post()
        self.company.ksef_auto_bill = 'no'
        self.assertNotIn("already booked", self.alerts(self.bill(self.fetch('correction'))))
        last_month = original.date.replace(day=1) - timedelta(days=1)
        self.env.cr.execute("UPDATE account_move SET date = %s WHERE id = %s", [last_month, original.id])
        self.env.invalidate_all()
        told = self.alerts(self.bill(self.fetch('correction')))
        self.assertIn("already booked", told)
        self.assertIn(f'{last_month:%m.%Y}', told)

    def test_alert_of_buyer(self):
        """Another name, another postal code, an unknown branch; the legal form alone makes no difference."""
        self.company.ksef_alert_buyer = True
        xml = self.fetch('goods')._get_xml().decode()
        self.received().move_id.action_post()
        right = xml.replace(f'Nabywca {SELLER_NIP}', 'SPRZEDAWCA Spółka z ograniczoną odpowiedzialnością').replace(
            'ul. Przykładowa 1, 00-001', 'ul. Prosta 1, 00-838')
        self.assertNotEqual(right, xml)
        move = self.by_hand(right.replace('GOO', 'A').encode())
        self.assertFalse(self.alerts(move))
        self.assertIn("postal code", self.alerts(self.by_hand(right.replace('GOO', 'B').replace('00-838', '99-999').encode())))
        self.assertIn("Zupełnie inna", self.alerts(self.by_hand(
            right.replace('GOO', 'C').replace('SPRZEDAWCA Sp', 'Zupełnie inna sp').encode())))
        branch = (f'</Podmiot2><Podmiot3><DaneIdentyfikacyjne><IDWew>{SELLER_NIP}-12345</IDWew><Nazwa>Oddział w Kielcach</Nazwa>'
                  '</DaneIdentyfikacyjne><Rola>2</Rola></Podmiot3>')
        told = self.alerts(self.by_hand(right.replace('GOO', 'D').replace('</Podmiot2>', branch).encode()))
        self.assertIn("Oddział w Kielcach", told)
        self.company.ksef_alert_buyer = False
        quiet = self.by_hand(right.replace('GOO', 'E').replace('</Podmiot2>', branch).encode())
        self.assertIn("Oddział w Kielcach", quiet.ksef_bill_remarks)
        self.assertFalse(self.alerts(quiet))

    def test_responsible_without_rights(self):
        """A responsible who may not see bills stops none from being made."""
        self.company.ksef_auto_user_id = new_test_user(self.env, 'ksef_visitor', 'base.group_user', company_id=self.company.id,
                                                       company_ids=[(6, 0, self.company.ids)])
        received = self.fetch('services')
        self.assertEqual(received.state, 'imported', received.problem)
        self.assertFalse(received.move_id.activity_ids)

    def test_one_failure_stops_nothing(self):
        self.env.ref('base.EUR').active = False
        rows = self.fetch('currency', 'goods')
        self.assertEqual(sorted(rows.mapped('state')), ['failed', 'imported'])
