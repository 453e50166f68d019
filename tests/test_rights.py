"""Rights: who may see, send and manage, asked the way the browser and the API ask, and who is refused on the server."""
from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import BUYER_NIP, SELLER_NIP, KsefCommon
from .rights_records import TOKEN, RightsRecords
from .rights_table import EDITED_BY_HAND, MANAGE, ORM_METHODS, PUBLIC_METHODS, READ, SEND, SHARED_TABLES

NOWHERE = 'http://127.0.0.1:9/v2'


class KsefRightsCommon(KsefCommon):
    """Two companies with a document each, and a user of every kind in the first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls._create_company(name="Inna sp. z o.o.", vat=f'PL{BUYER_NIP}', country_id=cls.env.ref('base.pl').id)
        cls.document = cls.make_document(cls.company, SELLER_NIP)
        cls.other_document = cls.make_document(cls.other_company, BUYER_NIP)
        cls.users = {
            name: new_test_user(
                cls.env(user=SUPERUSER_ID), f'ksef_{name}', groups, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)])
            for name, groups in {
                'stranger': 'base.group_user',
                'system': 'base.group_user,base.group_system',
                'reader': 'base.group_user,account.group_account_readonly',
                'accountant': 'base.group_user,account.group_account_invoice',
                'administrator': 'base.group_user,account.group_account_manager,base.group_system',
            }.items()
        }

    @classmethod
    def make_document(cls, company, nip):
        """A picked and queued document of a company that is being connected."""
        env = cls.env(user=SUPERUSER_ID)
        env['ksef.connection']._connect_with_token(company, 'local', TOKEN % nip, NOWHERE)
        tax = env['account.tax'].search(
            [('company_id', '=', company.id), ('type_tax_use', '=', 'sale'), ('amount', '=', 23)], limit=1)
        company.partner_id.write({'street': "ul. Prosta 1", 'zip': "00-838", 'city': "Warszawa"})
        move = cls.make_invoice([("Usługa", 1, 100.0, tax)], company=company)
        return move.with_user(SUPERUSER_ID)._ksef_pick()

    def has(self, name, group):
        return self.users[name].has_group(group)

    def env_of(self, user):
        """The environment of one of the users, in the first company."""
        return self.env(user=self.users[user], context={'allowed_company_ids': self.company.ids})

    def call(self, user, model, method, *args):
        """Call a method as a client does (the first argument of a method on records is their ids)."""
        return call_kw(self.env_of(user)[model], method, list(args), {})

    def make_received(self, env):
        """A received invoice of the first company."""
        number = env['ksef.received'].search_count([]) + 1
        return env['ksef.received'].create({
            'connection_id': self.document.sudo().connection_id.id, 'company_id': self.company.id, 'environment': 'local',
            'role': 'buyer', 'roles': 'buyer', 'state': 'stored', 'ksef_number': f'{SELLER_NIP}-20260101-{number:012X}-00'})

    def assert_refused(self, user, model, method, *args, errors=(AccessError,)):
        """The call raises one of the errors (assertRaises of Odoo's tests takes a single class)."""
        with mute_logger('odoo.addons.base.models.ir_model', 'odoo.addons.base.models.ir_rule', 'odoo.models'):
            try:
                with self.cr.savepoint():
                    self.call(user, model, method, *args)
            except errors:
                return
        self.fail(f"{user} was not refused: {model}.{method}{args}")


@tagged('post_install', '-at_install')
class TestGroups(KsefRightsCommon, RightsRecords):

    def test_implied(self):
        """Odoo's accounting groups bring ours; system rights alone bring none."""
        expected = {
            'stranger': (False, False, False), 'system': (False, False, False), 'reader': (True, False, False),
            'accountant': (True, True, False), 'administrator': (True, True, True),
        }
        for name, rights in expected.items():
            self.assertEqual(tuple(self.has(name, group) for group in (READ, SEND, MANAGE)), rights, name)

    def test_every_model_is_closed(self):
        """Each table of the addon has rights, a rule of companies, and no group that could write it by hand."""
        models = [model for name, model in self.env.registry.items() if name.startswith('ksef.') and not model._abstract]
        self.assertGreaterEqual({model._name for model in models}, {
            'ksef.connection', 'ksef.credential', 'ksef.session', 'ksef.document', 'ksef.connect', 'ksef.send'})
        for model in models:
            with self.subTest(model=model._name):
                access = self.env['ir.model.access'].sudo().search([('model_id.model', '=', model._name)])
                self.assertTrue(access)
                self.assertTrue(all(access.mapped('group_id')), "no access for everybody")
                rules = self.env['ir.rule'].sudo().search([('model_id.model', '=', model._name), ('groups', '=', False)])
                domains = " ".join(rules.mapped('domain_force'))
                if model._name in SHARED_TABLES:  # no company's business
                    self.assertFalse(rules)
                elif model._transient:
                    self.assertIn("('create_uid', '=', user.id)", domains)
                else:
                    self.assertIn("('company_id', 'in', company_ids)", domains)
                    for right in ('perm_write', 'perm_create', 'perm_unlink') if model._name not in EDITED_BY_HAND else ():
                        self.assertFalse(any(access.mapped(right)), right)

    def test_public_methods_are_known(self):
        """A new public method has to be entered in the table above, with the group it needs."""
        for name, model in self.env.registry.items():
            found = {
                method for cls in model.mro() if '.l10n_pl_ksef.' in cls.__module__
                for method, function in vars(cls).items()
                if callable(function) and not method.startswith('_') and not getattr(function, '_api_private', False)
            } - ORM_METHODS
            if name == 'account.move' or name.startswith(('account.', 'ir.')) or model._abstract:
                found = {method for method in found if 'ksef' in method and 'l10n_pl_edi' not in method}
            self.assertEqual(found - {'action_send_and_print'}, set(PUBLIC_METHODS.get(name, ())), name)

    def test_refused_on_the_server(self):
        """Whoever lacks the group gets an AccessError for every method, whatever the screen shows."""
        refused = 0
        for model, methods in PUBLIC_METHODS.items():
            for method, group in methods.items():
                for user in self.users:
                    if not group or self.has(user, group):
                        continue
                    # the wizard shows such a user no invoice at all, so it may end before the rights are asked for
                    errors = (UserError,) if model == 'ksef.send' else (AccessError,)
                    with self.subTest(model=model, method=method, user=user):
                        self.assert_refused(user, model, method, self.get_ids(model), errors=errors)
                    refused += 1
        self.assertGreater(refused, 30)
        self.assertEqual(self.document.state, 'queued')
        self.assertEqual(self.document.sudo().connection_id.state, 'verifying')
        self.assertEqual(self.document.search_count([('company_id', '=', self.company.id)]), 1, "nothing was picked")

    def test_lost_key(self):
        """Giving up the secrets of all companies takes the administrator of the database, and a key that is really lost."""
        ids = self.document.sudo().connection_id.ids
        manager = new_test_user(
            self.env(user=SUPERUSER_ID), 'ksef_manager', 'base.group_user,account.group_account_manager',
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)])
        self.users['manager'] = manager
        self.addCleanup(self.users.pop, 'manager')
        self.assert_refused('manager', 'ksef.connection', 'action_forget_lost_secrets', ids)
        with self.assertRaisesRegex(UserError, "nothing is lost"):
            self.call('administrator', 'ksef.connection', 'action_forget_lost_secrets', ids)
        self.assertTrue(self.document.sudo().connection_id.credential_ids)

    def test_allowed(self):
        """Whoever has the group is not refused, system rights or not."""
        for user, model, method in (
            ('reader', 'ksef.document', 'action_open_move'),
            ('accountant', 'ksef.document', 'action_check_again'),
            ('accountant', 'account.move', 'action_ksef_send'),
            ('accountant', 'account.move', 'action_ksef_refresh_status'),
            ('accountant', 'account.move', 'action_ksef_withdraw'),
            ('administrator', 'ksef.connection', 'action_verify'),
            ('administrator', 'ksef.connection', 'action_confirm_database'),
            ('administrator', 'ksef.connection', 'action_connect_again'),
            ('administrator', 'ksef.connection', 'action_disconnect'),
        ):
            with self.subTest(user=user, method=method):
                self.call(user, model, method, self.get_ids(model))
        self.assertEqual(self.document.state, 'cancelled')
        self.assertEqual(self.document.sudo().connection_id.state, 'draft')


@tagged('post_install', '-at_install')
class TestRecords(KsefRightsCommon):

    def test_reading(self):
        """Readers see documents, sessions and connections; credentials are for those who manage them."""
        for user in self.users:
            for model, group in (
                ('ksef.document', READ), ('ksef.connection', READ), ('ksef.session', READ), ('ksef.credential', MANAGE)):
                with self.subTest(user=user, model=model):
                    if self.has(user, group):
                        self.call(user, model, 'web_search_read', [], {'display_name': {}})
                    else:
                        self.assert_refused(user, model, 'web_search_read', [], {'display_name': {}})

    def test_writing(self):
        """Nobody writes by hand: not the administrator, and not one field."""
        connection, document = self.document.sudo().connection_id, self.document
        credential = connection.credential_ids
        for user in self.users:
            for model, ids, values in (
                ('ksef.document', document.ids, {'state': 'accepted'}),
                ('ksef.document', document.ids, {'ksef_number': '1'}),
                ('ksef.connection', connection.ids, {'environment': 'production'}),
                ('ksef.connection', connection.ids, {'state': 'connected'}),
                ('ksef.connection', connection.ids, {'name': "Inna"}),
                ('ksef.credential', credential.ids, {'is_default': False}),
                ('ksef.credential', credential.ids, {'secret': "x"}),
            ):
                with self.subTest(user=user, model=model, values=values):
                    self.assert_refused(user, model, 'write', ids, values)
                    self.assert_refused(user, model, 'unlink', ids)
        for model, values in (
            ('ksef.document', {'move_id': document.move_id.id, 'connection_id': connection.id}),
            ('ksef.connection', {'environment': 'demo', 'nip': SELLER_NIP}),
            ('ksef.credential', {'connection_id': connection.id, 'name': "x", 'kind': 'token'}),
            ('ksef.session', {'connection_id': connection.id}),
        ):
            with self.subTest(model=model):
                self.assert_refused('administrator', model, 'create', [values])

    def test_invoice_fields(self):
        """What the invoice shows of KSeF is no field to fill in, and a queued invoice is closed."""
        ids = self.document.move_id.ids
        for values in (
            {'ksef_state': 'accepted'}, {'ksef_number': '1'}, {'ksef_reference_number': '1'}, {'ksef_letter': 'A'},
            {'ksef_is_locked': False}, {'ksef_document_id': False}, {'ksef_acceptance_date': '2026-01-01 00:00:00'},
        ):
            for user in ('accountant', 'administrator'):
                with self.subTest(user=user, values=values):
                    self.assert_refused(user, 'account.move', 'write', ids, values)
        self.assertEqual(self.document.move_id.ksef_state, 'queued')

    def test_connection_of_another_company(self):
        """No company can be made to send through another one's connection, not even by its administrator."""
        administrator = self.users['administrator']
        administrator.company_ids += self.other_company
        foreign = self.other_document.sudo().connection_id
        env = self.env(user=administrator, context={'allowed_company_ids': (self.company + self.other_company).ids})
        with self.assertRaisesRegex(UserError, "another company"), self.cr.savepoint():
            call_kw(env['res.company'], 'write', [self.company.ids, {'ksef_connection_id': foreign.id}], {})
        self.company.invalidate_recordset()
        self.assertEqual(self.company.sudo().ksef_connection_id, self.document.sudo().connection_id)

    def test_across_companies(self):
        """Another company's records don't exist for a user: not in lists, not by id, not in sums, not by a button."""
        foreign = self.other_document.sudo()
        for model, record in (
            ('ksef.document', foreign), ('ksef.connection', foreign.connection_id),
            ('ksef.credential', foreign.connection_id.credential_ids),
        ):
            with self.subTest(model=model):
                found = self.call('administrator', model, 'search', [])
                self.assertNotIn(record.id, found)
                self.assertTrue(found, "the own ones are seen")
                self.assert_refused('administrator', model, 'read', record.ids, ['display_name'])
                self.assert_refused('administrator', model, 'web_read', record.ids, {'display_name': {}})
        groups = self.call('administrator', 'ksef.document', 'formatted_read_group', [], ['company_id'], ['__count'])
        self.assertEqual([group['company_id'][0] for group in groups], self.company.ids)
        for model, method in (
            ('ksef.connection', 'action_verify'), ('ksef.connection', 'action_disconnect'),
            ('ksef.connection', 'action_confirm_database'), ('ksef.connection', 'action_connect_again'),
            ('ksef.document', 'action_check_again'), ('ksef.document', 'action_open_move'),
        ):
            with self.subTest(method=method):
                record = foreign if model == 'ksef.document' else foreign.connection_id
                self.assert_refused('administrator', model, method, record.ids)
        for method in ('action_ksef_send', 'action_ksef_withdraw', 'action_ksef_refresh_status'):
            with self.subTest(method=method):
                self.assert_refused('accountant', 'account.move', method, foreign.move_id.ids)
        self.assertEqual((foreign.state, foreign.connection_id.state), ('queued', 'verifying'))

    def test_secrets(self):
        """No way of reading, filtering, sorting, grouping or exporting shows a secret to the administrator."""
        connection = self.document.sudo().connection_id
        session = self.env(user=SUPERUSER_ID)['ksef.session'].create({'connection_id': connection.id, 'secret_key': "x"})
        errors = (AccessError, ValueError)
        tried = 0
        for record in (connection.credential_ids, session):
            model, ids = record._name, record.ids
            for name in [name for name, field in record._fields.items() if field.groups == NO_ACCESS]:
                for method, *args in (
                    ('read', ids, [name]),
                    ('web_read', ids, {name: {}}),
                    ('export_data', ids, [name]),
                    ('search', [(name, '!=', False)]),
                    ('search_count', [(name, 'like', 'a%')]),
                    ('search', [], 0, 1, f'{name} asc'),
                    ('formatted_read_group', [], [name], ['__count']),
                ):
                    with self.subTest(model=model, method=method, field=name):
                        self.assert_refused('administrator', model, method, *args, errors=errors)
                    tried += 1
                self.assertNotIn(name, self.env_of('administrator')[model].fields_get())
        self.assert_refused(
            'administrator', 'ksef.connection', 'search', [('credential_ids.secret', 'like', 'gAAAA%')], errors=errors)
        self.assertGreater(tried, 60)


@tagged('post_install', '-at_install')
class TestScreens(KsefRightsCommon):

    def test_menus(self):
        """The menu is there for readers and for nobody else."""
        menu = self.env.ref('l10n_pl_ksef.menu_ksef')
        for user in self.users:
            visible = self.env(user=self.users[user])['ir.ui.menu']._visible_menu_ids()
            with self.subTest(user=user):
                self.assertEqual(menu.id in visible, self.has(user, READ))

    def test_forms(self):
        """Every screen opens for whoever may see it: no field on it is out of reach."""
        for user in ('reader', 'accountant', 'administrator'):
            env = self.env_of(user)
            with self.subTest(user=user):
                Form(env['ksef.document'].browse(self.document.id))
                Form(env['ksef.connection'].browse(self.document.sudo().connection_id.id))
                for action in ('document', 'session', 'connection'):
                    action = env['ir.actions.act_window']._for_xml_id(f'l10n_pl_ksef.action_ksef_{action}')
                    env[action['res_model']].get_views([(False, 'list'), (False, 'form'), (False, 'search')])

    def test_buttons(self):
        """Buttons of managers are on their screens only."""
        for user in ('reader', 'accountant', 'administrator'):
            env = self.env_of(user)
            arch = env['ksef.connection'].get_view(view_type='form')['arch']
            with self.subTest(user=user):
                for name in ('action_verify', 'action_disconnect', 'action_connect_again', 'credential_ids'):
                    self.assertEqual(f'name="{name}"' in arch, self.has(user, MANAGE), name)
                arch = env['ksef.document'].get_view(view_type='form')['arch']
                self.assertEqual('name="action_check_again"' in arch, self.has(user, SEND))

    def test_settings_without_accounting(self):
        """An administrator of the system who is no accountant sees the settings, without ours."""
        env = self.env_of('system')
        self.assertNotIn('ksef_connection_id', env['res.config.settings'].fields_get())
        self.assertNotIn('ksef_connection_id', env['res.config.settings'].get_view(view_type='form')['arch'])
