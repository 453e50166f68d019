"""Fed to ``odoo shell`` by the benchmark "receive": bills beside account.move.create of the same values; one line of JSON."""
import json
import os
import time

COUNT = int(os.environ['KSEF_BENCH_BILLS'])
rows = env['ksef.received'].search([('state', '=', 'stored')], limit=2 * COUNT + 1)  # noqa: F821
bills = env['ksef.bill'].with_company(rows.company_id)  # noqa: F821


def timed(work, one):
    """Seconds of ``work(one)``, all of it written to the database."""
    started = time.perf_counter()
    work(one)
    env.flush_all()  # noqa: F821
    return time.perf_counter() - started


def make(one):
    if not one._make_bill():
        raise AssertionError(one.problem)


values = {}
for one in rows[1 + COUNT:]:
    invoice = bills._read(one._get_xml())
    values[one], _notes = bills._values(one.company_id, invoice, one.ksef_number, one._received_on())
make(rows[0])
env.flush_all()  # noqa: F821
env.invalidate_all()  # noqa: F821
bill = create = 0
# One after the other, so that whatever else the machine does slows both alike.
for first, second in zip(rows[1:1 + COUNT], rows[1 + COUNT:], strict=True):
    bill += timed(make, first) / COUNT
    create += timed(lambda one: env['account.move'].create(values[one]), second) / COUNT  # noqa: F821
env.cr.commit()  # noqa: F821
print('RESULT', json.dumps({'bill': bill, 'create': create}), flush=True)
os._exit(0)
