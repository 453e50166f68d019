"""KSeF certificates: data, enrolment with its checks, use, list, revocation, limits."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from .caller import b64, nip, wait_for
from .documents import invoice
from .signing import OIDS, Identity, person, request, rsa_key
from .test_signed_login import build, challenge, code, enter, final, post

SHA256 = hashes.SHA256()
FIELDS = {"commonName": "CN", "countryName": "C", "organizationName": "O", "organizationIdentifier": "OI",
          "givenName": "GN", "surname": "SN", "serialNumber": "serial"}


@pytest.fixture
def owner(running, own_nip):
    """The owner of a context, logged in with a seal."""
    return enter(running.caller(), own_nip)


def names(caller):
    """The subject that a CSR must have."""
    data = caller.get("/certificates/enrollments/data")
    return x509.Name([x509.NameAttribute(OIDS[FIELDS[key]], value) for key, value in data.items()])


def csr(subject, key, hash_=None):
    """PKCS#10 as Base64 of DER."""
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hash_)
    return b64(made.public_bytes(serialization.Encoding.DER))


def enroll(caller, key, kind="Authentication", expect=202, subject=None, hash_=SHA256, **changes):
    """POST /certificates/enrollments."""
    body = {"certificateName": "Certyfikat ERP", "certificateType": kind,
            "csr": csr(subject or names(caller), key, hash_), **changes}
    return caller.call("POST", "/certificates/enrollments", body, expect=expect)


def issued(caller, key, kind="Authentication", **changes):
    """An issued certificate as an Identity."""
    reference = enroll(caller, key, kind, **changes).json()["referenceNumber"]
    status = wait_for(lambda: caller.get(f"/certificates/enrollments/{reference}"),
                      lambda answer: answer["status"]["code"] != 100)
    assert status["status"]["code"] == 200
    serial = status["certificateSerialNumber"]
    [found] = caller.call("POST", "/certificates/retrieve", {"certificateSerialNumbers": [serial]},
                          expect=200).json()["certificates"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(found["certificate"]))
    assert f"{certificate.serial_number:016X}" == serial == found["certificateSerialNumber"]
    return Identity(key, certificate), serial


def errors(answer):
    """Error codes."""
    return [error["code"] for error in answer.json()["errors"]]


def test_enrol_log_in_send_revoke(running, owner, own_nip):
    key = ec.generate_private_key(ec.SECP256R1())
    who, serial = issued(owner, key)
    usage = who.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature and not usage.content_commitment
    machine = running.caller()
    answer = post(machine, build(request(challenge(machine), ("Nip", own_nip)), who), "?verifyCertificateChain=true")
    assert final(machine, answer)[0] == 200
    machine.redeem(answer.json())
    assert machine.get("/auth/sessions")["items"][0]["authenticationMethod"] == "InternalCertificate"
    session = machine.open()
    result = machine.sent(invoice(own_nip, "CERT/1"), session)
    assert result["status"]["code"] == 200
    upo = machine.call("GET", f"/sessions/{session.reference}/invoices/{result['referenceNumber']}/upo", expect=200)
    assert "<SkrotDokumentuUwierzytelniajacego>" in upo.text
    [listed] = owner.call("POST", "/certificates/query", {}, expect=200).json()["certificates"]
    assert (listed["certificateSerialNumber"], listed["status"], listed["name"]) == (serial, "Active", "Certyfikat ERP")
    assert listed["lastUseDate"] and listed["subjectIdentifier"] == {"type": "Nip", "value": own_nip}
    owner.call("POST", f"/certificates/{serial}/revoke", {"revocationReason": "KeyCompromise"}, expect=204)
    assert errors(owner.call("POST", f"/certificates/{serial}/revoke", {}, expect=400)) == [25009]
    answer = post(machine, build(request(challenge(machine), ("Nip", own_nip)), who))
    assert final(machine, answer) == (460, ["Certyfikat odwołany"])


def test_offline_certificates_do_not_log_in(running, owner, own_nip):
    who, _serial = issued(owner, rsa_key(), "Offline")
    assert who.certificate.extensions.get_extension_for_class(x509.KeyUsage).value.content_commitment
    caller = running.caller()
    assert code(post(caller, build(request(challenge(caller), ("Nip", own_nip)), who,
                                   method="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"))) == 21115
    assert not owner.call("POST", "/certificates/query", {"type": "Authentication"}, expect=200).json()["certificates"]


def test_requests_are_checked(owner):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = names(owner)
    other = x509.Name([*subject][:-1])
    assert errors(enroll(owner, key, expect=400, subject=other)) == [25003]
    longer = x509.Name([*subject, x509.NameAttribute(x509.NameOID.LOCALITY_NAME, "Warszawa")])
    assert errors(enroll(owner, key, expect=400, subject=longer)) == [25003]
    assert errors(enroll(owner, rsa_key(3072), expect=400)) == [25010]
    assert errors(enroll(owner, ec.generate_private_key(ec.SECP384R1()), expect=400)) == [25010]
    assert errors(enroll(owner, ed25519.Ed25519PrivateKey.generate(), expect=400, hash_=None)) == [25010]
    assert errors(enroll(owner, key, expect=400, csr=b64(b"junk"))) == [25004]
    spoiled = bytearray(base64.b64decode(csr(subject, key, hashes.SHA256())))
    spoiled[-1] ^= 1
    assert errors(enroll(owner, key, expect=400, csr=b64(bytes(spoiled)))) in ([25004], [25011])
    assert errors(enroll(owner, key, expect=400, hash_=hashes.SHA3_256())) == [25011]
    assert errors(enroll(owner, key, expect=400, certificateName="!!!!!!")) == [21405]
    assert errors(enroll(owner, key, expect=400, certificateType="Other")) == [21405]


def test_a_key_belongs_to_one_subject(running, owner):
    key = ec.generate_private_key(ec.SECP256R1())
    issued(owner, key)
    other = enter(running.caller(), nip(7100))
    reference = enroll(other, key).json()["referenceNumber"]
    status = wait_for(lambda: other.get(f"/certificates/enrollments/{reference}"), lambda a: a["status"]["code"] != 100)
    assert status["status"]["code"] == 400 and "inny podmiot" in status["status"]["details"][0]
    assert errors(owner.call("GET", f"/certificates/enrollments/{reference}", expect=400)) == [25005]


def test_limits(owner):
    before = owner.get("/certificates/limits")
    assert before == {"canRequest": True, "enrollment": {"remaining": 300, "limit": 300},
                      "certificate": {"remaining": 100, "limit": 100}}
    assert owner.get("/limits/subject") == {"enrollment": {"maxEnrollments": 300},
                                            "certificate": {"maxCertificates": 100}}
    owner.call("POST", "/testdata/limits/subject/certificate", {
        "subjectIdentifierType": "Nip", "enrollment": {"maxEnrollments": 5}, "certificate": {"maxCertificates": 1}},
        expect=200)
    _who, serial = issued(owner, ec.generate_private_key(ec.SECP256R1()))
    assert owner.get("/certificates/limits") == {
        "canRequest": False, "enrollment": {"remaining": 4, "limit": 5}, "certificate": {"remaining": 0, "limit": 1}}
    assert errors(enroll(owner, ec.generate_private_key(ec.SECP256R1()), expect=400)) == [25007]
    owner.call("PUT", f"/testdata/certificates/{serial}", {"validTo": "2020-01-01T00:00:00Z"}, expect=200)
    assert owner.call("POST", "/certificates/query", {"status": "Expired"}, expect=200).json()["certificates"]
    assert errors(owner.call("PUT", f"/testdata/certificates/{serial}", {"validTo": "2099-01-01T00:00:00Z"},
                             expect=400)) == [21405]
    owner.call("POST", "/testdata/limits/subject/certificate", {"enrollment": {"maxEnrollments": 1}}, expect=200)
    assert errors(enroll(owner, ec.generate_private_key(ec.SECP256R1()), expect=400)) == [25006]
    owner.call("DELETE", "/testdata/limits/subject/certificate", expect=200)
    assert owner.get("/certificates/limits")["certificate"]["remaining"] == 100


def test_a_person_has_other_limits(running, own_nip):
    caller = running.caller()
    caller.call("POST", "/testdata/person", {"nip": own_nip, "pesel": "92071314764", "isBailiff": False,
                                             "description": "osoba testowa"}, token=None, expect=200)
    enter(caller, own_nip, person("PNOPL-92071314764"))
    assert caller.get("/limits/subject")["certificate"] == {"maxCertificates": 6}
    data = caller.get("/certificates/enrollments/data")
    assert data["givenName"] == "Jan" and data["serialNumber"] == "PNOPL-92071314764"


def test_token_logins_may_not(user):
    assert errors(user.call("GET", "/certificates/enrollments/data", expect=400)) == [25001]
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    assert errors(enroll(user, key, expect=400, subject=subject)) == [25002]
    assert user.get("/certificates/limits")["canRequest"] is False
    refused = user.call("POST", "/certificates/0123456789ABCDEF/revoke", {}, expect=403).json()
    assert refused["reasonCode"] == "auth-method-not-allowed"


def test_strangers_certificates_do_not_exist(running, owner):
    _who, serial = issued(owner, ec.generate_private_key(ec.SECP256R1()))
    other = enter(running.caller(), nip(7200))
    assert errors(other.call("POST", f"/certificates/{serial}/revoke", {}, expect=400)) == [25008]
    assert other.call("POST", "/certificates/retrieve", {"certificateSerialNumbers": [serial]},
                      expect=200).json() == {"certificates": []}
    assert errors(other.call("POST", "/certificates/retrieve", {"certificateSerialNumbers": []}, expect=400)) == [21405]
