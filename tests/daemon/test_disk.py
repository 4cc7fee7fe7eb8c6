#!/usr/bin/env python3
"""A disk without room: a running node goes on, says so once, and saves when there is room."""

import os
import time
import unittest

from daemon import Node, with_mounts

MOUNT = 'mount -t tmpfs -o size=64k none "$1"'


class FullDisk(unittest.TestCase):
    def node(self):
        node = Node()
        self.addCleanup(node.close)
        node.program = with_mounts(MOUNT, node.dir)
        if node.program is None:
            self.skipTest("needs a mount namespace")
        return node

    def info(self, node):
        return dict(line.split(":", 1) for line in node.call("INFO", "persistence").splitlines()
                    if ":" in line)

    def wait(self, node, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, node.read_log())
            time.sleep(0.05)

    def test_a_running_node_goes_on_says_so_once_and_recovers(self):
        node = self.node().start()
        inside = f"/proc/{node.process.pid}/root{node.dir}"
        with open(os.path.join(inside, "ballast"), "wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        self.assertEqual(self.info(node)["hearsay_save_error"], "")
        self.assertEqual(node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383), "OK")
        self.wait(node, lambda: int(self.info(node)["hearsay_save_failures"]) >= 3)
        self.assertEqual(self.info(node)["hearsay_save_error"], "write: No space left on device")
        self.assertEqual(self.info(node)["rdb_last_bgsave_status"], "ok")
        self.assertEqual(node.read_log().count("Cannot save"), 1, node.read_log())
        with open(os.path.join(inside, "nodes.conf"), encoding="utf-8") as f:
            self.assertNotIn("0-16383", f.read())

        os.unlink(os.path.join(inside, "ballast"))
        self.wait(node, lambda: self.info(node)["hearsay_save_error"] == "")
        self.wait(node, lambda: "again." in node.read_log())  # said a moment later
        with open(os.path.join(inside, "nodes.conf"), encoding="utf-8") as f:
            self.assertIn("0-16383", f.read())
        self.assertEqual(node.read_log().count("again."), 1, node.read_log())
        self.assertEqual(node.stop(), 0)

    def test_a_new_node_that_cannot_save_its_id_does_not_start(self):
        node = self.node()
        node.program = with_mounts(MOUNT + '; cat /dev/zero >"$1/ballast" || true', node.dir)
        with self.assertRaisesRegex(RuntimeError,
                                    "(?s)ended with 2: .*Cannot save the new node's id"):
            node.start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
