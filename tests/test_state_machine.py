"""Every transition of the table, produced by a sandbox that answers over HTTP as KSeF does."""
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.l10n_pl_ksef.ksef.number import is_valid_ksef_number
from odoo.addons.l10n_pl_ksef.models.ksef_document import STATES, TRANSITIONS

from .common import KsefSandboxCommon

SEND = 'POST /sessions/online/{referenceNumber}/invoices'
LIST = 'GET /sessions/{referenceNumber}/invoices'
STATUS = 'GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}'
OPEN = 'POST /sessions/online'
UPO = 'GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo'
RUN_LOGGERS = (
    'odoo.addons.l10n_pl_ksef.models.ksef_worker', 'odoo.addons.l10n_pl_ksef.models.ksef_worker_send',
    'odoo.addons.l10n_pl_ksef.models.ksef_worker_poll', 'odoo.addons.l10n_pl_ksef.models.ksef_worker_login',
)


@tagged('post_install', '-at_install')
class TestStateMachine(KsefSandboxCommon):

    def setUp(self):
        super().setUp()
        self.connection = self.connect()

    def assertAccepted(self, document, submissions=1):
        """The invoice is in KSeF exactly once, and Odoo knows its number."""
        self.assertEqual(document.state, 'accepted', f"{document.status_code} {document.status_description}")
        [accepted] = self.sandbox.accepted()
        self.assertEqual(document.ksef_number, accepted['ksefNumber'])
        self.assertEqual(document.xml_hash, accepted['invoiceHash'])
        self.assertEqual(document.move_id.ksef_number, accepted['ksefNumber'])
        self.assertEqual(document.move_id.ksef_letter, 'A')
        self.assertEqual(len(self.sandbox.invoices()), submissions)

    # ------------------------------------------------------------------ the straight way

    def test_accepted(self):
        """picked → queued → sending → sent → accepted, then the UPO byte for byte (S1-07, S2-04, S2-06)."""
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        self.assertEqual((document.state, move.ksef_state, move.ksef_letter), ('queued', 'queued', 'W'))
        self.assertFalse(self.sandbox.invoices(), "nothing is sent in the user's request")
        frozen = document._get_xml()
        self.run_workers()
        self.assertAccepted(document)
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
        self.company.vat = 'PL1234567890'
        first = move._ksef_pick().sudo()
        self.assertEqual(first.state, 'invalid')
        self.assertTrue(first.findings)
        self.assertTrue(all(finding['message'] for finding in first.findings))
        self.assertFalse(move.ksef_is_locked)
        self.company.vat = f'PL{self.connection.nip}'
        self.buyer.write({'vat': 'PL5261040828', 'street': "ul. Długa 7", 'city': "Kraków"})
        second = self.send(move)
        self.assertEqual(first.state, 'cancelled')
        self.assertAccepted(second)

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
        self.assertAccepted(self.send(move))

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
        self.assertAccepted(document)

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
                self.assertAccepted(document)
                self.assertEqual(document.attempts, 2)

    def test_session_cannot_be_opened(self):
        self.sandbox.fault(OPEN, 'http_error', status=503, body='html')
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.assertFalse(document.attempts)
        self.run_workers()
        self.assertAccepted(document)

    def test_session_opening_unanswered(self):
        self.sandbox.fault(OPEN, 'drop_after')
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.run_workers()
        self.assertAccepted(document)
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
        self.assertAccepted(document)

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
        self.sandbox.fault(SEND, 'http_error', status=400, body='problem', code=29999)
        document = self.send()
        self.assertEqual((document.state, document.status_code), ('help', 29999))

    # ------------------------------------------------------------------ lost answers

    def check_lost_answer(self, action, **parameters):
        """KSeF has it, we don't know: found by hash, never sent twice."""
        self.sandbox.fault(SEND, action, **parameters)
        with mute_logger(*RUN_LOGGERS):
            document = self.send()
        self.assertEqual(document.state, 'unconfirmed')
        self.assertEqual(document.move_id.ksef_letter, 'W')
        self.run_workers(2)
        self.assertAccepted(document)
        self.assertEqual(document.attempts, 1)

    def test_answer_dropped(self):
        self.check_lost_answer('drop_after')

    def test_answer_garbled(self):
        self.check_lost_answer('garble')

    def test_answer_truncated(self):
        self.check_lost_answer('truncate')

    def test_answer_too_late(self):
        self.check_lost_answer('hang_after', seconds=12)

    def test_never_arrived(self):
        """Dropped before processing: the complete list lacks the hash, so the same bytes go again."""
        self.sandbox.fault(SEND, 'drop_before')
        document = self.send()
        self.assertEqual(document.state, 'unconfirmed')
        self.run_workers(2)
        self.assertAccepted(document)
        self.assertEqual(document.attempts, 2)

    def test_server_error(self):
        self.sandbox.fault(SEND, 'http_error', status=502, body='html')
        document = self.send()
        self.assertEqual(document.state, 'unconfirmed')
        self.run_workers(2)
        self.assertAccepted(document)

    def test_grace(self):
        """Not in the list yet: within the time of grace nothing is sent again."""
        self.env['ir.config_parameter'].set_param('l10n_pl_ksef.grace_seconds', '600')
        self.sandbox.fault(SEND, 'drop_before')
        document = self.send()
        self.run_workers(2)
        self.assertEqual((document.state, document.attempts), ('unconfirmed', 1))
        self.assertFalse(self.sandbox.invoices())

    def test_recovery_unanswered(self):
        """While the list cannot be read, nothing is concluded."""
        self.sandbox.fault(SEND, 'drop_after')
        self.sandbox.fault(LIST, 'http_error', status=500, body='html', times=2)
        document = self.send()
        self.run_workers()
        self.assertEqual(document.state, 'unconfirmed')
        self.run_workers(3)
        self.assertAccepted(document)

    def test_found_in_sending(self):
        """A run that finds a claimed document knows that the one before it died."""
        self.sandbox.fault(SEND, 'drop_after')
        document = self.send()
        self.env.cr.execute("UPDATE ksef_document SET state = 'sending' WHERE id = %s", [document.id])
        self.env.invalidate_all()
        self.run_workers(2)
        self.assertAccepted(document)

    # ------------------------------------------------------------------ 440

    def test_duplicate_is_ours(self):
        """The answer and the session are lost, the same bytes go again: 440, and the original has our hash."""
        self.sandbox.fault(SEND, 'drop_after')
        self.sandbox.fault(LIST, 'http_error', status=400, body='problem', code=21173)
        document = self.send()
        self.run_workers(3)
        self.assertAccepted(document, submissions=2)
        self.assertTrue(document.has_upo)

    def test_duplicate_hash_by_upo_or_number(self):
        """The list of the original's session can't be read: its UPO, else the invoice itself, gives the hash."""
        for faults in ([LIST], [LIST, 'GET /sessions/{referenceNumber}/invoices/ksef/{ksefNumber}/upo']):
            with self.subTest(faults=faults):
                self.sandbox.reset()
                self.connect()
                self.sandbox.fault(SEND, 'drop_after')
                self.sandbox.fault(LIST, 'http_error', status=400, body='problem', code=21173)
                document = self.send()
                for operation in faults:
                    self.sandbox.fault(operation, 'http_error', status=500, body='html', skip=int(operation == LIST))
                self.run_workers(3)
                self.assertAccepted(document, submissions=2)

    def test_duplicate_of_another(self):
        """440 whose original has other bytes: rejected, and the other document is named."""
        first = self.send(self.make_invoice())
        other = self.env['res.company'].create({
            'name': "Sprzedawca sp. z o.o. (drugi system)", 'vat': self.company.vat, 'country_id': self.company.country_id.id,
            'street': "ul. Prosta 1", 'city': "Warszawa", 'zip': "00-838"})
        self.env.user.company_ids |= other
        self.env['account.chart.template'].try_loading('pl', other, install_demo=False)
        tax = self.env['account.tax'].search([
            ('company_id', '=', other.id), ('type_tax_use', '=', 'sale'), ('amount', '=', 23)], limit=1)
        self.connect(other)
        move = self.make_invoice([("Coś innego", 1, 7, tax)], company=other, name=first.invoice_number)
        second = self.send(move)
        self.assertEqual(second.invoice_number, first.invoice_number)
        self.assertEqual((second.state, second.status_code), ('rejected', 440))
        self.assertEqual(second.original_ksef_number, first.ksef_number)
        self.assertFalse(second.ksef_number)
        self.assertFalse(move.ksef_is_locked)

    def test_duplicate_unreachable(self):
        """No way to the hash of the original: a person decides; nothing is taken for granted."""
        self.sandbox.fault(STATUS, 'delay', seconds=0)
        extensions = {'originalKsefNumber': '5265877635-20250826-0100001AF629-AF',
                      'originalSessionReferenceNumber': '20250626-SO-2F14610000-242991F8C9-B4'}
        self.sandbox.fault(SEND, 'invoice_status', code=440, description="Duplikat faktury", extensions=extensions)
        document = self.send()
        self.assertEqual((document.state, document.status_code), ('help', 440))
        self.assertEqual(document.original_ksef_number, extensions['originalKsefNumber'])

    # ------------------------------------------------------------------ verdicts

    def test_session_fault(self):
        """405, 430, 435, 550: the same bytes into a new session; three times, then a person is called."""
        for code in (405, 430, 435, 550):
            with self.subTest(code=code):
                self.sandbox.reset()
                self.connect()
                self.sandbox.fault(SEND, 'invoice_status', code=code, description="…")
                document = self.send()
                self.run_workers(2)
                self.assertAccepted(document, submissions=2)
                self.assertEqual(document.session_restarts, 1)

    def test_session_fault_forever(self):
        self.sandbox.fault(SEND, 'invoice_status', code=550, description="Operacja została anulowana", times=-1)
        document = self.send()
        self.run_workers(8)
        self.assertEqual((document.state, document.session_restarts), ('help', 3))
        self.assertEqual(len(self.sandbox.invoices()), 4)

    def test_rejected(self):
        """410, 415, 450: final, with everything KSeF says; the invoice is open again and a new row follows."""
        for code in (410, 415, 450):
            with self.subTest(code=code):
                self.sandbox.reset()
                self.connect()
                self.sandbox.fault(
                    SEND, 'invoice_status', code=code, description="Błąd weryfikacji", details=["Szczegół pierwszy", "Drugi"])
                document = self.send()
                self.assertEqual((document.state, document.status_code), ('rejected', code))
                self.assertEqual(document.status_details, "Szczegół pierwszy\nDrugi")
                move = document.move_id
                self.assertFalse(move.ksef_is_locked)
                self.assertIn("Szczegół pierwszy", "".join(move.message_ids.mapped('body')))
                again = self.send(move)
                self.assertAccepted(again, submissions=2)
                self.assertEqual(document.state, 'rejected')

    def test_unknown_answers(self):
        """500 twice, and codes nobody knows: never a verdict."""
        self.sandbox.fault(SEND, 'invoice_status', code=500, description="Nieznany błąd")
        document = self.send()
        self.run_workers(2)
        self.assertEqual((document.state, document.status_code), ('help', 500))
        self.assertTrue(document.move_id.ksef_is_locked)
        self.sandbox.fault(SEND, 'invoice_status', code=499, description="Nowy kod")
        document = self.send()
        self.run_workers()
        self.assertEqual((document.state, document.status_code), ('help', 499))

    def test_help_checked_again(self):
        """"Get KSeF status" takes a document out of "needs help" when KSeF has a clear answer now."""
        self.sandbox.fault(STATUS, 'http_error', status=200, body='problem')
        self.sandbox.fault(SEND, 'invoice_status', code=499, description="Nowy kod")
        document = self.send()
        self.run_workers(2)
        self.assertEqual(document.state, 'help')
        document._check_again()
        self.assertEqual(document.state, 'sent')

    def test_pending(self):
        """100 and 150 are no answer yet: the document stays O and is asked about again later."""
        self.sandbox.fault(SEND, 'stuck', code=150)
        document = self.send()
        self.run_workers()
        self.assertEqual((document.state, document.status_code), ('sent', 150))
        self.assertEqual(document.move_id.ksef_letter, 'O')
        self.assertTrue(document.due_at)

    # ------------------------------------------------------------------ UPO

    def test_upo_later(self):
        """A UPO that cannot be fetched yet is fetched later; the invoice stays accepted."""
        self.sandbox.fault(UPO, 'http_error', status=500, body='html')
        document = self.send()
        self.assertEqual(document.state, 'accepted')
        self.assertFalse(document.has_upo)
        self.run_workers()
        self.assertTrue(document.has_upo)

    # ------------------------------------------------------------------ dates

    def test_issue_date_passed(self):
        """Queued yesterday, not sent: held until a person decides; confirmed lateness goes out."""
        move = self.make_invoice()
        document = move._ksef_pick().sudo()
        document.issue_date = fields.Date.subtract(document.issue_date, days=1)
        self.run_workers()
        self.assertEqual(document.state, 'invalid')
        self.assertEqual(document.findings[0]['remedy'], 'set_today')
        self.assertFalse(self.sandbox.invoices())
        self.assertAccepted(self.send(move, late_confirmed=True))

    def test_earlier_date_needs_confirmation(self):
        yesterday = fields.Date.subtract(self.env['account.move']._ksef_today(), days=1)
        move = self.make_invoice(date=yesterday)
        document = move._ksef_pick().sudo()
        self.assertEqual(document.state, 'invalid')
        document = self.send(move, late_confirmed=True)
        self.assertAccepted(document)
        self.assertEqual(document.invoicing_mode, 'Offline')

    def test_end_of_day(self):
        """In the last minutes of the day nothing is sent that could get tomorrow's date."""
        self.env['ir.config_parameter'].set_param('l10n_pl_ksef.day_end_guard_minutes', str(24 * 60 + 1))
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.assertFalse(self.sandbox.invoices())
