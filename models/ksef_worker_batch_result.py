import base64
import logging

from odoo import api, fields, models

from ..ksef.errors import (
    ApiCode,
    KsefConnectError,
    KsefError,
    KsefIntegrityError,
    KsefRefusedError,
    KsefUnconfirmedError,
    SessionStatus,
    Verdict,
    classify_invoice_status,
)
from ..ksef.upo import read_upo
from .ksef_document import TransitionRefused

_logger = logging.getLogger(__name__)

# Answers written in one transaction, and shown on the invoices in another.
WRITE_CHUNK = 100
# Codes of a session that is over and of which KSeF says what was wrong: invoices that it does not list were not taken.
CERTAIN = {
    SessionStatus.PROCESSED, SessionStatus.NO_VALID_INVOICE, SessionStatus.BAD_PACKAGE, SessionStatus.BAD_KEY,
    SessionStatus.INVOICE_LIMIT, SessionStatus.BAD_ARCHIVE, SessionStatus.BAD_PART, SessionStatus.CANCELLED,
}
# UPOs that are fetched by their links before they are stored.
UPO_CHUNK = 10
# States of a document about which its session can still say something.
ASKED_STATES = ('sending', 'unconfirmed', 'sent')


class KsefWorker(models.AbstractModel):
    """What became of a batch session: one question for all its invoices, then its list, page by page, matched by hash."""
    _inherit = 'ksef.worker'

    @api.model
    def _batch_processing(self, run, session_id):
        """Ask about the session; once it is over, take what it says of each invoice."""
        reference = self._session_reference(run, session_id)
        try:
            report = run.client.session(run.access_token, reference)
        except KsefRefusedError as error:
            if error.code != ApiCode.SESSION_NOT_FOUND:
                raise
            self._lose_batch(run, session_id, error)
            return
        run.commit(lambda env: self._note_batch(env['ksef.session'].browse(session_id), report))
        if not SessionStatus.is_final(report.status.code):
            run.commit(lambda env: self._ask_batch_later(run, env['ksef.session'].browse(session_id)))
            return
        if self._take_batch_list(run, session_id, reference):
            self._finish_batch(run, session_id, report.status)

    @api.model
    def _note_batch(self, session, report):
        """Show how far KSeF is."""
        values = {
            'status_code': report.status.code, 'status_description': report.status.description, 'failures': 0,
            'accepted_count': report.successful or 0, 'failed_count': report.failed or 0,
        }
        session.write({name: value for name, value in values.items() if session[name] != value})

    @api.model
    def _ask_batch_later(self, run, session):
        """Ask again; a session that KSeF still calls open, although it was closed, is closed again."""
        is_open = session.status_code == SessionStatus.OPEN and session.polls >= len(run.settings['poll_waits'])
        session.write({
            'state': 'closing' if is_open else 'processing', 'polls': session.polls + 1, 'due_at': self._poll_due(run, session.polls)})

    @api.model
    def _lose_batch(self, run, session_id, error):
        """KSeF knows no such session: its documents are looked up by their hash, and go again when they are nowhere."""
        def lose(env):
            session = env['ksef.session'].browse(session_id)
            session._end('failed', status_code=error.code or 0, status_description=error.description)
            session.document_ids.filtered(lambda document: document.state == 'sending')._transition(
                'unconfirmed', due_at=fields.Datetime.now())
        run.commit(lose)

    # ------------------------------------------------------------------ the list

    @api.model
    def _take_batch_list(self, run, session_id, reference):
        """Read the session's list and settle what it says, page by page; return whether all of it was read.

        How far reading has come is committed after each page, so that a long list is read once. Where KSeF no longer takes
        that place, reading begins anew, once in a turn: what is settled already drops out.
        """
        def keep(token):
            run.commit(lambda env: env['ksef.session'].browse(session_id).write(
                {'list_token': token, 'due_at': fields.Datetime.now()}))

        with run.transaction() as env:
            token = env['ksef.session'].browse(session_id).list_token
        is_anew = False
        while True:
            try:
                page = run.client.session_invoice_page(run.access_token, reference, token or None)
            except KsefRefusedError as error:
                if not token or is_anew:
                    raise
                _logger.info("KSeF batch session %s: its list is read from the beginning: %s", session_id, error)
                token, is_anew = False, True
                keep(token)
                continue
            if not self._take_page(run, session_id, page.reports):
                return False
            token = page.continuation
            keep(token)
            if not token:
                return True
            if run.time_left() <= 0:
                return False

    @api.model
    def _take_page(self, run, session_id, reports):
        """Settle the documents of one page: those accepted all at once, the others one by one.

        :return: whether the whole page was taken; when not, for lack of time, the rest is found when it is read again
        """
        reports = list(reports)
        accepted = []
        for start in range(0, len(reports), WRITE_CHUNK):
            # Only after something was settled, so that each turn comes further.
            if accepted and run.time_left() <= 0:
                return False
            run.check_lock()
            by_hash = {report.invoice_hash: report for report in reports[start:start + WRITE_CHUNK]}
            accepted, others = self._write_chunk(run, session_id, by_hash)
            if accepted:
                self._sync(run, accepted)
            for document_id, report in others:
                if run.time_left() <= 0:
                    # They are written as sent and due: they are asked about like single ones.
                    break
                self._take_report(run, document_id, report)
        return True

    @api.model
    def _write_chunk(self, run, session_id, by_hash):
        """Write what KSeF says of some documents; a row that another worker has settled meanwhile stands."""
        try:
            return run.commit(lambda env: self._write_reports(env, session_id, by_hash))
        except TransitionRefused as error:
            _logger.warning("KSeF batch session %s: settled by another worker: %s", session_id, error)
            return [], []

    @api.model
    def _write_reports(self, env, session_id, by_hash):
        """:return: (ids of the accepted documents, [(id, report)] of those that need a closer look, in the state ``sent``)"""
        documents = env['ksef.document'].search([
            ('session_id', '=', session_id), ('xml_hash', 'in', list(by_hash)), ('state', 'in', ASKED_STATES)])
        box, now = env['ksef.secret.box'], fields.Datetime.now()
        accepted, others = {}, {}
        for document in documents:
            report = by_hash[document.xml_hash]
            is_accepted = classify_invoice_status(report.status.code) == Verdict.ACCEPTED and report.ksef_number
            values = {'sent_at': document.sent_at or now, 'polls': 0, 'due_at': now}
            if is_accepted:
                accepted[document] = values | self._report_values(report) | {
                    'ksef_number': report.ksef_number, 'upo_link': box._encrypt(report.upo_url or '')}
            else:
                others[document] = values | {'reference_number': report.reference_number}
        documents.browse(document.id for document in accepted)._transition_each(['sent', 'accepted'], accepted)
        documents.browse(document.id for document in others)._transition_each(['sent'], others)
        return [document.id for document in accepted], [(document.id, by_hash[document.xml_hash]) for document in others]

    # ------------------------------------------------------------------ the end

    @api.model
    def _finish_batch(self, run, session_id, status):
        """The list is complete: what it does not have was not taken, as far as KSeF says what was wrong."""
        is_good = status.code in (SessionStatus.PROCESSED, SessionStatus.NO_VALID_INVOICE)
        state = 'done' if is_good else 'failed'
        said = {
            'status_code': status.code, 'status_description': status.description,
            'status_details': "\n".join(status.details or ()) or False,
        }
        if status.code == SessionStatus.INVOICE_LIMIT:
            self._forget_limits(run)
        if status.code in CERTAIN:
            self._release_batch(run, session_id, state, {}, **said)
        else:
            self._doubt_batch(run, session_id, state, said)

    @api.model
    def _doubt_batch(self, run, session_id, state, said):
        """KSeF reports its own error, or a code that nobody knows: that is no verdict, a person must look."""
        def doubt(env):
            env['ksef.session'].browse(session_id)._end(state)
            documents = env['ksef.document'].search([('session_id', '=', session_id), ('state', '=', 'sending')])
            documents._transition('help', **said)
            return documents.ids
        self._sync(run, run.commit(doubt))

    # ------------------------------------------------------------------ UPO

    @api.model
    def _fetch_upos(self, run):
        """By the links of the list first: they need no token and count against no limit."""
        self._fetch_linked_upos(run)
        return super()._fetch_upos(run)

    @api.model
    def _fetch_linked_upos(self, run):
        """Fetch the UPO of documents whose link is known; where the link leads nowhere, KSeF is asked instead.

        Each attempt may last as long as the time-outs allow, so after one that nobody answers the others wait.
        """
        is_reached = True
        while is_reached and run.time_left() > 0:
            with run.transaction() as env:
                documents = env['ksef.document'].search([
                    ('connection_id', '=', run.connection_id), ('state', '=', 'accepted'), ('has_upo', '=', False),
                    ('upo_link', '!=', False), ('due_at', '<=', fields.Datetime.now()),
                ], order='due_at, id', limit=UPO_CHUNK)
                box = env['ksef.secret.box']
                todo = [(document.id, document.ksef_number, document.xml_hash, box._decrypt(document.upo_link)) for document in documents]
            if not todo:
                return
            contents = []
            for document_id, *link in todo:
                content, is_reached = self._linked_upo(run, *link)
                contents.append((document_id, content))
                if not is_reached or run.time_left() <= 0:
                    break
            self._store_upos(run, contents)

    @api.model
    def _linked_upo(self, run, number, xml_hash, url):
        """The UPO behind a link, or None when it is not to be had there; and whether there was an answer at all."""
        try:
            content = run.client.upo_by_link(url)
            if any(entry.ksef_number == number and entry.document_hash == xml_hash for entry in read_upo(content)):
                return content, True
            raise KsefIntegrityError("the UPO is not that of the document sent", operation="GET UPO")
        except KsefError as error:
            _logger.info("KSeF number %s: no UPO by its link: %s", number, error)
            return None, not isinstance(error, (KsefUnconfirmedError, KsefConnectError))

    @api.model
    def _store_upos(self, run, contents):
        """Keep the UPOs that have come; the link is used up in any case."""
        def store(env):
            stored = env['ksef.document']
            documents = stored.browse(document_id for document_id, _content in contents)
            documents._lock()
            for document, (_id, content) in zip(documents, contents, strict=True):
                if document.state == 'accepted' and not document.has_upo and content:
                    document.write({'upo': base64.b64encode(content), 'has_upo': True, 'due_at': False, 'upo_link': False})
                    stored |= document
                else:
                    document.upo_link = False
            return stored.ids
        ids = run.commit(store)
        run.commit(lambda env: env['ksef.document'].browse(ids).move_id._ksef_notify())
