from dataclasses import dataclass

from odoo import api, fields, models


@dataclass
class Match:
    """What a line was recognised as, and why."""

    product: object
    rule: object
    why: str


class KsefBill(models.AbstractModel):
    """Which product a line is: learned rules first, then what the product itself says."""
    _inherit = 'ksef.bill'

    @api.model
    def _source_of(self, line):
        """What the invoice says to identify a line, kept with the bill's line; False for lines made from sums."""
        if line is None:
            return False
        source = {
            'name': line.name, 'index': line.index, 'gtin': line.gtin, 'cn': line.cn, 'pkwiu': line.pkwiu, 'unit': line.unit}
        return {key: str(value) for key, value in source.items() if value} or False

    @api.model
    def _match_line(self, company, partner, line):
        """The :class:`Match` of a line; empty where nothing is known, never a guess."""
        product, rules = self.env['product.product'], self.env['ksef.product.map']
        source = self._source_of(line)
        if not source:
            return Match(product, rules, '')
        rule, key = rules._find(company, partner, source)
        if rule:
            why = {
                'index': self.env._("Rule, by the supplier's index"), 'gtin': self.env._("Rule, by GTIN"),
                'name': self.env._("Rule, by the text"),
            }[key]
            return Match(rule.product_id, rule, why)
        for finder in (self._by_supplier_code, self._by_barcode, self._by_reference, self._by_name):
            found, why = finder(company, partner, source)
            if len(found) == 1:
                return Match(found, rules, why)
        return Match(product, rules, '')

    @api.model
    def _search_products(self, company, domain):
        return self.env['product.product'].search([('company_id', 'in', [False, company.id]), *domain], limit=2)

    @api.model
    def _by_supplier_code(self, company, partner, source):
        infos = self.env['product.supplierinfo'].search([
            ('partner_id', 'child_of', partner.commercial_partner_id.id), ('company_id', 'in', [False, company.id]),
            ('product_code', '=', source['index'])]) if source.get('index') else self.env['product.supplierinfo']
        products = infos.product_id | infos.filtered(
            lambda info: not info.product_id and info.product_tmpl_id.product_variant_count == 1).product_tmpl_id.product_variant_id
        return products, self.env._("Supplier's code of the product")

    @api.model
    def _by_barcode(self, company, _partner, source):
        gtin = source.get('gtin')
        return (self._search_products(company, [('barcode', 'in', [gtin, gtin.lstrip('0')])]) if gtin else self.env[
            'product.product']), self.env._("Barcode")

    @api.model
    def _by_reference(self, company, _partner, source):
        index = source.get('index')
        found = self._search_products(company, [('default_code', '=', index)]) if index else self.env['product.product']
        return found, self.env._("Internal reference")

    @api.model
    def _by_name(self, company, _partner, source):
        name = source.get('name')
        return (self._search_products(company, [('name', '=ilike', name.replace('%', r'\%').replace('_', r'\_')), (
            'purchase_ok', '=', True)]) if name else self.env['product.product']), self.env._("Name of the product")

    @api.model
    def _rule_values(self, rule):
        """What a rule adds to the values of a line beside product and taxes."""
        if not rule:
            return {}
        values = {'account_id': rule.account_id.id} if rule.account_id else {}
        if rule.analytic_distribution:
            values['analytic_distribution'] = rule.analytic_distribution
        if rule.uom_id:
            values['product_uom_id'] = rule.uom_id.id
        return values


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    ksef_source = fields.Json(string="As on the KSeF invoice", copy=False, readonly=True)
    ksef_match = fields.Char(string="Recognised by", copy=False, readonly=True, help="Why this product was chosen for the line.")

    def _ksef_apply_rules(self, rules):
        """Give lines of drafts that nobody has completed what the rules say; return those that were changed."""
        changed = self.browse()
        for line in self:
            rule, _key = rules._find(line.company_id, line.partner_id, line.ksef_source or {})
            if not rule or rule not in rules or line.product_id or not rule.product_id:
                continue
            name, price, taxes = line.name, line.price_unit, line.tax_ids
            line.write({'product_id': rule.product_id.id, 'name': name, 'price_unit': price, 'tax_ids': [(6, 0, taxes.ids)]} | self.env[
                'ksef.bill']._rule_values(rule) | {'ksef_match': self.env._("Rule, learned meanwhile")})
            changed |= line
        return changed


