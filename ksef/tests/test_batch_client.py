"""Batch sessions against the sandbox: packages of both kinds, parts, uploads, statuses, and what goes wrong (S2-09)."""

import hashlib
import io
import tarfile
import tracemalloc
import zipfile

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from ksef_test_sandbox import SELLER, make_xml, wait
from ksef_test_server import http

from ksef.batch import LARGEST_PART, MOST_PARTS, TAR_GZ, ZIP, PackagePart, PackageWriter, PartReader, PartUpload
from ksef.client import Client
from ksef.crypto import new_session_secret, sha256_b64
from ksef.errors import (
    ApiCode,
    InvoiceStatus,
    KsefConfigError,
    KsefConnectError,
    KsefForbiddenError,
    KsefRefusedError,
    KsefServerError,
    SessionStatus,
)
from ksef.types import Secret
from ksef.upo import read_upo

OPEN, CLOSE = "POST /sessions/batch", "POST /sessions/batch/{referenceNumber}/close"


def pack(documents, secret=None, **options):
    """Pack the documents: (package, file with its encrypted parts, secret)."""
    secret, sink = secret or new_session_secret(), io.BytesIO()
    writer = PackageWriter(sink, secret, **options)
    for number, document in enumerate(documents, 1):
        writer.add(f"{number}.xml", document)
    return writer.finish(), sink, secret


def decrypt(content, secret):
    decryptor = Cipher(algorithms.AES(secret.key), modes.CBC(secret.iv)).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(content) + decryptor.finalize()) + unpadder.finalize()


def send(ksef, access, documents, close=True, offline=False, **options):
    """A batch session with everything uploaded: (its reference, the package, its parts)."""
    package, sink, secret = pack(documents, **options)
    opened = ksef.open_batch_session_with_fresh_key(access, package, secret, offline=offline)
    for upload, part in zip(opened.uploads, package.parts, strict=True):
        ksef.upload_part(upload, part, sink)
    if close:
        ksef.close_batch_session(access, opened.reference_number)
    return opened, package, sink


def final(ksef, access, reference):
    def report():
        found = ksef.session(access, reference)
        return SessionStatus.is_final(found.status.code) and found

    return wait(report, 20)


class TestPackage:
    @pytest.mark.parametrize("compression", [ZIP, TAR_GZ])
    @pytest.mark.parametrize("part_size", [LARGEST_PART, 160, 133, 1600])
    def test_parts(self, compression, part_size):
        """Put together again, the parts are the archive that was declared, and every hash fits."""
        documents = [make_xml() for _number in range(5)]
        package, sink, secret = pack(documents, compression=compression, part_size=part_size)
        plain = b""
        for number, part in enumerate(package.parts, 1):
            content = PartReader(sink, part).read()
            assert (part.ordinal, part.size, part.hash) == (number, len(content), sha256_b64(content))
            piece = decrypt(content, secret)
            assert len(piece) == part_size or part == package.parts[-1]
            plain += piece
        assert (package.size, package.hash) == (len(plain), sha256_b64(plain))
        assert sum(part.size for part in package.parts) == len(sink.getvalue())
        if compression == ZIP:
            with zipfile.ZipFile(io.BytesIO(plain)) as archive:
                assert [archive.read(f"{number}.xml") for number in range(1, 6)] == documents
        else:
            with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
                assert [archive.extractfile(f"{number}.xml").read() for number in range(1, 6)] == documents

    @pytest.mark.parametrize("compression", [ZIP, TAR_GZ])
    def test_same_again(self, compression, monkeypatch):
        """Made again at another time, the package has the same bytes: an interrupted upload can go on."""
        documents, secret = [make_xml() for _number in range(3)], new_session_secret()
        first, sink, _secret = pack(documents, secret, compression=compression, part_size=500)
        monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
        again, other, _secret = pack(documents, secret, compression=compression, part_size=500)
        assert first == again and sink.getvalue() == other.getvalue()

    def test_nothing_plain(self):
        _package, sink, _secret = pack([b"<Faktura>nobody reads this</Faktura>"] * 3)
        assert b"nobody reads" not in sink.getvalue() and b"1.xml" not in sink.getvalue()

    @pytest.mark.parametrize("name", ["", "a/b.xml", "..\\b.xml", "ł.xml", "x" * 129, "1.xml"])
    def test_bad_names(self, name):
        writer = PackageWriter(io.BytesIO(), new_session_secret())
        writer.add("1.xml", b"<a/>")
        with pytest.raises(KsefConfigError):
            writer.add(name, b"<a/>")

    def test_refused(self):
        with pytest.raises(KsefConfigError):
            pack([])
        with pytest.raises(KsefConfigError):
            pack([b""])
        with pytest.raises(KsefConfigError):
            pack([b"<a/>"], compression="Rar")
        with pytest.raises(KsefConfigError):
            pack([b"<a/>"], part_size=LARGEST_PART + 1)
        with pytest.raises(KsefConfigError):
            pack([hashlib.sha256(bytes([number])).digest() for number in range(250)], compression=ZIP, part_size=100)

    def test_memory(self, tmp_path):
        """What is packed doesn't stay in memory."""
        document = make_xml() + bytes(range(256)) * 400
        with (tmp_path / "parts").open("w+b") as sink:
            writer = PackageWriter(sink, new_session_secret())
            tracemalloc.start()
            for number in range(300):
                writer.add(f"{number}.xml", document + str(number).encode())
            package = writer.finish()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert package.size > 100_000 and peak < 5_000_000


class TestSession:
    @pytest.mark.parametrize("compression", [ZIP, TAR_GZ])
    def test_all_of_it(self, ksef, access, sandbox, compression):
        documents = [make_xml() for _number in range(25)]
        opened, package, _sink = send(ksef, access, documents, compression=compression, part_size=1000)
        assert len(package.parts) > 1
        report = final(ksef, access, opened.reference_number)
        assert (report.status.code, report.invoice_count, report.successful) == (SessionStatus.PROCESSED, 25, 25)
        first = ksef.session_invoice_page(access, opened.reference_number, page_size=10)
        reports, continuation = list(first.reports), first.continuation
        assert len(reports) == 10
        while continuation:
            page = ksef.session_invoice_page(access, opened.reference_number, continuation, page_size=10)
            reports, continuation = [*reports, *page.reports], page.continuation
        assert {item.invoice_hash: item.file_name for item in reports} == {
            sha256_b64(document): f"{number}.xml" for number, document in enumerate(documents, 1)}
        assert all(item.ksef_number for item in reports)
        [entry] = read_upo(ksef.upo_by_link(reports[0].upo_url))
        assert (entry.ksef_number, entry.document_hash) == (reports[0].ksef_number, reports[0].invoice_hash)
        [page] = report.upo_pages
        assert len(read_upo(ksef.session_upo(access, opened.reference_number, page.reference_number))) == 25
        assert len(sandbox.invoices()) == 25

    def test_one_bad_among_good(self, ksef, access):
        duplicate = make_xml()
        opened, _package, _sink = send(ksef, access, [make_xml(), b"<Faktura/>", duplicate, duplicate.replace(b"123.00", b"124.00")])
        report = final(ksef, access, opened.reference_number)
        assert (report.status.code, report.successful, report.failed) == (SessionStatus.PROCESSED, 2, 2)
        reports = ksef.session_invoice_page(access, opened.reference_number).reports
        assert sorted(item.status.code for item in reports) == [
            InvoiceStatus.ACCEPTED, InvoiceStatus.ACCEPTED, InvoiceStatus.DUPLICATE, InvoiceStatus.INVALID]

    def test_offline(self, ksef, access):
        opened, _package, _sink = send(ksef, access, [make_xml()], offline=True)
        final(ksef, access, opened.reference_number)
        assert [item.invoicing_mode for item in ksef.session_invoice_page(access, opened.reference_number).reports] == ["Offline"]

    def test_part_missing(self, ksef, access):
        package, sink, secret = pack([make_xml() for _number in range(5)], part_size=500)
        opened = ksef.open_batch_session_with_fresh_key(access, package, secret)
        ksef.upload_part(opened.uploads[0], package.parts[0], sink)
        with pytest.raises(KsefRefusedError) as caught:
            ksef.close_batch_session(access, opened.reference_number)
        assert caught.value.code == ApiCode.PACKAGE_EMPTY
        for upload, part in zip(opened.uploads, package.parts, strict=True):
            ksef.upload_part(upload, part, sink)  # the first for the second time
        ksef.close_batch_session(access, opened.reference_number)
        assert final(ksef, access, opened.reference_number).status.code == SessionStatus.PROCESSED
        with pytest.raises(KsefRefusedError) as caught:
            ksef.close_batch_session(access, opened.reference_number)
        assert caught.value.code == ApiCode.SESSION_STATUS_FORBIDS

    def test_wrong_bytes(self, ksef, access):
        """A part of the right size with other bytes than declared ends the whole session."""
        package, _sink, secret = pack([make_xml()])
        opened = ksef.open_batch_session_with_fresh_key(access, package, secret)
        other = io.BytesIO(bytes(package.parts[0].size))
        ksef.upload_part(opened.uploads[0], package.parts[0], other)
        ksef.close_batch_session(access, opened.reference_number)
        assert final(ksef, access, opened.reference_number).status.code == SessionStatus.BAD_PACKAGE

    def test_wrong_key(self, ksef, access):
        package, sink, _secret = pack([make_xml()])
        opened = ksef.open_batch_session_with_fresh_key(access, package, new_session_secret())
        ksef.upload_part(opened.uploads[0], package.parts[0], sink)
        ksef.close_batch_session(access, opened.reference_number)
        assert final(ksef, access, opened.reference_number).status.code in (SessionStatus.BAD_PART, SessionStatus.BAD_PACKAGE)

    def test_expired_link(self, ksef, access, sandbox):
        sandbox.fault(OPEN, "expired_links")
        with pytest.raises(KsefForbiddenError):
            send(ksef, access, [make_xml()])

    def test_rotated_keys(self, ksef, access, sandbox):
        """KSeF's key was exchanged between asking for it and opening: it is asked for anew, once."""
        keys = ksef.public_keys()
        sandbox.admin("POST", "/keys/rotate", mode="emergency")
        package, _sink, secret = pack([make_xml()])
        assert ksef.open_batch_session_with_fresh_key(access, package, secret, keys=keys).reference_number

    def test_too_many_parts(self, ksef, access):
        package, _sink, secret = pack([make_xml()])
        part = package.parts[0]
        many = [PackagePart(number, 0, part.size, part.hash) for number in range(1, MOST_PARTS + 2)]
        object.__setattr__(package, "parts", tuple(many))
        with pytest.raises(KsefRefusedError) as caught:
            ksef.open_batch_session_with_fresh_key(access, package, secret)
        assert caught.value.code in (ApiCode.TOO_MANY_PARTS, ApiCode.INPUT_INVALID)

    def test_limit(self, ksef, access, sandbox):
        """More invoices than the context may send at once: the session ends, no invoice has a number."""
        low = {"maxInvoiceSizeInMB": 1, "maxInvoiceWithAttachmentSizeInMB": 3, "maxInvoices": 2}
        sandbox.call("POST", "/testdata/limits/context/session", {
            "onlineSession": low, "batchSession": low, "collectiveIdentifier": {"maxInvoices": 500}}, token=access)
        opened, _package, _sink = send(ksef, access, [make_xml() for _number in range(3)])
        assert final(ksef, access, opened.reference_number).status.code == SessionStatus.INVOICE_LIMIT
        assert not [row for row in sandbox.invoices() if row["ksefNumber"]]

    def test_secrets(self, ksef, access):
        package, _sink, secret = pack([make_xml()])
        opened = ksef.open_batch_session_with_fresh_key(access, package, secret)
        assert "sig=" not in repr(opened) and "http" not in repr(opened)
        assert SELLER not in repr(package)


class TestUpload:
    def upload(self, address, **changes):
        values = {"ordinal": 1, "method": "PUT", "url": Secret(address), "headers": {"x-ms-blob-type": "BlockBlob"}} | changes
        return PartUpload(**values)

    def test_request(self, client, serve):
        """Exactly the given headers, the raw bytes, and no token."""
        ksef = client(http(201, content_type=None))
        package, sink, _secret = pack([make_xml() * 50])
        ksef.upload_part(self.upload(ksef.server.url.removesuffix("/v2") + "/storage/x?sig=a%2Fb"), package.parts[0], sink)
        [request] = ksef.server.requests
        assert (request.method, request.target) == ("PUT", "/storage/x?sig=a%2Fb")
        assert request.headers["x-ms-blob-type"] == "BlockBlob" and "authorization" not in request.headers
        assert request.headers["content-length"] == str(package.parts[0].size)
        assert sha256_b64(request.body) == package.parts[0].hash

    @pytest.mark.parametrize("change", [
        {"url": Secret("http://example.com/storage/x")}, {"url": Secret("https://example.com/x")}, {"method": "DELETE"},
        {"headers": {"Authorization": "Bearer x"}}, {"headers": {"Host": "example.com"}}, {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a b": "c"}}])
    def test_refused(self, client, change):
        ksef = client(http(201, content_type=None))
        package, sink, _secret = pack([make_xml()])
        upload = self.upload(ksef.server.url.removesuffix("/v2") + "/storage/x", **change)
        with pytest.raises(KsefConfigError):
            ksef.upload_part(upload, package.parts[0], sink)
        assert not ksef.server.requests

    @pytest.mark.parametrize(("answer", "error"), [
        (http(403, b"<Error><Code>AuthenticationFailed</Code></Error>", "application/xml"), KsefForbiddenError),
        (http(404, b"", "text/plain"), KsefForbiddenError),
        (http(503, b"<Error><Code>ServerBusy</Code></Error>", "application/xml"), KsefServerError)])
    def test_answers_of_the_storage(self, client, answer, error):
        ksef = client(answer)
        package, sink, _secret = pack([make_xml()])
        with pytest.raises(error):
            ksef.upload_part(self.upload(ksef.server.url.removesuffix("/v2") + "/storage/x"), package.parts[0], sink)

    def test_nobody_there(self, connect, serve):
        server = serve(lambda peer: None)
        server.close()
        ksef = Client(connect(server))
        package, sink, _secret = pack([make_xml()])
        with pytest.raises(KsefConnectError):
            ksef.upload_part(self.upload(server.url.removesuffix("/v2") + "/storage/x"), package.parts[0], sink)
