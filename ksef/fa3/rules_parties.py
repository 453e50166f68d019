"""Rules about the parties of an invoice: seller, buyer, third parties; their numbers and their roles."""

import re
from collections.abc import Iterator

from stdnum import ean
from stdnum.eu import vat as eu_vat
from stdnum.pl import nip, regon

from .codes import EU_VAT_PREFIXES, InvoiceKind, TaxRate, ThirdPartyRole
from .finding import Finding, error, warning
from .lexical import INTERNAL_ID, NIP, REGON
from .model import EuVatId, InternalId, Invoice, PolishTaxId

_EORI = re.compile('[A-Z]{2}[0-9A-Z]{1,15}')
_BDO = re.compile('[0-9]{9}')


def _identified(invoice: Invoice) -> Iterator[tuple[str, object]]:
    """Yield path and identifier of everybody who has one."""
    yield 'buyer.identifier', invoice.buyer.identifier
    for position, party in enumerate(invoice.third_parties):
        yield f'third_parties[{position}].identifier', party.identifier
    for position, party in enumerate(invoice.correction.buyers if invoice.correction else ()):
        yield f'correction.buyers[{position}].identifier', party.identifier
    for position, transport in enumerate(invoice.transaction.transports if invoice.transaction else ()):
        if transport.carrier:
            yield f'transaction.transports[{position}].carrier.identifier', transport.carrier.identifier


def _check_tax_numbers(invoice: Invoice) -> Iterator[Finding]:
    """The check digit of a NIP (KSeF tests it in production); a doubtful EU number is worth a look in VIES."""
    yield from _check_nip(invoice.seller.nip, 'seller.nip')
    if invoice.authorized_party:
        yield from _check_nip(invoice.authorized_party.nip, 'authorized_party.nip')
    for path, identifier in _identified(invoice):
        if isinstance(identifier, PolishTaxId):
            yield from _check_nip(identifier.nip, f'{path}.nip')
        elif isinstance(identifier, InternalId) and identifier.number and not INTERNAL_ID.problem(identifier.number):
            yield from _check_nip(identifier.number.partition('-')[0], f'{path}.number')
        elif isinstance(identifier, EuVatId):
            yield from _check_eu_number(identifier, path)


def _check_nip(number: str, path: str) -> Iterator[Finding]:
    if number and not NIP.problem(number) and not nip.is_valid(number):
        yield error('nip-checksum', path, f"{number} is no NIP: its check digit is wrong", value=number)


def _check_eu_number(identifier: EuVatId, path: str) -> Iterator[Finding]:
    if not identifier.prefix or not identifier.number:
        return
    number = identifier.prefix + identifier.number
    if identifier.prefix == 'PL':
        yield error('eu-number-polish', f'{path}.prefix', "who is Polish is named by NIP", value=number)
    # Northern Ireland's numbers are those of Great Britain, which the library keeps in a module of its own.
    elif identifier.prefix in EU_VAT_PREFIXES - {'XI'} and not eu_vat.is_valid(number):
        yield warning('eu-vat-doubtful', f'{path}.number', f"{number} doesn't look valid", value=number)


def _check_registers(invoice: Invoice) -> Iterator[Finding]:
    """Check digits of REGON; forms of EORI and BDO numbers, which the schema leaves open."""
    parties = [('seller', invoice.seller), ('buyer', invoice.buyer), ('authorized_party', invoice.authorized_party)]
    parties += [(f'third_parties[{position}]', party) for position, party in enumerate(invoice.third_parties)]
    for path, party in parties:
        if party and party.eori and not _EORI.fullmatch(party.eori):
            yield warning('eori-format', f'{path}.eori', f"{party.eori} is no EORI number", value=party.eori)
    for position, register in enumerate(invoice.footer.registers if invoice.footer else ()):
        path = f'footer.registers[{position}]'
        if register.regon and not REGON.problem(register.regon) and not regon.is_valid(register.regon):
            sentence = f"{register.regon} is no REGON: its check digit is wrong"
            yield error('regon-checksum', f'{path}.regon', sentence, value=register.regon)
        if register.bdo and not _BDO.fullmatch(register.bdo):
            yield warning('bdo-format', f'{path}.bdo', f"{register.bdo} is no BDO number", value=register.bdo)


def _check_codes(invoice: Invoice) -> Iterator[Finding]:
    """Check digits of bar codes; who numbers goods in another way uses the index."""
    lists = [('lines', invoice.lines)] + ([('order.lines', invoice.order.lines)] if invoice.order else [])
    for path, lines in lists:
        for position, line in enumerate(lines):
            if line.gtin and not (line.gtin.isdigit() and ean.is_valid(line.gtin)):
                sentence = f"{line.gtin} is no GTIN"
                yield warning('gtin-checksum', f'{path}[{position}].gtin', sentence, value=line.gtin, line=line.number)


def _check_buyer(invoice: Invoice) -> Iterator[Finding]:
    """Name and address of the buyer: art. 106e sec. 1 pt 3; a simplified invoice needs neither (sec. 5 pt 3)."""
    buyer = invoice.buyer
    if invoice.kind is InvoiceKind.SIMPLIFIED:
        return
    if not buyer.name:
        yield error('buyer-name-missing', 'buyer.name', "the buyer has no name")
    if not buyer.address:
        yield error('buyer-address-missing', 'buyer.address', "the buyer has no address")


def _check_rates(invoice: Invoice) -> Iterator[Finding]:
    """What the rates of the lines say about the parties.

    Intra-EU supplies and services of art. 100 go to holders of an EU VAT number (art. 42, art. 100; new means of
    transport to anybody), and the seller uses the prefix PL (art. 97 sec. 10); domestic reverse charge needs a Polish
    taxpayer.
    """
    rates = {line.rate for line in (*invoice.lines, *(invoice.order.lines if invoice.order else ()))}
    inside_eu = rates & {TaxRate.ZERO_INTRA_EU, TaxRate.SERVICES_ART_100}
    to_anybody = {TaxRate.ZERO_INTRA_EU} if invoice.annotations.new_transport else set()
    if inside_eu - to_anybody and not isinstance(invoice.buyer.identifier, EuVatId):
        codes = ', '.join(sorted(rate.code for rate in inside_eu - to_anybody))
        yield error('rate-needs-eu-buyer', 'buyer.identifier', f"{codes} needs an EU VAT number", rates=codes)
    if inside_eu and invoice.seller.eu_prefix != 'PL' and not invoice.annotations.triangular_second_taxpayer:
        yield error('seller-prefix-missing', 'seller.eu_prefix', "the seller's prefix PL is missing")
    if TaxRate.REVERSE_CHARGE in rates and not isinstance(invoice.buyer.identifier, PolishTaxId):
        yield error('rate-needs-polish-buyer', 'buyer.identifier', "oo needs a buyer with NIP", rates='oo')


def _check_units(invoice: Invoice) -> Iterator[Finding]:
    """JST = 1 and GV = 1 demand the subordinate unit or the group's member as a third party, by NIP or IDWew."""
    roles = {'local_government_unit': ThirdPartyRole.LOCAL_GOVERNMENT_RECIPIENT,
             'vat_group_member': ThirdPartyRole.VAT_GROUP_RECIPIENT}
    for attribute, role in roles.items():
        named = [party for party in invoice.third_parties if party.role is role]
        if getattr(invoice.buyer, attribute):
            if not any(isinstance(party.identifier, PolishTaxId | InternalId) for party in named):
                sentence = "the subordinate unit or group member must be named too"
                yield error('buyer-unit', f'buyer.{attribute}', sentence, role=role.value)
        elif named:
            sentence = "a subordinate unit or group member is named, but the buyer isn't marked"
            yield error('buyer-unit-unmarked', f'buyer.{attribute}', sentence, role=role.value)


def _check_shares(invoice: Invoice) -> Iterator[Finding]:
    """Shares are of additional buyers, and leave something to the buyer (XSD: Udzial)."""
    for position, party in enumerate(invoice.third_parties):
        if party.share is not None and party.role is not ThirdPartyRole.ADDITIONAL_BUYER:
            path = f'third_parties[{position}].share'
            yield error('share-unexpected', path, "a share of somebody who is no additional buyer")


def _check_share_sum(invoice: Invoice) -> Iterator[Finding]:
    total = sum(party.share for party in invoice.third_parties if party.share is not None)
    if total >= 100:
        yield error('shares-sum', 'third_parties', f"additional buyers have {total} %", value=str(total))


RULES = (_check_tax_numbers, _check_registers, _check_codes, _check_buyer, _check_rates, _check_units, _check_shares)
ARITHMETIC = (_check_share_sum,)
