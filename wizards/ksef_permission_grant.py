import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from stdnum.pl import nip as nip_module
from stdnum.pl import pesel as pesel_module

FINGERPRINT = re.compile(r'[0-9A-F]{64}', re.ASCII)
# Field of the wizard -> KSeF's name of the right.
SCOPES = {
    'can_read': 'InvoiceRead', 'can_write': 'InvoiceWrite', 'can_see_rights': 'CredentialsRead',
    'can_manage_rights': 'CredentialsManage', 'can_see_sessions': 'Introspection',
}
OFFICE_SCOPES = ('can_read', 'can_write')
# What KSeF takes: (shortest, longest), from the contract of both operations.
LENGTHS = {'name': (5, 90), 'first_name': (2, 30), 'last_name': (2, 81), 'description': (5, 256), 'document_type': (1, 20),
           'document_number': (1, 20)}
IDENTIFIERS = [('Pesel', "PESEL"), ('Nip', "NIP")]


class KsefPermissionGrant(models.TransientModel):
    """Collects to whom rights are given and which; what can be checked here is, then a worker asks KSeF."""
    _name = 'ksef.permission.grant'
    _description = "Give rights in KSeF"

    connection_id = fields.Many2one('ksef.connection', required=True, ondelete='cascade')
    company_id = fields.Many2one(related='connection_id.company_id')
    holder = fields.Selection(
        [('office', "An accounting office or another company"), ('person', "A person")], string="Who", required=True, default='office')
    partner_id = fields.Many2one('res.partner', string="Contact", help="Fills in the NIP and the name.")
    office_nip = fields.Char(string="NIP", help="NIP of the accounting office")
    name = fields.Char(string="Full name", help="Pełna nazwa, as KSeF will show it")
    identifier_type = fields.Selection(
        [*IDENTIFIERS, ('Fingerprint', "Fingerprint of a certificate")], string="Named by", default='Pesel',
        help="What the person's signature, trusted profile or certificate names. A certificate that names neither PESEL nor NIP is "
             "known by its fingerprint (odcisk palca).")
    identifier = fields.Char(help="PESEL: 11 digits; NIP: 10 digits; fingerprint: SHA-256 of the certificate, 64 hexadecimal digits")
    first_name = fields.Char()
    last_name = fields.Char()
    person_is_known_by = fields.Selection(
        [('identifier', "PESEL or NIP"), ('document', "Date of birth and document")], string="The person has", default='identifier')
    person_identifier_type = fields.Selection(IDENTIFIERS, string="Kind of number", default='Pesel')
    person_identifier = fields.Char(string="Number of the person")
    birth_date = fields.Date(string="Date of birth")
    document_type = fields.Char(string="Kind of document", help="For example: passport (paszport)")
    document_number = fields.Char(string="Number of the document")
    document_country_id = fields.Many2one('res.country', string="Issued in")
    can_read = fields.Boolean(string="Read invoices", default=True, help="Przeglądanie faktur")
    can_write = fields.Boolean(string="Issue invoices", default=True, help="Wystawianie faktur")
    can_delegate = fields.Boolean(
        string="May pass the rights on to its staff",
        help="Accounting offices usually need it: without it only the office's own seal or token works for you.")
    can_see_rights = fields.Boolean(string="See rights", help="Przeglądanie uprawnień")
    can_manage_rights = fields.Boolean(string="Manage rights", help="Zarządzanie uprawnieniami: gives and takes all rights for this NIP")
    can_see_sessions = fields.Boolean(string="See the history of sessions", help="Przeglądanie historii sesji")
    description = fields.Char(
        required=True, default=lambda self: self.env._("Given in Odoo"), help="KSeF shows it beside the right.")
    problem = fields.Char(compute='_compute_problem')

    @api.onchange('partner_id')
    def _onchange_partner(self):
        if self.partner_id:
            partner = self.partner_id.commercial_partner_id
            self.office_nip = nip_module.compact((partner.vat or '').upper().removeprefix('PL'))
            self.name = (partner.name or '')[:LENGTHS['name'][1]]

    @api.onchange('holder')
    def _onchange_holder(self):
        self.can_delegate = self.holder == 'office'

    # ------------------------------------------------------------------ what can be checked here

    @api.depends('holder', 'office_nip', 'identifier_type', 'identifier', 'person_identifier_type', 'person_identifier')
    def _compute_problem(self):
        for wizard in self:
            wizard.problem = wizard._identifier_problem() or wizard._person_problem()

    def _get_identifier(self):
        """(type, value) of who gets the rights, as entered but without blanks and dashes."""
        kind, value = ('Nip', self.office_nip) if self.holder == 'office' else (self.identifier_type, self.identifier)
        return kind, self._compact(kind, value)

    @api.model
    def _compact(self, kind, value):
        compact = re.sub(r'[\s:-]', '', value or '').upper()
        return compact.removeprefix('PL') if kind == 'Nip' else compact

    def _identifier_problem(self):
        """What is wrong with who gets the rights, as a sentence, or False; an empty field is not wrong yet."""
        kind, value = self._get_identifier()
        if not value:
            return False
        if kind == 'Nip' and value == self.connection_id.nip:
            return self.env._("This is the company's own NIP: the owner has all rights already.")
        return self._number_problem(kind, value)

    def _person_problem(self):
        if self.holder != 'person' or self.identifier_type != 'Fingerprint' or self.person_is_known_by != 'identifier':
            return False
        value = self._compact(self.person_identifier_type, self.person_identifier)
        return bool(value) and self._number_problem(self.person_identifier_type, value)

    @api.model
    def _number_problem(self, kind, value):
        if kind == 'Nip' and not nip_module.is_valid(value):
            return self.env._("This is not a valid NIP: it must have 10 digits, and the last one must fit the others.")
        if kind == 'Pesel' and not pesel_module.is_valid(value):
            return self.env._("This is not a valid PESEL: it must have 11 digits, and the last one must fit the others.")
        if kind == 'Fingerprint' and not FINGERPRINT.fullmatch(value):
            return self.env._("A fingerprint has 64 hexadecimal digits: it is the SHA-256 of the certificate.")
        return False

    def _check_lengths(self, names):
        for name in names:
            shortest, longest = LENGTHS[name]
            if not shortest <= len((self[name] or '').strip()) <= longest:
                raise UserError(self.env._(
                    "“%(field)s” must have %(shortest)s to %(longest)s characters.", field=self._fields[name]._description_string(self.env),
                    shortest=shortest, longest=longest))

    # ------------------------------------------------------------------ "Give"

    def action_give(self):
        """Have a worker ask KSeF, and show the connection."""
        self.ensure_one()
        self.check_access('write')
        connection = self.connection_id
        connection._check_may_manage_rights()
        kind, value = self._get_identifier()
        if not value:
            raise UserError(self.env._("Enter whom the rights are for."))
        if self.problem:
            raise UserError(self.problem)
        names = OFFICE_SCOPES if self.holder == 'office' else SCOPES
        scopes = [SCOPES[name] for name in names if self[name]]
        if not scopes:
            raise UserError(self.env._("Choose at least one right."))
        self._check_lengths(('name', 'description') if self.holder == 'office' else ('first_name', 'last_name', 'description'))
        parameters = {
            'holder': self.holder, 'identifier': [kind, value], 'scopes': scopes, 'description': self.description.strip(),
        } | (self._office_parameters(value) if self.holder == 'office' else self._person_parameters(kind))
        action = connection._ask_ksef('grant_permission', parameters=parameters)
        # The row of the wizard lives on for hours: it doesn't keep a person's numbers.
        self.write(dict.fromkeys(('identifier', 'person_identifier', 'birth_date', 'document_number'), False))
        return action

    def _office_parameters(self, nip):
        name = self.name.strip()
        return {'name': name, 'can_delegate': self.can_delegate, 'subject': f"{name} (NIP {nip})"}

    def _person_parameters(self, kind):
        first_name, last_name = self.first_name.strip(), self.last_name.strip()
        parameters = {'first_name': first_name, 'last_name': last_name, 'subject': f"{first_name} {last_name}"}
        if kind == 'Fingerprint':
            parameters['person'] = self._fingerprint_person()
        return parameters

    def _fingerprint_person(self):
        """Who holds the certificate, which does not say it."""
        if self.person_is_known_by == 'identifier':
            value = self._compact(self.person_identifier_type, self.person_identifier)
            if not value:
                raise UserError(self.env._("Enter the PESEL or NIP of the person, too: the certificate does not name it."))
            return {'identifier': [self.person_identifier_type, value]}
        if not self.birth_date or not self.document_country_id:
            raise UserError(self.env._("Enter the date of birth and the document of the person: the certificate does not name them."))
        self._check_lengths(('document_type', 'document_number'))
        return {
            'birth_date': self.birth_date.isoformat(),
            'document': [self.document_type.strip(), self.document_number.strip(), self.document_country_id.code],
        }
