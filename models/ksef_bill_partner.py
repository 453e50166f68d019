import re

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError

from .ksef_bill_notes import Alert

# What of a contact may be taken over from an invoice.
SUPPLIER_DATA = ('name', 'street', 'street2', 'zip', 'city', 'email', 'phone')
ZIP_AND_CITY = re.compile(r'(\d{2}-\d{3})[ ,]+(.+)')


class ResCompany(models.Model):
    _inherit = 'res.company'

    ksef_create_suppliers = fields.Boolean(
        string="Create missing suppliers", default=True,
        help="A supplier that isn't among the contacts yet is created from the KSeF invoice.")


class KsefBill(models.AbstractModel):
    """The supplier of a bill, and the account to pay to."""
    _inherit = 'ksef.bill'

    @api.model
    def _find_supplier(self, company, invoice, notes):
        """The contact with the seller's NIP, created when there is none.

        :raise UserError: there is none, and the company does not want suppliers to be created
        """
        seller = invoice.seller
        nip = str(seller.nip)
        partners = self._partners_of(company, nip)
        active = partners.filtered('active')
        if len(active) > 1:
            notes.append(self.env._("Several contacts have the NIP %(nip)s; the one used most was taken.", nip=nip))
        if partners and not active:
            notes.append(self.env._("The contact with the NIP %(nip)s is archived.", nip=nip))
        best = (active or partners)[:1]
        if best:
            self._note_changes(best, seller, notes)
            return best.sudo(self.env.su)
        if not company.ksef_create_suppliers:
            raise UserError(self.env._(
                "No contact has the NIP %(nip)s (%(name)s). Create the supplier, then try again.", nip=nip, name=seller.name or ''))
        notes.append(Alert('supplier', self.env._("The supplier %(name)s is new: check the contact.", name=seller.name or nip)))
        # KSeF has checked the NIP; a register that can't be reached, or test data, must not stand in the way.
        partners = self.env['res.partner'].sudo().with_context(no_vat_validation=True)
        return partners.create(self._supplier_values(seller) | self._register_values(invoice)).with_env(self.env)

    @api.model
    def _partners_of(self, company, nip):
        """All contacts with a NIP, archived ones too, the one used most first."""
        contacts = self.env['res.partner'].sudo().with_context(active_test=False)
        if not nip:
            return contacts
        own = [('company_id', 'in', [False, company.id]), ('parent_id', '=', False)]
        partners = contacts.search([('vat', 'in', [nip, f'PL{nip}', f'PL {nip}']), *own])
        # Written in another way: 526-000-12-46. Rare, and slower to look for.
        partners = partners or contacts.search([('vat', '=like', f'%{nip[0]}%{nip[3]}%{nip[6]}%{nip[9]}'), *own]).filtered(
            lambda partner: re.sub(r'\W', '', partner.vat or '').upper().removeprefix('PL') == nip)
        return (partners - company.partner_id).sorted(lambda partner: (not partner.active, -partner.supplier_rank, partner.id))

    @api.model
    def _note_changes(self, partner, seller, notes):
        """What the invoice says differently about the supplier is offered, never written over."""
        if seller.name and self._plain(seller.name) != self._plain(partner.name):
            notes.append(self.env._(
                "On the invoice the supplier is called “%(invoice)s”, here “%(partner)s”.", invoice=seller.name, partner=partner.name))
        stated = self._address_values(seller.address)
        if stated.get('zip') and partner.zip and stated['zip'] != partner.zip:
            notes.append(self.env._(
                "On the invoice the supplier's address is %(invoice)s, here %(partner)s. “Take over the supplier's data” on the KSeF "
                "invoice changes the contact.", invoice=self._one_line_address(stated),
                partner=self._one_line_address({name: partner[name] for name in ('street', 'zip', 'city')})))

    @api.model
    def _one_line_address(self, values):
        return ", ".join(filter(None, [
            values.get('street'), " ".join(filter(None, [values.get('zip'), values.get('city')]))])) or '–'

    @api.model
    def _register_values(self, invoice):
        """Numbers of the supplier in other registers (KRS, REGON, BDO): the first in its own field, all of them in the notes."""
        register = next(iter(invoice.footer.registers), None) if invoice.footer else None
        found = [('KRS', register.krs), ('REGON', register.regon), ('BDO', register.bdo)] if register else []
        numbers = [(name, number) for name, number in found if number]
        if not numbers:
            return {}
        return {
            'company_registry': str(numbers[0][1]),
            'comment': Markup("<br/>").join(f"{name}: {number}" for name, number in numbers)}

    @api.model
    def _changed_supplier_values(self, partner, invoice):
        """What the invoice says otherwise about a supplier: {field of the contact: its value}, nothing emptied."""
        stated = {name: value for name, value in self._supplier_values(invoice.seller).items() if name in SUPPLIER_DATA and value}
        if self._plain(stated.get('name')) == self._plain(partner.name):
            stated.pop('name', None)
        return {name: value for name, value in stated.items() if self._plain(value) != self._plain(partner[name] or '')}

    @api.model
    def _plain(self, text):
        return re.sub(r'\W+', '', text or '').casefold()

    @api.model
    def _supplier_values(self, seller):
        values = {
            'name': str(seller.name or seller.nip), 'vat': f'PL{seller.nip}', 'is_company': True, 'supplier_rank': 1,
            'country_id': self.env.ref('base.pl').id, 'lang': self._polish(),
        }
        contact = next(iter(seller.contacts), None)
        if contact:
            values |= {'email': contact.email and str(contact.email), 'phone': contact.phone and str(contact.phone)}
        return values | self._address_values(seller.address)

    @api.model
    def _polish(self):
        installed = [code for code, _name in self.env['res.lang'].get_installed()]
        return 'pl_PL' if 'pl_PL' in installed else self.env.lang

    @api.model
    def _address_values(self, address):
        """Street, zip code and city from the one or two free lines of an address."""
        if not address:
            return {}
        lines = [str(line) for line in (address.line_1, address.line_2) if line]
        found = re.search(ZIP_AND_CITY, ", ".join(lines))
        if not found:
            return {'street': lines[0] if lines else False, 'street2': lines[1] if len(lines) > 1 else False}
        street = ", ".join(lines)[:found.start()].strip(" ,")
        return {'street': street or False, 'zip': found[1], 'city': found[2].strip(" ,")}

    # ------------------------------------------------------------------ bank account

    @api.model
    def _bank_values(self, partner, account, notes):
        """The account of the invoice when it is the supplier's; another one is shown and not paid to by itself."""
        number = re.sub(r'\s+', '', str(account.number))
        plain = number.removeprefix('PL')
        known = self.env['res.partner.bank'].sudo().search([('partner_id', 'child_of', partner.commercial_partner_id.id)])
        same = known.filtered(lambda bank: (bank.sanitized_acc_number or '').removeprefix('PL') == plain)[:1]
        if same:
            return {'partner_bank_id': same.id}
        if known:
            notes.append(Alert('bank', self.env._(
                "The invoice asks for payment to %(number)s, which is not an account known of this supplier. Check it (Biała lista) "
                "before you pay.", number=number)))
            return {'partner_bank_id': False}
        iban = f'PL{plain}' if plain.isdigit() and len(plain) == 26 else number
        bank = self.env['res.partner.bank'].sudo().create({'acc_number': iban, 'partner_id': partner.id})
        return {'partner_bank_id': bank.id}


class KsefReceived(models.Model):
    _inherit = 'ksef.received'

    supplier_changes = fields.Text(
        string="Data of the supplier that differ", compute='_compute_supplier_changes', compute_sudo=True,
        help="What the invoice says otherwise about the supplier than the contact.")

    @api.depends('move_id.partner_id', 'xml_size')
    @api.depends_context('lang')
    def _compute_supplier_changes(self):
        labels = {name: field['string'] for name, field in self.env['res.partner'].fields_get(SUPPLIER_DATA, ['string']).items()}
        for received in self:
            received.supplier_changes = "\n".join(
                f"{labels[name]}: {value}" for name, value in received._supplier_difference().items()) or False

    def _supplier_difference(self):
        """What :meth:`ksef.bill._changed_supplier_values` finds for the bill's supplier; {} where there is no bill of an FA(3)."""
        self.ensure_one()
        partner = self.sudo().move_id.commercial_partner_id
        if not partner or not self.is_purchase or not self.xml_size:
            return {}
        bills = self.env['ksef.bill']
        try:
            return bills._changed_supplier_values(partner, bills._read(self._get_xml()))
        except UserError:
            return {}

    def action_take_supplier_data(self):
        """Write what the invoice says about the supplier to the contact; the bank account never."""
        self.ensure_one()
        self._check_bookkeeper()
        self.check_access('read')
        partner, values = self.move_id.commercial_partner_id, self._supplier_difference()
        if not values:
            raise UserError(self.env._("The contact has what the invoice says."))
        partner.write(values)
        partner.sudo().message_post(body=self.env._("Data taken over from KSeF invoice %(number)s.", number=self.ksef_number))
