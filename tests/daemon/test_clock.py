#!/usr/bin/env python3
"""The wall clock of a running node jumps: nobody is suspected for it, views stay
equal, and the times it shows and saves stay times."""

import os
import struct
import tempfile
import time
import unittest

import daemon
from daemon import Node

LIBRARY = os.environ.get("CLOCK_JUMP", "build/libclock_jump.so")
TIMEOUT_S = 2  # a link is made anew when its peer is late by half of it
YEAR_S = 365 * 86400
PATIENCE_S = 30


def sanitized():
    """Sanitizers want to be the first library that is loaded."""
    with open(daemon.HEARSAYD, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


@unittest.skipIf(sanitized(), "a sanitizer allows no library before its own")
class Jumps(unittest.TestCase):
    def setUp(self):
        self.clock = tempfile.NamedTemporaryFile(prefix="hearsay-clock-")
        self.addCleanup(self.clock.close)
        self.set_clock(0)
        env = dict(os.environ, LD_PRELOAD=LIBRARY, HS_CLOCK_FILE=self.clock.name)
        self.nodes = [Node("--cluster-node-timeout", TIMEOUT_S * 1000, **popen)
                      for popen in ({"env": env}, {}, {})]
        for node, slots in zip(self.nodes, ((0, 5460), (5461, 10922), (10923, 16383))):
            self.addCleanup(node.close)
            node.start()
            self.assertEqual(node.call("CLUSTER", "ADDSLOTSRANGE", *slots), "OK")
        for node in self.nodes[1:]:
            self.nodes[0].call("CLUSTER", "MEET", "127.0.0.1", node.port)
        self.wait(self.all_well, "the cluster forms")

    def set_clock(self, offset_s):
        self.clock.seek(0)
        self.clock.write(struct.pack("q", offset_s))
        self.clock.flush()

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def lines(self):
        return [line.split() for n in self.nodes
                for line in n.call("CLUSTER", "NODES").splitlines()]

    def all_well(self):
        return len(self.lines()) == 9 and all(
            f[7] == "connected" and "fail" not in f[2] and "handshake" not in f[2]
            for f in self.lines()) and all(
            "cluster_state:ok" in n.call("CLUSTER", "INFO") for n in self.nodes)

    def counted(self, key):
        return [line for n in self.nodes for line in n.call("INFO", "everything").splitlines()
                if line.startswith(key + ":")]

    def test_nobody_is_suspected_however_far_it_jumps(self):
        suspicions = self.counted("core_pfail")
        for offset_s in (3600, -3600, YEAR_S, -YEAR_S, 40 * YEAR_S):
            self.set_clock(offset_s)
            now = int(self.nodes[0].call("TIME")[0])
            self.assertAlmostEqual(now, time.time() + offset_s, delta=60)
            end = time.monotonic() + 1.5 * TIMEOUT_S
            while time.monotonic() < end:
                self.assertTrue(self.all_well(), f"{offset_s}: {self.lines()}")
                time.sleep(0.1)
        self.assertEqual(self.counted("core_pfail"), suspicions)
        for node in self.nodes[1:]:  # what the one with the wrong clock told them is bounded
            for f in map(str.split, node.call("CLUSTER", "NODES").splitlines()):
                self.assertLess(int(f[5]) / 1000, time.time() + TIMEOUT_S + 1)
        self.assertEqual(self.nodes[0].stop(), 0)
        self.nodes[0].start()
        self.wait(self.all_well, "it comes back from what it saved")


if __name__ == "__main__":
    unittest.main(verbosity=2)
