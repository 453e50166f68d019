import psycopg2
from odoo import Command, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..models.account_move import SYNCED_FIELDS
from ..models.account_move_line import LOCKED_FIELDS as LOCKED_LINE_FIELDS
from ..models.account_move_lock import LOCKED_FIELDS
from .test_invoice_common import InvoiceCommon


@tagged('post_install', '-at_install')
class TestLock(InvoiceCommon):
    """An invoice is closed from the moment it is queued, whatever way somebody takes to change it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.move = cls.make_invoice(partner_bank_id=cls.bank.id)
        cls.move._ksef_pick()
        cls.mine = cls.move.with_user(cls.accountant)
        cls.product_line = cls.mine.invoice_line_ids
        cls.tax_item = cls.mine.line_ids.filtered('tax_line_id')
        cls.term_item = cls.mine.line_ids.filtered(lambda line: line.display_type == 'payment_term')

    def refused(self):
        return self.assertRaisesRegex(UserError, "queued for KSeF or has been sent there")

    def test_it_is_closed(self):
        self.assertEqual(self.move.ksef_state, 'queued', self.move.ksef_document_id.findings)
        self.assertTrue(self.move.ksef_is_locked)

    # ------------------------------------------------------------------ buttons and verbs

    def test_reset_to_draft(self):
        self.assertFalse(self.mine.show_reset_to_draft_button)
        for verb in ('button_draft', 'button_cancel'):
            for move in (self.mine, self.move.sudo()):
                with self.subTest(verb=verb, su=move.env.su), self.refused():
                    getattr(move, verb)()

    def test_state_by_write(self):
        for state in ('draft', 'cancel'):
            with self.subTest(state=state), self.refused():
                self.mine.write({'state': state})

    def test_delete(self):
        for move in (self.mine, self.move.sudo().with_context(force_delete=True)):
            with self.subTest(su=move.env.su), self.assertRaises(UserError):
                move.unlink()
        self.assertTrue(self.move.exists())

    def test_unlink_or_reverse_reverses(self):
        """Odoo's helper for entries that it made itself must not take the way over the draft."""
        self.assertFalse(self.move._can_be_unlinked())

    def test_resequence(self):
        other = self.make_invoice()
        adviser = self.new_user('ksef_adviser', 'account.group_account_manager')
        wizard = self.env['account.resequence.wizard'].with_user(adviser).with_context(
            active_model='account.move', active_ids=(self.move + other).ids).create({'first_name': 'INV/2026/00500'})
        name = self.move.name
        with self.refused():
            wizard.resequence()
        self.assertEqual(self.move.name, name)

    def test_reversal_leaves_the_original(self):
        before = self.move.read([name for name in LOCKED_FIELDS if name in self.move._fields and name != 'tax_totals'])
        for verb in ('refund_moves', 'modify_moves'):
            move = self.queued()
            wizard = self.env['account.move.reversal'].with_user(self.accountant).with_context(
                active_model='account.move', active_ids=move.ids).create({'journal_id': move.journal_id.id, 'reason': "Zwrot"})
            getattr(wizard, verb)()
            with self.subTest(verb=verb):
                self.assertEqual(move.state, 'posted')
                self.assertEqual(move.ksef_state, 'queued')
                self.assertTrue(wizard.new_move_ids)
                self.assertFalse(wizard.new_move_ids.ksef_state)
                self.assertFalse(wizard.new_move_ids.ksef_document_ids)
        self.assertEqual(before, self.move.read(list(before[0])[1:]))

    # ------------------------------------------------------------------ fields

    def test_every_locked_field(self):
        """Each field of the list, by write, as accountant and as superuser."""
        other = self.buyer.copy({'name': "Inny"})
        values = {
            'name': 'INV/2026/99999', 'state': 'draft', 'move_type': 'out_refund',
            'journal_id': self.company_data['default_journal_sale'].copy().id,
            'company_id': self.setup_other_company()['company'].id,
            'date': '2026-01-02', 'invoice_date': '2026-01-02', 'delivery_date': '2026-01-02', 'taxable_supply_date': '2026-01-02',
            'invoice_date_due': '2027-01-02', 'partner_id': other.id, 'commercial_partner_id': other.id,
            'partner_shipping_id': other.id, 'currency_id': self.env.ref('base.EUR').id, 'invoice_currency_rate': 0.25,
            'fiscal_position_id': self.env['account.fiscal.position'].create({'name': "FP"}).id,
            'invoice_payment_term_id': self.env.ref('account.account_payment_term_30days').id, 'partner_bank_id': False,
            'invoice_cash_rounding_id': self.env['account.cash.rounding'].create({
                'name': "R", 'rounding': 0.05, 'strategy': 'biggest_tax'}).id,
            'reversed_entry_id': self.make_invoice().id, 'debit_origin_id': self.make_invoice().id,
            'l10n_pl_vat_b_spv': True, 'l10n_pl_vat_b_spv_dostawa': True, 'l10n_pl_vat_b_mpv_prowizja': True,
            'preferred_payment_method_line_id': self.company_data['default_journal_bank'].inbound_payment_method_line_ids[:1].id,
            'tax_totals': {'subtotals': []}, 'amount_total': 1.0, 'quick_edit_total_amount': 5.0,
        }
        self.assertEqual(set(values), LOCKED_FIELDS, "a field was added: say here how it would be changed")
        for name in LOCKED_FIELDS & self.move._fields.keys():
            for move in (self.mine, self.move.sudo().with_context(skip_readonly_check=True, skip_invoice_sync=True)):
                with self.subTest(field=name, su=move.env.su), self.refused():
                    move.write({name: values[name]})

    def test_every_locked_field_of_lines(self):
        values = {
            'move_id': self.make_invoice(post=False).id, 'display_type': 'line_note', 'sequence': 77, 'name': "Co innego",
            'product_id': self.product_a.id, 'product_uom_id': self.env.ref('uom.product_uom_dozen').id, 'quantity': 3,
            'price_unit': 1.5, 'discount': 10, 'tax_ids': [Command.set(self.tax_8.ids)], 'tax_line_id': self.tax_8.id,
            'tax_repartition_line_id': self.tax_8.invoice_repartition_line_ids[1].id, 'tax_base_amount': 5,
            'group_tax_id': self.tax_8.id, 'price_subtotal': 5, 'price_total': 5, 'balance': 5, 'debit': 5, 'credit': 5,
            'amount_currency': 5, 'currency_id': self.env.ref('base.EUR').id, 'currency_rate': 2,
            'date_maturity': '2027-01-01', 'deductible_amount': 50, 'extra_tax_data': {'x': 1}, 'is_storno': True,
        }
        self.assertEqual(set(values), LOCKED_LINE_FIELDS, "a field was added: say here how it would be changed")
        for name in LOCKED_LINE_FIELDS & self.product_line._fields.keys():
            for line in (self.product_line, self.product_line.sudo().with_context(skip_invoice_sync=True, skip_invoice_line_sync=True)):
                with self.subTest(field=name, su=line.env.su), self.refused():
                    line.write({name: values[name]})

    def test_lines_of_every_kind(self):
        with self.refused():
            self.tax_item.write({'balance': -99})
        with self.refused():
            self.term_item.write({'date_maturity': '2027-01-01'})

    def test_lines_through_the_invoice(self):
        for move in (self.mine, self.mine.with_context(skip_readonly_check=True)):
            with self.assertRaises(UserError):
                move.write({'invoice_line_ids': [Command.update(self.product_line.id, {'price_unit': 1})]})
        with self.refused():
            self.mine.with_context(skip_readonly_check=True).write({'line_ids': [Command.create({'name': "Nowa", 'price_unit': 5})]})

    def test_new_and_deleted_lines(self):
        values = {'move_id': self.move.id, 'name': "Nowa", 'price_unit': 5, 'quantity': 1}
        for env in (self.mine.env, self.env(su=True)):
            with self.refused():
                env['account.move.line'].create(values)
            with self.assertRaises(UserError):
                env['account.move.line'].browse(self.product_line.id).unlink()
        with self.refused():
            self.product_line.sudo().with_context(force_delete=True, dynamic_unlink=True).unlink()

    def test_stolen_line(self):
        draft = self.make_invoice(post=False)
        with self.refused():
            draft.with_user(self.accountant).write({'line_ids': [Command.link(self.product_line.id)]})
        with self.refused():
            self.env['account.move'].create({'move_type': 'entry', 'line_ids': [Command.link(self.product_line.id)]})
        with self.refused():
            draft.invoice_line_ids.write({'move_id': self.move.id})

    def test_form(self):
        with self.assertRaises(AssertionError), Form(self.mine) as form:  # read-only on the form
            form.invoice_date_due = '2027-01-01'

    def test_import(self):
        """Odoo's import of a file ends in write() and is refused like it."""
        answer = self.env['account.move'].with_user(self.accountant).load(
            ['.id', 'invoice_date_due'], [[str(self.move.id), '2027-01-01']])
        self.assertFalse(answer['ids'])
        self.assertIn("KSeF", answer['messages'][0]['message'])

    def test_no_open_field_stands_in_the_xml(self):
        """The lists against the program that renders: a field that is left open may not change a byte."""
        move = self.make_invoice(partner_bank_id=self.bank.id)
        records = {'account.move': move, 'account.move.line': move.invoice_line_ids}
        created_at = fields.Datetime.now()
        before = move._ksef_render(created_at).xml
        self.assertTrue(before)
        tried, changing = set(), set()
        for model, record in records.items():
            closed = record._ksef_locked_fields() | set(SYNCED_FIELDS)
            for field in record._fields.values():
                value = self.other_value(record, field)
                if value is None or field.name in closed:
                    continue
                after = self.rendered_after(record, field.name, value, move, created_at)
                if after:
                    tried.add(field.name)
                    if after != before:
                        changing.add(f'{model}.{field.name}')
        self.assertFalse(changing, "they change the XML, but are not closed")
        self.assertGreater(len(tried), 25, tried)
        self.assertIn('ref', tried)

    def rendered_after(self, record, name, value, move, created_at):
        """The XML with another value in a field, or False where Odoo doesn't allow that value."""
        with self.env.cr.savepoint(flush=False) as savepoint:
            try:
                with self.env.cr.savepoint():
                    record.with_context(skip_readonly_check=True).write({name: value})
                    self.env.flush_all()
                xml = move._ksef_render(created_at).xml
            except (UserError, ValueError, TypeError, psycopg2.Error):
                xml = False
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        return xml

    def other_value(self, record, field):
        """Something else than what stands in the field now; None for kinds that are not tried."""
        untried = ('one2many', 'many2many', 'json', 'binary')
        if not field.store or field.related or field.name in models.MAGIC_COLUMNS or field.type in untried:
            return None
        current = record[field.name]
        match field.type:
            case 'char' | 'text' | 'html':
                return "Zmiana"
            case 'boolean':
                return not current
            case 'integer' | 'float' | 'monetary':
                return (current or 0) + 7
            case 'date' | 'datetime':
                return '2026-01-05'
            case 'selection':
                return next((key for key in field.get_values(self.env) if key != current), None)
            case 'many2one':
                return self.env[field.comodel_name].search([('id', '!=', current.id)], limit=1).id or None

    def test_the_same_value_is_no_change(self):
        self.mine.write({'invoice_date_due': fields.Date.to_string(self.move.invoice_date_due), 'partner_bank_id': self.bank.id})
        self.product_line.write({'quantity': self.product_line.quantity, 'price_unit': 100.0})

    # ------------------------------------------------------------------ what stays possible

    def test_free_fields(self):
        self.mine.write({
            'ref': "Zamówienie 7", 'invoice_user_id': self.accountant.id, 'narration': "<p>Notatka</p>", 'checked': True,
            'payment_reference': "INV/1", 'invoice_origin': "S0001", 'no_followup': True,
        })
        self.mine.message_post(body="Klient dzwonił")
        self.mine.activity_schedule('mail.mail_activity_data_todo', summary="Zadzwoń")
        self.assertIn("INV/1", self.term_item.name)

    def test_free_fields_of_lines(self):
        plan = self.env['account.analytic.plan'].create({'name': "Plan"})
        analytic = self.env['account.analytic.account'].create({'name': "Projekt", 'plan_id': plan.id})
        self.product_line.write({'analytic_distribution': {str(analytic.id): 100}})
        self.product_line.write({'account_id': self.product_line.sudo().account_id.copy().id})
        self.assertEqual(self.product_line.tax_ids, self.tax_23)

    def test_payment(self):
        payment = self.env['account.payment.register'].with_user(self.accountant).with_context(
            active_model='account.move', active_ids=self.move.ids).create({})
        payment._create_payments()
        self.assertIn(self.move.payment_state, ('paid', 'in_payment'))
        self.assertTrue(self.move.ksef_is_locked)
        self.move.line_ids.remove_move_reconcile()
        self.assertEqual(self.move.payment_state, 'not_paid')

    def test_toggle_blocked_payment(self):
        self.mine.action_toggle_block_payment()
        self.assertEqual(self.move.payment_state, 'blocked')

    def test_secure_hash(self):
        self.move.journal_id.restrict_mode_hash_table = True
        self.move.button_hash()
        self.assertTrue(self.move.inalterable_hash)

    def test_cost_of_goods(self):
        """The warehouse books the cost of goods beside the invoice, also later."""
        account = self.company_data['default_account_expense']
        lines = self.env['account.move.line'].create([
            {'move_id': self.move.id, 'name': "Koszt", 'display_type': 'cogs', 'account_id': account.id, 'balance': balance}
            for balance in (10, -10)])
        lines.write({'name': "Koszt własny"})
        self.assertEqual(self.move.amount_total, 246)

    def test_copy_is_free(self):
        copy = self.mine.copy()
        self.assertFalse(copy.ksef_state or copy.ksef_is_locked or copy.ksef_document_id or copy.ksef_document_ids)
        copy.write({'invoice_date': '2026-11-01', 'partner_id': self.buyer.copy().id})
        copy.action_post()

    # ------------------------------------------------------------------ opening again

    def test_withdrawing_opens(self):
        self.mine.action_ksef_withdraw()
        self.assertFalse(self.move.ksef_is_locked)
        name = self.move.name
        self.mine.button_draft()
        self.mine.invoice_line_ids.price_unit = 90
        self.mine.action_post()
        self.assertEqual(self.move.name, name)
        self.queued(self.move)

    def test_rejected_and_invalid_open(self):
        for state in ('rejected', 'invalid'):
            move = self.rejected() if state == 'rejected' else self.make_invoice(date='2026-11-01')
            if state == 'invalid':
                move._ksef_pick()
            with self.subTest(state=state):
                self.assertEqual(move.ksef_state, state)
                self.assertFalse(move.ksef_is_locked)
                name = move.name
                move.with_user(self.accountant).button_draft()
                move.with_user(self.accountant).write({'invoice_date': move._ksef_today(), 'taxable_supply_date': '2026-11-01'})
                move.with_user(self.accountant).action_post()
                self.assertEqual(move.name, name)
                self.queued(move)

    def test_every_other_state_is_closed(self):
        ways = {
            'sending': ('sending',), 'unconfirmed': ('sending', 'unconfirmed'), 'sent': ('sending', 'sent'),
            'accepted': ('sending', 'sent', 'accepted'), 'blocked': ('sending', 'blocked'), 'help': ('sending', 'help'),
        }
        for state, way in ways.items():
            move = self.queued()
            self.advance(move, *way)
            with self.subTest(state=state), self.refused():
                move.with_user(self.accountant).button_draft()

    def test_history_stays(self):
        """What was in KSeF's queue once leaves a trace: the invoice can be cancelled, not deleted."""
        self.mine.action_ksef_withdraw()
        self.mine.button_draft()
        with self.assertRaisesRegex(UserError, "stays on record"):
            self.mine.unlink()
        self.mine.button_cancel()
        self.assertEqual(self.move.state, 'cancel')

    def test_production_stays_closed_after_a_change_of_environment(self):
        connection = self.new_connection(self.company, self.connection.nip, environment='production')
        move = self.accepted()
        self.assertEqual(move.ksef_environment, 'production')
        self.company.sudo().ksef_connection_id = self.connection
        move._ksef_sync()
        self.assertEqual(move.ksef_state, 'accepted', "what production has accepted is shown, whichever connection is in use")
        self.assertTrue(move.ksef_is_locked)
        with self.refused():
            move.button_draft()
        self.assertTrue(connection)

    # ------------------------------------------------------------------ the fields of the state

    def test_state_fields_are_nobodys(self):
        draft = self.make_invoice(post=False)
        values = {
            'ksef_document_id': self.move.ksef_document_id.id, 'ksef_state': 'accepted', 'ksef_letter': 'A', 'ksef_number': "X",
            'ksef_reference_number': "X", 'ksef_acceptance_date': '2026-11-21 00:00:00', 'ksef_is_locked': False,
        }
        self.assertEqual(set(values), set(SYNCED_FIELDS))
        Move = self.env['account.move'].with_user(self.accountant)
        for name, value in values.items():
            with self.subTest(field=name):
                with self.assertRaises(AccessError):
                    draft.with_user(self.accountant).write({name: value})
                with self.assertRaises(AccessError):
                    self.mine.write({name: value})
                with self.assertRaises(AccessError):
                    Move.create({'move_type': 'out_invoice', name: value})
                created = Move.with_context(**{f'default_{name}': value}).create({'move_type': 'out_invoice'})
                self.assertFalse(created[name])
                self.env['ir.default'].set('account.move', name, value)
                self.assertFalse(Move.create({'move_type': 'out_invoice'})[name])
        answer = Move.load(['.id', 'ksef_number'], [[str(draft.id), "X"]])
        self.assertFalse(answer['ids'])

    def test_documents_are_nobodys(self):
        for values in ({'state': 'accepted'}, {'ksef_number': "X"}):
            with self.assertRaises(AccessError):
                self.mine.write({'ksef_document_ids': [Command.update(self.move.ksef_document_id.id, values)]})
        with self.assertRaises(AccessError):
            self.mine.write({'ksef_document_ids': [Command.create({'state': 'accepted'})]})
