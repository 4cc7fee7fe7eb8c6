#!/usr/bin/env python3
"""What is changed at a running node takes effect at once, on every reactor."""

import os
import socket
import time
import unittest

from daemon import Node, read_reply

PATIENCE_S = 30


class Client:
    """A connection that stays, for what must survive or end on its own."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def call(self, line):
        self.sock.sendall(line.encode() + b"\r\n")
        return read_reply(self.file)

    def seconds_until_closed(self):
        """None if it is still open after all patience."""
        self.sock.settimeout(PATIENCE_S)
        start = time.monotonic()
        try:
            return time.monotonic() - start if self.sock.recv(1) == b"" else None
        except ConnectionResetError:
            return time.monotonic() - start
        except socket.timeout:
            return None


def keepalive_s(port, client):
    """Seconds until the server's side of the connection probes; None if it never does."""
    pair = [f"0100007F:{p:04X}" for p in (port, client.sock.getsockname()[1])]
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with open("/proc/net/tcp", encoding="ascii") as f:
            found = [fields[5] for fields in map(str.split, f) if fields[1:3] == pair]
        timer, _, when = found[0].partition(":") if found else ("", "", "")
        if timer == "00":
            return None
        if timer == "02":
            return int(when, 16) / os.sysconf("SC_CLK_TCK")
        time.sleep(0.02)  # a reply of which nobody knows yet that it arrived
    raise AssertionError("no such connection")


class Live(unittest.TestCase):
    def node(self, *args):
        node = Node("--reactors", "2", *args)
        self.addCleanup(node.close)
        return node.start()

    def client(self, node):
        client = Client(node.port)
        self.addCleanup(client.close)
        return client

    def test_client_kill_ends_idle_clients_of_every_reactor_at_once(self):
        node = self.node()
        clients = [self.client(node) for _ in range(16)]  # on both, most likely
        ids = [c.call("CLIENT ID") for c in clients]
        time.sleep(0.2)  # all reactors asleep
        killer = clients.pop()
        took = []
        for victim, its_id in zip(clients, ids):
            self.assertEqual(killer.call(f"CLIENT KILL ID {its_id}"), 1)
            took.append(victim.seconds_until_closed())
        self.assertNotIn(None, took)
        # A reactor that nobody wakes takes a second for each of its own; one may be late.
        self.assertLess(sum(took), 3, took)
        self.assertEqual(killer.call("CLIENT KILL TYPE normal"), 0)
        self.assertEqual(killer.call("CLIENT KILL TYPE normal SKIPME no"), 1)
        self.assertIsNotNone(killer.seconds_until_closed())

    def test_maxclients_can_be_lowered_and_raised_up_to_what_it_was(self):
        node = self.node("--maxclients", "40")
        first = self.client(node)
        others = [self.client(node) for _ in range(4)]
        self.assertEqual([c.call("PING") for c in others], ["PONG"] * 4)
        self.assertEqual(first.call("CONFIG SET maxclients 5"), "OK")
        self.assertEqual(self.client(node).call("PING"), "ERR max number of clients reached")
        self.assertEqual(first.call("CONFIG SET maxclients 40"), "OK")
        self.assertEqual(self.client(node).call("PING"), "PONG")
        self.assertIn("can be at most 40 until a restart", first.call("CONFIG SET maxclients 41"))
        self.assertEqual(first.call("CONFIG GET maxclients"), ["maxclients", "40"])

    def test_timeout_applies_to_clients_that_are_already_idle(self):
        node = self.node()
        idle = [self.client(node) for _ in range(8)]
        self.assertEqual([c.call("PING") for c in idle], ["PONG"] * 8)
        self.assertEqual(node.call("CONFIG", "SET", "timeout", 1), "OK")
        for client in idle:
            self.assertIsNotNone(client.seconds_until_closed())

    def test_tcp_keepalive_applies_to_connections_from_then_on(self):
        node = self.node("--tcp-keepalive", "0")
        before = self.client(node)
        self.assertEqual(before.call("CONFIG SET tcp-keepalive 7"), "OK")
        after = self.client(node)
        self.assertEqual(after.call("PING"), "PONG")
        self.assertIsNone(keepalive_s(node.port, before))
        self.assertLessEqual(keepalive_s(node.port, after), 7)

    def test_loglevel_is_live(self):
        node = self.node()
        self.assertEqual(node.call("CONFIG", "SET", "loglevel", "nothing"), "OK")
        self.assertEqual(node.stop(), 0)
        self.assertNotIn("bye", node.read_log())

    def test_what_cannot_change_is_refused_as_immutable(self):
        node = self.node()
        for name in ("logfile", "port", "bind", "dir", "cluster-config-file", "tcp-backlog",
                     "cluster-nodes-max", "reactors", "syslog-enabled"):
            before = node.call("CONFIG", "GET", name)
            self.assertEqual(node.call("CONFIG", "SET", name, "1"),
                             f"ERR CONFIG SET failed (possibly related to argument '{name}') - "
                             "can't set immutable config")
            self.assertEqual(node.call("CONFIG", "GET", name), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
