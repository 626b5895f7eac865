# How the scripts in this folder speak, and the few words of shell that all of them need.
# Sourced, never run. What starts and supervises programs is end2end/stand.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT" || exit 1

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
    BOLD='' DIM='' RED='' PLAIN=''
fi

# Progress goes to standard error, so that a script's standard output stays its answer.
say() { printf '%s\n' "$*" >&2; }
heading() { printf '\n%s== %s%s\n' "$BOLD" "$*" "$PLAIN" >&2; }
detail() { printf '%s   %s%s\n' "$DIM" "$*" "$PLAIN" >&2; }
fail() {
    printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# A short name for this checkout, for what has to live outside it.
checkout_id() { printf %s "$ROOT" | cksum | cut -d' ' -f1; }

# The version of package $1 in Cargo.lock.
locked_version() { awk -v name="\"$1\"" '$1=="name"{hit=($3==name)} hit&&$1=="version"{gsub(/"/,"",$3); print $3; exit}' Cargo.lock; }

# One hash over the names, sizes and modification times (to the nanosecond) of all files below the given paths.
# A path that is not there counts for nothing, and so does a file that vanishes meanwhile.
tree_stamp() { { find "$@" -type f -printf '%p %s %T@\n' 2>/dev/null || true; } | LC_ALL=C sort | sha256sum | cut -d' ' -f1; }
