"""Rules about bank accounts."""

from collections.abc import Iterator

from stdnum.iso7064 import mod_97_10

from .finding import Finding, error
from .lexical import ACCOUNT
from .model import Invoice


def _check_accounts(invoice: Invoice) -> Iterator[Finding]:
    """Polish account numbers (26 digits) and IBANs carry check digits; other numbers have no common rule."""
    payment = invoice.payment
    for attribute in ('accounts', 'factor_accounts') if payment else ():
        for position, account in enumerate(getattr(payment, attribute)):
            number = account.number
            if number and not ACCOUNT.problem(number) and not _is_plausible(number):
                path = f'payment.{attribute}[{position}].number'
                yield error('account-checksum', path, f"{number}: wrong check digits", value=number)


def _is_plausible(number: str) -> bool:
    """Check the digits of an IBAN (ISO 13616), which a Polish account number is without its PL.

    ``stdnum.iban`` isn't used: it reads a data file in a way that fails inside Odoo.
    """
    if len(number) == 26 and number.isdigit():
        number = f'PL{number}'
    if not (number[:2].isalpha() and number[2:4].isdigit()):
        return True
    length_fits = len(number) == 28 or not number.startswith('PL')
    return length_fits and mod_97_10.is_valid(number[4:] + number[:4])


RULES = (_check_accounts,)
