"""The page at ``/``: samples that KSeF accepts, the readable view, and the whole page in a real browser."""

import re

import pytest
import requests
from lxml import etree

from .browser import Browser
from .caller import nip, wait_for
from .documents import invoice

NS = {"f": "http://crd.gov.pl/wzor/2025/06/25/13775/"}
SAMPLES = {"goods": "Vat", "services": "Vat", "rates": "Vat", "currency": "Vat", "advance": "Zal", "correction": "Kor"}


def issued(caller, company, sample, **more):
    """Have a sample issued and wait until the company sees it."""
    made = caller.admin("POST", f"/companies/{company}/issue", {"sample": sample, **more})
    found = wait_for(lambda: [item for item in caller.admin("GET", f"/companies/{company}/invoices")
                              if item["invoiceNumber"] == made["invoiceNumber"]], bool)
    assert found, caller.admin("GET", "/invoices")[-1]
    return found[0]


def amounts(root, pattern):
    """The sum of the amounts of the fields that fit."""
    return sum(float(node.text) for node in root.find("f:Fa", NS) if re.fullmatch(pattern, etree.QName(node).localname))


@pytest.mark.parametrize(("sample", "kind"), SAMPLES.items())
def test_samples_are_accepted_and_add_up(running, own_nip, sample, kind):
    caller = running.caller()
    found = issued(caller, own_nip, sample)
    assert (found["status"], found["role"], found["type"], found["buyer"]) == (200, "Subject2", kind, own_nip)
    xml = requests.get(f"{caller.origin}/admin/invoices/{found['mark']}/xml", timeout=5).content
    root = etree.fromstring(xml)
    net, tax = amounts(root, r"P_13_\d(_\d)?|P_13_1\d"), amounts(root, r"P_14_\d")
    assert net + tax == pytest.approx(float(root.findtext("f:Fa/f:P_15", None, NS)))
    if sample == "currency":
        assert root.findtext("f:Fa/f:P_14_1W", None, NS)
    reader = running.caller().login(own_nip)
    fetched = wait_for(lambda: reader.call("GET", f"/invoices/ksef/{found['mark']}"), lambda a: a.status_code == 200)
    assert fetched.content == xml


def test_a_correction_names_what_it_corrects(running, own_nip):
    caller = running.caller()
    original = issued(caller, own_nip, "goods")
    correction = issued(caller, own_nip, "correction")
    xml = requests.get(f"{caller.origin}/admin/invoices/{correction['mark']}/xml", timeout=5).text
    assert f"<NrKSeFFaKorygowanej>{original['ksefNumber']}<" in xml and correction["gross"] < 0


def test_a_seller_may_be_chosen(running, own_nip):
    caller, seller = running.caller(), nip(8200)
    assert issued(caller, own_nip, "services", seller=seller)["seller"] == seller
    for wrong in ({"sample": "gold"}, {"sample": "goods", "seller": "1"}, {}):
        answer = requests.post(f"{caller.origin}/admin/companies/{own_nip}/issue", json=wrong, timeout=5)
        assert answer.status_code == 400


def test_view_escapes_and_copes(user, own_nip):
    nasty = invoice(own_nip, "&lt;script&gt;alert(1)&lt;/script&gt;")
    result = user.sent(nasty)
    shown = requests.get(f"{user.origin}/admin/invoices/{result['ksefNumber']}/view", timeout=5)
    assert shown.status_code == 200 and "<script>alert" not in shown.text and "&lt;script&gt;alert" in shown.text
    assert result["ksefNumber"] in shown.text and "Sprzedawca Żółw" in shown.text and "123.00" in shown.text
    broken = user.sent(b"<x>\xc5\xbc</x>")
    assert "&lt;x&gt;ż" in requests.get(f"{user.origin}/admin/invoices/{broken['referenceNumber']}/view", timeout=5).text


def test_assets_and_their_policy(caller):
    for path, kind in (("/", "text/html"), ("/page/page.js", "text/javascript"), ("/page/page.css", "text/css")):
        answer = requests.get(f"{caller.origin}{path}", timeout=5)
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(kind)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for path in ("/page/../app.py", "/page/app.py", "/page/"):
        assert requests.get(f"{caller.origin}{path}", timeout=5).status_code == 404


@pytest.fixture
def browser(tmp_path):
    """A browser, ended afterwards."""
    one = Browser(tmp_path / "profile")
    yield one
    one.close()


def test_the_page_in_a_browser(sandbox, browser, own_nip):
    caller = sandbox.caller()
    browser.open(f"{caller.origin}/")
    browser.until("document.querySelector('#api').textContent.endsWith('/v2')")
    browser.run(f"document.querySelector('[name=nip]').value = '{own_nip}';"
                "document.querySelector('[name=name]').value = 'Żółw <b>&';"
                "document.querySelector('#add-company').requestSubmit()")
    browser.until(f"document.querySelector('#company-title').textContent === '{own_nip} Żółw <b>&'")
    browser.run("document.querySelector('#new-token').click()")
    token = browser.until("document.querySelector('#secret-text').value")
    assert token.split("|")[1] == f"nip-{own_nip}" and caller.login_with_token(own_nip, token)
    browser.run("document.querySelector('#new-certificate').click()")
    browser.until("document.querySelector('#secret-text').value.includes('BEGIN PRIVATE KEY')")
    for number, sample in enumerate(SAMPLES, 1):
        browser.run(f"document.querySelector('[data-sample={sample}]').click()")
        browser.until(f"document.querySelectorAll('#invoices tbody tr .status-200').length === {number}")
    links = browser.run("[...document.querySelectorAll('#invoices a')].map((link) => link.href)")
    assert len(links) == 2 * len(SAMPLES)
    browser.run("[...document.querySelectorAll('#fault-buttons button')].find("
                "(button) => button.textContent.includes('429')).click()")
    browser.until("document.querySelector('#fault-list tbody').textContent.includes('http_error')")
    assert caller.call("GET", "/limits/context").status_code == 429
    browser.until("document.querySelector('#requests tbody').textContent.includes('/v2/limits/context')")
    browser.run("document.querySelector('#clear-faults').click()")
    browser.until("!document.querySelector('#fault-list tbody').textContent")
    assert not browser.problems
    browser.open(next(link for link in links if link.endswith("/view")))
    browser.until("document.querySelector('.total').textContent.includes('Kwota')")
    assert not browser.problems
