"""Run benchmarks and print their figures. Called by dev/bench after the set-up.

A benchmark is a file dev/benchmarks/NAME.py with ``run()``, which yields figures.Figure objects. Those with
``NEEDS_ODOO = True`` find a database with the addon installed by the variables KSEF_LIVE_*, as live tests do.
"""

import importlib
import os
import signal
import sys

import environment as dev
from databases import Databases

FOLDER = dev.ROOT / "dev" / "benchmarks"


def names():
    """The names of all benchmarks."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def run(chosen):
    """Run the benchmarks in turn and print each figure as it comes; returns the exit code."""
    sys.path.insert(0, str(FOLDER))
    modules = [importlib.import_module(name) for name in chosen]
    databases = Databases("bench")
    short = 0
    try:
        if any(getattr(module, "NEEDS_ODOO", False) for module in modules):
            print("bench: installing the addon", file=sys.stderr, flush=True)
            databases.start()
            problem = databases.finish()
            if problem:
                sys.exit(f"bench: {problem}")
            os.environ.update(databases.env("live"))
        for module in modules:
            print(f"bench: {module.__name__}", file=sys.stderr, flush=True)
            for figure in module.run():
                print(figure, flush=True)
                short += not figure.ok
    finally:
        databases.drop()
    return 1 if short else 0


def main(arguments):
    """Check the names and run."""
    unknown = [name for name in arguments if name not in names()]
    if unknown:
        sys.exit(f"bench: no benchmark is called {', '.join(unknown)}; there are: {', '.join(names())}")
    return run(arguments or names())


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
