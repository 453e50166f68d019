import base64
import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ksef.batch import MINUTES_PER_PART, Package, PackagePart, PartUpload
from ..ksef.crypto import SessionSecret
from ..ksef.types import Secret

# No invoice is sent into a session that ends within this time.
END_MARGIN = timedelta(minutes=10)
# States of a batch that is not over: its documents are nobody's business but the session's.
BATCH_AT_WORK = ('opening', 'uploading', 'closing', 'processing')


class KsefSession(models.Model):
    """A session of sending at KSeF (sesja interaktywna or wsadowa), with the key that its invoices are encrypted with.

    The row and its key are committed before KSeF is asked to open it; a session whose opening was never answered holds
    no invoice, so it is left alone (``lost``) and KSeF cancels it itself.
    """
    _name = 'ksef.session'
    _description = "KSeF session"
    _order = 'id desc'
    _rec_name = 'reference_number'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='connection_id.company_id', store=True, index=True)
    kind = fields.Selection([('online', "Interactive"), ('batch', "Batch")], required=True, default='online')
    offline = fields.Boolean(help="The documents of this batch were issued offline.")
    state = fields.Selection(
        [
            ('opening', "Opening"),
            ('open', "Open"),
            ('uploading', "Uploading"),
            ('closing', "Closing"),
            ('processing', "Processing"),
            ('done', "Processed"),
            ('failed', "Failed"),
            ('lost', "Opening unanswered"),
        ],
        required=True, default='opening', readonly=True)
    reference_number = fields.Char(readonly=True, index='btree_not_null', help="Numer referencyjny sesji")
    valid_until = fields.Datetime(readonly=True)
    last_used = fields.Datetime(readonly=True, default=fields.Datetime.now)
    status_code = fields.Integer(readonly=True)
    status_description = fields.Char(readonly=True)
    due_at = fields.Datetime(readonly=True, help="When a worker must look at the session again.")
    # A batch: what was declared when it was opened, and how far it has come.
    package = fields.Json(readonly=True, groups=fields.NO_ACCESS, help="Size and hash of the package and of its parts.")
    uploaded_parts = fields.Integer(readonly=True)
    part_count = fields.Integer(readonly=True)
    failures = fields.Integer(readonly=True, help="Attempts in a row that did not succeed.")
    polls = fields.Integer(readonly=True)
    list_token = fields.Char(readonly=True, groups=fields.NO_ACCESS, help="Where reading the session's list goes on.")
    invoice_count = fields.Integer(string="Invoices", readonly=True)
    accepted_count = fields.Integer(string="Accepted", readonly=True)
    failed_count = fields.Integer(string="Refused", readonly=True)
    progress = fields.Integer(compute='_compute_progress', help="Part of the invoices that KSeF has answered about.")
    document_ids = fields.One2many('ksef.document', 'session_id', readonly=True)

    secret_key = fields.Char(groups=fields.NO_ACCESS, copy=False)
    secret_iv = fields.Char(groups=fields.NO_ACCESS, copy=False)
    secret_uploads = fields.Char(groups=fields.NO_ACCESS, copy=False)

    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')

    @api.depends('invoice_count', 'accepted_count', 'failed_count')
    def _compute_progress(self):
        for session in self:
            answered = session.accepted_count + session.failed_count
            session.progress = 100 * answered // session.invoice_count if session.invoice_count else 0

    def _store_secret(self, secret):
        """Keep the session's key (``ksef.types.SessionSecret``), encrypted."""
        box = self.env['ksef.secret.box']
        self.sudo().write({
            'secret_key': box._encrypt(base64.b64encode(secret.key).decode()),
            'secret_iv': box._encrypt(base64.b64encode(secret.iv).decode()),
        })

    def _get_secret(self):
        """The key that the session's documents are encrypted with."""
        self.ensure_one()
        box = self.env['ksef.secret.box']
        session = self.sudo()
        return SessionSecret(
            key=base64.b64decode(box._decrypt(session.secret_key)),
            iv=base64.b64decode(box._decrypt(session.secret_iv)),
        )

    def _takes_invoices(self):
        """Whether invoices can be sent into this session now: it is open for a while yet, and its key is here."""
        self.ensure_one()
        if self.kind != 'online' or self.state != 'open' or not self.sudo().secret_key:
            return False
        if self.valid_until and self.valid_until <= fields.Datetime.now() + END_MARGIN:
            return False
        try:
            self._get_secret()
        except UserError:
            return False
        return True

    def action_close(self):
        """Close interactive sessions now instead of when they are idle, so that KSeF makes their collective UPO (S1-10)."""
        self.env['ksef.connection']._check_manager()
        self.check_access('read')
        sessions = self.sudo().filtered(lambda session: session.kind == 'online' and session.state == 'open')
        if not sessions:
            raise UserError(self.env._("Only an open interactive session can be closed."))
        sessions.due_at = fields.Datetime.now()
        self.env['ksef.worker']._trigger_workers()

    # ------------------------------------------------------------------ batches

    def _is_batch_at_work(self):
        """Whether this is a batch that KSeF has not finished: what became of its documents only its end tells."""
        return self.kind == 'batch' and self.state in BATCH_AT_WORK

    def _hurry(self):
        """Have a worker look at these sessions now, or as soon as KSeF takes questions again."""
        for session in self.sudo():
            session.due_at = max(fields.Datetime.now(), session.connection_id.read_paused_until or fields.Datetime.now())

    def _store_package(self, package):
        """Keep what is going to be declared (``ksef.batch.Package``), before KSeF is asked."""
        self.sudo().write({
            'package': {
                'size': package.size, 'hash': package.hash, 'compression': package.compression,
                'parts': [[part.ordinal, part.offset, part.size, part.hash] for part in package.parts],
            },
            'part_count': len(package.parts),
        })

    def _get_package(self):
        """The package as it was declared."""
        stored = self.sudo().package
        return Package(
            stored['size'], stored['hash'], stored['compression'], tuple(PackagePart(*part) for part in stored['parts']))

    def _store_opened(self, opened):
        """Keep the reference and the pre-signed links (``ksef.batch.OpenedBatch``), these encrypted: they are told once."""
        uploads = [[item.ordinal, item.method, item.url.reveal(), item.headers] for item in opened.uploads]
        minutes = MINUTES_PER_PART * len(uploads)
        self.sudo().write({
            'state': 'uploading',
            'reference_number': opened.reference_number,
            'valid_until': fields.Datetime.now() + timedelta(minutes=minutes),
            'secret_uploads': self.env['ksef.secret.box']._encrypt(json.dumps(uploads)),
            'last_used': fields.Datetime.now(),
            'due_at': fields.Datetime.now(),
            'failures': 0,
        })

    def _get_uploads(self):
        """Where the parts go (``ksef.batch.PartUpload``)."""
        uploads = json.loads(self.env['ksef.secret.box']._decrypt(self.sudo().secret_uploads))
        return [PartUpload(ordinal, method, Secret(url), headers) for ordinal, method, url, headers in uploads]

    def _has_secrets(self):
        """Whether the key and the links are here and can be opened on this host."""
        session = self.sudo()
        if not session.secret_key or not session.secret_uploads:
            return False
        try:
            self._get_secret()
        except UserError:
            return False
        return True

    def _end(self, state, **values):
        """The session is over; what encrypted it and where it went is needed no more."""
        self.sudo().write({'state': state, 'due_at': False, 'secret_uploads': False, 'list_token': False} | values)
