import logging

import psycopg2
from odoo import api, models

_logger = logging.getLogger(__name__)

# Rendered in one transaction: what the invoices have in common is read once, and somebody's edit of one holds up so many.
RENDER_CHUNK = 50


class KsefWorker(models.AbstractModel):
    """Rendering what a mass pick left to the workers, in groups; a group that can't be rendered is done one by one."""
    _inherit = 'ksef.worker'

    @api.model
    def _render_picked(self, run):
        """In groups as long as that works; the rest as before, so that one bad invoice is found and stops nobody."""
        seen = set()
        while run.time_left() > 0:
            ids = self._due_ids(run, ['picked'], limit=RENDER_CHUNK)
            if len(ids) < 2 or seen.intersection(ids) or not self._render_group(run, ids):
                break
            seen.update(ids)
        super()._render_picked(run)

    @api.model
    def _render_group(self, run, ids):
        """Return whether all of them were rendered (or found not to be fit)."""
        try:
            run.commit(lambda env: self._render_many(env, ids), retried=())
        except psycopg2.OperationalError as error:
            _logger.info("KSeF: %s invoices are rendered one by one, one of them is busy: %s", len(ids), error)
            return False
        except Exception as error:  # pylint: disable=broad-exception-caught  # noqa: BLE001
            # Which one it is, and what becomes of it, is found out one by one.
            _logger.info("KSeF: %s invoices are rendered one by one: %s", len(ids), type(error).__name__)
            return False
        self._sync(run, ids)
        return True

    @api.model
    def _render_many(self, env, ids):
        """As :meth:`_render_one`, for several."""
        documents = env['ksef.document'].browse(ids)
        documents._lock()
        documents = documents.filtered(lambda document: document.state == 'picked')
        gone = documents.filtered(lambda document: document.move_id.state != 'posted')
        gone._transition('cancelled')
        documents -= gone
        if documents:
            documents.move_id._ksef_rows_lock()
            documents._queue()
            documents.move_id._ksef_sync()
