from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_invoice_common import InvoiceCommon


@tagged('post_install', '-at_install')
class TestOdooSendWizard(InvoiceCommon):
    """KSeF in Odoo's own Send wizard, for one invoice and for many. The wizard only picks; workers send."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer.email = 'nabywca@example.com'

    def setUp(self):
        super().setUp()
        # The PDF itself is tested in test_print.py; here no browser engine is needed.
        self.printed = []
        report = self.registry['ir.actions.report']

        def render(report_self, report_ref, res_ids=None, data=None):
            self.printed.append((res_ids, data))
            return {res_id: f"%PDF {res_id}".encode() for res_id in res_ids}, 'pdf'
        self.startPatcher(patch.object(report, '_pre_render_qweb_pdf', render))
        self.startPatcher(patch.object(report, '_get_splitted_report', lambda report_self, ref, content, kind: content))

    def wizard(self, move, **values):
        return self.env['account.move.send.wizard'].with_user(self.accountant).with_context(
            active_model='account.move', active_ids=move.ids).create(values)

    def tick(self, wizard, methods=()):
        checkboxes = wizard.extra_edi_checkboxes
        self.assertIn('ksef', checkboxes)
        wizard.extra_edi_checkboxes = checkboxes | {'ksef': checkboxes['ksef'] | {'checked': True}}
        wizard.sending_method_checkboxes = {
            key: value | {'checked': key in methods} for key, value in wizard.sending_method_checkboxes.items()}
        return wizard

    # ------------------------------------------------------------------ one invoice

    def test_offered_but_not_ticked(self):
        checkbox = self.wizard(self.make_invoice()).extra_edi_checkboxes['ksef']
        self.assertFalse(checkbox['checked'])
        self.assertEqual(checkbox['label'], "KSeF")

    def test_not_offered(self):
        move = self.make_invoice()
        self.assertIn('ksef', self.wizard(move).extra_edi_checkboxes)
        self.queued(move)
        self.assertNotIn('ksef', self.wizard(move).extra_edi_checkboxes or {})
        self.company.sudo().ksef_connection_id = False
        self.env.invalidate_all()
        self.assertNotIn('ksef', self.wizard(self.make_invoice()).extra_edi_checkboxes or {})

    def test_unticked_does_nothing(self):
        move = self.make_invoice()
        self.wizard(move).action_send_and_print()
        self.assertFalse(move.ksef_state)
        self.assertTrue(move.invoice_pdf_report_id, "without KSeF the PDF is kept as ever")

    def test_ticked_picks(self):
        move = self.make_invoice()
        self.tick(self.wizard(move)).action_send_and_print()
        self.assertEqual(move.ksef_state, 'queued')
        self.assertEqual(move.ksef_document_id.user_id, self.accountant)

    def test_print_without_number_is_not_the_legal_document(self):
        move = self.make_invoice()
        self.tick(self.wizard(move)).action_send_and_print()
        self.assertFalse(move.invoice_pdf_report_id)
        kept = self.env['ir.attachment'].search([
            ('res_model', '=', 'account.move'), ('res_id', '=', move.id), ('mimetype', '=', 'application/pdf')])
        self.assertTrue(kept)
        self.assertFalse(any(kept.mapped('res_field')))
        self.assertTrue(move.is_move_sent)

    def test_mail_waits_for_the_number(self):
        """What becomes of it is tested in test_delivery.py."""
        move = self.make_invoice()
        wizard = self.tick(self.wizard(move), ['email'])
        self.assertIn("waits for the KSeF number", wizard.alerts['ksef_waits']['message'])
        self.assertFalse((self.tick(self.wizard(self.make_invoice())).alerts or {}).get('ksef_waits'))
        wizard.action_send_and_print()
        self.assertFalse(self.printed, "a print without the number is of no use to anybody")
        self.assertFalse(move.message_ids.filtered(lambda message: message.message_type == 'comment'))
        self.assertFalse(move.is_move_sent)
        self.assertEqual(move.sudo().ksef_delivery_ids.state, 'waiting')

    def test_after_acceptance_the_print_is_kept(self):
        move = self.accepted()
        self.wizard(move).action_send_and_print()
        self.assertTrue(move.invoice_pdf_report_id)

    def test_refused_invoice(self):
        move = self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        wizard = self.tick(self.wizard(move), ['email'])
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            wizard.action_send_and_print()
        self.assertIn("must be corrected first", str(caught.exception))
        self.assertGreater(len(str(caught.exception).splitlines()), 1)
        self.env.invalidate_all()
        self.assertFalse(move.ksef_state)
        self.assertFalse(move.is_move_sent)

    def test_late_invoice_is_decided_in_the_form(self):
        move = self.make_invoice(date=self.env['account.move']._ksef_today() - timedelta(days=1))
        wizard = self.tick(self.wizard(move))
        self.assertEqual(wizard.alerts['ksef_late']['level'], 'danger')
        with self.assertRaisesRegex(UserError, "offline"):
            wizard.action_send_and_print()
        self.assertFalse(move.ksef_state)

    def test_ticked_by_somebody_without_the_right(self):
        """The checkbox isn't shown to him; the API can name the key all the same."""
        move = self.make_invoice()
        send = self.env['account.move.send'].with_user(self.reader)
        errors = send._ksef_pick(move.with_user(self.reader))
        self.assertIn("KSeF: send", errors[0])
        self.assertFalse(move.ksef_state)

    def test_already_on_its_way_is_left_alone(self):
        move = self.queued()
        self.env['account.move.send'].with_user(self.accountant)._generate_and_send_invoices(
            move.with_user(self.accountant), extra_edis={'ksef'}, sending_methods=set())
        self.assertEqual(len(move.ksef_document_ids), 1)

    # ------------------------------------------------------------------ many

    def batch(self, moves, **values):
        return self.env['account.move.send.batch.wizard'].with_user(self.accountant).with_context(
            active_model='account.move', active_ids=moves.ids).create(values)

    def test_batch_default(self):
        moves = self.make_invoice() + self.make_invoice()
        wizard = self.batch(moves)
        self.assertEqual(wizard.ksef_count, 2)
        self.assertNotIn('ksef', wizard.summary_data)
        wizard.action_send_and_print()
        self.assertFalse(any(moves.mapped('ksef_state')))

    def test_batch_ticked(self):
        moves = self.make_invoice() + self.make_invoice() + self.accepted()
        wizard = self.batch(moves, ksef_pick=True)
        self.assertEqual(wizard.ksef_count, 2)
        self.assertIn('ksef_waits', wizard.alerts)
        wizard.action_send_and_print()
        self.assertEqual(moves.mapped('ksef_state'), ['queued', 'queued', 'accepted'])
        self.assertEqual(moves[:2].ksef_document_id.user_id, self.accountant)
        self.env['account.move.send']._generate_and_send_invoices(moves, from_cron=True)  # what the scheduled action does
        self.assertFalse(moves[0].invoice_pdf_report_id)
        self.assertTrue(moves[2].invoice_pdf_report_id)
