"""KSeF → Overview: figures and the lists behind them, documents without an answer, background work, archive of a period."""
import csv
import io
import json
import zipfile
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import KsefConnectedCommon

MINE = ('way', 'accepted', 'correct', 'unclear')


@tagged('post_install', '-at_install')
class TestOverview(KsefConnectedCommon):

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

    def read(self, *companies):
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
        data = self.read()
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
        cell = self.read()['totals']['figures']['accepted']['today']
        self.assertEqual(cell['count'], 2)
        self.assertIn("123", cell['amount'])
        self.assertEqual(sum(self.counts(self.read()['totals'])[name] or 0 for name in MINE), 0)

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
            self.read(*companies)  # what is cached for the whole server
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            data = self.read(*companies)
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
        data = self.read()
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
        [row] = [row for row in self.read()['todo'] if row['connection_id']]
        self.assertEqual((row['level'], row['connection_id']), ('warning', self.connection.id))
        self.assertIn("certificates", row['text'])

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

    def test_run_now(self):
        """What is due later is due at once."""
        document = self.put(self.moves[0], 'sent', reference_number='R1', due_at=fields.Datetime.now() + timedelta(hours=1))
        chore = self.chores()['status']
        self.assertEqual((chore.waiting, chore.next_due_at), (1, document.due_at))
        chore.action_run_now()
        self.assertLessEqual(document.due_at, fields.Datetime.now())

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
