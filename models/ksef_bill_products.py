from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from odoo import api, fields, models

from .ksef_product_map import RuleIndex


@dataclass
class Match:
    """What a line was recognised as, and why."""

    product: object
    rule: object
    why: str


class Matcher:
    """Recognises the lines of one invoice; everything it compares with is read once, however many lines there are."""

    usable = 'purchase_ok'

    def __init__(self, bills, company, partner, sources):
        self.env = bills.env
        self._partner = partner.commercial_partner_id
        self._rules, self._for_all = self._read_rules(company)
        self._supplier_codes = self._read_supplier_codes(company, {source['index'] for source in sources if source.get('index')})
        self._barcodes = self._read_products(company, 'barcode', {
            code for source in sources if source.get('gtin') for code in (source['gtin'], source['gtin'].lstrip('0'))})
        self._references = self._read_products(
            company, 'default_code', {source['index'] for source in sources if source.get('index')})
        self._names = self._read_names(company, {source['name'] for source in sources if source.get('name')})

    def _read_rules(self, company):
        return self.env['ksef.product.map']._of_supplier(company, self._partner)

    def _read_supplier_codes(self, company, codes):
        nothing = self.env['product.product']
        found = defaultdict(nothing.browse)
        infos = self.env['product.supplierinfo'].search([
            ('partner_id', 'child_of', self._partner.id), ('company_id', 'in', [False, company.id]),
            ('product_code', 'in', list(codes))]) if codes else ()
        for info in infos:
            single = info.product_tmpl_id.product_variant_count == 1
            found[info.product_code] |= info.product_id or (single and info.product_tmpl_id.product_variant_id) or nothing
        return found

    def _read_products(self, company, column, values):
        found = defaultdict(self.env['product.product'].browse)
        products = self.env['product.product'].search(
            [('company_id', 'in', [False, company.id]), (column, 'in', list(values))]) if values else ()
        for product in products:
            found[product[column]] |= product
        return found

    def _read_names(self, company, names):
        """Products by their name in any language of the lines; capitals don't count."""
        found = defaultdict(self.env['product.product'].browse)
        products = self.env['product.product'].search([
            ('company_id', 'in', [False, company.id]), (self.usable, '=', True), ('name', 'in', list(names))]) if names else ()
        for product in products:
            found[product.name.casefold()] |= product
        return found

    def match(self, source):
        """The :class:`Match` of a line; empty where nothing is known or several products fit: never a guess."""
        rules, products = self.env['ksef.product.map'], self.env['product.product']
        if not source:
            return Match(products, rules, '')
        rule, key = self._rules.pick(source)
        if rule:
            return Match(rule.product_id, rule, self._describe_rule(key))
        found, why = self._match_product(source)
        if found:
            return Match(found, rules, why)
        rule = self._for_all
        return Match(rule.product_id, rule, self.env._("Rule for all other lines of the supplier") if rule else '')

    def _match_product(self, source):
        """(the one product that has the line's codes or name, why), or (nothing, '')."""
        gtin, index = source.get('gtin', ''), source.get('index')
        candidates = (
            (self._supplier_codes.get(index), self.env._("Supplier's code of the product")),
            (self._barcodes.get(gtin) or self._barcodes.get(gtin.lstrip('0')), self.env._("Barcode")),
            (self._references.get(index), self.env._("Internal reference")),
            (self._names.get(source.get('name', '').casefold()), self.env._("Name of the product")),
        )
        for found, why in candidates:
            if found and len(found) == 1:
                return found, why
        return self.env['product.product'], ''

    def _describe_rule(self, key):
        return {
            'index': self.env._("Rule, by the supplier's index"), 'gtin': self.env._("Rule, by GTIN"),
            'name': self.env._("Rule, by the text"),
        }[key]


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
    def _rule_values(self, rule, unit=None):
        """What a rule adds to the values of a line beside product and taxes.

        :param unit: the supplier's, by which the rule's own unit is reckoned; False: leave the unit alone
        """
        if not rule:
            return {}
        values = {'account_id': rule.account_id.id} if rule.account_id.active else {}
        if rule.analytic_distribution:
            values['analytic_distribution'] = rule.analytic_distribution
        if rule.uom_id and unit is not False and rule._knows_unit(unit):
            values['product_uom_id'] = rule.uom_id.id
        return values


class AccountMoveLine(models.Model):
    _inherit = 'account.move.line'

    ksef_source = fields.Json(string="As on the KSeF invoice", copy=False, readonly=True)
    ksef_match = fields.Char(string="Recognised by", copy=False, readonly=True, help="Why this product was chosen for the line.")

    def _compute_name(self):
        """A line from KSeF keeps the invoice's text, whatever product is chosen (``is_imported`` keeps price and taxes)."""
        return super(AccountMoveLine, self.filtered(lambda line: not line.ksef_source))._compute_name()

    def _ksef_apply_rules(self, rules):
        """Give lines of drafts that nobody has completed what the rules say; return those that were changed."""
        changed = self.browse()
        known = {owners: RuleIndex(own) for owners, own in rules.grouped(lambda rule: (rule.company_id, rule.partner_id)).items()}
        for line in self:
            index = known.get((line.company_id, line.partner_id.commercial_partner_id))
            rule = index.pick(line.ksef_source or {})[0] if index else rules.browse()
            # An account other than the journal's was chosen by somebody.
            is_open = not line.product_id and line.account_id == line.move_id.journal_id.default_account_id
            if rule and not line.product_id and (rule.product_id or is_open):
                line.write(line._ksef_values_of_rule(rule) | {'ksef_match': self.env._("Rule, learned meanwhile")})
                changed |= line
        for move in changed.move_id:
            move._ksef_prove_again()
        return changed

    def _ksef_values_of_rule(self, rule):
        """What a rule makes of this line, its value and the tax that it is charged unchanged."""
        self.ensure_one()
        bills, unit = self.env['ksef.bill'], (self.ksef_source or {}).get('unit')
        values = {'product_id': rule.product_id.id} if rule.product_id else {}
        factor = rule._factor_of(unit)
        quantity = Decimal(str(self.quantity)) * factor
        fits = quantity == bills._in_our_digits(quantity)
        if factor != 1 and fits:
            values |= {'quantity': float(quantity), 'price_unit': self.price_unit / float(factor)}
        charged = sum(bills._charged(tax) for tax in self.tax_ids)
        plain = all(tax.amount_type == 'percent' and not tax.price_include for tax in rule.tax_ids)
        if charged and plain and charged == sum(bills._charged(tax) for tax in rule.tax_ids):
            values['tax_ids'] = [(6, 0, rule.tax_ids.ids)]
        return values | bills._rule_values(rule, unit if fits else False)


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_prove_again(self):
        """Hold a draft against its KSeF invoice after its lines have changed."""
        self.ensure_one()
        received = self.sudo().ksef_received_ids[:1]
        if received.xml_size:
            bills = self.env['ksef.bill'].with_company(self.company_id)
            self.ksef_bill_problem = bills._prove(self, bills._read(received._get_xml())) or False
