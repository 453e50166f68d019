from odoo import api, fields, models
from odoo.exceptions import ValidationError
from stdnum.pl import regon

ROLES = [
    ('1', "Factor"), ('2', "Recipient: unit or branch of the buyer"), ('3', "Original entity (taken over or transformed)"),
    ('4', "Additional buyer"), ('5', "Issuer of the invoice"), ('6', "Payer"), ('7', "Local government unit: issuer"),
    ('8', "Local government unit: recipient"), ('9', "VAT group member: issuer"), ('10', "VAT group member: recipient"),
    ('11', "Employee"), ('other', "Other role"),
]


class ResPartner(models.Model):
    """What FA(3) knows of a party and Odoo doesn't."""
    _inherit = 'res.partner'

    ksef_role = fields.Selection(
        ROLES, string="Role on invoices (KSeF)",
        help="Rola podmiotu trzeciego (Podmiot3): when an invoice is addressed or delivered to this contact, KSeF gets the business it "
             "belongs to as the buyer, and the contact in this role. A local government unit (JST) or a member of a VAT group (GV) is "
             "marked on the invoice as well.")
    ksef_internal_id = fields.Char(
        string="Internal identifier (IDWew)", help="Identyfikator wewnętrzny in KSeF: the NIP, a hyphen and five digits.")
    ksef_eori = fields.Char(string="EORI", size=256, help="Numer EORI.")
    ksef_customer_number = fields.Char(
        string="Customer number for KSeF", size=256, help="Numer klienta, where the buyer uses one in contract or order.")


    ksef_correspondence_id = fields.Many2one(
        'res.partner', string="Correspondence address (KSeF)", help="Adres korespondencyjny, where it isn't the address of the business.")


class ResPartnerBank(models.Model):
    _inherit = 'res.partner.bank'

    ksef_is_factor = fields.Boolean(
        string="Factor's account", help="Rachunek bankowy faktora: stated in KSeF as the account of the factor, not of the seller.")


class ResCompany(models.Model):
    _inherit = 'res.company'

    ksef_krs = fields.Char(string="KRS", size=10, help="Numer w Krajowym Rejestrze Sądowym: ten digits, stated in the footer.")
    ksef_regon = fields.Char(string="REGON", size=14, help="Numer REGON: 9 or 14 digits, stated in the footer.")
    ksef_bdo = fields.Char(string="BDO", size=9, help="Numer rejestrowy BDO, stated in the footer.")
    ksef_footer = fields.Text(string="Footer in KSeF", help="Stopka faktury: at most 3,500 characters, such as the share capital.")

    ksef_issue_place = fields.Char(string="Place of issue", size=256, help="Miejsce wystawienia faktury (P_1M).")
    ksef_taxpayer_status = fields.Selection(
        [('1', "In liquidation"), ('2', "In restructuring"), ('3', "Bankrupt"), ('4', "Enterprise in inheritance")],
        string="State of the business", help="Status podatnika: stated on invoices while it lasts.")

    @api.constrains('ksef_krs', 'ksef_regon')
    def _check_ksef_registers(self):
        for company in self:
            if company.ksef_krs and not (len(company.ksef_krs) == 10 and company.ksef_krs.isdecimal()):
                raise ValidationError(self.env._("“%(number)s” is not a KRS number: it has ten digits.", number=company.ksef_krs))
            if company.ksef_regon and not regon.is_valid(company.ksef_regon):
                raise ValidationError(self.env._("“%(number)s” is not a REGON.", number=company.ksef_regon))
