#!/usr/bin/env python3
"""What the pods of the chart run beside hearsayd: they find each other by name, also after all
have moved, and hand over before they stop."""
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "deploy/kubernetes"
os.environ.setdefault("HEARSAYD", str(pathlib.Path(os.environ.get("HS_BUILD", ROOT / "build"))
                                      / "hearsayd"))
sys.path.insert(0, str(ROOT / "tests/daemon"))
from daemon import Node  # noqa: E402  (after the path it is found on)

NODES, AGREE_S = 3, 40
# The cluster's name service: getent, but from a file that the test writes.
GETENT = '#!/bin/sh\n[ "$*" = "ahosts nodes.test" ] && cat "$NAMES"\n'


class Peers(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory()
        self.addCleanup(held.cleanup)
        self.dir = pathlib.Path(held.name)
        (self.dir / "getent").write_text(GETENT)
        (self.dir / "getent").chmod(0o755)
        self.names = self.dir / "names"
        self.net = f"127.{random.randrange(16, 250)}.{random.randrange(250)}."
        self.port, self.nodes, self.helpers = None, [], []
        for i in range(NODES):
            node = Node(port=self.port, address=self.net + str(1 + i))
            self.port = node.port
            self.addCleanup(node.close)
            self.nodes.append(node)
        self.addCleanup(self.stop_helpers)

    def env(self, node):
        return dict(os.environ, PATH=f"{self.dir}:{os.environ['PATH']}", NAMES=str(self.names),
                    HEARSAY_HOST=node.address, HEARSAY_PORT=str(node.port), HEARSAY_PAUSE="0.3")

    def start(self, first):
        """All nodes, at addresses from first on, and what runs beside each."""
        for i, node in enumerate(self.nodes):
            node.address = self.net + str(first + i)
            node.start("--bind", node.address, "--cluster-announce-ip", node.address)
        self.names.write_text("".join(f"{n.address}  STREAM\n" for n in self.nodes))
        for node in self.nodes:
            self.helpers.append(subprocess.Popen(
                [SCRIPTS / "meet-peers", "nodes.test"], env=self.env(node),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))

    def stop_helpers(self):
        for helper in self.helpers:
            helper.terminate()
            helper.wait(10)
        self.helpers.clear()

    def wait(self, good):
        end = time.monotonic() + AGREE_S
        while not good():
            if time.monotonic() > end:
                self.fail("\n".join(n.call("cluster", "nodes") for n in self.nodes if n.process))
            time.sleep(0.1)

    def view(self, node):
        return {f[0]: f for f in map(str.split, node.call("cluster", "nodes").splitlines())}

    def all_see(self, master, slave):
        """Each node sees all at their present addresses, one the master of all slots."""
        at = {n.call("cluster", "myid"): f"{n.address}:{n.port}@" for n in self.nodes}
        for node in self.nodes:
            seen = self.view(node)
            if seen.keys() != at.keys() or "cluster_state:ok" not in node.call("cluster", "info"):
                return False
            for name, f in seen.items():
                if not f[1].startswith(at[name]) or "fail" in f[2] or f[7] != "connected":
                    return False
            if seen[master][8:] != ["0-16383"] or seen[slave][3] != master:
                return False
        return True

    def hand_over(self, node):
        done = subprocess.run([SCRIPTS / "hand-over", "40"], env=self.env(node), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=90,
                              check=True)
        return done.stdout

    def test_they_meet_by_name_move_all_at_once_and_hand_over(self):
        self.start(1)
        a, b, _ = (n.call("cluster", "myid") for n in self.nodes)
        self.wait(lambda: all(len(self.view(n)) == NODES for n in self.nodes)
                  and a in self.view(self.nodes[1]))
        self.assertEqual(self.nodes[0].call("cluster", "addslotsrange", 0, 16383), "OK")
        self.wait(lambda: self.nodes[1].call("cluster", "replicate", a) == "OK")
        self.wait(lambda: self.all_see(a, b))

        self.stop_helpers()
        for node in self.nodes:
            self.assertEqual(node.stop(), 0)
        self.start(101)
        self.wait(lambda: self.all_see(a, b))

        self.assertIn("nothing to hand over", self.hand_over(self.nodes[1]))
        self.assertIn("is the master now", self.hand_over(self.nodes[0]))
        self.wait(lambda: self.all_see(b, a))

        self.assertEqual(self.nodes[0].stop(), 0)
        self.wait(lambda: "fail" in self.view(self.nodes[1])[a][2])
        self.assertIn("no replica that works", self.hand_over(self.nodes[1]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
