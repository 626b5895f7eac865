#!/usr/bin/env bash
# Keeps .sqlx/ (what the query macros know about the database when none is at hand) equal to the queries and
# the migrations, without sqlx-cli: the macros write these files themselves when SQLX_OFFLINE_DIR is set.
#
#   prepare.sh            writes .sqlx/
#   prepare.sh --check    fails if .sqlx/ is not what it would write
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

QUERIES=server/backend # the only crate that speaks SQL
ENTRY=$QUERIES/src/lib.rs
DONE=target/prepare/done
DATABASE=isorun_prepare_$$

CHECK=no
[[ ${1:-} == --check ]] && CHECK=yes

# Nothing that decides the answer has changed since the last success: the answer stands.
inputs() { { cat Cargo.lock && find "$QUERIES" migrations .sqlx -type f -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -d' ' -f1; }
if [[ -e $DONE && $(cat "$DONE") == "$(inputs)" ]]; then
    detail ".sqlx/ is up to date (nothing changed since it was last compared)"
    exit 0
fi

started=no
.ci/postgres.sh running test || started=yes
.ci/postgres.sh start test
url=$(.ci/postgres.sh fresh "$DATABASE" test)
mkdir -p target/prepare
fresh=$(mktemp -d "$ROOT/target/prepare/sqlx.XXXXXX")
clock=$(mktemp "$ROOT/target/prepare/clock.XXXXXX")
touch -r "$ENTRY" "$clock"

tidy() {
    touch -r "$clock" "$ENTRY"
    rm -rf "$fresh" "$clock"
    .ci/postgres.sh drop "$DATABASE" test || true
    if [[ $started == yes ]]; then .ci/postgres.sh stop test || true; fi
}
trap tidy EXIT

for migration in migrations/*.sql; do
    psql --no-psqlrc -qX -1 -v ON_ERROR_STOP=1 -d "$url" -f "$migration" || fail "$migration does not apply to an empty database."
done

# The macros run only when the crate is compiled, so it has to look changed. Its time is put back afterwards, and
# the wrapper (a program that does nothing but start rustc) gives these artefacts a name of their own: so the
# ordinary builds stay fresh, while the compiled dependencies are shared with them.
touch "$ENTRY"
DATABASE_URL=$url SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$fresh RUSTC_WORKSPACE_WRAPPER=$(command -v env) \
    cargo check -q -p backend --all-targets --all-features || fail "A query does not fit the migrations, or the crate does not compile."

if [[ $CHECK == yes ]]; then
    if ! diff -rq "$fresh" .sqlx >&2; then
        fail ".sqlx/ is not what the queries and migrations say. Run 'make prepare' and commit .sqlx/."
    fi
else
    mkdir -p .sqlx
    # The new ones first, so that a build that runs meanwhile finds every query.
    find "$fresh" -name 'query-*.json' -exec cp {} .sqlx/ \;
    for file in .sqlx/query-*.json; do [[ -e $fresh/${file##*/} ]] || rm -f "$file"; done
fi
inputs >"$DONE"
say ".sqlx/: $(find .sqlx -name 'query-*.json' | wc -l) queries"
