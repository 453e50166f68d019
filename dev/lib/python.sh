# shellcheck shell=bash
# The virtual environments: .odoo/venv runs Odoo, the sandbox and the tests; .odoo/lint the checkers,
# which would pull other versions of Odoo's libraries.

VENV=$DEV_HOME/venv
PY=$VENV/bin/python
LINT=$DEV_HOME/lint

fitting_python() {
    command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {         # prints a Python that the pinned libraries exist for
    local candidate
    if [ -n "${PYTHON:-}" ]; then
        fitting_python "$PYTHON" || die "PYTHON=$PYTHON is no Python 3.11, 3.12 or 3.13: set it to one, or unset it"
        command -v "$PYTHON"
        return
    fi
    for candidate in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do
        if fitting_python "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python 3.11, 3.12 or 3.13 found (python3 is $(python3 --version 2>&1 | tail -n1 || true)): install one and set PYTHON to it"
}

# As many at once: each waits for the network most of the time; with --no-deps none touches what another installs.
PIPS=4

# The environment has no pip of its own: unpacking one takes longer than installing most of what is wanted.
pip_install() {         # pip_install PYTHON FOLDER REQUIREMENTS [PART]: the file, or one of PIPS parts of it
    grep '^[^#]' "$3" | awk -v part="${4:-}" -v pips="$PIPS" 'part == "" || NR % pips == part' |
        "$1" -m pip --python "$2/bin/python" install -q --disable-pip-version-check --no-compile --no-input --no-deps \
            --only-binary :all: -r /dev/stdin
}

new_venv() {            # new_venv PYTHON FOLDER LOG
    local with_pip=--without-pip
    say "$(basename "$2"): new virtual environment of $("$1" --version)"
    if ! "$1" -c 'import venv, ensurepip' 2>/dev/null; then
        apt_install python3-venv || die "$1 has no venv module: install the package python3-venv"
    fi
    has_pip "$1" || with_pip=""
    # shellcheck disable=SC2086
    "$1" -m venv --clear $with_pip "$2" >"$3" 2>&1 || die "cannot make a virtual environment, see $3: $(tail -n2 "$3")"
}

has_pip() { "$1" -m pip --help 2>/dev/null | grep -q -e '--python '; }

make_venv() {           # make_venv FOLDER REQUIREMENTS: does nothing when it is up to date
    local folder=$1 requirements=$2 want python log part pips=() failed=""
    want=$(cksum <"$requirements")
    [ "$(cat "$folder/.complete" 2>/dev/null)" = "$want" ] && [ -x "$folder/bin/python" ] && return
    need_space 2000 "the set-up"
    log=$DEV_HOME/log/$(basename "$folder").log
    python=$(find_python)
    "$folder/bin/python" -c '' 2>/dev/null && { has_pip "$python" || has_pip "$folder/bin/python"; } ||
        new_venv "$python" "$folder" "$log"
    has_pip "$python" || python=$folder/bin/python
    rm -f "$folder/.complete"
    say "$(basename "$folder"): installing $(basename "$requirements") with pip"
    for ((part = 0; part < PIPS; part++)); do
        pip_install "$python" "$folder" "$requirements" "$part" >>"$log" 2>&1 &
        pips+=($!)
    done
    for part in "${pips[@]}"; do wait "$part" || failed=1; done
    # one that lists what is installed may stumble over what the other is writing; a network may stumble, too
    [ -z "$failed" ] || pip_install "$python" "$folder" "$requirements" >>"$log" 2>&1 ||
        die "pip could not install $requirements (no network or no package index?), see $log: $(grep -v -e 'is ignored' -e '^$' "$log" | tail -n1)"
    printf '%s\n' "$want" >"$folder/.complete"
}

main_venv() {
    make_venv "$VENV" "$ROOT/dev/requirements.txt"
    [ ! -x "$VENV/bin/wkhtmltopdf-pack" ] || ln -sfn "$VENV/bin/wkhtmltopdf-pack" "$DEV_HOME/bin/wkhtmltopdf"
}

lint_venv() { make_venv "$LINT" "$ROOT/dev/requirements-lint.txt"; }
