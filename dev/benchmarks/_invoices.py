"""A database with many confirmed invoices, made once over RPC and kept, and copies of it with the addon installed."""

import hashlib
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import environment as dev
import psycopg2

# What is rendered in the request has ten lines; of many, only the rows are counted there.
FEW, LINES = 60, 10
MANY, BATCH = 1000, 100


def _name():
    """The database's name; it changes with Odoo and with this file."""
    mark = hashlib.sha256((dev.TEMPLATE + Path(__file__).read_text()).encode()).hexdigest()[:8]
    return f"ksef_cache_invoices_{mark}"


def _exists(name):
    answer = subprocess.run(["psql", "-d", "postgres", "-Atc", f"select 1 from pg_database where datname = '{name}'"],
                            check=True, capture_output=True, text=True)
    return answer.stdout.strip() == "1"


def kept():
    """The name of the database with the invoices, without the addon; made when there is none."""
    from live.harness.world import make_companies

    name = _name()
    if not _exists(name):
        print(f"bench: making {FEW + MANY} invoices, once", file=sys.stderr, flush=True)
        new = f"ksef_bench_invoices_{os.getpid()}"  # removed by the next run should this one be killed
        database = make_companies(new, dev.TEMPLATE, _make_invoices)
        database.release()
        if _exists(name):  # another run was quicker
            database.drop()
            return name
        store = dev.HOME / "data" / "filestore"
        if (store / new).exists():
            (store / new).rename(store / name)
        subprocess.run(["psql", "-d", "postgres", "-qc", f'alter database "{new}" rename to "{name}"'], check=True)
    return name


def _make_invoices(server):
    """Confirmed invoices, in batches; those of ten lines first."""
    from live.harness.company import ACCOUNTANT, FIRST_NIP, Company
    from live.harness.rpc import User

    user = User(server.url, server.database.name, *ACCOUNTANT)
    company = Company(user, server.database.value("SELECT min(id) FROM res_company"), FIRST_NIP)
    for _batch in range(0, FEW, FEW // 3):
        company.make_invoices(FEW // 3, lines=LINES)
    for _batch in range(0, MANY, BATCH):
        company.make_invoices(BATCH)


@contextmanager
def with_addon():
    """Name of a copy with the addon installed, for the time of the block."""
    name = f"ksef_bench_pick_{os.getpid()}"
    source = kept()
    dev.copy_database(source, name)
    conf = dev.write_conf(name, dev.HOME / "conf" / f"{name}.conf")
    try:
        command, env = dev.odoo_command(conf, "-i", dev.ADDON, "--stop-after-init", "--no-http", "--log-level=warn")
        subprocess.run(command, env=env, check=True, stdin=subprocess.DEVNULL)
        yield name
    finally:
        dev.drop_database(name)
        conf.unlink(missing_ok=True)


def invoices_of(database):
    """Ids of the first company's confirmed invoices, oldest first."""
    with psycopg2.connect(dbname=database.name) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM account_move WHERE move_type = 'out_invoice' AND state = 'posted' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]
