#!/usr/bin/env python3
"""A machine without memory or descriptors: a start says what is missing and ends
with 2; a running node goes on with what it has, says so, and recovers."""

import os
import resource
import socket
import time
import unittest

import daemon
from daemon import Node, with_limit

PATIENCE_S = 30


def sanitized():
    """Sanitizers reserve more address space than any limit here leaves."""
    with open(daemon.HEARSAYD, "rb") as f:
        program = f.read()
    return b"__asan_init" in program or b"__tsan_init" in program


class Memory(unittest.TestCase):
    @unittest.skipIf(sanitized(), "a sanitizer needs the whole address space")
    def test_whatever_the_limit_a_start_succeeds_or_says_what_is_missing(self):
        started = refused = 0
        for megabytes in (32, 40, 48, 56, 64, 96, 128, 160, 192, 256,
                          *range(296, 344, 8), 360, 384, 512):
            node = Node("--reactors", 2, preexec_fn=with_limit(
                resource.RLIMIT_AS, megabytes << 20))
            try:
                node.start()
            except RuntimeError as e:
                refused += 1
                self.assertRegex(str(e), r"^ended with 2: ", f"{megabytes} MB")
                self.assertRegex(str(e), r"(?i)memory|thread|load", f"{megabytes} MB")
            else:
                started += 1
                self.assertEqual(node.call("PING"), "PONG")
                self.assertEqual(node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383), "OK")
                self.assertEqual(node.stop(), 0, node.read_log())
            finally:
                node.close()
        self.assertGreater(started, 0)
        self.assertGreater(refused, 0)


class Descriptors(unittest.TestCase):
    def pair(self):
        nodes = [Node() for _ in range(2)]
        for node in nodes:
            self.addCleanup(node.close)
            node.start()
        a, b = nodes
        self.assertEqual(a.call("cluster", "meet", "127.0.0.1", b.port), "OK")
        self.wait(lambda: connected(a) and connected(b), "the two meet")
        return nodes

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def test_a_running_node_without_descriptors_keeps_its_links_and_recovers(self):
        a, b = self.pair()
        known = socket.create_connection(("127.0.0.1", a.port), timeout=PATIENCE_S)
        self.addCleanup(known.close)
        self.assertEqual(ask(known, "PING"), "PONG")
        had = resource.prlimit(a.process.pid, resource.RLIMIT_NOFILE)
        free = first_free(a.process.pid)
        resource.prlimit(a.process.pid, resource.RLIMIT_NOFILE, (free, had[1]))
        try:
            self.assertEqual(ask(known, "CLUSTER ADDSLOTSRANGE 0 16383"), "OK")
            self.wait(lambda: value(known, "hearsay_save_failures") > 0, "a save is refused")
            time.sleep(3)  # longer than the node timeout
            self.assertNotIn("fail", ask(known, "CLUSTER NODES"))
            self.assertNotIn("fail", b.call("cluster", "nodes"))
        finally:
            resource.prlimit(a.process.pid, resource.RLIMIT_NOFILE, had)
        self.assertEqual(a.call("PING"), "PONG")
        self.wait(lambda: "0-16383" in a.conf(), "the slots are saved")
        self.assertIn("Too many open files", a.read_log())
        self.assertLess(len(a.read_log().splitlines()), 60, a.read_log())


def first_free(pid):
    """The lowest descriptor that is not in use all the time: a save under way, or a
    connection that is about to be closed, has one that the next save could take."""
    lasting = None
    for _ in range(20):
        used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        lasting = used if lasting is None else lasting & used
        time.sleep(0.05)
    return next(fd for fd in range(len(lasting) + 1) if fd not in lasting)


def connected(node):
    lines = node.call("cluster", "nodes").splitlines()
    return len(lines) == 2 and all("disconnected" not in x and "handshake" not in x for x in lines)


def ask(sock, line):
    sock.sendall(line.encode() + b"\r\n")
    with sock.makefile("rb") as f:
        return daemon.read_reply(f)


def value(sock, key):
    for line in ask(sock, "INFO everything").splitlines():
        if line.startswith(key + ":"):
            return int(line.split(":")[1])
    raise LookupError(key)


if __name__ == "__main__":
    unittest.main(verbosity=2)
