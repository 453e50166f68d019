"""Packages of invoices: reading what arrives (guarded against bombs and odd names), writing what is exported."""

import io
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath

MAX_TOTAL = 5_000_000_000
MAX_NAME = 128


class BadArchive(ValueError):
    """The package cannot be unpacked, or must not be."""


class TooManyFiles(ValueError):
    """The package holds more files than allowed."""


def entries(path, compression, limit, max_size):
    """(name, bytes) of the files in a package, in its order; bytes are cut after ``max_size`` + 1.

    Raises BadArchive, and TooManyFiles after ``limit`` files.
    """
    reader = _zip_entries if compression == "Zip" else _tar_entries
    total = count = 0
    try:
        for name, data in reader(path, max_size):
            count += 1
            total += len(data)
            if count > limit:
                raise TooManyFiles(str(limit))
            if total > MAX_TOTAL:
                raise BadArchive("Rozpakowana paczka jest zbyt duża.")
            yield checked_name(name), data
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError,
            ValueError) as error:
        if isinstance(error, BadArchive | TooManyFiles):
            raise
        raise BadArchive("Nie można rozpakować paczki.") from error


def _zip_entries(path, max_size):
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            if item.is_dir():
                continue
            with archive.open(item) as stream:
                yield item.filename, stream.read(max_size + 1)


def _tar_entries(path, max_size):
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isreg():
                raise BadArchive("Paczka zawiera element, który nie jest plikiem.")
            yield member.name, archive.extractfile(member).read(max_size + 1)


def checked_name(name):
    """The name of a file inside a package; raises BadArchive for one that points outside of it."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name or not path.name:
        raise BadArchive("Nieprawidłowa nazwa pliku w paczce.")
    return str(path)[-MAX_NAME:]


class Writer:
    """Writes a package into a binary file; ``size`` is what has been written so far."""

    def __init__(self, target, compression):
        self._target = target
        self._zip = self._tar = None
        if compression == "Zip":
            self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        else:
            self._tar = tarfile.open(fileobj=target, mode="w:gz", compresslevel=6)  # noqa: SIM115  closed by close()

    @property
    def size(self):
        """Bytes written so far."""
        return self._target.tell()

    def add(self, name, data):
        """Add a file."""
        if self._zip:
            self._zip.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        else:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            self._tar.addfile(info, io.BytesIO(data))

    def close(self):
        """Finish the package."""
        (self._zip or self._tar).close()
