"""Seller and buyer of an invoice, as FA(3) wants them (Podmiot1, Podmiot2)."""

import re

from odoo import models
from odoo.tools import email_normalize_all
from stdnum.eu import vat as eu_vat

from ..ksef.fa3.codes import EU_VAT_PREFIXES, TaxpayerStatus, TaxRate
from ..ksef.fa3.lexical import EMAIL, EU_VAT_NUMBER, PHONE, TEXT_13
from ..ksef.fa3.model import (
    Address,
    Buyer,
    BuyerIdentifier,
    Contact,
    CorrectedBuyer,
    CorrectedSeller,
    EuVatId,
    Invoice,
    NoTaxId,
    OtherTaxId,
    PolishTaxId,
    Seller,
)
from ..ksef.fa3.text import collapse
from .ksef_render_memo import once

PREFIX_OF_COUNTRY = {'GR': 'EL'}
EU_COUNTRIES = EU_VAT_PREFIXES - {'EL', 'XI'} | {'GR'}
MAX_EMAILS = 3  # DaneKontaktowe
BUYER_KEY = '1'  # IDNabywcy: links old and new data of the only buyer


def polish_number(vat: str | None) -> str | None:
    """Return the digits of a Polish tax number however it is stored ("PL5795955811", "579-595-58-11")."""
    number = compact(vat)
    return number.removeprefix('PL') or None


def buyer_identifier(vat: str | None, country: str | None, is_company: bool) -> BuyerIdentifier:
    """Return how a buyer is named to the tax office.

    A Polish number always goes into NIP, because KSeF delivers by it; the number of another EU country into KodUE
    and NrVatUE; any other into NrID, exactly as it is stored. Private persons have none.

    :param vat: tax number as stored in Odoo ('/' means none); :param country: ISO code of the buyer's country.
    """
    number = compact(vat)
    if not number:
        # A Polish business without its number can't get the invoice from KSeF: the number is asked for.
        asked_for = country == 'PL' and is_company and not vat
        return PolishTaxId(nip=None) if asked_for else NoTaxId()
    if number.startswith('PL') or (country == 'PL' and number[:1].isdigit()):
        return PolishTaxId(nip=number.removeprefix('PL'))
    identifier = _eu_identifier(number, country)
    if not identifier and country == 'PL':
        # Whatever it is, it is no number of another country: the checks say what is wrong with it.
        return PolishTaxId(nip=number)
    return identifier or OtherTaxId(country=country, number=collapse(vat))


def fitting(kind, text: str) -> str | None:
    """Return a text that the schema can hold, else nothing."""
    return text if text and not kind.problem(text) else None


def compact(vat: str | None) -> str:
    """Return the letters, digits, "+" and "*" of a number, in capitals."""
    return re.sub(r'[^0-9A-Z+*]', '', (vat or '').upper())


def _eu_identifier(number: str, country: str | None) -> EuVatId | None:
    """Return an EU VAT number, with its prefix or as the buyer's country writes it without one."""
    prefix = PREFIX_OF_COUNTRY.get(number[:2], number[:2])
    if prefix in EU_VAT_PREFIXES and not EU_VAT_NUMBER.problem(number[2:]):
        identifier = EuVatId(prefix=prefix, number=number[2:])
        # Elsewhere the first letters may be no prefix at all, so the number itself has to prove it.
        if country is None or country in EU_COUNTRIES or prefix == 'XI' or eu_vat.is_valid(prefix + number[2:]):
            return identifier
    own_prefix = PREFIX_OF_COUNTRY.get(country, country)
    if country in EU_COUNTRIES and eu_vat.is_valid(own_prefix + number):
        return EuVatId(prefix=own_prefix, number=number)
    return None


@once
def address_of(partner) -> Address | None:
    """Return an address in two lines (street; postal code and town), ``None`` when neither is known."""
    street = collapse(f'{partner.street or ""} {partner.street2 or ""}')
    state = partner.state_id.name if partner.country_id.code != 'PL' else None
    town = collapse(f'{partner.zip or ""} {partner.city or ""}')
    second = ', '.join(part for part in (town, collapse(state)) if part)
    lines = [line for line in (street, second) if line]
    if not lines or not (street or partner.city):
        return None
    # The number of the place (GLN) comes with a module of Odoo's.
    location = fitting(TEXT_13, collapse(partner.global_location_number)) if 'global_location_number' in partner._fields else None
    return Address(
        country=partner.country_id.code or None, line_1=lines[0], line_2=lines[1] if lines[1:] else None, location_number=location)


@once
def correspondence_of(partner) -> Address | None:
    """Return the address that a party wants its letters sent to, where it is another."""
    return address_of(partner.ksef_correspondence_id) if partner.ksef_correspondence_id else None


@once
def contacts_of(partner) -> tuple[Contact, ...]:
    """Return e-mail addresses (three at most) and telephone of a partner, as far as the schema can hold them.

    They are a courtesy, nothing that the law asks for: what doesn't fit is left out.
    """
    emails = [email for email in email_normalize_all(partner.email or '') if not EMAIL.problem(email)][:MAX_EMAILS]
    phone = short_phone(partner.phone)
    first = Contact(email=emails[0] if emails else None, phone=phone)
    return tuple(contact for contact in (first, *(Contact(email=email) for email in emails[1:]))
                 if contact.email or contact.phone)


def short_phone(phone: str | None) -> str | None:
    """Return a telephone number in at most 16 characters, without its punctuation when it is longer."""
    text = collapse(phone)
    if len(text) > PHONE.maximum:
        text = re.sub(r'[\s().\-/]', '', text)
    return text if text and not PHONE.problem(text) else None


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_seller(self, context, entry) -> Seller:
        """Return the seller; intra-EU supplies and triangular transactions need the prefix PL (art. 97 sec. 10, art. 136)."""
        company = self._ksef_seller_company()
        kinds = context.line_kinds(entry)
        inside_eu = any(kind.triangular or kind.rate in (TaxRate.ZERO_INTRA_EU, TaxRate.SERVICES_ART_100) for kind in kinds)
        return Seller(
            nip=polish_number(company.vat),
            name=collapse(company.name),
            address=address_of(company.partner_id),
            eu_prefix='PL' if inside_eu else None,
            contacts=contacts_of(company.partner_id),
            eori=collapse(company.partner_id.ksef_eori) or None,
            correspondence_address=correspondence_of(company.partner_id),
            status=TaxpayerStatus(company.ksef_taxpayer_status) if company.ksef_taxpayer_status else None,
        )

    @once
    def _ksef_buyer(self) -> Buyer:
        """Return the buyer: the business (commercial partner), with the contact person's e-mail and telephone.

        The telephone and e-mail of a private person are nobody's business and stay out.
        """
        partner = self.commercial_partner_id
        identifier = buyer_identifier(partner.vat, partner.country_id.code or None, partner.is_company)
        private = isinstance(identifier, NoTaxId)
        return Buyer(
            identifier=identifier,
            name=collapse(partner.name) or None,
            address=address_of(partner),
            contacts=() if private else contacts_of(self.partner_id) or contacts_of(partner),
            eori=collapse(partner.ksef_eori) or None,
            customer_number=collapse(partner.ksef_customer_number) or None,
            correspondence_address=correspondence_of(partner),
            key=BUYER_KEY if self.ksef_correction_kind == 'buyer' and self._ksef_is_correction() else None,
            **self._ksef_unit_marks(),
        )

    @once
    def _ksef_stated_invoice(self) -> Invoice | None:
        """Return what KSeF has got last with the parties' data: this invoice, or the newest of its corrections."""
        for move in reversed(self | self._ksef_family()):
            if invoice := move._ksef_accepted_invoice():
                return invoice
        return None

    def _ksef_corrected_seller(self) -> CorrectedSeller | None:
        """Return the seller as it was before a correction of its data (Podmiot1K)."""
        root = self._ksef_root()
        stated = root._ksef_stated_invoice() if self.ksef_correction_kind == 'seller' and root != self else None
        if not stated:
            return None
        old = stated.seller
        return CorrectedSeller(nip=old.nip, name=old.name, address=old.address, eu_prefix=old.eu_prefix)

    def _ksef_corrected_buyers(self) -> tuple[CorrectedBuyer, ...]:
        """Return the buyer, and additional buyers that have changed, as they were before a correction (Podmiot2K)."""
        root = self._ksef_root()
        stated = root._ksef_stated_invoice() if self.ksef_correction_kind == 'buyer' and root != self else None
        if not stated:
            return ()
        changed = [
            CorrectedBuyer(identifier=old.identifier, name=old.name, address=old.address, key=party.key)
            for party, old in self._ksef_keyed_parties() if old]
        old, new = stated.buyer, self._ksef_buyer()
        if changed and (old.name, old.address) == (new.name, new.address):
            return tuple(changed)
        return (CorrectedBuyer(identifier=old.identifier, name=old.name, address=old.address, key=BUYER_KEY), *changed)
