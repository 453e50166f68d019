from odoo import fields, models


class ProductTemplate(models.Model):
    """What FA(3) says about goods and services, beside the codes of l10n_pl."""
    _inherit = 'product.template'

    ksef_annex_15 = fields.Boolean(
        string="Annex 15 (split payment)",
        help="Towar lub usługa z załącznika nr 15 do ustawy o VAT: invoices over 15,000 PLN state split payment.")
    ksef_pkwiu = fields.Char(string="PKWiU", size=50, help="Symbol Polskiej Klasyfikacji Wyrobów i Usług.")
    ksef_cn = fields.Char(string="CN code", size=50, help="Symbol Nomenklatury Scalonej (kod CN).")
    ksef_pkob = fields.Char(string="PKOB", size=50, help="Symbol Polskiej Klasyfikacji Obiektów Budowlanych.")
