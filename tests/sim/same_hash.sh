#!/bin/sh
# The same seed gives the same run whatever compiled it: builds the simulator
# with each compiler there is, without and with optimisation, and compares the
# trace hashes of two runs.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

trace_hash() {
    "$work/sim" "$@" | sed -n 's/^trace hash *//p'
}

both_hashes() {
    trace_hash --nodes 7 --node-timeout 1000 --seed 7 \
        --story 'at 10s kill 0; at 25s heal; at 40s expect agree'
    trace_hash --nodes 40 --node-timeout 2000 --seed 3 --for 20s
}

# HS_SANITIZE picks plain malloc; nothing in a run depends on the heap.
build() { # COMPILER LEVEL
    set -- "$@" -std=c11 -D_GNU_SOURCE -DHS_SANITIZE -DHS_VERSION='"test"' -I"$root/include"
    for room in base wire topo core sim; do
        set -- "$@" -I"$root/src/$room" "$root/src/$room"/*.c
    done
    "$@" -I"$root/tools" -o "$work/sim" "$root"/tools/hearsay-sim.c "$root"/tools/sim_*.c
}

first=
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    for level in -O0 -O2; do
        build "$compiler" "$level"
        hashes=$(both_hashes)
        printf '%s %s: %s\n' "$compiler" "$level" "$(echo "$hashes" | tr '\n' ' ')"
        [ "$(echo "$hashes" | wc -l)" = 2 ] || { echo "a run did not end well" >&2; exit 1; }
        [ -n "$first" ] || first=$hashes
        [ "$first" = "$hashes" ] || { echo "the runs differ" >&2; exit 1; }
    done
done
