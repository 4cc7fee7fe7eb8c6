#!/usr/bin/env python3
"""pure.sh tells an archive that computes from one that acts."""
import pathlib
import subprocess
import tempfile
import unittest

PURE = pathlib.Path(__file__).resolve().parents[2] / "tools/lint/pure.sh"


class Pure(unittest.TestCase):
    def lint(self, *sources, flags=()):
        """Runs pure.sh on one archive with one object per source."""
        with tempfile.TemporaryDirectory() as held:
            objects = []
            for i, source in enumerate(sources):
                objects.append(f"{held}/{i}.o")
                subprocess.run(["cc", "-O1", "-fno-builtin", *flags, "-x", "c", "-c", "-", "-o",
                                objects[-1]], input=source, text=True, check=True, timeout=60)
            archive = f"{held}/libhs_core.a"
            subprocess.run(["ar", "rcs", archive, *objects], check=True, timeout=60)
            return subprocess.run([PURE, archive], capture_output=True, text=True, check=False,
                                  timeout=60)

    def calls(self, name):
        return self.lint(f"void {name}(void); void core_f(void) {{ {name}(); }}")

    def test_what_computes_is_pure(self):
        for name in ("memcpy", "memcmp", "memset", "memmove", "hs_assert_fail", "hs_wire_check",
                     "hs_core_step", "core_note", "wire_put", "hs_topo_find", "hs_prng_next",
                     "__popcountdi2"):
            with self.subTest(name=name):
                self.assertEqual(self.calls(name).returncode, 0)

    def test_what_acts_is_not(self):
        for name in ("malloc", "free", "write", "clock_gettime", "time", "getrandom", "printf",
                     "hs_log", "hs_alloc", "hs_topo_create", "hs_topo_destroy", "abort",
                     "memcpy_later", "pthread_mutex_lock"):
            with self.subTest(name=name):
                done = self.calls(name)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"uses: {name}", done.stderr)

    def test_one_impure_object_among_many_is_found(self):
        done = self.lint("void core_a(void) {}", "int read(void); int core_b(void) { return read(); }")
        self.assertEqual(done.returncode, 1)
        self.assertIn("uses: read", done.stderr)

    def test_weak_calls_count(self):
        done = self.lint("void puts(void) __attribute__((weak)); void core_f(void) { puts(); }")
        self.assertEqual(done.returncode, 1)

    def test_thread_storage_counts(self):
        done = self.lint("extern __thread int outside; int core_f(void) { return outside; }")
        self.assertEqual(done.returncode, 1)

    def test_an_instrumented_archive_is_named_and_passed_over(self):
        done = self.lint("int *p; int core_f(void) { return *p; }", flags=["-fsanitize=address"])
        self.assertEqual(done.returncode, 0)
        self.assertIn("not checked", done.stdout)

    def test_a_missing_archive_is_an_error(self):
        done = subprocess.run([PURE, "missing.a"], capture_output=True, text=True, check=False,
                              timeout=60)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
