"""The login request and its signature, verified here by hand: with lxml and cryptography, without signxml."""

import base64
import copy
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from ksef_test_contract import find_contract
from ksef_test_identity import seal
from lxml import etree

from ksef.errors import KsefConfigError
from ksef.types import AllowedIps, Challenge, Context
from ksef.xades import BY_FINGERPRINT, auth_token_request, sign

CHALLENGE = "20250625-CR-2FDC223000-C2BFC98A9C-4E"
CONTRACT = find_contract()
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XADES = "{http://uri.etsi.org/01903/v1.3.2#}"
AUTH = "{http://ksef.mf.gov.pl/auth/token/2.0}"
PAIRS = {
    "rsa": seal(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)), "p256": seal(),
    "p384": seal(key=ec.generate_private_key(ec.SECP384R1())), "p521": seal(key=ec.generate_private_key(ec.SECP521R1()))}


def request(**options):
    return auth_token_request(CHALLENGE, Context("5265877635"), **options)


def canonical(element):
    """Inclusive canonical form of an element as a document of its own keeps it."""
    return etree.tostring(etree.fromstring(etree.tostring(element, with_tail=False)), method="c14n")


def digest(reference):
    assert reference.find(f"{DS}DigestMethod").get("Algorithm").endswith("xmlenc#sha256")
    return base64.b64decode(reference.findtext(f"{DS}DigestValue"))


class TestSignature:
    @pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
    def test_value(self, pair):
        root = etree.fromstring(sign(request(), pair))
        signature = root[-1]
        assert signature.tag == f"{DS}Signature"
        info = canonical(signature.find(f"{DS}SignedInfo"))
        value = base64.b64decode(signature.findtext(f"{DS}SignatureValue"))
        method = signature.find(f"{DS}SignedInfo/{DS}SignatureMethod").get("Algorithm").rpartition("#")[2]
        key = pair.certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            assert method == "rsa-sha256"
            key.verify(value, info, padding.PKCS1v15(), hashes.SHA256())
            return
        size = (key.curve.key_size + 7) // 8
        assert (method, len(value)) == ("ecdsa-sha256", 2 * size), "R and S of the field's size, not DER"
        numbers = (int.from_bytes(value[:size]), int.from_bytes(value[size:]))
        key.verify(encode_dss_signature(*numbers), info, ec.ECDSA(hashes.SHA256()))

    @pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
    def test_references(self, pair):
        root = etree.fromstring(sign(request(), pair))
        signature = root.find(f"{DS}Signature")
        whole, *others = signature.findall(f"{DS}SignedInfo/{DS}Reference")
        assert whole.get("URI") == ""
        assert whole.find(f"{DS}Transforms/{DS}Transform").get("Algorithm") == f"{DS[1:-1]}enveloped-signature"
        bare = copy.deepcopy(root)
        bare.remove(bare.find(f"{DS}Signature"))
        assert digest(whole) == hashlib.sha256(canonical(bare)).digest()
        assert canonical(bare) == canonical(etree.fromstring(request())), "nothing was changed by signing"
        for reference in others:
            [target] = root.xpath("//*[@Id=$id]", id=reference.get("URI")[1:])
            assert digest(reference) == hashlib.sha256(canonical(target)).digest()
        [properties] = root.iter(f"{XADES}SignedProperties")
        assert [item.get("URI") for item in others if item.get("Type") == "http://uri.etsi.org/01903#SignedProperties"] == [
            f"#{properties.get('Id')}"]

    def test_certificate(self):
        pair = PAIRS["p256"]
        signature = etree.fromstring(sign(request(), pair)).find(f"{DS}Signature")
        [shown] = signature.iter(f"{DS}X509Certificate")
        assert base64.b64decode(shown.text) == pair.certificate_der
        [named] = signature.iter(f"{XADES}CertDigest")
        assert digest(named) == hashlib.sha256(pair.certificate_der).digest()
        [properties] = signature.iter(f"{XADES}QualifyingProperties")
        assert properties.get("Target") == f"#{signature.get('Id')}"

    def test_time(self):
        """Not in KSeF's future, and not before the certificate was valid."""
        now = datetime.now(UTC).replace(microsecond=0)
        pair = PAIRS["p256"]
        for given, stated in (
                (now, now - timedelta(minutes=1)),
                (pair.info.valid_from + timedelta(seconds=5), pair.info.valid_from)):
            [found] = etree.fromstring(sign(request(), pair, now=given)).iter(f"{XADES}SigningTime")
            assert datetime.fromisoformat(found.text) == stated

    def test_two_signatures_differ(self):
        assert sign(request(), PAIRS["p256"]) != sign(request(), PAIRS["p256"])

    @pytest.mark.parametrize("document", [
        b"", b"<a/>", b"<AuthTokenRequest/>", b"nothing", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
    def test_other_documents_are_not_signed(self, document):
        with pytest.raises(KsefConfigError):
            sign(document, PAIRS["p256"])


class TestRequest:
    POLICY = AllowedIps(("203.0.113.7",), ("10.0.0.1-10.0.0.9", "10.1.0.1-10.1.0.9"), ("192.168.0.0/16",))

    def test_content(self):
        root = etree.fromstring(request(policy=self.POLICY, subject_type=BY_FINGERPRINT))
        assert [(element.tag.removeprefix(AUTH), (element.text or "").strip()) for element in root.iter()] == [
            ("AuthTokenRequest", ""), ("Challenge", CHALLENGE), ("ContextIdentifier", ""), ("Nip", "5265877635"),
            ("SubjectIdentifierType", "certificateFingerprint"), ("AuthorizationPolicy", ""), ("AllowedIps", ""),
            ("Ip4Address", "203.0.113.7"), ("Ip4Range", "10.0.0.1-10.0.0.9"), ("Ip4Range", "10.1.0.1-10.1.0.9"),
            ("Ip4Mask", "192.168.0.0/16")]

    def test_challenge_as_ksef_gives_it(self):
        assert auth_token_request(Challenge(CHALLENGE, 1), Context("5265877635")) == request()

    @pytest.mark.skipif(not CONTRACT, reason="KSeF's schemas are not here (see KSEF_SHARED)")
    @pytest.mark.parametrize("context", [
        Context("5265877635"), Context("5265877635-12345", "InternalId"), Context("5265877635-DE123456789", "NipVatUe"),
        Context("PPL000001", "PeppolId")], ids=lambda context: context.type)
    @pytest.mark.parametrize("policy", [None, POLICY], ids=["anywhere", "addresses"])
    def test_official_schema(self, context, policy):
        path = CONTRACT.parents[1] / "xsd/auth/schemat_auth_v2-0.libxml2-patched.xsd"
        schema = etree.XMLSchema(etree.parse(path))
        schema.assertValid(etree.fromstring(auth_token_request(CHALLENGE, context, policy=policy)))

    @pytest.mark.parametrize(("challenge", "context", "subject_type"), [
        ("", Context("5265877635"), "certificateSubject"), (CHALLENGE + "\n", Context("5265877635"), "certificateSubject"),
        (CHALLENGE, Context("0265877635"), "certificateSubject"), (CHALLENGE, Context("5265877635\n"), "certificateSubject"),
        (CHALLENGE, Context("5265877635", "Pesel"), "certificateSubject"),
        (CHALLENGE, Context("526587763</Nip>", "Nip"), "certificateSubject"),
        (CHALLENGE, Context("5265877635", "InternalId"), "certificateSubject"),
        (CHALLENGE, Context("5265877635"), "other")])
    def test_bad_input(self, challenge, context, subject_type):
        with pytest.raises(KsefConfigError):
            auth_token_request(challenge, context, subject_type)

    @pytest.mark.parametrize("addresses", [
        {"addresses": ("203.0.113.777",)}, {"addresses": ("::1",)}, {"ranges": ("10.0.0.1",)},
        {"ranges": ("10.0.0.1-10.0.0.2-10.0.0.3",)}, {"masks": ("10.0.0.0/33",)}, {"masks": ("10.0.0.0",)},
        {"addresses": ("10.0.0.1",) * 11}])
    def test_bad_addresses(self, addresses):
        with pytest.raises(KsefConfigError):
            AllowedIps(**addresses)
