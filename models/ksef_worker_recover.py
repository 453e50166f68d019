import logging
from datetime import timedelta

from odoo import api, fields, models

from ..ksef.crypto import sha256_b64
from ..ksef.errors import (
    ApiCode,
    KsefError,
    KsefForbiddenError,
    KsefGoneError,
    KsefIntegrityError,
    KsefProtocolError,
    KsefRefusedError,
    KsefUnreadableError,
)
from ..ksef.upo import read_upo
from .ksef_session import BATCH_AT_WORK

_logger = logging.getLogger(__name__)
# Answers that say "not here": the next way to the hash of an original is tried.
NOT_THERE = (
    KsefRefusedError, KsefForbiddenError, KsefGoneError, KsefProtocolError, KsefIntegrityError, KsefUnreadableError)


class KsefWorker(models.AbstractModel):
    """Finding out what became of documents whose answer was lost: by their hash, never by sending again."""
    _inherit = 'ksef.worker'

    @api.model
    def _mark_interrupted(self, run):
        """What is found in ``sending`` while nobody holds the lock was interrupted: its answer is lost.

        Not so in a batch that KSeF has not finished: there it is the session that is asked.
        """
        alone = [
            '|', '|', ('session_id', '=', False), ('session_id.kind', '!=', 'batch'), ('session_id.state', 'not in', BATCH_AT_WORK)]
        for document_id in self._due_ids(run, ['sending'], extra=alone):
            if run.time_left() <= 0:
                return
            self._apply(run, document_id, 'sending', 'unconfirmed', due_at=fields.Datetime.now())

    @api.model
    def _recover_unconfirmed(self, run):
        """Look the documents up in the lists of their sessions."""
        if self._is_paused(run, 'read_paused_until'):
            return
        for session_id, rows in self._due_by_session(run, ['unconfirmed']).items():
            if run.time_left() <= 0:
                return
            try:
                reports = self._session_by_hash(run, session_id)
            except KsefError as error:
                if not self._reading_failed(run, error, [row[0] for row in rows]):
                    return
                continue
            self._resume_connection(run)
            for document_id, _reference, xml_hash in rows:
                if run.time_left() <= 0:
                    return
                self._settle_unconfirmed(run, document_id, reports.get(xml_hash))

    @api.model
    def _session_by_hash(self, run, session_id):
        """KSeF's complete list of the session: {hash: InvoiceReport}; empty when KSeF has no such session."""
        reference = self._session_reference(run, session_id)
        if session_id and not reference:
            # Its opening was refused or never answered, so nothing was sent into it.
            return {}
        try:
            return {report.invoice_hash: report for report in run.client.session_invoices(run.access_token, reference)}
        except KsefRefusedError as error:
            if error.code == ApiCode.SESSION_NOT_FOUND:
                return {}
            raise

    @api.model
    def _settle_unconfirmed(self, run, document_id, report):
        """Found: sent. Not found, and long enough ago: the same bytes go again, unless their batch is still being processed."""
        if report:
            self._apply(
                run, document_id, 'unconfirmed', 'sent', reference_number=report.reference_number,
                sent_at=fields.Datetime.now(), polls=0, due_at=fields.Datetime.now())
            return
        grace = timedelta(seconds=run.settings['grace_seconds'])

        def settle(document):
            over = (document.claimed_at or document.create_date) + grace
            if document.session_id._is_batch_at_work():
                document.write({'due_at': fields.Datetime.now() + timedelta(seconds=60)})
            elif fields.Datetime.now() >= over:
                document._transition('queued', due_at=fields.Datetime.now())
            else:
                document.write({'due_at': min(over, fields.Datetime.now() + timedelta(seconds=15))})

        self._settle(run, document_id, 'unconfirmed', settle)

    # ------------------------------------------------------------------ 440: KSeF has this number already

    @api.model
    def _settle_duplicate(self, run, document_id, report, values):
        """KSeF has an invoice with this number: ours (a lost answer, found) or somebody else's (a real rejection).

        Only the bytes decide. Where the hash of the other document cannot be read, a person decides.
        """
        number = report.status.original_ksef_number
        session = report.status.original_session_reference
        values |= {'original_ksef_number': number or False, 'original_session_reference': session or False}
        with run.transaction() as env:
            xml_hash = env['ksef.document'].browse(document_id).xml_hash
        try:
            found = number and self._original_hash(run, number, session)
        except KsefError as error:
            # No answer now is no answer: the question is put again later.
            self._reading_failed(run, error, [document_id])
            return
        if not found:
            self._apply(run, document_id, 'sent', 'help', **values)
        elif found['hash'] != xml_hash:
            self._apply(run, document_id, 'sent', 'rejected', **values)
        else:
            self._accept(run, document_id, number, values | found['dates'])

    @api.model
    def _original_hash(self, run, number, session_reference):
        """Hash and dates of the original, from its session's list, its UPO, or else the invoice itself; or None.

        :raise KsefError: KSeF cannot be asked now
        """
        for look in (self._hash_from_session, self._hash_from_upo, self._hash_from_invoice):
            try:
                found = look(run, number, session_reference)
            except NOT_THERE as error:
                _logger.info("KSeF number %s: %s: %s", number, look.__name__, error)
                continue
            if found:
                return found
        return None

    @api.model
    def _hash_from_session(self, run, number, session_reference):
        if not session_reference:
            return None
        if session_reference not in run.session_lists:
            # All duplicates of one session cost one reading: KSeF counts them.
            run.session_lists[session_reference] = {
                report.ksef_number: report for report in run.client.session_invoices(run.access_token, session_reference)}
        report = run.session_lists[session_reference].get(number)
        return report and {'hash': report.invoice_hash, 'dates': {
            'invoicing_date': self._utc(report.invoicing_date),
            'acquisition_date': self._utc(report.acquisition_date),
            'permanent_storage_date': self._utc(report.permanent_storage_date),
            'invoicing_mode': report.invoicing_mode or False,
        }}

    @api.model
    def _hash_from_upo(self, run, number, session_reference):
        if not session_reference:
            return None
        for entry in read_upo(run.client.upo_by_number(run.access_token, session_reference, number)):
            if entry.ksef_number == number:
                return {'hash': entry.document_hash, 'dates': {
                    'invoicing_date': self._utc(entry.sent_at),
                    'acquisition_date': self._utc(entry.numbered_at),
                    'invoicing_mode': entry.mode or False,
                }}
        return None

    @api.model
    def _hash_from_invoice(self, run, number, _session_reference):
        return {'hash': sha256_b64(run.client.invoice_by_number(run.access_token, number)), 'dates': {}}
