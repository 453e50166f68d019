import json

from odoo.addons.bus.models.bus import json_dump
from odoo.tests import tagged

from .test_invoice_common import InvoiceCommon


@tagged('post_install', '-at_install')
class TestLive(InvoiceCommon):
    """Messages to open screens: what is sent, and who may listen. That a screen reloads is shown by the live tests."""

    def messages(self):
        """Messages that this transaction would leave on the bus: [(channel, type, payload)]."""
        values = self.env.cr.precommit.data.get('bus.bus.values', [])
        return [
            (json.loads(value['channel']), json.loads(value['message'])['type'], json.loads(value['message'])['payload'])
            for value in values]

    def channel(self, move):
        return json.loads(json_dump((self.env.cr.dbname, 'account.move', move.id, 'ksef')))

    def listened(self, user, *names):
        """The invoices that the user gets messages of when he asks for these channels."""
        websocket = self.env['ir.websocket'].with_user(user)
        return websocket._ksef_readable_moves([f'ksef_move_{name}' for name in names])

    def test_every_change_is_told(self):
        move = self.make_invoice()
        self.env.cr.precommit.data.pop('bus.bus.values', None)
        self.queued(move)
        mine = [message for message in self.messages() if message[0] == self.channel(move)]
        self.assertEqual([(kind, payload) for _channel, kind, payload in mine], [('l10n_pl_ksef.changed', {'id': move.id})])
        for state in ('sending', 'sent', 'accepted'):
            before = len(self.messages())
            self.advance(move, state)
            self.assertIn(self.channel(move), [message[0] for message in self.messages()[before:]])

    def test_nothing_but_the_id_is_told(self):
        move = self.accepted()
        text = json.dumps([message for message in self.messages() if message[0] == self.channel(move)])
        self.assertNotIn(move.ksef_number, text)

    def test_who_may_listen(self):
        move = self.make_invoice()
        self.assertEqual(self.listened(self.accountant, move.id), move)
        self.assertEqual(self.listened(self.reader, move.id), move)
        self.assertFalse(self.listened(self.outsider(), move.id))
        portal = self.env['res.users'].create({
            'name': "Klient", 'login': 'ksef_portal', 'partner_id': self.buyer.id,
            'group_ids': [(6, 0, [self.env.ref('base.group_portal').id])]})
        self.assertFalse(self.listened(portal, move.id))
        self.assertFalse(self.listened(self.env.ref('base.public_user'), move.id))

    def test_other_companies_are_not_heard(self):
        other = self.setup_other_company()['company']
        foreign = self.new_user('ksef_foreign', 'account.group_account_manager', other)
        move = self.make_invoice()
        self.assertFalse(self.listened(foreign, move.id))
        both = self.new_user('ksef_both', 'account.group_account_invoice', other)
        both.company_ids |= self.company
        self.assertEqual(self.listened(both, move.id), move, "every company of the user counts, not only the one chosen first")

    def test_record_rules_count(self):
        """A rule that hides an invoice from the user hides its messages too."""
        hidden, shown = self.make_invoice(), self.make_invoice()
        self.env['ir.rule'].create({
            'name': "Nie ta", 'model_id': self.env['ir.model']._get_id('account.move'),
            'domain_force': f"[('id', '!=', {hidden.id})]"})
        self.assertEqual(self.listened(self.accountant, hidden.id, shown.id), shown)

    def test_strange_channels(self):
        move = self.make_invoice()
        self.assertFalse(self.listened(self.accountant, 'x', '', '-1', '0', '9' * 9, f'{move.id} OR 1=1', '²'))
