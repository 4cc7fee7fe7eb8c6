# shellcheck shell=bash
# bench: the micro benchmarks, and the comparison with redis-server.

COUNTED=200 # calls that callgrind looks at; one of them is a whole message
ROUNDS=${ROUNDS:-3}
DURATION=${DURATION:-10s}
TABLE=docs/performance.md

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

# One row of the table: medians of a comparison's last part.
bench_row() {
    awk -v name="$1" '
        /^--- medians/ { on = 1; next }
        on {
            key = $0; sub(/ *[0-9][0-9.e+]* .*/, "", key)
            rest = substr($0, 17); n = split(rest, v, " ")
            a[key] = v[1]; b[key] = v[2]; r[key] = v[3]; spread[key] = v[4] " " v[5] " " v[6]
        }
        function us(x) { return x >= 1000 ? sprintf("%.1f ms", x / 1000) : sprintf("%.0f us", x) }
        function pair(k) { return sprintf("%.3g / %.3g", a[k], b[k]) }
        END {
            print "| " name " | " sprintf("%.0f / %.0f", a["rate/s"], b["rate/s"]) \
                " | " pair("CPU us each") " | " r["CPU us each"] " " spread["CPU us each"] \
                " | " pair("CPU % of core") \
                " | " us(a["p99 us"]) " / " us(b["p99 us"]) \
                " | " us(a["p99.9 us"]) " / " us(b["p99.9 us"]) \
                " | " sprintf("%.0f / %.0f", a["peak MB"], b["peak MB"]) \
                " | " sprintf("%.1f / %.1f", a["joined s"], b["joined s"]) " |"
        }'
}

# bench_case NAME TIMEOUT_MS ARGUMENTS...: ours and redis-server in turn.
bench_case() {
    local name=$1 timeout=$2 log=build/bench.log status=0
    local common="--port {port} --bind 127.0.0.1 --cluster-node-timeout $2"
    shift 2
    say "$name"
    build/hearsay-bench --rounds "$ROUNDS" --node-timeout "$timeout" "$@" --compare \
        "$ROOT/build/hearsayd $common --dir {dir}" \
        "redis-server $common --dir {dir} --cluster-enabled yes --save '' --maxclients 19000" \
        >"$log" 2>&1 || status=$?
    if [ $status = 2 ]; then
        tail -n 5 "$log" >&2
        echo "| $name | could not be run: see the log | | | | | | | |"
        return
    fi
    bench_row "$name$([ $status = 0 ] || echo ' (wrong answers!)')" <"$log"
    cat "$log" >>build/bench-all.log
}

bench_table() {
    echo "| case | per second | CPU us each | ratio (rounds) | % of a core | p99 | p99.9 |" \
        "peak MB | joined s |"
    echo "|---|---|---|---|---|---|---|---|---|"
    for n in 100 1000 3000 5000; do
        bench_case "flood, $n peers" 15000 --mode flood --peers "$n" --duration "$DURATION"
    done
    bench_case "heartbeats, 5000 peers, 15 s" 15000 --mode steady --full-rate --peers 5000 \
        --duration "$DURATION"
    bench_case "heartbeats, 2000 peers, 1 s" 1000 --mode steady --full-rate --peers 2000 \
        --duration "$DURATION"
    bench_case "storm, 1000 peers, a third dies, 2 s" 2000 --mode storm --peers 1000
    bench_case "join, 2000 peers" 15000 --mode join --peers 2000
    bench_case "CLUSTER SLOTS, 200 peers" 15000 --mode topology --peers 200 --duration 5s
    bench_case "CLUSTER SHARDS, 200 peers" 15000 --mode topology --peers 200 --duration 5s \
        --command SHARDS
    bench_case "CLUSTER NODES, 2000 peers" 15000 --mode topology --peers 2000 --duration 5s \
        --command NODES
}

# Replaces what stands between the two markers of the page.
bench_compare() {
    local new=build/performance.new
    have redis-server || die "redis-server is needed for the comparison: tools/dev deps"
    : >build/bench-all.log
    {
        sed '/<!-- measured -->/q' "$TABLE"
        echo
        echo "$(uname -sr), $(nproc) cores," \
            "tcp $(cat /proc/sys/net/ipv4/tcp_congestion_control)," \
            "$(redis-server --version | cut -d' ' -f1-3), load before: $(cut -d' ' -f1-3 \
                /proc/loadavg), medians of $ROUNDS rounds of $DURATION. Ours / redis-server."
        echo
        bench_table
        echo
        sed -n '/<!-- end -->/,$p' "$TABLE"
    } >"$new"
    mv "$new" "$TABLE"
    say "$TABLE is renewed; every run is in build/bench-all.log"
}

verb_bench() {
    local name
    need_test
    verb_build
    if [ "${1:-}" = compare ]; then
        bench_compare
        return
    fi
    for name in wire core ring framer; do
        [ $# -gt 0 ] && [[ " $* " != *" $name "* ]] || bench_micro "bench_$name"
    done
}
