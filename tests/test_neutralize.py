"""A neutralised copy of a database cannot act at KSeF in the company's name (design: secrets)."""
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .common import KsefSandboxCommon


@tagged('post_install', '-at_install')
class TestNeutralize(KsefSandboxCommon):

    def setUp(self):
        super().setUp()
        self.connection = self.connect()
        self.document = self.send()
        self.env['ksef.connect'].create({'company_id': self.company.id, 'token': self.sandbox.token()})
        self.waiting = self.make_invoice()._ksef_pick()

    def neutralize(self):
        """What ``odoo neutralize`` runs of this addon."""
        self.env.flush_all()
        for query in get_neutralization_queries(['l10n_pl_ksef']):
            self.env.cr.execute(query)
        self.env.invalidate_all()

    def count_secrets(self):
        """Rows that hold anything in a column that nobody may read, in any table of the addon."""
        self.env.flush_all()
        columns = [
            (model._table, name) for model in self.env.registry.values()
            if model._name.startswith('ksef.') and not model._abstract
            for name, field in model._fields.items() if field.groups == NO_ACCESS and field.store]
        self.assertGreater(len(columns), 8)
        counts = {}
        for table, column in columns:
            self.env.cr.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}" IS NOT NULL')
            [counts[table, column]] = self.env.cr.fetchone()
        return counts

    def test_no_secret_is_left(self):
        before = self.count_secrets()
        for column in (
            ('ksef_credential', 'secret'), ('ksef_credential', 'access_secret'), ('ksef_session', 'secret_key'),
            ('ksef_session', 'secret_iv'), ('ksef_connect', 'token_secret'),
        ):
            self.assertTrue(before[column], column)
        self.neutralize()
        self.assertFalse({column: count for column, count in self.count_secrets().items() if count})

    def test_nothing_goes_online(self):
        self.neutralize()
        self.assertEqual(self.connection.state, 'neutralised')
        self.assertFalse(self.connection.permissions)
        asked = len(self.sandbox.requests())
        self.run_workers(2)
        self.assertEqual(len(self.sandbox.requests()), asked)
        self.assertEqual(self.waiting.sudo().state, 'queued')
        self.assertEqual(self.connection.state, 'neutralised')
        with self.assertRaisesRegex(UserError, "not connected to KSeF"):
            self.make_invoice()._ksef_pick()

    def test_what_was_sent_stays(self):
        """Documents are not relabelled: they keep their environment, numbers and bytes."""
        kept = ('state', 'environment', 'ksef_number', 'reference_number', 'xml', 'upo', 'connection_id')
        before = self.document.read(kept)
        self.neutralize()
        self.assertEqual(self.document.read(kept), before)
        self.assertEqual(self.document.state, 'accepted')
        self.assertEqual((self.connection.environment, self.connection.local_url), ('local', self.sandbox.url))
        self.assertEqual(self.company.ksef_connection_id, self.connection)

    def test_twice(self):
        self.neutralize()
        self.neutralize()
        self.assertEqual(self.connection.state, 'neutralised')
