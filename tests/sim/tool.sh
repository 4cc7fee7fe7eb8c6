#!/bin/sh
# What hearsay-sim leaves behind: a story that goes on with --then is the run
# that tells it at once, each --then starts from the same moment, a kill is
# followed until its end, and the page of --report needs nothing but itself.
# tool.sh HEARSAY-SIM
set -eu

sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

hash_in() {
    sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p' "$1"
}

small() {
    "$sim" --quiet --nodes 7 --node-timeout 1000 --seed 7 "$@"
}

small --for 12s --json "$work/run" --report "$work/page.html" \
    --then 'at 12s kill 0; at 20s expect failed 0' --then 'at 12s kill 1; at 20s expect failed 1' \
    --then 'at 12s kill 0; at 20s expect failed 0'
small --for 21s --story 'at 12s kill 0; at 20s expect failed 0' --json "$work/whole"
[ -n "$(hash_in "$work/run")" ] || fail "no hash in the figures"
[ "$(hash_in "$work/run.1")" = "$(hash_in "$work/whole")" ] || fail "--then is another run"
[ "$(hash_in "$work/run.1")" = "$(hash_in "$work/run.3")" ] || fail "a --then changed the next"
[ "$(hash_in "$work/run.1")" != "$(hash_in "$work/run.2")" ] || fail "two stories, one run"
! small --for 12s --then 'at 20s expect failed 0' 2>"$work/said" || fail "a failure was lost"
grep -q 'expected: failed 0' "$work/said" || fail "it is not said what failed"

"$sim" --nodes 7 --node-timeout 1000 --kill 1 --at 60s >"$work/said"
grep -q '1 elections won' "$work/said" || fail "it ended before anybody was elected"

[ "$(grep -c '<svg' "$work/page.html")" -ge 4 ] || fail "the page has no curves"
! grep -Eq '(src|href)=' "$work/page.html" || fail "the page needs another file"
grep -q '</html>' "$work/page.html" || fail "the page has no end"
