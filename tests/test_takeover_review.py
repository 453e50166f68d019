"""Taking over: nothing leaks, no number twice, and a way out of every state (issue: connecting, point 9)."""
import base64
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ksef.number import crc8
from ..ksef.number_register import normalized_number
from .common import BUYER_NIP, SELLER_NIP
from .test_branch import UNIT, KsefBranchCommon
from .test_takeover import TakeoverCommon

MODELS = 'odoo.addons.l10n_pl_ksef.models'
REGISTER, WORKER = f'{MODELS}.ksef_takeover_register', f'{MODELS}.ksef_takeover_worker'

HEADING = "Numer faktury;Numer KSeF;Data wystawienia;NIP sprzedawcy;Kwota brutto;Skrót SHA-256"


@tagged('post_install', '-at_install')
class TestTakeoverReview(KsefBranchCommon):

    def number(self, place=1, date=None):
        start = f"{SELLER_NIP}-{date or self.env['account.move']._ksef_today():%Y%m%d}-{place:012X}"
        return f"{start}-{crc8(start)}"

    def check(self, *lines, company=None, env=None, **values):
        wizard = (env or self.env)['ksef.import.numbers'].create({
            'company_id': (company or self.company).id, 'environment': 'local',
            'file': base64.b64encode("\n".join([HEADING, *lines]).encode())} | values)
        wizard.action_check()
        return wizard

    def verdicts(self, wizard):
        return [line.verdict for line in wizard.line_ids]

    def manager_of(self, company, login):
        user = new_test_user(
            self.env(su=True), login, 'account.group_account_manager', company_id=company.id, company_ids=[Command.set(company.ids)])
        return self.env(user=user, context={'allowed_company_ids': company.ids})

    # ------------------------------------------------------------------ rights

    def test_export_of_another_company(self):
        """An onchange with another company's id shows nothing of its register."""
        self.connect()
        move = self.make_invoice()
        self.check(f"{move.name};{self.number()};;;;").action_take_over()
        other = self.env['res.company'].create({
            'name': "Obca", 'vat': f'PL{BUYER_NIP}', 'country_id': self.env.ref('base.pl').id})
        values = {'company_id': self.company.id, 'environment': 'local'}
        own = self.env['ksef.import.numbers'].onchange(values, [], {'export': {}})['value']['export']
        self.assertIn(self.number().encode(), base64.b64decode(own))
        found = self.manager_of(other, 'obcy')['ksef.import.numbers'].onchange(values, [], {'export': {}})['value'].get('export')
        self.assertNotIn(self.number().encode(), base64.b64decode(found or b''))


    def test_manager_of_a_branch(self):
        """Who manages a branch alone makes no connection of the parent."""
        move = self.make_branch_invoice()
        env = self.manager_of(self.branch, 'szef_oddzialu')
        wizard = self.check(f"{move.name};{self.number()};;;;", company=self.branch, env=env, environment='test')
        with self.assertRaisesRegex(UserError, "works through the connection of"):
            wizard.action_take_over()
        self.assertFalse(self.env['ksef.connection'].search_count([('company_id', '=', self.company.id), ('environment', '=', 'test')]))
        self.check(f"{move.name};{self.number()};;;;", company=self.branch, environment='test').action_take_over()
        self.assertEqual(move.ksef_document_ids.ksef_number, self.number())

    # ------------------------------------------------------------------ one number, one invoice

    def test_parent_and_branch(self):
        """They share a NIP, so a number may be of either; it is given once."""
        self.connect()
        move, branch = self.make_invoice(), self.make_branch_invoice()
        self.check(f"{move.name};{self.number()};;;;").action_take_over()
        wizard = self.check(f"{branch.name};{self.number()};;;;", company=self.branch)
        self.assertEqual(self.verdicts(wizard), ['number_taken'])
        with self.assertRaises(UserError):
            wizard.action_take_over()
        branch.sudo().write({'l10n_pl_edi_status': 'accepted', 'l10n_pl_edi_number': self.number(), 'l10n_pl_edi_ref': 'R'})
        [row] = self.env['ksef.takeover']._sort_other_moves(self.branch, self.company.ksef_connection_id)
        self.assertEqual(row['verdict'], 'number_twice')

    def test_wrong_number_of_the_other_module(self):
        """What its take-over tells to look up and import can be imported."""
        connection = self.connect()
        moves = self.make_invoice() + self.make_invoice() + self.make_invoice()
        moves.write({'l10n_pl_edi_status': 'accepted', 'l10n_pl_edi_number': self.number(9)})
        moves[0].l10n_pl_edi_number = 'zly'
        for place, move in enumerate(moves):
            move.l10n_pl_edi_ref = f'R{place}'
        rows = self.env['ksef.takeover']._sort_other_moves(self.company, connection)
        self.assertEqual(sorted(row['verdict'] for row in rows), ['bad_number', 'number_twice', 'number_twice'])
        wizard = self.check(*[f"{move.name};{self.number(place)};;;;" for place, move in enumerate(moves, 1)])
        self.assertEqual(self.verdicts(wizard), ['take'] * 3)
        wizard.action_take_over()
        self.assertEqual(moves.mapped('ksef_number'), [self.number(place) for place in (1, 2, 3)])

    def test_only_numbers_that_may_fit_are_compared(self):
        """A line without a date does not have every invoice of the company compared, and the invoices are read once a click."""
        self.connect()
        moves = self.make_invoice() + self.make_invoice() + self.make_invoice()
        wizard = self.check(f"{moves[0].name};{self.number()};;;;")
        takeover = self.registry['ksef.takeover']
        with patch.object(takeover, '_find_register_moves', autospec=True, side_effect=takeover._find_register_moves) as found, \
                patch(f'{REGISTER}.normalized_number', side_effect=normalized_number) as compared:
            wizard.action_take_over()
        self.assertEqual(found.call_count, 1)
        self.assertEqual({call.args[0] for call in compared.call_args_list}, {moves[0].name})
        self.assertEqual(moves[0].ksef_number, self.number())

    def test_a_unit_uses_its_own(self):
        """A company that works as a unit gets its invoices on the unit's connection, not on one that nobody connects."""
        connection = self.connect()
        unit = self.env['ksef.connection'].sudo().create({
            'company_id': self.branch.id, 'environment': 'local', 'nip': SELLER_NIP, 'internal_id': UNIT,
            'database_uuid': connection.database_uuid, 'local_url': connection.local_url})
        takeover = self.env['ksef.takeover']
        self.assertEqual(takeover._find_connection(self.branch, 'local'), connection)
        self.branch.ksef_connection_id = unit
        self.assertEqual(takeover._find_connection(self.branch, 'local'), unit)
        self.assertFalse(takeover._find_connection(self.branch, 'test'))
        self.assertEqual(takeover._find_connection(self.company, 'local'), connection)

    # ------------------------------------------------------------------ ways out

    def lost(self):
        """An invoice of the other module whose session KSeF does not know."""
        connection = self.connect()
        move = self.make_invoice()
        move.write({
            'l10n_pl_edi_status': 'sent', 'l10n_pl_edi_ref': '20261101-EE-0000000000-0000000000-00',
            'l10n_pl_edi_session_id': '20261101-SO-0000000000-0000000000-00'})
        self.env['ksef.takeover']._take_other_moves(self.company, connection)
        self.run_workers(3)
        self.assertEqual((move.ksef_state, move.ksef_is_locked), ('help', True))
        return move

    def test_a_register_settles_what_ksef_does_not_know(self):
        move = self.lost()
        wizard = self.check(f"{move.name};{self.number()};;;;")
        self.assertEqual(self.verdicts(wizard), ['take'])
        wizard.action_take_over()
        self.assertEqual((move.ksef_state, move.ksef_number), ('accepted', self.number()))
        self.assertEqual(len(move.ksef_document_ids), 1)
        self.assertIn("from a register", move.message_ids[0].body)
        self.assertEqual((move.l10n_pl_edi_status, move.l10n_pl_edi_number), ('accepted', self.number()))
        with self.assertRaises(UserError):
            move._ksef_pick()

    def test_a_manager_says_that_ksef_does_not_have_it(self):
        move = self.lost()
        with self.assertRaises(AccessError):
            move.ksef_document_id.with_user(self.accountant).action_not_in_ksef()
        move.ksef_document_id.action_not_in_ksef()
        self.assertEqual((move.ksef_state, move.ksef_is_locked, move.ksef_can_send), ('rejected', False, True))
        self.assertIn("does not have the invoice", move.message_ids[0].body)
        with self.assertRaisesRegex(UserError, "another program has sent"):
            move.ksef_document_id.action_not_in_ksef()
        self.assertFalse(self.env['ksef.takeover']._sort_other_moves(self.company, self.company.ksef_connection_id), "not taken again")

    def test_an_import_is_taken_back(self):
        """The invoices are as before: one is free, the other module's is as it left it; a number from KSeF itself stays."""
        self.connect()
        free, other = self.make_invoice(), self.make_invoice()
        for reference in ('R1', False):
            other.write({'l10n_pl_edi_status': 'sent', 'l10n_pl_edi_ref': reference, 'l10n_pl_edi_number': False})
            self.check(f"{free.name};{self.number(1)};;;;", f"{other.name};{self.number(2)};;;;").action_take_over()
            documents = (free + other).ksef_document_id
            self.assertEqual(documents.mapped('can_undo_import'), [True, True])
            with self.assertRaises(AccessError):
                documents.with_user(self.accountant).action_undo_import()
            documents.action_undo_import()
            self.assertEqual(documents.mapped('state'), ['cancelled', 'cancelled'])
            self.assertEqual((free.ksef_number, free.ksef_is_locked, free.ksef_can_send), (False, False, True))
            self.assertIn("taken back", free.message_ids[0].body)
            self.assertEqual(
                (other.l10n_pl_edi_status, other.l10n_pl_edi_ref, other.l10n_pl_edi_number), ('sent', reference, False))
            with self.assertRaisesRegex(UserError, "own KSeF module"):
                other._ksef_pick()
        free._ksef_pick()
        self.run_workers(3)
        self.assertEqual(free.ksef_state, 'accepted')
        with self.assertRaisesRegex(UserError, "Only imported"):
            free.ksef_document_id.action_undo_import()


@tagged('post_install', '-at_install')
class TestTakeoverReceipts(TakeoverCommon):

    def test_a_pile_of_receipts(self):
        """After days without a connection all are due; a few are fetched at once, the others are spread again."""
        moves = self.sent_by_other()[0] + self.sent_by_other()[0] + self.sent_by_other()[0]
        self.take_over()
        self.env.cr.execute("UPDATE ksef_document SET due_at = now() AT TIME ZONE 'UTC' - interval '1 day' WHERE origin IS NOT NULL")
        self.env.invalidate_all()
        with patch(f'{WORKER}.UPOS_AT_ONCE', 1):
            self.run_workers()
        documents = moves.ksef_document_id.sorted('due_at')
        self.assertEqual(documents.mapped('has_upo').count(True), 1)
        waits = [(document.due_at - fields.Datetime.now()).total_seconds() for document in documents if not document.has_upo]
        self.assertTrue(30 < waits[0] <= 60 and 90 < waits[1] <= 120, waits)
