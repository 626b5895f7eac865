#!/usr/bin/env bash
# `make run`: from a machine with little on it to a dashboard that works, and everything it needs beside it.
# Runs until Ctrl-C or until one of the programs ends; then it stops all of them.
#
# With --watch (`make dev`) it also builds and restarts the dashboard after every change.
#
# Each address can be changed by the environment: LISTEN_ADDR, METRICS_ADDR, ORCHESTRATOR_URL, SMTP_URL, MAIL_URL.
# An ORCHESTRATOR_URL or SMTP_URL that is not on this machine is used as it is, and nothing is started for it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"
source .ci/servers.sh

WATCH=no
[[ ${1:-} == --watch ]] && WATCH=yes
DATA=.data
export LOG_DIR=$DATA/log PEER_DIR=${PEER_DIR:-$DATA/orchestrator} MAIL_URL=${MAIL_URL:-http://127.0.0.1:3080}
mkdir -p "$LOG_DIR"

# --- configuration ------------------------------------------------------------------------------------------

if [[ ! -e $DATA/dev.env ]]; then
    (umask 077 && printf 'SECRET_KEY=%s\nORCHESTRATOR_CREDENTIAL=%s\n' "$(random_secret)" "$(random_secret)" >"$DATA/dev.env")
fi
# What follows from an address that was changed changes with it.
if [[ -n ${LISTEN_ADDR:-} ]]; then export PUBLIC_ORIGIN=${PUBLIC_ORIGIN:-http://$LISTEN_ADDR}; fi
if [[ -n ${ORCHESTRATOR_URL:-} ]]; then export SANDBOX_API_URL=${SANDBOX_API_URL:-$ORCHESTRATOR_URL}; fi
use_defaults "$DATA/dev.env"
use_defaults .env.example

own_orchestrator=no own_mail=no
if is_loopback "$ORCHESTRATOR_URL"; then own_orchestrator=yes; fi
if is_loopback "$SMTP_URL"; then own_mail=yes; fi

require_all_free() {
    require_free "dashboard" "$LISTEN_ADDR" LISTEN_ADDR
    require_free "dashboard's metrics page" "$METRICS_ADDR" METRICS_ADDR
    if [[ $own_orchestrator == yes ]]; then require_free "orchestrator" "$(authority "$ORCHESTRATOR_URL")" ORCHESTRATOR_URL; fi
    if [[ $own_mail == yes ]]; then
        require_free "mail catcher's SMTP side" "$(authority "$SMTP_URL")" SMTP_URL
        require_free "mail catcher's web page" "$(authority "$MAIL_URL")" MAIL_URL
    fi
}
# Asked before the build, so that nobody waits for minutes to hear it.
require_all_free

# --- everything it takes ------------------------------------------------------------------------------------

started=$SECONDS
postgres_started=no
stopping=no
stop_everything() {
    local status=$?
    trap - EXIT
    # A second Ctrl-C must not leave half of it running.
    trap '' INT TERM HUP
    if ((${#PIDS[@]})); then
        say ""
        say "Stopping"
    fi
    stop_all
    if [[ $postgres_started == yes ]]; then env -u DATABASE_URL .ci/postgres.sh stop run || true; fi
    # Being asked to stop is not a failure.
    if [[ $stopping == yes ]]; then exit 0; fi
    exit "$status"
}
trap stop_everything EXIT
trap 'stopping=yes; exit' INT TERM HUP

heading "Tools"
.ci/install.sh run
heading "PostgreSQL"
if ! .ci/postgres.sh running run; then postgres_started=yes; fi
.ci/postgres.sh start run
DATABASE_URL=$(.ci/postgres.sh url run)
# The query macros are checked against .sqlx/, not against whatever that database looks like now.
export DATABASE_URL SQLX_OFFLINE=true
heading "Server and peers"
cargo build -p server -p peers
heading "Browser files"
.ci/assets.sh

heading "Start"
require_all_free
if [[ $own_mail == yes ]]; then start_mail_catcher; fi
if [[ $own_orchestrator == yes ]]; then start_orchestrator; fi
"$BIN_DIR/isorun-dashboard" migrate
start_dashboard -

say ""
say "${BOLD}Dashboard     $PUBLIC_ORIGIN${PLAIN}"
if [[ $own_mail == yes ]]; then say "Mail          $MAIL_URL"; fi
say "Orchestrator  $ORCHESTRATOR_URL"
say "Metrics       http://$METRICS_ADDR/metrics"
say "Database      psql '$DATABASE_URL'"
say "Ready after $((SECONDS - started)) s. Logs of the others are in $LOG_DIR/. Ctrl-C stops everything."
say ""

# --- until it ends ------------------------------------------------------------------------------------------

# A signal interrupts `wait`, while it would have to wait for the end of a `sleep`.
pause() {
    sleep 1 &
    wait $! || true
}

# Pages never reach the browser as wasm, so a change in them does not need the long build of it.
browser_stamp() { tree_stamp style public app/domain app/frontend app/src/lib.rs app/src/islands app/src/action app/src/*/mod.rs app/src/*/*actions.rs; }
server_stamp() { tree_stamp app server migrations .sqlx Cargo.toml Cargo.lock; }

rebuild() {
    local at=$SECONDS
    if [[ $browser != "$1" ]]; then .ci/assets.sh || return 0; fi
    if [[ $server != "$2" ]]; then cargo build -q -p server || return 0; fi
    stop_last
    start_dashboard -
    say "${BOLD}Restarted after $((SECONDS - at)) s${PLAIN}"
}

browser=$(browser_stamp) server=$(server_stamp)
while all_alive; do
    pause
    [[ $WATCH == yes ]] || continue
    browser_now=$(browser_stamp) server_now=$(server_stamp)
    if [[ $browser != "$browser_now" || $server != "$server_now" ]]; then
        rebuild "$browser_now" "$server_now"
        browser=$browser_now server=$server_now
    fi
done
exit 1
