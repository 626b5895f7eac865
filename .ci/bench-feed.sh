#!/usr/bin/env bash
# Part of `make bench`: fills the orchestrator's feed for the measure of feed to ledger, and makes the accounts it names.
# Deterministic: the same lives each time. Nothing is measured here.
#
#   bench-feed.sh EVENTS ACCOUNTS    expects DATABASE_URL (migrated) and ORCHESTRATOR_URL
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

EVENTS=${1:-200000}
ACCOUNTS=${2:-200}

psql --no-psqlrc -qX -1 -v ON_ERROR_STOP=1 -d "$DATABASE_URL" -v accounts="$ACCOUNTS" <<'SQL'
CREATE TEMP TABLE fresh AS
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS account_id,
       gen_random_uuid() AS grant_id, gen_random_uuid() AS promo_id FROM generate_series(1, :accounts) AS n;
INSERT INTO accounts (account_id, name, region, activated_at, created_at)
SELECT account_id, 'bench', 'us', now() - interval '40 days', now() - interval '40 days' FROM fresh;
INSERT INTO ledger_accounts (account_id, ledger_account_id, kind, is_tracked)
SELECT account_id, grant_id, 'grant', true FROM fresh UNION ALL SELECT account_id, promo_id, 'promo_cost', false FROM fresh;
INSERT INTO grants (account_id, grant_id, reason, amount_ticks, priority, starts_at, granted_at)
SELECT account_id, grant_id, 'sign_up', 5000 * 36864000000000::numeric, 0,
       date_trunc('hour', now() - interval '40 days', 'UTC'), now() - interval '40 days' FROM fresh;
INSERT INTO transfers (account_id, transfer_id, debit_id, credit_id, ticks, kind, key, booked_at)
SELECT account_id, gen_random_uuid(), promo_id, grant_id, 5000 * 36864000000000::numeric, 'grant', 'grant:sign_up',
       now() - interval '40 days' FROM fresh;
SQL

# Lives of 10 s to 2 h within one day, one in four with a nap; half of all events belong to the first four accounts. In
# the order of time, so that most lives begin in one page of the feed and end in another.
work=$(mktemp -d "${TMPDIR:-/tmp}/isorun-feed.XXXXXX")
trap 'rm -rf "$work"' EXIT
awk -v events="$EVENTS" -v accounts="$ACCOUNTS" -v now="$(date +%s)" '
function at(second) { return strftime("%Y-%m-%dT%H:%M:%S", second, 1) sprintf(".%03dZ", int(rand() * 1000)) }
function line(second, kind) {
    printf "%d {\"account\":\"00000000-0000-7000-8000-%012x\",\"sandbox_id\":\"runbench%08x\",\"key_id\":\"00000000-0000-7000-9000-%012x\",\"kind\":\"%s\",\"occurred_at\":\"%s\",\"image\":\"%s\",\"vcpus\":%d,\"mem_mib\":%d,\"cpu_ms\":%s}\n",
        second, account, sandbox, account * 4 + key, kind, at(second), image, vcpus, vcpus * 1024, kind == "created" ? "null" : int(rand() * 100000)
    written++
}
BEGIN {
    srand(41)
    while (written < events) {
        sandbox++
        account = 1 + (rand() < 0.5 ? int(rand() * 4) : 4 + int(rand() * (accounts - 4)))
        key = int(rand() * 3); vcpus = 1 + int(rand() * 2); image = rand() < 0.5 ? "node:22-slim" : "python:3.13"
        length_s = rand() < 0.8 ? 10 + int(rand() * 600) : 600 + int(rand() * 6600)
        start = now - 90000 + int(rand() * 79000)
        line(start, "created")
        if (rand() < 0.25) { line(start + int(length_s / 3), "hibernated"); line(start + int(length_s / 2), "resumed") }
        line(start + length_s, "destroyed")
    }
}' | sort -n -s -k1,1 | cut -d' ' -f2- | split -l 2000 - "$work/page."
for page in "$work"/page.*; do
    { printf '{"events":[' && paste -sd, "$page" && printf ']}'; } |
        curl -sf -o /dev/null -H 'Content-Type: application/json' --data-binary @- "$ORCHESTRATOR_URL/peer/feed/append" ||
        fail "The orchestrator did not take the events."
done
say "$(cat "$work"/page.* | wc -l) events of $ACCOUNTS accounts are in the feed"
