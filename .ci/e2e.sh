#!/usr/bin/env bash
# The browser tests: real peers and the dashboard on free ports, with a database and peer state of their own, then
# Playwright; afterwards all of it is gone. Arguments go to Playwright. Expects everything to be built, a running
# server at DATABASE_URL, and is called by test.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"
source .ci/servers.sh

DATABASE=isorun_e2e_$$
WORK=$(mktemp -d "${TMPDIR:-/tmp}/isorun-e2e.XXXXXX")
export LOG_DIR=$WORK/log PEER_DIR=$WORK/orchestrator
mkdir -p "$LOG_DIR" "$PEER_DIR"

status=1
finish() {
    trap - EXIT
    # A second Ctrl-C must not leave half of it running.
    trap '' INT TERM HUP
    stop_all
    .ci/postgres.sh drop "$DATABASE" test || true
    if ((status == 0)); then
        rm -rf "$WORK"
    else
        # Playwright keeps its traces in the same place.
        mkdir -p end2end/test-results
        rm -rf end2end/test-results/server-logs
        cp -R "$LOG_DIR" end2end/test-results/server-logs
        rm -rf "$WORK"
        say "The logs of the servers are in end2end/test-results/server-logs/"
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

own_settings
DATABASE_URL=$(.ci/postgres.sh fresh "$DATABASE" test)
export DATABASE_URL

start_mail_catcher
start_orchestrator
"$BIN_DIR/isorun-dashboard" migrate >"$LOG_DIR/migrate.log" 2>&1 || { tail -20 "$LOG_DIR/migrate.log" >&2; fail "The migrations failed."; }
start_dashboard "$LOG_DIR/dashboard.log"

# The Node.js that npm brought, not the system's: the SDK and Playwright then agree about it.
export PATH=$ROOT/end2end/node_modules/node/bin:$PATH
export DASHBOARD_URL=$PUBLIC_ORIGIN
set +e
(cd end2end && node node_modules/@playwright/test/cli.js test "$@") </dev/null
status=$?
set -e
if ((status == 0)) && ! all_alive; then status=1; fi
