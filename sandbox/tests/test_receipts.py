"""Receipts (UPO): content, official schema, and a signature that an independent verifier accepts."""

import hashlib

import pytest
import requests
from lxml import etree
from signxml.xades import XAdESVerifier

from . import contract
from .caller import sha
from .documents import invoice

NS = {"u": "http://upo.schematy.mf.gov.pl/KSeF/v4-3", "ds": "http://www.w3.org/2000/09/xmldsig#"}
DS = "{http://www.w3.org/2000/09/xmldsig#}"


def verified(content):
    """The document that the signature covers, as the verifier returns it."""
    root = etree.fromstring(content)
    certificate = root.findtext(f".//{DS}X509Certificate")
    pem = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
    return XAdESVerifier().verify(content, x509_cert=pem, expect_references=2)[0].signed_xml


def schema():
    """The official UPO schema; its fixed name of the authority does not know the suffix of the test environment."""
    if contract.folder() is None:
        pytest.skip("the folder of official documents is absent")
    parser = etree.XMLParser(no_network=True)
    return etree.XMLSchema(etree.parse(contract.folder() / "xsd/upo/upo-v4-3.nofixed-patched.xsd", parser))


def without_signature(content):
    """A document as the schema knows it."""
    root = etree.fromstring(content)
    root.remove(root.find(f"{DS}Signature"))
    return root


def test_receipt_of_one_invoice(user, own_nip):
    xml = invoice(own_nip, "UPO/1")
    session = user.open()
    result = user.sent(xml, session)
    by_reference = user.call("GET", f"/sessions/{session.reference}/invoices/{result['referenceNumber']}/upo",
                             expect=200)
    by_number = user.call("GET", f"/sessions/{session.reference}/invoices/ksef/{result['ksefNumber']}/upo", expect=200)
    by_link = requests.get(result["upoDownloadUrl"], timeout=10)
    assert by_reference.content == by_number.content == by_link.content
    assert by_reference.headers["x-ms-meta-hash"] == sha(by_reference.content)
    root = verified(by_reference.content)
    assert root.findtext("u:NumerReferencyjnySesji", None, NS) == session.reference
    assert root.findtext("u:NazwaPodmiotuPrzyjmujacego", None, NS).endswith("(TE)")
    assert root.findtext("u:Uwierzytelnienie/u:IdKontekstu/u:Nip", None, NS) == own_nip
    assert "-EC-" in root.findtext("u:Uwierzytelnienie/u:NumerReferencyjnyTokenaKSeF", None, NS)
    document = root.find("u:Dokument", NS)
    assert document.findtext("u:NumerKSeFDokumentu", None, NS) == result["ksefNumber"]
    assert document.findtext("u:SkrotDokumentu", None, NS) == sha(xml)
    assert document.findtext("u:TrybWysylki", None, NS) == "Online"
    assert document.findtext("u:NumerFaktury", None, NS) == "UPO/1"
    assert root.find("u:OpisPotwierdzenia", NS) is None
    schema().assertValid(without_signature(by_reference.content))


def test_collective_receipt_only_after_closing(user, own_nip):
    session = user.open()
    numbers = [user.sent(invoice(own_nip, f"UPOZ/{index}"), session)["ksefNumber"] for index in range(3)]
    user.sent(invoice(own_nip, "UPOZ/0"), session)
    assert "upo" not in user.get(f"/sessions/{session.reference}")
    page = user.close(session)["upo"]["pages"][0]
    content = user.call("GET", f"/sessions/{session.reference}/upo/{page['referenceNumber']}", expect=200).content
    assert requests.get(page["downloadUrl"], timeout=10).content == content
    root = verified(content)
    assert [node.text for node in root.findall("u:Dokument/u:NumerKSeFDokumentu", NS)] == numbers
    assert root.findtext("u:OpisPotwierdzenia/u:CalkowitaLiczbaDokumentow", None, NS) == "3"
    schema().assertValid(without_signature(content))


def test_a_changed_receipt_is_found_out(user, own_nip):
    result = user.sent(invoice(own_nip, "UPO/3"))
    content = requests.get(result["upoDownloadUrl"], timeout=10).content
    assert hashlib.sha256(content).digest()
    with pytest.raises(Exception, match=r"[Dd]igest"):
        verified(content.replace(b"<NumerFaktury>UPO/3", b"<NumerFaktury>UPO/4"))


def test_no_receipt_for_a_refused_invoice(user):
    session = user.open()
    result = user.sent(b"<x/>", session)
    path = f"/sessions/{session.reference}/invoices"
    user.call("GET", f"{path}/{result['referenceNumber']}/upo", expect=400)
    missing = user.call("GET", f"{path}/ksef/5265877635-20250826-0100001AF629-AF/upo", expect=400)
    assert missing.json()["errors"][0]["code"] == 21178
    unknown = user.call("GET", f"/sessions/{session.reference}/upo/{session.reference}", expect=400)
    assert unknown.json()["errors"][0]["code"] == 21178
