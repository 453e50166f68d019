"""Command line of the sandbox; see ``--help``."""

import argparse
import json
import signal
import sys
from contextlib import suppress

from .app import App, make_server
from .fa3 import SchemaError, compile_schema, find_schema
from .settings import ENVIRONMENTS, Settings
from .store import StateError


def arguments(argv=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A local KSeF 2.0 for development and demonstrations.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    parser.add_argument("--state", metavar="FILE", help="keep everything in this file (default: in memory)")
    parser.add_argument("--schema", metavar="FILE", action="append", default=[],
                        help="XSD of an invoice structure; may be repeated (default: the FA(3) XSD of ODOO_HOME)")
    parser.add_argument("--processing-seconds", type=float, default=0.2, help="time that asynchronous work takes")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="delay of every answer")
    parser.add_argument("--seed", type=int, help="make the numbers given out repeatable")
    parser.add_argument("--rate-limits", action="store_true", help="enforce the limits of calls")
    parser.add_argument("--environment", choices=sorted(ENVIRONMENTS), default="test",
                        help="which environment of KSeF to behave as")
    parser.add_argument("--fault", metavar="JSON", action="append", default=[], help="a fault to start with")
    return parser.parse_args(argv)


def schemas_of(options):
    """Paths of the schemas to use; raises SchemaError when there is none."""
    paths = list(options.schema) or [path for path in [find_schema()] if path]
    if not paths:
        raise SchemaError("no FA(3) schema: set ODOO_HOME to an Odoo 19, or give --schema FILE")
    for path in paths:
        compile_schema(path)
    return paths


def build(options):
    """The app that the command line describes."""
    settings = Settings(processing_seconds=options.processing_seconds, latency_ms=options.latency_ms,
                        rate_limits=options.rate_limits, environment=options.environment)
    return App(state=options.state, schemas=schemas_of(options), seed=options.seed, settings=settings,
               faults=[json.loads(text) for text in options.fault])


def main(argv=None):
    """Serve until interrupted; returns an exit code."""
    options = arguments(argv)
    try:
        app = build(options)
        server = make_server(app, options.host, options.port)
    except (SchemaError, StateError, ValueError, OSError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"sandbox: {server.origin}/v2\n")
    sys.stdout.flush()
    try:
        with suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.2)
    finally:
        server.server_close()
        app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
