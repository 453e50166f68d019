"""A long run of everything going wrong at once. Called by dev/chaos after the set-up; live/harness/chaos.py is the run itself."""

import argparse
import contextlib
import os
import signal
import sys

import environment as dev
from databases import Databases

MANY = 1000  # invoices where nobody is killed


def parse(arguments):
    """The options; what is not given follows from the number of kills."""
    parser = argparse.ArgumentParser(prog="dev/chaos", description="Kills workers while KSeF fails, and counts what is in KSeF afterwards.")
    parser.add_argument("--kills", type=int, default=200, help="workers that are killed, half of them at a commit (200)")
    parser.add_argument("--seed", type=int, default=1, help="makes the decisions repeatable, not their timing (1)")
    parser.add_argument("--invoices", type=int, help=f"invoices to send (two for each kill; {MANY} without kills)")
    parser.add_argument("--workers", type=int, default=2, help="cron workers (2)")
    parser.add_argument("--faults", choices=("none", "some", "all"), default="some", help="what KSeF does to calls (some)")
    parser.add_argument("--mails", type=int, help="how many of the invoices go out by e-mail, too (a tenth)")
    parser.add_argument("--received", type=int, help="invoices that suppliers issue to the firm (as many as it sends)")
    options = parser.parse_args(arguments)
    if options.invoices is None:
        options.invoices = 2 * options.kills or MANY
    if options.mails is None:
        options.mails = options.invoices // 10
    if options.received is None:
        options.received = options.invoices
    if min(options.kills, options.mails, options.received) < 0 or options.workers < 1 or options.invoices < max(1, options.mails):
        parser.error("numbers must not be negative, and no more e-mails than invoices")
    return options


def run(options):
    """One run on a fresh database; returns the exit code."""
    databases = Databases("chaos")
    try:
        say("installing the addon")
        databases.start()
        problem = databases.finish()
        if problem:
            sys.exit(f"chaos: {problem}")
        os.environ.update(databases.env("live"))
        return run_in_world(options)
    finally:
        databases.drop()


def run_in_world(options):
    """The run, with its servers started and ended."""
    sys.path.insert(0, str(dev.HOME / "lib"))
    from live.harness.chaos import Chaos
    from live.harness.chaos_faults import NAMED
    from live.harness.mail import Sink
    from live.harness.world import World, prepare

    prepared = prepare()
    world = None
    try:
        world = World("chaos", prepared.name, cron=options.workers, exits=True)
        world.parameters(worker_count=options.workers)
        world.connect(world.first, world.second)
        chaos = Chaos(world, options.seed, say, NAMED[options.faults])
        with contextlib.closing(Sink()) as sink:
            sink.serve(world)
            sink.pause = 0.3  # long enough to be killed in
            say(f"{options.invoices} invoices, {options.kills} kills, {options.workers} workers, faults: {options.faults}")
            try:
                chaos.run(options.invoices, options.kills, options.mails, options.received, sink)
                problems = chaos.problems()
            except AssertionError as error:
                problems = [str(error)]
            return tell(world, options, chaos, problems)
    finally:
        if world:
            world.close()
        prepared.drop()


def tell(world, options, chaos, problems):
    """Print the figures and what was wrong; returns the exit code."""
    print(f"chaos: {chaos.summary()}, workers: {options.workers}, faults: {options.faults}, seconds: {chaos.seconds:.0f}, "
          f"problems: {len(problems)}", flush=True)
    for problem in problems[:50]:
        print(f"chaos: {problem}", flush=True)
    if problems:
        for program in (world.server.program, world.sandbox.program):
            kept = dev.HOME / "log" / f"chaos-{program.name}.log"
            kept.write_bytes(program.log.read_bytes())
            print(f"chaos: the log of {program.name} is {kept}", flush=True)
    return 1 if problems else 0


def say(text):
    """A word about how far it is."""
    print(f"chaos: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(run(parse(sys.argv[1:])))
