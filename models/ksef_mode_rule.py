from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..ksef.fa3.model import NoTaxId, PolishTaxId
from .ksef_invoice_party import buyer_identifier

PARTNER_KINDS = [
    ('business', "Businesses with a NIP"),
    ('foreign', "Foreign businesses"),
    ('private', "Private persons"),
]
CONDITIONS = ('journal_ids', 'partner_kind', 'fiscal_position_ids', 'partner_ids')


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def _ksef_kind(self):
        """What a buyer is to KSeF: 'business' (has a NIP, or should have one), 'foreign' or 'private'."""
        self.ensure_one()
        partner = self.commercial_partner_id
        identifier = buyer_identifier(partner.vat, partner.country_id.code, partner.is_company)
        if isinstance(identifier, PolishTaxId):
            return 'business'
        if isinstance(identifier, NoTaxId):
            return 'foreign' if partner.is_company else 'private'
        return 'foreign'


class KsefModeRule(models.Model):
    """What the automatic mode does with some invoices; the first rule that fits decides, all its conditions together.

    Without a fitting rule the invoice is sent.
    """
    _name = 'ksef.mode.rule'
    _description = "Rule of sending to KSeF"
    _order = 'sequence, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one('res.company', required=True, index=True, default=lambda self: self.env.company)
    decision = fields.Selection(
        [('send', "Send"), ('skip', "Don't send by itself")], required=True, default='skip',
        help="An invoice that isn't sent by itself can still be picked by hand.")
    journal_ids = fields.Many2many(
        'account.journal', string="Journals", domain="[('type', '=', 'sale'), ('company_id', 'child_of', company_id)]")
    partner_kind = fields.Selection(PARTNER_KINDS, string="Kind of buyer")
    partner_ids = fields.Many2many('res.partner', string="Buyers", help="These and the contacts that belong to them.")
    fiscal_position_ids = fields.Many2many('account.fiscal.position', string="Fiscal positions")

    @api.constrains('company_id', *CONDITIONS)
    def _check_conditions(self):
        for rule in self:
            if not any(rule[name] for name in CONDITIONS):
                raise ValidationError(self.env._(
                    "The rule “%(rule)s” has no condition, so it would hold for every invoice. To send nothing by itself, choose the "
                    "hybrid mode.", rule=rule.name))
            companies = rule.journal_ids.company_id | rule.fiscal_position_ids.company_id
            if any(rule.company_id not in company | company.parent_ids for company in companies):
                raise ValidationError(self.env._(
                    "The rule “%(rule)s” names a journal or fiscal position of another company.", rule=rule.name))

    def _fits(self, move):
        """Whether every condition of the rule holds for the invoice."""
        self.ensure_one()
        partner = move.commercial_partner_id
        return (
            (not self.journal_ids or move.journal_id._origin in self.journal_ids)
            and (not self.fiscal_position_ids or move.fiscal_position_id._origin in self.fiscal_position_ids)
            and (not self.partner_ids or partner._origin in self.partner_ids.commercial_partner_id)
            and (not self.partner_kind or (bool(partner) and partner._ksef_kind() == self.partner_kind))
        )

    @api.model
    def _decide(self, move, company):
        """The first rule of the company that fits the invoice, or none."""
        rules = company.ksef_mode_rule_ids.filtered('active').sorted(lambda rule: (rule.sequence, rule.id))
        return next((rule for rule in rules if rule._fits(move)), self.browse())
