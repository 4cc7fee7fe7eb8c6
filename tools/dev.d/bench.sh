# shellcheck shell=bash
# bench: the micro benchmarks, and the comparison with redis-server.

COUNTED=200 # calls that callgrind looks at; one of them is a whole message
ROUNDS=${ROUNDS:-3}
DURATION=${DURATION:-2s}
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
            key = substr($0, 1, 16); sub(/ +$/, "", key)
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

SERVER="--port {port} --bind 127.0.0.1 --dir {dir} --cluster-node-timeout"
REDIS="--cluster-enabled yes --save '' --maxclients 19000"
BUDGETS=build/budgets.md

# budget NAME ASKED SEEN: a line of the second table.
budget() {
    echo "| $1 | $2 | $3 |" >>"$BUDGETS"
}

# The n-th number (A, B, A/B) of a row of the last comparison's medians.
median() {
    sed -n '/^--- medians/,$p' build/bench.log | awk -v row="$1" -v n="$2" '
        index($0, row) == 1 { split(substr($0, length(row) + 1), v, " "); print v[n]; exit }'
}

# bench_case NAME CORE TIMEOUT_MS ARGUMENTS...: ours and redis-server in turn, on
# that core and the tool on the others, or with CORE "any" wherever they like.
bench_case() {
    local name=$1 core=$2 timeout=$3 status=0 pin=() servers=
    shift 3
    if [ "$core" != any ]; then
        pin=(taskset -c "1-$(($(nproc) - 1))")
        servers="taskset -c $core "
    fi
    say "$name"
    "${pin[@]}" build/hearsay-bench --rounds "$ROUNDS" --node-timeout "$timeout" --warmup 1s "$@" \
        --compare "$servers$ROOT/build/hearsayd $SERVER $timeout" \
        "${servers}redis-server $SERVER $timeout $REDIS" >build/bench.log 2>&1 || status=$?
    if [ $status = 2 ]; then
        tail -n 5 build/bench.log >&2
        echo "| $name | could not be run: see the log | | | | | | | |"
        return
    fi
    bench_row "$name$([ $status = 0 ] || echo ' (wrong answers!)')" <build/bench.log
    cat build/bench.log >>build/bench-all.log
}

# bench_alone NAME TIMEOUT_MS ARGUMENTS...: ours only; the figures in build/alone.json.
bench_alone() {
    local name=$1 timeout=$2 dir port=$((20000 + RANDOM % 900)) pid status=0
    shift 2
    say "$name"
    dir=$(mktemp -d)
    build/hearsayd --port $port --bind 127.0.0.1 --dir "$dir" --cluster-node-timeout "$timeout" \
        >"$dir/log" 2>&1 &
    pid=$!
    sleep 1
    build/hearsay-bench --target 127.0.0.1:$port --target-pid $pid --node-timeout "$timeout" \
        --warmup 1s --json build/alone.json "$@" >build/bench.log 2>&1 || status=$?
    kill $pid
    wait $pid || true
    cat build/bench.log >>build/bench-all.log
    rm -rf "$dir"
    if [ $status = 2 ]; then
        tail -n 3 build/bench.log >&2
        : >build/alone.json
    fi
    echo "| $name$([ $status != 1 ] || echo ' (wrong answers!)') |" \
        "$(alone rate_per_s 1 %.0f) | $(alone cpu_us_each 1 %.3g) | alone |" \
        "$(share_of_a_core) | $(alone latency_p99_us 1000 %.1f) ms |" \
        "$(alone latency_p999_us 1000 %.1f) ms | $(alone target_peak_kb 1024 %.0f) |" \
        "$(alone joined_s 1 %.1f) |"
}

# A figure of the last bench_alone, divided, in a format.
alone() {
    awk -F'[:,]' -v key="\"$1\"" -v by="$2" -v form="$3" '
        index($1, key) { printf form, $2 / by; found = 1 }
        END { if (!found) printf "-" }' build/alone.json
}

share_of_a_core() {
    awk -F'[:,]' '/"target_cpu_s"/ { cpu = $2 } /"measured_s"/ { s = $2 }
        END { printf "%s", (s > 0 ? sprintf("%.1f", cpu / s * 100) : "-") }' build/alone.json
}

# What the same bytes cost a server that parses nothing: us each.
bench_echo() {
    local peers=$1 port=$((20000 + RANDOM % 900)) pid
    taskset -c 0 build/hearsay-bench --echo $port &
    pid=$!
    sleep 0.5
    taskset -c "1-$(($(nproc) - 1))" build/hearsay-bench --mode echo --target 127.0.0.1:$port \
        --target-pid $pid --peers "$peers" --warmup 500ms --duration "$DURATION" \
        --json build/alone.json >>build/bench-all.log 2>&1 || : >build/alone.json
    kill $pid
    wait $pid 2>/dev/null || true
    alone cpu_us_each 1 %.3g
}

# flood PEERS ASKED: on one core with the floor beside it, and unpinned.
bench_flood() {
    local n=$1 asked=$2 echo_us ours
    echo_us=$(bench_echo "$n")
    bench_case "flood, $n peers, one core" 0 15000 --mode flood --peers "$n" --duration "$DURATION"
    ours=$(median "CPU us each" 1)
    budget "flood at $n, one core, CPU of redis-server's" "at most $asked" \
        "$(median 'CPU us each' 3)"
    budget "the same, of an echo's ($echo_us us)" "at most 2" \
        "$(awk -v a="$ours" -v b="$echo_us" 'BEGIN { print (b > 0 ? a / b : "-") }')"
    bench_case "flood, $n peers, any core" any 15000 --mode flood --peers "$n" \
        --duration "$DURATION"
    budget "flood at $n, any core, CPU of redis-server's" "at most $asked" \
        "$(median 'CPU us each' 3)"
    budget "PINGs/s of redis-server's, $(nproc) cores" "12 (1,000 nodes, 3 cores)" \
        "$(median 'rate/s' 3)"
}

bench_heartbeats() {
    bench_case "heartbeats, 5000 peers, 15 s" any 15000 --mode steady --full-rate --peers 5000 \
        --duration 8s
    budget "full-rate heartbeats, 5,000, 15 s" "5 % of a core" "$(median 'CPU % of core' 1) %"
    budget "their p99.9" "5 ms" "$(median 'p99.9 us' 1) us"
    budget "memory, 5,000, at any time" "60 MB" "$(median 'peak MB' 1) MB"
    # So many links of their own that 20,000 descriptors, a usual limit, are enough.
    bench_alone "heartbeats, 9999 peers, 15 s" 15000 --mode steady --full-rate --peers 9999 \
        --links 9800 --duration 8s
    budget "full-rate heartbeats, 10,000, 15 s" "12 % of a core" "$(share_of_a_core) %"
    bench_alone "heartbeats, 2000 peers, 1 s" 1000 --mode steady --full-rate --peers 2000 \
        --duration 8s
    budget "2,000 nodes, 1 s" "15 % of a core" "$(share_of_a_core) %"
}

bench_changes() {
    bench_alone "storm, 1000 peers, a third dies, 2 s" 2000 --mode storm --peers 1000
    budget "storm: marked FAIL, of the dead" "all" \
        "$(alone failed 1 %.0f) of $(alone killed 1 %.0f)"
    budget "storm: p99 of the living" "5 ms" "$(alone latency_p99_us 1000 %.1f) ms"
    bench_alone "join, 2000 peers" 15000 --mode join --peers 2000
    budget "join of 2,000" "10 s" "$(alone joined_s 1 %.1f) s"
    budget "new connections in 100 ms" "256" "$(alone connections_per_100ms_max 1 %.0f)"
}

bench_clients() {
    local command peers
    for command in SLOTS SHARDS; do
        for peers in 200 2000; do
            bench_case "CLUSTER $command, $peers peers" any 15000 --mode topology --peers $peers \
                --duration "$DURATION" --command $command
            budget "CLUSTER $command, $peers: CPU of redis-server's" "1/20" \
                "$(median 'CPU us each' 3)"
        done
    done
    bench_case "publish, 200 peers" any 15000 --mode publish --peers 200 --duration "$DURATION"
    budget "publish: deliveries/s of redis-server's" "5" "$(median 'rate/s' 3)"
}

bench_table() {
    echo "| case | per second | CPU us each | ratio (rounds) | % of a core | p99 | p99.9 |" \
        "peak MB | joined s |"
    echo "|---|---|---|---|---|---|---|---|---|"
    bench_flood 100 0.40
    bench_flood 1000 0.167
    bench_flood 5000 0.083
    bench_heartbeats
    bench_changes
    bench_clients
}

# Replaces what stands between the two markers of the page.
bench_compare() {
    local new=build/performance.new
    have redis-server || die "redis-server is needed for the comparison: tools/dev deps"
    [ "$(nproc)" -gt 1 ] || die "the comparison needs a core for itself beside the servers'"
    : >build/bench-all.log
    printf '%s\n' "| budget | asked | seen |" "|---|---|---|" >"$BUDGETS"
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
        cat "$BUDGETS"
        echo
        sed -n '/<!-- end -->/,$p' "$TABLE"
    } >"$new"
    mv "$new" "$TABLE"
    say "$TABLE is renewed; every run is in build/bench-all.log"
}

# Without a name all of it; else the micro benchmarks named, or the comparison.
verb_bench() {
    local name known="wire core ring framer compare"
    for name in "$@"; do
        [[ " $known " == *" $name "* ]] || die "there is no benchmark '$name'; there are $known"
    done
    need_test
    verb_build
    for name in wire core ring framer; do
        [ $# -gt 0 ] && [[ " $* " != *" $name "* ]] || bench_micro "bench_$name"
    done
    [ $# -gt 0 ] && [[ " $* " != *" compare "* ]] || bench_compare
}
