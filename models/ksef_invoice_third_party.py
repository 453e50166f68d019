"""Other parties of an invoice (Podmiot3): recipients, payers, factors, units of local government, members of VAT groups."""

from dataclasses import replace
from decimal import Decimal

from odoo import models

from ..ksef.fa3.codes import ThirdPartyRole
from ..ksef.fa3.model import InternalId, ThirdParty
from ..ksef.fa3.text import collapse
from .ksef_invoice_party import BUYER_KEY, address_of, buyer_identifier, contacts_of, correspondence_of
from .ksef_render_memo import once


class AccountMove(models.Model):
    _inherit = 'account.move'

    @once
    def _ksef_third_parties(self) -> tuple[ThirdParty, ...]:
        """Return the parties entered on the invoice, and addressees with a role of their own."""
        parties = [
            self._ksef_third_party(row.partner_id, row.role, row.role_description, row.share) for row in self.ksef_third_party_ids]
        named = self.ksef_third_party_ids.partner_id
        for partner in (self.partner_id | self.partner_shipping_id) - named - self.commercial_partner_id:
            if partner.ksef_role:
                parties.append(self._ksef_third_party(partner, partner.ksef_role, None, 0))
        return self._ksef_keyed(parties)

    def _ksef_keyed(self, parties: list[ThirdParty]) -> tuple[ThirdParty, ...]:
        """Return the parties, additional buyers whose data a correction changes with a key to the old data."""
        stated = None
        if self.ksef_correction_kind == 'buyer' and self._ksef_is_correction():
            stated = self._ksef_root()._ksef_stated_invoice()
        before = {party.identifier: party for party in stated.third_parties} if stated else {}
        keyed, number = [], int(BUYER_KEY)
        for party in parties:
            old = before.get(party.identifier)
            if old and party.role is ThirdPartyRole.ADDITIONAL_BUYER and (old.name, old.address) != (party.name, party.address):
                number += 1
                party = replace(party, key=str(number))
            keyed.append(party)
        return tuple(keyed)

    def _ksef_third_party(self, partner, role: str, description: str | None, share: float) -> ThirdParty:
        if partner.ksef_internal_id:
            identifier = InternalId(number=collapse(partner.ksef_internal_id))
        else:
            # A contact without a number of its own has none here: the one it shows is that of the business.
            own = partner.vat if partner.vat != self.commercial_partner_id.vat or partner == self.commercial_partner_id else '/'
            identifier = buyer_identifier(own or '/', partner.country_id.code or None, partner.is_company)
        return ThirdParty(
            identifier=identifier,
            name=collapse(partner.name) or None,
            role=None if role == 'other' else ThirdPartyRole(role),
            role_description=collapse(description) or None if role == 'other' else None,
            address=address_of(partner),
            correspondence_address=correspondence_of(partner),
            contacts=contacts_of(partner),
            eori=collapse(partner.ksef_eori) or None,
            share=Decimal(f'{share:.6f}').normalize() + 0 if share else None,
            customer_number=collapse(partner.ksef_customer_number) or None,
        )

    @once
    def _ksef_unit_marks(self) -> dict:
        """Return whether the invoice concerns a unit of local government (JST) or a member of a VAT group (GV)."""
        roles = {party.role for party in self._ksef_third_parties()}
        return {
            'local_government_unit': ThirdPartyRole.LOCAL_GOVERNMENT_RECIPIENT in roles,
            'vat_group_member': ThirdPartyRole.VAT_GROUP_RECIPIENT in roles,
        }
