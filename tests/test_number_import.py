"""Importing a register of KSeF numbers of another program (issue: connecting, point 9)."""
# pylint: disable=unbalanced-tuple-unpacking
import base64
from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ksef.number import crc8
from ..ksef.number_register import read_register
from .common import BUYER_NIP, SELLER_NIP, KsefConnectedCommon

HEADING = "Numer faktury;Numer KSeF;Data wystawienia;NIP sprzedawcy;Kwota brutto;Skrót SHA-256"


@tagged('post_install', '-at_install')
class TestNumberImport(KsefConnectedCommon):

    def number(self, place=1, nip=SELLER_NIP, date=None):
        start = f"{nip}-{date or self.env['account.move']._ksef_today():%Y%m%d}-{place:012X}"
        return f"{start}-{crc8(start)}"

    def check(self, *lines, heading=HEADING, **values):
        content = "\n".join([heading, *lines]).encode()
        wizard = self.env['ksef.import.numbers'].create({
            'company_id': self.company.id, 'environment': 'local', 'file': base64.b64encode(content)} | values)
        wizard.action_check()
        return wizard

    def verdicts(self, wizard):
        return [line.verdict for line in wizard.line_ids]

    # ------------------------------------------------------------------ taken

    def test_taken_over(self):
        move, refund = self.make_invoice(), self.make_invoice(move_type='out_refund')
        content_hash = base64.b64encode(b"x" * 32).decode()
        wizard = self.check(
            f"{move.name.lower()};{self.number(1)};{move.invoice_date};PL{SELLER_NIP};246,00;{content_hash}",
            f"{refund.name};{self.number(2)};;;-246.00;")
        self.assertEqual(self.verdicts(wizard), ['take', 'take'])
        self.assertEqual(wizard.line_ids.move_id, move + refund)
        self.assertFalse(self.env['ksef.document'].search_count([('move_id', 'in', (move + refund).ids)]), "nothing is written yet")
        wizard.action_take_over()
        self.assertEqual((wizard.step, self.verdicts(wizard)), ('done', ['take', 'take']))
        document = move.ksef_document_id
        self.assertEqual((document.state, document.origin, document.ksef_number), ('accepted', 'register', self.number(1)))
        self.assertEqual((move.ksef_number, move.ksef_letter, move.ksef_is_locked), (self.number(1), 'A', True))
        self.assertEqual(refund.ksef_number, self.number(2))
        self.assertEqual(document.xml_hash, content_hash)
        self.assertTrue(move._ksef_print_values()['codes'], "the hash makes the QR code")
        self.assertFalse(refund._ksef_print_values(), "without a hash there is none")
        self.assertIn(self.number(1), move.message_ids[0].body)
        with self.assertRaisesRegex(UserError, "only once"):
            move._ksef_pick()
        with self.assertRaises(UserError):
            move.button_draft()

    def test_ksef_is_not_asked(self):
        """Nobody knows the session, so nothing is asked: not by the workers, not by the button."""
        move = self.make_invoice()
        self.check(f"{move.name};{self.number()};;;;").action_take_over()
        action = move.action_ksef_refresh_status()
        move.ksef_document_id.action_check_again()
        self.run_workers(2)
        self.assertEqual(action['params']['type'], 'info')
        self.assertFalse(self.sandbox.requests(path='upo'))
        self.assertEqual(move.ksef_state, 'accepted')
        self.assertIn("UPO", str(move._ksef_alerts()))

    def test_twice(self):
        move = self.make_invoice()
        line = f"{move.name};{self.number()};;;;"
        self.check(line).action_take_over()
        wizard = self.check(line)
        self.assertEqual(self.verdicts(wizard), ['known'])
        with self.assertRaisesRegex(UserError, "nothing to take over"):
            wizard.action_take_over()
        self.assertEqual(len(move.ksef_document_ids), 1)

    def test_changed_since_the_preview(self):
        """What was shown is looked at again before it is written."""
        move, other = self.make_invoice(), self.make_invoice()
        wizard = self.check(f"{move.name};{self.number(1)};;;;", f"{other.name};{self.number(2)};;;;")
        move._ksef_pick()
        wizard.action_take_over()
        self.assertEqual(self.verdicts(wizard), ['pending', 'take'])
        self.assertEqual((move.ksef_state, other.ksef_state), ('queued', 'accepted'))
        self.assertEqual((wizard.take_count, wizard.bad_count), (1, 1))

    # ------------------------------------------------------------------ left

    def test_verdicts(self):
        """Every line that is not sure is left, each with its reason."""
        today = self.env['account.move']._ksef_today()
        moves = [self.make_invoice() for _place in range(6)]
        sent = self.send(rounds=2)
        draft = self.make_invoice(post=False)
        bill = self.make_invoice(move_type='in_invoice', ref="FV/OBCA/1")
        self.check(f"{moves[5].name};{self.number(50)};;;;").action_take_over()
        cases = [
            (f"{moves[0].name};{self.number(1)[:-2]}00;;;;", 'bad_number'),
            (f"{moves[0].name};;;;;", 'bad_number'),
            (f";{self.number(1)};;;;", 'bad_cell'),
            (f"{moves[0].name};{self.number(1)};wczoraj;;;", 'bad_cell'),
            (f"{moves[0].name};{self.number(1, BUYER_NIP)};;;;", 'other_nip'),
            (f"{moves[0].name};{self.number(1)};;{BUYER_NIP};;", 'other_nip'),
            (f"BRAK/1;{self.number(2)};;;;", 'not_found'),
            (f"{draft.name or 'BRAK/2'};{self.number(3)};;;;", 'not_found'),
            (f"{bill.name};{self.number(4)};;;;", 'not_found'),
            (f"{moves[1].name};{self.number(5)};{today - timedelta(days=1)};;;", 'differs'),
            (f"{moves[2].name};{self.number(6)};;;246.01;", 'differs'),
            (f"{moves[3].name};{self.number(7, date=today - timedelta(days=1))};;;;", 'early'),
            (f"{sent.move_id.name};{self.number(8)};;;;", 'conflict'),
            (f"{sent.move_id.name};{sent.ksef_number};;;;", 'file_conflict'),
            (f"{moves[4].name};{self.number(50)};;;;", 'number_taken'),
        ]
        cases = [(line, 'file_conflict' if sent.move_id.name in line else verdict) for line, verdict in cases]
        wizard = self.check(*[line for line, _verdict in cases])
        self.assertEqual(self.verdicts(wizard), [verdict for _line, verdict in cases])
        self.assertEqual((wizard.take_count, wizard.bad_count), (0, len(cases)))

    def test_known_and_conflict(self):
        sent = self.send(rounds=2)
        self.assertEqual(self.verdicts(self.check(f"{sent.move_id.name};{sent.ksef_number};;;;")), ['known'])
        wizard = self.check(f"{sent.move_id.name};{self.number(9)};;;;")
        self.assertEqual(self.verdicts(wizard), ['conflict'])
        self.assertEqual(wizard.line_ids.detail, sent.ksef_number, "the number that it has")

    def test_the_file_contradicts_itself(self):
        one, two = self.make_invoice(), self.make_invoice()
        wizard = self.check(
            f"{one.name};{self.number(1)};;;;", f"{two.name};{self.number(1)};;;;",
            f"{two.name};{self.number(2)};;;;")
        self.assertEqual(self.verdicts(wizard), ['file_conflict'] * 3)
        line = f"{one.name};{self.number(1)};;;;"
        wizard = self.check(line, line)
        self.assertEqual(self.verdicts(wizard), ['take', 'repeated'])
        wizard.action_take_over()
        self.assertEqual(len(one.ksef_document_ids), 1)

    def test_numbers_written_differently(self):
        """A sign between the parts may differ; where two invoices fit, the exact one is meant, or none."""
        move, twin = self.make_invoice(), self.make_invoice()
        self.env.cr.execute("UPDATE account_move SET name = 'FV/2026-1' WHERE id = %s", [move.id])
        self.env.cr.execute("UPDATE account_move SET name = 'FV/2026/1' WHERE id = %s", [twin.id])
        self.env.invalidate_all()
        self.assertEqual(self.verdicts(self.check(f"fv 2026 1;{self.number()};;;;")), ['ambiguous'])
        wizard = self.check(f"FV/2026-1;{self.number()};;;;")
        self.assertEqual((self.verdicts(wizard), wizard.line_ids.move_id), (['take'], move))

    def test_what_the_other_module_has(self):
        """Its number is not contradicted; what it has sent without a number gets the one of the register."""
        known, pending = self.make_invoice(), self.make_invoice()
        known.write({'l10n_pl_edi_status': 'accepted', 'l10n_pl_edi_ref': 'R1', 'l10n_pl_edi_number': self.number(1)})
        pending.write({'l10n_pl_edi_status': 'sent', 'l10n_pl_edi_ref': 'R2'})
        wizard = self.check(f"{known.name};{self.number(2)};;;;", f"{pending.name};{self.number(3)};;;;")
        self.assertEqual(self.verdicts(wizard), ['conflict', 'take'])
        wizard.action_take_over()
        self.assertEqual(pending.ksef_number, self.number(3))
        self.assertEqual((pending.l10n_pl_edi_status, pending.l10n_pl_edi_number), ('accepted', self.number(3)))

    def test_another_environment(self):
        """Numbers of production count for production; a company that uses none yet uses this connection from then on."""
        move = self.make_invoice()
        wizard = self.check(f"{move.name};{self.number()};;;;", environment='production')
        with self.assertRaisesRegex(UserError, "production environment"):
            wizard.action_take_over()
        wizard.is_production_meant = True
        wizard.action_take_over()
        self.assertEqual(move.ksef_document_ids.environment, 'production')
        self.assertEqual(self.company.ksef_connection_id, self.connection, "another one in use stays in use")
        self.assertEqual(move.ksef_environment, 'production', "what binds is shown")
        with self.assertRaises(UserError):
            move._ksef_pick()

    # ------------------------------------------------------------------ files

    def test_bad_files(self):
        for content, text in (
            (b"PK\x03\x04", "spreadsheet"), (b"a;b\n1;2", "name the columns"), (b"\0\0\1", "not a CSV"), (b" ", "no lines"),
            (b"x" * 5_000_001, "larger than 5 MB"), (b"x" * 7_000_000, "larger than 5 MB"),
        ):
            wizard = self.env['ksef.import.numbers'].create({'company_id': self.company.id, 'file': base64.b64encode(content)})
            with self.subTest(text=text), self.assertRaisesRegex(UserError, text):
                wizard.action_check()
            self.assertEqual(wizard.step, 'file')
        with self.assertRaisesRegex(UserError, "Choose the CSV file"):
            self.env['ksef.import.numbers'].create({'company_id': self.company.id}).action_check()

    def test_bad_lines_come_back(self):
        """What was not taken can be downloaded as it stood in the file, mended and imported."""
        move = self.make_invoice()
        wizard = self.check(f"{move.name};{self.number(1)};;;;", f'=1+1;{self.number(2)};"20.11.2026";;"1 234,5";')
        [line] = read_register(base64.b64decode(wizard.bad_lines))
        self.assertEqual((line.number, line.ksef_number, line.cells[2], line.cells[4]), ("=1+1", self.number(2), "20.11.2026", "1 234,5"))
        self.assertIn("/bad_lines?", wizard.action_download_bad_lines()['url'])

    def test_export_is_the_same_format(self):
        sent = self.send(rounds=2)
        wizard = self.env['ksef.import.numbers'].create({'company_id': self.company.id, 'environment': 'local'})
        [line] = read_register(base64.b64decode(wizard.export))
        self.assertEqual((line.number, line.ksef_number), (sent.move_id.name, sent.ksef_number))
        self.assertEqual((line.issue_date, line.hash, float(line.gross)), (sent.issue_date, sent.xml_hash, 246.0))
        self.assertIn("/export?", wizard.action_export()['url'])

    def test_rights(self):
        user = new_test_user(
            self.env, 'ksef_import', 'base.group_user,account.group_account_invoice', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            self.env['ksef.import.numbers'].with_user(user).create({'company_id': self.company.id})

    def test_many_lines(self):
        """A register of thousands of lines is a few statements."""
        lines = [f"BRAK/{place};{self.number(place)};;;;" for place in range(5000)]
        before = self.env.cr.sql_log_count
        wizard = self.check(*lines)
        self.assertLess(self.env.cr.sql_log_count - before, 60)
        kept = self.env['ksef.import.numbers.line'].search_count([('wizard_id', '=', wizard.id)])
        self.assertEqual((wizard.bad_count, kept), (5000, 5000))
