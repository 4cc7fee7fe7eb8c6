#!/usr/bin/env python3
"""What is changed at a running node takes effect at once, on every reactor."""

import socket
import time
import unittest

from daemon import Node, read_reply


class Client:
    """A connection that stays, for what must survive or end on its own."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def call(self, line):
        self.sock.sendall(line.encode() + b"\r\n")
        return read_reply(self.file)

    def seconds_until_closed(self, patience):
        """None if it is still open then."""
        self.sock.settimeout(patience)
        start = time.monotonic()
        try:
            return time.monotonic() - start if self.sock.recv(1) == b"" else None
        except ConnectionResetError:
            return time.monotonic() - start
        except socket.timeout:
            return None


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
        for victim, its_id in zip(clients, ids):
            self.assertEqual(killer.call(f"CLIENT KILL ID {its_id}"), 1)
            took = victim.seconds_until_closed(5)
            self.assertIsNotNone(took)
            self.assertLess(took, 0.5)
        self.assertEqual(killer.call("CLIENT KILL TYPE normal"), 0)
        self.assertEqual(killer.call("CLIENT KILL TYPE normal SKIPME no"), 1)
        self.assertIsNotNone(killer.seconds_until_closed(5))


if __name__ == "__main__":
    unittest.main(verbosity=2)
