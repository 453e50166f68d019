"""Fed to ``odoo shell`` by the benchmark "receive": bills beside account.move.create of the same values; one line of JSON."""
import json
import os
import time

COUNT = int(os.environ['KSEF_BENCH_BILLS'])
rows = env['ksef.received'].search([('state', '=', 'stored')], limit=2 * COUNT + 1)  # noqa: F821
bills = env['ksef.bill'].with_company(rows.company_id)  # noqa: F821


def timed(work, received):
    env.flush_all()  # noqa: F821
    env.invalidate_all()  # noqa: F821
    started = time.perf_counter()
    for one in received:
        work(one)
        env.flush_all()  # noqa: F821
    return (time.perf_counter() - started) / len(received)


def make(one):
    if not one._make_bill():
        raise AssertionError(one.problem)


values = {}
for one in rows[1 + COUNT:]:
    invoice = bills._read(one._get_xml())
    values[one], _notes = bills._values(one.company_id, invoice, one.ksef_number, one._received_on())
make(rows[0])
bill = timed(make, rows[1:1 + COUNT])
create = timed(lambda one: env['account.move'].create(values[one]), rows[1 + COUNT:])  # noqa: F821
env.cr.commit()  # noqa: F821
print('RESULT', json.dumps({'bill': bill, 'create': create}), flush=True)
os._exit(0)
