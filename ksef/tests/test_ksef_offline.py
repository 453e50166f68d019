"""Deadlines of what was issued offline, over holidays, ends of years and announced failures; the two links of its codes."""

import urllib.error
import urllib.request
from base64 import urlsafe_b64decode
from datetime import date, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from ksef_test_identity import log_in_with, seal
from ksef_test_sandbox import wait

from ksef.certificates import CertificateKind, KeyPair, new_csr
from ksef.crypto import sha256_b64
from ksef.environment import get_environment
from ksef.errors import KsefConfigError
from ksef.offline import Deadline, Event, OfflineMode, add_working_days, deadline_of, easter, holidays, is_working_day, suggested_mode
from ksef.qr import certificate_link, invoice_link
from ksef.types import Context

SELLER = "5265877635"


def event(category, start, end=None):
    return Event(category, date.fromisoformat(start), end and date.fromisoformat(end))


class TestCalendar:
    @pytest.mark.parametrize(("year", "moving"), [
        (2024, {(3, 31), (4, 1), (5, 19), (5, 30)}),
        (2025, {(4, 20), (4, 21), (6, 8), (6, 19)}),
        (2026, {(4, 5), (4, 6), (5, 24), (6, 4)}),
        (2027, {(3, 28), (3, 29), (5, 16), (5, 27)}),
        (2038, {(4, 25), (4, 26), (6, 13), (6, 24)}),  # as late as Easter can be
    ])
    def test_days_off(self, year, moving):
        fixed = {(1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)}
        eve = {(12, 24)} if year >= 2025 else set()
        assert {(day.month, day.day) for day in holidays(year)} == fixed | moving | eve

    @pytest.mark.parametrize("day", [
        "1913-03-23", "1943-04-25", "1954-04-18", "1961-04-02", "1981-04-19", "2000-04-23", "2008-03-23", "2011-04-24", "2019-04-21",
        "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2035-03-25", "2038-04-25",
        "2049-04-18", "2076-04-19", "2100-03-28", "2285-03-22",
    ])
    def test_easter(self, day):
        """As the tables of the Church have it, the earliest and the latest among them."""
        assert easter(int(day[:4])) == date.fromisoformat(day)

    @pytest.mark.parametrize(("day", "works"), [
        ("2024-12-24", True), ("2025-12-24", False), ("2026-12-24", False), ("2026-01-06", False), ("2026-06-04", False),
        ("2026-06-05", True), ("2026-08-15", False), ("2026-11-11", False), ("2026-11-20", True), ("2026-11-21", False),
        ("2026-11-22", False), ("2026-12-31", True), ("2027-05-27", False),
    ])
    def test_working_days(self, day, works):
        assert is_working_day(date.fromisoformat(day)) is works

    def test_counting_needs_a_count(self):
        with pytest.raises(ValueError, match="at least one"):
            add_working_days(date(2026, 11, 20), 0)


class TestDeadlines:
    @pytest.mark.parametrize(("issued", "day"), [
        ("2026-11-16", "2026-11-17"),  # Monday
        ("2026-11-20", "2026-11-23"),  # Friday
        ("2026-11-21", "2026-11-23"),  # Saturday
        ("2026-11-10", "2026-11-12"),  # before Independence Day
        ("2026-04-03", "2026-04-07"),  # Good Friday: Easter Monday is off
        ("2026-06-03", "2026-06-05"),  # before Corpus Christi
        ("2026-04-30", "2026-05-04"),  # 1 May a Friday, 3 May a Sunday
        ("2026-12-23", "2026-12-28"),  # Christmas Eve, two feasts, Sunday
        ("2024-12-23", "2024-12-24"),  # Christmas Eve was a working day then
        ("2026-12-31", "2027-01-04"),  # New Year, a weekend
        ("2027-01-05", "2027-01-07"),  # Epiphany
    ])
    def test_offline24(self, issued, day):
        assert deadline_of("offline24", date.fromisoformat(issued)) == Deadline(date.fromisoformat(day))

    @pytest.mark.parametrize(("mode", "issued", "events", "day"), [
        ("offline", "2026-11-20", [("MAINTENANCE", "2026-11-20", "2026-11-20")], "2026-11-23"),
        ("offline", "2026-11-20", [("MAINTENANCE", "2026-11-19", "2026-11-22")], "2026-11-23"),
        ("offline", "2026-12-23", [("MAINTENANCE", "2026-12-23", "2026-12-30")], "2026-12-31"),
        ("offline", "2026-12-23", [("MAINTENANCE", "2026-12-23", None)], None),
        ("offline", "2026-11-20", [], "2026-11-23"),  # nothing is known of it: the shortest term
        ("offline", "2026-11-20", [("MAINTENANCE", "2026-11-01", "2026-11-02")], "2026-11-23"),
        ("emergency", "2026-11-16", [("FAILURE", "2026-11-16", "2026-11-16")], "2026-11-25"),
        ("emergency", "2026-12-18", [("FAILURE", "2026-12-17", "2026-12-18")], "2026-12-31"),
        ("emergency", "2026-11-16", [("FAILURE", "2026-11-16", None)], None),
        # another failure while the term runs: counted again from its end
        ("emergency", "2026-11-16", [("FAILURE", "2026-11-16", "2026-11-16"), ("FAILURE", "2026-11-25", "2026-11-26")], "2026-12-07"),
        # … but not after it has run out
        ("emergency", "2026-11-16", [("FAILURE", "2026-11-16", "2026-11-16"), ("FAILURE", "2026-11-26", "2026-11-27")], "2026-11-25"),
        ("emergency", "2026-11-16", [("FAILURE", "2026-11-16", "2026-11-16"), ("FAILURE", "2026-11-24", None)], None),
        # the example of the Ministry's documentation
        ("offline24", "2025-07-08", [("FAILURE", "2025-07-09", "2025-07-12")], "2025-07-22"),
        ("offline24", "2026-11-20", [("FAILURE", "2026-11-20", "2026-11-20")], "2026-12-01"),
        ("offline24", "2026-11-20", [("FAILURE", "2026-11-24", "2026-11-24")], "2026-11-23"),  # too late to matter
        ("offline24", "2026-11-20", [("FAILURE", "2026-11-18", "2026-11-19")], "2026-11-23"),  # over before
        ("offline24", "2026-11-20", [("MAINTENANCE", "2026-11-20", "2026-11-24")], "2026-11-23"),  # only failures move a term
        ("offline24", "2026-11-20", [("FAILURE", "2026-11-23", None)], None),
        # each failure reaches the term that the one before it has made
        ("offline24", "2026-11-16", [
            ("FAILURE", "2026-11-17", "2026-11-17"), ("FAILURE", "2026-11-26", "2026-11-26"), ("FAILURE", "2026-12-07", "2026-12-07"),
        ], "2026-12-16"),
        # a longer failure and a shorter one within it: the later end counts
        ("offline24", "2026-11-16", [("FAILURE", "2026-11-16", "2026-11-20"), ("FAILURE", "2026-11-17", "2026-11-17")], "2026-12-01"),
        ("offline", "2026-11-20", [("MAINTENANCE", "2026-11-20", "2026-11-20"), ("FAILURE", "2026-11-23", "2026-11-23")], "2026-12-02"),
    ])
    def test_announced_events(self, mode, issued, events, day):
        for order in (events, events[::-1]):
            deadline = deadline_of(mode, date.fromisoformat(issued), [event(*values) for values in order])
            assert deadline.is_owed
            assert deadline.day == (day and date.fromisoformat(day))

    @pytest.mark.parametrize("mode", OfflineMode)
    def test_total_failure_ends_the_duty(self, mode):
        total = event("TOTAL_FAILURE", "2026-11-17")
        failure = event("FAILURE", "2026-11-16", "2026-11-16")
        assert deadline_of(mode, date(2026, 11, 16), [failure, total]) == Deadline(None, is_owed=False)

    def test_total_failure_after_the_term_ends_nothing(self):
        total = event("TOTAL_FAILURE", "2026-11-18")
        assert deadline_of("offline24", date(2026, 11, 16), [total]) == Deadline(date(2026, 11, 17))

    def test_says_which_failure_counts(self):
        first, second = event("FAILURE", "2026-11-17", "2026-11-17"), event("FAILURE", "2026-11-20", "2026-11-20")
        assert deadline_of("offline24", date(2026, 11, 16), [second, first]).failure == second
        assert deadline_of("offline24", date(2026, 11, 16)).failure is None

    @pytest.mark.parametrize("mode", ["offline24", "offline", "emergency"])
    def test_always_a_working_day_after_the_issue(self, mode):
        """Whatever day of four years it is."""
        day = date(2024, 1, 1)
        while day.year < 2028:
            kind = {"offline": "MAINTENANCE", "emergency": "FAILURE"}.get(mode)
            deadline = deadline_of(mode, day, [Event(kind, day, day)] if kind else []).day
            working = [other for other in (day + timedelta(days=n) for n in range(1, 30)) if is_working_day(other)]
            assert deadline == working[6 if mode == "emergency" else 0]
            day += timedelta(days=1)

    @pytest.mark.parametrize(("events", "status", "mode"), [
        ([], None, "offline24"), ([], "AVAILABLE", "offline24"), ([], "SOMETHING_NEW", "offline24"), ([], "FAILURE", "emergency"),
        ([("MAINTENANCE", "2026-11-16", None)], None, "offline"), ([("MAINTENANCE", "2026-11-17", None)], None, "offline24"),
        ([("MAINTENANCE", "2026-11-16", None), ("FAILURE", "2026-11-16", None)], None, "emergency"),
        ([("FAILURE", "2026-11-16", None)], "TOTAL_FAILURE", "total_failure"),
    ])
    def test_suggested_mode(self, events, status, mode):
        assert suggested_mode(date(2026, 11, 16), [event(*values) for values in events], status) == mode


class TestCodeTwo:
    """KOD II: the link is signed by the certificate of type Offline."""

    context = Context(SELLER)
    xml_hash = sha256_b64(b"<Faktura/>")

    def link(self, pair, **options):
        values = {"environment": get_environment("test"), "context": self.context, "seller_nip": SELLER,
                  "sha256_b64": self.xml_hash, "pair": pair} | options
        return certificate_link(**values)

    @pytest.fixture(params=["ec", "rsa"])
    def offline(self, request, rsa_key):
        """A key pair whose certificate has a serial number such as KSeF gives."""
        return Offline(rsa_key if request.param == "rsa" else ec.generate_private_key(ec.SECP256R1()))

    def test_shape_and_signature(self, offline):
        link = self.link(offline)
        path, _slash, signature = link.removeprefix("https://").rpartition("/")
        assert path == "/".join([
            "qr-test.ksef.mf.gov.pl/certificate/Nip", SELLER, SELLER, offline.info.serial,
            invoice_link(get_environment("test"), SELLER, date(2026, 11, 16), self.xml_hash).rpartition("/")[2]])
        assert "=" not in signature
        value = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        verify(offline.private_key.public_key(), value, path.encode())
        with pytest.raises(InvalidSignature):
            verify(offline.private_key.public_key(), value, (path + "/").encode())

    def test_unit_of_a_company(self, offline):
        assert f"/certificate/InternalId/{SELLER}-12345/{SELLER}/" in self.link(offline, context=Context(f"{SELLER}-12345", "InternalId"))

    @pytest.mark.parametrize("values", [
        {"seller_nip": "PL5265877635"}, {"sha256_b64": "abc"}, {"context": Context("526/587")}])
    def test_nonsense_is_refused(self, offline, values):
        with pytest.raises(KsefConfigError):
            self.link(offline, **values)

    def test_certificate_without_a_number_of_ksef(self):
        with pytest.raises(KsefConfigError, match="serial"):
            self.link(seal(SELLER))

    def test_other_curves_are_refused(self):
        with pytest.raises(KsefConfigError, match="P-256"):
            self.link(Offline(ec.generate_private_key(ec.SECP384R1())))

    def test_ksef_takes_it(self, ksef, sandbox):
        """What the sandbox, with checks of its own, says of links made with a certificate that it has issued."""
        pair = issued_pair(ksef)
        link = self.link(pair, environment=get_environment("local", sandbox.url))
        assert "Certyfikat wystawcy jest prawidłowy" in read(link)
        for wrong in (link[:-8] + "AAAAAAAA", link.replace(f"Nip/{SELLER}/", "Nip/5261040828/")):
            with pytest.raises(urllib.error.HTTPError) as caught:
                read(wrong)
            assert caught.value.code == 404
        other = self.link(seal_like(pair), environment=get_environment("local", sandbox.url))
        with pytest.raises(urllib.error.HTTPError):
            read(other)


class Offline:
    """A pair with a serial number of KSeF, as far as the link needs one."""

    def __init__(self, key):
        self.private_key = key
        self.info = type("Info", (), {"serial": "01F20A5D352AE590"})


def verify(key, signature, data):
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        assert len(signature) == 64
        key.verify(encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:])), data, ec.ECDSA(hashes.SHA256()))


def read(link):
    with urllib.request.urlopen(link, timeout=10) as answer:
        return answer.read().decode()


def issued_pair(ksef):
    """A certificate of type Offline that KSeF has issued, with its key."""
    access = log_in_with(ksef, seal(SELLER)).access
    request = new_csr(ksef.enrollment_data(access))
    reference = ksef.enroll_certificate(access, "Offline 2026", CertificateKind.OFFLINE.value, request.csr).reference_number
    report = wait(lambda: (found := ksef.enrollment_status(access, reference)).status.code != 100 and found)
    [issued] = ksef.retrieve_certificates(access, [report.serial])
    return KeyPair.from_der(request.key_pem, issued.certificate_der)


def seal_like(pair):
    """The number of a certificate with a key that is not its own."""
    other = Offline(ec.generate_private_key(ec.SECP256R1()))
    other.info = pair.info
    return other
