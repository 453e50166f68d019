"""Which schema file invoices are held against, compiled once per process."""

from functools import lru_cache
from pathlib import Path

from odoo import api, models
from odoo.tools.misc import file_path

from ..ksef.fa3.schema import Schema, SchemaError

# Shipped with Odoo itself; the module doesn't have to be installed, only its files have to be there.
SHIPPED_SCHEMA = 'l10n_pl_edi/data/fa3_schema.xsd'


@lru_cache(maxsize=4)
def _compiled(paths: tuple[tuple[Path, int, int], ...]) -> Schema:
    """Compile files; the key holds their size and time of change, so that a replaced file is compiled anew."""
    (main, *_), *others = paths
    return Schema.load(main, tuple(path for path, *_ in others))


class AccountMove(models.Model):
    _inherit = 'account.move'

    @api.model
    def _ksef_schema_files(self) -> list[Path]:
        """Return the FA(3) schema and the files it imports, the former first; empty when there is none.

        Override to prefer files that an administrator has loaded.
        """
        try:
            return [Path(file_path(SHIPPED_SCHEMA))]
        except FileNotFoundError:
            return []

    @api.model
    def _ksef_schema(self) -> Schema | None:
        """Return the schema to validate with, ``None`` when Odoo has no file of it.

        :raises SchemaError: there is a file, but it can't be used.
        """
        files = self._ksef_schema_files()
        if not files:
            return None
        try:
            states = [path.stat() for path in files]
        except OSError as error:
            raise SchemaError(f"the schema can't be read: {error.strerror}") from error
        return _compiled(tuple(
            (path, state.st_size, state.st_mtime_ns) for path, state in zip(files, states, strict=True)))
