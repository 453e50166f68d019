"""The main job without a browser: post an invoice, send it, get its KSeF number, UPO and QR code.

Over Odoo's external API against the running demo, as the accountant of the demo data, who is no administrator. What
Odoo says is compared with what the sandbox has.
"""

import base64
import hashlib
import sys
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import rpc

LOGIN = PASSWORD = "ksiegowa"
NIP = "5795955811"
BUYER_NIP = "PL6762418505"
PRODUCTS = {"PAP-A4": 10, "KW-AZ": 3, "SP-MI": 2}      # 23, 8 and 5 %
WAIT_SECONDS = 120
FINAL = ("accepted", "rejected", "invalid", "help", "blocked")


class CheckFailed(Exception):
    """What is not as it must be."""


def require(condition, text):
    """End the check with ``text`` unless ``condition`` holds."""
    if not condition:
        raise CheckFailed(text)


def post_invoice(odoo):
    """Create and confirm an invoice of today with three rates; returns its id and number."""
    (buyer,) = odoo.call("res.partner", "search", [("vat", "=", BUYER_NIP), ("parent_id", "=", False)], limit=1)
    lines = []
    for code, quantity in PRODUCTS.items():
        (product,) = odoo.call("product.product", "search", [("default_code", "=", code)], limit=1)
        lines.append((0, 0, {"product_id": product, "quantity": quantity}))
    today = datetime.now(ZoneInfo("Europe/Warsaw")).date().isoformat()
    move = odoo.call("account.move", "create", {
        "move_type": "out_invoice", "partner_id": buyer, "invoice_date": today, "invoice_line_ids": lines})
    odoo.call("account.move", "action_post", [move])
    row = odoo.read("account.move", move, "name", "state", "amount_total")
    require(row["state"] == "posted" and row["amount_total"] > 0, f"the invoice is not confirmed: {row}")
    return move, row["name"]


def pick(odoo, move):
    """Choose the invoice for KSeF, by the window that the button "Send to KSeF" opens."""
    action = odoo.call("account.move", "action_ksef_send", [move])
    require(action["res_model"] == "ksef.send", f"another window opened: {action}")
    odoo.call("ksef.send", "action_confirm", [action["res_id"]])


def wait_for_upo(odoo, move):
    """Wait until the invoice has its number and UPO; returns (number, document's id)."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        row = odoo.read("account.move", move, "ksef_state", "ksef_number", "ksef_document_id")
        document = row["ksef_document_id"] and row["ksef_document_id"][0]
        if row["ksef_state"] in FINAL:
            details = odoo.read("ksef.document", document, "state", "has_upo", "status_description", "findings")
            require(row["ksef_state"] == "accepted", f"KSeF did not accept the invoice: {details}")
            if details["has_upo"]:
                return row["ksef_number"], document
        require(time.monotonic() < until, f"no KSeF number and UPO after {WAIT_SECONDS} s: {row}")
        time.sleep(0.5)


def check_document(odoo, document, number, invoice_name, sandbox):
    """Compare the document's UPO, XML and link with the sandbox; returns (UPO's file name, its size, the link)."""
    row = odoo.read("ksef.document", document, "upo", "upo_name", "xml", "xml_hash", "verification_url", "ksef_number")
    upo, xml = base64.b64decode(row["upo"]), base64.b64decode(row["xml"])
    require(row["ksef_number"] == number, f"the document has another number: {row['ksef_number']}")
    require(number.encode() in upo, "the UPO does not name the KSeF number")
    require(invoice_name.encode() in xml, "the XML does not name the invoice's number")
    xml_hash = base64.b64encode(hashlib.sha256(xml).digest()).decode()
    require(row["xml_hash"] == xml_hash, "the hash is not that of the stored XML")
    arrived = [entry for entry in rpc.call_json(f"{sandbox}/admin/invoices?nip={NIP}")
               if entry["invoiceNumber"] == invoice_name]
    require(len(arrived) == 1, f"the sandbox has {invoice_name} {len(arrived)} times, not once")
    require(arrived[0]["ksefNumber"] == number, f"the sandbox gave another number: {arrived[0]['ksefNumber']}")
    require(arrived[0]["invoiceHash"] == xml_hash, "the sandbox received other bytes than Odoo keeps")
    link = row["verification_url"] or ""
    url_hash = base64.urlsafe_b64encode(hashlib.sha256(xml).digest()).rstrip(b"=").decode()
    require(link.startswith(sandbox) and f"/{NIP}/" in link and link.endswith(url_hash), f"the QR link is wrong: {link}")
    return row["upo_name"], len(upo), link


def check(odoo_url, database, sandbox):
    """Do it all and print what came of it.

    :raise CheckFailed: something is missing or wrong
    """
    odoo = rpc.Odoo(odoo_url, database, LOGIN, PASSWORD)
    require(not odoo.call("res.users", "has_group", [odoo.uid], "base.group_system"), f"{LOGIN} is an administrator")
    move, name = post_invoice(odoo)
    print(f"check: {name} confirmed by {LOGIN}", file=sys.stderr, flush=True)
    started = time.monotonic()
    pick(odoo, move)
    number, document = wait_for_upo(odoo, move)
    seconds = time.monotonic() - started
    upo_name, upo_size, link = check_document(odoo, document, number, name, sandbox)
    print(f"Invoice:      {name}, sent and accepted in {seconds:.1f} s")
    print(f"KSeF number:  {number}")
    print(f"UPO:          {upo_name}, {upo_size} bytes")
    print(f"QR link:      {link}")
