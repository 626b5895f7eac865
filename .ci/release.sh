#!/usr/bin/env bash
# `make release`: builds what is shipped into target/dist/isorun-dashboard-VERSION/, and checks that it is whole:
#   isorun-dashboard          the program, without debug information
#   isorun-dashboard.debug    that information; debuggers and profilers find it beside the program
#   site/                     what browsers get; SITE_ROOT leads there
#   sbom.cdx.json             every package in it, with licence and checksum (CycloneDX)
#   .env.example, LICENSE, operating.md, SHA256SUMS
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/say.sh"

# Bytes of the program. With debug information it has seven times as many, nearly all of them names of types.
BUDGET=40000000
VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
NAME=isorun-dashboard
DIST=target/dist/$NAME-$VERSION
NEXT=$DIST.new
export SQLX_OFFLINE=true

heading "Tools"
.ci/install.sh run
{ have objcopy && have readelf; } || fail "objcopy is missing (package binutils): it takes the debug information out of the program."

heading "Build"
.ci/assets.sh --budget
cargo build --release -q -p server --bins
cargo build -q -p stand

heading "Put together"
rm -rf "$NEXT"
mkdir -p "$NEXT"
objcopy --only-keep-debug --compress-debug-sections "target/release/$NAME" "$NEXT/$NAME.debug"
objcopy --strip-all "target/release/$NAME" "$NEXT/$NAME"
# By its name alone: a debugger looks beside the program.
(cd "$NEXT" && objcopy --add-gnu-debuglink="$NAME.debug" "$NAME")
cp -R target/site "$NEXT/site"
target/debug/stand sbom >"$NEXT/sbom.cdx.json"
cp .env.example LICENSE docs/operating.md "$NEXT/"
(cd "$NEXT" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)

heading "Check"
[[ $("$NEXT/$NAME" --version) == "$NAME $VERSION" ]] || fail "The program does not say that it is $NAME $VERSION."
size=$(wc -c <"$NEXT/$NAME")
((size <= BUDGET)) || fail "The program has $size bytes, more than its budget of $BUDGET."
readelf --string-dump=.gnu_debuglink "$NEXT/$NAME" | grep -q "$NAME.debug" || fail "The program does not name its debug information."
readelf --wide --sections "$NEXT/$NAME.debug" | grep -q '\.debug_line' || fail "There is no debug information beside the program."
(cd "$NEXT" && sha256sum --quiet --check SHA256SUMS)

rm -rf "$DIST"
mv "$NEXT" "$DIST"
say "$DIST: the program has $size bytes, its debug information $(wc -c <"$DIST/$NAME.debug"), $(grep -c '"purl"' "$DIST/sbom.cdx.json") packages"
