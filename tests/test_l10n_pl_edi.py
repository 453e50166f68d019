from unittest.mock import patch

from lxml import etree
from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.account_move_l10n_pl_edi import AccountMove as OurMove
from ..models.account_move_send import AccountMoveSend as OurSend
from .test_invoice_common import InvoiceCommon


@tagged('post_install', '-at_install')
class TestOtherModule(InvoiceCommon):
    """Living beside Odoo's own l10n_pl_edi, which comes with the Polish chart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'l10n_pl_edi_status' not in cls.env['account.move']._fields:
            raise AssertionError("l10n_pl_edi is not installed: it comes with l10n_pl, and these tests need it")
        # What the other module asks of its own certificate.
        register = patch.object(
            cls.registry['res.company'], '_compute_l10n_pl_edi_register',
            lambda companies: companies.update({'l10n_pl_edi_register': True}))
        cls.startClassPatcher(register)
        cls.env.invalidate_all()
        cls.send = cls.env['account.move.send']

    def test_ours_is_outermost(self):
        """Its methods that don't call on are reached through ours, so ours must have been loaded later."""
        for ours, model in ((OurMove, 'account.move'), (OurSend, 'account.move.send')):
            order = [f'{cls.__module__}.{cls.__name__}' for cls in self.registry[model].__mro__]
            theirs = [place for place, name in enumerate(order) if '.l10n_pl_edi.' in name]
            self.assertTrue(theirs)
            self.assertLess(order.index(f'{ours.__module__}.{ours.__name__}'), min(theirs))

    # ------------------------------------------------------------------ one checkbox

    def test_one_checkbox(self):
        move = self.make_invoice()
        edis = self.send._get_all_extra_edis()
        self.assertFalse(edis['pl_ksef']['is_applicable'](move))
        self.assertTrue(edis['ksef']['is_applicable'](move))
        self.assertNotIn('pl_ksef', self.send._get_default_extra_edis(move))
        wizard = self.env['account.move.send.wizard'].with_context(active_model='account.move', active_ids=move.ids).create({})
        self.assertEqual(set(wizard.extra_edi_checkboxes), {'ksef'})

    def test_its_own_where_we_are_not_connected(self):
        self.company.sudo().ksef_connection_id = False
        self.env.invalidate_all()
        move = self.make_invoice()
        edis = self.send._get_all_extra_edis()
        self.assertTrue(edis['pl_ksef']['is_applicable'](move))
        self.assertFalse(edis['ksef']['is_applicable'](move))
        self.assertIn('pl_ksef', self.send._get_default_extra_edis(move))

    def test_never_sends_where_we_are_connected(self):
        """Saved choices and the API go past the checkbox; nothing may reach the other module's web service."""
        move = self.make_invoice()
        service = 'odoo.addons.l10n_pl_edi.models.account_move_send.KsefApiService'
        with patch(service) as other:
            self.send._call_web_service_before_invoice_pdf_render({move: {'extra_edis': {'pl_ksef'}}})
            data = {move: {'extra_edis': ['pl_ksef'], 'sending_methods': set(), 'invoice_edi_format': False, 'pdf_report': False}}
            with patch.object(self.registry['account.move.send'], '_prepare_invoice_pdf_report', lambda *args: None):
                self.send._generate_invoice_documents(data)
            settings = self.send._get_default_sending_settings(move, extra_edis={'pl_ksef', 'ksef'}, sending_methods=set())
        other.assert_not_called()
        self.assertEqual(set(data[move]['extra_edis']), set())
        self.assertEqual(settings['extra_edis'], {'ksef'})
        self.assertFalse(move.l10n_pl_edi_status)

    # ------------------------------------------------------------------ no double sending

    def sent_by_it(self, status):
        move = self.make_invoice()
        move.write({
            'l10n_pl_edi_status': status, 'l10n_pl_edi_ref': '20261120-EE-0000000000-0000000000-00',
            'l10n_pl_edi_number': '5795955811-20261120-0100001AF629-AF' if status == 'accepted' else False,
            'l10n_pl_edi_session_id': '20261120-SO-0000000000-0000000000-00',
        })
        return move

    def test_what_it_sent_is_never_picked(self):
        for status in ('sent', 'accepted'):
            move = self.sent_by_it(status)
            with self.subTest(status=status):
                with self.assertRaisesRegex(UserError, "own KSeF module"):
                    move._ksef_pick()
                wizard = self.env['ksef.send'].create({'move_ids': [Command.set(move.ids)]})
                self.assertEqual(wizard.ready_count, 0)
                self.assertIn("own KSeF module", wizard.left_out)

    def test_what_it_rejected_can_be_picked(self):
        move = self.sent_by_it('rejected')
        self.queued(move)
        self.assertEqual(move.l10n_pl_edi_status, 'sent')
        self.assertFalse(move.l10n_pl_edi_ref)

    def test_sync_leaves_its_values_alone(self):
        for status in ('sent', 'accepted'):
            move = self.sent_by_it(status)
            names = ['l10n_pl_edi_status', 'l10n_pl_edi_ref', 'l10n_pl_edi_number', 'l10n_pl_edi_session_id']
            before = move.read(names)
            move._ksef_sync()
            self.assertEqual(move.read(names), before)

    # ------------------------------------------------------------------ the mirror

    def test_mirror(self):
        move = self.queued()
        session = self.env['ksef.session'].sudo().create({
            'connection_id': self.connection.id, 'state': 'open', 'reference_number': '20261121-SO-1111111111-2222222222-33'})
        self.assertEqual((move.l10n_pl_edi_status, move.l10n_pl_edi_ref, move.l10n_pl_edi_number), ('sent', False, False))
        self.advance(move, 'sending', session_id=session.id)
        self.advance(move, 'sent', reference_number='20261121-EE-1111111111-2222222222-33')
        self.assertEqual(move.l10n_pl_edi_status, 'sent')
        self.assertEqual(move.l10n_pl_edi_ref, '20261121-EE-1111111111-2222222222-33')
        self.assertEqual(move.l10n_pl_edi_session_id, session.reference_number)
        self.advance(move, 'queued', reference_number=False)
        self.assertFalse(move.l10n_pl_edi_ref)
        self.advance(move, 'sending', 'sent', reference_number='20261121-EE-1111111111-2222222222-44')
        self.assertEqual(move.l10n_pl_edi_ref, '20261121-EE-1111111111-2222222222-44')
        self.advance(move, 'accepted', ksef_number='5795955811-20261121-0100001AF629-AF')
        self.assertEqual(move.l10n_pl_edi_status, 'accepted')
        self.assertEqual(move.l10n_pl_edi_number, '5795955811-20261121-0100001AF629-AF')

    def test_mirror_of_rejected_and_withdrawn(self):
        move = self.rejected()
        self.assertEqual((move.l10n_pl_edi_status, move.l10n_pl_edi_number), ('rejected', False))
        move._ksef_pick()
        self.assertEqual(move.l10n_pl_edi_status, 'sent')
        move.action_ksef_withdraw()
        self.assertFalse(move.l10n_pl_edi_status)
        self.assertFalse(move.l10n_pl_edi_ref)

    # ------------------------------------------------------------------ its buttons and its scheduled action

    def test_its_scheduled_action_leaves_ours_alone(self):
        move = self.sent()
        with patch('odoo.addons.l10n_pl_edi.models.account_move.KsefApiService') as other:
            self.env['account.move'].with_company(self.company)._cron_l10n_pl_edi_check_invoice_status()
            move.action_l10n_pl_edi_update_invoice_status()
            self.advance(move, 'accepted', ksef_number='5795955811-20261121-0100001AF629-AF')
            with self.assertRaisesRegex(UserError, "page “KSeF”"):
                move.action_l10n_pl_edi_get_invoice_UPO()
        other.assert_not_called()
        self.assertFalse(move.l10n_pl_edi_header)

    def test_its_scheduled_action_still_serves_its_own(self):
        self.sent_by_it('sent')
        with patch('odoo.addons.l10n_pl_edi.models.account_move.KsefApiService') as other:
            other.return_value.get_invoice_status.return_value = {'status': {'code': 150}}
            self.env['account.move'].with_company(self.company)._cron_l10n_pl_edi_check_invoice_status()
        other.assert_called_once()

    def test_its_buttons_are_hidden(self):
        view = self.env['account.move'].get_view(self.env.ref('account.view_move_form').id, 'form')
        tree = etree.fromstring(view['arch'])
        nodes = [*tree.xpath("//button[starts-with(@name, 'action_l10n_pl_edi_')]"), *tree.xpath("//field[@name='l10n_pl_edi_status']")]
        self.assertGreaterEqual(len(nodes), 3)
        for node in nodes:
            self.assertTrue(node.get('invisible').startswith("ksef_is_connected"), etree.tostring(node))
        self.assertIn('ksef_is_connected', view['models']['account.move'])
        move = self.make_invoice()
        self.assertTrue(move.ksef_is_connected)
        self.company.sudo().ksef_connection_id = False
        self.env.invalidate_all()
        self.assertFalse(move.ksef_is_connected)
