"""Batch sessions: packages, parts, closing, every way to fail, and what becomes of the invoices."""

import io
import zipfile

import pytest
import requests

from .caller import b64, sha, wait_for
from .documents import invoice
from .packages import Package, tarred, zipped


def codes(answer):
    """Error codes of a problem-details answer."""
    return [error["code"] for error in answer.json()["errors"]]


def files(own_nip, count, prefix="B"):
    """{file name: invoice}."""
    return {f"{prefix}{number}.xml": invoice(own_nip, f"{prefix}/{number}") for number in range(count)}


@pytest.mark.parametrize(("pack", "compression"), [(zipped, None), (zipped, "Zip"), (tarred, "TarGz")])
def test_a_package_in_several_parts(user, own_nip, pack, compression):
    content = pack({**files(own_nip, 5), "zly.xml": b"<x/>"})
    package = Package(user, content, part_size=len(content) // 3, compression=compression)
    assert len(package.parts) >= 3
    status = package.done()
    assert status["status"]["code"] == 200
    assert (status["invoiceCount"], status["successfulInvoiceCount"], status["failedInvoiceCount"]) == (6, 5, 1)
    found = package.invoices()
    assert found["zly.xml"]["status"]["code"] == 450 and found["B0.xml"]["ksefNumber"]
    assert {item["invoiceHash"] for item in found.values()} == {sha(data) for data in (
        *files(own_nip, 5).values(), b"<x/>")}
    assert {item["invoicingDate"] for item in found.values()} == {status["dateCreated"]}
    upo = requests.get(status["upo"]["pages"][0]["downloadUrl"], timeout=10).text
    assert upo.count("<Dokument>") == 5


def test_upload_rules(user, own_nip):
    package = Package(user, zipped(files(own_nip, 1)))
    assert package.upload(headers={}) == [400]
    assert package.upload(headers={"x-ms-blob-type": "BlockBlob", "Authorization": "Bearer x"}) == [401]
    url = package.opened.json()["partUploadRequests"][0]["url"]
    assert requests.put(url.replace("se=1", "se=2"), data=b"x", timeout=5).status_code == 403
    assert codes(package.close(expect=400)) == [21205]
    assert requests.put(url, data=b"x" * 32, headers={"x-ms-blob-type": "BlockBlob"}, timeout=5).status_code == 201
    assert codes(package.close(expect=400)) == [21157]
    assert package.done()["status"]["code"] == 200
    assert package.upload() == [403]
    assert codes(package.close(expect=400)) == [21180]


def test_upload_links_expire(sandbox, own_nip):
    user = sandbox.caller().login(own_nip)
    package = Package(user, zipped(files(own_nip, 1)))
    user.admin("POST", "/settings", {"clockOffsetSeconds": 21 * 60})
    user.login(own_nip)
    assert package.upload() == [403]
    late = wait_for(lambda: user.get(f"/sessions/{package.reference}"), lambda answer: answer["status"]["code"] == 440)
    assert late["status"]["details"] == ["Przekroczono czas wysyłki"]
    assert codes(package.close(expect=400)) in ([21180], [21208])


def test_declarations(user, own_nip):
    content = zipped(files(own_nip, 1))
    part = {"ordinalNumber": 1, "fileSize": 16, "fileHash": sha(b"")}
    many = [{**part, "ordinalNumber": number} for number in range(1, 52)]
    assert codes(Package(user, content, fileParts=many, expect=400).opened) == [21161]
    assert codes(Package(user, content, fileParts=[{**part, "fileSize": 100_000_017}], expect=400).opened) == [21157]
    assert codes(Package(user, content, fileParts=[{**part, "ordinalNumber": 2}], expect=400).opened) == [21405]
    assert codes(Package(user, content, fileParts=[part, part], expect=400).opened) == [21405]
    assert codes(Package(user, content, fileParts=[], expect=400).opened) == [21405]
    assert codes(Package(user, content, fileSize=5_000_000_001, expect=400).opened) == [21405]
    assert codes(Package(user, content, form={"systemCode": "PEF (3)", "schemaVersion": "2-1", "value": "PEF"},
                         expect=400).opened) == [21405]


@pytest.mark.parametrize(("changes", "code"), [
    ({"fileHash": sha(b"other")}, 405),
    ({"fileSize": 77}, 405),
])
def test_wrong_declared_archive(user, own_nip, changes, code):
    assert Package(user, zipped(files(own_nip, 1)), **changes).done()["status"]["code"] == code


def test_wrong_part_hash_key_and_padding(user, own_nip):
    content = zipped(files(own_nip, 1))
    part = Package(user, content).parts[0]
    spoiled = [{"ordinalNumber": 1, "fileSize": len(part), "fileHash": sha(b"?")}]
    assert Package(user, content, fileParts=spoiled).done()["status"]["code"] == 405
    package = Package(user, content)
    package.parts[0] = bytes(len(package.parts[0]))
    package.upload()
    package.close()
    assert package.result()["status"]["code"] == 405
    junk = bytes(range(16)) * 20
    package = Package(user, content, fileParts=[{"ordinalNumber": 1, "fileSize": len(junk), "fileHash": sha(junk)}])
    package.parts[0] = junk
    assert package.done()["status"]["code"] == 435
    encryption, _key, _vector = user.encryption(encryptedSymmetricKey=b64(b"y" * 256))
    opened = user.call("POST", "/sessions/batch", {
        "formCode": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"}, "encryption": encryption,
        "batchFile": {"fileSize": len(content), "fileHash": sha(content), "fileParts": [
            {"ordinalNumber": 1, "fileSize": len(part), "fileHash": sha(part)}]}}, expect=201).json()
    final = wait_for(lambda: user.get(f"/sessions/{opened['referenceNumber']}"),
                     lambda answer: answer["status"]["code"] != 100)
    assert final["status"]["code"] == 415


def bomb():
    """A Zip of one file that grows a thousandfold."""
    return zipped({"bomb.xml": bytes(200_000_000)})


@pytest.mark.parametrize(("content", "compression", "code"), [
    (b"this is no archive at all", None, 430),
    (zipped({"a.xml": b"x"})[:-30], None, 430),
    (tarred({"a.xml": b"x" * 5000})[:-20], "TarGz", 430),
    (zipped({"a.xml": b"x"}), "TarGz", 430),
    (zipped({"../../etc/passwd": b"x"}), None, 430),
    (zipped({"/abs.xml": b"x"}), None, 430),
    (tarred({"../x.xml": b"x"}), "TarGz", 430),
    (tarred({"a.xml": b"x"}, links=["link"]), "TarGz", 430),
    (zipped({}), None, 440),
    (zipped({"a.xml": b"x", "b.xml": b"y"}), None, 445),
])
def test_bad_archives(user, content, compression, code):
    assert Package(user, content, compression=compression).done()["status"]["code"] == code


def test_bomb_is_defused(user):
    package = Package(user, bomb())
    assert package.done()["status"]["code"] == 445
    assert package.invoices()["bomb.xml"]["status"]["code"] == 430


def test_encrypted_zip_is_refused(user):
    stream = io.BytesIO(zipped({"a.xml": b"x" * 50}))
    content = bytearray(stream.getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        assert archive.infolist()[0].flag_bits & 1
    assert Package(user, bytes(content)).done()["status"]["code"] == 430


def test_too_many_invoices(user, own_nip):
    limits = user.get("/limits/context")
    limits["batchSession"]["maxInvoices"] = 2
    user.call("POST", "/testdata/limits/context/session", limits, expect=200)
    assert Package(user, zipped(files(own_nip, 3))).done()["status"]["code"] == 420
    user.call("DELETE", "/testdata/limits/context/session", expect=200)


def test_attachments_with_consent(user, own_nip):
    content = zipped({"z.xml": invoice(own_nip, "Z/1", attachment=True)})
    package = Package(user, content)
    assert package.done()["status"]["code"] == 445
    assert package.invoices()["z.xml"]["status"]["code"] == 415
    user.call("POST", "/testdata/attachment", {"nip": own_nip}, token=None, expect=200)
    assert Package(user, content).done()["status"]["code"] == 200


def test_duplicates_inside_a_package_and_offline(user, own_nip):
    same = invoice(own_nip, "D/1")
    package = Package(user, zipped({"a.xml": same, "b.xml": same, "c.xml": invoice(own_nip, "D/2")}), offline=True)
    assert package.done()["status"]["code"] == 200
    found = package.invoices()
    assert [found[name]["status"]["code"] for name in ("a.xml", "b.xml", "c.xml")] == [200, 440, 200]
    assert found["b.xml"]["status"]["extensions"]["originalKsefNumber"] == found["a.xml"]["ksefNumber"]
    assert found["c.xml"]["invoicingMode"] == "Offline"


def test_a_package_is_resumed_after_a_crash(own_nip, tmp_path, make_sandbox):
    state = str(tmp_path / "state.db")
    first = make_sandbox(state=state)
    user = first.caller().login(own_nip)
    package = Package(user, zipped(files(own_nip, 4)))
    package.upload()
    user.admin("POST", "/settings", {"processingSeconds": 3600})
    package.close()
    first.stop()
    second = make_sandbox(state=state)
    user.origin = second.origin
    assert package.result()["status"]["code"] == 200
