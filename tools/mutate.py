#!/usr/bin/env python3
"""mutate.py ROOT [FILE...] - do the core's tests notice when the core is wrong?

Makes small changes to src/core, one at a time (another comparison, an off-by-
one, a call left out, a condition turned round), builds the core with it, and
runs the tests check_core_*. A mutant that no test notices is printed: either a
test is missing, or the change makes no difference (docs/testing.md says which).

Notes and counters are left alone: nothing depends on them. The sample is drawn
with a fixed seed, so that two runs compare.
"""
import argparse
import os
import random
import re
import resource
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lint"))
import csource  # pylint: disable=wrong-import-position

FLAGS = ["-std=gnu11", "-O1", "-w", "-D_GNU_SOURCE", '-DHS_VERSION="mutant"']
LIBS = ["-lcheck", "-lsubunit", "-lmimalloc", "-lm", "-lrt", "-lpthread"]
CPU_S = 20  # of one test program; a mutant that loops is killed by this
# The quick ones first: most mutants die there.
FIRST = ["check_core_join", "check_core_peers", "check_core_slots", "check_core_gossip"]

SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||",
         "||": "&&", "+": "-", "-": "+", "true": "false", "false": "true"}
TOKEN = re.compile(r"(?<= )(<=|>=|==|!=|&&|\|\||<|>|\+|-)(?= )|\b(?:true|false)\b|\b\d+\b")
CALL = re.compile(r"^\s+[a-z]\w*\(.*\);$")
CONDITION = re.compile(r"\bif \((.*)\) \{$")
SKIPPED = re.compile(r"^#|^static const|HS_ASSERT|COUNT\(|core_note|_Static_assert|^enum|^struct")


def mutants_of_line(line):
    """(what, new line) for every change we know to make."""
    for m in TOKEN.finditer(line):
        old = m.group(0)
        new = SWAPS.get(old) or str(int(old) + 1)
        yield f"{old} -> {new}", line[:m.start()] + new + line[m.end():]
    if CALL.match(line) and not line.strip().startswith("return"):
        yield "call left out", re.match(r"\s*", line).group(0) + ";"
    m = CONDITION.search(line)
    if m:
        yield "negated", f"{line[:m.start(1)]}!({m.group(1)}){line[m.end(1):]}"


def mutants(path):
    """(path, line number, what, whole mutated text) of a file."""
    lines = path.read_text().split("\n")
    code = csource.strip("\n".join(lines)).split("\n")
    for n, line in enumerate(lines):
        if line != code[n] or SKIPPED.search(line):
            continue  # comments and strings are not worth the trouble
        for what, new in mutants_of_line(line):
            yield path, n + 1, what, "\n".join(lines[:n] + [new] + lines[n + 1:])


class Bench:
    """Everything built once, but for the file of the mutant."""

    def __init__(self, root, work):
        self.root, self.work = root, work
        work.mkdir(parents=True, exist_ok=True)
        self.includes = [f"-I{root}/{d}" for d in
                         ("include", "src/core", "src/base", "src/wire", "tests", "tests/unit")]
        self.core = {p: self.compile(p) for p in sorted(root.glob("src/core/*.c"))}
        rooms = [p for r in ("base", "wire", "topo") for p in sorted(root.glob(f"src/{r}/*.c"))]
        rooms += sorted(root.glob("tests/unit/core_*.c"))
        self.others = [self.compile(p) for p in rooms]
        self.tests = {p.stem: self.compile(p)
                      for p in sorted(root.glob("tests/unit/check_core_*.c"))}
        self.order = sorted(self.tests, key=lambda t: FIRST.index(t) if t in FIRST else 99)

    def compile(self, path, out=None):
        """The object of a source file, or None if it does not compile."""
        out = out or self.work / f"{path.parent.name}_{path.stem}.o"
        done = subprocess.run(["cc", *FLAGS, *self.includes, "-c", path, "-o", out],
                              capture_output=True, check=False)
        return out if done.returncode == 0 else None

    def passes(self, test, core):
        program = self.work / "test"
        subprocess.run(["cc", self.tests[test], *core, *self.others, *LIBS, "-o", program],
                       check=True)

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        done = subprocess.run([program], env={**os.environ, "CK_FORK": "no"}, preexec_fn=limit,
                              capture_output=True, check=False)
        return done.returncode == 0

    def killer(self, path, text):
        """The test that notices, "compiler" if none can, or None."""
        changed = self.work / f"mutant_{path.name}"
        changed.write_text(text)
        made = self.compile(changed, self.work / "mutant.o")
        if made is None:
            return "compiler"
        core = [made if p == path else o for p, o in self.core.items()]
        for test in self.order:
            if not self.passes(test, core):
                return test
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("files", nargs="*", help="names of files in src/core; default: all")
    parser.add_argument("-n", type=int, default=300, help="how many to draw (default 300)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    root = args.root.resolve()
    paths = [root / "src/core" / Path(f).name for f in args.files]
    paths = paths or [p for p in sorted(root.glob("src/core/*.c")) if p.stem not in ("check",)]
    found = [m for p in paths for m in mutants(p)]
    drawn = random.Random(args.seed).sample(found, min(args.n, len(found)))
    bench = Bench(root, root / "build-mutate")
    for test in bench.order:
        if not bench.passes(test, list(bench.core.values())):
            sys.exit(f"{test} fails without any mutant: repair that first")
    killed = survived = 0
    for path, line, what, text in drawn:
        by = bench.killer(path, text)
        killed += by not in (None, "compiler")
        if by is None:
            survived += 1
            print(f"{path.relative_to(root)}:{line}: {what}: survived", flush=True)
    print(f"{len(found)} mutants known, {len(drawn)} drawn: {killed} killed, {survived} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
