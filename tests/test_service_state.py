"""What the Ministry's availability service says, and until when to wait, on every screen where nothing moves (S0-19, S2-13, S2-14)."""
from datetime import UTC, datetime, timedelta

from odoo import fields
from odoo.tests import new_test_user, tagged

from .common import OPEN, SEND, KsefConnectedCommon

STATUS_PATH = '/latarnia/status'


@tagged('post_install', '-at_install')
class TestServiceState(KsefConnectedCommon):

    def setUp(self):
        super().setUp()
        self.addCleanup(self.sandbox.admin, 'DELETE', '/latarnia')
        self.env.user.tz = 'Europe/Warsaw'

    def announce(self, category, start=None, end=None, **values):
        def text(hours):
            return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
        values |= {name: text(hours) for name, hours in (('start', start), ('end', end)) if hours is not None}
        return self.sandbox.admin('POST', '/latarnia', category=category, **values)

    def ask_again(self):
        self.env.cr.execute("UPDATE ksef_service_state SET due_at = now() AT TIME ZONE 'UTC' - interval '1 second'")
        self.env.invalidate_all()
        self.run_workers()

    def asked(self):
        return len(self.sandbox.requests(path=STATUS_PATH))

    def shown(self, moment_hours):
        moment = fields.Datetime.now() + timedelta(hours=moment_hours)
        return self.env['ksef.service.state']._show_moment(moment)

    # ------------------------------------------------------------------ how often

    def test_few_calls(self):
        """A database where nothing happens asks four times a day; one that is not connected never."""
        self.assertEqual(self.asked(), 1, "asked when the company was connected")
        self.run_workers(5)
        self.assertEqual(self.asked(), 1)
        state = self.env['ksef.service.state'].search([('latarnia_url', 'like', '127.0.0.1')])
        self.assertEqual(state.status, 'AVAILABLE')
        self.assertGreater(state.due_at, fields.Datetime.now() + timedelta(hours=5))
        self.connection.action_disconnect()
        self.ask_again()
        self.assertEqual(self.asked(), 1)

    def test_more_often_in_trouble(self):
        self.announce('FAILURE')
        self.ask_again()
        state = self.env['ksef.service.state'].search([('latarnia_url', 'like', '127.0.0.1')])
        self.assertLess(state.due_at, fields.Datetime.now() + timedelta(minutes=11))

    def test_asked_at_once_when_ksef_is_in_trouble(self):
        self.env.cr.execute("UPDATE ksef_service_state SET checked_at = checked_at - interval '1 hour'")
        self.announce('FAILURE')
        self.sandbox.fault(OPEN, 'drop_before', times=-1)
        self.make_invoice()._ksef_pick()
        self.run_workers()
        self.assertEqual(self.asked(), 2)
        self.assertEqual(self.connection.service_level, 'danger')

    def test_no_answer(self):
        """What was heard stays for a day, then nothing is claimed; invoices are sent as ever."""
        self.announce('FAILURE')
        self.ask_again()
        self.assertTrue(self.connection.service_message)
        self.env.cr.execute("UPDATE ksef_service_state SET latarnia_url = 'http://127.0.0.1:9/latarnia'")
        self.env.cr.execute("UPDATE ksef_connection SET local_url = 'http://127.0.0.1:9/v2' WHERE id = %s", [self.connection.id])
        self.ask_again()
        self.assertEqual(self.env['ksef.service.state'].search([('latarnia_url', '=', 'http://127.0.0.1:9/latarnia')]).failures, 1)
        self.assertTrue(self.connection.service_message)
        self.env.cr.execute("UPDATE ksef_service_state SET checked_at = checked_at - interval '25 hours'")
        self.env.invalidate_all()
        self.assertFalse(self.connection.service_message)

    def lose_races(self):
        """Have the database answer as it does when another worker wrote the row after this transaction began."""
        self.env.cr.execute("""
            CREATE FUNCTION ksef_lose_race() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure'; END $$;
            CREATE TRIGGER ksef_lose_race BEFORE UPDATE ON ksef_service_state FOR EACH ROW EXECUTE FUNCTION ksef_lose_race()""")

    def test_another_worker_claims(self):
        """Who loses the race for the question asks nothing, and its run ends well."""
        self.env.cr.execute("UPDATE ksef_service_state SET due_at = now() AT TIME ZONE 'UTC' - interval '1 second'")
        self.lose_races()
        self.run_workers()
        self.assertEqual(self.asked(), 1, "only when the company was connected")
        self.env.cr.execute("DROP TRIGGER ksef_lose_race ON ksef_service_state")
        self.run_workers()
        self.assertEqual(self.asked(), 2)

    def test_no_time_left(self):
        """A run whose slice is over asks nobody, and claims nothing: the next one does."""
        self.env['ir.config_parameter'].sudo().set_param('l10n_pl_ksef.slice_seconds', '0')
        self.ask_again()
        self.assertEqual(self.asked(), 1, "only when the company was connected")
        self.env['ir.config_parameter'].sudo().set_param('l10n_pl_ksef.slice_seconds', '20')
        self.run_workers()
        self.assertEqual(self.asked(), 2)

    # ------------------------------------------------------------------ what is shown

    def test_all_is_well(self):
        self.assertFalse(self.connection.service_message)
        self.assertFalse(self.connection.service_level)

    def test_states(self):
        for category, words in (
            ('FAILURE', "failure of KSeF"), ('TOTAL_FAILURE', "total failure"), ('MAINTENANCE', "planned maintenance")):
            with self.subTest(category=category):
                self.announce(category, start=-2, end=3, title="Trwają prace <b>")
                self.ask_again()
                message = self.connection.service_message
                self.assertEqual(self.connection.service_level, 'danger')
                self.assertIn(words, message)
                self.assertIn("Trwają prace <b>", message)
                self.assertIn(f"from {self.shown(-2)[:2]}", message)
                self.sandbox.admin('DELETE', '/latarnia')
                self.ask_again()
                self.assertFalse(self.connection.service_message)

    def test_since(self):
        self.announce('FAILURE', start=-30)
        self.ask_again()
        self.assertRegex(self.connection.service_message, r"since \d+/\d+/\d+")

    def test_ended(self):
        event = self.announce('FAILURE', start=-5)
        self.ask_again()
        self.assertTrue(self.connection.service_message)
        self.announce('FAILURE', end=-1, eventId=event['eventId'])
        self.ask_again()
        self.assertFalse(self.connection.service_message)

    def test_planned_break(self):
        self.announce('MAINTENANCE', start=24 * 9, end=24 * 9 + 2)
        self.ask_again()
        self.assertFalse(self.connection.service_message, "too far away")
        self.announce('MAINTENANCE', start=26, end=28)
        self.ask_again()
        self.assertEqual(self.connection.service_level, 'info')
        self.assertIn(self.shown(26).split(',')[0], self.connection.service_message)

    def test_on_the_send_wizard_and_the_invoice(self):
        self.announce('FAILURE')
        self.ask_again()
        move = self.make_invoice()
        wizard = self.env['ksef.send'].create({'move_ids': move.ids})
        self.assertEqual(wizard.service_level, 'danger')
        self.assertIn("failure of KSeF", wizard.service_message)
        self.assertEqual(wizard.ready_count, 1, "it can be picked all the same")
        move._ksef_pick()
        self.assertIn("failure of KSeF", str(move.alerts))

    def test_readers_may_see_it(self):
        user = new_test_user(
            self.env, 'ksef_service', 'base.group_user,account.group_account_readonly', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        self.announce('FAILURE')
        self.ask_again()
        self.assertTrue(self.connection.with_user(user).sudo(False).service_message)

    # ------------------------------------------------------------------ wait until

    def test_wait_until(self):
        """429: the time when it goes on, in the user's own zone, on invoice and connection (S2-13)."""
        move = self.make_invoice()
        move._ksef_pick()
        self.sandbox.fault(SEND, 'http_error', status=429, body='problem', retryAfter=1800)
        self.run_workers()
        until = self.connection.send_paused_until
        self.assertGreater(until, fields.Datetime.now() + timedelta(minutes=29))
        self.env.user.tz = 'Asia/Tokyo'
        self.env.invalidate_all()
        tokyo = fields.Datetime.context_timestamp(move.with_context(tz='Asia/Tokyo'), until)
        # Of another day, the language's own way of writing days and hours counts.
        shown = f"{tokyo:%H:%M}|{int(f'{tokyo:%I}')}:{tokyo:%M}"
        self.assertRegex(self.connection.wait_message, shown)
        self.assertIn("limit of calls", str(move.alerts))
        self.assertRegex(str(move.alerts), shown)
        self.env.user.tz = 'Europe/Warsaw'
        self.env.invalidate_all()
        warsaw = fields.Datetime.context_timestamp(move.with_context(tz='Europe/Warsaw'), until)
        self.assertRegex(self.connection.wait_message, f"{warsaw:%H:%M}|{int(f'{warsaw:%I}')}:{warsaw:%M}")
        self.make_due()
        self.assertFalse(self.connection.wait_message)
        self.assertNotIn("limit of calls", str(move.alerts))
