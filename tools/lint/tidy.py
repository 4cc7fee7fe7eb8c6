#!/usr/bin/env python3
"""tidy.py [ROOT] - the house rules no compiler checks.

Each rule is one function from a file to complaints. What a machine can settle
is settled here, so that a review can be about the rest (docs/style.md).
"""
import os
import pathlib
import re
import subprocess
import sys

import csource

COLUMNS_MAX, FUNCTION_LINES_MAX, FILE_LINES_MAX = 100, 70, 400

BANNED = {  # call: what to use instead
    "strcpy": "memcpy with a checked length, or snprintf",
    "strncpy": "memcpy with a checked length, or snprintf",
    "strcat": "snprintf",
    "strncat": "snprintf",
    "sprintf": "snprintf",
    "vsprintf": "vsnprintf",
    "gets": "fgets",
    "strtok": "strchr or memchr",
    "atoi": "strtol with its end checked",
    "atol": "strtol with its end checked",
    "atoll": "strtoll with its end checked",
    "time": "the struct hs_now that was passed in",
    "gettimeofday": "the struct hs_now that was passed in",
    "rand": "hs_prng_next",
    "srand": "hs_prng_seed",
    "random": "hs_prng_next",
    "alloca": "a bounded array",
    "assert": "HS_ASSERT",
}
HEAP = {"malloc", "calloc", "realloc", "free", "strdup", "aligned_alloc"}
HEAP_FREE_PLACES = ("src/base/", "src/resp/", "tests/", "tools/", "bench/")

DIRECTORIES = ("include", "src", "tests", "tools", "bench", "docs", "deploy", ".ci")
SKIPPED = ("tests/golden/", "tests/fuzz/corpus/", "tests/lint/", "tools/lint/")
TEXT = {".c", ".h", ".py", ".sh", ".md", ".json", ".conf", ".service", ".txt", ".yml", ".tcl", ""}

MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(work|home|root|Users|mnt)/\w")
HOST_NAME = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|registry\.npmjs\.org|crates\.io|proxy\.golang\.org"
    r"|docker\.io|ghcr\.io|quay\.io|deb\.debian\.org|archive\.ubuntu\.com)\b")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
VLA = re.compile(
    r"^\s+(?!return\b|goto\b|case\b|else\b|typedef\b)(?:[a-z_]\w*\s+)+\**\w+\[([^\]]+)\]\s*[;=]")
TYPE_WORDS = {"const", "unsigned", "signed", "char", "short", "int", "long", "float", "double",
              "void", "struct", "enum", "union", "bool", "_Bool", "*"}
# An expression ends at these; | and + on both sides of one do not mix.
BORDERS = {"&&", "||", "?", ":", ",", ";", "=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
           "<<=", ">>=", "{", "}", "return", "==", "!=", "<", ">", "<=", ">=", "#"}


class Source:
    def __init__(self, root, rel):
        self.root, self.rel = root, rel
        self.name = rel.as_posix()
        self.text = (root / rel).read_text()
        self.is_c = rel.suffix in (".c", ".h")
        self.lines = self.text.splitlines()
        self.code = csource.strip(self.text) if self.is_c else self.text


def long_lines(src):
    if src.is_c or src.rel.suffix in (".py", ".sh") or src.name == "tools/dev":
        for n, line in enumerate(src.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield n, f"line of {len(line)} columns, more than {COLUMNS_MAX}"


def trailing_space(src):
    for n, line in enumerate(src.lines, 1):
        if line != line.rstrip():
            yield n, "trailing whitespace"
    if src.text and not src.text.endswith("\n"):
        yield len(src.lines), "no newline at the end of the file"


def foreign_names(src):
    for n, line in enumerate(src.lines, 1):
        if MACHINE_PATH.search(line):
            yield n, "a path of one machine; make it relative or a variable"
        if HOST_NAME.search(line):
            yield n, "the name of a package host; the tools' own settings decide that"


def unfinished(src):
    found = csource.comments(src.text) if src.is_c else enumerate(src.lines, 1)
    for n, text in found:
        if UNFINISHED.search(text):
            yield n, "unfinished work; finish it or write an issue"


def banned_calls(src):
    for n, line in enumerate(src.code.splitlines() if src.is_c else [], 1):
        for m in re.finditer(r"(?<![\w.>])([a-z]\w*)\s*\(", line):
            call = m.group(1)
            if call in BANNED and not src.name.startswith("tests/"):
                yield n, f"{call}() is banned; use {BANNED[call]}"
            elif call in HEAP and not src.name.startswith(HEAP_FREE_PLACES):
                yield n, f"{call}() outside base; use hs_alloc and hs_free"


def vla(src):
    for n, line in enumerate(src.code.splitlines() if src.is_c else [], 1):
        m = VLA.match(line)
        size = re.sub(r"sizeof\s*(\([^)]*\)|\w+)", "", m.group(1)) if m else ""
        if re.search(r"\b[a-z_][a-z0-9_]*\b", size):
            yield n, "an array whose length is not a constant"


def long_functions(src):
    for n, lines in csource.functions(src.code) if src.is_c else ():
        if lines > FUNCTION_LINES_MAX:
            yield n, f"function of {lines} lines, more than {FUNCTION_LINES_MAX}"


def long_file(src):
    if not src.is_c or len(src.lines) <= FILE_LINES_MAX:
        return
    first = next(csource.comments(src.text), (0, ""))[1]
    if not re.search(r"^\s*\*?\s*Length: \w", first, re.MULTILINE):
        yield 1, (f"file of {len(src.lines)} lines, more than {FILE_LINES_MAX}, and its first "
                  "comment has no line 'Length: reason'")


def head_comment(src):
    if src.is_c and not src.text.startswith("/*"):
        yield 1, "does not begin with a comment that says what the file is for"


def header_guard(src):
    if src.rel.suffix == ".h":
        directives = [line.split() for line in src.code.splitlines() if line.startswith("#")]
        if (len(directives) < 3 or directives[0][0] != "#ifndef" or directives[-1] != ["#endif"]
                or directives[1] != ["#define", directives[0][1]]):
            yield 1, "no include guard around the whole header"


def header_alone(src):
    """The header must compile with nothing before it."""
    if src.rel.suffix != ".h":
        return
    cc = os.environ.get("CC", "cc")
    what = src.root / src.rel
    room = src.rel.stem.split("_")[0]
    cmd = [cc, "-std=c11", "-D_GNU_SOURCE", '-DHS_VERSION="0"', '-DHS_SOURCE_DIR="."', "-fsyntax-only",
           f"-I{src.root}/include", f"-I{what.parent}", f"-I{src.root}/src/{room}",
           f"-I{src.root}/tests", "-x", "c", "-"]
    done = subprocess.run(cmd, input=f'#include "{what}"\n', text=True, capture_output=True,
                          check=False, timeout=60)
    if done.returncode != 0:
        first = next((x for x in done.stderr.splitlines() if "error" in x), done.stderr.strip())
        yield 1, f"does not compile alone: {first}"


def is_cast(before):
    """Whether the tokens up to a ')' end in a cast such as (uint8_t *)."""
    depth, inside = 0, []
    for token in reversed(before):
        depth += (token == ")") - (token == "(")
        if depth == 0:
            break
        inside.append(token)
    inside = inside[1:]
    return bool(inside) and all(t in TYPE_WORDS or re.fullmatch(r"\w+_t|[a-z]\w*", t)
                                for t in inside) and any(
        t in TYPE_WORDS or t.endswith("_t") for t in inside)


def mixed_operators(src):
    if not src.is_c:
        return
    stack, seen, before = [], set(), []
    for n, token in csource.tokens(src.code):
        last = before[-1] if before else ""
        binary = re.match(r"\w|\)|\]|\"|'", last) and last not in BORDERS
        if token in ("(", "["):
            stack.append(seen)
            seen = set()
        elif token in (")", "]"):
            seen = stack.pop() if stack else set()
        elif token in BORDERS:
            seen = set()
        elif token in ("&", "|", "^", "+", "-") and binary and not (last == ")"
                                                                    and is_cast(before)):
            seen.add("bits" if token in "&|^" else "sum")
            if len(seen) == 2:
                yield n, "bit operators and + or - side by side; write the parentheses"
                seen = set()
        before.append(token)
        del before[:-64]


RULES = (long_lines, trailing_space, foreign_names, unfinished, banned_calls, vla, long_functions,
         long_file, head_comment, header_guard, header_alone, mixed_operators)


def sources(root):
    found = [p for p in root.iterdir() if p.is_file()]
    for top in DIRECTORIES:
        found += [p for p in (root / top).rglob("*") if p.is_file()]
    for path in sorted(found):
        rel = path.relative_to(root)
        if (path.suffix in TEXT and "__pycache__" not in rel.parts and rel.name != ".git"
                and not rel.as_posix().startswith(SKIPPED)):
            yield rel


def main(root):
    bad = []
    for rel in sources(root):
        try:
            src = Source(root, rel)
        except UnicodeDecodeError:
            bad.append(f"{rel}: not UTF-8 text")
            continue
        for rule in RULES:
            bad += [f"{rel}:{n}: {text}" for n, text in rule(src)]
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
