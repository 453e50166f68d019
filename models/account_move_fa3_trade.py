from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .account_move_lock import SALE_TYPES

# What a user enters on the invoice and what then stands in the XML: closed with it (see account_move_lock.py).
TRADE_FIELDS = frozenset({
    'ksef_vehicle_ids', 'ksef_vehicle_duty', 'ksef_payment_ids', 'ksef_charge_ids', 'ksef_transport_ids', 'ksef_payment_form_other',
    'ksef_payment_link', 'ksef_payment_id', 'ksef_batches', 'ksef_is_intermediary', 'ksef_agreed_rate', 'ksef_agreed_currency_id',
    'ksef_authorized_partner_id', 'ksef_authorized_role', 'ksef_right_number', 'ksef_excise_refund',
    'invoice_incoterm_id', 'incoterm_location',
})
GOODS_CODES = [
    ('GTU_01', "GTU_01"), ('GTU_02', "GTU_02"), ('GTU_03', "GTU_03"), ('GTU_04', "GTU_04"), ('GTU_05', "GTU_05"), ('GTU_06', "GTU_06"),
    ('GTU_07', "GTU_07"), ('GTU_08', "GTU_08"), ('GTU_09', "GTU_09"), ('GTU_10', "GTU_10"), ('GTU_11', "GTU_11"), ('GTU_12', "GTU_12"),
    ('GTU_13', "GTU_13"),
]


class AccountMove(models.Model):
    """What FA(3) can say of payment, transport, new vehicles and authorised parties, and Odoo can't."""
    _inherit = 'account.move'

    # ------------------------------------------------------------------ payment
    ksef_payment_ids = fields.One2many(
        'ksef.invoice.payment', 'move_id', string="Payments before the issue", copy=False,
        help="Zapłaty częściowe: what was paid before the invoice was issued. Of an advance invoice the payments that it documents "
             "(zaliczki częściowe), which make up its total.")
    ksef_charge_ids = fields.One2many(
        'ksef.invoice.charge', 'move_id', string="Charges and deductions without VAT", copy=False,
        help="Rozliczenie: what is added to, or taken off, the amount to pay and isn't part of the sale, such as deposits (kaucja).")
    ksef_payment_form_other = fields.Char(
        string="Other form of payment", size=256, copy=False, help="Opis płatności, for another form than those of the list.")
    ksef_payment_link = fields.Char(
        string="Payment link", size=512, copy=False, help="Link do płatności bezgotówkowej: an address with the parameter IPKSeF.")
    ksef_payment_id = fields.Char(
        string="Payment identifier (IPKSeF)", size=13, copy=False,
        help="Identyfikator płatności KSeF: three digits and ten letters or digits.")

    # ------------------------------------------------------------------ terms of the transaction
    ksef_transport_ids = fields.One2many('ksef.invoice.transport', 'move_id', string="Transport", copy=False)
    ksef_batches = fields.Text(
        string="Batches of goods", copy=False,
        help="Numery partii towaru, one a line. Without an entry the lots of the delivered goods are stated, where Odoo keeps stock.")
    ksef_is_intermediary = fields.Boolean(
        string="Supply by the middle one of a chain", copy=False, help="Podmiot pośredniczący, art. 22 ust. 2d.")
    ksef_agreed_rate = fields.Float(
        string="Agreed rate", digits=(16, 6), copy=False,
        help="Kurs umowny: the rate at which prices agreed in another currency were made into PLN. On invoices in PLN only; it has "
             "nothing to do with VAT.")
    ksef_agreed_currency_id = fields.Many2one('res.currency', string="Agreed currency", copy=False, help="Waluta umowna.")
    ksef_excise_refund = fields.Boolean(
        string="Excise refund for farmers", copy=False,
        help="Zwrot akcyzy: the invoice is for diesel oil, and the buyer applies for the refund of excise.")

    # ------------------------------------------------------------------ new means of transport
    ksef_vehicle_ids = fields.One2many(
        'ksef.new.vehicle', 'move_id', string="New means of transport", copy=False,
        help="Nowe środki transportu: cars, vessels, aircraft supplied into another EU country.")
    ksef_vehicle_duty = fields.Boolean(
        string="Document VAT-22", copy=False, help="The duty of art. 42 ust. 5 exists (P_42_5): a document of the supply is filed.")

    # ------------------------------------------------------------------ parties and corrections
    ksef_authorized_partner_id = fields.Many2one(
        'res.partner', string="Authorised party", copy=False,
        help="Podmiot upoważniony: who issues the invoice in enforcement, or the tax representative.")
    ksef_authorized_role = fields.Selection(
        [('1', "Enforcement authority"), ('2', "Bailiff"), ('3', "Tax representative")], string="Role of the authorised party", copy=False)
    ksef_right_number = fields.Char(
        string="Right invoice number", size=256, copy=False,
        help="Poprawny numer faktury korygowanej: when the correction is about the number of the invoice.")

    @api.constrains('ksef_paid_on', 'ksef_payment_ids')
    def _check_ksef_paid_once(self):
        for move in self:
            if move.ksef_paid_on and move.ksef_payment_ids:
                raise ValidationError(self.env._(
                    "The invoice says “Paid on” a day and lists payments. Use “Paid on” for one payment of everything, the list for "
                    "others."))

    @api.constrains('ksef_agreed_rate', 'ksef_agreed_currency_id')
    def _check_ksef_agreed_rate(self):
        for move in self:
            if bool(move.ksef_agreed_rate) != bool(move.ksef_agreed_currency_id):
                raise ValidationError(self.env._("An agreed rate has a currency: enter both, or none."))

    @api.constrains('ksef_authorized_partner_id', 'ksef_authorized_role')
    def _check_ksef_authorized_role(self):
        for move in self:
            if bool(move.ksef_authorized_partner_id) != bool(move.ksef_authorized_role):
                raise ValidationError(self.env._("An authorised party has a role: enter both, or none."))

    @api.model
    def _ksef_locked_fields(self):
        return super()._ksef_locked_fields() | TRADE_FIELDS

    def action_ksef_take_payments(self):
        """Add to the list of payments those that Odoo has matched with the invoice, up to its date.

        :raise UserError: nothing is matched, or the invoice is closed
        """
        self.ensure_one()
        self.check_access('write')
        if not self.env.su and not self.env.user.has_group('account.group_account_invoice'):
            raise AccessError(self.env._("Only users who may confirm invoices can enter their payments."))
        if self.move_type not in SALE_TYPES:
            raise UserError(self.env._("Only customer invoices state payments in KSeF."))
        payments = [
            {'move_id': self.id, 'date': partial['aml'].date, 'amount': partial['amount']}
            for partial in self._get_all_reconciled_invoice_partials() or []
            if not partial['is_exchange'] and partial['aml'].move_id.move_type == 'entry' and partial['aml'].date <= self.invoice_date]
        if not payments:
            raise UserError(self.env._("Odoo knows of no payment of this invoice up to its date."))
        # What was entered stays, also with its form of payment: each payment that is there already stands for one of Odoo's.
        entered = Counter((row.date, self.currency_id.round(row.amount)) for row in self.ksef_payment_ids)
        missing = []
        for payment in payments:
            key = payment['date'], self.currency_id.round(payment['amount'])
            if entered[key]:
                entered[key] -= 1
            else:
                missing.append(payment)
        self.env['ksef.invoice.payment'].create(missing)


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    ksef_goods_code = fields.Selection(
        GOODS_CODES, string="GTU", help="Oznaczenie grupy towarów i usług of the line; without a choice that of the product.")

    @api.model
    def _ksef_locked_fields(self):
        return super()._ksef_locked_fields() | {'ksef_goods_code'}
