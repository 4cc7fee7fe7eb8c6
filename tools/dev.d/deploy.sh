# shellcheck shell=bash
# package, and deploy: what is in deploy/ is built, installed and used.

DEPLOY_PACKAGES=(dpkg-dev lintian debootstrap systemd-container zsh ansible-core python3-yaml)
PACKAGE_DIR=build-package
BASE_PACKAGES=systemd,systemd-sysv,dbus,logrotate,procps
# A Debian to install into, kept for the next time as long as it is to hold the same.
BASE=$PACKAGE_DIR/base-$(cksum <<<"$BASE_PACKAGES" | cut -d' ' -f1).tar
BOOT_S=300
# There is no address for the maintainer yet, nor a bug to close; and the units are
# stopped by systemctl, since deb-systemd-invoke is debhelper's.
LINTIAN_OFF=bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs
LINTIAN_OFF+=,maintainer-script-calls-systemctl

need_deploy() {
    need "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${DEPLOY_PACKAGES[@]}"
}

the_package() {
    find $PACKAGE_DIR -maxdepth 1 -name 'hearsay_*.deb'
}

# With the flags that Debian builds its own packages with.
verb_package() {
    local flags
    need "${BUILD_PACKAGES[@]}" python3 dpkg-dev file
    flags="$(dpkg-buildflags --get CFLAGS) $(dpkg-buildflags --get CPPFLAGS)"
    mkdir -p $PACKAGE_DIR
    rm -f $PACKAGE_DIR/hearsay_*.deb
    CFLAGS="$flags -fPIE" LDFLAGS="$(dpkg-buildflags --get LDFLAGS) -pie" configure $PACKAGE_DIR \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr
    cmake --build $PACKAGE_DIR -j "$JOBS" --target deploy -- --quiet ||
        die "the package's programs do not build (above)"
    (cd $PACKAGE_DIR && quietly cpack.log cpack -G DEB) || die "cpack failed (above)"
    echo "The package is $(the_package)."
}

deploy_lintian() {
    lintian --allow-root --fail-on error,warning --suppress-tags "$LINTIAN_OFF" "$(the_package)"
}

# A minimal Debian of the same release, from the mirror that this host uses.
deploy_base() {
    local root=$PACKAGE_DIR/base mirror release
    [ ! -s $BASE ] || return 0
    mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' |
        awk '$2 !~ /-/ { print $1; exit }')
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    say "Unpacking a minimal Debian, about a minute"
    as_root rm -rf $root
    quietly $PACKAGE_DIR/debootstrap.log as_root debootstrap --variant=minbase \
        --include=$BASE_PACKAGES "$release" $root "$mirror" ||
        die "debootstrap failed (above). Is there a network and a mirror?"
    as_root tar -C $root -cf $BASE.new . && mv $BASE.new $BASE
    as_root rm -rf $root
}

# The package in a Debian of its own, booted by its own systemd: no network but
# loopback, its own processes, and the host's kernel.
deploy_boot() {
    local root=$PACKAGE_DIR/root log=$PACKAGE_DIR/boot.log
    deploy_base
    as_root rm -rf $root
    mkdir -p $root
    as_root tar -C $root -xf $BASE
    as_root cp tests/deploy/inside.sh "$(the_package)" $root/opt/
    # There is no network in the container, so what the package needs comes first.
    quietly $PACKAGE_DIR/depends.log as_root chroot $root apt-get -q satisfy -y \
        --no-install-recommends "$(dpkg-deb -f "$(the_package)" Depends)" ||
        die "what the package depends on cannot be installed (above)"
    as_root tee $root/etc/systemd/system/inside.service >/dev/null <<'UNIT'
[Unit]
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'exec /opt/inside.sh /opt/hearsay_*.deb'
StandardOutput=file:/opt/result
UNIT
    as_root ln -s ../inside.service $root/etc/systemd/system/multi-user.target.wants/
    as_root timeout $BOOT_S systemd-nspawn -q -D $root -M "hearsay-$$" --private-network \
        --register=no --keep-unit -b \
        --system-call-filter='io_uring_setup io_uring_enter io_uring_register' \
        </dev/null >"$log" 2>&1 || true
    if [ ! -s $root/opt/result ]; then
        tail -n 20 "$log" >&2
        die "the container did not boot (above); it needs root and systemd-nspawn"
    fi
    cat $root/opt/result
    tail -n 1 $root/opt/result | grep -q ' 0 failed$'
}

# Helm's engine and Kubernetes' schemas come from npm, whoever installed that.
deploy_chart() {
    have npm || need nodejs npm
    tests/deploy/chart.sh $PACKAGE_DIR/chart
}

# The role's syntax, and the configuration it writes.
deploy_ansible() {
    local dir=$PACKAGE_DIR/ansible role=deploy/ansible/roles/hearsay
    mkdir -p $dir
    ansible-playbook -i deploy/ansible/hosts.example --syntax-check deploy/ansible/hearsay.yml
    ansible all -i localhost, -c local -m ansible.builtin.template -a \
        "src=$ROOT/$role/templates/hearsay.conf.j2 dest=$ROOT/$dir/hearsay.conf" \
        -e "@$role/defaults/main.yml" -e ansible_host=127.0.0.1 \
        -e '{"hearsay_password": "two words", "hearsay_extra": ["loglevel verbose"]}'
    grep -qx 'requirepass "two words"' $dir/hearsay.conf
    grep -qx 'loglevel verbose' $dir/hearsay.conf
    $PACKAGE_DIR/hearsayd $dir/hearsay.conf --check-config
}

DEPLOY_STEPS="lintian chart ansible boot"

verb_deploy() {
    local passed=0 failed=0 name
    need_deploy
    verb_package
    # shellcheck disable=SC2086 # a list of words
    [ $# -gt 0 ] || set -- $DEPLOY_STEPS
    for name in "$@"; do
        declare -F "deploy_$name" >/dev/null ||
            die "there is no step '$name'; there are $DEPLOY_STEPS"
        # -e does not hold inside an `if`, so each step is a process of its own.
        if "$ROOT/tools/dev" deploy-one "$name"; then
            echo "deploy $name: passed"
            passed=$((passed + 1))
        else
            echo "deploy $name: FAILED"
            failed=$((failed + 1))
        fi
    done
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}

verb_deploy-one() {
    "deploy_$1"
}
