"""Batch sessions: packing many invoices into one archive, splitting and encrypting it, and what opening one yields.

The same invoices, key and parameters give the same bytes (times and owners in the archive are fixed), so that a package
can be made again after a crash. The compression itself belongs to the system's zlib: compare :class:`Package` with what
was declared before anything is uploaded.
"""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from . import parsing
from .errors import KsefConfigError
from .types_base import Secret

ZIP, TAR_GZ = "Zip", "TarGz"
LARGEST_PART = 100_000_000  # bytes before encryption
LARGEST_PACKAGE = 5_000_000_000  # bytes of the whole archive
MOST_PARTS = 50
MINUTES_PER_PART = 20  # all parts must be on their way within this time, times their number
LONGEST_NAME = 128
_BLOCK_BITS = 128
_LEVEL = 6
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a Zip can state
_READ = 256 * 1024


@dataclass(frozen=True)
class PackagePart:
    """An encrypted part: ``offset`` in the file that the package was written to, size in bytes, SHA-256 in Base64."""

    ordinal: int
    offset: int
    size: int
    hash: str


@dataclass(frozen=True)
class Package:
    """A package as it is declared to KSeF: size and hash of the plain archive, and its encrypted parts."""

    size: int
    hash: str
    compression: str
    parts: tuple[PackagePart, ...]


@dataclass(frozen=True)
class PartUpload:
    """Where KSeF wants a part: a pre-signed link, which is a secret, and the headers that belong to it."""

    ordinal: int
    method: str
    url: Secret
    headers: dict = field(repr=False)


@dataclass(frozen=True)
class OpenedBatch:
    """A batch session (sesja wsadowa) just opened, and where its parts go, in their order."""

    reference_number: str
    uploads: tuple[PartUpload, ...]


@dataclass(frozen=True)
class InvoicePage:
    """A page of a session's list. ``continuation`` leads to the next one; None: this was the last."""

    reports: tuple
    continuation: str | None = None


class PackageWriter:
    """Packs files into an archive and writes its encrypted parts to ``sink``; nothing plain is written or kept.

    :param sink: binary file, appended to
    :param secret: :class:`~.crypto.SessionSecret` that encrypts every part
    :param compression: ZIP or TAR_GZ; the latter makes many similar invoices much smaller
    :param part_size: bytes of a part before encryption
    """

    def __init__(self, sink, secret, compression=TAR_GZ, part_size=LARGEST_PART):
        if compression not in (ZIP, TAR_GZ) or not 0 < part_size <= LARGEST_PART:
            raise KsefConfigError("A package is a Zip or TarGz in parts of up to 100 MB.")
        self._compression = compression
        self._parts = _Parts(sink, secret, part_size)
        self._zip = self._gzip = self._tar = None
        self._names = set()
        if compression == ZIP:
            self._zip = zipfile.ZipFile(self._parts, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        else:
            self._gzip = gzip.GzipFile("", "wb", _LEVEL, self._parts, mtime=0)
            self._tar = tarfile.open(fileobj=self._gzip, mode="w|", format=tarfile.USTAR_FORMAT)  # noqa: SIM115  see finish()

    def add(self, name, content):
        """Add a file. KSeF shows its name in the session's list; it must be new, plain and short.

        :raise KsefConfigError: the name is none of that, or there is no content
        """
        if not name.isascii() or not 0 < len(name) <= LONGEST_NAME or "/" in name or "\\" in name or name in self._names:
            raise KsefConfigError("A file of a package needs a plain name of its own.")
        if not content:
            raise KsefConfigError("A file of a package cannot be empty.")
        self._names.add(name)
        if self._zip:
            item = zipfile.ZipInfo(name, _FIXED_DATE)
            item.compress_type = zipfile.ZIP_DEFLATED
            self._zip.writestr(item, content)
        else:
            item = tarfile.TarInfo(name)
            item.size = len(content)
            self._tar.addfile(item, io.BytesIO(content))

    def finish(self):
        """End the archive and return the :class:`Package`.

        :raise KsefConfigError: it is empty, or larger than KSeF takes
        """
        if not self._names:
            raise KsefConfigError("A package without invoices cannot be sent.")
        for stream in filter(None, (self._zip, self._tar, self._gzip)):
            stream.close()
        size, digest, parts = self._parts.finish()
        if len(parts) > MOST_PARTS or size > LARGEST_PACKAGE:
            raise KsefConfigError("The package is larger than KSeF takes. Send fewer invoices at a time.")
        return Package(size, digest, self._compression, parts)


class _Parts(io.RawIOBase):
    """Takes the bytes of the archive, cuts them into parts and encrypts each with the same key."""

    def __init__(self, sink, secret, part_size):
        super().__init__()
        self._sink, self._secret, self._part_size = sink, secret, part_size
        self._whole, self._size = hashlib.sha256(), 0
        self._parts, self._room, self._written, self._is_open = [], 0, 0, False
        self._offset = sink.tell()

    def writable(self):
        return True

    def write(self, data):
        data = memoryview(data).cast("B")
        self._whole.update(data)
        self._size += len(data)
        start = 0
        while start < len(data):
            if not self._room:
                self._end_part()
                self._begin_part()
            piece = data[start:start + self._room]
            self._store(self._encryptor.update(self._padder.update(piece)))
            self._room -= len(piece)
            start += len(piece)
        return len(data)

    def finish(self):
        """End the last part; return (size, hash, parts)."""
        self._end_part()
        return self._size, _b64(self._whole), tuple(self._parts)

    def _begin_part(self):
        self._padder = PKCS7(_BLOCK_BITS).padder()
        self._encryptor = Cipher(algorithms.AES(self._secret.key), modes.CBC(self._secret.iv)).encryptor()
        self._digest, self._written, self._room = hashlib.sha256(), 0, self._part_size
        self._is_open = True

    def _end_part(self):
        if not self._is_open:
            return
        self._store(self._encryptor.update(self._padder.finalize()) + self._encryptor.finalize())
        self._parts.append(PackagePart(len(self._parts) + 1, self._offset, self._written, _b64(self._digest)))
        self._offset += self._written
        self._room, self._is_open = 0, False

    def _store(self, data):
        self._digest.update(data)
        self._written += len(data)
        self._sink.write(data)


class PartReader:
    """An encrypted part as a file that an upload reads from; ``len()`` is its size in bytes."""

    def __init__(self, source, part):
        self._source, self._part = source, part
        self._left = part.size
        source.seek(part.offset)

    def __len__(self):
        return self._part.size

    def __iter__(self):
        while piece := self.read(_READ):
            yield piece

    def read(self, size=-1):
        """Return the next bytes, at most ``size``."""
        piece = self._source.read(self._left if size is None or size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece


def _b64(digest):
    return base64.b64encode(digest.digest()).decode()


def batch_file(package):
    """Return the BatchFileInfo of a package."""
    return {
        "fileSize": package.size,
        "fileHash": package.hash,
        "compressionType": package.compression,
        "fileParts": [
            {"ordinalNumber": part.ordinal, "fileSize": part.size, "fileHash": part.hash} for part in package.parts],
    }


def opened_batch(fields, package):
    """Read an OpenBatchSessionResponse. A link for each part of the package, or the session is of no use."""
    uploads = sorted((_upload(item) for item in fields.need_children("partUploadRequests")), key=lambda item: item.ordinal)
    if [item.ordinal for item in uploads] != [part.ordinal for part in package.parts]:
        raise fields.fault("partUploadRequests", "are not those of the package's parts")
    return OpenedBatch(parsing.reference(fields), tuple(uploads))


def _upload(fields):
    headers = fields.child("headers")
    return PartUpload(
        ordinal=fields.need("integer", "ordinalNumber"),
        method=fields.need("text", "method"),
        url=Secret(fields.need("text", "url")),
        headers={name: headers.text(name) or "" for name in headers.raw},
    )

