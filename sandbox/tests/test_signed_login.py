"""Login with a signed document: accepted variants, and every forgery with its own code."""

import datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from signxml import CanonicalizationMethod, SignatureConstructionMethod

from . import building, contract
from .building import DS, ENVELOPED, FILTER2, INCLUSIVE, MORE, XPATH, build, signer
from .caller import nip
from .signing import Identity, person, request, rsa_key, seal, self_signed, sign

RSA = rsa_key()


def challenge(caller):
    """A fresh challenge."""
    return caller.call("POST", "/auth/challenge", token=None, expect=200).json()["challenge"]


def post(caller, document, query=""):
    """POST /auth/xades-signature."""
    return caller.call("POST", f"/auth/xades-signature{query}", token=None, data=document,
                       headers={"Content-Type": "application/xml"})


def code(answer):
    """The error code of a refused document."""
    assert answer.status_code == 400, answer.text
    return answer.json()["errors"][0]["code"]


def details(answer):
    """Details of a refused document as one text."""
    return " ".join(answer.json()["errors"][0]["details"])


def fresh(caller, own_nip, **options):
    """An unsigned request with a fresh challenge."""
    return request(challenge(caller), ("Nip", own_nip), **options)


def final(caller, answer):
    """(code, details) of the final status."""
    assert answer.status_code == 202, answer.text
    status = caller.login_result(answer.json())["status"]
    return status["code"], status.get("details")


def enter(caller, own_nip, identity=None):
    """Log in with a seal of the NIP."""
    answer = post(caller, build(fresh(caller, own_nip), identity or seal(own_nip)))
    assert final(caller, answer)[0] == 200
    return caller.redeem(answer.json())


# --- accepted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("canonicalization", [
    CanonicalizationMethod.CANONICAL_XML_1_0, CanonicalizationMethod.CANONICAL_XML_1_1,
    CanonicalizationMethod.CANONICAL_XML_1_1_WITH_COMMENTS,
])
@pytest.mark.parametrize("packaging", [SignatureConstructionMethod.enveloped, SignatureConstructionMethod.enveloping])
def test_signatures_of_another_implementation(caller, own_nip, canonicalization, packaging):
    document = sign(fresh(caller, own_nip), seal(own_nip), c14n=canonicalization, packaging=packaging)
    assert final(caller, post(caller, document)) == (200, None)


@pytest.mark.parametrize(("options", "identity"), [
    ({}, None),
    ({"c14n": building.EXCLUSIVE + "WithComments"}, None),
    ({"c14n": INCLUSIVE}, None),
    ({"filtering": XPATH}, None),
    ({"filtering": FILTER2}, None),
    ({"version": "SigningCertificateV2"}, None),
    ({"third": True}, None),
    ({"enveloping": True}, None),
    ({"enveloping": True, "encoded": True}, None),
    ({"enveloping": True, "c14n": INCLUSIVE, "third": True}, None),
    ({"digest": "http://www.w3.org/2001/04/xmlenc#sha512"}, None),
    ({"digest": "http://www.w3.org/2007/05/xmldsig-more#sha3-256"}, None),
    ({"digest": DS + "sha1"}, None),
    ({"method": MORE + "rsa-sha256"}, RSA),
    ({"method": MORE + "rsa-sha512", "hash": hashes.SHA512()}, RSA),
    ({"method": DS + "rsa-sha1", "hash": hashes.SHA1()}, RSA),
    ({"method": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", "scheme": "pss"}, RSA),
    ({"method": "http://www.w3.org/2007/05/xmldsig-more#sha3-256-rsa-MGF1", "scheme": "pss",
      "hash": hashes.SHA3_256()}, RSA),
    ({"method": MORE + "ecdsa-sha384", "hash": hashes.SHA384()}, ec.generate_private_key(ec.SECP384R1())),
    ({"method": MORE + "ecdsa-sha512", "hash": hashes.SHA512()}, ec.generate_private_key(ec.SECP521R1())),
])
def test_variants(caller, own_nip, options, identity):
    options, who = dict(options), seal(own_nip, identity)
    chosen = signer(who, options.pop("hash", None), options.pop("scheme", "pkcs1"))
    document = build(fresh(caller, own_nip), who, sign=chosen, **options)
    assert final(caller, post(caller, document)) == (200, None)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_official_examples_verify_up_to_their_challenge(caller, kind):
    if contract.folder() is None:
        pytest.skip("the folder of official documents is absent")
    document = (contract.folder() / f"samples/auth/SELFGEN-signed-auth-{kind}.xml").read_bytes()
    assert code(post(caller, document)) == 21111


def test_both_namespaces_and_an_ip_policy(caller, own_nip):
    old = fresh(caller, own_nip, namespace="http://ksef.mf.gov.pl/auth/token/2.0")
    assert final(caller, post(caller, build(old, seal(own_nip))))[0] == 200
    policy = ("<AuthorizationPolicy><AllowedIps><Ip4Address>203.0.113.7</Ip4Address><Ip4Mask>10.0.0.0/8</Ip4Mask>"
              "</AllowedIps></AuthorizationPolicy>")
    answer = post(caller, build(fresh(caller, own_nip, policy=policy), seal(own_nip)))
    assert final(caller, answer)[0] == 200
    caller.redeem(answer.json())
    assert caller.call("GET", "/limits/context").json()["reasonCode"] == "ip-not-allowed"


def test_inherited_xml_attributes_are_canonicalised(caller, own_nip):
    root = fresh(caller, own_nip, extra=' xml:lang="pl"')
    document = sign(root, seal(own_nip), c14n=CanonicalizationMethod.CANONICAL_XML_1_0)
    # signxml signs SignedProperties as if xml:lang were not inherited, which only the exclusive method allows
    assert code(post(caller, document)) == 9105
    assert final(caller, post(caller, build(fresh(caller, own_nip, extra=' xml:lang="pl"'), seal(own_nip))))[0] == 200


# --- who it is ------------------------------------------------------------------------------------------------


def test_company_seal_owns_its_context(caller, own_nip):
    enter(caller, own_nip)
    grants = caller.call("POST", "/permissions/query/personal/grants", {}, expect=200).json()
    assert "CredentialsManage" in grants["ownerPermissions"] and "InvoiceWrite" in grants["ownerPermissions"]
    status = caller.get("/auth/sessions")["items"][0]
    assert status["isCurrent"] and status["authenticationMethodInfo"]["code"] == "xades.qualified-seal"


def test_person_without_rights_ends_with_415(caller, own_nip):
    answer = post(caller, build(fresh(caller, own_nip), person("PNOPL-44051401359")))
    assert final(caller, answer) == (415, ["Brak przypisanych uprawnień"])


def test_person_with_rights_from_test_data(caller, own_nip):
    caller.call("POST", "/testdata/permissions", {
        "contextIdentifier": {"type": "Nip", "value": own_nip},
        "authorizedIdentifier": {"type": "Pesel", "value": "44051401359"},
        "permissions": [{"permissionType": "InvoiceRead", "description": "czytanie"}]}, token=None, expect=200)
    answer = post(caller, build(fresh(caller, own_nip), person("PNOPL-44051401359")))
    assert final(caller, answer)[0] == 200
    caller.redeem(answer.json())
    granted = caller.call("POST", "/permissions/query/personal/grants", {}, expect=200).json()
    assert [item["permissionScope"] for item in granted["permissions"]] == ["InvoiceRead"]


def test_owner_by_pesel_and_a_deceased_one(caller, own_nip):
    other = nip(7000)
    for number, pesel, dead in ((own_nip, "02270803628", False), (other, "55030101193", True)):
        caller.call("POST", "/testdata/person", {"nip": number, "pesel": pesel, "isBailiff": False, "isDeceased": dead,
                                                 "description": "osoba testowa"}, token=None, expect=200)
    assert final(caller, post(caller, build(fresh(caller, own_nip), person("PNOPL-02270803628"))))[0] == 200
    assert final(caller, post(caller, build(fresh(caller, other), person("PNOPL-55030101193"))))[0] == 470


def test_fingerprint(caller, own_nip):
    who = self_signed({"C": "DE", "CN": "Hans"})
    caller.call("POST", "/testdata/permissions", {
        "contextIdentifier": {"type": "Nip", "value": own_nip},
        "authorizedIdentifier": {"type": "Fingerprint", "value": who.fingerprint},
        "permissions": [{"permissionType": "InvoiceWrite", "description": "wysyłka"}]}, token=None, expect=200)
    answer = post(caller, build(fresh(caller, own_nip, subject="certificateFingerprint"), who))
    assert final(caller, answer)[0] == 200


def test_peppol_provider(caller):
    who = self_signed({"C": "PL", "O": "Dostawca", "CN": "PPL000001"})
    document = build(request(challenge(caller), ("PeppolId", "PPL000001")), who)
    assert final(caller, post(caller, document))[0] == 200
    assert caller.get("/peppol/query", token=None)["peppolProviders"][0]["id"] == "PPL000001"
    wrong = build(request(challenge(caller), ("Nip", nip(1))), who)
    assert code(post(caller, wrong)) == 21117


# --- refused --------------------------------------------------------------------------------------------------


def test_unsigned_twice_signed_and_unreadable(caller, own_nip):
    assert code(post(caller, etree.tostring(fresh(caller, own_nip)))) == 9102
    twice = build(etree.fromstring(build(fresh(caller, own_nip), seal(own_nip))), seal(own_nip))
    assert code(post(caller, twice)) == 9103
    assert code(post(caller, b"")) == 21001
    assert code(post(caller, b"<a><b></a>")) == 9101
    assert code(post(caller, b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>")) == 9101
    assert code(post(caller, b"<a>\xff\xfe</a>")) == 21217
    assert code(post(caller, b'<?xml version="1.0" encoding="ISO-8859-2"?><a/>')) == 21217
    assert code(post(caller, b"<a>" * 10_000)) == 9101
    wrong_type = caller.call("POST", "/auth/xades-signature", token=None, data=b"<a/>",
                             headers={"Content-Type": "application/json"})
    assert wrong_type.status_code == 415


@pytest.mark.parametrize("spoil", [
    lambda text, nip_: text.replace(nip_.encode(), b"9999999999", 1),
    lambda text, nip_: text.replace(b"certificateSubject", b"certificateFingerprint"),
    lambda text, nip_: text.replace(b"<xades:SigningTime>20", b"<xades:SigningTime>19"),
    lambda text, nip_: text.replace(b"<SignatureValue>", b"<SignatureValue>AAAA"),
    lambda text, nip_: text.replace(b"ecdsa-sha256", b"ecdsa-sha999"),
    lambda text, nip_: text.replace(b"xml-exc-c14n#", b"xml-exc-c14n-x#"),
])
def test_changed_content(caller, own_nip, spoil):
    document = build(fresh(caller, own_nip), seal(own_nip))
    changed = spoil(document, own_nip)
    assert changed != document and code(post(caller, changed)) == 9105


def test_wrapped_signature(caller, own_nip):
    """The signed original is moved aside and another request put in front."""
    victim = etree.fromstring(build(fresh(caller, own_nip), seal(own_nip), enveloping=True))
    evil = request(challenge(caller), ("Nip", "9999999999"))
    wrapper = etree.SubElement(victim, f"{{{DS}}}Object")
    wrapper.append(evil)
    victim.insert(len(victim) - 2, wrapper)
    answer = post(caller, etree.tostring(victim))
    assert code(answer) == 9105 and "nie obejmuje" in details(answer)
    twin = etree.fromstring(build(fresh(caller, own_nip), seal(own_nip), enveloping=True))
    twin.insert(0, etree.fromstring(f'<Object xmlns="{DS}" Id="Content"/>'))
    assert code(post(caller, etree.tostring(twin))) == 9105
    inside = request(challenge(caller), ("Nip", "9999999999"))
    inside.append(etree.fromstring(build(fresh(caller, own_nip), seal(own_nip))))
    assert code(post(caller, etree.tostring(inside))) == 9105


def test_der_signature_is_refused(caller, own_nip):
    who = seal(own_nip)
    document = build(fresh(caller, own_nip), who, sign=lambda data: who.key.sign(data, ec.ECDSA(hashes.SHA256())))
    answer = post(caller, document)
    assert code(answer) == 9105 and "R||S" in details(answer)


@pytest.mark.parametrize("options", [
    {"version": None},
    {"certificate_digest": b"x" * 32},
    {"filtering": ""},
    {"filtering": f'<Transform Algorithm="{building.DS}xslt"/>'},
    {"filtering": XPATH.replace("not(ancestor-or-self::ds:Signature)", "not(ancestor-or-self::ds:Object)")},
    {"time": "2000-01-01T00:00:00Z"},
    {"time": "2049-01-01T00:00:00Z"},
])
def test_no_accepted_profile(caller, own_nip, options):
    assert code(post(caller, build(fresh(caller, own_nip), seal(own_nip), **options))) == 9105


def test_signed_properties_must_be_signed(caller, own_nip):
    document = build(fresh(caller, own_nip), seal(own_nip))
    root = etree.fromstring(document)
    info = root.find(f".//{{{DS}}}SignedInfo")
    info.remove(info.findall(f"{{{DS}}}Reference")[1])
    who = seal(own_nip)
    signature = root.find(f"{{{DS}}}Signature")
    signature.find(f"{{{DS}}}SignatureValue").text = building.b64(signer(who)(building.canonical(info)))
    answer = post(caller, etree.tostring(root))
    assert code(answer) == 9105 and "XAdES" in details(answer)


def test_detached_signature(caller, own_nip):
    document = build(fresh(caller, own_nip), seal(own_nip))
    answer = post(caller, document.replace(b'<Reference URI="">', b'<Reference URI="dokument.xml">'))
    assert code(answer) == 9105 and "detached" in details(answer)


def test_weak_keys(caller, own_nip):
    weak = seal(own_nip, rsa_key(1024))
    assert code(post(caller, build(fresh(caller, own_nip), weak, method=MORE + "rsa-sha256"))) == 9105
    small = seal(own_nip, ec.generate_private_key(ec.SECP192R1()))
    assert code(post(caller, build(fresh(caller, own_nip), small))) == 9105


def test_schema_and_challenge(caller, own_nip):
    root = fresh(caller, own_nip)
    root.append(etree.SubElement(root, f"{{{root.nsmap[None]}}}Extra"))
    assert code(post(caller, build(root, seal(own_nip)))) == 21401
    assert code(post(caller, build(request("x", ("Nip", own_nip)), seal(own_nip)))) == 21401
    stale = request("20251121-CR-0123456789-0123456789-00", ("Nip", own_nip))
    assert code(post(caller, build(stale, seal(own_nip)))) == 21111
    text = challenge(caller)
    assert post(caller, build(request(text, ("Nip", own_nip)), seal(own_nip))).status_code == 202
    assert code(post(caller, build(request(text, ("Nip", own_nip)), seal(own_nip)))) == 21111


def test_certificates_that_identify_nobody(caller, own_nip):
    for names in ({"C": "PL", "CN": "Nikt"}, {"C": "PL", "O": "F", "OI": "VATDE-123", "CN": "F"},
                  {"GN": "Jan", "SN": "K", "CN": "Jan K", "C": "PL", "serial": "12"}):
        assert code(post(caller, build(fresh(caller, own_nip), self_signed(names)))) == 21115


def test_expired_certificate_ends_with_460(caller, own_nip):
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
    answer = post(caller, build(fresh(caller, own_nip), seal(own_nip, days=10, start=start)))
    assert final(caller, answer) == (460, ["Nieważny certyfikat"])


def test_chain_is_checked_when_asked_for(caller, own_nip):
    answer = post(caller, build(fresh(caller, own_nip), seal(own_nip)), "?verifyCertificateChain=true")
    assert final(caller, answer) == (460, ["Niezaufany łańcuch certyfikatów"])
    trusted = Identity.of_pem(caller.admin("POST", "/certificates", {"nip": own_nip}))
    answer = post(caller, build(fresh(caller, own_nip), trusted), "?verifyCertificateChain=true")
    assert final(caller, answer)[0] == 200


def test_production_trusts_its_own_authority_only(sandbox, own_nip):
    caller = sandbox.caller()
    from_test = Identity.of_pem(caller.admin("POST", "/certificates", {"nip": own_nip}))
    caller.admin("POST", "/settings", {"environment": "production"})
    assert code(post(caller, build(fresh(caller, own_nip), seal(own_nip)))) == 21115
    assert code(post(caller, build(fresh(caller, own_nip), from_test))) == 21115
    own = Identity.of_pem(caller.admin("POST", "/certificates", {"nip": own_nip}))
    assert final(caller, post(caller, build(fresh(caller, own_nip), own)))[0] == 200
    assert code(post(caller, build(fresh(caller, own_nip), own, digest=DS + "sha1"))) == 9105
    assert caller.call("POST", "/testdata/attachment", {"nip": own_nip}, token=None).status_code == 404


# --- login sessions -------------------------------------------------------------------------------------------


def test_login_sessions_are_listed_and_revoked(running, own_nip):
    first, second = enter(running.caller(), own_nip), enter(running.caller(), own_nip)
    items = second.get("/auth/sessions")["items"]
    assert [item["isCurrent"] for item in items] == [True, False]
    second.call("DELETE", f"/auth/sessions/{items[1]['referenceNumber']}", expect=204)
    assert first.call("POST", "/auth/token/refresh", token=first.refresh, expect=400).json()["errors"][0]["code"] == 21301
    assert first.call("GET", "/limits/context").status_code == 200, "an access token lives until it expires"
    second.call("DELETE", "/auth/sessions/current", token=second.refresh, expect=204)
    assert second.get("/auth/sessions")["items"] == []
    assert ENVELOPED
