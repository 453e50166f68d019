"""Taking over: nothing leaks, no number twice, and a way out of every state (issue: connecting, point 9)."""
import base64

from odoo import Command
from odoo.tests import new_test_user, tagged

from ..ksef.number import crc8
from .common import BUYER_NIP, SELLER_NIP
from .test_branch import KsefBranchCommon

HEADING = "Numer faktury;Numer KSeF;Data wystawienia;NIP sprzedawcy;Kwota brutto;Skrót SHA-256"


@tagged('post_install', '-at_install')
class TestTakeoverReview(KsefBranchCommon):

    def number(self, place=1, date=None):
        start = f"{SELLER_NIP}-{date or self.env['account.move']._ksef_today():%Y%m%d}-{place:012X}"
        return f"{start}-{crc8(start)}"

    def check(self, *lines, company=None, env=None, **values):
        wizard = (env or self.env)['ksef.import.numbers'].create({
            'company_id': (company or self.company).id, 'environment': 'local',
            'file': base64.b64encode("\n".join([HEADING, *lines]).encode())} | values)
        wizard.action_check()
        return wizard

    def verdicts(self, wizard):
        return [line.verdict for line in wizard.line_ids]

    def manager_of(self, company, login):
        user = new_test_user(
            self.env(su=True), login, 'account.group_account_manager', company_id=company.id, company_ids=[Command.set(company.ids)])
        return self.env(user=user, context={'allowed_company_ids': company.ids})

    # ------------------------------------------------------------------ rights

    def test_export_of_another_company(self):
        """An onchange with another company's id shows nothing of its register."""
        self.connect()
        move = self.make_invoice()
        self.check(f"{move.name};{self.number()};;;;").action_take_over()
        other = self.env['res.company'].create({
            'name': "Obca", 'vat': f'PL{BUYER_NIP}', 'country_id': self.env.ref('base.pl').id})
        values = {'company_id': self.company.id, 'environment': 'local'}
        own = self.env['ksef.import.numbers'].onchange(values, [], {'export': {}})['value']['export']
        self.assertIn(self.number().encode(), base64.b64decode(own))
        found = self.manager_of(other, 'obcy')['ksef.import.numbers'].onchange(values, [], {'export': {}})['value'].get('export')
        self.assertNotIn(self.number().encode(), base64.b64decode(found or b''))

