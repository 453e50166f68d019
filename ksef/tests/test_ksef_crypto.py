"""Hashes and encryption, undone with independent means."""

import base64
import copy
import hashlib
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from ksef_test_keys import make_certificate, public_key

from ksef import crypto
from ksef.errors import KsefConfigError
from ksef.types import KeyUsage, PublicKey

NOW = datetime.now(UTC)


def decrypt(key, text):
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return key.decrypt(base64.b64decode(text, validate=True), oaep)


def test_hashes():
    assert crypto.sha256_b64(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert crypto.sha256_b64url(b"") == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"


def test_session_secrets_are_random_and_hidden():
    secrets = {crypto.new_session_secret() for _index in range(50)}
    assert len({secret.key for secret in secrets} | {secret.iv for secret in secrets}) == 100
    secret = secrets.pop()
    assert (len(secret.key), len(secret.iv)) == (32, 16)
    assert repr(secret) == str(secret) == "SessionSecret()"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.deepcopy(secret)


@pytest.mark.parametrize(("key", "iv"), [(31, 16), (32, 15), (0, 0), (16, 16), (32, 32)])
def test_session_secret_of_the_wrong_length(key, iv):
    with pytest.raises(KsefConfigError):
        crypto.SessionSecret(bytes(key), bytes(iv))


@given(st.binary(max_size=200))
def test_invoice_is_encrypted_as_ksef_decrypts_it(xml):
    secret = crypto.SessionSecret(bytes(range(32)), bytes(range(16)))
    invoice = crypto.encrypt_invoice(xml, secret)
    content = base64.b64decode(invoice.content_b64, validate=True)
    assert invoice.size == len(xml)
    assert invoice.encrypted_size == len(content) == (len(xml) // 16 + 1) * 16, "always at least one byte of padding"
    assert base64.b64decode(invoice.hash) == hashlib.sha256(xml).digest()
    assert base64.b64decode(invoice.encrypted_hash) == hashlib.sha256(content).digest()
    decryptor = Cipher(algorithms.AES(secret.key), modes.CBC(secret.iv)).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    assert padded[:len(xml)] == xml
    assert padded[len(xml):] == bytes([len(content) - len(xml)]) * (len(content) - len(xml))


def test_size_in_the_ministrys_example():
    secret = crypto.new_session_secret()
    assert crypto.encrypt_invoice(bytes(16037), secret).encrypted_size == 16048


def test_invoice_content_is_not_shown():
    invoice = crypto.encrypt_invoice(b"<Faktura/>", crypto.new_session_secret())
    assert invoice.content_b64 not in repr(invoice)


def test_session_key_for_ksef(rsa_key):
    secret = crypto.new_session_secret()
    key = public_key(rsa_key)
    encryption = crypto.encrypt_session_key(secret, key)
    assert decrypt(rsa_key, encryption.encrypted_key_b64) == secret.key, "the raw 32 bytes, not their Base64"
    assert base64.b64decode(encryption.iv_b64, validate=True) == secret.iv
    assert encryption.public_key_id == key.public_key_id
    again = crypto.encrypt_session_key(secret, key)
    assert again.encrypted_key_b64 != encryption.encrypted_key_b64, "OAEP is random"


def test_token_for_ksef(rsa_key):
    token = "20250625-EC-2FDC223000-C2BFC98A9C-4E|nip-5265877635|" + "0a" * 32
    encrypted = crypto.encrypt_token(token, 1752236636015, public_key(rsa_key))
    assert decrypt(rsa_key, encrypted) == f"{token}|1752236636015".encode()


def test_longest_token_fits_the_smallest_key(rsa_key):
    assert crypto.encrypt_token("x" * 160, 1752236636015, public_key(rsa_key))


@pytest.mark.parametrize("token", ["", "x" * 500])
def test_no_ksef_token(rsa_key, token):
    with pytest.raises(KsefConfigError) as caught:
        crypto.encrypt_token(token, 1, public_key(rsa_key))
    assert not token or token not in str(caught.value)


def test_public_key_id_is_that_of_the_key_not_of_the_certificate(rsa_key):
    first, second = (make_certificate(rsa_key).public_bytes(Encoding.DER) for _index in range(2))
    assert first != second
    spki = rsa_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    assert crypto.public_key_id(first) == crypto.public_key_id(second) == expected


class TestSelection:
    def select(self, *keys):
        return crypto.select_public_key(keys, KeyUsage.SESSION, NOW)

    def test_latest_start_of_validity_wins(self, rsa_key, other_rsa_key):
        old, new = public_key(rsa_key, start=-100), public_key(other_rsa_key, start=-1)
        assert self.select(old, new) is new
        assert self.select(new, old) is new

    def test_only_what_is_valid_now(self, rsa_key, other_rsa_key):
        good = public_key(rsa_key, start=-100)
        future, past = public_key(other_rsa_key, start=1), public_key(other_rsa_key, start=-9, end=-1)
        assert self.select(future, good, past) is good

    def test_clock_that_is_wrong(self, rsa_key, other_rsa_key):
        """KSeF has just changed its keys, and the clock here is ten minutes off: only what KSeF offers can be used."""
        minutes = 1 / 24 / 60
        for key in (public_key(rsa_key, start=10 * minutes), public_key(rsa_key, start=-9, end=-10 * minutes)):
            assert self.select(key) is key
        good = public_key(other_rsa_key, start=-100)
        assert self.select(public_key(rsa_key, start=10 * minutes), good) is good
        for key in (public_key(rsa_key, start=20 * minutes), public_key(rsa_key, start=-9, end=-20 * minutes)):
            with pytest.raises(KsefConfigError, match="clock"):
                self.select(key)

    def test_only_of_this_usage(self, rsa_key, other_rsa_key):
        good = public_key(rsa_key, start=-100, usages=["SomethingNew", KeyUsage.SESSION])
        assert self.select(public_key(other_rsa_key, usages=[KeyUsage.LOGIN]), good) is good

    def test_an_ec_key_is_passed_over(self, rsa_key, ec_key):
        good = public_key(rsa_key, start=-100)
        assert self.select(public_key(ec_key, start=-1), good) is good

    def test_only_an_ec_key(self, ec_key):
        key = public_key(ec_key)
        with pytest.raises(KsefConfigError, match="not RSA"):
            self.select(key)
        with pytest.raises(KsefConfigError):
            crypto.encrypt_session_key(crypto.new_session_secret(), key)

    def test_rsa_key_that_is_too_short(self):
        short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        with pytest.raises(KsefConfigError):
            self.select(public_key(short))

    @pytest.mark.parametrize("certificate", [b"", b"garbage", b"0\x03\x02\x01\x01"])
    def test_no_certificate(self, certificate):
        key = PublicKey(certificate, "x", NOW - timedelta(1), NOW + timedelta(1), frozenset([KeyUsage.SESSION]))
        with pytest.raises(KsefConfigError):
            self.select(key)

    def test_none_at_all(self):
        with pytest.raises(KsefConfigError, match="clock"):
            self.select()
