#!/usr/bin/env python3
"""Every rule of tidy.py is seen to fire, and to stay silent where it should."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TIDY = pathlib.Path(__file__).resolve().parents[2] / "tools/lint/tidy.py"
HEAD = "/* a.c - a file. */\n"


def function(lines):
    """A function with that many lines between and including its braces."""
    return "void f(void)\n{\n" + "    g();\n" * (lines - 2) + "}\n"


class Tidy(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.root = pathlib.Path(held.name)

    def lint(self, text, name="src/core/a.c", head=HEAD):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + text)
        done = subprocess.run([sys.executable, TIDY, self.root], capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual(done.stderr, "")
        path.unlink()
        return done.returncode, done.stdout

    def refuses(self, text, complaint, **where):
        code, out = self.lint(text, **where)
        self.assertEqual(code, 1, out)
        self.assertIn(complaint, out)

    def accepts(self, text, **where):
        self.assertEqual(self.lint(text, **where), (0, ""))

    def test_banned_calls_are_named_with_what_to_use(self):
        for call, use in (("strcpy", "memcpy"), ("strcat", "snprintf"), ("sprintf", "snprintf"),
                          ("strtok", "strchr"), ("atoi", "strtol"), ("time", "hs_now"),
                          ("rand", "hs_prng_next"), ("alloca", "bounded"),
                          ("assert", "HS_ASSERT")):
            with self.subTest(call=call):
                self.refuses(f"int x = {call}(0);\n", f"{call}() is banned; use ")
                self.refuses(f"int x = {call} (0);\n", use)

    def test_names_that_only_end_alike_are_fine(self):
        self.accepts('HS_ASSERT(x);\n_Static_assert(1, "x");\nck_assert(x);\nrtt_time(x);\n'
                     "c->time(x);\nsnprintf(b, n, s);\n")

    def test_comments_and_strings_are_not_code(self):
        self.accepts('/* strcpy(a, b) */\nconst char *s = "sprintf(x) a & b + c";\n')

    def test_heap_calls_belong_in_base(self):
        for call in ("malloc", "calloc", "realloc", "free", "strdup"):
            with self.subTest(call=call):
                self.refuses(f"{call}(0);\n", f"{call}() outside base")
                self.accepts(f"{call}(0);\n", name="src/base/a.c")
                self.accepts(f"{call}(0);\n", name="src/resp/a.c")
                self.accepts(f"{call}(0);\n", name="tests/unit/check_core_a.c")

    def test_arrays_of_variable_length(self):
        self.refuses("    uint8_t bytes[n];\n", "length is not a constant")
        self.refuses("    struct thing v[c->links_max + 1];\n", "length is not a constant")
        self.accepts("    uint8_t bytes[HS_LEN + 1];\n    char b[sizeof(struct hs_view)];\n"
                     "    return table[i];\n    v[i] = 3;\n    int x = v[i];\n")

    def test_unfinished_work(self):
        for word in ("TODO", "FIXME", "XXX"):
            with self.subTest(word=word):
                self.refuses(f"/* {word}: later */\n", "unfinished work")
                self.refuses(f"{word} later\n", "unfinished work", name="docs/a.md", head="")

    def test_long_lines(self):
        self.accepts("/*" + "x" * 96 + "*/\n")
        self.refuses("/*" + "x" * 97 + "*/\n", "line of 101 columns")

    def test_long_functions(self):
        self.accepts(function(70))
        self.refuses(function(71), "function of 71 lines")

    def test_two_functions_are_counted_apart(self):
        self.accepts(function(60) + "\n" + function(60))

    def test_long_files(self):
        self.accepts("int x;\n" * 399)
        self.refuses("int x;\n" * 400, "file of 401 lines")

    def test_long_files_may_give_a_reason(self):
        self.accepts("int x;\n" * 500, head="/* a.c - a file.\n *\n * Length: one table. */\n")
        self.refuses("int x;\n" * 500, "no line", head="/* a.c\n * Length:\n */\n")
        self.refuses("/*\n * Length: too late. */\n" + "int x;\n" * 500, "no line")

    def test_trailing_whitespace(self):
        self.refuses("int x; \n", "trailing whitespace")
        self.refuses("a\t\n", "trailing whitespace", name="docs/a.md", head="")
        self.refuses("int x;", "no newline at the end")

    def test_files_say_what_they_are_for(self):
        self.refuses("int x;\n", "does not begin with a comment", head="")

    def test_headers_have_guards(self):
        self.accepts("#ifndef A_H\n#define A_H\n#endif\n", name="src/core/a_int.h")
        for text in ("", "#pragma once\n", "#ifndef A_H\n#define B_H\n#endif\n",
                     "#ifndef A_H\n#define A_H\n#endif\n#define LATER 1\n"):
            with self.subTest(text=text):
                self.refuses(text, "no include guard", name="src/core/a_int.h")

    def test_headers_compile_alone(self):
        guarded = "#ifndef A_H\n#define A_H\n{}\n#endif\n"
        self.accepts(guarded.format("#include <stdint.h>\nextern uint8_t x;"),
                     name="include/hearsay/a.h")
        self.refuses(guarded.format("extern uint8_t x;"), "does not compile alone",
                     name="include/hearsay/a.h")

    def test_bit_operators_beside_sums(self):
        for text in ("x = a & b + c;", "x = a + b | c;", "f(a - 1 & m);", "x = v[a | b - 1];",
                     "x = (a) & b + c;", "x = p->n ^ q + 1;"):
            with self.subTest(text=text):
                self.refuses(text + "\n", "write the parentheses")
        for text in ("x = a & (b + c);", "x = (a + b) | c;", "f(a - 1, b & m);", "f(&a, b + 1);",
                     "x = a + 1 == (b & c);", "x = *p + 1; y = &q;", "g((uint8_t *)&a + 1);",
                     "x = -1; y = a & b;", "return &c->v[i + 1];", "x = a && b + c;",
                     "x = f(&a) + g(&b);"):
            with self.subTest(text=text):
                self.accepts(text + "\n")

    def test_paths_of_one_machine(self):
        for top in ("work", "home", "root"):
            with self.subTest(top=top):
                self.refuses(f"see /{top}/x\n", "path of one machine", name="docs/a.md", head="")
        self.accepts("see src/home/x and ~/home/x\n", name="docs/a.md", head="")

    def test_package_hosts(self):
        self.refuses("from https://pypi.org/x\n", "package host", name="docs/a.md", head="")

    def test_build_trees_are_not_ours(self):
        self.accepts("strcpy(a, b); \n", name="build/a.c")
        self.accepts("line \n", name="tests/golden/a.txt")


if __name__ == "__main__":
    unittest.main()
