import re

from markupsafe import Markup
from odoo import api, fields, models

from ..ksef.fa3.codes import ThirdPartyRole
from ..ksef.fa3.model import InternalId, PolishTaxId
from .ksef_bill_notes import Alert, Remark

# A bill is unusual that comes to less than the usual amount through this, or to more than the usual amount times this.
USUAL_FACTOR = 3
# So many bills make an amount usual; so many of the last ones count.
LEAST_BILLS, MOST_BILLS = 3, 12
RECIPIENTS = (ThirdPartyRole.RECIPIENT, ThirdPartyRole.LOCAL_GOVERNMENT_RECIPIENT, ThirdPartyRole.VAT_GROUP_RECIPIENT)
LEGAL_FORMS = re.compile(
    r'spółka z ograniczoną odpowiedzialnością|sp\.? ?z ?o\.? ?o\.?|spółka akcyjna|s\.a\.?|spółka jawna|sp\.? ?j\.?|spółka komandytowa'
    r'|sp\.? ?k\.?|prosta spółka akcyjna|p\.s\.a\.?', re.IGNORECASE)
POSTCODE = re.compile(r'\b\d{2}-\d{3}\b')


class ResCompany(models.Model):
    """What the responsible is told about at once, and what is never confirmed without a person."""
    _inherit = 'res.company'

    ksef_alert_supplier = fields.Boolean(string="A new supplier", default=True)
    ksef_alert_bank = fields.Boolean(string="Another bank account than known", default=True)
    ksef_alert_amount = fields.Boolean(string="An amount far from the supplier's usual", default=True)
    ksef_alert_closed = fields.Boolean(string="A correction of a period that is already booked", default=True)
    ksef_alert_buyer = fields.Boolean(string="Wrong data of the buyer, or a branch that isn't known")


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    ksef_alert_supplier = fields.Boolean(related='company_id.ksef_alert_supplier', readonly=False)
    ksef_alert_bank = fields.Boolean(related='company_id.ksef_alert_bank', readonly=False)
    ksef_alert_amount = fields.Boolean(related='company_id.ksef_alert_amount', readonly=False)
    ksef_alert_closed = fields.Boolean(related='company_id.ksef_alert_closed', readonly=False)
    ksef_alert_buyer = fields.Boolean(related='company_id.ksef_alert_buyer', readonly=False)


class KsefBill(models.AbstractModel):
    """Alerts of a bill: by the rules of its company an activity for the responsible, and never confirmed by itself.

    Where a rule is off, the sentence is still shown on the draft; it neither makes an activity nor holds anything.
    """
    _inherit = 'ksef.bill'

    @api.model
    def _keep_notes(self, move, invoice, problem, notes):
        """Write down what differs, what is to be checked and what is only to be known; tell the responsible about alerts."""
        company = move.company_id
        if move.is_purchase_document():
            notes = [*notes, *self._buyer_alerts(company, invoice), *self._closed_alerts(move, invoice), *self._amount_alerts(move)]
        quiet = [
            note for note in notes if isinstance(note, Remark) or (isinstance(note, Alert) and not company[f'ksef_alert_{note.kind}'])]
        values = {
            'ksef_bill_problem': problem or False, 'ksef_bill_notes': "\n".join(note for note in notes if note not in quiet) or False,
            'ksef_bill_remarks': "\n".join(quiet) or False}
        if any(move[name] != value for name, value in values.items()):
            move.write(values)
        loud = [note for note in notes if isinstance(note, Alert) and note not in quiet]
        if loud and not self.env.context.get('ksef_automatic'):
            move._ksef_tell_responsible(self.env._("Alert about the bill from KSeF"), loud)

    @api.model
    def _closed_alerts(self, move, invoice):
        """A correction whose original belongs to an earlier month, or to a period that is locked."""
        original = self._find_original(invoice, move.company_id)
        if original.state != 'posted':
            return []
        is_earlier = (original.date.year, original.date.month) < (move.date.year, move.date.month)
        if not is_earlier and not original._get_violated_lock_dates(original.date, True):
            return []
        return [Alert('closed', self.env._(
            "It corrects %(bill)s of %(month)s, a period that is already booked.", bill=original.ref or original.name,
            month=original.date.strftime('%m.%Y')))]

    @api.model
    def _amount_alerts(self, move):
        """A bill that is far from what the supplier's last ones came to."""
        usual = move._ksef_usual_amount() if move.move_type == 'in_invoice' else 0
        if not usual or usual / USUAL_FACTOR <= move.amount_total <= usual * USUAL_FACTOR:
            return []
        return [Alert('amount', self.env._(
            "The amount is far from what this supplier usually charges (%(usual)s).", usual=usual))]

    @api.model
    def _buyer_alerts(self, company, invoice):
        """The buyer is called otherwise or lives elsewhere on the invoice than here; a branch is not ours."""
        buyer, partner, found = invoice.buyer, company.partner_id, []
        if buyer.name and self._company_name(buyer.name) != self._company_name(partner.name):
            found.append(self.env._(
                "On the invoice the buyer is called “%(invoice)s”, here “%(company)s”.", invoice=buyer.name, company=partner.name))
        stated = POSTCODE.search(" ".join(filter(None, [buyer.address.line_1, buyer.address.line_2])) if buyer.address else '')
        if stated and partner.zip and stated[0] != partner.zip:
            found.append(self.env._(
                "On the invoice the buyer's postal code is %(invoice)s, here %(company)s.", invoice=stated[0], company=partner.zip))
        return [Alert('buyer', text) for text in (*found, *self._branch_alerts(company, invoice))]

    @api.model
    def _branch_alerts(self, company, invoice):
        """Units of the buyer that the invoice names and that nobody knows here."""
        named = [party for party in invoice.third_parties if party.role in RECIPIENTS]
        if not named:
            return
        connections = self.env['ksef.connection'].sudo().search([('company_id', 'child_of', company.root_id.id)])
        own = self.env['ksef.connection']._company_nip
        units = {connection.internal_id for connection in connections}
        numbers = {own(branch) for branch in self.env['res.company'].sudo().search([('id', 'child_of', company.root_id.id)])}
        for party in named:
            identifier = party.identifier
            is_unknown_unit = isinstance(identifier, InternalId) and str(identifier.number) not in units
            is_unknown_taxpayer = isinstance(identifier, PolishTaxId) and str(identifier.nip) not in numbers
            if is_unknown_unit or is_unknown_taxpayer:
                yield self.env._(
                    "The invoice is for the branch or unit %(name)s (%(number)s), which isn't known here.", name=party.name or '',
                    number=identifier.number if is_unknown_unit else identifier.nip)

    @api.model
    def _company_name(self, name):
        """A company's name as it is compared: without its legal form, blanks, signs and capitals."""
        return self._plain(LEGAL_FORMS.sub(' ', name or ''))


class AccountMove(models.Model):
    _inherit = 'account.move'

    ksef_bill_remarks = fields.Text(string="To know", copy=False, readonly=True)

    def _ksef_tell_responsible(self, summary, sentences):
        """An activity for the company's responsible; nothing where nobody is, or where he may not see bills."""
        self.ensure_one()
        user = self.company_id.ksef_auto_user_id
        if user and self.with_user(user).has_access('read'):
            self.activity_schedule(
                'mail.mail_activity_data_todo', user_id=user.id, summary=summary, note=Markup("<br/>").join(sentences))

    def _ksef_usual_amount(self):
        """What the supplier's last bills came to on average, 0 when there are too few of them."""
        self.ensure_one()
        bills = self.search([
            ('company_id', '=', self.company_id.id), ('commercial_partner_id', '=', self.commercial_partner_id.id),
            ('move_type', '=', 'in_invoice'), ('state', '=', 'posted'), ('currency_id', '=', self.currency_id.id),
            ('id', '!=', self.id)], limit=MOST_BILLS, order='invoice_date desc, id desc')
        return round(sum(bills.mapped('amount_total')) / len(bills), 2) if len(bills) >= LEAST_BILLS else 0
