#!/usr/bin/env bash
# Builds what the browser gets into target/site/: pkg/NAME.HASH.{js,wasm,css} with .br and .gz beside each, the files
# of public/, and assets.json, from which the server learns the names. There is one kind of build only, so that
# what is tested is what is shipped. Does nothing when nothing changed.
#
#   assets.sh [--budget]     --budget fails when the files have grown past what docs and decisions promise
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

SITE=target/site
NEXT=target/site.new
WORK=target/assets
WASM=target/wasm32-unknown-unknown/wasm-release/frontend.wasm
TOOLS=end2end/node_modules/.bin
# Bytes after brotli: all of js, wasm and css; and wasm alone.
BUDGET_ALL=120000
BUDGET_WASM=90000

# --- is there anything to do? -------------------------------------------------------------------------------

inputs() { { sha256sum "$WASM" .ci/assets.sh end2end/package-lock.json && tree_stamp style public && locked_version wasm-bindgen; } | sha256sum; }

# Cargo knows best whether the wasm is up to date, and says so in a fraction of a second.
SQLX_OFFLINE=true cargo build -q -p frontend --lib --target wasm32-unknown-unknown --profile wasm-release

# --- the three files ----------------------------------------------------------------------------------------

# Moves file $1 to pkg/ as $2.HASH.$3, and prints that name.
place() {
    local name
    name=$2.$(sha256sum "$1" | cut -c1-16).$3
    mv "$1" "$NEXT/pkg/$name"
    echo "$name"
}

build() {
    rm -rf "$NEXT" "$WORK"
    mkdir -p "$NEXT/pkg" "$WORK"
    if [[ -d public ]]; then cp -R public/. "$NEXT/"; fi

    # The server names the wasm file, so the script does not need to guess a name for it.
    target/tools/bin/wasm-bindgen "$WASM" --out-dir "$WORK" --out-name frontend --target web --no-typescript \
        --omit-default-module-path --remove-name-section --remove-producers-section
    # These are the features that rustc turns on for wasm32 by itself; every browser of the last years has them.
    "$TOOLS/wasm-opt" -Oz "$WORK/frontend_bg.wasm" -o "$WORK/frontend.wasm" --enable-bulk-memory --enable-multivalue \
        --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext
    "$TOOLS/esbuild" "$WORK/frontend.js" --minify --format=esm --target=es2022 --log-level=warning --outfile="$WORK/frontend.min.js"
    "$TOOLS/lightningcss" --bundle --minify style/main.css -o "$WORK/main.css"
    # Scripts that crates bring along are imported from there by the main one; their folder's name is a hash already.
    if [[ -d $WORK/snippets ]]; then cp -R "$WORK/snippets" "$NEXT/pkg/"; fi

    local css js wasm
    css=$(place "$WORK/main.css" main css)
    js=$(place "$WORK/frontend.min.js" frontend js)
    wasm=$(place "$WORK/frontend.wasm" frontend wasm)
    find "$NEXT/pkg" -type f -exec brotli -q 11 -w 24 -k {} \; -exec gzip -9 -n -k {} \;
    printf '{"css":"/pkg/%s","js":"/pkg/%s","wasm":"/pkg/%s"}\n' "$css" "$js" "$wasm" >"$NEXT/assets.json"

    # A server that is running keeps serving until the last moment; the old hashed files go with the old folder.
    rm -rf "$SITE.old"
    if [[ -d $SITE ]]; then mv "$SITE" "$SITE.old"; fi
    mv "$NEXT" "$SITE"
    rm -rf "$SITE.old" "$WORK"
}

# One packer at a time: `make run` and `make test` may be busy in the same checkout.
if have flock; then
    exec 9>target/assets.lock
    flock 9
fi
now=$(inputs)
if [[ ! -e $SITE/assets.json || $(cat target/site.stamp 2>/dev/null || true) != "$now" ]]; then
    say "Packing scripts and styles for the browser"
    build
    echo "$now" >target/site.stamp
fi

# --- how big they are ---------------------------------------------------------------------------------------

packed() { find "$SITE/pkg" -name "$1" -exec cat {} + | wc -c; }
wasm=$(packed '*.wasm.br') js=$(packed '*.js.br') css=$(packed '*.css.br')
detail "$SITE: wasm $wasm + js $js + css $css = $((wasm + js + css)) bytes (brotli)"
if [[ ${1:-} == --budget ]]; then
    ((wasm <= BUDGET_WASM)) || fail "The wasm file is over its budget of $BUDGET_WASM bytes."
    ((wasm + js + css <= BUDGET_ALL)) || fail "Scripts and styles together are over their budget of $BUDGET_ALL bytes."
fi
