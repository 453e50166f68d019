from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .test_invoice_common import InvoiceCommon


@tagged('post_install', '-at_install')
class TestSendWizard(InvoiceCommon):
    """The confirmation that stands between a person and what can't be undone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = cls.env['account.move']._ksef_today()
        cls.yesterday = cls.today - timedelta(days=1)

    def wizard(self, moves, user=None):
        """As the list's action and the external API make it: by the selection in the context."""
        return self.env['ksef.send'].with_user(user or self.accountant).with_context(
            active_model='account.move', active_ids=moves.ids).create({})

    # ------------------------------------------------------------------ what it shows

    def test_one_invoice(self):
        move = self.make_invoice([
            ("Usługa", 1, 100, self.tax_23), ("Książka", 2, 50, self.tax_5), ("Roślina", 1, 10, self.tax_8)])
        wizard = self.wizard(move)
        self.assertEqual((wizard.ready_count, wizard.late_count, wizard.error_count), (1, 0, 0))
        self.assertEqual(wizard.environment, 'test')
        content = str(wizard.content)
        for text in (move.name, "Nabywca S.A.", "PL5261040828", "23%", "8%", "5%", "100.00", "23.00", "123.00", "238.80"):
            self.assertIn(text, content.replace('\N{NO-BREAK SPACE}', ' '))
        self.assertFalse(wizard.left_out or wizard.findings)

    def test_totals_per_rate(self):
        moves = self.make_invoice([("Usługa", 1, 100, self.tax_23)]) + self.make_invoice([
            ("Usługa", 1, 200, self.tax_23), ("Książka", 1, 10, self.tax_5)])
        rates = moves._ksef_rate_totals()
        self.assertEqual([rate['rate'] for rate in rates], ['23%', '5%'])
        self.assertIn("300.00", rates[0]['net'])
        self.assertIn("69.00", rates[0]['tax'])
        self.assertIn("369.00", rates[0]['gross'])

    def test_nothing_is_picked_by_looking(self):
        move = self.make_invoice()
        action = move.with_user(self.accountant).action_ksef_send()
        wizard = self.env[action['res_model']].with_user(self.accountant).browse(action['res_id'])
        wizard.web_read({'content': {}, 'findings': {}, 'ready_count': {}})
        self.assertFalse(move.ksef_document_ids)

    def test_form_view(self):
        wizard = self.wizard(self.make_invoice())
        with Form(wizard) as form:
            self.assertEqual(form.ready_count, 1)

    def test_left_out_with_reasons(self):
        good = self.make_invoice()
        taken = self.queued()
        draft = self.make_invoice(post=False)
        bill = self.init_invoice('in_invoice', partner=self.buyer, amounts=[100], taxes=[])
        future = self.make_invoice(date=self.today + timedelta(days=2))
        wizard = self.wizard(good + taken + draft + bill + future)
        self.assertEqual(wizard._get_ready_moves(), good)
        self.assertEqual(len(wizard.left_out.splitlines()), 4)
        wizard.action_confirm()
        self.assertEqual(good.ksef_state, 'queued')
        self.assertFalse((draft + bill + future).ksef_document_ids)
        self.assertEqual(len(taken.ksef_document_ids), 1)

    def test_what_is_left_out_is_what_the_pick_refuses(self):
        """The query of the wizard and the check before the pick must not drift apart."""
        moves = {
            'ready': self.make_invoice(), 'rejected': self.rejected(), 'accepted': self.accepted(), 'queued': self.queued(),
            'draft': self.make_invoice(post=False), 'entry': self.env['account.move'].create({'move_type': 'entry'}),
            'bill': self.init_invoice('in_invoice', partner=self.buyer, amounts=[100], taxes=[]),
            'receipt': self.init_invoice('out_receipt', partner=self.buyer, amounts=[100], taxes=[]),
        }
        for name, move in moves.items():
            with self.subTest(name):
                ready = bool(self.wizard(move)._get_ready_moves())
                try:
                    move.sudo()._ksef_check_pickable()
                except UserError:
                    self.assertFalse(ready)
                else:
                    self.assertTrue(ready)

    def test_findings(self):
        self.buyer.vat = False
        wizard = self.wizard(self.make_invoice())
        self.assertEqual(wizard.error_count, 1)
        alert = next(iter(wizard.findings.values()))
        self.assertEqual(alert['level'], 'danger')
        self.assertEqual(alert['action']['res_model'], 'res.partner')
        self.assertEqual(alert['action']['res_id'], self.buyer.id)

    def test_findings_name_the_invoice_among_several(self):
        bad = self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        wizard = self.wizard(self.make_invoice() + bad)
        self.assertTrue(next(iter(wizard.findings.values()))['message'].startswith(bad.name))

    # ------------------------------------------------------------------ what it does

    def test_confirm(self):
        move = self.make_invoice()
        action = self.wizard(move).action_confirm()
        self.assertEqual(action['type'], 'ir.actions.act_window_close')
        self.assertEqual(move.ksef_state, 'queued')
        self.assertEqual(move.ksef_document_id.user_id, self.accountant)

    def test_confirm_twice(self):
        """A click too many, and two people at once: one document."""
        move = self.make_invoice()
        first, second = self.wizard(move), self.wizard(move)
        first.action_confirm()
        for wizard in (first, second):
            with self.assertRaisesRegex(UserError, "only once"):
                wizard.action_confirm()
        self.assertEqual(len(move.ksef_document_ids), 1)

    def test_confirm_several(self):
        good, bad = self.make_invoice(), self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        action = self.wizard(good + bad).action_confirm()
        self.assertEqual(good.ksef_state, 'queued')
        self.assertEqual(bad.ksef_state, 'invalid')
        self.assertFalse(bad.ksef_is_locked)
        self.assertEqual(action['params']['type'], 'warning')
        self.assertIn("1 must be corrected", action['params']['message'])

    def test_many_are_not_rendered(self):
        """Above the limit one query counts and adds up, and a worker renders."""
        self.patch(self.registry['account.move'], '_ksef_pick_limit', lambda self: 2)
        rendered = []
        original = self.registry['account.move']._ksef_render_batch
        self.patch(self.registry['account.move'], '_ksef_render_batch', lambda s, *a: rendered.append(s) or original(s, *a))
        moves = self.make_invoice() + self.make_invoice() + self.make_invoice()
        wizard = self.wizard(moves)
        self.assertIn("738.00", str(wizard.content))
        self.assertNotIn(moves[0].name, str(wizard.content))
        wizard.action_confirm()
        self.assertEqual(set(moves.mapped('ksef_state')), {'picked'})
        self.assertFalse(any(moves.mapped('ksef_is_locked')))
        self.assertFalse(rendered)

    def test_the_sum_counts_credit_notes_down(self):
        self.patch(self.registry['account.move'], '_ksef_pick_limit', lambda self: 1)
        move = self.make_invoice([("Usługa", 1, 1000, self.tax_23)])
        refund = self.make_invoice([("Zwrot", 1, 100, self.tax_23)], move_type='out_refund')
        content = str(self.wizard(move + refund).content)
        self.assertIn("1,107.00", content)

    # ------------------------------------------------------------------ invoices of an earlier day

    def test_late_needs_a_decision(self):
        move = self.make_invoice(date=self.yesterday)
        wizard = self.wizard(move)
        self.assertEqual(wizard.late_count, 1)
        self.assertFalse(wizard.findings, "the date has its own place on the screen")
        with self.assertRaisesRegex(UserError, "offline"):
            wizard.action_confirm()
        self.assertFalse(move.ksef_document_ids)

    def test_late_confirmed(self):
        move = self.make_invoice(date=self.yesterday)
        self.wizard(move).action_confirm_late()
        self.assertEqual(move.ksef_state, 'queued')
        self.assertTrue(move.ksef_document_id.late_confirmed)
        self.assertEqual(move.ksef_document_id.issue_date, self.yesterday)

    def test_late_left_out(self):
        late, good = self.make_invoice(date=self.yesterday), self.make_invoice()
        wizard = self.wizard(late + good)
        action = wizard.action_leave_out_late()
        self.assertEqual((action['res_model'], action['res_id']), ('ksef.send', wizard.id))
        self.assertEqual(wizard.late_count, 0)
        wizard.action_confirm()
        self.assertFalse(late.ksef_state)
        self.assertEqual(good.ksef_state, 'queued')

    def test_set_today(self):
        move = self.make_invoice(date=self.yesterday)
        name, date = move.name, move.date
        wizard = self.wizard(move)
        wizard.action_set_today()
        self.assertEqual(move.invoice_date, self.today)
        self.assertEqual((move.name, move.state), (name, 'posted'))
        self.assertEqual(move.taxable_supply_date, self.yesterday, "the day of supply is not the day of issue")
        self.assertEqual(move.date, date)
        wizard.action_confirm()
        self.assertEqual(move.ksef_document_id.issue_date, self.today)
        self.assertFalse(move.ksef_document_id.late_confirmed)
        self.assertIn(f"<P_6>{self.yesterday}</P_6>".encode(), move.ksef_document_id._get_xml())

    def test_set_today_keeps_a_given_date_of_supply(self):
        earlier = self.yesterday - timedelta(days=3)
        for field in ('taxable_supply_date', 'delivery_date'):
            move = self.make_invoice(date=self.yesterday, **{field: earlier})
            move.with_user(self.accountant)._ksef_set_today()
            with self.subTest(field=field):
                self.assertEqual(move[field], earlier)
                self.assertFalse(field == 'delivery_date' and move.taxable_supply_date)

    def test_set_today_of_a_closed_invoice(self):
        move = self.queued(self.make_invoice(date=self.yesterday), late_confirmed=True)
        with self.assertRaisesRegex(UserError, "Withdraw"):
            move.with_user(self.accountant).action_ksef_set_today()

    def test_set_today_within_lock_dates(self):
        """Odoo's own locks stay in force: what they forbid is said, and nothing is changed."""
        move = self.make_invoice(date=self.yesterday)
        self.company.hard_lock_date = self.yesterday
        with self.assertRaises(UserError):
            self.wizard(move).action_set_today()

    def test_set_today_that_would_renumber(self):
        """Numbers that count per month: another month is another number."""
        old = (self.today.replace(day=1) - timedelta(days=1))
        move = self.make_invoice(date=old, post=False)
        move.name = f'FV/{old:%Y/%m}/0001'
        move.action_post()
        move.button_draft()
        move.write({'taxable_supply_date': False, 'delivery_date': old})
        move.action_post()
        with self.assertRaises(UserError):
            move.with_user(self.accountant)._ksef_set_today()

    def test_held_because_the_day_passed(self):
        """What was picked yesterday and could not leave in time: both ways are open from the form."""
        move = self.queued()
        document = move.ksef_document_id.sudo()
        document._transition('invalid', findings=[document._late_finding()])
        document._sync_moves()
        self.assertTrue(move.with_user(self.accountant).ksef_can_set_today)
        self.assertIn("Set today's date", " ".join(alert['message'] for alert in move.alerts.values()))
        self.assertEqual(move.with_user(self.accountant).action_ksef_set_today()['res_model'], 'ksef.send')
        self.env['ksef.send'].with_user(self.accountant).create({'move_ids': [Command.set(move.ids)]}).action_confirm()
        self.assertEqual(move.ksef_state, 'queued')

    # ------------------------------------------------------------------ rights

    def test_without_the_right(self):
        move = self.make_invoice()
        for user in (self.reader, self.outsider()):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.wizard(move, user)
        wizard = self.wizard(move)
        with self.assertRaises(AccessError):
            wizard.with_user(self.reader).action_confirm()

    def test_another_company(self):
        other = self.setup_other_company()['company']
        foreign = self.new_user('ksef_foreign', 'account.group_account_invoice', other)
        move = self.make_invoice()
        with self.assertRaises(AccessError):
            self.wizard(move, foreign)
        mine = self.wizard(move)
        with self.assertRaises(UserError):
            mine.with_user(foreign).action_confirm()
        with self.assertRaises(AccessError):
            self.env['ksef.send'].with_user(foreign).create({}).write({'move_ids': [Command.link(move.id)]})
        self.assertFalse(move.ksef_document_ids)

    def test_not_connected(self):
        self.company.sudo().ksef_connection_id = False
        wizard = self.wizard(self.make_invoice())
        self.assertEqual(wizard.ready_count, 0)
        self.assertIn("not connected", wizard.left_out)
        with self.assertRaisesRegex(UserError, "not connected"):
            wizard.action_confirm()
