"""From the click on "Send to KSeF" in the confirmation to the KSeF number on the open form, in a real browser."""

import contextlib
import statistics
import time

from figures import Figure

NEEDS_ODOO = True
RUNS, WARM_UPS, LIMIT_SECONDS = 9, 1, 4
PROCESSING_SECONDS = 1
# Notes when the button is clicked and when the number can be read, by the browser's own clock.
STOPWATCH = """
window.stopwatch = {};
document.addEventListener('click', event => {
    if (event.target.closest('button[name=action_confirm]')) { window.stopwatch.click = performance.now(); }
}, true);
new MutationObserver(() => {
    const number = document.querySelector('div[name=ksef_state] [name=ksef_number]');
    if (number?.innerText.trim() && !window.stopwatch.number) { window.stopwatch.number = performance.now(); }
}).observe(document.body, {subtree: true, childList: true, characterData: true});
"""


def run():
    """Send invoices one by one from their forms, with the parameters of production."""
    from live.harness.browser import Browser
    from live.harness.proxy import Proxy
    from live.harness.world import World, prepare

    prepared = prepare()
    try:
        world = World("latency", prepared.name)
        try:
            world.connect(world.first)
            world.reset_parameters()
            world.sandbox.set(processingSeconds=PROCESSING_SECONDS)
            invoices = world.first.make_invoices(WARM_UPS + RUNS)
            with contextlib.closing(Proxy(world.server)) as proxy, contextlib.closing(Browser(world.folder)) as browser:
                browser.log_in(proxy.url, world.database.name)
                seconds = [_send(world, browser, invoice) for invoice in invoices][WARM_UPS:]
            yield Figure("latency", statistics.median(seconds), "s", LIMIT_SECONDS)
        finally:
            world.close()
    finally:
        prepared.drop()


def _send(world, browser, invoice):
    """Send one invoice; return the seconds from the click to the number."""
    browser.open_invoice(invoice)
    browser.evaluate(STOPWATCH)
    browser.click("button[name=action_ksef_send]")
    browser.click(".modal-dialog button[name=action_confirm]")
    browser.wait("window.stopwatch.number", seconds=120)
    times = browser.evaluate("window.stopwatch")
    number = world.document(world.document_of(invoice))["ksef_number"]
    if number not in browser.text("div[name=ksef_state] [name=ksef_number]"):
        raise AssertionError("the form shows another number")
    time.sleep(0.5)  # the UPO is fetched
    return (times["number"] - times["click"]) / 1000
