import logging
from datetime import datetime

import psycopg2.errors
from odoo import SUPERUSER_ID, api, models

from .ksef_dates import WARSAW
from .ksef_document_offline import OFFLINE_MODES

_logger = logging.getLogger(__name__)


class KsefWorker(models.AbstractModel):
    """What was issued offline goes to KSeF by itself, the earliest deadline first; what does not get there calls a person."""
    _inherit = 'ksef.worker'

    @api.model
    def _cron_ksef_worker(self):
        """Deadlines count whether or not KSeF, or the connection, works."""
        try:
            self._warn_of_deadlines()
        except Exception:  # pylint: disable=broad-exception-caught
            _logger.exception("KSeF: the deadlines of offline invoices could not be looked at")
        super()._cron_ksef_worker()

    # ------------------------------------------------------------------ sending

    @api.model
    def _due_ids(self, run, states, limit=None, extra=()):
        """Of what waits to be sent, the earliest legal deadline comes first."""
        ids = super()._due_ids(run, states, limit, extra)
        if states != ['queued'] or len(ids) < 2:
            return ids
        with run.transaction() as env:
            owed = env['ksef.document'].search([('id', 'in', ids), ('offline_deadline', '!=', False)], order='offline_deadline, id').ids
        first = set(owed)
        return owed + [document_id for document_id in ids if document_id not in first]

    @api.model
    def _send_options(self, document):
        """How KSeF is told that an invoice was issued offline, and which rejected one it replaces."""
        if document.mode not in OFFLINE_MODES:
            return {}
        return {'offline': True, 'hash_of_corrected': document.hash_of_corrected or None}

    @api.model
    def _check_date(self, document):
        """The day of issue of what was issued offline is over before it is sent: that is what offline means."""
        if document.mode in OFFLINE_MODES and document.issue_date <= datetime.now(WARSAW).date():
            return True
        return super()._check_date(document)

    # ------------------------------------------------------------------ deadlines

    @api.model
    def _warn_of_deadlines(self):
        """An activity on the day of the deadline, and another one after it, each once."""
        today = datetime.now(WARSAW).date()
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            documents = env['ksef.document'].search(
                [*env['ksef.document']._owed_domain(), ('offline_deadline', '<=', today), ('offline_warning', '!=', 'overdue')])
            ids = [document.id for document in documents
                   if not document.connection_id.is_copied_database
                   and (document.offline_deadline < today or not document.offline_warning)]
        for document_id in ids:
            try:
                with self.env.registry.cursor() as cr:
                    # Another worker that has the row tells of it.
                    cr.execute("SELECT id FROM ksef_document WHERE id = %s FOR UPDATE SKIP LOCKED", [document_id])
                    if cr.fetchone():
                        api.Environment(cr, SUPERUSER_ID, {})['ksef.document'].browse(document_id)._warn_of_deadline(today)
            except psycopg2.errors.SerializationFailure:
                _logger.info("KSeF document %s: another worker writes about its deadline", document_id)
            except Exception:  # pylint: disable=broad-exception-caught
                # A template or another addon's rule for activities: it stops this warning, not the sending of all companies.
                _logger.exception("KSeF document %s: nobody could be told of its deadline", document_id)
