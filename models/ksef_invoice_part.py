from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..ksef.number import is_valid_ksef_number
from .res_partner_fa3 import ROLES


class KsefInvoicePart(models.AbstractModel):
    """What belongs to an invoice and stands in its XML, but has no place on Odoo's own models.

    It is closed together with its invoice, whatever the route (see account_move_lock.py).
    """
    _name = 'ksef.invoice.part'
    _description = "Part of an invoice for KSeF"
    _order = 'sequence, id'

    move_id = fields.Many2one('account.move', string="Invoice", index=True, ondelete='cascade')
    company_id = fields.Many2one(related='move_id.company_id', store=True)
    sequence = fields.Integer(default=10)

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts._ksef_check_open()
        return parts

    def write(self, vals):
        self._ksef_check_open()
        result = super().write(vals)
        if 'move_id' in vals:
            self._ksef_check_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_closed(self):
        self._ksef_check_open()

    def _ksef_check_open(self):
        """Refuse changes of what belongs to a closed invoice."""
        self.move_id.sudo()._ksef_check_open(lambda: f"“{self._description}”")


class KsefInvoiceReference(models.Model):
    """Another document that an invoice names: an invoice that isn't in this Odoo, or a further contract or purchase order.

    Invoices in Odoo need no row: they are found by reversals, debit notes and sales orders.
    """
    _name = 'ksef.invoice.reference'
    _inherit = 'ksef.invoice.part'
    _description = "Invoice referred to"
    _rec_name = 'number'

    kind = fields.Selection(
        [
            ('corrected', "Corrected invoice"), ('advance', "Settled advance invoice"), ('contract', "Further contract"),
            ('order', "Further purchase order"),
        ], required=True, default='corrected',
        help="Corrected invoice: faktura korygowana. Settled advance invoice: faktura zaliczkowa. Further contract, further purchase "
             "order: umowa, zamówienie, beside the one on the page “KSeF data”.")
    number = fields.Char(required=True, size=256, help="Number that its issuer gave it (numer dokumentu).")
    date = fields.Date(string="Invoice date", help="Data wystawienia. Needed for a corrected invoice.")
    ksef_number = fields.Char(
        string="KSeF number", help="Numer KSeF. Leave it empty when the invoice was issued outside KSeF.")

    @api.constrains('ksef_number')
    def _check_ksef_number(self):
        for reference in self.filtered('ksef_number'):
            check_ksef_number(reference, reference.ksef_number)

    @api.constrains('kind', 'date')
    def _check_date(self):
        for reference in self:
            if reference.kind == 'corrected' and not reference.date:
                raise ValidationError(self.env._("Enter the date of the corrected invoice %(number)s.", number=reference.number))


class KsefOrderLine(models.Model):
    """A line of the order that an advance invoice is paid for, where no sales order in Odoo tells it."""
    _name = 'ksef.order.line'
    _inherit = 'ksef.invoice.part'
    _description = "Order line behind an advance invoice"

    origin_id = fields.Many2one(
        'ksef.order.line', copy=False, index='btree_not_null', ondelete='set null',
        help="On a correction: the line of the corrected advance invoice that this line shows as it is now.")
    name = fields.Char(string="Description", required=True, size=512)
    uom_id = fields.Many2one('uom.uom', string="Unit")
    quantity = fields.Float(default=1.0, digits='Product Unit')
    price_unit = fields.Float(string="Unit price", digits='Product Price', help="Cena jednostkowa netto")
    tax_id = fields.Many2one('account.tax', domain="[('type_tax_use', '=', 'sale')]")
    currency_id = fields.Many2one(related='move_id.currency_id')
    amount_net = fields.Monetary(string="Net", compute='_compute_amounts', store=True)
    amount_tax = fields.Monetary(string="VAT", compute='_compute_amounts', store=True)

    @api.depends('quantity', 'price_unit', 'tax_id', 'move_id.currency_id')
    def _compute_amounts(self):
        for line in self:
            amounts = line.tax_id.compute_all(line.price_unit, line.currency_id, line.quantity)
            line.amount_net = amounts['total_excluded']
            line.amount_tax = amounts['total_included'] - amounts['total_excluded']


class KsefThirdParty(models.Model):
    """Another party of one invoice (Podmiot3)."""
    _name = 'ksef.third.party'
    _inherit = 'ksef.invoice.part'
    _description = "Other party of an invoice"
    _rec_name = 'partner_id'

    partner_id = fields.Many2one('res.partner', string="Party", required=True, ondelete='restrict')
    role = fields.Selection(ROLES, required=True, default='2', help="Rola podmiotu trzeciego.")
    role_description = fields.Char(string="Other role", size=256, help="Opis roli, for another role than those of the list.")
    share = fields.Float(string="Share in %", digits=(9, 6), help="Udział of an additional buyer, in percent.")

    @api.constrains('role', 'role_description')
    def _check_role(self):
        for party in self:
            if party.role == 'other' and not (party.role_description or '').strip():
                raise ValidationError(self.env._("Say in words which role %(party)s has.", party=party.partner_id.display_name))


class KsefInvoiceRemark(models.Model):
    """A key and a value of one's own on an invoice (DodatkowyOpis)."""
    _name = 'ksef.invoice.remark'
    _inherit = 'ksef.invoice.part'
    _description = "Additional description on an invoice"
    _rec_name = 'key'

    key = fields.Char(required=True, size=256, help="Klucz")
    value = fields.Char(required=True, size=256, help="Wartość")


def check_ksef_number(record, number):
    """Refuse a text that can't be a KSeF number (its form or its check sum is wrong)."""
    if not is_valid_ksef_number(number):
        raise ValidationError(record.env._("“%(number)s” is not a KSeF number. Copy it again.", number=number))
