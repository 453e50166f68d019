"""What the tests of batches stand on: many invoices, workers that die, and what must be true in the end."""
from contextlib import contextmanager
from unittest.mock import patch

from .common import KsefConnectedCommon

OPEN_BATCH = 'POST /sessions/batch'
CLOSE_BATCH = 'POST /sessions/batch/{referenceNumber}/close'
SESSION = 'GET /sessions/{referenceNumber}'
LIST = 'GET /sessions/{referenceNumber}/invoices'
MODELS = 'odoo.addons.l10n_pl_ksef.models.'
LOGGERS = (MODELS + 'ksef_worker', MODELS + 'ksef_worker_batch', MODELS + 'ksef_worker_batch_result', MODELS + 'ksef_worker_send')


class Killed(BaseException):
    """A worker dies: nothing of the program catches this."""


class BatchCommon(KsefConnectedCommon):

    def setUp(self):
        super().setUp()
        self.set_parameters(batch_from=3, slice_seconds=60)

    def set_parameters(self, **values):
        for name, value in values.items():
            self.env['ir.config_parameter'].sudo().set_param(f'l10n_pl_ksef.{name}', str(value))

    def pick(self, count=4, **options):
        """Documents of new invoices, queued."""
        first = self.make_invoice(post=False, **options)
        moves = first.union(*(first.copy({'invoice_date': first.invoice_date}) for _number in range(count - 1)))
        moves.action_post()
        return moves._ksef_pick().sudo()

    def settle(self, documents, rounds=6):
        """Run the workers until the documents have their UPO, at most so often."""
        for _round in range(rounds):
            self.run_workers()
            if all(document.has_upo for document in documents):
                break

    def sessions(self, kind='batch'):
        return self.connection.session_ids.sudo().filtered(lambda session: session.kind == kind)

    def calls(self, method, path):
        return [row for row in self.sandbox.requests(method) if row['path'].partition('?')[0].endswith(path)]

    def assert_all_accepted(self, documents, submissions=None):
        """Every invoice is in KSeF exactly once, with the number that Odoo shows, and its UPO is here."""
        self.assertEqual(set(documents.mapped('state')), {'accepted'}, documents.mapped('status_description'))
        hashes = set(documents.mapped('xml_hash'))
        rows = [row for row in self.sandbox.invoices() if row['invoiceHash'] in hashes]
        accepted = {row['invoiceHash']: row['ksefNumber'] for row in rows if row['ksefNumber']}
        self.assertEqual(len([row for row in rows if row['ksefNumber']]), len(documents))
        self.assertEqual({document.xml_hash: document.ksef_number for document in documents}, accepted)
        self.assertEqual(documents.mapped('ksef_number'), documents.mapped('move_id.ksef_number'))
        self.assertEqual(set(documents.move_id.mapped('ksef_letter')), {'A'})
        self.assertTrue(all(document.has_upo and document.ksef_number.encode() in document._get_upo() for document in documents))
        self.assertFalse(any(documents.mapped('upo_link')))
        self.assertEqual(len(rows), len(documents) if submissions is None else submissions)

    @contextmanager
    def killed_before(self, name, count=1):
        """The worker dies just before it does a step of its own."""
        worker = type(self.env['ksef.worker'])
        left = [count]
        original = getattr(worker, name)

        def die(model, *args, **kwargs):
            left[0] -= 1
            if not left[0]:
                raise Killed
            return original(model, *args, **kwargs)

        with patch.object(worker, name, die):
            self.run_killed()
        yield

    def run_killed(self):
        """Run the workers until one dies; what it has committed stays."""
        self.make_due()
        is_killed = False
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            try:
                self.env(cr=cr)['ksef.worker']._cron_ksef_worker()
            except Killed:
                is_killed = True
        self.assertTrue(is_killed, "the step was not reached")
        self.env.invalidate_all()
