import logging
from collections import namedtuple
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..ksef import api as api_operations
from ..ksef.errors import KsefError, KsefForbiddenError, KsefRateLimitError, KsefUnauthorizedError
from .ksef_call import CONSENT_AGE

_logger = logging.getLogger(__name__)

# Documents that KSeF takes one by one: with an attachment only as a technical correction.
SINGLE_DOMAIN = [
    '|', ('move_id.ksef_block_ids', '=', False), ('hash_of_corrected', '!=', False),
]
# Bytes of invoices in one package, before they are compressed: what fits one part in any case, and is packed in seconds.
MOST_BYTES = 95_000_000
# After so many faults of whole sessions a document goes alone, so that it can't hold others back.
ALONE_AFTER = 2
LIMITS_AGE = timedelta(days=1)

Waiting = namedtuple('Waiting', 'id size offline attached single')


class KsefWorker(models.AbstractModel):
    """The choice between single sending and a batch: by how many wait, their size, the limits, and attachments."""
    _inherit = 'ksef.worker'

    @api.model
    def _send_batches(self, run):
        """Send in batches what is better sent so; return whether single sending may follow."""
        while run.time_left() > 0:
            chosen, offline = self._choose_batch(run)
            if not chosen:
                return True
            if not self._may_send(run, api_operations.OPEN_BATCH) or not self._start_batch(run, chosen, offline):
                return False
        return False

    @api.model
    def _choose_batch(self, run):
        """:return: (ids of documents for one batch, or [], whether they were issued offline)"""
        with run.transaction() as env:
            waiting = self._waiting(env, run)
            connection = env['ksef.connection'].browse(run.connection_id)
            paused_until = connection.batch_paused_until
            is_off = bool(paused_until and paused_until > fields.Datetime.now())
        if is_off:
            self._hold_attached(run, waiting, paused_until)
        if is_off or not waiting or not self._wants_batch(run, waiting):
            return [], False
        waiting = self._settle_consent(run, waiting)
        most = self._batch_limit(run)
        for offline in (True, False):
            group = [item for item in waiting if item.offline == offline]
            single = [item for item in group if not item.attached]
            if not self._wants_batch(run, group):
                continue
            if not self._is_many(run, len([item for item in single if not item.single])):
                group = [item for item in group if item.attached]
            return self._cut([item for item in group if not item.single], most), offline
        return [], False

    @api.model
    def _hold_attached(self, run, waiting, until):
        """While no batches are sent, what can only go in one waits; else the workers would turn round and round."""
        ids = [item.id for item in waiting if item.attached]
        if not ids:
            return

        def hold(env):
            documents = env['ksef.document'].browse(ids)
            documents._lock()
            documents.filtered(lambda document: document.state == 'queued').write({'due_at': until})
        run.commit(hold)

    @api.model
    def _wants_batch(self, run, waiting):
        """Whether some of the documents go in a batch: with an attachment always, else when they are many."""
        if any(item.attached for item in waiting):
            return True
        return self._is_many(run, sum(not item.single for item in waiting))

    @api.model
    def _is_many(self, run, count):
        """Whether so many documents are better sent in a batch; fewer are when the hour's single sendings are used up."""
        from_count = run.settings['batch_from']
        if not from_count or count < 2:
            return False
        left = run.budget.left_this_hour(api_operations.SEND_INVOICE)
        return count >= from_count or (left is not None and left < count)

    @api.model
    def _waiting(self, env, run):
        """What is queued and due: issued offline first, the oldest first of these, then in the order of picking."""
        rows = env.execute_query(SQL(
            """
            SELECT d.id, COALESCE(d.xml_size, 0), d.mode NOT IN ('online', 'total_failure'),
                   d.hash_of_corrected IS NULL AND EXISTS (SELECT 1 FROM ksef_invoice_block b WHERE b.move_id = d.move_id),
                   d.hash_of_corrected IS NOT NULL OR COALESCE(d.session_restarts, 0) >= %(alone)s
              FROM ksef_document d
             WHERE d.connection_id = %(connection)s AND d.state = 'queued' AND d.due_at <= %(now)s
          ORDER BY d.mode = 'online', CASE WHEN d.mode != 'online' THEN d.issue_date END, d.due_at, d.id
            """, connection=run.connection_id, now=fields.Datetime.now(), alone=ALONE_AFTER))
        # What may only go in a batch goes there, however often a session has failed; it is counted and ends with a person.
        return [Waiting(*row[:4], single=row[4] and not row[3]) for row in rows]

    @api.model
    def _cut(self, waiting, most):
        """Ids of the first documents that fit one package."""
        chosen, size = [], 0
        for item in waiting[:most]:
            size += item.size
            if chosen and size > MOST_BYTES:
                break
            chosen.append(item.id)
        return chosen

    # ------------------------------------------------------------------ what KSeF allows

    @api.model
    def _batch_limit(self, run):
        """Invoices in one batch: the system parameter, and what KSeF allows this context, asked for once a day."""
        most = int(run.settings['batch_most'])
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            is_known = connection.limits_at and connection.limits_at > fields.Datetime.now() - LIMITS_AGE
            allowed = connection.batch_most
        if not is_known:
            allowed = self._ask_limits(run) or allowed
        return min(most, allowed) if allowed else most

    @api.model
    def _ask_limits(self, run):
        """Ask KSeF for the limits of this context and keep them; return the size of a batch, or None."""
        try:
            limits = run.client.context_limits(run.access_token)
            rates = run.client.rate_limits(run.access_token)
        except KsefError as error:
            # The published limits hold until they are asked for again.
            _logger.info("KSeF connection %s: its limits are not known: %s", run.connection_id, error)
            return None
        told = {group: [rate.per_second, rate.per_minute, rate.per_hour] for group, rate in rates.items()}
        run.commit(lambda env: env['ksef.connection'].browse(run.connection_id).write({
            'batch_most': limits.batch.invoices or 0, 'collective_most': limits.collective_invoices or 0, 'call_rates': told,
            'limits_at': fields.Datetime.now()}))
        return limits.batch.invoices

    @api.model
    def _forget_limits(self, run):
        """KSeF takes fewer than was thought: ask before the next batch."""
        run.commit(lambda env: env['ksef.connection'].browse(run.connection_id).write({'limits_at': False}))

    # ------------------------------------------------------------------ attachments

    @api.model
    def _settle_consent(self, run, waiting):
        """Whether the company may send attachments; without it such documents wait for a person. Return what may go.

        What was issued offline must go as it is: it stays queued, and consent is asked for again later.
        """
        attached = [item.id for item in waiting if item.attached]
        if not attached or self._has_consent(run):
            return waiting

        def refuse(env):
            documents = env['ksef.document'].browse(attached)
            documents._lock()
            for document in documents.filtered(lambda document: document.state == 'queued'):
                if document._is_offline():
                    document._wait_for_consent()
                else:
                    document._transition('invalid', findings=[document._consent_finding()])
        run.commit(refuse)
        for document_id in attached:
            self._sync(run, document_id)
        return [item for item in waiting if not item.attached]

    @api.model
    def _has_consent(self, run):
        """Whether KSeF takes attachments from this company; where it doesn't tell, sending will show."""
        with run.transaction() as env:
            connection = env['ksef.connection'].browse(run.connection_id)
            age = fields.Datetime.now() - (connection.attachments_at or fields.Datetime.now() - CONSENT_AGE)
            known = connection.attachments
        if known and age < CONSENT_AGE:
            return known != 'refused'
        try:
            permission = run.client.attachment_permission(run.access_token)
        except (KsefRateLimitError, KsefUnauthorizedError):
            return True
        except KsefForbiddenError:
            # Only who may see or manage rights is told.
            known = 'unknown'
        except KsefError as error:
            _logger.info("KSeF connection %s: whether attachments are allowed is not known: %s", run.connection_id, error)
            return True
        else:
            known = 'allowed' if permission.is_allowed else 'refused'
        run.commit(lambda env: env['ksef.connection'].browse(run.connection_id).write(
            {'attachments': known, 'attachments_at': fields.Datetime.now()}))
        return known != 'refused'
