"""Collective identifiers (identyfikatory zbiorcze): one title of a transfer for several bills of one seller."""
from unittest.mock import patch

import requests
from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, common, new_test_user, tagged
from odoo.tools import mute_logger

from .collective_common import GENERATE, CollectiveCommon
from .common import BUYER_NIP

WORKER_LOGGER = 'odoo.addons.l10n_pl_ksef.models.ksef_worker_task'
COLLECTIVE_LOGGER = 'odoo.addons.l10n_pl_ksef.models.ksef_worker_collective'


@tagged('post_install', '-at_install')
class TestCollective(CollectiveCommon):

    # ------------------------------------------------------------------ the identifier

    def test_asked_from_the_list(self):
        """Asked for in the list of bills, given by KSeF, taken by the window Pay; once for the same bills."""
        bills = self.env['account.move'].union(*map(self.bill, self.fetch('goods', 'rates')))
        bills.action_post()
        collective = self.asked(bills)
        self.assertFalse(self.generated(), "nothing is asked in the user's request")
        self.assertEqual((collective.state, collective.invoice_count, collective.move_ids), ('waiting', 2, bills))
        self.follow_task(collective)
        nip = bills[0].partner_id.vat[2:]
        self.assertEqual((collective.state, collective.seller_nip, bills.ksef_collective_ids), ('done', nip, collective))
        self.assertRegex(collective.number, rf'^{nip}-IZ20\d{{4}}-[0-9A-F]{{12}}-[0-9A-F]{{2}}$')
        self.assertEqual(self.asked(bills), collective, "the same bills have the same identifier")
        self.assertEqual(self.generated(), 1)
        form = self.wizard(bills)
        self.assertFalse(form.ksef_use_collective, "one payment for each bill needs none")
        form.group_payment = True
        self.assertTrue(form.ksef_use_collective)
        self.assertEqual(form.communication, collective.number)
        form.ksef_use_collective = False
        for bill in bills:
            self.assertIn(bill.ksef_received_number, form.communication)
        action = collective.action_pay()
        form = Form(self.env[action['res_model']].with_context(**action['context']))
        self.assertEqual((form.communication, form.ksef_use_collective), (collective.number, True))
        payment = form.save()._create_payments()
        self.assertEqual((payment.memo, payment.ksef_collective_id), (collective.number, collective))
        self.assertAlmostEqual(payment.amount, sum(bills.mapped('amount_total')))
        self.assertEqual(collective.payment_ids, payment)
        self.assertEqual(set(bills.mapped('payment_state')) - {'paid', 'in_payment'}, set())

    def test_asked_in_the_window(self):
        """Ticked in the window Pay: the payment is made, its memo follows; the provisional one has the KSeF numbers."""
        bills = self.bills('goods', 'rates')
        payment = self.pay(bills, ksef_use_collective=True)
        collective = payment.ksef_collective_id
        self.assertEqual((collective.state, payment.ksef_collective_state), ('waiting', 'waiting'))
        for bill in bills:
            self.assertIn(bill.ksef_received_number, payment.memo)
        self.follow_task(collective)
        self.assertEqual((collective.state, payment.memo), ('done', collective.number))
        self.assertEqual(collective.sudo().task_id.state, 'done')

    def test_memo_that_stays(self):
        """Changed by hand, or sent to the bank: the memo stays, and who asked is told the identifier."""
        # Such payments count as paid at once, though nobody has made the transfer; others when it is booked.
        account, bills = self.bank.outbound_payment_method_line_ids, self.bills(*['goods'] * 8)
        account.payment_account_id = self.bank.default_account_id
        sent, changed, cancelled = (self.pay(bills[start:start + 2], ksef_use_collective=True) for start in (0, 2, 4))
        account.payment_account_id = False
        booked = self.pay(bills[6:], ksef_use_collective=True)
        self.assertNotEqual(booked.outstanding_account_id, self.bank.default_account_id)
        entry = self.env['account.move'].create({'line_ids': [
            Command.create({'account_id': side.id, 'balance': booked.amount * sign})
            for side, sign in ((booked.outstanding_account_id, 1), (self.bank.default_account_id, -1))]})
        entry.action_post()
        (booked.move_id | entry).line_ids.filtered(lambda line: line.account_id == booked.outstanding_account_id).reconcile()
        sent.mark_as_sent()
        changed.memo = "Umowa 7/2026"
        self.assertEqual(changed.state, 'paid')
        cancelled.action_cancel()
        for payment, memo, activities in [(one, one.memo, one == changed) for one in sent | changed | cancelled | booked]:
            self.follow_task(payment.ksef_collective_id)
            found = payment.ksef_collective_id.state, payment.memo, len(payment.activity_ids)
            self.assertEqual(found, ('done', memo, activities))
            self.assertTrue(any(payment.ksef_collective_id.number in message.body for message in payment.message_ids))

    def test_several_suppliers_at_once(self):
        """Bills of several suppliers paid together: each payment has its own identifier, a single bill its KSeF number."""
        bills = self.bills('goods', 'rates', 'services')
        payments = self.pay(bills, ksef_use_collective=True)
        self.assertEqual(len(payments), 2)
        several = payments.filtered('ksef_collective_id')
        self.assertEqual(several.ksef_collective_id.invoice_count, 2)
        self.follow_task(several.ksef_collective_id)
        self.assertEqual(several.memo, several.ksef_collective_id.number)
        self.assertIn(bills[2].ksef_received_number, (payments - several).memo)

    # ------------------------------------------------------------------ transfer titles

    def test_titles(self):
        """One bill, and bills that are paid apart: the KSeF number stands in the title, however the bill came to Odoo."""
        bills = self.bills('goods', 'rates')
        bills[0].payment_reference = "FV 7"  # entered by hand, linked later
        self.assertEqual(self.wizard(bills[0]).communication, f"FV 7 {bills[0].ksef_received_number}")
        payments = self.pay(bills, group_payment=False)
        self.assertEqual(sorted(payments.mapped('memo')), sorted(
            f"{title} {bill.ksef_received_number}" for title, bill in zip(["FV 7", bills[1].ref], bills, strict=True)))
        other = self.bills('services')
        other.payment_reference = "F" * 120
        self.assertEqual(self.wizard(other).communication, other.ksef_received_number, "140 characters are all that a transfer takes")
        plain = self.env['account.move'].create({
            'move_type': 'in_invoice', 'partner_id': other.partner_id.id, 'ref': "Z/1", 'invoice_date': fields.Date.today(),
            'invoice_line_ids': [Command.create({'name': "Znaczki", 'price_unit': 10, 'tax_ids': []})]})
        plain.action_post()
        self.assertEqual(self.wizard(plain).communication, "Z/1")
        sold = self.make_invoice()
        self.assertEqual(self.wizard(sold).communication, sold.payment_reference)

    def test_long_title(self):
        """Many KSeF numbers don't fit a transfer: the window says so, until the identifier is chosen."""
        bills = self.bills(*['goods'] * 4)
        form = self.wizard(bills)
        form.group_payment = True
        self.assertTrue(form.ksef_is_title_too_long)
        form.ksef_use_collective = True
        self.assertFalse(form.ksef_is_title_too_long)

    # ------------------------------------------------------------------ refusals

    def test_refusals(self):
        """Several sellers, a bill without a number, one bill, no bill, too many, not connected: a sentence for each."""
        goods, rates, services = self.bills('goods'), self.bills('rates'), self.bills('services')
        plain = goods.copy({'ref': "Z/2", 'invoice_date': goods.invoice_date})
        self.connection.sudo().collective_most = 3
        more = self.bills('goods', 'goods')
        for moves, sentence in (
            (goods | services, "of one seller.*5260001246.*7790003515"), (goods | plain, "no KSeF number.*Z/2"),
            (goods, "two bills or more"), (goods | self.make_invoice(), "vendor bills"), (self.env['account.move'], "vendor bills"),
            (goods | rates | more, "at most 3.*these are 4"),
        ):
            with self.subTest(sentence=sentence), self.assertRaisesRegex(UserError, sentence):
                moves.action_ksef_collective()
        plain.action_post()
        form = self.wizard(goods | rates | plain)
        form.group_payment = form.ksef_use_collective = True
        self.assertIn("Z/2", form.ksef_collective_problem)
        with self.assertRaisesRegex(UserError, "Z/2"):
            form.save()._create_payments()
        form = self.wizard(goods | plain)
        form.group_payment = True
        self.assertFalse(form.ksef_offers_collective, "one number is no reason for an identifier")
        self.assertIn(goods.ksef_received_number, form.communication)
        number, received = goods.ksef_received_number, goods.sudo().ksef_received_ids
        received.write({'environment': 'production', 'invoice_number': "P/1"})
        with self.assertRaisesRegex(UserError, "another environment.*P/1"):
            (goods | rates).action_ksef_collective()
        self.assertIn(number, self.wizard(goods).communication)
        goods.payment_reference = "P/1"
        received.environment = 'demo'
        self.assertEqual(self.wizard(goods).communication, "P/1", "a number of another trial is none")
        self.connection.action_disconnect()
        with self.assertRaisesRegex(UserError, "not connected"):
            (more | rates).action_ksef_collective()
        self.assertFalse(self.env['ksef.collective'].search([]))

    def test_ksef_refuses(self):
        """KSeF knows an invoice no more, or takes fewer: the reason is shown, the asker gets an activity, asking again works."""
        bills = self.bills('goods', 'rates')
        self.sandbox.fault(GENERATE, 'http_error', status=400, code=71002)
        payment = self.pay(bills, ksef_use_collective=True)
        memo, collective = payment.memo, payment.ksef_collective_id
        with mute_logger(WORKER_LOGGER):
            self.follow_task(collective)
        self.assertEqual((collective.state, payment.memo), ('failed', memo))
        self.assertIn("71002", collective.problem)
        self.assertEqual((payment.activity_ids.user_id, payment.ksef_collective_problem), (self.env.user, collective.problem))
        with self.assertRaisesRegex(UserError, "still waited for"):
            collective.action_cancel()
        collective.action_ask_again()
        self.follow_task(collective)
        self.assertEqual((collective.state, payment.memo, collective.problem), ('done', collective.number, False))
        with self.assertRaisesRegex(UserError, "failed or was given up"):
            collective.action_ask_again()

    def test_limit_of_ksef(self):
        """KSeF takes fewer invoices than was known: the person reads how many."""
        bills = self.bills('goods', 'rates', 'goods')
        limits = {'maxInvoiceSizeInMB': 1, 'maxInvoiceWithAttachmentSizeInMB': 3, 'maxInvoices': 10000}
        self.set_limits(onlineSession=limits, batchSession=limits, collectiveIdentifier={'maxInvoices': 2})
        collective = self.asked(bills)
        self.follow_task(collective)
        self.assertEqual(collective.state, 'failed')
        self.assertIn("at most 2 invoices", collective.problem)
        with self.assertRaisesRegex(UserError, "at most 2"):
            bills.action_ksef_collective()
        self.given(bills[:2])

    def set_limits(self, **limits):
        """Have KSeF lower the limits of the company, as its own interface for test data does."""
        headers = {'Authorization': f'Bearer {self.connection.sudo().credential_ids[:1]._get_access_token()}'}
        request = requests.Request('POST', f'{self.sandbox.url}/testdata/limits/context/session', json=limits, headers=headers)
        answer = common._super_send(requests.Session(), request.prepare(), timeout=30)
        self.assertLess(answer.status_code, 300, answer.text)

    # ------------------------------------------------------------------ nothing is lost, nothing is made twice

    def test_lost_answers(self):
        """KSeF made it and its answer was lost, or the worker died: found by its invoices. The call never arrived: made again
        after the time in which it could still show its effect, three times at most."""
        bills = self.bills('goods', 'rates', 'goods')
        self.sandbox.fault(GENERATE, 'drop_after')
        collective = self.asked(bills)
        self.follow_task(collective)
        self.assertEqual((collective.state, collective.sudo().task_id.state), ('waiting', 'calling'))
        self.assertIn("got lost", collective.hint)
        self.follow_task(collective)
        self.assertEqual((collective.state, self.generated()), ('done', 1), collective.problem)
        self.sandbox.fault(GENERATE, 'drop_before')
        collective = self.asked(bills[:2])
        self.follow_task(collective, 2)
        self.assertEqual((collective.state, self.generated()), ('waiting', 2))
        self.follow_task(collective, later=True)
        self.assertEqual((collective.state, self.generated()), ('done', 3))
        self.sandbox.fault(GENERATE, 'drop_before', times=9)
        collective = self.asked(bills[1:])
        self.follow_task(collective)
        with self.assertRaisesRegex(UserError, "two minutes"):
            collective.action_cancel()  # asked anew, KSeF would make another one
        self.follow_task(collective, 3, later=True)
        self.assertEqual((collective.state, self.generated()), ('failed', 6))
        self.assertIn("3 times", collective.problem)

    def test_restored_database(self):
        """The database forgot the identifier: asked for again, KSeF's own is taken; one with another set of invoices is not."""
        bills = self.bills('goods', 'rates', 'goods')
        wider, exact = self.given(bills), self.given(bills[:2])
        number = exact.number
        exact.sudo().unlink()
        again = self.given(bills[:2])
        self.assertEqual((again.number, self.generated()), (number, 2))
        self.assertNotEqual(wider.number, number)

    def test_crash_before_the_payment(self):
        """The number was kept and the worker died before the payment had it: the next run goes on there, without a call; and
        where another module stopped it, so does a person who tries the task again."""
        payment = self.pay(self.bills('goods', 'rates'), ksef_use_collective=True)
        collective = payment.ksef_collective_id
        collective.sudo().task_id._collective_made("5260001246-IZ202611-0123456789AB-00")
        self.assertNotEqual(payment.memo, collective.number)
        self.follow_task(collective)
        self.assertEqual((payment.memo, collective.sudo().task_id.state, self.generated()), (
            "5260001246-IZ202611-0123456789AB-00", 'done', 0))
        payment.write({'memo': "x", 'ksef_memo_before': "x"})
        collective.sudo().task_id._set_failed("another module")
        collective.sudo().task_id.sudo(False).action_retry()
        secret = KeyError("nobody's business")
        with patch.object(type(payment), '_ksef_take_identifier', side_effect=secret), mute_logger(COLLECTIVE_LOGGER):
            self.follow_task(collective)
        self.assertEqual((collective.sudo().task_id.state, collective.sudo().task_id.message), (
            'failed', "Stopped by a fault of the program; see the server's log"))
        collective.sudo().task_id.sudo(False).action_retry()
        self.follow_task(collective)
        self.assertEqual((payment.memo, self.generated()), (collective.number, 0))

    def test_given_up(self):
        """Given up by a person: the payment keeps its memo, even when KSeF's answer comes after that; asked for again on demand."""
        payment = self.pay(self.bills('goods', 'rates'), ksef_use_collective=True)
        memo, collective = payment.memo, payment.ksef_collective_id
        task = collective.sudo().task_id
        collective.action_cancel()
        self.follow_task(collective)
        self.assertEqual((collective.state, payment.memo, payment.ksef_collective_id.id), ('cancelled', memo, False))
        self.assertFalse(self.generated())
        collective.action_ask_again()
        again = collective.sudo().task_id
        self.assertNotEqual(again, task)
        collective.action_cancel()
        again._collective_made("5260001246-IZ202611-0123456789AB-00")
        self.follow_task(collective)
        self.assertEqual((collective.state, payment.memo), ('cancelled', memo))
        task.sudo(False).action_retry()
        self.follow_task(collective)
        self.assertEqual((collective.state, payment.memo), ('done', memo))

    def test_given_before(self):
        """An identifier that is there pays its bills, though the connection or the limit would give none now."""
        bills = self.bills('goods', 'rates', 'goods')
        collective = self.given(bills)
        self.connection.sudo().collective_most = 2
        self.assertEqual(self.asked(bills), collective)
        self.connection.action_disconnect()
        form = self.wizard(bills)
        form.group_payment = True
        self.assertEqual((form.ksef_use_collective, form.communication), (True, collective.number))
        self.assertFalse(form.ksef_collective_problem)
        self.assertEqual(form.save()._create_payments().memo, collective.number)

    def test_disconnected(self):
        """What is waited for when the company is disconnected ends, and says why."""
        collective = self.asked(self.bills('goods', 'rates'))
        self.connection.action_disconnect()
        self.assertEqual(collective.state, 'failed')
        self.assertIn("disconnected", collective.problem)

    # ------------------------------------------------------------------ rights and companies

    def test_rights(self):
        """Who enters bills asks and pays; who only reads sees the identifier; nobody writes it."""
        bills = self.bills('goods', 'rates')
        users = {
            name: new_test_user(
                self.env(su=True), f'iz_{name}', f'base.group_user,account.group_account_{name}', company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)])
            for name in ('readonly', 'invoice')}
        with self.assertRaises(AccessError):
            bills.with_user(users['readonly']).action_ksef_collective()
        accountant = bills.with_user(users['invoice']).with_context(allowed_company_ids=self.company.ids)
        collective = accountant._ksef_ask_collective()
        self.follow_task(collective)
        self.assertEqual(collective.state, 'done')
        seen = collective.with_user(users['readonly'])
        self.assertEqual((seen.number, set(seen.move_ids.ids)), (collective.number, set(bills.ids)))
        for user in users.values():
            with self.assertRaises(AccessError):
                collective.with_user(user).write({'number': "x"})
        with self.assertRaises(AccessError):
            seen.action_ask_again()
        context = {'allowed_company_ids': self.company.ids, 'active_model': 'account.move', 'active_ids': bills.ids}
        wizard = self.env(user=users['invoice'], context=context)['account.payment.register'].create({'group_payment': True})
        self.assertEqual(wizard._create_payments().memo, collective.number)

    def test_two_companies(self):
        """Another company neither sees the identifier nor shares one; bills of both together are refused."""
        other = self.setup_other_company(name="Druga sp. z o.o.", vat=f'PL{BUYER_NIP}', country_id=self.env.ref('base.pl').id)['company']
        self.env.user.company_ids |= other
        self.connect(other, BUYER_NIP)
        mine = self.bills('goods', 'rates')
        collective = self.given(mine)
        stranger = new_test_user(
            self.env(su=True), 'iz_obca', 'base.group_user,account.group_account_invoice', company_id=other.id,
            company_ids=[Command.set(other.ids)])
        self.assertFalse(self.env(user=stranger)['ksef.collective'].search([]))
        with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
            collective.with_user(stranger).read(['number'])
        with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
            mine.with_user(stranger).action_ksef_collective()
        for count in range(2):
            self.sandbox.admin('POST', f'/companies/{BUYER_NIP}/issue', sample='goods', number=f"OB/{count}")
        other.write({'ksef_fetch_active': True, 'ksef_fetch_mode': 'single', 'ksef_fetch_buyer': True})
        self.run_workers(3)
        rows = self.env['ksef.received'].search([('company_id', '=', other.id)]).with_context(allowed_company_ids=other.ids)
        rows.action_make_bill()
        theirs = rows.move_id
        self.assertEqual(len(theirs), 2)
        both = [self.company.id, other.id]
        with self.assertRaisesRegex(UserError, "different connections"):
            (mine[:1] | theirs[:1]).with_context(allowed_company_ids=both).action_ksef_collective()
        own = theirs._ksef_ask_collective()
        self.follow_task(own)
        self.assertEqual((own.state, own.company_id), ('done', other))
        self.assertNotEqual(own.number, collective.number)
