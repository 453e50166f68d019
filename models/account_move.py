from odoo import api, fields, models
from odoo.tools import SQL

from .ksef_document import LETTERS, LOCKING_STATES, STATES

# Written by _ksef_sync() alone: no person and no import sets them.
SYNCED_FIELDS = (
    'ksef_document_id', 'ksef_state', 'ksef_letter', 'ksef_number', 'ksef_reference_number', 'ksef_acceptance_date',
    'ksef_is_locked',
)


class AccountMove(models.Model):
    """The invoice's view of its KSeF documents.

    The fields are stored so that lists can filter and group by them; they are the documents' state and nothing else,
    written from the documents by one SQL statement (see docs/decisions/0001-skeleton.md for why not by a computed field).
    """
    _inherit = 'account.move'

    ksef_document_ids = fields.One2many(
        'ksef.document', 'move_id', string="KSeF documents", readonly=True, groups='l10n_pl_ksef.group_ksef_read')
    ksef_document_id = fields.Many2one(
        'ksef.document', string="KSeF document", readonly=True, copy=False, index='btree_not_null',
        groups='l10n_pl_ksef.group_ksef_read')
    ksef_state = fields.Selection(
        [state for state in STATES if state[0] != 'cancelled'], string="KSeF", readonly=True, copy=False, index='btree_not_null')
    ksef_letter = fields.Selection(
        [('W', "W: being sent"), ('O', "O: registered"), ('A', "A: accepted")], string="KSeF letter", readonly=True, copy=False,
        help="W: on its way, O: KSeF has registered the transfer, A: accepted and archived in KSeF.")
    ksef_number = fields.Char(
        string="KSeF number", readonly=True, copy=False, index='btree_not_null',
        help="Numer KSeF: identifies the invoice in KSeF for good; it is given when KSeF accepts the invoice.")
    ksef_reference_number = fields.Char(
        string="KSeF reference number", readonly=True, copy=False,
        help="Numer referencyjny: identifies the transfer, not the invoice. It is not the KSeF number.")
    ksef_acceptance_date = fields.Datetime(
        string="KSeF number given on", readonly=True, copy=False, help="Data nadania numeru KSeF")
    ksef_is_locked = fields.Boolean(
        readonly=True, copy=False, help="The invoice is queued for KSeF or has been there: it can no longer be changed.")
    ksef_environment = fields.Selection(related='ksef_document_id.environment', string="KSeF environment", compute_sudo=True)

    # ------------------------------------------------------------------ state

    def _ksef_sync(self):
        """Copy the state of the documents to the invoices: one statement, whatever their number.

        What counts is a document that binds in production, whichever connection is in use now; else the newest one of the
        connection in use. A withdrawn one counts as none.
        """
        if not self.ids:
            return
        self.flush_recordset()
        self.env['ksef.document'].flush_model()
        self.env.cr.execute(self._ksef_sync_query())
        self.invalidate_recordset([*SYNCED_FIELDS, *self._ksef_mirrored_fields()])

    def _ksef_sync_query(self):
        letter = SQL("CASE d.state %s END", SQL(" ").join(
            SQL("WHEN %s THEN %s", state, letter) for state, letter in LETTERS.items()))
        mirrored = SQL().join(
            SQL(", %s = %s", SQL.identifier(name), value) for name, value in self._ksef_mirrored_fields().items())
        return SQL(
            """
            UPDATE account_move m
               SET ksef_document_id = d.id,
                   ksef_state = d.state,
                   ksef_letter = %(letter)s,
                   ksef_number = d.ksef_number,
                   ksef_reference_number = d.reference_number,
                   ksef_acceptance_date = d.acquisition_date,
                   ksef_is_locked = COALESCE(d.state IN %(locking)s, FALSE)
                   %(mirrored)s
              FROM account_move n
              JOIN res_company c ON c.id = n.company_id
              LEFT JOIN LATERAL (
                   SELECT x.*, x.environment = 'production' AND x.state IN %(locking)s AS is_legal FROM ksef_document x
                    WHERE x.move_id = n.id AND (x.connection_id = c.ksef_connection_id
                       OR x.environment = 'production' AND x.state IN %(locking)s)
                 ORDER BY is_legal DESC, x.id DESC LIMIT 1
              ) d ON d.state != 'cancelled'
              LEFT JOIN ksef_session s ON s.id = d.session_id
             WHERE m.id = n.id AND m.id IN %(ids)s
            """,
            letter=letter, locking=LOCKING_STATES, mirrored=mirrored, ids=tuple(self.ids),
        )

    def _ksef_mirrored_fields(self):
        """Fields of other modules that show the same facts: name -> SQL over d (document), m (invoice), s (session)."""
        return {}

    def _ksef_notify(self):
        """Tell open forms and lists that the state has changed (see account_move_live.py)."""

    def _ksef_rows_lock(self):
        """Make this transaction and another one that changes the invoices exclude each other.

        The rows of invoice and lines are locked, after waiting for whoever holds them; where another transaction has
        changed one of them since this one began, PostgreSQL refuses with a serialization failure, and Odoo replays the
        request against the new state, as it does when the wait gets too long.
        """
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL lock_timeout = '5s'")
        self.env.cr.execute("SELECT id FROM account_move WHERE id IN %s ORDER BY id FOR UPDATE", [tuple(self.ids)])
        self.env.cr.execute(
            "SELECT id FROM account_move_line WHERE move_id IN %s ORDER BY id FOR UPDATE", [tuple(self.ids)])

    @api.model
    def _ksef_pick_limit(self):
        """Up to this many invoices are rendered and proven in the user's request, more by a worker."""
        return 20
