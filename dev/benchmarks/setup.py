"""From ``git clone`` to a running demo, with nothing cached: an empty home directory, nothing installed by hand."""

import os
import shutil
import subprocess
import sys
import time

import environment as dev
from figures import Figure

LIMIT_SECONDS = 120


def run():
    """Clone into a temporary folder, start the demo, stop it again.

    :raise subprocess.CalledProcessError: the demo did not start
    """
    folder = dev.HOME / "run" / f"bench-setup-{os.getpid()}"
    clone, home = folder / "clone", folder / "home"
    home.mkdir(parents=True)
    kept = ("PATH", "PYTHON", "TERM", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy")
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(dev.HOME)))
    env = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(home), "PATH": path}
    try:
        started = time.monotonic()
        subprocess.run(["git", "clone", "-q", str(dev.ROOT), str(clone)], check=True, env=env)
        command = [str(clone / "dev" / "demo")]
        subprocess.run([*command, "--port", str(dev.free_port())], check=True, env=env, stdout=sys.stderr)
        yield Figure("setup", time.monotonic() - started, "s", LIMIT_SECONDS)
        subprocess.run([*command, "--check"], check=True, env=env, stdout=sys.stderr)
    finally:
        if clone.exists():
            subprocess.run([str(clone / "dev" / "demo"), "--stop"], check=False, env=env)
        shutil.rmtree(folder, ignore_errors=True)
