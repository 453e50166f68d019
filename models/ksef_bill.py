from datetime import datetime

from odoo import api, models
from odoo.exceptions import UserError

from ..ksef.fa3.codes import InvoiceKind
from ..ksef.fa3.document import FarmerInvoice, NotXml, OldInvoice, PeppolInvoice, ReadProblem, UnsafeXml
from ..ksef.fa3.model import PolishTaxId
from ..ksef.fa3.reader import read
from .ksef_bill_notes import Remark


class KsefBill(models.AbstractModel):
    """From an FA(3) document to the values of a vendor bill.

    The same values serve the button on a received invoice and Odoo's decoder for dropped and mailed files. Everything is
    worked out before the bill is written, so that a document that cannot be booked never leaves half a bill behind.
    """
    _name = 'ksef.bill'
    _description = "Vendor bills from KSeF invoices"

    @api.model
    def _read(self, xml):
        """The ``ksef.fa3.model.Invoice`` in the bytes of a document.

        :raise UserError: it is not an FA(3) document, or one that cannot be read whole; the sentence says why
        """
        try:
            return read(xml)
        except OldInvoice:
            reason = self.env._("This is an invoice of an older structure, FA(1) or FA(2): enter the bill by hand.")
        except FarmerInvoice:
            reason = self.env._("This is a VAT RR invoice of a flat-rate farmer (FA_RR): enter the bill by hand.")
        except PeppolInvoice:
            reason = self.env._("This is a Peppol document (PEF): enter the bill by hand.")
        except UnsafeXml:
            reason = self.env._("The file declares a document type or entities, which KSeF never does: it was not read.")
        except NotXml:
            reason = self.env._("The file is not a readable XML document.")
        except ReadProblem as error:
            reason = self.env._(
                "The document does not follow the FA(3) structure (%(place)s): enter the bill by hand.", place=str(error))
        raise UserError(reason)

    @api.model
    def _check_parties(self, company, invoice):
        """
        :raise UserError: the company is not the buyer (S1-14), or it is its own seller
        """
        own = self.env['ksef.connection']._company_nip(company)
        identifier = invoice.buyer.identifier
        if not isinstance(identifier, PolishTaxId) or str(identifier.nip) != own:
            raise UserError(self.env._(
                "No bill is made: the buyer on this invoice is %(buyer)s, not %(company)s (NIP %(nip)s).",
                buyer=invoice.buyer.name or getattr(identifier, 'nip', '') or '?', company=company.display_name, nip=own))
        if str(invoice.seller.nip) == own:
            raise UserError(self.env._(
                "No bill is made: %(company)s is the seller and the buyer of this invoice.", company=company.display_name))

    @api.model
    def _values(self, company, invoice, ksef_number=False, received_on=None):
        """What a bill is made with: (values for account.move, notes for the person who checks it).

        :param invoice: ``ksef.fa3.model.Invoice`` of which the company is the buyer
        :param received_on: the day of receipt; without it the invoice counts as received on its date of issue
        :raise UserError: it cannot be booked by the program; the sentence says why
        """
        self._check_parties(company, invoice)
        self = self.with_company(company).with_context(lang=company.partner_id.lang or self.env.lang)
        notes = []
        partner = self._find_supplier(company, invoice, notes)
        currency = self._find_currency(invoice.currency)
        is_refund = invoice.total < 0
        lines = self._line_values(company, invoice, partner, is_refund, notes)
        return {
            'move_type': 'in_refund' if is_refund else 'in_invoice',
            'company_id': company.id,
            'partner_id': partner.id,
            'currency_id': currency.id,
            'ref': str(invoice.number),
            'invoice_line_ids': [(0, 0, line) for line in lines],
        } | self._date_values(invoice, received_on) | self._rate_values(company, invoice, currency) | self._payment_values(
            invoice, partner, ksef_number, notes) | self._origin_values(invoice), notes

    # ------------------------------------------------------------------ dates

    @api.model
    def _date_values(self, invoice, received_on):
        """Issue date, tax point, and the accounting date: the later of tax point and receipt (deduction of VAT).

        A correction that lowers the amount belongs to the period of its receipt.
        """
        issued = self._day(invoice.issue_date)
        supplied = self._supply_date(invoice) or issued
        received = received_on or issued
        is_lowering = invoice.kind.is_correction and invoice.total < 0
        booked = max(received, issued) if is_lowering else max(supplied, received)
        return {'invoice_date': issued, 'taxable_supply_date': supplied, 'date': booked}

    @api.model
    def _supply_date(self, invoice):
        """The day of supply: P_6, the end of the period, or the last of the lines' own days; None when none is given."""
        if invoice.supply_date:
            return self._day(invoice.supply_date)
        if invoice.period:
            return self._day(invoice.period.last)
        days = [self._day(line.supply_date) for line in invoice.lines if line.supply_date and not line.before_correction]
        return max(days, default=None)

    @api.model
    def _day(self, value):
        return datetime(value.year, value.month, value.day).date()  # noqa: DTZ001  a plain day, not a moment

    # ------------------------------------------------------------------ currency

    @api.model
    def _find_currency(self, code):
        """
        :raise UserError: Odoo does not know the currency, or does not use it
        """
        currency = self.env['res.currency'].with_context(active_test=False).search([('name', '=', str(code))], limit=1)
        if not currency or not currency.active:
            raise UserError(self.env._(
                "The invoice is in %(currency)s. Activate this currency (Invoicing → Configuration → Currencies), then try again.",
                currency=code))
        return currency

    @api.model
    def _rate_values(self, company, invoice, currency):
        """The invoice's own rate of exchange where it has one, and one only."""
        if currency == company.currency_id:
            return {}
        rates = {line.exchange_rate for line in invoice.lines if line.exchange_rate}
        rates |= {invoice.exchange_rate} if invoice.exchange_rate else set()
        if len(rates) != 1:
            return {}
        return {'invoice_currency_rate': 1 / float(rates.pop())}

    # ------------------------------------------------------------------ payment and orders

    @api.model
    def _payment_values(self, invoice, partner, ksef_number, notes):
        """Due date, account to pay to, title of the transfer."""
        payment = invoice.payment
        values = {'payment_reference': " ".join(filter(None, [str(invoice.number), ksef_number or '']))}
        dues = sorted({self._day(term.due) for term in payment.terms if term.due}) if payment else []
        if dues:
            values |= {'invoice_date_due': dues[0], 'invoice_payment_term_id': False}
        if len(dues) > 1:
            notes.append(self.env._(
                "The invoice is due in parts, without saying how much when: %(days)s. The first day stands on the bill.",
                days=", ".join(map(str, dues))))
        if payment and payment.early_discount:
            notes.append(Remark(self.env._(
                "Discount for early payment (skonto): %(size)s, %(conditions)s.", size=payment.early_discount.size,
                conditions=payment.early_discount.conditions)))
        if payment and payment.paid_on:
            notes.append(self.env._("According to the invoice it was paid on %(day)s.", day=str(payment.paid_on)))
        elif payment and payment.instalments:
            notes.append(self.env._("According to the invoice a part of it has been paid."))
        if invoice.annotations.split_payment:
            notes.append(self.env._("Split payment (mechanizm podzielonej płatności) is obligatory."))
        if invoice.settlement:
            notes.append(self._describe_settlement(invoice.settlement))
        account = payment and next(iter(payment.factor_accounts or payment.accounts), None)
        return values | (self._bank_values(partner, account, notes) if account else {})

    @api.model
    def _describe_settlement(self, settlement):
        due = settlement.to_pay if settlement.to_pay is not None else settlement.to_settle
        return self.env._(
            "Beside VAT the invoice charges %(charges)s and deducts %(deductions)s (Rozliczenie); to pay or settle: %(due)s.",
            charges=sum(item.amount for item in settlement.charges), due='' if due is None else due,
            deductions=sum(item.amount for item in settlement.deductions))

    @api.model
    def _origin_values(self, invoice):
        """Numbers of the orders, by which Odoo finds the purchase order."""
        numbers = [str(order.number) for order in invoice.transaction.orders if order.number] if invoice.transaction else []
        return {'invoice_origin': ", ".join(numbers)} if numbers else {}

    @api.model
    def _is_data_only(self, invoice):
        """Whether a correction changes data and no amounts, so that there is nothing to book."""
        is_flat = not invoice.total and not any(group.net or group.tax for group in invoice.group_totals)
        return invoice.kind.is_correction and is_flat and invoice.kind is not InvoiceKind.ADVANCE_CORRECTION
