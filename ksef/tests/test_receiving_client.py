"""Receiving against the sandbox: exports, their parts and archives, and every way in which they can be wrong."""

import io
import itertools
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from ksef_test_sandbox import SELLER, make_xml, wait

from ksef.archives import LARGEST_INVOICE, MOST_FILES, Package
from ksef.checkpoint import DateType, Role, Window, advance, next_window
from ksef.crypto import new_session_secret, sha256_b64
from ksef.errors import ExportStatus, KsefConfigError, KsefError, KsefIntegrityError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NUMBER = "5265877635-20250826-0100001AF629-AF"
EXPORT = "POST /invoices/exports"


def window():
    return Window(Role.SELLER, datetime.now(UTC) - timedelta(days=2))


def export(ksef, access, secret=None, of=None):
    """An export that is over: (report, secret)."""
    secret = secret or new_session_secret()
    reference = ksef.start_export_with_fresh_key(access, (of or window()).filters(), secret)
    return wait(lambda: (found := ksef.export_status(access, reference)).status.code >= 200 and found), secret


def fetch(ksef, report, secret):
    sink = io.BytesIO()
    for part in report.package.parts:
        ksef.download_part(part, secret, sink)
    return sink


def is_stored(ksef, access, count):
    return wait(lambda: len(ksef.query_metadata(access, window().filters()).invoices) == count)


class TestExport:
    def test_all_of_it(self, ksef, access, sending):
        documents = [make_xml() for _number in range(3)]
        numbers = [sending.result(document).ksef_number for document in documents]
        is_stored(ksef, access, 3)
        report, secret = export(ksef, access)
        assert (report.status.code, report.package.invoice_count) == (ExportStatus.DONE, 3)
        assert not report.package.is_truncated and report.package.hwm_date
        with Package(fetch(ksef, report, secret)) as package:
            found, bad = package.metadata()
            assert sorted(item.ksef_number for item in found) == sorted(numbers) and not bad and not package.strange
            assert {package.read(number) for number in numbers} == set(documents)
            assert [sha256_b64(package.read(item.ksef_number)) for item in found] == [item.invoice_hash for item in found]

    def test_nothing(self, ksef, access):
        report, _secret = export(ksef, access)
        assert (report.status.code, report.package.invoice_count, report.package.parts) == (ExportStatus.DONE, 0, ())

    def test_beyond_the_data(self, ksef, access):
        report, _secret = export(ksef, access, of=Window(Role.BUYER, datetime.now(UTC) + timedelta(days=1)))
        assert report.status.code == ExportStatus.RANGE_BEYOND_DATA and report.package is None

    def test_wrong_hash(self, ksef, access, sending, sandbox):
        sending.result(make_xml())
        is_stored(ksef, access, 1)
        sandbox.fault(EXPORT, "wrong_export_hash")
        report, secret = export(ksef, access)
        with pytest.raises(KsefIntegrityError):
            fetch(ksef, report, secret)

    def test_wrong_key(self, ksef, access, sending):
        sending.result(make_xml())
        is_stored(ksef, access, 1)
        report, _secret = export(ksef, access)
        with pytest.raises(KsefIntegrityError):
            fetch(ksef, report, new_session_secret())

    def test_expired_link(self, ksef, access, sending, sandbox):
        sending.result(make_xml())
        is_stored(ksef, access, 1)
        sandbox.fault("GET /invoices/exports/{referenceNumber}", "expired_links", times=-1)
        report, secret = export(ksef, access)
        with pytest.raises(KsefError):
            fetch(ksef, report, secret)

    def test_no_token_in_a_download(self, ksef, access, sending, sandbox):
        sending.result(make_xml())
        is_stored(ksef, access, 1)
        report, _secret = export(ksef, access)
        assert sandbox.url.removesuffix("/v2") in report.package.parts[0].url
        assert report.package.parts[0].url not in repr(report)

    @pytest.mark.parametrize("url", [
        "http://example.com/storage/x", "https://example.com/x", "ftp://127.0.0.1/x", "http://127.0.0.1:1/x", "http://", "",
        "file:///etc/passwd", "http://127.0.0.1 /x", "http://127.0.0.1@example.com/x"])
    def test_foreign_link(self, ksef, url):
        with pytest.raises(KsefConfigError):
            ksef._transport.download("GET export part", url, list)


class TestPackage:
    def make(self, files):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
        return stream

    def metadata(self, *items):
        return "_metadata.json", json.dumps({"invoices": list(items)})

    def test_odd_names_lead_nowhere(self):
        names = ["../../etc/passwd", "/etc/passwd", f"sub/{NUMBER}.xml", "..\\x.xml", "readme.txt", "../" + NUMBER + ".xml"]
        package = Package(self.make([self.metadata(), (f"{NUMBER}.xml", b"<a/>"), *((name, b"x") for name in names)]))
        assert package.numbers == {NUMBER} and len(package.strange) == len(names)
        assert package.read(NUMBER) == b"<a/>"
        with pytest.raises(KsefIntegrityError):
            package.read("../../etc/passwd")

    def test_bomb(self):
        package = Package(self.make([self.metadata(), (f"{NUMBER}.xml", bytes(LARGEST_INVOICE + 1))]))
        with pytest.raises(KsefIntegrityError):
            package.read(NUMBER)

    def test_too_many_files(self):
        with pytest.raises(KsefIntegrityError):
            Package(self.make([(f"{number}.xml", b"") for number in range(MOST_FILES + 1)]))

    @pytest.mark.parametrize("content", [b"", b"PK", b"<html/>", bytes(100)])
    def test_no_archive(self, content):
        with pytest.raises(KsefIntegrityError):
            Package(io.BytesIO(content))

    def test_damaged_file(self):
        whole = self.make([self.metadata(), (f"{NUMBER}.xml", b"<a>" + bytes(range(256)) * 20 + b"</a>")]).getvalue()
        at = whole.index(f"{NUMBER}.xml".encode()) + 60
        damaged = whole[:at] + bytes(8) + whole[at + 8:]
        package = Package(io.BytesIO(damaged))
        assert package.metadata() == ([], 0)
        with pytest.raises(KsefIntegrityError):
            package.read(NUMBER)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"invoices": 1}', "[" * 100_000])
    def test_no_list(self, text):
        with pytest.raises(KsefIntegrityError):
            Package(self.make([("_metadata.json", text)])).metadata()

    def test_one_bad_entry_leaves_the_others(self):
        good = {"ksefNumber": NUMBER, "invoiceHash": "x" * 44}
        found, bad = Package(self.make([self.metadata({"invoiceHash": "y"}, good, 7)])).metadata()
        assert [item.ksef_number for item in found] == [NUMBER] and bad == 2


class TestCheckpoint:
    def test_up_to_the_high_water_mark(self):
        start = NOW - timedelta(days=1)
        assert advance(Window(Role.BUYER, start), NOW, hwm=NOW - timedelta(minutes=5)) == NOW - timedelta(minutes=5)

    def test_never_backwards(self):
        assert advance(Window(Role.BUYER, NOW), NOW, hwm=NOW - timedelta(hours=1)) == NOW

    def test_not_without_a_high_water_mark(self):
        start = NOW - timedelta(hours=1)
        assert advance(Window(Role.BUYER, start), NOW) == start

    def test_old_windows_are_final(self):
        old = next_window(Role.BUYER, NOW - timedelta(days=300), NOW)
        assert old.end - old.start < timedelta(days=100) and advance(old, NOW) == old.end

    def test_no_further_than_the_window(self):
        window = next_window(Role.BUYER, NOW - timedelta(days=300), NOW)
        assert advance(window, NOW, hwm=NOW) == window.end

    def test_cut_short(self):
        start, last = NOW - timedelta(days=1), NOW - timedelta(hours=5)
        assert advance(Window(Role.BUYER, start), NOW, is_truncated=True, last=last, hwm=NOW) == last

    @pytest.mark.parametrize("last", [None, NOW])
    def test_cut_short_where_it_began(self, last):
        with pytest.raises(KsefIntegrityError):
            advance(Window(Role.BUYER, NOW), NOW, is_truncated=True, last=last)

    def test_years_in_windows_of_less_than_100_days(self):
        position, until, windows = NOW - timedelta(days=730), NOW, []
        while position < until:
            windows.append(next_window(Role.SELLER, position, NOW, until))
            position = advance(windows[-1], NOW)
        assert position == until and len(windows) == 8
        assert all(window.end - window.start < timedelta(days=100) for window in windows)
        assert all(one.end == two.start for one, two in itertools.pairwise(windows))

    def test_filters(self):
        open_end = Window(Role.BUYER, NOW).filters()
        assert open_end == {"subjectType": "Subject2", "dateRange": {
            "dateType": "PermanentStorage", "from": "2026-11-20T12:00:00+00:00", "restrictToPermanentStorageHwmDate": True}}
        by_issue = next_window(Role.BUYER, NOW, NOW, NOW + timedelta(days=3), DateType.ISSUE).filters()
        assert by_issue["dateRange"] == {
            "dateType": "Issue", "from": "2026-11-20T12:00:00+00:00", "to": "2026-11-23T12:00:00+00:00"}


def test_own_nip_is_the_seller(ksef, access, sending):
    sending.result(make_xml())
    is_stored(ksef, access, 1)
    [item] = ksef.query_metadata(access, window().filters()).invoices
    assert item.seller_nip == SELLER
