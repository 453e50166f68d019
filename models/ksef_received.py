import base64

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..ksef import qr
from ..ksef.checkpoint import Role
from .ksef_connection import ENVIRONMENTS
from .ksef_dates import warsaw_date
from .ksef_document import TransitionRefused

STATES = [
    ('listed', "Awaiting its XML"),
    ('stored', "To do"),
    ('imported', "Bill made"),
    ('linked', "Linked"),
    ('ignored', "Ignored"),
    ('disputed', "Not ours / disputed"),
    ('failed', "Failed"),
]
# Every change of state there is; anything else is a mistake of the program and refused.
TRANSITIONS = {
    'listed': {'stored', 'failed', 'ignored', 'linked'},
    'stored': {'imported', 'linked', 'ignored', 'disputed', 'failed'},
    'failed': {'listed', 'stored', 'imported', 'linked', 'ignored', 'disputed'},
    'imported': {'stored', 'disputed'},
    'linked': {'stored', 'disputed'},
    'ignored': {'listed', 'stored'},
    'disputed': {'listed', 'stored', 'imported'},
}
# In the order of what matters to the books when a company stands on one invoice in several roles.
ROLES = [
    ('buyer', "Purchase (buyer)"),
    ('seller', "Sale (seller)"),
    ('third', "Third party"),
    ('authorised', "Authorised entity"),
]
KSEF_ROLES = {
    'buyer': Role.BUYER, 'seller': Role.SELLER, 'third': Role.THIRD_PARTY, 'authorised': Role.AUTHORISED,
}


class KsefReceived(models.Model):
    """One invoice that KSeF holds for a company: what came in, and what was done with it in the books.

    A row is made from KSeF's metadata (``listed``) and completed with the bytes of the XML, whose hash is checked
    (``stored``). The bytes never change. A person, or a rule of the company, then makes a bill from it, links it to one
    that exists, or sets it aside; the program alone writes the state, through :meth:`_transition`.
    """
    _name = 'ksef.received'
    _description = "KSeF invoice"
    _inherit = ['mail.thread', 'mail.activity.mixin']
    # Nobody writes the rows; whoever reads them may write about them.
    _mail_post_access = 'read'
    _order = 'acquisition_date desc, id desc'
    _rec_name = 'invoice_number'

    connection_id = fields.Many2one('ksef.connection', required=True, index=True, readonly=True, ondelete='restrict')
    # Not indexed by itself: two of the indexes below begin with it.
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    environment = fields.Selection(ENVIRONMENTS, required=True, readonly=True)
    state = fields.Selection(STATES, required=True, default='listed', readonly=True, tracking=True)
    role = fields.Selection(
        ROLES, required=True, readonly=True, help="Perspektywa: as what the company stands on the invoice.")
    roles = fields.Char(string="All roles", readonly=True, help="All roles in which KSeF showed the invoice to the company.")

    # What KSeF's metadata says.
    ksef_number = fields.Char(string="KSeF number", required=True, readonly=True, index='trigram', help="Numer KSeF")
    invoice_number = fields.Char(string="Number", readonly=True, index='trigram', help="Numer faktury nadany przez sprzedawcę")
    invoice_kind = fields.Char(string="Kind", readonly=True, help="Rodzaj faktury: VAT, KOR, ZAL …")
    form_code = fields.Char(string="Form", readonly=True, help="Kod formularza: FA (3), FA (2), PEF, FA_RR …")
    issue_date = fields.Date(readonly=True, help="Data wystawienia")
    invoicing_date = fields.Datetime(readonly=True, help="When KSeF took the invoice for processing.")
    acquisition_date = fields.Datetime(
        string="Received", readonly=True, index=True,
        help="Data nadania numeru KSeF: the day on which an invoice is received, by law, unless it was handed over before.")
    handed_over_on = fields.Date(
        string="Handed over before", readonly=True, tracking=True,
        help="Data otrzymania: the day on which an invoice issued offline came to the company in another way, before its KSeF number.")
    handed_over_reason = fields.Char(string="How it came", readonly=True, tracking=True)
    permanent_storage_date = fields.Datetime(readonly=True)
    seller_nip = fields.Char(string="Seller's NIP", readonly=True, index=True)
    seller_name = fields.Char(string="Seller", readonly=True, index='trigram')
    buyer_identifier_type = fields.Char(readonly=True)
    buyer_identifier = fields.Char(string="Buyer's NIP", readonly=True, help="NIP or other number of the buyer")
    buyer_name = fields.Char(string="Buyer", readonly=True)
    net_amount = fields.Monetary(string="Net", readonly=True)
    vat_amount_pln = fields.Float(string="VAT in PLN", readonly=True, digits=(16, 2))
    gross_amount = fields.Monetary(string="Gross", readonly=True)
    currency_id = fields.Many2one('res.currency', readonly=True)
    currency_code = fields.Char(readonly=True)
    invoicing_mode = fields.Char(readonly=True, help="Tryb wystawienia: Online or Offline")
    is_self_invoicing = fields.Boolean(string="Self-billing", readonly=True, help="Samofakturowanie")
    has_attachment = fields.Boolean(readonly=True, help="The XML has attached tables (Zalacznik).")
    metadata = fields.Json(readonly=True)

    # The bytes.
    xml = fields.Binary(string="XML", attachment=False, readonly=True)
    xml_name = fields.Char(compute='_compute_xml_name')
    xml_hash = fields.Char(string="SHA-256", readonly=True, help="Skrót SHA-256 pliku XML (Base64)")
    xml_size = fields.Integer(readonly=True)
    verification_url = fields.Char(compute='_compute_verification_url', help="Link weryfikacyjny (kod QR I)")

    # What became of it.
    move_id = fields.Many2one('account.move', string="Bill", readonly=True, ondelete='set null', copy=False)
    reason = fields.Char(readonly=True, tracking=True, help="Why it was set aside.")
    problem = fields.Text(readonly=True, help="What went wrong with this invoice.")
    decided_by = fields.Many2one('res.users', readonly=True)
    decided_at = fields.Datetime(readonly=True)
    due_at = fields.Datetime(readonly=True, help="When a worker must do something for the invoice.")
    attempts = fields.Integer(readonly=True)

    _once = models.UniqueIndex(
        '(company_id, environment, ksef_number)', "This invoice is in the list already.")
    _one_bill = models.UniqueIndex('(move_id) WHERE move_id IS NOT NULL', "A bill belongs to one KSeF invoice.")
    _due = models.Index('(connection_id, due_at) WHERE due_at IS NOT NULL')
    _inbox = models.Index('(company_id, state, acquisition_date DESC, id DESC)')

    @api.depends('ksef_number')
    def _compute_xml_name(self):
        for received in self:
            received.xml_name = f"{received.ksef_number}.xml"

    @api.depends('xml_hash', 'seller_nip', 'issue_date', 'connection_id')
    def _compute_verification_url(self):
        for received in self:
            known = received.xml_hash and received.seller_nip and received.issue_date
            received.verification_url = bool(known) and qr.invoice_link(
                received.sudo().connection_id._get_environment(), received.seller_nip, received.issue_date, received.xml_hash)

    def _received_on(self):
        """The day of receipt by law: that of the KSeF number, unless an invoice issued offline was handed over before."""
        self.ensure_one()
        return self.handed_over_on or (warsaw_date(self.acquisition_date) if self.acquisition_date else None)

    def _get_xml(self):
        """The exact bytes that KSeF holds, empty while they have not come."""
        self.ensure_one()
        return base64.b64decode(self.with_context(bin_size=False, bin_size_xml=False).xml or b'')

    def _is_purchase(self):
        """Whether the company itself is the buyer, so that a vendor bill may be made (S1-14)."""
        self.ensure_one()
        return 'buyer' in (self.roles or self.role or '').split(',')

    # ------------------------------------------------------------------ state

    def _lock(self):
        """Wait for the rows, lock them, and forget what was read of them before."""
        if self.ids:
            self.flush_recordset()
            self.env.cr.execute('SELECT id FROM ksef_received WHERE id IN %s ORDER BY id FOR UPDATE', [tuple(self.ids)])
            self.invalidate_recordset()

    def _transition(self, state, **values):
        """Set the state and what goes with it, on rows that are locked.

        :raise TransitionRefused: one of them cannot go there from where it is
        """
        labels = dict(self._fields['state']._description_selection(self.env))
        for received in self:
            if state not in TRANSITIONS[received.state]:
                raise TransitionRefused(self.env._(
                    "%(invoice)s is “%(old)s” and cannot become “%(new)s”. Reload the page to see its state.",
                    invoice=received.invoice_number or received.ksef_number, old=labels[received.state], new=labels[state]))
        self.write({'state': state, 'due_at': False, 'problem': False} | values)

    @api.model
    def _check_bookkeeper(self):
        """
        :raise AccessError: the user may look at received invoices, but not decide about them
        """
        if not self.env.su and not self.env.user.has_group('l10n_pl_ksef.group_ksef_send'):
            raise AccessError(self.env._(
                "Only users who enter invoices and bills may decide about invoices received from KSeF. Ask your administrator."))
