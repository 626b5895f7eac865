#!/usr/bin/env bash
# `make bench`: measures a release build on this machine, with a durable database, and prints one line per number.
# Everything it starts is its own, on loopback, and is gone afterwards. ARGS names some of the measures instead of all:
# pages, feed, refold, usage, start, sizes. After the build a full run takes ten minutes, half of them for the ten million
# intervals.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"
source .ci/servers.sh

export SQLX_OFFLINE=true BIN_DIR=target/release
SECONDS_EACH=${SECONDS_EACH:-10}
read -ra MEASURES <<<"${ARGS:-pages feed refold usage start sizes}"

heading "Build"
.ci/install.sh bench
cargo build --release -q -p server -p peers -p bench --bins
.ci/assets.sh

DATABASE=isorun_bench_$$
WORK=$(mktemp -d "${TMPDIR:-/tmp}/isorun-bench.XXXXXX")
export LOG_DIR=$WORK/log PEER_DIR=$WORK/orchestrator
mkdir -p "$LOG_DIR" "$PEER_DIR"
own_settings
export LOG=warn

postgres_started=no
own_database=${DATABASE_URL:-}
finish() {
    local status=$?
    trap - EXIT
    trap '' INT TERM HUP
    stop_all
    if [[ -z $own_database ]]; then unset DATABASE_URL; else export DATABASE_URL=$own_database; fi
    .ci/postgres.sh drop "$DATABASE" run || true
    if [[ $postgres_started == yes ]]; then .ci/postgres.sh stop run || true; fi
    rm -rf "$WORK"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

if ! .ci/postgres.sh running run; then postgres_started=yes; fi
.ci/postgres.sh start run
DATABASE_URL=$(.ci/postgres.sh fresh "$DATABASE" run)
export DATABASE_URL DASHBOARD_URL=$PUBLIC_ORIGIN
start_mail_catcher
start_orchestrator
"$BIN_DIR/isorun-dashboard" migrate
start_dashboard "$LOG_DIR/dashboard.log"
export PATH=$ROOT/end2end/node_modules/node/bin:$PATH
cookie=$(node .ci/bench-journey.mjs | sed -E 's/.*"cookie":"([^"]*)".*/\1/')
stop_last

# --- the numbers --------------------------------------------------------------------------------------------

line() { printf '%-58s %s\n' "$1" "$2"; }
memory() { awk -v what="$1:" '$1 == what { printf "%.1f MiB", $2 / 1024 }' "/proc/${PIDS[-1]}/status"; }

# load NAME PATH CONNECTIONS COOKIE [SCRIPT]: requests per second, p50 and p99, after two seconds that do not count: the first
# requests of all connections come at once and plan every query anew. Any answer but 200 spoils the number.
load() {
    local out
    wrk -t1 -c"$3" -d2s ${4:+-H "Cookie: $4"} "$PUBLIC_ORIGIN$2" >/dev/null 2>&1 || true
    out=$(wrk -t1 -c"$3" -d"${SECONDS_EACH}s" --latency ${4:+-H "Cookie: $4"} ${5:+-s "$5"} "$PUBLIC_ORIGIN$2" 2>&1)
    if grep -qE 'Non-2xx|Socket errors' <<<"$out"; then
        say "$out"
        fail "$1: not every answer was a good one."
    fi
    line "$1" "$(awk '/Requests\/sec/ { rate = $2 } $1 == "50%" { p50 = $2 } $1 == "99%" { p99 = $2 } END { print rate " requests/s, p50 " p50 ", p99 " p99 }' <<<"$out")"
}

measure_pages() {
    heading "Pages (wrk on the same machine takes its share of the $(nproc) cores)"
    start_dashboard "$LOG_DIR/dashboard.log"
    [[ $(curl -s -o /dev/null -w '%{http_code}' -H "Cookie: $cookie" "$PUBLIC_ORIGIN/overview") == 200 ]] || fail "The overview page does not show."
    # Twenty people, each of whom waits 100 ms on average before the next request: 200 requests/s, or a little less. A fixed
    # wait would keep the twenty in step, as one herd.
    printf 'function delay() return math.random(0, 200) end\n' >"$WORK/paced.lua"
    load "overview, signed in, up to 200 requests/s" /overview 20 "$cookie" "$WORK/paced.lua"
    load "/readyz at the same pace: what this machine adds to anything" /readyz 20 "" "$WORK/paced.lua"
    load "overview, signed in, as fast as it goes (16 connections)" /overview 16 "$cookie"
    load "landing page, nobody signed in, as fast as it goes" / 16 ""
    load "/readyz: the same server with one query and no page" /readyz 16 ""
    line "memory of serve after that" "$(memory VmRSS) (peak $(memory VmHWM))"
    stop_last

    heading "Beside it: a bare axum handler that runs the same queries"
    launch "The bare handler" "$LOG_DIR/bare.log" "$BIN_DIR/bench" bare
    await "The bare handler" 10 curl -s -o /dev/null --max-time 2 "$PUBLIC_ORIGIN/overview"
    load "bare handler, up to 200 requests/s" /overview 20 "$cookie" "$WORK/paced.lua"
    load "bare handler, as fast as it goes (16 connections)" /overview 16 "$cookie"
    stop_last
}

measure_feed() {
    heading "Feed to posted ledger, fsync on"
    .ci/bench-feed.sh 200000 200
    line "200,000 events of 200 accounts, half of them of four" "$("$BIN_DIR/bench" feed)"
}

measure_refold() {
    heading "Everything folded, rated and booked again, fsync on"
    local others=$DATABASE_URL
    DATABASE_URL=$(.ci/postgres.sh fresh "${DATABASE}_refold" run)
    "$BIN_DIR/isorun-dashboard" migrate
    .ci/bench-refold.sh 10000 20
    line "a month of 10,000 accounts, 400,000 events" "$("$BIN_DIR/bench" refold)"
    psql --no-psqlrc -qX -d "$DATABASE_URL" -c 'UPDATE meters SET settled_seq = 0, settled_until = NULL'
    line "the same again, when nothing differs" "$("$BIN_DIR/bench" refold)"
    DATABASE_URL=$others
    .ci/postgres.sh drop "${DATABASE}_refold" run
}

# Without the worker: the intervals have no events, and the checks would say so ten million times.
measure_usage() {
    heading "Usage page of an account with ${USAGE_INTERVALS:=10000000} intervals"
    local account
    account=$(psql --no-psqlrc -qtAX -d "$DATABASE_URL" -c "SELECT account_id FROM memberships")
    psql --no-psqlrc -qX -d "$DATABASE_URL" -v account="$account" -v intervals="$USAGE_INTERVALS" -f server/bench/usage.sql || fail "The intervals could not be seeded."
    launch "The dashboard" "$LOG_DIR/dashboard.log" "$BIN_DIR/isorun-dashboard" serve --web-only
    await "The dashboard" 30 curl -sf -o /dev/null --max-time 2 "$PUBLIC_ORIGIN/readyz"
    grep -q 'image:5' < <(curl -s -H "Cookie: $cookie" "$PUBLIC_ORIGIN/usage.json?range=30d&group=image") || fail "The page does not show the intervals."
    load "usage page, 24 hours (1 connection)" "/usage" 1 "$cookie"
    load "usage page, 30 days by key (1 connection)" "/usage?range=30d&group=key" 1 "$cookie"
    load "usage page, 30 days by key (4 connections)" "/usage?range=30d&group=key" 4 "$cookie"
    load "usage page, 30 days by image (4 connections)" "/usage?range=30d&group=image" 4 "$cookie"
    load "usage page, 30 days of another zone by key (1 connection)" "/usage?range=30d&group=key&zone=Asia/Kolkata" 1 "$cookie"
    load "usage page, 30 days of another zone by key (4 connections)" "/usage?range=30d&group=key&zone=Asia/Kolkata" 4 "$cookie"
    load "overview page of it (4 connections)" "/overview" 4 "$cookie"
    line "memory of serve after that" "$(memory VmRSS) (peak $(memory VmHWM))"
    stop_last
}

measure_start() {
    heading "Start"
    local began
    began=$(date +%s%N)
    launch "The dashboard" "$LOG_DIR/dashboard.log" "$BIN_DIR/isorun-dashboard" serve
    until curl -sf -o /dev/null --max-time 2 -H "Cookie: $cookie" "$PUBLIC_ORIGIN/overview"; do
        all_alive || exit 1
        sleep 0.005
    done
    line "start of serve to the first signed-in page" "$((($(date +%s%N) - began) / 1000000)) ms"
    line "overview page, html" "$(curl -s -H 'Accept-Encoding: br' -H "Cookie: $cookie" "$PUBLIC_ORIGIN/overview" | wc -c) bytes"
    stop_last
}

measure_sizes() {
    heading "Sizes, brotli"
    local kind
    for kind in wasm js css; do line "$kind" "$(cat target/site/pkg/*."$kind".br | wc -c) bytes"; done
    line "isorun-dashboard, the program" "$(wc -c <"$BIN_DIR/isorun-dashboard") bytes"
}

for measure in "${MEASURES[@]}"; do
    declare -F "measure_$measure" >/dev/null || fail "There is no measure '$measure'."
    "measure_$measure"
done
