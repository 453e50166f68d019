import hmac
import logging
import tempfile
import time
from datetime import UTC, datetime

from odoo import api, fields, models

from ..ksef import checkpoint
from ..ksef.archives import Package
from ..ksef.crypto import new_session_secret, sha256_b64
from ..ksef.errors import (
    FIRST_FAILURE,
    ExportStatus,
    KsefForbiddenError,
    KsefGoneError,
    KsefIntegrityError,
    KsefRefusedError,
    KsefUnconfirmedError,
)
from ..ksef.types import InvoiceMetadata
from .ksef_fetch import WARSAW

_logger = logging.getLogger(__name__)

BATCH = 250
# One package is stored for so long at a time; the next run goes on with it.
STORE_SECONDS = 40


class KsefWorker(models.AbstractModel):
    """Fetching by package: intent and key committed → asked for → waited for → parts checked → rows → checkpoint."""
    _inherit = 'ksef.worker'

    @api.model
    def _start_export(self, run, fetch_id, window):
        """Ask KSeF for a package. Its key is committed first: an export whose answer was lost is asked for anew."""
        if not self._may_call(run, 'fetch'):
            return False
        secret = new_session_secret()
        run.commit(lambda env: env['ksef.fetch'].browse(fetch_id)._store_export_intent(window, secret))
        reference = run.client.start_export_with_fresh_key(run.access_token, window.filters(), secret)
        run.commit(lambda env: env['ksef.fetch'].browse(fetch_id).write(
            {'export_state': 'waiting', 'export_reference': reference, 'due_at': fields.Datetime.now()}))
        return self._continue_export(run, fetch_id)

    @api.model
    def _continue_export(self, run, fetch_id):
        """Ask what became of the package, and take it when it is ready."""
        with run.transaction() as env:
            reference = env['ksef.fetch'].browse(fetch_id).export_reference
        try:
            report = run.client.export_status(run.access_token, reference)
        except (KsefGoneError, KsefRefusedError) as error:
            self._fetch_later(run, fetch_id, self._describe_fetch_error(run, error))
            return True
        code = report.status.code
        if code == ExportStatus.DONE and report.package:
            self._take_package(run, fetch_id, report.package)
        elif code == ExportStatus.RANGE_BEYOND_DATA:
            self._nothing_new(run, fetch_id)
        elif code >= FIRST_FAILURE or code == ExportStatus.EXPIRED:
            self._fetch_later(run, fetch_id, self._describe_export_status(run, report.status))
        else:
            run.commit(lambda env: self._await_export(env['ksef.fetch'].browse(fetch_id), run))
        return True

    @api.model
    def _await_export(self, fetch, run):
        fetch.write({'export_polls': fetch.export_polls + 1, 'due_at': self._poll_due(run, fetch.export_polls)})

    @api.model
    def _describe_export_status(self, run, status):
        with run.transaction() as env:
            return env._(
                "KSeF did not prepare the package of invoices (%(code)s %(description)s); it is asked for again.",
                code=status.code, description=status.description)

    @api.model
    def _take_package(self, run, fetch_id, package):
        """Get all parts, check them, store what is inside, and only then move the checkpoint."""
        with run.transaction() as env:
            fetch = env['ksef.fetch'].browse(fetch_id)
            secret, window = fetch._get_secret(), fetch._export_window()
        problem = None
        if package.parts:
            with tempfile.TemporaryFile() as sink:
                self._download_parts(run, package, secret, sink)
                with Package(sink) as archive:
                    is_whole, problem = self._store_package(run, fetch_id, archive, package)
            if not is_whole:
                run.commit(lambda env: env['ksef.fetch'].browse(fetch_id).write({'due_at': fields.Datetime.now()}))
                return
        elif package.invoice_count:
            problem = f"{package.invoice_count} invoices without any part"
        if problem:
            _logger.warning("KSeF connection %s: the exported package is not complete: %s", run.connection_id, problem)
            raise KsefIntegrityError(f"The exported package is not complete: {problem}.")
        self._advance_after(run, fetch_id, window, package)

    @api.model
    def _download_parts(self, run, package, secret, sink):
        """Write the plain bytes of all parts to ``sink``; a link's refusal is no answer about the connection."""
        for part in package.parts:
            try:
                run.client.download_part(part, secret, sink)
            except KsefForbiddenError:
                raise KsefUnconfirmedError("A part of the exported package could not be got: its link has expired.") from None
        if package.size and sink.tell() != package.size:
            raise KsefIntegrityError("The exported package does not have the size that KSeF states.")

    @api.model
    def _store_package(self, run, fetch_id, archive, package):
        """Store the invoices of a package batch by batch.

        :return: (whether all were stored before the time was over, what is wrong with the package or None)
        """
        end = time.monotonic() + STORE_SECONDS
        items, unreadable = archive.metadata()
        unlisted = sorted(archive.numbers - {item.ksef_number for item in items})
        # Bytes without metadata: they are listed by number, and got one by one with KSeF's own hash.
        items += [InvoiceMetadata(number, '') for number in unlisted]
        for start in range(0, len(items), BATCH):
            if time.monotonic() > end:
                return False, None
            run.check_lock()
            self._store_batch(run, fetch_id, archive, items[start:start + BATCH])
        if archive.strange:
            _logger.warning("KSeF connection %s: %s files with odd names in a package were left alone",
                            run.connection_id, len(archive.strange))
        if unreadable:
            return True, f"{unreadable} entries of its list cannot be read"
        if len(items) - len(unlisted) != package.invoice_count:
            return True, f"{package.invoice_count} invoices announced, {len(items) - len(unlisted)} listed"
        return True, None

    @api.model
    def _store_batch(self, run, fetch_id, archive, items):
        """Commit a batch of invoices; those that are here already aren't unpacked again."""
        with run.transaction() as env:
            fetch = env['ksef.fetch'].browse(fetch_id)
            known = env['ksef.received']._known(fetch.connection_id, [item.ksef_number for item in items])
        complete = {number for number, (_id, _roles, state) in known.items() if state != 'listed'}
        rows = [(item, None if item.ksef_number in complete else self._unpack(archive, item)) for item in items]

        def store(env):
            fetch = env['ksef.fetch'].browse(fetch_id)
            new = env['ksef.received']._store(fetch.connection_id, fetch.role, rows)
            fetch.write({'new_count': fetch.new_count + len(new)})
        run.commit(store)

    @api.model
    def _unpack(self, archive, item):
        """The bytes of an invoice, or None when they are missing or not those that the list describes."""
        if not item.invoice_hash:
            return None
        try:
            content = archive.read(item.ksef_number)
        except KsefIntegrityError as error:
            _logger.warning("KSeF export: %s", error)
            return None
        return content if hmac.compare_digest(sha256_b64(content), item.invoice_hash.strip()) else None

    @api.model
    def _advance_after(self, run, fetch_id, window, package):
        """All rows of the package are committed: the checkpoint follows."""
        last = package.last_storage_date
        if window.date_type == checkpoint.DateType.ISSUE and package.last_issue_date:
            last = datetime.combine(package.last_issue_date.date(), datetime.min.time(), WARSAW)
        position = checkpoint.advance(
            window, datetime.now(UTC), is_truncated=package.is_truncated, last=last, hwm=package.hwm_date)

        def advance(env):
            fetch = env['ksef.fetch'].browse(fetch_id)
            if fetch.state != 'running':
                return
            fetch.write({'seen_count': fetch.seen_count + package.invoice_count})
            fetch._advance(position, datetime.now(UTC))
            if package.is_truncated:
                fetch.due_at = fields.Datetime.now()
        run.commit(advance)
