# shellcheck shell=bash
# What every verb uses.

say() {
    printf '%s\n' "$*" >&2
}

# Says what is wrong and what to do, and stops.
die() {
    say "tools/dev: $*"
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Runs a command with its output in a file, and shows it only if it fails.
quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        return 1
    fi
}
