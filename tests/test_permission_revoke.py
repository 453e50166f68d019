"""Rights in KSeF that are taken away: from others, from this program itself, and when an answer gets lost on the way."""
import requests
from odoo.exceptions import UserError
from odoo.tests import common, tagged

from .common import OTHER_BUYER_NIP, SELLER_NIP
from .test_connect_common import Certificate
from .test_permission import KsefPermissionCommon

OPERATION = 'GET /permissions/operations/{referenceNumber}'
REVOKE = 'DELETE /permissions/common/grants/{permissionId}'


@tagged('post_install', '-at_install')
class TestPermissionRevoke(KsefPermissionCommon):

    def setUp(self):
        super().setUp()
        self.give_office()
        self.run_tasks()
        self.office = self.connection.permission_ids.filtered(lambda row: row.kind == 'entity')

    def test_revoke(self):
        """Both rights of the office go, each operation to its end; the list and the chatter say so."""
        self.sandbox.admin('DELETE', '/requests')
        self.revoke(self.office)
        self.assertFalse(self.sandbox.requests(path='/v2/permissions'), "nothing is asked in the user's request")
        self.run_tasks()
        tasks = self.connection.sudo().task_ids.filtered(lambda task: task.kind == 'revoke_permission')
        self.assertEqual((tasks.mapped('state'), len(tasks)), (['done', 'done'], 2))
        self.assertFalse(self.connection.permission_ids.filtered(lambda row: row.kind == 'entity'))
        self.assertIn("may no longer", self.connection.message_ids[0].body)
        self.assertEqual(len(self.calls('DELETE', '/common/grants/')), 2)

    def test_unanswered(self):
        """The answer was lost: KSeF's list no longer has the right, so nothing more is asked."""
        self.sandbox.fault(REVOKE, 'drop_after')
        self.revoke(self.office[0])
        self.run_tasks()
        task = self.connection.sudo().task_ids.filtered(lambda task: task.kind == 'revoke_permission')
        self.assertEqual(task.state, 'done', task.message)
        self.assertEqual(len(self.calls('DELETE', '/common/grants/')), 1)

    def test_gone_already(self):
        """Somebody was quicker, in the taxpayer application."""
        for row in self.office:
            access = self.env['ksef.credential']._next_login(self.connection)._get_access_token()
            self.delete_elsewhere(row.ksef_id, access)
        self.revoke(self.office)
        self.run_tasks()
        tasks = self.connection.sudo().task_ids.filtered(lambda task: task.kind == 'revoke_permission')
        self.assertEqual(set(tasks.mapped('state')), {'done'})
        self.assertEqual(len(self.calls('DELETE', '/common/grants/')), 2, "only those of the other program")

    def delete_elsewhere(self, identifier, access):
        request = requests.Request(
            'DELETE', f'{self.sandbox.url}/permissions/common/grants/{identifier}', headers={'Authorization': f'Bearer {access}'})
        assert common._super_send(requests.Session(), request.prepare(), timeout=30).status_code < 300

    def test_refused(self):
        self.sandbox.fault('*', 'operation_status', code=420)
        self.revoke(self.office[0])
        self.run_tasks()
        task = self.connection.sudo().task_ids.filtered(lambda task: task.kind == 'revoke_permission')
        self.assertEqual(task.state, 'failed')
        self.assertIn("420", task.message)
        self.listed()
        self.assertEqual(len(self.connection.permission_ids.filtered(lambda row: row.kind == 'entity')), 2)

    def test_foreign_token(self):
        """A token of another program is revoked like a right, and leaves the list."""
        self.sandbox.token(permissions=['InvoiceRead'])
        token = self.listed().filtered(lambda row: row.kind == 'token')
        self.revoke(token)
        self.run_tasks()
        self.assertFalse(self.connection.permission_ids.filtered(lambda row: row.kind == 'token' and row.state == 'active'))
        self.assertEqual(self.connection.state, 'connected')

    def test_list_changed_meanwhile(self):
        action = self.office.action_revoke()
        wizard = self.env['ksef.permission.revoke'].with_context(**action['context']).create({})
        self.listed()
        with self.assertRaisesRegex(UserError, "changed meanwhile"):
            wizard.action_revoke()

    def test_own_rights(self):
        """A person who logs in for the company gives up an own right: told apart, asked twice, and looked at afterwards."""
        scopes = ('InvoiceRead', 'InvoiceWrite', 'CredentialsManage')
        self.make_test_data('permissions', contextIdentifier={'type': 'Nip', 'value': SELLER_NIP},
                       authorizedIdentifier={'type': 'Nip', 'value': OTHER_BUYER_NIP},
                       permissions=[{'permissionType': scope, 'description': "Pracownik firmy"} for scope in scopes])
        self.connection.action_disconnect()
        self.connect_by_certificate(Certificate(OTHER_BUYER_NIP, person=True))
        self.run_workers()
        self.assertEqual(self.connection.state, 'connected', self.connection.status_message)
        own = self.listed().filtered('is_own')
        self.assertEqual(set(own.mapped('scopes')), set(scopes))
        issuing = own.filtered(lambda row: row.scopes == 'InvoiceWrite')
        with self.assertRaisesRegex(UserError, "this program works with"):
            self.revoke(issuing)
        self.assertFalse(self.calls('DELETE', '/common/grants/'))
        self.assertTrue(self.revoke(issuing, knows_consequences=True).has_own)
        self.run_tasks()
        self.run_workers(2)
        self.assertEqual(self.connection.state, 'attention', "the program may no longer issue")
        self.assertIn("wystawianie faktur", self.connection.status_message)

    def test_last_own_right(self):
        """Who gives up managing rights may not even ask how that ended; the task still comes to its end."""
        self.make_test_data('permissions', contextIdentifier={'type': 'Nip', 'value': SELLER_NIP},
                       authorizedIdentifier={'type': 'Nip', 'value': OTHER_BUYER_NIP},
                       permissions=[{'permissionType': scope, 'description': "Pracownik firmy"}
                                    for scope in ('InvoiceRead', 'InvoiceWrite', 'CredentialsManage')])
        self.connection.action_disconnect()
        self.connect_by_certificate(Certificate(OTHER_BUYER_NIP, person=True))
        self.run_workers()
        managing = self.listed().filtered(lambda row: row.is_own and row.scopes == 'CredentialsManage')
        self.sandbox.fault(OPERATION, 'http_error', status=403)
        self.revoke(managing, knows_consequences=True)
        self.run_tasks()
        task = self.connection.sudo().task_ids.filtered(lambda task: task.kind == 'revoke_permission')
        self.assertEqual(task.state, 'done', task.message)
        self.run_workers(2)
        self.run_tasks()
        self.assertEqual(self.connection.state, 'connected', "issuing and fetching go on")
        self.assertTrue(self.connection.permissions_partial)
