import re
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ..ksef.number import parse
from ..ksef.number_register import HEADINGS, CellProblem, normalized_number
from .account_move_lock import SALE_TYPES

# What becomes of a line of a register.
REGISTER_VERDICTS = [
    ('take', "Fits an invoice"),
    ('known', "Has this number already"),
    ('repeated', "Repeats an earlier line"),
    ('conflict', "Has another KSeF number"),
    ('pending', "On its way to KSeF"),
    ('number_taken', "Another invoice has this KSeF number"),
    ('file_conflict', "The file contradicts itself"),
    ('not_found', "No such invoice"),
    ('differs', "Another date or amount"),
    ('ambiguous', "Several invoices fit"),
    ('early', "The number is older than the invoice"),
    ('other_nip', "Number of another company"),
    ('bad_number', "Wrong KSeF number"),
    ('bad_cell', "A cell cannot be read"),
]
# The column of a cell that cannot be read, as a register names it.
SPOILT = {
    CellProblem.NO_NUMBER: HEADINGS[0], CellProblem.ISSUE_DATE: HEADINGS[2], CellProblem.GROSS: HEADINGS[4], CellProblem.HASH: HEADINGS[5],
}
# Nothing has to be done about these.
HARMLESS = ('take', 'known', 'repeated')


class KsefTakeover(models.AbstractModel):
    """Matching a register of KSeF numbers (``ksef.number_register``) with the company's invoices."""
    _inherit = 'ksef.takeover'

    @api.model
    def _sort_register(self, company, connection, lines, candidates=None):
        """What becomes of each line.

        :param lines: list of ``ksef.number_register.RegisterLine``
        :param candidates: what :meth:`_find_register_moves` returned for them
        :return: [(line, verdict, invoice id or False, detail)], in the order of the file
        """
        nip = self.env['ksef.connection']._company_nip(company)
        twins = self._find_contradictions(lines)
        candidates = self._find_register_moves(company, lines) if candidates is None else candidates
        live = self._live_numbers(company, connection)
        others = self._other_numbers(company, connection)
        numbers = others | {move_id: number for move_id, (_state, number) in live.items() if number}
        owners = self._register_owners(connection, lines, others)
        seen = set()
        rows = []
        for line in lines:
            key = (normalized_number(line.number), line.ksef_number)
            verdict = self._judge_line(line, nip)
            if not verdict and key in twins:
                verdict = 'file_conflict'
            if verdict:
                rows.append((line, verdict, False, SPOILT.get(line.problem, '')))
                continue
            verdict, move = self._judge_match(line, candidates.get(key[0], []))
            if not verdict:
                verdict = self._judge_state(line, move, live, numbers, owners)
            if verdict == 'take' and key in seen:
                verdict = 'repeated'
            seen.add(key)
            detail = self._describe_match(verdict, move, numbers)
            rows.append((line, verdict, move['id'] if move else False, detail))
        return rows

    @api.model
    def _find_contradictions(self, lines):
        """{(normalised number, KSeF number)} of lines that say something else about the same invoice or number."""
        pairs = {(normalized_number(line.number), line.ksef_number) for line in lines if not line.problem}
        numbers, ksef_numbers = Counter(pair[0] for pair in pairs), Counter(pair[1] for pair in pairs)
        return {pair for pair in pairs if numbers[pair[0]] > 1 or ksef_numbers[pair[1]] > 1}

    @api.model
    def _find_register_moves(self, company, lines):
        """{normalised number: [{id, name, date, gross, other}]} of the posted invoices that a line may mean."""
        self.env['account.move'].flush_model()
        dates = [line.issue_date for line in lines]
        period = SQL("TRUE")
        if dates and all(dates):
            # A wrong date in the file is to be told from a missing invoice, so a year around is looked at too.
            period = SQL(
                "m.invoice_date BETWEEN %s AND %s", min(dates) - timedelta(days=366), max(dates) + timedelta(days=366))
        names = ('status', 'ref', 'number', 'session_id')
        other = SQL("jsonb_build_object(%s)", SQL(", ").join(
            SQL("%s, m.%s", name, SQL.identifier(f'l10n_pl_edi_{name}')) for name in names))
        if not self._has_other_module():
            other = SQL("NULL")
        wanted = {normalized_number(line.number) for line in lines}
        # Equal numbers have equal digits: of a company's invoices only these are compared as people write them.
        digits = tuple({re.sub(r'[^0-9]', '', number) for number in wanted}) or ('',)
        found = defaultdict(list)
        for row in self.env.execute_query_dict(SQL(
            """
            SELECT m.id, m.name, m.invoice_date AS date, ABS(m.amount_total) AS gross, %s AS other
              FROM account_move m
             WHERE m.company_id = %s AND m.move_type IN %s AND m.state = 'posted' AND m.name IS NOT NULL AND %s
               AND regexp_replace(m.name, '[^0-9]', '', 'g') IN %s
          ORDER BY m.id
            """, other, company.id, SALE_TYPES, period, digits,
        )):
            key = normalized_number(row['name'])
            if key in wanted:
                found[key].append(row)
        return found

    @api.model
    def _other_numbers(self, company, connection):
        """{invoice id: KSeF number} of what Odoo's own module has sent, where it is installed.

        A number of which its take-over says “look it up and import it” does not stand in the way of the right one.
        """
        if not self._has_other_module():
            return {}
        return {
            row['id']: row['number'] for row in self._sort_other_moves(company, connection)
            if row['number'] and row['verdict'] not in ('bad_number', 'other_nip', 'number_twice')}

    @api.model
    def _register_owners(self, connection, lines, others):
        """{KSeF number: {ids of the invoices that have it}} for the numbers of the lines; ``others``: those of the other module."""
        wanted = {line.ksef_number for line in lines if not line.problem}
        owners = self._number_owners(connection, wanted)
        for move_id, number in others.items():
            owners[number].add(move_id)
        for number, move_ids in self._find_other_owners(wanted).items():
            if len(move_ids) == 1:  # one that several have says nothing about any of them
                owners[number] |= move_ids
        return owners

    @api.model
    def _judge_line(self, line, nip):
        """What is wrong with the line on its own, or None."""
        if line.problem == CellProblem.KSEF_NUMBER:
            return 'bad_number'
        if line.problem:
            return 'bad_cell'
        if parse(line.ksef_number).seller_nip != nip or (line.seller_nip and line.seller_nip != nip):
            return 'other_nip'
        return None

    @api.model
    def _judge_match(self, line, moves):
        """(verdict or None, the invoice or None): which of the invoices with this number is meant."""
        if not moves:
            return 'not_found', None
        fitting = [
            move for move in moves
            if (not line.issue_date or move['date'] == line.issue_date)
            and (line.gross is None or abs(abs(line.gross) - Decimal(str(move['gross']))) < Decimal('0.005'))]
        if not fitting:
            return 'differs', moves[0] if len(moves) == 1 else None
        # The number as it is written decides between invoices whose numbers differ by a sign.
        exact = [move for move in fitting if move['name'].strip() == line.number]
        if len(fitting) > 1 and len(exact) != 1:
            return 'ambiguous', None
        move = exact[0] if exact else fitting[0]
        if move['date'] and parse(line.ksef_number).accepted_on < move['date']:
            return 'early', move
        return None, move

    @api.model
    def _judge_state(self, line, move, live, numbers, owners):
        """What the invoice's own state says about a line that means it."""
        state, number = live.get(move['id'], (None, None))
        if number == line.ksef_number:
            return 'known'
        if state and state != 'lost':
            return 'conflict' if state == 'accepted' else 'pending'
        if owners.get(line.ksef_number, set()) - {move['id']}:
            return 'number_taken'
        return 'take' if numbers.get(move['id'], line.ksef_number) == line.ksef_number else 'conflict'

    @api.model
    def _describe_match(self, verdict, move, numbers):
        """The fact behind a verdict: the other number, date or amount."""
        if verdict == 'conflict':
            return numbers.get(move['id']) or ''
        if verdict in ('differs', 'early') and move:
            return f"{move['date'] or ''} {Decimal(str(move['gross'])):.2f}"
        return ''

    @api.model
    def _take_register(self, company, connection, lines):
        """Take over every line that can be; return the same as :meth:`_sort_register` as it stood just before."""
        candidates = self._find_register_moves(company, lines)
        rows = self._sort_register(company, connection, lines, candidates)
        # Locking fails where one of them was changed since it was read, so what was read of them holds.
        self._lock_moves([move_id for _line, verdict, move_id, _detail in rows if verdict == 'take'])
        rows = self._sort_register(company, connection, lines, candidates)
        others = {move['id']: move['other'] for moves in candidates.values() for move in moves}
        taken = {move_id: line for line, verdict, move_id, _detail in rows if verdict == 'take'}
        settled = self._settle_lost(connection, taken)
        self._add_documents(company, connection, 'register', [
            self._register_values(line, move_id, others.get(move_id) or {})
            for move_id, line in taken.items() if move_id not in settled])
        return rows

    @api.model
    def _settle_lost(self, connection, taken):
        """Give documents that KSeF knew nothing about the numbers of a register; return the ids of their invoices.

        :param taken: {invoice id: RegisterLine}
        """
        documents = self.env['ksef.document'].sudo().search([
            ('connection_id', '=', connection.id), ('move_id', 'in', list(taken)), ('state', '=', 'help'), ('origin', '!=', False)])
        for document in documents:
            document._settle_with_number(taken[document.move_id.id])
        documents._sync_moves()
        return set(documents.move_id.ids)

    @api.model
    def _register_values(self, line, move_id, other):
        """Values of the document for one line; ``other``: what the other module showed on the invoice ({} without it)."""
        move = self.env['account.move'].sudo().browse(move_id)
        return {
            'move_id': move_id, 'state': 'accepted', 'ksef_number': line.ksef_number,
            'other_module': other if other.get('status') else False,
            'reference_number': other.get('ref') or False, 'invoice_number': move.name, 'issue_date': move.invoice_date,
            'xml_hash': line.hash or False,
            'takeover_note': " ".join([
                self.env._("The file of the invoice (XML) was not kept by the other program."), self._no_upo_note()]),
        }

    # ------------------------------------------------------------------ the way out

    @api.model
    def _register_rows(self, company, connection):
        """Cells of a register (``ksef.number_register.HEADINGS``) of all accepted invoices of the connection, oldest first."""
        documents = self.env['ksef.document'].sudo().search_fetch([
            ('connection_id', '=', connection.id), ('company_id', '=', company.id), ('state', '=', 'accepted'),
            ('move_id', '!=', False)],
            ['move_id', 'invoice_number', 'ksef_number', 'issue_date', 'seller_nip', 'xml_hash'], order='issue_date, id')
        documents.move_id.fetch(['name', 'invoice_date', 'amount_total', 'move_type'])
        for document in documents:
            move = document.move_id
            sign = -1 if move.move_type == 'out_refund' else 1
            yield (
                document.invoice_number or move.name, document.ksef_number, document.issue_date or move.invoice_date or None,
                document.seller_nip or connection.nip, f"{sign * move.amount_total:.2f}", document.xml_hash or None)
