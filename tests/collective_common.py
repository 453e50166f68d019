"""What tests of collective identifiers need: bills with KSeF numbers, the window Pay, a worker that goes on."""
import time
from datetime import timedelta

from odoo import Command, fields
from odoo.tests import Form

from .common import SELLER_NIP
from .test_received_bill import BillCommon

GENERATE = 'POST /collective-identifiers'


class CollectiveCommon(BillCommon):

    def setUp(self):
        super().setUp()
        self.bank = self.company_data['default_journal_bank']

    def bills(self, *samples):
        """Confirmed bills of invoices that suppliers have issued in KSeF, made without fetching them, which takes seconds."""
        issued = [self.sandbox.admin('POST', f'/companies/{SELLER_NIP}/issue', sample=sample) for sample in samples]
        moves = self.env['account.move']
        for answer in issued:
            moves |= self.make_bill(answer['seller'], answer['invoiceNumber'], self.accepted_number(answer))
        moves.action_post()
        return moves

    def accepted_number(self, issued):
        """The KSeF number of what a supplier has issued, as soon as there is one."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for row in self.sandbox.accepted(issued['seller']):
                if row['invoiceNumber'] == issued['invoiceNumber']:
                    return row['ksefNumber']
            time.sleep(0.05)
        raise AssertionError(f"{issued['invoiceNumber']} got no KSeF number")

    def make_bill(self, nip, number, ksef_number):
        partner = self.env['res.partner'].search([('vat', '=', f'PL{nip}')], limit=1) or self.env['res.partner'].create(
            {'name': f"Dostawca {nip}", 'vat': f'PL{nip}', 'is_company': True, 'country_id': self.env.ref('base.pl').id})
        tax = self.env['account.tax'].search([
            ('company_id', '=', self.company.id), ('type_tax_use', '=', 'purchase'), ('amount', '=', 23)], limit=1)
        move = self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': partner.id, 'ref': number, 'invoice_date': fields.Date.today(),
            'payment_reference': f"{number} {ksef_number}",
            'invoice_line_ids': [Command.create({'name': "Towar", 'price_unit': 100, 'tax_ids': tax.ids})]})
        self.receive(b'<Faktura/>', state='imported', ksef_number=ksef_number, seller_nip=nip, move_id=move.id)
        return move

    def wizard(self, moves):
        """The window Pay, opened on the bills as from their list."""
        return Form(self.env['account.payment.register'].with_context(active_model='account.move', active_ids=moves.ids))

    def pay(self, moves, **values):
        form = self.wizard(moves)
        for name, value in (({'group_payment': True} if len(moves) > 1 else {}) | values).items():
            form[name] = value
        return form.save()._create_payments()

    def asked(self, moves):
        return self.env['ksef.collective'].browse(moves.action_ksef_collective()['res_id'])

    def given(self, moves, rounds=1):
        """The identifier that KSeF gives for the bills."""
        collective = self.asked(moves)
        self.follow_task(collective, rounds)
        self.assertEqual(collective.state, 'done', collective.problem)
        return collective

    def follow_task(self, collective, rounds=1, later=False):
        """Let the workers go on with it; ``later``: when the time of grace is over."""
        for _round in range(rounds):
            task = collective.sudo().task_id
            if task.due_at:
                task.due_at = fields.Datetime.now()
            if later:
                task.called_at = fields.Datetime.now() - timedelta(hours=1)
            self.run_workers()

    def generated(self):
        """Calls that KSeF has answered, or not."""
        return len([call for call in self.sandbox.requests('POST') if call['path'].endswith('/collective-identifiers')])
