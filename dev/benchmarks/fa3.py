"""From posted invoices to FA(3): the writer alone, valid bytes, the whole proof, and Odoo's own module beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import environment as dev
from figures import Figure

NEEDS_ODOO = True
WRITER_MS, VALID_MS, WHOLE_MS, TIMES_FASTER, GROWTH_MB = 60, 4, 6, 8, 20


def run():
    """1,000 renderings of invoices of ten lines, in batches of 100: processor time on an idle core (see bench_fa3.py)."""
    result = _measure()
    print(
        f"bench: the machine is {result['slower']:.1f} times slower than idle; an invoice took {result['wall']:.1f} ms as the clock "
        f"runs, Odoo's own module {result['other']:.1f} ms on an idle core", file=sys.stderr, flush=True)
    yield Figure("fa3-writer-1000-lines", result["writer"], "ms", WRITER_MS)
    yield Figure("fa3-valid", result["valid"], "ms/invoice", VALID_MS)
    yield Figure("fa3-proven", result["whole"], "ms/invoice", WHOLE_MS)
    yield Figure("fa3-memory-growth", result["growth"], "MB", GROWTH_MB)
    if result["other"]:
        yield Figure("fa3-times-faster", result["other"] / result["valid"], "x", TIMES_FASTER, at_least=True)


def _measure():
    name = f"ksef_bench_fa3_{os.getpid()}"
    dev.copy_database(dev.TEMPLATE, name)
    conf = dev.write_conf(name, dev.HOME / "conf" / f"{name}.conf")
    try:
        install, env = dev.odoo_command(
            conf, "-i", f"{dev.ADDON},l10n_pl_edi", "--stop-after-init", "--no-http", "--log-level=warn")
        subprocess.run(install, env=env, check=True, stdin=subprocess.DEVNULL)
        shell, env = dev.odoo_command(conf, "shell", "--no-http", "--log-level=error")
        library = Path(__file__).resolve().parents[1] / "lib"
        with (library / "bench_fa3.py").open() as program:
            answer = subprocess.run(
                shell, env=env | {"KSEF_SAMPLES_LIB": str(library)}, stdin=program, capture_output=True, text=True, check=False)
    finally:
        dev.drop_database(name)
        conf.unlink(missing_ok=True)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise AssertionError(f"the benchmark failed: {answer.stdout[-500:]}{answer.stderr[-2000:]}")
    return json.loads(lines[0].removeprefix("RESULT "))
