#!/bin/sh
# What happens in small named cases, line by line: what nodes note and what the
# story does, compared with tests/sim/golden/NAME.txt. A change of behaviour
# shows as a difference to be read; `golden.sh SIMULATOR --write` accepts it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sim=$1
cases='three-nodes-meet meet-heard-by-one suspicion-withdrawn two-replicas-race
epoch-collision old-master-returns manual-failover stale-after-missed-update
one-way-link forget-behind-a-partition address-reused minority-stays-down
suspicions-one-after-the-other address-swapped'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
for name in $cases; do
    "$sim" --quiet --scenario "$here/$name.scn" --notes "$work/notes"
    if [ "${2:-}" = --write ]; then
        mkdir -p "$here/golden"
        cp "$work/notes" "$here/golden/$name.txt"
    elif ! diff -u "$here/golden/$name.txt" "$work/notes" >"$work/diff"; then
        echo "$name is not what it was; if that is meant: tests/sim/golden.sh $sim --write"
        head -n 40 "$work/diff"
        status=1
    fi
done
exit $status
