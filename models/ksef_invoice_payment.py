"""How an invoice is paid (Platnosc), and what is added or taken off without tax (Rozliczenie)."""

from decimal import Decimal

from odoo import models

from ..ksef.fa3.codes import InstalmentsExtent, PaymentForm
from ..ksef.fa3.lexical import QUANTITY, SWIFT, TEXT_256
from ..ksef.fa3.model import (
    BankAccount,
    EarlyDiscount,
    Instalment,
    Instalments,
    PartialAdvance,
    Payment,
    PaymentTerm,
    Settlement,
    SettlementItem,
)
from ..ksef.fa3.text import collapse
from .ksef_invoice_lines import amount, decimal_number
from .ksef_invoice_party import compact, fitting

ROUNDING_REASON = 'Zaokrąglenie'


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_payment(self, entry) -> Payment | None:
        """Return due dates, form and account: a transfer, as soon as an account to pay to is given."""
        instalments = self._ksef_instalments(entry)
        paid = self.ksef_paid_on or (instalments and instalments.extent is InstalmentsExtent.WHOLE)
        days = () if paid else sorted({item.date_maturity for item in entry.terms if item.date_maturity})
        bank = self.partner_bank_id
        accounts = (self._ksef_bank_account(bank),) if bank else ()
        form, other_form = self._ksef_payment_form_of(self.ksef_payment_form, self.ksef_payment_form_other)
        if not form and not other_form and accounts:
            form = PaymentForm.TRANSFER
        payment = Payment(
            instalments=instalments,
            other_form=other_form,
            link=collapse(self.ksef_payment_link) or None,
            ksef_payment_id=collapse(self.ksef_payment_id) or None,
            paid_on=self.ksef_paid_on or None,
            terms=tuple(PaymentTerm(due=day) for day in days),
            form=form,
            accounts=() if bank.ksef_is_factor else accounts,
            factor_accounts=accounts if bank.ksef_is_factor else (),
            early_discount=self._ksef_early_discount(),
        )
        return None if payment == Payment() else payment

    def _ksef_payment_form_of(self, form: str | None, other: str | None) -> tuple[PaymentForm | None, str | None]:
        """Return a form of payment: one of the list, or in words."""
        if form == 'other':
            return None, collapse(other) or None
        return (PaymentForm(form) if form else None), None

    def _ksef_instalments(self, entry) -> Instalments | None:
        """Return what was paid before the issue; an advance documents its payments in another place."""
        rows = self.ksef_payment_ids
        if not rows or self._ksef_is_correction() or self._ksef_special_kind() == 'advance':
            return None
        payments = []
        for row in rows:
            form, other_form = self._ksef_payment_form_of(row.form, row.other_form)
            payments.append(Instalment(amount=amount(row.amount), paid_on=row.date, form=form, other_form=other_form))
        settlement = self._ksef_settlement(entry)
        due = settlement.to_pay or Decimal(0) if settlement else self._ksef_total(entry)  # nothing is due when there is something to settle
        paid = sum((payment.amount for payment in payments), Decimal(0))
        extent = InstalmentsExtent.WHOLE if paid >= due else InstalmentsExtent.PART
        return Instalments(extent=extent, payments=tuple(payments))

    def _ksef_partial_advances(self) -> tuple[PartialAdvance, ...]:
        """Return the payments that an advance invoice documents, or that its correction takes back."""
        if self._ksef_root()._ksef_special_kind() != 'advance':
            return ()
        return tuple(
            PartialAdvance(
                received_on=row.date, amount=self._ksef_sign() * amount(row.amount),
                exchange_rate=decimal_number(row.exchange_rate, QUANTITY.places) if row.exchange_rate else None)
            for row in self.ksef_payment_ids)

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
        return self._ksef_side() * sum((amount(item[field]) for item in entry.rounding if not item.tax_line_id), Decimal(0)) + 0

    def _ksef_settlement(self, entry) -> Settlement | None:
        """Return what is added to, or taken off, the amount to pay: as entered, and cash rounding."""
        items = {'charge': [], 'deduction': []}
        for row in self.ksef_charge_ids:
            items[row.kind].append(SettlementItem(amount=amount(row.amount), reason=collapse(row.reason)))
        if rounding := self._ksef_rounding(entry):
            items['charge' if rounding > 0 else 'deduction'].append(SettlementItem(amount=abs(rounding), reason=ROUNDING_REASON))
        charges, deductions = (tuple(items[kind]) for kind in ('charge', 'deduction'))
        if not charges and not deductions:
            return None
        added, taken = (sum((item.amount for item in group), Decimal(0)) for group in (charges, deductions))
        due = self._ksef_total(entry) + added - taken
        return Settlement(
            charges=charges, charges_total=added if charges else None, deductions=deductions,
            deductions_total=taken if deductions else None, to_pay=due if due >= 0 else None, to_settle=-due if due < 0 else None)
