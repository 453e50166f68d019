"""Large files on disk: parts of batches on their way in, parts of exports on their way out."""

import hashlib
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path


class Depot:
    """A folder beside the state file, or a temporary one that goes with the process."""

    def __init__(self, state):
        if state:
            self._temporary = None
            self.folder = Path(f"{state}.files")
            self.folder.mkdir(mode=0o700, exist_ok=True)
        else:
            self._temporary = tempfile.TemporaryDirectory(prefix="ksef-sandbox-")
            self.folder = Path(self._temporary.name)

    def path(self, reference, number):
        """Where part ``number`` of something lies. References are checked to have no odd characters."""
        return self.folder / f"{reference}-{number:04d}"

    def size(self, reference, number):
        """Size of a part in bytes, or None."""
        path = self.path(reference, number)
        return path.stat().st_size if path.is_file() else None

    @contextmanager
    def writing(self, reference, number):
        """A ``Counting`` file that takes the place of a part when the block ends well."""
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="incoming-", delete=False) as stream:
            place = Path(stream.name)
            try:
                yield Counting(stream)
            except BaseException:
                place.unlink(missing_ok=True)
                raise
        place.replace(self.path(reference, number))

    @contextmanager
    def scratch(self):
        """An anonymous file for intermediate results."""
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="scratch-") as stream:
            yield stream

    def drop(self, reference):
        """Delete all parts of something."""
        for path in self.folder.glob(f"{reference}-*"):
            path.unlink(missing_ok=True)

    def clear(self):
        """Delete everything."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def close(self):
        """Give the temporary folder back."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._temporary.cleanup()


class Counting:
    """A file that counts and hashes what is written."""

    def __init__(self, stream):
        self._stream = stream
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data):
        """Write a piece."""
        self._stream.write(data)
        self._hash.update(data)
        self.size += len(data)

    @property
    def digest(self):
        """SHA-256 of what was written."""
        return self._hash.digest()
