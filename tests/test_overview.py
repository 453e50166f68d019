"""KSeF → Overview: figures and the lists behind them, documents without an answer, background work, archive of a period."""
import base64
import csv
import io
import json
import zipfile
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.addons.mail.tests.common import MockEmail
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ksef.api import SEND_INVOICE
from ..ksef.errors import KsefRateLimitError
from ..models.ksef_run import KsefRun
from .common import KsefConnectedCommon

MINE = ('way', 'accepted', 'correct', 'unclear')


@tagged('post_install', '-at_install')
class TestOverview(KsefConnectedCommon, MockEmail):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.moves = cls.env['account.move'].union(*(
            cls.make_invoice([("Usługa", 1, price, cls.tax_23)]) for price in (100.0, 200.0, 300.0, 400.0, 500.0)))

    def put(self, move, state, connection=None, **values):
        """A document of the invoice in a state, as the code would leave it."""
        document = self.env['ksef.document'].sudo().create({
            'move_id': move.id, 'company_id': move.company_id.id, 'connection_id': (connection or self.connection).id,
            'invoice_number': move.name, 'user_id': self.env.uid, 'state': state} | values)
        move._ksef_sync()
        return document

    def overview(self, *companies):
        return self.env['ksef.overview'].with_context(
            allowed_company_ids=[company.id for company in companies or [self.company]])

    def read_figures(self, *companies):
        data = self.overview(*companies).get_ksef_overview()
        json.dumps(data)  # it goes over the wire
        return data

    def counts(self, row, period='now'):
        return {name: row['figures'][name].get(period, {}).get('count') for name in MINE}

    def test_every_figure_opens_what_it_counts(self):
        """S2-05: what a figure says is what its list shows, by state, period and company."""
        for move, state in zip(self.moves, ('accepted', 'rejected', 'queued', 'unconfirmed', 'invalid'), strict=True):
            self.put(move, state)
        old = self.put(self.make_invoice(), 'accepted')
        self.env.cr.execute(
            "UPDATE ksef_document SET create_date = create_date - interval '40 days' WHERE id = %s", [old.id])
        data = self.read_figures()
        [row] = data['companies']
        self.assertEqual(self.counts(row), {'way': 1, 'accepted': None, 'correct': 2, 'unclear': 1})
        self.assertEqual(self.counts(row, 'month'), {'way': 1, 'accepted': 1, 'correct': 2, 'unclear': 1})
        self.assertIn("123", row['figures']['accepted']['month']['amount'])
        overview = self.overview()
        for name in MINE:
            for period, cell in row['figures'][name].items():
                action = overview.open_ksef_figure(name, period, self.company.id)
                json.dumps(action)
                found = self.env['account.move'].search(action['domain'])
                self.assertEqual(len(found), cell['count'], (name, period))
        self.assertEqual(sum(day['accepted'] + day['correct'] + day['other'] for day in data['chart']), 5)
        self.assertEqual({(row['figure'], row['count']) for row in data['todo'] if row['figure'] in MINE}, {('correct', 2), ('unclear', 1)})

    def test_credit_notes_and_withdrawn_ones(self):
        """What is taken back lowers the sum; what was withdrawn is nowhere."""
        refund = self.make_invoice([("Zwrot", 1, 100.0, self.tax_23)], move_type='out_refund')
        self.put(self.moves[1], 'accepted')
        self.put(refund, 'accepted')
        self.put(self.moves[0], 'cancelled')
        cell = self.read_figures()['totals']['figures']['accepted']['today']
        self.assertEqual(cell['count'], 2)
        self.assertIn("123", cell['amount'])
        self.assertEqual(sum(self.counts(self.read_figures()['totals'])[name] or 0 for name in MINE), 0)

    def test_queries_do_not_grow_with_companies(self):
        """An office with many companies waits no longer than one with one."""
        others = self.env['res.company'].create([
            {'name': f"Biuro {number}", 'country_id': self.env.ref('base.pl').id} for number in range(4)])
        for number, company in enumerate(others):
            connection = self.env['ksef.connection'].sudo().create({
                'company_id': company.id, 'environment': 'local', 'local_url': self.sandbox.url, 'nip': self.connection.nip,
                'state': 'connected', 'internal_id': False, 'name': f"C{number}"})
            company.sudo().ksef_connection_id = connection
        self.env.user.company_ids |= others

        def queries(*companies):
            self.read_figures(*companies)  # what is cached for the whole server
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            data = self.read_figures(*companies)
            self.assertEqual(len(data['companies']), len(companies))
            return self.env.cr.sql_log_count - before

        self.assertLessEqual(queries(self.company, *others), queries(self.company))

    def test_rights(self):
        """Who may not see KSeF sees no figures; asking KSeF needs the right to send; companies are those that are chosen."""
        outsider = new_test_user(self.env, 'overview-outsider', 'base.group_user', company_id=self.company.id)
        reader = new_test_user(
            self.env, 'overview-reader', 'account.group_account_readonly,l10n_pl_ksef.group_ksef_read', company_id=self.company.id)
        overview = self.overview().with_user(outsider)
        for call in (overview.get_ksef_overview, lambda: overview.open_ksef_figure('way'), overview.action_ksef_refresh_open):
            with self.assertRaises(AccessError):
                call()
        overview = self.overview().with_user(reader)
        self.assertFalse(overview.get_ksef_overview()['can_send'])
        with self.assertRaises(AccessError):
            overview.action_ksef_refresh_open()
        stranger = self.env['res.company'].create({'name': "Obca sp. z o.o."})
        with self.assertRaises(AccessError):
            overview.open_ksef_figure('way', 'now', stranger.id)
        with self.assertRaises(AccessError):
            overview.open_ksef_figure('nothing')

    def test_statuses_of_all_open_ones(self):
        """S2-05: one click has KSeF asked about everything that is not settled."""
        waiting = self.put(self.moves[0], 'sent', reference_number='R1')
        unclear = self.put(self.moves[1], 'help', reference_number='R2')
        done = self.put(self.moves[2], 'rejected')
        self.assertEqual(self.overview().action_ksef_refresh_open(), 2)
        self.assertTrue(waiting.due_at and unclear.due_at)
        self.assertEqual(unclear.state, 'sent')
        self.assertFalse(done.due_at)

    def test_without_an_answer_for_long(self):
        """S1-09: a person is told once, in time, of what to check; an answer settles it."""
        now = fields.Datetime.now()
        late = self.put(self.moves[0], 'sent', reference_number='R1', sent_at=now - timedelta(hours=3))
        lost = self.put(self.moves[1], 'unconfirmed', claimed_at=now - timedelta(hours=3))
        self.put(self.moves[2], 'sent', reference_number='R3', sent_at=now - timedelta(hours=1))
        documents = self.env['ksef.document']
        for _time in range(2):
            documents._cron_ksef_escalate()
        activities = self.moves.activity_ids
        self.assertEqual(activities.mapped('res_id'), [late.move_id.id, lost.move_id.id])
        self.assertEqual(late.escalation_id.user_id, late.user_id)
        self.assertIn("Don't issue it again", late.escalation_id.note)
        self.assertIn("never sends it twice", lost.escalation_id.note)
        data = self.read_figures()
        self.assertEqual(data['totals']['late'], 2)
        found = self.env['account.move'].search(self.overview().open_ksef_figure('late')['domain'])
        self.assertEqual(found, self.moves[:2].sorted(found._order))
        late._transition('accepted', ksef_number='5795955811-20260601-0ABCDE-F01234-1A')
        documents._cron_ksef_escalate()
        self.assertEqual(self.moves.activity_ids, lost.escalation_id)

    def test_what_ends_is_told(self):
        """The connection's own warning (a token that the law ends soon) stands on the overview, with the way there."""
        self.env['ir.config_parameter'].sudo().set_param(
            'l10n_pl_ksef.token_end', fields.Date.to_string(self.env['account.move']._ksef_today() + timedelta(days=5)))
        self.connection.invalidate_recordset()
        [row] = [row for row in self.read_figures()['todo'] if row['connection_id']]
        self.assertEqual((row['level'], row['connection_id']), ('warning', self.connection.id))
        self.assertIn("certificates", row['text'])

    def receive(self, number, **values):
        """A received invoice, as fetching leaves it."""
        xml = b'<Faktura/>'
        return self.env['ksef.received'].sudo().create({
            'connection_id': self.connection.id, 'company_id': self.company.id, 'environment': 'local', 'state': 'stored',
            'role': 'buyer', 'roles': 'buyer', 'ksef_number': number, 'xml': base64.b64encode(xml), 'xml_size': len(xml),
            'issue_date': self.env['account.move']._ksef_today(), 'currency_code': 'PLN'} | values)

    def test_received_ones_that_failed(self):
        """A received invoice that could not be booked needs somebody as well: it is counted, and in the list."""
        rows = self.receive('1') + self.receive('2', state='failed', problem="?")
        self.receive('3', state='ignored')
        data = self.read_figures()
        self.assertEqual([row['count'] for row in data['todo'] if row['figure'] == 'received'], [2])
        self.assertEqual(data['companies'][0]['received'], 2)
        self.assertEqual(self.env['ksef.received'].search(self.overview().open_ksef_figure('received')['domain'], order='id'), rows)

    def test_batches_are_no_single_sends(self):
        """KSeF's limit for an hour counts what was sent one by one."""
        sessions = self.env['ksef.session'].sudo()
        for move, kind in zip(self.moves, ('online', 'batch', 'batch'), strict=False):
            session = sessions.create({'connection_id': self.connection.id, 'kind': kind})
            self.put(move, 'sent', session_id=session.id, sent_at=fields.Datetime.now())
        self.assertEqual([row['sends'] for row in self.read_figures()['companies']], [1])

    def test_connection_of_the_parent(self):
        """Who works in a branch alone sees that its parent's connection needs somebody, and nothing else of it."""
        branch = self.env['res.company'].create({'name': "Oddział", 'parent_id': self.company.id})
        self.env.user.company_ids |= branch
        session = self.env['ksef.session'].sudo().create({'connection_id': self.connection.id, 'kind': 'online'})
        self.put(self.moves[0], 'sent', session_id=session.id, sent_at=fields.Datetime.now())
        self.connection.sudo().write({
            'state': 'attention', 'status_message': "Tajne.", 'send_paused_until': fields.Datetime.now() + timedelta(hours=1)})
        clerk = new_test_user(self.env, 'overview-branch', 'account.group_account_invoice', company_id=branch.id)
        data = self.overview(branch).with_user(clerk).get_ksef_overview()
        [row] = data['companies']
        self.assertEqual((row['connection_id'], row['connection_state']), (False, 'attention'))
        self.assertFalse(any(row[name] for name in ('message', 'waits', 'ending', 'sends', 'fetches_left', 'fetches_allowed')))
        self.assertNotIn("Tajne", json.dumps(data))
        self.assertEqual(
            [(one['text'], one['connection_id'], one['figure']) for one in data['todo']],
            [("The connection to KSeF needs attention.", False, False)])
        [own, row] = self.read_figures(self.company, branch)['companies']
        self.assertEqual((own['connection_id'], row['connection_id']), (self.connection.id, self.connection.id))
        self.assertEqual((row['message'], row['sends']), ("Tajne.", 1))

    # ------------------------------------------------------------------ background work

    def chores(self):
        self.env['ksef.chore'].action_open()
        chores = self.env['ksef.chore'].search([('connection_id', '=', self.connection.id)])
        chores.invalidate_recordset()
        return {chore.kind: chore for chore in chores}

    def test_work_is_noted(self):
        """What the workers did for a connection stands in one place, with what is left."""
        self.send(self.moves[0])
        chore = self.chores()['send']
        self.assertTrue(chore.last_run_at)
        self.assertEqual((chore.last_done, chore.last_left, chore.waiting, chore.state), (1, 0, 0, 'idle'))
        self.assertIn("1", chore.last_result)

    def test_pause_and_go_on(self):
        """Paused by hand, nothing is sent, however often workers run; then it goes by itself, and the chatter says who."""
        chore = self.chores()['send']
        chore.action_pause()
        document = self.moves[0]._ksef_pick()
        self.env.flush_all()
        self.assertIsNone(self.env['ksef.worker']._next_connection(set())[0], "a paused connection must not keep workers busy")
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)['ksef.worker']._cron_ksef_worker()
        self.env.invalidate_all()
        self.assertEqual(document.state, 'queued')
        self.assertFalse(self.sandbox.invoices())
        self.assertEqual((self.chores()['send'].state, self.chores()['status'].state), ('paused', 'idle'))
        self.assertIn("paused by hand", self.connection.wait_message)
        self.assertNotIn("9000", self.connection.wait_message)
        with self.assertRaises(UserError):
            chore.action_run_now()
        chore.action_resume()
        self.assertFalse(self.connection.send_paused_until or self.connection.wait_message)
        self.run_workers(2)
        self.assertEqual(document.state, 'accepted')
        self.assertTrue(self.connection.message_ids.filtered(lambda message: "paused" in (message.body or '')))

    def test_pause_by_hand_outlasts_the_program(self):
        """Neither “Check again” nor KSeF's own wish for some minutes ends what a person has paused."""
        for kind in ('send', 'status'):
            self.chores()[kind].action_pause()
        self.connection.action_verify()
        self.assertEqual((self.chores()['send'].state, self.chores()['status'].state), ('paused', 'paused'))
        self.env.flush_all()
        worker = self.env['ksef.worker']
        run = KsefRun(self.env.registry, self.connection.id, 0, worker._get_settings())
        with self.enter_registry_test_mode(), patch.object(type(worker), '_end_of_day', lambda *args: fields.Datetime.now()):
            worker._pause(run, 'read_paused_until', KsefRateLimitError("wait", retry_after=5))
            self.assertFalse(worker._may_send(run, SEND_INVOICE))
        self.env.invalidate_all()
        self.assertEqual((self.chores()['send'].state, self.chores()['status'].state), ('paused', 'paused'))
        self.chores()['send'].action_resume()
        self.assertFalse(self.connection.send_paused_until)

    def test_run_now(self):
        """What is due later is due at once."""
        document = self.put(self.moves[0], 'sent', reference_number='R1', due_at=fields.Datetime.now() + timedelta(hours=1))
        chore = self.chores()['status']
        self.assertEqual((chore.waiting, chore.next_due_at), (1, document.due_at))
        chore.action_run_now()
        self.assertLessEqual(document.due_at, fields.Datetime.now())

    def test_run_now_leaves_tomorrow_alone(self):
        """An invoice dated ahead waits for its day; what is picked for today goes."""
        ahead = self.make_invoice(date=self.env['account.move']._ksef_today() + timedelta(days=3))
        later = fields.Datetime.now() + timedelta(days=2)
        waiting, other = self.put(ahead, 'picked', due_at=later), self.put(self.moves[0], 'picked', due_at=later)
        self.chores()['send'].action_run_now()
        self.assertGreater(waiting.due_at, fields.Datetime.now() + timedelta(days=1))
        self.assertLessEqual(other.due_at, fields.Datetime.now())

    def test_offline_ones_are_work_of_their_own(self):
        """What was issued offline stands in a row of its own, overdue even when KSeF has rejected it; all sending is paused together."""
        today, later = self.env['account.move']._ksef_today(), fields.Datetime.now() + timedelta(hours=1)
        owed = {'mode': 'offline24', 'issued_offline_at': fields.Datetime.now()}
        waiting = self.put(self.moves[0], 'queued', due_at=later, offline_deadline=today + timedelta(days=1), **owed)
        self.put(self.moves[1], 'rejected', offline_deadline=today - timedelta(days=2), **owed)
        plain = self.put(self.moves[2], 'queued', due_at=later)
        chores = self.chores()
        self.assertEqual((chores['offline'].waiting, chores['send'].waiting), (1, 1))
        self.assertEqual(chores['offline'].next_due_at, waiting.due_at)
        self.assertEqual([row['count'] for row in self.read_figures()['todo'] if row['figure'] in ('overdue', 'deadline')], [1, 1])
        found = self.env['account.move'].search(self.overview().open_ksef_figure('overdue')['domain'])
        self.assertEqual(found, self.moves[1])
        chores['offline'].action_pause()
        self.assertEqual({kind for kind, chore in self.chores().items() if chore.state == 'paused'}, {'offline', 'send'})
        self.chores()['send'].action_resume()
        self.chores()['offline'].action_run_now()
        self.assertLessEqual(waiting.due_at, fields.Datetime.now())
        self.assertGreater(plain.due_at, fields.Datetime.now())

    def test_mails_are_work(self):
        """Paused by hand, no e-mail leaves although its number is there; then it goes and is noted, and what is unsure is told."""
        report = self.registry['ir.actions.report']
        self.startPatcher(patch.object(
            report, '_pre_render_qweb_pdf', lambda self, ref, res_ids=None, data=None: (dict.fromkeys(res_ids, b'%PDF'), 'pdf')))
        self.startPatcher(patch.object(report, '_get_splitted_report', lambda self, ref, content, kind: content))
        self.buyer.email = 'nabywca@example.com'
        self.chores()['delivery'].action_pause()
        with self.mock_mail_gateway():
            move = self.moves[0]
            wizard = self.env['account.move.send.wizard'].with_context(active_model='account.move', active_ids=move.ids).create({})
            boxes = wizard.extra_edi_checkboxes
            wizard.extra_edi_checkboxes = boxes | {'ksef': boxes['ksef'] | {'checked': True}}
            wizard.sending_method_checkboxes = {
                key: box | {'checked': key == 'email'} for key, box in wizard.sending_method_checkboxes.items()}
            wizard.action_send_and_print()
            chore = self.chores()['delivery']
            self.assertEqual((chore.waiting, chore.state, chore.next_due_at), (1, 'paused', False))
            self.run_workers(3)
            delivery = move.ksef_delivery_ids
            self.assertEqual((delivery.state, len(self._mails)), ('ready', 0))
            self.assertIn("paused by hand", move._get_alerts()['ksef_delivery']['message'])
            self.assertIsNone(self.env['ksef.worker']._next_connection(set())[0], "a pause must not keep workers busy")
            chore.action_resume()
            self.run_workers(2)
        self.assertEqual((delivery.state, len(self._mails)), ('sent', 1))
        chores = self.chores()
        self.assertEqual((chores['delivery'].last_done, chores['delivery'].waiting, chores['delivery'].state), (1, 0, 'idle'))
        self.assertTrue(chores['upo'].last_run_at and chores['upo'].last_done, "settled in the turn in which it arose")
        delivery.sudo().state = 'unsure'
        self.assertIn("Unsure: 1, not sent: 0", self.chores()['delivery'].last_result)
        self.assertEqual([row['count'] for row in self.read_figures()['todo'] if row['figure'] == 'mails'], [1])
        self.assertEqual(self.env['ksef.delivery'].search(self.overview().open_ksef_figure('mails')['domain']), delivery)

    # ------------------------------------------------------------------ archive

    def test_archive_of_a_period(self):
        """XML, UPO and register: the bytes are KSeF's own, each line names its files, other periods stay out."""
        for move in self.moves[:2]:
            document = self.send(move, 3)
            self.assertEqual(document.state, 'accepted', document.status_description)
        archive = self.env['ksef.archive'].create({'company_id': self.company.id, 'with_received': False})
        self.assertEqual((archive.issued_count, archive.received_count), (2, 0))
        with archive._write_archive() as stream, zipfile.ZipFile(stream) as content:
            rows = list(csv.DictReader(io.StringIO(content.read('issued/register.csv').decode('utf-8-sig')), delimiter=';'))
            self.assertEqual([row["Number"] for row in rows], self.moves[:2].mapped('name'))
            for row, move in zip(rows, self.moves, strict=False):
                document = move.ksef_document_id.sudo()
                self.assertEqual(content.read(row["XML file"]), document._get_xml())
                self.assertEqual(row["SHA-256"], document.xml_hash)
                self.assertEqual(bool(row["UPO file"]), document.has_upo)
                if document.has_upo:
                    self.assertEqual(content.read(row["UPO file"]), document._get_upo())
            self.assertTrue(any(row["UPO file"] for row in rows))
            self.assertEqual([row["Gross"] for row in rows], ["123,00", "246,00"])
        self.assertEqual(archive.action_download()['url'], f'/l10n_pl_ksef/archive/{archive.id}')
        archive.write({'date_from': '2020-01-01', 'date_to': '2020-01-31'})
        with self.assertRaises(UserError):
            archive.action_download()
        archive.write({'date_from': '2020-02-01'})
        with self.assertRaises(UserError):
            archive._write_archive()
        outsider = new_test_user(self.env, 'archive-outsider', 'base.group_user', company_id=self.company.id)
        with self.assertRaises(AccessError):
            archive.with_user(outsider)._write_archive()

    def test_archive_says_what_it_holds(self):
        """The VAT that KSeF tells is in PLN, and said to be, whatever the invoice's currency; no UPO is awaited that never comes."""
        self.receive('1', currency_code='EUR', net_amount=100.0, vat_amount_pln=98.9, gross_amount=123.0)
        for move, origin in zip(self.moves, (False, 'l10n_pl_edi', 'ksef', 'register'), strict=False):
            self.put(move, 'accepted', origin=origin, ksef_number=f'N{move.id}', xml=base64.b64encode(b'<Faktura/>'),
                     issue_date=move.invoice_date)
        archive = self.env['ksef.archive'].create({'company_id': self.company.id})
        self.assertEqual((archive.issued_count, archive.missing_upo_count), (4, 2))
        with archive._write_archive() as stream, zipfile.ZipFile(stream) as content:
            [row] = csv.DictReader(io.StringIO(content.read('received/register.csv').decode('utf-8-sig')), delimiter=';')
        self.assertNotIn("Tax", row)
        self.assertEqual((row["Net"], row["Tax (PLN)"], row["Gross"], row["Currency"]), ("100,00", "98,90", "123,00", "EUR"))

    def test_archive_is_harmless(self):
        """What others wrote is no formula in a spreadsheet, and a number leads to no other folder; amounts stay amounts."""
        rows = self.receive('../../1', seller_name='-2+3', net_amount=-5.0) + self.receive('..-..-1')
        archive = self.env['ksef.archive'].create({'company_id': self.company.id})
        with archive._write_archive() as stream, zipfile.ZipFile(stream) as content:
            names = [f'______1_{rows[0].id}', f'__-__-1_{rows[1].id}']
            self.assertEqual(content.namelist(), [
                'issued/register.csv', *(f'received/xml/{name}.xml' for name in names), 'received/register.csv'])
            first = next(csv.DictReader(io.StringIO(content.read('received/register.csv').decode('utf-8-sig')), delimiter=';'))
        self.assertEqual((first["Seller"], first["Net"], first["XML file"]), ("'-2+3", "-5,00", f'received/xml/{names[0]}.xml'))
        url = rows.action_download_zip()['url']
        packed = self.env['ksef.received.archive'].browse(int(url.split('/')[4]))
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed.content))) as content:
            self.assertEqual({name for name in content.namelist() if name.endswith('.xml')}, {f'{name}.xml' for name in names})
            self.assertIn(";'-2+3;-5.0;", content.read('index.csv').decode('utf-8-sig'))
