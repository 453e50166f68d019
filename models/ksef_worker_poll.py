import base64
import logging
from datetime import timedelta

from odoo import api, fields, models

from ..ksef.errors import (
    InvoiceStatus,
    KsefConnectError,
    KsefError,
    KsefForbiddenError,
    KsefIntegrityError,
    KsefRateLimitError,
    KsefUnauthorizedError,
    Verdict,
    classify_invoice_status,
)
from ..ksef.upo import read_upo

_logger = logging.getLogger(__name__)

# Up to this many open documents of a session are asked for one by one, more by the session's list.
SINGLE_QUESTIONS = 3
# Seconds between questions after the quick ones: a minute, then longer, at most a quarter of an hour.
SLOW_POLLS = (30, 60, 60, 120, 300, 600, 900)


class KsefWorker(models.AbstractModel):
    """Asking what became of sent documents, and fetching the UPO of accepted ones."""
    _inherit = 'ksef.worker'

    @api.model
    def _poll_due(self, run, polls):
        """When to ask (again) after ``polls`` questions."""
        waits = [*run.settings['poll_waits'], *SLOW_POLLS]
        return fields.Datetime.now() + timedelta(seconds=waits[min(polls, len(waits) - 1)])

    @api.model
    def _poll_sent(self, run):
        """Ask about every due document, session by session."""
        if self._is_paused(run, 'read_paused_until'):
            return
        for session_id, rows in self._due_by_session(run, ['sent']).items():
            if run.time_left() <= 0:
                return
            try:
                reports = self._ask_session(run, session_id, rows)
            except KsefError as error:
                if not self._reading_failed(run, error, [row[0] for row in rows]):
                    return
                continue
            self._resume_connection(run)
            for document_id, report in reports:
                if run.time_left() <= 0:
                    return
                self._take_report(run, document_id, report)

    @api.model
    def _due_by_session(self, run, states):
        """Due documents: {session id: [(document id, reference number, hash)]}."""
        with run.transaction() as env:
            documents = env['ksef.document'].search([
                ('connection_id', '=', run.connection_id), ('state', 'in', states), ('due_at', '<=', fields.Datetime.now()),
            ], order='due_at, id')
            return {
                session.id: [(document.id, document.reference_number, document.xml_hash) for document in group]
                for session, group in documents.grouped('session_id').items()
            }

    @api.model
    def _session_reference(self, run, session_id):
        with run.transaction() as env:
            return env['ksef.session'].browse(session_id).reference_number

    @api.model
    def _ask_session(self, run, session_id, rows):
        """Return [(document id, InvoiceReport or None)] for the rows: None where KSeF's list doesn't have it."""
        reference = self._session_reference(run, session_id)
        if len(rows) <= SINGLE_QUESTIONS:
            return [(document_id, run.client.invoice(run.access_token, reference, number)) for document_id, number, _h in rows]
        by_reference = {report.reference_number: report for report in run.client.session_invoices(run.access_token, reference)}
        return [(document_id, by_reference.get(number)) for document_id, number, _h in rows]

    @api.model
    def _reading_failed(self, run, error, document_ids):
        """A question went unanswered: nothing is concluded from that. Return whether to go on with the next."""
        _logger.info("KSeF connection %s: no answer about %s documents: %s", run.connection_id, len(document_ids), error)
        if isinstance(error, KsefRateLimitError) and error.http_status is None:
            # Held back here, for one kind of question: only these documents wait, other questions go on.
            due_at = fields.Datetime.now() + timedelta(seconds=(error.retry_after or 60) + 1)
            run.commit(lambda env: env['ksef.document'].browse(document_ids).write({'due_at': due_at}))
            return True
        if isinstance(error, KsefRateLimitError):
            self._pause(run, 'read_paused_until', error)
            return False
        if isinstance(error, KsefUnauthorizedError):
            self._write_credential(run, lambda credential: credential._forget_access())
            self._pause_connection(run, error)
            return False
        if isinstance(error, KsefForbiddenError):
            self._stop_connection(run, self._describe_forbidden(run, error), str(error.reason_code or error.http_status))
            return False
        if isinstance(error, KsefConnectError):
            self._pause_connection(run, error)
            return False
        self._later(run, document_ids)
        return True

    @api.model
    def _later(self, run, document_ids, **values):
        """Ask about the documents again later, at growing intervals; the state stays."""
        def postpone(env):
            for document in env['ksef.document'].browse(document_ids):
                document.write({'polls': document.polls + 1, 'due_at': self._poll_due(run, document.polls), **values})
        run.commit(postpone)

    # ------------------------------------------------------------------ what KSeF said

    @api.model
    def _take_report(self, run, document_id, report):
        """Draw the conclusion from KSeF's answer about one document."""
        if report is None:
            self._later(run, [document_id])
            return
        values = self._report_values(report)
        match classify_invoice_status(report.status.code):
            case Verdict.PENDING:
                self._later(run, [document_id], status_code=report.status.code, status_description=report.status.description)
            case Verdict.ACCEPTED if report.ksef_number:
                self._accept(run, document_id, report.ksef_number, values)
            case Verdict.DUPLICATE:
                self._settle_duplicate(run, document_id, report, values)
            case Verdict.SESSION_FAULT:
                self._send_again(run, document_id, values)
            case Verdict.REJECTED:
                self._apply(run, document_id, 'sent', 'rejected', **values)
            case _:
                self._doubt(run, document_id, report, values)

    @api.model
    def _report_values(self, report):
        """The facts of an InvoiceReport as values of the document."""
        return {
            'reference_number': report.reference_number,
            'status_code': report.status.code,
            'status_description': report.status.description,
            'status_details': "\n".join(report.status.details or ()) or False,
            'invoicing_date': self._utc(report.invoicing_date),
            'acquisition_date': self._utc(report.acquisition_date),
            'permanent_storage_date': self._utc(report.permanent_storage_date),
            'invoicing_mode': report.invoicing_mode or False,
        }

    @api.model
    def _accept(self, run, document_id, ksef_number, values):
        """KSeF has accepted it: the number first, the UPO next."""
        self._apply(run, document_id, 'sent', 'accepted', ksef_number=ksef_number, polls=0, due_at=fields.Datetime.now(), **values)

    @api.model
    def _send_again(self, run, document_id, values):
        """The session's fault, not the invoice's: the same bytes into a new session, at most three times."""
        limit = run.settings['resend_limit']

        def again(document):
            session = document.session_id
            if session.state in ('open', 'closing'):
                session.write({'state': 'failed', 'due_at': False, 'status_code': values['status_code']})
            if document.session_restarts >= limit:
                document._transition('help', **values)
                return
            document._transition(
                'queued', session_restarts=document.session_restarts + 1, due_at=fields.Datetime.now(),
                **(values | {'reference_number': False}))

        self._settle(run, document_id, 'sent', again)

    @api.model
    def _doubt(self, run, document_id, report, values):
        """An answer that decides nothing: ask once more when KSeF reports its own error, then call a person."""
        with run.transaction() as env:
            seen = env['ksef.document'].browse(document_id).status_code
        if report.status.code == InvoiceStatus.UNKNOWN_ERROR and seen != report.status.code:
            self._later(run, [document_id], **{key: values[key] for key in ('status_code', 'status_description', 'status_details')})
        else:
            self._apply(run, document_id, 'sent', 'help', **values)

    # ------------------------------------------------------------------ UPO

    @api.model
    def _fetch_upos(self, run):
        """Fetch the UPO of accepted documents that have none yet, byte for byte."""
        if self._is_paused(run, 'read_paused_until'):
            return
        for document_id in self._due_upos(run):
            if run.time_left() <= 0:
                return
            try:
                content = self._download_upo(run, document_id)
            except KsefIntegrityError as error:
                _logger.warning("KSeF document %s: %s", document_id, error)
                self._later(run, [document_id])
                continue
            except KsefError as error:
                if not self._reading_failed(run, error, [document_id]):
                    return
                continue
            self._store_upo(run, document_id, content)

    @api.model
    def _due_upos(self, run):
        """Ids of the accepted documents whose UPO is to be fetched now, in that order."""
        return self._due_ids(run, ['accepted'], extra=[('has_upo', '=', False)])

    @api.model
    def _download_upo(self, run, document_id):
        with run.transaction() as env:
            document = env['ksef.document'].browse(document_id)
            number = document.ksef_number
            expected = document.xml_hash
            session_reference = document.original_session_reference or document.session_id.reference_number
            reference = False if document.original_session_reference else document.reference_number
        if reference:
            content = run.client.upo_by_reference(run.access_token, session_reference, reference)
        else:
            content = run.client.upo_by_number(run.access_token, session_reference, number)
        if not any(entry.ksef_number == number and entry.document_hash == expected for entry in read_upo(content)):
            raise KsefIntegrityError("the UPO is not that of the document sent", operation="UPO")
        return content

    @api.model
    def _store_upo(self, run, document_id, content):
        """Keep the UPO and show it; the state stays accepted."""
        # The row is locked first: a race lost in the UPDATE itself would put the whole UPO into the server's log.
        self._settle(run, document_id, 'accepted', lambda document: document.write(
            {'upo': base64.b64encode(content), 'has_upo': True, 'due_at': False, 'upo_link': False}))
        run.done['upo'] += 1
        run.commit(lambda env: env['ksef.document'].browse(document_id).move_id._ksef_notify())
