import re
from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

# What identifies a line of a supplier, surest first: (key of the source, column of the rule).
KEYS = (('index', 'seller_index'), ('gtin', 'gtin'), ('name', 'name_key'))


def normal_name(text):
    """A line's text as rules compare it: small letters, single blanks, and without numbers that change each month."""
    words = re.sub(r'[^\w%]+', ' ', (text or '').casefold()).split()
    return ' '.join('#' if any(character.isdigit() for character in word) and len(word) > 3 else word for word in words)


class RuleIndex:
    """The rules of one supplier, found by what identifies a line, however many lines there are."""

    def __init__(self, rules):
        self.none = rules.browse()
        self._found = {key: {} for key, _column in KEYS}
        for rule in rules:
            self.add(rule)

    def add(self, rule):
        """Know one more rule; the first of two that stand for the same counts."""
        for key, column in KEYS:
            if rule[column]:
                self._found[key].setdefault(rule[column], rule)

    def pick(self, source):
        """(rule, what it was found by) for a line; empty when there is none.

        :param source: {'index', 'gtin', 'name', ...} as ``ksef.bill._source_of`` makes it
        """
        for key, _column in KEYS:
            found = self._found[key].get(normal_name(source.get('name')) if key == 'name' else source.get(key))
            # A text alone is no proof where the supplier has told two items apart.
            if found and not (key == 'name' and found.seller_index and source.get('index') and found.seller_index != source['index']):
                return found, key
        return self.none, None


class KsefProductMap(models.Model):
    """What a line of a supplier's invoices is in our books: product, account, taxes, analytics, unit.

    Rules are learned from bills that were confirmed, and may be edited. A rule is found by the supplier's own index of
    the item, by GTIN, or by the text, in this order; one for all other lines of the supplier comes last (all fuel of a
    station to the account and the half-deductible tax of the company car).
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
    is_for_all = fields.Boolean(
        string="All other lines", help="Holds for every line of the supplier that no other rule and no product's own code recognises.")
    unit_name = fields.Char(string="Supplier's unit", help="Jednostka miary na fakturze")
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

    _one_for_all = models.UniqueIndex(
        '(company_id, partner_id) WHERE is_for_all AND active', "There is a rule for all other lines of this supplier already.")
    _factor = models.Constraint('CHECK (uom_factor > 0)', "The number of our units in one of theirs must be positive.")

    @api.depends('line_name')
    def _compute_name_key(self):
        for rule in self:
            rule.name_key = normal_name(rule.line_name)

    @api.model
    def _of_supplier(self, company, partner):
        """(:class:`RuleIndex` of a supplier's rules for single lines, the rule for all its other lines or nothing)."""
        rules = self.sudo().search([('company_id', '=', company.id), ('partner_id', '=', partner.commercial_partner_id.id)])
        general = rules.filtered('is_for_all')
        return RuleIndex(rules - general), general

    def _knows_unit(self, unit):
        """Whether the rule's unit and factor hold for lines in this unit of the supplier."""
        return not self.unit_name or normal_name(self.unit_name) == normal_name(unit)

    def _factor_of(self, unit):
        """Our units in one of the supplier's (Decimal); 1 where no rule says otherwise."""
        return Decimal(str(self.uom_factor)) if self.uom_id and self._knows_unit(unit) else Decimal(1)

    @api.model
    def _learn(self, lines):
        """Keep what an accountant decided on lines of imported bills; return the rules that are new or changed."""
        changed, known = self.browse(), {}
        for line in lines:
            source, company = line.ksef_source or {}, line.company_id
            partner = line.partner_id.commercial_partner_id
            if not source.get('name') or not partner or not (line.product_id or line.account_id):
                continue
            if (company, partner) not in known:
                known[company, partner] = self._of_supplier(company, partner)
            index, general = known[company, partner]
            rule, _key = index.pick(source)
            if not rule and general and general._is_followed_by(line):
                general._count_use()
                continue
            values = self._learned_values(line, source)
            if not rule:
                rule = self.sudo().create(values | {'company_id': company.id, 'partner_id': partner.id})
                index.add(rule)
                changed |= rule
            elif rule._differs(values):
                rule.write(values)
                changed |= rule
            else:
                rule._count_use()
        return changed

    def _count_use(self):
        self.write({'use_count': self.use_count + 1, 'last_used': fields.Date.context_today(self)})

    def _is_followed_by(self, line):
        """Whether a line is booked as this rule has it, so that there is nothing more to learn from it."""
        return line.product_id == self.product_id and line.account_id == (self.account_id or line.account_id) and (
            not self.tax_ids or line.tax_ids == self.tax_ids)

    @api.model
    def _learned_values(self, line, source):
        return {
            'seller_index': source.get('index') or False, 'gtin': source.get('gtin') or False,
            'classification': source.get('cn') or source.get('pkwiu') or False, 'line_name': source['name'],
            'product_id': line.product_id.id, 'account_id': line.account_id.id,
            'tax_ids': [(6, 0, line.tax_ids.ids)], 'analytic_distribution': line.analytic_distribution or False,
            'last_used': fields.Date.context_today(line),
        } | self._learned_unit(line, source)

    @api.model
    def _learned_unit(self, line, source):
        """The unit and its factor, where the accountant has booked another number of units than the program did."""
        stated, booked, now = (Decimal(str(value or 0)) for value in (source.get('quantity'), source.get('booked'), line.quantity))
        digits = self.env['ksef.bill']._in_our_digits
        if stated <= 0 or now <= 0 or not booked or digits(now) == digits(booked) or not line.product_uom_id:
            return {}
        factor = Decimal(1) if digits(now) == digits(stated) else now / stated
        return {'uom_id': line.product_uom_id.id, 'uom_factor': float(factor), 'unit_name': source.get('unit') or False}

    def _differs(self, values):
        self.ensure_one()
        return (
            any(key in values and self[key] != values[key] for key in ('uom_factor', 'unit_name'))
            or ('uom_id' in values and self.uom_id.id != values['uom_id'])
            or self.product_id.id != values['product_id'] or self.account_id.id != values['account_id']
            or set(self.tax_ids.ids) != set(values['tax_ids'][0][2])
            or (self.analytic_distribution or False) != values['analytic_distribution'])

    # ------------------------------------------------------------------ screens

    @api.constrains('tax_ids')
    def _check_taxes(self):
        """
        :raise ValidationError: a tax is not for purchases
        """
        for rule in self:
            if rule.tax_ids.filtered(lambda tax: tax.type_tax_use != 'purchase'):
                raise ValidationError(self.env._("“%(rule)s”: the taxes of a rule must be purchase taxes.", rule=rule.line_name))

    def action_merge(self):
        """Book all chosen lines alike, as the rule used most does, and keep one of those that stand for the same line.

        Each text, index and GTIN goes on being recognised.

        :raise UserError: they belong to several suppliers or companies, or one is for all other lines
        """
        self.check_access('write')
        if len(self) < 2 or len(self.partner_id) > 1 or len(self.company_id) > 1:
            raise UserError(self.env._("Choose two or more rules of one supplier and one company."))
        if any(self.mapped('is_for_all')):
            raise UserError(self.env._("A rule for all other lines cannot be merged with others: it would swallow them."))
        kept = self.sorted(lambda rule: (-rule.use_count, rule.id))[0]
        for rule in self - kept:
            rule.write({
                'product_id': kept.product_id.id, 'account_id': kept.account_id.id, 'tax_ids': [(6, 0, kept.tax_ids.ids)],
                'analytic_distribution': kept.analytic_distribution})
        seen = {}
        for rule in self.sorted(lambda rule: (-rule.use_count, rule.id)):
            first = seen.setdefault((rule.name_key, rule.seller_index, rule.gtin), rule)
            if first != rule:
                first.use_count += rule.use_count
                rule.unlink()
