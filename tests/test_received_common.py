"""What the tests of receiving stand on: a connected company that suppliers issue invoices to."""
from odoo import fields

from ..ksef.crypto import sha256_b64
from .common import SELLER_NIP, KsefConnectedCommon

METADATA = 'POST /invoices/query/metadata'
EXPORT = 'POST /invoices/exports'
EXPORT_STATUS = 'GET /invoices/exports/{referenceNumber}'
DOWNLOAD = 'GET /invoices/ksef/{ksefNumber}'
FETCH_LOGGERS = [f'odoo.addons.l10n_pl_ksef.models.{name}' for name in (
    'ksef_worker', 'ksef_worker_fetch', 'ksef_worker_fetch_export', 'ksef_worker_fetch_download', 'ksef_worker_login')]


class KsefReceivingCommon(KsefConnectedCommon):
    """A connected company that suppliers issue invoices to."""

    def setUp(self):
        super().setUp()
        self.sandbox.admin('POST', '/settings', hwmLagSeconds=0, storageLagSeconds=0)
        self.limits(fetch=1000, download=1000)

    def limits(self, **kinds):
        """What KSeF allows of each kind of call, for this test."""
        for kind, limit in kinds.items():
            for span in ('minute', 'hour'):
                self.env['ir.config_parameter'].set_param(f'l10n_pl_ksef.{kind}_calls_per_{span}', str(limit))

    def issue(self, count=1, sample='goods', **values):
        """Have a supplier issue invoices to the company; return their numbers."""
        return [self.sandbox.admin('POST', f'/companies/{SELLER_NIP}/issue', sample=sample, **values)['invoiceNumber']
                for _number in range(count)]

    def make_due(self):
        super().make_due()
        past = fields.Datetime.subtract(fields.Datetime.now(), seconds=1)
        for table in ('ksef_fetch', 'ksef_received'):
            self.env.cr.execute(f"UPDATE {table} SET due_at = %s WHERE due_at > %s", [past, past])
        self.env.cr.execute(
            "UPDATE ksef_connection SET fetch_paused_until = NULL, download_paused_until = NULL")
        self.env.invalidate_all()

    def follow(self, mode='auto', roles=('buyer',), **values):
        """Switch fetching on; return the stretches that follow KSeF."""
        self.company.write({
            f'ksef_fetch_{role}': role in roles for role in ('buyer', 'seller', 'third', 'authorised')
        } | {'ksef_fetch_active': True, 'ksef_fetch_mode': mode} | values)
        return self.env['ksef.fetch'].search([('company_id', '=', self.company.id), ('is_sync', '=', True)])

    def received(self, **domain):
        return self.env['ksef.received'].search(
            [('company_id', '=', self.company.id), *((name, '=', value) for name, value in domain.items())], order='id')

    def calls(self, operation):
        method, path = operation.split(' ')
        return len(self.sandbox.requests(method, path.partition('/{')[0].removesuffix('/')))

    def assert_complete(self, numbers):
        """Every invoice is here once, with exactly the bytes that KSeF holds."""
        rows = self.received()
        self.assertEqual(sorted(rows.mapped('invoice_number')), sorted(numbers))
        self.assertEqual(set(rows.mapped('state')), {'stored'} if numbers else set(), rows.mapped('problem'))
        for row in rows:
            self.assertEqual(sha256_b64(row._get_xml()), row.xml_hash)
            self.assertEqual(len(row._get_xml()), row.xml_size)
