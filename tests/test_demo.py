"""The demo data: loaded as --with-demo does, a company whose invoices KSeF accepts as they are."""
from odoo import SUPERUSER_ID
from odoo.modules.module import Manifest
from odoo.tests import tagged
from odoo.tools.convert import convert_file
from stdnum.de import vat as german_vat
from stdnum.pl import nip as nip_module

from .common import KsefSandboxCommon

INVOICES = ('wisla', 'bakery', 'mazur', 'private', 'eu', 'non_eu')


@tagged('post_install', '-at_install')
class TestDemo(KsefSandboxCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env(user=SUPERUSER_ID)
        # The demo data stand on those of l10n_pl, whose place this company takes.
        bank = env['res.partner.bank'].create({
            'acc_number': 'PL47109024022846836723239796', 'partner_id': cls.company.partner_id.id,
            'company_id': cls.company.id})
        for name, record in (
            ('demo_company_pl', cls.company), ('partner_demo_company_pl', cls.company.partner_id), ('demo_bank_pl', bank)):
            env['ir.model.data'].search([('module', '=', 'base'), ('name', '=', name)]).unlink()
            env['ir.model.data'].create({
                'module': 'base', 'name': name, 'model': record._name, 'res_id': record.id, 'noupdate': True})
        for template in ('vs_kraj_23', 'vs_kraj_usl_23', 'vs_kraj_8', 'vs_kraj_5'):
            env.ref(f'account.{cls.company.id}_{template}')
        env.registry.clear_cache()
        for path in Manifest.for_addon('l10n_pl_ksef')['demo']:
            convert_file(env, 'l10n_pl_ksef', path, {}, 'init', noupdate=True)
        cls.accountant = env.ref('l10n_pl_ksef.user_ksiegowa')
        cls.moves = env['account.move'].union(*(env.ref(f'l10n_pl_ksef.invoice_{name}') for name in INVOICES))

    def test_people(self):
        """An accountant without system rights, and an administrator, both at home in the Polish company."""
        accountant, admin = self.accountant, self.env.ref('base.user_admin')
        self.assertEqual((accountant.lang, accountant.tz), ('pl_PL', 'Europe/Warsaw'))
        self.assertEqual((accountant.company_id, accountant.company_ids), (self.company, self.company))
        self.assertTrue(accountant.has_group('l10n_pl_ksef.group_ksef_send'))
        for group in ('l10n_pl_ksef.group_ksef_manage', 'base.group_system', 'account.group_account_manager'):
            self.assertFalse(accountant.has_group(group), group)
        credential = {'type': 'password', 'login': 'ksiegowa', 'password': 'ksiegowa'}
        accountant.with_user(accountant)._check_credentials(credential, {'interactive': True})
        self.assertEqual((admin.company_id, admin.tz), (self.company, 'Europe/Warsaw'))
        self.assertTrue(admin.has_group('l10n_pl_ksef.group_ksef_manage'))

    def test_buyers(self):
        """Every kind of buyer, with numbers that pass their checksums."""
        polish = [self.env.ref(f'l10n_pl_ksef.partner_{name}') for name in ('wisla', 'bakery', 'mazur')]
        self.assertEqual(len({partner.vat for partner in polish}), 3)
        for partner in polish:
            self.assertTrue(nip_module.is_valid(partner.vat.removeprefix('PL')), partner.vat)
        self.assertTrue(german_vat.is_valid(self.env.ref('l10n_pl_ksef.partner_eu').vat))
        self.assertFalse(self.env.ref('l10n_pl_ksef.partner_private').vat)

    def test_invoices(self):
        """Confirmed, dated today in Poland, with the rates of the Polish chart."""
        today = self.moves._ksef_today()
        for move in self.moves:
            self.assertEqual((move.state, move.invoice_date, move.company_id), ('posted', today, self.company))
            self.assertEqual(move.currency_id.name, 'PLN')
            self.assertTrue(move.partner_bank_id)
        self.assertEqual(set(self.moves.invoice_line_ids.tax_ids.mapped('amount')), {23.0, 8.0, 5.0, 0.0})
        self.assertEqual(self.env.ref('l10n_pl_ksef.invoice_wisla').amount_total, 2196.19)
        self.assertEqual(self.env.ref('l10n_pl_ksef.invoice_draft').state, 'draft')

    def test_accepted_as_they_are(self):
        """Connected, picked by the accountant, accepted: nothing has to be mended first."""
        self.connect()
        documents = self.moves.with_user(self.accountant).with_company(self.company)._ksef_pick().sudo()
        self.assertEqual(set(documents.mapped('state')), {'queued'}, documents.mapped('findings'))
        self.run_workers(2)
        self.assertEqual(set(documents.mapped('state')), {'accepted'}, documents.mapped('status_details'))
        self.assertEqual(len(self.sandbox.accepted()), len(INVOICES))
        self.assertTrue(all(documents.mapped('has_upo')))
