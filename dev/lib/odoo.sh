# shellcheck shell=bash
# Odoo 19's source: ODOO_HOME, or Debian's package odoo-19, fetched by the ordinary apt client without
# root. No host is named: the mirror is read from this machine's apt configuration, and apt checks the
# archive's signature and every file's hash.

ODOO_TREE=$DEV_HOME/odoo

first_file() { local f; for f; do if [ -f "$f" ]; then echo "$f"; return; fi; done; }

apt_mirror() {          # the first Debian main archive in this machine's apt configuration
    apt-get update --print-uris 2>/dev/null |
        sed -nE "s#^'([^']*/debian)/+dists/[^/']+/(In)?Release'.*#\1#p" | sed -n 1p
}

private_apt() {         # private_apt FOLDER COMMAND ARGS...: apt with its own sources, lists and cache
    local folder=$1 command=$2
    shift 2
    local options=(-qq
        -o "Dir::Etc::sourcelist=$folder/etc/odoo.sources" -o Dir::Etc::sourceparts=-
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
        -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache"
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
        -o Acquire::Languages=none -o Acquire::PDiffs=false -o Acquire::Retries=3
        -o Acquire::http::Timeout=60 -o APT::Get::List-Cleanup=false
        -o Debug::NoLocking=true -o APT::Update::Post-Invoke-Success=)
    [ "$(id -u)" = 0 ] && options+=(-o APT::Sandbox::User=root)      # the checkout may be closed to _apt
    "$command" "${options[@]}" "$@"
}

newer_keyring() {       # the archive's current keyring, by way of this machine's own trusted suites
    local folder=$1/keyring
    mkdir -p "$folder"
    (cd "$folder" && apt-get -qq download debian-archive-keyring && dpkg -x debian-archive-keyring_*.deb .) >&2 || return 1
    first_file "$folder"/usr/share/keyrings/debian-archive-keyring.{pgp,gpg}
}

read_index() {          # read_index FOLDER URI SUITE: the suite's package index, verified; tries a newer keyring too
    local folder=$1 uri=$2 suite=$3 keyring attempt
    for attempt in installed newer; do
        if [ "$attempt" = installed ]; then
            keyring=${ODOO_APT_KEYRING:-$(first_file /usr/share/keyrings/debian-archive-keyring.{pgp,gpg})}
        else
            keyring=$(newer_keyring "$folder") || return 1
        fi
        [ -n "$keyring" ] || continue
        # "all" keeps the index small: the package has no compiled part
        printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nArchitectures: all\nSigned-By: %s\n' \
            "$uri" "$suite" "$keyring" >"$folder/etc/odoo.sources"
        private_apt "$folder" apt-get update -o APT::Update::Error-Mode=any </dev/null && return
    done
    return 1
}

unpack_odoo() {         # unpack_odoo FOLDER-OF-DEBS DESTINATION: without other languages and a second, broken copy of the addons
    local deb
    for deb in "$1"/*.deb; do
        case $deb in
        */odoo-19_*)
            dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$2" --wildcards \
                --exclude='./etc' \
                --exclude='./usr/lib/python3/dist-packages/addons' \
                --exclude='./usr/lib/python3/dist-packages/setup' \
                --exclude='./usr/lib/python3/dist-packages/doc' \
                --exclude='*/i18n/[a-oq-z]*.po' --exclude='*/i18n/p[a-km-z]*.po' || return 1 ;;
        *) dpkg -x "$deb" "$2" || return 1 ;;
        esac
    done
}

ODOO_REMEDY="set ODOO_HOME to an Odoo 19 source folder"

need_apt() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
        die "no apt on this machine, so Odoo cannot be fetched: $ODOO_REMEDY"
}

fetch_odoo() (          # a subshell, so that its trap stays in it
    need_apt
    uri=${ODOO_APT_URI:-$(apt_mirror)}
    [ -n "$uri" ] || die "no Debian mirror in this machine's apt configuration: set ODOO_APT_URI, or $ODOO_REMEDY"
    folder=$DEV_HOME/apt
    trap 'rm -rf "$folder" "$ODOO_TREE.new"' EXIT
    rm -rf "$folder" "$ODOO_TREE.new"
    mkdir -p "$folder"/{etc,lists/partial,cache/archives/partial,deb} "$ODOO_TREE.new"
    version="" reached=""
    for suite in ${ODOO_APT_SUITES:-sid testing}; do
        read_index "$folder" "$uri" "$suite" 2>"$DEV_HOME/log/apt-index.log" || continue
        reached=1
        version=$(private_apt "$folder" apt-cache madison odoo-19 | awk -F'[ |]+' '!v && $3 ~ /^19\./ {v=$3} END {print v}')
        [ -z "$version" ] || break
    done
    [ -n "$reached" ] || die "the Debian archive cannot be read (no network?): $(tail -n1 "$DEV_HOME/log/apt-index.log"); or $ODOO_REMEDY"
    [ -n "$version" ] || die "the package odoo-19 isn't in ${ODOO_APT_SUITES:-sid or testing}: $ODOO_REMEDY"
    say "odoo: fetching $version from Debian $suite"
    # beside Odoo itself, the packages that its links point to
    (cd "$folder/deb" && private_apt "$folder" apt-get download "odoo-19=$version" \
        fonts-roboto-unhinted libjs-jquery libjs-underscore libjs-jquery-form >"$DEV_HOME/log/apt-download.log" 2>&1 </dev/null) ||
        die "the download of Odoo broke off: $(tail -n2 "$DEV_HOME/log/apt-download.log")"
    unpack_odoo "$folder/deb" "$ODOO_TREE.new" || die "Odoo could not be unpacked (disk full?)"
    # cut from Debian's package for its licence; only a video call's blur uses it, but its absence is logged as an error
    stub=$ODOO_TREE.new/usr/lib/python3/dist-packages/odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js
    [ -e "$stub" ] || { mkdir -p "${stub%/*}"; : >"$stub"; }
    echo "$version" >"$ODOO_TREE.new/VERSION"
    rm -rf "$ODOO_TREE"
    mv "$ODOO_TREE.new" "$ODOO_TREE"
    compile_odoo
)

# While pip still waits for the network: what an installation would otherwise compile on its way.
compile_odoo() {
    local tree=$ODOO_TREE/usr/lib/python3/dist-packages/odoo parts
    parts=("$tree"/addons/{base,base_import,bus,html_editor,mail,product,payment,portal,sms,snailmail,web,account,l10n_pl,rpc})
    "$(find_python)" -m compileall -qq -x '/(tests|addons)/' "$tree" || true
    "$(find_python)" -m compileall -qq -x '/tests/' "${parts[@]}" || true
}

odoo_ready() { [ -n "${ODOO_HOME:-}" ] || [ -f "$ODOO_TREE/VERSION" ]; }

use_odoo() {            # sets ODOO_LIB (its PYTHONPATH), ODOO_ADDONS and ODOO_ID (changes with the version)
    local root=${ODOO_HOME:-$ODOO_TREE} folder
    ODOO_LIB=""
    for folder in "$root" "$root/usr/lib/python3/dist-packages"; do
        if [ -f "$folder/odoo/release.py" ]; then ODOO_LIB=$folder; break; fi
    done
    [ -n "$ODOO_LIB" ] || die "$root holds no odoo/release.py: ODOO_HOME must be an Odoo 19 source folder"
    grep -q 'version_info = (19, 0' "$ODOO_LIB/odoo/release.py" ||
        die "$root is not Odoo 19.0 ($(grep -m1 '^version_info' "$ODOO_LIB/odoo/release.py")): set ODOO_HOME to an Odoo 19 source folder, or unset it"
    ODOO_ADDONS=$ODOO_LIB/odoo/addons
    [ ! -d "$ODOO_LIB/addons/account/views" ] || ODOO_ADDONS=$ODOO_LIB/addons,$ODOO_ADDONS
    ODOO_ID=$( (echo "$root"; cat "$ODOO_TREE/VERSION" 2>/dev/null; cat "$ROOT/dev/requirements.txt") | cksum | cut -d' ' -f1)
    export ODOO_HOME=$root
    link_addon
}

# Odoo must see the addon under its own name, whatever the checkout's folder is called. A folder of links,
# not a link to the checkout: that one would hold .odoo itself, and Odoo's translation export follows links for ever.
link_addon() {
    local farm=$DEV_HOME/addons/$ADDON_NAME entry name
    mkdir -p "$farm"
    for entry in "$ROOT"/*; do
        name=${entry##*/}
        case $name in dev | docs | live | __pycache__) continue ;; esac
        [ "$(readlink "$farm/$name")" = "$entry" ] || ln -sfn "$entry" "$farm/$name"
    done
    for entry in "$farm"/*; do                              # what has left the checkout
        [ -e "$entry" ] || rm -f "$entry"
    done
    for name in ksef sandbox live dev; do                   # as plain packages, for what runs without Odoo
        [ ! -d "$ROOT/$name" ] || [ "$(readlink "$DEV_HOME/lib/$name")" = "$ROOT/$name" ] || ln -sfn "$ROOT/$name" "$DEV_HOME/lib/$name"
    done
}
