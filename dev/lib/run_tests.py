"""Run the families of tests and add them up. Called by dev/test after the set-up.

Without arguments three processes work side by side: unit tests, and Odoo tests in portions; live tests follow alone, because
they watch times.

unit: ksef/tests, sandbox/tests and dev/tests, plain pytest, no Odoo. odoo: tests/, pytest-odoo on a fresh database
with the addon installed. neighbours: tests/neighbours, the same where sales, stock, purchases … are installed, too.
live: live/, plain pytest, real servers on a second copy of that database (KSEF_LIVE_*).
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

import environment as dev
from databases import Databases

FAMILIES = {"unit": ("ksef/tests", "sandbox/tests", "dev/tests"), "odoo": ("tests",), "neighbours": ("tests/neighbours",),
            "live": ("live",)}
WITH_ODOO = {"odoo", "neighbours"}
PYTEST_OK, PYTEST_FAILED, PYTEST_EMPTY = 0, 1, 5
MUST_RUN = re.compile(r"chrom|browser|websocket|HttpCase|odoo-http|schemathesis|wkhtmltopdf|is not installed", re.IGNORECASE)
OPTIONS_WITH_VALUE = {"-k", "-m", "-o", "-p", "-W", "-r", "--maxfail", "--durations", "--timeout", "--tb", "--log-level"}


def say(text):
    print(f"test: {text}", file=sys.stderr, flush=True)


@dataclass
class Result:
    """The sums of one family; ``notes`` are lines for the summary, ``reasons`` says why how many were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = field(default_factory=list)
    reasons: Counter = field(default_factory=Counter)

    def fail(self, note):
        self.failed += 1
        self.notes.append(f"FAILED {note}")


def split_arguments(arguments):
    """Sort pytest arguments into options and paths by family: ([options], {family: [path below the root]})."""
    options, paths = [], {}
    expects_value = False
    for argument in arguments:
        if expects_value or argument.startswith("-"):
            options.append(argument)
            expects_value = not expects_value and argument in OPTIONS_WITH_VALUE
            continue
        file, colons, node = argument.partition("::")
        found = next((p for p in (Path.cwd() / file, dev.ROOT / file) if p.exists()), None)
        if found is None:
            sys.exit(f"test: no such file: {file}")
        relative = os.path.relpath(found.resolve(), dev.ROOT)
        families = [name for name, roots in FAMILIES.items() for root in roots
                    if f"{relative}/".startswith(f"{root}/") or f"{root}/".startswith(f"{relative}/")]
        if relative.startswith("tests/neighbours"):
            families.remove("odoo")
        if not families:
            sys.exit(f"test: {file} belongs to no family of tests ({', '.join(sum(FAMILIES.values(), ()))})")
        for name in families:
            paths.setdefault(name, []).append(relative + colons + node)
    return options, paths


RUNNING = set()         # the pytest processes of this moment


def run_pytest(command, folder, env, output=None):
    """Run a pytest process to its end and return its code; ``output`` takes what it prints."""
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output and subprocess.STDOUT)
    RUNNING.add(process)
    try:
        return process.wait()
    except BaseException:
        interrupt(process)
        raise
    finally:
        RUNNING.discard(process)


def interrupt(process):
    """End a pytest process so that it can tidy up what its fixtures have started."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Family:
    """One pytest process with its own surroundings."""

    def __init__(self, name, paths, options, part=0):
        self.name = name
        self.part = part
        self.paths = paths or [root for root in FAMILIES[name] if (dev.ROOT / root).is_dir()]
        self.options = options
        self.base = dev.HOME / "addons" if name in WITH_ODOO else dev.HOME / "lib"
        self.prefix = f"{dev.ADDON}/" if name in WITH_ODOO else ""

    def command(self, *more):
        """The pytest command line. The roots keep pytest from importing the addon's __init__.py as a plain package."""
        plugin = ["--odoo-http"] if self.name in WITH_ODOO else ["-p", "no:odoo"]
        if self.name == "odoo":
            plugin.append(f"--ignore={self.base / self.prefix / FAMILIES['neighbours'][0]}")
        return [
            sys.executable, "-m", "pytest", "-c", str(dev.ROOT / "pyproject.toml"),
            f"--rootdir={self.base}", f"--confcutdir={self.base}", *plugin,
            "-o", f"cache_dir={dev.HOME / 'pytest_cache' / self.name}{self.part or ''}", *self.options, *more,
            *(self.prefix + path for path in self.paths),
        ]

    def selects(self, env):
        """Does anything in this family match the options? Collects only, so it needs no database."""
        command = self.command("--collect-only", "-q")
        answer = subprocess.run(command, cwd=self.base, env=env, capture_output=True, check=False)
        return answer.returncode != PYTEST_EMPTY

    def portions(self, count):
        """The same tests in ``count`` families of about as many test functions each."""
        files = sorted(file for path in self.paths for file in (dev.ROOT / path).glob("test_*.py"))
        weights = {file: file.read_text().count("    def test_") for file in files}
        parts = [[] for _part in range(count)]
        for file in sorted(files, key=weights.get, reverse=True):
            min(parts, key=lambda part: sum(weights[other] for other in part)).append(file)
        return [
            Family(self.name, [str(file.relative_to(dev.ROOT)) for file in part], self.options, number)
            for number, part in enumerate(parts, 1) if part]

    def run(self, env, log=None):
        """Run pytest and read its report; with ``log`` (a path) the output is shown when all of it is there."""
        report = dev.HOME / "run" / f"junit-{self.name}-{self.part}-{os.getpid()}.xml"
        report.unlink(missing_ok=True)
        say(f"{self.name} tests" + (f", part {self.part}" if self.part else ""))
        started = time.monotonic()
        command = self.command(f"--junitxml={report}")
        if log:
            with log.open("wb") as output:
                code = run_pytest(command, self.base, env, output)
            sys.stdout.write(log.read_text(errors="replace"))
            sys.stdout.flush()
            log.unlink()
        else:
            code = run_pytest(command, self.base, env)
        result = read_report(report, self.name)
        report.unlink(missing_ok=True)
        if code not in {PYTEST_OK, PYTEST_FAILED, PYTEST_EMPTY} and not result.failed:
            result.fail(f"pytest ended with code {code}")
        say(f"{self.name}: {result.passed} passed, {result.failed} failed, {result.skipped} skipped "
            f"in {time.monotonic() - started:.0f} s")
        return result


def read_report(report, family):
    """Add up a junit file. What the set-up provides for (a browser, live servers, tools) must not be skipped: failed."""
    result = Result()
    if not report.exists():
        return result
    for case in ET.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            result.fail(f"{family}: {name}")
        elif skip is None or skip.get("type") == "pytest.xfail":
            result.passed += 1
        elif family == "live" or MUST_RUN.search(skip.get("message", "")):
            result.fail(f"{family}: {name} was skipped but must run: {skip.get('message')}")
        else:
            result.skipped += 1
            result.reasons[f"{family}: {skip.get('message')}"] += 1
    result.notes += [f"skipped {count} of {reason}" for reason, count in result.reasons.items()]
    return result


def chosen_families(options, paths):
    """The families to run: those of the paths; without paths, those in which something matches -k or -m."""
    names = paths or FAMILIES
    families = [Family(name, paths.get(name), options) for name in names]
    families = [family for family in families if family.paths]
    if not paths and any(option.startswith(("-k", "-m")) for option in options):
        conf = dev.write_conf("none", dev.HOME / "conf" / "collect.conf")
        with_odoo = os.environ | {"PYTHONPATH": dev.ODOO_LIB, "ODOO_RC": str(conf)}
        families = [f for f in families if f.selects(with_odoo if f.name in WITH_ODOO else dev.plain_env())]
    return families


# More than lanes, so that none waits long for the last one.
ODOO_PORTIONS = 10
LANES = 3


class SideBySide:
    """Unit and Odoo tests in three lanes of processes (each waits now and then: two cores are enough), then the live tests."""

    def __init__(self, families, databases):
        self.families = {family.name: family for family in families}
        self.databases = databases
        self.portions = deque([self.families["neighbours"], *self.families["odoo"].portions(ODOO_PORTIONS)])
        self.expected = len(self.portions) + 1
        self.installing = threading.Lock()
        self.results = []

    def run(self):
        """Run everything and return the results."""
        self.databases.start()
        lanes = [threading.Thread(target=self.work, args=(lane,), daemon=True) for lane in range(LANES)]
        try:
            for lane in lanes:
                lane.start()
            for lane in lanes:
                while lane.is_alive():
                    lane.join(1)      # so that signals reach us
        except BaseException:
            self.portions.clear()
            for process in list(RUNNING):
                interrupt(process)
            raise
        if len(self.results) < self.expected:
            self.results.append(Result())
            self.results[-1].fail("not every portion of the tests was run (see above)")
        if self.databases.process.returncode == 0:
            self.results.append(self.families["live"].run(self.databases.env("live")))
        return self.results

    def work(self, lane):
        """One lane: the first begins with the unit tests, while the addon is installed for all others."""
        log = dev.HOME / "log" / f"tests-{lane}-{os.getpid()}.log"
        if lane == 0:
            self.results.append(self.families["unit"].run(dev.plain_env(), log))
        if not self.is_installed():
            return
        env = self.databases.env("odoo", lane)
        while self.portions:
            portion = self.portions.popleft()
            self.results.append(portion.run(env if portion.name == "odoo" else self.databases.env(portion.name), log))

    def is_installed(self):
        """Wait for the installation, which is looked at once; whether it succeeded."""
        with self.installing:
            if self.databases.process.returncode is None:
                problem = self.databases.finish()
                if problem:
                    self.results.append(Result())
                    self.results[-1].fail(problem)
            return self.databases.process.returncode == 0


def run_families(families, databases):
    """Run the families one after another; the addon is installed while the unit tests run."""
    results = []
    problem = None
    if any(family.name != "unit" for family in families):
        databases.start()
    for family in families:
        if family.name == "unit":
            results.append(family.run(dev.plain_env()))
            continue
        if databases.process.returncode is None:
            problem = databases.finish()
            if problem:
                results.append(Result())
                results[-1].fail(problem)
        if databases.process.returncode == 0:
            results.append(family.run(databases.env(family.name)))
    return results


def main(arguments):
    """Run, add up, print the summary; returns the exit code."""
    options, paths = split_arguments(arguments)
    if {"-h", "--help", "--version", "--collect-only", "--co"} & set(options):
        sys.exit("test: give this option to pytest itself; dev/test runs tests")
    families = chosen_families(options, paths)
    databases = Databases()
    try:
        results = run_families(families, databases) if arguments else SideBySide(families, databases).run()
    finally:
        databases.drop()
    total = Result(*(sum(getattr(r, name) for r in results) for name in ("passed", "failed", "skipped")))
    total.notes = [note for result in results for note in result.notes]
    if not arguments:
        for name in FAMILIES.keys() - {family.name for family in families}:
            total.fail(f"{name}: there are no tests")
    if total.passed + total.failed + total.skipped == 0:
        total.fail("no test was chosen")
    browser_problem = os.environ["KSEF_DEV_BROWSER_PROBLEM"]
    if browser_problem and any(family.name != "unit" for family in families):
        total.notes.append(browser_problem)
    sys.stderr.flush()
    for note in total.notes:
        print(note)
    print(f"{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""))
    return 1 if total.failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    signal.signal(signal.SIGINT, signal.default_int_handler)    # the shell switches it off for background jobs
    sys.exit(main(sys.argv[1:]))
