# shellcheck shell=bash
# Databases: one template with everything the addon needs but the addon, copied in a tenth of a second.

write_conf() {          # write_conf DATABASE FILE [LINE...]: an odoo.conf
    local database=$1 file=$2
    shift 2
    {
        printf '%s\n' "[options]" "db_host = $PGHOST" ${PGPORT:+"db_port = $PGPORT"} ${PGUSER:+"db_user = $PGUSER"} \
            "db_name = $database" "addons_path = $DEV_HOME/addons,$ODOO_ADDONS" "data_dir = $DEV_HOME/data" \
            "bin_path = $DEV_HOME/bin" "http_interface = 127.0.0.1" "list_db = False" "$@"
    } >"$file.$$"
    mv "$file.$$" "$file"
}

# run_odoo CONF [COMMAND] ARGS...: Odoo with its own libraries
run_odoo() {
    local conf=$1
    shift
    env PYTHONPATH="$ODOO_LIB" ODOO_RC="$conf" PATH="$DEV_HOME/bin:$PATH" "$PY" -m odoo "$@"
}

database_exists() { [ "$(psql -d postgres -Atc "select 1 from pg_database where datname = '$1'")" = 1 ]; }

drop_database() {
    dropdb --if-exists --force "$1" 2>/dev/null || true
    rm -rf "${DEV_HOME:?}/data/filestore/$1"
}

copy_database() {       # copy_database FROM TO
    drop_database "$2"
    createdb -T "$1" "$2" || die "the database $1 could not be copied to $2"
    [ ! -d "$DEV_HOME/data/filestore/$1" ] || cp -al "$DEV_HOME/data/filestore/$1" "$DEV_HOME/data/filestore/$2"
}

template_name() { echo "ksef_template_$ODOO_ID"; }

make_template() {
    local name new conf log=$DEV_HOME/log/template.log
    name=$(template_name)
    database_exists "$name" && return
    say "template: new database with account and l10n_pl (about 20 s)"
    new=${name}_new conf=$DEV_HOME/conf/template.conf
    drop_database "$new"
    write_conf "$new" "$conf"
    run_odoo "$conf" -i account,l10n_pl --stop-after-init --no-http --log-level=warn >"$log" 2>&1 </dev/null ||
        die "the template database could not be made, see $log: $(tail -n2 "$log")"
    rm -rf "$DEV_HOME/data/filestore/$name"
    [ ! -d "$DEV_HOME/data/filestore/$new" ] || mv "$DEV_HOME/data/filestore/$new" "$DEV_HOME/data/filestore/$name"
    psql -d postgres -qc "alter database \"$new\" rename to \"$name\""
}
