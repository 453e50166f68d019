"""Make the demo database: Odoo with the addon, Polish and English, and the demo data that the addon's own needs.

``odoo --with-demo`` would load the demo data of every module, which takes longer than all the rest. Run by demo.py in a
process of its own, with Odoo's libraries. Usage: demo_database.py CONF DATABASE
"""

import gc
import sys

import odoo.modules.loading
from odoo import SUPERUSER_ID, api
from odoo.modules.module_graph import ModuleGraph
from odoo.modules.registry import Registry
from odoo.service import db
from odoo.tools import config

# Odoo would install thirty more beside these (SMS, payment providers, passkeys, spreadsheets …), for half of the time.
# The tests' database has them all; the demo keeps those that a Polish accountant meets on an invoice, and the external API.
MODULES = ["account", "base_import", "l10n_pl", "l10n_pl_edi", "l10n_pl_ksef", "rpc"]
# base has the user that l10n_pl's demo company refers to
MODULES_WITH_DEMO = ["base", "l10n_pl", "l10n_pl_ksef"]
# An installation allocates much and frees little: looking for garbage as often as usual takes a tenth of its time.
GC_THRESHOLDS = (5_000, 20, 50)


def load_demo(env):
    """Load the demo data of MODULES_WITH_DEMO as the installation would have done it.

    :raise SystemExit: the demo data of a module could not be loaded; the log says why
    """
    graph = ModuleGraph(env.cr, mode="load")
    graph.extend(env["ir.module.module"].search([("state", "=", "installed")]).mapped("name"))
    packages = {package.name: package for package in graph}
    for name in MODULES_WITH_DEMO:
        if not odoo.modules.loading.load_demo(env, packages[name], {}, "init"):
            sys.exit(f"the demo data of {name} could not be loaded")
        env.ref(f"base.module_{name}").demo = True


def main():
    """Create the database and fill it."""
    gc.set_threshold(*GC_THRESHOLDS)
    conf, database = sys.argv[1:]
    config.parse_config(
        ["-c", conf, "-d", database, "--without-demo", "--skip-auto-install", "--load-language=pl_PL,en_US", "--no-http",
         "--log-level=warn"],
        setup_logging=True)
    db._create_empty_database(database)
    registry = Registry.new(database, update_module=True, install_modules=MODULES)
    with registry.cursor() as cr:
        load_demo(api.Environment(cr, SUPERUSER_ID, {}))


if __name__ == "__main__":
    main()
