import logging
from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..ksef import checkpoint
from ..ksef.errors import (
    ApiCode,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefIntegrityError,
    KsefRateLimitError,
    KsefRefusedError,
    KsefUnauthorizedError,
    KsefUnconfirmedError,
)
from .ksef_fetch import WARSAW

_logger = logging.getLogger(__name__)

PAGE = 250
# Up to this many new invoices are got one by one, more as a package.
HANDFUL = 10
# A window longer than this is got as a package without looking at a list first.
SHORT_WINDOW = timedelta(days=1)
FIRST_RETRY, LAST_RETRY = 30, 3600  # seconds
# After so many failures in a row another export is asked for.
MOST_FAILURES = 5


class KsefWorker(models.AbstractModel):
    """Fetching: what KSeF holds for a company, window after window.

    Rows are committed page by page (or batch by batch of a package) and the checkpoint after them, so that a run that
    ends anywhere leaves nothing out; what the next one sees again is recognised by its KSeF number.
    """
    _inherit = 'ksef.worker'

    @api.model
    def _due_received_query(self):
        """The part of :meth:`_due_query` about fetching, downloads and bills; ``usable`` is defined there."""
        return SQL("""
            SELECT f.connection_id, GREATEST(f.due_at, u.paused, u.fetch_paused)
              FROM ksef_fetch f JOIN usable u ON u.id = f.connection_id
             WHERE f.due_at IS NOT NULL AND f.state = 'running'
            UNION ALL
            SELECT r.connection_id, GREATEST(r.due_at, u.paused, u.download_paused)
              FROM ksef_received r JOIN usable u ON u.id = r.connection_id
             WHERE r.due_at IS NOT NULL AND r.state = 'listed'
            UNION ALL
            SELECT connection_id, due_at FROM ksef_received WHERE due_at IS NOT NULL AND bill_wanted
        """)

    @api.model
    def _fetch_due(self, run):
        """Serve every stretch that is due."""
        if self._is_paused(run, 'fetch_paused_until'):
            return
        with run.transaction() as env:
            ids = env['ksef.fetch'].search([
                ('connection_id', '=', run.connection_id), ('state', '=', 'running'), ('due_at', '<=', fields.Datetime.now()),
            ], order='due_at, id').ids
        for fetch_id in ids:
            if run.time_left() <= 0 or not self._fetch_one(run, fetch_id):
                return

    @api.model
    def _fetch_one(self, run, fetch_id):
        """Do the next step of one stretch; return whether the next stretch may follow."""
        with run.transaction() as env:
            fetch = env['ksef.fetch'].browse(fetch_id)
            export_state, mode = fetch.export_state, fetch.mode
            window = fetch._window(datetime.now(UTC))
        try:
            if export_state == 'waiting':
                goes_on = self._continue_export(run, fetch_id)
            elif mode == 'export' or (mode == 'auto' and (window.end or datetime.now(UTC)) - window.start > SHORT_WINDOW):
                goes_on = self._start_export(run, fetch_id, window)
            else:
                goes_on = self._fetch_pages(run, fetch_id, window, mode)
        except UserError as error:
            # The key of the secrets is not on this host.
            self._stop_connection(run, str(error), 'secret-key')
            return False
        except KsefError as error:
            return self._fetch_failed(run, fetch_id, error)
        self._resume_connection(run)
        return goes_on

    @api.model
    def _may_call(self, run, kind):
        """Whether KSeF allows one more call of this kind now; it is counted before it is made."""
        return run.commit(lambda env: env['ksef.connection'].browse(run.connection_id)._take_call(kind, run.settings))

    # ------------------------------------------------------------------ by list

    @api.model
    def _fetch_pages(self, run, fetch_id, window, mode):
        """Read the list of a window page by page; the invoices themselves are got one by one afterwards."""
        number, hwm = 0, None
        while True:
            if not self._may_call(run, 'fetch'):
                return False
            page = run.client.query_metadata(run.access_token, window.filters(), page_offset=number, page_size=PAGE)
            hwm = hwm or page.hwm_date
            if mode == 'auto' and not number and (page.has_more or self._count_missing(run, page.invoices) > HANDFUL):
                return self._start_export(run, fetch_id, window)
            is_last = not page.has_more or page.is_truncated
            is_truncated = page.has_more and page.is_truncated
            if page.has_more and not page.invoices:
                raise self._stuck()
            position = self._page_position(window, page, is_last, is_truncated, hwm)
            self._store_page(run, fetch_id, page.invoices, position, is_last, is_truncated)
            if is_last:
                return True
            number += 1

    @api.model
    def _stuck(self):
        return KsefIntegrityError("KSeF says that there are more invoices, and lists none.")

    @api.model
    def _page_position(self, window, page, is_last, is_truncated, hwm):
        """Up to where everything is here once this page is stored, or None when that is no further than before."""
        last = page.invoices and self._date_of(page.invoices[-1], window.date_type)
        if is_last:
            return checkpoint.advance(window, datetime.now(UTC), is_truncated=is_truncated, last=last or None, hwm=hwm)
        # What is final and sorted by its date can be ticked off page by page.
        is_final = window.date_type == checkpoint.DateType.STORAGE and window.final_only
        return last if is_final and last and last > window.start else None

    @api.model
    def _date_of(self, item, date_type):
        """The moment by which KSeF sorts the invoice, or None."""
        if date_type == checkpoint.DateType.STORAGE:
            return item.permanent_storage_date
        return item.issue_date and datetime.combine(item.issue_date, datetime.min.time(), WARSAW)

    @api.model
    def _count_missing(self, run, items):
        """How many of the invoices have no bytes here yet."""
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            numbers = [item.ksef_number for item in items]
            known = env['ksef.received']._known(connection, numbers) if numbers else {}
        return len(items) - sum(state != 'listed' for _id, _roles, state in known.values())

    @api.model
    def _store_page(self, run, fetch_id, items, position, is_last, is_truncated):
        """Commit the rows of one page and, with them, how far the stretch is complete."""
        def store(env):
            fetch = env['ksef.fetch'].browse(fetch_id)
            if fetch.state != 'running':
                return
            new = env['ksef.received']._store(fetch.connection_id, fetch.role, [(item, None) for item in items])
            fetch.write({'seen_count': fetch.seen_count + len(items), 'new_count': fetch.new_count + len(new)})
            if is_last:
                fetch._advance(position, datetime.now(UTC))
                if is_truncated:
                    fetch.due_at = fields.Datetime.now()
            elif position:
                fetch.position = fetch._text(position)
        run.commit(store)

    # ------------------------------------------------------------------ trouble

    @api.model
    def _fetch_failed(self, run, fetch_id, error):
        """Nothing is concluded from an error: the position stays. Return whether the next stretch may follow."""
        _logger.info("KSeF connection %s: fetching failed: %s", run.connection_id, error)
        if isinstance(error, KsefRefusedError) and error.code == ApiCode.RANGE_BEYOND_DATA:
            self._nothing_new(run, fetch_id)
            return True
        if isinstance(error, KsefRateLimitError):
            self._pause(run, 'fetch_paused_until', error)
            self._drop_asked(run, fetch_id)
            return False
        if isinstance(error, KsefUnauthorizedError):
            self._write_credential(run, lambda credential: credential._forget_access())
            self._pause_connection(run, error)
            self._drop_asked(run, fetch_id)
            return False
        if isinstance(error, KsefConnectError):
            self._pause_connection(run, error)
            self._drop_asked(run, fetch_id)
            return False
        if isinstance(error, KsefRefusedError) and error.code == ApiCode.BAD_EXPORT_REQUEST:
            run.commit(lambda env: env['ksef.fetch'].browse(fetch_id)._end('failed', str(error)))
            return True
        # No answer says nothing about the package that KSeF prepares or holds ready.
        self._fetch_later(
            run, fetch_id, self._describe_fetch_error(run, error), keeps_export=isinstance(error, KsefUnconfirmedError))
        return True

    @api.model
    def _describe_fetch_error(self, run, error):
        with run.transaction() as env:
            if isinstance(error, KsefForbiddenError):
                return env._(
                    "KSeF does not allow this credential to read invoices (%(reason)s). Whoever grants rights in KSeF must give it "
                    "the right “dostęp do faktur”; fetching goes on by itself after that.",
                    reason=error.description or error.reason_code or str(error))
            return env._("Fetching did not succeed; it is tried again. %(error)s", error=str(error))

    @api.model
    def _nothing_new(self, run, fetch_id):
        """The stretch begins where KSeF's final data ends: nothing to fetch yet."""
        def wait(env):
            fetch = env['ksef.fetch'].browse(fetch_id)
            fetch._advance(fetch._moment(fetch.until or fetch.position), datetime.now(UTC))
        run.commit(wait)

    @api.model
    def _fetch_later(self, run, fetch_id, message, keeps_export=False):
        """Try again after longer and longer waits; with a new export, or with the one under way as long as that makes sense."""
        def later(env):
            fetch = env['ksef.fetch'].browse(fetch_id)
            if fetch.state != 'running':
                return
            failures = fetch.failures + 1
            is_kept = keeps_export and fetch.export_state == 'waiting' and failures < MOST_FAILURES
            fetch.write(({} if is_kept else fetch._no_export()) | {
                'failures': failures, 'message': message, 'last_run': fields.Datetime.now(),
                'due_at': env['ksef.document']._backoff(failures, first=FIRST_RETRY, most=LAST_RETRY)})
        run.commit(later)

    @api.model
    def _drop_asked(self, run, fetch_id):
        """An export that KSeF certainly did not begin leaves nothing to wait for; one that it prepares is kept."""
        def drop(env):
            fetch = env['ksef.fetch'].browse(fetch_id)
            if fetch.export_state == 'asked':
                fetch.write(fetch._no_export())
        run.commit(drop)
