"""Secrets go through the real flows and must be found nowhere in plain: log, database, reading, exports, exceptions, copies.

What is searched for is known exactly: the test makes the secrets itself, or decrypts what the program has kept. Each is looked
for as it is, in hex, and in Base64 at any alignment, because files and JSON hide text that way.
"""
import base64
import contextlib
import json
import logging
import os
import re
import traceback
from unittest.mock import patch

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from odoo import Command
from odoo.exceptions import UserError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import new_test_user, tagged

from ..models.ksef_secret_box import KEY_ENVIRONMENT, SECRET_FIELDS
from .common import OPEN, SELLER_NIP
from .test_connect_common import Certificate, b64
from .test_connect_signed import KsefSignedCommon

PASSWORD = 'Żaba-w-studni-7391'
PESEL, DOCUMENT = '44051401359', 'PASZPORT-ZZ-0917'
# Shorter pieces of a secret give nothing away and might occur by chance.
PIECE = 24


def key_pieces(key):
    """The private number of an EC key, in two pieces: PEM breaks the line between them. The rest of the file is no secret."""
    number = key.private_numbers().private_value.to_bytes(32, 'big')
    return number[:12], number[12:]


def secret_pieces(plain):
    """What is secret of something that the program has encrypted: beside it may stand what everybody may know."""
    if plain.startswith('-----BEGIN'):
        return key_pieces(load_pem_private_key(plain.encode(), None))
    if plain.startswith('{'):
        return [json.loads(plain)['password']]
    if plain.startswith('PD94'):  # a signed file; its signature is planted by who made it
        return []
    return [plain.rpartition('|')[2]]


def variants(secret):
    """How a secret (bytes) looks in a text: as it is, in hex, in Base64 wherever it begins."""
    found = {secret.hex(), repr(secret)[2:-1]}
    with contextlib.suppress(UnicodeDecodeError):
        found |= {secret.decode(), json.dumps(secret.decode())[1:-1]}
    for shift in range(3):
        # What surrounds it decides about the first and last signs, so these are left out.
        core = base64.b64encode(b'\0' * shift + secret).decode()[shift and 4:].rstrip('=')[:-1]
        found |= {core, core.encode().hex(), core.replace('+', '-').replace('/', '_')}
    return {text for text in found if len(text) >= PIECE // 2 or text == PESEL}


@tagged('post_install', '-at_install')
class TestPlantedSecrets(KsefSignedCommon):

    def setUp(self):
        super().setUp()
        self.key = Fernet.generate_key().decode()
        self.env['ksef.credential'].search([]).unlink()
        self.env['ksef.session'].search([]).write({'secret_key': False, 'secret_iv': False})
        self.startPatcher(patch.dict(os.environ, {KEY_ENVIRONMENT: self.key}))
        self.env['ir.config_parameter'].sudo().search([('key', '=', 'l10n_pl_ksef.secret_key_id')]).unlink()
        self.secrets = {'key of the box': {self.key.encode()}, 'password': {PASSWORD.encode()}}
        self.said = []
        self.env.cr.execute("SELECT txid_current()")
        [self.first_xid] = self.env.cr.fetchone()
        self.messages = self.record_everything()
        self.plant_what_is_encrypted()

    def plant_what_is_encrypted(self):
        """Whatever the program encrypts while this test runs, however short it lives (a task's key, for one)."""
        encrypt = self.registry['ksef.secret.box']._encrypt

        def listen(box, plain):
            # Links stand in the log of requests; what other texts hold beside secrets is planted by name (see keep).
            if plain and not plain.startswith(('http', '{')):
                self.plant('encrypted', *secret_pieces(plain))
            return encrypt(box, plain)

        self.patch(self.registry['ksef.secret.box'], '_encrypt', listen)

    def plant(self, name, *secrets):
        """Remember secrets: long ones by two pieces, so that a part of them is found too."""
        kept = self.secrets.setdefault(name, set())
        for secret in secrets:
            content = secret if isinstance(secret, bytes) else secret.encode()
            kept.add(content if len(content) <= 2 * PIECE else content[:PIECE])
            if len(content) > 2 * PIECE:
                kept.add(content[-2 * PIECE:-PIECE])

    def refused(self, function):
        """Call what must be refused, and keep what was said."""
        try:
            with self.cr.savepoint():
                function()
        except UserError as error:
            self.said += ["".join(traceback.format_exception(error)), str(error), repr(error.args)]
            return
        self.fail("not refused")

    # ------------------------------------------------------------------ the flows

    def walk(self):
        """Every flow that a secret takes, with the mistakes that people make on the way and the faults of KSeF."""
        connection = self.walk_certificate()
        self.walk_permissions(connection)
        self.walk_takeover(connection)
        self.walk_token()
        self.walk_signed(connection)
        self.walk_tasks(connection)
        self.walk_unit()
        self.walk_invoices(connection)
        self.walk_kept(connection)
        return connection

    def walk_certificate(self):
        made = Certificate(SELLER_NIP)
        self.plant('private key', *key_pieces(made.key))
        self.plant('key file', *made.key_file(PASSWORD).decode().splitlines()[2:4])
        values = {
            'company_id': self.company.id, 'method': 'certificate', 'environment': 'local', 'local_url': self.sandbox.url,
            'certificate_file': b64(made.pem), 'certificate_filename': 'a.crt', 'key_file': b64(made.key_file(PASSWORD)),
            'key_filename': 'a.key'}
        wizard = self.wizards.create(values | {'password': PASSWORD + 'x'})
        self.refused(wizard.action_connect)
        wizard.write({'password': PASSWORD})
        open_wizard = self.wizards.create(values | {'password': PASSWORD})
        self.assertTrue(open_wizard.kept_files)
        foreign = {'certificate_file': b64(Certificate(SELLER_NIP).pem), 'password': PASSWORD}
        self.refused(self.wizards.create(values | foreign).action_connect)
        connection = self.env['ksef.connection'].browse(wizard.action_connect()['res_id'])
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)
        return connection

    def walk_token(self):
        token = self.sandbox.token()
        self.plant('token', token.split('|')[2])
        self.refused(self.new_wizard(token[:-3]).action_connect)
        self.refused(self.new_wizard(token.replace(SELLER_NIP, '5261040828')).action_connect)
        self.new_wizard(token)  # left open
        self.new_wizard(token).action_connect()
        self.sandbox.fault('POST /auth/ksef-token', 'http_error', status=500, body='exception')
        self.run_workers(3)

    def walk_signed(self, connection):
        connection.action_new_request()
        self.run_workers()
        signed = self.sign(self.request(connection))
        signature = re.search(rb'SignatureValue[^>]*>([^<]+)<', signed)[1]
        self.plant('signed file', re.sub(rb'\s', b'', signature)[:60], signature[:60])
        self.refused(lambda: self.upload(connection, signed.replace(b'Nip', b'Pin', 1)))
        self.upload(connection, signed)
        self.sandbox.fault('GET /auth/{referenceNumber}', 'http_error', status=503, body='html')
        self.run_workers(3)

    def walk_tasks(self, connection):
        if connection.state != 'connected':
            connection.action_verify()
            self.run_workers(3)
        self.assertEqual(connection.state, 'connected', connection.status_message)
        connection.action_get_certificate()
        connection.action_get_offline_certificate()
        connection.action_generate_token()
        self.sandbox.fault('POST /certificates/enrollments', 'drop_after')
        for _round in range(4):
            self.env.cr.execute("UPDATE ksef_task SET due_at = now() AT TIME ZONE 'UTC' WHERE due_at IS NOT NULL")
            self.env.invalidate_all()
            self.keep(connection)
            self.run_workers()
        self.assertIn('done', connection.task_ids.mapped('state'))

    def walk_permissions(self, connection):
        """Persons who get rights: by PESEL, by the document that their certificate doesn't name; given, and refused with KSeF's words."""
        self.plant('person', PESEL, DOCUMENT)
        person = {
            'connection_id': connection.id, 'holder': 'person', 'first_name': "Anna", 'last_name': "Księgowa", 'can_delegate': False}
        document = {
            'identifier_type': 'Fingerprint', 'identifier': 'A1' * 32, 'person_is_known_by': 'document', 'birth_date': '1980-02-29',
            'document_type': "Passport", 'document_number': DOCUMENT, 'document_country_id': self.env.ref('base.de').id}
        for is_refused in (True, False):
            for values in ({'identifier': PESEL}, document):
                if is_refused:
                    self.sandbox.fault('POST /permissions/persons/grants', 'http_error', status=400, code=21405,
                                       detail=f"Nieprawidłowe dane: {PESEL}, {DOCUMENT if values is document else ''}.")
                self.env['ksef.permission.grant'].create(person | values).action_give()
                task = connection.sudo().task_ids.sorted('id')[-1:]
                for _round in range(4):
                    task.due_at = task.due_at and task.create_date
                    self.run_workers()
                self.assertEqual(task.state, 'failed' if is_refused else 'done', task.message)

    def walk_unit(self):
        """A token whose context is a unit of the company (internalId), given to another branch by mistake first."""
        unit = f'{SELLER_NIP}-00010'
        branch = self.env['res.company'].create({'name': "Oddział", 'parent_id': self.company.id})
        token = self.sandbox.admin(
            'POST', '/tokens', nip=SELLER_NIP, permissions=['InvoiceRead', 'InvoiceWrite'], internalId=unit)['token']
        self.plant('token of a unit', token.split('|')[2])
        self.refused(self.new_wizard(token).action_connect)
        connection = self.env['ksef.connection'].browse(
            self.new_wizard(token, company_id=branch.id, is_unit=True, internal_id=unit).action_connect()['res_id'])
        self.run_workers()
        self.assertEqual(connection.state, 'connected', connection.status_message)

    def walk_takeover(self, connection):
        """The certificate that the other module's settings hold, taken over; what lies there in plain goes with its record."""
        made = Certificate(connection.nip)
        self.plant('key of the other module', *key_pieces(made.key))
        key = self.env['certificate.key'].create({
            'name': "klucz", 'content': base64.b64encode(made.key_file(None)), 'company_id': self.company.id})
        certificate = self.env['certificate.certificate'].create({
            'name': "KSeF", 'content': base64.b64encode(made.pem), 'private_key_id': key.id, 'company_id': self.company.id})
        self.company.sudo().l10n_pl_edi_certificate = certificate
        # The other module knows production and TEST only; here both programs talk to the sandbox.
        self.patch(self.registry['ksef.takeover'], '_other_environment', lambda takeover: 'local')
        self.env['ksef.takeover.wizard'].create({'company_id': self.company.id, 'takes_certificate': True}).action_take_over()
        self.run_workers()
        self.assertIn(f'{made.certificate.serial_number:X}', [
            serial.upper().lstrip('0') for serial in connection.credential_ids.mapped('certificate_serial') if serial])
        self.company.sudo().l10n_pl_edi_certificate = False
        certificate.unlink()
        key.unlink()

    def walk_invoices(self, connection):
        self.send(rounds=2)
        for action, values in (('http_error', {'status': 401, 'body': 'problem'}), ('garble', {}), ('drop_after', {})):
            self.sandbox.fault(OPEN if action == 'garble' else '*', action, **values)
            self.send(rounds=3)
        self.keep(connection)

    def walk_kept(self, connection):
        """Everything that the program has encrypted, as it really is."""
        self.keep(connection)
        self.assertGreaterEqual(set(self.secrets), {
            'ksef.credential.secret', 'ksef.credential.access_secret', 'ksef.credential.refresh_secret', 'ksef.session.secret_key',
            'session key', 'token', 'private key', 'signed file', 'ksef.connect.files_secret', 'ksef.connect.token_secret',
            'encrypted'})

    def keep(self, connection):
        box = self.env['ksef.secret.box']
        for model, names in (SECRET_FIELDS | {'ksef.connect': ('files_secret', 'token_secret')}).items():
            records = self.env[model].sudo().with_context(active_test=False).search([])
            for record in records:
                for name in names:
                    if plain := box._decrypt(record[name]):
                        self.plant(f'{model}.{name}', *secret_pieces(plain))
        for session in connection.session_ids.filtered(lambda session: session.sudo().secret_key):
            self.plant('session key', session._get_secret().key)

    # ------------------------------------------------------------------ the search

    def patterns(self, but=None):
        return {text: name for name, secrets in self.secrets.items() for secret in secrets for text in variants(secret) if name != but}

    def assert_clean(self, where, text, patterns):
        """None of the secrets stands in the text; the message names the secret and the place, and doesn't repeat it."""
        found = {patterns[match] for match in re.findall(self.expression(patterns), text)}
        self.assertFalse(found, f"in plain in {where}")

    def expression(self, patterns):
        return re.compile("|".join(re.escape(text) for text in sorted(patterns, key=len, reverse=True)))

    def tables(self):
        """Every table with its rows that this test has written, as text: all columns of all types, bytea in hex."""
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema() ORDER BY 1")
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(f'SELECT t::text FROM "{table}" t WHERE t.xmin::text::bigint >= %s', [self.first_xid % 2**32])
            for (row,) in self.env.cr.fetchall():
                yield table, row

    def assert_database_clean(self, patterns):
        tables = set()
        for table, row in self.tables():
            tables.add(table)
            self.assert_clean(table, row, patterns)
        self.assertGreaterEqual(tables, {
            'ksef_credential', 'ksef_connection', 'ksef_session', 'ksef_document', 'ksef_task', 'ksef_connect', 'mail_message',
            'account_move'})
        self.env.cr.execute("SELECT id FROM ir_attachment t WHERE t.xmin::text::bigint >= %s", [self.first_xid % 2**32])
        for attachment in self.env['ir.attachment'].sudo().browse(row[0] for row in self.env.cr.fetchall()):
            self.assert_clean("ir.attachment", (attachment.raw or b'').decode('latin-1'), patterns)

    def assert_reading_clean(self, user, patterns):
        """Every way in which a client reads any model of the addon."""
        models = [name for name, model in self.env.registry.items() if name.startswith('ksef.') and not model._abstract]
        read = 0
        for name in models:
            model = self.env[name].with_user(user).with_context(
                allowed_company_ids=self.company.ids, active_test=False, bin_size=False)
            if not model.has_access('read'):
                continue
            records = model.search([])
            names = list(model.fields_get())
            read += len(records)
            for answer in (
                records.read(), records.web_read({field: {} for field in names}), model.search_read([]), records.export_data(names),
            ):
                self.assert_clean(f"what is read of {name}", str(answer), patterns)
        self.assertGreater(read, 10)

    # ------------------------------------------------------------------ tests

    def test_nowhere_in_plain(self):
        connection = self.walk()
        patterns = self.patterns()
        self.assertGreater(len(patterns), 200)
        # The other module stores its certificate in plain itself.
        own = [text for text in self.messages.texts if not re.search(r'query: .*certificate[_.](key|certificate)\b', text, re.DOTALL)]
        self.assert_clean("the log", "\n".join(own), self.patterns(but='person'))
        # Odoo's debugging log of statements holds what is written, a person's numbers included: the intent is kept until KSeF has it.
        self.assert_clean("the log", "\n".join(text for text in own if "query: " not in text), patterns)
        self.assertGreater(len(self.messages.texts), 100, "the log was recorded")
        self.assertGreater(len(self.said), 10)
        self.assert_clean("an exception", "\n".join(self.said), patterns)
        self.assert_database_clean(patterns)
        manager = new_test_user(
            self.env, 'ksef_planted', 'base.group_user,base.group_allow_export,account.group_account_manager', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        admin = self.env.ref('base.user_admin')
        admin.sudo().write({
            'company_ids': [Command.link(self.company.id)],
            'group_ids': [Command.link(self.env.ref('base.group_allow_export').id)]})
        for user in (manager, admin):
            self.assert_reading_clean(user, patterns)
        self.assert_clean("the text for support", connection.support_text, patterns)
        self.assert_neutralised()

    def assert_neutralised(self):
        """A neutralised copy has not even the encrypted ones."""
        encrypted = set()
        for model, names in SECRET_FIELDS.items():
            records = self.env[model].sudo().with_context(active_test=False).search([])
            encrypted |= {record[name] for record in records for name in names if record[name]}
        self.assertGreater(len(encrypted), 5)
        self.env.flush_all()
        for query in get_neutralization_queries(['l10n_pl_ksef']):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        patterns = dict.fromkeys(encrypted, "an encrypted secret")
        for table, row in self.tables():
            self.assert_clean(f"{table} of a neutralised copy", row, patterns)

    def test_the_search_finds(self):
        """What is planted in the open is found, wherever and however it stands."""
        connection = self.connect()
        secret = 'Sekret-do-znalezienia-0123456789'
        self.plant('planted', secret)
        patterns = dict.fromkeys(variants(secret.encode()), 'planted')
        places = (
            ('mail_message', lambda: connection.sudo()._message_log(body=f"Oto {secret}.")),
            ('ir_config_parameter', lambda: self.env['ir.config_parameter'].sudo().set_param('a', b64(b'xy' + secret.encode() + b'z'))),
            ('ksef_task', lambda: self.env['ksef.task'].sudo().create(
                {'connection_id': connection.id, 'kind': 'list_logins', 'parameters': {'a': [secret]}})),
            ('ksef_document', lambda: self.send().write({'xml': b64(secret.encode())})),
        )
        for table, act in places:
            with self.subTest(table=table), self.assertRaisesRegex(AssertionError, f"in plain in {table}"), self.cr.savepoint():
                act()
                for name, row in self.tables():
                    self.assert_clean(name, row, patterns)
        logging.getLogger('odoo.addons.l10n_pl_ksef').debug("Oto %s", secret)
        with self.assertRaisesRegex(AssertionError, "in plain in the log"):
            self.assert_clean("the log", "\n".join(self.messages.texts), patterns)
