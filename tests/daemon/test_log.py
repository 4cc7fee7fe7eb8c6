#!/usr/bin/env python3
"""The log in its three formats, for people and for machines."""

import json
import os
import re
import time
import unittest

from daemon import Node

PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)(?: |$)')


def logfmt(line):
    """The pairs of a line; fails if there is anything else."""
    found, at = {}, 0
    while at < len(line):
        m = PAIR.match(line, at)
        if m is None:
            raise ValueError(line)
        found[m.group(1)] = m.group(2).strip('"')
        at = m.end()
    return found


class Log(unittest.TestCase):
    def node(self, *args, **popen):
        node = Node("--enable-debug-command", "yes", *args, **popen)
        self.addCleanup(node.close)
        return node

    def lines(self, node):
        self.assertEqual(node.stop(), 0)
        return node.read_log().splitlines()

    def test_json_is_one_object_per_line_and_names_nodes(self):
        node = self.node("--log-format", "json", "--loglevel", "verbose").start()
        self.assertEqual(node.call("CLUSTER", "ADDSLOTS", 1), "OK")
        other = self.node("--cluster-announce-human-nodename", "east-1").start()
        self.assertEqual(node.call("CLUSTER", "MEET", "127.0.0.1", other.port), "OK")
        met, mine = (n.call("CLUSTER", "MYID") for n in (other, node))
        end = time.monotonic() + 30
        while met not in node.read_log():  # "Handshake with node ... completed."
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        lines = [json.loads(line) for line in self.lines(node)]
        for line in lines:
            self.assertEqual(set(line) - {"node", "node_name", "other", "other_name"},
                             {"time", "level", "pid", "role", "msg"})
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$")
        about = [line for line in lines if line.get("node") == met]
        self.assertGreaterEqual(len(about), 1)
        own = [line for line in lines if line["msg"].startswith("Node ")]
        self.assertEqual([line["node"] for line in own], [mine])
        self.assertTrue(all(met in line["msg"] for line in about))

    def test_logfmt_is_pairs_and_nothing_else(self):
        node = self.node("--log-format", "logfmt").start()
        for line in self.lines(node):
            pairs = logfmt(line)
            self.assertEqual(list(pairs)[:4], ["time", "level", "pid", "role"])
            self.assertIn("msg", pairs)

    def test_the_format_is_live_and_valkeys_word_for_plain_is_known(self):
        node = self.node("--log-format", "legacy").start()
        self.assertEqual(node.call("CONFIG", "SET", "log-format", "json"), "OK")
        plain, last = self.lines(node)[0], self.lines_of(node)[-1]
        self.assertRegex(plain, r"^\d+:M \d\d \w{3} \d{4} ")
        self.assertIn("bye", json.loads(last)["msg"])

    def lines_of(self, node):
        return node.read_log().splitlines()

    def test_a_line_for_the_journal_begins_with_its_level(self):
        node = self.node()
        out = os.path.join(node.dir, "out")
        with open(out, "wb") as f:
            stat = os.fstat(f.fileno())
        # start() opens the same file again, which keeps its inode.
        node.popen = {"env": {**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}}
        node.start()
        lines = self.lines(node)
        self.assertTrue(all(re.match(r"<[4-7]>\d+:M ", line) for line in lines), lines)
        self.assertTrue(lines[-1].startswith("<4>"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
