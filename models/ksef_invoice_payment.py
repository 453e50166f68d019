"""How an invoice is paid (Platnosc), and what is added or taken off without tax (Rozliczenie)."""

from decimal import Decimal

from odoo import models

from ..ksef.fa3.codes import PaymentForm
from ..ksef.fa3.lexical import SWIFT, TEXT_256
from ..ksef.fa3.model import BankAccount, EarlyDiscount, Payment, PaymentTerm, Settlement, SettlementItem
from ..ksef.fa3.text import collapse
from .ksef_invoice_lines import amount
from .ksef_invoice_party import compact, fitting

ROUNDING_REASON = 'Zaokrąglenie'


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_payment(self, entry) -> Payment | None:
        """Return due dates, form and account: a transfer, as soon as an account to pay to is given."""
        days = () if self.ksef_paid_on else sorted({item.date_maturity for item in entry.terms if item.date_maturity})
        bank = self.partner_bank_id
        accounts = (self._ksef_bank_account(bank),) if bank else ()
        form = PaymentForm(self.ksef_payment_form) if self.ksef_payment_form else PaymentForm.TRANSFER if accounts else None
        if not days and not accounts and not form and not self.ksef_paid_on:
            return None
        return Payment(
            paid_on=self.ksef_paid_on or None,
            terms=tuple(PaymentTerm(due=day) for day in days),
            form=form,
            accounts=() if bank.ksef_is_factor else accounts,
            factor_accounts=accounts if bank.ksef_is_factor else (),
            early_discount=self._ksef_early_discount(),
        )

    def _ksef_bank_account(self, bank) -> BankAccount:
        return BankAccount(
            number=(bank.sanitized_acc_number or '').upper(),
            swift=fitting(SWIFT, compact(bank.bank_bic)),
            # Name and code of the bank are a courtesy, as contacts are: what doesn't fit is left out.
            bank_name=fitting(TEXT_256, collapse(bank.bank_id.name)),
        )

    def _ksef_early_discount(self) -> EarlyDiscount | None:
        """Return the discount for early payment of the payment term (skonto), in words."""
        term = self.invoice_payment_term_id
        if not term.early_discount or self._ksef_is_correction():
            return None
        return EarlyDiscount(conditions=f'Zapłata w terminie {term.discount_days} dni', size=f'{term.discount_percentage:g}%')

    def _ksef_rounding(self, entry) -> Decimal:
        """Return what cash rounding adds to the amount to pay: it is no part of the sale."""
        field = 'balance' if self.currency_id == self.company_currency_id else 'amount_currency'
        return -sum((amount(item[field]) for item in entry.rounding if not item.tax_line_id), Decimal(0)) + 0

    def _ksef_settlement(self, entry) -> Settlement | None:
        """Return the rounding of the amount to pay, if there is any."""
        rounding = self._ksef_rounding(entry)
        if not rounding:
            return None
        items = (SettlementItem(amount=abs(rounding), reason=ROUNDING_REASON),)
        to_pay = self._ksef_total(entry) + rounding
        if rounding > 0:
            return Settlement(charges=items, charges_total=rounding, to_pay=to_pay)
        return Settlement(deductions=items, deductions_total=-rounding, to_pay=to_pay)
