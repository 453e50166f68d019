from odoo import fields, models


class ResPartner(models.Model):
    """What a customer gets with an invoice that KSeF has accepted, beside the PDF."""
    _inherit = 'res.partner'

    ksef_mail_xml = fields.Boolean(
        string="Attach the KSeF file (XML)", help="Plik XML faktury: the file as KSeF has it is attached to e-mails with the invoice.")
    ksef_mail_upo = fields.Boolean(
        string="Attach the UPO",
        help="Urzędowe Poświadczenie Odbioru of this invoice alone is attached; the e-mail waits until KSeF has issued it.")
