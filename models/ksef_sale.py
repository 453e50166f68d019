import re

from odoo import api, models
from odoo.exceptions import UserError

from ..ksef.fa3.codes import TaxGroup
from ..ksef.fa3.model import EuVatId, NoTaxId, OtherTaxId, PolishTaxId
from .account_move_lock import SALE_TYPES
from .ksef_bill_products import Match, Matcher


class SaleMatcher(Matcher):
    """Recognises lines of the company's own sales: its own references and names; nothing is learned from them."""

    usable = 'sale_ok'

    def _read_rules(self, company):
        return None, self.env['ksef.product.map']

    def _read_supplier_codes(self, company, codes):
        return {}

    def match(self, source):
        """The :class:`Match` of a line; empty where nothing or several products fit."""
        rules = self.env['ksef.product.map']
        found, why = self._match_product(source) if source else (self.env['product.product'], '')
        return Match(found, rules, why)


class KsefSale(models.AbstractModel):
    """From an FA(3) document that the company has issued elsewhere to the values of a customer invoice.

    Lines, sums and the proof are those of bills; the buyer, the taxes and the journal are those of sales. Whatever the
    document does not tell for certain (the tax on a margin, taxes of other countries) is refused.
    """
    _name = 'ksef.sale'
    _inherit = 'ksef.bill'
    _description = "Customer invoices from KSeF invoices"

    @api.model
    def _check_parties(self, company, invoice):
        """
        :raise UserError: the company is not the seller, or it is its own buyer
        """
        own = self.env['ksef.connection']._company_nip(company)
        if str(invoice.seller.nip) != own:
            raise UserError(self.env._(
                "No invoice is made: the seller is %(seller)s, not %(company)s (NIP %(nip)s).",
                seller=invoice.seller.name or invoice.seller.nip, company=company.display_name, nip=own))
        identifier = invoice.buyer.identifier
        if isinstance(identifier, PolishTaxId) and str(identifier.nip) == own:
            raise UserError(self.env._(
                "No invoice is made: %(company)s is the seller and the buyer of this invoice.", company=company.display_name))

    @api.model
    def _values(self, company, invoice, ksef_number=False, received_on=None):
        """What a customer invoice is made with: (values for account.move, notes).

        :raise UserError: it cannot be booked by the program; the sentence says why
        """
        self._check_parties(company, invoice)
        notes = []
        partner = self._find_buyer(company, invoice.buyer)
        is_refund = invoice.total < 0
        lines = self._line_values(company, invoice, partner, is_refund, notes)
        currency = self._find_currency(invoice.currency)
        supplied = self._supply_date(invoice)
        values = {
            'move_type': 'out_refund' if is_refund else 'out_invoice', 'company_id': company.id, 'partner_id': partner.id,
            'currency_id': currency.id, 'name': str(invoice.number), 'payment_reference': str(invoice.number),
            'journal_id': company._ksef_get_elsewhere_journal().id, 'invoice_date': self._day(invoice.issue_date),
            'taxable_supply_date': supplied, 'delivery_date': supplied, 'invoice_line_ids': [(0, 0, line) for line in lines],
        } | self._rate_values(company, invoice, currency) | self._due_values(company, invoice)
        original = self._find_original(invoice, company)
        if is_refund and original.move_type == 'out_invoice':
            values['reversed_entry_id'] = original.id
        return values, notes

    @api.model
    def _due_values(self, company, invoice):
        """When and to which of the company's accounts the buyer pays."""
        payment = invoice.payment
        if not payment:
            return {}
        due = next((term.due for term in payment.terms if term.due), None)
        values = {'invoice_date_due': self._day(due), 'invoice_payment_term_id': False} if due else {}
        stated = {re.sub(r'\s+', '', str(account.number)).removeprefix('PL') for account in payment.accounts}
        banks = company.partner_id.bank_ids.filtered(lambda bank: (bank.sanitized_acc_number or '').removeprefix('PL') in stated)
        return values | ({'partner_bank_id': banks[:1].id} if stated else {})

    # ------------------------------------------------------------------ buyer

    @api.model
    def _tax_number(self, identifier):
        """The buyer's number as contacts have it in "Tax ID"; empty for private persons."""
        if isinstance(identifier, PolishTaxId):
            return f'PL{identifier.nip}'
        if isinstance(identifier, EuVatId):
            return f'{identifier.prefix}{identifier.number}'
        return str(identifier.number) if isinstance(identifier, OtherTaxId) else ''

    @api.model
    def _find_buyer(self, company, buyer):
        """The contact with the buyer's tax number, or of the same name where it has none; made when there is none.

        :raise UserError: there is none that could be told from others
        """
        identifier, number = buyer.identifier, self._tax_number(buyer.identifier)
        if isinstance(identifier, PolishTaxId):
            partners = self._partners_of(company, str(identifier.nip)).filtered('active')
        else:
            found = self.env['res.partner'].sudo().search([
                ('vat', '=', number) if number else ('vat', 'in', (False, '')), ('company_id', 'in', [False, company.id]),
                ('parent_id', '=', False), *([] if number else [('name', '=', buyer.name or '')])])
            partners = found - company.partner_id
        if isinstance(identifier, NoTaxId) and len(partners) > 1:
            raise UserError(self.env._(
                "Several contacts are called “%(name)s”, and the invoice has no tax number of the buyer: enter it by hand, then it is "
                "recognised by its number.", name=buyer.name or ''))
        if partners:
            return partners[0].sudo(self.env.su)
        if not buyer.name:
            raise UserError(self.env._("The invoice doesn't say who the buyer is: enter it by hand, then it is recognised by its number."))
        return self.env['res.partner'].sudo().with_context(no_vat_validation=True).create(
            self._buyer_values(buyer, number)).with_env(self.env)

    @api.model
    def _buyer_values(self, buyer, number):
        code = buyer.address.country if buyer.address else 'PL'
        country = self.env['res.country'].search([('code', '=', code)], limit=1)
        contact = next(iter(buyer.contacts), None)
        return {
            'name': str(buyer.name), 'vat': number or False, 'is_company': bool(number), 'customer_rank': 1,
            'country_id': country.id, 'lang': self._polish() if code == 'PL' else self.env.lang,
            'email': contact and contact.email and str(contact.email), 'phone': contact and contact.phone and str(contact.phone),
        } | self._address_values(buyer.address)

    # ------------------------------------------------------------------ lines

    @api.model
    def _make_matcher(self, company, partner, sources):
        return SaleMatcher(self, company, partner, sources)

    @api.model
    def _account_of_product(self, product):
        return product.product_tmpl_id.get_product_accounts()['income']

    @api.model
    def _find_taxes(self, company, group, percent, product=None, rule=None):
        """The sales tax that stands on invoices as the line's rate: the product's where it fits, else the first of the company.

        :raise UserError: there is none, or the invoice does not tell the tax
        """
        taxes = self.env['account.tax']
        if group is None:
            return taxes
        if group is TaxGroup.MARGIN:
            raise UserError(self.env._(
                "The invoice is under a margin scheme and doesn't tell its VAT: enter it by hand, then it is recognised by its number."))
        if group is TaxGroup.ONE_STOP_SHOP:
            raise UserError(self.env._(
                "The invoice has tax of another country (OSS): enter it by hand, then it is recognised by its number."))
        own = product.taxes_id.filtered(lambda tax: tax.company_id == company) if product else taxes
        everything = taxes.search([
            ('company_id', '=', company.id), ('type_tax_use', '=', 'sale'), ('ksef_rate', '!=', False),
            ('price_include_override', '!=', 'tax_included')], order='sequence, id')
        for tax in (own & everything) + everything:
            kind, _problem = tax._ksef_kind()
            if kind and kind.group is group and kind.percent == percent and not (kind.procedure or kind.triangular):
                return tax
        raise UserError(self.env._(
            "There is no sales tax of %(percent)s %% in %(company)s that stands for the rate of this invoice. Create it, then try again.",
            percent=percent, company=company.display_name))

    # ------------------------------------------------------------------ corrections

    @api.model
    def _find_original(self, invoice, company):
        """The customer invoice that a correction corrects, by its KSeF number, else by its number; or nothing.

        :raise UserError: it is in the inbox and has to come first
        """
        moves = self.env['account.move'].sudo()
        if not invoice.correction:
            return moves
        numbers = [str(item.ksef_number) for item in invoice.correction.invoices if item.ksef_number]
        document = self.env['ksef.document'].sudo().search([
            ('ksef_number', 'in', numbers), ('state', '=', 'accepted'), ('company_id', 'child_of', company.id),
            ('move_id', '!=', False)], limit=1) if numbers else None
        found = document.move_id if document else moves.search([
            ('company_id', 'child_of', company.id), ('move_type', 'in', SALE_TYPES), ('state', '=', 'posted'),
            ('name', 'in', [str(item.number) for item in invoice.correction.invoices])], limit=1)
        waiting = not found and numbers and self.env['ksef.received'].sudo().search([
            ('company_id', '=', company.id), ('ksef_number', 'in', numbers), ('role', '=', 'seller'),
            ('state', 'in', ('listed', 'stored', 'failed'))], limit=1)
        if waiting:
            raise UserError(self.env._(
                "This corrects %(original)s, which is in the inbox too: import that one first.", original=waiting.invoice_number))
        return found
