"""What the KSeF tests stand on: a sandbox in its own process, a connected company, invoices, and workers on demand."""
import atexit
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import requests
from odoo import Command, fields
from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.tests import common
from odoo.tools.misc import file_path

ROOT = Path(__file__).resolve().parents[1]
HOST = '127.0.0.1'
SELLER_NIP = '5795955811'
BUYER_NIP = '5261040828'
OTHER_BUYER_NIP = '7740001454'
# Operations that the sandbox can be told to spoil.
SEND = 'POST /sessions/online/{referenceNumber}/invoices'
LIST = 'GET /sessions/{referenceNumber}/invoices'
STATUS = 'GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}'
OPEN = 'POST /sessions/online'
UPO = 'GET /sessions/{referenceNumber}/invoices/{invoiceReferenceNumber}/upo'
RUN_LOGGERS = (
    'odoo.addons.l10n_pl_ksef.models.ksef_worker', 'odoo.addons.l10n_pl_ksef.models.ksef_worker_send',
    'odoo.addons.l10n_pl_ksef.models.ksef_worker_poll', 'odoo.addons.l10n_pl_ksef.models.ksef_worker_login',
)


class Sandbox:
    """The sandbox in a process of its own; one for the whole run of the tests."""
    _shared = None

    def __init__(self):
        command = [
            sys.executable, '-m', 'sandbox', '--port', '0', '--host', HOST, '--processing-seconds', '0',
            '--schema', file_path('l10n_pl_edi/data/fa3_schema.xsd'),
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith('sandbox: '):
            raise AssertionError(f"the sandbox did not start: {line!r}")
        self.url = line.removeprefix('sandbox: ').strip()
        self.admin_url = self.url.removesuffix('/v2') + '/admin'
        atexit.register(self.stop)

    @classmethod
    def shared(cls):
        if cls._shared is None or cls._shared.process.poll() is not None:
            cls._shared = cls()
        return cls._shared

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def admin(self, method, path, **json):
        """Call the sandbox's own interface (not KSeF's) and return its answer."""
        answer = common._super_send(
            requests.Session(), requests.Request(method, self.admin_url + path, json=json or None).prepare(), timeout=30)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def reset(self):
        self.admin('POST', '/reset')

    def token(self, nip=SELLER_NIP, permissions=('InvoiceRead', 'InvoiceWrite')):
        return self.admin('POST', '/tokens', nip=nip, permissions=list(permissions))['token']

    def fault(self, operation, action, **parameters):
        """Have the sandbox misbehave: see sandbox/README.md for operations and actions."""
        return self.admin('POST', '/faults', operation=operation, action=action, **parameters)

    def invoices(self, nip=SELLER_NIP):
        """Every submission of the seller, accepted or not."""
        return self.admin('GET', f'/invoices?nip={nip}')

    def accepted(self, nip=SELLER_NIP):
        return [invoice for invoice in self.invoices(nip) if invoice.get('ksefNumber')]

    def requests(self, method=None, path=None):
        """What was asked of the sandbox: [{method, path, status}]."""
        rows = self.admin('GET', '/requests?limit=1000')
        return [row for row in rows if (not method or row['method'] == method) and (not path or path in row['path'])]


class KsefCommon(AccountTestInvoicingCommon):
    """A Polish company with buyers and taxes, not yet connected."""

    @classmethod
    def setup_independent_company(cls, **kwargs):
        """The company that dev/test has made beforehand (its chart takes seconds to load), else one of this class."""
        prepared = not kwargs and cls.env['res.company'].sudo().search([('name', '=', 'company_1_data')], limit=1).sudo(False)
        if not prepared:
            return super().setup_independent_company(**kwargs)
        cls.env.user.company_ids = [Command.link(prepared.id)]
        return prepared

    @classmethod
    @AccountTestInvoicingCommon.setup_country('pl')
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data['company']
        cls.company.write({
            'name': "Sprzedawca sp. z o.o.", 'vat': f'PL{SELLER_NIP}', 'street': "ul. Prosta 1", 'zip': "00-838",
            'city': "Warszawa",
        })
        cls.company.partner_id.write({'tz': 'Europe/Warsaw'})
        cls.buyer = cls.env['res.partner'].create({
            'name': "Nabywca S.A.", 'vat': f'PL{BUYER_NIP}', 'street': "ul. Długa 7", 'zip': "31-147", 'city': "Kraków",
            'country_id': cls.env.ref('base.pl').id, 'is_company': True,
        })
        cls.tax_23, cls.tax_8, cls.tax_5 = (cls.find_tax(name) for name in ('vs_dt_23', 'vs_dt_8', 'vs_dt_5'))

    @classmethod
    def find_tax(cls, template):
        """The company's tax made from this template of the Polish chart, or the one that bears its rate."""
        tax = cls.env['account.chart.template'].with_company(cls.company).ref(template, raise_if_not_found=False)
        return tax or cls.env['account.tax'].search([
            ('company_id', '=', cls.company.id), ('type_tax_use', '=', 'sale'),
            ('amount', '=', float(template.rsplit('_', 1)[1])), ('price_include_override', '!=', 'tax_included')], limit=1)

    @classmethod
    def make_invoice(cls, lines=None, post=True, partner=None, date=None, company=None, **values):
        """A customer invoice dated today in Warsaw; ``lines`` are (name, quantity, price, tax)."""
        today = cls.env['account.move']._ksef_today()
        companies = cls.company | (company or cls.company)
        move = cls.env['account.move'].with_context(allowed_company_ids=companies.ids).with_company(company or cls.company).create({
            'move_type': 'out_invoice',
            'partner_id': (partner or cls.buyer).id,
            'invoice_date': date or today,
            'invoice_line_ids': [
                Command.create({
                    'name': name, 'quantity': quantity, 'price_unit': price, 'tax_ids': [Command.set(tax.ids)],
                })
                for name, quantity, price, tax in lines or [("Usługa doradcza", 2, 100.0, cls.tax_23)]
            ],
        } | values)
        if post:
            move.action_post()
        return move


class KsefSandboxCommon(KsefCommon):
    """The company of KsefCommon, and a sandbox that is empty at the beginning of each test."""

    @classmethod
    def _request_handler(cls, s, r, /, **kw):
        # Odoo's own handler compares the time-out with a number; ours is a pair. This machine alone is let through.
        if urlsplit(r.url).hostname == HOST:
            return common._super_send(s, r, **kw)
        return super()._request_handler(s, r, **kw)

    @classmethod
    def setUpClass(cls):
        cls.sandbox = Sandbox.shared()
        super().setUpClass()
        parameters = cls.env['ir.config_parameter'].sudo()
        for name, value in {
            'poll_waits': '0', 'grace_seconds': '0', 'day_end_guard_minutes': '0', 'slice_seconds': '20', 'nap_seconds': '0',
            'read_timeout': '5',
        }.items():
            parameters.set_param(f'l10n_pl_ksef.{name}', value)

    def setUp(self):
        super().setUp()
        self.sandbox.reset()

    def connect(self, company=None, nip=SELLER_NIP, verify=True, **token):
        """Connect the company with a fresh token and have it verified."""
        connection = self.env['ksef.connection']._connect_with_token(
            company or self.company, 'local', self.sandbox.token(nip, **token), self.sandbox.url)
        if verify:
            self.run_workers()
            self.assertEqual(connection.state, 'connected', connection.status_message)
        return connection

    def run_workers(self, rounds=1):
        """Run the workers as the scheduled action does, on cursors of their own; due times that lie ahead are due now."""
        for _round in range(rounds):
            self.make_due()
            with self.enter_registry_test_mode(), self.registry.cursor() as cr:
                self.env(cr=cr)['ksef.worker']._cron_ksef_worker()
            self.env.invalidate_all()

    def make_due(self):
        """Let time pass: whatever waits for a later moment is due now."""
        self.env.flush_all()
        past = fields.Datetime.subtract(fields.Datetime.now(), seconds=1)
        for table in ('ksef_document', 'ksef_session', 'ksef_connection'):
            self.env.cr.execute(f"UPDATE {table} SET due_at = %s WHERE due_at > %s", [past, past])
        self.env.cr.execute(
            "UPDATE ksef_connection SET paused_until = NULL, send_paused_until = NULL, read_paused_until = NULL")
        self.env.invalidate_all()

    def send(self, move=None, rounds=1, **options):
        """Pick the invoice (a new one when none is given) and run the workers; return its document."""
        move = move or self.make_invoice()
        document = move._ksef_pick(**options)
        self.run_workers(rounds)
        return document.sudo()


class KsefConnectedCommon(KsefSandboxCommon):
    """The company of KsefSandboxCommon, connected to the sandbox."""

    def setUp(self):
        super().setUp()
        self.connection = self.connect()

    def assert_accepted(self, document, submissions=1):
        """The invoice is in KSeF exactly once, and Odoo knows its number."""
        self.assertEqual(document.state, 'accepted', f"{document.status_code} {document.status_description}")
        [accepted] = self.sandbox.accepted()
        self.assertEqual(document.ksef_number, accepted['ksefNumber'])
        self.assertEqual(document.xml_hash, accepted['invoiceHash'])
        self.assertEqual(document.move_id.ksef_number, accepted['ksefNumber'])
        self.assertEqual(document.move_id.ksef_letter, 'A')
        self.assertEqual(len(self.sandbox.invoices()), submissions)
