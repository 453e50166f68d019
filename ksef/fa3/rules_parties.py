"""Rules about seller, buyer and the accounts to pay to."""

from collections.abc import Iterator

from stdnum.eu import vat as eu_vat
from stdnum.iso7064 import mod_97_10
from stdnum.pl import nip

from .codes import EU_VAT_PREFIXES, TaxRate
from .finding import Finding, error, warning
from .lexical import ACCOUNT, NIP
from .model import EuVatId, Invoice, PolishTaxId


def _check_tax_numbers(invoice: Invoice) -> Iterator[Finding]:
    """The check digit of a NIP (KSeF tests it in production); a doubtful EU number is worth a look in VIES."""
    yield from _check_nip(invoice.seller.nip, 'seller.nip')
    identifier = invoice.buyer.identifier
    if isinstance(identifier, PolishTaxId):
        yield from _check_nip(identifier.nip, 'buyer.identifier.nip')
    elif isinstance(identifier, EuVatId):
        yield from _check_eu_number(identifier)


def _check_nip(number: str, path: str) -> Iterator[Finding]:
    if number and not NIP.problem(number) and not nip.is_valid(number):
        yield error('nip-checksum', path, f"{number} is no NIP: its check digit is wrong", value=number)


def _check_eu_number(identifier: EuVatId) -> Iterator[Finding]:
    number = identifier.prefix + identifier.number
    if identifier.prefix == 'PL':
        yield error('eu-number-polish', 'buyer.identifier.prefix', "a Polish buyer is named by NIP", value=number)
    # Northern Ireland's numbers are those of Great Britain, which the library keeps in a module of its own.
    elif identifier.prefix in EU_VAT_PREFIXES - {'XI'} and not eu_vat.is_valid(number):
        yield warning('eu-vat-doubtful', 'buyer.identifier.number', f"{number} doesn't look valid", value=number)


def _check_buyer(invoice: Invoice) -> Iterator[Finding]:
    """Name and address of the buyer: art. 106e sec. 1 pt 3 (the schema would let them be left out)."""
    buyer = invoice.buyer
    if not buyer.name:
        yield error('buyer-name-missing', 'buyer.name', "the buyer has no name")
    if not buyer.address:
        yield error('buyer-address-missing', 'buyer.address', "the buyer has no address")


def _check_rates(invoice: Invoice) -> Iterator[Finding]:
    """What the rates of the lines say about the parties.

    Intra-EU supplies and services of art. 100 go to holders of an EU VAT number (art. 42, art. 100), and the seller
    uses the prefix PL (art. 97 sec. 10); domestic reverse charge needs a Polish taxpayer.
    """
    rates = {line.rate for line in invoice.lines}
    inside_eu = rates & {TaxRate.ZERO_INTRA_EU, TaxRate.SERVICES_ART_100}
    if inside_eu and not isinstance(invoice.buyer.identifier, EuVatId):
        codes = ', '.join(sorted(rate.code for rate in inside_eu))
        yield error('rate-needs-eu-buyer', 'buyer.identifier', f"{codes} needs an EU VAT number", rates=codes)
    if inside_eu and invoice.seller.eu_prefix != 'PL':
        yield error('seller-prefix-missing', 'seller.eu_prefix', "the seller's prefix PL is missing")
    if TaxRate.REVERSE_CHARGE in rates and not isinstance(invoice.buyer.identifier, PolishTaxId):
        yield error('rate-needs-polish-buyer', 'buyer.identifier', "oo needs a buyer with NIP", rates='oo')


def _check_units(invoice: Invoice) -> Iterator[Finding]:
    """JST = 1 and GV = 1 demand a third party on the invoice, which the model can't hold yet."""
    for attribute in ('local_government_unit', 'vat_group_member'):
        if getattr(invoice.buyer, attribute):
            yield error('buyer-unit', f'buyer.{attribute}', "the subordinate unit or group member must be named too")


def _check_accounts(invoice: Invoice) -> Iterator[Finding]:
    """Polish account numbers (26 digits) and IBANs carry check digits; other numbers have no common rule."""
    for position, account in enumerate(invoice.payment.accounts if invoice.payment else ()):
        if account.number and not ACCOUNT.problem(account.number) and not _account_is_plausible(account.number):
            path = f'payment.accounts[{position}].number'
            yield error('account-checksum', path, f"{account.number}: wrong check digits", value=account.number)


def _account_is_plausible(number: str) -> bool:
    """Check the digits of an IBAN (ISO 13616), which a Polish account number is without its PL.

    ``stdnum.iban`` isn't used: it reads a data file in a way that fails inside Odoo.
    """
    if len(number) == 26 and number.isdigit():
        number = f'PL{number}'
    if not (number[:2].isalpha() and number[2:4].isdigit()):
        return True
    length_fits = len(number) == 28 or not number.startswith('PL')
    return length_fits and mod_97_10.is_valid(number[4:] + number[:4])


RULES = (_check_tax_numbers, _check_buyer, _check_rates, _check_units, _check_accounts)
