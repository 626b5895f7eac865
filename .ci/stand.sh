#!/usr/bin/env bash
# Builds the program `stand` (end2end/stand) and becomes it; what it does is said there. With an empty machine it first
# installs what building takes.
#
#   stand.sh run|dev|demo|bench [ARGUMENTS]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

purpose=run
[[ ${1:-} == bench ]] && purpose=bench
heading "Tools"
.ci/install.sh "$purpose"
SQLX_OFFLINE=true cargo build -p stand
exec target/debug/stand "$@"
