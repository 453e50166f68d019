"""Requests signed elsewhere: what may go to KSeF passes, what KSeF must refuse is named before it is sent."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from ksef_test_contract import find_contract
from ksef_test_identity import person, seal
from ksef_test_sandbox import BUYER, SELLER, wait
from ksef_test_signing import DS, EXCLUSIVE, FILTER, INCLUSIVE, MORE, SHA1, SHA512, XPATH, Signing, b64, pss
from lxml import etree
from signxml import CanonicalizationMethod, SignatureConstructionMethod
from signxml.xades import XAdESSigner

from ksef import signed_request
from ksef.errors import ApiCode, KsefRefusedError
from ksef.signed_request import RequestFault, RequestProblem, check
from ksef.types import Context
from ksef.xades import auth_token_request, sign

CHALLENGE = "20250625-CR-2FDC223000-C2BFC98A9C-4E"
CONTRACT = find_contract()
CONTEXT = Context(SELLER)
REQUEST = auth_token_request(CHALLENGE, CONTEXT)
PAIR = seal()
RSA = seal(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
P384 = seal(key=ec.generate_private_key(ec.SECP384R1()))


def rsa_sha256(key, data):
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def judge(signed, *, challenge=CHALLENGE, context=CONTEXT, now=None, minutes=10):
    now = now or datetime.now(UTC)
    return check(signed, challenge, context, now, now + timedelta(minutes=minutes))


def fault(signed, **expected):
    with pytest.raises(RequestProblem) as caught:
        judge(signed, **expected)
    assert caught.value.description
    return caught.value.fault


GOOD = {
    "ours": (sign(REQUEST, PAIR), PAIR),
    "ours-rsa": (sign(REQUEST, RSA), RSA),
    "by-hand": (Signing().sign(REQUEST, PAIR), PAIR),
    "inclusive": (Signing(c14n=INCLUSIVE).sign(REQUEST, PAIR), PAIR),
    "c14n11": (Signing(c14n="http://www.w3.org/2006/12/xml-c14n11").sign(REQUEST, PAIR), PAIR),
    "with-comments": (Signing(c14n=EXCLUSIVE + "WithComments").sign(REQUEST, PAIR), PAIR),
    "xpath": (Signing(filtering=XPATH).sign(REQUEST, PAIR), PAIR),
    "filter2": (Signing(filtering=FILTER).sign(REQUEST, PAIR), PAIR),
    "v2-mark": (Signing(mark="SigningCertificateV2").sign(REQUEST, PAIR), PAIR),
    "sha1-mark": (Signing(mark_digest=SHA1).sign(REQUEST, PAIR), PAIR),
    "sha512": (Signing(digest=SHA512).sign(REQUEST, PAIR), PAIR),
    "rsa": (Signing(method=MORE + "rsa-sha256", value=rsa_sha256).sign(REQUEST, RSA), RSA),
    "pss": (Signing(method="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", value=pss).sign(REQUEST, RSA), RSA),
    "p384": (Signing().sign(REQUEST, P384), P384),
    "enveloping": (Signing(is_enveloping=True).sign(REQUEST, PAIR), PAIR),
    "enveloping-inclusive": (Signing(is_enveloping=True, c14n=INCLUSIVE).sign(REQUEST, PAIR), PAIR),
    "enveloping-base64": (Signing(is_enveloping=True, is_encoded=True).sign(REQUEST, PAIR), PAIR),
    "xml:lang": (Signing().sign(REQUEST.replace(b"<AuthTokenRequest ", b'<AuthTokenRequest xml:lang="pl" '), PAIR), PAIR),
}


class TestGood:
    @pytest.mark.parametrize(("signed", "pair"), GOOD.values(), ids=GOOD)
    def test_passes(self, signed, pair):
        info = judge(signed)
        assert info.is_verified
        assert (info.challenge, info.context, info.subject_type) == (CHALLENGE, CONTEXT, "certificateSubject")
        assert info.signer == pair.info
        assert info.is_enveloping == signed.startswith(b"<Signature")

    @pytest.mark.parametrize("packaging", [SignatureConstructionMethod.enveloped, SignatureConstructionMethod.enveloping])
    @pytest.mark.parametrize("c14n", [
        CanonicalizationMethod.CANONICAL_XML_1_0, CanonicalizationMethod.CANONICAL_XML_1_1_WITH_COMMENTS])
    def test_of_another_library(self, packaging, c14n):
        made = XAdESSigner(method=packaging, c14n_algorithm=c14n).sign(
            etree.fromstring(REQUEST), key=RSA.private_key, cert=RSA.certificate_pem)
        assert judge(etree.tostring(made)).is_verified

    @pytest.mark.skipif(not CONTRACT, reason="the samples are not here (see KSEF_SHARED)")
    @pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
    def test_samples(self, kind):
        signed = (CONTRACT.parents[1] / f"samples/auth/SELFGEN-signed-auth-{kind}.xml").read_bytes()
        challenge = etree.fromstring(signed)[0].text
        info = judge(signed, challenge=challenge, now=datetime(2026, 11, 21, 21, tzinfo=UTC))
        assert info.is_verified
        assert info.signer.name == "Jan Kowalski"

    @pytest.mark.parametrize("signed", [signed for signed, _pair in GOOD.values()], ids=GOOD)
    def test_ksef_agrees(self, ksef, signed):
        """What passes here is good for KSeF: it refuses only the old challenge."""
        with pytest.raises(KsefRefusedError) as caught:
            ksef.start_signed_login(signed)
        assert caught.value.code == ApiCode.BAD_CHALLENGE

    def test_what_is_added_to_a_signature_later(self):
        """Time stamps and counter-signatures (XAdES-T and further) stand in unsigned properties."""
        root = etree.fromstring(Signing().sign(REQUEST, PAIR))
        [qualifying] = root.iter("{http://uri.etsi.org/01903/v1.3.2#}QualifyingProperties")
        qualifying.append(etree.fromstring(
            '<x:UnsignedProperties xmlns:x="http://uri.etsi.org/01903/v1.3.2#"><x:UnsignedSignatureProperties>'
            "<x:SignatureTimeStamp><x:EncapsulatedTimeStamp>MAA=</x:EncapsulatedTimeStamp></x:SignatureTimeStamp>"
            f'<x:CounterSignature><Signature xmlns="{DS}"/></x:CounterSignature>'
            "</x:UnsignedSignatureProperties></x:UnsignedProperties>"))
        assert judge(etree.tostring(root)).is_verified

    def test_base64_that_is_not_named(self):
        """Some programs envelop the document as Base64 without saying so."""
        signed = Signing(is_enveloping=True, is_encoded=True).sign(REQUEST, PAIR)
        root = etree.fromstring(signed)
        [content] = [item for item in root.iter(f"{{{DS}}}Object") if item.get("Encoding")]
        del content.attrib["Encoding"]
        assert judge(etree.tostring(root)).is_verified

    def test_signer_is_shown_masked(self):
        info = judge(sign(REQUEST, person("PNOPL-44051401359")))
        assert (info.signer.name, info.signer.identifier_masked) == ("Jan Kowalski", "PESEL *******1359")
        assert "44051401359" not in repr(info)

    def test_what_cannot_be_computed_is_left_to_ksef(self):
        unusual = XPATH.replace("not(ancestor-or-self::ds:Signature)", "count(ancestor-or-self::ds:Signature)=0")
        assert not judge(Signing(filtering=unusual).sign(REQUEST, PAIR)).is_verified

    def test_the_whole_way(self, ksef):
        challenge = ksef.challenge()
        signed = Signing(is_enveloping=True).sign(auth_token_request(challenge, CONTEXT), PAIR)
        judge(signed, challenge=challenge)
        operation = ksef.start_signed_login(signed)
        assert wait(lambda: ksef.login_status(operation).is_complete)


def edited(old, new, signed=None):
    signed = signed or Signing().sign(REQUEST, PAIR)
    assert old in signed
    return signed.replace(old, new, 1)


def der_value(key, data):
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def other_value(_key, data):
    return PAIR.private_key.sign(data, ec.ECDSA(hashes.SHA256()))[:64].ljust(64, b"x")


def without_certificate():
    root = etree.fromstring(Signing().sign(REQUEST, PAIR))
    info = root[-1].find(f"{{{DS}}}KeyInfo")
    info.remove(info[0])
    return etree.tostring(root)


def without(name):
    root = etree.fromstring(Signing().sign(REQUEST, PAIR))
    [element] = root.iter(f"{{{DS}}}{name}")
    element.getparent().remove(element)
    return etree.tostring(root)


BOMB = (b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + index, b"&%c;" % (97 + index) * 10) for index in range(8))
        + b"]><AuthTokenRequest>&i;</AuthTokenRequest>")
BAD = {
    RequestFault.EMPTY: [b"", b"  \n"],
    RequestFault.TOO_LARGE: [b"<a>" + b"x" * (signed_request.MAX_BYTES + 1) + b"</a>"],
    RequestFault.NOT_XML: [b"hello", b"<a><b></a>", b"<a/>" * 2, REQUEST[:-9], b"<a>" * 3000, b"\x00\x01"],
    RequestFault.OTHER_FORMAT: [b"%PDF-1.7\n...", b"PK\x03\x04mimetype", b"0\x82\x0b\x00\x06\x09*\x86H\x86\xf7\r\x01\x07\x02"],
    RequestFault.DOCTYPE: [
        BOMB, b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        sign(REQUEST, PAIR).replace(b"?>", b"?><!DOCTYPE AuthTokenRequest>", 1)],
    RequestFault.BAD_ENCODING: [b'<?xml version="1.0" encoding="ISO-8859-2"?><a/>',
                                REQUEST.decode().replace("UTF-8", "UTF-16").encode("utf-16")],
    RequestFault.NOT_A_REQUEST: [
        b"<a/>", b"<AuthTokenRequest/>", b"<html><body/></html>",
        b'<wrapper>' + etree.tostring(etree.fromstring(sign(REQUEST, PAIR))) + b"</wrapper>"],
    RequestFault.NO_SIGNATURE: [REQUEST],
    RequestFault.SEVERAL_SIGNATURES: [sign(sign(REQUEST, PAIR), RSA), Signing().sign(sign(REQUEST, PAIR), PAIR)],
    RequestFault.DETACHED: [
        Signing(uri="request.xml").sign(REQUEST, PAIR),
        etree.tostring(etree.fromstring(Signing().sign(REQUEST, PAIR))[-1])],
    RequestFault.NOT_XADES: [
        Signing(mark=None).sign(REQUEST, PAIR), Signing(signs_properties=False).sign(REQUEST, PAIR),
        Signing().sign(REQUEST, PAIR).replace(b"x:SignedProperties", b"x:SignedThings")],
    RequestFault.CONTENT_CHANGED: [
        edited(SELLER.encode(), BUYER.encode()), edited(b"certificateSubject", b"certificateFingerprint"),
        edited(b"<Challenge>", b"\n  <Challenge>"), edited(b"<x:SigningTime>2", b"<x:SigningTime>1"),
        edited(SELLER.encode(), BUYER.encode(), Signing(is_enveloping=True).sign(REQUEST, PAIR))],
    RequestFault.SIGNATURE_WRONG: [
        Signing(value=other_value).sign(REQUEST, PAIR), Signing(certificate=seal()).sign(REQUEST, PAIR),
        Signing(certificate=RSA).sign(REQUEST, PAIR), Signing(method=MORE + "rsa-sha256").sign(REQUEST, PAIR)],
    RequestFault.SIGNATURE_BROKEN: [
        without("SignatureValue"), without("SignedInfo"), without("CanonicalizationMethod"), without("SignatureMethod"),
        edited(b"<SignatureValue>", b"<SignatureValue>?"), edited(b"<DigestValue>", b"<DigestValue>%")],
    RequestFault.WEAK_ALGORITHM: [
        Signing(digest=SHA1).sign(REQUEST, PAIR), Signing(method=DS + "rsa-sha1", value=rsa_sha256).sign(REQUEST, RSA),
        Signing(method=MORE + "ecdsa-sha1").sign(REQUEST, PAIR)],
    RequestFault.UNSUPPORTED_ALGORITHM: [
        edited(b"ecdsa-sha256", b"ecdsa-sha224"), edited(b"xmlenc#sha256", b"xmlenc#ripemd160"),
        Signing(method=DS + "dsa-sha256").sign(REQUEST, PAIR),
        edited(b'Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"',
               b'Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"')],
    RequestFault.DER_SIGNATURE: [Signing(value=der_value).sign(REQUEST, PAIR)],
    RequestFault.NO_CERTIFICATE: [without_certificate()],
}


class TestBad:
    @pytest.mark.parametrize(("expected", "signed"), [
        pytest.param(expected, signed, id=f"{expected}-{index}")
        for expected, documents in BAD.items() for index, signed in enumerate(documents)])
    def test_each_has_its_own(self, expected, signed):
        assert fault(signed) == expected

    @pytest.mark.parametrize("signed", [
        *BAD[RequestFault.CONTENT_CHANGED], *BAD[RequestFault.DETACHED], *BAD[RequestFault.NOT_XADES],
        *BAD[RequestFault.SIGNATURE_WRONG], *BAD[RequestFault.SIGNATURE_BROKEN], *BAD[RequestFault.UNSUPPORTED_ALGORITHM],
        *BAD[RequestFault.DER_SIGNATURE]])
    def test_ksef_agrees(self, ksef, signed):
        """Refused here is only what KSeF refuses too."""
        with pytest.raises(KsefRefusedError) as caught:
            ksef.start_signed_login(signed)
        assert caught.value.code in (ApiCode.INVALID_SIGNATURE, ApiCode.INVALID_DOCUMENT, ApiCode.BAD_CERTIFICATE)

    def test_no_canonical_form(self):
        """A relative address of a namespace has none."""
        signed = edited(b"<SignedInfo>", b'<SignedInfo xmlns:relative="x">', Signing(c14n=INCLUSIVE).sign(REQUEST, PAIR))
        assert fault(signed) == RequestFault.SIGNATURE_BROKEN

    def test_weak_key(self):
        class WeakPair:
            """What KeyPair refuses to hold."""

            private_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)

            def __init__(self):
                self.certificate_der = weak_certificate(self.private_key)

        signed = Signing(method=MORE + "rsa-sha256", value=rsa_sha256).sign(REQUEST, WeakPair())
        assert fault(signed) == RequestFault.WEAK_KEY

    def test_expired_certificate(self):
        assert fault(Signing().sign(REQUEST, seal(valid=(-30, -1)))) == RequestFault.CERTIFICATE_EXPIRED
        assert fault(Signing().sign(REQUEST, seal(valid=(1, 30)))) == RequestFault.CERTIFICATE_NOT_YET_VALID

    def test_of_another_login(self):
        """S0-11."""
        assert fault(sign(REQUEST, PAIR), challenge=CHALLENGE.replace("2025", "2026")) == RequestFault.OTHER_CHALLENGE

    def test_too_late(self):
        assert fault(sign(REQUEST, PAIR), minutes=-1) == RequestFault.EXPIRED_CHALLENGE

    @pytest.mark.parametrize("context", [Context(BUYER), Context(SELLER, "InternalId")])
    def test_for_another_company(self, context):
        """S0-20."""
        with pytest.raises(RequestProblem) as caught:
            judge(sign(REQUEST, PAIR), context=context)
        assert (caught.value.fault, caught.value.found) == (RequestFault.OTHER_CONTEXT, SELLER)
        assert caught.value.signer == PAIR.info


class TestAnything:
    """Whatever a file holds: it passes, or there is a problem with a name; never another exception."""

    @settings(deadline=None, max_examples=150)
    @given(data=st.data())
    def test_spoiled_requests(self, data):
        content = bytearray(data.draw(st.sampled_from([signed for signed, _pair in GOOD.values()])))
        for _time in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from(b"<>&/\"'=# aA0\x00\xff"))
        with suppress(RequestProblem):
            judge(bytes(content))

    @settings(deadline=None, max_examples=100)
    @given(data=st.data())
    def test_moved_and_missing_parts(self, data):
        root = etree.fromstring(data.draw(st.sampled_from([signed for signed, _pair in GOOD.values()])))
        parts = list(root.iter(etree.Element))[1:]
        victim = data.draw(st.sampled_from(parts))
        target = data.draw(st.sampled_from([root, *parts]))
        if data.draw(st.booleans()):
            victim.getparent().remove(victim)
        elif victim not in (target, *target.iterancestors()):
            target.append(victim)
        with suppress(RequestProblem):
            judge(etree.tostring(root))


def weak_certificate(key):
    made = x509.CertificateBuilder().subject_name(PAIR.certificate.subject).issuer_name(PAIR.certificate.issuer)
    made = made.public_key(key.public_key()).serial_number(7).not_valid_before(PAIR.certificate.not_valid_before_utc)
    return made.not_valid_after(PAIR.certificate.not_valid_after_utc).sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


class TestWrapping:
    """A good signature of one request, and another request beside it."""

    EVIL = auth_token_request(CHALLENGE, Context(BUYER))

    def test_original_inside_of_another(self):
        evil = etree.fromstring(self.EVIL)
        evil.append(etree.fromstring(sign(REQUEST, PAIR)))
        assert fault(etree.tostring(evil), context=Context(BUYER)) == RequestFault.NOT_COVERED

    def test_original_moved_into_an_object(self):
        victim = Signing(is_enveloping=True).sign(REQUEST, PAIR)
        signature = etree.fromstring(victim)
        evil = etree.fromstring(self.EVIL)
        evil.append(signature)
        assert fault(etree.tostring(evil), context=Context(BUYER)) == RequestFault.NOT_COVERED

    def test_other_request_in_front_of_the_signed_one(self):
        victim = etree.fromstring(Signing(is_enveloping=True).sign(REQUEST, PAIR))
        wrapper = etree.Element(f"{{{DS}}}Object")
        wrapper.append(etree.fromstring(self.EVIL))
        victim.insert(len(victim) - 2, wrapper)
        assert fault(etree.tostring(victim), context=Context(BUYER)) == RequestFault.NOT_COVERED

    def test_two_elements_of_one_name(self):
        twin = etree.fromstring(Signing(is_enveloping=True).sign(REQUEST, PAIR))
        twin.insert(3, etree.fromstring(f'<Object xmlns="{DS}" Id="Content"/>'))
        assert fault(etree.tostring(twin)) == RequestFault.NOT_COVERED

    def test_comment_inside_a_value(self):
        """A canonical form without comments hides them: the value is read as it was signed."""
        signed = edited(SELLER.encode(), SELLER[:5].encode() + b"<!-- x -->" + SELLER[5:].encode())
        assert judge(signed).context == CONTEXT

    def test_base64_object_with_another_request(self):
        victim = Signing(is_enveloping=True).sign(REQUEST, PAIR)
        evil = f'<Object Encoding="{DS}base64">{b64(self.EVIL)}</Object>'.encode()
        assert fault(edited(b"<Object>", evil + b"<Object>", victim), context=Context(BUYER)) == RequestFault.NOT_COVERED
