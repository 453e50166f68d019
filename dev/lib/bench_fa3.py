"""Fed to ``odoo shell`` by the benchmark "fa3": times rendering and prints the results as one line of JSON.

Other programs on the machine must not decide the figures: what counts is the processor time of this process, and every
measurement stands between two runs of a fixed piece of Python, which tell how fast the machine is at that moment. A
figure is what a core of the speed IDLE_LOOP would have taken; of several measurements the one in the middle.
"""
import json
import os
import resource
import sys
import time
from decimal import Decimal
from unittest.mock import patch

sys.path.insert(0, os.environ['KSEF_SAMPLES_LIB'])

from dataclasses import replace

from odoo import Command
from odoo.addons.l10n_pl_ksef.ksef.fa3 import model, rules, writer
from odoo.addons.l10n_pl_ksef.models.ksef_invoice_context import Entry, RenderContext
from odoo.addons.l10n_pl_ksef.models.ksef_invoice_lines import state_of
from samples import World

COUNT, ROUNDS, BATCH, LINES, OTHER = 200, 5, 100, 10, 20
IDLE_LOOP = 0.055  # seconds of the fixed piece of work on the machine of the first figures, when nothing else ran
speeds = []


def fixed_work():
    """Processor seconds of a piece of Python that never changes."""
    start, numbers, total = time.process_time(), {}, 0
    for number in range(300_000):
        numbers[number & 1023] = number
        total += numbers.get(number >> 3 & 1023, 0)
    return time.process_time() - start


def seconds(work, times=ROUNDS):
    """Processor seconds of some work on an idle core: the middle of several measurements."""
    found = []
    for _time in range(times):
        before, start = fixed_work(), time.process_time()
        work()
        taken = time.process_time() - start
        speed = (before + fixed_work()) / 2 / IDLE_LOOP
        speeds.append(speed)
        found.append(taken / speed)
    return sorted(found)[len(found) // 2]


def writer_ms():
    """Milliseconds for a document of 1,000 lines, the best of five."""
    line = moves[:1]._ksef_line  # a line as Odoo makes it, a thousand times
    context = RenderContext(moves, None)
    entry = Entry(moves[:1])
    item = entry.lines[0]
    invoice, _origin = moves[:1]._ksef_build(context, entry, False)
    lines = tuple(line(context, number, state_of(context, item), uid=f'u{number}') for number in range(1, 1001))
    total = model.GroupTotal(group=lines[0].rate.group, net=Decimal(1), tax=Decimal(1))
    invoice = replace(invoice, lines=lines, group_totals=(total,))
    return seconds(lambda: writer.write(invoice)) * 1000


def render_all():
    """Render all invoices; nothing that was read before is kept."""
    for start in range(0, COUNT, BATCH):
        rendered = moves[start:start + BATCH]._ksef_render_batch()
        if not all(result.xml for result in rendered.values()):
            raise AssertionError([result.findings for result in rendered.values() if not result.xml][:1])
        moves.env.invalidate_all()


world = World(env)  # noqa: F821
lines = [world.line(f"Towar {number}", quantity=number, price_unit=9.99 + number) for number in range(1, LINES + 1)]
commands = [Command.create(line) for line in lines]
moves = world.env['account.move']
for _batch in range(COUNT // BATCH):
    batch = moves.create([{
        'move_type': 'out_invoice', 'partner_id': world.buyer.id, 'partner_bank_id': world.bank.id, 'invoice_date': world.today,
        'invoice_line_ids': commands} for _number in range(BATCH)])
    batch.action_post()
    moves |= batch
world.env.flush_all()
world.env.invalidate_all()
render_all()  # schema and templates are compiled, caches of the server are warm
start = time.perf_counter()
whole = seconds(render_all)
wall = (time.perf_counter() - start) / COUNT / ROUNDS
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _round in range(ROUNDS):
    render_all()
growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024
with patch.object(rules, 'check', return_value=[]):
    valid = seconds(render_all)
others = moves[:OTHER]
each = 1000 / COUNT
result = {'whole': whole * each, 'valid': valid * each, 'writer': writer_ms(), 'growth': growth, 'other': 0, 'wall': wall * 1000}
if hasattr(others, '_l10n_pl_edi_render_xml'):
    others[0]._l10n_pl_edi_render_xml()
    world.env.invalidate_all()
    result['other'] = seconds(lambda: [move._l10n_pl_edi_render_xml() for move in others], 3) / OTHER * 1000
result['slower'] = sorted(speeds)[len(speeds) // 2]
print('RESULT', json.dumps(result), flush=True)
os._exit(0)
