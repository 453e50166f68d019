import base64

from odoo import api, fields, models
from odoo.tools import SQL

from ..ksef.errors import KsefForbiddenError, KsefGoneError, KsefIntegrityError, KsefRefusedError
from ..ksef.upo import read_upo
from .ksef_takeover_other import UPO_SECONDS

# So many receipts of documents taken over are fetched in one run.
UPOS_AT_ONCE = 3


class KsefWorker(models.AbstractModel):
    """Documents that another program has sent are followed like the own ones, but never sent again."""
    _inherit = 'ksef.worker'

    @api.model
    def _read_taken_over(self, run, document_ids):
        """{field: value} of the first of the documents when all were taken over, else {}."""
        with run.transaction() as env:
            documents = env['ksef.document'].browse(document_ids)
            if not documents or not all(documents.mapped('origin')):
                return {}
            document = documents[:1]
            return {
                'number': document.ksef_number, 'reference': document.reference_number, 'hash': document.xml_hash,
                'session': document.session_id.reference_number, 'state': document.state,
            }

    @api.model
    def _send_again(self, run, document_id, values):
        """A fault of the other program's session: the invoice is not in KSeF, and its bytes are not ours to send."""
        if self._read_taken_over(run, [document_id]):
            self._apply(run, document_id, 'sent', 'rejected', **values)
        else:
            super()._send_again(run, document_id, values)

    @api.model
    def _settle_duplicate(self, run, document_id, report, values):
        """Without the other program's file nobody can tell whether the original is this one."""
        found = self._read_taken_over(run, [document_id])
        if found and not found['hash']:
            status = report.status
            self._apply(run, document_id, 'sent', 'help', **values, original_ksef_number=status.original_ksef_number or False)
        else:
            super()._settle_duplicate(run, document_id, report, values)

    @api.model
    def _reading_failed(self, run, error, document_ids):
        """What KSeF does not tell about another program's documents is no trouble of the connection."""
        found = isinstance(error, (KsefForbiddenError, KsefRefusedError, KsefGoneError)) and self._read_taken_over(
            run, document_ids)
        if not found:
            return super()._reading_failed(run, error, document_ids)
        for document_id in document_ids:
            if found['state'] == 'sent':
                self._apply(run, document_id, 'sent', 'help', **self._status_values(error))
            else:
                self._settle(run, document_id, found['state'], lambda document: document.write({
                    'due_at': False,
                    'takeover_note': document.env._("KSeF does not give this program the UPO: %(error)s", error=str(error)),
                }))
        return True

    @api.model
    def _due_upos(self, run):
        """The own documents first. Of those taken over, which may all be due after days without a connection, a few; the
        others are spread again, so that they don't use up what KSeF allows to be asked.
        """
        waiting = [('has_upo', '=', False)]
        own = self._due_ids(run, ['accepted'], extra=[*waiting, ('origin', '=', False)])
        taken = self._due_ids(run, ['accepted'], extra=[*waiting, ('origin', '!=', False)])
        if len(taken) > UPOS_AT_ONCE:
            run.commit(lambda env: env.cr.execute(SQL(
                """
                UPDATE ksef_document d SET due_at = %s + r.place * %s * interval '1 second'
                  FROM (SELECT k.id, ROW_NUMBER() OVER (ORDER BY k.due_at, k.id) AS place FROM ksef_document k
                         WHERE k.id IN %s AND k.state = 'accepted' AND k.has_upo IS NOT TRUE AND k.due_at IS NOT NULL) r
                 WHERE d.id = r.id
                """, fields.Datetime.now(), UPO_SECONDS, tuple(taken[UPOS_AT_ONCE:]))))
        return own + taken[:UPOS_AT_ONCE]

    @api.model
    def _download_upo(self, run, document_id):
        """The UPO of a document taken over is known by its KSeF number; it says which file KSeF has."""
        found = self._read_taken_over(run, [document_id])
        if not found:
            return super()._download_upo(run, document_id)
        if found['reference']:
            content = run.client.upo_by_reference(run.access_token, found['session'], found['reference'])
        else:
            content = run.client.upo_by_number(run.access_token, found['session'], found['number'])
        if all(entry.ksef_number != found['number'] for entry in read_upo(content)):
            raise KsefIntegrityError("the UPO is not that of the invoice taken over", operation="UPO")
        return content

    @api.model
    def _store_upo(self, run, document_id, content):
        if not self._read_taken_over(run, [document_id]):
            super()._store_upo(run, document_id, content)
            return

        def store(document):
            document.write({'upo': base64.b64encode(content), 'has_upo': True, 'due_at': False} | document._take_upo(content))
            document.move_id._ksef_sync()
        self._settle(run, document_id, 'accepted', store)
        run.commit(lambda env: env['ksef.document'].browse(document_id).move_id._ksef_notify())
