#!/usr/bin/env bash
# `make soak`: what takes too long to be asked of every change. Each part has a limit of time, so it stops by itself, and leaves
# no process behind. With names of parts it runs only those.
#
#   soak.sh [lighthouse]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

PARTS=("$@")
if ((${#PARTS[@]} == 0)); then PARTS=(lighthouse); fi

# Every page, by both presets, in an account that has lived a month; what must be reached stands in the test. On the debug
# build, which answers slower than what is shipped: what is fast enough there is fast enough.
soak_lighthouse() {
    .ci/install.sh soak
    ARGS="--config lighthouse.config.ts" timeout 5400 .ci/test.sh browser
}

for part in "${PARTS[@]}"; do
    declare -F "soak_$part" >/dev/null || fail "There is no part '$part'."
    heading "$part"
    "soak_$part"
done
