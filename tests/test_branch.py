"""Branches and units: a branch without NIP works through its parent's connection, one with a NIP or as a unit has its own."""
from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..ksef import Client, Context, Transport, get_environment
from ..ksef.fa3 import reader
from ..ksef.types import Identifier
from .common import BUYER_NIP, OTHER_BUYER_NIP, SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate

UNIT = f'{SELLER_NIP}-00010'


class KsefBranchCommon(KsefCertificateCommon):
    """A company with a branch in Odoo's sense: no NIP, another address, and a user who works in the branch alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.branch = cls.env['res.company'].create({
            'name': "Oddział Gdańsk", 'parent_id': cls.company.id, 'street': "ul. Morska 5", 'zip': "80-001", 'city': "Gdańsk",
        })
        cls.env.user.company_ids |= cls.branch
        cls.env.cr.flush()
        cls.accountant = new_test_user(
            cls.env(su=True), 'ksiegowa_oddzial', 'account.group_account_invoice', company_id=cls.branch.id,
            company_ids=[Command.set(cls.branch.ids)])

    def make_branch_invoice(self, user=None, **values):
        env = self.env(user=user or self.env.user, context={'allowed_company_ids': self.branch.ids})
        move = self.make_invoice(company=self.branch, post=False, company_id=self.branch.id, **values)
        self.assertEqual(move.company_id, self.branch)
        move = move.with_env(env)
        move.action_post()
        return move

    def read_xml(self, document):
        return reader.read(document._get_xml())


@tagged('post_install', '-at_install')
class TestBranch(KsefBranchCommon):

    def test_follows_the_parent(self):
        """Whatever the parent's connection becomes is the branch's; a NIP of its own ends that, a repeated one doesn't."""
        self.assertFalse(self.branch.ksef_connection_id)
        connection = self.connect()
        self.assertEqual(self.branch.ksef_connection_id, connection)
        self.assertEqual(connection.branch_names, "Oddział Gdańsk")
        sub = self.env['res.company'].create({'name': "Filia", 'parent_id': self.branch.id})
        self.assertEqual(sub.ksef_connection_id, connection)
        self.branch.vat = f'PL{SELLER_NIP}'
        self.assertEqual(self.branch.ksef_connection_id, connection, "the same taxpayer")
        self.branch.vat = f'PL{OTHER_BUYER_NIP}'
        self.assertFalse(self.branch.ksef_connection_id | sub.ksef_connection_id)
        self.branch.vat = False
        self.assertEqual((self.branch | sub).ksef_connection_id, connection)
        self.company.ksef_connection_id = False
        self.assertFalse((self.branch | sub).ksef_connection_id)

    def test_nip_at_the_contact(self):
        """A NIP that is entered at the branch's contact instead of the company: its invoices show and lock what is then in use."""
        self.connect()
        move = self.make_branch_invoice()
        document = move._ksef_pick()
        self.assertTrue(move.ksef_is_locked)
        self.branch.partner_id.vat = f'PL{OTHER_BUYER_NIP}'
        self.assertFalse(self.branch.ksef_connection_id)
        self.assertFalse(move.ksef_document_id, "a document of a connection that is not in use")
        self.branch.partner_id.vat = False
        self.assertEqual(move.ksef_document_id, document)
        self.assertTrue(move.ksef_is_locked)

    def test_send(self):
        """Who works in the branch alone sends: under the parent's NIP, name and address; number, letter and print are there."""
        connection = self.connect()
        self.sandbox.admin('DELETE', '/requests')
        move = self.make_branch_invoice(self.accountant)
        self.assertTrue(move.ksef_can_send)
        self.assertIn("can be sent", move.action_ksef_explain()['params']['message'])
        document = move._ksef_pick()
        self.assertEqual(document.state, 'queued', document.findings)
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted', document.status_description)
        self.assertEqual((document.sudo().connection_id, document.company_id), (connection, self.branch))
        [accepted] = self.sandbox.accepted()
        self.assertEqual((move.ksef_number, move.ksef_letter), (accepted['ksefNumber'], 'A'))
        self.assertTrue(move.ksef_number.startswith(SELLER_NIP))
        seller = self.read_xml(document.sudo()).seller
        self.assertEqual((seller.nip, seller.name), (SELLER_NIP, "Sprzedawca sp. z o.o."))
        self.assertIn("Prosta", seller.address.line_1)
        html = self.env['ir.actions.report'].sudo()._render_qweb_html('account.account_invoices', move.ids)[0].decode()
        self.assertIn(move.ksef_number, html)
        with self.assertRaisesRegex(UserError, "cannot be changed"):
            move.button_draft()
        self.assertEqual(move.action_ksef_explain()['params']['type'], 'info')

    def test_screens_of_the_branch(self):
        """What the web client reads works without the right to the parent: documents, their connection's name, the invoice form."""
        connection = self.connect()
        move = self.make_branch_invoice(self.accountant)
        document = move._ksef_pick()
        self.run_workers(2)
        env = self.env(user=self.accountant, context={'allowed_company_ids': self.branch.ids})
        rows = env['ksef.document'].web_search_read([], {
            'connection_id': {'fields': {'display_name': {}}}, 'session_id': {'fields': {'display_name': {}}}, 'environment': {},
            'state': {}})['records']
        self.assertEqual([row['id'] for row in rows], document.ids)
        self.assertEqual(rows[0]['connection_id']['id'], connection.id)
        with Form(move.with_env(env)) as form:
            self.assertEqual(form.ksef_number, move.ksef_number)
        self.assertFalse(env['ksef.connection'].search([]), "the parent's connection itself is none of the branch's business")
        with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
            connection.with_env(env).check_access('read')

    def test_many_at_once(self):
        """A mass pick from the list takes the branch's invoices along; numbers and states come back to each."""
        self.connect()
        moves = self.make_branch_invoice() | self.make_branch_invoice() | self.make_invoice()
        moves = moves.with_context(allowed_company_ids=(self.company | self.branch).ids)
        self.patch(type(moves), '_ksef_pick_limit', lambda self: 1)
        documents = moves._ksef_pick()
        self.run_workers(3)
        self.assertEqual(documents.mapped('state'), ['accepted'] * 3)
        self.assertEqual(set(moves.mapped('ksef_letter')), {'A'})
        self.assertEqual(len(self.sandbox.accepted()), 3)

    def test_correction(self):
        """A correction of the branch's invoice bears the parent, too."""
        self.connect()
        move = self.make_branch_invoice()
        self.send(move, 2)
        wizard = self.env['account.move.reversal'].with_context(
            active_model='account.move', active_ids=move.ids, allowed_company_ids=self.branch.ids).create({
                'journal_id': move.journal_id.id, 'reason': "Zwrot towaru"})
        refund = self.env['account.move'].browse(wizard.reverse_moves()['res_id'])
        refund.action_post()
        document = self.send(refund, 2)
        self.assertEqual(document.state, 'accepted', document.status_description or document.findings)
        self.assertEqual(self.read_xml(document).seller.nip, SELLER_NIP)

    def test_not_connected(self):
        """Why there is no button: the parent is what has to be connected; the branch can't be by itself."""
        move = self.make_branch_invoice(self.accountant)
        self.assertIn("Sprzedawca sp. z o.o.", move.action_ksef_explain()['params']['message'])
        with self.assertRaisesRegex(UserError, "connection of Sprzedawca"):
            move._ksef_pick()
        wizard = self.wizards.create({'company_id': self.branch.id, 'method': 'token', 'environment': 'local'})
        self.assertIn("no NIP of its own", wizard.nip_problem)
        self.assertEqual(wizard.nip, SELLER_NIP)
        with self.assertRaisesRegex(UserError, "no NIP of its own"):
            self.env['ksef.connection']._connect_with_token(self.branch, 'local', self.sandbox.token(), self.sandbox.url)

    def test_wrong_data_of_the_parent(self):
        """What is wrong with the seller is shown at the company that has to be mended."""
        self.connect()
        self.company.partner_id.write({'street': False, 'city': False, 'zip': False})
        document = self.make_branch_invoice()._ksef_pick()
        self.assertEqual(document.state, 'invalid')
        [finding] = [finding for finding in document.findings if finding['severity'] == 'error']
        self.assertEqual((finding['res_model'], finding['res_id']), ('res.company', self.company.id))

    def test_own_nip(self):
        """A branch with a NIP of its own is a taxpayer: its own connection, its own name, and never the parent's."""
        connection = self.connect()
        self.branch.write({'vat': f'PL{OTHER_BUYER_NIP}', 'country_id': self.env.ref('base.pl').id})
        move = self.make_branch_invoice()
        with self.assertRaisesRegex(UserError, "Oddział Gdańsk is not connected"):
            move._ksef_pick()
        with self.assertRaises(ValidationError):
            self.branch.ksef_connection_id = connection
        own = self.connect(self.branch, OTHER_BUYER_NIP)
        self.assertNotEqual(own, connection)
        self.assertEqual(self.company.ksef_connection_id, connection)
        document = self.send(move, 2)
        self.assertEqual(document.state, 'accepted', document.status_description)
        seller = self.read_xml(document).seller
        self.assertEqual((seller.nip, seller.name), (OTHER_BUYER_NIP, "Oddział Gdańsk"))
        self.assertEqual(len(self.sandbox.accepted(OTHER_BUYER_NIP)), 1)
        self.assertFalse(self.sandbox.accepted())

    def test_fetching(self):
        """What is received belongs to the parent's inbox: the branch starts no fetching of its own."""
        self.connect()
        self.branch.ksef_fetch_active = self.company.ksef_fetch_active = True
        syncs = self.env['ksef.fetch'].sudo().search([('is_sync', '=', True)])
        self.assertEqual(syncs.company_id, self.company)
        self.assertEqual(len(syncs), len(set(syncs.mapped('role'))))
        wizard = self.env['ksef.fetch.now'].with_context(allowed_company_ids=(self.company | self.branch).ids).create({})
        self.assertEqual(wizard.company_ids, self.company)
        wizard.company_ids = self.branch
        with self.assertRaisesRegex(UserError, "Sprzedawca"):
            wizard.action_fetch()

    def test_own_sales(self):
        """An own sale that comes back from KSeF finds the branch's invoice."""
        self.connect()
        document = self.send(self.make_branch_invoice(), 2)
        received = self.env['ksef.received'].sudo().create({
            'connection_id': document.connection_id.id, 'company_id': self.company.id, 'environment': 'local', 'role': 'seller',
            'roles': 'seller', 'state': 'stored', 'ksef_number': document.ksef_number})
        received._after_stored(received.ids)
        self.assertEqual((received.state, received.move_id), ('linked', document.move_id))


@tagged('post_install', '-at_install')
class TestUnit(KsefBranchCommon):

    def new_unit_wizard(self, **values):
        return self.new_certificate_wizard(Certificate(SELLER_NIP), **{
            'company_id': self.branch.id, 'is_unit': True, 'internal_id': UNIT} | values)

    def give_rights_in_unit(self):
        """What the administrator of the unit does in the taxpayer application."""
        token = self.sandbox.admin('POST', '/tokens', nip=SELLER_NIP, permissions=['CredentialsManage'], internalId=UNIT)['token']
        with Transport(get_environment('local', self.sandbox.url)) as transport:
            client = Client(transport)
            operation = client.start_token_login_with_fresh_key(Context(UNIT, 'InternalId'), token)
            self.assertTrue(client.login_status(operation).is_complete)
            access = client.redeem(operation).access
            client.grant_person(access, Identifier('Nip', SELLER_NIP), ['InvoiceRead', 'InvoiceWrite'], "Jan", "Kowalski", "Praca oddziału")

    def test_wrong_identifiers(self):
        """Shape, NIP and check digit are proven before anything is stored or asked."""
        for value, message in (
            (f'{SELLER_NIP}-0001', "a dash and 5 digits"), (f'{BUYER_NIP}-00015', "another NIP"), (UNIT[:-1] + '1', "last digit"),
            (False, "a dash and 5 digits"),
        ):
            with self.subTest(value=value), self.assertRaisesRegex(UserError, message):
                self.new_unit_wizard(internal_id=value).action_connect()
        self.assertFalse(self.env['ksef.connection'].search([('company_id', '=', self.branch.id)]))
        self.assertFalse(self.new_unit_wizard().nip_problem)

    def test_connect_and_send(self):
        """A branch that KSeF knows as a unit logs in as that and issues under the NIP of its taxpayer."""
        parents = self.connect()
        self.give_rights_in_unit()
        connection = self.env['ksef.connection'].browse(self.new_unit_wizard().action_connect()['res_id'])
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        self.assertEqual((connection.company_id, connection.nip, connection.internal_id), (self.branch, SELLER_NIP, UNIT))
        self.assertEqual((self.branch.ksef_connection_id, self.company.ksef_connection_id), (connection, parents))
        document = self.send(self.make_branch_invoice(), 2)
        self.assertEqual(document.state, 'accepted', document.status_description)
        self.assertEqual((document.connection_id, self.read_xml(document).seller.nip), (connection, SELLER_NIP))
        connection.action_list_permissions()
        self.run_workers(2)
        task = connection.sudo().task_ids
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(set(connection.permission_ids.filtered('is_own').mapped('scopes')), {'InvoiceRead', 'InvoiceWrite'})
        self.branch.ksef_fetch_active = True
        self.assertEqual(self.env['ksef.fetch'].sudo().search([('connection_id', '=', connection.id)]).mapped('role'), ['third'])
        connection.action_use_parent()
        self.assertEqual(self.branch.ksef_connection_id, parents)

    def test_token(self):
        """A token of the unit is taken, one of the NIP is not."""
        token = self.sandbox.admin('POST', '/tokens', nip=SELLER_NIP, permissions=['InvoiceRead', 'InvoiceWrite'], internalId=UNIT)['token']
        wizard = self.wizards.create({
            'company_id': self.branch.id, 'method': 'token', 'environment': 'local', 'local_url': self.sandbox.url, 'is_unit': True,
            'internal_id': f' {UNIT} ', 'token': self.sandbox.token()})
        with self.assertRaisesRegex(UserError, "not for the unit"):
            wizard.action_connect()
        wizard.token = token
        connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)


@tagged('post_install', '-at_install')
class TestSettings(KsefBranchCommon):

    def test_saving_asks_nothing(self):
        """Settings are saved without a call to KSeF, in the parent and in the branch (issue 4, point 10)."""
        connection = self.connect()
        self.sandbox.admin('DELETE', '/requests')
        for company in (self.company, self.branch):
            settings = self.env['res.config.settings'].with_company(company).create({})
            self.assertEqual(settings.ksef_connection_state, 'connected')
            self.assertEqual(settings.ksef_works_through, company != self.company and "Sprzedawca sp. z o.o.")
            settings.ksef_fetch_active = True
            settings.execute()
        self.assertFalse(self.sandbox.requests(), "saving asks KSeF nothing")
        self.assertEqual(connection.state, 'connected')
