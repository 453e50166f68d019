"""Makes the pictures of the README and the user guides from the running demo, in Polish and in English.

    dev/demo --week && .odoo/venv/bin/python docs/make_screenshots.py

Looks at each invoice as the accountant of the demo data does; what needs the right "KSeF: manage" as the administrator does.
"""

import argparse
import io
import json
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from browser import Browser
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "dev" / "lib"))
import rpc  # noqa: E402  the demo's client of Odoo's API

IMAGES = ROOT / "docs" / "images"
LANGUAGES = {"pl": "pl_PL", "en": "en_US"}
WIDTH, HEIGHT = 1280, 860
FINAL = ("accepted", "rejected", "invalid", "help", "blocked")


class Demo:
    """What the pictures show, made over the API."""

    def __init__(self, options):
        self.options = options
        self.admin = rpc.Odoo(options.odoo, options.database, "admin", "admin")
        self.accountant = rpc.Odoo(options.odoo, options.database, "ksiegowa", "ksiegowa")

    def record(self, name):
        """The id of a record of the demo data."""
        (row,) = self.admin.call("ir.model.data", "search_read", [
            ("module", "=", "l10n_pl_ksef"), ("name", "=", name)], ["res_id"])
        return row["res_id"]

    def speak(self, language):
        """Switch both people to a language."""
        for user in (self.record("user_ksiegowa"), self.admin.uid):
            self.admin.call("res.users", "write", [user], {"lang": language})

    def invoice(self, like, **values):
        """A new confirmed invoice of today, with the lines of one of the demo's."""
        odoo = self.accountant
        (move,) = odoo.call("account.move", "copy", [self.record(like)])
        today = datetime.now(ZoneInfo("Europe/Warsaw")).date().isoformat()
        line = odoo.read("account.move", move, "invoice_line_ids")["invoice_line_ids"][0]
        # another sum, or Odoo warns of a duplicate
        more = {"invoice_line_ids": [(1, line, {"quantity": 7 + move % 31})]}
        odoo.call("account.move", "write", [move], {"invoice_date": today} | more | values)
        odoo.call("account.move", "action_post", [move])
        return move

    def send(self, move):
        """Send an invoice and wait for what becomes of it; returns the state."""
        odoo = self.accountant
        action = odoo.call("account.move", "action_ksef_send", [move])
        odoo.call("ksef.send", "action_confirm", [action["res_id"]])
        until = time.monotonic() + 60
        while (state := odoo.read("account.move", move, "ksef_state")["ksef_state"]) not in FINAL:
            if time.monotonic() > until:
                raise TimeoutError(f"invoice {move} stays {state}")
            time.sleep(0.5)
        return state

    def reject_next(self):
        """Have the sandbox reject the next invoice."""
        rpc.call_json(f"{self.options.sandbox}/admin/faults", {
            "operation": "POST /sessions/online/{referenceNumber}/invoices", "action": "invoice_status", "code": 450,
            "details": ["Błąd weryfikacji semantyki dokumentu faktury: nieprawidłowy numer NIP nabywcy."]})


    def make_hybrid(self):
        """Nothing is sent that no picture asks for."""
        companies = self.admin.call("res.company", "search", [("ksef_connection_id", "!=", False)])
        self.admin.call("res.company", "write", companies, {"ksef_mode": "hybrid"})


class Photographer:
    """A browser that is logged in and writes small PNG files."""

    def __init__(self, browser, options):
        self.browser = browser
        self.options = options

    def log_in(self, login):
        """Log in over the session's own API: the form is not what the pictures are about."""
        browser = self.browser
        browser.open(f"{self.options.odoo}/web/session/logout?redirect=/web/login")
        values = json.dumps({"jsonrpc": "2.0", "params": {
            "db": self.options.database, "login": login, "password": login}})
        browser.run(
            "fetch('/web/session/authenticate', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            f" body: {json.dumps(values)}}}).then(answer => answer.json())")

    def show(self, path, selector, height=HEIGHT):
        """Open a page of the web client and wait for an element of it."""
        self.browser.resize(WIDTH, height)
        self.browser.open(f"{self.options.odoo}/odoo/{path}")
        self.browser.see(selector, 60)
        self.settle()

    def menu(self, name, selector):
        """Choose an entry of the menu KSeF and wait for an element of what it opens."""
        self.browser.click("[data-menu-xmlid='l10n_pl_ksef.menu_ksef']")
        self.browser.click(f"[data-menu-xmlid='l10n_pl_ksef.{name}']")
        self.browser.see(selector, 60)
        self.settle()

    def settle(self):
        """Give pictures, fonts and animations a moment."""
        time.sleep(2)

    def take(self, name, selector=None):
        """Write a picture, with few colours so that it stays small."""
        path = IMAGES / f"{name}.png"
        self.browser.picture(path, selector)
        image = Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
        image.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB", file=sys.stderr)  # noqa: T201


def photograph(demo, photographer, code, moves):
    """All pictures in one language."""
    photographer.log_in("admin")
    photograph_administrator(demo, photographer, code)
    photographer.log_in("ksiegowa")
    photograph_invoices(photographer, code, moves)
    photograph_lists(photographer, code)


def photograph_administrator(demo, photographer, code):
    """What needs the right to manage KSeF."""
    browser = photographer.browser
    connection = demo.admin.call("ksef.connection", "search", [("state", "=", "connected")], limit=1)[0]
    photographer.show(f"ksef-connections/{connection}", ".o_form_sheet", 620)
    photographer.take(f"connection-{code}")
    photographer.show("ksef-connections", ".o_list_view")
    browser.click(".o_control_panel .o_control_panel_main_buttons button.btn-primary, .o_control_panel button.btn-primary")
    browser.see(".modal div[name=certificate_file]")
    photographer.settle()
    photographer.take(f"connect-{code}", ".modal-content")
    photographer.show("ksef-missing", ".o_list_view, .o_view_nocontent")
    photographer.menu("menu_ksef_mode", ".modal div[name=mode]")
    browser.click(".modal div[name=mode] .o_radio_item:last-child input")
    browser.see(".modal div[name=auto_from]")
    photographer.settle()
    photographer.take(f"mode-{code}", ".modal-content")
    photographer.show("ksef-missing", ".o_list_view, .o_view_nocontent", 680)
    photographer.menu("menu_ksef_chore", ".o_list_view .o_data_row")
    photographer.take(f"work-{code}")


def photograph_invoices(photographer, code, moves):
    """Forms of invoices, and the windows that they open."""
    browser = photographer.browser
    photographer.show(f"customer-invoices/{moves['to_send']}", "button[name=action_ksef_send]")
    browser.click("button[name=action_ksef_send]")
    browser.see(".modal footer button")
    photographer.settle()
    photographer.take(f"send-{code}", ".modal-content")
    photographer.show(f"customer-invoices/{moves['accepted']}", ".o_form_sheet")
    photographer.take(f"invoice-{code}")
    photographer.show(f"customer-invoices/{moves['invalid']}", ".o_form_sheet", 620)
    photographer.take(f"invalid-{code}")
    photographer.show(f"customer-invoices/{moves['rejected']}", ".o_form_sheet", 620)
    photographer.take(f"rejected-{code}")
    photographer.show(f"customer-invoices/{moves['to_send']}", ".o_form_sheet")
    browser.click(".o_control_panel .o_cp_action_menus button:has(.fa-cog)")
    entry = "[...document.querySelectorAll('.o-dropdown--menu .o_menu_item')].find(item => /offline/i.test(item.innerText))"
    browser.wait(entry)
    browser.run(f"{entry}.click()")
    browser.see(".modal div[name=mode]")
    photographer.settle()
    photographer.take(f"offline-{code}", ".modal-content")


def photograph_lists(photographer, code):
    """Lists, and the screens of the whole company."""
    photographer.show("customer-invoices", ".o_data_row", 620)
    photographer.take(f"list-{code}")
    photographer.show("ksef-documents", ".o_data_row", 620)
    photographer.take(f"documents-{code}")
    photographer.show("ksef-invoices", ".o_data_row", 620)
    photographer.take(f"received-{code}")
    photographer.show("ksef-missing", ".o_data_row", 500)
    photographer.take(f"missing-{code}")
    photographer.show("ksef", ".o_ksef_overview", 900)
    photographer.take(f"overview-{code}")
    photographer.menu("menu_ksef_archive", ".modal .o_form_view")
    photographer.take(f"archive-{code}", ".modal-content")
    photographer.show("ksef-missing", ".o_data_row", 700)
    photographer.menu("menu_ksef_month_check", ".o_form_sheet")
    photographer.browser.click("button[name=action_next]")
    photographer.settle()
    photographer.take(f"month-{code}")


def main():
    """Make everything anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--odoo", default="http://127.0.0.1:8069")
    parser.add_argument("--database", default="ksef_demo")
    parser.add_argument("--sandbox", default="http://127.0.0.1:8200")
    parser.add_argument("--languages", nargs="+", default=list(LANGUAGES), choices=LANGUAGES)
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    demo = Demo(options)
    demo.make_hybrid()
    moves = {"accepted": demo.invoice("invoice_wisla"), "rejected": demo.invoice("invoice_bakery")}
    if demo.send(moves["accepted"]) != "accepted":
        raise SystemExit("the invoice was not accepted: is the demo connected?")
    demo.reject_next()
    if demo.send(moves["rejected"]) != "rejected":
        raise SystemExit("the sandbox did not reject")
    nameless = demo.accountant.call("res.partner", "create", [{
        "name": "Nowy Kontrahent sp. z o.o.", "is_company": True, "city": "Opole",
        "country_id": demo.accountant.read("res.partner", demo.record("partner_wisla"), "country_id")["country_id"][0],
    }])
    moves["invalid"] = demo.invoice("invoice_bakery", partner_id=nameless[0])
    if demo.send(moves["invalid"]) != "invalid":
        raise SystemExit("an invoice without the buyer's NIP was not refused")
    moves["to_send"] = demo.invoice("invoice_mazur")
    with Browser(WIDTH, HEIGHT) as browser:
        for code in options.languages:
            demo.speak(LANGUAGES[code])
            photograph(demo, Photographer(browser, options), code, moves)
    demo.speak(LANGUAGES["pl"])


if __name__ == "__main__":
    main()
