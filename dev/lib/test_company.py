"""Make the company that Odoo's own test class would make anew for every class of tests, with the Polish chart of accounts.

Loading the chart takes longer than most classes of tests. Run by databases.py in a process of its own, with Odoo's libraries.
Usage: test_company.py CONF DATABASE
"""

import sys

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

# As AccountTestInvoicingCommon.setup_independent_company names it; tests/common.py looks for it.
NAME = "company_1_data"


def make(env):
    """The company, as AccountTestInvoicingCommon._create_company makes it for Poland."""
    country = env.ref("base.pl")
    company = env["res.company"].create({"name": NAME, "country_id": country.id, "currency_id": country.currency_id.id})
    env["account.chart.template"].try_loading("pl", company=company, install_demo=False)
    company.currency_id = country.currency_id


def main():
    """Make it and commit."""
    conf, database = sys.argv[1:]
    config.parse_config(["-c", conf, "-d", database, "--no-http", "--log-level=warn"], setup_logging=True)
    with Registry(database).cursor() as cr:
        make(api.Environment(cr, SUPERUSER_ID, {}))


if __name__ == "__main__":
    main()
