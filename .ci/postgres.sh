#!/usr/bin/env bash
# The project's own PostgreSQL cluster: started, stopped and asked for its address. It listens on a unix socket
# only, so no port can be taken and nobody else can reach it. Nothing here knows the schema.
#
#   postgres.sh start|stop|running|url [run|test]    run: durable, for `make run` and benchmarks; test: fsync off
#   postgres.sh fresh NAME [run|test]                drops and creates database NAME, prints its address
#   postgres.sh drop NAME [run|test]
#
# With DATABASE_URL set, that server is used as it is, and never stopped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

OLDEST=15
ROLE=isorun
DATABASE=isorun

# --- where things are ---------------------------------------------------------------------------------------

# The folder with initdb, pg_ctl and postgres: of version $1 if given, else the newest that is new enough.
binaries() {
    local wanted=${1:-} dir version best='' best_version=0
    for dir in ${PG_BIN:-} /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
        /usr/local/opt/postgresql@*/bin "$(pg_config --bindir 2>/dev/null || true)" "$(dirname "$(command -v postgres || true)")"; do
        [[ -x $dir/initdb && -x $dir/pg_ctl && -x $dir/postgres ]] || continue
        version=$("$dir/postgres" --version | grep -oE '[0-9]+' | head -1)
        if [[ -n $wanted ]]; then
            [[ $version == "$wanted" ]] && { echo "$dir"; return; }
        elif ((version > best_version)); then
            best=$dir best_version=$version
        fi
    done
    if [[ -n $wanted ]]; then
        fail "The database files in $HOME_DIR are of PostgreSQL $wanted, which is not installed. Install it, or delete that folder to start empty."
    fi
    ((best_version >= OLDEST)) || fail "PostgreSQL $OLDEST or later is needed (initdb, pg_ctl, postgres). 'make install' says how to get it."
    echo "$best"
}

# PostgreSQL refuses to run as root, so root hands over to the user its package made.
as_owner() {
    if ((EUID == 0)); then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

# Sets HOME_DIR (all of the cluster's files) and SOCKET_DIR.
locate() {
    local name=postgres
    [[ $KIND == test ]] && name=postgres-test
    HOME_DIR=$ROOT/.data/$name
    if ((EUID == 0)); then
        id postgres >/dev/null 2>&1 || fail "There is no user 'postgres' to run PostgreSQL as. 'make install' installs it."
        # A checkout below /root, or closed to others, cannot hold files of another user.
        as_owner test -x "$ROOT" 2>/dev/null || HOME_DIR=/var/lib/isorun-dashboard/$(checkout_id)/$name
    fi
    SOCKET_DIR=$HOME_DIR/socket
    # The kernel allows 107 bytes for a socket's path, and PostgreSQL adds "/.s.PGSQL.5432".
    ((${#SOCKET_DIR} < 85)) || SOCKET_DIR=/tmp/isorun-$(checkout_id)-$KIND
}

own_url() { echo "postgres://$ROLE@localhost/$1?host=$SOCKET_DIR"; }

# --- the cluster --------------------------------------------------------------------------------------------

owned_folder() {
    mkdir -p "$1"
    if ((EUID == 0)); then chown postgres: "$1"; fi
    chmod 700 "$1"
    [[ -O $1 || $EUID -eq 0 ]] || fail "$1 belongs to somebody else."
}

create() {
    [[ -e $HOME_DIR/data/PG_VERSION ]] && return
    local bin locale=C
    bin=$(binaries)
    if locale -a 2>/dev/null | grep -qix 'c.utf-\?8'; then locale=C.UTF-8; fi
    say "Creating a PostgreSQL cluster in ${HOME_DIR#"$ROOT"/}"
    # Made under another name first: an interrupted initdb never looks like a finished one.
    rm -rf "$HOME_DIR/data.new" "$HOME_DIR/data"
    as_owner "$bin/initdb" -D "$HOME_DIR/data.new" -U "$ROLE" --auth=trust --encoding=UTF8 --locale=$locale --no-instructions \
        >"$HOME_DIR/initdb.log" 2>&1 || { cat "$HOME_DIR/initdb.log" >&2; fail "initdb failed."; }
    mv "$HOME_DIR/data.new" "$HOME_DIR/data"
}

is_running() { [[ -d $HOME_DIR/data ]] && as_owner "$BIN/pg_isready" -q -h "$SOCKET_DIR" -U "$ROLE" -d postgres -t 2; }

# After a kill -9 or a reboot the pid file may name a process that is not PostgreSQL; pg_ctl would believe it.
forget_stale_pid() {
    local file=$HOME_DIR/data/postmaster.pid pid
    [[ -e $file ]] || return 0
    pid=$(head -1 "$file")
    if ! [[ $pid =~ ^[0-9]+$ ]] || ! ps -p "$pid" -o comm= 2>/dev/null | grep -q '^postgres'; then rm -f "$file"; fi
}

settings() {
    local durable=on
    [[ $KIND == test ]] && durable=off
    printf ' -c %s' "listen_addresses=''" "unix_socket_directories='$SOCKET_DIR'" unix_socket_permissions=0700 port=5432 \
        max_connections=200 timezone=UTC log_timezone=UTC log_error_verbosity=terse log_parameter_max_length_on_error=0 \
        shared_buffers=256MB max_wal_size=2GB fsync=$durable full_page_writes=$durable synchronous_commit=$durable
}

start() {
    owned_folder "$HOME_DIR"
    owned_folder "$SOCKET_DIR"
    # One starter at a time; the lock is closed for PostgreSQL itself, which would hold it for ever.
    if have flock; then
        exec 9>"$HOME_DIR/start.lock"
        flock -w 60 9 || fail "Another start of this cluster has been busy for a minute: $HOME_DIR/start.lock"
    fi
    create
    BIN=$(binaries "$(cat "$HOME_DIR/data/PG_VERSION")")
    if ! is_running; then
        local attempt
        for attempt in 1 2 3 4 5; do
            forget_stale_pid
            as_owner "$BIN/pg_ctl" start -s -w -t 60 -D "$HOME_DIR/data" -l "$HOME_DIR/log" -o "$(settings)" \
                </dev/null >/dev/null 2>&1 9>&- && break
            # The backends of a killed server need a moment to notice; until then their shared memory is in use.
            ((attempt < 5)) || { tail -20 "$HOME_DIR/log" >&2; fail "PostgreSQL does not start; its log is $HOME_DIR/log"; }
            sleep 1
        done
    fi
    if ! query postgres "SELECT 1 FROM pg_database WHERE datname = '$DATABASE'" | grep -q 1; then
        query postgres "CREATE DATABASE $DATABASE" >/dev/null
    fi
}

stop() {
    [[ -e $HOME_DIR/data/postmaster.pid ]] || return 0
    BIN=$(binaries "$(cat "$HOME_DIR/data/PG_VERSION")")
    forget_stale_pid
    [[ -e $HOME_DIR/data/postmaster.pid ]] || return 0
    as_owner "$BIN/pg_ctl" stop -s -w -t 30 -m fast -D "$HOME_DIR/data" ||
        as_owner "$BIN/pg_ctl" stop -s -w -t 10 -m immediate -D "$HOME_DIR/data"
}

# --- databases ----------------------------------------------------------------------------------------------

# The address of database $1 on the server in use.
url_of() {
    if [[ -n ${DATABASE_URL:-} ]]; then
        sed -E "s#^(postgres(ql)?://[^/?]*)(/[^?]*)?#\1/$1#" <<<"$DATABASE_URL"
    else
        own_url "$1"
    fi
}

query() { psql --no-psqlrc -qAtX -v ON_ERROR_STOP=1 -d "$(url_of "$1")" -c "$2" 9>&-; }

check_foreign() {
    local version
    version=$(psql --no-psqlrc -qAtX -d "$DATABASE_URL" -c 'SHOW server_version_num') || fail "DATABASE_URL is set, but no server answers there."
    ((version >= OLDEST * 10000)) || fail "The server of DATABASE_URL is too old: PostgreSQL $OLDEST or later is needed."
}

fresh() {
    query postgres "DROP DATABASE IF EXISTS $1 WITH (FORCE)" 2>/dev/null
    query postgres "CREATE DATABASE $1"
    url_of "$1"
}

named() { [[ ${1:-} =~ ^[a-z][a-z0-9_]{0,62}$ ]] || fail "usage: postgres.sh fresh|drop NAME [run|test]"; }

ACTION=${1:-}
case $ACTION in
fresh | drop) named "${2:-}" && NAME=$2 && KIND=${3:-run} ;;
*) KIND=${2:-run} ;;
esac
[[ $KIND == run || $KIND == test ]] || fail "The second word is run or test, not '$KIND'."

if [[ -n ${DATABASE_URL:-} ]]; then
    case $ACTION in
    start) check_foreign ;;
    stop) ;;
    running) ;;
    url) echo "$DATABASE_URL" ;;
    fresh) fresh "$NAME" ;;
    drop) query postgres "DROP DATABASE IF EXISTS $NAME WITH (FORCE)" ;;
    *) fail "usage: postgres.sh start|stop|running|url|fresh|drop" ;;
    esac
    exit
fi

locate
case $ACTION in
start) start ;;
stop) stop ;;
running) BIN=$(binaries) && is_running ;;
url) own_url "$DATABASE" ;;
fresh) fresh "$NAME" ;;
drop) query postgres "DROP DATABASE IF EXISTS $NAME WITH (FORCE)" ;;
*) fail "usage: postgres.sh start|stop|running|url|fresh|drop" ;;
esac
