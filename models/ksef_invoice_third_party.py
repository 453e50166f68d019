"""Other parties of an invoice (Podmiot3): recipients, payers, factors, units of local government, members of VAT groups."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from odoo import models

from ..ksef.fa3.codes import ThirdPartyRole
from ..ksef.fa3.model import BuyerIdentifier, InternalId, ThirdParty
from ..ksef.fa3.text import collapse
from .ksef_invoice_party import BUYER_KEY, address_of, buyer_identifier, contacts_of, correspondence_of
from .ksef_render_memo import once


def same_buyers(before: Sequence[ThirdParty], now: Sequence[ThirdParty]) -> dict[int, ThirdParty]:
    """Return which of the earlier additional buyers each of today's is, by its place among today's parties.

    A number tells. Persons without one are all alike in that: they are told by name and address, by the name alone, and
    who then is left by its place among them, if they are as many as before (else nobody can tell).
    """
    old, new, same = _buyers_by_number(before), _buyers_by_number(now), {}
    for identifier, today in new.items():
        earlier = old.get(identifier, {})
        by_place = dict(zip(today, earlier, strict=True)) if len(today) == len(earlier) else {}
        for traits in (lambda party: (party.name, party.address), lambda party: party.name):
            for place, party in today.items():
                found = next((key for key, other in earlier.items() if traits(other) == traits(party)), None)
                if place not in same and found is not None:
                    same[place] = earlier.pop(found)
        same |= {place: earlier[key] for place, key in by_place.items() if place not in same and key in earlier}
    return same


def _buyers_by_number(parties: Sequence[ThirdParty]) -> dict[BuyerIdentifier, dict[int, ThirdParty]]:
    """Return the additional buyers by identifier, those with the same one by their places among all parties."""
    found = {}
    for place, party in enumerate(parties):
        if party.role is ThirdPartyRole.ADDITIONAL_BUYER:
            found.setdefault(party.identifier, {})[place] = party
    return found


class AccountMove(models.Model):
    _inherit = 'account.move'

    @once
    def _ksef_third_parties(self) -> tuple[ThirdParty, ...]:
        """Return the other parties as they are stated."""
        return tuple(party for party, _old in self._ksef_keyed_parties())

    def _ksef_entered_parties(self) -> list[ThirdParty]:
        """Return the parties entered on the invoice, and addressees with a role of their own."""
        parties = [
            self._ksef_third_party(row.partner_id, row.role, row.role_description, row.share) for row in self.ksef_third_party_ids]
        named = self.ksef_third_party_ids.partner_id
        for partner in (self.partner_id | self.partner_shipping_id) - named - self.commercial_partner_id:
            if partner.ksef_role:
                parties.append(self._ksef_third_party(partner, partner.ksef_role, None, 0))
        return parties

    @once
    def _ksef_keyed_parties(self) -> tuple[tuple[ThirdParty, ThirdParty | None], ...]:
        """Return the parties; additional buyers whose data a correction changes with a key, and as they were before."""
        parties, stated, root = self._ksef_entered_parties(), None, self._ksef_root()
        if self.ksef_correction_kind == 'buyer' and root != self:
            stated = root._ksef_stated_invoice()
        before = same_buyers(stated.third_parties, parties) if stated else {}
        keyed, number = [], int(BUYER_KEY)
        for position, party in enumerate(parties):
            old = before.get(position)
            if old and (old.name, old.address) != (party.name, party.address):
                number += 1
                keyed.append((replace(party, key=str(number)), old))
            else:
                keyed.append((party, None))
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
