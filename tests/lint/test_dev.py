#!/usr/bin/env python3
"""tools/dev counts what ctest ran, and touches only processes of its own."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
CMAKE = "cmake_minimum_required(VERSION 3.25)\nproject(x NONE)\nenable_testing()\n"
PASSES = "add_test(NAME {} COMMAND true)\n"
FAILS = "add_test(NAME {} COMMAND false)\n"
SKIPS = "add_test(NAME {0} COMMAND true)\nset_tests_properties({0} PROPERTIES SKIP_RETURN_CODE 0)\n"
UNBUILT = "add_test(NAME {} COMMAND no-such-program-here)\n"


class Dev(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.root = pathlib.Path(held.name).resolve()
        (self.root / "tools").mkdir()
        shutil.copy(TOOLS / "dev", self.root / "tools/dev")
        shutil.copytree(TOOLS / "dev.d", self.root / "tools/dev.d")

    def dev(self, *args):
        return subprocess.run([self.root / "tools/dev", *args], capture_output=True, text=True,
                              check=False, timeout=100, stdin=subprocess.DEVNULL)

    def summary(self, tests, *names):
        (self.root / "CMakeLists.txt").write_text(CMAKE + tests)
        done = self.dev("test", *names)
        return done.returncode, done.stdout.splitlines()[-1]

    def test_passes_and_failures_are_counted(self):
        both = PASSES.format("a") + PASSES.format("b")
        self.assertEqual(self.summary(both), (0, "2 passed, 0 failed"))
        self.assertEqual(self.summary(both + FAILS.format("c")), (1, "2 passed, 1 failed"))

    def test_names_choose_tests(self):
        tests = PASSES.format("wire_a") + PASSES.format("core_b") + FAILS.format("net_c")
        self.assertEqual(self.summary(tests, "wire", "core"), (0, "2 passed, 0 failed"))

    def test_nothing_ran_is_a_failure(self):
        self.assertEqual(self.summary(""), (1, "0 passed, 0 failed"))
        self.assertEqual(self.summary(PASSES.format("a"), "other"), (1, "0 passed, 0 failed"))

    def test_a_test_that_cannot_run_failed(self):
        tests = PASSES.format("a") + UNBUILT.format("b")
        self.assertEqual(self.summary(tests), (1, "1 passed, 1 failed"))

    def test_a_skipped_test_is_neither(self):
        tests = PASSES.format("a") + SKIPS.format("b")
        self.assertEqual(self.summary(tests), (0, "1 passed, 0 failed"))

    def interop(self, test):
        (self.root / "CMakeLists.txt").write_text(CMAKE + test)
        for version in ("redis-6.2.16", "valkey-8.0.1"):
            server = self.root / "peers" / version / "src" / f"{version.split('-')[0]}-server"
            server.parent.mkdir(parents=True)
            maker, number = version.split("-")
            server.write_text(f"#!/bin/sh\necho {maker.title()} server v={number} sha=0\n")
            server.chmod(0o755)
        done = self.dev("interop", "peers")
        return done.returncode, done.stdout.splitlines()

    def test_interop_runs_against_every_server_and_tells_in_a_table(self):
        code, lines = self.interop(
            "add_test(NAME interop_x COMMAND sh -c \"seq 3000; echo \\\"a ... skipped"
            " 'another version: y'\\\"; echo Ran 3 tests\")\n"
            "set_tests_properties(interop_x PROPERTIES LABELS interop)\n"
            + PASSES.format("another"))
        self.assertEqual(code, 0, lines)
        self.assertEqual(lines[-3:], ["| tests | redis-6.2.16 | valkey-8.0.1 |", "|---|---|---|",
                                      "| x | 2 +1 | 2 +1 |"])
        self.assertEqual(lines.count("1 passed, 0 failed"), 2)

    def test_interop_fails_when_one_version_does(self):
        code, lines = self.interop(
            "add_test(NAME interop_x COMMAND sh -c \"expr $HS_REDIS_SERVER : '.*redis'\")\n"
            "set_tests_properties(interop_x PROPERTIES LABELS interop)\n")
        self.assertEqual((code, lines[-1]), (1, "| x | 0 | FAILED |"))

    def test_interop_without_servers_says_what_it_wants(self):
        for words in ((), ("nowhere",), (".",)):
            done = self.dev("interop", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn("server", done.stderr)

    def test_a_failed_build_is_no_success(self):
        (self.root / "CMakeLists.txt").write_text(CMAKE + "message(FATAL_ERROR broken)\n")
        done = self.dev("test")
        self.assertEqual(done.returncode, 1)
        self.assertIn("cmake failed", done.stderr)

    def test_unknown_verbs_and_arguments_are_refused(self):
        self.assertEqual(self.dev("dance").returncode, 2)
        for args in (("up", "0"), ("up", "101"), ("up", "six"), ("build", "Fast"), ("deps", "all")):
            with self.subTest(args=args):
                self.assertEqual(self.dev(*args).returncode, 1)

    def test_help_names_every_verb(self):
        done = self.dev("help")
        for verb in ("up", "down", "test", "build", "deps", "fmt", "lint", "asan", "tsan", "fuzz",
                     "cover", "ci"):
            self.assertRegex(done.stdout, rf"\b{verb}\b")

    def test_down_kills_no_process_but_a_node_of_this_tree(self):
        stranger = subprocess.Popen(["sleep", "60"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        place = self.root / "build/up/7000"
        place.mkdir(parents=True)
        (place / "hearsayd.pid").write_text(f"{stranger.pid}\n")
        done = self.dev("down")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "No node of this tree is running.\n"))
        self.assertIsNone(stranger.poll())

    def test_down_stops_a_node_of_this_tree(self):
        place = self.root / "build/up/7000"
        place.mkdir(parents=True)
        shutil.copy(shutil.which("sleep"), self.root / "build/hearsayd")
        node = subprocess.Popen([self.root / "build/hearsayd", "60"], cwd=place)
        self.addCleanup(node.wait)
        self.addCleanup(node.kill)
        (place / "hearsayd.pid").write_text(f"{node.pid}\n")
        # A zombie has no /proc/PID/exe, so it counts as gone before we reap it.
        done = self.dev("down")
        self.assertIn("Stopped the nodes on ports 7000", done.stdout)
        self.assertEqual(node.wait(timeout=5), -15)
        self.assertFalse((place / "hearsayd.pid").exists())


if __name__ == "__main__":
    unittest.main()
