from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

from .ksef_invoice_part import check_ksef_number
from .ksef_invoice_part_trade import PAYMENT_FORMS

# What a user enters on the invoice and what then stands in the XML: closed with it (see account_move_lock.py).
INPUT_FIELDS = frozenset({
    'ksef_correction_kind', 'ksef_correction_type', 'ksef_correction_reason', 'ksef_corrected_period', 'ksef_reference_ids',
    'ksef_is_outside', 'ksef_outside_number', 'ksef_special_kind', 'ksef_advance_ids', 'ksef_order_line_ids',
    'ksef_split_payment', 'ksef_cash_method', 'ksef_receipt_invoice', 'ksef_exemption_law', 'ksef_exemption_basis',
    'ksef_period_start', 'ksef_period_end', 'ksef_rate_date',
    'ksef_third_party_ids', 'ksef_remark_ids', 'ksef_contract_number', 'ksef_contract_date', 'ksef_order_number', 'ksef_order_date',
    'ksef_warehouse_documents', 'ksef_payment_form', 'ksef_paid_on',
})

# What corrections have as the corrected invoice has it, although copies of invoices don't.
CARRIED_FIELDS = (
    'ksef_receipt_invoice', 'ksef_period_start', 'ksef_period_end', 'ksef_contract_number', 'ksef_contract_date', 'ksef_order_number',
    'ksef_order_date', 'ksef_split_payment', 'ksef_authorized_role', 'ksef_excise_refund',
)


class AccountMove(models.Model):
    """What FA(3) knows of an invoice and Odoo doesn't."""
    _inherit = 'account.move'

    # ------------------------------------------------------------------ correcting invoices
    ksef_correction_kind = fields.Selection(
        [
            ('lines', "Lines: quantity, price, rate or value"),
            ('buyer', "Buyer's name or address only"),
            ('seller', "Our own name or address only"),
            ('number', "Number of the invoice only"),
            ('collective', "Discount for all supplies of a period"),
        ], string="What is corrected", default='lines', copy=False,
        help="Only the buyer's data (dane nabywcy): all amounts are zero, the buyer is stated as before and after. A wrong NIP can't be "
             "corrected that way: credit the whole invoice and issue another one.\n"
             "Discount for a period (opust zbiorczy, art. 106j ust. 3): no lines are stated, only the period and the sums.")
    ksef_correction_type = fields.Selection(
        [
            ('1', "Day of the original invoice"),
            ('2', "Day of the correcting invoice"),
            ('3', "Another day, or different days for the lines"),
        ], string="Effect of the correction", copy=False,
        help="Typ skutku korekty w ewidencji VAT (TypKorekty): in which period the correction counts for VAT.")
    ksef_correction_reason = fields.Char(
        string="Reason of the correction", copy=False, help="Przyczyna korekty, as the buyer reads it in KSeF.")
    ksef_corrected_period = fields.Char(
        string="Corrected period", size=256, copy=False,
        help="Okres, którego dotyczy korekta: the period whose supplies the discount is given for, such as “styczeń 2026”.")
    ksef_reference_ids = fields.One2many(
        'ksef.invoice.reference', 'move_id', string="Invoices outside this Odoo", copy=False,
        help="Invoices that this one corrects or settles and that were not issued in this Odoo.")
    ksef_is_correction = fields.Boolean(compute='_compute_ksef_is_correction', help="Stated in KSeF as a correcting invoice (KOR).")
    ksef_has_order = fields.Boolean(
        compute='_compute_ksef_is_correction', help="An advance invoice or its correction: it describes an order.")

    # ------------------------------------------------------------------ advances, settlements, simplified invoices
    ksef_special_kind = fields.Selection(
        [
            ('advance', "Advance invoice (ZAL)"),
            ('settlement', "Settlement invoice (ROZ)"),
            ('simplified', "Simplified invoice (UPR)"),
        ], string="Special kind of invoice", copy=False,
        help="Faktura zaliczkowa, rozliczeniowa, uproszczona. Down payments of sales orders are recognised by themselves; choose it for "
             "invoices made by hand.")
    ksef_advance_ids = fields.Many2many(
        'account.move', 'ksef_settled_advance_rel', 'move_id', 'advance_id', string="Settled advance invoices", copy=False,
        domain="[('move_type', '=', 'out_invoice'), ('state', '=', 'posted'), ('company_id', '=', company_id),"
               " ('commercial_partner_id', '=', commercial_partner_id)]",
        help="Faktury zaliczkowe that this settlement invoice settles. Negative lines take their amounts off.")
    ksef_order_line_ids = fields.One2many(
        'ksef.order.line', 'move_id', string="Order behind the advance", copy=False,
        help="Zamowienie: what the advance is paid for. It is read from the sales order, where there is one.")

    # ------------------------------------------------------------------ statements
    ksef_split_payment = fields.Selection(
        [('yes', "Yes"), ('no', "No")], string="Split payment", copy=False,
        help="Mechanizm podzielonej płatności (P_18A). Without a choice it is stated on more than 15,000 PLN with goods of annex 15.")
    ksef_cash_method = fields.Boolean(
        string="Cash method", help="Metoda kasowa (P_16). It is stated anyway when a tax of the invoice is due on payment.")
    ksef_receipt_invoice = fields.Boolean(
        string="Invoice for a receipt (FP)", copy=False, help="Faktura do paragonu, art. 109 ust. 3d.")
    ksef_exemption_law = fields.Selection(
        [
            ('act', "Polish act or regulation"), ('directive', "Directive 2006/112/EC"), ('other', "Other legal basis"),
        ], string="Kind of legal basis",
        help="Podstawa zwolnienia: przepis ustawy (P_19A), przepis dyrektywy (P_19B) or another legal basis (P_19C).")
    ksef_exemption_basis = fields.Char(
        string="Legal basis of the exemption", size=256,
        help="Podstawa prawna zwolnienia. Without it the one of the tax is stated.")
    ksef_period_start = fields.Date(
        string="Period from", copy=False, help="Okres, którego dotyczy faktura (P_6_Od), instead of one day of supply.")
    ksef_period_end = fields.Date(string="Period to", copy=False, help="Okres, którego dotyczy faktura (P_6_Do).")

    # ------------------------------------------------------------------ parties, payment, references
    ksef_third_party_ids = fields.One2many(
        'ksef.third.party', 'move_id', string="Other parties", copy=False, help="Podmioty trzecie: payer, factor, recipient …")
    ksef_remark_ids = fields.One2many(
        'ksef.invoice.remark', 'move_id', string="Additional descriptions", copy=False, help="Dodatkowy opis: a key and a value.")
    ksef_contract_number = fields.Char(string="Contract", size=256, copy=False, help="Numer umowy.")
    ksef_contract_date = fields.Date(string="Date of the contract", copy=False, help="Data umowy.")
    ksef_order_number = fields.Char(
        string="Purchase order", size=256, copy=False,
        help="Numer zamówienia. Without an entry the sales orders are stated, by the buyer's reference or by their number.")
    ksef_order_date = fields.Date(string="Date of the purchase order", copy=False, help="Data zamówienia.")
    ksef_warehouse_documents = fields.Text(
        string="Delivery notes", copy=False,
        help="Numery dokumentów magazynowych WZ, one a line. Without an entry those of the deliveries are stated, where Odoo keeps "
             "stock.")
    ksef_payment_form = fields.Selection(
        PAYMENT_FORMS, string="Form of payment", copy=False,
        help="Forma płatności. Without a choice: a transfer, when there is an account to pay to.")
    ksef_paid_on = fields.Date(
        string="Paid on", copy=False, help="Data zapłaty: the invoice was paid in full before it was issued, and says so.")

    # ------------------------------------------------------------------ an invoice that KSeF doesn't have from here
    ksef_is_outside = fields.Boolean(
        string="Issued outside KSeF", copy=False, tracking=True,
        help="Faktura wystawiona poza KSeF: it was issued before the duty began or is exempt from it. It isn't sent from here, and its "
             "corrections say so.")
    ksef_outside_number = fields.Char(
        string="KSeF number from another program", copy=False, tracking=True,
        help="Numer KSeF of an invoice that was sent with another program. It isn't sent again, and its corrections name this number.")

    @api.depends('move_type', 'reversed_entry_id', 'ksef_reference_ids.kind', 'ksef_special_kind')
    def _compute_ksef_is_correction(self):
        for move in self:
            move.ksef_is_correction = move._ksef_is_correction()
            move.ksef_has_order = move._ksef_root().ksef_special_kind == 'advance'

    @api.constrains('ksef_outside_number')
    def _check_ksef_outside_number(self):
        for move in self.filtered('ksef_outside_number'):
            check_ksef_number(move, move.ksef_outside_number)

    @api.constrains('ksef_period_start', 'ksef_period_end')
    def _check_ksef_period(self):
        for move in self:
            if bool(move.ksef_period_start) != bool(move.ksef_period_end):
                raise ValidationError(self.env._("A period has a first and a last day: enter both, or none."))
            if move.ksef_period_start and move.ksef_period_start > move.ksef_period_end:
                raise ValidationError(self.env._("The period ends before it begins."))

    @api.model
    def _ksef_locked_fields(self):
        return super()._ksef_locked_fields() | INPUT_FIELDS

    def copy_data(self, default=None):
        """Lines of a credit or debit note remember which lines they correct."""
        corrects = bool(default and {'reversed_entry_id', 'debit_origin_id'} & default.keys())
        vals_list = super(AccountMove, self.with_context(ksef_link_lines=corrects)).copy_data(default)
        if default and default.get('debit_origin_id'):
            for move, vals in zip(self, vals_list, strict=True):
                vals.update(move._ksef_carried() | {
                    'ksef_correction_type': '2', 'ksef_correction_reason': move._ksef_debit_reason(default.get('ref'))})
        return vals_list

    def _ksef_carried(self) -> dict:
        """Return what a correction says as its original did: all but amounts is stated as it is after the correction."""
        values = {name: self[name] for name in CARRIED_FIELDS}
        values['ksef_authorized_partner_id'] = self.ksef_authorized_partner_id.id
        further = self.ksef_reference_ids.filtered(lambda row: row.kind in ('contract', 'order'))
        values['ksef_reference_ids'] = [Command.create({**vals, 'move_id': False}) for vals in further.copy_data()]
        values['ksef_third_party_ids'] = [Command.create({**vals, 'move_id': False}) for vals in self.ksef_third_party_ids.copy_data()]
        return values

    def _ksef_debit_reason(self, reference: str | None) -> str | bool:
        """Return the reason that somebody gave for a debit note: Odoo puts it behind the number in the reference."""
        return (reference or '').removeprefix(self.name or '').removeprefix(', ') or False


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    ksef_corrected_line_id = fields.Many2one(
        'account.move.line', string="Corrected line", copy=False, index='btree_not_null', ondelete='set null',
        help="Korygowana pozycja: the line of the original invoice that this line changes. Without it the line is stated by itself, as a "
             "difference.")
    ksef_supply_date = fields.Date(
        string="Supply date of the line", copy=False, help="Data dostawy lub wykonania (P_6A), where the lines have different ones.")
    ksef_procedure = fields.Selection(
        [
            ('WSTO_EE', "WSTO_EE: distance sale"), ('IED', "IED: electronic interface"), ('TT_D', "TT_D: triangular transaction"),
            ('I_42', "I_42: customs procedure 42"), ('I_63', "I_63: customs procedure 63"), ('B_SPV', "B_SPV: single-purpose voucher"),
            ('B_SPV_DOSTAWA', "B_SPV_DOSTAWA: supply for a voucher"), ('B_MPV_PROWIZJA', "B_MPV_PROWIZJA: commission for a voucher"),
        ], string="Procedure (JPK)", help="Oznaczenie procedury of the line; without a choice it follows from tax and invoice.")

    @api.model
    def _ksef_locked_fields(self):
        return super()._ksef_locked_fields() | {'ksef_corrected_line_id', 'ksef_supply_date', 'ksef_procedure'}

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if self.env.context.get('ksef_link_lines'):
            for line, vals in zip(self, vals_list, strict=True):
                if line.display_type == 'product':
                    vals['ksef_corrected_line_id'] = (line.ksef_corrected_line_id or line).id
        return vals_list
