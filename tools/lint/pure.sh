#!/bin/sh
# pure.sh ARCHIVE... - fails if a pure room calls anything but itself, the rooms
# below it, and the few libc functions that have no side effects. The proof that
# the core does no I/O, reads no clock and allocates nothing is its symbol table.
# hs_topo_create() allocates, so the core may fill a topology but not make one.
set -eu

allowed='mem(cpy|move|set|cmp)|__popcountdi2|hs_assert_fail'
allowed="$allowed|hs_(wire|core|topo|prng)_[a-z0-9_]+|(wire|core)_[a-z0-9_]+"
banned='hs_topo_(create|destroy)'
instrumented='__(asan|ubsan|tsan|sanitizer|llvm_prof)[a-z0-9_]*'

[ $# -gt 0 ] || { echo "usage: pure.sh ARCHIVE..." >&2; exit 2; }
status=0
for archive in "$@"; do
    [ -r "$archive" ] || { echo "$archive: no such archive" >&2; exit 2; }
    used=$(nm -u "$archive" | awk 'NF == 2 { print $2 }' | sort -u)
    if echo "$used" | grep -Eqx "$instrumented"; then
        echo "$archive: instrumented build, not checked"
        continue
    fi
    bad=$(echo "$used" | grep -Evx "$allowed" || true; echo "$used" | grep -Ex "$banned" || true)
    bad=$(echo "$bad" | xargs)
    if [ -n "$bad" ]; then
        echo "$archive is not pure; it uses: $bad" >&2
        status=1
    fi
done
exit $status
