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
    ('take', "Will be taken over"),
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
    def _sort_register(self, company, connection, lines):
        """What becomes of each line.

        :param lines: list of ``ksef.number_register.RegisterLine``
        :return: [(line, verdict, invoice id or False, detail)], in the order of the file
        """
        nip = self.env['ksef.connection']._company_nip(company)
        twins = self._find_contradictions(lines)
        candidates = self._find_register_moves(company, lines)
        live = self._live_numbers(company, connection)
        numbers = self._other_numbers(company) | {move_id: number for move_id, (_state, number) in live.items() if number}
        owners = {number: move_id for move_id, number in numbers.items()}
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
        """{normalised number: [{id, name, date, gross, number, reference}]} of the posted invoices that a line may mean."""
        self.env['account.move'].flush_model()
        dates = [line.issue_date for line in lines]
        period = SQL("TRUE")
        if dates and all(dates):
            # A wrong date in the file is to be told from a missing invoice, so a year around is looked at too.
            period = SQL(
                "m.invoice_date BETWEEN %s AND %s", min(dates) - timedelta(days=366), max(dates) + timedelta(days=366))
        other = SQL("m.l10n_pl_edi_ref") if self._has_other_module() else SQL("NULL")
        wanted = {normalized_number(line.number) for line in lines}
        found = defaultdict(list)
        for row in self.env.execute_query_dict(SQL(
            """
            SELECT m.id, m.name, m.invoice_date AS date, ABS(m.amount_total) AS gross, %s AS reference
              FROM account_move m
             WHERE m.company_id = %s AND m.move_type IN %s AND m.state = 'posted' AND m.name IS NOT NULL AND %s
          ORDER BY m.id
            """, other, company.id, SALE_TYPES, period,
        )):
            key = normalized_number(row['name'])
            if key in wanted:
                found[key].append(row)
        return found

    @api.model
    def _other_numbers(self, company):
        """{invoice id: KSeF number} of what Odoo's own module has sent, where it is installed."""
        if not self._has_other_module():
            return {}
        return dict(self.env.execute_query(SQL(
            """
            SELECT m.id, m.l10n_pl_edi_number FROM account_move m
             WHERE m.company_id = %s AND m.move_type IN %s AND m.l10n_pl_edi_number IS NOT NULL AND %s
            """, company.id, SALE_TYPES, self.env['account.move']._ksef_sent_elsewhere_sql())))

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
        if state:
            return 'conflict' if state == 'accepted' else 'pending'
        if owners.get(line.ksef_number, move['id']) != move['id']:
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
        rows = self._sort_register(company, connection, lines)
        self._lock_moves([move_id for _line, verdict, move_id, _detail in rows if verdict == 'take'])
        rows = self._sort_register(company, connection, lines)
        references = {
            move['id']: move['reference'] for moves in self._find_register_moves(company, lines).values() for move in moves}
        self._add_documents(company, connection, 'register', [
            self._register_values(line, move_id, references) for line, verdict, move_id, _detail in rows if verdict == 'take'])
        return rows

    @api.model
    def _register_values(self, line, move_id, references):
        move = self.env['account.move'].sudo().browse(move_id)
        return {
            'move_id': move_id, 'state': 'accepted', 'ksef_number': line.ksef_number,
            'reference_number': references.get(move_id) or False, 'invoice_number': move.name, 'issue_date': move.invoice_date,
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
