#!/usr/bin/env bash
# inside.sh PACKAGE - run by systemd in a Debian that was booted for this: installs
# the package and uses everything it brings, until it is purged. Each claim prints
# "ok" or "FAILED"; the last line is a sum.
set -uo pipefail
PACKAGE=$1 PASSED=0 FAILED=0
CONF=/etc/hearsay/hearsay.conf
UNIT=hearsayd.service

claim() {
    local what=$1
    shift
    if "$@" >/tmp/claim.log 2>&1; then
        echo "ok: $what"
        PASSED=$((PASSED + 1))
    else
        echo "FAILED: $what"
        sed 's/^/    /' /tmp/claim.log
        journalctl -q --no-pager -n 15 -u 'hearsayd*' | sed 's/^/    /'
        FAILED=$((FAILED + 1))
    fi
}

# within SECONDS COMMAND...: polls until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { "$@"; return 1; }
        sleep 0.2
    done
}

# Inline commands over the client port; the reply's lines until it has been quiet for a second.
ask() {
    local port=$1 line
    shift
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf '%s\r\n' "$*" >&3
    while IFS= read -r -t 1 line <&3; do
        printf '%s\n' "${line%$'\r'}"
    done
    exec 3>&-
}

says() { # says PORT WANTED COMMAND...: a line of the reply is WANTED
    local port=$1 wanted=$2
    shift 2
    ask "$port" "$@" | grep -qxF -- "$wanted"
}

shows() { # shows PROPERTY VALUE [UNIT]
    local is
    is=$(systemctl show -P "$1" "${3:-$UNIT}")
    echo "$1 is $is"
    [ "$is" = "$2" ]
}

myid() { ask 6379 cluster myid | tail -n 1; }

pid() { systemctl show -P MainPID "$UNIT"; }

process_has() { grep -qE "$1" "/proc/$(pid)/$2"; }

not() { ! "$@"; }

# What the unit asks for, or what this container's host allows, if that is less.
files_max() {
    awk '/^Max open files/ { print $5 < 65536 ? $5 : 65536 }' /proc/1/limits
}

has_line() { within 10 grep -q "$2" "$1"; }

restart() {
    systemctl daemon-reload
    systemctl reset-failed "$UNIT" 2>/dev/null
    systemctl restart "$UNIT"
}

installing_starts_nothing() {
    files_now >/tmp/before
    claim "dpkg installs it" dpkg --install "$PACKAGE"
    claim "installing enables nothing" [ "$(systemctl is-enabled $UNIT)" = disabled ]
    claim "installing starts nothing" shows ActiveState inactive
    claim "the configuration that comes with it is valid" hearsayd $CONF --check-config
    claim "systemd finds nothing wrong with the units" \
        systemd-analyze verify --man=no hearsayd.service hearsayd@7001.service
    claim "nor more exposure than 1.5 of 10" systemd-analyze security --threshold=15 $UNIT
}

it_runs_as_said() {
    claim "it starts, and is ready when systemctl returns" systemctl start $UNIT
    claim "it answers" says 6379 +PONG ping
    claim "it runs as its own user" [ "$(stat -c %U "/proc/$(pid)")" = hearsay ]
    claim "it may open $(files_max) files" process_has "^Max open files +$(files_max) " limits
    claim "it has no privileges to gain" process_has '^NoNewPrivs:\s1$' status
    claim "it has no capabilities" process_has '^CapBnd:\s0+$' status
    claim "its system calls are filtered" process_has '^Seccomp:\s2$' status
    claim "its state is its own" [ "$(stat -c '%U %a' /var/lib/hearsay)" = "hearsay 750" ]
    ID=$(myid)
    claim "systemctl stop ends it cleanly" systemctl stop $UNIT
    claim "and systemd agrees" shows Result success
    claim "its id is on disk" grep -q "$ID" /var/lib/hearsay/nodes.conf
}

it_comes_back() {
    systemctl start $UNIT
    claim "after a restart it has the same id" [ "$(myid)" = "$ID" ]
    kill -KILL "$(pid)"
    claim "systemd starts a killed node again" within 20 shows NRestarts 1
    claim "with the same id" within 20 says 6379 "$ID" cluster myid
    systemctl stop $UNIT
    echo "no-such-directive 1" >>$CONF
    systemctl start $UNIT
    claim "a wrong configuration is not tried again" within 10 shows ActiveState failed
    claim "its exit code is 1" shows ExecMainStatus 1
    claim "the journal names the line" \
        within 10 sh -c "journalctl -q -u $UNIT | grep -q 'no-such-directive'"
    sed -i '/no-such/d' $CONF
}

the_watchdog_bites() {
    mkdir -p /etc/systemd/system/$UNIT.d
    printf '[Service]\nWatchdogSec=5\n' >/etc/systemd/system/$UNIT.d/test.conf
    echo "enable-debug-command yes" >>$CONF
    restart
    sleep 8
    claim "a healthy node feeds its watchdog" shows NRestarts 0
    claim "and is up" says 6379 +PONG ping
    ask 6379 debug sleep 60 >/dev/null
    claim "one whose owner hangs is started anew" within 30 shows NRestarts 1
    claim "and answers" within 20 says 6379 +PONG ping
    rm -r /etc/systemd/system/$UNIT.d
    sed -i '/enable-debug/d' $CONF
}

logs_rotate() {
    local log=/var/log/hearsay/hearsay.log
    echo "logfile $log" >>$CONF
    restart
    claim "the log is where logfile says" has_line $log Ready
    claim "logrotate accepts its file" logrotate -d /etc/logrotate.d/hearsay
    claim "and rotates" logrotate -f /etc/logrotate.d/hearsay
    claim "the old log is beside it" [ -s $log.1 ]
    within 10 sh -c "ls -l /proc/$(pid)/fd | grep -q 'hearsay.log$'"
    systemctl stop $UNIT
    claim "what follows is in the new one" has_line $log bye
    claim "and not in the old one" not grep -q bye $log.1
    sed -i '/^logfile/d' $CONF
}

instances_run() {
    local n
    systemctl start $UNIT
    for n in 7001 7002; do
        printf 'port %s\nbind 127.0.0.1\n' $n >/etc/hearsay/$n.conf
        claim "instance $n starts" systemctl start hearsayd@$n
        claim "instance $n answers" says $n +PONG ping
        claim "instance $n has its own state" [ -s /var/lib/hearsay/$n/nodes.conf ]
    done
    ask 6379 cluster meet 127.0.0.1 7001 >/dev/null
    ask 6379 cluster meet 127.0.0.1 7002 >/dev/null
    claim "the three meet" within 20 says 7002 cluster_known_nodes:3 cluster info
}

files_now() {
    find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp \
        -o -path /var/log/journal -o -path /var/lib/dpkg -o -path /var/lib/systemd \
        -o -path /var/cache -o -path /dev -o -path /opt \) -prune -o -print |
        grep -vE '^/etc/(passwd|group|g?shadow)-$|^/var/l(og|ib/logrotate)/' | LC_ALL=C sort
    find /var/log -path '*hearsay*' # what else is there, others write
}

nothing_is_left() {
    files_now >/tmp/after
    ! comm -13 /tmp/before /tmp/after | grep .
}

it_goes() {
    systemctl enable -q $UNIT hearsayd@7001
    claim "dpkg removes it" dpkg --remove hearsay
    claim "and stops its nodes" not pgrep -x hearsayd
    claim "the state stays" [ -s /var/lib/hearsay/nodes.conf ]
    claim "the configuration stays" [ -s $CONF ]
    rm -f /etc/hearsay/700?.conf
    claim "dpkg purges it" dpkg --purge hearsay
    claim "no file is left" nothing_is_left
    claim "no user is left" not getent passwd hearsay
    claim "no group is left" not getent group hearsay
}

installing_starts_nothing
it_runs_as_said
it_comes_back
the_watchdog_bites
logs_rotate
instances_run
it_goes
echo "$PASSED passed, $FAILED failed"
[ $FAILED = 0 ]
