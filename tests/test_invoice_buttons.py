from lxml import etree
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .test_invoice_common import InvoiceCommon

VERBS = ('action_ksef_send', 'action_ksef_refresh_status', 'action_ksef_withdraw', 'action_ksef_set_today', '_ksef_pick')


@tagged('post_install', '-at_install')
class TestButtons(InvoiceCommon):
    """Form and list: who sees which button when, what it does, and what the form says."""

    # ------------------------------------------------------------------ visibility (S1-05)

    def test_buttons_by_state(self):
        expected = {  # state -> (send, get status, withdraw)
            False: (True, False, False), 'queued': (False, True, True), 'sending': (False, True, False),
            'unconfirmed': (False, True, False), 'sent': (False, True, False), 'accepted': (False, False, False),
            'rejected': (True, False, False), 'blocked': (False, False, True), 'help': (False, True, False),
        }
        ways = {
            'queued': (), 'sending': ('sending',), 'unconfirmed': ('sending', 'unconfirmed'), 'sent': ('sending', 'sent'),
            'accepted': ('sending', 'sent', 'accepted'), 'rejected': ('sending', 'sent', 'rejected'),
            'blocked': ('sending', 'blocked'), 'help': ('sending', 'help'),
        }
        for state, buttons in expected.items():
            move = self.make_invoice()
            if state:
                self.advance(self.queued(move), *ways[state])
            with self.subTest(state=state):
                self.assertEqual(move.ksef_state, state)
                mine = move.with_user(self.accountant)
                self.assertEqual((mine.ksef_can_send, mine.ksef_can_refresh, mine.ksef_can_withdraw), buttons)

    def test_buttons_of_an_invalid_and_of_a_picked_one(self):
        invalid = self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        invalid._ksef_pick()
        self.assertEqual(invalid.ksef_state, 'invalid')
        mine = invalid.with_user(self.accountant)
        self.assertTrue(mine.ksef_can_send and mine.ksef_can_withdraw)
        self.assertFalse(mine.ksef_can_refresh or mine.ksef_can_set_today)

    def test_no_button_without_right_connection_or_kind(self):
        move = self.make_invoice()
        self.assertTrue(move.with_user(self.accountant).ksef_can_send)
        for user in (self.reader, self.outsider()):
            with self.subTest(user.login):
                self.assertFalse(move.with_user(user).ksef_can_send)
        self.assertTrue(move.with_user(self.reader).ksef_is_offered)
        self.assertFalse(self.make_invoice(post=False).with_user(self.accountant).ksef_can_send)
        bill = self.init_invoice('in_invoice', partner=self.buyer, amounts=[100], taxes=[], post=True)
        self.assertFalse(bill.with_user(self.accountant).ksef_is_offered)
        for state, offered, usable in (('neutralised', True, False), ('draft', False, False), ('attention', True, True)):
            self.connection.state = state
            self.env.invalidate_all()
            with self.subTest(connection=state):
                self.assertEqual(move.with_user(self.accountant).ksef_is_offered, offered)
                self.assertEqual(move.with_user(self.accountant).ksef_can_send, usable)
        self.company.sudo().ksef_connection_id = False
        self.env.invalidate_all()
        self.assertFalse(move.with_user(self.accountant).ksef_is_offered)

    # ------------------------------------------------------------------ refused on the server

    def test_every_verb_without_the_right(self):
        move = self.queued()
        for user in (self.reader, self.outsider()):
            for verb in VERBS:
                with self.subTest(user=user.login, verb=verb), self.assertRaises(AccessError):
                    getattr(move.with_user(user), verb)()
        self.assertEqual(move.ksef_state, 'queued')

    def test_every_verb_of_another_company(self):
        other = self.setup_other_company()['company']
        foreign = self.new_user('ksef_foreign', 'account.group_account_manager', other)
        move = self.queued()
        for verb in VERBS:
            with self.subTest(verb=verb), self.assertRaises(AccessError):
                getattr(move.with_user(foreign), verb)()
        self.assertEqual(move.ksef_state, 'queued')
        documents = self.env['ksef.document'].with_user(foreign)
        self.assertFalse(documents.search([('move_id', '=', move.id)]))
        self.assertFalse(documents.env['account.move']._ksef_open_documents())

    def test_accountant_without_system_rights(self):
        self.assertFalse(self.accountant.has_group('base.group_system') or self.accountant.has_group('account.group_account_user'))
        move = self.make_invoice().with_user(self.accountant)
        move.action_ksef_send()
        move._ksef_pick()
        self.assertEqual(move.ksef_state, 'queued')
        move.action_ksef_refresh_status()
        move.action_ksef_withdraw()
        self.assertFalse(move.ksef_state)

    def test_server_actions(self):
        moves = self.make_invoice() + self.make_invoice()
        context = {'active_model': 'account.move', 'active_ids': moves.ids, 'active_id': moves[0].id}
        action = self.env.ref('l10n_pl_ksef.action_move_ksef_send').with_user(self.accountant).with_context(**context).run()
        self.assertEqual(self.env['ksef.send'].with_user(self.accountant).browse(action['res_id']).move_ids, moves)
        with self.assertRaises(AccessError):
            self.env.ref('l10n_pl_ksef.action_move_ksef_send').with_user(self.reader).with_context(**context).run()

    # ------------------------------------------------------------------ the verbs

    def test_get_status(self):
        move = self.sent()
        document = move.ksef_document_id.sudo()
        document.due_at = '2030-01-01'
        action = move.with_user(self.accountant).action_ksef_refresh_status()
        self.assertEqual(action['params']['type'], 'success')
        self.assertLess(str(document.due_at), '2030')

    def test_get_status_of_everything(self):
        """Without a selection: whatever is not settled in the user's companies (S2-05)."""
        moves = self.sent() + self.sent(reference='20261121-EE-1111111111-2222222222-34')
        self.accepted(number='5795955811-20261121-0100001AF629-AE')
        documents = moves.ksef_document_id.sudo()
        documents.due_at = '2030-01-01'
        self.env['account.move'].with_user(self.accountant).action_ksef_refresh_status()
        for document in documents:
            self.assertLess(str(document.due_at), '2030')

    def test_get_status_when_nothing_is_open(self):
        action = self.make_invoice().with_user(self.accountant).action_ksef_refresh_status()
        self.assertEqual(action['params']['type'], 'info')

    def test_get_status_of_help(self):
        move = self.queued()
        self.advance(move, 'sending', 'help', status_code=599, status_description="?")
        move.with_user(self.accountant).action_ksef_refresh_status()
        self.assertEqual(move.ksef_state, 'unconfirmed')

    def test_withdraw_too_late(self):
        with self.assertRaisesRegex(UserError, "Too late"):
            self.sent().with_user(self.accountant).action_ksef_withdraw()
        with self.assertRaisesRegex(UserError, "nothing to withdraw"):
            self.make_invoice().with_user(self.accountant).action_ksef_withdraw()

    def test_send_again_after_rejection(self):
        move = self.rejected()
        move.with_user(self.accountant)._ksef_pick()
        self.assertEqual(move.ksef_state, 'queued')
        self.assertEqual(move.ksef_document_ids.mapped('state'), ['queued', 'rejected'])

    # ------------------------------------------------------------------ what the form says

    def alerts(self, move):
        move = move.with_user(self.accountant)
        self.env.invalidate_all()
        return {key: alert for key, alert in (move.alerts or {}).items() if key.startswith('ksef_')}

    def test_alerts_name_what_happened_and_the_next_step(self):
        expected = {
            'queued': ('info', "closed"), 'sending': ('info', "being sent"), 'unconfirmed': ('warning', "never sends it twice"),
            'sent': ('info', "Get KSeF status"), 'blocked': ('warning', "connection"), 'help': ('danger', "Get KSeF status"),
            'rejected': ('danger', "Reset the invoice to draft"),
        }
        ways = {'queued': (), 'sending': ('sending',), 'unconfirmed': ('sending', 'unconfirmed'), 'sent': ('sending', 'sent'),
                'blocked': ('sending', 'blocked'), 'help': ('sending', 'help'), 'rejected': ('sending', 'sent', 'rejected')}
        for state, (level, text) in expected.items():
            move = self.queued()
            if ways[state]:
                self.advance(move, *ways[state], status_code=450, status_description="Opis", status_details="Szczegół 1\nSzczegół 2")
            with self.subTest(state=state):
                alert = self.alerts(move)['ksef_state']
                self.assertEqual(alert['level'], level)
                self.assertIn(text, alert['message'])
                if state in ('rejected', 'help', 'sent', 'blocked'):
                    for part in ("450 Opis", "Szczegół 1", "Szczegół 2"):
                        self.assertIn(part, alert['message'])

    def test_alert_of_a_duplicate_names_the_other_one(self):
        move = self.rejected(status_code=440, original_ksef_number='5795955811-20261121-0100001AF629-AF')
        self.assertIn('5795955811-20261121-0100001AF629-AF', self.alerts(move)['ksef_state']['message'])

    def test_alerts_of_findings_lead_to_the_record(self):
        move = self.make_invoice(partner=self.buyer.copy({'vat': False, 'name': "Bez NIP"}))
        move._ksef_pick()
        alert = self.alerts(move)['ksef_finding_000']
        self.assertEqual((alert['action']['res_model'], alert['action']['res_id']), ('res.partner', move.partner_id.id))

    def test_alert_of_a_connection_that_does_not_work(self):
        move = self.queued()
        self.assertNotIn('ksef_connection', self.alerts(move))
        self.connection.write({'state': 'attention', 'status_message': "Token unieważniony"})
        alert = self.alerts(move)['ksef_connection']
        self.assertIn("Token unieważniony", alert['message'])
        self.assertEqual(alert['action']['res_id'], self.connection.id)
        self.connection.write({'state': 'connected', 'paused_until': '2030-01-01 10:00:00'})
        self.assertIn("could not be reached", self.alerts(move)['ksef_connection']['message'])

    def test_accepted_is_quiet_unless_marked_offline(self):
        self.assertFalse(self.alerts(self.accepted()))
        marked = self.accepted(number='5795955811-20261121-0100001AF629-AE', invoicing_mode='Offline')
        self.assertIn("offline", self.alerts(marked)['ksef_offline']['message'])

    def test_others_see_nothing(self):
        """Neither alerts nor fields nor the page, and the documents can't be read."""
        move = self.rejected()
        outsider = self.outsider()
        self.assertFalse([key for key in move.with_user(outsider).alerts or {} if key.startswith('ksef_')])
        with self.assertRaises(AccessError):
            move.with_user(outsider).read(['ksef_document_ids'])
        arch = self.env['account.move'].with_user(outsider).get_view(self.env.ref('account.view_move_form').id, 'form')['arch']
        for name in ('ksef_document_ids', 'action_ksef_send', 'name="ksef_number"'):
            self.assertNotIn(name, arch)
        arch = self.env['account.move'].with_user(self.reader).get_view(self.env.ref('account.view_move_form').id, 'form')['arch']
        self.assertIn('ksef_document_ids', arch)
        self.assertNotIn('action_ksef_send', arch)

    def test_list_filters_and_groups(self):
        moves = {
            'ksef_not_sent': self.make_invoice(), 'ksef_w': self.queued(), 'ksef_o': self.sent(), 'ksef_rejected': self.rejected(),
            'ksef_a': self.accepted(),
        }
        arch = self.env['account.move'].with_user(self.reader).get_view(
            self.env.ref('account.view_account_invoice_filter').id, 'search')['arch']
        tree = etree.fromstring(arch)
        everything = self.env['account.move'].browse([move.id for move in moves.values()])
        for name, move in moves.items():
            domain = safe_eval(tree.find(f".//filter[@name='{name}']").get('domain'))
            with self.subTest(filter=name):
                self.assertEqual(everything.filtered_domain(domain), move)
        for name in ('ksef_invalid', 'ksef_help', 'group_ksef_state', 'group_ksef_letter'):
            self.assertIsNotNone(tree.find(f".//filter[@name='{name}']"))
        groups = self.env['account.move'].with_user(self.reader)._read_group(
            [('id', 'in', everything.ids)], ['ksef_letter'], ['__count'])
        self.assertEqual(dict(groups), {'W': 1, 'O': 1, 'A': 1, False: 2})
