"""Every transition of the table, produced by a sandbox that answers over HTTP as KSeF does: from the sending on."""
from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import LIST, RUN_LOGGERS, SEND, STATUS, UPO, KsefConnectedCommon


@tagged('post_install', '-at_install')
class TestAnswers(KsefConnectedCommon):

    # ------------------------------------------------------------------ lost answers

    def check_lost_answer(self, action, **parameters):
        """KSeF has it, we don't know: found by hash, never sent twice."""
        self.sandbox.fault(SEND, action, **parameters)
        with mute_logger(*RUN_LOGGERS):
            document = self.send()
        self.assertEqual(document.state, 'unconfirmed')
        self.assertEqual(document.move_id.ksef_letter, 'W')
        self.run_workers(2)
        self.assert_accepted(document)
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
        self.assert_accepted(document)
        self.assertEqual(document.attempts, 2)

    def test_server_error(self):
        self.sandbox.fault(SEND, 'http_error', status=502, body='html')
        document = self.send()
        self.assertEqual(document.state, 'unconfirmed')
        self.run_workers(2)
        self.assert_accepted(document)

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
        self.assert_accepted(document)

    def test_found_in_sending(self):
        """A run that finds a claimed document knows that the one before it died."""
        self.sandbox.fault(SEND, 'drop_after')
        document = self.send()
        self.env.cr.execute("UPDATE ksef_document SET state = 'sending' WHERE id = %s", [document.id])
        self.env.invalidate_all()
        self.run_workers(2)
        self.assert_accepted(document)

    # ------------------------------------------------------------------ 440

    def test_duplicate_is_ours(self):
        """The answer and the session are lost, the same bytes go again: 440, and the original has our hash."""
        self.sandbox.fault(SEND, 'drop_after')
        self.sandbox.fault(LIST, 'http_error', status=400, body='problem', code=21173)
        document = self.send()
        self.run_workers(3)
        self.assert_accepted(document, submissions=2)
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
                self.assert_accepted(document, submissions=2)

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
                self.assert_accepted(document, submissions=2)
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
                self.assert_accepted(again, submissions=2)
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
        self.run_workers()
        self.assertTrue(document.has_upo)
        self.assertEqual([row['status'] for row in self.sandbox.requests('GET', '/upo')], [500, 200])

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
        self.assert_accepted(self.send(move, late_confirmed=True))

    def test_earlier_date_needs_confirmation(self):
        yesterday = fields.Date.subtract(self.env['account.move']._ksef_today(), days=1)
        move = self.make_invoice(date=yesterday)
        document = move._ksef_pick().sudo()
        self.assertEqual(document.state, 'invalid')
        document = self.send(move, late_confirmed=True)
        self.assert_accepted(document)
        self.assertEqual(document.invoicing_mode, 'Offline')

    def test_end_of_day(self):
        """In the last minutes of the day nothing is sent that could get tomorrow's date."""
        self.env['ir.config_parameter'].set_param('l10n_pl_ksef.day_end_guard_minutes', str(24 * 60 + 1))
        document = self.send()
        self.assertEqual(document.state, 'queued')
        self.assertFalse(self.sandbox.invoices())
