"""What stands around an invoice: footer, registers, remarks of one's own."""

from odoo import models

from ..ksef.fa3.model import Footer, FooterNote, Register, Remark
from ..ksef.fa3.text import collapse


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_footer(self) -> Footer | None:
        """Return the footer of the company and its numbers in other registers."""
        company = self._ksef_seller_company()
        notes = (FooterNote(text=(company.ksef_footer or '').strip()),) if (company.ksef_footer or '').strip() else ()
        register = Register(
            krs=collapse(company.ksef_krs) or None, regon=collapse(company.ksef_regon) or None, bdo=collapse(company.ksef_bdo) or None)
        registers = (register,) if register != Register() else ()
        return Footer(notes=notes, registers=registers) if notes or registers else None

    def _ksef_own_remarks(self) -> tuple[Remark, ...]:
        """Return the keys and values that somebody has entered for this invoice."""
        return tuple(Remark(key=collapse(row.key), value=collapse(row.value)) for row in self.ksef_remark_ids)
