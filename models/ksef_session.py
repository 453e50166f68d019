import base64
from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..ksef.crypto import SessionSecret

# No invoice is sent into a session that ends within this time.
END_MARGIN = timedelta(minutes=10)


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
    document_ids = fields.One2many('ksef.document', 'session_id', readonly=True)

    secret_key = fields.Char(groups=fields.NO_ACCESS, copy=False)
    secret_iv = fields.Char(groups=fields.NO_ACCESS, copy=False)

    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')

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
