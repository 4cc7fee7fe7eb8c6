# shellcheck shell=bash
# build and test.

# configure DIRECTORY CMAKE_ARGUMENTS...
configure() {
    local dir=$1
    shift
    if ! mkdir -p "$dir" || [ ! -w "$dir" ]; then
        die "$dir/ is not writable for $(id -un); remove it, or run as its owner"
    fi
    if ! quietly "$dir/configure.log" cmake -S . -B "$dir" -G Ninja "$@"; then
        die "cmake failed (above, and in $dir/configure.log)"
    fi
}

compile() {
    cmake --build "$1" -j "$JOBS" -- --quiet || die "the build in $1 failed (above)"
}

verb_build() {
    local type=${1:-RelWithDebInfo}
    case $type in
    Debug | Release | RelWithDebInfo) ;;
    *) die "there is no build type '$type'; use Debug, Release or RelWithDebInfo" ;;
    esac
    need_build
    configure build -DCMAKE_BUILD_TYPE="$type"
    compile build
}

# The counts of the last ctest run, from its own report: "passed failed". A test
# that skipped itself is neither; one that could not be run failed.
junit_counts() {
    python3 - "$1" <<'PY'
import sys
import xml.etree.ElementTree as tree

suite = tree.parse(sys.argv[1]).getroot()
cases = suite.findall("testcase")
skipped = [c for c in cases if "SKIP_" in (c.find("skipped") is not None
                                           and c.find("skipped").get("message") or "")]
passed = sum(c.get("status") == "run" for c in cases)
for case in skipped:
    print("skipped:", case.get("name"), file=sys.stderr)
print(passed, len(cases) - passed - len(skipped))
PY
}

# run_tests DIRECTORY CTEST_ARGUMENTS...: the last line is the summary, the
# exit status follows it. No test at all is a failure too. CMakeLists.txt says
# which tests take both places of a core.
run_tests() {
    local dir=$1 passed=0 failed=0 status=0
    shift
    rm -f "$dir/ctest.xml"
    ctest --test-dir "$dir" --output-on-failure --output-junit ctest.xml -j $((2 * JOBS)) "$@" \
        </dev/null || status=$?
    if [ -s "$dir/ctest.xml" ]; then
        read -r passed failed < <(junit_counts "$dir/ctest.xml")
    fi
    if [ $((passed + failed)) = 0 ]; then
        say "No test ran."
        status=1
    elif [ "$failed" != 0 ]; then
        status=1
    fi
    echo "$passed passed, $failed failed"
    return $status
}

verb_test() {
    need_test
    verb_build
    if [ $# -gt 0 ]; then
        run_tests build -R "$(
            IFS='|'
            echo "$*"
        )"
    else
        run_tests build
    fi
}

# A table of what interop runs left behind, a column for each version: tests passed,
# "+n" for those about other versions, "FAILED n".
interop_table() {
    python3 - "$@" <<'PY'
import pathlib
import re
import sys
import xml.etree.ElementTree as tree

results, files = {}, set()
for path in sys.argv[1:]:
    version = pathlib.Path(path).stem.removeprefix("interop-")
    for case in tree.parse(path).getroot().findall("testcase"):
        said = case.findtext("system-out") or ""
        ran = re.search(r"^Ran (\d+) test", said, re.M)
        other = len(re.findall(r"skipped 'another version: ", said))
        passed = int(ran[1]) - other if ran else 0
        name = case.get("name").removeprefix("interop_")
        files.add(name)
        results[version, name] = (f"{passed}" + (f" +{other}" if other else "")
                                  if case.get("status") == "run" else "FAILED")
versions = sorted({v for v, _ in results})
print("|".join(["", " tests ", *(f" {v} " for v in versions), ""]))
print("|" + "---|" * (len(versions) + 1))
for name in sorted(files):
    print("|".join(["", f" {name} ", *(f" {results.get((v, name), '-')} " for v in versions), ""]))
PY
}

# The interop tests against every stock server found in a directory.
verb_interop() {
    local dir=${1:-} server version servers=() reports=() status=0
    [ -d "$dir" ] || die "interop takes a directory that holds built servers, such as" \
        "DIRECTORY/redis-7.2.6/src/redis-server; it is told '$dir'"
    dir=$(realpath "$dir")
    mapfile -t servers < <(find "$dir" -maxdepth 3 -type f -executable \
        \( -name redis-server -o -name valkey-server \) | LC_ALL=C sort)
    [ ${#servers[@]} -gt 0 ] || die "there is no redis-server or valkey-server in $dir"
    verb_build
    for server in "${servers[@]}"; do
        version=$("$server" --version | sed -E 's/^(Redis|Valkey).* v=([0-9.]+) .*/\L\1-\2/')
        echo "== $version"
        # The table reads what the tests print, which ctest would cut.
        HS_REDIS_SERVER=$server run_tests build -L '^interop$' \
            --test-output-size-passed 1000000 || status=1
        [ ! -s build/ctest.xml ] || cp build/ctest.xml "build/interop-$version.xml"
        reports+=("build/interop-$version.xml")
    done
    interop_table "${reports[@]}"
    return $status
}

# Clusters in virtual time; a run of many seeds takes all cores.
# --scale: the large runs of docs/scale.md; --scale-real: its real processes.
verb_sim() {
    verb_build
    case ${1:-} in
    --scale) tools/scale.py sim "${@:2}" ;;
    --scale-real) tools/scale.py real "${@:2}" ;;
    *) build/hearsay-sim --jobs "$JOBS" "$@" ;;
    esac
}
