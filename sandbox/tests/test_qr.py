"""The pages behind QR codes I and II, asked as a telephone does."""

import base64
import hashlib

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from .building import rs
from .caller import sha, today
from .documents import invoice
from .signing import rsa_key
from .test_certificates import issued
from .test_signed_login import enter


def url64(data):
    """Base64URL without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def code_one(caller, nip, xml, day=None):
    """The link of code I."""
    year, month, date = (day or today()).split("-")
    return f"{caller.origin}/invoice/{nip}/{date}-{month}-{year}/{url64(hashlib.sha256(xml).digest())}"


def test_code_one(user, own_nip):
    xml = invoice(own_nip, "QR/1")
    assert requests.get(code_one(user, own_nip, xml), timeout=5).status_code == 404
    number = user.sent(xml)["ksefNumber"]
    found = requests.get(code_one(user, own_nip, xml), timeout=5)
    assert found.status_code == 200 and number in found.text and "QR/1" in found.text
    for wrong in (code_one(user, "9999999999", xml), code_one(user, own_nip, xml, "2026-01-01"),
                  code_one(user, own_nip, xml + b" ")):
        assert requests.get(wrong, timeout=5).status_code == 404
    assert requests.get(f"{user.origin}/invoice/{own_nip}/2026-01-01/x", timeout=5).status_code == 400


def test_code_one_of_a_corrected_invoice(user, own_nip):
    broken = invoice(own_nip, "QR/2").replace(b"<JST>2</JST>", b"")
    right = invoice(own_nip, "QR/2")
    user.sent(broken, offlineMode=True)
    number = user.sent(right, offlineMode=True, hashOfCorrectedInvoice=sha(broken))["ksefNumber"]
    for xml in (broken, right):
        assert number in requests.get(code_one(user, own_nip, xml), timeout=5).text


@pytest.mark.parametrize("kind", ["rsa", "p1363", "der"])
def test_code_two(running, own_nip, kind):
    owner = enter(running.caller(), own_nip)
    key = rsa_key() if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    _who, serial = issued(owner, key, "Offline")
    digest = url64(hashlib.sha256(b"invoice").digest())
    host = owner.origin.removeprefix("http://")

    def link(nip_=own_nip, mark=serial):
        path = f"{host}/certificate/Nip/{own_nip}/{nip_}/{mark}/{digest}"
        data = path.encode()
        if kind == "rsa":
            signature = key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        else:
            signature = rs(key, data, hashes.SHA256()) if kind == "p1363" else key.sign(data, ec.ECDSA(hashes.SHA256()))
        return f"http://{path}/{url64(signature)}"
    assert requests.get(link(), timeout=5).status_code == 200
    assert requests.get(link().replace(f"/{digest}/", f"/{url64(hashlib.sha256(b'x').digest())}/"),
                        timeout=5).status_code == 404
    assert requests.get(link(nip_="9999999999"), timeout=5).status_code == 404
    assert requests.get(link(mark="0123456789ABCDEF"), timeout=5).status_code == 404
    owner.call("POST", f"/certificates/{serial}/revoke", {}, expect=204)
    assert requests.get(link(), timeout=5).status_code == 404


def test_code_two_needs_an_offline_certificate(running, own_nip):
    owner = enter(running.caller(), own_nip)
    key = ec.generate_private_key(ec.SECP256R1())
    _who, serial = issued(owner, key)
    path = f"{owner.origin.removeprefix('http://')}/certificate/Nip/{own_nip}/{own_nip}/{serial}/{url64(bytes(32))}"
    answer = requests.get(f"http://{path}/{url64(rs(key, path.encode(), hashes.SHA256()))}", timeout=5)
    assert answer.status_code == 404 and "Offline" in answer.text
    assert requests.get(f"http://{path}/!!!", timeout=5).status_code == 400
