"""Exports: asking for a package of invoices, its state, and getting its encrypted parts."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from . import parsing
from .errors import KsefIntegrityError
from .reading import as_timestamp
from .types import StatusInfo

ZIP = "Zip"
LARGEST_PART = 200_000_000  # bytes; KSeF's parts have 50 to 100 MB
MOST_PARTS = 100
_BLOCK_BITS = 128


@dataclass(frozen=True)
class ExportPart:
    """A part of an export: sizes in bytes and SHA-256 in Base64, plain and encrypted. ``url`` expires after about an hour."""

    ordinal: int
    url: str = field(repr=False)
    size: int
    hash: str
    encrypted_size: int
    encrypted_hash: str


@dataclass(frozen=True)
class ExportPackage:
    """What an export holds. ``last_*`` are given when it was cut short (``is_truncated``); ``hwm_date`` see checkpoint."""

    invoice_count: int
    size: int
    parts: tuple[ExportPart, ...]
    is_truncated: bool
    compression: str = ZIP
    hwm_date: datetime | None = None
    last_storage_date: datetime | None = None
    last_issue_date: datetime | None = None


@dataclass(frozen=True)
class ExportReport:
    """State of an export: ``status`` (see ExportStatus) and, when it is done, its package."""

    status: StatusInfo
    package: ExportPackage | None = None
    expires_at: datetime | None = None


def export_report(fields):
    """Read an InvoiceExportStatusResponse."""
    package = fields.child("package")
    return ExportReport(
        status=parsing.status(fields.child("status")),
        package=_package(package) if package.raw else None,
        expires_at=fields.timestamp("packageExpirationDate"),
    )


def _package(fields):
    """Read an InvoicePackage; its parts in their order. A missing flag would hide invoices: then it is unreadable."""
    parts = sorted((_part(item) for item in fields.children("parts")), key=lambda part: part.ordinal)
    if [part.ordinal for part in parts] != list(range(1, len(parts) + 1)) or len(parts) > MOST_PARTS:
        raise fields.fault("parts", "are not numbered from 1 on")
    return ExportPackage(
        invoice_count=fields.need("integer", "invoiceCount"),
        size=fields.integer("size") or 0,
        parts=tuple(parts),
        is_truncated=fields.need("flag", "isTruncated"),
        compression=fields.text("compressionType") or ZIP,
        hwm_date=fields.timestamp("permanentStorageHwmDate"),
        last_storage_date=fields.timestamp("lastPermanentStorageDate"),
        last_issue_date=as_timestamp(f"{fields.date('lastIssueDate')}T00:00:00Z"),
    )


def _part(fields):
    size = fields.need("integer", "encryptedPartSize")
    if not 0 < size <= LARGEST_PART:
        raise fields.fault("encryptedPartSize", "is not that of a part")
    return ExportPart(
        ordinal=fields.need("integer", "ordinalNumber"),
        url=fields.need("text", "url"),
        size=fields.need("integer", "partSize"),
        hash=fields.need("text", "partHash"),
        encrypted_size=size,
        encrypted_hash=fields.need("text", "encryptedPartHash"),
    )


class PartReader:
    """Takes the bytes of an encrypted part as they come, and writes what is inside; nothing is held in memory.

    :param secret: :class:`~.crypto.SessionSecret` that the export was asked for with
    :param sink: binary file that the plain bytes are appended to
    """

    def __init__(self, part, secret, sink):
        self._part = part
        self._sink = sink
        self._encrypted, self._plain = hashlib.sha256(), hashlib.sha256()
        self._received = self._written = 0
        self._decryptor = Cipher(algorithms.AES(secret.key), modes.CBC(secret.iv)).decryptor()
        self._unpadder = PKCS7(_BLOCK_BITS).unpadder()

    def take(self, chunk):
        """Take the next bytes.

        :raise KsefIntegrityError: there are more than the part has
        """
        self._received += len(chunk)
        if self._received > self._part.encrypted_size:
            raise self._error("longer than KSeF says")
        self._encrypted.update(chunk)
        self._write(self._unpadder.update(self._decryptor.update(chunk)))

    def finish(self):
        """Check sizes and hashes of what has come.

        :raise KsefIntegrityError: this is not the part that KSeF describes
        """
        if self._received != self._part.encrypted_size or not _equal(self._encrypted, self._part.encrypted_hash):
            raise self._error("not the one that KSeF describes")
        try:
            self._write(self._unpadder.update(self._decryptor.finalize()) + self._unpadder.finalize())
        except ValueError:
            raise self._error("not encrypted with the key of this export") from None
        if self._written != self._part.size or not _equal(self._plain, self._part.hash):
            raise self._error("after decryption not the one that KSeF describes")

    def _write(self, plain):
        self._plain.update(plain)
        self._written += len(plain)
        self._sink.write(plain)

    def _error(self, what):
        return KsefIntegrityError(f"Part {self._part.ordinal} of the exported package is {what}.", operation="export part")


def _equal(digest, stated):
    return hmac.compare_digest(base64.b64encode(digest.digest()), stated.strip().encode())
