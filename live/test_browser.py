"""The whole job in a real browser, in Polish, as an accountant without system rights; the number comes to an open form."""

import contextlib

import pypdf
import pytest

from live.harness.browser import Browser
from live.harness.company import ACCOUNTANT, speak_polish
from live.harness.proxy import Proxy

pytestmark = pytest.mark.timeout(600)  # the first page has Odoo build its scripts and styles
NUMBER = "div[name=ksef_state] [name=ksef_number]"


@pytest.fixture(scope="module")
def page(world):
    """The accountant's browser, logged in by the login page."""
    world.connect(world.first)
    speak_polish(world.admin, ACCOUNTANT[0])
    with contextlib.closing(Proxy(world.server)) as proxy, contextlib.closing(Browser(world.folder)) as browser:
        browser.log_in(proxy.url, world.database.name)
        yield browser


def test_post_send_number_print(world, page):
    """Open, confirm, send, confirm that; the number appears without a reload; the print carries it."""
    [invoice] = world.first.make_invoices(post=False)
    page.open_invoice(invoice)
    assert page.text("button[name=action_post]") == "Potwierdź"
    page.evaluate("window.sameDocument = true")
    page.click("button[name=action_post]")
    page.wait_for("button[name=action_ksef_send]")
    assert page.text("button[name=action_ksef_send]") == "Wyślij do KSeF"
    page.click("button[name=action_ksef_send]")
    page.wait_for(".modal-dialog button[name=action_confirm]")
    shown = page.text(".modal-dialog .modal-body")
    assert world.document_of(invoice) is None, "opening the confirmation picks nothing"
    for part in ("Nabywca S.A.", "PL5261040828", "249,99", "299,99"):
        assert part in shown.replace("\xa0", " "), shown
    page.click(".modal-dialog button[name=action_confirm]")
    page.wait_for(NUMBER)
    world.settle([world.document_of(invoice)])
    number = world.document(world.document_of(invoice))["ksef_number"]
    page.wait(f"document.querySelector({NUMBER!r})?.innerText.includes({number!r})")
    assert page.evaluate("window.sameDocument"), "the form was not reloaded"
    assert not page.text("button[name=action_ksef_send]"), "it cannot be sent again"
    page.click("button[name=action_print_pdf]")
    document = pypdf.PdfReader(page.downloaded())
    text = "".join(sheet.extract_text() for sheet in document.pages)
    assert number in text
    assert any(sheet.images for sheet in document.pages), "the QR code"
    assert page.errors == []


def test_number_comes_later(world, page):
    """KSeF takes its time: the form that stays open shows first that the invoice is under way, then the number."""
    world.sandbox.set(processingSeconds=3)
    [invoice] = world.first.make_invoices()
    page.open_invoice(invoice)
    page.evaluate("window.sameDocument = true")
    page.click("button[name=action_ksef_send]")
    page.click(".modal-dialog button[name=action_confirm]")
    page.wait_for("div[name=ksef_state] [name=ksef_reference_number]")
    assert not page.text(NUMBER)
    page.wait_for(NUMBER)
    world.settle([world.document_of(invoice)])
    assert world.document(world.document_of(invoice))["ksef_number"] in page.text(NUMBER)
    assert page.evaluate("window.sameDocument"), "the form was not reloaded"
    world.sandbox.set(processingSeconds=0.2)
    assert page.errors == []
