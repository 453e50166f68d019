from datetime import timedelta

from dateutil.relativedelta import relativedelta
from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_received_common import KsefReceivingCommon


@tagged('post_install', '-at_install')
class TestMonth(KsefReceivingCommon):
    """The check before a month is closed or its JPK is made (issue 7, point 7; S1-09, S2-05)."""

    def setUp(self):
        super().setUp()
        self.today = self.env['account.move']._ksef_today()
        self.first = self.today.replace(day=1)
        self.last = self.first + relativedelta(months=1, days=-1)
        self.accountant = new_test_user(
            self.env, 'ksef_month', 'base.group_user,account.group_account_user', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])

    def check(self, user=None):
        """The month of today, looked at by the accountant."""
        wizards = self.env['ksef.month.check'].with_user(user or self.accountant).with_company(self.company)
        check = wizards.browse(wizards.action_begin()['res_id'])
        self.assertEqual(check.first_day, self.first - relativedelta(months=1), "one begins with the month before")
        check.action_next()
        self.assertEqual(check.first_day, self.first)
        return check

    def figures(self, check):
        return {line.kind: (line.count, line.amount if line.has_amount else None) for line in check.line_ids}

    def behind(self, check, kind):
        """The records that the line's button shows."""
        [line] = check.line_ids.filtered(lambda line: line.kind == kind)
        action = line.action_open()
        return self.env[action['res_model']].search(action['domain'])

    def pass_the_month(self):
        """It is the first day of the next month, and KSeF was asked that day."""
        later = self.last + timedelta(days=1)
        self.patch(self.registry['account.move'], '_ksef_today', lambda moves: later)
        for fetch in self.env['ksef.fetch'].search([('is_sync', '=', True)]):
            position = fetch._text(fetch._as_moment(later + timedelta(days=1)))
            fetch.sudo().write({'started_from': fetch._text(fetch._as_moment(self.first)), 'position': position})

    def test_what_is_missing(self):
        """Each thing is counted once, with its amount, and its button shows exactly that."""
        accepted = self.make_invoice()
        self.send(accepted, 2)
        self.sandbox.fault('*', 'invoice_status', code=450)
        rejected = self.make_invoice([("Odrzucona", 1, 10.0, self.tax_23)])
        self.assertEqual(self.send(rejected, 2).state, 'rejected')
        missing = self.make_invoice([("Niewysłana", 1, 100.0, self.tax_23)])
        draft = self.make_invoice([("Szkic", 1, 1000.0, self.tax_23)], post=False)
        other_month = self.make_invoice(post=False, date=self.first - timedelta(days=1))
        self.issue(2)
        self.follow()
        self.run_workers(2)
        first, second = self.received(state='stored')
        second.sudo().with_user(self.accountant).action_make_bill()
        self.assertEqual(second.move_id.state, 'draft')
        check = self.check()
        figures = self.figures(check)
        self.assertEqual(figures['draft'], (1, 1230.0))
        self.assertEqual(figures['refused'], (1, 12.3))
        self.assertEqual(figures['unbooked'], (1, first.gross_amount))
        self.assertEqual(figures['draft_bill'], (1, second.gross_amount))
        self.assertEqual(figures['unfetched'], (1, None), "the month is not over")
        self.assertNotIn('waiting', figures)
        self.assertTrue(check.is_trial)
        self.assertEqual(self.behind(check, 'missing'), missing, "what was rejected is counted there")
        self.assertEqual(self.behind(check, 'refused'), rejected)
        self.assertEqual(self.behind(check, 'draft'), draft)
        self.assertEqual(self.behind(check, 'unbooked'), first)
        self.assertFalse(any(other_month in self.behind(check, kind) for kind in ('draft', 'missing')))
        check.action_previous()
        self.assertEqual(self.behind(check, 'draft'), other_month)

    def test_on_its_way(self):
        """An invoice without an answer is on its way; when KSeF has given its number, nothing is missing."""
        document = self.make_invoice()._ksef_pick()
        check = self.check()
        self.assertEqual(self.figures(check)['waiting'][0], 1)
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted')
        check.action_look()
        self.assertNotIn('waiting', self.figures(check))
        self.assertNotIn('marker', self.figures(check), "it has its number")

    def test_close(self):
        """Closed for VAT by an accounting administrator when nothing is missing; the company's log says so."""
        self.send(self.make_invoice(), 2)
        self.follow()
        self.run_workers(1)
        manager = new_test_user(
            self.env, 'ksef_month_manager', 'base.group_user,account.group_account_manager', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        with self.assertRaisesRegex(UserError, "not over"):
            self.check(manager).action_close()
        check = self.check(manager)
        self.pass_the_month()
        check.action_look()
        self.assertFalse(check.line_ids, check.line_ids.mapped('kind'))
        with self.assertRaises(AccessError):
            check.with_user(self.accountant).action_close()
        check.action_close()
        self.assertEqual(self.company.tax_lock_date, self.last)
        check.invalidate_recordset()  # the next call of a client
        self.assertTrue(check.is_closed)
        self.assertIn("nothing was missing", self.company.sudo().message_ids[0].body)
        with self.assertRaisesRegex(UserError, "closed already"):
            check.action_close()

    def test_fetched(self):
        """A month counts as fetched when stretches cover it without a gap: what follows KSeF alone begins when it was switched on."""
        month = self.env['ksef.month']
        self.assertFalse(month._is_fetched(self.company, self.first), "nothing is fetched at all")
        [sync] = self.follow()
        self.pass_the_month()
        self.assertTrue(month._is_fetched(self.company, self.first))
        middle = sync._as_moment(self.first + timedelta(days=14))
        sync.sudo().started_from = sync._text(middle)
        self.assertFalse(month._is_fetched(self.company, self.first))
        earlier = self.env['ksef.fetch']._begin(self.connection, 'buyer', self.first, self.first + timedelta(days=12))
        self.assertFalse(month._is_fetched(self.company, self.first), "asked for, not fetched yet")
        earlier.sudo().write({'position': earlier.until, 'state': 'done'})
        self.assertFalse(month._is_fetched(self.company, self.first), "a day is left between them")
        earlier.sudo().position = sync._text(middle - timedelta(microseconds=1))
        self.assertTrue(month._is_fetched(self.company, self.first))

    def test_close_although_something_is_missing(self):
        """Refused until somebody says so; what was missing is noted. What comes up between is seen: it is counted anew."""
        manager = new_test_user(
            self.env, 'ksef_month_manager', 'base.group_user,account.group_account_manager', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        check = self.check(manager)
        self.make_invoice()
        self.pass_the_month()
        with self.assertRaisesRegex(UserError, "Something is missing"):
            check.action_close()
        self.assertFalse(self.company.tax_lock_date)
        check.action_look()
        check.closes_anyway = True
        check.action_close()
        self.assertEqual(self.company.tax_lock_date, self.last)
        self.assertIn("Not in KSeF: 1", self.company.sudo().message_ids[0].body)

    def test_branches_and_others(self):
        """A branch belongs to its company's month; another company doesn't, and its month is nobody else's."""
        other = self.env['res.company'].create({'name': "Obca", 'country_id': self.env.ref('base.pl').id})
        branch = self.env['res.company'].create({'name': "Oddział", 'parent_id': self.company.id})
        self.env.user.company_ids |= other | branch
        self.accountant.company_ids |= branch
        invoice = self.make_invoice(company=branch, post=False)
        wizards = self.env['ksef.month.check'].with_user(self.accountant).with_context(
            allowed_company_ids=(self.company | branch).ids)
        check = wizards.browse(wizards.action_begin()['res_id'])
        check.action_next()
        self.assertEqual(self.behind(check, 'draft'), invoice)
        with self.assertRaises(AccessError):
            wizards.create({'company_id': other.id, 'first_day': self.first})
        nobody = new_test_user(self.env, 'ksef_month_nobody', 'base.group_user')
        with self.assertRaises(AccessError):
            self.env['ksef.month.check'].with_user(nobody).action_begin()
