"""Batch packages and export packages for the tests."""

import io
import json
import tarfile
import zipfile

import requests

from .caller import FORM, Session, b64, sha, wait_for


def zipped(files):
    """A Zip of {name: bytes}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files, links=()):
    """A TarGz of {name: bytes}; ``links`` are names of symbolic links."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return stream.getvalue()


class Package:
    """A package opened as a batch session."""

    def __init__(self, caller, content, *, part_size=None, compression=None, expect=201, offline=False, form=None,
                 **changes):
        self.caller = caller
        encryption, key, vector = caller.encryption()
        self.session = Session(None, key, vector)
        size = part_size or len(content) or 1
        self.parts = [self.session.encrypt(content[start:start + size]) for start in range(0, len(content), size)]
        declared = {"fileSize": len(content), "fileHash": sha(content), "fileParts": [
            {"ordinalNumber": number, "fileSize": len(part), "fileHash": sha(part)}
            for number, part in enumerate(self.parts, 1)], **changes}
        if compression:
            declared["compressionType"] = compression
        self.opened = caller.call("POST", "/sessions/batch", {
            "formCode": form or FORM, "batchFile": declared, "encryption": encryption, "offlineMode": offline}, expect=expect)
        self.reference = self.opened.json().get("referenceNumber")

    def upload(self, headers=None, numbers=None):
        """PUT the parts as the answer said; the status codes."""
        codes = []
        for item in self.opened.json()["partUploadRequests"]:
            if numbers and item["ordinalNumber"] not in numbers:
                continue
            answer = requests.request(item["method"], item["url"], data=self.parts[item["ordinalNumber"] - 1], timeout=60,
                                      headers=item["headers"] if headers is None else headers)
            codes.append(answer.status_code)
        return codes

    def close(self, expect=204):
        """Close the session."""
        return self.caller.call("POST", f"/sessions/batch/{self.reference}/close", expect=expect)

    def result(self, seconds=60):
        """The final status of the session."""
        return wait_for(lambda: self.caller.get(f"/sessions/{self.reference}"),
                        lambda answer: answer["status"]["code"] not in (100, 150), seconds)

    def done(self):
        """Upload, close, wait."""
        assert set(self.upload()) == {201}
        self.close()
        return self.result()

    def invoices(self):
        """All invoices of the session by file name."""
        found, token = [], None
        while True:
            page = self.caller.get(f"/sessions/{self.reference}/invoices?pageSize=1000",
                                   headers={"x-continuation-token": token} if token else {})
            found += page["invoices"]
            token = page["continuationToken"]
            if not token:
                return {item["invoiceFileName"]: item for item in found}


class Export:
    """An export that was started."""

    def __init__(self, caller, filters, expect=201, **options):
        self.caller = caller
        encryption, key, vector = caller.encryption(**options.pop("encryption", {}))
        self.session = Session(None, key, vector)
        self.started = caller.call("POST", "/invoices/exports", {"encryption": encryption, "filters": filters, **options},
                                   expect=expect)
        self.reference = self.started.json().get("referenceNumber")

    def result(self):
        """The final status."""
        return wait_for(lambda: self.caller.get(f"/invoices/exports/{self.reference}"),
                        lambda answer: answer["status"]["code"] != 100, 60)

    def files(self):
        """{name: bytes} of the package, every hash and size checked."""
        package = self.result()["package"]
        content = b""
        for part in package["parts"]:
            encrypted = requests.request(part["method"], part["url"], timeout=60).content
            assert (len(encrypted), sha(encrypted)) == (part["encryptedPartSize"], part["encryptedPartHash"])
            plain = self.session.decrypt(encrypted)
            assert (len(plain), sha(plain)) == (part["partSize"], part["partHash"])
            content += plain
        assert len(content) == package["size"]
        if package["compressionType"] == "Zip":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return {member.name: archive.extractfile(member).read() for member in archive}

    def metadata(self):
        """The invoices of ``_metadata.json``."""
        return json.loads(self.files()["_metadata.json"])["invoices"]


__all__ = ["Export", "Package", "b64", "tarred", "zipped"]
