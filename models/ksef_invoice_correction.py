"""Correcting invoices (KOR): what they correct, and their lines before and after."""

from collections import defaultdict
from typing import Any

from odoo import models

from ..ksef.fa3.codes import CorrectionEffect
from ..ksef.fa3.model import CorrectedInvoice, Correction, Line, PreviousAmount
from ..ksef.fa3.text import collapse
from .ksef_invoice_findings import Issue
from .ksef_invoice_lines import LineState, amount, state_of
from .ksef_invoice_party import polish_number
from .ksef_invoice_states import as_difference, corrected
from .ksef_render_memo import once

INVOICE_TYPES, REFUND_TYPES = ('out_invoice', 'in_invoice'), ('out_refund', 'in_refund')
DATA_KINDS = ('buyer', 'seller', 'number')  # corrections without amounts


class AccountMove(models.Model):
    _inherit = 'account.move'

    # ------------------------------------------------------------------ what is corrected

    @once
    def _ksef_is_correction(self) -> bool:
        """Tell whether this is a correcting invoice: a credit note, a debit note, or one that names what it corrects."""
        return self.move_type in REFUND_TYPES or (self.move_type in INVOICE_TYPES and bool(
            self._ksef_corrected_move() or self.ksef_reference_ids.filtered(lambda row: row.kind == 'corrected')))

    def _ksef_is_data_correction(self) -> bool:
        """Tell whether this corrects data alone: of the buyer, of the seller, or the number."""
        return self.ksef_correction_kind in DATA_KINDS and self._ksef_is_correction()

    def _ksef_corrected_move(self):
        """Return the document in Odoo that this one corrects, itself perhaps a correction."""
        return self.reversed_entry_id or (self.debit_origin_id if 'debit_origin_id' in self._fields else self.browse())

    @once
    def _ksef_root(self):
        """Return the invoice at the beginning of a chain of corrections (an invoice itself, when it is none)."""
        move = self
        while origin := move._ksef_corrected_move():
            move = origin
        return move

    def _ksef_family(self):
        """Return all posted corrections of an invoice, and of its corrections, in their order of issue."""
        family = newest = self
        while newest:
            notes = newest.debit_note_ids if 'debit_note_ids' in self._fields else self.browse()
            newest = (newest.reversal_move_ids | notes).filtered(lambda move: move.state == 'posted') - family
            family |= newest
        return (family - self).sorted(lambda move: (move.invoice_date, move.id))

    def _ksef_earlier_corrections(self):
        """Return the corrections of the same invoice that came before this one."""
        mine = self.invoice_date, self.id
        return (self._ksef_root()._ksef_family() - self).filtered(
            lambda move: move.ksef_is_locked or (move.invoice_date, move.id) < mine)

    def _ksef_known_number(self) -> str | None:
        """Return the KSeF number of an invoice, whoever has sent it."""
        return self.ksef_number or self.ksef_outside_number or self._ksef_number_elsewhere() or None

    def _ksef_number_elsewhere(self) -> str | None:
        """Return the KSeF number that Odoo's own module has got for an invoice it has sent."""
        if 'l10n_pl_edi_number' in self._fields and self.l10n_pl_edi_status == 'accepted':
            return self.l10n_pl_edi_number or None
        return None

    # ------------------------------------------------------------------ refusals

    def _ksef_correction_refusals(self, context, entry) -> list[Issue]:
        """Return why a correction can't be stated, or has to wait."""
        if not self._ksef_is_correction():
            return []
        root = self._ksef_root()
        named = self.ksef_reference_ids.filtered(lambda row: row.kind == 'corrected')
        if root == self and not named:
            return [Issue.error('correction-without-original', self, 'reversed_entry_id')]
        issues = [] if root == self else self._ksef_original_refusals(root)
        if self.ksef_correction_kind == 'collective' and not self.ksef_corrected_period:
            issues.append(Issue.error('correction-period-missing', self, 'ksef_corrected_period'))
        if self.ksef_correction_kind in DATA_KINDS:
            issues += self._ksef_data_correction_refusals(root)
        return issues or self._ksef_excess(context, entry)

    def _ksef_original_refusals(self, root) -> list[Issue]:
        """Return what stands against a correction of an invoice in Odoo."""
        issues = []
        for move in root | self._ksef_earlier_corrections():
            if not (move.ksef_is_outside or move._ksef_known_number()):
                code = 'correction-original-unsent' if move == root else 'correction-earlier-unsent'
                issues.append(Issue.error(code, self, 'reversed_entry_id', value=move.name))
        checks = (
            ('correction-receipt', 'move_type', root.move_type not in INVOICE_TYPES),
            ('correction-currency', 'currency_id', root.currency_id != self.currency_id),
            ('correction-other-buyer', 'partner_id', root.commercial_partner_id != self.commercial_partner_id),
        )
        return issues + [Issue.error(code, self, field) for code, field, found in checks if found]

    def _ksef_data_correction_refusals(self, root) -> list[Issue]:
        """A correction of data has no amounts, and needs the data that KSeF has."""
        if self.amount_total or any(self.line_ids.mapped('balance')):
            return [Issue.error('correction-data-amount', self, 'amount_total')]
        if self.ksef_correction_kind == 'number':
            missing = not collapse(self.ksef_right_number)
            return [Issue.error('correction-number-missing', self, 'ksef_right_number')] if missing else []
        old = root._ksef_stated_invoice() if root != self else None
        if self.ksef_correction_kind == 'seller':
            if not old:
                return [Issue.error('correction-seller-unknown', self, 'company_id')]
            wrong = old.seller.nip != polish_number(self._ksef_seller_company().vat)
            return [Issue.error('correction-seller-number', self.company_id, 'vat')] if wrong else []
        if not old:
            return [Issue.error('correction-buyer-unknown', self, 'partner_id')]
        if old.buyer.identifier != self._ksef_buyer().identifier:
            return [Issue.error('correction-buyer-number', self.commercial_partner_id, 'vat')]
        return []

    def _ksef_excess(self, context, entry) -> list[Issue]:
        """A correction takes back at most what is left of a line."""
        if self.ksef_correction_kind != 'lines':
            return []
        issues = []
        for before, after, item in self._ksef_changes(context, entry):
            if before and (after.quantity * before.quantity < 0 or after.net * before.net < 0):
                values = {'value': f'{item.price_subtotal:.2f}', 'expected': f'{abs(before.net):.2f}'}
                issues.append(Issue.error('correction-exceeds', item, 'price_subtotal', **values))
        return issues + self._ksef_unclear_debits(context, entry)

    def _ksef_unclear_debits(self, context, entry) -> list[Issue]:
        """A debit of the quantity and the price that a line has already may double either: a person has to look."""
        states, issues = dict(self._ksef_states_before(context)[0]), []
        if self._ksef_sign() < 0:
            return []
        for item in entry.lines:
            change, line = state_of(context, item), self._ksef_corrected_line(item)
            if before := states.get(line):
                states[line], _part = corrected(before, change, 1)
                if (change.quantity, change.unit_price) == (before.quantity, before.unit_price):
                    issues.append(Issue.warning(
                        'debit-unclear', item, 'quantity', value=f'{states[line].quantity.normalize():f}', price=f'{before.unit_price}'))
        return issues

    # ------------------------------------------------------------------ lines before and after

    def _ksef_sign(self) -> int:
        """Return -1 for what takes back, 1 for what charges."""
        return -1 if self.move_type in REFUND_TYPES else 1

    def _ksef_corrected_line(self, item):
        """Return the line of the original invoice that a line corrects, if it can be told.

        Lines of credit notes made before this addon was installed know nothing of it: there the only line with the
        same product, text and tax is taken.
        """
        root = self._ksef_root()
        if root == self:
            return item.browse()
        line = item.ksef_corrected_line_id
        if not line:
            def key(line):
                return line.product_id, line.name, line.tax_ids
            alike = root.invoice_line_ids.filtered(lambda line: line.display_type == 'product' and key(line) == key(item))
            line = alike if len(alike) == 1 and item.price_subtotal > 0 else item.browse()
        # A line at another rate charges anew; the rate of the corrected line is taken back by a line of its own.
        return line if line.move_id == root and line.tax_ids == item.tax_ids else item.browse()

    def _ksef_changes(self, context, entry) -> list[tuple[LineState | None, LineState, Any]]:
        """Return what changes: (state before, state after, journal item); no state before for new lines."""
        before, _added = self._ksef_states_before(context)
        sign, states, changes, items = self._ksef_sign(), dict(before), [], {}
        for item in entry.lines:
            change = state_of(context, item)
            line = self._ksef_corrected_line(item)
            if line not in states:
                changes.append((None, as_difference(change, sign), item))
                continue
            states[line], part = corrected(states[line], change, sign)
            items.setdefault(line, item)
            if part:
                changes.append((None, part, item))
        return [(before[line], states[line], item) for line, item in items.items()] + changes

    def _ksef_states_before(self, context) -> tuple[dict, int]:
        """Return the state of each line of the original after all earlier corrections, and how many lines those added."""
        root = self._ksef_root()
        if root == self:
            return {}, 0
        products = root.line_ids.filtered(lambda item: item.display_type == 'product')
        states = {item: state_of(context, item) for item in products - root._ksef_deductions(products)}
        added = 0
        for move in self._ksef_earlier_corrections():
            for item in move.invoice_line_ids.filtered(lambda item: item.display_type == 'product'):
                line = move._ksef_corrected_line(item)
                part = True
                if line in states:
                    states[line], part = corrected(states[line], state_of(context, item), move._ksef_sign())
                added += bool(part)
        return states, added

    def _ksef_correction_rows(self, context, entry) -> list[tuple[Any, Line]]:
        """Return the lines of a correction: each as it was and as it is now, with the number it has on the original."""
        if self.ksef_correction_kind != 'lines':
            return []
        root = self._ksef_root()
        numbers = {} if root == self else root._ksef_line_numbers()
        free = len(numbers) + self._ksef_states_before(context)[1]
        rows = []
        for before, after, item in self._ksef_paired(self._ksef_changes(context, entry)):
            if not before:
                free += 1
                rows.append((item, self._ksef_line(context, free, after, uid=context.uid(item))))
                continue
            line = before.item
            number, uid = numbers[line], context.uid(line)
            rows += [
                (item, self._ksef_line(context, number, before, uid=uid, before=True)),
                (item, self._ksef_line(context, number, after, uid=uid)),
            ]
        return rows

    def _ksef_paired(self, changes: list) -> list:
        """Join a line that is taken back in whole and the one that takes its place (a corrected rate) into a pair."""
        cancelled = defaultdict(list)
        for change in changes:
            before, after, _item = change
            if before and not after.quantity and not after.net:
                cancelled[before.item].append(change)
        joined, dropped = {}, set()
        for position, (before, after, item) in enumerate(changes):
            line = item.ksef_corrected_line_id
            if not before and after.net > 0 and line in cancelled and line not in joined:
                joined[line] = after
                dropped.add(position)
        return [
            (before, joined.get(before.item, after) if before else after, item)
            for position, (before, after, item) in enumerate(changes) if position not in dropped
        ]

    def _ksef_line_numbers(self) -> dict:
        """Return the numbers that the product lines of this invoice have in its XML."""
        products = self.line_ids.filtered(lambda item: item.display_type == 'product')
        stated = (products - self._ksef_deductions(products)).sorted(lambda item: (item.sequence, item.id))
        return {item: number for number, item in enumerate(stated, 1)}

    # ------------------------------------------------------------------ header

    def _ksef_correction(self) -> Correction | None:
        """Return what is corrected, and why."""
        if not self._ksef_is_correction():
            return None
        root = self._ksef_root()
        invoices = [] if root == self else [CorrectedInvoice(
            issue_date=root.invoice_date, number=collapse(root.name), ksef_number=root._ksef_known_number())]
        invoices += [
            CorrectedInvoice(issue_date=row.date, number=collapse(row.number), ksef_number=row.ksef_number or None)
            for row in self.ksef_reference_ids if row.kind == 'corrected'
        ]
        return Correction(
            invoices=tuple(invoices),
            reason=collapse(self.ksef_correction_reason) or None,
            effect=CorrectionEffect(self.ksef_correction_type) if self.ksef_correction_type else None,
            period=collapse(self.ksef_corrected_period) or None if self.ksef_correction_kind == 'collective' else None,
            right_number=collapse(self.ksef_right_number) or None if self.ksef_correction_kind == 'number' else None,
            seller=self._ksef_corrected_seller(),
            buyers=self._ksef_corrected_buyers(),
            previous=self._ksef_previous_amount(root),
        )

    def _ksef_previous_amount(self, root) -> PreviousAmount | None:
        """Return what a corrected advance or settlement came to before this correction (P_15ZK)."""
        if root == self or root._ksef_special_kind() not in ('advance', 'settlement'):
            return None
        earlier = self._ksef_earlier_corrections()
        before = amount(root.amount_total) + sum(move._ksef_sign() * amount(move.amount_total) for move in earlier)
        return PreviousAmount(amount=before, exchange_rate=root._ksef_exchange_rate())

