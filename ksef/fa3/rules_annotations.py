"""What an invoice must say because of what is on it: exemption, reverse charge, margin, split payment and others."""

from collections.abc import Iterator
from decimal import Decimal

from .amounts import groups_of
from .codes import InvoiceKind, Procedure, TaxGroup, TaxRate
from .finding import Finding, error, warning
from .model import EuVatId, Invoice, NoTaxId

SPLIT_PAYMENT_LIMIT = Decimal(15000)


def _says_nothing(invoice: Invoice) -> bool:
    """A correction of data alone repeats the statements without the sales that they are about."""
    return not groups_of(invoice)


def _check_reverse_charge(invoice: Invoice) -> Iterator[Finding]:
    """Reverse charge is stated when the buyer accounts for the tax (art. 106e sec. 1 pt 18), and only then."""
    groups, stated = groups_of(invoice), invoice.annotations.reverse_charge
    buyer_accounts = bool(groups & {TaxGroup.REVERSE_CHARGE, TaxGroup.SERVICES_ART_100})
    outside = TaxGroup.OUTSIDE_POLAND in groups  # there it depends on the law of the other country
    founded = buyer_accounts or outside or invoice.annotations.triangular_second_taxpayer
    if buyer_accounts and not stated:
        yield error('reverse-charge-missing', 'annotations.reverse_charge', "reverse charge must be stated")
    if stated and not founded and not _says_nothing(invoice):
        yield error('reverse-charge-unfounded', 'annotations.reverse_charge', "no line under reverse charge")
    if outside and not buyer_accounts and stated:
        yield warning('reverse-charge-doubt', 'annotations.reverse_charge', "the buyer must be liable for the tax abroad")


def _check_exemption(invoice: Invoice) -> Iterator[Finding]:
    """The legal basis of an exemption stands on the invoice when something is exempt (art. 106e sec. 1 pt 19)."""
    exempt = TaxGroup.EXEMPT in groups_of(invoice)
    if exempt and invoice.annotations.exemption is None:
        yield error('exemption-missing', 'annotations.exemption', "the legal basis of the exemption is missing")
    if not exempt and invoice.annotations.exemption is not None and not _says_nothing(invoice):
        yield error('exemption-unfounded', 'annotations.exemption', "an exemption is stated, but nothing is exempt")


def _check_margin(invoice: Invoice) -> Iterator[Finding]:
    """The margin scheme is stated when something is sold under it (art. 106e sec. 2 and 3), without tax on it."""
    margin = TaxGroup.MARGIN in groups_of(invoice)
    if margin and invoice.annotations.margin is None:
        yield error('margin-missing', 'annotations.margin', "the kind of margin scheme is missing")
    if not margin and invoice.annotations.margin is not None and not _says_nothing(invoice):
        yield error('margin-unfounded', 'annotations.margin', "a margin scheme is stated, but nothing is sold under it")


def _check_new_transport(invoice: Invoice) -> Iterator[Finding]:
    """New means of transport are stated on intra-EU supplies (art. 106e sec. 1 pt 22)."""
    groups = groups_of(invoice)
    if invoice.annotations.new_transport and groups and TaxGroup.ZERO_INTRA_EU not in groups:
        sentence = "new means of transport are stated, but no intra-EU supply"
        yield error('new-transport-unfounded', 'annotations.new_transport', sentence)


def _check_triangular(invoice: Invoice) -> Iterator[Finding]:
    """The second taxpayer of a triangle sells to a buyer in another EU country, and uses the prefix PL (art. 136)."""
    stated = invoice.annotations.triangular_second_taxpayer
    if stated and not isinstance(invoice.buyer.identifier, EuVatId):
        sentence = "triangulation needs a buyer with an EU VAT number"
        yield error('triangular-buyer', 'annotations.triangular_second_taxpayer', sentence)
    if stated and invoice.seller.eu_prefix != 'PL':
        yield error('seller-prefix-missing', 'seller.eu_prefix', "the seller's prefix PL is missing")
    for position, line in enumerate(invoice.lines):
        if line.procedure is Procedure.TRIANGULAR and not stated:
            sentence = f"line {line.number}: TT_D is of triangulation, which the invoice doesn't state"
            yield warning('procedure-triangular', f'lines[{position}].procedure', sentence, line=line.number)


def _check_procedures(invoice: Invoice) -> Iterator[Finding]:
    """The customs procedures 42 and 63 end in an intra-EU supply (regulation on JPK, § 10 sec. 4 pt 8 and 9)."""
    for position, line in enumerate(invoice.lines):
        if line.procedure in (Procedure.CUSTOMS_42, Procedure.CUSTOMS_63) and line.rate is not TaxRate.ZERO_INTRA_EU:
            sentence = f"line {line.number}: {line.procedure.value} without 0 WDT"
            yield warning('procedure-customs', f'lines[{position}].procedure', sentence, line=line.number)


def _check_self_billing(invoice: Invoice) -> Iterator[Finding]:
    """Who issues in the seller's name needs a tax number: the buyer logs in with it (art. 106d)."""
    if invoice.annotations.self_billing and isinstance(invoice.buyer.identifier, NoTaxId):
        yield error('self-billing-buyer', 'annotations.self_billing', "a buyer without a number can't issue invoices")


def _check_split_payment(invoice: Invoice) -> Iterator[Finding]:
    """Split payment is stated on more than 15,000 PLN with goods of annex 15 (art. 106e sec. 1 pt 18a)."""
    stated = invoice.annotations.split_payment
    taxed = any(total.tax for total in invoice.group_totals)
    if stated and invoice.group_totals and not taxed:
        yield error('split-payment-unfounded', 'annotations.split_payment', "split payment without tax to split")
    if stated or invoice.kind.is_correction or isinstance(invoice.buyer.identifier, NoTaxId):
        return
    annex = any(line.annex_15 for line in (*invoice.lines, *(invoice.order.lines if invoice.order else ())))
    if annex and taxed and _total_in_pln(invoice) > SPLIT_PAYMENT_LIMIT:
        yield error('split-payment-missing', 'annotations.split_payment', "split payment must be stated")


def _total_in_pln(invoice: Invoice) -> Decimal:
    """Return the total in PLN as far as the invoice tells a rate."""
    if invoice.currency == 'PLN':
        return invoice.total
    rates = [line.exchange_rate for line in invoice.lines if line.exchange_rate]
    taxed = [total for total in invoice.group_totals if total.tax and total.tax_in_pln]
    if taxed and not rates:
        rates = [taxed[0].tax_in_pln / taxed[0].tax]
    return invoice.total * (invoice.exchange_rate or (rates[0] if rates else 1))


def _check_simplified(invoice: Invoice) -> Iterator[Finding]:
    """A simplified invoice is for 450 PLN or 100 EUR at most, and names the buyer's NIP (art. 106e sec. 5 pt 3)."""
    if invoice.kind is not InvoiceKind.SIMPLIFIED:
        return
    limit = {'PLN': Decimal(450), 'EUR': Decimal(100)}.get(invoice.currency)
    if limit and invoice.total > limit:
        sentence = f"{invoice.total} {invoice.currency}, a simplified invoice is for {limit} at most"
        yield error('simplified-limit', 'total', sentence, value=str(invoice.total), limit=str(limit))
    if isinstance(invoice.buyer.identifier, NoTaxId):
        yield error('simplified-buyer', 'buyer.identifier', "a simplified invoice needs the buyer's number")
    rated = all(line.rate or line.one_stop_shop_rate is not None for line in invoice.lines)
    if not invoice.group_totals and not rated:
        yield error('simplified-tax', 'group_totals', "neither sums nor rates tell the tax")


RULES = (
    _check_reverse_charge,
    _check_exemption,
    _check_margin,
    _check_new_transport,
    _check_triangular,
    _check_procedures,
    _check_self_billing,
)
ARITHMETIC = (_check_split_payment, _check_simplified)
