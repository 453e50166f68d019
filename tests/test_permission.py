"""Who may do what in KSeF: the list as KSeF gives it, rights that are given and taken, and answers that get lost on the way."""
import threading
import time
from datetime import timedelta

import requests
from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, common, new_test_user, tagged
from odoo.tools import mute_logger

from .common import BUYER_NIP, OTHER_BUYER_NIP, SELLER_NIP
from .test_connect_certificate import KsefCertificateCommon
from .test_connect_common import Certificate

ENTITY_GRANT = 'POST /permissions/entities/grants'
PERSON_GRANT = 'POST /permissions/persons/grants'
PESEL = '44051401359'


class KsefPermissionCommon(KsefCertificateCommon):
    """A company that is connected with its seal, which is the owner and may manage rights."""

    def setUp(self):
        super().setUp()
        self.connection = self.connect_by_certificate(Certificate(SELLER_NIP))
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected', self.connection.status_message)

    def run_tasks(self, rounds=6):
        """Let the workers go on until no task is open; return the newest one that was there at the beginning."""
        newest = self.newest_task()
        for _round in range(rounds):
            waiting = self.connection.sudo().task_ids.filtered('due_at')
            if not waiting:
                break
            waiting.due_at = fields.Datetime.now()
            self.run_workers()
        return newest

    def newest_task(self):
        return self.connection.sudo().task_ids.sorted('id')[-1:]

    def listed(self):
        """Ask KSeF and return what it lists."""
        self.connection.action_list_permissions()
        task = self.run_tasks()
        self.assertEqual(task.state, 'done', task.message)
        return self.connection.permission_ids

    def make_test_data(self, path, **json):
        self.sandbox_api('POST', f'/testdata/{path}', json)

    def sandbox_api(self, method, path, json):
        """Call the sandbox's own test data, which KSeF offers in its TEST environment."""
        answer = common._super_send(
            requests.Session(), requests.Request(method, self.sandbox.url + path, json=json).prepare(), timeout=30)
        assert answer.status_code < 300, answer.text

    def calls(self, method, path):
        return [call for call in self.sandbox.requests(method) if call['path'].startswith(f'/v2/permissions{path}')]

    def give_office(self, nip=BUYER_NIP, **values):
        """Fill in the wizard as a person does and click “Give”; return the task."""
        action = self.connection.action_give_office()
        with Form(self.env['ksef.permission.grant'].with_context(**action['context'])) as form:
            form.office_nip, form.name = nip, "Biuro rachunkowe Liczydło"
            for name, value in values.items():
                setattr(form, name, value)
        form.record.action_give()
        return self.newest_task()

    def give_person(self, **values):
        action = self.connection.action_give_person()
        with Form(self.env['ksef.permission.grant'].with_context(**action['context'])) as form:
            form.first_name, form.last_name, form.identifier = "Anna", "Księgowa", PESEL
            for name, value in values.items():
                setattr(form, name, value)
        form.record.action_give()
        return self.newest_task()

    def revoke(self, permissions, **values):
        action = permissions.action_revoke()
        wizard = self.env['ksef.permission.revoke'].with_context(**action['context']).create(values)
        wizard.action_revoke()
        return wizard


@tagged('post_install', '-at_install')
class TestPermissionList(KsefPermissionCommon):

    def test_list(self):
        """Persons, companies and tokens with readable rights, replaced as a whole, with the time of asking."""
        self.sandbox.token(permissions=['InvoiceRead'])
        self.give_office(can_delegate=True)
        self.give_person(can_write=False, can_manage_rights=True)
        self.run_tasks()
        self.sandbox.admin('DELETE', '/requests')
        self.connection.action_list_permissions()
        self.assertFalse(self.sandbox.requests(path='/v2/permissions'))
        before = fields.Datetime.now() - timedelta(seconds=1)
        self.run_tasks()
        self.assertGreaterEqual(self.connection.permissions_at, before)
        self.assertFalse(self.connection.permissions_partial)
        rows = self.connection.permission_ids
        owner = rows.filtered(lambda row: row.kind == 'owner')
        self.assertTrue(owner.is_own)
        self.assertFalse(owner.can_revoke)
        self.assertIn("managing rights", owner.rights)
        office = rows.filtered(lambda row: row.kind == 'entity')
        self.assertEqual(set(office.mapped('holder')), {"Biuro rachunkowe Liczydło"})
        self.assertEqual(set(office.mapped('holder_identifier')), {f"NIP {BUYER_NIP}"})
        self.assertEqual(set(office.mapped('scopes')), {'InvoiceRead', 'InvoiceWrite'})
        self.assertEqual((set(office.mapped('can_delegate')), set(office.mapped('state'))), ({True}, {'active'}))
        self.assertEqual(set(office.mapped('granted_by')), {f"NIP {SELLER_NIP}"})
        self.assertEqual(set(office.mapped('way')), {'direct'})
        person = rows.filtered(lambda row: row.kind == 'person')
        self.assertEqual(set(person.mapped('holder')), {"Anna Księgowa"})
        self.assertEqual(set(person.mapped('holder_identifier')), {"PESEL *******1359"})
        self.assertEqual(set(person.mapped('rights')), {
            "access to invoices (dostęp do faktur)", "managing rights (zarządzanie uprawnieniami)"})
        token = rows.filtered(lambda row: row.kind == 'token')
        self.assertEqual((token.scopes, token.state, token.is_own), ('InvoiceRead', 'active', False))
        first = rows.ids
        self.listed()
        self.assertFalse(set(first) & set(self.connection.permission_ids.ids), "replaced as a whole")
        self.assertEqual(len(self.connection.permission_ids), len(first))

    def test_pages_to_the_end(self):
        """More than one page of 100 is read."""
        for number in range(130):
            self.make_test_data('permissions', contextIdentifier={'type': 'Nip', 'value': SELLER_NIP},
                           authorizedIdentifier={'type': 'Fingerprint', 'value': f'{number:064X}'},
                           permissions=[{'permissionType': 'InvoiceRead', 'description': "Seria osób"}])
        rows = self.listed().filtered(lambda row: row.kind == 'person')
        self.assertEqual(len(rows), 130)
        self.assertEqual(set(rows.mapped('granted_by')), {"KSeF itself (for example by the form ZAW-FA)"})

    def test_failed_question_leaves_the_list(self):
        """A list that can't be read to its end replaces nothing."""
        self.give_office()
        self.run_tasks()
        known, at = self.connection.permission_ids.ids, self.connection.permissions_at
        self.sandbox.fault('POST /permissions/query/authorizations/grants', 'http_error', status=500, times=1)
        self.connection.action_list_permissions()
        self.run_tasks(1)
        self.assertEqual((self.connection.permission_ids.ids, self.connection.permissions_at), (known, at))
        self.run_tasks()
        self.assertNotEqual(self.connection.permission_ids.ids, known)

    def test_blocked_is_not_partial(self):
        """A prohibition that concerns everything is told, and not taken for a right that is missing."""
        rows = self.listed()
        self.sandbox.fault('POST /permissions/query/persons/grants', 'http_error', status=403, reasonCode='ip-not-allowed', times=1)
        self.connection.action_list_permissions()
        task = self.run_tasks()
        self.assertEqual(task.state, 'failed')
        self.assertFalse(self.connection.permissions_partial)
        self.assertEqual(self.connection.permission_ids, rows)

    def test_token_sees_its_own(self):
        """A token that may not see the rights of others: its own are shown, and what the whole list needs is said."""
        self.connection.action_disconnect()
        connection = self.connect()
        self.assertEqual(connection, self.connection)
        rows = self.listed()
        self.assertTrue(connection.permissions_partial)
        self.assertEqual(set(rows.mapped('kind')), {'owner', 'token'})
        self.assertTrue(rows.filtered(lambda row: row.kind == 'token').is_own)
        with self.assertRaisesRegex(UserError, "may not manage rights"):
            connection.action_give_office()

    def test_what_others_gave(self):
        """What another company let this one do stands in the list and can't be taken away from here."""
        other = self._create_company(name="Inna sp. z o.o.", vat=f'PL{BUYER_NIP}', country_id=self.env.ref('base.pl').id)
        self.env.user.company_ids |= other
        mine, self.connection = self.connection, self.env['ksef.connection'].browse(
            self.new_certificate_wizard(Certificate(BUYER_NIP), company_id=other.id).action_connect()['res_id'])
        self.run_workers()
        self.give_office(SELLER_NIP)
        self.run_tasks()
        self.connection = mine
        received = self.listed().filtered(lambda row: row.kind == 'received')
        self.assertEqual(set(received.mapped('holder')), {f"NIP {BUYER_NIP}"})
        with self.assertRaisesRegex(UserError, "cannot be taken away"):
            received.action_revoke()

    def test_rights(self):
        """None of it without the right to manage KSeF, and nothing of another company."""
        self.give_office()
        self.run_tasks()
        accountant = new_test_user(
            self.env(su=True), 'ksiegowa8', 'account.group_account_invoice,l10n_pl_ksef.group_ksef_send',
            company_id=self.company.id, company_ids=self.company.ids)
        connection = self.connection.with_user(accountant)
        for verb in ('action_list_permissions', 'action_open_permissions', 'action_give_office', 'action_give_person'):
            with self.subTest(verb=verb), self.assertRaises(AccessError):
                getattr(connection, verb)()
        with self.assertRaises(AccessError):
            self.connection.permission_ids.with_user(accountant).action_revoke()
        with self.assertRaises(AccessError):
            self.connection.permission_ids.with_user(accountant).mapped('holder')
        other = self._create_company(name="Inna sp. z o.o.", country_id=self.env.ref('base.pl').id)
        stranger = new_test_user(
            self.env(su=True), 'kierownik8', 'account.group_account_manager', company_id=other.id, company_ids=other.ids)
        self.assertFalse(self.env['ksef.permission'].with_user(stranger).search([]))
        with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_rule'):
            self.connection.permission_ids[0].with_user(stranger).action_revoke()
        for values in ({'holder': "x"}, {'state': 'active'}):
            with self.assertRaises(AccessError), mute_logger('odoo.addons.base.models.ir_model'):
                self.connection.permission_ids[0].with_user(self.env.ref('base.user_admin')).write(values)


@tagged('post_install', '-at_install')
class TestPermissionGrant(KsefPermissionCommon):

    def test_office(self):
        """The wizard: intent, one call, its operation to the end, the list anew, a line in the chatter; the office can then issue."""
        task = self.give_office(can_delegate=True)
        self.assertFalse(self.calls('POST', '/entities/grants'), "nothing is asked in the user's request")
        self.run_tasks()
        self.assertEqual(task.state, 'done', task.message)
        self.assertTrue(task.reference_number)
        self.assertEqual(task.subject, f"Biuro rachunkowe Liczydło (NIP {BUYER_NIP})")
        self.assertEqual(len(self.calls('POST', '/entities/grants')), 1)
        self.assertIn("Biuro rachunkowe Liczydło", self.connection.message_ids[0].body)
        self.assertEqual(self.connection.message_ids[0].author_id, self.env.user.partner_id)
        self.assertEqual(len(self.connection.permission_ids.filtered(lambda row: row.kind == 'entity')), 2)
        self.give_office(can_delegate=True)
        self.run_tasks()
        self.assertEqual(len(self.calls('POST', '/entities/grants')), 1, "who has a right is not given it again")

    def test_wrong_input(self):
        """Each wrong entry has its sentence, and nothing is asked."""
        wizards = self.env['ksef.permission.grant']
        base = {'connection_id': self.connection.id, 'name': "Biuro rachunkowe", 'office_nip': BUYER_NIP}
        person = {'holder': 'person', 'first_name': "Anna", 'last_name': "Księgowa", 'identifier': PESEL}
        fingerprint = person | {'identifier_type': 'Fingerprint', 'identifier': 'A1' * 32}
        for values, message in (
            ({'office_nip': '5261040827'}, "not a valid NIP"), ({'office_nip': '١٢٣٤٥٦٧٨٩٠'}, "not a valid NIP"),
            ({'office_nip': SELLER_NIP}, "own NIP"), ({'office_nip': f'PL {SELLER_NIP}'}, "own NIP"), ({'office_nip': ' '}, "whom"),
            ({'name': "AB"}, "5 to 90"), ({'description': "x"}, "5 to 256"), ({'can_read': False, 'can_write': False}, "at least one"),
            (person | {'identifier': '44051401358'}, "not a valid PESEL"), (person | {'first_name': "A"}, "2 to 30"),
            (fingerprint | {'identifier': 'A1' * 31}, "64 hexadecimal"), (fingerprint, "PESEL or NIP of the person"),
            (fingerprint | {'person_identifier': '44051401358'}, "not a valid PESEL"),
            (fingerprint | {'person_is_known_by': 'document'}, "date of birth"),
        ):
            with self.subTest(values=values), self.assertRaisesRegex(UserError, message):
                wizards.create(base | values).action_give()
        self.assertFalse(self.connection.sudo().task_ids)

    def test_person_by_fingerprint(self):
        self.give_person(
            identifier_type='Fingerprint', identifier='a1 ' * 32, person_is_known_by='document', birth_date='1980-02-29',
            document_type="Passport", document_number="AB1234567", document_country_id=self.env.ref('base.de'))
        task = self.run_tasks()
        self.assertEqual(task.state, 'done', task.message)
        rows = self.connection.permission_ids.filtered(lambda row: row.kind == 'person')
        self.assertEqual(set(rows.mapped('holder_identifier')), {"certificate " + 'A1' * 32})
        self.assertNotIn("AB1234567", str(task.sudo().parameters), "personal data go when they have served")

    def test_unanswered_call_is_looked_for(self):
        """KSeF did it but its answer was lost: the list says so, and the call is not repeated."""
        self.sandbox.fault(ENTITY_GRANT, 'drop_after')
        task = self.give_office()
        self.run_tasks(1)
        self.assertEqual(task.state, 'calling')
        self.run_tasks()
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(len(self.calls('POST', '/entities/grants')), 1)

    def test_lost_call_is_repeated_after_the_grace(self):
        """It never arrived: nothing is repeated while KSeF may still show it, then it is."""
        self.sandbox.fault(PERSON_GRANT, 'drop_before')
        task = self.give_person()
        self.run_tasks(4)
        self.assertEqual((task.state, len(self.calls('POST', '/persons/grants'))), ('calling', 1))
        task.called_at = fields.Datetime.now() - timedelta(hours=1)
        self.run_tasks()
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(len(self.calls('POST', '/persons/grants')), 2)

    def test_limit_of_calls(self):
        """429: certainly not done, so it is asked for again without waiting for a trace."""
        self.sandbox.fault(ENTITY_GRANT, 'http_error', status=429, retryAfter=1)
        task = self.give_office()
        self.run_tasks(1)
        self.assertEqual((task.state, task.attempts), ('asked', 0))
        self.run_tasks()
        self.assertEqual(task.state, 'done', task.message)

    def test_operation_that_takes_its_time(self):
        """The reference survives a restart: each run only asks what became of it."""
        self.sandbox.admin('POST', '/settings', processingSeconds=60)
        self.addCleanup(self.sandbox.admin, 'POST', '/settings', processingSeconds=0)
        task = self.give_office()
        self.run_tasks(3)
        self.assertEqual(task.state, 'waiting')
        self.assertGreaterEqual(len(self.calls('GET', '/operations/')), 2)
        self.assertEqual(len(self.calls('POST', '/entities/grants')), 1)
        self.assertFalse(self.connection.permission_ids)

    def test_statuses(self):
        """Each way to end badly is told with what to do and KSeF's own words; nothing was given."""
        for code, words in (
            (400, "nie"), (410, "identyfikatory"), (420, "uprawnie"), (430, "Kontekst"), (440, "niedozwolona"), (450, "niedozwolona"),
            (500, "Nieznany"), (550, "anulowana"),
        ):
            with self.subTest(code=code):
                self.sandbox.fault('*', 'operation_status', code=code)
                task = self.give_office(OTHER_BUYER_NIP)
                self.run_tasks()
                self.assertEqual(task.state, 'failed', code)
                self.assertIn(str(code), task.message)
                self.assertIn(words, task.message)
                self.assertGreater(len(task.message.splitlines()), 2, "what to do is said")
        task.action_retry()
        retried = self.run_tasks()
        self.assertEqual(retried.state, 'done', retried.message)
        self.assertEqual(retried.subject, task.subject)

    def test_without_the_right(self):
        """KSeF refuses the call itself: the coach says who has to act."""
        self.sandbox.fault(ENTITY_GRANT, 'http_error', status=403)
        task = self.give_office()
        self.run_tasks()
        self.assertEqual(task.state, 'failed')
        self.assertIn("zarządzanie uprawnieniami", task.message)

    def test_may_not_ask_how_it_ended(self):
        """KSeF took the request and doesn't say how it ended: that is told at once, and other tasks go on."""
        self.sandbox.admin('POST', '/settings', processingSeconds=60)
        self.addCleanup(self.sandbox.admin, 'POST', '/settings', processingSeconds=0)
        task = self.give_office()
        self.run_tasks(1)
        self.assertEqual(task.state, 'waiting')
        self.sandbox.fault('GET /permissions/operations/{referenceNumber}', 'http_error', status=403, times=-1)
        self.connection.action_list_permissions()
        listing = self.run_tasks(1)
        self.assertEqual(task.state, 'failed')
        self.assertIn("zarządzanie uprawnieniami", task.message)
        self.assertEqual(listing.state, 'done', listing.message)

    def test_second_call_finds_everything_done(self):
        """The second call is refused because the first one shows its effect at last: the right is there, so that is no failure."""
        self.sandbox.fault(ENTITY_GRANT, 'drop_before')
        task = self.give_office(can_delegate=False)
        self.run_tasks(1)
        self.assertEqual(task.state, 'calling')
        task.called_at = fields.Datetime.now() - timedelta(hours=1)
        self.sandbox.fault('*', 'operation_status', code=400)
        self.sandbox.fault('GET /permissions/operations/{referenceNumber}', 'delay', seconds=4)
        first_call = threading.Thread(target=self.show_first_call)
        first_call.start()
        self.run_tasks(1)
        first_call.join()
        self.assertEqual(len(self.calls('POST', '/entities/grants')), 2)
        self.assertEqual(task.state, 'done', task.message)

    def show_first_call(self):
        """As soon as the second call was made, the rights of the first one are there."""
        end = time.monotonic() + 15
        while time.monotonic() < end and len(self.calls('POST', '/entities/grants')) < 2:
            time.sleep(0.2)
        self.make_test_data('permissions', contextIdentifier={'type': 'Nip', 'value': SELLER_NIP},
                       authorizedIdentifier={'type': 'Nip', 'value': BUYER_NIP},
                       permissions=[{'permissionType': scope, 'description': "Biuro"} for scope in ('InvoiceRead', 'InvoiceWrite')])

    def test_personal_data_after_a_refusal(self):
        """Refused: neither the task nor the chatter keeps the numbers of the person, whatever KSeF repeats of them."""
        self.sandbox.fault(PERSON_GRANT, 'http_error', status=400, code=21405, detail=f"Nieprawidłowy PESEL {PESEL}.")
        task = self.give_person()
        self.run_tasks()
        self.assertEqual(task.state, 'failed')
        self.assertIn("*******1359", task.message)
        kept = "\n".join([str(task.sudo().read()), str(task.sudo().parameters), *self.connection.message_ids.mapped('body')])
        self.assertNotIn(PESEL, kept)
        with self.assertRaisesRegex(UserError, "Enter them anew"):
            task.action_retry()

    def test_document_after_a_refusal(self):
        self.sandbox.fault(PERSON_GRANT, 'http_error', status=400, code=21405, detail="AB1234567 jest nieważny od 1980-02-29.")
        task = self.give_person(
            identifier_type='Fingerprint', identifier='a1 ' * 32, person_is_known_by='document', birth_date='1980-02-29',
            document_type="Passport", document_number="AB1234567", document_country_id=self.env.ref('base.de'))
        self.run_tasks()
        self.assertEqual(task.state, 'failed')
        kept = "\n".join([str(task.sudo().read()), str(task.sudo().parameters), *self.connection.message_ids.mapped('body')])
        for secret in ("AB1234567", "1980-02-29", 'A1' * 32):
            self.assertNotIn(secret, kept)
