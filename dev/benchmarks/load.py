"""The sandbox alone, in a process of its own: a batch of 10,000 invoices, single sendings, a page of the metadata."""

import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environment as dev
from figures import Figure

sys.path.insert(0, str(dev.HOME / "lib"))
from sandbox.tests.caller import Caller, nip, today  # an independent client
from sandbox.tests.documents import invoice
from sandbox.tests.packages import Package, zipped

SELLER = nip(77)
BATCH = 10_000
SENDS, CONNECTIONS = 800, 4
PAGES = 9


def run():
    """Start a sandbox, load it, end it."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--processing-seconds", "0"]
    process = subprocess.Popen(command, env=dev.plain_env(), stdout=subprocess.PIPE, text=True)
    try:
        origin = process.stdout.readline().split()[-1].removesuffix("/v2")
        user = Caller(origin).login(SELLER)
        yield from batch(user, process.pid)
        yield metadata(user)
        yield sends(origin)
    finally:
        process.terminate()
        process.wait()


def batch(user, pid):
    """From opening the session to its final status, and the memory that it took."""
    content = zipped({f"{number}.xml": invoice(SELLER, f"B/{number}") for number in range(BATCH)})
    started = time.monotonic()
    package = Package(user, content)
    package.upload()
    package.close()
    status = package.result(600)
    if status["successfulInvoiceCount"] != BATCH:
        raise SystemExit(f"bench: the batch ended with {status}")
    yield Figure("sandbox-batch-10000", time.monotonic() - started, "s", 60)
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    yield Figure("sandbox-batch-memory", int(peak.split()[1]) / 1024, "MB", 600)


def metadata(user):
    """A page of 250 of what the batch left, the median of some."""
    filters = {"subjectType": "Subject1", "dateRange": {"dateType": "Invoicing", "from": f"{today()}T00:00:00+01:00"}}
    times = []
    for page in range(PAGES):
        started = time.monotonic()
        user.call("POST", f"/invoices/query/metadata?pageSize=250&pageOffset={page}", filters, expect=200)
        times.append(time.monotonic() - started)
    return Figure("sandbox-metadata-page", statistics.median(times) * 1000, "ms", 50)


def sends(origin):
    """Interactive sendings a second over four connections; the bodies are made before."""
    callers = [Caller(origin).login(nip(100 + number)) for number in range(CONNECTIONS)]
    work = []
    for number, caller in enumerate(callers):
        session = caller.open()
        own = nip(100 + number)
        work.append((caller, session, [
            caller.body(session, invoice(own, f"S/{number}/{index}")) for index in range(SENDS // CONNECTIONS)]))

    def send(job):
        caller, session, bodies = job
        for body in bodies:
            caller.call("POST", f"/sessions/online/{session.reference}/invoices", body, expect=202)

    started = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(send, work))
    return Figure("sandbox-sends", SENDS / (time.monotonic() - started), "1/s", 200, at_least=True)
