#!/bin/sh
# The same seed gives the same run whatever compiled it: builds the simulator
# with each compiler there is, without and with optimisation, and compares the
# trace hashes of two stories.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hash_of() { # PROGRAM
    "$1" --nodes 7 --node-timeout 1000 --seed 7 --story 'at 10s kill 0; at 25s heal; at 40s expect agree' |
        sed -n 's/^trace hash *//p'
    "$1" --nodes 40 --node-timeout 2000 --seed 3 --for 20s | sed -n 's/^trace hash *//p'
}

first=
for cc in gcc clang; do
    command -v "$cc" >/dev/null || continue
    for level in -O0 -O2; do
        # HS_SANITIZE picks plain malloc; nothing in a run depends on the heap.
        "$cc" -std=c11 "$level" -D_GNU_SOURCE -DHS_SANITIZE -DHS_VERSION='"test"' \
            -I"$root/include" -I"$root/src/base" -I"$root/src/wire" -I"$root/src/core" \
            -I"$root/src/sim" -o "$work/sim" "$root"/src/base/*.c "$root"/src/wire/*.c \
            "$root"/src/topo/*.c "$root"/src/core/*.c "$root"/src/sim/*.c "$root"/tools/hearsay-sim.c "$root"/tools/sim_*.c
        hashes=$(hash_of "$work/sim" | tr '\n' ' ')
        echo "$cc $level: $hashes"
        case $hashes in *[0-9a-f]\ *[0-9a-f]\ *) ;; *) echo "a run did not end well" >&2; exit 1 ;; esac
        [ -n "$first" ] || first=$hashes
        [ "$first" = "$hashes" ] || { echo "the runs differ" >&2; exit 1; }
    done
done
