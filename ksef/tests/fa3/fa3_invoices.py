"""Invoices and files that the tests of FA(3) share."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from ksef.fa3.codes import PaymentForm, TaxGroup, TaxRate
from ksef.fa3.model import (
    Address,
    BankAccount,
    Buyer,
    Contact,
    GroupTotal,
    Invoice,
    Line,
    Payment,
    PaymentTerm,
    PolishTaxId,
    Seller,
)
from ksef.fa3.schema import Schema

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get('KSEF_SHARED') or ROOT.parent / 'shared') / 'ksef'
SCHEMA_NAME = 'schemat_FA(3)_v1-0E.xsd'
SHIPPED = 'odoo/addons/l10n_pl_edi/data/fa3_schema.xsd'

D = Decimal
ADDRESS = Address(country='PL', line_1="ul. Prosta 1", line_2="00-838 Warszawa")


def invoice(**values) -> Invoice:
    """A valid invoice of two lines (23 % and 8 %), with what the values change."""
    lines = (
        Line(number=1, uid='a', name="Towar", unit="szt.", quantity=D(3), unit_price=D('33.33'), discount=D('9.99'),
             net=D('90.00'), rate=TaxRate.VAT_23),
        Line(number=2, uid='b', name="Książka", unit="szt.", quantity=D(1), unit_price=D(50), net=D('50.00'),
             rate=TaxRate.VAT_8),
    )
    plain = {
        'created_at': datetime(2026, 11, 21, 10, 11, 12, tzinfo=UTC), 'system': "test",
        'seller': Seller(nip='5795955811', name="Sprzedawca", address=ADDRESS,
                         contacts=(Contact(email="a@example.com", phone="+48 22 123 45 67"),)),
        'buyer': Buyer(identifier=PolishTaxId(nip='5261040828'), name="Nabywca", address=ADDRESS),
        'number': "FV/2026/1", 'issue_date': date(2026, 11, 21), 'total': D('164.70'),
        'group_totals': (
            GroupTotal(group=TaxGroup.REDUCED_FIRST, net=D(50), tax=D(4)),
            GroupTotal(group=TaxGroup.STANDARD, net=D(90), tax=D('20.70')),
        ),
        'lines': lines,
        'payment': Payment(
            terms=(PaymentTerm(due=date(2026, 12, 5)),), form=PaymentForm.TRANSFER,
            accounts=(BankAccount(number='PL61109010140000071219812874', swift='WBKPPLPP'),)),
    }
    return Invoice(**(plain | values))


def with_line(change: dict, base: Invoice | None = None) -> Invoice:
    """The valid invoice with its first line changed."""
    base = base or invoice()
    return replace(base, lines=(replace(base.lines[0], **change), *base.lines[1:]))


def with_seller(**values) -> Invoice:
    """The valid invoice with another seller."""
    return invoice(seller=replace(invoice().seller, **values))


def with_buyer(**values) -> Invoice:
    """The valid invoice with another buyer."""
    return invoice(buyer=replace(invoice().buyer, **values))


def with_account(**values) -> Invoice:
    """The valid invoice with another account to pay to."""
    payment = invoice().payment
    return invoice(payment=replace(payment, accounts=(replace(payment.accounts[0], **values),)))


def shared(*parts: str) -> Path:
    """A file or folder of the shared reference; the test is skipped with a word when it isn't there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"not here: {path.name} of the shared reference (set KSEF_SHARED)")
    return path


def schema_file() -> Path:
    """The FA(3) schema: Odoo's copy (ODOO_HOME, or the one that dev/ fetched), else the Ministry's."""
    homes = [os.environ.get('ODOO_HOME'), ROOT / '.odoo' / 'odoo']
    for home in (Path(home) for home in homes if home):
        for found in (home / SHIPPED, home / 'usr/lib/python3/dist-packages' / SHIPPED,
                      home / SHIPPED.removeprefix('odoo/')):
            if found.exists():
                return found
    return shared('xsd', 'fa3', SCHEMA_NAME)


@cache
def schema() -> Schema:
    """The schema with the base types of this package."""
    return Schema.load(schema_file())


@cache
def official_schema() -> Schema:
    """The Ministry's schema with the Ministry's base types."""
    return Schema.load(shared('xsd', 'fa3', SCHEMA_NAME), tuple(shared('xsd', 'bazowe').glob('*.xsd')))


def samples() -> list[Path]:
    """The Ministry's sample invoices."""
    return sorted(shared('samples', 'fa3').glob('*.xml'))
