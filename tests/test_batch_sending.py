"""Volume: batch sessions chosen by the workers, and resumed after a crash at any step (S2-09, S2-13)."""
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..ksef.batch import PackageWriter
from ..ksef.client import Client
from ..ksef.errors import KsefUnconfirmedError
from ..models.ksef_run import KsefRun
from .test_batch_common import CLOSE_BATCH, LIST, LOGGERS, MODELS, OPEN_BATCH, SESSION, BatchCommon, Killed


@tagged('post_install', '-at_install')
class TestBatchSending(BatchCommon):

    # ------------------------------------------------------------------ the way of a batch

    def test_many_go_together(self):
        """From so many on, invoices go in one package: few calls, one question for all, every UPO by its link."""
        documents = self.pick(5)
        self.sandbox.admin('DELETE', '/requests')
        self.settle(documents)
        self.assert_all_accepted(documents)
        [session] = self.sessions()
        self.assertEqual((session.state, session.due_at, session.uploaded_parts), ('done', False, 1))
        self.assertEqual((session.invoice_count, session.accepted_count, session.progress), (5, 5, 100))
        self.assertEqual(documents.session_id, session)
        self.assertFalse(session.secret_uploads)
        self.assertFalse(self.sessions('online'))
        self.assertFalse(self.sandbox.requests('POST', '/sessions/online'))
        self.assertFalse([row for row in self.sandbox.requests('GET', '/upo') if row['path'].startswith('/v2')])
        self.assertEqual(len(self.calls('GET', f'/{session.reference_number}/invoices')), 1)
        self.assertLessEqual(len(self.sandbox.requests(path='/v2')), 10)
        messages = documents[0].move_id.message_ids.mapped('body')
        self.assertTrue(any(documents[0].ksef_number in body for body in messages))

    def test_few_go_alone(self):
        documents = self.pick(2)
        self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertFalse(self.sessions())
        self.set_parameters(batch_from=0)
        more = self.pick(4)
        self.run_workers(2)
        self.assertEqual(set(more.mapped('state')), {'accepted'})
        self.assertFalse(self.sessions())

    def test_at_most_so_many(self):
        """More than one package takes go in several; what KSeF allows the company counts."""
        self.set_parameters(batch_most=3)
        documents = self.pick(7)
        self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(sorted(self.sessions().mapped('invoice_count')), [3, 3])
        self.assertEqual(len(self.sessions('online').document_ids), 1)

    def test_limit_of_the_company(self):
        self.connection.sudo().write({'batch_most': 3, 'limits_at': fields.Datetime.now()})
        documents = self.pick(6)
        self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(sorted(self.sessions().mapped('invoice_count')), [3, 3])

    def test_one_refused_does_not_hold_the_others(self):
        documents = self.pick(5)
        self.sandbox.fault(OPEN_BATCH, 'invoice_status', code=450, details=["Błąd schematu"])
        self.run_workers(3)
        self.assertEqual(sorted(documents.mapped('state')), ['accepted'] * 4 + ['rejected'])
        rejected = documents.filtered(lambda document: document.state == 'rejected')
        self.assertIn("Błąd schematu", rejected.status_details)
        self.assertEqual(rejected.move_id.ksef_state, 'rejected')
        self.assertEqual((self.sessions().accepted_count, self.sessions().failed_count), (4, 1))

    def test_fault_of_one_goes_again(self):
        """550 for one invoice: that one is sent again, in another session."""
        documents = self.pick(4)
        self.sandbox.fault(OPEN_BATCH, 'invoice_status', code=550)
        self.settle(documents)
        self.assert_all_accepted(documents, submissions=5)
        self.assertEqual(sorted(documents.mapped('session_restarts')), [0, 0, 0, 1])

    def test_duplicate_of_ours(self):
        """440 whose original has our bytes is a success, in a batch too."""
        self.set_parameters(batch_from=0)
        document = self.pick(1)
        self.run_workers()
        self.set_parameters(batch_from=3)
        number = document.ksef_number
        self.env.cr.execute(
            "UPDATE ksef_document SET state = 'queued', ksef_number = NULL, reference_number = NULL, session_id = NULL, due_at = now() "
            "AT TIME ZONE 'UTC', has_upo = FALSE, upo = NULL WHERE id = %s", [document.id])
        self.env.invalidate_all()
        documents = document | self.pick(3)
        self.run_workers(3)
        self.assertEqual(set(documents.mapped('state')), {'accepted'})
        self.assertEqual(document.ksef_number, number)
        self.assertEqual(len(self.sandbox.accepted()), 4)

    # ------------------------------------------------------------------ killed at each step

    def test_killed_at_each_step(self):
        """Whatever moment the worker dies at, every invoice is in KSeF exactly once in the end."""
        steps = (
            '_pack_batch', '_upload_batch', '_close_batch', '_batch_closed', '_batch_processing', '_write_chunk', '_sync',
            '_finish_batch', '_store_upos')
        for step in steps:
            with self.subTest(step), mute_logger(*LOGGERS):
                documents = self.pick(3)
                with self.killed_before(step):
                    self.settle(documents)
                self.assert_all_accepted(documents)

    def test_killed_before_the_opening(self):
        """Nothing was opened: the documents are free at once, in a new session with a new key."""
        documents = self.pick(3)
        with self.killed_before('_open_batch'):
            self.assertEqual(set(documents.mapped('state')), {'sending'})
            self.assertEqual(self.sessions().state, 'opening')
        self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(sorted(self.sessions().mapped('state')), ['done', 'lost'])
        self.assertEqual(set(documents.mapped('session_restarts')), {0})

    def test_killed_between_parts(self):
        """The parts that are there aren't sent again; the package is made again, byte for byte."""
        documents = self.pick(6)
        with patch(MODELS + 'ksef_worker_batch.PackageWriter', small_parts):
            with self.kill_after_part(2):
                session = self.sessions()
                self.assertEqual((session.state, session.uploaded_parts), ('uploading', 2))
                self.assertGreater(session.part_count, 3)
            self.settle(documents)
        self.assert_all_accepted(documents)
        [session] = self.sessions()
        self.assertEqual(session.uploaded_parts, session.part_count)
        puts = [row['path'].partition('?')[0] for row in self.sandbox.requests('PUT')]
        self.assertEqual(len(puts), session.part_count)
        self.assertEqual(len(set(puts)), session.part_count)

    @contextmanager
    def kill_after_part(self, number):
        original, done = Client.upload_part, []

        def upload(client, upload, part, source):
            if len(done) == number:
                raise Killed
            done.append(part.ordinal)
            return original(client, upload, part, source)

        with patch.object(Client, 'upload_part', upload):
            self.run_killed()
        yield

    def test_another_package(self):
        """Made again, the package has other bytes (another zlib): nothing of it is uploaded, another session is opened."""
        documents = self.pick(3)
        with self.killed_before('_upload_batch'):
            self.assertEqual(self.sessions().state, 'uploading')
        session = self.sessions()
        session.package = session.package | {'hash': 'A' * 43 + '='}
        with mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(sorted(self.sessions().mapped('state')), ['done', 'failed'])

    def test_answers_lost(self):
        """Opening, closing, asking: an answer that is lost never leads to a second acceptance."""
        for operation, action in (
                (OPEN_BATCH, 'drop_after'), (CLOSE_BATCH, 'drop_after'), (CLOSE_BATCH, 'drop_before'), (SESSION, 'garble'),
                (LIST, 'garble')):
            with self.subTest(f"{operation} {action}"), mute_logger(*LOGGERS):
                documents = self.pick(3)
                self.connection.sudo().batch_paused_until = False
                self.sandbox.fault(operation, action)
                self.settle(documents)
                self.assert_all_accepted(documents)

    def test_links_expired(self):
        """The links serve no more before anything was closed: certainly nothing is processed, another session is opened."""
        documents = self.pick(3)
        self.sandbox.fault(OPEN_BATCH, 'expired_links')
        with mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(sorted(self.sessions().mapped('state')), ['done', 'failed'])
        self.assertEqual(set(documents.mapped('session_restarts')), {1})

    def test_time_over(self):
        """The time for the upload is over while no worker ran."""
        documents = self.pick(3)
        with self.killed_before('_upload_batch'):
            self.sessions().valid_until = fields.Datetime.now() - timedelta(minutes=1)
        self.settle(documents)
        self.assert_all_accepted(documents)

    def test_part_missing_at_ksef(self):
        """KSeF refuses to close because it lacks a part: the documents go in another session."""
        documents = self.pick(3)
        with self.killed_before('_upload_batch'):
            session = self.sessions()
            session.uploaded_parts = 1
        with mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertIn('21205', session.status_description)

    # ------------------------------------------------------------------ sessions that fail

    def work_slowly(self):
        """Let the sandbox take its time: a session that is to fail fails before its invoices are looked at."""
        self.sandbox.admin('POST', '/settings', processingSeconds=0.5)
        self.addCleanup(self.sandbox.admin, 'POST', '/settings', processingSeconds=0)

    def test_asked_while_it_is_processed(self):
        """“Get KSeF status” during the processing asks about the session, and sends nothing a second time."""
        self.set_parameters(grace_seconds=0)
        documents = self.pick(3)
        with self.killed_before('_batch_processing'):
            self.assertEqual(set(documents.mapped('state')), {'sending'})
        self.sandbox.fault(SESSION, 'http_error', status=500, body='html')
        documents._check_again()
        self.assertEqual(documents.mapped('due_at'), [False] * 3)
        # Even a time that has got there all the same, as in a database of an earlier version, harms nothing.
        documents[:1].due_at = fields.Datetime.now()
        with mute_logger(*LOGGERS):
            self.run_workers()
        self.assertEqual(documents.mapped('state'), ['sending'] * 3)
        self.assertFalse(documents[0].due_at)
        documents[1]._transition('unconfirmed')
        run = KsefRun(self.env.registry, self.connection.id, 0, self.env['ksef.worker']._get_settings())
        with self.enter_registry_test_mode():
            self.env['ksef.worker']._settle_unconfirmed(run, documents[1].id, None)
        self.env.invalidate_all()
        self.assertEqual(documents[1].state, 'unconfirmed')
        self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(len(self.sessions()), 1)

    def test_list_token_refused(self):
        """KSeF no longer takes the place where reading the list stopped: it is read from its beginning."""
        documents = self.pick(3)
        with self.killed_before('_batch_processing'):
            self.sessions().list_token = '!'
        self.settle(documents)
        self.assert_all_accepted(documents)

    def test_session_failed(self):
        """The session's fault is not the invoice's: the same bytes go again; after two of them each goes alone."""
        self.work_slowly()
        for code in (405, 415, 430):
            with self.subTest(code), mute_logger(*LOGGERS):
                documents = self.pick(3)
                self.sandbox.fault(CLOSE_BATCH, 'session_status', code=code)
                self.settle(documents)
                self.assert_all_accepted(documents)
                self.assertEqual(set(documents.mapped('session_restarts')), {1})

    def test_session_fails_always(self):
        self.work_slowly()
        documents = self.pick(3)
        self.sandbox.fault(CLOSE_BATCH, 'session_status', code=430, times=-1)
        with mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(len(self.sessions()), 2)
        self.assertEqual(len(self.sessions('online').document_ids), 3)

    def test_unknown_failure(self):
        """KSeF's own error is no verdict: a person looks, and the question is put again when asked."""
        self.work_slowly()
        documents = self.pick(3)
        self.sandbox.fault(CLOSE_BATCH, 'session_status', code=500)
        with mute_logger(*LOGGERS):
            self.run_workers(3)
        self.assertEqual(set(documents.mapped('state')), {'help'})
        self.assertFalse(self.sandbox.accepted())

    def test_opening_refused(self):
        """KSeF takes no batch from us: nothing waits for that, the invoices go one by one."""
        documents = self.pick(3)
        self.sandbox.fault(OPEN_BATCH, 'http_error', status=400, body='problem', code=21405, times=-1)
        with mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(self.sessions().mapped('state'), ['failed'])

    def test_opening_unanswered(self):
        """KSeF opens no batch, whatever it says: the connection isn't paused for that, and the invoices go one by one."""
        documents = self.pick(3)
        self.sandbox.fault(OPEN_BATCH, 'http_error', status=500, body='html', times=-1)
        with mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(self.sessions().mapped('state'), ['lost'])
        self.assertFalse(self.connection.sudo().paused_until)

    def test_disk_full(self):
        """A package that can't be written here: the invoices go one by one."""
        documents = self.pick(3)
        full = OSError(28, "No space left on device")
        with patch(MODELS + 'ksef_worker_batch.tempfile.TemporaryFile', side_effect=full), mute_logger(*LOGGERS):
            self.settle(documents)
        self.assert_all_accepted(documents)
        self.assertEqual(self.sessions().mapped('state'), ['failed'])

    # ------------------------------------------------------------------ no time left

    def test_no_time_left(self):
        """A page, the links of UPOs, what is to be shown: left when the time is over, and finished by later turns."""
        documents = self.pick(6)
        worker = self.env['ksef.worker']
        with self.killed_before('_take_page'):
            session = self.sessions()
            token = self.connection.sudo().credential_ids[:1]._get_access_token()
            run = KsefRun(self.env.registry, self.connection.id, 0, worker._get_settings())
            run.access_token = token
            with patch(MODELS + 'ksef_worker_batch_result.WRITE_CHUNK', 2), patch.object(KsefRun, 'check_lock', lambda *args: None), \
                    self.enter_registry_test_mode():
                self.assertFalse(worker._take_batch_list(run, session.id, session.reference_number))
                run._transport.close()
            self.env.invalidate_all()
            self.assertEqual(sorted(documents.mapped('state')), ['accepted'] * 2 + ['sending'] * 4)
        # Nobody answers behind the links: one is tried in a turn, then KSeF itself is asked.
        unanswered = KsefUnconfirmedError("made for this test")
        with patch.object(Client, 'upo_by_link', side_effect=unanswered) as link, mute_logger(*LOGGERS):
            self.run_workers()
        self.assertGreater(link.call_count, 0)
        self.assertLess(link.call_count, 6)
        self.settle(documents)
        self.assert_all_accepted(documents)


def small_parts(sink, secret):
    return PackageWriter(sink, secret, part_size=300)
