"""Packages of exported invoices: a Zip with ``<KSeF number>.xml`` for each and one ``_metadata.json``.

Nothing is unpacked to disk, so a name can't lead anywhere; names that don't belong are counted and left alone. What
is read of one file, and how many files are looked at, is bounded.
"""

import json
import zipfile
import zlib
from decimal import Decimal

from . import parsing
from .answers import Answer
from .errors import KsefIntegrityError, KsefUnreadableError
from .number import is_valid_ksef_number
from .reading import Fields

METADATA_NAME = "_metadata.json"
MOST_FILES = 10_050  # KSeF packs at most 10,000 invoices
LARGEST_INVOICE = 10_000_000  # bytes; KSeF takes 3 MB
LARGEST_METADATA = 200_000_000
_SUFFIX = ".xml"
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class Package:
    """An export's archive, opened for reading; a context manager.

    :param stream: seekable binary file with the Zip
    :ivar strange: names in the archive that are neither an invoice's nor that of the metadata
    :raise KsefIntegrityError: not a Zip, or too many files
    """

    def __init__(self, stream):
        try:
            self._zip = zipfile.ZipFile(stream)
        except _UNREADABLE:
            raise KsefIntegrityError("The exported package is not a readable Zip archive.") from None
        entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
        if len(entries) > MOST_FILES:
            raise KsefIntegrityError(f"The exported package holds {len(entries)} files, more than KSeF would pack.")
        self._entries, strange = {}, []
        for entry in entries:
            number = entry.filename.removesuffix(_SUFFIX)
            if entry.filename == METADATA_NAME or (number != entry.filename and is_valid_ksef_number(number)):
                self._entries[entry.filename] = entry
            else:
                strange.append(entry.filename)
        self.strange = tuple(strange)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._zip.close()

    @property
    def numbers(self):
        """KSeF numbers of the invoices inside, as a set."""
        return {name.removesuffix(_SUFFIX) for name in self._entries if name != METADATA_NAME}

    def metadata(self):
        """Return (list of :class:`~.types.InvoiceMetadata` in KSeF's order, how many entries can't be read).

        :raise KsefIntegrityError: there is no list at all
        """
        content = self._content(METADATA_NAME, LARGEST_METADATA)
        try:
            items = json.loads(content, parse_float=Decimal)["invoices"]
            if not isinstance(items, list):
                raise TypeError
        except (ValueError, ArithmeticError, RecursionError, KeyError, TypeError):
            raise KsefIntegrityError("The list of invoices in the exported package cannot be read.") from None
        answer, found, bad = Answer("POST /invoices/exports", 200, {}, b""), [], 0
        for item in items:
            try:
                found.append(parsing.invoice_metadata(Fields(item, answer)))
            except KsefUnreadableError:
                bad += 1
        return found, bad

    def read(self, ksef_number):
        """Return the bytes of one invoice.

        :raise KsefIntegrityError: it is not in the package, damaged, or larger than an invoice can be
        """
        return self._content(ksef_number + _SUFFIX, LARGEST_INVOICE)

    def _content(self, name, limit):
        entry = self._entries.get(name)
        if entry is None:
            raise KsefIntegrityError(f"{name} is missing in the exported package.")
        try:
            with self._zip.open(entry) as stream:
                content = stream.read(limit + 1)
        except _UNREADABLE:
            raise KsefIntegrityError(f"{name} in the exported package is damaged.") from None
        if len(content) > limit:
            raise KsefIntegrityError(f"{name} in the exported package is larger than it can be.")
        return content
