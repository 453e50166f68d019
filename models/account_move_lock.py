from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .account_move import SYNCED_FIELDS

SALE_TYPES = ('out_invoice', 'out_refund')
# What stands in the XML, decides what is written there, or would give the invoice another number or another journal
# entry. Everything else stays possible: payments, reconciliation, follow-up, chatter, analytics, the customer's
# reference, the salesperson … (docs/decisions/0005-locks.md says why for each).
LOCKED_FIELDS = frozenset({
    'state', 'name', 'move_type', 'journal_id', 'company_id', 'date', 'invoice_date', 'delivery_date', 'taxable_supply_date',
    'partner_id', 'commercial_partner_id', 'partner_shipping_id', 'fiscal_position_id', 'currency_id',
    'invoice_currency_rate', 'invoice_payment_term_id', 'invoice_date_due', 'partner_bank_id',
    'preferred_payment_method_line_id', 'invoice_cash_rounding_id', 'reversed_entry_id', 'debit_origin_id',
    'l10n_pl_vat_b_spv', 'l10n_pl_vat_b_spv_dostawa', 'l10n_pl_vat_b_mpv_prowizja', 'tax_totals', 'amount_total',
    'quick_edit_total_amount',
})


class AccountMove(models.Model):
    """Closing invoices: from the moment a document is queued, nothing that stands in it can be changed any more.

    The checks are made in create, write and unlink of invoice and journal items, so they hold for every route: screens,
    API, imports, wizards, other modules and the superuser. ``ksef_is_locked`` is the documents' state and is read from
    the database when it counts.
    """
    _inherit = 'account.move'

    # ------------------------------------------------------------------ the check

    @api.model
    def _ksef_locked_fields(self):
        """Names of the invoice's fields that close with it; modules that bring more into the XML add theirs."""
        return LOCKED_FIELDS

    def _ksef_is_issued(self):
        """Whether this is an invoice that the company issues: customer invoices and credit notes (and self-billing)."""
        self.ensure_one()
        return self.move_type in SALE_TYPES

    def _ksef_check_open(self, changed):
        """Refuse a change of what a closed invoice consists of, and keep open ones open until this transaction ends.

        Each row is written unchanged: a pick that renders the invoice at the same moment locks it, so one of the two
        transactions gets a serialization failure and Odoo replays it against what the other has done. Reading alone
        would let an edit slip in between rendering and commit.

        :param changed: what would be changed, for the message (a text, or a function that returns it)
        :raise UserError: one of the invoices is closed
        """
        candidates = self.filtered(lambda move: move.ksef_is_locked or (move.state == 'posted' and move._ksef_is_issued()))
        if not candidates.ids:
            return
        self.env['res.company'].flush_model(['ksef_connection_id'])
        rows = self.env.execute_query(SQL(
            """
            UPDATE account_move m
               SET ksef_is_locked = m.ksef_is_locked
              FROM res_company c
             WHERE c.id = m.company_id AND m.id IN %s AND (c.ksef_connection_id IS NOT NULL OR m.ksef_is_locked)
         RETURNING m.id, m.ksef_is_locked
            """, tuple(candidates.ids)))
        closed = self.browse(move_id for move_id, is_locked in rows if is_locked)
        if closed:
            raise UserError(self.env._(
                "%(invoices)s: %(changed)s cannot be changed, because the invoice is queued for KSeF or has been sent there.\n"
                "While it has not left yet, you can take it back with the button “Withdraw”. What KSeF has received can only be "
                "corrected by another document: a credit note (faktura korygująca).",
                invoices=", ".join(closed.sorted('id').mapped(lambda move: move.name or move.display_name)),
                changed=changed() if callable(changed) else changed,
            ))

    @api.model
    def _ksef_labels(self, model_name, names):
        """The labels of fields, for a message."""
        labels = self.env[model_name].fields_get(names, ['string'])
        return ", ".join(f"“{labels[name]['string']}”" for name in sorted(names) if name in labels)

    @api.model
    def _ksef_will_change(self, record, vals, name):
        """Whether writing ``vals`` gives the field another value: programs often write the same one again."""
        field = record._fields[name]
        if field.type in ('many2many', 'one2many'):
            return self._field_will_change(record, vals, name)
        if not field.store:
            return True
        return field.convert_to_cache(vals[name], record) != field.convert_to_cache(record[name], record)

    # ------------------------------------------------------------------ every route

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        for name in SYNCED_FIELDS:  # a default in the context would be a hand edit
            defaults.pop(name, None)
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._ksef_check_synced(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._ksef_check_synced(vals)
        names = self._ksef_locked_fields() & vals.keys() & self._fields.keys()
        if names:
            changing = self.filtered(lambda move: any(self._ksef_will_change(move, vals, name) for name in names))
            changing._ksef_check_open(lambda: self._ksef_labels('account.move', {
                name for name in names if any(self._ksef_will_change(move, vals, name) for move in changing)}))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_ksef(self):
        self._ksef_check_open(self.env._("the invoice"))
        kept = self.env['ksef.document'].sudo().search([('move_id', 'in', self.ids)]).move_id
        if kept:
            raise UserError(self.env._(
                "%(invoices)s cannot be deleted: what was done with the invoice in KSeF stays on record. Cancel it instead.",
                invoices=", ".join(kept.mapped('display_name'))))

    @api.model
    def _ksef_check_synced(self, vals):
        names = vals.keys() & set(SYNCED_FIELDS)
        if names and not self.env.su:
            raise AccessError(self.env._(
                "%(fields)s cannot be set by hand: they show what KSeF has answered.",
                fields=self._ksef_labels('account.move', names)))

    # ------------------------------------------------------------------ what Odoo asks before it tries

    @api.depends('ksef_is_locked')
    def _compute_show_reset_to_draft_button(self):
        super()._compute_show_reset_to_draft_button()
        for move in self:
            if move.ksef_is_locked:
                move.show_reset_to_draft_button = False

    def _check_draftable(self):
        super()._check_draftable()
        self._ksef_check_open(self.env._("the status"))

    def _can_be_unlinked(self):
        """Closed invoices are reversed where Odoo would delete or cancel others."""
        return super()._can_be_unlinked() and not self.ksef_is_locked
