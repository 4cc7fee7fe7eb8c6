#!/usr/bin/env python3
"""Man pages and completions say what --help says, and their readers accept them."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HS_BUILD", ROOT / "build"))
PROGRAMS = ("hearsayd", "hearsay-bench", "hearsay-sim", "hearsay-decode")


def out(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, **more)


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.held.cleanup)
        cls.dir = pathlib.Path(cls.held.name)
        done = out(ROOT / "tools/manual.py", cls.dir, *(BUILD / p for p in PROGRAMS))
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        cls.help = {p: out(BUILD / p, "--help").stdout for p in PROGRAMS}

    def page(self, name):
        return next((self.dir / "man").glob(name + ".[0-9]")).read_text().replace("\\-", "-")

    def test_every_page_lints_clean(self):
        pages = sorted((self.dir / "man").iterdir())
        self.assertEqual(len(pages), len(PROGRAMS) + 1)
        # They are not installed here, so they do not find each other.
        complaints = [line for line in out("mandoc", "-T", "lint", *pages).stdout.splitlines()
                      if not re.search(r"referenced manual not found: Xr hearsay", line)]
        self.assertEqual(complaints, [])

    def test_the_linter_would_have_complained(self):
        bad = self.dir / "bad.1"
        bad.write_text(".Dd today\n.Sh NAME\n.Nosuch macro\n")
        self.assertIn("bad.1", out("mandoc", "-T", "lint", bad).stdout)

    def test_every_directive_has_its_item_with_default_and_meaning(self):
        page = self.page("hearsay.conf")
        rows = re.findall(r"^  --(\S+)  \[.*?default (.*?)(?:; live)?\]\n +(\S+ \S+)",
                          self.help["hearsayd"], re.MULTILINE)
        self.assertGreater(len(rows), 40)
        for name, default, begins in rows:
            item = re.search(rf"^\.It {re.escape(name)}\n(.*?)(?=^\.(?:It|El))", page,
                             re.MULTILINE | re.DOTALL)
            self.assertIsNotNone(item, name)
            words = " ".join(item.group(1).split())
            self.assertIn(begins, words, name)
            self.assertIn(f"default: {default}", words, name)

    def test_every_option_of_help_is_in_its_page_and_its_completions(self):
        for program in PROGRAMS:
            options = {m for line in self.help[program].splitlines() if line.startswith("  --")
                       for m in re.findall(r"--[a-z][a-z0-9-]*", line.split("  [")[0]
                                           if "  [" in line else line[:26])}
            self.assertGreater(len(options), 3, program)
            page = self.page(program) + (self.page("hearsay.conf") if program == "hearsayd" else "")
            for option in options:
                bare = option[2:]
                self.assertIsNotNone(re.search(rf"(?m)^\.It (.*--)?{re.escape(bare)}\b", page),
                                     f"{program}: {option}")
                for path in (self.dir / "bash" / program, self.dir / "zsh" / ("_" + program)):
                    self.assertRegex(path.read_text(), rf"{option}\b", path)

    def complete(self, program, *words):
        func = "_" + program.replace("-", "_")
        done = out("bash", "-c",
                   f'. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); {func}; '
                   'printf "%s\\n" "${COMPREPLY[@]}"', "bash", self.dir / "bash" / program, program,
                   *words)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_options_words_and_files(self):
        self.assertEqual(self.complete("hearsayd", "--cluster-node-t"), ["--cluster-node-timeout"])
        self.assertEqual(self.complete("hearsayd", "--loglevel", "ver"), ["verbose"])
        self.assertEqual(self.complete("hearsay-bench", "--mode", "st"), ["steady", "storm"])
        self.assertEqual(self.complete("hearsay-decode", str(self.dir / "ba")),
                         [str(self.dir / "bash")])
        self.assertEqual(self.complete("hearsayd", "--dir", str(self.dir / "z")),
                         [str(self.dir / "zsh")])
        self.assertEqual(self.complete("hearsayd", "--port", ""), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
