"""Corrections and settlements against the documents that they speak of, as KSeF has got them."""

from dataclasses import replace
from decimal import Decimal

from odoo import models

from ..ksef.fa3 import reader, rules
from ..ksef.fa3.document import ReadProblem
from ..ksef.fa3.finding import Finding, warning
from ..ksef.fa3.model import AdvanceInvoice, Invoice, OrderLine
from ..ksef.fa3.text import collapse

SHOWN_NUMBERS = 5  # in one sentence


class AccountMove(models.Model):
    _inherit = 'account.move'

    def _ksef_accepted_invoice(self) -> Invoice | None:
        """Return the document that KSeF has accepted for this invoice, ``None`` when it isn't here.

        It isn't for invoices issued outside KSeF, or sent with another program whose file wasn't taken over. A file that
        can't be read (an older FA(2), a broken one) is as good as none.
        """
        document = self.sudo().ksef_document_id
        xml = document._get_xml() if document.state == 'accepted' else b''
        try:
            return reader.read(xml) if xml else None
        except ReadProblem:
            return None

    def _ksef_is_foreign(self) -> bool:
        """Tell whether another program made one of these documents: with line numbers and identifiers of its own."""
        return any(self.sudo().ksef_document_id.mapped('origin'))

    def _ksef_accepted_state(self, corrections) -> Invoice | None:
        """Return the accepted document as corrections have left it, ``None`` when one of them isn't here."""
        invoices = [move._ksef_accepted_invoice() for move in (self, *corrections)]
        return None if None in invoices else rules.after_corrections(invoices[0], invoices[1:])

    # ------------------------------------------------------------------ the checks

    def _ksef_check_others(self, invoice: Invoice) -> list[Finding]:
        """Hold a correction against what it corrects, a settlement against its advances.

        What can't be held against anything is said, so that a person looks.
        """
        if invoice.kind.is_correction:
            return self._ksef_check_originals(invoice)
        return self._ksef_check_advances(invoice) if invoice.kind.is_settlement else []

    def _ksef_check_originals(self, invoice: Invoice) -> list[Finding]:
        root = self._ksef_root()
        unseen = [row.number for row in self.ksef_reference_ids if row.kind == 'corrected']
        findings = []
        if root != self:
            earlier = self._ksef_earlier_corrections()
            original = root._ksef_accepted_state(earlier)
            if original and not (root | earlier)._ksef_is_foreign():
                findings += rules.check_against_original(invoice, original)
            else:
                findings += rules.check_header_against_original(invoice, original) if original else []
                # What another program's corrections made of the lines can't be told from its files.
                if not original or earlier._ksef_is_foreign() or not rules.agrees_with_foreign(invoice, original):
                    unseen.insert(0, root.name)
        return findings + _unseen('original-unseen', 'correction', unseen)

    def _ksef_check_advances(self, invoice: Invoice) -> list[Finding]:
        known, unseen = [], [row.number for row in self.ksef_reference_ids if row.kind == 'advance']
        for move in self._ksef_settled_documents():
            advance = move._ksef_accepted_invoice()
            if advance:
                known.append((move._ksef_advance_name(), advance))
            else:
                unseen.append(move.name)
        # With one of them missing nothing can be said about the sums.
        return _unseen('advances-unseen', 'advance_invoices', unseen) or rules.check_against_advances(invoice, known)

    # ------------------------------------------------------------------ advances

    def _ksef_settled_documents(self):
        """Return the settled advance invoices in Odoo, each followed by its corrections."""
        moves = self.browse()
        for advance in self._ksef_settled_advances():
            moves |= advance | advance._ksef_family()
        return moves

    def _ksef_advance_name(self) -> AdvanceInvoice:
        """Return how a settlement names this advance: by KSeF number, or by its own when it is outside KSeF."""
        number = self._ksef_known_number()
        return AdvanceInvoice(ksef_number=number) if number else AdvanceInvoice(number=collapse(self.name))

    def _ksef_order_states(self, lines: list[OrderLine]) -> tuple[OrderLine, ...]:
        """Return the lines of an order before and after the correction of its advance.

        Before is what KSeF has got (the order as it is now, where that isn't known here), after the order as it is now.

        :param lines: the order as it is now
        """
        stated = self._ksef_root()._ksef_accepted_state(self._ksef_earlier_corrections())
        stated_lines = stated.order.lines if stated and stated.order else ()
        # Another program may give lines no identifiers, by which alone they could be found again.
        is_known = stated_lines and all(line.uid for line in stated_lines)
        before = {line.uid: line for line in (stated_lines if is_known else lines)}
        now = {line.uid: line for line in lines}
        states, free = [], max((line.number for line in before.values()), default=0)
        for uid, line in before.items():
            after = replace(now[uid], number=line.number) if uid in now else _nothing_left(line)
            states += [replace(line, before_correction=True), after]
        for uid, line in now.items():
            if uid not in before:
                free += 1
                states.append(replace(line, number=free))
        return tuple(states)


def _nothing_left(line: OrderLine) -> OrderLine:
    """Return an order's line after it was taken out."""
    return replace(line, quantity=Decimal(0), net=Decimal(0), tax=None if line.tax is None else Decimal(0))


def _unseen(code: str, path: str, numbers: list[str]) -> list[Finding]:
    """Return that documents aren't known here, so that nothing could be held against them."""
    if not numbers:
        return []
    shown = ', '.join(collapse(number) for number in numbers[:SHOWN_NUMBERS])
    value = shown if len(numbers) <= SHOWN_NUMBERS else f'{shown} …'
    return [warning(code, path, f"{value}: not known here", value=value)]
