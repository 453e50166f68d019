"""Taking over what Odoo's own KSeF module has: its certificate and what it has sent (issue: connecting, point 9)."""
import base64
import hashlib
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ksef.number import crc8
from .common import KsefConnectedCommon
from .test_connect_common import Certificate

COPIED = (
    'l10n_pl_edi_status', 'l10n_pl_edi_ref', 'l10n_pl_edi_number', 'l10n_pl_edi_session_id', 'l10n_pl_edi_attachment_id')


class TakeoverCommon(KsefConnectedCommon):
    """Invoices that the sandbox really has, as the other module would have left them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The other module knows production and TEST only; here both programs talk to the sandbox.
        cls.startClassPatcher(patch.object(cls.registry['ksef.takeover'], '_other_environment', lambda takeover: 'local'))

    def sent_by_other(self, status='accepted', keep_file=True, code=None, **values):
        """An invoice that is in the sandbox, known here only by the other module's fields.

        :param code: the status that the sandbox gives the invoice, instead of accepting it
        """
        move = self.make_invoice()
        if code:
            self.sandbox.fault('*', 'invoice_status', code=code)
            with patch.object(self.registry['ksef.worker'], '_poll_sent', lambda *args: None):
                document = self.send(move)
            self.assertEqual(document.state, 'sent')
        else:
            document = self.send(move, 2)
        known = {
            'l10n_pl_edi_status': status, 'l10n_pl_edi_ref': document.reference_number,
            'l10n_pl_edi_number': document.ksef_number if status == 'accepted' else False,
            'l10n_pl_edi_session_id': document.session_id.reference_number,
        } | values
        content = document._get_xml()
        self.forget(document)
        move.write(known)
        if keep_file:
            self.keep_file(move, content)
        return move, content

    def forget(self, document):
        """Remove what this program knows of a document."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET ksef_document_id = NULL, ksef_state = NULL, ksef_letter = NULL, ksef_number = NULL, "
            "ksef_reference_number = NULL, ksef_acceptance_date = NULL, ksef_is_locked = FALSE WHERE id = %s", [document.move_id.id])
        self.env.cr.execute("DELETE FROM ksef_document WHERE id = %s", [document.id])
        self.env.cr.execute("UPDATE ksef_session SET state = 'done', due_at = NULL, reference_number = NULL")
        self.env.invalidate_all()

    def keep_file(self, move, content):
        self.env['ir.attachment'].create({
            'name': "FA3.xml", 'raw': content, 'res_model': 'account.move', 'res_id': move.id,
            'res_field': 'l10n_pl_edi_attachment_file'})
        self.env.invalidate_all()

    def take_over(self, **values):
        wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id} | values)
        wizard.action_take_over()
        self.env.invalidate_all()
        return wizard


@tagged('post_install', '-at_install')
class TestTakeoverInvoices(TakeoverCommon):

    def test_accepted(self):
        move, content = self.sent_by_other()
        theirs = move.read(COPIED)
        asked = len(self.sandbox.invoices())
        wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id})
        self.assertEqual((wizard.take_count, wizard.left_out, wizard.environment), (1, False, 'local'))
        self.take_over()
        document = move.ksef_document_id
        self.assertEqual((document.state, document.origin, document.environment), ('accepted', 'l10n_pl_edi', 'local'))
        self.assertEqual((document.ksef_number, move.ksef_number), (move.l10n_pl_edi_number,) * 2)
        self.assertEqual((move.ksef_letter, move.ksef_is_locked), ('A', True))
        self.assertEqual(document._get_xml(), content)
        self.assertFalse(document.has_upo)
        self.assertEqual(document.issue_date, move.invoice_date)
        self.assertEqual(move.read(COPIED), theirs, "theirs is left alone")
        self.assertIn(move.ksef_number, move.message_ids[0].body)
        self.run_workers(2)
        self.assertTrue(document.has_upo)
        self.assertIn(document.ksef_number.encode(), document._get_upo())
        self.assertTrue(document.acquisition_date)
        self.assertEqual(move.ksef_acceptance_date, document.acquisition_date)
        self.assertFalse(document.takeover_note)
        self.assertEqual(move._ksef_print_values()['number'], document.ksef_number)
        self.assertEqual(len(self.sandbox.invoices()), asked, "nothing was sent")

    def test_twice(self):
        move, _content = self.sent_by_other()
        self.take_over()
        first = move.ksef_document_ids
        wizard = self.take_over()
        self.assertEqual(move.ksef_document_ids, first)
        self.assertIn("0 invoices taken over", wizard.result)
        self.assertEqual(wizard.take_count, 0)

    def test_many_in_several_steps(self):
        """So many that one request could take too long: the rest is said and taken next time."""
        moves = self.sent_by_other()[0] + self.sent_by_other()[0]
        with patch('odoo.addons.l10n_pl_ksef.models.ksef_takeover_other.MOST', 1):
            wizard = self.take_over()
            self.assertEqual(moves.mapped('ksef_state'), ['accepted', False])
            self.assertIn("1 invoices are left for next time", wizard.result)
            self.assertNotIn("list is below", wizard.result)
            self.assertNotIn("next time", self.take_over().result)
        self.assertEqual(moves.mapped('ksef_state'), ['accepted', 'accepted'])

    def test_pending_is_followed(self):
        move, _content = self.sent_by_other('sent')
        with self.assertRaisesRegex(UserError, "own KSeF module"):
            move._ksef_pick()
        self.take_over()
        self.assertEqual(move.ksef_state, 'sent')
        self.assertEqual(move.ksef_letter, 'O')
        with self.assertRaises(UserError):
            move._ksef_pick()
        self.run_workers(2)
        self.assertEqual(move.ksef_state, 'accepted')
        self.assertEqual([move.ksef_number], [invoice['ksefNumber'] for invoice in self.sandbox.accepted()])
        self.assertEqual(move.l10n_pl_edi_number, move.ksef_number)
        self.assertEqual(move.l10n_pl_edi_status, 'accepted')
        self.assertEqual(len(self.sandbox.invoices()), 1, "sent once, by the other module")

    def test_pending_that_failed_is_not_sent_again(self):
        """What would send our own bytes once more frees another program's invoice instead."""
        for code in (405, 430, 550):
            with self.subTest(code=code):
                move, _content = self.sent_by_other('sent', code=code)
                self.take_over()
                before = len(self.sandbox.invoices())
                self.run_workers(2)
                self.assertEqual((move.ksef_state, move.ksef_document_id.status_code), ('rejected', code))
                self.assertEqual(len(self.sandbox.invoices()), before)
                self.assertFalse(move.ksef_is_locked)
                self.assertTrue(move.ksef_can_send)

    def test_pending_unknown_to_ksef(self):
        """A session that KSeF does not know: a person is called, the connection goes on."""
        move, _content = self.sent_by_other('sent', l10n_pl_edi_session_id='20260101-SO-0000000000-0000000000-00')
        self.take_over()
        self.run_workers()
        self.assertEqual(move.ksef_state, 'help')
        self.assertEqual(self.connection.state, 'connected')

    def test_no_right_to_the_upo(self):
        """403 about another program's session does not stop the company's own sending."""
        move, _content = self.sent_by_other()
        self.take_over()
        self.sandbox.fault(
            'GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo', 'http_error', status=403, body='problem',
            reasonCode='missing-permissions')
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected')
        self.assertEqual(move.ksef_state, 'accepted')
        self.assertIn("UPO", move.ksef_document_id.takeover_note)
        self.assertFalse(move.ksef_document_id.due_at)

    def test_without_file(self):
        move, content = self.sent_by_other(keep_file=False)
        self.take_over()
        document = move.ksef_document_id
        self.assertFalse(document.xml_size)
        self.assertIn("not kept", document.takeover_note)
        self.assertIn("not kept", str(move._ksef_alerts()))
        self.run_workers(2)
        self.assertTrue(document.has_upo)
        self.assertEqual(base64.b64decode(document.xml_hash), hashlib.sha256(content).digest())
        self.assertTrue(move._ksef_print_values().get('codes'))

    def test_wrong_file(self):
        """A file of another invoice, a file that was changed, and one that is no invoice."""
        other, other_content = self.sent_by_other()
        move, content = self.sent_by_other(keep_file=False)
        self.keep_file(move, other_content)
        changed, changed_content = self.sent_by_other(keep_file=False)
        self.keep_file(changed, changed_content + b"\n")
        bad, _content = self.sent_by_other(keep_file=False)
        self.keep_file(bad, b'<!DOCTYPE a [<!ENTITY b "c">]><Faktura>&b;</Faktura>')
        self.take_over()
        self.assertTrue(other.ksef_document_id.xml_size)
        for wrong in (move, bad):
            self.assertFalse(wrong.ksef_document_id.xml_size)
            self.assertIn("not that of this invoice", wrong.ksef_document_id.takeover_note)
        self.assertTrue(changed.ksef_document_id.xml_size, "here it cannot be told yet")
        self.run_workers(2)
        self.assertFalse(changed.ksef_document_id.xml_size)
        self.assertIn("not the one that KSeF has", changed.ksef_document_id.takeover_note)
        self.assertEqual(changed.ksef_document_id.xml_hash, self.env['ksef.takeover']._file_values(
            changed_content, changed.name)['xml_hash'])
        self.assertNotEqual(move.ksef_document_id.xml_hash, content)

    def test_what_stays_behind(self):
        """Each with its reason; a number that is wrong is never taken for one."""
        foreign = '5261040828-20261120-0100001AF629'
        cases = {
            'bad_number': self.sent_by_other(l10n_pl_edi_number='5795955811-20261120-0100001AF629-00')[0],
            'other_nip': self.sent_by_other(l10n_pl_edi_number=f'{foreign}-{crc8(foreign)}')[0],
            'lost': self.sent_by_other('sent', l10n_pl_edi_ref=False)[0],
        }
        first, _content = self.sent_by_other()
        second, _content = self.sent_by_other(l10n_pl_edi_number=first.l10n_pl_edi_number)
        takeover = self.env['ksef.takeover']
        verdicts = {row['id']: row['verdict'] for row in takeover._sort_other_moves(self.company, self.connection)}
        for verdict, move in cases.items():
            self.assertEqual(verdicts[move.id], verdict)
        self.assertEqual((verdicts[first.id], verdicts[second.id]), ('number_twice',) * 2)
        wizard = self.take_over()
        self.assertFalse(self.env['ksef.document'].search_count([('origin', '!=', False)]))
        for move in cases.values():
            self.assertIn(move.name, wizard.left_out)
            with self.assertRaisesRegex(UserError, "own KSeF module"):
                move._ksef_pick()

    def test_rejected_is_free(self):
        move, _content = self.sent_by_other('rejected')
        self.take_over()
        self.assertFalse(move.ksef_document_id)
        self.assertTrue(move.ksef_can_send)

    def test_ours_is_not_theirs(self):
        """What this program has sent is mirrored into the other module's fields, and never taken over."""
        document = self.send(rounds=2)
        self.assertEqual(document.move_id.l10n_pl_edi_status, 'accepted')
        self.take_over()
        self.assertEqual(document.move_id.ksef_document_ids, document)

    def test_nothing_without_the_module(self):
        move, _content = self.sent_by_other()
        with patch.object(self.registry['account.move'], '_ksef_has_other_module', lambda moves: False):
            wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id})
            self.assertFalse(wizard.has_other_module)
            with self.assertRaisesRegex(UserError, "not installed"):
                wizard.action_take_over()
        self.assertFalse(move.ksef_document_id)

    def test_rights(self):
        user = new_test_user(
            self.env, 'ksef_takeover', 'base.group_user,account.group_account_invoice', company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            self.env['ksef.takeover.wizard'].with_user(user).create({'company_id': self.company.id})

    def test_queries(self):
        """Many invoices take no more statements each than few: one read, files and documents in batches."""
        move, _content = self.sent_by_other()
        self.multiply(move, 20)
        first = self.count_queries()
        self.multiply(move, 220)
        self.assertLess(self.count_queries() - first, 60)
        self.assertEqual(self.env['ksef.document'].search_count([('origin', '=', 'l10n_pl_edi')]), 241)

    def multiply(self, move, count):
        """Copies of an invoice's row with numbers of their own; no line is needed to take them over."""
        number = move.l10n_pl_edi_number
        self.env.flush_all()
        self.env.cr.execute("SELECT max(id) FROM account_move")
        [last] = self.env.cr.fetchone()
        columns = [
            name for name, field in move._fields.items()
            if field.store and field.column_type and name not in ('id', 'name', 'l10n_pl_edi_number', 'l10n_pl_edi_ref', 'sequence_number')]
        columns = ", ".join(f'"{name}"' for name in columns)
        self.env.cr.execute(f"""
            INSERT INTO account_move ({columns}, name, sequence_number)
            SELECT {columns}, 'KOPIA/' || (%s + i), %s + i FROM account_move, generate_series(1, %s) i WHERE id = %s
        """, [last, last, count, move.id])
        start = number.split('-')[0] + '-' + number.split('-')[1]
        self.env.cr.execute("SELECT id FROM account_move WHERE id > %s", [last])
        for (move_id,) in self.env.cr.fetchall():
            body = f"{start}-{move_id:012X}"
            self.env.cr.execute(
                "UPDATE account_move SET l10n_pl_edi_number = %s, l10n_pl_edi_ref = %s, ksef_document_id = NULL WHERE id = %s",
                [f"{body}-{crc8(body)}", f"20261120-EE-{move_id:010X}-0000000000-00", move_id])
        self.env.invalidate_all()

    def count_queries(self):
        before = self.env.cr.sql_log_count
        self.env['ksef.takeover']._take_other_moves(self.company, self.connection)
        self.env.flush_all()
        return self.env.cr.sql_log_count - before


@tagged('post_install', '-at_install')
class TestTakeoverCertificate(TakeoverCommon):

    def keep_certificate(self, key_password=None, **values):
        """The certificate as the other module's settings would hold it."""
        pair = Certificate(self.connection.nip, **values)
        key = self.env['certificate.key'].create({
            'name': "klucz", 'content': base64.b64encode(pair.key_file(key_password)), 'password': key_password,
            'company_id': self.company.id})
        certificate = self.env['certificate.certificate'].create({
            'name': "KSeF", 'content': base64.b64encode(pair.pem), 'private_key_id': key.id, 'company_id': self.company.id})
        self.company.sudo().l10n_pl_edi_certificate = certificate
        return pair, certificate

    def test_connected_with_it(self):
        for password in (None, "Tajne-1"):
            with self.subTest(password=password):
                pair, certificate = self.keep_certificate(password)
                theirs = (certificate.read(), certificate.private_key_id.read())
                wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id})
                self.assertTrue(wizard.has_certificate)
                self.assertFalse(wizard.takes_certificate, "the company is connected")
                self.take_over(takes_certificate=True)
                credential = self.connection.credential_ids.filtered(lambda found: found.kind == 'certificate' and found.is_default)
                self.assertEqual(int(credential.certificate_serial, 16), pair.certificate.serial_number)
                self.run_workers()
                self.assertEqual(self.connection.state, 'connected')
                self.assertTrue(credential.last_used)
                self.assertEqual((certificate.read(), certificate.private_key_id.read()), theirs)

    def test_proposed_where_not_connected(self):
        self.keep_certificate()
        self.connection.action_disconnect()
        wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id})
        self.assertTrue(wizard.takes_certificate)
        wizard.action_take_over()
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected')

    def test_once(self):
        self.keep_certificate()
        self.take_over(takes_certificate=True)
        self.run_workers()
        count = len(self.connection.credential_ids)
        wizard = self.take_over(takes_certificate=True)
        self.assertIn("before", wizard.result)
        self.assertEqual(len(self.connection.credential_ids), count)
        self.assertEqual(self.connection.state, 'connected')

    def test_unusable(self):
        """The same checks as for an upload: nothing is stored, and the sentence says why."""
        for values, text in (
            ({'days': (-30, -1)}, "ended|expired|no longer"), ({'usage': 'content_commitment'}, "offline"),
        ):
            with self.subTest(**values):
                self.keep_certificate(**values)
                count = len(self.connection.credential_ids)
                wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id, 'takes_certificate': True})
                self.assertFalse(wizard.has_certificate)
                self.assertRegex(wizard.certificate_problem, text)
                with self.assertRaisesRegex(UserError, text), self.cr.savepoint():
                    wizard.action_take_over()
                self.assertEqual(len(self.connection.credential_ids), count)

    def test_without_key(self):
        _pair, certificate = self.keep_certificate()
        certificate.private_key_id = False
        wizard = self.env['ksef.takeover.wizard'].create({'company_id': self.company.id})
        self.assertFalse(wizard.has_certificate)
        self.assertIn("key", wizard.certificate_problem)
