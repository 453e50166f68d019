"""Proof of an invoice before it is sent: what the schema, the law and KSeF ask of its data and of its file.

KSeF itself checks no arithmetic and no flags: a wrong invoice is accepted and can only be corrected by another
one. So everything that can be known from the invoice alone is checked here. Each rule is a generator of findings;
the tables at the end of this module and of its neighbours list them.
"""

import re
from collections.abc import Iterator
from datetime import date

from lxml import etree

from . import (
    rules_accounts,
    rules_advance,
    rules_annotations,
    rules_correction,
    rules_currency,
    rules_lines,
    rules_parties,
    rules_payment,
    rules_sums,
    rules_values,
)
from .finding import Finding, error
from .model import Invoice
from .rules_advance import check_against_advances
from .rules_correction import after_corrections, agrees_with_foreign, check_against_original, check_header_against_original
from .schema import parse
from .text import find_forbidden

__all__ = [
    'after_corrections', 'agrees_with_foreign', 'check', 'check_against_advances', 'check_against_original', 'check_file',
    'check_header_against_original', 'check_issue_date',
]

MAX_SIZE = 1_000_000  # bytes, of an invoice without attachment; a megabyte of KSeF has 10**6
MAX_SIZE_WITH_ATTACHMENT = 3_000_000
EARLIEST_DAYS = 60  # art. 106i sec. 7: at most this long before the supply

# Values that no arithmetic can be done with: "not a number", infinity, more digits than any amount has.
_UNCOUNTABLE = {'number-invalid', 'number-too-large'}
_AMOUNTS = {'total', 'net', 'amount', 'rate'}  # attributes without which sums can't be made
_ATTACHMENT = re.compile(rb'</([\w.-]+:)?Zalacznik\s*>')
_DECLARED_ENCODING = re.compile(rb'<\?xml[^>]*\bencoding\s*=\s*["\']([^"\']*)["\']')


def check(invoice: Invoice, today: date | None = None) -> list[Finding]:
    """Return what is wrong with the data of an invoice.

    :param today: the day in Poland, for the rules about dates; without it they are left out.
    """
    findings = list(rules_values.check_values(invoice))
    if not (invoice.seller and invoice.buyer and invoice.annotations and invoice.kind):
        return findings  # the other rules take these for granted
    countable = not any(_is_uncountable(finding) for finding in findings)
    for rule in (*_RULES, *(_ARITHMETIC if countable else ())):
        findings.extend(rule(invoice))
    if today:
        findings.extend(check_issue_date(invoice, today))
    return findings


def _is_uncountable(finding: Finding) -> bool:
    missing = finding.code == 'value-missing' and finding.path.rpartition('.')[2] in _AMOUNTS
    return missing or finding.code in _UNCOUNTABLE


def check_issue_date(invoice: Invoice, today: date) -> Iterator[Finding]:
    """KSeF refuses a date of issue (P_1) later than the day on which it takes the invoice."""
    if invoice.issue_date and invoice.issue_date > today:
        sentence = f"the date of issue {invoice.issue_date} lies in the future"
        yield error('issue-date-future', 'issue_date', sentence, today=today.isoformat())


def _check_supply_date(invoice: Invoice) -> Iterator[Finding]:
    """P_6 is filled when it differs from P_1, and an invoice comes at most 60 days before the supply.

    Of an advance it is the day of the payment, of a correction that of the corrected invoice.
    """
    if invoice.supply_date is None or invoice.issue_date is None or invoice.kind.is_correction:
        return
    if not invoice.kind.is_advance and invoice.supply_date == invoice.issue_date:
        yield error('supply-date-same', 'supply_date', "the date of supply is left out when it is the date of issue")
    if (invoice.supply_date - invoice.issue_date).days > EARLIEST_DAYS:
        sentence = f"issued more than {EARLIEST_DAYS} days before the supply"
        yield error('supply-date-far', 'supply_date', sentence, limit=EARLIEST_DAYS)


def _check_order_of_days(invoice: Invoice) -> Iterator[Finding]:
    """What ends doesn't end before it begins."""
    period = invoice.period
    if period and period.first and period.last and period.first > period.last:
        yield error('period-order', 'period', "the period ends before it begins", value=period.first.isoformat())
    for position, transport in enumerate(invoice.transaction.transports if invoice.transaction else ()):
        if transport.started_at and transport.ended_at and transport.started_at > transport.ended_at:
            path = f'transaction.transports[{position}].ended_at'
            yield error('transport-order', path, "the transport ends before it begins")


_MODULES = (
    rules_lines, rules_parties, rules_accounts, rules_annotations, rules_correction, rules_advance, rules_currency,
    rules_payment, rules_sums,
)
_RULES = (_check_supply_date, _check_order_of_days, *(rule for module in _MODULES for rule in getattr(module, 'RULES', ())))
_ARITHMETIC = tuple(rule for module in _MODULES for rule in getattr(module, 'ARITHMETIC', ()))


def check_file(xml: bytes) -> list[Finding]:
    """Return what KSeF would refuse in the file itself, whatever is in it (reference: checks of an invoice file)."""
    return [finding for rule in _FILE_RULES for finding in rule(xml)]


def _check_size(xml: bytes) -> Iterator[Finding]:
    limit = MAX_SIZE_WITH_ATTACHMENT if _ATTACHMENT.search(xml) else MAX_SIZE
    if len(xml) > limit:
        sentence = f"the file has {len(xml)} bytes, KSeF takes {limit}"
        yield error('file-size', '', sentence, size=len(xml), limit=limit)


def _check_encoding(xml: bytes) -> Iterator[Finding]:
    if xml.startswith(b'\xef\xbb\xbf'):
        yield error('file-byte-order-mark', '', "the file begins with a byte order mark")
    declared = _DECLARED_ENCODING.match(xml)
    if declared and declared[1].upper() != b'UTF-8':
        yield error('file-encoding', '', "the file declares another encoding than UTF-8")
    try:
        found = find_forbidden(xml.decode())
    except UnicodeDecodeError:
        yield error('file-encoding', '', "the file is not UTF-8")
    else:
        if found:
            sentence = f"KSeF refuses the character {found[1]}"
            yield error('character-forbidden', '', sentence, character=found[1], position=found[0] + 1)


def _check_form(xml: bytes) -> Iterator[Finding]:
    try:
        root = parse(xml)
    except etree.XMLSyntaxError as problem:
        yield error('file-not-xml', '', f"not well-formed XML: {problem.msg}")
        return
    tree = root.getroottree()
    if tree.docinfo.doctype:
        yield error('file-doctype', '', "the file has a document type declaration")
    instructions = [*root.itersiblings(etree.PI, preceding=True), *tree.iter(etree.PI), *root.itersiblings(etree.PI)]
    if instructions:
        yield error('file-instruction', '', "the file has processing instructions")


_FILE_RULES = (_check_size, _check_encoding, _check_form)
