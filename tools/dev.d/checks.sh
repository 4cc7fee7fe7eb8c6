# shellcheck shell=bash
# fmt, lint, sanitizers, fuzzing, coverage, and ci, which is all of them.

SANITIZED_TESTS='^(unit|net|daemon|interop)$'
THREAD_TESTS='^(unit|net|daemon)$'
CI_STEP_S=1200 # ten steps, so that a run that hangs still ends and says where
LINTERS="format shell spelling rooms pure house clang_tidy"

# Those of the directories that are there.
present() {
    local dir
    for dir in "$@"; do
        [ ! -d "$dir" ] || echo "$dir"
    done
}

# files_of PATTERN DIRECTORIES...
files_of() {
    local pattern=$1 dirs
    shift
    mapfile -t dirs < <(present "$@")
    find "${dirs[@]}" -name "$pattern" | LC_ALL=C sort
}

# Another version formats differently, and then everyone's diffs are noise.
clang_format() {
    clang-format --version | grep -q 'version 14\.' ||
        die "clang-format 14 is needed (Debian 12's), this is $(clang-format --version)"
    files_of '*.[ch]' include src tests tools bench | xargs -r clang-format "$@"
}

verb_fmt() {
    need_dev
    clang_format -i
}

# Three tests: the page, the rules, and both together.
verb_observe() {
    need "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${OBSERVE_PACKAGES[@]}"
    verb_build
    HEARSAYD=$ROOT/build/hearsayd python3 tests/observe/scrape.py
}

# Their versions are those that run on Debian 12's Node.js.
verb_clients() {
    local dir=build/clients
    need "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    have npm || need nodejs npm
    verb_build
    mkdir -p $dir
    cp tests/clients/package.json tests/clients/clients.js $dir
    (cd $dir && npm install --no-audit --no-fund --loglevel=error >/dev/null) ||
        die "npm could not install ioredis and redis (above)"
    HS_NODE_MODULES=$ROOT/$dir HS_HEARSAYD=$ROOT/build/hearsayd tests/clients/node_clients.py
}

verb_docs() {
    verb_build
    build/metrics-page >build/metrics.md && mv build/metrics.md docs/metrics.md
    echo "docs/metrics.md is that of the table."
}

lint_format() {
    clang_format --dry-run -Werror
}

lint_clang_tidy() {
    verb_build
    files_of '*.c' src tools bench | xargs -r -P "$JOBS" -n 1 clang-tidy -p build --quiet \
        2> >(grep -v 'warnings\? generated' >&2)
}

lint_shell() {
    shellcheck -x tools/dev .ci/run
    files_of '*.sh' tools tests | grep -v '^tools/dev.d/' | xargs -r shellcheck
}

lint_spelling() {
    local dirs
    mapfile -t dirs < <(present include src tests tools bench docs deploy .ci)
    codespell -q 3 --skip '*.hex,*.pcap,*/corpus/*,*/__pycache__/*' "${dirs[@]}" ./*.md
}

lint_rooms() {
    tools/lint/rooms.py .
}

lint_pure() {
    verb_build
    [ ! -e build/libhs_core.a ] || tools/lint/pure.sh build/libhs_core.a build/libhs_wire.a
}

lint_house() {
    tools/lint/tidy.py .
}

verb_lint-one() {
    "lint_$1"
}

verb_lint() {
    local passed=0 failed=0 name started
    need_dev
    # shellcheck disable=SC2086 # a list of words
    [ $# -gt 0 ] || set -- $LINTERS
    for name in "$@"; do
        declare -F "lint_$name" >/dev/null ||
            die "there is no linter '$name'; there are $LINTERS"
        started=$SECONDS
        # -e does not hold inside an `if`, so each linter is a process of its own.
        if "$ROOT/tools/dev" lint-one "$name"; then
            echo "lint $name: passed ($((SECONDS - started)) s)"
            passed=$((passed + 1))
        else
            echo "lint $name: FAILED ($((SECONDS - started)) s)"
            failed=$((failed + 1))
        fi
    done
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}

# sanitized DIRECTORY SANITIZERS LABELS
sanitized() {
    local dir=$1 sanitizers=$2 labels=$3
    need_dev
    CC=clang configure "$dir" -DHS_SANITIZE="$sanitizers" -DCMAKE_BUILD_TYPE=RelWithDebInfo
    compile "$dir"
    run_tests "$dir" -L "$labels"
}

verb_asan() {
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=print_stacktrace=1
    sanitized build-asan address,undefined "$SANITIZED_TESTS"
}

# The thread sanitizer of clang 14 does not know the address-space layout of
# newer kernels; without randomization it finds its shadow memory free. The
# personality is inherited, so this shell is started again under setarch.
verb_tsan() {
    if [ -z "${HS_NO_RANDOM:-}" ]; then
        need_dev
        setarch -R true ||
            die "tsan needs 'setarch -R', which is refused here (a container's seccomp?)"
        HS_NO_RANDOM=1 exec setarch -R "$ROOT/tools/dev" tsan
    fi
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
    sanitized build-tsan thread "$THREAD_TESTS"
}

fuzz_one() {
    local name=$1 seconds=$2 seeds=tests/fuzz/corpus/$1 found=build-fuzz/found/$1 dirs
    mkdir -p "$found"
    dirs=("$found")
    [ ! -d "$seeds" ] || dirs+=("$seeds")
    quietly "build-fuzz/$name.log" "build-fuzz/$name" "${dirs[@]}" -max_total_time="$seconds" \
        -seed="${HS_FUZZ_SEED:-0}" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build-fuzz/$name-"
}

# New inputs that reach new code land in build-fuzz/found/NAME, inputs that
# break something in build-fuzz/NAME-crash-*: both belong in the corpus.
verb_fuzz() {
    local which=${1:-all} seconds=${2:-60} names=() name passed=0 failed=0
    [[ $seconds =~ ^[0-9]+$ ]] || die "fuzz takes a name and a number of seconds, not '$seconds'"
    need_dev
    mapfile -t names < <(find tests/fuzz -name 'fuzz_*.c' -printf '%f\n' 2>/dev/null |
        sed 's/\.c$//' | LC_ALL=C sort)
    if [ "$which" != all ]; then
        [[ " ${names[*]} " == *" fuzz_${which#fuzz_} "* ]] ||
            die "there is no fuzz target '$which'; there are: ${names[*]#fuzz_}"
        names=("fuzz_${which#fuzz_}")
    fi
    [ ${#names[@]} -gt 0 ] || die "there are no fuzz targets in tests/fuzz"
    CC=clang configure build-fuzz -DHS_FUZZ=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DHS_SANITIZE=address,undefined
    cmake --build build-fuzz -j "$JOBS" --target "${names[@]}" -- --quiet ||
        die "the fuzz targets do not build (above)"
    for name in "${names[@]}"; do
        if fuzz_one "$name" "$seconds"; then
            echo "$name: passed, $(grep -Eo '^Done [0-9]+ runs' "build-fuzz/$name.log" || true)"
            passed=$((passed + 1))
        else
            echo "$name: FAILED; the input is build-fuzz/$name-*"
            failed=$((failed + 1))
        fi
    done
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}

verb_cover() {
    local objects=() rooms file first
    need_dev
    CC=clang configure build-cover -DHS_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug
    compile build-cover
    rm -rf build-cover/profiles
    LLVM_PROFILE_FILE="$ROOT/build-cover/profiles/%p-%m.profraw" run_tests build-cover \
        -L '^(unit|sim)$' -E same_hash
    mapfile -t rooms < <(present src/core src/wire src/resp src/store)
    llvm-profdata merge -sparse build-cover/profiles/*.profraw -o build-cover/all.profdata
    for file in build-cover/hearsay-sim build-cover/check_*; do
        [ ! -x "$file" ] || objects+=("-object=$file")
    done
    first=${objects[0]#-object=}
    llvm-cov report "$first" "${objects[@]:1}" -instr-profile build-cover/all.profdata \
        -show-branch-summary -show-region-summary=0 "${rooms[@]}"
}

# Half an hour or more: several hundred builds of the core and runs of its tests.
verb_mutate() {
    need_dev
    tools/mutate.py . "$@"
}

verb_debug-builds() {
    local cc
    for cc in gcc clang; do
        CC=$cc configure "build-$cc" -DCMAKE_BUILD_TYPE=Debug
        compile "build-$cc"
    done
}

# One step of ci: its tests are added up from its last line; a step without
# such a line counts as one.
ci_step() {
    local name=$1 log=build/ci-$1.log status=0 counts passed failed started=$SECONDS
    shift
    echo "== $name"
    timeout "$CI_STEP_S" "$@" </dev/null 2>&1 | tee "$log" || status=1
    counts=$(grep -Ex '[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) || true
    read -r passed failed < <(sed 's/[^0-9 ]//g' <<<"${counts:-$((1 - status)) $status}")
    [ $status = 0 ] || [ "$failed" != 0 ] || failed=1
    CI_PASSED=$((CI_PASSED + passed))
    CI_FAILED=$((CI_FAILED + failed))
    CI_TABLE+=$(printf '\n%-8s %5d passed %5d failed %6d s' "$name" "$passed" "$failed" \
        $((SECONDS - started)))
}

verb_ci() {
    local dev=$ROOT/tools/dev
    CI_PASSED=0 CI_FAILED=0 CI_TABLE=
    mkdir -p build
    [ -n "${HS_CI_TESTED:-}" ] || ci_step test "$dev" test # .ci/run has done it
    ci_step deps "$dev" deps dev
    ci_step lint "$dev" lint
    ci_step builds "$dev" debug-builds
    ci_step asan "$dev" asan
    ci_step tsan "$dev" tsan
    ci_step sim "$dev" sim --many 300
    # A fixed seed: whether a change passes is not to be a matter of luck.
    HS_FUZZ_SEED=1 ci_step fuzz "$dev" fuzz all 10
    ci_step deploy "$dev" deploy
    ci_step observe "$dev" observe
    ci_step clients "$dev" clients
    echo "$CI_TABLE"
    echo "$CI_PASSED passed, $CI_FAILED failed"
    [ $CI_FAILED = 0 ]
}
