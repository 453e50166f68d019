"""What happened in the demo a week ago, done by the addon's own code with the clock set back: run by demo_week.py.

The company gets a certificate that logs in, the program gets its Offline certificate from the sandbox, an invoice is issued
offline and printed, and KSeF rejects it for a text. Nobody mended that, so a week later it is overdue. The sandbox's clock is
set back by the same time meanwhile, and no other Odoo serves the database. Usage: demo_past.py CONF DATABASE SANDBOX MOMENT
(an ISO date and time in UTC)
"""

import base64
import sys
import time
from contextlib import contextmanager
from datetime import datetime

import odoo.addons  # noqa: F401  Odoo's modules before the clock is set back
import rpc
from freezegun import freeze_time
from odoo import Command, api
from odoo.modules.registry import Registry
from odoo.tools import config

NIP = "5795955811"
ACCOUNTANT = "l10n_pl_ksef.user_ksiegowa"
WAIT_SECONDS = 90
SEND = "POST /sessions/online/{referenceNumber}/invoices"
REASON = "Błąd weryfikacji semantyki dokumentu faktury: niedozwolony znak w nazwie towaru lub usługi (P_7): „№”."
LINE = "Usługi księgowe wg umowy № 7"


class Past:
    """The demo's database, one transaction for each step."""

    def __init__(self, database, sandbox):
        self.registry = Registry(database)
        self.sandbox = sandbox

    @contextmanager
    def acting(self, user):
        """The environment of a user in the demo company; committed at the end."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            company = env.ref("base.demo_company_pl")
            person = env.ref(user)
            yield env(user=person.id, context={"lang": person.lang, "tz": "Europe/Warsaw", "allowed_company_ids": company.ids})

    def work(self, is_done):
        """Run the workers until ``is_done(env)``.

        :raise SystemExit: it never was; the text that it returned last says why
        """
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:
            with self.acting("base.user_root") as env:
                env["ksef.worker"]._cron_ksef_worker()
            with self.acting("base.user_admin") as env:
                result = is_done(env)
                if result is True:
                    return
            time.sleep(1)
        sys.exit(f"demo: the week before could not be made: {result}")

    def connect(self):
        """Connect by a certificate, and have the program get its Offline certificate."""
        made = rpc.call_json(f"{self.sandbox}/admin/certificates", {"nip": NIP, "name": "Pieczęć firmy demo"})
        with self.acting("base.user_admin") as env:
            wizard = env["ksef.connect"].create({
                "company_id": env.company.id, "method": "certificate", "environment": "local", "local_url": f"{self.sandbox}/v2",
                "certificate_file": base64.b64encode((made["certificate"] + made["privateKey"]).encode()).decode()})
            wizard.action_connect()
        self.work(lambda env: env.company.ksef_connection_id.state == "connected" or env.company.ksef_connection_id.status_message)
        with self.acting("base.user_admin") as env:
            env.company.ksef_connection_id.action_get_offline_certificate()
        self.work(lambda env: bool(env.company.ksef_connection_id._get_offline_credential()) or "no Offline certificate")

    def issue(self):
        """Issue an invoice offline as the accountant, and have KSeF reject it."""
        with self.acting(ACCOUNTANT) as env:
            template = env.ref("l10n_pl_ksef.invoice_mazur")
            line = template.invoice_line_ids[1]
            move = env["account.move"].create({
                "move_type": "out_invoice", "partner_id": template.partner_id.id, "invoice_date": env["account.move"]._ksef_today(),
                "invoice_user_id": env.uid, "invoice_line_ids": [Command.create({
                    "product_id": line.product_id.id, "name": LINE, "quantity": 3, "price_unit": line.price_unit,
                    "tax_ids": [Command.set(line.tax_ids.ids)]})]})
            move.action_post()
            env["ksef.go.offline"].create({"move_ids": [Command.set(move.ids)], "mode": "offline24"}).action_issue()
        rpc.call_json(f"{self.sandbox}/admin/faults", {
            "operation": SEND, "action": "invoice_status", "code": 450, "details": [REASON]})
        self.work(lambda env: move.with_env(env).ksef_state == "rejected" or f"the invoice is {move.with_env(env).ksef_state}")


def main():
    """Live through that day."""
    conf, database, sandbox, moment = sys.argv[1:]
    config.parse_config(["-c", conf, "-d", database, "--no-http", "--log-level=warn"], setup_logging=True)
    past = Past(database, sandbox)
    with freeze_time(datetime.fromisoformat(moment).replace(tzinfo=None), tick=True):
        past.connect()
        past.issue()


if __name__ == "__main__":
    main()
