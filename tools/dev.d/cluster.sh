# shellcheck shell=bash
# up and down: a cluster of our own nodes on loopback, for trying things out.
# Everything about it is in build/up: one directory per port with nodes.conf,
# log and pid file. `up` always starts from nothing.

UP_DIR=build/up
UP_PORT=7000
UP_NODES_MAX=100
UP_WAIT_S=60

cli() {
    local port=$1
    shift
    timeout 5 redis-cli -h 127.0.0.1 -p "$port" "$@"
}

up_ports() {
    seq "$UP_PORT" $((UP_PORT + $1 - 1))
}

# Whether the process of that pid file is a node that `up` started here: a pid
# may have been given to somebody else since.
is_our_node() {
    local file=$1 pid exe
    pid=$(cat "$file" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
    [ "${exe% (deleted)}" = "$ROOT/build/hearsayd" ] || return 1
    [ "$(readlink "/proc/$pid/cwd")" = "$ROOT/$(dirname "$file")" ]
}

our_nodes() {
    local file
    for file in "$UP_DIR"/*/hearsayd.pid; do
        [ ! -e "$file" ] || ! is_our_node "$file" || echo "$file"
    done
}

# Asks every node to stop and waits; says which port it was.
stop_nodes() {
    local files=() file pid i
    mapfile -t files < <(our_nodes)
    for file in "${files[@]}"; do
        kill -TERM "$(cat "$file")" 2>/dev/null || true
    done
    for file in "${files[@]}"; do
        pid=$(cat "$file")
        for ((i = 0; i < 100; i++)); do
            is_our_node "$file" || break
            sleep 0.1
        done
        if is_our_node "$file"; then
            kill -KILL "$pid"
            say "The node in $(dirname "$file") did not stop within 10 s and was killed."
        fi
        rm -f "$file"
        STOPPED+=("$(basename "$(dirname "$file")")")
    done
}

verb_down() {
    STOPPED=()
    stop_nodes
    if [ ${#STOPPED[@]} = 0 ]; then
        echo "No node of this tree is running."
    else
        echo "Stopped the nodes on ports ${STOPPED[*]}. Logs and nodes.conf stay in $UP_DIR/."
    fi
}

# The first port that somebody listens on, or nothing.
busy_port() {
    python3 - "$@" <<'PY'
import socket
import sys

for port in map(int, sys.argv[1:]):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            print(port)
            break
PY
}

up_check() {
    local n=$1 busy ports=() p
    [ -z "$(our_nodes)" ] ||
        die "nodes of this tree are running already; 'tools/dev down' stops them"
    for p in $(up_ports "$n"); do
        ports+=("$p" $((p + 10000)))
    done
    busy=$(busy_port "${ports[@]}")
    [ -z "$busy" ] ||
        die "port $busy is in use ('ss -ltnp sport = :$busy' names the program). Stop it first."
}

start_node() {
    local port=$1 dir=$ROOT/$UP_DIR/$1
    mkdir -p "$dir"
    (cd "$dir" && exec setsid "$ROOT/build/hearsayd" --port "$port" --bind 127.0.0.1 --dir "$dir" \
        --cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout 5000) \
        </dev/null >"$dir/hearsayd.log" 2>&1 &
    echo $! >"$dir/hearsayd.pid"
}

# Waits until the node answers; if it ended instead, its own words say why.
wait_answers() {
    local port=$1 dir=$UP_DIR/$1 i
    for ((i = 0; i < 100; i++)); do
        [ "$(cli "$port" ping 2>/dev/null)" != PONG ] || return 0
        if ! kill -0 "$(cat "$dir/hearsayd.pid")" 2>/dev/null; then
            tail -n 5 "$dir/hearsayd.log" >&2
            die "the node on port $port did not start; its last words are above"
        fi
        sleep 0.1
    done
    die "the node on port $port does not answer within 10 s; see $dir/hearsayd.log"
}

# redis-cli makes clusters of three masters and more; one or two are joined by hand.
form_cluster() {
    local n=$1 replicas=0 addresses=() p
    if [ "$n" -le 2 ]; then
        local half=$((16384 / n)) i
        for ((i = 0; i < n; i++)); do
            p=$((UP_PORT + i))
            cli $p cluster addslotsrange $((i * half)) $((i * half + half - 1)) >/dev/null
            [ $i = 0 ] || cli $p cluster meet 127.0.0.1 $UP_PORT >/dev/null
        done
        return
    fi
    [ "$n" -lt 6 ] || replicas=1
    for p in $(up_ports "$n"); do
        addresses+=("127.0.0.1:$p")
    done
    quietly "$UP_DIR/create.log" timeout "$UP_WAIT_S" redis-cli --cluster create "${addresses[@]}" \
        --cluster-replicas $replicas --cluster-yes </dev/null ||
        die "redis-cli --cluster create failed (above, and in $UP_DIR/create.log)"
}

# One node's view without what differs by viewpoint: itself, times, its links.
view_of() {
    cli "$1" cluster nodes 2>/dev/null | sed 's/myself,//' |
        awk '{ $5 = $6 = $8 = ""; print }' | LC_ALL=C sort
}

# Empty when all is well, else the first thing that is not yet.
cluster_trouble() {
    local n=$1 p info view first=
    for p in $(up_ports "$n"); do
        info=$(cli "$p" cluster info 2>/dev/null | tr -d '\r') || true
        for want in cluster_state:ok cluster_slots_ok:16384 "cluster_known_nodes:$n"; do
            if ! grep -qx "$want" <<<"$info"; then
                echo "port $p does not say $want"
                return
            fi
        done
        view=$(view_of "$p")
        first=${first:-$view}
        if [ "$view" != "$first" ] || grep -qE 'handshake|noaddr|fail' <<<"$view"; then
            echo "port $p sees the cluster in another way than port $UP_PORT"
            return
        fi
    done
}

wait_agreement() {
    local n=$1 trouble= end=$((SECONDS + UP_WAIT_S))
    while [ $SECONDS -lt $end ]; do
        trouble=$(cluster_trouble "$n")
        [ -n "$trouble" ] || return 0
        sleep 0.2
    done
    die "the nodes do not agree within $UP_WAIT_S s: $trouble. Logs: $UP_DIR/*/hearsayd.log"
}

print_view() {
    local n=$1
    echo
    cli $UP_PORT cluster nodes | sed 's/myself,//' | LC_ALL=C sort -k2,2 | awk '
        { id[$1] = $2; line[NR] = $0 }
        END {
            printf "%-26s %-8s %-6s %s\n", "node", "role", "epoch", "slots, or whose replica"
            for (i = 1; i <= NR; i++) {
                n = split(line[i], f, " ")
                what = f[4] == "-" ? "" : "of " id[f[4]]
                for (k = 9; k <= n; k++) what = what (what == "" ? "" : " ") f[k]
                printf "%-26s %-8s %-6s %s\n", f[2], f[3] == "slave" ? "replica" : f[3], f[7], what
            }
        }'
    cat <<NEXT

$n nodes, all 16384 slots covered, every view equal. What to try next:
  redis-cli -p $UP_PORT cluster nodes
  redis-cli --cluster check 127.0.0.1:$UP_PORT
  kill \$(cat $UP_DIR/$((UP_PORT + n - 1))/hearsayd.pid)   then ask another port again
  tail -f $UP_DIR/$UP_PORT/hearsayd.log
  tools/dev down
NEXT
}

# Whatever goes wrong on the way, nothing half-started stays behind.
up_undo() {
    local status=$?
    trap - EXIT
    if [ $status != 0 ]; then
        STOPPED=()
        stop_nodes
        [ ${#STOPPED[@]} = 0 ] || say "Stopped the ${#STOPPED[@]} nodes that were started."
    fi
    exit $status
}

verb_up() {
    local n=${1:-6} p
    if ! [[ $n =~ ^[0-9]{1,3}$ ]] || [ "$n" -lt 1 ] || [ "$n" -gt $UP_NODES_MAX ]; then
        die "up takes a number of nodes from 1 to $UP_NODES_MAX, not '$n'"
    fi
    need_test
    up_check "$n"
    verb_build
    [ -x build/hearsayd ] || die "the build has no hearsayd"
    rm -rf "$UP_DIR"
    trap up_undo EXIT
    trap 'exit 130' INT TERM
    for p in $(up_ports "$n"); do
        start_node "$p"
    done
    for p in $(up_ports "$n"); do
        wait_answers "$p"
    done
    form_cluster "$n"
    wait_agreement "$n"
    print_view "$n"
}
