import re

from odoo import api, fields, models

# What identifies a line of a supplier, surest first: (key of the source, column of the rule).
KEYS = (('index', 'seller_index'), ('gtin', 'gtin'), ('name', 'name_key'))


def normal_name(text):
    """A line's text as rules compare it: small letters, single blanks, and without numbers that change each month."""
    words = re.sub(r'[^\w%]+', ' ', (text or '').casefold()).split()
    return ' '.join('#' if any(character.isdigit() for character in word) and len(word) > 3 else word for word in words)


class KsefProductMap(models.Model):
    """What a line of a supplier's invoices is in our books: product, account, taxes, analytics, unit.

    Rules are learned from bills that were confirmed, and may be edited. A rule is found by the supplier's own index of
    the item, by GTIN, or by the text, in this order.
    """
    _name = 'ksef.product.map'
    _description = "Rule for lines of KSeF invoices"
    _order = 'partner_id, line_name, id'
    _rec_name = 'line_name'

    company_id = fields.Many2one('res.company', required=True, index=True, default=lambda self: self.env.company)
    partner_id = fields.Many2one('res.partner', string="Supplier", required=True, index=True, ondelete='cascade')
    seller_index = fields.Char(string="Supplier's index", help="Indeks: the supplier's own code of the item.")
    gtin = fields.Char(string="GTIN", help="Global number of the item (kod kreskowy)")
    classification = fields.Char(string="CN / PKWiU")
    line_name = fields.Char(string="Text on the invoice", required=True)
    name_key = fields.Char(compute='_compute_name_key', store=True, precompute=True, index=True)
    product_id = fields.Many2one('product.product', check_company=True)
    account_id = fields.Many2one('account.account', check_company=True)
    tax_ids = fields.Many2many('account.tax', string="Taxes", check_company=True, domain="[('type_tax_use', '=', 'purchase')]")
    analytic_distribution = fields.Json()
    uom_id = fields.Many2one('uom.uom', string="Unit in our books")
    uom_factor = fields.Float(
        string="Our units in one of theirs", default=1.0, help="A box of 12 pieces, booked in pieces: 12.")
    use_count = fields.Integer(string="Used", readonly=True)
    last_used = fields.Date(readonly=True)
    active = fields.Boolean(default=True)

    _factor = models.Constraint('CHECK (uom_factor > 0)', "The number of our units in one of theirs must be positive.")

    @api.depends('line_name')
    def _compute_name_key(self):
        for rule in self:
            rule.name_key = normal_name(rule.line_name)

    def _pick(self, source):
        """(rule, what it was found by) for a line, among these rules of its supplier; empty when there is none.

        :param source: {'index', 'gtin', 'name', ...} as ``ksef.bill._source_of`` makes it
        """
        for key, column in KEYS:
            wanted = normal_name(source.get('name')) if key == 'name' else source.get(key)
            found = self.filtered(lambda rule, c=column, w=wanted: w and rule[c] == w)[:1]
            # A text alone is no proof where the supplier has told two items apart.
            if found and not (key == 'name' and found.seller_index and source.get('index') and found.seller_index != source['index']):
                return found, key
        return self.browse(), None

    @api.model
    def _learn(self, lines):
        """Keep what an accountant decided on lines of imported bills; return the rules that are new or changed."""
        changed = self.browse()
        for line in lines:
            source, company = line.ksef_source or {}, line.company_id
            partner = line.partner_id.commercial_partner_id
            if not source.get('name') or not partner or not (line.product_id or line.account_id):
                continue
            rule, _key = self.sudo().search([('company_id', '=', company.id), ('partner_id', '=', partner.id)])._pick(source)
            values = self._learned_values(line, source)
            if not rule:
                changed |= self.sudo().create(values | {'company_id': company.id, 'partner_id': partner.id})
            elif rule._differs(values):
                rule.write(values)
                changed |= rule
            else:
                rule.write({'use_count': rule.use_count + 1, 'last_used': fields.Date.context_today(rule)})
        return changed

    @api.model
    def _learned_values(self, line, source):
        return {
            'seller_index': source.get('index') or False, 'gtin': source.get('gtin') or False,
            'classification': source.get('cn') or source.get('pkwiu') or False, 'line_name': source['name'],
            'product_id': line.product_id.id, 'account_id': line.account_id.id,
            'tax_ids': [(6, 0, line.tax_ids.ids)], 'analytic_distribution': line.analytic_distribution or False,
            'last_used': fields.Date.context_today(line),
        }

    def _differs(self, values):
        self.ensure_one()
        return (
            self.product_id.id != values['product_id'] or self.account_id.id != values['account_id']
            or set(self.tax_ids.ids) != set(values['tax_ids'][0][2])
            or (self.analytic_distribution or False) != values['analytic_distribution'])
