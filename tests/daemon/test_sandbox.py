#!/usr/bin/env python3
"""Once it is up a node writes beside its own files only, whatever it is made to do: the
kernel says no, to root as well. What it has to write it still can."""

import ctypes
import errno
import os
import signal
import tempfile
import time
import unittest

import daemon
from daemon import Node

PROBE = os.environ.get("EXEC_PROBE", "build/libexec_probe.so")
WAIT_S = 30
LANDLOCK_CREATE_RULESET, VERSION_ONLY = 444, 1


def kernel_has_landlock():
    return ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, VERSION_ONLY) > 0


def sanitized():
    with open(daemon.HEARSAYD, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


@unittest.skipUnless(kernel_has_landlock(), "this kernel has no Landlock")
class Sandbox(unittest.TestCase):
    def node(self, *args):
        """A node whose files are all in directories of their own."""
        tmp = tempfile.TemporaryDirectory(prefix="hearsay-")
        self.addCleanup(tmp.cleanup)
        self.at = {}
        for name in ("conf", "log", "pid", "sock", "elsewhere"):
            os.mkdir(os.path.join(tmp.name, name))
            self.at[name] = os.path.join(tmp.name, name, name)
        with open(self.at["conf"], "w", encoding="utf-8") as f:
            f.write("maxclients 100\n")
        node = Node("--logfile", self.at["log"], "--pidfile", self.at["pid"], "--unixsocket",
                    self.at["sock"], *args)
        self.addCleanup(node.close)
        node.args.insert(0, self.at["conf"])
        node.read_log = lambda: self.text("log")
        return node.start()

    def text(self, name):
        try:
            with open(self.at[name], encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def until(self, condition, what):
        end = time.monotonic() + WAIT_S
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def test_it_writes_its_own_files_and_no_others(self):
        for allowed in (False, True):
            node = self.node("--sandbox", "no" if allowed else "yes")
            self.assertNotIn("No sandbox", self.text("log"))
            old = self.at["log"] + ".1"
            os.rename(self.at["log"], old)
            node.process.send_signal(signal.SIGHUP)
            self.until(lambda: os.path.exists(self.at["log"]), "a rotated log is opened anew")
            self.assertEqual(node.call("CLUSTER", "ADDSLOTS", 1), "OK")
            self.until(lambda n=node: n.conf().count(" 1\n") == 1, "nodes.conf is saved")
            self.assertEqual(node.call("CONFIG", "SET", "maxclients", 77), "OK")
            self.assertEqual(node.call("CONFIG", "REWRITE"), "OK")
            self.assertIn("maxclients 77", self.text("conf"))
            # The name of the log now leads out of its directory.
            os.rename(self.at["log"], old)
            os.symlink(self.at["elsewhere"], self.at["log"])
            node.process.send_signal(signal.SIGHUP)
            if allowed:
                self.until(lambda: os.path.exists(self.at["elsewhere"]), "nothing stops it")
            else:
                def refused():
                    with open(old, encoding="utf-8") as f:
                        return "could not be opened again: Permission denied" in f.read()
                self.until(refused, "the kernel refuses")
                self.assertFalse(os.path.exists(self.at["elsewhere"]))
            self.assertEqual(node.stop(), 0)
            for name in ("pid", "sock"):
                self.assertFalse(os.path.exists(self.at[name]), name)

    @unittest.skipIf(sanitized(), "a sanitizer allows no library before its own")
    def test_it_starts_no_program(self):
        for sandbox, code in (("yes", errno.EACCES), ("no", 0)):
            node = Node("--sandbox", sandbox, env=dict(os.environ, LD_PRELOAD=PROBE))
            self.addCleanup(node.close)
            node.start()
            node.process.send_signal(signal.SIGUSR1)
            self.until(lambda n=node: "exec: " in n.read_log(), "it tried")
            self.assertIn(f"exec: {code}\n", node.read_log())
            self.assertEqual(node.stop(), 0)

    def test_with_a_notification_script_there_is_none_and_the_log_says_so(self):
        self.node("--notification-script", "/bin/true")
        self.assertIn("No sandbox: what notification-script may do", self.text("log"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
