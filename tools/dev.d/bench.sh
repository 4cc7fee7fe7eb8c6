# shellcheck shell=bash
# bench: the micro benchmarks, and the comparison with redis-server.

COUNTED=200 # calls that callgrind looks at; one of them is a whole message

# Instructions of one call, or "-" without valgrind.
instructions() {
    local out=build/callgrind.out total
    if ! have valgrind; then
        echo -
        return
    fi
    rm -f "$out"
    valgrind --tool=callgrind --callgrind-out-file="$out" --toggle-collect=micro_measured \
        "$1" --only "$2" --count "$COUNTED" >/dev/null 2>&1 || true
    total=$(sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$out" 2>/dev/null | tail -n 1)
    echo "${total:+$((total / COUNTED))}"
}

bench_micro() {
    local name=$1 case_name
    build/"$name" --list | while read -r case_name; do
        printf '%s  %s instructions\n' "$(build/"$name" --only "$case_name")" \
            "$(instructions "build/$name" "$case_name")"
    done
}

# The comparison and its kin: tables and plots of docs/performance.md.
bench_page() {
    python3 tools/bench.py "$@" || die "no figures (above, and in build/bench-all.log)"
}

# Without a name the micro benchmarks and the comparison; "grow" and "scaling" only by name.
verb_bench() {
    local name
    case "${1:-}" in
    compare | grow | scaling)
        need_test
        verb_build
        bench_page "$@"
        return
        ;;
    esac
    for name in "$@"; do
        [[ " wire core ring framer " == *" $name "* ]] ||
            die "there is no benchmark '$name'; there are wire core ring framer compare" \
                "grow scaling"
    done
    need_test
    verb_build
    for name in wire core ring framer; do
        [ $# -gt 0 ] && [[ " $* " != *" $name "* ]] || bench_micro "bench_$name"
    done
    [ $# -gt 0 ] || bench_page compare
}
