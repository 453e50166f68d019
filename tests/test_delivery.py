import smtplib
from datetime import timedelta
from unittest.mock import patch

import psycopg2.errors
from lxml import html
from odoo import fields
from odoo.addons.mail.tests.common import MockEmail
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from .common import KsefConnectedCommon

WORKER = 'odoo.addons.l10n_pl_ksef.models.ksef_worker_delivery'


@tagged('post_install', '-at_install')
class TestDelivery(KsefConnectedCommon, MockEmail, HttpCase):
    """What was chosen in the window Send waits for the KSeF number, and goes out once: with the print that bears it (S1-17, S2-06)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer.write({'email': 'nabywca@example.com'})
        cls.accountant, cls.reader = (
            new_test_user(
                cls.env, login, groups=f'base.group_user,{group}', company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)],
                email=f'{login}@example.com', password=login)
            for login, group in (('ksef_accountant', 'account.group_account_invoice'), ('ksef_reader', 'account.group_account_readonly')))

    def setUp(self):
        super().setUp()
        self.printed = []
        report = self.registry['ir.actions.report']

        def render(report_self, report_ref, res_ids=None, data=None):
            moves = self.env['account.move'].browse(res_ids)
            self.printed.append((res_ids, report_self.env['account.move'].browse(res_ids).mapped('ksef_number')))
            return {move.id: f"%PDF {move.ksef_number}".encode() for move in report_self.env['account.move'].browse(moves.ids)}, 'pdf'
        self.startPatcher(patch.object(report, '_pre_render_qweb_pdf', render))
        self.startPatcher(patch.object(report, '_get_splitted_report', lambda report_self, ref, content, kind: content))

    def wizard(self, move, methods=('email',), ksef=True, **values):
        """The window Send, with e-mail and KSeF ticked."""
        wizard = self.env['account.move.send.wizard'].with_user(self.accountant).with_context(
            active_model='account.move', active_ids=move.ids).create(values)
        boxes = wizard.extra_edi_checkboxes or {}
        if 'ksef' in boxes:
            wizard.extra_edi_checkboxes = boxes | {'ksef': boxes['ksef'] | {'checked': ksef}}
        wizard.sending_method_checkboxes = {
            key: value | {'checked': key in methods} for key, value in wizard.sending_method_checkboxes.items()}
        return wizard

    def choose(self, move=None, **values):
        """Choose KSeF and an e-mail for an invoice; return its delivery, which waits."""
        move = move or self.make_invoice()
        self.wizard(move, **values).action_send_and_print()
        return move.sudo().ksef_delivery_ids

    def work(self, rounds=2):
        """Let time pass and the workers run; every e-mail that goes out is in ``self._mails``."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE ksef_delivery SET due_at = now() AT TIME ZONE 'UTC' - interval '1 minute' WHERE due_at IS NOT NULL")
        self.env.invalidate_all()
        self.run_workers(rounds)

    def messages(self, move):
        return move.message_ids.filtered(lambda message: message.message_type == 'comment')

    # ------------------------------------------------------------------ the way it goes

    def test_waits_and_goes_with_the_number(self):
        with self.mock_mail_gateway():
            wizard = self.wizard(self.make_invoice())
            self.assertIn("waits for the KSeF number", wizard.alerts['ksef_waits']['message'])
            move = wizard.move_id
            wizard.mail_partner_ids |= self.reader.partner_id
            wizard.subject = "Faktura dla Państwa"
            wizard.action_send_and_print()
            delivery = move.sudo().ksef_delivery_ids
            self.assertEqual((delivery.state, delivery.user_id), ('waiting', self.accountant))
            self.assertFalse(self._mails or self.messages(move) or self.printed or move.is_move_sent)
            self.work()
            self.assertEqual(move.ksef_state, 'accepted')
            self.assertEqual(delivery.state, 'sent', delivery.message)
            message = self.messages(move)
            self.assertEqual(message.subject, "Faktura dla Państwa")
            self.assertEqual(message.partner_ids, self.buyer | self.reader.partner_id)
            self.assertEqual(message.attachment_ids.mapped('raw'), [f"%PDF {move.ksef_number}".encode()])
            self.assertEqual(move.invoice_pdf_report_id.raw, f"%PDF {move.ksef_number}".encode(), "kept as the legal document")
            self.assertTrue(move.is_move_sent)
            sent = list(self._mails)
            self.assertEqual({address for mail in sent for address in mail['email_to']},
                             {'"Nabywca S.A." <nabywca@example.com>', self.reader.partner_id.email_formatted})
            self.work()
            self.assertEqual(self._mails, sent, "at most once")

    def test_nothing_for_unticked(self):
        """S0-18: without KSeF the message goes at once, as before."""
        move = self.make_invoice()
        with self.mock_mail_gateway():
            self.wizard(move, ksef=False).action_send_and_print()
        self.assertFalse(move.sudo().ksef_delivery_ids)
        self.assertTrue(self.messages(move) and move.is_move_sent and move.invoice_pdf_report_id)

    def test_after_acceptance_it_goes_at_once(self):
        move = self.send(rounds=2).move_id
        with self.mock_mail_gateway():
            self.wizard(move).action_send_and_print()
        self.assertFalse(move.sudo().ksef_delivery_ids)
        self.assertEqual(self.messages(move).attachment_ids.mapped('raw'), [f"%PDF {move.ksef_number}".encode()])

    def test_batch_wizard(self):
        moves = self.make_invoice() + self.make_invoice()
        self.env['account.move.send.batch.wizard'].with_user(self.accountant).with_context(
            active_model='account.move', active_ids=moves.ids).create({'ksef_pick': True}).action_send_and_print()
        with self.mock_mail_gateway():
            self.env['account.move.send']._generate_and_send_invoices(moves, from_cron=True)
            self.assertEqual(moves.sudo().ksef_delivery_ids.mapped('state'), ['waiting', 'waiting'])
            with patch.object(self.registry['ksef.worker'], '_deliver', lambda *args: None):
                self.work()
            with patch('odoo.addons.l10n_pl_ksef.models.ksef_worker.TURN_SECONDS', 0):
                self.work()  # sending leaves no time: one in each turn all the same
        self.assertEqual(set(moves.sudo().ksef_delivery_ids.mapped('state')), {'sent'})
        self.assertTrue(all(move.ksef_number and len(self.messages(move)) == 1 for move in moves))

    def test_automatic_mode_waits_too(self):
        """What is confirmed and mailed in one transaction, as web shops do, waits for the number."""
        self.company.sudo().write({'ksef_mode': 'automatic', 'ksef_auto_from': self.env['account.move']._ksef_today()})
        move = self.make_invoice(post=False)
        move.action_post()
        with self.mock_mail_gateway():
            self.env['account.move.send']._generate_and_send_invoices(move, sending_methods={'email'})
            self.assertFalse(self._mails)
            self.work()
        self.assertEqual(move.sudo().ksef_delivery_ids.state, 'sent')

    def test_kept_while_the_number_arrives(self):
        """The transaction that shows the number may not see a row that is kept at the same time: a worker finds it."""
        with self.mock_mail_gateway():
            delivery = self.choose()
            with patch.object(self.registry['ksef.delivery'], '_follow'), patch.object(self.registry['ksef.worker'], '_deliver'):
                self.work(3)
            self.assertEqual((delivery.move_id.ksef_state, delivery.state), ('accepted', 'waiting'))
            for table in ('ksef_document', 'ksef_session', 'ksef_connection'):
                self.env.cr.execute(f"UPDATE {table} SET due_at = NULL")
            self.run_workers()
        self.assertEqual(delivery.state, 'sent', delivery.message)

    def test_kept_after_the_answer(self):
        """KSeF's answer was written, but not shown on the invoice yet, when the e-mail was chosen."""
        document = self.make_invoice()._ksef_pick().sudo()
        with patch.object(self.registry['ksef.document'], '_sync_moves', lambda *args: None):
            self.run_workers(2)
        delivery = self.choose(document.move_id)
        self.assertEqual((document.state, delivery.state), ('accepted', 'ready'))

    # ------------------------------------------------------------------ what the customer gets

    def test_enclosures_by_customer(self):
        self.buyer.write({'ksef_mail_xml': True, 'ksef_mail_upo': True})
        with self.mock_mail_gateway():
            delivery = self.choose()
            self.work(3)
        move = delivery.move_id
        document = move.ksef_document_id
        self.assertEqual(delivery.state, 'sent', delivery.message)
        self.assertTrue(document.has_upo)
        attached = {attachment.name: attachment.raw for attachment in self.messages(move).attachment_ids}
        self.assertEqual(len(attached), 3)
        self.assertEqual(attached[document.xml_name], document._get_xml())
        self.assertEqual(attached[document.upo_name], document._get_upo())
        shown = self.env['account.move.send']._get_placeholder_mail_attachments_data(move)
        self.assertLessEqual({document.xml_name, document.upo_name}, {entry['name'] for entry in shown})

    def test_waits_for_the_upo(self):
        self.buyer.ksef_mail_upo = True
        self.sandbox.fault('GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo', 'http_error', status=500, times=1)
        with self.mock_mail_gateway():
            delivery = self.choose()
            self.work(1)
            self.assertEqual((delivery.move_id.ksef_state, delivery.state), ('accepted', 'ready'))
            self.assertFalse(self._mails)
            self.work(2)
        self.assertEqual(delivery.state, 'sent', delivery.message)

    def test_upo_that_never_comes(self):
        """The message goes without it after a day, and a person is told; waiting costs no attempt at the mail server."""
        self.buyer.ksef_mail_upo = True
        self.sandbox.fault('GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo', 'http_error', status=500, times=50)
        with self.mock_mail_gateway():
            delivery = self.choose()
            self.work(2)
            self.assertEqual((delivery.state, delivery.attempts, self._mails), ('ready', 0, []))
            delivery.upo_since = fields.Datetime.now() - timedelta(hours=25)
            self.work(1)
        self.assertEqual((delivery.state, delivery.move_id.activity_ids.user_id), ('sent', self.accountant))
        self.assertIn("without the UPO", delivery.message)

    def test_text_about_other_facts_is_written_anew(self):
        """A rejected invoice that was corrected: the message does not speak of the old amount."""
        with self.mock_mail_gateway():
            self.sandbox.fault('POST /sessions/online/{referenceNumber}/invoices', 'invoice_status', code=450)
            delivery = self.choose(subject="Na kwotę 246 zł")
            move = delivery.move_id
            self.work()
            self.assertEqual((move.ksef_state, delivery.state), ('rejected', 'waiting'))
            self.assertIn("rejected", delivery.message)
            move.button_draft()
            move.invoice_line_ids.price_unit = 300
            move.action_post()
            move._ksef_pick()
            self.work()
        self.assertEqual(delivery.state, 'sent', delivery.message)
        self.assertNotIn("246", self.messages(move).subject)

    def test_portal_shows_the_number(self):
        move = self.send(rounds=2).move_id
        page = self.url_open(f'/my/invoices/{move.id}?access_token={move._portal_ensure_token()}')
        tree = html.fromstring(page.content)
        self.assertIn(move.ksef_number, tree.find(".//div[@name='ksef_number']").text_content())

    # ------------------------------------------------------------------ what goes wrong

    def test_withdrawn_and_cancelled(self):
        delivery = self.choose()
        delivery.move_id.action_ksef_withdraw()
        self.assertEqual(delivery.state, 'cancelled')
        self.assertEqual(self.choose(delivery.move_id), delivery, "one row for an invoice and a channel")
        self.assertEqual(delivery.state, 'waiting')
        with self.assertRaises(AccessError):
            delivery.with_user(self.reader).action_cancel()
        with self.assertRaisesRegex(UserError, "no KSeF number yet"):
            delivery.with_user(self.accountant).action_resend()
        delivery.with_user(self.accountant).action_cancel()
        with self.mock_mail_gateway():
            self.work()
            self.assertFalse(self._mails)
        self.assertEqual((delivery.move_id.ksef_state, delivery.state), ('accepted', 'cancelled'))

    def test_mail_server_away(self):
        """It was never reached: tried again later, and given to a person after some attempts; nothing is doubtful."""
        with self.mock_mail_gateway(), patch.object(
                self.registry['ir.mail_server'], '_connect__', side_effect=ConnectionRefusedError("refused")):
            delivery = self.choose()
            self.work()
            self.assertEqual(delivery.state, 'ready')
            self.assertIn("refused", delivery.message)
            self.assertEqual(delivery.attempts, 1)
            self.work(1)
            self.assertEqual(delivery.attempts, 2)
        with self.mock_mail_gateway():
            self.work()
            self.assertTrue(self._mails)
        self.assertEqual(delivery.state, 'sent')
        self.assertEqual(len(self.messages(delivery.move_id)), 1)

    def test_invoice_edited_meanwhile(self):
        """What happens to the invoice while the e-mail goes out doesn't undo what is known of the e-mail."""
        write = self.registry['account.move'].write

        def busy(moves, values):
            if self._mails:
                raise psycopg2.errors.SerializationFailure("could not serialize access due to concurrent update")
            return write(moves, values)
        with self.mock_mail_gateway(), patch.object(self.registry['account.move'], 'write', busy), mute_logger(WORKER):
            delivery = self.choose()
            self.work()
        self.assertEqual((delivery.state, delivery.move_id.is_move_sent), ('sent', True), delivery.message)

    def test_one_address_is_refused(self):
        """Somebody has got it: sent, naming who has not; all of it again would be a second e-mail."""
        with self.mock_mail_gateway():
            wizard = self.wizard(self.make_invoice())
            wizard.mail_partner_ids |= self.env['res.partner'].create({'name': "Biuro", 'email': 'biuro'})
            wizard.action_send_and_print()
            delivery = wizard.move_id.sudo().ksef_delivery_ids
            with patch.object(self.registry['account.move'], 'activity_schedule', side_effect=psycopg2.errors.LockNotAvailable("busy")):
                self.work()
            self.assertEqual((delivery.state, delivery.move_id.activity_ids.ids), ('sent', []))
            self.work()
        self.assertRegex(delivery.message, f"^(?!.*{self.buyer.name}).*Biuro")
        self.assertEqual(delivery.move_id.activity_ids.user_id, self.accountant)

    def test_sender_without_address(self):
        with self.mock_mail_gateway():
            delivery = self.choose()
            self.accountant.email = self.company.sudo().email = self.env.ref('base.partner_root').sudo().email = False
            delivery.move_id.invoice_user_id = self.env['mail.alias.domain'].search([]).default_from = False
            self.work()
        self.assertRegex(delivery.message, "was not sent: The sender has no valid e-mail address")

    def interrupted(self):
        """A delivery whose message may have gone or not."""
        delivery = self.choose()
        with patch.object(self.registry['ir.mail_server'], 'send_email', side_effect=smtplib.SMTPServerDisconnected("gone")):
            self.work()
        return delivery

    def test_unsure_is_not_repeated(self):
        """The connection broke while the message was handed over: shown, not repeated, until a person clicks."""
        with self.mock_mail_gateway():
            delivery = self.interrupted()
            self.assertEqual(delivery.state, 'unsure')
            self.assertEqual(delivery.move_id.activity_ids.user_id, self.accountant)
            self._init_mail_mock()
            self.work()
            held = self.env['mail.mail'].sudo().search([('mail_message_id', '=', delivery.mail_message_id.id)])
            self.assertEqual(held.mapped('state'), ['exception'], "Odoo's queue takes what is outgoing")
            self.assertFalse(self._mails)
            self.assertEqual(delivery.state, 'unsure')
            with self.assertRaises(AccessError):
                delivery.with_user(self.reader).action_resend()
            delivery.with_user(self.accountant).action_resend()
            self.work()
            self.assertEqual(delivery.state, 'sent', delivery.message)
            to_buyer = [mail for mail in self._mails if mail['email_to'] == [self.buyer.email_formatted]]
            self.assertEqual(len(to_buyer), 1)

    def test_claimed_by_a_dead_process(self):
        with self.mock_mail_gateway():
            delivery = self.choose()
            worker = self.registry['ksef.worker']
            with patch.object(worker, '_mail_delivery', lambda *args: None), patch.object(worker, '_doubt_interrupted', lambda *args: None):
                self.work()
            self.assertEqual(delivery.state, 'claimed')
            self.work()
            self.assertFalse(self._mails)
        self.assertEqual(delivery.state, 'unsure')
        self.assertIn("interrupted", delivery.message)

    def test_print_fails(self):
        with self.mock_mail_gateway(), mute_logger(WORKER):
            delivery = self.choose()
            with patch.object(self.registry['ir.actions.report'], '_pre_render_qweb_pdf', side_effect=UserError("wkhtmltopdf")):
                self.work()
            self.assertEqual(delivery.state, 'failed')
            self.assertFalse(self.messages(delivery.move_id))
            delivery.with_user(self.accountant).action_resend()
            self.work()
        self.assertEqual(delivery.state, 'sent')

    def test_copied_database_mails_nobody(self):
        with self.mock_mail_gateway():
            delivery = self.choose()
            with patch.object(self.registry['ksef.worker'], '_deliver', lambda worker, run: None):
                self.work()
            self.assertEqual(delivery.state, 'ready')
            self.env['ir.config_parameter'].sudo().set_param('database.uuid', 'copied')
            self.work()
            self.assertFalse(self._mails)
        self.assertEqual(delivery.state, 'ready')

    # ------------------------------------------------------------------ the duty

    def under_duty(self, **values):
        self.company.sudo().ksef_duty_from = self.env['account.move']._ksef_today() - timedelta(days=30)
        return self.make_invoice(**values)

    def test_duty_asks_and_is_logged(self):
        """S0-18: where the law demands KSeF, mailing an invoice without it is a decision that stays on record."""
        move = self.under_duty()
        wizard = self.wizard(move, ksef=False)
        self.assertTrue(wizard.ksef_asks_duty)
        with self.assertRaisesRegex(UserError, "duty to use KSeF"), self.env.cr.savepoint():
            wizard.action_send_and_print()
        with self.mock_mail_gateway():
            confirmed = self.wizard(move, ksef=False, ksef_duty_confirmed=True)
            confirmed.action_send_and_print()
            self.assertTrue(self._mails)
        self.assertTrue(move.message_ids.filtered(lambda message: "has confirmed e-mailing" in str(message.body)
                                                  and message.author_id == self.accountant.partner_id))
        self.assertFalse(self.wizard(self.under_duty(), ksef=True).ksef_asks_duty)
        private = self.env['res.partner'].create({
            'name': "Jan Nowak", 'email': 'jan@example.com', 'country_id': self.env.ref('base.pl').id})
        self.assertFalse(self.wizard(self.under_duty(partner=private), ksef=False).ksef_asks_duty)

    def test_duty_whatever_the_route(self):
        move = self.under_duty()
        send = self.env['account.move.send'].with_user(self.accountant)
        with self.mock_mail_gateway():
            with self.assertRaisesRegex(UserError, "has to be in KSeF first"), self.env.cr.savepoint():
                send._generate_and_send_invoices(move, sending_methods={'email'})
            send._generate_and_send_invoices(move, sending_methods={'email'}, allow_fallback_pdf=True)
            self.assertFalse(self._mails)

    def test_duty_in_batch(self):
        moves = self.under_duty() + self.under_duty()
        batch = self.env['account.move.send.batch.wizard'].with_user(self.accountant).with_context(
            active_model='account.move', active_ids=moves.ids)
        wizard = batch.create({})
        self.assertEqual(wizard.ksef_duty_count, 2)
        with self.assertRaisesRegex(UserError, "duty to use KSeF"):
            wizard.action_send_and_print()
        batch.create({'ksef_duty_confirmed': True}).action_send_and_print()
        with self.mock_mail_gateway():
            self.env['account.move.send']._generate_and_send_invoices(moves, from_cron=True)
        self.assertTrue(all(moves.mapped('is_move_sent')))
        self.assertEqual(self.env['ksef.delivery'].sudo().search_count([('move_id', 'in', moves.ids)]), 0)
