"""Secrets (design: outside the database, readable by no group)."""
import os
import stat
import tempfile
from unittest.mock import patch

from cryptography.fernet import Fernet
from odoo import fields
from odoo.addons.l10n_pl_ksef.models.ksef_secret_box import KEY_ENVIRONMENT, KEY_FILE, KEY_ID_PARAMETER
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import config


@tagged('post_install', '-at_install')
class TestSecretBox(TransactionCase):

    def setUp(self):
        super().setUp()
        self.box = self.env['ksef.secret.box']
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for patcher in (
            patch.dict(config.options, {'data_dir': self.folder}), patch.dict(os.environ), ):
            patcher.start()
            self.addCleanup(patcher.stop)
        os.environ.pop(KEY_ENVIRONMENT, None)
        self.env['ir.config_parameter'].set_param(KEY_ID_PARAMETER, False)

    def key_path(self):
        return os.path.join(self.folder, KEY_FILE)

    def test_file_is_made_once(self):
        first = self.box._encrypt("tajne")
        self.assertEqual(stat.S_IMODE(os.stat(self.key_path()).st_mode), 0o600)
        self.assertEqual(os.listdir(self.folder), [KEY_FILE], "no temporary file stays")
        self.assertNotIn("tajne", first)
        self.assertEqual(self.box._decrypt(first), "tajne")
        self.assertNotEqual(self.box._encrypt("tajne"), first)

    def test_empty(self):
        self.assertFalse(self.box._encrypt(False))
        self.assertFalse(self.box._decrypt(False))
        self.assertFalse(os.path.exists(self.key_path()))

    def test_rotation(self):
        old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
        os.environ[KEY_ENVIRONMENT] = old
        secret = self.box._encrypt("tajne")
        os.environ[KEY_ENVIRONMENT] = f"{new}, {old}"
        self.assertEqual(self.box._decrypt(secret), "tajne")
        renewed = self.box._encrypt("tajne")
        os.environ[KEY_ENVIRONMENT] = new
        self.assertEqual(self.box._decrypt(renewed), "tajne")
        with self.assertRaises(UserError):
            self.box._decrypt(secret)

    def test_lost_key(self):
        """The database has secrets and the key is gone: said so, and no other key is made."""
        company = self.env['res.company'].create({
            'name': "Firma", 'vat': 'PL5795955811', 'country_id': self.env.ref('base.pl').id})
        self.env['ksef.connection']._connect_with_token(company, 'local', "token", 'http://127.0.0.1:9/v2')
        secret = self.box._encrypt("tajne")
        os.unlink(self.key_path())
        self.assertFalse(self.box._can_decrypt())
        for call in (lambda: self.box._decrypt(secret), lambda: self.box._encrypt("inne")):
            with self.assertRaisesRegex(UserError, "not on this server"):
                call()
        self.assertFalse(os.path.exists(self.key_path()))
        os.environ[KEY_ENVIRONMENT] = Fernet.generate_key().decode()
        with self.assertRaises(UserError):
            self.box._encrypt("inne")

    def test_empty_database_takes_any_key(self):
        """A lost key means a re-connect: once the unreadable secrets are gone, another key serves."""
        self.env['ksef.credential'].search([]).unlink()
        self.env['ksef.session'].search([]).write({'secret_key': False})
        self.box._encrypt("tajne")
        os.unlink(self.key_path())
        secret = self.box._encrypt("inne")
        self.assertEqual(self.box._decrypt(secret), "inne")
        self.assertTrue(self.box._can_decrypt())

    def test_malformed_key(self):
        os.environ[KEY_ENVIRONMENT] = "za-krótki"
        with self.assertRaisesRegex(UserError, "malformed"):
            self.box._encrypt("tajne")


@tagged('post_install', '-at_install')
class TestCredentialSecrecy(TransactionCase):

    def test_nobody_reads_secrets(self):
        """Not even the administrator, by whatever method of the ORM."""
        company = self.env['res.company'].create({'name': "Firma", 'vat': 'PL5795955811', 'country_id': self.env.ref('base.pl').id})
        admin = self.env.ref('base.user_admin')
        admin.company_ids |= company
        token = "20260101-EC-0000000000-0000000000-00|nip-5795955811|" + "ab" * 32
        connection = self.env['ksef.connection'].with_user(admin)._connect_with_token(
            company, 'local', token, 'http://127.0.0.1:9/v2')
        credential = connection.sudo().credential_ids.with_user(admin).sudo(False)
        secret_fields = [name for name, field in credential._fields.items() if field.groups == fields.NO_ACCESS]
        self.assertGreaterEqual(len(secret_fields), 8)
        for name in secret_fields:
            with self.subTest(field=name), self.assertRaises(AccessError):
                credential.read([name])
            with self.subTest(export=name), self.assertRaises(AccessError):
                credential.export_data([name])
            with self.subTest(search=name), self.assertRaises(AccessError):
                credential.search([(name, '!=', False)])
        self.assertFalse(set(secret_fields) & set(credential.fields_get()))
        self.assertNotIn("abab", str(credential.read()) + str(connection.with_user(admin).sudo(False).read()))
        self.env.flush_all()
        for table in ('ksef_credential', 'ksef_connection', 'mail_message', 'ir_config_parameter'):
            self.env.cr.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", ['%abababab%'])
            self.assertEqual(self.env.cr.fetchone(), (0,), table)
