import base64
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import config

KEY_ENVIRONMENT = 'KSEF_SECRET_KEYS'
KEY_OPTION = 'ksef_secret_keys'
KEY_FILE = 'l10n_pl_ksef.key'
KEY_ID_PARAMETER = 'l10n_pl_ksef.secret_key_id'
# Every column that holds something encrypted for longer than a wizard is open.
SECRET_FIELDS = {
    'ksef.credential': ('secret', 'signed_secret', 'login_secret', 'access_secret', 'refresh_secret'),
    'ksef.task': ('secret',),
    'ksef.session': ('secret_key', 'secret_iv', 'secret_uploads'),
    'ksef.document': ('upo_link',),
    'ksef.fetch': ('secret_key', 'secret_iv'),
}


class KsefSecretBox(models.AbstractModel):
    """Encrypts what must not be readable in the database: tokens, private keys, session keys.

    The key is not in the database. It is looked for, in this order, in the environment variable KSEF_SECRET_KEYS, in
    the option ``ksef_secret_keys`` of odoo.conf, and in the file ``l10n_pl_ksef.key`` of the data directory, which is
    made at first use when none of the others exists. Several keys (comma or white space between them) are accepted: the
    first encrypts, all decrypt, so that a key can be replaced. The database keeps only the key's id: where it has
    secrets and no key with that id is on this host, no other key is ever made.
    """
    _name = 'ksef.secret.box'
    _description = "KSeF secret box"

    @api.model
    def _encrypt(self, plain):
        """Return the encrypted text of ``plain`` (str), or False for an empty one."""
        if not plain:
            return False
        keys = self._get_keys(create=True)
        parameters = self.env['ir.config_parameter'].sudo()
        key_id = self._get_key_id(keys[0])
        if parameters.get_param(KEY_ID_PARAMETER) != key_id:
            parameters.set_param(KEY_ID_PARAMETER, key_id)
        return MultiFernet([Fernet(key) for key in keys]).encrypt(plain.encode()).decode()

    @api.model
    def _decrypt(self, encrypted):
        """Return the plain text, or False for an empty value.

        :raise UserError: no key on this host opens it; the remedy is to bring the key or to connect again.
        """
        if not encrypted:
            return False
        keys = self._get_keys()
        try:
            return MultiFernet([Fernet(key) for key in keys]).decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise UserError(self._missing_key_message()) from None

    @api.model
    def _can_decrypt(self):
        """Whether this host has the key of this database (or the database has no secret yet)."""
        key_id = self.env['ir.config_parameter'].sudo().get_param(KEY_ID_PARAMETER)
        return not key_id or key_id in map(self._get_key_id, self._read_keys())

    @api.model
    def _get_keys(self, create=False):
        keys = self._read_keys()
        key_id = self.env['ir.config_parameter'].sudo().get_param(KEY_ID_PARAMETER)
        if key_id and key_id not in map(self._get_key_id, keys) and not (create and self._is_empty()):
            raise UserError(self._missing_key_message())
        if not keys and create:
            keys = [self._create_key_file()]
        if not keys:
            raise UserError(self._missing_key_message())
        return keys

    @api.model
    def _is_empty(self):
        """Whether the database holds no secret (any more), so that any key will do."""
        for model, names in SECRET_FIELDS.items():
            domain = Domain.OR(Domain(name, '!=', False) for name in names)
            if self.env[model].sudo().with_context(active_test=False).search_count(domain, limit=1):
                return False
        return True

    @api.model
    def _read_keys(self):
        """The keys of this host, the encrypting one first."""
        text = os.environ.get(KEY_ENVIRONMENT) or config.get(KEY_OPTION) or ''
        if not text:
            try:
                text = self._key_path().read_text(encoding='ascii')
            except FileNotFoundError:
                return []
            except OSError as error:
                raise UserError(self.env._(
                    "The file with the KSeF encryption key cannot be read (%(error)s). Ask the administrator of the server to "
                    "give Odoo access to it: %(path)s",
                    error=error.strerror, path=str(self._key_path()),
                )) from None
        keys = [key.encode() for key in text.replace(',', ' ').split()]
        for key in keys:
            self._check_key(key)
        return keys

    @api.model
    def _check_key(self, key):
        try:
            Fernet(key)
        except ValueError:
            raise UserError(self.env._(
                "The KSeF encryption key of this server is malformed: it must be 32 bytes in URL-safe Base64, as made by "
                "cryptography.fernet.Fernet.generate_key(). Ask the administrator of the server to restore it.",
            )) from None

    @api.model
    def _key_path(self):
        return Path(config['data_dir']) / KEY_FILE

    @api.model
    def _create_key_file(self):
        """Make the key file with mode 0600; when another process was quicker, take its key."""
        path = self._key_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        # A link appears whole or not at all: nobody can read a key that is half written.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{KEY_FILE}.')
        try:
            with os.fdopen(handle, 'wb') as stream:
                stream.write(Fernet.generate_key())
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            os.unlink(temporary)
        return self._read_keys()[0]

    @api.model
    def _get_key_id(self, key):
        return hashlib.sha256(b'l10n_pl_ksef:' + base64.urlsafe_b64decode(key)).hexdigest()[:16]

    @api.model
    def _missing_key_message(self):
        return self.env._(
            "This database holds KSeF secrets, but the key that opens them is not on this server. Ask the administrator of "
            "the server to restore it (environment variable %(variable)s, option %(option)s or file %(file)s in Odoo's data "
            "directory), or connect the company to KSeF again.",
            variable=KEY_ENVIRONMENT, option=KEY_OPTION, file=KEY_FILE,
        )
