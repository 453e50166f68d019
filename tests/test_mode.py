from datetime import timedelta
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..ksef.number import crc8
from .test_invoice_common import InvoiceCommon

NUMBER = '5795955811-20261121-0100001AF629'


@tagged('post_install', '-at_install')
class TestMode(InvoiceCommon):
    """Off, hybrid, automatic: what goes to KSeF by itself, what each invoice says of that beforehand, and who decides (S0-18)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer.email = 'nabywca@example.com'
        cls.manager = cls.new_user('ksef_manager', 'account.group_account_manager')
        cls.private = cls.env['res.partner'].create({
            'name': "Jan Nowak", 'country_id': cls.env.ref('base.pl').id, 'email': 'jan@example.com'})
        cls.foreign = cls.env['res.partner'].create({
            'name': "Kunde GmbH", 'is_company': True, 'vat': 'DE123456788', 'country_id': cls.env.ref('base.de').id})
        cls.today = cls.env['account.move']._ksef_today()

    def setUp(self):
        super().setUp()
        self.env.cr.cache.clear()

    def mode(self, mode, **values):
        self.company.sudo().write({'ksef_mode': mode, 'ksef_auto_from': self.today} | values)

    def confirm(self, move, user=None):
        """Confirm the invoice as a person does; the transaction's hooks run as at its end."""
        move.with_user(user or self.accountant).action_post()
        self.env.cr.flush()
        return move

    def rule(self, **values):
        return self.env['ksef.mode.rule'].create({'name': "Reguła", 'company_id': self.company.id} | values)

    # ------------------------------------------------------------------ the switch

    def test_default_is_hybrid(self):
        """S0-18: nothing goes unless it is picked; companies that exist and new ones alike."""
        self.assertEqual(self.company.ksef_mode, 'hybrid')
        self.assertEqual(self.env['res.company'].create({'name': "Nowa"}).ksef_mode, 'hybrid')
        move = self.confirm(self.make_invoice(post=False))
        self.assertFalse(move.ksef_state)
        self.assertEqual(move.ksef_intent, 'skip')
        self.assertIn("Hybrid mode", move.ksef_intent_why)

    def test_change_is_confirmed_and_logged(self):
        wizard = self.env['ksef.mode.change'].with_user(self.manager).with_company(self.company).create({'mode': 'automatic'})
        self.assertEqual((wizard.auto_from, str(wizard.duty_from)), (self.today, '2026-04-01'))
        self.assertIn("picked for KSeF when they are confirmed", wizard.changes)
        self.accepted()
        wizard.invalidate_recordset()
        self.assertIn("In KSeF: 1 invoices", wizard.keeps)
        wizard.action_apply()
        self.assertEqual((self.company.ksef_mode, self.company.ksef_auto_from), ('automatic', self.today))
        self.assertIn("from “Hybrid", self.connection.message_ids[0].body)
        self.assertEqual(self.connection.message_ids[0].author_id, self.manager.partner_id)

    def test_only_managers_change_it(self):
        for call in (
            lambda: self.env['ksef.mode.change'].with_user(self.accountant).create({'mode': 'off'}),
            lambda: self.company.with_user(self.accountant).write({'ksef_mode': 'off'}),
            lambda: self.env['ksef.mode.rule'].with_user(self.accountant).create({
                'name': "x", 'partner_kind': 'private', 'company_id': self.company.id}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint(), mute_logger('odoo.addons.base.models.ir_model'):
                call()
        erp = self.new_user('ksef_erp', 'base.group_erp_manager')
        with self.assertRaisesRegex(AccessError, "KSeF: manage"), self.env.cr.savepoint():
            self.company.with_user(erp).write({'ksef_mode': 'off'})

    def test_automatic_to_production_is_confirmed_once(self):
        connection = self.new_connection(self.company, self.connection.nip, environment='production')
        connection.sudo().production_confirmed_at = False
        wizard = self.env['ksef.mode.change'].with_user(self.manager).with_company(self.company).create({'mode': 'automatic'})
        with self.assertRaisesRegex(UserError, "production"):
            wizard.action_apply()
        self.mode('automatic')
        self.assertIn("production was not confirmed", self.make_invoice(post=False).ksef_intent_why)
        wizard.production_confirmed = True
        wizard.action_apply()
        self.assertEqual(connection.production_confirmed_by, self.manager)

    def test_automatic_needs_connection(self):
        self.company.sudo().ksef_connection_id = False
        wizard = self.env['ksef.mode.change'].with_user(self.manager).with_company(self.company).create({'mode': 'automatic'})
        with self.assertRaisesRegex(UserError, "not connected"):
            wizard.action_apply()

    def test_off(self):
        kept = self.accepted()
        move = self.make_invoice()
        self.assertTrue(move.with_user(self.accountant).ksef_can_send)
        self.mode('off')
        self.env.invalidate_all()
        self.assertFalse(move.with_user(self.accountant).ksef_can_send)
        self.assertIn("switched off", move.ksef_intent_why)
        with self.assertRaisesRegex(UserError, "switched off"), self.env.cr.savepoint():
            move.with_user(self.accountant)._ksef_pick()
        with self.assertRaisesRegex(UserError, "switched off"), self.env.cr.savepoint():
            self.env['ksef.send'].with_user(self.accountant).create({'move_ids': [Command.set(move.ids)]}).action_confirm()
        self.assertIn("switched off", move.with_user(self.accountant)._ksef_missing_button_reason())
        self.assertEqual(kept.ksef_state, 'accepted')

    # ------------------------------------------------------------------ automatic

    def test_confirming_picks(self):
        self.mode('automatic')
        move = self.make_invoice(post=False)
        self.assertEqual(move.ksef_intent, 'send')
        self.confirm(move)
        document = move.ksef_document_id
        self.assertEqual((move.ksef_state, document.user_id, document.is_automatic), ('queued', self.accountant, True))
        self.assertFalse(move.ksef_intent)
        refund = move._reverse_moves([{'invoice_date': self.today}])
        self.assertEqual(refund.ksef_intent, 'send', "credit notes too")

    def test_confirmed_by_somebody_without_the_right(self):
        """The company's mode sends, not the person: who may confirm needs no right in KSeF."""
        self.mode('automatic')
        shop = self.env.ref('base.public_user')
        move = self.make_invoice(post=False, partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}), invoice_user_id=self.accountant.id)
        move.with_user(shop).sudo().action_post()
        self.env.cr.flush()
        self.assertEqual((move.ksef_state, move.ksef_document_id.user_id), ('invalid', shop))
        self.assertEqual(move.activity_ids.user_id, self.accountant, "given to the salesperson")

    def test_not_before_the_first_day(self):
        self.mode('automatic', ksef_auto_from=self.today + timedelta(days=1))
        self.assertFalse(self.confirm(self.make_invoice(post=False)).ksef_state)
        self.mode('automatic')
        old = self.confirm(self.make_invoice(post=False, date=self.today - timedelta(days=3)))
        self.assertFalse(old.ksef_state)
        self.assertIn("on or after", old.ksef_intent_why)

    def test_imported_is_left_to_a_person(self):
        self.mode('automatic')
        result = self.env['account.move'].load(
            ['move_type', 'partner_id/.id', 'invoice_date', 'invoice_line_ids/name', 'invoice_line_ids/price_unit'],
            [['out_invoice', str(self.buyer.id), str(self.today), "Usługa", '100']])
        self.assertTrue(result['ids'], result['messages'])
        move = self.env['account.move'].browse(result['ids'])
        self.assertTrue(move.ksef_is_imported)
        self.assertIn("imported", move.ksef_intent_why)
        self.assertFalse(self.confirm(move).ksef_state)
        self.assertTrue(move.with_user(self.accountant).ksef_can_send, "a person can still pick it")
        captured = self.make_invoice(post=False)
        captured.invoice_line_ids.is_imported = True
        self.assertEqual(captured.ksef_intent, 'skip')

    def test_rules(self):
        """The first rule that fits decides, with all its conditions; it is named on the invoice."""
        self.mode('automatic')
        self.rule(name="Osoby prywatne", partner_kind='private')
        self.rule(name="Zagraniczni", partner_kind='foreign', sequence=20)
        self.rule(name="Nabywca", partner_ids=[Command.set(self.buyer.ids)], decision='send', sequence=5)
        journal = self.env['account.journal'].create({
            'name': "Detal", 'code': 'DET', 'type': 'sale', 'company_id': self.company.id,
            'default_account_id': self.company_data['default_journal_sale'].default_account_id.id})
        self.rule(name="Detal", journal_ids=[Command.set(journal.ids)])
        expected = {
            (self.private, None): ('skip', "Osoby prywatne"), (self.foreign, None): ('skip', "Zagraniczni"),
            (self.buyer, journal): ('send', "Nabywca"), (self.private, journal): ('skip', "Osoby prywatne"),
        }
        for (partner, chosen), (intent, name) in expected.items():
            move = self.make_invoice(post=False, partner=partner, **({'journal_id': chosen.id} if chosen else {}))
            self.assertEqual(move.ksef_intent, intent, name)
            self.assertIn(name, move.ksef_intent_why)
        self.confirm(move)
        self.assertFalse(move.ksef_state)
        position = self.env['account.fiscal.position'].create({'name': "Wolne", 'company_id': self.company.id})
        self.rule(name="Pozycja", fiscal_position_ids=[Command.set(position.ids)], sequence=1)
        other = self.make_invoice(post=False, fiscal_position_id=position.id)
        self.assertIn("Pozycja", other.ksef_intent_why)

    def test_rule_without_condition(self):
        with self.assertRaisesRegex(ValidationError, "no condition"):
            self.rule()

    def test_decided_for_one_invoice(self):
        self.mode('automatic')
        skipped = self.make_invoice(post=False)
        skipped.with_user(self.accountant).write({'ksef_choice': 'skip', 'ksef_choice_reason': "Paragon z NIP"})
        self.assertEqual((skipped.ksef_intent, skipped.ksef_intent_why), ('skip', "Paragon z NIP"))
        self.assertFalse(self.confirm(skipped).ksef_state)
        with self.assertRaisesRegex(UserError, "before it is confirmed"):
            skipped.ksef_choice = 'send'
        with self.assertRaises(AccessError):
            self.make_invoice(post=False).with_user(self.outsider()).ksef_choice = 'send'
        self.mode('hybrid')
        chosen = self.make_invoice(post=False)
        chosen.with_user(self.accountant).ksef_choice = 'send'
        self.assertEqual(self.confirm(chosen).ksef_state, 'queued', "picked in advance by a person")

    def test_outside(self):
        self.mode('automatic')
        move = self.make_invoice(post=False)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            move.ksef_outside_number = f'{NUMBER}-{crc8(NUMBER[::-1])}'
        move.ksef_outside_number = f'{NUMBER}-{crc8(NUMBER)}'
        self.assertEqual(move.ksef_intent, 'outside')
        self.assertFalse(self.confirm(move).ksef_state)

    def test_findings_come_back_with_an_activity(self):
        """Confirming never fails because of KSeF; what stands against sending is shown and given to who confirmed."""
        self.mode('automatic')
        move = self.make_invoice(post=False, partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        self.confirm(move)
        self.assertEqual((move.state, move.ksef_state), ('posted', 'invalid'))
        activity = move.activity_ids
        self.assertEqual((len(activity), activity.user_id), (1, self.accountant))
        self.assertIn("NIP", activity.note)
        move.partner_id.vat = self.buyer.vat
        self.queued(move)
        self.assertFalse(move.activity_ids, "done as soon as it is on its way again")

    def test_rejected_comes_back(self):
        self.mode('automatic')
        move = self.confirm(self.make_invoice(post=False))
        self.advance(move, 'sending', 'sent', 'rejected', status_code=450, status_details="Nieprawidłowy NIP nabywcy")
        self.assertEqual(move.activity_ids.user_id, self.accountant)
        self.assertIn("Nieprawidłowy NIP nabywcy", move.activity_ids.note)
        move.with_user(self.accountant).button_draft()
        self.confirm(move)
        self.assertEqual(move.ksef_state, 'queued')
        self.assertFalse(move.activity_ids)

    def test_program_fault_does_not_stop_confirming(self):
        self.mode('automatic')
        move = self.make_invoice(post=False)
        with patch.object(self.registry['ksef.document'], '_queue', side_effect=ZeroDivisionError), \
                mute_logger('odoo.addons.l10n_pl_ksef.models.account_move_automatic'):
            self.confirm(move)
        self.assertEqual((move.state, move.ksef_state), ('posted', 'picked'), "left to a worker")
        shown = self.make_invoice(post=False)
        with patch.object(self.registry['ksef.document'], '_sync_moves', side_effect=ZeroDivisionError), \
                mute_logger('odoo.addons.l10n_pl_ksef.models.account_move_automatic'):
            self.confirm(shown)
        document = self.env['ksef.document'].sudo().search([('move_id', '=', shown.id)])
        self.assertEqual((shown.state, document.state, document.sync_pending), ('posted', 'queued', True), "shown by a worker")
        unknown = self.make_invoice(post=False)
        with patch.object(self.registry['account.move'], '_ksef_find_intent', side_effect=ZeroDivisionError), \
                mute_logger('odoo.addons.l10n_pl_ksef.models.account_move_automatic'):
            self.confirm(unknown)
        self.assertEqual((unknown.state, unknown.ksef_state), ('posted', False), "whether to send it is not known, so it isn't sent")

    def test_many_are_left_to_a_worker(self):
        """However they are confirmed, a request renders no more than picking by hand does."""
        self.mode('automatic')
        moves = self.env['account.move'].union(*(self.make_invoice(post=False) for _number in range(22)))
        rendered = []
        original = self.registry['ksef.document']._queue
        def queue(documents):
            rendered.extend(documents.ids)
            return original(documents)
        with patch.object(self.registry['ksef.document'], '_queue', queue):
            self.confirm(moves)
            self.assertFalse(rendered)
            self.assertEqual(set(moves.mapped('ksef_state')), {'picked'})
            one_by_one = [self.make_invoice(post=False) for _number in range(22)]
            for move in one_by_one:
                self.confirm(move)
        self.assertEqual(len(rendered), 20)
        self.assertEqual([move.ksef_state for move in one_by_one[-2:]], ['picked', 'picked'])

    def test_dated_ahead_waits_for_its_day(self):
        self.mode('automatic')
        move = self.confirm(self.make_invoice(post=False, date=self.today + timedelta(days=5)))
        document = move.ksef_document_id
        self.assertEqual(move.ksef_state, 'picked')
        self.assertEqual(document.due_at.date(), self.today + timedelta(days=4), "one minute after midnight in Poland")
        for days in (5, 9):
            move.with_user(self.accountant).button_draft()
            move.invoice_date = self.today + timedelta(days=days)
            self.confirm(move)
            self.assertEqual(move.ksef_document_id, document)
            self.assertEqual(document.due_at.date(), self.today + timedelta(days=days - 1), "confirmed anew, it waits for its new day")
        move.with_user(self.accountant).button_draft()
        move.invoice_date = self.today
        self.confirm(move)
        self.assertLessEqual(document.due_at, fields.Datetime.now())

    def test_branch_follows_its_connection(self):
        branch = self.env['res.company'].create({
            'name': "Oddział", 'parent_id': self.company.id, 'country_id': self.env.ref('base.pl').id})
        self.assertEqual(branch.sudo().ksef_connection_id, self.connection)
        self.mode('automatic')
        self.assertEqual(branch._ksef_sending_mode(), 'automatic')

    # ------------------------------------------------------------------ what has to be there

    def test_missing_list(self):
        """S0-18: the daily list has confirmed invoices to businesses that KSeF has not got, with their age."""
        self.mode('hybrid', ksef_duty_from=self.today - timedelta(days=2))
        old = self.make_invoice(date=self.today - timedelta(days=7))
        due = self.make_invoice(date=self.today - timedelta(days=1))
        rejected = self.rejected()
        outside = self.make_invoice(ksef_is_outside=True)
        others = self.make_invoice(partner=self.private) + self.make_invoice(partner=self.foreign) + self.queued() + outside \
            + self.make_invoice(post=False)
        moves = old + due + rejected + others
        found = self.env['account.move'].search([('id', 'in', moves.ids), ('ksef_is_missing', '=', True)])
        self.assertEqual(found, (old + due + rejected).sorted(lambda move: found.ids.index(move.id)))
        self.assertEqual(moves.filtered('ksef_is_missing'), old + due + rejected, "what is shown is what is searched")
        self.assertEqual(old.ksef_age_days, 7)
        self.assertEqual(self.env['account.move'].search([('id', 'in', moves.ids), ('ksef_is_due', '=', True)]), found & (due + rejected))
        self.assertFalse((moves & found) - self.env['account.move'].with_user(self.accountant).search([('ksef_is_missing', '=', True)]))
        Form(old.with_user(self.accountant), view='account.view_move_form')  # the intent and the choice are on it
