#!/usr/bin/env bash
# `make test`: every check, each with its duration, and a summary. Stops at the first stage that fails, and leaves
# no process behind. With names of stages it runs only those.
#
#   test.sh [install] [format] [supply] [lints] [queries] [tests] [assets] [browser]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

export SQLX_OFFLINE=true
STAGES=("$@")
if ((${#STAGES[@]} == 0)); then STAGES=(install format supply lints queries tests assets browser); fi

postgres_started=no
database_url=''
need_database() {
    if [[ $postgres_started == no ]] && ! .ci/postgres.sh running test; then postgres_started=yes; fi
    .ci/postgres.sh start test
    database_url=$(.ci/postgres.sh url test)
}

# --- the stages ---------------------------------------------------------------------------------------------

stage_install() { .ci/install.sh test; }

stage_format() {
    cargo fmt --all --check
    end2end/node_modules/.bin/tsc --project end2end/tsconfig.json
}

# Who may bring which code in, under which licence, from where (deny.toml); and the list of it that a release carries.
stage_supply() {
    target/tools/deny/bin/cargo-deny --log-level error check bans licenses sources
}

# Twice: the server's code and the browser's code are different code to the compiler. Not with --all-features, which
# would put both into one.
stage_lints() {
    cargo clippy -q --workspace --exclude frontend --all-targets -- -D warnings
    cargo clippy -q -p frontend --target wasm32-unknown-unknown -- -D warnings
}

stage_queries() {
    need_database
    .ci/prepare.sh --check
}

stage_tests() {
    need_database
    if cargo nextest --version >/dev/null 2>&1; then
        DATABASE_URL=$database_url cargo nextest run --workspace --exclude frontend --config-file .ci/nextest.toml
    else
        say "cargo-nextest is not installed: using cargo test, which is slower."
        DATABASE_URL=$database_url cargo test --workspace --exclude frontend
    fi
}

stage_assets() { .ci/assets.sh --budget; }

stage_browser() {
    need_database
    cargo build -q -p server -p peers -p stand
    .ci/assets.sh
    # shellcheck disable=SC2086  # ARGS is several words on purpose
    DATABASE_URL=$database_url target/debug/stand e2e ${ARGS:-}
}

# --- running them -------------------------------------------------------------------------------------------

summary=()
current=''
began=0
finish() {
    local status=$? line
    trap - EXIT
    # A second Ctrl-C must not leave half of it running.
    trap '' INT TERM HUP
    if [[ $postgres_started == yes ]]; then .ci/postgres.sh stop test || true; fi
    if [[ -n $current ]]; then summary+=("$(printf '%-10s FAILED after %4d s' "$current" $((SECONDS - began)))"); fi
    heading "Summary"
    for line in ${summary[@]+"${summary[@]}"}; do say "$line"; done
    say "$(printf '%-10s %4d s' 'in all' $SECONDS)"
    if [[ -n $current && $status -eq 0 ]]; then status=1; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

for stage in "${STAGES[@]}"; do
    declare -F "stage_$stage" >/dev/null || fail "There is no stage '$stage'."
    current=$stage began=$SECONDS
    heading "$stage"
    "stage_$stage"
    summary+=("$(printf '%-10s %4d s' "$stage" $((SECONDS - began)))")
    current=''
done
