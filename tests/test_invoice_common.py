"""What the tests of the invoice screens stand on: a connected company without any KSeF, and people with few rights."""
from odoo.tests import new_test_user

from .common import SELLER_NIP, KsefCommon


class InvoiceCommon(KsefCommon):
    """The company is connected (to nothing that answers); documents are brought into a state by the program's own verb."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection = cls.new_connection(cls.company, SELLER_NIP)
        cls.accountant = cls.new_user('ksef_accountant', 'account.group_account_invoice')
        cls.reader = cls.new_user('ksef_reader', 'account.group_account_readonly')
        cls.bank = cls.env['res.partner.bank'].create({
            'acc_number': 'PL61109010140000071219812874', 'partner_id': cls.company.partner_id.id})

    @classmethod
    def new_connection(cls, company, nip, environment='test', **values):
        connection = cls.env['ksef.connection'].sudo().create({
            'company_id': company.id, 'environment': environment, 'nip': nip, 'state': 'connected',
            'database_uuid': cls.env['ir.config_parameter'].sudo().get_param('database.uuid'), **values,
        })
        connection._confirm_production()
        company.sudo().ksef_connection_id = connection
        return connection

    @classmethod
    def new_user(cls, login, groups, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env, login, groups=f'base.group_user,{groups}', company_id=company.id, company_ids=[(6, 0, company.ids)],
            password=login)

    @classmethod
    def outsider(cls, login='ksef_outsider'):
        """Somebody who may confirm and change invoices, but has none of the KSeF groups."""
        user = cls.new_user(login, 'account.group_account_invoice')
        ksef = cls.env['res.groups'].search([('privilege_id', '=', cls.env.ref('l10n_pl_ksef.res_groups_privilege_ksef').id)])
        group = cls.env['res.groups'].create({'name': "Invoices without KSeF"})
        cls.env['ir.model.access'].create([{
            'name': model, 'model_id': cls.env['ir.model']._get_id(model), 'group_id': group.id,
            'perm_read': True, 'perm_write': True, 'perm_create': True, 'perm_unlink': True,
        } for model in ('account.move', 'account.move.line', 'account.journal', 'account.account', 'account.tax')])
        user.group_ids = [(6, 0, [cls.env.ref('base.group_user').id, group.id])]
        assert not user.all_group_ids & ksef
        return user

    def queued(self, move=None, **options):
        """An invoice that is queued for KSeF."""
        move = move or self.make_invoice()
        document = move._ksef_pick(**options).sudo()
        self.assertEqual(document.state, 'queued', document.findings)
        return move

    def advance(self, move, *states, **values):
        """Bring the invoice's document through further states, as the worker does."""
        document = move.sudo().ksef_document_id
        for state in states:
            document._transition(state, **(values if state == states[-1] else {}))
        document._sync_moves()
        return document

    def sent(self, move=None, reference='20261121-EE-1111111111-2222222222-33', **values):
        move = self.queued(move)
        self.advance(move, 'sending', 'sent', reference_number=reference, **values)
        return move

    def accepted(self, move=None, number='5795955811-20261121-0100001AF629-AF', **values):
        move = self.sent(move)
        self.advance(move, 'accepted', ksef_number=number, acquisition_date='2026-11-21 10:00:00', **values)
        return move

    def rejected(self, move=None, **values):
        move = self.sent(move)
        self.advance(move, 'rejected', **({
            'status_code': 450, 'status_description': "Błąd weryfikacji semantyki dokumentu faktury",
            'status_details': "Nieprawidłowy NIP nabywcy"} | values))
        return move
