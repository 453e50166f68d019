"""Reading the files of a certificate: every form that people have them in, and every mistake."""

import base64
import copy
import pickle
import re
import time
from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from ksef_test_identity import person, seal, self_signed

from ksef.certificates import (
    MAX_BYTES,
    CertificateFault,
    CertificateKind,
    CertificateProblem,
    KeyPair,
    new_csr,
    read_certificate,
    read_credentials,
)
from ksef.errors import KsefConfigError

PASSWORD = "Zażółć gęślą 1!"
PAIR = seal(usage=("digital_signature",))
OTHER = seal("1111111111")
RSA_PAIR = seal(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))


def certificate_file(encoding=Encoding.PEM, pair=PAIR):
    return pair.certificate.public_bytes(encoding)


def key_file(encoding=Encoding.PEM, pair=PAIR, password=PASSWORD, form=PrivateFormat.PKCS8):
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pair.private_key.private_bytes(encoding, form, encryption)


def store_file(pair=PAIR, password=PASSWORD, others=None):
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"ksef", pair.private_key, pair.certificate, others, encryption)


def problem(files, password=None):
    with pytest.raises(CertificateProblem) as caught:
        read_credentials(files, password)
    error = caught.value
    assert error.description
    assert PASSWORD not in f"{error} {vars(error)}"
    return error


class TestForms:
    @pytest.mark.parametrize("pair", [PAIR, RSA_PAIR], ids=["ec", "rsa"])
    @pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=["pem", "der"])
    @pytest.mark.parametrize("password", [PASSWORD, None], ids=["encrypted", "plain"])
    def test_certificate_and_key(self, pair, encoding, password):
        files = [certificate_file(encoding, pair), key_file(encoding, pair, password)]
        for ordered in (files, files[::-1]):
            found = read_credentials(ordered, password)
            assert found.certificate == pair.certificate
            assert found.private_key.private_numbers() == pair.private_key.private_numbers()

    @pytest.mark.parametrize("password", [PASSWORD, None], ids=["encrypted", "plain"])
    def test_pkcs12(self, password):
        assert read_credentials([store_file(password=password)], password).certificate == PAIR.certificate

    @pytest.mark.parametrize("pair", [PAIR, RSA_PAIR], ids=["ec", "rsa"])
    @pytest.mark.parametrize("password", [PASSWORD, None], ids=["encrypted", "plain"])
    def test_traditional_key(self, pair, password):
        key = key_file(pair=pair, password=password, form=PrivateFormat.TraditionalOpenSSL)
        assert read_credentials([certificate_file(pair=pair), key], password).info == pair.info

    def test_all_in_one_file(self):
        assert read_credentials([b"Bag Attributes\n" + key_file() + certificate_file()], PASSWORD).info == PAIR.info

    @pytest.mark.parametrize("change", [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: b"\xff\xfe" + text.decode().encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.decode().encode("utf-16-be"),
        lambda text: b"\n\n  " + text.replace(b"\n", b"\n  ") + b"\n\n",
        lambda text: text.rstrip(b"\n"),
        lambda text: re.sub(rb"(-----BEGIN [A-Z ]+-----)\n", rb"\1", text).replace(b"\n-----END", b"-----END"),
        lambda text: re.sub(rb"(?<![-])\n(?!-)", rb"", text),
    ], ids=["crlf", "cr", "bom", "utf-16-le", "utf-16-be", "indented", "no-end", "no-breaks", "one-line"])
    def test_what_editors_do(self, change):
        for password in (PASSWORD, None):
            files = [change(certificate_file()), change(key_file(password=password))]
            assert read_credentials(files, password).info == PAIR.info

    def test_bare_base64(self):
        files = [base64.b64encode(certificate_file(Encoding.DER)), base64.encodebytes(key_file(Encoding.DER))]
        assert read_credentials(files, PASSWORD).info == PAIR.info

    @pytest.mark.parametrize("typed", [f" {PASSWORD}", f"{PASSWORD}\n"])
    def test_password_copied_with_blanks(self, typed):
        assert read_credentials([certificate_file(), key_file()], typed).info == PAIR.info

    def test_password_that_really_ends_with_a_blank(self):
        assert read_credentials([certificate_file(), key_file(password="a ")], "a ").info == PAIR.info

    def test_needless_password(self):
        assert read_credentials([certificate_file(), key_file(password=None)], PASSWORD).info == PAIR.info
        assert read_credentials([store_file(password=None)], PASSWORD).info == PAIR.info

    def test_authorities_beside_it(self):
        authority = self_signed({"C": "PL", "CN": "CA"}, authority=True)
        chain = certificate_file(pair=authority) + certificate_file()
        assert read_credentials([chain, key_file()], PASSWORD).info == PAIR.info
        assert read_credentials([store_file(others=[authority.certificate])], PASSWORD).info == PAIR.info
        bundle = pkcs7.serialize_certificates([authority.certificate, PAIR.certificate], Encoding.DER)
        assert read_credentials([bundle, key_file()], PASSWORD).info == PAIR.info
        bundle = pkcs7.serialize_certificates([authority.certificate, PAIR.certificate], Encoding.PEM)
        assert read_credentials([bundle, key_file()], PASSWORD).info == PAIR.info
        assert read_certificate([chain]) == PAIR.info

    def test_same_file_twice(self):
        assert read_credentials([certificate_file(), certificate_file(Encoding.DER), key_file(), key_file()], PASSWORD)

    def test_stored_form(self):
        again = KeyPair.from_pem(PAIR.key_pem, PAIR.certificate_pem)
        assert again.info == PAIR.info
        assert KeyPair.from_pem(PAIR.key_pem.reveal(), PAIR.certificate_pem).certificate_der == PAIR.certificate_der
        assert "PRIVATE" not in f"{PAIR} {PAIR!r} {PAIR.key_pem}"
        for copying in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                copying(PAIR)


def request_file():
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM), made.public_bytes(Encoding.DER)


def public_file(encoding):
    return PAIR.private_key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def foreign_key(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class TestProblems:
    @pytest.mark.parametrize(("files", "password", "fault"), [
        ([b"%PDF-1.7\n%\xe2\xe3" + b"x" * 500], None, CertificateFault.NOT_A_CERTIFICATE),
        ([b"\x89PNG\r\n\x1a\n" + b"x" * 500], None, CertificateFault.NOT_A_CERTIFICATE),
        ([b"<html><body>Zaloguj</body></html>"], None, CertificateFault.NOT_A_CERTIFICATE),
        (["hasło: tajne".encode()], None, CertificateFault.NOT_A_CERTIFICATE),
        ([b"\x00" * (MAX_BYTES + 1)], None, CertificateFault.TOO_LARGE),
        ([certificate_file(), b"-----BEGIN PRIVATE KEY-----" * 2_000_000], None, CertificateFault.TOO_LARGE),
        ([b""], None, CertificateFault.EMPTY),
        ([b" \r\n"], None, CertificateFault.EMPTY),
        ([certificate_file()[:-30]], None, CertificateFault.DAMAGED),
        ([certificate_file(Encoding.DER)[:-30]], None, CertificateFault.DAMAGED),
        ([b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----"], None, CertificateFault.DAMAGED),
        ([certificate_file(), key_file(Encoding.DER)[:-9]], PASSWORD, CertificateFault.DAMAGED),
        ([certificate_file(), key_file(Encoding.DER, password=None)[:-9]], None, CertificateFault.DAMAGED),
        ([certificate_file(), b"0\x03\x02\x01\x05"], PASSWORD, CertificateFault.DAMAGED),
        ([certificate_file(), b"0"], PASSWORD, CertificateFault.DAMAGED),
        ([store_file()[:-9]], PASSWORD, CertificateFault.DAMAGED),
        ([certificate_file(), key_file()], "inne", CertificateFault.PASSWORD_WRONG),
        ([certificate_file(), key_file(Encoding.DER)], "inne", CertificateFault.PASSWORD_WRONG),
        ([certificate_file(), key_file(form=PrivateFormat.TraditionalOpenSSL)], "inne", CertificateFault.PASSWORD_WRONG),
        ([store_file()], "inne", CertificateFault.PASSWORD_WRONG),
        ([certificate_file(), key_file()], None, CertificateFault.PASSWORD_MISSING),
        ([certificate_file(), key_file(Encoding.DER)], "", CertificateFault.PASSWORD_MISSING),
        ([certificate_file(), key_file(form=PrivateFormat.TraditionalOpenSSL)], None, CertificateFault.PASSWORD_MISSING),
        ([store_file()], None, CertificateFault.PASSWORD_MISSING),
        ([certificate_file(), key_file(pair=OTHER)], PASSWORD, CertificateFault.KEY_MISMATCH),
        ([certificate_file(), key_file(pair=RSA_PAIR)], PASSWORD, CertificateFault.KEY_MISMATCH),
        ([certificate_file()], None, CertificateFault.NO_KEY),
        ([key_file()], PASSWORD, CertificateFault.NO_CERTIFICATE),
        ([certificate_file(), public_file(Encoding.PEM)], None, CertificateFault.PUBLIC_KEY),
        ([certificate_file(), public_file(Encoding.DER)], None, CertificateFault.PUBLIC_KEY),
        ([request_file()[0], key_file()], PASSWORD, CertificateFault.SIGNING_REQUEST),
        ([request_file()[1], key_file()], PASSWORD, CertificateFault.SIGNING_REQUEST),
        ([certificate_file() + certificate_file(pair=OTHER)], None, CertificateFault.SEVERAL_CERTIFICATES),
        ([certificate_file() + certificate_file(pair=OTHER), key_file(pair=RSA_PAIR)], PASSWORD,
         CertificateFault.SEVERAL_CERTIFICATES),
        ([certificate_file(), key_file(), key_file(pair=OTHER)], PASSWORD, CertificateFault.SEVERAL_KEYS),
        ([certificate_file(), foreign_key(ed25519.Ed25519PrivateKey.generate())], None, CertificateFault.UNSUPPORTED_KEY),
        ([certificate_file(), foreign_key(dsa.generate_private_key(2048))], None, CertificateFault.UNSUPPORTED_KEY),
        ([certificate_file(), b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"], None,
         CertificateFault.UNSUPPORTED_KEY),
    ])
    def test_each_has_its_own(self, files, password, fault):
        assert problem(files, password).fault == fault

    @pytest.mark.parametrize("key", [
        rsa.generate_private_key(public_exponent=65537, key_size=1024), ec.generate_private_key(ec.SECP224R1())])
    def test_weak_key(self, key):
        with pytest.raises(CertificateProblem) as caught:
            seal(key=key)
        assert caught.value.fault == CertificateFault.WEAK_KEY

    def test_old_encryption_is_named(self):
        """PBES1 with DES, as very old programs write it."""
        key = bytes.fromhex("3024301b06092a864886f70d010503300e0408000000000000000002020800") + b"\x04\x05abcde"
        key = b"\x30" + bytes([len(key) - 2]) + key[2:]
        assert problem([certificate_file(), key], PASSWORD).fault in (
            CertificateFault.UNSUPPORTED_ENCRYPTION, CertificateFault.PASSWORD_WRONG)

    @pytest.mark.parametrize("make", [key_file, store_file], ids=["pkcs8", "pkcs12"])
    def test_password_that_wants_endless_hashing(self, make):
        """A file that names 2,000,000,000 rounds would block the process that tries its password."""
        content = make(Encoding.DER) if make is key_file else make()
        spoiled = re.sub(
            rb"(\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c\x30)(.)(\x04)(.)(.{8,32}?)\x02\x02(..)",
            lambda found: b"".join(found.groups()[:5]) + b"\x02\x04\x77\x35\x94\x00", content, count=1, flags=re.DOTALL)
        assert spoiled != content
        started = time.monotonic()
        assert problem([certificate_file(), spoiled], PASSWORD).fault == CertificateFault.UNSUPPORTED_ENCRYPTION
        assert time.monotonic() - started < 1

    def test_check_sum_that_wants_endless_hashing(self):
        spoiled = store_file() + b"\x02\x04\x77\x35\x94\x00"
        assert problem([spoiled], PASSWORD).fault == CertificateFault.UNSUPPORTED_ENCRYPTION

    @pytest.mark.parametrize("place", [b"Firma", b"VATPL"])
    def test_name_that_is_no_text(self, place):
        """Damage inside a name is noticed late by some versions of the library, but always by name."""
        content = certificate_file(Encoding.DER).replace(b"\x0c" + bytes([len(place)]) + place, b"\xb1\x05" + place)
        content = content.replace(b"0H1", b"0Y1")
        with pytest.raises(CertificateProblem):
            read_certificate([content])

    def test_certificate_of_an_unknown_version(self):
        spoiled = certificate_file(Encoding.DER).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x63", 1)
        assert problem([spoiled, key_file()], PASSWORD).fault == CertificateFault.DAMAGED

    def test_problem_shows_which_certificate_it_is(self):
        assert problem([certificate_file(), key_file(pair=OTHER)], PASSWORD).info == PAIR.info
        assert problem([certificate_file()]).info == PAIR.info

    def test_stored_form_that_is_damaged(self):
        with pytest.raises(CertificateProblem) as caught:
            KeyPair.from_pem(PAIR.key_pem, "nothing")
        assert caught.value.fault == CertificateFault.DAMAGED

    @pytest.mark.parametrize(("valid", "fault"), [
        ((-30, -1), CertificateFault.EXPIRED), ((1, 30), CertificateFault.NOT_YET_VALID)])
    def test_validity(self, valid, fault):
        info = seal(valid=valid).info
        with pytest.raises(CertificateProblem) as caught:
            info.check_now()
        assert caught.value.fault == fault
        assert caught.value.info == info
        info.check_now(info.valid_from)


MATERIAL = [
    certificate_file(), certificate_file(Encoding.DER), key_file(), key_file(Encoding.DER), store_file(), store_file(password=None),
    key_file(form=PrivateFormat.TraditionalOpenSSL), *request_file(), public_file(Encoding.DER),
    pkcs7.serialize_certificates([PAIR.certificate], Encoding.DER)]


class TestAnything:
    """Whatever a file holds: a pair, or a problem with a name."""

    @settings(deadline=None, max_examples=80)
    @given(files=st.lists(st.binary(max_size=200) | st.sampled_from(MATERIAL), max_size=3), password=st.none() | st.text(max_size=5))
    def test_random_files(self, files, password):
        with suppress(CertificateProblem):
            assert read_credentials(files, password).info

    @settings(deadline=None, max_examples=80)
    @given(data=st.data())
    def test_spoiled_files(self, data):
        content = bytearray(data.draw(st.sampled_from(MATERIAL)))
        for _time in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        with suppress(CertificateProblem):
            read_credentials([bytes(content), certificate_file()], PASSWORD)
        with suppress(CertificateProblem):
            read_certificate([bytes(content)])


class TestInfo:
    def test_seal(self):
        info = PAIR.info
        assert (info.name, info.organization, info.nip, info.pesel) == ("Firma", "Firma", "5265877635", None)
        assert info.is_seal
        assert info.kind == CertificateKind.AUTHENTICATION
        assert (info.key_kind, info.key_bits) == ("EC", 256)
        assert re.fullmatch("[0-9A-F]{16,}", info.serial)
        assert int(info.serial, 16) == PAIR.certificate.serial_number
        assert info.fingerprint == PAIR.certificate.fingerprint(hashes.SHA256()).hex().upper()
        assert info.valid_from.utcoffset() is not None
        assert info.identifier_masked == "NIP 5265877635"

    def test_serial_keeps_its_zeros(self):
        """KSeF shows 16 digits, the number itself may begin with zeros."""
        builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([]))
        made = builder.public_key(PAIR.private_key.public_key()).serial_number(0xAB).not_valid_before(
            PAIR.certificate.not_valid_before_utc).not_valid_after(PAIR.certificate.not_valid_after_utc).sign(
                PAIR.private_key, hashes.SHA256())
        assert KeyPair(made, PAIR.private_key).info.serial == "00000000000000AB"

    @pytest.mark.parametrize(("identifier", "nip", "pesel"), [
        ("PNOPL-44051401359", None, "44051401359"), ("PESEL: 44051401359", None, "44051401359"),
        ("TINPL-5265877635", "5265877635", None), ("NIP-5265877635", "5265877635", None), ("12", None, None)])
    def test_person(self, identifier, nip, pesel):
        info = person(identifier).info
        assert (info.nip, info.pesel, info.is_seal) == (nip, pesel, False)

    def test_pesel_is_not_shown(self):
        info = person("PNOPL-44051401359").info
        assert info.identifier_masked == "PESEL *******1359"
        assert "44051401359" not in repr(info)

    @pytest.mark.parametrize(("usage", "kind"), [
        (("digital_signature",), CertificateKind.AUTHENTICATION), (("content_commitment",), CertificateKind.OFFLINE),
        (("digital_signature", "content_commitment"), CertificateKind.OTHER), ((), CertificateKind.OTHER)])
    def test_kind(self, usage, kind):
        assert seal(usage=usage).info.kind == kind

    def test_qualified_seal_is_not_taken_for_an_offline_certificate(self):
        assert seal(usage=("content_commitment",), qualified=True).info.kind == CertificateKind.OTHER

    def test_rsa(self):
        assert (RSA_PAIR.info.key_kind, RSA_PAIR.info.key_bits) == ("RSA", 2048)


class TestRequest:
    DATA = {
        "commonName": "Jan Żółw", "countryName": "PL", "givenName": "Jan", "surname": "Żółw",
        "serialNumber": "PNOPL-44051401359", "organizationName": None}

    def test_subject_is_what_ksef_gives(self):
        made = new_csr(self.DATA)
        csr = x509.load_der_x509_csr(base64.b64decode(made.csr))
        assert csr.is_signature_valid
        assert isinstance(csr.public_key().curve, ec.SECP256R1)
        assert {(attribute.rfc4514_attribute_name, attribute.value) for attribute in csr.subject} == {
            ("CN", "Jan Żółw"), ("C", "PL"), ("2.5.4.42", "Jan"), ("2.5.4.4", "Żółw"), ("2.5.4.5", "PNOPL-44051401359")}
        assert "PRIVATE" in made.key_pem.reveal()
        assert "PRIVATE" not in repr(made)

    def test_a_new_key_each_time(self):
        assert new_csr(self.DATA).key_pem != new_csr(self.DATA).key_pem

    def test_impossible_data(self):
        with pytest.raises(KsefConfigError):
            new_csr(self.DATA | {"countryName": "Polska"})
