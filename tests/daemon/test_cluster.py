#!/usr/bin/env python3
"""Three nodes find each other, agree, stop, and find each other again."""

import time
import unittest

from daemon import Node

AGREE_S = 30


def view(node):
    """id -> (flags without myself, slots), for comparing what nodes know."""
    seen = {}
    for line in node.call("cluster", "nodes").splitlines():
        f = line.split()
        flags = ",".join(x for x in f[2].split(",") if x != "myself")
        seen[f[0]] = (flags, f[7] if f[0] == node.call("cluster", "myid") else "connected",
                      tuple(f[8:]))
    return seen


class Cluster(unittest.TestCase):
    def setUp(self):
        self.nodes = [Node() for _ in range(3)]
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()

    def wait_for_agreement(self):
        end = time.monotonic() + AGREE_S
        while True:
            views = [view(n) for n in self.nodes]
            infos = [n.call("cluster", "info") for n in self.nodes]
            if (views[0] == views[1] == views[2] and len(views[0]) == 3 and
                    all("cluster_state:ok" in i for i in infos)):
                return views[0]
            self.assertLess(time.monotonic(), end, "\n".join(map(str, views + infos)))
            time.sleep(0.1)

    def form(self):
        a, b, c = self.nodes
        for node in (b, c):
            self.assertEqual(a.call("cluster", "meet", "127.0.0.1", node.port), "OK")
        for node, (first, last) in zip(self.nodes, ((0, 5460), (5461, 10922), (10923, 16383))):
            self.assertEqual(node.call("cluster", "addslotsrange", first, last), "OK")
        return self.wait_for_agreement()

    def test_three_nodes_agree_and_again_after_a_restart(self):
        before = self.form()
        self.assertEqual(sorted(s for _, _, slots in before.values() for s in slots),
                         ["0-5460", "10923-16383", "5461-10922"])
        for node in self.nodes:
            self.assertEqual(node.stop(), 0)
        for node in self.nodes:
            node.start()
        self.assertEqual(self.wait_for_agreement(), before)

    def test_a_killed_node_is_failed_and_returns(self):
        self.form()
        a, b, c = self.nodes
        dead = c.call("cluster", "myid")
        c.process.kill()
        c.process.wait()
        end = time.monotonic() + AGREE_S  # how soon is the simulator's to say
        while not all("fail" in view(n)[dead][0].split(",") for n in (a, b)):
            self.assertLess(time.monotonic(), end, a.call("cluster", "nodes"))
            time.sleep(0.1)
        c.start()
        self.wait_for_agreement()


if __name__ == "__main__":
    unittest.main(verbosity=2)
