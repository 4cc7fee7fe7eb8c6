#!/usr/bin/env python3
"""A node, or one thread of it, stands still for longer than the node timeout. It
is replaced or suspected meanwhile, accuses nobody afterwards, and finds back."""

import os
import resource
import signal
import socket
import time
import unittest

from daemon import Node, StoppedThread, read_reply

TIMEOUT_S = 2  # a link is made anew when its peer is late by half of it
STILL_S = 2.5 * TIMEOUT_S
PATIENCE_S = 30


def allow_many_files():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def flags_of(node):
    """id -> flags, as this node sees them."""
    return {f[0]: f[2] for f in map(str.split, node.call("cluster", "nodes").splitlines())}


def info(node, section):
    return dict(line.split(":", 1) for line in node.call("INFO", section).splitlines()
                if ":" in line)


class Stall(unittest.TestCase):
    def setUp(self):
        self.nodes = [Node("--reactors", 2, "--cluster-node-timeout", TIMEOUT_S * 1000)
                      for _ in range(3)]
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
            node.id = node.call("cluster", "myid")
        first = self.nodes[0]
        slots = ((0, 5460), (5461, 10922), (10923, 16383))
        for epoch, (node, (a, b)) in enumerate(zip(self.nodes, slots), start=1):
            self.assertEqual(node.call("cluster", "addslotsrange", a, b), "OK")
            # Epochs that collide are mended in any order; the first has the lowest here.
            self.assertEqual(node.call("cluster", "set-config-epoch", epoch), "OK")
            if node is not first:
                self.assertEqual(first.call("cluster", "meet", "127.0.0.1", node.port), "OK")
        self.wait(self.all_well, "the cluster forms")
        self.wait(lambda: {epoch_of(n) for n in self.nodes} == {3}, "all know the epochs")

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def all_well(self):
        return all("cluster_state:ok" in n.call("cluster", "info") and len(flags_of(n)) == 3 and
                   not any("fail" in f or "handshake" in f for f in flags_of(n).values()) and
                   "disconnected" not in n.call("cluster", "nodes") for n in self.nodes)

    def held_for_failed(self, node):
        me = node.id
        return all("fail" in flags_of(n)[me] and "fail?" not in flags_of(n)[me]
                   for n in self.nodes if n is not node)

    def assert_accuses_nobody(self, node, before):
        """None of the others was ever suspected by it, nor held for failed by anybody."""
        self.wait(self.all_well, "all is well again")
        self.assertEqual(info(node, "hearsay")["core_pfail"], before, node.read_log())
        for other in self.nodes:
            for third in self.nodes:
                if third is not node:
                    self.assertNotIn(f"Marking node {third.id}", other.read_log())

    def test_a_stopped_process_accuses_nobody_when_it_goes_on(self):
        node = self.nodes[0]
        before = info(node, "hearsay")["core_pfail"]
        node.process.send_signal(signal.SIGSTOP)
        try:
            self.wait(lambda: self.held_for_failed(node), "the others fail it")
        finally:
            node.process.send_signal(signal.SIGCONT)
        self.assert_accuses_nobody(node, before)
        self.assertNotEqual(info(node, "hearsay")["core_resumed"], "0")

    def test_an_owner_that_stands_still_is_failed_and_finds_back(self):
        node = self.nodes[0]
        before = info(node, "hearsay")["core_pfail"]
        with StoppedThread(node, "owner"):
            self.wait(lambda: self.held_for_failed(node), "the others fail it")
            self.assertEqual(node.call("PING"), "PONG")  # the reactors go on
            self.assertIn(node.id, node.call("cluster", "nodes"))
        self.assert_accuses_nobody(node, before)

    def test_a_reactor_that_stands_still_loses_nothing_that_clients_asked(self):
        node = self.nodes[0]
        clients = [socket.create_connection(("127.0.0.1", node.port), timeout=PATIENCE_S)
                   for _ in range(16)]
        with StoppedThread(node, "reactor-1"):
            for c in clients:
                c.sendall(b"PING\r\n" * 1000)
            time.sleep(STILL_S)
        for c in clients:
            with c, c.makefile("rb") as f:
                self.assertEqual({read_reply(f) for _ in range(1000)}, {"PONG"})
        self.wait(self.all_well, "all is well again")

    def test_without_its_store_a_node_answers_and_what_must_be_saved_waits(self):
        node = self.nodes[0]
        with StoppedThread(node, "store"):
            with socket.create_connection(("127.0.0.1", node.port),
                                          timeout=PATIENCE_S) as s:
                s.sendall(b"CLUSTER BUMPEPOCH\r\n")
                time.sleep(STILL_S)
                self.assertEqual(node.call("PING"), "PONG")
                for n in self.nodes:
                    self.assertFalse(any("fail" in f for f in flags_of(n).values()))
                before = {epoch_of(n) for n in self.nodes[1:]}
                self.assertEqual(before, {3})  # nobody was told of what is not on disk
        self.wait(self.all_well, "all is well again")
        self.wait(lambda: {epoch_of(n) for n in self.nodes} == {4}, "all know the new epoch")


class Crowd(unittest.TestCase):
    CLIENTS_N = 4500  # more than a completion queue has room for

    @unittest.skipIf(allow_many_files() < 4 * CLIENTS_N, "needs 18,000 descriptors")
    def test_more_completions_than_the_queue_holds_are_all_handled(self):
        node = Node("--reactors", 1).start()
        self.addCleanup(node.close)
        clients = [socket.create_connection(("127.0.0.1", node.port), timeout=PATIENCE_S)
                   for _ in range(self.CLIENTS_N)]
        with StoppedThread(node, "reactor-0"):
            for c in clients:
                c.sendall(b"PING\r\n")
        for c in clients:
            with c:
                self.assertEqual(c.recv(100), b"+PONG\r\n")


def epoch_of(node):
    for line in node.call("cluster", "info").splitlines():
        if line.startswith("cluster_current_epoch:"):
            return int(line.split(":")[1])
    raise LookupError("cluster_current_epoch")


if __name__ == "__main__":
    unittest.main(verbosity=2)
