# shellcheck shell=bash
# Sourced by every command in dev/: paths, messages, the environment, the set-up lock.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

ADDON_NAME=l10n_pl_ksef
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
DEV_HOME=${KSEF_DEV_HOME:-$ROOT/.odoo}
case $DEV_HOME in
/*) ;;
*) DEV_HOME=$PWD/$DEV_HOME ;;
esac
case $ROOT$DEV_HOME in          # Odoo's addons_path is split at commas; quotes and line ends break odoo.conf
*[,\'\"\\]* | *$'\n'*) die "the path $ROOT (or KSEF_DEV_HOME) has a comma, quote or backslash in it: move the checkout" ;;
esac

# A predictable environment: what the caller's shell has set for other projects must not leak in.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE PYTHONSTARTUP VIRTUAL_ENV PYTEST_ADDOPTS CDPATH
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
unset ODOO_RC OPENERP_SERVER PGDATABASE PGSERVICE PGOPTIONS     # Odoo takes PGDATABASE over db_name of its odoo.conf
export PATH=${PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
export LC_ALL=C.UTF-8 PYTHONPYCACHEPREFIX=$DEV_HOME/pycache PYTHONUNBUFFERED=1
case ${TMPDIR:-} in "" | /*) ;; *) unset TMPDIR ;; esac

make_home() {           # the work folder, and a HOME when the caller has none
    mkdir -p "$DEV_HOME" 2>/dev/null && [ -w "$DEV_HOME" ] ||
        die "cannot write to $DEV_HOME: set KSEF_DEV_HOME to a folder of your own (or mend the owner)"
    mkdir -p "$DEV_HOME"/{bin,lib,conf,data,log,run}
    if [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/nonexistent}" ]; then
        mkdir -p "$DEV_HOME/home"
        export HOME=$DEV_HOME/home
    fi
}

# One set-up at a time in one work folder. The lock is the open file 9: programs that stay
# running must be started with 9>&- or they would keep it.
hold_lock() {
    command -v flock >/dev/null || die "flock is missing: install the package util-linux"
    exec 9>"$DEV_HOME/lock"
    flock -n 9 && return
    say "waiting: another command is setting up in $DEV_HOME"
    flock 9
}
release_lock() { exec 9>&-; }

need_space() {          # need_space MEGABYTES WHAT
    local free
    free=$(df -Pk "$DEV_HOME" | awk 'NR==2 {print int($4/1024)}')
    [ "${free:-0}" -ge "$1" ] ||
        die "only $free MB free at $DEV_HOME, $2 needs about $1 MB: free some space or set KSEF_DEV_HOME to another disk"
}

as_admin() {            # run as root, by way of sudo when it asks no password; 77 when there is no way
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 77; fi
}

apt_install() {         # apt_install PACKAGE...: system packages, when we may
    command -v apt-get >/dev/null || return 77
    as_admin true || return 77
    say "installing $* with apt"
    local log=$DEV_HOME/log/apt-install.log
    as_admin env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >"$log" 2>&1 </dev/null && return
    as_admin apt-get -qq update >>"$log" 2>&1 </dev/null || true
    as_admin env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" >>"$log" 2>&1 </dev/null
}

port_free() {           # port_free PORT: can 127.0.0.1:PORT be bound
    "$PY" - "$1" <<'P'
import socket, sys
probe = socket.socket()
probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    probe.bind(("127.0.0.1", int(sys.argv[1])))
except (OSError, OverflowError):
    sys.exit(1)
P
}
