"""Several connections of one company, disconnecting, and what a stale worker may still write."""
import time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.ksef_run import KsefRun
from .common import KsefConnectedCommon


@tagged('post_install', '-at_install')
class TestConnections(KsefConnectedCommon):

    def other_environment(self, environment='demo'):
        """Another connection of the company, as after a change of the environment (S3-12)."""
        return self.env['ksef.connection'].sudo().create({
            'company_id': self.company.id, 'environment': environment, 'nip': self.connection.nip, 'state': 'connected'})

    def test_switch_environment(self):
        """What was sent elsewhere can be sent in the environment in use now; numbers don't mix (S3-12)."""
        first = self.send()
        move = first.move_id
        self.company.ksef_connection_id = self.other_environment()
        self.assertFalse(move.ksef_state)
        self.assertFalse(move.ksef_number)
        self.assertFalse(move.ksef_is_locked)
        self.assertTrue(move.ksef_can_send)
        self.company.ksef_connection_id = self.connection
        self.assertEqual((move.ksef_state, move.ksef_number), ('accepted', first.ksef_number))

    def test_production_binds(self):
        """What production has accepted shows and binds, whichever connection is in use."""
        document = self.send()
        move = document.move_id
        self.env.cr.execute("UPDATE ksef_connection SET environment = 'production' WHERE id = %s", [self.connection.id])
        self.env.cr.execute("UPDATE ksef_document SET environment = 'production' WHERE id = %s", [document.id])
        self.env.invalidate_all()
        self.company.ksef_connection_id = self.other_environment()
        self.assertEqual((move.ksef_state, move.ksef_number, move.ksef_is_locked), ('accepted', document.ksef_number, True))
        with self.assertRaisesRegex(UserError, "only once"):
            move._ksef_pick()

    def test_disconnect_with_waiting_documents(self):
        """Nothing is left behind: what waits must be withdrawn or answered first."""
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        with self.assertRaisesRegex(UserError, "on their way"):
            self.connection.action_disconnect()
        self.assertTrue(move.ksef_can_withdraw)
        document._withdraw()
        self.connection.action_disconnect()
        self.assertEqual(self.connection.state, 'draft')
        self.assertFalse(self.connection.sudo().credential_ids)

    def test_uninstall(self):
        document = self.send()
        module = self.env['ir.module.module'].search([('name', '=', 'l10n_pl_ksef')])
        module._ksef_check_uninstall()
        self.env.cr.execute("UPDATE ksef_document SET environment = 'production' WHERE id = %s", [document.id])
        with self.assertRaisesRegex(UserError, "1 invoices were sent"):
            module.button_uninstall()

    def test_stale_answer(self):
        """A worker that lost its lock concludes from an old answer: the row, settled by another one, stays as it is."""
        document = self.send()
        self.assertEqual(document.state, 'accepted')
        with self.enter_registry_test_mode(), mute_logger('odoo.addons.l10n_pl_ksef.models.ksef_worker'):
            worker = self.env['ksef.worker'].sudo()
            run = KsefRun(self.registry, self.connection.id, time.monotonic() + 10, worker._get_settings())
            for expected, state in (('sending', 'queued'), ('unconfirmed', 'queued'), ('sent', 'help')):
                worker._apply(run, document.id, expected, state)
        self.env.invalidate_all()
        self.assertEqual(document.state, 'accepted')

    def test_replaced_credential(self):
        """A login that was begun with the old token is not written onto the new one."""
        worker = self.env['ksef.worker'].sudo()
        old = self.connection.sudo().credential_ids
        with self.enter_registry_test_mode():
            run = KsefRun(self.registry, self.connection.id, time.monotonic() + 10, worker._get_settings())
            run.credential_id = old.id
        self.connect(verify=False)
        with self.enter_registry_test_mode():
            worker._stop_connection(run, "refused", '450')
        self.env.invalidate_all()
        self.assertEqual(self.connection.state, 'verifying')
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected')

    def test_due_where_the_database_says_nothing(self):
        """Columns that were never written are NULL: a missing UPO is due all the same, and a first failure isn't the eighth."""
        document = self.send()
        self.env.cr.execute(
            "UPDATE ksef_document SET has_upo = NULL, due_at = now() AT TIME ZONE 'UTC' - interval '1 minute' WHERE id = %s",
            [document.id])
        self.env.cr.execute("UPDATE ksef_session SET due_at = NULL")
        worker = self.env['ksef.worker']
        rows = dict(self.env.execute_query(worker._due_query(self.env)))
        self.assertLess(rows[self.connection.id], fields.Datetime.now())
        self.env.cr.execute(
            "UPDATE ksef_document SET has_upo = TRUE, sync_pending = TRUE, sync_failures = NULL WHERE id = %s", [document.id])
        rows = dict(self.env.execute_query(worker._due_query(self.env)))
        self.assertLess((rows[self.connection.id] - document.write_date).total_seconds(), 30)

    def test_turns(self):
        """Of the connections that are due, the one that has waited longest for its turn comes first."""
        other = self.env['res.company'].create({
            'name': "Druga", 'vat': 'PL5265877635', 'country_id': self.env.ref('base.pl').id})
        self.connect(other, '5265877635')
        self.make_invoice()._ksef_pick()
        second = other.sudo().ksef_connection_id
        self.env['ksef.document'].sudo().create({
            'company_id': other.id, 'connection_id': second.id, 'state': 'queued', 'due_at': '2020-01-01 00:00:00'})
        self.env.flush_all()
        for late, early in ((second, self.connection), (self.connection, second)):
            self.env.cr.execute("UPDATE ksef_connection SET served_at = '2026-01-02' WHERE id = %s", [late.id])
            self.env.cr.execute("UPDATE ksef_connection SET served_at = '2026-01-01' WHERE id = %s", [early.id])
            self.make_due()
            rows = self.env.execute_query(self.env['ksef.worker']._due_query(self.env))
            self.assertEqual([row[0] for row in rows], [early.id, late.id])
