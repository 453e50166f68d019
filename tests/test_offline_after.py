"""After issuing offline: corrections wait, rejected invoices are corrected technically; and total failures (S2-14)."""
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import SEND
from .test_offline_common import OfflineCommon


@tagged('post_install', '-at_install')
class TestOfflineAfter(OfflineCommon):

    # ------------------------------------------------------------------ corrections wait

    def credit(self, move):
        refund = move._reverse_moves([{'invoice_date': self.today(), 'ref': "Zwrot"}])
        refund.ksef_correction_reason = "Zwrot towaru"
        refund.action_post()
        return refund

    def test_correction_waits_for_the_number(self):
        """Picked before its original has a number it waits, and goes by itself; offline it cannot be issued."""
        self.get_certificate()
        self.sandbox.fault(SEND, 'http_error', status=503, body='html', times=2)
        original = self.issue().move_id
        self.run_workers()
        refund = self.credit(original)
        with self.assertRaisesRegex(UserError, "has its KSeF number"):
            refund._ksef_issue_offline('offline24')
        wizard = self.env['ksef.send'].create({'move_ids': [(6, 0, refund.ids)]})
        self.assertEqual((wizard.error_count, wizard.ready_count), (0, 1), wizard.findings)
        wizard.action_confirm()
        document = refund.ksef_document_id.sudo()
        self.assertEqual((document.state, document.waits_for_original), ('picked', True), document.findings)
        self.assertIn(original.name, refund._get_alerts()['ksef_state']['message'])
        self.run_workers(5)
        self.assertEqual(original.ksef_state, 'accepted')
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted', (document.findings, document.status_description))
        self.assertIn(original.ksef_number.encode(), document._get_xml())

    def test_correction_stops_waiting(self):
        """What it waits for is withdrawn: nothing will come, so the correction says what is missing instead of waiting for ever."""
        original = self.make_invoice()
        original._ksef_pick()
        document = self.credit(original)._ksef_pick().sudo()
        self.assertEqual((document.state, document.waits_for_original), ('picked', True), document.findings)
        self.assertGreater(document.due_at, fields.Datetime.now(), "looked at again even if nothing wakes it")
        original.action_ksef_withdraw()
        self.assertLessEqual(document.due_at, fields.Datetime.now())
        self.run_workers()
        self.assertEqual((document.state, document.waits_for_original), ('invalid', False))

    def test_a_number_by_hand_ends_the_waiting(self):
        """Another program has sent the original: its number, typed in, lets the correction go."""
        original = self.make_invoice()
        waited_for = original._ksef_pick().sudo()
        document = self.credit(original)._ksef_pick().sudo()
        self.assertTrue(document.waits_for_original)
        self.env.cr.execute("UPDATE ksef_document SET state = 'rejected' WHERE id = %s", [waited_for.id])
        self.env.invalidate_all()
        original._ksef_sync()
        original.ksef_outside_number = '5795955811-20251101-0100001AF629-C2'
        self.assertLessEqual(document.due_at, fields.Datetime.now())

    def test_correction_of_what_was_never_sent_does_not_wait(self):
        refund = self.credit(self.make_invoice())
        self.assertEqual(refund._ksef_pick().sudo().state, 'invalid')

    # ------------------------------------------------------------------ technical correction

    def reject(self, code=450, **values):
        self.get_certificate()
        self.sandbox.fault(SEND, 'invoice_status', code=code, description="Odrzucona", **values)
        document = self.issue()
        self.run_workers(2)
        self.assertEqual(document.state, 'rejected')
        return document

    def test_technical_correction(self):
        """Another text where KSeF refused a sign, the same content; the printed code leads to the corrected invoice."""
        rejected = self.reject()
        move = rejected.move_id
        self.assertTrue(move.ksef_can_correct_technically)
        self.assertFalse(move.ksef_can_go_offline, "it was issued offline already")
        self.assertIn("Technical correction", move._get_alerts()['ksef_offline']['message'])
        self.assertTrue(rejected._is_owed(), "the buyer has the invoice, KSeF does not")
        with self.assertRaisesRegex(UserError, "Technical correction"):
            move._ksef_pick()
        move.button_draft()
        move.invoice_line_ids.name = "Usługa doradcza (bez znaku)"
        move.action_post()
        move.action_ksef_technical_correction()
        document = move.ksef_document_id.sudo()
        self.assertEqual((document.state, document.mode), ('queued', 'offline24'), document.findings)
        self.assertEqual(document.hash_of_corrected, rejected.xml_hash)
        self.assertNotEqual(document.certificate_url, rejected.certificate_url)
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted', document.status_description)
        [accepted] = self.sandbox.accepted()
        self.assertEqual(accepted['hashOfCorrectedInvoice'], rejected.xml_hash)
        self.assertEqual(accepted['invoiceNumber'], move.name)
        self.assertEqual(self.open_link(rejected.verification_url).status_code, 200)
        self.assertEqual(rejected.state, 'rejected')
        self.assertFalse(rejected._is_owed())

    def test_content_must_stay(self):
        rejected = self.reject()
        move = rejected.move_id
        for values, label in ((
                {'invoice_line_ids': [(1, move.invoice_line_ids.id, {'price_unit': 101})]}, "amounts"),
                ({'partner_id': self.buyer.copy({'name': "Inny", 'vat': 'PL7740001454'}).id}, "buyer")):
            with self.subTest(label):
                move.button_draft()
                move.write(values)
                move.action_post()
                with self.assertRaisesRegex(UserError, label), self.env.cr.savepoint():
                    move.action_ksef_technical_correction()
            move.button_draft()
            move.write({'partner_id': self.buyer.id, 'invoice_line_ids': [(1, move.invoice_line_ids.id, {'price_unit': 100})]})
            move.action_post()
        self.assertEqual(move.ksef_document_id, rejected)

    def test_missing_right_sends_the_same_bytes(self):
        """KSeF refused the sender: with the right the printed invoice goes as it is, no correction."""
        rejected = self.reject(410)
        rejected.move_id.action_ksef_technical_correction()
        document = rejected.move_id.ksef_document_id.sudo()
        self.assertEqual((document._get_xml(), document.certificate_url), (rejected._get_xml(), rejected.certificate_url))
        self.assertFalse(document.hash_of_corrected)
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted', document.status_description)
        self.assertFalse(self.sandbox.accepted()[0]['hashOfCorrectedInvoice'])

    def test_second_technical_correction_names_the_printed_one(self):
        rejected = self.reject()
        move = rejected.move_id
        self.sandbox.fault(SEND, 'invoice_status', code=450, description="Odrzucona")
        for text in ("Usługa A", "Usługa B"):
            move.button_draft()
            move.invoice_line_ids.name = text
            move.action_post()
            move.action_ksef_technical_correction()
            self.run_workers(2)
        document = move.ksef_document_id.sudo()
        self.assertEqual((document.state, document.hash_of_corrected), ('accepted', rejected.xml_hash), document.status_description)

    # ------------------------------------------------------------------ never free again

    def test_refused_call_leaves_it_closed(self):
        """What KSeF's answer to the call was: the buyer has the invoice, so the same bytes go later, and nothing else."""
        self.get_certificate()
        self.sandbox.fault(SEND, 'http_error', status=400, body='problem', code=21405)
        document = self.issue()
        move, xml = document.move_id, document._get_xml()
        self.run_workers(2)
        self.assertEqual((document.state, document.findings[0]['code']), ('help', 'program-error'))
        self.assertTrue(document._is_owed() and move.ksef_is_locked)
        self.assertEqual((move.ksef_jpk_marker, move.ksef_can_withdraw), ('OFF', False))
        for act in (move.action_ksef_withdraw, document._withdraw, move.button_draft, move._ksef_pick):
            with self.assertRaises(UserError):
                act()
        self.sandbox.admin('DELETE', '/faults')
        document._check_again()
        self.env.cr.execute("UPDATE ksef_document SET claimed_at = claimed_at - interval '1 hour' WHERE id = %s", [document.id])
        self.run_workers(4)
        self.assertEqual((document.state, document._get_xml()), ('accepted', xml))

    def test_attachment_without_consent_waits(self):
        """Without consent to attachments it waits as it is; others go, and workers rest until consent is asked for again."""
        self.get_certificate()
        move = self.make_invoice(post=False)
        move.ksef_block_ids = [fields.Command.create({'heading': "Zużycie", 'keys': "licznik: 12345"})]
        move.action_post()
        document = self.issue(move)
        self.connection.sudo().write({'attachments': 'refused', 'attachments_at': fields.Datetime.now()})
        other = self.send()
        self.assertEqual((document.state, other.state), ('queued', 'accepted'))
        self.assertGreater(document.due_at, fields.Datetime.now() + timedelta(minutes=10))
        self.assertEqual([item['code'] for item in document.findings if item['severity'] == 'error'], ['attachment-consent'])
        self.assertIn(document.findings[-1]['message'], str([alert['message'] for alert in move._get_alerts().values()]))
        self.assertTrue(document._is_owed() and move.ksef_is_locked)
        with self.assertRaises(UserError):
            document._withdraw()
        self.run_workers()
        self.assertEqual(len([item for item in document.findings if item['severity'] == 'error']), 1)
        self.connection.sudo().attachments = 'allowed'
        self.run_workers()
        self.assertNotEqual(document.state, 'queued')

    # ------------------------------------------------------------------ total failure

    def test_total_failure(self):
        """No codes, no sending, marked; the mark can be taken back."""
        move = self.make_invoice()
        wizard = self.env['ksef.go.offline'].create({'move_ids': [(6, 0, move.ids)], 'mode': 'total_failure'})
        self.assertFalse(wizard.problem, "no certificate is needed")
        with self.assertRaisesRegex(UserError, "Write down"):
            wizard.action_issue()
        wizard.source = "Polskie Radio, 8:00"
        wizard.action_issue()
        self.assertTrue(move.ksef_is_total_failure)
        self.assertIn("Polskie Radio", "".join(move.message_ids.mapped('body')))
        tree = self.printed(move)
        self.assertIsNone(tree.find(".//div[@name='ksef_qr_code']"))
        self.assertIsNotNone(tree.find(".//div[@name='ksef_total_failure']"))
        with self.assertRaisesRegex(UserError, "never sent"):
            move._ksef_pick()
        self.run_workers()
        self.assertFalse(self.sandbox.invoices())
        move.action_ksef_undo_total_failure()
        self.assertEqual(self.send(move).state, 'accepted')
