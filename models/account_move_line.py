from odoo import api, models

# The journal items of an invoice that its XML is made of; the cost of goods ('cogs') is booked at its side.
FREE_TYPES = frozenset({'cogs'})
LOCKED_FIELDS = frozenset({
    'move_id', 'display_type', 'sequence', 'name', 'product_id', 'product_uom_id', 'quantity', 'price_unit', 'discount',
    'tax_ids', 'tax_line_id', 'tax_repartition_line_id', 'tax_base_amount', 'group_tax_id', 'price_subtotal', 'price_total',
    'balance', 'debit', 'credit', 'amount_currency', 'currency_id', 'currency_rate', 'date_maturity', 'deductible_amount',
    'extra_tax_data', 'is_storno',
})
# The text of these items stands nowhere in the XML: Odoo writes the payment reference there.
TEXT_TYPES = frozenset({'product', 'line_section', 'line_subsection', 'line_note'})


class AccountMoveLine(models.Model):
    """Closing the journal items with their invoice (see account_move_lock.py).

    Accounts, analytics, tax grids, partners, reconciliation, payment dates and follow-up stay open.
    """
    _inherit = 'account.move.line'

    @api.model
    def _ksef_locked_fields(self):
        """Names of the fields that close with the invoice; modules that bring more into the XML add theirs."""
        return LOCKED_FIELDS

    @api.model_create_multi
    def create(self, vals_list):
        move_ids = {
            vals['move_id'] for vals in vals_list if vals.get('move_id') and vals.get('display_type') not in FREE_TYPES}
        self.env['account.move'].browse(move_ids).exists()._ksef_check_open(self.env._("the lines"))
        return super().create(vals_list)

    def write(self, vals):
        names = self._ksef_locked_fields() & vals.keys() & self._fields.keys()
        if names:
            self._ksef_check_write(vals, names)
        return super().write(vals)

    def _ksef_check_write(self, vals, names):
        Move = self.env['account.move']

        def changing(line):
            return {
                name for name in names
                if (name != 'name' or line.display_type in TEXT_TYPES) and Move._ksef_will_change(line, vals, name)
            }

        # Drafts are most of what is written; they are not closed and cost nothing here.
        lines = self.filtered(lambda line: line.parent_state == 'posted' and line.display_type not in FREE_TYPES)
        changed = {line: fields for line in lines if (fields := changing(line))}
        if changed:
            moves = self.browse(line.id for line in changed).move_id
            moves._ksef_check_open(
                lambda: Move._ksef_labels('account.move.line', set().union(*changed.values())))
        if 'move_id' in vals:
            Move.browse(vals['move_id']).exists()._ksef_check_open(self.env._("the lines"))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_ksef(self):
        self.filtered(lambda line: line.display_type not in FREE_TYPES).move_id._ksef_check_open(self.env._("the lines"))
