"""Duplicates: what KSeF has under the same number is fetched, shown, compared and adopted, or the way out is explained."""
import time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import KsefConnectedCommon

BY_NUMBER = 'GET /invoices/ksef/{ksefNumber}'


@tagged('post_install', '-at_install')
class TestDuplicates(KsefConnectedCommon):

    def rejected(self, change=None):
        """An invoice that another program has sent before, as it was then; ``change`` is what it had otherwise."""
        document = self.send()
        move = document.move_id
        # Another program knows nothing of our documents, and this one nothing of its.
        self.env.cr.execute("UPDATE ksef_document SET state = 'cancelled', ksef_number = NULL WHERE id = %s", [document.id])
        self.env.invalidate_all()
        move._ksef_sync()
        if change:
            move.button_draft()
            change(move)
            move.action_post()
        self.number = self.sandbox.accepted()[0]['ksefNumber']
        self.other = document
        # KSeF has other bytes: an invoice rendered in another second bears another time of its making.
        rendered = fields.Datetime.now()
        while fields.Datetime.now() <= rendered:
            time.sleep(0.1)
        second = self.send(move, rounds=2)
        self.assertEqual((second.state, second.status_code, second.original_ksef_number), ('rejected', 440, self.number))
        return second

    def test_the_same_sale_is_adopted(self):
        document = self.rejected()
        move = document.move_id
        self.assertEqual((document.other_state, document.other_hash), ('same', self.other.xml_hash))
        self.assertEqual(document._get_other_xml(), self.other._get_xml())
        message = move._get_alerts()['ksef_state']['message']
        self.assertIn(self.number, message)
        self.assertIn("adopt it", message)
        preview = self.env['ksef.preview'].browse(move.action_ksef_preview_other()['res_id'])
        self.assertIn(self.number, preview.page)
        self.assertIn(move.name, preview.page)
        move.action_ksef_adopt_other()
        self.assertEqual((move.ksef_state, move.ksef_number), ('accepted', self.number))
        self.assertTrue(move.ksef_is_locked)
        adopted = move.ksef_document_id.sudo()
        self.assertEqual(adopted._get_xml(), self.other._get_xml())
        self.run_workers(2)
        self.assertEqual(len(self.sandbox.accepted()), 1)
        with self.assertRaisesRegex(UserError, "same buyer"):
            document._adopt_other()

    def test_changed_since_then(self):
        """Rejected, the invoice was free again: what it is now counts, not what it was."""
        move = self.rejected().move_id
        move.button_draft()
        with self.assertRaisesRegex(UserError, "same buyer"):
            move.action_ksef_adopt_other()
        move.invoice_line_ids.price_unit = 7
        move.action_post()
        with self.assertRaisesRegex(UserError, "same buyer"):
            move.action_ksef_adopt_other()

    def test_another_sale_is_not(self):
        document = self.rejected(lambda move: move.invoice_line_ids.write({'price_unit': 7}))
        move = document.move_id
        self.assertEqual((document.other_state, document.other_differences), ('different', "amounts"))
        message = move._get_alerts()['ksef_state']['message']
        self.assertIn("amounts", message)
        self.assertIn("another number", message)
        self.assertIn("series of its own", message)
        with self.assertRaisesRegex(UserError, "same buyer"):
            move.action_ksef_adopt_other()
        move.button_draft()
        move.name = 'INV/2026/09999'
        move.action_post()
        self.assertEqual(self.send(move).state, 'accepted')

    def test_number_that_another_invoice_here_has(self):
        document = self.rejected()
        other = self.make_invoice()
        self.env.cr.execute("UPDATE account_move SET ksef_number = %s WHERE id = %s", [self.number, other.id])
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "belongs to"):
            document.move_id.action_ksef_adopt_other()

    def test_fetched_later_when_ksef_does_not_answer(self):
        """A passing fault is asked again, and at last; what KSeF hides stays hidden."""
        self.sandbox.fault(BY_NUMBER, 'http_error', status=503, body='html', times=1)
        document = self.rejected()
        self.assertIn(document.other_state, ('wanted', 'same'))
        self.env.cr.execute("UPDATE ksef_document SET other_due_at = now() AT TIME ZONE 'UTC' WHERE other_due_at IS NOT NULL")
        self.env.invalidate_all()
        self.run_workers()
        self.assertEqual(document.other_state, 'same')

    def test_hidden(self):
        self.sandbox.fault(BY_NUMBER, 'http_error', status=400, body='problem', code=21164, times=-1)
        document = self.rejected()
        self.assertEqual(document.other_state, 'hidden')
        self.assertIn("taxpayer application", document.move_id._get_alerts()['ksef_state']['message'])
        with self.assertRaises(UserError):
            document.move_id.action_ksef_preview_other()

    def test_who_may(self):
        move = self.make_invoice()
        reader = new_test_user(self.env, 'duplicate_reader', groups='base.group_user,account.group_account_readonly',
                               company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            move.with_user(reader).action_ksef_adopt_other()
