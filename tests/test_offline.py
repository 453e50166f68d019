"""Issuing offline: freeze, sign, print, send later; and the legal deadlines (S0-19, S2-14)."""
from datetime import datetime, timedelta

from odoo import fields
from odoo.addons.l10n_pl_ksef.ksef import offline
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import format_date

from .common import SELLER_NIP, SEND
from .test_offline_common import OfflineCommon

NEVER = fields.Datetime.to_datetime('2027-12-31 00:00:00')


@tagged('post_install', '-at_install')
class TestOffline(OfflineCommon):

    # ------------------------------------------------------------------ issuing

    def test_issued_printed_and_sent(self):
        """The whole way: both codes lead where they should, nothing can be changed, KSeF gets the very bytes as offline."""
        credential = self.enroll_certificate()
        move = self.make_invoice()
        document = self.issue(move)
        self.assertEqual((document.state, document.mode), ('queued', 'offline24'))
        self.assertEqual(self.answer['type'], 'ir.actions.report')
        self.assertTrue(move.ksef_is_locked)
        self.assertEqual(document.certificate_serial, credential.certificate_serial)
        self.assertEqual(document.offline_deadline, offline.add_working_days(self.today(), 1))
        self.assertEqual(move.ksef_deadline, document.offline_deadline)
        self.assertRegex(
            document.certificate_url,
            rf'/certificate/Nip/{SELLER_NIP}/{SELLER_NIP}/{credential.certificate_serial}/[\w-]{{43}}/[\w-]{{86}}$')
        self.assertEqual(self.open_link(document.certificate_url).status_code, 200, "KSeF knows the certificate and its signature")
        self.assertFalse(self.sandbox.invoices(), "nothing is sent in the user's request")

        tree = self.printed(move)
        block = tree.find(".//div[@name='ksef_qr_code']")
        self.assertIn("OFFLINE", block.text_content())
        self.assertIn("CERTYFIKAT", block.text_content())
        self.assertEqual([a.get('href') for a in block.findall(".//a")], [document.verification_url, document.certificate_url])
        self.assertEqual(self.scanned(tree), [document.verification_url, document.certificate_url])

        xml = document._get_xml()
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted', document.status_description)
        [sent] = self.sandbox.accepted()
        self.assertEqual(sent['invoiceHash'], document.xml_hash)
        self.assertEqual(document._get_xml(), xml)
        self.assertEqual(document.invoicing_mode, 'Offline')
        self.assertEqual(self.open_link(document.verification_url).status_code, 200)
        after = self.printed(move).find(".//div[@name='ksef_qr_code']")
        self.assertIn(document.ksef_number, after.text_content())
        self.assertIn("CERTYFIKAT", after.text_content())
        self.assertNotIn("OFFLINE", after.text_content())
        self.assertFalse(document._is_owed())

    def test_rsa_certificate(self):
        """A key that somebody uploaded may be RSA: the long link can be scanned, too."""
        self.upload_offline(curve=False)
        document = self.issue()
        self.assertGreater(len(document.certificate_url), 400)
        self.assertEqual(self.scanned(self.printed(document.move_id)), [document.verification_url, document.certificate_url])

    def test_refused_without_certificate(self):
        """The message names the remedy; nothing is issued, and the screen says so before."""
        move = self.make_invoice()
        form = Form(self.env['ksef.go.offline'].with_context(active_model='account.move', active_ids=move.ids))
        self.assertIn("Get an offline certificate", form.problem)
        with self.assertRaisesRegex(UserError, "Get an offline certificate"):
            form.save().action_issue()
        with self.assertRaisesRegex(UserError, "Get an offline certificate"):
            move._ksef_issue_offline('offline24')
        self.assertFalse(move.ksef_document_id)
        credential = self.get_certificate()
        for values in (
            {'valid_until': fields.Datetime.now() - timedelta(hours=1)}, {'refusal': "Blocked"}, {'secret': False},
            {'valid_until': NEVER, 'valid_from': fields.Datetime.now() + timedelta(days=1)},
        ):
            before = {name: credential.sudo()[name] for name in values}
            credential.sudo().write(values)
            with self.subTest(values=list(values)), self.assertRaisesRegex(UserError, "Get an offline certificate"):
                move._ksef_issue_offline('offline24')
            credential.sudo().write(before)
        self.assertEqual(self.issue(move).state, 'queued')

    def test_closed_from_then_on(self):
        self.get_certificate()
        move = self.make_invoice()
        self.issue(move)
        self.assertFalse(move.ksef_can_withdraw)
        self.assertFalse(move.ksef_can_send)
        self.assertFalse(move.ksef_can_go_offline)
        for act in (move.action_ksef_withdraw, move.button_draft, move.unlink, lambda: move.write({'invoice_date': '2026-01-01'}),
                    lambda: move._ksef_issue_offline('offline24'), move._ksef_pick):
            with self.subTest(act=getattr(act, '__name__', '')), self.assertRaises(UserError):
                act()

    def test_who_may(self):
        move = self.make_invoice()
        reader = new_test_user(
            self.env, 'offline_reader', groups='base.group_user,account.group_account_readonly', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        mine = move.with_user(reader)
        for act in (mine.action_ksef_go_offline, mine.action_ksef_technical_correction, mine.action_ksef_undo_total_failure,
                    lambda: mine._ksef_issue_offline('offline24'), lambda: mine._ksef_issue_in_total_failure("radio"),
                    lambda: self.env['ksef.go.offline'].with_user(reader).create({})):
            with self.assertRaises(AccessError):
                act()

    def test_bad_invoice_is_not_issued(self):
        """An invoice with findings is named, the good one is issued and the mistake can be mended."""
        self.get_certificate()
        bad = self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        good = self.make_invoice()
        self.issue(bad | good)
        self.assertEqual((bad.ksef_state, good.ksef_state), ('invalid', 'queued'))
        self.assertIn(bad.display_name, self.answer['params']['message'])
        self.assertFalse(bad.ksef_document_id._is_offline())
        self.assertFalse(bad.ksef_is_locked)

    def test_other_dates_are_refused(self):
        """The day of issue is the day on which it is issued."""
        self.get_certificate()
        move = self.make_invoice(date=self.today() - timedelta(days=1))
        with self.assertRaisesRegex(UserError, "Set today's date"):
            move._ksef_issue_offline('offline24')

    def test_queued_invoice_goes_offline_with_its_bytes(self):
        """KSeF does not answer: what waits is issued as it stands, and found or sent once (S2-14)."""
        self.get_certificate()
        self.sandbox.fault(SEND, 'drop_before', times=1)
        document = self.send()
        self.assertIn(document.state, ('queued', 'unconfirmed'))
        move, xml = document.move_id, document._get_xml()
        # Between two attempts KSeF is no nearer; an old failure says nothing.
        self.connection.sudo().write({'failures': 1, 'paused_until': fields.Datetime.now() - timedelta(hours=2)})
        self.assertNotIn('ksef_go_offline', move._get_alerts())
        self.connection.sudo().paused_until = fields.Datetime.now() - timedelta(minutes=5)
        move.invalidate_recordset()
        self.assertTrue(move.ksef_can_go_offline)
        self.assertEqual(move._get_alerts()['ksef_go_offline']['action']['res_model'], 'ksef.go.offline')
        self.issue(move)
        self.assertEqual(document.mode, 'offline24')
        self.assertEqual(document._get_xml(), xml)
        self.assertTrue(document.certificate_url)
        self.run_workers(4)
        self.assertEqual(document.state, 'accepted', document.status_description)
        self.assertEqual(len(self.sandbox.accepted()), 1)
        self.assertEqual(document.ksef_number, self.sandbox.accepted()[0]['ksefNumber'])

    def test_deadline_counts_from_the_frozen_date(self):
        """What waits may be dated earlier: the earliest deadline is shown, the one that is counted then."""
        self.get_certificate()
        waiting = self.make_invoice()
        document = waiting._ksef_pick().sudo()
        moves = waiting | self.make_invoice()
        for days, text in ((0, "the invoices must be in KSeF by"), (10, "Too late by law")):
            document.issue_date = self.today() - timedelta(days=days)
            wizard = self.env['ksef.go.offline'].create({'move_ids': [(6, 0, moves.ids)], 'mode': 'offline24'})
            deadline = offline.add_working_days(document.issue_date, 1)
            self.assertIn(text, wizard.situation)
            self.assertIn(format_date(self.env, deadline), wizard.situation)
        self.issue(waiting)
        self.assertEqual(document.offline_deadline, deadline)

    def test_late_sending_is_no_mistake(self):
        """The day of issue is over when KSeF is back: sent by itself, its date as it is (P_1)."""
        self.get_certificate()
        document = self.issue()
        self.env.cr.execute("UPDATE ksef_document SET issue_date = issue_date - 1 WHERE id = %s", [document.id])
        document.invalidate_recordset()
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted', document.findings)

    def test_oldest_deadline_first(self):
        self.get_certificate()
        today = self.today()
        documents = [self.issue() for _n in range(3)]
        plain = self.make_invoice()._ksef_pick().sudo()
        for document, days in zip(documents, (9, 2, 5), strict=True):
            document.offline_deadline = today + timedelta(days=days)
        self.run_workers(2)
        sent = [row['invoiceNumber'] for row in self.sandbox.invoices()]
        self.assertEqual(sent, [document.invoice_number for document in (documents[1], documents[2], documents[0], plain)])

    # ------------------------------------------------------------------ deadlines

    def test_announced_failure_moves_the_deadline(self):
        """Counted again by itself when the Ministry announces something, and again when it is over."""
        self.get_certificate()
        document = self.issue()
        first = document.offline_deadline
        self.sandbox.fault(SEND, 'http_error', status=503, body='html', times=-1)
        self.announce('FAILURE', self.utc(minutes=-1), event=7)
        self.assertFalse(document.offline_deadline, "nobody knows before the end is announced")
        self.assertIn("announces the end", document._describe_deadline())
        self.assertIn("announced something new", document.move_id.message_ids[0].body)
        self.announce('FAILURE', self.utc(minutes=-1), self.utc(days=1), event=7)
        over = (datetime.combine(self.today(), datetime.min.time()) + timedelta(days=1)).date()
        self.assertIn(document.offline_deadline, {
            offline.add_working_days(day, 7) for day in (over - timedelta(days=1), over, over + timedelta(days=1))})
        self.assertGreater(document.offline_deadline, first)
        outage = self.env['ksef.outage'].search([])
        self.assertEqual((len(outage), outage.category), (1, 'FAILURE'), "one event, however many messages")

    def test_total_failure_ends_the_duty(self):
        self.get_certificate()
        document = self.issue()
        self.sandbox.fault(SEND, 'http_error', status=503, body='html', times=-1)
        self.announce('TOTAL_FAILURE', self.utc(minutes=-1))
        self.assertTrue(document.offline_duty_ended)
        self.assertFalse(document.offline_deadline)
        self.assertIn("no longer asks", document.move_id._get_alerts()['ksef_offline']['message'])

    def test_mode_is_proposed(self):
        """What the Ministry announces is proposed; a mode that nobody has announced is refused with the reason."""
        self.get_certificate()
        move = self.make_invoice()
        self.assertEqual(self.connection._suggest_offline_mode(), 'offline24')
        self.assertNotIn('ksef_go_offline', move._get_alerts())
        wizard = self.env['ksef.go.offline'].create({'move_ids': [(6, 0, move.ids)], 'mode': 'emergency'})
        self.assertIn("Choose Offline24", wizard.problem)
        with self.assertRaisesRegex(UserError, "Choose Offline24"):
            wizard.action_issue()
        for category, mode in (('MAINTENANCE', 'offline'), ('FAILURE', 'emergency'), ('TOTAL_FAILURE', 'total_failure')):
            self.announce(category, self.utc(minutes=-1))
            with self.subTest(category):
                self.assertEqual(self.connection._suggest_offline_mode(), mode)
                self.assertIn('ksef_go_offline', move._get_alerts())
        wizard = self.env['ksef.go.offline'].create({'move_ids': [(6, 0, move.ids)], 'mode': 'emergency'})
        self.assertFalse(wizard.problem)
        self.assertIn("announces the end", wizard.situation)

    def test_overdue_escalates(self):
        """On the day itself to who issued it, after it to the responsible person, each once; accepted, it is closed."""
        self.get_certificate()
        boss = new_test_user(self.env, 'offline_boss', groups='base.group_user,account.group_account_manager',
                             company_id=self.company.id, company_ids=[(6, 0, self.company.ids)])
        self.connection.sudo().responsible_id = boss
        document = self.issue()
        self.sandbox.fault(SEND, 'http_error', status=503, body='html', times=-1)
        move = document.move_id
        document.offline_deadline = self.today()
        self.run_workers(2)
        activity = move.activity_ids
        self.assertEqual((len(activity), activity.user_id, document.offline_warning), (1, document.user_id, 'due'))
        document.offline_deadline = self.today() - timedelta(days=1)
        self.run_workers(2)
        activity = move.activity_ids
        self.assertEqual((len(activity), activity.user_id, document.offline_warning), (1, boss, 'overdue'))
        self.assertIn("overdue", activity.note)
        self.assertEqual(self.env['ksef.document'].search([('is_overdue', '=', True)]), document)
        self.assertEqual(move._get_alerts()['ksef_offline']['level'], 'danger')
        self.sandbox.admin('DELETE', '/faults')
        self.run_workers(3)
        self.assertEqual(document.state, 'accepted')
        self.assertFalse(move.activity_ids)
        self.assertFalse(document.is_overdue)

    def test_escalates_while_the_connection_is_broken(self):
        self.get_certificate()
        document = self.issue()
        document.offline_deadline = self.today() - timedelta(days=3)
        self.connection.sudo().state = 'attention'
        self.run_workers()
        self.assertEqual(document.offline_warning, 'overdue')
