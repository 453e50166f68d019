"""Production asks once more before the first invoice, on every way to it (S3-03)."""
from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged

from .common import KsefConnectedCommon


@tagged('post_install', '-at_install')
class TestProduction(KsefConnectedCommon):
    """The sandbox plays production: what counts is what the connection says it is."""

    def setUp(self):
        super().setUp()
        self.env.cr.execute("UPDATE ksef_connection SET environment = 'production' WHERE id = %s", [self.connection.id])
        self.env.invalidate_all()
        self.accountant = new_test_user(
            self.env, 'ksef_production', 'base.group_user,account.group_account_invoice', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])

    def wizard(self, moves, user=None, **values):
        return self.env['ksef.send'].with_user(user or self.env.user).create({'move_ids': moves.ids} | values)

    def test_asked_once(self):
        move, second = self.make_invoice(), self.make_invoice()
        wizard = self.wizard(move, self.accountant)
        self.assertIn(self.company.name, wizard.asks_production)
        with self.assertRaisesRegex(UserError, "first invoice"):
            wizard.action_confirm()
        self.assertFalse(move.ksef_document_ids)
        with Form(wizard) as form:
            form.production_confirmed = True
        wizard.action_confirm()
        self.assertEqual(move.ksef_state, 'queued')
        self.assertEqual(self.connection.production_confirmed_by, self.accountant)
        self.assertTrue(self.connection.production_confirmed_at)
        self.assertIn(self.accountant.name, self.connection.message_ids[0].body)
        again = self.wizard(second)
        self.assertFalse(again.asks_production)
        again.action_confirm()
        self.assertEqual(second.ksef_state, 'queued')
        self.assertEqual(self.connection.production_confirmed_by, self.accountant)

    def test_late_invoices_too(self):
        move = self.make_invoice()
        with self.assertRaisesRegex(UserError, "first invoice"):
            self.wizard(move).action_confirm_late()

    def test_every_other_way_is_refused(self):
        """The server decides: API, Odoo's Send wizard for one and for many."""
        move, second = self.make_invoice(), self.make_invoice()
        with self.assertRaisesRegex(UserError, "first invoice"):
            move._ksef_pick()
        send = self.env['account.move.send']
        self.assertRegex(send._ksef_pick(move)[0], "first invoice")
        alerts = send._get_alerts(move, {move: {'extra_edis': {'ksef'}, 'sending_methods': set(), 'invoice_edi_format': False}})
        self.assertEqual(alerts['ksef_production']['level'], 'danger')
        batch = self.env['account.move.send.batch.wizard'].create({'move_ids': (move + second).ids, 'ksef_pick': True})
        with self.assertRaisesRegex(UserError, "first invoice"):
            batch.action_send_and_print()
        self.assertFalse((move + second).ksef_document_ids)

    def test_not_in_other_environments(self):
        self.env.cr.execute("UPDATE ksef_connection SET environment = 'demo' WHERE id = %s", [self.connection.id])
        self.env.invalidate_all()
        move = self.make_invoice()
        wizard = self.wizard(move)
        self.assertFalse(wizard.asks_production)
        wizard.action_confirm()
        self.assertFalse(self.connection.production_confirmed_at)
