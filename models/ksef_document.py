import base64
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef import qr

STATES = [
    ('picked', "Picked"),
    ('queued', "Queued"),
    ('sending', "Being sent"),
    ('unconfirmed', "Unconfirmed"),
    ('sent', "Sent"),
    ('accepted', "Accepted"),
    ('rejected', "Rejected"),
    ('invalid', "To be corrected"),
    ('blocked', "Blocked"),
    ('help', "Needs help"),
    ('cancelled', "Withdrawn"),
]

# Every change of state there is (docs/architecture.md holds the table with its triggers); anything else is a mistake of
# the program and refused. Unknown answers never lead to accepted or rejected.
TRANSITIONS = {
    'picked': {'queued', 'invalid', 'cancelled', 'help'},
    'queued': {'sending', 'invalid', 'cancelled', 'help'},
    'sending': {'sent', 'queued', 'blocked', 'invalid', 'unconfirmed', 'help'},
    'unconfirmed': {'sent', 'accepted', 'queued', 'blocked', 'help'},
    'sent': {'sent', 'accepted', 'queued', 'rejected', 'help'},
    'blocked': {'queued', 'cancelled'},
    'help': {'unconfirmed', 'sent', 'accepted', 'rejected', 'queued'},
    'invalid': {'cancelled'},
    'accepted': set(),
    'rejected': set(),
    'cancelled': set(),
}
# States in which KSeF may have the document, or will: from here on the invoice is closed.
LOCKING_STATES = ('queued', 'sending', 'unconfirmed', 'sent', 'accepted', 'blocked', 'help')
# States in which the invoice has its one submission under way or done.
LIVE_STATES = ('picked', *LOCKING_STATES)
WITHDRAWABLE_STATES = ('picked', 'queued', 'invalid', 'blocked')
# States that wait for an answer of KSeF.
OPEN_STATES = ('queued', 'sending', 'unconfirmed', 'sent')
LETTERS = {
    'picked': 'W', 'queued': 'W', 'sending': 'W', 'unconfirmed': 'W', 'sent': 'O', 'accepted': 'A',
}
LIVE_SQL = f"state IN {LIVE_STATES}"


class TransitionRefused(UserError):
    """The document is no longer in a state from which it could go there."""


class KsefDocument(models.Model):
    """One legal submission of one invoice to KSeF.

    Its bytes (``xml``) are rendered once, proven, hashed and stored before anything is sent; they are never changed
    afterwards, because the QR codes, the technical correction and the recovery of lost answers all depend on the
    SHA-256 of exactly these bytes. Users read documents; only the code writes them, through :meth:`_transition`.

    XML and UPO are columns of the table rather than files: they are committed and backed up with the state that they
    prove.
    """
    _name = 'ksef.document'
    _description = "KSeF document"
    _order = 'id desc'
    _rec_name = 'invoice_number'

    move_id = fields.Many2one('account.move', string="Invoice", index=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, index=True, readonly=True)
    connection_id = fields.Many2one('ksef.connection', required=True, index=True, readonly=True, ondelete='restrict')
    environment = fields.Selection(related='connection_id.environment', store=True, readonly=True)
    session_id = fields.Many2one('ksef.session', readonly=True, index='btree_not_null', ondelete='restrict')
    user_id = fields.Many2one('res.users', string="Picked by", readonly=True)
    state = fields.Selection(STATES, required=True, default='picked', readonly=True, index=True)
    mode = fields.Selection(
        [
            ('online', "Online"),
            ('offline24', "Offline24"),
            ('offline', "Offline (system unavailable)"),
            ('emergency', "Emergency (KSeF failure)"),
            ('total_failure', "Total failure"),
        ],
        required=True, default='online', readonly=True, help="Tryb wystawienia")

    # What was frozen.
    xml = fields.Binary(string="XML as sent", attachment=False, readonly=True)
    xml_name = fields.Char(compute='_compute_names')
    xml_hash = fields.Char(string="SHA-256", readonly=True, index='btree_not_null', help="Skrót SHA-256 pliku XML (Base64)")
    xml_size = fields.Integer(readonly=True)
    invoice_number = fields.Char(readonly=True)
    invoice_kind = fields.Char(string="Kind", readonly=True, help="Rodzaj faktury: VAT, KOR …")
    seller_nip = fields.Char(string="Seller's NIP", readonly=True)
    issue_date = fields.Date(readonly=True, help="Data wystawienia")
    late_confirmed = fields.Boolean(
        readonly=True, help="The person who picked the invoice knows that its issue date is earlier than the day of sending.")
    hash_of_corrected = fields.Char(readonly=True, help="Technical correction: SHA-256 of the rejected document.")

    # What KSeF said.
    reference_number = fields.Char(readonly=True, index='btree_not_null', help="Numer referencyjny faktury: not the KSeF number.")
    ksef_number = fields.Char(string="KSeF number", readonly=True, index='btree_not_null', help="Numer KSeF")
    invoicing_date = fields.Datetime(readonly=True, help="When KSeF took the invoice for processing.")
    acquisition_date = fields.Datetime(
        string="KSeF number given on", readonly=True, help="Data nadania numeru KSeF: the day on which the buyer received it.")
    permanent_storage_date = fields.Datetime(readonly=True)
    upo = fields.Binary(string="UPO", attachment=False, readonly=True, help="Urzędowe Poświadczenie Odbioru, as received")
    upo_name = fields.Char(compute='_compute_names')
    has_upo = fields.Boolean(readonly=True)
    status_code = fields.Integer(string="KSeF status", readonly=True)
    status_description = fields.Char(readonly=True)
    status_details = fields.Text(readonly=True)
    invoicing_mode = fields.Char(readonly=True, help="Online or Offline, as KSeF marked the invoice.")
    original_session_reference = fields.Char(readonly=True)
    original_ksef_number = fields.Char(readonly=True, help="KSeF number of the other document with the same number.")
    findings = fields.Json(readonly=True)

    # How it goes on.
    attempts = fields.Integer(readonly=True, help="Calls that tried to send the document.")
    polls = fields.Integer(readonly=True)
    session_restarts = fields.Integer(readonly=True, help="New sessions needed because of a fault that was not the invoice's.")
    claimed_at = fields.Datetime(readonly=True)
    sent_at = fields.Datetime(readonly=True)
    due_at = fields.Datetime(readonly=True, help="When a worker must look at the document again.")
    sync_failures = fields.Integer(readonly=True, default=0)
    sync_pending = fields.Boolean(readonly=True, help="The invoice does not show this state yet.")
    verification_url = fields.Char(compute='_compute_verification_url', help="Link weryfikacyjny (KOD I)")

    _one_live = models.UniqueIndex(
        f'(move_id, connection_id) WHERE {LIVE_SQL}', "The invoice is on its way to KSeF already.")
    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')
    _to_sync = models.Index('(connection_id) WHERE sync_pending')

    @api.depends('invoice_number', 'ksef_number')
    def _compute_names(self):
        for document in self:
            name = document.ksef_number or (document.invoice_number or str(document.id)).replace('/', '_')
            document.xml_name = f"{name}.xml"
            document.upo_name = f"UPO_{name}.xml"

    @api.depends('xml_hash', 'seller_nip', 'issue_date', 'connection_id')
    def _compute_verification_url(self):
        for document in self:
            document.verification_url = bool(document.xml_hash) and qr.invoice_link(
                document.sudo().connection_id._get_environment(), document.seller_nip, document.issue_date, document.xml_hash)

    # ------------------------------------------------------------------ bytes

    def _get_xml(self):
        """The exact bytes that were or will be sent."""
        self.ensure_one()
        return base64.b64decode(self.with_context(bin_size=False, bin_size_xml=False).xml or b'')

    def _get_upo(self):
        """The exact bytes of the UPO as KSeF gave it."""
        self.ensure_one()
        return base64.b64decode(self.with_context(bin_size=False, bin_size_upo=False).upo or b'')

    # ------------------------------------------------------------------ state

    def _transition(self, state, **values):
        """Move the documents to ``state``, writing ``values`` with it; the only way a state changes.

        The rows are locked and read afresh, so that the decision stands on what the database says now. The invoice
        itself is not touched: the caller goes on with :meth:`_sync_moves`, in the same transaction when a person acts, in
        one of its own when KSeF answered.

        :raise TransitionRefused: the table of transitions does not allow the change.
        """
        self = self.sudo()
        self._lock()
        labels = dict(self._fields['state']._description_selection(self.env))
        for document in self:
            if not document._may_become(state):
                raise TransitionRefused(self.env._(
                    "The KSeF document of %(invoice)s cannot go from “%(old)s” to “%(new)s”. Reload the page to see its state.",
                    invoice=document.invoice_number or document.move_id.name or '', old=labels[document.state], new=labels[state],
                ))
        self.write({'state': state, 'due_at': False, 'sync_pending': True} | values)

    def _may_become(self, state):
        """Whether the table allows the change."""
        self.ensure_one()
        return state in TRANSITIONS[self.state]

    def _expect(self, *states):
        """Lock the row and make sure that what is about to be written is about the state that the row is in.

        :raise TransitionRefused: it has gone on meanwhile
        """
        self.ensure_one()
        self._lock()
        if self.state not in states:
            raise TransitionRefused(f"{self.invoice_number or self.id}: {self.state}, not {', '.join(states)}")

    def _postpone(self, state, seconds, **values):
        """Look at the documents again after some seconds, those that are still in ``state``."""
        self._lock()
        self.filtered(lambda document: document.state == state).write(
            {'due_at': fields.Datetime.now() + timedelta(seconds=seconds), **values})

    def _lock(self):
        """Wait for the rows, lock them, and forget what was read of them before."""
        if self.ids:
            self.flush_recordset()
            self.env.cr.execute('SELECT id FROM ksef_document WHERE id IN %s ORDER BY id FOR UPDATE', [tuple(self.ids)])
            self.invalidate_recordset()

    def _sync_moves(self):
        """Show the documents' states on their invoices, with a line in the chatter and a live message to open forms."""
        pending = self.sudo().filtered('sync_pending')
        if not pending:
            return
        moves = pending.move_id
        moves._ksef_sync()
        for document in pending:
            document._post_state()
        pending.write({'sync_pending': False, 'sync_failures': 0})
        moves._ksef_notify()

    def _post_state(self):
        """Write what happened to the chatter of the invoice, in its reader's words, secrets and noise left out."""
        self.ensure_one()
        body = self._get_state_message()
        if body and self.move_id:
            self.move_id.sudo().with_context(no_new_invoice=True)._message_log(body=body)

    def _get_state_message(self):
        """The chatter's sentence about the state reached, or False when it is not worth one."""
        self.ensure_one()
        language = self.user_id.lang or self.company_id.partner_id.lang
        self = self.with_context(lang=language)
        status = " ".join(filter(None, [
            str(self.status_code or ''), self.status_description or '', self.status_details or '']))
        match self.state:
            case 'accepted':
                return self.env._("KSeF accepted the invoice: number %(number)s.", number=self.ksef_number)
            case 'rejected':
                return self.env._("KSeF rejected the invoice: %(status)s", status=status)
            case 'invalid':
                return self.env._("The invoice was not sent to KSeF; it must be corrected first: %(findings)s",
                                  findings=self._findings_text())
            case 'help':
                return self.env._(
                    "The answer of KSeF about this invoice is not clear, so nothing is sent again by itself: %(status)s",
                    status=status or self._findings_text())
            case 'blocked':
                return self.env._("Sending to KSeF waits for the connection: %(status)s", status=status)
            case 'cancelled':
                return self.env._("Withdrawn before it was sent to KSeF.")
        return False

    def _findings_text(self):
        self.ensure_one()
        return " ".join(finding['message'] for finding in (self.findings or []))

    # ------------------------------------------------------------------ verbs of a person

    def _withdraw(self):
        """Take back what has not left yet; the invoice is free again.

        :raise UserError: one of them is with KSeF already, or may be.
        """
        self._lock()
        late = self.filtered(lambda document: document.state not in WITHDRAWABLE_STATES)
        if late:
            raise UserError(self.env._(
                "Too late to withdraw %(invoices)s: KSeF has the invoice already, or may have it. Wait for its answer; an "
                "accepted invoice can only be corrected by another one (faktura korygująca).",
                invoices=", ".join(late.mapped(lambda document: document.invoice_number or document.move_id.name or '')),
            ))
        self._transition('cancelled')
        self._sync_moves()

    def _check_again(self):
        """Have a worker ask KSeF again about everything that is not settled ("Get KSeF status")."""
        documents = self.sudo()
        documents._lock()
        helpless = documents.filtered(lambda document: document.state == 'help')
        for document in helpless:
            document._transition('sent' if document.reference_number else 'unconfirmed', polls=0)
        # In a batch the session is asked, and nothing is due for the single document: it is not lost.
        batched = documents.filtered(lambda document: document.state == 'sending' and document.session_id._is_batch_at_work())
        batched.session_id._hurry()
        (documents - batched).filtered(lambda document: document.state in OPEN_STATES or (
            document.state == 'accepted' and not document.has_upo)).write({'due_at': fields.Datetime.now()})
        documents._sync_moves()
        self.env['ksef.worker']._trigger_workers()

    @api.model
    def _release_blocked(self, connection):
        """The connection works again: what it held back may go on."""
        blocked = self.sudo().search([('connection_id', '=', connection.id), ('state', '=', 'blocked')])
        if blocked:
            blocked._transition('queued', due_at=fields.Datetime.now())
            blocked._sync_moves()

    @api.model
    def _backoff(self, count, first=5, most=900):
        """When to try again after ``count`` attempts in a row: 5 s, 10 s, 20 s … 15 min."""
        return fields.Datetime.now() + timedelta(seconds=min(first * 2 ** min(max(count - 1, 0), 20), most))
