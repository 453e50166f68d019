"""Every transition of the table, produced by a sandbox that answers over HTTP as KSeF does: up to the sending."""
from odoo import fields
from odoo.addons.l10n_pl_ksef.ksef.number import is_valid_ksef_number
from odoo.addons.l10n_pl_ksef.models.ksef_document import STATES, TRANSITIONS
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2 import IntegrityError

from .common import OPEN, RUN_LOGGERS, SEND, KsefConnectedCommon


@tagged('post_install', '-at_install')
class TestSending(KsefConnectedCommon):

    # ------------------------------------------------------------------ the straight way

    def test_accepted(self):
        """picked → queued → sending → sent → accepted, then the UPO byte for byte (S1-07, S2-04, S2-06)."""
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        self.assertEqual((document.state, move.ksef_state, move.ksef_letter), ('queued', 'queued', 'W'))
        self.assertFalse(self.sandbox.invoices(), "nothing is sent in the user's request")
        frozen = document._get_xml()
        self.run_workers()
        self.assert_accepted(document)
        self.assertTrue(is_valid_ksef_number(document.ksef_number))
        self.assertTrue(document.reference_number)
        self.assertNotEqual(document.reference_number, document.ksef_number)
        self.assertEqual(document._get_xml(), frozen)
        self.assertTrue(document.acquisition_date)
        self.assertTrue(document.has_upo)
        self.assertIn(document.ksef_number.encode(), document._get_upo())
        self.assertIn(document.xml_hash.encode(), document._get_upo())
        self.assertFalse(document.due_at)
        self.assertIn(document.ksef_number, "".join(move.message_ids.mapped('body')))

    def test_one_session_for_many(self):
        """Invoices picked together share a login and a session."""
        moves = self.env['account.move'].union(*(self.make_invoice() for _i in range(5)))
        moves._ksef_pick()
        self.run_workers()
        self.assertEqual(set(moves.mapped('ksef_state')), {'accepted'})
        self.assertEqual(len(self.sandbox.requests('POST', '/sessions/online')), 6, "one opening, five invoices")

    def test_picked_by_a_worker(self):
        """More than 20: picked by one statement, rendered by a worker, then sent."""
        moves = self.env['account.move'].union(*(self.make_invoice() for _i in range(22)))
        documents = moves._ksef_pick().sudo()
        self.assertEqual(set(documents.mapped('state')), {'picked'})
        self.assertEqual(set(moves.mapped('ksef_letter')), {'W'})
        self.run_workers(2)
        self.assertEqual(set(documents.mapped('state')), {'accepted'})
        self.assertEqual(len(self.sandbox.accepted()), 22)

    def test_invalid_then_corrected(self):
        """picked → invalid with findings; corrected, picked again: a new row, the old one stays as history."""
        self.buyer.vat = False
        move = self.make_invoice()
        self.buyer.write({'street': False, 'city': False})
        first = move._ksef_pick().sudo()
        self.assertEqual(first.state, 'invalid')
        self.assertTrue(first.findings)
        self.assertTrue(all(finding['message'] for finding in first.findings))
        self.assertFalse(move.ksef_is_locked)
        self.buyer.write({'vat': 'PL5261040828', 'street': "ul. Długa 7", 'city': "Kraków"})
        second = self.send(move)
        self.assertEqual(first.state, 'cancelled')
        self.assert_accepted(second)

    def test_withdrawn(self):
        """queued → cancelled: the invoice is free, and can be picked again."""
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        document._withdraw()
        self.assertEqual(document.state, 'cancelled')
        self.assertFalse(move.ksef_state)
        self.assertFalse(move.ksef_is_locked)
        self.run_workers()
        self.assertFalse(self.sandbox.invoices())
        self.assert_accepted(self.send(move))

    def test_withdraw_too_late(self):
        document = self.send()
        with self.assertRaisesRegex(UserError, "Too late"):
            document._withdraw()
        self.assertEqual(document.state, 'accepted')

    def test_once_only(self):
        """An invoice is picked once (S2-08), even where the check is passed by."""
        document = self.send()
        with self.assertRaisesRegex(UserError, "only once"):
            document.move_id._ksef_pick()
        with mute_logger('odoo.sql_db'), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self.env['ksef.document'].sudo().create({
                'move_id': document.move_id.id, 'company_id': document.company_id.id,
                'connection_id': document.connection_id.id})

    def test_table(self):
        """Whatever the table doesn't name is refused."""
        for old, _label in STATES:
            for new, _label in STATES:
                with self.subTest(old=old, new=new), self.env.cr.savepoint() as savepoint:
                    document = self.env['ksef.document'].sudo().create({
                        'company_id': self.company.id, 'connection_id': self.connection.id, 'state': old})
                    if new in TRANSITIONS[old]:
                        document._transition(new)
                        self.assertEqual(document.state, new)
                    else:
                        with self.assertRaises(UserError):
                            document._transition(new)
                        self.assertEqual(document.state, old)
                    savepoint.rollback()

    # ------------------------------------------------------------------ certainly not accepted

    def check_requeued(self, document):
        self.assertEqual(document.state, 'queued')
        self.assertTrue(document.due_at)
        self.assertFalse(self.sandbox.invoices())
        self.run_workers(2)
        self.assert_accepted(document)

    def test_connect_error(self):
        """KSeF unreachable: the document waits, the connection pauses, nothing is lost."""
        with mute_logger(*RUN_LOGGERS):
            move = self.make_invoice()
            move._ksef_pick()
            url = self.connection.local_url
            self.connection.sudo().local_url = 'http://127.0.0.1:9/v2'
            self.run_workers()
        self.assertEqual(move.ksef_state, 'queued')
        self.assertTrue(self.connection.paused_until)
        self.assertEqual(self.connection.failures, 1)
        self.connection.sudo().local_url = url
        self.check_requeued(move.ksef_document_id.sudo())
        self.assertFalse(self.connection.failures)

    def test_unauthorized(self):
        self.sandbox.fault(SEND, 'http_error', status=401, body='problem')
        self.check_requeued(self.send())

    def test_rate_limit(self):
        self.sandbox.fault(SEND, 'http_error', status=429, body='problem', retryAfter=40)
        document = self.send()
        wait = (self.connection.send_paused_until - fields.Datetime.now()).total_seconds()
        self.assertTrue(35 <= wait <= 45, wait)
        self.assertFalse(self.connection.paused_until, "only sending waits")
        self.check_requeued(document)

    def test_session_unavailable(self):
        self.sandbox.fault(SEND, 'http_error', status=400, body='problem', code=21184)
        self.check_requeued(self.send())

    def test_session_over(self):
        """21155, 21173, 21180: another session takes the same bytes."""
        for code in (21155, 21173, 21180):
            with self.subTest(code=code):
                self.sandbox.reset()
                self.connect()
                self.sandbox.fault(SEND, 'http_error', status=400, body='problem', code=code)
                document = self.send()
                self.run_workers()
                self.assert_accepted(document)
                self.assertEqual(document.attempts, 2)

    def test_session_cannot_be_opened(self):
        self.sandbox.fault(OPEN, 'http_error', status=503, body='html')
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.assertFalse(document.attempts)
        self.run_workers()
        self.assert_accepted(document)

    def test_session_opening_unanswered(self):
        self.sandbox.fault(OPEN, 'drop_after')
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.run_workers()
        self.assert_accepted(document)
        self.assertIn('lost', self.connection.session_ids.mapped('state'))

    # ------------------------------------------------------------------ the connection's problem

    def test_forbidden(self):
        """403: the document is blocked and burns no attempts; the connection says what to do; "Check again" frees it."""
        self.sandbox.fault(SEND, 'http_error', status=403, body='problem', reasonCode='missing-permissions')
        document = self.send()
        self.assertEqual((document.state, self.connection.state), ('blocked', 'attention'))
        self.assertIn("wystawianie faktur", self.connection.status_message)
        self.assertTrue(document.move_id.ksef_is_locked)
        self.run_workers()
        self.assertEqual(document.state, 'blocked')
        self.connection.action_verify()
        self.run_workers(2)
        self.assert_accepted(document)

    def test_gone(self):
        self.sandbox.fault(SEND, 'http_error', status=410, body='problem')
        document = self.send()
        self.assertEqual((document.state, self.connection.state), ('blocked', 'attention'))

    def test_blocked_withdrawn(self):
        self.sandbox.fault(SEND, 'http_error', status=403, body='problem', reasonCode='security-service-blocked')
        document = self.send()
        document._withdraw()
        self.assertFalse(document.move_id.ksef_is_locked)

    # ------------------------------------------------------------------ KSeF refuses the call itself

    def test_our_fault(self):
        """21402, 21403, 21405: sending the same again is of no use; the finding says so."""
        for code in (21402, 21403, 21405):
            with self.subTest(code=code):
                self.sandbox.fault(SEND, 'http_error', status=400, body='problem', code=code)
                document = self.send()
                self.assertEqual(document.state, 'invalid')
                self.assertEqual(document.status_code, code)
                self.assertEqual(document.findings[0]['code'], 'program-error')
                self.run_workers()
                self.assertEqual(document.state, 'invalid')

    def test_refused_for_unknown_reason(self):
        self.sandbox.fault(SEND, 'http_error', status=400, body='problem', code=21166)
        document = self.send()
        self.assertEqual((document.state, document.status_code), ('help', 21166))
