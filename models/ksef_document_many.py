import base64
from itertools import pairwise

from odoo import api, fields, models

from .ksef_call import CONSENT_AGE
from .ksef_document import TRANSITIONS, TransitionRefused
from .ksef_invoice_context import Entry
from .ksef_invoice_findings import Issue


class KsefDocument(models.Model):
    """What KSeF says of many documents at once, written in a few statements."""
    _inherit = 'ksef.document'

    upo_link = fields.Char(
        readonly=True, copy=False, groups=fields.NO_ACCESS, help="Pre-signed link to the UPO, encrypted, until the UPO is here.")

    @api.model
    def _read_xml(self, ids):
        """The frozen bytes of many documents, without filling the cache: [(id, bytes)] in the order of the ids."""
        if not ids:
            return []
        self.flush_model(['xml'])
        self.env.cr.execute("SELECT id, xml FROM ksef_document WHERE id IN %s ORDER BY id", [tuple(ids)])
        return [(number, base64.b64decode(bytes(content or b''))) for number, content in self.env.cr.fetchall()]

    def _transition_each(self, states, values):
        """Move each document through ``states`` to the last of them, with its own values; see :meth:`_transition`.

        :param states: the states to pass through, all in this transaction
        :param values: {document: values}
        :raise TransitionRefused: for one of them the table does not allow it; then none is moved
        """
        documents = self.sudo()
        documents._lock()
        for document in documents:
            path = [document.state, *states] if document.state not in states else states[states.index(document.state):]
            for before, after in pairwise(path):
                if after not in TRANSITIONS[before]:
                    raise TransitionRefused(f"{document.invoice_number or document.id}: {before}, then {after}")
        for document in documents:
            document.write({'state': states[-1], 'due_at': False, 'sync_pending': True} | values[document])
        documents.flush_recordset()

    def _consent_finding(self):
        """KSeF takes no attachments from this company: why the document was not sent."""
        self.ensure_one()
        move = self.move_id.with_context(lang=self.user_id.lang)
        issue = Issue.error('attachment-consent', move, 'ksef_block_ids', value='')
        return move._ksef_issue_dict(issue, Entry(move))

    def _wait_for_consent(self):
        """It stays queued until KSeF is asked about attachments again; the invoice says meanwhile what it waits for."""
        finding = self._consent_finding()
        others = [known for known in self.findings or [] if known['code'] != finding['code']]
        self.write({'due_at': fields.Datetime.now() + CONSENT_AGE, 'findings': [*others, finding], 'sync_pending': True})
