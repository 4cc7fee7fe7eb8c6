# shellcheck shell=bash
# deps: Debian packages, only those that are missing.

BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config liburing-dev libmimalloc-dev libck-dev
    libssl-dev check libsubunit-dev libmicrohttpd-dev)
TEST_PACKAGES=(openssl iproute2 python3 python3-redis redis-server redis-tools procps mandoc
    python3-seccomp)
DEV_PACKAGES=(clang clang-format clang-tidy llvm libclang-rt-14-dev shellcheck codespell
    util-linux)

OBSERVE_PACKAGES=(prometheus) # promtool is in it

missing_packages() {
    local p
    for p in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# redis-server's package starts a server on port 6379, which nobody asked for.
# Debian asks /usr/sbin/policy-rc.d before a package starts a service, so for
# the time of the install there is one that says no (101) as long as this very
# process lives: should it be left behind, it forbids nothing. A policy that is
# there already is the administrator's and stays.
POLICY=/usr/sbin/policy-rc.d

forbid_services() {
    [ ! -e $POLICY ] || return 0
    printf '#!/bin/sh\n# from tools/dev deps\n[ ! -d /proc/%d ] || exit 101\n' $$ |
        as_root tee $POLICY >/dev/null
    as_root chmod 755 $POLICY
}

allow_services() {
    if grep -qs '^# from tools/dev deps' $POLICY; then
        as_root rm -f $POLICY
    fi
}

apt() {
    quietly "$1" as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "${@:2}"
}

install_packages() {
    local log status=0 service
    log=$(mktemp)
    say "Installing: $*"
    apt "$log" update ||
        die "apt-get update failed (above). Is there a network, and a mirror in apt's sources?"
    trap allow_services EXIT
    forbid_services
    apt "$log" install -y --no-install-recommends "$@" || status=1
    allow_services
    trap - EXIT
    [ $status = 0 ] ||
        die "apt-get could not install these packages (above). Is there a network and a mirror?"
    for service in redis-server prometheus; do # nor at the next boot
        if [[ " $* " == *" $service "* ]] && have systemctl; then
            as_root systemctl disable $service >/dev/null 2>&1 || true
        fi
    done
    rm -f "$log"
}

need() {
    local wanted=()
    have dpkg-query ||
        die "this is not Debian: install the equivalents of $* yourself, they are looked up by name"
    mapfile -t wanted < <(missing_packages "$@")
    [ ${#wanted[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] && ! have sudo; then
        die "these packages are missing: ${wanted[*]}. Install them as root, or install sudo."
    fi
    install_packages "${wanted[@]}"
}

need_build() {
    need "${BUILD_PACKAGES[@]}"
}

need_test() {
    need "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
}

need_dev() {
    need "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${DEV_PACKAGES[@]}"
}

verb_deps() {
    case ${1:-} in
    "") need_test ;;
    dev) need_dev ;;
    *) die "deps takes nothing or 'dev', not '$1'" ;;
    esac
}
