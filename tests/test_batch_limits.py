"""What KSeF allows: its limits kept in advance, attachments only with the company's consent (S2-09, issue 5)."""
from datetime import timedelta
from unittest.mock import patch

import requests
from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import common, tagged
from odoo.tools import mute_logger

from ..ksef import api
from ..ksef.errors import KsefRateLimitError
from ..models import account_move_pick
from ..models.ksef_call_budget import CallBudget
from ..models.ksef_run import KsefRun
from .common import SELLER_NIP
from .test_batch_common import LOGGERS, OPEN_BATCH, SESSION, BatchCommon


@tagged('post_install', '-at_install')
class TestBatchLimits(BatchCommon):

    # ------------------------------------------------------------------ limits

    def test_limit_is_kept_in_advance(self):
        """What KSeF would refuse is not asked for; other companies are not concerned."""
        self.set_parameters(count_calls=2, batch_from=0)
        rates = {'invoiceSend': [10, 2, 180]}
        self.connection.sudo().write({'call_rates': rates, 'limits_at': fields.Datetime.now()})
        self.sandbox.admin('POST', '/settings', rateLimits=True)
        self.addCleanup(self.sandbox.admin, 'POST', '/settings', rateLimits=False)
        documents = self.pick(4)
        self.run_workers()
        self.assertEqual(len(self.sandbox.invoices()), 2)
        self.assertEqual(sorted(documents.mapped('state')), ['accepted', 'accepted', 'queued', 'queued'])
        self.assertEqual(max(documents.mapped('attempts')), 1)
        self.assertGreater(self.connection.send_paused_until, fields.Datetime.now() + timedelta(seconds=30))
        self.assertFalse([row for row in self.sandbox.requests() if row['status'] == 429])
        self.env.cr.execute("UPDATE ksef_call SET made_at = made_at - interval '61 seconds'")
        self.run_workers()
        self.assert_all_accepted(documents)

    def test_batch_when_the_hour_is_used_up(self):
        self.set_parameters(count_calls=2, batch_from=100)
        rates = {'invoiceSend': [10, 30, 3]}
        self.connection.sudo().write({'call_rates': rates, 'limits_at': fields.Datetime.now()})
        first = self.pick(2)
        self.run_workers(2)
        second = self.pick(2)
        self.settle(first | second)
        self.assert_all_accepted(first | second)
        self.assertEqual(self.sessions().document_ids, second)

    def test_windows(self):
        """Three windows slide at once; each operation without a group of its own is counted by itself."""
        calls = self.env['ksef.call'].sudo()
        rates = (2, 3, 4)
        self.assertEqual(calls._seconds_until('c', 'g', rates), 0)
        for age in (4000, 3000, 50, 40, 0.5):
            self.env.cr.execute(
                "INSERT INTO ksef_call (company_id, context, counter, made_at) VALUES (%s, 'c', 'g', clock_timestamp() AT TIME ZONE 'UTC' "
                "- %s * interval '1 second')", [self.company.id, age])
        self.assertAlmostEqual(calls._seconds_until('c', 'g', (2, None, None)), 0)
        self.assertAlmostEqual(calls._seconds_until('c', 'g', (1, None, None)), 0.5, delta=0.3)
        self.assertAlmostEqual(calls._seconds_until('c', 'g', (None, 3, None)), 10, delta=1)
        self.assertAlmostEqual(calls._seconds_until('c', 'g', (None, None, 4)), 600, delta=1)
        self.assertEqual(calls._seconds_until('c', 'g', (None, None, 5)), 0)
        self.assertEqual(calls._seconds_until('other', 'g', rates), 0)
        self.assertEqual(calls._seconds_until('c', 'other', rates), 0)

    def test_too_many_requests_to_open(self):
        """429 for a batch is obeyed, and nothing is lost."""
        documents = self.pick(3)
        self.sandbox.fault(OPEN_BATCH, 'http_error', status=429, body='problem', retryAfter=600)
        with mute_logger(*LOGGERS):
            self.run_workers()
        self.assertEqual(set(documents.mapped('state')), {'queued'})
        self.assertGreater(self.connection.send_paused_until, fields.Datetime.now() + timedelta(seconds=500))
        self.settle(documents)
        self.assert_all_accepted(documents)

    def test_no_busy_loop(self):
        """A session that waits for a pause does not have the workers turn round and round."""
        self.pick(3)
        self.sandbox.fault(SESSION, 'http_error', status=429, body='problem', retryAfter=600, times=-1)
        with mute_logger(*LOGGERS):
            self.run_workers()
        self.assertGreater(self.sessions().due_at, fields.Datetime.now() + timedelta(seconds=500))
        self.assertEqual(len([row for row in self.sandbox.requests() if row['status'] == 429]), 1)

    def test_rate_limit_error(self):
        """A call held back here is obeyed like KSeF's own 429."""
        self.set_parameters(count_calls=2)
        with patch.object(type(self.env['ksef.call']), '_seconds_until', lambda *args: 42.0):
            run = KsefRun(self.env.registry, self.connection.id, 0, self.env['ksef.worker']._get_settings())
            with self.enter_registry_test_mode(), self.assertRaises(KsefRateLimitError) as caught:
                CallBudget(run).spend(api.SEND_INVOICE)
        self.assertEqual(caught.exception.retry_after, 42.0)

    def test_questions_held_back(self):
        """A limit kept here holds back only what is asked in that way; a session's list is read once for all its duplicates."""
        self.set_parameters(batch_from=0)
        documents = self.pick(2)
        self.settle(documents)
        worker, reference = self.env['ksef.worker'], documents[0].session_id.reference_number
        run = KsefRun(self.env.registry, self.connection.id, 0, worker._get_settings())
        run.access_token = self.connection.sudo().credential_ids[:1]._get_access_token()
        before = len(self.calls('GET', f'/{reference}/invoices'))
        with self.enter_registry_test_mode(), patch.object(KsefRun, 'check_lock', lambda *args: None):
            found = [worker._hash_from_session(run, document.ksef_number, reference) for document in documents]
            run._transport.close()
            self.assertTrue(worker._reading_failed(run, KsefRateLimitError("made for this test", retry_after=100), documents[:1].ids))
        self.env.invalidate_all()
        self.assertEqual([item['hash'] for item in found], documents.mapped('xml_hash'))
        self.assertEqual(len(self.calls('GET', f'/{reference}/invoices')), before + 1)
        self.assertFalse(self.connection.sudo().read_paused_until)
        self.assertGreater(documents[0].due_at, fields.Datetime.now() + timedelta(seconds=50))

    # ------------------------------------------------------------------ many at once

    def test_withdraw_unsent(self):
        """Of a selection, what has not left is taken back; the rest is told and stays (S2-13)."""
        self.set_parameters(batch_from=0)
        sent = self.pick(1)
        self.run_workers()
        waiting = self.pick(4)
        draft = self.make_invoice(post=False)
        selection = sent.move_id | waiting.move_id | draft
        with patch.object(type(selection), '_ksef_pick_limit', lambda moves: 2):
            action = selection.action_ksef_withdraw_unsent()
        self.assertIn("4", action['params']['message'])
        self.assertIn("1", action['params']['message'])
        self.assertEqual(set(waiting.mapped('state')), {'cancelled'})
        self.assertEqual(sent.state, 'accepted')
        self.assertFalse(any(waiting.move_id.mapped('ksef_is_locked')))
        self.assertEqual(set(waiting.move_id.mapped('ksef_state')), {False})
        self.run_workers()
        self.assertEqual(len(self.sandbox.invoices()), 1)
        self.assertTrue(any("Withdrawn" in body for body in waiting[0].move_id.message_ids.mapped('body')))
        with self.assertRaises(UserError):
            draft.action_ksef_withdraw_unsent()

    def test_thousands_are_shown_by_the_workers(self):
        """The request only picks, or takes back; what was picked can be taken back before anybody has shown it."""
        self.set_parameters(batch_from=2)
        moves = self.env['account.move'].union(*(self.make_invoice() for _number in range(3)))
        self.patch(account_move_pick, 'MOST_SHOWN_AT_ONCE', 2)
        self.patch(type(moves), '_ksef_pick_limit', lambda self: 1)
        first = moves._ksef_pick().sudo()
        self.assertEqual(set(first.mapped('state')), {'picked'})
        self.assertFalse(any(moves.mapped('ksef_state')))
        with self.assertRaisesRegex(UserError, "only once"):
            moves[:1]._ksef_pick()
        for documents in (first, False):
            # The second time the invoices show what KSeF had rejected before.
            documents = documents or moves._ksef_pick().sudo()
            self.assertEqual(moves.action_ksef_withdraw_unsent()['params']['message'], "Withdrawn: 3.")
            self.assertEqual(set(documents.mapped('state')), {'cancelled'})
            first.state = 'rejected'
            moves._ksef_sync()
        second = moves._ksef_pick().sudo()
        self.settle(second)
        self.assert_all_accepted(second)
        self.assertEqual(moves.ksef_document_id, second)
        self.assertEqual(set(moves.mapped('ksef_letter')), {'A'})

    def test_one_busy_invoice(self):
        """States of many are shown together; one that can't be shown holds nobody up."""
        self.set_parameters(batch_from=2)
        documents = self.pick(3)
        original = type(documents)._post_state

        def fail(document):
            if document == documents[1]:
                raise KeyError("made for this test")
            return original(document)

        with patch.object(type(documents), '_post_state', fail), mute_logger(*LOGGERS):
            self.run_workers(2)
        self.assertEqual(set(documents.mapped('state')), {'accepted'})
        self.assertEqual(documents.mapped('sync_pending'), [False, True, False])
        self.env.cr.execute("UPDATE ksef_document SET write_date = write_date - interval '1 hour'")
        self.env.invalidate_all()
        self.run_workers()
        self.assertEqual(documents.mapped('sync_pending'), [False] * 3)
        self.assertEqual(set(documents.move_id.mapped('ksef_state')), {'accepted'})

    def test_orphans(self):
        """A database that was neutralised in the middle of a batch: what nobody looks at is found and brought to its end."""
        documents = self.pick(3)
        with self.killed_before('_batch_processing'):
            self.sessions().write({'due_at': False})
            self.connection.sudo().due_at = fields.Datetime.now()
        self.settle(documents)
        self.assert_all_accepted(documents)
        more = self.pick(3)
        with self.killed_before('_batch_processing'):
            self.sessions().filtered(lambda session: session.state == 'processing').write({'due_at': False, 'state': 'lost'})
            self.connection.sudo().due_at = fields.Datetime.now()
        self.settle(more)
        self.assert_all_accepted(more)

    # ------------------------------------------------------------------ attachments (issue 5)

    def attach(self, move):
        move.ksef_block_ids = [fields.Command.create({'heading': "Zużycie", 'keys': "licznik: 12345"})]
        return move

    def pick_attached(self):
        move = self.attach(self.make_invoice(post=False))
        move.action_post()
        return move, move._ksef_pick().sudo()

    def allow_attachments(self):
        """What the company does in e-Urząd Skarbowy."""
        run_token = self.connection.sudo().credential_ids[:1]._get_access_token()
        self.sandbox_call('POST', '/testdata/attachment', run_token, nip=SELLER_NIP)

    def sandbox_call(self, method, path, token, **json):
        answer = common._super_send(requests.Session(), requests.Request(
            method, self.sandbox.url + path, json=json, headers={'Authorization': f'Bearer {token}'}).prepare(), timeout=30)
        self.assertLess(answer.status_code, 300, answer.text)

    def test_attachment_goes_in_a_batch(self):
        """An attachment goes in a batch, be it alone; the others go as they always do."""
        self.allow_attachments()
        _move, document = self.pick_attached()
        others = self.pick(1)
        self.settle(document | others)
        self.assert_all_accepted(document | others)
        self.assertEqual(self.sessions().document_ids, document)
        self.assertEqual(self.sessions('online').document_ids, others)
        self.assertIn(b'Zalacznik', document._get_xml())

    def test_attachment_not_announced(self):
        """KSeF says that the company has not announced attachments: a person reads that, and nothing is sent."""
        self.connection = self.connect(permissions=('InvoiceRead', 'InvoiceWrite', 'CredentialsRead'))
        move, document = self.pick_attached()
        self.run_workers(2)
        self.assertEqual(document.state, 'invalid')
        self.assertEqual(document.findings[0]['code'], 'attachment-consent')
        self.assertEqual(self.connection.attachments, 'refused')
        self.assertFalse(self.sandbox.invoices())
        again = move._ksef_pick().sudo()
        self.assertEqual((again.state, again.findings[0]['code']), ('invalid', 'attachment-consent'))
        self.allow_attachments()
        self.connection.sudo().attachments_at = fields.Datetime.now() - timedelta(minutes=20)
        again = move._ksef_pick().sudo()
        self.run_workers(3)
        self.assertEqual(again.state, 'accepted')
        self.assertEqual(self.connection.attachments, 'allowed')

    def test_attachment_unknown(self):
        """A credential that may not see rights isn't told: the person is warned, and KSeF decides."""
        move, document = self.pick_attached()
        self.assertEqual([(item['severity'], item['code']) for item in move._ksef_render().findings], [('warning', 'attachment-unknown')])
        self.run_workers(3)
        self.assertEqual((document.state, document.status_code), ('rejected', 415))
        self.assertEqual(self.connection.attachments, 'unknown')

    def test_attachment_refused_opening(self):
        """Batches that KSeF refuses hold nobody else up, and what can only go in one ends with a person."""
        self.allow_attachments()
        _move, document = self.pick_attached()
        other = self.pick(1)
        self.sandbox.fault('POST /sessions/batch', 'http_error', status=400, body='problem', code=21405, times=-1)
        with mute_logger(*LOGGERS):
            self.run_workers()
            self.assertEqual(other.state, 'accepted')
            self.assertEqual((document.state, document.session_restarts), ('queued', 1))
            self.run_workers()
            self.assertEqual(len(self.sessions()), 1)
            self.assertEqual(document.due_at, self.connection.sudo().batch_paused_until)
            for _round in range(3):
                self.connection.sudo().batch_paused_until = False
                self.run_workers()
        self.assertEqual(document.state, 'help')
        # Nothing of it was ever sent, so that it simply goes again when a person asks.
        self.sandbox.admin('DELETE', '/faults')
        self.set_parameters(grace_seconds=0)
        self.connection.sudo().batch_paused_until = False
        document._check_again()
        self.settle(document)
        self.assert_all_accepted(document)

    # ------------------------------------------------------------------ offline

    def test_offline_apart(self):
        """What was issued offline goes in a session of its own, declared as such, and first."""
        documents = self.pick(6)
        offline = documents[3:]
        offline.write({'mode': 'offline24', 'late_confirmed': True})
        self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual({(session.offline, session.document_ids) for session in self.sessions()},
                         {(True, offline), (False, documents[:3])})
        self.assertEqual(set(offline.mapped('invoicing_mode')), {'Offline'})
        self.assertEqual(set(documents[:3].mapped('invoicing_mode')), {'Online'})
        self.assertLess(offline.session_id.id, documents[0].session_id.id)
