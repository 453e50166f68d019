"""Connect the demo company to the sandbox with a token, as an administrator does it: with the wizard "Connect"."""

import time

import rpc

PERMISSIONS = ["InvoiceRead", "InvoiceWrite"]
NIP = "5795955811"
VERIFY_SECONDS = 90
# What suppliers send in the demo: see SAMPLES in sandbox/samples.py.
PURCHASES = ("goods", "services", "rates", "advance", "correction")


def connect(odoo, sandbox, verify=True):
    """Have the demo company connected to the sandbox at ``sandbox`` (its origin) by ``odoo`` (an administrator).

    A connection to this address that still works is kept; ``verify`` has it looked at anew.
    :raise rpc.RpcError: the sandbox does not take the connection; the text is what the administrator would read
    """
    (company,) = odoo.call("res.company", "search", [("vat", "like", NIP)], limit=1)
    url = f"{sandbox}/v2"
    known = odoo.call("ksef.connection", "search", [
        ("company_id", "=", company), ("environment", "=", "local"), ("local_url", "=", url)])
    if known:
        if not verify and odoo.read("ksef.connection", known[0], "state")["state"] == "connected":
            return
        odoo.call("ksef.connection", "action_verify", known)
        try:
            wait_until_connected(odoo, known[0])
            return
        except rpc.RpcError:
            pass        # the sandbox knows the token no more: take a new one
    issue_purchases(sandbox)
    token = rpc.call_json(f"{sandbox}/admin/tokens", {"nip": NIP, "permissions": PERMISSIONS, "description": "demo"})
    wizard = odoo.call("ksef.connect", "create", {
        "method": "token",
        "company_id": company, "environment": "local", "local_url": url, "token": token["token"],
    })
    action = odoo.call("ksef.connect", "action_connect", [wizard])
    wait_until_connected(odoo, action["res_id"])
    odoo.call("res.company", "write", [company], {"ksef_fetch_active": True})


def use_mail_server(odoo, port):
    """Have Odoo hand its e-mails to the demo's mail server at ``port``."""
    values = {"name": "Demo", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_encryption": "none"}
    known = odoo.call("ir.mail_server", "search", [("name", "=", values["name"])])
    if known:
        odoo.call("ir.mail_server", "write", known, values)
    else:
        odoo.call("ir.mail_server", "create", [values])


def issue_purchases(sandbox):
    """Have suppliers issue some invoices to the company, to be found by its first look."""
    rpc.call_json(f"{sandbox}/admin/settings", {"hwmLagSeconds": 0, "storageLagSeconds": 0})
    for sample in PURCHASES:
        rpc.call_json(f"{sandbox}/admin/companies/{NIP}/issue", {"sample": sample})


def wait_until_connected(odoo, connection):
    """Wait for the worker that verifies the connection.

    :raise rpc.RpcError: it does not work
    """
    until = time.monotonic() + VERIFY_SECONDS
    while True:
        row = odoo.read("ksef.connection", connection, "state", "status_message")
        if row["state"] == "connected":
            return
        if row["state"] != "verifying" or time.monotonic() > until:
            message = row["status_message"] or "no answer"
            raise rpc.RpcError(f"the connection to the sandbox is {row['state']}: {message}")
        time.sleep(0.5)
