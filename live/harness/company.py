"""The companies that the tests work with, made over RPC as an administrator would make them."""

from .rpc import User

ADMIN = ("admin", "admin")
ACCOUNTANT = ("ksiegowa", "ksiegowa-haslo")
# NIP -> name, of our companies and of their buyer.
FIRST_NIP, SECOND_NIP, BUYER_NIP = "5795955811", "5265877635", "5261040828"
# Quick answers for tests; the grace is longer than a call can last, as in production.
PARAMETERS = {
    "poll_waits": "0.3,0.5,1,1,1,1,1,1,1,1,1,1", "grace_seconds": "6", "read_timeout": "4", "connect_timeout": "1",
    "slice_seconds": "30", "day_end_guard_minutes": "0",
}


def set_parameters(admin, **values):
    """Set the addon's system parameters; False removes one."""
    for name, value in values.items():
        admin.call("ir.config_parameter", "set_param", f"l10n_pl_ksef.{name}", value is not False and str(value))


def set_up(server):
    """Make two Polish companies with chart of accounts and buyers, and an accountant without system rights."""
    admin = User(server.url, server.database.name, *ADMIN)
    set_parameters(admin, **PARAMETERS)
    poland = admin.find("res.country", [("code", "=", "PL")], "id")[0]["id"]
    address = {"country_id": poland, "street": "ul. Prosta 1", "zip": "00-838", "city": "Warszawa"}
    first = admin.find("res.company", [], "id", order="id", limit=1)[0]["id"]
    # Made without its country: with one, Odoo installs further modules, which take half a minute and are not needed.
    second = admin.create("res.company", name="Druga firma sp. z o.o.")
    admin.context["allowed_company_ids"] = [first, second]
    layout = xml_id(admin, "web.external_layout_standard")  # without one, the first print asks for it
    for company, name, nip in ((first, "Sprzedawca sp. z o.o.", FIRST_NIP), (second, "Druga firma sp. z o.o.", SECOND_NIP)):
        admin.call("res.company", "write", [company], address | {
            "name": name, "vat": f"PL{nip}", "external_report_layout_id": layout})
        admin.call("account.chart.template", "try_loading", [], "pl", company, False)
    admin.create("res.partner", name="Nabywca S.A.", vat=f"PL{BUYER_NIP}", is_company=True, country_id=poland,
                 street="ul. Długa 7", zip="31-147", city="Kraków")
    make_accountant(admin, [first, second])
    silence_other_jobs(admin)


def speak_polish(admin, login):
    """Load the Polish language, and have a user work in it."""
    [language] = admin.find("res.lang", [("code", "=", "pl_PL")], "id", context={"active_test": False})
    wizard = admin.create("base.language.install", lang_ids=[(6, 0, [language["id"]])], overwrite=False)
    admin.call("base.language.install", "lang_install", [wizard])
    [user] = admin.find("res.users", [("login", "=", login)], "id")
    admin.call("res.users", "write", [user["id"]], {"lang": "pl_PL"})


def silence_other_jobs(admin):
    """Switch Odoo's own scheduled actions off: in a new database all of them are due at once."""
    others = admin.find("ir.cron", [("model_id.model", "!=", "ksef.worker")], "id")
    admin.call("ir.cron", "write", [row["id"] for row in others], {"active": False})


def make_accountant(admin, companies):
    """A user who issues invoices and keeps customers, with no other right."""
    groups = [xml_id(admin, name) for name in ("account.group_account_invoice", "base.group_partner_manager")]
    admin.create("res.users", name="Anna Księgowa", login=ACCOUNTANT[0], password=ACCOUNTANT[1],
                 company_id=companies[0], company_ids=[(6, 0, companies)], group_ids=[(4, group) for group in groups], tz="Europe/Warsaw")


def xml_id(admin, name):
    """The id behind an XML id."""
    module, _dot, name = name.partition(".")
    return admin.find("ir.model.data", [("module", "=", module), ("name", "=", name)], "res_id")[0]["res_id"]


class Company:
    """One of our companies, as its accountant works with it."""

    def __init__(self, user, company_id, nip):
        self.user = user
        self.id = company_id
        self.nip = nip
        self.buyer = user.find("res.partner", [("vat", "=", f"PL{BUYER_NIP}")], "id")[0]["id"]
        self._taxes = {
            amount: user.find("account.tax", [
                ("company_id", "=", company_id), ("type_tax_use", "=", "sale"), ("amount", "=", amount),
                ("price_include_override", "!=", "tax_included")], "id", limit=1)[0]["id"] for amount in (23, 8)}

    def make_invoices(self, count=1, post=True, lines=2, **values):
        """Create invoices, every second line of 8 %, the others of 23 %; return their ids."""
        goods = [
            {"name": "Usługa doradcza", "quantity": 2, "price_unit": 100.0, "tax_ids": [(6, 0, [self._taxes[23]])]},
            {"name": "Książka", "quantity": 1, "price_unit": 49.99, "tax_ids": [(6, 0, [self._taxes[8]])]},
        ]
        invoice = {
            "move_type": "out_invoice", "partner_id": self.buyer, "company_id": self.id,
            "invoice_line_ids": [(0, 0, goods[number % 2]) for number in range(lines)]} | values
        context = {"allowed_company_ids": [self.id]}
        ids = self.user.call("account.move", "create", [invoice] * count, context=context)
        if post:
            self.user.call("account.move", "action_post", ids, context=context)
        return ids

def pick(user, ids):
    """Send invoices to KSeF as a person does: open the confirmation, confirm."""
    context = {"active_model": "account.move", "active_ids": list(ids)}
    wizard = user.call("ksef.send", "create", [{}], context=context)[0]
    return user.call("ksef.send", "action_confirm", [wizard], context=context)


def withdraw(user, invoice):
    """Take an invoice back that has not left yet."""
    return user.call("account.move", "action_ksef_withdraw", [invoice])


def connect(admin, company, sandbox):
    """Connect a company with a fresh token through the addon's wizard; return the connection's id."""
    wizard = admin.create(
        "ksef.connect", method="token", company_id=company.id, environment="local", local_url=sandbox.url, token=sandbox.token(company.nip))
    return admin.call("ksef.connect", "action_connect", [wizard])["res_id"]
