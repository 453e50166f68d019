"""What stands around an invoice: footer, registers, contract and order, delivery notes, remarks of one's own."""

from odoo import models

from ..ksef.fa3.model import Footer, FooterNote, Reference, Register, Remark, Transaction
from ..ksef.fa3.text import collapse


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_footer(self) -> Footer | None:
        """Return the footer of the company and its numbers in other registers."""
        company = self.company_id
        notes = (FooterNote(text=(company.ksef_footer or '').strip()),) if (company.ksef_footer or '').strip() else ()
        register = Register(
            krs=collapse(company.ksef_krs) or None, regon=collapse(company.ksef_regon) or None, bdo=collapse(company.ksef_bdo) or None)
        registers = (register,) if register != Register() else ()
        return Footer(notes=notes, registers=registers) if notes or registers else None

    def _ksef_transaction(self) -> Transaction | None:
        """Return contract and purchase order, as entered on the invoice."""
        contracts = self._ksef_references(self.ksef_contract_number, self.ksef_contract_date)
        orders = self._ksef_references(self.ksef_order_number, self.ksef_order_date)
        return Transaction(contracts=contracts, orders=orders) if contracts or orders else None

    def _ksef_references(self, number: str | None, day) -> tuple[Reference, ...]:
        number = collapse(number) or None
        return (Reference(day=day or None, number=number),) if number or day else ()

    def _ksef_warehouse_documents(self) -> tuple[str, ...]:
        """Return the numbers of delivery notes (WZ), one a line."""
        numbers = (collapse(number) for number in (self.ksef_warehouse_documents or '').splitlines())
        return tuple(dict.fromkeys(filter(None, numbers)))

    def _ksef_own_remarks(self) -> tuple[Remark, ...]:
        """Return the keys and values that somebody has entered for this invoice."""
        return tuple(Remark(key=collapse(row.key), value=collapse(row.value)) for row in self.ksef_remark_ids)
