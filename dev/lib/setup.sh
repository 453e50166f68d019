# shellcheck shell=bash
# The set-up, from nothing to a running database server. Idempotent; says a line for each thing it does.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/dev/lib/python.sh"
. "$ROOT/dev/lib/odoo.sh"
. "$ROOT/dev/lib/postgres.sh"
. "$ROOT/dev/lib/database.sh"
. "$ROOT/dev/lib/browser.sh"

# What can fail at once fails before anything is fetched.
preflight() {
    if [ -n "${ODOO_HOME:-}" ]; then
        use_odoo
    elif ! odoo_ready; then
        need_apt
        need_space 2000 "the set-up"
    fi
    [ -x "$PY" ] || find_python >/dev/null
    [ -z "${PG_BIN:-}" ] || need_programs
}

libraries() {           # the virtual environment and Odoo; the caller holds the lock
    local fetching=""
    preflight
    if ! odoo_ready; then
        fetch_odoo &    # beside pip: each waits for the network most of the time
        fetching=$!
        # shellcheck disable=SC2064
        trap "kill $fetching 2>/dev/null || true" EXIT
    fi
    main_venv
    if [ -n "$fetching" ]; then
        wait "$fetching" || exit 1
        trap - EXIT
    fi
    use_odoo
}

base_setup() {          # venv, Odoo and PostgreSQL; the caller holds the lock
    libraries
    use_postgres
    start_postgres
}

# setup [STEP...]: base_setup and further functions (make_template, lint_venv ...) under the lock
setup() {
    make_home
    hold_lock
    base_setup
    local step
    for step; do "$step"; done
    release_lock
}

# Both at once: one waits for the package index most of the time, the other computes.
test_tools_and_template() {
    lint_venv &
    local tools=$!
    make_template
    wait "$tools" || exit 1
}

# What the Python programs in dev/lib need to know, for exec'ing them
export_context() {
    export KSEF_DEV_ROOT=$ROOT KSEF_DEV_HOME=$DEV_HOME KSEF_DEV_TEMPLATE KSEF_DEV_ODOO_LIB=$ODOO_LIB
    export KSEF_DEV_ADDONS=$DEV_HOME/addons,$ODOO_ADDONS KSEF_DEV_BROWSER_PROBLEM=${BROWSER_PROBLEM:-}
    export PATH=$DEV_HOME/bin:$PATH SCHEMATHESIS=$LINT/bin/schemathesis
    if [ -z "${KSEF_SHARED:-}" ] && [ -d "$ROOT/../shared" ]; then
        KSEF_SHARED=$(cd "$ROOT/../shared" && pwd)      # official schemas and samples, for tests only
        export KSEF_SHARED
    fi
    KSEF_DEV_TEMPLATE=$(template_name)
}
